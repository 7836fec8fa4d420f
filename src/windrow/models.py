"""Open any model file: the kind that its header names decides the class."""

from __future__ import annotations

import os
from typing import Any

from windrow.errors import FormatError
from windrow.files import model_file
from windrow.files.sniff import is_arpa, looks_stored

MODEL_KINDS = ("word-vectors", "window-tagger", "ngram-lm", "window-lm", "rnn-lm", "mixture-lm", "cache-lm")

# kind -> what windrow writes beside its models, and how it is read
OTHER_KINDS = {
    "word2vec-checkpoint": "the state of a training that was stopped; go on with its command and --resume",
    "rnn-lm-checkpoint": "the state of a training that was stopped; go on with its command and --resume",
    "window-lm-checkpoint": "the state of a training that was stopped; go on with its command and --resume",
    "tagger-checkpoint": "the state of a training that was stopped; go on with its command and --resume",
    "mlp-checkpoint": "the state of a training that was stopped; go on with fit(..., checkpoint=, resume=True)",
    "vocabulary": "the vocabulary of a corpus; open its folder with windrow.Corpus.open",
}


def load(path: str | os.PathLike[str]) -> Any:
    """Open a model file of any kind, or word vectors or an n-gram model in the format that the extension names.

    Raises FormatError when the file is malformed, holds no model, or one of a kind that this version does not
    know; DataError when it cannot be read.
    """
    if is_arpa(path):
        return model_class("ngram-lm").load(path)
    if not (os.fspath(path).endswith(".safetensors") or looks_stored(path)):
        from windrow.embeddings import formats  # which takes longer than to open a model

        if formats.extension_of(path) in formats.FORMATS.keys() - {"safetensors"}:
            return model_class("word-vectors").load(path)
    kind = model_file.load(path).kind
    if kind in OTHER_KINDS:
        raise FormatError(f"{path} holds no model but {OTHER_KINDS[kind]}")
    if (found := model_class(kind)) is None:
        raise FormatError(f"{path} holds a model of the unknown kind {kind!r}; update windrow")
    return found.load(path)


def model_class(kind: str) -> Any:
    """The class whose ``load`` opens files of a kind, None for an unknown kind; imports no other model."""
    match kind:
        case "word-vectors":
            from windrow.embeddings.vectors import WordVectors

            return WordVectors
        case "window-tagger":
            from windrow.tagging.tagger import WindowTagger

            return WindowTagger
        case "ngram-lm":
            from windrow.lm.ngram.model import NGramLM

            return NGramLM
        case "window-lm":
            from windrow.lm.neural.window import WindowLM

            return WindowLM
        case "rnn-lm":
            from windrow.lm.neural.recurrent import RecurrentLM

            return RecurrentLM
        case "mixture-lm":
            from windrow.lm.mixture import MixtureLM

            return MixtureLM
        case "cache-lm":
            from windrow.lm.cache import CacheLM

            return CacheLM
    from windrow.lm.base import LANGUAGE_MODELS  # a model of your own, whose module you have imported

    return LANGUAGE_MODELS.get(kind)
