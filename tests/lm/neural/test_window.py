from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.naive import outputs as naive
from windrow.corpus import Corpus
from windrow.embeddings import WordVectors
from windrow.embeddings.vectors import save_vectors
from windrow.errors import DataError, FormatError, NotFittedError, OptionError, WindrowError
from windrow.files import model_file
from windrow.lm.neural.window import WindowLM
from windrow.lm.neural.window_network import WindowNetwork
from windrow.lm.symbols import BOS
from windrow.nn.gradients import numeric_gradient
from windrow.nn.layers import Dense
from windrow.nn.parameters import Parameter, SparseParameter
from windrow.nn.training.stopping import DivergedError
from windrow.outputs import OUTPUT_LAYERS, output_layer
from windrow.outputs.contract import OutputOptions

SUCCESSORS = {"a": "bc", "b": "ca", "c": "da", "d": "ab"}  # each with the odds 3 : 1


def chain_text(sentences: int, seed: int) -> list[str]:
    """A Markov chain over four words, so that the best perplexity is known."""
    dice = np.random.default_rng(seed)
    text = []
    for _ in range(sentences):
        words = ["a"]
        for draw in dice.random(9):
            words.append(SUCCESSORS[words[-1]][int(draw > 0.75)])
        text.append(" ".join(words))
    return text


TRAIN, VALID = chain_text(200, 0), chain_text(40, 1)


def small(**options: object) -> WindowLM:
    chosen = {"order": 3, "embedding_size": 6, "hidden_size": 8, "epochs": 3, "batch_size": 32}
    if options.get("output_layer") == "nce":
        chosen["noise_words"] = 64
    return WindowLM(**{**chosen, "learning_rate": 0.01, **options})


def trained(**options: object) -> WindowLM:
    return small(**options).fit(TRAIN, valid=VALID)


@pytest.fixture(scope="module")
def model() -> WindowLM:
    return trained(epochs=4)


# --- the network


def random_network(*, dtype=np.float64, direct=False, tied=False, dropout=0.0, output="softmax") -> WindowNetwork:
    dice = np.random.default_rng(0)
    size = 4 if tied else 3
    vectors = dice.standard_normal((9, size)).astype(dtype)
    embeddings = Parameter(vectors) if tied else SparseParameter(vectors)
    hidden_size = 4 + (2 * size if direct else 0)
    counts = np.array([3, 0, 5, 9, 7, 5, 2, 1, 1])
    tied_to = embeddings if tied else None
    head = output_layer(output)(counts, hidden_size, dice, dtype, OutputOptions(), tied=tied_to)
    dense = Dense(2 * size, 4, initializer="normal", rng=dice, dtype=dtype)
    return WindowNetwork(embeddings, dense, head, direct=direct, dropout=dropout)


CONTEXTS = np.array([[1, 1], [1, 4], [4, 4], [3, 8], [8, 3]], np.int32)
TARGETS = np.array([4, 4, 3, 2, 8], np.int32)


@pytest.mark.parametrize("options", [{}, {"direct": True}, {"tied": True}, {"dropout": 0.4, "direct": True}])
def test_gradients_of_the_network(options):
    network = random_network(**options)

    def mean_loss() -> float:
        network.seed(3)  # drops the same numbers every time
        return network.loss_and_gradient(CONTEXTS, TARGETS) / len(CONTEXTS)

    network.body.clear_gradients()
    mean_loss()
    found = network.body.gradient().copy()
    expected = numeric_gradient(mean_loss, network.body.values)

    assert np.abs(found - expected).max() < 1e-6 * np.abs(expected).max()
    assert (np.abs(expected) > 1e-3).mean() > 0.3


@pytest.mark.parametrize("direct", [False, True])
def test_the_network_by_its_definition(direct):
    network = random_network(direct=direct)
    rows = []
    for context in CONTEXTS:
        x = np.concatenate([network.embeddings.value[word] for word in context])
        weights, biases = (network.named[f"hidden.{name}"].value for name in ("weights", "biases"))
        h = np.array([np.tanh(x @ column + bias) for column, bias in zip(weights.T, biases, strict=True)])
        hidden = np.concatenate([h, x]) if direct else h
        rows.append(naive.softmax_log_probs(hidden, network.head.weights.value, network.head.biases.value))

    distributions = np.array([network.head.distribution(row) for row in network.hidden_rows(CONTEXTS)])
    assert distributions == pytest.approx(np.exp(rows), rel=1e-11)


