"""How good a model is on text held back, as parts of a page."""

from __future__ import annotations

from typing import Any

from windrow.classification.classifier import TextClassifier
from windrow.errors import OptionError, shown
from windrow.lm.base import LanguageModel
from windrow.report import markup
from windrow.tagging.tagger import WindowTagger
from windrow.viz.results import count_pairs

_MOST_LABELS = 20


def judged_on(model: Any, valid: Any) -> list[str]:
    """Scores on sentences or texts, as the model's ``evaluate`` takes them, and which label is taken for which."""
    match model:
        case LanguageModel():
            return [markup.facts("perplexity", _spelled(model.evaluate(valid).to_json()))]
        case WindowTagger():
            scores = _scores(model.evaluate(valid).to_json(), "types", "support", "entities")
            return [scores, _confusion("tokens by their tags", *model.true_and_predicted(valid))]
        case TextClassifier():
            scores = _scores(model.evaluate(valid).to_json(), "labels", "examples", "texts")
            return [scores, _confusion("texts by their labels", *model.true_and_predicted(valid))]
    told = "is for language models, taggers and text classifiers, not for word vectors; leave it out"
    raise OptionError(f"valid = {shown(valid)} {told}")


def _scores(found: dict[str, Any], parts: str, count: str, counted: str) -> str:
    """Precision, recall and F1 of all and of each part."""
    columns = ("precision", "recall", "f1")
    rows = [(name, *(one.get(column) for column in columns), one[count]) for name, one in found[parts].items()]
    whole = {name: value for name, value in found.items() if not isinstance(value, dict)}
    return markup.facts("all", _spelled(whole)) + markup.table(f"by {parts[:-1]}", rows, ("", *columns, counted))


def _spelled(found: dict[str, Any]) -> dict[str, Any]:
    return {name.replace("_", " "): value for name, value in found.items()}


def _confusion(what: str, true: list[Any], predicted: list[Any]) -> str:
    labels, counts, different = count_pairs(true, predicted, _MOST_LABELS)
    most = f", the {len(labels)} most frequent of {different}" * (different > len(labels))
    return markup.shares(f"{what}: true ones down, predicted ones across{most}", labels, counts.tolist())
