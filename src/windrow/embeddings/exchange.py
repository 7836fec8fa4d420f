"""Vectors that come from word2vec and gensim, and go there: their files, and gensim's own objects."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings import formats
from windrow.embeddings.changes import ChangingTable
from windrow.embeddings.terms import texts
from windrow.errors import DataError, FormatError, OptionError, needs_package, warn
from windrow.files.compression import creating, reading
from windrow.files.urls import refuse_url_to_write

_PathLike = str | os.PathLike[str]
_MOST_DIGITS = 18  # of a count; int64 holds them
_ADVICE = {"format='txt'": "binary=False", "format='glove'": "no_header=True", "errors='": "unicode_errors='"}
_UTF8 = ("utf8", "utf-8", "UTF8", "UTF-8", "utf_8")


class VectorExchange(ChangingTable):
    """Reading and writing word2vec's files with gensim's options, and tables of gensim."""

    @classmethod
    def load_word2vec_format(
        cls,
        fname: _PathLike,
        fvocab: _PathLike | None = None,
        binary: bool = False,
        encoding: str = "utf8",
        unicode_errors: str = "strict",
        limit: int | None = None,
        datatype: Any = np.float32,
        no_header: bool = False,
        *,
        duplicates: str = "error",
    ) -> Self:
        """Read word2vec's text or binary, as gensim does; ``load`` reads these and other formats without being told.

        Parameters
        ----------
        fname : str or os.PathLike
            The file, compressed or not.
        fvocab : str, os.PathLike or None, default None
            A file with a word and its count on each line, as word2vec's ``-save-vocab`` writes it; None: no counts.
        binary : bool, default False
            Whether the file is word2vec's binary.
        encoding : str, default "utf8"
            That of the words: none other is read.
        unicode_errors : {"strict", "replace", "ignore"}, default "strict"
            Bytes of words that are not UTF-8: refused, replaced by U+FFFD, or left out.
        limit : int, at least 1, or None, default None
            Read at most so many words; None: all.
        datatype : type, default numpy.float32
            That of the numbers: there is none other here.
        no_header : bool, default False
            Whether the first line of a text is a word already, as in GloVe's files.
        duplicates : {"error", "first", "last"}, default "error"
            A word that repeats: refused, or its first or its last vector is taken. gensim takes the first.

        Returns
        -------
        WordVectors

        Raises
        ------
        FormatError
            The file is truncated or of another kind, a word repeats, or a number is not finite.
        DataError
            It cannot be read.
        OptionError
            An option is not allowed.

        Examples
        --------
        >>> from pathlib import Path
        >>> from windrow import WordVectors
        >>> _ = Path("animals.vec").write_text("cat 1 0\\ndog 0 1\\n")
        >>> WordVectors.load_word2vec_format("animals.vec", no_header=True)
        WordVectors(2 words, 2 dimensions)
        """
        check_encoding(encoding)
        if np.dtype(datatype) != np.float32:
            raise OptionError(f"datatype = {np.dtype(datatype)}: numbers are float32 here; leave it out")
        if binary and no_header:
            raise OptionError("no_header is for text; word2vec's binary always has a header")
        format = "bin" if binary else "glove" if no_header else "txt"
        options = formats.ReadOptions(limit, None, unicode_errors, duplicates)
        loaded = cls._of(_read(fname, format, options), fname)
        if fvocab is not None:
            loaded.counts = _counts_of(loaded, _read_counts(Path(fvocab), unicode_errors), fvocab)
        return loaded

    def save_word2vec_format(
        self,
        fname: _PathLike,
        fvocab: _PathLike | None = None,
        binary: bool = False,
        total_vec: int | None = None,
        write_header: bool = True,
        prefix: str = "",
        append: bool = False,
        sort_attr: str = "count",
    ) -> None:
        """Write word2vec's text or binary, as gensim does; ``save`` writes these and other formats by their extension.

        Parameters
        ----------
        fname : str or os.PathLike
            The file; through gzip if its name ends in ``.gz``.
        fvocab : str, os.PathLike or None, default None
            A second file, for each word and its attribute ``sort_attr``; None: none.
        binary : bool, default False
            Write word2vec's binary.
        total_vec : int or None, default None
            How many words the header claims: as many as there are, anything else is refused.
        write_header : bool, default True
            False: text without a header, as GloVe's.
        prefix : str, default ""
            What to put before each word.
        append : bool, default False
            Refused: a file appears whole or not at all.
        sort_attr : str, default "count"
            The words with the highest values of this attribute come first. Without counts they stay as they are.

        Raises
        ------
        FormatError
            The format cannot hold one of the words.
        DataError
            The file cannot be written.
        OptionError
            An option is not allowed, or a number is not finite.
        """
        if append:
            raise OptionError("append: files are written whole; put all words in one table, with add_vectors")
        if total_vec not in (None, len(self)):
            raise OptionError(f"total_vec = {total_vec}, but there are {len(self)} words; leave it out")
        if binary and not write_header:
            raise OptionError("write_header=False is for text; word2vec's binary always has a header")
        values = self._sort_values(sort_attr)
        if fvocab is not None and values is None:
            raise OptionError("fvocab needs counts, which the words do not have; leave it out")
        words, vectors = self._words, self._vectors
        if values is not None:
            order = np.argsort(-values, kind="stable")
            words, vectors, values = texts(map(words.__getitem__, order)), vectors[order], values[order]
        data = formats.VectorData([prefix + word for word in words], vectors)
        formats.write_vectors(data, fname, "bin" if binary else "txt" if write_header else "glove")
        if fvocab is not None and values is not None:
            refuse_url_to_write(fvocab)
            with creating(Path(fvocab)) as stream:
                pairs = zip(data.words, values.tolist(), strict=True)
                stream.writelines(f"{word} {value}\n".encode() for word, value in pairs)

    def intersect_word2vec_format(
        self,
        fname: _PathLike,
        lockf: float = 1.0,
        binary: bool = False,
        encoding: str = "utf8",
        unicode_errors: str = "strict",
    ) -> None:
        """Take the vectors of known words from a file of word2vec's; no words are added.

        Parameters
        ----------
        fname : str or os.PathLike
            The file, compressed or not, with a header.
        lockf : 1.0
            In gensim, how much these words learn later, 0.0 by default. Only 1.0 is taken here: they learn as others
            do. Words are frozen by ``frozen`` of ``Word2Vec.fit``.
        binary : bool, default False
            Whether the file is word2vec's binary.
        encoding : str, default "utf8"
            That of the words: none other is read.
        unicode_errors : {"strict", "replace", "ignore"}, default "strict"
            Bytes of words that are not UTF-8: refused, replaced by U+FFFD, or left out.

        Raises
        ------
        FormatError
            The file is truncated or of another kind, a word repeats, or a number is not finite.
        OptionError
            An option is not allowed, the vectors have another size, or no word is known.
        """
        check_encoding(encoding)
        if lockf != 1.0:
            raise OptionError(f"lockf = {lockf}: a table does not learn; give 1.0, and freeze words in the training")
        known = formats.ReadOptions(None, frozenset(self._words), unicode_errors)
        found = _read(fname, "bin" if binary else "txt", known)
        self[found.words] = found.vectors

    @classmethod
    def from_gensim(cls, keyed_vectors: Any) -> Self:
        """A copy of a table of gensim.

        Parameters
        ----------
        keyed_vectors : gensim.models.KeyedVectors
            A table of words; that of a trained model is its ``wv``.

        Returns
        -------
        WordVectors
            With counts if the table has them.

        Raises
        ------
        OptionError
            It is something else, or keys are no str.
        """
        words, vectors = (getattr(keyed_vectors, name, None) for name in ("index_to_key", "vectors"))
        if words is None or vectors is None:
            advice = "give its wv" if hasattr(keyed_vectors, "wv") else "give a KeyedVectors of gensim 4"
            raise OptionError(f"a {type(keyed_vectors).__name__} is no table of vectors; {advice}")
        counts = getattr(keyed_vectors, "expandos", {}).get("count")
        return cls._made(words, vectors, counts)

    def to_gensim(self) -> Any:
        """A copy as a table of gensim, which must be installed.

        Returns
        -------
        gensim.models.KeyedVectors
            With the words' counts, if they are known.

        Raises
        ------
        MissingPackageError
            gensim is not installed.
        """
        with needs_package("to_gensim needs gensim", "", "gensim"):
            from gensim.models import KeyedVectors
        table = KeyedVectors(self.vector_size)
        table.add_vectors(list(self._words), self._vectors)
        if self.counts is not None:
            table.expandos["count"] = np.array(self.counts)
        return table

    @classmethod
    def _of(cls, data: formats.VectorData, path: _PathLike) -> Self:
        """Word vectors from the data that were read from ``path``."""
        data.vectors.setflags(write=False)  # nobody else has them, so they need not be copied
        try:
            loaded = cls._made(data.words, data.vectors, data.counts)
        except OptionError as error:
            raise FormatError(f"{path}: {error}") from error
        loaded.provenance, loaded.ngrams = data.provenance, data.ngrams
        return loaded

    def _sort_values(self, attr: str) -> NDArray[Any] | None:
        """The values of an attribute by row; None for counts that are not known."""
        if attr == "count":
            return self.counts
        values = [self.get_vecattr(word, attr) for word in self._words]
        if not all(isinstance(value, int | float | np.number) for value in values):
            raise OptionError(f"sort_attr = {attr!r}: not every word has a number there; set_vecattr sets it")
        return np.array(values)

    def _check_attributes(self, path: _PathLike) -> None:
        """Warn that a file will not have what ``set_vecattr`` has set."""
        if self._attributes:
            names = ", ".join(self._attributes)
            warn(f"{path}: files keep counts of words, but no other attributes ({names}); save them on their own")


def _read(fname: _PathLike, format: str, options: formats.ReadOptions) -> formats.VectorData:
    """As ``formats.read_vectors``, with the options of word2vec's files in what errors advise."""
    try:
        return formats.read_vectors(fname, format, options)
    except FormatError as error:
        advice = str(error)
        for there, here in _ADVICE.items():
            advice = advice.replace(there, here)
        error.args = (advice,)
        raise


