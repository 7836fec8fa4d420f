"""What every estimator shares: a table of its settings, from which checks, command-line options and docs come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from inspect import Parameter, signature
from math import inf
from typing import Any, ClassVar, Self, TypeVar, cast

from windrow._renamed import warn_renamed_parameter
from windrow.errors import LARGEST_WHOLE, OptionError, check_range, check_whole, shown
from windrow.notebook import html_table, sizes_told

Constructor = TypeVar("Constructor", bound=Callable[..., None])
REQUIRED = Parameter.empty  # the default of a setting that has none
# Another setting, or argument of ``fit``, and the values of it with which a setting is read.
Condition = tuple[str, tuple[Any, ...] | range]
GIVEN: tuple[Any, ...] = (...,)  # any value but None, False, 0 and empty ones
_PLURALS: dict[Any, str] = {int: "whole numbers", float: "numbers", str: "strings", Callable: "functions"}


@dataclass(frozen=True)
class Setting:
    """A constructor argument: what it may be, what it is if not given, and what it means.

    Parameters
    ----------
    name : str
        As the constructor has it.
    type : type, tuple of types or str
        What the value is; in words where it is an object that the estimator checks itself.
    default : object
        As in the signature; REQUIRED where it has none.
    help : str
        What it means, in a sentence or two; the help of the option, too.
    advice : str
        More for the docstring: when to change it.
    low, high : float
        The range of a number. ``high`` may be the name of another setting, whose value is the limit.
    low_open, high_open : bool
        Whether the end of the range is left out.
    choices : tuple
        The only values; of a setting that may also be an object, the only strings.
    many : bool
        Whether it is a sequence of such values.
    none : str
        What None stands for; empty where None is no value.
    option : str or None
        On the command line: empty for the name with dashes, "--yes/--no" for a switch, None for no option.
    only_with : Condition, or tuple of Condition
        What must hold for it to have an effect; it is refused otherwise, where it is given.
    of_model : bool
        Whether it belongs to the model as such: its shape, its words, what it starts from. A training that continues a
        model takes it from there, and refuses another value.
    heading : str
        What its option stands under in ``--help``; empty for Model where it is ``of_model``, else for Training.
    common : bool
        Whether ``--help`` shows its option also where there is no room for all, which ``--help-all`` shows.
    """

    name: str
    type: Any
    default: Any
    help: str
    advice: str = ""
    low: float = -inf
    high: float | str = inf
    low_open: bool = False
    high_open: bool = False
    choices: tuple[Any, ...] = ()
    many: bool = False
    none: str = ""
    option: str | None = ""
    only_with: Condition | tuple[Condition, ...] = ()
    of_model: bool = False
    heading: str = ""
    common: bool = False

    @property
    def flag(self) -> str:
        """The option on the command line, without a switch's other name; errors call the setting so there."""
        return (self.option or f"--{self.name.replace('_', '-')}").partition("/")[0]

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """``only_with`` as a tuple of conditions."""
        only_with: Any = self.only_with
        return (only_with,) if only_with and isinstance(only_with[0], str) else only_with

    def asks_for_nothing(self, value: Any) -> bool:
        """Whether a value is as good as none given, or switches off what would have no effect: None, a count of 0."""
        is_count = self.type is int and self.low == 0 and not (self.many or self.choices)
        return value is None or (is_count and _is_among(value, (0,)))

    def is_default(self, value: Any) -> bool:
        """Whether a value is the default, which nobody need have given."""
        if self.many and isinstance(value, Iterable) and isinstance(self.default, Iterable):
            return list(value) == list(self.default)
        return _is_among(value, (self.default,))

    def check(self, value: Any, others: Mapping[str, Any]) -> None:
        """Raise OptionError unless the value is allowed; ``others`` are the values of all settings."""
        if value is None and self.none:
            return
        high = others[self.high] if isinstance(self.high, str) else self.high
        if not self.many:
            self._check_one(value, high)
            return
        if isinstance(value, str) or not _is_list(value):
            raise OptionError(f"{self.name} = {shown(value)} must be a list of {self._plural()}")
        for one in value:
            self._check_one(one, high)

    def plain(self, value: Any) -> Any:
        """A value that was checked, with numbers of other kinds, such as NumPy's, as Python's int, float or bool."""
        if value is None or self.choices or self.type not in (bool, int, float):
            return value
        if self.type is bool:
            return bool(value)
        if not self.many:
            return value if isinstance(value, int | float) else self.type(value)
        return value if all(isinstance(one, int | float) for one in value) else tuple(map(self.type, value))

    def _check_one(self, value: Any, high: float) -> None:
        may_be_object = isinstance(self.type, str | tuple)
        if self.choices and (isinstance(value, str) or not may_be_object):
            if not _is_among(value, self.choices):
                allowed = ", ".join(map(str, (None, *self.choices) if self.none else self.choices))
                raise OptionError(f"{self.name} = {shown(value)} is not one of {allowed}")
        elif self.type is bool:
            if not _is_among(value, (False, True)):
                raise OptionError(f"{self.name} = {shown(value)} must be True or False")
        elif self.type in (int, float):
            if self.type is int:
                ends = (-LARGEST_WHOLE if self.low == -inf else self.low, LARGEST_WHOLE if high == inf else high)
                check_whole(self.name, value, *map(int, ends))
            else:
                check_range(self.name, value, self.low, high, low_open=self.low_open, high_open=self.high_open)
        elif not isinstance(self.type, str) and not isinstance(value, self.type):
            kind = f"a list of {self._plural()}" if self.many else f"a {self.type_name}"
            raise OptionError(f"{self.name} = {shown(value)} must be {kind}")

    @property
    def type_name(self) -> str:
        """The type in words, such as "int" or "str or callable"."""
        kinds = self.type if isinstance(self.type, tuple) else (self.type,)
        return " or ".join(kind if isinstance(kind, str) else kind.__name__.lower() for kind in kinds)

    def _plural(self) -> str:
        return _PLURALS.get(self.type, str(self.type))


