"""One process of ``fuzz.py``: damages the files of one reader, one after the other, and notes how each is taken.

A reader that ends the process, or never ends, is noticed by ``fuzz.py``: the file is still there, and ``progress`` says
which it was.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import shutil
import signal
import struct
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

OPTIONS = "options"  # the reader of command lines
_PROGRESS = struct.Struct("<8q")
_LONGEST = 1 << 20  # bytes of a damaged file
Files = dict[str, bytes]  # by name: the one that is damaged, then those beside it


class _TooSlow(BaseException):
    """Not an Exception, so that nothing takes it for a damaged part."""


@dataclass
class Counts:
    """How files were taken. ``done`` is the number of the next one; ``most_kb`` is the memory that one file took."""

    done: int = 0
    accepted: int = 0
    refused: int = 0
    tracebacks: int = 0
    wrong: int = 0
    memory: int = 0
    slow: int = 0
    most_kb: int = 0

    def add(self, kind: str) -> None:
        """One more file that was taken so."""
        name = "tracebacks" if kind == "traceback" else kind
        setattr(self, name, getattr(self, name) + 1)
        self.done += 1

    def write(self, path: Path) -> None:
        with path.open("r+b" if path.exists() else "w+b", buffering=0) as stream:
            stream.write(_PROGRESS.pack(*asdict(self).values()))

    @classmethod
    def read(cls, path: Path) -> Counts:
        return cls(*_PROGRESS.unpack(path.read_bytes())) if path.exists() else cls()


@dataclass(frozen=True)
class Finding:
    """What was wrong with one file. Those with one ``cause`` are one fault."""

    reader: str
    kind: str  # traceback, wrong, memory, slow, crash, left
    cause: str
    told: str
    file: str = ""


class Trial:
    """The files of one reader, in a folder of their own."""

    def __init__(self, name: str, folder: Path, seconds: float) -> None:
        self.name, self.folder, self.seconds = name, folder, seconds
        self.counts = Counts.read(folder / "progress")
        self.seen: dict[str, Files] = {}  # by cause
        self.sound: list[Files] = []
        if name == OPTIONS:
            self._run_sound_commands()
        else:
            from fuzz_readers import sound_files

            self.sound = sound_files(name)

    def _run_sound_commands(self) -> None:
        """So that whatever is imported is there before memory is limited."""
        from fuzz_options import SOUND, run_command, write_inputs

        write_inputs(self._empty("input"))
        os.chdir(self.folder / "input")
        for line in SOUND:
            run_command(line.split())

    def _empty(self, name: str) -> Path:
        place = self.folder / name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        return place

    @property
    def data(self) -> list[bytes]:
        """The bytes of the sound files."""
        return [next(iter(files.values())) for files in self.sound]

    def damaged(self, number: int, seed: int) -> Files:
        """File ``number``, and those beside it: always the same ones."""
        from fuzz_mutations import mutate

        if self.name == OPTIONS:
            return {"": f"{seed}/{number}".encode()}
        dice = Random(f"{seed}/{self.name}/{number}")
        name, *_ = files = dice.choice(self.sound)
        return {**files, name: mutate(files[name], dice, self.data)[:_LONGEST]}

    def take(self, files: Files) -> None:
        """Give the file to its reader, and note what comes of it."""
        resident = _peak_kb(reset=True)
        kind, error = self.outcome(files)
        self.counts.most_kb = max(self.counts.most_kb, _peak_kb() - resident)
        self.counts.add(kind)
        if error is not None and kind != "refused":
            self._note(kind, error, files)
        self.counts.write(self.folder / "progress")

    def outcome(self, files: Files) -> tuple[str, BaseException | None]:
        """How the file is taken: accepted, refused, traceback, wrong, memory or slow; and with which error."""
        from windrow.errors import WindrowError

        ask = self._asker(files)
        try:
            with _time_limit(self.seconds):
                ask()
            return "accepted", None
        except _TooSlow as error:
            return "slow", error
        except AssertionError as error:
            return "wrong", error
        except Exception as error:
            if asked_for_memory(error):
                return "memory", error
            if not isinstance(error, WindrowError):
                return "traceback", error
            return "refused" if len(str(error).splitlines()) == 1 else "wrong", error

    def _asker(self, files: Files) -> Callable[[], None]:
        if self.name == OPTIONS:
            from fuzz_options import command_line, run_command, write_inputs

            arguments = command_line(Random(files[""]))
            (self.folder / "command").write_text(json.dumps(arguments))
            write_inputs(self._empty("input"))
            os.chdir(self.folder / "input")
            return lambda: run_command(arguments)
        from fuzz_readers import READERS, put, quietly

        put(files, self._empty("input") / "files")
        reader = READERS[self.name]
        return lambda: quietly(reader.ask, self.folder / "input" / "files" / reader.file)

    def _note(self, kind: str, error: BaseException, files: Files) -> None:
        """Keep the file, unless a shorter one with the same cause is kept."""
        cause, (data, *_) = f"{kind}: {_cause(error)}", files.values()
        if cause in self.seen and len(data) >= len(next(iter(self.seen[cause].values()))):
            return
        self.seen[cause] = files
        told = "".join(traceback.format_exception(error)[-6:])[-2000:]
        keep(self.folder, Finding(self.name, kind, cause, told), data)

    def finish(self) -> None:
        """Shorten the files of findings; and what readers have left among temporary files is a finding, too."""
        for cause, files in self.seen.items() if self.name != OPTIONS else ():
            kind = cause.partition(":")[0]
            if kind != "slow":
                told = f"{cause}; the file is one of those, shortened"
                keep(self.folder, Finding(self.name, kind, cause, told), self.shortened(files, cause))
        gc.collect()
        left = sorted(path.name for path in Path(tempfile.gettempdir()).iterdir())
        if left:
            told = f"left: {len(left)} in the folder for temporary files"
            keep(self.folder, Finding(self.name, "left", told, " ".join(left[:5])), b"")

    def shortened(self, files: Files, cause: str, attempts: int = 400) -> bytes:
        """The file without whatever can be taken out while the cause stays the same."""
        name, *_ = files
        data, size = files[name], len(files[name]) // 2
        while size and attempts > 0:
            for start in range(0, len(data), size):
                attempts -= 1
                shorter = data[:start] + data[start + size :]
                kind, error = self.outcome({**files, name: shorter})
                if error is not None and f"{kind}: {_cause(error)}" == cause:
                    data = shorter
                    break
            else:
                size //= 2
        return data


def keep(folder: Path, finding: Finding, data: bytes) -> None:
    """Write a finding, and the file that it is about."""
    place = folder / "found"
    place.mkdir(exist_ok=True)
    digest = hashlib.sha1(finding.cause.encode()).hexdigest()[:8]
    file = place / f"{finding.reader.replace(', ', '-').replace(' ', '-')}-{digest}"
    file.write_bytes((folder / "command").read_bytes() if finding.reader == OPTIONS else data)
    with (folder / "findings.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(asdict(replace(finding, file=str(file)))) + "\n")


def _cause(error: BaseException) -> str:
    """The type of an error and the deepest place in windrow that it passed."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if f"{os.sep}windrow{os.sep}" in frame.filename]
    if not inside:
        inside = list(frames)[-1:]
    place = f"{Path(inside[-1].filename).name}:{inside[-1].lineno} {inside[-1].name}" if inside else "nowhere"
    told = str(error).splitlines() or [""]
    return f"{type(error).__name__} at {place}" + (f" ({told[0][:80]})" if isinstance(error, AssertionError) else "")


