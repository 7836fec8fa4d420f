"""Open any model file: the kind that its header names decides the class."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from windrow import storage
from windrow.errors import FormatError
from windrow.lm.base import LANGUAGE_MODELS
from windrow.lm.ngram import is_arpa

# kind -> module and class with a ``load(path)``; a module is imported when a file of its kind is opened.
_CLASSES = {
    "word-vectors": ("windrow.embeddings.vectors", "WordVectors"),
    "window-tagger": ("windrow.tagging.tagger", "WindowTagger"),
    **LANGUAGE_MODELS,
}

# kind -> what windrow writes beside its models, and how it is read
_OTHERS = {
    "word2vec-checkpoint": "the state of a training that was stopped; go on with its command and --resume",
    "rnn-lm-checkpoint": "the state of a training that was stopped; go on with its command and --resume",
    "window-lm-checkpoint": "the state of a training that was stopped; go on with its command and --resume",
    "vocabulary": "the vocabulary of a corpus; open its folder with windrow.Corpus.open",
}


def load(path: str | os.PathLike[str]) -> Any:
    """Open a model file of any kind, or word vectors or an n-gram model in the format that the extension names.

    Raises FormatError when the file is malformed, holds no model, or one of a kind that this version does not
    know; DataError when it cannot be read.
    """
    if is_arpa(path):
        return _class_at(LANGUAGE_MODELS["ngram-lm"]).load(path)
    if not (os.fspath(path).endswith(".safetensors") or storage.looks_stored(path)):
        from windrow.embeddings import formats  # which takes longer than to open a model

        if formats.extension_of(path) in formats.FORMATS.keys() - {"safetensors"}:
            return formats.load_vectors(path)
    kind = storage.load(path).kind
    if kind in _OTHERS:
        raise FormatError(f"{path} holds no model but {_OTHERS[kind]}")
    if kind not in _CLASSES:
        raise FormatError(f"{path} holds a model of the unknown kind {kind!r}; update windrow")
    return _class_at(_CLASSES[kind]).load(path)


def _class_at(home: tuple[str, str]) -> Any:
    module, name = home
    return getattr(import_module(module), name)
