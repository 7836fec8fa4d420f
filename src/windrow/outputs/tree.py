"""The Huffman tree of a vocabulary: frequent words get short paths (Mikolov et al. 2013, section 2.1)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from windrow.numeric.simd import LANES
from windrow.numeric.tables import padded_width
from windrow.outputs.kernels.paths import Paths
from windrow.outputs.kernels.tree import fill_paths, measure_depths, merge, merge_sorted

_DEEPEST = 128  # of words whose counts fit in 63 bits the tree has at most 90 levels
_NEAR_NODES = 2048  # of the root: in the second-level cache


class HuffmanTree(NamedTuple):
    """The path of each word from the root: inner nodes, and the code taken at each (0 left, 1 right).

    Word w has the places ``starts[w]`` to ``starts[w + 1]`` of ``nodes`` and ``codes``. Inner nodes are numbered from
    0 in the order in which they were made, the root is the last: words - 2.
    """

    starts: NDArray[np.int64]  # (words + 1,)
    nodes: NDArray[np.int32]  # (sum of path lengths,)
    codes: NDArray[np.uint8]  # (sum of path lengths,)


def huffman_tree(counts: NDArray[np.int64], ties: str = "heap") -> HuffmanTree:
    """Merge the two rarest subtrees until one is left; the first of the two becomes the left child.

    ``ties`` says which comes first of several that count the same: "heap", what Python's heapq gives, which gensim
    uses; or "fasttext": a subtree that was made before a word, and of words the last by decreasing counts.
    """
    words = len(counts)
    parents = np.zeros(max(2 * words - 1, 1), np.int64)
    codes = np.zeros(len(parents), np.uint8)
    if ties == "fasttext":
        order = np.argsort(-counts, kind="stable")
        merge_sorted(np.maximum(counts[order], 1), np.empty(words, np.int64), parents, codes)
        parents[order], codes[order] = parents[:words].copy(), codes[:words].copy()
    else:
        merge(np.array(counts, np.int64), np.arange(words), parents, codes)
    return _with_paths(parents, codes, words)


def children_by_counts(counts: NDArray[np.int64]) -> NDArray[np.int32]:
    """The children of each inner node of fastText's tree, (words - 1, 2), which takes the counts as they fall."""
    words = len(counts)
    parents, codes = np.zeros(2 * words - 1, np.int64), np.zeros(2 * words - 1, np.uint8)
    merge_sorted(np.array(counts, np.int64), np.empty(words, np.int64), parents, codes)
    children = np.empty((words - 1, 2), np.int32)
    children[parents[:-1] - words, codes[:-1]] = np.arange(2 * words - 2)
    return children


def tree_of_children(children: NDArray[np.integer]) -> HuffmanTree:
    """The tree whose inner node n has these two children, (words - 1, 2): a word, or words + another node below n.

    ValueError unless each word and each node but the last is the child of one node, and comes before it; and for paths
    that are longer than in any Huffman tree, which would take memory by the square of the words.
    """
    nodes = len(children)
    numbers = np.arange(nodes + 1, 2 * nodes + 1)  # of the inner nodes, behind those of the words
    if not np.array_equal(np.sort(children, axis=None), np.arange(2 * nodes)):
        raise ValueError("a word or a node of the tree has no parent, or two")
    if (children >= numbers[:, None]).any():
        raise ValueError("a node of the tree is above its parent")
    parents, codes = np.zeros(2 * nodes + 1, np.int64), np.zeros(2 * nodes + 1, np.uint8)
    parents[children] = numbers[:, None]
    codes[children[:, 1]] = 1
    return _with_paths(parents, codes, nodes + 1)


def _with_paths(parents: NDArray[np.int64], codes: NDArray[np.uint8], words: int) -> HuffmanTree:
    """The tree of words and then inner nodes, by the parent of each and which of its children it is."""
    depths = np.zeros(len(parents), np.int64)
    measure_depths(parents, depths)
    if depths.max() > _DEEPEST:
        raise ValueError(f"the tree is {depths.max()} nodes deep, more than any counts give")
    starts = np.concatenate([[0], np.cumsum(depths[:words])])
    path_nodes, path_codes = np.empty(starts[-1], np.int32), np.empty(starts[-1], np.uint8)
    fill_paths(parents, codes, starts, path_nodes, path_codes)
    return HuffmanTree(starts, path_nodes, path_codes)


def signs_of(codes: NDArray[np.uint8], dtype: DTypeLike) -> NDArray[Any]:
    """1 for each turn to the left, -1 for one to the right."""
    return 1 - 2 * codes.astype(dtype)


def lay_paths(tree: HuffmanTree, stride: int, dtype: DTypeLike) -> Paths:
    """The paths as kernels take them, over a table of nodes with rows of ``stride`` numbers."""
    return Paths(
        starts=tree.starts,
        nodes=np.append(tree.nodes, np.zeros(LANES, np.int32)),
        signs=np.append(signs_of(tree.codes, dtype), np.zeros(LANES, dtype)),
        stride=stride,
        width=padded_width(int(np.diff(tree.starts).max(initial=0))),
        near=len(tree.starts) - 2 - _NEAR_NODES,
    )


def match_nodes(old: HuffmanTree, new: HuffmanTree) -> NDArray[np.int64]:
    """Inner nodes that divide the same words in two trees; the new one may have more words, behind the others.

    A node of the new tree matches the one of the old tree that has the same old words on each side, or the sides
    swapped. Returns (matches, 3): the old node, the new one, and 1 or, where the sides are swapped, -1.
    """
    words = len(old.starts) - 1
    marks = np.random.default_rng(0).integers(1, 2**63, words, np.uint64)  # sets of words have different sums
    others = len(new.starts) - 1 - words
    old_sides = {sides: node for node, sides in enumerate(_sums_of_sides(old, marks))}
    matches = []
    for node, (left, right) in enumerate(_sums_of_sides(new, np.append(marks, np.zeros(others, np.uint64)))):
        for sides, sign in (((left, right), 1), ((right, left), -1)):
            if left and right and sides in old_sides:
                matches.append((old_sides[sides], node, sign))
    return np.array(matches, np.int64).reshape(-1, 3)


def _sums_of_sides(tree: HuffmanTree, marks: NDArray[np.uint64]) -> list[tuple[int, ...]]:
    """For each inner node the summed marks, modulo 2**64, of the words to its left and to its right."""
    sums = np.zeros((max(len(marks) - 1, 1), 2), np.uint64)
    np.add.at(sums, (tree.nodes, tree.codes), np.repeat(marks, np.diff(tree.starts)))
    return [tuple(sides) for sides in sums.tolist()]
