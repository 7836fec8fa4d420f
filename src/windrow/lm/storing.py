"""What model files of language models have in common: vocabulary, parameters, and where the text came from."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Corpus, TextReader, Vocabulary
from windrow.corpus.tokenizers import is_foreign
from windrow.errors import OptionError, check_path
from windrow.files.model_file import StoredModel
from windrow.files.sniff import is_arpa, refuse_arpa
from windrow.files.urls import refuse_url_to_write
from windrow.files.writing import STDIO
from windrow.lm.symbols import SPECIALS

_KENLM_NAME = re.compile(r"\.(bin|binary|blm|klm|mmap|probing|trie)$", re.IGNORECASE)
_OTHER_NAME = re.compile(r"\.(txt|text|json|jsonl|csv|tsv|gz|bz2|xz|zst|zip)$", re.IGNORECASE)


def check_target(path: str | os.PathLike[str], what: str = "") -> None:
    """What commands check before they write a model: ``check_name``, and that the name does not promise another file.

    In Python a model may have any name, and is known by what it holds.
    """
    refuse_url_to_write(path)
    if _KENLM_NAME.search(os.fspath(path)):
        arpa = "" if what else ", or an .arpa file for KenLM's build_binary"
        raise OptionError(
            f"{path}: windrow does not write the binary files of KenLM, which have such names; "
            f"name a .safetensors file{arpa}"
        )
    if not is_arpa(path) and _OTHER_NAME.search(os.fspath(path)):
        arpa = "" if what else ", .arpa or .arpa.gz"
        raise OptionError(
            f"{path}: windrow's own file of a language model is neither text nor compressed; "
            f"name a .safetensors{arpa} file"
        )
    check_name(path, what)


def check_name(path: str | os.PathLike[str], what: str = "") -> None:
    """Raise OptionError for a name that asks for an ARPA file, which cannot hold ``what``; empty for what it can."""
    check_path("path", path)
    if what and os.fspath(path) == STDIO:
        raise OptionError(
            f"standard output, '-', is for ARPA files, which cannot hold {what}; name a .safetensors file"
        )
    if what:
        refuse_arpa(path, what)


def makes_arpa(path: str | os.PathLike[str]) -> bool:
    """Whether a name asks for an ARPA file: by its ending, or as that of standard output."""
    check_path("path", path)
    return is_arpa(path) or os.fspath(path) == STDIO


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
