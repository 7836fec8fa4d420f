"""What the page asks of word vectors: completion, neighbors, analogies, maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from windrow.explore.asked import Answers, Asked
from windrow.explore.completion import Completion
from windrow.explore.maps import Maps
from windrow.explore.scores import Questions, Scores

if TYPE_CHECKING:
    from windrow.embeddings.queries import Neighbors
    from windrow.embeddings.vectors import WordVectors

_MOST_COMPLETIONS = 12
_MOST_NEIGHBORS = 100


class VectorAnswers:
    """The answers of one file of word vectors."""

    def __init__(self, vectors: WordVectors, questions: Questions) -> None:
        self._vectors = vectors
        self._maps, self._scores = Maps(vectors), Scores(vectors, questions)
        # The first question is answered as fast as the others, since what all of them need is there.
        self._completion = Completion(vectors.index_to_key)
        _ = vectors.norms

    def answers(self) -> Answers:
        """By the question."""
        return {
            "complete": self.complete,
            "neighbors": self.neighbors,
            "analogy": self.analogy,
            "map": self._maps.answer,
            **self._scores.answers(),
        }

    def complete(self, asked: Asked) -> dict[str, Any]:
        """Words that begin with what was typed."""
        return {"words": self._completion.starting_with(asked.word("word"), _MOST_COMPLETIONS)}

    def neighbors(self, asked: Asked) -> dict[str, Any]:
        """The words nearest to a word, or to the sum of several."""
        text, topn = asked.word("word"), _topn(asked)
        words = [text] if text in self._vectors else text.split()
        return _scored(self._vectors.most_similar(words, topn=topn))

    def analogy(self, asked: Asked) -> dict[str, Any]:
        """The answers to "a is to b as c is to ?"."""
        a, b, c = (asked.word(name) for name in "abc")
        return _scored(self._vectors.analogy(a, b, c, topn=_topn(asked)))


def _topn(asked: Asked) -> int:
    return asked.whole("how_many", 10, 1, _MOST_NEIGHBORS)


def _scored(neighbors: Neighbors) -> dict[str, Any]:
    return {"neighbors": [{"word": word, "cosine": cosine} for word, cosine in neighbors]}
