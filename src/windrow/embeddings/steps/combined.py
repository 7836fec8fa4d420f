"""Hierarchical softmax and negative sampling on the same example, as word2vec.c does when both are switched on."""

from __future__ import annotations

from windrow.embeddings.kernels.contexts import Context
from windrow.embeddings.kernels.inputs import Inputs
from windrow.embeddings.kernels.pairs import train_pairs
from windrow.embeddings.kernels.windows import Chunk
from windrow.embeddings.steps import hierarchical_softmax, negative_sampling
from windrow.numeric.jit import kernel
from windrow.numeric.rng import RngState


@kernel(allocates=True)
def train_both_pairs(
    chunk: Chunk,
    inputs: Inputs,
    context: Context,
    rate: float,
    tree_layer: hierarchical_softmax.PairArguments,
    noise_layer: negative_sampling.PairArguments,
    state: RngState,
) -> float:
    """Train on a chunk, each example through the Huffman path first, then against noise words; returns the loss."""
    tree_step, noise_step = hierarchical_softmax.pair_step, negative_sampling.pair_step
    return train_pairs(chunk, inputs, context, rate, tree_step, tree_layer, noise_step, noise_layer, state)
