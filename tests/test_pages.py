"""The code of each page in docs/ is run as it stands: its blocks in order, in one empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGES = sorted((Path(__file__).parents[1] / "docs").glob("*.md"))
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PEERS = ("gensim", "kenlm", "nltk")  # not to be had for every Python; a block that imports one is then left out


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_code_of_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = tmp_path / "bin" / "windrow"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m windrow "$@"\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(command.parent), os.environ["PATH"]]))
    folder = tmp_path / "page"
    folder.mkdir()
    monkeypatch.chdir(folder)
    text = page.read_text("utf-8")
    blocks = BLOCK.findall(text)
    assert len(blocks) == text.count("```python") + text.count("```console")
    names: dict[str, object] = {}
    for language, block in blocks:
        if language == "console":
            run_transcript(block)
        else:
            run_python(block, names)


def run_python(block: str, names: dict[str, object]) -> None:
    try:
        exec(block, names)
    except ModuleNotFoundError as missing:
        if missing.name not in PEERS:
            raise


def run_transcript(block: str) -> None:
    """Lines that begin with ``$`` are typed; what stands below must be what they print, ``...`` being anything."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        typed = re.match(r"(?:.*\\\n)*.*\n", part)[0]  # type: ignore[index]
        done = subprocess.run(["sh", "-c", typed], capture_output=True, text=True, encoding="utf-8", check=False)
        printed = done.stdout + done.stderr
        pattern = re.escape(part.removeprefix(typed).strip()).replace(r"\.\.\.", ".*")
        assert re.fullmatch(pattern, printed.strip(), re.DOTALL), f"$ {typed}{printed}"
        assert not done.returncode, printed


def test_a_transcript_that_differs_is_found() -> None:
    run_transcript("$ echo a \\\n  b c\na ... c\n")
    with pytest.raises(AssertionError, match="a b"):
        run_transcript("$ echo a b\na c\n")
