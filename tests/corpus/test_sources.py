from __future__ import annotations

import csv
import gzip
import io
import json
import socket
import sys
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from threading import Thread
from time import sleep

import pyarrow
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from tests.web_servers import head, saying, serving
from windrow.corpus import Corpus, sources, streams
from windrow.errors import DataError, DataWarning, OptionError
from windrow.files import web
from windrow.files.compression import decompressed

from .compressors import COMPRESS

TEXT = "the cat sat\n\non the mat — déjà 漢字 😀\nlast"


def read(source, **options) -> list[str | list[str]]:
    """The sentences of a source: lines of the text, and lists as they are."""
    sentences, text = [], ""
    for piece in sources.read(source, **options):
        if isinstance(piece, list):
            assert text == ""
            sentences.append(piece)
        else:
            *lines, text = (text + piece).split("\n")
            sentences += lines
    assert text == ""
    return sentences


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def write_csv(path: Path, rows: list[list[str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def write_parquet(path: Path, columns: dict[str, list]) -> Path:
    parquet.write_table(pyarrow.table(columns), path)
    return path


# Text


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        ("a b\nc\n", ["a b", "c"]),
        ("a b\nc", ["a b", "c"]),
        ("\n\na\n\n", ["", "", "a", ""]),
        ("a\r\nb\rc\x0bd\u2028e", ["a\r", "b\rc\x0bd\u2028e"]),
        ("\ufeffa\n", ["a"]),
        ("\ufeff", []),
        ("", []),
    ],
)
@pytest.mark.parametrize("chunk_bytes", [1, 2, 1 << 22])
def test_a_newline_ends_a_sentence_and_nothing_else_does(tmp_path, monkeypatch, content, lines, chunk_bytes):
    monkeypatch.setattr(streams, "CHUNK_BYTES", chunk_bytes)

    assert read(write(tmp_path / "a.txt", content)) == lines


@settings(max_examples=60)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")), st.integers(1, 9))
@example("aé漢😀\n" * 3, 1)
def test_chunk_size_does_not_matter(tmp_path_factory, text, chunk_bytes):
    path = write(tmp_path_factory.getbasetemp() / "chunks.txt", text)
    whole = "".join(sources.read(path))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "CHUNK_BYTES", chunk_bytes)

        assert "".join(sources.read(path)) == whole
    assert whole.removesuffix("\n") == text.removeprefix("\ufeff").removesuffix("\n")


@pytest.mark.parametrize("chunk_bytes", [1, 3, 1 << 22])
@pytest.mark.parametrize(
    ("content", "byte", "offset"),
    [
        (b"abc\xe9t\xe9", "0xe9", 3),
        ("dé".encode() + b"\xff", "0xff", 3),
        (b"abcd\xe6\xbc", "0xe6", 4),  # a character cut off at the end of the file
        (b"\xffa", "0xff", 0),
    ],
)
def test_bytes_that_are_not_utf8_are_placed(tmp_path, monkeypatch, chunk_bytes, content, byte, offset):
    monkeypatch.setattr(streams, "CHUNK_BYTES", chunk_bytes)
    path = write(tmp_path / "latin.txt", content)

    with pytest.raises(DataError, match=rf"latin\.txt: byte {byte} at offset {offset} is not UTF-8.*replace"):
        read(path)
    assert read(path, errors="replace") == [content.decode(errors="replace")]
    assert read(path, errors="ignore") == [content.decode(errors="ignore")]


def test_offsets_count_decompressed_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "CHUNK_BYTES", 100)
    path = write(tmp_path / "latin.gz", gzip.compress(b"x" * 1234 + b"\xff"))

    with pytest.raises(DataError, match="offset 1234"):
        read(path)


@pytest.mark.parametrize("errors", ["strict", "replace", "ignore"])
@pytest.mark.parametrize("chunk_bytes", [2, 1 << 22])
def test_nul_bytes_are_refused(tmp_path, monkeypatch, chunk_bytes, errors):
    monkeypatch.setattr(streams, "CHUNK_BYTES", chunk_bytes)

    with pytest.raises(DataError, match=r"data\.bin: NUL byte at offset 5"):
        read(write(tmp_path / "data.bin", b"abcde\0f"), errors=errors)


