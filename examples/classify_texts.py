"""Classify real text by the average of its word vectors: what a newsgroup post is about, what a film review thinks.

Both data sets lie in gensim's wheel, 200 labelled texts each. Everything, the word vectors included, is learned from
the texts of the training folds only. The topic of a post can be learned from so little text; the opinion of a
one-sentence review cannot, as the bag of words beside it shows: it takes thousands of reviews.

    pip install gensim 'windrow[sklearn]'
    python examples/classify_texts.py
"""

from __future__ import annotations

import pickletools
import zlib
from importlib.util import find_spec
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from windrow.sklearn import DocumentVectorizer

Texts = tuple[list[str], list[str]]  # the documents, and a label each


def gensim_data(name: str) -> bytes:
    """A file of test data in the wheel; gensim itself need not be imported."""
    package = find_spec("gensim")
    if package is None or package.origin is None:
        raise SystemExit("the texts are in gensim's wheel: pip install gensim")
    return Path(package.origin).parent.joinpath("test", "test_data", name).read_bytes()


def reviews() -> Texts:
    """Sentences from film reviews, positive or negative (Pang & Lee 2005): lines of ``__label__pos TEXT``."""
    lines = gensim_data("pang_lee_polarity.cor").decode("cp1252").splitlines()
    labels, texts = zip(*(line.split(" ", 1) for line in lines), strict=True)
    return list(texts), list(labels)


def posts() -> Texts:
    """Posts of two of the 20 Newsgroups (Lang 1995), without what would give their group away: headers and quotes."""
    # The file is a pickle; reading its strings, unlike loading it, runs no code.
    stored = zlib.decompress(gensim_data("mini_newsgroup"))
    mails = [str(text) for kind, text, _ in pickletools.genops(stored) if kind.name == "UNICODE"]
    parts = [mail.partition("\n\n") for mail in mails]
    labels = ["space" if "sci.space" in headers else "atheism" for headers, _, _ in parts]
    return [without_quotes(body) for _, _, body in parts], labels


def without_quotes(body: str) -> str:
    """The lines that the sender has written, not those that an answer repeats or names."""
    lines = body.splitlines()
    quotes = (">", "|", ":", "In article")
    return "\n".join(
        line for line in lines if not line.startswith(quotes) and not line.rstrip().endswith(("writes:", "wrote:"))
    )


def classifier() -> Pipeline:
    """Word vectors of the texts themselves, SIF averages, logistic regression."""
    skipgram = {"sg": 1, "vector_size": 50, "epochs": 20, "alpha": 0.05, "min_count": 2}
    documents = DocumentVectorizer(weighting="sif", tokenizer="word", word2vec_params=skipgram)
    return make_pipeline(documents, StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))


def bag_of_words() -> Pipeline:
    """The yardstick: a feature a word."""
    return make_pipeline(TfidfVectorizer(), LogisticRegression(C=10, max_iter=1000))


def accuracy(model: Pipeline, texts: Texts) -> float:
    """The mean over five folds; each is judged by a model that has not seen its texts."""
    folds = StratifiedKFold(5, shuffle=True, random_state=1)
    return float(cross_val_score(model, *texts, cv=folds).mean())


def main() -> dict[str, float]:
    """Print and return the cross-validated accuracy of each task."""
    found = {}
    for task, texts in {"topic of a post": posts(), "opinion of a review": reviews()}.items():
        found[task] = accuracy(classifier(), texts)
        yardstick = accuracy(bag_of_words(), texts)
        print(f"{task}: {found[task]:.1%} right (bag of words {yardstick:.1%}, chance 50 %)")
    return found


if __name__ == "__main__":
    main()
