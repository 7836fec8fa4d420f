"""Commands read text as a model was trained, unless their options say otherwise, which they warn of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import windrow
from windrow.cli import main

TEXT = "The CAT sat.\nThe dog ran!\nA cat, the DOG.\nthe IL ran\n"
WAYS = {
    "words": ("--tokenizer", "word", "--lowercase"),
    "characters": ("--tokenizer", "char"),
    "turkish": ("--tokenizer", "word", "--lowercase", "--language", "tr", "--normalize", "nfkc"),
    "own": ("--tokenizer", "shlex:split"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text, and a model of it for each way to read it."""
    folder = tmp_path_factory.mktemp("as-trained")
    (folder / "text.txt").write_text(TEXT)
    for name, options in WAYS.items():
        target = folder / f"{name}.safetensors"
        train = ("train", "ngram", folder / "text.txt", "-o", target, "--order", 3, "--smoothing", "witten-bell")
        trained = run(*train, *options)
        assert trained.exit_code == 0, trained.output
    return folder


def run(*arguments: Any, **options: Any) -> Result:
    return CliRunner().invoke(main, ["lm", *map(str, arguments)], **options)


@pytest.mark.parametrize("name", WAYS)
def test_commands_agree(folder: Path, name: str) -> None:
    again = ("--tokenizer", "shlex:split") if name == "own" else ()
    model = folder / f"{name}.safetensors"

    scored = run("score", model, folder / "text.txt", *again)
    measured = run("perplexity", model, folder / "text.txt", "--json", *again)
    records = run("score", model, folder / "text.txt", "--json", *again)
    words = run("score", model, folder / "text.txt", "--words", *again)

    assert scored.stderr == measured.stderr == ""
    rows = [json.loads(line) for line in records.stdout.splitlines()]
    total = json.loads(measured.stdout)
    assert sum(map(float, scored.stdout.split())) == pytest.approx(total["log10_prob"], abs=1e-4)
    for key in ("log10_prob", "tokens", "oov"):
        assert sum(row[key] for row in rows) == pytest.approx(total[key], abs=1e-4)
    assert [row.split("\t")[0] for row in words.stdout.splitlines() if row] == [
        score.word for line in TEXT.splitlines() for score in as_trained(model, name).word_scores(line)
    ]


def as_trained(path: Path, name: str) -> Any:
    model = windrow.load(path)
    if name == "own":
        model.tokenizer = "shlex:split"
    return model


@pytest.mark.parametrize(
    ("name", "options", "warning"),
    [
        ("words", ("--no-lowercase",), "Warning: --no-lowercase: the training text of MODEL was read with --lowercase"),
        (
            "words",
            ("--tokenizer", "whitespace"),
            "--tokenizer whitespace: the training text of MODEL was read with --to",
        ),
        ("words", ("--normalize", "nfc"), "--normalize nfc: the training text of MODEL was read with no --normalize"),
        ("turkish", ("--language", "en"), "--language en: the training text of MODEL was read with --language tr"),
        ("turkish", ("--no-lowercase",), "--no-lowercase: the training"),
        ("words", ("--tokenizer", "word", "--lowercase"), ""),
    ],
)
def test_options_win_and_warn_where_they_differ(
    folder: Path, name: str, options: tuple[str, ...], warning: str
) -> None:
    model = folder / f"{name}.safetensors"
    asked = run("score", model, folder / "text.txt", *options)
    measured = run("perplexity", model, folder / "text.txt", "--json", *options)

    assert asked.exit_code == 0
    assert warning.replace("MODEL", str(model)) in asked.stderr
    assert bool(asked.stderr) == bool(warning)
    assert asked.stderr == measured.stderr
    total = json.loads(measured.stdout)["log10_prob"]
    assert sum(map(float, asked.stdout.split())) == pytest.approx(total, abs=1e-4)
    unlike = run("score", model, folder / "text.txt").stdout != asked.stdout
    assert unlike or "--normalize" in options or not warning


def test_a_function_is_asked_for_again(folder: Path) -> None:
    model = folder / "own.safetensors"
    commands = [
        ("score", model, folder / "text.txt"),
        ("perplexity", model, folder / "text.txt"),
        ("generate", model, "--prompt", "The"),
        ("mix", model, "--cache", 3, "--tune", folder / "text.txt", "-o", folder / "mixed.safetensors"),
    ]

    for command in commands:
        result = run(*command)
        assert result.exit_code == 1
        assert result.stderr.count("\n") == 1
        assert "add --tokenizer shlex:split if you trust it: that runs its module" in result.stderr
        assert run(*command, "--tokenizer", "shlex:split").exit_code == 0
    assert run("generate", model, "--seed", 1).exit_code == 0


def test_characters_come_as_text(folder: Path) -> None:
    asked = ("generate", folder / "characters.safetensors", "--prompt", "The d", "--greedy", "--max-new-tokens", 6)

    live, whole = run(*asked), run(*asked, "--json")

    assert live.stdout == json.loads(whole.stdout)["text"] + "\n"
    assert live.stdout.startswith("The d")
    assert "▁" not in live.stdout
    assert run(*asked[:2], "--prompt", "The zz", "--max-new-tokens", 1, "--seed", 1).stderr.count("z") == 1


