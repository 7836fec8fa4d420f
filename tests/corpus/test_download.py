"""Downloads from servers that do wrong: an end, one line that says what, and nothing lost or wrongly taken."""

from __future__ import annotations

import gzip
import os
import re
import socket
from contextlib import suppress
from itertools import count
from pathlib import Path
from random import Random

import pytest

from tests.web_servers import Answer, head, saying, serving
from windrow.corpus.download import download
from windrow.errors import DataError
from windrow.files import web

DATA = Random(7).randbytes(200_000)
BEGUN = 50_000
LAST_CHUNK = head("200 OK", "Transfer-Encoding: chunked") + b"0\r\n"
OK = head("200 OK", f"Content-Length: {len(DATA)}", 'ETag: "one"')


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "PATIENCE", 0.2)
    monkeypatch.setattr(web, "ANSWER_PATIENCE", 0.3)


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "data.bin.part"


def begin(part: Path, url: str) -> None:
    """Leave the first bytes of a download that was cut."""
    part.write_bytes(DATA[:BEGUN])
    Path(f"{part}.source").write_text(f'{url}\n"one"\n')


def refusal(part: Path, answer: Answer, *, begun: bool = False, limit: int | None = None) -> tuple[str, int]:
    """The error for a download, and how many requests were made before it."""
    requests = []

    def counted(connection: socket.socket, request: str) -> None:
        requests.append(request)
        answer(connection, request)

    with serving(counted) as url:
        if begun:
            begin(part, f"{url}data.bin")
        with pytest.raises(DataError) as caught:
            download([f"{url}data.bin"], part, limit=limit)
    assert "\n" not in str(caught.value) and str(caught.value).isprintable()
    return str(caught.value), len(requests)


def whole_unless_resumed(*otherwise: bytes) -> Answer:
    """The whole file, but to a request for a range something else."""

    def answer(connection: socket.socket, request: str) -> None:
        saying(*(otherwise if "\r\nRange: " in request else (OK, DATA)))(connection, request)

    return answer


def partial(content_range: str | None, *headers: str, status: str = "206 Partial Content") -> bytes:
    told = [f"Content-Range: {content_range}"] if content_range is not None else []
    return head(status, *told, *(headers or ('ETag: "one"',)))


@pytest.mark.parametrize(
    "otherwise",
    [
        partial(f"bytes {BEGUN - 10}-199999/200000"),
        partial("bytes 0-199999/200000"),
        partial("bytes */200000"),
        partial("nonsense"),
        partial(None),
        partial(f"bytes {'9' * 5000}-1/2"),
        partial(f"bytes {BEGUN}-199999/200000", 'ETag: "two"'),
        partial(f"bytes {BEGUN}-199999/200000", "X-Nothing: 1"),
        head("416 Range Not Satisfiable"),
        head("416 Range Not Satisfiable", "Content-Range: bytes */7"),
    ],
)
def test_a_range_that_is_wrong_leads_to_one_new_start(part: Path, otherwise: bytes) -> None:
    seen = []

    def answer(connection: socket.socket, request: str) -> None:
        seen.append("\r\nRange: " in request)
        whole_unless_resumed(otherwise, DATA)(connection, request)

    with serving(answer) as url:
        begin(part, f"{url}data.bin")
        download([f"{url}data.bin"], part)
    assert part.read_bytes() == DATA
    assert seen == [True, False]


@pytest.mark.parametrize(
    ("always", "reason"),
    [
        (partial("bytes 7-199999/200000"), "the server sends a part .HTTP 206. where all was asked for"),
        (partial("bytes 0-199999/200000"), "the server sends a part"),
        (head("416 Range Not Satisfiable"), "HTTP 416 Range Not Satisfiable"),
        (head("416 Range Not Satisfiable", "Content-Range: bytes */7"), "HTTP 416 Range Not Satisfiable"),
    ],
)
def test_a_server_that_never_sends_the_whole_is_given_up(part: Path, always: bytes, reason: str) -> None:
    message, requests = refusal(part, saying(always, DATA), begun=True)
    assert requests == 2
    assert re.search(reason, message)
    assert not part.exists()
    assert refusal(part, saying(always, DATA))[1] == 1


