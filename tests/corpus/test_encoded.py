from __future__ import annotations

import gc
import hashlib
import json
import os
import shutil
import weakref
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gensim.models import Word2Vec
from hypothesis import example, given, settings
from hypothesis import strategies as st

import windrow
from windrow import Corpus, Vocabulary
from windrow.corpus import encoded, streams, tokenizers, writing
from windrow.errors import DataError, DataWarning, FormatError, OptionError, WindrowError
from windrow.files import leftovers
from windrow.files.corpus_folder import is_corpus
from windrow.files.leftovers import MARKER, beside

from ..older_files import edit_header
from .compressors import COMPRESS

TEXT = "the cat sat on the mat\n\nthe dog — the déjà vu 漢字 😀\nend"
SENTENCES = [line.split() for line in TEXT.split("\n")]

tokens = st.text(min_size=1, max_size=4).filter(lambda token: token.split() == [token])
token_lists = st.lists(st.lists(st.one_of(st.sampled_from("abc"), tokens), max_size=6), max_size=12)


def folder_bytes(corpus: Corpus) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in corpus.path.iterdir() if path.name != MARKER}


@pytest.fixture
def text_file(tmp_path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(TEXT, "utf-8")
    return path


@pytest.fixture
def corpus(tmp_path) -> Corpus:
    return Corpus.build(SENTENCES, tmp_path / "a.corpus", min_count=1)


# What a corpus holds


@settings(max_examples=80, deadline=None)
@given(token_lists, st.integers(1, 3))
@example([["\ufffd", "\0", "a\u0301"], [], []], 1)
def test_round_trip_of_any_tokens(sentences, min_count):
    counts = Counter(token for sentence in sentences for token in sentence)
    kept = {token: count for token, count in counts.items() if count >= min_count}
    if not kept:
        with pytest.raises(DataError, match=r"empty|try a lower min_count"):
            Corpus.build(sentences, min_count=min_count)
        return

    corpus = Corpus.build(sentences, min_count=min_count)

    assert list(corpus.sentences()) == [[token for token in s if token in kept] for s in sentences]
    assert dict(zip(corpus.vocabulary.words, corpus.vocabulary.counts.tolist(), strict=True)) == kept
    assert np.diff(corpus.starts).tolist() == list(map(len, sentences))
    assert (len(corpus), corpus.tokens) == (len(sentences), counts.total())
    assert corpus.ids.dtype == np.int32
    assert corpus.starts.dtype == np.int64
    corpus.verify()


@settings(max_examples=60, deadline=None)
@given(
    st.text(st.sampled_from("abcé漢😀Σ \t\r\n\n\u3000"), max_size=80),
    st.integers(1, 9),
    st.integers(1, 30),
    st.booleans(),
)
@example("aé漢😀Σ bb\nc" * 5, 1, 1, True)
def test_text_is_split_by_lines_whatever_the_chunk(tmp_path_factory, text, chunk_bytes, batch_chars, lowercase):
    path = tmp_path_factory.getbasetemp() / "chunks.txt"
    path.write_bytes(("start\n" + text).encode())
    lines = (text.lower() if lowercase else text).removesuffix("\n").split("\n") if text else []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "CHUNK_BYTES", chunk_bytes)
        patch.setattr(tokenizers, "BATCH_CHARS", batch_chars)
        patch.setattr(encoded, "_BLOCK", 3)
        patch.setattr(writing, "_BLOCK", 3)

        corpus = Corpus.build(path, lowercase=lowercase)
        sentences = list(corpus.sentences())
        corpus.verify()

    assert sentences == [["start"], *map(str.split, lines)]
    assert corpus.fingerprint == Corpus.build(sentences).fingerprint


def test_ids_are_those_of_gensim(tmp_path):
    sentences = [[f"w{(7 * n * n + n) % 31}" for n in range(row, row + 9)] for row in range(40)]
    gensim = Word2Vec(min_count=20)
    gensim.build_vocab(sentences)

    corpus = Corpus.build(sentences, min_count=20)

    expected = [gensim.wv.key_to_index.get(word, -1) for sentence in sentences for word in sentence]
    assert corpus.ids.tolist() == expected
    assert -1 in expected


