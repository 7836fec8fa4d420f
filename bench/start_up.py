"""What does starting cost: the first training ever, ``import windrow``, ``windrow --help``?

    python bench/start_up.py

"cold" begins with an empty folder for compiled kernels, "warm" with one that holds them; each imports windrow and
trains on a few words in a new process.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time

from data import COMMON, MODES
from harness import Case, Figures, Measure, Side, argument_parser, measure, prepare, script, session, write_result
from peers import TINY


def train_first(mode: str, cache: str | None) -> Figures:
    """Train on a few words, with kernels from ``cache`` or, without one, compiled now."""
    with tempfile.TemporaryDirectory() as empty:
        os.environ["WINDROW_CACHE_DIR"] = cache or empty
        started = time.perf_counter()
        from windrow import Word2Vec

        Word2Vec(**{**COMMON, **MODES[mode], "min_count": 1, "epochs": 1, "workers": 1}).fit(TINY)
        return {"seconds": time.perf_counter() - started}


def main() -> None:
    parser = argument_parser(__doc__, "start_up")
    parser.add_argument("--modes", nargs="*", choices=MODES, default=list(MODES))
    parser.add_argument("--start-rounds", type=int, default=20, help="for import and --help (default: 20)")
    arguments = parser.parse_args()
    what = Measure("seconds", "seconds", higher_is_better=False, compare="difference", columns=())
    with session() as folder:
        cache = str(folder)
        cases = []
        for mode in arguments.modes:
            prepare("start_up:train_first", mode=mode, cache=cache)
            cold = Side("cold", "start_up:train_first", {"mode": mode, "cache": None})
            warm = Side("warm", "start_up:train_first", {"mode": mode, "cache": cache})
            cases.append(Case(f"first training, {mode}", [cold, warm]))
        bare = Side("bare python", [sys.executable, "-c", "pass"])
        imported = Side("import windrow", [sys.executable, "-c", "import windrow"])
        helped = Side("windrow --help", [sys.executable, "-m", "windrow", "--help"])
        cases += [Case(started.name, [started, bare], arguments.start_rounds) for started in (imported, helped)]
        record = measure(
            "Starting: seconds",
            what,
            cases,
            rounds=arguments.rounds,
            settings={**COMMON, "workers": 1, "start_rounds": arguments.start_rounds},
            output=arguments.output,
        )
    record["notes"].append(f"import and --help: {arguments.start_rounds} rounds.")
    write_result(record, arguments.output)


if __name__ == "__main__":
    script(main)
