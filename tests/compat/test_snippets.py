"""Scripts as people write them for gensim: with one import changed they print the same."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest

pytest.importorskip("gensim", reason="gensim has no wheel for this Python")

IMPORTS = (
    ("import gensim\n", "from windrow.compat import gensim\n"),
    ("from gensim.models", "from windrow.compat.gensim.models"),
    ("from gensim.utils", "from windrow.compat.gensim.utils"),
)  # texts stay those of gensim.test
TREES = "ash 2 0 1\nelm 1.5 0.25 1\noak 1 1 0.5\npine -1 2 0\nfir -1.5 2 0.25\n"

SNIPPETS = {
    "a table by hand": """
import gensim

kv = gensim.models.KeyedVectors(vector_size=3)
kv.add_vectors(["king", "queen", "man", "woman"], [[1.0, 1, 0], [1, 0, 1], [0.5, 1, 0], [0.5, 0, 1]])
for word, score in kv.most_similar(positive=["king", "woman"], negative=["man"], topn=3):
    print(word, f"{score:.4f}")
print("queen" in kv, kv.key_to_index["man"], kv.index_to_key[:2], len(kv), kv.vector_size)
""",
    "words of documents": """
from collections import Counter

from gensim.utils import simple_preprocess

documents = ["Human machine interface for lab abc computer applications", "A survey of user opinion; 42 users"]
words = [simple_preprocess(document, deacc=True) for document in documents]
print(Counter(word for document in words for word in document).most_common(3), words[1])
""",
    "sentences from a file": """
from gensim.models.word2vec import LineSentence

with open("sentences.txt", "w") as file:
    file.write("the cat sat on the mat\\n\\nthe dog barked\\n")
for _ in range(2):
    for sentence in LineSentence("sentences.txt", max_sentence_length=4):
        print(sentence)
""",
    "sentences from a folder": """
import os

from gensim.models.word2vec import PathLineSentences

os.mkdir("texts")
for name in ("b.txt", "a.txt"):
    with open(os.path.join("texts", name), "w") as file:
        file.write(f"this is {name}\\nand its second line\\n")
print(list(PathLineSentences("texts", limit=1)))
""",
    "word2vec's files": """
from gensim.models import KeyedVectors

wv = KeyedVectors.load_word2vec_format("trees.txt", no_header=True)
wv.save_word2vec_format("trees.bin", binary=True)
again = KeyedVectors.load_word2vec_format("trees.bin", binary=True, limit=4)
print(again.index_to_key, again["oak"].tolist(), again.vectors.shape)
print(again.doesnt_match(["ash", "elm", "pine"]), again.similar_by_word("pine", topn=1)[0][0])
""",
    "a file to come back to": """
from gensim.models import KeyedVectors

wv = KeyedVectors.load_word2vec_format("trees.txt", no_header=True)
wv.save("trees.wordvectors")
del wv
wv = KeyedVectors.load("trees.wordvectors", mmap="r")
print(wv["fir"], [f"{wv.similarity('ash', word):.4f}" for word in wv.index_to_key])
""",
    "documents as mean vectors": """
import numpy as np

from gensim.models import KeyedVectors
from gensim.utils import simple_preprocess

wv = KeyedVectors.load_word2vec_format("trees.txt", no_header=True)
documents = ["An ash and an elm.", "Pine, fir: needles!", "The oak"]
means = [wv.get_mean_vector(simple_preprocess(document)) for document in documents]
scores = wv.cosine_similarities(wv.get_vector("fir", norm=True), np.array(means))
print([documents[i] for i in np.argsort(-scores)], f"{wv.n_similarity(['ash', 'elm'], ['pine', 'fir']):.4f}")
""",
    "vectors of new words": """
import numpy as np

from gensim.models import KeyedVectors

wv = KeyedVectors.load_word2vec_format("trees.txt", no_header=True)
wv["yew"] = np.mean([wv["ash"], wv["pine"]], axis=0)
wv.add_vectors(["larch", "box"], [wv["fir"] * 0.9, wv["ash"] + wv["oak"]])
print(len(wv), wv.rank("fir", "larch"), wv.closer_than("ash", "pine"))
print(wv.most_similar_to_given("larch", ["ash", "fir"]))
print([f"{distance:.4f}" for distance in wv.distances("ash", ["yew", "box"])])
""",
    "frequent words first": """
from gensim.models import KeyedVectors

wv = KeyedVectors.load_word2vec_format("trees.txt", no_header=True)
for word, count in {"ash": 3, "elm": 7, "oak": 12, "pine": 1, "fir": 5}.items():
    wv.set_vecattr(word, "count", count)
wv.sort_by_descending_frequency()
print(wv.index_to_key, wv.get_vecattr("elm", "count"), wv.most_similar("ash", restrict_vocab=2)[0][0])
wv.save_word2vec_format("sorted.txt", fvocab="counts.txt", binary=False)
print(open("counts.txt").read().splitlines(), open("sorted.txt").readline())
""",
    "evaluation": """
