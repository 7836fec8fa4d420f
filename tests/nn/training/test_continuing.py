"""Finished models that are trained further: the same for every estimator that trains by the loop."""

from __future__ import annotations

import itertools
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import windrow
from tests.nn.training.estimators import ESTIMATORS, Case, LanguageModel, Perceptron, Tagger, X, Y
from tests.test_damaged_parts import other_arrays, other_configs
from windrow.errors import DataError, DataWarning, FormatError, NotFittedError, OptionError, WindrowError
from windrow.files import model_file
from windrow.nn.optimizers import OPTIMIZERS
from windrow.nn.training.continuing import ContinuingEstimator

LANGUAGE_MODELS = ("WindowLM", "RecurrentLM")
TAGGED = [(["Ann", "saw", "Rome"], ["B-PER", "O", "B-LOC"]), (["it", "rains"], ["O", "O"])] * 4


@pytest.fixture(params=ESTIMATORS)
def case(request: pytest.FixtureRequest) -> Case:
    return ESTIMATORS[request.param]()


@pytest.fixture(params=LANGUAGE_MODELS)
def of_text(request: pytest.FixtureRequest) -> Case:
    return ESTIMATORS[request.param]()


def fitted(case: Case, *, keep_training_state: bool = False, **changed: Any) -> Any:
    model = case.made(**changed)
    case.fit(model, keep_training_state=keep_training_state)
    return model


def further(case: Case, model: Any, *, other: bool = False, **changed: Any) -> Any:
    """Trained further by an estimator that knows nothing of the shape of the model's network."""
    shape = {setting.name for setting in model.settings if setting.of_model}
    options = {name: value for name, value in case.options.items() if name not in shape}
    estimator = type(model)(**{**options, **changed})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # words that are unknown
        case.fit(estimator, other=other, continue_from=model)
    return estimator


def through_a_file(case: Case, model: Any, folder: Path) -> Any:
    """A path to it, where it has files."""
    if isinstance(case, Perceptron):
        return model
    model.save(folder / "model")
    return folder / "model"


def same_values(case: Case, one: Any, other: Any) -> bool:
    return np.array_equal(case.values(one), case.values(other))


# --- what continuing comes to


@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_with_the_state_two_and_two_epochs_are_four(case: Case, optimizer: str, tmp_path: Path) -> None:
    """Where the rate does not fall: bit for bit, from a file as from the model."""
    if isinstance(case, Tagger):
        optimizer = optimizer.replace("momentum", "adagrad")
    four = fitted(case, optimizer=optimizer, epochs=4)
    two = fitted(case, optimizer=optimizer, epochs=2, keep_training_state=True)

    model = windrow.load(through_a_file(case, two, tmp_path)) if not isinstance(case, Perceptron) else two
    more = further(case, model, optimizer=optimizer, epochs=2)

    assert same_values(case, more, four)
    assert [row["epoch"] for row in more.history_] == [1, 2]
    assert [row["loss"] for row in more.history_] == [row["loss"] for row in four.history_[2:]]
    assert more.history_[-1]["steps"] == four.history_[-1]["steps"]
    assert not same_values(case, further(case, fitted(case, optimizer=optimizer, epochs=2), epochs=2), four)


def test_what_follows_from_the_seed_needs_no_state(of_text: Case) -> None:
    """Plain gradient descent on a text: each epoch draws by its number, counted from the first training."""
    options = {"optimizer": "sgd", "learning_rate": 0.05}
    six, two = (fitted(of_text, **options, epochs=epochs) for epochs in (6, 2))

    four = further(of_text, two, **options, epochs=2)

    assert same_values(of_text, further(of_text, four, **options, epochs=2), six)


def test_no_step_changes_nothing(case: Case) -> None:
    model = fitted(case, epochs=1)

    same = further(case, model, epochs=1, learning_rate=1e-30)

    np.testing.assert_allclose(case.values(same), case.values(model), rtol=0, atol=1e-25)
    assert case.answers(same)[1:] == case.answers(model)[1:] if not isinstance(case, Perceptron) else True


def test_an_optimizer_starts_again_unless_it_is_of_the_same_rule(case: Case) -> None:
    kept = fitted(case, optimizer="adam", epochs=1, keep_training_state=True)
    steps = kept.history_[-1]["steps"]

    assert further(case, kept, optimizer="adam", epochs=1).history_[-1]["steps"] == 2 * steps
    assert further(case, kept, optimizer="sgd", epochs=1).history_[-1]["steps"] == steps
    kept.training_state_ = None
    assert further(case, kept, optimizer="adam", epochs=1).history_[-1]["steps"] == steps


