"""What commands take as SOURCE: several texts, records, pipes; and what they refuse to write over."""

from __future__ import annotations

import gzip
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result
from pyarrow import parquet as pq

import windrow
from windrow.cli import main
from windrow.corpus import Corpus

FIRST = "the owl sat on the wall\nan owl ran off\n" * 10
SECOND = "the mouse sat on the owl\na mouse ran off the wall\n" * 10
TAGGED = "in\tO\nRome\tB-LOC\n\nwe\tO\nwait\tO\n\n" * 10
MORE_TAGGED = "Ada\tB-PER\nwaits\tO\n\n" * 10


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "first.txt").write_text(FIRST, "utf-8")
    (tmp_path / "second.txt").write_text(SECOND, "utf-8")
    (tmp_path / "both.txt").write_text(FIRST + SECOND, "utf-8")
    (tmp_path / "first.conll").write_text(TAGGED, "utf-8")
    (tmp_path / "second.conll").write_text(MORE_TAGGED, "utf-8")
    (tmp_path / "both.conll").write_text(TAGGED + MORE_TAGGED, "utf-8")
    return tmp_path


TRAININGS = {
    "vectors": "vectors train {} -o {} --size 4 --epochs 1 --min-count 1 --workers 1 --sample 0",
    "ngram": "lm train ngram {} -o {} --order 2 --smoothing witten-bell",
    "class": "lm train class {} -o {} --classes 3 --order 2",
    "skip": "lm train skip {} -o {} --smoothing witten-bell",
    "window": "lm train window {} -o {} --order 2 --embedding 4 --hidden 4 --epochs 1",
    "rnn": "lm train rnn {} -o {} --embedding 4 --hidden 4 --epochs 1 --batch 2",
}


def contents(path: Path) -> bytes:
    """The numbers of a model file: its header has the seconds that training took."""
    content = path.read_bytes()
    return content[8 + int.from_bytes(content[:8], "little") :]


@pytest.mark.parametrize("command", TRAININGS.values(), ids=TRAININGS)
def test_several_sources_are_one_text(command: str, here: Path) -> None:
    for sources, output in (("first.txt second.txt", "a.safetensors"), ("both.txt", "b.safetensors")):
        result = run(*command.format(sources, output).split())
        assert result.exit_code == 0, result.output
    assert contents(here / "a.safetensors") == contents(here / "b.safetensors")


def test_several_column_files_are_one(here: Path) -> None:
    for sources, output in (("first.conll second.conll", "a.safetensors"), ("both.conll", "b.safetensors")):
        result = run(*f"tag train {sources} -o {output} --epochs 2 --hidden 4".split())
        assert result.exit_code == 0, result.output
    assert contents(here / "a.safetensors") == contents(here / "b.safetensors")
    results = [run("tag", "evaluate", "a.safetensors", *sources, "--json").stdout
               for sources in (["first.conll", "second.conll"], ["both.conll"])]  # fmt: skip
    assert results[0] == results[1]


def test_the_perplexity_of_several_sources(here: Path) -> None:
    assert run(*TRAININGS["ngram"].format("first.txt", "m.safetensors").split()).exit_code == 0
    results = [run("lm", "perplexity", "m.safetensors", *sources, "--json").stdout
               for sources in (["first.txt", "second.txt"], ["both.txt"])]  # fmt: skip
    assert results[0] == results[1] != ""


@pytest.mark.parametrize("command", [*TRAININGS.values(), "corpus build {} -o {}"])
def test_a_corpus_does_not_mix_with_text(command: str, here: Path) -> None:
    assert run("corpus", "build", "first.txt", "-o", "c").exit_code == 0
    result = run(*command.format("c second.txt", "out.safetensors").split())
    assert result.exit_code == 1
    assert "c is a corpus; it cannot be joined with another SOURCE" in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (here / "out.safetensors").exists()


@pytest.mark.parametrize("command", TRAININGS.values(), ids=TRAININGS)
@pytest.mark.parametrize("sources", ["first.txt second.txt", "second.txt ./first.txt", "*.txt", "link.txt", "."])
def test_no_source_is_written_over(command: str, sources: str, here: Path) -> None:
    (here / "link.txt").symlink_to("first.txt")
    result = run(*command.format(sources, "first.txt").split())
    assert result.exit_code == 1
    assert "first.txt is read and written; choose another name for the output" in result.stderr
    assert (here / "first.txt").read_text() == FIRST


