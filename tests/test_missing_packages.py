"""Without the package of an extra: an ImportError that is windrow's own, and names what to install."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable
from importlib.util import find_spec, module_from_spec
from pathlib import Path

import numpy as np
import pytest

import tests
import windrow
from tests.corpus.compressors import zstd
from windrow.classification import TextClassifier, autotune
from windrow.embeddings.clusters import cluster_words
from windrow.embeddings.formats import check_target
from windrow.embeddings.projections import tsne, umap
from windrow.errors import MissingPackageError, WindrowError, needs_package
from windrow.explore.server import plotly_script

ROOT = Path(tests.__file__).parents[1]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
VECTORS = windrow.WordVectors(["a", "b"], [[1.0, 0.0], [0.0, 1.0]])


def imported(name: str) -> None:
    """Run a module once more, beside the one that is there."""
    spec = find_spec(name)
    spec.loader.exec_module(module_from_spec(spec))


def tuned() -> None:
    autotune(TextClassifier(2), ["a", "b"], ["x", "y"], valid=(["a"], ["x"]), trials=1)


def held(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    return str(folder / name)


# What needs a package: the package, what pip installs, and the need.
NEEDS: list[tuple[str, str, Callable[[Path], object]]] = [
    ("sklearn", "'windrow[sklearn]'", lambda _: imported("windrow.sklearn")),
    ("sklearn", "'windrow[sklearn]'", lambda _: cluster_words(VECTORS, 2)),
    ("sklearn", "'windrow[viz]'", lambda _: tsne(np.eye(5), 1)),
    ("umap", "'windrow[umap]'", lambda _: umap(np.eye(5), 1)),
    ("matplotlib", "'windrow[viz]'", lambda _: imported("windrow.viz.figures")),
    ("pyarrow", "'windrow[parquet]'", lambda at: VECTORS.save(at / "v.parquet", format="parquet")),
    ("pyarrow", "'windrow[parquet]'", lambda at: check_target(at / "v.parquet")),  # before a training
    ("pyarrow", "'windrow[parquet]'", lambda at: VECTORS.save(at / "v.arrow", format="arrow")),
    ("pyarrow", "'windrow[parquet]'", lambda at: windrow.load(held(at, "v.arrow", b"ARROW1\0\0" + bytes(20)))),
    ("pyarrow", "'windrow[parquet]'", lambda at: windrow.load(held(at, "v.parquet", b"PAR1" + bytes(20) + b"PAR1"))),
    ("pyarrow", "'windrow[parquet]'", lambda at: windrow.Corpus.build(held(at, "t.parquet", b"PAR1"), field="text")),
    (zstd.__name__, "'windrow[zst]'", lambda at: windrow.Corpus.build(held(at, "t.zst", b"\x28\xb5\x2f\xfd"))),
    ("fsspec", "'windrow[remote]' s3fs", lambda _: windrow.Corpus.build("s3://bucket/text.txt")),
    ("ray", "'windrow[ray]'", lambda at: windrow.Corpus.build(held(at, "t.txt", b"a b"), ray="local")),
    ("starlette", "'windrow[explore]'", lambda _: imported("windrow.explore.server")),
    ("uvicorn", "'windrow[explore]'", lambda _: imported("windrow.explore.server")),
    ("plotly", "'windrow[explore]'", lambda _: plotly_script()),
    ("optuna", "'windrow[autotune]'", lambda _: tuned()),
    ("gensim", "gensim", lambda _: VECTORS.to_gensim()),
]


@pytest.mark.parametrize(("package", "install", "use"), NEEDS)
def test_the_error_is_an_import_error_and_names_what_to_install(package, install, use, tmp_path, monkeypatch):
    above, _, name = package.rpartition(".")
    if above:
        monkeypatch.delattr(sys.modules[above], name, raising=False)
    for loaded in [package, *(one for one in sys.modules if one.startswith(f"{package}."))]:
        monkeypatch.setitem(sys.modules, loaded, None)
    with pytest.raises(ImportError) as caught:
        use(tmp_path)
    assert isinstance(caught.value, WindrowError)
    assert str(caught.value).endswith(f": pip install {install}")


def test_every_extra_is_met_above():
    of_users = EXTRAS.keys() - {"all", "test", "bench", "docs", "package", "dev"}
    met = {install.split()[0] for _, install, _ in NEEDS}
    assert {f"'windrow[{name}]'" for name in of_users} == met - {"gensim"}


def test_no_module_tells_it_in_words_of_its_own():
    told = {path.name for path in (ROOT / "src").rglob("*.py") if "pip install" in path.read_text("utf-8")}
    assert told == {"errors.py"}


def test_a_package_that_is_broken_is_told_with_the_reason():
    told = r"^it needs x \(libz\.so is missing\): pip install x$"
    with pytest.raises(MissingPackageError, match=told), needs_package("it needs x", "", "x"):
        raise ImportError("libz.so is missing")
