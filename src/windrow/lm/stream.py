"""The input of language models: sentences as one stream of ids, each ``<s>`` w1 .. wm ``</s>``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Corpus, Vocabulary
from windrow.corpus.tables import cells_of
from windrow.errors import DataError, OptionError, check_whole, shown, warn
from windrow.lm.symbols import BOS, EOS, IN_TEXTS, SPECIALS, UNK
from windrow.machine import check_memory

Ids = NDArray[np.int32]

_DROPPED = -1  # the id of a symbol that is left out
_CACHED_TOKENS = 1 << 16  # handled at a time, so that they stay in the processor's cache
_SEARCH_TOKENS = 1 << 20
_BYTES_PER_TOKEN = 24  # of memory that a sentence takes while it is scored


def lm_vocabulary(
    corpus: Corpus,
    min_count: int = 1,
    max_vocab: int | None = None,
    *,
    skip_symbols: bool = False,
    fixed_vocab: Iterable[str] | None = None,
) -> tuple[Vocabulary, Ids]:
    """The vocabulary of a language model, and the id in it of each word of the corpus.

    ``<unk>``, ``<s>``, ``</s>`` have the ids 0, 1, 2; the other words follow by decreasing count. ``<UNK>``, ``[UNK]``
    and ``!!UNK`` are read as ``<unk>``, with a warning. The count of ``<unk>`` includes all words that are left out;
    that of ``</s>`` is the number of sentences; that of ``<s>``, which is never predicted, is 0.

    Parameters
    ----------
    corpus : Corpus
        The training text.
    min_count : int, at least 1, default 1
        Words that occur less often are left out.
    max_vocab : int, at least 4, or None, default None
        The most words of the vocabulary, the three symbols included; None: all.
    skip_symbols : bool, default False
        Leave ``<s>`` and ``</s>`` out where they stand in the text, which is an error otherwise.
    fixed_vocab : iterable of str, or None, default None
        The words, in place of those that ``min_count`` and ``max_vocab`` choose. Words that the text does not have
        come last, with the count 0.

    Returns
    -------
    vocabulary : Vocabulary
    mapping : array of int32, shape (corpus words + 1,)
        The last entry is for -1, the id of words that the corpus left out.

    Raises
    ------
    DataError
        No word is kept, or the text holds ``<s>`` or ``</s>``.
    """
    check_whole("min_count", min_count, 1)
    if max_vocab is not None:
        check_whole("max_vocab", max_vocab, len(SPECIALS) + 1)
    words, counts = corpus.vocabulary.words, corpus.vocabulary.counts
    symbols = _symbol_places(corpus, skip_symbols)
    unknown_words = _unknown_words(corpus)
    order = np.argsort(-counts, kind="stable")
    order = order[~np.isin(order, [*symbols.values(), *unknown_words])]
    unknown = corpus.tokens - int(counts.sum()) + int(counts[unknown_words].sum())
    chosen, unseen = (order, []) if fixed_vocab is None else _only_fixed(corpus, order, fixed_vocab)
    unknown += int(counts[order].sum()) - int(counts[chosen].sum())
    numbers = [unknown, 0, len(corpus)], counts[chosen], [0] * len(unseen)
    everything = Vocabulary(
        [*SPECIALS, *map(words.__getitem__, chosen.tolist()), *unseen],
        np.concatenate([np.array(part, np.int64) for part in numbers]),
        SPECIALS,
    )
    vocabulary = everything
    if fixed_vocab is None:
        vocabulary = everything.head(everything.prefix_size(min_count, max_vocab))
        if len(vocabulary) == len(SPECIALS):
            raise DataError(f"min_count = {min_count}: no word of {corpus.name} occurs so often; try a lower one")
    kept = chosen[: len(vocabulary) - len(SPECIALS)]
    mapping = np.full(len(words) + 1, UNK, np.int32)
    mapping[kept] = np.arange(len(SPECIALS), len(SPECIALS) + kept.size)
    return vocabulary, _without_marks(mapping, symbols)


def _only_fixed(corpus: Corpus, places: NDArray[Any], fixed_vocab: Iterable[str]) -> tuple[NDArray[Any], list[str]]:
    """Those of the places in the corpus vocabulary that hold given words, and the given words that the text has not."""
    known = corpus.vocabulary
    symbols = {*SPECIALS, *(spelling for spelling, symbol in IN_TEXTS.items() if symbol == UNK)}
    wanted = [word for word in dict.fromkeys(fixed_vocab) if word not in symbols]  # as SRILM's lists have them
    is_wanted = np.zeros(len(known), np.bool_)
    is_wanted[[known.id_of(word) for word in wanted if word in known]] = True
    chosen = places[is_wanted[places]]
    if not chosen.size:
        raise DataError("no word of fixed_vocab occurs in the text; are both cut into words in the same way?")
    seen = set(map(known.words.__getitem__, chosen.tolist()))
    return chosen, [word for word in wanted if word not in seen]


def word_mapping(corpus: Corpus, vocabulary: Vocabulary, *, skip_symbols: bool = False) -> Ids:
    """The id in a model's ``vocabulary`` of each word of the corpus, and of -1, as from ``lm_vocabulary``."""
    symbols = _symbol_places(corpus, skip_symbols)
    mapping = np.append(vocabulary.encode(corpus.vocabulary.words), np.int32(UNK))
    return _without_marks(mapping, symbols)


