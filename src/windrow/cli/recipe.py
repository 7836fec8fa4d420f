"""What ``windrow vectors train --recipe`` adds to a training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from windrow.cli.logs import stages_bar
from windrow.errors import OptionError

if TYPE_CHECKING:
    from windrow.corpus import Corpus
    from windrow.distributed import Workers
    from windrow.embeddings import Word2Vec, WordVectors

_OF_ONE_MODEL = {  # options that --recipe cannot have, and what does the same
    **dict.fromkeys(
        ("subwords", "continue_from", "keep_training_state"),
        "train without --recipe, then `vectors count` and `vectors blend`",
    ),
    "report": "leave it, and write the page with `windrow report` afterwards",
}


def check_recipe(options: Mapping[str, Any]) -> None:
    """Raise OptionError where something is asked of --recipe that a blend cannot have."""
    for name, way_out in _OF_ONE_MODEL.items():
        if options["recipe"] and options[name]:
            flag = f"--{name.replace('_', '-')}"
            raise OptionError(f"{flag} is for one trained model, and --recipe writes a blend of two: {way_out}")


def train_larger(model: Word2Vec, corpus: Corpus, options: Mapping[str, Any]) -> None:
    """Give a model that is not trained yet the dimensions that --recipe trains with, unless --vectors sets them."""
    if options["recipe"] and options["vectors"] is None:
        from windrow.embeddings.recipes import trained_size

        model.set_params(vector_size=trained_size(model.vector_size, corpus))


def blended_with_counts(
    model: Word2Vec, corpus: Corpus, options: Mapping[str, Any], checkpoint: Path | None, workers: Workers | None
) -> WordVectors | None:
    """What --recipe, if given, makes of the model; Ctrl-C keeps the training, from which --resume goes on here."""
    if not options["recipe"]:
        return None
    from windrow.embeddings.recipes import blend_with_counts

    try:
        with stages_bar() as show:
            return blend_with_counts(model, corpus, options["vector_size"], options["favor"], show, workers)
    except KeyboardInterrupt as error:
        if checkpoint is None:
            raise
        model.save_checkpoint(checkpoint)
        raise KeyboardInterrupt(f"interrupted; {checkpoint} has the state of the training") from error
