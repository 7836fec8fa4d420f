"""Every format of the registry: round trips, gensim's reading and writing, and files that are wrong."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import windrow
from tests.older_files import without_checksums
from windrow.embeddings.formats import FORMATS, VectorData
from windrow.embeddings.vectors import WordVectors, load_vectors, save_vectors
from windrow.errors import DataError, FormatError, OptionError, WindrowError
from windrow.files import model_file

FOLDERS = {"model2vec"}  # see test_model2vec.py
EXTENSIONS = [
    *(name for name in FORMATS if name not in FOLDERS),
    *(f"{name}.gz" for name, row in FORMATS.items() if row.gzip),
]
TEXT = ["txt", "vec", "glove", "tsv"]
WITH_HEADER = ["txt", "vec", "bin"]
PLAIN_WORDS = ["</s>", "aaa", "bbb", "naïve", "日本語", "e\u0301", "a\u00a0b", "0.5", "\ufeffx", "\x85"]

every_extension = pytest.mark.parametrize("extension", EXTENSIONS)


def small(words: list[str] | None = None, dim: int = 8) -> WordVectors:
    words = PLAIN_WORDS if words is None else words
    return WordVectors(words, np.random.default_rng(3).normal(size=(len(words), dim)).astype(np.float32))


def same(mine: WordVectors, theirs: Any) -> bool:
    """Equal words, and vectors equal to the last bit (-0.0 is not 0.0)."""
    bits = np.asarray(theirs.vectors, np.float32).view(np.uint32)
    return mine.index_to_key == list(theirs.index_to_key) and np.array_equal(mine.vectors.view(np.uint32), bits)


def read(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def write(path: Path, data: bytes) -> None:
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def words_file(path: Path) -> Path:
    """Where a format keeps its words: .npy has them beside the matrix."""
    return path.with_suffix(".words.txt") if path.suffix == ".npy" else path


# --- round trips

words = st.text(st.characters(codec="utf-8", exclude_characters=" \t\n\v\f\r\0"), min_size=1, max_size=6)
float32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
tables = st.integers(1, 4).flatmap(
    lambda dim: st.dictionaries(words, st.lists(float32, min_size=dim, max_size=dim), min_size=1, max_size=5)
)


@every_extension
@settings(max_examples=12, deadline=None)
@given(table=tables)
@example(table={"0": [5.05e16]})  # whose bytes in a binary file are letters
def test_what_is_written_is_read_back(extension: str, table: dict[str, list[float]]) -> None:
    vectors = WordVectors(list(table), np.array(list(table.values()), np.float32))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"x.{extension}")
        save_vectors(vectors, path)
        assert same(load_vectors(path), vectors)
        assert {file.name for file in Path(folder).iterdir()} == {path.name, words_file(path).name}


@every_extension
def test_a_file_larger_than_every_buffer(extension: str, tmp_path: Path, monkeypatch: Any) -> None:
    for name, size in (("binary._CHUNK", 100), ("rows._FIRST_CAPACITY", 50)):
        monkeypatch.setattr(f"windrow.embeddings.formats.{name}", size)
    vectors = small([f"word{i}" for i in range(500)], dim=7)
    save_vectors(vectors, tmp_path / f"x.{extension}")
    assert same(load_vectors(tmp_path / f"x.{extension}"), vectors)


@pytest.mark.parametrize("extension", TEXT)
def test_the_number_that_readers_in_double_precision_round_to_its_neighbour(extension: str, tmp_path: Path) -> None:
    hard = np.array([0x15AE43FD], np.uint32).view(np.float32)
    assert np.float32(float(str(hard[0]))) != hard[0]  # its shortest text does not lead back
    vectors = WordVectors(["x"], np.array([[*hard, *-hard, 1]], np.float32))
    save_vectors(vectors, tmp_path / f"x.{extension}")
    assert same(load_vectors(tmp_path / f"x.{extension}"), vectors)


@every_extension
def test_the_format_may_be_named_instead_of_the_extension(extension: str, tmp_path: Path) -> None:
    name = extension.removesuffix(".gz")
    path = tmp_path / ("x.other" + extension.removeprefix(name))
    save_vectors(small(), path, name)
    assert same(load_vectors(path, name), small())


@every_extension
def test_windrow_load_finds_the_reader(extension: str, tmp_path: Path) -> None:
    save_vectors(small(), tmp_path / f"x.{extension}")
    assert same(windrow.load(tmp_path / f"x.{extension}"), small())


def test_windrow_load_goes_by_the_kind_in_the_header(tmp_path: Path) -> None:
    small().save(tmp_path / "model.any")
    assert same(windrow.load(tmp_path / "model.any"), small())
    model_file.save(tmp_path / "x.safetensors", "crystal-ball", {}, {})
    with pytest.raises(FormatError, match="unknown kind 'crystal-ball'; update windrow"):
        windrow.load(tmp_path / "x.safetensors")
    with pytest.raises(DataError, match=r"cannot read .*none"):
        windrow.load(tmp_path / "none")


def test_windrow_load_says_what_a_file_is_that_holds_no_model(tmp_path: Path) -> None:
    corpus = windrow.Corpus.build([["a", "b"]] * 5, tmp_path / "corpus")
    with pytest.raises(
        FormatError, match=r"the vocabulary of a corpus, not a model; open its folder with windrow\.Corpus"
    ):
        windrow.load(corpus.path / "vocabulary.safetensors")

    def stop(_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        windrow.Word2Vec(min_count=1, workers=1, callbacks=[stop]).fit(corpus, checkpoint=tmp_path / "x.checkpoint")
    with pytest.raises(FormatError, match=r"that was interrupted, not a model; .* or repeat `windrow vectors train"):
        windrow.load(tmp_path / "x.checkpoint")


# --- gensim as the other side

GENSIM_READS: dict[str, dict[str, bool]] = {
    "txt": {},
    "vec": {},
    "bin": {"binary": True},
    "glove": {"no_header": True},
    "txt.gz": {},
    "bin.gz": {"binary": True},
}
GENSIM_WRITES: dict[str, dict[str, bool]] = {
    "txt": {},
    "bin": {"binary": True},
    "glove": {"write_header": False},
}


@pytest.mark.parametrize("extension", GENSIM_READS)
def test_gensim_reads_what_we_write(extension: str, tmp_path: Path) -> None:
    keyed_vectors = pytest.importorskip("gensim.models").KeyedVectors
    save_vectors(small(), tmp_path / f"x.{extension}")
    theirs = keyed_vectors.load_word2vec_format(str(tmp_path / f"x.{extension}"), **GENSIM_READS[extension])
    assert same(small(), theirs)


@pytest.mark.parametrize("extension", GENSIM_WRITES)
def test_we_read_what_gensim_writes(extension: str, tmp_path: Path) -> None:
    theirs = pytest.importorskip("gensim.models").KeyedVectors(8)
    theirs.add_vectors(PLAIN_WORDS, small().vectors)
    theirs.save_word2vec_format(str(tmp_path / f"x.{extension}"), **GENSIM_WRITES[extension])
    assert same(load_vectors(tmp_path / f"x.{extension}"), small())


def test_files_that_come_with_gensim() -> None:
    datapath = pytest.importorskip("gensim.test.utils").datapath
    theirs = pytest.importorskip("gensim.models").KeyedVectors.load_word2vec_format(datapath("lee_fasttext.vec"))
    assert same(load_vectors(datapath("lee_fasttext.vec")), theirs)  # fastText's own writing: trailing spaces
    glove = load_vectors(datapath("test_glove.txt"), "glove")
    assert glove.vectors.shape == (76, 50)


def test_word2vec_c_ends_binary_rows_with_a_line_feed_and_others_do_not(tmp_path: Path) -> None:
    rows = {word: vector.tobytes() for word, vector in zip(PLAIN_WORDS, small().vectors, strict=True)}
    for end in (b"\n", b""):
        body = b"".join(word.encode() + b" " + row + end for word, row in rows.items())
        (tmp_path / "x.bin").write_bytes(b"10 8\n" + body)
        assert same(load_vectors(tmp_path / "x.bin"), small())
    save_vectors(small(), tmp_path / "ours.bin")
    assert (tmp_path / "ours.bin").read_bytes().count(b"\n") >= len(rows) + 1


def test_text_may_have_windows_line_ends_spare_spaces_and_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(b"\xef\xbb\xbf2 3\r\nthe 1 2  3 \r\ncat -1e-3 +2 3.\r\n\r\n")
    expected = WordVectors(["the", "cat"], np.array([[1, 2, 3], [-1e-3, 2, 3]], np.float32))
    assert same(load_vectors(tmp_path / "x.txt"), expected)


@pytest.mark.parametrize("dtype", ["<f2", "<f4", ">f4", "<f8"])
def test_npy_of_any_floating_type(dtype: str, tmp_path: Path) -> None:
    matrix = np.asfortranarray(np.arange(6).reshape(2, 3).astype(dtype))
    np.save(tmp_path / "x.npy", matrix)
    (tmp_path / "x.words.txt").write_text("a\nb\n")
    assert same(load_vectors(tmp_path / "x.npy"), WordVectors(["a", "b"], matrix.astype(np.float32)))


# --- wrong files, for every format


@every_extension
def test_no_file_no_folder_and_a_folder(extension: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*none"):
        load_vectors(tmp_path / f"none.{extension}")
    (tmp_path / f"folder.{extension}").mkdir()
    with pytest.raises(DataError, match=r"folder\."):
        load_vectors(tmp_path / f"folder.{extension}")
    with pytest.raises(DataError, match="make it first"):
        save_vectors(small(), tmp_path / "nowhere" / f"x.{extension}")
    assert list(tmp_path.iterdir()) == [tmp_path / f"folder.{extension}"]


@every_extension
@pytest.mark.parametrize("data", [b"", b"\n", b"\xff\xfe\x00 \x01\n\n \xff", b"lorem ipsum dolor\nsit amet\n"])
def test_a_file_that_is_something_else(extension: str, data: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"x.{extension}"
    save_vectors(small(), path)
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"x\."):
        load_vectors(path)


@every_extension
@pytest.mark.parametrize("cut", [20, 40, 200])
def test_a_file_cut_short(extension: str, cut: int, tmp_path: Path) -> None:
    path = tmp_path / f"x.{extension}"
    save_vectors(small(), path)
    path.write_bytes(path.read_bytes()[:-cut])  # within a row, or within the gzip stream
    with pytest.raises(FormatError, match=r"x\."):
        load_vectors(path)


@every_extension
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite(extension: str, number: float, tmp_path: Path) -> None:
    vectors = small().vectors.copy()
    vectors[4, 2] = number
    broken, path = WordVectors(PLAIN_WORDS, vectors), tmp_path / f"x.{extension}"
    with pytest.raises(OptionError, match=r"cannot write .*not finite \(row 5\)"):
        save_vectors(broken, path)
    assert list(tmp_path.iterdir()) == []
    if extension.startswith("jsonl"):  # which JSON writes in another way: see test_row_formats.py
        return
    FORMATS[extension.removesuffix(".gz")].write(VectorData(PLAIN_WORDS, vectors), path)  # as other programs do
    with pytest.raises(FormatError, match=r"NaN or infinite|not finite") as error:
        load_vectors(tmp_path / f"x.{extension}")
    line = 6 if extension.removesuffix(".gz") in ("txt", "vec") else 5
    assert f"{line}" in str(error.value).replace(str(tmp_path), "")


@every_extension
@pytest.mark.parametrize(("instead", "message"), [(b"aaa", "'aaa'"), (b"b\xffb", "not UTF-8|Invalid UTF8")])
def test_a_word_that_repeats_or_is_not_utf8(extension: str, instead: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{extension}"
    save_vectors(small(), path)
    if extension == "safetensors":
        without_checksums(path)  # which would find the change first
    write(words_file(path), read(words_file(path)).replace(b"bbb", instead))
    with pytest.raises(FormatError, match=message):
        load_vectors(path)


@every_extension
@pytest.mark.filterwarnings("ignore:Reading .*created on Python 2")  # a damaged header may look old
@settings(max_examples=15, deadline=None)
@given(st.data())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(extension: str, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"x.{extension}")
        save_vectors(small(dim=2), path)
        content = bytearray(path.read_bytes())
        for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=3)):
            content[place] = data.draw(st.integers(0, 255))
        path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
        try:
            vectors = load_vectors(path)
        except WindrowError as error:
            assert "\n" not in str(error)
        else:
            assert np.isfinite(vectors.vectors).all()
            assert len(set(vectors.index_to_key)) == len(vectors.vectors)


# --- wrong files, format by format


@pytest.mark.parametrize("extension", [*WITH_HEADER, "txt.gz"])
@pytest.mark.parametrize("claim", [b"1000000000000 8", b"10 1000000000000", b"9" * 900 + b" 1"])
def test_a_header_that_claims_more_than_the_file_can_hold(extension: str, claim: bytes, tmp_path: Path) -> None:
    save_vectors(small(), tmp_path / f"x.{extension}")
    body = read(tmp_path / f"x.{extension}").partition(b"\n")[2]
    write(tmp_path / f"x.{extension}", claim + b"\n" + body)
    with pytest.raises(FormatError, match=r"the header claims .* but the file is too small"):
        load_vectors(tmp_path / f"x.{extension}")


@pytest.mark.parametrize("extension", WITH_HEADER)
@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"9 8", "has more after|claims 9 words, here is one more"),
        (b"11 8", "ends after 10 of the 11 words|too small"),
        (b"0 8", "claims 0 words"),
        (b"10 0", "of 0 dimensions"),
        (b"ten 8", "(no|damaged) header 'words dimensions'"),
        (b"10 8 3", "(no|damaged) header 'words dimensions'"),
        (b"-10 8", "(no|damaged) header 'words dimensions'"),
    ],
)
def test_a_header_that_is_wrong(extension: str, header: bytes, message: str, tmp_path: Path) -> None:
    save_vectors(small(), tmp_path / f"x.{extension}")
    body = (tmp_path / f"x.{extension}").read_bytes().partition(b"\n")[2]
    (tmp_path / f"x.{extension}").write_bytes(header + b"\n" + body)
    with pytest.raises(FormatError, match=message):
        load_vectors(tmp_path / f"x.{extension}")


@pytest.mark.parametrize(
    ("extension", "data", "message"),
    [
        ("txt", "2 2\nalpha 1 2\nb 1\n", "line 3: 1 numbers, expected 2"),
        ("txt", "2 2\na 1 2\nb 1 2 3\n", "line 3: more than 2 numbers after a word"),
        ("txt", "2 2\na 1 2\nb 1 two\n", "line 3: 'two' is not a number"),
        ("txt", "2 2\na 1 2\nb 1 1_0\n", "line 3: '1_0' is not a number"),
        ("txt", "2 2\na 1 2\nb 1 1e39\n", "line 3: a number is NaN or infinite"),
        ("txt", "2 2\na 1 2\n 1 2\n", "line 3: there is no word"),
        ("txt", "2 2\na 1 2\na 1 2\n", "line 3: the word 'a' was on line 2 already"),
        ("bin", "1 1\n" + 70_000 * "x", "line 2: 0 numbers, expected 1"),
        ("bin", "1 1\n" + 70_000 * "\1", "row 1: no space ends the word"),
        ("glove", "the 1 2\nof 1 2 3\n", "line 2: more than 2 numbers after a word"),
        ("glove", "the 0.5 2\nof 1.5 2 3.5\n", "line 2: more than 2 numbers after a word"),
        ("glove", "the\nof\n", "x.glove holds no word vectors: line 1, 'the', is neither a word and its numbers"),
        ("tsv", "a b\t1 2\nc 1 2\n", "line 2: 0 numbers, expected 2"),
    ],
)
def test_text_that_is_wrong(extension: str, data: str, message: str, tmp_path: Path) -> None:
    (tmp_path / f"x.{extension}").write_text(data)
    with pytest.raises(FormatError, match=message):
        load_vectors(tmp_path / f"x.{extension}")


@pytest.mark.parametrize(
    ("format", "data", "message"),
    [
        ("txt", "the 0.25 -0.5\nof 1 2\n", "line 1: no header .* format='glove'"),
        ("bin", "the 0.25 -0.5\nof 1 2\n", "line 1: no header .* format='glove'"),
        ("bin", "2 2\nthe 0.25 -0.5\nof 1.125 2.5\n", "word2vec's text, not its binary; say format='txt'"),
        ("glove", "2 3\nthe 1 2 3\nof 1 2 3\n", "line 1: 1 numbers, expected 3; is it a damaged header"),
        ("glove", "the\nof\n", "line 1 is 'the'; expected a word and its numbers"),
        ("tsv", "the 1 2\nof 1 2\n", "line 1 is 'the 1 2'; expected a word and its numbers"),
        ("npy", "the 1 2\nof 1 2\n", "not a valid .npy file"),
    ],
)
def test_text_of_another_format_than_was_asked_for(format: str, data: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text(data)
    (tmp_path / "x.words.txt").write_text("the\nof\n")
    with pytest.raises(FormatError, match=message):
        load_vectors(tmp_path / "x.txt", format)


@pytest.mark.parametrize(
    ("matrix", "words", "message"),
    [
        (np.ones((2, 2)), None, r"needs its words, one per line, in .*x\.words\.txt"),
        (np.ones((2, 2)), "a\n", "has 2 rows, but .* has 1 words"),
        (np.ones((2, 2)), "a\n\n", "line 2: there is no word"),
        (np.ones(2), "a\nb\n", r"found shape \(2,\)"),
        (np.ones((2, 2), np.int64), "a\nb\n", "of type int64"),
        (np.array([["x", "y"]]), "a\n", "of type <U1"),
        (np.full((1, 1), 1e300), "a\n", "not finite"),
        (np.array([[{}]]), "a\n", "not a valid .npy file"),
    ],
)
def test_npy_that_is_wrong(matrix: Any, words: str | None, message: str, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", matrix, allow_pickle=True)
    if words is not None:
        (tmp_path / "x.words.txt").write_text(words)
    with pytest.raises(FormatError, match=message):
        load_vectors(tmp_path / "x.npy")


@pytest.mark.parametrize("shape", [b"(10, 8 ", b"(01, 8)", b"(9**99,)", b"(1000000000000, 8)", b"(-1, 8)"])
def test_npy_whose_header_is_wrong(shape: bytes, tmp_path: Path) -> None:
    save_vectors(small(), tmp_path / "x.npy")
    header, rest = (tmp_path / "x.npy").read_bytes().split(b"(10, 8)")
    spaces = len(shape) - len(b"(10, 8)")  # the padding keeps the length
    (tmp_path / "x.npy").write_bytes(header + shape + rest.replace(b" " * spaces, b"", 1))
    with pytest.raises(FormatError, match=r"not a valid \.npy file"):
        load_vectors(tmp_path / "x.npy")


def test_npy_whose_header_claims_to_be_longer_than_the_file(tmp_path: Path) -> None:
    save_vectors(small(), tmp_path / "x.npy")
    data = (tmp_path / "x.npy").read_bytes()
    for version in (b"\x02", b"\x03"):
        (tmp_path / "x.npy").write_bytes(data[:6] + version + b"\0" + b"\xff\xff\xff\xff" + data[12:])
        with pytest.raises(FormatError, match="its header is longer than the file"):
            load_vectors(tmp_path / "x.npy")


# --- what cannot be written, and names


def test_npy_leaves_the_old_pair_when_the_matrix_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.npy"
    save_vectors(small(["old", "older"]), path)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("numpy.save", full)
        with pytest.raises(DataError, match=r"x\.npy: No space left"):
            save_vectors(small(["new", "newer"]), path)
    assert same(load_vectors(path), small(["old", "older"]))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["x.npy", "x.words.txt"]


def test_npy_names_both_files_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are whole under their temporary names before the first rename; nothing comes between the two."""
    renamed, rename = [], Path.replace

    def spy(self: Path, target: Path) -> Path:
        renamed.append((target.name, sorted(file.stat().st_size > 0 for file in tmp_path.iterdir())))
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", spy)
    save_vectors(small(), tmp_path / "x.npy")
    assert renamed == [("x.npy", [True, True]), ("x.words.txt", [True, True])]


