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
    return [_path(word, words, steps) for word in range(words)]


def fasttext_paths(counts: Sequence[int]) -> list[list[tuple[int, int]]]:
    """As ``heapq_paths``, by ``HierarchicalSoftmaxLoss::buildTree`` of fastText; the counts must not grow."""
    words = len(counts)
    known = [*counts, *[10**15] * (words - 1)]
    steps: dict[int, tuple[int, int]] = {}
    leaf, node = words - 1, words
    for made in range(words, 2 * words - 1):
        known[made] = 0
        for code in range(2):
            if leaf >= 0 and known[leaf] < (known[node] if node < made else 10**15):
                child, leaf = leaf, leaf - 1
            else:
                child, node = node, node + 1
            steps[child] = (made - words, code)
            known[made] += known[child]
    return [_path(word, words, steps) for word in range(words)]


def _path(word: int, words: int, steps: dict[int, tuple[int, int]]) -> list[tuple[int, int]]:
    path: list[tuple[int, int]] = []
    node = word
    while node in steps:
        path.insert(0, steps[node])
        node = words + path[0][0]
    return path
