"""Write the classifiers of this folder with fastText's own programs, and what they answer.

    python -m tests.classification.fasttext.write      # with windrow[bench], which brings a wheel of fastText

The files are kept because the tests run without fastText. `answers.json` has the probability of each label by fastText,
and the vectors of some words.
"""

from __future__ import annotations

import json
import random
import tempfile
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
TOPICS = ("food", "travel", "sport", "art")
COMMON = ("the", "a", "naïve", "東京", "and")
TEXTS = ["the food1 and art2 naïve", "never seen", "food1 food2 food3", "", "travel4 東京 sportish art1 art2"]
LIKELIEST = 20
WORDS = ["food1", "naïve", "sportish"]

_BOTH = {"wordNgrams": 2, "minn": 2, "maxn": 3, "bucket": 40}
MODELS: dict[str, dict[str, Any]] = {
    "plain.bin": {},
    "softmax.bin": _BOTH,
    "hs.bin": {"loss": "hs", **_BOTH},
    "tied.bin": {"loss": "hs"},
    "ns.bin": {"loss": "ns", **_BOTH},
    "ova.bin": {"loss": "ova", "minn": 2, "maxn": 3, "bucket": 40},
    "words.bin": {"wordNgrams": 3, "bucket": 40},
    "cut.ftz": {"wordNgrams": 2, "bucket": 500},
    "norms.ftz": {"minn": 2, "maxn": 3, "bucket": 300, "dim": 3},
    "labels.ftz": {"wordNgrams": 2, "bucket": 300},
}
RARE_LABELS = {"tied.bin": 13, "labels.ftz": 260}
QUANTIZED: dict[str, dict[str, Any]] = {
    "cut.ftz": {"cutoff": 260, "retrain": True, "epoch": 1, "dsub": 2},
    "norms.ftz": {"qnorm": True, "dsub": 2},
    "labels.ftz": {"qout": True, "cutoff": 260, "dsub": 2},
}


def lines(labels: int) -> list[str]:
    """Texts about topics, of which each is rarer than the one before; ``labels`` more have a text each."""
    draw = random.Random(1)
    found = []
    for _ in range(160):
        topic = TOPICS[min(int(draw.expovariate(0.6)), 3)]
        words = [*(f"{topic}{number}" for number in range(6)), *COMMON]
        found.append(f"__label__{topic} " + " ".join(draw.choice(words) for _ in range(6)))
    return [*found, *(f"__label__{number} the and" for number in range(labels))]


def vector_of(model: Any, word: str) -> list[float]:
    """The mean of the rows of a word; get_word_vector of some wheels divides it by its norm."""
    rows = [model.get_input_vector(row) for row in model.get_subwords(word)[1]]
    return [float(sum(column)) / len(rows) for column in zip(*map(list, rows), strict=True)]


def main() -> None:
    import fasttext

    answers = {}
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder, "text")
        for name, options in MODELS.items():
            text.write_text("\n".join(lines(RARE_LABELS.get(name, 0))) + "\n", encoding="utf-8")
            given = {"dim": 4, "lr": 0.5, **options}
            model = fasttext.train_supervised(str(text), thread=1, verbose=0, **given)
            if name in QUANTIZED:
                model.quantize(str(text), thread=1, verbose=0, **QUANTIZED[name])
            model.save_model(str(FOLDER / name))
            predicted = [model.predict(one, k=LIKELIEST) for one in TEXTS]
            answers[name] = {
                "probabilities": [
                    {label.removeprefix("__label__"): float(p) for label, p in zip(*one, strict=True)}
                    for one in predicted
                ],
                "vectors": {word: vector_of(model, word) for word in WORDS},
            }
    (FOLDER / "answers.json").write_text(json.dumps(answers, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
