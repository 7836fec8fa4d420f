"""How fast do the neural language models train, and write text, beside PyTorch's?

    python bench/neural_lm_speed.py
    python bench/neural_lm_speed.py --words 20000 --seconds 0.5 --rounds 1

Both sides train on WikiText-2 with the same words in the same batches (windows: of the same size), and for the same
time: words a second from when all is warm. SGD clips the gradient at a length of 0.25, on both sides. PyTorch trains in
two ways, "plain" and "tuned", that torch_peers.py tells of. Hierarchical softmax and NCE have the recipes of
neural_lm_quality.py, where the perplexity that they cost stands. Greedy text is written by untrained models, whose
work is the same.
"""

from __future__ import annotations

import time
from typing import Any

from harness import (
    BenchError,
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
from neural_lm_quality import FOLDER, RECIPES
from peers import absence

SIZE, STREAMS, BPTT, CLIP, RATE = 200, 20, 35, 0.25, 1.0
ORDER, WINDOW_SIZE, WINDOW_ROWS, WINDOW_RATE = 5, 100, 512, 1e-3
SMALL_VOCABULARY = 10_000
GENERATED = 1000
WARM_UP_SECONDS = 1.0
ENDLESS = 100_000  # epochs: time is up before
MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(2**32),
    "MALLOC_TRIM_THRESHOLD_": str(2**34),
}  # of PyTorch, tuned: see torch_peers.py

RECURRENT = {"optimizer": "sgd", "learning_rate": RATE, "clip": CLIP, "batch_size": STREAMS, "bptt": BPTT}
WINDOW = {"order": ORDER, "embedding_size": WINDOW_SIZE, "hidden_size": WINDOW_SIZE, "batch_size": WINDOW_ROWS}
NOTE = (
    "PyTorch, plain: dense gradients, F.cross_entropy; tuned: sparse gradients of word vectors, fused Adam, "
    "F.linear_cross_entropy in the fastest of several chunks, large blocks of memory kept."
)


# --- windrow


class _TimeIsUpError(Exception):
    """Ends a training, whose epochs have no end, between two steps."""