def test_unk_takes_the_place_of_words_left_out():
    corpus = Corpus.build([["a", "b", "a"], ["c", "a", "b"]], min_count=2, specials=("<s>", "<unk>"))

    assert list(corpus.sentences()) == [["a", "b", "a"], ["<unk>", "a", "b"]]
    assert corpus.vocabulary.words == ["<s>", "<unk>", "a", "b"]
    assert corpus.vocabulary.counts.tolist() == np.bincount(corpus.ids, minlength=4).tolist() == [0, 1, 3, 2]


def test_max_vocab_keeps_the_most_frequent():
    corpus = Corpus.build(["a a a b b c c c c d"], max_vocab=2)

    assert corpus.vocabulary.words == ["c", "a"]
    assert list(corpus.sentences()) == [["a", "a", "a", "c", "c", "c", "c"]]


@pytest.mark.parametrize(
    ("tokenizer", "name", "words"),
    [
        ("word", "word", ["don't", "stop", "now"]),
        ("char", "char", list("don't\u2581stop,\u2581now.")),
        (
            lambda line: line.rstrip(".").replace(" ", "").split(","),
            f"{__name__}:<lambda>",
            ["don'tstop", "now"],
        ),
    ],
)
def test_tokenizers_and_their_names(tokenizer, name, words):
    corpus = Corpus.build(["Don't stop, now."], tokenizer=tokenizer, lowercase=True)

    assert list(corpus.sentences()) == [words]
    assert corpus.info()["tokenizer"] == name


def test_info_is_json_and_adds_up():
    corpus = Corpus.build(["b a a", "", "C c"], min_count=2, lowercase=True, specials=("<unk>",))

    info = json.loads(json.dumps(corpus.info()))

    assert info.pop("fingerprint") == corpus.fingerprint
    assert info == {
        "tokens": 5,
        "sentences": 3,
        "types": 3,
        "vocabulary": 3,
        "kept_tokens": 4,
        "coverage": 0.8,
        "tokenizer": "whitespace",
        "lowercase": True,
        "min_count": 2,
        "max_vocab": None,
        "specials": ["<unk>"],
        "most_frequent": [["c", 2], ["a", 2]],
    }


def test_info_names_ten_words():
    assert len(Corpus.build(["a b c d e f g h i j k l"]).info()["most_frequent"]) == 10


def test_fingerprint_tells_corpora_apart():
    built = [
        Corpus.build(source, **options).fingerprint
        for source, options in [
            (["a b", "b"], {}),
            (["a b b"], {}),
            (["b a", "b"], {}),
            (["x b", "b"], {}),
            (["a b", "b"], {"min_count": 2}),
        ]
    ]

    assert len(set(built)) == len(built)
    assert Corpus.build([["a", "b"], ["b"]]).fingerprint == built[0]


# Where it comes from


@pytest.mark.parametrize(("suffix", "compress"), COMPRESS.items())
def test_every_compression_gives_the_same_corpus(tmp_path, text_file, suffix, compress):
    compressed = tmp_path / f"text{suffix}"
    compressed.write_bytes(compress(TEXT.encode()))

    assert folder_bytes(Corpus.build(compressed)) == folder_bytes(Corpus.build(text_file))
    assert list(Corpus.build(compressed).sentences()) == SENTENCES


def test_a_stream_is_read_once_and_never_held():
    given_out = []

    def sentences():
        for n in range(3):
            given_out.append(n)
            yield f"sentence {n}"

    assert Corpus.build(sentences()).tokens == 6
    assert given_out == [0, 1, 2]


def test_progress_is_passed_on(text_file):
    calls = []
    Corpus.build(text_file, progress=lambda *call: calls.append(call))

    assert calls == [(len(TEXT.encode()), len(TEXT.encode()))]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", {}, "the text is empty"),
        (" \n\t\n", {}, "the text is empty"),
        ("a a b", {"min_count": 3}, r"no word occurs 3 times \(min_count\), the most frequent one 2 times"),
        ("a a b", {"min_count": 3, "specials": ("<unk>",)}, "no word occurs 3 times"),
        ("a b", {"errors": "no"}, "errors = 'no'"),
        ("a b", {"tokenizer": "no"}, "tokenizer = 'no'"),
        ("a b", {"min_count": 0}, "min_count = 0"),
        ("a b", {"max_vocab": 0}, "max_vocab = 0"),
        ("a b", {"max_vocab": 1, "specials": ("<s>",)}, "max_vocab = 1"),
        ("a b", {"specials": ("a b",)}, "specials"),
        ("a b", {"specials": ("\ud800",)}, "specials"),
        ("a b", {"tokenizer": lambda line: [line[0] + "\udfff"]}, "half of a surrogate pair"),
        ("a b", {"tokenizer": lambda line: [line]}, "the token 'a b'"),
        ("a b\0", {}, "NUL"),
        ("a b", {"format": "csv", "field": "x"}, "no column"),
    ],
)
def test_input_that_gives_no_corpus(tmp_path, text, options, message):
    path = tmp_path / "text.txt"
    path.write_text(text)

    with pytest.raises(WindrowError, match=message) as caught:
        Corpus.build(path, tmp_path / "a.corpus", **options)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, OptionError) or "text.txt" in str(caught.value) or callable(options["tokenizer"])
    assert list(tmp_path.iterdir()) == [path]


