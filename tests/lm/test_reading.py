"""A model reads every string as its training text was read, whatever it is asked and wherever it comes from."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import windrow
from windrow import Corpus, MixtureLM, NGramLM, RecurrentLM, WindowLM
from windrow.corpus import TextReader
from windrow.corpus.encoded import read_corpus
from windrow.errors import DataError, DataWarning, OptionError
from windrow.lm.base import LanguageModel
from windrow.lm.cache import CacheLM
from windrow.lm.generation import generate_batch

TEXT = ["The CAT sat; the Cat RAN.", "A dog ran!", "THE dog sat, a CAT sat."]
SENTENCE = "The Cat, it RAN "
NEURAL = {"embedding_size": 3, "hidden_size": 3, "epochs": 1}


def clauses(line: str) -> list[str]:
    """A tokenizer of one's own."""
    return [part.strip().replace(" ", "_") for part in line.replace(";", ",").split(",")]


READERS = {
    "whitespace": {"lowercase": True},
    "word": {"tokenizer": "word", "lowercase": True},
    "char": {"tokenizer": "char"},
    "turkish": {"tokenizer": "word", "lowercase": True, "language": "tr", "normalize": "nfkc"},
    "own": {"tokenizer": clauses},
}
FITTED: dict[str, Callable[[Corpus], LanguageModel]] = {
    "ngram": lambda corpus: NGramLM(2, "witten-bell").fit(corpus),
    "window": lambda corpus: WindowLM(**NEURAL).fit(corpus),
    "recurrent": lambda corpus: RecurrentLM(state="reset", **NEURAL).fit(corpus),
    "mixture": lambda corpus: MixtureLM([m := NGramLM(2, "witten-bell").fit(corpus), CacheLM(m.vocabulary, 3)]),
}


@pytest.fixture(params=FITTED)
def fit(request: pytest.FixtureRequest) -> Callable[[Corpus], LanguageModel]:
    return FITTED[request.param]


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("form", ["as trained", "from a file", "from a pickle"])
def test_every_door_reads_alike(fit: Callable[[Corpus], LanguageModel], name: str, form: str, tmp_path: Path) -> None:
    corpus = Corpus.build(TEXT, **READERS[name])
    model = fit(corpus)
    if form == "from a file":
        model.save(tmp_path / "m.safetensors")
        model = windrow.load(tmp_path / "m.safetensors")
    elif form == "from a pickle":
        model = pickle.loads(pickle.dumps(model))
    if form != "as trained" and name == "own":
        model.tokenizer = clauses
    tokens = TextReader(**READERS[name]).tokens(SENTENCE)
    (tmp_path / "s.txt").write_text(SENTENCE + "\n", "utf-8")

    expected = model.log_prob(tokens)

    whole = Corpus.build([tokens])  # of which the model knows nothing
    assert model.evaluate(whole).log10_prob == pytest.approx(expected, abs=1e-5)
    for source in ([SENTENCE], tmp_path / "s.txt", [tokens]):
        assert model.evaluate(source).log10_prob == pytest.approx(expected, abs=1e-5)
    np.testing.assert_allclose(model.log_probs([SENTENCE, tokens]), expected, atol=1e-5)
    assert model.log_prob(SENTENCE) == pytest.approx(expected, abs=1e-6)
    assert model.evaluate_sentence(SENTENCE).log10_prob == pytest.approx(expected, abs=1e-5)
    assert [score.word for score in model.word_scores(SENTENCE)] == [*tokens, "</s>"]
    np.testing.assert_array_equal(model.encode(SENTENCE), model.encode(tokens))
    np.testing.assert_allclose(model.next_word_distribution(SENTENCE), model.next_word_distribution(tokens))
    assert model.top_words(SENTENCE, 2) == model.top_words(tokens, 2)
    assert model.generate(SENTENCE, seed=1) == model.generate(tokens, seed=1)
    assert generate_batch(model, [SENTENCE], seed=1) == generate_batch(model, [tokens], seed=1)


def test_a_list_of_tokens_is_taken_as_it_is() -> None:
    model = FITTED["ngram"](Corpus.build(TEXT, tokenizer="word", lowercase=True))

    assert [score.oov for score in model.word_scores(["The", "cat"])] == [True, False, False]
    assert model.evaluate([["The", "cat"]]).oov == 1
    assert model.evaluate(["The cat"]).oov == 0


def test_held_out_text_is_read_alike() -> None:
    corpus = Corpus.build(TEXT, tokenizer=clauses)
    scores = [
        NGramLM(2, "jelinek-mercer").fit(corpus, heldout=heldout).log_prob(TEXT[0])
        for heldout in ([TEXT[1]], [clauses(TEXT[1])])
    ]

    assert scores[0] == scores[1]


