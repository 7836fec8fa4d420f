"""What a type checker knows of a user's program."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import pytest

import windrow
from windrow.errors import FormatError, OptionError
from windrow.lm.base import LanguageModel
from windrow.lm.generation import BatchOptions, GenerationOptions, generate, generate_batch

ROOT = Path(__file__).parents[1]
SCRIPT = """\
import windrow
from windrow.lm.base import LanguageModel

model = windrow.load("m", expected=windrow.NGramLM)
order: int = model.order
text: str = windrow.load("m", expected=LanguageModel).generate("a", top_k=3, seed=1)[0].text
sizes: list[int] = windrow.load("m.arpa", "arpa").table_.sizes
windrow.Word2Vec().fit(["a b"], progress=True).fit(["a b"], progress=lambda report: print(report.loss))
found = windrow.load("m")
if isinstance(found, windrow.WordVectors):
    near: list[tuple[str, float]] = list(found.most_similar("cat"))
elif isinstance(found, LanguageModel):
    perplexity: float = found.perplexity(["a b"])
elif isinstance(found, windrow.TextClassifier):
    found.wv
else:
    rest: windrow.Phrases | windrow.WindowTagger = found
vectors: windrow.WordVectors = windrow.load("m")
windrow.Phrases().fit(["a b"], progress=True).transform(["a b"])
windrow.MixtureLM([model]).fit(["a b"], progress=lambda stage, done: print(stage, done))
windrow.MixtureLM([model]).fit(["a b"], progress="yes")
windrow.load("m", expected=windrow.NGramLM).wv
model.generate("a", topk=3)
model.generate("a", top_k="3")
windrow.Word2Vec().fit(["a b"], progress=3)
"""


def test_a_program_is_checked(tmp_path):
    pytest.importorskip("mypy", reason="mypy, of the extra dev, checks the program")
    (tmp_path / "program.py").write_text(SCRIPT, "utf-8")
    options = ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(tmp_path / "cache")]
    command = [sys.executable, "-m", "mypy", *options, "--follow-imports=silent", "program.py"]

    told = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path).stdout

    lines = SCRIPT.splitlines()
    mistakes = (".wv", "topk=3)", '"3")', "progress=3)", '"yes")', 'WordVectors = windrow.load("m")')
    wrong = [number for number, line in enumerate(lines, 1) if line.endswith(mistakes)]
    errors = [line for line in told.splitlines() if ": error: " in line]
    assert [int(line.split(":")[1]) for line in errors] == wrong, told


def test_the_options_of_generate_are_those_that_checkers_know():
    for function, options in ((generate, GenerationOptions), (generate_batch, BatchOptions)):
        parameters = inspect.signature(generate).parameters.values()
        own = set(inspect.signature(function).parameters) - {"options"}
        known = {one.name for one in parameters if one.kind is one.KEYWORD_ONLY}
        assert get_type_hints(options).keys() == (known if function is generate else known - own)


def test_load_gives_the_class_that_is_expected(tmp_path):
    path = tmp_path / "model"
    windrow.NGramLM(1, "witten-bell").fit(["a b"]).save(path)
    for expected in (windrow.NGramLM, LanguageModel, None):
        assert type(windrow.load(path, expected=expected)) is windrow.NGramLM
    with pytest.raises(FormatError, match="holds an n-gram language model, not word vectors"):
        windrow.load(path, expected=windrow.WordVectors)
    for no_class in ("ngram-lm", lambda: None):
        with pytest.raises(OptionError, match=r"must be a class, such as windrow.NGramLM"):
            windrow.load(path, expected=no_class)
