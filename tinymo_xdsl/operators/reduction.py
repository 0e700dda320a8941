"""Operators that make one element of all elements along some axes: sums, means, extremes, and where these are."""

from collections.abc import Sequence
from math import prod

from xdsl.dialects.builtin import DenseArrayBase, Float32Type, IntegerAttr, TensorType, f32, i8, i16, i32, i64
from xdsl.ir import SSAValue

from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.dialects.tosa.base import element_type_of
from tinymo_xdsl.fact_entries import OptionFact
from tinymo_xdsl.numerics.requantize import Multiplier, divided_multiplier, effective_scale, quantize_multiplier
from tinymo_xdsl.operators.base import (
    Implied,
    Lift,
    Lifted,
    LiftFunction,
    LowerFunction,
    Lowering,
    NotExactError,
    OperatorFamily,
    shape_of,
)
from tinymo_xdsl.operators.elementwise import narrow_plainly, operand_source
from tinymo_xdsl.operators.requantize import require_room, widen

ReduceOp = tosa.ReduceSumOp | tosa.ReduceMaxOp | tosa.ReduceMinOp
ReducingOp = ReduceOp | tosa.AvgPool2DOp


def _axes(op: Lowering) -> tuple[int, ...]:
    """The axes that are reduced, from the first to the last."""
    rank = len(op.operand(0).shape)
    axes = sorted({axis + rank if axis < 0 else axis for axis in op.operand(1).integers})
    if not axes or axes[0] < 0 or axes[-1] >= rank:
        raise NotExactError("axes that are not those of the input")
    return tuple(axes)


def _grid(op: Lowering) -> tuple[int, int, int]:
    """How many elements lie before, along and after the axes that are reduced, once these are side by side."""
    shape, axes = op.operand(0).shape, _axes(op)
    count = prod(shape[axis] for axis in axes)
    if _are_apart(axes):
        return prod(shape) // max(count, 1), count, 1
    return prod(shape[: axes[0]]), count, prod(shape[axes[-1] + 1 :])


def _are_apart(axes: Sequence[int]) -> bool:
    return axes[-1] - axes[0] + 1 != len(axes)


def _merged(op: Lowering, value: SSAValue, grid: Sequence[int]) -> SSAValue:
    """
    `value` in the shape `grid`, which has the axes that are reduced as one.

    Its elements come in the order in which the kernels take them. Axes that are apart are moved to the end.
    """
    axes = _axes(op)
    if _are_apart(axes):
        kept = [axis for axis in range(len(shape_of(value))) if axis not in axes]
        value = op.emit(tosa.TransposeOp(value, [*kept, *axes])).output
    return op.reshape(value, grid)


def _reduce(op: Lowering, kind: type[ReduceOp], value: SSAValue) -> SSAValue:
    before, count, after = _grid(op)
    reduced = kind.build(
        operands=[_merged(op, value, (before, count, after))],
        result_types=[TensorType(element_type_of(value), (before, 1, after))],
        properties={"axis": IntegerAttr(1, i32)},
    )
    return op.reshape(op.emit(reduced).results[0], op.output.shape)


def _require_types(op: Lowering) -> None:
    if op.operand(0).element != op.output.element:
        raise NotExactError("input and output have different types")
    if op.output.element not in (i8, i16) and not isinstance(op.output.element, Float32Type):
        raise NotExactError("only int8, int16 and float32 have a meaning in TOSA here")


def _scale(op: Lowering) -> Multiplier:
    return quantize_multiplier(effective_scale(op.operand(0).facts.one_scale, 1.0, op.output.facts.one_scale))


def _count(op: Lowering) -> int:
    return prod(op.operand(0).shape[axis] for axis in _axes(op))


def _requantized_sum(op: Lowering, factor: Multiplier) -> Sequence[SSAValue]:
    """A sum of integers without their zero point, times `factor`."""
    require_room(factor, _count(op) << op.operand(0).width)
    total = _reduce(op, tosa.ReduceSumOp, widen(op, op.value(0), op.operand(0)))
    return [narrow_plainly(op, total, factor)]


def lower_sum(op: Lowering) -> Sequence[SSAValue]:
    """Take the zero points off, add, requantise. Floats are added in the order of their places."""
    _require_types(op)
    if op.output.is_float:
        return [_reduce(op, tosa.ReduceSumOp, op.value(0))]
    return _requantized_sum(op, _scale(op))


def lower_mean(op: Lowering) -> Sequence[SSAValue]:
    """A sum of integers is requantised by what is left of the scale for each element. Of floats an average pooling."""
    _require_types(op)
    if op.output.is_float:
        return [_float_mean(op)]
    return _requantized_sum(op, divided_multiplier(_scale(op), _count(op)))


def _float_mean(op: Lowering) -> SSAValue:
    """The axes that are merged are the rows of a window that is as high as the image."""
    before, count, after = _grid(op)
    zero = op.literal([0.0], f32)
    pool = tosa.AvgPool2DOp(
        operands=[_merged(op, op.value(0), (before, count, 1, after)), zero, zero],
        result_types=[TensorType(f32, (before, 1, 1, after))],
        properties={
            "kernel": DenseArrayBase.from_list(i64, [count, 1]),
            "stride": DenseArrayBase.from_list(i64, [1, 1]),
            "pad": DenseArrayBase.from_list(i64, [0, 0, 0, 0]),
            "acc_type": f32,
        },
    )
    return op.reshape(op.emit(pool).output, op.output.shape)


