from __future__ import annotations

import math
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from tests.lm.contract import MODELS, ROUNDING, ToyLM, random_stream, reopened, toy_vocabulary, walked
from windrow.corpus import Corpus
from windrow.errors import DataError, FormatError, OptionError
from windrow.files import model_file
from windrow.lm import scoring, stream
from windrow.lm.base import LANGUAGE_MODELS, LanguageModel, WordScore, model_from_stored
from windrow.lm.ngram.model import NGramLM
from windrow.lm.storing import pack_vocabulary, unpack_vocabulary
from windrow.lm.symbols import BOS, EOS, SPECIALS, UNK
from windrow.models import MODEL_KINDS, load, model_class

UNIGRAMS = {"<unk>": 0.05, "<s>": 0.0, "</s>": 0.2, "a": 0.4, "b": 0.2, "c": 0.1, "d": 0.05}


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> LanguageModel:
    return MODELS[request.param]()


@pytest.fixture
def unigrams() -> ToyLM:
    """The same probabilities everywhere, but ``a`` is twice as likely after ``<s>``, and ``d`` after nothing."""
    table = np.tile(list(UNIGRAMS.values()), (len(UNIGRAMS) + 1, 1))
    table[BOS] = [0, 0, 0.1, 0.8, 0.1, 0, 0]
    table[-1] = [0, 0, 0, 0, 0, 0, 1]
    return ToyLM(table)


# --- the contract


@pytest.mark.parametrize("name", MODELS)
def test_distributions_sum_to_one(name: str) -> None:
    model, ids = MODELS[name](), random_stream(3, 4).tolist()
    for length in range(len(ids)):
        probabilities = model.distribution(model.start(ids[:length]))

        assert probabilities.shape == (len(model.vocabulary),)
        assert probabilities.dtype == np.float64
        assert probabilities.min() >= 0
        assert probabilities[BOS] == 0
        assert probabilities.sum() == pytest.approx(1, abs=ROUNDING.get(name, 1e-12))


def test_streams_are_scored_as_step_by_step(model: LanguageModel) -> None:
    ids = random_stream(4, 12)

    np.testing.assert_allclose(model.score_stream(ids), walked(model, ids), atol=1e-6)
    assert not model.score_stream(ids)[ids == BOS].any()
    np.testing.assert_allclose(model.score_stream(ids[1:]), walked(model, ids[1:]), atol=1e-6)  # without <s>
    assert len(model.score_stream(ids[:0])) == 0


def test_states_can_be_used_again(model: LanguageModel) -> None:
    state = model.start([BOS, 3])
    before = model.distribution(state)
    model.distribution(state)[:] = 0
    model.distribution(model.advance(model.advance(state, 4), BOS))

    np.testing.assert_array_equal(model.distribution(state), before)
    np.testing.assert_array_equal(model.distribution(model.start([BOS, 3, 4])), after(model, [BOS, 3], 4))
    np.testing.assert_array_equal(model.distribution(model.start()), after(model, [], BOS))


def after(model: LanguageModel, ids: list[int], word_id: int) -> np.ndarray:
    return model.distribution(model.advance(model.start(ids), word_id))


def test_blocks_are_scored_as_one_stream(model: LanguageModel) -> None:
    ids = random_stream(5, 9)
    borders = np.flatnonzero(ids == BOS)[[2, 3, 6]]

    blocks = list(model.score_blocks(np.split(ids, borders)))

    np.testing.assert_allclose(np.concatenate(blocks), model.score_stream(ids), atol=1e-6)
    assert list(map(len, blocks)) == np.diff([0, *borders, len(ids)]).tolist()


def test_only_a_model_that_carries_over_knows_the_sentence_before(model: LanguageModel) -> None:
    sentence = np.array([BOS, 4, 5, EOS], np.int32)
    twice = model.score_stream(np.concatenate([sentence, sentence]))

    assert (not np.allclose(twice[:4], twice[4:], atol=1e-6)) == model.carries_over


def test_sentences_in_a_batch_are_scored_as_alone(model: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "_SENTENCES_AT_ONCE", 2)
    sentences = ["a b", [], "c unheard a", "", ["d"]]

    batch = model.log_probs(sentences)

    np.testing.assert_allclose(batch, [model.log_prob(sentence) for sentence in sentences], atol=1e-6)
    assert model.log_probs([]).shape == (0,)


def test_a_saved_model_scores_alike(model: LanguageModel, tmp_path: Path) -> None:
    loaded = reopened(model, tmp_path / "model.safetensors")

    ids = random_stream(6, 5)
    assert loaded.vocabulary.words == model.vocabulary.words
    np.testing.assert_allclose(loaded.score_stream(ids), model.score_stream(ids), atol=1e-6)
    assert type(model).load(tmp_path / "model.safetensors").log_prob("a b") == pytest.approx(model.log_prob("a b"))


def test_a_file_of_another_kind_is_refused(model: LanguageModel, tmp_path: Path) -> None:
    toy_vocabulary().save(tmp_path / "v.safetensors")

    with pytest.raises(FormatError, match=r"v\.safetensors"):
        type(model).load(tmp_path / "v.safetensors")


