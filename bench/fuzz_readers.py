"""Everything in windrow that reads a file: how it is opened, and what is asked of it once it is open.

``ask`` returns where the file is accepted and all answers are sound, and raises WindrowError where it is refused; any
other exception is a fault. ``AssertionError`` says that an answer is not what it must be.
"""

from __future__ import annotations

import math
import tempfile
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import windrow
from fuzz_options import run_command
from fuzz_seeds import CHECKPOINTS, RESUMED, SEEDS, TAGGED, small_vectors
from windrow.errors import DataError

Ask = Callable[[Path], None]
Files = dict[str, bytes]  # by name: the one that is damaged, then those beside it


@dataclass(frozen=True)
class Reader:
    """``file``: the name of the file that is damaged; ``seeds``: write sound ones, each into an empty folder."""

    name: str
    file: str
    seeds: tuple[Callable[[Path], None], ...]
    ask: Ask


def ask_vectors(path: Path) -> None:
    vectors = windrow.load(path)
    assert isinstance(vectors, windrow.WordVectors), type(vectors)
    table = vectors.vectors
    assert table.shape[0] == len(vectors.index_to_key) == len(set(vectors.index_to_key)), "rows and words"
    assert np.isfinite(table).all(), "numbers that are not finite"
    for word in vectors.index_to_key[:2]:
        assert vectors.index_to_key[vectors.key_to_index[word]] == word, "the numbers of words"
        if len(vectors.index_to_key) > 1 and table[vectors.key_to_index[word]].any():
            found = vectors.most_similar(word, topn=3)
            assert all(math.isnan(number) is False and abs(number) <= 1.001 for _, number in found), found
    vectors.save(path.with_name("written.safetensors"))


def ask_training(path: Path) -> None:
    model = windrow.Word2Vec.load(path)
    for table in (model.wv.vectors, *model.output_tables_.values()):
        assert np.isfinite(table).all(), "numbers that are not finite"
    most = max(model.window, model.shared_negatives or 0, model.workers)
    if model.vector_size * most < 10_000:  # else memory is of use
        model.set_params(epochs=1, workers=1, max_final_vocab=len(model.wv)).fit(["the cat sat"], continue_from=model)
    model.save(path.with_name("written.safetensors"))


def ask_words_of_matrix(path: Path) -> None:
    ask_vectors(path.with_name("m.npy"))


def ask_folder(path: Path) -> None:
    """Asks for the vectors of a folder of static embeddings, in which one file is damaged."""
    vectors = windrow.load(path.parent)
    assert isinstance(vectors, windrow.WordVectors), type(vectors)
    assert vectors.vectors.shape == (len(set(vectors.index_to_key)), 3), "rows and words"
    vectors.most_similar(vectors.index_to_key[0])


def ask_with_array(path: Path) -> None:
    """Asks for the vectors of a file of gensim; the file that is damaged holds their numbers."""
    ask_vectors(path.with_name(path.name.partition(".vectors.")[0]))


def ask_language_model(path: Path) -> None:
    model = windrow.load(path)
    assert hasattr(model, "log_prob"), type(model)
    scores = [model.log_prob("the cat sat"), *map(float, model.log_probs(["a dog ran", "", "zebra the"]))]
    assert not any(map(math.isnan, scores)), scores
    assert not any(np.isnan([score for _, score, *_ in model.word_scores("the dog")])), "scores of words"
    model.top_words("the cat", 3)
    model.generate("the", seed=1, max_new_tokens=3)
    model.perplexity(["the cat sat on the mat"])


def ask_ngrams(path: Path) -> None:
    ask_language_model(path)
    model = windrow.load(path, expected=windrow.NGramLM)
    assert len(list(model.ngrams())) == sum(model.table_.sizes), "all n-grams are listed"
    model.save(path.with_name("written.arpa"))
    if model.keep_counts:
        model.add(["the cat sat", "a dog"])


def ask_tagger(path: Path) -> None:
    tagger = windrow.load(path)
    assert isinstance(tagger, windrow.WindowTagger), type(tagger)
    sentences = [["Ann", "saw", "Rome"], ["zebra"], ["it"] * 9]
    for tokens, tags in zip(sentences, tagger.predict(sentences), strict=True):
        assert len(tags) == len(tokens), "a tag for each token"
    tagger.evaluate(TAGGED)


