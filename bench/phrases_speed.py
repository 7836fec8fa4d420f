"""How fast are phrases found in a text and joined?

    python bench/phrases_speed.py
    python bench/phrases_speed.py --words 300000 --rounds 1

Both sides read lines of text, count pairs, and write the joined text to a file: gensim from a LineSentence through
FrozenPhrases, windrow by ``windrow corpus phrases`` without loading the program, reading and encoding included.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from data import TEXT
from harness import (
    BenchError,
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

CONNECTORS = {"no connector words": False, "connector words": True}


def join_windrow(lines: str, with_connectors: bool) -> dict[str, float]:
    from windrow import Corpus, Phrases

    phrases = Phrases(connector_words="english" if with_connectors else ())
    tiny = Corpus.build(TINY)
    Phrases(min_count=1, threshold=0.1, connector_words="english").fit(tiny).transform(tiny)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        corpus = Corpus.build(lines)
        joined = phrases.fit(corpus).transform(corpus)
        with Path(folder, "joined.txt").open("w", encoding="utf-8") as stream:
            stream.writelines(f"{' '.join(sentence)}\n" for sentence in joined.sentences())
        seconds = time.perf_counter() - started
    return figures(lines, seconds, joined.tokens)


def join_gensim(lines: str, with_connectors: bool) -> dict[str, float]:
    from gensim.models.phrases import ENGLISH_CONNECTOR_WORDS, Phrases
    from gensim.models.word2vec import LineSentence

    tokens = 0
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        sentences = LineSentence(lines)
        connector_words = ENGLISH_CONNECTOR_WORDS if with_connectors else frozenset()
        phrases = Phrases(sentences, connector_words=connector_words).freeze()
        with Path(folder, "joined.txt").open("w", encoding="utf-8") as stream:
            for sentence in phrases[sentences]:
                stream.write(f"{' '.join(sentence)}\n")
                tokens += len(sentence)
        seconds = time.perf_counter() - started
    return figures(lines, seconds, tokens)


def figures(lines: str, seconds: float, tokens: int) -> dict[str, float]:
    return {"seconds": seconds, "mb_per_second": Path(lines).stat().st_size / 1e6 / seconds, "joined_tokens": tokens}


def main() -> None:
    parser = argument_parser(__doc__, "phrases_speed", rounds=5)
    add_text_options(parser)
    arguments = parser.parse_args()
    data = data_folder(arguments, TEXT)
    with session() as folder:
        lines = str(folder / "lines.txt")
        text = prepare("data:write_lines", source=str(data / TEXT), target=lines, words=arguments.words)
        cases = []
        for name, with_connectors in CONNECTORS.items():
            given = {"lines": lines, "with_connectors": with_connectors}
            sides = [
                Side("windrow Phrases", "phrases_speed:join_windrow", given),
                Side("gensim Phrases", "phrases_speed:join_gensim", given, absent=absence("gensim")),
            ]
            cases.append(Case(name, sides))
        record = measure(
            "From text to text with phrases: MB a second",
            Measure("mb_per_second", "MB/s", columns=("seconds", "peak_mb", "joined_tokens")),
            cases,
            rounds=arguments.rounds,
            settings={"words": int(text["words"]), "bytes": int(text["bytes"])},
            output=arguments.output,
        )
    for row in record["rounds"]:
        if len({run["joined_tokens"] for run in row["runs"].values()}) > 1:
            raise BenchError(f"{row['case']}: the two sides did not join the same")
    write_result(record, arguments.output)


if __name__ == "__main__":
    script(main)
