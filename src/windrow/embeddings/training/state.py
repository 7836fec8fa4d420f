"""What a finished training leaves for a next one to go on from; a model file may hold it beside the vectors."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.formats import VectorData, check_target, format_of
from windrow.embeddings.formats.stored import KIND, model_parts, read_model
from windrow.embeddings.subwords import NGRAM_SIZES, NgramVectors
from windrow.errors import FormatError, OptionError
from windrow.files import model_file
from windrow.nn.training.checkpoint import fingerprint, history_rows

_FORMAT = "safetensors"
_CONFIG, _OUTPUT, _RANDOMNESS, _OWN = "training", "output_", "randomness", "own_vectors"


@dataclass(frozen=True)
class TrainingState:
    """The words, their vectors and the tables of the output layers; and where the random numbers stopped."""

    words: Sequence[str]
    counts: NDArray[np.int64]  # (words,): over all texts
    vectors: NDArray[np.float32]  # (words, dimensions): the input table's rows of the words, without their n-grams'
    outputs: Mapping[str, NDArray[np.float32]]  # by layer, (rows, dimensions)
    randomness: NDArray[np.uint64] | None  # of each worker, see Randomness.save
    parameters: dict[str, Any]  # of the estimator, as plain data
    texts: Sequence[str]  # fingerprints of the corpora that the counts are of
    history: list[dict[str, Any]] = field(default_factory=list)
    provenance: dict[str, Any] = field(default_factory=dict)
    ngrams: NgramVectors | None = None
    ties: str = "heap"  # of a Huffman tree, see huffman_tree

    @cached_property
    def fingerprint(self) -> str:
        """Equal for equal states."""
        numbers: list[NDArray[Any]] = [] if self.randomness is None else [self.randomness]
        numbers += [] if self.ngrams is None else [self.ngrams.subwords.used, self.ngrams.vectors]
        packed = model_file.pack_words(self.words)
        return fingerprint(*packed.values(), self.counts, self.vectors, *self.outputs.values(), *numbers)

    def composed(self) -> NDArray[np.float32]:
        """The vectors of the words, (words, dimensions), with n-grams the means over their rows."""
        return self.vectors if self.ngrams is None else self.ngrams.compose_known(self.words, self.vectors)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write a model file of word vectors that holds the rest, too."""
        if format_of(path) != _FORMAT:
            raise OptionError(f"{path}: only windrow's own format holds the training state; name a .safetensors file")
        check_target(path, _FORMAT)
        data = VectorData(list(self.words), self.composed(), self.counts, self.provenance, self.ngrams)
        arrays, config = model_parts(data)
        arrays |= {f"{_OUTPUT}{name}": table for name, table in self.outputs.items()}
        if self.ngrams is not None:
            arrays[_OWN] = np.ascontiguousarray(self.vectors)
        if self.randomness is not None:
            arrays[_RANDOMNESS] = self.randomness
        training = {
            "parameters": self.parameters,
            "layers": list(self.outputs),
            "texts": list(self.texts),
            "history": self.history,
        }
        if "hs" in self.outputs and self.ties != "heap":
            training["tree_ties"] = self.ties
        model_file.save(path, KIND, arrays, {**config, _CONFIG: training}, self.provenance)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> TrainingState:
        """Read what ``write`` wrote; FormatError where the file holds no more than vectors, or is damaged."""
        stored = model_file.load(path, KIND)
        training = stored.config.get(_CONFIG)
        if training is None:
            raise vectors_alone(path)
        with model_file.parts_of(path):
            data = read_model(stored, path)
            layers, texts = training["layers"], training["texts"]
            outputs = {name: stored.arrays[f"{_OUTPUT}{name}"] for name in layers}
            randomness = stored.arrays.get(_RANDOMNESS)
            sound = data.counts is not None and all(isinstance(text, str) for text in texts)
            ties = training.get("tree_ties", "heap")
            sound = sound and ties in ("heap", "fasttext")
            sound = sound and (randomness is None or (randomness.dtype == np.uint64 and randomness.ndim == 2))
            if not sound or not isinstance(training["parameters"], dict):
                raise FormatError(f"{path} is damaged: its training state is not what it should be")
            vectors = data.vectors if data.ngrams is None else stored.arrays[_OWN]
            if vectors.dtype != np.float32 or vectors.shape != data.vectors.shape:
                raise FormatError(f"{path} is damaged: the words' own vectors are {vectors.dtype} {vectors.shape}")
            model_file.check_finite(vectors, "the words' own vectors", path)
            for name, table in outputs.items():
                rows = len(data.words) if name != "hs" else max(1, len(data.words) - 1)
                if table.dtype != np.float32 or table.shape != (rows, data.vectors.shape[1]):
                    raise FormatError(f"{path} is damaged: the output table {name} has {table.dtype} {table.shape}")
                model_file.check_finite(table, f"the output table {name}", path)
            assert data.counts is not None
            return cls(
                data.words, data.counts, vectors, outputs, randomness, training["parameters"], list(texts),
                history_rows(training["history"]), stored.provenance, data.ngrams, ties,
            )  # fmt: skip

    def check_fits(self, vector_size: int, layers: Sequence[str], ngrams: tuple[int, int, int] | None) -> None:
        """Raise OptionError unless a model of this size, these output layers and n-grams can go on from here."""
        size = self.vectors.shape[1]
        if size != vector_size:
            raise OptionError(
                f"vector_size = {vector_size} does not fit the model to continue from, whose vectors have {size} "
                f"dimensions; set vector_size = {size}"
            )
        check_ngrams(self.ngrams, ngrams, "the model to continue from")
        missing = [name for name in layers if name not in self.outputs]
        if missing:
            kept = "+".join(self.outputs)
            raise OptionError(
                f"the model to continue from has no output table of loss {'+'.join(missing)}, it was trained with "
                f"{kept}; set loss = '{kept}'"
            )


def vectors_alone(path: str | os.PathLike[str]) -> FormatError:
    """The error for a file of vectors where a training is to go on."""
    return FormatError(
        f"{path} holds vectors alone, without the output tables and counts from which training goes on. Files "
        "written by Word2Vec.save, or by `windrow vectors train --keep-training-state`, have them; to start "
        f"from these vectors give vectors='{path}' instead of continue_from"
    )


def has_training(stored: model_file.StoredModel) -> bool:
    """Whether a model file holds more than vectors."""
    return stored.config.get(_CONFIG) is not None


def check_ngrams(found: NgramVectors | None, asked: tuple[int, int, int] | None, whose: str) -> None:
    """Raise OptionError unless n-grams that are there are those that are asked for (see ``Subwords.sizes``)."""
    if (found is None) != (asked is None):
        has, way_out = ("no ", "leave out subwords = True") if found is None else ("", "set subwords = True")
        raise OptionError(f"subwords = {asked is not None} does not fit {whose}, which has {has}n-grams; {way_out}")
    if found is None or found.subwords.sizes == asked:
        return
    sizes = (asked or (), found.subwords.sizes)
    ours, theirs = (", ".join(map("{} = {}".format, NGRAM_SIZES, three)) for three in sizes)
    raise OptionError(f"{ours} does not fit {whose}; set {theirs}")
