"""Neural models that are copied, pickled, and asked in another process."""

from __future__ import annotations

import pickle
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest

from tests.lm.neural import test_recurrent, test_window
from tests.lm.neural.test_window import TRAIN, VALID
from windrow.nn.recurrent.cells import CELLS

ASK = """
import pickle, sys
from windrow.nn.recurrent.cells import CELLS
model = pickle.load(open(sys.argv[1], "rb"))
assert all(layer.cell is CELLS[model.cell] for layer in model.network_.layers)
print(model.perplexity(sys.argv[2:]))
"""


@pytest.mark.parametrize("small", [test_window.small, test_recurrent.small])
def test_copies_answer_alike(small):
    model = small().fit(TRAIN)

    for copied in (deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert np.array_equal(copied.log_probs(VALID), model.log_probs(VALID))
        assert copied.fit(TRAIN).history_[-1]["loss"] == model.history_[-1]["loss"]


def test_a_pickled_model_in_another_process(tmp_path: Path):
    """It uses the kernels that are there, and does not bring its own, which would be compiled again."""
    model = test_recurrent.small(cell="gru").fit(TRAIN)
    (tmp_path / "model").write_bytes(pickle.dumps(model))

    asked = subprocess.run(
        [sys.executable, "-c", ASK, tmp_path / "model", *VALID], capture_output=True, text=True, check=True
    )

    assert float(asked.stdout) == pytest.approx(model.perplexity(VALID), rel=1e-6)


def test_what_is_scratch_is_not_kept():
    model = test_recurrent.small().fit(TRAIN)

    assert len(pickle.dumps(model)) < 3 * model.network_.values().nbytes + 20_000
    assert all(pickle.loads(pickle.dumps(cell)) is cell for cell in CELLS.values())
