"""Word analogies: "Athens is to Greece as Oslo is to ?", by section (Mikolov et al. 2013)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from windrow.errors import DataError, OptionError, WindrowError
from windrow.evaluation.lookup import check_table, form_of, rows_of, takes_gensims_name
from windrow.evaluation.pairs import numbered_lines, read_pairs
from windrow.evaluation.section_kinds import Kind, kind_of
from windrow.evaluation.similarity import check_restriction, row_norms
from windrow.notebook import ResultTables

Question = tuple[str, str, str, str]
Method = Literal["3cosadd", "3cosmul"]
METHODS: tuple[Method, ...] = ("3cosadd", "3cosmul")
Rows = NDArray[np.int64]  # of a table of vectors

_CANDIDATES = 5  # the words that are looked at for each question, as in gensim
_TILE_COSINES = 1 << 19  # 2 MB, which the cache of a core holds
_LEAST_TILE = 64  # rows


@dataclass(frozen=True)
class Section:
    """A named group of questions: A is to B as C is to the expected word."""

    name: str
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class SectionResult(ResultTables):
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
class AnalogyResult(ResultTables):
    """The result of ``evaluate_analogies``: answers by section, and their sums.

    Attributes
    ----------
    sections : tuple of SectionResult
        Each has ``name``, ``correct``, ``incorrect`` (tuples of questions), ``skipped``, ``total`` and ``accuracy``.
    overall, semantic, syntactic : SectionResult
        All sections together; those about the world; those about grammar. Names tell which, those of Google's
        questions, BATS and MSR; a section with another name is in ``overall`` only.
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
        """The sections about the world, such as ``capital-world``."""
        return self._of_kind("semantic")

    @property
    def syntactic(self) -> SectionResult:
        """The sections about grammar, such as ``gram8-plural``."""
        return self._of_kind("syntactic")

    @property
    def accuracy(self) -> float:
        """Fraction of correct answers over all sections, 0..1."""
        return self.overall.accuracy

    def _of_kind(self, kind: Kind) -> SectionResult:
        return _merge(kind, (part for part in self.sections if kind_of(part.name) == kind))

    def to_json(self) -> dict[str, Any]:
        """The sums, and the same by section; sections with the same name are added up."""
        names = dict.fromkeys(part.name for part in self.sections)
        by_name = {
            name: _merge(name, (part for part in self.sections if part.name == name)).to_json() for name in names
        }
        return {**self.overall.to_json(), "sections": by_name}


def read_questions(path: str | os.PathLike[str]) -> list[Section]:
    """Read analogy questions in Google's format: a line ``: NAME`` starts a section, then four words per line.

    Words with spaces need tabs between them. Lines that start with ``//`` are skipped.

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
        if line.startswith("//"):  # the license, in some copies of Google's file
            continue
        if line.startswith(":"):
            names.append(line[1:].strip())
            questions.append([])
        elif fields := line.split():
            if line.count("\t") == 3:  # words with spaces
                fields = [field.strip() for field in line.split("\t")]
            if not names:
                _refuse_pairs(path)
                raise DataError(f"{path}, line {number}: a question before any section; put ': NAME' on line 1")
            if len(fields) != 4:
                raise DataError(f"{path}, line {number}: a question is four words, this line has {len(fields)}")
            questions[-1].append((fields[0], fields[1], fields[2], fields[3]))
    if not any(questions):
        raise DataError(f"{path} holds no analogy questions; expected ': NAME', then four words per line")
    return [Section(name, tuple(asked)) for name, asked in zip(names, questions, strict=True)]


def _refuse_pairs(path: str | os.PathLike[str]) -> None:
    """Raise DataError for a file that can be read as word pairs with scores."""
    try:
        read_pairs(path)
    except WindrowError:
        return
    raise DataError(f"{path} holds word pairs with scores, not questions of analogies; use evaluate_similarity")


@takes_gensims_name
def evaluate_analogies(
    questions: Sequence[Section] | str | os.PathLike[str],
    words: Sequence[str],
    vectors: NDArray[np.float32],
    *,
    norms: NDArray[np.float32] | None = None,
    restrict_vocab: int | None = 300_000,
    case_sensitive: bool = False,
    dummy4unknown: bool = False,
    method: Method = "3cosadd",
) -> AnalogyResult:
    """Answer analogy questions, "a is to b as c is to ?", by arithmetic with vectors.

    The answer is the best word that is none of the three given ones, in any spelling. The rules are those of gensim's
    ``evaluate_word_analogies``, except that the exact spelling of a word comes before more frequent ones.

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
    case_sensitive : bool, default False
        Words are known by their exact spelling only. Otherwise the exact spelling counts if it is known, else the most
        frequent one that differs in case; and an answer that differs from the expected word in case is right.
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
    if not isinstance(sections, list | tuple) or not all(isinstance(part, Section) for part in sections):
        raise OptionError(f"questions must be a file, or a list of Section, not {str(questions)[:60]!r}")
    check_table(words, vectors)
    known = check_restriction(restrict_vocab, len(words))
    asked = _Asked([question for part in sections for question in part.questions], words[:known], case_sensitive)
    is_known = np.all(asked.rows >= 0, axis=1)  # by question
    given, expected = asked.rows[is_known, :3], asked.rows[is_known, 3]
    is_right = np.zeros(len(is_known), np.bool_)
    if len(given):
        answers = _answers(given, asked.form_of_row, _SearchedVectors(vectors[:known], norms), method)
        is_right[is_known] = (answers >= 0) & (asked.form_of_row[answers] == asked.form_of_row[expected])
    return _by_section(sections, is_right.tolist(), (is_known | dummy4unknown).tolist())


