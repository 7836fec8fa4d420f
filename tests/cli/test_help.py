"""The help of every command: short enough to read, whole where it is asked for, with an example that works."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from tests.docs.pages import COMMAND, blocks_of
from tests.docs.test_blocks import PAGES
from windrow.cli import main
from windrow.cli.groups import Command, LazyGroup
from windrow.cli.help import HEADINGS, MOST_LINES, example_lines, grouped_option
from windrow.cli.options import setting_options
from windrow.embeddings.formats import FORMATS, check_target
from windrow.estimator import Setting
from windrow.files.sniff import ARPA_ENDINGS, is_arpa
from windrow.viz.figures import _DATES

NOT_ON_PAGES = {"corpus fetch", "vectors fetch", "warmup", "demo", "explore"}  # they download, take a minute, or serve


def commands(group: LazyGroup, *names: str) -> Iterator[tuple[str, Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        if isinstance(found, LazyGroup):
            yield from commands(found, *names, name)
        else:
            assert isinstance(found, Command)
            yield " ".join((*names, name)), found


COMMANDS = dict(commands(main, *()))


def shown(name: str, flag: str, width: int = 80) -> str:
    result = CliRunner(env={"COLUMNS": str(width)}).invoke(main, [*name.split(), flag], prog_name="windrow")
    assert result.exit_code == 0
    return result.stdout


def flags(text: str) -> list[str]:
    """The long names in the first column of a help text, of switches both."""
    text = re.split(rf"^(?:{'|'.join(HEADINGS)}|Help):$", text, maxsplit=1, flags=re.MULTILINE)[1].partition(
        "Example:"
    )[0]
    lines = re.findall(r"^  ((?:-\w, )?--\S+(?: / --\S+)?)", text, re.MULTILINE)
    return [flag for line in lines for flag in re.findall(r"--[\w-]+", line)]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_short(name: str) -> None:
    text = shown(name, "--help")
    assert len(text.splitlines()) <= MOST_LINES
    assert max(map(len, text.splitlines())) <= 80
    left_out = set(flags(shown(name, "--help-all"))) - set(flags(text))
    assert ("--help-all" in text) == bool(left_out)
    required = {flag for one in COMMANDS[name].params if one.required for flag in one.opts if flag.startswith("--")}
    assert not required & left_out


@pytest.mark.parametrize("name", COMMANDS)
def test_help_all_has_every_option_once(name: str) -> None:
    options = [one for one in COMMANDS[name].params if isinstance(one, click.Option)]
    expected = [flag for one in options for flag in (*one.opts, *one.secondary_opts) if flag.startswith("--")]
    listed = [flag for flag in flags(shown(name, "--help-all")) if flag not in ("--help", "--help-all")]
    assert sorted(listed) == sorted(expected)


@pytest.mark.parametrize("name", COMMANDS)
def test_example(name: str) -> None:
    example = COMMANDS[name].example
    lines = shown(name, "--help").partition("\nExample:\n")[2]
    assert shlex.split(lines.replace("\\\n", " ")) == shlex.split(example)
    typed = shlex.split(example.partition(" > ")[0].rpartition(" | ")[2])
    assert " ".join(typed).startswith(f"windrow {name}")
    COMMANDS[name].make_context(name, typed[1 + len(name.split()) :])


def test_examples_stand_on_pages_that_the_tests_execute() -> None:
    blocks = [block for page in PAGES for block in blocks_of(page.read_text("utf-8")) if block.language == "console"]
    typed = [typed for block in blocks if not block.marks("not run") for typed, _ in COMMAND.findall(block.body)]
    executed = {" ".join(one.replace("\\\n", " ").split()) for one in typed}
    assert {name for name, command in COMMANDS.items() if command.example not in executed} == NOT_ON_PAGES


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("windrow vec", {"vectors"}),
        ("windrow vectors tr", {"train"}),
        ("windrow vectors train --con", {"--continue-from"}),
        ("windrow lm train rnn --cell el", {"elman", "elman-sigmoid", "elman-relu"}),
        ("windrow vectors train --help-", {"--help-all"}),
    ],
)
def test_completion_in_bash(typed: str, offered: set[str]) -> None:
    environment = {
        "_WINDROW_COMPLETE": "bash_complete",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(typed.split()) - 1),
    }
    result = CliRunner(env=environment).invoke(main, [], prog_name="windrow")
    assert {line.partition(",")[2] for line in result.stdout.splitlines()} == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_get_what_the_documentation_says(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (PAGES[0].parent / "docs" / "reference" / "commands.md").read_text("utf-8")
    assert f"_WINDROW_COMPLETE={shell}_source windrow" in page
    monkeypatch.setattr("click.shell_completion.BashComplete._check_version", lambda *_: None)  # which starts bash
    result = CliRunner(env={"_WINDROW_COMPLETE": f"{shell}_source"}).invoke(main, [], prog_name="windrow")
    assert f"_WINDROW_COMPLETE={shell}_complete" in result.stdout


TABLE = (
    Setting("units", int, 3, "How many.", of_model=True, common=True),
    Setting("rate", float, 1.0, "How much.", low=0),
    Setting("cut", int, 2, "How few.", heading="Text"),
)


def help_of(lines: int, *args: str) -> str:
    """The help of a command with some options, one of which has a help text of so many lines."""

    @click.command(cls=Command, example="windrow example")
    @click.option("--much", help="word " * 10 * lines)
    @grouped_option("--seldom", heading="Training", common=False)
    @setting_options(TABLE)
    def example(**_: object) -> None:
        """An example."""

    return CliRunner(env={"COLUMNS": "80"}).invoke(example, args).stdout


def test_options_stand_under_their_headings() -> None:
    text = help_of(1, "--help")
    assert re.findall(r"^(\w+):$", text, re.MULTILINE) == ["Options", "Model", "Training", "Text", "Help", "Example"]
    assert flags(text) == ["--much", "--units", "--seldom", "--rate", "--cut", "--help"]
    assert set(re.findall(r"^(\w+):$", text, re.MULTILINE)) <= {*HEADINGS, "Help", "Example"}


def test_a_long_help_leaves_out_what_is_not_common() -> None:
    assert flags(help_of(MOST_LINES, "--help")) == ["--much", "--units", "--help", "--help-all"]
    assert flags(help_of(MOST_LINES, "--help-all")) == [
        *("--much", "--units", "--seldom", "--rate", "--cut", "--help", "--help-all"),
    ]


def test_examples_are_broken_for_a_shell() -> None:
    example = f"windrow train {' '.join(f'--option{i} {i}' for i in range(30))}"
    lines = example_lines(example)
    assert len(lines) > 3
    assert all(len(line) <= 78 for line in lines)
    assert shlex.split("\n".join(lines).replace("\\\n", " ")) == shlex.split(example)


def told_endings(name: str) -> list[str]:
    """The endings in the help of a command's output."""
    text = " ".join(shown(name, "--help-all").split())
    return re.findall(r"(?<=[ :])\.(\w+)\b", text)