# Compression


@pytest.mark.parametrize("suffix", COMPRESS)
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("chunk_bytes", [5, 1 << 22])
def test_compressed_files_read_as_the_text_itself(tmp_path, monkeypatch, suffix, named, chunk_bytes):
    monkeypatch.setattr(streams, "CHUNK_BYTES", chunk_bytes)
    half = len(TEXT) // 2
    members = COMPRESS[suffix](TEXT[:half].encode()) + COMPRESS[suffix](TEXT[half:].encode())

    assert read(write(tmp_path / (f"a.txt{suffix}" if named else "a.txt"), members)) == TEXT.split("\n")


@pytest.mark.parametrize("suffix", COMPRESS)
@pytest.mark.parametrize("kept", [0, 5, 0.5, -3, -1])
def test_compressed_files_cut_short_are_refused(tmp_path, suffix, kept):
    content = COMPRESS[suffix]("".join(f"word{n} " for n in range(5000)).encode())
    path = write(tmp_path / f"cut{suffix}", content[: int(len(content) * kept) if kept == 0.5 else kept])

    with pytest.raises(DataError, match=rf"cut\{suffix}: the data are broken or cut short"):
        read(path)


@pytest.mark.parametrize("suffix", COMPRESS)
def test_text_whose_name_promises_compression_is_read_as_text(tmp_path, suffix):
    # Browsers unpack what they download, and keep the name.
    assert read(write(tmp_path / f"fake{suffix}", b"plain text, not compressed")) == ["plain text, not compressed"]


@pytest.mark.parametrize("suffix", COMPRESS)
@pytest.mark.parametrize("content", [b"plain", b"\xff" * 40, b"\0" * 40])
def test_files_that_only_look_compressed_are_refused(tmp_path, suffix, content):
    with pytest.raises(DataError, match=rf"fake\{suffix}: the data are broken or cut short"):
        read(write(tmp_path / f"fake{suffix}", content))


@pytest.mark.parametrize("suffix", COMPRESS)
def test_damage_in_the_middle_is_noticed(tmp_path, suffix):
    content = bytearray(COMPRESS[suffix](Random(1).randbytes(4000).hex().encode()))
    content[len(content) // 2 : len(content) // 2 + 40] = b"\xaa" * 40

    # Without a checksum zstd can only notice damage that makes no sense; the text then is not what it was.
    try:
        text = "".join(read(write(tmp_path / f"bad{suffix}", bytes(content))))
    except DataError as error:
        assert f"bad{suffix}" in str(error)
    else:
        assert suffix == ".zst"
        assert text


def test_zstd_that_grows_enormously_is_read_in_pieces(tmp_path):
    path = write(tmp_path / "big.zst", COMPRESS[".zst"](b"a " * (20 << 20)))

    sizes = [len(piece) for piece in sources.read(path)]

    assert sum(sizes) == (40 << 20) + 1
    assert max(sizes) <= streams.CHUNK_BYTES


# Where the text is


def test_a_folder_is_its_text_files_by_path(tmp_path):
    write(tmp_path / "b.txt", "b")
    write(tmp_path / "a" / "z.txt.gz", gzip.compress(b"az"))
    write(tmp_path / "a" / "c.txt", "ac")
    write(tmp_path / ".hidden", "no")
    write(tmp_path / ".git" / "config", "no")
    write(tmp_path / "picture.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")

    assert read(tmp_path) == ["ac", "az", "b"]


def test_a_broken_file_in_a_folder_is_not_passed_over(tmp_path):
    write(tmp_path / "a.txt", "a")
    write(tmp_path / "b.gz", gzip.compress(b"b" * 100)[:-9])

    with pytest.raises(DataError, match=r"b\.gz"):
        read(tmp_path)


def test_a_folder_of_records_takes_files_of_that_kind(tmp_path):
    write(tmp_path / "b.jsonl.gz", gzip.compress(b'{"text": "b"}'))
    write(tmp_path / "a.jsonl", '{"text": "a"}')
    write(tmp_path / "README.md", "not JSON")

    assert read(tmp_path, format="jsonl", field="text") == ["a", "b"]


@pytest.mark.parametrize("names", [[], [".hidden"], ["nul.bin"]])
def test_a_folder_without_text(tmp_path, names):
    for name in names:
        write(tmp_path / name, b"\0")

    with pytest.raises(DataError, match="holds no readable text file"):
        read(tmp_path)


def test_globs(tmp_path):
    for name in ["b.txt", "a.txt", "c.md", "deep/d.txt"]:
        write(tmp_path / name, name)

    assert read(str(tmp_path / "*.txt")) == ["a.txt", "b.txt"]
    assert read(tmp_path / "**" / "*.txt") == ["a.txt", "b.txt", "deep/d.txt"]
    assert read([tmp_path / "c.*", tmp_path / "a.txt"]) == ["c.md", "a.txt"]
    with pytest.raises(DataError, match=r"no file matches .*\.csv"):
        read(str(tmp_path / "*.csv"))


def test_a_file_whose_name_looks_like_a_glob(tmp_path):
    assert read(write(tmp_path / "a[1].txt", "one")) == ["one"]


@pytest.mark.parametrize("as_path", [str, Path, lambda name: [Path(name)]])
def test_standard_input(monkeypatch, as_path):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(TEXT.encode()))))

    assert read(as_path("-")) == TEXT.split("\n")
    assert not sys.stdin.closed


