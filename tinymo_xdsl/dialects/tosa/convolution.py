"""
Convolutions: `tosa.conv2d`, `tosa.conv3d`, `tosa.depthwise_conv2d` and `tosa.transpose_conv2d`.

Images are `[N, H, W, C]` (`[N, D, H, W, C]` in three dimensions). Integer convolutions leave their accumulators in the
result, for a `tosa.rescale` to bring back to the width of the input.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from xdsl.dialects.builtin import I64, BoolAttr, DenseArrayBase, Float16Type, Float32Type, IntegerType, TensorType, i32
from xdsl.ir import Attribute
from xdsl.irdl import irdl_op_definition, operand_def, opt_prop_def, prop_def, result_def
from xdsl.utils.exceptions import VerifyException

from tinymo_xdsl.dialects.tosa import shapes
from tinymo_xdsl.dialects.tosa.base import (
    Operand,
    PureTosaOp,
    element_type_of,
    i48,
    ints,
    is_integer,
    require_one_element,
    shape_of,
)

AccumulatorType: TypeAlias = IntegerType | Float16Type | Float32Type


def accumulator_type(element: Attribute) -> AccumulatorType:
    """In what products of `element`s and weights are summed: i32, i48 for inputs of 16 bits, or the float itself."""
    if isinstance(element, Float16Type | Float32Type):
        return element
    return i48 if is_integer(element, 16) else i32


@dataclass(frozen=True)
class Kernel:
    """What the shape of the weights says, whatever their layout."""

    sizes: shapes.Shape
    """Taps along each spatial dimension."""
    inputs: int
    """Channels of the input."""
    outputs: int
    """Channels of the output."""


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

    SPATIAL_RANK: ClassVar[int] = 2

    @classmethod
    def kernel_of(cls, weight: Operand) -> Kernel:
        """Read weights in the layout `[OC, spatial sizes, IC]`."""
        outputs, *sizes, inputs = shape_of(weight)
        return Kernel(tuple(sizes), inputs, outputs)

    @abstractmethod
    def output_shape(self) -> shapes.Shape:
        """The shape of the result, computed from the operands."""

    @abstractmethod
    def verify_windows(self, sizes: shapes.Shape, kernel: shapes.Shape) -> None:
        """Check the properties that say where windows lie on an input of these spatial sizes."""

    def verify_(self) -> None:
        self._verify_elements()
        self._verify_shapes()

    def _verify_shapes(self) -> None:
        input, bias = shape_of(self.input), shape_of(self.bias)
        shapes.require_rank("an input", input, self.SPATIAL_RANK + 2)
        shapes.require_rank("weights", shape_of(self.weight), self.SPATIAL_RANK + 2)
        kernel = self.kernel_of(self.weight)
        if not shapes.sizes_agree(input[-1], kernel.inputs):
            raise VerifyException(f"expected weights of {input[-1]} input channels, got {kernel.inputs}")
        if not shapes.shapes_agree(bias, (kernel.outputs,)) and bias != (1,):
            raise VerifyException(f"expected a bias of {kernel.outputs} values or 1, got shape {shapes.text(bias)}")
        self.verify_windows(input[1:-1], kernel.sizes)
        shapes.require_shape("the output", shape_of(self.output), self.output_shape())

    def _verify_elements(self) -> None:
        element, weight, bias = map(element_type_of, (self.input, self.weight, self.bias))
        require_one_element("input_zp", self.input_zp, element)
        require_one_element("weight_zp", self.weight_zp, weight)
        if is_integer(element):
            self._verify_integers(element, weight, bias)
        elif weight != element or bias != element:
            raise VerifyException(f"expected weights and bias of {element}, got {weight} and {bias}")
        wanted = self.acc_type if is_integer(element) else element
        if element_type_of(self.output) != wanted:
            raise VerifyException(f"expected an output of {wanted}, got {element_type_of(self.output)}")

    def _verify_integers(self, element: Attribute, weight: Attribute, bias: Attribute) -> None:
        if self.acc_type != accumulator_type(element):
            raise VerifyException(f"expected accumulators of {accumulator_type(element)}, got {self.acc_type}")
        if not (is_integer(weight, 8) or is_integer(weight, 4)):
            raise VerifyException(f"expected weights of 8 or 4 bits for an input of {element}, got {weight}")
        # MLIR wants the accumulators' type. The biases of 16-bit TFLite convolutions are i64 or i32.
        if not any(is_integer(bias, width) for width in (32, 48, 64)):
            raise VerifyException(f"expected a bias of i32, i48 or i64 for an input of {element}, got {bias}")


def _output_type(input: Operand, acc_type: AccumulatorType, shape: shapes.Shape) -> TensorType[Attribute]:
    return TensorType(acc_type if is_integer(acc_type) else element_type_of(input), shape)


class SlidingConvolutionOp(ConvolutionOp, ABC):
    """A convolution whose windows step over the padded input. Pads come in pairs, before and after each dimension."""

    pad = prop_def(DenseArrayBase[I64])
    dilation = prop_def(DenseArrayBase[I64])

    def __init__(
        self,
        input: Operand,
        weight: Operand,
        bias: Operand,
        input_zp: Operand,
        weight_zp: Operand,
        *,
        pad: Sequence[int] | None = None,
        stride: Sequence[int] | None = None,
        dilation: Sequence[int] | None = None,
        acc_type: AccumulatorType | None = None,
    ):
        """Without pads, strides or dilations, these are 0, 1 and 1. The type of the result is computed."""
        ones = (1,) * self.SPATIAL_RANK
        pad, stride, dilation = pad or (0, 0) * self.SPATIAL_RANK, stride or ones, dilation or ones
        acc_type = acc_type or accumulator_type(element_type_of(input))
        shape = _sliding_shape(shape_of(input), self.kernel_of(weight), pad, stride, dilation)
        super().__init__(
            operands=[input, weight, bias, input_zp, weight_zp],
            properties={"pad": ints(pad), "stride": ints(stride), "dilation": ints(dilation), "acc_type": acc_type},
            result_types=[_output_type(input, acc_type, shape)],
        )

    def output_shape(self) -> shapes.Shape:
        pad, stride, dilation = (value.get_values() for value in (self.pad, self.stride, self.dilation))
        return _sliding_shape(shape_of(self.input), self.kernel_of(self.weight), pad, stride, dilation)

    def verify_windows(self, sizes: shapes.Shape, kernel: shapes.Shape) -> None:
        pad, stride, dilation = (value.get_values() for value in (self.pad, self.stride, self.dilation))
        if (len(pad), len(stride), len(dilation)) != (2 * len(sizes), len(sizes), len(sizes)):
            raise VerifyException(f"expected two pads, a stride and a dilation for each of {len(sizes)} dimensions")
        if min(pad) < 0:
            raise VerifyException(f"expected pads >= 0, got {list(pad)}")
        if min(stride) < 1 or min(dilation) < 1:
            raise VerifyException(f"expected strides and dilations >= 1, got {list(stride)} and {list(dilation)}")
        pads = zip(pad[::2], pad[1::2], strict=True)
        for size, taps, around, step, apart in zip(sizes, kernel, pads, stride, dilation, strict=True):
            require_exact_windows(size, taps, around, step, apart)


def _sliding_shape(
    input: shapes.Shape, kernel: Kernel, pad: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> shapes.Shape:
    batch, *sizes, _ = input
    pads = zip(pad[::2], pad[1::2], strict=True)
    return (batch, *map(shapes.windowed, sizes, kernel.sizes, pads, stride, dilation), kernel.outputs)


def require_exact_windows(size: int, kernel: int, pad: tuple[int, int], stride: int, dilation: int) -> None:
    """Check that there is a window, and that the last one ends where the padded input does (TOSA 1.0, CONV2D)."""
    if not shapes.is_static(size, kernel):
        return
    span = size - 1 + sum(pad) - (kernel - 1) * dilation
    where = f"size {size} - 1 + pads {pad[0]} + {pad[1]} - (kernel {kernel} - 1) * dilation {dilation} = {span}"
    if span < 0:
        raise VerifyException(f"expected the kernel to fit the padded input, got {where}")
    if span % stride:
        raise VerifyException(f"expected a multiple of stride {stride}, got {where}: slice the input first")


@irdl_op_definition
class Conv2DOp(SlidingConvolutionOp):
    """
    A two-dimensional convolution: weights `[OC, KH, KW, IC]`, pads top, bottom, left, right.

    ```mlir
    %y = tosa.conv2d %x, %w, %b, %x_zp, %w_zp {acc_type = i32, dilation = array<i64: 1, 1>,
        pad = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>}
        : (tensor<1x8x8x4xi8>, tensor<6x3x3x4xi8>, tensor<6xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x8x8x6xi32>
    ```
    """

    name = "tosa.conv2d"


@irdl_op_definition
class Conv3DOp(SlidingConvolutionOp):
    """A three-dimensional convolution: weights `[OC, KD, KH, KW, IC]`, pads front, back, top, bottom, left, right."""

    name = "tosa.conv3d"

    SPATIAL_RANK: ClassVar[int] = 3


@irdl_op_definition
class DepthwiseConv2DOp(SlidingConvolutionOp):
    """
    A convolution of each channel with its own M kernels: weights `[KH, KW, C, M]`, result `[N, OH, OW, C * M]`.

    Pads are top, bottom, left, right.
    """

    name = "tosa.depthwise_conv2d"

    @classmethod
    def kernel_of(cls, weight: Operand) -> Kernel:
        *sizes, channels, multiplier = shape_of(weight)
        return Kernel(tuple(sizes), channels, shapes.product((channels, multiplier)))


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
        shape = _transposed_shape(shape_of(input), self.kernel_of(weight), out_pad, stride)
        super().__init__(
            operands=[input, weight, bias, input_zp, weight_zp],
            properties={"out_pad": ints(out_pad), "stride": ints(stride), "acc_type": acc_type},
            result_types=[_output_type(input, acc_type, shape)],
        )

    def output_shape(self) -> shapes.Shape:
        out_pad, stride = self.out_pad.get_values(), self.stride.get_values()
        return _transposed_shape(shape_of(self.input), self.kernel_of(self.weight), out_pad, stride)

    def verify_windows(self, sizes: shapes.Shape, kernel: shapes.Shape) -> None:
        out_pad, stride = self.out_pad.get_values(), self.stride.get_values()
        if len(out_pad) != 4 or len(stride) != 2:
            raise VerifyException("expected four values of out_pad and two strides")
        if min(stride) < 1:
            raise VerifyException(f"expected strides >= 1, got {list(stride)}")
        for pad, taps in zip(out_pad, (kernel[0], kernel[0], kernel[1], kernel[1]), strict=True):
            if shapes.is_static(taps) and pad <= -taps:
                raise VerifyException(f"expected out_pad > -{taps}, the size of the kernel, got {pad}")


def _transposed_shape(
    input: shapes.Shape, kernel: Kernel, out_pad: Sequence[int], stride: Sequence[int]
) -> shapes.Shape:
    batch, *sizes, _ = input
    pads = zip(out_pad[::2], out_pad[1::2], strict=True)
    return (batch, *map(shapes.transposed_windowed, sizes, kernel.sizes, pads, stride), kernel.outputs)