# --- training


@pytest.mark.parametrize("output", OUTPUT_LAYERS)
def test_every_output_layer_learns_the_chain(output):
    model = trained(output_layer=output, epochs=8, learning_rate=0.03)
    rows = np.array([model.next_word_distribution([before, word]) for before, word in zip("babc", "abcd", strict=True)])
    ids = [model.vocabulary.id_of(word) for word in "abcd"]

    # A sentence has ten words, so </s> comes after a tenth of them: 0.675, 0.225 and 0.1.
    for row, word in zip(rows, "abcd", strict=True):
        likely, other = (ids["abcd".index(successor)] for successor in SUCCESSORS[word])
        assert row[likely] == pytest.approx(0.675, abs=0.12)
        assert row[other] == pytest.approx(0.225, abs=0.12)
    assert rows.sum(axis=1) == pytest.approx(np.ones(4), abs=1e-9)
    assert (rows[:, BOS] == 0).all()


@pytest.mark.parametrize("options", [
    {"optimizer": "sgd", "learning_rate": 0.5},
    {"optimizer": "sgd", "learning_rate": 0.5, "output_layer": "hierarchical"},
    {"optimizer": "sgd", "learning_rate": 0.5, "output_layer": "nce", "objective": "sampled-softmax"},
    {"optimizer": "momentum", "learning_rate": 0.1, "clip": 1.0},
    {"optimizer": "adagrad", "learning_rate": 0.1, "direct": True},
    {"embedding_size": 8, "tied": True, "l2": 1e-5},
    {"dropout": 0.1, "schedule": "plateau"},
])  # fmt: skip
def test_ways_to_train(options):
    model = trained(epochs=6, **options)

    # The entropy of the chain gives 1.94 with sentence ends; four words at random give 5.
    assert model.history_[-1]["score"] < 2.5
    assert model.perplexity(VALID) == pytest.approx(min(row["score"] for row in model.history_), rel=1e-6)


def test_a_step_of_the_head_alone_is_the_optimiser_s():
    """Plain SGD takes the short way; with a clip that never binds it takes the long one."""
    short, long = (trained(optimizer="sgd", learning_rate=0.5, epochs=1, clip=clip) for clip in (None, 1e9))

    assert short.network_.head_learns
    assert not long.network_.head_learns
    assert short.perplexity(VALID) == pytest.approx(long.perplexity(VALID), rel=1e-4)


def test_a_seed_gives_the_same_model():
    one, same, other = (trained(output_layer="nce", dropout=0.2, seed=seed) for seed in (1, 1, 2))

    assert np.array_equal(one.network_.values(), same.network_.values())
    assert not np.array_equal(one.network_.values(), other.network_.values())


def test_the_best_epoch_is_kept_and_patience_ends_training():
    model = small(epochs=40, schedule="constant", learning_rate=0.3, patience=2, hidden_size=30)
    model.fit(TRAIN[:20], valid=VALID)

    perplexities = [row["score"] for row in model.history_]
    best = int(np.argmin(perplexities))
    assert len(perplexities) == best + 3 < 40
    assert model.perplexity(VALID) == pytest.approx(perplexities[best], rel=1e-6)


def test_the_learning_rate_falls():
    rates = {
        schedule: [row["learning_rate"] for row in trained(schedule=schedule, epochs=3).history_]
        for schedule in ("linear", "constant", "exponential")
    }

    assert rates["constant"] == [0.01] * 3
    assert rates["exponential"] == pytest.approx([0.01, 0.01 * np.exp(-0.1), 0.01 * np.exp(-0.2)])
    assert rates["linear"] == pytest.approx([0.01 * 2 / 3, 0.01 / 3, 0], abs=1e-4)  # of the last step of each epoch


