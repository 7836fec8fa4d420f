"""Every numeric option of every command, found by walking the commands, with values from beyond its range.

A new option joins by itself; a new command with numeric options needs a row in ``_arguments``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from windrow.classification.settings import TEXT_CLASSIFIER
from windrow.cli import main
from windrow.embeddings.settings import BLEND, COUNT_VECTORS, WORD2VEC
from windrow.estimator import GIVEN, Setting
from windrow.lm.classes.settings import CLASS_LM
from windrow.lm.neural.settings import RECURRENT_LM, WINDOW_LM
from windrow.lm.ngram.settings import NGRAM_LM
from windrow.lm.skips.settings import SKIP_NGRAM_LM
from windrow.tagging.settings import WINDOW_TAGGER

INT64 = str(2**63 - 1)
EXTREMES = [f"1{'0' * 20}", f"1{'0' * 400}", INT64, "-1", "0", "nan", "inf", "-inf", "1e-320", "1e308", "2.5"]
LISTS = re.compile(r"[NW],[NW],\.\.\.(/N,N,\.\.\.)?")  # metavars of options that take several numbers
_SETTINGS: dict[str, tuple[Setting, ...]] = {
    "classify train": TEXT_CLASSIFIER,
    "lm train class": CLASS_LM,
    "lm train ngram": NGRAM_LM,
    "lm train rnn": RECURRENT_LM,
    "lm train skip": SKIP_NGRAM_LM,
    "lm train window": WINDOW_LM,
    "tag train": WINDOW_TAGGER,
    "vectors blend": BLEND,
    "vectors count": COUNT_VECTORS,
    "vectors train": WORD2VEC,
}


def _commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from _commands(found, (*path, name))
    else:
        yield " ".join(path), command


def _is_numeric(option: click.Parameter) -> bool:
    if not isinstance(option, click.Option) or option.is_flag:
        return False
    is_number = isinstance(option.type, click.types.IntParamType | click.types.FloatParamType)
    return is_number or option.metavar == "SIZE" or LISTS.fullmatch(option.metavar or "") is not None


NUMERIC = [
    (name, option)
    for name, command in _commands(main)
    for option in command.params
    if isinstance(option, click.Option) and _is_numeric(option)
]


def _run(*args: object) -> str:
    """Run a command that must succeed."""
    result = CliRunner().invoke(main, list(map(str, args)))
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Tiny inputs of every kind."""
    folder = tmp_path_factory.mktemp("extremes")
    names = "text labels tags log pairs vec.txt lm rnn tagger classifier prompts"
    paths = {name: folder / name for name in names.split()}
    paths["text"].write_text("the cat sat\na cat ran off\nthe dog sat\nthe dog ran\n" * 3)
    paths["labels"].write_text("__label__cat the cat sat\n__label__dog the dog ran\n" * 3)
    paths["tags"].write_text("in O\nRome B-LOC\n\nwe O\nwait O\n\n" * 3)
    paths["vec.txt"].write_text("4 2\nthe 1 0\ncat 0 1\ndog 1 1\nsat 0.5 -1\n")
    paths["pairs"].write_text("the\tcat\t1\ncat\tdog\t5\ndog\tsat\t2\n")
    _run("lm", "train", "ngram", paths["text"], "-o", paths["lm"], "--order", 2, "--smoothing", "witten-bell")
    small = ("--hidden", 4, "--epochs", 1)
    _run("lm", "train", "rnn", paths["text"], "-o", paths["rnn"], "--embedding", 4, *small)
    _run("tag", "train", paths["tags"], "-o", paths["tagger"], "--size", 4, *small)
    _run("classify", "train", paths["labels"], "-o", paths["classifier"], "--size", 4, "--epochs", 1)
    return {**paths, "out": folder / "out"}


