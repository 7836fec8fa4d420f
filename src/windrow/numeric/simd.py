"""A vector of 16 floats as a Numba type, so that vectorization does not depend on what LLVM can prove.

Kernels limited by arithmetic load, multiply-add and store 16 numbers at a time; where registers are narrower, LLVM uses
several. Every operation exists for float32 and float64, so that the gradients of a shipped kernel can be checked in
float64. Each operation is first written in NumPy: this is its definition, and what runs with NUMBA_DISABLE_JIT=1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from windrow.numeric import machine_code
from windrow.numeric.jit import DISABLE_JIT
from windrow.numeric.machine_code import (
    Vector,
    constant,
    exp_within,
    fma,
    reciprocal,
    spread,
    sum_each,
    vector_pointer,
    vector_type,
)

LANES = machine_code.LANES
_EXPONENT_LIMIT = 80.0  # exp(80) = 6e34 and exp(-80) = 2e-35 are normal numbers
_LOGIT_LIMIT = 30.0  # logistic(30) = 1 - 9e-14: larger numbers only risk overflow

# --- the definitions


def load(array: NDArray[Any], start: int) -> Any:
    """The vector ``array[start : start + 16]`` of a flat array."""
    return array[start : start + LANES].copy()


def load_int8(array: NDArray[np.int8], start: int) -> Any:
    """``array[start : start + 16]`` of a flat array as a vector of float32."""
    return array[start : start + LANES].astype(np.float32)


def store(array: NDArray[Any], start: int, vector: Any) -> None:
    """Write ``vector`` to ``array[start : start + 16]``."""
    array[start : start + LANES] = vector


def zero(array: NDArray[Any]) -> Any:
    """A vector of zeros of the array's type."""
    return np.zeros(LANES, array.dtype)


def broadcast(value: Any) -> Any:
    """The vector that repeats a float32 or float64."""
    return np.full(LANES, value)


def first_lanes(vector: Any, number: int) -> Any:
    """The vector with zeros from lane ``number`` on."""
    return np.where(np.arange(LANES) < number, vector, vector.dtype.type(0))


def add(x: Any, y: Any) -> Any:
    """``x + y``."""
    return x + y


def subtract(x: Any, y: Any) -> Any:
    """``x - y``."""
    return x - y


def maximum(x: Any, y: Any) -> Any:
    """The larger number of each lane; y where either is NaN."""
    return np.where(x > y, x, y)


def multiply(x: Any, y: Any) -> Any:
    """``x * y``."""
    return x * y


def multiply_add(x: Any, y: Any, z: Any) -> Any:
    """``x * y + z``, rounded once where the machine can."""
    return x * y + z


def total(x: Any) -> Any:
    """The sum of the 16 lanes."""
    return x.sum()


def largest(x: Any) -> Any:
    """The largest of the 16 lanes."""
    return x.max()


