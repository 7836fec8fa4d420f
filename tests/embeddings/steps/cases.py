"""Small models with random parameters, the texts they see, and the naive step of each registered output layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice, pairwise

import numpy as np
from numpy.typing import NDArray

from tests.naive import steps as naive
from tests.naive.noise import alias_draw, cumulative_draw
from tests.naive.rng import linear_congruential, split_mix
from tests.naive.windows import Text, lay_windows
from tests.naive.word2vec import BlockStep, Mode, PairStep
from windrow.embeddings.kernels.contexts import Context, new_block
from windrow.embeddings.kernels.inputs import Inputs, WordRows, new_inputs, with_rows
from windrow.embeddings.kernels.windows import Chunk
from windrow.embeddings.steps import step_type
from windrow.embeddings.steps.combined import train_both_pairs
from windrow.embeddings.steps.contract import StepOptions
from windrow.embeddings.steps.hierarchical_softmax import GROUP
from windrow.embeddings.steps.negative_sampling import NOISE_SETS, TOGETHER
from windrow.numeric.simd import LANES
from windrow.numeric.tables import zero_table

OPTIONS = StepOptions(negative=5, ns_exponent=0.75, shared_negatives=16)
MODES = {"skipgram": Mode(True), "cbow-mean": Mode(False, True), "cbow-sum": Mode(False, False)}


def random_words(generator: np.random.Generator, count: int, vocabulary_size: int) -> list[int]:
    """Word ids, few of them frequent; none equals its position, unless it is the only word there is."""
    words = np.minimum(generator.geometric(0.15, count) - 1, vocabulary_size - 1)
    words = np.where(generator.random(count) < 0.5, words, generator.integers(0, vocabulary_size, count))
    return np.where(words == np.arange(count), (words + 1) % vocabulary_size, words).tolist()


def random_text(generator: np.random.Generator, vocabulary_size: int, lengths: Sequence[int], window: int) -> Text:
    """Sentences of these lengths with shrunk windows, and context weights that differ by distance."""
    words = iter(random_words(generator, sum(lengths), vocabulary_size))
    sentences = [list(islice(words, length)) for length in lengths]
    weights = [0.0, *(1 / (1 + generator.integers(0, 4, window) / 4)).tolist()]
    return lay_windows(sentences, generator.integers(1, window + 1, sum(lengths)).tolist(), weights)


def as_chunk(text: Text, dtype: type[np.floating]) -> Chunk:
    left = [min([*window, center]) for center, window in enumerate(text.windows)]
    right = [max([*window, center]) + 1 for center, window in enumerate(text.windows)]
    words, left, right = (np.array(numbers, np.int32) for numbers in (text.words, left, right))
    before = np.arange(len(words) + 1)
    shares = np.array([text.share(position) for position in range(len(words))] if text.shares else [], np.float32)
    return Chunk(words, words, before, left, right, mirrored(text.weights, dtype), shares)


def mirrored(weights: Sequence[float], dtype: type[np.floating]) -> NDArray[np.floating]:
    """The weights by distance, as kernels read them: by the place in a window, and 16 zeros."""
    return np.array([*reversed(weights), *weights[1:], *[0] * 16], dtype)


def padded(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    """The same rows in a table of the package, and of the same type."""
    table = zero_table(*rows.shape, rows.dtype)
    table[:, : rows.shape[1]] = rows
    return table


class Model:
    """Input vectors and the output layers called ``names``, all parameters random."""

    def __init__(
        self,
        names: str,
        mode: Mode,
        *,
        counts: Sequence[int],
        vector_size: int = 7,
        window: int = 3,
        block_size: int = 4,
        dtype: type[np.floating] = np.float64,
        seed: int = 0,
    ) -> None:
        generator = np.random.default_rng(seed)
        self.names, self.mode, self.dtype, self.vector_size = names.split("+"), mode, dtype, vector_size
        rows, scale = len(counts), 0.3
        if mode.word_rows is not None:  # the sum of a window's rows must not saturate the logistic
            rows, scale = 1 + max(map(max, mode.word_rows)), 0.1
        self.table = padded((generator.standard_normal((rows, vector_size)) * scale).astype(dtype))
        self.counts = np.array(counts, np.int64)
        self.layers = [step_type(name)(self.counts, vector_size, OPTIONS, dtype) for name in self.names]
        for layer in self.layers:
            rows = layer.parameters[:, :vector_size]
            rows[:] = generator.standard_normal(rows.shape) * 0.3
        self.context = Context(mode.skipgram, mode.mean, False, window, self.table.shape[1], block_size)

    @property
    def inputs(self) -> NDArray[np.floating]:
        return self.table[:, : self.vector_size]

    @property
    def outputs(self) -> list[NDArray[np.floating]]:
        return [layer.parameters[:, : self.vector_size] for layer in self.layers]

    def train_blocks(self, text: Text, rate: float, seed: int = 3) -> float:
        (layer,) = self.layers
        block, (chunk, inputs) = new_block(self.context, self.dtype), self._chunk_and_inputs(text)
        context = self.context._replace(uniform=all(weight == 1 for weight in text.weights[1:]))
        bound = layer.block_arguments(len(block.row_weights))
        draws = layer.draw(bound, -(-len(text.words) // context.block_size), np.array([seed], np.uint64))
        return layer.train_blocks(chunk, inputs, context, block, self.dtype(rate), bound, draws)

    def train_pairs(self, text: Text, rate: float, seed: int = 3) -> float:
        state = np.array([seed], np.uint64)
        arguments = *self._chunk_and_inputs(text), self.context, self.dtype(rate)
        bound = [layer.pair_arguments() for layer in self.layers]
        if len(bound) == 2:
            return train_both_pairs(*arguments, *bound, state)
        return self.layers[0].train_pairs(*arguments, bound[0], state)

    def _chunk_and_inputs(self, text: Text) -> tuple[Chunk, Inputs]:
        chunk = as_chunk(text, self.dtype)
        if self.mode.word_rows is None:
            return chunk, new_inputs(self.table)
        starts = np.cumsum([0, *map(len, self.mode.word_rows)])
        word_rows = WordRows(np.concatenate(self.mode.word_rows).astype(np.int32), starts)
        most_words = self.context.block_size + 2 * self.context.window
        return with_rows(chunk, word_rows), new_inputs(self.table, word_rows, most_words)

    def set_parameters(self, parameters: Sequence[NDArray[np.floating]]) -> None:
        for table, values in zip([self.inputs, *self.outputs], parameters, strict=True):
            table[:] = values

    def parameters(self) -> list[NDArray[np.floating]]:
        """Copies: the input vectors, then each layer's."""
        return [table.copy() for table in (self.inputs, *self.outputs)]