def _arguments(command: str, files: dict[str, Path], out: Path) -> list[object]:
    """What the command needs beside the option."""
    text, tags, lm, rnn, vectors = (files[name] for name in ("text", "tags", "lm", "rnn", "vec.txt"))
    small = ("--epochs", 1, "--hidden", 3)
    rows: dict[str, tuple[object, ...]] = {
        "classify convert": (files["classifier"], out),
        "classify evaluate": (files["classifier"], files["labels"]),
        "classify predict": (files["classifier"], text),
        "classify train": (files["labels"], "-o", out, "--size", 3, "--word-ngrams", 2, "--buckets", 100),
        "corpus build": (text, "-o", out),
        "corpus phrases": (text, "-o", f"{out}.txt"),
        "corpus toyland": ("-o", out, "--sentences", 40),
        "demo": ("-o", out),
        "explore": (tags,),  # which is no model, so that nothing is served
        "lm convert": (lm, f"{out}.safetensors"),
        "lm generate": (lm, "--prompt", "the"),
        "lm mix": (lm, lm, "-o", out),
        "lm next": (lm, "the"),
        "lm ngrams": (lm,),
        "lm perplexity": (rnn, text),
        "lm plot": (lm, "--test", text, "-o", f"{out}.svg"),
        "lm prune": (lm, "-o", f"{out}.safetensors"),
        "lm score": (lm, text),
        "lm select": (lm, text),
        "lm train class": (text, "-o", out, "--order", 2, "--smoothing", "witten-bell"),
        "lm train ngram": (text, "-o", out, "--order", 2, "--discount-fallback"),
        "lm train rnn": (text, "-o", out, "--embedding", 3, *small),
        "lm train skip": (text, "-o", out, "--smoothing", "witten-bell"),
        "lm train window": (text, "-o", out, "--embedding", 3, *small),
        "tag evaluate": (files["tagger"], tags),
        "tag predict": (files["tagger"], tags, "--format", "conll"),
        "tag train": (tags, "-o", out, "--size", 3, *small),
        "vectors analogy": (vectors, "the", "cat", "dog"),
        "vectors blend": (vectors, vectors, "-o", f"{out}.txt", "--size", 2),
        "vectors cluster": (vectors, "-k", 2),
        "vectors convert": (vectors, f"{out}.glove"),
        "vectors count": (text, "-o", f"{out}.txt", "--size", 2, "--min-count", 1, "--sample", 0, "--workers", 1),
        "vectors evaluate": (vectors, "--similarity", files["pairs"]),
        "vectors plot": (vectors, "-o", f"{out}.png"),
        "vectors print": (vectors, text),
        "vectors similar": (vectors, "the"),
        "vectors train": (text, "-o", f"{out}.txt", "--size", 4, "--min-count", 1, "--epochs", 1, "--workers", 1),
    }  # fmt: skip
    assert command in rows, f"`{command}` has numeric options: add the arguments that it needs to this table"
    return list(rows[command])


def _companions(command: str, option: click.Option, files: dict[str, Path]) -> list[object]:
    """What must be given, too, for the option to be read."""
    settings = {setting.name: setting for setting in _SETTINGS.get(command, ())}
    needed: list[object] = []
    for name, allowed in getattr(settings.get(option.name or ""), "conditions", ()):
        if allowed is GIVEN:
            needed += ["--valid", files["text" if command.startswith("lm") else "tags"]] if name == "valid" else []
        elif isinstance(allowed[0], str):
            needed += [settings[name].flag, allowed[0]]
    of_beams = {"length_penalty": ["--num-beams", 2]}
    return needed + (of_beams.get(option.name or "", []) if command == "lm generate" else [])


def _values(option: click.Option) -> list[str]:
    if option.metavar == "SIZE":
        return [*EXTREMES, "1K", f"1{'0' * 400}T"]
    if isinstance(option.type, click.types.StringParamType):
        return [*EXTREMES, *(f"0,{value}" for value in EXTREMES), "1,1,1,1,1"]
    return EXTREMES


@pytest.mark.parametrize(("command", "option"), NUMERIC, ids=[f"{c} {o.opts[-1]}" for c, o in NUMERIC])
def test_extreme_numbers_are_taken_or_refused_in_one_line(
    command: str, option: click.Option, files: dict[str, Path], tmp_path: Path
) -> None:
    for place, value in enumerate(_values(option)):
        arguments = [*_arguments(command, files, tmp_path / str(place)), *_companions(command, option, files)]
        argv = [*command.split(), *map(str, arguments), f"{option.opts[-1]}={value}"]
        result = CliRunner().invoke(main, argv)
        told: Any = (argv, result.output, result.exc_info)
        assert result.exception is None or isinstance(result.exception, SystemExit), told
        assert result.exit_code in (0, 1, 2), told
        lines = [line for line in result.output.splitlines() if line.startswith("Error")]
        assert len(lines) == (result.exit_code != 0), told
        assert not any("not enough memory" in line for line in lines), told
        assert all(len(line) < 400 for line in lines), told
