"""Models made smaller or mended: sums of one after every operation, sizes as asked, kenlm as a reader."""

from __future__ import annotations

import itertools
import os

import kenlm
import numpy as np
import pytest

import windrow
from tests.naive.smoothing import METHODS
from windrow import NGramLM
from windrow.errors import DataError, DataWarning, NotFittedError, OptionError
from windrow.lm.ngram.smoothing import SMOOTHINGS

dice = np.random.default_rng(3)
WORDS = ["the", "cat", "dog", "sat", "ran", "on", "mat", "off", "a", "big"]
TEXT = [" ".join(dice.choice(WORDS, 6, p=np.arange(10, 0, -1) / 55)) for _ in range(150)]
OPERATIONS = {
    "threshold": lambda model: model.pruned(1e-3),
    "n-grams": lambda model: model.pruned(max_ngrams=100),
    "bytes": lambda model: model.pruned(max_bytes=12_500),
    "order": lambda model: model.pruned(order=2),
    "order and n-grams": lambda model: model.pruned(order=2, max_ngrams=40),
    "words": lambda model: model.filtered(WORDS[:4]),
    "renormalized": lambda model: model.renormalized(),
    "words, then n-grams": lambda model: model.filtered(WORDS[:6]).pruned(max_ngrams=30),
}


def trained(smoothing: str = "modified-kneser-ney", order: int = 3, **options) -> NGramLM:
    more = {"discount_fallback": True} if SMOOTHINGS[smoothing].discounts else {}
    return NGramLM(order, smoothing, **more, **options).fit(TEXT)


def sum_after(model: NGramLM, context: list[str]) -> float:
    return float(model.next_word_distribution(context).sum())


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("smoothing", sorted(METHODS.keys() - {"stupid-backoff"}))
def test_every_distribution_sums_to_one(smoothing, operation):
    model = trained(smoothing)

    smaller = OPERATIONS[operation](model)

    assert operation == "renormalized" or sum(smaller.table_.sizes) < sum(model.table_.sizes)
    for context in itertools.product(["the", "mat", "zebra"], repeat=2):
        assert sum_after(smaller, list(context)) == pytest.approx(1, abs=1e-5), context
    assert smaller.log_prob("the cat sat on") < 0


def test_sizes_are_those_asked_for(tmp_path):
    model = trained(keep := "witten-bell")
    file = tmp_path / "small.safetensors"
    for ngrams in (13, 60, 200):
        smaller = model.pruned(max_ngrams=ngrams)
        assert ngrams - 5 < sum(smaller.table_.sizes) <= ngrams
        assert model.pruned(smaller.entropy_prune).table_.sizes == smaller.table_.sizes
        smaller.save(file)
        exact = file.stat().st_size
        smaller = model.pruned(max_bytes=exact)
        smaller.save(file)
        assert file.stat().st_size <= exact
        assert sum(smaller.table_.sizes) >= ngrams - 5
    everything = model.pruned(max_ngrams=10**9, max_bytes=10**9, entropy_prune=0)
    assert (everything.table_.sizes, everything.entropy_prune) == (model.table_.sizes, None)
    assert everything.smoothing == keep
    assert everything.provenance_ == model.provenance_


def test_the_parameters_of_a_lower_order_fit_it():
    model = NGramLM(4, "jelinek-mercer", weights=[0.5, 0.6, 0.7, 0.8], prune=(0, 0, 1, 1)).fit(TEXT)
    shorter = model.pruned(order=2)
    assert (shorter.order, shorter.weights, shorter.prune) == (2, [0.5, 0.6], (0, 0))
    shorter.fit(TEXT)
    assert sum_after(trained("stupid-backoff").pruned(order=1), []) == pytest.approx(1, abs=1e-5)


