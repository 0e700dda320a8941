"""TOSA ops that move elements, reduce an axis, make constants or choose what runs."""

from collections.abc import Callable
from typing import cast

import numpy as np
from xdsl.interpreter import (
    Interpreter,
    InterpreterFunctions,
    OpImpl,
    PythonValues,
    ReturnedValues,
    TerminatorValue,
    impl,
    impl_terminator,
    register_impls,
)
from xdsl.ir import OperationInvT

from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.interpreter.operands import integers, result_dtype
from tinymo_xdsl.interpreter.tosa_arithmetic import maximum_function, minimum_function
from tinymo_xdsl.numerics.dense import Array, to_numpy


@register_impls
class TosaLayout(InterpreterFunctions):
    """Ops whose results hold the elements of their operands."""

    @impl(tosa.ConstOp)
    def const(self, interpreter: Interpreter, op: tosa.ConstOp, args: PythonValues) -> PythonValues:
        return (to_numpy(op.values),)

    @impl(tosa.ConstShapeOp)
    def const_shape(self, interpreter: Interpreter, op: tosa.ConstShapeOp, args: PythonValues) -> PythonValues:
        return (to_numpy(op.values),)

    @impl(tosa.IdentityOp)
    def identity(self, interpreter: Interpreter, op: tosa.IdentityOp, args: PythonValues) -> PythonValues:
        return args

    @impl(tosa.ReshapeOp)
    def reshape(self, interpreter: Interpreter, op: tosa.ReshapeOp, args: PythonValues) -> PythonValues:
        x, shape = cast(tuple[Array, Array], args)
        return (x.reshape(tuple(shape)),)

    @impl(tosa.TransposeOp)
    def transpose(self, interpreter: Interpreter, op: tosa.TransposeOp, args: PythonValues) -> PythonValues:
        return (args[0].transpose(integers(op.perms)),)

    @impl(tosa.PadOp)
    def pad(self, interpreter: Interpreter, op: tosa.PadOp, args: PythonValues) -> PythonValues:
        x, padding, value = cast(tuple[Array, Array, Array], args)
        return (np.pad(x, padding.reshape(-1, 2).tolist(), constant_values=value.item()),)

    @impl(tosa.SliceOp)
    def slice(self, interpreter: Interpreter, op: tosa.SliceOp, args: PythonValues) -> PythonValues:
        x, start, size = cast(tuple[Array, Array, Array], args)
        return (x[tuple(slice(int(low), int(low + count)) for low, count in zip(start, size, strict=True))],)

    @impl(tosa.ConcatOp)
    def concat(self, interpreter: Interpreter, op: tosa.ConcatOp, args: PythonValues) -> PythonValues:
        return (np.concatenate(args, op.axis.value.data),)

    @impl(tosa.TileOp)
    def tile(self, interpreter: Interpreter, op: tosa.TileOp, args: PythonValues) -> PythonValues:
        x, multiples = cast(tuple[Array, Array], args)
        return (np.tile(x, tuple(multiples)),)

    @impl(tosa.ReverseOp)
    def reverse(self, interpreter: Interpreter, op: tosa.ReverseOp, args: PythonValues) -> PythonValues:
        return (np.flip(args[0], op.axis.value.data),)

    @impl(tosa.GatherOp)
    def gather(self, interpreter: Interpreter, op: tosa.GatherOp, args: PythonValues) -> PythonValues:
        values, indices = cast(tuple[Array, Array], args)
        return (np.take_along_axis(values, indices[..., np.newaxis], axis=1),)

    @impl(tosa.ScatterOp)
    def scatter(self, interpreter: Interpreter, op: tosa.ScatterOp, args: PythonValues) -> PythonValues:
        values, indices, updates = cast(tuple[Array, Array, Array], args)
        result = values.copy()
        np.put_along_axis(result, indices[..., np.newaxis], updates, axis=1)
        return (result,)


def _reduction(
    op_type: type[OperationInvT], function: Callable[[OperationInvT, Array, int], Array]
) -> OpImpl["TosaReductions", OperationInvT]:
    """The implementation of an op that reduces the axis that it names."""

    @impl(op_type)
    def run(
        functions: "TosaReductions", interpreter: Interpreter, op: OperationInvT, args: PythonValues
    ) -> PythonValues:
        axis = cast(tosa.ReduceSumOp, op).axis.value.data
        return (function(op, args[0], axis).astype(result_dtype(op), copy=False),)

    return run


def _sum(op: tosa.ReduceSumOp, x: Array, axis: int) -> Array:
    # One element after another: `np.sum` would add floats in pairs, and round otherwise than a loop.
    return np.cumsum(x, axis, dtype=result_dtype(op)).take([-1], axis)


def _index_of_maximum(op: tosa.ArgMaxOp, x: Array, axis: int) -> Array:
    ignores_nan = maximum_function(op.nan_mode) is np.fmax
    return np.argmax(np.fmax(x, -np.inf) if ignores_nan else x, axis)


@register_impls
class TosaReductions(InterpreterFunctions):
    """Ops that make one element of each row along an axis."""

    all = _reduction(tosa.ReduceAllOp, lambda op, x, axis: np.logical_and.reduce(x, axis, keepdims=True))
    any = _reduction(tosa.ReduceAnyOp, lambda op, x, axis: np.logical_or.reduce(x, axis, keepdims=True))
    index_of_maximum = _reduction(tosa.ArgMaxOp, _index_of_maximum)
    maximum = _reduction(
        tosa.ReduceMaxOp, lambda op, x, axis: maximum_function(op.nan_mode).reduce(x, axis, keepdims=True)
    )
    minimum = _reduction(
        tosa.ReduceMinOp, lambda op, x, axis: minimum_function(op.nan_mode).reduce(x, axis, keepdims=True)
    )
    product = _reduction(tosa.ReduceProductOp, lambda op, x, axis: np.cumprod(x, axis, dtype=x.dtype).take([-1], axis))
    sum = _reduction(tosa.ReduceSumOp, _sum)


@register_impls
class TosaControlFlow(InterpreterFunctions):
    """`tosa.cond_if`."""

    @impl(tosa.IfOp)
    def cond_if(self, interpreter: Interpreter, op: tosa.IfOp, args: PythonValues) -> PythonValues:
        region = op.true_region if args[0].item() else op.false_region
        return interpreter.run_ssacfg_region(region, (), op.name)

    @impl_terminator(tosa.YieldOp)
    def yield_(
        self, interpreter: Interpreter, op: tosa.YieldOp, args: PythonValues
    ) -> tuple[TerminatorValue, PythonValues]:
        return ReturnedValues(args), ()
