"""Output layers: what turns a hidden vector into a distribution over the vocabulary. One file and one row each."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from windrow.outputs.layer import OutputLayer

# Homes are resolved on use, so that the command line can offer the names without loading Numba.
OUTPUT_LAYERS = {
    "ns": "windrow.outputs.negative_sampling:NegativeSampling",
    "hs": "windrow.outputs.hierarchical_softmax:HierarchicalSoftmax",
    "softmax": "windrow.outputs.full_softmax:FullSoftmax",
}
LOSSES = (*OUTPUT_LAYERS, "hs+ns")  # what a model can be trained with: one layer, or the two of word2vec.c together


def output_layer(name: str) -> type[OutputLayer]:
    """The class registered under ``name``."""
    module, _, attribute = OUTPUT_LAYERS[name].partition(":")
    return cast("type[OutputLayer]", getattr(import_module(module), attribute))
