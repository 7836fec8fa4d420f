"""Names of before: parameters, methods and options that were renamed go on working; what warns, warns."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest

from windrow import NGramLM, RecurrentLM, WindowLM, WindowTagger
from windrow._renamed import RENAMED, RENAMED_METHODS, RENAMED_PARAMETERS
from windrow.estimator import Estimator, OldName, Setting, current_names, takes_old_names
from windrow.files import model_file
from windrow.nn import L2, REGULARIZERS, Dense, EarlyStopping, LogLikelihood, MLPClassifier, Network
from windrow.nn import REGULARISERS as OLD_REGULARIZERS
from windrow.nn.training.report import OLD_NAMES

TEXT = ["a b c", "b c a", "c a"] * 4
TAGGED = [(["in", "Rome"], ["O", "B-LOC"])] * 8
CASES = [
    (WindowLM, "output", "output_layer", "nce"),
    (RecurrentLM, "output", "output_layer", "nce"),
    (WindowTagger, "output", "output_layer", "softmax"),
    (NGramLM, "quantise_bits", "quantize_bits", 8),
    (WindowLM, "quantise_bits", "quantize_bits", 8),
    (RecurrentLM, "quantise_bits", "quantize_bits", 8),
    (MLPClassifier, "initialiser", "initializer", "glorot"),
]


@pytest.mark.parametrize(("kind", "old", "new", "value"), CASES)
def test_an_old_parameter_works_and_may_warn(kind, old, new, value):
    def warned(action):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = action()
        assert [warning.filename for warning in caught] == [__file__] * (old in RENAMED_PARAMETERS)
        for warning in caught:
            assert warning.category is DeprecationWarning
            assert str(warning.message).startswith(f"{old}= is now {new}=; the old name goes with windrow")
        return result

    made = warned(lambda: kind(**{old: value}))
    changed = warned(lambda: kind().set_params(**{old: value}))
    assigned = kind()
    warned(lambda: setattr(assigned, old, value))
    for model in (made, changed, assigned):
        assert model.get_params()[new] == value
        assert old not in model.get_params()
        assert warned(lambda model=model: getattr(model, old)) == value


@pytest.mark.parametrize(("kind", "old", "new", "value"), CASES)
def test_both_names_at_once_are_refused(kind, old, new, value):
    for both in ({old: value, new: value}, {new: value, old: value}):
        with pytest.raises(TypeError, match=f"got {new} twice, once as {old}"):
            kind(**both)


def test_an_unknown_name_is_unknown_still():
    with pytest.raises(TypeError, match="unexpected keyword argument 'outputs'"):
        WindowLM(outputs="nce")


class Small(Estimator):
    settings = (Setting("size", int, 3, "."),)
    dimension = OldName("size")

    @takes_old_names
    def __init__(self, size: int = 3) -> None:
        self._store(locals())


def test_scikit_learn_sees_the_new_names_only():
    sklearn_base = pytest.importorskip("sklearn.base")
    assert Small().get_params() == {"size": 3}
    assert sklearn_base.clone(Small(dimension=7)).size == 7
    assert pickle.loads(pickle.dumps(Small(5))).dimension == 5
    assert current_names(Small, {"dimension": 2, "other": 1}) == {"size": 2, "other": 1}


@pytest.mark.parametrize("model", [
    WindowLM(2, 4, 4, output_layer="hierarchical", epochs=1),
    RecurrentLM("elman", 4, 4, output_layer="hierarchical", epochs=1),
])  # fmt: skip
def test_files_of_before_open(model, tmp_path):
    stored = model.fit(TEXT).to_stored()
    config = {**stored.config, "output": stored.config["output_layer"], "quantise_bits": None}
    del config["output_layer"], config["quantize_bits"]
    model_file.save(tmp_path / "old.safetensors", stored.kind, stored.arrays, config, stored.provenance)
    opened = type(model).load(tmp_path / "old.safetensors")
    assert opened.output_layer == "hierarchical"
    assert opened.log_prob("a b") == pytest.approx(model.log_prob("a b"), abs=1e-6)


def test_files_of_ngrams_and_taggers_of_before_open(tmp_path):
    model = NGramLM(2, "witten-bell", quantize_bits=4).fit(TEXT)
    tagger = WindowTagger(epochs=1, output_layer="softmax").fit(TAGGED)
    for trained, old, new in ((model, "quantise_bits", "quantize_bits"), (tagger, "output", "output_layer")):
        stored = trained.to_stored()
        parameters = dict(stored.config["parameters"])
        parameters[old] = parameters.pop(new)
        config = {**stored.config, "parameters": parameters}
        model_file.save(tmp_path / "old.safetensors", stored.kind, stored.arrays, config, stored.provenance)
        opened = type(trained).load(tmp_path / "old.safetensors")
        assert getattr(opened, new) == getattr(trained, new)


def test_a_checkpoint_of_another_output_layer_is_refused_also_under_its_old_name(tmp_path):
    state = tmp_path / "state"
    WindowLM(2, 4, 4, epochs=2, callbacks=[lambda report: True]).fit(TEXT, checkpoint=state)
    stored = model_file.load(state, "window-lm-checkpoint")
    described = dict(stored.config["model"])
    described["output"] = described.pop("output_layer")
    config = {**stored.config, "model": described}
    model_file.save(state, stored.kind, stored.arrays, config, stored.provenance)
    with pytest.raises(Exception, match="output = 'softmax', not 'nce'"):
        WindowLM(2, 4, 4, epochs=2, output_layer="nce").fit(TEXT, checkpoint=state, resume=True)
    WindowLM(2, 4, 4, epochs=2).fit(TEXT, checkpoint=state, resume=True)


def test_layers_and_networks_take_british_names():
    layer = Dense(3, 2, initialiser="glorot", rng=1)
    assert (layer.weights.value == Dense(3, 2, initializer="glorot", rng=1).weights.value).all()
    network = Network(layer, LogLikelihood(), regularisers=[L2(0.1)])
    assert network.regularisers is network.regularizers
    assert network.penalty() > 0


def test_methods_and_registries_keep_their_british_names():
    assert NGramLM.quantised is NGramLM.quantized
    assert WindowLM.quantised is WindowLM.quantized
    assert OLD_REGULARIZERS is REGULARIZERS


def test_early_stopping_by_its_old_method():
    stopping = EarlyStopping(patience=2)
    with pytest.warns(DeprecationWarning, match=r"EarlyStopping.is_over is now EarlyStopping.see, and has_ended"):
        answers = [stopping.is_over(score, np.zeros(1)) for score in (1.0, 0.5, 0.25)]
    assert answers == [False, False, True]


def test_the_page_on_upgrading_has_every_name_of_before():
    page = (Path(__file__).parents[1] / "docs" / "upgrading.md").read_text("utf-8")
    rows = [line.replace("`", "").split("|") for line in page.splitlines() if line.startswith("|")]
    cells = [(row[1], row[2]) for row in rows]
    renamed = {name: new for table in (RENAMED, RENAMED_METHODS) for name, (new, _) in table.items()}
    renamed |= {f"{old}=": f"{new}=" for old, (new, _) in RENAMED_PARAMETERS.items()}
    for old, new in [*renamed.items(), *OLD_NAMES.items()]:
        assert any(old in was and new in now for was, now in cells), f"{old} is now {new}"
    spelled = {old for _, old, _, _ in CASES} - RENAMED_PARAMETERS.keys()
    assert [name for name in spelled if f"`{name}`" not in page] == []
