"""What do two workers gain over one, and what does a reproducible result cost?

    python bench/scaling.py
    python bench/scaling.py --workers 1 2 4 8
    python bench/scaling.py --words 300000 --rounds 1 --modes skipgram-ns

The ratio of a group is the gain of its first row, the most workers, over the others. gensim is fed in both of its
ways: lists of words, which one Python thread hands out, and corpus_file, where every worker reads its own part.
"""

from __future__ import annotations

import argparse
from pathlib import Path

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
from train_speed import prepare_text

PROGRAMS = ("windrow", "gensim lists", "gensim corpus_file")


def main() -> None:
    parser = argument_parser(__doc__, "scaling")
    add_text_options(parser)
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--programs", nargs="+", choices=PROGRAMS, default=list(PROGRAMS))
    arguments = parser.parse_args()
    data = data_folder(arguments, TEXT)
    with session() as folder:
        text = prepare_text(data, folder, arguments.words)
        found = prepare("peers:windrow_parameter", name="deterministic")["found"]
        missing = "" if found else "this windrow has no parameter deterministic"
        cases = [case for mode in arguments.modes for case in cases_of(mode, folder, arguments, missing)]
        settings = {**COMMON, "epochs": 1, "workers": arguments.workers, "words": text["words"]}
        record = measure(
            "Training with several workers: words a second",
            Measure("words_per_second", "words/s"),
            cases,
            rounds=arguments.rounds,
            settings=settings,
            output=arguments.output,
        )
    write_result(record, arguments.output)


def cases_of(mode: str, folder: Path, arguments: argparse.Namespace, missing: str) -> list[Case]:
    """For each program the most workers first, then fewer; then racing beside deterministic workers."""
    counts = sorted(set(arguments.workers), reverse=True)
    cases = [
        Case(f"{mode}, {program}", [side(program, counted(workers), workers, mode, folder) for workers in counts])
        for program in arguments.programs
    ]
    racing = side("windrow", "racing", counts[0], mode, folder)
    ordered = side("windrow", "deterministic", counts[0], mode, folder, missing, deterministic=True)
    return [*cases, Case(f"{mode}, windrow, {counted(counts[0])}", [racing, ordered])]


def counted(workers: int) -> str:
    return f"{workers} worker{'s' if workers > 1 else ''}"


def side(program: str, name: str, workers: int, mode: str, folder: Path, absent: str = "", **more: bool) -> Side:
    options: Options = {**COMMON, **MODES[mode], "epochs": 1, "workers": workers, **more}
    if program == "windrow":
        given = {"corpus": str(folder / "text.corpus"), "options": options}
        return Side(name, "peers:train_windrow", given, absent=absent)
    feed = program.removeprefix("gensim ")
    given = {"lines": str(folder / "lines.txt"), "options": options, "feed": feed}
    return Side(name, "peers:train_gensim", given, absent=absence("gensim"))


if __name__ == "__main__":
    script(main)
