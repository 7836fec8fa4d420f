"""Files of every kind and version that windrow has written open for ever, and hold what they held."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

import windrow
from tests.golden.probes import TOLERANCE, ask, ask_model, ask_resumed, differences
from tests.golden.recipes import CORPORA, RECIPES, build_corpus
from tests.golden.unfinished import STOPPED, UNFINISHED, header_of, resume_by_class, resume_by_command
from tests.golden.write import files_in, read_answers
from windrow import models
from windrow.corpus.encoded import read_corpus
from windrow.errors import FormatError
from windrow.nn.training.checkpoint import with_new_names
from windrow.nn.training.report import OLD_NAMES

GOLDEN = Path(__file__).parent / "golden"
FOLDERS = sorted(path.parent for path in GOLDEN.glob("*/answers.json"))
ANSWERS = {folder / name: answers for folder in FOLDERS for name, answers in read_answers(folder).items()}
# Of numbers after many steps of training, each of which takes over the last bits of the one before: 7e-7 in between.
TRAINED_TOLERANCE = 1e-5


def named(path: Path) -> str:
    return path.relative_to(GOLDEN).as_posix()


def golden(*folders: str) -> Any:
    """Parametrises a test with the files of some folders, or of those that no other test opens."""
    left_out = {"checkpoints", "logs"}
    paths = [p for p in ANSWERS if p.parent.name in folders or (not folders and p.parent.name not in left_out)]
    return pytest.mark.parametrize("path", paths, ids=named)


def is_own(path: Path) -> bool:
    """Whether it is a file of windrow's own format, which has a header."""
    return path.is_file() and path.read_bytes()[8:10] == b'{"'


def assert_answers(found: dict[str, Any], expected: dict[str, Any], tolerance: float = TOLERANCE) -> None:
    assert list(differences(found["stored"], expected["stored"])) == []
    assert list(differences(found["computed"], expected["computed"], tolerance)) == []


@golden()
def test_a_file_holds_what_it_held(path: Path) -> None:
    assert_answers(ask(path), ANSWERS[path])


@golden("vectors", "ngram", "arpa", "window", "recurrent", "mixture", "cache", "tagger", "phrases", "classifier")
def test_its_class_opens_it(path: Path) -> None:
    opened = windrow.load(path)

    again = type(opened).load(path)

    assert ask_model(again)["stored"] == ask_model(opened)["stored"]


@golden("corpora")
def test_a_text_is_encoded_as_it_was(path: Path) -> None:
    """Else no checkpoint would be of the same text any more. By the rules of its time, if they are others now."""
    opened = windrow.Corpus.open(path)
    source, options = CORPORA[path.name]
    again = read_corpus(source, opened.reader) if "tokenizer" in options else build_corpus(path.name)

    assert again.fingerprint == opened.fingerprint


# --- checkpoints and logs


@golden("checkpoints")
def test_a_checkpoint_says_what_it_is(path: Path) -> None:
    with pytest.raises(FormatError, match=r"--resume|resume=True"):  # no command trains an MLP
        windrow.load(path)


@golden("checkpoints")
def test_a_stopped_training_goes_on(path: Path, tmp_path: Path) -> None:
    model, history = resume_by_class(path.name, path, tmp_path)

    assert history[: STOPPED - 1] == [
        with_new_names(row) for row in header_of(path)["config"]["history"][: STOPPED - 1]
    ]
    computed = ask_resumed(model, history)
    assert list(differences(computed, ANSWERS[path]["computed"], TRAINED_TOLERANCE)) == []


COMMANDED = [p for p in ANSWERS if p.parent.name == "checkpoints" and UNFINISHED[p.name].options is not None]


@pytest.mark.parametrize("path", COMMANDED, ids=named)
def test_the_command_goes_on_to_the_same_bits(path: Path, tmp_path: Path) -> None:
    """As the class does, although that was stopped once more."""
    by_class, _ = resume_by_class(path.name, path, tmp_path)

    by_command = resume_by_command(path.name, path, tmp_path)

    arrays, others = load_file(by_command), load_file(by_class)
    assert arrays.keys() == others.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, others[name], err_msg=name)


