"""What is seen of a token."""

from __future__ import annotations

import pytest

from windrow.tagging.lexicon import BEGIN, END, SPECIALS, UNKNOWN, Lexicon, Reading, build_lexicon, shape_of


@pytest.mark.parametrize(
    ("token", "shape"),
    [
        ("London", "Xxx"),
        ("USA", "XX"),
        ("A", "X"),
        ("of", "xx"),
        ("1914-18", "dd-dd"),
        ("McDonald's", "XxXxx'x"),
        ("U.S.", "X.X."),
        ("...", ".."),
        ("Åse", "Xxx"),
        ("東京", "xx"),
        ("", ""),
    ],
)
def test_shapes(token: str, shape: str) -> None:
    assert shape_of(token) == shape


def word_of(lexicon: Lexicon, token: str) -> str:
    return lexicon.words[lexicon.rows([token])[0, 0]]


def test_a_word_is_found_as_it_is_then_in_plainer_spellings() -> None:
    lexicon = Lexicon([*SPECIALS, "Turkey", "turkey", "rome", "0000"], [], Reading())
    found = [word_of(lexicon, token) for token in ("Turkey", "TURKEY", "ROME", "1984", "Oslo")]
    assert found == ["Turkey", "turkey", "rome", "0000", UNKNOWN]
    strict = Lexicon([*SPECIALS, "rome", "0000"], [], Reading(lowercase=False, fold_digits=False))
    assert word_of(strict, "Rome") == word_of(strict, "1984") == UNKNOWN


def test_own_words_are_those_that_the_given_vectors_lack() -> None:
    text = [["Rome", "rome", "Oslo", "oslo", "1984", "1999", "once", "</s>"]]
    lexicon, own = build_lexicon(text, {"rome": 0, "<unk>": 1, "never": 2}, Reading(), min_count=2)
    assert lexicon.words == [*SPECIALS, "oslo", "0000", "rome", "never"]
    assert own == 5
    assert word_of(lexicon, "once") == UNKNOWN


def test_features_must_come_with_two_tokens() -> None:
    lexicon, _ = build_lexicon([["Rome", "Rome", "Nome"]], {}, Reading(affixes=(3,)), min_count=1)
    assert lexicon.features == ["shape=Xxx", "-3=ome"]
    _, shape, prefix, suffix = lexicon.rows(["Rome"])[0]
    assert (shape, suffix) == (2, 3)
    assert prefix == 1  # unknown
    assert lexicon.rows(["me"])[0, 3] == 1  # too short to have one
    assert lexicon.feature_rows == 4


def test_padding_is_neither_word_nor_feature() -> None:
    lexicon, _ = build_lexicon([["a", "b"]], {}, Reading(affixes=()), min_count=1)
    assert [lexicon.words[row] for row in lexicon.padding[:, 0]] == [BEGIN, END]
    assert lexicon.padding[:, 1:].tolist() == [[0], [0]]
    assert 0 not in lexicon.rows(["a", "<s>", "x"])[:, 1:]


def test_no_tokens_give_no_rows() -> None:
    lexicon, _ = build_lexicon([["a"]], {}, Reading(), min_count=1)
    assert lexicon.rows([]).shape == (0, 1 + lexicon.reading.slots)
