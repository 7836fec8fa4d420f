"""From text to ids, as a dict and ``str.split`` do it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Numbered:
    """``ends[s]`` is how many ids come before the newline of sentence s; ``words`` are in order of first sight."""

    ids: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)


def tokenize(text: str) -> Numbered:
    numbered = Numbered()
    known: dict[str, int] = {}
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        for word in line.split():
            if word not in known:
                known[word] = len(known)
                numbered.words.append(word)
                numbered.counts.append(0)
            numbered.ids.append(known[word])
            numbered.counts[known[word]] += 1
        if number < len(lines):
            numbered.ends.append(len(numbered.ids))
    return numbered
