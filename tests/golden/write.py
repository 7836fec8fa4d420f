"""Write golden files, and what is expected of them. Nothing that is there is ever changed.

    python -m tests.golden.write files FOLDER [NAME...]    the files that FOLDER lacks
    python -m tests.golden.write answers FOLDER            what today's code answers, for files without an answer

Files of an earlier version are written with its source on PYTHONPATH; answers are always today's.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tests.golden.oracles import check
from tests.golden.probes import ask, ask_resumed
from tests.golden.recipes import RECIPES
from tests.golden.unfinished import header_of, never_stopped, resume_by_class

HERE = Path(__file__).parent
_DIGITS = 9  # of computed numbers


def write_files(folder: Path, names: list[str]) -> None:
    """Run the recipes of these names, or of those that begin so; without names all of them."""
    for name, recipe in RECIPES.items():
        path = folder / name
        if not path.exists() and (not names or name.startswith(tuple(names))):
            path.parent.mkdir(parents=True, exist_ok=True)
            recipe(path)
            print(path)


def write_answers(folder: Path) -> None:
    """Add the answers of files that have none; an oracle that disagrees stops it."""
    answers = read_answers(folder)
    for name in sorted(files_in(folder) - answers.keys()):
        path = folder / name
        if path.parent.name == "logs":
            answers[name] = {"stored": {"rows": [json.loads(line) for line in path.read_text().splitlines()]}}
        elif path.parent.name == "checkpoints":
            answers[name] = _resumed(path)
        else:
            answers[name] = ask(path)
            if not check(path, answers[name]):
                print(f"{name}: no oracle")
    lines = [f"{json.dumps(name)}: {json.dumps(_rounded(answers[name]))}" for name in sorted(answers)]
    (folder / "answers.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def read_answers(folder: Path) -> dict[str, Any]:
    """The answers so far."""
    path = folder / "answers.json"
    answers: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return answers


def files_in(folder: Path) -> set[str]:
    """The golden files of a folder by name; a corpus is one, and words beside a matrix belong to it."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path != folder / "answers.json"]
    names = {path.relative_to(folder).as_posix() for path in paths if not path.name.endswith(".words.txt")}
    return {name.rpartition("/")[0] if name.startswith("corpora/") else name for name in names}


def _resumed(path: Path) -> dict[str, Any]:
    """The end of a resumed training, which is that of one that was never stopped if the same code began it."""
    with tempfile.TemporaryDirectory() as temporary:
        model, history = resume_by_class(path.name, path, Path(temporary))
        from safetensors.numpy import load_file

        whole = never_stopped(path.name, Path(temporary))
        equal = all(np.array_equal(array, load_file(model)[name]) for name, array in load_file(whole).items())
        print(f"{path.name}: {'equal to' if equal else 'not'} what is trained without a stop")
        stored = {"kind": header_of(path)["kind"], "version": header_of(path)["version"]}
        return {"stored": stored, "computed": ask_resumed(model, history)}


def _rounded(value: Any) -> Any:
    """Computed numbers with fewer digits: the others are no promise."""
    if isinstance(value, dict):
        return {name: part if name == "stored" else _rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


if __name__ == "__main__":
    what, target, *chosen = sys.argv[1:]
    if what == "files":
        write_files(HERE / target, chosen)
    else:
        write_answers(HERE / target)