def test_npy_refuses_places_that_are_taken(tmp_path: Path) -> None:
    (tmp_path / "x.words.txt").write_text("my own notes\n")
    with pytest.raises(DataError, match=r"x\.words\.txt exists without it; move that away"):
        save_vectors(small(), tmp_path / "x.npy")
    assert (tmp_path / "x.words.txt").read_text() == "my own notes\n"
    (tmp_path / "y.words.txt").mkdir()
    with pytest.raises(DataError, match=r"y\.words\.txt: it is a folder"):
        save_vectors(small(), tmp_path / "y.npy")
    assert not (tmp_path / "y.npy").exists()


@every_extension
def test_save_writes_the_format_of_the_extension(extension: str, tmp_path: Path) -> None:
    path, expected = tmp_path / f"x.{extension}", tmp_path / f"expected.{extension}"
    small().save(path)
    save_vectors(small(), expected)
    assert path.read_bytes() == expected.read_bytes()
    assert same(WordVectors.load(path), small())


@pytest.mark.parametrize("name", ["x", "x.model", "x.txt.old"])
def test_save_writes_the_model_file_under_any_other_name(name: str, tmp_path: Path) -> None:
    small().save(tmp_path / name)
    assert model_file.load(tmp_path / name).kind == "word-vectors"
    assert same(WordVectors.load(tmp_path / name), small())


