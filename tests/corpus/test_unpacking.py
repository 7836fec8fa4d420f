"""Archives that would fill the disk or the memory are left early; damaged ones are told from a full disk."""

from __future__ import annotations

import bz2
import gzip
import io
import struct
import zipfile
from pathlib import Path
from random import Random

import pytest

from windrow.corpus import unpacking
from windrow.corpus.unpacking import BadArchiveError, WrongSizeError, unpack

TEXT = b"to be or not to be\n" * 100
MEGABYTE = 1 << 20


class Counted(io.BytesIO):
    """Notes how much was written."""

    written = 0

    def write(self, data: object) -> int:
        self.written += len(data)  # type: ignore[arg-type]
        return super().write(data)  # type: ignore[arg-type]


def archive(path: Path, *members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as written:
        for name, data in members:
            written.writestr(name, data)
    return path


def unpacked(path: Path, packing: str, size: int | None = None) -> bytes:
    target = io.BytesIO()
    unpack(path, packing, target, size)
    return target.getvalue()


@pytest.fixture
def bomb(tmp_path: Path) -> Path:
    path = tmp_path / "bomb"
    path.write_bytes(gzip.compress(bytes(64 * MEGABYTE)))
    return path


def test_files_in_archives_are_unpacked(tmp_path: Path) -> None:
    packed = tmp_path / "x"
    packed.write_bytes(TEXT)
    assert unpacked(packed, "", len(TEXT)) == unpacked(packed, "") == TEXT
    packed.write_bytes(gzip.compress(TEXT[:50]) + gzip.compress(TEXT[50:]))
    assert unpacked(packed, "gzip", len(TEXT)) == unpacked(packed, "gzip") == TEXT
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2):
        archive(packed, ("a/x", TEXT), ("x", b"another"), method=method)
        assert unpacked(packed, "a/x", len(TEXT)) == unpacked(packed, "a/x") == TEXT


def test_a_bomb_is_left_long_before_its_end(bomb: Path, tmp_path: Path) -> None:
    limit = 100 * bomb.stat().st_size + MEGABYTE
    target = Counted()
    with pytest.raises(WrongSizeError, match=rf"more than {limit:,} bytes that are allowed; .* the registry"):
        unpack(bomb, "gzip", target, None)
    assert limit - MEGABYTE < target.written <= limit
    with pytest.raises(WrongSizeError, match="more than 1,000,000 bytes, which the registry says"):
        unpack(bomb, "gzip", target := Counted(), 1_000_000)
    assert target.written <= 1_000_000


def test_a_size_that_is_stated_may_be_any(bomb: Path) -> None:
    assert len(unpacked(bomb, "gzip", 64 * MEGABYTE)) == 64 * MEGABYTE


@pytest.mark.parametrize("size", [0, 1, len(TEXT) - 1, len(TEXT) + 1])
@pytest.mark.parametrize("packing", ["", "gzip", "x"])
def test_a_size_that_is_stated_must_be_right(tmp_path: Path, packing: str, size: int) -> None:
    path = tmp_path / "packed"
    path.write_bytes(gzip.compress(TEXT) if packing else TEXT)
    if packing == "x":
        archive(path, ("x", TEXT))
    with pytest.raises(WrongSizeError, match="the registry says"):
        unpacked(path, packing, size)


def test_a_member_that_says_how_large_it_is_is_not_begun(tmp_path: Path) -> None:
    path = archive(tmp_path / "bomb.zip", ("x", bytes(64 * MEGABYTE)))
    target = Counted()
    with pytest.raises(WrongSizeError, match=r"more than .* bytes that are allowed"):
        unpack(path, "x", target, None)
    assert target.written == 0


def test_a_member_that_says_less_is_left_too(tmp_path: Path) -> None:
    path = archive(tmp_path / "bomb.zip", ("x", bytes(8 * MEGABYTE)))
    size = struct.pack("<I", 8 * MEGABYTE)
    path.write_bytes(path.read_bytes().replace(size, struct.pack("<I", 1000)))
    target = Counted()
    with pytest.raises(BadArchiveError):
        unpack(path, "x", target, None)
    assert target.written <= 1000


def test_a_member_that_is_there_twice_is_not_chosen(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = archive(tmp_path / "a.zip", ("x", b"one"), ("x", b"two"))
    with pytest.raises(BadArchiveError, match="it holds x 2 times"):
        unpacked(path, "x")


@pytest.mark.parametrize("name", ["../x", "/x", "a/../x", "X", "x/", "..\\x"])
def test_only_the_member_of_that_name_is_taken(tmp_path: Path, name: str) -> None:
    path = archive(tmp_path / "a.zip", (name, b"evil"))
    with pytest.raises(BadArchiveError, match="there is no x in it"):
        unpacked(path, "x")
    assert [file.name for file in tmp_path.iterdir()] == ["a.zip"]


def test_a_list_of_members_that_would_fill_the_memory_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = archive(tmp_path / "a.zip", *((f"{n:04}", b"") for n in range(1000)), ("x", TEXT))
    assert unpacked(path, "x") == TEXT
    monkeypatch.setattr(unpacking, "_LONGEST_DIRECTORY", 50_000)
    with pytest.raises(BadArchiveError, match=r"its list of members has 50,\d\d\d bytes, where 50,000 are allowed"):
        unpacked(path, "x")


def test_methods_that_take_much_memory_are_not_used(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", ("x", TEXT), method=zipfile.ZIP_LZMA)
    with pytest.raises(BadArchiveError, match="method 14, which is not read"):
        unpacked(path, "x")


def test_an_encrypted_member_is_told(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", ("x", TEXT))
    content = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + flags] |= 1
    path.write_bytes(content)
    with pytest.raises(BadArchiveError, match="encrypted"):
        unpacked(path, "x")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_damage_is_a_reason_in_one_line(tmp_path: Path, method: int) -> None:
    path, random = archive(tmp_path / "a.zip", ("x", Random(1).randbytes(3000)), method=method), Random(method)
    whole = path.read_bytes()
    found = 0
    for _ in range(200):
        content = bytearray(whole)
        content[random.randrange(len(content))] ^= 1 << random.randrange(8)
        path.write_bytes(content[: random.randrange(len(content))] if random.random() < 0.2 else content)
        try:
            assert len(unpacked(path, "x")) <= MEGABYTE + 100 * len(whole)
        except (BadArchiveError, WrongSizeError) as error:
            found += 1
            assert str(error) and "\n" not in str(error)
    assert found > 100


NO_GZIP = [b"", b"x", bz2.compress(TEXT), gzip.compress(TEXT, mtime=0)[:-5], b"\x1f\x8b" + bytes(50)]


@pytest.mark.parametrize("content", NO_GZIP)
def test_what_is_no_gzip_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(content)
    if not content:
        assert unpacked(path, "gzip") == b""
        return
    with pytest.raises(BadArchiveError):
        unpacked(path, "gzip")


def test_a_full_disk_is_no_damage(tmp_path: Path) -> None:
    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(28, "No space left on device")

    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(TEXT))
    with pytest.raises(OSError, match="No space left"):
        unpack(path, "gzip", Full(), None)
