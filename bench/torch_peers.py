"""Neural language models in PyTorch on a CPU, eager, written as a careful user would. Two ways of training:

"plain", as tutorials have it: dense gradients, ``F.cross_entropy`` of all logits, ``clip_grad_norm_``. "tuned", the
fastest that was found: the gradient of the word vectors is sparse, Adam is fused, and ``F.linear_cross_entropy``
(PyTorch 2.13) makes loss and gradient in chunks of rows. Which chunk is fastest depends on the machine and the model,
so some are tried before the clock starts, no chunks and ``F.cross_entropy`` among them. neural_lm_speed.py runs it in
an environment that lets the C library keep large blocks instead of asking the system for fresh pages at every step.
Not timed: imports, reading the text, the making of contexts, the first steps.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

BOS, EOS = 1, 2  # of the streams of windrow.lm.stream
WARM_UP_STEPS = 2
TRIED_CHUNKS = (None, 0, 512, 384, 256, 128, 64)  # rows; None: all logits at once, 0: linear_cross_entropy of them
TRIED_STEPS = 2

Batch = tuple["Tensor", "Tensor"]  # ids to read, ids to predict


# --- the models


class Recurrent:
    """Streams of ids (steps, streams) to hidden rows; the state goes on from call to call."""

    def __init__(self, words: int, cell: str, size: int, *, sparse: bool) -> None:
        from torch import nn

        self.embedding = nn.Embedding(words, size, sparse=sparse)
        self.layer = {"elman": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[cell](size, size)
        self.output = nn.Linear(size, words)
        self.state: Any = None
        self.dense = [*self.layer.parameters(), *self.output.parameters()]

    def __call__(self, ids: Tensor) -> Tensor:
        hidden, state = self.layer(self.embedding(ids), self.state)
        self.state = tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()
        return hidden.flatten(0, 1)


class Window:
    """Contexts (rows, words before) to hidden rows (Bengio et al. 2003)."""

    def __init__(self, words: int, window: int, embedding_size: int, hidden_size: int, *, sparse: bool) -> None:
        from torch import nn

        self.embedding = nn.Embedding(words, embedding_size, sparse=sparse)
        self.hidden = nn.Linear(window * embedding_size, hidden_size)
        self.output = nn.Linear(hidden_size, words)
        self.dense = [*self.hidden.parameters(), *self.output.parameters()]

    def __call__(self, contexts: Tensor) -> Tensor:
        return self.hidden(self.embedding(contexts).flatten(1)).tanh()


# --- batches


def read_text(text: str) -> tuple[np.ndarray, int]:
    """The stream of ids, and how many words the vocabulary has."""
    import numpy as np

    with np.load(text) as kept:
        return kept["stream"].astype(np.int64), int(kept["words"])


def recurrent_batches(stream: np.ndarray, streams: int, bptt: int) -> Iterator[Batch]:
    """Steps of ``streams`` parallel streams without end; ``<s>`` is read, ``</s>`` predicted, as windrow does."""
    import torch

    length = int((stream != EOS).sum()) // streams
    ids, targets = (
        torch.from_numpy(stream[stream != mark][: streams * length].reshape(streams, length).T.copy())
        for mark in (EOS, BOS)
    )
    while True:
        for first in range(0, length, bptt):
            rows = slice(first, first + bptt)
            yield ids[rows], targets[rows]


def window_batches(stream: np.ndarray, window: int, rows: int) -> Iterator[Batch]:
    """Shuffled minibatches without end; a context that reaches over ``<s>`` reads ``<s>`` there."""
    import numpy as np
    import torch

    positions = np.flatnonzero(stream != BOS)
    contexts = stream[positions[:, None] - np.arange(window, 0, -1)]
    crossed = np.logical_or.accumulate((contexts == BOS)[:, ::-1], axis=1)[:, ::-1]
    contexts[crossed] = BOS
    read, predicted = torch.from_numpy(contexts), torch.from_numpy(stream[positions])
    while True:
        order = torch.randperm(len(predicted))
        for batch in order.split(rows):
            yield read[batch], predicted[batch]


# --- training


class Training:
    """One model, its optimizers, and a step. ``chunk``: see TRIED_CHUNKS."""

    def __init__(
        self, model: Recurrent | Window, batches: Iterator[Batch], optimizer: str, rate: float, clip: float | None
    ) -> None:
        from torch.optim import SGD, Adam, SparseAdam

        self.model, self.batches, self.clip = model, batches, clip
        self.chunk: int | None = None
        self.vectors = model.embedding.weight
        self.parameters = [self.vectors, *model.dense]
        if optimizer == "sgd":
            self.optimizers: list[Any] = [SGD(self.parameters, lr=rate)]
        elif model.embedding.sparse:
            self.optimizers = [SparseAdam([self.vectors], lr=rate), Adam(model.dense, lr=rate, fused=True)]
        else:
            self.optimizers = [Adam(self.parameters, lr=rate)]

    def step(self) -> tuple[float, int]:
        """The mean loss, and how many words were predicted."""
        ids, targets = next(self.batches)
        loss = self._loss(self.model(ids), targets.reshape(-1))
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        loss.backward()
        if self.clip is not None:
            self._clip(self.clip)
        for optimizer in self.optimizers:
            optimizer.step()
        return loss.item(), targets.numel()

    def _loss(self, rows: Tensor, targets: Tensor) -> Tensor:
        from torch.nn import LinearCrossEntropyOptions, functional

        output = self.model.output
        if self.chunk is None:
            return functional.cross_entropy(output(rows), targets)
        options = LinearCrossEntropyOptions(chunking_method=None, batch_chunk_size=self.chunk) if self.chunk else None
        return functional.linear_cross_entropy(rows, output.weight, targets, linear_bias=output.bias, options=options)

    def _clip(self, longest: float) -> None:
        """``clip_grad_norm_``, which refuses sparse gradients."""
        import torch
        from torch.nn.utils import clip_grad_norm_, get_total_norm

        if not self.model.embedding.sparse:
            clip_grad_norm_(self.parameters, longest)
            return
        self.vectors.grad = self.vectors.grad.coalesce()
        gradients = [self.vectors.grad.values(), *(part.grad for part in self.model.dense)]
        torch._foreach_mul_(gradients, (longest / (get_total_norm(gradients) + 1e-6)).clamp(max=1))

    def take_fastest_chunk(self) -> None:
        """Try the chunks on the batches that come."""
        seconds: dict[int | None, float] = {}
        for chunk in TRIED_CHUNKS:
            self.chunk = chunk
            self.step()
            started = time.perf_counter()
            for _ in range(TRIED_STEPS):
                self.step()
            seconds[chunk] = time.perf_counter() - started
        self.chunk = min(seconds, key=seconds.__getitem__)


def run_for(training: Training, seconds: float, tuned: bool) -> dict[str, float]:
    """Train so long after warming up. ``loss``: the mean of the steps timed; ``chunk``: -1 for all logits at once."""
    if tuned:
        training.take_fastest_chunk()
    for _ in range(WARM_UP_STEPS):
        training.step()
    losses, words, started, passed = [], 0, time.perf_counter(), 0.0
    while passed < seconds:
        loss, predicted = training.step()
        losses.append(loss)
        words += predicted
        passed = time.perf_counter() - started
    return {
        "seconds": passed,
        "words": words,
        "words_per_second": words / passed,
        "loss": math.fsum(losses) / len(losses),
        "last_loss": losses[-1],
        "parameters": sum(part.numel() for part in training.parameters),
        "chunk": -1 if training.chunk is None else training.chunk,
    }


def train_recurrent(
    text: str,
    cell: str,
    size: int,
    streams: int,
    bptt: int,
    rate: float,
    clip: float | None,
    seconds: float,
    way: str = "plain",
    threads: int = 1,
) -> dict[str, float]:
    """Truncated backpropagation through time, SGD, full softmax, the state carried."""
    _start(threads)
    stream, words = read_text(text)
    model = Recurrent(words, cell, size, sparse=way == "tuned")
    training = Training(model, recurrent_batches(stream, streams, bptt), "sgd", rate, clip)
    return run_for(training, seconds, way == "tuned")


def train_window(
    text: str,
    order: int,
    embedding_size: int,
    hidden_size: int,
    rows: int,
    rate: float,
    seconds: float,
    way: str = "plain",
    threads: int = 1,
) -> dict[str, float]:
    """Minibatches of contexts, Adam, full softmax."""
    _start(threads)
    stream, words = read_text(text)
    model = Window(words, order - 1, embedding_size, hidden_size, sparse=way == "tuned")
    training = Training(model, window_batches(stream, order - 1, rows), "adam", rate, None)
    return run_for(training, seconds, way == "tuned")


# --- generation


def generate(text: str, size: int, words: int, threads: int = 1) -> dict[str, float]:
    """The likeliest word and the next, one by one, with an untrained LSTM: its weights do not change the work.

    The cell alone (nn.LSTMCell) is what is fastest for a single step. The probability of the word is not asked for.
    """
    import torch
    from torch import nn

    _start(threads)
    vocabulary = read_text(text)[1]
    embedding, cell, output = nn.Embedding(vocabulary, size), nn.LSTMCell(size, size), nn.Linear(size, vocabulary)

    def write(steps: int) -> list[int]:
        word, state, written = torch.tensor([BOS]), None, []
        for _ in range(steps):
            state = cell(embedding(word), state)
            word = output(state[0]).argmax(dim=1)
            written.append(word.item())
        return written

    with torch.inference_mode():
        write(min(words, 20))
        started = time.perf_counter()
        written = write(words)
        passed = time.perf_counter() - started
    return {"seconds": passed, "words": len(written), "words_per_second": len(written) / passed}


def _start(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(1)