def test_a_tag_that_changes_each_time_leads_to_one_new_start(part: Path) -> None:
    tags = count()

    def answer(connection: socket.socket, request: str) -> None:
        tag = f'ETag: "{next(tags)}"'
        if "\r\nRange: " in request:
            saying(partial(f"bytes {BEGUN}-199999/200000", tag), DATA[BEGUN:])(connection, request)
        else:
            saying(head("200 OK", "Content-Length: 200000", tag), DATA)(connection, request)

    with serving(answer) as url:
        begin(part, f"{url}data.bin")
        download([f"{url}data.bin"], part)
    assert part.read_bytes() == DATA
    assert next(tags) == 2


@pytest.mark.parametrize("tag", ['"a\r\n b"', '"\x07"', '"\xe9"', f'"{"x" * 2000}"'])
def test_a_tag_that_cannot_be_sent_back_is_not_kept(part: Path, tag: str) -> None:
    refusal(part, saying(head("200 OK", "Content-Length: 200000", f"ETag: {tag}"), DATA[:BEGUN]))
    assert Path(f"{part}.source").read_text().count("\n") == 2
    with serving(saying(OK, DATA)) as url:
        download([f"{url}data.bin"], part)
    assert part.read_bytes() == DATA


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("place", ["/data.bin", "/again?x", "data.bin"])
def test_redirects_without_end(part: Path, code: int, place: str) -> None:
    message, requests = refusal(part, saying(head(f"{code} Moved", f"Location: {place}")))
    assert "redirects more than 5 times" in message
    assert requests == web.MOST_REDIRECTS + 1


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("file:///etc/passwd", "redirects to file:///etc/passwd, and file: is neither https nor http"),
        ("FILE:///etc/passwd", "file: is neither https nor http"),
        ("ftp://127.0.0.1/x", "ftp: is neither https nor http"),
        ("data:text/plain,hello", "data: is neither https nor http"),
        ("http://192.0.2.1/x", "redirects to http://192.0.2.1/x, and http is not encrypted"),
        ("http://me:secret@192.0.2.1/x?key=secret", "redirects to http://***@192.0.2.1/x?... and http is not"),
        ("http://127.0.0.1.example.com/x", "http is not encrypted"),
        ("http://[::1/x", "no valid URL"),
        ("http://127.0.0.1:99999/x", "no valid URL"),
        ("", "HTTP 302 Found"),
    ],
)
def test_redirects_to_where_nothing_is_asked(part: Path, place: str, reason: str) -> None:
    message, requests = refusal(part, saying(head("302 Found", f"Location: {place}")))
    assert reason in message and requests == 1
    assert "secret" not in message
    assert not part.exists()


def test_a_redirect_is_followed_to_another_server(part: Path) -> None:
    with serving(saying(OK, DATA)) as there, serving(saying(head("302 Found", f"Location: {there}x"))) as url:
        download([f"{url}data.bin"], part)
    assert part.read_bytes() == DATA


@pytest.mark.parametrize("place", ["http://127.0.0.1/x", "http://example.com/x", "file:///x", "//[::1"])
def test_no_redirect_leads_away_from_https(place: str) -> None:
    class Error:
        code, reason, headers = 302, "Found", {"Location": place}

    with pytest.raises(web.WebError, match=r"it redirects (from https to|to what is no valid URL)"):
        web._next_place("https://example.com/data.bin", Error())  # type: ignore[arg-type]
    Error.headers = {"Location": "https://example.org/y"}
    assert web._next_place("https://example.com/data.bin", Error()) == "https://example.org/y"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///etc/passwd", "file: is neither https nor http"),
        ("FILE:/etc/passwd", "FILE: is neither https nor http"),
        ("ftp://example.com/x", "ftp: is neither https nor http"),
        ("data:text/plain,hello", "data: is neither https nor http"),
        ("http://192.0.2.1/x", "http is not encrypted; to take it all the same, use allow_http = True"),
        ("HTTP://192.0.2.1/x", "http is not encrypted"),
        ("http://localhost@192.0.2.1/x", "http is not encrypted"),
        ("http://me:pa/ss@127.0.0.1/", "no valid URL"),
        ("http:///x", "names no server"),
        ("data.bin", "is neither https nor http"),
    ],
)
def test_mirrors_that_are_not_asked(part: Path, url: str, reason: str) -> None:
    with pytest.raises(DataError) as caught:
        download([url], part)
    assert reason in str(caught.value) and "\n" not in str(caught.value)
    assert "pa/ss" not in str(caught.value)
    assert not part.exists()


