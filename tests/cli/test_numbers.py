"""Ranges of numbers: in the help of every numeric option, and kept."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from windrow.cli import main
from windrow.cli.groups import LazyGroup
from windrow.cli.numbers import Number, WholeNumber, number_of, told_range
from windrow.errors import OptionError
from windrow.estimator import Setting

WITHOUT_RANGE = {"--token-column", "--tag-column", "--threshold"}


def commands(group: click.Command = main, name: str = "") -> Iterator[tuple[str, click.Command]]:
    if not isinstance(group, LazyGroup):
        yield name, group
        return
    context = click.Context(group)
    for sub in group.list_commands(context):
        found = group.get_command(context, sub)
        assert found is not None
        yield from commands(found, f"{name} {sub}".strip())


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_the_help_of_each_number_has_its_range(name: str) -> None:
    options = [one for one in dict(commands())[name].params if isinstance(one, click.Option)]
    numbers = [one for one in options if isinstance(one.type, type(click.INT) | type(click.FLOAT))]
    assert {one.opts[-1] for one in numbers if not isinstance(one.type, WholeNumber | Number)} <= WITHOUT_RANGE
    text = " ".join(CliRunner().invoke(main, [*name.split(), "--help-all"]).output.split())
    for option in numbers:
        if isinstance(option.type, WholeNumber | Number):
            assert option.type._describe_range().strip("<>=") in text, option.name


def test_a_number_out_of_range_is_bad_input() -> None:
    @click.command()
    @click.option("-k", "--top", type=WholeNumber(1, 9), default=2)
    @click.option("--rate", type=Number(0, 1, low_open=True))
    @click.option("--later", type=WholeNumber(1, checks=False))
    def command(top: int, rate: float | None, later: int | None) -> None:
        click.echo(f"{top} {rate} {later}")

    def output(*arguments: str) -> str:
        result = CliRunner().invoke(command, arguments)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.output

    assert output("-k", "9", "--rate", "1", "--later", "-5") == "9 1.0 -5\n"
    assert output() == "2 None None\n"
    assert "'x' is not a valid integer" in output("-k", "x")
    with pytest.raises(OptionError, match=r"--top = 10 is out of range; the allowed range is \[1, 9\]"):
        output("-k", "10")
    with pytest.raises(OptionError, match=r"--rate = 0.0 is out of range; the allowed range is \(0, 1\]"):
        output("--rate", "0")


def test_ranges_of_settings() -> None:
    rows = (
        (Setting("n", int, 1, "", low=1, high=9), "1<=x<=9", "1<=x<=9"),
        (Setting("n", float, 1, "", low=0, low_open=True, high=1, high_open=True), "0<x<1", "0<x<1"),
        (Setting("n", float, 1, "", low=0, low_open=True), "x>0", "x>0"),
        (Setting("n", int, 1, "", low=0, high=2**63 - 1), "x>=0", "x>=0"),
        (Setting("n", int, 1, "", high="m", low=2), "x>=2", "x>=2"),
        (Setting("n", float, 1, ""), "", ""),
    )
    for setting, shown, told in rows:
        kind = number_of(setting)
        found = kind._describe_range() if isinstance(kind, WholeNumber | Number) else ""
        assert (found, told_range(setting)) == (shown, told)
