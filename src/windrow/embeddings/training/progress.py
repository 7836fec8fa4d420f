"""What callbacks get to see of a training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Progress:
    """How far a training of word vectors has come: the argument of its callbacks.

    Attributes
    ----------
    event : str
        "epoch" after each epoch; "words" when ``report_words`` more raw words were read, and for ``progress``.
    epoch : int
        Epochs completed.
    epochs : int
        Epochs in all.
    words : int
        Raw words read since training began, over all epochs.
    total_words : int
        Raw words of all epochs.
    loss : float
        Mean loss per center word, over this epoch so far.
    alpha : float
        The learning rate now.
    seconds : float
        Time spent in training, including that before a resumption.
    words_per_second : float
        Raw words per second since training began.

    Examples
    --------
    >>> from windrow.embeddings import Progress
    >>> progress = Progress("epoch", epoch=1, epochs=5, words=300, total_words=1500, loss=2.5, alpha=0.02, seconds=0.5)
    >>> progress.words_per_second
    600.0
    """

    event: str
    epoch: int
    epochs: int
    words: int
    total_words: int
    loss: float
    alpha: float
    seconds: float

    @property
    def words_per_second(self) -> float:
        """Raw words per second since training began."""
        return self.words / self.seconds if self.seconds > 0 else 0.0

    def to_json(self) -> dict[str, Any]:
        """All attributes as plain JSON data: a row of ``history_``, a line of a log."""
        return {**asdict(self), "words_per_second": self.words_per_second}


Callback = Callable[[Progress], object]
