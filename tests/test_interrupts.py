"""Signals: held back where work must not be cut, one line and the right status from commands, and no crash anywhere.

A signal is handled between two bytecodes of the main thread. ``at_call`` sends one at a chosen call of a Python
function, so that a moment can be tried on purpose; what random moments do is measured by a benchmark.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from threadpoolctl import threadpool_limits

from windrow import interrupts
from windrow.cli import main
from windrow.errors import needs_package
from windrow.files import model_file
from windrow.lm.neural.window import WindowLM
from windrow.lm.ngram.kernels import counts as kernels
from windrow.lm.ngram.kernels.counts import Cursor, Grams, Input, Output
from windrow.numeric import threads
from windrow.numeric.threads import crew, share

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="needs the signals of POSIX")
ROOT = Path(__file__).parents[1]


@contextmanager
def at_call(wanted: Callable[[FrameType], bool], times: int = 1) -> Iterator[list[str]]:
    """Within, Ctrl-C comes at the first calls of functions that are ``wanted``; yields the names of those called."""
    sent: list[str] = []

    def profile(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and len(sent) < times and wanted(frame):
            sent.append(frame.f_code.co_name)
            signal.raise_signal(signal.SIGINT)

    sys.setprofile(profile)
    try:
        yield sent
    finally:
        sys.setprofile(None)


def struck(number: int, work: Callable[[], object]) -> str:
    """Call ``work``; Ctrl-C comes at one of the moments at which Python looks for signals.

    These are: when a Python function has been called, and when one of C has returned (jumps back apart). Gives what
    happened at this moment; nothing, if there are not so many.
    """
    left, here = count(number, -1), sys._getframe()
    found: list[str] = []

    def profile(frame: FrameType, event: str, _: Any) -> None:
        if event in ("call", "c_return") and frame is not here and not found and next(left) == 0:
            found.append(f"{event} in {frame.f_code.co_qualname}")
            signal.raise_signal(signal.SIGINT)

    sys.setprofile(profile)
    try:
        work()
    except KeyboardInterrupt:
        pass
    finally:
        sys.setprofile(None)
    return "".join(found)


# --- held and check


def test_an_interrupt_waits_for_the_end() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), interrupts.held():
        signal.raise_signal(signal.SIGINT)
        done.append("all")
    assert done == ["all"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_check_lets_one_interrupt_in_and_drops_those_that_follow() -> None:
    kept = []
    with pytest.raises(KeyboardInterrupt, match="kept"), interrupts.held():
        interrupts.check()
        signal.raise_signal(signal.SIGINT)
        try:
            interrupts.check()
            kept.append("check did not raise")
        except KeyboardInterrupt:
            signal.raise_signal(signal.SIGINT)
            interrupts.check()
            kept.append("state")
            raise KeyboardInterrupt("kept") from None
    assert kept == ["state"]


def test_an_inner_section_ends_without_an_interrupt() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), interrupts.held():
        with interrupts.held():
            signal.raise_signal(signal.SIGINT)
        done.append("after the inner one")
    assert done == ["after the inner one"]


def test_a_handler_that_takes_note_is_called_for_each_check() -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: seen.append(number))
    try:
        with interrupts.held():
            for count in range(3):
                signal.raise_signal(signal.SIGTERM)
                assert len(seen) == count
                interrupts.check()
            signal.raise_signal(signal.SIGTERM)
        assert seen == [signal.SIGTERM] * 4
    finally:
        signal.signal(signal.SIGTERM, before)


def test_signals_that_python_does_not_handle_stay_as_they_are() -> None:
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
    with interrupts.held():
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler


def test_other_threads_neither_hold_nor_raise() -> None:
    found: list[Any] = []

    def work() -> None:
        with interrupts.held():
            found.append(signal.getsignal(signal.SIGINT))
            interrupts.check()

    with pytest.raises(KeyboardInterrupt), interrupts.held():
        signal.raise_signal(signal.SIGINT)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert len(found) == 1


def test_an_interrupt_at_any_moment_leaves_the_handlers_as_they_were() -> None:
    done: list[bool] = []

    def hold() -> None:
        with interrupts.held():
            done.append(True)
            len(done)

    before = [signal.getsignal(number) for number in interrupts.SIGNALS]
    for number in count():
        moment = struck(number, hold)
        assert [signal.getsignal(number) for number in interrupts.SIGNALS] == before, moment
        assert interrupts._Waiting.now is None, moment
        if not moment:
            break
    assert number > 20


# --- threads


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # what strikes in a weak reference is lost
def test_an_interrupt_at_any_moment_gives_blas_its_threads_back() -> None:
    """A pass that was not counted out would leave BLAS with one thread until the program ends."""

    def runs() -> list[tuple[int, int]]:
        return share(4, lambda first, last: (first, last))

    def within() -> list[Any]:
        with crew(2):
            return [runs(), blas_threads()]

    def blas_threads() -> list[int]:
        return [library.get() for library in threads._libraries()]

    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        for number in count():
            moment = struck(number, within)
            assert runs() == [(0, 4)], moment  # no crew is left
            assert blas_threads() == before, moment
            assert within() == [[(0, 2), (2, 4)], [1] * len(before)], moment
            if not moment:
                break
    assert number > 100


# --- kernels


def _merging() -> tuple[Any, ...]:
    """Arguments of a kernel that once returned a NamedTuple: the bigrams of two counts."""

    def level(words: list[int]) -> Input:
        arrays = [np.array(part, np.int32) for part in ([0, 2], words, [0, 0], [1, 1])]
        for array in arrays:
            array.flags.writeable = False
        places = np.zeros(1, np.int32)
        places.flags.writeable = False
        return Input(Grams(*arrays), places, np.zeros(2, np.int32))

    origins = np.array([3], np.uint8)
    origins.flags.writeable = False
    out = Output(Grams(*(np.empty(8, np.int32) for _ in range(4))), np.empty(8, np.uint8))
    return level([1, 2]), level([2, 3]), origins, Cursor(), out


def test_an_interrupt_within_a_kernel_call_is_an_interrupt() -> None:
    """Numba calls Python to make a NamedTuple, and what a handler raised there was a segmentation fault.

    That no other kernel has such a result is seen in ``tests.cli.after_warmup``.
    """
    cursor, finished, written = kernels.merge_levels(*_merging())
    assert (tuple(cursor), finished, written) == ((1, 1, 1, 2, 2, 3), 1, 3)
    arguments = _merging()
    with at_call(lambda frame: "numba" in frame.f_code.co_filename) as called:
        kernels.merge_levels(*arguments)
    assert called == [], "no Python function is called between a kernel and its caller"


# --- training


@pytest.mark.parametrize("times", [1, 3])
def test_a_training_ends_at_a_step_with_the_parameters_of_its_last_epoch(times: int, tmp_path: Path) -> None:
    lines = ["a b c d", "b a d c"] * 40
    checkpoint = tmp_path / "checkpoint"
    options: dict[str, Any] = {"order": 3, "embedding_size": 4, "hidden_size": 4, "batch_size": 16, "seed": 3}
    options |= {"epochs": 50, "learning_rate": 0.01}
    epochs: list[int] = []
    model = WindowLM(**options, callbacks=[lambda report: epochs.append(report.epoch)])

    def late(frame: FrameType) -> bool:
        return len(epochs) == 2 and frame.f_code.co_name == "step"

    with at_call(late, times), pytest.raises(KeyboardInterrupt, match="training stopped in epoch 3") as stopped:
        model.fit(lines, checkpoint=checkpoint)
    assert "has the state after epoch 2" in str(stopped.value)
    shorter = WindowLM(**options, callbacks=[lambda report: report.epoch == 2]).fit(lines)
    assert [row["loss"] for row in model.history_] == [row["loss"] for row in shorter.history_]
    np.testing.assert_array_equal(model.log_probs(lines), shorter.log_probs(lines))


# --- the program

_AT = """
import os, signal, sys
place, number, times = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
sys.argv[:4] = ["windrow"]
sent = 0
def profile(frame, event, _):
    global sent
    if event == "call" and sent < times:
        code, caller = frame.f_code, frame.f_back.f_code.co_filename if frame.f_back else ""
        if f"{code.co_filename}:{code.co_qualname}".endswith(place) or f"{caller}>{code.co_qualname}".endswith(place):
            sent += 1
            if sent == times:
                sys.setprofile(None)
            os.kill(os.getpid(), number)
