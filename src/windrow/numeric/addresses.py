"""Arrays by where they lie in memory.

Numba reads every array that a kernel is given from its Python object, which takes longer than a small kernel computes.
A kernel that is called very often gets one whole number instead, and makes the arrays from it without any Python.
Whoever passes an address keeps the array alive.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from windrow.numeric.jit import DISABLE_JIT


def array_at(address: int, shape: Any, dtype: Any) -> Any:
    """The array of a shape and type that begins at an address. Nothing is copied, and nothing checked."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.frombuffer((ctypes.c_uint8 * size).from_address(int(address)), dtype).reshape(shape)


def address_of(memory: Any) -> int:
    """Where the memory of an array, or of bytes, begins."""
    array = np.frombuffer(memory, np.uint8) if isinstance(memory, bytes) else memory
    return int(array.ctypes.data)


def _address_of(_typing: Any, memory: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.ptrtoint(data, ir.IntType(64))

    return types.int64(memory), generate


def _array_at(_typing: Any, _address: Any, shape: Any, dtype: Any) -> Any:
    array_type = types.Array(dtype.dtype, shape.count, "C")

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        address, sizes, _ = arguments
        array = context.make_array(array_type)(context, builder)
        itemsize = context.get_constant(types.intp, dtype.dtype.bitwidth // 8)
        extents, strides = cgutils.unpack_tuple(builder, sizes, shape.count), [itemsize]
        for extent in reversed(extents[1:]):
            strides.insert(0, builder.mul(strides[0], extent))
        data = builder.inttoptr(address, array.data.type)
        populate_array(array, data=data, shape=extents, strides=strides, itemsize=itemsize, meminfo=None)
        return array._getvalue()

    whole_numbers = types.UniTuple(types.intp, shape.count)
    return array_type(types.intp, whole_numbers, dtype), generate


if not DISABLE_JIT:
    globals().update(address_of=intrinsic(_address_of), array_at=intrinsic(_array_at))
