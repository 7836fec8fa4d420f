"""The compact table of n-gram models: about four bytes per n-gram, from whose counts probabilities follow.

It scores streams as it is; for all other questions it is unpacked to the ordinary table once, which takes the time and
the memory of that.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Vocabulary
from windrow.errors import FormatError, OptionError, check_whole
from windrow.lm.ngram.compact import OrderCounts, Shape, pack_counts, trie_of, unpack_counts
from windrow.lm.ngram.kernels import compact_query
from windrow.lm.ngram.kernels.compact_trie import CompactTrie
from windrow.lm.ngram.kernels.estimate import Rule
from windrow.lm.ngram.kernels.located import LocatedTrie
from windrow.lm.ngram.kernels.packed_trie import PackedTrie
from windrow.lm.ngram.levels import BackoffModel, Int32s
from windrow.lm.ngram.packing import Packed
from windrow.lm.ngram.states import NGramState
from windrow.lm.ngram.table import NGramTable
from windrow.lm.symbols import EOS

_ARRAYS = {
    "probs": np.dtype(np.float32),
    "nexts": np.dtype(np.uint32),
    "counted_records": np.dtype(np.uint8),
    "bases": np.dtype(np.uint32),
    "rare": np.dtype(np.uint32),
}
_FORM = "counts"  # what the configuration of such a table says of it


class CompactTable(NGramTable):
    """As ``NGramTable``, from counts; make one with ``of_counts`` or ``from_arrays``."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        trie: CompactTrie,
        shape: Shape,
        name: str = "the n-gram table",
    ) -> None:
        self.vocabulary = vocabulary
        self.unseen_backoff = 0.0
        self.name = name
        self._counts, self._shape = trie, shape

    @property
    def sizes(self) -> list[int]:
        """How many n-grams each order has."""
        return self._shape.sizes

    @property
    def suffix_closed(self) -> bool:
        """Whether every stored n-gram without its first word is stored, too: in counts it is."""
        return True

    @classmethod
    def of_counts(
        cls, vocabulary: Vocabulary, probs: NDArray[np.float32], orders: Sequence[OrderCounts], words: int
    ) -> CompactTable:
        """The table of what ``estimation.counts_model`` returns."""
        return cls(vocabulary, *pack_counts(probs, orders, words))

    def unpack(self) -> BackoffModel:
        """As ``NGramTable.unpack``, its numbers rounded to float32."""
        with self._telling_damage():
            return unpack_counts(self._counts, self.sizes, self.vocabulary)

    # --- the ordinary table, for all questions but scores of streams

    @cached_property
    def _ordinary(self) -> NGramTable:
        return NGramTable.pack(self.unpack(), suffix_closed=True, consume=True)

    @property
    def _packed(self) -> Packed:  # type: ignore[override]
        return self._ordinary._packed

    @property
    def trie(self) -> PackedTrie:  # type: ignore[override]
        """The ordinary trie."""
        return self._ordinary.trie

    @property
    def located(self) -> LocatedTrie:  # type: ignore[override]
        """The ordinary trie, for single steps."""
        return self._ordinary.located

    @property
    def blank(self) -> NGramState:  # type: ignore[override]
        """The state in which nothing is known."""
        return self._ordinary.blank

    # --- scoring

    def _score(self, stream: Int32s, orders: NDArray[np.int8]) -> NDArray[np.float32]:
        stream = np.ascontiguousarray(stream, np.int32)
        self._check_ids(stream)
        probs = np.empty(stream.size)
        compact_query.score(self._counts, stream, compact_query.new_scratch(self.order), probs, orders)
        with np.errstate(divide="ignore"):
            return np.log10(probs, out=probs).astype(np.float32)

    def _check_ids(self, stream: NDArray[np.integer]) -> None:
        words = self.sizes[0]
        if stream.size and not 0 <= stream.min() <= stream.max() < words:
            raise OptionError(f"ids must be from 0 to {words - 1}, not {stream.min()} to {stream.max()}")

    # --- storing

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays of a model file."""
        trie = self._counts
        return dict(zip(_ARRAYS, (trie.probs, trie.nexts, trie.records, trie.bases, trie.rare), strict=True))

    def config(self) -> dict[str, Any]:
        """What a model file holds beside the arrays, as plain JSON data."""
        return {
            "form": _FORM,
            "sizes": self.sizes,
            "orders": self._shape.orders,
            "discounts": [rule.discounts.tolist() for rule in self._shape.rules],
            "per_type": [rule.per_type for rule in self._shape.rules],
        }

    @staticmethod
    def describes(config: Any) -> bool:
        """Whether the configuration of a table is that of a compact one."""
        return isinstance(config, Mapping) and "form" in config

    @classmethod
    def from_arrays(
        cls,
        arrays: Mapping[str, NDArray[Any]],
        config: Mapping[str, Any],
        vocabulary: Vocabulary,
        path: str | os.PathLike[str],
    ) -> CompactTable:
        """The inverse of ``arrays`` and ``config``, without a copy; FormatError names ``path``."""
        try:
            if config["form"] != _FORM:
                raise ValueError(f"form is {config['form']!r}")
            sizes = [check_whole("size", size) for size in config["sizes"]]
            orders = [[check_whole("number of an order", number) for number in fields] for fields in config["orders"]]
            rules = [
                Rule(np.array(discounts, np.float64), per_type=float(per_type))
                for discounts, per_type in zip(config["discounts"], config["per_type"], strict=True)
            ]
            parts = [np.ascontiguousarray(arrays[name]) for name in _ARRAYS]
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(f"{path}: the n-gram table is not fully described ({error!r})") from error
        shape = Shape(sizes, orders, rules)
        if not shape.is_sound(len(vocabulary)) or sizes[0] <= EOS:
            raise FormatError(f"{path}: the sizes and fields of the n-gram table do not agree with its words")
        for name, array, wanted in zip(_ARRAYS, parts, shape.array_shapes(), strict=True):
            if array.shape != wanted or array.dtype != _ARRAYS[name]:
                raise FormatError(f"{path}: {name} is {array.dtype} {array.shape}, not {_ARRAYS[name]} {wanted}")
        if not (parts[0].min() >= 0 and parts[0].max() <= 1):
            raise FormatError(f"{path}: the n-gram table holds probabilities that are out of range")
        return cls(vocabulary, trie_of(shape, *parts), shape, os.fspath(path))
