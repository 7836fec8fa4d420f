from __future__ import annotations

from math import exp

import pytest

from windrow.errors import OptionError
from windrow.nn import SCHEDULES, Constant, Exponential, Inverse, Plateau, Step
from windrow.nn.schedules import find_schedule


@pytest.mark.parametrize(
    ("schedule", "shares"),
    [
        (Constant(), [1, 1, 1, 1, 1]),
        (Step(every=2, factor=0.1), [1, 1, 0.1, 0.1, 0.01]),
        (Exponential(0.5), [1, exp(-0.5), exp(-1), exp(-1.5), exp(-2)]),
        (Inverse(1.0), [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5]),
    ],
)
def test_schedules_are_their_formulas(schedule, shares):
    assert [schedule(epoch, []) for epoch in range(5)] == pytest.approx(shares)


def test_a_plateau_halves_the_rate_when_the_score_has_not_risen():
    scores = [0.5, 0.7, 0.6, 0.7, 0.71, 0.7, 0.7, 0.7, 0.7, 0.9]
    plateau = Plateau(patience=2, factor=0.5)
    shares = [plateau(epoch, scores[:epoch]) for epoch in range(11)]
    #  after: nothing .5 .7 .6 .7 (2 waited) .71 .7 .7 (2 waited) .7 .7 (2 waited) .9
    assert shares == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125]


def test_a_plateau_has_a_lowest_rate():
    assert Plateau(patience=1)(99, [0.0] * 100) == 1 / 128


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_starts_with_the_whole_rate_and_never_rises(name):
    schedule = find_schedule(name)
    shares = [schedule(epoch, [0.0] * epoch) for epoch in range(60)]
    assert shares[0] == 1
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] > 0


def test_unknown_schedules_are_refused_and_callables_taken():
    assert find_schedule(schedule := lambda epoch, scores: 0.5) is schedule
    with pytest.raises(OptionError, match="'cosine' is neither callable nor one of constant, step"):
        find_schedule("cosine")