def naive_paths(model: Model, position: int) -> list[naive.Path]:
    """The paths of the layer's own tree, which test_huffman compares with the textbook's and with gensim's."""
    tree = model.layers[position].tree
    places = list(zip(tree.nodes.tolist(), tree.codes.tolist(), strict=True))
    return [places[start:stop] for start, stop in pairwise(tree.starts)]


def naive_log_prob(model: Model, hidden: NDArray[np.floating], word: int) -> float:
    """The log-probability of a word by the model's one layer."""
    outputs = model.outputs[0].astype(np.float64)
    if model.names == ["hs"]:
        return naive.path_log_prob(hidden, outputs, naive_paths(model, 0)[word])
    return naive.softmax_log_prob(hidden, outputs, word)


def naive_block_step(model: Model, outputs: NDArray[np.floating], seed: int = 3) -> BlockStep:
    """The naive step of the model's layer on ``outputs``; a new layer needs its twin here."""
    (name,), (layer,) = model.names, model.layers
    if name == "hs":
        group = 1 if model.mode.skipgram else GROUP
        return partial(naive.hierarchical_softmax_block, outputs=outputs, paths=naive_paths(model, 0), group=group)
    if name == "softmax":
        group_size = layer.block_arguments(10**9).errors.shape[0]
        return partial(naive.full_softmax_block, outputs=outputs, group_size=group_size)
    if name == "ns":
        bits, shared, group = split_mix(seed), OPTIONS.shared_negatives, TOGETHER if model.mode.skipgram else LANES
        thresholds, aliases = layer.thresholds.tolist(), layer.aliases.tolist()
        weights = model.counts**OPTIONS.ns_exponent
        chances = (weights / weights.sum()).tolist() if layer.skips_targets else ()

        def step(hidden: naive.Hidden, targets: naive.Targets, rate: float) -> tuple[naive.Hidden, float]:
            noise_sets = [[alias_draw(thresholds, aliases, bits) for _ in range(shared)] for _ in range(NOISE_SETS)]
            return naive.negative_sampling_block(
                hidden, targets, rate, outputs, noise_sets, OPTIONS.negative, group, chances
            )

        return step
    raise NotImplementedError(f"the output layer {name!r} has no naive block step in tests/naive/steps.py")


def naive_pair_steps(model: Model, outputs: Sequence[NDArray[np.floating]], seed: int = 3) -> list[PairStep]:
    """The naive step of each of the model's layers, on ``outputs``."""
    draws = linear_congruential(seed)
    return [_naive_pair_step(model, position, table, draws) for position, table in enumerate(outputs)]


def _naive_pair_step(model: Model, position: int, outputs: NDArray[np.floating], draws: Iterator[int]) -> PairStep:
    name, layer = model.names[position], model.layers[position]
    if name == "hs":
        paths = naive_paths(model, position)
        return lambda hidden, word, rate: naive.hierarchical_softmax_pair(hidden, rate, outputs, paths[word])
    if name == "softmax":
        return partial(naive.full_softmax_pair, outputs=outputs)
    if name == "ns":
        cumulative = layer.cumulative.tolist()

        def step(hidden: naive.Vector, word: int, rate: float) -> tuple[naive.Vector, float]:
            noise_words = [cumulative_draw(cumulative, draws) for _ in range(OPTIONS.negative)]
            return naive.negative_sampling_pair(hidden, word, rate, outputs, noise_words)

        return step
    raise NotImplementedError(f"the output layer {name!r} has no naive pair step in tests/naive/steps.py")
