"""Convolutions of all kinds, and dense layers, which are convolutions of one pixel."""

from dataclasses import dataclass

import numpy as np
from xdsl.ir import SSAValue

from tinymo_xdsl.backend.c.arithmetic import Requantized, Scaling, Sums
from tinymo_xdsl.backend.c.body import Body, Ending, dtype_of, shape_of
from tinymo_xdsl.backend.c.kernels.columns import Columns
from tinymo_xdsl.backend.c.kernels.convolution import ConvolutionRow
from tinymo_xdsl.backend.c.kernels.depthwise import DepthwiseRow
from tinymo_xdsl.backend.c.kernels.transpose import TransposedRow
from tinymo_xdsl.backend.c.layer import Border, Layer, Operand, Table, Value
from tinymo_xdsl.backend.c.rows import Transposed, Window
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.dialects.tosa.base import plain_ints
from tinymo_xdsl.numerics.dense import Array

_INT32_LIMIT = 1 << 31

ConvolutionOp = tosa.Conv2DOp | tosa.DepthwiseConv2DOp | tosa.TransposeConv2DOp


@dataclass(frozen=True, eq=False)
class _Numbers:
    """The constants of a convolution, weights as `[output channel][everything that is summed]`."""

    weights: Array
    bias: Array
    input_zero_point: int
    weight_zero_point: int
    ending: Ending

    @property
    def centred(self) -> Array:
        """The weights without their zero point."""
        return self.weights.astype(np.int64) - self.weight_zero_point

    def largest(self, dtype: str) -> int:
        """What no sum of products with elements of `dtype` exceeds, bias included, whatever is added first."""
        limits = np.iinfo(dtype)
        element = max(int(limits.max), -int(limits.min)) + abs(self.input_zero_point)
        sums = element * np.abs(self.centred).sum(axis=1) + np.abs(self.bias.astype(np.int64))
        return int(sums.max(initial=0))


def image_of(body: Body, value: SSAValue) -> SSAValue:
    """The tensor that a window op reads, of which the kernel may cut off the end: windows do not read that."""
    if value.owner in body.kernel.ops and isinstance(value.owner, tosa.SliceOp):
        if any(body.sizes(value.owner.start)):
            raise body.error("it cuts off the beginning of its image")
        value = value.owner.input1
    return value


def image_shape(body: Body, value: SSAValue) -> tuple[int, int, int, int]:
    """`[N, H, W, C]` of what a window op reads, cut or not."""
    shape = shape_of(image_of(body, value))
    if len(shape) != 4:
        raise body.error("its image has not four axes")
    return shape[0], shape[1], shape[2], shape[3]


def columns_of(image: int, result: int, kernel: int, stride: int, dilation: int, before: int) -> Columns:
    """The windows along a row. A kernel of one column needs no dilation."""
    return Columns(image, result, kernel, stride, dilation if kernel > 1 else 1, before)


def convolution(body: Body, op: tosa.Conv2DOp) -> list[Layer]:
    """CONV_2D, FULLY_CONNECTED."""
    channels, rows, kernel, depth = shape_of(op.weight)
    numbers = _numbers(body, op, body.constant(op.weight).reshape(channels, -1))
    window = _window(body, op, rows)
    _, _, result_columns, _ = shape_of(op.output)
    columns = columns_of(
        image_shape(body, op.input)[2],
        result_columns,
        kernel,
        plain_ints(op.stride)[1],
        plain_ints(op.dilation)[1],
        plain_ints(op.pad)[2],
    )
    function = ConvolutionRow(rows, columns, depth, channels, _sums(body, op, numbers))
    return [_layer(body, op, function, numbers, window)]


def depthwise(body: Body, op: tosa.DepthwiseConv2DOp) -> list[Layer]:
    """DEPTHWISE_CONV_2D. Weights `[row][column][channel][filter]` become `[channel][filter][row][column]`."""
    rows, kernel, depth, filters = shape_of(op.weight)
    weights = body.constant(op.weight).transpose(2, 3, 0, 1).reshape(depth * filters, -1)
    numbers = _numbers(body, op, weights)
    columns = columns_of(
        image_shape(body, op.input)[2],
        shape_of(op.output)[2],
        kernel,
        plain_ints(op.stride)[1],
        plain_ints(op.dilation)[1],
        plain_ints(op.pad)[2],
    )
    sums = _sums(body, op, numbers)
    # Filters of one channel read the same elements: as a convolution they share what is loaded.
    function = (
        ConvolutionRow(rows, columns, 1, filters, sums)
        if depth == 1
        else DepthwiseRow(rows, columns, depth, filters, sums)
    )
    return [_layer(body, op, function, numbers, _window(body, op, rows))]