@pytest.mark.parametrize("name", ["m.arpa", "m.LM", "m.arpa.gz"])
def test_only_ngrams_are_written_as_arpa_files(model: LanguageModel, tmp_path: Path, name: str) -> None:
    if isinstance(model, NGramLM):
        model.save(tmp_path / name)
        assert load(tmp_path / name).vocabulary.words == model.vocabulary.words
        return
    with pytest.raises(OptionError, match=rf"{name}: an ARPA file cannot hold a [^;]+; name a \.safetensors file$"):
        model.save(tmp_path / name)
    assert not (tmp_path / name).exists()


# --- sentences


def test_log_prob_by_hand(unigrams: ToyLM) -> None:
    assert unigrams.log_prob("a b  zebra\n") == pytest.approx(math.log10(0.8 * 0.2 * 0.05 * 0.2))
    assert unigrams.log_prob(["a", "b"], eos=False) == pytest.approx(math.log10(0.8 * 0.2))
    assert unigrams.log_prob("d b", bos=False) == pytest.approx(math.log10(1 * 0.2 * 0.2))
    assert unigrams.log_prob("") == pytest.approx(-1)
    assert unigrams.log_prob("c") == -math.inf


def test_word_scores_by_hand(unigrams: ToyLM) -> None:
    assert unigrams.word_scores("a zebra") == [
        WordScore("a", pytest.approx(math.log10(0.8)), False, None),
        WordScore("zebra", pytest.approx(math.log10(0.05)), True, None),
        WordScore("</s>", pytest.approx(math.log10(0.2)), False, None),
    ]
    assert [row.word for row in unigrams.word_scores(["d"], bos=False, eos=False)] == ["d"]


def test_next_words(unigrams: ToyLM) -> None:
    np.testing.assert_array_equal(unigrams.next_word_distribution("a b"), list(UNIGRAMS.values()))
    np.testing.assert_array_equal(unigrams.next_word_distribution(bos=False), unigrams.table[-1])
    assert unigrams.top_words("a", 3) == [("a", 0.4), ("</s>", 0.2), ("b", 0.2)]
    assert unigrams.top_words(k=1) == [("a", 0.8)]
    assert len(unigrams.top_words("a", 99)) == len(UNIGRAMS)


CONTEXTS = ("", "a b", ["c", "unheard", "a"])


def test_prob_is_that_of_the_distribution(model: LanguageModel) -> None:
    for context in CONTEXTS:
        for bos in (True, False):
            expected = model.next_word_distribution(context, bos=bos)
            found = [model.prob(word, context, bos=bos) for word in model.vocabulary.words]

            np.testing.assert_allclose(found, expected, rtol=1e-5)
            assert found[BOS] == 0
            assert model.prob("unheard", context, bos=bos) == found[UNK]
            assert model.prob(4, context, bos=bos) == found[4]


def test_logscore_is_to_base_2(unigrams: ToyLM) -> None:
    assert unigrams.logscore("a", "b") == pytest.approx(math.log2(0.4))
    assert unigrams.logscore("d", "", bos=False) == 0
    assert unigrams.logscore("c", "") == unigrams.logscore("<s>") == -math.inf


def test_a_context_may_begin_with_marks_as_nltk_pads_it(model: LanguageModel) -> None:
    for context in ([], ["a", "b"]):
        for marks in (["<s>"], ["<s>", "<s>"]):
            for given in ([*marks, *context], (*marks, *context)):
                assert model.prob("b", given, bos=False) == model.prob("b", context)
                assert model.top_words(given, 2, bos=False) == model.top_words(context, 2)


@pytest.mark.parametrize("context", [["a", "<s>"], ["<s>", "a", "</s>"], "<s> a"])
def test_marks_within_a_context_are_refused(unigrams: ToyLM, context: list[str] | str) -> None:
    with pytest.raises(DataError, match=r"'</?s>', which marks"):
        unigrams.prob("a", context)


@pytest.mark.parametrize("order", [2, 3, 4])
def test_probabilities_are_those_of_nltk(order: int) -> None:
    lm, preprocessing = pytest.importorskip("nltk.lm"), pytest.importorskip("nltk.lm.preprocessing")
    text = [["the", "cat", "sat"], ["the", "cat", "ran", "off"], ["a", "dog", "ran", "off"]]
    theirs = lm.MLE(order)
    theirs.fit(*preprocessing.padded_everygram_pipeline(order, text))
    ours = NGramLM(order, "mle").fit(text)

    for sentence in text:
        padded = ["<s>"] * (order - 1) + [*sentence, "</s>"]
        for place in range(order - 1, len(padded)):
            word, context = padded[place], padded[place - order + 1 : place]
            assert ours.prob(word, context, bos=False) == pytest.approx(theirs.score(word, context), rel=1e-5)
            assert ours.logscore(word, context, bos=False) == pytest.approx(theirs.logscore(word, context), abs=1e-5)


