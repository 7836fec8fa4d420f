"""Hypothesis strategies for what strangers bring: damaged files of every reader, made-up ones, and command lines.

The sound files, the ways to damage them and the readers are those of ``bench/fuzz.py``; here they are few and always
the same, there they are many.
"""

from __future__ import annotations

import functools

from hypothesis import strategies as st

from fuzz_mutations import NUMBERS, TOKENS, mutate
from fuzz_options import command_line
from fuzz_readers import READERS, Files, sound_files

__all__ = ["READERS", "command_lines", "damaged_files", "made_up_texts"]

_dice = st.randoms(use_true_random=False)
_sound_files = functools.cache(sound_files)


@st.composite
def damaged_files(draw: st.DrawFn, reader: str) -> Files:
    """A file of a reader with one to four changes, and what lies beside it."""
    sound = _sound_files(reader)
    name, *_ = chosen = draw(st.sampled_from(sound))
    return {**chosen, name: mutate(chosen[name], draw(_dice), [next(iter(files.values())) for files in sound])}


@st.composite
def made_up_texts(draw: st.DrawFn, reader: str) -> Files:
    """Lines of words and signs that mean something to some reader, under the name that this one expects."""
    sound = _sound_files(reader)
    name, *_ = chosen = sound[0]
    known = sorted({word for files in sound for word in files[name].split()})[:60]
    numbers = [number.encode() for number in NUMBERS]
    words = st.sampled_from([*known, *numbers, *TOKENS, b"a", b"the", b"2", b"0.5"])
    lines = st.lists(st.lists(words, max_size=5), max_size=8)
    between, end = draw(st.sampled_from([b" ", b"\t", b",", b"  "])), draw(st.sampled_from([b"\n", b"\r\n"]))
    return {**chosen, name: end.join(between.join(line) for line in draw(lines)) + draw(st.sampled_from([b"", end]))}


def command_lines() -> st.SearchStrategy[list[str]]:
    """Commands with random options, valid and invalid ones."""
    return _dice.map(command_line)
