"""What all pictures share: colors, a style that no user setting changes, and files that depend only on the data."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from windrow.errors import OptionError
from windrow.files.urls import refuse_url_to_write
from windrow.files.writing import atomic_write, check_writable

try:
    import matplotlib
    from matplotlib import font_manager
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
except ImportError as missing:
    raise OptionError("pictures need matplotlib: pip install 'windrow[viz]'") from missing

# Okabe & Ito 2008: colors that people with any color vision can distinguish.
BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
COLORS = (BLUE, ORANGE, GREEN, "#CC79A7", "#E69F00", "#56B4E9")
INK, GREY, PALE = "#1A1A1A", "#8C8C8C", "#D9D9D9"

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


def check_picture_path(path: str | os.PathLike[str]) -> None:
    """Raise OptionError unless the extension is that of a picture, DataError unless the file could be written."""
    refuse_url_to_write(path)
    if _format_of(path) not in _DATES:
        raise OptionError(f"{path}: a picture's name must end in one of .{', .'.join(_DATES)}")
    check_writable(path)


class Picture(Figure):
    """A figure that shows in a notebook, also where pyplot was not imported."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        with plain_style():
            self.savefig(buffer, format="png")
        return buffer.getvalue()


def new_figure(width: float, height: float) -> Figure:
    """A figure, in inches, that needs no display; make it and draw on it within ``plain_style``."""
    figure = Picture(figsize=(width, height), dpi=150, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


@contextmanager
def plain_style() -> Iterator[None]:
    """Draw with matplotlib's defaults, whatever the user's settings are, and restore these afterwards."""
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {
                "font.family": ["DejaVu Sans", *_installed(_OTHER_SCRIPTS)],
                "svg.fonttype": "none",  # text stays text: it can be searched and read aloud
                "svg.hashsalt": "windrow",
                "pdf.fonttype": 42,
                "axes.edgecolor": PALE,
                "axes.labelcolor": INK,
                "text.color": INK,
            }
        )
        # A character that no installed font has is drawn as a box; a warning for each would not help.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


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
