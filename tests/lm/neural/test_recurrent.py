from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.lm.contract import random_stream, walked
from tests.lm.neural.test_window import SUCCESSORS, TRAIN, VALID, untimed
from tests.naive import outputs as naive_heads
from tests.naive import recurrent as naive
from windrow.embeddings import WordVectors
from windrow.errors import DataError, FormatError, NotFittedError, OptionError
from windrow.files import model_file
from windrow.lm import CELL_NAMES
from windrow.lm.mixture import MixtureLM
from windrow.lm.neural.recurrent import RecurrentLM
from windrow.lm.neural.recurrent_network import RecurrentNetwork, side_by_side
from windrow.lm.ngram.model import NGramLM
from windrow.lm.symbols import BOS, EOS
from windrow.nn.gradients import numeric_gradient
from windrow.nn.parameters import Parameter, SparseParameter
from windrow.nn.recurrent.cells import CELLS
from windrow.nn.recurrent.layer import RecurrentLayer
from windrow.nn.schedules import Step
from windrow.nn.training.stopping import DivergedError
from windrow.outputs import OUTPUT_LAYERS, output_layer
from windrow.outputs.contract import OutputOptions

COUNTS = np.array([3, 0, 5, 9, 7, 5, 2, 1, 1])


def small(**options: object) -> RecurrentLM:
    chosen = {"hidden_size": 8, "embedding_size": 6, "epochs": 3, "batch_size": 8, "bptt": 7}
    if options.get("output_layer") == "nce":
        chosen["noise_words"] = 64
    return RecurrentLM(**{**chosen, "learning_rate": 0.02, "clip": 1.0, "state": "reset", **options})


def trained(**options: object) -> RecurrentLM:
    return small(**options).fit(TRAIN, valid=VALID)


@pytest.fixture(scope="module", params=["carry", "reset"])
def model(request) -> RecurrentLM:
    return trained(state=request.param, layers=2, epochs=4)


# --- the network


def random_network(*, cell="lstm", layers=2, tied=False, dropout=0.0, output="softmax") -> RecurrentNetwork:
    dice = np.random.default_rng(0)
    vectors = dice.standard_normal((len(COUNTS), 5))
    is_sparse = output_layer(output).is_sparse
    embeddings = Parameter(vectors) if tied and not is_sparse else SparseParameter(vectors)
    stack = [RecurrentLayer(5, 5, cell, rng=dice, dtype=np.float64) for _ in range(layers)]
    options = OutputOptions(objective="sampled-softmax", noise_words=30)
    head = output_layer(output)(COUNTS, 5, dice, np.float64, options, tied=embeddings if tied else None)
    network = RecurrentNetwork(embeddings, stack, head, dropout=dropout)
    network.body.values[:] += dice.normal(0, 0.3, network.body.values.shape)  # so that nothing is nearly 0
    return network


IDS = np.array([[1, 3, 8], [4, 1, 8], [4, 5, 1], [3, 0, 7]], np.int32)
TARGETS = np.array([[4, 4, 2], [4, 5, 3], [3, 0, 7], [2, 2, 8]], np.int32)


@pytest.mark.parametrize("options", [
    *({"cell": cell} for cell in CELLS), {"layers": 3}, {"tied": True}, {"dropout": 0.4},
    {"output": "nce"}, {"output": "nce", "tied": True}, {"output": "hierarchical", "dropout": 0.3},
])  # fmt: skip
def test_gradients_of_the_network(options):
    """Through states that were carried in, sentences that begin within, and numbers that are dropped."""
    network = random_network(**options)
    states = tuple(np.random.default_rng(4).normal(0, 0.5, state.shape) for state in network.zero_states(3))

    def mean_loss() -> float:
        network.seed(3)  # draws the same every time
        return network.loss_and_gradient(IDS, TARGETS, states, IDS == BOS)[0] / IDS.size

    network.body.clear_gradients()
    mean_loss()
    found = network.body.gradient().copy()
    expected = numeric_gradient(mean_loss, network.body.values)

    assert np.abs(found - expected).max() < 1e-6 * np.abs(expected).max()
    assert (np.abs(expected) > 1e-4 * np.abs(expected).max()).mean() > 0.7


@pytest.mark.parametrize("cell", CELLS)
def test_the_network_by_its_definition(cell):
    network = random_network(cell=cell)
    begins = IDS == BOS
    x, states = network.embeddings.value[IDS], network.zero_states(3)
    for layer, state in zip(network.layers, states, strict=True):
        values = {name: parameter.value for name, parameter in layer.parameters.items()}
        x, _ = naive.run(cell, values, x, state, begins)

    hidden, _ = network.hidden_states(IDS, states, begins)

    assert hidden == pytest.approx(x, rel=1e-10, abs=1e-12)


