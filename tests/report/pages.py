"""A reader of pages that finds what a browser would forgive."""

from __future__ import annotations

import re
from html.parser import HTMLParser

VOID = {"meta"}  # of HTML; in SVG elements close themselves
HARMLESS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "main",
        "header",
        "section",
        "div",
        "h1",
        "h2",
        "p",
        "ol",
        "li",
    ),
    *("figure", "figcaption", "pre", "code", "details", "summary", "dl", "dt", "dd", "span", "small"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td"),
    *("svg", "g", "path", "defs", "use", "text", "tspan", "clippath", "rect"),
}


class Page(HTMLParser):
    """What a page has, read with all tags in place, or AssertionError."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.used: set[str] = set()
        self.labels: list[str] = []  # of pictures
        self.texts: list[str] = []
        self.code: dict[str, str] = {}  # by its caption
        self.cells: list[list[str]] = []  # of all tables
        self.feed(html)
        self.close()
        assert not self.open, f"not closed: {self.open}"
        assert html.startswith("<!DOCTYPE html>")
        assert len(set(self.ids)) == len(self.ids), "an id is there twice"
        assert self.used <= set(self.ids)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._see(tag, dict(attrs))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.cells.append([])
        if tag in ("td", "th"):
            self.cells[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert "svg" in self.open, f"<{tag}/> is for SVG"
        self._see(tag, dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> ends nothing"
        assert self.open.pop() == tag, f"</{tag}> ends another element"

    def handle_data(self, data: str) -> None:
        if not data.strip():
            return
        if self.open[-1] == "code":
            self.code[self.texts[-1]] = data
        if self.open[-1] == "style":
            assert "url(" not in data
            return
        for place in ("td", "th"):
            if place in self.open:
                self.cells[-1][-1] += data
        self.texts.append(data)

    def _see(self, tag: str, attrs: dict[str, str | None]) -> None:
        assert tag in HARMLESS, f"<{tag}>"
        for name, value in attrs.items():
            assert not name.startswith("on"), f"{name}={value}"
            assert name in ("content", "aria-label") or "//" not in (value or ""), f"{name}={value}"
            if name in ("href", "src"):
                assert (value or "").startswith("#")
            self.used |= set(re.findall(r"url\(#([^)]+)\)", value or "")) | (
                {(value or "")[1:]} if name == "href" else set()
            )
        if tag == "svg":
            assert attrs.get("role") == "img"
            self.labels.append(attrs["aria-label"] or "")
        if "id" in attrs:
            self.ids.append(attrs["id"] or "")

    @property
    def text(self) -> str:
        """All that is read on the page."""
        return " ".join(" ".join(self.texts).split())

    def fact(self, name: str) -> str:
        """The value beside a name in a table."""
        (row,) = [row for row in self.cells if row and row[0] == name and len(row) == 2]
        return row[1]
