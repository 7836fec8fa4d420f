"""How many words of text does each program train on in a second, with one worker?

    python bench/train_speed.py                                      # five minutes a round and more
    python bench/train_speed.py --words 300000 --rounds 1 --modes cbow-ns --peers gensim

One epoch of the first words of wiki100m.txt, in lines of 1,000. What is timed is training alone: see peers.py.
Words are counted before sub-sampling and before rare words are left out.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from data import COMMON, MODES, TEXT, Options
from harness import (
    Case,
    Measure,
    Side,
    add_text_options,
    argument_parser,
    data_folder,
    measure,
    prepare,
    script,
    session,
    write_result,
)
from peers import absence

PEERS = {"gensim": "gensim", "fasttext": "fasttext", "word2vec.c": "word2vec"}  # name: package
CASES = {**{mode: mode for mode in MODES}, "skipgram-ns-300": "skipgram-ns"}
MEASURE = Measure("words_per_second", "words/s")


def main() -> None:
    parser = argument_parser(__doc__, "train_speed")
    add_text_options(parser)
    parser.add_argument("--modes", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=list(PEERS))
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--feed", choices=["lists", "corpus_file"], default="lists", help="how gensim gets its text")
    arguments = parser.parse_args()
    data = data_folder(arguments, TEXT)
    with session() as folder:
        text = prepare_text(data, folder, arguments.words)
        if "word2vec.c" in arguments.peers and not absence("word2vec"):
            prepare("peers:compile_word2vec_c", target=str(folder / "word2vec"))
        cases = [
            Case(name, sides(options_of(name, arguments.workers), folder, text, arguments)) for name in arguments.modes
        ]
        settings = {
            **COMMON,
            "epochs": 1,
            "workers": arguments.workers,
            "words": text["words"],
            "warm_up": "windrow: a short untimed training",
        }
        record = measure(
            "Training: words a second",
            MEASURE,
            cases,
            rounds=arguments.rounds,
            settings=settings,
            output=arguments.output,
        )
    write_result(record, arguments.output)


def prepare_text(data: Path, folder: Path, words: int | None) -> dict[str, float]:
    """The text in lines, and encoded, in ``folder``; its words and bytes."""
    text = prepare("data:write_lines", source=str(data / TEXT), target=str(folder / "lines.txt"), words=words)
    prepare("data:encode", lines=str(folder / "lines.txt"), corpus=str(folder / "text.corpus"))
    return {"words": int(text["words"]), "bytes": int(text["bytes"])}


def options_of(case: str, workers: int) -> Options:
    size = {"vector_size": 300} if case.endswith("-300") else {}
    return {**COMMON, **MODES[CASES[case]], **size, "epochs": 1, "workers": workers}


def sides(options: Options, folder: Path, text: dict[str, float], arguments: argparse.Namespace) -> list[Side]:
    lines, corpus = str(folder / "lines.txt"), str(folder / "text.corpus")
    given: dict[str, tuple[str, dict[str, Any]]] = {
        "gensim": ("peers:train_gensim", {"lines": lines, "feed": arguments.feed}),
        "fasttext": ("peers:train_fasttext", {"lines": lines, "words": text["words"]}),
        "word2vec.c": ("peers:train_word2vec_c",
                       {"program": str(folder / "word2vec"), "lines": lines, "words": text["words"]}),
    }  # fmt: skip
    peers = [
        Side(name, given[name][0], {**given[name][1], "options": options}, absent=_absence(name, options))
        for name in arguments.peers
    ]
    return [Side("windrow", "peers:train_windrow", {"corpus": corpus, "options": options}), *peers]


def _absence(peer: str, options: Options) -> str:
    if peer == "word2vec.c" and options["workers"] > 1:
        return "word2vec.c tells its rate for one thread only"
    return absence(PEERS[peer])


if __name__ == "__main__":
    script(main)
