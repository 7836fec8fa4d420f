"""Changes of a table of vectors: words that are added, vectors that are replaced. The names are gensim's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from windrow.embeddings.table import KeyedTable, check_distinct
from windrow.embeddings.terms import Key, numbers, texts, unchanging
from windrow.errors import OptionError, check_whole


class ChangingTable(KeyedTable):
    """A table that takes words and vectors; its norms are computed again after a change."""

    def __setitem__(self, key: Key | Sequence[Key], vector: NDArray[np.floating[Any]]) -> None:
        """Give a key another vector, or several keys the rows of a matrix; a word that is new is added."""
        if isinstance(key, str | bytes) or not isinstance(key, Iterable):
            self._set([cast(Key, key)], self._given(vector, 1)[None])
        else:
            self._set(list(key), self._given(vector, 2))

    def add_vector(self, key: str, vector: NDArray[np.floating[Any]]) -> int:
        """Add a word that is not there yet. Many words are added faster at once, by ``add_vectors``.

        Parameters
        ----------
        key : str
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
        if key in self._rows:
            raise OptionError(f"the word {key!r} has a vector already; wv[{key!r}] = vector changes it")
        self._set(texts([key]), self._given(vector, 1)[None])
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

    def unit_normalize_all(self) -> None:
        """Scale all vectors to length 1, except zero vectors; ``normalize`` gives a copy instead.

        Raises
        ------
        OptionError
            A number is not finite.
        """
        self._replace_all(self.get_normed_vectors())

    def get_vecattr(self, key: Key, attr: str) -> Any:
        """An attribute of a word: its count, or what ``set_vecattr`` gave it.

        Parameters
        ----------
        key : str or int
            A word, or a row number.
        attr : str
            "count", or the name of an attribute that was set.

        Returns
        -------
        object
            None for a word of which it was not set, while it was of another.

        Raises
        ------
        MissingWordError
            The key is unknown.
        OptionError
            No word has such an attribute.

        Examples
        --------
        >>> import numpy as np
        >>> from windrow import WordVectors
        >>> wv = WordVectors(["cat", "dog"], np.eye(2, dtype=np.float32), counts=np.array([5, 3]))
        >>> wv.set_vecattr("dog", "kind", "animal")
        >>> wv.get_vecattr("dog", "count"), wv.get_vecattr("dog", "kind")
        (3, 'animal')
        """
        row = self.get_index(key)
        if attr == "count" and self.counts is not None:
            return int(self.counts[row])
        if attr not in self._attributes:
            known = ", ".join(self._attributes) or "none"
            raise OptionError(f"attr = {attr!r} was not set for any word; set_vecattr sets it (there are: {known})")
        return self._attributes[attr].get(self._words[row])

    def set_vecattr(self, key: Key, attr: str, val: object) -> None:
        """Give a word an attribute. Files keep counts only.

        Parameters
        ----------
        key : str or int
            A word, or a row number.
        attr : str
            "count", or any other name.
        val : object
            The value; a count is a whole number, at least 0. The counts of words that have none are 0 then.

        Raises
        ------
        MissingWordError
            The key is unknown.
        OptionError
            A count is none.
        """
        row = self.get_index(key)
        if attr != "count":
            self._attributes.setdefault(attr, {})[self._words[row]] = val
            return
        counts = np.zeros(len(self), np.int64) if self.counts is None else self.counts.copy()
        counts[row] = check_whole("val", val, 0)
        self.counts = unchanging(counts, None)

    def _replace_all(self, vectors: NDArray[np.float32]) -> None:
        """Give all words other vectors, of the same shape, which nobody else writes to."""
        self._room, self._is_shared = vectors, False
        self._vectors = vectors[:]
        self._vectors.setflags(write=False)
        self._forget_norms()

    def _forget_norms(self) -> None:
        for name in ("norms", "_nonzero_norms"):
            vars(self).pop(name, None)

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
        new_rows = dict(zip(new, range(len(self), len(self) + len(new)), strict=True))
        places = [new_rows[key] if key in new_rows else self.get_index(key) for key in keys]
        check_distinct(places, {place: row for row, place in enumerate(places)})
        table = self._with_room(len(self) + len(new), changes_rows=len(new) < len(keys))
        table[places] = vectors
        table.setflags(write=False)
        if new and self.counts is not None:
            self.counts = unchanging(np.concatenate([self.counts, np.zeros(len(new), np.int64)]), None)
        self._vectors = table
        self._rows.update(new_rows)
        list.extend(self._words, new)
        self._forget_norms()

    def _with_room(self, size: int, changes_rows: bool) -> NDArray[np.float32]:
        """The first rows of an array that only this table writes to; rows that others see are copied before a change.

        There is room for an eighth more, so that words that are added one by one are seldom copied.
        """
        if self._room is None or size > len(self._room) or (self._is_shared and changes_rows):
            spare = size // 8 if size > len(self) else 0
            room = np.empty((size + spare, self.vector_size), np.float32)
            room[: len(self)] = self._vectors
            self._room, self._is_shared = room, False
        return self._room[:size]
