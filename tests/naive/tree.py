"""Huffman codes by the textbook: while there are two subtrees, merge the two rarest."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass


def huffman_codes(counts: Sequence[int]) -> list[str]:
    """A code a word, "0" for the rarer side of a merge; ties go to whichever was there first."""
    codes = [""] * len(counts)
    forest = [(count, [word]) for word, count in enumerate(counts)]
    while len(forest) > 1:
        forest.sort(key=lambda tree: tree[0])
        (left_count, left), (right_count, right), *rest = forest
        for word in left:
            codes[word] = "0" + codes[word]
        for word in right:
            codes[word] = "1" + codes[word]
        forest = [*rest, (left_count + right_count, left + right)]
    return codes


def expected_length(counts: Sequence[int]) -> int:
    """Code length times count, summed: the same for every optimal tree."""
    return sum(count * len(code) for count, code in zip(counts, huffman_codes(counts), strict=True))


@dataclass
class _Subtree:
    """Compared by count alone: which of two equal ones comes first is left to heapq, as gensim leaves it."""

    count: int
    node: int

    def __lt__(self, other: _Subtree) -> bool:
        return self.count < other.count


def heapq_paths(counts: Sequence[int]) -> list[list[tuple[int, int]]]:
    """(inner node, code) from the root, a list a word; inner nodes numbered as they are made."""
    words = len(counts)
    heap = [_Subtree(count, word) for word, count in enumerate(counts)]
    heapq.heapify(heap)
    steps: dict[int, tuple[int, int]] = {}  # from a node to its parent, and on which side it hangs
    for inner in range(words - 1):
        left, right = heapq.heappop(heap), heapq.heappop(heap)
        steps[left.node], steps[right.node] = (inner, 0), (inner, 1)
        heapq.heappush(heap, _Subtree(left.count + right.count, words + inner))
    paths = []
    for word in range(words):
        path: list[tuple[int, int]] = []
        node = word
        while node in steps:
            path.insert(0, steps[node])
            node = words + path[0][0]
        paths.append(path)
    return paths
