"""Toyland: a corpus drawn from a known grammar, so that every claim about a model of it has a right answer.

Plain data to read and extend: lexicon.toml (the words) and grammar.toml (the sentences). grammar.py gives
them probabilities; files.py writes the corpus and what goes with it.
"""

from __future__ import annotations

from windrow.corpus.toyland.files import DEFAULT_SEED, DEFAULT_SENTENCES, generate
from windrow.corpus.toyland.grammar import Grammar, Sentence, toyland_grammar

__all__ = ["generate", "Grammar", "Sentence", "toyland_grammar", "DEFAULT_SEED", "DEFAULT_SENTENCES"]
