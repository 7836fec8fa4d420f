"""Open any model file: the kind that its header names decides the class."""

from __future__ import annotations

import os
from typing import Any

from windrow.errors import FormatError
from windrow.files import model_file
from windrow.files.sniff import is_arpa, looks_stored

MODEL_KINDS = ("word-vectors", "window-tagger", "ngram-lm", "window-lm", "rnn-lm", "mixture-lm", "cache-lm")

# Other kinds of files that windrow writes -> what they are, and how they are used
OTHER_KINDS = {
    "word2vec-checkpoint": "the state of a training that was interrupted; repeat its command with --resume",
    "rnn-lm-checkpoint": "the state of a training that was interrupted; repeat its command with --resume",
    "window-lm-checkpoint": "the state of a training that was interrupted; repeat its command with --resume",
    "tagger-checkpoint": "the state of a training that was interrupted; repeat its command with --resume",
    "mlp-checkpoint": "the state of a training that was interrupted; go on with fit(..., checkpoint=, resume=True)",
    "vocabulary": "the vocabulary of a corpus; open its folder with windrow.Corpus.open",
}


def load(path: str | os.PathLike[str]) -> Any:
    """Open a model of any kind.

    Parameters
    ----------
    path : str or os.PathLike
        A model file, whatever its name; or word vectors or an n-gram model in another format, named by the extension
        (.txt, .vec, .bin, .glove, .tsv, .npy, .arpa, .lm).

    Returns
    -------
    WordVectors, NGramLM, WindowLM, RecurrentLM, MixtureLM, CacheLM or WindowTagger
        What the file holds.

    Raises
    ------
    FormatError
        The file is malformed, holds no model, or one of a kind that this version does not know.
    DataError
        It cannot be read.

    Examples
    --------
    >>> import windrow
    >>> windrow.NGramLM(order=2, smoothing="witten-bell").fit(["the cat sat", "the dog sat"]).save("animals.model")
    >>> type(windrow.load("animals.model")).__name__
    'NGramLM'
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
