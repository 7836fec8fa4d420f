"""Where sentences end, whatever the source and wherever it is cut."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from windrow import Corpus
from windrow.corpus import streams
from windrow.errors import OptionError

WRAPPED = "the cat\n  sat on\r\nthe mat\n\n \t\n\na dog\nran\n"
texts = st.text(st.sampled_from("ab \t\n\n\r\u3000"), max_size=40)


def naive(text: str, sentences: str) -> list[list[str]]:
    """The sentences of one file or record."""
    if sentences == "line":
        return [line.split() for line in text.removesuffix("\n").split("\n")] if text else []
    if sentences == "document":
        return [text.split()] if text else []
    return [block.split() for block in re.split(r"\n(?:[^\S\n]*\n)+", text) if block.strip()]


@pytest.mark.filterwarnings("ignore:.*is a single word")
@settings(max_examples=200, deadline=None)
@given(texts, texts, st.sampled_from(["line", "paragraph", "document"]), st.integers(1, 7))
@example("a \n b\n \n\nb", "", "paragraph", 1)
@example("\n\na\n", "\n", "document", 2)
def test_sentences_of_files(tmp_path_factory, first, second, sentences, chunk):
    folder = tmp_path_factory.getbasetemp() / "sentences"
    folder.mkdir(exist_ok=True)
    for name, text in (("1.txt", first), ("2.txt", second), ("3.txt", "end")):
        (folder / name).write_bytes(text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "CHUNK_BYTES", chunk)

        corpus = Corpus.build(folder, sentences=sentences)

    assert list(corpus.sentences()) == [*naive(first, sentences), *naive(second, sentences), ["end"]]


@pytest.mark.parametrize(("sentences", "numbers"), [("line", 8), ("paragraph", 3), ("document", 2)])
def test_records_are_documents(tmp_path, sentences, numbers):
    rows = [{"t": WRAPPED}, {"t": "one more"}]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    from_file = Corpus.build(tmp_path / "a.jsonl", format="jsonl", field="t", sentences=sentences)
    from_list = Corpus.build([WRAPPED, "one more"], sentences=sentences)

    found = list(from_file.sentences())

    assert found == list(from_list.sentences())
    assert len([sentence for sentence in found if sentence]) == (6 if sentences == "line" else numbers)


def test_lists_of_tokens_are_sentences_anyway():
    corpus = Corpus.build([["a", "b"], "c\nd", ["e"]], sentences="document")

    assert list(corpus.sentences()) == [["a", "b"], ["c", "d"], ["e"]]


def test_characters_keep_the_spaces_between_joined_lines():
    corpus = Corpus.build(["ab\n c  d\n\n"], tokenizer="char", sentences="document")

    assert ["".join(sentence) for sentence in corpus.sentences()] == ["ab▁c▁▁d"]


def test_another_kind_of_sentence_is_refused():
    with pytest.raises(OptionError, match="choose from line, paragraph, document"):
        Corpus.build(["a"], sentences="page")