def unknown_share(corpus: Corpus, mapping: Ids) -> float:
    """Which share of the words of a corpus a mapping makes ``<unk>``, in [0, 1]."""
    known = int(corpus.vocabulary.counts[mapping[:-1] != UNK].sum())
    return (corpus.tokens - known) / max(corpus.tokens, 1)


def training_stream(corpus: Corpus, mapping: Ids, *, eos: bool = True) -> Ids:
    """The whole text as one stream, (tokens + 2 sentences,) int32; an empty sentence is ``<s> </s>``.

    ``mapping`` is that of ``lm_vocabulary`` or ``word_mapping``. ``eos=False`` leaves ``</s>`` out; ``<s>`` always
    separates the sentences.
    """
    symbols = corpus.tokens + (1 + eos) * len(corpus)
    check_memory(4 * symbols, f"the {symbols:,} symbols of {corpus.name}", "give less text")
    stream = np.empty(symbols, np.int32)
    size = 0
    for block in _blocks(corpus, mapping, _CACHED_TOKENS, eos):
        stream[size : size + len(block)] = block
        size += len(block)
    return stream[:size]


def sentence_blocks(
    corpus: Corpus,
    vocabulary: Vocabulary,
    block_tokens: int = 1 << 20,
    *,
    eos: bool = True,
    skip_symbols: bool = False,
) -> Iterator[Ids]:
    """The text as streams of whole sentences and about ``block_tokens`` tokens, in the ids of a model's vocabulary.

    A longer sentence is a block of its own. Raises DataError as ``lm_vocabulary``.
    """
    check_whole("block_tokens", block_tokens, 1)
    return _blocks(corpus, word_mapping(corpus, vocabulary, skip_symbols=skip_symbols), block_tokens, eos)


def several(sentences: Any, method: str, for_one: str, *, may_name_files: bool = False) -> Iterator[Any]:
    """The sentences of an iterable, one by one; OptionError for a single string, a table, a mapping and the like.

    ``method``, ``for_one``: of a model, which takes several sentences or a single one, for messages.
    ``may_name_files``: a sentence may be the name of a file.
    """
    if isinstance(sentences, str):
        raise OptionError(f"{method} takes several sentences; use {for_one} for a single one")
    return cells_of(sentences, expected=f"{method} takes an iterable of sentences", may_name_files=may_name_files)


def several_words(name: str, words: Any) -> list[str]:
    """The words of an argument of this name; OptionError for a single string, and for what is no word."""
    if isinstance(words, str) or not isinstance(words, Iterable):
        raise OptionError(f"{name} = {shown(words)} must be several words: {name}=['the', 'cat']")
    found = list(words)
    for word in found:
        if not isinstance(word, str) or not word:
            raise OptionError(f"{name} holds {shown(word)}, which is no word; give strings that are not empty")
    return found


def first_tokens(blocks: Iterable[Ids], tokens: int) -> Iterator[Ids]:
    """The beginning of a text in blocks, up to that many tokens; ``<s>`` does not count."""
    for block in blocks:
        seen = np.cumsum(block != BOS)
        yield block[: np.searchsorted(seen, tokens, "right")]
        tokens -= int(seen[-1])
        if tokens <= 0:
            return