def test_words_that_go_are_unknown():
    model = trained()
    fewer = model.filtered(["the", "cat", "zebra"])
    assert fewer.vocabulary.words == [
        word for word in model.vocabulary.words if word in ("the", "cat") or word[0] == "<"
    ]
    assert fewer.vocabulary.counts.sum() == model.vocabulary.counts.sum()
    for words in ("the", "the cat", "cat cat the"):
        assert fewer.log_prob(words) == pytest.approx(model.log_prob(words), abs=1e-5)
    others = [word for word in WORDS if word not in ("the", "cat")]
    expected = sum(10 ** (model.log_prob(["the", word], eos=False)) for word in [*others, "zebra"])
    assert 10 ** fewer.log_prob("the mat", eos=False) == pytest.approx(expected, rel=1e-4)


def test_kenlm_reads_what_is_written(tmp_path):
    model = trained()
    for operation in ("n-grams", "words", "order"):
        smaller = OPERATIONS[operation](model)
        smaller.save(tmp_path / "small.arpa")
        theirs = kenlm.Model(os.fspath(tmp_path / "small.arpa"))
        for line in TEXT[:20]:
            assert theirs.score(line) == pytest.approx(smaller.log_prob(line), abs=1e-4)


def test_a_file_whose_sums_are_wrong_is_mended_and_told(tmp_path):
    lines = ["-0.5 <unk>", "-99 <s> -0.2", "-0.5 </s>", "-0.5 a -0.1", "-0.6 b"]
    longer = ["-0.3 <s> a", "-0.1 a b", "-0.1 a a"]  # after a more than 1
    parts = ["\\data\\", "ngram 1=5", "ngram 2=3", "\\1-grams:", *lines, "\\2-grams:", *longer, "\\end\\"]
    (tmp_path / "broken.arpa").write_text("\n".join(parts))
    model = windrow.load(tmp_path / "broken.arpa")
    assert sum_after(model, ["a"]) > 1.5
    mended = model.renormalized()
    with pytest.warns(DataWarning, match=r"after 6 of 6 contexts do not sum to one, but to 1\.059 to 2\.091") as told:
        pruned = model.pruned(
            max_ngrams=7
        )  # after <s> 0.501 + 0.631 (1.2 - 0.316), after a 2 0.794 + 0.794 (1.2 - 0.567)
    assert str(told[0].message).startswith(f"{tmp_path / 'broken.arpa'}: ")
    assert pruned.table_.sizes == [5, 2]
    for one in (mended, pruned):
        for context in ([], ["a"], ["b"], ["zebra"]):
            assert sum_after(one, context) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda model: model.pruned(), "nothing says what to leave out"),
        (lambda model: model.pruned(-1), "entropy_prune"),
        (lambda model: model.pruned(float("nan")), "entropy_prune"),
        (lambda model: model.pruned(order=4), "order = 4"),
        (lambda model: model.pruned(max_ngrams=12), r"13 words, which are all kept; try max_ngrams = 13"),
        (lambda model: model.pruned(max_ngrams=0), "max_ngrams = 0"),
        (lambda model: model.pruned(max_bytes=99), r"max_bytes = 99: the words alone.* take [\d,]+ bytes; try"),
        (lambda model: model.filtered("the cat"), r"words = 'the cat' must be several words: words=\['the', 'cat'\]"),
        (lambda model: trained("stupid-backoff").pruned(0.1), "stupid back-off"),
        (lambda model: trained("stupid-backoff").filtered(["the"]), "stupid back-off"),
        (lambda model: trained("stupid-backoff").renormalized(), "stupid back-off"),
    ],
)
def test_what_cannot_be_is_refused(call, told):
    with pytest.raises(OptionError, match=told):
        call(trained())


def test_words_that_it_does_not_know():
    with pytest.raises(DataError, match="knows none of the words"):
        trained().filtered(["zebra"])
    for call in (NGramLM.renormalized, lambda model: model.pruned(1), lambda model: model.filtered(["a"])):
        with pytest.raises(NotFittedError):
            call(NGramLM())
