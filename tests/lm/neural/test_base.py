"""What the window and the recurrent language model share: fits that fail, parameters, vectors to begin with."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.lm.neural import test_recurrent, test_window
from tests.lm.neural.test_window import TRAIN, VALID
from windrow.embeddings import WordVectors
from windrow.errors import DataError, OptionError, WindrowError
from windrow.files import model_file
from windrow.nn.training.stopping import DivergedError

SMALL = {"window": test_window.small, "recurrent": test_recurrent.small}
OTHER_TEXT = ["x y z", "z y x x"] * 5


@pytest.fixture(params=SMALL)
def small(request):
    return SMALL[request.param]


# --- a fit that fails


def interrupt(report) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(("changed", "given", "error"), [
    ({"optimizer": "sgd", "learning_rate": 1e30, "clip": None}, {}, DivergedError),
    ({"callbacks": [interrupt]}, {}, KeyboardInterrupt),
    ({}, {"valid": []}, WindrowError),
    ({}, {"valid": ["x <s>"]}, DataError),
    ({}, {"checkpoint": "state", "resume": True}, DataError),
])  # fmt: skip
def test_a_fit_that_fails_leaves_a_trained_model_as_it_was(small, tmp_path, changed, given, error):
    model = small(epochs=2).fit(TRAIN)
    before = model.log_probs(VALID), model.history_, model.vocabulary.words, model.provenance_
    if "checkpoint" in given:
        given = {**given, "checkpoint": tmp_path / "state"}
        small(epochs=1).fit(TRAIN, checkpoint=given["checkpoint"])
    model.set_params(**changed)

    with pytest.raises(error) as caught:
        model.fit(OTHER_TEXT, **given)

    assert np.array_equal(model.log_probs(VALID), before[0])
    assert (model.history_, model.vocabulary.words, model.provenance_) == before[1:]
    assert "has the parameters of" not in str(caught.value)


def test_a_first_fit_that_diverges_leaves_a_model_that_can_be_saved(small, tmp_path):
    model = small(optimizer="sgd", learning_rate=1e30, clip=None, quantize_bits=8)
    with pytest.raises(DivergedError, match="has the parameters of the start again"):
        model.fit(TRAIN)
    model.save(tmp_path / "model")

    assert np.array_equal(type(model).load(tmp_path / "model").log_probs(VALID), model.log_probs(VALID))


def test_a_first_fit_that_fails_before_training_leaves_nothing(small, tmp_path):
    model_file.save(tmp_path / "state", "word-vectors", {}, {})
    model = small()

    with pytest.raises(DataError):
        model.fit(TRAIN, checkpoint=tmp_path / "state", resume=True)

    assert not [name for name in vars(model) if name not in model.get_params()]


# --- parameters

ODD = (None, float("nan"), float("inf"), -1, -0.5, 10**30, 10**400, "odd", True, (), ("odd",), (3, None), object())
ALLOWED = {  # of these, besides the kinds below
    "bptt": (10**30, 10**400), "clip": (float("inf"), 10**30, 10**400), "l2": (10**30,), "learning_rate": (10**30,),
    "vectors": ("odd",),
    **dict.fromkeys(("patience", "max_vocab", "quantize_bits"), (None,)),
    **dict.fromkeys(("tied", "direct", "skip_symbols"), (True,)),
    **dict.fromkeys(("cutoffs", "callbacks"), ((),)),
}  # fmt: skip
OPTIONAL = ("clip", "learning_rate", "vectors")


@pytest.mark.parametrize("name", sorted({*SMALL["window"]().get_params(), *SMALL["recurrent"]().get_params()}))
def test_odd_parameters_are_told_by_name(name):
    for make in SMALL.values():
        for value in ODD if name in make().get_params() else ():
            try:
                make(**{name: value}).check_parameters()
            except OptionError as error:
                assert re.match(rf"{name} = |{name} must be ", str(error)), (value, str(error))
                assert "\n" not in str(error)
            else:
                assert value in ALLOWED.get(name, ()) or (value is None and name in OPTIONAL), value


@pytest.mark.parametrize(("name", "value"), [
    ("bptt", 2**63 - 1), ("clip", 1e300), ("l2", 10**30), ("learning_rate", 10**30), ("classes", 1_000_000),
    ("seed", 2**63 - 1), ("batch_size", 2**63 - 1), ("min_count", 2**63 - 1), ("max_vocab", 2**63 - 1),
    ("patience", 2**63 - 1), ("noise_power", 10), ("shrink", 1000),
])  # fmt: skip
@pytest.mark.parametrize("output", ["classes", "nce", "adaptive"])
def test_the_largest_parameters_can_be_trained_with(small, name, value, output):
    model = small(epochs=1, output_layer=output)
    read_with = {"classes": "classes", "noise_power": "nce", "shrink": "adaptive"}
    if name in model.get_params() and read_with.get(name, output) == output:
        try:
            model.set_params(**{name: value}).fit(TRAIN, valid=VALID)
        except (DivergedError, DataError) as error:
            assert (type(error), name) in (
                (DivergedError, "l2"),
                (DivergedError, "learning_rate"),
                (DataError, "min_count"),
            )


@pytest.mark.parametrize(("options", "said"), [
    ({"noise_power": 400}, "noise_power = 400 is out of range"),
    ({"shrink": 1e300}, r"shrink = 1e\+300 is out of range"),
    ({"l2": float("inf")}, "l2 = inf is out of range"),
    ({"learning_rate": float("inf")}, "learning_rate = inf is out of range"),
    ({"momentum": 1.0}, "momentum = 1.0 is out of range"),
    ({"cutoffs": None}, "cutoffs = None must be a list of whole numbers"),
    ({"cutoffs": range(1, 200)}, "cutoffs = .* at most 100"),
    ({"tied": "no"}, "tied = 'no' must be True or False"),
    ({"vectors": 7}, "vectors = 7 must be"),
    ({"callbacks": [print, 7]}, "callbacks = .* must be a list of functions"),
])  # fmt: skip
def test_parameters_that_no_training_can_have(small, options, said):
    with pytest.raises(OptionError, match=f"^{said}"):
        small(**options).fit("no such file")


def test_numbers_of_numpy_are_parameters(small, tmp_path):
    plain = small(hidden_size=8, dropout=0.5, output_layer="adaptive", cutoffs=(2, 4), skip_symbols=True, epochs=1)
    options = {"hidden_size": np.int64(8), "dropout": np.float32(0.5), "cutoffs": np.array([2, 4]),
               "skip_symbols": np.True_, "seed": np.int32(1)}  # fmt: skip
    model = small(output_layer="adaptive", epochs=1, **options).fit(TRAIN, checkpoint=tmp_path / "state")
    model.save(tmp_path / "model")

    assert type(model).load(tmp_path / "model").get_params() == plain.get_params()
    assert model.perplexity(VALID) == plain.fit(TRAIN).perplexity(VALID)


@pytest.mark.parametrize(
    "options", [{}, {"output_layer": "adaptive", "cutoffs": (2, 4), "clip": 1e300, "patience": None}]
)
def test_a_loaded_model_prints_as_the_saved_one(small, tmp_path, options):
    model = small(**options, epochs=1).fit(TRAIN)
    model.save(tmp_path / "model")

    loaded = type(model).load(tmp_path / "model")

    assert repr(loaded) == repr(model)
    assert "cutoffs" in repr(small(cutoffs=(2, 4)))
    assert ("cutoffs" in repr(model)) == ("cutoffs" in options)


# --- word vectors to begin with


def vectors_of(*words: str) -> WordVectors:
    return WordVectors(list(words), np.ones((len(words), 6), np.float32))


def test_vectors_that_share_no_word(small):
    with pytest.raises(DataError, match=r"^none of the 4 words is in vectors; are both cut into words alike\?$"):
        small(vectors=vectors_of("</s>", "A", "B", "<unk>", "C")).fit(TRAIN)


def test_how_many_words_begin_with_given_vectors(small):
    assert small(vectors=vectors_of("d", "</s>", "A"), epochs=1).fit(TRAIN).given_words_ == 1
    assert small(epochs=1).fit(TRAIN).given_words_ == 0


def test_callbacks_see_the_model_that_is_trained(small):
    model = small(epochs=2).fit(TRAIN)
    seen = []
    model.set_params(callbacks=[lambda report: seen.append((len(model.history_), model.vocabulary.words))])
    model.fit(OTHER_TEXT)

    assert seen == [(1, model.vocabulary.words), (2, model.vocabulary.words)]
