"""Each line of the table in docs/what_to_type.md is typed, with small files of these names."""

from __future__ import annotations

import bz2
import contextlib
import lzma
import re
from pathlib import Path

import numpy as np
import pandas
import pyarrow
import pytest
from gensim.models import KeyedVectors
from pyarrow import parquet

import windrow
from tests.docs.files import NAMES, SENTENCES
from tests.docs.pages import Reader

PAGE = Path(__file__).parents[2] / "docs" / "what_to_type.md"
ROW = re.compile(r"^\| (.+?) \| `(.+)` \|$")


def table() -> list[tuple[str, str]]:
    """What people have, and what they type."""
    lines = PAGE.read_text("utf-8").partition("| what you have | what to type |")[2].splitlines()
    rows = [ROW.match(line) for line in lines[2 : lines.index("", 2)]]
    return [(row[1], row[2].replace(r"\|", "|")) for row in rows if row]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of all the names in the table."""
    folder = tmp_path_factory.mktemp("have")
    text = "\n".join(SENTENCES) + "\n"
    vectors = windrow.WordVectors(NAMES, np.random.default_rng(2).normal(size=(6, 5)).astype(np.float32))
    frame = pandas.DataFrame({"id": range(400), "text": SENTENCES})
    for name in ("articles", "news"):
        (folder / name).mkdir()
    (folder / "wiki.txt.xz").write_bytes(lzma.compress(text.encode()))
    (folder / "articles" / "a.txt.bz2").write_bytes(bz2.compress(text.encode()))
    (folder / "news" / "monday.txt").write_text(text)
    (folder / "travel.txt").write_text(text + "i love new york\n" * 20)
    (folder / "novel.txt").write_text(text.replace("\n", "\n\n").replace(" word1 ", " word1\n"))
    (folder / "old.txt").write_bytes("café déjà vu\n".encode("latin-1") * 9)
    frame.to_json(folder / "reviews.jsonl", orient="records", lines=True)
    frame.to_csv(folder / "reviews.csv", sep=";", index=False)
    frame.to_parquet(folder / "reviews.parquet")
    vectors.save(folder / "v.glove")
    (folder / "v.glove").rename(folder / "glove.6B.50d.txt")
    vectors.save(folder / "news.bin.gz")
    windrow.Word2Vec(vector_size=6, workers=1).fit(SENTENCES).save(folder / "jan.safetensors")
    parts = windrow.Word2Vec(vector_size=6, min_count=1, workers=1, subwords=True, buckets=99).fit(SENTENCES[:9])
    parts.wv.save(folder / "cc.bin", format="fasttext")
    (folder / "crawl.txt").write_bytes(b"4 2\nking 1 2\ncaf\xe9 3 4\nking 5 6\nnew york 7.5 8.5\n")
    vectors.save(folder / "crawl.vec.gz")
    vectors.save(folder / "matrix.npy")
    vectors.save(folder / "potion", format="model2vec")
    columns = {"word": NAMES, "vector": [row.tolist() for row in vectors.vectors.astype(np.float64)]}
    parquet.write_table(pyarrow.table(columns), folder / "vectors.parquet")
    theirs = KeyedVectors(5)
    theirs.add_vectors(NAMES, vectors.vectors)
    theirs.save(str(folder / "old.kv"))
    windrow.NGramLM(2, "witten-bell").fit(SENTENCES).save(folder / "model.arpa.gz")
    (folder / "sentences.txt").write_text("the cat saw a dog\n")
    pairs = "king\tqueen\tN\t8\ncat\tdog\tN\t6\nman\tcat\tN\t1\n"
    (folder / "SimLex-999.txt").write_text(f"word1\tword2\tPOS\tSimLex999\n{pairs}")
    labels = ["__label__royal", "__label__animal __label__pet"]
    (folder / "reviews.ft").write_text("".join(f"{labels[i % 2]} {line}\n" for i, line in enumerate(SENTENCES)))
    frame.assign(rating=[f"{1 + i % 5}" for i in range(400)]).to_csv(folder / "ratings.csv", index=False)
    tokens = "1\tPaul\tB-PER\tO\n2\tlebt\tO\tO\n3\tin\tO\tO\n4\tBonn\tB-LOC\tO\n"
    (folder / "germeval.tsv").write_text(f"# source\n{tokens}\n" * 20)
    (folder / "words.txt").write_text("king\ncat\n")
    (folder / "sessions.txt").write_text("17 4 8 15\n4 8 16 23\n8 15 16 42\n" * 50)
    return folder


def test_the_table_is_long_enough() -> None:
    assert len(table()) == 35


@pytest.fixture(scope="module")
def results(folder: Path) -> dict[str, str]:
    """What each line says on standard error, and how it ended, after those above it."""
    names = {"windrow": windrow, "table": pandas.read_parquet(folder / "reviews.parquet")}
    reader, told = Reader(PAGE, folder), {}
    with contextlib.chdir(folder):
        for have, typed in table():
            if "(" in typed:
                exec(typed, dict(names))
                told[have] = "status 0"
                continue
            status, _, errors = reader.typed(typed)
            told[have] = f"{errors}status {status}"
    return told


@pytest.mark.parametrize(("have", "typed"), table())
def test_what_to_type(have: str, typed: str, results: dict[str, str]) -> None:
    assert results[have].endswith("status 0"), f"{typed}: {results[have]}"
    assert "Warning" not in results[have]


@pytest.mark.usefixtures("results")
def test_what_was_typed_did_what_it_says(folder: Path) -> None:
    assert windrow.load(folder / "clean.safetensors").index_to_key == ["king", "caf\ufffd", "new york"]
    assert windrow.load(folder / "crawl.safetensors").index_to_key == NAMES
    assert windrow.Corpus.open(folder / "old.corpus").vocabulary.words == ["vu", "déjà", "café"]
    assert windrow.Corpus.open(folder / "csv.corpus").tokens == windrow.Corpus.build(SENTENCES).tokens
    assert windrow.WindowTagger.load(folder / "de.tagger").types_ == ["LOC", "PER"]
    assert windrow.load(folder / "reviews.classifier").classes_.tolist() == ["animal", "pet", "royal"]
    assert windrow.load(folder / "ratings.classifier").classes_.tolist() == ["1", "2", "3", "4", "5"]
    assert windrow.load(folder / "old.safetensors").index_to_key == NAMES
