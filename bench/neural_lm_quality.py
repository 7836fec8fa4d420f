"""How well do the neural language models predict WikiText-2, alone and mixed with an n-gram model?

    python bench/neural_lm_quality.py                         # every row, which takes hours
    python bench/neural_lm_quality.py --rows elman lstm-2x200-tied --models models
    python bench/neural_lm_quality.py --words 20000 --epochs 1 -o /tmp/quick

A row is a recipe (RECIPES): it is trained on train.txt, the epoch that predicts valid.txt best is kept, and test.txt
is scored with the exact softmax. Weights of a mixture are found on valid.txt. The vocabulary is all of train.txt,
``<unk>`` is a word among others, ``</s>`` is predicted at the end of each line. "carried" and "reset": what becomes of
the hidden state there. The result has every row as soon as it is done, and keeps those of other runs with the same
settings. ``--models`` names a folder for the trained models: a row that is there is only evaluated.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness import (
    BenchError,
    Record,
    Side,
    add_text_options,
    argument_parser,
    data_folder,
    header,
    prepare,
    run,
    script,
    session,
    write_json,
)

FOLDER = "wikitext-2"
PARTS = ("train", "valid", "test")
BASELINE = "kn5"
TINY = [["to", "be", "or", "not", "to", "be"]] * 30

Options = dict[str, Any]

_WINDOW: Options = {"embedding_size": 100, "hidden_size": 100, "epochs": 3, "learning_rate": 2e-3, "dropout": 0.1}
_SAMPLED: Options = {"output_layer": "nce", "objective": "sampled-softmax", "noise_words": 2048}
_FAST: Options = {"cell": "elman", "optimizer": "sgd", "clip": 1.0, "epochs": 10}
_ELMAN: Options = {"cell": "elman", "tied": True, "dropout": 0.1, "learning_rate": 2e-3, "epochs": 12, "clip": 1.0}
_LSTM: Options = {"cell": "lstm", "tied": True, "dropout": 0.2, "learning_rate": 2e-3, "epochs": 10, "clip": 1.0}

RECIPES: dict[str, tuple[str, Options]] = {  # row: class, parameters
    BASELINE: ("NGramLM", {"order": 5}),
    "window": ("WindowLM", _WINDOW),
    "window-nce": ("WindowLM", {**_WINDOW, "output_layer": "nce", "epochs": 4}),
    "window-sampled": (
        "WindowLM",
        {
            **_WINDOW,
            "hidden_size": 200,
            "dropout": 0.2,
            "epochs": 5,
            "output_layer": "nce",
            "objective": "sampled-softmax",
        },
    ),
    "window-hs": ("WindowLM", {**_WINDOW, "output_layer": "hierarchical"}),
    "elman": ("RecurrentLM", {**_ELMAN, **_SAMPLED}),
    "elman-nce": ("RecurrentLM", {**_FAST, "output_layer": "nce", "noise_words": 256, "learning_rate": 1.0}),
    "elman-hs": ("RecurrentLM", {**_FAST, "output_layer": "hierarchical", "learning_rate": 2.0}),
    "gru": ("RecurrentLM", {**_LSTM, **_SAMPLED, "cell": "gru"}),
    "lstm": ("RecurrentLM", {**_LSTM, **_SAMPLED}),
    "lstm-reset": ("RecurrentLM", {**_LSTM, **_SAMPLED, "state": "reset"}),
    "lstm-2x200-tied": ("RecurrentLM", {**_LSTM, **_SAMPLED, "layers": 2, "epochs": 20}),
}

COLUMNS = {
    "perplexity": "{:.2f}",
    "mixed": "{:.2f}",
    "baseline_weight": "{:.2f}",
    "gain_percent": "{:.1f} %",
    "words_per_second": "{:,.0f}",
    "train_cpu_seconds": "{:,.0f}",
    "train_seconds": "{:,.0f}",
    "workers": "{}",
    "parameters": "{:,.0f}",
}
HEADS = ("perplexity", "mixed with KN5", "KN5's weight", "gain", "words/s", "CPU-s", "seconds", "threads", "parameters")


# --- one row, in a process of its own


def do_row(row: str, options: Options, texts: str, models: str, workers: int) -> dict[str, Any]:
    """Train (or find) the model of a row, and score the test text with it, alone and in a mixture."""
    model, trained = _model(row, options, Path(texts), Path(models), workers)
    test = str(Path(texts) / "test.txt")
    figures = {**trained, "perplexity": model.perplexity(test), "state": _state(model)}
    if row != BASELINE:
        figures |= _mixed(model, Path(texts), Path(models), figures["perplexity"])
    return figures


def _mixed(model: Any, texts: Path, models: Path, alone: float) -> dict[str, float]:
    """The perplexity of a mixture with the n-gram model, and how far it is below the better of the two."""
    import windrow

    baseline = windrow.load(_file(models, BASELINE))
    test = str(texts / "test.txt")
    mixture = windrow.MixtureLM([baseline, model]).fit(str(texts / "valid.txt"))
    mixed, better = mixture.perplexity(test), min(alone, baseline.perplexity(test))
    weight = float(mixture.weights_[0])
    return {"mixed": mixed, "baseline_weight": weight, "gain_percent": 100 * (1 - mixed / better)}


def _model(row: str, options: Options, texts: Path, models: Path, workers: int) -> tuple[Any, dict[str, Any]]:
    import windrow

    file = _file(models, row)
    described = file.with_suffix(".json")
    if file.exists() and described.exists():
        known = json.loads(described.read_text())
        if known["options"] != options:
            raise BenchError(f"{file} was trained with {known['options']}, not {options}; delete it, or take it back")
        return windrow.load(file), known["figures"]
    if row == BASELINE:
        model, figures = _timed(lambda: windrow.NGramLM(**options).fit(str(texts / "train.txt")))
        figures["parameters"] = sum(model.table_.sizes)
    else:
        model, figures = _train_network(row, options, texts, workers)
    model.save(file)
    described.write_text(json.dumps({"options": options, "figures": figures}, indent=1) + "\n")
    return model, figures


def _train_network(row: str, options: Options, texts: Path, workers: int) -> tuple[Any, dict[str, Any]]:
    """Train with warm kernels and so many threads of BLAS."""
    import windrow

    kind = getattr(windrow, RECIPES[row][0])
    kind(**{**options, "epochs": 1}).fit(TINY, valid=TINY)
    estimator = kind(**{**options, "workers": workers})
    train, valid = (str(texts / f"{part}.txt") for part in ("train", "valid"))
    model, figures = _timed(lambda: estimator.fit(train, valid=valid))
    figures["words_per_second"] = model.history_[-1]["per_second"]
    figures |= {"history": model.history_, "workers": workers}
    figures["parameters"] = len(model.network_.values())
    return model, figures


def _timed(train: Callable[[], Any]) -> tuple[Any, dict[str, Any]]:
    """Wall and processor seconds, reading the text and validation included."""
    started, started_cpu = time.perf_counter(), time.process_time()
    model = train()
    return model, {
        "train_seconds": time.perf_counter() - started,
        "train_cpu_seconds": time.process_time() - started_cpu,
    }


def _state(model: Any) -> str:
    if not hasattr(model, "state"):
        return ""
    return "carried" if model.carries_over else "reset"


def _file(models: Path, row: str) -> Path:
    return models / f"{row}.safetensors"


# --- texts


def write_texts(source: str, target: str, words: int | None) -> dict[str, float]:
    """The three texts; the first lines of each, up to so many words of the training text and a tenth of the others."""
    sizes = {}
    for part in PARTS:
        limit = words and (words if part == "train" else words // 10)
        with Path(source, f"{part}.txt").open(encoding="utf-8") as text:
            lines, count = [], 0
            for line in text:
                lines.append(line)
                count += len(line.split())
                if limit and count >= limit:
                    break
        Path(target, f"{part}.txt").write_text("".join(lines), encoding="utf-8")
        sizes[f"{part}_words"] = count
    return sizes


# --- all rows


def table(results: dict[str, dict[str, Any]]) -> str:
    """A row a recipe, in the order of RECIPES."""
    lines = [f"| | state | {' | '.join(HEADS)} |", f"|---|---|{'---:|' * len(HEADS)}"]
    for row in filter(results.__contains__, RECIPES):
        figures = results[row]
        cells = [form.format(figures[name]) if name in figures else "" for name, form in COLUMNS.items()]
        lines.append(f"| {row} | {figures['state']} | {' | '.join(cells)} |")
    recipes = [f"- {row}: {results[row]['recipe']}" for row in RECIPES if row in results]
    return "\n".join([*lines, "", *recipes]) + "\n"


def shown_recipe(row: str, options: Options) -> str:
    """The constructor call of a row."""
    arguments = ", ".join(f"{name}={value!r}" for name, value in options.items())
    return f"`{RECIPES[row][0]}({arguments})`"


def earlier_results(output: Path, settings: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The rows of an earlier run with the same settings."""
    path = output.with_name(output.name + ".json")
    record = json.loads(path.read_text()) if path.exists() else {}
    return record["results"] if record.get("settings") == settings else {}


