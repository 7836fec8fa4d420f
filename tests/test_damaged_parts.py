"""Files whose parts are not what they should be: each is refused in one line, or gives a model that answers."""

from __future__ import annotations

import copy
import random
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import windrow
from windrow.errors import WindrowError
from windrow.files import model_file
from windrow.files.model_file import StoredModel
from windrow.lm.cache import CacheLM

Other = tuple[str, Any]  # what has been changed, and the part with the change
VALUES: list[Any] = [None, True, -1, 2**40, 0.5, float("inf"), "x", [], ["x"], [[-1]], {}]
FASTTEXT = Path(__file__).parent / "classification" / "fasttext"
TEXT = ["the cat sat on the mat", "the dog sat", "a cat ran"] * 6
TAGGED = [(["Ann", "saw", "Rome"], ["B-PER", "O", "B-LOC"]), (["it", "rains"], ["O", "O"])] * 4


def vectors() -> Any:
    return windrow.Word2Vec(vector_size=4, min_count=1, epochs=1, sample=0, seed=1).fit(TEXT).wv


def score_and_write(model: Any) -> Any:
    model.save("model.arpa")
    return model.log_prob("the cat")


def continue_training(_: Any) -> None:
    model = windrow.Word2Vec.load("m")
    if set(model.layer_names()) == set(model.output_tables_):
        model.set_params(epochs=1, workers=1).fit(TEXT[:2], continue_from=model)


def trained_with_subwords() -> Any:
    options = {"vector_size": 4, "min_count": 1, "epochs": 1, "sample": 0, "workers": 1, "loss": "hs"}
    return windrow.Word2Vec(**options, subwords=True, max_n=3, buckets=50).fit(TEXT[:2])


MOST_TRIALS = 120  # of each, where every one is a training


def few(kind: str, others: list[Other]) -> list[Other]:
    """Some of the changed parts, the same ones each time."""
    return random.Random(kind).sample(others, min(len(others), MOST_TRIALS))


KINDS: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "vectors": (vectors, lambda model: model.most_similar("cat")),
    "subwords": (
        lambda: (
            windrow.Word2Vec(vector_size=4, min_count=1, epochs=1, sample=0, subwords=True, max_n=3).fit(TEXT[:3]).wv
        ),
        lambda model: model.most_similar("cats"),
    ),
    "phrases": (
        lambda: windrow.Phrases(min_count=1, threshold=0.5, connector_words=["the"]).fit(TEXT),
        lambda model: model.transform(TEXT),
    ),
    "training": (
        lambda: windrow.Word2Vec(vector_size=4, min_count=1, hs=1, epochs=1, sample=0, workers=1).fit(TEXT[:3]),
        continue_training,
    ),
    "training with sub-words": (trained_with_subwords, continue_training),
    "ngram": (lambda: windrow.NGramLM(3, "witten-bell").fit(TEXT), score_and_write),
    "window": (lambda: windrow.WindowLM(2, 4, 4, epochs=1).fit(TEXT), lambda model: model.log_prob("the cat")),
    "recurrent": (lambda: windrow.RecurrentLM("gru", 4, 4, epochs=1).fit(TEXT), lambda model: model.log_prob("the")),
    "mixture": (
        lambda: windrow.MixtureLM([windrow.NGramLM(n, "witten-bell").fit(TEXT) for n in (1, 2)]),
        lambda model: model.log_prob("the cat"),
    ),
    "cache": (
        lambda: CacheLM(windrow.NGramLM(1, "witten-bell").fit(TEXT).vocabulary, 12),
        lambda model: model.log_prob("the cat"),
    ),
    "classifier": (
        lambda: windrow.TextClassifier(4, 2, max_n=2, buckets=30, epochs=1).fit(TEXT[:3], ["x", "y", "y"]),
        lambda model: (model.top_labels(["the cat", "bats sat"]), model.save("again")),
    ),
    "classifier of 8 bits": (
        lambda: windrow.TextClassifier.load(FASTTEXT / "tied.bin").quantized(),
        lambda model: (model.top_labels(["the cat", "bats sat"]), model.save("again")),
    ),
    "tagger": (
        lambda: windrow.WindowTagger(vector_size=4, hidden_size=4, epochs=1).fit(TAGGED),
        lambda model: model.predict([["Ann", "saw", "Rome"]]),
    ),
}


def stored(kind: str, folder: Path) -> StoredModel:
    path = folder / kind
    if not path.exists():
        KINDS[kind][0]().save(path)
    found = model_file.load(path)
    return StoredModel(found.kind, found.config, found.provenance, {n: np.array(a) for n, a in found.arrays.items()})