def test_reports():
    seen, called = [], []
    small(callbacks=[called.append, lambda report: report.epoch == 2]).fit(TRAIN, valid=VALID, progress=seen.append)

    assert [report.epoch for report in called] == [1, 2]  # the second callback ends it
    words = sum(len(line.split()) + 1 for line in TRAIN)
    assert [report.examples for report in called] == [words, 2 * words]
    assert json.loads(json.dumps(called[0].to_json()))["score"] > 1
    assert all(report.score is None for report in seen)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_resumed_training_is_the_same_bit_for_bit(tmp_path, optimizer):
    options = {"output_layer": "nce", "dropout": 0.1, "epochs": 4, "optimizer": optimizer}
    whole, path = trained(**options), tmp_path / "state"

    stopped = small(**options, callbacks=[lambda report: report.epoch == 2])
    stopped.fit(TRAIN, valid=VALID, checkpoint=path)
    assert len(stopped.history_) == 2
    resumed = small(**options).fit(TRAIN, valid=VALID, checkpoint=path, resume=True)

    assert np.array_equal(resumed.network_.values(), whole.network_.values())
    assert [untimed(row) for row in resumed.history_] == [untimed(row) for row in whole.history_]


def untimed(row: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in row.items() if "second" not in name}


def test_a_checkpoint_of_another_training(tmp_path):
    path = tmp_path / "state"
    small(epochs=1).fit(TRAIN, checkpoint=path)

    said = r"state is of a training with dropout = 0.0, not 0.5, hidden_size = 8, not 9; .* delete it to start again$"
    with pytest.raises(DataError, match=said):
        small(epochs=1, hidden_size=9, dropout=0.5).fit(TRAIN, checkpoint=path, resume=True)
    with pytest.raises(DataError, match=r"another text"):
        small(epochs=1).fit(TRAIN[1:], checkpoint=path, resume=True)


def test_divergence_is_told_and_the_last_good_model_kept():
    model = small(optimizer="sgd", learning_rate=1e20, schedule="constant", direct=True)

    with pytest.raises(DivergedError, match=r"epoch 1.*learning_rate = 1e\+19") as caught:
        model.fit(TRAIN)
    assert "\n" not in str(caught.value)
    assert np.isfinite(model.network_.values()).all()
    assert np.isfinite(model.perplexity(VALID))


def test_word_vectors_to_begin_with(tmp_path):
    vectors = WordVectors(["d", "zebra", "a"], np.arange(18, dtype=np.float32).reshape(3, 6) / 10)
    paths = [tmp_path / "vectors.safetensors", tmp_path / "vectors.txt"]
    for path in paths:
        save_vectors(vectors, path)
    for given in (vectors, *map(str, paths)):
        model = small(vectors=given, learning_rate=1e-9).fit(TRAIN)
        learned = model.network_.embeddings.value
        assert learned[model.vocabulary.id_of("d")] == pytest.approx(vectors.vectors[0], abs=1e-5)
        assert learned[model.vocabulary.id_of("a")] == pytest.approx(vectors.vectors[2], abs=1e-5)
        assert np.abs(learned[model.vocabulary.id_of("b")]).max() < 0.6
    with pytest.raises(OptionError, match="embedding_size = 6"):
        small(embedding_size=5, vectors=vectors).fit(TRAIN)


# --- the language model


def test_scores_are_those_of_the_distributions(model):
    stream = np.array([1, 3, 4, 5, 6, 2, 1, 2, 1, 4, 0, 3], np.int32)

    scores = model.score_stream(stream)

    state = model.start([])
    for word, score in zip(stream.tolist(), scores.tolist(), strict=True):
        expected = 0.0 if word == BOS else np.log10(model.distribution(state)[word])
        assert score == pytest.approx(expected, rel=1e-4, abs=1e-5)
        state = model.advance(state, word)
    assert model.start(stream) == state == (0, 3)


def test_nothing_before_the_sentence_counts(model):
    alone = model.score_stream(np.array([1, 4, 5], np.int32))
    after = model.score_stream(np.array([1, 6, 6, 2, 1, 4, 5], np.int32))

    assert after[4:] == pytest.approx(alone, rel=1e-6)


def test_perplexity_is_that_of_float64(model):
    """From the saved parameters, all in NumPy."""
    network = model.network_
    vectors, weights, biases, outputs, output_biases = (
        network.named[name].value.astype(np.float64)
        for name in ("embeddings.vectors", "hidden.weights", "hidden.biases", "output.weights", "output.biases")
    )
    loss, words = 0.0, 0
    for line in VALID:
        ids = [BOS, BOS, *model.encode(line, bos=False, eos=True).tolist()]
        for place in range(2, len(ids)):
            hidden = np.tanh(vectors[ids[place - 2 : place]].reshape(-1) @ weights + biases)
            logits = outputs @ hidden + output_biases
            loss += np.logaddexp.reduce(logits) - logits[ids[place]]
            words += 1

    assert model.perplexity(VALID) == pytest.approx(np.exp(loss / words), rel=1e-5)


