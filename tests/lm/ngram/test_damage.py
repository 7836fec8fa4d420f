"""Files that were cut short or changed: an error of one line, or a model that can be asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import windrow
from windrow import NGramLM
from windrow.errors import WindrowError

TEXT = ["the cat sat", "the dog sat down", "a cat ran", "the cat ran off", "", "a mouse"]
INSERTED = (b"0", b"-", b"\n", b"\t", b" ", b"nan", b"inf", b"1e999", b"<s>", b"\\2-grams:\n", b"\xff", b"\0")


def refused(path: Path, data: bytes) -> bool:
    """Whether the file is refused with one line; if not, whatever it says can be asked without harm."""
    path.write_bytes(data)
    try:
        model = windrow.load(path)
        model.log_probs(["the cat ran off", "", "a zebra the"])
        model.word_scores("the dog")
        model.top_words("the cat", 3)
        model.generate("the", seed=1, max_new_tokens=3)
        assert len(list(model.ngrams())) == sum(model.table_.sizes)
        model.save(path.with_suffix(".out.arpa"))
    except WindrowError as error:
        assert "\n" not in str(error)
        return True
    return False


def changed(data: bytes, dice: np.random.Generator) -> bytes:
    """With a byte or a few flipped, left out, put in or moved."""
    start, stop = sorted(dice.integers(0, len(data), 2).tolist())
    kind = dice.integers(4)
    if kind == 0:
        return data[:start] + bytes([data[start] ^ int(dice.integers(1, 256))]) + data[start + 1 :]
    if kind == 1:
        return data[:start] + data[start + int(dice.integers(1, 40)) :]
    if kind == 2:
        return data[:start] + INSERTED[int(dice.integers(len(INSERTED)))] + data[start:]
    return data[:start] + data[stop : stop + 8] + data[start:]


@pytest.fixture(scope="module", params=["m.safetensors", "compact.safetensors", "m.arpa", "m.arpa.gz"])
def sound(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / request.param
    NGramLM(3, discount_fallback=True, compact=path.stem == "compact").fit(TEXT).save(path)
    return path


def test_files_cut_short(sound, tmp_path):
    data = sound.read_bytes()
    places = range(0, len(data), 1 + len(data) // 500)

    kept = [place for place in places if not refused(tmp_path / sound.name, data[:place])]

    # All that may be missing is the newline after \end\.
    assert all(data[place:] == b"\n" for place in kept)
    assert not refused(tmp_path / sound.name, data)


@pytest.mark.filterwarnings("ignore:.*there is no <:windrow.errors.DataWarning")  # the change hit <s> or </s>
def test_files_changed(sound, tmp_path):
    data, dice = sound.read_bytes(), np.random.default_rng(11)

    outcomes = [refused(tmp_path / sound.name, changed(data, dice)) for _ in range(300)]

    assert any(outcomes)
