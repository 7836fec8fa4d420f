"""Digits as another hand might have written them: shifted, turned, larger or smaller, and stretched like rubber.

Source: Simard, Steinkraus & Platt 2003, "Best practices for convolutional neural networks applied to visual document
analysis".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, map_coordinates

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Distortion:
    """Draws a distortion for each image; MLPClassifier takes it as ``augmentation``.

    Each image of ``side`` x ``side`` pixels is turned by up to ``degrees`` about its center, scaled by up to the share
    ``scale``, shifted by up to ``shift`` pixels along both axes, all uniform; and every pixel is moved by ``alpha``
    times noise from -1 to 1 that a Gaussian of ``sigma`` pixels has smoothed.
    """

    side: int = 28
    shift: float = 0.0
    degrees: float = 0.0
    scale: float = 0.0
    alpha: float = 0.0
    sigma: float = 4.0

    def __call__(self, rows: Floats, rng: np.random.Generator) -> Floats:
        """Other images in place of ``rows`` (images, side * side), of that shape and within the range of its pixels.

        The images must be 0 outside of what they show: that is what moves in from beyond the edges.
        """
        images = rows.reshape(-1, self.side, self.side)
        return resample(images, self.displacements(len(images), rng)).reshape(rows.shape)

    def displacements(self, images: int, rng: np.random.Generator) -> Floats:
        """Where each pixel comes from, in pixels down and right of itself, (2, images, side, side)."""
        fields = affine_fields(
            self.side,
            np.radians(rng.uniform(-self.degrees, self.degrees, images)),
            rng.uniform(1 - self.scale, 1 + self.scale, images),
            rng.uniform(-self.shift, self.shift, (2, images)),
        )
        if self.alpha:
            noise = rng.random((2, images, self.side, self.side), dtype=np.float32)
            noise *= 2 * self.alpha
            noise -= self.alpha
            fields += smooth(noise, self.sigma)
        return fields


def affine_fields(
    side: int, angles: NDArray[np.float64], scales: NDArray[np.float64], shifts: NDArray[np.float64]
) -> Floats:
    """The displacements (2, images, side, side) that turn by ``angles`` (radians), scale and shift each image."""
    down, right = np.mgrid[:side, :side] - (side - 1) / 2  # from the center
    cosines, sines = (f(angles)[:, None, None] / scales[:, None, None] for f in (np.cos, np.sin))
    fields = np.empty((2, len(angles), side, side), np.float32)
    fields[0] = (cosines - 1) * down + sines * right - shifts[0][:, None, None]
    fields[1] = (cosines - 1) * right - sines * down - shifts[1][:, None, None]
    return fields


def smooth(fields: Floats, sigma: float) -> Floats:
    """Each field (..., side, side) after a Gaussian filter with zeros beyond the edges.

    Two products with a small matrix: scipy.ndimage's filter takes nine times as long and gives the same.
    """
    matrix = _gaussian_matrix(fields.shape[-1], sigma)
    smoothed: Floats = matrix @ fields @ matrix.T
    return smoothed


@cache
def _gaussian_matrix(side: int, sigma: float) -> Floats:
    """The one-dimensional filter as a matrix (side, side): what it makes of each unit vector."""
    return gaussian_filter1d(np.eye(side, dtype=np.float32), sigma, axis=0, mode="constant")


def resample(images: Floats, displacements: Floats) -> Floats:
    """The images (n, side, side) seen at other places, between pixels by bilinear interpolation, 0 outside."""
    count, side, _ = images.shape
    framed = np.zeros((count, side + 2, side + 2), images.dtype)
    framed[:, 1:-1, 1:-1] = images
    # All images in one tall picture: a third axis would make each pixel a sum over eight neighbors. The zeros between
    # them let no image see the next.
    places = np.clip(displacements + np.mgrid[:side, :side][:, None], -1, side) + 1.0
    places[0] += np.arange(count)[:, None, None] * (side + 2.0)
    tall = framed.reshape(-1, side + 2)
    return map_coordinates(tall, places, order=1, mode="nearest", prefilter=False, output=images.dtype)