def _lower_extreme(kind: type[ReduceOp]) -> LowerFunction:
    def lower(op: Lowering) -> Sequence[SSAValue]:
        """Of the numbers as they are stored: input and output have one scale."""
        _require_types(op)
        if not op.operand(0).same_quantization(op.output):
            raise NotExactError("input and output have different scales")
        return [_reduce(op, kind, op.value(0))]

    return lower


def _lift_reduction(*kinds: type[ReducingOp]) -> LiftFunction:
    def lift_reduction(lift: Lift) -> Lifted:
        reducing = [op for op in lift.kernel.ops if isinstance(op, kinds)]
        if len(reducing) != 1:
            raise NotExactError(f"the kernel has {len(reducing)} reductions, not one")
        merged = reducing[0].operands[0]
        source, axes = _source_and_axes(lift, merged)
        keeps = len(shape_of(lift.kernel.results[0])) == len(shape_of(source))
        options: dict[str, OptionFact] = {"keep_dims": keeps}
        return Lifted((source, Implied("axes", "INT32", axes, (len(axes),))), options)

    return lift_reduction


def _source_and_axes(lift: Lift, merged: SSAValue) -> tuple[SSAValue, tuple[int, ...]]:
    """What is reduced, and along which axes: those that a transpose moves to the end, or that fit the shapes."""
    moved = lift.source(merged)
    grid = shape_of(merged)
    if moved.owner in lift.kernel.ops and isinstance(moved.owner, tosa.TransposeOp):
        perms = moved.owner.perms.get_values()
        sizes = [shape_of(moved)[position] for position in range(len(perms))]
        first = next((at for at in range(len(perms)) if prod(sizes[at:]) == grid[1]), 0)
        return operand_source(lift, moved.owner.input1), tuple(sorted(perms[first:]))
    source = operand_source(lift, moved)
    return source, _fitting_axes(shape_of(source), grid, shape_of(lift.kernel.results[0]))


def _fitting_axes(shape: Sequence[int], grid: Sequence[int], result: Sequence[int]) -> tuple[int, ...]:
    """The axes whose reduction takes `shape` to `result` by way of `grid`; which of size one does not matter."""
    rank = len(shape)
    for first in range(rank):
        for last in range(first, rank):
            kept = (*shape[:first], *((1,) * (last + 1 - first) if len(result) == rank else ()), *shape[last + 1 :])
            if kept == tuple(result) and (prod(shape[:first]), prod(shape[first : last + 1])) == tuple(grid[:2]):
                return tuple(range(first, last + 1))
    raise NotExactError("no axes of the input lead to the shape of the result")


def _axis(op: Lowering) -> int:
    axes = _axes(op)
    if len(axes) != 1:
        raise NotExactError("the greatest element along several axes")
    return axes[0]


def lower_arg_max(op: Lowering) -> Sequence[SSAValue]:
    """The first of several."""
    return [_arg_max(op, op.value(0))]


def _arg_max(op: Lowering, value: SSAValue) -> SSAValue:
    if op.operand(0).element != i8 and not isinstance(op.operand(0).element, Float32Type):
        raise NotExactError("only int8 and float32 have a meaning in TOSA here")
    return op.emit(tosa.ArgMaxOp(value, _axis(op))).output


def lower_arg_min(op: Lowering) -> Sequence[SSAValue]:
    """The greatest, once the order is turned: of int8 by inverting all bits, of floats by the sign."""
    value = op.value(0)
    if op.operand(0).is_float:
        zero = op.zero_point(op.operand(0))
        return [_arg_max(op, op.emit(tosa.NegateOp(value, zero, zero)).output)]
    return [_arg_max(op, op.emit(tosa.BitwiseNotOp(value)).output)]


def lift_arg_max(lift: Lift) -> Lifted:
    """The axis is an input of the file."""
    op = lift.only(tosa.ArgMaxOp)
    value = op.input
    while value.owner in lift.kernel.ops and isinstance(value.owner, tosa.NegateOp | tosa.BitwiseNotOp):
        value = value.owner.operands[0]
    return Lifted((value, Implied("axis", "INT32", (op.axis.value.data,), ())), {})


def _reduction(name: str, lower: LowerFunction, *kinds: type[ReducingOp]) -> OperatorFamily:
    return OperatorFamily(name, "ReducerOptions", lower, _lift_reduction(*kinds), (2, 2), frozenset({"keep_dims"}))


FAMILIES = (
    OperatorFamily("ARG_MAX", "ArgMaxOptions", lower_arg_max, lift_arg_max, (2, 2)),
    OperatorFamily("ARG_MIN", "ArgMinOptions", lower_arg_min, lift_arg_max, (2, 2)),
    _reduction("MEAN", lower_mean, tosa.ReduceSumOp, tosa.AvgPool2DOp),
    _reduction("REDUCE_MAX", _lower_extreme(tosa.ReduceMaxOp), tosa.ReduceMaxOp),
    _reduction("REDUCE_MIN", _lower_extreme(tosa.ReduceMinOp), tosa.ReduceMinOp),
    _reduction("SUM", lower_sum, tosa.ReduceSumOp),
)
