"""Word vectors of a Ray cluster's workers are those of workers of one process, also where some are lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from windrow import Corpus, CountVectors, Word2Vec
from windrow.distributed import InProcess
from windrow.embeddings import Progress
from windrow.embeddings.training import replicas
from windrow.errors import DataWarning

OPTIONS: dict[str, Any] = {"vector_size": 8, "min_count": 1, "epochs": 4, "sg": 1}


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    """A text of some rounds an epoch."""
    monkeypatch.setattr(replicas, "WORDS_TOGETHER", 8000)
    monkeypatch.setattr(replicas, "_LEAST", 1000)
    words = np.random.default_rng(5).zipf(1.3, 40_000) % 3000
    text = tmp_path / "text.txt"
    text.write_text("\n".join(" ".join(map(str, words[line : line + 20])) for line in range(0, len(words), 20)))
    return Corpus.build(text)


def test_vectors_are_those_of_one_process_also_after_a_loss(ray_nodes, corpus):
    expected = Word2Vec(**OPTIONS).fit(corpus, ray=InProcess(2)).wv.vectors

    with ray_nodes.workers(workers=2) as workers:
        model = Word2Vec(**OPTIONS).fit(corpus, ray=workers)
        np.testing.assert_array_equal(model.wv.vectors, expected)
        assert len(workers.usage.cpu_seconds) == 2  # both nodes took part
        assert workers.usage.moved_bytes > expected.nbytes

        lost = []

        def kill(progress: Progress) -> None:
            """One of the workers, in the middle of an epoch."""
            if not lost and progress.epoch == 2 and progress.examples > 1.3 * corpus.tokens:
                lost.append(model._training.run._members[1]._actor)
                workers._ray.kill(lost[0])

        model = Word2Vec(**OPTIONS)
        with pytest.warns(DataWarning, match=r"a worker was lost, .* read these again"):
            model.fit(corpus, ray=workers, progress=kill)
        assert lost
        np.testing.assert_array_equal(model.wv.vectors, expected)


def test_counted_vectors_are_those_of_one_process(ray_nodes, corpus):
    expected = CountVectors(vector_size=8, min_count=1).fit(corpus).wv.vectors
    with ray_nodes.workers(workers=2) as workers:
        model = CountVectors(vector_size=8, min_count=1).fit(corpus, ray=workers)
        np.testing.assert_array_equal(model.wv.vectors, expected)
        assert workers.usage.parts >= 6
