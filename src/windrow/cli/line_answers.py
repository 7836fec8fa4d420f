"""What a language model says of lines and records: a number, a row for each word, JSON, or the line itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from math import inf, isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from windrow.cli.line_sources import Chunk, Lines, lines_in

if TYPE_CHECKING:
    from windrow.lm.base import LanguageModel
    from windrow.lm.buckets import PerplexityBuckets
    from windrow.lm.line_scores import LineScores

KEYS = ("log10_prob", "tokens", "oov", "perplexity")  # those of ``lm perplexity --json``
_ROWS_AT_A_TIME = 8192


class Asked(NamedTuple):
    """What is asked of each line."""

    form: str = "log10"  # or "perplexity", "words", "json", "lines": those that pass
    field: str | None = None
    skip_symbols: bool = False
    least: float = -inf  # perplexity of lines that pass
    most: float = inf
    buckets: PerplexityBuckets | None = None
    kept: tuple[int, ...] = ()  # buckets whose lines pass, by their places; without any, of all


class Tally:
    """What was answered so far."""

    def __init__(self) -> None:
        self.lines = self.passed = 0
        self.replaced: set[str] = set()  # fields of records whose place scores have taken

    def add(self, other: Tally) -> None:
        """Count what another one counted."""
        self.lines += other.lines
        self.passed += other.passed
        self.replaced |= other.replaced


class Answered(NamedTuple):
    """The answers to the lines of a chunk."""

    name: str  # of their file
    header: str  # of CSV
    pieces: Iterable[str | bytes]
    tally: Tally  # which counts the lines of the pieces that have been taken


def answered(model: LanguageModel, asked: Asked, chunk: Chunk) -> Answered:
    """The answers to a chunk, made as they are taken."""
    tally = Tally()
    return Answered(chunk.name, chunk.header, answers(model, asked, chunk, tally), tally)


def open_answers(path: str, reading: dict[str, Any], asked: Asked) -> Callable[[Chunk], Answered]:
    """``answered`` for a process of its own: the model in a file, which reads strings so."""
    from windrow.cli.lm_files import load_model

    model = load_model(path)
    model.reader = model.reader.changed(**reading)

    def of(chunk: Chunk) -> Answered:
        found = answered(model, asked, chunk)
        return found._replace(pieces=list(found.pieces))

    return of


def answers(model: LanguageModel, asked: Asked, chunk: Chunk, tally: Tally) -> Iterator[str | bytes]:
    """What is printed for the lines of a chunk, in pieces; ``tally`` counts them."""
    if asked.form == "words":
        for sentence in _sentences(model, lines_in(chunk, asked.field), asked.skip_symbols)[0]:
            yield from _rows_of_words(model, sentence)
        return
    lines, scores = scores_of(model, asked, chunk)
    tally.lines += len(scores.tokens)
    if asked.form == "lines" and lines.block:
        places = _places_that_pass(scores, asked, tally)
        written = lines.block.split(b"\n")
        yield b"\n".join([*map(written.__getitem__, places), b""])
        return
    yield "".join(f"{one}\n" for one in _FORMS[asked.form](lines, scores, asked, tally))


def scores_of(model: LanguageModel, asked: Asked, chunk: Chunk) -> tuple[Lines, LineScores]:
    """The lines or records of a chunk, and their scores."""
    from windrow.lm.symbols import BOS, SPECIALS

    block = chunk.block
    if block and not (b">" in block and any(mark.encode() in block for mark in SPECIALS[BOS:])):
        return Lines((), (), None, str, block=block), model.evaluate_text(block)
    lines = lines_in(chunk, asked.field)
    sentences, sizes = _sentences(model, lines, asked.skip_symbols)
    scores = model.evaluate_lines(sentences)
    return lines, scores if sizes is None else scores.joined(sizes)


# --- sentences


def _sentences(
    model: LanguageModel, lines: Lines, skip_symbols: bool
) -> tuple[Sequence[str | list[str]], list[int] | None]:
    """The sentences of all lines, and how many each line has where some have several, as in a text of their own."""
    from windrow.lm.symbols import BOS, SPECIALS

    texts, sizes, kind = lines.texts, None, model.reader.sentences
    if lines.fields is not None and kind != "document":
        cut = [_cut(text, kind) for text in texts]
        texts, sizes = [sentence for some in cut for sentence in some], [*map(len, cut)]
    bos, eos = SPECIALS[BOS:]
    marked = [place for place, text in enumerate(texts) if bos in text or eos in text]
    if marked:
        texts = [*texts]
        line_of = range(len(texts)) if sizes is None else [line for line, size in enumerate(sizes) for _ in range(size)]
        for place in marked:
            texts[place] = _without_marks(model, texts[place], lines.where(line_of[place]), skip_symbols)
    return texts, sizes


def _cut(text: str | list[str], kind: str) -> list[str | list[str]]:
    from windrow.corpus.sentences import with_sentence_ends

    if not isinstance(text, str) or "\n" not in text:
        return [text]
    ended = text if text.endswith("\n") else text + "\n"
    return [*"".join(with_sentence_ends([ended], kind)).removesuffix("\n").split("\n")]


def _without_marks(model: LanguageModel, text: str | list[str], where: str, skip: bool) -> list[str]:
    """The words of a sentence without sentence marks, if these are to be left out; else DataError names its line."""
    from windrow.lm.stream import reserved_symbol
    from windrow.lm.symbols import BOS, SPECIALS

    words, marks = model.reader.words_of(text), SPECIALS[BOS:]
    found = [word for word in words if word in marks]
    if found and not skip:
        raise reserved_symbol(found[0], where, can_skip=True)
    return [word for word in words if word not in marks]


# --- what is printed


def _log10_probs(_: Lines, scores: LineScores, __: Asked, ___: Tally) -> Iterator[str]:
    return (f"{value:.6f}" for value in scores.log10_probs.tolist())


def _perplexities(_: Lines, scores: LineScores, __: Asked, ___: Tally) -> Iterator[str]:
    return (f"{value:.4f}" for value in scores.perplexities.tolist())


def _json_rows(lines: Lines, scores: LineScores, asked: Asked, tally: Tally) -> Iterator[str]:
    columns = [*(values.tolist() for values in scores), scores.perplexities.tolist()]
    buckets = None if asked.buckets is None else asked.buckets.names_of(scores.perplexities)
    for place, values in enumerate(zip(*columns, strict=True)):
        numbers = dict[str, Any](zip(KEYS, (value if isfinite(value) else None for value in values), strict=True))
        if buckets is not None:
            numbers["bucket"] = buckets[place]
        yield json.dumps(numbers) if lines.fields is None else with_fields(lines, place, numbers, tally.replaced)


def with_fields(lines: Lines, place: int, found: dict[str, Any], replaced: set[str]) -> str:
    """A record as JSON, with what was found of it; ``replaced`` gets the names of fields whose place that takes."""
    assert lines.fields is not None
    clashes = lines.fields[place].keys() & found.keys()
    replaced |= clashes
    if lines.is_json and not clashes:  # numbers such as 0.10 and 1e400, escapes: all stays as it was written
        before = lines.written[place].rstrip().removesuffix("}").rstrip()
        return f"{before}, {json.dumps(found).removeprefix('{')}"
    return json.dumps({**fields_of(lines, place), **found})


def _lines_that_pass(lines: Lines, scores: LineScores, asked: Asked, tally: Tally) -> list[str]:
    return [_line(lines, place) for place in _places_that_pass(scores, asked, tally)]


def _places_that_pass(scores: LineScores, asked: Asked, tally: Tally) -> list[int]:
    from numpy import isin

    passes = (scores.perplexities >= asked.least) & (scores.perplexities <= asked.most)
    if asked.buckets is not None:
        passes &= isin(asked.buckets.places_of(scores.perplexities), asked.kept)
    places: list[int] = passes.nonzero()[0].tolist()
    tally.passed += len(places)
    return places


def _line(lines: Lines, place: int) -> str:
    """A line or record as it stands in its file, or as JSON."""
    return lines.written[place] if _is_text(lines, place) else json.dumps(fields_of(lines, place))


def _is_text(lines: Lines, place: int) -> bool:
    """Whether a line or record stands in its file as text."""
    return bool(lines.fields is None or lines.written[place])


def fields_of(lines: Lines, place: int) -> Any:
    """The fields of a record, for JSON."""
    from windrow.corpus.whole_records import as_json

    assert lines.fields is not None
    fields = lines.fields[place]
    return fields if _is_text(lines, place) else as_json(fields)


_FORMS: dict[str, Callable[[Lines, LineScores, Asked, Tally], Iterable[str]]] = {
    "log10": _log10_probs,
    "perplexity": _perplexities,
    "json": _json_rows,
    "lines": _lines_that_pass,
}


def _rows_of_words(model: LanguageModel, sentence: str | list[str]) -> Iterator[str]:
    """A row for each word of a sentence, and an empty one, many at a time."""
    rows = (
        [s.word, f"{s.log10_prob:.6f}", *([str(s.order)] if s.order else []), *(["OOV"] if s.oov else [])]
        for s in model.iter_word_scores(sentence)
    )
    while some := ["\t".join(row) + "\n" for row in islice(rows, _ROWS_AT_A_TIME)]:
        yield "".join(some)
    yield "\n"
