"""Analogies and similarities with known answers: how many are right, and which."""

from __future__ import annotations

from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from windrow.errors import MissingWordError
from windrow.evaluation.analogy import Section, evaluate_analogies, read_questions
from windrow.evaluation.pairs import WordPair, read_pairs
from windrow.evaluation.similarity import evaluate_similarity
from windrow.explore.asked import Answers, Asked
from windrow.explore.work import Work

if TYPE_CHECKING:
    from windrow.embeddings.vectors import WordVectors

_SHOWN = 300  # questions of a section, and pairs: as many as somebody reads


class Questions(NamedTuple):
    """What word vectors are to be asked, and whose answers are known; empty without a file."""

    analogies: list[Section]
    pairs: list[WordPair]

    @classmethod
    def read(cls, analogies: str | None, similarity: str | None) -> Questions:
        """The questions in files, as ``windrow vectors evaluate`` takes them."""
        return cls(read_questions(analogies) if analogies else [], read_pairs(similarity) if similarity else [])


class Scores:
    """The scores of some vectors, each computed when it is first asked for."""

    def __init__(self, vectors: WordVectors, questions: Questions) -> None:
        self._vectors, self._questions = vectors, questions
        self._lock = Lock()

    def answers(self) -> Answers:
        """By the question; those that there are questions for."""
        found: Answers = {}
        if self._questions.analogies:
            found["analogies"] = self.analogies
        if self._questions.pairs:
            found["similarity"] = self.similarity
        return found

    @cached_property
    def _analogies(self) -> Work:
        return Work(self._judge_analogies)

    @cached_property
    def _similarity(self) -> Work:
        return Work(self._judge_similarity)

    def analogies(self, _: Asked) -> dict[str, Any]:
        """The accuracy of each section, and its questions with whether they were answered right."""
        with self._lock:
            work = self._analogies
        return work.result()

    def similarity(self, _: Asked) -> dict[str, Any]:
        """The correlation of cosines with human scores, and the pairs with both."""
        with self._lock:
            work = self._similarity
        return work.result()

    def _judge_analogies(self) -> dict[str, Any]:
        vectors = self._vectors
        vectors.check_finite()
        result = evaluate_analogies(
            self._questions.analogies, vectors.index_to_key, vectors.vectors, norms=vectors.norms
        )
        sections = [
            {
                "name": part.name,
                **part.to_json(),
                "questions": [
                    {"words": list(question), "right": is_right}
                    for is_right, questions in ((False, part.incorrect), (True, part.correct))
                    for question in questions[:_SHOWN]
                ],
            }
            for part in result.sections
        ]
        return {"ready": True, **result.overall.to_json(), "sections": sections}

    def _judge_similarity(self) -> dict[str, Any]:
        vectors, pairs = self._vectors, self._questions.pairs
        result = evaluate_similarity(pairs, vectors.index_to_key, vectors.vectors)
        by_score = sorted(pairs, key=lambda pair: -pair.score)[:_SHOWN]
        shown = [{"words": pair[:2], "human": pair.score, "cosine": self._cosine(*pair[:2])} for pair in by_score]
        return {"ready": True, **result.to_json(), "pairs_shown": shown}

    def _cosine(self, first: str, second: str) -> float | None:
        try:
            return self._vectors.similarity(first, second)
        except MissingWordError:
            return None
