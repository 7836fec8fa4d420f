"""Blocks and shared noise words: what speed do they buy, and at which quality?

    python bench/frontier.py
    python bench/frontier.py --words 300000 --epochs 1 --rounds 1 --blocks 64 --shared 32

Skip-gram with negative sampling, one worker; speed and scores of the same trainings, and each round has a seed of its
own. The first row of the table is the first of each option. gensim's row is for comparison.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

from data import COMMON, MODES, QUESTIONS, SIMILARITIES, TEXT, Options
from harness import (
    Case,
    Figures,
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
from peers import absence, gensim_model, windrow_vectors
from scores import evaluate
from train_speed import prepare_text


def train_windrow(corpus: str, options: Options, data: str, seed: int) -> Figures:
    from windrow import Corpus

    opened = Corpus.open(corpus)
    vectors, seconds = windrow_vectors(opened, {**options, "seed": seed})
    return {
        "seconds": seconds,
        "words_per_second": opened.tokens * options["epochs"] / seconds,
        **evaluate(vectors, Path(data)),
    }


def train_gensim(lines: str, options: Options, data: str, seed: int) -> Figures:
    from windrow import WordVectors

    model, seconds = gensim_model(lines, {**options, "seed": seed})
    return {
        "seconds": seconds,
        "words_per_second": model.corpus_total_words * options["epochs"] / seconds,
        **evaluate(WordVectors(model.wv.index_to_key, model.wv.vectors), Path(data)),
    }


def main() -> None:
    parser = argument_parser(__doc__, "frontier")
    add_text_options(parser)
    parser.add_argument("--blocks", nargs="+", type=int, default=[64, 16, 32, 128])
    parser.add_argument("--shared", nargs="+", type=int, default=[32, 16, 64, 128])
    parser.add_argument("--sets", nargs="+", type=int, default=[4, 1, 2, 8], help="where windrow has noise_sets")
    parser.add_argument("--peers", nargs="*", choices=["gensim"], default=["gensim"])
    parser.add_argument("--epochs", type=int, default=3)
    arguments = parser.parse_args()
    data = data_folder(arguments, TEXT, QUESTIONS, *(f"wordsim/{name}.tsv" for name in SIMILARITIES))
    options = {**COMMON, **MODES["skipgram-ns"], "epochs": arguments.epochs, "workers": 1}
    with session() as folder:
        text = prepare_text(data, folder, arguments.words)
        corpus, lines = str(folder / "text.corpus"), str(folder / "lines.txt")
        grid = [
            {"block_size": block, "shared_negatives": shared}
            for block, shared in product(arguments.blocks, arguments.shared)
        ]
        has_sets = prepare("peers:windrow_parameter", name="noise_sets")["found"]
        if has_sets:
            grid = [{**point, "noise_sets": sets} for sets in arguments.sets for point in grid]
        sides = [
            Side(
                f"windrow {' x '.join(map(str, point.values()))}",
                "frontier:train_windrow",
                {"corpus": corpus, "options": {**options, **point}, "data": str(data)},
                seeded=True,
            )
            for point in grid
        ]
        given = {"lines": lines, "options": options, "data": str(data)}
        sides += [
            Side(peer, "frontier:train_gensim", given, absent=absence(peer), seeded=True) for peer in arguments.peers
        ]
        record = measure(
            "Skip-gram, negative sampling: quality against speed",
            Measure("words_per_second", "words/s", columns=("analogies", *SIMILARITIES)),
            [Case("block x shared" + " x sets" * bool(has_sets), sides)],
            rounds=arguments.rounds,
            settings={**options, "words": text["words"]},
            output=arguments.output,
        )
    if not has_sets:
        record["notes"].append("Sets of noise words: absent, this windrow has no parameter noise_sets.")
    from plots import frontier

    write_result(record, arguments.output, frontier)


if __name__ == "__main__":
    script(main)
