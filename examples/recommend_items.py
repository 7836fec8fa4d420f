"""Recommend items from sessions: what item2vec (Barkan & Koenigstein 2016) and node2vec's walks come down to.

A session (what a person bought, clicked or heard; a walk over a graph) is a sentence, an item's number is a word. Three
settings differ from those for text, because frequent items are no function words (Caselles-Dupre et al. 2018): no
sub-sampling (sample 0), noise drawn evenly or from rare items rather than frequent ones (ns_exponent 0 or below), and a
low min_count, since an item without a vector cannot be recommended. And each pair has noise items of its own (kernel
"pair"), which takes longer: those that a block of pairs shares cost some recommendations where items are rare.

The sessions are made up, so that the right answers are known. Items stand on rings of 50, a few rings are visited far
more often than most, a session walks on one ring in steps of at most five, and one event in five is any item at all.

    python examples/recommend_items.py
    python examples/recommend_items.py --items 1000000 --sessions 1000000     # 10 M events: see bench/README.md
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import windrow

RING = 50  # items
REACH = 5  # the longest step
NOISE = 0.2  # the share of events that are any item at all
EVENTS = 10  # in a session, before the one that is to be foretold
TOP = 10  # recommendations; there are as many items within reach
MOST_QUESTIONS = 20_000

SETTINGS: dict[str, Any] = {
    "sg": 1, "vector_size": 64, "window": 5, "min_count": 1, "sample": 0, "ns_exponent": 0.0, "alpha": 0.05,
    "epochs": 10,
}  # fmt: skip
KERNEL = "pair"


class Sessions(NamedTuple):
    """The events of each session, and the next one on its ring, which the training text leaves out."""

    events: NDArray[np.int64]  # (sessions, EVENTS)
    next_items: NDArray[np.int64]  # (sessions,)


def make_sessions(items: int, sessions: int, seed: int = 1) -> Sessions:
    """Walks on rings; the ring of rank r is chosen in proportion to 1 / r."""
    generator = np.random.default_rng(seed)
    rings = items // RING
    chances = 1 / np.arange(1, rings + 1)
    ring = generator.choice(rings, sessions, p=chances / chances.sum())
    steps = generator.integers(1, REACH + 1, (sessions, EVENTS + 1)) * generator.choice([-1, 1], (sessions, EVENTS + 1))
    places = (generator.integers(0, RING, (sessions, 1)) + steps.cumsum(axis=1)) % RING
    numbers = generator.permutation(rings * RING)  # so that an item's number says nothing about it
    walk = numbers[ring[:, None] * RING + places]
    events, next_items = walk[:, :-1], walk[:, -1]
    strays = generator.random(events.shape) < NOISE
    events[strays] = generator.integers(0, rings * RING, int(strays.sum()))
    return Sessions(events, next_items)


def write_sessions(events: NDArray[np.int64], path: str | Path) -> None:
    """Write one line per session, its items separated by spaces."""
    with Path(path).open("w") as file:
        for start in range(0, len(events), 10_000):
            file.writelines(" ".join(map(str, session)) + "\n" for session in events[start : start + 10_000].tolist())


def questions(sessions: Sessions) -> Sessions:
    """Some sessions, to ask what comes next."""
    chosen = slice(None, None, max(1, len(sessions.events) // MOST_QUESTIONS))
    return Sessions(sessions.events[chosen], sessions.next_items[chosen])


def recall(recommended: list[list[str]], next_items: NDArray[np.int64]) -> float:
    """The share of sessions whose next item is among those that were recommended."""
    return float(np.mean([str(item) in found for item, found in zip(next_items.tolist(), recommended, strict=True)]))


def recommend(wv: windrow.WordVectors, events: NDArray[np.int64]) -> list[list[str]]:
    """The items nearest to the last three of each session, with the last one counting most."""
    rows = np.array([[wv.get_index(item) for item in session[-3:]] for session in events.tolist()])
    units = wv.vectors / np.maximum(wv.norms, 1e-9)[:, None]
    asked = np.average(units[rows], axis=1, weights=[0.25, 0.5, 1.0])
    recommended = []
    for session, found in zip(events.tolist(), wv.most_similar_batch(asked, topn=TOP + 1), strict=True):
        recommended.append([item for item, _ in found if item != str(session[-1])][:TOP])
    return recommended


def most_popular(events: NDArray[np.int64], number: int) -> list[list[str]]:
    """The yardstick: the same most frequent items for everybody."""
    best = np.argsort(-np.bincount(events.ravel()), kind="stable")[:TOP]
    return [[str(item) for item in best.tolist()]] * number


def main(arguments: list[str] | None = None) -> dict[str, float]:
    """Print and return how often the next item is among ten recommendations."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=5_000)
    parser.add_argument("--sessions", type=int, default=40_000)
    options = parser.parse_args(arguments)
    sessions = make_sessions(options.items, options.sessions)
    with TemporaryDirectory() as folder:
        text = Path(folder) / "sessions.txt"
        write_sessions(sessions.events, text)
        model = windrow.Word2Vec(**SETTINGS, kernel=KERNEL, workers=2).fit(text)
    asked = questions(sessions)
    found = {
        "nearest vectors": recall(recommend(model.wv, asked.events), asked.next_items),
        "most popular": recall(most_popular(sessions.events, len(asked.events)), asked.next_items),
    }
    for name, share in found.items():
        print(f"{name}: the next item is among {TOP} in {share:.1%} of the sessions")
    return found


if __name__ == "__main__":
    main()
