"""What the scores of tags mean: the loss to train with, and the tags that they say."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from windrow.nn.losses import CrossEntropy, LogLikelihood
from windrow.nn.parameters import Array, Parameter
from windrow.tagging.kernels.viterbi import add_marginals, add_path, best_paths, log_normalizers

Tags = NDArray[np.int32]  # (tokens,); tag 0 is O
Starts = NDArray[np.int64]  # (sentences + 1,)


class TagOutput(Protocol):
    """The last part of the network: from scores (tokens, ``columns``) to a loss, and to tags."""

    columns: int
    parameters: dict[str, Parameter]

    @property
    def transition_scores(self) -> Array | None:
        """Of one tag after another, as ``transitions`` of CrfOutput; None where a tag does not depend on others."""
        ...

    def loss(self, scores: Array, tags: Tags, starts: Starts) -> tuple[float, Array]:
        """The mean loss per token, and its gradient with respect to the scores; adds to the parameters' gradients."""
        ...

    def decode(self, scores: Array, starts: Starts) -> Tags:
        """The tags of the sentences that begin at ``starts``."""
        ...


class SoftmaxOutput:
    """Each token's tag by itself, out of all tags. ``transitions`` say only which sequences are possible."""

    def __init__(self, transitions: Array) -> None:
        self.columns = transitions.shape[1]
        self.transitions = transitions
        self.parameters: dict[str, Parameter] = {}

    @property
    def transition_scores(self) -> Array:
        """0, or FORBIDDEN."""
        return self.transitions

    def loss(self, scores: Array, tags: Tags, starts: Starts) -> tuple[float, Array]:
        """Minus the log-likelihood of the tags."""
        return LogLikelihood()(scores, tags)

    def decode(self, scores: Array, starts: Starts) -> Tags:
        """The most probable tags of which the scheme allows the sequence."""
        return viterbi(scores, starts, self.transitions)


class LogisticOutput:
    """A yes-no question for every tag but O (one against the rest); no tag that says yes is O.

    With one such tag this is the binary classifier of word windows: is the center word a location?
    """

    def __init__(self, tags: int) -> None:
        self.columns = tags - 1
        self.parameters: dict[str, Parameter] = {}

    @property
    def transition_scores(self) -> None:
        """None: each token is judged by itself."""
        return

    def loss(self, scores: Array, tags: Tags, starts: Starts) -> tuple[float, Array]:
        """The cross-entropy, summed over the questions."""
        answers = (tags[:, None] == np.arange(1, self.columns + 1)).astype(scores.dtype)
        return CrossEntropy()(scores, answers)

    def decode(self, scores: Array, starts: Starts) -> Tags:
        """The tag of the surest yes: of the highest probability, if above 1/2, where the score is 0."""
        best = scores.argmax(axis=1)
        return np.where(np.take_along_axis(scores, best[:, None], 1)[:, 0] > 0, best + 1, 0).astype(np.int32)


class CrfOutput:
    """All tags of a sentence together: scores of tags, and of their transitions, which are learned.

    ``transitions`` (tags + 2, tags) has a row a tag before, then one to begin and one to end with. Sources: Collobert
    et al. 2011, section 3.3.2 (sentence-level log-likelihood); Lafferty et al. 2001.
    """

    def __init__(self, transitions: Array) -> None:
        self.columns = transitions.shape[1]
        self.transitions = Parameter(transitions)
        self.parameters = {"transitions": self.transitions}

    @property
    def transition_scores(self) -> Array:
        """As they were learned."""
        return self.transitions.value

    def loss(self, scores: Array, tags: Tags, starts: Starts) -> tuple[float, Array]:
        """Minus the log-probability of the sentences' tags among all paths, by the number of tokens."""
        transitions = self.transitions.value
        alpha, marginals = np.empty(scores.shape), np.empty(scores.shape)
        normalizers, pairs = np.empty(len(starts) - 1), np.zeros(transitions.shape)
        log_normalizers(scores, starts, transitions, alpha, normalizers)
        add_marginals(scores, starts, transitions, alpha, normalizers, marginals, pairs)
        # The gradient of the log-normalizer is what is expected, that of the path's score what is there.
        score = add_path(scores, starts, transitions, tags, -1.0, marginals, pairs)
        self.transitions.add(pairs / len(scores))
        return (normalizers.sum() - score) / len(scores), (marginals / len(scores)).astype(scores.dtype)

    def decode(self, scores: Array, starts: Starts) -> Tags:
        """The best path (Viterbi)."""
        return viterbi(scores, starts, self.transitions.value)


def viterbi(scores: Array, starts: Starts, transitions: Array) -> Tags:
    """The tags (tokens,) of the paths of highest score; ``transitions`` as those of CrfOutput."""
    path = np.zeros(len(scores), np.int32)
    previous = np.zeros(scores.shape, np.int32)
    best_paths(scores, starts, transitions, np.empty(scores.shape), previous, path)
    return path


FORBIDDEN = -1e4  # a score whose exponential is 0: such a transition has no gradient and never changes


def initial_transitions(tags: Sequence[str], possible: Container[tuple[str, str]]) -> NDArray[np.float64]:
    """0 for pairs of tags that are ``possible``, FORBIDDEN for others; (tags + 2, tags).

    A pair with "" is a tag at the beginning or the end of a sentence.
    """
    pairs = [[(before, tag) for tag in tags] for before in [*tags, ""]] + [[(tag, "") for tag in tags]]
    return np.array([[0.0 if pair in possible else FORBIDDEN for pair in row] for row in pairs])


# name -> how it is made, given initial transitions of all tags
OUTPUTS: dict[str, Callable[[Array], TagOutput]] = {
    "crf": CrfOutput,
    "softmax": SoftmaxOutput,
    "logistic": lambda transitions: LogisticOutput(transitions.shape[1]),
}