def test_no_tagged_file_is_written_over(here: Path) -> None:
    result = run("tag", "train", "first.conll", "second.conll", "-o", "second.conll")
    assert result.exit_code == 1 and "read and written" in result.stderr
    assert (here / "second.conll").read_text() == MORE_TAGGED


def test_a_model_may_be_written_beside_the_texts_again(here: Path) -> None:
    for _ in range(2):  # it is binary, so that it is no text of the folder
        assert run(*TRAININGS["ngram"].format("*.txt", "m.safetensors").split()).exit_code == 0
    (here / "texts").mkdir()
    (here / "texts" / "a.txt").write_text(FIRST, "utf-8")
    for _ in range(2):
        assert run(*TRAININGS["ngram"].format("texts", "texts/m.safetensors").split()).exit_code == 0


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("notes.jsonl", '{"id": 1, "body": "the owl sat"}\n{"id": 2, "body": "an owl"}\n', []),
        ("notes.csv", "id,body\n1,the owl sat\n2,an owl\n", []),
        ("notes.csv", "\ufeffbody,id\nthe owl sat,1\nan owl,2\n", []),
        ("notes.csv", '\ufeff"body","id"\r\n"the owl sat",1\r\n"an owl",2\r\n', []),
        ("notes.tsv", "id\tbody\n1\tthe owl sat\n2\tan owl\n", []),
        ("notes.csv", "id;body\n1;the owl sat\n2;an owl\n", ["--delimiter", ";"]),
        ("notes.txt", "id\tbody\n1\tthe owl sat\n2\tan owl\n", ["--delimiter", "tab"]),
        ("notes.txt", "id\tbody\n1\tthe owl sat\n2\tan owl\n", ["--delimiter", "\\t", "--format", "csv"]),
        ("notes.txt", "id,body\n1,the owl sat\n2,an owl\n", ["--format", "csv"]),
        ("notes.csv", '{"body": "the owl sat"}\n{"body": "an owl"}\n', ["--format", "jsonl"]),
    ],
)
def test_records(name: str, content: str, options: list[str], here: Path) -> None:
    (here / name).write_text(content, "utf-8", newline="")
    result = run("corpus", "build", name, "-o", "c", "--field", "body", *options)
    assert result.exit_code == 0, result.output
    assert list(Corpus.open(here / "c").sentences()) == [["the", "owl", "sat"], ["an", "owl"]]


def test_a_folder_of_records_of_several_kinds(here: Path) -> None:
    folder = here / "folder"
    folder.mkdir()
    (folder / "a.csv").write_text("body\nan owl\n", "utf-8")
    (folder / "b.jsonl").write_text('{"body": "a mouse"}\n', "utf-8")
    (folder / "README.md").write_text("read me\n", "utf-8")
    assert run("corpus", "build", "folder", "-o", "c", "--field", "body").exit_code == 0
    assert list(Corpus.open(here / "c").sentences()) == [["an", "owl"], ["a", "mouse"]]


@pytest.mark.parametrize(
    ("name", "content", "options", "said"),
    [
        (
            "notes.jsonl",
            '{"body": "x"}\n',
            [],
            "name the field that holds the text with --field NAME, or read it as it is with --format text",
        ),
        ("notes.csv.gz", "body\nx\n", [], "notes.csv.gz holds records, as its name says"),
        (
            "notes.txt",
            "body\nx\n",
            ["--field", "body"],
            "notes.txt has no fields, as its name says, but --field = ",
        ),
        ("notes.csv", "id;body\n1;x\n", ["--field", "body"], "no column 'body'; there is: id;body; try --delimiter ;"),
        ("notes.csv", "id\tbody\n1\tx\n", ["--field", "body"], "try --delimiter tab"),
        ("notes.csv", "body\nx\n", ["--field", "body", "--delimiter", ";;"], "one character"),
        ("notes.csv", "body\nx\n", ["--field", "body", "--delimiter", ""], "one character"),
        (
            "notes.csv",
            "body\nx\n",
            ["--delimiter", ";"],
            "needs the name of the field that holds the text: --field NAME",
        ),
        ("notes.jsonl", '{"body": "x"}\n', ["--field", "body", "--format", "jsonl", "--delimiter", ";"], "delimiter"),
    ],
)
def test_records_that_are_not_described(name: str, content: str, options: list[str], said: str, here: Path) -> None:
    (here / name).write_text(content, "utf-8")
    result = run("corpus", "build", name, "-o", "c", *options)
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (here / "c").exists()