def test_a_corpus_is_not_text(corpus):
    for source in (corpus.path, str(corpus.path), [corpus.path]):
        with pytest.raises(DataError, match=r"is a corpus, not text; open it with windrow\.Corpus\.open"):
            Corpus.build(source)


def test_a_corpus_beside_the_text_is_passed_over(tmp_path, text_file):
    first = Corpus.build(tmp_path, tmp_path / "a.corpus")

    assert folder_bytes(Corpus.build(tmp_path)) == folder_bytes(first)


# Where it lives


def test_open_gives_what_was_built(corpus):
    opened = Corpus.open(str(corpus.path))

    assert list(opened.sentences()) == SENTENCES
    assert opened.vocabulary.words == corpus.vocabulary.words
    assert opened.fingerprint == corpus.fingerprint
    assert isinstance(opened.ids, np.memmap)
    assert opened.path == corpus.path


def test_the_same_text_makes_the_same_bytes(tmp_path, corpus):
    assert folder_bytes(corpus) == folder_bytes(Corpus.build(SENTENCES, tmp_path / "b.corpus"))
    assert sorted(folder_bytes(corpus)) == ["corpus.json", "ids.bin", "starts.bin", "vocabulary.safetensors"]


def test_a_temporary_corpus_goes_with_the_object():
    corpus = Corpus.build(["a b a"])
    path, ids = corpus.path, corpus.ids
    assert path.is_dir()

    del corpus
    gc.collect()

    assert not path.exists()
    assert ids.tolist() == [0, 1, 0]  # the map outlives the file


def test_the_maps_of_a_temporary_corpus_go_before_its_folder(monkeypatch):
    corpus = Corpus.build(["a b a"])
    path, maps = corpus.path, [weakref.ref(corpus.ids), weakref.ref(corpus.starts)]
    alive, remove = [], shutil.rmtree

    def spy(folder, **options):
        alive.extend(reference() is not None for reference in maps)
        remove(folder, **options)

    monkeypatch.setattr(shutil, "rmtree", spy)
    assert all(reference() is not None for reference in maps)

    del corpus
    gc.collect()

    assert alive == [False, False]
    assert not path.exists()


def test_a_corpus_is_replaced_when_the_new_one_is_complete(tmp_path, corpus):
    with pytest.raises(DataError):
        Corpus.build(["", ""], corpus.path)
    assert list(Corpus.open(corpus.path).sentences()) == SENTENCES

    Corpus.build(["new text"], corpus.path)

    assert list(Corpus.open(corpus.path).sentences()) == [["new", "text"]]
    assert list(tmp_path.iterdir()) == [corpus.path]