@pytest.mark.parametrize("name", ["vectors train", "vectors convert", "vectors align", "demo"])
def test_the_endings_of_files_of_vectors_are_those_that_decide(name: str) -> None:
    packed = [ending for ending, row in FORMATS.items() if row.gzip]
    assert told_endings(name)[: len(FORMATS) + 1 + len(packed)] == [*FORMATS, "gz", *packed]


@pytest.mark.parametrize("name", ["lm train ngram", "lm convert", "lm filter", "lm mix", "lm prune"])
def test_the_endings_of_arpa_files_are_those_that_decide(name: str) -> None:
    assert told_endings(name)[:3] == [*ARPA_ENDINGS, "gz"]
    for ending in ARPA_ENDINGS:
        assert is_arpa(f"m.{ending}") and is_arpa(f"m.{ending}.gz")


def test_the_endings_of_pictures_are_those_that_decide() -> None:
    for name in ("vectors plot", "vectors plot-log"):
        assert told_endings(name)[: len(_DATES)] == list(_DATES)


def test_the_demo_writes_to_its_example() -> None:
    check_target(COMMANDS["demo"].example.split()[-1])


@pytest.mark.parametrize("group", ["", *sorted({name.rpartition(" ")[0] for name in COMMANDS} - {""})])
def test_a_group_shows_the_first_sentences_of_its_commands_whole(group: str) -> None:
    text = " ".join(shown(group, "--help").partition("\nCommands:\n")[2].split())
    for name, command in COMMANDS.items():
        if name.rpartition(" ")[0] == group:
            paragraph = " ".join(str(command.help).partition("\n\n")[0].split())
            sentence = paragraph[: paragraph.find(". ") + 1 or None]
            assert f"{name.rpartition(' ')[2]} {sentence}" in text
