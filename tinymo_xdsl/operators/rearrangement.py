"""Operators that put elements into another order or repeat them: transposes, blocks, new axes, fills, gathers."""

from collections.abc import Sequence
from math import prod

from xdsl.dialects.builtin import i1, i32
from xdsl.ir import SSAValue

from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.fact_entries import OptionFact
from tinymo_xdsl.operators.base import (
    Implied,
    Lift,
    Lifted,
    LiftedInput,
    LiftFunction,
    LowerFunction,
    Lowering,
    NotExactError,
    OperatorFamily,
    Weights,
    constant_attribute,
    constant_sizes,
    shape_of,
)
from tinymo_xdsl.operators.layout import implied


def _require_one_type(op: Lowering, position: int = 0) -> None:
    if op.operand(position).element != op.output.element:
        raise NotExactError("input and output have different types")


def lower_transpose(op: Lowering) -> Sequence[SSAValue]:
    """The order of the axes is a property."""
    perms = op.operand(1).integers
    if sorted(perms) != list(range(len(op.operand(0).shape))):
        raise NotExactError("an order that is not one of the axes")
    return [op.emit(tosa.TransposeOp(op.value(0), perms)).output]


def lift_transpose(lift: Lift) -> Lifted:
    """The order of the axes is an input of the file."""
    transpose = lift.only(tosa.TransposeOp)
    perms = transpose.perms.get_values()
    return Lifted((transpose.input1, Implied("perm", "INT32", tuple(perms), (len(perms),))), {})


def lower_expand_dims(op: Lowering) -> Sequence[SSAValue]:
    """A reshape."""
    shape, axes = op.operand(0).shape, op.operand(1).integers
    axis = axes[0] + len(shape) + 1 if len(axes) == 1 and axes[0] < 0 else axes[0] if len(axes) == 1 else -1
    if not 0 <= axis <= len(shape) or (*shape[:axis], 1, *shape[axis:]) != op.output.shape:
        raise NotExactError("an axis that does not give the shape of the result")
    return [op.emit(tosa.ReshapeOp(op.value(0), op.emitter.shape(op.output.shape))).output]


def lift_expand_dims(lift: Lift) -> Lifted:
    """The first axis of one element that the input does not have."""
    reshape = lift.only(tosa.ReshapeOp)
    before, after = shape_of(reshape.input1), shape_of(reshape.output)
    axis = next((at for at in range(len(after)) if after[at] == 1 and (*after[:at], *after[at + 1 :]) == before), None)
    if axis is None:
        raise NotExactError("the reshape adds no axis of one element")
    return Lifted((reshape.input1, Implied("axis", "INT32", (axis,), ())), {})


def lower_squeeze(op: Lowering) -> Sequence[SSAValue]:
    """A reshape. Which axes of one element go is an option, and kept as a fact."""
    shape, dropped = op.operand(0).shape, op.operator.options.get("squeeze_dims")
    if isinstance(dropped, tuple) and dropped:
        axes = {int(axis) % max(len(shape), 1) for axis in dropped}
    else:
        axes = {axis for axis, size in enumerate(shape) if size == 1}
    kept = tuple(size for axis, size in enumerate(shape) if axis not in axes)
    if kept != op.output.shape or prod(shape) != prod(kept):
        raise NotExactError("axes that do not give the shape of the result")
    return [op.emit(tosa.ReshapeOp(op.value(0), op.emitter.shape(kept))).output]


def lift_squeeze(lift: Lift) -> Lifted:
    """The axes come from the facts; without them, all of one element go."""
    return Lifted((lift.only(tosa.ReshapeOp).input1,), {})


def lower_pad_v2(op: Lowering) -> Sequence[SSAValue]:
    """The number around the input is an input of the operator; it has the scale of the output."""
    filler = op.operand(2)
    _require_one_type(op)
    if prod(filler.shape) != 1 or filler.element != op.output.element or not filler.same_quantization(op.output):
        raise NotExactError("a filler that is not one number in the scale of the output")
    padding = op.sizes(1, op.operand(1).integers if op.operand(1).data is not None else ())
    return [op.emit(tosa.PadOp(op.value(0), padding, op.value(2, (1,)))).output]


