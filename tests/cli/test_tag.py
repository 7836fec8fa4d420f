"""`windrow tag`: what goes to stdout, what to stderr, and the exit status."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from tests.tagging.conftest import made_up
from windrow.cli import main
from windrow.embeddings.vectors import WordVectors, save_vectors
from windrow.tagging import TaggedSentence, WindowTagger, read_conll, write_conll

QUICK = ("--size", 8, "--hidden", 16, "--epochs", 6, "--lr", 0.005, "--batch-size", 4, "--dropout", 0.1)


def run(*arguments: Any, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, ["tag", *map(str, arguments)], input=stdin)


def write(path: Path, sentences: list[TaggedSentence]) -> None:
    with path.open("w") as stream:
        write_conll(sentences, stream)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tag")
    for seed, (name, size) in enumerate({"train": 60, "valid": 10, "test": 20}.items()):
        write(folder / f"{name}.conll", made_up(size, seed))
    arguments = (folder / "train.conll", "--valid", folder / "valid.conll", "-o", folder / "a.safetensors", *QUICK)
    result = run("train", *arguments)
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "LOC, PER; " in result.stderr
    assert "is kept: validation F1 1.0000\n" in result.stderr
    return folder


def test_evaluate_as_json_has_the_keys_of_the_contract(folder: Path) -> None:
    result = run("evaluate", folder / "a.safetensors", folder / "test.conll", "--json")
    expected = WindowTagger.load(folder / "a.safetensors").evaluate(folder / "test.conll")
    found = json.loads(result.stdout)
    assert found == expected.to_json()
    assert set(found) == {"f1", "precision", "recall", "types"}
    assert set(found["types"]) == {"LOC", "PER"}
    assert found["f1"] > 0.9


def test_evaluate_draws_which_tag_is_taken_for_which(folder: Path, tmp_path: Path) -> None:
    """In the scheme of the training, whatever that of the file is."""
    write(tmp_path / "x.conll", [TaggedSentence(["in", "Rome", "we", "met", "Ada"], ["O", "S-LOC", "O", "O", "S-LOC"])])
    arguments = ("evaluate", folder / "a.safetensors", tmp_path / "x.conll")
    tagger = WindowTagger.load(folder / "a.safetensors")
    found = tagger.true_and_predicted(tmp_path / "x.conll")
    assert found == (["O", "I-LOC", "O", "O", "I-LOC"], ["O", "I-LOC", "O", "O", "I-PER"])
    picture = tmp_path / "tags.svg"
    table = run(*arguments).stdout
    assert run(*arguments, "--plot", picture).stdout == table
    piped = ("evaluate", folder / "a.safetensors", "-", "--plot", picture)
    assert run(*piped, stdin=(tmp_path / "x.conll").read_text()).stdout == table  # it is read once only
    assert all(f">{text}<" in picture.read_text() for text in ("I-LOC", "I-PER", "O", "3"))


def test_evaluate_prints_a_table_and_warns_of_unknown_types(folder: Path, tmp_path: Path) -> None:
    write(tmp_path / "x.conll", [TaggedSentence(["in", "Rome", "we", "met", "Ada"], ["B-DEITY", "I-LOC", *"OOO"])])
    result = run("evaluate", folder / "a.safetensors", tmp_path / "x.conll")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["precision", "DEITY", "LOC", "PER", "all"]
    assert "has not learned DEITY: counted as missed" in result.stderr


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("in Rome we met Ada Grace\nOslo\n", ()),
        ("in O\nRome O\nwe O\nmet O\nAda O\nGrace O\n\nOslo O\n", ()),
        ("in\nRome\nwe\nmet\nAda\nGrace\n\nOslo\n", ()),
        ("in\tx\nRome\tx\nwe\tx\nmet\tx\nAda\tx\nGrace\tx\n\nOslo\tx\n", ("--format", "conll")),
    ],
)
def test_predict_reads_lines_and_columns(folder: Path, text: str, options: tuple[str, ...]) -> None:
    result = run("predict", folder / "a.safetensors", "-", *options, stdin=text)
    tags = WindowTagger.load(folder / "a.safetensors").predict([["in", "Rome", "we", "met", "Ada", "Grace"], ["Oslo"]])
    assert tags[0] == ["O", "I-LOC", "O", "O", "I-PER", "I-PER"]
    tokens = ["in", "Rome", "we", "met", "Ada", "Grace"]
    lines = [f"{token}\t{tag}\n" for token, tag in zip(tokens, tags[0], strict=True)]
    after_the_last = "\n" if text.startswith("in Rome") else ""  # as many lines as a column file has
    assert result.stdout == "".join([*lines, "\n", f"Oslo\t{tags[1][0]}\n", after_the_last])


def test_text_is_cut_as_options_say(folder: Path, tmp_path: Path) -> None:
    model = folder / "a.safetensors"
    (tmp_path / "latin.txt").write_bytes(b"in Rome\xe9 we\n")
    (tmp_path / "columns.txt").write_text("in\nRome\n\nOslo\n")

    cut = run("predict", model, "--tokenizer", "word", stdin="in Rome, we met (Ada)!\n")

    spaced = run("predict", model, stdin="in Rome we met Ada\n")
    assert cut.stdout == spaced.stdout
    refused = run("predict", model, tmp_path / "latin.txt")
    assert refused.exit_code == 1
    assert refused.stderr.endswith("or try --errors replace\n")
    assert run("predict", model, tmp_path / "latin.txt", "--errors", "ignore").stdout.startswith("in\tO\nRome\t")
    columns = run("predict", model, tmp_path / "columns.txt", "--tokenizer", "word")
    assert columns.exit_code == 1
    assert "holds one token per line; leave out tokenizer and normalize" in columns.stderr


def test_text_may_end_in_words_that_look_like_tags(folder: Path) -> None:
    result = run("predict", folder / "a.safetensors", "-", "--format", "text", stdin="in Rome O\nBlood type O\n")
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == [
        "in",
        "Rome",
        "O",
        "",
        "Blood",
        "type",
        "O",
        "",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Museums in Paris use plan B",
        "We drove to Paris on I-95",
        "Malcolm and I",
        "Take the U-Bahn",
        "My blood is of type O",
        "Vitamin B\nVitamin E",
        "plan B\n\nplan S",
        "with an M-16\nin the U-Bahn\n",
    ],
)
def test_every_word_of_a_text_comes_back(folder: Path, text: str) -> None:
    result = run("predict", folder / "a.safetensors", stdin=f"{text}\n")
    assert [line.split("\t")[0] for line in result.stdout.splitlines() if line] == text.split()


COLUMN_FILE = """-DOCSTART- -X- O O

