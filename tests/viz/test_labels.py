from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from windrow.viz.labels import place_labels

BOUNDS = (0.0, 0.0, 400.0, 300.0)
GAP = 4.0


def box(center: np.ndarray, size: np.ndarray) -> tuple[float, float, float, float]:
    (x, y), (width, height) = center, size
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


@given(
    st.lists(
        st.tuples(
            st.floats(20, 380),
            st.floats(20, 280),
            st.floats(5, 120),
        ),
        min_size=1,
        max_size=25,
    )
)
@example([tuple(row) for row in np.random.default_rng(1).uniform((150, 100, 20), (250, 200, 80), (40, 3)).tolist()])
@settings(max_examples=60, deadline=None)
def test_labels_cover_no_label_no_point_no_leader_line_and_stay_inside(
    labels: list[tuple[float, float, float]],
) -> None:
    points = np.array([label[:2] for label in labels])
    sizes = np.array([[width, 12.0] for _, _, width in labels])
    placements = place_labels(points, sizes, BOUNDS, gap=GAP, reach=60)
    boxes = [box(place.center, size) for place, size in zip(placements, sizes, strict=True) if place is not None]
    for left, bottom, right, top in boxes:
        assert left >= 0
        assert bottom >= 0
        assert right <= 400
        assert top <= 300
        assert not any(left < x < right and bottom < y < top for x, y in points)
    for one, two in combinations(boxes, 2):
        apart = one[2] <= two[0] or two[2] <= one[0] or one[3] <= two[1] or two[3] <= one[1]
        assert apart
    for place, start in zip(placements, points, strict=True):
        if place is None or place.leader_end is None:
            continue
        # Lines are kept apart as rows of points, 3 pixels from one to the next: a corner may be cut by less.
        for x, y in np.linspace(start, place.leader_end, 30):
            inner = [(left + 2, bottom + 2, right - 2, top - 2) for left, bottom, right, top in boxes]
            assert not any(left < x < right and bottom < y < top for left, bottom, right, top in inner)


def test_a_label_beside_its_point_is_nearer_to_it_than_to_another() -> None:
    points = np.random.default_rng(4).uniform((50, 50), (350, 250), size=(60, 2))
    sizes = np.tile([[40.0, 10.0]], (60, 1))
    placements = place_labels(points, sizes, BOUNDS, gap=GAP, reach=40)
    beside = [
        (row, place.center) for row, place in enumerate(placements) if place is not None and place.leader_end is None
    ]
    assert len(beside) > 20
    for row, center in beside:
        left, bottom, right, top = box(center, sizes[row])
        distances = np.linalg.norm(points - np.clip(points, (left, bottom), (right, top)), axis=1)
        apart = np.linalg.norm(points - points[row], axis=1) > GAP
        assert distances[row] < distances[apart].min()


def test_with_insist_every_label_gets_a_place_that_overlaps_none() -> None:
    points = np.tile([[200.0, 150.0]], (60, 1)) + np.random.default_rng(2).normal(size=(60, 2))
    sizes = np.tile([[60.0, 12.0]], (60, 1))
    placements = place_labels(points, sizes, BOUNDS, gap=GAP, reach=40, insist=True)
    boxes = [box(place.center, sizes[0]) for place in placements if place is not None]
    assert len(boxes) == 60
    for one, two in combinations(boxes, 2):
        assert one[2] <= two[0] or two[2] <= one[0] or one[3] <= two[1] or two[3] <= one[1]


def test_a_lone_label_stands_right_of_its_point() -> None:
    (place,) = place_labels(np.array([[100.0, 100]]), np.array([[40.0, 10]]), BOUNDS, gap=GAP, reach=60)
    assert place is not None
    assert place.leader_end is None
    assert place.center.tolist() == [100 + GAP + 20, 100]


def test_at_the_right_edge_it_stands_left() -> None:
    (place,) = place_labels(np.array([[395.0, 100]]), np.array([[40.0, 10]]), BOUNDS, gap=GAP, reach=60)
    assert place is not None
    assert place.center.tolist() == [395 - GAP - 20, 100]


def test_the_first_labels_come_first_and_a_moved_one_gets_a_leader_line() -> None:
    points = np.tile([[200.0, 150.0]], (30, 1))
    sizes = np.tile([[60.0, 12.0]], (30, 1))
    near = place_labels(points, sizes, BOUNDS, gap=GAP, reach=5)
    far = place_labels(points, sizes, BOUNDS, gap=GAP, reach=400)
    drawn = [place is not None for place in near]
    assert drawn == sorted(drawn, reverse=True)
    assert 2 <= sum(drawn) < 30
    moved = [place for place in far if place is not None and place.leader_end is not None]
    assert len(moved) > 5
    assert sum(place is not None for place in far) > sum(drawn)
    for place in moved:
        left, bottom, right, top = box(place.center, sizes[0])
        x, y = place.leader_end
        assert left <= x <= right
        assert bottom <= y <= top
