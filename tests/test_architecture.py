"""The order of the packages, read from the imports in the source; and what may not be loaded without need."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import windrow
from windrow.lm.ngram.model import NGramLM

PACKAGE = Path(windrow.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
KERNEL_SOURCES = [source for source in SOURCES if source.parent.name == "kernels"]

# These import what is listed, and nothing else of ours (the version apart).
LISTED = {
    "errors": set(),
    "estimator": {"errors"},
    "storage": {"errors"},
    "kernels": set(),
    "corpus": {"kernels", "storage", "errors"},  # kernels inside a function only: see the test of what is loaded
    "outputs": {"kernels", "errors"},
}
# All others import those, rooms of a lower level, and rooms of their own level where no cycle follows.
LEVELS = {
    **dict.fromkeys(["evaluation", "nn"], 1),
    **dict.fromkeys(["embeddings", "lm", "tagging", "viz", "sklearn", "models"], 2),
    "cli": 3,
}


def room_of(source: Path) -> str:
    """The folder or file directly in the package that holds the source; "" for what belongs to none."""
    first = source.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "" if first in ("__init__", "__main__") else first


def imported_names(node: ast.AST) -> Iterator[str]:
    """Full names of what an import statement brings, ``from a import b`` as a.b."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute, so that this test can read them"
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms_imported(source: Path) -> set[str]:
    """Rooms that a file imports anywhere in it: in functions and for the type checker too."""
    names = [name for node in ast.walk(ast.parse(source.read_text("utf-8"))) for name in imported_names(node)]
    ours = {name.split(".")[1] for name in names if name.startswith("windrow.")}
    return ours - {"__version__", room_of(source)}


def room_graph() -> dict[str, set[str]]:
    graph: dict[str, set[str]] = defaultdict(set)
    for source in SOURCES:
        if room := room_of(source):  # the lazy public names are exempt
            graph[room] |= rooms_imported(source)
    return graph


def test_imports_point_down():
    violations = []
    for room, imported in room_graph().items():
        assert room in LISTED or room in LEVELS, f"give {room} its place in this test"
        lower = {other for other, level in LEVELS.items() if level <= LEVELS.get(room, 0)}
        allowed = LISTED.get(room, lower | LISTED.keys())
        violations += [f"{room} imports {other}" for other in sorted(imported - allowed)]
    assert not violations


def test_rooms_form_no_cycle():
    order = list(TopologicalSorter(room_graph()).static_order())  # raises CycleError

    assert order.index("kernels") < order.index("outputs") < order.index("embeddings") < order.index("cli")


def test_commands_import_their_models_when_called():
    """At the top of a command module: click, the standard library, errors, the names of choices, the version."""
    ours = ("windrow.errors", "windrow.cli", "windrow.__version__", "windrow.outputs.LOSSES")
    names = ("ngram.SMOOTHING_NAMES", "heads.HEADS", "CELL_NAMES", "STATE_NAMES")
    allowed = {"click", *ours, *(f"windrow.lm.{name}" for name in names), *sys.stdlib_module_names}
    for source in (PACKAGE / "cli").glob("*.py"):
        for statement in ast.parse(source.read_text("utf-8")).body:  # TYPE_CHECKING blocks never run
            for name in imported_names(statement):
                parts = name.split(".")
                beginnings = {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
                assert beginnings & allowed, f"{source.name} imports {name}"


def functions(source: Path) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(ast.parse(source.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)]


@pytest.mark.parametrize("source", KERNEL_SOURCES, ids=lambda source: source.name)
def test_kernels_are_short_and_silent(source):
    assert "print(" not in source.read_text("utf-8")
    for function in functions(source):
        assert function.end_lineno - function.lineno < 60, f"{function.name} is too long"


def test_kernels_live_where_the_cache_looks():
    """One decorator sets Numba's flags and cache, and the cache is named after the sources of these two rooms."""
    homes = set()
    for source in SOURCES:
        text = source.read_text("utf-8")
        assert source.name == "_jit.py" or "njit" not in text, f"{source.name} does without the decorator"
        decorators = [ast.unparse(decorator) for f in functions(source) for decorator in f.decorator_list]
        if any(decorator.partition("(")[0] == "kernel" for decorator in decorators):
            homes.add(room_of(source))
    assert homes == {"kernels", "outputs"}


def modules_loaded_by(code: str) -> set[str]:
    """The names of all, those of packages included."""
    script = f"import sys\n{code}\nprint('loaded:', *sys.modules)"
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    return set(output.partition("loaded:")[2].split())


def test_importing_the_package_loads_nothing_heavy():
    assert modules_loaded_by("import windrow; dir(windrow)").isdisjoint({"numpy", "numba", "scipy", "click"})


@pytest.mark.parametrize(
    "arguments", ["--help", "--version", "vectors --help", "corpus --help", "lm --help", "lm train ngram --help"]
)
def test_help_loads_nothing_heavy(arguments):
    heavy = {"numpy", "numba", "llvmlite", "scipy", "gensim", "sklearn", "matplotlib", "smart_open", "tqdm"}
    code = f"from windrow.cli import main\nmain({arguments.split()}, standalone_mode=False)"

    loaded = modules_loaded_by(code)

    assert "click" in loaded
    assert loaded.isdisjoint(heavy)


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
        if room_of(source) in ("kernels", "outputs")
    }
    allocating = {
        f"{module}.{f.name}" for source, module in named.items() for f, allocates in kernels(source) if allocates
    }
    assert "windrow.outputs.full_softmax.block_step" in allocating

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
