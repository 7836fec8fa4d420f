"""How Sphinx builds these pages: ``sphinx-build -W docs docs/_build/html``, with ``pip install '.[docs]'``."""

from __future__ import annotations

import re
from pathlib import Path

import click
from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

import windrow
from windrow.cli import main
from windrow.cli.groups import LazyGroup
from windrow.cli.help import example_lines

project = "windrow"
author = project_copyright = "The windrow authors"
version = release = windrow.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "numpydoc",
    "sphinx.ext.viewcode",
    "sphinx_click",
]
exclude_patterns = ["_build"]
smartquotes = False  # two hyphens begin an option

myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3

# The notebooks of the course run when they are built, unless they did so before as they are.
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_timeout = 300  # seconds per cell
nb_merge_streams = True

autodoc_typehints = "none"  # the Parameters sections have them
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
numpydoc_show_class_members = False  # autodoc lists them
add_module_names = False
highlight_language = "none"

html_theme = "furo"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["formulas.css"]
html_title = f"windrow {version}"
html_show_sourcelink = False

HERE = Path(__file__).parent
ROOT = HERE.parent
REPOSITORY = "https://github.com/windrow/windrow"
# Pages that are files of the repository, which people also read there.
FILES = {
    "benchmarks": "bench/README.md",
    "changelog": "CHANGELOG.md",
    "contributing": "CONTRIBUTING.md",
    "security": "SECURITY.md",
}
COMMENT = re.compile(r"^<!--.*?-->\n", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(!?\[[^\]]*\])\(([^)#:\s]+)(#[^)\s]*)?\)")


def read_page(app: Sphinx, page: str, content: list[str]) -> None:
    """Take the text of a page that is a file of the repository; let links to such files lead to them."""
    path = HERE / f"{page}.md"
    if page in FILES:
        path = ROOT / FILES[page]
        app.env.note_dependency(path)
        content[0] = path.read_text("utf-8")
    content[0] = COMMENT.sub("", content[0])  # for the tests, see tests/docs/pages.py
    content[0] = LINK.sub(lambda link: link[1] + f"({linked(path.parent, link[2])}{link[3] or ''})", content[0])


def linked(folder: Path, name: str) -> str:
    """Where a page finds a file of the repository: among the pages, or at the repository."""
    target = folder / name
    if not target.exists():
        return name  # of which Sphinx warns
    path = target.resolve().relative_to(ROOT).as_posix()
    pages = {file: page for page, file in FILES.items()}
    if path in pages:
        return f"/{pages[path]}.md"
    if path.startswith("docs/"):
        return path.removeprefix("docs")  # an absolute path is that of the folder of the pages
    if target.suffix in (".png", ".svg"):
        return f"/../{path}"
    return f"{REPOSITORY}/{'tree' if target.is_dir() else 'blob'}/main/{path}"


def options_as_help_shows_them(app: Sphinx, ctx: click.Context, lines: list[str]) -> None:
    """Ranges, choices and defaults of a command's options in click's own words."""
    lines.clear()
    for option in ctx.command.params:
        record = option.get_help_record(ctx) if isinstance(option, click.Option) else None
        if record:
            names, text = record
            escaped = re.sub(r"([*_|\\])", r"\\\1", text).replace("`", "``")
            lines += [f".. option:: {names}", "", f"   {escaped}", ""]


def example_as_help_shows_it(app: Sphinx, ctx: click.Context, lines: list[str]) -> None:
    """The example of a command, which help shows below the options."""
    example = getattr(ctx.command, "example", "")
    if example:
        lines[:] = ["Example:", "", ".. code-block:: console", "", *(f"   {line}" for line in example_lines(example))]
        lines[4] = lines[4].replace("   ", "   $ ", 1)


def write_formula(page: HTML5Translator, formula: nodes.math | nodes.math_block) -> None:
    """A formula as MathML, which browsers draw themselves: nothing is fetched when a page is read."""
    display = "block" if isinstance(formula, nodes.math_block) else "inline"
    page.body.append(convert(formula.astext(), display=display))
    raise nodes.SkipNode


def load_commands(group: LazyGroup) -> None:
    """Import the commands that a group imports when they are called: sphinx-click asks for those that are there."""
    for name, imported in group.later.items():
        group.add_command(imported(), name)
    for command in group.commands.values():
        if isinstance(command, LazyGroup):
            load_commands(command)


def setup(app: Sphinx) -> None:
    """Connect what is above."""
    load_commands(main)
    app.add_html_math_renderer("mathml", (write_formula, None), (write_formula, None))
    app.connect("source-read", read_page)
    app.connect("sphinx-click-process-options", options_as_help_shows_them)
    app.connect("sphinx-click-process-epilog", example_as_help_shows_it)
    app.connect("sphinx-click-process-arguments", lambda app, ctx, lines: lines.clear())  # the usage line has them
