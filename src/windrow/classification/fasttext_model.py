"""fastText's classifiers: `.bin`, and `.ftz` whose matrices are product quantized, as the parts of a TextClassifier.

A quantized matrix (Jégou et al. 2011, "Product quantization for nearest neighbor search")::

    norms?                  one byte: whether rows were divided by their norms, which are quantized, too
    rows, columns           int64
    number of codes         int32; then a byte for each part of each row: which of 256 centroids stands for it
    quantizer               columns, parts, columns of a part and of the last one (int32), float32 centroids:
                            256 for each part, those of one part together
    if norms: a byte for each row, and a quantizer of one column
"""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.classification.features import Features, Ngrams
from windrow.embeddings.formats.fasttext_bin import (
    SUPERVISED,
    Arguments,
    Dictionary,
    Reader,
    check_shape,
    fill_table,
    read_arguments,
    read_dictionary,
)
from windrow.embeddings.formats.rows import most_bytes
from windrow.errors import FormatError
from windrow.files.compression import reading
from windrow.files.model_file import check_finite
from windrow.machine import check_memory
from windrow.outputs.tree import children_by_counts

LOSSES = {1: "hs", 2: "ns", 3: "softmax", 4: "ova"}
LABEL_PREFIX = "__label__"
_SHAPE, _CODES, _QUANTIZER = struct.Struct("<2q"), struct.Struct("<i"), struct.Struct("<4i")
_LARGEST = 1e30  # of what is summed as float32
_CENTROIDS = 256  # of a part
_CODES_AT_ONCE = 1 << 16  # rows
_MARK = re.compile(r"__[^\W_]+__|[^\w\s]+")  # at the beginning of labels


class Parts(NamedTuple):
    """What a file holds, as a TextClassifier has it; classes are sorted."""

    parameters: dict[str, int | str]
    classes: NDArray[np.str_]
    class_counts: NDArray[np.int64]
    features: Features
    vectors: NDArray[np.float32]  # (features, columns)
    outputs: NDArray[np.float32]  # (classes or nodes of their tree, columns)
    tree: NDArray[np.int32] | None  # the children of each node


def read_classifier(path: Path) -> Parts:
    """Read a classifier; FormatError for a file that is damaged, or holds word vectors."""
    with reading(path) as stream:
        reader = Reader(stream, path)
        arguments = read_arguments(reader)
        if arguments.model != SUPERVISED:
            raise FormatError(
                f"{path} holds word vectors of fastText, no classifier; `windrow vectors` and windrow.load read it"
            )
        dictionary = read_dictionary(reader, most_bytes(path))
        ngrams = _ngrams(arguments)
        is_quantized = reader.is_quantized()
        if dictionary.pruned >= 0 and not is_quantized:
            raise reader.damaged("it lacks n-grams, but is not quantized")
        rows = dictionary.words + (arguments.bucket if dictionary.pruned < 0 else dictionary.pruned)
        table = _matrix(reader, rows, arguments.dim, "input", is_quantized=is_quantized)
        labels = len(dictionary.entries) - dictionary.words
        is_quantized = reader.is_quantized() and is_quantized
        outputs = _matrix(reader, labels, arguments.dim, "output", is_quantized=is_quantized)
        reader.check_end()
    _check_numbers(table, outputs, reader)
    seen, row_of = _buckets(dictionary, ngrams, reader)
    vectors = np.concatenate([table[: dictionary.words], table[row_of]]) if len(row_of) < len(table) else table
    features = Features(_words(dictionary, reader), ngrams, seen)
    parameters = _parameters(arguments, ngrams)
    prefix, classes = _labels(dictionary, reader)
    return _sorted(
        Parts(
            {**parameters, "label_prefix": prefix},
            classes,
            dictionary.counts[dictionary.words :],
            features,
            vectors,
            outputs,
            children_by_counts(dictionary.counts[dictionary.words :]) if parameters["loss"] == "hs" else None,
        )
    )


def _ngrams(arguments: Arguments) -> Ngrams:
    has_characters = arguments.maxn >= max(arguments.minn, 1)
    characters = (arguments.minn, arguments.maxn) if has_characters else (0, 0)
    return Ngrams(arguments.word_ngrams, *characters, arguments.bucket)


def _parameters(arguments: Arguments, ngrams: Ngrams) -> dict[str, int | str]:
    """Those of TextClassifier; the learning rate is not in the file."""
    found: dict[str, int | str] = {
        "vector_size": arguments.dim,
        "word_ngrams": ngrams.word_ngrams,
        "min_n": ngrams.min_n,
        "max_n": ngrams.max_n,
        "min_count": max(arguments.min_count, 1),
        "epochs": arguments.epoch,
        "loss": LOSSES.get(arguments.loss, f"number {arguments.loss}"),
    }
    if ngrams.are_used:
        found["buckets"] = ngrams.buckets
    if found["loss"] == "ns":
        found["negative"] = arguments.neg
    return found


# --- matrices


def _matrix(reader: Reader, rows: int, columns: int, name: str, *, is_quantized: bool) -> NDArray[np.float32]:
    """A matrix of this shape, as numbers."""
    if is_quantized:
        return _quantized(reader, rows, columns, name)
    check_shape(reader, rows, columns, name)
    check_memory(4 * rows * columns, f"the {rows:,} vectors of {reader.path}", "give a smaller model, such as its .ftz")
    table = np.empty((rows, columns), np.float32)
    fill_table(reader, table)
    return table


