"""Training steps of word2vec: an output layer's update for a block of hidden rows. One file each."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from windrow.errors import OptionError

if TYPE_CHECKING:
    from windrow.embeddings.steps.contract import OutputLayer

OUTPUT_LAYERS = ("ns", "hs", "softmax")
LOSSES = (*OUTPUT_LAYERS, "hs+ns")  # what a model can be trained with: one layer, or the two of word2vec.c together


def output_layer(name: str) -> type[OutputLayer]:
    """The class called ``name``; OptionError for an unknown one. Imports only its file."""
    match name:
        case "ns":
            from windrow.embeddings.steps.negative_sampling import NegativeSampling

            return cast("type[OutputLayer]", NegativeSampling)
        case "hs":
            from windrow.embeddings.steps.hierarchical_softmax import HierarchicalSoftmax

            return cast("type[OutputLayer]", HierarchicalSoftmax)
        case "softmax":
            from windrow.embeddings.steps.full_softmax import FullSoftmax

            return cast("type[OutputLayer]", FullSoftmax)
    raise OptionError(f"loss = {name!r} is unknown; choose from {', '.join(LOSSES)}")
