"""A vector of 16 floats as a Numba type, so that vectorisation does not depend on what LLVM can prove.

Kernels that are bound by arithmetic load, multiply-add and store 16 numbers at a time; LLVM splits the vector where
registers are narrower. Every operation exists for float32 and float64, so that a shipped kernel can be
gradient-checked in float64. Each operation is first written in NumPy: that is its definition, and what runs with
NUMBA_DISABLE_JIT=1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model
from numpy.typing import NDArray

from windrow.kernels._jit import DISABLE_JIT

LANES = 16
_LOGIT_LIMIT = 30.0  # logistic(30) = 1 - 9e-14: beyond it nothing changes but the risk of overflow

# --- the definitions


def load(array: NDArray[Any], start: int) -> Any:
    """The vector ``array[start : start + 16]`` of a flat array."""
    return array[start : start + LANES].copy()


def store(array: NDArray[Any], start: int, vector: Any) -> None:
    """Write ``vector`` to ``array[start : start + 16]``."""
    array[start : start + LANES] = vector


def zero(array: NDArray[Any]) -> Any:
    """A vector of zeros of the array's type."""
    return np.zeros(LANES, array.dtype)


def broadcast(value: Any) -> Any:
    """The vector that repeats a float32 or float64."""
    return np.full(LANES, value)


def add(x: Any, y: Any) -> Any:
    """``x + y``."""
    return x + y


def multiply(x: Any, y: Any) -> Any:
    """``x * y``."""
    return x * y


def multiply_add(x: Any, y: Any, z: Any) -> Any:
    """``x * y + z``, rounded once where the machine can."""
    return x * y + z


def total(x: Any) -> Any:
    """The sum of the 16 lanes."""
    return x.sum()


def logistic(x: Any) -> Any:
    """``1 / (1 + exp(-x))``, x clamped to [-30, 30]."""
    return 1 / (1 + np.exp(-np.clip(x, -_LOGIT_LIMIT, _LOGIT_LIMIT)))


def log(x: Any) -> Any:
    """The natural logarithm of positive, normal numbers; relative error of the float32 form 2.5e-7."""
    return np.log(x)


# --- the same as machine code


class Vector(types.Type):
    """Sixteen lanes of one floating-point type."""

    def __init__(self, dtype: types.Float) -> None:
        self.dtype = dtype
        super().__init__(name=f"Vector16({dtype})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: Vector) -> None:
        super().__init__(manager, vector, _llvm_type(vector))


def _llvm_type(vector: Vector) -> ir.VectorType:
    return ir.VectorType(ir.FloatType() if vector.dtype.bitwidth == 32 else ir.DoubleType(), LANES)


def _constant(vector: ir.VectorType, value: float) -> ir.Constant:
    exact = float(np.float32(value)) if isinstance(vector.element, ir.FloatType) else value
    return ir.Constant(vector, [ir.Constant(vector.element, exact)] * LANES)


def _call(builder: Any, name: str, result: Any, *arguments: Any) -> Any:
    """Call an LLVM intrinsic, e.g. ``llvm.fma`` on vectors as ``llvm.fma.v16f32``."""
    suffix = "f32" if isinstance(arguments[0].type.element, ir.FloatType) else "f64"
    function_type = ir.FunctionType(result, [argument.type for argument in arguments])
    function = cgutils.get_or_insert_function(builder.module, function_type, f"{name}.v{LANES}{suffix}")
    return builder.call(function, arguments)


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, start: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [start]), _llvm_type(Vector(array_type.dtype)).as_pointer())


def _load(_typing: Any, array: Any, _start: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_pointer(context, builder, signature.args[0], *arguments), align=array.dtype.bitwidth // 8)

    return Vector(array.dtype)(array, types.int64), generate


def _store(_typing: Any, array: Any, _start: Any, vector: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], *arguments[:2])
        builder.store(arguments[2], pointer, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.int64, vector), generate


def _zero(_typing: Any, array: Any) -> Any:
    def generate(_context: Any, _builder: Any, signature: Any, _arguments: Any) -> Any:
        return _constant(_llvm_type(signature.return_type), 0.0)

    return Vector(array.dtype)(array), generate


