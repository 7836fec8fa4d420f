"""Open any model file: what it holds decides the class."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, overload

from windrow.errors import FormatError, OptionError, shown
from windrow.files import kinds, model_file
from windrow.files.local import as_path, local_file
from windrow.files.sniff import first_bytes, is_arpa, kind_of, refuse_no_model
from windrow.files.static_folder import static_files

if TYPE_CHECKING:
    from windrow.classification.classifier import TextClassifier
    from windrow.embeddings.vectors import WordVectors
    from windrow.lm.base import LanguageModel
    from windrow.lm.cache import CacheLM
    from windrow.lm.classes.model import ClassLM
    from windrow.lm.mixture import MixtureLM
    from windrow.lm.neural.recurrent import RecurrentLM
    from windrow.lm.neural.window import WindowLM
    from windrow.lm.ngram.model import NGramLM
    from windrow.lm.skips.model import SkipNGramLM
    from windrow.lm.unbounded.model import UnboundedNGramLM
    from windrow.phrases.model import Phrases
    from windrow.tagging.tagger import WindowTagger

    # What a file may hold; a LanguageModel is also one of your own.
    NGramModels: TypeAlias = NGramLM | UnboundedNGramLM | ClassLM | SkipNGramLM
    LanguageModels: TypeAlias = NGramModels | WindowLM | RecurrentLM | MixtureLM | CacheLM | LanguageModel
    AnyModel: TypeAlias = WordVectors | Phrases | LanguageModels | WindowTagger | TextClassifier

Model = TypeVar("Model")  # where a class is ``expected``, abstract ones too, which ``type[Model]`` would exclude

MODEL_KINDS = tuple(kinds.MODELS)
OTHER_KINDS = (*kinds.CHECKPOINTS, "vocabulary")  # of files that windrow writes, and that hold no model


@overload
def load(path: str | os.PathLike[str], format: Literal["arpa"]) -> NGramLM: ...
@overload
def load(
    path: str | os.PathLike[str], format: str | None = None, *, expected: Callable[..., Model], **reading: Any
) -> Model: ...
@overload
def load(
    path: str | os.PathLike[str], format: str | None = None, *, expected: None = None, **reading: Any
) -> AnyModel: ...
def load(
    path: str | os.PathLike[str],
    format: str | None = None,
    *,
    expected: Callable[..., Any] | None = None,
    **reading: Any,
) -> Any:
    """Open a model of any kind, whatever its name: the content of the file says what it is.

    Any number of threads may ask the model at once, as long as none changes it (``fit``, ``set_params``, ...).

    Parameters
    ----------
    path : str or os.PathLike
        A file of windrow's; an n-gram model in ARPA format; a classifier of fastText; or word vectors in one of the
        formats of ``WordVectors.load``. Compressed or not; a pipe, or ``-`` for standard input, too.
    format : str or None, default None
        A format of word vectors, or "arpa", where the content misleads; None: what the content shows.
    expected : type or None, default None
        The class that the model must be of, such as ``NGramLM``, or one that several share, such as ``LanguageModel``;
        a file of another kind is refused before it is read. Type checkers then know what comes back; without it they
        know that it is one of the classes below, until ``isinstance`` says which. None: any.
    **reading
        How word vectors are read: ``limit``, ``only_words``, ``errors``, ``duplicates``, ``nbsp`` of
        ``WordVectors.load``.

    Returns
    -------
    WordVectors, Phrases, NGramLM, UnboundedNGramLM, ClassLM, SkipNGramLM, WindowLM, RecurrentLM, MixtureLM,
    CacheLM, WindowTagger or TextClassifier
        What the file holds.

    Raises
    ------
    FormatError
        The file is malformed, holds no model, one that is not ``expected``, or one of a kind that this version does
        not know; the message says what it is and what helps.
    DataError
        It cannot be read.
    OptionError
        An option is not allowed, or the file holds no word vectors, which they are for; or ``expected`` is no class.

    Examples
    --------
    >>> import windrow
    >>> windrow.NGramLM(order=2, smoothing="witten-bell").fit(["the cat sat", "the dog sat"]).save("animals.model")
    >>> type(windrow.load("animals.model")).__name__
    'NGramLM'
    >>> windrow.load("animals.model", expected=windrow.NGramLM).order
    2
    """
    if not isinstance(expected, type | None):
        raise OptionError(f"expected = {shown(expected)} must be a class, such as windrow.NGramLM")
    wanted = "model" if expected is None else kinds.kind_named(expected.__name__)
    with local_file(as_path(path)) as file:
        kind = _kind(file, format, wanted)
        if expected is not None:
            _check_expected(kind, expected, wanted, file)
        if kind != "word-vectors":
            if reading:
                raise OptionError(
                    f"{', '.join(reading)}: these are for word vectors; {path} holds {kinds.what_holds(kind)}"
                )
            return model_class(kind).load(file)
        return model_class(kind).load(file, format, **reading)


def _check_expected(kind: str, expected: type, wanted: str, path: Path) -> None:
    """Raise FormatError unless models of a kind are of the class that the user expects."""
    if not issubclass(model_class(kind), expected):
        if kind == "word-vectors" and not _looks_like_vectors(path):  # as which all that is unknown would be opened
            refuse_no_model(path, wanted)
            raise FormatError(f"{path} is not one of windrow's own formats, and no ARPA file")
        raise kinds.wrong_kind(path, kind, wanted)


def _kind(path: Path, format: str | None, wanted: str) -> str:
    """The kind of model in a file, as ``model_class`` takes it."""
    if format is not None:
        return "ngram-lm" if format == "arpa" else "word-vectors"
    if static_files(path) is not None:
        return "word-vectors"
    kinds.refuse_folder(path, wanted)
    match kind_of(path):
        case "windrow":
            return _stored_kind(path, wanted)
        case "arpa":
            return "ngram-lm"
        case "fasttext":
            from windrow.embeddings.formats.fasttext_bin import is_classifier

            return "text-classifier" if is_classifier(path) else "word-vectors"
        case "pickle" if _holds_phrases(path):
            return "phrases"
        case "unknown" if is_arpa(path) and not _looks_like_vectors(path):
            return "ngram-lm"
    return "word-vectors"


def _holds_phrases(path: Path) -> bool:
    from windrow.phrases.gensim import begins_phrases

    return begins_phrases(first_bytes(path))


def _looks_like_vectors(path: Path) -> bool:
    from windrow.embeddings.formats.recognition import recognize_vectors  # which takes longer than to open a model

    if static_files(path) is not None:
        return True
    try:
        return recognize_vectors(path) not in (None, "gensim")  # a pickle may be of anything
    except FormatError:
        return False


def _stored_kind(path: Path, wanted: str) -> str:
    kind = model_file.read_start(path).kind
    if kind in OTHER_KINDS:
        raise kinds.wrong_kind(path, kind, wanted)
    if model_class(kind) is None:
        raise FormatError(f"{path} holds a model of the unknown kind {kind!r}; update windrow")
    return kind


def model_class(kind: str) -> Any:
    """The class whose ``load`` opens files of a kind, None for an unknown kind; imports no other model."""
    match kind:
        case "word-vectors":
            from windrow.embeddings.vectors import WordVectors

            return WordVectors
        case "phrases":
            from windrow.phrases.model import Phrases

            return Phrases
        case "window-tagger":
            from windrow.tagging.tagger import WindowTagger

            return WindowTagger
        case "text-classifier":
            from windrow.classification.classifier import TextClassifier

            return TextClassifier
        case "ngram-lm":
            from windrow.lm.ngram.model import NGramLM

            return NGramLM
        case "unbounded-ngram-lm":
            from windrow.lm.unbounded.model import UnboundedNGramLM

            return UnboundedNGramLM
        case "class-lm":
            from windrow.lm.classes.model import ClassLM

            return ClassLM
        case "skip-ngram-lm":
            from windrow.lm.skips.model import SkipNGramLM

            return SkipNGramLM
        case "window-lm":
            from windrow.lm.neural.window import WindowLM

            return WindowLM
        case "rnn-lm":
            from windrow.lm.neural.recurrent import RecurrentLM

            return RecurrentLM
        case "mixture-lm":
            from windrow.lm.mixture import MixtureLM

            return MixtureLM
        case "cache-lm":
            from windrow.lm.cache import CacheLM

            return CacheLM
    from windrow.lm.base import LANGUAGE_MODELS  # a model of your own, whose module you have imported

    return LANGUAGE_MODELS.get(kind)