def test_unknown_words(model):
    scores = model.word_scores("a zebra b")

    assert [score.oov for score in scores] == [False, True, False, False]
    assert np.isfinite([score.log10_prob for score in scores]).all()


# --- files


@pytest.mark.parametrize("options", [
    {}, {"output_layer": "hierarchical", "direct": True}, {"output_layer": "nce", "tied": True, "embedding_size": 8},
    {"output_layer": "adaptive", "cutoffs": (2, 4)}, {"output_layer": "classes", "classes": 2}, {"optimizer": "sgd"},
])  # fmt: skip
def test_a_saved_model_scores_the_same(tmp_path, options):
    model = trained(**options, epochs=1)
    model.save(tmp_path / "model")

    loaded = WindowLM.load(tmp_path / "model")

    assert loaded.vocabulary.words == model.vocabulary.words
    stream = np.array([1, 3, 4, 5, 6, 2], np.int32)
    assert np.array_equal(loaded.score_stream(stream), model.score_stream(stream))
    assert loaded.history_ == model.history_
    assert loaded.get_params() == model.get_params()


def test_damaged_files(tmp_path, model):
    stored, path = model.to_stored(), tmp_path / "model"

    def saved(config=None, **arrays) -> Path:
        merged = {name: array for name, array in {**stored.arrays, **arrays}.items() if array is not None}
        model_file.save(path, stored.kind, merged, {**stored.config, **(config or {})})
        return path

    nan = np.full_like(stored.arrays["hidden.biases"], np.nan)
    with pytest.raises(FormatError, match=r"hidden.biases holds a number that is not finite"):
        WindowLM.load(saved(**{"hidden.biases": nan}))
    with pytest.raises(FormatError, match=r"hidden.biases is missing"):
        WindowLM.load(saved(**{"hidden.biases": None}))
    with pytest.raises(FormatError, match=r"hidden.weights is float32 \(12, 8\), but should be float32 \(12, 9\)"):
        WindowLM.load(saved({"hidden_size": 9}))
    with pytest.raises(FormatError, match=r"no sound configuration.*dropout"):
        WindowLM.load(saved({"dropout": 3.0}))
    with pytest.raises(FormatError, match=r"the vocabulary is damaged"):
        WindowLM.load(saved(counts=np.ones(3, np.int64)))
    model_file.save(path, "word-vectors", {}, {})
    with pytest.raises(FormatError, match=r"holds word vectors, not a language model of a window of words"):
        WindowLM.load(path)


# --- bad input


@pytest.mark.parametrize(("options", "said"), [
    ({"order": 1}, "order = 1"), ({"hidden_size": 0}, "hidden_size = 0"), ({"dropout": 1.0}, "dropout = 1.0"),
    ({"output_layer": "hard"}, "output_layer = 'hard'"), ({"optimizer": "magic"}, "optimizer = 'magic'"),
    ({"schedule": "magic"}, "schedule = 'magic'"), ({"learning_rate": 0}, "learning_rate = 0"),
    ({"tied": True}, "tied = True"), ({"tied": True, "direct": True}, "tied = True does not go with direct"),
    ({"tied": True, "embedding_size": 8, "output_layer": "adaptive"}, "tied = True"),
    ({"objective": "magic"}, "objective = 'magic'"), ({"max_vocab": 3}, "max_vocab = 3"), ({"seed": -1}, "seed = -1"),
])  # fmt: skip
def test_options_out_of_range(options, said):
    with pytest.raises(OptionError) as caught:
        small(**options).fit(TRAIN)
    assert str(caught.value).startswith(said)


def test_text_that_cannot_be_used():
    with pytest.raises(WindrowError):
        small().fit([])
    with pytest.raises(DataError, match="empty"):
        small().fit(TRAIN, valid=[])
    with pytest.raises(NotFittedError, match="fit first"):
        small().score_stream(np.array([1], np.int32))


def test_a_corpus_is_read_as_well(tmp_path):
    corpus = Corpus.build(TRAIN, tmp_path / "corpus")

    assert np.array_equal(small().fit(corpus).network_.values(), small().fit(TRAIN).network_.values())
