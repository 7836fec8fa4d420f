"""The order of the packages, read from the imports in the source; and what may not be loaded without need."""

from __future__ import annotations

import ast
import subprocess
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import windrow
from windrow.lm.ngram.model import NGramLM
from windrow.numeric import jit

PACKAGE = Path(windrow.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
KERNEL_SOURCES = sorted(source for pattern in jit.KERNEL_SOURCES for source in PACKAGE.glob(pattern))

# From the ground up; a room imports rooms of lower floors, and of its own floor none.
FLOORS = [
    {"_version", "_renamed", "errors", "logger"},
    {"_lazy", "bars", "generators", "interrupts", "machine", "notebook"},
    {"distributed", "estimator", "files", "numeric"},
    {"corpus", "storage"},
    {"evaluation", "nn", "phrases"},
    {"outputs"},
    {"embeddings"},
    {"classification", "lm", "tagging", "viz", "sklearn"},
    {"models", "storage", "verification"},
    {"inspection", "explore", "report"},
    {"cli", "compat"},
]
LONGEST_FILE, LONGEST_FUNCTION = 400, 60  # lines of code
NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
# What numerical code may rest on is less than what stands below it.
NARROWER = {"files": {"_version", "errors", "interrupts"}, "numeric": {"_version", "interrupts", "logger", "machine"}}


def room_of(source: Path) -> str:
    """The folder or file directly in the package that holds the source; "" for what belongs to none."""
    first = source.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "" if first in ("__init__", "__main__") else first


def module_of(source: Path) -> str:
    """The full name of a source file as Python imports it; that of a package for its ``__init__``."""
    parts = ["windrow", *source.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree_of(source: Path) -> ast.Module:
    return ast.parse(source.read_text("utf-8"))


def imported_names(node: ast.AST) -> Iterator[str]:
    """Full names of what an import statement brings, ``from a import b`` as a.b."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute, so that this test can read them"
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def names_imported(source: Path) -> list[str]:
    """All that a file imports anywhere in it: in functions and for the type checker too."""
    return [name for node in ast.walk(tree_of(source)) for name in imported_names(node) if name.startswith("windrow.")]


def room_graph() -> dict[str, set[str]]:
    graph: dict[str, set[str]] = defaultdict(set)
    for source in SOURCES:
        if room := room_of(source):  # the lazy public names are exempt
            graph[room] |= {name.split(".")[1] for name in names_imported(source)} - {room}
    return graph


def module_graph() -> dict[str, set[str]]:
    """Imports from file to file; the package's own lazy names apart."""
    modules = {module_of(source) for source in SOURCES}
    graph: dict[str, set[str]] = {}
    for source in SOURCES:
        if not room_of(source) or (source.name == "__init__.py" and "lazy_names" in source.read_text("utf-8")):
            continue
        found = {name if name in modules else name.rpartition(".")[0] for name in names_imported(source)}
        graph[module_of(source)] = (found & modules) - {"windrow"}
    return graph


def test_imports_point_down():
    violations = []
    for room, imported in room_graph().items():
        assert room in FLOOR_OF, f"give {room} its place in this test"
        lower = {other for other, floor in FLOOR_OF.items() if floor < FLOOR_OF[room]}
        violations += [f"{room} imports {other}" for other in sorted(imported - NARROWER.get(room, lower))]
    assert not violations


def test_modules_form_no_circle():
    TopologicalSorter(module_graph()).prepare()  # raises CycleError, which names the circle

    with pytest.raises(CycleError):  # as it would
        TopologicalSorter({**module_graph(), "windrow.errors": {"windrow.models"}}).prepare()


def test_no_import_hides_in_a_string():
    """``import_module`` would escape the tests above: only lazy public names use it, and a user's own tokenizer."""
    users = {source.name for source in SOURCES if "import_module(" in source.read_text("utf-8")}
    assert users == {"_lazy.py", "tokenizers.py"}


def test_commands_import_their_models_when_called():
    """At the top of a command module: click, the standard library, errors, how files are written, settings' tables."""
    of_lm = ("lm", "lm.classes", "lm.ngram", "lm.neural", "lm.skips", "lm.unbounded")
    homes = ("classification", "embeddings", *of_lm, "phrases", "tagging")
    tables = (f"{home}.settings" for home in homes)
    rooms = ("_version", "cli", "errors", "estimator", "files.writing", "interrupts")
    names = ("embeddings.endings", "files.sniff.ARPA_ENDINGS", "outputs.OUTPUT_LAYERS")
    ours = (f"windrow.{name}" for name in (*rooms, *names, *tables))
    allowed = {"click", *ours, *sys.stdlib_module_names}
    for source in (PACKAGE / "cli").glob("*.py"):
        for statement in ast.parse(source.read_text("utf-8")).body:  # TYPE_CHECKING blocks never run
            for name in imported_names(statement):
                parts = name.split(".")
                beginnings = {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
                assert beginnings & allowed, f"{source.name} imports {name}"


def functions(source: Path) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(tree_of(source)) if isinstance(node, ast.FunctionDef)]


def lines_of_code(source: Path) -> set[int]:
    """The lines that are neither blank nor comments nor docstrings."""
    lines = set[int]()
    with tokenize.open(source) as text:
        for token in tokenize.generate_tokens(text.readline):
            if token.type not in NO_CODE:
                lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(tree_of(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node, clean=False):
            lines.difference_update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return lines


def test_no_file_and_no_function_is_long():
    long = [source for source in SOURCES if len(source.read_text("utf-8").splitlines()) > LONGEST_FILE]
    assert not [source.name for source in long if len(lines_of_code(source)) > LONGEST_FILE]

    for source in SOURCES:
        for function in functions(source):
            if function.end_lineno - function.lineno >= LONGEST_FUNCTION:
                spanned = lines_of_code(source) & set(range(function.lineno, function.end_lineno + 1))
                assert len(spanned) <= LONGEST_FUNCTION, f"{function.name} of {source.name} is too long"


@pytest.mark.parametrize("source", KERNEL_SOURCES, ids=lambda source: source.name)
def test_kernels_are_short_and_silent(source):
    assert "print(" not in source.read_text("utf-8")
    for function in functions(source):
        assert function.end_lineno - function.lineno < 60, f"{function.name} is too long"


def test_kernels_live_where_the_cache_looks():
    """One decorator sets Numba's flags and cache, and the cache is named after the sources it lists."""
    homes = set()
    for source in SOURCES:
        text = source.read_text("utf-8")
        assert source.name == "jit.py" or "njit" not in text, f"{source.name} does without the decorator"
        decorators = [ast.unparse(decorator) for f in functions(source) for decorator in f.decorator_list]
        if any(decorator.partition("(")[0] == "kernel" for decorator in decorators):
            homes.add(source)
    assert homes <= set(KERNEL_SOURCES)
    assert {"numeric", "embeddings", "lm", "nn"} < {room_of(source) for source in homes}


def modules_loaded_by(code: str) -> set[str]:
    """The names of all, those of packages included."""
    script = f"import sys\n{code}\nprint('loaded:', *sys.modules)"
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    return set(output.partition("loaded:")[2].split())


def test_importing_the_package_loads_nothing_heavy():
    assert modules_loaded_by("import windrow; dir(windrow)").isdisjoint({"numpy", "numba", "scipy", "click"})


@pytest.mark.parametrize(
    "arguments",
    [
        *("--help", "--version", "vectors --help", "corpus --help", "lm --help", "tag --help"),
        *("vectors train --help", "lm train ngram --help", "lm train rnn --help", "tag train --help"),
        "corpus phrases --help",
    ],
)
def test_help_loads_nothing_heavy(arguments):
    heavy = {"numpy", "numba", "llvmlite", "scipy", "gensim", "sklearn", "matplotlib", "tqdm"}
    code = f"from windrow.cli import main\nmain({arguments.split()}, standalone_mode=False)"

    loaded = modules_loaded_by(code)

    assert "click" in loaded
    assert loaded.isdisjoint(heavy)


def test_commands_are_imported_when_they_run():
    code = "from windrow.cli import main\nmain(['corpus', 'list'], standalone_mode=False)"
    loaded = {name for name in modules_loaded_by(code) if name.startswith("windrow.cli.")}
    assert loaded == {
        f"windrow.cli.{name}"
        for name in (
            "corpus",
            "fetching",
            "groups",
            "help",
            "logs",
            "messages",
            "numbers",
            "options",
            "paths",
            "ray_cluster",
            "saving",
        )
    }


BUILD = "from windrow import Corpus; from windrow.corpus import numbering; Corpus.build(['a b'] * 9).info()"


def test_a_small_corpus_is_built_and_opened_without_numba():
    assert modules_loaded_by(BUILD).isdisjoint({"numba", "llvmlite"})
    assert "numba" in modules_loaded_by(BUILD.replace("Corpus.build", "numbering.KERNEL_FROM = 9; Corpus.build"))


def test_an_ngram_model_is_opened_without_the_training_of_vectors(tmp_path):
    path = str(tmp_path / "m.safetensors")
    NGramLM(2, "witten-bell").fit(["a b", "b a"]).save(path)

    loaded = modules_loaded_by(f"import windrow; windrow.load({path!r})")

    assert "windrow.lm.ngram.model" in loaded
    assert "windrow.embeddings" not in loaded


def test_heavy_modules_would_be_seen():
    assert "numpy" in modules_loaded_by("import windrow; windrow.WordVectors")


# What makes an array in compiled code, beside the operator @ and the kernels that say so themselves.
ALLOCATING = {"empty", "zeros", "ones", "full", "array", "dot", "ascontiguousarray", "concatenate", "copy", "astype"}


def kernels(source: Path) -> Iterator[tuple[ast.FunctionDef, bool]]:
    """The kernels of a file, and whether each says that it allocates."""
    for function in functions(source):
        for decorator in map(ast.unparse, function.decorator_list):
            if decorator.partition("(")[0] == "kernel":
                yield function, "allocates=True" in decorator


def allocations(function: ast.FunctionDef, allocating: set[str]) -> Iterator[str]:
    """Where a function calls, as a name or an attribute, one of these; or multiplies matrices."""
    for node in (node for statement in function.body for node in ast.walk(statement)):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            yield ast.unparse(node)
        elif isinstance(node, ast.Call):
            attribute = node.func.attr if isinstance(node.func, ast.Attribute) else None
            name = node.func.id if isinstance(node.func, ast.Name) else attribute
            if name in allocating or attribute in ALLOCATING:
                yield ast.unparse(node)


def test_kernels_that_do_not_say_allocates_make_no_arrays():
    """They are compiled without reference counts: what they made would never be given back."""
    found = [(source, *kernel) for source in SOURCES for kernel in kernels(source)]
    allocating = {function.name for _, function, allocates in found if allocates}
    calls = {
        (source.name, function.name, allocates): list(allocations(function, allocating))
        for source, function, allocates in found
    }
    assert not {place: made for place, made in calls.items() if made and not place[2]}
    # Those that say so do make arrays, so that the search is seen to find them.
    assert allocating
    assert any(made for place, made in calls.items() if place[2])


def allocating_kernels_used(source: Path, allocating: set[str]) -> Iterator[str]:
    """Where kernels that do not say so name one of ``allocating`` (full names), to call it or to pass it on."""
    module = ".".join(["windrow", *source.relative_to(PACKAGE).with_suffix("").parts])
    statements = ast.parse(source.read_text("utf-8")).body
    imported = {name.rpartition(".")[2]: name for node in statements for name in imported_names(node)}
    for function in (function for function, allocates in kernels(source) if not allocates):
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and imported.get(node.id, f"{module}.{node.id}") in allocating:
                yield f"{function.name} uses {node.id}"


def test_kernels_that_allocate_are_used_by_such_kernels_only(tmp_path, monkeypatch):
    """A kernel passed on as an argument is compiled into its receiver. Equal names of other modules are others."""
    named = {
        source: ".".join(["windrow", *source.relative_to(PACKAGE).with_suffix("").parts])
        for source in SOURCES
        if source in KERNEL_SOURCES
    }
    allocating = {
        f"{module}.{f.name}" for source, module in named.items() for f, allocates in kernels(source) if allocates
    }
    assert "windrow.embeddings.steps.full_softmax.block_step" in allocating

    assert [use for source in named for use in allocating_kernels_used(source, allocating)] == []

    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    (tmp_path / "outputs").mkdir()
    other = tmp_path / "outputs" / "other.py"
    other.write_text(
        "from windrow.kernels.made import make\n"
        "@kernel(inline=True)\ndef first(x):\n    return make(x)\n"
        "@kernel(allocates=True)\ndef second(x):\n    return make(x)\n"
        "@kernel\ndef third(x):\n    return train(x, second)\n"
        "@kernel\ndef block_step(x):\n    return block_step\n",
        "utf-8",
    )
    known = allocating | {"windrow.kernels.made.make", "windrow.outputs.other.second"}
    assert list(allocating_kernels_used(other, known)) == ["first uses make", "third uses second"]
