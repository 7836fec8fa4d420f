"""The training of a tagger: epochs of shuffled sentences, judged on sentences held back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.nn.training.checkpoint import restore_rng, rng_state
from windrow.nn.training.loop import Trainee
from windrow.tagging.lexicon import Lexicon
from windrow.tagging.network import TagNetwork
from windrow.tagging.tag_outputs import Tags
from windrow.tagging.windows import windows_of


class TagTrainee(Trainee):
    """A network, and the sentences with their tags that it learns from, ``batch_size`` a step.

    ``rng`` shuffles the sentences, and is the one that the network drops units by; ``score`` judges sentences held
    back, by F1. Losses are means over tokens.
    """

    checkpoint_kind = "tagger-checkpoint"
    measure = "f1"

    def __init__(
        self,
        network: TagNetwork,
        lexicon: Lexicon,
        sentences: Sequence[Sequence[str]],
        tags: Sequence[Tags],
        *,
        batch_size: int,
        rng: np.random.Generator,
        score: Callable[[], float] | None,
    ) -> None:
        self.network = network
        self.lexicon = lexicon
        self.sentences = sentences
        self.tags = tags
        self.batch_size = batch_size
        self.rng = rng
        self.score = score
        self.examples = sum(map(len, sentences))
        self.parameters = network.parameters
        self.baseline = float(np.log(2)) * network.output.columns  # at most, of all outputs

    def batches(self, epoch: int) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """The numbers of the sentences of each batch, in a new order."""
        order = self.rng.permutation(len(self.sentences))
        for first in range(0, len(order), self.batch_size):
            batch = order[first : first + self.batch_size]
            yield sum(len(self.sentences[i]) for i in batch.tolist()), batch

    def learn(self, batch: NDArray[np.int64], rate: float) -> float:  # noqa: D102
        chosen = batch.tolist()
        windows = windows_of([self.sentences[i] for i in chosen], self.lexicon, self.network.hidden.window)
        tags = np.concatenate([self.tags[i] for i in chosen])
        return self.network.add_gradient(windows, tags) * len(windows)

    def judge(self) -> float | None:  # noqa: D102
        return None if self.score is None else self.score()

    def state(self) -> dict[str, Any]:  # noqa: D102
        return {"rng": rng_state(self.rng)}

    def set_state(self, state: dict[str, Any]) -> None:  # noqa: D102
        restore_rng(self.rng, state["rng"])
