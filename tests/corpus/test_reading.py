"""A reader gives the tokens that a corpus of the same text has, and remembers itself in files."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import windrow
from tests.older_files import edit_header
from windrow import Corpus
from windrow.corpus import TextReader, numbering, streams, tokenizers
from windrow.errors import FormatError, OptionError
from windrow.sklearn import DocumentVectorizer

# Letters that change with the language or under normalization, marks and parts of letters, white space, signs.
LETTERS = "abIİiıJÌΣσςǅﬁＡ\u0301\u0307\u0303é½1_'-.😀漢각\u1100\u1161\u11a8"  # noqa: RUF001
texts = st.text(st.sampled_from(LETTERS + " \t\r\u2581\u3000"), max_size=30)
readers = st.builds(
    TextReader,
    tokenizer=st.sampled_from(["whitespace", "word", "char"]),
    lowercase=st.just(True),
    language=st.sampled_from([None, "tr", "az-Latn", "lt", "en"]),
    normalize=st.sampled_from([None, "nfc", "nfkc"]),
)


def comma(line: str) -> list[str]:
    """A tokenizer of one's own."""
    return [part.strip() for part in line.split(",")]


def corpus_of(texts: Any, reader: TextReader, **options: Any) -> Corpus:
    return Corpus.build(texts, **{**reader.options(), "tokenizer": reader.tokenizer}, **options)


@settings(max_examples=200, deadline=None)
@given(texts, readers, st.integers(1, 9))
@example("I\u0307a", TextReader("char", lowercase=True, language="tr"), 1)
@example("1\r1", TextReader("char", normalize="nfc"), 3)
@example("\u1100\u1161\u11a8", TextReader("char", normalize="nfc"), 1)
@example("\uff29\u0307 ", TextReader("word", lowercase=True, language="tr", normalize="nfkc"), 2)
def test_a_string_is_read_as_a_file_of_it_wherever_that_is_cut(tmp_path_factory, text, reader, chunk):
    path = tmp_path_factory.getbasetemp() / "read.txt"
    path.write_bytes(f"{text}\nx\n".encode())
    expected = reader.tokens(text)
    for kernel_from in (0, 1 << 30):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(streams, "CHUNK_BYTES", chunk)
            patch.setattr(tokenizers, "BATCH_CHARS", chunk)
            patch.setattr(numbering, "KERNEL_FROM", kernel_from)

            assert list(corpus_of(path, reader).sentences()) == [expected, reader.tokens("x")]
    assert list(corpus_of([text, "x"], reader).sentences()) == [expected, ["x"]]


def test_line_ends_belong_to_no_word():
    assert TextReader("char").tokens("a b\r\n") == ["a", "▁", "b"]
    assert TextReader("char").tokens("a\r\nb") == ["a", "▁", "b"]
    assert TextReader(comma).tokens("a, b\nc,d\n") == ["a", "b", "c", "d"]
    assert TextReader().tokens("") == TextReader("char").tokens("\n") == []


@pytest.mark.parametrize(
    "reader",
    [
        TextReader(),
        TextReader("word", lowercase=True, language="lt"),
        TextReader("char", normalize="nfkc", sentences="document"),
        TextReader(comma, lowercase=True),
    ],
)
def test_what_a_file_remembers(reader):
    stored = json.loads(json.dumps(reader.stored()))

    again = TextReader.remembered({"tokens": 3, "sentences": 1, **stored})

    assert again.options() == reader.options()
    assert again.stored() == stored
    assert again.asks == callable(reader.tokenizer)
    if not again.asks:
        assert again.tokens("Ǆ ﬁ😀") == reader.tokens("Ǆ ﬁ😀")


def test_files_of_before_keep_their_rules():
    old = TextReader.remembered({"tokenizer": "char", "lowercase": False})

    assert old.tokens("a b") == ["a", "b"]
    assert old.join(["a", "b"]) == "ab"
    assert old.stored() == {"tokenizer": "char", "lowercase": False}
    assert old.changed(lowercase=True).tokens("A b") == ["a", "b"]
    assert old.changed(tokenizer="char").tokens("a b") == ["a", "▁", "b"]
    assert TextReader.remembered({}).tokens("A b.") == ["A", "b."]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ({"tokenizer_version": 9}, "'word' of version 9 is not known to this windrow; update it"),
        ({"tokenizer_version": [2]}, "is not known to this windrow"),
        ({"tokenizer": {"word": 1}}, "is unknown"),
        ({"normalize": ["nfc"]}, "normalize = .* is unknown"),
        ({"language": 3}, "language = 3 is not a code"),
        ({"sentence_ends": 3}, "sentences = 3 is unknown"),
    ],
)
def test_settings_that_are_damaged(tmp_path, damage, message):
    corpus = Corpus.build(["a b"], tmp_path / "c", tokenizer="word", lowercase=True)
    edit_header(corpus.path, **damage)

    with pytest.raises(OptionError, match=message):
        TextReader.remembered({**corpus.reader.stored(), **damage})
    with pytest.raises(FormatError, match=rf"corpus\.json is damaged \(.*{message}"):
        Corpus.open(corpus.path)