def test_compressed_standard_input(monkeypatch):
    compressed = io.BytesIO(gzip.compress(TEXT.encode()))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(compressed)))

    assert read("-") == TEXT.split("\n")


def test_errors_on_standard_input_say_so(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\xff")))

    with pytest.raises(DataError, match="standard input: byte 0xff at offset 1"):
        read("-")


def test_urls_survive_pathlib():
    assert sources.locations(Path("https://host/a/b.txt")) == ["https://host/a/b.txt"]
    assert sources.locations([Path("HTTP://host/key"), Path("a/b")]) == ["HTTP://host/key", "a/b"]
    assert sources.locations(Path("s3://bucket/key")) == ["s3://bucket/key"]
    assert sources.locations(Path("file:///folder/b.txt")) == ["file:///folder/b.txt"]
    assert sources.locations("C://texts/b.txt") == ["C://texts/b.txt"]


def test_the_query_of_a_url_does_not_hide_its_suffix():
    raw = io.BytesIO(gzip.compress(b"text"))

    assert decompressed(raw, streams.suffix_of("https://host/a.gz?download=1")).read() == b"text"


def test_what_cannot_peek_is_decompressed_too():
    assert decompressed(io.BytesIO(gzip.compress(b"text"))).read() == b"text"
    assert decompressed(io.BytesIO(b"plain text here"), ".gz").read() == b"plain text here"


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("file:///no%20such/file.txt", "give its path instead, /no such/file.txt"),
        ("FILE:///no/such/file", "give its path instead, /no/such/file"),
        ("hdfs://host:9000/a", "of URLs only http, https, s3, gs, gcs, az, abfs and hf are read, not hdfs; download"),
        ("ftp://me:secret@host/a", "cannot open ftp://***@host/a: of URLs only"),
        ("gd://bucket/key?token=secret", "cannot open gd://bucket/key?...: of URLs only"),
        ("memory://a", "not memory"),
        ("zip://a.txt::http://host/a.zip", "not zip"),
        ("nosuchprotocol://host/file", "not nosuchprotocol"),
        ("http://[::1/a", "that is no valid URL"),
        ("http://host:port/a", "that is no valid URL"),
        ("http://me:pa/ss@host/a", "cannot open http://***@host/a: that is no valid URL"),
    ],
)
def test_urls_that_are_not_opened(kind, url, told):
    for format, field in ((None, None), ("csv", "text")):
        with pytest.raises(DataError) as caught:
            read(kind(url), format=format, field=field)
        assert told in str(caught.value) and str(caught.value).startswith("cannot open ")
        assert "\n" not in str(caught.value)
        assert "secret" not in str(caught.value) and "pa/ss" not in str(caught.value)


