"""`windrow lm train rnn`."""

from __future__ import annotations

import json

from click.testing import CliRunner

from tests.lm.neural.test_recurrent import trained
from tests.lm.neural.test_window import TRAIN, VALID
from windrow.cli.train_rnn import train_rnn
from windrow.lm.neural.recurrent import RecurrentLM


def test_it_trains_the_same_model(tmp_path):
    source, valid, target, log = (tmp_path / name for name in ("train.txt", "valid.txt", "model", "log.json"))
    source.write_text("\n".join(TRAIN), "utf-8")
    valid.write_text("\n".join(VALID), "utf-8")
    options = {"embedding": 6, "hidden": 8, "batch": 8, "bptt": 7, "lr": 0.02, "clip": 1, "epochs": 3, "workers": 1}
    given = [str(part) for name, value in options.items() for part in (f"--{name}", value)]

    result = CliRunner().invoke(
        train_rnn, [str(source), "-o", str(target), "--valid", str(valid), "--log-json", str(log), "--cell", "gru",
                    "--state", "reset", *given],
    )  # fmt: skip

    assert result.exit_code == 0, result.output
    assert [json.loads(line)["epoch"] for line in log.read_text("utf-8").splitlines()] == [1, 2, 3]
    assert RecurrentLM.load(target).perplexity(VALID) == trained(cell="gru").perplexity(VALID)