def test_other_data_may_follow(case: Case) -> None:
    """Of the same words, types and classes."""
    model = fitted(case, epochs=1)
    if isinstance(case, Perceptron):
        more = case.made(epochs=1)
        more.fit(X[::-1], Y[::-1], continue_from=model)
    else:
        more = further(case, model, other=True, epochs=1)

    assert not same_values(case, more, model)


def test_a_model_continues_itself(case: Case) -> None:
    model, again = (fitted(case, epochs=2, keep_training_state=True) for _ in range(2))

    case.fit(model, continue_from=model)

    assert same_values(case, model, further(case, again, epochs=2))
    assert model.continued_from_ == {"model": model.continued_from_["model"], "epochs": 2}
    before = dict(vars(model))
    with pytest.raises(WindrowError):
        case.fit(model, bad=True, continue_from=model)
    assert vars(model) == before


def test_a_new_training_forgets(case: Case) -> None:
    model = fitted(case, epochs=1, keep_training_state=True)
    case.fit(model, continue_from=model)
    assert model.continued_from_ is not None

    case.fit(model)

    assert model.continued_from_ is None
    assert model.training_state_ is None


def test_files_say_what_was_continued(case: Case, tmp_path: Path) -> None:
    first = fitted(case, epochs=2)
    second = further(case, first, epochs=1)
    third = further(case, second, epochs=1)

    assert [second.continued_from_["epochs"], third.continued_from_["epochs"]] == [2, 3]
    if isinstance(case, Perceptron):
        return
    third.save(tmp_path / "third")
    opened = windrow.load(tmp_path / "third")
    assert opened.continued_from_ == third.continued_from_
    assert model_file.load(tmp_path / "third").provenance["continued_from"] == third.continued_from_
    opened.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "third").read_bytes()
    assert windrow.load(through_a_file(case, first, tmp_path)).continued_from_ is None


# --- checkpoints


def test_a_continued_training_resumes_bit_for_bit(case: Case, tmp_path: Path) -> None:
    model, checkpoint = fitted(case, epochs=2, keep_training_state=True), tmp_path / "state"
    whole = further(case, model, epochs=3)

    begun = case.made(epochs=3, callbacks=[lambda *told: True])
    case.fit(begun, continue_from=model, checkpoint=checkpoint)
    assert len(begun.history_) == 1
    resumed = case.made(epochs=3)
    case.fit(resumed, continue_from=through_a_file(case, model, tmp_path), checkpoint=checkpoint, resume=True)

    assert same_values(case, resumed, whole)
    assert [row["loss"] for row in resumed.history_] == [row["loss"] for row in whole.history_]


def test_a_checkpoint_is_of_one_model(case: Case, tmp_path: Path) -> None:
    model, other, checkpoint = fitted(case, epochs=2), fitted(case, epochs=1), tmp_path / "state"
    stop = [lambda *told: True]
    case.fit(case.made(epochs=2, callbacks=stop), continue_from=model, checkpoint=checkpoint)

    for given in ({"continue_from": other}, {}):
        with pytest.raises(DataError, match="another model to continue, or none"):
            case.fit(case.made(epochs=2), checkpoint=checkpoint, resume=True, **given)
    checkpoint.unlink()
    case.fit(case.made(epochs=2, callbacks=stop), checkpoint=checkpoint)
    with pytest.raises(DataError, match="another model to continue, or none"):
        case.fit(case.made(epochs=2), continue_from=model, checkpoint=checkpoint, resume=True)


# --- what must agree


def test_another_shape_is_refused(case: Case) -> None:
    model = fitted(case, epochs=1)
    name = "hidden_layer_sizes" if isinstance(case, Perceptron) else "hidden_size"
    same = case.made(epochs=1)

    case.fit(same, continue_from=model)  # given, and equal
    with pytest.raises(OptionError, match=rf"^{name} = 11 does not agree with the model .* has {case.options[name]};"):
        case.fit(case.made(**{name: 11}), continue_from=model)


def test_every_setting_of_the_shape_comes_from_the_model(case: Case) -> None:
    """Those alone: they are what decides which arrays a network has, or what its numbers mean."""
    model = fitted(case, epochs=1)
    shape = {setting.name for setting in model.settings if setting.of_model}

    more = further(case, model, epochs=3, batch_size=5)

    assert {name: getattr(more, name) for name in shape} == {name: getattr(model, name) for name in shape}
    assert (more.epochs, more.batch_size) == (3, 5)
    assert not shape & {"epochs", "learning_rate", "optimizer", "dropout", "batch_size", "seed", "l2", "clip"}


def test_what_a_model_began_with_is_settled(case: Case) -> None:
    given: dict[str, Any] = {"initializer": "glorot"} if isinstance(case, Perceptron) else {"min_count": 3}
    model = fitted(case, epochs=1, **given)

    case.fit(model, continue_from=model)
    assert further(case, model, epochs=1).get_params().items() > given.items()
    with pytest.raises(OptionError, match=f"{next(iter(given))} = .* does not agree with the model to continue"):
        case.fit(case.made(**given), continue_from=fitted(case, epochs=1))


