"""Toyland: a corpus drawn from a known grammar, so that the best possible perplexity and all answers are known.

lexicon.toml (the words) and grammar.toml (the sentences) are plain data to read and extend; grammar.py gives them
probabilities; files.py writes the corpus and the files for its evaluation.
"""

from __future__ import annotations

from windrow.corpus.toyland.files import DEFAULT_SEED, DEFAULT_SENTENCES, generate
from windrow.corpus.toyland.grammar import Grammar, Sentence, toyland_grammar

__all__ = ["generate", "Grammar", "Sentence", "toyland_grammar", "DEFAULT_SEED", "DEFAULT_SENTENCES"]
