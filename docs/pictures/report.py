"""Take the picture of a report: ``python docs/pictures/report.py`` writes it beside itself.

Needs ``windrow[viz]``, Playwright and Chromium; trains the model that is shown on Toyland, in a minute.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from shots import browser, shrink

HERE = Path(__file__).parent
WINDROW = [sys.executable, "-m", "windrow"]
TRAINING = (
    "lm train rnn toyland/train.txt -o toy-rnn.safetensors --cell gru --hidden 64 --embedding 32 --epochs 4 "
    "--valid toyland/test.txt --report toy-rnn.html"
)


def main() -> None:
    """Train, and take the picture."""
    with TemporaryDirectory() as name, browser() as chromium:
        for words in ("corpus toyland -o toyland", TRAINING):
            subprocess.run([*WINDROW, *words.split()], cwd=name, check=True)
        page = chromium.new_page(color_scheme="light", viewport={"width": 1040, "height": 500})
        page.goto((Path(name) / "toy-rnn.html").as_uri())
        page.screenshot(path=HERE / "report.png", full_page=True)
    shrink(HERE / "report.png")


if __name__ == "__main__":
    main()