class _Clock:
    """Gets the reports of a training; counts words from the first report after the warm-up."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.first: Any = None
        self.last: Any = None

    def __call__(self, report: Any) -> None:
        if self.first is None:
            self.first = report if report.seconds >= min(WARM_UP_SECONDS, self.seconds) else None
            return
        self.last = report
        if report.seconds - self.first.seconds >= self.seconds:
            raise _TimeIsUpError

    def figures(self) -> dict[str, float]:
        passed, words = self.last.seconds - self.first.seconds, self.last.examples - self.first.examples
        return {"seconds": passed, "words": words, "words_per_second": words / passed, "loss": self.last.loss}


def train_windrow(corpus: str, kind: str, options: dict[str, Any], seconds: float) -> dict[str, float]:
    """Train so long after warming up; ``options`` are those of the estimator ``kind``."""
    import windrow

    clock = _Clock(seconds)
    estimator = getattr(windrow, kind)(**{**options, "epochs": ENDLESS, "callbacks": [clock]})
    try:
        estimator.fit(windrow.Corpus.open(corpus), progress=clock)
    except _TimeIsUpError:
        return {**clock.figures(), "parameters": len(estimator.network_.values())}
    raise BenchError(f"{ENDLESS} epochs ended before {seconds} seconds; the text is too short")


def generate_windrow(corpus: str, words: int, quantised: bool = False) -> dict[str, float]:
    """So many greedy steps, in one text or, where ``</s>`` is the likeliest word, in several."""
    import windrow

    model = windrow.RecurrentLM("lstm", SIZE, SIZE, **RECURRENT)
    try:
        model.fit(windrow.Corpus.open(corpus), progress=_stop)
    except _TimeIsUpError:
        model = model.quantized() if quantised else model
        model.generate(do_sample=False, max_new_tokens=20)
    started, written = time.perf_counter(), 0
    while written < words:
        (text,) = model.generate(do_sample=False, max_new_tokens=words - written)
        written += len(text.log10_probs)
    passed = time.perf_counter() - started
    return {"seconds": passed, "words": written, "words_per_second": written / passed}


def _stop(report: Any) -> None:
    raise _TimeIsUpError


# --- the text


def encode(lines: str, corpus: str, stream: str, max_vocab: int | None) -> dict[str, float]:
    """The text for windrow, and the same ids for PyTorch."""
    import numpy as np

    from windrow import Corpus
    from windrow.lm.stream import lm_vocabulary, training_stream

    built = Corpus.build(lines, corpus)
    vocabulary, mapping = lm_vocabulary(built, 1, max_vocab)
    np.savez(stream, stream=training_stream(built, mapping), words=len(vocabulary))
    return {"words": built.tokens, "vocabulary": len(vocabulary)}


# --- the cases


class Cases:
    """Makes them; ``folder`` has corpus and streams, ``seconds`` are those that every training is timed for."""

    def __init__(self, folder: str, seconds: float) -> None:
        self.folder = folder
        self.seconds = seconds
        self.no_torch = absence("torch")

    def all(self) -> dict[str, Case]:
        """By name, as ``--cases`` takes them."""
        small, full = SMALL_VOCABULARY, None
        recurrent = {cell: self._recurrent(cell, small) for cell in ("lstm", "gru", "elman")}
        return {
            **{f"{cell}-10k": Case(f"{cell} 200, V = 10k", sides) for cell, sides in recurrent.items()},
            "lstm-33k": Case("lstm 200, V = 33k", self._recurrent("lstm", full)),
            "threads": Case("lstm 200, V = 10k, threads", self._threads()),
            "elman-hs": Case("elman 200, V = 33k, hierarchical softmax", self._approximate("elman-hs")),
            "elman-nce": Case("elman 200, V = 33k, NCE", self._approximate("elman-nce")),
            "window": Case("window 5, V = 33k", [self._ours("windrow", "WindowLM", self._window()), *self._windows()]),
            "window-nce": Case("window 5, V = 33k, NCE", self._window_nce()),
            "generation": Case("greedy text, lstm 200, V = 33k", self._generation()),
            "generation-8-bits": Case("greedy text, output weights of 8 bits", self._generation(quantised=True)),
        }

    def _recurrent(self, cell: str, max_vocab: int | None) -> list[Side]:
        return [self._ours("windrow", "RecurrentLM", self._cell(cell, max_vocab)), *self._torch(cell, max_vocab)]

    def _threads(self) -> list[Side]:
        two, one = (
            self._ours(f"windrow, {n} thread{'s' * (n > 1)}", "RecurrentLM", self._cell("lstm", SMALL_VOCABULARY), n)
            for n in (2, 1)
        )
        return [two, one, *self._torch("lstm", SMALL_VOCABULARY, threads=2)]

    def _approximate(self, recipe: str) -> list[Side]:
        kind, options = RECIPES[recipe]
        return [
            self._ours("windrow", kind, options),
            self._ours("windrow, full softmax, SGD", kind, self._cell("elman", None)),
            *self._torch("elman", None, suffix=", full softmax, SGD"),
        ]

    def _window_nce(self) -> list[Side]:
        nce = self._ours("windrow", "WindowLM", {**self._window(), "output_layer": "nce"})
        return [nce, self._ours("windrow, full softmax", "WindowLM", self._window())]

    def _generation(self, quantised: bool = False) -> list[Side]:
        ours = {"corpus": f"{self.folder}/text.corpus", "words": GENERATED}
        theirs = {"text": f"{self.folder}/full.npz", "size": SIZE, "words": GENERATED}
        return [
            Side("windrow", "neural_lm_speed:generate_windrow", {**ours, "quantised": quantised}),
            *([Side("windrow, 32 bits", "neural_lm_speed:generate_windrow", ours)] if quantised else []),
            Side("PyTorch", "torch_peers:generate", theirs, absent=self.no_torch),
        ]

    def _cell(self, cell: str, max_vocab: int | None) -> dict[str, Any]:
        return {"cell": cell, "hidden_size": SIZE, "embedding_size": SIZE, "max_vocab": max_vocab, **RECURRENT}

    def _window(self) -> dict[str, Any]:
        return {**WINDOW, "optimizer": "adam", "learning_rate": WINDOW_RATE}

    def _ours(self, name: str, kind: str, options: dict[str, Any], threads: int = 1) -> Side:
        given = {"corpus": f"{self.folder}/text.corpus", "kind": kind, "seconds": self.seconds}
        given["options"] = {**options, "workers": threads}
        return Side(name, "neural_lm_speed:train_windrow", given, threads)

    def _torch(self, cell: str, max_vocab: int | None, *, threads: int = 1, suffix: str = "") -> list[Side]:
        given = {"cell": cell, "size": SIZE, "streams": STREAMS, "bptt": BPTT, "rate": RATE, "clip": CLIP}
        text = "full" if max_vocab is None else "small"
        suffix += ", 2 threads" if threads == 2 else ""
        return self._both_ways("train_recurrent", text, given, threads, suffix)

    def _windows(self) -> list[Side]:
        sizes = {"order": ORDER, "embedding_size": WINDOW_SIZE, "hidden_size": WINDOW_SIZE, "rows": WINDOW_ROWS}
        return self._both_ways("train_window", "full", {**sizes, "rate": WINDOW_RATE})

    def _both_ways(self, job: str, text: str, given: dict[str, Any], threads: int = 1, suffix: str = "") -> list[Side]:
        given = {**given, "text": f"{self.folder}/{text}.npz", "seconds": self.seconds, "threads": threads}
        return [
            Side(
                f"PyTorch, {way}{suffix}",
                f"torch_peers:{job}",
                {**given, "way": way},
                threads,
                MEMORY if way == "tuned" else {},
                absent=self.no_torch,
            )
            for way in ("tuned", "plain")
        ]


def main() -> None:
    parser = argument_parser(__doc__, "neural_lm_speed")
    add_text_options(parser)
    names = list(Cases("", 0).all())
    parser.add_argument("--seconds", type=float, default=10.0, help="that each training is timed for (default: 10)")
    parser.add_argument("--cases", nargs="+", choices=names, default=names)
    arguments = parser.parse_args()
    data = data_folder(arguments, f"{FOLDER}/train.txt")
    settings = {"words": arguments.words, "seconds": arguments.seconds, **RECURRENT}
    with session() as folder:
        prepare("neural_lm_quality:write_texts", source=str(data / FOLDER), target=str(folder), words=arguments.words)
        for name, max_vocab in (("small", SMALL_VOCABULARY), ("full", None)):
            files = {"lines": str(folder / "train.txt"), "corpus": str(folder / "text.corpus")}
            prepare("neural_lm_speed:encode", **files, stream=str(folder / f"{name}.npz"), max_vocab=max_vocab)
        cases = Cases(str(folder), arguments.seconds).all()
        for name in arguments.cases:  # compiles
            first = cases[name].sides[0]
            prepare(str(first.job), **{**first.arguments, **({"seconds": 0.1} if "seconds" in first.arguments else {})})
        record = measure(
            "Neural language models: words a second",
            Measure("words_per_second", "words/s"),
            [cases[name] for name in arguments.cases],
            rounds=arguments.rounds,
            settings=settings,
            output=arguments.output,
        )
    record["notes"] = [NOTE]
    write_result(record, arguments.output)


if __name__ == "__main__":
    script(main)
