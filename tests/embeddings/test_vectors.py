"""WordVectors against gensim's KeyedVectors on the same table, and what gensim does not promise."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow.embeddings.vectors import WordVectors
from windrow.errors import DataError, FormatError, MissingWordError, OptionError
from windrow.files import model_file

DIM = 12
WORDS = [f"word{i}" for i in range(150)]


def clustered(words: int, dim: int, seed: int = 5) -> np.ndarray:
    """Vectors in ten clusters of unequal lengths: cosines of all sizes, and no two alike."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(10, dim))
    vectors = centres[rng.integers(10, size=words)] + 0.6 * rng.normal(size=(words, dim))
    return (vectors * rng.uniform(0.2, 4, size=(words, 1))).astype(np.float32)


VECTORS = clustered(len(WORDS), DIM)
PROBE = clustered(1, DIM, seed=8)[0]


@pytest.fixture(scope="module")
def ours() -> WordVectors:
    vectors = VECTORS.copy()
    vectors.setflags(write=False)
    return WordVectors(WORDS, vectors, np.arange(len(WORDS), 0, -1))


@pytest.fixture(scope="module")
def gensims() -> Any:
    table = pytest.importorskip("gensim.models", reason="gensim is the oracle").KeyedVectors(DIM)
    table.add_vectors(WORDS, VECTORS)
    return table