def row_options(row: str, epochs: int | None) -> Options:
    options = RECIPES[row][1]
    return {**options, "epochs": epochs} if epochs and "epochs" in options else options


def write(record: Record, output: Path) -> None:
    record["table"] = table(record["results"])  # for report.py
    write_json(record, output)
    output.with_name(output.name + ".md").write_text(record["table"], encoding="utf-8")


def main() -> None:
    parser = argument_parser(__doc__, "neural_lm_quality", rounds=1)
    add_text_options(parser)
    parser.add_argument("--rows", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--models", type=Path, help="a folder that keeps the trained models (default: none does)")
    parser.add_argument("--epochs", type=int, help="for a quick try: other than the recipes'")
    parser.add_argument("--workers", type=int, default=1, help="threads of the neural models (default: 1)")
    arguments = parser.parse_args()
    if arguments.rounds != 1:
        raise BenchError("a row is trained once, with the seed of its recipe; leave out --rounds")
    data = data_folder(arguments, *(f"{FOLDER}/{part}.txt" for part in PARTS))
    settings = {"words": arguments.words, "epochs": arguments.epochs}
    results = earlier_results(arguments.output, settings)
    record = {**header("Perplexity of WikiText-2's test text", settings), "results": results}
    with session() as folder:
        prepare("neural_lm_quality:write_texts", source=str(data / FOLDER), target=str(folder), words=arguments.words)
        models = (arguments.models or folder).resolve()
        models.mkdir(parents=True, exist_ok=True)
        for row in dict.fromkeys([BASELINE, *arguments.rows]):
            options = row_options(row, arguments.epochs)
            job = {"row": row, "options": options, "texts": str(folder), "models": str(models)}
            job["workers"] = arguments.workers
            results[row] = run(Side(row, "neural_lm_quality:do_row", job, threads=arguments.workers))
            results[row] |= {"recipe": shown_recipe(row, options)}
            print(row, {name: results[row][name] for name in COLUMNS if name in results[row]}, flush=True)
            write(record, arguments.output)
    print(table(results))


if __name__ == "__main__":
    script(main)
