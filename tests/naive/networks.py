"""Networks number by number: layers, losses, optimizers, and backpropagation example by example."""

from __future__ import annotations

from math import exp, log, sqrt, tanh

Matrix = list[list[float]]


def dense(x: Matrix, weights: Matrix, biases: list[float]) -> Matrix:
    return [[biases[j] + sum(row[i] * weights[i][j] for i in range(len(row))) for j in range(len(biases))] for row in x]


def sigmoid(z: float) -> float:
    return 1 / (1 + exp(-z))


def softmax(row: list[float]) -> list[float]:
    return [exp(z) / sum(exp(other) for other in row) for z in row]


ACTIVATIONS = {
    "sigmoid": lambda row: [sigmoid(z) for z in row],
    "tanh": lambda row: [tanh(z) for z in row],
    "relu": lambda row: [z if z > 0 else 0.0 for z in row],
    "softmax": softmax,
    "linear": list,
}


def quadratic(outputs: Matrix, targets: Matrix) -> float:
    total = sum(
        (a - y) ** 2 / 2 for row, wanted in zip(outputs, targets, strict=True) for a, y in zip(row, wanted, strict=True)
    )
    return total / len(outputs)


def cross_entropy(sums: Matrix, targets: Matrix) -> float:
    total = 0.0
    for row, wanted in zip(sums, targets, strict=True):
        for z, y in zip(row, wanted, strict=True):
            total -= y * log(sigmoid(z)) + (1 - y) * log(1 - sigmoid(z))
    return total / len(sums)


def log_likelihood(sums: Matrix, classes: list[int]) -> float:
    return sum(-log(softmax(row)[target]) for row, target in zip(sums, classes, strict=True)) / len(sums)


LOSSES = {"quadratic": quadratic, "cross-entropy": cross_entropy, "log-likelihood": log_likelihood}


def backpropagate(x: list[float], y: list[float], weights: list[Matrix], biases: list[list[float]], cost: str):
    """The gradient of one example in a network of sigmoids: weights, biases (Nielsen 2015, BP1 to BP4)."""
    activations = [x]
    for w, b in zip(weights, biases, strict=True):
        activations.append([sigmoid(z) for z in dense([activations[-1]], w, b)[0]])
    a = activations[-1]
    delta = [a[j] - y[j] for j in range(len(y))]
    if cost == "quadratic":
        delta = [delta[j] * a[j] * (1 - a[j]) for j in range(len(y))]
    weight_gradients, bias_gradients = [], []
    for layer in reversed(range(len(weights))):
        below = activations[layer]
        weight_gradients.insert(0, [[a * d for d in delta] for a in below])
        bias_gradients.insert(0, delta)
        back = [sum(w * d for w, d in zip(row, delta, strict=True)) for row in weights[layer]]
        delta = [back[i] * below[i] * (1 - below[i]) for i in range(len(below))]
    return weight_gradients, bias_gradients


# --- optimizers: the path of one number x, given the gradient as a function of it


def sgd(x, gradient, rate, steps):
    path = []
    for _ in range(steps):
        x = x - rate * gradient(x)
        path.append(x)
    return path


def momentum(x, gradient, rate, steps, mu=0.9):
    path, v = [], 0.0
    for _ in range(steps):
        v = mu * v - rate * gradient(x)
        x = x + v
        path.append(x)
    return path


def nesterov(x, gradient, rate, steps, mu=0.9):
    """Sutskever et al. 2013, eq. 3 and 4. The path is of the places ahead, x + mu * v, where gradients are taken."""
    path, v = [], 0.0
    for _ in range(steps):
        v = mu * v - rate * gradient(x + mu * v)
        x = x + v
        path.append(x + mu * v)
    return path


def adagrad(x, gradient, rate, steps, epsilon=1e-8):
    path, seen = [], []
    for _ in range(steps):
        seen.append(gradient(x))
        x = x - rate * seen[-1] / (sqrt(sum(g**2 for g in seen)) + epsilon)
        path.append(x)
    return path


def rmsprop(x, gradient, rate, steps, decay=0.9, epsilon=1e-8):
    path, seen = [], []
    for _ in range(steps):
        seen.append(gradient(x))
        mean = sum((1 - decay) * decay**age * g**2 for age, g in enumerate(reversed(seen)))
        x = x - rate * seen[-1] / (sqrt(mean) + epsilon)
        path.append(x)
    return path


def adam(x, gradient, rate, steps, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Kingma & Ba 2015, algorithm 1."""
    path, m, v = [], 0.0, 0.0
    for t in range(1, steps + 1):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        x = x - rate * (m / (1 - beta1**t)) / (sqrt(v / (1 - beta2**t)) + epsilon)
        path.append(x)
    return path


OPTIMIZERS = {
    "sgd": sgd,
    "momentum": momentum,
    "nesterov": nesterov,
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adam": adam,
}
