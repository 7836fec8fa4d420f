"""Numbers from beyond every range, and numbers of other kinds, at every door in Python that takes a number."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import windrow
from windrow.compat.gensim import KeyedVectors, LineSentence
from windrow.compat.gensim.utils import simple_preprocess
from windrow.corpus.toyland import generate as toyland
from windrow.errors import DataWarning, OptionError, WindrowError, check_range, check_whole, shown
from windrow.estimator import Estimator, Setting
from windrow.lm.cache import CacheLM
from windrow.lm.mixture import MixtureLM
from windrow.lm.neural.recurrent import RecurrentLM
from windrow.lm.neural.window import WindowLM
from windrow.lm.settings import MOST_BEAMS, MOST_SEQUENCES, MOST_WORDS_HELD
from windrow.nn.mlp import MLPClassifier, MLPRegressor
from windrow.sklearn import DocumentVectorizer

TEXT = ["the cat sat", "a cat ran off", "the dog sat", "the dog ran"] * 3
TAGGED = [(["in", "Rome"], ["O", "B-LOC"]), (["we", "wait"], ["O", "O"])] * 3
ROWS, CLASSES = np.arange(24.0).reshape(12, 2) / 24, np.array([0, 1] * 6)
EXTREMES: list[Any] = [10**20, 10**400, 10**5000, 2**63 - 1, -1, 0, float("nan"), float("inf"), 1e-320, 1e308, 2.5]
OTHER_KINDS: list[Any] = [
    True, "3", None, [], {}, 3j, Decimal(3), np.True_, np.uint8(3), np.int64(3), np.float32(0.5), np.array([1, 2]),
    np.array(3), np.float64("nan"),
]  # fmt: skip

LM = windrow.NGramLM(2, "witten-bell").fit(TEXT)
WV = windrow.WordVectors(["the", "cat", "dog"], np.array([[1, 0], [3, 4], [0, 1]], np.float32))

Fit = Callable[[Any], object]
ESTIMATORS: dict[type[Any], tuple[dict[str, Any], Fit]] = {
    windrow.NGramLM: ({"order": 2, "smoothing": "witten-bell"}, lambda model: model.fit(TEXT)),
    windrow.UnboundedNGramLM: ({"discount_fallback": True}, lambda model: model.fit(TEXT)),
    windrow.ClassLM: ({"order": 2, "smoothing": "witten-bell"}, lambda model: model.fit(TEXT)),
    windrow.SkipNGramLM: ({"smoothing": "witten-bell"}, lambda model: model.fit(TEXT)),
    windrow.Word2Vec: (
        {"vector_size": 4, "min_count": 1, "epochs": 1, "workers": 1}, lambda model: model.fit(TEXT),
    ),
    windrow.CountVectors: (
        {"vector_size": 2, "min_count": 1, "sample": 0, "workers": 1}, lambda model: model.fit(TEXT),
    ),
    windrow.Blend: ({"vector_size": 2}, lambda model: model.fit(WV, WV)),
    windrow.Phrases: ({"min_count": 1, "threshold": 0.5}, lambda model: model.fit(TEXT)),
    WindowLM: ({"embedding_size": 3, "hidden_size": 3, "epochs": 1}, lambda model: model.fit(TEXT)),
    RecurrentLM: ({"embedding_size": 3, "hidden_size": 3, "epochs": 1}, lambda model: model.fit(TEXT)),
    windrow.WindowTagger: ({"vector_size": 3, "hidden_size": 3, "epochs": 1}, lambda model: model.fit(TAGGED)),
    windrow.TextClassifier: ({"vector_size": 3, "epochs": 1}, lambda model: model.fit(TEXT, CLASSES)),
    MLPClassifier: ({"hidden_layer_sizes": 3, "epochs": 1}, lambda model: model.fit(ROWS, CLASSES)),
    MLPRegressor: ({"hidden_layer_sizes": 3, "epochs": 1}, lambda model: model.fit(ROWS, ROWS[:, 0])),
    MixtureLM: ({"models": [LM, LM]}, lambda model: model.log_prob("the cat")),
    CacheLM: ({"vocabulary": LM.vocabulary}, lambda model: model.log_prob("the cat")),
}  # fmt: skip
NUMERIC = [
    (kind, setting)
    for kind in ESTIMATORS
    for setting in kind.settings
    if setting.type in (int, float) or (issubclass(kind, Estimator) and not setting.choices)
]


def _all_estimators(kind: type[Any] = Estimator) -> Iterator[type[Any]]:
    for child in kind.__subclasses__():
        yield from _all_estimators(child)
        is_ours = child.__module__.startswith("windrow.") and not child.__name__.startswith("_")
        if child.settings and is_ours and not inspect.isabstract(child):
            yield child


def test_every_estimator_is_tried():
    tried = {*ESTIMATORS, DocumentVectorizer}
    assert {kind for kind in _all_estimators() if not any(issubclass(one, kind) for one in tried)} == set()


@pytest.mark.filterwarnings("ignore::windrow.errors.DataWarning")
@pytest.mark.parametrize(("kind", "setting"), NUMERIC, ids=[f"{kind.__name__}-{one.name}" for kind, one in NUMERIC])
def test_settings_take_or_refuse(kind: type[Any], setting: Setting) -> None:
    usual, fit = ESTIMATORS[kind]
    for value in [*EXTREMES, *OTHER_KINDS, [10**20], [np.uint8(3)], ["3"], [0, 2.5], (np.int64(0), 1)]:
        try:
            model = kind(**{**usual, setting.name: value})  # some check here
            if isinstance(model, Estimator):
                model.check_parameters()
        except OptionError as error:
            assert setting.name in str(error)
            assert len(str(error)) < 400
            continue
        try:
            fit(model)
        except WindrowError as error:  # it has no effect, or the text is too small for it
            assert "\n" not in str(error), value


@pytest.mark.parametrize("number", [np.uint8(200), np.int8(100)])
def test_small_integers_of_numpy_do_not_overflow(number: Any) -> None:
    """With uint8, 4 * 200 gates of an LSTM would be 32."""
    models = [RecurrentLM("lstm", size, 4, epochs=1, seed=3).fit(TEXT) for size in (number, int(number))]
    assert models[0].log_prob("the cat") == models[1].log_prob("the cat")
    beams = [
        windrow.NGramLM(2, "witten-bell").fit(TEXT).generate("the", num_beams=many) for many in (number, int(number))
    ]
    assert beams[0] == beams[1]


# --- methods and functions


def _doors(folder: Path) -> dict[str, tuple[Callable[..., object], tuple[str, ...]]]:
    return {
        "generate": (
            lambda **options: LM.generate("the", **{"max_new_tokens": 2, **options}),
            ("max_new_tokens", "temperature", "top_k", "top_p", "num_beams", "length_penalty", "num_return_sequences",
             "repetition_penalty", "no_repeat_ngram_size", "seed"),
        ),
        "beams": (
            lambda **options: LM.generate("the", **{"num_beams": 2, **options}),
            ("max_new_tokens", "num_beams", "length_penalty", "num_return_sequences", "repetition_penalty"),
        ),
        "top_words": (lambda **options: LM.top_words("the", **options), ("k",)),
        "quantized": (LM.quantized, ("bits",)),
        "CacheLM": (lambda **options: CacheLM(LM.vocabulary, **options), ("size",)),
        "most_similar": (
            lambda **options: WV.most_similar("the", **options),
            ("topn", "restrict_vocab", "clip_start", "clip_end"),
        ),
        "relative_cosine": (lambda **options: WV.relative_cosine_similarity("the", "cat", **options), ("topn",)),
        "KeyedVectors": (lambda **options: KeyedVectors(**{"vector_size": 2, **options}), ("vector_size", "count")),
        "LineSentence": (lambda **options: list(LineSentence(TEXT, **options)), ("max_sentence_length", "limit")),
        "simple_preprocess": (lambda **options: simple_preprocess("the cat", **options), ("min_len", "max_len")),
        "most_similar_batch": (lambda **options: WV.most_similar_batch(["the"], **options), ("topn", "restrict_vocab")),
        "analogy": (lambda **options: WV.analogy("the", "cat", "dog", **options), ("topn",)),
        "head": (WV.head, ("n",)),
        "build": (lambda **options: windrow.Corpus.build(TEXT, **options), ("min_count", "max_vocab")),
        "toyland": (lambda **options: toyland(folder, **{"sentences": 40, **options}), ("sentences", "seed")),
    }  # fmt: skip


@pytest.mark.parametrize("door", list(_doors(Path())))
def test_methods_take_or_refuse(door: str, tmp_path: Path) -> None:
    call, names = _doors(tmp_path)[door]
    for name in names:
        for value in [*EXTREMES, *OTHER_KINDS]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DataWarning)
                try:
                    call(**{name: value})
                except WindrowError as error:
                    assert "\n" not in str(error)
                    assert len(str(error)) < 400, (name, value)


def test_texts_held_together_are_bounded():
    for options in {"num_return_sequences": MOST_SEQUENCES}, {"num_beams": MOST_BEAMS}:
        texts = next(iter(options.values()))
        most = MOST_WORDS_HELD // texts
        with pytest.raises(OptionError, match=rf"are held at a time; try max_new_tokens = {most}$"):
            LM.generate("the", max_new_tokens=most + 1, **options)


# --- the checks themselves


@pytest.mark.parametrize("value", [10**400, -(10**400), float("inf"), float("-inf"), float("nan"), np.float32("inf")])
def test_only_finite_numbers_are_in_a_range(value: float) -> None:
    with pytest.raises(OptionError, match=r"out of range; the allowed range is \[-inf, inf\)"):
        check_range("rate", value, float("-inf"))


@pytest.mark.parametrize("value", [Decimal(1), np.array([1.0]), np.True_, 1j, "1", None])
def test_what_is_no_number_is_in_no_range(value: Any) -> None:
    with pytest.raises(OptionError, match="must be a number"):
        check_range("rate", value, 0)


def test_whole_numbers_fit_in_64_bits():
    assert check_whole("n", np.int64(2**63 - 1)) == 2**63 - 1
    with pytest.raises(OptionError, match=r"^n = 9223372036854775808 is out of range; .* \[1, 2\*\*63 - 1\]$"):
        check_whole("n", 2**63, 1)
    with pytest.raises(OptionError, match=r"^n = 1000000000\d* is out of range; the allowed range is \[1, 100\]$"):
        check_whole("n", 10**30, 1, 100)


@pytest.mark.parametrize("exponent", [40, 41, 100, 4300, 5000, 100_000])
@pytest.mark.parametrize("first", [1, 7, 9])
def test_long_numbers_are_shown_by_their_beginning(first: int, exponent: int) -> None:
    digits = f"{first}{'0' * 19}... ({exponent + 1} digits)"
    assert shown(first * 10**exponent) == digits
    assert shown(-first * 10**exponent) == f"-{digits}"
