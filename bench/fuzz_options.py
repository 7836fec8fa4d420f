"""Command lines with random options: values from tables of valid and invalid ones, over the tree of click's commands.

Every file that a command line names lies in the folder where the command runs, every output, too; sources are local.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from random import Random
from unittest.mock import patch

import click

# Commands that train a demonstration or compile everything, whatever is asked: run with --help alone.
_ONLY_HELP = ("demo", "warmup")
_NUMBERS = ["-1", "0", "1", "2", "3", "5", "100", "2147483648", "9223372036854775808", "1" + "0" * 23, "-9" + "0" * 23,
            "nan", "inf", "-inf", "1e308", "1e-320", "0.5", "-0.0", "1.5", "x", "", " ", "1_000", "0x10", "٣", "1e3",
            "+1"]  # fmt: skip
_TEXTS = ["", " ", "-", "--", "x", "a\nb", "a\tb", "é", "a" * 300, "'", '"', "%s", "{}", "*", "[", "~nobody", "<s>",
          "0,1", "0,0,1", "1,x", ",", "0.5,0.5", "nan,1", "1e400", "1M", "-1M", "1Z", "M", "50%", "200%", "text", "tr",
          "xx"]  # fmt: skip
_TOKENIZERS = ["whitespace", "word", "char", "str:split", "nosuch:thing", "json:", ":", "builtins:int", "str:nothing",
               ""]  # fmt: skip
# Whatever is beyond these is work that was asked for: it takes as long as it takes.
_SMALL = {"epochs": 3, "max_new_tokens": 9, "num_beams": 4, "num_return_sequences": 4, "sentences": 50, "topn": 5,
          "workers": 2, "patience": 5, "top": 20, "autotune_seconds": 2, "autotune_trials": 2, "passes": 3,
          "buckets": 50}  # fmt: skip
INPUTS = ["text", "other", "corpus", "vectors", "vectors.txt", "ngram", "ngram.arpa", "network", "recurrent", "tagger",
          "tags.conll", "pairs", "questions", "log.jsonl", "records.jsonl", "table.csv", "words", "counts", "empty",
          "labelled", "classifier", "phrases", "trained", "none", "missing", "registry.toml", "-", "", "."]  # fmt: skip
_FIT = {  # what a parameter usually is, so that commands get beyond their first check
    "sources": ["text", "text", "other", "corpus", "records.jsonl", "table.csv", "labelled"],
    "file": ["vectors", "vectors.txt"],
    "files": ["vectors", "ngram", "corpus"],
    "words": ["the", "cat", "zebra", "words"],
    "minus": ["dog", "x"],
    "model": ["ngram", "ngram.arpa", "network", "recurrent", "tagger", "classifier"],
    "models": ["ngram", "network", "recurrent"],
    "source": ["text", "vectors", "ngram", "tags.conll", "classifier"],
    "log": ["log.jsonl"],
    "directory": ["corpus"],
    "valid": ["other", "text", "tags.conll", "labelled"],
    "autotune_validation": ["labelled"],
    "continue_from": ["trained", "network", "recurrent", "tagger"],
    "apply": ["phrases"],
    "heldout": ["other"],
    "test": ["other"],
    "other": ["vectors", "vectors.txt"],
    "tune": ["other"],
    "vocab": ["words"],
    "read_vocab": ["words"],
    "vectors": ["vectors", "vectors.txt"],
    "analogies": ["questions"],
    "similarity": ["pairs"],
    "only_words": ["words"],
    "registry": ["registry.toml"],
    "field": ["text", "id", "x"],
    "name": ["small", "smal"],
    "context": ["the", "cat", "-", "<s>", "zebra"],
    "prefix": ["the", "the cat", "zebra", "<s>", ""],
    "prompt": ["the cat", "zebra", "", "<s> the"],
}
_OUTPUTS = ["out", "out.arpa", "out.txt", "out.bin", "out.png", "out.npy", "out.safetensors", "text", "vectors",
            "corpus", "out.html", "", ".", "-", "missing/out", "a\nb", "out.gz", "out.parquet", "x" * 300]  # fmt: skip

SOUND = ["corpus build text -o built", "corpus info corpus", "info vectors", "info network --json", "info text",
         "info ngram --command", "info corpus",
         "lm train ngram text -o a --order 2 --smoothing witten-bell",
         "lm train rnn text -o b --epochs 1 --hidden 4 --embedding 4 --valid other", "lm perplexity ngram text",
         "lm train window text -o c --epochs 1 --hidden 4 --embedding 4", "lm score recurrent text",
         "lm generate network", "lm vocab network --probs", "lm ngrams ngram --prefix the", "lm next recurrent the cat",
         "lm mix ngram ngram.arpa --tune other -o d",
         "lm plot ngram network --test other -o k.svg", "tag train tags.conll -o e --epochs 1",
         "tag predict tagger text", "tag evaluate tagger tags.conll", "vectors similar vectors the",
         "vectors analogy vectors the cat dog", "vectors evaluate vectors --similarity pairs --analogies questions",
         "vectors compare vectors vectors pairs --neighbors 2", "vectors print vectors text",
         "vectors cluster vectors -k 2", "vectors align vectors vectors -o k.txt",
         "vectors train text -o l.bin --min-count 1 --epochs 1 --save-vocab l.counts",
         "vectors convert vectors m.tsv --to projector",
         "vectors convert vectors f.parquet", "vectors plot vectors -o g.png",
         "report tagger --valid tags.conll -o r.html",
         "vectors plot vectors -o g2.png --method tsne", "vectors plot-log log.jsonl -o h.png",
         "vectors train text -o i.bin --min-count 1 --epochs 1", "lm convert ngram j.arpa",
         "lm prune ngram -o n.arpa --max-ngrams 20", "lm filter ngram.arpa --vocab other -o o"]  # fmt: skip


def commands() -> dict[tuple[str, ...], click.Command]:
    """Every command by its words."""
    from windrow.cli import main

    return dict(_below(main, ()))


def _below(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from _below(found, (*words, name))
    else:
        yield words, command


def command_line(dice: Random) -> list[str]:
    """A command with a few of its options, most of which it can take."""
    tree = commands()
    words = dice.choice(sorted(tree))
    if words[0] in _ONLY_HELP:
        return [*words, "--help"]
    given: list[str] = []
    options: list[str] = []
    for parameter in tree[words].params:
        if isinstance(parameter, click.Argument):
            count = 1 if parameter.nargs == 1 else dice.choice([1, 1, 2, 3])
            given += [_value(parameter, dice) for _ in range(count)]
        elif parameter.required or dice.random() < min(0.5, 4 / len(tree[words].params)):
            options += _option(parameter, dice)
    given = _never_a_fetch(words, given)
    if dice.random() < 0.03:
        options.append(dice.choice(["--nosuch", "--", "-x", "--output=", "--help"]))
    return [*words, *given, *_bounded(tree[words], options), *options]


# Without which a command works for long, or asks for much memory: option -> its value, and what makes it needed
_BOUNDS = {"--epochs": ("1", ()), "--buckets": ("50", ("--subwords", "--word-ngrams", "--max-n")),
           "--autotune-seconds": ("1", ("--autotune-validation",))}  # fmt: skip


def _bounded(command: click.Command, options: list[str]) -> list[str]:
    """The options that bound the work of a command, where they are not given."""
    there = {name for parameter in command.params for name in parameter.opts}
    found: list[str] = []
    for name, (value, cause) in _BOUNDS.items():
        if name in there and name not in options and (not cause or {*cause} & {*options}):
            found += [name, value]
    return found


def _never_a_fetch(words: tuple[str, ...], given: list[str]) -> list[str]:
    """What ``corpus fetch`` is given has no entry in any registry, so that nothing is downloaded."""
    return ["nosuch"] if words == ("corpus", "fetch") else given


def _option(parameter: click.Parameter, dice: Random) -> list[str]:
    name = dice.choice([*parameter.opts, *parameter.secondary_opts])
    if getattr(parameter, "is_flag", False):
        return [name]
    return [name, _value(parameter, dice)]


def _value(parameter: click.Parameter, dice: Random) -> str:
    name, kind = parameter.name or "", parameter.type
    if name in ("output", "target", "counts_out", "log_json", "checkpoint", "report", "save_vocab", "plot"):
        return dice.choice(_OUTPUTS)
    if name in _SMALL:
        return dice.choice([str(dice.randint(1, _SMALL[name])), "0", "-1", "x", "nan", "1.5"])
    if isinstance(kind, click.Choice):
        return str(dice.choice([*kind.choices, *kind.choices, "nosuch"]))
    if isinstance(kind, click.types.IntParamType | click.types.FloatParamType):
        return dice.choice(_NUMBERS)
    if name == "tokenizer":
        return dice.choice(_TOKENIZERS)
    if name in _FIT and dice.random() < 0.8:
        return dice.choice(_FIT[name])
    return dice.choice([*INPUTS, *_TEXTS])


class CommandError(Exception):
    """A command that ended as none may; its text says how."""


@contextmanager
def _serving_nothing() -> Iterator[None]:
    """Let the explorer end when it begins to serve; without its packages it is refused before."""
    try:
        from windrow.explore.server import Explorer
    except ImportError:
        yield
        return
    with patch.object(Explorer, "serve", lambda explorer: explorer._socket.close()):
        yield


def run_command(arguments: Sequence[str], stdin: str = "the cat\nthe dog\n") -> None:
    """Run a command line in this process; WindrowError where it refuses, CommandError where it fails otherwise."""
    from click.testing import CliRunner

    from windrow.cli import main
    from windrow.errors import DataError

    with _serving_nothing() if arguments[:1] == ["explore"] else nullcontext():
        result = CliRunner().invoke(main, list(arguments), input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    lines = [line for line in result.stderr.split("\n") if line]
    if result.exit_code == 1 and arguments[0] == "verify" and result.stdout and not lines:
        raise DataError(result.stdout.splitlines()[0])  # it prints a line for each file
    if result.exit_code == 1:
        errors = [line for line in lines if line.startswith("Error: ")]
        # A file that takes long to evaluate is told of before, as "questions ...".
        others = [line for line in lines if not (line.startswith(("Error: ", "Warning: ")) or line.endswith(" ..."))]
        if len(errors) != 1 or others:
            raise CommandError(f"not one line of error: {result.stderr[-400:]!r}")
        raise DataError(errors[0])
    if result.exit_code == 2:
        if not lines or "Error: " not in lines[-1]:
            raise CommandError(f"wrong usage without a word: {result.stderr[-400:]!r}")
        raise DataError(lines[-1])
    if result.exit_code != 0:
        raise CommandError(f"exit status {result.exit_code}: {result.stderr[-400:]!r}")


@functools.cache
def _inputs() -> dict[str, bytes]:
    """The files that command lines name, by their paths."""
    import fuzz_seeds as seeds

    texts = {"text": seeds.LINES, "other": seeds.LINES, "tags.conll": seeds.CONLL, "pairs": seeds.SIMILARITY,
             "questions": seeds.ANALOGIES, "log.jsonl": seeds.LOG, "records.jsonl": seeds.JSONL, "table.csv": seeds.CSV,
             "words": seeds.LIST, "labelled": seeds.LABELLED, "registry.toml": seeds.REGISTRY, "empty": "",
             "none": "\0"}  # fmt: skip
    kinds = {"vectors": ("vectors", "safetensors"), "vectors.txt": ("vectors", "word2vec text"),
             "ngram": ("ngram", ""), "ngram.arpa": ("arpa", ""), "network": ("window", "softmax"),
             "recurrent": ("recurrent", "LSTM"), "tagger": ("tagger", "CRF"), "counts": ("counts", ""),
             "classifier": ("classifier", "softmax"), "phrases": ("phrases", ""),
             "trained": ("training of vectors", ""), "corpus/corpus.json": ("corpus", "header")}  # fmt: skip
    found = {name: text.encode() for name, text in texts.items()}
    for name, kind in kinds.items():
        with tempfile.TemporaryDirectory() as folder:
            written = Path(folder, Path(name).name)
            seeds.SEEDS[kind][1](written)
            beside = written.parent.iterdir() if "/" in name else [written]
            found |= {str(Path(name).with_name(path.name)): path.read_bytes() for path in beside}
    return found


def write_inputs(folder: Path) -> None:
    """Write every file that command lines name."""
    (folder / "corpus").mkdir()
    for name, content in _inputs().items():
        (folder / name).write_bytes(content)