def _quantized(reader: Reader, rows: int, columns: int, name: str) -> NDArray[np.float32]:
    has_norms = reader.take(1) != b"\0"
    found = _SHAPE.unpack(reader.take(_SHAPE.size))
    if found != (rows, columns):
        raise reader.damaged(f"its {name} matrix has {found[0]} x {found[1]} numbers")
    (number,) = _CODES.unpack(reader.take(_CODES.size))
    parts = number // rows if rows else 0
    most = most_bytes(reader.path)
    if not 0 < parts <= columns or number != parts * rows or (most is not None and number > most):
        raise reader.damaged(f"{number} codes are not those of {rows} rows of {columns} numbers")
    check_memory(4 * rows * columns, f"the {rows:,} vectors of {reader.path}", "quantize it with -cutoff in fastText")
    codes = np.frombuffer(reader.take(number), np.uint8).reshape(rows, parts)
    centroids = _centroids(reader, columns, parts)
    table = np.empty((rows, columns), np.float32)
    for start in range(0, rows, _CODES_AT_ONCE):
        stop = start + _CODES_AT_ONCE
        columns_of = (of_part[codes[start:stop, part]] for part, of_part in enumerate(centroids))
        np.concatenate(list(columns_of), axis=1, out=table[start:stop])
    if has_norms:
        norm_codes = np.frombuffer(reader.take(rows), np.uint8)
        (norms,) = _centroids(reader, 1, 1)
        table *= norms[norm_codes]
    return table


def _centroids(reader: Reader, columns: int, parts: int) -> list[NDArray[np.float32]]:
    """Those of each part, (256, columns of the part)."""
    shape = _QUANTIZER.unpack(reader.take(_QUANTIZER.size))
    width, last = shape[2:]
    if shape[:2] != (columns, parts) or min(width, last) < 1 or width * (parts - 1) + last != columns:
        raise reader.damaged(f"{shape[1]} parts of {width} and {last} numbers are not the {columns} of a row")
    widths = [*[width] * (parts - 1), last]
    read = (reader.take(4 * _CENTROIDS * one) for one in widths)
    return [np.frombuffer(read_part, "<f4").reshape(_CENTROIDS, -1) for read_part in read]


def _check_numbers(table: NDArray[np.float32], outputs: NDArray[np.float32], reader: Reader) -> None:
    """Raise FormatError for numbers that are not finite, or of which probabilities would not be."""
    check_finite(table, "the input matrix", reader.path)
    check_finite(outputs, "the output matrix", reader.path)
    most, most_output = (max(float(one.max()), -float(one.min())) for one in (table, outputs))
    if most > _LARGEST or most * most_output * table.shape[1] > _LARGEST:
        raise reader.damaged("its numbers are too large")


# --- features


def _words(dictionary: Dictionary, reader: Reader) -> list[str]:
    """The words; in one that is not UTF-8 single bytes are surrogates, as in no text."""
    words = [entry.decode("utf-8", "surrogateescape") for entry in dictionary.entries[: dictionary.words]]
    if len(set(words)) < len(words):
        raise reader.damaged("a word is there twice")
    return words


def _buckets(dictionary: Dictionary, ngrams: Ngrams, reader: Reader) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The buckets that have a row, and the row of each."""
    words = dictionary.words
    if not ngrams.are_used:
        return np.zeros(0, np.int32), np.zeros(0, np.int64)
    if dictionary.pruned < 0:
        every = np.arange(ngrams.buckets, dtype=np.int32)
        return every, words + every.astype(np.int64)
    buckets, numbers = dictionary.kept[np.argsort(dictionary.kept[:, 0])].T
    rise = (np.diff(buckets, prepend=-1, append=ngrams.buckets) > 0).all()
    if not rise or not np.array_equal(np.sort(numbers), np.arange(len(numbers))):
        raise reader.damaged("the n-grams that were kept are out of range, or there twice")
    return np.ascontiguousarray(buckets), words + numbers.astype(np.int64)


# --- classes


def _labels(dictionary: Dictionary, reader: Reader) -> tuple[str, NDArray[np.str_]]:
    """The prefix of the labels, and the labels without it.

    The file does not say which prefix it was: it is fastText's own, or what all labels have and looks like one.
    """
    try:
        labels = [entry.decode() for entry in dictionary.entries[dictionary.words :]]
    except UnicodeDecodeError as error:
        raise reader.damaged("a label is not UTF-8") from error
    if len(set(labels)) < max(len(labels), 2):
        raise reader.damaged("a label is there twice" if len(labels) > 1 else "there are no two labels")
    mark = _MARK.match(_shared_beginning(min(labels), max(labels)))  # between these two lie the others
    if mark is None or any(len(label) == mark.end() for label in labels):
        return LABEL_PREFIX, np.array(labels)
    return mark[0], np.array([label.removeprefix(mark[0]) for label in labels])


def _shared_beginning(one: str, other: str) -> str:
    length = next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    return one[:length]


def _sorted(parts: Parts) -> Parts:
    """With the classes in order, as TextClassifier has them."""
    order = np.argsort(parts.classes, kind="stable")
    sorted_parts = parts._replace(classes=parts.classes[order], class_counts=parts.class_counts[order])
    if parts.tree is None:
        return sorted_parts._replace(outputs=parts.outputs[order])
    number_of = np.arange(2 * len(order) - 1, dtype=np.int32)  # of a label, and of a node as it is
    number_of[order] = np.arange(len(order))
    return sorted_parts._replace(outputs=parts.outputs[: len(order) - 1], tree=number_of[parts.tree])
