"""Hooks into a training, as ``gensim.models.callbacks`` has them."""

from __future__ import annotations

from typing import Any


class CallbackAny2Vec:
    """What a training calls: inherit from it, and write the methods that you need. They do nothing here.

    Examples
    --------
    >>> from windrow.compat.gensim.models.callbacks import CallbackAny2Vec
    >>> class Counter(CallbackAny2Vec):
    ...     epochs = 0
    ...
    ...     def on_epoch_end(self, model):
    ...         self.epochs += 1
    """

    def on_train_begin(self, model: Any) -> None:
        """Called before the first epoch.

        Parameters
        ----------
        model : object
            The model that is trained.
        """

    def on_epoch_begin(self, model: Any) -> None:
        """Called before each epoch.

        Parameters
        ----------
        model : object
            The model that is trained.
        """

    def on_epoch_end(self, model: Any) -> None:
        """Called after each epoch.

        Parameters
        ----------
        model : object
            The model that is trained.
        """

    def on_train_end(self, model: Any) -> None:
        """Called after the last epoch.

        Parameters
        ----------
        model : object
            The model that is trained.
        """
