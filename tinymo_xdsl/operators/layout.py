"""Operators that move elements and compute nothing: RESHAPE, PAD, CONCATENATION, slices, PACK and UNPACK, resizing."""

from collections.abc import Sequence

from xdsl.dialects.builtin import IntegerAttr, TensorType, i32
from xdsl.ir import SSAValue

from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.fact_entries import OptionFact
from tinymo_xdsl.facts import tensor_facts
from tinymo_xdsl.flatbuffer.schema import ActivationFunctionType
from tinymo_xdsl.operators.base import (
    Implied,
    Lift,
    Lifted,
    Lowering,
    NotExactError,
    Operand,
    OperatorFamily,
    constant_sizes,
    shape_of,
)


def implied(sizes: SSAValue, suffix: str, numbers: Sequence[int], shape: Sequence[int] | None = None) -> Implied:
    """A list of integers of the file that `sizes`, a `tosa.const_shape`, expresses; with the facts it carries."""
    facts = tensor_facts(sizes)
    dtype = facts.dtype if facts is not None and facts.dtype is not None else "INT32"
    return Implied(suffix, dtype, tuple(numbers), (len(numbers),) if shape is None else tuple(shape), facts)


def lower_reshape(op: Lowering) -> Sequence[SSAValue]:
    """The list of sizes is written out in full: no -1."""
    if op.has(1):
        _ = op.operand(1).array
    return [op.emit(tosa.ReshapeOp(op.value(0), op.sizes(1, op.output.shape))).output]


def lift_reshape(lift: Lift) -> Lifted:
    """A list of sizes without facts is an option of the operator if the facts say that it has one, else an input."""
    reshape = lift.only(tosa.ReshapeOp)
    sizes = shape_of(reshape.output)
    has_option = lift.hint("new_shape") is not None
    options: dict[str, OptionFact] = {"new_shape": sizes} if has_option else {}
    if has_option and tensor_facts(reshape.shape) is None:
        return Lifted((reshape.input1,), options)
    return Lifted((reshape.input1, implied(reshape.shape, "shape", sizes)), options)


def lower_pad(op: Lowering) -> Sequence[SSAValue]:
    """Integers are padded with the zero point of the output, floats with zero."""
    padding = op.sizes(1, op.operand(1).integers if op.operand(1).data is not None else ())
    return [op.emit(tosa.PadOp(op.value(0), padding, op.zero_point(op.output))).output]


