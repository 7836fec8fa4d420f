"""Training steps of word2vec: each binds an output layer's kernels to the loops over a chunk. One file each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windrow.errors import OptionError

if TYPE_CHECKING:
    from windrow.embeddings.steps.contract import TrainingStep

STEPS = ("ns", "hs", "softmax")
LOSSES = (*STEPS, "hs+ns")  # what a model can be trained with: one step, or the two of word2vec.c together


def step_type(name: str) -> type[TrainingStep]:
    """The class called ``name``; OptionError for an unknown one. Imports only its file."""
    match name:
        case "ns":
            from windrow.embeddings.steps.negative_sampling import NegativeSamplingStep

            return NegativeSamplingStep
        case "hs":
            from windrow.embeddings.steps.hierarchical_softmax import HierarchicalSoftmaxStep

            return HierarchicalSoftmaxStep
        case "softmax":
            from windrow.embeddings.steps.full_softmax import FullSoftmaxStep

            return FullSoftmaxStep
    raise OptionError(f"loss = {name!r} is unknown; choose from {', '.join(LOSSES)}")
