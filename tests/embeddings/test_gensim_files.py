"""gensim's own files, .kv and .model: those of all its versions are read, and nothing in them is ever run."""

from __future__ import annotations

import gzip
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import windrow
from windrow.cli import main
from windrow.errors import FormatError, WindrowError

gensim = pytest.importorskip("gensim", reason="gensim has no wheel for this Python")
models = pytest.importorskip("gensim.models")
FastText, KeyedVectors, Word2Vec = models.FastText, models.KeyedVectors, models.Word2Vec

DATA = Path(gensim.__file__).parent / "test" / "test_data"
WORDS = ["ash", "Öl", "oak", "elm"]
ROWS = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)


def table() -> KeyedVectors:
    made = KeyedVectors(3)
    made.add_vectors(WORDS, ROWS)
    return made


@pytest.fixture(scope="module")
def model() -> Word2Vec:
    return Word2Vec([["ash", "elm", "oak"], ["elm", "oak"], ["oak"]] * 5, vector_size=4, min_count=1, epochs=1)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("separately", [False, True])
def test_tables_of_words(protocol: int, separately: bool, tmp_path: Path) -> None:
    path = tmp_path / "old.kv"
    table().save(str(path), sep_limit=0 if separately else 1 << 30, pickle_protocol=protocol)
    assert (tmp_path / "old.kv.vectors.npy").exists() == separately
    read = windrow.load(path)
    assert (read.index_to_key, read.counts) == (WORDS, None)
    np.testing.assert_array_equal(read.vectors, ROWS)


@pytest.mark.parametrize("is_model", [False, True])
@pytest.mark.parametrize("end", [".gz", ".bz2"])
def test_what_gensim_compresses(end: str, is_model: bool, model: Word2Vec, tmp_path: Path) -> None:
    """The arrays are in archives beside it then; a damaged or missing one is named."""
    path = tmp_path / f"old.kv{end}"
    (model if is_model else table()).save(str(path), sep_limit=0)
    beside = tmp_path / f"old.kv{end}{'.wv' * is_model}.vectors.npz"
    np.testing.assert_array_equal(windrow.load(path).vectors, model.wv.vectors if is_model else ROWS)
    whole = beside.read_bytes()
    for damaged in (whole[:-30], whole.replace(b"val.npy", b"lav.npy"), whole[:60] + b"xxxx" + whole[64:]):
        beside.write_bytes(damaged)
        with pytest.raises(FormatError, match=r"vectors\.npz is no sound"):
            windrow.load(path)
    directory = whole.index(b"PK\1\2")
    other_name = whole[: directory + 46] + b"\xffal.npy" + whole[directory + 53 :]  # in an encoding that it is not
    utf8_flag = bytes([whole[directory + 9] | 8])
    lzma = whole[: directory + 10] + b"\x0e" + whole[directory + 11 :]
    for damaged in (other_name[: directory + 9] + utf8_flag + other_name[directory + 10 :], lzma):
        beside.write_bytes(damaged)
        with pytest.raises(FormatError, match=r"vectors\.npz is no sound"):
            windrow.load(path)
    np.savez_compressed(beside, val=np.zeros((4000, 300), np.float32))
    with pytest.raises(FormatError, match="holds far more than its size allows"):
        windrow.load(path)
    np.savez_compressed(beside, val=np.arange(3.0))
    with pytest.raises(FormatError, match=rf"{beside}: expected a matrix"):
        windrow.load(path)
    beside.unlink()
    with pytest.raises(FormatError, match=f"has its vectors in {beside}, which does not exist"):
        windrow.load(path)


def test_documents_are_left_out_with_a_warning(tmp_path: Path) -> None:
    documents = [models.doc2vec.TaggedDocument(["ash", "elm"], [number]) for number in range(5)]
    model = models.Doc2Vec(documents, vector_size=4, min_count=1, epochs=1)
    model.save(str(tmp_path / "documents.model"))
    with pytest.warns(windrow.errors.DataWarning, match="Doc2Vec: its vectors of words are read, those of documents"):
        wv = windrow.load(tmp_path / "documents.model")
    np.testing.assert_array_equal(wv.vectors, model.wv.vectors)


@pytest.mark.parametrize("sep_limit", [0, 1 << 30])
def test_models(sep_limit: int, model: Word2Vec, tmp_path: Path) -> None:
    model.save(str(tmp_path / "old.model"), sep_limit=sep_limit)
    read = windrow.WordVectors.load(tmp_path / "old.model")
    assert read.index_to_key == model.wv.index_to_key == ["oak", "elm", "ash"]
    assert read.counts is not None
    assert read.counts.tolist() == [15, 10, 5]
    np.testing.assert_array_equal(read.vectors, model.wv.vectors)


