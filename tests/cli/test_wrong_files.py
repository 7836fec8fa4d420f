"""Files that are not what a command wants: other kinds of models, names that do not exist, swapped arguments."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

import windrow
from tests.cli.test_paths import commands
from windrow.cli import main
from windrow.cli.paths import InputFile, Lines, Source
from windrow.cli.summaries import hint_for_few_words
from windrow.errors import DataError, FormatError
from windrow.evaluation import read_pairs, read_questions
from windrow.files import model_file
from windrow.files.kinds import CHECKPOINTS, KINDS, MODELS

LINES = ["the cat sat on the mat", "the dog sat", "a cat saw the dog"] * 3
LANGUAGE_MODELS = {kind for kind in MODELS if kind.endswith("-lm")}
# What a command wants -> the command, with FILE where the model is named.
WANTING = {
    "word vectors": "vectors similar FILE cat",
    "a language model": "lm score FILE text",
    "an entity tagger": "tag predict FILE text",
    "a text classifier": "classify predict FILE text",
    "phrases": "corpus phrases text --apply FILE -o out",
    "a corpus": "corpus info FILE",
    "text": "corpus build FILE -o out",
}


def run(command: str) -> Result:
    result = CliRunner().invoke(main, command.split())
    assert isinstance(result.exception, SystemExit | None), result.exception
    return result


def refusal(command: str, status: int = 1) -> str:
    """The one line with which a command is refused."""
    result = run(command)
    assert (result.exit_code, result.stdout) == (status, ""), (command, result.stdout, result.stderr)
    return result.stderr.splitlines()[-1]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("text").write_text("\n".join(LINES) + "\n")
    return tmp_path


def is_command(words: str) -> bool:
    """Whether windrow has a command of these words, the last of which may be an option of it."""
    found: click.Command = main
    for word in words.split():
        if word.startswith("--"):
            return any(word in parameter.opts for parameter in found.params)
        assert isinstance(found, click.Group)
        found = found.get_command(click.Context(found), word) or pytest.fail(words)
    return not isinstance(found, click.Group)


@pytest.mark.parametrize("wanted", WANTING)
def test_a_file_of_another_kind_is_called_what_it_is_with_the_command_for_it(wanted: str) -> None:
    for kind, about in (MODELS | CHECKPOINTS).items():
        if about.what == wanted or (wanted == "a language model" and kind in LANGUAGE_MODELS):
            continue
        model_file.save("m", kind, {}, {}, {})
        said = refusal(WANTING[wanted].replace("FILE", "m"))
        assert said.startswith(f"Error: m holds {about.what}, not {wanted}; ")
        if about.use:
            assert said.endswith(f"; use it with `windrow {about.use}`")
        elif about.maker:
            assert said.endswith(f"; repeat `windrow {about.maker} ...` with --resume")


def test_the_commands_that_are_named_exist() -> None:
    assert all(is_command(words) for about in KINDS.values() for words in (about.maker, about.use) if words)


@pytest.mark.parametrize("wanted", WANTING)
def test_a_corpus_and_other_folders_in_the_place_of_a_model(wanted: str) -> None:
    command = WANTING[wanted]
    windrow.Corpus.build(LINES, "c", min_count=1)
    Path("folder").mkdir()
    if wanted != "a corpus":
        said = refusal(command.replace("FILE", "c"))
        assert said.startswith(f"Error: c is a corpus, not {wanted}; ")
        assert is_command(re.findall("`windrow (.*)`", said)[0])
        assert "windrow.Corpus" not in said  # which is for Python
    assert "folder" in refusal(command.replace("FILE", "folder"))


def test_python_hears_what_to_call() -> None:
    windrow.NGramLM(2, "witten-bell").fit(LINES).save("m")
    windrow.Corpus.build(LINES, "c", min_count=1)
    for load in (windrow.WordVectors.load, windrow.TextClassifier.load, windrow.WindowTagger.load):
        with pytest.raises(FormatError, match=r"holds an n-gram language model, not .*; open it with windrow\.load or"):
            load("m")
        with pytest.raises(FormatError, match=r"c is a corpus, not .*; open it with windrow\.Corpus\.open or"):
            load("c")


# --- files that do not exist


@pytest.mark.parametrize(
    ("command", "meant"),
    [
        ("vectors similar toy.safetensor cat", "toy.safetensors"),  # a letter short
        ("vectors similar TOY.safetensors cat", "toy.safetensors"),  # in another case
        ("vectors similar toy cat", "toy.safetensors"),  # without its ending
        ("vectors similar other.safetensors cat", None),  # which shares no more than an ending with what is there
        ("lm score missing.arpa text", None),
        ("lm perplexity toy.safetensors sub/txet.txt", "sub/text.txt"),  # below a folder
        ("lm perplexity toy.safetensors sbu/txet.txt", "sub/text.txt"),  # whose name is wrong, too
        ("vectors evaluate toy.safetensors --similarity sub/text.tsv", "sub/text.txt"),  # of an option
        ("corpus build sub/txet.* -o out", None),  # a glob
        ("corpus build no/where/at/all -o out", None),
    ],
)
def test_the_name_of_a_file_that_is_nearly_there(command: str, meant: str | None) -> None:
    Path("sub").mkdir()
    Path("sub/text.txt").write_text("a b\n")
    Path("toy.safetensors").touch()
    Path(".toy.safetensors").touch()  # is hidden
    said = refusal(command)
    assert ("did you mean" in said) == (meant is not None)
    assert meant is None or said.endswith(f"No such file or directory; did you mean {meant}?")


@pytest.mark.parametrize("command", ["vectors similar cat dog toy", "vectors analogy cat dog mat toy"])
def test_words_before_the_file(command: str) -> None:
    windrow.WordVectors(["cat", "dog", "mat"], np.eye(3, dtype=np.float32)).save("toy.safetensors")
    Path("toy.safetensors").rename("toy")
    right = re.findall("the file comes first: windrow (.*)", refusal(command))[0]
    assert right == " ".join([*command.split()[:2], "toy", *command.split()[2:-1]])
    assert run(right).exit_code == 0


# Commands of a model and SOURCEs, with the model m behind a text or a corpus -> in the right order.
SWAPPED = {
    "lm score t m": "lm score m t",
    "lm score t text m": "lm score m text t",
    "lm perplexity t m": "lm perplexity m t",
    "lm perplexity c m": "lm perplexity m c",
    "lm select t m --max-perplexity 9": "lm select m t",
    "lm buckets t m -o b.json --percentiles 50 --names low,high": "lm buckets m t",
    "lm add t m -o more": "lm add m t",
    "tag predict t m": "tag predict m t",
    "tag evaluate t m": "tag evaluate m t",
    "classify predict t m": "classify predict m t",
    "classify evaluate t m": "classify evaluate m t",
    "vectors print t m": "vectors print m t",
}
MADE: dict[str, Callable[[], Any]] = {
    "lm": lambda: windrow.NGramLM(2, "witten-bell", keep_counts=True).fit(LINES),
    "tag": lambda: windrow.WindowTagger(vector_size=2, hidden_size=2, epochs=1).fit([(["in", "Rome"], ["O", "B-LOC"])]),
    "classify": lambda: windrow.TextClassifier(2, epochs=1).fit(["a b", "c d"], ["x", "y"]),
    "vectors": lambda: windrow.WordVectors(["cat", "dog", "mat"], np.eye(3, dtype=np.float32) + 0.5),
}


def test_every_command_of_a_model_and_sources_is_tried() -> None:
    found = {
        name
        for name, command in commands()
        if [type(one.type) for one in command.params if isinstance(one, click.Argument)]
        in ([InputFile, Source], [InputFile, Lines])
    }
    assert found == {" ".join(command.split()[:2]) for command in SWAPPED}


@pytest.mark.parametrize("typed", SWAPPED)
def test_a_text_before_the_model(typed: str) -> None:
    MADE[typed.split(maxsplit=1)[0]]().save("m")
    windrow.Corpus.build(LINES, "c", min_count=1)
    Path("t").write_text("in O\nRome B-LOC\n" if typed.startswith("tag") else "__label__x the cat sat\n")

    said, right = refusal(typed).split("; the model comes first: windrow ")

    assert said.startswith(f"Error: {typed.split()[2]} ")
    assert right == SWAPPED[typed]
    assert run(right + typed[typed.find(" -") :] * (" -" in typed)).exit_code == 0


@pytest.mark.parametrize("typed, name", [("lm score", "m.arpa"), ("lm score", "m.arpa.gz"), ("vectors print", "m.txt")])
def test_a_text_before_a_model_of_another_format(typed: str, name: str) -> None:
    MADE[typed.split(maxsplit=1)[0]]().save(name)
    assert refusal(f"{typed} text {name}").endswith(f"; the model comes first: windrow {typed} {name} text")


def test_no_order_is_told_without_a_model_or_of_another_file() -> None:
    windrow.NGramLM(2, "witten-bell").fit(LINES).save("m")
    for command in ("lm score text text", "lm score m m", "lm score text m m", "lm ngrams text"):
        assert "comes first" not in refusal(command)


# --- arguments that belong to an option


QUESTIONS = ": pets\ncat cats dog dogs\n"
PAIRS = "cat\tdog\t8\ncat\tmat\t1\ndog\tmat\t2\n"


@pytest.fixture
def vectors() -> None:
    windrow.WordVectors(["cat", "dog", "mat"], np.eye(3, dtype=np.float32)).save("v.safetensors")
    Path("questions.txt").write_text(QUESTIONS)
    Path("pairs.tsv").write_text(PAIRS)
    Path("words.txt").write_text("cat\ndog\n")


@pytest.mark.usefixtures("vectors")
@pytest.mark.parametrize(
    ("command", "meant"),
    [
        ("vectors plot v.safetensors -o m.svg cat dog", "--words cat dog"),
        ("vectors plot v.safetensors -o m.svg words.txt", "--only-words words.txt"),
        ("vectors plot v.safetensors m.svg", "-o m.svg"),
        ("report v.safetensors m.html", "-o m.html"),
        ("lm generate m the cat", "--prompt 'the cat'"),
        ("corpus info c d", None),
    ],
)
def test_the_option_that_takes_arguments_too_many(command: str, meant: str | None) -> None:
    said = refusal(command, status=2)
    assert ("did you mean" in said) == (meant is not None)
    assert meant is None or said.endswith(f"; did you mean {meant}?")


def test_text_in_the_place_of_a_source() -> None:
    said = refusal("tag predict m Ann sees Bob", status=2)
    assert said.endswith("extra arguments (sees Bob); to give text itself: echo ... | windrow tag predict m -")


@pytest.mark.usefixtures("vectors")
def test_a_file_of_words_in_the_place_of_words() -> None:
    said = refusal("vectors plot v.safetensors -o m.svg --words cat words.txt")
    right = re.findall("for the words in it: (.*)", said)[0]
    assert run(f"vectors plot v.safetensors -o m.svg {right}").exit_code == 0


@pytest.mark.usefixtures("vectors")
def test_questions_in_the_place_of_word_pairs_and_the_reverse() -> None:
    for option, file in (("--similarity", "questions.txt"), ("--analogies", "pairs.tsv")):
        said = refusal(f"vectors evaluate v.safetensors {option} {file}")
        other = re.findall("; give it to (--.*)", said)[0]
        assert other != option
        assert "; give it to" not in run(f"vectors evaluate v.safetensors {other} {file}").stderr
    with pytest.raises(DataError, match="; use evaluate_similarity"):
        read_questions("pairs.tsv")
    with pytest.raises(DataError, match="; use evaluate_analogies"):
        read_pairs("questions.txt")


# --- text held back that is of another form


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("lm train rnn a.jsonl --field text --valid b.jsonl", "b.jsonl, line 1: no field 'text'; there is: body, kind"),
        ("lm train window a.jsonl --field text --valid text", "text has no fields, as its name says, but --field = "),
        (
            "classify train a.jsonl --field text --label-field label --valid c.jsonl",
            "c.jsonl, line 1: no field 'label'; there is: text",
        ),
    ],
)
def test_a_text_held_back_with_other_fields_is_named_with_those_that_it_has(command: str, told: str) -> None:
    Path("a.jsonl").write_text('{"text": "a b", "label": "x"}\n{"text": "b c", "label": "y"}\n')
    Path("b.jsonl").write_text('{"body": "a b", "kind": "x"}\n')
    Path("c.jsonl").write_text('{"text": "a b"}\n')
    said = refusal(f"{command} -o out")
    assert said.startswith(f"Error: {told}")
    assert re.search(r"; --valid is read as SOURCE is, with --field(, --label-field)?$", said)
    assert "--valid is read" not in refusal("lm train rnn b.jsonl --field text --valid a.jsonl -o out")


# --- what a next step is told


def test_numbers_out_of_range_name_the_option_as_it_was_typed() -> None:
    windrow.WordVectors(["cat", "dog", "mat"], np.eye(3, dtype=np.float32)).save("v.safetensors")
    for typed, told in (("-k 0", "-k"), ("-k0", "-k"), ("--top 0", "--top"), ("--top=0", "--top")):
        assert f"Error: {told} = 0 is out of range" in refusal(f"vectors similar v.safetensors cat {typed}")
    for typed, told in (("-k 0", "-k"), ("--classes 0", "--classes")):  # which the library checks
        assert f"Error: {told} = 0 is out of range" in refusal(f"vectors cluster v.safetensors {typed}")


def test_unknown_words_of_a_prompt_are_suggested_in_lower_case() -> None:
    windrow.NGramLM(2, "witten-bell").fit(LINES).save("m")
    said = CliRunner().invoke(main, ["lm", "generate", "m", "--prompt", "The Cat Bird", "--max-new-tokens", "2"]).stderr
    assert said == "Warning: not in the vocabulary, read as <unk>: The, Cat, Bird; did you mean the, cat?\n"
    said = CliRunner().invoke(main, ["lm", "generate", "m", "--prompt", "Bird", "--max-new-tokens", "2"]).stderr
    assert said.endswith("read as <unk>: Bird\n")


@pytest.mark.parametrize("command", ["lm score n", "vectors print v.safetensors"])
def test_an_empty_file_is_called_empty(command: str) -> None:
    windrow.WordVectors(["cat", "dog"], np.eye(2, dtype=np.float32)).save("v.safetensors")
    windrow.NGramLM(2, "witten-bell").fit(LINES).save("n")
    Path("none.txt").touch()
    result = run(f"{command} none.txt")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "Warning: none.txt is empty: there is no line to answer\n"
    assert run(f"{command} text").stderr == ""


def test_a_finished_training_names_what_trains_it_further() -> None:
    network = "lm train rnn text --epochs 1 --hidden 2 --embedding 2"
    vectors = "vectors train text --size 2 --min-count 1 --epochs 1 --sample 0"
    for trained, further in (
        (f"{network} -o r", "--continue-from r"),
        (f"{vectors} -o k.safetensors --keep-training-state", "--continue-from k.safetensors"),
        (f"{vectors} -o v.safetensors", "--vectors v.safetensors"),
    ):
        assert run(trained).exit_code == 0
        assert refusal(f"{trained} --resume").endswith(f"; to train it further: {further}, and another -o")
        again = trained.replace("-o ", f"{further} -o new.")
        assert run(again).exit_code == 0, again


def test_a_file_that_is_no_log_is_told_so() -> None:
    windrow.WordVectors(["cat", "dog"], np.eye(2, dtype=np.float32)).save("v.safetensors")
    Path("x.csv").write_text("epoch,loss\n1,2.5\n")
    for command in ("report v.safetensors --log x.csv -o p.html", "vectors plot-log x.csv -o c.svg"):
        assert refusal(command) == "Error: x.csv is no log: line 1 is not JSON; give what --log-json wrote"


def test_a_small_text_with_the_default_of_epochs_gets_one_hint() -> None:
    command = "vectors train text --size 2 --min-count 1 --sample 0 -o v.safetensors"
    words = sum(len(line.split()) for line in LINES)
    *_, summary, hint = run(command).stderr.splitlines()
    assert summary.startswith("v.safetensors: ")
    assert hint == (
        f"Hint: {words} words are few for 5 epochs; vectors of a small text are better with --epochs 20 or more"
    )
    for chosen in ("--epochs 5", "--vectors v.safetensors"):
        assert "Hint" not in run(f"{command.replace('v.safe', 'w.safe')} {chosen}").stderr
    assert hint_for_few_words(999_999, 5)
    assert not hint_for_few_words(1_000_000, 5)
