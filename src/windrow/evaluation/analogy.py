"""Word analogies: "Athens is to Greece as Oslo is to ?", by section (Mikolov et al. 2013)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from windrow.errors import DataError, OptionError
from windrow.evaluation.similarity import check_restriction, fold, numbered_lines, row_norms, spellings

Question = tuple[str, str, str, str]
Method = Literal["3cosadd", "3cosmul"]
METHODS = ("3cosadd", "3cosmul")

# gensim looks at the five nearest words: a question is lost when all are other spellings of the given ones.
_WINDOW = 5
_BLOCK_SCORES = 1 << 24  # scores held at a time: 64 MB


@dataclass(frozen=True)
class Section:
    """A named group of questions: A is to B as C is to the expected word."""

    name: str
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class SectionResult:
    """The questions of a section that were answered rightly and wrongly, and how many were skipped."""

    name: str
    correct: tuple[Question, ...]
    incorrect: tuple[Question, ...]
    skipped: int

    @property
    def total(self) -> int:
        """Questions that were asked."""
        return len(self.correct) + len(self.incorrect)

    @property
    def accuracy(self) -> float:
        """Share of right answers, 0..1; 0 when no question could be asked."""
        return len(self.correct) / self.total if self.total else 0.0

    def to_json(self) -> dict[str, Any]:
        """Counts under the names that the command line prints."""
        return {
            "accuracy": self.accuracy,
            "correct": len(self.correct),
            "total": self.total,
            "skipped": self.skipped,
        }


@dataclass(frozen=True)
class AnalogyResult:
    """Answers by section, and their sums."""

    sections: tuple[SectionResult, ...]

    @property
    def overall(self) -> SectionResult:
        """All sections together."""
        return _merge("total", self.sections)

    @property
    def semantic(self) -> SectionResult:
        """The sections about the world: those whose name does not start with ``gram``."""
        return _merge("semantic", (part for part in self.sections if not part.name.startswith("gram")))

    @property
    def syntactic(self) -> SectionResult:
        """The sections about grammar: those whose name starts with ``gram``."""
        return _merge("syntactic", (part for part in self.sections if part.name.startswith("gram")))

    @property
    def accuracy(self) -> float:
        """Share of right answers over all sections, 0..1."""
        return self.overall.accuracy

    def to_json(self) -> dict[str, Any]:
        """The sums, and the same by section; sections of one name are put together."""
        names = dict.fromkeys(part.name for part in self.sections)
        by_name = {
            name: _merge(name, (part for part in self.sections if part.name == name)).to_json() for name in names
        }
        return {**self.overall.to_json(), "sections": by_name}


def read_questions(path: str | os.PathLike[str]) -> list[Section]:
    """Read analogy questions in Google's format: ``: name`` starts a section, then four words a line.

    Raises DataError, naming the line, for a line of another kind or a question before the first section.
    """
    names: list[str] = []
    questions: list[list[Question]] = []
    for number, line in numbered_lines(path):
        if line.startswith(":"):
            names.append(line[1:].strip())
            questions.append([])
        elif fields := line.split():
            if not names:
                raise DataError(f"{path}, line {number}: a question before any section; put ': NAME' on line 1")
            if len(fields) != 4:
                raise DataError(f"{path}, line {number}: a question is four words, this line has {len(fields)}")
            questions[-1].append((fields[0], fields[1], fields[2], fields[3]))
    if not any(questions):
        raise DataError(f"{path} holds no analogy questions; expected ': NAME', then four words a line")
    return [Section(name, tuple(asked)) for name, asked in zip(names, questions, strict=True)]


def evaluate_analogies(
    questions: Sequence[Section] | str | os.PathLike[str],
    words: Sequence[str],
    vectors: NDArray[np.float32],
    *,
    norms: NDArray[np.float32] | None = None,
    restrict_vocab: int | None = 300_000,
    case_insensitive: bool = True,
    dummy4unknown: bool = False,
    method: Method = "3cosadd",
) -> AnalogyResult:
    """Answer analogy questions with the word nearest to ``b - a + c`` (3CosAdd), or by 3CosMul.

    ``vectors`` is (words, dimensions); ``norms`` (words,) saves computing them. Only the first
    ``restrict_vocab`` words take part. ``case_insensitive`` compares upper-cased words, and of several
    spellings the first in the vocabulary asks. The given words, in any spelling, are no answers. Questions
    with an unknown word are skipped, or, with ``dummy4unknown``, count as wrong. The rules are those of
    gensim's ``evaluate_word_analogies``; 3CosMul is Levy & Goldberg 2014, eq. 4.
    """
    check_method(method)
    sections = read_questions(questions) if isinstance(questions, str | os.PathLike) else questions
    known = check_restriction(restrict_vocab, len(words))
    asked = [question for section in sections for question in section.questions]
    folded = [tuple(fold(word, case_insensitive) for word in question) for question in asked]
    rows = spellings(words[:known], {word for question in folded for word in question}, case_insensitive)
    is_known = [all(word in rows for word in question) for question in folded]
    known_questions = [question for question, usable in zip(folded, is_known, strict=True) if usable]
    table = _Table(vectors[:known], norms)
    answers = iter(_answers(known_questions, rows, table, method))
    is_right: list[bool | None] = []  # by question; None: skipped
    for question, usable in zip(folded, is_known, strict=True):
        answer = next(answers) if usable else -1
        right = answer >= 0 and fold(words[answer], case_insensitive) == question[3]
        is_right.append(right if usable or dummy4unknown else None)
    return _by_section(sections, is_right)


def check_method(method: str) -> None:
    """Raise OptionError for the name of no analogy method."""
    if method not in METHODS:
        raise OptionError(f"method = {method!r}; choose one of {', '.join(METHODS)}")


class _Table:
    """The vectors that may answer, and what divides their products into cosines."""

    def __init__(self, vectors: NDArray[np.float32], norms: NDArray[np.float32] | None) -> None:
        self.vectors = np.asarray(vectors)
        norms = row_norms(self.vectors) if norms is None else norms[: len(vectors)]
        self.zero_rows = np.flatnonzero(norms == 0)
        self.divisors: NDArray[np.float32] = np.where(norms > 0, norms, np.float32(1))

    def units(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        units: NDArray[np.float32] = self.vectors[rows] / self.divisors[rows, None]
        return units

    def cosines(self, queries: NDArray[np.float32]) -> NDArray[np.float32]:
        """(queries, words), up to the length of each query."""
        scores = queries @ self.vectors.T
        scores /= self.divisors
        return scores


def _answers(
    questions: Sequence[tuple[str, ...]], rows: dict[str, list[int]], table: _Table, method: Method
) -> Iterator[int]:
    """The row of the answer to each question, -1 where no word is left to answer."""
    score = _cos_add if method == "3cosadd" else _cos_mul
    block = max(1, _BLOCK_SCORES // len(table.vectors))
    for start in range(0, len(questions), block):
        part = questions[start : start + block]
        ids = np.array([[rows[word][0] for word in question[:3]] for question in part])  # (block, 3)
        scores = score(table, ids)  # (block, words)
        scores[:, table.zero_rows] = -np.inf  # no direction, no answer
        for question, given, row_scores in zip(part, ids, scores, strict=True):
            variants = {row for word in question[:3] for row in rows[word]}.difference(given.tolist())
            row_scores[given] = -np.inf
            yield _best(row_scores, sorted(variants))


def _cos_add(table: _Table, ids: NDArray[np.int64]) -> NDArray[np.float32]:
    a, b, c = (table.units(ids[:, place]) for place in range(3))
    return table.cosines(b - a + c)


def _cos_mul(table: _Table, ids: NDArray[np.int64]) -> NDArray[np.float32]:
    # Cosines are shifted to 0..1 (footnote 7 of the paper), so that signs do not cancel.
    a, b, c = ((1 + table.cosines(table.units(ids[:, place]))) / 2 for place in range(3))
    return (b * c / (a + 1e-6)).astype(np.float32, copy=False)


def _best(scores: NDArray[np.float32], variants: list[int]) -> int:
    """The best row that is no variant of a given word, -1 without any; ``scores`` is changed."""
    variant_scores = scores[variants]
    scores[variants] = -np.inf
    best = int(scores.argmax())
    nearer = np.count_nonzero(variant_scores > scores[best])
    if scores[best] > -np.inf and nearer < _WINDOW:
        return best
    window = np.argsort(-variant_scores, kind="stable")[:_WINDOW]
    return variants[window[-1]] if variants else -1


def _by_section(sections: Iterable[Section], is_right: Iterable[bool | None]) -> AnalogyResult:
    outcomes = iter(is_right)
    results = []
    for section in sections:
        judged = [(question, next(outcomes)) for question in section.questions]
        results.append(
            SectionResult(
                section.name,
                correct=tuple(question for question, right in judged if right),
                incorrect=tuple(question for question, right in judged if right is False),
                skipped=sum(right is None for _, right in judged),
            )
        )
    return AnalogyResult(tuple(results))


def _merge(name: str, parts: Iterable[SectionResult]) -> SectionResult:
    chosen = list(parts)
    return SectionResult(
        name,
        correct=tuple(question for part in chosen for question in part.correct),
        incorrect=tuple(question for part in chosen for question in part.incorrect),
        skipped=sum(part.skipped for part in chosen),
    )
