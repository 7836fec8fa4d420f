"""Output layers: from hidden rows to a distribution over the words. One file each; the contract is contract.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windrow.errors import OptionError

if TYPE_CHECKING:
    from windrow.outputs.contract import OutputLayer

OUTPUT_LAYERS = ("softmax", "hierarchical", "classes", "nce", "adaptive")


def output_layer(name: str) -> type[OutputLayer]:
    """The class called ``name``; OptionError for an unknown one. Imports only its file."""
    match name:
        case "softmax":
            from windrow.outputs.softmax import FullSoftmax

            return FullSoftmax
        case "hierarchical":
            from windrow.outputs.hierarchical import HierarchicalSoftmax

            return HierarchicalSoftmax
        case "classes":
            from windrow.outputs.clustered import ClassSoftmax

            return ClassSoftmax
        case "nce":
            from windrow.outputs.sampled import NoiseContrastive

            return NoiseContrastive
        case "adaptive":
            from windrow.outputs.clustered import AdaptiveSoftmax

            return AdaptiveSoftmax
    raise OptionError(f"output_layer = {name!r} is unknown; choose from {', '.join(OUTPUT_LAYERS)}")
