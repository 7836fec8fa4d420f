"""Networks in small files: layers, losses, optimizers, the training loop, and the two estimators built of them.

A network is a Chain or a Graph of layers and a loss; its parameters are one flat vector. Read layers/dense.py,
chain.py, losses.py, network.py, optimizers.py, training/loop.py in this order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windrow._lazy import lazy_names

if TYPE_CHECKING:
    from windrow.nn.chain import Chain
    from windrow.nn.clipping import clip_by_norm, clip_by_value, gradient_norm
    from windrow.nn.examples import ExampleError
    from windrow.nn.gradients import GradientError, check_gradients, numeric_gradient
    from windrow.nn.graph import Graph, Node
    from windrow.nn.initializers import SPREADS, initial_weights
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
    from windrow.nn.parameters import Parameter, ParameterVector, SparseParameter
    from windrow.nn.regularizers import L1, L2, REGULARIZERS
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
    "SparseParameter",
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
    "REGULARIZERS",
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

_NAMES_IN = {
    "chain": ("Chain",),
    "clipping": ("clip_by_norm", "clip_by_value", "gradient_norm"),
    "examples": ("ExampleError",),
    "gradients": ("GradientError", "check_gradients", "numeric_gradient"),
    "graph": ("Graph", "Node"),
    "initializers": ("SPREADS", "initial_weights"),
    "layers": ("ACTIVATIONS", "Add", "Concatenate", "Dense", "Dropout", "Embedding"),
    "layers.activations": ("Linear", "ReLU", "Sigmoid", "Softmax", "Tanh"),
    "layers.joins": ("Multiply",),
    "losses": ("LOSSES", "CrossEntropy", "LogLikelihood", "Quadratic"),
    "mlp": ("MLPClassifier", "MLPRegressor"),
    "network": ("Network",),
    "optimizers": ("OPTIMIZERS", "SGD", "Adagrad", "Adam", "Momentum", "Nesterov", "Optimizer", "RMSProp"),
    "parameters": ("Parameter", "ParameterVector", "SparseParameter"),
    "regularizers": ("L1", "L2", "REGULARIZERS", "REGULARISERS"),  # the last one in British spelling, as before
    "schedules": ("SCHEDULES", "Constant", "Exponential", "Inverse", "Plateau", "Step"),
    "training.report": ("Report",),
    "training.stopping": ("DivergedError", "EarlyStopping"),
    "training.trainer": ("Trainer", "gradient_norms"),
}
__getattr__, __dir__ = lazy_names(
    __name__,
    {name: f"windrow.nn.{module}" for module, names in _NAMES_IN.items() for name in names},
    (*_NAMES_IN, "training"),
)