def test_words_come_with_their_punctuation(folder: Path) -> None:
    options = ("--order", 4, "--smoothing", "mle", "-o", folder / "punctuation.safetensors")
    (folder / "cut.jsonl").write_text('{"t": ["It", "\'s", "(", "not", ")", "here", "."]}\n')
    trained = run("train", "ngram", folder / "cut.jsonl", *options, "--format", "jsonl", "--field", "t", *WAYS["words"])
    assert trained.exit_code == 0, trained.output

    live = run("generate", folder / "punctuation.safetensors", "--greedy")

    assert live.stdout == "it's (not) here.\n"


def test_a_corpus_that_was_read_otherwise_is_told(folder: Path) -> None:
    windrow.Corpus.build(folder / "text.txt", folder / "plain.corpus")
    windrow.Corpus.build(folder / "text.txt", folder / "words.corpus", tokenizer="word", lowercase=True)

    unlike = run("perplexity", folder / "words.safetensors", folder / "plain.corpus")
    alike = run("perplexity", folder / "words.safetensors", folder / "words.corpus")

    assert unlike.exit_code == alike.exit_code == 0
    assert "lowercase False, not True; tokenizer whitespace, not word" in unlike.stderr
    assert alike.stderr == ""


def test_sentences_are_remembered(folder: Path) -> None:
    (folder / "wrapped.txt").write_text("the cat\nsat\n\na dog\nran\n")
    train = ("train", "ngram", folder / "wrapped.txt", "--order", 2, "--smoothing", "witten-bell")
    run(*train, "--sentences", "paragraph", "-o", folder / "paragraphs.safetensors")

    by_default = run("perplexity", folder / "paragraphs.safetensors", folder / "wrapped.txt", "--json")
    by_line = run(
        "perplexity", folder / "paragraphs.safetensors", folder / "wrapped.txt", "--sentences", "line", "--json"
    )

    assert json.loads(by_default.stdout)["tokens"] == 6 + 2
    assert json.loads(by_line.stdout)["tokens"] == 6 + 5  # with an empty one
    assert "--sentences line: the training text" in by_line.stderr
    assert windrow.load(folder / "paragraphs.safetensors").evaluate(folder / "wrapped.txt").tokens == 8


# --- records


def test_records_are_scored_with_their_fields(folder: Path) -> None:
    rows = [{"id": 7, "text": "The cat", "tokens": "of the record"}, {"id": None, "text": ["the", "unheard"]}]
    path = folder / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    model = windrow.load(folder / "words.safetensors")
    asked = ("score", folder / "words.safetensors", path, "--format", "jsonl", "--field", "text")

    found = [json.loads(line) for line in run(*asked, "--json").stdout.splitlines()]

    assert [(row["id"], row["text"]) for row in found] == [(row["id"], row["text"]) for row in rows]
    assert [(row["tokens"], row["oov"]) for row in found] == [(3, 0), (3, 1)]
    for row, given in zip(found, rows, strict=True):
        assert row["log10_prob"] == pytest.approx(model.log_prob(given["text"]))
        assert row["perplexity"] == pytest.approx(10 ** (-row["log10_prob"] / row["tokens"]))
    numbers = [float(line) for line in run(*asked).stdout.splitlines()]
    assert numbers == pytest.approx([row["log10_prob"] for row in found], abs=1e-6)
    assert run(*asked, input=path.read_text()).stdout == run(*asked).stdout


def test_a_record_without_text_has_its_line_all_the_same(folder: Path) -> None:
    rows = '{"t": "the cat"}\n{"t": null}\n{"t": ""}\n'

    result = run("score", folder / "words.safetensors", "--format", "jsonl", "--field", "t", input=rows)

    model = windrow.load(folder / "words.safetensors")
    expected = [model.log_prob(text) for text in ("the cat", "", "")]
    assert [float(line) for line in result.stdout.splitlines()] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("form", ["", "--words", "--json"])