def check_settings(settings: Iterable[Setting], values: Mapping[str, Any]) -> None:
    """Raise OptionError for the first value that its setting does not allow."""
    for setting in sorted(settings, key=lambda one: isinstance(one.high, str)):  # a limit before what it limits
        setting.check(values[setting.name], values)


def unmet(conditions: Iterable[Condition], values: Mapping[str, Any]) -> Condition | None:
    """The first condition that does not hold; one about a name that is not among ``values`` does."""
    return next((one for one in conditions if one[0] in values and not _holds(values[one[0]], one[1])), None)


def _holds(value: Any, allowed: tuple[Any, ...] | range) -> bool:
    if allowed is not GIVEN:
        return _is_among(value, allowed)
    return value is not None and (bool(value) or not isinstance(value, int | float | str | tuple | list))


def _is_absence(allowed: tuple[Any, ...] | range) -> bool:
    return all(value is None or value is False or value == () for value in allowed)


def told_condition(
    condition: Condition, spell: Callable[[str], str] = str, literal: Callable[[Any], str] = repr
) -> str:
    """A condition in words: "with optimizer 'momentum' or 'nesterov'", "with valid", "without vectors"."""
    name, allowed = condition
    if allowed is GIVEN or _is_absence(allowed):
        return f"{'with' if allowed is GIVEN else 'without'} {spell(name)}"
    values = f"above {allowed.start - 1}" if isinstance(allowed, range) else " or ".join(map(literal, allowed))
    return f"with {spell(name)} {values}"


def no_effect(
    subject: str,
    condition: Condition,
    value: Any,
    spell: Callable[[str], str] = str,
    literal: Callable[[Any], str] = repr,
) -> OptionError:
    """The error for a setting that nothing reads, since a condition does not hold for ``value``."""
    other = spell(condition[0])
    if condition[1] is GIVEN:
        return OptionError(f"{subject} is for {other}; give that, too, or leave {subject.partition(' ')[0]} out")
    if _is_absence(condition[1]):
        return OptionError(f"{subject} has no effect with {other}; leave one of them out")
    wanted = told_condition(condition, spell, literal).removeprefix("with ")
    return OptionError(f"{subject} is for {wanted}, not {literal(value)}; leave it out")


def check_effects(settings: Iterable[Setting], values: Mapping[str, Any]) -> None:
    """Raise OptionError for the first value that is not the default and has no effect beside the others."""
    for setting in settings:
        value = values[setting.name]
        is_given = not (setting.is_default(value) or setting.asks_for_nothing(value))
        condition = unmet(setting.conditions, values) if is_given else None
        if condition is not None:
            raise no_effect(f"{setting.name} = {shown(value)}", condition, values[condition[0]])


def _is_list(value: Any) -> bool:
    """Whether a value can be gone through and has a length, which arrays of no dimension only seem to have."""
    try:
        return len(value) >= 0 and iter(value) is not None
    except TypeError:
        return False


def _is_among(value: Any, choices: tuple[Any, ...] | range) -> bool:
    """``value in choices``, where an array, which compares element by element, is no choice."""
    try:
        return value in choices
    except ValueError:
        return False


