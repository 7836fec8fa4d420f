"""What `windrow vectors train --recipe blend` gains over plain skip-gram, list by list, and how sure that is.

    python bench/recipe.py                                                   # wiki100m.txt, seeds 1 2 3
    python bench/recipe.py --text wikitext-2/train.txt --epochs 20 -o bench/results/recipe_small
    python bench/recipe.py --size 300 --seeds 1 -o bench/results/recipe_300

Reads the text, analogy/ and wordsim/ under $WINDROW_DATA. Each seed trains plain skip-gram, and the recipe with and
without --favor relatedness, which share one training; all read the text equally often.

A difference has a standard error of two parts, whose squares add up: that over the items of a list, by a paired
bootstrap (questions with the same expected pair stay together), and that over the seeds. "below" is a difference under
-2 of them. The recipe's numbers were chosen on one half of each list, that of pairs whose hash is even; the last
columns are those of the other half alone.
"""

from __future__ import annotations

import argparse
import os
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from data import COMMON, MODES, QUESTIONS, TEXT, write_lines
from harness import RESULTS, data_folder, header, script, session, write_json
from windrow import Corpus, Word2Vec, WordVectors
from windrow.embeddings.recipes import blend_with_counts, trained_size
from windrow.evaluation import evaluate_analogies, read_pairs, read_questions
from windrow.evaluation.analogy import Section

FREQUENT = 30_000  # words that count as frequent, the first ones
RARE = 100  # occurrences below which a word is rare
FIRST_VERB = 777  # of the lines of SimLex-999, after 111 adjectives and 666 nouns
RESAMPLES = 200
FEWEST = 20  # items of a list
PLAIN, RECIPE, FAVORING = "skip-gram", "recipe", "favoring relatedness"
NAMES = {"ws353": "WS-353", "simlex999": "SimLex", "men3000_natural": "MEN"}
WHOLE, HELD_BACK = "whole", "held back"


class Answers(NamedTuple):
    """What vectors answer to the items of a list; ``human`` scores are there where the answers are cosines."""

    given: NDArray[np.float64]
    human: NDArray[np.float64] | None
    groups: NDArray[np.intp]  # items of one number stay together when items are drawn
    is_held_back: NDArray[np.bool_]

    def at(self, chosen: NDArray[np.bool_]) -> Answers:
        """Those to some of the items."""
        human = None if self.human is None else self.human[chosen]
        return Answers(self.given[chosen], human, self.groups[chosen], self.is_held_back[chosen])

    def of(self, part: str) -> Answers:
        """Those to the items of a part of the list."""
        return self if part == WHOLE else self.at(self.is_held_back)

    def score(self, items: NDArray[np.intp] | slice = slice(None)) -> float:
        """The fraction of right answers, or Spearman's correlation with the human scores."""
        if self.human is None:
            return float(self.given[items].mean())
        return float(np.corrcoef(rankdata(self.given[items]), rankdata(self.human[items]))[0, 1])


def is_held_back(*words: str) -> bool:
    """Whether an item belongs to the half on which nothing was chosen."""
    return bool(zlib.crc32(" ".join(sorted(word.lower() for word in words)).encode()) % 2)


# --- what is asked


