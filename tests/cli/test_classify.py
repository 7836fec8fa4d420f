"""`windrow classify`: what it reads, what it prints, what it refuses."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from click.testing import CliRunner, Result
from sklearn.metrics import precision_recall_fscore_support

import windrow
from tests.classification.test_classifier import LABELS, TEXTS
from windrow import TextClassifier
from windrow.cli import classify, main

QUICK = ("--size", 8, "--lr", 0.5, "--epochs", 20)
LINES = "".join(f"__label__{label} {text}\n" for label, text in zip(LABELS, TEXTS, strict=True))


def run(*arguments: Any, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, ["classify", *map(str, arguments)], input=stdin)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("classify")
    (folder / "train.txt").write_text(LINES)
    trained = run("train", folder / "train.txt", "-o", folder / "model", "--valid", folder / "train.txt", *QUICK)
    assert (trained.exit_code, trained.stdout) == (0, "")
    assert "model: 3 labels, 15 features; 20 epochs of 36 texts in " in trained.stderr
    assert f"accuracy 1.0000 on {folder / 'train.txt'}" in trained.stderr
    return folder


def trained_on(path: Path, *options: Any) -> TextClassifier:
    result = run("train", path, "-o", path.with_name("m"), *QUICK, *options)
    assert result.exit_code == 0, result.output
    return TextClassifier.load(path.with_name("m"))


def same(one: TextClassifier, other: TextClassifier) -> bool:
    return one.classes_.tolist() == other.classes_.tolist() and bool((one.vectors_ == other.vectors_).all())


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.parquet"])
def test_records_train_as_lines_do(folder: Path, tmp_path: Path, name: str) -> None:
    path, frame = tmp_path / name, pandas.DataFrame({"kind": LABELS, "id": range(len(TEXTS)), "said": TEXTS})
    {
        "a.csv": lambda: frame.to_csv(path),
        "a.tsv": lambda: frame.to_csv(path, sep="\t"),
        "a.jsonl": lambda: frame.to_json(path, orient="records", lines=True),
        "a.parquet": lambda: frame.to_parquet(path),
    }[name]()
    by_lines = TextClassifier.load(folder / "model")

    assert same(trained_on(path, "--field", "said", "--label-field", "kind"), by_lines)
    found = run("evaluate", folder / "model", path, "--field", "said", "--label-field", "kind", "--json")
    assert json.loads(found.stdout)["accuracy"] == 1
    texts = run("predict", folder / "model", path, "--field", "said")
    assert texts.stdout == run("predict", folder / "model", folder / "train.txt").stdout


def test_given_vectors(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text(LINES)
    for size in (8, 5):
        windrow.WordVectors(["film", "movie"], np.ones((2, size), np.float32)).save(tmp_path / f"{size}.vec")
    result = run("train", tmp_path / "train.txt", "-o", tmp_path / "m", *QUICK, "--vectors", tmp_path / "8.vec")
    assert "16 features (with given vectors: 1); 20 epochs" in result.stderr
    assert "movie" in TextClassifier.load(tmp_path / "m").features_.words
    refused = run("train", tmp_path / "train.txt", "-o", tmp_path / "n", *QUICK, "--vectors", tmp_path / "5.vec")
    assert "vectors have 5 dimensions, but --size = 8; try --size 5" in refused.stderr
    assert not (tmp_path / "n").exists()


def test_several_labels_of_a_record(tmp_path: Path) -> None:
    pairs = [("wine from france", ["wine", "fr"]), ("cars from italy", ["car", "it"]), ("wine from italy", ["it"])] * 9
    lists, joined, lines = (tmp_path / name for name in ("a.jsonl", "a.csv", "a.txt"))
    lists.write_text("".join(json.dumps({"text": text, "labels": labels}) + "\n" for text, labels in pairs))
    joined.write_text("text,labels\n" + "".join(f"{text},{'; '.join(labels)}\n" for text, labels in pairs))
    lines.write_text("".join(f"{text} {' '.join(map('#{}'.format, labels))}\n" for text, labels in pairs))
    fields = ("--field", "text", "--label-field", "labels", "--loss", "ova")

    model = trained_on(lists, *fields)

    assert model.classes_.tolist() == ["car", "fr", "it", "wine"]
    assert same(trained_on(joined, *fields, "--label-separator", ";"), model)
    assert same(trained_on(lines, "--label-prefix", "#", "--loss", "ova"), model)
    assert trained_on(joined, *fields).classes_.tolist() == ["car; it", "it", "wine; fr"]
    answer = run("predict", tmp_path / "m", "-k", 9, "--json", stdin="#x wine from france\n")
    assert json.loads(answer.stdout)["text"] == "#x wine from france"


def test_labels_that_are_numbers_or_missing(tmp_path: Path) -> None:
    records = [{"text": text, "label": len(label)} for text, label in zip(TEXTS, LABELS, strict=True)]
    records += [{"text": "nothing known", "label": None}, {"text": "nor here", "label": []}, {"text": "", "label": 4}]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    model = trained_on(path, "--field", "text", "--label-field", "label")

    assert model.classes_.tolist() == ["3", "4"]
    assert model.class_counts_.tolist() == [12, 24]
    TextClassifier(8, learning_rate=0.5, epochs=20).fit(TEXTS, [len(label) for label in LABELS]).save(tmp_path / "n")
    for name in ("m", "n"):  # labels that are strings, and whole numbers
        found = run("evaluate", tmp_path / name, path, "--field", "text", "--label-field", "label", "--json")
        assert json.loads(found.stdout) == json.loads(found.stdout) | {"accuracy": 1.0, "examples": 36}
        assert "left out 1 record without text" in found.stderr
        assert "has not learned" not in found.stderr


def test_the_language_of_the_training_is_that_of_the_model(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("__label__IR KISA\n__label__in uzun\n" * 9)
    model = trained_on(tmp_path / "a.txt", "--lowercase", "--language", "tr", "--normalize", "nfc")

    assert model.classes_.tolist() == ["IR", "in"]
    assert "k\u0131sa" in model.features_.words
    assert run("predict", tmp_path / "m", stdin="KISA\n").stdout.startswith("IR\t")
    refused = run("train", tmp_path / "a.txt", "-o", tmp_path / "n", "--language", "tr")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "add --lowercase" in refused.stderr


def test_evaluate_as_json_has_the_keys_of_the_contract_and_scikit_learns_numbers(folder: Path, tmp_path: Path) -> None:
    truth = ["bad", "good", "bad", "food", "food", "good"] * 2
    lines = [f"__label__{label} {text}" for label, text in zip(truth, TEXTS, strict=False)]
    (tmp_path / "test.txt").write_text("\n".join([*lines, "no label here", "__label__new a film"]) + "\n")
    result = run("evaluate", folder / "model", tmp_path / "test.txt", "--json")
    found = json.loads(result.stdout)

    assert "has not learned new: counted as missed" in result.stderr
    assert list(found) == ["accuracy", "precision", "recall", "examples", "labels"]
    names = sorted({*truth, "new"})
    predicted = TextClassifier.load(folder / "model").predict([*TEXTS[:12], "a film"]).tolist()
    each = precision_recall_fscore_support([*truth, "new"], predicted, labels=names, zero_division=0)
    for name, *numbers in zip(names, *each, strict=True):
        assert found["labels"][name] == pytest.approx(
            dict(zip(("precision", "recall", "f1", "examples"), numbers, strict=True))
        )
    whole = precision_recall_fscore_support([*truth, "new"], predicted, average="micro", zero_division=0)
    assert (found["precision"], found["recall"], found["examples"]) == (*map(pytest.approx, whole[:2]), 13)
    assert found["accuracy"] == pytest.approx(whole[0])
    table = run("evaluate", folder / "model", tmp_path / "test.txt").stdout.splitlines()
    assert [line.split()[0] for line in table] == ["precision", *names, "all", "accuracy"]
    two = json.loads(run("evaluate", folder / "model", folder / "train.txt", "--json", "-k", 2).stdout)
    assert (two["accuracy"], two["precision"], two["recall"]) == (1, 0.5, 1)  # of two labels one is true


def test_predict_prints_labels_with_probabilities(folder: Path) -> None:
    model, texts = TextClassifier.load(folder / "model"), ["a good plot", "", "old wine", "never seen"]
    stdin = "a good plot\n\n__label__bad old wine\nnever seen\n"
    labels = model.top_labels(texts, k=3)

    def rows(answer: Result) -> list[list[str]]:
        assert answer.exit_code == 0, answer.output
        return [line.split("\t") for line in answer.stdout.splitlines()]

    def same(answer: Result, expected: list[list[tuple[Any, float]]]) -> None:
        """To the last digit: that of a text alone may be another than that of several at once."""
        found = rows(answer)
        assert [one[::2] for one in found] == [[label for label, _ in one] for one in expected]
        assert [float(p) for one in found for p in one[1::2]] == pytest.approx(
            [p for one in expected for _, p in one], abs=2e-6
        )

    likeliest = [one[:1] for one in labels]
    same(run("predict", folder / "model", stdin=stdin), likeliest)
    same(run("predict", folder / "model", "-", "-k", 3, stdin=stdin), labels)
    same(run("predict", folder / "model", "--probabilities", stdin=stdin), labels)
    above = run("predict", folder / "model", "-", "--threshold", 0.9, stdin=stdin)
    assert [line.split("\t")[0] for line in above.stdout.splitlines()] == [
        label if p >= 0.9 else "" for [(label, p)] in likeliest
    ]
    objects = [json.loads(line) for line in run("predict", folder / "model", "--json", stdin=stdin).stdout.splitlines()]
    assert [one["text"] for one in objects] == stdin.splitlines()
    assert [[one["label"] for one in each["labels"]] for each in objects] == [[label] for [(label, _)] in likeliest]
    shares = [one["probability"] for each in objects for one in each["labels"]]
    assert shares == pytest.approx([p for [(_, p)] in likeliest], rel=1e-5)


def test_a_text_without_a_known_word_is_told(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classify, "_TEXTS_AT_A_TIME", 2)  # numbers go on from batch to batch
    (tmp_path / "in.txt").write_text("a good plot\n\nold wine\n__label__good never seen\n")
    told = "Warning: {}: no word of it is known; its labels are those of an empty text\n"
    found = run("predict", folder / "model", tmp_path / "in.txt")
    assert (found.exit_code, found.stdout.count("\n")) == (0, 4)
    assert found.stderr == told.format("line 2") + told.format("line 4")
    (tmp_path / "in.jsonl").write_text('{"said": "old wine"}\n{"said": "never seen"}\n')
    assert run("predict", folder / "model", tmp_path / "in.jsonl", "--field", "said").stderr == told.format("text 2")


def test_a_line_in_a_pipe_is_answered_at_once(folder: Path) -> None:
    command = [sys.executable, "-m", "windrow", "classify", "predict", str(folder / "model")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for text, label in (("a good film", "good"), ("old cheese", "food")):
            process.stdin.write(f"{text}\n")
            process.stdin.flush()
            assert process.stdout.readline().startswith(f"{label}\t")


def test_predictions_come_in_batches(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(classify, "_TEXTS_AT_A_TIME", 2048)
    (tmp_path / "many.txt").write_text("a good film\nold wine\n" * 2500)
    sizes, ask = [], TextClassifier.top_labels
    monkeypatch.setattr(TextClassifier, "top_labels", lambda self, x, *o: sizes.append(len(x)) or ask(self, x, *o))

    answer = run("predict", folder / "model", tmp_path / "many.txt")

    assert [line.split("\t")[0] for line in answer.stdout.splitlines()] == ["good", "food"] * 2500
    assert sizes == [2048, 2048, 904]


def test_a_tokenizer_that_only_the_file_names_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_cut.py").write_text("def cut(text):\n    return text.split('-')\n")
    monkeypatch.syspath_prepend(tmp_path)
    rows = (f"{text.replace(' ', '-')},{label}\n" for text, label in zip(TEXTS, LABELS, strict=True))
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(rows))
    trained_on(tmp_path / "a.csv", "--field", "text", "--label-field", "label", "--tokenizer", "my_cut:cut")

    refused = run("predict", tmp_path / "m", stdin="a-good-film\n")
    assert refused.exit_code == 1
    assert "--tokenizer my_cut:cut" in refused.stderr
    answer = run("predict", tmp_path / "m", "--tokenizer", "my_cut:cut", stdin="a-good-film\n")
    assert answer.stdout.startswith("good\t")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("train plain.txt -o o", "plain.txt holds no label, a word that begins with '__label__'; name the fields "),
        ("train one.txt -o o", "there is 1 label; give texts of two at least to tell apart"),
        ("train a.csv -o o", "a.csv holds records, as its name says; name the field that holds the text with --field"),
        ("train a.csv -o o --field text --label-field kind", "a.csv: no column 'kind'; there is: text, label"),
        ("train a.csv -o o --field text --label-field label", "a.csv holds no label, in the field 'label'"),
        (
            "train a.jsonl -o o --field text --label-field label",
            "a.jsonl, line 1, field 'label': the label 1.5 must",
        ),
        ("train b.jsonl -o o --field text --label-field label", "b.jsonl, line 1, field 'label': the label 'a\\tb' mu"),
        ("train train.txt -o train.txt", "train.txt is read and written; choose another name for the output"),
        ("train train.txt -o o --lr 1e30", "training diverged in epoch 1"),
        ("train train.txt -o o --min-n 3 --max-n 2", "--min-n = 3 is above --max-n = 2"),
        ("train train.txt -o o --label-prefix=", "--label-prefix = '' must be a word"),
        ("train train.txt -o o --valid plain.txt", "plain.txt holds no label"),
        (
            "evaluate train.txt train.txt",
            "train.txt is text, not a text classifier",
        ),
        (
            "evaluate model plain.txt",
            "plain.txt holds no label, a word that begins with '__label__'; name the fields of records, --field NAME "
            "and --label-field NAME",
        ),
        ("train plain.txt -o o", "and --label-field NAME, or try --label-prefix TEXT"),
        ("evaluate model empty.txt", "empty.txt is empty: there is no text in it"),
        ("train empty.txt -o o", "empty.txt is empty: there is no text in it"),
        ("evaluate model one.txt", "model has learned none of the labels a; it knows bad, food, good"),
        ("predict model nowhere.txt", "nowhere.txt"),
        ("predict model latin.txt", "latin.txt: byte 0xe9 at offset 3 is not UTF-8; convert the file, or try --errors"),
        ("predict - -", "standard input, '-', cannot be both MODEL and SOURCE"),
    ],
)
def test_one_line_says_what_is_wrong(
    arguments: str, said: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plain.txt").write_text("a line\n")
    Path("empty.txt").write_text("\n")
    Path("one.txt").write_text("__label__a b\n" * 2)
    Path("a.csv").write_text("text,label\na line,\n")
    Path("a.jsonl").write_text('{"text": "a", "label": 1.5}\n')
    Path("b.jsonl").write_text('{"text": "a", "label": "a\\tb"}\n')
    Path("latin.txt").write_bytes(b"caf\xe9\n")
    Path("train.txt").write_text(LINES)
    Path("model").write_bytes((folder / "model").read_bytes())
    before = sorted(tmp_path.iterdir())

    result = run(*arguments.split())

    assert result.exit_code == 1, result.output
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1, result.output
    assert said in errors[0]
    assert result.stdout == ""
    assert sorted(tmp_path.iterdir()) == before


def test_evaluate_draws_which_label_is_taken_for_which(folder: Path, tmp_path: Path) -> None:
    arguments = ("evaluate", folder / "model", folder / "train.txt")
    picture = tmp_path / "labels.svg"
    assert run(*arguments, "--plot", picture).stdout == run(*arguments).stdout
    assert all(f">{label}<" in picture.read_text() for label in set(LABELS))
    model = TextClassifier.load(folder / "model")
    assert model.true_and_predicted(TEXTS, LABELS) == (LABELS, LABELS)
    mixed = [["new", LABELS[0]], [], ["new"]]  # found among its labels; without a label; never learned
    assert model.true_and_predicted(TEXTS[:3], mixed) == ([LABELS[0], "new"], [LABELS[0], LABELS[2]])


def test_evaluate_advises_no_option_that_it_has_not(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "plain.txt").write_text("a line\n")
    refused = run("evaluate", folder / "model", tmp_path / "plain.txt")
    assert refused.stderr.endswith("; name the fields of records, --field NAME and --label-field NAME\n")


def test_the_log_has_a_line_for_each_epoch(folder: Path, tmp_path: Path) -> None:
    run("train", folder / "train.txt", "-o", tmp_path / "m", *QUICK, "--log-json", tmp_path / "log")
    rows = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == list(range(1, 21))
    assert rows[-1]["loss"] < rows[0]["loss"]


def test_smaller_models(folder: Path, tmp_path: Path) -> None:
    result = run(
        "train", folder / "train.txt", "-o", tmp_path / "m", *QUICK, "--cutoff", 9, "--retrain", "--quantize", 8
    )
    assert "m: 3 labels, 9 features; 40 epochs of 36 texts" in result.stderr
    assert TextClassifier.load(tmp_path / "m").quantize_bits == 8
    result = run("convert", folder / "model", tmp_path / "n", "--cutoff", 9, "--quantize", 8)
    assert result.stderr == f"{tmp_path / 'n'}: 3 labels, 9 features\n"
    assert (tmp_path / "n").stat().st_size < (folder / "model").stat().st_size
    assert json.loads(run("evaluate", tmp_path / "n", folder / "train.txt", "--json").stdout)["accuracy"] > 0.8
    refused = run("train", folder / "train.txt", "-o", tmp_path / "o", "--retrain")
    assert "--retrain is for --cutoff; give that, too, or leave --retrain out" in refused.stderr


def test_autotune(folder: Path, tmp_path: Path) -> None:
    train = folder / "train.txt"
    search = ("--autotune-validation", train, "--autotune-seconds", 200, "--autotune-trials", 3)
    fixed = ("--size", 4, "--epochs", 4, "--buckets", 200, "--loss", "hs")
    result = run("train", train, "-o", tmp_path / "m", *search, *fixed)
    first, *_, typed, last = result.stderr.splitlines()
    assert first.startswith("training 1, 0 s: f1 0.") or first.startswith("training 1, 1 s")
    assert first.endswith(" with the defaults")
    assert "m: 3 labels" in last
    model = TextClassifier.load(tmp_path / "m")
    assert (model.vector_size, model.epochs, model.loss) == (4, 4, "hs")
    windrow_, classify, *words = shlex.split(typed)
    assert (windrow_, classify) == ("windrow", "classify")
    words[words.index(str(tmp_path / "m"))] = str(tmp_path / "again")
    assert run(*words).exit_code == 0
    assert same(TextClassifier.load(tmp_path / "again"), model)
    alone = run("train", train, "-o", tmp_path / "o", "--autotune-trials", 3)
    assert "--autotune-trials is for --autotune-validation; give that, too" in alone.stderr
    logged = run("train", train, "-o", tmp_path / "o", *search, "--log-json", tmp_path / "log")
    assert "--log-json has no effect with --autotune-validation" in logged.stderr
    assert not (tmp_path / "log").exists()
    wrong = run("train", train, "-o", tmp_path / "o", *search, "--autotune-metric", "f2")
    assert "--autotune-metric = 'f2' must be f1, f1:LABEL" in wrong.stderr
    assert not (tmp_path / "o").exists()


def test_classifiers_of_fasttext_are_asked_as_ours_are(tmp_path: Path) -> None:
    kept = Path(__file__).parents[1] / "classification" / "fasttext"
    for name in ("softmax.bin", "cut.ftz"):
        answer = run("predict", kept / name, stdin="the food1 and food2 naïve\ntravel1 travel2 travel3\n")
        assert [line.split("\t")[0] for line in answer.stdout.splitlines()] == ["food", "travel"], answer.output
    (tmp_path / "test.ft").write_text("__label__food food1 food2\n__label__travel travel1 a travel3\n")
    assert json.loads(run("evaluate", kept / "hs.bin", tmp_path / "test.ft", "--json").stdout)["accuracy"] == 1
    similar = CliRunner().invoke(main, ["vectors", "similar", str(kept / "softmax.bin"), "food1"])
    assert similar.exit_code == 0, similar.output
    windrow.WordVectors.load(kept / "plain.bin").save(tmp_path / "v.bin", format="fasttext")
    refused = run("predict", tmp_path / "v.bin", stdin="a\n")
    assert "holds word vectors of fastText, no classifier" in refused.stderr
    assert run("predict", tmp_path / "test.ft", stdin="a\n").stderr.count("Error") == 1


def test_the_file_is_known_everywhere(folder: Path) -> None:
    assert isinstance(windrow.load(folder / "model"), TextClassifier)
    verified = CliRunner().invoke(main, ["verify", str(folder / "model")])
    assert verified.exit_code == 0, verified.output
    refused = CliRunner().invoke(main, ["lm", "score", str(folder / "model"), str(folder / "train.txt")])
    assert refused.exit_code == 1
    assert "holds a text classifier, not a language model" in refused.stderr