def test_what_is_no_trained_model_is_refused(case: Case, tmp_path: Path) -> None:
    name = case.name
    with pytest.raises(NotFittedError, match=f"continue_from is a {name} that is not trained yet"):
        case.fit(case.made(), continue_from=case.made())
    for odd in (3, windrow.NGramLM()):
        with pytest.raises(OptionError, match=f"continue_from = .* must be a trained {name}"):
            case.fit(case.made(), continue_from=odd)
    with pytest.raises(OptionError if isinstance(case, Perceptron) else DataError):
        case.fit(case.made(), continue_from=tmp_path / "missing")


def test_every_network_can_be_continued() -> None:
    names = {case.name for case in (made() for made in ESTIMATORS.values())}
    assert {kind for kind in names if issubclass(getattr(windrow, kind), ContinuingEstimator)} == names


# --- language models


def test_words_that_are_new_are_unknown(of_text: Case) -> None:
    model = fitted(of_text, epochs=1)

    more = of_text.made(epochs=1)
    with pytest.warns(DataWarning, match=r"18.75% of the words of the list of sentences are unknown to the model"):
        more.fit(["a b new c", "c new d a", "a a b d", "new b c d"] * 3, continue_from=model)
    assert more.vocabulary.words == model.vocabulary.words
    assert more.vocabulary.counts.tolist() == model.vocabulary.counts.tolist()
    with pytest.raises(DataError, match="the model to continue knows no word of"):
        more.fit(["new words alone"], continue_from=model)


def test_words_as_unknown_as_in_the_training_are_not_told(of_text: Case) -> None:
    model = of_text.made(epochs=1, max_vocab=6)
    of_text.fit(model)
    assert model.vocabulary.counts[0] > 0

    more = of_text.made(epochs=1)
    of_text.fit(more, continue_from=model)  # a warning would be an error here

    assert more.vocabulary.words == model.vocabulary.words


def test_a_corpus_with_other_ids_is_read_by_its_words(of_text: Case) -> None:
    model, text = fitted(of_text, epochs=1), ["d c b a d", "d d c c b"] * 4
    corpus = windrow.Corpus.build(text)
    assert corpus.vocabulary.words != [word for word in model.vocabulary.words if word in corpus.vocabulary]

    by_ids, by_words = of_text.made(epochs=1), of_text.made(epochs=1)
    by_ids.fit(corpus, continue_from=model)
    by_words.fit(text, continue_from=model)

    assert same_values(of_text, by_ids, by_words)


def test_text_is_read_as_the_model_reads(of_text: Case) -> None:
    model = of_text.made(epochs=1)
    model.fit(windrow.Corpus.build(["A B c D"] * 8, lowercase=True))

    more = of_text.made(epochs=1)
    more.fit(["a C D b"] * 8, continue_from=model)  # a warning of unknown words would be an error here

    assert more.reader.options() == model.reader.options()


def test_weights_of_8_bits_do_not_learn(of_text: Case) -> None:
    model = fitted(of_text, epochs=1, keep_training_state=True)

    assert model.quantized().training_state_ is None
    with pytest.raises(DataError, match="weights of 8 bits, which cannot learn"):
        of_text.fit(of_text.made(), continue_from=model.quantized())
    with pytest.raises(OptionError, match="keep_training_state = True has no effect with quantize_bits = 8"):
        of_text.fit(of_text.made(quantize_bits=8), keep_training_state=True)


@pytest.mark.parametrize("layer", ["hierarchical", "classes", "nce", "adaptive"])
def test_every_output_layer_goes_on(layer: str) -> None:
    case = LanguageModel("WindowLM", {**ESTIMATORS["WindowLM"]().options, "output_layer": layer}, "perplexity")
    two = fitted(case, epochs=2, keep_training_state=True)

    assert same_values(case, further(case, two, epochs=2), fitted(case, epochs=4))


# --- taggers


def test_new_types_are_refused_by_name() -> None:
    model = windrow.WindowTagger(vector_size=4, hidden_size=4, epochs=1).fit(TAGGED)
    other = [(["Bonn", "rains"], ["B-CITY", "O"]), *TAGGED]

    with pytest.raises(DataError, match=r"entities of the types CITY, which the tagger .* it knows LOC, PER"):
        windrow.WindowTagger(epochs=1).fit(other, continue_from=model)
    more = windrow.WindowTagger(epochs=1, types=["LOC"]).fit(other, continue_from=model)
    assert (more.types_, more.tags_, more.scheme_) == (model.types_, model.tags_, model.scheme_)


