"""A probabilistic grammar of templates and lexicon entries: draws sentences, with the exact probability of each.

A derivation draws a topic, one of its templates, one lexicon entry for each variable of the template (the country whose
capital and river the sentence names), and one of the phrases of each slot that has several. Every sentence has one
derivation. So the probability of a sentence is that of its derivation, and the entropy of the language is a sum over
templates, variables and slots.
"""

from __future__ import annotations

import math
import re
import tomllib
from bisect import bisect
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from windrow.errors import LARGEST_WHOLE, DataError, check_whole

Phrase = tuple[str, ...]
OUTSIDE = "O"
_PART = re.compile(r"\[(?P<entity>[A-Z]+)\s|(?P<close>\])|\{(?P<slot>[^}]*)\}|(?P<word>[^\s\[\]{}]+)|\s+")
_SLOT = re.compile(r"(?P<variable>(?P<word_class>[a-z]+)(?:_\d+)?)\.(?P<form>[a-z]+)")


class Entry(NamedTuple):
    """A line of a lexicon table: its probability within its class, and the equally likely phrases of each form."""

    probability: float
    forms: dict[str, tuple[Phrase, ...]]


@dataclass(frozen=True)
class WordClass:
    """A lexicon table; ``entities`` maps a form to the type of entity that it names."""

    name: str
    entries: tuple[Entry, ...]
    entities: Mapping[str, str]

    @property
    def forms(self) -> list[str]:
        """The names of the columns."""
        return list(self.entries[0].forms)


class Part(NamedTuple):
    """A piece of a template: a literal ``word``, or a slot (``variable``, ``word_class``, ``form``)."""

    word: str
    variable: str
    word_class: str
    form: str
    entity: str  # its type, or ""
    opens: bool  # whether the entity starts here


@dataclass(frozen=True)
class Template:
    """A sentence with slots; ``probability`` is that of the topic times that of the template within the topic."""

    topic: str
    probability: float
    parts: tuple[Part, ...]
    text: str

    @property
    def variables(self) -> dict[str, str]:
        """The class of every variable, in the order in which they first occur."""
        return {part.variable: part.word_class for part in self.parts if part.variable}


class Sentence(NamedTuple):
    """A draw: lower-case tokens, the entity tag of each (B-PER, I-PER, O, ...), and its log10 probability."""

    tokens: list[str]
    tags: list[str]
    log10_prob: float


