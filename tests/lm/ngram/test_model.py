"""NGramLM: fit, ask, save; the corpus whose truth is known; WikiText-2 against KenLM's figures."""

from __future__ import annotations

import bz2
import os
import re
from pathlib import Path

import numpy as np
import pytest

import windrow
from tests.lm.ngram.models import distribution
from windrow import NGramLM
from windrow.corpus import Corpus
from windrow.corpus.toyland import generate
from windrow.errors import DataError, FormatError, NotFittedError, OptionError
from windrow.lm.ngram import SMOOTHING_NAMES
from windrow.lm.ngram.counting import count_ngrams
from windrow.lm.ngram.estimation import estimate
from windrow.lm.ngram.settings import DISCOUNTING
from windrow.lm.stream import lm_vocabulary, training_stream

TEXT = ["the cat sat", "the dog sat down", "a cat ran", "the cat ran off", "a dog", "the dog ran", "", "a mouse"]
needs_data = pytest.mark.skipif("WINDROW_DATA" not in os.environ, reason="WINDROW_DATA names no folder of real data")


@pytest.fixture(scope="module")
def small() -> NGramLM:
    return NGramLM(3, discount_fallback=True).fit(TEXT)


def exact_distribution(context: list[str], **options: object) -> np.ndarray:
    """By the definition, from a model in float64."""
    corpus = Corpus.build(TEXT)
    vocabulary, mapping = lm_vocabulary(corpus)
    counts = count_ngrams(training_stream(corpus, mapping), vocabulary, 3)
    model = estimate(counts, dtype=np.float64, **options)
    return distribution(model, [1, *vocabulary.encode(context).tolist()])


class TestAsking:
    def test_next_words_are_those_of_the_definition(self, small):
        for context in [], ["the"], ["the", "cat"], ["a", "xyzzy", "dog"]:
            found = small.next_word_distribution(context)

            np.testing.assert_allclose(found, exact_distribution(context, discount_fallback=True), rtol=2e-5)
            assert found.sum() == pytest.approx(1, abs=1e-5)

    def test_a_sentence_is_the_product_of_its_words(self, small):
        words = ["the", "cat", "ran"]
        expected = 1.0
        for place, word in enumerate([*words, "</s>"]):
            expected *= small.next_word_distribution(words[:place])[small.vocabulary.id_of(word)]

        assert small.log_prob("the cat ran") == pytest.approx(np.log10(expected), abs=1e-5)
        assert small.log_prob(words) == small.log_prob(" the  cat ran ")
        assert small.log_probs(["a dog", words, ""])[1] == pytest.approx(np.log10(expected), abs=1e-5)

    def test_many_sentences_at_once_are_as_one_by_one(self, small):
        sentences = ["the cat", "", "xyzzy the", "a\u00a0dog ran", "mouse " * 300]

        np.testing.assert_allclose(small.log_probs(sentences), list(map(small.log_prob, sentences)), rtol=1e-6)

    def test_word_scores_have_the_order_that_matched(self, small):
        rows = small.word_scores("the cat xyzzy")

        assert [(row.word, row.order, row.oov) for row in rows] == [
            ("the", 2, False), ("cat", 3, False), ("xyzzy", 1, True), ("</s>", 1, False),
        ]  # fmt: skip
        assert sum(row.log10_prob for row in rows) == pytest.approx(small.log_prob("the cat xyzzy"), abs=1e-6)

    def test_likeliest_words_come_first(self, small):
        words, probabilities = zip(*small.top_words("the", 3), strict=True)

        assert set(words[:2]) == {"cat", "dog"}
        assert list(probabilities) == sorted(probabilities, reverse=True)

    def test_perplexity_counts_end_marks_and_unknown_words(self, small):
        result = small.evaluate(["the cat xyzzy", "a dog"])

        rows = small.word_scores("the cat xyzzy") + small.word_scores("a dog")
        total = sum(row.log10_prob for row in rows)
        known = sum(row.log10_prob for row in rows if not row.oov)
        assert (result.tokens, result.oov) == (7, 1)
        assert result.perplexity == pytest.approx(10 ** (-total / 7), rel=1e-6)
        assert result.perplexity_excluding_oov == pytest.approx(10 ** (-known / 6), rel=1e-6)

    def test_a_string_is_not_many_sentences(self, small):
        with pytest.raises(OptionError, match="log_probs takes several sentences"):
            small.log_probs("the cat")

    @pytest.mark.parametrize("token", ["the cat", "", "a\u00a0b", 7.5])
    def test_tokens_are_words(self, small, token):
        for ask in small.log_prob, lambda tokens: small.log_probs([tokens]):
            with pytest.raises(DataError, match="must be a string, not empty and without white space"):
                ask(["a", token])

    def test_not_fitted(self):
        with pytest.raises(NotFittedError, match="call fit first"):
            NGramLM().log_prob("a")