def test_a_format_that_is_named_outranks_the_extension(tmp_path: Path) -> None:
    save_vectors(small(), tmp_path / "x.txt", "safetensors")
    assert model_file.load(tmp_path / "x.txt").kind == "word-vectors"
    assert same(load_vectors(tmp_path / "x.txt", "safetensors"), small())


def test_a_subclass_loads_as_itself(tmp_path: Path) -> None:
    class Mine(WordVectors):
        pass

    small().save(tmp_path / "x.bin")
    assert type(Mine.load(tmp_path / "x.bin")) is Mine


@every_extension
@pytest.mark.parametrize("word", ["New York", "a\tb", "a\nb", "a\rb", "", "\ud800"])
def test_a_word_comes_back_or_is_refused(extension: str, word: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{extension}"
    try:
        save_vectors(small([word, "b"]), path)
    except FormatError as error:
        assert f"cannot hold the word {word!r}; use .safetensors" in str(error)
        assert list(tmp_path.iterdir()) == []
    else:
        assert load_vectors(path).index_to_key == [word, "b"]


def test_only_the_formats_that_can_hold_spaces_take_them(tmp_path: Path) -> None:
    taken = []
    for extension in FORMATS:
        try:
            save_vectors(small(["New York"]), tmp_path / f"x.{extension}")
            taken.append(extension)
        except FormatError:
            continue
    assert taken == ["safetensors", "tsv", "npy", "fasttext", "parquet", "arrow", "jsonl", "model2vec"]


def test_names_without_a_format(tmp_path: Path) -> None:
    (tmp_path / "x.doc").write_text("It was the best of times.\n")
    with pytest.raises(FormatError, match=r"x\.doc holds no word vectors: line 1, 'It was the best"):
        load_vectors(tmp_path / "x.doc")
    (tmp_path / "x.dat").write_bytes(b"\1\2\3\4 " * 100)
    with pytest.raises(FormatError, match=r"x\.dat holds no word vectors that windrow knows: it is no text"):
        load_vectors(tmp_path / "x.dat")
    with pytest.raises(FormatError, match=r"x\.doc: no vector format has this extension; use \.safetensors"):
        save_vectors(small(), tmp_path / "x.doc")
    with pytest.raises(FormatError, match="not written through gzip"):
        save_vectors(small(), tmp_path / "x.npy.gz")
    with pytest.raises(OptionError, match="choose one of safetensors"):
        load_vectors(tmp_path / "x.txt", "word2vec")


def test_any_damage_of_a_parquet_file_is_one_line(tmp_path):
    """Its libraries raise errors of many classes, for names of columns that are not UTF-8, too."""
    pytest.importorskip("pyarrow")
    path = tmp_path / "x.parquet"
    windrow.WordVectors(["a", "b", "ü"], np.eye(3, dtype=np.float32)).save(path)
    content, dice = path.read_bytes(), np.random.default_rng(2)
    refused = 0
    for _ in range(200):
        damaged = bytearray(content)
        for place in dice.integers(0, len(content), dice.integers(1, 4)):
            damaged[place] ^= 1 << dice.integers(0, 8)
        path.write_bytes(damaged)
        try:
            windrow.WordVectors.load(path)
        except WindrowError as error:
            refused += 1
            assert "\n" not in str(error)
            assert len(str(error)) < 500 + len(str(path))
    assert refused > 100


def test_columns_of_a_parquet_file_with_odd_names(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "x.parquet"
    nested = pyarrow.array([{"a": [1.0]}, {"a": [2.0]}])  # a struct with a list in it is no list
    for columns in (
        {"word": ["a", "b"], "line\nend": [1, 2]},
        {"word\n": ["a", "b"], "other": ["c", "d"]},
        {"word": ["a", "b"], **{f"column {n}": [1, 2] for n in range(500)}},
        {"word": ["a", "b"], "nested": nested},
    ):
        parquet.write_table(pyarrow.table(columns), path)
        with pytest.raises(FormatError, match="expected") as caught:
            windrow.load(path)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 500 + len(str(path))