SAME_ANSWER: dict[str, Callable[[Any], Any]] = {
    "one word": lambda wv: wv.most_similar("word3"),
    "positional negative": lambda wv: wv.most_similar("word3", "word9", 5),
    "several": lambda wv: wv.most_similar(positive=["word3", "word5"], negative=["word7"], topn=20),
    "only negative": lambda wv: wv.most_similar(negative=["word7"]),
    "repeated": lambda wv: wv.most_similar(["word3", "word3", "word4"], topn=4),
    "weights": lambda wv: wv.most_similar([("word3", 2.5), "word4"], [("word5", -0.5), ("word6", 0.3)]),
    "vector": lambda wv: wv.most_similar(PROBE),
    "vector with its length": lambda wv: wv.most_similar([3 * PROBE, "word4"], negative=[PROBE / 2]),
    "matrix": lambda wv: wv.most_similar(VECTORS[:3] * 2),
    "row number": lambda wv: wv.most_similar([17]),
    "restricted": lambda wv: wv.most_similar("word140", restrict_vocab=40),
    "more than there are": lambda wv: wv.most_similar("word1", topn=1000),
    "none": lambda wv: wv.most_similar("word1", topn=0),
    "all scores": lambda wv: wv.most_similar("word1", topn=None),
    "restricted scores": lambda wv: wv.most_similar("word1", topn=None, restrict_vocab=40),
    "cosmul": lambda wv: wv.most_similar_cosmul(positive=["word3", "word5"], negative=["word7"], topn=20),
    "cosmul word": lambda wv: wv.most_similar_cosmul("word3"),
    "cosmul unit vector": lambda wv: wv.most_similar_cosmul([wv.get_vector("word2", norm=True), "word3"]),
    "cosmul all scores": lambda wv: wv.most_similar_cosmul("word3", ["word4", "word5"], topn=None),
    "similar_by_word": lambda wv: wv.similar_by_word("word8", topn=3, restrict_vocab=100),
    "similar_by_vector": lambda wv: wv.similar_by_vector(PROBE, topn=3),
    "similarity": lambda wv: [wv.similarity("word1", f"word{i}") for i in range(30)],
    "distance": lambda wv: [wv.distance("word1", f"word{i}") for i in range(30)],
    "distances": lambda wv: wv.distances("word6"),
    "distances of a vector": lambda wv: wv.distances(PROBE, ["word4", "word9"]),
    "n_similarity": lambda wv: wv.n_similarity(["word1", "word2"], ["word3", "word4", "word5"]),
    "n_similarity, unknown": lambda wv: wv.n_similarity(["word1", "nobody"], ["word3", "word4"]),
    "doesnt_match": lambda wv: [wv.doesnt_match(WORDS[i : i + 4]) for i in range(0, 140, 4)],
    "doesnt_match, unknown": lambda wv: wv.doesnt_match(["word1", "nobody", "word3", "word4"]),
    "closer_than": lambda wv: [wv.closer_than("word1", f"word{i}") for i in range(20)],
    "rank": lambda wv: [wv.rank("word1", f"word{i}") for i in range(1, 50)],
    "mean": lambda wv: wv.get_mean_vector(["word1", "word2", PROBE]),
    "weighted mean": lambda wv: wv.get_mean_vector(["word1", "word2"], weights=[0.5, -2.0]),
    "raw mean": lambda wv: wv.get_mean_vector(["word1", "word2"], pre_normalize=False),
    "unit mean": lambda wv: wv.get_mean_vector(["word1", "word2", "nobody"], post_normalize=True),
    "mean of unknown words": lambda wv: wv.get_mean_vector(["nobody", "nothing"]),
    "getitem": lambda wv: wv["word5"],
    "getitem of several": lambda wv: wv[["word5", "word2"]],
    "unit vector": lambda wv: wv.get_vector("word5", norm=True),
    "index": lambda wv: [wv.get_index("word5"), wv.get_index("nobody", -1), wv.get_index(9)],
    "from a row on": lambda wv: wv.most_similar("word3", topn=9, clip_start=20, clip_end=70),
    "scores of some rows": lambda wv: wv.most_similar("word3", topn=None, clip_start=20, clip_end=70),
    "rows in gensim's order": lambda wv: wv.most_similar("word3", None, 9, 20, 70),
    "restriction before rows": lambda wv: wv.most_similar("word3", clip_start=20, clip_end=70, restrict_vocab=15),
    "own row among some": lambda wv: wv.most_similar("word30", topn=3, clip_start=25, clip_end=40),
    "similar_by_key": lambda wv: wv.similar_by_key("word8", topn=3),
    "most_similar_to_given": lambda wv: wv.most_similar_to_given("word1", WORDS[5:40]),
    "centrality": lambda wv: wv.rank_by_centrality([*WORDS[3:30], "nobody"]),
    "centrality of raw vectors": lambda wv: wv.rank_by_centrality(WORDS[3:30], use_norm=False),
    "cosine_similarities": lambda wv: wv.cosine_similarities(PROBE, VECTORS),
    "relative cosine": lambda wv: [wv.relative_cosine_similarity("word1", f"word{i}", 7) for i in range(2, 20)],
    "has_index_for": lambda wv: [wv.has_index_for(key) for key in ("word5", "nobody", 3, 150)],
    "normed": lambda wv: wv.get_normed_vectors(),
    "vectors_for_all": lambda wv: [
        (list(some.index_to_key), some.vectors) for some in [wv.vectors_for_all(["word7", "nobody", "word2", "word7"])]
    ],
    "contains": lambda wv: ["word5" in wv, "nobody" in wv, 3 in wv, 150 in wv, len(wv)],
}


def numbers_and_rest(answer: Any) -> tuple[list[float], list[Any]]:
    """An answer taken apart: numbers are compared closely, words and truth exactly."""
    if isinstance(answer, list | tuple):
        parts = [numbers_and_rest(part) for part in answer]
        return [x for numbers, _ in parts for x in numbers], [x for _, rest in parts for x in rest]
    if isinstance(answer, np.ndarray):
        return answer.ravel().tolist(), [answer.shape]
    if isinstance(answer, float | np.floating):
        return [float(answer)], []
    return [], [answer]


