"""How fast does raw text become something to train on?

    python bench/corpus_speed.py
    python bench/corpus_speed.py --words 300000 --rounds 1

windrow writes the encoded corpus to disk, vocabulary, ids and sentence starts, and need not read the text again;
gensim only counts words (``build_vocab`` on a LineSentence), and reads the text again in every epoch.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from data import TEXT
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
from peers import TINY, absence


def build_windrow(lines: str) -> dict[str, float]:
    from windrow import Corpus

    Corpus.build(TINY)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        Corpus.build(lines, Path(folder) / "text.corpus")
        return figures(lines, time.perf_counter() - started)


def build_gensim(lines: str) -> dict[str, float]:
    from gensim.models import Word2Vec
    from gensim.models.word2vec import LineSentence

    started = time.perf_counter()
    Word2Vec(min_count=5).build_vocab(LineSentence(lines))
    return figures(lines, time.perf_counter() - started)


def figures(lines: str, seconds: float) -> dict[str, float]:
    return {"seconds": seconds, "mb_per_second": Path(lines).stat().st_size / 1e6 / seconds}


def main() -> None:
    parser = argument_parser(__doc__, "corpus_speed", rounds=5)
    add_text_options(parser)
    arguments = parser.parse_args()
    data = data_folder(arguments, TEXT)
    with session() as folder:
        given = {"lines": str(folder / "lines.txt")}
        text = prepare("data:write_lines", source=str(data / TEXT), target=given["lines"], words=arguments.words)
        sides = [
            Side("windrow Corpus.build", "corpus_speed:build_windrow", given),
            Side("gensim build_vocab", "corpus_speed:build_gensim", given, absent=absence("gensim")),
        ]
        record = measure(
            "From raw text to a corpus: MB a second",
            Measure("mb_per_second", "MB/s", columns=("seconds", "peak_mb")),
            [Case("text", sides)],
            rounds=arguments.rounds,
            settings={"words": int(text["words"]), "bytes": int(text["bytes"])},
            output=arguments.output,
        )
    write_result(record, arguments.output)


if __name__ == "__main__":
    script(main)
