"""How a text is read: the one place where strings become words, for the training text and all that is asked later."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

from windrow.corpus.folding import check_folding, fold_function, last_complete
from windrow.corpus.sentences import check_sentences
from windrow.corpus.tokenizers import (
    TOKENIZERS,
    Batch,
    Tokenizer,
    batches,
    find_tokenizer,
    is_foreign,
    name_of_tokenizer,
    shown_name,
)
from windrow.errors import OptionError

Tokenize = str | Callable[[str], list[str]]
# Names in files: those of before there were versions lack the first; "sentences" there is how many there are.
_LONG, _PIECE = 1 << 20, 1 << 16  # characters of a sentence that is cut piece by piece, and of a piece
_VERSION, _SENTENCES = "tokenizer_version", "sentence_ends"


@dataclass(frozen=True)
class TextReader:
    """How strings become words, and words strings. A corpus and the models trained on it remember theirs.

    A string is normalized, lower-cased and cut into tokens. A list of tokens is never cut: it is taken as it is.

    Parameters
    ----------
    tokenizer : {"whitespace", "word", "char"}, "MODULE:CALLABLE" or callable, default "whitespace"
        How a line becomes tokens, see ``Corpus.build``. Naming a callable imports its module, which runs its code.
    lowercase : bool, default False
        Turn the text into lower case first.
    language : str or None, default None
        A code of ISO 639-1 whose lower case is meant: in Turkish and Azerbaijani ("tr", "az") I becomes dotless i, in
        Lithuanian ("lt") an i keeps its dot under an accent. Only with ``lowercase``. None: the usual lower case.
    normalize : {"nfc", "nfkc"} or None, default None
        Unicode normalization, before all else: "nfc" gives each letter with accents one form, "nfkc" also makes
        ligatures, full-width letters and superscripts plain ones. None: the text as it is.
    sentences : {"line", "paragraph", "document"}, default "line"
        Where sentences of files end. A string that a model is given is one sentence anyway.
    version : int or None, default None
        Of the tokenizer's rules, as files remember it; None: today's.
    from_file : bool, default False
        Whether the tokenizer is known only by a name in a file. A callable is not imported then, see ``tokens``.

    Raises
    ------
    OptionError
        An option is unknown, or ``language`` is given without ``lowercase``.

    Examples
    --------
    >>> from windrow.corpus import TextReader
    >>> reader = TextReader(tokenizer="char", lowercase=True)
    >>> reader.tokens("A dog")
    ['a', '▁', 'd', 'o', 'g']
    >>> reader.join(reader.tokens("A dog"))
    'a dog'
    """

    tokenizer: Tokenize = "whitespace"
    lowercase: bool = False
    language: str | None = None
    normalize: str | None = None
    sentences: str = "line"
    version: int | None = None
    from_file: bool = False

    def __post_init__(self) -> None:
        if not (callable(self.tokenizer) or is_foreign(self.tokenizer)):
            find_tokenizer(self.tokenizer, self.version)  # raises the error
        check_folding(self.lowercase, self.language, self.normalize)
        check_sentences(self.sentences)

    def __reduce__(self) -> tuple[Any, ...]:
        # As a file would: a function of one's own may not be one that can be pickled.
        return TextReader.remembered, (self.stored(),)

    def __deepcopy__(self, _: dict[int, Any]) -> TextReader:
        return self

    # --- strings and words

    def tokens(self, text: str) -> list[str]:
        """The words of one sentence. A line end at its end is dropped; others are white space.

        Parameters
        ----------
        text : str
            The sentence.

        Returns
        -------
        list of str

        Raises
        ------
        OptionError
            The tokenizer is a callable that only a file names: windrow does not import what a file says.
        DataError
            A callable failed, or gave no tokens.
        """
        rules = self.rules
        text = text.removesuffix("\n")
        if is_long(text):
            return _shared_tokens(text, rules, self.folds)
        if self.folds:
            text = rules.fold(text)
        if "\n" in text:
            text = text.replace("\r\n", "\n")
            if rules.by_line:
                return [token for line in text.split("\n") for token in rules.split(line)]
        return rules.split(text)

    def iter_tokens(self, text: str) -> Iterator[list[str]]:
        """``tokens`` in parts, which of a long sentence are never all in memory."""
        line = text.removesuffix("\n")
        if is_long(line):
            yield from (batch.words for batch in _batches_of(line, self.rules, self.folds))
        else:
            yield self.words_of(text)

    def words_of(self, tokens: str | Sequence[str]) -> list[str]:
        """``tokens`` of a string; a list of tokens as it is."""
        if tokens == "":  # which needs no tokenizer
            return []
        return self.tokens(tokens) if isinstance(tokens, str) else list(tokens)

    def folded(self, tokens: Sequence[str]) -> list[str]:
        """The words of a list, in lower case and normalized as strings are."""
        return self.rules.fold(" ".join(tokens)).split() if self.folds else list(tokens)

    def join(self, tokens: Sequence[str]) -> str:
        """A text of these words.

        Parameters
        ----------
        tokens : sequence of str
            Words as ``tokens`` gives them.

        Returns
        -------
        str
            Characters without anything between them, with the spaces of the text; else words with spaces between
            them. The tokenizer "word" leaves out spaces before and after punctuation, which is only roughly right.
        """
        return TOKENIZERS["whitespace"]().join(tokens) if self.asks else self.rules.join(tokens)

    @cached_property
    def rules(self) -> Tokenizer:
        """The tokenizer, whose ``fold`` does all that is done to a text first, and whose cuts are safe for that."""
        if self.asks:
            raise OptionError(
                f"the training text was cut into words by {shown_name(self.name)}, which is not imported only because "
                f"a file names it; if you trust it, set tokenizer = {shown_name(repr(self.name))} again, which runs "
                "its module, or the function itself; or give lists of tokens"
            )
        found = find_tokenizer(self.tokenizer, self.version)
        fold = fold_function(found.fold if self.lowercase else None, self.language, self.normalize)
        if fold is None:
            return found
        cuts_letters = found.name == "char" and (self.language or self.normalize)
        return replace(found, fold=fold, last_cut=last_complete if cuts_letters else found.last_cut)

    # --- what a reader is

    @property
    def name(self) -> str:
        """The tokenizer's name."""
        return name_of_tokenizer(self.tokenizer)

    @property
    def asks(self) -> bool:
        """Whether the tokenizer must be given again, because only a file names it."""
        return self.from_file and is_foreign(self.tokenizer)

    @property
    def folds(self) -> bool:
        """Whether something is done to a text before it is cut."""
        return bool(self.lowercase or self.normalize)

    @property
    def is_plain(self) -> bool:
        """Whether words are what stands between white space, as it stands there."""
        return self.tokenizer == "whitespace" and not self.folds

    # --- files

    def options(self) -> dict[str, Any]:
        """The reader as options of ``Corpus.build``; those beside the first two only where they are set."""
        values = {field.name: getattr(self, field.name) for field in fields(self)[:5]}
        defaults = {field.name: field.default for field in fields(self)}
        always = ("tokenizer", "lowercase")
        named = {**values, "tokenizer": self.name, "lowercase": bool(self.lowercase)}
        return {name: value for name, value in named.items() if name in always or value != defaults[name]}

    def stored(self) -> dict[str, Any]:
        """The reader as plain data for a file; the inverse of ``remembered``."""
        version = self.version
        if version is None and self.tokenizer in TOKENIZERS:
            version = find_tokenizer(self.tokenizer).version
        renamed = {_SENTENCES if name == "sentences" else name: value for name, value in self.options().items()}
        return {**renamed, **({} if version in (None, 1) else {_VERSION: version})}

    @classmethod
    def remembered(cls, settings: Mapping[str, Any]) -> TextReader:
        """The reader that a file describes, among other things.

        Parameters
        ----------
        settings : mapping
            The header of a corpus, or the provenance of a model. What it lacks is as before there was a choice.

        Returns
        -------
        TextReader

        Raises
        ------
        OptionError
            A setting is unknown: the file is damaged, or of a newer version.
        """
        names = {**{field.name: field.name for field in fields(cls)[:4]}, "sentences": _SENTENCES, "version": _VERSION}
        found = {name: settings[stored] for name, stored in names.items() if stored in settings}
        return cls(**{"version": 1, **found}, from_file=True)

    def changed(self, **options: Any) -> TextReader:
        """The reader with other options; a tokenizer that is given here is trusted, and of today's version.

        Without lower case no language is left, unless it is among the options.
        """
        if "tokenizer" in options:
            options = {"version": None, "from_file": False, **options}
        if not options.get("lowercase", self.lowercase):
            options = {"language": None, **options}
        return replace(self, **options)


def is_long(text: str) -> bool:
    """Whether a sentence is cut into words piece by piece."""
    return len(text) > _LONG and "\n" not in text


def _shared_tokens(text: str, rules: Tokenizer, folds: bool) -> list[str]:
    """The tokens of a long sentence, equal ones as one string, which takes a tenth of the memory."""
    known: dict[str, str] = {}
    return [known.setdefault(token, token) for batch in _batches_of(text, rules, folds) for token in batch.words]


def _batches_of(text: str, rules: Tokenizer, folds: bool) -> Iterator[Batch]:
    """A long sentence in batches of tokens."""
    return batches((text[first : first + _PIECE] for first in range(0, len(text), _PIECE)), rules, folds)
