"""RESHAPE, PAD, CONCATENATION, slices, RESIZE_NEAREST_NEIGHBOR: bytes that move."""

from math import prod
from typing import cast

from xdsl.dialects.builtin import MemRefType
from xdsl.ir import SSAValue

from tinymo_xdsl.analysis.sizes import byte_size
from tinymo_xdsl.backend.c.body import Body, NoKernelError, dtype_of, element_dtype, four_axes, shape_of
from tinymo_xdsl.backend.c.kernels.layout import ConcatRow, PadRow, RepeatRow, SliceRow, uniform_byte
from tinymo_xdsl.backend.c.layer import Border, Layer, Operand, Table
from tinymo_xdsl.backend.c.rows import Repeat, Window
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.facts import name_of
from tinymo_xdsl.numerics import dense
from tinymo_xdsl.operators.base import constant_attribute


def _element_bytes(value: SSAValue) -> int:
    return element_dtype(value).itemsize


def copy_buffer(source: SSAValue, destination: SSAValue) -> Layer:
    """`memref.copy` between windows of buffers."""
    unit = _element_bytes(source)
    images, rows, pixels, channels = four_axes(shape_of(source))
    read, written = (_pitches(value) for value in (source, destination))
    count = channels * unit
    function = SliceRow(pixels, read[2], 0, count, written[2])
    if pixels * count == read[1] == written[1] and read[2] == written[2] == count:
        function = SliceRow(1, 0, 0, pixels * count, 0)
    operand = Operand(source, Window(rows), read[1], read[0])
    row = (pixels - 1) * written[2] + count
    return Layer(function, (), (operand,), destination, images, rows, row, row_pitch=written[1], image_pitch=written[0])


def _pitches(value: SSAValue) -> tuple[int, int, int]:
    """Bytes from one image to the next, from one row and from one pixel."""
    type_ = cast(MemRefType, value.type)
    strides = [cast(int, stride) * _element_bytes(value) for stride in type_.get_strides() or ()]
    if len(strides) > 4 and prod(shape_of(value)[:-3]) > 1:
        raise NoKernelError(f"'{name_of(value)}' is copied along more than four axes, which has no C kernel")
    image, row, pixel, _ = ([0] * 4 + strides)[-4:]
    return image, row, pixel


def copy_bytes(source: SSAValue, result: SSAValue, count: int) -> Layer:
    """All bytes of a tensor, or of a constant, as one row."""
    attribute = constant_attribute(source)
    read = source if attribute is None else Table.of(dense.to_numpy(attribute), dtype_of(source))
    return Layer(
        SliceRow(1, count, 0, count, count), (), (Operand(read, Window(1), count, count),), result, 1, 1, count
    )


def reshape(body: Body, op: tosa.ReshapeOp) -> list[Layer]:
    """RESHAPE where the result is a buffer of its own."""
    return [copy_bytes(body.source(op.input1), body.ending(op.output).result, byte_size(op.output))]


def cut(body: Body, op: tosa.SliceOp) -> list[Layer]:
    """SLICE, STRIDED_SLICE with steps of one, and each part of SPLIT and UNPACK."""
    source, start, size = shape_of(op.input1), body.sizes(op.start), shape_of(op.output)
    if len(source) > 4 and any(
        low or part != whole for low, part, whole in zip(start, size, source[:-3], strict=False)
    ):
        raise body.error("a slice along more than four axes")
    first, low, left, channel = (0,) * (4 - len(start)) + tuple(start[-4:])
    _, height, width, depth = four_axes(source)
    images, rows, pixels, count = four_axes(size)
    unit = _element_bytes(op.output)
    if count == depth:
        function = SliceRow(1, 0, left * depth * unit, pixels * depth * unit, 0)
    else:
        function = SliceRow(pixels, depth * unit, (left * depth + channel) * unit, count * unit, count * unit)
    row = width * depth * unit
    operand = Operand(body.operand(op.input1), Window(height, before=-low), row, height * row, first * height * row)
    return [Layer(function, (), (operand,), body.ending(op.output).result, images, rows, pixels * count * unit)]


def concat(body: Body, op: tosa.ConcatOp) -> list[Layer]:
    """CONCATENATION and PACK: what lies behind the axis is one run of bytes in each part."""
    axis, shape = op.axis.value.data, shape_of(op.output)
    unit = _element_bytes(op.output)
    # The pixels of a row are the axis in front of channels.
    pixels = shape[axis - 1] if axis == 3 and len(shape) == 4 else 1
    rows = prod(shape[:axis]) // pixels
    parts = tuple(prod(shape_of(part)[axis:]) * unit for part in op.tensors)
    operands = tuple(
        Operand(body.operand(part), Window(rows), pixels * run, rows * pixels * run)
        for part, run in zip(op.tensors, parts, strict=True)
    )
    function = ConcatRow(pixels, parts)
    return [Layer(function, (), operands, body.ending(op.output).result, 1, rows, pixels * sum(parts))]


def pad(body: Body, op: tosa.PadOp) -> list[Layer]:
    """PAD of the last three axes: a row outside of the image is a row of the frame."""
    pads = body.sizes(op.padding)
    pairs = [(0, 0)] * (4 - len(pads) // 2) + list(zip(pads[::2], pads[1::2], strict=True))
    if any(low or high for low, high in pairs[:-3]):
        raise body.error("pads in front of the last three axes")
    value = uniform_byte(body.constant(op.pad_const).tobytes())
    if value is None:
        raise body.error("it pads with a number whose bytes differ")
    _, (top, _), (left, right), (before, after) = pairs[-4:]
    images, height, width, depth = four_axes(shape_of(op.input1))
    _, rows, pixels, channels = four_axes(shape_of(op.output))
    unit = _element_bytes(op.output)
    frame = channels * unit
    function = PadRow(width, depth * unit, left * frame, right * frame, before * unit, after * unit, value)
    row = width * depth * unit
    access = Window(height, before=top, result_rows=rows)
    border = Border("uint8", value, row)
    operand = Operand(body.operand(op.input1), access, row, height * row, outside=border)
    return [Layer(function, (), (operand,), body.ending(op.output).result, images, rows, pixels * channels * unit)]


def resize(body: Body, op: tosa.ResizeOp) -> list[Layer]:
    """RESIZE_NEAREST_NEIGHBOR by whole factors: see `operators.layout.lower_resize_nearest`."""
    images, height, width, depth = four_axes(shape_of(op.input))
    _, rows, columns, _ = four_axes(shape_of(op.output))
    factors = (rows // height, columns // width)
    scale, offset, border = body.sizes(op.scale), body.sizes(op.offset), body.sizes(op.border)
    repeats = (
        scale == tuple(number for factor in factors for number in (2 * factor, 2))
        and offset == tuple(1 - factor for factor in factors)
        and border == tuple(factor - 1 for factor in factors)
    )
    if op.mode.data is not tosa.ResizeMode.NEAREST_NEIGHBOR or not repeats:
        raise body.error("only nearest neighbours, enlarged by a whole factor")
    unit = depth * _element_bytes(op.output)
    function = RepeatRow(width, unit, factors[1])
    operand = Operand(body.operand(op.input), Repeat(factors[0]), width * unit, height * width * unit)
    return [Layer(function, (), (operand,), body.ending(op.output).result, images, rows, columns * unit)]
