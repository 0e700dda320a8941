"""`tosa.cast`."""

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute
from xdsl.irdl import irdl_op_definition, operand_def, result_def

from tinymo_xdsl.dialects.tosa import shapes
from tinymo_xdsl.dialects.tosa.base import Operand, PureTosaOp, shape_of


@irdl_op_definition
class CastOp(PureTosaOp):
    """Each element in another type: floats are rounded to the nearest integer, halves to even, and saturated."""

    name = "tosa.cast"

    input = operand_def(TensorType)
    output = result_def(TensorType)

    def __init__(self, input: Operand, element: Attribute):
        super().__init__(operands=[input], result_types=[TensorType(element, shape_of(input))])

    def verify_(self) -> None:
        shapes.require_shape("the result", shape_of(self.output), shape_of(self.input))