def test_a_mirror_that_is_not_asked_gives_way_to_the_next(part: Path) -> None:
    with serving(saying(OK, DATA)) as url:
        download(["file:///etc/passwd", "http://192.0.2.1/x", f"{url}data.bin"], part)
    assert part.read_bytes() == DATA


def test_http_is_asked_on_request(part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "_is_here", lambda _: False)
    with serving(saying(OK, DATA)) as url:
        with pytest.raises(DataError, match="http is not encrypted"):
            download([f"{url}data.bin"], part)
        download([f"{url}data.bin"], part, allow_http=True)
    assert part.read_bytes() == DATA


def dripping(before: bytes, drop: bytes, times: int = 200) -> Answer:
    def answer(connection: socket.socket, _: str) -> None:
        connection.sendall(before)
        connection.settimeout(0.02)
        for _ in range(times):
            connection.sendall(drop)
            with suppress(TimeoutError):
                if not connection.recv(1):  # the client has hung up
                    return

    return answer


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (dripping(OK, b"x"), "was cut after .* of 200,000 bytes .fewer than 10,000 bytes came in 0.2 seconds"),
        (dripping(head("200 OK", "Transfer-Encoding: chunked"), b"1\r\nx\r\n"), "fewer than 10,000 bytes"),
        (dripping(head("200 OK", "Transfer-Encoding: chunked"), b"0"), "was cut after 0 .*fewer than 10,000 bytes"),
        (dripping(LAST_CHUNK, b"X"), "was cut after 0 .*fewer than 10,000 bytes"),
        (dripping(LAST_CHUNK, b"X: 1\r\n"), "was cut after 0 .*(fewer than 10,000 bytes|100 headers)"),
        (dripping(OK, b""), "was cut after 0 of 200,000 bytes .timed out"),
        (dripping(b"", b""), "timed out"),
        (dripping(b"HTTP/1.1 200 OK\r\nX: ", b"x"), "no whole answer came in 0.3 seconds"),
        (dripping(b"HTTP/1.1 200 OK\r\n", b"X: 1\r\n"), "no whole answer came"),
        (dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "data.bin: "),
    ],
    ids=["body", "chunks", "size", "trailer", "trailers", "nothing", "no answer", "header", "headers", "continue"],
)
def test_a_server_that_drips_is_given_up(part: Path, answer: Answer, reason: str) -> None:
    message, _ = refusal(part, answer)
    assert re.search(reason, message)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((head("200 OK", "Content-Length: 300000"), DATA), "cut after 200,000 of 300,000 bytes"),
        ((head("200 OK", "Transfer-Encoding: chunked"), b"30d40\r\n" + DATA), "cut after 200,000 bytes"),
        ((head("200 OK", "Transfer-Encoding: chunked"), b"30d40\r\n" + DATA + b"\r\n"), "cut after 200,000 bytes"),
        ((head("200 OK", "Transfer-Encoding: chunked"), b"ffff\r\n" + DATA[:9]), "cut after 9 bytes"),
        ((head("200 OK", "Transfer-Encoding: chunked"), b"zz\r\n" + DATA[:9]), "cut after 0 bytes"),
        ((b"HTTP/1.1 200 OK\r\nETag: 1\r\nConte",), "cut after 0 bytes"),
    ],
)
def test_a_body_that_ends_early_is_kept(part: Path, answer: tuple[bytes, ...], reason: str) -> None:
    message, _ = refusal(part, saying(*answer))
    assert reason in message and "run again to resume" in message
    assert DATA.startswith(part.read_bytes())


def test_what_comes_after_the_announced_length_is_not_taken(part: Path) -> None:
    with serving(saying(OK, DATA, b"more" * 1000)) as url:
        download([f"{url}data.bin"], part)
    assert part.read_bytes() == DATA


def endless(*headers: str) -> Answer:
    def answer(connection: socket.socket, _: str) -> None:
        connection.sendall(head("200 OK", *headers))
        for _ in range(10_000):  # the client hangs up long before
            connection.sendall(DATA)

    return answer


