"""Which words a map shows: those that were named and their neighbors, or the most frequent ones that mean something."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING

from windrow.errors import OptionError, check_whole, shown

if TYPE_CHECKING:
    from windrow.embeddings.vectors import WordVectors

ENGLISH = "english"
# Words of English grammar: articles, pronouns, prepositions, conjunctions, auxiliaries, particles.
_ENGLISH_WORDS = (
    "a an the this that these those some any each every either neither no all both such other another own same "
    "i me my mine myself you your yours yourself yourselves he him his himself she her hers herself it its itself "
    "we us our ours ourselves they them their theirs themselves one oneself who whom whose which what whatever whoever "
    "about above across after against along among around as at before behind below beneath beside besides between "
    "beyond by despite down during except for from in inside into like near of off on onto out outside over past per "
    "since through throughout till to toward towards under until up upon via with within without "
    "and but or nor so yet if unless because although though while whereas whether than then when where why how "
    "be am is are was were been being have has had having do does did doing done will would shall should can could "
    "may might must ought cannot not n't 's 'm 're 've 'd 'll s t "
    "there here also too very just only even still again once more most much many few less least"
)
_ENGLISH = frozenset(_ENGLISH_WORDS.split())


def map_words(
    wv: WordVectors,
    words: Iterable[str] | None,
    top: int,
    stop_words: str | Iterable[str] | None,
    neighbors: int,
    arrows: Sequence[tuple[str, str]],
) -> list[str]:
    """The words of a map, each once: named ones, ends of arrows and neighbors; where none is named, the first ``top``.

    Of these, stop words and words without a letter or digit are left out, unless fewer than two are left.
    """
    check_whole("top", top, 2)
    check_whole("neighbors", neighbors, 0)
    if words is None and not arrows:
        if neighbors:
            raise OptionError(f"neighbors = {neighbors} are those of words; give words, too")
        left_out = as_stop_words(stop_words)
        meant = (word for word in wv.index_to_key if left_out is None or _is_meant(word, left_out))
        chosen = list(islice(meant, top))
        if len(chosen) < 2:  # letters, for example
            chosen = wv.index_to_key[:top]
    else:
        named = [*(words or ()), *chain.from_iterable(arrows)]
        found = (word for one in named for word, _ in wv.most_similar(one, topn=neighbors)) if neighbors else ()
        chosen = list(dict.fromkeys([*named, *found]))
    if len(chosen) < 2:
        hint = "; are they one string? Give each by itself" if any(" " in word for word in chosen) else ""
        raise OptionError(f"a map needs at least two words, got {len(chosen)}{hint}")
    return chosen


def as_stop_words(stop_words: str | Iterable[str] | None) -> frozenset[str] | None:
    """Words to leave out, in lower case; None for none. OptionError for another name than "english"."""
    if stop_words is None:
        return None
    if stop_words == ENGLISH:
        return _ENGLISH
    if isinstance(stop_words, str):
        raise OptionError(f"stop_words = {shown(stop_words)} must be 'english', a list of words, or None")
    return frozenset(word.lower() for word in stop_words)


def as_pairs(arrows: Iterable[Sequence[str]]) -> list[tuple[str, str]]:
    """Arrows as pairs of words; OptionError for anything else."""
    pairs = [() if isinstance(pair, str) else tuple(pair) for pair in arrows]
    if not all(len(pair) == 2 for pair in pairs):
        raise OptionError("arrows must be pairs of words, such as [('man', 'king'), ('woman', 'queen')]")
    return [(first, second) for first, second in pairs]


def _is_meant(word: str, left_out: frozenset[str]) -> bool:
    is_marker = word.startswith("<") and word.endswith(">")  # <unk>, </s>
    return word.lower() not in left_out and not is_marker and any(map(str.isalnum, word))
