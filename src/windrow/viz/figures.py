"""What all pictures share: colors, a style that no user setting changes, and files that depend only on the data."""

from __future__ import annotations

import os
import unicodedata
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from windrow.errors import OptionError, needs_package, shown, warn
from windrow.files.urls import refuse_url_to_write
from windrow.files.writing import atomic_write, check_writable

with needs_package("pictures need matplotlib", "viz"):
    import matplotlib
    from matplotlib import font_manager
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure


class Theme(NamedTuple):
    """The colors of a picture. Those of lines and dots, Okabe & Ito 2008, people with any color vision distinguish."""

    paper: str
    ink: str
    grey: str  # of what is less important
    pale: str  # of grids
    colors: tuple[str, ...]  # blue, orange, green, then others

    @property
    def blue(self) -> str:  # noqa: D102
        return self.colors[0]

    @property
    def orange(self) -> str:  # noqa: D102
        return self.colors[1]

    @property
    def green(self) -> str:  # noqa: D102
        return self.colors[2]


_LIGHT = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F6A00", "#1A1A1A")
_DARK = ("#56B4E9", "#E69F00", "#2BC79B", "#E39CC4", "#F0E442", "#4C9BE8", "#D98E5F", "#E6E6E6")
THEMES = {
    "light": Theme("white", "#1A1A1A", "#8C8C8C", "#D9D9D9", _LIGHT),
    "dark": Theme("#14161A", "#E6E6E6", "#9A9A9A", "#3A3D42", _DARK),
}

# Metadata that would differ from run to run, by format.
_DATES: dict[str, dict[str, Any]] = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}

# DejaVu comes with matplotlib. These fonts have scripts that it lacks, and are used if they are installed.
_OTHER_SCRIPTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans",
    "Malgun Gothic",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Nirmala UI",
)


class Picture(Figure):
    """A figure that a notebook shows by itself: pyplot, which would show a bare Figure, is not loaded for it."""

    def _repr_png_(self) -> bytes:
        stream = BytesIO()
        with plain_style():
            self.savefig(stream, format="png")
        return stream.getvalue()


def check_picture_path(path: str | os.PathLike[str]) -> None:
    """Raise OptionError unless the extension is that of a picture, DataError unless the file could be written."""
    refuse_url_to_write(path)
    if _format_of(path) not in _DATES:
        raise OptionError(f"{path}: a picture's name must end in one of .{', .'.join(_DATES)}")
    check_writable(path)


def theme_of(name: str) -> Theme:
    """The theme of a name; OptionError for another one."""
    if name not in THEMES:
        raise OptionError(f"theme = {shown(name)} is not one of {', '.join(THEMES)}")
    return THEMES[name]


def new_figure(width: float, height: float, theme: Theme) -> Figure:
    """A figure, in inches, that needs no display; make it and draw on it within ``plain_style``."""
    figure = Picture(figsize=(width, height), dpi=150, facecolor=theme.paper)
    FigureCanvasAgg(figure)
    return figure


@contextmanager
def plain_style(theme: Theme = THEMES["light"]) -> Iterator[None]:
    """Draw with matplotlib's defaults, whatever the user's settings are, and restore these afterwards."""
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {
                "font.family": ["DejaVu Sans", *_installed(_OTHER_SCRIPTS)],
                "svg.fonttype": "none",  # text stays text: it can be searched and read aloud
                "svg.hashsalt": "windrow",
                "pdf.fonttype": 42,
                "axes.facecolor": theme.paper,
                "axes.edgecolor": theme.pale,
                "axes.labelcolor": theme.ink,
                "xtick.color": theme.ink,
                "ytick.color": theme.ink,
                "text.color": theme.ink,
            }
        )
        # A character that no installed font has is drawn as a box; of these ``use_fonts_for`` tells, in one line.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def use_fonts_for(texts: Iterable[str]) -> None:
    """Within ``plain_style``: use installed fonts for all characters; a DataWarning names scripts that none has."""
    missing = {character for text in texts for character in text if character.isprintable()}
    families = []
    for family in matplotlib.rcParams["font.family"]:
        missing -= _characters(font_manager.findfont(family))
    for font in sorted(font_manager.fontManager.ttflist, key=lambda font: (font.name, font.fname)):
        is_real = "Last Resort" not in font.name  # which has a box with a number for every character
        if is_real and missing and font.name not in families and (found := missing & _characters(font.fname)):
            families.append(font.name)
            missing -= found
    matplotlib.rcParams["font.family"] = [*matplotlib.rcParams["font.family"], *families]
    if missing:
        scripts = sorted({unicodedata.name(character, "UNKNOWN").split()[0] for character in missing})
        told = ", ".join(map(_spelled, scripts))
        warn(
            f"no installed font has all characters of {told}, such as {min(missing)!r}: PNG and PDF have boxes "
            "in their place; install a font that has them, for example of the family Noto"
        )


def _spelled(script: str) -> str:
    return script if script == "CJK" else script.capitalize()


@lru_cache(maxsize=256)
def _characters(font_file: str) -> frozenset[str]:
    """The characters that a font has; none where it cannot be read."""
    try:
        return frozenset(map(chr, font_manager.get_font(font_file).get_charmap()))
    except (OSError, RuntimeError):
        return frozenset()


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write the picture in the format of its extension, atomically; equal data give equal files."""
    check_picture_path(path)
    kind = _format_of(path)
    with plain_style(), atomic_write(path) as temporary:
        figure.savefig(temporary, format=kind, metadata=_DATES[kind])


def _format_of(path: str | os.PathLike[str]) -> str:
    return Path(path).suffix.lower().removeprefix(".")


def _installed(families: tuple[str, ...]) -> list[str]:
    known = {font.name for font in font_manager.fontManager.ttflist}
    return [family for family in families if family in known]
