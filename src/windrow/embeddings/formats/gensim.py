"""gensim's own files, ``.kv`` and ``.model``: a pickle, which is never run, and large arrays beside it."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.corpus.unpacking import BadArchiveError, WrongSizeError, unpack
from windrow.embeddings.formats.contract import ReadOptions, VectorData
from windrow.embeddings.formats.npy import read_matrix
from windrow.embeddings.formats.rows import chosen_of
from windrow.errors import DataError, FormatError, warn
from windrow.files import model_file
from windrow.files.compression import COMPRESSED, path_name
from windrow.files.local import local_file
from windrow.files.pickled import Made, is_made_by, read_pickle
from windrow.files.tempfolder import temporary_folder

_PACKAGE = "gensim.models."
_MODELS = ("Word2Vec", "Doc2Vec")
_TABLES = ("KeyedVectors", "Word2VecKeyedVectors", "EuclideanKeyedVectors")  # the later ones until gensim 3.8
_NUMBER_TYPE = re.compile(r"[<>=|]?[fiu][248]")
_MOST_AXES = 2
_PACKED = "val.npy"  # what gensim calls the array in an .npz
_REMEDY = "write the vectors in gensim: KeyedVectors.load(FILE).save_word2vec_format('vectors.bin', binary=True)"


def read_gensim(path: Path, options: ReadOptions) -> VectorData:
    """Read the words, vectors and counts of a ``KeyedVectors`` or ``Word2Vec`` of gensim.

    Large arrays are in files beside it, such as ``X.kv.vectors.npy``, or of one that gensim has compressed
    ``X.kv.gz.vectors.npz``. FormatError for another pickle, for a model with
    sub-words, whose vectors are more than a table, and for parts that are damaged, missing, or do not fit together.
    """
    with local_file(path, unpack=True) as file:
        model = read_pickle(file)
        beside = [str(path)]
        if path.suffix.lower() in COMPRESSED:  # by gensim, or by somebody afterwards
            beside.append(str(path.with_suffix("")))
        name = model.name if isinstance(model, Made) else type(model).__name__
        table = model
        if is_made_by(model, _PACKAGE, _MODELS) and "wv" in model.attributes:
            table, beside = model.attributes["wv"], [f"{start}.wv" for start in beside]
        if is_made_by(model, _PACKAGE, ("Doc2Vec",)):
            warn(f"{path_name(path)} is a Doc2Vec: its vectors of words are read, those of documents are not")
        if not is_made_by(table, _PACKAGE, (*_TABLES, *_MODELS)):  # a model of before gensim 1 is the table itself
            raise FormatError(f"{path_name(path)} is a Python pickle of {name[:80]}, not of KeyedVectors; {_REMEDY}")
        return chosen_of(_read_table(table, beside, path), path, options)


def arrays_beside(path: Path) -> list[Path]:
    """Where the vectors of a file of gensim may be: in ``X.kv.vectors.npy``, by older names, or for a model."""
    kinds = ("npy", "npz") if path.suffix.lower() in COMPRESSED else ("npy",)
    names = [f"{table}.{name}.{kind}" for table in ("", ".wv") for name in ("vectors", "syn0") for kind in kinds]
    return [Path(f"{path}{name}") for name in names]


def _read_table(table: Made, beside: list[str], path: Path) -> VectorData:
    attributes = table.attributes
    words = _first_of(attributes, "index_to_key", "index2word", "index2entity")
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise FormatError(f"{path} has no words, or some that are no text; {_REMEDY}")
    apart = attributes.get("__numpys")  # the names of arrays in files of their own
    is_new = "vectors" in attributes or (isinstance(apart, list) and "vectors" in apart)
    name = "vectors" if is_new else "syn0"  # until gensim 3
    if attributes.get(name) is None:
        vectors = _read_beside([f"{start}.{name}" for start in beside], path)
    else:
        vectors = _array(attributes[name], path)
    if vectors.dtype.kind != "f" or vectors.ndim != 2 or 0 in vectors.shape or len(vectors) != len(words):
        found = f"shape {vectors.shape} of type {vectors.dtype}"
        raise FormatError(f"{path}: expected vectors of {len(words)} words, found {found}; are its files of one model?")
    with np.errstate(over="ignore"):  # an infinity is found by the check
        matrix = np.asarray(vectors, np.float32)
    model_file.check_finite(matrix, "the matrix", path)
    counts = _counts(attributes, words, path)
    return VectorData(words, matrix, None if counts is None else model_file.as_counts(counts, len(words), path))


def _first_of(attributes: dict[str, Any], *names: str) -> Any:
    return next((attributes[name] for name in names if name in attributes), None)


def _read_beside(starts: list[str], path: Path) -> NDArray[np.float32]:
    """The matrix in a file beside; ``starts``: how its name may begin."""
    for start in starts:
        if (plain := Path(f"{start}.npy")).exists():
            return read_matrix(plain)
        if (packed := Path(f"{start}.npz")).exists():
            return _read_packed(packed)
    missing = f"{starts[0]}.{'npz' if len(starts) > 1 else 'npy'}"
    raise FormatError(f"{path} has its vectors in {missing}, which does not exist; copy it there, too")


def _read_packed(archive: Path) -> NDArray[np.float32]:
    """The matrix in an archive of NumPy's: unpacked to a file first, so that its size is not what a header claims."""
    try:
        with temporary_folder() as folder:
            unpacked = folder / _PACKED
            with unpacked.open("wb") as target:
                unpack(archive, _PACKED, target, None)
            try:
                return np.array(read_matrix(unpacked))
            except FormatError as error:
                raise FormatError(str(error).replace(str(unpacked), str(archive))) from error
    except BadArchiveError as error:
        raise FormatError(f"{archive} is no sound .npz file of gensim's ({error}); was it cut short?") from error
    except WrongSizeError as error:
        raise FormatError(f"{archive} holds far more than its size allows: it is no .npz file of gensim's") from error
    except OSError as error:
        raise DataError(f"cannot read {archive}: {error.strerror or error}") from error


