from __future__ import annotations

import pickle
import runpy
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.datasets import load_diabetes, load_digits
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from windrow.errors import NotFittedError, OptionError, WindrowError
from windrow.nn import ACTIVATIONS, LOSSES, SPREADS, DivergedError, MLPClassifier, MLPRegressor, Momentum, Step

EXAMPLES = Path(__file__).parents[2] / "examples"
IMAGES, DIGITS = load_digits(return_X_y=True)
X, X_TEST, Y, Y_TEST = train_test_split(IMAGES / 16, DIGITS, test_size=0.3, random_state=1)

# Two clouds of points, with labels that are words.
RNG = np.random.default_rng(4)
CLOUDS = np.vstack([RNG.normal(-1, 0.5, (40, 2)), RNG.normal(1, 0.5, (40, 2))])
NAMES = np.repeat(["left", "right"], 40)


def classifier(**options) -> MLPClassifier:
    return MLPClassifier((8,), **{"epochs": 5, "random_state": 1, **options})


# --- they learn


@pytest.mark.parametrize(
    ("cost", "rate", "initializer", "least"),
    [("quadratic", 3, "normal", 0.90), ("cross-entropy", 0.5, "scaled", 0.95), ("log-likelihood", 0.1, "scaled", 0.94)],
)
def test_the_recipes_of_the_book_learn_small_digits(cost, rate, initializer, least):
    """Nielsen 2015, on scikit-learn's 8 x 8 images in place of MNIST's."""
    model = MLPClassifier(
        (30,), activation="sigmoid", cost=cost, initializer=initializer, optimizer="sgd", learning_rate=rate,
        batch_size=10, epochs=30, random_state=1,
    )  # fmt: skip
    assert model.fit(X, Y).score(X_TEST, Y_TEST) >= least
    shuffled = np.random.default_rng(0).permutation(Y)
    assert model.fit(X, shuffled).score(X_TEST, Y_TEST) < 0.3  # nothing but the labels tells it the answer


def test_the_defaults_learn_small_digits_and_dropout_and_l2_do_not_prevent_it():
    for options in ({}, {"dropout": 0.2, "input_dropout": 0.05, "l2": 1e-4, "l1": 1e-6}):
        model = MLPClassifier(random_state=1, **options).fit(X, Y)
        assert model.score(X_TEST, Y_TEST) > 0.96


@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name != "softmax"])
@pytest.mark.parametrize("cost", LOSSES)
def test_every_activation_learns_with_every_cost(activation, cost):
    model = classifier(activation=activation, cost=cost, epochs=20, learning_rate=0.02)
    assert model.fit(CLOUDS, NAMES).score(CLOUDS, NAMES) > 0.9


@pytest.mark.parametrize("initializer", SPREADS)
def test_weights_start_as_the_initializer_says(initializer):
    model = MLPClassifier((200, 100), initializer=initializer, epochs=1, learning_rate=1e-9, random_state=1)
    first, second, last = model.fit(X, Y).coefs_
    variances = {"normal": [1, 1], "scaled": [1 / 64, 1 / 200], "glorot": [2 / 264, 2 / 300], "he": [2 / 64, 2 / 200]}
    assert [first.var(), second.var()] == pytest.approx(variances[initializer], rel=0.06)
    assert last.shape == (100, 10)
    assert [b.shape for b in model.intercepts_] == [(200,), (100,), (10,)]


def test_a_regressor_without_hidden_layers_is_a_linear_regression():
    features, y = load_diabetes(return_X_y=True, scaled=False)
    x, y = StandardScaler().fit_transform(features)[:, :4], (y - 150) / 80
    model = MLPRegressor((), optimizer="sgd", learning_rate=0.2, batch_size=len(x), epochs=300, random_state=1)
    expected = LinearRegression().fit(x, y)
    np.testing.assert_allclose(model.fit(x, y).predict(x), expected.predict(x), atol=1e-3)
    assert model.score(x, y) == pytest.approx(expected.score(x, y), abs=1e-4)


