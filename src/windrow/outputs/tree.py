"""The Huffman tree of a vocabulary: frequent words get short paths (Mikolov et al. 2013, section 2.1)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from windrow.numeric.simd import LANES
from windrow.numeric.tables import padded_width
from windrow.outputs.kernels.paths import Paths
from windrow.outputs.kernels.tree import fill_paths, measure_depths, merge

_NEAR_NODES = 2048  # of the root: in the second-level cache


class HuffmanTree(NamedTuple):
    """The path of each word from the root: inner nodes, and the code taken at each (0 left, 1 right).

    Word w has the places ``starts[w]`` to ``starts[w + 1]`` of ``nodes`` and ``codes``. Inner nodes are numbered from
    0 in the order in which they were made, the root is the last: words - 2.
    """

    starts: NDArray[np.int64]  # (words + 1,)
    nodes: NDArray[np.int32]  # (sum of path lengths,)
    codes: NDArray[np.uint8]  # (sum of path lengths,)


def huffman_tree(counts: NDArray[np.int64]) -> HuffmanTree:
    """Merge the two rarest subtrees until one is left; the first of the two becomes the left child."""
    words = len(counts)
    parents, depths = np.zeros((2, max(2 * words - 1, 1)), np.int64)
    codes = np.zeros(len(parents), np.uint8)
    merge(np.array(counts, np.int64), np.arange(words), parents, codes)
    measure_depths(parents, depths)
    starts = np.concatenate([[0], np.cumsum(depths[:words])])
    path_nodes, path_codes = np.empty(starts[-1], np.int32), np.empty(starts[-1], np.uint8)
    fill_paths(parents, codes, starts, path_nodes, path_codes)
    return HuffmanTree(starts, path_nodes, path_codes)


def lay_paths(tree: HuffmanTree, stride: int, dtype: DTypeLike) -> Paths:
    """The paths as kernels take them, over a table of nodes with rows of ``stride`` numbers."""
    signs = 1 - 2 * tree.codes.astype(dtype)
    return Paths(
        starts=tree.starts,
        nodes=np.append(tree.nodes, np.zeros(LANES, np.int32)),
        signs=np.append(signs, np.zeros(LANES, dtype)),
        stride=stride,
        width=padded_width(int(np.diff(tree.starts).max(initial=0))),
        near=len(tree.starts) - 2 - _NEAR_NODES,
    )
