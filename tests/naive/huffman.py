"""Huffman codes by the textbook: while there are two subtrees, merge the two rarest."""

from __future__ import annotations

from collections.abc import Sequence


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