def answers(wv: WordVectors, data: Path) -> dict[str, Answers]:
    """What word vectors answer to each list; of a list of which they know too little, nothing."""
    found: dict[str, Answers] = {}
    asked = [
        (section.name, (a.lower(), b.lower(), c.lower(), d.lower()))
        for section in read_questions(data / QUESTIONS)
        for a, b, c, d in section.questions
    ]
    known = [(name, words) for name, words in asked if all(map(wv.has_index_for, words))]
    usual = [(name, words) for name, words in known if max(map(wv.get_index, words)) < FREQUENT]
    found["analogies"] = all_usual = _analogies(wv, [words for _, words in usual], FREQUENT)
    is_grammar = np.array([name.startswith("gram") for name, _ in usual], np.bool_)
    found["analogies, semantic"] = all_usual.at(~is_grammar)
    found["analogies, grammar"] = all_usual.at(is_grammar)
    rarer = [words for _, words in known if max(map(wv.get_index, words)) >= FREQUENT]
    found["analogies with rarer words"] = _analogies(wv, rarer, None)
    for file, name in NAMES.items():
        pairs = [(a.lower(), b.lower(), score) for a, b, score in read_pairs(data / "wordsim" / f"{file}.tsv")]
        is_verb = np.arange(len(pairs)) >= FIRST_VERB
        is_known = np.array([wv.has_index_for(a) and wv.has_index_for(b) for a, b, _ in pairs], np.bool_)
        pairs = [pair for pair, usable in zip(pairs, is_known, strict=True) if usable]
        rows = np.array([[wv.get_index(a), wv.get_index(b)] for a, b, _ in pairs], np.intp).reshape(-1, 2)
        every = _cosines(wv, rows, pairs)
        found[name] = every.at(rows.max(axis=1) < FREQUENT)
        found[f"{name}, all words"] = every
        if file == "simlex999":
            found["SimLex, verbs"] = every.at(is_verb[is_known])
        if file == "men3000_natural" and wv.counts is not None:
            found["MEN, rare words"] = every.at(wv.counts[rows].min(axis=1) < RARE)
    return {name: given for name, given in found.items() if len(given.given) >= FEWEST}


def _analogies(wv: WordVectors, questions: list[tuple[str, str, str, str]], restrict_vocab: int | None) -> Answers:
    if not questions:
        return Answers(np.empty(0), None, np.empty(0, np.intp), np.empty(0, np.bool_))
    result = evaluate_analogies(
        [Section("all", tuple(questions))], wv.index_to_key, wv.vectors, restrict_vocab=restrict_vocab
    )
    right = {tuple(word.lower() for word in question) for question in result.overall.correct}
    return Answers(
        np.array([question in right for question in questions], np.float64),
        None,
        _numbered([question[2:] for question in questions]),
        np.array([is_held_back(*question[2:]) for question in questions], np.bool_),
    )


def _cosines(wv: WordVectors, rows: NDArray[np.intp], pairs: list[tuple[str, str, float]]) -> Answers:
    first, second = (wv.vectors[column].astype(np.float64) for column in rows.T)
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return Answers(
        (first * second).sum(axis=1) / lengths,
        np.array([score for *_, score in pairs]),
        np.arange(len(pairs)),
        np.array([is_held_back(a, b) for a, b, _ in pairs], np.bool_),
    )


def _numbered(names: Sequence[tuple[str, ...]]) -> NDArray[np.intp]:
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], np.intp)


# --- what it says


class Difference(NamedTuple):
    """How much higher one side's score is, the mean over seeds, with standard errors."""

    mean: float
    of_items: float
    of_seeds: float  # 0 with one seed

    @property
    def standard_error(self) -> float:
        """The two together."""
        return float(np.hypot(self.of_items, self.of_seeds))


