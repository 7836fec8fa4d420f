"""`windrow report`, and --report of every command that trains."""

from __future__ import annotations

import itertools
import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import windrow
from tests.cli.test_full_disks import failing, within
from tests.report.pages import Page
from windrow import machine
from windrow.cli import main
from windrow.embeddings import WordVectors

LINES = [f"the {a} sees the {b} and a {c}" for a, b, c in zip("abcdefab", "bcdeabcd", "cdefghab", strict=True)] * 4
NETWORK = "--embedding 4 --hidden 4 --epochs 2 --lowercase --valid valid.txt"
TRAININGS = {  # with what the code in Python does not show, where there is such a thing
    "vectors train text.txt --size 4 --min-count 1 --epochs 3 --workers 1 --lowercase --log-json log.jsonl": "",
    "vectors train text.txt --size 4 --workers 1 --epochs 1 --read-vocab words.txt": "--read-vocab",
    "lm train ngram text.txt --order 2 --smoothing witten-bell --memory 1G --temp-dir pages": "",
    "lm train ngram text.txt --order 2 --smoothing witten-bell --vocab words.txt": "--vocab",
    "lm train ngram text.txt --order 2 --smoothing witten-bell --fixed-vocab list.txt": "--fixed-vocab",
    "lm train ngram counts.txt --order 2 --smoothing witten-bell --from-counts": "",
    "lm train ngram built --order 2 --smoothing witten-bell": "",
    "lm train class text.txt --order 2 --word-classes classes.txt": "",
    "lm train class text.txt --order 2 --classes 3": "",
    "lm train skip text.txt --places 1,3 --smoothing witten-bell": "",
    f"lm train window text.txt --order 2 {NETWORK}": "",
    f"lm train rnn text.txt {NETWORK} --vectors v.safetensors": "",
    "tag train tags.conll --size 4 --hidden 4 --epochs 2 --tag-column 3 --valid tags.conll": "",
    "classify train labels.txt --size 4 --epochs 2 --valid labels.txt": "",
}


# Settings whose options have other names.
option_of = {"vector_size": "size", "hidden_size": "hidden", "embedding_size": "embedding", "learning_rate": "lr"}


def chosen(page: Page) -> list[str]:
    """The settings in the table of those that were chosen."""
    places = [place for place, row in enumerate(page.cells) if row == ["", "value", "default"]]
    rows = page.cells[places[0] + 1 :] if places else []
    return [row[0] for row in itertools.takewhile(lambda row: len(row) == 3, rows)]


def run(typed: str) -> Result:
    return CliRunner().invoke(main, shlex.split(typed))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text("\n".join(LINES))
    Path("valid.txt").write_text("\n".join(LINES[:3]))
    Path("words.txt").write_text("the 9\na 8\nb 7\nsees 6\n")
    Path("classes.txt").write_text("a 1\nb 1\n")
    Path("list.txt").write_text("the\na\nzebra\n")
    Path("tags.conll").write_text("in x O\nRome x B-LOC\n\nAnn x B-PER\nsaw x O\n\n" * 8)
    Path("labels.txt").write_text("".join(f"__label__{i % 2} {line}\n" for i, line in enumerate(LINES)))
    Path("pages").mkdir()
    windrow.Corpus.build("text.txt", "built")
    WordVectors(["the", "a"], np.eye(2, 4, dtype=np.float32)).save("v.safetensors")
    windrow.NGramLM(2, "witten-bell").fit("text.txt", counts_out="counts.txt")
    return tmp_path


@pytest.mark.parametrize("typed", TRAININGS)
def test_training_writes_a_page_and_its_code_trains_the_same(typed: str, here: Path) -> None:
    typed = f"{typed} -o m.safetensors --report page.html"
    done = run(typed)
    assert done.exit_code == 0, done.stderr
    assert done.stderr.endswith("page.html written\n")
    page = Page(Path("page.html").read_text("utf-8"))
    assert page.code["the command"] == f"windrow {typed}"
    assert page.fact("most memory").endswith(" MB")
    missing = TRAININGS[typed.partition(" -o ")[0]]
    assert (f"Not in these lines: {missing}." in page.text) == bool(missing)
    assert ("On text held back" in page.texts) == ("--valid" in typed)
    model = windrow.load("m.safetensors")
    assert all(f"--{option_of.get(name, name.replace('_', '-'))}" in typed.split() for name in chosen(page))
    assert page.code["SHA-256, as sha256sum has it"].endswith("  m.safetensors")
    if not missing:
        Path("m.safetensors").unlink()
        exec(page.code["in Python"], {})
        again = windrow.load("m.safetensors")
        assert repr(again) == repr(model)
        if isinstance(model, WordVectors):
            np.testing.assert_array_equal(again.vectors, model.vectors)
            reports = [json.loads(line) for line in Path("log.jsonl").read_text().splitlines()]
            loss = [f"{row['loss']:.4g}" for row in reports if row["event"] == "epoch"]
            assert [row[2] for row in page.cells if len(row) == 4 and row[0] in "123"] == loss
        elif isinstance(model, windrow.NGramLM | windrow.WindowLM | windrow.RecurrentLM):
            assert again.perplexity(LINES) == model.perplexity(LINES)


