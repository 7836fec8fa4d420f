"""Do sub-words help words that the text has ten times?

    python bench/rare_words.py
    python bench/rare_words.py --words 1000000 --rounds 1

Of 200 words of the similarity lists, drawn anew in each round, only the first ten occurrences stay in the text. Plain
skip-gram vectors and those with sub-words (3 to 6 characters) are trained on it alike, and so are fastText's; those
with sub-words once more with as few noise words per block as plain ones (`shared_negatives`). "MEN" and "WS-353" are
Spearman's correlations over the pairs that have one of the 200; "gram" is the accuracy on the sections of Google's
analogies that are about forms of words, within the 30,000 most frequent words.
"""

from __future__ import annotations

import os
import random
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data import COMMON, MODES, QUESTIONS, TEXT, Options
from harness import (
    Case,
    Figures,
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
from peers import absence, fasttext_model
from subwords_speed import SUBWORDS

if TYPE_CHECKING:
    from windrow import WordVectors

RARE, KEPT, FREQUENT = 200, 10, 50  # words, occurrences that stay, occurrences that a word must have had
LISTS = {"MEN": "men3000_natural", "WS-353": "ws353"}
FEWER_NOISE = "sub-words, 16 shared noise words"
OPTIONS: Options = {**COMMON, **MODES["skipgram-ns"], "alpha": 0.05, "epochs": 3}


def pairs_of(data: Path, name: str) -> list[tuple[str, str, float]]:
    rows = (line.split("\t") for line in (data / "wordsim" / f"{name}.tsv").read_text().splitlines())
    return [(first.lower(), second.lower(), float(score)) for first, second, score in rows]


def thinned(data: Path, words: int, seed: int) -> tuple[list[str], set[str]]:
    """The first words of the text, and the chosen ones, of which only ten occurrences stay."""
    text = (data / TEXT).read_text(encoding="utf-8").split()[:words]
    counts = Counter(text)
    listed = {word for name in LISTS.values() for first, second, _ in pairs_of(data, name) for word in (first, second)}
    chosen = set(random.Random(seed).sample(sorted(word for word in listed if counts[word] >= FREQUENT), RARE))
    seen: Counter[str] = Counter()
    kept = []
    for word in text:
        seen[word] += word in chosen
        if seen[word] <= KEPT:
            kept.append(word)
    return kept, chosen


def train(program: str, data: str, words: int, seed: int) -> Figures:
    text, chosen = thinned(Path(data), words, seed)
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "lines.txt"
        lines.write_text("\n".join(" ".join(text[i : i + 1000]) for i in range(0, len(text), 1000)) + "\n")
        vectors = trained(program, str(lines), seed)
    return {name: correlation(vectors, Path(data), listed, chosen) for name, listed in LISTS.items()} | {
        "gram": gram_accuracy(vectors, Path(data))
    }


def trained(program: str, lines: str, seed: int) -> WordVectors:
    import windrow

    if program == "fastText":
        model = fasttext_model(lines, {**OPTIONS, **SUBWORDS, "workers": os.cpu_count() or 1}, OPTIONS["epochs"])
        words = [word for word in model.words if word != "</s>"]
        import numpy as np

        return windrow.WordVectors(words, np.array([model.get_word_vector(word) for word in words]))
    more: dict[str, Any] = {} if program == "plain" else SUBWORDS
    if program == FEWER_NOISE:
        more = more | {"shared_negatives": 16}
    return windrow.Word2Vec(**OPTIONS, **more, workers=1, seed=seed).fit(lines).wv


def correlation(vectors: WordVectors, data: Path, listed: str, chosen: set[str]) -> float:
    pairs = [pair for pair in pairs_of(data, listed) if chosen & {*pair[:2]}]
    return float(vectors.evaluate_word_pairs(pairs)[1][0])


def gram_accuracy(vectors: WordVectors, data: Path) -> float:
    _, sections = vectors.evaluate_word_analogies(str(data / QUESTIONS), restrict_vocab=30_000)
    of_forms = [section for section in sections if section["section"].startswith("gram")]
    right = sum(len(section["correct"]) for section in of_forms)
    return right / max(1, right + sum(len(section["incorrect"]) for section in of_forms))


def main() -> None:
    parser = argument_parser(__doc__, "rare_words")
    add_text_options(parser, words=5_000_000)
    parser.add_argument("--peers", nargs="*", choices=["fastText"], default=["fastText"])
    arguments = parser.parse_args()
    given = {"data": str(data_folder(arguments, TEXT, QUESTIONS)), "words": arguments.words}
    with session(measures_time=False):
        sides = [
            Side(program, "rare_words:train", {"program": program, **given}, seeded=True, absent=absent)
            for program, absent in (
                ("sub-words", ""),
                (FEWER_NOISE, ""),
                ("plain", ""),
                *((peer, absence("fasttext")) for peer in arguments.peers),
            )
        ]
        record = measure(
            "Words that the text has ten times",
            Measure("MEN", "MEN", compare="difference", columns=("WS-353", "gram")),
            [Case(f"{RARE} rare words", sides)],
            rounds=arguments.rounds,
            settings={**OPTIONS, **SUBWORDS, "words": arguments.words},
            output=arguments.output,
        )
    write_result(record, arguments.output)


if __name__ == "__main__":
    script(main)
