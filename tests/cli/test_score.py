"""Lines scored one by one: perplexities and JSON as of each line alone; what is kept is kept as it stands."""

from __future__ import annotations

import json
import math
import os
import random
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import windrow
from windrow.cli import main
from windrow.cli.line_answers import Asked, Tally, answers
from windrow.cli.line_sources import Chunk, chunks
from windrow.corpus import streams
from windrow.errors import DataError
from windrow.evaluation import Perplexity

WORDS = ["the", "cat", "dog", "sat", "ran", "off", "a", "big", "mat"]
LINES = ["the cat sat", "", "zebra zebra", "the zebra sat", "  the\tdog ran off ", "mat mat mat a a", "é 漢字 the"]
RECORDS = [
    '{"id": 12345678901234567890123, "text": "the cat sat", "price": 0.10, "nested": {"b": [1, null]}}',
    '  {"text": "zebra", "caf\\u00e9": "é", "huge": 1e400 }  ',
    '{"text": "the cat sat\\nthe dog ran\\n\\nzebra", "id": "doc"}',
    '{"text": null}',
    '{"text": ["the", "dog"], "ok": true}',
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("score")
    rng = random.Random(2)
    text = [" ".join(rng.choices(WORDS, range(9, 0, -1), k=rng.randint(1, 8))) for _ in range(200)]
    windrow.NGramLM(3, discount_fallback=True).fit(text).save(folder / "m.safetensors")
    windrow.load(folder / "m.safetensors").save(folder / "m.arpa")
    (folder / "text.txt").write_text("\n".join(LINES) + "\n")
    (folder / "rows.jsonl").write_text("\n".join(RECORDS) + "\n")
    return folder


@pytest.fixture(scope="module")
def model(folder: Path) -> Any:
    return windrow.load(folder / "m.safetensors")


def run(*arguments: Any, **options: Any) -> Result:
    return CliRunner().invoke(main, ["lm", *map(str, arguments)], **options)


def perplexities(model: Any, lines: list[str]) -> list[float]:
    return [model.evaluate_sentence(line).perplexity for line in lines]


# --- perplexity


def test_a_perplexity_for_each_line(folder: Path, model: Any) -> None:
    kenlm = pytest.importorskip("kenlm")

    result = run("score", folder / "m.safetensors", folder / "text.txt", "--perplexity")

    found = [float(line) for line in result.stdout.splitlines()]
    assert found == pytest.approx(perplexities(model, LINES), abs=1e-4)
    theirs = kenlm.Model(str(folder / "m.arpa"))
    assert found == pytest.approx([theirs.perplexity(line) for line in LINES], rel=1e-4)


def test_lines_without_a_token_and_without_a_chance(tmp_path: Path) -> None:
    windrow.NGramLM(2, "mle", eos=False).fit(["a b", "b a"]).save(tmp_path / "m")
    asked = ("score", tmp_path / "m")

    assert run(*asked, "--perplexity", input="\nzzz\na b\n").stdout.split()[:2] == ["nan", "inf"]
    rows = [json.loads(line) for line in run(*asked, "--json", input="\nzzz\na b\n").stdout.splitlines()]
    assert [(row["perplexity"] is None, row["log10_prob"] is None, row["tokens"]) for row in rows] == [
        (True, False, 0),
        (True, True, 1),
        (False, False, 2),
    ]
    assert run("select", tmp_path / "m", "--min-perplexity", 0, input="\nzzz\na b\n").stdout == "zzz\na b\n"


# --- JSON


def test_json_has_the_numbers_of_each_line(folder: Path, model: Any) -> None:
    result = run("score", folder / "m.safetensors", folder / "text.txt", "--json")

    for line, row in zip(LINES, map(json.loads, result.stdout.splitlines()), strict=True):
        expected = model.evaluate_sentence(line).to_json()
        assert list(row) == ["log10_prob", "tokens", "oov", "perplexity"]
        assert row == pytest.approx({name: expected[name] for name in row}, rel=1e-6)


def test_fields_of_json_records_stay_as_they_are_written(folder: Path, model: Any) -> None:
    result = run(
        *("score", folder / "m.safetensors", folder / "rows.jsonl", "--field", "text", "--json", "--sentences", "line")
    )

    rows = result.stdout.splitlines()
    for given, row in zip(RECORDS, rows, strict=True):
        assert row.startswith(given.rstrip().removesuffix("}").rstrip())
    expected = [
        ["the cat sat"],
        ["zebra"],
        ["the cat sat", "the dog ran", "", "zebra"],
        [""],
        ["the dog"],
    ]
    for row, lines in zip(map(json.loads, rows), expected, strict=True):
        of_text = sum(map(model.evaluate_sentence, lines), Perplexity())
        assert (row["tokens"], row["oov"]) == (of_text.tokens, of_text.oov)
        assert row["log10_prob"] == pytest.approx(of_text.log10_prob, abs=1e-5)
        assert row["perplexity"] == pytest.approx(of_text.perplexity, rel=1e-5)
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("sentences", "tokens"), [("line", 3 + 1 + 3 + 1 + 1 + 1 + 1), ("paragraph", 6 + 1 + 1 + 1), ("document", 7 + 1)]
)
def test_a_record_has_sentences(folder: Path, sentences: str, tokens: int) -> None:
    record = json.dumps({"t": "the cat sat\nthe dog ran\n\nzebra"})
    asked = ("score", folder / "m.safetensors", "--field", "t", "--format", "jsonl", "--sentences", sentences)

    result = run(*asked, "--json", input=record)
    words = run(*asked, "--words", input=record)

    assert json.loads(result.stdout)["tokens"] == tokens
    assert sum(line != "" for line in words.stdout.splitlines()) == tokens


