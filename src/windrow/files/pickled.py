"""The data in a Python pickle, read without running it.

A pickle is a program: it names functions, and unpickling calls them. Here its instructions are only taken apart, by the
disassembler of the standard library: nothing is imported or called. Where an object would be made there is a ``Made``,
which says by what.
"""

from __future__ import annotations

import mmap
import pickletools
import struct
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from windrow.errors import FormatError

_BYTES = {"BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"}
_TEXTS = {"STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"}
_NUMBERS = {"INT", "LONG", "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "FLOAT", "BINFLOAT"}
_LITERALS = _BYTES | _TEXTS | _NUMBERS
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_DAMAGE = (ValueError, IndexError, KeyError, TypeError, OverflowError, struct.error)


class Named(str):
    """The full name of a class or function."""


@dataclass(eq=False)
class Made:
    """What a class or function would make: its name, its arguments, and the state that the object gets afterwards."""

    name: str
    arguments: tuple[Any, ...] = ()
    state: Any = None

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes of the object, as far as they are plain."""
        state = self.state[0] if isinstance(self.state, tuple) and self.state else self.state
        return state if isinstance(state, dict) else {}


def is_made_by(value: Any, package: str, classes: Collection[str]) -> bool:
    """Whether an object would be made by one of these classes, of any module that begins with ``package``."""
    module, _, name = value.name.rpartition(".") if isinstance(value, Made) else ("", "", "")
    return module.startswith(package) and name in classes


def read_pickle(path: Path) -> Any:
    """What the pickle in an uncompressed file holds: None, numbers, str, bytes, lists, tuples, dicts and ``Made``.

    Sets are a ``Made`` without their elements, and so is what lists, dicts and sets of other classes hold; a frozenset
    has a list of its elements as its argument. A dict keeps
    only keys that are str or numbers. Memory grows with what is in the file. FormatError for damage.
    """
    machine = _Machine()
    try:
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            for opcode, argument, _ in pickletools.genops(mapped):  # type: ignore[arg-type]  # it reads as a file does
                machine.step(opcode.name, argument)
        return machine.stack[-1]
    except _DAMAGE as error:
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise FormatError(f"{path} is a damaged Python pickle ({reason}); was it cut short?") from error


class _Machine:
    """The stack on which the instructions of a pickle work, and the memory for objects that occur again."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self._below: list[list[Any]] = []  # stacks under a mark
        self._memory: dict[int, Any] = {}

    def step(self, name: str, argument: Any) -> None:
        """Carry out one instruction."""
        if name in _LITERALS:
            self.stack.append(argument)
        elif name == "MEMOIZE":
            self._memory[len(self._memory)] = self.stack[-1]
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            self.stack.append(self._memory[argument])
        elif name in ("BINPUT", "LONG_BINPUT", "PUT"):
            self._memory[argument] = self.stack[-1]
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _TUPLES:
            self.stack[-_TUPLES[name] :] = [tuple(self.stack[-_TUPLES[name] :])]
        else:
            _STEPS[name](self, argument)  # KeyError for what no plain pickle has: persistent ids, extension codes

    def mark(self, _: Any) -> None:
        self._below.append(self.stack)
        self.stack = []

    def pop_mark(self, _: Any = None) -> list[Any]:
        """What has come since the last mark."""
        items, self.stack = self.stack, self._below.pop()
        return items

    def pop(self, _: Any) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self.pop_mark()

    def duplicate(self, _: Any) -> None:
        self.stack.append(self.stack[-1])

    def make_list(self, _: Any) -> None:
        items = self.pop_mark()
        self.stack.append(items)

    def make_tuple(self, _: Any) -> None:
        items = self.pop_mark()
        self.stack.append(tuple(items))

    def make_dict(self, _: Any) -> None:
        made: dict[Any, Any] = {}
        _put(made, self.pop_mark())
        self.stack.append(made)

    def make_set(self, _: Any) -> None:
        self.stack.append(Made("builtins.set"))

    def make_frozenset(self, _: Any) -> None:
        items = self.pop_mark()
        self.stack.append(Made("builtins.frozenset", (items,)))

    def append(self, _: Any) -> None:
        _append(self.stack[-2], [self.stack.pop()])

    def appends(self, _: Any) -> None:
        items = self.pop_mark()
        _append(self.stack[-1], items)

    def set_item(self, _: Any) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        _put(self.stack[-1], [key, value])

    def set_items(self, _: Any) -> None:
        items = self.pop_mark()
        _put(self.stack[-1], items)

    def name(self, argument: str) -> None:
        self.stack.append(Named(argument.replace(" ", ".", 1)))

    def stack_name(self, _: Any) -> None:
        attribute, module = self.stack.pop(), self.stack.pop()
        self.stack.append(Named(f"{str.__str__(module)}.{str.__str__(attribute)}"))

    def call(self, _: Any) -> None:
        arguments, maker = self.stack.pop(), self.stack.pop()
        self._make(maker, arguments)

    def call_with_names(self, _: Any) -> None:
        self.stack.pop()
        self.call(None)

    def call_from_mark(self, _: Any) -> None:
        maker, *arguments = self.pop_mark()
        self._make(maker, tuple(arguments))

    def call_named(self, argument: str) -> None:
        arguments = tuple(self.pop_mark())
        self._make(Named(argument.replace(" ", ".", 1)), arguments)

    def build(self, _: Any) -> None:
        state = self.stack.pop()
        if isinstance(self.stack[-1], Made):
            self.stack[-1].state = state

    def nothing(self, _: Any) -> None:
        """How the file is laid out, and what does not concern the data."""

    def _make(self, maker: Any, arguments: Any) -> None:
        if not isinstance(maker, Named) or not isinstance(arguments, tuple):
            raise ValueError("an object is made by something else than a class or function")
        if maker.endswith("._reconstructor") and arguments and isinstance(arguments[0], Named):
            maker = arguments[0]  # protocols 0 and 1 make objects so
        self.stack.append(Made(str(maker), arguments))


def _append(target: Any, items: list[Any]) -> None:
    if isinstance(target, list):
        target += items


def _put(target: Any, items: list[Any]) -> None:
    """Set keys and values, which alternate. Other keys than these could be nested so deeply that a hash overflows."""
    if isinstance(target, dict):
        pairs = zip(items[::2], items[1::2], strict=True)
        target.update((key, value) for key, value in pairs if isinstance(key, str | int | float))


_STEPS: dict[str, Callable[[_Machine, Any], object]] = {
    "MARK": _Machine.mark,
    "POP": _Machine.pop,
    "POP_MARK": _Machine.pop_mark,
    "DUP": _Machine.duplicate,
    "EMPTY_LIST": lambda machine, _: machine.stack.append([]),
    "EMPTY_TUPLE": lambda machine, _: machine.stack.append(()),
    "EMPTY_DICT": lambda machine, _: machine.stack.append({}),
    "EMPTY_SET": _Machine.make_set,
    "FROZENSET": _Machine.make_frozenset,
    "ADDITEMS": _Machine.pop_mark,
    "LIST": _Machine.make_list,
    "TUPLE": _Machine.make_tuple,
    "DICT": _Machine.make_dict,
    "APPEND": _Machine.append,
    "APPENDS": _Machine.appends,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "GLOBAL": _Machine.name,
    "STACK_GLOBAL": _Machine.stack_name,
    "REDUCE": _Machine.call,
    "NEWOBJ": _Machine.call,
    "NEWOBJ_EX": _Machine.call_with_names,
    "OBJ": _Machine.call_from_mark,
    "INST": _Machine.call_named,
    "BUILD": _Machine.build,
    "PROTO": _Machine.nothing,
    "FRAME": _Machine.nothing,
    "STOP": _Machine.nothing,
}
