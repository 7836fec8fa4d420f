"""How many words of text does training with sub-words read in a second, beside fastText?

    python bench/subwords_speed.py                              # minutes a round
    python bench/subwords_speed.py --words 300000 --rounds 1

One epoch of the first words of wiki100m.txt with n-grams of 3 to 6 characters in 2 million buckets, which are both
sides' defaults. What is timed is training alone: of fastText the time of no epoch is taken off, see peers.py; ours
includes finding the n-grams of the vocabulary. The peak is that of the whole process.
"""

from __future__ import annotations

from data import COMMON, MODES, TEXT, Options
from harness import (
    Case,
    Measure,
    Side,
    add_text_options,
    argument_parser,
    data_folder,
    measure,
    script,
    session,
    write_result,
)
from peers import absence
from train_speed import prepare_text

SUBWORDS: Options = {"subwords": True, "min_n": 3, "max_n": 6, "buckets": 2_000_000}
SUBWORD_MODES = ("skipgram-ns", "cbow-ns")


def main() -> None:
    parser = argument_parser(__doc__, "subwords_speed")
    add_text_options(parser, words=2_000_000)
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(SUBWORD_MODES))
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    data = data_folder(arguments, TEXT)
    with session() as folder:
        text = prepare_text(data, folder, arguments.words)
        lines, corpus = str(folder / "lines.txt"), str(folder / "text.corpus")
        cases = []
        for mode in arguments.modes:
            for workers in arguments.workers:
                options = {**COMMON, **MODES[mode], **SUBWORDS, "epochs": 1, "workers": workers}
                ours = Side("windrow", "peers:train_windrow", {"corpus": corpus, "options": options})
                given = {"lines": lines, "words": text["words"], "options": options}
                fasttext = Side("fasttext", "peers:train_fasttext", given, absent=absence("fasttext"))
                cases.append(Case(f"{mode}, {workers} worker{'s' * (workers > 1)}", [ours, fasttext]))
        record = measure(
            "Training with sub-words: words a second",
            Measure("words_per_second", "words/s"),
            cases,
            rounds=arguments.rounds,
            settings={**COMMON, **SUBWORDS, "epochs": 1, "words": text["words"]},
            output=arguments.output,
        )
    write_result(record, arguments.output)


if __name__ == "__main__":
    script(main)