def _counts(attributes: dict[str, Any], words: list[str], path: Path) -> NDArray[np.int64] | None:
    """How often the words occur, where all have a count: an array, or in objects by word, until gensim 3.8."""
    expandos, vocab = attributes.get("expandos"), attributes.get("vocab")
    if isinstance(expandos, dict) and isinstance(expandos.get("count"), Made):
        counts = _array(expandos["count"], path)
        return counts.astype(np.int64) if counts.dtype.kind in "iu" else None
    if not isinstance(vocab, dict):
        return None
    counted = [entry.attributes.get("count") if isinstance(entry, Made) else None for entry in map(vocab.get, words)]
    if not all(isinstance(count, int) and 0 <= count < 2**63 for count in counted):
        return None
    return np.array(counted, np.int64)


def _array(value: Any, path: Path) -> NDArray[Any]:
    """An array as NumPy pickles it: its shape, its type, whether columns come first, and its bytes."""
    try:
        if value.name.endswith("multiarray._reconstruct"):
            _, shape, dtype, by_column, data = value.state
        elif value.name.endswith("numeric._frombuffer"):  # protocol 5
            data, dtype, shape, order = value.arguments
            by_column = order == "F"
        else:
            raise ValueError(f"{value.name[:80]} is no array")
        if isinstance(data, Made) and data.name == "_codecs.encode":  # bytes, in protocol 2
            data = data.arguments[0]
        content = data.encode("latin-1") if isinstance(data, str) else data
        if len(shape) > _MOST_AXES or not all(type(size) is int and 0 <= size < 2**63 for size in shape):
            raise ValueError("its shape is not that of a table")
        kind = _number_type(dtype)
        if len(content) != math.prod(shape) * kind.itemsize:
            raise ValueError(f"{len(content)} bytes are no {kind} of shape {shape}")
        return np.frombuffer(content, kind).reshape(shape, order="F" if by_column else "C")
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        raise FormatError(f"{path}: an array is damaged ({str(error)[:200]}); was it cut short?") from error


def _number_type(dtype: Made) -> np.dtype[Any]:
    code: Any = dtype.arguments[0]
    order: Any = dtype.state[1] if dtype.state else "="
    if not isinstance(code, str) or not _NUMBER_TYPE.fullmatch(code) or order not in ("<", ">", "=", "|"):
        raise ValueError("it does not hold numbers")
    return np.dtype(code.lstrip("<>=|")).newbyteorder(order)
