"""The tokenizer that is written beside vectors cuts text as the model's own text reader, asked by ``tokenizers``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from windrow.corpus.reading import TextReader
from windrow.embeddings.formats.tokenizer_json import write_tokenizer

READERS = {
    "whitespace": TextReader(),
    "lowercase": TextReader(lowercase=True),
    "word": TextReader("word"),
    "word-lowercase-nfkc": TextReader("word", lowercase=True, normalize="nfkc"),
    "first-word": TextReader("word", version=1),
    "nfc": TextReader(normalize="nfc"),
    "turkish": TextReader("word", lowercase=True, language="tr"),
    "lithuanian": TextReader(lowercase=True, language="lt"),
}
# Control characters between tokens are white space to Python alone. Unicode's newest letters are left out: each side
# knows those of its own version.
LETTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cn", "Co"), max_codepoint=0x2FFF)
HARD = (
    *("Ich heiße", " I\u0307STANBUL", "ISI ", "I\u0300", "ΟΔΟΣ ", "ΣΟΦΙΑ", "\u03aa\u0301", "½ ²x", "don't", "__a_b"),
    *("👍🏽 ", "👩\u200d🚀", "1\ufe0f\u20e3", "e\u0301"),
)
PIECES = st.one_of(st.text(LETTERS, max_size=4), st.sampled_from(HARD))


@pytest.mark.parametrize("name", READERS)
def test_text_is_cut_as_by_the_reader(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed")
    reader, path = READERS[name], tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    write_tokenizer(["Upper"], reader.stored(), path)
    theirs = tokenizers.Tokenizer.from_file(str(path))

    @settings(max_examples=150, deadline=None)
    @given(pieces=st.lists(PIECES, max_size=5))
    @example(pieces=HARD)
    def compare(pieces: Sequence[str]) -> None:
        text = " ".join(pieces)
        folded = theirs.normalizer.normalize_str(text) if theirs.normalizer else text
        found = [token for token, _ in theirs.pre_tokenizer.pre_tokenize_str(folded)]
        assert found == reader.tokens(text)

    compare()


def test_words_without_capitals_are_found_in_text_that_has_some(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed")
    write_tokenizer(["cat", "the"], {}, tmp_path / "a.json")
    write_tokenizer(["cat", "The"], {}, tmp_path / "b.json")
    assert tokenizers.Tokenizer.from_file(str(tmp_path / "a.json")).encode("The CAT").ids == [1, 0]
    assert tokenizers.Tokenizer.from_file(str(tmp_path / "b.json")).encode("The CAT").ids == [1, 2]
