"""How well does a mixture of models that only count predict WikiText-2?

    python bench/count_mixture.py
    python bench/count_mixture.py --words 100000 -o /tmp/quick

The parts (PARTS) are n-grams of words, of words with gaps between them, and of classes, and caches. They are trained on
train.txt, the weights of the mixture are fitted to valid.txt, and both texts are scored once: by each part alone, by
the mixture of the parts up to that row, and by the mixture of all but that part. All settings were chosen by the
perplexity of valid.txt. The vocabulary is all of train.txt, ``<unk>`` is a word among others, ``</s>`` is predicted at
the end of each line; caches remember what was scored before, also across articles.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
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
SPLITS = ("train", "valid", "test")
Options = dict[str, Any]

PARTS: dict[str, tuple[str, Options]] = {  # row: class, parameters
    "kn5": ("NGramLM", {"order": 5}),
    "skips-1-2-4": ("SkipNGramLM", {"places": (1, 2, 4)}),
    "skips-1-3-4": ("SkipNGramLM", {"places": (1, 3, 4)}),
    "skips-2-3-4": ("SkipNGramLM", {"places": (2, 3, 4)}),
    "classes-300": ("ClassLM", {"classes": 300, "iterations": 8}),
    "classes-1000": ("ClassLM", {"classes": 1000, "iterations": 8}),
    "cache-words": ("CacheLM", {"size": 3000, "decay": 0.0025}),
    "cache-4-grams": ("CacheLM", {"size": 6000, "decay": 0.00067, "order": 4}),
}
HEADS = ("valid", "test", "valid, rows so far", "test, rows so far", "test, all but it", "weight", "CPU-s to train")
COLUMNS = {
    "valid": "{:.2f}",
    "test": "{:.2f}",
    "valid_so_far": "{:.2f}",
    "test_so_far": "{:.2f}",
    "test_without": "{:.2f}",
    "weight": "{:.3f}",
    "train_cpu_seconds": "{:.1f}",
}


def do_mixture(texts: str, parts: dict[str, tuple[str, Options]]) -> dict[str, Any]:
    """Train the parts, fit the weights, and score both texts."""
    started = time.process_time()
    models: dict[str, Any] = {}
    rows: dict[str, dict[str, float]] = {}
    for row, (kind, options) in parts.items():
        before = time.process_time()
        models[row] = _trained(kind, options, f"{texts}/train.txt", models)
        rows[row] = {"train_cpu_seconds": time.process_time() - before}
    for row, model in models.items():
        rows[row] |= {split: model.perplexity(f"{texts}/{split}.txt") for split in SPLITS[1:]}
    names = list(models)
    for count in range(2, len(names) + 1):
        mixture = _fitted([models[name] for name in names[:count]], texts)
        for split in SPLITS[1:]:
            rows[names[count - 1]][f"{split}_so_far"] = mixture.perplexity(f"{texts}/{split}.txt")
    seconds = time.process_time() - started
    for name, weight in zip(names, mixture.weights_.tolist(), strict=True):
        without = _fitted([models[other] for other in names if other != name], texts)
        rows[name] |= {"weight": weight, "test_without": without.perplexity(f"{texts}/test.txt")}
    return {"rows": rows, "train_seconds": sum(row["train_cpu_seconds"] for row in rows.values()), "seconds": seconds}


def _trained(kind: str, options: Options, train: str, models: dict[str, Any]) -> Any:
    """A part; caches need no training, only the words of the first one."""
    import windrow
    from windrow.lm.cache import CacheLM

    if kind == "CacheLM":
        return CacheLM(next(iter(models.values())).vocabulary, **options)
    return getattr(windrow, kind)(**options).fit(train)


def _fitted(parts: Sequence[Any], texts: str) -> Any:
    import windrow

    return windrow.MixtureLM(parts).fit(f"{texts}/valid.txt")


def compile_all(texts: str) -> dict[str, float]:
    """Compile the kernels that the parts need, on few words."""
    small = {row: (kind, _small(options)) for row, (kind, options) in PARTS.items()}
    lines = Path(texts, "train.txt").read_text(encoding="utf-8").splitlines()[:400]
    folder = Path(texts, "small")
    folder.mkdir(exist_ok=True)
    for split in SPLITS:
        (folder / f"{split}.txt").write_text("\n".join(lines), encoding="utf-8")
    do_mixture(str(folder), small)
    return {}


def _small(options: Options) -> Options:
    return {**options, **({"classes": 9} if "classes" in options else {})}


def table(rows: dict[str, dict[str, Any]]) -> str:
    """A row per part, and the recipes."""
    lines = [f"| | {' | '.join(HEADS)} |", f"|---|{'---:|' * len(HEADS)}"]
    for row, figures in rows.items():
        cells = [form.format(figures[name]) if name in figures else "" for name, form in COLUMNS.items()]
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *(f"- {row}: {shown_recipe(row)}" for row in rows)]) + "\n"


def shown_recipe(row: str) -> str:
    """The constructor call of a part."""
    kind, options = PARTS[row]
    return f"`{kind}({', '.join(f'{name}={value!r}' for name, value in options.items())})`"


def write(record: Record, output: Path) -> None:
    record["table"] = table(record["results"]["rows"])  # for report.py
    write_json(record, output)
    output.with_name(output.name + ".md").write_text(record["table"], encoding="utf-8")


def main() -> None:
    parser = argument_parser(__doc__, "count_mixture", rounds=1)
    add_text_options(parser)
    arguments = parser.parse_args()
    if arguments.rounds != 1:
        raise BenchError("a mixture is trained once, with the same result each time; leave out --rounds")
    data = data_folder(arguments, *(f"{FOLDER}/{split}.txt" for split in SPLITS))
    with session() as folder:
        source = str(data / FOLDER)
        prepare("neural_lm_quality:write_texts", source=source, target=str(folder), words=arguments.words)
        prepare("count_mixture:compile_all", texts=str(folder))
        found = run(Side("mixture", "count_mixture:do_mixture", {"texts": str(folder), "parts": PARTS}))
        record = {**header("A mixture of counts on WikiText-2", {"words": arguments.words}), "results": found}
        write(record, arguments.output)
    print(record["table"])


if __name__ == "__main__":
    script(main)
