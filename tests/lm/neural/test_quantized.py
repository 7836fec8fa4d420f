"""Networks with output weights of 8 bits, from Python and from the command line."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

import windrow
from tests.lm.neural import test_recurrent, test_window
from tests.lm.neural.test_window import TRAIN, VALID
from windrow.cli import main
from windrow.errors import FormatError, OptionError
from windrow.files import model_file

SMALL = {"window": test_window.small, "recurrent": test_recurrent.small}
BOTH = [
    (name, {"output_layer": output, "tied": tied})
    for name in SMALL
    for output, tied in (("softmax", False), ("nce", True))
]


def small(name: str, options: dict, **more: object):
    sizes = {"embedding_size": 12, "hidden_size": 12}
    return SMALL[name](**{**sizes, "epochs": 3, "learning_rate": 0.05, **options, **more})


@pytest.mark.parametrize(("name", "options"), BOTH)
def test_a_quantised_model_is_nearly_the_same(name, options, tmp_path):
    model = small(name, options).fit(TRAIN)

    rounded = model.quantized()
    rounded.save(tmp_path / "m.safetensors")
    reopened = windrow.load(tmp_path / "m.safetensors")

    assert rounded.perplexity(VALID) == pytest.approx(model.perplexity(VALID), rel=0.01)
    assert rounded.perplexity(VALID) != model.perplexity(VALID)
    assert np.array_equal(reopened.log_probs(VALID), rounded.log_probs(VALID))
    assert reopened.generate(seed=1)[0] == rounded.generate(seed=1)[0]
    assert np.array_equal(reopened.quantized().log_probs(VALID), rounded.log_probs(VALID))
    codes = model_file.load(tmp_path / "m.safetensors").arrays["output.codes"]
    assert (codes.dtype, codes.shape) == (np.int8, (len(model.vocabulary), 12))


@pytest.mark.parametrize("name", SMALL)
def test_fit_quantises_what_it_trained(name):
    trained = small(name, {}).fit(TRAIN, valid=VALID)

    rounded = small(name, {}, quantize_bits=8).fit(TRAIN, valid=VALID)

    assert rounded.history_[-1]["loss"] == trained.history_[-1]["loss"]
    assert np.array_equal(rounded.log_probs(VALID), trained.quantized().log_probs(VALID))
    assert "output.weights" not in rounded.to_stored().arrays


def test_a_model_saved_while_it_is_trained_is_not_rounded_yet(tmp_path):
    path = tmp_path / "m.safetensors"
    model = small("window", {}, quantize_bits=8, epochs=1)
    model.callbacks = [lambda report: model.save(path)]

    model.fit(TRAIN)

    assert np.array_equal(windrow.load(path).quantized().log_probs(VALID), model.log_probs(VALID))


def test_only_8_bits_and_only_where_every_word_has_weights():
    model = small("window", {}).fit(TRAIN)
    for unrounded_or_not in (model, model.quantized()):
        with pytest.raises(OptionError, match="quantize_bits = 4"):
            unrounded_or_not.quantized(4)
    with pytest.raises(OptionError, match="quantize_bits = 8 does not go with output_layer = 'hierarchical'"):
        small("window", {"output_layer": "hierarchical"}).fit(TRAIN).quantized()


def test_a_damaged_file(tmp_path):
    path = tmp_path / "m.safetensors"
    stored = small("window", {}, quantize_bits=8).fit(TRAIN).to_stored()
    del stored.arrays["output.scales"]
    model_file.save(path, stored.kind, stored.arrays, stored.config, stored.provenance)

    with pytest.raises(FormatError, match=r"output\.scales is missing"):
        windrow.load(path)


def test_from_the_command_line(tmp_path):
    (tmp_path / "text.txt").write_text("the cat sat\nthe dog ran\n" * 20)
    trained, converted, direct = (tmp_path / f"{name}.safetensors" for name in "abc")

    def run(*arguments: object):
        return CliRunner().invoke(main, ["lm", *map(str, arguments)])

    train = ("train", "window", tmp_path / "text.txt", "--embedding", 8, "--hidden", 8, "--epochs", 1)
    assert run(*train, "-o", trained).exit_code == 0
    assert run("convert", trained, converted, "--quantize", 8).exit_code == 0
    assert run(*train, "-o", direct, "--quantize", 8).exit_code == 0

    assert np.array_equal(windrow.load(converted).log_probs(["the cat"]), windrow.load(direct).log_probs(["the cat"]))
    for refused, said in ((("--quantize", 3), "--quantize = 3"), ((), "--quantize 8")):
        result = run("convert", trained, converted, *refused)
        assert (result.exit_code, result.stdout) == (1, "")
        assert said in result.stderr
        assert result.stderr.count("\n") == 1