def ask_phrases(path: Path) -> None:
    phrases = windrow.load(path, expected=windrow.Phrases)
    phrases.transform(["the cat sat on the mat"])
    phrases.save(path.with_name("again"))


def ask_classifier(path: Path) -> None:
    model = windrow.load(path)
    assert isinstance(model, windrow.TextClassifier), type(model)
    texts = ["the cat sat", "", "zebra"]
    found = model.predict_proba(texts)
    assert ((found >= 0) & (found <= 1)).all(), "probabilities"
    assert [len(labels) for labels in model.top_labels(texts, k=2)] == [2, 2, 2], "labels"


def ask_labelled_text(path: Path) -> None:
    run_command(["classify", "train", str(path), "-o", str(path.with_name("m")), "--size", "2", "--epochs", "1"])


def ask_labelled_records(path: Path) -> None:
    run_command(["classify", "train", str(path), "-o", str(path.with_name("m")), "--size", "2", "--epochs", "1",
                 "--field", "text", "--label-field", "id"])  # fmt: skip


def ask_counts(path: Path) -> None:
    model = windrow.NGramLM(2, "witten-bell").fit_counts(path)
    assert not math.isnan(model.log_prob("the cat sat"))


def ask_corpus(path: Path) -> None:
    corpus = windrow.Corpus.open(path.parent)
    corpus.verify()
    corpus.info()
    sentences = list(corpus.sentences())
    assert sum(map(len, sentences)) <= corpus.tokens, "tokens"  # less those of words that were left out
    windrow.NGramLM(2, "witten-bell").fit(corpus)


def ask_vocabulary(path: Path) -> None:
    vocabulary = windrow.Vocabulary.load(path)
    assert len(vocabulary.words) == len(vocabulary), "words"
    vocabulary.decode(vocabulary.encode(["the", "cat", "zebra"][: 2 + (len(vocabulary.specials) > 0)]))


def text_asker(**options: Any) -> Ask:
    """Asks for the sentences of a text that is read with these options."""

    def ask(path: Path) -> None:
        corpus = windrow.Corpus.build(path, **options)
        assert sum(map(len, corpus.sentences())) == corpus.tokens, "tokens"
        assert int(corpus.vocabulary.counts.sum()) == corpus.tokens, "counts"

    return ask


def ask_similarity(path: Path) -> None:
    from windrow.evaluation import evaluate_similarity

    result = evaluate_similarity(path, small_vectors().index_to_key, small_vectors().vectors)
    assert -1 <= result.spearman <= 1, result


def ask_analogies(path: Path) -> None:
    from windrow.evaluation import evaluate_analogies

    result = evaluate_analogies(path, small_vectors().index_to_key, small_vectors().vectors)
    assert 0 <= result.overall.accuracy <= 1, result


def ask_only_words(path: Path) -> None:
    vectors = windrow.load(path.with_name("v.txt"), only_words=path)
    assert 0 < len(vectors.index_to_key) <= 10, "words"


def ask_registry(path: Path) -> None:
    from windrow.corpus.registry import fetch, list_corpora

    for corpus in list_corpora(path):
        assert isinstance(corpus.verifiable, bool)
        assert isinstance(corpus.description + corpus.license + corpus.size, str)
    with suppress(DataError):  # which it must be: there is no such corpus
        fetch("no such corpus", path.parent, registry=path)


def ask_log(path: Path) -> None:
    from windrow.viz.learning_curve import read_log

    for record in read_log(path):
        assert record is not None


def ask_drawing(path: Path) -> None:
    """Draws a log; slower than reading it, so a reader of its own."""
    from matplotlib import pyplot

    from windrow.viz.learning_curve import plot_learning_curve

    pyplot.close(plot_learning_curve(path))


def ask_conll(path: Path) -> None:
    from windrow.tagging import read_conll

    for sentence in read_conll(path):
        assert len(sentence.tokens) == len(sentence.tags) > 0
    windrow.WindowTagger(vector_size=2, hidden_size=2, window=1, epochs=1, min_count=1).fit(path)


