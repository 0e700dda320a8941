"""TOSA ops that compute each element of the result from elements at the same position."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from xdsl.interpreter import Interpreter, InterpreterFunctions, OpImpl, PythonValues, impl, register_impls
from xdsl.ir import OperationInvT

from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.interpreter import elementwise
from tinymo_xdsl.interpreter.operands import integer, result_dtype
from tinymo_xdsl.numerics.dense import Array


def _on_arrays(op_type: type[OperationInvT], function: Callable[..., Array]) -> OpImpl[Any, OperationInvT]:
    """The implementation of an op that is `function` of its operands and nothing else."""

    @impl(op_type)
    def run(
        functions: InterpreterFunctions, interpreter: Interpreter, op: OperationInvT, args: PythonValues
    ) -> PythonValues:
        return (function(*args),)

    return run


def _erf(x: Array) -> Array:
    return np.array([math.erf(value) for value in x.reshape(-1).tolist()], x.dtype).reshape(x.shape)


def _reciprocal_root(x: Array) -> Array:
    return np.reciprocal(np.sqrt(x))


@register_impls
class TosaFunctionsOfElements(InterpreterFunctions):
    """Ops without attributes."""

    absolute = _on_arrays(tosa.AbsOp, elementwise.absolute)
    add = _on_arrays(tosa.AddOp, np.add)
    bitwise_and = _on_arrays(tosa.BitwiseAndOp, np.bitwise_and)
    bitwise_not = _on_arrays(tosa.BitwiseNotOp, np.invert)
    bitwise_or = _on_arrays(tosa.BitwiseOrOp, np.bitwise_or)
    bitwise_xor = _on_arrays(tosa.BitwiseXorOp, np.bitwise_xor)
    ceil = _on_arrays(tosa.CeilOp, np.ceil)
    count_leading_zeros = _on_arrays(tosa.ClzOp, elementwise.count_leading_zeros)
    cosine = _on_arrays(tosa.CosOp, np.cos)
    divide = _on_arrays(tosa.IntDivOp, elementwise.divide_towards_zero)
    equal = _on_arrays(tosa.EqualOp, np.equal)
    error_function = _on_arrays(tosa.ErfOp, _erf)
    exponential = _on_arrays(tosa.ExpOp, np.exp)
    floor = _on_arrays(tosa.FloorOp, np.floor)
    greater = _on_arrays(tosa.GreaterOp, np.greater)
    greater_equal = _on_arrays(tosa.GreaterEqualOp, np.greater_equal)
    logarithm = _on_arrays(tosa.LogOp, np.log)
    logical_and = _on_arrays(tosa.LogicalAndOp, np.logical_and)
    logical_left_shift = _on_arrays(tosa.LogicalLeftShiftOp, np.left_shift)
    logical_not = _on_arrays(tosa.LogicalNotOp, np.logical_not)
    logical_or = _on_arrays(tosa.LogicalOrOp, np.logical_or)
    logical_right_shift = _on_arrays(tosa.LogicalRightShiftOp, elementwise.logical_right_shift)
    logical_xor = _on_arrays(tosa.LogicalXorOp, np.logical_xor)
    negate = _on_arrays(tosa.NegateOp, elementwise.negate)
    power = _on_arrays(tosa.PowOp, np.power)
    reciprocal = _on_arrays(tosa.ReciprocalOp, np.reciprocal)
    reciprocal_root = _on_arrays(tosa.RsqrtOp, _reciprocal_root)
    select = _on_arrays(tosa.SelectOp, np.where)
    sigmoid = _on_arrays(tosa.SigmoidOp, elementwise.sigmoid)
    sine = _on_arrays(tosa.SinOp, np.sin)
    subtract = _on_arrays(tosa.SubOp, np.subtract)
    tanh = _on_arrays(tosa.TanhOp, np.tanh)


@register_impls
class TosaArithmetic(InterpreterFunctions):
    """Ops with attributes, or with a result of another type."""

    @impl(tosa.ArithmeticRightShiftOp)
    def arithmetic_right_shift(
        self, interpreter: Interpreter, op: tosa.ArithmeticRightShiftOp, args: PythonValues
    ) -> PythonValues:
        return (elementwise.arithmetic_right_shift(*args, rounding=bool(op.round)),)

    @impl(tosa.CastOp)
    def cast(self, interpreter: Interpreter, op: tosa.CastOp, args: PythonValues) -> PythonValues:
        return (elementwise.cast(args[0], result_dtype(op)),)

    @impl(tosa.ClampOp)
    def clamp(self, interpreter: Interpreter, op: tosa.ClampOp, args: PythonValues) -> PythonValues:
        low, high = (args[0].dtype.type(limit.value.data) for limit in (op.min_val, op.max_val))
        maximum, minimum = maximum_function(op.nan_mode), minimum_function(op.nan_mode)
        return (minimum(maximum(args[0], low), high),)

    @impl(tosa.MaximumOp)
    def maximum(self, interpreter: Interpreter, op: tosa.MaximumOp, args: PythonValues) -> PythonValues:
        return (maximum_function(op.nan_mode)(*args),)

    @impl(tosa.MinimumOp)
    def minimum(self, interpreter: Interpreter, op: tosa.MinimumOp, args: PythonValues) -> PythonValues:
        return (minimum_function(op.nan_mode)(*args),)

    @impl(tosa.MulOp)
    def multiply(self, interpreter: Interpreter, op: tosa.MulOp, args: PythonValues) -> PythonValues:
        a, b, shift = args
        return (elementwise.multiply(a, b, integer(shift), result_dtype(op)),)

    @impl(tosa.RescaleOp)
    def rescale(self, interpreter: Interpreter, op: tosa.RescaleOp, args: PythonValues) -> PythonValues:
        x, multiplier, shift, input_zero_point, output_zero_point = args
        if op.input_unsigned:
            x, input_zero_point = _unsigned(x), _unsigned(input_zero_point)
        output = stored = result_dtype(op)
        if op.output_unsigned:
            output, output_zero_point = np.dtype(f"u{stored.itemsize}"), _unsigned(output_zero_point)
        result = elementwise.rescale(
            x,
            multiplier,
            shift,
            integer(input_zero_point),
            integer(output_zero_point),
            output,
            scale32=bool(op.scale32),
            double_round=op.rounding_mode.data == tosa.RoundingMode.DOUBLE_ROUND,
        )
        return (result.view(stored),)

    @impl(tosa.TableOp)
    def table(self, interpreter: Interpreter, op: tosa.TableOp, args: PythonValues) -> PythonValues:
        x, table = args
        return (elementwise.lookup(x, table, result_dtype(op)),)


def maximum_function(nan_mode: tosa.NanModeAttr | None) -> np.ufunc:
    """The greater of two; a NaN wins, or loses where the mode is IGNORE."""
    return np.fmax if _ignores_nan(nan_mode) else np.maximum


def minimum_function(nan_mode: tosa.NanModeAttr | None) -> np.ufunc:
    """The lesser of two; a NaN wins, or loses where the mode is IGNORE."""
    return np.fmin if _ignores_nan(nan_mode) else np.minimum


def _ignores_nan(nan_mode: tosa.NanModeAttr | None) -> bool:
    return nan_mode is not None and nan_mode.data == tosa.NanMode.IGNORE


def _unsigned(x: Array) -> Array:
    """The same bits as unsigned integers."""
    return x.view(f"u{x.dtype.itemsize}")
