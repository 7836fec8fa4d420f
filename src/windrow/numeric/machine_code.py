"""Vectors of 16 numbers as a Numba type, and the LLVM code of what is done with them: functions of a builder.

simd.py and the tiles of products.py and row_scores.py make intrinsics of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import models, register_model

LANES = 16
# 2**t on [-1/2, 1/2] with value 1 at 0: the minimax fit of degree 5 (a linear program over 4,001 points).
_EXP2_COEFFICIENTS = (1.32746334e-03, 9.67196168e-03, 5.55067837e-02, 2.40222353e-01, 6.93147062e-01, 1.0)


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


def constant(vector: ir.VectorType, value: float) -> ir.Constant:
    """The vector that repeats a number which is known now."""
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


def fma(builder: Any, x: Any, y: Any, z: Any) -> Any:
    """``x * y + z`` of vectors, rounded once."""
    return _call(builder, "llvm.fma", x.type, x, y, z)


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
    value = constant(x.type, coefficients[0])
    for coefficient in coefficients[1:]:
        value = fma(builder, value, x, constant(x.type, coefficient))
    return value


def _clamp(builder: Any, x: Any, limit: float) -> Any:
    # Comparisons, because maxnum and minnum would turn NaN into a limit and hide that training has diverged.
    low, high = constant(x.type, -limit), constant(x.type, limit)
    x = builder.select(builder.fcmp_ordered("<", x, low), low, x)
    return builder.select(builder.fcmp_ordered(">", x, high), high, x)


def reciprocal(builder: Any, x: Any) -> Any:
    """``1 / x`` of positive, normal numbers; in float32 it takes a third of a division, with relative error 1.2e-7."""
    if isinstance(x.type.element, ir.DoubleType):
        return builder.fdiv(constant(x.type, 1.0), x)
    # Subtracting the bits negates the exponent and inverts the fraction roughly: relative error 1/8, which each of
    # Newton's steps squares.
    integers = ir.VectorType(ir.IntType(32), LANES)
    guess = builder.sub(ir.Constant(integers, [0x7EF311C7] * LANES), builder.bitcast(x, integers))
    y = builder.bitcast(guess, x.type)
    negative = builder.fmul(x, constant(x.type, -1.0))
    for _ in range(3):
        y = fma(builder, y, fma(builder, negative, y, constant(x.type, 1.0)), y)
    return y


def exp_within(builder: Any, x: Any, limit: float) -> Any:
    """``e ** x``, x clamped to +-``limit``."""
    x = _clamp(builder, x, limit)
    if isinstance(x.type.element, ir.DoubleType):
        return _call(builder, "llvm.exp", x.type, x)
    # exp(x) = 2**whole * 2**part with part in [-1/2, 1/2]: exponent bits and a polynomial (8e-8 relative).
    exponent = builder.fmul(x, constant(x.type, 1.4426950408889634))
    whole = _call(builder, "llvm.rint", x.type, exponent)
    fraction = _polynomial(builder, builder.fsub(exponent, whole), _EXP2_COEFFICIENTS)
    integers = ir.VectorType(ir.IntType(32), LANES)
    biased = builder.add(builder.fptosi(whole, integers), ir.Constant(integers, [127] * LANES))
    scale = builder.bitcast(builder.shl(biased, ir.Constant(integers, [23] * LANES)), x.type)
    return builder.fmul(fraction, scale)


def log(builder: Any, x: Any) -> Any:
    """The natural logarithm of positive, normal numbers."""
    if isinstance(x.type.element, ir.DoubleType):
        return _call(builder, "llvm.log", x.type, x)
    # x = 2**e * m with m in [sqrt(1/2), sqrt(2)); log m = 2 artanh(s), s = (m - 1) / (m + 1), |s| < 0.172.
    integers = ir.VectorType(ir.IntType(32), LANES)
    bits = builder.bitcast(x, integers)
    root_half = ir.Constant(integers, [0x3F3504F3] * LANES)
    offset = builder.sub(bits, root_half)
    e = builder.ashr(offset, ir.Constant(integers, [23] * LANES))
    m = builder.bitcast(builder.sub(bits, builder.shl(e, ir.Constant(integers, [23] * LANES))), x.type)
    one = constant(x.type, 1.0)
    s = builder.fmul(builder.fsub(m, one), reciprocal(builder, builder.fadd(m, one)))
    series = _polynomial(builder, builder.fmul(s, s), (2 / 9, 2 / 7, 2 / 5, 2 / 3, 2.0))
    exponent_part = builder.fmul(builder.sitofp(e, x.type), constant(x.type, 0.6931471805599453))
    return builder.select(builder.fcmp_unordered("uno", x, x), x, fma(builder, s, series, exponent_part))
