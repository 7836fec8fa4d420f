"""Every command declares what it reads and what it writes, and never writes over what it reads."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from windrow.cli import main
from windrow.cli.groups import Command, LazyGroup
from windrow.cli.paths import FilePath, InputFile, OutputFile, OutputFolder, OutputLog, Source

# Parameters of free text that name no file. One that does is of a type of windrow.cli.paths.
WORDS = {
    "name", "words", "minus", "prompt", "tokenizer", "language", "field", "delimiter", "columns", "format", "to_format",
    "weights", "discounts", "fallback_discounts", "prune", "types", "affixes", "cutoffs", "memory",
    "hidden_layer_sizes", "label_prefix", "label_field", "label_separator", "autotune_metric", "joiner",
    "connector_words", "arrows", "ray", "memory_per_worker", "prefix", "context", "max_bytes", "prune_counts",
    "bucket", "names", "percentiles", "text", "places",
    "temp_dir",  # a folder in which nothing is left
}  # fmt: skip


def commands(group: click.Group = main, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """All commands, with their full names."""
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        if isinstance(found, click.Group):
            yield from commands(found, (*path, name))
        else:
            yield " ".join((*path, name)), found


ALL = dict(commands())
PATHS = {
    name: [parameter for parameter in command.params if isinstance(parameter.type, FilePath)]
    for name, command in ALL.items()
}
WRITTEN = [(name, one.name) for name, paths in PATHS.items() for one in paths if one.type.is_written]
READ_AND_WRITTEN = [
    (name, read.name, written.name)
    for name, paths in PATHS.items()
    for read in paths
    for written in paths
    if read.type.is_read and isinstance(written.type, OutputFile) and not isinstance(written.type, OutputFolder)
]
TWO_WRITTEN = [
    (name, a.name, b.name)
    for name, paths in PATHS.items()
    for a in paths
    for b in paths
    if a.type.is_written and b.type.is_written and a is not b
]


@pytest.mark.parametrize(
    ("typed", "piped"),
    [
        (["lm", "score", "m.x", "did the queen say?"], "windrow lm score m.x -"),
        (["classify", "predict", "m.x", "a film"], "windrow classify predict m.x -"),
        (["tag", "predict", "m.x", "in Rome " * 200], "windrow tag predict m.x -"),
        (["vectors", "print", "m.x", "the queen"], "windrow vectors print m.x -"),
        (["vectors", "train", "one", "the queen", "-o", "v.bin"], "windrow vectors train -"),
    ],
)
def test_text_in_the_place_of_a_file_is_refused_with_the_way_to_give_it(
    typed: list[str], piped: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, typed)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: cannot read ")
    assert result.stderr.endswith(f": No such file or directory; to give text itself: echo ... | {piped}\n")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("train x", "classify train or windrow lm train or windrow tag train or windrow vectors train?"),
        ("vectors generate", "lm generate?"),
        ("vectors trian", "vectors train?"),
        ("vectors rmn", "lm train rnn?"),
        ("corpsu", "corpus?"),
    ],
)
def test_a_command_of_another_group_or_spelling_is_suggested(typed: str, meant: str) -> None:
    result = CliRunner().invoke(main, typed.split())
    assert result.exit_code == 2
    assert "Error: No such command '" in result.stderr
    assert result.stderr.endswith(f"'. Did you mean windrow {meant}\n")


def test_what_is_like_no_command_is_refused_with_those_that_there_are() -> None:
    refused = CliRunner().invoke(main, ["lm", "train", "zzzz.txt"]).stderr
    assert refused.endswith("Error: No such command 'zzzz.txt'. Choose one of class, ngram, rnn, skip, window.\n")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("lm generate m --num 3", ["--num-beams", "--num-return-sequences"]),
        (
            "classify train --autotune 3",
            ["--autotune-metric", "--autotune-trials", "--autotune-validation"],
        ),
        ("vectors train --epoch-s 3", ["--epochs"]),
    ],
)
def test_options_that_begin_as_one_that_is_not_there_are_suggested(typed: str, meant: list[str]) -> None:
    refused = CliRunner().invoke(main, typed.split()).stderr
    assert all(name in refused.partition("Did you mean")[2] for name in meant)


def test_names_with_spaces_are_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my text.txt").write_text("a b\n")
    for name in ("my text.txt", "my te*", "my tex?.txt"):
        built = CliRunner().invoke(main, ["corpus", "build", name, "-o", "corpus"])
        assert built.exit_code == 0, built.stderr


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(command: str, **values: str) -> Result:
    """Run a command with these parameters; others that it needs are files of their own."""
    options: list[str] = []
    arguments: list[str] = []
    for parameter in ALL[command].params:
        value = values.get(parameter.name or "")
        if value is None and parameter.required and parameter.name is not None:
            is_number = isinstance(parameter.type, click.types.IntParamType | click.types.FloatParamType)
            value = "2" if is_number else f"own-{parameter.name}"
            if parameter.type.is_read if isinstance(parameter.type, FilePath) else False:
                Path(value).write_text("text of its own\n")
        if value is not None:
            is_option = isinstance(parameter, click.Option)
            (options if is_option else arguments).extend([parameter.opts[-1], value] if is_option else [value])
    return CliRunner().invoke(main, [*command.split(), *options, "--", *arguments])


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def flag(command: str, name: str) -> str:
    found = next(one for one in ALL[command].params if one.name == name)
    return found.opts[-1] if isinstance(found, click.Option) else found.human_readable_name


# --- nothing is forgotten


@pytest.mark.parametrize("command", ALL)
def test_every_path_is_declared_as_read_or_written(command: str) -> None:
    for parameter in ALL[command].params:
        assert type(parameter.type) is not click.Path, f"{parameter.name}: declare it with a type of windrow.cli.paths"
        if isinstance(parameter.type, FilePath):
            assert parameter.type.is_read != parameter.type.is_written
        elif isinstance(parameter.type, click.types.StringParamType):
            assert parameter.name in WORDS, f"{parameter.name}: a path, or else a word to be listed here?"


@pytest.mark.parametrize("command", ALL)
def test_every_command_checks_its_paths(command: str) -> None:
    assert isinstance(ALL[command], Command)


def test_a_command_that_checks_nothing_cannot_be_run() -> None:
    @click.command()
    def careless() -> None:
        raise AssertionError("it ran")

    group = LazyGroup("group", later={"careless": lambda: careless})
    with pytest.raises(TypeError, match=r"must be made with groups\.command"):
        CliRunner().invoke(group, ["careless"], catch_exceptions=False)


def test_what_the_table_tests_below_cover() -> None:
    """The commands that write files, so that a walk that finds none is noticed."""
    assert {name for name, _ in WRITTEN} == {
        "classify convert", "classify evaluate", "classify train", "corpus build", "corpus fetch",
        "corpus phrases", "corpus toyland", "demo", "lm add", "lm buckets", "lm convert", "lm filter", "lm mix",
        "lm plot", "lm prune", "report", "lm train class", "lm train ngram", "lm train rnn", "lm train skip",
        "lm train window", "tag evaluate", "tag train",
        "vectors align", "vectors blend", "vectors cluster", "vectors compare", "vectors convert", "vectors count",
        "vectors evaluate", "vectors fetch", "vectors plot", "vectors plot-log", "vectors print", "vectors train",
    }  # fmt: skip
    assert len(READ_AND_WRITTEN) > 25
    assert ("lm train ngram", "vocab", "counts_out") in READ_AND_WRITTEN
    assert ("lm mix", "tune", "output") in READ_AND_WRITTEN
    assert ("tag train", "vectors", "log_json") in READ_AND_WRITTEN


# --- an output is no input


def _folder_around(file: Path) -> str:
    return str(file.parent)


def _glob(file: Path) -> str:
    return str(file.parent / "in*")


def _folder_with_a_link(file: Path) -> str:
    folder = file.parent.parent / "links"
    folder.mkdir()
    (folder / "link").symlink_to(file.absolute())
    return str(folder)


def _link(file: Path) -> Path:
    link = file.with_name("link")
    link.symlink_to(file.name)
    return link


def _hard_link(file: Path) -> Path:
    link = file.with_name("hard")
    link.hardlink_to(file)
    return link


def _through_a_linked_folder(file: Path) -> Path:
    link = file.parent.with_name("linked")
    link.symlink_to(file.parent)
    return link / file.name


NAMES: dict[str, Callable[[Path], Path | str]] = {
    "the same": lambda file: file,
    "dots": lambda file: f"./{file.parent}/../{file}",
    "absolute": lambda file: file.absolute(),
    "symbolic link": _link,
    "hard link": _hard_link,
    "linked folder": _through_a_linked_folder,
}


@pytest.mark.parametrize(("command", "read", "written"), READ_AND_WRITTEN)
def test_no_output_is_an_input(command: str, read: str, written: str, here: Path) -> None:
    kind = next(one.type for one in PATHS[command] if one.name == read)
    ways: dict[str, Callable[[Path], str]] = {"file": str}
    if isinstance(kind, Source):
        ways |= {"folder": _folder_around, "glob": _glob, "folder with a link": _folder_with_a_link}
    for way, find in ways.items():
        for name, call_it in NAMES.items():
            folder = here / f"{way}, {name}"
            folder.mkdir()
            os.chdir(folder)
            Path("texts").mkdir()
            file = Path("texts", "input")
            file.write_text("a text\n")
            output = call_it(file)
            source = find(file)
            result = call(command, **{read: source, written: str(output)})
            assert (result.exit_code, result.stdout) == (1, ""), (way, name, result.output)
            assert result.stderr.endswith(" is read and written; choose another name for the output\n"), result.stderr
            assert result.stderr.count("\n") == 1
            assert file.read_text() == "a text\n"


@pytest.mark.parametrize("name", ["texts", "texts/sub", "texts/*/*"])
def test_a_file_that_a_source_does_not_read_may_be_written(name: str, here: Path) -> None:
    """Hidden files, and those outside."""
    Path("texts", "sub").mkdir(parents=True)
    Path("texts", "sub", "a.txt").write_text("the cat sat\nthe dog ran\n" * 3)
    Path("texts", "sub", ".m.arpa").write_text("hidden")
    small = ["--order", "2", "--smoothing", "witten-bell"]
    result = CliRunner().invoke(main, ["lm", "train", "ngram", name, "-o", "texts/sub/.m.arpa", *small])
    assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        ("vectors convert m.npy m.words.txt", "m.words.txt"),
        ("vectors convert v.txt m.npy --only-words m.words.txt", "m.words.txt"),
        ("vectors convert v.txt m.dat --to npy --only-words m.words.txt", "m.words.txt"),
        ("vectors train text.checkpoint -o text", "text.checkpoint"),
        ("tag train text.checkpoint -o text", "text.checkpoint"),
        ("lm train rnn text.checkpoint -o text", "text.checkpoint"),
    ],
)
def test_files_that_go_with_others_are_compared_too(arguments: str, written: str, here: Path) -> None:
    for name in ("m.npy", "m.words.txt", "v.txt", "text", "text.checkpoint"):
        Path(name).write_text("as it was\n")
    before = contents(here)
    result = CliRunner().invoke(main, arguments.split())
    assert result.stderr == f"Error: {written} is read and written; choose another name for the output\n"
    assert contents(here) == before


def test_standard_streams_that_are_files_are_compared_too(here: Path) -> None:
    Path("v.txt").write_text("1 1\na 1\n")
    script = f"{sys.executable} -m windrow vectors convert"
    for command in (f"{script} - v.txt --from txt < v.txt", f"{script} v.txt - >> v.txt"):
        ended = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
        assert ended.returncode == 1
        assert ended.stderr.count("\n") == 1
        assert "is read and written" in ended.stderr
        assert Path("v.txt").read_text() == "1 1\na 1\n"


def test_a_corpus_is_not_built_over_what_it_reads(here: Path) -> None:
    Path("text").write_text("a b\n")
    assert CliRunner().invoke(main, ["corpus", "build", "text", "-o", "c"]).exit_code == 0
    before = contents(here)
    for source in ("c/corpus.json", "./c/corpus.json"):
        result = CliRunner().invoke(main, ["corpus", "build", source, "text", "-o", "c"])
        assert result.stderr == "Error: c is read and written; choose another name for the output\n"
    assert contents(here) == before
    again = CliRunner().invoke(main, ["corpus", "build", ".", "-o", "c"])  # a corpus in a folder of texts is no text
    assert again.exit_code == 0, again.stderr


# --- no two outputs are one file


@pytest.mark.parametrize(("command", "a", "b"), TWO_WRITTEN)
@pytest.mark.parametrize("exists", [True, False])
def test_no_two_outputs_are_one_file(command: str, a: str, b: str, exists: bool, here: Path) -> None:
    for name, call_it in NAMES.items():
        if not exists and name == "hard link":
            continue
        folder = here / name
        folder.mkdir()
        os.chdir(folder)
        Path("out").mkdir()
        file = Path("out", "put")
        if exists:
            file.write_text("as it was\n")
        result = call(command, **{a: str(file), b: str(call_it(file))})
        assert result.exit_code == 1, (name, result.output)
        assert "is named twice for what is written; choose another name\n" in result.stderr
        assert file.exists() == exists


# --- an output is a file, or a folder of ours


@pytest.mark.parametrize(("command", "written"), WRITTEN)
def test_no_output_is_empty_or_a_folder(command: str, written: str, here: Path) -> None:
    kind = next(one.type for one in PATHS[command] if one.name == written)
    Path("folder").mkdir()
    Path("folder", "train.txt").write_text("as it was\n")
    names = ["", "folder", "folder/.", ".", "..", "/", "folder/.."]
    if isinstance(kind, OutputFolder):
        names = ["", "-", "own-sources"] if command != "corpus fetch" else ["", "-"]
        names += ["folder", ".", "loop"] if command != "corpus fetch" else []
        names = [name for name in names if name != "-" or not kind.stdout]
        Path("own-sources").write_text("a text\n")
    else:
        names += ["missing/file", "loop", "folder/train.txt/file", "new/", "new/.", "new/.."]
    Path("loop").symlink_to("loop")
    for name in names:
        result = call(command, **{written: name})
        assert (result.exit_code, result.stderr.count("\n")) == (1, 1), (name, result.output)
        assert result.stderr.startswith("Error: ")
        assert name != "" or result.stderr == f"Error: {flag(command, written)} is an empty name; name a file\n"
        assert contents(Path("folder")) == {Path("folder", "train.txt"): b"as it was\n"}


@pytest.mark.parametrize(
    ("command", "read"),
    [(name, one.name) for name, paths in PATHS.items() for one in paths if one.type.is_read and one.opts[0][0] == "-"],
)
def test_no_option_that_names_an_input_is_empty(command: str, read: str, here: Path) -> None:
    """It would be taken for none."""
    result = call(command, **{read: ""})
    assert result.exit_code == 1
    assert result.stderr == f"Error: {flag(command, read)} is an empty name; name a file, or leave the option out\n"


def test_only_logs_may_be_pipes_or_devices(here: Path) -> None:
    os.mkfifo("pipe")
    for command, written in WRITTEN:
        kind = next(one.type for one in PATHS[command] if one.name == written)
        if not isinstance(kind, OutputFolder | OutputLog):
            result = call(command, **{written: "pipe"})
            assert result.stderr == "Error: cannot write pipe: it is a device or a pipe; name a file\n", command


def test_toyland_writes_into_folders_of_its_own_only(here: Path) -> None:
    toyland = ["corpus", "toyland", "--sentences", "10", "-o"]
    Path("mine").mkdir()
    Path("mine", "train.txt").write_text("as it was\n")
    Path("empty").mkdir()
    Path("link").symlink_to("linked")
    refused = CliRunner().invoke(main, [*toyland, "mine"])
    assert refused.stderr == "Error: mine holds train.txt, and is no folder of Toyland's; name a new folder\n"
    assert contents(Path("mine")) == {Path("mine", "train.txt"): b"as it was\n"}
    for folder in ("empty", "new/deep", "link"):
        for _ in range(2):
            assert CliRunner().invoke(main, [*toyland, folder]).exit_code == 0
        assert Path(folder, "train.txt").read_text().count("\n") == 10
    assert Path("link").is_symlink()


# --- names of files never break the one line of a message


def test_line_breaks_in_names_stay_in_the_line(here: Path) -> None:
    name = "a\nb\r\x1b[31m\u2028c"
    told = r"a\nb\r\x1b[31m\u2028c"
    Path(name).write_text("the cat sat\nthe dog ran\n" * 3)
    Path(f"{name}.conll").write_text("in O\nRome B-LOC\n\n" * 3)
    small = ["--order", "2", "--smoothing", "witten-bell"]
    done = [
        ["corpus", "build", name, "-o", f"{name}.corpus"],
        ["lm", "train", "ngram", name, "-o", f"{name}.arpa", *small, "--lowercase"],  # with a warning
        ["lm", "convert", f"{name}.arpa", f"{name}.safetensors"],
        ["vectors", "train", name, "-o", f"{name}.txt", "--size", "2", "--min-count", "1", "--epochs", "1"],
        ["tag", "train", f"{name}.conll", "-o", f"{name}.tagger", "--epochs", "1"],
    ]
    failing = [
        ["corpus", "build", f"{name}/x", "-o", "c"],
        ["corpus", "info", name],
        ["lm", "train", "ngram", name, "-o", name, *small],
        ["lm", "perplexity", name, name],
        ["vectors", "similar", f"{name}.none", "cat"],
        ["vectors", "convert", f"{name}.txt", f"{name}/no/v.txt"],
        ["vectors", "train", name, "-o", f"{name}.txt", "--log-json", f"{name}.txt"],
        ["tag", "evaluate", name, name],
        ["corpus", "list", "--registry", name],
    ]
    for command, status in [*((one, 0) for one in done), *((one, 1) for one in failing)]:
        result = CliRunner().invoke(main, command)
        assert result.exit_code == status, (command, result.output)
        assert result.stderr.isprintable() or result.stderr.replace("\n", "").isprintable()
        first = ("Error: ",) if status else ("Warning: ", told, "standard")
        for line in result.stderr.splitlines():
            assert line.startswith(first), (command, result.stderr)


def test_wrong_usage_keeps_to_its_lines_too(here: Path) -> None:
    lines = CliRunner().invoke(main, ["corpus", "info", "a", "b\nError: c"]).stderr.splitlines()
    assert lines[-1] == r"Error: Got unexpected extra argument (b\nError: c)"


def test_types_say_what_a_command_does() -> None:
    assert [one.is_read for one in (InputFile(), Source(), OutputFile(), OutputLog(), OutputFolder())] == [
        True, True, False, False, False]  # fmt: skip