@pytest.mark.parametrize("headers", [[], ["Content-Length: 99999999999999999999"], ["Content-Length: -5"]])
@pytest.mark.parametrize("stated", [True, False])
def test_a_body_without_end_is_left(
    part: Path, monkeypatch: pytest.MonkeyPatch, headers: list[str], stated: bool
) -> None:
    monkeypatch.setattr(web, "LARGEST", 300_000)
    message, requests = refusal(part, endless(*headers), limit=250_000 if stated else None)
    assert "is too large" in message and ("250,000" if stated else "300,000") in message
    assert ("registry" in message) != stated
    assert requests == 1
    assert list(part.parent.iterdir()) == []


@pytest.mark.parametrize("sent", [b"X: 1\r\n" * 10_000, b"X: " + b"x" * 60_000 + b"\r\n"])
def test_trailers_without_end_are_left(part: Path, sent: bytes) -> None:
    def answer(connection: socket.socket, _: str) -> None:
        connection.sendall(LAST_CHUNK)
        for _ in range(10_000):  # the client hangs up long before
            connection.sendall(sent)

    message, requests = refusal(part, answer)
    assert re.search("more than 1,048,576 bytes came that are no part of the file|more than 100 headers", message)
    assert requests == 1


def test_a_trailer_and_small_chunks_are_put_up_with(part: Path) -> None:
    chunks = b"".join(b"1;x=y\r\n%c\r\n" % byte for byte in DATA)
    answer = head("200 OK", "Transfer-Encoding: chunked"), chunks, b"0\r\nX: 1\r\n\r\n"
    with serving(saying(*answer)) as url:
        download([f"{url}data.bin"], part)
    assert part.read_bytes() == DATA


def test_a_rest_that_is_too_long_is_left(part: Path) -> None:
    rest = partial(f"bytes {BEGUN}-199999/200000")
    message, _ = refusal(part, saying(rest, DATA[BEGUN:]), begun=True, limit=199_999)
    assert "is too large" in message
    assert list(part.parent.iterdir()) == []


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "x, y"])
def test_a_body_that_the_server_has_compressed_is_not_taken_for_the_file(part: Path, encoding: str) -> None:
    message, _ = refusal(part, saying(head("200 OK", f"Content-Encoding: {encoding}"), gzip.compress(DATA)))
    assert f"compressed (Content-Encoding: {encoding})" in message
    assert not part.exists()


def test_a_gzip_file_may_be_called_so(tmp_path: Path) -> None:
    packed = gzip.compress(DATA)
    with serving(saying(head("200 OK", "Content-Encoding: x-gzip"), packed)) as url:
        download([f"{url}data.gz"], tmp_path / "data.gz.part")
    assert (tmp_path / "data.gz.part").read_bytes() == packed


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 " + b"x" * 70_000,
        head("200 OK", *(f"X-{n}: 1" for n in range(200))),
        head("204 No Content"),
        head("500 \x1b[2J\x07"),
        head("299 Whatever"),
        b"SSH-2.0-OpenSSH\r\n",
    ],
)
def test_what_is_no_answer(part: Path, answer: bytes) -> None:
    message, requests = refusal(part, saying(answer, DATA))
    assert message.startswith("cannot download http://127.0.0.1:")
    assert requests == 1 and not part.exists()


def test_a_user_and_password_are_told_to_their_server_alone(part: Path) -> None:
    seen: list[list[str]] = [[], []]

    def noting(place: int, answer: Answer) -> Answer:
        def note(connection: socket.socket, request: str) -> None:
            seen[place] += [line for line in request.split("\r\n") if line.startswith("Authorization")]
            answer(connection, request)

        return note

    with (
        serving(noting(1, saying(head("404 Gone")))) as there,
        serving(noting(0, saying(head("302 Found", f"Location: {there}x")))) as url,
        pytest.raises(DataError) as caught,
    ):
        download([f"{url.replace('//', '//me:se%40cret@')}data.bin?key=hidden"], part)
    assert seen == [["Authorization: Basic bWU6c2VAY3JldA=="], []]
    assert "***@127.0.0.1" in str(caught.value)
    assert "cret" not in str(caught.value) and "hidden" not in str(caught.value)


def test_names_that_a_request_cannot_hold_are_quoted(part: Path) -> None:
    seen = []

    def answer(connection: socket.socket, request: str) -> None:
        seen.append(request.split(" ")[1])
        saying(OK, DATA)(connection, request)

    with serving(answer) as url:
        download([f"{url}größe 1%20.bin?q=ä b"], part)
    assert seen == ["/gr%C3%B6%C3%9Fe%201%20.bin?q=%C3%A4%20b"]


