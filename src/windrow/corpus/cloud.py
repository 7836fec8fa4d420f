"""Files in cloud stores, opened by fsspec and by the library that it has for each of them.

Those libraries make their own connections, and have their own rules for them; here their failures become one line.
"""

from __future__ import annotations

import io
from typing import IO, Any, cast
from urllib.parse import unquote

from windrow.errors import DataError, MissingPackageError, needs_package
from windrow.files.urls import scheme_of, secrets_of, without_secrets

_BUFFER_BYTES = 1 << 16
_LIBRARY = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs", "hf": "huggingface_hub"}


def open_in_cloud(url: str) -> IO[bytes]:
    """The bytes of a file in a cloud store; MissingPackageError without its library, else DataError."""
    library = _LIBRARY[scheme_of(url)]
    with needs_package(f"{_cannot_open(url)}: it needs fsspec and {library}", "remote", library):
        from fsspec.core import url_to_fs
    try:
        system, path = url_to_fs(_lower_scheme(url))
        stream: Any = system.open(path, "rb")
    except ImportError as error:
        raise MissingPackageError(f"{_cannot_open(url)}: it needs {library}", "", library) from error
    except Exception as error:  # each library has errors of its own
        raise DataError(f"{_cannot_open(url)}: {failure(error, url)}") from error
    return (
        stream if isinstance(stream, io.BufferedReader) else cast(IO[bytes], io.BufferedReader(stream, _BUFFER_BYTES))
    )


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
