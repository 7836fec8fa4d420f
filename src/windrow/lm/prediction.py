"""What a language model says of the next word: states, scores word by word, distributions, generated text."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from itertools import dropwhile
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from windrow.errors import OptionError, check_whole
from windrow.lm.generation import Generation, GenerationOptions, generate
from windrow.lm.next_word import State, Tokens, as_id
from windrow.lm.scoring import ScoresText
from windrow.lm.states import States, check_lengths
from windrow.lm.stream import Ids
from windrow.lm.symbols import BOS, SPECIALS

_MOST_EXPONENT = 308.0  # of a float; files from elsewhere may have any back-off

# What NLTK calls the options of ``generate``.
_OF_NLTK = {"num_words": "max_new_tokens", "text_seed": "prompt", "random_seed": "seed"}


class PredictsWords(ScoresText):
    """The part of ``LanguageModel`` that predicts; it follows from ``start``, ``advance`` and ``distribution``."""

    @abstractmethod
    def start(self, ids: Sequence[int] | Ids = (BOS,)) -> State:
        """The state after these ids, of which the first is usually ``<s>``; without any, nothing is known."""

    @abstractmethod
    def advance(self, state: State, word_id: str | int) -> State:
        """The state after one more symbol, a word or an id; ``<s>`` begins a sentence. The given state stays as it is.

        An unknown word is ``<unk>``. States compare and hash by what they hold. OptionError for what is no word or id.
        """

    @abstractmethod
    def distribution(self, state: State) -> NDArray[np.float64]:
        """The probability of each symbol to come next, (words,), in an array of the caller's; 0 for ``<s>``, sum 1."""

    def score_next(self, state: State, word: str | int) -> tuple[float, State]:
        """log10 of the probability of one more symbol, and the state after it.

        Parameters
        ----------
        state : State
            What ``start``, ``advance`` or ``score_next`` of this model gave; it stays as it is.
        word : str or int
            The symbol, a word or an id; ``</s>`` ends a sentence. An unknown word is ``<unk>``.

        Returns
        -------
        log10_prob : float
            0 for ``<s>``, which is never predicted.
        state : State
            After the symbol.

        Raises
        ------
        OptionError
            ``word`` is several words, or no id of the vocabulary.

        Examples
        --------
        >>> from windrow import NGramLM
        >>> model = NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off"])
        >>> total, state = 0.0, model.start()
        >>> for word in ["the", "cat", "sat", "</s>"]:
        ...     score, state = model.score_next(state, word)
        ...     total += score
        >>> abs(total - model.log_prob("the cat sat")) < 1e-5
        True
        """
        word_id = as_id(self.vocabulary, word)
        if word_id == BOS:
            return 0.0, self.advance(state, word_id)
        with np.errstate(divide="ignore"):
            score = float(np.log10(self.distribution(state)[word_id]))
        return score, self.advance(state, word_id)

    def score_next_batch(
        self, states: Sequence[State], words: Sequence[str | int] | NDArray[np.integer]
    ) -> tuple[NDArray[np.float64], Sequence[State]]:
        """``score_next`` of several states, each with a word of its own; n-gram models take all steps in one call.

        Parameters
        ----------
        states : sequence of State, n of them
            What this model gave; they stay as they are. What this method returns is such a sequence, too.
        words : sequence of str or int, or array of int, shape (n,)
            The word after each state, as of ``score_next``. Ids in an array are fastest.

        Returns
        -------
        log10_probs : array of float64, shape (n,)
            0 for ``<s>``.
        states : sequence of State, n of them
            After the words. Besides numbers it takes arrays, slices and masks as indices: ``states[[0, 0, 2]]``.

        Raises
        ------
        OptionError
            There are not as many words as states, or one is no word or id.

        Examples
        --------
        Each state with each of two words:

        >>> import numpy as np
        >>> from windrow import NGramLM
        >>> model = NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off"])
        >>> _, states = model.score_next_batch([model.start()] * 2, ["the", "cat"])
        >>> rows = np.repeat(np.arange(2), 2)
        >>> scores, states = model.score_next_batch(states[rows], ["cat", "sat"] * 2)
        >>> np.round(scores, 2).tolist()
        [-0.14, -1.38, -1.02, -0.51]
        """
        check_lengths(states, words)
        scores = np.empty(len(states))
        after = []
        for place, (state, word) in enumerate(zip(states, words, strict=True)):
            scores[place], new_state = self.score_next(state, word)
            after.append(new_state)
        return scores, States(after)

    def prob(self, word: str | int, context: Tokens = (), *, bos: bool = True) -> float:
        """The probability of a word to follow a context.

        Parameters
        ----------
        word : str or int
            The word or its id; ``</s>`` ends a sentence. An unknown word is ``<unk>``.
        context, bos
            As of ``next_word_distribution``.

        Returns
        -------
        float from 0 to 1
            0 for ``<s>``, which is never predicted. Of n-gram models rounded to about 1e-6 of its value.

        Raises
        ------
        OptionError
            ``word`` is several words, or no id of the vocabulary.
        DataError
            ``<s>`` or ``</s>`` is within the context.

        Examples
        --------
        >>> from windrow import NGramLM
        >>> model = NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off", "a dog ran off"])
        >>> round(model.prob("sat", "the cat"), 2)
        0.29
        >>> model.prob("sat", ["the", "cat"]) == model.prob("sat", ["cat"], bos=False)  # of a bigram model
        True
        """
        return math.pow(10, min(self._log10_after(word, context, bos), _MOST_EXPONENT))

    def logscore(self, word: str | int, context: Tokens = (), *, bos: bool = True) -> float:
        """log2 of ``prob``, as in NLTK, minus infinity for 0; all other logarithms of windrow are to base 10.

        Parameters
        ----------
        word, context, bos
            As of ``prob``.

        Returns
        -------
        float

        Examples
        --------
        >>> from math import log2
        >>> from windrow import NGramLM
        >>> model = NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off", "a dog ran off"])
        >>> abs(model.logscore("sat", "the cat") - log2(model.prob("sat", "the cat"))) < 1e-9
        True
        """
        return self._log10_after(word, context, bos) * math.log2(10)

    def _log10_after(self, word: str | int, context: Tokens, bos: bool) -> float:
        word_id = as_id(self.vocabulary, word)
        state = self._state_after(context, bos)
        return -math.inf if word_id == BOS else self.score_next(state, word_id)[0]

    def _state_after(self, context: Tokens, bos: bool) -> State:
        """The state after a context, see ``next_word_distribution``."""
        if isinstance(context, list | tuple):
            words = list(dropwhile(lambda word: isinstance(word, str) and word == SPECIALS[BOS], context))
            context, bos = words, bos or len(words) < len(context)
        return self.start(self.encode(context, bos=bos))

    def next_word_distribution(self, context: Tokens = (), *, bos: bool = True) -> NDArray[np.float64]:
        """The probability of each word to follow a context.

        Parameters
        ----------
        context : str or sequence of str, default empty
            The words before, as of ``encode``. A list may begin with ``<s>``, once or several times, as NLTK pads
            sentences: then a sentence begins there, whatever ``bos`` is.
        bos : bool, default True
            Whether a sentence begins with the context. False: it may stand anywhere, as in NLTK.

        Returns
        -------
        array of float64, shape (words,)
            By id, ``</s>`` and ``<unk>`` included; the sum is 1.
        """
        return self.distribution(self._state_after(context, bos))

    def top_words(self, context: Tokens = (), k: int = 10, *, bos: bool = True) -> list[tuple[str, float]]:
        """The likeliest words to follow a context.

        Parameters
        ----------
        context, bos
            As of ``next_word_distribution``.
        k : int, at least 1, default 10
            How many.

        Returns
        -------
        list of (word, probability)
            The likeliest first.

        Examples
        --------
        >>> from windrow import NGramLM
        >>> model = NGramLM(2, "witten-bell").fit(["the cat sat", "the cat ran off", "a dog ran off"])
        >>> [(word, round(probability, 2)) for word, probability in model.top_words("the cat", k=2)]
        [('ran', 0.32), ('sat', 0.29)]
        """
        k = check_whole("k", k, 1)
        probs = self.next_word_distribution(context, bos=bos)
        best = np.argsort(-probs, kind="stable")[:k]
        return [(self.vocabulary.words[word], float(probs[word])) for word in best.tolist()]

    def generate(self, prompt: Tokens = "", **options: Unpack[GenerationOptions]) -> list[Generation]:
        """Texts that go on from a prompt; the options are those of ``windrow.lm.generation.generate``.

        What NLTK calls ``num_words``, ``text_seed`` and ``random_seed`` is ``max_new_tokens``, ``prompt`` and ``seed``.
        """
        for theirs in options.keys() & _OF_NLTK.keys():
            raise OptionError(f"generate has no {theirs}, as NLTK's has; give {_OF_NLTK[theirs]}=")
        return generate(self, prompt, **options)