def ask_texts(path: Path) -> None:
    from windrow.tagging.texts import read_texts

    for piece in read_texts(path):
        assert piece is not None


def ask_info(path: Path) -> None:
    run_command(["info", str(path), "--json"])
    with suppress(DataError):  # few files have one
        run_command(["info", str(path), "--command"])


def ask_buckets(path: Path) -> None:
    from windrow.lm.buckets import PerplexityBuckets

    buckets = PerplexityBuckets.load(path)
    assert set(buckets.names_of([0.0, 5.0, 1e300])) <= set(buckets.names)
    buckets.save(path.with_name("again"))
    assert PerplexityBuckets.load(path.with_name("again")) == buckets


def ask_limit(path: Path) -> None:
    """As ``lm train ngram --vocab`` reads a list of words."""
    run_command(["lm", "train", "ngram", str(path.with_name("text")), "-o", str(path.with_name("m")), "--order", "2",
                 "--smoothing", "witten-bell", "--vocab", str(path)])  # fmt: skip


def resumer(name: str) -> Ask:
    """Goes on from a checkpoint; what comes of it can be asked."""

    def ask(path: Path) -> None:
        learned = RESUMED[name](path)
        assert np.isfinite(learned).all(), f"{name}: what was learned is not finite"

    return ask


def _readers() -> list[Reader]:
    askers: dict[str, Ask] = {"vectors": ask_vectors, "training of vectors": ask_training,
                              "words of a matrix": ask_words_of_matrix, "array of gensim": ask_with_array,
                              "tokenizer of vectors": ask_folder,
                              "ngram": ask_ngrams, "arpa": ask_ngrams, "counts": ask_counts,
                              "unbounded": ask_language_model, "classes": ask_language_model,
                              "skips": ask_language_model,
                              "window": ask_language_model, "recurrent": ask_language_model,
                              "mixture": ask_language_model, "cache": ask_language_model,
                              "tagger": ask_tagger, "corpus": ask_corpus,
                              "classifier": ask_classifier, "phrases": ask_phrases, "labelled text": ask_labelled_text,
                              "labelled records": ask_labelled_records,
                              "vocabulary": ask_vocabulary, "similarity": ask_similarity, "analogies": ask_analogies,
                              "only words": ask_only_words, "registry": ask_registry, "log": ask_log,
                              "log drawn": ask_drawing, "conll": ask_conll, "info": ask_info, "text to tag": ask_texts,
                              "limit vocabulary": ask_limit, "buckets": ask_buckets,
                              "text": text_asker(),
                              "text, words": text_asker(tokenizer="word", lowercase=True, normalize="nfkc"),
                              "text, characters": text_asker(tokenizer="char", errors="replace"),
                              "text, paragraphs": text_asker(sentences="paragraph", errors="ignore"),
                              "jsonl": text_asker(format="jsonl", field="text"),
                              "csv": text_asker(format="csv", field="text"),
                              "parquet": text_asker(format="parquet", field="text")}  # fmt: skip
    readers = []
    for (kind, variant), (file, *seeds) in SEEDS.items():
        name = f"{kind}, {variant}" if variant else kind
        readers.append(Reader(name, file, tuple(seeds), askers[kind]))
    readers.append(Reader("info, checkpoint", "c", (CHECKPOINTS["vectors, noise"],), ask_info))
    readers += [Reader(f"checkpoint, {name}", "c", (write,), resumer(name)) for name, write in CHECKPOINTS.items()]
    return readers


READERS = {reader.name: reader for reader in _readers()}


def sound_files(name: str) -> list[Files]:
    """The sound files of a reader, each with those beside it; each is asked, and must be accepted."""
    reader, found = READERS[name], []
    for write in reader.seeds:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, reader.file)
            write(path)
            files = {one.name: one.read_bytes() for one in sorted(path.parent.iterdir()) if one.is_file()}
            quietly(reader.ask, path)
        found.append({reader.file: files.pop(reader.file), **files})
    return found


def put(files: Files, folder: Path) -> None:
    """Write files into a folder, which is made."""
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)


def quietly(ask: Ask, path: Path) -> None:
    """Ask without warnings: what a damaged number does to sums is no fault of the reader."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        ask(path)