@pytest.mark.parametrize(
    "name",
    [
        *("old_keyedvectors_320.dat", "word2vec_3.3", "word2vec_old_sep", "model-from-gensim-3.8.0.w2v"),
        *(f"old_w2v_models/w2v_{version}.mdl" for version in ("1.0.1", "2.3.0", "3.0.0", "3.4.0")),
    ],
)
def test_files_of_older_versions(name: str) -> None:
    mine = windrow.load(DATA / name)
    theirs = (KeyedVectors if "keyedvectors" in name else Word2Vec).load(str(DATA / name))
    theirs = getattr(theirs, "wv", theirs)
    assert mine.index_to_key == theirs.index_to_key
    np.testing.assert_array_equal(mine.vectors, theirs.vectors)
    assert mine.counts.tolist() == [theirs.get_vecattr(word, "count") for word in theirs.index_to_key]


@pytest.mark.parametrize("name", ["word2vec_pre_kv_py2", "word2vec_pre_kv_py3", "old_w2v_models/w2v_0.12.0.mdl"])
def test_files_that_gensim_no_longer_opens(name: str) -> None:
    """Of before gensim 1, where the model was the table; it still unpickles them."""
    mine, theirs = windrow.load(DATA / name), gensim.utils.unpickle(str(DATA / name))
    assert mine.index_to_key == theirs.index2word
    np.testing.assert_array_equal(mine.vectors, theirs.syn0)
    assert mine.counts.tolist() == [vars(theirs)["vocab"][word].count for word in theirs.index2word]


def test_what_is_read_beside_is_not_written_over(tmp_path: Path) -> None:
    table().save(str(tmp_path / "old.kv"), sep_limit=0)
    for target, code in (("old.kv.vectors.npy", 1), ("new.txt", 0)):
        result = CliRunner().invoke(main, ["vectors", "convert", str(tmp_path / "old.kv"), str(tmp_path / target)])
        assert result.exit_code == code, result.output
    assert windrow.load(tmp_path / "new.txt").index_to_key == WORDS


def test_other_ways_in(tmp_path: Path) -> None:
    table().save(str(tmp_path / "old.kv"))
    (tmp_path / "packed.kv.gz").write_bytes(gzip.compress((tmp_path / "old.kv").read_bytes()))
    assert windrow.load(tmp_path / "packed.kv.gz").index_to_key == WORDS
    assert windrow.load(tmp_path / "old.kv", limit=2).index_to_key == WORDS[:2]
    some = windrow.load(tmp_path / "old.kv", only_words=["elm"])
    np.testing.assert_array_equal(some["elm"], ROWS[3])


@pytest.mark.parametrize("dtype", [np.float16, np.float64, ">f4"])
def test_other_types_of_numbers(dtype: Any, tmp_path: Path) -> None:
    kv, rows = table(), ROWS.astype(dtype)
    kv.vectors = rows
    kv.save(str(tmp_path / "old.kv"))
    np.testing.assert_array_equal(windrow.load(tmp_path / "old.kv").vectors, rows.astype(np.float32))


def test_matrices_in_the_order_of_columns(tmp_path: Path) -> None:
    kv = table()
    kv.vectors = np.asfortranarray(kv.vectors)
    for protocol in (4, 5):
        (tmp_path / "old.kv").write_bytes(pickle.dumps(kv, protocol))
        np.testing.assert_array_equal(windrow.load(tmp_path / "old.kv").vectors, ROWS)


def damaged(change: Any) -> KeyedVectors:
    kv = table()
    change(kv)
    return kv


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ({"vectors": [1]}, "is a Python pickle of dict, not of KeyedVectors; write the vectors in gensim"),
        (WORDS, "is a Python pickle of list"),
        (Path("x"), "is a Python pickle of pathlib"),
        (FastText(vector_size=2, min_count=1), "of gensim.models.fasttext.FastText, not of KeyedVectors"),
        (FastText(vector_size=2, min_count=1).wv, "FastTextKeyedVectors, not of KeyedVectors"),
        (KeyedVectors(3), "has no words"),
        (damaged(lambda kv: kv.index_to_key.__setitem__(1, 7)), "some that are no text"),
        (damaged(lambda kv: kv.index_to_key.append("fig")), "expected vectors of 5 words, found shape .4, 3."),
        (damaged(lambda kv: kv.index_to_key.__setitem__(1, "ash")), "the word 'ash' occurs twice"),
        (damaged(lambda kv: kv.vectors.__setitem__((1, 1), np.nan)), "not finite .row 2."),
        (damaged(lambda kv: setattr(kv, "vectors", kv.vectors[0])), "found shape .3,."),
        (damaged(lambda kv: setattr(kv, "vectors", kv.vectors.astype(np.int64))), "of type int64"),
        (
            damaged(lambda kv: setattr(kv, "vectors", kv.vectors.astype(object))),
            "an array is damaged .it does not hold numbers",
        ),
        (
            damaged(lambda kv: setattr(kv, "vectors", kv.vectors[:, :, None])),
            "an array is damaged .its shape is not th",
        ),
        (damaged(lambda kv: setattr(kv, "vectors", [[1.0]])), "an array is damaged"),
        (damaged(lambda kv: kv.expandos.update(count=np.array([-1, 0, 0, 0]))), "counts of words are out of range"),
        (damaged(lambda kv: kv.expandos.update(count=np.array([1]))), "counts of words are int64 .1,."),
    ],
)
def test_what_is_refused(held: Any, message: str, tmp_path: Path) -> None:
    (tmp_path / "x.model").write_bytes(pickle.dumps(held))
    with pytest.raises(FormatError, match=message) as error:
        windrow.load(tmp_path / "x.model")
    assert "x.model" in str(error.value)


