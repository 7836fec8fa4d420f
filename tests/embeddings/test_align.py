"""Tables turned to others: orthogonal Procrustes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from scipy.linalg import orthogonal_procrustes
from scipy.stats import ortho_group

import windrow
from windrow import WordVectors
from windrow.cli import main
from windrow.embeddings import derived
from windrow.errors import DataError, DataWarning, MissingWordError, OptionError

WORDS = [f"w{number}" for number in range(40)]


def table(seed: int, words: list[str] = WORDS, dim: int = 5) -> WordVectors:
    return WordVectors(words, np.random.default_rng(seed).normal(size=(len(words), dim)).astype(np.float32))


def turned(wv: WordVectors, seed: int = 1) -> WordVectors:
    """The same vectors, of other lengths and in another order, seen from elsewhere."""
    matrix = ortho_group.rvs(wv.vector_size, random_state=seed)  # half of them are reflections
    order = np.random.default_rng(seed).permutation(len(wv))
    lengths = np.random.default_rng(seed + 1).uniform(0.5, 2, (len(wv), 1))
    vectors = (lengths * wv.vectors @ matrix).astype(np.float32)
    return WordVectors([wv.index_to_key[row] for row in order], vectors[order])


@pytest.mark.parametrize("seed", range(6))
def test_what_was_only_turned_is_turned_back(seed: int) -> None:
    wv = table(seed)
    back = turned(wv, seed).align_to(wv)
    assert back.index_to_key == turned(wv, seed).index_to_key
    for word in WORDS:
        cosine = back[word] @ wv[word] / np.linalg.norm(back[word]) / np.linalg.norm(wv[word])
        assert cosine == pytest.approx(1, abs=1e-5)


def test_the_matrix_is_the_closed_form_of_the_common_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derived, "_WORDS_AT_ONCE", 7)
    first, second = table(1, [*WORDS, "only here"]), table(2, [*WORDS[::-1], "only there"])
    x, y = (wv.normalize()[WORDS].astype(np.float64) for wv in (first, second))
    matrix, _ = orthogonal_procrustes(x, y)

    aligned = first.align_to(second)

    np.testing.assert_allclose(aligned.vectors, first.vectors @ matrix, atol=1e-5)
    np.testing.assert_allclose(aligned.vectors @ aligned.vectors.T, first.vectors @ first.vectors.T, atol=1e-4)
    some = WORDS[3:20]
    x, y = (wv.normalize()[some].astype(np.float64) for wv in (first, second))
    np.testing.assert_allclose(
        first.align_to(second, some).vectors, first.vectors @ orthogonal_procrustes(x, y)[0], atol=1e-5
    )


def test_counts_and_provenance_stay() -> None:
    wv = WordVectors(WORDS, table(1).vectors, np.arange(40))
    wv.provenance = {"model": "x"}
    aligned = wv.align_to(table(2))
    assert (aligned.counts.tolist(), aligned.provenance) == (list(range(40)), {"model": "x"})


def test_what_cannot_be_aligned() -> None:
    wv = table(1)
    with pytest.raises(OptionError, match="tables of 5 and 4 dimensions cannot be aligned"):
        wv.align_to(table(2, dim=4))
    with pytest.raises(DataError, match="no word in common"):
        wv.align_to(table(2, ["x"]))
    with pytest.raises(MissingWordError, match="'x'"):
        wv.align_to(table(2), ["w1", "x"])
    with pytest.raises(OptionError, match="other must be WordVectors, not list"):
        wv.align_to([1.0])  # type: ignore[arg-type]
    with pytest.warns(DataWarning, match="3 common words do not say how to turn 5 dimensions"):
        wv.align_to(table(2), WORDS[:3])
    with pytest.raises(OptionError, match="not finite"):
        WordVectors(WORDS, np.full((40, 5), np.nan, np.float32)).align_to(wv)


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["vectors", "align", *map(str, arguments)])


def test_the_command(tmp_path: Path) -> None:
    first, second = table(1), table(2, WORDS[5:])
    first.save(tmp_path / "a.safetensors")
    second.save(tmp_path / "b.txt")
    files = (tmp_path / "a.safetensors", tmp_path / "b.txt", "-o", tmp_path / "c.safetensors")

    result = run(*files)

    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"{tmp_path / 'c.safetensors'}: 40 words, aligned by 35\n"
    written = windrow.load(tmp_path / "c.safetensors")
    np.testing.assert_allclose(written.vectors, first.align_to(second).vectors, atol=1e-6)
    (tmp_path / "words").write_text("\n".join(WORDS[5:15]))
    by_words = run(*files, "--by-words", tmp_path / "words")
    assert by_words.stderr.endswith("aligned by 10\n")
    refused = run("-", "-", "-o", tmp_path / "d.txt")
    assert (refused.exit_code, "can be read once only" in refused.stderr) == (1, True)
    assert "is read and written" in run(*files[:2], "-o", files[1]).stderr


def test_unseen_words_turn_with_the_table() -> None:
    sentences = ["the king walks", "the queen walked", "a kingdom and a queendom"] * 20
    settings: dict[str, Any] = {"vector_size": 6, "min_count": 1, "subwords": True, "epochs": 2}
    first, second = (windrow.Word2Vec(**settings, seed=seed, workers=1).fit(sentences).wv for seed in (1, 2))

    aligned = first.align_to(second)

    unseen = ["kings", "walking", "queens"]
    x = np.array([first[word] for word in [*first.index_to_key, *unseen]])
    y = np.array([aligned[word] for word in [*first.index_to_key, *unseen]])
    np.testing.assert_allclose(y @ y.T, x @ x.T, atol=1e-5)  # as they lay to each other
    assert not np.allclose(x, y, atol=1e-2)
