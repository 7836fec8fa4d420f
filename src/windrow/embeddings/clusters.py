"""Classes of words whose vectors point in similar directions, as word2vec's option -classes makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from windrow.errors import OptionError, check_whole, needs_package

if TYPE_CHECKING:
    from windrow.embeddings.vectors import WordVectors

LARGEST_SEED = 2**32 - 1


def cluster_words(vectors: WordVectors, k: int, *, seed: int = 1) -> NDArray[np.int64]:
    """Divide the words into classes: k-means of the vectors, each scaled to length 1.

    Parameters
    ----------
    vectors : WordVectors
        The words.
    k : int from 1 to the number of words
        How many classes. word2vec's examples take 500 for a large vocabulary.
    seed : int from 0 to 2**32 - 1, default 1
        Of the words that the search begins with. The same number gives the same classes.

    Returns
    -------
    array of int64, shape (words,)
        The class of each word, from 0 on: 0 is that of the first word, 1 that of the first word of another class.

    Raises
    ------
    OptionError
        ``k`` or ``seed`` is out of range, a number of the vectors is not finite, or scikit-learn is not there.

    References
    ----------
    Lloyd 1982, "Least squares quantization in PCM"; Arthur & Vassilvitskii 2007, "k-means++".

    Examples
    --------
    >>> import numpy as np
    >>> from windrow import WordVectors
    >>> from windrow.embeddings.clusters import cluster_words
    >>> wv = WordVectors(["cat", "red", "dog", "blue"], np.array([[9, 1], [0, 2], [2, 0], [1, 8]], np.float32))
    >>> cluster_words(wv, 2).tolist()
    [0, 1, 0, 1]
    """
    check_whole("seed", seed, 0, LARGEST_SEED)
    if check_whole("k", k, 1) > len(vectors):
        raise OptionError(f"k = {k}: there are {len(vectors):,} words, so no more classes; lower it")
    with needs_package("classes of words need scikit-learn", "sklearn"):
        from sklearn.cluster import KMeans
    vectors.check_finite()
    units = vectors.normalize().vectors
    classes = min(k, len(np.unique(units, axis=0)))  # of equal directions there is one
    found = KMeans(classes, n_init=1, random_state=seed).fit_predict(units)
    _, firsts, numbers = np.unique(found, return_index=True, return_inverse=True)
    rank: NDArray[np.int64] = np.argsort(np.argsort(firsts))
    return rank[numbers]
