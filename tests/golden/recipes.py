"""What each golden file holds: a name, and a function that writes the file.

Only public names are used, so that the recipes of a file run on the version that wrote it as on later ones.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import windrow
from tests.golden.unfinished import UNFINISHED, write_checkpoint

TEXT = Path(__file__).parent / "text"
TRAIN, VALID, TEST, SHORT, ODD, ENTITIES = (
    TEXT / name for name in ("train.txt", "valid.txt", "test.txt", "short.txt", "odd.txt", "entities.conll")
)

Recipe = Callable[[Path], None]

# --- vectors

_ODD_WORDS = ["", "a b", "東京", "\ud800", "tab\tbed", " "]
_PLAIN_WORDS = ["the", "naïve", "東京", "a_b", "1.5", "</s>", "-", 'quote"d']
# Of the numbers, one is subnormal, one a negative zero, and one is misread by those who parse it in double precision.
_PLAIN_NUMBERS = np.array(
    [
        [1.0, -0.5, 0.25],
        [1e-45, -0.0, 7.038531e-26],
        [3.4028235e38, -1.1754944e-38, 0.1],
        [0.30000001, 0.3, -7.0],
        [1e-05, 123456.79, 1e10],
        [0.0, 2.5, 2.0],
        [-1.0, 0.5, -0.25],
        [0.33333334, 0.6666667, 1.0],
    ],
    np.float32,
)
_VECTOR_EXTENSIONS = ("vec", "bin", "glove", "tsv", "npy", "txt.gz", "vec.gz", "bin.gz", "glove.gz", "tsv.gz")

_TRAINED_VECTORS: dict[str, dict[str, Any]] = {
    "skipgram": {"sg": 1},
    "cbow-hierarchical": {"hs": 1, "negative": 0, "cbow_mean": 0},
    "softmax": {"loss": "softmax", "sg": 1, "window_weighting": "harmonic"},
    "pair-kernel": {"kernel": "pair", "loss": "hs+ns"},
    "model": {"max_final_vocab": 20},  # a file without an extension
    "subwords": {"sg": 1, "subwords": True, "min_n": 2, "max_n": 4, "buckets": 97, "max_final_vocab": 40},
}


def _trained_vectors(parameters: Mapping[str, Any], dtype: str = "") -> Recipe:
    def write(path: Path) -> None:
        options = {"vector_size": 6, "min_count": 1, "sample": 0.05, "epochs": 3, "workers": 1, **parameters}
        windrow.Word2Vec(**options).fit(TRAIN).wv.save(path, **({"dtype": dtype} if dtype else {}))

    return write


def _given_vectors(words: list[str], numbers: Any = None) -> Recipe:
    def write(path: Path) -> None:
        table = np.random.default_rng(7).normal(size=(len(words), 4)).astype(np.float32) if numbers is None else numbers
        windrow.WordVectors(words, table).save(path)

    return write


def _vectors() -> Iterator[tuple[str, Recipe]]:
    for name, parameters in _TRAINED_VECTORS.items():
        yield f"vectors/{name}{'' if name == 'model' else '.safetensors'}", _trained_vectors(parameters)
    for dtype in ("float16", "int8"):
        yield f"vectors/small-{dtype}.safetensors", _trained_vectors(_TRAINED_VECTORS["subwords"], dtype)
    yield "vectors/bare.safetensors", _given_vectors(_PLAIN_WORDS, _PLAIN_NUMBERS)
    yield "vectors/odd-words.safetensors", _given_vectors(_ODD_WORDS)
    yield "vectors/line-ends.safetensors", _given_vectors([*_ODD_WORDS, "new\nline", "\n"])
    yield "vectors/saved-as.txt", _given_vectors(_PLAIN_WORDS, _PLAIN_NUMBERS)
    for extension in _VECTOR_EXTENSIONS:
        yield f"vectors/table.{extension}", _given_vectors(_PLAIN_WORDS, _PLAIN_NUMBERS)


def _training_states() -> Iterator[tuple[str, Recipe]]:
    tree = {**_TRAINED_VECTORS["subwords"], "loss": "hs", "sg": 0}  # that of fastText
    for name, parameters in {**_TRAINED_VECTORS, "subwords-hierarchical": tree}.items():
        yield f"training/{name}.safetensors", lambda path, p=parameters: trained_on(p).save(path)


def trained_on(parameters: Mapping[str, Any]) -> Any:
    """A model whose training has continued once, with another text and new words."""
    options = {"vector_size": 6, "min_count": 3, "sample": 0.05, "epochs": 2, "workers": 1, **parameters}
    model = windrow.Word2Vec(**options).fit(SHORT)
    return model.fit(VALID, continue_from=model)


# --- corpora

CORPORA: dict[str, tuple[Any, dict[str, Any]]] = {  # of the folder: the source, and how it is read
    "plain": (TRAIN, {}),
    "limited": (TRAIN, {"min_count": 2, "max_vocab": 20}),
    "specials": (TRAIN, {"specials": ("<unk>", "<s>", "</s>"), "min_count": 3}),
    "several-files": ([VALID, TEST], {}),
    "odd": (ODD, {}),
    "lower-case-words": (ODD, {"tokenizer": "word", "lowercase": True}),
    "characters": (ODD, {"tokenizer": "char"}),
    "turkish-paragraphs": (
        ODD,
        {"tokenizer": "word", "lowercase": True, "language": "tr", "normalize": "nfkc", "sentences": "paragraph"},
    ),
}


def build_corpus(name: str, path: Path | None = None) -> Any:
    """The corpus of that name, as today's code makes it."""
    source, options = CORPORA[name]
    return windrow.Corpus.build(source, path, **options)


