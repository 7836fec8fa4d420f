"""Word embeddings at the speed of the machine.

Public names are resolved on first use (PEP 562), so that ``import windrow`` loads neither NumPy nor Numba.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windrow._lazy import lazy_names
from windrow._version import __version__

if TYPE_CHECKING:
    from windrow.classification import TextClassifier
    from windrow.corpus import Corpus, Vocabulary
    from windrow.embeddings import Blend, CountVectors, Word2Vec, WordVectors
    from windrow.errors import WindrowError
    from windrow.lm.classes.model import ClassLM
    from windrow.lm.mixture import MixtureLM
    from windrow.lm.neural.recurrent import RecurrentLM
    from windrow.lm.neural.window import WindowLM
    from windrow.lm.ngram.model import NGramLM
    from windrow.lm.skips.model import SkipNGramLM
    from windrow.lm.unbounded.model import UnboundedNGramLM
    from windrow.models import load
    from windrow.nn import MLPClassifier, MLPRegressor
    from windrow.phrases import Phrases
    from windrow.report.page import write_report
    from windrow.tagging import WindowTagger
    from windrow.verification import verify

_HOMES = {
    "Corpus": "windrow.corpus",
    "Vocabulary": "windrow.corpus",
    "Blend": "windrow.embeddings",
    "CountVectors": "windrow.embeddings",
    "Word2Vec": "windrow.embeddings",
    "WordVectors": "windrow.embeddings",
    "Phrases": "windrow.phrases",
    "NGramLM": "windrow.lm.ngram.model",
    "UnboundedNGramLM": "windrow.lm.unbounded.model",
    "ClassLM": "windrow.lm.classes.model",
    "SkipNGramLM": "windrow.lm.skips.model",
    "WindowLM": "windrow.lm.neural.window",
    "RecurrentLM": "windrow.lm.neural.recurrent",
    "MixtureLM": "windrow.lm.mixture",
    "WindowTagger": "windrow.tagging",
    "TextClassifier": "windrow.classification",
    "MLPClassifier": "windrow.nn",
    "MLPRegressor": "windrow.nn",
    "WindrowError": "windrow.errors",
    "load": "windrow.models",
    "verify": "windrow.verification",
    "write_report": "windrow.report.page",
}
_MODULES = (
    "classification",
    "compat",
    "corpus",
    "distributed",
    "embeddings",
    "errors",
    "evaluation",
    "lm",
    "nn",
    "phrases",
    "sklearn",
    "storage",
    "tagging",
    "viz",
)

__all__ = [
    "Corpus",
    "Vocabulary",
    "Blend",
    "CountVectors",
    "Word2Vec",
    "WordVectors",
    "Phrases",
    "NGramLM",
    "UnboundedNGramLM",
    "ClassLM",
    "SkipNGramLM",
    "WindowLM",
    "RecurrentLM",
    "MixtureLM",
    "WindowTagger",
    "TextClassifier",
    "MLPClassifier",
    "MLPRegressor",
    "WindrowError",
    "load",
    "verify",
    "write_report",
    "__version__",
]


__getattr__, __dir__ = lazy_names(__name__, {**_HOMES, "__version__": "windrow._version"}, _MODULES)