def lift_pad_v2(lift: Lift) -> Lifted:
    """Pairs of pads, axis by axis, and the filler."""
    pad = lift.only(tosa.PadOp)
    pads = constant_sizes(pad.padding)
    filler = _of_file(lift, pad.pad_const, ())
    return Lifted((pad.input1, implied(pad.padding, "paddings", pads, (len(pads) // 2, 2)), filler), {})


def _of_file(lift: Lift, value: SSAValue, shape: tuple[int, ...]) -> LiftedInput:
    """The tensor that `value` is a reshaped form of; a constant has `shape` in the file."""
    source = lift.source(value)
    return source if constant_attribute(source) is None else Weights(source, shape)


def _regrouped(
    op: Lowering, value: SSAValue, split: Sequence[int], perms: Sequence[int], joined: Sequence[int]
) -> SSAValue:
    """`value` with its axes split, moved and joined."""
    moved = op.emit(tosa.TransposeOp(op.reshape(value, split), perms)).output
    return op.reshape(moved, joined)


def _block(op: Lowering) -> int:
    _require_one_type(op)
    size = op.option("block_size")
    if size < 2 or len(op.output.shape) != 4:
        raise NotExactError("blocks of less than two rows and columns")
    return size


def lower_depth_to_space(op: Lowering) -> Sequence[SSAValue]:
    """Channels become blocks of pixels: split, move, join."""
    size, (batch, height, width, depth) = _block(op), op.image(0).shape
    if depth % size**2:
        raise NotExactError("channels that are no whole blocks")
    split = (batch, height, width, size, size, depth // size**2)
    joined = (batch, height * size, width * size, depth // size**2)
    return [_regrouped(op, op.value(0), split, (0, 1, 3, 2, 4, 5), joined)]


def lower_space_to_depth(op: Lowering) -> Sequence[SSAValue]:
    """Blocks of pixels become channels: split, move, join."""
    size, (batch, height, width, depth) = _block(op), op.image(0).shape
    if height % size or width % size:
        raise NotExactError("an image that is no whole blocks")
    split = (batch, height // size, size, width // size, size, depth)
    joined = (batch, height // size, width // size, depth * size**2)
    return [_regrouped(op, op.value(0), split, (0, 1, 3, 2, 4, 5), joined)]


def _lift_blocks(first: int) -> LiftFunction:
    def lift_blocks(lift: Lift) -> Lifted:
        """The size of a block is that of one of the axes that are moved."""
        transpose = lift.only(tosa.TransposeOp)
        if len(shape_of(transpose.input1)) != 6:
            raise NotExactError("the axes that are moved are not those of blocks")
        options: dict[str, OptionFact] = {"block_size": shape_of(transpose.input1)[first]}
        return Lifted((lift.source(transpose.input1),), options)

    return lift_blocks


def _grid(op: Lowering, position: int, count: int) -> tuple[tuple[int, int], ...]:
    """Pairs of pads or crops, axis by axis."""
    numbers = op.operand(position).integers
    if len(numbers) != 2 * count or min(numbers) < 0:
        raise NotExactError("not two numbers for each axis of blocks")
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def _blocks(op: Lowering) -> tuple[int, ...]:
    """The sizes of a block along the axes after the batch; those of three axes have one."""
    _require_one_type(op)
    sizes = op.operand(1).integers
    if len(op.operand(0).shape) not in (3, 4) or len(sizes) != len(op.operand(0).shape) - 2 or min(sizes) < 1:
        raise NotExactError("blocks of other axes than rows and columns")
    return sizes


def lower_space_to_batch(op: Lowering) -> Sequence[SSAValue]:
    """
    Pad with the zero point, as LiteRT does: what TFLite Micro pads with is left open. Elements of a block become images
    of the batch: split, move, join.
    """
    sizes = _blocks(op)
    pads = ((0, 0), *_grid(op, 2, len(sizes)), (0, 0))
    batch, *inner, depth = (size + sum(around) for size, around in zip(op.operand(0).shape, pads, strict=True))
    if any(extent % size for extent, size in zip(inner, sizes, strict=True)):
        raise NotExactError("an image that is no whole blocks")
    value, frame = op.value(0), [number for around in pads for number in around]
    if any(frame):
        value = op.emit(tosa.PadOp(value, op.emitter.shape(frame), op.zero_point(op.output))).output
    pairs = [(extent // size, size) for extent, size in zip(inner, sizes, strict=True)]
    split = (batch, *(number for pair in pairs for number in pair), depth)
    blocks, images = range(2, 2 * len(sizes) + 1, 2), range(1, 2 * len(sizes), 2)
    joined = (batch * prod(sizes), *(count for count, _ in pairs), depth)
    return [_regrouped(op, value, split, (*blocks, 0, *images, len(split) - 1), joined)]


def lift_space_to_batch(lift: Lift) -> Lifted:
    """Blocks are the axes that are moved to the front."""
    transpose = lift.only(tosa.TransposeOp)
    value = lift.source(transpose.input1)
    pad = value.owner if value.owner in lift.kernel.ops and isinstance(value.owner, tosa.PadOp) else None
    count = len(shape_of(value)) - 2
    sizes = tuple(shape_of(transpose.output)[:count])
    pads = (0,) * (2 * count) if pad is None else constant_sizes(pad.padding)[2:-2]
    shape, around = Implied("block_shape", "INT32", sizes, (count,)), Implied("paddings", "INT32", pads, (count, 2))
    return Lifted((value if pad is None else pad.input1, shape, around), {})


def lower_batch_to_space(op: Lowering) -> Sequence[SSAValue]:
    """Images of the batch become elements of a block: split, move, join; and a slice."""
    sizes = _blocks(op)
    crops = ((0, 0), *_grid(op, 2, len(sizes)), (0, 0))
    batch, *inner, depth = op.operand(0).shape
    if batch % prod(sizes):
        raise NotExactError("a batch that is no whole blocks")
    count = len(sizes)
    split = (*sizes, batch // prod(sizes), *inner, depth)
    perms = [count, *(axis for at in range(count) for axis in (count + 1 + at, at)), 2 * count + 1]
    joined = (batch // prod(sizes), *(extent * size for extent, size in zip(inner, sizes, strict=True)), depth)
    whole = _regrouped(op, op.value(0), split, perms, joined)
    if not any(map(any, crops)):
        return [whole]
    start = op.emitter.shape([before for before, _ in crops])
    size = [extent - sum(around) for extent, around in zip(joined, crops, strict=True)]
    return [op.emit(tosa.SliceOp(whole, start, op.emitter.shape(size))).output]


def lift_batch_to_space(lift: Lift) -> Lifted:
    """Blocks are the axes that are moved from the front; what a slice leaves out is cropped."""
    transpose, result = lift.only(tosa.TransposeOp), lift.kernel.results[0]
    count = len(shape_of(result)) - 2
    crops = (0,) * (2 * count)
    if isinstance(result.owner, tosa.SliceOp):
        cut = result.owner
        ranges = zip(shape_of(cut.input1), constant_sizes(cut.start), constant_sizes(cut.size), strict=True)
        crops = tuple(number for whole, low, kept in ranges for number in (low, whole - low - kept))[2:-2]
    sizes = tuple(shape_of(transpose.input1)[:count])
    shape, around = Implied("block_shape", "INT32", sizes, (count,)), Implied("crops", "INT32", crops, (count, 2))
    return Lifted((lift.source(transpose.input1), shape, around), {})


def _repeated(op: Lowering, position: int, sizes: int) -> SSAValue:
    """The input at `position`, with as many axes as the result, repeated along those of one element."""
    shape, result = op.operand(position).shape, op.output.shape
    extended = (1,) * (len(result) - len(shape)) + shape
    if len(extended) != len(result) or any(size not in (1, to) for size, to in zip(extended, result, strict=True)):
        raise NotExactError("a shape that cannot be stretched to that of the result")
    multiples = op.sizes(sizes, [to // size for size, to in zip(extended, result, strict=True)])
    return op.emit(tosa.TileOp(op.value(position, extended), multiples)).output


def _lower_repeat(value: int, shape: int) -> LowerFunction:
    def lower(op: Lowering) -> Sequence[SSAValue]:
        """Each axis of one element repeated."""
        _require_one_type(op, value)
        if op.operand(shape).integers != op.output.shape or not all(op.output.shape):
            raise NotExactError("a shape that is not that of the result")
        return [_repeated(op, value, shape)]

    return lower


def _shape(tile: tosa.TileOp) -> Implied:
    return implied(tile.multiples, "shape", shape_of(tile.output))


def lift_broadcast_to(lift: Lift) -> Lifted:
    """The shape is that of the result."""
    tile = lift.only(tosa.TileOp)
    return Lifted((lift.source(tile.input1), _shape(tile)), {})


def lift_fill(lift: Lift) -> Lifted:
    """The shape, and the number that fills it."""
    tile = lift.only(tosa.TileOp)
    return Lifted((_shape(tile), _of_file(lift, tile.input1, ())), {})


def lower_gather(op: Lowering) -> Sequence[SSAValue]:
    """Vectors picked along an axis, where no other axes lie between those of the batch and it."""
    source, indices = op.operand(0), op.operand(1)
    batch, axis = _gather_axes(op.option("axis"), op.option("batch_dims"), len(source.shape), len(indices.shape))
    _require_one_type(op)
    if indices.element != i32 or source.element == i1 or not 0 <= batch <= axis < len(source.shape):
        raise NotExactError("only indices of int32 have a meaning in TOSA here")
    if prod(source.shape[batch:axis]) != 1:
        raise NotExactError("axes between those of the batch and the one along which vectors are picked")
    count, depth = prod(source.shape[:batch]), prod(source.shape[axis + 1 :])
    vectors = op.value(0, (count, source.shape[axis], depth))
    places = op.value(1, (count, prod(indices.shape[batch:])))
    return [op.reshape(op.emit(tosa.GatherOp(vectors, places)).output, op.output.shape)]


def _gather_axes(axis: int, batch: int, rank: int, indices_rank: int) -> tuple[int, int]:
    return batch + indices_rank * (batch < 0), axis + rank * (axis < 0)


def lift_gather(lift: Lift) -> Lifted:
    """The axis and the axes of the batch come from the facts; they tell the shape of a constant in the file."""
    gather = lift.only(tosa.GatherOp)
    values, indices, result = lift.source(gather.values), lift.source(gather.indices), shape_of(lift.kernel.results[0])
    axis, batch = (lift.hint(name) or 0 for name in ("axis", "batch_dims"))
    if not isinstance(axis, int) or not isinstance(batch, int):
        raise NotExactError("the axis is no integer")
    if constant_attribute(indices) is not None:
        batch, axis = _gather_axes(axis, batch, rank := len(shape_of(values)), len(result) - len(shape_of(values)) + 1)
        return Lifted((values, Weights(indices, (*result[:batch], *result[axis : len(result) - rank + axis + 1]))), {})
    if constant_attribute(values) is not None:
        rank = len(result) + 1 + max(batch, 0) - len(shape_of(indices))
        batch, axis = _gather_axes(axis, batch, rank, len(shape_of(indices)))
        behind = result[len(result) - (rank - axis - 1) :]
        return Lifted((Weights(values, (*result[:axis], shape_of(values)[1], *behind)), indices), {})
    return Lifted((values, indices), {})


_BLOCK = frozenset({"block_size"})

FAMILIES = (
    OperatorFamily("BATCH_TO_SPACE_ND", "BatchToSpaceNDOptions", lower_batch_to_space, lift_batch_to_space, (3, 3)),
    OperatorFamily("BROADCAST_TO", "BroadcastToOptions", _lower_repeat(0, 1), lift_broadcast_to, (2, 2)),
    OperatorFamily("DEPTH_TO_SPACE", "DepthToSpaceOptions", lower_depth_to_space, _lift_blocks(3), derived=_BLOCK),
    OperatorFamily("EXPAND_DIMS", "ExpandDimsOptions", lower_expand_dims, lift_expand_dims, (2, 2)),
    OperatorFamily("FILL", "FillOptions", _lower_repeat(1, 0), lift_fill, (2, 2)),
    OperatorFamily("GATHER", "GatherOptions", lower_gather, lift_gather, (2, 2)),
    OperatorFamily("PADV2", "PadV2Options", lower_pad_v2, lift_pad_v2, (3, 3)),
    OperatorFamily("SPACE_TO_BATCH_ND", "SpaceToBatchNDOptions", lower_space_to_batch, lift_space_to_batch, (3, 3)),
    OperatorFamily("SPACE_TO_DEPTH", "SpaceToDepthOptions", lower_space_to_depth, _lift_blocks(2), derived=_BLOCK),
    OperatorFamily("SQUEEZE", "SqueezeOptions", lower_squeeze, lift_squeeze),
    OperatorFamily("TRANSPOSE", "TransposeOptions", lower_transpose, lift_transpose, (2, 2)),
)
