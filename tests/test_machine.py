"""What a process may use: the files in which Linux tells of it, made up here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import windrow
from windrow import machine, nn
from windrow.errors import OptionError

GIB = 1 << 30


def told(folder: Path, files: dict[str, str]) -> tuple[Path, Path]:
    """Folders in place of /proc and /sys/fs/cgroup."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder / "proc", folder / "cgroup"


def test_cores_by_affinity(tmp_path: Path) -> None:
    everything = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(everything)})
        assert machine.available_cores(*told(tmp_path, {})) == 1
    finally:
        os.sched_setaffinity(0, everything)
    assert machine.available_cores(*told(tmp_path, {})) == len(everything)


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"proc/self/cgroup": "0::/\n", "cgroup/cpu.max": "max 100000\n"}, 64),
        ({"proc/self/cgroup": "0::/\n", "cgroup/cpu.max": "250000 100000\n"}, 2),
        ({"proc/self/cgroup": "0::/\n", "cgroup/cpu.max": "50000 100000\n"}, 1),  # half a core still needs a thread
        ({"proc/self/cgroup": "0::/a/b\n", "cgroup/a/b/cpu.max": "max 100000", "cgroup/a/cpu.max": "300000 100000"}, 3),
        (
            {
                "proc/self/cgroup": "4:cpu,cpuacct:/docker/1\n3:memory:/docker/1\n",
                "cgroup/cpu/docker/1/cpu.cfs_quota_us": "400000\n",
                "cgroup/cpu/docker/1/cpu.cfs_period_us": "100000\n",
            },
            4,
        ),
        (
            {
                "proc/self/cgroup": "4:cpu:/\n",
                "cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            64,
        ),
        ({"proc/self/cgroup": "nonsense\n0::/\n", "cgroup/cpu.max": "\n"}, 64),
    ],
)
def test_cores_by_the_limits_of_containers(
    files: dict[str, str], cores: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))

    assert machine.available_cores(*told(tmp_path, files)) == cores


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({}, None),
        ({"proc/meminfo": "MemTotal: 9 kB\nMemAvailable:    2048 kB\n"}, 2 << 20),
        (
            {
                "proc/meminfo": f"MemAvailable: {8 << 20} kB\n",
                "proc/self/cgroup": "0::/x\n",
                "cgroup/x/memory.max": f"{4 * GIB}\n",
                "cgroup/x/memory.current": f"{3 * GIB}\n",
                "cgroup/x/memory.stat": f"anon 1\ninactive_file {GIB}\n",
            },
            2 * GIB,
        ),
        (
            {
                "proc/meminfo": f"MemAvailable: {8 << 20} kB\n",
                "proc/self/cgroup": "7:memory:/x\n",
                "cgroup/memory/memory.limit_in_bytes": f"{GIB}\n",
                "cgroup/memory/memory.usage_in_bytes": f"{2 * GIB}\n",
            },
            0,
        ),
        ({"proc/self/cgroup": "0::/\n", "cgroup/memory.max": "max\n", "cgroup/memory.current": "5\n"}, None),
    ],
)
def test_free_memory(files: dict[str, str], free: int | None, tmp_path: Path) -> None:
    assert machine.available_memory(*told(tmp_path, files)) == free


def test_a_process_with_a_limit_of_its_own() -> None:
    code = (
        "import resource; from windrow.machine import available_memory as free; before = free()\n"
        f"resource.setrlimit(resource.RLIMIT_AS, ({GIB}, {GIB})); print(free() < min(before, {GIB}))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "True\n"


def test_what_will_not_fit_is_refused_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [f"w{i} x{i}" for i in range(5000)]
    windrow.WordVectors(words[:3], np.eye(3, dtype=np.float32)).save(tmp_path / "v.tsv")
    (tmp_path / "big.txt").write_bytes(b"30000 40\n" + b"".join(b"%d " % i + b"0 " * 40 + b"\n" for i in range(30000)))
    monkeypatch.setattr(machine, "available_memory", lambda: 1 << 20)

    with pytest.raises(OptionError, match=r"the tables of 10,000 words of vector_size = 100 need 0\.0 GiB .* lower"):
        windrow.Word2Vec(min_count=1).fit(words)
    with pytest.raises(OptionError, match=r"parameters for 10,003 words need .* are free; lower embedding_size or"):
        windrow.RecurrentLM().fit(words)
    with pytest.raises(OptionError, match=r"parameters for 10,003 words need"):
        windrow.WindowLM().fit(words)
    tagged = [(["in", "Rome"], ["O", "B-LOC"])] * 5
    with pytest.raises(OptionError, match=r"388,282 parameters need .*; lower vector_size, window or hidden_size"):
        windrow.WindowTagger(hidden_size=400).fit(tagged)
    for model in (windrow.MLPClassifier((400, 400)), windrow.MLPRegressor((400, 400), optimizer="sgd")):
        with pytest.raises(OptionError, match=r"parameters and the units of 2 examples need .*; lower hidden_layer_si"):
            model.fit([[0.0], [1.0]], [0, 1])
    for make, what in (
        (lambda: nn.Dense(400, 400), "400 x 400 weights"),
        (lambda: nn.Embedding(400, 400), "400 x 400 vectors"),
        (lambda: windrow.WindowLM(2, 4, 900, output_layer="adaptive").fit(["a b"]), "225 x 900 weights"),
    ):
        with pytest.raises(OptionError, match=rf"{what} need 0\.0 GiB of memory, and .*; (make the layer small|lower)"):
            make()
    with pytest.raises(OptionError, match=r"the 30,000 vectors of .*big\.txt need .*limit='N'"):
        windrow.load(tmp_path / "big.txt")
    assert len(windrow.load(tmp_path / "big.txt", limit=1000)) == 1000
    assert len(windrow.load(tmp_path / "v.tsv")) == 3


def test_n_grams_go_over_files_where_memory_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    text = [f"a{i % 70} b{i % 11} c{i % 13} d" for i in range(40_000)]
    whole = windrow.NGramLM(3, "witten-bell").fit(text)
    stages: list[str] = []
    monkeypatch.setattr("windrow.lm.ngram.training.counting_memory", lambda: 1 << 16)

    in_parts = windrow.NGramLM(3, "witten-bell").fit(text, progress=lambda stage, _: stages.append(stage))

    assert len(stages) > 3  # in memory it reports once per order
    assert in_parts.log_probs(text).tolist() == whole.log_probs(text).tolist()
