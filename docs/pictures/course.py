"""Take pictures of the course: ``python docs/pictures/course.py [HTML]`` writes them beside itself.

Needs Playwright, Chromium, and the documentation with its notebooks as run: ``sphinx-build docs docs/_build/html``
builds it, or HTML is another folder where it is built.
"""

from __future__ import annotations

import sys
from pathlib import Path

from shots import browser, shrink

HERE = Path(__file__).parent
BUILT = HERE.parent / "_build" / "html"
_MARGIN = 16  # pixels
NOTEBOOKS = ("word_vectors", "ngrams")


def main() -> None:
    """Of each notebook the first cell that draws, from the heading of its section to the picture."""
    built = Path(sys.argv[1]) if len(sys.argv) > 1 else BUILT
    with browser() as chromium:
        for name in NOTEBOOKS:
            page = chromium.new_page(color_scheme="light", viewport={"width": 900, "height": 900})
            page.goto((built.absolute() / "course" / f"{name}.html").as_uri())
            cell = page.locator("div.cell", has=page.locator("div.cell_output img")).first
            heading = cell.locator("xpath=ancestor::section[1]/*[self::h2 or self::h3]")
            top, box = heading.bounding_box()["y"] - _MARGIN, cell.bounding_box()
            clip = {
                "x": box["x"] - _MARGIN,
                "y": top,
                "width": box["width"] + 2 * _MARGIN,
                "height": box["y"] + box["height"] + _MARGIN - top,
            }
            picture = HERE / f"course-{name}.png"
            page.screenshot(path=picture, full_page=True, clip=clip)
            shrink(picture)


if __name__ == "__main__":
    main()