def check_method(method: str) -> None:
    """Raise OptionError for the name of no analogy method."""
    if method not in METHODS:
        raise OptionError(f"method = {method!r}; choose one of {', '.join(METHODS)}")


class _Asked:
    """The words in questions as rows of the vocabulary, so that all questions can be looked at together.

    ``rows`` (questions, 4) holds the row of each word, -1 if it is not known. Words that differ in case only have the
    same form, unless case counts; ``form_of_row`` numbers the forms, -1 for a row whose form no question has.
    """

    def __init__(self, questions: Sequence[Question], words: Sequence[str], case_sensitive: bool) -> None:
        known = rows_of(chain.from_iterable(questions), words, case_sensitive)
        rows = (known.get(word, -1) for word in chain.from_iterable(questions))
        self.rows = np.fromiter(rows, np.int64, 4 * len(questions)).reshape(-1, 4)
        forms = {form_of(words[row], case_sensitive): row for row in known.values()}
        numbers = (forms.get(form_of(word, case_sensitive), -1) for word in words)
        self.form_of_row = np.fromiter(numbers, np.int64, len(words))


class _SearchedVectors:
    """The vectors of the words that may answer, and their norms."""

    def __init__(self, vectors: NDArray[np.float32], norms: NDArray[np.float32] | None) -> None:
        self.vectors = np.asarray(vectors)
        self.norms = row_norms(self.vectors) if norms is None else norms[: len(vectors)]
        if not np.isfinite(self.norms).all():
            row = int(np.flatnonzero(~np.isfinite(self.norms))[0])
            raise OptionError(f"row {row + 1} of the vectors holds a number that is not finite")

    def units(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Vectors of length one, (rows, dimensions); zero vectors stay zero."""
        divisors = np.where(self.norms[rows] > 0, self.norms[rows], 1)
        return np.asarray(self.vectors[rows] / divisors[:, None], np.float32)

    def cosines(self, units: NDArray[np.float32], start: int, end: int) -> NDArray[np.float32]:
        """Cosines with the rows ``start`` to ``end - 1``, (units, rows): NaN, which never answers, for zero vectors."""
        divisors = np.where(self.norms[start:end] > 0, self.norms[start:end], np.nan)
        tile = np.asarray(self.vectors[start:end] / divisors[:, None], np.float32)
        return units @ tile.T


def _answers(given: Rows, form_of_row: Rows, searched: _SearchedVectors, method: Method) -> Rows:
    """The row that answers each question, -1 where there is none; ``given`` has the shape (questions, 3).

    "Athens is to Greece as Oslo is to ?", case-insensitive; words are shown with their rows::

        nearest      1 Greece  5 GREECE  4 Norway  7 Oslo  9 oslo  3 Athens  8 Bergen  2 Sweden
        candidates             5 GREECE  4 Norway          9 oslo            8 Bergen  2 Sweden    no given row
        answer                           4 Norway                                                  no given form

    gensim too looks at five candidates. When all have given forms it answers with the last of them.
    """
    candidates = _without(given, _nearest(given, searched, method))  # (questions, 5)
    has_given_form = (form_of_row[candidates][:, :, None] == form_of_row[given][:, None, :]).any(axis=2)
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
