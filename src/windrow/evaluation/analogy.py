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
Rows = NDArray[np.int64]  # of a table of vectors; in _Forms also the numbers of forms

_CANDIDATES = 5  # the words that are looked at for each question, as in gensim
_TILE_COSINES = 1 << 19  # 2 MB, which the cache of a core holds
_LEAST_TILE = 64  # rows


@dataclass(frozen=True)
class Section:
    """A named group of questions: A is to B as C is to the expected word."""

    name: str
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class SectionResult:
    """The questions of a section that were answered correctly and incorrectly, and how many were skipped."""

    name: str
    correct: tuple[Question, ...]
    incorrect: tuple[Question, ...]
    skipped: int  # had a word that is not in the vocabulary

    @property
    def total(self) -> int:
        """Questions that were asked."""
        return len(self.correct) + len(self.incorrect)

    @property
    def accuracy(self) -> float:
        """Fraction of correct answers, 0..1; 0 when no question could be asked."""
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
    """The result of ``evaluate_analogies``: answers by section, and their sums.

    Attributes
    ----------
    sections : tuple of SectionResult
        Each has ``name``, ``correct``, ``incorrect`` (tuples of questions), ``skipped``, ``total`` and ``accuracy``.
    overall, semantic, syntactic : SectionResult
        All sections together; those about the world; those about grammar, whose names start with ``gram``.
    accuracy : float
        Fraction of correct answers over all sections, 0..1.

    Examples
    --------
    >>> import numpy as np
    >>> from windrow.evaluation import evaluate_analogies
    >>> from windrow.evaluation.analogy import Section
    >>> capitals = Section("capitals", (("Athens", "Greece", "Oslo", "Norway"),))
    >>> vectors = np.array([[1, 0], [1, 1], [3, 0], [3, 2]], np.float32)
    >>> result = evaluate_analogies([capitals], ["Athens", "Greece", "Oslo", "Norway"], vectors)
    >>> result.overall.to_json()
    {'accuracy': 1.0, 'correct': 1, 'total': 1, 'skipped': 0}
    """

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
        """Fraction of correct answers over all sections, 0..1."""
        return self.overall.accuracy

    def to_json(self) -> dict[str, Any]:
        """The sums, and the same by section; sections with the same name are added up."""
        names = dict.fromkeys(part.name for part in self.sections)
        by_name = {
            name: _merge(name, (part for part in self.sections if part.name == name)).to_json() for name in names
        }
        return {**self.overall.to_json(), "sections": by_name}


def read_questions(path: str | os.PathLike[str]) -> list[Section]:
    """Read analogy questions in Google's format: a line ``: NAME`` starts a section, then four words per line.

    Parameters
    ----------
    path : str or os.PathLike
        A UTF-8 file.

    Returns
    -------
    list of Section
        Each has a ``name`` and its ``questions``, tuples of four words.

    Raises
    ------
    DataError
        The file cannot be read, holds no question, or has a line of another kind, which the message names.

    Examples
    --------
    >>> from pathlib import Path
    >>> from windrow.evaluation import read_questions
    >>> path = Path("questions.txt")
    >>> characters = path.write_text(": capitals\\nAthens Greece Oslo Norway\\n")
    >>> read_questions(path)
    [Section(name='capitals', questions=(('Athens', 'Greece', 'Oslo', 'Norway'),))]
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
        raise DataError(f"{path} holds no analogy questions; expected ': NAME', then four words per line")
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
    """Answer analogy questions, "a is to b as c is to ?", by arithmetic with vectors.

    The answer is the best word that is none of the three given ones, in any spelling. The rules are those of gensim's
    ``evaluate_word_analogies``.

    Parameters
    ----------
    questions : sequence of Section, or path
        What ``read_questions`` returns, or a file that it can read.
    words : sequence of str
        The vocabulary, most frequent words first.
    vectors : array of float32, shape (words, dimensions)
        The vector of each word.
    norms : array of float32, shape (words,), default None
        Euclidean lengths of the vectors, if you have them already.
    restrict_vocab : int or None, default 300,000
        Only the first ``restrict_vocab`` words are known and may answer; None: all. With fewer words it is faster, and
        rare words do not answer by chance.
    case_insensitive : bool, default True
        Compare upper-cased words; a question uses the most frequent spelling.
    dummy4unknown : bool, default False
        Count a question with an unknown word as wrong instead of skipping it.
    method : {"3cosadd", "3cosmul"}, default "3cosadd"
        The word nearest to b - a + c, or the one with the largest cos(b) cos(c) / (cos(a) + 1e-6), each cosine shifted
        to 0..1 (Levy & Goldberg 2014, eq. 4).

    Returns
    -------
    AnalogyResult

    Raises
    ------
    OptionError
        ``method`` or ``restrict_vocab`` is out of range.
    DataError
        The file cannot be read or holds no questions.

    Examples
    --------
    >>> import numpy as np
    >>> from windrow.evaluation import evaluate_analogies
    >>> from windrow.evaluation.analogy import Section
    >>> capitals = Section("capitals", (("Athens", "Greece", "Oslo", "Norway"),))
    >>> vectors = np.array([[1, 0], [1, 1], [3, 0], [3, 2]], np.float32)
    >>> evaluate_analogies([capitals], ["Athens", "Greece", "Oslo", "Norway"], vectors).accuracy
    1.0
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
        searched = _SearchedVectors(vectors[:known], norms)
        answers = _answers(asked[:, :3], forms, searched, method)
        is_right[is_known] = (answers >= 0) & (forms.of_row[answers] == asked[:, 3])
    return _by_section(sections, is_right.tolist(), (is_known | dummy4unknown).tolist())