def _corpora() -> Iterator[tuple[str, Recipe]]:
    for name in CORPORA:
        yield f"corpora/{name}", lambda path, name=name: build_corpus(name, path)


# --- n-grams

_NGRAMS: dict[str, dict[str, Any]] = {
    "modified-kneser-ney": {"order": 3, "discount_fallback": True, "lmplz_compat": True},
    "kneser-ney": {"smoothing": "kneser-ney", "discount_fallback": True},
    "witten-bell": {"order": 4, "smoothing": "witten-bell"},
    "absolute": {"order": 1, "smoothing": "absolute", "discounts": ((0.4,),)},
    "katz": {"order": 1, "smoothing": "katz", "discount_fallback": True},
    "jelinek-mercer": {"order": 1, "smoothing": "jelinek-mercer", "weights": (0.75,)},
    "add-delta": {"order": 1, "smoothing": "add-delta", "delta": 0.5},
    "mle": {"order": 1, "smoothing": "mle"},
    "stupid-backoff": {"order": 3, "smoothing": "stupid-backoff"},
    "pruned": {"order": 3, "smoothing": "witten-bell", "prune": (0, 0, 1)},
    "entropy-pruned": {"order": 3, "smoothing": "witten-bell", "entropy_prune": 0.01},
    "8-bits": {"order": 3, "smoothing": "witten-bell", "quantize_bits": 8},
    "2-bits": {"smoothing": "witten-bell", "quantize_bits": 2},
    "closed": {"smoothing": "witten-bell", "open_vocabulary": False, "interpolate": False},
    "unmarked": {"smoothing": "witten-bell", "bos": False, "eos": False},
    "compact": {"order": 4, "smoothing": "witten-bell", "compact": True},
    "compact-discounts": {"order": 3, "discount_fallback": True, "compact": True},
    "counted": {"order": 3, "smoothing": "witten-bell", "min_count": 2, "keep_counts": True},
    "counted-unmarked": {"smoothing": "witten-bell", "bos": False, "keep_counts": True},
    "rare-unknown": {"order": 1, "smoothing": "witten-bell", "min_count": 2, "max_vocab": 30, "unk_mass": 0.05},
    "padded": {"order": 2, "smoothing": "witten-bell", "vocab_pad": 500},
    "unseen-only": {
        "order": 2,
        "discount_fallback": True,
        "fallback_discounts": (0.4, 0.9, 1.2),
        "interpolate_unigrams": False,
    },
}
_ARPA: dict[str, dict[str, Any]] = {
    "trigrams.arpa": {"order": 3, "discount_fallback": True},
    "trigrams.arpa.gz": {"order": 3, "discount_fallback": True},
    "closed.lm": {"smoothing": "witten-bell", "open_vocabulary": False},
    "unigrams.arpa": {"order": 1, "smoothing": "witten-bell"},
    "without-ends.arpa": {"smoothing": "witten-bell", "eos": False},
    "zeros.arpa": {"smoothing": "mle"},
}
_UNBOUNDED: dict[str, dict[str, Any]] = {
    "fallback.safetensors": {"discount_fallback": True},
    "rare-unknown.safetensors": {"discounts": [[0.4, 0.9, 1.2], [0.6, 1.1, 1.3]], "min_count": 2},
}
_CLASSES: dict[str, dict[str, Any]] = {
    "learned.safetensors": {"classes": 3, "order": 1, "smoothing": "witten-bell"},
    "rare-unknown.safetensors": {"classes": 2, "order": 1, "iterations": 2, "min_count": 2},
}
_SKIPS: dict[str, dict[str, Any]] = {
    "one-place.safetensors": {"places": (2,), "smoothing": "witten-bell", "min_count": 2},
    "two-places.safetensors": {"places": (3, 1), "discount_fallback": True},
}
COUNTS: dict[str, dict[str, Any]] = {  # counts, and the parameters of a model from them
    "marked.txt": {"order": 3, "smoothing": "witten-bell"},
    "unmarked.txt.gz": {"order": 2, "smoothing": "kneser-ney", "discount_fallback": True, "bos": False},
}


