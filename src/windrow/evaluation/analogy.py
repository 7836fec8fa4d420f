"""Word analogies: "Athens is to Greece as Oslo is to ?", by section (Mikolov et al. 2013)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from windrow.errors import DataError, OptionError
from windrow.evaluation.similarity import check_restriction, fold, numbered_lines, row_norms, spellings

Question = tuple[str, str, str, str]
Method = Literal["3cosadd", "3cosmul"]
METHODS: tuple[Method, ...] = ("3cosadd", "3cosmul")

# gensim looks at the five nearest words: a question is lost when all are other spellings of the given ones.
_WINDOW = 5
# Cosines of a tile: 2 MB, which the cache of a core holds.
_TILE_COSINES = 1 << 19
_LEAST_TILE = 64


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
    forms = _Forms(
        [question for section in sections for question in section.questions], words[:known], case_insensitive
    )
    is_known = np.all(forms.first_rows[forms.asked] >= 0, axis=1)  # by question
    asked = forms.asked[is_known]
    is_right = np.zeros(len(is_known), np.bool_)
    if len(asked):
        answers = _answers(asked[:, :3], forms, _Table(vectors[:known], norms), method)
        is_right[is_known] = (answers >= 0) & (forms.of_row[answers] == asked[:, 3])
    return _by_section(sections, is_right.tolist(), (is_known | dummy4unknown).tolist())


def check_method(method: str) -> None:
    """Raise OptionError for the name of no analogy method."""
    if method not in METHODS:
        raise OptionError(f"method = {method!r}; choose one of {', '.join(METHODS)}")


class _Forms:
    """The folded words of questions, numbered, so that all questions can be looked at together.

    ``asked`` (questions, 4) holds their numbers, ``first_rows`` the row of each one's first spelling (-1: unknown),
    ``of_row`` the number of the form that a row of the table spells (-1: no question has it).
    """

    def __init__(self, questions: Sequence[Question], words: Sequence[str], case_insensitive: bool) -> None:
        numbers: dict[str, int] = {}
        spelt = dict.fromkeys(chain.from_iterable(questions), 0)
        for word in spelt:
            spelt[word] = numbers.setdefault(fold(word, case_insensitive), len(numbers))
        asked = map(spelt.__getitem__, chain.from_iterable(questions))
        self.asked = np.fromiter(asked, np.int64, 4 * len(questions)).reshape(-1, 4)
        self.first_rows = np.full(len(numbers), -1, np.int64)
        self.of_row = np.full(len(words), -1, np.int64)
        for form, rows in spellings(words, set(numbers), case_insensitive).items():
            self.first_rows[numbers[form]] = rows[0]
            self.of_row[rows] = numbers[form]


class _Table:
    """The vectors that may answer, and what divides them into unit vectors."""

    def __init__(self, vectors: NDArray[np.float32], norms: NDArray[np.float32] | None) -> None:
        self.vectors = np.asarray(vectors)
        self.norms = row_norms(self.vectors) if norms is None else norms[: len(vectors)]

    def units(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Vectors of length one, (rows, dimensions); zero vectors stay zero."""
        divisors = np.where(self.norms[rows] > 0, self.norms[rows], 1)
        return np.asarray(self.vectors[rows] / divisors[:, None], np.float32)

    def cosines(self, units: NDArray[np.float32], start: int, end: int) -> NDArray[np.float32]:
        """Cosines with the rows from ``start`` to ``end``, (units, rows): NaN for zero vectors, so no answers."""
        divisors = np.where(self.norms[start:end] > 0, self.norms[start:end], np.nan)
        tile = np.asarray(self.vectors[start:end] / divisors[:, None], np.float32)
        return units @ tile.T


def _answers(asked: NDArray[np.int64], forms: _Forms, table: _Table, method: Method) -> NDArray[np.int64]:
    """The row that answers each question, -1 where no word is left; ``asked`` (questions, 3) holds forms."""
    given = forms.first_rows[asked]
    rows = _nearest(given, table, method)
    is_answer = (rows >= 0) & ~(rows[:, :, None] == given[:, None, :]).any(axis=2)
    order = np.argsort(~is_answer, axis=1, kind="stable")[:, :_WINDOW]
    window = np.where(np.take_along_axis(is_answer, order, 1), np.take_along_axis(rows, order, 1), -1)
    is_other = (window >= 0) & ~(forms.of_row[window][:, :, None] == asked[:, None, :]).any(axis=2)
    # The first word that is no spelling of a given one; gensim takes the last of the window when all are.
    place = np.where(is_other.any(axis=1), is_other.argmax(axis=1), np.count_nonzero(window >= 0, axis=1) - 1)
    answers: NDArray[np.int64] = np.take_along_axis(window, place[:, None], 1)[:, 0]
    return answers


def _nearest(given: NDArray[np.int64], table: _Table, method: Method) -> NDArray[np.int64]:
    """Rows of the best words for each question, best first, the given words among them; -1 where there are less.

    The questions share few words: their cosines with a tile of the table are computed once, and put together by
    question. Thus 3CosAdd costs no product a question, for (b - a + c) . x = b . x - a . x + c . x.
    """
    # Only here, so that queries and the similarity of words do without Numba.
    from windrow.evaluation.kernels.neighbors import keep_best_ratios, keep_best_sums, no_answers, ranked

    used, places = np.unique(given, return_inverse=True)
    questions, units = places.reshape(given.shape), table.units(used)
    best = no_answers(len(given), _WINDOW + given.shape[1])
    tile = max(_LEAST_TILE, _TILE_COSINES // len(used))
    for start in range(0, len(table.vectors), tile):
        cosines = table.cosines(units, start, start + tile)  # (used, tile)
        if method == "3cosadd":
            keep_best_sums(cosines, questions, start, best)
        else:
            cosines += 1  # shifted to 0..1 (footnote 7 of the paper), so that signs do not cancel
            cosines /= 2
            keep_best_ratios(cosines, questions, start, best)
    return ranked(best).rows


def _by_section(sections: Iterable[Section], is_right: Sequence[bool], counts: Sequence[bool]) -> AnalogyResult:
    """Questions parted into right, wrong and skipped; ``is_right`` and ``counts`` have one entry a question."""
    results, start = [], 0
    for section in sections:
        end = start + len(section.questions)
        judged = list(zip(section.questions, is_right[start:end], counts[start:end], strict=True))
        results.append(
            SectionResult(
                section.name,
                correct=tuple(question for question, right, _ in judged if right),
                incorrect=tuple(question for question, right, counted in judged if counted and not right),
                skipped=counts[start:end].count(False),
            )
        )
        start = end
    return AnalogyResult(tuple(results))


def _merge(name: str, parts: Iterable[SectionResult]) -> SectionResult:
    chosen = list(parts)
    return SectionResult(
        name,
        correct=tuple(question for part in chosen for question in part.correct),
        incorrect=tuple(question for part in chosen for question in part.incorrect),
        skipped=sum(part.skipped for part in chosen),
    )
