"""How far a reader travels: the files of windrow that one step of a training passes, and how often it changes file.

    python bench/journeys.py            # all journeys, a line each
    python bench/journeys.py lstm       # this one, with the count of every file

A small training runs twice without compiled kernels, the second time with one step more; the difference is the step.
What is counted are calls: a change of file is a call into another file than the call before it in the same thread.

Calls into simd.py are left out: ``load`` and ``add`` are the words that kernels are written in, and nobody looks them
up each time. Counted too, they would make most of a step, the more the larger its batch; that count is printed as well.
So are calls into interrupts.py, which mark where a training may be stopped: a step goes on as if they were not there;
and those into compiling.py, the clock of a training, which word2vec asks the more often the slower the machine is.
Before the package was cut by subject, with all kernels in one folder, this script found (without and with simd.py)

    lstm       16 files,    98 changes (   170)
    window     13 files,    56 changes (    57)
    word2vec   12 files, 11503 changes ( 39808)
    mlp         9 files,    21 changes (    21)
    tagger     15 files,    49 changes (    49)

and it finds now

    lstm       15 files,    32 changes (    62)
    window     16 files,    34 changes (    66)
    word2vec    8 files,   733 changes (~69300)
    mlp        11 files,    24 changes (    25)
    tagger     19 files,    47 changes (    48)

A job of word2vec goes through 160 blocks of 64 words, each against four sets of noise words, hence its number.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

os.environ["NUMBA_DISABLE_JIT"] = "1"  # kernels are calls that a profile sees

LEFT_OUT = ("interrupts.py", "numeric/compiling.py", "numeric/simd.py", "kernels/simd.py")  # also where that was
VOCABULARY = tuple(map(str, map(Path, LEFT_OUT)))
ROOT = str(Path(str(find_spec("windrow").origin)).parent)


class Journey(NamedTuple):
    """What a step passes: calls into each file that come from another one."""

    changes: Counter[str]
    literal: int  # how many changes of file there are with those into the vocabulary

    @property
    def files(self) -> int:
        """How many files are visited."""
        return len(self.changes)

    @property
    def total(self) -> int:
        """How many changes of file there are."""
        return self.changes.total()


def calls_of(run: Callable[[], Any]) -> list[list[str]]:
    """The file of each call while ``run`` runs, thread by thread."""
    visited: dict[int, list[str]] = defaultdict(list)

    def note(frame: FrameType, event: str, _: Any) -> None:
        name = frame.f_code.co_filename
        if event == "call" and name.startswith(ROOT):
            visited[threading.get_ident()].append(name[len(ROOT) + 1 :])

    sys.setprofile(note)
    threading.setprofile(note)  # the worker of word vectors
    try:
        run()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return list(visited.values())


def changes_in(calls: list[list[str]], *left_out: str) -> Counter[str]:
    """The changes into each file, as if there were no calls into those ``left_out``."""
    seen = [[file for file in thread if file not in left_out] for thread in calls]
    return Counter(after for thread in seen for before, after in pairwise(thread) if before != after)


def step(training: Callable[[int], Callable[[], Any]]) -> Journey:
    """The journey of one step of ``training(steps)``, which trains an epoch of so many when it is called."""
    training(1)()  # what happens the first time only: imports, caches
    longer, shorter = calls_of(training(2)), calls_of(training(1))
    literal = changes_in(longer) - changes_in(shorter)
    return Journey(changes_in(longer, *VOCABULARY) - changes_in(shorter, *VOCABULARY), literal.total())


# --- the trainings


def mlp(steps: int) -> Callable[[], Any]:
    """A batch of the multi-layer perceptron, one hidden layer."""
    import numpy as np

    import windrow

    x = np.random.default_rng(0).normal(size=(10 * steps, 4))
    model = windrow.MLPClassifier(8, batch_size=10, epochs=1, random_state=0)
    return lambda: model.fit(x, np.arange(len(x)) % 2)


def lstm(steps: int) -> Callable[[], Any]:
    """Three words of each of four streams through a layer of LSTM cells, softmax, Adam, the gradient clipped."""
    import windrow

    sizes = {"embedding_size": 6, "hidden_size": 6, "batch_size": 4, "bptt": 3, "epochs": 1}
    model, text = windrow.RecurrentLM("lstm", **sizes), corpus_of(steps * 4 * 3)
    return lambda: model.fit(text)


def window(steps: int) -> Callable[[], Any]:
    """A batch of positions of the window language model, softmax, Adam."""
    import windrow

    model = windrow.WindowLM(3, embedding_size=6, hidden_size=6, batch_size=16, epochs=1)
    text = corpus_of(steps * 16)
    return lambda: model.fit(text)


def tagger(steps: int) -> Callable[[], Any]:
    """A batch of sentences of the tagger, with its conditional random field."""
    import windrow

    sentences = [(["in", "Rome", "we", "met", "Ada"], ["O", "B-LOC", "O", "O", "B-PER"])] * 6
    model = windrow.WindowTagger(vector_size=4, hidden_size=4, affixes=(2,), batch_size=6 // steps, epochs=1)
    return lambda: model.fit(sentences)


def word2vec(steps: int) -> Callable[[], Any]:
    """A job of CBOW with negative sampling: ten thousand words for a worker."""
    import windrow

    sizes = {"vector_size": 4, "window": 1, "negative": 1, "min_count": 1, "sample": 0, "workers": 1, "epochs": 1}
    model = windrow.Word2Vec(**sizes, block_size=256)  # of a large vocabulary; a small one has smaller blocks
    text = corpus_of(steps * 10_000, sentence=100, words=1000)
    return lambda: model.fit(text)


def corpus_of(symbols: int, sentence: int = 0, words: int = 8) -> Any:
    """A text, whole before it is profiled, of ``words`` different words in turn; ``sentence``: words in each, or 0.

    Without ``sentence`` all are one, and its end counts as a symbol.
    """
    import numpy as np

    import windrow

    text = np.array([f"w{word}" for word in range(words)])[np.arange(symbols if sentence else symbols - 1) % words]
    return windrow.Corpus.build([list(part) for part in (text.reshape(-1, sentence) if sentence else [text])])


JOURNEYS = {journey.__name__: journey for journey in (mlp, lstm, window, tagger, word2vec)}


def main() -> None:
    """Print the journeys that are asked for."""
    asked = sys.argv[1:]
    for name in asked or JOURNEYS:
        found = step(JOURNEYS[name])
        print(f"{name:9} {found.files:3} files {found.total:6} changes ({found.literal} with simd)")
        if asked:
            for file, count in found.changes.most_common():
                print(f"  {count:4} {file}")


if __name__ == "__main__":
    main()
