"""What model files of language models have in common: vocabulary, parameters, and where the text came from."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Corpus, TextReader, Vocabulary
from windrow.corpus.tokenizers import is_foreign
from windrow.files.model_file import StoredModel
from windrow.lm.symbols import SPECIALS


def pack_vocabulary(vocabulary: Vocabulary) -> dict[str, NDArray[Any]]:
    """The arrays of a language model's vocabulary."""
    return vocabulary.to_arrays()


def unpack_vocabulary(stored: StoredModel, path: str | os.PathLike[str]) -> Vocabulary:
    """The inverse of ``pack_vocabulary``; FormatError names ``path`` when its parts do not fit."""
    return Vocabulary.from_arrays(stored.arrays, SPECIALS, path)


def provenance_of(corpus: Corpus) -> dict[str, Any]:
    """What a model file says about the text that the model was trained on."""
    return {
        "corpus": corpus.fingerprint,
        "tokens": corpus.tokens,
        "sentences": len(corpus),
        **corpus.reader.stored(),
    }


def text_settings_of(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """How the training text was cut into words, as options of ``Corpus.build``; empty for a user's own tokenizer."""
    # A model file may come from anybody: it does not choose which module of yours is imported.
    if "tokenizer" not in provenance or is_foreign(provenance["tokenizer"]):
        return {}
    return TextReader.remembered(provenance).options()


def plain(value: Any) -> Any:
    """A parameter as JSON has it."""
    if isinstance(value, np.generic):
        return value.item()
    is_list = isinstance(value, Sequence | np.ndarray) and not isinstance(value, str)
    return [plain(item) for item in value] if is_list else value


def from_plain(value: Any) -> Any:
    """The inverse of ``plain``, but for sequences, which become tuples."""
    return tuple(map(from_plain, value)) if isinstance(value, list) else value
