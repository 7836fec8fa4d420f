"""The corpus on disk: ids and sentence starts, written in one pass with bounded memory, memory-mapped."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.bars import bytes_bar, check_progress
from windrow.corpus import sources
from windrow.corpus.checking import check_ranges, compare_arrays, compare_files, compare_fingerprint
from windrow.corpus.folder import IDS, STARTS, VOCABULARY, new_folder, path_errors, read_header, whole_folder
from windrow.corpus.reading import TextReader, Tokenize
from windrow.corpus.streams import ReadProgress
from windrow.corpus.vocabulary import Vocabulary, check_specials
from windrow.corpus.writing import write_corpus
from windrow.distributed import Workers
from windrow.distributed.cluster import workers_of
from windrow.errors import FormatError, OptionError, check_path, check_whole, warn
from windrow.files.checksums import CHECKED_BYTES, OWN, PARTS
from windrow.files.corpus_folder import CORPUS_HEADER
from windrow.files.tempfolder import made_in_temporary_folder
from windrow.logger import logger
from windrow.notebook import html_table

_BLOCK = 1 << 20  # ids or starts handled at a time
_MANY = 10  # sentences of one word each, from which something is likely to be wrong


class Corpus:
    """A text as word ids in a folder, memory-mapped: it may be larger than memory, and opens at once.

    Make one with ``Corpus.build`` or ``Corpus.open``. ``len(corpus)`` is the number of sentences.

    Attributes
    ----------
    ids : array of int32, shape (tokens,)
        The ids of all words, one sentence after another; ``vocabulary.unknown_id``, usually -1, for words that the
        vocabulary leaves out.
    starts : array of int64, shape (sentences + 1,)
        Sentence s is ``ids[starts[s]:starts[s + 1]]``; it may be empty.
    vocabulary : Vocabulary
        The words that the ids stand for, and their counts.
    tokens : int
        Tokens of the text, those of words left out included.
    path : pathlib.Path
        The folder.
    fingerprint : str
        Equal for equal corpora.
    reader : TextReader
        How the text was cut into words; models that are trained on the corpus read strings alike.

    Examples
    --------
    >>> from windrow import Corpus
    >>> corpus = Corpus.build(["the cat sat", "the dog"])
    >>> corpus.vocabulary.words
    ['the', 'dog', 'sat', 'cat']
    >>> list(corpus.sentences())
    [['the', 'cat', 'sat'], ['the', 'dog']]
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)  # for messages; of a temporary corpus that of its source
        self._is_sound = False  # whether ids and starts are known to be in range
        with path_errors("read", path):
            self._header = read_header(path)
            compare_arrays(path, self._header, CHECKED_BYTES)
            self.ids: NDArray[np.int32] = np.memmap(path / IDS, np.int32, "r")
            self.starts: NDArray[np.int64] = np.memmap(path / STARTS, np.int64, "r")
        try:
            self.reader = TextReader.remembered(self._header)
        except OptionError as error:
            raise FormatError(f"{path / CORPUS_HEADER} is damaged ({error}); build the corpus again") from error
        self.vocabulary = Vocabulary.load(path / VOCABULARY)
        if len(self.vocabulary) != self._header["vocabulary"]:
            raise FormatError(f"{path}: the vocabulary does not fit {CORPUS_HEADER}; build the corpus again")
        if self.starts[0] != 0 or self.starts[-1] != self.tokens:
            raise FormatError(f"{path / STARTS} does not fit the {self.tokens} tokens; build the corpus again")

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Corpus:
        """Open a corpus folder. Files of up to 64 MB are compared with their checksums (``verify`` compares all).

        Parameters
        ----------
        path : str or os.PathLike
            A folder made by ``build``.

        Returns
        -------
        Corpus

        Raises
        ------
        FormatError
            The folder is not a corpus, is damaged, or was made by a newer version.
        DataError
            It cannot be read.

        Examples
        --------
        >>> from windrow import Corpus
        >>> built = Corpus.build(["the cat sat", "the dog"], "animals.corpus")
        >>> Corpus.open("animals.corpus").tokens
        5
        """
        check_path("path", path)
        with path_errors("read", Path(path)), whole_folder(Path(path)):
            return cls(Path(path))

    @classmethod
    def build(
        cls,
        source: Any,
        path: str | os.PathLike[str] | None = None,
        *,
        tokenizer: Tokenize = "whitespace",
        lowercase: bool = False,
        language: str | None = None,
        normalize: str | None = None,
        sentences: str = "line",
        min_count: int = 1,
        max_vocab: int | None = None,
        format: str | None = None,
        field: str | None = None,
        delimiter: str | None = None,
        errors: str = "strict",
        specials: Sequence[str] = (),
        vocabulary: Vocabulary | None = None,
        progress: ReadProgress | bool | None = None,
        ray: str | Workers | None = None,
    ) -> Corpus:
        """Read a text once, in bounded memory, and write it as ids into a folder.

        Parameters
        ----------
        source : path, list of paths, iterable of sentences, or table
            A file (plain, .gz, .bz2, .xz or .zst), folder, glob pattern, URL (http, https; by fsspec s3, gs, gcs, az,
            abfs, hf), or "-" for standard input; several of them as a list of pathlib.Path; sentences, each a str or
            a list of tokens (str, or whole numbers such as ids); a Series or array of them; or a table (pandas,
            polars, Arrow, Hugging Face datasets) or an iterable of dicts, with ``field``.
        path : str or os.PathLike, default None
            The folder to write; a corpus that is there is replaced once the new one is complete. None: a temporary
            folder, removed together with the object.
        tokenizer : {"whitespace", "word", "char"}, "MODULE:CALLABLE" or callable, default "whitespace"
            How a line becomes tokens. "word" takes letters, digits and emoji, and drops punctuation; "char" takes
            every character, a space as "▁" (U+2581). A callable maps a line to a list of str; naming one imports its
            module, which runs its code.
        lowercase : bool, default False
            Turn the text into lower case first.
        language : str or None, default None
            A code of ISO 639-1 for ``lowercase``: "tr" and "az" have a dotless i, "lt" keeps dots under accents.
        normalize : {"nfc", "nfkc"} or None, default None
            Unicode normalization of the text: "nfc" gives each letter with accents one form, "nfkc" also makes
            full-width letters and ligatures plain ones.
        sentences : {"line", "paragraph", "document"}, default "line"
            What one sentence is: a line; all lines up to a blank one; or a whole file, record or item of an iterable.
        min_count : int, at least 1, default 1
            Words that occur less often are left out of the vocabulary.
        max_vocab : int or None, default None
            The largest number of words to keep, specials included; None: all.
        format : {"text", "jsonl", "csv", "parquet"} or None, default None
            The format of the files. None: with ``field`` what the name of each file says, else text.
        field : str, default None
            The field or column that holds the text, of a table and of files of every format but "text".
        delimiter : str, default None
            What separates the columns of CSV: one character, or "tab". None: a tab in files named .tsv, else a comma.
        errors : {"strict", "replace", "ignore"}, default "strict"
            What to do with bytes that are not UTF-8: raise DataError, put U+FFFD in their place, or drop them.
        specials : sequence of str, default ()
            Words that get the first ids whatever their counts, such as ``("<unk>", "<s>", "</s>")``. With ``<unk>``
            words left out get its id.
        vocabulary : Vocabulary or None, default None
            The words to keep, with counts of their own, such as ``read_word_counts`` reads; no other word is kept. It
            takes the place of ``min_count``, ``max_vocab`` and ``specials``. None: the words of the text.
        progress : bool or callable, default None
            True: show a bar, in a notebook or on stderr. A function is called as
            ``progress(bytes_read, bytes_in_all)``, the latter None if it is not known.
        ray : {"local", "auto"}, HOST:PORT, RayCluster or None, default None
            A Ray cluster whose workers read the text in parallel: one that is started on this machine for it, the one
            that runs here or that RAY_ADDRESS names, or another. The corpus is the same, byte by byte. ``source`` is
            files or URLs that all nodes can read. None: this process reads.

        Returns
        -------
        Corpus

        Raises
        ------
        OptionError
            An option is out of range, or ``ray`` is given for a source that is no files.
        DataError
            The text cannot be read, or holds no word to keep; or the folder cannot be written.

        Examples
        --------
        >>> from windrow import Corpus
        >>> corpus = Corpus.build(["The cat sat.", "The dog!"], tokenizer="word", lowercase=True, min_count=2)
        >>> corpus.vocabulary.words
        ['the']
        >>> corpus.ids.tolist()
        [0, -1, -1, 0, -1]
        """
        check_whole("min_count", min_count, 1)
        check_specials(specials)
        _check_vocabulary(vocabulary, specials, min_count=min_count, max_vocab=max_vocab)
        if path is not None:
            check_path("path", path)
        if max_vocab is not None:
            check_whole("max_vocab", max_vocab, len(specials) + 1)
        check_progress(progress)
        reader = TextReader(tokenizer, lowercase, language, normalize, sentences)
        limits = {"min_count": int(min_count), "max_vocab": None if max_vocab is None else int(max_vocab)}
        files = {"format": format, "field": field, "delimiter": delimiter, "errors": errors}
        workers = None if ray is None else workers_of(ray)

        def write(folder: Path) -> None:
            with bytes_bar(progress) as show:
                given = {**files, "progress": show}
                write_corpus(
                    folder,
                    source,
                    reader,
                    files=given,
                    limits=limits,
                    specials=specials,
                    vocabulary=vocabulary,
                    workers=workers,
                )

        return make_corpus(write, path, sources.describe(source), reader)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __repr__(self) -> str:
        return f"Corpus({self.path}: {self.tokens:,} tokens, {len(self):,} sentences, {len(self.vocabulary):,} words)"

    def _repr_html_(self) -> str:
        info = self.info()
        counts = {name: info[name] for name in ("tokens", "sentences", "types", "coverage")}
        return html_table(f"Corpus {self.path}", counts.items()) + self.vocabulary._repr_html_()

    @property
    def tokens(self) -> int:
        """Tokens of the text, those of words left out included."""
        return int(self._header["tokens"])

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits of the SHA-256 of ids, sentence starts, words and counts."""
        return str(self._header["fingerprint"])

    def sentences(self) -> Iterator[list[str]]:
        """The sentences as words.

        Yields
        ------
        list of str
            The words of one sentence; words left out of the vocabulary are missing, or are a special ``<unk>``.
        """
        for first in range(0, len(self), _BLOCK):
            bounds = self.starts[first : first + _BLOCK + 1].tolist()
            for start, stop in pairwise(bounds):
                yield self.vocabulary.decode(self.ids[start:stop])

    def info(self) -> dict[str, Any]:
        """What the corpus holds, as plain JSON data.

        Returns
        -------
        dict
            ``tokens``, ``sentences``; ``types``, the number of distinct words; ``vocabulary``, how many of them are
            kept, specials included; ``coverage``, the fraction of tokens that are kept; ``most_frequent``, ten words
            with their counts; and the options of ``build``.

        Examples
        --------
        >>> from windrow import Corpus
        >>> info = Corpus.build(["the cat sat", "the dog"], min_count=2).info()
        >>> info["types"], info["vocabulary"], info["coverage"]
        (4, 1, 0.4)
        """
        hidden = {"format", "version", "windrow", "tokenizer_version", OWN, PARTS}
        first, words, counts = len(self.vocabulary.specials), self.vocabulary.words, self.vocabulary.counts
        top = slice(first, first + 10)
        return {
            **{key: value for key, value in self._header.items() if key not in hidden},
            "coverage": self._header["kept_tokens"] / self.tokens,
            "specials": list(self.vocabulary.specials),
            "most_frequent": [[w, c] for w, c in zip(words[top], counts[top].tolist(), strict=True)],
        }

    def verify(self) -> bool:
        """Read everything, also what is too large for ``open`` to read: is it what was written?

        Returns
        -------
        bool
            False where an older windrow wrote the folder, with a fingerprint, but without checksums: its words, ids and
            sentence starts are as they were then, but nobody knows about the rest of ``corpus.json``.

        Raises
        ------
        FormatError
            A file is not what was written, or holds ids or sentence starts that are out of range.
        """
        has_checksums = compare_files(self.path, self._header)
        if not has_checksums:
            compare_fingerprint(self.path, self._header, self.vocabulary)
        self.check_ranges()
        return has_checksums

    def check_ranges(self) -> None:
        """Raise FormatError unless all ids and sentence starts are in range; they are read once for an object.

        Whatever trains asks first: kernels do not look whether an id is one.
        """
        if not self._is_sound:
            check_ranges(self.path, self.ids, self.starts, self.vocabulary)
            self._is_sound = True


def read_corpus(source: Any, reader: TextReader, **files: Any) -> Corpus:
    """A text as a model reads it, in a temporary folder; the tokens of lists are taken as they are.

    ``files``: format, field, delimiter, errors and progress of ``Corpus.build``.
    """

    def write(folder: Path) -> None:
        write_corpus(folder, source, reader, files=files, fold_lists=sources.locations(source) is not None)

    return make_corpus(write, None, sources.describe(source), reader)


def _check_vocabulary(vocabulary: object, specials: Sequence[str], **limits: int | None) -> None:
    """Raise OptionError for a vocabulary that is none, or that leaves other options without effect."""
    if vocabulary is None:
        return
    if not isinstance(vocabulary, Vocabulary):
        raise OptionError(f"vocabulary must be a Vocabulary, not {type(vocabulary).__name__}; see read_word_counts")
    if vocabulary.specials or specials or limits != {"min_count": 1, "max_vocab": None}:
        raise OptionError("vocabulary says which words there are; leave out specials, min_count and max_vocab")


def make_corpus(
    write: Callable[[Path], None], path: str | os.PathLike[str] | None, name: str, reader: TextReader
) -> Corpus:
    """The corpus whose files ``write`` puts into a folder: that at ``path``, or a temporary one, called ``name``."""

    def opened(folder: Path) -> Corpus:
        corpus = Corpus.open(folder)
        corpus.reader, corpus._is_sound = reader, True
        logger.info(
            "read %s: %s tokens in %s sentences, %s words",
            name, *(f"{count:,}" for count in (corpus.tokens, len(corpus), len(corpus.vocabulary))),
        )  # fmt: skip
        _warn_of_single_words(corpus, name)
        return corpus

    def in_temporary(folder: Path) -> Corpus:
        write(folder)
        corpus = opened(folder)
        corpus.name = name
        return corpus

    if path is None:
        return made_in_temporary_folder(in_temporary)
    with new_folder(Path(path)) as folder:
        write(folder)
    return opened(Path(path))


def _warn_of_single_words(corpus: Corpus, name: str) -> None:
    """Warn where every sentence is one word, as when the words of a text are given for its sentences."""
    if not _MANY <= corpus.tokens <= len(corpus):
        return
    for first in range(0, len(corpus), _BLOCK):
        if np.diff(corpus.starts[first : first + _BLOCK + 1]).max() > 1:
            return
    warn(
        f"{name}: each of the {corpus.tokens:,} sentences is a single word, so that no word has a neighbor; "
        "give whole sentences (of a list of words make one sentence: [words])"
    )
