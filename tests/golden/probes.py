"""What is asked of each golden file, and how the answers are compared with those of the day when it was written.

Answers are plain JSON data in two parts. ``stored`` is what the file says, which must come back to the last bit.
``computed`` is what a model makes of it: sums of float32 products, whose last bits depend on the width of the vectors
that a processor has, and on its BLAS. Between a processor with AVX-512 and one without AVX they differ by 2e-7.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

import windrow
from tests.golden.recipes import COUNTS, ENTITIES, TEST, TRAIN, new_ngram
from tests.golden.unfinished import PROBABILITIES
from windrow.lm.buckets import PerplexityBuckets

UNSEEN = "blacksmithing"  # a word that no vectors have
TOLERANCE = 2e-6  # of computed answers, relative and absolute

SENTENCES = [
    "nobody here writes a novel as often as clara",
    "maria always builds the zeppelin on friday",  # of which the models do not know a word
    "john usually builds the dam alone",
    "the",
    "",
]
CONTEXT = "nobody here writes a"
_NEXT_WORDS = ("novel", "essay", "the", "<unk>", "</s>")
TAGGED = [
    "Emma works as a blacksmith in Limaqo .",
    "Thomas Lindberg met the University reporters",
    "thursday",
    "Long ago Andurran students solved a crossword 1984",
]

Answers = dict[str, dict[str, Any]]


def ask(path: Path) -> Answers:
    """What a file holds, through the doors that every user has."""
    if path.parent.name == "corpora":
        return _of_corpus(windrow.Corpus.open(path))
    if path.parent.name == "training":
        return _of_word2vec(windrow.Word2Vec.load(path))
    if path.parent.name == "buckets":
        return _of_buckets(PerplexityBuckets.load(path))
    if path.parent.name == "counts":
        return _of_language_model(new_ngram(COUNTS[path.name]).fit_counts(path))
    return ask_model(windrow.load(path))


def ask_model(model: Any) -> Answers:
    """The same for a model."""
    if isinstance(model, windrow.WordVectors):
        return _of_vectors(model)
    if isinstance(model, windrow.Phrases):
        return _of_phrases(model)
    if isinstance(model, windrow.TextClassifier):
        return _of_classifier(model)
    return _of_tagger(model) if isinstance(model, windrow.WindowTagger) else _of_language_model(model)


def ask_resumed(path: Path, history: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What a training that was resumed has become: its model, or what that predicts, in a file, and its history."""
    if path.suffix == PROBABILITIES:
        learned: dict[str, Any] = {name: array.tolist() for name, array in load_file(path).items()}
    else:
        answers = ask_model(windrow.load(path))
        learned = {"first": answers["stored"]["first"]} if "first" in answers["stored"] else answers["computed"]
    columns = {"losses": "loss", "epochs": "epoch", "scores": "score"}
    return {**learned, **{name: [row.get(column) for row in history] for name, column in columns.items()}}


def digest(values: Any) -> str:
    """16 hexadecimal digits for an array, in the byte order of the files, or for words."""
    if isinstance(values, np.ndarray):
        data = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes()
    else:
        data = "\0".join(values).encode("utf-8", "surrogatepass")
    return hashlib.sha256(data).hexdigest()[:16]


