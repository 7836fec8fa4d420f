"""Tables of vectors that both gensim and windrow evaluate, over the question files that come with gensim."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture(scope="session")
def datapath() -> Any:
    return pytest.importorskip("gensim.test.utils", reason="gensim is the oracle").datapath


@pytest.fixture(scope="session")
def questions_path(datapath: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every ninth question of Google's file, in all its sections."""
    lines = Path(datapath("questions-words.txt")).read_text().splitlines(keepends=True)
    path = tmp_path_factory.mktemp("analogies") / "ninth.txt"
    path.write_text("".join(line for i, line in enumerate(lines) if line.startswith(":") or i % 9 == 0))
    return path


@pytest.fixture(scope="session")
def structured(datapath: Any, questions_path: Path) -> Any:
    """gensim's table over the words of the questions: an offset for each section, noise, other spellings, gaps.

    Words as the questions have them come first, so that gensim's most frequent spelling is the exact one.
    """
    rng = np.random.default_rng(11)
    table: dict[str, np.ndarray] = {}
    offset = np.zeros(25)
    for line in questions_path.read_text().splitlines():
        if line.startswith(":"):
            offset = rng.normal(size=25)
            continue
        a, b, c, d = line.split()
        for first, second in ((a, b), (c, d)):
            start = table.setdefault(first, rng.normal(size=25))
            table.setdefault(second, start + offset + 0.8 * rng.normal(size=25))
    for line in Path(datapath("wordsim353.tsv")).read_text().splitlines():
        if not line.startswith("#"):
            first, second, score = line.split("\t")
            start = table.setdefault(first, rng.normal(size=25))
            table.setdefault(second, float(score) / 5 * start + rng.normal(size=25))
    as_asked = set(table)
    for word in list(table)[::5]:
        for spelling in (word.lower(), word.upper(), word.title()):
            table.setdefault(spelling, table[word] + 0.3 * rng.normal(size=25))
    words = [word for word in table if rng.random() > 0.1]
    rng.shuffle(words)
    words.sort(key=lambda word: word not in as_asked)
    return keyed_vectors({word: table[word] for word in words})


@pytest.fixture(scope="session")
def trained(datapath: Any) -> Any:
    """Vectors that gensim trained on its Lee corpus."""
    models = pytest.importorskip("gensim.models")
    sentences = [line.lower().split() for line in Path(datapath("lee_background.cor")).read_text().splitlines()]
    return models.Word2Vec(sentences, vector_size=20, min_count=2, epochs=8, seed=1, workers=1).wv


def keyed_vectors(table: dict[str, Any]) -> Any:
    vectors = np.array(list(table.values()), np.float32)
    made = pytest.importorskip("gensim.models").KeyedVectors(vectors.shape[1])
    made.add_vectors(list(table), vectors)
    return made
