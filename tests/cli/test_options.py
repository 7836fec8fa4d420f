"""Options made from tables of settings, options of before, and what the program does to its process."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

import windrow
from windrow import machine
from windrow.cli import main
from windrow.cli.numbers import Size
from windrow.cli.options import flags_of, setting_options, values_of
from windrow.cli.train_neural import training_command
from windrow.errors import OptionError
from windrow.estimator import Setting

TABLE = (
    Setting("size", int, 3, "How many.", low=1, option="--width"),
    Setting("share_rate", float, None, "How much.", none="its own"),
    Setting("loud", bool, False, "Loudly."),
    Setting("bright", int, 1, "Brightly, if loud_rate is.", choices=(0, 1), option="--bright/--dark"),
    Setting("mode", str, "slow", "How fast.", choices=("slow", "fast")),
    Setting("ranks", int, (7,), "Where.", many=True),
    Setting("kinds", str, None, "Which.", many=True, none="all", option="--kind"),
    Setting("hooks", "list of callables", (), "Not on the command line.", option=None),
    Setting("gain", float, 1.0, "More.", only_with=("mode", ("fast",))),
)


@pytest.fixture
def run() -> Callable[..., dict[str, Any]]:
    """Runs a command of these options; gives what it was called with."""
    found: dict[str, Any] = {}

    @click.command()
    @setting_options(TABLE, mode={"default": "fast"})
    def command(**options: Any) -> None:
        found.update(options)

    def call(*arguments: str) -> dict[str, Any]:
        result = CliRunner().invoke(command, arguments)
        if result.exit_code:
            raise result.exception if isinstance(result.exception, OptionError) else ValueError(result.output)
        return {"output": result.output, **found}

    return call


def test_defaults_are_those_of_the_table_or_of_the_command(run):
    values = values_of(TABLE, run())
    assert values == {"size": 3, "share_rate": None, "loud": False, "bright": 1, "mode": "fast", "ranks": (7,),
                      "kinds": None, "gain": 1.0}  # fmt: skip
    assert type(values["bright"]) is int


def test_values_have_the_type_of_the_setting(run):
    given = run("--width", "5", "--share-rate", "0.5", "--loud", "--dark", "--mode", "slow", "--ranks", "1,2", "--kind",
                "a", "--kind", "b")  # fmt: skip
    assert values_of(TABLE, given) == {"size": 5, "share_rate": 0.5, "loud": True, "bright": 0, "mode": "slow",
                                       "ranks": (1, 2), "kinds": ("a", "b"), "gain": 1.0}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--width", "x"), "'x' is not a valid integer"),
        (("--mode", "x"), "'x' is not one of 'slow', 'fast'"),
        (("--ranks", "1,x"), "--ranks '1,x' must be numbers with commas between them"),
        (("--hooks", "1"), "No such option"),
    ],
)
def test_values_of_another_kind(run, given, said):
    with pytest.raises(ValueError, match=said):
        run(*given)


def test_the_help_is_that_of_the_table(run):
    shown = " ".join(run("--help")["output"].split())
    assert "--width INTEGER How many. [default: 3; x>=1]" in shown
    assert "--share-rate FLOAT How much. [default: (its own)]" in shown
    assert "--gain FLOAT More. Only with --mode fast. [default: 1.0]" in shown
    assert "--bright / --dark Brightly, if loud_rate is. [default: bright]" in shown
    assert "hooks" not in shown
    assert flags_of(TABLE)["share_rate"] == "--share-rate"


# --- every training command offers its estimator's settings


@pytest.mark.parametrize(
    ("command", "kind", "apart"),
    [
        ("vectors train", windrow.Word2Vec, {"loss", "window_weighting"}),
        ("vectors count", windrow.CountVectors, {"memory"}),
        ("vectors blend", windrow.Blend, set()),
        ("lm train ngram", windrow.NGramLM, {"memory"}),
        ("lm train class", windrow.ClassLM, set()),
        ("lm train skip", windrow.SkipNGramLM, set()),
        ("lm train window", windrow.WindowLM, set()),
        ("lm train rnn", windrow.RecurrentLM, set()),
        ("tag train", windrow.WindowTagger, {"types"}),
        ("classify train", windrow.TextClassifier, set()),
    ],
)
def test_commands_offer_the_settings_of_their_estimator(command, kind, apart):
    found: click.Command = main
    for name in command.split():
        found = found.get_command(click.Context(found), name)
    options = {option.name: option for option in found.params}
    for setting in kind.settings:
        if setting.option is not None:
            option = options[setting.name]
            assert option.help.startswith(setting.help[:20]) or setting.name in apart
            assert setting.flag in option.opts
            if setting.name not in apart and not setting.many:
                assert option.default == setting.default
    assert {"-o", "--output"} == set(options["output"].opts)


# --- options that nothing would read

TRAININGS = {
    "vectors train": windrow.Word2Vec,
    "vectors count": windrow.CountVectors,
    "lm train ngram": windrow.NGramLM,
    "lm train class": windrow.ClassLM,
    "lm train skip": windrow.SkipNGramLM,
    "lm train window": windrow.WindowLM,
    "lm train rnn": windrow.RecurrentLM,
    "tag train": windrow.WindowTagger,
    "classify train": windrow.TextClassifier,
}
BESIDE = {  # with which these have no effect; the others have none beside the defaults
    ("vectors train", "negative"): ["--loss", "hs"],
    ("vectors train", "ns_exponent"): ["--loss", "softmax"],
    ("vectors train", "shared_negatives"): ["--kernel", "pair"],
    ("lm train ngram", "lmplz_compat"): ["--smoothing", "witten-bell"],
    ("lm train ngram", "compact"): ["--smoothing", "katz"],
    ("lm train ngram", "unk_mass"): ["--closed-vocabulary"],
    ("lm train ngram", "discount_fallback"): ["--smoothing", "witten-bell"],
    ("lm train ngram", "discounts"): ["--smoothing", "witten-bell"],
    ("lm train ngram", "interpolate_unigrams"): ["--closed-vocabulary"],
    ("lm train ngram", "vocab_pad"): ["--unk-mass", "0.1"],
    ("lm train ngram", "min_count"): ["--fixed-vocab", "words.txt"],
    ("lm train ngram", "max_vocab"): ["--fixed-vocab", "words.txt"],
    ("lm train class", "classes"): ["--word-classes", "classes.txt"],
    ("lm train class", "iterations"): ["--word-classes", "classes.txt"],
    ("lm train skip", "discount_fallback"): ["--smoothing", "witten-bell"],
    ("tag train", "vector_size"): ["--vectors", "v.txt"],
}
CONDITIONED = [
    (command, setting)
    for command, kind in TRAININGS.items()
    for setting in kind.settings
    if setting.conditions and setting.option is not None
]


@pytest.mark.parametrize(("command", "setting"), CONDITIONED, ids=lambda value: getattr(value, "name", value))
@pytest.mark.parametrize("asked", ["the default", "another"])
def test_an_option_without_effect_is_refused(command: str, setting: Setting, asked: str, tmp_path: Path) -> None:
    """Whatever its value, since whoever gives it expects something of it."""
    value = setting.default if asked == "the default" and not setting.asks_for_nothing(setting.default) else 1
    if setting.type is bool or "/" in setting.option:
        on, _, off = setting.option.partition("/")
        option = [(on or setting.flag) if value or not off else off]
    elif setting.choices:
        option = [setting.flag, setting.choices[0]]
    else:
        option = [setting.flag, str(value if isinstance(value, int | float) else 1)]
    source, target = tmp_path / "no-such-text", tmp_path / "out"

    result = CliRunner().invoke(main, [*command.split(), str(source), "-o", str(target), *option, *BESIDE.get(
        (command, setting.name), [])])  # fmt: skip

    assert result.exit_code == 1
    assert re.match(rf"Error: {option[0]} (is for|has no effect with) --.*; .*\n$", result.stderr), result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("vectors train T -o O --cbow-sum", "--cbow-sum is for --model cbow, not skipgram; leave it out"),
        ("vectors train T -o O --loss hs --negative 5", "--negative is for --loss ns or hs+ns, not hs; leave it out"),
        ("lm train ngram T -o O --heldout T", "--heldout is for --smoothing jelinek-mercer, not modified-kneser-ney"),
        (
            "lm train ngram T -o O --smoothing jelinek-mercer --weights 1 --heldout T",
            "--heldout has no effect with --we",
        ),
        (
            "lm train ngram T -o O --smoothing katz --interpolate",
            "--interpolate is for --smoothing modified-kneser-ney or kneser-ney",
        ),
        ("lm train ngram T -o O --from-counts --lowercase", "--lowercase has no effect with --from-counts; leave one"),
        ("lm train ngram T -o O --from-counts --counts-out C", "--counts-out has no effect with --from-counts; leave"),
        ("lm generate M --greedy --temperature 2", "--temperature has no effect with --greedy; leave one of them out"),
        ("lm generate M --num-beams 4 --top-k 3", "--top-k is for --num-beams 1, not 4; leave it out"),
        ("lm generate M --num-beams 4 --greedy", "--greedy is for --num-beams 1, not 4; leave it out"),
        ("lm generate M --length-penalty 2", "--length-penalty is for --num-beams above 1, not 1; leave it out"),
        ("lm generate M --strict", "--strict is for --prompt; give that, too, or leave --strict out"),
        ("classify train T -o O --label-field L", "--label-field is for --field; give that, too, or leave --label-fie"),
        ("classify evaluate M T --field F --label-separator ,", "--label-separator is for --label-field; give that, t"),
        (
            "corpus build T -o O --ray-workers 2",
            "--ray-workers is for --ray; give that, too, or leave --ray-workers out",
        ),
        ("corpus build T -o O --memory-per-worker 1G", "--memory-per-worker is for --ray; give that, too, or leave"),
        ("lm train ngram T -o O --ray local --memory 1G", "--memory has no effect with --ray; leave one of them out"),
        (
            "lm train ngram T -o O --from-counts --ray local",
            "--ray has no effect with --from-counts; leave one of them",
        ),
        ("vectors plot V -o P.png --top 9 --words a b", "--top has no effect with --words; leave one of them out"),
    ],
)
def test_other_options_without_effect(
    arguments: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, arguments.split())
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {said}")
    assert not list(tmp_path.iterdir())


# --- resuming after the end

FINISHED = {
    "vectors train": "--size 4 --min-count 1 --workers 1",
    "lm train window": "--order 2 --embedding 4 --hidden 4",
    "lm train rnn": "--embedding 4 --hidden 4 --batch 4",
    "tag train": "--size 4 --hidden 4",
}


@pytest.mark.parametrize("command", FINISHED)
def test_a_finished_training_is_not_begun_again_by_resume(command: str, tmp_path: Path) -> None:
    text = "in O\nRome B-LOC\n\n" * 20 if command == "tag train" else "the cat sat\nthe dog ran\n" * 20
    (tmp_path / "text").write_text(text, "utf-8")
    output, log = tmp_path / "out.safetensors", tmp_path / "log"
    arguments = [*command.split(), str(tmp_path / "text"), "-o", str(output), *FINISHED[command].split()]

    begun = CliRunner().invoke(main, [*arguments, "--epochs", "2", "--resume", "--log-json", str(log)])
    assert begun.exit_code == 0, begun.output
    assert "Warning: " in begun.stderr
    assert "is not there; training starts from the beginning" in begun.stderr
    before, logged = output.read_bytes(), log.read_text("utf-8")

    again = CliRunner().invoke(main, [*arguments, "--epochs", "1", "--resume", "--log-json", str(log)])
    assert again.exit_code == 1
    further = rf"to train it further: --(continue-from|vectors) {output}, and another -o\n"
    assert re.fullmatch(
        rf"Error: {output} is finished, as .*checkpoint is not there; to train again leave out --resume, or choose "
        rf"another -o; {further}", again.stderr)  # fmt: skip
    assert (output.read_bytes(), log.read_text("utf-8")) == (before, logged)
    assert CliRunner().invoke(main, [*arguments, "--epochs", "1"]).exit_code == 0
    assert output.read_bytes() != before


# --- options of before


def test_british_spellings_are_options_too(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("a b c\nb c a\n" * 20, "utf-8")
    results = []
    for option in ("--quantise", "--quantize"):
        arguments = ["lm", "train", "ngram", text, "-o", tmp_path / option, "--smoothing", "witten-bell", option, 4]
        result = CliRunner().invoke(main, list(map(str, arguments)))
        assert result.exit_code == 0, result.output
        results.append((tmp_path / option).read_bytes())
    assert results[0] == results[1]


@pytest.mark.parametrize(
    ("arguments", "layer", "file", "warns"),
    [
        (["-o", "f", "--output", "nce"], "nce", "f", True),
        (["--output=nce", "-of"], "nce", "f", True),
        (["--output", "nce"], "softmax", "nce", False),  # a file of this name
        (["--output", "f", "--output-layer", "nce"], "nce", "f", False),
    ],
)
def test_the_layer_may_be_named_as_before_beside_a_file(arguments, layer, file, warns):
    found = {}

    @training_command("x", (Setting("output_layer", str, "softmax", "What.", choices=("softmax", "nce")),))
    def command(sources: tuple[str, ...], output: Path, **options: Any) -> None:
        found.update(options, output=output)

    result = CliRunner().invoke(command, ["-", *arguments])
    assert result.exit_code == 0, result.output
    assert (found["output_layer"], str(found["output"])) == (layer, file)
    assert ("Warning: --output nce is now --output-layer nce; -o names the file" in result.stderr) == warns


@pytest.mark.parametrize("arguments", [["-o", "f", "--output", "sotfmax"], ["--output=g", "-of"]])
def test_two_files_or_a_misspelled_layer_are_refused(arguments):
    """Else the last one would silently be the file."""
    result = CliRunner().invoke(main, ["lm", "train", "rnn", "text.txt", *arguments])

    assert result.exit_code == 2
    assert "both name the file; give one, and the output layer as --output-layer" in result.stderr


# --- the process


def test_a_signal_handler_of_somebody_else_stays(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    assert CliRunner().invoke(main, ["corpus", "list"]).exit_code == 0
    main(["--version"], standalone_mode=False)
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("typed", "size"),
    [("500M", 500 << 20), ("1.5gb", 3 << 29), ("12", 12), ("50%", 100), ("0.5 %", None), ("100%", 200)],
)
def test_sizes_of_memory(typed: str, size: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "available_memory", lambda: 200)
    option = click.Option(["--memory"])
    if size is None:
        with pytest.raises(OptionError, match="must be a size"):
            Size().convert(typed, option, None)
    else:
        assert Size().convert(typed, option, None) == size


def test_a_share_of_memory_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "available_memory", lambda: None)
    with pytest.raises(OptionError, match="--memory '50%': how much memory is free is not known here; give a size: 2G"):
        Size().convert("50%", click.Option(["--memory"]), None)