from windrow.__main__ import main
if place:
    sys.setprofile(profile)
main()
"""


def windrow(
    folder: Path, arguments: str, *, at: str = "", number: int = signal.SIGINT, times: int = 1, **more: Any
) -> subprocess.CompletedProcess[str]:
    """Run a command to which signals come at a call: FILE:NAME, or CALLER>NAME with the file that calls.

    Its TMPDIR is ``folder``/tmp, which must be empty in the end.
    """
    (folder / "tmp").mkdir(exist_ok=True)
    command = [sys.executable, "-c", _AT, at, str(int(number)), str(times), *arguments.split()]
    environment = {**os.environ, "TMPDIR": str(folder / "tmp"), "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, **more)
    assert not list((folder / "tmp").iterdir())
    assert not list(folder.glob(".*"))
    assert "Traceback" not in done.stderr
    return done


def windrow_arrays(path: Path) -> dict[str, Any]:
    """What a model has learned."""
    if path.suffix == ".txt":
        return {"text": np.array(path.read_text())}
    return model_file.load(path).arrays


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = ["a b c d e f", "b a c e d", "f f a b", "c d a", "a c b e f d a b"]
    (tmp_path / "text.txt").write_text("\n".join(lines * 400))
    (tmp_path / "work").mkdir()
    (tmp_path / "labelled.txt").write_text("__label__x a b c\n__label__y d e f\n" * 40)
    (tmp_path / "tagged.conll").write_text("in O\nRome B-LOC\n\nAnn B-PER\nsaw O\nBob B-PER\n\n" * 8)
    return tmp_path


SMALL = "--embedding 4 --hidden 4 --batch 64"
COMMANDS = [
    ("corpus build text.txt -o out", "corpus/writing.py:write_corpus"),
    ("vectors train text.txt -o out.txt --size 4 --min-count 1", "corpus/encoded.py:Corpus.open"),
    ("lm train ngram text.txt -o out.arpa --order 3 --discount-fallback", "ngram/estimation.py:_adjust"),
    ("lm train ngram text.txt -o out --order 2 --discount-fallback --memory 1M", "ngram/counting.py:_Counter.words"),
    (
        "lm train ngram text.txt -o out --order 2 --discount-fallback --temp-dir work",
        "ngram/counting.py:_Counter.words",
    ),
    (f"lm train rnn text.txt -o out {SMALL}", "nn/training/loop.py:Training.step"),
    (f"lm train window text.txt -o out {SMALL}", "nn/training/loop.py:Training.step"),
    ("tag train tagged.conll -o out --epochs 3", "nn/training/loop.py:Training.step"),
    ("classify train labelled.txt -o out --epochs 3", "classification/epochs.py:_learn"),
    (
        "classify train labelled.txt -o out --autotune-validation labelled.txt",
        "classification/classifier.py:TextClassifier.fit",
    ),
    ("lm train window text.txt -o out", "click/core.py:Command.parse_args"),
    ("corpus list", "corpus/registry.py:list_corpora"),
    ("corpus list", "click/core.py:<module>"),
]


@pytest.mark.parametrize(("command", "place"), COMMANDS)
def test_an_interrupted_command_says_so_in_one_line(folder: Path, command: str, place: str) -> None:
    number, times = [(signal.SIGINT, 1), (signal.SIGTERM, 3), (signal.SIGHUP, 2)][len(command + place) % 3]
    done = windrow(folder, command, at=place, number=number, times=times)
    assert done.returncode == 128 + number
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("Interrupted: ")
    assert not list(folder.glob("out*"))
    assert not list((folder / "work").iterdir())


TRAININGS = [
    ("vectors train text.txt --size 4 --min-count 1 --workers 1 --epochs 9", "v.txt", "run.py:Run.start_next_epoch"),
    (f"lm train rnn text.txt {SMALL} --epochs 3", "r", "nn/training/checkpoint.py:save"),
    (f"lm train window text.txt {SMALL} --epochs 3", "w", "nn/training/checkpoint.py:save"),
]


@pytest.mark.parametrize(("command", "output", "place"), TRAININGS)
def test_what_an_interrupt_keeps_goes_on_to_the_same_model(
    folder: Path, command: str, output: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = windrow(folder, f"{command} -o {output}", at=place, number=signal.SIGHUP, times=3)
    assert done.returncode == 128 + signal.SIGHUP
    (line,) = done.stderr.splitlines()
    assert line.startswith("Interrupted: training stopped")
    assert f"{output}.checkpoint" in line
    monkeypatch.chdir(folder)
    for uninterrupted in (f"{command} -o {output} --resume", f"{command} -o again{output}"):
        assert CliRunner().invoke(main, uninterrupted.split()).exit_code == 0
    first, second = (windrow_arrays(folder / name) for name in (output, f"again{output}"))
    assert first.keys() == second.keys()
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name])


def test_a_finished_command_is_a_success(folder: Path) -> None:
    replace, tell = "files/writing.py>Path.replace", "cli/messages.py:tell"
    for command, output, place in [
        ("corpus build text.txt -o c", "c", "corpus/folder.py:_put"),
        ("vectors train text.txt --size 4 --min-count 1 -o v.txt", "v.txt", tell),
        ("vectors convert v.txt v.safetensors", "v.safetensors", replace),
        ("lm train ngram text.txt --order 2 --discount-fallback -o n", "n", tell),
        ("lm convert n n.arpa", "n.arpa", replace),
        (f"lm train rnn text.txt {SMALL} --epochs 1 --checkpoint-every 0 -o r", "r", tell),
        ("tag train tagged.conll --epochs 1 -o t", "t", tell),
    ]:
        done = windrow(folder, command, at=place, number=signal.SIGTERM, times=2)
        assert done.returncode == 0, done.stderr
        assert "Interrupted" not in done.stderr
        assert (folder / output).exists()
        assert not (folder / f"{output}.checkpoint").exists()


def test_signals_that_nohup_ignores_stay_ignored(folder: Path) -> None:
    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    place, number = "nn/training/loop.py:Training.step", signal.SIGHUP
    done = windrow(
        folder, f"lm train rnn text.txt {SMALL} --epochs 1 -o r", at=place, number=number, times=5, preexec_fn=ignore
    )
    assert done.returncode == 0
    assert (folder / "r").exists()


def test_the_status_holds_for_what_strikes_in_code_from_a_string(folder: Path) -> None:
    """Python ends by SIGINT after a KeyboardInterrupt there, as the making of a NamedTuple is."""
    (folder / "package").mkdir()
    (folder / "package" / "__main__.py").write_text(
        "import os, signal, sys\nfrom windrow import interrupts\ninterrupts.own_process()\n"
        "try:\n    with interrupts.raised():\n"
        "        exec('os.kill(os.getpid(), signal.SIGTERM)\\nfor _ in range(9): pass')\n"
        "except KeyboardInterrupt:\n    sys.exit(interrupts.exit_status())\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, "-m", "package"], cwd=folder, env=environment, check=False)
    assert done.returncode == 143


def test_an_interrupt_that_strikes_where_nothing_can_be_raised_is_repeated(folder: Path) -> None:
    code = """
