"""``windrow info``: what files of every kind are, and the command that made them."""

from __future__ import annotations

import gzip
import json
import pickle
import shlex
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from click.testing import CliRunner, Result
from pyarrow import parquet

import windrow
from windrow.cli import main
from windrow.embeddings.formats import FORMATS
from windrow.files import model_file
from windrow.inspection import inspect
from windrow.models import MODEL_KINDS, OTHER_KINDS

GOLDEN = Path(__file__).parents[1] / "golden"
LINES = [f"the {a} sees the {b} and a {c}" for a, b, c in zip("abcdefab", "bcdeabcd", "cdefghab", strict=True)] * 4
TAGGED = "in O\nRome B-LOC\n\nAnn B-PER\nsaw O\nBob B-PER\n\n" * 8
NETWORK = "--embedding 4 --hidden 4 --epochs 1 --lr 0.01 --lowercase"
# What trains or builds, with options of every type: numbers, choices, switches on and off, lists, words.
MADE = {
    "corpus build": "--min-count 2 --tokenizer word --sentences paragraph",
    "corpus phrases": "--min-count 2 --threshold 0.5 --join-with + --connector-words a,the --passes 2",
    "vectors train": "--size 4 --min-count 1 --model cbow --cbow-sum --loss hs --workers 1 --epochs 2 --lowercase",
    "vectors count": "--size 4 --min-count 1 --window-weighting harmonic --contexts 9 --shift 1.5 --lowercase",
    "lm train ngram": "--order 3 --smoothing witten-bell --prune 0,0,1 --backoff --no-bos --lowercase --language tr",
    "lm train class": "--order 3 --smoothing witten-bell --classes 4 --min-count 2 --lowercase",
    "lm train skip": "--places 1,3 --smoothing witten-bell --min-count 2 --lowercase",
    "lm train window": f"{NETWORK} --order 3 --output-layer adaptive --cutoffs 4,9 --direct",
    "lm train rnn": f"{NETWORK} --cell gru --state reset --layers 2",
    "classify train": "--size 4 --epochs 2 --loss ova --word-ngrams 2 --label-prefix #",
    "tag train": "--size 4 --hidden 4 --epochs 2 --type LOC --type PER --min-count 1",
}

OF_RECIPE = "--recipe blend --favor relatedness --size 4 --min-count 1 --workers 1 --epochs 2 --window 2 --lowercase"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def facts_of(path: Path) -> dict[str, Any]:
    result = run("info", str(path), "--json")
    assert result.exit_code == 0, result.stderr
    facts: dict[str, Any] = json.loads(result.stdout)
    return facts


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text("\n".join(LINES) + "\n")
    Path("tags.conll").write_text(TAGGED)
    Path("labels.txt").write_text("".join(f"#{i % 2} {line}\n" for i, line in enumerate(LINES)))
    return tmp_path


@pytest.mark.parametrize(("command", "options"), [*MADE.items(), ("vectors train", OF_RECIPE)])
@pytest.mark.usefixtures("here")
def test_the_command_that_made_a_file_makes_it_again(command: str, options: str) -> None:
    source = {"tag train": "tags.conll", "classify train": "labels.txt"}.get(command, "text.txt")
    first = "first" if command == "corpus build" else "first.safetensors"
    made = run(*command.split(), source, "-o", first, *options.split())
    assert made.exit_code == 0, made.stderr

    told = run("info", first, "--command")
    words = shlex.split(told.stdout)
    assert words[: len(command.split()) + 1] == ["windrow", *command.split()]
    assert set(options.split()) <= set(words)
    second = first.replace("first", "second")
    again = [{"SOURCE": source, first: second}.get(word, word) for word in words[1:]]
    assert run(*again).exit_code == 0

    assert run("info", second, "--command").stdout == told.stdout.replace(first, second)
    if command == "corpus build":
        assert facts_of(Path(first)) == facts_of(Path(second))
        return
    a, b = model_file.load(first), model_file.load(second)
    assert all(np.array_equal(a.arrays[name], b.arrays[name]) for name in (*a.arrays, *b.arrays))
    assert facts_of(Path(first))["parameters"] == facts_of(Path(second))["parameters"] != {}


