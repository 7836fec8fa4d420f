from __future__ import annotations

import numpy as np
import pytest

from windrow.lm.ngram.kernels import packed_trie as kernels


@pytest.mark.parametrize("size", [1, 2, 3, 8, 13, 100, 30_001])
def test_homes_are_slots_and_evenly_used(size):
    words = np.arange(min(4 * size, 2000))
    homes = [kernels.home(int(word), size) for word in words]

    assert 0 <= min(homes) <= max(homes) < size
    assert np.bincount(homes).max() <= max(6, 2 * words.size / size)
