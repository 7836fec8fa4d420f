"""White space in 64 bytes of UTF-8 at a time: numbers in which bit i tells of byte i.

White space is what ``str.isspace`` says: 10 ASCII characters, two of two bytes and 15 of three. The comparisons below
are written once, for arrays and for the vectors of the machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from windrow.corpus.kernels.eight_bytes import Bytes
from windrow.numeric.jit import DISABLE_JIT

BLOCK = 64  # bytes


def _ascii_flags(byte: Any) -> tuple[Any, ...]:
    spaces = ((byte >= 0x09) & (byte <= 0x0D)) | ((byte >= 0x1C) & (byte <= 0x20))
    leads = (byte == 0xC2) | ((byte >= 0xE1) & (byte <= 0xE3))
    return spaces, byte == 0x0A, leads


def _longer_flags(first: Any, second: Any, third: Any) -> tuple[Any, ...]:
    twos = (first == 0xC2) & ((second == 0x85) | (second == 0xA0))  # U+0085, U+00A0
    after_e280 = (third >= 0x80) & (third <= 0x8A)  # U+2000 to U+200A
    after_e280 = after_e280 | (third == 0xA8) | (third == 0xA9) | (third == 0xAF)  # U+2028, U+2029, U+202F
    threes = (first == 0xE2) & (second == 0x80) & after_e280
    threes = threes | ((first == 0xE2) & (second == 0x81) & (third == 0x9F))  # U+205F
    threes = threes | ((first == 0xE1) & (second == 0x9A) & (third == 0x80))  # U+1680
    threes = threes | ((first == 0xE3) & (second == 0x80) & (third == 0x80))  # U+3000
    return twos, threes


# --- the definitions


def ascii_spaces(text: Bytes, at: int) -> Any:
    """Which of the bytes from ``at`` on are ASCII white space, which newlines, and which may begin a longer space."""
    return tuple(map(_bits, _ascii_flags(text[at : at + BLOCK])))


def longer_spaces(text: Bytes, at: int) -> Any:
    """Which of the bytes from ``at`` on begin white space of two bytes, and which such of three; reads two bytes more.

    Bytes of UTF-8 that begin a character begin none but this, so that the flags of no two characters overlap.
    """
    return tuple(map(_bits, _longer_flags(*(text[at + i : at + i + BLOCK] for i in range(3)))))


def lowest_bit(bits: Any) -> Any:
    """The place of the lowest bit that is set; some number where none is."""
    return (int(bits) & -int(bits)).bit_length() - 1


def count_bits(bits: Any) -> Any:
    """How many bits are set."""
    return int(bits).bit_count()


def _bits(flags: Any) -> Any:
    return np.packbits(flags, bitorder="little").view("<u8")[0]


# --- the same as machine code

_VECTOR = ir.VectorType(ir.IntType(8), BLOCK)
_WORD = ir.IntType(64)


class _Lanes:
    """64 bytes, or 64 answers, in a vector; compared and joined as arrays are."""

    def __init__(self, builder: Any, value: Any) -> None:
        self._builder, self.value = builder, value

    def _compared(self, how: str, byte: int) -> _Lanes:
        same = ir.Constant(_VECTOR, [byte] * BLOCK)
        return _Lanes(self._builder, self._builder.icmp_unsigned(how, self.value, same))

    def __ge__(self, byte: int) -> _Lanes:
        return self._compared(">=", byte)

    def __le__(self, byte: int) -> _Lanes:
        return self._compared("<=", byte)

    def __eq__(self, byte: Any) -> Any:
        return self._compared("==", byte)

    __hash__ = None  # type: ignore[assignment]

    def __or__(self, other: _Lanes) -> _Lanes:
        return _Lanes(self._builder, self._builder.or_(self.value, other.value))

    def __and__(self, other: _Lanes) -> _Lanes:
        return _Lanes(self._builder, self._builder.and_(self.value, other.value))


def _masks(flags: Callable[..., tuple[Any, ...]], blocks: int, masks: int) -> Callable[..., Any]:
    """An intrinsic for ``flags`` of the block at a place and of those that begin at the next places."""

    def typed(_typing: Any, text: Any, _at: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            text, at = arguments
            data = builder.gep(context.make_array(signature.args[0])(context, builder, text).data, [at])
            places = [builder.gep(data, [ir.Constant(_WORD, i)]) for i in range(blocks)]
            loaded = [builder.load(builder.bitcast(place, _VECTOR.as_pointer()), align=1) for place in places]
            found = flags(*(_Lanes(builder, block) for block in loaded))
            return context.make_tuple(
                builder, signature.return_type, [builder.bitcast(one.value, _WORD) for one in found]
            )

        return types.UniTuple(types.uint64, masks)(text, types.intp), generate

    return typed


def _of_bits(operation: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def typed(_typing: Any, _bits: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return operation(builder, arguments[0])

        return types.int64(types.uint64), generate

    return typed


if not DISABLE_JIT:
    globals().update(
        ascii_spaces=intrinsic(_masks(_ascii_flags, 1, 3)),
        longer_spaces=intrinsic(_masks(_longer_flags, 3, 2)),
        lowest_bit=intrinsic(_of_bits(lambda builder, bits: builder.cttz(bits, ir.Constant(ir.IntType(1), 0)))),
        count_bits=intrinsic(_of_bits(lambda builder, bits: builder.ctpop(bits))),
    )