def test_every_kind_of_old_file() -> None:
    """All kinds that windrow writes, and all layouts that it has written."""
    kinds = set()
    for path in sorted(GOLDEN.glob("0.*/**/*")):
        if (
            path.is_file()
            and path.suffix not in (".json", ".npy", ".bin", ".txt", ".gz")
            and "corpora" not in path.parts
        ):
            facts = json.loads(json.dumps(inspect(path)))
            kinds.add(facts["kind"])
            if facts["kind"] in (*MODEL_KINDS, *OTHER_KINDS) and "windrow" in facts:  # no fastText model
                assert facts["windrow"] == model_file.read_start(path).provenance["windrow"]
            if facts["kind"] in set(MODEL_KINDS) - {"mixture-lm"}:  # whose words are those of its models together
                of_lengths = {f"{n}-grams": size for n, size in enumerate(facts.get("ngrams") or [], 1)}
                held = windrow.load(path).sizes()
                assert held.items() & facts.items() == {(n, s) for n, s in held.items() if n in facts}
                assert {n: s for n, s in held.items() if "grams" in n} == of_lengths
    assert {*MODEL_KINDS, *OTHER_KINDS} - {"vocabulary"} <= kinds


def test_a_model_in_words(here: Path) -> None:
    run("vectors", "train", "text.txt", "-o", "v.safetensors", "--size", "4", "--min-count", "1", "--lowercase")
    vectors = windrow.load("v.safetensors")
    lines = [" ".join(line.split()) for line in run("info", "v.safetensors").stdout.splitlines()]
    counted = f"tokens that are words {vectors.counts.sum()}"
    for expected in ("what word vectors", f"words {len(vectors)}", "dimensions 4", counted, "min_count 1"):
        assert expected in lines
    assert "lowercase yes" in lines
    assert f"bytes {(here / 'v.safetensors').stat().st_size:,}" in lines


@pytest.mark.usefixtures("here")
def test_what_readers_expect_of_each_kind() -> None:
    labels = [f"l{number:02}" for number in range(12)]
    Path("many.txt").write_text("".join(f"__label__{label} a b\n" for label in labels * 2))
    Path("text.txt").write_text("\n".join(f"w{n} w{n + 1} w{n % 40}" for n in range(1100)) + "\n")
    for command in (
        "lm train ngram text.txt -o n --order 2 --smoothing witten-bell",
        "lm train rnn text.txt -o r --valid text.txt --epochs 3 --hidden 4 --embedding 4 --lr 0.9",
        "tag train tags.conll -o t --valid tags.conll --epochs 2 --size 4 --hidden 4 --min-count 1",
        "classify train many.txt -o c --epochs 1 --size 2",
    ):
        assert run(*command.split()).exit_code == 0
    ngrams, network, tagger, labeled = (windrow.load(name) for name in "nrtc")
    shown = {" ".join(line.split()) for line in run("info", *"nrtc").stdout.splitlines()}
    sizes = ngrams.table_.sizes
    assert shown >= {
        *("n:", "r:", "t:", "c:", "words 1,101", "special symbols <unk>, <s>, </s>"),
        f"ngrams {sum(sizes):,} (by length: {sizes[0]:,}, {sizes[1]:,})",
        "type names LOC, PER",
        "labels 12",
        f"label names {', '.join(labels[:10])}",
    }
    of_each = [json.loads(line) for line in run("info", *"nrtc", "--json").stdout.splitlines()]
    assert [facts["file"] for facts in of_each] == [*"nrtc"]
    perplexities = [row["score"] for row in network.history_]
    assert of_each[1]["validation_perplexity"] == min(perplexities)
    assert perplexities[of_each[1]["kept_epoch"] - 1] == min(perplexities)
    assert of_each[2]["validation_f1"] == max(row["score"] for row in tagger.history_)
    assert "kept_epoch" not in of_each[0]
    made = "NGramLM(order=2, smoothing='witten-bell')"
    assert repr(ngrams) == f"{made}: 1,101 words, {sizes[0]:,} 1-grams, {sizes[1]:,} 2-grams"
    assert repr(windrow.MixtureLM([ngrams])) == f"MixtureLM(models=[{made}]): 1,101 words, 1 model"
    assert repr(labeled).endswith(": 12 labels, 3 words, 3 features")


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.usefixtures("here")
def test_vectors_of_every_format(format: str) -> None:
    words = ["king", "queen", "man", "woman", "cat"]
    vectors = windrow.WordVectors(words, np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32))
    if format == "fasttext":
        vectors = windrow.Word2Vec(vector_size=3, min_count=1, workers=1, subwords=True, buckets=9).fit(LINES).wv
    path = Path(f"vectors.{format}")
    vectors.save(path, format=format)
    facts = facts_of(path)
    assert facts["kind"] == "word-vectors"
    assert facts["dimensions"] == 3
    if "words" in facts:
        assert facts["words"] == len(vectors)
    assert run("info", str(path), "--command").exit_code == 1


