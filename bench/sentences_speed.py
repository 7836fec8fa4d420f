"""How fast do sentences become vectors?

    python bench/sentences_speed.py
    python bench/sentences_speed.py --sentences 20000 --rounds 1 --vocabulary 20000

Random vectors, and sentences of 20 words between white space, drawn by Zipf's law or all alike: the worst case, in
which nearly every row comes from memory. All programs have the same words and vectors, and give the mean of a
sentence's vectors unless the row says otherwise. gensim has no batches: its ``get_mean_vector`` is called per sentence,
without the lengths of the vectors. sentence-transformers' StaticEmbedding gets a tokenizer of the package tokenizers
with these words, which cuts at white space: its tokenizing and its embedding are timed, on batches of 2048.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from harness import Case, Measure, Side, argument_parser, measure, script, session, write_result
from peers import absence

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LENGTH, BATCH, FITTED_ON = 20, 2048, 5000
WEIGHTINGS = ("mean", "unit", "tfidf", "sif")
FORMS = ("strings", "bytes", "lists of words")


def made_up(vocabulary: int, size: int, sentences: int, law: str) -> tuple[list[str], NDArray[np.float32], list[str]]:
    """Words, their vectors, and sentences of them."""
    import numpy as np

    dice = np.random.default_rng(1)
    words = ["ghijklmnopq"[: 1 + place % 6] + f"{place:x}" for place in range(vocabulary)]
    chances = np.ones(vocabulary) if law == "uniform" else 1 / np.arange(1, vocabulary + 1)
    drawn = dice.choice(vocabulary, (sentences, LENGTH), p=chances / chances.sum())
    vectors = dice.standard_normal((vocabulary, size), dtype=np.float32)
    return words, vectors, [" ".join([words[place] for place in row]) for row in drawn.tolist()]


def embed(program: str, weighting: str, form: str, law: str, sizes: list[int]) -> dict[str, float]:
    vocabulary, size, number = sizes
    words, vectors, texts = made_up(vocabulary, size, number, law)
    run, given = _prepared(program, weighting, form, words, vectors, texts)
    run(given if program == "windrow" else given[:FITTED_ON])  # compiles, and fills tables
    started, cpu = time.perf_counter(), time.process_time()
    run(given)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
    rates = {"sentences_per_second": number / seconds, "sentences_per_cpu_second": number / cpu_seconds}
    return {"seconds": seconds, **rates}


def _prepared(program: str, weighting: str, form: str, words: list[str], vectors: Any, texts: list[str]) -> Any:
    """What gives the vectors of sentences, and the sentences in the form that it takes."""
    if program == "sentence-transformers":
        return _static_embedding(words, vectors), texts
    from windrow import SentenceVectors, WordVectors

    wv = WordVectors(words, vectors, range(len(words), 0, -1))
    if program == "gensim":
        from gensim.models import KeyedVectors

        keyed = KeyedVectors(vectors.shape[1])
        keyed.add_vectors(words, vectors)
        lists = [text.split() for text in texts]
        return (lambda some: [keyed.get_mean_vector(one, pre_normalize=False) for one in some]), lists
    model = SentenceVectors(wv, weighting=weighting).fit(texts[:FITTED_ON])
    if form == "bytes":
        return model.transform_text, "".join(f"{text}\n" for text in texts).encode()
    return model.transform, [text.split() for text in texts] if form == FORMS[2] else texts


def _static_embedding(words: list[str], vectors: Any) -> Any:
    from sentence_transformers.models import StaticEmbedding
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit

    vocabulary = {word: place for place, word in enumerate(words)}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token=words[0]))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    model = StaticEmbedding(tokenizer, embedding_weights=vectors)

    def run(texts: list[str]) -> None:
        import torch

        with torch.inference_mode():
            for first in range(0, len(texts), BATCH):
                model(model.tokenize(texts[first : first + BATCH]))

    return run


def main() -> None:
    parser = argument_parser(__doc__, "sentences_speed")
    parser.add_argument("--vocabulary", type=int, default=200_000)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--sentences", type=int, default=100_000)
    arguments = parser.parse_args()
    sizes = [arguments.vocabulary, arguments.size, arguments.sentences]
    peers = {"gensim": "gensim", "sentence-transformers": "sentence_transformers"}

    def side(name: str, program: str, weighting: str, form: str, law: str) -> Side:
        given = {"program": program, "weighting": weighting, "form": form, "law": law, "sizes": sizes}
        return Side(name, "sentences_speed:embed", given, absent=absence(peers[program]) if program in peers else "")

    with session():
        cases = []
        for law in ("zipf", "uniform"):
            sides = [side(f"windrow, {form}", "windrow", "mean", form, law) for form in FORMS]
            sides += [side(f"windrow, strings, {name}", "windrow", name, FORMS[0], law) for name in WEIGHTINGS[1:]]
            cases.append(Case(f"words by {law}", sides + [side(peer, peer, "mean", "", law) for peer in peers]))
        record = measure(
            "Vectors of sentences a second, one thread",
            Measure("sentences_per_second", "sentences/s", columns=("sentences_per_cpu_second", "peak_mb")),
            cases,
            rounds=arguments.rounds,
            settings=dict(zip(("vocabulary", "size", "sentences"), sizes, strict=True)),
            output=arguments.output,
        )
    write_result(record, arguments.output)


if __name__ == "__main__":
    script(main)