def _broadcast(_typing: Any, value: Any) -> Any:
    def generate(_context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = _llvm_type(signature.return_type)
        first = builder.insert_element(ir.Constant(vector, ir.Undefined), arguments[0], ir.Constant(ir.IntType(32), 0))
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [ir.Constant(ir.IntType(32), 0)] * LANES)
        return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), lanes)

    return Vector(value)(value), generate


def _elementwise(operation: Callable[..., Any], operands: int) -> Callable[..., Any]:
    """Type an operation of equal vectors that gives such a vector; ``operation(builder, *values)`` writes it."""

    def typed(vector: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return operation(builder, *arguments)

        return vector(*[vector] * operands), generate

    # Numba reads the operands from the signature.
    if operands == 1:
        return lambda _typing, x: typed(x)
    if operands == 2:
        return lambda _typing, x, y: typed(x)
    return lambda _typing, x, y, z: typed(x)


def _fma(builder: Any, x: Any, y: Any, z: Any) -> Any:
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


def _polynomial(builder: Any, x: Any, coefficients: tuple[float, ...]) -> Any:
    """Horner's rule, highest power first."""
    value = _constant(x.type, coefficients[0])
    for coefficient in coefficients[1:]:
        value = _fma(builder, value, x, _constant(x.type, coefficient))
    return value


def _logistic(builder: Any, x: Any) -> Any:
    # Comparisons, because maxnum and minnum would turn NaN into a limit, and hide that training has diverged.
    low, high = _constant(x.type, -_LOGIT_LIMIT), _constant(x.type, _LOGIT_LIMIT)
    x = builder.select(builder.fcmp_ordered("<", x, low), low, x)
    x = builder.select(builder.fcmp_ordered(">", x, high), high, x)
    one = _constant(x.type, 1.0)
    if isinstance(x.type.element, ir.DoubleType):
        power = _call(builder, "llvm.exp", x.type, builder.fmul(x, _constant(x.type, -1.0)))
        return builder.fdiv(one, builder.fadd(one, power))
    # exp(-x) = 2**whole * 2**part with part in [-1/2, 1/2]: exponent bits and a polynomial (8e-8 relative).
    exponent = builder.fmul(x, _constant(x.type, -1.4426950408889634))
    whole = _call(builder, "llvm.rint", x.type, exponent)
    part = builder.fsub(exponent, whole)
    fraction = _polynomial(builder, part, _EXP2_COEFFICIENTS)
    integers = ir.VectorType(ir.IntType(32), LANES)
    biased = builder.add(builder.fptosi(whole, integers), ir.Constant(integers, [127] * LANES))
    scale = builder.bitcast(builder.shl(biased, ir.Constant(integers, [23] * LANES)), x.type)
    return builder.fdiv(one, _fma(builder, fraction, scale, one))


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
    s = builder.fdiv(builder.fsub(m, one), builder.fadd(m, one))
    series = _polynomial(builder, builder.fmul(s, s), (2 / 9, 2 / 7, 2 / 5, 2 / 3, 2.0))
    exponent_part = builder.fmul(builder.sitofp(e, x.type), _constant(x.type, 0.6931471805599453))
    return builder.select(builder.fcmp_unordered("uno", x, x), x, _fma(builder, s, series, exponent_part))


# 2**t on [-1/2, 1/2] with value 1 at 0: the minimax fit of degree 5 (a linear programme over 4,001 points).
_EXP2_COEFFICIENTS = (1.32746334e-03, 9.67196168e-03, 5.55067837e-02, 2.40222353e-01, 6.93147062e-01, 1.0)

if not DISABLE_JIT:
    _MACHINE_CODE: dict[str, Callable[..., Any]] = {
        "load": _load,
        "store": _store,
        "zero": _zero,
        "broadcast": _broadcast,
        "add": _elementwise(lambda builder, x, y: builder.fadd(x, y), 2),
        "multiply": _elementwise(lambda builder, x, y: builder.fmul(x, y), 2),
        "multiply_add": _elementwise(_fma, 3),
        "total": _total,
        "logistic": _elementwise(_logistic, 1),
        "log": _elementwise(_log, 1),
    }
    globals().update({name: intrinsic(typing) for name, typing in _MACHINE_CODE.items()})
