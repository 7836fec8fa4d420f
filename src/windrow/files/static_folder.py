"""What tells the folder of a static embedding model, of Model2Vec or sentence-transformers, from other folders."""

from __future__ import annotations

import os
from pathlib import Path

STATIC_TENSORS, STATIC_TOKENIZER = "model.safetensors", "tokenizer.json"
_WITHIN = ("", "0_StaticEmbedding")  # where sentence-transformers keeps them if there are other modules


def static_files(folder: str | os.PathLike[str]) -> Path | None:
    """The folder in which the vectors and the tokenizer of a model are: ``folder`` or one in it; None: there is none.

    A transformer has files of the same names; it has layers, of which whoever reads the vectors will say so.
    """
    for within in _WITHIN:
        place = Path(folder, within)
        if all((place / name).is_file() for name in (STATIC_TENSORS, STATIC_TOKENIZER)):
            return place
    return None
