"""The files of Toyland: text, exact log probabilities, analogies, word similarities, entities, a summary."""

from __future__ import annotations

import json
import math
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import count, islice, permutations
from pathlib import Path
from random import Random
from typing import Any

from windrow.corpus.toyland.grammar import OUTSIDE, Grammar, Sentence, toyland_grammar
from windrow.errors import DataError, check_whole
from windrow.files.writing import atomic_write, followed, refuse_standard_output

DEFAULT_SENTENCES = 25_000
DEFAULT_SEED = 1
QUESTIONS_PER_SECTION = 250
PAIRS_PER_LEVEL = 100
# What two words have in common in the lexicon, from most to least, and the score of such a pair.
SIMILARITY_SCORES = {"entry": 9, "form": 6, "class": 3, "nothing": 0}
MOST_SENTENCES = 1_000_000  # held in memory, which takes about a kilobyte each
_SMALL_WORDS = {"of", "and"}  # not capitalized within a name
# Each file has a random stream of its own, so that a change to one leaves the others as they are.
_STREAMS = ("train", "valid", "test", "analogies", "similarity", "ner-train", "ner-valid", "ner-test")

SUMMARY = "toyland.json"

Home = tuple[str, int, str]  # class, index of the entry, form


def generate(
    directory: str | os.PathLike[str], *, sentences: int = DEFAULT_SENTENCES, seed: int = DEFAULT_SEED
) -> dict[str, Any]:
    """Write a corpus with ``sentences`` training sentences into ``directory``; return its summary.

    Equal arguments give equal files, byte for byte. All parts are drawn independently: valid and test have a twentieth
    as many sentences as train; the entity files a tenth (train) and a hundredth (valid, test). The summary, also in
    toyland.json, has sizes, the entropy, and the lowest perplexity that is possible. Raises OptionError for a number of
    sentences that is not from 1 to a million (they are held in memory) or a negative seed, DataError when the folder
    cannot be written, or holds other files and no Toyland.
    """
    sentences, seed = check_whole("sentences", sentences, 1, MOST_SENTENCES), check_whole("seed", seed, 0)
    folder = _own_folder(directory)
    grammar = toyland_grammar()
    streams = {name: len(_STREAMS) * seed + number for number, name in enumerate(_STREAMS)}
    sizes = {"train": sentences, "valid": max(1, sentences // 20), "test": max(1, sentences // 20)}
    texts = {split: list(grammar.sentences(size, streams[split])) for split, size in sizes.items()}
    summary = _summary(grammar, seed, texts)
    _write_lines(folder / SUMMARY, [json.dumps(summary, indent=2)])  # first: it tells whose folder this is
    for split, text in texts.items():
        _write_lines(folder / f"{split}.txt", (" ".join(sentence.tokens) for sentence in text))
    _write_lines(folder / "test.log10prob", (f"{sentence.log10_prob:.6f}" for sentence in texts["test"]))
    _write_lines(folder / "analogies.txt", analogy_lines(grammar, streams["analogies"]))
    _write_lines(folder / "similarity.tsv", similarity_lines(grammar, streams["similarity"]))
    for split, divisor in (("train", 10), ("valid", 100), ("test", 100)):
        size = max(1, sentences // divisor)
        _write_lines(folder / f"ner-{split}.conll", conll_lines(grammar, size, streams[f"ner-{split}"]))
    return summary


def _own_folder(directory: str | os.PathLike[str]) -> Path:
    """The folder, made if it is not there; DataError for one in which somebody else's files are."""
    refuse_standard_output(directory)
    folder = Path(directory)
    try:
        folder = followed(folder)
        folder.mkdir(parents=True, exist_ok=True)
        other = next(iter(sorted(folder.iterdir())), None)
    except OSError as error:
        raise DataError(f"cannot make the folder {folder}: {error.strerror or error}") from error
    if other is not None and not _is_toyland(folder / SUMMARY):
        raise DataError(f"{folder} holds {other.name}, and is no folder of Toyland's; name a new folder")
    return folder


def _is_toyland(summary: Path) -> bool:
    try:
        found = json.loads(summary.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("corpus") == "toyland"


def analogy_lines(grammar: Grammar, seed: int) -> Iterator[str]:
    """Questions in Google's format, ``a b c d``, with a line ``: NAME`` before each section."""
    rng = Random(seed)
    for section, (first, second) in grammar.analogies.items():
        class_name, form = first.split(".")
        other_form = second.split(".")[1]
        pairs = [
            f"{entry.forms[form][0][0]} {entry.forms[other_form][0][0]}"
            for entry in grammar.classes[class_name].entries
        ]
        questions = [f"{pair} {other}" for pair, other in permutations(pairs, 2)]
        yield f": {section}"
        yield from _sample(questions, QUESTIONS_PER_SECTION, rng)


def similarity_lines(grammar: Grammar, seed: int) -> Iterator[str]:
    """Pairs ``word<TAB>word<TAB>score``; the score says what the two words have in common in the lexicon."""
    rng = Random(seed)
    homes = _single_homes(grammar)
    for shared, score in SIMILARITY_SCORES.items():
        found = 0
        for first in _sample(list(homes), len(homes), rng):
            partners = [word for word in homes if word != first and _shared(homes[first], homes[word]) == shared]
            if partners:
                yield f"{first}\t{_sample(partners, 1, rng)[0]}\t{score}"
                found += 1
            if found == PAIRS_PER_LEVEL:
                break


def conll_lines(grammar: Grammar, size: int, seed: int) -> Iterator[str]:
    """``size`` sentences with entities: one ``Token TAG`` per line, an empty line after each sentence."""
    rng = Random(seed)
    draws = (grammar.draw(rng) for _ in count())
    for sentence in islice((draw for draw in draws if set(draw.tags) != {OUTSIDE}), size):
        yield from map(" ".join, zip(_capitalized(sentence), sentence.tags, strict=True))
        yield ""


def _single_homes(grammar: Grammar) -> dict[str, Home]:
    """The place in the lexicon of every word that is there once and is not a fixed word of a template."""
    homes: dict[str, list[Home]] = defaultdict(list)
    for name, word_class in grammar.classes.items():
        for entry_index, entry in enumerate(word_class.entries):
            for form, phrases in entry.forms.items():
                for phrase in phrases:
                    for word in phrase:
                        homes[word].append((name, entry_index, form))
    fixed = {part.word for template in grammar.templates for part in template.parts}
    return {word: places[0] for word, places in homes.items() if len(places) == 1 and word not in fixed}


def _shared(home: Home, other: Home) -> str:
    if home[0] != other[0]:
        return "nothing"
    if home[1] == other[1]:
        return "entry"
    return "form" if home[2] == other[2] else "class"


def _sample(items: Sequence[str], size: int, rng: Random) -> list[str]:
    """``size`` of the items without replacement; uses only ``rng.random()``, the same in every version of Python."""
    return sorted(items, key=lambda _: rng.random())[:size]


def _capitalized(sentence: Sentence) -> Iterator[str]:
    for position, (token, tag) in enumerate(zip(sentence.tokens, sentence.tags, strict=True)):
        inside_name = tag != OUTSIDE and token not in _SMALL_WORDS
        yield token.capitalize() if position == 0 or inside_name else token


def _summary(grammar: Grammar, seed: int, texts: dict[str, list[Sentence]]) -> dict[str, Any]:
    """Sizes, and the best possible perplexity: on the language, and on the sentences of test.txt."""
    log10_prob = math.fsum(sentence.log10_prob for sentence in texts["test"])
    test_tokens = _token_count(texts["test"]) + len(texts["test"])
    return {
        "corpus": "toyland",
        "seed": seed,
        "sentences": {split: len(text) for split, text in texts.items()},
        "tokens": {split: _token_count(text) for split, text in texts.items()},
        "types": len({token for sentence in texts["train"] for token in sentence.tokens}),
        "entropy_bits_per_sentence": round(grammar.entropy(), 6),
        "mean_tokens_with_end_mark": round(grammar.expected_tokens(), 6),
        "perplexity": round(grammar.perplexity(), 6),
        "test": {
            "tokens_with_end_marks": test_tokens,
            "log10_prob": round(log10_prob, 6),
            "perplexity": round(10 ** (-log10_prob / test_tokens), 6),
        },
    }


def _token_count(text: Iterable[Sentence]) -> int:
    return sum(len(sentence.tokens) for sentence in text)


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(f"{line}\n" for line in lines)