class Grammar:
    """Templates and a lexicon, as ``load`` reads them from two TOML files.

    Raises DataError, which names the template or the line of a table that is wrong.
    """

    def __init__(self, lexicon: Mapping[str, Any], rules: Mapping[str, Any]) -> None:
        shift = lexicon["shift"]
        self.classes = {name: _read_class(name, table, shift) for name, table in lexicon.items() if name != "shift"}
        self.templates = [template for topic in _weighted(rules["topic"]) for template in self._read_topic(*topic)]
        self.analogies: dict[str, tuple[str, str]] = {
            analogy["section"]: tuple(analogy["pair"]) for analogy in rules.get("analogy", [])
        }
        self._template_sums = list(accumulate(template.probability for template in self.templates))
        self._entry_sums = {
            name: list(accumulate(entry.probability for entry in word_class.entries))
            for name, word_class in self.classes.items()
        }
        self._index = _index_phrases(self.classes)

    @classmethod
    def load(cls, directory: str | Path | None = None) -> Grammar:
        """Read lexicon.toml and grammar.toml in ``directory`` (default: Toyland's own)."""
        folder = Path(__file__).parent if directory is None else Path(directory)
        lexicon, rules = (_read_toml(folder / name) for name in ("lexicon.toml", "grammar.toml"))
        return cls(lexicon, rules)

    def draw(self, rng: Random) -> Sentence:
        """Draw one sentence; uses only ``rng.random()``, the same in every version of Python."""
        template = self.templates[_pick(self._template_sums, rng)]
        probability = template.probability
        entries: dict[str, Entry] = {}
        for variable, class_name in template.variables.items():
            entries[variable] = self.classes[class_name].entries[_pick(self._entry_sums[class_name], rng)]
            probability *= entries[variable].probability
        tokens: list[str] = []
        tags: list[str] = []
        for part in template.parts:
            phrases = entries[part.variable].forms[part.form] if part.variable else ((part.word,),)
            phrase = phrases[int(rng.random() * len(phrases))] if len(phrases) > 1 else phrases[0]
            probability /= len(phrases)
            tokens += phrase
            tags += _tags(part, len(phrase))
        return Sentence(tokens, tags, math.log10(probability))

    def sentences(self, count: int, seed: int) -> Iterator[Sentence]:
        """``count`` independent draws, the same for the same ``seed``."""
        rng = Random(check_whole("seed", seed, 0, 8 * LARGEST_WHOLE))  # Toyland's files have seeds of their own
        for _ in range(count):
            yield self.draw(rng)

    def derivations(self, tokens: Sequence[str]) -> list[float]:
        """The probabilities of all derivations of a sentence: one if it is in the language, else none."""
        return [
            probability
            for template in self.templates
            for probability in self._match(template.parts, tuple(tokens), {}, template.probability)
        ]

    def log10_prob(self, tokens: Sequence[str]) -> float:
        """The log10 probability of a sentence, its end included; -inf if it is not in the language."""
        probability = math.fsum(self.derivations(tokens))
        return math.log10(probability) if probability else -math.inf

    def entropy(self) -> float:
        """The exact entropy of a sentence in bits, which is that of a derivation, since each sentence has one.

        By the chain rule: that of the template, of an entry for each variable, of a phrase for each slot.
        """
        entry_bits = {
            name: -math.fsum(entry.probability * math.log2(entry.probability) for entry in word_class.entries)
            for name, word_class in self.classes.items()
        }
        return math.fsum(
            template.probability
            * (
                -math.log2(template.probability)
                + math.fsum(entry_bits[class_name] for class_name in template.variables.values())
                + math.fsum(self._mean(part, lambda phrases: math.log2(len(phrases))) for part in template.parts)
            )
            for template in self.templates
        )

    def expected_tokens(self) -> float:
        """The exact mean number of tokens per sentence, the end mark included."""
        return math.fsum(
            template.probability * (1 + math.fsum(self._mean(part, _mean_length) for part in template.parts))
            for template in self.templates
        )

    def perplexity(self) -> float:
        """The perplexity per token (end mark included) of the grammar itself: no model has a lower one."""
        return float(2 ** (self.entropy() / self.expected_tokens()))

    def _mean(self, part: Part, value: Callable[[tuple[Phrase, ...]], float]) -> float:
        """The mean of ``value(phrases)`` over the entries that may fill ``part``."""
        if not part.variable:
            return value(((part.word,),))
        entries = self.classes[part.word_class].entries
        return math.fsum(entry.probability * value(entry.forms[part.form]) for entry in entries)

    def _match(
        self, parts: tuple[Part, ...], tokens: Phrase, bound: dict[str, int], probability: float
    ) -> Iterator[float]:
        """The probabilities of all ways to read ``tokens`` as ``parts``, given the variables ``bound`` so far."""
        if not parts or not tokens:
            if not parts and not tokens:
                yield probability
            return
        part = parts[0]
        if not part.variable:
            if tokens[0] == part.word:
                yield from self._match(parts[1:], tokens[1:], bound, probability)
            return
        for entry_index, phrase, phrase_probability in self._index[part.word_class, part.form].get(tokens[0], ()):
            if bound.get(part.variable, entry_index) != entry_index or tokens[: len(phrase)] != phrase:
                continue
            known = part.variable in bound
            entry = self.classes[part.word_class].entries[entry_index]
            yield from self._match(
                parts[1:],
                tokens[len(phrase) :],
                bound if known else {**bound, part.variable: entry_index},
                probability * phrase_probability * (1 if known else entry.probability),
            )

    def _read_topic(self, topic_probability: float, topic: Mapping[str, Any]) -> Iterator[Template]:
        rows = [line.strip().split(None, 1) for line in topic["templates"].strip().splitlines()]
        total = math.fsum(float(weight) for weight, _ in rows)
        for weight, text in rows:
            parts = tuple(self._read_template(text))
            yield Template(topic["name"], topic_probability * float(weight) / total, parts, text)

    def _read_template(self, text: str) -> Iterator[Part]:
        bracket, opens, position = "", False, 0
        while position < len(text):
            found = _PART.match(text, position)
            if found is None:
                raise DataError(f"the template {text!r} cannot be read from {text[position:]!r} on")
            position = found.end()
            if found["entity"]:
                bracket, opens = found["entity"], True
            elif found["close"]:
                bracket = ""
            elif found["word"]:
                yield Part(found["word"], "", "", "", bracket, opens)
                opens = False
            elif found["slot"] is not None:
                variable, class_name, form = self._read_slot(found["slot"], text)
                entity = bracket or self.classes[class_name].entities.get(form, "")
                yield Part("", variable, class_name, form, entity, opens or not bracket)
                opens = False

    def _read_slot(self, slot: str, text: str) -> tuple[str, str, str]:
        found = _SLOT.fullmatch(slot)
        if found is None or found["word_class"] not in self.classes:
            raise DataError(f"the template {text!r} has the slot {{{slot}}}; classes are {', '.join(self.classes)}")
        forms = self.classes[found["word_class"]].forms
        if found["form"] not in forms:
            raise DataError(f"the template {text!r} has the slot {{{slot}}}; forms are {', '.join(forms)}")
        return found["variable"], found["word_class"], found["form"]