def test_a_matrix_that_is_not_beside(tmp_path: Path, model: Word2Vec) -> None:
    table().save(str(tmp_path / "old.kv"), sep_limit=0)
    (tmp_path / "old.kv.vectors.npy").rename(tmp_path / "away")
    with pytest.raises(FormatError, match=r"its vectors in .*old\.kv\.vectors\.npy, which does not exist; copy it"):
        windrow.load(tmp_path / "old.kv")
    np.save(tmp_path / "old.kv.vectors.npy", ROWS[:2])
    with pytest.raises(FormatError, match=r"expected vectors of 4 words, found shape \(2, 3.*files of one model"):
        windrow.load(tmp_path / "old.kv")


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("protocol", range(6))
def test_what_a_pickle_calls_is_not_called(protocol: int, tmp_path: Path) -> None:
    """A table among whose attributes there is a call is read as if that were nothing."""
    kv = table()
    kv.index_to_key = Trap(tmp_path / "sprung")
    (tmp_path / "a.kv").write_bytes(pickle.dumps(kv, protocol))
    with pytest.raises(FormatError, match="has no words"):
        windrow.load(tmp_path / "a.kv")
    kv = table()
    kv.norms = Trap(tmp_path / "sprung")
    (tmp_path / "b.kv").write_bytes(pickle.dumps(kv, protocol))
    assert windrow.load(tmp_path / "b.kv").index_to_key == WORDS
    assert not (tmp_path / "sprung").exists()


class Laughs:
    """Pickles as an array whose shape is a tuple of two tuples of two tuples ...: short in memory, endless in words."""

    def __reduce__(self) -> Any:
        call, arguments, (version, shape, *rest) = ROWS.__reduce__()
        for _ in range(80):
            shape = (shape, shape)
        return call, arguments, (version, shape, *rest)


def test_what_is_endless_in_words_is_not_shown(tmp_path: Path) -> None:
    kv = table()
    kv.vectors = Laughs()
    (tmp_path / "a.kv").write_bytes(pickle.dumps(kv))
    with pytest.raises(FormatError, match=r"an array is damaged \(its shape is not that"):
        windrow.load(tmp_path / "a.kv")


SAVED = {protocol: pickle.dumps(table(), protocol) for protocol in (0, 2, 4, 5)}


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(sorted(SAVED)), st.data())
def test_damage_is_a_format_error_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, protocol: int, data: Any
) -> None:
    content = bytearray(SAVED[protocol])
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(2, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(3, len(content)))
    path = tmp_path_factory.getbasetemp() / "damaged.kv"
    path.write_bytes(content[:cut])
    try:
        windrow.load(path)
    except WindrowError as error:
        assert "damaged.kv" in str(error)


@pytest.mark.parametrize(
    "claim",
    [
        b"\x8e" + (1 << 40).to_bytes(8, "little"),  # bytes
        b"\x8d" + (1 << 62).to_bytes(8, "little"),  # text
        b"\x96" + (1 << 40).to_bytes(8, "little"),  # a bytearray
        b"\x8b" + (1 << 30).to_bytes(4, "little"),  # a whole number
        b"]r\xff\xff\xff\x7f(",  # a place in memory
        b"\x95" + (1 << 60).to_bytes(8, "little"),  # a frame
        b"Q",  # a persistent id
        b"\x82\x01",  # a registered extension
        b"\x97",  # a buffer from elsewhere
        b"(" * 100_000,
        b"(" * 50_000 + b"t" * 50_000,  # a tuple in a tuple ...
        b"}" + b"(" * 150_000 + b"t" * 150_000 + b"K\x01s",  # as a key
    ],
)
def test_claims_and_instructions_of_no_plain_pickle(claim: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.kv").write_bytes(b"\x80\x04" + claim + b".")
    with pytest.raises(FormatError, match="Python pickle"):
        windrow.load(tmp_path / "x.kv")
