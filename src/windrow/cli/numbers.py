"""Numbers among the options of commands, with their ranges, which ``--help`` shows."""

from __future__ import annotations

import re
from math import inf
from typing import TYPE_CHECKING, Any

import click

from windrow.cli.messages import name_typed
from windrow.errors import LARGEST_WHOLE, OptionError, check_range

if TYPE_CHECKING:
    from windrow.estimator import Setting

    _Bytes = click.ParamType[int]
else:
    _Bytes = click.ParamType  # which takes no type in older versions

_HUGE = 2.0**62
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


class WholeNumber(click.IntRange):
    """A whole number in a range, both ends included.

    What lies outside is bad input, status 1, not wrong usage. ``checks``: here; else in what the command calls.
    """

    name = "integer"

    def __init__(self, low: int | None = None, high: int | None = None, *, checks: bool = True) -> None:
        super().__init__(low, high)
        self.checks = checks

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number."""
        number: int = click.INT.convert(value, param, ctx)
        if self.checks and param is not None:
            check_range(name_typed(param), number, _end(self.min, -inf), _end(self.max, inf))
        return number


class WholeNumberOrInf(WholeNumber):
    """As ``WholeNumber``, or ``inf``."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number; infinity for ``inf``."""
        if value in ("inf", inf):
            return inf  # type: ignore[return-value]
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} is not a valid integer, nor inf.", param, ctx)


class Number(click.FloatRange):
    """As ``WholeNumber``, of any number; ``low_open``, ``high_open``: without that end."""

    name = "float"

    def __init__(
        self,
        low: float | None = None,
        high: float | None = None,
        *,
        low_open: bool = False,
        high_open: bool = False,
        checks: bool = True,
    ) -> None:
        super().__init__(low, high, min_open=low_open, max_open=high_open)
        self.checks = checks

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number."""
        number: float = click.FLOAT.convert(value, param, ctx)
        if self.checks and param is not None:
            ends = _end(self.min, -inf), _end(self.max, inf)
            check_range(name_typed(param), number, *ends, low_open=self.min_open, high_open=self.max_open)
        return number


class Size(_Bytes):
    """Bytes: 500M, 2G; of memory also 50%, of what is free, by machine and container."""

    name = "size"

    def __init__(self, *, of_file: bool = False) -> None:
        self._of_file = of_file

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number of bytes."""
        from windrow.machine import available_memory

        name = "the size" if param is None else name_typed(param)
        found = re.fullmatch(r"(\d+(?:\.\d*)?)(?:([KMGT]?)B?|(%))", str(value).strip().upper())
        if not found or (found[3] and (self._of_file or float(found[1]) > 100)):
            examples = "500K, 100M or 2G" if self._of_file else "500M, 2G or 50%"
            raise OptionError(f"{name} {value!r} must be a size such as {examples}")
        unit = (available_memory() or 0) / 100 if found[3] else _UNITS[found[2]]
        if not unit:
            raise OptionError(f"{name} {value!r}: how much memory is free is not known here; give a size: 2G")
        size = float(found[1]) * unit
        check_range(name, size, 0, LARGEST_WHOLE)
        return int(size)


def _end(end: float | None, without: float) -> float:
    return without if end is None else end


def _shown_high(setting: Setting) -> float | None:
    """The greatest number, if it is that of the setting, not that of what it is computed with."""
    return None if isinstance(setting.high, str) or setting.high >= _HUGE else setting.high


def number_of(setting: Setting) -> click.ParamType[Any]:
    """The type of a setting's option; the estimator checks the range."""
    low = None if setting.low == -inf else setting.low
    high = _shown_high(setting)
    if low is None and high is None:
        return click.INT if setting.type is int else click.FLOAT
    if setting.type is int:
        return WholeNumber(None if low is None else int(low), None if high is None else int(high), checks=False)
    is_open = {"low_open": low is not None and setting.low_open, "high_open": high is not None and setting.high_open}
    return Number(low, high, **is_open, checks=False)


def told_range(setting: Setting) -> str:
    """The range of each of several numbers, as ``--help`` shows that of a single one; empty for any number."""
    left, right = "<" if setting.low_open else "<=", "<" if setting.high_open else "<="
    low = "" if setting.low == -inf else f"{setting.low:g}{left}"
    high = "" if (end := _shown_high(setting)) is None else f"{right}{end:g}"
    if low and not high:
        return f"x{'>' if setting.low_open else '>='}{setting.low:g}"
    return f"{low}x{high}" if low or high else ""
