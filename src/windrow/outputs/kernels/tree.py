"""Building a Huffman tree: a heap of subtrees by their counts, then the path to every leaf."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from windrow.numeric.jit import kernel


@kernel
def merge(
    heap_counts: NDArray[np.int64],
    heap_nodes: NDArray[np.int64],
    parents: NDArray[np.int64],
    codes: NDArray[np.uint8],
) -> None:
    """Fill ``parents`` and ``codes`` of all nodes; the two heap arrays, given in the order of words, are used up.

    Equal counts leave the heap in the order of Python's heapq, which gensim uses: so its tree is ours, node by node.
    """
    words = size = heap_counts.size
    root = int(np.int64(0))  # Numba would compile _sift again for each place of a literal 0
    for place in range(words // 2 - 1, -1, -1):
        _sift(heap_counts, heap_nodes, size, place, place, heap_counts[place], heap_nodes[place])
    for node in range(words, 2 * words - 1):
        left, left_count = heap_nodes[root], heap_counts[root]
        _sift(heap_counts, heap_nodes, size - 1, root, root, heap_counts[size - 1], heap_nodes[size - 1])
        right, right_count = heap_nodes[root], heap_counts[root]
        _sift(heap_counts, heap_nodes, size - 2, root, root, heap_counts[size - 2], heap_nodes[size - 2])
        _sift(heap_counts, heap_nodes, size - 1, root, size - 2, left_count + right_count, node)
        parents[left] = parents[right] = node
        codes[right] = 1
        size -= 1


@kernel
def _sift(
    heap_counts: NDArray[np.int64],
    heap_nodes: NDArray[np.int64],
    size: int,
    top: int,
    place: int,
    count: int,
    node: int,
) -> None:
    """Put a subtree into the gap at ``place``, below ``top``.

    The smaller children move up until the gap is a leaf; from there the subtree rises past parents that count more.
    """
    while 2 * place + 1 < size:
        child = 2 * place + 1
        if child + 1 < size and heap_counts[child + 1] <= heap_counts[child]:
            child += 1  # of two equal children the right one moves
        heap_counts[place] = heap_counts[child]
        heap_nodes[place] = heap_nodes[child]
        place = child
    while place > top and count < heap_counts[(place - 1) >> 1]:
        heap_counts[place] = heap_counts[(place - 1) >> 1]
        heap_nodes[place] = heap_nodes[(place - 1) >> 1]
        place = (place - 1) >> 1
    heap_counts[place] = count
    heap_nodes[place] = node


@kernel
def merge_sorted(
    counts: NDArray[np.int64], sums: NDArray[np.int64], parents: NDArray[np.int64], codes: NDArray[np.uint8]
) -> None:
    """``merge`` of words by decreasing counts as fastText has it: of a word and a node that count the same, the node.

    Nodes are made in the order of their counts, ``sums``, so that the rarest subtree is the last word left or the first
    node.
    """
    words = counts.size
    word, node, made = words - 1, 0, 0
    for made in range(words - 1):
        sums[made] = 0
        for code in range(2):
            if word >= 0 and (node == made or counts[word] < sums[node]):
                child = word
                sums[made] += counts[word]
                word -= 1
            else:
                child = words + node
                sums[made] += sums[node]
                node += 1
            parents[child] = words + made
            codes[child] = code


@kernel
def measure_depths(parents: NDArray[np.int64], depths: NDArray[np.int64]) -> None:
    """Edges from the root (the last node) to every node; a parent always has the higher number."""
    for node in range(parents.size - 2, -1, -1):
        depths[node] = depths[parents[node]] + 1


@kernel
def fill_paths(
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