def test_steps_in_parts_are_the_steps_at_once():
    network = random_network()
    whole, last = network.hidden_states(IDS, network.zero_states(3))
    first, states = network.hidden_states(IDS[:1], network.zero_states(3))
    rest, states = network.hidden_states(IDS[1:], states)

    assert np.concatenate([first, rest]) == pytest.approx(whole, rel=1e-12)
    assert all(np.allclose(found, expected, rtol=1e-12) for found, expected in zip(states, last, strict=True))


# --- training


def test_every_symbol_is_in_a_stream():
    for length in range(1, 40):
        for streams in (1, 3, 5, 8):
            symbols = np.arange(length, dtype=np.int32)
            grid = side_by_side(symbols, streams)
            assert set(grid.ravel()) == set(symbols)
            assert grid.size < length + streams
            assert (np.diff(grid, axis=0) == 1).all()


@pytest.mark.parametrize("options", [
    *({"cell": cell} for cell in CELL_NAMES), *({"output_layer": name} for name in OUTPUT_LAYERS), {"state": "carry"},
    {"optimizer": "sgd", "learning_rate": 2.0}, {"embedding_size": 8, "tied": True, "output_layer": "nce"},
    {"optimizer": "sgd", "learning_rate": 2.0, "clip": None, "output_layer": "hierarchical"},
    {"layers": 2, "dropout": 0.05}, {"schedule": "plateau", "l2": 1e-6},
])  # fmt: skip
def test_what_learns_the_chain(options):
    if options.get("tied"):
        options = {"objective": "sampled-softmax", **options}
    model = trained(**{"epochs": 12, "hidden_size": 8, **options})

    # The entropy of the chain gives 1.94 with sentence ends; four words at random give 5.
    assert model.history_[-1]["score"] < 2.4
    assert model.perplexity(VALID) == pytest.approx(min(row["score"] for row in model.history_), rel=1e-6)
    rows = np.array([model.next_word_distribution(" ".join(before)) for before in ("a", "ab", "ac", "acd")])
    likely = [model.vocabulary.id_of(SUCCESSORS[word][0]) for word in "abcd"]
    assert rows[range(4), likely] == pytest.approx(np.full(4, 0.675), abs=0.2)
    assert rows.sum(axis=1) == pytest.approx(np.ones(4), abs=1e-9)
    assert (rows[:, BOS] == 0).all()


def test_what_is_carried_over_helps():
    """Each sentence is its predecessor's second word: only a state that is carried over can know."""
    dice = np.random.default_rng(0)
    words = "abcdefgh"
    text = [f"{words[n]} {words[n]}" for n in np.repeat(dice.integers(0, 8, 150), 4)]
    perplexities = {
        state: small(state=state, epochs=15, hidden_size=16).fit(text[:480]).perplexity(text[480:])
        for state in ("carry", "reset")
    }

    # With nothing carried over the first of three symbols of a sentence is one of eight: 8 ** (1 / 3) = 2.
    assert perplexities["reset"] > 1.95
    assert perplexities["carry"] < 0.85 * perplexities["reset"]


def test_a_seed_gives_the_same_model():
    one, same, other = (trained(output_layer="nce", dropout=0.2, seed=seed) for seed in (1, 1, 2))

    assert np.array_equal(one.network_.values(), same.network_.values())
    assert not np.array_equal(one.network_.values(), other.network_.values())


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_resumed_training_is_the_same_bit_for_bit(tmp_path, optimizer):
    options = {
        "output_layer": "nce",
        "dropout": 0.1,
        "epochs": 4,
        "optimizer": optimizer,
        "state": "carry",
        "layers": 2,
    }
    whole, path = trained(**options), tmp_path / "state"

    def killed(report):
        if report.epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="after epoch 2"):
        small(**options, callbacks=[killed]).fit(TRAIN, valid=VALID, checkpoint=path)
    assert [row["epoch"] for row in model_file.load(path).config["history"]] == [1, 2]
    resumed = small(**options).fit(TRAIN, valid=VALID, checkpoint=path, resume=True)

    assert np.array_equal(resumed.network_.values(), whole.network_.values())
    assert [untimed(row) for row in resumed.history_] == [untimed(row) for row in whole.history_]


def test_a_checkpoint_of_another_training(tmp_path):
    path = tmp_path / "state"
    small(epochs=1).fit(TRAIN, checkpoint=path)

    with pytest.raises(DataError, match="bptt = 7, not 9"):
        small(epochs=1, bptt=9).fit(TRAIN, checkpoint=path, resume=True)
    with pytest.raises(DataError, match=r"another text"):
        small(epochs=1).fit(TRAIN[::-1], checkpoint=path, resume=True)
    with pytest.raises(DataError, match="other data held back"):
        small(epochs=1).fit(TRAIN, valid=VALID, checkpoint=path, resume=True)


