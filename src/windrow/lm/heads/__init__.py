"""Output layers of language models that train in minibatches. One file and one row each; the contract is head.py."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from windrow.errors import OptionError

if TYPE_CHECKING:
    from windrow.lm.heads.head import Head

# Homes are resolved on use, so that the command line can offer the names without loading Numba.
HEADS = {
    "softmax": "windrow.lm.heads.softmax:SoftmaxHead",
    "hierarchical": "windrow.lm.heads.hierarchical:HierarchicalHead",
    "classes": "windrow.lm.heads.clustered:ClassHead",
    "nce": "windrow.lm.heads.nce:NoiseContrastiveHead",
    "adaptive": "windrow.lm.heads.clustered:AdaptiveHead",
}


def head_type(name: str) -> type[Head]:
    """The class registered under ``name``; OptionError for an unknown one."""
    if name not in HEADS:
        raise OptionError(f"output = {name!r} is unknown; choose from {', '.join(HEADS)}")
    module, _, attribute = HEADS[name].partition(":")
    return cast("type[Head]", getattr(import_module(module), attribute))
