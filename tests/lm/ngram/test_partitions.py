"""N-grams counted and estimated in partitions: the bits of one piece, however the text is cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.elsewhere import Elsewhere
from tests.lm.ngram.test_estimation import counts_of, possible_order, sentences, vocabulary_of
from tests.naive.ngrams import stream_of
from windrow import NGramLM
from windrow.distributed import InProcess
from windrow.errors import DataError, OptionError
from windrow.lm.ngram import partitions
from windrow.lm.ngram.estimation import estimate
from windrow.lm.ngram.kernels.partitions import NO_PART
from windrow.lm.ngram.levels import BackoffModel, NGramCounts
from windrow.lm.ngram.partition_estimation import estimate_partitions
from windrow.lm.ngram.partitions import CountedPartitions, start_counting
from windrow.lm.ngram.settings import DISCOUNTING
from windrow.lm.ngram.smoothing import SMOOTHINGS

# A worker that holds next to nothing has the text cut into the smallest pieces, one of two symbols the least.
workers = st.builds(Elsewhere, count=st.integers(1, 4), memory=st.integers(300, 6000))


def stream(texts: list[list[int]], eos: bool = True) -> Any:
    return np.array(stream_of(texts, eos), np.int32)


def in_partitions(texts: list[list[int]], order: int, workers: InProcess, bos: bool, eos: bool) -> CountedPartitions:
    return start_counting(stream(texts, eos), vocabulary_of(texts), order, workers, bos=bos)


def bits(found: NGramCounts | BackoffModel) -> list[Any]:
    """All that is in counts or a model, to be compared exactly."""
    levels = [(a.dtype, a.tobytes()) if a is not None else None for level in found.levels for a in level]
    if isinstance(found, BackoffModel):
        rest: Any = found.unseen_backoff
    else:
        rest = None if found.initial is None else [marks.tolist() for marks in found.initial]
    return [found.vocabulary.words, found.vocabulary.counts.tolist(), levels, rest]


@settings(max_examples=50, deadline=None)
@given(sentences, st.integers(1, 5), workers, st.booleans(), st.booleans())
def test_counts_are_those_of_one_piece(
    texts: list[list[int]], order: int, workers: InProcess, bos: bool, eos: bool
) -> None:
    expected = counts_of(texts, order, bos, eos)
    found = in_partitions(texts, order, workers, bos, eos).collect()
    assert [level.counts.tolist() for level in found.levels] == [level.counts.tolist() for level in expected.levels]
    assert bits(found) == bits(expected)


@settings(max_examples=120, deadline=None)
@given(st.data(), sentences, workers, st.booleans(), st.booleans(), st.sampled_from(list(SMOOTHINGS)))
def test_models_are_those_of_one_piece(
    data: Any, texts: list[list[int]], workers: InProcess, bos: bool, eos: bool, smoothing: str
) -> None:
    order = possible_order(texts, data.draw(st.integers(1, 5)), bos + eos)
    options: dict[str, Any] = {"open_vocabulary": data.draw(st.booleans())}
    if smoothing in DISCOUNTING:
        options["discount_fallback"] = True
    if options["open_vocabulary"]:
        of_words: list[dict[str, Any]] = [{}, {"interpolate_unigrams": False}, {"vocab_pad": 12}, {"unk_mass": 0.1}]
        options |= data.draw(st.sampled_from(of_words))
    if SMOOTHINGS[smoothing].backs_off:
        options["interpolate"] = data.draw(st.booleans())
    if smoothing == "jelinek-mercer":
        options["weights"] = [0.3] * order
    if data.draw(st.booleans()):
        options["prune"] = sorted(data.draw(st.lists(st.integers(0, 2), min_size=1, max_size=order)))
    if data.draw(st.booleans()):
        options["keep_words"] = np.array([True] * 3 + data.draw(st.lists(st.booleans(), min_size=5, max_size=5)))
    try:
        expected = estimate(counts_of(texts, order, bos, eos), smoothing, **options)
    except DataError as error:
        with pytest.raises(DataError) as raised:
            estimate_partitions(in_partitions(texts, order, workers, bos, eos), smoothing, **options)
        assert str(raised.value) == str(error)
        return
    found = estimate_partitions(in_partitions(texts, order, workers, bos, eos), smoothing, **options)
    assert bits(found) == bits(expected)


def test_text_is_cut_where_a_worker_would_hold_too_much() -> None:
    text = np.tile(np.arange(3, 1003, dtype=np.int32), 50)
    text[0] = 1
    memory = 400_000
    plan = partitions.plan(text, 1003, 5, bos=True, workers=InProcess(2, memory=memory))
    shard = max(np.diff(plan.cuts))
    assert shard * partitions.shard_bytes(5) <= memory
    assert plan.partitions * memory >= text.size * partitions.window_bytes(5)
    counted = start_counting(text, vocabulary_of([[3]], 1003), 5, InProcess(2, memory=memory))
    assert counted.sizes[-1].max() * partitions.window_bytes(5) < 1.2 * memory


def test_one_bigram_cannot_be_cut() -> None:
    """Where there are fewer bigrams than parts to be made, there are fewer parts."""
    plan = partitions.plan(np.array([1, *[3] * 1000], np.int32), 4, 3, bos=True, workers=InProcess(2, memory=1000))
    assert 2 <= plan.partitions <= 3
    assert plan.partitions < NO_PART


TEXT = [" ".join("abcdefg"[(i * k) % 7] for i in range(9)) for k in range(1, 40)]


@pytest.mark.parametrize(
    "options",
    [
        {"discount_fallback": True},
        {"smoothing": "jelinek-mercer"},
        {"discount_fallback": True, "lmplz_compat": True},
        {"smoothing": "witten-bell", "entropy_prune": 1e-3},
        {"smoothing": "witten-bell", "prune": (0, 1), "quantize_bits": 4, "bos": False, "min_count": 2},
    ],
)
def test_fit(options: dict[str, Any], tmp_path: Any) -> None:
    """Also where counts must come together before the estimate."""
    alone = NGramLM(3, **options).fit(TEXT)
    here = InProcess(2, memory=2000)
    apart = NGramLM(3, **options).fit(TEXT, ray=here, counts_out=tmp_path / "counts.gz" if "prune" in options else None)
    assert here.usage.parts > 10
    for name, array in alone.table_.arrays().items():
        assert array.tobytes() == apart.table_.arrays()[name].tobytes(), name
    assert alone.vocabulary.words == apart.vocabulary.words
    assert alone.provenance_ == apart.provenance_


def test_progress_goes_forward() -> None:
    told: list[tuple[str, float]] = []
    NGramLM(3, "witten-bell").fit(TEXT, ray=InProcess(2), progress=lambda stage, done: told.append((stage, done)))
    for stage in ("counting", "estimating"):
        shares = [done for name, done in told if name == stage]
        assert shares == sorted(shares)
        assert shares[-1] == 1


def test_options_that_do_not_go_together() -> None:
    with pytest.raises(OptionError, match="memory"):
        NGramLM(3, memory=1 << 30).fit(TEXT, ray=InProcess())
    with pytest.raises(OptionError, match="ray = 5"):
        NGramLM(3).fit(TEXT, ray=5)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="HOST:PORT"):
        NGramLM(3).fit(TEXT, ray="somewhere")