@pytest.mark.parametrize("outputs", [1, 2])
def test_the_score_of_a_regressor_is_that_of_scikit_learn(outputs):
    x, y = CLOUDS, np.hstack([CLOUDS[:, :1] ** 2, np.full((80, 1), 3.0)])[:, :outputs]
    model = MLPRegressor((5,), epochs=3, random_state=1).fit(x, y)
    assert model.score(x, y) == pytest.approx(r2_score(y, model.predict(x)), abs=1e-6)
    with pytest.raises(ValueError, match="y has the shape"):
        model.score(x, np.zeros((80, 3)))


def test_a_regressor_learns_two_curves_at_once():
    x = np.linspace(-2, 2, 200)[:, None]
    y = np.hstack([np.sin(2 * x), x**2])
    model = MLPRegressor((40,), activation="tanh", learning_rate=0.01, epochs=150, random_state=1).fit(x, y)
    assert model.predict(x).shape == (200, 2)
    assert model.score(x, y) > 0.98
    one = MLPRegressor((40,), activation="tanh", learning_rate=0.01, epochs=150, random_state=1).fit(x, y[:, 0])
    assert one.predict(x).shape == (200,)
    assert one.score(x, y[:, 0]) > 0.98


# --- what they give


@pytest.mark.parametrize("cost", LOSSES)
def test_probabilities_sum_to_one_and_their_largest_is_the_prediction(cost):
    model = classifier(cost=cost).fit(X, Y)
    probabilities = model.predict_proba(X_TEST)
    assert probabilities.shape == (len(X_TEST), 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert (probabilities >= 0).all()
    np.testing.assert_array_equal(model.classes_[probabilities.argmax(axis=1)], model.predict(X_TEST))


def test_labels_may_be_words():
    model = classifier(epochs=20).fit(CLOUDS.tolist(), NAMES.tolist())
    assert model.classes_.tolist() == ["left", "right"]
    assert set(model.predict(CLOUDS)) == {"left", "right"}
    assert model.score(CLOUDS, np.repeat(["left", "other"], 40)) <= 0.5  # an unknown class is never right


def test_equal_seeds_give_equal_bits_and_other_seeds_others():
    first, second, third = (classifier(dropout=0.3, random_state=seed).fit(X, Y) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.coefs_[0], second.coefs_[0])
    assert (first.coefs_[0] != third.coefs_[0]).any()


def test_validation_is_scored_each_epoch_and_is_not_trained_on():
    model = classifier(epochs=3).fit(X, Y, validation=(X_TEST, Y_TEST))
    assert [row["epoch"] for row in model.history_] == [1, 2, 3]
    assert model.history_[-1]["score"] == model.score(X_TEST, Y_TEST)
    assert set(model.history_[0]["gradient_norms"]) == {"dense1", "dense2"}
    np.testing.assert_array_equal(model.coefs_[0], classifier(epochs=3).fit(X, Y).coefs_[0])


def test_early_stopping_holds_rows_back_and_gives_back_the_best_epoch():
    model = classifier(early_stopping=True, patience=3, epochs=200, learning_rate=0.02, batch_size=10).fit(X, Y)
    scores = [row["score"] for row in model.history_]
    assert len(scores) < 200
    assert max(scores) == max(scores[:-3])
    assert model.history_[0]["steps"] == -(-round(len(X) * 0.9) // 10)
    with_given = classifier(early_stopping=True, patience=3, epochs=200, learning_rate=0.02)
    with_given.fit(X, Y, validation=(X_TEST, Y_TEST))
    assert with_given.score(X_TEST, Y_TEST) == max(row["score"] for row in with_given.history_)


def test_partial_fit_goes_on_epoch_by_epoch():
    options = {"schedule": Step(every=2), "optimizer": Momentum(0.8), "learning_rate": 0.05}
    whole = classifier(epochs=4, **options).fit(X, Y)
    parts = classifier(**options)
    for _ in range(4):
        parts.partial_fit(X, Y, classes=range(10))
    np.testing.assert_array_equal(parts.coefs_[0], whole.coefs_[0])
    assert [row["loss"] for row in parts.history_] == [row["loss"] for row in whole.history_]
    early = classifier().partial_fit(X[Y < 5], Y[Y < 5], classes=range(10))
    assert early.partial_fit(X, Y).predict_proba(X).shape[1] == 10


def test_the_optimizer_given_is_not_changed():
    optimizer = Momentum(0.5)
    classifier(optimizer=optimizer).fit(CLOUDS, NAMES)
    assert vars(optimizer) == {"momentum": 0.5}


def test_augmentation_and_callbacks_are_used():
    seen = []

    def still(rows, rng):
        seen.append(rows.shape)
        return np.zeros_like(rows)

    model = classifier(augmentation=still, callbacks=[lambda report, network: report.epoch == 2]).fit(X, Y)
    assert len(model.history_) == 2
    assert sum(rows for rows, _ in seen) == 2 * len(X)
    assert model.score(X_TEST, Y_TEST) < 0.3  # it has seen black images only


# --- scikit-learn's conventions


@pytest.mark.filterwarnings("ignore:Estimator .* does not inherit:UserWarning")
@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_scikit_learns_own_checks(kind):
    """All but those that ask for scikit-learn's own classes, which we do not import."""
    wanted = {
        "check_estimators_unfitted",  # its NotFittedError; ours is an AttributeError too
        "check_dtype_object",  # a TypeError for a dict in X, ours is a ValueError
        "check_supervised_y_2d",  # its DataConversionWarning; we take a column silently
    }
    model = kind((20,), learning_rate=0.02, epochs=20, random_state=0)
    results = check_estimator(model, on_fail=None, on_skip=None)
    failed = {result["check_name"] for result in results if result["status"] == "failed"}
    assert failed <= wanted
    assert Counter(result["status"] for result in results)["passed"] > 40


def test_a_clone_has_the_parameters_and_nothing_learned():
    model = classifier(l2=0.1).fit(CLOUDS, NAMES)
    twin = clone(model)
    assert twin.get_params() == model.get_params()
    assert not hasattr(twin, "network_")
    assert repr(twin) == "MLPClassifier(hidden_layer_sizes=(8,), epochs=5, l2=0.1, random_state=1)"
    assert is_classifier(twin)
    assert is_regressor(MLPRegressor())


def test_a_pipeline_is_searched():
    pipeline = make_pipeline(StandardScaler(), classifier(epochs=2))
    grid = {"mlpclassifier__hidden_layer_sizes": [(4,), (4, 4)], "mlpclassifier__cost": ["quadratic", "log-likelihood"]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(CLOUDS, NAMES)
    for parameters, found in zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True):
        assert found == cross_val_score(clone(pipeline).set_params(**parameters), CLOUDS, NAMES, cv=2).mean()
    assert len(set(search.cv_results_["mean_test_score"])) > 1


def test_a_fold_may_lack_a_class():
    rare = np.append(NAMES[1:], "rare")
    assert np.isfinite(cross_val_score(classifier(), CLOUDS, rare, cv=[(range(79), [79, 0])])).all()


def test_a_pickled_model_predicts_the_same_and_goes_on_learning():
    model = classifier(dropout=0.2).fit(X, Y, validation=(X_TEST, Y_TEST))
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.predict_proba(X_TEST), model.predict_proba(X_TEST))
    for m in (model, loaded):
        m.partial_fit(X, Y)
    np.testing.assert_array_equal(loaded.predict_proba(X_TEST), model.predict_proba(X_TEST))


def test_scikit_learn_is_not_needed():
    script = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import numpy as np; from windrow.nn import MLPClassifier\n"
        "x = np.array([[0, 0], [1, 1]] * 20); y = x[:, 0]\n"
        "print(MLPClassifier(random_state=1).fit(x, y).score(x, y))\n"
        "assert not any(name.startswith(('numba', 'sklearn.')) for name in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "1.0\n"


# --- what is wrong is named


def test_after_divergence_the_last_good_parameters_predict():
    y = CLOUDS[:, 0] * 100
    model = MLPRegressor((5,), optimizer="sgd", learning_rate=10.0, epochs=50, random_state=1)
    with pytest.raises(DivergedError, match=r"at step \d+ \(epoch \d+\): .* try learning_rate = 1 or"):
        model.fit(CLOUDS, y)
    assert np.isfinite(model.predict(CLOUDS)).all()


def test_a_model_that_is_not_trained_says_so():
    for ask in (lambda m: m.predict(X), lambda m: m.predict_proba(X), lambda m: m.coefs_, lambda m: m.score(X, Y)):
        with pytest.raises(NotFittedError, match="this MLPClassifier is not trained yet; call fit first"):
            ask(MLPClassifier())


def with_nan():
    x = CLOUDS.copy()
    x[5, 1] = np.nan
    return x


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (with_nan(), NAMES, r"X: nan at row 5, column 1 \(from 0\)"),
        (CLOUDS * 1e300, NAMES, r"X: -?inf at row 0"),
        (CLOUDS[:, 0], NAMES, r"X has the shape \(80,\); give a table"),
        (CLOUDS[:0], NAMES[:0], r"X holds 0 sample\(s\)"),
        ([[1, 2], [3]], ["a", "b"], "X cannot be read as numbers: .*inhomogeneous"),
        ([["a"], ["b"]], ["a", "b"], "X cannot be read as numbers: could not convert string"),
        (CLOUDS + 1j, NAMES, "X: Complex data not supported"),
        (CLOUDS, NAMES[:-1], r"X has 80 rows, but y has the shape \(79,\)"),
        (CLOUDS, None, "requires y to be passed"),
        (CLOUDS, np.repeat("left", 80), "y holds 1 class; give examples of two"),
        (CLOUDS, CLOUDS[:, 0], "y holds continuous numbers; give classes, or take MLPRegressor"),
        (CLOUDS, np.array(["left", None] * 40, object), "y mixes labels that have no order"),
        (CLOUDS, CLOUDS, "a classifier takes one class for each example"),
        (CLOUDS, np.append(np.zeros(79), np.nan), "y: nan at row 79"),
    ],
)
def test_examples_that_cannot_be_learned_from_are_refused(x, y, message):
    with pytest.raises(WindrowError, match=message) as caught:
        classifier().fit(x, y)
    assert isinstance(caught.value, ValueError)
    assert "\n" not in str(caught.value)