def transposed(body: Body, op: tosa.TransposeConv2DOp) -> list[Layer]:
    """TRANSPOSE_CONV."""
    channels, rows, kernel, depth = shape_of(op.weight)
    numbers = _numbers(body, op, body.constant(op.weight).reshape(channels, -1))
    images, image_rows, image, _ = image_shape(body, op.input)
    _, result_rows, pixels, _ = shape_of(op.output)
    top, _, left, _ = plain_ints(op.out_pad)
    row_stride, stride = plain_ints(op.stride)
    sums = _sums(body, op, numbers)
    function = TransposedRow(rows, kernel, stride, -left, image, pixels, depth, channels, sums)
    bias = Table.of(numbers.bias, sums.accumulator)
    zero_point = () if sums.is_float else (numbers.input_zero_point,)
    parameters = (_weights(numbers, sums), bias, *zero_point, *_ending_values(sums, numbers.ending))
    access = Transposed(image_rows, rows, row_stride, -top)
    operand = Operand(body.operand(image_of(body, op.input)), access, image * depth, image_rows * image * depth)
    return [Layer(function, parameters, (operand,), numbers.ending.result, images, result_rows, pixels * channels)]


def _numbers(body: Body, op: ConvolutionOp, weights: Array) -> _Numbers:
    bias = body.constant(op.bias).reshape(-1)
    return _Numbers(
        weights,
        np.broadcast_to(bias, len(weights)),
        int(body.constant(op.input_zp).reshape(-1)[0]),
        int(body.constant(op.weight_zp).reshape(-1)[0]),
        body.ending(op.output),
    )


def _sums(body: Body, op: ConvolutionOp, numbers: _Numbers) -> Sums:
    data, weight = dtype_of(op.input), dtype_of(op.weight)
    result = dtype_of(numbers.ending.result)
    if data == "float32":
        return Sums(data, weight, "float32", result, 0, None)
    if (scaling := numbers.ending.scaling) is None:
        raise body.error("its sums are not rescaled")
    largest = numbers.largest(data)
    accumulator = "int32" if scaling.scale32 else "int64"
    if accumulator == "int32" and largest >= _INT32_LIMIT:
        raise body.error("its sums may leave 32 bits")
    output = _requantized(body, scaling, largest, len(numbers.weights))
    return Sums(data, weight, accumulator, result, numbers.weight_zero_point, output)


def _requantized(body: Body, scaling: Scaling, largest: int, channels: int) -> Requantized:
    if scaling.channels not in (1, channels):
        raise body.error(f"it has {scaling.channels} factors for {channels} channels")
    return Requantized(scaling.rounding(largest), scaling.channels > 1)


def _window(body: Body, op: tosa.Conv2DOp | tosa.DepthwiseConv2DOp, rows: int) -> Window:
    _, image_rows, _, _ = image_shape(body, op.input)
    return Window(
        image_rows,
        rows,
        plain_ints(op.stride)[0],
        plain_ints(op.dilation)[0],
        plain_ints(op.pad)[0],
        shape_of(op.output)[1],
    )


def _layer(
    body: Body,
    op: tosa.Conv2DOp | tosa.DepthwiseConv2DOp,
    function: ConvolutionRow | DepthwiseRow,
    numbers: _Numbers,
    window: Window,
) -> Layer:
    images, image_rows, image_columns, depth = image_shape(body, op.input)
    row = image_columns * depth
    border = Border(function.sums.data, numbers.input_zero_point, row)
    operand = Operand(body.operand(image_of(body, op.input)), window, row, image_rows * row, outside=border)
    _, result_rows, pixels, channels = shape_of(op.output)
    used_border: Value = border if function.columns.leaves_image else 0
    parameters = (
        _weights(numbers, function.sums),
        _bias(body, numbers, function.sums),
        used_border,
        *_ending_values(function.sums, numbers.ending),
    )
    return Layer(function, parameters, (operand,), numbers.ending.result, images, result_rows, pixels * channels)


def _weights(numbers: _Numbers, sums: Sums) -> Table:
    return Table.of(numbers.weights, sums.weight)


def _bias(body: Body, numbers: _Numbers, sums: Sums) -> Table:
    """The bias, and what the zero point of the input adds to each sum."""
    if sums.is_float:
        return Table.of(numbers.bias, sums.accumulator)
    folded = numbers.bias.astype(np.int64) - numbers.input_zero_point * numbers.centred.sum(axis=1)
    return Table.of(folded, sums.accumulator)


def _ending_values(sums: Sums, ending: Ending) -> tuple[Value, ...]:
    if sums.output is None or ending.scaling is None:
        return (ending.low, ending.high)
    return sums.output.values(ending.scaling)
