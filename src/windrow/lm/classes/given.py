"""Classes of words that are given: as a mapping, or a file such as ``windrow vectors cluster`` writes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.corpus import Vocabulary
from windrow.corpus.streams import Meter, lines, text_pieces
from windrow.errors import DataError, OptionError, shown
from windrow.lm.symbols import SPECIALS


def given_classes(source: Any, vocabulary: Vocabulary) -> NDArray[np.int32]:
    """The class of each word of a language model, (words,); 0, 1, 2 are those of ``<unk>``, ``<s>`` and ``</s>``.

    Words that have no class there share one. Classes are numbered by the ids of their first words.

    Parameters
    ----------
    source : mapping, str or path
        The class of each word, whatever it is called; or a file with a word and its class on each line.
    vocabulary : Vocabulary
        The words of the model. Those that it does not know are ignored.

    Raises
    ------
    OptionError
        ``source`` is none of these.
    DataError
        The file cannot be read, a line is not a word and its class, or no word of the model has a class.
    """
    is_file = isinstance(source, str | os.PathLike)
    if not is_file and not isinstance(source, Mapping):
        raise OptionError(
            f"word_classes = {shown(source)} must be a file, or a mapping from words to classes: {{'cat': 1}}"
        )
    named: Mapping[str, Any] = read_classes(source) if is_file else source
    words = vocabulary.words[len(SPECIALS) :]
    if not any(word in named for word in words):
        told = f"{os.fspath(source)} has" if is_file else "word_classes have"
        raise DataError(f"{told} a class for no word of the text; are both cut into words, and lower-cased, alike?")
    numbers: dict[Any, int] = {}
    nowhere = object()
    found = [numbers.setdefault(named.get(word, nowhere), len(numbers) + len(SPECIALS)) for word in words]
    return np.array([*range(len(SPECIALS)), *found], np.int32)


def read_classes(path: str | os.PathLike[str]) -> dict[str, str]:
    """The class of each word of a file: one per line, then white space and what its class is called.

    DataError, which names the line, for one that is something else, or another class of the same word.
    """
    found: dict[str, str] = {}
    name = os.fspath(path)
    for number, line in enumerate(lines(text_pieces(name, None, Meter(None, None)), name), 1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) != 2:
            raise DataError(
                f"{name}, line {number}: {line.strip()[:60]!r} is not a word and its class; such files are written by "
                "`windrow vectors cluster`"
            )
        word, of_word = fields
        if found.setdefault(word, of_word) != of_word:
            raise DataError(f"{name}, line {number}: {word!r} has two classes, {found[word]} and {of_word}; keep one")
    return found
