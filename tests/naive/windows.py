"""From sentences to windows, as lists of lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

Sentences = list[list[int]]


@dataclass
class Text:
    """``windows[i]`` holds the positions of the context of position i; ``weights[d]`` belongs to distance d.

    ``shares``: by word, the part of its updates that its input vector takes; all of them where it is not there.
    """

    words: list[int]
    windows: list[list[int]]
    weights: list[float]
    shares: dict[int, float] = field(default_factory=dict)

    def share(self, position: int) -> float:
        return self.shares.get(self.words[position], 1.0)


def keep_known(sentences: Sentences, vocabulary_size: int) -> Sentences:
    return [[word for word in sentence if word in range(vocabulary_size)] for sentence in sentences]


def subsample(sentences: Sentences, thresholds: Sequence[int], draws: Iterator[int]) -> Sentences:
    """A word stays unless its threshold is below its draw; every word has a draw of its own."""
    return [[word for word in sentence if not thresholds[word] < next(draws)] for sentence in sentences]


def lay_windows(sentences: Sentences, reaches: Sequence[int], weights: Sequence[float]) -> Text:
    """The context of a word: all other words of its sentence that are no farther than its reach."""
    text = Text([], [], list(weights))
    first = 0
    for sentence in sentences:
        positions = range(first, first + len(sentence))
        for center in positions:
            text.windows.append([j for j in positions if j != center and abs(j - center) <= reaches[center]])
        text.words += sentence
        first += len(sentence)
    return text
