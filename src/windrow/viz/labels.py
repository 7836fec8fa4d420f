"""Positions for the labels of points, such that no label covers another, a point, or a leader line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Positions beside the point, best first; 1 is where the label touches it with an edge or corner.
_SIDES = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 0.5), (1, -0.5), (-1, 0.5), (-1, -0.5)]
_CORNERS = [(0.5, 1), (-0.5, 1), (0.5, -1), (-0.5, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)]
_BESIDE = np.array(_SIDES + _CORNERS, np.float64)
_ANGLES = 2 * np.pi * np.arange(16) / 16
_AROUND = np.column_stack([np.cos(_ANGLES), np.sin(_ANGLES)])
_RING_STEP = 0.7  # distance between rings of candidates, in label heights
_LEADER_STEP = 0.25  # distance between the points that represent a leader line, in label heights

Array = NDArray[np.float64]


class Placement(NamedTuple):
    """The center of a label, (2,), and the end of its leader line at the label, (2,), or None if it needs no line."""

    center: Array
    leader_end: Array | None


def place_labels(
    points: Array, sizes: Array, bounds: Sequence[float], *, gap: float, reach: float, insist: bool = False
) -> list[Placement | None]:
    """A place for each label, in the order of the points; None where there is no space.

    For each label, places at increasing distance are tried in turn. All lengths are in pixels.

    Parameters
    ----------
    points, sizes : arrays, shape (points, 2)
        Positions of points; widths and heights of labels.
    bounds : left, bottom, right, top
        Labels stay within these.
    gap : float
        Distance from a point to its label.
    reach : float
        How far a label may be moved from its point; it then has a leader line.
    insist : bool, default False
        Place the labels that are left anywhere within the bounds, with leader lines that may cross anything.
    """
    scene = _Scene(points, np.asarray(bounds, np.float64), gap)
    placements = [_first_free(scene, point, size, reach) for point, size in zip(points, sizes, strict=True)]
    if insist:
        scene.obstacles, farthest = points, bounds[2] - bounds[0] + bounds[3] - bounds[1]
        for index in [index for index, place in enumerate(placements) if place is None]:
            placements[index] = _first_free(scene, points[index], sizes[index], farthest, cross=True)
    return placements


class _Scene:
    """What is already drawn: points, labels, and leader lines, as points along them."""

    def __init__(self, points: Array, bounds: Array, gap: float) -> None:
        self.points = points
        self.bounds = bounds
        self.gap = gap
        self.boxes = np.empty((0, 4))
        self.obstacles = points  # what no label may cover

    def is_free(self, candidates: Array) -> NDArray[np.bool_]:
        """Which boxes (candidates, 4) are within the bounds and cover nothing."""
        low, high, bounds = candidates[:, :2], candidates[:, 2:], self.bounds
        inside = _both((low >= bounds[:2]) & (high <= bounds[2:]))
        margin = np.array([-self.gap, -self.gap, self.gap, self.gap]) / 2
        covers = _contain(candidates + margin, self.obstacles).any(1)
        overlaps = _both((low[:, None] < self.boxes[:, 2:]) & (self.boxes[:, :2] < high[:, None])).any(1)
        return inside & ~covers & ~overlaps

    def is_clear(self, line: Array) -> bool:
        """Whether a leader line, (steps, 2), crosses no label and comes near no point but its own."""
        away = np.linalg.norm(line[:, None] - self.points, axis=2)  # (steps, points)
        others = away[0] > self.gap
        return not _contain(self.boxes, line).any() and bool((away[:, others] > 0.8 * self.gap).all())

    def is_nearest(self, point: Array, box: Array) -> bool:
        """Whether a label's own point is the nearest to it; points that coincide with that one do not count."""
        away = np.linalg.norm(np.maximum(0, np.maximum(box[:2] - self.points, self.points - box[2:])), axis=1)
        others = np.linalg.norm(self.points - point, axis=1) > self.gap
        own = np.linalg.norm(point - np.clip(point, box[:2], box[2:]))
        return bool((away[others] > own).all())

    def add(self, box: Array, line: Array | None) -> None:
        self.boxes = np.vstack([self.boxes, box])
        if line is not None:
            self.obstacles = np.vstack([self.obstacles, line])


def _first_free(scene: _Scene, point: Array, size: Array, reach: float, cross: bool = False) -> Placement | None:
    centers = _candidates(point, size, scene.gap, reach)
    boxes = np.hstack([centers - size / 2, centers + size / 2])
    for index in np.flatnonzero(scene.is_free(boxes)):
        box = boxes[index]
        if index < len(_BESIDE):
            if scene.is_nearest(point, box):
                scene.add(box, None)
                return Placement(centers[index], None)
            continue
        end = np.clip(point, box[:2], box[2:])
        steps = max(2, int(np.linalg.norm(end - point) / (_LEADER_STEP * size[1])))
        line = np.linspace(point, end, steps)
        if cross or scene.is_clear(line):
            scene.add(box, None if cross else line)
            return Placement(centers[index], end)
    return None


def _candidates(point: Array, size: Array, gap: float, reach: float) -> Array:
    """Centers of possible labels, (candidates, 2): those beside the point, then rings of increasing distance."""
    step = _RING_STEP * size[1]
    distances = np.arange(gap + step, reach, step)
    directions = np.vstack([_BESIDE, np.tile(_AROUND, (len(distances), 1))])
    away = np.concatenate([np.full(len(_BESIDE), gap), np.repeat(distances, len(_AROUND))])
    centers: Array = point + directions * (size / 2 + away[:, None])
    return centers


def _contain(boxes: Array, points: Array) -> NDArray[np.bool_]:
    """Whether each box holds each point, (boxes, points)."""
    return _both((boxes[:, None, :2] < points) & (points < boxes[:, None, 2:]))


def _both(holds: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether something is true for both x and y, which are the last axis."""
    return holds[..., 0] & holds[..., 1]
