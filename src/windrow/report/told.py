"""What a page says of a model in words and numbers: its settings, its text and words, the code that makes it again."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import windrow
from windrow.corpus import TextReader
from windrow.embeddings.settings import stored_parameters
from windrow.embeddings.vectors import WordVectors
from windrow.files.corpus_folder import is_corpus
from windrow.lm.base import LanguageModel
from windrow.lm.mixture import MixtureLM
from windrow.lm.ngram.model import NGramLM

if TYPE_CHECKING:
    from windrow.estimator import Setting

_WIDTH = 88  # of a line of code, beyond which each argument gets a line of its own
_FREQUENT = 10
_PLAIN = (bool, int, float, str, type(None))


class Code(str):
    """A value that stands for an expression in Python."""

    __slots__ = ()


@dataclass(frozen=True)
class Told:
    """What only the command that trained a model knows of it.

    Parameters
    ----------
    command : str, default empty
        As it was typed.
    sources : sequence of str, default ()
        What was trained on.
    reading : mapping, default empty
        Options with which the text was opened, as ``Corpus.build`` has them.
    fit : str, default "fit"
        The method that trained it.
    fitting : mapping, default empty
        Arguments of ``fit``.
    vectors : str, default "VECTORS"
        The file of the word vectors that a network began with.
    not_in_code : sequence of str, default ()
        Options that the code in Python does not show.
    facts : mapping, default empty
        More for the table of time and memory.
    chosen : collection of str or None, default None
        The settings that the user chose, by name; None: all that are not the defaults.
    """

    command: str = ""
    sources: Sequence[str] = ()
    reading: Mapping[str, Any] = field(default_factory=dict)
    fit: str = "fit"
    fitting: Mapping[str, Any] = field(default_factory=dict)
    vectors: str = "VECTORS"
    not_in_code: Sequence[str] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    chosen: Collection[str] | None = None


def settings_of(model: Any, told: Told) -> tuple[Sequence[Setting], dict[str, Any]]:
    """The table of a model's settings, and its values of these; empty where the model does not know them."""
    if isinstance(model, WordVectors):
        if model.provenance.get("model") not in ("CountVectors", "Word2Vec"):
            return (), {}
        return stored_parameters(model.provenance)
    if isinstance(model, NGramLM) and not (model.provenance_ or told.sources):  # of an ARPA file, which does not say
        return (), {}
    settings = getattr(model, "settings", ())
    values = {one.name: getattr(model, one.name, None) for one in settings if one.name not in ("callbacks", "models")}
    return settings, {name: _brief(value, told.vectors) for name, value in values.items()}


def setting_rows(model: Any, told: Told) -> tuple[list[tuple[str, Any, Any]], list[tuple[str, Any]]]:
    """Settings that the user chose, with the defaults, and the others."""
    settings, values = settings_of(model, told)
    chosen, others = [], []
    for one in settings:
        if one.name not in values:
            continue
        value = values[one.name]
        if one.is_default(value) or (told.chosen is not None and one.name not in told.chosen):
            others.append((one.name, _shown(value)))
        else:
            chosen.append((one.name, _shown(value), _shown(one.default)))
    return chosen, others


def text_facts(model: Any) -> dict[str, Any]:
    """The training text, the words, and the sizes of a model."""
    provenance = model.provenance if isinstance(model, WordVectors) else getattr(model, "provenance_", {})
    facts: dict[str, Any] = {
        "tokens": provenance.get("tokens"),
        "sentences": provenance.get("sentences"),
        "fingerprint of the text": provenance.get("corpus"),
    }
    if "tokenizer" in provenance:
        facts |= {name: _shown(value) for name, value in TextReader.remembered(provenance).options().items()}
    return {**facts, **_sizes(model)}


def _sizes(model: Any) -> dict[str, Any]:
    if isinstance(model, WordVectors):
        counted = None if model.counts is None else int(model.counts.sum())
        return {**model.sizes(), "tokens that are words": counted}
    return {**model.sizes(), **({"types": ", ".join(model.types_)} if hasattr(model, "types_") else {})}