def test_what_comes_later_must_fit_what_was_learned():
    model = classifier().fit(CLOUDS, NAMES)
    with pytest.raises(ValueError, match="X has 3 features, but MLPClassifier is expecting 2 features"):
        model.predict(X[:, :3])
    with pytest.raises(ValueError, match=r"y holds the class .*'up'.*, which was not among the classes trained on"):
        model.partial_fit(CLOUDS, np.repeat(["left", "up"], 40))
    with pytest.raises(ValueError, match=r"y holds the class .*'up'"):
        model.fit(CLOUDS, NAMES, validation=(CLOUDS[:1], ["up"]))
    with pytest.raises(ValueError, match="X has 3 features"):
        model.fit(CLOUDS, NAMES, validation=(X[:, :3], Y))
    with pytest.raises(ValueError, match="1 example is too few to hold some back"):
        MLPRegressor(early_stopping=True).fit(CLOUDS[:1], CLOUDS[:1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden_layer_sizes": (0,)}, "hidden_layer_sizes = 0 is out of range"),
        ({"hidden_layer_sizes": "100"}, "hidden_layer_sizes = '100' must be whole numbers"),
        ({"activation": "gelu"}, "activation = 'gelu' is not one of sigmoid, tanh, relu"),
        ({"cost": "hinge"}, "cost = 'hinge' is not one of"),
        ({"initializer": "xavier"}, "initializer = 'xavier' is not one of"),
        ({"optimizer": "lion"}, "optimizer = 'lion' is not one of"),
        ({"optimizer": 5}, "optimizer = 5 must be a name or an Optimizer of windrow.nn"),
        ({"schedule": "cosine"}, "schedule = 'cosine' is not one of constant, step"),
        ({"learning_rate": -1}, "learning_rate = -1 is out of range"),
        ({"optimizer": "momentum", "momentum": 1}, "momentum = 1 is out of range"),
        ({"dropout": 1}, "dropout = 1 is out of range"),
        ({"input_dropout": -0.1}, "input_dropout = -0.1 is out of range"),
        ({"l1": -1}, "l1 = -1 is out of range"),
        ({"l2": float("nan")}, "l2 = nan is out of range"),
        ({"epochs": 0}, "epochs = 0 is out of range"),
        ({"batch_size": 1.5}, "batch_size = 1.5 must be a whole number"),
        ({"early_stopping": True, "validation_fraction": 1}, "validation_fraction = 1 is out of range"),
        ({"early_stopping": True, "patience": 0}, "patience = 0 is out of range"),
    ],
)
def test_parameters_out_of_range_are_named(options, message):
    with pytest.raises(OptionError, match=message):
        MLPClassifier().set_params(**options).fit(CLOUDS, NAMES)


