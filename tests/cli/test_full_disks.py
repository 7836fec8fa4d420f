"""Disks that are full, or take nothing else: the main file decides, and what was trained is not lost."""

from __future__ import annotations

import errno
import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import windrow
from windrow.cli import main
from windrow.cli.logs import json_log
from windrow.cli.messages import tell
from windrow.errors import DataError, DataWarning
from windrow.files import model_file
from windrow.files.rescue import kept_elsewhere
from windrow.nn.training.keeping import Keeper
from windrow.nn.training.report import Report

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs to know which file is synced")

TINY = "--embedding 2 --hidden 2 --epochs 3 --seed 1"
TRAININGS = {
    "vectors train text": "--size 4 --min-count 1 --epochs 3 --workers 1 --sample 0",
    "lm train rnn text": TINY,
    "lm train window text": TINY,
    "tag train tagged": "--size 2 --hidden 2 --epochs 3 --seed 1",
}
OTHERS = {
    "lm train ngram text": "--order 2 --smoothing witten-bell",
    "lm train class text": "--order 2 --classes 2",
    "lm train skip text": "--smoothing witten-bell",
    "lm mix a.safetensors b.safetensors": "--weights 0.25,0.75",
    "lm prune a.safetensors": "--max-ngrams 12",
    "classify train labelled": "--size 2 --epochs 3",
}
OUTPUTS = [
    *((command, name) for command in (*TRAININGS, *OTHERS) for name in ("m.safetensors",)),
    ("vectors train text", "v.txt"),
    ("vectors train text", "v.npy"),
    ("lm train ngram text", "m.arpa"),
    ("lm train ngram text", "m.arpa.gz"),
    ("lm mix a.safetensors b.safetensors", "m.arpa"),
]
REPORT = Report("epoch", 1, 2, examples=5, total_examples=10, loss=1.0, learning_rate=0.1, seconds=1.0)

Fails = Callable[[Path], bool]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with small texts and models, a folder for outputs and one for temporary files."""
    monkeypatch.chdir(tmp_path)
    Path("out").mkdir()
    Path("spare").mkdir()
    Path("home").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "spare"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    Path("text").write_text("the cat sat\na dog sat\nthe dog ran\n" * 5)
    Path("labelled").write_text("__label__a the cat sat\n__label__b a dog ran\n" * 5)
    Path("tagged").write_text("In O\nRome B-LOC\n\nwe O\nmet O\n\n" * 5)
    for name, text in (("a", ["x y", "y x"]), ("b", ["x x y", "y"])):
        windrow.NGramLM(2, "witten-bell").fit(text).save(f"{name}.safetensors")
    return tmp_path


@contextmanager
def failing(fails: Fails, number: int = errno.ENOSPC) -> Iterator[None]:
    """Within, the disk takes no file of which ``fails`` says so: its fsync fails, when all seemed to be written."""
    kept = os.fsync

    def fsync(file: int) -> None:
        if fails(Path(f"/proc/self/fd/{file}").readlink()):
            raise OSError(number, os.strerror(number))
        kept(file)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", fsync)
        yield


def within(*names: str) -> Fails:
    """Files in these folders."""
    return lambda path: any(name in path.parent.parts for name in names)


def is_checkpoint(path: Path) -> bool:
    return ".checkpoint." in path.name


def run(command: str, output: str, *more: str) -> Result:
    options = {**TRAININGS, **OTHERS}[command].split()
    return CliRunner().invoke(main, [*command.split(), "-o", output, *options, *more])


def by_itself(command: str, name: str, *more: str) -> dict[str, Any]:
    """The files that the command writes where nothing is in its way."""
    Path("reference").mkdir()
    assert run(command, f"reference/{name}", *more).exit_code == 0
    return files("reference")


def files(folder: str) -> dict[str, Any]:
    """The content of all files, but for the times that a training took."""
    return {path.name: content(path) for path in sorted(Path(folder).iterdir()) if path.is_file()}


def content(path: Path) -> Any:
    if path.suffix == ".arpa":  # whose last digits are those of float32 where it was converted
        return re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]):.5f}", path.read_text())
    if path.suffix in (".gz", ".txt", ".npy"):
        return path.read_bytes()
    stored = model_file.load(path)
    return stored.kind, {name: array.tobytes() for name, array in stored.arrays.items()}


def kept_files(folder: str) -> list[Path]:
    return sorted(Path(folder).glob("windrow-kept-*"))


# --- the final file


@pytest.mark.parametrize(("command", "name"), OUTPUTS)
def test_what_was_trained_is_kept_elsewhere_and_becomes_the_file_that_was_meant(
    command: str, name: str, here: Path
) -> None:
    expected = by_itself(command, name)
    with failing(within("out")):
        result = run(command, f"out/{name}")
    assert result.exit_code == 1
    *_, error = result.stderr.splitlines()
    found = re.fullmatch(
        rf"Error: cannot write out/{name[0]}\..*: No space left on device; is the disk full\?; "
        r"the trained (?:vectors are|model is) kept in (\S+): `(.*)` puts it there",
        error,
    )
    assert found, error
    assert files("out") == {}
    kept = Path(found[1])
    assert kept.parent == here / "spare"
    assert kept.name.startswith(f"windrow-kept-{name[0]}-")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    program, *arguments = shlex.split(found[2])
    if program == "mv":
        shutil.move(*arguments)
    else:
        assert CliRunner().invoke(main, arguments).exit_code == 0
    assert files("out") == expected


def test_a_smaller_file_may_fit_beside(here: Path) -> None:
    """A limit on the size of files, between that of windrow's own and that of text."""
    resource = pytest.importorskip("resource")
    command = shlex.split(f"vectors train text -o out/v.txt {TRAININGS['vectors train text']} --size 2000")

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (80_000, 80_000))

    ended = subprocess.run(
        [sys.executable, "-m", "windrow", *command], capture_output=True, text=True, check=False, preexec_fn=limit
    )
    assert ended.returncode == 1
    (kept,) = files("out")
    assert re.fullmatch(r"windrow-kept-v-\w+\.safetensors", kept)
    assert re.fullmatch(
        rf"Error: cannot write out/v.txt: File too large; .*{kept}: `windrow vectors convert \S+{kept} out/v.txt` .*\n",
        ended.stderr,
    )
    assert len(windrow.load(Path("out", kept))) == 6