@pytest.mark.parametrize("foreign", ["empty folder", "folder", "file", "corpus with a guest"])
def test_nothing_but_a_corpus_is_replaced(tmp_path, foreign):
    target = tmp_path / "target"
    if foreign == "file":
        target.write_text("mine")
    elif foreign == "corpus with a guest":
        Corpus.build(["a"], target)
        (target / "model.safetensors").write_text("mine")
    else:
        target.mkdir()
        if foreign == "folder":
            (target / "corpus.json").write_text('{"format": "mine"}')
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(DataError, match=r"target (exists and is not|would be replaced)"):
        Corpus.build(iter(()), target)  # refused before the text is read
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["x" * 300, "x" * 250, "x" * 5000])  # with its suffix the second is too long
def test_names_too_long(tmp_path, name):
    for use in (Corpus.open, lambda path: Corpus.build(["a"], path)):
        with pytest.raises(DataError, match=r"too long|does not exist; make one") as caught:
            use(tmp_path / name)
        assert "disk full" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_may_not_be_entered(tmp_path, monkeypatch, corpus):
    def denied(self, *args, **options):
        raise PermissionError(13, "Permission denied", str(self))

    for method in ("is_dir", "exists", "is_file", "stat", "open"):  # chmod does not stop root
        with monkeypatch.context() as patch:
            patch.setattr(Path, method, denied)
            with pytest.raises(DataError, match=r"cannot read .*a\.corpus.*: Permission denied") as caught:
                Corpus.open(corpus.path / ("no" if method == "exists" else ""))
        assert "\n" not in str(caught.value)

    for method, message in (
        ("exists", "cannot write"),
        ("iterdir", "cannot write"),
        ("open", "is not a windrow"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(Path, method, denied)
            with pytest.raises(DataError, match=message):
                Corpus.build(["a"], corpus.path)
    assert list(Corpus.open(corpus.path).sentences()) == SENTENCES


def test_ids_that_cannot_be_mapped(monkeypatch, corpus):
    def denied(path, *args):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(np, "memmap", denied)
    with pytest.raises(DataError, match=r"cannot read .*ids\.bin: Permission denied"):
        Corpus.open(corpus.path)


def test_a_corpus_is_known_by_its_header(tmp_path, corpus):
    assert is_corpus(corpus.path)
    assert is_corpus(str(corpus.path))

    edit_header(corpus.path, version=99)
    assert is_corpus(corpus.path)
    shorten(corpus.path / "corpus.json", 9)
    assert is_corpus(corpus.path)
    (corpus.path / "corpus.json").write_bytes(b'{"format": "windrow-corqus"}')  # a flipped bit
    assert is_corpus(corpus.path)

    (corpus.path / "starts.bin").unlink()
    for content in (b'{"format": "other"}', b"[]", b'["windrow-corpus', b"\xff", b"[" * 100_000, b""):
        (corpus.path / "corpus.json").write_bytes(content)
        assert not is_corpus(corpus.path)
    for path in (tmp_path, tmp_path / "missing", corpus.path / "ids.bin", tmp_path / ("x" * 5000), "nul\0"):
        assert not is_corpus(path)


def test_a_damaged_corpus_is_built_again(corpus):
    shorten(corpus.path / "corpus.json", 9)
    with pytest.raises(DataError, match="is a corpus, not text"):
        Corpus.build(corpus.path)

    Corpus.build(["new"], corpus.path)

    assert list(Corpus.open(corpus.path).sentences()) == [["new"]]


def test_a_place_that_does_not_exist(tmp_path):
    with pytest.raises(DataError, match="does not exist; make it first"):
        Corpus.build(["a"], tmp_path / "no" / "a.corpus")


@pytest.mark.parametrize("replacing", [True, False])
def test_an_interrupted_build_leaves_nothing(tmp_path, monkeypatch, replacing):
    target = tmp_path / "a.corpus"
    monkeypatch.setattr(tokenizers, "BATCH_CHARS", 1)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    if replacing:
        Corpus.build(["old"], target)
    seen = []

    def interrupted():
        yield "some text"
        yield "more text"
        seen.extend(path.stat().st_size for path in tmp_path.rglob("ids.bin"))
        raise KeyboardInterrupt

    for path in (target, None):
        with pytest.raises(KeyboardInterrupt):
            Corpus.build(interrupted(), path)

    assert 8 in seen or 16 in seen  # ids had been written
    assert list(tmp_path.iterdir()) == ([target] if replacing else [])
    if replacing:
        assert list(Corpus.open(target).sentences()) == [["old"]]


def test_a_failed_swap_brings_the_old_corpus_back(tmp_path, monkeypatch, corpus):
    rename = Path.replace

    def fails_for_the_new(self, target):
        if self.is_dir() and self.name.endswith(".part"):
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", fails_for_the_new)
    with pytest.raises(DataError, match="cannot write"):
        Corpus.build(["new"], corpus.path)
    monkeypatch.undo()

    assert list(Corpus.open(corpus.path).sentences()) == SENTENCES
    assert list(tmp_path.iterdir()) == [corpus.path]


def test_remains_of_a_killed_build_do_not_matter(tmp_path, corpus, monkeypatch):
    monkeypatch.setattr(leftovers, "_SWEPT", set())
    for remains in ("part", "old"):
        folder = beside(corpus.path, remains)
        folder.mkdir()
        (folder / "ids.bin").write_bytes(b"remains")

    with pytest.warns(DataWarning, match="removed what killed runs had left"):
        Corpus.build(["new"], corpus.path)

    assert list(Corpus.open(corpus.path).sentences()) == [["new"]]
    assert list(tmp_path.iterdir()) == [corpus.path]


def test_a_full_disk_is_an_error_of_one_line(tmp_path):
    resource = pytest.importorskip("resource", reason="limits of a process need a Unix system")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))  # files larger than this fail to grow
    try:
        with pytest.raises(DataError, match=r"cannot write.*is the disk full"):
            Corpus.build(["a b c"] * 500, tmp_path / "a.corpus")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert list(tmp_path.iterdir()) == []


