"""A vector of 16 floats as a Numba type, so that vectorization does not depend on what LLVM can prove.

Kernels limited by arithmetic load, multiply-add and store 16 numbers at a time; where registers are narrower, LLVM uses
several. Every operation exists for float32 and float64, so that the gradients of a shipped kernel can be checked in
float64. Each operation is first written in NumPy: this is its definition, and what runs with NUMBA_DISABLE_JIT=1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model
from numpy.typing import NDArray

from windrow.numeric.jit import DISABLE_JIT

LANES = 16
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


def totals(x0: Any, x1: Any, x2: Any, x3: Any) -> Any:
    """The sums of four vectors, in lanes 0 to 3 and repeated in the others: cheaper than four times ``total``."""
    return np.tile(np.stack([x0, x1, x2, x3]).sum(axis=1), LANES // 4)


def exp(x: Any) -> Any:
    """``e ** x``, x clamped to [-80, 80]; relative error of the float32 form 2e-7 * max(1, |x|)."""
    return np.exp(np.clip(x, -_EXPONENT_LIMIT, _EXPONENT_LIMIT))


def logistic(x: Any) -> Any:
    """``1 / (1 + exp(-x))``, x clamped to [-30, 30]."""
    return 1 / (1 + np.exp(-np.clip(x, -_LOGIT_LIMIT, _LOGIT_LIMIT)))


def log(x: Any) -> Any:
    """The natural logarithm of positive, normal numbers; relative error of the float32 form 2.6e-7."""
    return np.log(x)


def prefetch(array: NDArray[Any], start: int) -> None:
    """Start loading the cache line of ``array[start]``, without waiting for it."""


# --- the same as machine code


_BYTES = ir.IntType(8).as_pointer()


class Vector(types.Type):
    """Sixteen lanes of one floating-point type."""

    def __init__(self, dtype: types.Float) -> None:
        self.dtype = dtype
        super().__init__(name=f"Vector16({dtype})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: Vector) -> None:
        super().__init__(manager, vector, vector_type(vector))


def vector_type(vector: Vector) -> ir.VectorType:
    """The LLVM type of a Vector."""
    return ir.VectorType(ir.FloatType() if vector.dtype.bitwidth == 32 else ir.DoubleType(), LANES)


def _constant(vector: ir.VectorType, value: float) -> ir.Constant:
    exact = float(np.float32(value)) if isinstance(vector.element, ir.FloatType) else value
    return ir.Constant(vector, [ir.Constant(vector.element, exact)] * LANES)


def shuffle(builder: Any, x: Any, y: Any, lanes: Sequence[int]) -> Any:
    """The vector of these lanes; 0 to 15 are those of x, 16 to 31 those of y."""
    chosen = ir.Constant(ir.VectorType(ir.IntType(32), LANES), list(lanes))
    return builder.shuffle_vector(x, y, chosen)


def spread(builder: Any, value: Any) -> Any:
    """The vector that repeats a number."""
    nothing = ir.Constant(ir.VectorType(value.type, LANES), ir.Undefined)
    return shuffle(
        builder, builder.insert_element(nothing, value, ir.Constant(ir.IntType(32), 0)), nothing, [0] * LANES
    )


def _call(builder: Any, name: str, result: Any, *arguments: Any) -> Any:
    """Call an LLVM intrinsic, e.g. ``llvm.fma`` on vectors as ``llvm.fma.v16f32``."""
    suffix = "f32" if isinstance(arguments[0].type.element, ir.FloatType) else "f64"
    function_type = ir.FunctionType(result, [argument.type for argument in arguments])
    function = cgutils.get_or_insert_function(builder.module, function_type, f"{name}.v{LANES}{suffix}")
    return builder.call(function, arguments)


def vector_pointer(context: Any, builder: Any, array_type: Any, array: Any, start: Any) -> Any:
    """A pointer to the vector ``array[start : start + 16]``."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [start]), vector_type(Vector(array_type.dtype)).as_pointer())


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
        return _constant(vector_type(signature.return_type), 0.0)

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
            builder.icmp_signed("<", lanes, spread(builder, number)), whole, _constant(whole.type, 0.0)
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


def fma(builder: Any, x: Any, y: Any, z: Any) -> Any:
    """``x * y + z`` of vectors, rounded once."""
    return _call(builder, "llvm.fma", x.type, x, y, z)