@pytest.mark.usefixtures("here")
def test_other_files() -> None:
    windrow.NGramLM(2, "witten-bell").fit(LINES).save("m.arpa")
    Path("text.txt.gz").write_bytes(gzip.compress(Path("text.txt").read_bytes()))
    with zipfile.ZipFile("x.zip", "w") as archive:
        archive.writestr("a", "b")
    Path("p.model").write_bytes(pickle.dumps({"a": 1}, protocol=4))
    Path("page.txt").write_text("<!doctype html><html></html>")
    Path("records.jsonl").write_text('{"text": "a b"}\n')
    parquet.write_table(pyarrow.table({"id": [1, 2], "text": ["a b", "c"]}), "texts.parquet")

    assert facts_of(Path("m.arpa"))["order"] == 2
    counted = {"lines": len(LINES), "words": sum(len(line.split()) for line in LINES), "longest_line": len(LINES[0])}
    text, packed = facts_of(Path("text.txt")), facts_of(Path("text.txt.gz"))
    assert counted.items() <= text.items()
    assert counted.items() <= packed.items()
    assert packed["compression"] == "gz"
    assert packed["bytes"] == Path("text.txt.gz").stat().st_size
    assert facts_of(Path("records.jsonl"))["kind"] == "jsonl"
    table = facts_of(Path("texts.parquet"))
    assert (table["rows"], table["columns"]) == (2, ["id", "text"])
    assert facts_of(Path("x.zip"))["advice"] == "unpack it first: unzip FILE"
    assert facts_of(Path("p.model"))["kind"] == "pickle"
    assert facts_of(Path("page.txt"))["kind"] == "html"


ODD = [None, 3, "x", [], [1, [2]], {}, {"a": [1]}, {"sizes": "x"}]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("kind", [*MODEL_KINDS, *OTHER_KINDS, "of-tomorrow"])
def test_files_of_anybody_give_facts_or_one_line(kind: str) -> None:
    """What is in a header may be of any type."""
    names = ("parameters", "model", "identity", "table", "models", "weights", "history", "training", "vector_size")
    of_text = ("tokenizer", "tokens", "sentences", "sentence_ends", "language", "continued_from", "history", "sg")
    arrays = {"word_offsets": np.zeros((2, 2), np.int64), "words.word_offsets": np.array(3), "x": np.zeros(2)}
    for odd in ODD:
        model_file.save("odd", kind, arrays, dict.fromkeys(names, odd), dict.fromkeys(of_text, odd))
        for option in ("--json", "--command"):
            result = run("info", "odd", option)
            assert isinstance(result.exception, SystemExit | None), result.exception
            assert result.exit_code in (0, 1)
            assert result.exit_code == 0 or result.stderr.startswith("Error: ")
        assert run("info", "odd").exit_code in (0, 1)


@pytest.mark.usefixtures("here")
def test_what_cannot_be_told() -> None:
    windrow.NGramLM(2, "witten-bell").fit(LINES).save("m.safetensors")
    whole = Path("m.safetensors").read_bytes()
    Path("cut.safetensors").write_bytes(whole[: len(whole) // 2])
    Path("folder").mkdir()
    for arguments, said in [
        (["cut.safetensors"], "cut.safetensors is damaged"),
        (["none"], "none"),
        (["folder"], "folder is a folder, but no corpus and no static embeddings; name a file in it"),
        (["text.txt", "--command"], "text.txt, text, does not say which command made it"),
        (["m.safetensors", "--command", "--json"], "--command and --json are two things to print; choose one"),
    ]:
        result = run("info", *arguments)
        assert result.exit_code == 1, arguments
        assert result.stderr.startswith("Error: ")
        assert said in result.stderr
        assert result.stdout == ""
