"""The kinds of files that windrow writes: what each holds, in words, which command makes it, and which one asks it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from windrow.errors import FormatError, shown
from windrow.files.corpus_folder import is_corpus
from windrow.files.static_folder import static_files

_TRAINED_ON_ANY_TEXT = ("vectors train", "lm train", "corpus phrases")  # and corpora; others want tags or labels
SHOWN = "word vectors, a language model, a tagger or a text classifier"  # in pages: what models answer for
_UNFINISHED = "the state of a training that was interrupted"


class Kind(NamedTuple):
    """What a file of one kind holds."""

    what: str
    maker: str = ""  # the command that makes it, without windrow
    use: str = ""  # the command that answers with it
    model: str = ""  # the name of the class in Python


MODELS = {
    "word-vectors": Kind("word vectors", "vectors train", "vectors similar", "WordVectors"),
    "phrases": Kind("phrases", "corpus phrases", "corpus phrases --apply", "Phrases"),
    "window-tagger": Kind("an entity tagger", "tag train", "tag predict", "WindowTagger"),
    "text-classifier": Kind("a text classifier", "classify train", "classify predict", "TextClassifier"),
    "ngram-lm": Kind("an n-gram language model", "lm train ngram", "lm generate", "NGramLM"),
    "unbounded-ngram-lm": Kind(
        "an n-gram language model of unbounded order", "lm train ngram --order inf", "lm generate", "UnboundedNGramLM"
    ),
    "class-lm": Kind("a class-based n-gram language model", "lm train class", "lm generate", "ClassLM"),
    "skip-ngram-lm": Kind("a skip n-gram language model", "lm train skip", "lm generate", "SkipNGramLM"),
    "window-lm": Kind("a language model of a window of words", "lm train window", "lm generate", "WindowLM"),
    "rnn-lm": Kind("a recurrent language model", "lm train rnn", "lm generate", "RecurrentLM"),
    "mixture-lm": Kind("a mixture of language models", "lm mix", "lm generate", "MixtureLM"),
    "cache-lm": Kind("a cache model, which remembers the last words", "", "lm score", "CacheLM"),
}
CHECKPOINTS = {
    "word2vec-checkpoint": Kind(_UNFINISHED, "vectors train"),
    "rnn-lm-checkpoint": Kind(_UNFINISHED, "lm train rnn"),
    "window-lm-checkpoint": Kind(_UNFINISHED, "lm train window"),
    "tagger-checkpoint": Kind(_UNFINISHED, "tag train"),
    "mlp-checkpoint": Kind(_UNFINISHED),
}
OTHERS = {"vocabulary": Kind("the vocabulary of a corpus"), "corpus": Kind("a corpus", "corpus build", "corpus info")}
_FAMILIES = {
    "language-model": Kind("a language model", "lm train ngram", "lm generate", "LanguageModel"),
    "model": Kind("a model"),
}
KINDS = MODELS | CHECKPOINTS | OTHERS | _FAMILIES


def kind_named(model: str) -> str:
    """The kind of the files of a class, whose name is given; the name itself where there is none."""
    return next((kind for kind, one in KINDS.items() if one.model == model), model)


def what_holds(kind: str) -> str:
    """What a file of a kind holds, in words."""
    return KINDS[kind].what if kind in KINDS else f"a model of the unknown kind {shown(kind)}"


def wrong_kind(path: str | os.PathLike[str], found: str, wanted: str) -> FormatError:
    """The error for a file of one kind where another one is wanted: what it holds, and what is done with such a file.

    ``found``, ``wanted``: keys of ``KINDS``; ``found`` may also be "text", and ``wanted`` some other words.
    """
    kind = KINDS.get(wanted, Kind(wanted))
    train = f"train on it with `windrow {kind.maker}`" if kind.maker.startswith(_TRAINED_ON_ANY_TEXT) else ""
    if found == "text":
        made = f"what `windrow {kind.maker}` writes" if kind.maker else "the model"
        what, advice = "is text", train or f"give {made}"
    elif found == "corpus":
        look = f"look at it with `windrow {OTHERS['corpus'].use}`"
        what, advice = "is a corpus", f"open it with windrow.Corpus.open or {train or look}"
    else:
        what, advice = f"holds {what_holds(found)}", what_next(found)
    return FormatError(f"{path} {what}, not {kind.what}{f'; {advice}' if advice else ''}")


def refuse_folder(path: Path, wanted: str = "model") -> None:
    """Raise FormatError if a path is that of a folder, where a file of the kind ``wanted`` is expected."""
    if path.is_dir():
        if is_corpus(path):
            raise wrong_kind(path, "corpus", wanted)
        if static_files(path) is not None:
            raise wrong_kind(path, "word-vectors", wanted)
        raise FormatError(f"{path} is a folder, not a file; name a file in it")


def what_next(kind: str) -> str:
    """What is done with a file of a kind: in Python, and after "or" at the command line; empty for an unknown kind."""
    if kind in CHECKPOINTS:
        repeat = f" or repeat `windrow {CHECKPOINTS[kind].maker} ...` with --resume" if CHECKPOINTS[kind].maker else ""
        return f"go on with fit(..., checkpoint=, resume=True){repeat}"
    if kind == "vocabulary":
        return "open its folder with windrow.Corpus.open"
    return f"open it with windrow.load or use it with `windrow {MODELS[kind].use}`" if kind in MODELS else ""