def test_the_lines_of_a_text_are_no_documents(folder: Path) -> None:
    result = run("score", folder / "m.safetensors", folder / "text.txt", "--sentences", "document")
    assert result.exit_code == 1
    assert result.stderr == "Error: --sentences is for --field; give that, too, or leave --sentences out\n"


def test_scores_take_the_place_of_fields_of_their_name(folder: Path) -> None:
    given = '{"t": "the", "perplexity": 3, "oov": "x"}\n{"t": "a", "tokens": []}\n'

    result = run("score", folder / "m.safetensors", "--format", "jsonl", "--field", "t", "--json", input=given)

    assert all(isinstance(json.loads(line)["perplexity"], float) for line in result.stdout.splitlines())
    told = "fields of the records give way to scores of the same name: oov, perplexity, tokens"
    assert result.stderr == f"Warning: {told}\n"


def test_csv_records_keep_their_columns(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text('id,text,note\n007,"the cat, sat","say ""hi"""\n8,zebra\n\n9,,{"a": 1}\n')

    result = run("score", folder / "m.safetensors", tmp_path / "rows.csv", "--field", "text", "--json")

    rows = [json.loads(line) for line in result.stdout.splitlines()]
    own = [{name: row[name] for name in ("id", "text", "note") if name in row} for row in rows]
    assert own == [
        {"id": "007", "text": "the cat, sat", "note": 'say "hi"'},
        {"id": "8", "text": "zebra"},
        {"id": "9", "text": "", "note": '{"a": 1}'},
    ]
    assert [row["tokens"] for row in rows] == [4, 2, 1]


def test_parquet_records_keep_their_columns(folder: Path, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    rows = [
        {"text": "the cat", "day": date(2024, 2, 29), "big": 2**62, "x": math.nan, "tags": ["é", None], "raw": b"ab"},
        {"text": None, "day": None, "big": None, "x": 0.5, "tags": [], "raw": None},
    ]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "rows.parquet")
    asked = (folder / "m.safetensors", tmp_path / "rows.parquet", "--field", "text")

    scored = [json.loads(line) for line in run("score", *asked, "--json").stdout.splitlines()]
    kept = [json.loads(line) for line in run("select", *asked, "--min-perplexity", 0).stdout.splitlines()]

    expected = [
        {"text": "the cat", "day": "2024-02-29", "big": 2**62, "x": None, "tags": ["é", None], "raw": "ab"},
        {"text": None, "day": None, "big": None, "x": 0.5, "tags": [], "raw": None},
    ]
    assert kept == expected
    assert [{name: row[name] for name in expected[0]} for row in scored] == expected
    assert [row["tokens"] for row in scored] == [3, 1]


# --- select


@pytest.mark.parametrize(("least", "most"), [(None, 9.0), (6.0, None), (6.0, 12.0)])
def test_lines_are_kept_as_they_stand(folder: Path, model: Any, least: float | None, most: float | None) -> None:
    text = ("\n".join(LINES) + "\n").encode()
    bounds = [*(("--min-perplexity", least) if least else ()), *(("--max-perplexity", most) if most else ())]

    result = run("select", folder / "m.safetensors", folder / "text.txt", *bounds)

    values = perplexities(model, LINES)
    kept = [line for line, value in zip(LINES, values, strict=True) if (least or 0) <= value <= (most or math.inf)]
    assert 0 < len(kept) < len(LINES)
    assert result.stdout_bytes == "".join(f"{line}\n" for line in kept).encode()
    assert result.stderr == f"kept {len(kept)} of {len(LINES)} lines\n"
    piped = run("select", folder / "m.safetensors", *bounds, input=text)
    assert (piped.stdout_bytes, piped.stderr) == (result.stdout_bytes, result.stderr)


def test_the_bounds_are_kept_themselves(folder: Path, model: Any) -> None:
    value = float(model.evaluate_lines(["the cat sat"]).perplexities[0])
    for option in ("--min-perplexity", "--max-perplexity"):
        assert run("select", folder / "m.safetensors", option, repr(value), input="the cat sat\n").stdout != ""


def test_records_are_kept_byte_by_byte(folder: Path, model: Any) -> None:
    result = run("select", folder / "m.safetensors", folder / "rows.jsonl", "--field", "text", "--max-perplexity", 12)

    values = perplexities(model, ["the cat sat", "zebra"])
    assert values[0] < 12 < values[1]
    kept = result.stdout.splitlines()
    assert kept[0] == RECORDS[0]
    assert RECORDS[1] not in kept
    assert all(line in RECORDS for line in kept)
    assert "of 5 records\n" in result.stderr


def test_csv_is_kept_below_its_header(folder: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "1.csv", tmp_path / "2.csv"
    first.write_bytes(b'id;text\r\n1;"the ""cat""\r\nsat"\r\n2;zebra zebra\r\n3; the cat \r\n')
    second.write_bytes(b"id;text\r\n4;the dog\r\n")
    asked = ("select", folder / "m.safetensors", "--field", "text", "--delimiter", ";")

    everything = run(*asked, first, second, "--min-perplexity", 0)
    nothing = run(*asked, first, "--max-perplexity", 0)

    assert everything.stdout_bytes == first.read_bytes() + b"4;the dog\r\n"
    assert nothing.stdout_bytes == b"id;text\r\n"
    second.write_bytes(b"text;id\r\nthe dog;4\r\n")
    refused = run(*asked, first, second, "--min-perplexity", 0)
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert f"{second}: its header differs from that of the files before it" in refused.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "say which lines to keep: --max-perplexity X"),
        (("--min-perplexity", 3, "--max-perplexity", 2), "--min-perplexity 3 is above --max-perplexity 2; exchange"),
        (("--max-perplexity", "nan"), "--max-perplexity"),
    ],
)
def test_bounds_that_are_none(folder: Path, options: tuple[Any, ...], told: str) -> None:
    result = run("select", folder / "m.safetensors", *options, input="a\n")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert told in result.stderr