def test_records_are_text_where_that_is_asked_for(here: Path) -> None:
    (here / "notes.csv").write_text("id,body\n1,owl\n", "utf-8")
    assert run("corpus", "build", "notes.csv", "-o", "c", "--format", "text").exit_code == 0
    assert list(Corpus.open(here / "c").sentences()) == [["id,body"], ["1,owl"]]


def test_records_without_text_are_counted_on_stderr(here: Path) -> None:
    (here / "notes.jsonl").write_text('{"t": "an owl"}\n{"t": null}\n{"t": " "}\n', "utf-8")
    result = run("corpus", "build", "notes.jsonl", "-o", "c", "--field", "t")
    assert result.exit_code == 0
    assert result.stderr.splitlines()[0] == "Warning: notes.jsonl: left out 2 records without text"


def test_a_list_of_words_is_told_once(here: Path) -> None:
    (here / "words.txt").write_text("owl\nmouse\n" * 20, "utf-8")
    result = run(*TRAININGS["vectors"].format("words.txt", "v.safetensors").split())
    assert result.exit_code == 0
    told = [line for line in result.stderr.splitlines() if line.startswith("Warning: ")]
    assert len(told) == 2
    assert "is a single word" in told[0] and "try --sample 0, or longer sentences" in told[1]


# Pipes, as <(...) of a shell gives them


@pytest.fixture
def shell(here: Path):
    environment = {**os.environ, "PYTHONPATH": str(Path(windrow.__file__).parents[1])}
    program = f'windrow() {{ {shlex.quote(sys.executable)} -m windrow "$@"; }}\n'

    def call(script: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["bash", "-c", program + script], capture_output=True, text=True, env=environment, check=False
        )
        assert done.returncode == 0, done.stderr
        return done

    return call


@pytest.mark.parametrize(
    "source", ["<(cat first.txt)", "<(gzip -c first.txt)", "/dev/stdin < first.txt", "- < first.txt", "pipe"]
)
def test_pipes_are_read_like_files(shell, here: Path, source: str) -> None:
    if source == "pipe":
        os.mkfifo(here / "pipe")
        shell("cat first.txt > pipe & " + "windrow " + TRAININGS["ngram"].format("pipe", "a.arpa"))
    else:
        shell("windrow " + TRAININGS["ngram"].format(source, "a.arpa"))
    assert run(*TRAININGS["ngram"].format("first.txt", "b.arpa").split()).exit_code == 0
    assert (here / "a.arpa").read_bytes() == (here / "b.arpa").read_bytes()


def test_several_pipes(shell, here: Path) -> None:
    shell("windrow corpus build <(cat first.txt) second.txt <(cat first.txt) -o c --min-count 1")
    assert len(Corpus.open(here / "c")) == 60
    pq.write_table(pa.table({"t": ["an owl"]}), here / "a.parquet")
    shell("cat a.parquet | windrow corpus build - -o e --format parquet --field t")
    assert list(Corpus.open(here / "e").sentences()) == [["an", "owl"]]
    shell("windrow tag train <(cat first.conll) second.conll -o t.safetensors --epochs 1 --hidden 4")
    shell('windrow corpus build <(echo \'{"t": "an owl"}\') -o d --format jsonl --field t')
    assert list(Corpus.open(here / "d").sentences()) == [["an", "owl"]]


@pytest.mark.parametrize(
    "content",
    [b"BZh91AY&SYxxxxxxxx", gzip.compress(b"an owl", mtime=0)[:-8] + bytes(8)],
    ids=["bz2", "gz"],
)
def test_a_damaged_source_is_no_full_disk(content: bytes, here: Path) -> None:
    (here / "damaged").write_bytes(content)
    result = run("corpus", "build", "damaged", "-o", "new")
    assert result.stderr.startswith("Error: damaged: the data are broken or cut short (")
    assert "kept" not in result.stderr