# sent_id = 1
in IN I-PP O
# between tokens
Rome NNP I-NP I-LOC


# last
Ada NNP I-NP I-PER
-DOCSTART- -X- O O
\t
we PRP I-NP O

"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("tabs", [False, True])
def test_as_many_lines_come_out_as_went_in(folder: Path, end: str, tabs: bool) -> None:
    text = COLUMN_FILE
    if tabs:
        text = re.sub("^(?!# ).*$", lambda line: line[0].replace(" ", "\t"), text, flags=re.MULTILINE)
    result = run("predict", folder / "a.safetensors", stdin=text.replace("\n", end))
    lines = result.stdout.split("\n")
    assert len(lines) == text.count("\n") + 1
    for before, after in zip(text.split("\n"), lines, strict=True):
        if before.startswith("# ") or not before.strip():
            assert after == before.strip()
        else:
            token, tag = after.split("\t")
            assert token == before.split()[0]
            assert token != "-DOCSTART-" or tag == "O"
    tags = [line.split("\t")[1] for line in lines if "\t" in line and "DOCSTART" not in line]
    alone = WindowTagger.load(folder / "a.safetensors").predict([["in", "Rome"], ["Ada"], ["we"]])
    assert tags == [tag for sentence in alone for tag in sentence]


def test_columns_are_numbered_from_one(folder: Path, tmp_path: Path) -> None:
    def numbered(name: str) -> Path:
        lines = []
        for tokens, tags, _ in read_conll(folder / f"{name}.conll"):
            rows = enumerate(zip(tokens, tags, strict=True), 1)
            lines += ["#\tsource [2020]", *(f"{n}\t{token}\t{tag}\tO" for n, (token, tag) in rows), ""]
        (tmp_path / name).write_text("\n".join(lines) + "\n")
        return tmp_path / name

    columns = ("--token-column", 2, "--tag-column", 3)
    arguments = (numbered("train"), "--valid", numbered("valid"), "-o", tmp_path / "b.safetensors", *QUICK)
    assert run("train", *arguments, *columns).exit_code == 0
    first, second = (WindowTagger.load(place) for place in (folder / "a.safetensors", tmp_path / "b.safetensors"))
    np.testing.assert_array_equal(first.network_.parameters.values, second.network_.parameters.values)
    for flags in (columns, ("--token-column", -3, "--tag-column", -2)):
        found = run("evaluate", tmp_path / "b.safetensors", numbered("test"), *flags, "--json")
        assert json.loads(found.stdout) == first.evaluate(folder / "test.conll").to_json()
    tagged = run("predict", tmp_path / "b.safetensors", numbered("test"), "--token-column", 2).stdout
    assert tagged.count("\n") == (tmp_path / "test").read_text().count("\n")
    (tmp_path / "tagged").write_text(tagged)
    assert [s.tokens for s in read_conll(tmp_path / "tagged")] == [s.tokens for s in read_conll(folder / "test.conll")]
    python = first.evaluate(tmp_path / "test", token_column=1, tag_column=2)
    assert python.to_json() == json.loads(found.stdout)
    for command, refused in {
        ("train", "-o", "new"): "the tokens: --token-column N",
        ("evaluate", "--token-column", "2"): "holds no entities to judge by",
        ("evaluate", "--token-column", "5"): "there is no 5th column, the line has 4 columns",
        ("evaluate", "--token-column", "0"): "--token-column = 0: columns count from 1",
        ("predict",): "--token-column N",
        (
            "predict",
            "--format",
            "text",
            "--token-column",
            "2",
        ): "a text has no columns; leave it out, or choose --format conll",
    }.items():
        name, *options = command
        model = [] if name == "train" else [tmp_path / "b.safetensors"]
        result = run(name, *model, tmp_path / "test", *options)
        assert result.exit_code == 1
        assert refused in result.stderr
        assert result.stderr.count("\n") == 1


