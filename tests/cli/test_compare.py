"""`windrow vectors evaluate` and `compare` on lists of all kinds: intervals, differences, neighbors, pages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from tests.report.pages import Page
from windrow.cli import main
from windrow.embeddings import WordVectors, neighbor_overlap
from windrow.evaluation import compare_models, evaluate_list

WORDS = [f"{kind}{number}" for kind in "abc" for number in range(8)]
LISTS = {
    "pairs.tsv": "a1\ta2\t9\na1\tb1\t3\nb1\tb2\t8\nb3\tc3\t2\nc1\tc2\t7\na3\tc2\t1\n",
    "kinds.txt": "".join(f"{word}\t{word[0]}\n" for word in WORDS),
    "topics/t.txt": "a1\na2\na3\n\nb1\nc1\n",
    "topics/u.txt": "b1\nb2\nb4\n\na4\nnobody\n",
    "bats/I01 [x].txt": "a1\tb1\na2\tb2/b9\na3\tb4/b3\n",
    "bats/E01 [y].txt": "a1\tc1\na2\tc2\nx\ty\n",
    "google.txt": ": gram\na1 b1 a2 b2\na1 b1 a3 b3\na2 b2 a4 b4\n: empty\nx y z u\n",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tables, of which B separates the three kinds of words better, and lists of all kinds."""
    folder = tmp_path_factory.mktemp("compare")
    rng = np.random.default_rng(4)
    centers = np.repeat(np.eye(8)[:3], 8, axis=0) + np.tile(0.2 * rng.normal(size=(8, 8)), (3, 1))
    for name, noise in (("a", 0.8), ("b", 0.05)):
        vectors = (centers + noise * rng.normal(size=centers.shape)).astype(np.float32)
        WordVectors(WORDS, vectors).save(folder / f"{name}.safetensors")
    for name, text in LISTS.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture(autouse=True)
def _here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def run(arguments: str) -> Result:
    return CliRunner().invoke(main, ["vectors", *arguments.split()])


def as_json(arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(f"{arguments} --json").stdout)
    return found


EVERY = "pairs.tsv kinds.txt topics bats google.txt"


def test_lists_are_recognized_and_measured_as_in_python() -> None:
    found = as_json(f"evaluate a.safetensors {EVERY}")
    a = WordVectors.load("a.safetensors")
    for kind, path in (
        ("similarity", "pairs.tsv"), ("categories", "kinds.txt"), ("outliers", "topics"), ("analogies", "bats"),
        ("analogies", "google.txt"),
    ):  # fmt: skip
        assert found[kind][Path(path).stem] == evaluate_list(path, a).to_json()
    assert found["analogies"]["bats"]["sections"]["E01 [y]"]["skipped"] == 4
    options = "--similarity pairs.tsv --categories kinds.txt --outliers topics --analogies bats --analogies google.txt"
    assert as_json(f"evaluate a.safetensors {options}") == found


def test_tables_of_all_kinds() -> None:
    tables = run(f"evaluate b.safetensors {EVERY}").stdout.split("\n\n")
    assert [table.split()[0] for table in tables] == [
        "analogies:",
        "analogies:",
        "similarity",
        "categories",
        "outliers",
    ]
    for table in tables:
        assert len({len(line) for line in table.splitlines()}) == 1
    assert tables[3].splitlines()[1].split() == ["kinds", "100.0%", "[100.0%,", "100.0%]", "3", "24", "0.0%"]
    assert tables[4].splitlines()[1].split()[-3:] == ["3", "1", "0.0%"]


def test_differences_are_those_of_python() -> None:
    found = as_json(f"compare a.safetensors b.safetensors {EVERY} --neighbors 3 --top 20")
    a, b = (WordVectors.load(f"{name}.safetensors") for name in "ab")
    assert list(found) == ["bats", "google", "pairs", "kinds", "topics", "topics opp", "neighbors"]
    for path in ("pairs.tsv", "kinds.txt", "bats", "google.txt"):
        assert [found[Path(path).stem]] == [one.to_json() for one in compare_models(path, a, b)]
    accuracy, opp = compare_models("topics", a, b)
    assert (found["topics"], found["topics opp"]) == (accuracy.to_json(), opp.to_json())
    assert {"a", "b", "difference", "standard_error"} < set(found["kinds"])
    assert found["kinds"]["more_than_noise"]
    assert found["kinds"]["interval"][0] > 0
    assert found["neighbors"] == neighbor_overlap(a, b, k=3, top=20).to_json()
    turned = as_json("compare b.safetensors a.safetensors kinds.txt")
    assert turned["kinds"]["difference"] == -found["kinds"]["difference"]


