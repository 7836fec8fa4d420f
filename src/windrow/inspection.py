"""What a file or folder is, of any kind that windrow reads or writes, as plain data."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from windrow.corpus.reading import TextReader
from windrow.errors import FormatError
from windrow.files import model_file
from windrow.files.compression import compression_of
from windrow.files.kinds import CHECKPOINTS, KINDS, MODELS, what_holds, what_next
from windrow.files.local import as_path, local_file
from windrow.files.model_file import StoredModel, unpack_words
from windrow.files.sniff import FOREIGN, first_bytes, is_text, looks_like_vectors, what_is
from windrow.lm.symbols import SPECIALS
from windrow.models import load, model_class
from windrow.nn.training.checkpoint import stored_history
from windrow.nn.training.report import kept_epoch

_PARAMETERS = ("parameters", "model", "identity")  # where a file's configuration has those of the training
_REMEMBERED = ("parameters", "text", "provenance")
_FIRST_NAMES = 10  # of labels and types of entities
_VECTORS = {
    "arrow",
    "fasttext",
    "npy",
    "parquet",
    "pickle",
    "safetensors",
    "unknown",
}  # kinds that may hold word vectors


def inspect(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What a file is, as plain JSON data.

    ``what`` in words and ``kind``, always; then what can be known of that kind: ``windrow``, the version that wrote it,
    sizes, ``parameters``, ``text`` (how the text was read), ``provenance``. FormatError for a damaged file or a folder
    that is no corpus, DataError for one that cannot be read.
    """
    given = as_path(path)
    if given.is_dir():
        return _of_folder(given)
    with local_file(given) as raw:
        with local_file(raw, unpack=True) as file:
            found = _of_file(file, given)
        with raw.open("rb") as stream:
            packed = compression_of(stream.read(8))
        size = raw.stat().st_size
    about = {"bytes": size, **({"compression": packed.removeprefix(".")} if packed else {})}
    return {"what": found["what"], "kind": found["kind"], **about, **found}


def _of_folder(folder: Path) -> dict[str, Any]:
    from windrow.corpus import Corpus
    from windrow.embeddings.vectors import WordVectors
    from windrow.files.corpus_folder import is_corpus
    from windrow.files.static_folder import static_files

    if static_files(folder) is not None:
        vectors = load(folder, expected=WordVectors)
        facts = _of_stored(StoredModel("word-vectors", {}, vectors.provenance, {}))
        what = "word vectors in a folder of static embeddings"
        return {"what": what, "kind": "word-vectors", **vectors.sizes(), **{name: facts[name] for name in _REMEMBERED}}
    if not is_corpus(folder):
        raise FormatError(f"{folder} is a folder, but no corpus and no static embeddings; name a file in it")
    corpus = Corpus.open(folder)
    corpus.verify()
    text = corpus.reader
    facts = {name: value for name, value in corpus.info().items() if name not in text.stored()}
    return {"what": KINDS["corpus"].what, "kind": "corpus", **facts, "text": text.options()}


def _of_file(file: Path, given: Path) -> dict[str, Any]:
    kind, what = what_is(file)
    if kind == "windrow":
        return _of_stored(model_file.load(file))
    if kind == "arpa":
        return _of_arpa(file)
    if kind in _VECTORS and (found := _of_vectors(file, kind)) is not None:
        return found
    if kind == "parquet":
        return _of_table(file)
    if kind in FOREIGN:
        return {"what": what.removeprefix("is "), "kind": kind, "advice": FOREIGN[kind].remedy}
    if what == "is text":
        return _of_text(file, given)
    return {"what": what.removeprefix("is "), "kind": kind}


def _of_stored(stored: StoredModel) -> dict[str, Any]:
    """One of windrow's own files."""
    parameters = parameters_of(stored)
    reader = TextReader.remembered(stored.provenance) if "tokenizer" in stored.provenance else None
    hidden = {"windrow", "history", *parameters, *(reader.stored() if reader else ())}
    provenance = {name: value for name, value in stored.provenance.items() if name not in hidden}
    history = stored_history(stored)
    kept = None if stored.kind in CHECKPOINTS else kept_epoch(history)
    return {
        "what": _what(stored.kind),
        "kind": stored.kind,
        "windrow": stored.provenance.get("windrow"),
        **_own_facts(stored),
        **({} if kept is None else {"kept_epoch": kept.get("epoch"), f"validation_{kept['measure']}": kept["score"]}),
        **({"last_epoch": history[-1]} if history else {}),
        "parameters": parameters,
        "text": reader.options() if reader else {},
        "provenance": provenance,
    }


def _what(kind: str) -> str:
    advice = "" if kind in MODELS else what_next(kind)
    return f"{what_holds(kind)}{f'; {advice}' if advice else ''}"