@pytest.mark.filterwarnings("ignore:Call to deprecated `init_sims`:DeprecationWarning")
@pytest.mark.parametrize("ask", SAME_ANSWER.values(), ids=SAME_ANSWER)
def test_answers_equal_gensims(ask: Callable[[Any], Any], ours: WordVectors, gensims: Any) -> None:
    mine, my_words = numbers_and_rest(ask(ours))
    theirs, their_words = numbers_and_rest(ask(gensims))
    assert my_words == their_words
    np.testing.assert_allclose(mine, theirs, atol=1e-6)


def test_an_index_of_ones_own_answers_for_the_table(ours: WordVectors) -> None:
    class Index:
        def most_similar(self, vector: np.ndarray, count: int) -> list[tuple[str, float]]:
            return [("asked", float(vector @ vector))] * count

    assert ours.most_similar("word1", topn=2, indexer=Index()) == [("asked", pytest.approx(1))] * 2
    assert len(ours.most_similar("word1", topn=None, indexer=Index())) == len(WORDS)


@pytest.mark.parametrize("method", ["3cosadd", "3cosmul"])
def test_an_analogy_is_the_nearest_word_to_the_offset(method: Any, ours: WordVectors) -> None:
    units = VECTORS / np.linalg.norm(VECTORS.astype(np.float64), axis=1, keepdims=True)
    cosines = units @ units[[4, 9, 2]].T  # a, b, c
    if method == "3cosadd":
        scores = cosines @ np.array([-1, 1, 1])
    else:
        a, b, c = ((1 + cosines) / 2).T
        scores = b * c / (a + 1e-6)
    expected = [WORDS[i] for i in np.argsort(-scores) if i not in (4, 9, 2)][:6]
    found = ours.analogy("word4", "word9", "word2", topn=6, method=method)
    assert [word for word, _ in found] == expected