def test_a_table_of_differences_counts_those_that_are_sure() -> None:
    table = run("compare a.safetensors b.safetensors kinds.txt bats").stdout.splitlines()
    assert [line.split("  ")[0] for line in table[1:3]] == ["bats", ""]
    assert table[2].startswith("  E01 [y]  accuracy")
    counted = sum(line.endswith("  yes") for line in table)
    assert table[-1].startswith(f"{counted} of 4 differences ")
    assert "of 4 without any real difference about 1 would seem so" in table[-1]
    assert run("compare a.safetensors a.safetensors kinds.txt").stdout.endswith(
        "\n0 of 1 differences are more than noise.\n"
    )


def test_without_a_list_neighbors_are_compared() -> None:
    first, second = run("compare a.safetensors b.safetensors").stdout.split("\n\n")
    assert first.startswith("neighbors: 10 of each of 24 words ")
    assert len(second.splitlines()) == 11
    assert list(as_json("compare a.safetensors b.safetensors")) == ["neighbors"]


def test_pages_show_every_list_and_difference(folder: Path) -> None:
    result = run(f"evaluate a.safetensors {EVERY} --report scores.html")
    assert result.stderr.endswith("scores.html written\n")
    page = (folder / "scores.html").read_text("utf-8")
    for word in ("I01 [x]", "Categories: kinds", "Outliers: topics", "Spearman", "a3, c2", "position (OPP)", " of 6"):
        assert word in page or word in Page(page).text
    assert page.count("<svg") == 5
    result = run(f"compare a.safetensors b.safetensors {EVERY} --neighbors 3 --report compared.html")
    page = (folder / "compared.html").read_text("utf-8")
    assert page.count("<svg") == 1
    assert "more than noise (blue)" in page
    assert "words whose neighbors changed most" in page


def test_nothing_of_a_list_becomes_markup(folder: Path) -> None:
    (folder / "evil").mkdir()
    (folder / "evil" / "<b>$x$.txt").write_text("a1\tb1\na2\tb2\n")
    run("evaluate a.safetensors evil --report evil.html")
    assert "<b>" not in (folder / "evil.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("evaluate a.safetensors", "nothing to evaluate on; name a LIST"),
        ("evaluate a.safetensors bats --columns 1,2,3", "--columns is for files of word pairs"),
        ("evaluate a.safetensors --outliers kinds.txt", "kinds.txt has 1 blocks of lines"),
        ("evaluate a.safetensors --categories pairs.tsv", "pairs.tsv, line 1: expected a word and its category"),
        ("evaluate a.safetensors kinds.txt --report x.txt", "a report's name must end in .html"),
        ("evaluate a.safetensors none.txt", "cannot read none.txt"),
        ("compare a.safetensors b.safetensors --neighbors 24", "the models have 24 words in common"),
        ("compare a.safetensors b.safetensors --top 1", "--top = 1 is out of range"),
        ("compare a.safetensors b.safetensors pairs.tsv --columns 1,2", "must be three columns"),
        ("compare a.safetensors b.safetensors -", "a LIST from standard input needs an option that says what it is"),
        ("compare a.safetensors b.safetensors --similarity -", "a list from standard input can be read once only"),
        ("compare a.safetensors b.safetensors pairs.tsv --top 9", "--top is for --neighbors"),
        ("compare - - pairs.tsv", "standard input, '-', can be read once only"),
    ],
)
def test_bad_input_is_refused_in_one_line(typed: str, said: str) -> None:
    result = run(typed)
    assert (result.exit_code, result.stdout) == (1, "")
    errors = [line for line in result.stderr.splitlines() if not line.endswith("...")]
    assert len(errors) == 1
    assert said in errors[0]
