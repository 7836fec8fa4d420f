"""How long does the whole job take, and how much memory: from a text file to a file of vectors?

    python bench/command_speed.py
    python bench/command_speed.py --words 300000 --epochs 1 --rounds 1
    python bench/command_speed.py --text articles.txt

``windrow vectors train`` (its kernels compiled before) beside gensim scripts that count, train and save, fed in both of
gensim's ways. Whole processes: start, imports, reading, training, writing.
"""

from __future__ import annotations

import sys
from pathlib import Path

from data import COMMON, MODES, TEXT
from harness import (
    Case,
    Figures,
    Measure,
    Side,
    add_text_options,
    argument_parser,
    data_folder,
    measure,
    prepare,
    run,
    script,
    session,
    write_result,
)
from peers import absence


def gensim_script(feed: str, lines: str, output: str, workers: int, epochs: int) -> None:
    from gensim.models import Word2Vec
    from gensim.models.word2vec import LineSentence

    options = {**COMMON, **MODES["skipgram-ns"], "workers": workers, "epochs": epochs}
    text = {"corpus_file": lines} if feed == "corpus_file" else {"sentences": LineSentence(lines)}
    Word2Vec(**text, **options).wv.save(output)


def windrow_command(lines: str, output: str, workers: int, epochs: int) -> list[str]:
    options = {
        "model": "skipgram",
        "size": COMMON["vector_size"],
        "window": COMMON["window"],
        "sample": COMMON["sample"],
        "min-count": COMMON["min_count"],
        "negative": 5,
        "alpha": 0.025,
        "workers": workers,
        "epochs": epochs,
    }
    command = [sys.executable, "-m", "windrow", "vectors", "train", lines, "-o", output]
    return [*command, *(text for name, value in options.items() for text in (f"--{name}", str(value)))]


def parameters_mb(vectors: str) -> Figures:
    """Of both tables, input and output, in float32."""
    from windrow import WordVectors

    return {"mb": 2 * 4 * WordVectors.load(vectors).vectors.size / 1e6}


def main() -> None:
    parser = argument_parser(__doc__, "command_speed")
    add_text_options(parser)
    parser.add_argument("--text", type=Path, help="train on this file, instead of wiki100m.txt in lines of 1,000 words")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    with session() as folder:
        lines, vectors = str(arguments.text or folder / "lines.txt"), str(folder / "windrow.safetensors")
        if arguments.text is None:
            source = str(data_folder(arguments, TEXT) / TEXT)
            prepare("data:write_lines", source=source, target=lines, words=arguments.words)
        given = {"lines": lines, "workers": arguments.workers, "epochs": arguments.epochs}
        windrow = Side("windrow vectors train", windrow_command(**given, output=vectors))
        run(Side("warm-up", [sys.executable, "-m", "windrow", "warmup"]))
        gensim = [
            Side(f"gensim, {feed}", "command_speed:gensim_script",
                 {"feed": feed, "output": str(folder / "gensim.kv"), **given}, absent=absence("gensim"))
            for feed in ("LineSentence", "corpus_file")
        ]  # fmt: skip
        record = measure(
            "The whole job, from text to a file of vectors: seconds",
            Measure("wall_seconds", "seconds", higher_is_better=False),
            [Case("skipgram-ns", [windrow, *gensim])],
            rounds=arguments.rounds,
            settings={**COMMON, **given, "lines": Path(lines).name, "words": arguments.words,
                      "warm_up": "windrow warmup"},
            output=arguments.output,
        )  # fmt: skip
        parameters = prepare("command_speed:parameters_mb", vectors=vectors)["mb"]
    above = record["summary"][0]["medians"]["peak_mb"] - parameters
    record["settings"]["parameters_mb"] = parameters
    record["notes"].append(f"The parameters take {parameters:.0f} MB; windrow's peak is {above:.0f} MB above them.")
    write_result(record, arguments.output)


if __name__ == "__main__":
    script(main)