def new_ngram(parameters: Mapping[str, Any]) -> Any:
    """A model that is not trained yet; bigrams unless the parameters say otherwise."""
    return windrow.NGramLM(**{"order": 2, **parameters})


def _ngrams() -> Iterator[tuple[str, Recipe]]:
    for folder, table, extension in (("ngram", _NGRAMS, ".safetensors"), ("arpa", _ARPA, "")):
        for name, parameters in table.items():
            yield f"{folder}/{name}{extension}", lambda path, p=parameters: new_ngram(p).fit(SHORT).save(path)
    yield "ngram/lower-case-words.safetensors", _lower_case_words
    yield "ngram/characters.safetensors", _characters
    yield "ngram/turkish-paragraphs.safetensors", _turkish_paragraphs
    yield "ngram/from-arpa.safetensors", _from_arpa
    for name, parameters in _CLASSES.items():
        yield f"classes/{name}", lambda path, p=parameters: windrow.ClassLM(**p).fit(SHORT).save(path)
    for name, parameters in _SKIPS.items():
        yield f"skips/{name}", lambda path, p=parameters: windrow.SkipNGramLM(**p).fit(SHORT).save(path)
    for name, parameters in _UNBOUNDED.items():
        yield f"unbounded/{name}", lambda path, p=parameters: windrow.UnboundedNGramLM(**p).fit(SHORT).save(path)
    for name, parameters in COUNTS.items():
        yield f"counts/{name}", lambda path, p=parameters: new_ngram(p).fit(SHORT, counts_out=path)


def _lower_case_words(path: Path) -> None:
    new_ngram({"order": 1, "smoothing": "witten-bell"}).fit(build_corpus("lower-case-words")).save(path)


def _characters(path: Path) -> None:
    new_ngram({"order": 3, "smoothing": "witten-bell"}).fit(build_corpus("characters")).save(path)


def _turkish_paragraphs(path: Path) -> None:
    new_ngram({"order": 2, "smoothing": "witten-bell"}).fit(build_corpus("turkish-paragraphs")).save(path)


