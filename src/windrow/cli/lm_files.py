"""How commands open a file of a language model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windrow.errors import FormatError, OptionError

if TYPE_CHECKING:
    from windrow.lm.base import LanguageModel


def load_model(path: str) -> LanguageModel:
    """The language model in a file; OptionError if the file holds something else."""
    from windrow.files.sniff import is_arpa, is_plain_text
    from windrow.lm.base import LanguageModel
    from windrow.models import load

    try:
        model = load(path)
    except FormatError as error:
        from windrow.embeddings.formats.recognition import NoVectorsError  # loaded by then, if it was raised

        if not is_arpa(path) and is_plain_text(path):  # which was tried as word vectors
            raise OptionError(f"{path} is text, neither a language model of windrow's nor an ARPA file") from error
        if not isinstance(error, NoVectorsError):
            raise
        raise FormatError(f"{path} holds no language model: it is neither an ARPA file nor one of windrow's") from error
    if not isinstance(model, LanguageModel):
        raise OptionError(f"{path} holds {type(model).__name__}, not a language model")
    return model
