"""Files that look like others: each is read as what it is, or refused in one line that says what helps."""

from __future__ import annotations

import gzip
import json
import os
import re
from pathlib import Path
from threading import Thread

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import windrow
from windrow import WordVectors
from windrow.cli import main
from windrow.errors import FormatError, OptionError

pytestmark = pytest.mark.filterwarnings("error")


@pytest.mark.parametrize("name", ["x.txt", "x.glove", "x.bin", "x"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("2 3\rking 1 2 3\rqueen 4 5 6\r", "carriage returns alone end its lines"),
        ("king 1 2 3\rqueen 4 5 6\r", "carriage returns alone end its lines"),
        ("2 3\nking 0,1 0,2 0,3\nqueen 0,4 0,5 0,6\n", "'0,1' is not a number; write decimal points"),
        ("king 0,1 0,2\nqueen 0,4 0,5\n", "write decimal points"),
        ("word,x0,x1\nking,1.0,2.0\n", "write tabs between the fields"),
        ("king;1.0;2.0\n", "write tabs between the fields"),
        ("2 3\nking\u00a01\u00a02\u00a03\nqueen\u00a04\u00a05\u00a06\n", "try nbsp='split'"),
        ("\n1 2\nking 3 4\n", "line 1 is blank; take it out"),
        ("1 3\nthe cat sat\n", "line 2: "),
    ],
)
def test_texts_that_mislead(name: str, content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content.encode())
    with pytest.raises(FormatError, match=re.escape(said)) as caught:
        windrow.load(tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("the 100\ncat 50\ndog 2\n", "in one number, as in a list of counts"),
        ("king queen 8.5\ncat dog 7\n", "in one number, as in a list of counts"),
        ("1.0e+00 2.5e+00 3.0\n4.0 5.0 6.0\n", "its lines hold numbers only, as numpy.savetxt writes them"),
        ("1.0\t2.5\n4.0\t5.0\n", "in one number"),
        ('"owl" 1.0 2.5\n"cat" 4.0 5.0\n', "has its words in quotes"),
        ("owl 100 0.5 0.25\ncat 50 0.5 0.75\n", "has a count after each word"),
    ],
)
def test_tables_that_may_be_no_vectors(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text(content)
    with pytest.raises(FormatError, match=f"{said}.*say format='(glove|tsv)'"):
        windrow.load(tmp_path / "x.txt")
    vectors = windrow.load(tmp_path / "x.txt", format="tsv" if "\t" in content else "glove")
    assert len(vectors) >= 2


def test_a_name_tells_vectors_of_one_dimension(tmp_path: Path) -> None:
    for name in ("x.glove", "x.tsv"):
        (tmp_path / name).write_text("owl\t100\ncat\t50\n")
        assert windrow.load(tmp_path / name).vectors.tolist() == [[100], [50]]
    (tmp_path / "vectors.tsv").write_text("1.0\t2.5\n4.0\t5.0\n")
    with pytest.raises(FormatError, match="holds no words"):
        windrow.load(tmp_path / "vectors.tsv")


def test_a_column_of_counts_under_a_header(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("2 2\nowl 100 0.5 0.25\ncat 50 0.5 0.75\n")
    with pytest.raises(FormatError, match="has a count after each word; take that column out, or say format='txt'"):
        windrow.load(tmp_path / "x.txt")
    assert windrow.load(tmp_path / "x.txt", format="txt").index_to_key == ["owl 100", "cat 50"]


def test_a_header_of_no_dimensions(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"2 0\nowl 100\ncat 50\n")
    with pytest.raises(FormatError):
        windrow.load(tmp_path / "x.bin")


def test_a_dimension_of_zeros_is_no_count(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("owl 0 0.25\ncat 0 1.5\n")
    assert windrow.load(tmp_path / "x.txt").vectors.tolist() == [[0, 0.25], [0, 1.5]]


def test_words_that_are_numbers_are_words(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("1 0.5 0.25\n2 0.75 1\n")
    assert windrow.load(tmp_path / "x.txt").index_to_key == ["1", "2"]


@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_space_in_a_word_of_a_binary_file(end: bytes, tmp_path: Path) -> None:
    row = np.array([1, 2, 3], "<f4").tobytes() + end
    (tmp_path / "x.bin").write_bytes(b"2 3\nnew york " + row + b"queen " + row)
    with pytest.raises(FormatError, match=r"row 2: .* is no word|row 2: the word .* is not UTF-8"):
        windrow.load(tmp_path / "x.bin")


def test_rows_longer_than_the_bytes_that_are_looked_at(tmp_path: Path) -> None:
    numbers = " ".join(["0.25"] * 30_000)
    (tmp_path / "x.txt").write_text(f"owl {numbers}\ncat {numbers}\n")
    assert windrow.load(tmp_path / "x.txt").vectors.shape == (2, 30_000)


def test_what_is_compressed_twice_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "x.txt.gz").write_bytes(gzip.compress(gzip.compress(b"1 1\na 1\n")))
    with pytest.raises(FormatError, match="is compressed twice; unpack it once first"):
        windrow.load(tmp_path / "x.txt.gz")


def test_parquet_with_a_column_that_is_no_dimension(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    table = pd.DataFrame({"word": ["owl", "cat"], "x0": [1.0, 2.0], "x1": [3.0, 4.0]})
    table.astype({"word": "category"}).to_parquet(tmp_path / "x.parquet")
    assert windrow.load(tmp_path / "x.parquet")["cat"].tolist() == [2, 4]
    table.assign(frequency=[0.5, 0.25]).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(FormatError, match="are these all dimensions: x0, x1, frequency"):
        windrow.load(tmp_path / "x.parquet")
    pd.DataFrame({"word": ["owl"], "vector": [[1, 2]]}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(FormatError, match="expected lists of floating point, found list"):
        windrow.load(tmp_path / "x.parquet")
    pd.DataFrame({"word": ["owl"], "vector": [[1e300, 2]]}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(FormatError, match="not finite"):
        windrow.load(tmp_path / "x.parquet")


def test_lists_of_words_end_their_lines_with_line_feeds_only(tmp_path: Path) -> None:
    words = ["a\u2028b", "a\u0085b", "c\u00a0"]
    wv = WordVectors([*words, "other"], np.eye(4, dtype=np.float32))
    wv.save(tmp_path / "x.txt")
    (tmp_path / "list").write_text("".join(f"{word}\r\n" for word in words), "utf-8", newline="")
    assert windrow.load(tmp_path / "x.txt", only_words=tmp_path / "list").index_to_key == words
    wv.save(tmp_path / "x.npy")
    (tmp_path / "x.words.txt").write_text("a\rb\rc\rd\r", newline="")
    with pytest.raises(FormatError, match=r"x\.words\.txt: carriage returns alone"):
        windrow.load(tmp_path / "x.npy")
    (tmp_path / "x.words.txt").write_text("owl 9\ncat 8\nfox 7\nelk 6\n")
    with pytest.raises(FormatError, match="each line is a word and a count; keep the words only"):
        windrow.load(tmp_path / "x.npy")
    with pytest.raises(OptionError, match="only_words = 5 must be words, or a file of them"):
        windrow.load(tmp_path / "x.txt", only_words=5)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="only POSIX has pipes in folders")
def test_a_list_of_words_comes_through_a_pipe(tmp_path: Path) -> None:
    WordVectors(["owl", "cat"], np.eye(2, dtype=np.float32)).save(tmp_path / "x.txt")
    os.mkfifo(tmp_path / "pipe")
    writer = Thread(target=(tmp_path / "pipe").write_text, args=("cat\n",))
    writer.start()
    assert windrow.load(tmp_path / "x.txt", only_words=tmp_path / "pipe").index_to_key == ["cat"]
    writer.join()


def test_bfloat16_is_read(tmp_path: Path) -> None:
    vectors = np.array([[1.0, -2.5, 0.15625], [-0.0, 2.0**100, 3e-39]], np.float32)
    halves = (vectors.view(np.uint32) >> 16).astype("<u2")
    before = np.zeros(3, np.float32)  # another tensor, so that the matrix does not come first
    save_tensors(tmp_path / "x.safetensors", {"bias": ("F32", before), "table": ("BF16", halves)})
    (tmp_path / "x.words.txt").write_text("owl\r\ncat\r\n")

    found = windrow.load(tmp_path / "x.safetensors")

    assert found.index_to_key == ["owl", "cat"]
    assert (found.vectors.view(np.uint32) == vectors.view(np.uint32) >> 16 << 16).all()


def save_tensors(path: Path, tensors: dict[str, tuple[str, np.ndarray]]) -> None:
    """Write a file of safetensors by hand, of types that NumPy lacks, too."""
    header, data = {}, b""
    for name, (kind, values) in tensors.items():
        bounds = [len(data), len(data) + values.nbytes]
        header[name] = {"dtype": kind, "shape": values.shape, "data_offsets": bounds}
        data += values.tobytes()
    written = json.dumps(header).encode()
    path.write_bytes(len(written).to_bytes(8, "little") + written + data)


def test_numbers_of_items_in_a_parquet_table(tmp_path: Path) -> None:
    vectors = [[0.5, 1.0], [2.0, 4.0]]
    pd.DataFrame({"item": [7, -12], "vector": vectors}).to_parquet(tmp_path / "x.parquet")
    assert windrow.load(tmp_path / "x.parquet").index_to_key == ["7", "-12"]
    pd.DataFrame({"item": [7, 12], "count": [1, 2], "vector": vectors}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(FormatError, match=r"expected one column of words, found 2: item \(int64\), count"):
        windrow.load(tmp_path / "x.parquet")
    pd.DataFrame({"item": [7, 12], "word": ["owl", "cat"], "vector": vectors}).to_parquet(tmp_path / "x.parquet")
    assert windrow.load(tmp_path / "x.parquet").index_to_key == ["owl", "cat"]


@pytest.mark.parametrize("name", ["x.npy", "x.safetensors"])
def test_a_matrix_through_a_pipe_has_no_words_beside_it(name: str, tmp_path: Path) -> None:
    matrix = np.ones((2, 3), np.float32)
    if name == "x.npy":
        np.save(tmp_path / name, matrix)
    else:
        save_tensors(tmp_path / name, {"table": ("F32", matrix)})

    result = CliRunner().invoke(main, ["vectors", "similar", "-", "owl"], input=(tmp_path / name).read_bytes())

    assert result.stderr == (
        "Error: standard input is a matrix, whose words are in a file beside it; name the file, instead of a pipe\n"
    )
