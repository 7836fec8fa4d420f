"""Training that goes on from a binary model of fastText, and such a model of what training has left.

fastText has one output matrix with a row per word. For hierarchical softmax, row n is that of the inner node that was
made as the n-th (the last row has none), and its sign is the other one: a positive score is a turn to the right.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.formats import ReadOptions, check_target, format_of
from windrow.embeddings.formats.contract import check_words
from windrow.embeddings.formats.fasttext_bin import (
    SKIPGRAM,
    SUPERVISED,
    Arguments,
    Reader,
    is_classifier,
    ngrams_of,
    provenance_of,
    read_arguments,
    read_dictionary,
    read_input,
    read_output,
)
from windrow.embeddings.formats.fasttext_write import LOSSES, arguments_of, write_model
from windrow.embeddings.formats.recognition import recognize_vectors
from windrow.embeddings.formats.rows import chosen_rows, most_bytes
from windrow.embeddings.training.state import TrainingState, has_training, vectors_alone
from windrow.errors import FormatError, OptionError, WindrowError
from windrow.files import model_file
from windrow.files.compression import reading
from windrow.files.local import as_path, local_file
from windrow.files.sniff import kind_of

_STRICTLY = ReadOptions()
_UNKNOWN_TEXT = "fasttext"  # in place of a fingerprint: it is not that of any corpus
_LAYERS = {number: name for name, number in LOSSES.items()}


def read_state(path: str | os.PathLike[str]) -> TrainingState:
    """What training goes on from, in a file of ours or of fastText's; raises as ``TrainingState.read``."""
    given = as_path(path)
    with local_file(given) as file:
        if file.is_file() and (kind := kind_of(file)) != "windrow":
            if kind == "fasttext":
                return read_fasttext_state(file)
            if _holds_vectors(file):
                raise vectors_alone(given)
        return TrainingState.read(file)


def _holds_vectors(file: Path) -> bool:
    try:
        return recognize_vectors(file) is not None
    except WindrowError:
        return False


def holds_state(path: str | os.PathLike[str]) -> bool:
    """Whether a file that can be read again has what training goes on from."""
    file = as_path(path)
    if not file.is_file():
        return False
    kind = kind_of(file)
    if kind == "fasttext":
        return not is_classifier(file)
    return kind == "windrow" and has_training(model_file.read_start(file))


def read_fasttext_state(path: Path, options: ReadOptions = _STRICTLY) -> TrainingState:
    """What training goes on from, in a binary model of fastText; raises as ``read_fasttext``."""
    with reading(path) as stream:
        reader = Reader(stream, path)
        arguments = read_arguments(reader)
        if arguments.model == SUPERVISED or arguments.loss not in _LAYERS:
            raise FormatError(f"{path} is a classifier of fastText; word vectors are not trained further from that")
        dictionary = read_dictionary(reader, most_bytes(path))
        words, dim = dictionary.words, arguments.dim
        if dictionary.pruned >= 0 or reader.is_quantized():
            raise FormatError(f"{path} is a quantized model of fastText; give the .bin from which it was made")
        if words < len(dictionary.entries):
            raise reader.damaged("there are labels among its words")
        table = read_input(reader, words, arguments)
        output = read_output(reader, words, dim)
    model_file.check_finite(table, "the input matrix", path)
    texts, _, _ = chosen_rows(dictionary.entries, table[:words], path, "word", options)
    layer = _LAYERS[arguments.loss]
    if layer == "hs":
        output = -output[: max(1, words - 1)]
    parameters = parameters_of(arguments)
    return TrainingState(
        texts, np.maximum(dictionary.counts, 1), table[:words, :dim], {layer: output}, None, parameters,
        (_UNKNOWN_TEXT,), [], provenance_of(arguments), ngrams_of(table[words:, :dim], arguments), "fasttext",
    )  # fmt: skip


def lacks_outputs(state: TrainingState) -> bool:
    """Whether a state is that of a binary model of fastText which was written from vectors alone."""
    return tuple(state.texts) == (_UNKNOWN_TEXT,) and not any(table.any() for table in state.outputs.values())


def parameters_of(arguments: Arguments) -> dict[str, Any]:
    """The parameters of ``Word2Vec`` for a training as fastText's; its learning rate is not in the file.

    The noise words of fastText are drawn from counts to the power of 0.5.
    """
    layer = _LAYERS[arguments.loss]
    noise = {"negative": max(1, arguments.neg), "ns_exponent": 0.5} if layer == "ns" else {}
    has_ngrams = arguments.bucket > 0 and arguments.maxn >= max(1, arguments.minn)
    ngrams = {"min_n": max(1, arguments.minn), "max_n": arguments.maxn, "buckets": arguments.bucket}
    return {
        "vector_size": arguments.dim, "window": max(1, arguments.ws), "epochs": max(1, arguments.epoch),
        "min_count": max(1, arguments.min_count), "sample": arguments.t, "sg": int(arguments.model == SKIPGRAM),
        "loss": layer, **noise, "subwords": has_ngrams, **(ngrams if has_ngrams else {}),
    }  # fmt: skip


def write_state(state: TrainingState, path: str | os.PathLike[str], format: str | None = None) -> None:
    """Write a state in our format or in fastText's; OptionError for another one, or where fastText's cannot hold it."""
    if (format or format_of(path)) == "fasttext":
        _write_fasttext(state, path)
    elif format in (None, "safetensors"):
        state.write(path)
    else:
        raise OptionError(f"format = {format!r} holds no training state; choose safetensors or fasttext")


def _write_fasttext(state: TrainingState, path: str | os.PathLike[str]) -> None:
    """Write a binary model of fastText with its output matrix and the options of the training.

    OptionError for a model with two output layers, or with another Huffman tree than fastText makes of the counts.
    """
    check_words(list(state.words), check_target(path, "fasttext"), path)
    if len(state.outputs) > 1:
        layers = "+".join(state.outputs)
        raise OptionError(
            f"{os.fspath(path)}: fastText has one output layer, not {layers}; wv.save writes the vectors alone"
        )
    ((layer, output),) = state.outputs.items()
    order = np.arange(len(state.words))
    if layer == "hs":
        if state.ties != "fasttext":
            raise OptionError(
                f"{os.fspath(path)}: the Huffman tree is not that of fastText, which models with subwords = True have; "
                "wv.save writes the vectors alone"
            )
        order = np.argsort(-state.counts, kind="stable")  # fastText makes the tree from the end of its words
        output = np.concatenate([-output, np.zeros((len(order) - len(output), output.shape[1]), np.float32)])
    else:
        output = output[order]

    def own_rows(start: int, stop: int) -> NDArray[np.float32]:
        return state.vectors[order[start:stop]]

    arguments = arguments_of(state.parameters, state.vectors.shape[1], state.ngrams)
    words = [state.words[row] for row in order.tolist()]
    write_model(Path(path), arguments, words, state.counts[order], own_rows, state.ngrams, output)
