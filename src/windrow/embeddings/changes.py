"""Changes of a table of vectors: words that are added, vectors that are replaced. The names are gensim's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.table import KeyedTable, check_distinct
from windrow.embeddings.terms import Key, numbers, texts, unchanging
from windrow.errors import OptionError


class ChangingTable(KeyedTable):
    """A table that takes words and vectors; its norms are computed again after a change."""

    def __setitem__(self, key: Key | Sequence[Key], vector: NDArray[np.floating[Any]]) -> None:
        """Give a key another vector, or several keys the rows of a matrix; a word that is new is added."""
        if isinstance(key, str | bytes) or not isinstance(key, Iterable):
            self._set([cast(Key, key)], self._given(vector, 1)[None])
        else:
            self._set(list(key), self._given(vector, 2))

    def add_vector(self, word: str, vector: NDArray[np.floating[Any]]) -> int:
        """Add a word that is not there yet. The table is copied: add many words at once, by ``add_vectors``.

        Parameters
        ----------
        word : str
            The word. That of a known word is changed by ``wv[word] = vector``.
        vector : array, shape (dimensions,)
            Its vector.

        Returns
        -------
        int
            Its row, the last one.

        Raises
        ------
        OptionError
            The word is there already, or the vector has another shape or a number that is not finite.

        Examples
        --------
        >>> import numpy as np
        >>> from windrow import WordVectors
        >>> wv = WordVectors(["cat", "dog"], np.eye(2, dtype=np.float32))
        >>> wv.add_vector("kitten", [3, 4])
        2
        """
        if word in self._rows:
            raise OptionError(f"the word {word!r} has a vector already; wv[{word!r}] = vector changes it")
        self._set(texts([word]), self._given(vector, 1)[None])
        return len(self) - 1

    def add_vectors(self, words: Sequence[str], vectors: NDArray[np.floating[Any]], replace: bool = False) -> None:
        """Add words and their vectors; all of them, or none when an error is raised. A new word has the count 0.

        Parameters
        ----------
        words : sequence of str
            Distinct words.
        vectors : array, shape (words, dimensions)
            The vector of each.
        replace : bool, default False
            Whether a word that is there already gets the new vector, or, as in gensim, keeps its own.

        Raises
        ------
        OptionError
            Words repeat or are not str, or the vectors have another shape or a number that is not finite.

        Examples
        --------
        >>> import numpy as np
        >>> from windrow import WordVectors
        >>> wv = WordVectors(["cat", "dog"], np.eye(2, dtype=np.float32))
        >>> wv.add_vectors(["dog", "kitten"], [[5, 5], [3, 4]])
        >>> wv["dog"].tolist(), wv["kitten"].tolist()
        ([0.0, 1.0], [3.0, 4.0])
        """
        given, matrix = texts(words), self._given(vectors, 2)
        if not replace and len(given) == len(matrix):
            check_distinct(given, {word: row for row, word in enumerate(given)})
            new = [row for row, word in enumerate(given) if word not in self._rows]
            given, matrix = texts(given[row] for row in new), matrix[new]
        self._set(given, matrix)

    def _given(self, vectors: object, axes: int) -> NDArray[np.float32]:
        """Vectors to take, with that many axes; OptionError for another shape or a number that is not finite."""
        matrix = numbers("vectors", vectors, np.float32)
        if matrix.ndim != axes or matrix.shape[-1] != self.vector_size:
            shape = (*["words"] * (axes - 1), self.vector_size)
            raise OptionError(f"vectors must have the shape ({', '.join(map(str, shape))}), got {matrix.shape}")
        return self._finite(matrix, "a vector")

    def _set(self, keys: Sequence[Key], vectors: NDArray[np.float32]) -> None:
        """Give known keys these vectors, and add the words that are new."""
        if len(keys) != len(vectors):
            raise OptionError(f"{len(keys)} words, {len(vectors)} vectors; give one vector per word")
        check_distinct(keys, {key: row for row, key in enumerate(keys)})
        new = texts(key for key in keys if isinstance(key, str) and key not in self._rows)
        rows = dict(self._rows) if new else self._rows
        rows.update(zip(new, range(len(self), len(self) + len(new)), strict=True))
        places = [rows[key] if isinstance(key, str) else self.get_index(key) for key in keys]
        check_distinct(places, {place: row for row, place in enumerate(places)})
        table = self._vectors
        if new:
            table = np.concatenate([table, np.empty((len(new), self.vector_size), np.float32)])
        elif self._is_shared:
            table = table.copy()
        table.setflags(write=True)
        table[places] = vectors
        table.setflags(write=False)
        if new and self.counts is not None:
            self.counts = unchanging(np.concatenate([self.counts, np.zeros(len(new), np.int64)]), None)
        self._vectors, self._is_shared, self._rows = table, False, rows
        self._words = texts([*self._words, *new]) if new else self._words
        for name in ("norms", "_nonzero_norms"):
            vars(self).pop(name, None)