def test_errors_of_an_iterable_are_not_blamed_on_the_disk(tmp_path):
    def failing():
        yield "a"
        raise FileNotFoundError(2, "theirs")

    with pytest.raises(FileNotFoundError, match="theirs"):
        Corpus.build(failing(), tmp_path / "a.corpus")


# Damage


def shorten(path: Path, by: int) -> None:
    os.truncate(path, path.stat().st_size - by)


def grow(path: Path) -> None:
    path.write_bytes(path.read_bytes() + bytes(4))


def change_last_start(path: Path) -> None:
    edit_header(path)
    (path / "starts.bin").write_bytes((path / "starts.bin").read_bytes()[:-8] + bytes(8))


DAMAGE = {
    "ids cut": (lambda path: shorten(path / "ids.bin", 1), r"ids\.bin is cut short"),
    "ids long": (lambda path: grow(path / "ids.bin"), r"ids\.bin is too long"),
    "starts cut": (lambda path: shorten(path / "starts.bin", 8), r"starts\.bin is cut short"),
    "starts wrong": (change_last_start, r"starts\.bin does not fit"),
    "ids missing": (lambda path: (path / "ids.bin").unlink(), r"ids\.bin is missing"),
    "words cut": (
        lambda path: shorten(path / "vocabulary.safetensors", 3),
        r"vocabulary\.safetensors.*cut short",
    ),
    "header missing": (lambda path: (path / "corpus.json").unlink(), r"is not a windrow corpus: it holds no"),
    "header cut": (lambda path: shorten(path / "corpus.json", 9), r"corpus\.json is damaged"),
    "header binary": (lambda path: (path / "corpus.json").write_bytes(b"\xff\0"), r"corpus\.json is damaged"),
    "header deep": (lambda path: (path / "corpus.json").write_bytes(b"[" * 100_000), r"corpus\.json is damaged"),
    "header list": (lambda path: (path / "corpus.json").write_text("[]"), r"describes something else"),
    "other format": (lambda path: edit_header(path, format="x"), r"describes something else"),
    "newer": (lambda path: edit_header(path, version=99), r"version 99, this windrow reads 1; update"),
    "negative": (lambda path: edit_header(path, tokens=-4), r"a number is missing"),
    "number missing": (lambda path: edit_header(path, sentences=None), r"a number is missing"),
    "no fingerprint": (lambda path: edit_header(path, fingerprint=None), r"no fingerprint"),
    "fingerprint of another type": (lambda path: edit_header(path, fingerprint=12), r"no fingerprint"),
    "other words": (lambda path: edit_header(path, vocabulary=3), r"the vocabulary does not fit"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_noticed_at_opening(corpus, name):
    damage, message = DAMAGE[name]
    damage(corpus.path)

    with pytest.raises(FormatError, match=message) as caught:
        Corpus.open(corpus.path)
    assert "\n" not in str(caught.value)
    assert str(corpus.path) in str(caught.value)


def test_paths_that_are_no_corpus(tmp_path, text_file):
    with pytest.raises(FormatError, match="does not exist; make one"):
        Corpus.open(tmp_path / "missing")
    with pytest.raises(FormatError, match="is text, not a corpus; give what"):
        Corpus.open(text_file)
    with pytest.raises(FormatError, match=r"holds no corpus\.json"):
        Corpus.open(tmp_path)


@pytest.mark.parametrize(
    ("name", "position", "value", "message"),
    [
        ("ids.bin", 4, 10_000, "ids out of range"),
        ("ids.bin", 4, -2, "ids out of range"),
        ("starts.bin", 8, 10_000, "not in order"),
        ("starts.bin", 8, -1, "not in order"),
        ("starts.bin", 0, [0, 2**63 - 1, -2], "not in order"),  # the difference overflows to a positive number
    ],
)
def test_verify_reads_everything(corpus, name, position, value, message):
    size = 4 if name == "ids.bin" else 8
    content = bytearray((corpus.path / name).read_bytes())
    numbers = value if isinstance(value, list) else [value]
    damage = b"".join(number.to_bytes(size, "little", signed=True) for number in numbers)
    content[position : position + len(damage)] = damage
    (corpus.path / name).write_bytes(content)
    with pytest.raises(FormatError, match=rf"{name} is damaged: it is not what was written"):
        Corpus.open(corpus.path)
    edit_header(corpus.path, fingerprint=fingerprint_of(corpus.path))

    opened = Corpus.open(corpus.path)
    with pytest.raises(FormatError, match=message):
        opened.verify()
    with pytest.raises(FormatError, match=message):
        windrow.Word2Vec(min_count=1).fit(Corpus.open(corpus.path))


def fingerprint_of(path: Path) -> str:
    """As the documentation of ``Corpus.fingerprint`` has it."""
    words = Vocabulary.load(path / "vocabulary.safetensors")
    parts = ["\n".join(words.words).encode(), words.counts.tobytes()]
    parts += [(path / name).read_bytes() for name in ("ids.bin", "starts.bin")]
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]


def test_an_older_corpus_is_compared_with_its_fingerprint(corpus):
    edit_header(corpus.path)
    assert Corpus.open(corpus.path).verify() is False
    content = bytearray((corpus.path / "ids.bin").read_bytes())
    content[0] ^= 1  # another word
    (corpus.path / "ids.bin").write_bytes(content)

    opened = Corpus.open(corpus.path)
    with pytest.raises(FormatError, match="damaged: its ids, sentence starts or words are not those of its finger"):
        opened.verify()


def test_the_files_belong_together(corpus):
    """Another corpus' vocabulary of as many words has the right checksum of its own."""
    assert Corpus.open(corpus.path).verify() is True
    words = Corpus.open(corpus.path).vocabulary
    Vocabulary(words.words[::-1], words.counts[::-1].copy()).save(corpus.path / "vocabulary.safetensors")

    with pytest.raises(FormatError, match=r"vocabulary\.safetensors is damaged: it is not what was written"):
        Corpus.open(corpus.path).verify()


def test_no_id_is_missing_where_unk_has_one(tmp_path):
    corpus = Corpus.build(["a a b"], tmp_path / "a.corpus", min_count=2, specials=("<unk>",))
    corpus.verify()
    (corpus.path / "ids.bin").write_bytes(np.array([1, -1, 0], np.int32).tobytes())
    edit_header(corpus.path, fingerprint=fingerprint_of(corpus.path))

    with pytest.raises(FormatError, match="ids out of range"):
        Corpus.open(corpus.path).verify()


@pytest.mark.skipif("WINDROW_DATA" not in os.environ, reason="WINDROW_DATA names no folder of corpora")
def test_a_part_of_wikipedia_counts_as_counter_does(tmp_path):
    source = Path(os.environ["WINDROW_DATA"]) / "wiki100m.txt"
    with source.open(encoding="utf-8") as file:
        text = file.read(10_000_000)
    part = tmp_path / "part.txt"
    part.write_text(text)
    counts = Counter(text.split())

    corpus = Corpus.build(part, min_count=5)

    assert dict(zip(corpus.vocabulary.words, corpus.vocabulary.counts.tolist(), strict=True)) == {
        word: count for word, count in counts.items() if count >= 5
    }
    assert np.bincount(corpus.ids[corpus.ids >= 0]).tolist() == corpus.vocabulary.counts.tolist()
    assert (corpus.tokens, len(corpus), corpus.info()["types"]) == (counts.total(), 1, len(counts))


def test_a_folder_that_is_replaced_while_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its words would be those of the other corpus, whose sizes are the same."""
    path, load = tmp_path / "c", encoded.Vocabulary.load
    Corpus.build(["the cat sat"], path)

    def replacing(*arguments: Any) -> Any:
        monkeypatch.setattr(encoded.Vocabulary, "load", load)
        Corpus.build(["a dog ran"], path)
        return load(*arguments)

    monkeypatch.setattr(encoded.Vocabulary, "load", replacing)
    with pytest.raises(DataError, match="was replaced while it was opened; try again"):
        Corpus.open(path)
    assert Corpus.open(path).vocabulary.words == ["ran", "dog", "a"]
