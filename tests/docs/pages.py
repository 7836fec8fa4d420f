"""Run the blocks of a page in the order in which a reader meets them.

Fenced blocks of ``python`` share their names; ``>>>`` examples in them are compared with what they print. In blocks of
``console`` each line that begins with ``$ `` is a command, and the lines below it, if any, are what it must print,
``...`` for what varies. A command that prints ``Error: ...`` must fail, all others must succeed, without warnings that
the page does not show. What a reader does not need to see stands in comments before a block:

``<!-- before ... -->``
    Python that makes what the page takes as given: small files, arrays.
``<!-- not run: WHY -->``
    The next block cannot run here.
``<!-- numbers vary -->``, ``<!-- output varies -->``
    In what the next block prints, all but the numbers is compared; nothing is compared.
``<!-- in tests: OLD -> NEW -->``
    What makes a training in the next block short.
"""

from __future__ import annotations

import contextlib
import doctest
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from click.testing import CliRunner

from windrow.cli import main

PARTS = re.compile(
    r"<!--\s*(?P<comment>.*?)\s*-->|^```(?P<language>[^\n]*)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE
)
COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n?((?:(?!\$ ).*\n?)*)", re.MULTILINE)
NUMBER = re.compile(r" *-?\d[\d,]*(\.\d+)?(e-?\d+)?")  # with the blanks that align it
QUOTED = re.compile(r"'[^']*'")
FOR_A_SHELL = re.compile(r"[|<>&;*?$`]")
PEERS = ("gensim", "kenlm", "nltk")  # not to be had for every Python; a block that imports one is then left out
SHOWN = ("text",)  # languages of blocks that show something and are not run


@dataclass
class Block:
    """A block of code, and what the comments before it say of it."""

    language: str
    body: str
    line: int
    comments: list[str] = field(default_factory=list)

    def marks(self, name: str) -> list[str]:
        """What comments of a kind say, "" if it is a mark alone."""
        return [comment[len(name) :].lstrip(": ") for comment in self.comments if comment.startswith(name)]


def blocks_of(text: str) -> Iterator[Block]:
    """The blocks of a page, those of directives left out; comments with code are blocks, too."""
    comments: list[str] = []
    for part in PARTS.finditer(text):
        line = text.count("\n", 0, part.start()) + 1
        if part["comment"] is None:
            if not part["language"].startswith("{"):
                yield Block(part["language"], part["body"], line, comments)
            comments = []
        elif part["comment"].startswith("before\n"):
            yield Block("python", part["comment"].removeprefix("before\n"), line)
        else:
            comments = [*comments, part["comment"]]


class Reader:
    """Somebody who types all that a page says, in a folder of their own."""

    def __init__(self, page: Path, folder: Path) -> None:
        self.page, self.folder = page, folder
        self.names: dict[str, object] = {"__name__": "__main__"}
        self.programs = folder.with_name(f"{folder.name}-programs")
        self.programs.mkdir()
        for name, module in (("windrow", "-m windrow"), ("python", "")):
            program = self.programs / name
            program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {module} "$@"\n')
            program.chmod(0o755)

    def run(self, block: Block) -> None:
        """Type a block."""
        if block.marks("not run"):
            return
        for mark in block.marks("in tests"):
            old, new = mark.split(" -> ")
            assert old in block.body, f"{self.page.name}: {old} is not in the block"
            block.body = block.body.replace(old, new)
        if block.language == "python":
            self.run_python(block)
        elif block.language == "console":
            for command, expected in COMMAND.findall(block.body):
                self.run_command(command, expected.rstrip("\n"), block)

    def run_python(self, block: Block) -> None:
        """Run Python; of examples, compare what they print."""
        place = f"{self.page}, line {block.line}"
        if not block.body.startswith(">>> "):
            try:
                exec(compile("\n" * block.line + block.body, str(self.page), "exec"), self.names)
            except ModuleNotFoundError as missing:
                if missing.name not in PEERS:
                    raise
            return
        test = doctest.DocTestParser().get_doctest(block.body, self.names, place, str(self.page), block.line)
        failed = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS).run(test, clear_globs=False).failed
        self.names = test.globs
        assert not failed, f"{place}: see the output above"

    def run_command(self, command: str, expected: str, block: Block) -> None:
        """Run a command, and compare what it prints: to standard output, or all of it."""
        status, output, errors = self.typed(command)
        said = f"{self.page}, line {block.line}: $ {command}\n{errors}{output}"
        assert (status != 0) == expected.startswith("Error: "), said
        assert "Warning: " in expected or "Warning: " not in errors, said
        if expected and not block.marks("output varies"):
            shown = [output, errors, errors + output, output + errors]
            if block.marks("numbers vary"):
                expected, *shown = (NUMBER.sub("0", text) for text in (expected, *shown))
            assert any(matches(text.rstrip("\n"), expected) for text in shown), f"{said}\nbut the page has\n{expected}"

    def typed(self, command: str) -> tuple[int, str, str]:
        """The status of a command and what it prints; ours runs in this process, if a shell is only to feed it."""
        command = command.replace("\\\n", "")
        feed, _, ours = command.rpartition(" | ")
        if not ours.startswith("windrow ") or FOR_A_SHELL.search(QUOTED.sub("", ours)):
            return self.typed_in_a_shell(command)
        status, given, errors = self.typed_in_a_shell(feed) if feed else (0, "", "")
        result = CliRunner().invoke(main, shlex.split(ours, comments=True)[1:], input=given)
        return result.exit_code or status, result.stdout, errors + result.stderr

    def typed_in_a_shell(self, command: str) -> tuple[int, str, str]:
        """The same, in processes of their own."""
        environment = {**os.environ, "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}"}
        typed = ["bash", "-c", f"set -o pipefail; {command}"]
        done = subprocess.run(typed, capture_output=True, text=True, env=environment, cwd=self.folder, check=False)
        return done.returncode, done.stdout, done.stderr


def read(page: Path, folder: Path) -> None:
    """Type all that a page says, in a new folder."""
    folder.mkdir()
    reader = Reader(page, folder)
    with contextlib.chdir(folder):
        for block in blocks_of(page.read_text("utf-8")):
            reader.run(block)


def matches(printed: str, expected: str) -> bool:
    """Whether a text is the expected one, in which ``...`` is any text, and alone on a line any lines."""
    pattern = re.escape(expected).replace("\\.\\.\\.\\\n", "(?:.*\n)*?").replace(r"\.\.\.", ".*")
    return re.fullmatch(pattern, printed) is not None


if __name__ == "__main__":  # by the windrow that is installed: ``python -m tests.docs.pages README.md``
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as place:
            read(Path(name).resolve(), Path(place, "reader"))
