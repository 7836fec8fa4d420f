"""Run the notebooks of the course, with the answers to their exercises: ``python docs/course/run.py [NAME ...]``.

No Jupyter is needed. In each exercise the check must refuse the empty function and every mistake that stands beside the
answer, and accept the answer.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n((?::[^\n]*\n)*)(.*?)^```$", re.MULTILINE | re.DOTALL)
MISTAKEN = "mistaken_"


class Cell(NamedTuple):
    """A code cell: its source, the line of the notebook on which that begins, its tags."""

    source: str
    line: int
    tags: str

    def run(self, names: dict[str, Any], path: Path) -> str:
        """Run the cell, and return what it prints."""
        return execute("\n" * (self.line - 1) + self.source, names, path)


class Exercise(NamedTuple):
    """Sources of functions: the answer, and mistakes."""

    answer: str
    mistakes: list[str]


def notebooks() -> list[Path]:
    """The notebooks, in the order in which they are read."""
    listed = re.search(r"```\{toctree\}\n(.*?)```", (HERE / "index.md").read_text("utf-8"), re.DOTALL)
    assert listed
    return [HERE / f"{name}.md" for name in listed[1].split() if not name.startswith(":")]


def cells_of(notebook: Path) -> list[Cell]:
    """The code cells of a notebook."""
    text = notebook.read_text("utf-8")
    return [Cell(found[2], text.count("\n", 0, found.start(2)) + 1, found[1]) for found in CELL.finditer(text)]


def exercises_of(notebook: Path) -> dict[str, Exercise]:
    """The answers to a notebook's exercises, by the name of the function that is asked for."""
    source = (HERE / "answers" / f"{notebook.stem}.py").read_text("utf-8")
    parts = {
        part.name: ast.get_source_segment(source, part) or ""
        for part in ast.parse(source).body
        if isinstance(part, ast.FunctionDef)
    }
    return {
        name: Exercise(answer, [text for other, text in parts.items() if other.startswith(f"{MISTAKEN}{name}")])
        for name, answer in parts.items()
        if not name.startswith(MISTAKEN)
    }


def asked_for(cell: Cell) -> str:
    """The name of the function that an exercise asks for."""
    (function,) = [part for part in ast.parse(cell.source).body if isinstance(part, ast.FunctionDef)]
    return function.name


def execute(source: str, names: dict[str, Any], path: Path) -> str:
    """Run Python, and return what it prints."""
    with redirect_stdout(io.StringIO()) as printed:
        exec(compile(source, str(path), "exec"), names)
    return printed.getvalue()


def run(notebook: Path) -> int:
    """Run all cells of a notebook, exercises answered; return how many exercises there are."""
    names: dict[str, Any] = {"__name__": "__main__"}
    answers, asked = exercises_of(notebook), ""
    for cell in cells_of(notebook):
        printed = cell.run(names, notebook)
        if "exercise" in cell.tags:
            asked = asked_for(cell)
        elif "check" in cell.tags:
            refused(printed, asked, "empty")
            for mistake in answers[asked].mistakes:
                execute(re.sub(rf"{MISTAKEN}{asked}\w*", asked, mistake), names, notebook)
                refused(cell.run(names, notebook), asked, mistake)
            execute(answers[asked].answer, names, notebook)
            printed = cell.run(names, notebook)
            assert printed == f"right: {asked}\n", f"{notebook.name}: the answer to {asked}: {printed}"
    return len(answers)


def refused(printed: str, asked: str, given: str) -> None:
    """Raise AssertionError unless a check said in one line that the exercise is not solved yet."""
    assert printed.startswith("not yet: ") and printed.count("\n") == 1, f"{asked} is not refused: {given}\n{printed}"


def main() -> None:
    """Run the notebooks that are named, or all."""
    sys.path.insert(0, str(HERE))
    chosen = [notebook for notebook in notebooks() if notebook.stem in sys.argv[1:] or not sys.argv[1:]]
    if not chosen:
        sys.exit(f"no such notebook; there are {', '.join(notebook.stem for notebook in notebooks())}")
    for notebook in chosen:
        started = time.monotonic()
        exercises = run(notebook)
        print(f"{notebook.name}: {exercises} exercises, {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
