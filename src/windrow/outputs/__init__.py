"""Output layers of language models that train in minibatches. One file each; the contract is contract.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windrow.errors import OptionError

if TYPE_CHECKING:
    from windrow.outputs.contract import Head

HEADS = ("softmax", "hierarchical", "classes", "nce", "adaptive")


def head_type(name: str) -> type[Head]:
    """The class called ``name``; OptionError for an unknown one. Imports only its file."""
    match name:
        case "softmax":
            from windrow.outputs.softmax import SoftmaxHead

            return SoftmaxHead
        case "hierarchical":
            from windrow.outputs.hierarchical import HierarchicalHead

            return HierarchicalHead
        case "classes":
            from windrow.outputs.clustered import ClassHead

            return ClassHead
        case "nce":
            from windrow.outputs.sampled import NoiseContrastiveHead

            return NoiseContrastiveHead
        case "adaptive":
            from windrow.outputs.clustered import AdaptiveHead

            return AdaptiveHead
    raise OptionError(f"output = {name!r} is unknown; choose from {', '.join(HEADS)}")