def check_method(method: str) -> None:
    """Raise OptionError for the name of no analogy method."""
    if method not in METHODS:
        raise OptionError(f"method = {method!r}; choose one of {', '.join(METHODS)}")


class _Forms:
    """The forms of the words in questions, numbered, so that all questions can be looked at together.

    The form of a word is its upper case, with ``case_insensitive``, else the word itself: "oslo" and "Oslo" are two
    spellings of one form. ``asked`` (questions, 4) holds the numbers of forms; ``first_rows`` the row of the first word
    with each form, -1 if no word has it; ``of_row`` the form of each row, -1 if no question has it.
    """

    def __init__(self, questions: Sequence[Question], words: Sequence[str], case_insensitive: bool) -> None:
        numbers: dict[str, int] = {}
        form_of = dict.fromkeys(chain.from_iterable(questions), 0)
        for word in form_of:
            form_of[word] = numbers.setdefault(fold(word, case_insensitive), len(numbers))
        asked = map(form_of.__getitem__, chain.from_iterable(questions))
        self.asked = np.fromiter(asked, np.int64, 4 * len(questions)).reshape(-1, 4)
        self.first_rows = np.full(len(numbers), -1, np.int64)
        self.of_row = np.full(len(words), -1, np.int64)
        for form, rows in spellings(words, set(numbers), case_insensitive).items():
            self.first_rows[numbers[form]] = rows[0]
            self.of_row[rows] = numbers[form]


class _SearchedVectors:
    """The vectors of the words that may answer, and their norms."""

    def __init__(self, vectors: NDArray[np.float32], norms: NDArray[np.float32] | None) -> None:
        self.vectors = np.asarray(vectors)
        self.norms = row_norms(self.vectors) if norms is None else norms[: len(vectors)]

    def units(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Vectors of length one, (rows, dimensions); zero vectors stay zero."""
        divisors = np.where(self.norms[rows] > 0, self.norms[rows], 1)
        return np.asarray(self.vectors[rows] / divisors[:, None], np.float32)

    def cosines(self, units: NDArray[np.float32], start: int, end: int) -> NDArray[np.float32]:
        """Cosines with the rows ``start`` to ``end - 1``, (units, rows): NaN, which never answers, for zero vectors."""
        divisors = np.where(self.norms[start:end] > 0, self.norms[start:end], np.nan)
        tile = np.asarray(self.vectors[start:end] / divisors[:, None], np.float32)
        return units @ tile.T


def _answers(asked: Rows, forms: _Forms, searched: _SearchedVectors, method: Method) -> Rows:
    """The row that answers each question, -1 where there is none; ``asked`` (questions, 3) holds forms.

    "Athens is to Greece as Oslo is to ?", case-insensitive; words are shown with their rows::

        nearest      1 Greece  5 GREECE  4 Norway  7 Oslo  9 oslo  3 Athens  8 Bergen  2 Sweden
        candidates             5 GREECE  4 Norway          9 oslo            8 Bergen  2 Sweden    no given row
        answer                           4 Norway                                                  no given form

    gensim too looks at five candidates. When all have given forms it answers with the last of them.
    """
    given = forms.first_rows[asked]
    candidates = _without(given, _nearest(given, searched, method))  # (questions, 5)
    has_given_form = (forms.of_row[candidates][:, :, None] == asked[:, None, :]).any(axis=2)
    may_answer = (candidates >= 0) & ~has_given_form
    last = np.count_nonzero(candidates >= 0, axis=1) - 1
    place = np.where(may_answer.any(axis=1), may_answer.argmax(axis=1), last)
    answers: Rows = np.take_along_axis(candidates, place[:, None], 1)[:, 0]
    return answers


def _without(given: Rows, rows: Rows) -> Rows:
    """The first five of each question's ``rows`` that are not given, (questions, 5), filled up with -1."""
    is_candidate = (rows >= 0) & ~(rows[:, :, None] == given[:, None, :]).any(axis=2)
    order = np.argsort(~is_candidate, axis=1, kind="stable")[:, :_CANDIDATES]  # candidates first, in their order
    return np.where(np.take_along_axis(is_candidate, order, 1), np.take_along_axis(rows, order, 1), -1)


def _nearest(given: Rows, searched: _SearchedVectors, method: Method) -> Rows:
    """The rows of the best words for each question, (questions, 8), best first, then -1; given words are among them.

    Many questions share few words. So the cosines of these words with a tile of the table are computed once, and a
    question needs no product of its own: (b - a + c) . x = b . x - a . x + c . x.
    """
    # Imported here, so that queries and word similarity need not load Numba.
    from windrow.evaluation.kernels.neighbors import keep_best_ratios, keep_best_sums, no_answers, ranked

    used, places = np.unique(given, return_inverse=True)
    questions, units = places.reshape(given.shape), searched.units(used)
    best = no_answers(len(given), _CANDIDATES + given.shape[1])
    tile = max(_LEAST_TILE, _TILE_COSINES // len(used))
    for start in range(0, len(searched.vectors), tile):
        cosines = searched.cosines(units, start, start + tile)  # (used, tile)
        if method == "3cosadd":
            keep_best_sums(cosines, questions, start, best)
        else:
            cosines += 1  # shifted to 0..1 (footnote 7 of the paper), so that no factor is negative
            cosines /= 2
            keep_best_ratios(cosines, questions, start, best)
    return ranked(best).rows


def _by_section(sections: Iterable[Section], is_right: Sequence[bool], counts: Sequence[bool]) -> AnalogyResult:
    """Questions separated into right, wrong and skipped; ``is_right`` and ``counts`` have one entry per question."""
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
