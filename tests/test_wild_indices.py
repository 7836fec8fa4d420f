"""Numbers of a file that are used as indices: those out of range are refused before a kernel or NumPy reads there.

A map of all of them, by kind of file. What is not in a file, no file can make wild: Huffman trees, clusters and alias
tables are made anew from counts when a neural model is opened, the tags of a tagger from its types.

- All models: ``word_offsets`` (``model_file.unpack_words``) and ``counts`` (``model_file.as_counts``).
- n-grams: first slots, sizes of lists, size codes, successors and words in packed records. Kernels compare lists with
  the number of slots (``query.enqueue``, ``walk.successor_list``) and words with the vocabulary (``walk.successors``);
  what they rest on is checked by ``table._check``. An n-gram below the highest order has an address
  (``packing.unpack``).
- Corpora: ids and sentence starts (``Corpus.check_ranges``).
- Checkpoints: the position of a run (``Position.is_within``), places in the buffers of random number generators
  (``GensimRandomness.restore``, ``restore_rng``).
- Taggers: ids of words and features are places in lists that come out of the same file.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import windrow
from windrow.errors import FormatError
from windrow.files import model_file
from windrow.files.model_file import StoredModel
from windrow.nn.training.checkpoint import restore_rng, rng_state

TEXT = ["the cat sat on the mat", "the dog sat", "a cat ran"] * 6


def changed(path: Path, change: Callable[[StoredModel], None]) -> None:
    """Write a file again with some of its parts changed, and the right checksums: a forgery, not damage."""
    found = model_file.load(path)
    arrays = {name: np.array(array) for name, array in found.arrays.items()}
    stored = StoredModel(found.kind, found.config, found.provenance, arrays)
    change(stored)
    model_file.save(path, stored.kind, stored.arrays, stored.config, stored.provenance)
    assert model_file.verify(path)


MODELS: dict[str, Callable[[], Any]] = {
    "vectors": lambda: windrow.Word2Vec(vector_size=4, min_count=1, epochs=1, sample=0, seed=1).fit(TEXT).wv,
    "ngram": lambda: windrow.NGramLM(3, "witten-bell").fit(TEXT),
    "hierarchical": lambda: windrow.WindowLM(2, 4, 4, epochs=1, output_layer="hierarchical").fit(TEXT),
    "classes": lambda: windrow.RecurrentLM("gru", 4, 4, epochs=1, output_layer="classes").fit(TEXT),
    "nce": lambda: windrow.WindowLM(2, 4, 4, epochs=1, output_layer="nce", noise_words=16).fit(TEXT),
}


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("count", [-1, -(2**62), 2**62])
def test_counts_of_which_no_tree_could_be_made(kind: str, count: int, tmp_path: Path) -> None:
    """Of negative ones the tree is a chain, whose paths take memory for the square of the words."""
    path = tmp_path / "model"
    MODELS[kind]().save(path)

    def all_alike(stored: StoredModel) -> None:
        stored.arrays["counts"][:] = count

    changed(path, all_alike)
    with pytest.raises(FormatError, match=r"model: the vocabulary is damaged \(counts of words are out of range"):
        windrow.load(path)


def test_counts_of_another_type(tmp_path: Path) -> None:
    path = tmp_path / "model"
    MODELS["ngram"]().save(path)

    def as_floats(stored: StoredModel) -> None:
        stored.arrays["counts"] = np.full(len(stored.arrays["counts"]), np.nan)

    changed(path, as_floats)
    with pytest.raises(FormatError, match=r"counts of words are float64 \(\d+,\), not int64"):
        windrow.load(path)


@pytest.mark.parametrize("seed", range(30))
def test_packed_records_of_random_bytes(seed: int, tmp_path: Path) -> None:
    """Whatever the records say, scores and states come from within the arrays; the model is unpacked, or refused."""
    path, dice = tmp_path / "model", np.random.default_rng(seed)
    windrow.NGramLM(4, "witten-bell").fit(TEXT).save(path)

    def random_bytes(stored: StoredModel) -> None:
        records, unigrams = stored.arrays["records"], stored.arrays["unigrams"]
        some = dice.random(records.size) < 0.3
        records[some] = dice.integers(0, 256, some.sum())
        unigrams[:, 2] = dice.integers(0, 40, len(unigrams))
        unigrams[:, 3] = dice.integers(0, 5, len(unigrams))

    changed(path, random_bytes)
    model = windrow.load(path)
    words = len(model.vocabulary)
    state = model.start()
    for word in dice.integers(0, words, 50).tolist():
        assert len(model.distribution(state)) == words
        state = model.advance(state, word)
        following = [model.table_.successors(state, length)[0] for length in (1, 2, 3)]
        assert all(0 <= some.min(initial=0) <= some.max(initial=0) < words for some in following)
    assert len(model.word_scores("the cat sat on a mat")) == 7
    try:
        levels = model.table_.unpack().levels
    except FormatError as error:
        assert f"{path} is damaged: " in str(error)
    else:
        assert all(0 <= level.words.min() <= level.words.max() < words for level in levels)


def test_an_ngram_without_an_address_has_no_successors(tmp_path: Path) -> None:
    """A single successor in its context's record is of the highest order; elsewhere it would lead to byte -1."""
    path = tmp_path / "model"
    windrow.NGramLM(4, "witten-bell").fit(TEXT).save(path)

    def single_successors(stored: StoredModel) -> None:  # bit 0 of the successors of all bigrams
        layout = stored.config["table"]["layouts"][0]
        width, bits = layout[0], len(stored.arrays["counts"]).bit_length() + layout[1] + layout[2]
        slots = stored.config["table"]["inner_slots"]
        stored.arrays["records"][: slots * width].reshape(slots, width)[:, bits // 8] |= 1 << bits % 8

    changed(path, single_successors)
    told = set()
    for size in range(40):  # how many words in these bits are of the vocabulary, the forger knows

        def with_size(stored: StoredModel, size: int = size) -> None:
            stored.config["table"]["sizes"][2] = size

        changed(path, with_size)
        with pytest.raises(FormatError, match=r"model is damaged: ") as caught:
            windrow.load(path).table_.unpack()
        told.add("an n-gram of order 3 has no address" in str(caught.value))
    assert told == {True, False}


# --- checkpoints


def interrupt(report: Any) -> None:
    if report.epoch > 1:
        raise KeyboardInterrupt


@pytest.mark.parametrize("place", [625, 2**40, 2**64 - 1])
def test_a_generator_beyond_its_numbers(place: int, tmp_path: Path) -> None:
    """NumPy takes any place, and reads there."""
    checkpoint = tmp_path / "checkpoint"

    def training() -> Any:
        return windrow.Word2Vec(vector_size=4, min_count=1, epochs=3, sample=0, seed=1, workers=1, kernel="pair")

    with pytest.raises(KeyboardInterrupt):
        training().set_params(callbacks=[interrupt]).fit(TEXT, checkpoint=checkpoint)

    def beyond(stored: StoredModel) -> None:
        stored.arrays["randomness"][:, -1] = place

    changed(checkpoint, beyond)
    with pytest.raises(FormatError, match=r"checkpoint is damaged \(place \d+ of a generator's 624 numbers\)"):
        training().fit(TEXT, checkpoint=checkpoint, resume=True)


@pytest.mark.parametrize("generator", [np.random.MT19937, np.random.Philox, np.random.PCG64, np.random.SFC64])
def test_states_of_generators(generator: Any) -> None:
    rng = np.random.Generator(generator(1))
    state = rng_state(rng)
    numbers = rng.random(700)
    restore_rng(rng, state)
    np.testing.assert_array_equal(rng.random(700), numbers)

    for name in ("pos", "buffer_pos"):
        for place in (-1, 625, 2.0, None):
            wild = {**state, "state": dict(state["state"])}
            holder = next((part for part in (wild, wild["state"]) if name in part), None)
            if holder is not None:
                holder[name] = place
                with pytest.raises(ValueError, match=r"of a generator|is no count"):
                    restore_rng(rng, wild)
