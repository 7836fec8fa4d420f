"""The tags of a sentence of any length in bounded memory: piece by piece, with the same result as in one.

Viterbi's algorithm goes over the pieces twice. Forward it keeps, for each piece, only the scores of the best paths that
lead up to it, one per tag; backward it computes a piece again, from those scores and to the tag that is known by then.
The scores are the sums of the whole sentence, so that the path is the one of the whole sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from windrow.nn.parameters import Array
from windrow.tagging.kernels.viterbi import best_paths
from windrow.tagging.lexicon import Lexicon
from windrow.tagging.network import TagNetwork
from windrow.tagging.schemes import convert
from windrow.tagging.tag_outputs import Tags
from windrow.tagging.windows import windows_of

PIECE_TOKENS = 1 << 13


def decode_long(network: TagNetwork, lexicon: Lexicon, tokens: Sequence[str], piece: int = PIECE_TOKENS) -> Tags:
    """The tags (tokens,) of one sentence, as ``network.decode`` gives them."""
    bounds = [*range(0, len(tokens), piece), len(tokens)]
    transitions = network.output.transition_scores
    if transitions is None:  # each token by itself
        scores = (_scores(network, lexicon, tokens, first, last) for first, last in pairwise(bounds))
        return np.concatenate([network.output.decode(part, _starts(len(part))) for part in scores])
    chain = np.array(transitions, np.float64)
    tags = chain.shape[1]
    begins, no_end = [chain[tags]], np.zeros(tags)  # of each piece: the score of the best path before each tag
    for first, last in pairwise(bounds[:-1]):
        reached, _ = _walk(_scores(network, lexicon, tokens, first, last), chain, begins[-1], no_end)
        begins.append((reached[:, None] + chain[:tags]).max(axis=0))
    path, end = np.empty(len(tokens), np.int32), chain[tags + 1]
    for begin, first, last in zip(begins[::-1], bounds[-2::-1], bounds[:0:-1], strict=True):
        _, path[first:last] = _walk(_scores(network, lexicon, tokens, first, last), chain, begin, end)
        end = chain[:tags, path[first]].copy()  # what comes before goes on to this tag
    return path


def tag_names(path: Tags, names: Sequence[str], scheme: str, piece: int = PIECE_TOKENS) -> list[str]:
    """The tags of a long sentence in a scheme; equal ones are one string. Tag 0 is O, at which no entity goes on."""
    known: dict[str, str] = {}
    return [
        known.setdefault(tag, tag)
        for first, last in pairwise(_cuts(path, piece))
        for tag in convert([names[number] for number in path[first:last].tolist()], scheme)
    ]


def _cuts(path: Tags, piece: int) -> Iterator[int]:
    """0, places behind an O that are at least a piece apart, and the end."""
    last = 0
    yield 0
    for first in range(piece, len(path), piece):
        outside = np.flatnonzero(path[first : first + piece] == 0)
        if outside.size:
            last = first + int(outside[0]) + 1
            yield last
    if last < len(path):
        yield len(path)


def _scores(network: TagNetwork, lexicon: Lexicon, tokens: Sequence[str], first: int, last: int) -> Array:
    """The network's scores of the tokens from ``first`` to ``last``, whose windows reach beyond."""
    half = network.hidden.window // 2
    begin = max(first - half, 0)
    windows = windows_of([tokens[begin : last + half]], lexicon, network.hidden.window)
    return network.forward(windows)[0][first - begin : last - begin]


def _walk(
    scores: Array, chain: NDArray[np.float64], begin: NDArray[np.float64], end: NDArray[np.float64]
) -> tuple[NDArray[np.float64], Tags]:
    """The scores of the best paths to each tag of the last token, and the best path with what ``end`` adds to them."""
    tags = chain.shape[1]
    best, path = np.empty(scores.shape), np.zeros(len(scores), np.int32)
    transitions = np.concatenate([chain[:tags], begin[None], end[None]])
    best_paths(scores, _starts(len(scores)), transitions, best, np.zeros(scores.shape, np.int32), path)
    return best[-1], path


def _starts(tokens: int) -> NDArray[np.int64]:
    """Those of a single sentence of so many tokens."""
    return np.array([0, tokens], np.int64)
