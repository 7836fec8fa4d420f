"""Beam search: the best of several texts that grow side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from windrow.lm.generation import Continuation, Options, most_probable, penalised
from windrow.lm.stream import EOS

if TYPE_CHECKING:
    from windrow.lm.base import LanguageModel, State


@dataclass(frozen=True)
class _Beam:
    """A text so far: its score is the sum of the log10 of what its words weighed, penalties included."""

    state: State
    ids: tuple[int, ...] = ()
    log10_probs: tuple[float, ...] = ()
    score: float = 0.0
    finished: bool = False

    def ranked(self, length_penalty: float) -> Continuation:
        score = self.score / max(1, len(self.log10_probs)) ** length_penalty
        return Continuation(list(self.ids), list(self.log10_probs), self.finished, score)


def beam_search(model: LanguageModel, prompt_ids: list[int], options: Options) -> list[Continuation]:
    """The ``num_beams`` best texts that were found, by score / length ** ``length_penalty``, best first.

    Each step keeps the best of all texts made one word longer. A text that ends takes its place with it: the beam is as
    many narrower, and the search is over when no place is left. With one beam it is the greedy search.
    """
    growing, ended = [_Beam(model.start(prompt_ids))], []
    for _ in range(options.max_new_tokens):
        width = options.num_beams - len(ended)
        grown = [_grown(model, beam, prompt_ids, width, options) for beam in growing]
        stuck = [beam for beam, longer in zip(growing, grown, strict=True) if not longer]
        best = sorted(chain.from_iterable(grown), key=lambda beam: -beam.score)[: width - len(stuck)]
        ended += [*stuck, *(beam for beam in best if beam.finished)]
        # Only those that stay are worth a step of the model.
        growing = [replace(b, state=model.advance(b.state, b.ids[-1])) for b in best if not b.finished]
        if not growing:
            break
    ranked = [beam.ranked(options.length_penalty) for beam in [*ended, *growing]]
    return sorted(ranked, key=lambda continuation: -continuation.score)


def _grown(model: LanguageModel, beam: _Beam, prompt_ids: list[int], width: int, options: Options) -> list[_Beam]:
    """The ``width`` best texts that are a word longer; their state is still that before the word."""
    probabilities = model.distribution(beam.state)
    weights = penalised(probabilities, [*prompt_ids[1:], *beam.ids], options)
    return [
        _Beam(
            beam.state,
            beam.ids if word_id == EOS else (*beam.ids, word_id),
            (*beam.log10_probs, float(np.log10(probabilities[word_id]))),
            beam.score + float(np.log10(weights[word_id])),
            word_id == EOS,
        )
        for word_id in most_probable(weights, width).tolist()
    ]
