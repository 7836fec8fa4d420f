"""Files that are something else than text by their content are refused, whatever they are called."""

from __future__ import annotations

import gzip
import io
import lzma
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow import Corpus, NGramLM, Word2Vec
from windrow.errors import DataError

from .compressors import COMPRESS

TEXT = "the owl sat on the wall\n" * 20


def tarred() -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo("a.txt")
        entry.size = len(TEXT)
        tar.addfile(entry, io.BytesIO(TEXT.encode()))
    return archive.getvalue()


def array_file() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


CONTENTS = {
    "UTF-16 with its mark": (TEXT.encode("utf-16"), "is text in UTF-16; convert it first: iconv"),
    "UTF-16, big end first": (b"\xfe\xff" + TEXT.encode("utf-16-be"), "is text in UTF-16"),
    "UTF-16 without its mark": (TEXT.encode("utf-16-le"), "is text in UTF-16"),
    "a mark alone": ("\ufeff漢字".encode("utf-16"), "is text in UTF-16"),
    "pickle": (pickle.dumps([TEXT]), "is a Python pickle"),
    "ASCII pickle": (pickle.dumps({"text": TEXT}, 0), "is a Python pickle"),
    "pickled object": (pickle.dumps(Path("a"), 0), "is a Python pickle"),
    "web page": (b"\n<!DOCTYPE html><html><body>404 not found</body></html>\n", "is a web page"),
    "zip": (b"PK\x03\x04" + bytes(30), "is a zip archive"),
    "tar": (tarred(), "is a tar archive"),
    "packed tar": (gzip.compress(tarred()), "is a tar archive"),
    "git-lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n", "pointer of git-lfs"),
    "NumPy": (array_file(), "is a NumPy array"),
    "two layers": (gzip.compress(gzip.compress(TEXT.encode())), "compressed twice"),
    "two other layers": (COMPRESS[".xz"](COMPRESS[".zst"](TEXT.encode())), "compressed twice"),
    "ARPA": (b"\\data\\\nngram 1=3\n\n\\1-grams:\n-1\t<unk>\n", "holds an n-gram language model, not text"),
    "PDF": (b"%PDF-1.7\n\xb5\xed\x00\x01", "is a PDF document"),
    "UTF-32": (TEXT.encode("utf-32"), "is text in UTF-32"),
    "RTF": (rb"{\rtf1\ansi an owl}", "is an RTF document"),
    "7z": (b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(30), "is a 7z archive"),
    "picture": (b"\xff\xd8\xff\xe0" + bytes(range(1, 250)), "is a picture"),
    "lzma": (lzma.compress(TEXT.encode(), lzma.FORMAT_ALONE), r"is compressed as \.lzma"),
    "carriage returns": (b"an owl\rit hoots\r", "carriage returns alone end its lines"),
    "word2vec's text": (b"2 2\nowl 1 2\ncat 3 4\n", "holds word vectors, not text"),
    "GloVe's text": (b"owl 0.1 0.2 -3.5e-2\ncat 0.4 0.5 0.6\n", "holds word vectors, not text"),
}


@pytest.mark.parametrize("name", ["a.txt", "b"])
@pytest.mark.parametrize(("content", "said"), CONTENTS.values(), ids=CONTENTS)
@pytest.mark.parametrize("errors", ["strict", "replace"])
def test_other_files_are_refused_as_what_they_are(
    content: bytes, said: str, name: str, errors: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=f"{name}.* {said}") as caught:
        Corpus.build(tmp_path / name, errors=errors)
    assert "\n" not in str(caught.value)


def test_models_are_refused(tmp_path: Path) -> None:
    Word2Vec(vector_size=2, min_count=1, sample=0).fit([TEXT]).wv.save(tmp_path / "v.safetensors")
    NGramLM(2, "witten-bell").fit([TEXT]).save(tmp_path / "m.txt")
    NGramLM(2, "witten-bell").fit([TEXT]).save(tmp_path / "m.arpa.gz")
    for name in ("v.safetensors", "m.txt", "m.arpa.gz"):
        with pytest.raises(DataError, match=f"{name} holds .*, not text"):
            Corpus.build(tmp_path / name)


def test_a_parquet_file_without_its_name_asks_for_the_field(tmp_path: Path) -> None:
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pa.table({"t": ["an owl"]}), tmp_path / "data")
    with pytest.raises(DataError, match="is a Parquet file; read it with format='parquet' and field='NAME'"):
        Corpus.build(tmp_path / "data", format="text")
    assert Corpus.build(tmp_path / "data", field="t").tokens == 2
    (tmp_path / "data").rename(tmp_path / "data.csv")
    assert Corpus.build(tmp_path / "data.csv", field="t").tokens == 2


def test_utf_16_in_a_folder_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT, "utf-8")
    (tmp_path / "b.txt").write_bytes(TEXT.encode("utf-16"))
    with pytest.raises(DataError, match=r"b\.txt is text in UTF-16"):
        Corpus.build(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "cats\nsat\np1\n", "c\no\nw\n", "(\n", "d\nl\nt\n", "PAR1 is a gene\n", "GGUF is a format\n",
        "%PDF- is a mark\n", "2 2\nthe owl hoots\n", "owls 1.5 2.5 3.5\nhoot\n", "1 2\n3 4\n", "the owl\r", "Rar! 7z\n",
        "<s> the owl </s>\n", "<doc id=1>\nthe owl\n</doc>\n", "<!-- a note -->\n", "BZh the owl\n", "PK the owl\n",
        "\x1b[1mthe owl\n", "]q the owl\n", "-- \\data\\ is a line of ARPA files\n", "\x93 owl\n",
    ],
)  # fmt: skip
def test_text_that_begins_like_something_else_is_text(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(text, "utf-8", newline="")
    corpus = Corpus.build(tmp_path / "a.txt")
    assert list(corpus.sentences()) == [line.split() for line in text.splitlines()]


@settings(max_examples=200)
@given(st.text(st.sampled_from("acdltpq]}0i\n 12é"), min_size=1, max_size=12).filter(lambda text: text.split()))
def test_short_words_are_never_taken_for_a_pickle(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "words.txt"
    path.write_text(text + "\n", "utf-8")
    assert Corpus.build(path).tokens == len(text.split())
