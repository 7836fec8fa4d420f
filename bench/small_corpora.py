"""Small vocabularies: does the block kernel of Word2Vec reach the loss of the pair kernel, and stay in bounds?

    python bench/small_corpora.py
    python bench/small_corpora.py --corpora dna repeated --modes cbow-ns --seeds 1 --settings "alpha=0.05 sample=0"

Twelve corpora of 2 to 300 words, six modes. After training, the loss of what was trained is computed here by its
definition, over all pairs, for each fixed window size that training draws, with the same noise words for all sides; a
noise word that is the target does not count. A cell is the mean over the seeds; "diverged" where one did.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow import Corpus, Word2Vec
from windrow.errors import DataError
from windrow.outputs.tree import huffman_tree

Text = list[list[str]]
Floats = NDArray[np.float64]

WINDOW, NEGATIVE = 5, 5
COMMON: dict[str, Any] = {"vector_size": 30, "min_count": 1, "epochs": 10, "workers": 1, "window": WINDOW}
LOSSES = ("ns", "hs", "softmax")
MODES = {f"{name}-{loss}": {"sg": sg, "loss": loss} for name, sg in (("skipgram", 1), ("cbow", 0)) for loss in LOSSES}
SETTINGS = ("", "sample=0", "sample=0 alpha=0.05")
CLASSROOM = """the king loves the queen|the queen loves the king|the dwarf hates the king
|the queen hates the dwarf|the dwarf poisons the king|the dwarf poisons the queen"""
REPEATED = "a quick brown fox jumps over one lazy dog while nobody looks"


# --- corpora


def cut(words: list[str], length: int) -> Text:
    return [words[start : start + length] for start in range(0, len(words), length)]


def chain(states: str, words: int, seed: int) -> list[str]:
    """A Markov chain over these letters."""
    generator = np.random.default_rng(seed)
    turns, state, text = generator.dirichlet(np.full(len(states), 2.0), len(states)), 0, []
    for _ in range(words):
        state = int(generator.choice(len(states), p=turns[state]))
        text.append(states[state])
    return text


def zipf(vocabulary: int) -> Text:
    """Words by Zipf's law, half of which follow from the word before."""
    generator = np.random.default_rng(vocabulary)
    shares = 1 / np.arange(1, vocabulary + 1)
    words = generator.choice(vocabulary, 10_000, p=shares / shares.sum())
    followers = generator.permutation(vocabulary)
    for i in range(1, len(words)):
        if generator.random() < 0.5:
            words[i] = followers[words[i - 1]]
    return cut([f"word{word}" for word in words], 20)


def toyland(sentences: int) -> Text:
    generator = np.random.default_rng(3)
    nouns, verbs = ["fox", "bear", "hen", "owl", "mouse"], ["sees", "likes", "follows", "hears"]
    places = ["in the forest", "near the river", "at night", "today"]

    def one(words: list[str]) -> str:
        return words[int(generator.integers(len(words)))]

    return [f"the {one(nouns)} {one(verbs)} the {one(nouns)} {one(places)}".split() for _ in range(sentences)]


def topics() -> Text:
    generator = np.random.default_rng(5)
    return [
        [f"{topic}{word}" for word in generator.integers(0, 50, 10)] for topic in generator.choice(["x", "y"], 1000)
    ]


def counting(numbers: int) -> Text:
    starts = np.random.default_rng(4).integers(0, numbers, 800)
    return [[str((start + i) % numbers) for i in range(12)] for start in starts]


CORPORA: dict[str, Callable[[], Text]] = {
    "binary": lambda: cut([str(bit) for bit in np.random.default_rng(6).integers(0, 2, 10_000)], 20),
    "dna": lambda: cut(chain("ACGT", 10_000, 2), 400),
    "classroom": lambda: [line.split() for line in CLASSROOM.split("|")] * 300,
    "repeated": lambda: [REPEATED.split()] * 800,
    "toyland": lambda: toyland(1000),
    "characters": lambda: [list("_".join(sentence)) for sentence in toyland(300)],
    "counting": lambda: counting(30),
    "topics": topics,
    "uniform": lambda: cut([f"word{word}" for word in np.random.default_rng(8).integers(0, 200, 10_000)], 20),
    "zipf50": lambda: zipf(50),
    "zipf100": lambda: zipf(100),
    "zipf300": lambda: zipf(300),
}


# --- the loss by its definition