def _of_vectors(vectors: Any) -> Answers:
    words = vectors.index_to_key
    stored = {
        "words": [len(words), digest(words), *words[:8]],
        "counts": None if vectors.counts is None else np.asarray(vectors.counts).tolist(),
        "shape": list(vectors.vectors.shape),
        "vectors": digest(vectors.vectors),
        "first": vectors.vectors[:2].tolist(),
        "provenance": vectors.provenance,
    }
    asked = [words[0], words[len(words) // 2]]
    if vectors.ngrams is not None:
        subwords = vectors.ngrams.subwords
        stored["subwords"] = [subwords.min_n, subwords.max_n, subwords.buckets, subwords.used.tolist()]
        stored["ngrams"] = digest(vectors.ngrams.vectors)
        asked.append(UNSEEN)
    return {"stored": stored, "computed": {word: pairs(vectors.most_similar(word, topn=3)) for word in asked}}


def _of_word2vec(model: Any) -> Answers:
    parameters = {name: value for name, value in model.get_params().items() if name != "callbacks"}
    if parameters["shared_negatives"] is None:  # the usual number, or of no use; files have a number
        parameters["shared_negatives"] = model.wv.provenance["shared_negatives"]
    stored = {
        "parameters": parameters,
        "vectors": _of_vectors(model.wv)["stored"],
        "tables": {name: [*table.shape, digest(table)] for name, table in model.output_tables_.items()},
        "history": [row["loss"] for row in model.history_],
    }
    more = windrow.Word2Vec(**model.get_params()).set_params(epochs=1).fit(TEST, continue_from=model)
    words = len(more.wv)
    computed = {"words": words, "first": more.wv.vectors[:2].tolist(), "last": more.wv.vectors[-1].tolist()}
    return {"stored": stored, "computed": {**computed, "loss": more.history_[0]["loss"]}}


def pairs(neighbours: Sequence[tuple[str, float]]) -> list[list[Any]]:
    """Words and numbers as JSON has them."""
    return [[word, float(number)] for word, number in neighbours]


def _of_buckets(found: PerplexityBuckets) -> Answers:
    stored = {field: list(getattr(found, field) or ()) for field in ("cutoffs", "names", "percentiles")}
    names = found.names_of([0, 29.5, 30, 30.5, 100.5, 101, 1e9, math.nan])
    return {"stored": {**stored, "model": found.model, "of_perplexities": names}, "computed": {}}


def _of_phrases(model: Any) -> Answers:
    stored = {
        "parameters": _parameters(model),
        "phrases": model.phrases_,
        "text": model.reader.options(),
        "provenance": dict(model.provenance_),
        "joined": digest([word for words in model.transform(_lines(TRAIN)) for word in words]),
    }
    return {"stored": stored, "computed": {"first": " ".join(model.transform(_lines(TRAIN))[0])}}


def _lines(text: Path) -> list[str]:
    return text.read_text("utf-8").splitlines()


def _of_corpus(corpus: Any) -> Answers:
    corpus.verify()
    sentences = list(corpus.sentences())
    stored = {
        "info": corpus.info(),
        "words": [len(corpus.vocabulary), digest(corpus.vocabulary.words)],
        "counts": np.asarray(corpus.vocabulary.counts).tolist(),
        "specials": list(corpus.vocabulary.specials),
        "ids": [digest(np.array(corpus.ids)), *corpus.ids[:10].tolist()],
        "starts": np.asarray(corpus.starts).tolist(),
        "sentences": [len(sentences), sentences[0], sentences[-1]],
    }
    return {"stored": stored, "computed": {}}


def _of_language_model(model: Any) -> Answers:
    words = model.vocabulary.words
    stored = {
        "class": type(model).__name__,
        "parameters": _parameters(model),
        "words": [len(words), digest(words), *words[3:8]],
        "counts": digest(np.asarray(model.vocabulary.counts)),
        "text": model.text_settings,
        "provenance": dict(model.provenance_),
        "history": [row["loss"] for row in getattr(model, "history_", []) if isinstance(row, dict)],
        **_of_training(model),
    }
    probs = model.next_word_distribution(CONTEXT)
    asked = {word: model.vocabulary.get(word) for word in _NEXT_WORDS}
    result = model.evaluate(TEST)
    computed = {
        "log10_probs": [model.log_prob(sentence) for sentence in SENTENCES],
        "next": {word: float(probs[word_id]) for word, word_id in asked.items() if word_id >= 0},
        "all": float(probs.sum()),
        "perplexity": result.perplexity,
        "without_unknown": result.perplexity_excluding_oov,
        "tokens": [result.tokens, result.oov],
    }
    if isinstance(model, windrow.NGramLM) and model.keep_counts:  # last, as it changes the model
        model.add(TEST)
        computed["after_adding"] = [model.log_prob(sentence) for sentence in SENTENCES]
    return {"stored": stored, "computed": computed}


def _of_classifier(model: Any) -> Answers:
    words = model.features_.words
    stored = {
        "parameters": _parameters(model),
        "labels": model.classes_.tolist(),
        "counts": model.class_counts_.tolist(),
        "words": [len(words), digest(words), *words[:8]],
        "buckets": digest(model.features_.seen_buckets),
        "vectors": [*model.vectors_.shape, digest(model.vectors_), digest(model.output_vectors_)],
        "text": model.reader.options(),
        "history": [row["loss"] for row in model.history_],
    }
    return {"stored": stored, "computed": {"probabilities": model.predict_proba(SENTENCES).tolist()}}


def _of_tagger(tagger: Any) -> Answers:
    stored = {
        "parameters": _parameters(tagger),
        "types": tagger.types_,
        "tags": tagger.tags_,
        "scheme": tagger.scheme_,
        "history": [row["loss"] for row in tagger.history_],
        **_of_training(tagger),
    }
    result = tagger.evaluate(ENTITIES)
    computed = {
        "tags": [" ".join(tags) for tags in tagger.predict([sentence.split() for sentence in TAGGED])],
        "all": digest([tag for tags in tagger.predict(_tokens()) for tag in tags]),
        "f1": result.f1,
    }
    return {"stored": stored, "computed": computed}


def _of_training(model: Any) -> dict[str, Any]:
    """What a network's file says of the training before, and what it keeps for the next."""
    state = getattr(model, "training_state_", None)
    kept = state and [state.optimizer, state.steps, state.trainee, *map(digest, state.arrays)]
    return {"continued_from": getattr(model, "continued_from_", None), "training_state": kept}


def _tokens() -> list[list[str]]:
    blocks = ENTITIES.read_text("utf-8").strip().split("\n\n")
    return [[line.split()[0] for line in block.splitlines()] for block in blocks]


FIRST_NAMES = {"output_layer": "output", "quantize_bits": "quantise_bits"}  # that answers have for good


def _parameters(model: Any) -> Any:
    if isinstance(model, windrow.MixtureLM):
        parts = [ask_model(part)["stored"]["parameters"] for part in model.models]
        return {"method": model.method, "weights": model.weights_.tolist(), "models": parts}
    if not hasattr(model, "get_params"):  # a cache
        return {"size": model.size, "pseudo_count": model.pseudo_count, "across_sentences": model.carries_over}
    parameters = {FIRST_NAMES.get(name, name): value for name, value in model.get_params().items()}
    return {name: _plain(value) for name, value in parameters.items() if name not in ("callbacks", "vectors")}


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


# --- comparing


def differences(found: Any, expected: Any, tolerance: float = 0.0, place: str = "") -> Iterator[str]:
    """Where ``found`` is not what was ``expected``, a line each. Names that are new in ``found`` do no harm."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in expected:
            if name not in found:
                yield f"{place}/{name} is missing"
            else:
                yield from differences(found[name], expected[name], tolerance, f"{place}/{name}")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, (one, other) in enumerate(zip(found, expected, strict=True)):
            yield from differences(one, other, tolerance, f"{place}/{number}")
    elif isinstance(expected, float) and isinstance(found, int | float):
        if not (found == expected or math.isclose(found, expected, rel_tol=tolerance, abs_tol=tolerance)):
            yield f"{place} is {found!r}, not {expected!r}"
    elif found != expected:
        yield f"{place} is {found!r}, not {expected!r}"
