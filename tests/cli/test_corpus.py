from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import sys
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import pytest

from windrow.cli import main
from windrow.corpus import Corpus
from windrow.distributed import InProcess

TEXT = "the cat sat\non the mat\nThe end\n"


class Result(NamedTuple):
    status: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_windrow(*arguments: object) -> Result:
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in arguments], prog_name="windrow")
        assert isinstance(caught.value.code, int)
        return Result(caught.value.code, *capsys.readouterr())

    return run_windrow


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(TEXT)
    return path


def sentences(folder: Path) -> list[list[str]]:
    return list(Corpus.open(folder).sentences())


def test_build_writes_the_corpus_and_ends_with_one_summary_line(run: Run, text: Path, tmp_path: Path) -> None:
    result = run("corpus", "build", text, "-o", tmp_path / "c")
    assert result == (0, "", f"{tmp_path / 'c'}: 8 tokens in 3 sentences, a vocabulary of 7 words\n")
    assert sentences(tmp_path / "c") == [line.split() for line in TEXT.splitlines()]


def test_build_with_workers(run: Run, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The corpus and the line are those of one process; another line tells what the workers took."""
    alone = run("corpus", "build", text, "-o", tmp_path / "c")
    made: list[tuple[object, ...]] = []

    def workers(*given: Any) -> InProcess:
        made.append(given)
        return InProcess(given[1], given[2])

    monkeypatch.setattr("windrow.distributed.RayCluster", workers)
    options = ("--ray", "10.0.0.1:6379", "--ray-workers", "3", "--memory-per-worker", "64M")

    result = run("corpus", "build", text, "-o", tmp_path / "c", *options)

    assert made == [("10.0.0.1:6379", 3, 64 << 20)]
    line, told = result.err.splitlines()
    assert (result.status, f"{line}\n") == (0, alone.err)
    numbers = re.fullmatch(
        r"Ray: 1 part in \S+ s, \S+ words/s; (\S+) CPU-seconds \(by node: this process \1\); "
        r"(\S+) bytes moved per word; at most (\S+) MB in a worker",
        told,
    )
    assert numbers is not None, told
    assert float(numbers[2]) == round((8 * 4 + 3 * 8 + 7 * 8 + len("".join(dict.fromkeys(TEXT.split()))) + 7) / 8, 1)
    assert float(numbers[3].replace(",", "")) > 20


def test_build_passes_its_options_on(run: Run, text: Path, tmp_path: Path) -> None:
    options = ["--lowercase", "--min-count", "2", "--max-vocab", "5", "--tokenizer", "char"]
    assert run("corpus", "build", text, "-o", tmp_path / "c", *options).status == 0
    info = Corpus.open(tmp_path / "c").info()
    assert [info[key] for key in ("lowercase", "min_count", "max_vocab", "tokenizer", "vocabulary")] == [
        *(True, 2, 5, "char", 5),
    ]


def test_build_reads_several_sources_in_order(run: Run, text: Path, tmp_path: Path) -> None:
    (tmp_path / "more.txt.gz").write_bytes(gzip.compress(b"and more\n"))
    assert run("corpus", "build", text, tmp_path / "more.txt.gz", "-o", tmp_path / "c").status == 0
    assert sentences(tmp_path / "c") == [line.split() for line in [*TEXT.splitlines(), "and more"]]


def test_build_reads_standard_input(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    assert run("corpus", "build", "-", "-o", tmp_path / "c").status == 0
    assert sentences(tmp_path / "c") == [line.split() for line in TEXT.splitlines()]


def test_build_reads_a_field_of_jsonl(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data.jsonl").write_text('{"body": "one two"}\n{"body": "three"}\n')
    options = ["--format", "jsonl", "--field", "body"]
    assert run("corpus", "build", tmp_path / "data.jsonl", "-o", tmp_path / "c", *options).status == 0
    assert sentences(tmp_path / "c") == [["one", "two"], ["three"]]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "not UTF-8"),
        (["--errors", "replace"], ""),
    ],
)
def test_bytes_that_are_not_utf8(run: Run, tmp_path: Path, options: list[str], said: str) -> None:
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9 noir\n")
    result = run("corpus", "build", tmp_path / "latin.txt", "-o", tmp_path / "c", *options)
    assert result.status == (1 if said else 0) and said in result.err
    assert (tmp_path / "c").exists() == (not said)


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        (["--tokenizer", "nosuch"], 1),
        (["--min-count", "0"], 1),
        (["--format", "jsonl"], 1),  # without --field
        (["--field", "body"], 1),  # without --format
        (["--format", "docx"], 2),
        (["--errors", "shrug"], 2),
        (["--min-cuont", "3"], 2),
    ],
)
def test_wrong_options(run: Run, text: Path, tmp_path: Path, wrong: list[str], status: int) -> None:
    """A value out of its range is bad input; what the command's grammar does not know is wrong usage."""
    result = run("corpus", "build", text, "-o", tmp_path / "c", *wrong)
    assert result.status == status
    assert ("Usage:" in result.err) == (status == 2)
    if status == 1:
        assert result.err.startswith("Error: ") and wrong[0] in result.err
    assert not (tmp_path / "c").exists()


def test_a_missing_source_is_one_line_and_status_1(run: Run, tmp_path: Path) -> None:
    result = run("corpus", "build", tmp_path / "absent.txt", "-o", tmp_path / "c")
    assert result.status == 1 and result.out == ""
    assert result.err.startswith("Error: ") and "absent.txt" in result.err and result.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_build_shows_no_bar_when_stderr_is_no_terminal(run: Run, text: Path, tmp_path: Path) -> None:
    assert "\r" not in run("corpus", "build", text, "-o", tmp_path / "c").err


def test_build_shows_a_bar_on_a_terminal(run: Run, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    result = run("corpus", "build", text, "-o", tmp_path / "c")
    assert "reading" in result.err and result.out == ""


def test_info_prints_json_or_a_table(run: Run, text: Path, tmp_path: Path) -> None:
    run("corpus", "build", text, "-o", tmp_path / "c", "--min-count", "2")
    facts = json.loads(run("corpus", "info", tmp_path / "c", "--json").out)
    assert facts == Corpus.open(tmp_path / "c").info()
    expected = {"tokens": 8, "sentences": 3, "types": 7, "min_count": 2, "coverage": 2 / 8}
    assert {key: facts[key] for key in expected} == expected
    table = run("corpus", "info", tmp_path / "c").out
    rows = dict(line.split("  ", 1) for line in table.splitlines())
    assert rows["coverage"].strip() == "25.00%" and rows["most frequent"].strip() == "the 2"
    assert rows["lowercase"].strip() == "no" and rows["max vocab"].strip() == "none"


def test_info_about_something_else_is_an_error(run: Run, text: Path) -> None:
    result = run("corpus", "info", text)
    assert result.status == 1 and result.err.startswith("Error: ") and result.err.count("\n") == 1


def test_info_reads_the_ids(run: Run, text: Path, tmp_path: Path) -> None:
    run("corpus", "build", text, "-o", tmp_path / "c")
    ids = tmp_path / "c" / "ids.bin"
    ids.write_bytes(bytes(4) + b"\0\0\0\x7f" + ids.read_bytes()[8:])
    result = run("corpus", "info", tmp_path / "c")
    assert result.status == 1 and result.out == ""
    assert result.err.startswith("Error: ") and "ids.bin is damaged" in result.err and result.err.count("\n") == 1


@pytest.mark.parametrize("length", [300, 5000])
def test_names_too_long_are_one_line(run: Run, text: Path, tmp_path: Path, length: int) -> None:
    name = "x" * length
    for arguments in (["info", name], ["build", name, "-o", tmp_path / "c"]):
        result = run("corpus", *arguments)
        assert result.status == 1 and result.err.startswith("Error: cannot read xxx") and result.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == [text]


@pytest.mark.parametrize("sources", [[""], ["", "text.txt"], ["text.txt", ""]])
def test_an_empty_source_is_not_the_current_folder(
    run: Run, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sources: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("corpus", "build", *sources, "-o", "c")
    assert result.status == 1 and "the source is an empty name" in result.err
    assert list(tmp_path.iterdir()) == [text]


def test_a_tokenizer_that_fails_is_one_line(run: Run, text: Path, tmp_path: Path) -> None:
    result = run("corpus", "build", text, "-o", tmp_path / "c", "--tokenizer", "os:getcwd")
    assert result.status == 1 and result.err.startswith("Error: the tokenizer os:getcwd failed")
    assert result.err.count("\n") == 1 and not (tmp_path / "c").exists()


def test_list_names_every_corpus(run: Run) -> None:
    rows = json.loads(run("corpus", "list", "--json").out)["corpora"]
    text = run("corpus", "list").out
    assert [row["name"] for row in rows][:2] == ["text8", "enwik8"]
    for row in rows:
        section = text.partition(f"{row['name']}: ")[2].splitlines()[:2]
        assert row["description"] == section[0] and row["license"] in section[1]
        assert row["licence"] == row["license"]  # the British name stays
        assert ("no checksum known" in section[1]) == (not row["verifiable"])


def write_registry(folder: Path, mirror: str, sha256: str) -> Path:
    path = folder / "registry.toml"
    path.write_text(
        f'[tiny]\ndescription = "d"\nlicence = "l"\nsize = "s"\nmirrors = ["{mirror}"]\n'
        f'[[tiny.file]]\npath = "known.txt"\nsha256 = {{ "known.txt" = "{sha256}" }}\n'
        '[[tiny.file]]\npath = "unknown.txt"\n'
    )
    return path


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.mark.parametrize("given", [True, False])
def test_fetch_prints_paths_and_what_was_verified(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: bool
) -> None:
    (tmp_path / "served").mkdir()
    for name in ("known.txt", "unknown.txt"):
        (tmp_path / "served" / name).write_text(TEXT)
    checksum = hashlib.sha256(TEXT.encode()).hexdigest()
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "out" if given else Path("tiny")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path / "served")) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        registry = write_registry(tmp_path, f"http://127.0.0.1:{server.server_port}/", checksum)
        command = ["corpus", "fetch", "tiny", "--registry", registry, *(["-o", folder] if given else [])]
        refused = run(*command)
        result = run(*command, "--unverified")
        server.shutdown()
        thread.join()
    assert refused.status == 1 and refused.out == ""
    assert "no checksum of unknown.txt; to fetch it all the same, use --unverified" in refused.err
    assert result.status == 0
    assert result.out.split() == [str(folder / "known.txt"), str(folder / "unknown.txt")]
    first, second = result.err.splitlines()
    assert checksum in first and "as the registry says" in first
    assert checksum in second and "not verified" in second
    assert (folder / "known.txt").read_text() == TEXT


@pytest.mark.parametrize(
    ("mirror", "told"),
    [
        ("http://192.0.2.1/", "http is not encrypted; to take it all the same, use --allow-http"),
        ("file:///etc/", "file: is neither https nor http"),
    ],
)
def test_fetch_asks_https_only(run: Run, tmp_path: Path, mirror: str, told: str) -> None:
    registry = write_registry(tmp_path, mirror, "0" * 64)
    result = run("corpus", "fetch", "tiny", "--registry", registry, "-o", tmp_path / "out", "--unverified")
    assert result.status == 1 and told in result.err and len(result.err.splitlines()) == 1
    assert list((tmp_path / "out").iterdir()) == []


def test_fetch_of_an_unknown_name(run: Run, tmp_path: Path) -> None:
    result = run("corpus", "fetch", "text9", "-o", tmp_path / "out")
    assert result.status == 1 and "did you mean 'text8'?" in result.err
    assert not (tmp_path / "out").exists()


def test_toyland_writes_files_that_build_reads(run: Run, tmp_path: Path) -> None:
    result = run("corpus", "toyland", "-o", tmp_path / "toy", "--sentences", "50", "--seed", "2")
    assert result.status == 0 and result.out == "" and "50 training sentences" in result.err
    summary = json.loads((tmp_path / "toy" / "toyland.json").read_text())
    assert summary["seed"] == 2 and summary["sentences"]["train"] == 50
    assert run("corpus", "build", tmp_path / "toy" / "train.txt", "-o", tmp_path / "c").status == 0
    corpus = Corpus.open(tmp_path / "c")
    assert (corpus.tokens, len(corpus)) == (summary["tokens"]["train"], 50)


@pytest.mark.parametrize("wrong", [["--sentences", "0"], ["--seed", "-1"]])
def test_toyland_options_out_of_range(run: Run, tmp_path: Path, wrong: list[str]) -> None:
    result = run("corpus", "toyland", "-o", tmp_path / "toy", *wrong)
    assert result.status == 1 and f"{wrong[0].lstrip('-')} = {wrong[1]} is out of range" in result.err
    assert not (tmp_path / "toy").exists()
