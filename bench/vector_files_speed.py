"""How fast are files of word vectors read, beside gensim's ``load_word2vec_format``?

    python bench/vector_files_speed.py                              # 1,000,000 words of 300 dimensions: 3 GB of text
    python bench/vector_files_speed.py --words 100000 --rounds 1

The vectors are random numbers, written once; files are in the page cache. Both sides check what they read: windrow also
that no word repeats and that all numbers are finite.
"""

from __future__ import annotations

import time

from harness import Case, Measure, Side, argument_parser, measure, prepare, script, session, write_result
from peers import absence


def write_files(words: int, size: int, folder: str) -> None:
    from pathlib import Path

    import numpy as np

    from windrow import WordVectors

    table = np.random.default_rng(1).standard_normal((words, size), dtype=np.float32)
    vectors = WordVectors([f"word{i}" for i in range(words)], table)
    for name in ("vectors.txt", "vectors.bin"):
        vectors.save(Path(folder, name))


def read_file(program: str, path: str, words: int) -> dict[str, float]:
    if program == "gensim":
        from gensim.models import KeyedVectors

        started = time.perf_counter()
        found = len(KeyedVectors.load_word2vec_format(path, binary=path.endswith(".bin")))
    else:
        from windrow import WordVectors

        started = time.perf_counter()
        found = len(WordVectors.load(path))
    seconds = time.perf_counter() - started
    assert found == words
    return {"seconds": seconds, "words_per_second": words / seconds}


def main() -> None:
    parser = argument_parser(__doc__, "vector_files_speed")
    parser.add_argument("--words", type=int, default=1_000_000)
    parser.add_argument("--size", type=int, default=300)
    parser.add_argument("--before", metavar="SRC", help="measure the windrow in this folder of sources, too")
    arguments = parser.parse_args()
    sides = {"windrow": {}, "gensim": {}}
    if arguments.before:
        sides["windrow before"] = {"PYTHONPATH": arguments.before}
    with session() as folder:
        prepare("vector_files_speed:write_files", words=arguments.words, size=arguments.size, folder=str(folder))
        cases = []
        for name in ("txt", "bin"):
            given = {"path": str(folder / f"vectors.{name}"), "words": arguments.words}
            job = "vector_files_speed:read_file"
            cases.append(
                Case(
                    f"word2vec .{name}",
                    [
                        Side(program, job, {"program": program, **given}, environment=environment,
                             absent=absence("gensim") if program == "gensim" else "")
                        for program, environment in sides.items()
                    ],
                )
            )  # fmt: skip
        record = measure(
            "Reading files of word vectors",
            Measure("words_per_second", "words/s", columns=("seconds", "peak_mb")),
            cases,
            rounds=arguments.rounds,
            settings={"words": arguments.words, "size": arguments.size},
            output=arguments.output,
        )
    write_result(record, arguments.output)


if __name__ == "__main__":
    script(main)