def check_encoding(encoding: str) -> None:
    """Raise OptionError for any encoding but UTF-8."""
    if encoding not in _UTF8:
        raise OptionError(f"encoding = {encoding!r}: words are read as UTF-8; convert the file, or try unicode_errors")


def _read_counts(path: Path, errors: str) -> dict[str, int]:
    """Lines of a word and its count, as a dict."""
    counts: dict[str, int] = {}
    with reading(path) as stream:
        for number, line in enumerate(stream, 1):
            fields = line.split()
            if len(fields) != 2 or not fields[1].isdigit() or len(fields[1]) > _MOST_DIGITS:
                raise FormatError(f"{path}, line {number}: expected a word and its count")
            try:
                counts[fields[0].decode("utf-8", errors)] = int(fields[1])
            except UnicodeDecodeError as error:
                shown = f"{path}, line {number}: the word {fields[0][:40]!r}"
                raise FormatError(f"{shown} is not UTF-8; try unicode_errors='replace'") from error
    return counts


def _counts_of(words: Iterable[str], counts: dict[str, int], path: _PathLike) -> NDArray[np.int64]:
    missing = next((word for word in words if word not in counts), None)
    if missing is not None:
        raise DataError(f"{path} lacks the count of {missing!r}; is it of other vectors?")
    return np.array([counts[word] for word in words], np.int64)
