"""Multi-layer perceptrons as scikit-learn expects them: MLPClassifier and MLPRegressor."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from windrow.nn.examples import ExampleError, as_numbers, check_lengths, find_classes
from windrow.nn.parameters import Array
from windrow.nn.perceptron import MultiLayerPerceptron
from windrow.nn.settings import MLP_CLASSIFIER, MLP_REGRESSOR


class MLPClassifier(MultiLayerPerceptron):
    """A network of dense layers that tells classes apart, with scikit-learn's conventions.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default (100,)
        Units of each hidden layer, each from 1 to 100000. () makes a linear model; more units fit more, and need
        more examples.
    activation : {"sigmoid", "tanh", "relu", "softmax", "linear"}, default "relu"
        Activation function of the hidden units. Only with hidden_layer_sizes.
    cost : {"quadratic", "cross-entropy", "log-likelihood"} or None, default None
        The loss that is minimized. None: log-likelihood. The others ask one yes-or-no question per class, by a
        sigmoid.
    initializer : {"normal", "scaled", "glorot", "he"}, default "he"
        Standard deviation of the random first weights, by name. he suits relu, glorot suits tanh and sigmoid;
        normal (1) shows how saturated units fail to learn.
    optimizer : str or Optimizer, default "adam"
        Rule that turns a gradient into a step: sgd, momentum, nesterov, adagrad, rmsprop, adam, or an object of
        windrow.nn.
    learning_rate : float > 0 or None, default None
        Learning rate: the steps along the gradient of the mean loss per example. None: the optimizer's own (0.1 for
        sgd and adagrad, 0.01 with momentum, 0.001 for rmsprop and adam). The first parameter to tune, by factors of
        3.
    schedule : str or callable, default "constant"
        How the learning rate changes with the epochs: constant, step, exponential, inverse, plateau, or a function
        of (epoch, scores so far) that gives a factor.
    momentum : float in [0, 1), default 0.9
        Share of the last step that is added to the next. Only with optimizer "momentum" or "nesterov".
    batch_size : int >= 1, default 32
        Examples per step. Larger batches are faster per epoch and need more epochs.
    epochs : int in [1, 1000000], default 30
        Passes over the examples, at most.
    l1 : float >= 0, default 0.0
        Strength of the penalty on the sum of absolute weights; many of them become 0.
    l2 : float >= 0, default 0.0
        Strength of the penalty on half the sum of squared weights. It is a textbook's lambda over the number of
        examples; raise it against overfitting.
    dropout : float in [0, 1), default 0.0
        Fraction of the hidden units that are 0 in each step. Only with hidden_layer_sizes. 0.5 is usual for large
        layers.
    input_dropout : float in [0, 1), default 0.0
        Fraction of the features that are 0 in each step.
    clip_norm : float > 0 or None, default None
        Greatest norm of the gradient of a step; a longer gradient is scaled down. None: any length. Set it when
        training diverges.
    clip_value : float > 0 or None, default None
        Greatest absolute value of an element of a gradient; larger ones are cut. None: any size.
    early_stopping : bool, default False
        Whether to hold examples back, to stop when their score rises no more, and to keep the best parameters.
    patience : int >= 1, default 10
        Epochs without a better score before training stops. Only with early_stopping True.
    validation_fraction : float in (0, 1), default 0.1
        Fraction of the examples that is held back. Only with early_stopping True and without validation.
    augmentation : callable or None, default None
        Function of (rows, rng) that gives other rows to train on, of the same shape and meaning; called with about
        a thousand at a time. None: the rows themselves.
    callbacks : sequence of callable, default ()
        Functions of (Report, Network), called after each epoch; training ends when one returns a true value.
    random_state : int or Generator or None, default None
        Seed of the first weights, of the order of examples and of dropout. None: another one each time. An int
        makes a run repeatable.

    Attributes
    ----------
    classes_ : ndarray of shape (classes,)
        The classes, in the order of ``predict_proba``.
    network_ : Network
        The trained network.
    history_ : list of dict
        One dict per epoch: loss, score, learning rate, seconds, norms of the gradients.
    coefs_, intercepts_ : list of ndarray
        Weights (inputs, outputs) and biases (outputs,) of each dense layer.
    n_features_in_ : int
        Features of an example.
    feature_names_in_ : ndarray of shape (features,)
        Names of the features, where X had column names that are text; other ones, or another order, are refused then.

    Examples
    --------
    >>> from windrow.nn import MLPClassifier
    >>> points, names = [[0, 0], [0, 1], [5, 5], [5, 6]] * 10, ["near", "near", "far", "far"] * 10
    >>> model = MLPClassifier((8,), learning_rate=0.01, random_state=1).fit(points, names)
    >>> model.predict([[0, 0.5], [5, 5.5]]).tolist()
    ['near', 'far']
    """

    settings = MLP_CLASSIFIER
    _kind = "classifier"
    _default_cost = "log-likelihood"
    _measure = "accuracy"

    def predict(self, X: ArrayLike) -> Array:  # noqa: N803
        """The most probable class of each row, (rows,)."""
        return super().predict(X)

    def _answers(self, outputs: Array) -> Array:
        labels: Array = self.classes_[outputs.argmax(axis=1)]
        return labels

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32]:  # noqa: N803
        """The probability of each class, (rows, classes) in the order of ``classes_``; rows sum to 1.

        Costs that ask a question for each class give probabilities that need not sum to 1; they are divided by
        their sum.
        """
        outputs = np.maximum(self._outputs(X), np.finfo(np.float32).tiny)
        probabilities: NDArray[np.float32] = outputs / outputs.sum(axis=1, keepdims=True)
        return probabilities

    def score(self, X: ArrayLike, y: ArrayLike) -> float:  # noqa: N803
        """The share of rows whose class is right; a class unknown from training never is."""
        return super().score(X, y)

    def _rate(self, answers: Array, y: Array) -> float:
        check_lengths(answers, y)
        return float(np.mean(answers == y))

    def _learn_labels(self, y: Array) -> None:
        self.classes_ = find_classes(y)
        self.n_outputs_ = len(self.classes_)
        if self.n_outputs_ < 2:
            raise ExampleError(f"y holds {self.n_outputs_} class; give examples of two at least to tell apart")

    def _targets(self, y: Array) -> Array:
        numbers = np.minimum(np.searchsorted(self.classes_, y), len(self.classes_) - 1)
        unknown = self.classes_[numbers] != y
        if unknown.any():
            raise ExampleError(f"y holds the class {y[unknown][0]!r}, which was not among the classes trained on")
        if self.network_.loss.takes_classes:
            return numbers
        return np.eye(len(self.classes_), dtype=np.float32)[numbers]


class MLPRegressor(MultiLayerPerceptron):
    """A network of dense layers that estimates numbers, y (rows,) or (rows, outputs), from linear outputs.

    Networks learn best where features and targets are about 1 in size: put a StandardScaler before it.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default (100,)
        Units of each hidden layer, each from 1 to 100000. () makes a linear model; more units fit more, and need
        more examples.
    activation : {"sigmoid", "tanh", "relu", "softmax", "linear"}, default "relu"
        Activation function of the hidden units. Only with hidden_layer_sizes.
    cost : {"quadratic"} or None, default None
        The loss that is minimized. None: quadratic. There is no other for a regression.
    initializer : {"normal", "scaled", "glorot", "he"}, default "he"
        Standard deviation of the random first weights, by name. he suits relu, glorot suits tanh and sigmoid;
        normal (1) shows how saturated units fail to learn.
    optimizer : str or Optimizer, default "adam"
        Rule that turns a gradient into a step: sgd, momentum, nesterov, adagrad, rmsprop, adam, or an object of
        windrow.nn.
    learning_rate : float > 0 or None, default None
        Learning rate: the steps along the gradient of the mean loss per example. None: the optimizer's own (0.1 for
        sgd and adagrad, 0.01 with momentum, 0.001 for rmsprop and adam). The first parameter to tune, by factors of
        3.
    schedule : str or callable, default "constant"
        How the learning rate changes with the epochs: constant, step, exponential, inverse, plateau, or a function
        of (epoch, scores so far) that gives a factor.
    momentum : float in [0, 1), default 0.9
        Share of the last step that is added to the next. Only with optimizer "momentum" or "nesterov".
    batch_size : int >= 1, default 32
        Examples per step. Larger batches are faster per epoch and need more epochs.
    epochs : int in [1, 1000000], default 30
        Passes over the examples, at most.
    l1 : float >= 0, default 0.0
        Strength of the penalty on the sum of absolute weights; many of them become 0.
    l2 : float >= 0, default 0.0
        Strength of the penalty on half the sum of squared weights. It is a textbook's lambda over the number of
        examples; raise it against overfitting.
    dropout : float in [0, 1), default 0.0
        Fraction of the hidden units that are 0 in each step. Only with hidden_layer_sizes. 0.5 is usual for large
        layers.
    input_dropout : float in [0, 1), default 0.0
        Fraction of the features that are 0 in each step.
    clip_norm : float > 0 or None, default None
        Greatest norm of the gradient of a step; a longer gradient is scaled down. None: any length. Set it when
        training diverges.
    clip_value : float > 0 or None, default None
        Greatest absolute value of an element of a gradient; larger ones are cut. None: any size.
    early_stopping : bool, default False
        Whether to hold examples back, to stop when their score rises no more, and to keep the best parameters.
    patience : int >= 1, default 10
        Epochs without a better score before training stops. Only with early_stopping True.
    validation_fraction : float in (0, 1), default 0.1
        Fraction of the examples that is held back. Only with early_stopping True and without validation.
    augmentation : callable or None, default None
        Function of (rows, rng) that gives other rows to train on, of the same shape and meaning; called with about
        a thousand at a time. None: the rows themselves.
    callbacks : sequence of callable, default ()
        Functions of (Report, Network), called after each epoch; training ends when one returns a true value.
    random_state : int or Generator or None, default None
        Seed of the first weights, of the order of examples and of dropout. None: another one each time. An int
        makes a run repeatable.

    Attributes
    ----------
    network_ : Network
        The trained network.
    history_ : list of dict
        One dict per epoch: loss, score, learning rate, seconds, norms of the gradients.
    coefs_, intercepts_ : list of ndarray
        Weights (inputs, outputs) and biases (outputs,) of each dense layer.
    n_features_in_ : int
        Features of an example.
    feature_names_in_ : ndarray of shape (features,)
        Names of the features, where X had column names that are text; other ones, or another order, are refused then.

    Examples
    --------
    >>> import numpy as np
    >>> from windrow.nn import MLPRegressor
    >>> x = np.linspace(-1, 1, 200)[:, None]
    >>> model = MLPRegressor((16,), learning_rate=0.01, random_state=1).fit(x, x[:, 0] ** 2)
    >>> model.score(x, x[:, 0] ** 2) > 0.9
    True
    """

    settings = MLP_REGRESSOR
    _kind = "regressor"
    _default_cost = "quadratic"
    _measure = "r2"

    def predict(self, X: ArrayLike) -> Array:  # noqa: N803
        """Estimates in the shape of the y trained on."""
        return super().predict(X)

    def _answers(self, outputs: Array) -> Array:
        return outputs[:, 0] if self._is_flat else outputs

    def score(self, X: ArrayLike, y: ArrayLike) -> float:  # noqa: N803
        """R squared: 1 - (sum of squared errors) / (sum of squares about the mean), the mean over outputs."""
        return super().score(X, y)

    def _rate(self, answers: Array, y: Array) -> float:
        predicted, y = answers.astype(np.float64), as_numbers("y", y).astype(np.float64)
        if y.shape != predicted.shape:
            raise ExampleError(f"y has the shape {y.shape}, but the predictions {predicted.shape}; give as many")
        predicted, y = predicted.reshape(-1, self.n_outputs_), y.reshape(-1, self.n_outputs_)
        errors, variation = ((y - predicted) ** 2).sum(axis=0), ((y - y.mean(axis=0)) ** 2).sum(axis=0)
        # Where y does not vary, a share of nothing is unexplained, or, as scikit-learn has it, all.
        unexplained = np.divide(errors, variation, out=np.sign(errors), where=variation > 0)
        return float(np.mean(1 - unexplained))

    def _learn_labels(self, y: Array) -> None:
        if y.ndim not in (1, 2):
            raise ExampleError(f"y has the shape {y.shape}; a regressor takes (rows,) or (rows, outputs)")
        self._is_flat = y.ndim == 1
        self.n_outputs_ = 1 if self._is_flat else y.shape[1]

    def _targets(self, y: Array) -> Array:
        targets = as_numbers("y", y)
        return targets.reshape(-1, 1) if self._is_flat else targets
