"""Layers. ``forward`` gives the output and a function ``backward`` that remembers what it needs of that pass.

``backward(dy)`` takes the gradient of the loss by the output, adds to the gradients of the layer's parameters, and
gives the gradient by the input. A Chain or a Graph of layers is a layer again.
"""

from __future__ import annotations

from windrow.nn.layers.activations import ACTIVATIONS, Linear, ReLU, Sigmoid, Softmax, Tanh
from windrow.nn.layers.dense import Dense
from windrow.nn.layers.dropout import Dropout
from windrow.nn.layers.embedding import Embedding
from windrow.nn.layers.joins import Add, Concatenate, Multiply
from windrow.nn.layers.layer import Backward, Layer, named_parameters

__all__ = [
    "Dense",
    "Dropout",
    "Embedding",
    "ACTIVATIONS",
    "Linear",
    "ReLU",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "Add",
    "Concatenate",
    "Multiply",
    "Backward",
    "Layer",
    "named_parameters",
]
