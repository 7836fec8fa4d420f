"""What a model answers, as a page shows it: neighbors, texts, the words of each label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from windrow.classification.classifier import TextClassifier
from windrow.embeddings.map_words import ENGLISH, map_words
from windrow.embeddings.vectors import WordVectors
from windrow.lm.base import LanguageModel
from windrow.report import markup

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORDS, _NEIGHBORS = 10, 5
_TEXTS, _LONGEST, _SEED = 5, 40, 1
_LABELS, _OF_LABEL = 12, 6
_TRIED = 2000  # words of a classifier, the most frequent ones


def samples_of(model: Any) -> list[str]:
    """Parts of a section; none for what has nothing to show by itself."""
    match model:
        case WordVectors():
            return _of_vectors(model)
        case LanguageModel():
            return _of_language_model(model)
        case TextClassifier():
            return _of_classifier(model)
    return []


def _of_vectors(vectors: WordVectors) -> list[str]:
    if len(vectors) < 2:
        return []
    words = map_words(vectors, None, max(2, min(_WORDS, len(vectors))), ENGLISH, 0, ())
    rows = ((word, _numbered(vectors.most_similar(word, topn=_NEIGHBORS))) for word in words)
    told = f"The nearest words of {len(words)} frequent ones, words of English grammar left out, with their cosines:"
    return [markup.paragraph(told), markup.items(rows)]


def _of_language_model(model: LanguageModel) -> list[str]:
    texts = model.generate(num_return_sequences=_TEXTS, max_new_tokens=_LONGEST, seed=_SEED, do_sample=True)
    first = [("first word of a sentence", _numbered(model.top_words("", 8)))]
    told = f"Texts drawn word by word, with seed {_SEED}, of at most {_LONGEST} words or characters:"
    return [
        markup.paragraph(told),
        markup.quotes(text.text for text in texts),
        markup.paragraph("The likeliest beginnings, with their probabilities:"),
        markup.items(first),
    ]


def _of_classifier(model: TextClassifier) -> list[str]:
    """The words that give each label the highest probability, each as a text of its own."""
    words = [word for word in model.features_.words[:_TRIED] if word != "</s>"]
    if not words:
        return []
    probabilities = model.predict_proba([[word] for word in words])
    frequent = np.argsort(-model.class_counts_, kind="stable")[:_LABELS].tolist()
    rows = ((str(model.classes_[label]), _words_of(probabilities[:, label], words)) for label in frequent)
    told = "The words that make a label likeliest, each as a text of its own, with the label's probability:"
    return [markup.paragraph(told), markup.items(rows)]


def _words_of(probabilities: Any, words: list[str]) -> Iterator[tuple[str, str]]:
    best = np.argsort(-probabilities, kind="stable")[:_OF_LABEL].tolist()
    return _numbered([(words[place], float(probabilities[place])) for place in best])


def _numbered(pairs: Any) -> Iterator[tuple[str, str]]:
    return ((word, f"{number:.3f}") for word, number in pairs)