def test_a_regression_has_no_cost_for_classes():
    with pytest.raises(OptionError, match="cost = 'cross-entropy' is not one of None, quadratic"):
        MLPRegressor(cost="cross-entropy").fit(CLOUDS, CLOUDS)


# --- the examples


def test_scipys_optimisers_reach_a_lower_cost_than_a_few_epochs_of_sgd(capsys):
    found = runpy.run_path(str(EXAMPLES / "fit_with_lbfgs.py"))["main"]()
    assert min(found.values()) > 0.95
    lines = capsys.readouterr().out.splitlines()
    costs = {line.partition(":")[0]: float(line.split("cost ")[1].split(",")[0]) for line in lines}
    assert max(costs["L-BFGS-B"], costs["Newton-CG"]) < costs["sgd"]


def test_the_grid_search_of_the_example_prefers_more_hidden_units():
    search = runpy.run_path(str(EXAMPLES / "search_digits.py"))["grid_search"](epochs=4)
    assert search.best_params_["hidden_layer_sizes"] == (50,)
    assert search.best_score_ > 0.8


def test_the_optuna_search_of_the_example_prunes():
    study = runpy.run_path(str(EXAMPLES / "search_digits.py"))["optuna_search"](trials=8, epochs=6)
    assert len(study.trials) == 8
    assert study.best_value > 0.9


