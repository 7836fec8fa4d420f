"""Recurrent cells as their definitions have them: one stream, one step, one formula at a time."""

from __future__ import annotations

import numpy as np


def logistic(x):
    return 1 / (1 + np.exp(-x))


def elman(activation):
    def step(sums, h, state, parameters):
        return (activation(sums + h @ parameters["recurrent_weights"]),)

    return step


def lstm(sums, h, state, parameters):
    i, f, o, g = np.split(sums + h @ parameters["recurrent_weights"], 4)
    c = logistic(f) * state[1] + logistic(i) * np.tanh(g)
    return logistic(o) * np.tanh(c), c


def gru(sums, h, state, parameters):
    from_h = np.split(h @ parameters["recurrent_weights"], 3)
    from_x = np.split(sums, 3)
    r, z = logistic(from_x[0] + from_h[0]), logistic(from_x[1] + from_h[1])
    n = np.tanh(from_x[2] + r * (from_h[2] + parameters["candidate_biases"]))
    return ((1 - z) * n + z * h,)


STEPS = {
    "elman": elman(np.tanh),
    "elman-sigmoid": elman(logistic),
    "elman-relu": elman(lambda x: np.maximum(x, 0)),
    "gru": gru,
    "lstm": lstm,
}


def run(cell, parameters, x, state, begins):
    """Hidden states (steps, batch, hidden) and the last state; x (steps, batch, inputs)."""
    hidden = np.empty((*x.shape[:2], state.shape[2]), x.dtype)
    last = state.copy()
    for stream in range(x.shape[1]):
        now = state[:, stream]
        for step in range(len(x)):
            if begins[step, stream]:
                now = np.zeros_like(now)
            sums = x[step, stream]
            if "input_weights" in parameters:
                sums = sums @ parameters["input_weights"]
            now = np.array(STEPS[cell](sums + parameters["biases"], now[0], now, parameters))
            hidden[step, stream] = now[0]
        last[:, stream] = now
    return hidden, last
