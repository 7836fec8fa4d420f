"""Parameters are said once: tables, signatures and docstrings agree, and every public name is documented."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import windrow
import windrow.lm.neural.settings as neural
import windrow.nn.settings as nn
import windrow.sklearn
import windrow.tagging.settings as tagging
from windrow.errors import OptionError
from windrow.estimator import GIVEN, REQUIRED, Condition, Setting, check_effects
from windrow.lm.ngram import SMOOTHING_NAMES
from windrow.lm.ngram.smoothing import SMOOTHINGS
from windrow.nn import ACTIVATIONS, LOSSES, OPTIMIZERS, SCHEDULES, SPREADS
from windrow.outputs import contract
from windrow.tagging import SCHEMES
from windrow.tagging.tag_outputs import OUTPUTS

from .parameter_sections import described, public_objects, rewritten, section_of, sections

OBJECTS = public_objects()
ESTIMATORS = {name: value for name, value in OBJECTS.items() if getattr(value, "settings", ())}
SETTINGS = {f"{name}.{setting.name}": setting for name, value in ESTIMATORS.items() for setting in value.settings}
CALLABLES = {
    name: value
    for name, value in OBJECTS.items()
    if inspect.isfunction(value) or (inspect.isclass(value) and not issubclass(value, Exception))
}
ORDER = ("Parameters", "Attributes", "Returns", "Raises", "Notes", "References", "Examples")


def parameters(value: Any) -> dict[str, inspect.Parameter]:
    if getattr(value, "_is_protocol", False):  # nobody makes one
        return {}
    return dict(inspect.signature(value).parameters)


# --- estimators


def test_every_estimator_has_a_table():
    assert {name for name, value in OBJECTS.items() if hasattr(value, "get_params")} == set(ESTIMATORS)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_table_is_the_signature(name):
    """The same names in the same order, with the same defaults of the same types."""
    defaults = {name: parameter.default for name, parameter in parameters(ESTIMATORS[name]).items()}
    told = {setting.name: setting.default for setting in ESTIMATORS[name].settings}
    assert list(defaults.items()) == list(told.items())
    assert [type(value) for value in defaults.values()] == [type(value) for value in told.values()]


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_docstring_is_the_table(name):
    """Mended by ``python -m tests.parameter_sections --write``."""
    assert sections(ESTIMATORS[name].__doc__)["Parameters"] == section_of(ESTIMATORS[name].settings)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_estimators_have_attributes_and_an_example(name):
    found = sections(ESTIMATORS[name].__doc__)
    assert list(found) == [title for title in ORDER if title in found]
    assert described(found["Attributes"])
    assert 2 <= found["Examples"].count(">>> ") <= 6


@pytest.mark.parametrize("key", SETTINGS)
def test_a_setting_says_what_it_is(key):
    setting = SETTINGS[key]
    for text in filter(None, (setting.help, setting.advice)):
        assert text.endswith("."), text
    assert not setting.none.endswith(".")
    if setting.default is not REQUIRED:
        others = {other.name: other.default for other in ESTIMATORS[key.rpartition(".")[0]].settings}
        setting.check(setting.default, others)


@pytest.mark.parametrize("key", [key for key, setting in SETTINGS.items() if setting.type in (int, float)])
def test_each_limit_is_kept(key):
    """What lies beyond an end of the range is refused, by name; the end itself unless it is open."""
    setting = SETTINGS[key]
    others = {"alpha": 1.0, "max_n": 6}
    high = others[setting.high] if isinstance(setting.high, str) else setting.high
    for limit, beyond, is_open in ((setting.low, -1, setting.low_open), (high, 1, setting.high_open)):
        if abs(limit) < 2**60 and not setting.choices:
            end = limit if setting.type is float else int(limit)
            for value, is_allowed in ((end + beyond, False), (end, not is_open)):
                shaped = [value] if setting.many else value
                if is_allowed:
                    setting.check(shaped, others)
                else:
                    with pytest.raises(OptionError, match=f"^{setting.name} = "):
                        setting.check(shaped, others)


@pytest.mark.parametrize(
    ("setting", "good", "bad"),
    [
        (Setting("x", int, 1, "."), [1, -5], [1.5, "1", None, True]),
        (Setting("x", float, 1.0, ".", low=0, low_open=True), [1, 0.5], [0, "1", None, float("nan")]),
        (Setting("x", bool, True, "."), [True, False], ["yes", None, 2]),
        (Setting("x", str, "a", ".", choices=("a", "b")), ["b"], ["c", None, 1]),
        (Setting("x", str, None, ".", choices=("a", "b"), none="neither"), ["b", None], ["c"]),
        (Setting("x", "str or callable", "a", ".", choices=("a",)), ["a", print], ["b"]),
        (Setting("x", int, (), ".", many=True, low=0), [(), [1, 2]], [1, "12", [-1], [0.5], None]),
        (Setting("x", str, None, ".", many=True, none="all"), [["a"], None], ["ab", [1]]),
    ],
    ids=lambda value: str(getattr(value, "type", "")),
)
def test_checks(setting, good, bad):
    for value in good:
        setting.check(value, {})
    for value in bad:
        with pytest.raises(OptionError, match=r"^x = "):
            setting.check(value, {})


# --- what has no effect beside the others


def another_value(setting: Setting) -> Any:
    """One that is not the default, and asks for something."""
    if setting.type is bool:
        return not setting.default
    if setting.choices:
        return next(choice for choice in setting.choices if choice != setting.default)
    return [7] if setting.many else 7


def met(condition: Condition) -> Any:
    return "given" if condition[1] is GIVEN else condition[1][0]


def not_met(condition: Condition) -> Any:
    return None if condition[1] is GIVEN else "something else"


CONDITIONS = [(key, number) for key, setting in SETTINGS.items() for number in range(len(setting.conditions))]


@pytest.mark.parametrize(("key", "number"), CONDITIONS)
def test_a_value_without_effect_is_refused(key: str, number: int) -> None:
    setting = SETTINGS[key]
    values = {setting.name: another_value(setting), **{one[0]: met(one) for one in setting.conditions}}
    check_effects([setting], values)

    name, _ = setting.conditions[number]
    values[name] = not_met(setting.conditions[number])
    with pytest.raises(OptionError, match=rf"^{setting.name} = .* (is for|has no effect with) {name}"):
        check_effects([setting], values)
    for nothing in (setting.default, None):
        check_effects([setting], {**values, setting.name: nothing})


def test_conditions_are_about_settings_or_arguments_of_fit():
    for key, setting in SETTINGS.items():
        estimator = ESTIMATORS[key.rpartition(".")[0]]
        known = {**parameters(estimator), **parameters(getattr(estimator, "fit", len))}
        settings = {other.name: other for other in estimator.settings}
        for name, allowed in setting.conditions:
            assert name in known
            if name in settings and allowed is not GIVEN and None not in allowed:
                for value in allowed:
                    settings[name].check(value, {})


TEXT = ["the cat sat", "the dog sat"] * 5
TAGGED = [(["in", "Rome"], ["O", "B-LOC"])] * 5
WITHOUT_EFFECT = [
    (lambda: windrow.Word2Vec(sg=1, cbow_mean=0).fit(TEXT), "cbow_mean = 0 is for sg 0, not 1; leave it out"),
    (lambda: windrow.Word2Vec(hs=1, negative=0, ns_exponent=1.0).fit(TEXT), "ns_exponent = 1.0 is for negative; give"),
    (
        lambda: windrow.Word2Vec(loss="hs", negative=9).fit(TEXT),
        "negative = 9 is for loss None or 'ns' or 'hs.ns', not",
    ),
    (lambda: windrow.Word2Vec(loss="ns", hs=1).fit(TEXT), "hs = 1 has no effect with loss; leave one of them out"),
    (
        lambda: windrow.Word2Vec(kernel="pair", block_size=9).fit(TEXT),
        "block_size = 9 is for kernel 'block', not 'pair'",
    ),
    (lambda: windrow.NGramLM(2, delta=5.0).fit(TEXT), "delta = 5.0 is for smoothing 'add-delta', not 'modified"),
    (lambda: windrow.NGramLM(2, "mle", lmplz_compat=True).fit(TEXT), "lmplz_compat = True is for smoothing"),
    (
        lambda: windrow.NGramLM(2, "witten-bell", discount_fallback=True).fit(TEXT),
        "discount_fallback = True is for smoothing 'modified-kneser-ney' or",
    ),
    (
        lambda: windrow.NGramLM(2, discounts=[[0.5], [0.5]], discount_fallback=True).fit(TEXT),
        "discount_fallback = True has no effect with discounts of all orders; leave it out",
    ),
    (
        lambda: windrow.TextClassifier(buckets=100).fit(TEXT, ["a", "b"] * 5),
        "buckets = 100 is for n-grams; try word_ngrams = 2 or max_n = 6, or leave it out",
    ),
    (lambda: windrow.NGramLM(2, "mle").fit(TEXT, heldout=TEXT), "heldout is for smoothing 'jelinek-mercer'"),
    (lambda: windrow.WindowLM(noise_words=9).fit(TEXT), "noise_words = 9 is for output_layer 'nce', not 'softmax'"),
    (
        lambda: windrow.WindowLM(patience=9).fit(TEXT),
        "patience = 9 is for valid; give that, too, or leave patience out",
    ),
    (lambda: windrow.RecurrentLM(momentum=0.5).fit(TEXT), "momentum = 0.5 is for optimizer 'momentum' or 'nesterov'"),
    (lambda: windrow.WindowTagger(tune=True).fit(TAGGED), "tune = True is for vectors; give that, too"),
    (lambda: windrow.WindowTagger(patience=9).fit(TAGGED), "patience = 9 is for valid"),
    (
        lambda: windrow.MLPClassifier(patience=9).fit([[0], [1]], [0, 1]),
        "patience = 9 is for early_stopping True, not F",
    ),
    (lambda: windrow.MLPRegressor((), dropout=0.5).fit([[0], [1]], [0, 1]), "dropout = 0.5 is for hidden_layer_sizes"),
    (lambda: windrow.MLPRegressor(momentum=0.1).partial_fit([[0], [1]], [0, 1]), "momentum = 0.1 is for optimizer"),
    (lambda: windrow.sklearn.DocumentVectorizer(sif_a=0.1).fit(TEXT), "sif_a = 0.1 is for weighting 'sif', not 'mean'"),
]


@pytest.mark.parametrize(("fit", "said"), WITHOUT_EFFECT, ids=lambda value: value if isinstance(value, str) else "")
def test_fit_refuses_what_has_no_effect(fit, said):
    with pytest.raises(OptionError, match=rf"^{said}"):
        fit()


def test_what_asks_for_nothing_is_no_fault():
    windrow.Word2Vec(loss="hs", negative=0, min_count=1, vector_size=4, epochs=1, sample=0).fit(TEXT)
    windrow.WindowLM(2, 4, 4, epochs=1, patience=None).fit(TEXT)
    windrow.NGramLM(2, discounts=[[0.5], None], discount_fallback=True).fit(TEXT)


def test_a_section_is_rewritten_from_the_table():
    docstring = "Does.\n\n    Parameters\n    ----------\n    old : int\n\n    Examples\n    --------\n    "
    source = f'class A:\n    """{docstring}"""\n'
    table = (Setting("new", int, 3, "How many.", "Few are fast.", low=1, high=9),)
    expected = source.replace("    old : int", "    new : int in [1, 9], default 3\n        How many. Few are fast.")
    assert rewritten(source, "A", table) == expected
    assert rewritten(source.replace("class A", "class B"), "A", table) == source.replace("class A", "class B")


# --- everything public


@pytest.mark.parametrize("name", CALLABLES)
def test_every_parameter_is_documented(name):
    """In ``Parameters``; the fields of a result, which nobody passes, in ``Attributes``."""
    found = sections(CALLABLES[name].__doc__)
    said = {**described(found.get("Attributes", "")), **described(found.get("Parameters", ""))}
    missing = [parameter for parameter in parameters(CALLABLES[name]) if not said.get(parameter)]
    assert not missing, f"{name} does not explain {missing}"


@pytest.mark.parametrize("name", CALLABLES)
def test_nothing_is_documented_that_is_not_there(name):
    said = described(sections(CALLABLES[name].__doc__).get("Parameters", ""))
    assert set(said) <= set(parameters(CALLABLES[name]))


# --- names that tables hold, so that the command line can offer them before NumPy is loaded


def test_the_names_in_tables_are_those_of_the_registries():
    assert tuple(OPTIMIZERS) == nn.OPTIMIZER_NAMES
    assert tuple(SCHEDULES) == nn.SCHEDULE_NAMES
    assert tuple(ACTIVATIONS) == nn.ACTIVATION_NAMES
    assert tuple(SPREADS) == nn.INITIALIZER_NAMES
    assert tuple(LOSSES) == nn.COST_NAMES
    assert tuple(OUTPUTS) == tagging.OUTPUT_NAMES
    assert tuple(SCHEMES) == tagging.SCHEME_NAMES
    assert tuple(SMOOTHINGS) == SMOOTHING_NAMES
    assert contract.OBJECTIVES == neural.OBJECTIVES