@pytest.fixture(params=["few scores", "many scores"])
def batch_size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small batches are ranked by NumPy, large ones by a kernel."""
    monkeypatch.setattr("windrow.embeddings.nearest._FEW_SCORES", 0 if request.param == "many scores" else 1 << 60)


@pytest.mark.usefixtures("batch_size")
@pytest.mark.parametrize("restrict_vocab", [None, 30])
def test_a_batch_answers_like_single_queries(
    ours: WordVectors, restrict_vocab: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("windrow.embeddings.queries._BLOCK_QUERIES", 7)  # a short block last
    words = WORDS[::2]
    batch = ours.most_similar_batch(words, 5, restrict_vocab)
    for word, found in zip(words, batch, strict=True):
        single = ours.most_similar(word, topn=5, restrict_vocab=restrict_vocab)
        assert [w for w, _ in found] == [w for w, _ in single]
        np.testing.assert_allclose([s for _, s in found], [s for _, s in single], atol=1e-6)
    by_vector = ours.most_similar_batch(VECTORS[::2], 1)
    assert [found[0][0] for found in by_vector] == words  # a given vector excludes no word
    assert ours.most_similar_batch([], 5) == []
    assert ours.most_similar_batch(words[:2], 0) == [[], []]
    everything = ours.most_similar_batch(["word3"], 1000)[0]
    assert sorted(word for word, _ in everything) == sorted(set(WORDS) - {"word3"})


@pytest.mark.usefixtures("batch_size")
@pytest.mark.parametrize("topn", [1, 2, 3, 4])
def test_ties_come_in_vocabulary_order(topn: int) -> None:
    wv = WordVectors(list("dcba"), np.array([[1, 0], [2, 0], [4, 0], [0, 1]], np.float32))
    probe = np.array([1.0, 0.0])
    for found in (wv.most_similar([probe], topn=topn), wv.most_similar_batch(probe, topn)[0]):
        assert [word for word, _ in found] == list("dcba")[:topn]


@pytest.mark.usefixtures("batch_size")
def test_a_very_short_vector_has_a_cosine() -> None:
    """Although the reciprocal of its length is infinite."""
    wv = WordVectors(["far", "odd", "near", "probe"], np.array([[-1, 0], [0, 1e-42], [1, 1], [1, 0]], np.float32))
    for found in (wv.most_similar("probe"), *wv.most_similar_batch(["probe"])):
        assert [word for word, _ in found] == ["near", "odd", "far"]
        assert all(abs(score) <= 1 for _, score in found)


@pytest.mark.parametrize("scale", [1.7e308, 1e-300])
def test_weights_count_by_their_ratios(scale: float, ours: WordVectors) -> None:
    usual = ours.most_similar([("word1", 1), ("word2", 0.5)], topn=None)
    scaled = ours.most_similar([("word1", scale), ("word2", 0.5 * scale)], topn=None)
    np.testing.assert_allclose(scaled, usual, atol=1e-6)


def test_zero_vectors_have_cosine_zero_with_everything() -> None:
    vectors = VECTORS[:6].copy()
    vectors[2] = 0
    wv = WordVectors(WORDS[:6], vectors)
    assert (wv.most_similar("word2", topn=None) == 0).all()
    assert wv.similarity("word2", "word1") == 0
    assert wv.distances("word1")[2] == 1
    assert (wv.normalize().vectors[2] == 0).all()
    for scores in (wv.most_similar_cosmul("word2", topn=None), wv.most_similar(["word0", "word2"], topn=None)):
        assert np.isfinite(scores).all()
    assert all(np.isfinite(score) for found in wv.most_similar_batch(WORDS[:6]) for _, score in found)


def test_a_missing_word_is_an_error_with_near_spellings_or_skipped(ours: WordVectors) -> None:
    with pytest.raises(MissingWordError, match=r"'wrd42' is not in the vocabulary; did you mean 'word42'"):
        ours.most_similar(["word1", "wrd42"])
    with pytest.raises(KeyError):
        ours["nobody"]
    for ask in (ours.doesnt_match, lambda words, **how: ours.n_similarity(words, ["word2"], **how)):
        with pytest.raises(MissingWordError):
            ask(["word1", "nobody"], missing="error")
        with pytest.raises(MissingWordError):  # nothing is left to ask
            ask(["nobody"], missing="skip")
    with pytest.raises(MissingWordError):
        ours.get_mean_vector(["word1", "nobody"], ignore_missing=False)
    assert ours.most_similar(["word1", "nobody"], missing="skip") == ours.most_similar(["word1"])


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda wv: wv.most_similar(), "at least one word"),
        (lambda wv: wv.most_similar(np.zeros(DIM + 1)), "needs 12 dimensions"),
        (lambda wv: wv.most_similar(np.full(DIM, np.nan)), "not finite"),
        (lambda wv: wv.most_similar([0.5]), "a word or a row number, got float"),
        (lambda wv: wv.most_similar(1.5), "a word or a row number, got float"),
        (lambda wv: wv.most_similar(["word1", 0.5], missing="skip"), "a word or a row number, got float"),
        (lambda wv: wv.most_similar(b"word1"), "a word or a row number, got bytes"),
        (lambda wv: wv[b"word1"], "a word or a row number, got bytes"),
        (lambda wv: wv[1.5], "a word or a row number, got float"),
        (lambda wv: wv.most_similar(np.array(1.0)), r"one axis, got shape \(\)"),
        (lambda wv: wv.most_similar(np.array(["a"] * DIM)), "must hold numbers only"),
        (lambda wv: wv.most_similar(np.full(DIM, 1e300)), "not finite"),
        (lambda wv: wv.most_similar_batch(np.full((1, DIM), np.inf)), "not finite"),
        (lambda wv: wv.most_similar([("word1", "word2")]), "a weight must be a finite number, got 'word2'"),
        (lambda wv: wv.most_similar([("word1", np.nan)]), "a weight must be a finite number, got 'nan'"),
        (lambda wv: wv.most_similar([("word1", -np.inf)]), "a weight must be a finite number, got '-inf'"),
        (lambda wv: wv.most_similar([("word1", None)]), "a weight must be a finite number, got 'None'"),
        (lambda wv: wv.get_mean_vector(["word1"], weights=["x"]), "a weight must be a finite number, got 'x'"),
        (lambda wv: wv.get_mean_vector(["word1"], weights=[np.nan]), "a weight must be a finite number"),
        (lambda wv: wv.most_similar([("word1",)]), r"\(term, weight\); got a tuple of 1"),
        (lambda wv: wv.most_similar("word1", topn=2.5), "topn = 2.5 must be a whole number"),
        (lambda wv: wv.most_similar("word1", topn="5"), "topn = '5' must be a whole number"),
        (lambda wv: wv.most_similar_cosmul("word1", topn=2.5), "topn = 2.5 must be a whole number"),
        (lambda wv: wv.most_similar_batch(["word1"], topn=2.5), "topn = 2.5 must be a whole number"),
        (lambda wv: wv.most_similar("word1", restrict_vocab=2.5), "restrict_vocab = 2.5 must be a whole number"),
        (lambda wv: wv.most_similar("word1", "word1"), "the terms cancel out"),
        (lambda wv: wv.most_similar("word1", "word1", topn=None), "the terms cancel out"),
        (lambda wv: wv.most_similar([("word1", 0.1), ("word1", 0.2)], [("word1", -0.3)]), "the terms cancel out"),
        (lambda wv: wv.most_similar([("word1", 0)]), "the terms cancel out"),
        (lambda wv: wv.doesnt_match(["word1", PROBE]), "only words can be compared"),
        (lambda wv: wv.n_similarity([PROBE], ["word1"]), "only words can be compared"),
        (lambda wv: wv.most_similar("word1", missing="ignore"), "'error' or 'skip'"),
        (lambda wv: wv.most_similar("word1", restrict_vocab=0), "restrict_vocab = 0"),
        (lambda wv: wv.most_similar_cosmul(negative=["word1"]), "at least one positive"),
        (lambda wv: wv.most_similar_cosmul([("word1", 2.0)]), "without weights"),
        (lambda wv: wv.analogy("word1", "word2", "word3", method="4cos"), "3cosadd, 3cosmul"),
        (lambda wv: wv.get_mean_vector([]), "at least one key"),
        (lambda wv: wv.get_mean_vector(["word1"], weights=[1, 2]), "one weight per key"),
        (lambda wv: wv.most_similar("word1", clip_start=-1), "clip_start = -1 is out of range"),
        (
            lambda wv: wv.most_similar("word1", clip_start=40, clip_end=40),
            "clip_start = 40 leaves no rows before row 40",
        ),
        (lambda wv: wv.most_similar("word1", clip_end=0), "clip_end = 0 is out of range"),
        (lambda wv: wv.most_similar_to_given("word1", []), "keys_list is empty"),
        (lambda wv: wv.cosine_similarities(PROBE, PROBE), r"got \(12,\) and \(12,\)"),
        (lambda wv: wv.cosine_similarities(PROBE, np.full((2, DIM), np.inf)), "not finite"),
        (lambda wv: wv.relative_cosine_similarity("word1", "word2", 0), "topn = 0 is out of range"),
        (lambda wv: wv.vectors_for_all("word1"), "must be a list of words"),
        (lambda wv: wv.vectors_for_all(["nobody"]), "neither 0"),
        (lambda wv: wv.wmdistance("word1", ["word2"]), r"give text.split\(\)"),
        (lambda wv: wv.head(0), "n = 0"),
        (lambda wv: wv.head(2.5), "n = 2.5 must be a whole number"),
        (lambda wv: WordVectors(["a", 3], np.zeros((2, 2), np.float32)), "a word must be a str, got int"),
        (lambda wv: WordVectors(["a", ["b"]], np.zeros((2, 2), np.float32)), "a word must be a str, got list"),
        (lambda wv: WordVectors(["a", "b"], [[1, 2], [3]]), "vectors must hold numbers only"),
        (lambda wv: WordVectors(["a"], [[1, 2]], ["many"]), "counts must hold numbers only"),
        (lambda wv: WordVectors(["a", "b", "a"], np.zeros((3, 2), np.float32)), "'a' occurs twice"),
        (lambda wv: WordVectors(["a"], np.zeros((3, 2), np.float32)), "1 words, 3 vectors"),
        (lambda wv: WordVectors(["a"], np.zeros(3, np.float32)), r"\(words, dimensions\)"),
        (lambda wv: WordVectors([], np.zeros((0, 3), np.float32)), r"\(words, dimensions\)"),
        (lambda wv: WordVectors(["a"], np.zeros((1, 3), np.float32), np.zeros(2, np.int64)), "counts must"),
    ],
)
def test_wrong_arguments_are_option_errors(ask: Callable[..., Any], message: str, ours: WordVectors) -> None:
    with pytest.raises(OptionError, match=message):
        ask(ours)


@pytest.mark.parametrize(
    "ask",
    [
        lambda wv: wv.most_similar("bad"),
        lambda wv: wv.most_similar_cosmul("bad"),
        lambda wv: wv.most_similar_batch(["good", "bad"]),
        lambda wv: wv.similarity("good", "bad"),
        lambda wv: wv.distances("bad"),
        lambda wv: wv.n_similarity(["good"], ["good", "bad"]),
        lambda wv: wv.doesnt_match(["good", "bad"]),
    ],
)
@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_a_question_about_a_vector_that_is_not_finite(ask: Callable[[WordVectors], Any], number: float) -> None:
    wv = WordVectors(["good", "bad"], np.array([[1, 2], [number, 2]], np.float32))
    with pytest.raises(OptionError, match="not finite"):
        ask(wv)


def test_vectors_handed_out_are_read_only() -> None:
    wv = WordVectors(WORDS, VECTORS.copy())
    for vector in (wv["word1"], wv.get_vector("word1", norm=True)):
        with pytest.raises(ValueError, match="read-only"):
            vector[0] = 1
    wv[["word1"]][0, 0] = 99  # a copy
    assert np.array_equal(wv.vectors, VECTORS)


def test_tables_made_from_a_table(ours: WordVectors) -> None:
    np.testing.assert_allclose(ours.normalize().norms, 1, atol=1e-6)
    np.testing.assert_array_equal(ours.normalise().vectors, ours.normalize().vectors)  # the British name stays
    some = ours.subset(["word9", "word2"])
    assert some.index_to_key == ["word9", "word2"]
    assert np.array_equal(some.vectors, VECTORS[[9, 2]])
    assert some.counts is not None
    assert some.counts.tolist() == [len(WORDS) - 9, len(WORDS) - 2]
    first = ours.head(4)
    assert first.index_to_key == WORDS[:4]
    assert np.shares_memory(first.vectors, ours.vectors)
    with pytest.raises(MissingWordError):
        ours.subset(["word9", "nobody"])


@pytest.mark.usefixtures("batch_size")
def test_no_query_copies_the_table() -> None:
    words = [str(i) for i in range(20_000)]
    wv = WordVectors(words, np.random.default_rng(0).normal(size=(20_000, 64)).astype(np.float32))
    wv.most_similar_batch(["4"])  # the kernel is loaded
    tracemalloc.start()
    try:
        wv.most_similar(["1", "2"], negative=["3"])
        wv.most_similar_cosmul(["1", "2"], ["3"])
        wv.rank("5", "9")
        wv.most_similar_batch(["4", "5"])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < wv.vectors.nbytes / 2


# --- the model file


def test_the_model_file_keeps_everything_and_is_mapped(tmp_path: Path, ours: WordVectors) -> None:
    ours.provenance = {"seed": 7, "corpus": {"tokens": 12}}
    ours.save(tmp_path / "x.safetensors")
    again = WordVectors.load(tmp_path / "x.safetensors")
    assert again.index_to_key == WORDS
    assert np.array_equal(again.vectors, VECTORS)
    assert np.array_equal(again.counts, ours.counts)
    assert again.provenance["seed"] == 7
    assert again.provenance["corpus"] == {"tokens": 12}
    assert isinstance(again.vectors.base, np.memmap)
    assert again.most_similar("word3") == ours.most_similar("word3")  # a read-only map answers too
    again.save(tmp_path / "x.safetensors")  # over the file that is mapped
    assert np.array_equal(WordVectors.load(tmp_path / "x.safetensors").vectors, VECTORS)


@settings(max_examples=30, deadline=None)
@given(words=st.lists(st.text(max_size=8), min_size=1, max_size=8, unique=True))
def test_the_model_file_keeps_any_words(words: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("words") / "x.safetensors"
    WordVectors(words, np.ones((len(words), 2), np.float32)).save(path)
    assert WordVectors.load(path).index_to_key == words


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vectors": None}, "found no vectors"),
        ({"vectors": np.ones((2, 3), np.float32)}, r"shape \(3, 3\), .*found vectors \(2, 3\)"),
        ({"vectors": np.ones((3, 3), np.float64)}, "of type float64"),
        ({"vectors": np.full((3, 3), np.inf, np.float32)}, "not finite"),
        ({"counts": np.ones(2, np.int64)}, r"counts of words are int64 \(2,\), not int64 \(3,\)"),
        (model_file.pack_words(["a", "b", "a"]), "'a' occurs twice"),
        (model_file.pack_words(["a", "b"]), r"shape \(2, 3\)"),
        ({"word_offsets": None}, "no vocabulary"),
    ],
)
def test_a_model_file_that_disagrees_with_itself(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    good = {"vectors": np.ones((3, 3), np.float32), **model_file.pack_words(["a", "b", "c"])}
    arrays = {name: array for name, array in {**good, **change}.items() if array is not None}
    model_file.save(tmp_path / "x", "word-vectors", arrays, {"vector_size": 3, "words": 3})
    with pytest.raises(FormatError, match=message):
        WordVectors.load(tmp_path / "x")


def test_a_model_of_another_kind_or_none(tmp_path: Path) -> None:
    model_file.save(tmp_path / "x", "ngram-lm", {}, {})
    with pytest.raises(FormatError, match="holds an n-gram language model, not word vectors"):
        WordVectors.load(tmp_path / "x")
    with pytest.raises(DataError, match="cannot read"):
        WordVectors.load(tmp_path / "none")


class TestItems:
    """Where all words are numbers, as items' are, a number is one of them and not a row."""

    items = WordVectors(["7", "0", "12"], np.array([[1, 0], [3, 4], [0, 1]], np.float32))

    def test_a_number_is_the_item(self) -> None:
        assert self.items[0].tolist() == [3, 4]
        assert self.items.get_index(np.int64(12)) == 2
        assert self.items.most_similar(7, topn=1)[0][0] == "0"
        assert self.items.most_similar_batch([7, 12], topn=1) == [
            self.items.most_similar(item, topn=1) for item in ["7", "12"]
        ]

    def test_no_row_is_taken_for_an_unknown_item(self) -> None:
        assert 1 not in self.items
        with pytest.raises(MissingWordError):
            self.items.most_similar(1)

    def test_one_word_that_is_no_number_makes_numbers_rows(self) -> None:
        mixed = WordVectors(["7", "0", "cat"], self.items.vectors)
        assert mixed.get_index(1) == 1
        grown = WordVectors(["7", "0"], np.eye(2, dtype=np.float32))
        assert grown.get_index(0) == 1
        grown["cat"] = np.ones(2, np.float32)
        assert grown.get_index(0) == 0
