"""Buckets of perplexity, as CCNet sorts web pages: the head of a sample, its middle, its tail.

Wenzek et al. 2019, "CCNet: Extracting High Quality Monolingual Datasets from Web Crawl Data", section 3.4.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import isfinite
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from windrow.errors import DataError, FormatError, OptionError, shown
from windrow.files.checksums import digits_of
from windrow.files.writing import STDIO, atomic_write

NAMES = ("head", "middle", "tail")
PERCENTILES = (30.0, 60.0)
_FORMAT, _VERSION = "windrow perplexity buckets", 1
_MOST_BYTES = 1 << 20  # of a file, and of the beginning of a model that is compared


@dataclass(frozen=True)
class PerplexityBuckets:
    """Ranges of perplexity with names, the lowest first.

    Parameters
    ----------
    cutoffs : sequence of float, each above the one before
        The highest perplexity of each bucket but the last one, which has no end. What equals a cutoff is below it.
    names : sequence of str, default ("head", "middle", "tail")
        One for each bucket: one more than cutoffs.
    percentiles : sequence of float or None, default None
        Where in a sample the cutoffs were found.
    model : dict of str to str, default {}
        What ``model_identity`` says of the model whose perplexities they are.

    Raises
    ------
    OptionError
        Cutoffs do not increase, or are as many as the names.

    Examples
    --------
    >>> from windrow.lm.buckets import PerplexityBuckets
    >>> buckets = PerplexityBuckets.fit([10, 20, 30, 40, 50, 60, 70, 80, 90, 100])
    >>> buckets.cutoffs
    (30.0, 60.0)
    >>> buckets.names_of([5, 30, 31, 1000])
    ['head', 'head', 'middle', 'tail']
    """

    cutoffs: Sequence[float]
    names: Sequence[str] = NAMES
    percentiles: Sequence[float] | None = None
    model: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.cutoffs or not _increase(self.cutoffs) or self.cutoffs[0] < 0:
            raise OptionError(f"cutoffs = {_listed(self.cutoffs)} must be numbers, each above the one before")
        if len(self.names) != len(self.cutoffs) + 1 or len(set(self.names)) < len(self.names) or "" in self.names:
            raise OptionError(
                f"names = {','.join(self.names)} must be {len(self.cutoffs) + 1} different names, one for each bucket"
            )

    @classmethod
    def fit(
        cls, perplexities: ArrayLike, percentiles: Sequence[float] = PERCENTILES, names: Sequence[str] = NAMES
    ) -> Self:
        """Buckets whose cutoffs are percentiles of a sample.

        Parameters
        ----------
        perplexities : array of float
            Of the lines or documents of the sample; NaN are left out.
        percentiles : sequence of float, each above the one before, default (30, 60)
            Above 0 and below 100. A cutoff is the lowest perplexity that so many per cent of the sample do not exceed.
        names : sequence of str, default ("head", "middle", "tail")
            One more than percentiles.

        Returns
        -------
        PerplexityBuckets

        Raises
        ------
        OptionError
            Percentiles or names are none.
        DataError
            The sample has no perplexity, too few different ones, or an infinite one as a cutoff.
        """
        if not percentiles or not _increase(percentiles) or not 0 < percentiles[0] <= percentiles[-1] < 100:
            raise OptionError(
                f"percentiles = {_listed(percentiles)} must be between 0 and 100, each above the one before"
            )
        found = np.asarray(perplexities, float).ravel()
        found = found[~np.isnan(found)]
        if not found.size:
            raise DataError("the sample has no line with a perplexity; give a larger one")
        cutoffs = tuple(np.quantile(found, np.array(percentiles) / 100, method="inverted_cdf").tolist())
        if not isfinite(cutoffs[-1]):
            raise DataError("the perplexity at a percentile of the sample is infinite; give a model with smoothing")
        if not _increase(cutoffs):
            raise DataError(
                f"percentiles {_listed(percentiles)} of the sample are the perplexities {_listed(cutoffs)}, of which "
                "some are equal; give a larger sample"
            )
        return cls(cutoffs, tuple(names), tuple(percentiles))

    def places_of(self, perplexities: ArrayLike) -> NDArray[np.intp]:
        """The number of the bucket of each perplexity, from 0; that of NaN is -1."""
        found = np.asarray(perplexities, float)
        return np.where(np.isnan(found), -1, np.searchsorted(np.array(self.cutoffs), found))

    def names_of(self, perplexities: ArrayLike) -> list[str | None]:
        """The name of the bucket of each perplexity; None for NaN."""
        names = [*self.names, None]  # the last is that of -1
        return [names[place] for place in self.places_of(perplexities).tolist()]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write them to a small JSON file, which people may edit.

        Parameters
        ----------
        path : str or path
            The file.

        Raises
        ------
        DataError
            The file cannot be written.
        """
        content = {
            "format": _FORMAT,
            "version": _VERSION,
            "buckets": list(self.names),
            "cutoffs": list(self.cutoffs),
            "percentiles": None if self.percentiles is None else list(self.percentiles),
            "model": self.model,
        }
        with atomic_write(path) as temporary:
            temporary.write_text(json.dumps(content, indent=1) + "\n", "utf-8")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Open a file of ``save``.

        Parameters
        ----------
        path : str or path
            The file.

        Raises
        ------
        FormatError
            The file is something else, or damaged.
        DataError
            The file cannot be read.
        """
        try:
            with Path(path).open("rb") as stream:
                content = json.loads(stream.read(_MOST_BYTES))
        except OSError as error:
            raise DataError(f"cannot read {path}: {error.strerror}") from error
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict) or content.get("format") != _FORMAT:
            raise FormatError(f"{path} is no file of perplexity buckets; make one with `windrow lm buckets`")
        if content.get("version") != _VERSION:
            raise FormatError(f"{path} is of version {shown(content.get('version'))}; update windrow")
        names, cutoffs, percentiles = (content.get(name) or [] for name in ("buckets", "cutoffs", "percentiles"))
        model = content.get("model")
        if not (_are(names, str) and _are(cutoffs, float) and _are(percentiles, float) and isinstance(model, dict)):
            raise FormatError(f"{path} is damaged: its fields are not as they are written; make it again")
        try:
            return cls(tuple(map(float, cutoffs)), tuple(names), tuple(map(float, percentiles)) or None, model)
        except (OptionError, OverflowError) as error:
            raise FormatError(f"{path} is damaged: {error}") from error


def model_identity(path: str | os.PathLike[str]) -> dict[str, Any]:
    """A model's file: its name, its size, and a checksum of its beginning, where windrow's have those of all parts.

    Empty for standard input.
    """
    if str(path) == STDIO:
        return {}
    file = Path(path)
    try:
        with file.open("rb") as stream:
            return {"file": file.name, "bytes": file.stat().st_size, "crc32": digits_of(stream, _MOST_BYTES)}
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error


def _increase(numbers: Sequence[float]) -> bool:
    return all(map(isfinite, numbers)) and all(low < high for low, high in pairwise(numbers))


def _are(values: Any, kind: type) -> bool:
    """Whether it is a list of texts, or of numbers, which may be whole."""
    kinds = (str,) if kind is str else (float, int)
    return isinstance(values, list) and all(type(one) in kinds for one in values)


def _listed(numbers: Sequence[float]) -> str:
    return ",".join(f"{number:g}" for number in numbers)
