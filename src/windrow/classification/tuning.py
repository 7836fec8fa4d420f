"""Autotune: which settings of a text classifier are best for texts held back, found within a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from copy import copy
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from windrow.classification.classifier import TextClassifier
from windrow.classification.settings import BUCKETS
from windrow.classification.texts import Labelled, read_labelled
from windrow.errors import DataError, OptionError, check_callable, check_range, check_whole, needs_package, shown
from windrow.nn.training.stopping import DivergedError

if TYPE_CHECKING:
    import optuna

_BUCKETS = (10_000, 50_000, 100_000, 500_000, 1_000_000, 2_000_000, 5_000_000)
_MOST_WORDS = 5  # in an n-gram
_LEAST_LONG = (0, 2, 3)  # characters; the longest n-gram has three more
TUNED = ("epochs", "learning_rate", "vector_size", "word_ngrams", "min_n", "max_n", "buckets")
_METRIC = re.compile(r"f1(?::(?P<label>.+))?|(?P<name>precision|recall)@(?P<k>[1-9]\d{0,8})")


class Trial(NamedTuple):
    """One training: what it had, what it reached, and the best until then."""

    number: int
    settings: dict[str, Any]
    score: float | None  # None: training ran away, or needed more memory than is there
    best_score: float | None
    seconds: float  # since the beginning


class _TimeIsOver(Exception):  # noqa: N818
    """Ends a training that has begun."""


def autotune(
    model: TextClassifier,
    X: Any,  # noqa: N803
    y: Any = None,
    *,
    valid: Any,
    seconds: float = 300,
    trials: int | None = None,
    metric: str = "f1",
    fixed: Collection[str] = (),
    progress: Callable[[Trial], object] | None = None,
) -> TextClassifier:
    """Train a classifier with many settings, and keep the one that is best for texts held back.

    Tried are epochs, learning rate, dimensions, n-grams of words and characters, and their buckets, in the ranges of
    fastText's autotune; first those that the classifier has. Optuna (``windrow[autotune]``) says what is tried next.
    With ``trials``, one worker and enough time, equal seeds find equal classifiers.

    Parameters
    ----------
    model : TextClassifier
        Its other settings, such as the loss, stay; it becomes the best that was found. With ``vectors`` their size is
        not tuned.
    X, y
        Texts and labels to train on, as for ``fit``.
    valid : tuple of texts and labels, or file
        What is held back: ``(X, y)``, or whatever ``fit`` takes without y.
    seconds : float > 0, default 300
        How long is searched; a training that goes on then is given up. The first one always ends.
    trials : int >= 1 or None, default None
        At most so many trainings; None: as many as the time allows.
    metric : str, default "f1"
        What is best: "f1" (micro average), "f1:LABEL" of one label, "precision@K" or "recall@K" of K labels per text.
    fixed : collection of str, default ()
        Settings that are not tuned.
    progress : callable or None, default None
        Called with a Trial after each training.

    Returns
    -------
    TextClassifier
        ``model``, trained.

    Raises
    ------
    OptionError
        Optuna is missing, or an argument is out of range.
    DataError
        Texts cannot be used, or ``metric`` names a label that is not among them.
    DivergedError
        Every training ran away.
    KeyboardInterrupt
        Ctrl-C: ``model`` is the best until then, if one was trained.

    Examples
    --------
    >>> from windrow import TextClassifier
    >>> from windrow.classification import autotune
    >>> texts, labels = ["good film", "great film", "bad film", "awful film"] * 9, ["good", "good", "bad", "bad"] * 9
    >>> model = autotune(TextClassifier(8, epochs=20), texts, labels, valid=(texts, labels), seconds=60, trials=2)
    >>> model.predict(["a great film"]).tolist()
    ['good']
    """
    search = _Search(model, seconds, trials, metric, fixed, progress)
    reader = model.new_reader()
    texts = read_labelled(X, y, reader, model.label_prefix)
    held_texts, held_labels = valid if _is_pair(valid) else (valid, None)
    held_back = read_labelled(held_texts, held_labels, reader, model.label_prefix)
    try:
        search.run(texts, held_back)
    except KeyboardInterrupt as error:
        if search.best is None:
            raise
        raise KeyboardInterrupt(f"interrupted in training {search.number}; the best until then is kept") from error
    finally:
        if search.best is not None:
            vars(model).update({**vars(search.best), "callbacks": model.callbacks})
    return model


def _is_pair(valid: Any) -> bool:
    return isinstance(valid, tuple) and not isinstance(valid, Labelled) and len(valid) == 2


class _Search:
    """Trainings one after the other, and the best of them."""

    def __init__(
        self,
        model: TextClassifier,
        seconds: float,
        trials: int | None,
        metric: str,
        fixed: Collection[str],
        progress: Callable[[Trial], object] | None,
    ) -> None:
        model.check_parameters()
        check_range("seconds", seconds, 0, 1e9, low_open=True)
        self.model, self.trials = model, None if trials is None else check_whole("trials", trials, 1)
        check_callable("progress", progress)
        self.score = Metric.of(metric)
        for name in fixed:
            if name not in model.get_params():
                raise OptionError(f"fixed = {shown(name)} is no setting of a TextClassifier")
        self.fixed = {*fixed, *(["vector_size"] if model.vectors is not None else [])}
        self.fixed |= {"min_n", "max_n"} if self.fixed & {"min_n", "max_n"} else set()
        model.check_effects(**({} if "word_ngrams" in self.fixed else {"word_ngrams": _MOST_WORDS}))
        self.progress, self.seconds, self.started = progress, seconds, monotonic()
        self.study = _study(model.seed)
        self.best: TextClassifier | None = None
        self.best_score, self.number = float("-inf"), 0
        self.failure: Exception | None = None

    def run(self, texts: Labelled, held_back: Labelled) -> None:
        self.score.check(held_back)
        self.study.enqueue_trial(self._given())
        while self.number != self.trials and (self.best is None or self._spent() < self.seconds):
            self.number += 1
            trial = self.study.ask()
            candidate = copy(self.model).set_params(callbacks=(), **self._settings(trial))
            try:
                candidate.fit(texts, progress=self._watch)
                score = self.score(candidate, held_back)
            except _TimeIsOver:
                break
            except (DivergedError, OptionError) as error:  # the latter for want of memory
                if self.number == 1 and isinstance(error, OptionError):
                    raise
                self.failure = error
                self.study.tell(trial, state=_failed())
                self._report(candidate, None)
                if self.best is None and self._spent() >= self.seconds:
                    break
                continue
            self.study.tell(trial, score)
            if score > self.best_score:
                self.best, self.best_score = candidate, score
            self._report(candidate, score)
        if self.best is None and self.failure is not None:
            raise self.failure

    def _report(self, candidate: TextClassifier, score: float | None) -> None:
        if self.progress is not None:
            settings = {name: getattr(candidate, name) for name in TUNED}
            best = None if self.best is None else self.best_score
            self.progress(Trial(self.number, settings, score, best, self._spent()))

    def _spent(self) -> float:
        return monotonic() - self.started

    def _watch(self, _: object) -> None:
        """The progress of a training, which ends when the time is over; the first one may end by itself."""
        if self.best is not None and self._spent() >= self.seconds:
            raise _TimeIsOver

    def _given(self) -> dict[str, Any]:
        """The settings of the model as a trial, where the ranges have them."""
        model = self.model
        given = {
            "epochs": min(model.epochs, 100),
            "learning_rate": min(max(model.learning_rate, 0.01), 5.0),
            "vector_size": min(model.vector_size, 1000),
            "word_ngrams": min(model.word_ngrams, _MOST_WORDS),
            "min_n": model.min_n if model.min_n in _LEAST_LONG else 0,
            "buckets": min(_BUCKETS, key=lambda number: abs(number - model.buckets)),
        }
        return {name: value for name, value in given.items() if name not in self.fixed}

    def _settings(self, trial: optuna.Trial) -> dict[str, Any]:
        """What is tried: fastText's ranges (autotune.cc); those of sizes are drawn by their logarithms."""
        draws: dict[str, Callable[[], Any]] = {
            "epochs": lambda: trial.suggest_int("epochs", 1, 100, log=True),
            "learning_rate": lambda: trial.suggest_float("learning_rate", 0.01, 5, log=True),
            "vector_size": lambda: trial.suggest_int("vector_size", 1, 1000, log=True),
            "word_ngrams": lambda: trial.suggest_int("word_ngrams", 1, _MOST_WORDS),
            "min_n": lambda: trial.suggest_categorical("min_n", _LEAST_LONG),
        }
        found = {name: draw() for name, draw in draws.items() if name not in self.fixed}
        if "learning_rate" in found:  # as it can be typed again
            found["learning_rate"] = float(f"{found['learning_rate']:.4g}")
        if "min_n" in found:
            found["max_n"] = found["min_n"] + 3 if found["min_n"] else 0
        settings = {**self.model.get_params(), **found}
        if settings["word_ngrams"] == 1 and not settings["max_n"]:
            found["buckets"] = BUCKETS  # another number is refused without n-grams
        elif "buckets" not in self.fixed:
            found["buckets"] = trial.suggest_categorical("buckets", _BUCKETS)
        return found


