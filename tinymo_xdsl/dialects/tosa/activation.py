"""Activation functions, and `tosa.table`, which is any of them on integers."""

from abc import ABC

from xdsl.dialects.builtin import AnyFloat, TensorType, i32
from xdsl.ir import Attribute
from xdsl.irdl import irdl_op_definition, operand_def, result_def
from xdsl.utils.exceptions import VerifyException

from tinymo_xdsl.dialects.tosa import shapes
from tinymo_xdsl.dialects.tosa.base import Operand, PureTosaOp, element_type_of, is_integer, shape_of, tensor_type
from tinymo_xdsl.dialects.tosa.elementwise import verify_same_type


class ActivationOp(PureTosaOp, ABC):
    """A function of each float of a tensor."""

    input = operand_def(TensorType[AnyFloat])
    output = result_def(TensorType[AnyFloat])

    def __init__(self, input: Operand):
        super().__init__(operands=[input], result_types=[tensor_type(input)])

    def verify_(self) -> None:
        verify_same_type(self.input, self.output)


@irdl_op_definition
class ErfOp(ActivationOp):
    """The Gauss error function."""

    name = "tosa.erf"


@irdl_op_definition
class SigmoidOp(ActivationOp):
    """`1 / (1 + exp(-x))`."""

    name = "tosa.sigmoid"


@irdl_op_definition
class TanhOp(ActivationOp):
    """The hyperbolic tangent."""

    name = "tosa.tanh"


@irdl_op_definition
class TableOp(PureTosaOp):
    """
    Each element replaced by an entry of a table.

    8 bits: 256 entries of the input's type, the one for the least value first. 16 bits: 513 entries, between which the
    result is interpolated to 7 more bits, so that it is of i32 (TOSA 1.0, TABLE).
    """

    name = "tosa.table"

    input1 = operand_def(TensorType)
    table = operand_def(TensorType)
    output = result_def(TensorType)

    def __init__(self, input1: Operand, table: Operand):
        result = TensorType(_table_result(element_type_of(input1)), shape_of(input1))
        super().__init__(operands=[input1, table], result_types=[result])

    def verify_(self) -> None:
        element = element_type_of(self.input1)
        if not (is_integer(element, 8) or is_integer(element, 16)):
            raise VerifyException(f"expected an input of 8 or 16 bits, got {element}")
        shapes.require_shape("the table", shape_of(self.table), (256 if is_integer(element, 8) else 513,))
        if element_type_of(self.table) != element:
            raise VerifyException(f"expected a table of {element}, got {element_type_of(self.table)}")
        if element_type_of(self.output) != _table_result(element):
            raise VerifyException(f"expected a result of {_table_result(element)}, got {element_type_of(self.output)}")
        shapes.require_shape("the result", shape_of(self.output), shape_of(self.input1))


def _table_result(element: Attribute) -> Attribute:
    return i32 if is_integer(element, 16) else element
