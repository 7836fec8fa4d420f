"""The reference has every public name and every command."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import click

from windrow.cli import main
from windrow.cli.groups import LazyGroup

PAGES = Path(__file__).parents[2] / "docs" / "reference"
REFERENCE = "".join(path.read_text("utf-8") for path in sorted(PAGES.glob("*.md")))
LISTED = (Path(__file__).parents[1] / "public_names.txt").read_text("utf-8").split()


def test_public_names_are_described() -> None:
    described = [pkgutil.resolve_name(name) for name in re.findall(r"^\.\. auto\w+:: (\S+)$", REFERENCE, re.MULTILINE)]
    tables = set(re.findall(r"`(?:windrow\.\w+\.)?([A-Z_]+)`", REFERENCE))  # of names: told in a sentence

    missing = [
        name
        for name in LISTED
        if not any(pkgutil.resolve_name(name) is one for one in described) and name.rpartition(".")[2] not in tables
    ]

    assert missing == ["windrow.__version__", "windrow.compat.gensim.models"]


def commands(command: click.Command, name: str) -> Iterator[str]:
    if not isinstance(command, LazyGroup):
        yield name
        return
    with click.Context(command) as ctx:
        for sub in command.list_commands(ctx):
            found = command.get_command(ctx, sub)
            assert found is not None
            yield from commands(found, f"{name} {sub}")


def test_commands_are_described() -> None:
    roots = re.findall(r"^   :prog: (.+)$", REFERENCE, re.MULTILINE)
    for name in commands(main, "windrow"):
        assert any(f"{name} ".startswith(f"{root} ") for root in roots), name
