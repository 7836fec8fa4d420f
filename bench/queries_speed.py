"""How fast are analogies evaluated and neighbors found, exactly?

    python bench/queries_speed.py
    python bench/queries_speed.py --words 300000 --rounds 1 --rows 20000 --queries 50

Analogies: Google's questions, the vocabulary restricted to 30,000 words, on vectors trained for one epoch. Neighbours:
the ten nearest of random vectors. One untimed query comes first, so that both have the lengths of the vectors ready.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from data import COMMON, MODES, QUESTIONS, TEXT
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

if TYPE_CHECKING:
    from gensim.models import KeyedVectors

    from windrow import WordVectors

RESTRICT_VOCAB = 30_000


def train_vectors(corpus: str, vectors: str) -> None:
    from windrow import Corpus, Word2Vec

    model = Word2Vec(**COMMON, **MODES["skipgram-ns"], epochs=1, workers=1).fit(Corpus.open(corpus))
    model.wv.save(vectors)


def evaluate_analogies(program: str, vectors: str, questions: str) -> dict[str, float]:
    from windrow import WordVectors

    loaded: Any = WordVectors.load(vectors)
    if program == "gensim":
        loaded = as_gensim(loaded)
    loaded.most_similar("the")
    started = time.perf_counter()
    accuracy, sections = loaded.evaluate_word_analogies(questions, restrict_vocab=RESTRICT_VOCAB)
    seconds = time.perf_counter() - started
    asked = len(sections[-1]["correct"]) + len(sections[-1]["incorrect"])
    return {"seconds": seconds, "queries_per_second": asked / seconds, "accuracy": accuracy, "asked": asked}


def find_neighbors(program: str, rows: int, size: int, queries: int) -> dict[str, float]:
    import numpy as np

    from windrow import WordVectors

    generator = np.random.default_rng(1)
    table = generator.standard_normal((rows, size), dtype=np.float32)
    asked = [str(row) for row in generator.choice(rows, queries)]
    vectors: Any = WordVectors(list(map(str, range(rows))), table)
    if program == "gensim":
        vectors = as_gensim(vectors)
    vectors.most_similar("0")
    started = time.perf_counter()
    if program == "windrow, batch":
        vectors.most_similar_batch(asked)
    else:
        for word in asked:
            vectors.most_similar(word)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "queries_per_second": queries / seconds}


def as_gensim(vectors: WordVectors) -> KeyedVectors:
    from gensim.models import KeyedVectors

    keyed = KeyedVectors(vectors.vector_size)
    keyed.add_vectors(vectors.index_to_key, vectors.vectors)
    return keyed


def main() -> None:
    parser = argument_parser(__doc__, "queries_speed")
    add_text_options(parser)
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--size", type=int, default=300)
    parser.add_argument("--queries", type=int, default=1000)
    arguments = parser.parse_args()
    data = data_folder(arguments, TEXT, QUESTIONS)
    table = {"rows": arguments.rows, "size": arguments.size, "queries": arguments.queries}
    with session() as folder:
        prepare_text(data, folder, arguments.words)
        vectors = str(folder / "vectors.safetensors")
        prepare("queries_speed:train_vectors", corpus=str(folder / "text.corpus"), vectors=vectors)
        trained = {"vectors": vectors, "questions": str(data / QUESTIONS)}
        cases = []
        for threads in arguments.threads:
            counted = f"{threads} thread{'s' if threads > 1 else ''}"
            for name, job, programs, given in (
                ("analogies", "evaluate_analogies", ["windrow", "gensim"], trained),
                ("neighbors", "find_neighbors", ["windrow, batch", "windrow", "gensim"], table),
            ):
                sides = [
                    Side(program, f"queries_speed:{job}", {"program": program, **given}, threads,
                         absent=absence("gensim") if program == "gensim" else "")
                    for program in programs
                ]  # fmt: skip
                cases.append(Case(f"{name}, {counted}", sides))
        record = measure(
            "Exact queries a second",
            Measure("queries_per_second", "queries/s", columns=("accuracy", "peak_mb")),
            cases,
            rounds=arguments.rounds,
            settings={"restrict_vocab": RESTRICT_VOCAB, "words": arguments.words, **table},
            output=arguments.output,
        )
    write_result(record, arguments.output)


if __name__ == "__main__":
    script(main)
