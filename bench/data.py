"""The texts that are measured on, and the options that all sides share. The functions run before the clock starts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

TEXT = "wiki100m.txt"
QUESTIONS = "analogy/questions-words.txt"
SIMILARITIES = ("ws353", "simlex999", "men3000_natural")

Options = dict[str, Any]

COMMON: Options = {"vector_size": 100, "window": 5, "sample": 1e-3, "min_count": 5}
MODES: dict[str, Options] = {
    "skipgram-ns": {"sg": 1, "hs": 0, "negative": 5, "alpha": 0.025},
    "cbow-ns": {"sg": 0, "hs": 0, "negative": 5, "alpha": 0.05},
    "skipgram-hs": {"sg": 1, "hs": 1, "negative": 0, "alpha": 0.025},
    "cbow-hs": {"sg": 0, "hs": 1, "negative": 0, "alpha": 0.025},
}
LINE_WORDS = 1000


def write_lines(source: str | Path, target: str | Path, words: int | None = None) -> dict[str, float]:
    """Cut the first ``words`` words into lines of 1,000, because gensim cuts longer sentences at 10,000."""
    taken = Path(source).read_text(encoding="utf-8").split()[:words]
    return _write(taken, target)


def write_closed_text(source: str | Path, target: str | Path, words: int, vocabulary: int) -> dict[str, float]:
    """The first ``words`` words among the ``vocabulary`` most frequent, then those of these that have not occurred.

    So every program finds the same vocabulary in it, whatever its rules, and a short text has a large one.
    """
    text = Path(source).read_text(encoding="utf-8").split()
    frequent = dict.fromkeys(word for word, _ in Counter(text).most_common(vocabulary))
    if len(frequent) < vocabulary:
        raise ValueError(f"the text has only {len(frequent)} different words; give a smaller --vocabulary")
    taken = [word for word in text if word in frequent][:words]
    seen = set(taken)
    return _write(taken + [word for word in frequent if word not in seen], target)


def _write(words: list[str], target: str | Path) -> dict[str, float]:
    with Path(target).open("w", encoding="utf-8") as lines:
        for start in range(0, len(words), LINE_WORDS):
            lines.write(" ".join(words[start : start + LINE_WORDS]) + "\n")
    return {"words": len(words), "bytes": Path(target).stat().st_size}


def encode(lines: str, corpus: str) -> dict[str, float]:
    """Encode a text for windrow."""
    from windrow import Corpus

    built = Corpus.build(lines, corpus)
    return {"words": built.tokens, "sentences": len(built)}