@golden("logs")
def test_a_log_goes_on(path: Path, tmp_path: Path) -> None:
    name = next(name for name, unfinished in UNFINISHED.items() if unfinished.log == path.stem)
    log, before = tmp_path / "log.jsonl", path.read_text("utf-8")
    log.write_text(before, "utf-8")

    resume_by_command(name, path.parents[1] / "checkpoints" / name, tmp_path, log)

    text = log.read_text("utf-8")
    assert text.startswith(before)
    rows = [json.loads(line) for line in text.splitlines()]
    expected = ANSWERS[path]["stored"]["rows"]
    assert rows[: len(expected)] == expected
    assert rows[len(expected) :]
    known = {OLD_NAMES.get(name, name) for name in expected[0]}  # rows of today have the names of today
    assert all(row.keys() >= known for row in rows[len(expected) :])
    assert rows[-1]["epoch"] == expected[-1]["epoch"]


@pytest.mark.parametrize("path", [path for path in ANSWERS if path.name == "vectors.jsonl"], ids=named)
def test_a_log_of_vectors_is_drawn(path: Path) -> None:
    viz = pytest.importorskip("windrow.viz")
    rows = [
        {OLD_NAMES.get(name, name): value for name, value in row.items()} for row in ANSWERS[path]["stored"]["rows"]
    ]

    figure = viz.plot_learning_curve(path)

    lines = [line for axes in figure.axes for line in axes.lines]
    drawn = {(float(x), float(y)) for line in lines for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)}
    assert drawn >= {(row["examples"], row["loss"]) for row in rows}
    assert drawn >= {(row["examples"], row["learning_rate"]) for row in rows}


# --- that there is a file of everything


def test_every_file_has_its_answers() -> None:
    for folder in FOLDERS:
        assert files_in(folder) == read_answers(folder).keys()
    assert {path.parent for path in GOLDEN.glob("*/*/")} == {*FOLDERS}


def test_every_kind_has_a_file_of_todays_version(tmp_path: Path) -> None:
    """A new kind, or a new version of the format, needs golden files; tests/golden/README.md says how."""
    windrow.WordVectors(["a"], np.ones((1, 2), np.float32)).save(tmp_path / "new.safetensors")
    version = header_of(tmp_path / "new.safetensors")["version"]
    headers = [header_of(path) for folder in FOLDERS for path in folder.rglob("*") if is_own(path)]

    kinds = {header["kind"] for header in headers if header["version"] == version}
    assert kinds >= {*models.MODEL_KINDS, *models.OTHER_KINDS}


def test_there_is_a_corpus_of_todays_version(tmp_path: Path) -> None:
    windrow.Corpus.build(["a"], tmp_path / "new")
    new = json.loads((tmp_path / "new" / "corpus.json").read_text("utf-8"))
    headers = [json.loads(path.read_text("utf-8")) for path in GOLDEN.glob("*/corpora/*/corpus.json")]

    assert any(header["version"] == new["version"] and header.keys() >= new.keys() for header in headers)


WRITTEN = [
    "vectors/skipgram.safetensors",
    "vectors/subwords.safetensors",
    "vectors/small-float16.safetensors",
    "vectors/small-int8.safetensors",
    "training/skipgram.safetensors",
    "training/subwords.safetensors",
    "training/subwords-hierarchical.safetensors",
    "corpora/specials",
    "ngram/witten-bell.safetensors",
    "ngram/turkish-paragraphs.safetensors",
    "window/8-bits.safetensors",
    "recurrent/gru.safetensors",
    "mixture/linear.safetensors",
    "cache/documents.safetensors",
    "tagger/crf-iobes.safetensors",
    "classifier/softmax.safetensors",
    "window/training-state.safetensors",
    "recurrent/training-state.safetensors",
    "tagger/training-state.safetensors",
    "checkpoints/word2vec-noise",
    "checkpoints/word2vec-from-vectors",
    "checkpoints/word2vec-subwords",
    "checkpoints/window-adam",
    "checkpoints/rnn-lstm",
    "checkpoints/tagger-crf",
    "checkpoints/mlp-adam",
]


@pytest.mark.parametrize("name", WRITTEN)
def test_todays_files_have_no_field_that_no_golden_file_has(name: str, tmp_path: Path) -> None:
    """Whoever adds one adds a golden file."""
    target = tmp_path / name
    target.parent.mkdir(parents=True)
    RECIPES[name](target)

    layouts = [layout(folder / name) for folder in FOLDERS if (folder / name).exists()]
    assert layout(target) in layouts


def layout(path: Path) -> tuple[Any, ...]:
    """The names of what a file's header has, and of its arrays with their types."""
    path = path / "vocabulary.safetensors" if path.is_dir() else path
    header = header_of(path)
    config = {name: sorted(value) if isinstance(value, dict) else None for name, value in header["config"].items()}
    arrays = {name: str(array.dtype) for name, array in load_file(path).items()}
    return sorted(header), header["kind"], config, sorted(header["provenance"]), arrays