@pytest.mark.parametrize("lost", ["steps", "history"])
def test_a_damaged_checkpoint(tmp_path, lost):
    path = tmp_path / "state"
    small(epochs=1).fit(TRAIN, checkpoint=path)
    stored = model_file.load(path)
    arrays = {name: np.array(array) for name, array in stored.arrays.items()}
    model_file.save(path, stored.kind, arrays, {name: v for name, v in stored.config.items() if name != lost})

    with pytest.raises(FormatError, match=f"does not hold this training's state.*{lost}"):
        small(epochs=1).fit(TRAIN, checkpoint=path, resume=True)


def test_an_interrupt_before_there_is_a_checkpoint_promises_none(tmp_path):
    def killed(report):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        small(callbacks=[killed]).fit(TRAIN, checkpoint=tmp_path / "state")
    assert str(caught.value) == "training stopped in epoch 2; no state is kept yet from which it could go on"
    assert not (tmp_path / "state").exists()


def test_a_training_that_was_out_of_patience_goes_on_with_more(tmp_path):
    path = tmp_path / "state"
    options = {"schedule": "constant", "learning_rate": 0.2, "epochs": 25, "hidden_size": 16}
    whole = small(**options, patience=3).fit(TRAIN[:20], valid=VALID)
    short = small(**options, patience=1).fit(TRAIN[:20], valid=VALID, checkpoint=path)
    over = small(**options, patience=1).fit(TRAIN[:20], valid=VALID, checkpoint=path, resume=True)
    longer = small(**options, patience=3).fit(TRAIN[:20], valid=VALID, checkpoint=path, resume=True)

    assert len(short.history_) < len(whole.history_) < 25
    assert over.history_ == short.history_
    assert np.array_equal(over.network_.values(), short.network_.values())
    assert [untimed(row) for row in longer.history_] == [untimed(row) for row in whole.history_]
    assert np.array_equal(longer.network_.values(), whole.network_.values())


def test_exploding_gradients_are_told_and_the_last_good_model_kept():
    model = small(cell="elman-relu", optimizer="sgd", learning_rate=1e6, schedule="constant", clip=None)

    with pytest.raises(DivergedError, match=r"epoch \d.*learning_rate = 100000 or clip = 1") as caught:
        model.fit(TRAIN)
    assert "\n" not in str(caught.value)
    assert np.isfinite(model.perplexity(VALID))


def test_word_vectors_to_begin_with():
    vectors = WordVectors(["d", "zebra", "a"], np.arange(18, dtype=np.float32).reshape(3, 6) / 10)

    model = small(vectors=vectors, learning_rate=1e-9).fit(TRAIN)

    learned = model.network_.embeddings.value
    assert learned[model.vocabulary.id_of("d")] == pytest.approx(vectors.vectors[0], abs=1e-5)
    assert learned[model.vocabulary.id_of("a")] == pytest.approx(vectors.vectors[2], abs=1e-5)


# --- the language model


@pytest.mark.parametrize("odd", [[], [4, 5], [4, EOS, 5, EOS, BOS, EOS, 3, 3], [BOS]])
@pytest.mark.parametrize("seed", range(3))
def test_scores_are_those_of_the_distributions(model, seed, odd):
    """Also of streams that begin within a sentence, and of more sentences than are scored side by side."""
    stream = np.concatenate([np.array(odd, np.int32), random_stream(seed, 60)])

    assert model.score_stream(stream) == pytest.approx(walked(model, stream), rel=1e-4, abs=1e-5)
    assert model.score_stream(np.array(odd, np.int32)) == pytest.approx(
        walked(model, np.array(odd, np.int32)), rel=1e-4, abs=1e-5
    )


def test_blocks_are_one_text(model):
    parts = [random_stream(seed, 9) for seed in range(3)]

    by_blocks = np.concatenate(list(model.score_blocks(parts)))

    assert by_blocks == pytest.approx(model.score_stream(np.concatenate(parts)), rel=1e-5, abs=1e-6)
    alone = np.concatenate([model.score_stream(part) for part in parts])
    assert np.allclose(alone, by_blocks, rtol=1e-5) != model.carries_over


def test_states_are_values(model):
    state = model.start([BOS, 4])
    before = model.distribution(state)
    model.advance(model.advance(state, 5), 6)
    model.score_stream(random_stream(0, 5))

    assert np.array_equal(model.distribution(state), before)