def asked_for_memory(error: BaseException | None) -> bool:
    """Whether the error is one of memory, or was made of one."""
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Within, whatever runs Python code longer than that is stopped; kernels are stopped from outside."""

    def stop(_: int, __: FrameType | None) -> None:
        raise _TooSlow(f"not ended after {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _peak_kb(*, reset: bool = False) -> int:
    """The most memory of this process since the last reset; 0 where the system does not tell."""
    with suppress(OSError, StopIteration, ValueError):
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
    return 0


@contextmanager
def memory_limit(megabytes: int) -> Iterator[None]:
    """Within, no more than that in addition to what the process has; no limit where the system cannot tell."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (ImportError, OSError):
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + megabytes * 2**20, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def main(job: dict[str, Any]) -> None:
    """Take files ``first`` to ``last`` of a reader."""
    folder = Path(job["folder"])
    if job["engine"] == "atheris":
        from fuzz_coverage import follow_coverage, instrumented

        instrumented()
    trial = Trial(job["reader"], folder, job["seconds"])
    trial.counts.write(folder / "progress")
    with memory_limit(job["memory_mb"]):
        if job["engine"] == "atheris":
            follow_coverage(trial, job["inputs"], job["seed"])
        while trial.counts.done < job["inputs"]:
            trial.take(trial.damaged(trial.counts.done, job["seed"]))
        trial.finish()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
