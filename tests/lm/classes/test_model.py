"""Class-based models equal an n-gram model of a text of classes, times the share of a word in its class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from windrow import ClassLM, MixtureLM, NGramLM, load
from windrow.errors import DataError, FormatError, NotFittedError, OptionError
from windrow.files.model_file import StoredModel
from windrow.lm.classes.settings import SMOOTHINGS
from windrow.lm.symbols import BOS, UNK

TEXT = ["the cat sat", "the dog sat", "a cat ran off", "a dog barked", "", "the <unk> ran"]
CLASSES = {"the": "D", "a": "D", "cat": "N", "dog": "N", "sat": "V", "ran": "V", "barked": "V"}  # "off" has none


def model_of(**options: Any) -> ClassLM:
    return ClassLM(order=3, smoothing="witten-bell", **options).fit(TEXT, word_classes=CLASSES)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_probabilities_are_those_of_classes_times_shares(smoothing: str) -> None:
    model = ClassLM(order=3, smoothing=smoothing).fit(TEXT, word_classes=CLASSES)
    as_classes = {**CLASSES, "off": "rest"}
    of_classes = NGramLM(3, smoothing, discount_fallback=smoothing != "witten-bell").fit(
        [" ".join(as_classes.get(word, word) for word in line.split()) for line in TEXT]
    )
    shares = {"cat": 2 / 4, "the": 3 / 5, "sat": 2 / 5, "barked": 1 / 5, "off": 1.0, "zebra": 1.0, "</s>": 1.0}
    for context in ("", "the", "the cat", "a zebra", "dog off"):
        named = " ".join(as_classes.get(word, word) for word in context.split())
        for word, share in shares.items():
            wanted = of_classes.prob(as_classes.get(word, word), named) * share
            assert model.prob(word, context) == pytest.approx(wanted, rel=1e-5), (context, word)
        assert model.next_word_distribution(context).sum() == pytest.approx(1, abs=1e-5)


def test_classes_by_hand() -> None:
    model = model_of()

    assert model.words_of_class(model.word_class("dog")) == ["dog", "cat"]
    assert model.words_of_class(model.word_class("off")) == ["off"]
    assert (model.word_class("zebra"), model.word_class("<unk>"), model.word_class("</s>")) == (0, 0, 2)
    assert model.words_of_class(0) == ["<unk>"]
    assert model.history_ == []
    assert model.sizes() == {"words": 8, "classes": 4, "1-grams": 7, "2-grams": 9, "3-grams": 8}


def test_words_without_a_class_share_one() -> None:
    model = ClassLM(order=2, smoothing="witten-bell").fit(TEXT, word_classes={"cat": 1, "dog": 1})

    assert model.words_of_class(model.word_class("cat")) == ["dog", "cat"]
    assert set(model.words_of_class(model.word_class("the"))) == {"the", "a", "sat", "ran", "off", "barked"}


def test_classes_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "classes.txt"
    path.write_text("".join(f"{word}\t{one}\n" for word, one in CLASSES.items()) + "\nzebra 7\n")

    found = ClassLM(order=3, smoothing="witten-bell").fit(TEXT, word_classes=path)

    np.testing.assert_array_equal(found.classes_, model_of().classes_)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("the 1\ncat\n", "line 2: 'cat' is not a word and its class; such files are written by"),
        ("the 1\nthe 2\n", "line 2: 'the' has two classes, 1 and 2; keep one"),
        ("The 1\n", "has a class for no word of the text; are both cut into words, and lower-cased, alike?"),
        ("", "has a class for no word of the text"),
    ],
)
def test_a_file_that_is_no_list_of_classes(tmp_path: Path, lines: str, message: str) -> None:
    (tmp_path / "classes.txt").write_text(lines)
    with pytest.raises(DataError, match=message) as error:
        ClassLM(order=2).fit(TEXT, word_classes=tmp_path / "classes.txt")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("parameters", "fitting", "message"),
    [
        ({"classes": 0}, {}, "classes = 0 is out of range"),
        ({"smoothing": "stupid-backoff"}, {}, "smoothing = 'stupid-backoff' is not one of"),
        ({"classes": 5}, {"word_classes": CLASSES}, "classes = 5 has no effect with word_classes"),
        ({"iterations": 5}, {"word_classes": CLASSES}, "iterations = 5 has no effect with word_classes"),
        ({}, {"word_classes": 7}, "word_classes = 7 must be a file, or a mapping from words to classes"),
    ],
)
def test_what_cannot_be_asked_for(parameters: dict[str, Any], fitting: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        ClassLM(**parameters).fit(TEXT, **fitting)


def test_unknown_classes_and_ids_are_refused() -> None:
    model = model_of()
    for number in (-1, 99):
        with pytest.raises(OptionError, match="ids must be from 0 to 6"):
            model.words_of_class(number)
    with pytest.raises(OptionError, match="ids must be from 0 to"):
        model.score_stream(np.array([BOS, 99], np.int32))
    with pytest.raises(NotFittedError, match="call fit first"):
        ClassLM().perplexity(TEXT)


def test_a_failed_training_leaves_the_model() -> None:
    model = model_of()
    before = model.log_prob("the dog ran")
    with pytest.raises(DataError, match="</s>"):
        model.fit(["a </s> b"], word_classes=CLASSES)

    assert model.log_prob("the dog ran") == before


def test_rare_words_become_unknown_and_a_text_without_unknown_words_knows_one() -> None:
    rare = ClassLM(2, 2, "witten-bell", min_count=2).fit(TEXT)
    whole = ClassLM(2, 2, "witten-bell").fit([line for line in TEXT if "<unk>" not in line])

    assert "barked" not in rare.vocabulary
    assert rare.prob("barked", "a") == rare.prob("<unk>", "a") > 0
    assert whole.vocabulary.counts[UNK] == 0
    assert 0 < whole.prob("zebra", "a") < whole.prob("dog", "a")


def test_a_mixture_with_words_is_better_than_either() -> None:
    dice = np.random.default_rng(5)
    nouns, verbs = [f"n{i}" for i in range(12)], [f"v{i}" for i in range(12)]
    lines = [f"the {dice.choice(nouns)} {dice.choice(verbs)} the {dice.choice(nouns)}" for _ in range(120)]
    train, tune, test = lines[:60], lines[60:90], lines[90:]
    parts = [NGramLM(3, "witten-bell").fit(train), ClassLM(4, 3, "witten-bell").fit(train)]
    mixture = MixtureLM(parts).fit(tune)

    assert mixture.perplexity(test) < 0.8 * parts[0].perplexity(test)
    assert mixture.perplexity(test) <= 1.05 * parts[1].perplexity(test)


def test_the_file_holds_everything(tmp_path: Path) -> None:
    model = ClassLM(3, 3, "witten-bell", min_count=1).fit(TEXT)
    model.save(tmp_path / "m.safetensors")
    found = load(tmp_path / "m.safetensors", expected=ClassLM)

    assert found.get_params() == model.get_params()
    assert (found.history_, found.sizes()) == (model.history_, model.sizes())
    assert found.log_prob("the dog ran") == model.log_prob("the dog ran")
    assert found.score_next(found.start(), "the")[0] == model.score_next(model.start(), "the")[0]


def _with(name: str, change: Any) -> Any:
    return lambda stored: replace_array(stored, name, change(np.array(stored.arrays[name])))


def replace_array(stored: StoredModel, name: str, array: Any) -> StoredModel:
    return StoredModel(stored.kind, stored.config, {}, {**stored.arrays, name: array})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_with("classes", lambda array: array[:-1]), "for 11 words"),
        (_with("classes", lambda array: array.astype(np.int64)), "int64"),
        (_with("classes", lambda array: np.where(array == 4, 99, array).astype(np.int32)), "they are not from 0 to"),
        (_with("classes", lambda array: np.where(array == 4, 3, array).astype(np.int32)), "they are not from 0 to"),
        (_with("classes", lambda array: np.where(array == 4, 0, array).astype(np.int32)), "special symbols"),
        (_with("counts", lambda array: array * 0), "a word does not occur"),
    ],
)
def test_damaged_classes_are_refused(damage: Any, message: str) -> None:
    with pytest.raises(FormatError, match=f"m: the classes of words are damaged .*({message})"):
        ClassLM.from_stored(damage(model_of().to_stored()), "m")


@pytest.mark.parametrize("name", ["parameters", "ngrams", "perplexities"])
def test_a_damaged_description_is_refused(name: str) -> None:
    stored = model_of().to_stored()
    config = {key: value for key, value in stored.config.items() if key != name}

    with pytest.raises(FormatError, match="the parameters of the class-based model are damaged"):
        ClassLM.from_stored(StoredModel(stored.kind, config, {}, stored.arrays), "m")
