"""`tosa.resize`."""

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects.builtin import DYNAMIC_INDEX, TensorType, i32
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import irdl_op_definition, operand_def, prop_def, result_def
from xdsl.utils.exceptions import VerifyException

from tinymo_xdsl.dialects.tosa import shapes
from tinymo_xdsl.dialects.tosa.attributes import ResizeMode, ResizeModeAttr, ShapeType
from tinymo_xdsl.dialects.tosa.base import Operand, PureTosaOp, element_type_of, i48, is_integer, shape_of
from tinymo_xdsl.dialects.tosa.shape_ops import constant_shape


@irdl_op_definition
class ResizeOp(PureTosaOp):
    """
    An image `[N, H, W, C]` in another size.

    `scale` is `[y numerator, y denominator, x numerator, x denominator]`; `offset` and `border`, `[y, x]`, are in units
    of 1 / numerator of an input element. Integers in mode BILINEAR are not divided by both numerators: 8 bits give i32,
    16 give i48 (TOSA 1.0, RESIZE).
    """

    name = "tosa.resize"

    input = operand_def(TensorType)
    scale = operand_def(ShapeType(4))
    offset = operand_def(ShapeType(2))
    border = operand_def(ShapeType(2))
    mode = prop_def(ResizeModeAttr)
    output = result_def(TensorType)

    def __init__(self, input: Operand, scale: Operand, offset: Operand, border: Operand, mode: ResizeMode):
        element = _result_element(element_type_of(input), mode)
        super().__init__(
            operands=[input, scale, offset, border],
            properties={"mode": ResizeModeAttr(mode)},
            result_types=[TensorType(element, _resized(input, scale, offset, border))],
        )

    def verify_(self) -> None:
        shape, element = shape_of(self.input), _result_element(element_type_of(self.input), self.mode.data)
        shapes.require_rank("an input", shape, 4)
        if element_type_of(self.output) != element:
            raise VerifyException(f"expected a result of {element}, got {element_type_of(self.output)}")
        for side in _sides(shape, self.scale, self.offset, self.border):
            side.verify()
        resized = _resized(self.input, self.scale, self.offset, self.border)
        shapes.require_shape("the result", shape_of(self.output), resized)


def _result_element(element: Attribute, mode: ResizeMode) -> Attribute:
    if mode is ResizeMode.NEAREST_NEIGHBOR or not is_integer(element):
        return element
    return i48 if is_integer(element, 16) else i32


@dataclass(frozen=True)
class _Side:
    """How one side of the image, H or W, is resized."""

    size: int
    numerator: int
    denominator: int
    offset: int
    border: int

    def resized(self) -> int:
        return shapes.resized(self.size, self.numerator, self.denominator, self.offset, self.border)

    def verify(self) -> None:
        """Check the limits of TOSA 1.0 on scales, offsets and borders, and that the result's size is whole."""
        scale, limit = f"{self.numerator}/{self.denominator}", 16 * self.numerator
        if self.numerator < 1 or self.denominator < 1:
            raise VerifyException(f"expected a positive scale, got {scale}")
        if self.numerator > 1 << 11 or self.denominator >= limit:
            raise VerifyException(f"expected a numerator <= 2048 and a scale > 1/16, got {scale}")
        if not -self.numerator <= self.offset < limit:
            raise VerifyException(f"expected an offset of {-self.numerator} to {limit - 1}, got {self.offset}")
        if not -limit <= self.border < self.numerator:
            raise VerifyException(f"expected a border of {-limit} to {self.numerator - 1}, got {self.border}")
        span = (self.size - 1) * self.numerator - self.offset + self.border
        if shapes.is_static(self.size) and span % self.denominator:
            raise VerifyException(
                f"expected a multiple of {self.denominator}, got (size {self.size} - 1) * {self.numerator} "
                f"- offset {self.offset} + border {self.border} = {span}"
            )


def _sides(shape: Sequence[int], scale: SSAValue, offset: SSAValue, border: SSAValue) -> tuple[_Side, ...]:
    """Both sides of the image, or none if a parameter is not constant."""
    scales, offsets, borders = constant_shape(scale), constant_shape(offset), constant_shape(border)
    if scales is None or offsets is None or borders is None:
        return ()
    parameters = zip(shape[1:3], scales[::2], scales[1::2], offsets, borders, strict=True)
    return tuple(_Side(*side) for side in parameters)


def _resized(input: Operand, scale: Operand, offset: Operand, border: Operand) -> shapes.Shape:
    batch, *_, channels = shape_of(input)
    sides = _sides(shape_of(input), *(SSAValue.get(operand) for operand in (scale, offset, border)))
    height, width = (side.resized() for side in sides) if sides else (DYNAMIC_INDEX, DYNAMIC_INDEX)
    return (batch, height, width, channels)