def _own_facts(stored: StoredModel) -> dict[str, Any]:
    """Sizes, and what else the file holds."""
    facts: dict[str, Any] = {}
    for name, array in sorted(stored.arrays.items()):
        place, _, last = name.rpartition(".")
        if last in ("word_offsets", "phrase_offsets") and not place.isdigit() and array.ndim == 1:
            facts[place or last.partition("_")[0] + "s"] = len(array) - 1
    if stored.kind.endswith("-lm") and "words" in facts:  # as its sizes() has them
        facts |= {"words": facts["words"] - len(SPECIALS), "special_symbols": list(SPECIALS)}
    table, models = stored.config.get("table"), stored.config.get("models")  # from anybody: of any type
    if isinstance(of_classes := stored.config.get("ngrams"), Mapping):
        table, facts["classes"] = of_classes.get("table"), facts.pop("ngrams", len(SPECIALS)) - len(SPECIALS)
    if isinstance(table, Mapping):
        facts["ngrams"] = table.get("sizes")
    if "counts" in stored.config:
        facts["keeps_counts"] = True
    facts |= _of_classes(stored)
    if isinstance(models, list):
        facts["models"] = [one.get("kind") for one in models if isinstance(one, Mapping)]
        facts["weights"] = stored.config.get("weights")
    if stored.kind == "word-vectors":
        facts["dimensions"] = stored.config.get("vector_size")
        if (counts := stored.arrays.get("counts")) is not None and counts.dtype == np.int64:
            facts["tokens_that_are_words"] = int(counts.sum())
    if "training" in stored.config or "training_state" in stored.config:
        facts["training_state"] = True
    return facts


def _of_classes(stored: StoredModel) -> dict[str, Any]:
    """What a classifier or a tagger tells apart: how many there are, and the names of the first."""
    types = stored.config.get("types_")
    if isinstance(types, list):
        return {"types": len(types), "type_names": types[:_FIRST_NAMES]}
    parts = {name: stored.arrays.get(f"labels.{name}") for name in ("word_bytes", "word_offsets")}
    labels = {name: array for name, array in parts.items() if array is not None}
    return {"label_names": unpack_words(labels, "the labels")[:_FIRST_NAMES]} if labels else {}


def parameters_of(stored: StoredModel) -> dict[str, Any]:
    """The parameters of the training, as far as a file has them."""
    if stored.kind == "word-vectors":  # among its provenance, so that vectors keep them wherever they go
        from windrow.embeddings.settings import stored_parameters

        return stored_parameters(stored.provenance)[1]
    for name in _PARAMETERS:
        if isinstance(found := stored.config.get(name), Mapping):
            return dict(found)
    settings = getattr(model_class(stored.kind), "settings", ()) if stored.kind in MODELS else ()
    names = [setting.name for setting in settings if setting.name != "models"]
    return {name: stored.config[name] for name in names if name in stored.config}


def _of_arpa(file: Path) -> dict[str, Any]:
    model = load(file, "arpa")
    sizes = list(model.table_.sizes)
    words = {**model.vocabulary.sizes(), "special_symbols": list(SPECIALS)}
    what = "an n-gram language model in ARPA format"
    return {"what": what, "kind": "arpa", **words, "order": len(sizes), "ngrams": sizes}


def _of_vectors(file: Path, kind: str) -> dict[str, Any] | None:
    """Word vectors, or a classifier, in a format of others; None where there are none."""
    from windrow.classification.classifier import TextClassifier
    from windrow.embeddings.formats.recognition import recognize_vectors
    from windrow.embeddings.vectors import WordVectors
    from windrow.phrases.model import Phrases

    format = None
    try:
        format = recognize_vectors(file)
        model = None if format is None else load(file)
    except FormatError:
        start = first_bytes(file)
        is_binary = kind == "unknown" and format is not None and not is_text(start)
        if (
            kind not in ("unknown", "pickle", "parquet", "arrow", "safetensors")
            or is_binary
            or looks_like_vectors(start)
        ):
            raise
        return None
    if isinstance(model, TextClassifier):
        names = [str(label) for label in model.classes_[:_FIRST_NAMES].tolist()]
        what = "a text classifier of fastText"
        return {"what": what, "kind": "text-classifier", **model.sizes(), "label_names": names}
    if isinstance(model, Phrases):
        return {"what": "phrases of gensim", "kind": "phrases", **model.sizes()}
    if isinstance(model, WordVectors):
        name = f"word vectors in the format {format}"
        return {"what": name, "kind": "word-vectors", **model.sizes()}
    return None


def _of_table(file: Path) -> dict[str, Any]:
    """A Parquet file, after it was looked through for vectors, for which pyarrow must be there."""
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.ParquetFile(file)
    except pyarrow.ArrowException as error:
        raise FormatError(f"{file} is not a valid Parquet file: {' '.join(str(error).split())}") from error
    columns = table.schema_arrow.names
    return {"what": "a Parquet table", "kind": "parquet", "rows": table.metadata.num_rows, "columns": columns}


def _of_text(file: Path, given: Path) -> dict[str, Any]:
    """Text: its lines, its words between spaces, and the characters of its longest line."""
    from windrow.corpus.records import format_of
    from windrow.corpus.streams import Meter, lines, text_pieces

    count = words = longest = 0
    for line in lines(text_pieces(str(file), "replace", Meter(None, None)), str(file)):
        count += 1
        words += len(line.split())
        longest = max(longest, len(line))
    return {
        "what": "text",
        "kind": format_of(str(given)) or "text",
        "lines": count,
        "words": words,
        "longest_line": longest,
    }