def test_what_no_place_takes_is_told_with_all_of_them(here: Path) -> None:
    with failing(lambda path: within("out")(path) or "windrow-kept" in path.name):
        result = run("lm train ngram text", "out/m.arpa")
    places = " or ".join(str(here / name) for name in ("out", "spare", "home"))
    assert result.stderr == (
        "Error: cannot write out/m.arpa: No space left on device; is the disk full?; nor could it be kept in "
        f"{places}\n"
    )
    assert [kept_files(name) for name in ("out", "spare", "home")] == [[], [], []]
    with failing(lambda path: path.parent in (here / "out", here / "spare") and not is_checkpoint(path)):
        result = run("lm train rnn text", "out/m")
    assert f"is kept in {here / 'home'}/windrow-kept-m-" in result.stderr
    with failing(lambda path: (within("out")(path) and not is_checkpoint(path)) or "windrow-kept" in path.name):
        result = run("lm train rnn text", "out/n")
    assert result.stderr.endswith("; out/n.checkpoint has the state of the training, from which --resume goes on\n")
    assert run("lm train rnn text", "out/n", "--resume").exit_code == 0
    assert run("lm train rnn text", "out/unbroken").exit_code == 0
    assert files("out")["n"] == files("out")["unbroken"]


@pytest.mark.parametrize("error", [MemoryError("no room"), DataError("no word may be written")])
def test_other_reasons_lose_nothing_either(error: Exception, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = windrow.NGramLM.save

    def save(model: windrow.NGramLM, path: Path) -> None:
        if str(path) == "m":
            raise error
        kept(model, path)

    monkeypatch.setattr(windrow.NGramLM, "save", save)
    result = run("lm train ngram text", "m")
    assert re.match(
        r"Error: (not enough memory to write it \(no room\)|no word .*); the trained model is kept in", result.stderr
    )
    assert len(kept_files("spare")) == 1


def test_standard_output_that_is_full(here: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("only Linux has a device that is always full")
    command = f"'{sys.executable}' -m windrow lm train ngram text -o - --order 2 --smoothing witten-bell > /dev/full"
    environment = {**os.environ, "TMPDIR": str(here / "spare")}
    ended = subprocess.run(command, shell=True, capture_output=True, text=True, check=False, env=environment)
    assert ended.returncode == 1
    assert re.fullmatch(
        r"Error: cannot write the output: No space left on device; is the disk full\?; the trained model is kept in "
        r"(\S+): `windrow lm convert \1 -` puts it there\n",
        ended.stderr,
    )


# --- checkpoints


@pytest.mark.parametrize(
    ("command", "number"),
    [
        *((command, errno.ENOSPC) for command in TRAININGS),
        *(("tag train tagged", number) for number in (errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO, errno.EFBIG)),
    ],
)
def test_checkpoints_that_cannot_be_written_warn_once(
    command: str, number: int, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("windrow.embeddings.training.loop._SHORTEST_INTERVAL", 1e-3)
    more = ("--checkpoint-every", "1e-3", "--epochs", "100") if command.startswith("vectors") else ()
    expected = by_itself(command, "m.safetensors", *more)
    with failing(is_checkpoint, number):
        result = run(command, "out/m.safetensors", *more)
    assert result.exit_code == 0
    told = (
        f"training goes on without a new checkpoint: cannot write out/m.safetensors.checkpoint: {os.strerror(number)}"
    )
    assert result.stderr.count("Warning: ") == result.stderr.count(told) == 1
    assert files("out") == expected


@pytest.mark.parametrize("command", TRAININGS)
def test_checkpoints_are_turned_off_by_0(command: str, here: Path) -> None:
    expected = by_itself(command, "m.safetensors")
    with failing(is_checkpoint):  # none is tried: there is no warning
        result = run(command, "out/m.safetensors", "--checkpoint-every", "0")
    assert (result.exit_code, result.stderr.count("\n")) == (0, 1)
    assert files("out") == expected


def test_a_checkpoint_is_tried_again_and_warned_of_once(tmp_path: Path) -> None:
    states = iter([b"1", None, None, b"4", None])

    def write(path: Path) -> None:
        state = next(states)
        if state is None:
            raise DataError("the disk is full")
        path.write_bytes(state)

    keeper = Keeper(tmp_path / "c", write)
    with pytest.warns(DataWarning, match="goes on without a new checkpoint: the disk is full") as warned:
        found = [(keeper.keep(), (tmp_path / "c").read_bytes()) for _ in range(5)]
    assert len(warned) == 1
    assert found == [(True, b"1"), (False, b"1"), (False, b"1"), (True, b"4"), (False, b"4")]


@contextmanager
def interrupted(module: str) -> Iterator[None]:
    """Within, Ctrl-C comes with the second report of a training."""

    @contextmanager
    def log(*_: object, **__: object) -> Iterator[Callable[[Any], None]]:
        reports = iter([None, KeyboardInterrupt])

        def write(_: Any) -> None:
            if error := next(reports):
                raise error

        yield write

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(f"windrow.cli.{module}.json_log", log)
        yield


def test_the_state_at_ctrl_c_is_kept_elsewhere_and_resumes_to_equal_bits(here: Path) -> None:
    expected = by_itself("vectors train text", "v.txt")
    with failing(within("out")), interrupted("train_vectors"):
        result = run("vectors train text", "out/v.txt", "--log-json", "log")
    assert result.exit_code == 130
    found = re.search(
        r"Interrupted: training stopped at .*; its state is kept in (\S+), since cannot write out/v\.txt\.checkpoint: "
        r".*; copy it to (\S+), and add --resume to go on from there\n$",
        result.stderr,
    )
    assert found, result.stderr
    assert Path(found[1]).parent == here / "spare"
    shutil.copy(found[1], found[2])
    assert run("vectors train text", "out/v.txt", "--resume").exit_code == 0
    assert files("out") == expected


@pytest.mark.parametrize("output", ["-", "out/v.txt"])
def test_ctrl_c_without_checkpoints_says_that_nothing_was_written(output: str, here: Path) -> None:
    more = () if output == "-" else ("--checkpoint-every", "0")
    with interrupted("train_vectors"):
        result = run("vectors train text", output, "--log-json", "log", *more)
    assert result.exit_code == 130
    assert result.stderr.endswith("%; nothing was written\n")
    assert files("out") == {}


@pytest.mark.parametrize("command", ["lm train rnn text", "lm train window text", "tag train tagged"])
def test_ctrl_c_without_checkpoints_writes_the_model_of_networks(command: str, here: Path) -> None:
    module = "tag" if command.startswith("tag") else "train_neural"
    with interrupted(module):
        result = run(command, "out/m", "--log-json", "log", "--checkpoint-every", "0")
    assert result.exit_code == 130
    assert result.stderr.endswith("; it is written to out/m\n")
    windrow.load("out/m")


@pytest.mark.parametrize("command", ["lm train rnn text", "tag train tagged"])
def test_checkpoints_of_some_epochs(command: str, here: Path) -> None:
    """After every second one, and after the last."""
    seen = []
    kept = Keeper.keep

    def keep(keeper: Keeper) -> bool:
        done = kept(keeper)
        seen.append(len(model_file.load(keeper.path).config["history"]))
        return done

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Keeper, "keep", keep)
        assert run(command, "out/m", "--checkpoint-every", "2", "--epochs", "5").exit_code == 0
    assert seen == [2, 4, 5]
    refused = run(command, "out/n", "--checkpoint-every", "-1")
    assert refused.stderr == "Error: --checkpoint-every = -1 is out of range; the allowed range is [0, inf)\n"


# --- logs, and other files beside


@pytest.mark.parametrize("call", ["open", "write"])
@pytest.mark.parametrize(
    ("command", "number"),
    [
        *((command, errno.ENOSPC) for command in TRAININGS),
        *(("tag train tagged", number) for number in (errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPIPE)),
    ],
)
def test_a_log_that_cannot_be_written_warns_once(
    command: str, call: str, number: int, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = by_itself(command, "m.safetensors")
    kept = getattr(os, call)

    def fail(first: Any, *others: Any) -> Any:
        name = str(first) if call == "open" else Path(f"/proc/self/fd/{first}").readlink()
        if Path(name).name == "the log":
            raise OSError(number, os.strerror(number))
        return kept(first, *others)

    with monkeypatch.context() as patched:
        patched.setattr(os, call, fail)
        result = run(command, "out/m.safetensors", "--log-json", "the log")
    assert result.exit_code == 0
    told = f"training goes on without its log: cannot write the log: {os.strerror(number)}"
    assert result.stderr.count("Warning: ") == result.stderr.count(told) == 1
    assert files("out") == expected


def test_a_device_that_is_full_is_a_log_like_another(here: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("only Linux has a device that is always full")
    result = run("lm train rnn text", "out/m", "--log-json", "/dev/full")
    assert result.exit_code == 0
    assert "cannot write /dev/full: No space left on device; is the disk full?\n" in result.stderr


def test_no_line_of_a_log_is_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second line meets the end of the disk in its middle."""
    kept, room = os.write, [len(json.dumps(REPORT.to_json())) + 10]

    def write(file: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done = kept(file, data[: room[0]])
        room[0] -= done
        return done

    monkeypatch.setattr(os, "write", write)
    log = tmp_path / "log"
    with pytest.warns(DataWarning, match="without its log"), json_log(log, append=False) as note:
        for _ in range(3):
            note(REPORT)
    assert [json.loads(line) for line in log.read_text().splitlines()] == [REPORT.to_json()]


def test_a_log_goes_on_where_it_ended(tmp_path: Path) -> None:
    for append, lines in ((False, 1), (True, 2), (False, 1)):
        with json_log(tmp_path / "log", append=append) as note:
            note(REPORT)
        assert (tmp_path / "log").read_text().count("\n") == lines


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_whose_reader_is_gone_or_comes_late(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with json_log(pipe, append=False) as note:
        note(REPORT)  # kept until somebody reads
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        note(REPORT)
        assert os.read(reader, 1 << 16).count(b"\n") == 2
        os.close(reader)
        with pytest.warns(DataWarning, match="cannot write .*pipe: Broken pipe") as warned:
            note(REPORT)
            note(REPORT)
        assert len(warned) == 1
    with pytest.warns(DataWarning, match="it is a pipe that nobody reads"), json_log(pipe, append=False) as note:
        note(REPORT)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_training_does_not_wait_for_a_slow_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More lines than a pipe holds, of which none is lost or cut, if they are read before the end."""
    monkeypatch.setattr("windrow.cli.logs._PATIENCE", 0.01)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    found = b""
    with json_log(pipe, append=False) as note:
        for _ in range(1000):
            note(REPORT)
        for _ in range(10):
            found += os.read(reader, 1 << 20)
            note(REPORT)  # with which those that waited go on
    found += os.read(reader, 1 << 20)
    assert found.count(b"\n") == 1010
    assert {json.dumps(json.loads(line)) for line in found.splitlines()} == {json.dumps(REPORT.to_json())}
    with pytest.warns(DataWarning, match="nobody reads"), json_log(pipe, append=False) as note:
        for _ in range(1000):
            note(REPORT)
    os.close(reader)


def test_counts_that_cannot_be_written_do_not_lose_the_model(here: Path) -> None:
    expected = by_itself("lm train ngram text", "m.arpa")
    with failing(lambda path: ".counts." in path.name, errno.EDQUOT):
        result = run("lm train ngram text", "out/m.arpa", "--counts-out", "out/the.counts")
    assert result.exit_code == 0
    told = f"without a file of counts: cannot write out/the.counts: {os.strerror(errno.EDQUOT)}; is the disk full?\n"
    assert told in result.stderr
    assert files("out") == expected


def test_a_full_folder_for_temporary_files_is_one_line(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = " ".join(f"{number} {number % 7}" for number in range(60_000))
    Path("text").write_text(text)

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("windrow.lm.ngram.merging._in_file", fail)
    result = run("lm train ngram text", "out/m.arpa", "--memory", "1M")
    assert result.stderr == (
        "Error: cannot write the counts of parts of the text: No space left on device; is the disk full?; name a "
        "folder on another disk: --temp-dir DIR\n"
    )
    assert [files("out"), files("spare")] == [{}, {}]


# --- stderr


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
@pytest.mark.parametrize("stderr", ["2>&-", "2>/dev/full"])
def test_a_training_does_not_end_with_the_reader_of_its_messages(stderr: str, here: Path) -> None:
    options = TRAININGS["lm train rnn text"]
    command = f"'{sys.executable}' -m windrow lm train rnn text -o out/m {options} --resume {stderr}"  # with a warning
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "")
    windrow.load("out/m")


def test_bars_and_messages_outlive_their_stream(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from windrow.cli.logs import bytes_bar, words_bar

    class Terminal:
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

        def fileno(self) -> int:
            raise OSError

        def write(self, *_: str) -> int:
            raise OSError(errno.EIO, "the terminal is gone")

        flush = write

    monkeypatch.setattr(sys, "stderr", Terminal())
    with words_bar(10) as show:
        show(REPORT)
    with bytes_bar("reading") as show_bytes:
        show_bytes(1, 2)
    tell("done")


# --- the folders themselves


def test_a_corpus_is_whole_or_not_there(here: Path) -> None:
    assert CliRunner().invoke(main, ["corpus", "build", "text", "-o", "out/c"]).exit_code == 0
    before = {path: path.read_bytes() for path in Path("out/c").iterdir()}
    for name, source in (("out/c", "tagged"), ("out/d", "-")):
        with failing(lambda _: True):
            result = CliRunner().invoke(main, ["corpus", "build", source, "-o", name], input="a b")
        nowhere = "" if source == "-" else f"; nor could it be kept in {here / 'spare'} or {here / 'home'}"
        assert re.fullmatch(
            rf"Error: cannot write .*No space left on device; is the disk full\?{nowhere}\n", result.stderr
        )
        assert [kept_files(place) for place in ("spare", "home")] == [[], []]
        assert [path.name for path in Path("out").iterdir()] == ["c"]
        assert {path: path.read_bytes() for path in Path("out/c").iterdir()} == before


@pytest.mark.parametrize("exists", [True, False])
def test_a_corpus_on_a_full_disk_is_built_elsewhere(exists: bool, here: Path) -> None:
    build = ["corpus", "build", "text", "-o"]
    assert CliRunner().invoke(main, [*build, "expected"]).exit_code == 0
    if exists:
        assert CliRunner().invoke(main, ["corpus", "build", "tagged", "-o", "out/c"]).exit_code == 0
    with failing(lambda path: path.is_relative_to(here / "out")):
        result = CliRunner().invoke(main, [*build, "out/c"])
    told = r"the corpus is kept in (\S+): `mv \1 out/c` puts it there"
    if exists:  # where it would be moved into the folder
        told = r"out/c is as it was, and the new corpus is kept in (\S+)"
    found = re.fullmatch(rf"Error: cannot write \S*out/c[\w./]*: No .*; is the disk full\?; {told}\n", result.stderr)
    assert found, result.stderr
    kept = Path(found[1])
    assert kept.parent.parent == here / "spare"
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    built = {path.name: path.read_bytes() for path in kept.iterdir()}
    assert built == {path.name: path.read_bytes() for path in Path("expected").iterdir()}


def test_names_of_kept_files(here: Path) -> None:
    for output, start in (
        ("out/a b$(c).x.arpa", "a_b_c_"),
        ("-", "output"),
        (".hidden", "output"),
        ("n" * 200, "n" * 40),
    ):
        place = kept_elsewhere(lambda path: path.write_text("x"), Path(output))
        assert re.fullmatch(rf"windrow-kept-{start}-\w+\.safetensors", place.name)
