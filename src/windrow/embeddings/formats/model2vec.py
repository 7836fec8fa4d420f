"""Folders of static embeddings as Model2Vec writes them, which sentence-transformers' StaticEmbedding reads, too.

``model.safetensors`` holds ``embeddings`` (rows, dimensions) of float32, float16 or int8, and for each token its
``weights`` and, in ``mapping``, its row, where it has them: the vector of a token is its row times its weight.
``tokenizer.json`` says what the tokens are. The vector of a text is the mean of those of its tokens.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.corpus.folder import check_replaced, new_folder, path_errors, whole_folder
from windrow.embeddings.formats.contract import ReadOptions, VectorData
from windrow.embeddings.formats.rows import chosen_of
from windrow.embeddings.formats.small_numbers import narrowed, widened
from windrow.embeddings.formats.tokenizer_json import WORDS, Tokens, read_json, read_tokens, write_tokenizer
from windrow.errors import FormatError, warn
from windrow.files import model_file
from windrow.files.static_folder import STATIC_TENSORS, STATIC_TOKENIZER, static_files

_CONFIG, _MODULES = "config.json", "modules.json"
_FILES = {_CONFIG, _MODULES, STATIC_TENSORS, STATIC_TOKENIZER, "README.md", "1_Normalize"}
_NAMES = ("embeddings", "embedding.weight")  # of Model2Vec, of sentence-transformers
_TOKENS = "tokens"  # in the provenance: which model of sub-words the words are the tokens of
_OWN = "windrow"  # in config.json: our provenance
_MODULE = {"idx": 0, "name": "0", "path": ".", "type": "sentence_transformers.models.StaticEmbedding"}


def check_place(path: Path) -> None:
    """Raise DataError unless a model can be written to a folder: a new one, or in place of another model."""
    with path_errors("write", path):
        check_replaced(path, static_files(path) == path, "a folder of static embeddings", _FILES)


def write_model2vec(data: VectorData, path: Path) -> None:
    """Write a folder whose tokens are the words, and one token more for unknown words, whose vector is zero."""
    if _TOKENS in data.provenance:
        warn(
            f"{path}: these words are the tokens of a {data.provenance[_TOKENS]} tokenizer, and will be looked up as "
            "whole words"
        )
    with new_folder(path, check_place) as folder:
        write_tokenizer(data.words, data.provenance, folder / STATIC_TOKENIZER)
        config = {
            "model_type": "model2vec",
            "architectures": ["StaticModel"],
            "hidden_dim": data.vectors.shape[1],
            "normalize": False,
            "max_length": None,  # of a text, in tokens: else only the first 512 would count
            "embedding_dtype": data.dtype,
            _OWN: data.provenance,
        }
        (folder / _CONFIG).write_text(json.dumps(config, indent=2), "utf-8")
        (folder / _MODULES).write_text(json.dumps([_MODULE], indent=2), "utf-8")
        _write_tensors(data, folder / STATIC_TENSORS)
        mode = (folder / _CONFIG).stat().st_mode
        (folder / STATIC_TENSORS).chmod(mode)  # the library lets its owner read it alone


def _write_tensors(data: VectorData, path: Path) -> None:
    from safetensors.numpy import save_file

    rows, scales = narrowed(data.vectors, data.dtype, path.parent)
    tensors: dict[str, NDArray[Any]] = {"embeddings": np.concatenate([rows, np.zeros_like(rows[:1])])}
    if scales is not None:  # which Model2Vec itself would leave out; lengths would be of another unit then
        tensors["weights"] = np.append(scales, np.float32(1))
    if data.counts is not None:
        tensors["counts"] = np.append(data.counts, 0)  # ours alone: others read tensors by their names
    save_file(tensors, path)


def read_model2vec(path: Path, options: ReadOptions) -> VectorData:
    """Read a folder of Model2Vec or of sentence-transformers' StaticEmbedding: a word for each token.

    The token for what is unknown is left out. Of WordPiece, BPE and Unigram tokens are parts of words, as the tokenizer
    writes them.
    """
    with path_errors("read", path), whole_folder(path):
        folder = static_files(path)
        if folder is None:
            raise FormatError(
                f"{path} holds no static embeddings: expected {STATIC_TENSORS} and {STATIC_TOKENIZER} in it"
            )
        tokens = read_tokens(folder / STATIC_TOKENIZER)
        vectors, counts = _read_tensors(folder / STATIC_TENSORS, tokens)
        provenance = _provenance(path, tokens)
    words = tokens.texts
    if tokens.unknown is not None:
        known = np.arange(len(words)) != tokens.unknown
        if known.all():
            place = folder / STATIC_TOKENIZER
            raise FormatError(f"{place}: the id {tokens.unknown!r} of unknown tokens is none of its tokens")
        words = [word for word, is_known in zip(words, known, strict=True) if is_known]
        vectors, counts = vectors[known], None if counts is None else counts[known]
    if not words:
        raise FormatError(f"{path} holds no words")
    return chosen_of(VectorData(words, vectors, counts, provenance), path, options)


def _provenance(path: Path, tokens: Tokens) -> dict[str, Any]:
    config = read_json(path / _CONFIG) if (path / _CONFIG).is_file() else {}
    own = config.get(_OWN)
    found = dict(own) if isinstance(own, dict) else {}
    return found if tokens.model == WORDS else {**found, _TOKENS: tokens.model}


def _read_tensors(path: Path, tokens: Tokens) -> tuple[NDArray[np.float32], NDArray[np.int64] | None]:
    """The vector of each token, and its count where the file has counts."""
    from safetensors import SafetensorError, safe_open

    from windrow.embeddings.formats.stored import read_tensor

    try:
        with safe_open(path, framework="numpy") as stored:
            names = set(stored.keys())
            found = [name for name in _NAMES if name in names]
            if len(found) != 1:
                raise FormatError(f"{path}: expected the tensor {' or '.join(_NAMES)}; is it a model of another kind?")
            rows = read_tensor(stored, path, found[0])
            mapping, weights, counts = (
                read_tensor(stored, path, name) if name in names else None for name in ("mapping", "weights", "counts")
            )
    except (SafetensorError, TypeError) as error:
        raise FormatError(f"{path} cannot be read ({error}); was it cut short?") from error
    if rows.ndim != 2 or 0 in rows.shape or rows.dtype not in (np.float64, np.float32, np.float16, np.int8):
        raise FormatError(f"{path}: expected embeddings (rows, dimensions), found {rows.dtype} {rows.shape}")
    size = len(tokens.texts)
    if mapping is not None:
        if mapping.shape != (size,) or mapping.dtype.kind not in "iu":
            raise FormatError(f"{path}: expected a mapping of {size} tokens, found {mapping.dtype} {mapping.shape}")
        if mapping.min() < 0 or mapping.max() >= len(rows):
            raise FormatError(f"{path}: the mapping leads to rows beyond the {len(rows)} that there are")
        rows = rows[mapping]
    if len(rows) != size:
        raise FormatError(
            f"{path} has {len(rows)} rows, but {path.with_name(STATIC_TOKENIZER)} {size} tokens; are both of one model?"
        )
    if weights is not None and (weights.shape != (size,) or weights.dtype.kind != "f"):
        raise FormatError(f"{path}: expected {size} weights, found {weights.dtype} {weights.shape}")
    with np.errstate(over="ignore", invalid="ignore"):  # found below
        vectors = widened(rows, weights, path)
    model_file.check_finite(vectors, "the embeddings", path)
    return vectors, None if counts is None else model_file.as_counts(counts, size, path)
