"""Names that are URLs: which are read, and how they are shown in messages, without passwords."""

from __future__ import annotations

import os
import re
from urllib.parse import unquote

from windrow.errors import DataError

WEB_SCHEMES = ("http", "https")
CLOUD_SCHEMES = ("s3", "gs", "gcs", "az", "abfs", "hf")
READ_SCHEMES = (*WEB_SCHEMES, *CLOUD_SCHEMES)  # the documentation lists them

# Two letters at least: C:/ is a drive of Windows. zip::s3:// is what fsspec calls a chain.
_START = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(?://|:(?=\S*://))")
_START_IN_PATH = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/(?=[^/])")
_IN_TEXT = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+://)([^\s'\"]*)")
# A user and password; the second form is that of a password with a slash in it, which is no valid URL.
_USER = re.compile(r"[^/]*@|[^/:\[]*:(?!\d*(?:[/?#]|$)).*@")
_SHORTEST_SECRET = 4  # characters; what is shorter is found in many a word


class WebError(Exception):
    """What a web server did wrong, or why it was not asked; the message is a reason and does not name the URL."""

    def __init__(self, reason: str, status: int = 0, content_range: str = "") -> None:
        super().__init__(without_secrets(reason))
        self.status = status
        self.content_range = content_range


class NotEncryptedError(WebError):
    """A server that is asked only where the user allows http."""


class CutError(WebError):
    """A body that ended too early, or came too slowly."""


class TooLargeError(WebError):
    """A body that is longer than it may be."""


def scheme_of(name: str) -> str:
    """The scheme of a URL in lower case; empty for what is no URL."""
    found = _START.match(name)
    return found[1].lower() if found else ""


def is_url(name: str) -> bool:
    """Whether a name is a URL, and not that of a file: ``notes://a.txt`` may be one in a folder ``notes:``."""
    scheme = scheme_of(name)
    return bool(scheme) and (scheme in READ_SCHEMES or not os.path.lexists(name))


def is_in_cloud(name: str) -> bool:
    """Whether a name is the URL of a file in a cloud store, which a library of its own reads."""
    return scheme_of(name) in CLOUD_SCHEMES


def as_typed(name: str | os.PathLike[str]) -> str:
    """The name as the user typed it: Path("https://host/file") has lost a slash, Path("file:///file") two."""
    text = os.fspath(name)
    if isinstance(name, os.PathLike) and not os.path.lexists(text):
        return _START_IN_PATH.sub(lambda m: f"{m[1]}://{'/' * (m[1].lower() == 'file')}", text, count=1)
    return text


def path_of(url: str) -> str:
    """The path in a URL, without server, query and fragment."""
    return re.split("[?#]", re.sub("^[^/]*", "", url.partition("://")[2]), maxsplit=1)[0]


def without_secrets(text: str) -> str:
    """A message in one line in which no URL shows a password or a query, which may be a key; nor control characters."""
    return "".join(c if c.isprintable() else " " for c in _IN_TEXT.sub(_bared, text))


def _bared(url: re.Match[str]) -> str:
    place, *query = re.split(r"\?", _USER.sub("***@", url[2], count=1) if _USER.match(url[2]) else url[2], maxsplit=1)
    return f"{url[1]}{place}{'?...' if query and query[0] else ''}"


def secrets_of(url: str) -> list[str]:
    """What ``without_secrets`` leaves out of a URL, and the parts of that, longest first."""
    rest = url.partition("://")[2]
    user = _USER.match(rest)
    left_out = [user[0][:-1] if user else "", rest.partition("?")[2]]
    parts = [part for one in left_out for part in (one, one.partition(":")[2], *re.split("[&=]", one))]
    return sorted({part for part in parts if len(part) >= _SHORTEST_SECRET}, key=len, reverse=True)


def refuse_scheme(url: str) -> None:
    """Raise DataError for a URL of a kind that is not read."""
    scheme, advice = scheme_of(url), "download the file first and give the path of the copy"
    if scheme == "file":
        raise DataError(f"cannot open {without_secrets(url)}: give its path instead, {unquote(path_of(url)) or '/'}")
    if scheme not in READ_SCHEMES:
        *others, last = READ_SCHEMES
        raise DataError(
            f"cannot open {without_secrets(url)}: of URLs only {', '.join(others)} and {last} are read, not {scheme}; "
            f"{advice}"
        )
    if scheme in CLOUD_SCHEMES and "::" in url:
        raise DataError(f"cannot open {without_secrets(url)}: URLs with :: in them are not read; {advice}")


def refuse_url(name: str | os.PathLike[str]) -> None:
    """Raise DataError for a URL where only the name of a file will do."""
    url = as_typed(name)
    if is_url(url):
        if scheme_of(url) == "file":
            refuse_scheme(url)
        raise DataError(f"{without_secrets(url)} is a URL, of which only texts are read; download the file first")


def refuse_url_to_write(name: str | os.PathLike[str]) -> None:
    """Raise DataError for a URL where something is to be written."""
    url = as_typed(name)
    if is_url(url) and not os.path.lexists(os.path.dirname(os.fspath(name))):  # noqa: PTH120
        instead = f"give its path instead, {unquote(path_of(url)) or '/'}"
        if scheme_of(url) != "file":
            instead = "give the name of a file here, and upload it afterwards"
        raise DataError(f"cannot write {without_secrets(url)}: it is a URL; {instead}")