@pytest.mark.parametrize("tune", [False, True])
def test_given_vectors_learn_as_they_did(tune: bool, tmp_path: Path) -> None:
    vectors = windrow.WordVectors(["Ann", "saw", "never"], np.eye(3, dtype=np.float32))
    model = windrow.WindowTagger(vectors=vectors, tune=tune, hidden_size=4, epochs=1).fit(TAGGED)
    model.save(tmp_path / "model")

    more = windrow.WindowTagger(epochs=2).fit(TAGGED, continue_from=tmp_path / "model")

    before, after = model.network_.words.all_vectors(), more.network_.words.all_vectors()
    ann, rome = (model.lexicon_.words.index(word) for word in ("Ann", "rome"))
    assert np.array_equal(before[ann], after[ann]) is not tune
    assert not np.array_equal(before[rome], after[rome])
    assert more.vector_size == 3
    again = windrow.load(tmp_path / "model")
    assert (again.tune, more.tune) == (tune, tune)
    again.fit(TAGGED, continue_from=again)
    with pytest.raises(OptionError, match=r"vectors = .* does not agree with the model to continue, which has None"):
        windrow.WindowTagger(vectors=vectors).fit(TAGGED, continue_from=again)
    model.fit(TAGGED, continue_from=model)
    with pytest.raises(OptionError, match="vector_size = 7 does not agree with the model to continue, which has 3"):
        windrow.WindowTagger(vector_size=7).fit(TAGGED, continue_from=tmp_path / "model")


def test_an_older_file_does_not_say_what_learned(tmp_path: Path) -> None:
    windrow.WindowTagger(vector_size=4, hidden_size=4, epochs=1).fit(TAGGED).save(tmp_path / "model")
    stored = model_file.load(tmp_path / "model")
    config = {name: value for name, value in stored.config.items() if name != "trained_words"}
    model_file.save(tmp_path / "old", stored.kind, stored.arrays, config)

    with pytest.warns(DataWarning, match="of an older windrow, which did not say whose word vectors were trained"):
        more = windrow.WindowTagger(epochs=1).fit(TAGGED, continue_from=tmp_path / "old")

    before, after = stored.arrays["words.vectors"], more.network_.words.all_vectors()
    assert np.array_equal(before[3:], after[3:])


def test_a_text_of_other_words_is_told() -> None:
    model = windrow.WindowTagger(vector_size=4, hidden_size=4, epochs=1).fit(TAGGED)
    other = [(["Bob", "visits", "Bonn", "it"], ["B-PER", "O", "B-LOC", "O"])]

    with pytest.warns(DataWarning, match=r"75.00% of the words of the given list are unknown to the model"):
        model.fit(other, continue_from=model)


# --- files with a state


@pytest.mark.parametrize("name", ["WindowLM", "WindowTagger"])
def test_a_damaged_state_is_refused_or_used(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line, when the file is opened or when it is continued."""
    monkeypatch.setattr("os.fsync", lambda file: None)
    case = ESTIMATORS[name]()
    case.options["optimizer"] = "adagrad"
    fitted(case, epochs=1, keep_training_state=True).save(tmp_path / "sound")
    sound = model_file.load(tmp_path / "sound")
    state = {key: array for key, array in sound.arrays.items() if key.startswith("training.")}
    rest = {key: array for key, array in sound.arrays.items() if key not in state}
    parts = sound.config["training_state"]
    damaged = [
        *((sound.config, {**rest, **arrays}) for _, arrays in other_arrays(state)),
        *(({**sound.config, "training_state": other}, sound.arrays) for _, other in other_configs(parts)),
        ({**sound.config, "training_state": None}, sound.arrays),
        (sound.config, rest),
    ]
    refused = 0
    for config, arrays in damaged:
        model_file.save(tmp_path / "m", sound.kind, arrays, config, sound.provenance)
        try:
            further(case, windrow.load(tmp_path / "m"), epochs=1)
        except FormatError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > len(damaged) / 2


@pytest.mark.parametrize("record", [3, {}, {"epochs": -1, "model": "x"}, {"epochs": 1, "model": 2}])
def test_a_damaged_record_is_refused(record: Any, tmp_path: Path) -> None:
    fitted(ESTIMATORS["WindowLM"](), epochs=1).save(tmp_path / "m")
    stored = model_file.load(tmp_path / "m")
    model_file.save(tmp_path / "n", stored.kind, stored.arrays, stored.config, {"continued_from": record})

    with pytest.raises(FormatError, match="does not say what it was continued from"):
        windrow.load(tmp_path / "n")


def test_the_rules_have_distinct_names() -> None:
    """States are told apart by the names of their classes."""
    names = [kind.__name__ for kind in OPTIMIZERS.values()]
    assert all(one != other for one, other in itertools.combinations(names, 2))
