"""How good a model is on text held back, as parts of a page."""

from __future__ import annotations

from typing import Any

from windrow.classification.classifier import TextClassifier
from windrow.errors import OptionError, shown
from windrow.evaluation.perplexity import Perplexity
from windrow.lm.base import LanguageModel
from windrow.report import markup
from windrow.tagging.examples import read_examples
from windrow.tagging.tagger import WindowTagger
from windrow.viz.results import count_pairs

_MOST_LABELS = 20  # of a table of pairs
_MOST_ROWS = 50


def judged_on(model: Any, valid: Any) -> list[str]:
    """Scores on sentences or texts, as the model's ``evaluate`` takes them, and which label is taken for which."""
    match model:
        case LanguageModel():
            return [_perplexity(model.evaluate(valid))]
        case WindowTagger():
            examples = read_examples(valid)  # standard input and iterators can be read once only
            scores = _scores(model.evaluate(examples).to_json(), "types", "support", "entities")
            return [scores, _confusion("tokens by their tags", *model.true_and_predicted(examples))]
        case TextClassifier():
            labelled = model.labeled(valid)
            scores = _scores(model.evaluate(labelled).to_json(), "labels", "examples", "texts")
            return [scores, _confusion("texts by their labels", *model.true_and_predicted(labelled))]
    told = "is for language models, taggers and text classifiers, not for word vectors; leave it out"
    raise OptionError(f"valid = {shown(valid)} {told}")


def _perplexity(found: Perplexity) -> str:
    facts = {
        "perplexity": found.perplexity,
        "perplexity excluding OOV": found.perplexity_excluding_oov,
        "log10 probability": f"{found.log10_prob:,.2f}",
        "tokens": found.tokens,
        "OOV": found.oov,
    }
    return markup.facts("", facts)


def _scores(found: dict[str, Any], parts: str, count: str, counted: str) -> str:
    """Precision, recall and F1 of all and of each part."""
    columns = ("precision", "recall", "f1")
    rows = [(name, *(one[column] for column in columns), one[count]) for name, one in found[parts].items()]
    shown = sorted(rows, key=lambda row: -row[-1])[:_MOST_ROWS]
    most = f", the {len(shown)} most frequent of {len(rows)}" * (len(shown) < len(rows))
    whole = {name: value for name, value in found.items() if not isinstance(value, dict)}
    return markup.facts("all", whole) + markup.table(f"by {parts[:-1]}{most}", shown, ("", *columns, counted))


def _confusion(what: str, true: list[Any], predicted: list[Any]) -> str:
    labels, counts, different = count_pairs(true, predicted, _MOST_LABELS)
    most = f", the {len(labels)} most frequent of {different}" * (different > len(labels))
    return markup.shares(f"{what}: true ones down, predicted ones across{most}", labels, counts.tolist())