def lift_pad(lift: Lift) -> Lifted:
    """Pairs of pads, axis by axis."""
    pad = lift.only(tosa.PadOp)
    pads = constant_sizes(pad.padding)
    return Lifted((pad.input1, implied(pad.padding, "paddings", pads, (len(pads) // 2, 2))), {})


def _axis(axis: int, rank: int) -> int:
    return axis + rank if axis < 0 else axis


def lower_concatenation(op: Lowering) -> Sequence[SSAValue]:
    """Parts have the scale of the result."""
    if op.activation is not ActivationFunctionType.NONE:
        raise NotExactError("a concatenation with an activation")
    parts = [op.operand(position) for position in range(len(op.inputs))]
    if not all(part.same_quantization(op.output) and part.element == op.output.element for part in parts):
        raise NotExactError("the parts have other scales than the result")
    values = [op.value(position) for position in range(len(parts))]
    return [op.emit(_concat(values, _axis(op.option("axis"), len(op.output.shape)), op.output)).output]


def _concat(values: Sequence[SSAValue], axis: int, result: Operand) -> tosa.ConcatOp:
    type_ = TensorType(result.element, result.shape)
    return tosa.ConcatOp.build(operands=[values], result_types=[type_], properties={"axis": IntegerAttr(axis, i32)})


def lift_concatenation(lift: Lift) -> Lifted:
    """A negative axis stays negative."""
    concat = lift.only(tosa.ConcatOp)
    return Lifted(tuple(concat.tensors), {"axis": _signed_axis(lift, concat.axis.value.data, concat.output)})


def _signed_axis(lift: Lift, axis: int, value: SSAValue) -> int:
    rank = len(shape_of(value))
    return axis - rank if lift.hint("axis") == axis - rank else axis


def _cut(op: Lowering, source: SSAValue, start: SSAValue, size: SSAValue) -> SSAValue:
    return op.emit(tosa.SliceOp(source, start, size)).output


def lower_slice(op: Lowering) -> Sequence[SSAValue]:
    """A size of -1, up to the end, is written out."""
    begin = op.operand(1).integers
    if min(begin, default=0) < 0:
        raise NotExactError("a negative begin")
    _ = op.operand(2).array
    return [_cut(op, op.value(0), op.sizes(1, begin), op.sizes(2, op.output.shape))]


def lift_slice(lift: Lift) -> Lifted:
    """Begin and size are inputs of the file."""
    cut = lift.only(tosa.SliceOp)
    begin, size = constant_sizes(cut.start), constant_sizes(cut.size)
    return Lifted((cut.input1, implied(cut.start, "begin", begin), implied(cut.size, "size", size)), {})


def lower_strided_slice(op: Lowering) -> Sequence[SSAValue]:
    """Only steps of one. An axis that is shrunk is one element wide, and goes away in a reshape."""
    source = op.operand(0)
    begin, end, strides = (op.operand(position).integers for position in (1, 2, 3))
    if any(step != 1 for step in strides) or not len(begin) == len(end) == len(source.shape):
        raise NotExactError("a strided slice with steps")
    if any(op.option(mask) for mask in ("ellipsis_mask", "new_axis_mask", "offset")):
        raise NotExactError("a slice that adds axes")
    shrunk = _bits(op.option("shrink_axis_mask"), len(begin))
    first, last = _bits(op.option("begin_mask"), len(begin)), _bits(op.option("end_mask"), len(end))
    starts = [0 if open_ else _axis(low, n) for open_, low, n in zip(first, begin, source.shape, strict=True)]
    stops = [n if open_ else _axis(high, n) for open_, high, n in zip(last, end, source.shape, strict=True)]
    sizes = [
        1 if single else min(stop, n) - start
        for single, start, stop, n in zip(shrunk, starts, stops, source.shape, strict=True)
    ]
    kept = tuple(size for size, single in zip(sizes, shrunk, strict=True) if not single)
    if kept != op.output.shape or min(starts, default=0) < 0:
        raise NotExactError("a slice whose bounds do not give its shape")
    cut = _cut(op, op.value(0), op.sizes(1, starts), op.sizes(2, sizes))
    return [op.emit(tosa.ReshapeOp(cut, op.emitter.shape(kept))).output if any(shrunk) else cut]


def _bits(mask: int, count: int) -> list[bool]:
    return [bool(mask >> bit & 1) for bit in range(count)]


def lift_strided_slice(lift: Lift) -> Lifted:
    """Bounds are written out, without masks but for the axes that a reshape takes away."""
    cut = lift.only(tosa.SliceOp)
    begin, size = constant_sizes(cut.start), constant_sizes(cut.size)
    end = [low + extent for low, extent in zip(begin, size, strict=True)]
    bounds = implied(cut.start, "begin", begin)
    strides = Implied("strides", bounds.dtype, (1,) * len(begin), (len(begin),))
    inputs = (cut.input1, bounds, implied(cut.size, "end", end), strides)
    shrunk = _shrunk_axes(lift, size)
    return Lifted(inputs, {"begin_mask": 0, "end_mask": 0, "shrink_axis_mask": sum(1 << axis for axis in shrunk)})


def _shrunk_axes(lift: Lift, size: Sequence[int]) -> list[int]:
    """The axes of one element that are not in the result: those that the facts name, or the first that fit."""
    if not any(isinstance(op, tosa.ReshapeOp) for op in lift.kernel.ops):
        return []
    single = [axis for axis, extent in enumerate(size) if extent == 1]
    count = len(size) - len(shape_of(lift.kernel.results[0]))
    hint = lift.hint("shrink_axis_mask")
    named = [axis for axis in single if isinstance(hint, int) and hint >> axis & 1]
    return named if len(named) == count else single[: max(count, 0)]


def _slices(op: Lowering, source_position: int, axis: int) -> list[SSAValue]:
    source, first = op.value(source_position), 0
    if any(len(part.shape) != len(shape_of(source)) or not 0 <= axis < len(part.shape) for part in op.outputs):
        raise NotExactError("the parts have other axes than the whole")
    results: list[SSAValue] = []
    for part in op.outputs:
        start = [0] * len(part.shape)
        start[axis] = first
        first += part.shape[axis]
        results.append(_cut(op, source, op.emitter.shape(start), op.emitter.shape(part.shape)))
    if first != op.operand(source_position).shape[axis]:
        raise NotExactError("the parts do not add up to the whole")
    return results


def _only(operand: Operand) -> int:
    """The number of a constant that has one."""
    if len(operand.integers) != 1:
        raise NotExactError(f"'{operand.facts.name}' is not one number")
    return operand.integers[0]


def lower_split(op: Lowering) -> Sequence[SSAValue]:
    """A slice for each part."""
    axis = _only(op.operand(0))
    return _slices(op, 1, _axis(axis, len(op.operand(1).shape)))


def lower_split_v(op: Lowering) -> Sequence[SSAValue]:
    """A slice for each part; the sizes are those of the results."""
    axis = _only(op.operand(2))
    _ = op.operand(1).array
    return _slices(op, 0, _axis(axis, len(op.operand(0).shape)))


def _lift_slices(lift: Lift) -> tuple[SSAValue, int, list[int]]:
    cuts = [op for op in lift.kernel.ops if isinstance(op, tosa.SliceOp)]
    if not cuts:
        raise NotExactError("no slices")
    source = cuts[0].input1
    moving = [axis for axis in range(len(shape_of(source))) if shape_of(source)[axis] != shape_of(cuts[0].output)[axis]]
    axis = moving[0] if moving else 0
    return source, axis, [shape_of(cut.output)[axis] for cut in cuts]


def lift_split(lift: Lift) -> Lifted:
    """The axis is the one along which the parts are smaller than the whole."""
    source, axis, sizes = _lift_slices(lift)
    return Lifted((Implied("split_dim", "INT32", (axis,), ()), source), {"num_splits": len(sizes)})


def lift_split_v(lift: Lift) -> Lifted:
    """As `lift_split`, with the sizes as an input."""
    source, axis, sizes = _lift_slices(lift)
    lengths = Implied("size_splits", "INT32", tuple(sizes), (len(sizes),))
    return Lifted((source, lengths, Implied("split_dim", "INT32", (axis,), ())), {"num_splits": len(sizes)})


def lower_pack(op: Lowering) -> Sequence[SSAValue]:
    """A new axis of size one in each part, then a concatenation."""
    parts = [op.operand(position) for position in range(len(op.inputs))]
    if not all(part.same_quantization(op.output) and part.element == op.output.element for part in parts):
        raise NotExactError("the parts have other scales than the result")
    axis = _axis(op.option("axis"), len(op.output.shape))
    shape = (*op.output.shape[:axis], 1, *op.output.shape[axis + 1 :])
    values = [op.value(position, shape) for position in range(len(parts))]
    return [op.emit(_concat(values, axis, op.output)).output]


def lift_pack(lift: Lift) -> Lifted:
    """Undoes the new axis."""
    concat = lift.only(tosa.ConcatOp)
    parts = tuple(lift.source(value) for value in concat.tensors)
    axis = _signed_axis(lift, concat.axis.value.data, concat.output)
    return Lifted(parts, {"axis": axis, "values_count": len(parts)})


def lower_unpack(op: Lowering) -> Sequence[SSAValue]:
    """A slice of size one for each part, without its axis."""
    source = op.operand(0)
    axis = _axis(op.option("axis"), len(source.shape))
    if len(op.outputs) != source.shape[axis]:
        raise NotExactError("the parts do not add up to the whole")
    size = (*source.shape[:axis], 1, *source.shape[axis + 1 :])
    results: list[SSAValue] = []
    value = op.value(0)
    for index, part in enumerate(op.outputs):
        start = [0] * len(size)
        start[axis] = index
        cut = _cut(op, value, op.emitter.shape(start), op.emitter.shape(size))
        results.append(op.emit(tosa.ReshapeOp(cut, op.emitter.shape(part.shape))).output)
    return results


def lift_unpack(lift: Lift) -> Lifted:
    """The axis is the one whose size is one in the slices."""
    cuts = [op for op in lift.kernel.ops if isinstance(op, tosa.SliceOp)]
    if not cuts:
        raise NotExactError("no slices")
    source = cuts[0].input1
    rank, hint = len(shape_of(source)), lift.hint("axis")
    moving = [axis for axis, start in enumerate(constant_sizes(cuts[-1].start)) if start]
    single = [axis for axis, size in enumerate(shape_of(source)) if size == 1]
    fitting = moving or [axis for axis in single if hint in (axis, axis - rank)] or single
    if not fitting:
        raise NotExactError("the slices are not of one element")
    return Lifted((source,), {"axis": _signed_axis(lift, fitting[0], source), "num": len(cuts)})


def lower_resize_nearest(op: Lowering) -> Sequence[SSAValue]:
    """
    Enlarging by a whole factor, where each input element is repeated.

    With steps of 2 through a grid of `2 * factor`, an offset of `1 - factor` makes TOSA's rounding a floor.
    """
    source = op.image(0)
    if op.option("align_corners"):
        raise NotExactError("aligned corners")
    factors = [out // size for out, size in zip(op.output.shape[1:3], source.shape[1:3], strict=True)]
    if [factor * size for factor, size in zip(factors, source.shape[1:3], strict=True)] != list(op.output.shape[1:3]):
        raise NotExactError("not a whole factor")
    if op.operand(1).integers != op.output.shape[1:3]:
        raise NotExactError("the size is computed at run time")
    scale = op.emitter.shape([number for factor in factors for number in (2 * factor, 2)])
    offset = op.emitter.shape([1 - factor for factor in factors])
    border = op.emitter.shape([factor - 1 for factor in factors])
    resize = tosa.ResizeOp(op.value(0), scale, offset, border, tosa.ResizeMode.NEAREST_NEIGHBOR)
    return [op.emit(resize).output]


def lift_resize_nearest(lift: Lift) -> Lifted:
    """The size is that of the result."""
    resize = lift.only(tosa.ResizeOp)
    size = Implied("size", "INT32", shape_of(resize.output)[1:3], (2,))
    return Lifted((resize.input, size), {})


_MANY = 1 << 30

FAMILIES = (
    OperatorFamily("RESHAPE", "ReshapeOptions", lower_reshape, lift_reshape, (1, 2)),
    OperatorFamily("PAD", "PadOptions", lower_pad, lift_pad, (2, 2)),
    OperatorFamily("CONCATENATION", "ConcatenationOptions", lower_concatenation, lift_concatenation, (1, _MANY)),
    OperatorFamily("SLICE", "SliceOptions", lower_slice, lift_slice, (3, 3)),
    OperatorFamily(
        "STRIDED_SLICE",
        "StridedSliceOptions",
        lower_strided_slice,
        lift_strided_slice,
        (4, 4),
        frozenset({"begin_mask", "end_mask"}),
    ),
    OperatorFamily("SPLIT", "SplitOptions", lower_split, lift_split, (2, 2), frozenset({"num_splits"})),
    OperatorFamily("SPLIT_V", "SplitVOptions", lower_split_v, lift_split_v, (3, 3), frozenset({"num_splits"})),
    OperatorFamily("PACK", "PackOptions", lower_pack, lift_pack, (1, _MANY), frozenset({"values_count"})),
    OperatorFamily("UNPACK", "UnpackOptions", lower_unpack, lift_unpack, derived=frozenset({"num"})),
    OperatorFamily(
        "RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighborOptions", lower_resize_nearest, lift_resize_nearest, (2, 2)
    ),
)
