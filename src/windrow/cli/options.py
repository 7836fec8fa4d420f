"""What commands share: the options of text, opening SOURCE, checks of what was given, progress bars and logs."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click
from click.core import ParameterSource

from windrow.cli.help import grouped_option
from windrow.cli.logs import bytes_bar
from windrow.cli.messages import name_typed, options_of, switched_off, tell, with_keywords, with_settings
from windrow.cli.numbers import WholeNumber, number_of, told_range
from windrow.cli.paths import InputFile, Source, words_read
from windrow.errors import DataError, OptionError, WindrowError
from windrow.estimator import GIVEN, Condition, no_effect, told_condition, unmet

if TYPE_CHECKING:
    from windrow.corpus import Corpus, TextReader
    from windrow.distributed import Workers
    from windrow.estimator import Setting

# Settings that the command line has under another name: that, and what their values are called.
Aliases = Mapping[str, tuple[str, Mapping[Any, str]]]
_NO_ALIASES: Aliases = {}
_NO_CONDITIONS: Mapping[str, tuple[Condition, ...]] = {}
F = TypeVar("F", bound=Callable[..., Any])

# The options of text by name, as attributes of click's options. Of those in _REMEMBERED the default is another where
# there is a model.
_TEXT_OPTIONS: dict[str, dict[str, Any]] = {
    "tokenizer": {"default": "whitespace", "metavar": "NAME",
                  "help": "whitespace; word: letters, digits, emoji; char: every character; or MODULE:CALLABLE, "
                          "which imports that module and runs its code."},
    "sentences": {"default": "line", "type": click.Choice(["line", "paragraph", "document"]),
                  "help": "What one sentence is: a line; all lines up to a blank one; or a whole file or record."},
    "lowercase": {"default": False, "show_default": False, "help": "Lower-case the text first."},
    "language": {"metavar": "CODE", "help": "Whose lower case (tr, az: dotless i). Only with --lowercase."},
    "normalize": {"type": click.Choice(["nfc", "nfkc"]), "help":
                  "Unicode normalization: one form for each accented letter; nfkc: plain full-width letters, too."},
    "format": {"type": click.Choice(["text", "jsonl", "csv", "parquet"]),
               "help": "Format of the files.  [default: with --field as their names say, else text]"},
    "field": {"metavar": "NAME", "help": "Field with the text in JSONL, CSV, Parquet."},
    "delimiter": {"metavar": "CHAR", "help":
                  "Between the columns of CSV: a character, or tab.  [default: tab in .tsv files, else a comma]"},
    "errors": {"default": "strict", "type": click.Choice(["strict", "replace", "ignore"]),
               "help": "What to do with bytes that are not UTF-8."},
}  # fmt: skip
_REMEMBERED = ("tokenizer", "sentences")
_COMMON = ("tokenizer", "lowercase", "field")  # which --help has room for, whatever there is else
sources_argument = click.argument("sources", nargs=-1, required=True, metavar="SOURCE...", type=Source())

_LONGEST_CHOICES = 50  # characters that click shows in place of a value


checkpoint_every = grouped_option(
    "--checkpoint-every",
    heading="Training",
    common=False,
    type=WholeNumber(0),
    default=1,
    show_default=True,
    metavar="EPOCHS",
    help="Keep the state after so many epochs, and after the last; 0: never.",
)


def continuing_options(command: F) -> F:
    """Add the options of training that continues a finished model."""
    for decorator in (
        grouped_option(
            "--keep-training-state",
            heading="Output",
            common=False,
            is_flag=True,
            help="Let the file of -o hold the optimizer's state, too, from which --continue-from then goes on.",
        ),
        grouped_option(
            "--continue-from",
            heading="Training",
            common=False,
            metavar="MODEL",
            type=InputFile(),
            help="Train a finished MODEL further. Its words and the shape of its network stay, and text is read as in "
            "its training; all else is as here. The optimizer starts again, unless MODEL keeps its state.",
        ),
    ):
        command = decorator(command)
    return command


def take_shape(model: Continuing, continued: Continuing) -> None:
    """Give a model the shape of the one that it continues; OptionError for an option that says another."""
    context = click.get_current_context()
    given = {name for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    model.take_shape(continued, given)


def setting_options(
    settings: Sequence[Setting], aliases: Aliases = _NO_ALIASES, **changes: Mapping[str, Any]
) -> Callable[[F], F]:
    """Add an option for each setting that has one: its type, choices, default and help come from the table.

    ``changes``: attributes of click's option, by the name of the setting, that are others for this command.
    """

    def add(command: F) -> F:
        for setting in reversed(settings):
            if setting.option is not None:
                named = setting.option if "/" in setting.option else setting.flag
                attributes = {**_attributes(setting, settings, aliases), **changes.get(setting.name, {})}
                command = grouped_option(named, setting.name, **attributes)(command)
        return command

    return add


def _attributes(setting: Setting, settings: Sequence[Setting], aliases: Aliases) -> dict[str, Any]:
    """What click's option needs to know of a setting."""
    shown = setting.none if setting.default is None else setting.default != ()
    heading = setting.heading or ("Model" if setting.of_model else "Training")
    attributes = {"default": setting.default, "show_default": shown, "help": setting.help}
    attributes |= {"heading": heading, "common": setting.common}
    flags = flags_of(settings)
    if setting.conditions:
        met = (_as_option(condition, aliases) for condition in setting.conditions)
        told = [told_condition(one, lambda name: flags.get(name, _spelled(name)), _unless_true) for one in met]
        attributes["help"] += f" Only {' and '.join(map(str.rstrip, told))}."
    if setting.type is bool or "/" in (setting.option or ""):
        attributes |= {
            "is_flag": True,
            "default": bool(setting.default),
            "show_default": "/" in (setting.option or ""),
            "callback": _as(setting.type),
        }
    elif setting.many and setting.type is str:
        attributes |= {"multiple": True, "default": (), "callback": _none_if_empty}
        attributes["help"] += " May be repeated."
    elif setting.many:
        attributes |= {"type": str, "default": None, "metavar": "N,N,...", "callback": _numbers(setting)}
        attributes["help"] += f" Each {told_range(setting)}." if told_range(setting) else ""
        attributes["show_default"] = ",".join(map(str, setting.default or ())) or False
    elif setting.choices:
        attributes["type"] = click.Choice(setting.choices)
        if len(named := ", ".join(setting.choices)) > _LONGEST_CHOICES:
            attributes |= {"metavar": "NAME", "help": f"{attributes['help']} One of {named}."}
    elif setting.type == "WordVectors or path":
        attributes |= {"type": InputFile(words_read), "metavar": "FILE"}
    else:
        attributes["type"] = number_of(setting) if setting.type in (int, float) else setting.type
    attributes["help"] = re.sub(r"\b[a-z]+_\w+\b", lambda name: flags.get(name[0], name[0]), attributes["help"])
    return attributes


