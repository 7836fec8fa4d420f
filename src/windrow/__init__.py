"""Word embeddings at the speed of the machine.

Public names are resolved on first use (PEP 562), so that ``import windrow`` loads neither NumPy nor Numba.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from windrow.corpus import Corpus, Vocabulary
    from windrow.embeddings import Word2Vec, WordVectors
    from windrow.errors import WindrowError
    from windrow.lm.mixture import MixtureLM
    from windrow.lm.ngram.model import NGramLM
    from windrow.lm.recurrent import RecurrentLM
    from windrow.lm.window import WindowLM
    from windrow.models import load
    from windrow.nn import MLPClassifier, MLPRegressor
    from windrow.tagging import WindowTagger

__version__ = "0.1.0"

_HOMES = {
    "Corpus": "windrow.corpus",
    "Vocabulary": "windrow.corpus",
    "Word2Vec": "windrow.embeddings",
    "WordVectors": "windrow.embeddings",
    "NGramLM": "windrow.lm.ngram.model",
    "WindowLM": "windrow.lm.window",
    "RecurrentLM": "windrow.lm.recurrent",
    "MixtureLM": "windrow.lm.mixture",
    "WindowTagger": "windrow.tagging",
    "MLPClassifier": "windrow.nn",
    "MLPRegressor": "windrow.nn",
    "WindrowError": "windrow.errors",
    "load": "windrow.models",
}
_MODULES = ("corpus", "embeddings", "errors", "evaluation", "lm", "nn", "sklearn", "storage", "tagging", "viz")

__all__ = [
    "Corpus",
    "Vocabulary",
    "Word2Vec",
    "WordVectors",
    "NGramLM",
    "WindowLM",
    "RecurrentLM",
    "MixtureLM",
    "WindowTagger",
    "MLPClassifier",
    "MLPRegressor",
    "WindrowError",
    "load",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"windrow.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'windrow' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, *_MODULES])