from gensim.models import KeyedVectors

wv = KeyedVectors.load_word2vec_format("trees.txt", no_header=True)
with open("pairs.tsv", "w") as file:
    file.write("ash\\telm\\t9\\npine\\tfir\\t8\\nash\\tpine\\t1\\noak\\tbirch\\t5\\noak\\tfir\\t3\\n")
with open("analogies.txt", "w") as file:
    file.write(": trees\\nash elm fir pine\\nash elm pine fir\\n")
pearson, spearman, unknown = wv.evaluate_word_pairs("pairs.tsv")
score, sections = wv.evaluate_word_analogies("analogies.txt")
print(f"{pearson[0]:.4f} {spearman[0]:.4f} {unknown:.1f} {score:.2f}", sections[0]["section"])
""",
    "unit vectors": """
import numpy as np

from gensim.models import KeyedVectors

wv = KeyedVectors.load_word2vec_format("trees.txt", no_header=True)
before = wv.get_normed_vectors()
wv.unit_normalize_all()
print(np.allclose(wv.vectors, before), [f"{norm:.3f}" for norm in np.linalg.norm(wv.vectors, axis=1)])
some = wv.vectors_for_all(["oak", "unknown", "ash"])
print(some.index_to_key, f"{some.relative_cosine_similarity('oak', 'ash', topn=1):.4f}")
try:
    wv.most_similar("unknown")
except KeyError:
    print("not in the vocabulary")
""",
    "FastText, step by step": """
from gensim.models.fasttext import FastText
from gensim.test.utils import common_texts

model = FastText(vector_size=4, window=3, min_count=1, bucket=500, workers=1)
model.build_vocab(corpus_iterable=common_texts)
model.train(corpus_iterable=common_texts, total_examples=len(common_texts), epochs=10)
print(len(model.wv), model.wv.vectors.shape, model.corpus_count, model.wv.bucket, model.wv.min_n, model.wv.max_n)
print("computation" in model.wv.key_to_index, "computation" in model.wv, model.wv["computation"].shape)
model.build_vocab([["trees", "computers"], ["computers", "users"]], update=True)
model.train([["trees", "computers"], ["computers", "users"]], total_examples=2, epochs=2)
print(len(model.wv), "users" in model.wv.key_to_index, len(model.wv.most_similar("computation", topn=5)))
model.save("fasttext.model")
print(FastText.load("fasttext.model").wv.index_to_key == model.wv.index_to_key)
""",
    "files of Facebook's fastText": """
from gensim.models.fasttext import FastText, load_facebook_model, load_facebook_vectors, save_facebook_model

model = FastText([["night", "nights", "day"]] * 9, vector_size=5, min_count=1, bucket=90, sg=1, workers=1)
save_facebook_model(model, "night.bin")
wv = load_facebook_vectors("night.bin")
print(sorted(wv.key_to_index), "knights" in wv, wv.similarity("nightly", "nightly") > 0.99)
print(load_facebook_model("night.bin").wv.vectors_ngrams.shape)
""",
    "Word2Vec from sentences": """
from gensim.models import Word2Vec
from gensim.test.utils import common_texts

model = Word2Vec(sentences=common_texts, vector_size=10, window=5, min_count=1, workers=1)
model.save("word2vec.model")
model = Word2Vec.load("word2vec.model")
print(model.train([["human", "interface"]], total_examples=1, epochs=1)[1])
print(len(model.wv), model.wv["computer"].shape, sorted(model.wv.key_to_index))
""",
    "Word2Vec over phrases": """
from gensim.models import Phrases, Word2Vec
from gensim.models.phrases import Phraser

sentences = [["new", "york", "is", "big"], ["new", "york", "has", "trees"], ["is", "it", "new"]] * 4
bigrams = Phraser(Phrases(sentences, min_count=2, threshold=0.1))
print(bigrams[["it", "is", "new", "york"]])
model = Word2Vec(bigrams[sentences], vector_size=5, min_count=1, workers=1)
print(sorted(model.wv.key_to_index), model.wv.get_vecattr("new_york", "count"))
""",
}


def printed(script: str, folder: Path) -> str:
    """What a script prints that runs in a new folder with a file of vectors."""
    folder.mkdir()
    (folder / "trees.txt").write_text(TREES)
    shown = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(shown):
        exec(script, {})
    return shown.getvalue()


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the scripts leave files open, as scripts do
@pytest.mark.filterwarnings("ignore:no word was trained on")  # of texts of a few words all may be sub-sampled
@pytest.mark.filterwarnings("ignore:Adding single vectors:UserWarning")
@pytest.mark.parametrize("script", SNIPPETS.values(), ids=SNIPPETS)
def test_one_import_changed(script: str, tmp_path: Path) -> None:
    changed = script
    for old, new in IMPORTS:
        changed = changed.replace(old, new)
    assert changed != script
    shown = printed(changed, tmp_path / "windrow")
    assert shown == printed(script, tmp_path / "gensim")
    assert shown