def test_a_source_that_is_no_text_is_not_trusted(part: Path) -> None:
    part.write_bytes(b"x")
    Path(f"{part}.source").write_bytes(b"\xff\xfe\n\n")
    with serving(saying(OK, DATA)) as url:
        download([f"{url}data.bin"], part)
    assert part.read_bytes() == DATA


def test_a_folder_in_the_place_of_the_part_is_told(part: Path) -> None:
    part.mkdir()
    message, _ = refusal(part, saying(OK, DATA))
    assert message.startswith(f"cannot write {part}")


@pytest.mark.parametrize("when", ["connecting", "receiving"])
def test_an_interrupt_says_what_is_kept(part: Path, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with serving(whole_unless_resumed(partial(f"bytes {BEGUN}-199999/200000"), DATA[BEGUN:])) as url:
        begin(part, f"{url}data.bin")
        if when == "connecting":
            monkeypatch.setattr(web, "open_url", interrupt)
        with pytest.raises(KeyboardInterrupt, match=r"data\.bin\.part holds .* bytes; run again to resume"):
            download([f"{url}data.bin"], part, interrupt if when == "receiving" else None)
    assert DATA.startswith(part.read_bytes()) and part.stat().st_size >= BEGUN


SECRETS = "me:pass%40word@", "key=hidden"


@pytest.mark.parametrize("tag", ['ETag: "one"', "X-Nothing: 1"])
def test_the_note_of_a_source_has_no_secrets_and_is_recognized(part: Path, tag: str) -> None:
    asked = []

    def answer(connection: socket.socket, request: str) -> None:
        asked.append(re.search(r"bytes=(\d+)-", request))
        rest = partial(f"bytes {BEGUN}-199999/200000", tag), DATA[BEGUN:]
        begun = head("200 OK", "Content-Length: 200000", tag), DATA[:BEGUN]
        saying(*(rest if asked[-1] else begun))(connection, request)

    with serving(answer) as url:
        user, query = SECRETS
        secret = f"{url.replace('//', f'//{user}')}data.bin?{query}"
        with pytest.raises(DataError, match="run again to resume"):
            download([secret], part)
        source = Path(f"{part}.source")
        assert source.stat().st_mode & 0o077 == 0 or os.name == "nt"
        assert not re.search("pass|hidden|me:", source.read_text())
        with pytest.raises(DataError, match="cut after 50,000"):  # with another query it is another file
            download([secret.replace("hidden", "other")], part)
        with pytest.raises(DataError, match="cut after 50,000"):
            download([secret], part)
        download([secret], part)
    assert part.read_bytes() == DATA
    assert [bool(one) for one in asked] == [False, False, False, True]


def test_bytes_of_an_unknown_version_are_resumed_only_where_a_checksum_is_compared(part: Path) -> None:
    ranges = []

    def answer(connection: socket.socket, request: str) -> None:
        ranges.append("\r\nRange: " in request)
        rest = partial(f"bytes {BEGUN}-199999/200000", "X-Nothing: 1"), DATA[BEGUN:]
        saying(*(rest if ranges[-1] else (head("200 OK", "Content-Length: 200000"), DATA)))(connection, request)

    for verifiable in (True, False):
        with serving(answer) as url:
            part.write_bytes(DATA[:BEGUN])
            Path(f"{part}.source").write_text(f"{url}data.bin\n\n")
            download([f"{url}data.bin"], part, verifiable=verifiable)
        assert part.read_bytes() == DATA
    assert ranges == [True, False]


def test_what_no_run_would_resume_is_not_kept(part: Path) -> None:
    answer = saying(head("200 OK", "Content-Length: 200000"), DATA[:BEGUN])
    with serving(answer) as url, pytest.raises(DataError, match=r"cut after 50,000 .*; run again, from the beginning$"):
        download([f"{url}data.bin"], part, verifiable=False)
    assert list(part.parent.iterdir()) == []
    with serving(saying(OK, DATA[:BEGUN])) as url, pytest.raises(DataError, match=r"is kept, run again to resume$"):
        download([f"{url}data.bin"], part, verifiable=False)
    assert part.stat().st_size == BEGUN
