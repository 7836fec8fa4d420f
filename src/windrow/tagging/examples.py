"""Sentences as users give them: checked, and in blocks."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from windrow.corpus.sources import describe, find_files, locations
from windrow.corpus.tables import cells_of, why_no_sentence
from windrow.corpus.tokenizers import with_numbers_as_words
from windrow.errors import DataError, OptionError
from windrow.evaluation.spans import spans_of
from windrow.tagging.columns import Columns
from windrow.tagging.conll import read_conll

Tagged = Iterable[Sequence[Sequence[str]]]  # sentences as (tokens, tags), such as TaggedSentence
Source = Tagged | str | os.PathLike[str] | Sequence[os.PathLike[str]]
_FIRST_AND_LAST = Columns()
Example = tuple[Sequence[str], Sequence[str]]  # tokens, tags


def name_of(source: Source) -> str:
    """What messages call the sentences."""
    return describe(source) if locations(source) else "the given list"


def read_examples(source: Source, columns: Columns = _FIRST_AND_LAST) -> list[Example]:
    """The sentences of CoNLL files, or of a list of (tokens, tags); those without tokens are left out.

    Raises DataError, with the number of the sentence, for what is no such pair, and where no token is left; OptionError
    for columns of a list.
    """
    if (places := locations(source)) is not None:
        files = [file for place in places for file in find_files(place)]
        examples: list[Example] = [(tokens, tags) for file in files for tokens, tags, _ in read_conll(file, *columns)]
    else:
        columns.refuse_for_lists()
        pairs = cells_of(source, expected="sentences are a path, a list of paths, or a list of (tokens, tags)")
        examples = [_checked(sentence, number) for number, sentence in enumerate(pairs, 1)]
    examples = [example for example in examples if example[0]]
    if not examples:
        expected = "pairs (tokens, tags)" if places is None else "a token and its tag on each line"
        raise DataError(f"{name_of(source)} holds no tokens; expected {expected}")
    return examples


def _checked(sentence: Sequence[Sequence[str]], number: int) -> Example:
    try:
        tokens, tags = sentence[:2]
    except (TypeError, ValueError, KeyError):
        raise DataError(f"sentence {number} is no pair (tokens, tags)") from None
    if isinstance(tokens, str) or isinstance(tags, str):
        raise DataError(f"sentence {number} has a string for its tokens or tags; give lists of them")
    tokens = _tokens(tokens, number)
    if len(tokens) != len(tags):
        raise DataError(f"sentence {number} has {len(tokens)} tokens and {len(tags)} tags")
    try:
        spans_of(tags)
    except DataError as error:
        raise DataError(f"sentence {number}: {error}") from None
    return tokens, tags


def _tokens(sentence: Any, number: int) -> list[str]:
    """The tokens of a sentence, which may hold white space, unlike those of a text."""
    if (reason := why_no_sentence(sentence)) is not None:
        raise DataError(f"sentence {number} must be a list of tokens, {reason}")
    if isinstance(sentence, list) and all(isinstance(token, str) for token in sentence):
        return sentence
    tokens = with_numbers_as_words(sentence)
    if not all(isinstance(token, str) for token in tokens):
        bad = next(token for token in tokens if not isinstance(token, str))
        raise DataError(f"sentence {number}: the token {bad!r} must be a string")
    return tokens


def types_of(examples: Iterable[Example]) -> set[str]:
    """The types of their entities."""
    return {span.type for _, tags in examples for span in spans_of(tags)}


def check_known_types(found: Iterable[str], source: Source, learned: Sequence[str]) -> None:
    """Raise DataError for types of entities that a trained tagger has no tags for."""
    unknown = sorted(set(found) - set(learned))
    if unknown:
        raise DataError(
            f"{name_of(source)} has entities of the types {', '.join(unknown)}, which the tagger to continue has not "
            f"learned; it knows {', '.join(learned)}: name the types to learn, types=..., or train a new tagger"
        )


def check_types(found: Iterable[str], source: Source, types: Sequence[str] | None) -> None:
    """Raise DataError where training would have no entities, OptionError for wanted types that do not occur."""
    known = set(found)
    if not known:
        raise DataError(
            f"{name_of(source)} holds no entities to learn: every tag is O; is the tag in another column? "
            "Number it: tag_column=N"
        )
    missing = sorted(set(types or ()) - known)
    if missing:
        raise OptionError(f"types = {missing} are no entities of {name_of(source)}; it has {', '.join(sorted(known))}")


def blocks(sentences: Iterable[Sequence[str]], tokens: int) -> Iterator[list[Sequence[str]]]:
    """The sentences in lists of at least so many tokens; DataError for a sentence that is no list of tokens."""
    block: list[Sequence[str]] = []
    held = 0
    several = [sentences] if isinstance(sentences, str) else sentences
    for number, sentence in enumerate(cells_of(several, expected="predict takes a list of sentences"), 1):
        if isinstance(sentence, str):
            raise DataError(f"sentence {number} is a string; give a list of its tokens")
        block.append(_tokens(sentence, number))
        held += len(block[-1])
        if held >= tokens:
            yield block
            block, held = [], 0
    if block:
        yield block