def test_names_that_only_look_like_urls_are_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("notes:", "s3:", "https:"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / "a.txt", "one owl")
    write(tmp_path / "see http:", "one owl")

    for name in ("notes://a.txt", "s3:/a.txt", "./https://a.txt", "see http:"):
        assert read(name) == ["one owl"]
        assert read(Path(name)) == ["one owl"]
    with pytest.raises(DataError, match=r"^no://a\.txt|^cannot open no://a\.txt"):
        read("no://a.txt")
    with pytest.raises(DataError, match="No such file"):
        read("C://a.txt")
    with pytest.raises(DataError, match="No such file"):
        read("a text: see http://host/a.txt")


@pytest.mark.parametrize(
    "source",
    [
        *("missing.txt", "a sentence, not a path", "x" * 300, "x" * 5000, "nul\0byte", "~nobody-of-that-name/a.txt"),
        *("x" * 300 + "*.txt", "a/[x]" * 2000, "file:///" + "x" * 5000),
    ],
)
def test_paths_that_name_nothing(source):
    with pytest.raises(DataError, match=r"missing|sentence|xxx|nul|nobody|a/\[x\]") as caught:
        read(source)
    assert len(str(caught.value)) < 300 or "://" in source
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("options", [{}, {"format": "jsonl", "field": "t"}])
def test_an_empty_name_is_not_the_current_folder(tmp_path, monkeypatch, options):
    write(tmp_path / "a.txt", "text")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(DataError, match="the source is an empty name"):
        read("", **options)
    assert read(".") == ["text"]


def test_a_folder_that_may_not_be_entered(tmp_path, monkeypatch):
    write(tmp_path / "a.txt", "text")

    def denied(self):
        raise PermissionError(13, "Permission denied", str(self))

    for method, source in (("is_dir", "a.txt"), ("exists", "a.txt"), ("is_file", ""), ("is_file", "*.txt")):
        with monkeypatch.context() as patch:
            patch.setattr(Path, method, denied)  # chmod does not stop root
            with pytest.raises(DataError, match=r"^cannot read .*: Permission denied$"):
                read(tmp_path / source)


def test_a_file_that_cannot_be_read(tmp_path, monkeypatch):
    path = write(tmp_path / "secret.txt", "x")

    def denied(*args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)  # chmod does not stop root

    with pytest.raises(DataError, match=r"cannot read .*secret\.txt: Permission denied"):
        read(path)


@pytest.mark.parametrize("source", [3, None, b"bytes"])
def test_things_that_are_no_source(source):
    with pytest.raises(OptionError, match=f"not {type(source).__name__}"):
        read(source)


# Records


def test_jsonl(tmp_path):
    records = [{"t": "a b", "n": 1}, {"t": ""}, {"t": "c\nd\n"}, {"t": ["x_y", "z"]}]
    path = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, records)) + "\n\n")

    with pytest.warns(DataWarning, match=r"a\.jsonl: left out 1 record without text"):
        assert read(path, format="jsonl", field="t") == ["a b", "c", "d", ["x_y", "z"]]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 3: not JSON"),
        ("[" * 100_000, "line 3: not JSON"),
        ('{"text": "x"}', "line 3: no field 't'; there is: text"),
        ("[1]", "line 3: no field 't'"),
        ('{"t": 3}', "line 3, field 't'.*not int"),
        ('{"t": {"a": 1}}', "line 3, field 't'.*not dict"),
        ('{"t": ["a b"]}', "line 3, field 't': the token 'a b'"),
        ('{"t": ["a", 1.5]}', "line 3, field 't': the token 1.5"),
    ],
)
def test_jsonl_lines_that_cannot_be_used(tmp_path, line, message):
    path = write(tmp_path / "a.jsonl", '{"t": "ok"}\n\n' + line + "\n")

    with pytest.raises(DataError, match=rf"a\.jsonl, {message}"):
        read(path, format="jsonl", field="t")


