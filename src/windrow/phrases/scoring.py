"""How strongly two words belong together, from how often they occur, alone and together."""

from __future__ import annotations

from typing import Any

import numpy as np

NEVER = -np.inf  # the score of what is no phrase, whatever the threshold


def original_scorer(
    worda_count: Any, wordb_count: Any, bigram_count: Any, len_vocab: int, min_count: int, corpus_word_count: int
) -> Any:
    """Mikolov's score with gensim's factor: (count(ab) - min_count) * types / (count(a) * count(b)).

    ``types`` (``len_vocab``) is the number of distinct words and pairs, as in gensim; word2phrase takes the number of
    tokens in its place, so that its scores, and sensible thresholds, are larger by a factor.

    Parameters
    ----------
    worda_count, wordb_count, bigram_count : int, or array of int64 of shape (pairs,)
        How often the first word, the last one, and the pair occur.
    len_vocab : int
        Distinct words, without connector words, and distinct pairs.
    min_count : int
        What is subtracted from the count of the pair.
    corpus_word_count : int
        Tokens of the text; not used here.

    Returns
    -------
    float, or array of float64 of shape (pairs,)

    References
    ----------
    Mikolov et al. 2013, arXiv:1310.4546, equation 6.

    Examples
    --------
    >>> from windrow.phrases.scoring import original_scorer
    >>> float(original_scorer(10, 20, 8, len_vocab=100, min_count=5, corpus_word_count=1000))
    1.5
    """
    product = np.multiply(worda_count, wordb_count, dtype=np.float64)  # which may be more than 64 bits hold
    return (bigram_count - min_count) / product * len_vocab


def npmi_scorer(
    worda_count: Any, wordb_count: Any, bigram_count: Any, len_vocab: int, min_count: int, corpus_word_count: int
) -> Any:
    """Normalized pointwise mutual information: ln(p(ab) / (p(a) * p(b))) / -ln p(ab), from -1 to 1.

    Parameters
    ----------
    worda_count, wordb_count, bigram_count : int, or array of int64 of shape (pairs,)
        How often the first word, the last one, and the pair occur.
    len_vocab : int
        Not used here.
    min_count : int
        Pairs that occur less often score minus infinity.
    corpus_word_count : int
        Tokens of the text, of which probabilities are the fractions.

    Returns
    -------
    float, or array of float64 of shape (pairs,)

    References
    ----------
    Bouma 2009, Normalized (pointwise) mutual information in collocation extraction.

    Examples
    --------
    >>> from windrow.phrases.scoring import npmi_scorer
    >>> round(float(npmi_scorer(10, 20, 8, len_vocab=100, min_count=5, corpus_word_count=1000)), 3)
    0.764
    """
    p_a, p_b, p_ab = (np.divide(count, corpus_word_count) for count in (worda_count, wordb_count, bigram_count))
    scores = np.log(p_ab / (p_a * p_b)) / -np.log(p_ab)
    return np.where(np.asarray(bigram_count) >= min_count, scores, NEVER)[()]


SCORERS = {"default": original_scorer, "npmi": npmi_scorer}