def _from_arpa(path: Path) -> None:
    """Of a file that lacks a bigram with which trigrams end, as pruned ones of other programs do."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "model.arpa")
        lines = [*SHORT.read_text("utf-8").splitlines(), "john usually builds the dam alone on saturday"]
        new_ngram({"order": 3, "smoothing": "witten-bell"}).fit(lines).save(file)
        header, bigrams, rest = re.split(r"(?=\\[23]-grams:)", file.read_text("utf-8"))
        count = int(re.findall(r"ngram 2=(\d+)", header)[0])
        kept = [line for line in bigrams.splitlines(keepends=True) if "\talone </s>" not in line]
        assert len(kept) == len(bigrams.splitlines()) - 1
        header = header.replace(f"ngram 2={count}", f"ngram 2={count - 1}")
        file.write_text(header + "".join(kept) + rest, "utf-8")
        windrow.NGramLM.load(file).save(path)


# --- buckets of perplexity

_PERPLEXITIES = [12.5, 80.25, 30.0, 41.0, float("nan"), 7.0, 1e6, 55.5, 30.5, 29.0]


def _buckets() -> Iterator[tuple[str, Recipe]]:
    yield "buckets/fitted.json", _fitted_buckets
    yield "buckets/given.json", _given_buckets


def _fitted_buckets(path: Path) -> None:
    from windrow.lm.buckets import PerplexityBuckets

    model = {"file": "m.safetensors", "bytes": 1234, "crc32": "0123abcd"}
    replace(PerplexityBuckets.fit(_PERPLEXITIES), model=model).save(path)


def _given_buckets(path: Path) -> None:
    from windrow.lm.buckets import PerplexityBuckets

    PerplexityBuckets((100.5, 1e3), ("good", "fair", "bad")).save(path)


# --- networks

_NETWORK = {"embedding_size": 4, "hidden_size": 4, "epochs": 2, "learning_rate": 0.05, "max_vocab": 30}
_OUTPUTS: dict[str, dict[str, Any]] = {
    "softmax": {},
    "hierarchical": {"output_layer": "hierarchical"},
    "classes": {"output_layer": "classes"},
    "given-classes": {"output_layer": "classes", "classes": 4},
    "nce": {"output_layer": "nce", "noise_words": 16},
    "sampled-softmax": {"output_layer": "nce", "noise_words": 16, "objective": "sampled-softmax", "noise_power": 0.75},
    "adaptive": {"output_layer": "adaptive"},
    "given-cutoffs": {"output_layer": "adaptive", "cutoffs": (6, 15), "shrink": 2.0},
    "tied": {"tied": True},
    "tied-nce": {"output_layer": "nce", "noise_words": 16, "tied": True},
    "8-bits": {"quantize_bits": 8},
    "8-bits-nce": {"output_layer": "nce", "noise_words": 16, "quantize_bits": 8},
    "8-bits-tied": {"tied": True, "quantize_bits": 8},
}
_WINDOWS: dict[str, dict[str, Any]] = {
    **_OUTPUTS,
    "direct": {"direct": True},
    "own-steps": {"output_layer": "hierarchical", "optimizer": "sgd", "order": 5},
    "regularised": {"dropout": 0.2, "l2": 1e-4, "clip": 1.0, "optimizer": "nesterov", "schedule": "plateau"},
}
_RECURRENT: dict[str, dict[str, Any]] = {
    **{name: _OUTPUTS[name] for name in ("softmax", "hierarchical", "classes", "nce", "adaptive", "tied", "8-bits")},
    "elman": {"cell": "elman"},
    "elman-sigmoid": {"cell": "elman-sigmoid", "state": "reset"},
    "elman-relu": {"cell": "elman-relu"},
    "gru": {"cell": "gru", "state": "reset"},
    "lstm": {"cell": "lstm", "state": "reset"},
    "two-layers": {"layers": 2, "hidden_size": 6, "dropout": 0.1},
    "two-layers-gru": {"layers": 2, "cell": "gru", "tied": True, "state": "reset"},
}


def halving(epoch: int, scores: Any) -> float:
    """A schedule of one's own, which a file keeps by its name."""
    return 0.5**epoch


def _window(parameters: Mapping[str, Any]) -> Any:
    return windrow.WindowLM(**{"order": 3, "batch_size": 32, **_NETWORK, **parameters})


def _recurrent(parameters: Mapping[str, Any]) -> Any:
    return windrow.RecurrentLM(**{"cell": "lstm", "batch_size": 4, "bptt": 8, **_NETWORK, **parameters})


def _networks() -> Iterator[tuple[str, Recipe]]:
    for name, parameters in _WINDOWS.items():
        yield f"window/{name}.safetensors", lambda path, p=parameters: _window(p).fit(TRAIN).save(path)
    for name, parameters in _RECURRENT.items():
        yield f"recurrent/{name}.safetensors", lambda path, p=parameters: _recurrent(p).fit(TRAIN).save(path)
    yield "window/best-epoch.safetensors", lambda path: _window({"epochs": 4}).fit(TRAIN, valid=VALID).save(path)
    yield "window/own-schedule.safetensors", lambda path: _window({"schedule": halving}).fit(TRAIN).save(path)
    yield "window/training-state.safetensors", lambda path: _with_state(_window({"optimizer": "adam"}), TRAIN, path)
    yield "recurrent/training-state.safetensors", lambda path: _with_state(_recurrent({}), TRAIN, path)
    yield "recurrent/given-vectors.safetensors", _from_given_vectors
    yield "recurrent/lower-case-words.safetensors", _recurrent_of_odd_text


def _with_state(model: Any, source: Any, path: Path) -> None:
    """Trained, and trained further with what the training left, which is in the file again."""
    model.fit(source, keep_training_state=True)
    model.fit(source, continue_from=model, keep_training_state=True).save(path)


def _from_given_vectors(path: Path) -> None:
    vectors = windrow.WordVectors(["the", "a", "as", "long"], np.eye(4, dtype=np.float32))
    _recurrent({"vectors": vectors}).fit(TRAIN).save(path)