def test_a_line_that_is_the_name_of_a_file_is_scored(
    folder: Path, form: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("cat").touch()

    result = run("score", folder / "words.safetensors", *filter(None, [form]), input="cat\nnotes.txt\n")

    assert (result.exit_code, result.stderr) == (0, "")
    if not form:
        expected = [windrow.load(folder / "words.safetensors").log_prob(line) for line in ("cat", "notes.txt")]
        assert [float(line) for line in result.stdout.splitlines()] == pytest.approx(expected, abs=1e-6)


def test_folders_and_globs_are_scored(folder: Path, tmp_path: Path) -> None:
    for name, text in (("b.txt", "the cat\n"), ("a.txt", "a dog\nthe\n"), (".hidden", "no\n")):
        (tmp_path / name).write_text(text)
    model = windrow.load(folder / "words.safetensors")
    expected = [model.log_prob(line) for line in ("a dog", "the", "the cat")]
    for source in (tmp_path, f"{tmp_path}/*.txt"):
        result = run("score", folder / "words.safetensors", source)
        assert [float(line) for line in result.stdout.splitlines()] == pytest.approx(expected, abs=1e-6)
    windrow.Corpus.build(tmp_path / "a.txt", tmp_path / "a.corpus")
    refused = run("score", folder / "words.safetensors", tmp_path / "a.corpus")
    assert refused.stderr.startswith(f"Error: {tmp_path / 'a.corpus'} is a corpus, not text; ")


def test_a_column_is_scored(folder: Path) -> None:
    (folder / "rows.csv").write_text('id,text\n1,"the cat\nsat"\n2,a dog\n')

    result = run("score", folder / "words.safetensors", folder / "rows.csv", "--format", "csv", "--field", "text")

    model = windrow.load(folder / "words.safetensors")
    alone = model.log_probs(["the cat", "sat", "a dog"]).tolist()
    assert [float(line) for line in result.stdout.splitlines()] == pytest.approx([sum(alone[:2]), alone[2]], abs=1e-6)


@pytest.mark.parametrize(
    ("line", "options", "message"),
    [
        ("{", ("--field", "t"), "line 1: not JSON"),
        ("3", ("--field", "t"), "line 1: no field 't'; there is: no object"),
        ('{"u": "a"}', ("--field", "t"), "line 1: no field 't'; there is: u"),
        ('{"t": 3}', ("--field", "t"), "line 1, field 't': a text or a list of words is needed, not 3"),
        ('{"t": "a"}', (), "needs the name of the field that holds the text: --field NAME"),
        ('{"t": "a"}', ("--field", "t", "--words", "--json"), "--words and --json are two ways"),
        ('{"t": "<s> a"}', ("--field", "t"), "line 1 holds '<s>'"),
    ],
)
def test_records_that_are_none(folder: Path, line: str, options: tuple[str, ...], message: str) -> None:
    result = run(
        "score", folder / "own.safetensors", "--format", "jsonl", *options, "--tokenizer", "shlex:split", input=line
    )

    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert message in result.stderr


# --- bytes, marks: messages name what the command has


def test_bytes_that_are_not_utf8(folder: Path) -> None:
    (folder / "latin.txt").write_bytes(b"the caf\xe9\n")
    for command in ("score", "perplexity"):
        asked = (command, folder / "words.safetensors", folder / "latin.txt")
        refused = run(*asked)
        assert refused.exit_code == 1
        assert refused.stderr.endswith("is not UTF-8; convert the file, or try --errors replace\n")
        assert run(*asked, "--errors", "replace").exit_code == 0
    typed = run("score", folder / "words.safetensors", "--errors", "ignore", input=b"the caf\xe9\n")
    assert float(typed.stdout) == pytest.approx(
        windrow.load(folder / "words.safetensors").log_prob("the caf"), abs=1e-6
    )


@pytest.mark.parametrize(
    ("command", "ends"),
    [
        (("generate", "MODEL", "--prompt", "<s> The"), "is added by itself; take it out\n"),
        (("score", "MODEL", "marks.txt"), "or leave such symbols out with --skip-symbols\n"),
        (("perplexity", "MODEL", "marks.txt"), "or leave such symbols out with --skip-symbols\n"),
        (("train", "ngram", "marks.txt", "-o", "x.arpa"), "or leave such symbols out with --skip-symbols\n"),
    ],
)
def test_marks(folder: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], ends: str) -> None:
    monkeypatch.chdir(folder)
    Path("marks.txt").write_text("<s> The cat\n")
    windrow.NGramLM(2, "witten-bell").fit(["The cat"]).save("plain.safetensors")

    result = run(*(part.replace("MODEL", "plain.safetensors") for part in command))

    assert result.exit_code == 1
    assert result.stderr.endswith(ends)


def test_arpa_files_that_cannot_say_how_text_is_read_warn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text").write_text("The cat\nA cat\n")
    train = ["lm", "train", "ngram", "text", "--order", "2", "--smoothing", "witten-bell", "--lowercase"]
    for command in (
        [*train, "--tokenizer", "word", "-o", "a.arpa"],
        [*train, "--tokenizer", "word", "-o", "-"],
        [*train, "--tokenizer", "word", "-o", "m.safetensors"],
        ["lm", "convert", "m.safetensors", "b.arpa.gz"],
    ):
        result = CliRunner().invoke(main, command)
        assert ("give --tokenizer word --lowercase to the commands" in result.stderr) == (
            "m.safetensors" not in command[-1:]
        )
    score = ["lm", "score", "a.arpa", "text"]
    as_advised = CliRunner().invoke(main, [*score, "--tokenizer", "word", "--lowercase"]).stdout
    assert as_advised != CliRunner().invoke(main, score).stdout
    remembered = CliRunner().invoke(main, ["lm", "score", "m.safetensors", "text"]).stdout
    assert list(map(float, as_advised.split())) == pytest.approx(list(map(float, remembered.split())), abs=2e-6)
