"""Word analogies: "Athens is to Greece as Oslo is to ?", by section (Mikolov et al. 2013)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, permutations
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from windrow.errors import DataError, OptionError, WindrowError
from windrow.evaluation.bootstrap import Interval, as_list, mean_interval
from windrow.evaluation.list_files import numbered_lines, text_files
from windrow.evaluation.lookup import check_table, form_of, rows_of, takes_gensims_name
from windrow.evaluation.pairs import read_pairs
from windrow.evaluation.section_kinds import Kind, kind_of
from windrow.evaluation.similarity import check_restriction, row_norms
from windrow.notebook import ResultTables

Question = tuple[str, ...]  # three given words, and one or more that answer
Method = Literal["3cosadd", "3cosmul"]
METHODS: tuple[Method, ...] = ("3cosadd", "3cosmul")
Rows = NDArray[np.int64]  # of a table of vectors

_CANDIDATES = 5  # the words that are looked at for each question, as in gensim
_TILE_COSINES = 1 << 19  # 2 MB, which the cache of a core holds
_LEAST_TILE = 64  # rows


@dataclass(frozen=True)
class Section:
    """A named group of questions: A is to B as C is to the expected word, or to any of several words."""

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

    @property
    def accuracy_interval(self) -> Interval | None:
        """Bounds of the accuracy, 95 % percentile bootstrap; None when no question could be asked.

        Questions that ask for the same pair of words are drawn together.
        """
        asked = [(question, 1.0) for question in self.correct] + [(question, 0.0) for question in self.incorrect]
        return mean_interval([right for _, right in asked], [asked_pair(question) for question, _ in asked])

    def to_json(self) -> dict[str, Any]:
        """Counts under the names that the command line prints."""
        return {
            "accuracy": self.accuracy,
            "accuracy_interval": as_list(self.accuracy_interval),
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
        Each has ``name``, ``correct``, ``incorrect`` (tuples of questions), ``skipped``, ``total``, ``accuracy`` and
        ``accuracy_interval`` (its bounds, 95 % percentile bootstrap over the pairs of words that are asked for).
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
    {'accuracy': 1.0, 'accuracy_interval': [1.0, 1.0], 'correct': 1, 'total': 1, 'skipped': 0}
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
    """Read analogy questions: a file in Google's format, or a folder of pairs as BATS has them.

    In Google's format (Mikolov et al. 2013) a line ``: NAME`` starts a section, then there are four words per line.
    Words with spaces need tabs between them. Lines that start with ``//`` are skipped.

    In a folder (BATS, Gladkova et al. 2016) each .txt or .tsv file, also of folders in it, is a section: a word, a tab,
    and its answer per line, several right ones with ``/`` between them, the most usual one first. Each pair of lines
    gives two questions, which show the first answer of one line and accept any of the other.

    Parameters
    ----------
    path : str or os.PathLike
        A UTF-8 file, or a folder of such files.

    Returns
    -------
    list of Section
        Each has a ``name`` and its ``questions``, tuples of four words, or more where several answers are right.

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
    if Path(path).is_dir():
        return [Section(file.stem, tuple(_questions_of(file))) for file in text_files(path)]
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


def _questions_of(file: Path) -> Iterator[Question]:
    """The questions of a file of BATS: those of each line after each other line."""
    pairs = []
    for number, line in numbered_lines(file):
        if not line.strip():
            continue
        word, _, listed = line.strip().partition("\t")
        answers = tuple(filter(None, map(str.strip, listed.split("/"))))
        if not word or not answers:
            raise DataError(
                f"{file}, line {number}: expected a word, a tab and its answers with / between them, "
                f"got {line.strip()[:60]!r}"
            )
        pairs.append((word.strip(), answers))
    if len(pairs) < 2:
        raise DataError(f"{file} holds {len(pairs)} pairs of words; analogies need two or more in a file")
    for (a, shown), (c, answers) in permutations(pairs, 2):
        yield (a, shown[0], c, *answers)


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

    The answer is the best word that is none of the three given ones, in any spelling; of several right answers it may
    be any, and a question is asked if one of them is known. The rules are those of gensim's
    ``evaluate_word_analogies``, except that the exact spelling of a word comes before more frequent ones.

    Parameters
    ----------
    questions : sequence of Section, or path
        What ``read_questions`` returns, or a file or folder that it can read.
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
    for part in sections:
        if short := next((question for question in part.questions if len(question) < 4), None):
            raise OptionError(f"a question is three words and one or more that answer, not {str(short)[:60]}")
    check_table(words, vectors)
    known = check_restriction(restrict_vocab, len(words))
    asked = _Asked([question for part in sections for question in part.questions], words[:known], case_sensitive)
    is_known = asked.are_known()  # by question
    is_right = np.zeros(len(is_known), np.bool_)
    if is_known.any():
        searched = _SearchedVectors(vectors[:known], norms)
        answers = np.full(len(is_known), -1)
        answers[is_known] = _answers(asked.given[is_known], asked.form_of_row, searched, method)
        is_right = asked.are_right(answers)
    return _by_section(sections, is_right.tolist(), (is_known | dummy4unknown).tolist())


def asked_pair(question: Question) -> tuple[str, ...]:
    """The pair of words that a question asks about, whatever pair it shows: answers to these are not independent."""
    return question[2:]


def check_method(method: str) -> None:
    """Raise OptionError for the name of no analogy method."""
    if method not in METHODS:
        raise OptionError(f"method = {method!r}; choose one of {', '.join(METHODS)}")


class _Asked:
    """The words in questions as rows of the vocabulary, so that all questions can be looked at together.

    ``given`` (questions, 3) and ``expected`` (right answers of all questions) hold the row of each word, -1 if it is
    not known; ``question`` the question of each right answer. Words that differ in case only have the same form, unless
    case counts; ``form_of_row`` numbers the forms, -1 for a row whose form no question has.
    """

    def __init__(self, questions: Sequence[Question], words: Sequence[str], case_sensitive: bool) -> None:
        known = rows_of(chain.from_iterable(questions), words, case_sensitive)
        answers = np.fromiter((len(question) - 3 for question in questions), np.int64, len(questions))
        rows = (known.get(word, -1) for question in questions for word in question[:3])
        self.given = np.fromiter(rows, np.int64, 3 * len(questions)).reshape(-1, 3)
        rows = (known.get(word, -1) for question in questions for word in question[3:])
        self.expected = np.fromiter(rows, np.int64, int(answers.sum()))
        self.question = np.repeat(np.arange(len(questions)), answers)
        forms = {form_of(words[row], case_sensitive): row for row in known.values()}
        numbers = (forms.get(form_of(word, case_sensitive), -1) for word in words)
        self.form_of_row = np.fromiter(numbers, np.int64, len(words))

    def are_known(self) -> NDArray[np.bool_]:
        """Whether the vocabulary has the given words of each question, and a right answer."""
        found: NDArray[np.bool_] = np.all(self.given >= 0, axis=1) & self._any_answer(self.expected >= 0)
        return found

    def are_right(self, answers: Rows) -> NDArray[np.bool_]:
        """Whether the row that answers each question, or -1, has the form of a right answer."""
        answer = answers[self.question]
        is_known = (answer >= 0) & (self.expected >= 0)
        return self._any_answer(is_known & (self.form_of_row[answer] == self.form_of_row[self.expected]))

    def _any_answer(self, is_so: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Whether something is so for any right answer of each question."""
        found: NDArray[np.bool_] = np.bincount(self.question, is_so, minlength=len(self.given)) > 0
        return found


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
