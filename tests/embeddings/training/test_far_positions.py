"""A corpus of more than 2**31 tokens: its last words are trained on, and n-grams say that it is too long for them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from windrow import Corpus, NGramLM, Word2Vec
from windrow.errors import DataError
from windrow.files import model_file

FAR = 2**31 + 12_345  # tokens of the first sentence, all of them word 0
TAIL = 30_000


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """One very long sentence, whose file has no blocks on disk, and short ones of other words behind it."""
    path = tmp_path_factory.mktemp("far") / "corpus"
    words = [f"w{i:02}" for i in range(40)]
    Corpus.build([" ".join(words[:row]) for row in range(40, 0, -1)], path)
    tail = np.random.default_rng(5).integers(1, 20, TAIL).astype(np.int32)  # words 20 to 39 occur nowhere
    with (path / "ids.bin").open("r+b") as file:
        file.truncate(0)
        file.seek(4 * FAR)
        file.write(tail.tobytes())
    np.concatenate([[0], FAR + np.arange(0, TAIL + 1, 10)]).astype(np.int64).tofile(path / "starts.bin")
    header = json.loads((path / "corpus.json").read_text())
    header |= {"tokens": FAR + TAIL, "sentences": 1 + TAIL // 10}
    del header["crc32"], header["crc32_of"]  # as older versions wrote it
    (path / "corpus.json").write_text(json.dumps(header))
    corpus = Corpus.open(path)
    corpus._is_sound = True  # else training would first read 8 GB of zeros, to see that each is the id of a word
    return corpus


@pytest.mark.parametrize("deterministic", [False, True])
def test_training_reaches_the_last_words(far: Corpus, deterministic: bool, tmp_path: Path) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    model = Word2Vec(
        vector_size=8,
        min_count=1,
        epochs=1,
        sample=0,
        kernel="pair",
        workers=1,
        deterministic=deterministic,
        report_words=1,
    )
    checkpoint = tmp_path / "checkpoint"
    with pytest.raises(KeyboardInterrupt):
        model.set_params(callbacks=[interrupt]).fit(far, checkpoint=checkpoint)
    stored = model_file.load(checkpoint)
    before = np.array(stored.arrays["input"])
    jobs = -(-FAR // 10_000) + TAIL // 10_000
    stored.config["position"] |= {"job": jobs - 2, "words": FAR + 10_000}
    arrays = {name: np.array(array) for name, array in stored.arrays.items()}
    model_file.save(checkpoint, stored.kind, arrays, stored.config)

    model.set_params(callbacks=(), report_words=None).fit(far, checkpoint=checkpoint, resume=True)

    moved = np.abs(model.wv.vectors - before[:, :8]).max(axis=1) > 0
    assert moved.tolist() == [False, *[True] * 19, *[False] * 20]
    assert model.history_[-1]["examples"] == FAR + TAIL


def test_n_grams_refuse_it_before_any_work(far: Corpus) -> None:
    with pytest.raises(DataError, match=r"2,147,5\d\d,\d{3} tokens; .* at most 2,147,483,647"):
        NGramLM(2).fit(far)