def test_csv(tmp_path):
    long = "long " * 100_000  # beyond the csv module's own limit
    rows = [["id", "text"], ["1", 'a "quoted", b'], ["2", ""], ["3", "two\nlines"], ["4", long]]
    limit = csv.field_size_limit()

    with pytest.warns(DataWarning, match="left out 1 record"):
        sentences = read(write_csv(tmp_path / "a.csv", rows), format="csv", field="text")

    assert sentences == ['a "quoted", b', "two", "lines", long]
    assert csv.field_size_limit() == limit


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,body\n1,x\n", r"no column 'text'; there is: id, body"),
        ("", r"no column 'text'; there is: nothing"),
        ("id,text\n1,x\n2\n", r"line 3: the row lacks the column 'text'"),
        ('id,text\n1,"x\n', r"line 2: not CSV"),
    ],
)
def test_csv_that_cannot_be_used(tmp_path, content, message):
    with pytest.raises(DataError, match=rf"a\.csv.*{message}"):
        read(write(tmp_path / "a.csv", content), format="csv", field="text")


def test_parquet(tmp_path):
    values = [f"row {n}" for n in range(3000)]
    path = write_parquet(tmp_path / "a.parquet", {"id": list(range(3000)), "text": values})
    tokens = write_parquet(tmp_path / "b.pq", {"text": [["a", "b"], ["c"]]})

    assert read(path, format="parquet", field="text") == values
    assert read(tokens, format="parquet", field="text") == [["a", "b"], ["c"]]
    assert read(tmp_path, format="parquet", field="text") == [*values, ["a", "b"], ["c"]]


def test_parquet_text_that_is_not_utf8(tmp_path):
    text = pyarrow.array([b"fine", b"caf\xe9"]).view(pyarrow.string())

    path = write_parquet(tmp_path / "a.parquet", {"text": text})

    with pytest.raises(DataError, match=r"a\.parquet, column 'text': a text is not UTF-8.*try errors='replace'"):
        read(path, field="text")
    assert read(path, field="text", errors="replace") == ["fine", "caf\ufffd"]
    as_bytes = write_parquet(tmp_path / "b.parquet", {"text": [b"fine", None, "café".encode()]})
    with pytest.warns(DataWarning, match="left out 1 record"):
        assert read(as_bytes, field="text") == ["fine", "café"]


@pytest.mark.parametrize("compress", COMPRESS.values(), ids=COMPRESS)
def test_parquet_that_is_compressed_once_more(compress, tmp_path):
    plain = write_parquet(tmp_path / "a.parquet", {"text": ["an owl", "a cat"]})
    packed = write(tmp_path / "packed", compress(plain.read_bytes()))
    assert read(packed, field="text") == ["an owl", "a cat"]


def test_parquet_that_cannot_be_used(tmp_path):
    path = write_parquet(tmp_path / "a.parquet", {"id": [1, 2], "text": ["x", "y"]})
    late = write_parquet(tmp_path / "late.parquet", {"text": [*[["x"]] * 2500, ["a b"]]})
    cut = write(tmp_path / "cut.parquet", path.read_bytes()[:-20])

    with pytest.raises(DataError, match=r"a\.parquet: no column 'body'; there is: id, text"):
        read(path, format="parquet", field="body")
    with pytest.raises(DataError, match=r"late\.parquet, row 2501,"):
        read(late, format="parquet", field="text")
    with pytest.raises(DataError, match=r"a\.parquet, row 1, column 'id'.*not int"):
        read(path, format="parquet", field="id")
    with pytest.raises(DataError, match=r"cut\.parquet is not a valid Parquet file"):
        read(cut, format="parquet", field="text")
    with pytest.raises(DataError, match="standard input"):
        read("-", format="parquet", field="text")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "xml"}, "choose from text, jsonl, csv, parquet"),
        ({"errors": "surrogateescape"}, "choose from strict, replace, ignore"),
        ({"field": "text"}, "has no fields, as its name says"),
        ({"format": "csv"}, "needs the name of the field"),
    ],
)
def test_options(tmp_path, options, message):
    with pytest.raises(OptionError, match=message):
        sources.read(write(tmp_path / "a.txt", "x"), **options)


