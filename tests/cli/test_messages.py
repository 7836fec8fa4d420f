"""Advice of the library as the command line has it: every way out can be typed as it is written."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import windrow
from windrow.cli import main
from windrow.cli.messages import at_the_command_line
from windrow.cli.options import naming_options
from windrow.errors import OptionError

NAMES = {"embedding_size": "--embedding", "learning_rate": "--lr", "kernel": "--kernel", "direct": "--direct"}
ADVICE = [
    ("{}; try {embedding_size} = 8", "{}; try --embedding 8"),
    ("{}; try {learning_rate} = 1e-05 or {embedding_size} = 1", "{}; try --lr 1e-05 or --embedding 1"),
    ("try {learning_rate} = 0.5, {kernel} = -1 and {direct} = True.", "try --lr 0.5, --kernel -1 and --direct."),
    ("use {direct} = False or {embedding_size} = 1", "use --no-direct or --embedding 1"),
    ('it needs {kernel} = "block"; or set {embedding_size} = 1', "it needs --kernel block; or set --embedding 1"),
    ("name it: {kernel}=..., or number it: {embedding_size}=N", "name it: --kernel WAY, or number it: --embedding N"),
    ("{}, or set {kernel} = pair", "{}, or set --kernel pair"),
    ("add {direct} = True, or leave it out", "add --direct, or leave it out"),
    ("try {kernel} = 'two words'", "try --kernel 'two words'"),
    # What is at fault stays a statement.
    ("it has 3, but {embedding_size} = 200; try 'a' or 'b'", "it has 3, but --embedding = 200; try 'a' or 'b'"),
    ("{kernel} = 'x' is unknown; choose y", "--kernel = 'x' is unknown; choose y"),
    ("{learning_rate} = 7 must be at most 1", "--lr = 7 must be at most 1"),
    # What it is now and what to try instead: only the latter can be typed.
    ("{}; lower {learning_rate} = 0.5, to 0.05 for example, or else", "{}; try --lr 0.05, or else"),
    ("raise {embedding_size} = 3 to 4 or set {kernel} = pair", "try --embedding 4 or set --kernel pair"),
    ("lower {embedding_size} = 5, or give more text", "lower --embedding, or give more text"),
    ("it was taken with {embedding_size} = 3, use 4", "it was taken with --embedding = 3, use 4"),
]  # fmt: skip


@click.command()
@click.option("--embedding", "embedding_size")
@click.option("--lr", "learning_rate")
@click.option("--kernel", "kernel", metavar="WAY")
@click.option("--direct/--no-direct", "direct")
def command() -> None:
    """With the options of the messages above."""


@pytest.mark.parametrize(("told", "shown"), ADVICE)
@pytest.mark.parametrize("within", [True, False])
def test_advice_is_written_as_it_is_typed(told: str, shown: str, within: bool) -> None:
    message = told.replace("{}", "it is wrong")
    for name in NAMES:
        message = message.replace(f"{{{name}}}", name)
    expected = shown.replace("{}", "it is wrong")
    if within:
        with click.Context(command), pytest.raises(OptionError) as caught, naming_options(NAMES):
            raise OptionError(message)
        message = str(caught.value)
    assert at_the_command_line(message, command) == expected


def test_keywords_with_numbers_and_switches() -> None:
    message = "try learning_rate=0.5 or direct=False, or other=3"
    assert at_the_command_line(message, command) == "try --lr 0.5 or --no-direct, or other=3"


def test_placeholders_and_what_a_command_has_no_option_for() -> None:
    assert at_the_command_line("try lr=..., or else", click.Command("c")) == "try lr=..., or else"
    assert at_the_command_line("name it; or try kernel=... or x='y'", command) == "name it"
    assert at_the_command_line("name it; or try embedding_size=...", command) == "name it; or try --embedding TEXT"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("text").write_text("the cat sat on the mat\nthe dog ran off the mat\n" * 10, "utf-8")
    windrow.WordVectors(["the", "cat"], [[1.0, 2.0, 3.0], [2.0, 1.0, 0.0]]).save("v.txt")
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        ("lm train rnn text -o m --hidden 3 --epochs 1 --vectors v.txt", "--embedding 3"),
        ("lm train window text -o m --hidden 3 --epochs 1 --vectors v.txt", "--embedding 3"),
        ("lm train window text -o m --epochs 1 --tied --hidden 3 --embedding 4", "--embedding 3"),
        ("lm train rnn text -o m --epochs 1 --tied --hidden 3 --embedding 4", "--embedding 3"),
        ("vectors train text -o v.bin --size 2 --epochs 1 --min-count 1 --workers 2 --deterministic --kernel pair",
         "--kernel block"),
        ("vectors train text -o v.bin --size 2 --epochs 1 --min-count 1 --workers 2 --deterministic --kernel pair",
         "--workers 1"),
        ("corpus build text -o c --language tr", "--lowercase"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("here")
def test_who_follows_the_advice_comes_through(typed: str, advice: str) -> None:
    refused = CliRunner().invoke(main, typed.split())
    assert refused.exit_code == 1
    assert re.search(rf"(?<![\w-]){advice}(?![\w-])", refused.stderr), refused.stderr
    assert not re.search(r"(?:add|needs|or|set|try|use) --?[\w-]+ = ", refused.stderr), refused.stderr
    followed = CliRunner().invoke(main, [*typed.split(), *advice.split()])
    assert followed.exit_code == 0, followed.stderr