def difference(first: Sequence[Answers], second: Sequence[Answers]) -> Difference:
    """The difference of two sides, a seed for each of their answers to one list, second minus first."""
    gains = [after.score() - before.score() for before, after in zip(first, second, strict=True)]
    groups = first[0].groups
    order = np.argsort(groups, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    dice = np.random.default_rng(1)
    drawn = []
    for _ in range(RESAMPLES):
        items = np.concatenate([members[group] for group in dice.integers(0, len(members), len(members))])
        drawn.append(
            mean(after.score(items) - before.score(items) for before, after in zip(first, second, strict=True))
        )
    of_seeds = stdev(gains) / len(gains) ** 0.5 if len(gains) > 1 else 0.0
    return Difference(mean(gains), stdev(drawn), of_seeds)


def results_of(runs: dict[str, list[dict[str, Answers]]]) -> dict[str, dict[str, Any]]:
    """Of each list: how many items there are, and per side the mean scores and the differences from plain skip-gram."""
    found: dict[str, dict[str, Any]] = {}
    for name in runs[PLAIN][0]:
        row: dict[str, Any] = {"items": len(runs[PLAIN][0][name].given)}
        for side, seeds in runs.items():
            row[side] = {"score": mean(answered[name].score() for answered in seeds)}
            for part in (WHOLE, HELD_BACK) if side != PLAIN else ():
                sides = ([answered[name].of(part) for answered in runs[one]] for one in (PLAIN, side))
                row[side][part] = difference(*sides)._asdict()
        found[name] = row
    return found


def table(results: dict[str, dict[str, Any]], seconds: dict[str, float]) -> str:
    """A row per list, and one with the processor seconds of one seed."""
    gained = [cell for side in (RECIPE, FAVORING) for cell in (side, "difference", HELD_BACK)]
    lines = [f"| | items | {PLAIN} | {' | '.join(gained)} |", f"|---|{'---:|' * 8}"]
    for name, row in results.items():
        shown = _percent if name.startswith("analogies") else _correlation
        cells = [f"{row['items']:,}", shown(row[PLAIN]["score"])]
        for side in (RECIPE, FAVORING):
            cells.append(shown(row[side]["score"]))
            cells += [_shown_difference(Difference(**row[side][part]), shown) for part in (WHOLE, HELD_BACK)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    times = [f"{seconds[side]:.0f}" for side in (PLAIN, RECIPE, FAVORING)]
    lines.append(f"| processor seconds | | {times[0]} | {times[1]} | | | {times[2]} | | |")
    return "\n".join(lines) + "\n"


def _percent(value: float, sign: str = "") -> str:
    return f"{100 * value:{sign}.1f}"


def _correlation(value: float, sign: str = "") -> str:
    return f"{value:{sign}.3f}"


def _shown_difference(gain: Difference, shown: Callable[..., str]) -> str:
    is_below = gain.mean < -2 * gain.standard_error
    return f"{shown(gain.mean, '+')} ± {shown(gain.standard_error)}" + " **below**" * is_below


# --- the runs


def train(corpus: Corpus, size: int, epochs: int, workers: int, seed: int) -> dict[str, tuple[WordVectors, float]]:
    """The vectors of each side, and the processor seconds that they took."""
    options: dict[str, Any] = {**COMMON, **MODES["skipgram-ns"], "epochs": epochs, "workers": workers, "seed": seed}
    started = time.process_time()
    plain = Word2Vec(**{**options, "vector_size": size}).fit(corpus)
    found = {PLAIN: (plain.wv, time.process_time() - started)}
    started = time.process_time()
    model = Word2Vec(**{**options, "vector_size": trained_size(size, corpus)}).fit(corpus)
    trained = time.process_time() - started
    for side, favor in ((RECIPE, None), (FAVORING, "relatedness")):
        started = time.process_time()
        found[side] = (blend_with_counts(model, corpus, size, favor), trained + time.process_time() - started)
    return found


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("WINDROW_DATA"), help="default: $WINDROW_DATA")
    parser.add_argument("--text", default=TEXT, help=f"a file under it (default: {TEXT})")
    parser.add_argument("--words", type=int, help="of the text (default: all)")
    parser.add_argument("--size", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "recipe")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    data = data_folder(arguments, arguments.text, QUESTIONS, *(f"wordsim/{name}.tsv" for name in NAMES))
    names = ("text", "size", "epochs", "workers", "seeds")
    record = header("What the recipe gains", {**COMMON, **{name: getattr(arguments, name) for name in names}})
    runs: dict[str, list[dict[str, Answers]]] = {side: [] for side in (PLAIN, RECIPE, FAVORING)}
    seconds: dict[str, list[float]] = {side: [] for side in runs}
    with session(measures_time=False) as folder:
        lines = data / arguments.text
        if arguments.text == TEXT or arguments.words:  # that text is one line
            lines = folder / "lines.txt"
            write_lines(data / arguments.text, lines, arguments.words)
        corpus = Corpus.build(lines, folder / "corpus", lowercase=True)
        for seed in arguments.seeds:
            trained = train(corpus, arguments.size, arguments.epochs, arguments.workers, seed)
            for side, (vectors, spent) in trained.items():
                runs[side].append(answers(vectors, data))
                seconds[side].append(spent)
                told = {name: round(given.score(), 4) for name, given in runs[side][-1].items()}
                print(f"seed {seed}, {side}:", told, flush=True)
    results = results_of(runs)
    text = table(results, {side: mean(spent) for side, spent in seconds.items()})
    write_json({**record, "results": results, "seconds": seconds, "table": text}, arguments.output)
    arguments.output.with_name(arguments.output.name + ".md").write_text(text)
    print(text)


if __name__ == "__main__":
    script(main)