def test_a_function_that_a_file_names_is_not_imported():
    stored = TextReader("no.such.module:split").stored()
    reader = TextReader.remembered(stored)

    with pytest.raises(OptionError, match=r"set tokenizer = 'no\.such\.module:split' again"):
        reader.tokens("a b")

    assert reader.words_of(["a", "b"]) == ["a", "b"]
    assert reader.words_of("") == []
    assert reader.join(["a", "b"]) == "a b"
    assert reader.changed(tokenizer=comma).tokens("a, b") == ["a", "b"]


def test_a_pickled_reader_asks_for_a_function_of_its_own():
    reader = TextReader(lambda line: line.split("|"), lowercase=True)

    again = pickle.loads(pickle.dumps(reader))

    assert again.asks and again.lowercase
    assert copy.deepcopy(reader).tokens("A|b") == ["a", "b"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tokenizer": "words"}, "tokenizer = 'words' is unknown"),
        ({"tokenizer": ["word"]}, "is unknown"),
        ({"normalize": "nfd"}, "normalize = 'nfd' is unknown; choose from nfc, nfkc"),
        ({"lowercase": True, "language": "xx"}, "language = 'xx' is not a code of ISO 639-1"),
        ({"lowercase": True, "language": "turkish"}, "language = 'turkish' is not"),
        ({"lowercase": True, "language": 3}, "language = 3 is not"),
        ({"language": "tr"}, "language = 'tr' is for lower case; add lowercase = True"),
        ({"sentences": "text"}, "sentences = 'text' is unknown; choose from line, paragraph, document"),
    ],
)
def test_options_that_do_not_go(options, message):
    with pytest.raises(OptionError, match=message):
        TextReader(**options)
    with pytest.raises(OptionError, match=message):
        Corpus.build(["a"], **options)


def test_a_corpus_remembers_its_reader(tmp_path):
    options = {"tokenizer": "word", "lowercase": True, "language": "tr", "normalize": "nfc", "sentences": "paragraph"}
    built = Corpus.build(["IŞIK İL"], tmp_path / "c", **options)

    opened = Corpus.open(tmp_path / "c")

    assert built.reader.options() == opened.reader.options() == options
    assert opened.vocabulary.words == ["il", "\u0131ş\u0131k"]
    assert opened.info()["language"] == "tr"
    assert Corpus.build(["a,b"], tokenizer=comma).reader.tokens("c,d") == ["c", "d"]


@pytest.mark.parametrize("name", ["os:system", "os:\nsystem", "\x1b[2J:x", f"{'x' * 10_000}:y", "builtins:exec"])
def test_a_tokenizer_that_a_file_names_is_not_run(tmp_path: Any, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def run(text: object) -> None:
        raise AssertionError(f"{text} was run")

    monkeypatch.setattr("os.system", run)
    monkeypatch.setattr(tokenizers, "import_module", run)
    corpus = Corpus.build([["touch", "gone"]] * 5, tmp_path / "corpus")
    edit_header(corpus.path, tokenizer=name)
    corpus = Corpus.open(tmp_path / "corpus")
    model = windrow.NGramLM(order=1, smoothing="add-delta").fit(corpus)
    vectors = windrow.Word2Vec(vector_size=4, min_count=1, epochs=1, sample=0).fit(corpus).wv
    model.save(tmp_path / "model.safetensors")
    vectors.save(tmp_path / "vectors.safetensors")
    opened, text = windrow.load(tmp_path / "model.safetensors"), "touch gone"

    asks: list[Callable[[], object]] = [
        lambda: corpus.reader.tokens(text),
        lambda: model.log_prob(text),
        lambda: opened.log_prob(text),
        lambda: opened.generate(prompt=text),
        lambda: copy.deepcopy(opened).log_prob(text),
        lambda: pickle.loads(pickle.dumps(opened)).log_prob(text),
        lambda: opened.reader.changed(lowercase=True).tokens(text),
        lambda: DocumentVectorizer(tmp_path / "vectors.safetensors").fit_transform([text]),
    ]
    for ask in asks:
        with pytest.raises(OptionError, match="which is not imported only because a file names it") as caught:
            ask()
        assert str(caught.value).isprintable() and len(str(caught.value)) < 600
    assert opened.log_prob(["touch", "gone"]) < 0