def test_a_page_about_a_finished_model_says_how_it_was_made(here: Path) -> None:
    run("vectors train text.txt --size 4 --min-count 1 --epochs 3 -o m.safetensors --log-json log.jsonl --lowercase")
    assert run("report m.safetensors --log log.jsonl -o page.html").stderr == "page.html written\n"
    page = Page(Path("page.html").read_text())
    assert page.code["the command"] == run("info m.safetensors --command").stdout.strip()
    assert chosen(page) == ["vector_size", "min_count", "epochs"]  # and not sg or workers, which the command sets
    assert "sg=1" in page.code["in Python"]
    assert any(label.startswith("loss by epoch, nats per word") for label in page.labels)
    run("vectors train text.txt --size 4 --min-count 1 --epochs 3 -o m.safetensors --keep-training-state")
    assert run("report m.safetensors -o page.html").exit_code == 0
    assert Page(Path("page.html").read_text()).labels[0].startswith("loss by epoch")  # which the state has
    run("lm train ngram text.txt --order 2 --smoothing witten-bell -o m.arpa")
    with Path("m.arpa").open("rb") as stream:
        done = CliRunner().invoke(main, ["report", "-", "-o", "page.html", "--valid", "valid.txt"], input=stream.read())
    assert done.exit_code == 0, done.stderr
    page = Page(Path("page.html").read_text())
    assert "the command" not in page.code
    assert "The file" not in page.texts  # it came through a pipe
    assert page.fact("perplexity") == f"{windrow.load('m.arpa').perplexity('valid.txt'):.4g}"


def test_a_model_on_standard_output_has_a_page_without_its_file(here: Path) -> None:
    done = run("lm train ngram text.txt --order 2 --smoothing witten-bell -o - --report page.html")
    assert done.exit_code == 0
    assert "\\data\\" in done.stdout
    page = Page(Path("page.html").read_text())
    assert "Report on the model" in page.texts
    assert "The file" not in page.texts


def test_where_a_report_cannot_be_written_the_model_is_there(here: Path) -> None:
    with failing(within("pages")):
        done = run("lm train ngram text.txt --order 2 --smoothing witten-bell -o m.safetensors --report pages/p.html")
    assert done.exit_code == 0
    assert done.stderr.splitlines()[-1].startswith("Warning: the report is not written: cannot write pages/p.html: No ")
    assert list(Path("pages").iterdir()) == []
    assert windrow.load("m.safetensors").order == 2


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("lm train ngram text.txt -o m --report page.pdf", "page.pdf: a report's name must end in .html"),
        ("vectors train text.txt -o m.txt --report page", "page: a report's name must end in .html"),
        ("tag train tags.conll -o m --report log.txt", "log.txt: a report's name must end in .html"),
        ("report text.txt -o page.html", "text.txt holds no word vectors"),
        ("report m.safetensors -o page.html --valid valid.txt", "--valid = 'valid.txt' is for language models,"),
        ("report m.safetensors -o page.html --log text.txt", "text.txt is no log: line 1 is not JSON"),
        ("report m.phrases -o page.html", "holds phrases, not word vectors, a language model"),
    ],
)
def test_what_is_no_report_is_refused_in_a_line_before_any_training(typed: str, said: str, here: Path) -> None:
    WordVectors(["a", "b"], np.eye(2, dtype=np.float32)).save("m.safetensors")
    windrow.Phrases(min_count=1, threshold=0.1).fit(LINES).save("m.phrases")
    done = run(typed)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert said in done.stderr
    assert not Path("page.html").exists()
    assert not Path("m").exists() and not Path("m.txt").exists()


def test_peak_memory_is_at_least_that_of_now() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    peak = machine.peak_memory()
    assert peak is not None
    assert peak >= pages * 4096 * 0.9