def test_generate_names_what_nltk_calls_otherwise(unigrams: ToyLM) -> None:
    for theirs, ours in (("text_seed", "prompt"), ("num_words", "max_new_tokens"), ("random_seed", "seed")):
        with pytest.raises(OptionError, match=f"generate has no {theirs}, as NLTK's has; give {ours}=$"):
            unigrams.generate("a", **{theirs: 3})


def test_a_model_without_ends_scores_none(unigrams: ToyLM) -> None:
    unigrams.predicts_end = False

    assert unigrams.log_prob("a b") == pytest.approx(math.log10(0.8 * 0.2))
    assert unigrams.log_probs(["a b", ""]).tolist() == pytest.approx([math.log10(0.8 * 0.2), 0])
    assert [row.word for row in unigrams.word_scores("a b")] == ["a", "b"]
    assert unigrams.evaluate(["a b", "a"]).tokens == 3


@pytest.mark.parametrize("ask", ["log_prob", "word_scores", "next_word_distribution", "generate"])
@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ("a <s> b", "'<s>', which marks"),
        (["a", "</s>"], "'</s>', which marks"),
        (["a b"], "the token 'a b' must be a string"),
        ([3.0, 4.0], "the token 3.0 must be a string"),
    ],
)
def test_tokens_that_are_no_words(unigrams: ToyLM, ask: str, tokens: object, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        getattr(unigrams, ask)(tokens)
    assert "\n" not in str(caught.value)


def test_log_probs_wants_several_sentences(unigrams: ToyLM) -> None:
    with pytest.raises(OptionError, match="use log_prob"):
        unigrams.log_probs("a b")


# --- texts


def test_evaluation_by_hand(unigrams: ToyLM) -> None:
    result = unigrams.evaluate(["a b zebra", "", "a"])

    known = math.log10(0.8 * 0.2 * 0.2) + math.log10(0.1) + math.log10(0.8 * 0.2)
    unknown = math.log10(0.05)
    assert (result.tokens, result.oov) == (7, 1)
    assert result.log10_prob == pytest.approx(known + unknown)
    assert result.perplexity == pytest.approx(10 ** (-(known + unknown) / 7))
    assert result.perplexity_excluding_oov == pytest.approx(10 ** (-known / 6))
    assert unigrams.perplexity(["a b zebra", "", "a"]) == result.perplexity


def test_evaluation_in_small_blocks(model: LanguageModel) -> None:
    text = ["a b c", "d", "", "b zebra a", "c c c a"] * 3
    whole = model.evaluate(text)

    def small(*arguments: object, **options: object) -> object:
        return stream.sentence_blocks(*arguments, block_tokens=4, **options)

    with mock.patch.object(scoring, "sentence_blocks", small):
        parts = model.evaluate(text)

    assert (parts.tokens, parts.oov) == (whole.tokens, whole.oov) == (48, 3)
    assert parts.log10_prob == pytest.approx(whole.log10_prob, rel=1e-6)


def test_marks_in_a_text_to_evaluate(unigrams: ToyLM, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("a b\na <s> b\n")

    with pytest.raises(DataError, match=r"sentence 2 of .*text\.txt holds '<s>'"):
        unigrams.evaluate(tmp_path / "text.txt")

    skipped = unigrams.evaluate(tmp_path / "text.txt", skip_symbols=True)
    assert skipped == unigrams.evaluate(Corpus.build(["a b", "a b"]))


# --- files


def test_a_kind_is_known_once_its_class_is() -> None:
    assert set(LANGUAGE_MODELS) >= {"toy-lm", "ngram-lm", "window-lm", "rnn-lm", "mixture-lm", "cache-lm"}
    for kind, found in LANGUAGE_MODELS.items():
        assert issubclass(found, LanguageModel)
        assert found.kind == kind
        assert model_class(kind) is found
    assert {kind for kind in MODEL_KINDS if kind.endswith("-lm")} < set(LANGUAGE_MODELS)
    assert all(model_class(kind) for kind in MODEL_KINDS)


def test_an_unknown_kind_is_refused() -> None:
    stored = model_file.StoredModel("oracle", {}, {}, {})

    with pytest.raises(FormatError, match=r"m\.safetensors holds a language model of the unknown kind 'oracle'"):
        model_from_stored(stored, "m.safetensors")


@pytest.mark.parametrize("damage", ["order", "counts", "missing"])
def test_a_damaged_vocabulary_is_refused(damage: str) -> None:
    arrays = pack_vocabulary(toy_vocabulary())
    if damage == "order":
        arrays |= model_file.pack_words(["a", *SPECIALS, "b", "c", "d"])
    elif damage == "counts":
        arrays["counts"] = arrays["counts"][1:]
    else:
        del arrays["counts"]

    with pytest.raises(FormatError, match="m: the vocabulary is damaged"):
        unpack_vocabulary(model_file.StoredModel("toy", {}, {}, arrays), "m")


def test_unknown_words_are_read_as_unk(unigrams: ToyLM) -> None:
    assert unigrams.encode("a <unk> zebra", eos=True).tolist() == [BOS, 3, UNK, UNK, EOS]
    assert unigrams.encode("", bos=False).tolist() == []
