"""What the page asks of taggers and of text classifiers: entities, labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from windrow.errors import DataError
from windrow.evaluation.spans import spans_of
from windrow.explore.asked import Answers, Asked

if TYPE_CHECKING:
    from windrow.classification.classifier import TextClassifier
    from windrow.tagging.tagger import WindowTagger

_MOST_LABELS = 20


class TaggerAnswers:
    """The answers of one tagger."""

    def __init__(self, tagger: WindowTagger) -> None:
        self._tagger = tagger

    def answers(self) -> Answers:
        """By the question."""
        return {"tag": self.tag}

    def tag(self, asked: Asked) -> dict[str, Any]:
        """The tokens of a sentence in order: spans with their type, and what lies between them with None."""
        tokens = asked.text("text", "type a sentence first").split()
        tags = self._tagger.predict([tokens])[0]
        try:
            spans = [(span.type, span.start, span.stop) for span in spans_of(tags)]
        except DataError:  # not entities: parts of speech, say
            spans = [(tag, place, place + 1) for place, tag in enumerate(tags)]
        parts: list[dict[str, Any]] = []
        done = 0
        for kind, start, stop in [*spans, (None, len(tokens), len(tokens))]:
            if start > done:
                parts.append({"type": None, "tokens": tokens[done:start]})
            if stop > start:
                parts.append({"type": kind, "tokens": tokens[start:stop]})
            done = stop
        return {"parts": parts}


class ClassifierAnswers:
    """The answers of one text classifier."""

    def __init__(self, classifier: TextClassifier) -> None:
        self._classifier = classifier

    def answers(self) -> Answers:
        """By the question."""
        return {"labels": self.labels}

    def labels(self, asked: Asked) -> dict[str, Any]:
        """The likeliest labels of a text, with their probabilities."""
        text = " ".join(asked.text("text", "type a text first").split())
        found = self._classifier.top_labels([text], _MOST_LABELS)[0]
        return {"labels": [{"label": str(label), "probability": probability} for label, probability in found]}
