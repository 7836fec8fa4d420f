"""What the logger ``windrow`` says: nothing unless it is asked, then what trainings do, and what is compiled."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
import time
from types import SimpleNamespace

import click
import numba
import pytest

import windrow
from tests.nn.training.estimators import ESTIMATORS, TEXT
from windrow.cli.groups import command
from windrow.cli.logs import words_bar
from windrow.numeric import compiling
from windrow.numeric.compiling import CompileLog, new_listener, working_time
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
    assert {record.name for record in log.records} <= {"windrow", "windrow.numeric.compiling"}
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

    listener = new_listener("a folder")
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


def test_the_clock_of_trainings_stands_still_while_kernels_are_compiled(monkeypatch):
    """Those that a kernel calls are compiled within it, and others than ours are somebody's work."""

    def event(module: str) -> SimpleNamespace:
        function = SimpleNamespace(__module__=module, __qualname__="kernel")
        return SimpleNamespace(data={"dispatcher": SimpleNamespace(py_func=function)})

    ours, others, log = event("windrow.kernels"), event("elsewhere.kernels"), CompileLog(None)
    steps = [
        *[(1, None, ours), (2, log.on_start, ours), (4, log.on_start, ours), (7, log.on_end, ours)],
        *[(11, log.on_end, ours), (16, log.on_start, others), (22, log.on_end, others), (29, log.on_start, ours)],
    ]
    told = []
    monkeypatch.setattr(compiling, "_logs", [log])
    for now, step, what in steps:
        monkeypatch.setattr(time, "perf_counter", lambda now=now: now)
        if step is not None:
            step(what)
        told.append(working_time())
    assert told == [1, 2, 2, 2, 2, 16 - 9, 22 - 9, 29 - 9]


class Screen(io.StringIO):
    def __init__(self, is_terminal: bool) -> None:
        super().__init__()
        self.isatty = lambda: is_terminal


@pytest.mark.parametrize("is_terminal", [True, False])
def test_somebody_at_a_terminal_is_told_above_the_bar_that_kernels_are_compiled(is_terminal, monkeypatch):
    log, screen = logging.getLogger("windrow.numeric.compiling"), Screen(is_terminal)
    before = log.level, list(log.handlers)

    @command("waits")
    def waits() -> None:
        with words_bar(100):
            log.info("compiling kernels; kept in %s", "a folder")
            log.debug("compiled one")
        click.echo("done", err=True)

    monkeypatch.setattr(sys, "stderr", screen)
    waits.main([], standalone_mode=False)
    assert (log.level, log.handlers) == before
    lines = [line.rpartition("\r")[2] for line in screen.getvalue().removesuffix("\n").split("\n")]
    assert lines == (["Compiling kernels; kept in a folder", "done"] if is_terminal else ["done"])