def other_configs(config: Any) -> Iterator[Other]:
    """The configuration with one value changed or gone, on all levels."""
    items = config.items() if isinstance(config, dict) else enumerate(config) if isinstance(config, list) else ()
    first = 1 if isinstance(config, list) and config and isinstance(config[0], dict) else 40  # of rows that are alike
    for key, value in list(items)[:first]:
        for other in VALUES:
            changed = copy.copy(config)
            changed[key] = other
            yield f"{key}={other!r}", changed
        for said, inner in other_configs(value):
            changed = copy.copy(config)
            changed[key] = inner
            yield f"{key}.{said}", changed
        if isinstance(config, dict):
            yield f"no {key}", {name: value for name, value in config.items() if name != key}


def other_arrays(arrays: dict[str, Any]) -> Iterator[Other]:
    """The arrays with one of another shape or type, or gone."""
    for name, array in arrays.items():
        flat = array.reshape(-1)
        others = [
            flat[None, :, None],
            flat[:0],
            flat[:-1],
            np.repeat(flat, 2),
            array.astype(np.float64),
            flat.view(np.uint8),
        ]
        for other in others:
            yield f"{name} {other.dtype}{other.shape}", {**arrays, name: other}
        yield f"no {name}", {key: value for key, value in arrays.items() if key != name}


@pytest.fixture(autouse=True)
def without_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of files are written here, which need not survive a failure of power."""
    monkeypatch.setattr("os.fsync", lambda file: None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sound")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", ["config", "arrays", "provenance"])
def test_a_part_that_is_not_what_it_should_be(
    kind: str, part: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sound, answer = stored(kind, folder), KINDS[kind][1]
    others = list(other_arrays(sound.arrays) if part == "arrays" else other_configs(getattr(sound, part)))
    asked = {said for said, _ in (few(kind, others) if answer is continue_training else others)}
    refused = 0
    for said, other in others:
        parts = {"config": sound.config, "provenance": sound.provenance, "arrays": sound.arrays, part: other}
        model_file.save(tmp_path / "m", sound.kind, parts["arrays"], parts["config"], parts["provenance"])
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model = windrow.load(tmp_path / "m")
                if said in asked:
                    answer(model)
                else:
                    windrow.Word2Vec.load("m")
        except WindrowError as error:
            refused += 1
            assert "\n" not in str(error), said
        except Exception as error:
            pytest.fail(f"{said}: {type(error).__name__}: {error}")
    assert part == "provenance" or refused > 5


EPOCHS: dict[str, Any] = {"epochs": 3}
TRAININGS: dict[str, tuple[Callable[[], Any], tuple[Any, ...]]] = {
    "word2vec": (
        lambda: windrow.Word2Vec(vector_size=4, min_count=1, sample=0, seed=1, workers=1, **EPOCHS),
        (TEXT,),
    ),
    "word2vec-pairs": (
        lambda: windrow.Word2Vec(vector_size=4, min_count=1, sample=0, workers=1, kernel="pair", **EPOCHS),
        (TEXT,),
    ),
    "recurrent": (lambda: windrow.RecurrentLM("gru", 4, 4, **EPOCHS), (TEXT,)),
    "window": (lambda: windrow.WindowLM(2, 4, 4, schedule="plateau", **EPOCHS), (TEXT,)),
    "tagger": (lambda: windrow.WindowTagger(vector_size=4, hidden_size=4, **EPOCHS), (TAGGED,)),
    "mlp": (
        lambda: windrow.MLPClassifier((3,), random_state=1, early_stopping=True, **EPOCHS),
        (np.arange(60.0).reshape(20, 3) / 60, np.arange(20) % 2),
    ),
}


def interrupt(report: Any, *network: Any) -> None:
    if report.epoch > 1:
        raise KeyboardInterrupt


@pytest.mark.parametrize("kind", TRAININGS)
@pytest.mark.parametrize("part", ["config", "arrays"])
def test_a_checkpoint_of_which_a_part_is_not_what_it_should_be(kind: str, part: str, tmp_path: Path) -> None:
    checkpoint, (make, data) = tmp_path / "checkpoint", TRAININGS[kind]
    with pytest.raises(KeyboardInterrupt):
        make().set_params(callbacks=[interrupt]).fit(*data, checkpoint=checkpoint)
    found = model_file.load(checkpoint)
    sound = StoredModel(found.kind, found.config, {}, {name: np.array(array) for name, array in found.arrays.items()})
    refused, others = 0, list(other_arrays(sound.arrays) if part == "arrays" else other_configs(sound.config))
    for said, other in few(kind, others):
        parts = {"config": sound.config, "arrays": sound.arrays, part: other}
        model_file.save(checkpoint, sound.kind, parts["arrays"], parts["config"])
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                make().fit(*data, checkpoint=checkpoint, resume=True)
        except WindrowError as error:
            refused += 1
            assert "\n" not in str(error), said
        except Exception as error:
            pytest.fail(f"{said}: {type(error).__name__}: {error}")
    assert refused > 5