@pytest.mark.parametrize("forms", [("--json", "--perplexity"), ("--words", "--perplexity")])
def test_one_form_at_a_time(folder: Path, forms: tuple[str, ...]) -> None:
    result = run("score", folder / "m.safetensors", *forms, input="a\n")
    assert result.exit_code == 1
    assert "are two ways to print scores; choose one" in result.stderr


def test_two_columns_of_one_name(folder: Path) -> None:
    result = run("score", folder / "m.safetensors", "--format", "csv", "--field", "t", input="t,x,x\na,1,2\n")
    assert result.stderr == "Error: standard input: several columns are called 'x'; rename one\n"


# --- streams


@pytest.mark.parametrize("command", [("score", "--perplexity"), ("select", "--min-perplexity", "0")])
def test_answers_come_at_once(folder: Path, command: tuple[str, ...]) -> None:
    typed = [sys.executable, "-m", "windrow", "lm", command[0], str(folder / "m.safetensors"), *command[1:]]
    with subprocess.Popen(typed, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"the cat\na dog\nthe b")
        process.stdin.flush()
        assert process.stdout.readline() != b""  # before the input ends
        assert process.stdout.readline() != b""
        process.stdin.write(b"ig mat")
        process.stdin.close()
        assert process.stdout.read().count(b"\n") == 1


def test_lines_before_a_bad_one_are_answered(folder: Path) -> None:
    result = run("select", folder / "m.safetensors", "--min-perplexity", 0, input="é the\na\n".encode() + b"\xff\n")
    assert (result.exit_code, result.stdout) == (1, "é the\na\n")
    assert "standard input, line 3: invalid start byte" in result.stderr


def test_a_reader_that_is_gone_ends_it(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "long").write_text("the cat sat\n" * 50_000)
    typed = [sys.executable, "-m", "windrow", "lm", "select", str(folder / "m.safetensors"), str(tmp_path / "long")]
    read, write = os.pipe()
    with subprocess.Popen([*typed, "--min-perplexity", "0"], stdout=write, stderr=subprocess.PIPE) as process:
        os.close(write)
        os.close(read)
        _, errors = process.communicate()
    assert (process.returncode, errors) == (1, b"")