def frequent_words(model: Any) -> list[tuple[str, int]]:
    """The most frequent words or labels of the training text, with their counts, where the model has these."""
    if hasattr(model, "class_counts_"):
        counts = zip(map(str, model.classes_.tolist()), model.class_counts_.tolist(), strict=True)
        return sorted(counts, key=lambda pair: -pair[1])[:_FREQUENT]
    if isinstance(model, WordVectors):
        words, counts_of = model.index_to_key, model.counts
    elif isinstance(model, LanguageModel):
        first = len(model.vocabulary.specials)
        words, counts_of = model.vocabulary.words[first:], model.vocabulary.counts[first:]
    else:
        return []
    if counts_of is None or not counts_of.any():
        return []
    order = (-counts_of).argsort(kind="stable")[:_FREQUENT].tolist()
    return [(words[place], int(counts_of[place])) for place in order]


# --- code


def code_of(model: Any, file: str, told: Told) -> str:
    """Python that trains the model again, as far as it is known, or else opens it."""
    opening = f"model = windrow.load({_literal(file)})"
    settings, values = settings_of(model, told)
    is_vectors = isinstance(model, WordVectors)
    name = model.provenance.get("model", "") if is_vectors else type(model).__name__
    is_trained_on_text = bool(values) and not isinstance(model, MixtureLM)  # and not made of models
    if not is_trained_on_text or name not in windrow.__all__:
        return f"import windrow\n\n{opening}"
    changed = {one.name: values[one.name] for one in settings if not one.is_default(values.get(one.name, one.default))}
    lines = ["import windrow", ""]
    source = _source(told.sources)
    if source.startswith("[Path("):
        lines.insert(0, "from pathlib import Path\n")
    reading = {**_reader_options(model), **told.reading}
    if reading:
        lines.append(_call("text = windrow.Corpus.build", [source], reading))
        source = "text"
    lines += [
        _call(f"model = windrow.{name}", [], changed),
        _call(f"model.{told.fit}", [source], {name: _opened(value) for name, value in told.fitting.items()}),
        f"model.{'wv.' if is_vectors else ''}save({_literal(file)})",
    ]
    return "\n".join(lines)


def _source(sources: Sequence[str]) -> str:
    if len(sources) > 1:
        return f"[{', '.join(f'Path({_literal(name)})' for name in sources)}]"
    return _literal(_opened(sources[0] if sources else "SOURCE"))


def _opened(source: Any) -> Any:
    """A text, or the expression that opens a corpus."""
    is_folder = isinstance(source, str) and source and is_corpus(source)
    return Code(f"windrow.Corpus.open({_literal(source)})") if is_folder else source


def _reader_options(model: Any) -> dict[str, Any]:
    """How text becomes tokens, where that is not the default, and no setting of the model."""
    provenance = model.provenance if isinstance(model, WordVectors) else getattr(model, "provenance_", {})
    if "tokenizer" not in provenance:
        return {}
    plain = TextReader().options()
    return {
        name: value for name, value in TextReader.remembered(provenance).options().items() if value != plain.get(name)
    }


def _call(function: str, given: Collection[str], named: Mapping[str, Any]) -> str:
    arguments = [*given, *(f"{name}={_literal(value)}" for name, value in named.items())]
    line = f"{function}({', '.join(arguments)})"
    if len(line) <= _WIDTH:
        return line
    return "\n".join([f"{function}(", *(f"    {one}," for one in arguments), ")"])


def _literal(value: Any) -> str:
    """A value as Python writes it."""
    if isinstance(value, Code):
        return str(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _brief(value: Any, vectors: str) -> Any:
    """A value of a setting: plain ones as they are, word vectors as the expression that opens their file."""
    if isinstance(value, Path):
        return str(value)
    is_plain = isinstance(value, _PLAIN) or (
        isinstance(value, tuple | list) and all(isinstance(one, _PLAIN) for one in value)
    )
    if isinstance(value, WordVectors):
        return Code(f"windrow.load({_literal(vectors)})")
    return value if is_plain else Code(getattr(value, "__name__", "..."))


def _shown(value: Any) -> Any:
    """A value in a table."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value is None or value == () else value if isinstance(value, int) else _list(value)


def _list(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