@cache
def toyland_grammar() -> Grammar:
    """Toyland's own grammar, read once."""
    return Grammar.load()


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise DataError(f"{path} is not valid TOML: {error}") from error


def _read_class(name: str, table: Mapping[str, Any], shift: float) -> WordClass:
    header, *rows = (line.split() for line in table["table"].strip().splitlines())
    for row in rows:
        if len(row) != len(header):
            raise DataError(f"the class {name} has {len(header)} columns, but {len(row)} in the line {' '.join(row)!r}")
    # Zipf-Mandelbrot with exponent 1: divisions only, so that every platform gets the same bits.
    weights = [1 / (rank + shift) for rank in range(1, len(rows) + 1)]
    total = math.fsum(weights)
    entries = tuple(
        Entry(weight / total, {form: _phrases(cell) for form, cell in zip(header, row, strict=True)})
        for weight, row in zip(weights, rows, strict=True)
    )
    return WordClass(name, entries, table.get("entities", {}))


def _phrases(cell: str) -> tuple[Phrase, ...]:
    return tuple(tuple(phrase.split("_")) for phrase in cell.split("/"))


def _mean_length(phrases: tuple[Phrase, ...]) -> float:
    return sum(map(len, phrases)) / len(phrases)


def _weighted(topics: Sequence[Mapping[str, Any]]) -> Iterator[tuple[float, Mapping[str, Any]]]:
    total = math.fsum(topic["weight"] for topic in topics)
    return ((topic["weight"] / total, topic) for topic in topics)


def _index_phrases(
    classes: Mapping[str, WordClass],
) -> dict[tuple[str, str], dict[str, list[tuple[int, Phrase, float]]]]:
    """For every form of a class: first token -> (index of the entry, phrase, its probability within the entry)."""
    index: dict[tuple[str, str], dict[str, list[tuple[int, Phrase, float]]]] = defaultdict(lambda: defaultdict(list))
    for name, word_class in classes.items():
        for entry_index, entry in enumerate(word_class.entries):
            for form, phrases in entry.forms.items():
                for phrase in phrases:
                    index[name, form][phrase[0]].append((entry_index, phrase, 1 / len(phrases)))
    return index


def _pick(sums: list[float], rng: Random) -> int:
    # The last sum may be 1 - 1e-16, which a draw must not exceed.
    return min(bisect(sums, rng.random() * sums[-1]), len(sums) - 1)


def _tags(part: Part, length: int) -> list[str]:
    if not part.entity:
        return [OUTSIDE] * length
    inside = f"I-{part.entity}"
    return [f"B-{part.entity}" if part.opens else inside, *[inside] * (length - 1)]
