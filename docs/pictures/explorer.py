"""Take the pictures of the explorer: ``python docs/pictures/explorer.py`` writes them beside itself.

Needs ``windrow[explore,viz]``, Playwright and Chromium; trains the models that are shown on Toyland, in some minutes.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
WINDROW = [sys.executable, "-m", "windrow"]
MODELS = {
    "vectors": "vectors train toyland/train.txt --min-count 1 --epochs 15 --alpha 0.05",
    "small-vectors": "vectors train toyland/train.txt --min-count 1 --epochs 15 --alpha 0.05 --size 16",
    "language-model": "lm train ngram toyland/train.txt --order 5",
    "network": "lm train rnn toyland/valid.txt --hidden 64 --embedding 32 --epochs 8 --valid toyland/test.txt",
    "tagger": "tag train toyland/ner-train.conll --epochs 2",
}


def train(folder: Path) -> list[str]:
    """Train the models; the names of their files."""
    subprocess.run([*WINDROW, "corpus", "toyland", "-o", "toyland"], cwd=folder, check=True)
    for name, words in MODELS.items():
        subprocess.run([*WINDROW, *words.split(), "-o", f"{name}.safetensors"], cwd=folder, check=True)
    return [f"{name}.safetensors" for name in MODELS]


def panel(page: Any, name: str, button: str, **fields: str) -> None:
    """Fill in a panel, and send it."""
    section = page.get_by_role("region", name=name)
    for field, value in fields.items():
        section.locator(f"[name={field}]").first.fill(value)
    section.get_by_role("button", name=button).click()
    section.locator(".result > *, .plot svg").first.wait_for(timeout=120_000)


def vectors(page: Any) -> None:
    """Neighbors in two models, an analogy, the map."""
    page.locator("[name=other]").select_option("small-vectors.safetensors")
    panel(page, "Neighbors", "Find", word="violin", how_many="8")
    panel(page, "Analogy", "Answer", a="king", b="queen", c="nephew")
    panel(page, "Map", "Draw", top="1380")
    panel(page, "Analogies", "Measure")
    panel(page, "Similarity", "Measure")


def language_model(page: Any) -> None:
    """A sentence with a word that nobody expects, next words, texts."""
    page.get_by_role("button", name="language-model").click()
    panel(page, "Surprise", "Score", text="the queen has lost her violin in the volcano of tarkesh")
    panel(page, "Next word", "Predict", text="hers is the")
    panel(page, "Generate", "Generate", prompt="the queen", temperature="0.8")


def network(page: Any) -> None:
    """The learning curves."""
    page.get_by_role("button", name="network").click()
    page.locator(".curves .scatterlayer path").first.wait_for()


def tagger(page: Any) -> None:
    """Entities."""
    page.get_by_role("button", name="tagger").click()
    panel(page, "Entities", "Tag", text="John flew from Khentai to Tarkesh with Kyosen United .")


def save(screenshot: bytes, path: Path) -> None:
    """Write a picture with 128 colors, in less than half of the bytes."""
    Image.open(BytesIO(screenshot)).convert("RGB").quantize(128).save(path, optimize=True)


PICTURES = ((vectors, "light", 1200), (language_model, "dark", 1200), (tagger, "light", 380), (network, "light", 1200))


def main() -> None:
    """Train, serve, and take the pictures."""
    with TemporaryDirectory() as name, sync_playwright() as driver:
        files = train(Path(name))
        known = ["--analogies", "toyland/analogies.txt", "--similarity", "toyland/similarity.tsv"]
        run = subprocess.Popen([*WINDROW, "explore", *files, *known], cwd=name, stdout=subprocess.PIPE, text=True)
        assert run.stdout is not None
        address = run.stdout.readline().strip()
        chromium = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        try:
            for ask, scheme, width in PICTURES:
                page = chromium.new_page(color_scheme=scheme, viewport={"width": width, "height": 500})
                page.goto(address)
                page.wait_for_selector("section")
                ask(page)
                page.wait_for_timeout(1000)  # until pictures have their labels
                save(page.screenshot(full_page=True), HERE / f"explorer-{ask.__name__}-{scheme}-{width}.png")
        finally:
            chromium.close()
            run.send_signal(signal.SIGINT)
            run.wait(20)


if __name__ == "__main__":
    main()
