"""Do what windrow can do without any extra, and ask for what needs one; print what each such command says.

``python -m tests.cli.without_extras FOLDER``: a process of its own, in which what the extras bring cannot be imported.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.abc import MetaPathFinder
from pathlib import Path

OF_EXTRAS = ("matplotlib", "sklearn", "pyarrow", "fsspec", "optuna", "ray", "backports", "compression.zstd")
OF_TESTS = ("gensim", "pandas", "polars", "nltk", "kenlm", "seqeval", "hypothesis", "torch")


class _NotInstalled(MetaPathFinder):
    """Finds none of these modules, and keeps others from finding them."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        if any(f"{fullname}.".startswith(f"{name}.") for name in (*OF_EXTRAS, *OF_TESTS)):
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


sys.meta_path.insert(0, _NotInstalled())

from click.testing import CliRunner  # noqa: E402

from tests.docs.pages import Reader, blocks_of  # noqa: E402
from windrow.cli import main  # noqa: E402

TOUR = Path(__file__).parents[2] / "docs" / "start.md"
# What needs an extra -> the extra. Files of these names are there; their content is not looked at before.
NEED = {
    "vectors plot toy.safetensors -o map.svg": "viz",
    "report toy.safetensors -o toy.html": "viz",
    "vectors train labels.txt -o m.safetensors --report page.html": "viz",
    "lm train ngram labels.txt -o m.safetensors --report page.html": "viz",
    "vectors evaluate toy.safetensors pairs.tsv --report page.html": "viz",
    "vectors compare toy.safetensors toy.safetensors --report page.html": "viz",
    "tag evaluate t.safetensors t.conll --plot t.svg": "viz",
    "vectors plot-log log.jsonl -o curve.svg": "viz",
    "vectors cluster toy.safetensors -k 2 -o classes.txt": "sklearn",
    "vectors convert vectors.parquet out.txt": "parquet",
    "vectors convert toy.safetensors out.parquet": "parquet",
    "lm train ngram table.parquet --field text -o m.safetensors": "parquet",
    "lm train ngram text.zst -o m.safetensors": "zst",
    "corpus build s3://bucket/text.txt -o c": "remote",
    "corpus build labels.txt -o c --ray local": "ray",
    "classify train labels.txt --autotune-validation labels.txt -o m.safetensors": "autotune",
}


def take_the_tour() -> None:
    """Read the first page, and run the demo."""
    folder = Path("reader")
    folder.mkdir()
    os.chdir(folder)
    reader = Reader(TOUR, Path.cwd())
    for block in blocks_of(TOUR.read_text("utf-8")):
        reader.run(block)
    result = CliRunner().invoke(main, ["demo"])
    assert result.exit_code == 0, result.stderr


def needed() -> list[tuple[str, str, int, str]]:
    """Of commands that need an extra: as typed, the extra, the exit status, and what they say."""
    Path("log.jsonl").write_text('{"event": "epoch", "epoch": 1, "loss": 1.0, "learning_rate": 0.1, "examples": 5}\n')
    for name in ("vectors.parquet", "table.parquet"):
        Path(name).write_bytes(b"PAR1" + bytes(20) + b"PAR1")
    Path("text.zst").write_bytes(b"\x28\xb5\x2f\xfd" + bytes(9))
    Path("labels.txt").write_text("__label__a b\n__label__c d\n" * 5)
    told = []
    for typed, extra in NEED.items():
        result = CliRunner().invoke(main, typed.split())
        told.append((typed, extra, result.exit_code, result.stderr))
    return told


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    take_the_tour()
    print(json.dumps(needed()))