def test_a_function_is_asked_for_again(fit: Callable[[Corpus], LanguageModel], tmp_path: Path) -> None:
    corpus = Corpus.build(TEXT, tokenizer=clauses)
    fit(corpus).save(tmp_path / "m.safetensors")
    model = windrow.load(tmp_path / "m.safetensors")

    asks: list[Callable[[], Any]] = [
        lambda: model.log_prob("a"),
        lambda: model.log_probs(["a"]),
        lambda: model.evaluate(["a"]),
        lambda: model.generate("a"),
        lambda: model.top_words("a"),
    ]
    for ask in asks:
        with pytest.raises(OptionError, match=rf"set tokenizer = '{__name__}:clauses' again"):
            ask()
    assert model.tokenizer == f"{__name__}:clauses"
    assert model.log_prob(clauses(TEXT[0])) > -20
    assert model.generate(seed=1)[0].text  # without a prompt there is nothing to read
    model.tokenizer = f"{__name__}:clauses"
    assert model.log_prob(TEXT[0]) == model.log_prob(clauses(TEXT[0]))


def test_a_model_that_knows_nothing_of_its_text_splits_at_white_space(tmp_path: Path) -> None:
    FITTED["ngram"](Corpus.build(TEXT, tokenizer="char")).save(tmp_path / "m.arpa")
    model = windrow.load(tmp_path / "m.arpa")

    assert model.log_prob("t h e") == model.log_prob(["t", "h", "e"])
    model.tokenizer = "char"
    assert model.log_prob("t h e") == model.log_prob(["t", "▁", "h", "▁", "e"])


def test_fitting_again_forgets_the_reader_of_before() -> None:
    model = NGramLM(2, "witten-bell").fit(Corpus.build(TEXT, tokenizer="char"))
    model.fit(["The cat", "a dog"])

    assert [score.word for score in model.word_scores("The cat")] == ["The", "cat", "</s>"]


# --- characters


def test_characters_are_written_as_text() -> None:
    names = ["ann lee", "ann low", "bob lee"]
    model = NGramLM(6, "witten-bell").fit(Corpus.build(names, tokenizer="char"))

    found = model.generate("bo", do_sample=False, max_new_tokens=20)[0]

    assert (found.prompt, found.text) == ("bo", "bob lee")
    assert found.tokens == ["b", "▁", "l", "e", "e"]
    assert "▁" in model.vocabulary and " " not in model.vocabulary
    assert model.generate("bob ", do_sample=False)[0].text == "bob lee"
    assert model.log_prob("bob lee") > model.log_prob("boblee")


def test_the_sign_for_a_space_may_stand_in_the_text(tmp_path: Path) -> None:
    text = ["a▁b c"] * 3
    model = NGramLM(3, "witten-bell").fit(Corpus.build(text, tokenizer="char"))
    for name in ("m.safetensors", "m.arpa"):
        model.save(tmp_path / name)
        opened = windrow.load(tmp_path / name)
        opened.tokenizer = "char"

        assert opened.generate("a", do_sample=False)[0].text == "a▁b c"
        assert opened.log_prob("a▁b c") == pytest.approx(model.log_prob(["a", "▁▁", "b", "▁", "c"]), abs=1e-5)


def test_models_of_before_spaces_were_kept(tmp_path: Path) -> None:
    corpus = read_corpus(["the cat", "a cat sat"], TextReader("char", version=1))
    NGramLM(2, "witten-bell").fit(corpus).save(tmp_path / "m.safetensors")
    model = windrow.load(tmp_path / "m.safetensors")

    assert "tokenizer_version" not in model.provenance_
    assert model.log_prob("the cat") == model.log_prob(list("thecat"))
    assert model.generate("a c", do_sample=False, max_new_tokens=1)[0].text == "aca"


# --- several models


def test_a_mixture_reads_as_the_model_that_knows_how(tmp_path: Path) -> None:
    texts = Corpus.build(["The cat", "A cat"], lowercase=True)
    lowered = NGramLM(2, "witten-bell").fit(texts)
    lowered.save(tmp_path / "m.arpa")  # which does not say it
    for parts in ([windrow.load(tmp_path / "m.arpa"), lowered], [lowered, windrow.load(tmp_path / "m.arpa")]):
        assert MixtureLM(parts).log_prob("THE Cat") == pytest.approx(lowered.log_prob(["the", "cat"]), abs=1e-6)


def test_a_mixture_of_models_that_read_differently_warns() -> None:
    models = [NGramLM(2, "witten-bell").fit(Corpus.build(["The cat"], **how)) for how in ({}, {"lowercase": True})]
    with pytest.warns(
        DataWarning, match="^model 2 was trained on text that was read with lowercase True, not False as"
    ):
        mixture = MixtureLM(models)
    assert mixture.log_prob("The") == mixture.log_prob(["The"])
    models[1].reader = models[0].reader
    MixtureLM(models)  # filterwarnings makes errors of warnings


# --- marks


def test_messages_name_what_can_be_given() -> None:
    model = NGramLM(2, "witten-bell").fit(["a b"])

    for ask in (lambda: model.log_prob("<s> a"), lambda: model.log_probs(["<s> a"]), lambda: model.generate("<s> a")):
        with pytest.raises(DataError, match=r"holds '<s>'.*take it out$"):
            ask()
    with pytest.raises(DataError, match="skip_symbols = True"):
        model.evaluate(["<s> a"])