import os, signal, sys, time
from windrow import interrupts
interrupts.own_process()
class Thing:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
try:
    with interrupts.raised():
        Thing()
        time.sleep(30)
except KeyboardInterrupt:
    sys.exit(interrupts.exit_status())
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "src", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (143, "")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("training stopped at 3.0%; the model has its vectors so far", "training stopped at 3.0%; nothing was written"),
        ("the model has its best epoch; it is written to x", "the model has its best epoch; it is written to x"),
        ("", "nothing was written"),
    ],
)
def test_a_command_does_not_speak_of_a_model_that_ends_with_it(
    said: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt(said)

    monkeypatch.setattr("windrow.embeddings.word2vec.Word2Vec.fit", stopped)
    result = CliRunner().invoke(main, ["demo", "-o", str(tmp_path / "v.safetensors")])

    assert result.stderr.splitlines()[-1] == f"Interrupted: {told}"


@pytest.mark.parametrize("error", [RuntimeError, ImportError])
@pytest.mark.parametrize(("seconds", "is_told"), [(1, True), (60, False)])
def test_an_error_in_the_wake_of_an_interrupt_is_the_interrupt(
    error: type[Exception], seconds: float, is_told: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel whose compilation is cut off fails later, with an error of Numba's; and what is imported, at once."""

    def broken(path: str, **_: object) -> None:
        if error is ImportError:
            with needs_package("classes need scikit-learn", "sklearn"):
                raise ImportError("initialization failed")
        raise RuntimeError("no compiled object yet")

    monkeypatch.setattr("windrow.models.load", broken)
    monkeypatch.setattr("windrow.interrupts._Process.raised_at", time.monotonic() - seconds)
    (tmp_path / "model").write_text("a")
    result = CliRunner().invoke(main, ["lm", "score", str(tmp_path / "model")])

    assert isinstance(result.exception, SystemExit if is_told or error is ImportError else RuntimeError)
    if is_told:
        assert (result.exit_code, result.stderr) == (130, "Interrupted: what was printed is not all\n")
    elif error is ImportError:
        assert result.stderr.startswith("Error: classes need scikit-learn (initialization failed)")