def _recurrent_of_odd_text(path: Path) -> None:
    _recurrent({"max_vocab": None}).fit(build_corpus("lower-case-words")).save(path)


# --- mixtures and caches


def _mixtures() -> Iterator[tuple[str, Recipe]]:
    yield "mixture/linear.safetensors", lambda path: _linear_mixture().save(path)
    yield "mixture/log-linear.safetensors", lambda path: _log_linear_mixture().save(path)
    yield "mixture/nested.safetensors", _nested_mixture
    yield "mixture/other-order.safetensors", _other_order
    yield "cache/text.safetensors", lambda path: _cache(pseudo_count=0.5).save(path)
    yield "cache/trigrams.safetensors", lambda path: _cache(order=3, decay=0.1).save(path)
    yield "cache/documents.safetensors", lambda path: _cache(across_documents=False).save(path)
    yield "cache/sentence.safetensors", lambda path: _cache(across_sentences=False, predicts_end=False).save(path)


_UNIGRAMS = {"order": 1, "smoothing": "witten-bell", "max_vocab": 30}  # the words that the networks know


def _cache(**parameters: Any) -> Any:
    from windrow.lm.cache import CacheLM

    return CacheLM(new_ngram(_UNIGRAMS).fit(TRAIN).vocabulary, 12, **parameters)


def _linear_mixture() -> Any:
    models = [new_ngram(_UNIGRAMS).fit(TRAIN), _window({}).fit(TRAIN), _cache()]
    return windrow.MixtureLM(models).fit(VALID)


def _log_linear_mixture() -> Any:
    models = [new_ngram(_UNIGRAMS).fit(TRAIN), _recurrent({"cell": "gru"}).fit(TRAIN)]
    return windrow.MixtureLM(models, [0.25, 0.5], "log-linear")


def _nested_mixture(path: Path) -> None:
    with_cache = windrow.MixtureLM([_window({}).fit(TRAIN), _cache()])
    windrow.MixtureLM([with_cache, _recurrent({}).fit(TRAIN)], [0.75, 0.25]).save(path)


def _other_order(path: Path) -> None:
    """Of two models over the same words, in another order where counts are equal."""
    forwards = SHORT.read_text("utf-8").splitlines()
    models = [new_ngram({"order": 1, "smoothing": "witten-bell"}).fit(text) for text in (forwards, forwards[::-1])]
    windrow.MixtureLM(models, [0.4, 0.6]).save(path)


# --- taggers

_TAGGER = {"vector_size": 4, "hidden_size": 6, "feature_size": 2, "window": 3, "affixes": (2,), "epochs": 8}
_TAGGERS: dict[str, dict[str, Any]] = {
    "crf-iobes": {"output_layer": "crf", "scheme": "iobes"},
    "crf-bilou": {"output_layer": "crf", "scheme": "bilou", "activation": "tanh"},
    "crf-iob1": {"output_layer": "crf", "scheme": "iob1", "affixes": (1, 3)},
    "softmax-iob2": {"output_layer": "softmax", "scheme": "iob2", "lowercase": False, "fold_digits": False},
    "softmax-iobes": {"output_layer": "softmax", "scheme": "iobes", "affixes": ()},
    "logistic-io": {"output_layer": "logistic", "scheme": "io", "types": ["PER"]},
    "logistic-iob2": {"output_layer": "logistic", "scheme": "iob2", "window": 5, "learning_rate": 0.1},
}


def _tagger(parameters: Mapping[str, Any], source: Any = ENTITIES) -> Any:
    return _new_tagger(parameters).fit(source)


def _new_tagger(parameters: Mapping[str, Any]) -> Any:
    return windrow.WindowTagger(**{**_TAGGER, "dropout": 0.1, "batch_size": 2, "learning_rate": 0.03, **parameters})


def _taggers() -> Iterator[tuple[str, Recipe]]:
    for name, parameters in _TAGGERS.items():
        yield f"tagger/{name}.safetensors", lambda path, p=parameters: _tagger(p).save(path)
    for tune in (False, True):
        name = "tuned" if tune else "frozen"
        yield f"tagger/{name}-vectors.safetensors", lambda path, tune=tune: _with_vectors(tune).save(path)
    yield "tagger/training-state.safetensors", lambda path: _with_state(_new_tagger({}), ENTITIES, path)
    yield "tagger/bare-tags.safetensors", lambda path: _tagger({}, _bare_tags()).save(path)