# Iterables


def test_iterables_of_text_and_tokens():
    given = ["a b", "", "c\n", "d\ne", ["f", "g"], (), ("h",)]

    assert read(given) == ["a b", "", "c", "d", "e", ["f", "g"], [], ["h"]]
    assert read(iter(given)) == read(given)
    assert read(io.StringIO("x y\nz\n")) == ["x y", "z"]


@pytest.mark.parametrize("item", [b"bytes", None, 3, {"a": 1}, Path("a")])
def test_items_that_are_no_sentences(item):
    with pytest.raises(DataError, match=f"sentence 2: .*not {type(item).__name__}"):
        read(["fine", item])


def test_tokens_that_are_no_words():
    with pytest.raises(DataError, match="sentence 1: the token 'a b'"):
        read([["a b"]])


@pytest.mark.parametrize("half", ["\ud800", "\udfff"])
def test_half_a_surrogate_pair_is_no_text(tmp_path, half):
    path = write(tmp_path / "a.jsonl", "\n".join(json.dumps({"t": text}) for text in ["😀", f"a{half}b", [half, "c"]]))
    as_bytes = f"a{half}b".encode("utf-8", "surrogatepass")

    for source in (["fine", f"a{half}b"], ["fine", ["c", f"a{half}b"]]):
        with pytest.raises(DataError, match=r"sentence 2: .*half of a surrogate pair") as caught:
            read(source)
        assert str(caught.value).encode()
    with pytest.raises(DataError, match=r"a\.jsonl, line 2, field 't': .*half of a surrogate pair.*errors='replace'"):
        read(path, format="jsonl", field="t")

    for errors, tokens in (("replace", ["\ufffd" * 3, "c"]), ("ignore", ["c"])):
        expected = as_bytes.decode(errors=errors)  # as in a file
        assert read(path, format="jsonl", field="t", errors=errors) == ["😀", expected, tokens]
        assert read([f"a{half}b", [f"a{half}b"]], errors=errors) == [expected, [expected]]


@pytest.mark.parametrize("errors", ["replace", "ignore"])
@pytest.mark.parametrize("token", ["", 3.5, "a b"])
def test_tokens_that_are_no_words_are_refused_whatever_errors_says(errors, token):
    with pytest.raises(DataError, match=f"sentence 1: the token {token!r}"):
        read([["\ud800", token]], errors=errors)


def test_a_format_needs_files():
    with pytest.raises(OptionError, match="needs files"):
        read(["{}"], format="jsonl", field="t")


# Progress


def test_progress_reaches_the_size_of_the_files(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "CHUNK_BYTES", 1000)
    files = [write(tmp_path / f"{n}.txt", "word " * 500) for n in range(3)]
    files.append(write(tmp_path / "c.gz", gzip.compress(Random(2).randbytes(3000).hex().encode())))
    calls = []

    read(files, progress=lambda *call: calls.append(call))

    total = sum(file.stat().st_size for file in files)
    done = [bytes_read for bytes_read, _ in calls]
    assert {whole for _, whole in calls} == {total}
    assert done == sorted(done)
    assert len(set(done)) >= 9
    assert done[-1] == total


def test_progress_without_a_known_end(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"abc def")))
    calls = []

    read("-", progress=lambda *call: calls.append(call))

    assert calls == [(7, None)]


def test_description_names_the_source():
    assert sources.describe("a.txt") == "a.txt"
    assert sources.describe([Path("a"), Path("b"), Path("c")]) == "a and 2 more"
    assert sources.describe("-") == "standard input"
    assert sources.describe(["a b"]) == "the list of sentences"


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


