"""HTML from plain data: everything is escaped here, and nothing on a page is fetched from anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from windrow.errors import one_line
from windrow.notebook import html_table

_STYLE = Path(__file__).with_name("page.css")
# Nothing is loaded and no script runs, whatever words stand in a model.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(title: str, subtitle: str, sections: Iterable[str], colors: str) -> str:
    """A whole page; ``colors`` are the CSS variables that its style uses."""
    style = f"{colors}\n{_STYLE.read_text('utf-8')}"
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{text(title)}</title>",
            f"<style>\n{style}</style>\n</head>\n<body>\n<main>",
            f"<header><h1>{text(title)}</h1><p>{text(subtitle)}</p></header>",
            *filter(None, sections),
            "</main>\n</body>\n</html>\n",
        ]
    )


def section(title: str, *parts: str) -> str:
    """A section with a heading; nothing where it has no parts."""
    found = [part for part in parts if part]
    return "\n".join([f"<section><h2>{text(title)}</h2>", *found, "</section>"]) if found else ""


def details(summary: str, *parts: str) -> str:
    """What is shown when somebody asks for it."""
    return f"<details><summary>{text(summary)}</summary>{''.join(parts)}</details>"


def text(value: object) -> str:
    """Any text in one line, escaped."""
    return escape(one_line(str(value)))


def paragraph(words: str) -> str:
    """A paragraph of plain text."""
    return f"<p>{text(words)}</p>"


def code(lines: str, label: str) -> str:
    """Lines to copy, with what they are."""
    return (
        f'<figure class="code"><figcaption>{text(label)}</figcaption><pre><code>{escape(lines)}</code></pre></figure>'
    )


def facts(caption: str, values: Mapping[str, Any]) -> str:
    """Names and values as a table; None is left out."""
    rows = [(name, value) for name, value in values.items() if value is not None]
    return table(caption, rows) if rows else ""


def table(caption: str, rows: Iterable[Sequence[object]], head: Sequence[str] = ()) -> str:
    """A table that a narrow screen scrolls."""
    kept = list(rows)
    return f'<div class="wide" tabindex="0">{html_table(caption, kept, head, most=len(kept))}</div>'


def beside(*parts: str) -> str:
    """Parts beside each other where there is space."""
    return f'<div class="tables">{"".join(parts)}</div>' if any(parts) else ""


def items(rows: Iterable[tuple[str, Iterable[tuple[str, str]]]]) -> str:
    """For each name a line of pairs: a text, and a number in small print."""
    lines = [f"<dt>{text(name)}</dt><dd>{' '.join(map(_numbered, pairs))}</dd>" for name, pairs in rows]
    return f"<dl>{''.join(lines)}</dl>" if lines else ""


def _numbered(pair: tuple[str, str]) -> str:
    return f"<span>{text(pair[0])} <small>{text(pair[1])}</small></span>"


def quotes(texts: Iterable[str]) -> str:
    """Texts as a list."""
    lines = "".join(f"<li>{text(one)}</li>" for one in texts)
    return f'<ol class="texts">{lines}</ol>' if lines else ""


def picture(title: str, svg: str) -> str:
    """A chart, which has its own description, below its title."""
    return f"<figure><figcaption>{text(title)}</figcaption>{svg}</figure>"


def wide_picture(title: str, svg: str) -> str:
    """A chart as wide as the page, which a narrow screen scrolls."""
    drawn = f'<div class="broad">{svg}</div>'
    return f'<figure class="wide" tabindex="0"><figcaption>{text(title)}</figcaption>{drawn}</figure>'


def shares(caption: str, labels: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """A table of counts, true labels by predicted ones; a cell is the more colored, the larger its share of a row."""
    head = "".join(f'<th scope="col"><span>{text(label)}</span></th>' for label in labels)
    rows = []
    for label, row in zip(labels, counts, strict=True):
        whole = max(sum(row), 1)
        cells = "".join(f'<td style="--share: {100 * count / whole:.0f}%">{count or ""}</td>' for count in row)
        rows.append(f'<tr><th scope="row">{text(label)}</th>{cells}</tr>')
    body = f"<thead><tr><td></td>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
    return (
        f'<div class="wide" tabindex="0"><table class="shares"><caption>{text(caption)}</caption>{body}</table></div>'
    )
