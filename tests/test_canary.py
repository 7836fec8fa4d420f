"""Files that name a tokenizer MODULE:CALLABLE: opening them, and going on from them, never imports the module.

Perceptrons and taggers learn from rows and tokens; their checkpoints have no tokenizer of their own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import windrow
from windrow.corpus import Corpus
from windrow.errors import OptionError
from windrow.files.local import as_path
from windrow.lm.cache import CacheLM
from windrow.lm.mixture import MixtureLM
from windrow.lm.ngram.model import NGramLM
from windrow.sklearn import DocumentVectorizer

NAME = "canary_tokenizer"
TEXT = ["the cat sat on the mat", "the dog ran off the mat", "a cat and a dog ran"] * 5
TAGGED = [(["the", "cat"], ["O", "B-LOC"]), (["a", "mat"], ["O", "O"])] * 10
SMALL: dict[str, Any] = {"embedding_size": 3, "hidden_size": 3, "epochs": 1, "batch_size": 4, "seed": 1}


def word2vec(epochs: int = 1) -> windrow.Word2Vec:
    return windrow.Word2Vec(vector_size=3, epochs=epochs, min_count=1, workers=1, sample=0, seed=1)


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Corpus]:
    """A corpus that the canary has cut into words; the canary is not imported any more."""
    (tmp_path / f"{NAME}.py").write_text("def split(line):\n    return line.split()\n", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    Corpus.build(TEXT, tmp_path / "corpus", tokenizer=f"{NAME}:split")
    assert sys.modules.pop(NAME, None) is not None
    yield Corpus.open(tmp_path / "corpus")
    sys.modules.pop(NAME, None)


def ngram(corpus: Corpus) -> NGramLM:
    return NGramLM(order=2, smoothing="witten-bell").fit(corpus)


def tagger(corpus: Corpus) -> Any:
    vectors = word2vec().fit(corpus).wv
    return windrow.WindowTagger(hidden_size=3, epochs=1, vectors=vectors, seed=1).fit(TAGGED)


MODELS: dict[str, Callable[[Corpus], Any]] = {
    "vectors": lambda corpus: word2vec().fit(corpus).wv,
    "ngram": ngram,
    "window": lambda corpus: windrow.WindowLM(order=2, **SMALL).fit(corpus),
    "rnn": lambda corpus: windrow.RecurrentLM(**SMALL).fit(corpus),
    "mixture": lambda corpus: MixtureLM([ngram(corpus), NGramLM(1, "add-delta").fit(corpus)], [0.5, 0.5]),
    "cache": lambda corpus: MixtureLM([model := ngram(corpus), CacheLM(model.vocabulary, 3)], [0.5, 0.5]),
    "tagger": tagger,
}


@pytest.mark.parametrize("name", MODELS)
def test_opening_a_model_imports_no_tokenizer(name: str, corpus: Corpus, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    MODELS[name](corpus).save(path)
    assert (NAME.encode() in path.read_bytes()) or name == "tagger"  # the file names it, and so it could be imported
    model = windrow.load(path)
    repr(model)
    model.save(tmp_path / "again.safetensors")
    assert NAME not in sys.modules


@pytest.mark.parametrize("name", ["ngram", "window", "rnn", "mixture", "cache"])
def test_a_string_asks_for_the_tokenizer_and_lists_do_not(name: str, corpus: Corpus, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    MODELS[name](corpus).save(path)
    model = windrow.load(path)
    assert model.log_probs([["the", "cat"]]) is not None
    with pytest.raises(OptionError, match="which is not imported only because a file names it"):
        model.log_prob("the cat")
    assert NAME not in sys.modules


def test_document_vectors_import_no_tokenizer(corpus: Corpus, tmp_path: Path) -> None:
    path = tmp_path / "vectors.safetensors"
    word2vec().fit(corpus).wv.save(path)
    with pytest.raises(OptionError, match="not imported only because a file names it"):
        DocumentVectorizer(vectors=str(as_path(path))).fit(TEXT).transform(TEXT)
    assert NAME not in sys.modules


TRAINERS: dict[str, Callable[[int], Any]] = {
    "vectors": word2vec,
    "window": lambda epochs: windrow.WindowLM(order=2, **{**SMALL, "epochs": epochs}),
    "rnn": lambda epochs: windrow.RecurrentLM(**{**SMALL, "epochs": epochs}),
}


class Stop:
    """Ends a training when it calls for the second time: before that, each keeps its state."""

    calls = 0

    def __call__(self, *_: object) -> None:
        self.calls += 1
        if self.calls == 2:
            raise KeyboardInterrupt


@pytest.mark.parametrize("name", TRAINERS)
def test_going_on_from_a_checkpoint_imports_no_tokenizer(name: str, corpus: Corpus, tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint"
    stopped = TRAINERS[name](3)
    stopped.callbacks = [Stop()]
    with pytest.raises(KeyboardInterrupt):
        stopped.fit(corpus, checkpoint=checkpoint)
    assert checkpoint.exists()
    resumed = TRAINERS[name](3).fit(Corpus.open(tmp_path / "corpus"), checkpoint=checkpoint, resume=True)
    getattr(resumed, "wv", resumed).save(tmp_path / "model.safetensors")
    assert NAME.encode() in (tmp_path / "model.safetensors").read_bytes()
    assert NAME not in sys.modules


def test_the_canary_would_be_seen(corpus: Corpus) -> None:
    assert Corpus.build(TEXT, tokenizer=f"{NAME}:split").tokens == corpus.tokens
    assert NAME in sys.modules
