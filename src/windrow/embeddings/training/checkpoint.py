"""The file from which an interrupted training goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from os import PathLike, fspath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.training.run import Position
from windrow.errors import FormatError
from windrow.files import model_file
from windrow.nn.training.checkpoint import START_AGAIN, history_rows

CHECKPOINT_KIND = "word2vec-checkpoint"
# Parameters that the first checkpoints lack, and what trainings did before there was a choice.
_ADDED_LATER = {
    "deterministic": False, "fits_blocks": False, "started_from": None,
    "tree_ties": "heap", "subwords": False, "min_n": 3, "max_n": 6, "buckets": 2_000_000,
}  # fmt: skip


@dataclass(frozen=True)
class Checkpoint:
    """Everything that the rest of a training depends on.

    ``identity`` says of which model and corpus: a checkpoint fits only the training that it was taken from.
    """

    identity: dict[str, Any]
    position: Position
    history: list[dict[str, Any]]
    seconds: float
    tables: Mapping[str, NDArray[Any]]  # input vectors and output layers, by name
    randomness: NDArray[np.uint64]  # (workers, numbers of a state)

    def write(self, path: str | PathLike[str]) -> None:
        """Write the file, atomically."""
        config = {
            "identity": self.identity,
            "position": asdict(self.position),
            "history": self.history,
            "seconds": self.seconds,
        }
        model_file.save(path, CHECKPOINT_KIND, {**self.tables, "randomness": self.randomness}, config)

    @classmethod
    def read(cls, path: str | PathLike[str], now: Checkpoint) -> Checkpoint:
        """Read a file that must fit the training that is ``now``; FormatError where it does not, or is damaged."""
        stored = model_file.load(path, CHECKPOINT_KIND)
        with model_file.parts_of(path):
            identity = {**_ADDED_LATER, **stored.config.get("identity", {})}
        for name, asked in {"started_from": None, "ray_workers": None, **now.identity}.items():
            if identity.get(name) != asked:
                raise FormatError(
                    f"the checkpoint {fspath(path)} was taken with {name} = {identity.get(name)!r}, this run has "
                    f"{asked!r}; use the same options and corpus, or delete the checkpoint"
                )
        try:
            kept = cls(
                identity,
                Position(**stored.config["position"]),
                history_rows(stored.config["history"]),
                float(stored.config["seconds"]),
                {name: stored.arrays[name] for name in now.tables},
                stored.arrays["randomness"],
            )
        except (AttributeError, LookupError, TypeError, ValueError, ArithmeticError) as error:
            raise damaged(path, error) from error
        pairs = [(kept.randomness, now.randomness), *((kept.tables[name], now.tables[name]) for name in now.tables)]
        if not all(one.shape == other.shape and one.dtype == other.dtype for one, other in pairs):
            raise damaged(path, "sizes disagree")
        for name, table in kept.tables.items():
            model_file.check_finite(table, name, path)
        return kept


def fits_blocks(path: str | PathLike[str]) -> bool:
    """Whether the training in this file had blocks that fit its vocabulary; the first versions had one size for all."""
    return bool(_identity_in(path).get("fits_blocks", False))


def tree_ties(path: str | PathLike[str]) -> str:
    """What its Huffman tree did with equal counts, see ``huffman_tree``."""
    return "fasttext" if _identity_in(path).get("tree_ties") == "fasttext" else "heap"


def shared_negatives(path: str | PathLike[str]) -> Any:
    """How many noise words a row met in it, as the file says."""
    return _identity_in(path).get("shared_negatives")


def _identity_in(path: str | PathLike[str]) -> dict[str, Any]:
    identity = model_file.read_start(path).config.get("identity")
    return identity if isinstance(identity, dict) else {}


def damaged(path: str | PathLike[str], reason: object) -> FormatError:
    """The error for a checkpoint that cannot be one of windrow's."""
    return FormatError(f"the checkpoint {fspath(path)} is damaged ({reason}); {START_AGAIN}")
