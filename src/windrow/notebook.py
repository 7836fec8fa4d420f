"""How objects show themselves in a notebook: small tables, in the colors of its theme."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import islice
from typing import Any

from windrow.errors import one_line

MOST_ROWS = 20
_MOST_CHARACTERS = 60  # of a cell
# The class keeps MathJax from words with dollar signs.
_TABLE = '<table class="tex2jax_ignore mathjax_ignore">'


def html_table(
    caption: str, rows: Iterable[Sequence[object]], head: Sequence[str] = (), total: int = 0, *, most: int = MOST_ROWS
) -> str:
    """A table as HTML, everything in it escaped; only the first ``most`` rows.

    Parameters
    ----------
    caption : str
        A line above the table.
    rows : iterable of sequences
        The cells: strings, numbers, booleans, or None for an empty one. The first of a row names it.
    head : sequence of str, default ()
        Names of the columns.
    total : int, default 0
        How many rows there are, where ``rows`` does not give them all; 0: those of ``rows``.
    most : int, at least 0, default 20
        How many rows are shown.

    Returns
    -------
    str

    Examples
    --------
    >>> from windrow.notebook import html_table
    >>> html_table("a < b", [["x", 0.5]]).count("&lt;")
    1
    """
    shown = list(islice(rows, most + 1))
    lines = [_TABLE, f'<caption style="text-align: left; white-space: nowrap">{_text(caption)}</caption>']
    side = "right" if head else "left"  # columns of numbers, or values of all kinds
    if head:
        names = _heading(head[0], "col", "left") + "".join(_heading(name, "col", side) for name in head[1:])
        lines.append(f"<thead><tr>{names}</tr></thead>")
    lines.append("<tbody>")
    for first, *others in shown[:most]:
        cells = "".join(f'<td style="text-align: {side}">{_text(value)}</td>' for value in others)
        lines.append(f"<tr>{_heading(first, 'row', 'left')}{cells}</tr>")
    lines.append("</tbody></table>")
    more = total - min(len(shown), most) if total else 0
    if more > 0 or len(shown) > most:
        lines.append(f"<p>… and {more:,} more</p>" if total else "<p>… and more</p>")
    return "".join(lines)


def result_tables(caption: str, result: Mapping[str, Any]) -> str:
    """The numbers of a result as a table, and below it a table for each mapping of names to results in it."""
    plain = {name: value for name, value in result.items() if not isinstance(value, Mapping)}
    tables = [html_table(caption, plain.items())]
    for name, parts in result.items():
        if isinstance(parts, Mapping) and parts:
            columns = list(next(iter(parts.values())))
            rows = ([part, *(values[column] for column in columns)] for part, values in parts.items())
            tables.append(html_table(name, rows, ["", *columns], len(parts)))
    return "".join(tables)


def sizes_told(sizes: Mapping[str, object]) -> str:
    """Sizes by name as one line, "1,359 words, 20 dimensions"; what is no number stands after its name."""
    return ", ".join(_size_told(name, value) for name, value in sizes.items())


def _size_told(name: str, value: object) -> str:
    if not isinstance(value, int):
        return f"{name} {value}"
    return f"{value:,} {name.removesuffix('s') if value == 1 else name}"


class ResultTables:
    """A result that a notebook shows as tables of what ``to_json`` gives."""

    def to_json(self) -> dict[str, Any]:
        """The numbers by name."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        return result_tables(type(self).__name__, self.to_json())


def _heading(value: object, scope: str, side: str) -> str:
    return f'<th scope="{scope}" style="text-align: {side}">{_text(value)}</th>'


def _text(value: object) -> str:
    """A value as escaped text: numbers short, long strings cut."""
    if value is None:
        return ""
    if isinstance(value, float):
        return escape(f"{value:.4g}")
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, list | tuple):  # the bounds of an interval
        return " to ".join(map(_text, value))
    text = one_line(str(value))
    return escape(text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…")