# --- names of features

FRAME = pd.DataFrame({"a": [0.0, 1, 2, 3] * 5, "b": [3.0, 1, 0, 2] * 5})
KINDS = [(MLPClassifier, (FRAME["a"] > 1).astype(int)), (MLPRegressor, FRAME["a"] * 2.0)]


@pytest.mark.parametrize(("kind", "y"), KINDS)
def test_columns_in_another_order_or_of_other_names_are_refused(kind, y):
    model = kind(4, epochs=2, random_state=0).fit(FRAME, y, validation=(FRAME, y))
    assert model.feature_names_in_.tolist() == ["a", "b"]
    np.testing.assert_array_equal(model.predict(FRAME), model.fit(FRAME, y).predict(FRAME))
    asks = [model.predict, lambda x: model.score(x, y), lambda x: model.partial_fit(x, y)]
    asks += [lambda x: kind(4, epochs=1).fit(FRAME, y, validation=(x, y))]
    asks += [model.predict_proba] if kind is MLPClassifier else []
    for ask in asks:
        for columns, said in (
            (FRAME[["b", "a"]], "Feature names must be in the same order as they were in fit."),
            (
                FRAME.rename(columns={"b": "c"}),
                "Feature names unseen at fit time:\n- c\nFeature names seen at fit time, yet",
            ),
            (FRAME[["a"]], "Feature names seen at fit time, yet now missing:\n- b\n"),
        ):
            with pytest.raises(ValueError, match=f"^The feature names should match.*\n{said}"):
                ask(columns)


@pytest.mark.parametrize(("kind", "y"), KINDS)
def test_names_on_one_side_only_are_a_warning(kind, y):
    model = kind(4, epochs=1, early_stopping=True, random_state=0).fit(FRAME, y)  # rows held back have no names
    with pytest.warns(UserWarning, match=f"X does not have valid feature names, but {kind.__name__} was fitted with"):
        model.predict(FRAME.to_numpy())
    model.fit(FRAME.to_numpy(), y)
    assert not hasattr(model, "feature_names_in_")
    with pytest.warns(UserWarning, match=f"X has feature names, but {kind.__name__} was fitted without feature names"):
        model.predict(FRAME)
    model.fit(FRAME.set_axis([0, 1], axis=1), y)  # numbers are no names, as in scikit-learn
    assert not hasattr(model, "feature_names_in_")
    with pytest.raises(ValueError, match="some are text and some are not"):
        model.fit(FRAME.set_axis(["a", 1], axis=1), y)