def totals(x0: Any, x1: Any, x2: Any, x3: Any) -> Any:
    """The sums of four vectors, in lanes 0 to 3 and repeated in the others: cheaper than four times ``total``."""
    return np.tile(np.stack([x0, x1, x2, x3]).sum(axis=1), LANES // 4)


def exp(x: Any) -> Any:
    """``e ** x``, x clamped to [-80, 80]; relative error of the float32 form 2e-7 * max(1, |x|)."""
    return np.exp(np.clip(x, -_EXPONENT_LIMIT, _EXPONENT_LIMIT))


def logistic(x: Any) -> Any:
    """``1 / (1 + exp(-x))``, x clamped to [-30, 30]."""
    return 1 / (1 + np.exp(-np.clip(x, -_LOGIT_LIMIT, _LOGIT_LIMIT)))


def tanh(x: Any) -> Any:
    """``2 logistic(2 x) - 1``, x clamped to [-15, 15]."""
    return 2 * logistic(2 * x) - 1


def log(x: Any) -> Any:
    """The natural logarithm of positive, normal numbers; relative error of the float32 form 2.6e-7."""
    return np.log(x)


def prefetch(array: NDArray[Any], start: int) -> None:
    """Start loading the cache line of ``array[start]``, without waiting for it."""


# --- the same as machine code


_BYTES = ir.IntType(8).as_pointer()


def _load(_typing: Any, array: Any, _start: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(
            vector_pointer(context, builder, signature.args[0], *arguments), align=array.dtype.bitwidth // 8
        )

    return Vector(array.dtype)(array, types.int64), generate


def _load_int8(_typing: Any, array: Any, _start: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, start = arguments
        data = context.make_array(signature.args[0])(context, builder, array).data
        pointer = builder.bitcast(builder.gep(data, [start]), ir.VectorType(ir.IntType(8), LANES).as_pointer())
        return builder.sitofp(builder.load(pointer, align=1), vector_type(signature.return_type))

    return Vector(types.float32)(array, types.int64), generate


def _store(_typing: Any, array: Any, _start: Any, vector: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = vector_pointer(context, builder, signature.args[0], *arguments[:2])
        builder.store(arguments[2], pointer, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.int64, vector), generate


def _prefetch(_typing: Any, array: Any, _start: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = builder.bitcast(vector_pointer(context, builder, signature.args[0], *arguments), _BYTES)
        read, keep, data = (ir.Constant(ir.IntType(32), number) for number in (0, 3, 1))
        function_type = ir.FunctionType(ir.VoidType(), [_BYTES, *[ir.IntType(32)] * 3])
        function = cgutils.get_or_insert_function(builder.module, function_type, "llvm.prefetch.p0")
        builder.call(function, [place, read, keep, data])
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


def _zero(_typing: Any, array: Any) -> Any:
    def generate(_context: Any, _builder: Any, signature: Any, _arguments: Any) -> Any:
        return constant(vector_type(signature.return_type), 0.0)

    return Vector(array.dtype)(array), generate


def _broadcast(_typing: Any, value: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return spread(builder, *arguments)

    return Vector(value)(value), generate


def _first_lanes(_typing: Any, vector: Any, _number: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        whole, number = arguments
        lanes = ir.Constant(ir.VectorType(ir.IntType(64), LANES), list(range(LANES)))
        return builder.select(
            builder.icmp_signed("<", lanes, spread(builder, number)), whole, constant(whole.type, 0.0)
        )

    return vector(vector, types.int64), generate


def _elementwise(operation: Callable[..., Any], operands: int) -> Callable[..., Any]:
    """An intrinsic from vectors to a vector of the same type; ``operation(builder, *values)`` emits its code."""

    def typed(vector: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return operation(builder, *arguments)

        return vector(*[vector] * operands), generate

    # Numba reads the number of operands from the signature of the function.
    if operands == 1:
        return lambda _typing, x: typed(x)
    if operands == 2:
        return lambda _typing, x, y: typed(x)
    if operands == 3:
        return lambda _typing, x, y, z: typed(x)
    return lambda _typing, x0, x1, x2, x3: typed(x0)


def _reduction(operation: str, *initial: float) -> Callable[..., Any]:
    """Type one of LLVM's reductions of the lanes to a number; a sum also takes the number to begin with."""

    def typed(_typing: Any, vector: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            element = arguments[0].type.element
            suffix = "f32" if isinstance(element, ir.FloatType) else "f64"
            first = [ir.Constant(element, number) for number in initial]
            function_type = ir.FunctionType(element, [*(number.type for number in first), arguments[0].type])
            name = f"llvm.vector.reduce.{operation}.v{LANES}{suffix}"
            function = cgutils.get_or_insert_function(builder.module, function_type, name)
            result = builder.call(function, [*first, arguments[0]])
            result.fastmath.add("reassoc")  # a tree, not a chain of 16
            return result

        return vector.dtype(vector), generate

    return typed


def _exp(builder: Any, x: Any) -> Any:
    return exp_within(builder, x, _EXPONENT_LIMIT)


def _logistic(builder: Any, x: Any) -> Any:
    power = exp_within(builder, builder.fmul(x, constant(x.type, -1.0)), _LOGIT_LIMIT)
    return reciprocal(builder, builder.fadd(power, constant(x.type, 1.0)))


def _tanh(builder: Any, x: Any) -> Any:
    two, minus_one = constant(x.type, 2.0), constant(x.type, -1.0)
    return fma(builder, two, _logistic(builder, builder.fmul(two, x)), minus_one)


if not DISABLE_JIT:
    _MACHINE_CODE: dict[str, Callable[..., Any]] = {
        "load": _load,
        "load_int8": _load_int8,
        "store": _store,
        "zero": _zero,
        "broadcast": _broadcast,
        "first_lanes": _first_lanes,
        "add": _elementwise(lambda builder, x, y: builder.fadd(x, y), 2),
        "subtract": _elementwise(lambda builder, x, y: builder.fsub(x, y), 2),
        "maximum": _elementwise(lambda builder, x, y: builder.select(builder.fcmp_ordered(">", x, y), x, y), 2),
        "multiply": _elementwise(lambda builder, x, y: builder.fmul(x, y), 2),
        "multiply_add": _elementwise(fma, 3),
        "total": _reduction("fadd", 0.0),
        "largest": _reduction("fmax"),
        "totals": _elementwise(lambda builder, *vectors: sum_each(builder, vectors), 4),
        "exp": _elementwise(_exp, 1),
        "logistic": _elementwise(_logistic, 1),
        "tanh": _elementwise(_tanh, 1),
        "log": _elementwise(machine_code.log, 1),
        "prefetch": _prefetch,
    }
    globals().update({name: intrinsic(typing) for name, typing in _MACHINE_CODE.items()})
