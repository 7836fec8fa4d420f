"""What the files beside the package say about it, compared with one another."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

import windrow

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PYTHONS = [name.split()[-1] for name in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", name)]
NOXFILE = ast.parse((ROOT / "noxfile.py").read_text("utf-8"))
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in (ROOT / ".github/workflows").iterdir()}


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))

    assert citation["cff-version"] == "1.2.0"
    assert (citation["title"], citation["version"]) == (PROJECT["name"], windrow.__version__)
    assert citation["license"] == PROJECT["license"]
    assert citation["repository-code"] == PROJECT["urls"]["Homepage"]
    assert citation["authors"] == PROJECT["authors"]
    assert citation["message"]


def test_the_changelog_begins_with_this_version():
    headings = [line for line in (ROOT / "CHANGELOG.md").read_text("utf-8").splitlines() if line.startswith("## ")]
    assert headings[0].split()[1] == windrow.__version__


def test_links_lead_into_the_repository():
    home = PROJECT["urls"]["Homepage"]
    assert all(address.startswith(home) for address in PROJECT["urls"].values())
    assert f"<{home}/security/advisories/new>" in (ROOT / "SECURITY.md").read_text("utf-8")


def test_the_container_is_of_files_that_are_there_and_of_a_python_that_is_promised():
    recipe = (ROOT / "Containerfile").read_text("utf-8")
    (python,) = re.findall(r"/python:(\S+)-slim$", recipe, re.MULTILINE)
    copied = [name for line in re.findall(r"^COPY (?!--)(.+) \S+$", recipe, re.MULTILINE) for name in line.split()]

    assert python in PYTHONS
    assert {"pyproject.toml", "src"} < set(copied)
    assert [name for name in copied if not (ROOT / name).exists()] == []


# --- what workflows call


def next_python() -> str:
    """The one that is tested and not promised yet."""
    (value,) = [node.value for node in NOXFILE.body if isinstance(node, ast.Assign) and named(node) == "NEXT_PYTHON"]
    return ast.literal_eval(value)


def named(assignment: ast.Assign) -> str:
    return ast.unparse(assignment.targets[0])


def sessions() -> set[str]:
    """All that ``nox -s`` may be asked for; the tests by their Pythons."""
    functions = [node for node in NOXFILE.body if isinstance(node, ast.FunctionDef)]
    names = {f.name for f in functions if any("nox.session" in ast.unparse(d) for d in f.decorator_list)}
    return names - {"tests"} | {f"tests-{python}" for python in (*PYTHONS, next_python())}


def called(jobs: dict[str, Any]) -> Iterator[str]:
    """The sessions that the jobs of a workflow ask for, for each value of a matrix."""
    for job in jobs.values():
        matrix = job.get("strategy", {}).get("matrix", {})
        for command in (step.get("run", "") for step in job.get("steps", [])):
            if "-m nox " in command:
                asked = command.partition(" -s ")[2].partition(" -- ")[0].strip('"')
                beginning, _, variable = asked.partition("${{ matrix.")
                values = matrix[variable.removesuffix(" }}")] if variable else [""]
                yield from [beginning + value for value in values]


def test_ci_calls_every_session():
    assert sorted(called(WORKFLOWS["ci"]["jobs"])) == sorted(sessions())
    assert set(called(WORKFLOWS["release"]["jobs"])) == {"package"}


def test_ci_runs_on_the_pythons_that_are_promised_and_the_next():
    tests = WORKFLOWS["ci"]["jobs"]["tests"]
    assert tests["strategy"]["matrix"]["python"] == [*PYTHONS, next_python()]
    assert tests["continue-on-error"] == f"${{{{ matrix.python == '{next_python()}' }}}}"
    assert PROJECT["requires-python"] == f">={PYTHONS[0]}"
    assert [int(python.removeprefix("3.")) for python in PYTHONS] == list(range(11, 11 + len(PYTHONS)))
    for workflow in WORKFLOWS.values():
        for step in (step for job in workflow["jobs"].values() for step in job.get("steps", [])):
            asked = str(step.get("with", {}).get("python-version", "")).split()
            assert asked in ([], ["${{", "matrix.python", "}}"], PYTHONS[::-1])
