"""Search for good hyper-parameters of a network with scikit-learn, and with Optuna if it is installed.

Windrow searches nothing itself: MLPClassifier has scikit-learn's conventions, so GridSearchCV tries a table of
settings by cross-validation. Optuna proposes settings by what it has seen, and a callback that raises TrialPruned ends
a hopeless one early.

    pip install 'windrow[sklearn]' optuna
    python examples/search_digits.py
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split

from windrow.nn import MLPClassifier, Network, Report


def digits() -> list[Any]:
    """Train and test images, (rows, 64) between 0 and 1, then train and test digits."""
    images, labels = load_digits(return_X_y=True)
    split: list[Any] = train_test_split(images / 16, labels, test_size=0.3, random_state=1)
    return split


def grid_search(epochs: int = 10) -> GridSearchCV:
    """Every cost with every size of the hidden layer, in three folds."""
    x, _, y, _ = digits()
    grid = {"cost": ["quadratic", "cross-entropy", "log-likelihood"], "hidden_layer_sizes": [(10,), (50,)]}
    return GridSearchCV(MLPClassifier(epochs=epochs, learning_rate=0.01, random_state=1), grid, cv=3).fit(x, y)


def optuna_search(trials: int = 15, epochs: int = 15) -> Any:
    """The learning rate, L2 and dropout, judged by the last third of the training images; returns the study."""
    import optuna

    x, _, y, _ = digits()
    x, x_valid, y, y_valid = train_test_split(x, y, test_size=1 / 3, random_state=2)

    def accuracy(trial: Any) -> float:
        def prune(report: Report, network: Network) -> None:
            trial.report(report.score, report.epoch)
            if trial.should_prune():
                raise optuna.TrialPruned

        model = MLPClassifier(
            (50,),
            epochs=epochs,
            learning_rate=trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True),
            l2=trial.suggest_float("l2", 1e-6, 1e-2, log=True),
            dropout=trial.suggest_float("dropout", 0.0, 0.6),
            callbacks=[prune],
            random_state=1,
        )
        return model.fit(x, y, validation=(x_valid, y_valid)).score(x_valid, y_valid)

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=1), pruner=optuna.pruners.MedianPruner(5, 3)
    )
    study.optimize(accuracy, n_trials=trials)
    return study


def main() -> None:
    """Print what each search finds, and how it does on the test images."""
    x, x_test, y, y_test = digits()
    search = grid_search()
    print(f"GridSearchCV: {search.best_params_}, {search.score(x_test, y_test):.1%} of the test images right")
    if find_spec("optuna") is None:
        print("Optuna is not installed")
        return
    best = optuna_search().best_params
    model = MLPClassifier((50,), epochs=15, random_state=1, **best).fit(x, y)
    print(f"Optuna: {best}, {model.score(x_test, y_test):.1%} of the test images right")


if __name__ == "__main__":
    main()