def _symbol_places(corpus: Corpus, skip_symbols: bool) -> dict[str, int]:
    """The corpus ids of the symbols that are in its vocabulary; DataError for a mark in the text, unless skipped."""
    vocabulary = corpus.vocabulary
    places = {symbol: vocabulary.id_of(symbol) for symbol in SPECIALS if symbol in vocabulary}
    in_text = [symbol for symbol in SPECIALS[BOS:] if symbol in places and vocabulary.counts[places[symbol]] > 0]
    if in_text and not skip_symbols:
        where = f"sentence {_sentence_with(corpus, places[in_text[0]])} of {corpus.name}"
        raise reserved_symbol(in_text[0], where, can_skip=True)
    return places


def _unknown_words(corpus: Corpus) -> list[int]:
    """The corpus ids of ``<unk>`` and of its other spellings; warns of spellings that are not windrow's."""
    vocabulary = corpus.vocabulary
    found = {spelling: symbol for spelling, symbol in IN_TEXTS.items() if spelling in vocabulary}
    if found:
        told = [
            f"{spelling} is read as {SPECIALS[symbol] if symbol == UNK else 'an ordinary word'}"
            for spelling, symbol in found.items()
        ]
        warn(f"{corpus.name}: {'; '.join(told)}")
    spellings = [SPECIALS[UNK], *(spelling for spelling, symbol in found.items() if symbol == UNK)]
    return [vocabulary.id_of(spelling) for spelling in spellings if spelling in vocabulary]


def reserved_symbol(symbol: str, where: str, *, can_skip: bool = False) -> DataError:
    """The error for a sentence mark among the words; ``can_skip``: there is an option ``skip_symbols`` at the door."""
    way_out = ", or leave such symbols out with skip_symbols = True" if can_skip else ""
    return DataError(
        f"{where} holds {symbol!r}, which marks where sentences begin or end and is added by itself; take it out"
        f"{way_out}"
    )


def _sentence_with(corpus: Corpus, word_id: int) -> int:
    """The number, from 1, of the first sentence that holds the word; 0 if none does."""
    for begin in range(0, corpus.tokens, _SEARCH_TOKENS):
        places = np.flatnonzero(corpus.ids[begin : begin + _SEARCH_TOKENS] == word_id)
        if places.size:
            return int(np.searchsorted(corpus.starts, begin + places[0], "right"))
    return 0


def _without_marks(mapping: Ids, symbols: dict[str, int]) -> Ids:
    mapping[[symbols[symbol] for symbol in SPECIALS[BOS:] if symbol in symbols]] = _DROPPED
    return mapping


def _blocks(corpus: Corpus, mapping: Ids, block_tokens: int, eos: bool) -> Iterator[Ids]:
    drops = bool((mapping == _DROPPED).any())
    for first, last in _sentence_ranges(corpus, block_tokens):
        starts = np.array(corpus.starts[first : last + 1])
        if (tokens := int(starts[-1] - starts[0])) > block_tokens:
            told = f"the {tokens:,} words of sentence {first + 1} of {corpus.name}"
            check_memory(_BYTES_PER_TOKEN * tokens, told, "break it into several")
        ids = mapping.take(corpus.ids[starts[0] : starts[-1]], mode="wrap")  # so that -1 takes the last entry
        starts -= starts[0]
        if drops:
            kept = ids != _DROPPED
            starts = np.concatenate([[0], np.cumsum(kept)])[starts]
            ids = ids[kept]
        yield _with_marks(ids, starts, eos)


def _sentence_ranges(corpus: Corpus, block_tokens: int) -> Iterator[tuple[int, int]]:
    """Runs of sentences with at most ``block_tokens`` tokens, or of one sentence."""
    first = 0
    while first < len(corpus):
        fitting = int(np.searchsorted(corpus.starts, corpus.starts[first] + block_tokens, "right")) - 1
        last = min(max(fitting, first + 1), first + block_tokens)  # of empty sentences there may be any number
        yield first, last
        first = last


def _with_marks(ids: Ids, starts: NDArray[np.int64], eos: bool) -> Ids:
    """Put ``<s>`` before and ``</s>`` after each of the sentences that begin at ``starts`` (sentences + 1,)."""
    if not eos:
        return np.insert(ids, starts[:-1], BOS)
    borders = np.column_stack([starts[:-1], starts[1:]]).ravel()
    return np.insert(ids, borders, np.tile(np.array([BOS, EOS], np.int32), len(starts) - 1))
