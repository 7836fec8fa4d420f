"""Other libraries' names over windrow's, for scripts that change one import."""

from windrow._lazy import lazy_names

__getattr__, __dir__ = lazy_names(__name__, {}, ("gensim", "kenlm"))
