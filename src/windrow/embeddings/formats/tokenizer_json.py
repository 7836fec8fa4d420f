"""``tokenizer.json`` of Hugging Face's ``tokenizers``: written for whole words, and read for its tokens."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from windrow.corpus.folding import language_code
from windrow.corpus.reading import TextReader
from windrow.corpus.tokenizers import shown_name
from windrow.corpus.word_pattern import first_word_pattern, word_pattern
from windrow.errors import DataError, FormatError, shown, warn

Part = dict[str, Any]  # of a tokenizer.json

WORDS = "WordLevel"  # the model whose tokens are whole words
_MODELS = (WORDS, "WordPiece", "BPE", "Unigram")
_UNKNOWN = "[UNK]"


class Tokens(NamedTuple):
    """The tokens of a tokenizer by their ids."""

    model: str  # one of _MODELS
    texts: list[str]
    unknown: int | None  # the id that stands for all that the tokenizer does not know


# --- writing


def write_tokenizer(words: Sequence[str], provenance: Mapping[str, Any], path: Path) -> None:
    """Write a tokenizer that cuts text as the training text was, whose ids are the rows of the words.

    One id more, the last one, stands for all other words.
    """
    reader = _reader(words, provenance, path.parent)
    vocabulary = {word: row for row, word in enumerate(words)}
    unknown = _UNKNOWN
    while unknown in vocabulary:
        unknown = f"[{unknown}]"
    vocabulary[unknown] = len(words)
    content: Part = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": _in_turn("normalizers", _normalizers(reader)),
        "pre_tokenizer": _pre_tokenizer(reader),
        "post_processor": None,
        "decoder": None,
        "model": {"type": WORDS, "vocab": vocabulary, "unk_token": unknown},
    }
    path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")


def _reader(words: Sequence[str], provenance: Mapping[str, Any], path: Path) -> TextReader:
    """How text becomes words: as a model remembers it, and in lower case also where no word has a capital."""
    reader = TextReader.remembered(provenance) if "tokenizer" in provenance else TextReader()
    if reader.tokenizer not in ("whitespace", "word"):
        warn(
            f"{path}: tokenizer.json cannot cut text as {shown_name(reader.name)} does: it cuts at white space; give "
            "it tokens with spaces between them"
        )
        reader = TextReader(lowercase=reader.lowercase, language=reader.language, normalize=reader.normalize)
    if not reader.lowercase and all(word == word.lower() for word in words):
        reader = reader.changed(lowercase=True)  # what has a capital would be unknown
    return reader


def _normalizers(reader: TextReader) -> list[Part]:
    """The steps of ``fold_function``."""
    form = [{"type": reader.normalize.upper()}] if reader.normalize else []
    if not reader.lowercase:
        return form
    # Lowercase takes letter by letter, and so would not know the sigma that ends a word.
    sigma = _replace({"Regex": r"(?<=\p{L})Σ(?!\p{L})"}, "ς")
    return [*form, *_LOWERED_FIRST.get(language_code(reader.language or ""), []), sigma, {"type": "Lowercase"}, *form]


def _replace(pattern: dict[str, str], content: str) -> Part:
    return {"type": "Replace", "pattern": pattern, "content": content}


_TURKIC = [_replace({"String": upper}, lower) for upper, lower in (("I\u0307", "i"), ("\u0130", "i"), ("I", "\u0131"))]
_LITHUANIAN = [
    *(
        _replace({"Regex": f"{upper}(?=[\u0300\u0301\u0303])"}, f"{upper.lower()}\u0307")
        for upper in ("I", "J", "\u012e")
    ),
    *(
        _replace({"String": upper}, lower)
        for upper, lower in (("\u00cc", "i\u0307\u0300"), ("\u00cd", "i\u0307\u0301"), ("\u0128", "i\u0307\u0303"))
    ),
]
_LOWERED_FIRST = {"tr": _TURKIC, "az": _TURKIC, "lt": _LITHUANIAN}


def _pre_tokenizer(reader: TextReader) -> Part:
    if reader.tokenizer == "whitespace":
        return {"type": "WhitespaceSplit"}
    pattern = (first_word_pattern() if reader.version == 1 else word_pattern()).pattern
    # Oniguruma's \w has no numerals such as fractions, Python's has.
    pattern = pattern.replace(r"[^\W_]", r"[\p{L}\p{N}]").replace(r"\w", r"\p{L}\p{N}_")
    # ``invert``: what the pattern finds is kept, and all between is removed.
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Removed", "invert": True}


def _in_turn(kind: str, steps: list[Part]) -> Part | None:
    if len(steps) < 2:
        return steps[0] if steps else None
    return {"type": "Sequence", kind: steps}


# --- reading


def read_tokens(path: Path) -> Tokens:
    """The tokens of any tokenizer, by their ids; FormatError for one of an unknown kind, or with gaps among its ids."""
    content = read_json(path)
    model = content.get("model")
    if not isinstance(model, Mapping):
        raise FormatError(f"{path} holds no tokenizer: it has no model")
    kind, vocabulary = model.get("type"), model.get("vocab")
    if kind is None and isinstance(vocabulary, Mapping):  # of a time when none was written
        kind = "BPE" if "merges" in model else "WordPiece" if "continuing_subword_prefix" in model else WORDS
    if kind not in _MODELS:
        known = ", ".join(_MODELS)
        raise FormatError(f"{path} has a tokenizer of the unknown model {shown(kind)}; windrow reads {known}")
    try:
        pairs = (
            [(piece, number) for number, (piece, _) in enumerate(vocabulary or ())]
            if kind == "Unigram"
            else list(dict(vocabulary or {}).items())
        )
        added = [(one["content"], one["id"]) for one in content.get("added_tokens") or ()]
        texts = {number: text for text, number in [*pairs, *added]}
        sound = texts.keys() == set(range(len(texts))) and all(isinstance(text, str) for text in texts.values())
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise FormatError(f"{path} is damaged: its vocabulary is not what it should be") from error
    if not texts or not sound:
        told = f"the ids of its {len(texts)} tokens are not 0, 1, 2, ..."
        raise FormatError(f"{path}: {told}, so that it is not known which row belongs to which")
    unknown = model.get("unk_id") if kind == "Unigram" else dict(pairs).get(str(model.get("unk_token")))
    return Tokens(kind, [texts[number] for number in range(len(texts))], unknown)


def read_json(path: str | os.PathLike[str]) -> Part:
    """A file of one JSON object; FormatError for another, DataError for one that cannot be read."""
    try:
        content = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path} is no valid JSON ({error}); was it cut short?") from error
    if not isinstance(content, dict):
        raise FormatError(f"{path} holds no JSON object")
    return content
