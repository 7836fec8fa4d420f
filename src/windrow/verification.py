"""Whether a file or folder of windrow's is what was written, however large it is."""

from __future__ import annotations

import os
from pathlib import Path

from windrow.errors import FormatError
from windrow.files import model_file
from windrow.files.local import as_path, local_file
from windrow.files.sniff import refuse_foreign, what_is

_OLDER = "written by an older windrow"
_NOT_THE_FILE = ("empty", "git-lfs", "html")  # something else has come in its place


def verify(path: str | os.PathLike[str]) -> bool:
    """Compare a whole file with the checksums that windrow wrote into it.

    Files of up to 64 MB are compared whenever they are opened; this is for larger ones, after a copy or a download, and
    for those who want to know. It reads everything once. A checksum finds damage, not forgery.

    Parameters
    ----------
    path : str or os.PathLike
        A model, a checkpoint or a corpus folder. Compressed or not; a pipe, or ``-`` for standard input, too.

    Returns
    -------
    bool
        True: every byte is as it was written. False: there is nothing to compare with, since an older windrow wrote it,
        or since the file is of another format, which has no checksum.

    Raises
    ------
    FormatError
        The file is damaged; the message names the part.
    DataError
        It cannot be read.

    Examples
    --------
    >>> import windrow
    >>> windrow.NGramLM(order=2, smoothing="witten-bell").fit(["the cat sat", "the dog sat"]).save("animals.model")
    >>> windrow.verify("animals.model")
    True
    """
    return not why_unverified(path)


def why_unverified(path: str | os.PathLike[str]) -> str:
    """As ``verify``: empty for True, else why there is nothing to compare with."""
    given = as_path(path)
    if given.is_dir():
        return _of_folder(given)
    with local_file(given, unpack=True) as file:
        kind, what = what_is(file)
        if kind in _NOT_THE_FILE:
            refuse_foreign(kind, file)
        if kind == "windrow":
            return "" if model_file.verify(file) else _OLDER
        if kind == "unknown" and given.suffix.lower() == ".safetensors":
            raise FormatError(f"{file} is damaged: it does not begin as a safetensors file does")
        return f"it {what}"


def _of_folder(folder: Path) -> str:
    from windrow.corpus import Corpus
    from windrow.files.static_folder import static_files

    if static_files(folder) is not None:
        return "it is a folder of static embeddings"
    return "" if Corpus.open(folder).verify() else f"{_OLDER}; ids, sentence starts and words fit its fingerprint"