class TestParameters:
    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ({"order": 0}, "order = 0 is out of range"),
            ({"order": 2.5}, "order = 2.5 must be a whole number"),
            ({"smoothing": "good"}, "smoothing = 'good' is not one of modified-kneser-ney"),
            ({"min_count": 0}, "min_count = 0"),
            ({"unk_mass": 1.0}, "unk_mass = 1.0"),
            ({"quantize_bits": 9}, "quantize_bits = 9"),
            ({"prune": (1, 0)}, "prune"),
            ({"smoothing": "mle", "interpolate": False}, "mle has no back-off form"),
            ({"smoothing": "jelinek-mercer", "weights": (0.5,)}, "weights = (0.5,): give one for each of the 3 orders"),
            ({"discounts": 5}, "discounts = 5 must be a list of sequences of float"),
            ({"discounts": [5, [], None]}, "discounts = [5, [], None]: 5 must be a list of numbers"),
            ({"discounts": [[0.5]]}, "discounts = ([0.5],): give one for each of the 3 orders, not 1"),
            ({"discount_fallback": True, "fallback_discounts": ()}, "fallback_discounts is empty; give one number"),
            (
                {"discount_fallback": True, "fallback_discounts": (0.5, 2.5)},
                "fallback_discounts: the discount of count 2 = 2.5 is out of range; the allowed range is [0, 2]",
            ),
            ({"discounts": [[0.5], ["x"], None]}, "the discount of count 1 = 'x' must be a number"),
        ],
    )
    def test_out_of_range(self, parameters, message):
        with pytest.raises(OptionError, match=f"^{re.escape(message)}"):
            NGramLM(**{"order": 3, **parameters}).fit(TEXT)

    def test_weights_and_discounts_are_checked_before_the_text_is_read(self):
        for parameters in {"weights": (0.5,), "smoothing": "jelinek-mercer"}, {"discounts": [[0.5]]}:
            with pytest.raises(OptionError, match="give one for each of the 2 orders"):
                NGramLM(2, **parameters).fit("no such file")

    def test_an_order_above_the_longest_sentence_is_refused(self):
        with pytest.raises(DataError, match=r"order = 9: the longest sentence has 6 symbols, .* try order = 6"):
            NGramLM(9, "witten-bell").fit(TEXT)
        NGramLM(6, "witten-bell").fit(TEXT)

    def test_a_text_too_small_is_refused_with_the_way_out(self):
        with pytest.raises(DataError, match=r"no 1-gram has the .* count 3: .* try discount_fallback = True"):
            NGramLM(3).fit(TEXT)

    def test_marks_in_the_text(self):
        with pytest.raises(DataError, match="sentence 2 of the list of sentences holds '</s>'"):
            NGramLM(2, "witten-bell").fit(["a b", "a </s> b"])
        with_marks = NGramLM(2, "witten-bell", skip_symbols=True).fit(["a b", "a </s> b <s>"])
        assert with_marks.log_prob("a b") == NGramLM(2, "witten-bell").fit(["a b", "a b"]).log_prob("a b")

    def test_a_vocabulary_given(self):
        words = ["the", "a", "cat", "elephant"]
        model = NGramLM(2, "witten-bell").fit(TEXT, vocab=iter(words))

        assert sorted(model.vocabulary.words[3:]) == sorted(words[:3])
        assert [row.order for row in model.word_scores("the cat ran")] == [2, 2, 1, 1]
        assert model.next_word_distribution("the").sum() == pytest.approx(1, abs=1e-5)
        for vocab, error, message in (
            (["elephant"], DataError, "no word of vocab"),
            ("the", OptionError, "vocab = 'the' must be several words"),
            (5, OptionError, "vocab = 5 must be several words"),
        ):
            with pytest.raises(error, match=message):
                NGramLM(2, "witten-bell").fit(TEXT, vocab=vocab)

    def test_rare_words_are_unknown(self):
        model = NGramLM(2, "witten-bell", min_count=2).fit(TEXT)

        assert "mouse" not in model.vocabulary
        assert model.next_word_distribution("a")[0] > model.next_word_distribution("the")[0]

    @pytest.mark.parametrize("smoothing", SMOOTHING_NAMES)
    def test_every_smoothing_is_a_distribution(self, smoothing):
        model = NGramLM(3, smoothing, discount_fallback=smoothing in DISCOUNTING).fit(TEXT)

        for context in [], ["the", "cat"], ["mouse", "mouse"]:
            if smoothing != "stupid-backoff":  # whose scores are not meant to be
                assert model.next_word_distribution(context).sum() == pytest.approx(1, abs=1e-5)
        assert np.isfinite(model.log_prob("the cat ran"))

    def test_without_end_marks_only_words_are_predicted(self):
        model = NGramLM(2, "witten-bell", eos=False).fit(TEXT)

        assert model.next_word_distribution("the")[2] == 0
        assert model.evaluate(["the cat"]).tokens == 2
        assert [row.word for row in model.word_scores("the cat")] == ["the", "cat"]

    def test_heldout_text_sets_the_weights(self):
        like_training = NGramLM(3, "jelinek-mercer").fit(TEXT, heldout=TEXT)
        unlike = NGramLM(3, "jelinek-mercer").fit(TEXT, heldout=["mouse cat the a", "down dog the"])

        assert like_training.perplexity(TEXT) < unlike.perplexity(TEXT)

    @pytest.mark.parametrize("given", [{"heldout": ["the <s> cat"]}, {"vocab": ["elephant"]}, {"counts_out": "no/way"}])
    def test_a_fit_that_fails_leaves_a_trained_model_as_it_was(self, tmp_path, given):
        if "counts_out" in given:
            given = {"counts_out": tmp_path / given["counts_out"]}
        model = NGramLM(2, "jelinek-mercer").fit(Corpus.build(TEXT, tokenizer="char"), heldout=["dog"])
        before = model.log_probs(TEXT), dict(model.provenance_), model.vocabulary.words

        with pytest.raises(DataError):
            model.fit(["a b c", "b c"], **{"heldout": ["a"], **given})
        NGramLM(2, "witten-bell").fit(TEXT, counts_out=tmp_path / "counts")
        with pytest.raises(DataError):
            model.fit_counts(tmp_path / "counts", vocab=["elephant"], heldout=["a"])

        assert np.array_equal(model.log_probs(TEXT), before[0])
        assert (model.provenance_, model.vocabulary.words) == before[1:]


