"""Every code block of README.md and docs/ runs, and prints what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import SHOWN, Block, Reader, blocks_of, matches, read

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted(path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts)]
WITH_BLOCKS = [page for page in PAGES if list(blocks_of(page.read_text("utf-8")))]


@pytest.mark.parametrize("page", WITH_BLOCKS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_does_what_it_says(page: Path, tmp_path: Path) -> None:
    read(page, tmp_path / "reader")


@pytest.mark.parametrize("page", WITH_BLOCKS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_blocks_are_of_kinds_that_run_or_say_why_not(page: Path) -> None:
    for block in blocks_of(page.read_text("utf-8")):
        assert block.language in ("python", "console", "sh", *SHOWN), f"{page}:{block.line}"
        if block.language == "console":
            assert block.body.startswith("$ "), f"{page}:{block.line}"
        if block.language == "sh":  # to copy, without prompts
            assert block.marks("not run"), f"{page}:{block.line}"
        assert all(len(reason.split()) > 1 for reason in block.marks("not run")), f"{page}:{block.line}"


PAGE = """
<!-- before
number = 2
-->
```python
number += 1
```

```{note}
No code.
```

<!-- numbers vary -->
<!-- in tests: 5 -> 6 -->
```console
$ echo 5 \\
    apples
7 apples
```
"""


def test_a_block_that_fails_is_seen(tmp_path: Path) -> None:
    def reader(language: str, body: str, *comments: str) -> None:
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        Reader(Path("page.md"), folder).run(Block(language, body, 1, list(comments)))

    reader("console", "$ echo one two three\none ... three\n$ windrow --version | cut -c1-7\nwindrow\n")
    reader("console", "$ windrow vectors similar none.safetensors king\nError: ...\n")
    reader("console", "$ echo 'a | b' | windrow --version\nwindrow, version ...\n")
    reader("console", "$ echo 5 apples\n7 apples\n", "numbers vary")
    reader("console", "$ echo 'right   99.9%'\nright  100.0%\n", "numbers vary")
    reader("console", "$ false\n", "not run: an example")
    reader("python", ">>> 1 + 1\n2\n")
    for language, body in [
        ("console", "$ echo one\ntwo\n"),
        ("console", "$ false\n"),
        ("console", "$ false | cat\n"),
        ("console", "$ false | windrow --version\n"),
        ("console", "$ echo king | windrow vectors similar none.safetensors\n"),
        ("console", "$ windrow vectors similar none.safetensors king\n"),
        ("console", "$ windrow --version\nError: ...\n"),
        ("console", "$ echo 'Warning: odd' >&2\n"),
        ("python", "assert 1 + 1 == 3\n"),
        ("python", ">>> 1 + 1\n3\n"),
    ]:
        with pytest.raises(AssertionError):
            reader(language, body)


def test_blocks_of_a_page(tmp_path: Path) -> None:
    before, python, console = blocks_of(PAGE)
    assert (before.body, before.language, python.body) == ("number = 2", "python", "number += 1\n")
    assert console.comments == ["numbers vary", "in tests: 5 -> 6"]
    (tmp_path / "reader").mkdir()
    reader = Reader(Path("page.md"), tmp_path / "reader")
    for block in (before, python, console):
        reader.run(block)
    assert reader.names["number"] == 3
    assert reader.typed("echo 5 \\\n  apples") == (0, "5 apples\n", "")


@pytest.mark.parametrize(
    ("printed", "expected", "same"),
    [
        ("a\nb\nc", "a\n...\nc", True),
        ("a\nc", "a\n...\nc", True),
        ("a\nb\nd", "a\n...\nc", False),
        ("took 1.5 s", "took ... s", True),
        ("(x)", "(y)", False),
    ],
)
def test_what_varies(printed: str, expected: str, same: bool) -> None:
    assert matches(printed, expected) is same


def test_there_are_pages() -> None:
    assert {"README.md", "docs/coming_from_gensim.md"} <= {page.relative_to(ROOT).as_posix() for page in WITH_BLOCKS}
    assert all(re.fullmatch(r"[a-z0-9_]+|README", page.stem) for page in PAGES)