def test_what_is_predicted_can_be_read(folder: Path, tmp_path: Path) -> None:
    result = run("predict", folder / "a.safetensors", folder / "test.conll")
    (tmp_path / "out.conll").write_text(result.stdout)
    tokens = [s.tokens for s in read_conll(folder / "test.conll")]
    assert [s.tokens for s in read_conll(tmp_path / "out.conll")] == tokens
    assert run("predict", folder / "a.safetensors", stdin="").stdout == ""


def test_train_with_vectors_types_and_outputs(folder: Path, tmp_path: Path) -> None:
    words = ["rome", "oslo", "ada"]
    vectors = WordVectors(words, np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32))
    save_vectors(vectors, tmp_path / "v.safetensors")
    options = ("--vectors", tmp_path / "v.safetensors", "--output-layer", "logistic", "--scheme", "io", "--type", "LOC")
    result = run("train", folder / "train.conll", "-o", tmp_path / "b.safetensors", *options, *QUICK[2:])
    assert result.exit_code == 0
    model = WindowTagger.load(tmp_path / "b.safetensors")
    assert model.tags_ == ["O", "I-LOC"]
    assert list(model.lexicon_.words[-3:]) == words
    assert model.network_.words.learning.value.shape[1] == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "{train}", "-o", "{new}", "--window", 4), "--window = 4 must be odd"),
        (("train", "{train}", "-o", "{new}", "--hidden", 0), "--hidden = 0 is out of range"),
        (("train", "{train}", "-o", "{new}", "--type", "CITY"), "--type = ['CITY'] are no entities of"),
        (("train", "{train}", "-o", "{train}"), "read and written"),
        (("train", "{train}", "-o", "{folder}/none/x"), "does not exist"),
        (("train", "{train}", "-o", "{new}", "--vectors", "{tagger}"), "holds an entity tagger, not word vectors"),
        (("train", "{train}", "-o", "{new}", "--valid", "{none}"), "holds no entities to judge by"),
        (("train", "{none}", "-o", "{new}"), "no entities to learn"),
        (("train", "{empty}", "-o", "{new}"), "holds no tokens; expected a token and its tag on each line"),
        (("train", "{ragged}", "-o", "{new}"), "ragged, line 2: 1 column, but line 1 has 2"),
        (("train", "{train}", "-o", "{new}", "--optimizer", "sgd", "--lr", "1e25", "--clip", "1e30"), "diverged"),
        (("evaluate", "{tagger}", "{none}"), "holds no entities to judge by"),
        (("evaluate", "{tagger}", "{ragged}"), "ragged, line 2"),
        (("evaluate", "{train}", "{train}"), "is text, not an entity tagger"),
        (("predict", "{tagger}", "{ragged}", "--format", "conll"), "ragged, line 2"),
        (("predict", "{tagger}", "{folder}/none"), "No such file"),
        (
            ("evaluate", "{tagger}", "{other}"),
            "entities of the types DEITY, none of which the tagger has learned; it kno",
        ),
        (
            ("train", "{other}", "-o", "{new}", "--tag-column", 1),
            "is the tag in another column? Number it: --tag-column N",
        ),
        *(
            (("train", f"{{{text}}}", "-o", "{new}"), "is this running text? put a token and its tag on each line")
            for text in ("text", "alike", "words", "paragraphs", "tagged")
        ),
        (("predict", "{tagger}", "{text}", "--format", "conll"), "is this running text? put a token on each line"),
        (("train", "{none}", "-o", "{new}"), "is the tag in another column? Number it: --tag-column N"),
    ],
)
def test_bad_input_is_one_line(folder: Path, tmp_path: Path, arguments: tuple[Any, ...], message: str) -> None:
    (tmp_path / "none").write_text("a O\nb O\n")
    (tmp_path / "other").write_text("met O\nRome B-DEITY\n")
    (tmp_path / "text").write_text("we met in Rome\nand went\n")
    (tmp_path / "alike").write_text("we met in Rome\nthey went to Oslo\n")
    (tmp_path / "words").write_text("Rome\nOslo\n")
    (tmp_path / "paragraphs").write_text("we met in Rome\n\nand went\n")
    (tmp_path / "tagged").write_text("You and I\nWe and I\n")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "ragged").write_text("a O\nb\n")
    places = {name: tmp_path / name for name in ("none", "empty", "ragged", "new", "other", "text")}
    places |= {name: tmp_path / name for name in ("alike", "words", "paragraphs", "tagged")}
    places |= {"train": folder / "train.conll", "tagger": folder / "a.safetensors", "folder": folder}
    result = run(*(str(argument).format(**places) for argument in arguments))
    assert result.exit_code == 1
    assert message in result.stderr
    errors = [line for line in result.stderr.splitlines() if line]
    assert len(errors) == 1
    assert errors[0].startswith("Error: ")
    assert not (tmp_path / "new").exists()