def test_memory_does_not_grow_with_the_text(tmp_path: Path, model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "CHUNK_BYTES", 1 << 16)
    files = {"format": None, "field": None, "delimiter": None, "errors": "strict"}
    peaks = []
    for lines in (20_000, 60_000):
        (tmp_path / "text").write_text("the cat sat on a mat and ran off\n" * lines)
        tracemalloc.start()
        for chunk in chunks([str(tmp_path / "text")], files):
            for _ in answers(model, Asked("lines"), chunk, Tally()):
                pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 200_000


def test_the_same_answers_whatever_the_chunks(model: Any) -> None:
    rng = np.random.default_rng(4)
    lines = [" ".join(rng.choice([*WORDS, "zebra", "é\r", "<s"], rng.integers(0, 9))) for _ in range(100)]
    block = "".join(f"{line}\n" for line in lines).encode()
    for form in ("log10", "perplexity", "words", "json", "lines"):
        asked = Asked(form, most=9)
        tallies = [Tally() for _ in range(3)]
        whole = printed(answers(model, asked, Chunk("x", 1, lines), tallies[0]))
        alone = "".join(printed(answers(model, asked, Chunk("x", 1, [line]), tallies[1])) for line in lines)
        of_block = printed(answers(model, asked, Chunk("x", 1, block=block), tallies[2]))
        assert whole == alone == of_block
        assert len({(tally.lines, tally.passed) for tally in tallies}) == 1


def test_marks_in_a_block_are_refused_with_their_line_or_left_out(model: Any) -> None:
    chunk = Chunk("x", 7, block=b"the cat\n\nthe <s> cat\n")
    with pytest.raises(DataError, match=r"^x, line 9 holds '<s>'"):
        printed(answers(model, Asked(), chunk, Tally()))
    skipping = printed(answers(model, Asked("lines", skip_symbols=True), chunk, Tally()))
    assert skipping == "the cat\n\nthe <s> cat\n"


def printed(pieces: Iterable[str | bytes]) -> str:
    return "".join(piece if isinstance(piece, str) else piece.decode() for piece in pieces)


# --- buckets


def test_buckets_of_a_sample_are_named_and_kept(folder: Path, model: Any, tmp_path: Path) -> None:
    lines = [" ".join(words) for words in zip(WORDS * 3, WORDS[2:] * 4, WORDS[4:] * 6, strict=False)]
    (tmp_path / "sample").write_text("\n".join(lines) + "\n")
    asked = (folder / "m.safetensors", tmp_path / "sample")

    made = run("buckets", *asked, "-o", tmp_path / "b.json", "--percentiles", "20,70")

    assert made.stderr.endswith(f"< tail, of {len(lines)} lines\n")
    values = perplexities(model, lines)
    rows = [
        json.loads(row)
        for row in run("score", *asked, "--json", "--buckets", tmp_path / "b.json").stdout.split("\n")[:-1]
    ]
    named = [row["bucket"] for row in rows]
    ordered = sorted(values)
    cutoffs = [ordered[math.ceil(share * len(lines)) - 1] for share in (0.2, 0.7)]
    assert named == [
        "head" if v <= cutoffs[0] + 1e-5 else "middle" if v <= cutoffs[1] + 1e-5 else "tail" for v in values
    ]
    assert set(named) == {"head", "middle", "tail"}
    for wanted in (["head"], ["tail", "head"]):
        chosen = [word for name in wanted for word in ("--bucket", name)]
        kept = run("select", *asked, "--buckets", tmp_path / "b.json", *chosen)
        assert kept.stdout.splitlines() == [line for line, name in zip(lines, named, strict=True) if name in wanted]


def test_cutoffs_may_be_given(folder: Path, tmp_path: Path) -> None:
    made = run(
        *("buckets", folder / "m.safetensors", "--cutoffs", "6,9,100", "--names", "a,b,c,d", "-o", tmp_path / "b.json")
    )
    assert made.stderr == f"{tmp_path}/b.json: a <= 6.00 < b <= 9.00 < c <= 100.00 < d\n"
    row = run("score", folder / "m.safetensors", "--json", "--buckets", tmp_path / "b.json", input="zebra\n").stdout
    assert json.loads(row)["bucket"] == "c"


