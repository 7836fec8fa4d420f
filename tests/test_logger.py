"""What the logger ``windrow`` says: nothing unless it is asked, then what trainings do, and what is compiled."""

from __future__ import annotations

import logging
import subprocess
import sys

import numba
import pytest

import windrow
from tests.nn.training.estimators import ESTIMATORS, TEXT
from windrow.numeric.compiling import CompileLog
from windrow.numeric.jit import DISABLE_JIT


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.DEBUG, "windrow")
    return caplog


def test_the_log_is_silent_by_default():
    code = "import windrow; windrow.NGramLM(1, 'witten-bell').fit(['a b', 'b a'])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stderr == b""


@pytest.mark.parametrize("name", [*ESTIMATORS, "Word2Vec", "TextClassifier"])
def test_a_training_tells_its_start_and_each_epoch(name, log):
    if name == "Word2Vec":
        windrow.Word2Vec(vector_size=4, min_count=1, epochs=2, workers=1, sample=0).fit(TEXT)
    elif name == "TextClassifier":
        windrow.TextClassifier(vector_size=4, epochs=2, workers=1).fit(["a b", "c d"], ["x", "y"])
    else:
        case = ESTIMATORS[name]()
        case.fit(case.made(epochs=2), valid=True)

    told = [record.getMessage() for record in log.records if record.levelno == logging.INFO]
    of_training = [line for line in told if line.startswith(("training", "epoch"))]
    assert of_training[0].startswith("training begins: epoch 1 of 2, ")
    assert [line[:14] for line in of_training[1:]] == ["epoch 1 of 2: ", "epoch 2 of 2: "]
    if name in ESTIMATORS:
        assert f", {ESTIMATORS[name]().measure} " in of_training[1]
    assert {record.name for record in log.records} == {"windrow"}
    assert not [record for record in log.records if record.levelno > logging.INFO], "what is wrong is a warning"


def test_a_text_and_a_model_of_ngrams_tell_their_sizes(log):
    model = windrow.NGramLM(2, "witten-bell").fit(["a b", "b a"])
    assert "read the list of sentences: 4 tokens in 2 sentences, 2 words" in log.messages
    assert f"n-grams of the model, by order: {', '.join(map(str, model.table_.sizes))}" in log.messages


@pytest.mark.skipif(DISABLE_JIT, reason="nothing is compiled")
def test_kernels_that_are_compiled_are_told(log):
    def compiled(module: str) -> None:
        def kernel(x):
            return x + 1

        kernel.__module__ = module
        numba.njit(kernel)(1)

    listener = CompileLog("a folder")
    numba.core.event.register("numba:compile", listener)
    try:
        compiled("elsewhere.kernels")
        assert log.messages == []
        compiled("windrow.kernels")
        compiled("windrow.kernels")
    finally:
        numba.core.event.unregister("numba:compile", listener)
    told = [record.getMessage() for record in log.records if record.levelno == logging.INFO]
    assert sum("later runs find them in a folder" in line for line in told) == 1, "once per process"
    assert any("compiled windrow.kernels." in record.getMessage() for record in log.records)
