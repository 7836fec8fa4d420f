"""What `windrow lm` does with neural models alone."""

from __future__ import annotations

import numpy as np
from click.testing import CliRunner, Result

import windrow
from tests.lm.neural.test_dynamic import REPEATED, unlimited
from tests.lm.neural.test_recurrent import small
from tests.lm.neural.test_window import TRAIN
from windrow.cli import main


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["lm", *map(str, arguments)])


def test_output_weights_of_8_bits(tmp_path):
    (tmp_path / "text.txt").write_text("the cat sat\nthe dog ran\n" * 20)
    trained, converted, direct = (tmp_path / f"{name}.safetensors" for name in "abc")

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


def test_dynamic_evaluation(tmp_path):
    (tmp_path / "text.txt").write_text("\n".join(REPEATED))
    model = small(epochs=2).fit(TRAIN)
    model.save(tmp_path / "m.safetensors")
    unlimited(model).save(tmp_path / "unlimited.safetensors")

    result = run("perplexity", tmp_path / "m.safetensors", tmp_path / "text.txt", "--dynamic", 0.5)
    refused = run("perplexity", tmp_path / "m.safetensors", tmp_path / "text.txt", "--dynamic", 0)

    expected = model.evaluate(tmp_path / "text.txt", dynamic_rate=0.5).perplexity
    assert f"perplexity                {expected:.4f}\n" in result.stdout
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "--dynamic = 0" in refused.stderr
    diverged = run("perplexity", tmp_path / "unlimited.safetensors", tmp_path / "text.txt", "--dynamic", 1e30)
    assert diverged.exit_code == 1
    assert "try --dynamic 1e+29" in diverged.stderr
