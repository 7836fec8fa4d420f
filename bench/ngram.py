"""How fast are back-off n-gram models estimated, and how fast are texts scored with them?

    python bench/ngram.py
    python bench/ngram.py --words 300000 --rounds 1 --orders 3

Estimation: modified Kneser-Ney from text to a finished model file; processor seconds of the whole process, imports and
all, the kernels compiled before. lmplz and build_binary are measured where they are on the PATH. NLTK fits the first
230,000 tokens, where windrow has read the text, too.
Scoring: the first 1,000 lines, in tokens a second; the ``kenlm`` module is given the ARPA file of the same model, so
that both score the same n-grams. "ids": windrow is given word ids, kenlm a line (it has no other way).
Steps: the words of those lines one after another from Python, each with its state. windrow does it by ``score_next``,
by ``windrow.compat.kenlm``, and for all lines at once by ``score_next_batch``, given words as ids; kenlm by
``BaseScore``.
Filtering: the lines whose perplexity is at most 500, in lines a second: `windrow lm select` without the start of
Python, and a loop over kenlm's `perplexity`. With two workers the start of their processes counts, too.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from data import TEXT
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

SCORED_LINES = 1000
NLTK_TOKENS = 230_000
MOST_PERPLEXITY, FILTERED_LINES = 500, 500_000
SMALL = "wikitext-2/train.txt"
RECORDED = {3: 18, 5: 56}  # CPU seconds of lmplz and build_binary, on the whole text and a machine of this kind


# --- estimation


def train_windrow(
    lines: str, model: str, order: int, memory: int | None = None, compact: bool = False
) -> dict[str, float]:
    from windrow import NGramLM

    trained = NGramLM(order, memory=memory, compact=compact).fit(lines)
    trained.save(model)
    ngrams = sum(trained.table_.sizes)
    return {
        "seconds": time.process_time(),
        "ngrams": ngrams,
        "bytes_per_ngram": Path(model).stat().st_size / ngrams,
    }


def compact_name(model: str) -> str:
    """Where the compact model of the same n-grams is."""
    return model.replace(".safetensors", "-compact.safetensors")


def fit_windrow(lines: str) -> dict[str, float]:
    from windrow import NGramLM

    NGramLM(3, discount_fallback=True).fit([["to", "be", "or", "not", "to", "be"]] * 3)
    return timed(lambda: NGramLM(3).fit(lines))


def fit_nltk(lines: str) -> dict[str, float]:
    from nltk.lm import KneserNeyInterpolated
    from nltk.lm.preprocessing import padded_everygram_pipeline

    sentences = [line.split() for line in Path(lines).read_text(encoding="utf-8").split("\n")]

    def fit() -> None:
        ngrams, words = padded_everygram_pipeline(3, sentences)
        KneserNeyInterpolated(3).fit(ngrams, words)

    return timed(fit)


def timed(work: Callable[[], Any]) -> dict[str, float]:
    started = time.process_time()
    work()
    return {"seconds": time.process_time() - started}


def estimation_cases(lines: str, folder: Path, orders: list[int], fits: bool) -> list[Case]:
    no_lmplz = "" if shutil.which("lmplz") and shutil.which("build_binary") else "lmplz is not on the PATH"
    cases = []
    for order in orders:
        known = f"; {RECORDED[order]} CPU-s were recorded on a machine of this kind" if order in RECORDED else ""
        given = {"lines": lines, "model": str(folder / f"order{order}.safetensors"), "order": order}
        lmplz = (
            f"lmplz -o {order} < {lines} > {folder}/lmplz.arpa && build_binary {folder}/lmplz.arpa {folder}/lmplz.bin"
        )
        sides = [
            Side("windrow", "ngram:train_windrow", given),
            Side("windrow, 1 GB", "ngram:train_windrow", {**given, "memory": 10**9}),
            Side(
                "windrow, compact",
                "ngram:train_windrow",
                {**given, "model": compact_name(given["model"]), "compact": True},
            ),
            Side("lmplz + build_binary", ["sh", "-c", lmplz], absent=no_lmplz and no_lmplz + known),
        ]
        cases.append(Case(f"text to file, order {order}", sides))
    if fits:
        few = {"lines": str(folder / "few.txt")}
        nltk = Side("nltk", "ngram:fit_nltk", few, absent=absence("nltk"))
        cases.append(Case("fit, order 3, 230,000 tokens", [Side("windrow", "ngram:fit_windrow", few), nltk]))
    return cases


# --- scoring


def write_arpa(model: str, arpa: str) -> None:
    import windrow

    windrow.load(model).save(arpa)


def score_windrow(model: str, lines: str, way: str) -> dict[str, float]:
    import numpy as np

    import windrow
    import windrow.lm.ngram.model  # opening would import it
    from windrow.lm.stream import sentence_blocks

    opened = time.perf_counter()
    loaded = windrow.load(model)
    opened = time.perf_counter() - opened
    texts = Path(lines).read_text(encoding="utf-8").splitlines()
    tokens = sum(len(text.split()) + 1 for text in texts)
    score: Callable[[], Any]
    if way == "ids":
        stream = np.concatenate(list(sentence_blocks(windrow.Corpus.build(lines), loaded.vocabulary)))
        score = lambda: loaded.score_stream(stream).sum()  # noqa: E731
    else:
        score = lambda: loaded.log_probs(texts).sum()  # noqa: E731
    return {**best_of(score, tokens), "opening_ms": 1000 * opened}


def score_kenlm(arpa: str, lines: str) -> dict[str, float]:
    import kenlm

    model = kenlm.Model(arpa)
    texts = Path(lines).read_text(encoding="utf-8").splitlines()
    tokens = sum(len(text.split()) + 1 for text in texts)
    return best_of(lambda: sum(map(model.score, texts)), tokens)


def step_windrow(model: str, lines: str) -> dict[str, float]:
    import windrow

    loaded = windrow.load(model)
    texts = words_of(lines)

    def score() -> float:
        total = 0.0
        for words in texts:
            state = loaded.start()
            for word in words:
                log10_prob, state = loaded.score_next(state, word)
                total += log10_prob
        return total

    return best_of(score, sum(map(len, texts)))


def step_batches(model: str, lines: str) -> dict[str, float]:
    """The n-th words of all lines at once; lines that have ended leave the batch."""
    import numpy as np

    import windrow

    loaded = windrow.load(model)
    texts = sorted((loaded.vocabulary.encode(words) for words in words_of(lines)), key=len, reverse=True)
    columns = [
        np.array([ids[n] for ids in texts if len(ids) > n], np.int64) for n in range(max(map(len, texts), default=0))
    ]

    def score() -> float:
        total, states = 0.0, loaded.score_next_batch([loaded.start()] * len(texts), ["<s>"] * len(texts))[1]
        for column in columns:
            scores, states = loaded.score_next_batch(states[: len(column)], column)
            total += scores.sum()
        return total

    return best_of(score, sum(map(len, texts)))


def step_compat(arpa: str, lines: str) -> dict[str, float]:
    from windrow.compat import kenlm

    return step_with(kenlm, arpa, lines)


def step_kenlm(arpa: str, lines: str) -> dict[str, float]:
    import kenlm

    return step_with(kenlm, arpa, lines)


def step_with(kenlm: Any, arpa: str, lines: str) -> dict[str, float]:
    model = kenlm.Model(arpa)
    texts = words_of(lines)

    def score() -> float:
        total = 0.0
        for words in texts:
            state = kenlm.State()
            model.BeginSentenceWrite(state)
            for word in words:
                out_state = kenlm.State()
                total += model.BaseScore(state, word, out_state)
                state = out_state
        return total

    return best_of(score, sum(map(len, texts)))


def words_of(lines: str) -> list[list[str]]:
    """The words of each line, and ``</s>``."""
    return [[*line.split(), "</s>"] for line in Path(lines).read_text(encoding="utf-8").splitlines()]


def best_of(score: Callable[[], float], tokens: int) -> dict[str, float]:
    """The second to fourth time; the first reads the model into memory."""
    total, seconds = float(score()), []
    for _ in range(3):
        started = time.perf_counter()
        score()
        seconds.append(time.perf_counter() - started)
    return {"seconds": min(seconds), "tokens_per_second": tokens / min(seconds), "log10_prob": total}


# --- filtering


def filter_windrow(model: str, lines: str, kept: str, workers: int) -> dict[str, float]:
    """``windrow lm select`` without the start of Python."""
    import contextlib
    import io

    from windrow.cli import main as windrow

    words = ["lm", "select", model, lines, "--max-perplexity", str(MOST_PERPLEXITY), "--workers", str(workers)]

    def select() -> None:
        with (
            Path(kept).open("w", encoding="utf-8") as out,
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            windrow(words, standalone_mode=False)

    return lines_a_second(select, lines, kept)


def filter_kenlm(arpa: str, lines: str, kept: str) -> dict[str, float]:
    import kenlm

    model = kenlm.Model(arpa)

    def select() -> None:
        with Path(lines).open(encoding="utf-8") as text, Path(kept).open("w", encoding="utf-8") as out:
            for line in text:
                if model.perplexity(line.removesuffix("\n")) <= MOST_PERPLEXITY:
                    out.write(line)

    return lines_a_second(select, lines, kept)


def lines_a_second(select: Callable[[], None], lines: str, kept: str) -> dict[str, float]:
    """The best of the second to fourth time, and how many lines were kept."""
    count = lines_of(lines)
    select()
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        select()
        seconds.append(time.perf_counter() - started)
    return {"seconds": min(seconds), "lines_per_second": count / min(seconds), "kept": lines_of(kept)}


def repeat_lines(source: str, target: str, least: int) -> None:
    """A text over and over: opening the model should not count."""
    text = Path(source).read_text(encoding="utf-8")
    Path(target).write_text(text * (1 + least // text.count("\n")), encoding="utf-8")


def lines_of(file: str) -> int:
    with Path(file).open(encoding="utf-8") as text:
        return sum(1 for _ in text)


def filter_cases(folder: Path, orders: list[int], small: bool, least: int) -> list[Case]:
    cases = []
    for name in [*(f"order{order}" for order in orders), *(["small"] if small else [])]:
        text, long = ("small20.txt" if name == "small" else "first20.txt"), folder / f"{name}-long.txt"
        prepare("ngram:repeat_lines", source=str(folder / text), target=str(long), least=least)
        given = {"lines": str(long), "kept": str(folder / "kept.txt")}
        ours: dict[str, Any] = {"model": str(folder / f"{name}.safetensors"), **given}
        theirs = {"arpa": str(folder / f"{name}.arpa"), **given}
        sides = [
            Side("windrow", "ngram:filter_windrow", {**ours, "workers": 1}),
            Side("windrow, two workers", "ngram:filter_windrow", {**ours, "workers": 2}),
            Side("a loop over kenlm", "ngram:filter_kenlm", theirs, absent=absence("kenlm")),
        ]
        cases.append(Case(f"{name}, lines of 20 tokens", sides))
    return cases


def write_first_lines(source: str, target: str, short: str) -> None:
    """The first lines of a text, and the same in lines of 20 tokens."""
    with Path(source).open(encoding="utf-8") as text:
        taken = [line.split() for line, _ in zip(text, range(SCORED_LINES), strict=False)]
    Path(target).write_text("".join(" ".join(words) + "\n" for words in taken), encoding="utf-8")
    twenties = [words[at : at + 20] for words in taken for at in range(0, len(words), 20)]
    Path(short).write_text("".join(" ".join(words) + "\n" for words in twenties), encoding="utf-8")


def scoring_cases(folder: Path, orders: list[int], small: bool) -> list[Case]:
    cases = []
    names = [f"order{order}" for order in orders] + (["small"] if small else [])
    for name in names:
        model, arpa = str(folder / f"{name}.safetensors"), str(folder / f"{name}.arpa")
        prepare("ngram:write_arpa", model=model, arpa=arpa)
        text = "small" if name == "small" else "first"
        for way, stem in (("ids", text), ("strings", text), ("strings", f"{text}20")):
            given = {"lines": str(folder / f"{stem}.txt")}
            label = "lines of 20 tokens" if stem.endswith("20") else way
            ours = Side("windrow", "ngram:score_windrow", {"model": model, "way": way, **given})
            theirs = Side("kenlm", "ngram:score_kenlm", {"arpa": arpa, **given}, absent=absence("kenlm"))
            smaller = Side(
                "windrow, compact", "ngram:score_windrow", {"model": compact_name(model), "way": way, **given}
            )
            cases.append(Case(f"{name}, {label}", [ours, smaller, theirs]))
        lines = str(folder / f"{text}20.txt")
        own, same = {"model": model, "lines": lines}, {"arpa": arpa, "lines": lines}
        sides = [
            Side("windrow", "ngram:step_windrow", own),
            Side("windrow.compat.kenlm", "ngram:step_compat", same),
            Side("windrow, in batches", "ngram:step_batches", own),
            Side("kenlm", "ngram:step_kenlm", same, absent=absence("kenlm")),
        ]
        cases.append(Case(f"{name}, steps", sides))
    return cases


def main() -> None:
    parser = argument_parser(__doc__, "ngram")
    add_text_options(parser)
    parser.add_argument("--orders", nargs="+", type=int, default=[3, 5])
    arguments = parser.parse_args()
    data = data_folder(arguments, TEXT)
    settings = {"words": arguments.words, "scored_lines": SCORED_LINES}
    with session() as folder:
        lines = str(folder / "lines.txt")
        prepare("data:write_lines", source=str(data / TEXT), target=lines, words=arguments.words)
        prepare("data:write_lines", source=str(data / TEXT), target=str(folder / "few.txt"), words=NLTK_TOKENS)
        prepare("ngram:fit_windrow", lines=str(folder / "few.txt"))  # compiles
        record = measure(
            "From text to an n-gram model: processor seconds",
            Measure("seconds", "CPU-s", higher_is_better=False, columns=("peak_mb", "bytes_per_ngram", "ngrams")),
            estimation_cases(lines, folder, arguments.orders, fits=True),
            rounds=arguments.rounds,
            settings=settings,
            output=arguments.output.with_name(arguments.output.name + "_train"),
        )
        write_result(record, arguments.output.with_name(arguments.output.name + "_train"))
        write = {"target": str(folder / "first.txt"), "short": str(folder / "first20.txt")}
        prepare("ngram:write_first_lines", source=lines, **write)
        has_small = (data / SMALL).is_file()
        if has_small:
            given = {"target": str(folder / "small.txt"), "short": str(folder / "small20.txt")}
            prepare("ngram:write_first_lines", source=str(data / SMALL), **given)
            small = str(folder / "small.safetensors")
            prepare("ngram:train_windrow", lines=str(data / SMALL), model=small, order=3)
            prepare("ngram:train_windrow", lines=str(data / SMALL), model=compact_name(small), order=3, compact=True)
        record = measure(
            "Scoring text with an n-gram model: tokens a second",
            Measure("tokens_per_second", "tokens/s", columns=("opening_ms", "log10_prob", "peak_mb")),
            scoring_cases(folder, arguments.orders, has_small),
            rounds=arguments.rounds,
            settings=settings,
            output=arguments.output.with_name(arguments.output.name + "_score"),
        )
        write_result(record, arguments.output.with_name(arguments.output.name + "_score"))
        record = measure(
            "Filtering lines by perplexity: lines a second",
            Measure("lines_per_second", "lines/s", columns=("kept", "peak_mb")),
            filter_cases(folder, arguments.orders, has_small, min(FILTERED_LINES, arguments.words or FILTERED_LINES)),
            rounds=arguments.rounds,
            settings=settings,
            output=arguments.output.with_name(arguments.output.name + "_filter"),
        )
    write_result(record, arguments.output.with_name(arguments.output.name + "_filter"))


if __name__ == "__main__":
    script(main)