def _spelled(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _as_option(condition: Condition, aliases: Aliases) -> Condition:
    """A condition about a setting as one about the option that stands for it on the command line."""
    name, allowed = condition
    if name in aliases:
        option, names = aliases[name]
        return option, tuple(names[value] for value in allowed)
    if isinstance(allowed, range) or allowed is GIVEN:
        return condition
    # None stands for the default, which the command line names.
    return name, tuple(one for one in allowed if one is not None) or allowed


def check_used(
    settings: Iterable[Setting] = (),
    conditions: Mapping[str, tuple[Condition, ...]] = _NO_CONDITIONS,
    aliases: Aliases = _NO_ALIASES,
) -> None:
    """Refuse an option that was given although nothing would read it.

    ``conditions``: of options that are no settings, by name, as ``Setting.only_with``.
    """
    context = click.get_current_context()
    options = {option.name: option for option in context.command.params if option.name is not None}
    asking = (one for one in settings if not one.asks_for_nothing(context.params.get(one.name)))
    rows = {**{setting.name: setting.conditions for setting in asking}, **conditions}
    for name, row in rows.items():
        if name not in options or context.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            continue
        condition = unmet((_as_option(one, aliases) for one in row), context.params)
        if condition is not None:
            value = context.params[condition[0]]
            raise no_effect(
                _flag(options[name], context.params[name]), condition, value, lambda o: _flag(options[o]), _word
            )


def _unless_true(value: Any) -> str:
    """A value in a help text: of a switch that is on, its option says all."""
    return "" if value is True else str(value)


def _word(value: Any) -> str:
    """A value as an option takes it."""
    return "off" if value is False else "on" if value is True else str(value)


def _flag(option: click.Parameter, value: Any = True) -> str:
    """The option as it was written, or its long name."""
    names = option.secondary_opts if value is False or (value == 0 and option.secondary_opts) else option.opts
    return max(names or option.opts, key=len)


def as_typed(option: click.Option, value: Any) -> list[str]:
    """The words with which an option gets a value on the command line."""
    if option.is_flag:
        return [_flag(option, value)]
    values = [value] if isinstance(value, str) or not isinstance(value, Sequence) else list(value)
    values = values if option.multiple else [",".join(map(str, values))]
    return [word for one in values for word in (_flag(option), str(one))]


def _as(kind: type) -> Callable[..., Any]:
    return lambda _, __, value: kind(value)


def _none_if_empty(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...] | None:
    return values or None


def _numbers(setting: Setting) -> Callable[..., Any]:
    """A callback for numbers with commas between them."""

    def parse(_: click.Context, parameter: click.Parameter, value: str | None) -> Any:
        try:
            return setting.default if value is None else tuple(map(setting.type, value.split(",")))
        except ValueError as error:
            raise OptionError(f"{parameter.opts[-1]} {value!r} must be numbers with commas between them") from error

    return parse


def flags_of(settings: Iterable[Setting]) -> dict[str, str]:
    """The option of each setting, by its name."""
    return {setting.name: setting.flag for setting in settings}


def values_of(settings: Iterable[Setting], options: Mapping[str, Any]) -> dict[str, Any]:
    """The values of settings among a command's options."""
    return {setting.name: options[setting.name] for setting in settings if setting.name in options}


def text_options(*names: str, as_trained: bool = False) -> Callable[[F], F]:
    """Add options that say how text becomes sentences and tokens: all, or those of these names.

    ``as_trained``: what is not given is as in the training of a model.
    """

    def add(command: F) -> F:
        for name in reversed(names or tuple(_TEXT_OPTIONS)):
            shown = "as trained" if as_trained and name in _REMEMBERED else True
            flag = "--lowercase/--no-lowercase" if name == "lowercase" else f"--{name}"
            attributes = {"heading": "Text", "common": name in _COMMON, "show_default": shown, **_TEXT_OPTIONS[name]}
            command = grouped_option(flag, **attributes)(command)
        return command

    return add


_OF_RECORDS = ("format", "field", "delimiter", "label_field", "label_separator")


def text_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """The values of ``text_options`` among a command's options."""
    return {name: options[name] for name in _TEXT_OPTIONS if name in options}


def given_text(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of ``text_of`` that stand on the command line."""
    source = click.get_current_context().get_parameter_source
    return {name: value for name, value in text_of(options).items() if source(name) is ParameterSource.COMMANDLINE}


def text_source(sources: Sequence[str]) -> str | list[Path]:
    """SOURCEs that are text, as ``Corpus.build`` takes them."""
    from windrow.files.corpus_folder import is_corpus

    if len(sources) == 1:
        return sources[0]
    for source in filter(None, sources):
        if is_corpus(source):
            raise OptionError(
                f"{source} is a corpus; it cannot be joined with another SOURCE: name their texts, or it alone"
            )
    return "" if "" in sources else [Path(source) for source in sources]  # an empty name is refused later


def open_corpus(*sources: str, reader: TextReader | None = None, ray: Workers | None = None, **text: Any) -> Corpus:
    """The corpus of SOURCEs: one folder made by ``corpus build``, or text, encoded into a temporary folder.

    ``reader`` in place of the options that say how text becomes tokens; ``ray``: workers who read text.
    """
    from windrow.corpus import Corpus
    from windrow.corpus.encoded import read_corpus
    from windrow.files.corpus_folder import is_corpus

    source = sources[0]
    if len(sources) == 1 and source and is_corpus(source):
        for name in given_text(click.get_current_context().params):
            raise OptionError(f"--{name} is for text; {source} is a corpus, its words are fixed: build another one")
        corpus = Corpus.open(source)
        corpus.verify()
        return corpus
    with bytes_bar("reading") as show:
        build = partial(Corpus.build, ray=ray) if reader is None else partial(read_corpus, reader=reader)
        return build(text_source(sources), progress=show, **text)


class Continuing(Protocol):
    """An estimator that can continue a trained one."""

    def take_shape(self, model: Any, given: Collection[str] | None = None, /) -> None: ...  # noqa: D102


class Checked(Protocol):
    """An estimator that checks its parameters."""

    def check_parameters(self) -> None: ...  # noqa: D102


def check_parameters(model: Checked, options: Mapping[str, str]) -> None:
    """Tell of a parameter out of range by the name of its option, see ``naming_options``."""
    with naming_options(options):
        model.check_parameters()


@contextmanager
def read_as_sources(option: str) -> Iterator[None]:
    """Within, errors about the file of an option say that it is read with the options that SOURCEs were given."""
    try:
        yield
    except WindrowError as error:
        context = click.get_current_context()
        source = context.get_parameter_source
        given = [name for name in _OF_RECORDS if source(name) is ParameterSource.COMMANDLINE]
        if given:
            told = ", ".join(f"--{name.replace('_', '-')}" for name in given)
            error.args = (f"{error}; {option} is read as SOURCE is, with {told}",)
        raise


@contextmanager
def naming_options(options: Mapping[str, str]) -> Iterator[None]:
    """Within, errors name options instead of parameters."""
    try:
        yield
    except WindrowError as error:
        error.args = (_with_options(str(error), options),)
        raise


def _with_options(message: str, options: Mapping[str, str]) -> str:
    """For each ``parameter = value`` in a message the option: that in ``options``, or its own name with dashes.

    For advice, ``try parameter = value``, that in ``options`` or of the command; for ``parameter='value'``, only that
    in ``options``.
    """
    context = click.get_current_context(silent=True)
    command = context.command if context else None

    def option_of(name: str) -> str:
        flag = options.get(name, f"--{name.replace('_', '-')}")
        return next((name_typed(one) for one in getattr(command, "params", []) if flag in one.opts), flag)

    def option(found: re.Match[str]) -> str:
        name, value = found.groups()
        if value == "False":
            return switched_off(option_of(name), command)
        return option_of(name) + ("" if value else " = ")

    message = with_settings(message, {**options_of(command), **options}, command)
    message = with_keywords(message, options, command)
    return re.sub(r"(?<![\w-])([a-z]\w*) = (True\b(?!, not)|False\b(?!, not))?", option, message)


def _further(model: Path) -> str:
    """How a finished model is trained further; vectors that are alone can only begin another training."""
    from windrow.embeddings.training.fasttext_state import holds_state
    from windrow.files import model_file
    from windrow.files.sniff import kind_of

    try:
        is_network = kind_of(model) == "windrow" and model_file.read_start(model).kind != "word-vectors"
        flag = "--continue-from" if is_network or holds_state(model) else "--vectors"
    except WindrowError:
        return ""
    return f"; to train it further: {flag} {model}, and another -o"


def check_checkpoint(checkpoint: Path, resume: bool, output: Path) -> bool:
    """Whether to go on from a checkpoint; refuses what would write over an unfinished training or a finished model."""
    if checkpoint.exists() and not resume:
        raise DataError(
            f"{checkpoint} holds an unfinished training; add --resume to go on, or delete it to begin again"
        )
    if resume and not checkpoint.exists():
        if output.exists():
            raise DataError(
                f"{output} is finished, as {checkpoint} is not there; to train again leave out --resume, or choose "
                f"another -o{_further(output)}"
            )
        tell(f"Warning: {checkpoint} is not there; training starts from the beginning")
    return resume and checkpoint.exists()
