"""Comparison and selection."""

from abc import ABC

from xdsl.dialects.builtin import I1, TensorType, i1
from xdsl.irdl import irdl_op_definition, operand_def, result_def, traits_def
from xdsl.traits import Commutative
from xdsl.utils.exceptions import VerifyException

from tinymo_xdsl.dialects.tosa import shapes
from tinymo_xdsl.dialects.tosa.base import Operand, PureTosaOp, element_type_of, shape_of


class ComparisonOp(PureTosaOp, ABC):
    """An op that compares elements of two tensors of one type, with broadcasting; the result is of i1."""

    input1 = operand_def(TensorType)
    input2 = operand_def(TensorType)
    output = result_def(TensorType[I1])

    def __init__(self, input1: Operand, input2: Operand):
        shape = shapes.broadcast(shape_of(input1), shape_of(input2))
        super().__init__(operands=[input1, input2], result_types=[TensorType(i1, shape)])

    def verify_(self) -> None:
        first, second = element_type_of(self.input1), element_type_of(self.input2)
        if first != second:
            raise VerifyException(f"expected operands of one element type, got {first} and {second}")
        broadcast = shapes.broadcast(shape_of(self.input1), shape_of(self.input2))
        shapes.require_shape("the result", shape_of(self.output), broadcast)


@irdl_op_definition
class EqualOp(ComparisonOp):
    """True where both elements are the same."""

    name = "tosa.equal"

    traits = traits_def(Commutative())


@irdl_op_definition
class GreaterOp(ComparisonOp):
    """True where the first element is greater."""

    name = "tosa.greater"


@irdl_op_definition
class GreaterEqualOp(ComparisonOp):
    """True where the first element is greater or the same."""

    name = "tosa.greater_equal"


@irdl_op_definition
class SelectOp(PureTosaOp):
    """Elements of `input2` where `input1` is true, of `input3` where it is not."""

    name = "tosa.select"

    input1 = operand_def(TensorType[I1])
    input2 = operand_def(TensorType)
    input3 = operand_def(TensorType)
    output = result_def(TensorType)

    def __init__(self, input1: Operand, input2: Operand, input3: Operand):
        shape = shapes.broadcast(shape_of(input1), shape_of(input2), shape_of(input3))
        super().__init__(operands=[input1, input2, input3], result_types=[TensorType(element_type_of(input2), shape)])

    def verify_(self) -> None:
        elements = [element_type_of(value) for value in (self.input2, self.input3, self.output)]
        if len(set(elements)) != 1:
            raise VerifyException(
                f"expected values and result of one element type, got {', '.join(map(str, elements))}"
            )
        broadcast = shapes.broadcast(shape_of(self.input1), shape_of(self.input2), shape_of(self.input3))
        shapes.require_shape("the result", shape_of(self.output), broadcast)
