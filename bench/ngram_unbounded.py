"""What does an n-gram model without a highest order cost, and what is it worth, beside one of order 5?

    python bench/ngram_unbounded.py
    python bench/ngram_unbounded.py --words 300000 --rounds 1

Training: from text to a finished file; processor seconds of the whole process, imports and all, the kernels compiled
before. Bytes are those of the file, for each word of the text.
Prediction: both are trained on WikiText-2 and predict its test text, which gives the perplexity and tokens a second.
"""

from __future__ import annotations

import time
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

TRAIN, TEST = "wikitext-2/train.txt", "wikitext-2/test.txt"
SECONDS = Measure("seconds", "CPU-s", higher_is_better=False, columns=("peak_mb", "bytes_per_token"))
TOKENS = Measure("tokens_per_second", "tokens/s", columns=("perplexity", "peak_mb"))


def train(lines: str, model: str, unbounded: bool) -> dict[str, float]:
    import windrow

    corpus = windrow.Corpus.build(lines)
    new_model(unbounded).fit(corpus).save(model)
    return {"seconds": time.process_time(), "bytes_per_token": Path(model).stat().st_size / corpus.tokens}


def new_model(unbounded: bool) -> Any:
    from windrow import NGramLM, UnboundedNGramLM

    return UnboundedNGramLM() if unbounded else NGramLM(5)


def predict(train_lines: str, test_lines: str, unbounded: bool) -> dict[str, float]:
    model = new_model(unbounded).fit(train_lines)
    model.evaluate(test_lines)
    started = time.process_time()
    found = model.evaluate(test_lines)
    seconds = time.process_time() - started
    return {"tokens_per_second": found.tokens / seconds, "perplexity": found.perplexity}


def cases(label: str, call: str, **arguments: Any) -> list[Case]:
    names = {"unbounded": True, "order 5": False}
    return [Case(label, [Side(name, call, {**arguments, "unbounded": one}) for name, one in names.items()])]


def main() -> None:
    parser = argument_parser(__doc__, "ngram_unbounded")
    add_text_options(parser)
    arguments = parser.parse_args()
    data = data_folder(arguments, TEXT)
    train_lines, test_lines = str(data / TRAIN), str(data / TEST)
    with session() as folder:
        lines, model = str(folder / "lines.txt"), str(folder / "model.safetensors")
        prepare("data:write_lines", source=str(data / TEXT), target=lines, words=arguments.words)
        for unbounded in (True, False):  # compiles
            prepare("ngram_unbounded:predict", train_lines=train_lines, test_lines=test_lines, unbounded=unbounded)
        trained = cases("train", "ngram_unbounded:train", lines=lines, model=model)
        predicted = cases("WikiText-2", "ngram_unbounded:predict", train_lines=train_lines, test_lines=test_lines)
        for name, title, found, rows in (
            ("train", "From text to a model file: processor seconds", SECONDS, trained),
            ("predict", "Predicting WikiText-2: tokens a second", TOKENS, predicted),
        ):
            output = arguments.output.with_name(f"{arguments.output.name}_{name}")
            settings = {"words": arguments.words}
            record = measure(title, found, rows, rounds=arguments.rounds, settings=settings, output=output)
            write_result(record, output)


if __name__ == "__main__":
    script(main)
