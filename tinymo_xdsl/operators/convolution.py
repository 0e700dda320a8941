"""CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV and FULLY_CONNECTED: products summed in an accumulator."""

from collections.abc import Sequence
from math import prod

from xdsl.dialects.builtin import Float32Type, i32, i64
from xdsl.ir import SSAValue

from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.fact_entries import OptionFact
from tinymo_xdsl.facts import has_tensor_facts
from tinymo_xdsl.flatbuffer.schema import Padding
from tinymo_xdsl.numerics.requantize import Multiplier, effective_scale, quantize_multiplier
from tinymo_xdsl.operators.base import (
    Implied,
    Lift,
    Lifted,
    LiftedInput,
    Lowering,
    NotExactError,
    Operand,
    OperatorFamily,
    Weights,
    constant_attribute,
    shape_of,
)
from tinymo_xdsl.operators.requantize import clamp, lift_activation, narrow
from tinymo_xdsl.operators.windows import Window, cut_unread, grid_of, pads_attribute, whole_image

_WINDOW_OPTIONS = frozenset({"padding", "stride_h", "stride_w", "dilation_h_factor", "dilation_w_factor"})


def _factors(op: Lowering, image: Operand, weights: Operand) -> list[Multiplier]:
    """Accumulator units in output units, one or one for each output channel."""
    source, result = image.facts.one_scale, op.output.facts.one_scale
    return [quantize_multiplier(effective_scale(source, scale, result)) for scale in weights.facts.scale]


def _finish(op: Lowering, accumulator: SSAValue, image: Operand, weights: Operand) -> SSAValue:
    if op.output.is_float:
        return clamp(op, accumulator)
    if op.output.element != image.element:
        raise NotExactError("input and output have different types")
    return narrow(op, accumulator, _factors(op, image, weights))


def _bias(op: Lowering, position: int, image: Operand, channels: int) -> SSAValue:
    if op.has(position):
        return op.value(position, (channels,))
    element = image.element if image.is_float else (i64 if image.width == 16 else i32)
    return op.literal([0] * channels, element)


def _check(op: Lowering, image: Operand, weights: Operand) -> None:
    if image.is_float:
        if not isinstance(image.element, Float32Type) or image.element != weights.element:
            raise NotExactError("float convolutions are of float32 throughout")
        return
    if image.width not in (8, 16) or weights.width != 8:
        raise NotExactError("integer convolutions have 8-bit weights and inputs of 8 or 16 bits")
    if weights.data is None and weights.value is None:
        raise NotExactError("the weights have no value")
    if not weights.facts.scale or len(set(weights.facts.zero_point)) > 1:
        raise NotExactError("the weights need scales and one zero point")


def lower_conv2d(op: Lowering) -> Sequence[SSAValue]:
    """Weights `[OC, KH, KW, IC]` as TOSA has them."""
    image, weights = op.image(0), op.image(1)
    _check(op, image, weights)
    if image.shape[3] != weights.shape[3]:
        raise NotExactError("grouped convolution")
    stride = (op.option("stride_h"), op.option("stride_w"))
    dilation = (op.option("dilation_h_factor"), op.option("dilation_w_factor"))
    grid = grid_of(image.shape, weights.shape[1:3], stride, dilation)
    source, pads = cut_unread(op.emitter, op.value(0), grid, grid.pads(op.padding))
    convolution = tosa.Conv2DOp(
        source,
        op.value(1),
        _bias(op, 2, image, weights.shape[0]),
        op.zero_point(image),
        op.zero_point(weights),
        pad=pads,
        stride=stride,
        dilation=dilation,
    )
    return [_finish(op, op.emit(convolution).output, image, weights)]


def lift_conv2d(lift: Lift) -> Lifted:
    """Finds stride, dilation and padding in the `tosa.conv2d`."""
    convolution = lift.only(tosa.Conv2DOp)
    image = lift.source(convolution.input)
    inputs = (image, convolution.weight, *_lift_bias(convolution.bias))
    return Lifted(inputs, _lift_window(lift, convolution, shape_of(convolution.weight)[1:3]))


