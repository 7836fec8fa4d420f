"""``windrow info``: what a file is, and the command that made it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

import click

from windrow.cli.corpus import readable
from windrow.cli.groups import command
from windrow.cli.messages import at_the_command_line, tell
from windrow.cli.options import as_typed
from windrow.cli.paths import InputFile
from windrow.cli.vector_files import advising_to_convert
from windrow.errors import OptionError, one_line

_UNKNOWN = {  # options whose values a file does not have, by what it has -> what stands for them
    "continued_from": ("--continue-from", "MODEL"),
    "started_from": ("--vectors", "VECTORS"),
}


@command(example="windrow info toy.safetensors")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=InputFile())
@click.option("--command", "as_command", is_flag=True, help="Print the command that made FILE, as far as it says so.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; of several FILEs one per line.")
def info(files: tuple[str, ...], as_command: bool, as_json: bool) -> None:
    """Show what FILE is: a model, vectors of any format, a checkpoint, a corpus folder, an ARPA file, text.

    Of windrow's own files: sizes, names of labels, which epoch was kept, the parameters of the training, how the text
    was read, and the version that wrote it. Of files that windrow does not open: what they are, and what helps. Vectors
    and models in other formats are read whole.
    """
    from windrow.inspection import inspect

    if as_command and as_json:
        raise OptionError("--command and --json are two things to print; choose one")
    for number, file in enumerate(files):
        with advising_to_convert():
            facts = inspect(file)
        facts["what"] = at_the_command_line(facts["what"], None)
        if as_command:
            click.echo(shlex.join(command_words(file, facts)))
            text = facts if facts["kind"] == "corpus" else facts.get("provenance", {})
            tell(f"SOURCE stands for the text, whose name no file has{_told_size(text)}")
        elif as_json:
            click.echo(json.dumps(facts if len(files) == 1 else {"file": file, **facts}))
        else:
            if len(files) > 1:
                click.echo("\n" * (number > 0) + one_line(f"{file}:"))
            _print_facts(facts)


def _print_facts(facts: Mapping[str, Any], indent: str = "") -> None:
    """A line for each fact; those of a group stand below its name."""
    width = max((len(name) for name, value in facts.items() if not isinstance(value, Mapping)), default=0)
    for name, value in facts.items():
        label = name.replace("_", " ") if not indent else name
        if not isinstance(value, Mapping):
            click.echo(one_line(f"{indent}{label:<{width}}  {readable(name, value)}"))
        elif value:
            click.echo(f"{indent}{label}")
            _print_facts(value, f"{indent}  ")


def command_words(file: str, facts: Mapping[str, Any]) -> list[str]:
    """The words of the command that made a file, as far as its facts say it; OptionError if they do not."""
    from windrow.files.kinds import CHECKPOINTS, KINDS

    if "recipe" in facts.get("provenance", {}):
        facts = _of_training(facts)
    kind = facts["kind"]
    model = facts.get("provenance", {}).get("model")
    is_of_models = kind == "mixture-lm" or model == "Blend"  # whose names no file has
    name = maker_of(facts) if kind in KINDS and kind not in CHECKPOINTS and not is_of_models else ""
    parameters = facts if facts["kind"] == "corpus" else facts.get("parameters")
    if not name or not parameters:
        raise OptionError(f"{file}, {facts['what']}, does not say which command made it")
    words = ["windrow", *name.split(), "SOURCE", "-o", file]
    words += [word for option, value in _given(name, parameters, facts) for word in as_typed(option, value)]
    provenance = facts.get("provenance", {})
    for told, (flag, stands_for) in _UNKNOWN.items():
        if told in provenance:
            words += [flag, stands_for]
    return words


def _of_training(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts about a blend that a recipe made, as those of the training that the recipe began with."""
    from windrow.embeddings.settings import stored_parameters

    provenance = facts["provenance"]
    _, parameters = stored_parameters(provenance["first"])
    of_blend = {name: provenance[name] for name in ("vector_size", "recipe", "favor") if name in provenance}
    return {**facts, "provenance": provenance["first"], "parameters": {**parameters, **of_blend}}


def maker_of(facts: Mapping[str, Any]) -> str:
    """The command that makes such a file, without windrow."""
    from windrow.files.kinds import KINDS

    is_counted = facts.get("provenance", {}).get("model") == "CountVectors"
    return "vectors count" if is_counted else KINDS[facts["kind"]].maker


def chosen_settings(facts: Mapping[str, Any]) -> set[str]:
    """The settings of a model that are not the defaults of the command that makes one; never the number of threads."""
    given = _given(maker_of(facts), facts["parameters"], facts)
    return {"sg" if option.name == "model" else option.name or "" for option, _ in given} - {"workers"}


def _given(maker: str, parameters: Mapping[str, Any], facts: Mapping[str, Any]) -> list[tuple[click.Option, Any]]:
    """The options of the command that made a file which have another value than by default, with these."""
    of_text = ("sentences",)  # which in the facts about a corpus are how many there are
    values = {name: value for name, value in parameters.items() if name not in of_text} | facts.get("text", {})
    if "sg" in values:  # which the command line has another name for
        values["model"] = "skipgram" if values["sg"] else "cbow"
    if facts["kind"] == "phrases":
        values["joiner"] = values.pop("delimiter", None)
    found = [(option, values.get(option.name or "")) for option in _command_of(maker).params]
    return [
        (option, value)
        for option, value in found
        if isinstance(option, click.Option) and value not in (None, [], ()) and value != option.default
    ]


def _told_size(text: Mapping[str, Any]) -> str:
    tokens, sentences = text.get("tokens"), text.get("sentences")
    return (
        f": {tokens:,} tokens in {sentences:,} sentences"
        if isinstance(tokens, int) and isinstance(sentences, int)
        else ""
    )


def _command_of(name: str) -> click.Command:
    """The command of this name."""
    found: click.Command = click.get_current_context().find_root().command
    for word in name.split():
        assert isinstance(found, click.Group)
        found = found.get_command(click.Context(found), word) or found
    return found
