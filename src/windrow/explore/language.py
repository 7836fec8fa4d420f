"""What the page asks of language models: the surprise of each word, the next word, texts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from windrow.explore.asked import Answers, Asked

if TYPE_CHECKING:
    from windrow.lm.base import LanguageModel

_NEXT_WORDS = 15
_LONGEST = 200  # words of a generated text
_BITS = math.log2(10)  # in one decimal digit


class LanguageAnswers:
    """The answers of one language model."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model

    def answers(self) -> Answers:
        """By the question."""
        return {"surprise": self.surprise, "next": self.next_words, "generate": self.generate}

    def surprise(self, asked: Asked) -> dict[str, Any]:
        """The surprise of each word of a sentence in bits, -log2 of its probability; None where that is zero."""
        scores = self._model.word_scores(asked.text("text", "type a sentence first"))
        bits = [-score.log10_prob * _BITS for score in scores]
        mean = sum(bits) / len(bits) if bits else 0.0
        words = [
            {"word": score.word, "bits": _finite(one), "unknown": score.oov, "order": score.order}
            for score, one in zip(scores, bits, strict=True)
        ]
        return {"words": words, "perplexity": _finite(2**mean if mean < 1000 else math.inf)}

    def next_words(self, asked: Asked) -> dict[str, Any]:
        """The likeliest words to follow a text, which may be empty."""
        found = self._model.top_words(asked.text("text"), _NEXT_WORDS)
        return {"words": [{"word": word, "probability": probability} for word, probability in found]}

    def generate(self, asked: Asked) -> dict[str, Any]:
        """Texts that go on from a prompt."""
        texts = self._model.generate(
            asked.text("prompt"),
            max_new_tokens=asked.whole("most_words", 30, 1, _LONGEST),
            temperature=asked.number("temperature", 1.0, 0.05, 5.0),
            top_k=asked.whole("top_k", 0, 0, 100_000),
            top_p=asked.number("top_p", 1.0, 0.01, 1.0),
            num_return_sequences=asked.whole("count", 3, 1, 10),
            seed=asked.whole("seed", 1, 0, 2**31),
        )
        return {"texts": [text.to_json() for text in texts]}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
