"""Train a network with the optimizers of SciPy instead of our own, on small images of digits.

Everything a network can change is one vector, and ``loss_and_grad`` is a function of it: that is all that
scipy.optimize.minimize asks for. L-BFGS-B learns from past gradients how the cost curves, Newton-CG asks by differences
of gradients; both look at all examples at every step, and need neither a learning rate nor a schedule.

    pip install 'windrow[sklearn]'
    python examples/fit_with_lbfgs.py
"""

from __future__ import annotations

from time import perf_counter

import numpy as np
from scipy.optimize import minimize
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

from windrow.nn import L2, Chain, Dense, LogLikelihood, Network, Tanh, Trainer


def digits_network(seed: int = 1) -> Network:
    """64 pixels, 20 hidden units, 10 digits; in float64, so that line searches can trust small differences."""
    rng = np.random.default_rng(seed)
    layers = [Dense(64, 20, rng=rng, dtype=np.float64), Tanh(), Dense(20, 10, rng=rng, dtype=np.float64)]
    return Network(Chain(layers), LogLikelihood(), [L2(1e-3)])


def main() -> dict[str, float]:
    """Print and return the share of test images that each method gets right."""
    images, digits = load_digits(return_X_y=True)
    x, x_test, y, y_test = train_test_split(images / 16, digits, test_size=0.3, random_state=1)
    found = {}
    for method in ("sgd", "L-BFGS-B", "Newton-CG"):
        network = digits_network()
        started = perf_counter()
        with threadpool_limits(1):  # two threads wait for each other longer than they work on products this small
            if method == "sgd":
                Trainer(rng=np.random.default_rng(1)).run(network, x, y, epochs=30)
            else:
                start = network.parameters.values.copy()
                options = {"maxiter": 100 if method == "L-BFGS-B" else 20}
                minimize(network.loss_and_grad, start, args=(x, y), jac=True, method=method, options=options)
        seconds = perf_counter() - started
        cost = network.loss_and_grad(network.parameters.values, x, y)[0]
        found[method] = float(np.mean(network.predict(x_test).argmax(axis=1) == y_test))
        print(f"{method}: cost {cost:.4f}, {found[method]:.1%} of the test images right, {seconds:.1f} s")
    return found


if __name__ == "__main__":
    main()