def test_buckets_of_another_model_warn(folder: Path, tmp_path: Path) -> None:
    run("buckets", folder / "m.arpa", "--cutoffs", "6,9", "-o", tmp_path / "b.json")
    asked = ("select", "--buckets", tmp_path / "b.json", "--bucket", "head")
    result = run(asked[0], folder / "m.safetensors", *asked[1:], input="the\n")
    assert (result.exit_code, result.stderr.count("\n")) == (0, 2)
    told = "Warning: {}/b.json was made with another model, 'm.arpa'; its cutoffs may not fit\n"
    assert result.stderr.startswith(told.format(tmp_path))
    assert "Warning" not in run(asked[0], folder / "m.arpa", *asked[1:], input="the\n").stderr


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("score M text.txt --buckets B", "--buckets is for --json; give that, too"),
        ("score M text.txt --json --buckets text.txt", "text.txt is no file of perplexity buckets"),
        ("select M text.txt --buckets B", "--buckets FILE and --bucket NAME go together"),
        ("select M text.txt --bucket head", "--buckets FILE and --bucket NAME go together"),
        ("select M text.txt --buckets B --bucket tal", "--bucket 'tal' is none of B; there is: head, middle, tail"),
        ("buckets M text.txt -o new --percentiles 60,30", "--percentiles = 60,30 must be between 0 and 100"),
        ("buckets M text.txt -o new --percentiles a", "--percentiles 'a' must be numbers with commas between them"),
        ("buckets M text.txt -o new --names a", "--names = a must be 3 different names"),
        ("buckets M text.txt -o new --cutoffs 1,2", "--cutoffs takes the place of a sample; leave SOURCE or it out"),
        ("buckets M -o new --cutoffs 1 --percentiles 3", "leave --percentiles or it out"),
        ("buckets M -o new --cutoffs 2,1 --names a,b,c", "--cutoffs = 2,1 must be numbers, each above the one before"),
    ],
)
def test_buckets_that_are_none(folder: Path, monkeypatch: pytest.MonkeyPatch, command: str, told: str) -> None:
    monkeypatch.chdir(folder)
    run("buckets", "m.safetensors", "--cutoffs", "6,9", "-o", "B")
    result = run(*command.replace("M", "m.safetensors").split())
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert told in result.stderr
    assert not Path("new").exists()


# --- workers


@pytest.fixture(scope="module")
def many(folder: Path) -> Path:
    rng = np.random.default_rng(5)
    lines = [" ".join(rng.choice([*WORDS, "zebra"], rng.integers(0, 5))) for _ in range(10_000)]
    (folder / "many.jsonl").write_text("".join(json.dumps({"id": i, "t": line}) + "\n" for i, line in enumerate(lines)))
    return folder / "many.jsonl"


@pytest.mark.parametrize("command", ["score --json", "select --max-perplexity 9"])
def test_workers_print_the_same(folder: Path, many: Path, command: str) -> None:
    name, *options = command.split()
    asked = (name, folder / "m.safetensors", many, "--field", "t", "--lowercase", *options)

    alone, together = run(*asked), run(*asked, "--workers", 2)

    assert (alone.exit_code, alone.stdout.count("\n") > 100) == (0, True)
    assert together.stdout_bytes == alone.stdout_bytes
    assert together.stderr == alone.stderr


def test_workers_say_where_an_error_is(folder: Path, many: Path, tmp_path: Path) -> None:
    rows = many.read_text().splitlines()
    rows[5000] = '{"id": 3}'
    (tmp_path / "bad.jsonl").write_text("\n".join(rows) + "\n")
    asked = ("score", folder / "m.safetensors", tmp_path / "bad.jsonl", "--field", "t")

    alone, together = run(*asked), run(*asked, "--workers", 2)

    assert alone.stderr == f"Error: {tmp_path}/bad.jsonl, line 5001: no field 't'; there is: id\n"
    assert (together.exit_code, together.stdout, together.stderr) == (1, alone.stdout, alone.stderr)
    refused = run("score", "-", tmp_path / "bad.jsonl", "--field", "t", "--workers", 2)
    assert refused.stderr.startswith("Error: --workers open MODEL each for itself, which cannot be standard input")


@pytest.mark.skipif(sys.platform == "win32", reason="signals and process groups of POSIX")
def test_workers_answer_at_once_and_end_by_ctrl_c(folder: Path) -> None:
    typed = [sys.executable, "-m", "windrow", "lm", "score", str(folder / "m.safetensors"), "--workers", "2"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(typed, start_new_session=True, **pipes) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line in (b"the cat\n", b"a dog\n"):
            process.stdin.write(line)
            process.stdin.flush()
            assert float(process.stdout.readline()) < 0  # before the next line is there
        os.killpg(process.pid, signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (130, b"")
    assert errors == b"Interrupted: what was printed is not all\n"