def test_ctrl_c_writes_the_best_tagger_so_far(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from windrow.evaluation.spans import evaluate_spans
    from windrow.tagging import trained

    judged = []

    def interrupted(*arguments: Any) -> Any:
        judged.append(1)
        if len(judged) == 2:
            raise KeyboardInterrupt
        return evaluate_spans(*arguments)

    monkeypatch.setattr(trained, "evaluate_spans", interrupted)
    output = tmp_path / "c.safetensors"
    result = run("train", folder / "train.conll", "--valid", folder / "valid.conll", "-o", output, *QUICK)
    assert result.exit_code == 130
    assert "training stopped in epoch 2" in result.stderr
    assert f"it is written to {output}" in result.stderr
    monkeypatch.undo()
    assert len(WindowTagger.load(output).history_) == 1


# --- a training that goes on


def interrupted(folder: Path, checkpoint: Path) -> None:
    """The training of QUICK, stopped in its third epoch."""

    def stop(report: Any) -> None:
        if report.epoch == 3:
            raise KeyboardInterrupt

    options = {
        "vector_size": 8,
        "hidden_size": 16,
        "epochs": 6,
        "learning_rate": 0.005,
        "batch_size": 4,
        "dropout": 0.1,
    }
    model = WindowTagger(**options, callbacks=[stop])
    with pytest.raises(KeyboardInterrupt, match=r"has the state after epoch 2, from which resume=True goes on"):
        model.fit(folder / "train.conll", valid=folder / "valid.conll", checkpoint=checkpoint)


@pytest.mark.parametrize("named", [False, True])
def test_resume_goes_on_to_the_same_tagger(folder: Path, tmp_path: Path, named: bool) -> None:
    checkpoint = tmp_path / ("state" if named else "b.safetensors.checkpoint")
    interrupted(folder, checkpoint)
    log = tmp_path / "log.jsonl"
    arguments = [folder / "train.conll", "--valid", folder / "valid.conll", "-o", tmp_path / "b.safetensors", *QUICK]
    arguments += ["--log-json", log, *(["--checkpoint", checkpoint] if named else [])]

    refused = run("train", *arguments)
    assert refused.exit_code == 1
    assert "holds an unfinished training; add --resume to go on" in refused.stderr
    result = run("train", *arguments, "--resume")

    assert result.exit_code == 0, result.output
    whole, resumed = (
        WindowTagger.load(place / name) for place, name in ((folder, "a.safetensors"), (tmp_path, "b.safetensors"))
    )
    np.testing.assert_array_equal(resumed.network_.parameters.values, whole.network_.parameters.values)
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    assert rows == resumed.history_[2:]
    assert not checkpoint.exists()


@pytest.mark.parametrize(("form", "sentence"), [("text", "in Rome\n"), ("conll", "in\nRome\n\n")])
def test_answers_come_sentence_by_sentence(folder: Path, form: str, sentence: str) -> None:
    command = [sys.executable, "-m", "windrow", "tag", "predict", str(folder / "a.safetensors"), "--format", form]
    tags = WindowTagger.load(folder / "a.safetensors").predict([["in", "Rome"]])[0]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(2):
            process.stdin.write(sentence)
            process.stdin.flush()
            assert [process.stdout.readline() for _ in range(3)] == [f"in\t{tags[0]}\n", f"Rome\t{tags[1]}\n", "\n"]
        process.stdin.close()
        assert process.stdout.read() == ""