def examples(ids: list[list[int]], vectors: Floats, skipgram: bool, window: int) -> tuple[Floats, NDArray[np.int64]]:
    """Hidden vectors, and the word that each is to predict."""
    hidden, targets = [], []
    for sentence in ids:
        for center, target in enumerate(sentence):
            context = sentence[max(0, center - window) : center] + sentence[center + 1 : center + 1 + window]
            rows = vectors[context] if skipgram else vectors[context].mean(0, keepdims=True) if context else []
            hidden += list(rows)
            targets += [target] * len(rows)
    return np.array(hidden), np.array(targets)


def softplus(scores: Floats) -> Floats:
    return np.logaddexp(0, scores)


def sampling_loss(scores: Floats, targets: NDArray[np.int64], counts: NDArray[np.int64]) -> float:
    """Of negative sampling, with noise words that depend on nothing but the number of pairs."""
    shares = counts**0.75 / (counts**0.75).sum()
    noise = np.random.default_rng(0).choice(len(counts), (len(targets), NEGATIVE), p=shares)
    rejected = softplus(np.take_along_axis(scores, noise, 1)) * (noise != targets[:, None])
    return float((softplus(-scores[np.arange(len(targets)), targets]) + rejected.sum(1)).mean())


def tree_loss(scores: Floats, targets: NDArray[np.int64], counts: NDArray[np.int64]) -> float:
    """Of hierarchical softmax: a logistic regression at each inner node of a target's path."""
    tree, signs = huffman_tree(counts), np.zeros((len(counts), scores.shape[1]))
    for word in range(len(counts)):
        places = slice(tree.starts[word], tree.starts[word + 1])
        signs[word, tree.nodes[places]] = 1 - 2.0 * tree.codes[places]
    turns = signs[targets]
    return float((softplus(-scores * turns) * np.abs(turns)).sum(1).mean())


def softmax_loss(scores: Floats, targets: NDArray[np.int64], _counts: NDArray[np.int64]) -> float:
    return float((np.logaddexp.reduce(scores, axis=1) - scores[np.arange(len(targets)), targets]).mean())


LOSS_OF = {"ns": sampling_loss, "hs": tree_loss, "softmax": softmax_loss}


def loss_after_training(model: Word2Vec, text: Text, window: int = WINDOW) -> float:
    """The mean over the window sizes that training draws; summed over the model's output layers."""
    ids = [[model.wv.get_index(word) for word in sentence] for sentence in text]
    vectors, counts = model.wv.vectors.astype(np.float64), np.asarray(model.wv.counts)
    losses = []
    for size in range(1, window + 1):
        hidden, targets = examples(ids, vectors, bool(model.sg), size)
        for name, table in model.output_tables_.items():
            losses.append(LOSS_OF[name](hidden @ table.astype(np.float64).T, targets, counts))
    return float(np.sum(losses)) / window


# --- the table


def mean_loss(text: Text, corpus: Corpus, options: dict[str, Any], seeds: int) -> float | None:
    """The mean over the seeds; None where a training diverged, or its vectors are huge."""
    losses = []
    for seed in range(1, seeds + 1):
        try:
            model = Word2Vec(**COMMON | options, seed=seed).fit(corpus)
        except DataError:
            return None
        if not np.abs(model.wv.vectors).max() < 1000:
            return None
        losses.append(loss_after_training(model, text[:100]))
    return float(np.mean(losses))


def shown(loss: float | None) -> str:
    return "diverged" if loss is None else f"{loss:.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", nargs="+", choices=CORPORA, default=list(CORPORA))
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--settings", nargs="+", default=list(SETTINGS), help='such as "sample=0 alpha=0.05"')
    parser.add_argument("--kernels", nargs="+", default=["block", "pair"])
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    print(
        "| corpus | mode | settings |",
        " | ".join(arguments.kernels),
        "|\n|---|---|---|" + "---:|" * len(arguments.kernels),
    )
    for name in arguments.corpora:
        text = CORPORA[name]()
        corpus = Corpus.build(text)
        for settings in arguments.settings:
            chosen = {key: float(value) for key, value in (part.split("=") for part in settings.split())}
            for mode in arguments.modes:
                cells = [
                    shown(mean_loss(text, corpus, {**MODES[mode], **chosen, "kernel": kernel}, arguments.seeds))
                    for kernel in arguments.kernels
                ]
                print(f"| {name} | {mode} | {settings or 'defaults'} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