def test_perplexity_is_that_of_float64(model):
    """From the saved parameters, all in NumPy, one step at a time."""
    values = {name: part.value.astype(np.float64) for name, part in model.network_.named.items()}
    loss, count, states = 0.0, 0, None
    for line in VALID:
        symbols = [BOS, *model.encode(line, bos=False).tolist(), EOS]
        if states is None or not model.carries_over:
            states = [np.zeros((2, 1, 8)) for _ in range(2)]
        for symbol, target in pairwise(symbols):
            x = values["embeddings.vectors"][symbol][None, None]
            for number in range(2):
                prefix = f"layer{number}."
                layer = {name[len(prefix) :]: value for name, value in values.items() if name.startswith(prefix)}
                x, states[number] = naive.run("lstm", layer, x, states[number], np.zeros((1, 1), bool))
            scores = naive_heads.softmax_log_probs(x[0, 0], values["output.weights"], values["output.biases"])
            loss, count = loss - scores[target], count + 1

    assert model.perplexity(VALID) == pytest.approx(np.exp(loss / count), rel=1e-5)


def test_a_mixture_with_ngrams(model):
    ngrams = NGramLM(2, "witten-bell").fit(TRAIN)

    mixture = MixtureLM([ngrams, model]).fit(VALID)

    best = min(ngrams.perplexity(VALID), model.perplexity(VALID))
    assert mixture.perplexity(VALID) <= best * (1 + 1e-6)


def test_generation(model):
    greedy = model.generate("a", max_new_tokens=5)[0]
    beam = model.generate("a", max_new_tokens=5, num_beams=3)[0]

    assert set(greedy.text.split()) <= set("abcd")
    assert sum(beam.log10_probs) >= sum(greedy.log10_probs) - 1e-9


# --- files


def half(epoch, scores) -> float:
    return 0.5


@pytest.mark.parametrize("options", [
    {}, {"schedule": half}, {"schedule": Step(2)},
    {"cell": "gru", "layers": 2}, {"output_layer": "nce", "tied": True, "embedding_size": 8}, {"cell": "elman-relu"},
    {"output_layer": "hierarchical", "state": "carry", "optimizer": "sgd"},
])  # fmt: skip
def test_a_saved_model_scores_the_same(tmp_path, options):
    model = trained(**options, epochs=1)
    model.save(tmp_path / "model")

    loaded = RecurrentLM.load(tmp_path / "model")

    stream = random_stream(1, 20)
    assert loaded.vocabulary.words == model.vocabulary.words
    assert np.array_equal(loaded.score_stream(stream), model.score_stream(stream))
    assert loaded.history_ == model.history_
    assert loaded.carries_over == model.carries_over


def test_damaged_files(tmp_path, model):
    stored, path = model.to_stored(), tmp_path / "model"

    def saved(config=None, **arrays) -> Path:
        merged = {name: array for name, array in {**stored.arrays, **arrays}.items() if array is not None}
        model_file.save(path, stored.kind, merged, {**stored.config, **(config or {})})
        return path

    with pytest.raises(FormatError, match=r"layer1.biases is missing"):
        RecurrentLM.load(saved(**{"layer1.biases": None}))
    with pytest.raises(FormatError, match=r"layer0.input_weights is float32 \(6, 32\), but should be .*\(6, 8\)"):
        RecurrentLM.load(saved({"cell": "elman"}))
    with pytest.raises(FormatError, match=r"no sound configuration.*cell = 'magic'"):
        RecurrentLM.load(saved({"cell": "magic"}))
    with pytest.raises(FormatError, match=r"too few for its configuration"):
        RecurrentLM.load(saved({"hidden_size": 10**5}))
    with pytest.raises(FormatError, match=r"too few for its configuration"):
        RecurrentLM.load(saved({"embedding_size": 10**5}))


# --- bad input


@pytest.mark.parametrize(("options", "said"), [
    ({"cell": "tree"}, "cell = 'tree'"), ({"state": "keep"}, "state = 'keep'"), ({"layers": 0}, "layers = 0"),
    ({"bptt": 0}, "bptt = 0"), ({"tied": True}, "tied = True"), ({"hidden_size": 2.5}, "hidden_size = 2.5"),
    ({"clip": 0}, "clip = 0"),
])  # fmt: skip
def test_options_out_of_range(options, said):
    with pytest.raises(OptionError) as caught:
        small(**options).fit(TRAIN)
    assert str(caught.value).startswith(said)


def test_text_that_cannot_be_used():
    with pytest.raises(DataError):
        small().fit([])
    with pytest.raises(NotFittedError, match="fit first"):
        small().score_stream(np.array([1], np.int32))
    assert np.isfinite(small(batch_size=99).fit(["a"]).perplexity(["a", ""]))
