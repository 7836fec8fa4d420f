"""The numpydoc sections of docstrings: reading them, and writing ``Parameters`` of estimators from their tables.

``python -m tests.parameter_sections --write`` rewrites these sections in the sources.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import Any

from windrow.estimator import REQUIRED, Setting, told_condition

PUBLIC_NAMES = Path(__file__).with_name("public_names.txt")
_WIDTH = 120
_HUGE = 1e15  # a limit above it is the machine's: not worth telling


def public_objects() -> dict[str, Any]:
    """Each public name and what it is; of several names of one object the last, which is where it is at home."""
    found = {}
    for name in PUBLIC_NAMES.read_text("utf-8").split():
        module, _, attribute = name.rpartition(".")
        found[name] = getattr(importlib.import_module(module), attribute)
    return {name: value for name, value in found.items() if not any(value is found[o] for o in found if o > name)}


def sections(docstring: str | None) -> dict[str, str]:
    """The text of each section by its title, indented as ``inspect.cleandoc`` leaves it."""
    lines = inspect.cleandoc(docstring or "").splitlines()
    titles = [at for at in range(len(lines) - 1) if lines[at] and re.fullmatch(r"-{3,}", lines[at + 1])]
    return {lines[at]: "\n".join(lines[at + 2 : end]).strip() for at, end in pairwise([*titles, len(lines)])}


def described(section: str) -> dict[str, str]:
    """What a section says of each name: the rest of its line, and the lines indented below."""
    said: dict[str, str] = {}
    for entry in re.split(r"\n(?=\S)", section) if section else ():
        head, _, body = entry.partition("\n")
        names, _, kind = head.partition(" : ")
        for name in re.split(r",\s*", names):
            said[name.lstrip("*")] = f"{kind}\n{textwrap.dedent(body)}".strip()
    return said


def section_of(settings: tuple[Setting, ...]) -> str:
    """The ``Parameters`` section of an estimator, without its title."""
    return "\n".join(line for setting in settings for line in _entry(setting))


def _entry(setting: Setting) -> Iterator[str]:
    default = "" if setting.default is REQUIRED else f", default {_literal(setting.default)}"
    yield f"{setting.name} : {kind_of(setting)}{default}"
    choices = f"One of {', '.join(setting.choices)}." if _has_long_choices(setting) else ""
    text = " ".join(filter(None, [setting.help, choices, _none(setting), _only_with(setting), setting.advice]))
    yield from textwrap.wrap(text, _WIDTH - 8, initial_indent="    ", subsequent_indent="    ", break_long_words=False,
                             break_on_hyphens=False)  # fmt: skip


def kind_of(setting: Setting) -> str:
    """Type and range in a few words, such as ``int in [1, 100]``."""
    if setting.choices and not isinstance(setting.type, str | tuple) and not _has_long_choices(setting):
        kind = "{" + ", ".join(map(_literal, setting.choices)) + "}"
    else:
        kind = setting.type_name + _range(setting)
    return f"{'sequence of ' * setting.many}{kind}{' or None' * bool(setting.none)}"


def _has_long_choices(setting: Setting) -> bool:
    return isinstance(setting.type, type) and sum(len(str(choice)) for choice in setting.choices) > 60


def _range(setting: Setting) -> str:
    low, high = setting.low, setting.high
    if low == high:
        return f" {_number(low)}"
    if isinstance(high, str) or (high < _HUGE and low > -inf):
        left, right = "(" if setting.low_open else "[", ")" if setting.high_open else "]"
        return f" in {left}{_number(low)}, {_number(high)}{right}"
    return f" {'>' if setting.low_open else '>='} {_number(low)}" if low > -inf else ""


def _number(limit: float | str) -> str:
    return str(limit) if isinstance(limit, int | str) else f"{limit:g}"


def _none(setting: Setting) -> str:
    return f"None: {setting.none}." if setting.none else ""


def _only_with(setting: Setting) -> str:
    told = " and ".join(told_condition(condition, literal=_literal) for condition in setting.conditions)
    return f"Only {told}." if told else ""


def _literal(value: Any) -> str:
    """As Python reads it, with the quotes of this code base."""
    return f'"{value}"' if isinstance(value, str) else repr(value)


def rewritten(source: str, name: str, settings: tuple[Setting, ...]) -> str:
    """The source of a module with the section of one class written from its table."""
    section = textwrap.indent(section_of(settings), "    ")
    # From the title to the blank line before the next one, in the first docstring after the name.
    pattern = rf'(^class {name}\b.*?\n    Parameters\n    ----------\n).*?(?=\n\n    \w+\n    ---|\n    """)'
    return re.sub(pattern, lambda found: found[1] + section, source, count=1, flags=re.DOTALL | re.MULTILINE)


def main() -> None:
    """Rewrite the sections."""
    for value in public_objects().values():
        if settings := getattr(value, "settings", ()):
            path = Path(inspect.getsourcefile(value) or "")
            before = path.read_text("utf-8")
            after = rewritten(before, value.__name__, settings)
            if after != before:
                path.write_text(after, "utf-8")
                print(f"{path}: Parameters of {value.__name__} written", file=sys.stderr)


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    main()
