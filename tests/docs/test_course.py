"""The course's notebooks can be read and have answers; ``python docs/course/run.py`` runs them."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

COURSE = Path(__file__).parents[2] / "docs" / "course"
WIDTH = 86  # characters that a page shows without scrolling
sys.path.append(str(COURSE))
import checks  # noqa: E402
import run  # noqa: E402

NOTEBOOKS = run.notebooks()
by_name = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)


def test_every_notebook_is_listed() -> None:
    assert {*NOTEBOOKS, COURSE / "index.md"} == set(COURSE.glob("*.md"))
    assert {notebook.stem for notebook in NOTEBOOKS} == {path.stem for path in (COURSE / "answers").glob("*.py")}


@by_name
def test_a_notebook_opens_and_its_cells_compile(notebook: Path) -> None:
    text = notebook.read_text("utf-8")
    assert text.startswith("---\njupytext:\n")
    assert "\nkernelspec:\n" in text
    cells = run.cells_of(notebook)
    assert len(cells) == text.count("```{code-cell}") > 10
    for cell in cells:
        ast.parse(cell.source)  # no magic commands either
        for number, line in enumerate(cell.source.splitlines(), cell.line):
            assert len(line) <= WIDTH, f"{notebook.name}:{number}"


@by_name
def test_every_exercise_has_a_check_an_answer_and_a_mistake(notebook: Path) -> None:
    cells, answers = run.cells_of(notebook), run.exercises_of(notebook)
    asked = []
    for cell, after in zip(cells, [*cells[1:], None], strict=True):
        if "exercise" in cell.tags:
            name = run.asked_for(cell)
            (function,) = ast.parse(cell.source).body
            assert isinstance(function, ast.FunctionDef)
            assert ast.unparse(function.body[0]) == "..."
            assert after is not None and "check" in after.tags, name
            (call,) = [node for node in ast.walk(ast.parse(after.source)) if is_check(node)]
            assert ast.unparse(call.args[0]) == name
            (answer,) = [part for part in ast.parse(answers[name].answer).body if isinstance(part, ast.FunctionDef)]
            assert ast.unparse(answer.args) == ast.unparse(function.args)
            assert answers[name].mistakes, name
            asked.append(name)
    assert asked == list(answers)
    assert len(asked) == sum("check" in cell.tags for cell in cells) >= 3


def is_check(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "check"


IMPORT = "```{code-cell} python\nfrom checks import check\n```\n"
NOTEBOOK = """
```{code-cell} python
:tags: [exercise]

def double(x):
    ...
```

```{code-cell} python
:tags: [check]

check(double, ((2,), 4), ((3,), EXPECTED))
```
"""
ANSWERS = "def double(x):\n    return 2 * x\n\n\ndef mistaken_double_square(x):\n    return x * x\n"


@pytest.mark.parametrize(
    ("expected", "answers", "told"),
    [
        ("6", ANSWERS, None),
        ("6", ANSWERS.replace("2 * x", "3 * x"), "the answer to double: not yet: double(2) returns 6"),
        ("6", ANSWERS.replace("x * x", "x + x"), "double is not refused"),
        ("6), ((4,), 1 / 0", ANSWERS, ZeroDivisionError),
    ],
)
def test_a_run_wants_answers_accepted_and_mistakes_refused(
    expected: str, answers: str, told: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = tmp_path / "numbers.md"
    notebook.write_text(IMPORT + NOTEBOOK.replace("EXPECTED", expected))
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "numbers.py").write_text(answers)
    monkeypatch.setattr(run, "HERE", tmp_path)
    if told is None:
        assert run.run(notebook) == 1
    elif isinstance(told, str):
        with pytest.raises(AssertionError, match=told.replace("(", r"\(").replace(")", r"\)")):
            run.run(notebook)
    else:
        with pytest.raises(told):
            run.run(notebook)


def test_an_empty_exercise_that_is_accepted_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = tmp_path / "numbers.md"
    notebook.write_text(NOTEBOOK.replace("check(double, ((2,), 4), ((3,), EXPECTED))", "print('right: double')"))
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "numbers.py").write_text(ANSWERS)
    monkeypatch.setattr(run, "HERE", tmp_path)
    with pytest.raises(AssertionError, match="double is not refused: empty"):
        run.run(notebook)


def fails(x: float) -> float:
    raise ValueError("no idea")


@pytest.mark.parametrize(
    ("answer", "arguments", "expected", "printed"),
    [
        (abs, (-2,), 2, "right: abs"),
        (abs, (-2,), 2.0001, "right: abs"),
        (abs, (-2,), 3, "not yet: abs(-2) returns 2, and should return 3"),
        (np.sort, (np.array([0.5, 0.25]),), [0.25, 0.5], "right: sort"),
        (np.sort, ([2, 1],), [1, 2, 3], "not yet: sort([2, 1]) returns [1, 2], and should return [1, 2, 3]"),
        (sorted, ("ba",), ("a", "b"), "right: sorted"),
        (list, ([(-1.0, ("a",))],), [(-1.0, ("a",))], "right: list"),
        (list, ([(-1.0, ("a",))],), [(-1.0, ("b",))], "not yet: list([[-1.0, ['a']]]) returns [[-1.0, ['a']]], and "
         "should return [[-1.0, ['b']]]"),
        (dict, ([("a", 1)],), {"a": 1}, "right: dict"),
        (print, (), 0, "\nnot yet: print() returns None, and should return 0"),
        (fails, (1.5,), 1, "not yet: fails(1.5) raises ValueError: no idea"),
        (map, (abs, [1]), 1, None),
    ],
)  # fmt: skip
def test_what_a_check_says(
    answer: Callable[..., Any], arguments: tuple[Any, ...], expected: Any, printed: str | None, capsys: Any
) -> None:
    checks.check(answer, (arguments, expected))
    said = capsys.readouterr().out
    assert said.rstrip("\n") == printed if printed else said.startswith("not yet: map(abs, [1]) returns <map")
