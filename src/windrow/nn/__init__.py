"""Networks in small files: layers, losses, optimisers, the training loop, and the two estimators built of them.

A network is a Chain or a Graph of layers and a loss; its parameters are one flat vector. Read layers/dense.py,
chain.py, losses.py, network.py, optimizers.py, training/loop.py in this order.
"""

from __future__ import annotations

from windrow.nn.chain import Chain
from windrow.nn.clipping import clip_by_norm, clip_by_value, gradient_norm
from windrow.nn.examples import ExampleError
from windrow.nn.gradients import GradientError, check_gradients, numeric_gradient
from windrow.nn.graph import Graph, Node
from windrow.nn.initialisers import SPREADS, initial_weights
from windrow.nn.layers import (
    ACTIVATIONS,
    Add,
    Concatenate,
    Dense,
    Dropout,
    Embedding,
    Linear,
    Multiply,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)
from windrow.nn.losses import LOSSES, CrossEntropy, LogLikelihood, Quadratic
from windrow.nn.mlp import MLPClassifier, MLPRegressor
from windrow.nn.network import Network
from windrow.nn.optimizers import OPTIMIZERS, SGD, Adagrad, Adam, Momentum, Nesterov, Optimizer, RMSProp
from windrow.nn.parameters import Parameter, ParameterVector, Table
from windrow.nn.regularisers import L1, L2, REGULARISERS
from windrow.nn.schedules import SCHEDULES, Constant, Exponential, Inverse, Plateau, Step
from windrow.nn.training.report import Report
from windrow.nn.training.stopping import DivergedError, EarlyStopping
from windrow.nn.training.trainer import Trainer, gradient_norms

__all__ = [
    "Chain",
    "Graph",
    "Node",
    "Network",
    "Parameter",
    "ParameterVector",
    "Table",
    "Dense",
    "Dropout",
    "Embedding",
    "Add",
    "Concatenate",
    "Multiply",
    "ACTIVATIONS",
    "Linear",
    "ReLU",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "LOSSES",
    "CrossEntropy",
    "LogLikelihood",
    "Quadratic",
    "SPREADS",
    "initial_weights",
    "L1",
    "L2",
    "REGULARISERS",
    "OPTIMIZERS",
    "Optimizer",
    "SGD",
    "Momentum",
    "Nesterov",
    "Adagrad",
    "RMSProp",
    "Adam",
    "SCHEDULES",
    "Constant",
    "Step",
    "Exponential",
    "Inverse",
    "Plateau",
    "Trainer",
    "Report",
    "EarlyStopping",
    "DivergedError",
    "ExampleError",
    "clip_by_norm",
    "clip_by_value",
    "check_gradients",
    "numeric_gradient",
    "GradientError",
    "gradient_norm",
    "gradient_norms",
    "MLPClassifier",
    "MLPRegressor",
]