def _lift_bias(bias: SSAValue) -> tuple[LiftedInput, ...]:
    attribute = constant_attribute(bias)
    implied = attribute is not None and not has_tensor_facts(bias) and not any(attribute.data.data)
    return () if implied else (bias,)


def _lift_window(
    lift: Lift, op: tosa.Conv2DOp | tosa.DepthwiseConv2DOp, kernel: Sequence[int]
) -> dict[str, OptionFact]:
    stride, dilation = op.stride.get_values(), op.dilation.get_values()
    grid = grid_of(shape_of(op.input), kernel, stride, dilation)
    padding = whole_image(lift, op.input, pads_attribute(op), grid, lift.hint("padding"))
    return {
        "padding": padding.name,
        "stride_h": stride[0],
        "stride_w": stride[1],
        "dilation_h_factor": dilation[0],
        "dilation_w_factor": dilation[1],
        "fused_activation_function": lift_activation(lift),
    }


def lower_depthwise_conv2d(op: Lowering) -> Sequence[SSAValue]:
    """Weights `[1, KH, KW, C * M]` are `[KH, KW, C, M]` in TOSA: the same bytes."""
    image, weights = op.image(0), op.image(1)
    _check(op, image, weights)
    channels = image.shape[3]
    _, rows, columns, outputs = weights.shape
    if weights.shape[0] != 1 or outputs % channels:
        raise NotExactError("the weights fit no whole number of filters for each channel")
    stride = (op.option("stride_h"), op.option("stride_w"))
    dilation = (op.option("dilation_h_factor"), op.option("dilation_w_factor"))
    grid = grid_of(image.shape, (rows, columns), stride, dilation)
    source, pads = cut_unread(op.emitter, op.value(0), grid, grid.pads(op.padding))
    convolution = tosa.DepthwiseConv2DOp(
        source,
        op.value(1, (rows, columns, channels, outputs // channels)),
        _bias(op, 2, image, outputs),
        op.zero_point(image),
        op.zero_point(weights),
        pad=pads,
        stride=stride,
        dilation=dilation,
    )
    return [_finish(op, op.emit(convolution).output, image, weights)]


def lift_depthwise_conv2d(lift: Lift) -> Lifted:
    """Finds stride, dilation and padding in the `tosa.depthwise_conv2d`."""
    convolution = lift.only(tosa.DepthwiseConv2DOp)
    rows, columns, channels, multiplier = shape_of(convolution.weight)
    image = lift.source(convolution.input)
    weights = _file_weights(lift, convolution.weight, (1, rows, columns, channels * multiplier))
    options = _lift_window(lift, convolution, (rows, columns)) | {"depth_multiplier": multiplier}
    return Lifted((image, weights, *_lift_bias(convolution.bias)), options)


def _file_weights(lift: Lift, value: SSAValue, shape: tuple[int, ...]) -> LiftedInput:
    """Weights in the file's shape: a constant is written in it, what is computed has it before its reshape."""
    source = lift.source(value)
    return source if constant_attribute(source) is None else Weights(source, shape)


def lower_transpose_conv(op: Lowering) -> Sequence[SSAValue]:
    """The first input, the output's shape, is implied by the result type."""
    weights, image = op.image(1), op.image(2)
    _check(op, image, weights)
    stride = (op.option("stride_h"), op.option("stride_w"))
    if op.operand(0).integers != op.output.shape:
        raise NotExactError("the output's shape is computed at run time")
    padding = op.padding
    out_pad: list[int] = []
    for axis, step in zip((1, 2), stride, strict=True):
        window = Window(op.output.shape[axis], weights.shape[axis], step)
        before = window.pads(padding)[0]
        reached = (image.shape[axis] - 1) * step + weights.shape[axis]
        out_pad += [-before, op.output.shape[axis] - reached + before]
    convolution = tosa.TransposeConv2DOp(
        op.value(2),
        op.value(1),
        _bias(op, 3, image, weights.shape[0]),
        op.zero_point(image),
        op.zero_point(weights),
        out_pad=out_pad,
        stride=stride,
    )
    return [_finish(op, op.emit(convolution).output, image, weights)]


def lift_transpose_conv(lift: Lift) -> Lifted:
    """Finds the padding that cuts off as many rows and columns as `out_pad` says."""
    convolution = lift.only(tosa.TransposeConv2DOp)
    stride, out_pad = convolution.stride.get_values(), convolution.out_pad.get_values()
    shape, weights = shape_of(convolution.output), shape_of(convolution.weight)
    grid = grid_of(shape, weights[1:3], stride)
    tops = {padding: (grid.pads(padding)[0], grid.pads(padding)[2]) for padding in (Padding.VALID, Padding.SAME)}
    fitting = [padding for padding, (top, left) in tops.items() if (-top, -left) == (out_pad[0], out_pad[2])]
    if not fitting:
        raise NotExactError(f"out_pad {list(out_pad)} is neither SAME nor VALID")
    padding = Padding.SAME if lift.hint("padding") == Padding.SAME.name and Padding.SAME in fitting else fitting[0]
    output_shape = Implied("output_shape", "INT32", shape, (4,))
    options: dict[str, OptionFact] = {
        "padding": padding.name,
        "stride_h": stride[0],
        "stride_w": stride[1],
        "fused_activation_function": lift_activation(lift),
    }
    inputs = (output_shape, convolution.weight, convolution.input, *_lift_bias(convolution.bias))
    return Lifted(inputs, options)


def lower_fully_connected(op: Lowering) -> Sequence[SSAValue]:
    """A 1x1 convolution over an image of one pixel; rows of the input are images of the batch."""
    data, weights = op.operand(0), op.operand(1)
    _check(op, data, weights)
    if len(weights.shape) != 2 or not data.shape:
        raise NotExactError("the weights are no matrix")
    if op.option("weights_format") != 0:
        raise NotExactError("shuffled weights")
    outputs, depth = weights.shape
    if not depth or prod(data.shape) % depth:
        raise NotExactError("the weights do not fit the input")
    if op.option("keep_num_dims") and op.output.shape[:-1] != data.shape[:-1]:
        raise NotExactError("the result has not the axes of the input")
    rows = prod(data.shape) // depth
    accumulator = op.emit(
        tosa.Conv2DOp(
            op.value(0, (rows, 1, 1, depth)),
            op.value(1, (outputs, 1, 1, depth)),
            _bias(op, 2, data, outputs),
            op.zero_point(data),
            op.zero_point(weights),
        )
    ).output
    return [op.reshape(_finish(op, accumulator, data, weights), op.output.shape)]


def lift_fully_connected(lift: Lift) -> Lifted:
    """Undoes the reshapes around the 1x1 convolution."""
    convolution = lift.only(tosa.Conv2DOp)
    outputs, *_, depth = shape_of(convolution.weight)
    weights = _file_weights(lift, convolution.weight, (outputs, depth))
    bias = _lift_bias(convolution.bias)
    options: dict[str, OptionFact] = {"fused_activation_function": lift_activation(lift)}
    return Lifted((lift.source(convolution.input), weights, *bias), options)


def is_fully_connected(lift: Lift) -> bool:
    """Whether a kernel around a `tosa.conv2d` is dense rather than an image operation."""
    convolutions = [op for op in lift.kernel.ops if isinstance(op, tosa.Conv2DOp)]
    return len(convolutions) == 1 and isinstance(convolutions[0].input.owner, tosa.ReshapeOp)


FAMILIES = (
    OperatorFamily("CONV_2D", "Conv2DOptions", lower_conv2d, lift_conv2d, (2, 3), _WINDOW_OPTIONS),
    OperatorFamily(
        "DEPTHWISE_CONV_2D",
        "DepthwiseConv2DOptions",
        lower_depthwise_conv2d,
        lift_depthwise_conv2d,
        (2, 3),
        _WINDOW_OPTIONS | {"depth_multiplier"},
    ),
    OperatorFamily(
        "TRANSPOSE_CONV", "TransposeConvOptions", lower_transpose_conv, lift_transpose_conv, (3, 4), _WINDOW_OPTIONS
    ),
    OperatorFamily("FULLY_CONNECTED", "FullyConnectedOptions", lower_fully_connected, lift_fully_connected, (2, 3)),
)
