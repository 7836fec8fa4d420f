"""fastText's classifiers, beside what fastText itself answers; the files and answers are in the folder `fasttext`."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import windrow
from tests.classification.fasttext.write import LIKELIEST, MODELS, TEXTS
from windrow import TextClassifier, WordVectors
from windrow.errors import FormatError, WindrowError
from windrow.outputs.tree import children_by_counts

FOLDER = Path(__file__).parent / "fasttext"
ANSWERS = json.loads((FOLDER / "answers.json").read_text("utf-8"))


@pytest.fixture(params=MODELS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def from_table(probability: float) -> float:
    """As fastText finds the logistic function of a score: by its steps of 1/32 from -8 to 8."""
    score = min(max(np.log(probability / (1 - probability)), -8), 8)
    return float(1 / (1 + np.exp(-np.floor((score + 8) * 32) / 32 + 8)))


def check_answers(model: TextClassifier, name: str) -> None:
    """Each probability is that of fastText, which adds 1e-5 to it, or with hs to each factor."""
    tolerance = 1e-4 if model.loss == "hs" else 2e-5
    for row, answers in zip(model.predict_proba(TEXTS), ANSWERS[name]["probabilities"], strict=True):
        found = dict(zip(model.classes_.tolist(), row.astype(float).tolist(), strict=True))
        assert len(answers) == min(len(found), LIKELIEST) or model.loss == "hs"  # which stops at small ones
        for label in found.keys() - answers.keys():
            assert found[label] <= min(answers.values()) + tolerance
        for label, answer in answers.items():
            own = from_table(found[label]) if model.loss in ("ns", "ova") else found[label]
            assert own == pytest.approx(answer, abs=tolerance), (label, row)


def test_probabilities_are_those_of_fasttext(name: str, tmp_path: Path) -> None:
    model = windrow.load(FOLDER / name)
    assert isinstance(model, TextClassifier)
    check_answers(model, name)
    assert model.label_prefix == "__label__"
    options = MODELS[name]
    assert model.loss == options.get("loss", "softmax")
    assert (model.word_ngrams, model.max_n) == (options.get("wordNgrams", 1), options.get("maxn", 0))

    model.save(tmp_path / "ours")
    again = windrow.load(tmp_path / "ours")
    np.testing.assert_array_equal(again.predict_proba(TEXTS), model.predict_proba(TEXTS))
    assert again.get_params() == model.get_params()


def test_one_can_be_trained_again() -> None:
    model = TextClassifier.load(FOLDER / "tied.bin")
    model.fit(["a b", "c d"] * 9, ["x", "y"] * 9)
    assert model.predict(["a"]).tolist() == ["x"]
    np.testing.assert_allclose(model.predict_proba(["a"]).sum(), 1, rtol=1e-6)


def test_vectors_of_its_words_are_those_of_fasttext(name: str) -> None:
    if name.endswith(".ftz"):
        with pytest.raises(FormatError, match=r"is a quantized model .* windrow classify predict"):
            WordVectors.load(FOLDER / name)
        return
    vectors = WordVectors.load(FOLDER / name)
    for word, vector in ANSWERS[name]["vectors"].items():
        if word in vectors.key_to_index or vectors.ngrams is not None:
            np.testing.assert_allclose(vectors[word], vector, atol=1e-6)
    assert "</s>" in vectors.key_to_index
    assert "__label__food" not in vectors.key_to_index


@pytest.mark.parametrize(
    ("labels", "prefix", "classes"),
    [
        ([b"__label__b", b"__label__a"], "__label__", ["a", "b"]),
        ([b"__lang__en", b"__lang__eo"], "__lang__", ["en", "eo"]),
        ([b"#b", b"#a"], "#", ["a", "b"]),
        ([b"b", b"__label__a"], "__label__", ["__label__a", "b"]),
        ([b"#", b"#a"], "__label__", ["#", "#a"]),
    ],
)
def test_the_prefix_of_labels_is_found(labels: list[bytes], prefix: str, classes: list[str], tmp_path: Path) -> None:
    path = tmp_path / "m.bin"
    path.write_bytes(small(labels=labels))
    model = TextClassifier.load(path)
    assert (model.label_prefix, model.classes_.tolist()) == (prefix, classes)


def test_words_that_are_not_utf8_are_no_words_of_a_text(tmp_path: Path) -> None:
    (tmp_path / "m.bin").write_bytes(small(words=[b"caf\xe9", b"b"]))
    model = TextClassifier.load(tmp_path / "m.bin")
    assert len(model.features_.words) == 2
    np.testing.assert_array_equal(model.predict_proba(["café"]), model.predict_proba(["never seen"]))
    model.save(tmp_path / "ours")
    np.testing.assert_array_equal(windrow.load(tmp_path / "ours").predict_proba(["b"]), model.predict_proba(["b"]))


@given(counts=st.lists(st.integers(0, 6), min_size=2, max_size=12))
def test_trees_are_those_of_the_definition(counts: list[int]) -> None:
    """``HierarchicalSoftmaxLoss::buildTree``, with a count for nodes that are not there yet."""
    counts = sorted(counts, reverse=True)
    size = len(counts)
    tree = [*counts, *[10**15] * (size - 1)]
    leaf, node, expected = size - 1, size, []
    for i in range(size, 2 * size - 1):
        pair = []
        for _ in range(2):
            if leaf >= 0 and tree[leaf] < tree[node]:
                pair.append(leaf)
                leaf -= 1
            else:
                pair.append(node)
                node += 1
        tree[i] = tree[pair[0]] + tree[pair[1]]
        expected.append(pair)
    assert children_by_counts(np.array(counts)).tolist() == expected


# --- damaged files


def small(*, words: list[bytes] | None = None, labels: list[bytes] | None = None, **changes: Any) -> bytes:
    """A classifier of some words and labels, with three buckets, and some numbers changed."""
    words, labels = words or [b"a", b"b"], labels or [b"__label__x", b"__label__y"]
    names = ("magic", "version", "dim", "ws", "epoch", "min_count", "neg", "word_ngrams", "loss", "model", "bucket",
             "minn", "maxn", "rate")  # fmt: skip
    values = (793712314, 12, 2, 5, 5, 1, 5, 2, 3, 3, 3, 0, 0, 100)
    numbers = dict(zip(names, values, strict=True)) | {
        "pruned": -1, "kept": b"", "quantized": 0, "rows": len(words) + 3, "outputs": len(labels), "number": 0.5,
    }  # fmt: skip
    numbers |= changes
    start = struct.pack("<14id", *(numbers[name] for name in names), 1e-4)
    counts = struct.pack("<3i2q", len(words) + len(labels), len(words), len(labels), 7, numbers["pruned"])
    entries = b"".join(word + b"\0" + struct.pack("<qb", 4, 0) for word in words)
    entries += b"".join(label + b"\0" + struct.pack("<qb", 4, 1) for label in labels)
    inputs = struct.pack("<b2q", numbers["quantized"], numbers["rows"], 2) + bytes(8 * numbers["rows"] - 4)
    inputs += struct.pack("<f", numbers["number"])
    outputs = struct.pack("<b2q", 0, numbers["outputs"], 2) + bytes(8 * numbers["outputs"])
    return start + counts + entries + numbers["kept"] + inputs + outputs


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": 2}, "holds word vectors of fastText, no classifier"),
        ({"loss": 5}, r"no sound configuration .*loss = 'number 5' is not one of"),
        ({"loss": 1, "outputs": 1}, "its output matrix has 1 x 2 numbers"),
        ({"word_ngrams": 101}, "no sound configuration .*word_ngrams = 101"),
        ({"labels": [b"__label__x"]}, "there are no two labels"),
        ({"labels": [b"x", b"x"]}, "a label is there twice"),
        ({"labels": [b"x\xff", b"x"]}, "a label is not UTF-8"),
        ({"words": [b"x", b"x"]}, "a word is there twice"),
        ({"pruned": 0}, "it lacks n-grams, but is not quantized"),
        ({"pruned": 2**40}, "1099511627776 n-grams, the file is too small"),
        ({"quantized": 1}, r"its input matrix has \d+ x 0 numbers"),
        ({"rows": 4}, "its input matrix has 4 x 2 numbers"),
        ({"number": np.inf}, "not finite"),
    ],
    ids=range(13),
)
def test_what_is_wrong_is_named(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / "m.bin"
    path.write_bytes(small())
    assert TextClassifier.load(path).classes_.tolist() == ["x", "y"]
    path.write_bytes(small(**changes))
    with pytest.raises(FormatError, match=message):
        TextClassifier.load(path)


def _with(place: int, layout: str, *values: float) -> Callable[[bytes], bytes]:
    new = struct.pack(layout, *values)
    return lambda whole: whole[:place] + new + whole[place + len(new) :]


def test_quantized_parts_that_do_not_fit_are_named(tmp_path: Path) -> None:
    whole, path = (FOLDER / "cut.ftz").read_bytes(), tmp_path / "m.ftz"
    pairs = whole.index(b"__label__art") + len(b"__label__art\0") + 9  # the last label
    kept = int.from_bytes(whole[64 + 20 : 64 + 28], "little")
    shape = pairs + 8 * kept + 2  # after the bytes about what is quantized, and about norms
    rows, columns, codes = struct.unpack_from("<2qi", whole, shape)
    assert (columns, codes) == (4, 2 * rows)
    quantizer = shape + 20 + codes
    cases = [
        (_with(pairs, "<i", 500), "the n-grams that were kept are out of range"),
        (_with(pairs + 4, "<i", 10**6), "the n-grams that were kept are out of range"),
        (_with(shape, "<q", rows + 1), f"its input matrix has {rows + 1} x 4 numbers"),
        (_with(shape + 16, "<i", 2**31 - 1), "codes are not those of"),
        (_with(shape + 16, "<i", 9 * rows), "codes are not those of"),
        (_with(shape + 16, "<i", 0), "codes are not those of"),
        (_with(quantizer, "<i", 5), "2 parts of 2 and 2 numbers are not the 4 of a row"),
        (_with(quantizer + 12, "<i", 1), "2 parts of 2 and 1 numbers are not the 4 of a row"),
        (_with(quantizer + 16, "<f", np.nan), "not finite"),
        (lambda whole: whole[:-1], "cut short"),
        (lambda whole: whole + b"\0", "more after its end"),
    ]
    for damage, message in cases:
        path.write_bytes(damage(whole))
        with pytest.raises(FormatError, match=message):
            TextClassifier.load(path)


@pytest.mark.parametrize("name", ["hs.bin", "labels.ftz"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(name: str, data: st.DataObject, tmp_path: Path) -> None:
    whole, path = (FOLDER / name).read_bytes(), tmp_path / "m.bin"
    damaged = bytearray(
        whole[: data.draw(st.integers(len(whole) // 2, len(whole)))] if data.draw(st.booleans()) else whole
    )
    for place in data.draw(st.lists(st.integers(4, min(len(damaged), 900) - 1), max_size=4)):
        damaged[place] = data.draw(st.integers(0, 255))
    path.write_bytes(damaged)
    try:
        model = windrow.load(path)
    except WindrowError:
        return
    if isinstance(model, TextClassifier):
        with np.errstate(all="ignore"):
            assert not np.isnan(model.predict_proba(TEXTS)).any()