class Metric(NamedTuple):
    """What a search maximizes: a field of a LabelResult with k labels per text, of all labels or one."""

    field: str
    k: int
    label: str | None

    @classmethod
    def of(cls, name: str) -> Metric:
        """The metric of a name; OptionError for one that is none."""
        found = _METRIC.fullmatch(name) if isinstance(name, str) else None
        if found is None:
            raise OptionError(f"metric = {shown(name)} must be f1, f1:LABEL, precision@K or recall@K")
        return cls(found["name"] or "f1", int(found["k"] or 1), found["label"])

    def check(self, held_back: Labelled) -> None:
        """Raise DataError where the label is not among those of the texts held back."""
        if self.label is not None and self.label not in map(str, held_back.labels.words):
            raise DataError(f"metric = 'f1:{self.label}': the texts held back have no such label")

    def __call__(self, model: TextClassifier, held_back: Labelled) -> float:
        """That of a classifier, 0..1."""
        result = model.evaluate(held_back, k=self.k)
        of_labels = {str(label): one for label, one in result.labels.items()}
        return float(getattr(result.overall if self.label is None else of_labels[self.label], self.field))


def _study(seed: int) -> optuna.Study:
    with needs_package("autotune needs Optuna", "autotune"):
        import optuna
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # the start of a study is no news
    try:
        return optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed % 2**32))
    finally:
        optuna.logging.set_verbosity(verbosity)


def _failed() -> optuna.trial.TrialState:
    from optuna.trial import TrialState

    return TrialState.FAIL
