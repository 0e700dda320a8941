"""
Convolutions: `tosa.conv2d`, `tosa.conv3d`, `tosa.depthwise_conv2d` and `tosa.transpose_conv2d`.

Images are `[N, H, W, C]` (`[N, D, H, W, C]` in three dimensions). Integer convolutions leave their accumulators in the
result, for a `tosa.rescale` to bring back to the width of the input.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypeAlias

from xdsl.dialects.builtin import I64, BoolAttr, DenseArrayBase, Float16Type, Float32Type, IntegerType, TensorType, i32
from xdsl.ir import Attribute
from xdsl.irdl import irdl_op_definition, operand_def, opt_prop_def, prop_def, result_def
from xdsl.utils.exceptions import VerifyException

from tinymo_xdsl.dialects.tosa import shapes
from tinymo_xdsl.dialects.tosa.base import Operand, PureTosaOp, element_type_of, i48, ints, is_integer, shape_of

AccumulatorType: TypeAlias = IntegerType | Float16Type | Float32Type


def accumulator_type(element: Attribute) -> AccumulatorType:
    """In what products of `element`s and weights are summed: i32, i48 for inputs of 16 bits, or the float itself."""
    if isinstance(element, Float16Type | Float32Type):
        return element
    return i48 if is_integer(element, 16) else i32


class ConvolutionOp(PureTosaOp, ABC):
    """
    What all convolutions share.

    `bias` has a value per output channel, or a single one. Zero points are tensors of one element.
    """

    input = operand_def(TensorType)
    weight = operand_def(TensorType)
    bias = operand_def(TensorType)
    input_zp = operand_def(TensorType)
    weight_zp = operand_def(TensorType)

    stride = prop_def(DenseArrayBase[I64])
    acc_type = prop_def(IntegerType | Float16Type | Float32Type)
    local_bound = opt_prop_def(BoolAttr, default_value=BoolAttr.from_bool(False))

    output = result_def(TensorType)

    @abstractmethod
    def output_shape(self) -> shapes.Shape:
        """The shape of the result, computed from the operands."""

    @abstractmethod
    def verify_windows(self) -> None:
        """Check what only this convolution knows: the layout of its weights, and where its windows lie."""

    def verify_(self) -> None:
        self._verify_elements()
        self.verify_windows()
        output = self.output_shape()
        shapes.require_shape("the output", shape_of(self.output), output)
        bias = shape_of(self.bias)
        if not shapes.shapes_agree(bias, output[-1:]) and bias != (1,):
            raise VerifyException(f"expected a bias of {output[-1]} values or 1, got shape {shapes.text(bias)}")

    def _verify_elements(self) -> None:
        element = element_type_of(self.input)
        for what, zero_point, of in (
            ("input_zp", self.input_zp, element),
            ("weight_zp", self.weight_zp, element_type_of(self.weight)),
        ):
            shapes.require_shape(what, shape_of(zero_point), (1,))
            if element_type_of(zero_point) != of:
                raise VerifyException(f"expected {what} of type {of}, got {element_type_of(zero_point)}")
        wanted = self.acc_type if is_integer(element) else element
        if element_type_of(self.output) != wanted:
            raise VerifyException(f"expected an output of {wanted}, got {element_type_of(self.output)}")
        self._verify_arithmetic(element)

    def _verify_arithmetic(self, element: Attribute) -> None:
        weight, bias = element_type_of(self.weight), element_type_of(self.bias)
        if not is_integer(element):
            if weight != element or bias != element:
                raise VerifyException(f"expected weights and bias of {element}, got {weight} and {bias}")
            return
        if self.acc_type != accumulator_type(element):
            raise VerifyException(f"expected accumulators of {accumulator_type(element)}, got {self.acc_type}")
        if not (is_integer(weight, 8) or is_integer(weight, 4)):
            raise VerifyException(f"expected weights of 8 or 4 bits for an input of {element}, got {weight}")
        if not any(is_integer(bias, width) for width in (32, 48, 64)):
            raise VerifyException(f"expected a bias of i32, i48 or i64 for an input of {element}, got {bias}")


def _output_type(input: Operand, acc_type: AccumulatorType, shape: shapes.Shape) -> TensorType[Attribute]:
    return TensorType(acc_type if is_integer(acc_type) else element_type_of(input), shape)


class SlidingConvolutionOp(ConvolutionOp, ABC):
    """A convolution whose windows step over the padded input. Pads come in pairs, before and after each dimension."""

    pad = prop_def(DenseArrayBase[I64])
    dilation = prop_def(DenseArrayBase[I64])

    @abstractmethod
    def kernel(self) -> shapes.Shape:
        """The spatial sizes of the weights."""

    def _verify_sliding(self) -> None:
        """Check the attributes, and that windows use the padded input up to its last element."""
        kernel = self.kernel()
        pad, stride, dilation = self.pad.get_values(), self.stride.get_values(), self.dilation.get_values()
        if len(pad) != 2 * len(kernel) or len(stride) != len(kernel) or len(dilation) != len(kernel):
            raise VerifyException(f"expected two pads, a stride and a dilation for each of {len(kernel)} dimensions")
        if min(pad) < 0:
            raise VerifyException(f"expected pads >= 0, got {list(pad)}")
        if min(stride) < 1 or min(dilation) < 1:
            raise VerifyException(f"expected strides and dilations >= 1, got {list(stride)} and {list(dilation)}")
        sizes = shape_of(self.input)[1:-1]
        for size, taps, before, after, step, apart in zip(
            sizes, kernel, pad[::2], pad[1::2], stride, dilation, strict=True
        ):
            _require_exact_windows(size, taps, (before, after), step, apart)


def _require_exact_windows(size: int, kernel: int, pad: tuple[int, int], stride: int, dilation: int) -> None:
    if not shapes.is_static(size, kernel):
        return
    span = size - 1 + sum(pad) - (kernel - 1) * dilation
    where = f"(size {size} - 1 + pads {pad[0]} and {pad[1]} - (kernel {kernel} - 1) * dilation {dilation})"
    if span < 0:
        raise VerifyException(f"expected a window to fit the padded input: {where} is {span}")
    if span % stride:
        raise VerifyException(f"expected {where} = {span} to be a multiple of stride {stride}: slice the input first")


def _image_shape(
    input: Operand,
    kernel: Sequence[int],
    channels: int,
    pad: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
) -> shapes.Shape:
    batch, *sizes, _ = shape_of(input)
    pads = zip(pad[::2], pad[1::2], strict=True)
    return (batch, *map(shapes.windowed, sizes, kernel, pads, stride, dilation), channels)


class DenseConvolutionOp(SlidingConvolutionOp, ABC):
    """A convolution that sums over all channels: weights `[OC, spatial sizes, IC]`."""

    def kernel(self) -> shapes.Shape:
        return shape_of(self.weight)[1:-1]

    def output_shape(self) -> shapes.Shape:
        return _dense_shape(
            self.input, self.weight, self.pad.get_values(), self.stride.get_values(), self.dilation.get_values()
        )

    def _verify_dense(self, rank: int) -> None:
        input, weight = shape_of(self.input), shape_of(self.weight)
        shapes.require_rank("an input", input, rank)
        shapes.require_rank("weights", weight, rank)
        if not shapes.sizes_agree(input[-1], weight[-1]):
            raise VerifyException(f"expected weights of {input[-1]} input channels, got {weight[-1]}")
        self._verify_sliding()


def _dense_shape(
    input: Operand, weight: Operand, pad: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> shapes.Shape:
    channels, *kernel, _ = shape_of(weight)
    return _image_shape(input, kernel, channels, pad, stride, dilation)


@irdl_op_definition
class Conv2DOp(DenseConvolutionOp):
    """
    A two-dimensional convolution: weights `[OC, KH, KW, IC]`, pads top, bottom, left, right.

    ```mlir
    %y = tosa.conv2d %x, %w, %b, %x_zp, %w_zp {acc_type = i32, dilation = array<i64: 1, 1>,
        pad = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>}
        : (tensor<1x8x8x4xi8>, tensor<6x3x3x4xi8>, tensor<6xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x8x8x6xi32>
    ```
    """

    name = "tosa.conv2d"

    def __init__(
        self,
        input: Operand,
        weight: Operand,
        bias: Operand,
        input_zp: Operand,
        weight_zp: Operand,
        *,
        pad: Sequence[int] = (0, 0, 0, 0),
        stride: Sequence[int] = (1, 1),
        dilation: Sequence[int] = (1, 1),
        acc_type: AccumulatorType | None = None,
    ):
        acc_type = acc_type or accumulator_type(element_type_of(input))
        super().__init__(
            operands=[input, weight, bias, input_zp, weight_zp],
            properties={"pad": ints(pad), "stride": ints(stride), "dilation": ints(dilation), "acc_type": acc_type},
            result_types=[_output_type(input, acc_type, _dense_shape(input, weight, pad, stride, dilation))],
        )

    def verify_windows(self) -> None:
        self._verify_dense(rank=4)


@irdl_op_definition
class Conv3DOp(DenseConvolutionOp):
    """A three-dimensional convolution: weights `[OC, KD, KH, KW, IC]`, pads front, back, top, bottom, left, right."""

    name = "tosa.conv3d"

    def __init__(
        self,
        input: Operand,
        weight: Operand,
        bias: Operand,
        input_zp: Operand,
        weight_zp: Operand,
        *,
        pad: Sequence[int] = (0, 0, 0, 0, 0, 0),
        stride: Sequence[int] = (1, 1, 1),
        dilation: Sequence[int] = (1, 1, 1),
        acc_type: AccumulatorType | None = None,
    ):
        acc_type = acc_type or accumulator_type(element_type_of(input))
        super().__init__(
            operands=[input, weight, bias, input_zp, weight_zp],
            properties={"pad": ints(pad), "stride": ints(stride), "dilation": ints(dilation), "acc_type": acc_type},
            result_types=[_output_type(input, acc_type, _dense_shape(input, weight, pad, stride, dilation))],
        )

    def verify_windows(self) -> None:
        self._verify_dense(rank=5)


@irdl_op_definition
class DepthwiseConv2DOp(SlidingConvolutionOp):
    """
    A convolution of each channel with its own M kernels: weights `[KH, KW, C, M]`, result `[N, OH, OW, C * M]`.

    Pads are top, bottom, left, right.
    """

    name = "tosa.depthwise_conv2d"

    def __init__(
        self,
        input: Operand,
        weight: Operand,
        bias: Operand,
        input_zp: Operand,
        weight_zp: Operand,
        *,
        pad: Sequence[int] = (0, 0, 0, 0),
        stride: Sequence[int] = (1, 1),
        dilation: Sequence[int] = (1, 1),
        acc_type: AccumulatorType | None = None,
    ):
        acc_type = acc_type or accumulator_type(element_type_of(input))
        super().__init__(
            operands=[input, weight, bias, input_zp, weight_zp],
            properties={"pad": ints(pad), "stride": ints(stride), "dilation": ints(dilation), "acc_type": acc_type},
            result_types=[_output_type(input, acc_type, _depthwise_shape(input, weight, pad, stride, dilation))],
        )

    def kernel(self) -> shapes.Shape:
        return shape_of(self.weight)[:2]

    def output_shape(self) -> shapes.Shape:
        return _depthwise_shape(
            self.input, self.weight, self.pad.get_values(), self.stride.get_values(), self.dilation.get_values()
        )

    def verify_windows(self) -> None:
        input, weight = shape_of(self.input), shape_of(self.weight)
        shapes.require_rank("an input", input, 4)
        shapes.require_rank("weights", weight, 4)
        if not shapes.sizes_agree(input[3], weight[2]):
            raise VerifyException(f"expected weights of {input[3]} input channels, got {weight[2]}")
        self._verify_sliding()


def _depthwise_shape(
    input: Operand, weight: Operand, pad: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> shapes.Shape:
    *kernel, channels, multiplier = shape_of(weight)
    return _image_shape(input, kernel, shapes.product((channels, multiplier)), pad, stride, dilation)


@irdl_op_definition
class TransposeConv2DOp(ConvolutionOp):
    """
    A transposed convolution: each input element adds a window of weights `[OC, KH, KW, IC]` to the output, windows
    `stride` apart. `out_pad` (top, bottom, left, right) widens the output, or cuts it where negative.
    """

    name = "tosa.transpose_conv2d"

    out_pad = prop_def(DenseArrayBase[I64])

    def __init__(
        self,
        input: Operand,
        weight: Operand,
        bias: Operand,
        input_zp: Operand,
        weight_zp: Operand,
        *,
        out_pad: Sequence[int] = (0, 0, 0, 0),
        stride: Sequence[int] = (1, 1),
        acc_type: AccumulatorType | None = None,
    ):
        acc_type = acc_type or accumulator_type(element_type_of(input))
        super().__init__(
            operands=[input, weight, bias, input_zp, weight_zp],
            properties={"out_pad": ints(out_pad), "stride": ints(stride), "acc_type": acc_type},
            result_types=[_output_type(input, acc_type, _transposed_shape(input, weight, out_pad, stride))],
        )

    def output_shape(self) -> shapes.Shape:
        return _transposed_shape(self.input, self.weight, self.out_pad.get_values(), self.stride.get_values())

    def verify_windows(self) -> None:
        input, weight = shape_of(self.input), shape_of(self.weight)
        shapes.require_rank("an input", input, 4)
        shapes.require_rank("weights", weight, 4)
        if not shapes.sizes_agree(input[3], weight[3]):
            raise VerifyException(f"expected weights of {input[3]} input channels, got {weight[3]}")
        out_pad, stride = self.out_pad.get_values(), self.stride.get_values()
        if len(out_pad) != 4 or len(stride) != 2:
            raise VerifyException("expected four values of out_pad and two strides")
        if min(stride) < 1:
            raise VerifyException(f"expected strides >= 1, got {list(stride)}")
        for pad, kernel in zip(out_pad, (weight[1], weight[1], weight[2], weight[2]), strict=True):
            if shapes.is_static(kernel) and pad <= -kernel:
                raise VerifyException(f"expected out_pad to cut less than the kernel of {kernel}, got {pad}")


def _transposed_shape(input: Operand, weight: Operand, out_pad: Sequence[int], stride: Sequence[int]) -> shapes.Shape:
    batch, *sizes, _ = shape_of(input)
    channels, *kernel, _ = shape_of(weight)
    pads = zip(out_pad[::2], out_pad[1::2], strict=True)
    return (batch, *map(shapes.transposed_windowed, sizes, kernel, pads, stride), channels)
