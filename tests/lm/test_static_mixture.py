"""Mixtures of n-gram models as single ones: against the definition, the mixture's own probabilities, and kenlm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.lm.contract import ToyLM
from tests.lm.ngram.models import as_naive
from tests.naive import mixtures as naive
from windrow import MixtureLM, NGramLM, load
from windrow.errors import DataError, OptionError
from windrow.lm.cache import CacheLM
from windrow.lm.ngram.arpa import read_arpa
from windrow.lm.symbols import BOS, EOS

SMOOTHINGS = ("witten-bell", "modified-kneser-ney", "katz", "add-delta", "jelinek-mercer")
ONE = ["the cat sat", "the dog ran", "a cat ran off", "the cat ran"]
TWO = ["the fox sat down", "a fox ran", "the dog sat", "a dog ran down"]


def random_part(dice: np.random.Generator, *, eos: bool = True) -> NGramLM:
    """A model of a random text, in which some words of a to g occur; pruned by entropy, a suffix may not be stored."""
    alphabet = [letter for letter in "abcdefg" if dice.random() < 0.6] or ["a"]
    lengths = dice.integers(4, 12, dice.integers(1, 8))
    texts = [" ".join(dice.choice(alphabet, length)) for length in lengths]
    smoothing = str(dice.choice(SMOOTHINGS))
    options: dict[str, Any] = {"discount_fallback": True} if smoothing in ("modified-kneser-ney", "katz") else {}
    if dice.random() < 0.3:
        options["entropy_prune"] = 0.01
    if dice.random() < 0.3:
        options["min_count"] = 2
    return NGramLM(int(dice.integers(1, 5)), smoothing, eos=eos, **options).fit(texts)


def random_mixture(seed: int) -> MixtureLM:
    """Of one to three models of random orders, vocabularies, smoothings and weights."""
    dice = np.random.default_rng(seed)
    eos, count = bool(dice.random() < 0.8), int(dice.integers(1, 4))
    return MixtureLM([random_part(dice, eos=eos) for _ in range(count)], dice.dirichlet(np.ones(count)).tolist())


def contexts_in(model: NGramLM) -> list[tuple[int, ...]]:
    return [(), *(context for context in as_naive(model.table_.unpack()).backoffs if context[-1] != EOS)]


def assert_agrees(single: NGramLM, mixture: MixtureLM) -> None:
    """Every n-gram has the mixture's probability, and all words together 1; up to the rounding of packed tables."""
    assert single.vocabulary.words == mixture.vocabulary.words
    assert single.predicts_end == mixture.predicts_end
    stored = as_naive(single.table_.unpack()).probs
    for context in contexts_in(single):
        found = single.distribution(single.start(context))
        assert abs(found.sum() - 1) < 1e-5, context
        expected = mixture.distribution(mixture.start(context))
        words = [word for word in range(found.size) if (*context, word) in stored]
        np.testing.assert_allclose(found[words], expected[words], rtol=1e-5, atol=1e-6)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_the_definition(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    try:
        mixture = random_mixture(seed)
    except DataError:  # a text too small for its smoothing
        assume(False)
    path = tmp_path_factory.mktemp("mixed") / "m.arpa"
    mixture.save(path)

    tables = [model.table_.unpack() for model in mixture.models]
    words = [table.vocabulary.words for table in tables]
    union = mixture.vocabulary.words
    expected = naive.mix([as_naive(table) for table in tables], mixture.weights_, words, union)
    written = read_arpa(path)
    assert written.vocabulary.words == union
    found = as_naive(written)
    assert found.probs.keys() == expected.probs.keys()
    assert found.backoffs.keys() == expected.backoffs.keys()
    for gram, log10_prob in expected.probs.items():
        if gram[-1] != BOS:
            assert 10 ** found.probs[gram] == pytest.approx(10**log10_prob, rel=1e-6, abs=1e-30), gram
    for context in [(), *found.backoffs]:
        by_definition = expected.distribution(list(context), len(union))
        np.testing.assert_allclose(found.distribution(list(context), len(union)), by_definition, rtol=1e-4, atol=2e-6)
    assert_agrees(mixture.to_ngram(), mixture)


def test_by_hand(tmp_path: Path) -> None:
    """x y after each other: p(y | x) is stored in one model only, the other backs off to p(y) and lacks z."""
    head, middle, end = "\\data\\\nngram 1=5\nngram 2=1\n\n\\1-grams:\n-99 <s>\n", "\n\\2-grams:\n", "\n\\end\\\n"
    one = "-1 <unk>\n-0.52288 </s>\n-0.30103 x -0.39794\n-1 y\n"
    two = "-0.39794 <unk>\n-0.69897 </s>\n-1 x\n-0.52288 z 0\n"
    (tmp_path / "1.arpa").write_text(f"{head}{one}{middle}-0.09691 x y\n{end}")
    (tmp_path / "2.arpa").write_text(f"{head}{two}{middle}-0.69897 z x\n{end}")
    parts = [load(tmp_path / name) for name in ("1.arpa", "2.arpa")]

    MixtureLM(parts, [0.25, 0.75]).save(tmp_path / "m.arpa")

    mixed = read_arpa(tmp_path / "m.arpa")
    ids = dict(zip(mixed.vocabulary.words, range(6), strict=True))
    found = {gram: 10**value for gram, value in as_naive(mixed).probs.items()}
    unk, y_of_two = 0.1 / 2, 0.4 / 2  # shared with z in the first, with y in the second
    assert found[ids["x"],] == pytest.approx(0.25 * 0.5 + 0.75 * 0.1, rel=1e-4)
    assert found[ids["y"],] == pytest.approx(0.25 * 0.1 + 0.75 * y_of_two, rel=1e-4)
    assert found[ids["z"],] == pytest.approx(0.25 * unk + 0.75 * 0.3, rel=1e-4)
    assert found[0,] == pytest.approx(0.25 * unk + 0.75 * y_of_two, rel=1e-4)
    assert found[ids["x"], ids["y"]] == pytest.approx(p_xy := 0.25 * 0.8 + 0.75 * y_of_two, rel=1e-4)
    backoff = 10 ** as_naive(mixed).backoffs[ids["x"],]
    assert backoff == pytest.approx((1 - p_xy) / (1 - found[ids["y"],]), rel=1e-4)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("smoothing", ["witten-bell", "modified-kneser-ney"])
def test_a_model_mixed_with_itself_stays_as_it_is(order: int, smoothing: str) -> None:
    part = NGramLM(order, smoothing, discount_fallback=smoothing != "witten-bell").fit(ONE)

    single = MixtureLM([part, part], [0.3, 0.7]).to_ngram()

    assert single.table_.sizes == part.table_.sizes
    for text in (*ONE, *TWO, "", "off off the zebra"):
        assert single.log_prob(text) == pytest.approx(part.log_prob(text), abs=5e-5)


def test_a_weight_of_zero_leaves_only_the_words_of_a_model() -> None:
    first, second = NGramLM(3, "witten-bell").fit(ONE), NGramLM(2, "witten-bell").fit(TWO)
    mixture = MixtureLM([first, second], [1, 0])

    assert_agrees(single := mixture.to_ngram(), mixture)
    for text in ONE:
        assert single.log_prob(text) == pytest.approx(first.log_prob(text), abs=5e-5)


def test_orders_and_vocabularies_may_differ(tmp_path: Path) -> None:
    parts = [
        NGramLM(1, "add-delta").fit(["x y"]),
        NGramLM(4, "witten-bell").fit(ONE),
        NGramLM(2, "katz", discount_fallback=True).fit(TWO),
    ]
    mixture = MixtureLM(parts).fit(["the fox ran off", "x y"])

    single = mixture.to_ngram()

    assert single.table_.order == 4
    assert_agrees(single, mixture)
    assert single.evaluate(["the fox ran off", "x y"]).oov == 0
    single.save(tmp_path / "m.safetensors")
    mixture.save(tmp_path / "m.arpa.gz")
    for path in tmp_path.iterdir():
        assert load(path).log_prob("a fox sat x") == pytest.approx(single.log_prob("a fox sat x"), abs=1e-5)


def test_models_that_store_no_ngrams_of_an_order() -> None:
    pruned = NGramLM(4, "witten-bell", entropy_prune=1e9).fit(ONE)
    assert pruned.table_.sizes[1:] == [0, 0, 0]
    mixture = MixtureLM([pruned, NGramLM(4, "witten-bell").fit(TWO)])

    assert_agrees(mixture.to_ngram(), mixture)


def test_the_beginning_of_a_sentence_is_never_predicted(tmp_path: Path) -> None:
    """As other programs' files may have it."""
    (tmp_path / "odd.arpa").write_text(
        "\\data\\\nngram 1=4\nngram 2=1\n\n\\1-grams:\n-99 <s>\n-0.60206 </s>\n-0.60206 <unk>\n-0.30103 the 0\n\n"
        "\\2-grams:\n-0.39794 the <s>\n\n\\end\\\n"
    )
    mixture = MixtureLM([load(tmp_path / "odd.arpa"), NGramLM(2, "witten-bell").fit(ONE)])

    assert_agrees(mixture.to_ngram(), mixture)


def test_mixtures_of_mixtures_are_their_models() -> None:
    first, second, third = (
        NGramLM(order, "witten-bell").fit(text) for order, text in ((2, ONE), (3, TWO), (2, ["x the"]))
    )
    mixture = MixtureLM([third, MixtureLM([first, second], [0.2, 0.8])], [0.4, 0.6])

    assert_agrees(single := mixture.to_ngram(), mixture)
    assert single.table_.order == 3


def test_the_text_is_read_as_by_the_mixture() -> None:
    parts = [NGramLM(2, "witten-bell").fit(text) for text in (ONE, TWO)]
    for part in parts:
        part.reader = part.reader.changed(lowercase=True)

    single = MixtureLM(parts).to_ngram()

    assert single.log_prob("The CAT sat") == single.log_prob("the cat sat")


def test_kenlm_agrees(tmp_path: Path) -> None:
    kenlm = pytest.importorskip("kenlm", reason="kenlm builds on Linux with Python 3.11 and 3.12")
    parts = [NGramLM(order, "witten-bell").fit(text) for order, text in ((3, ONE), (2, TWO))]
    MixtureLM(parts, [0.3, 0.7]).save(tmp_path / "m.arpa")

    theirs, ours = kenlm.Model(str(tmp_path / "m.arpa")), load(tmp_path / "m.arpa")

    assert theirs.order == 3
    for text in (*ONE, *TWO, "", "the zebra sat", "off off"):
        assert theirs.score(text) == pytest.approx(ours.log_prob(text), abs=1e-5)


# --- what cannot be one


def unfit_mixtures() -> list[tuple[MixtureLM, str]]:
    part, other = NGramLM(2, "witten-bell").fit(ONE), NGramLM(2, "witten-bell").fit(TWO)
    with_cache = MixtureLM([part, CacheLM(part.vocabulary, 9)])
    return [
        (MixtureLM([part, other], method="log-linear"), "a log-linear mixture"),
        (with_cache, "a mixture with a CacheLM"),
        (MixtureLM([other, with_cache]), "a mixture with a CacheLM"),
        (MixtureLM([part, ToyLM.random(1)]), "a mixture with a ToyLM"),
        (MixtureLM([part, NGramLM(2, "stupid-backoff").fit(TWO)]), "a mixture with stupid back-off"),
    ]


@pytest.mark.parametrize("number", range(5))
def test_other_mixtures_are_refused(number: int, tmp_path: Path) -> None:
    mixture, what = unfit_mixtures()[number]

    for name in ("m.arpa", "m.arpa.gz"):
        with pytest.raises(
            OptionError, match=rf"{name}: an ARPA file cannot hold {what}.*; name a \.safetensors file$"
        ):
            mixture.save(tmp_path / name)
    with pytest.raises(OptionError, match=rf"^an n-gram model cannot hold {what}.* as a \.safetensors file$"):
        mixture.to_ngram()
    assert not list(tmp_path.iterdir())
