"""Sentences of any length: the tags of all at once, piece by piece."""

from __future__ import annotations

import numpy as np
import pytest

from windrow import WindowTagger
from windrow.corpus import TextReader
from windrow.corpus import reading as reading_module
from windrow.tagging import trained as trained_module
from windrow.tagging.long_sentences import decode_long, tag_names
from windrow.tagging.schemes import convert
from windrow.tagging.windows import windows_of

TRAIN = [(["in", "New", "York", "we", "met", "Ann"], ["O", "B-LOC", "I-LOC", "O", "O", "B-PER"])] * 5


def trained(output_layer: str, window: int = 5) -> WindowTagger:
    tagger = WindowTagger(
        hidden_size=8, vector_size=6, epochs=2, min_count=1, output_layer=output_layer, window=window, scheme="iobes"
    ).fit(TRAIN)
    rng = np.random.default_rng(5)
    if output_layer != "softmax":  # whose transitions are fixed: no easy decisions
        values = tagger.network_.parameters.values
        values += rng.normal(0, 1, values.shape).astype(values.dtype)
    return tagger


def sentence(length: int, seed: int = 0) -> list[str]:
    words = ["in", "New", "York", "we", "met", "Ann", "zzz", "42"]
    return [words[number] for number in np.random.default_rng(seed).integers(0, len(words), length)]


@pytest.mark.parametrize("output_layer", ["crf", "softmax", "logistic"])
@pytest.mark.parametrize(
    ("length", "piece", "window"), [(1, 4, 3), (4, 4, 5), (5, 4, 5), (97, 8, 5), (60, 1, 7), (50, 60, 3)]
)
def test_pieces_give_the_path_of_the_whole(output_layer: str, length: int, piece: int, window: int) -> None:
    tagger = trained(output_layer, window)
    for seed in range(3):
        tokens = sentence(length, seed)
        whole = tagger.network_.decode(windows_of([tokens], tagger.lexicon_, window))
        found = decode_long(tagger.network_, tagger.lexicon_, tokens, piece)
        np.testing.assert_array_equal(found, whole)
        names = [tagger.tags_[number] for number in whole]
        for scheme in ("iob1", "iob2", "iobes", "io"):
            assert tag_names(whole, tagger.tags_, scheme, piece) == convert(names, scheme)


def test_predict_gives_the_same_for_long_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    tagger = trained("crf")
    texts = [sentence(length, length) for length in (3, 70, 5, 200, 1, 90, 2)]
    expected = tagger.predict(texts)
    assert {tag for tags in expected for tag in tags} > {"O"}
    monkeypatch.setattr(trained_module, "_LONG_SENTENCE", 60)
    monkeypatch.setattr(trained_module, "_BLOCK_TOKENS", 50)
    assert tagger.predict(texts) == expected


@pytest.mark.parametrize(
    "options", [{}, {"tokenizer": "word", "lowercase": True}, {"tokenizer": "char", "normalize": "nfc"}]
)
def test_long_texts_have_the_tokens_of_short_ones(options: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    reader = TextReader(**options)
    text = "The  cafe\u0301, isn't it?\u3000\u03a3\u039f\u03a3 a\r b " * 20000
    expected = reader.rules.split(reader.rules.fold(text) if reader.folds else text)
    monkeypatch.setattr(reading_module, "_LONG", 1 << 12)
    found = reader.tokens(text)
    assert found == expected
    assert len({id(token) for token in found}) == len(set(found))