def _with_vectors(tune: bool) -> Any:
    words = ["the", "of", "met", "london", "unseen", "a"]
    numbers = np.random.default_rng(8).normal(size=(len(words), 4)).astype(np.float32)
    return _tagger({"vectors": windrow.WordVectors(words, numbers), "tune": tune})


def _bare_tags() -> list[tuple[list[str], list[str]]]:
    """The entities with I- alone."""
    blocks = ENTITIES.read_text("utf-8").strip().split("\n\n")
    rows = [[line.split() for line in block.splitlines()] for block in blocks]
    return [([word for word, _ in block], [tag.replace("B-", "I-") for _, tag in block]) for block in rows]


# --- phrases

_PHRASES: dict[str, dict[str, Any]] = {
    "bigrams": {"min_count": 2, "threshold": 2.0},
    "npmi": {"min_count": 2, "threshold": 0.4, "scoring": "npmi", "delimiter": "~"},
    "connector-words": {"min_count": 2, "threshold": 1.0, "connector_words": ("a", "as", "the", "in")},
    "two-passes": {"min_count": 2, "threshold": 1.0, "connector_words": "english", "passes": 2, "max_phrases": 30},
}


def _phrases() -> Iterator[tuple[str, Recipe]]:
    for name, parameters in _PHRASES.items():
        yield f"phrases/{name}.safetensors", lambda path, p=parameters: windrow.Phrases(**p).fit(TRAIN).save(path)


# --- text classifiers

# With other ties between labels than ours.
_FASTTEXT_TREE = Path(__file__).parents[1] / "classification" / "fasttext" / "tied.bin"
_CLASSIFIERS: dict[str, dict[str, Any]] = {
    "softmax": {"loss": "softmax"},
    "hs-word-ngrams": {"loss": "hs", "word_ngrams": 2, "buckets": 5000},
    "ns-spelling": {"loss": "ns", "min_n": 2, "max_n": 3, "buckets": 300, "min_count": 3},
    "ova-lower-case": {"loss": "ova", "lowercase": True, "tokenizer": "word"},
}


def classified() -> tuple[list[str], list[Any]]:
    """Sentences of toyland, by whether they say when, and by their length."""
    texts = Path(TRAIN).read_text("utf-8").splitlines()[:60]
    return texts, [["long" if len(text.split()) > 7 else "short", "on"][: 1 + (" on " in text)] for text in texts]


def _classifiers() -> Iterator[tuple[str, Recipe]]:
    for name, parameters in _CLASSIFIERS.items():
        yield f"classifier/{name}.safetensors", lambda path, p=parameters: _classifier(p, classified()[1]).save(path)
    small = {"word_ngrams": 2, "cutoff": 20, "quantize_bits": 8}
    yield "classifier/small.safetensors", lambda path: _classifier(small, classified()[1]).save(path)
    yield "classifier/fasttext-tree.safetensors", lambda path: windrow.TextClassifier.load(_FASTTEXT_TREE).save(path)
    numbers = [len(labels) for _, labels in zip(*classified(), strict=True)]
    yield "classifier/numbers.safetensors", lambda path: _classifier({}, numbers).save(path)


def _classifier(parameters: Mapping[str, Any], labels: list[Any]) -> Any:
    return windrow.TextClassifier(**{"vector_size": 4, "epochs": 5, **parameters}).fit(classified()[0], labels)


# --- what trainings leave behind


def _logs() -> Iterator[tuple[str, Recipe]]:
    for unfinished in UNFINISHED.values():
        if unfinished.log is not None:
            yield f"logs/{unfinished.log}.jsonl", lambda path, u=unfinished: _log(u.command, path)


def _log(command: list[str], path: Path) -> None:
    from click.testing import CliRunner

    from windrow.cli import main

    with tempfile.TemporaryDirectory() as folder:
        arguments = [*command, "-o", str(Path(folder, "trained.safetensors")), "--log-json", str(path)]
        CliRunner().invoke(main, arguments, catch_exceptions=False)


def _checkpoints() -> Iterator[tuple[str, Recipe]]:
    for name in UNFINISHED:
        yield f"checkpoints/{name}", lambda path, name=name: write_checkpoint(name, path)


RECIPES: dict[str, Recipe] = dict(
    entry
    for part in (
        _vectors,
        _training_states,
        _corpora,
        _ngrams,
        _buckets,
        _networks,
        _mixtures,
        _taggers,
        _phrases,
        _classifiers,
        _logs,
        _checkpoints,
    )
    for entry in part()
)