class TestFiles:
    @pytest.mark.parametrize("name", ["model.safetensors", "model.arpa", "model.arpa.gz"])
    def test_round_trip(self, small, tmp_path, name):
        small.save(tmp_path / name)

        loaded = windrow.load(tmp_path / name)

        assert isinstance(loaded, NGramLM)
        assert loaded.vocabulary.words == small.vocabulary.words
        np.testing.assert_allclose(loaded.log_probs(TEXT), small.log_probs(TEXT), atol=1e-4)
        if name.endswith("safetensors"):
            assert loaded.get_params() == small.get_params()
            np.testing.assert_array_equal(loaded.log_probs(TEXT), small.log_probs(TEXT))

    def test_quantized(self, small, tmp_path):
        rounded = small.quantized(8)
        assert NGramLM.quantised is NGramLM.quantized  # the name of before
        rounded.save(tmp_path / "q.safetensors")

        np.testing.assert_allclose(
            windrow.load(tmp_path / "q.safetensors").log_probs(TEXT), small.log_probs(TEXT), rtol=0.05
        )

    def test_counts_in_and_out(self, tmp_path):
        direct = NGramLM(3, "witten-bell").fit(TEXT, counts_out=tmp_path / "counts.gz")

        again = NGramLM(3, "witten-bell").fit_counts(tmp_path / "counts.gz")

        np.testing.assert_allclose(sorted(again.log_probs(TEXT)), sorted(direct.log_probs(TEXT)), atol=1e-5)

    def test_counts_of_a_higher_order(self, tmp_path):
        NGramLM(4, "witten-bell").fit(TEXT, counts_out=tmp_path / "counts")
        direct = NGramLM(2, discount_fallback=True).fit(TEXT)

        again = NGramLM(2, discount_fallback=True).fit_counts(tmp_path / "counts")

        assert again.table_.sizes == direct.table_.sizes
        np.testing.assert_allclose(sorted(again.log_probs(TEXT)), sorted(direct.log_probs(TEXT)), atol=1e-5)

    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ({"order": 3}, "order = 3: the counts are of order 2; count again, or lower it"),
            ({"eos": False}, "eos = False does not fit the </s> of the counts: they have it; try eos = True"),
            ({"bos": False}, "bos = False does not fit the <s> of the counts: they have it; try bos = True"),
            ({"min_count": 2}, "min_count = 2 changes how text is counted"),
            ({"max_vocab": 9}, "max_vocab = 9 changes how text is counted"),
            ({"memory": 1 << 20}, "memory = 1048576 changes how text is counted"),
            ({"smoothing": "kneser-ney", "lmplz_compat": True}, "lmplz_compat = True changes how text is counted"),
        ],
    )
    def test_what_does_not_fit_counts(self, tmp_path, parameters, message):
        NGramLM(2, "witten-bell").fit(TEXT, counts_out=tmp_path / "counts")
        with pytest.raises(OptionError, match=message):
            NGramLM(**{"order": 2, "smoothing": "witten-bell", **parameters}).fit_counts(tmp_path / "counts")

    def test_words_with_white_space_of_other_programs(self, tmp_path):
        lines = ["\\data\\", "ngram 1=3", "", "\\1-grams:", "-0.5\t</s>", "-0.7\ta", "-0.4\ta\u00a0b", "", "\\end\\"]
        (tmp_path / "m.arpa").write_text("\n".join(lines) + "\n", encoding="utf-8")
        model = windrow.load(tmp_path / "m.arpa")

        assert model.vocabulary.words[3:] == ["a", "a\u00a0b"]
        np.testing.assert_allclose(model.log_probs(["a a"]), [-1.9], atol=1e-6)
        np.testing.assert_allclose(model.score_stream(np.array([1, 4, 2], np.int32)), [0, -0.4, -0.5], atol=1e-6)

    @pytest.mark.parametrize("name", ["m.lm", "M.LM.GZ", "m.arpa.bz2"])
    def test_other_names_of_arpa_files(self, small, tmp_path, name):
        if name.endswith("bz2"):
            small.save(tmp_path / "m.arpa")
            (tmp_path / name).write_bytes(bz2.compress((tmp_path / "m.arpa").read_bytes()))
            with pytest.raises(OptionError, match=r"ARPA files are compressed as \.gz or not at all"):
                small.save(tmp_path / name)
        else:
            small.save(tmp_path / name)

        np.testing.assert_allclose(NGramLM.load(tmp_path / name).log_probs(TEXT), small.log_probs(TEXT), atol=1e-5)

    def test_another_kind_of_file(self, tmp_path):
        windrow.WordVectors(["a"], np.ones((1, 2), np.float32)).save(tmp_path / "v.safetensors")
        with pytest.raises(FormatError, match="holds word vectors, not an n-gram language model"):
            NGramLM.load(tmp_path / "v.safetensors")

    def test_cut_short(self, small, tmp_path):
        small.save(tmp_path / "m.safetensors")
        data = (tmp_path / "m.safetensors").read_bytes()
        (tmp_path / "m.safetensors").write_bytes(data[: len(data) // 2])
        with pytest.raises(FormatError, match="cut short"):
            windrow.load(tmp_path / "m.safetensors")


@pytest.fixture(scope="module")
def toyland(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("toyland")
    generate(folder, sentences=60_000)
    return folder


class TestToyland:
    def true_perplexity(self, folder: Path) -> float:
        log10_probs = np.loadtxt(folder / "test.log10prob")
        tokens = sum(len(line.split()) + 1 for line in (folder / "test.txt").read_text().splitlines())
        return float(10 ** (-log10_probs.sum() / tokens))

    @pytest.mark.parametrize("smoothing", [name for name in SMOOTHING_NAMES if name not in ("stupid-backoff", "mle")])
    def test_no_model_beats_the_truth(self, toyland, smoothing):
        model = NGramLM(6, smoothing, discount_fallback=smoothing in DISCOUNTING).fit(toyland / "train.txt")

        assert model.perplexity(toyland / "test.txt") > self.true_perplexity(toyland)

    def test_the_best_order_comes_near(self, toyland):
        """From 25,000 sentences it stays 15 % above: sentences are as long as 11 words, and half of them are new."""
        model = NGramLM(10, discount_fallback=True).fit(toyland / "train.txt")

        assert model.perplexity(toyland / "test.txt") < 1.1 * self.true_perplexity(toyland)

    def test_more_memory_changes_nothing(self, toyland):
        free = NGramLM(4).fit(toyland / "train.txt")
        bounded = NGramLM(4, memory=1 << 22).fit(toyland / "train.txt")

        assert bounded.table_.sizes == free.table_.sizes
        lines = (toyland / "test.txt").read_text().splitlines()
        np.testing.assert_array_equal(bounded.log_probs(lines), free.log_probs(lines))

    def test_entropy_pruning_costs_little(self, toyland):
        # Kneser-Ney suffers more: its lower orders do not tell how likely a context is (Chelba et al. 2010).
        full = NGramLM(4, "witten-bell").fit(toyland / "train.txt")
        pruned = NGramLM(4, "witten-bell", entropy_prune=1e-6).fit(toyland / "train.txt")

        assert sum(pruned.table_.sizes) < 0.8 * sum(full.table_.sizes)
        assert pruned.perplexity(toyland / "test.txt") < 1.02 * full.perplexity(toyland / "test.txt")


@needs_data
@pytest.mark.parametrize(("order", "expected"), [(3, 226.051), (5, 220.139)])
def test_wikitext_perplexity_is_kenlms(order, expected):
    """KenLM's, of lmplz's model with <unk> renamed to an ordinary word: it then knows one more word, <unk>."""
    folder = Path(os.environ["WINDROW_DATA"]) / "wikitext-2"
    model = NGramLM(order).fit(folder / "train.txt")

    assert model.perplexity(folder / "test.txt") == pytest.approx(expected, rel=1e-4)


@needs_data
def test_an_arpa_file_of_lmplz_gives_kenlms_perplexity():
    folder = Path(os.environ["WINDROW_DATA"]) / "arpa"
    result = windrow.load(folder / "order5.arpa").evaluate(folder / "heldout.txt")

    assert (result.tokens, result.oov) == (19_918, 3_037)
    assert result.perplexity == pytest.approx(499.0437064, rel=1e-6)
    assert result.perplexity_excluding_oov == pytest.approx(229.2426530, rel=1e-6)


@needs_data
@pytest.mark.parametrize(("order", "prune"), [(5, ()), (3, (0, 0, 1))])
def test_kenlm_scores_our_arpa_file_as_we_do(tmp_path, order, prune):
    kenlm = pytest.importorskip("kenlm", reason="kenlm builds on Linux with Python 3.11 and 3.12")
    folder = Path(os.environ["WINDROW_DATA"]) / "arpa"
    model = NGramLM(order, prune=prune).fit(folder / "text.txt")
    model.save(tmp_path / "ours.arpa")
    theirs = kenlm.Model(str(tmp_path / "ours.arpa"))
    lines = (folder / "heldout.txt").read_text("utf-8").split("\n")[:-1]

    ours = model.log_probs(lines)

    sums = np.array([sum(score for score, _, _ in theirs.full_scores(line)) for line in lines])
    np.testing.assert_allclose(ours, sums, rtol=0, atol=1e-4)
    # Its own sums are in single precision: 6e-4 off for lines of 300 words.
    short = [place for place, line in enumerate(lines) if len(line.split()) < 40]
    np.testing.assert_allclose(ours[short], [theirs.score(lines[place]) for place in short], rtol=0, atol=1e-4)
    result = model.evaluate(folder / "heldout.txt")
    assert result.perplexity == pytest.approx(10 ** (-sums.sum() / result.tokens), rel=1e-5)


def test_text_is_cut_as_in_training():
    text = ["The cat, the dog.", "A cat!"] * 3
    model = NGramLM(2, "witten-bell").fit(Corpus.build(text, tokenizer="word", lowercase=True))

    assert model.evaluate(["THE CAT."]).oov == 0
    assert model.text_settings == {"tokenizer": "word", "lowercase": True}
    foreign = NGramLM(2, "witten-bell").fit(Corpus.build(text, tokenizer="shlex:split"))
    assert foreign.text_settings == {}