def test_text_comes_from_a_web_server_too(tmp_path: Path) -> None:
    (tmp_path / "text.txt.gz").write_bytes(gzip.compress(b"to be or not\nto be\n"))
    handler = partial(_QuietHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        assert Corpus.build(f"{url}/text.txt.gz").vocabulary.words == ["be", "to", "not", "or"]
        with pytest.raises(DataError, match=r"cannot open .*nowhere\.txt.*404"):
            Corpus.build(f"{url}/nowhere.txt")
        write_parquet(tmp_path / "a.parquet", {"t": ["one owl"]})  # this server gives no parts of files
        assert read(f"{url}/a.parquet", field="t") == ["one owl"]
        (tmp_path / "long.txt").write_bytes(b"owl " * 3_000_000)
        assert sum(map(len, sources.read(f"{url}/long.txt"))) == 12_000_001
        server.shutdown()


TEXT_ON_A_SERVER = b"to be or not\n" * 20_000


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ((head("200 OK", "Content-Length: 1000"), b"to be or not"), "broken or cut short (the connection was closed)"),
        ((head("200 OK", "Transfer-Encoding: chunked"), b"ff\r\nto be"), "broken or cut short"),
        ((head("200 OK", "Content-Length: 1000"), gzip.compress(TEXT_ON_A_SERVER)[:500]), "broken or cut short"),
        ((head("200 OK", "Content-Le"),), "broken or cut short"),
        ((head("404 Gone"),), "HTTP 404 Gone"),
        ((head("302 Found", "Location: file:///etc/passwd"),), "redirects to file:///etc/passwd, and file: is neither"),
        ((head("302 Found", "Location: /a.txt"),), "redirects more than 5 times"),
        ((head("200 OK", "Content-Encoding: br"), b"x"), "compressed (Content-Encoding: br)"),
        ((head("200 OK", "Content-Length: 99999999999999"), b"x"), "bytes, where 68,719,476,736 are allowed"),
        ((head("200 OK"), TEXT_ON_A_SERVER, b"\0"), "NUL byte at offset 260000"),
    ],
)
def test_what_a_web_server_does_wrong_is_told(parts: tuple[bytes, ...], told: str) -> None:
    with serving(saying(*parts)) as url, pytest.raises(DataError) as caught:
        Corpus.build(f"{url.replace('//', '//me:secret@')}a.txt?key=secret")
    assert told in str(caught.value) and "\n" not in str(caught.value)
    assert "***@127.0.0.1" in str(caught.value) and "secret" not in str(caught.value)


def test_a_text_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "PATIENCE", 0.1)

    def drip(connection: socket.socket, _: str) -> None:
        connection.sendall(head("200 OK"))
        with suppress(OSError):
            while True:
                connection.sendall(b"to be ")
                sleep(0.01)

    with serving(drip) as url, pytest.raises(DataError, match=r"fewer than 10,000 bytes came in 0\.1 seconds"):
        Corpus.build(f"{url}a.txt")


def test_a_text_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "LARGEST", 1_000_000)
    with (
        serving(saying(head("200 OK"), *[TEXT_ON_A_SERVER] * 100)) as url,
        pytest.raises(DataError, match="more than the 1,000,000 bytes that are allowed; download the file first"),
    ):
        Corpus.build(f"{url}a.txt")


@pytest.mark.parametrize("headers", [["Content-Encoding: gzip"], ["Transfer-Encoding: chunked"], []])
def test_texts_from_web_servers_however_they_are_sent(headers: list[str]) -> None:
    body = gzip.compress(b"to be or not\nto be\n") if "gzip" in str(headers) else b"to be or not\nto be\n"
    if "chunked" in str(headers):
        body = b"3\r\nto \r\n10;x=y\r\nbe or not\nto be\n\r\n0\r\n\r\n"
    with serving(saying(head("200 OK", *headers), body)) as url:
        corpus = Corpus.build(Path(f"{url.replace('http', 'HTTP').replace('//', '//me:secret@')}a.txt?key=secret"))
    assert corpus.vocabulary.words == ["be", "to", "not", "or"]
    assert corpus.name == url.replace("http", "HTTP").replace("//", "//***@") + "a.txt?..."
