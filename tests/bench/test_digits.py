from __future__ import annotations

import gzip
import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, rotate, shift
from sklearn.datasets import load_digits

import digits
import mnist
from digits import RECIPES, Falling, Recipe, merged, table, train
from distortions import Distortion, affine_fields, resample, smooth
from harness import BenchError
from mnist import Digits, read_idx

STRONG = Distortion(side=8, shift=1, degrees=15, scale=0.1, alpha=8, sigma=2)


@pytest.fixture(scope="module")
def small() -> Digits:
    """scikit-learn's 1,797 digits of 8 x 8 pixels, with a frame of zeros already."""
    x, y = load_digits(return_X_y=True)
    x, y = (x / 16).astype(np.float32), y.astype(np.uint8)
    return Digits((x[:1200], y[:1200]), (x[1200:1400], y[1200:1400]), (x[1400:], y[1400:]))


def on_small(recipe: Recipe, epochs: int) -> Recipe:
    """The recipe with a tenth of its units and few epochs, for images of 8 x 8 pixels."""
    options = {**recipe.options, "epochs": epochs, "batch_size": 10}
    if options["optimizer"] != "adam":  # whose steps are as long whatever the batch
        options["learning_rate"] *= 10 / recipe.options["batch_size"]
    options["hidden_layer_sizes"] = tuple(max(30, units // 10) for units in options["hidden_layer_sizes"])
    if "augmentation" in options:
        options["augmentation"] = STRONG
    return replace(recipe, options=options)


# --- distortions


def test_no_displacement_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    rows = rng.random((5, 64), dtype=np.float32)
    np.testing.assert_array_equal(Distortion(side=8)(rows, rng), rows)


def test_distorted_images_keep_shape_and_range_and_follow_the_seed(small: Digits) -> None:
    rows = small.train[0][:50]
    first, again, other = (STRONG(rows, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.shape == rows.shape
    assert first.dtype == np.float32
    assert first.min() >= 0
    assert first.max() <= rows.max()
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1
    assert np.abs(first - rows).max() > 0.1


def test_a_shift_by_whole_pixels_moves_the_picture_and_brings_in_zeros() -> None:
    image = np.arange(1, 65, dtype=np.float32).reshape(1, 8, 8)
    fields = affine_fields(8, np.zeros(1), np.ones(1), np.array([[2.0], [-1.0]]))
    expected = np.zeros((8, 8))
    expected[2:, :-1] = image[0, :-2, 1:]
    np.testing.assert_allclose(resample(image, fields)[0], expected, rtol=1e-5)


def test_a_quarter_turn_is_that_of_numpy() -> None:
    image = np.random.default_rng(0).random((1, 8, 8), dtype=np.float32)
    fields = affine_fields(8, np.array([np.pi / 2]), np.ones(1), np.zeros((2, 1)))
    np.testing.assert_allclose(resample(image, fields)[0], np.rot90(image[0]), atol=1e-5)


@pytest.mark.parametrize("degrees", [7.0, -30.0])
def test_turns_and_shifts_are_those_of_scipy(degrees: float) -> None:
    images = np.zeros((3, 28, 28), np.float32)
    images[:, 8:-8, 8:-8] = np.random.default_rng(0).random((3, 12, 12))
    turned = resample(images, affine_fields(28, np.radians([degrees] * 3), np.ones(3), np.zeros((2, 3))))
    moved = resample(images, affine_fields(28, np.zeros(3), np.ones(3), np.array([[1.3] * 3, [-2.6] * 3])))
    for i, image in enumerate(images):
        np.testing.assert_allclose(turned[i], rotate(image, degrees, reshape=False, order=1), atol=1e-4)
        np.testing.assert_allclose(moved[i], shift(image, (1.3, -2.6), order=1), atol=1e-4)


def test_no_image_sees_its_neighbors_in_the_stack() -> None:
    images = np.ones((3, 8, 8), np.float32)
    images[1] = 0
    fields = np.full((2, 3, 8, 8), 100, np.float32)
    fields[:, 1] = np.random.default_rng(0).uniform(-30, 30, (2, 8, 8))
    assert np.abs(resample(images, fields)).max() == 0


def test_smoothing_is_the_gaussian_filter_of_scipy() -> None:
    noise = np.random.default_rng(0).random((2, 3, 28, 28), dtype=np.float32)
    expected = gaussian_filter(noise, (0, 0, 4, 4), mode="constant")
    np.testing.assert_allclose(smooth(noise, 4.0), expected, rtol=1e-5)


def test_elastic_fields_are_as_large_as_theory_says() -> None:
    fields = Distortion(side=28, alpha=34, sigma=4).displacements(400, np.random.default_rng(0))
    # Uniform noise has the deviation 1 / sqrt(3); a wide Gaussian in two dimensions divides it by 2 sqrt(pi) sigma.
    expected = 34 / np.sqrt(3) / (2 * np.sqrt(np.pi) * 4)
    assert fields[:, :, 13:15, 13:15].std() == pytest.approx(expected, rel=0.1)
    assert abs(fields[:, :, 13:15, 13:15].mean()) < 0.15


# --- reading


def idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(header + array.astype(np.uint8).tobytes(), mtime=0)  # the same bytes in every process


def test_an_idx_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    array = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)
    (tmp_path / "a.gz").write_bytes(idx(array))
    np.testing.assert_array_equal(read_idx(tmp_path / "a.gz"), array)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\0\x08\x03\0\0",
        b"\0\0\x0d\x01\0\0\0\0",
        idx(np.zeros((2, 3)))[:-12],
        gzip.compress(b"\0\0\x08\x01\0\0\0\5ab", mtime=0),
    ],
)
def test_other_files_are_refused_in_one_line(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.gz").write_bytes(data)
    with pytest.raises(BenchError, match=r"a\.gz") as refused:
        read_idx(tmp_path / "a.gz")
    assert "\n" not in str(refused.value)


def test_mnist_is_cut_so_that_the_last_images_choose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mnist, "HELD_BACK", 2)
    (tmp_path / "mnist").mkdir()
    for name, array in zip(
        mnist.FILES,
        (np.full((5, 2, 2), 51), np.arange(5), np.full((3, 2, 2), 255), np.arange(3)),
        strict=True,
    ):
        (tmp_path / name).write_bytes(idx(array))
    found = mnist.read_mnist(tmp_path)
    assert found.train[1].tolist() == [0, 1, 2]
    assert found.held_back[1].tolist() == [3, 4]
    assert found.test[1].tolist() == [0, 1, 2]
    assert found.train[0].shape == (3, 4)
    assert found.train[0][0, 0] == pytest.approx(0.2)
    assert found.test[0].max() == 1


# --- the ladder


@pytest.mark.parametrize("name", RECIPES)
def test_each_recipe_learns_the_small_digits(small: Digits, name: str) -> None:
    run = train(on_small(RECIPES[name], 6), small, seed=1)
    assert run["test"] > 80
    assert len(run["curve"]) == 6
    assert run["curve"][-1] == pytest.approx(100 - run["test"], abs=0.001)
    assert ("held_back" in run) == (not RECIPES[name].all_images)


def test_a_seed_fixes_the_result(small: Digits) -> None:
    recipe = on_small(RECIPES["expanded"], 2)
    first, again = (train(recipe, small, seed=3) for _ in range(2))
    assert first["curve"] == again["curve"]


def test_the_images_that_chose_a_recipe_are_trained_on_only_where_it_says_so(small: Digits) -> None:
    # Held-back labels that no image bears out: who trains on them does worse.
    wrong = (small.train[0][:600], (small.train[1][:600] + 1) % 10)
    spoilt = replace(small, held_back=wrong)
    recipe = on_small(RECIPES["l2"], 5)
    apart, together = (train(replace(recipe, all_images=flag), spoilt, seed=1) for flag in (False, True))
    assert apart["test"] == train(recipe, small, seed=1)["test"]
    assert together["test"] < apart["test"]


def test_a_falling_rate_ends_at_zero_along_a_line() -> None:
    assert [Falling(4)(epoch, []) for epoch in range(6)] == [1, 0.75, 0.5, 0.25, 0, 0]
    assert [Falling(4, rising=2)(epoch, []) for epoch in range(5)] == [0.5, 0.75, 0.5, 0.25, 0]


def result(adds: str, tests: list[float], published: float) -> dict:
    runs = [{"seed": i, "test": test, "cpu_seconds": 1.0, "curve": [9, 100 - test]} for i, test in enumerate(tests)]
    return {"adds": adds, "published": published, "network": "784-10", "options": {"epochs": 2}, "runs": runs}


def test_the_table_shows_the_median_of_the_seeds_and_their_spread() -> None:
    line = table({"l2": result("L2", [97.0, 98.5, 98.25], 98.0)}).splitlines()[2]
    assert line == "| L2 | 784-10 | 98.00 | 98.25 (97.00 to 98.50) | 0, 1, 2 |  | 2 | 1 |"


def test_rows_join_those_that_are_kept_in_the_order_of_the_ladder() -> None:
    old = {"dropout": result("dropout", [98.0], 98.7), "l2": result("L2", [90.0], 98.0)}
    for settings, expected in (({"epochs": None}, ["l2", "dropout"]), ({"epochs": 3}, ["l2"])):
        new = {"settings": {"epochs": None}, "results": {"l2": result("L2", [98.5], 98.0)}}
        record = merged(new, {"settings": settings, "results": old})
        assert list(record["results"]) == expected
        assert record["results"]["l2"]["runs"][0]["test"] == 98.5
        assert "90.00" not in record["table"]


def test_a_result_is_written_as_json_table_and_picture(small: Digits, tmp_path: Path) -> None:
    for name in ("expanded", "l2"):
        recipe = on_small(RECIPES[name], 2)
        record = {"question": "?", "settings": {}}
        record["results"] = {name: digits.result_of(recipe, [train(recipe, small, seed=1)], "python")}
        digits.write(record, tmp_path / "digits")
    kept = json.loads((tmp_path / "digits.json").read_text())
    assert list(kept["results"]) == ["l2", "expanded"]
    assert kept["results"]["expanded"]["options"]["augmentation"] == repr(STRONG)
    assert kept["table"] == (tmp_path / "digits.md").read_text()
    assert "| expanded training data | 784-100-100-10 |" in kept["table"]
    assert (tmp_path / "digits.png").read_bytes().startswith(b"\x89PNG")
