"""Skip n-gram models equal their definition: counts of the words at the places before each word, then smoothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.naive.skips import SkipText, kept
from tests.naive.smoothing import METHODS
from windrow import MixtureLM, NGramLM, SkipNGramLM, load
from windrow.errors import DataError, FormatError, NotFittedError, OptionError
from windrow.files.model_file import StoredModel
from windrow.lm.classes.settings import SMOOTHINGS
from windrow.lm.skips import windows
from windrow.lm.skips.windows import window_blocks, windows_of
from windrow.lm.symbols import BOS, EOS

TEXT = ["the cat sat on the mat", "the dog sat", "a cat ran off", "", "the <unk> ran on", "a dog sat on the dog"]


def model_of(places: Any = (1, 3), smoothing: str = "witten-bell", **options: Any) -> SkipNGramLM:
    return SkipNGramLM(places, smoothing, **options).fit(TEXT)


def ids_of(model: SkipNGramLM, line: str) -> list[int]:
    return [model.vocabulary.id_of(word) for word in line.split()]


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@pytest.mark.parametrize("places", [(2,), (1, 3), (2, 3), (3, 1, 4)])
def test_probabilities_follow_from_the_definition(places: tuple[int, ...], smoothing: str) -> None:
    options = {} if smoothing == "witten-bell" else {"fallback": True}
    model = model_of(places, smoothing, discount_fallback=bool(options))
    sentences = [ids_of(model, line) for line in TEXT]
    apart = ids_of(model, "the <unk> cat sat")  # "the cat" is seen side by side only
    text = SkipText(sentences, len(places) + 1, len(model.vocabulary), places=places)
    naive = METHODS[smoothing](text, **options)

    for sentence in [*sentences, apart, [5, 0, 4, 3, 4, 3, 5], [4], []]:
        symbols = [*sentence, EOS]
        scores = model.score_stream(np.array([BOS, *symbols], np.int32))
        wanted = [np.log10(naive.prob(word, kept(symbols[:end], places))) for end, word in enumerate(symbols)]
        np.testing.assert_allclose(scores, [0, *wanted], rtol=1e-5)
        found = model.distribution(model.start([BOS, *sentence]))
        every = [naive.prob(word, kept(sentence, places)) for word in range(len(model.vocabulary))]
        np.testing.assert_allclose(found, every, rtol=1e-5)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_places_without_a_gap_are_ngrams(smoothing: str) -> None:
    falls_back = {"discount_fallback": smoothing != "witten-bell"}
    model, ngrams = model_of((2, 1), smoothing, **falls_back), NGramLM(3, smoothing, **falls_back).fit(TEXT)

    assert model.vocabulary.words == ngrams.vocabulary.words
    assert model.sizes() == ngrams.sizes()
    for line in (*TEXT, "off the cat zebra the dog"):
        assert model.log_probs([line]) == pytest.approx(ngrams.log_probs([line]), rel=1e-6)


def test_what_stands_between_does_not_matter() -> None:
    model = model_of((2,))

    assert model.prob("sat", "the cat") == model.prob("sat", "the zebra") > model.prob("sat", "cat the")
    assert model.prob("sat", "the cat") == pytest.approx(model.prob("sat", "on off the dog"), rel=1e-12)
    assert model.word_scores("the cat sat")[0].order is None


def test_where_a_sentence_begins_is_known_only_after_its_mark() -> None:
    model = model_of((2, 3))
    within, begun = model.start([]), model.start([BOS])
    for word in ids_of(model, "the cat"):
        within, begun = model.advance(within, word), model.advance(begun, word)
    assert model.distribution(within)[4] != model.distribution(begun)[4]  # (the ..) and (<s> the ..)
    within, begun = (model.advance(state, 3) for state in (within, begun))
    assert within == begun


def test_windows_by_hand() -> None:
    stream = np.array([BOS, 5, 6, 7, 8, EOS, BOS, 9], np.int32)
    assert windows_of(stream, (1, 3)).tolist() == [
        [BOS, BOS, BOS], [BOS, BOS, 5], [BOS, 5, 6], [BOS, 6, 7], [5, 7, 8], [6, 8, EOS], [BOS, BOS, BOS], [BOS, BOS, 9]
    ]  # fmt: skip


def test_blocks_have_the_windows_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "_SYMBOLS_AT_ONCE", 3)
    stream = np.array([BOS, 5, 6, 7, 8, 9, 4, 3, 5, EOS, BOS, 9, EOS], np.int32)
    for places in ((1,), (2, 3), (5,)):
        blocks = [block for _, block in window_blocks(stream, places)]
        np.testing.assert_array_equal(np.concatenate(blocks), windows_of(stream, places))


def test_unseen_ngrams_only_hold_places() -> None:
    """(the .. sat), of which (the sat) is a context, are not counted as words after one another."""
    model = SkipNGramLM((1, 3), "kneser-ney", discount_fallback=True).fit(["a b c d", "a b c e", "b b c d"])
    table = model.ngrams_.table_.unpack()

    assert table.sizes[1] > 8
    for context in ([BOS], [BOS, 3], [BOS, 3, 4, 5], [3, 3]):
        assert model.distribution(model.start(context)).sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"places": ()}, "places is empty; give one at least"),
        ({"places": (0, 2)}, "places = 0 is out of range"),
        ({"places": (2, 3, 2)}, r"places = \(2, 3, 2\) has one twice; give each once"),
        ({"places": "2,3"}, "places = '2,3' must be a list of whole numbers"),
        ({"places": (100,)}, "places = 100 is out of range"),
        ({"smoothing": "stupid-backoff"}, "smoothing = 'stupid-backoff' is not one of"),
        ({"smoothing": "witten-bell", "discount_fallback": True}, "discount_fallback = True is for smoothing"),
    ],
)
def test_what_cannot_be_asked_for(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        SkipNGramLM(**parameters).fit(TEXT)


@pytest.mark.parametrize(
    ("places", "text", "message"),
    [
        ((9, 12), TEXT, r"places = \(9, 12\): no sentence has a word 9 places before another; try nearer ones"),
        (
            (2,),
            ["a b c", "b a d"],
            "too small, or not natural text, to estimate discounts; try discount_fallback = True",
        ),
        ((2,), ["a </s> b"], "</s>"),
    ],
)
def test_texts_that_do_not_suffice(places: tuple[int, ...], text: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        SkipNGramLM(places).fit(text)


def test_far_places_are_of_use_in_short_sentences() -> None:
    model = SkipNGramLM((9,), "witten-bell").fit(TEXT)  # of which all know only that a sentence has begun

    assert model.prob("the", "") == model.prob("the", "a cat")
    assert model.sizes()["2-grams"] == len(model.vocabulary) - 1


def test_a_model_that_is_not_trained_or_fails_to_be() -> None:
    with pytest.raises(NotFittedError, match="call fit first"):
        SkipNGramLM().perplexity(TEXT)
    assert SkipNGramLM().sizes() == {}
    model = model_of()
    before = model.log_prob("the dog ran")
    with pytest.raises(DataError, match="</s>"):
        model.fit(["a </s> b"])
    assert model.set_params(places=(7,)).log_prob("the dog ran") == before


def test_states_and_ids_of_something_else_are_refused() -> None:
    model = model_of()
    for state in ("ab", (("a",),), None, [3]):
        with pytest.raises(OptionError, match="the state is not of this model"):
            model.distribution(state)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="ids must be from 0 to"):
        model.distribution((99,))
    with pytest.raises(OptionError, match="ids must be from 0 to"):
        model.score_stream(np.array([BOS, 99], np.int32))


def test_a_mixture_with_ngrams_is_better_than_either() -> None:
    dice = np.random.default_rng(5)
    pairs, fillers = [f"p{i}" for i in range(6)], [f"f{i}" for i in range(9)]
    lines = []
    for _ in range(200):  # a word tells the one after the next; fillers stand between
        first = int(dice.integers(6))
        words = [pairs[first], dice.choice(fillers), pairs[(first + 1) % 6], dice.choice(fillers)]
        lines.append(" ".join([*words, "x", "y"]))
    train, tune, test = lines[:120], lines[120:160], lines[160:]
    parts = [NGramLM(2, "witten-bell").fit(train), SkipNGramLM((2,), "witten-bell").fit(train)]
    mixture = MixtureLM(parts).fit(tune)

    assert mixture.perplexity(test) < 0.95 * min(part.perplexity(test) for part in parts)


@pytest.mark.parametrize("places", [{3, 1}, np.array([1, 3]), range(1, 4, 2)])
def test_places_may_be_any_collection(places: Any, tmp_path: Any) -> None:
    model = model_of(places)
    model.save(tmp_path / "m.safetensors")

    assert model.places_ == load(tmp_path / "m.safetensors", expected=SkipNGramLM).places_ == (1, 3)


def test_the_file_holds_everything(tmp_path: Any) -> None:
    model = model_of((3, 1), min_count=2)
    model.set_params(places=(2,))
    model.save(tmp_path / "m.safetensors")
    found = load(tmp_path / "m.safetensors", expected=SkipNGramLM)

    assert found.get_params() == model.get_params()
    assert (found.places_, found.sizes()) == ((1, 3), model.sizes())
    assert found.log_prob("the dog ran") == model.log_prob("the dog ran")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"places": [1, 2, 3]}, "m: 3 places do not fit n-grams of order 3"),
        ({"places": [1, "x"]}, "m: the parameters of the skip n-gram model are damaged"),
        ({"places": [-1, 2]}, "m: the parameters of the skip n-gram model are damaged"),
        ({"places": 3}, "m: the parameters of the skip n-gram model are damaged"),
        ({"parameters": {"size": 3}}, "m: the parameters of the skip n-gram model are damaged"),
        ({"table": {}}, "m: the n-gram table is not fully described"),
    ],
)
def test_damaged_files_are_refused(change: dict[str, Any], message: str) -> None:
    stored = model_of().to_stored()
    with pytest.raises(FormatError, match=message):
        SkipNGramLM.from_stored(StoredModel(stored.kind, {**stored.config, **change}, {}, stored.arrays), "m")


@pytest.mark.parametrize("name", ["parameters", "places", "table"])
def test_a_missing_part_is_told(name: str) -> None:
    stored = model_of().to_stored()
    config = {key: value for key, value in stored.config.items() if key != name}
    with pytest.raises(FormatError, match="the parameters of the skip n-gram model are damaged"):
        SkipNGramLM.from_stored(StoredModel(stored.kind, config, {}, stored.arrays), "m")
