"""Texts that several tests train on, read once."""

from __future__ import annotations

from pathlib import Path

import pytest

from windrow import Corpus

TOYLAND = Path(__file__).parents[2] / "corpora" / "toyland"


@pytest.fixture(scope="session")
def lee_sentences() -> list[list[str]]:
    """gensim's Lee corpus: 300 news articles, one per line, 59,000 words."""
    from gensim.test.utils import datapath

    text = Path(datapath("lee_background.cor")).read_text(encoding="utf-8")
    return [line.lower().split() for line in text.splitlines()]


@pytest.fixture(scope="session")
def lee(lee_sentences: list[list[str]], tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return Corpus.build(lee_sentences, tmp_path_factory.mktemp("lee") / "lee.corpus")


@pytest.fixture(scope="session")
def toyland(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return Corpus.build(TOYLAND / "train.txt", tmp_path_factory.mktemp("toyland") / "toyland.corpus")
