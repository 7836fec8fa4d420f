"""A text read eight bytes at a time, as numbers in which the first byte is the lowest."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from windrow.numeric.jit import DISABLE_JIT, kernel

Bytes = NDArray[np.uint8]

PAD = 72  # bytes that must follow a text, so that 64 bytes, and eight more, can be read from its last byte on

_ALL = np.uint64(2**64 - 1)


def padded(data: bytes) -> Bytes:
    """Bytes of a text with PAD spaces after them."""
    return np.frombuffer(data + b" " * PAD, np.uint8)


@kernel
def first_bytes(eight: Any, length: int) -> Any:
    """``eight`` with all but its first ``length`` bytes zero, 1 <= length <= 8."""
    return eight & (_ALL >> np.uint64(64 - 8 * length))


# --- the definitions


def eight_at(array: Bytes, at: int) -> Any:
    """Bytes ``at`` to ``at + 7`` as one number."""
    return array[at : at + 8].view("<u8")[0]


def set_eight(array: Bytes, at: int, eight: Any) -> None:
    """The inverse of ``eight_at``."""
    array[at : at + 8].view("<u8")[0] = eight


# --- the same as machine code


def _eight_at(_typing: Any, array: Any, _at: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_pointer(context, builder, signature.args[0], *arguments), align=1)

    return types.uint64(array, types.intp), generate


def _set_eight(_typing: Any, array: Any, _at: Any, _eight: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[2], _pointer(context, builder, signature.args[0], *arguments[:2]), align=1)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.uint64), generate


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, at: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [at]), ir.IntType(64).as_pointer())


if not DISABLE_JIT:
    globals().update(eight_at=intrinsic(_eight_at), set_eight=intrinsic(_set_eight))