def _total(_typing: Any, vector: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        element = arguments[0].type.element
        suffix = "f32" if isinstance(element, ir.FloatType) else "f64"
        function_type = ir.FunctionType(element, [element, arguments[0].type])
        name = f"llvm.vector.reduce.fadd.v{LANES}{suffix}"
        function = cgutils.get_or_insert_function(builder.module, function_type, name)
        result = builder.call(function, [ir.Constant(element, 0.0), arguments[0]])
        result.fastmath.add("reassoc")  # a tree, not a chain of 16
        return result

    return vector.dtype(vector), generate


def _interleaved_sum(builder: Any, x: Any, y: Any, group: int) -> Any:
    """Sums of neighboring groups of lanes, those of x and of y alternating; ``group`` is 1, 2, 4 or 8 lanes.

    With group 1: x0 + x1, y0 + y1, x2 + x3, y2 + y3, ...
    """
    firsts = [lane for lane in range(LANES) if lane // group % 2 == 0]
    runs = [firsts[i : i + group] for i in range(0, len(firsts), group)]
    low = [lane for run in runs for lane in [*run, *(LANES + lane for lane in run)]]
    high = [lane + group for lane in low]
    return builder.fadd(shuffle(builder, x, y, low), shuffle(builder, x, y, high))


def sum_each(builder: Any, vectors: Sequence[Any]) -> Any:
    """Lane i is the sum of vector i, for 16 vectors or 4 (repeated); by a tree of additions that serves all of them."""
    group, wanted = 1, list(vectors)
    while group < LANES:
        if len(wanted) == 1:
            wanted = wanted * 2
        wanted = [_interleaved_sum(builder, x, y, group) for x, y in zip(wanted[0::2], wanted[1::2], strict=True)]
        group *= 2
    return wanted[0]


def _polynomial(builder: Any, x: Any, coefficients: tuple[float, ...]) -> Any:
    """Horner's rule, highest power first."""
    value = _constant(x.type, coefficients[0])
    for coefficient in coefficients[1:]:
        value = fma(builder, value, x, _constant(x.type, coefficient))
    return value


def _clamp(builder: Any, x: Any, limit: float) -> Any:
    # Comparisons, because maxnum and minnum would turn NaN into a limit and hide that training has diverged.
    low, high = _constant(x.type, -limit), _constant(x.type, limit)
    x = builder.select(builder.fcmp_ordered("<", x, low), low, x)
    return builder.select(builder.fcmp_ordered(">", x, high), high, x)


def _reciprocal(builder: Any, x: Any) -> Any:
    """``1 / x`` of positive, normal numbers; in float32 it takes a third of a division, with relative error 1.2e-7."""
    if isinstance(x.type.element, ir.DoubleType):
        return builder.fdiv(_constant(x.type, 1.0), x)
    # Subtracting the bits negates the exponent and inverts the fraction roughly: relative error 1/8, which each of
    # Newton's steps squares.
    integers = ir.VectorType(ir.IntType(32), LANES)
    guess = builder.sub(ir.Constant(integers, [0x7EF311C7] * LANES), builder.bitcast(x, integers))
    y = builder.bitcast(guess, x.type)
    negative = builder.fmul(x, _constant(x.type, -1.0))
    for _ in range(3):
        y = fma(builder, y, fma(builder, negative, y, _constant(x.type, 1.0)), y)
    return y


def _exp_within(builder: Any, x: Any, limit: float) -> Any:
    x = _clamp(builder, x, limit)
    if isinstance(x.type.element, ir.DoubleType):
        return _call(builder, "llvm.exp", x.type, x)
    # exp(x) = 2**whole * 2**part with part in [-1/2, 1/2]: exponent bits and a polynomial (8e-8 relative).
    exponent = builder.fmul(x, _constant(x.type, 1.4426950408889634))
    whole = _call(builder, "llvm.rint", x.type, exponent)
    fraction = _polynomial(builder, builder.fsub(exponent, whole), _EXP2_COEFFICIENTS)
    integers = ir.VectorType(ir.IntType(32), LANES)
    biased = builder.add(builder.fptosi(whole, integers), ir.Constant(integers, [127] * LANES))
    scale = builder.bitcast(builder.shl(biased, ir.Constant(integers, [23] * LANES)), x.type)
    return builder.fmul(fraction, scale)


def _exp(builder: Any, x: Any) -> Any:
    return _exp_within(builder, x, _EXPONENT_LIMIT)


def _logistic(builder: Any, x: Any) -> Any:
    power = _exp_within(builder, builder.fmul(x, _constant(x.type, -1.0)), _LOGIT_LIMIT)
    return _reciprocal(builder, builder.fadd(power, _constant(x.type, 1.0)))


def _log(builder: Any, x: Any) -> Any:
    if isinstance(x.type.element, ir.DoubleType):
        return _call(builder, "llvm.log", x.type, x)
    # x = 2**e * m with m in [sqrt(1/2), sqrt(2)); log m = 2 artanh(s), s = (m - 1) / (m + 1), |s| < 0.172.
    integers = ir.VectorType(ir.IntType(32), LANES)
    bits = builder.bitcast(x, integers)
    root_half = ir.Constant(integers, [0x3F3504F3] * LANES)
    offset = builder.sub(bits, root_half)
    e = builder.ashr(offset, ir.Constant(integers, [23] * LANES))
    m = builder.bitcast(builder.sub(bits, builder.shl(e, ir.Constant(integers, [23] * LANES))), x.type)
    one = _constant(x.type, 1.0)
    s = builder.fmul(builder.fsub(m, one), _reciprocal(builder, builder.fadd(m, one)))
    series = _polynomial(builder, builder.fmul(s, s), (2 / 9, 2 / 7, 2 / 5, 2 / 3, 2.0))
    exponent_part = builder.fmul(builder.sitofp(e, x.type), _constant(x.type, 0.6931471805599453))
    return builder.select(builder.fcmp_unordered("uno", x, x), x, fma(builder, s, series, exponent_part))


# 2**t on [-1/2, 1/2] with value 1 at 0: the minimax fit of degree 5 (a linear program over 4,001 points).
_EXP2_COEFFICIENTS = (1.32746334e-03, 9.67196168e-03, 5.55067837e-02, 2.40222353e-01, 6.93147062e-01, 1.0)

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
        "total": _total,
        "totals": _elementwise(lambda builder, *vectors: sum_each(builder, vectors), 4),
        "exp": _elementwise(_exp, 1),
        "logistic": _elementwise(_logistic, 1),
        "log": _elementwise(_log, 1),
        "prefetch": _prefetch,
    }
    globals().update({name: intrinsic(typing) for name, typing in _MACHINE_CODE.items()})
