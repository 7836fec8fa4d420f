"""Checkpoints that are written seldom, never, or cannot be: the same for every estimator that trains by the loop."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from tests.nn.training.estimators import ESTIMATORS, Case
from windrow.errors import DataWarning, OptionError
from windrow.files import model_file
from windrow.nn.training.keeping import Keeper


@pytest.fixture(params=ESTIMATORS)
def case(request: pytest.FixtureRequest) -> Case:
    return ESTIMATORS[request.param]()


def test_a_disk_that_takes_no_checkpoint_changes_nothing_else(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound, poor = case.made(epochs=3), case.made(epochs=3)
    case.fit(sound, checkpoint=tmp_path / "kept")

    replace = Path.replace

    def refuse(temporary: Path, target: Path) -> Path:
        if target.name == "lost":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return replace(temporary, target)

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.warns(DataWarning, match="without a new checkpoint: cannot write .*lost: No space left") as warned:
        case.fit(poor, checkpoint=tmp_path / "lost")

    assert len(warned) == 1
    np.testing.assert_array_equal(case.values(poor), case.values(sound))
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


@pytest.mark.parametrize(("every", "kept"), [(1, [1, 2, 3, 4, 5]), (2, [2, 4, 5]), (9, [5]), (0, [])])
def test_how_often_the_state_is_kept(
    case: Case, every: int, kept: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    keep = Keeper.keep

    def watch(keeper: Keeper) -> bool:
        done = keep(keeper)
        seen.append(len(model_file.load(keeper.path).config["history"]))
        return done

    monkeypatch.setattr(Keeper, "keep", watch)
    case.fit(case.made(epochs=5), checkpoint=tmp_path / "state", checkpoint_every=every)
    assert seen == kept


def test_a_checkpoint_is_read_though_none_is_to_be_written(case: Case, tmp_path: Path) -> None:
    whole, begun, resumed = (case.made(epochs=epochs) for epochs in (4, 2, 4))
    case.fit(whole)
    case.fit(begun, checkpoint=tmp_path / "state")
    before = (tmp_path / "state").read_bytes()
    case.fit(resumed, checkpoint=tmp_path / "state", checkpoint_every=0, resume=True)
    np.testing.assert_array_equal(case.values(resumed), case.values(whole))
    assert (tmp_path / "state").read_bytes() == before


@pytest.mark.parametrize("every", [-1, 1.5, "2", True])
def test_what_is_no_number_of_epochs_is_refused(case: Case, every: object, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="checkpoint_every = "):
        case.fit(case.made(), checkpoint=tmp_path / "state", checkpoint_every=every)
    with pytest.raises(OptionError, match="checkpoint_every = 2 is for checkpoint; give that, too"):
        case.fit(case.made(), checkpoint_every=2)
