"""The same files, chosen by what they reach in the code: with atheris, where it is installed.

atheris keeps the files that reach new branches and damages them again, by its own changes and those of
``fuzz_mutations``. Kernels are left as they are: what Numba compiles cannot be watched.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from random import Random
from typing import Any

import atheris

_LONGEST = 1 << 16
# The parts of files that are made of a sound one, and of a kept one, by ``fuzz_mutations``; atheris changes the rest.
_OF_SOUND, _OF_KEPT = 0.5, 0.8


def instrumented() -> None:
    """Import what is asked, watched by atheris."""
    import windrow
    from windrow.numeric.jit import KERNEL_SOURCES

    package = Path(windrow.__file__).parent
    kernels = {path for pattern in KERNEL_SOURCES for path in package.glob(pattern)}
    left_out = [".".join(("windrow", *path.relative_to(package).with_suffix("").parts)) for path in kernels]
    for name in [name for name in sys.modules if name.split(".")[0] == "windrow"]:
        del sys.modules[name]
    with atheris.instrument_imports(include=["windrow"], exclude=left_out):
        import fuzz_readers  # noqa: F401


def follow_coverage(trial: Any, inputs: int, seed: int) -> None:
    """Take files until ``inputs`` are done, then end the process, as atheris does."""
    from fuzz_mutations import mutate

    corpus = trial.folder / "corpus"
    corpus.mkdir(exist_ok=True)
    for number, data in enumerate(trial.data or [b"0"]):
        (corpus / str(number)).write_bytes(data)
    name, *_ = first = trial.sound[0] if trial.sound else {"": b""}

    def change(data: bytes, longest: int, number: int) -> bytes:
        dice = Random(number)
        way = dice.random()
        if way < _OF_KEPT:
            changed = dice.choice(trial.data) if trial.data and way < _OF_SOUND else data
            return mutate(changed, dice, trial.data)[:longest]
        return bytes(atheris.Mutate(data, longest))

    def take(data: bytes) -> None:
        trial.take({**first, name: data})
        if trial.counts.done >= inputs:
            trial.finish()
            os._exit(0)

    runs = inputs - trial.counts.done
    options = [
        f"-runs={runs}",
        f"-seed={seed}",
        "-rss_limit_mb=0",
        f"-max_len={_LONGEST}",
        "-timeout=0",
        "-verbosity=0",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], take, custom_mutator=change)
    atheris.Fuzz()
