"""The commands that ``faults.py`` stops, on a small artificial language, and how their results are compared."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WINDROW = [sys.executable, "-m", "windrow"]
# What a clock or a name says, in the headers of files and in logs; all else must be equal.
_OF_THE_RUN = ("seconds", "per_second", "total_seconds")


@dataclass(frozen=True)
class Command:
    """A command without its output.

    ``words``: @NAME is a file of the inputs, OUT the output, OUT.x a file beside it, which is not compared.
    ``output``: what it writes, beside the checkpoint and logs; "" for standard output. ``resumes``: it has --resume.
    ``stdin``: a file of the inputs that it reads. ``keeps_best``: an interrupt writes the best model so far, which may
    be the one at the end.
    """

    words: str
    output: str = ""
    resumes: bool = False
    stdin: str = ""
    keeps_best: bool = False

    def arguments(self, inputs: Path, folder: Path, *, resume: bool = False) -> list[str]:
        """The command line, with inputs from one folder, and the output in another."""
        words = [str(inputs / word[1:]) if word.startswith("@") else word for word in self.words.split()]
        given = ["-o", str(folder / self.output)] if self.output and "OUT" not in words else []
        words = [f"{folder / self.output}{word[3:]}" if word.startswith("OUT") else word for word in words]
        return [*WINDROW, *words, *given, *(["--resume"] if resume else [])]


_NETWORK = "--hidden 24 --embedding 24 --epochs 8 --valid @test.txt"
_FURTHER = "--epochs 8 --valid @test.txt --keep-training-state --continue-from"
_WORD2VEC = "vectors train @train.txt --min-count 1 --size 32 --checkpoint-every 0.2"
TRAINERS = {
    "vectors train, skip-gram, noise": Command(f"{_WORD2VEC} --workers 1 --epochs 20", "v.safetensors", True),
    "vectors train, skip-gram, hierarchical": Command(
        f"{_WORD2VEC} --workers 1 --epochs 10 --loss hs", "v.safetensors", True
    ),
    "vectors train, skip-gram, softmax": Command(
        f"{_WORD2VEC.replace('train.txt', 'valid.txt')} --workers 1 --epochs 6 --loss softmax", "v.safetensors", True
    ),
    "vectors train, CBOW, noise": Command(f"{_WORD2VEC} --workers 1 --epochs 30 --model cbow", "v.safetensors", True),
    "vectors train, CBOW, hierarchical": Command(
        f"{_WORD2VEC} --workers 1 --epochs 16 --model cbow --loss hs", "v.safetensors", True
    ),
    "vectors train, CBOW, softmax": Command(
        f"{_WORD2VEC.replace('train.txt', 'valid.txt')} --workers 1 --epochs 6 --model cbow --loss softmax",
        "v.safetensors", True,
    ),
    "vectors train, 2 deterministic workers": Command(
        f"{_WORD2VEC} --workers 2 --deterministic --epochs 20", "v.safetensors", True
    ),
    "vectors train, sub-words": Command(
        f"{_WORD2VEC} --workers 1 --epochs 6 --subwords --buckets 2000", "v.fasttext", True
    ),
    "vectors train, continued": Command(
        f"{_WORD2VEC} --workers 1 --epochs 20 --keep-training-state --continue-from @further.safetensors",
        "v.safetensors", True,
    ),
    "vectors train, vectors given, a log and a report": Command(
        f"{_WORD2VEC} --workers 1 --epochs 20 --vectors @vectors.safetensors --log-json OUT.log --report OUT.html",
        "v.safetensors", True,
    ),
    "vectors train, a recipe": Command(f"{_WORD2VEC} --workers 1 --epochs 20 --recipe blend", "v.safetensors", True),
    "vectors count": Command("vectors count @train.txt --min-count 1 --size 32", "v.safetensors"),
    "vectors count, over files": Command(
        "vectors count @train.txt --min-count 1 --size 32 --memory 1M", "v.safetensors"
    ),
    "lm train ngram": Command("lm train ngram @train.txt --order 4 --discount-fallback", "m.safetensors"),
    "lm train ngram, over files": Command(
        "lm train ngram @train.txt --order 4 --discount-fallback --memory 1M", "m.safetensors"
    ),
    "lm train class": Command("lm train class @train.txt --classes 9 --order 3", "m.safetensors"),
    "lm train skip": Command("lm train skip @train.txt --discount-fallback", "m.safetensors"),
    "lm train ngram, unbounded": Command(
        "lm train ngram @train.txt --order inf --discount-fallback", "m.safetensors"
    ),
    "lm train ngram, ARPA": Command("lm train ngram @train.txt --order 3 --discount-fallback", "m.arpa"),
    "lm train rnn": Command(f"lm train rnn @valid.txt {_NETWORK} --dropout 0.1 --layers 2", "m.safetensors", True),
    "lm train window": Command(f"lm train window @valid.txt {_NETWORK}", "m.safetensors", True),
    "lm train rnn, continued": Command(f"lm train rnn @valid.txt {_FURTHER} @rnn.safetensors", "m.safetensors", True),
    "lm train window, continued": Command(
        f"lm train window @valid.txt {_FURTHER} @window.safetensors --log-json OUT.log --report OUT.html",
        "m.safetensors", True,
    ),
    "lm train ngram, with counts": Command(
        "lm train ngram @train.txt --order 4 --discount-fallback --keep-counts", "m.safetensors"
    ),
    "lm mix": Command("lm mix @ngram.safetensors @window.safetensors --tune @valid.txt", "m.safetensors"),
    "tag train": Command(
        "tag train @ner-valid.conll --epochs 8 --size 16 --hidden 16 --valid @ner-test.conll", "t.safetensors", True,
        keeps_best=True,
    ),
    "tag train, continued": Command(
        "tag train @ner-valid.conll --epochs 8 --valid @ner-test.conll --continue-from @tagger.safetensors",
        "t.safetensors", True, keeps_best=True,
    ),
    "classify train": Command("classify train @labelled.txt --epochs 10 --word-ngrams 2", "c.safetensors"),
    "classify train, cut off and trained again": Command(
        "classify train @labelled.txt --epochs 5 --word-ngrams 2 --cutoff 500 --retrain --quantize 8", "c.safetensors"
    ),
    "classify train, autotune": Command(
        "classify train @labelled.txt --autotune-validation @labelled.txt --autotune-trials 3 --epochs 1 --size 8",
        "c.safetensors", keeps_best=True,
    ),
    "corpus phrases": Command("corpus phrases @long.txt --passes 2 --threshold 1", "p.safetensors"),
    "corpus phrases, a corpus": Command("corpus phrases @train.txt --threshold 1", "corpus"),
    "corpus build": Command("corpus build @long.txt", "corpus"),
}  # fmt: skip
COMMANDS = {
    **TRAINERS,
    "verify": Command("verify @corpus @ngram.safetensors @vectors.safetensors @classifier.safetensors"),
    "corpus toyland": Command("corpus toyland --sentences 20000", "toyland"),
    "corpus info": Command("corpus info @corpus --json"),
    "info": Command("info @corpus --json"),
    "info, vectors of another format": Command("info @vectors.txt --json"),
    "corpus phrases, joined again": Command("corpus phrases @long.txt --apply @phrases.safetensors", "joined.txt"),
    "lm score": Command("lm score @ngram.safetensors @train.txt"),
    "lm score, standard input": Command("lm score @window.safetensors", stdin="train.txt"),
    "lm score, JSON": Command("lm score @ngram.safetensors @train.txt --json"),
    "lm select, two workers": Command("lm select @ngram.safetensors @train.txt --max-perplexity 200 --workers 2"),
    "lm buckets": Command("lm buckets @ngram.safetensors @train.txt", "b.json"),
    "lm select": Command("lm select @ngram.safetensors @train.txt --max-perplexity 200"),
    "lm select, standard input": Command("lm select @ngram.safetensors --min-perplexity 50", stdin="train.txt"),
    "lm perplexity": Command("lm perplexity @window.safetensors @train.txt"),
    "lm plot": Command("lm plot @ngram.safetensors @window.safetensors --test @train.txt", "p.svg"),
    "lm generate": Command("lm generate @window.safetensors --seed 1 --max-new-tokens 5000"),
    "lm vocab": Command("lm vocab @window.safetensors --counts --probs"),
    "lm ngrams": Command("lm ngrams @ngram.safetensors --json"),
    "lm next": Command("lm next @window.safetensors -", stdin="train.txt"),
    "lm convert": Command("lm convert @ngram.safetensors OUT", "m.arpa"),
    "lm convert, fewer bits": Command("lm convert @ngram.safetensors OUT --quantize 8", "m.safetensors"),
    "lm convert, sums of one": Command("lm convert @ngram.safetensors OUT --renormalize", "m.safetensors"),
    "lm add": Command("lm add @counted.safetensors @valid.txt", "m.safetensors"),
    "lm prune": Command("lm prune @ngram.safetensors --max-bytes 100K", "m.safetensors"),
    "lm filter": Command("lm filter @ngram.safetensors --vocab @valid.txt", "m.arpa"),
    "classify convert": Command(
        "classify convert @classifier.safetensors OUT --cutoff 500 --quantize 8", "c.safetensors"
    ),
    "classify predict": Command("classify predict @classifier.safetensors @train.txt"),
    "classify predict, standard input": Command("classify predict @classifier.safetensors", stdin="train.txt"),
    "classify evaluate": Command("classify evaluate @classifier.safetensors @labelled.txt"),
    "tag predict": Command("tag predict @tagger.safetensors @ner-train.conll"),
    "tag evaluate": Command("tag evaluate @tagger.safetensors @ner-train.conll"),
    "vectors similar": Command("vectors similar @vectors.safetensors", stdin="words.txt"),
    "vectors analogy": Command("vectors analogy @vectors.safetensors", stdin="triples.txt"),
    "vectors print": Command("vectors print @vectors.safetensors @train.txt"),
    "vectors print, to a file": Command(
        "vectors print @vectors.safetensors @train.txt --weighting sif --fit @train.txt", "rows.npy"
    ),
    "vectors cluster": Command("vectors cluster @vectors.safetensors -k 50", "classes"),
    "vectors align": Command("vectors align @vectors.safetensors @vectors.safetensors", "v.txt"),
    "vectors evaluate": Command(
        "vectors evaluate @vectors.safetensors --analogies @analogies.txt --similarity @similarity.tsv"
    ),
    "vectors compare": Command(
        "vectors compare @further.safetensors @vectors.safetensors @analogies.txt @similarity.tsv --neighbors 5"
    ),
    "vectors blend": Command("vectors blend @further.safetensors @vectors.safetensors --size 40", "v.safetensors"),
    "vectors convert": Command("vectors convert @vectors.safetensors OUT", "v.txt"),
    "vectors convert, a folder": Command("vectors convert @vectors.safetensors OUT", "v.model2vec"),
    "vectors convert, projector": Command("vectors convert @vectors.safetensors OUT --to projector", "v.tsv"),
    "vectors plot": Command("vectors plot @vectors.safetensors", "v.png"),
    "vectors plot, t-SNE": Command("vectors plot @vectors.safetensors --method tsne", "v.svg"),
    "vectors plot-log": Command("vectors plot-log @log.jsonl", "l.png"),
    "report, tagger": Command("report @tagger.safetensors --valid @ner-test.conll", "r.html"),
    "report, word vectors": Command("report @vectors.safetensors --log @log.jsonl", "r.html"),
}


def write_inputs(folder: Path, sentences: int) -> None:
    """Write every input that a command names."""
    folder.mkdir()
    _run("corpus", "toyland", "-o", folder / "toyland", "--sentences", sentences)
    for path in (folder / "toyland").iterdir():
        path.rename(folder / path.name)
    train, valid = folder / "train.txt", folder / "valid.txt"
    (folder / "long.txt").write_bytes(train.read_bytes() * 10)
    _run("corpus", "build", train, "-o", folder / "corpus")
    _run("lm", "train", "ngram", train, "-o", folder / "ngram.safetensors", "--order", 3, "--discount-fallback")
    counted = folder / "counted.safetensors"
    _run("lm", "train", "ngram", train, "-o", counted, "--order", 3, "--discount-fallback", "--keep-counts")
    vectors, further = folder / "vectors.safetensors", folder / "further.safetensors"
    word2vec = ["--min-count", 1, "--epochs", 1, "--size", 32]
    _run("vectors", "train", train, "-o", vectors, *word2vec, "--log-json", folder / "log.jsonl")
    _run("vectors", "train", train, "-o", further, *word2vec, "--keep-training-state")
    _run("vectors", "convert", vectors, folder / "vectors.txt")
    network = ["--epochs", 1, "--hidden", 16, "--embedding", 16, "--keep-training-state"]
    _run("lm", "train", "window", train, "-o", folder / "window.safetensors", *network)
    _run("lm", "train", "rnn", valid, "-o", folder / "rnn.safetensors", *network)
    _run("tag", "train", folder / "ner-valid.conll", "-o", folder / "tagger.safetensors", "--epochs", 2)
    _run("corpus", "phrases", train, "-o", folder / "phrases.safetensors", "--threshold", 1)
    lines = enumerate(train.read_text().splitlines())
    (folder / "labelled.txt").write_text("".join(f"__label__{'abc'[n % 3]} {line}\n" for n, line in lines))
    _run("classify", "train", folder / "labelled.txt", "-o", folder / "classifier.safetensors", "--epochs", 1)
    words = [word for line in valid.read_text().splitlines() for word in line.split()]
    (folder / "words.txt").write_text("\n".join(words[:3000]) + "\n")
    triples = zip(words[:3000], words[1:], words[2:], strict=False)
    (folder / "triples.txt").write_text("".join(f"{' '.join(three)}\n" for three in triples))


def _run(*arguments: Any) -> None:
    subprocess.run([*WINDROW, *map(str, arguments)], check=True, capture_output=True)


# --- comparing


def content(path: Path) -> dict[str, bytes]:
    """Everything in a file or folder that does not depend on when it was written, by name; empty for none."""
    if path.is_dir():
        return {f"{part.name}/{name}": data for part in path.iterdir() for name, data in content(part).items()}
    if not path.exists():
        return {}
    data = path.read_bytes()
    return dict(_of_model(data)) if data[8:9] == b"{" else {"": data}


def _of_model(data: bytes) -> Iterator[tuple[str, bytes]]:
    length = int.from_bytes(data[:8], "little")
    layout = json.loads(data[8 : 8 + length])
    metadata = layout.pop("__metadata__", {})
    yield "header", json.dumps(_timeless(json.loads(metadata.get("windrow", "{}"))), sort_keys=True).encode()
    yield "layout", json.dumps(layout, sort_keys=True).encode()
    yield "arrays", data[8 + length :]


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(part) for name, part in value.items() if name not in _OF_THE_RUN}
    return [_timeless(part) for part in value] if isinstance(value, list) else value


def left_over(folder: Path) -> list[str]:
    """Hidden and unfinished files that lie in a folder, or in folders of it."""
    return sorted(path.name for path in folder.rglob("*") if path.name.endswith(".part") or path.name.startswith("."))


def fresh(folder: Path) -> Path:
    """An empty folder at this place."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
