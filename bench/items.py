"""Items instead of words: 1 M items in 10 M events, as well recommended as from gensim's vectors?

    python bench/items.py

The sessions are those of examples/recommend_items.py, whose right answers are known: the text is written once for all
rounds, each round trains both from it with another seed, and "recall" is how often the next item of a session is among
ten recommendations. The peak is that of the process, questions included. How fast either trains is in train_speed.py.
"""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from harness import Case, Figures, Measure, Side, argument_parser, measure, prepare, script, session, write_result
from peers import absence

EXAMPLE = Path(__file__).parents[1] / "examples" / "recommend_items.py"
WORKERS = 2


def example() -> dict[str, Any]:
    """The names that the example defines."""
    return runpy.run_path(str(EXAMPLE))


def write_text(items: int, sessions: int, text: str) -> Figures:
    names = example()
    names["write_sessions"](names["make_sessions"](items, sessions).events, text)
    return {}


def train(program: str, kernel: str, items: int, sessions: int, text: str, seed: int) -> Figures:
    """Train on the text, then answer."""
    names = example()
    options = {**names["SETTINGS"], "kernel": kernel} if kernel else names["SETTINGS"]
    wv = globals()[f"{program}_vectors"](options, text, seed)
    made = names["make_sessions"](items, sessions)
    asked = names["questions"](made)
    popular = names["recall"](names["most_popular"](made.events, len(asked.events)), asked.next_items)
    recall = names["recall"](names["recommend"](wv, asked.events), asked.next_items)
    return {"recall": recall, "most_popular": popular, "items": float(len(wv))}


def windrow_vectors(settings: dict[str, Any], text: str, seed: int) -> Any:
    import windrow

    return windrow.Word2Vec(**settings, workers=WORKERS, seed=seed).fit(text).wv


def gensim_vectors(settings: dict[str, Any], text: str, seed: int) -> Any:
    """gensim's vectors, asked by windrow so that both are asked alike."""
    from gensim.models import Word2Vec

    import windrow

    wv = Word2Vec(corpus_file=text, **settings, workers=WORKERS, seed=seed).wv
    wv.vectors.setflags(write=False)  # not copied, then
    return windrow.WordVectors(wv.index_to_key, wv.vectors)


def main() -> None:
    parser = argument_parser(__doc__, "items")
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--sessions", type=int, default=1_000_000)
    arguments = parser.parse_args()
    what = Measure("recall", "recall@10", compare="difference", columns=("most_popular", "items", "peak_mb"))
    with session(measures_time=False) as folder:
        size = {"items": arguments.items, "sessions": arguments.sessions, "text": str(folder / "sessions.txt")}
        prepare("items:write_text", **size)
        sides = [
            Side(
                f"{program}{', kernel ' * bool(kernel)}{kernel}", "items:train",
                {"program": program, "kernel": kernel, **size},
                threads=WORKERS, seeded=True, absent=absence(program),
            )
            for program, kernel in (("windrow", example()["KERNEL"]), ("windrow", "block"), ("gensim", ""))
        ]  # fmt: skip
        record = measure(
            f"Recommending from {arguments.items:,} items: recall@10",
            what,
            [Case(f"{arguments.items:,} items, {10 * arguments.sessions:,} events", sides)],
            rounds=arguments.rounds,
            settings={**example()["SETTINGS"], "workers": WORKERS},
            output=arguments.output,
        )
    write_result(record, arguments.output)


if __name__ == "__main__":
    script(main)