class OldName:
    """A setting's name of before, as a class attribute: it reads and sets the setting of the new name.

    It also works in ``set_params`` and, where ``takes_old_names`` decorates it, in the constructor. Whether it warns is
    said in ``_renamed.py``; British spellings do not.
    """

    def __init__(self, new: str) -> None:
        self.new = new

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        warn_renamed_parameter(self.name)
        return getattr(instance, self.new)

    def __set__(self, instance: Any, value: Any) -> None:
        warn_renamed_parameter(self.name)
        setattr(instance, self.new, value)


def current_names(kind: type, values: Mapping[str, Any], *, stacklevel: int | None = None) -> dict[str, Any]:
    """The values under the names that settings have now; files of before hold old ones.

    With ``stacklevel``, as of ``warnings.warn``, an old name may warn; both names at once are a TypeError.
    """
    current: dict[str, Any] = {}
    for name, value in values.items():
        old = getattr(kind, name, None)
        new = old.new if isinstance(old, OldName) else name
        if new in current or (new != name and new in values):
            raise TypeError(f"{kind.__name__} got {new} twice, once as {name}")
        if new != name and stacklevel is not None:
            warn_renamed_parameter(name, stacklevel=stacklevel + 1)
        current[new] = value
    return current


def takes_old_names(constructor: Constructor) -> Constructor:
    """Decorate ``__init__`` so that it also takes the names of before that the class has as ``OldName``."""

    @wraps(constructor)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        constructor(self, *args, **current_names(type(self), kwargs, stacklevel=2))

    return cast("Constructor", init)


class Estimator:
    """Settings by name. The constructor of a subclass only stores its arguments, each under its own name."""

    settings: ClassVar[tuple[Setting, ...]] = ()

    def _store(self, arguments: Mapping[str, Any]) -> None:
        """Store the constructor's arguments (its ``locals()``) under their names."""
        for name in signature(type(self)).parameters:
            setattr(self, name, arguments[name])

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """All constructor parameters by name."""
        return {name: getattr(self, name) for name in signature(type(self)).parameters}

    def set_params(self, **params: Any) -> Self:
        """Set constructor parameters by name; OptionError for an unknown one."""
        current, known = current_names(type(self), params, stacklevel=2), signature(type(self)).parameters
        for name in current:
            if name not in known:
                raise OptionError(f"{type(self).__name__} has no parameter {name!r}")
        for name, value in current.items():
            setattr(self, name, value)
        return self

    def check_parameters(self) -> None:
        """Raise OptionError for a parameter out of range, before any work; ``fit`` does so first.

        Numbers of NumPy become Python's, whose arithmetic does not overflow: 200 as a uint8 times 2 would be 144.
        """
        check_settings(self.settings, vars(self))
        for setting in self.settings:
            vars(self)[setting.name] = setting.plain(vars(self)[setting.name])

    def check_effects(self, **arguments: Any) -> None:
        """Raise OptionError for a parameter that is not the default and has no effect beside the others.

        ``arguments``: those of ``fit`` on which an effect depends. Files of models are not checked so: what had no
        effect when they were trained is no fault of theirs.
        """
        check_effects(self.settings, {**vars(self), **arguments})

    def __repr__(self) -> str:
        sizes = sizes_told(self.sizes())
        return f"{self._constructor()}: {sizes}" if sizes else self._constructor()

    def _repr_html_(self) -> str:
        """The parameters that are not the defaults, and what was learned, as a table for notebooks."""
        return html_table(type(self).__name__, [*self._changed().items(), *self._facts().items()])

    def _changed(self) -> dict[str, str]:
        """The parameters that are not the defaults, as Python writes them."""
        defaults = {name: parameter.default for name, parameter in signature(type(self)).parameters.items()}
        shown = {name: _as_typed(value) for name, value in self.get_params().items()}  # arrays cannot be compared whole
        return {name: value for name, value in shown.items() if value != repr(defaults[name])}

    def _constructor(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value}' for name, value in self._changed().items())})"

    def sizes(self) -> dict[str, object]:
        """How much a trained model holds, by name: numbers of words, labels and the like; empty before ``fit``."""
        return {}

    def _facts(self) -> dict[str, object]:
        """What a trained model tells of itself in a notebook, by name; nothing as long as it is not trained."""
        return self.sizes()


def _as_typed(value: Any) -> str:
    """A parameter as Python writes it; of models, also in a list, only how they are made."""
    if isinstance(value, list | tuple) and any(isinstance(one, Estimator) for one in value):
        return f"[{', '.join(map(_as_typed, value))}]"
    return value._constructor() if isinstance(value, Estimator) else repr(value)
