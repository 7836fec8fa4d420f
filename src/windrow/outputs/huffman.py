"""The Huffman tree of a vocabulary: frequent words get short paths (Mikolov et al. 2013, section 2.1)."""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from windrow.kernels._jit import kernel


class HuffmanTree(NamedTuple):
    """The path of each word from the root: inner nodes, and the code taken at each (0 left, 1 right).

    Word w has the places ``starts[w]`` to ``starts[w + 1]`` of ``nodes`` and ``codes``. Inner nodes are numbered from
    0 in the order in which they were made, the root is the last: words - 2.
    """

    starts: NDArray[np.int64]  # (words + 1,)
    nodes: NDArray[np.int32]  # (sum of path lengths,)
    codes: NDArray[np.uint8]  # (sum of path lengths,)


class _Tree:
    """A subtree in the heap. Only counts are compared, so that equal counts merge in gensim's order."""

    __slots__ = ("count", "index")

    def __init__(self, count: int, index: int) -> None:
        self.count = count
        self.index = index

    def __lt__(self, other: _Tree) -> bool:
        return self.count < other.count


def huffman_tree(counts: NDArray[np.int64]) -> HuffmanTree:
    """Merge the two rarest subtrees until one is left; the first of the two becomes the left child."""
    words = len(counts)
    parents = np.zeros(max(2 * words - 1, 1), np.int64)
    codes = np.zeros(len(parents), np.uint8)
    heap = [_Tree(count, word) for word, count in enumerate(counts.tolist())]
    heapq.heapify(heap)
    for node in range(words, 2 * words - 1):
        left, right = heapq.heappop(heap), heapq.heappop(heap)
        parents[left.index] = parents[right.index] = node
        codes[right.index] = 1
        heapq.heappush(heap, _Tree(left.count + right.count, node))
    depths = _depths(parents)
    starts = np.concatenate([[0], np.cumsum(depths[:words])])
    path_nodes, path_codes = np.empty(starts[-1], np.int32), np.empty(starts[-1], np.uint8)
    _fill_paths(parents, codes, starts, path_nodes, path_codes)
    return HuffmanTree(starts, path_nodes, path_codes)


@kernel
def _depths(parents: NDArray[np.int64]) -> NDArray[np.int64]:
    """Edges from the root (the last node) to every node; a parent always has the higher number."""
    depths = np.zeros(parents.size, np.int64)
    for node in range(parents.size - 2, -1, -1):
        depths[node] = depths[parents[node]] + 1
    return depths


@kernel
def _fill_paths(
    parents: NDArray[np.int64],
    codes: NDArray[np.uint8],
    starts: NDArray[np.int64],
    path_nodes: NDArray[np.int32],
    path_codes: NDArray[np.uint8],
) -> None:
    """Walk from each word up to the root and write its path from the far end."""
    words = starts.size - 1
    for word in range(words):
        node = word
        for place in range(starts[word + 1] - 1, starts[word] - 1, -1):
            path_codes[place] = codes[node]
            node = parents[node]
            path_nodes[place] = node - words
