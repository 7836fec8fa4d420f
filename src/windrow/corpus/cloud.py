"""Files in cloud stores, opened by fsspec and by the library that it has for each of them.

Those libraries make their own connections, and have their own rules for them; here their failures become one line, what
comes has the greatest size of what comes from web servers, and a library that gives nothing for ``PATIENCE`` is not
waited for any longer.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from threading import Thread
from typing import IO, Any
from urllib.parse import unquote

from windrow.errors import DataError, MissingPackageError, needs_package
from windrow.files.urls import CutError, TooLargeError, scheme_of, secrets_of, without_secrets
from windrow.files.web import LARGEST

PATIENCE = 300.0  # seconds, in which a file must open, and a part of it come: libraries fetch some megabytes at a time
_BUFFER_BYTES = 1 << 20
_LIBRARY = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs", "hf": "huggingface_hub"}


def open_in_cloud(url: str) -> IO[bytes]:
    """The bytes of a file in a cloud store; MissingPackageError without its library, else DataError."""
    library = _LIBRARY[scheme_of(url)]
    with needs_package(f"{_cannot_open(url)}: it needs fsspec and {library}", "remote", library):
        from fsspec.core import url_to_fs
    try:
        stream = _CloudFile(_within_patience(lambda: _open(url_to_fs, url)))
    except ImportError as error:
        raise MissingPackageError(f"{_cannot_open(url)}: it needs {library}", "", library) from error
    except Exception as error:  # each library has errors of its own
        raise DataError(f"{_cannot_open(url)}: {failure(error, url)}") from error
    return io.BufferedReader(stream, _BUFFER_BYTES)


class _CloudFile(io.RawIOBase):
    """What a library opened, up to a size, and with patience."""

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self._stream, self._done, self._is_stuck = stream, 0, False
        size = getattr(stream, "size", None)
        if isinstance(size, int) and size > LARGEST:
            self.close()
            raise TooLargeError(f"it has {size:,} bytes, where {LARGEST:,} are allowed")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._stream.seekable())

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self._stream.seek(offset, whence))

    def tell(self) -> int:
        return int(self._stream.tell())

    def close(self) -> None:
        if not (self.closed or self._is_stuck):  # to close it would be to wait for it
            self._stream.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        part = bytearray(len(buffer))  # not the buffer itself, into which a library that is late would still write
        try:
            arrived = int(_within_patience(lambda: self._stream.readinto(part)) or 0)
        except CutError:
            self._is_stuck = True
            raise
        self._done += arrived
        if self._done > LARGEST:
            raise TooLargeError(f"it has more than the {LARGEST:,} bytes that are allowed")
        buffer[:arrived] = part[:arrived]
        return arrived


def _open(url_to_fs: Callable[[str], Any], url: str) -> Any:
    system, path = url_to_fs(_lower_scheme(url))
    return system.open(path, "rb")


def _within_patience(work: Callable[[], Any]) -> Any:
    """What ``work`` gives, or raises; CutError where it takes too long: it is left to itself, as nothing can end it."""
    results: list[Any] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if thread.is_alive():
        raise CutError(f"nothing came in {PATIENCE:g} seconds")
    if errors:
        raise errors[0]
    return results[0]


def failure(error: BaseException, url: str) -> str:
    """What went wrong, as the first error of a chain says it, without what is secret in the URL."""
    while error.__cause__ is not None:
        error = error.__cause__
    told = str(error)
    if isinstance(error, OSError) and error.errno is not None:
        told = error.strerror or told
    elif isinstance(error, FileNotFoundError):
        told = f"no such file ({told})"  # often only its name is said
    for secret in secrets_of(url):
        for form in (secret, unquote(secret)):
            told = told.replace(form, "***")
    return without_secrets(" ".join(told.split()) or type(error).__name__)


def _lower_scheme(url: str) -> str:
    scheme = scheme_of(url)
    return scheme + url[len(scheme) :]


def _cannot_open(url: str) -> str:
    return f"cannot open {without_secrets(url)}"
