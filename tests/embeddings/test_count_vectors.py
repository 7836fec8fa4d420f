"""CountVectors: an estimator whose vectors are those of the definitions, however they are made."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

import windrow
from tests.embeddings.counting.cases import FRACTIONS
from tests.naive import cooccurrence as naive
from windrow import Corpus, CountVectors
from windrow.distributed import InProcess
from windrow.embeddings.counting import matrix as matrices
from windrow.embeddings.kernels.windows import keep_thresholds
from windrow.errors import DataError, NotFittedError, OptionError

SMALL: dict[str, Any] = {"vector_size": 5, "window": 3, "min_count": 2, "contexts": 25}


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    dice = np.random.default_rng(6)
    return Corpus.build([" ".join(f"w{word}" for word in dice.zipf(1.3, 18) % 60) for _ in range(150)])


def test_vectors_are_those_of_the_definitions(corpus):
    """From sentences to vectors: words of min_count, subsampled by place, counted, factorized."""
    options = {"context_exponent": 0.5, "shift": 1.2, "eigenvalue_exponent": 0.5, "power_iterations": 12}
    model = CountVectors(**SMALL, sample=0.02, window_weighting="harmonic", **options).fit(corpus)
    words = corpus.vocabulary.prefix_size(2)
    assert model.wv.index_to_key == corpus.vocabulary.words[:words]
    np.testing.assert_array_equal(model.wv.counts, corpus.vocabulary.counts[:words])

    ids = [corpus.ids[first:last].tolist() for first, last in zip(corpus.starts, corpus.starts[1:], strict=False)]
    start = int(np.random.SeedSequence(1).generate_state(1, np.uint64)[0])
    thresholds = keep_thresholds(corpus.vocabulary.counts[:words], 0.02).tolist()
    weights = [0, *(FRACTIONS["harmonic"](3, distance) for distance in (1, 2, 3))]
    counts = naive.counts(naive.keep(ids, thresholds, start), weights, words, 25)
    ppmi = naive.ppmi(counts, 0.5, 1.2)
    _, values, right = np.linalg.svd(ppmi[:25])
    cosines = ppmi @ right[:5].T * values[:5] ** -0.5
    cosines /= np.linalg.norm(cosines, axis=1, keepdims=True)
    units = model.wv.get_normed_vectors()
    np.testing.assert_allclose(units @ units.T, cosines @ cosines.T, atol=1e-4)
    np.testing.assert_allclose(model.singular_values_, values[:5], rtol=1e-5)


def test_vectors_do_not_depend_on_who_counts(corpus, monkeypatch):
    expected = CountVectors(**SMALL, workers=1).fit(corpus).wv.vectors
    monkeypatch.setattr(matrices, "_LEAST_PART", 200)
    memory = CountVectors(**SMALL, workers=2, memory=1 << 20)
    monkeypatch.setattr(matrices, "_bytes_per_token", lambda plan: 1 << 10)
    for model in (CountVectors(**SMALL, workers=3).fit(corpus), memory.fit(corpus),
                  CountVectors(**SMALL).fit(corpus, ray=InProcess(2))):  # fmt: skip
        np.testing.assert_array_equal(model.wv.vectors, expected)
    assert not np.array_equal(CountVectors(**SMALL, seed=2).fit(corpus).wv.vectors, expected)


def test_the_same_queries_and_files(corpus, tmp_path):
    model = CountVectors(**SMALL).fit(corpus)
    model.wv.save(tmp_path / "v.safetensors")
    again = windrow.load(tmp_path / "v.safetensors")
    assert again.most_similar("w1", topn=4) == model.wv.most_similar("w1", topn=4)
    assert again.provenance.items() >= model.wv.provenance.items()
    assert again.provenance["model"] == "CountVectors"
    assert again.provenance["contexts"] == 25
    assert again.provenance["corpus"] == corpus.fingerprint
    assert not {"memory", "workers"} & set(again.provenance)


def test_an_estimator_like_others(corpus):
    model = CountVectors(**SMALL)
    assert model.sizes() == {}
    with pytest.raises(NotFittedError, match="call fit first"):
        _ = model.wv
    assert clone(model).fit(corpus).sizes() == {"words": corpus.vocabulary.prefix_size(2), "dimensions": 5}
    model.fit(corpus)
    before = model.wv
    with pytest.raises(OptionError, match="window"):
        model.set_params(window=0).fit(corpus)
    with pytest.raises(DataError, match="no two words stand near each other"):
        model.set_params(window=1, min_count=1, vector_size=1).fit([["a"], ["b", "c"]], field=None)
    assert model.wv is before


def test_progress(corpus):
    told: list[tuple[str, float]] = []
    CountVectors(**SMALL).fit(corpus, progress=lambda stage, done: told.append((stage, done)))
    assert list(dict.fromkeys(stage for stage, _ in told)) == ["counting", "factorizing"]
    for stage in ("counting", "factorizing"):
        done = [part for one, part in told if one == stage]
        assert done == sorted(done)
        assert done[-1] == 1


def test_a_list_of_sentences_and_a_folder_for_files(tmp_path):
    names = (f"w{number}" for number in count())
    sentences = [[next(names), "and", "w1", "or", "w2"] for _ in range(9)]
    model = CountVectors(vector_size=2, min_count=1, sample=0).fit(sentences, temp_dir=tmp_path)
    assert len(model.wv) == 11
    assert not list(tmp_path.iterdir())
    with pytest.raises(DataError, match=r"temp_dir = .*: no file can be made there"):
        model.fit(sentences, temp_dir=Path(tmp_path, "none"))


@pytest.mark.parametrize(
    ("options", "fitting", "said"),
    [
        (
            {"vector_size": 90},
            {},
            "vector_size = 90 needs as many context words, and there are 25; set vector_size = 25",
        ),
        ({"memory": 1 << 20}, {"ray": InProcess()}, "memory = 1048576 is for one process"),
        ({"window_weighting": "shrink"}, {}, "window_weighting = 'shrink' is not one of linear, harmonic, none"),
        ({"eigenvalue_exponent": 2}, {}, "eigenvalue_exponent = 2 is out of range"),
        ({}, {"progress": 3}, "progress = 3 must be a function"),
    ],
)
def test_refused(corpus, options, fitting, said):
    with pytest.raises(OptionError, match=said):
        CountVectors(**{**SMALL, **options}).fit(corpus, **fitting)


def test_memory_that_is_not_there(corpus, monkeypatch):
    monkeypatch.setattr("windrow.machine.available_memory", lambda: 5_000)
    with pytest.raises(OptionError, match=r"the factors of .* words with vector_size = 5 need .*; lower vector"):
        CountVectors(**SMALL).fit(corpus)
