"""
Elementwise arithmetic and logic that xDSL lacks.

Operands of one op have one rank; sizes of 1 stretch to those of the other operands (TOSA broadcasting).
"""

from abc import ABC
from typing import Generic

from typing_extensions import TypeVar
from xdsl.dialects.builtin import I1, I32, AnyFloat, BoolAttr, IntegerType, TensorType
from xdsl.dialects.tosa import NanMode, NanModeAttr
from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition, operand_def, opt_prop_def, prop_def, result_def, traits_def
from xdsl.traits import Commutative
from xdsl.utils.exceptions import VerifyException

from tinymo_xdsl.dialects.tosa import shapes
from tinymo_xdsl.dialects.tosa.base import (
    Operand,
    PureTosaOp,
    element_type_of,
    require_one_element,
    shape_of,
    tensor_type,
)

TensorT = TypeVar("TensorT", bound=TensorType)
"""The tensors that an op computes with."""


def verify_same_type(operand: SSAValue, result: SSAValue) -> None:
    """Raise a `VerifyException` unless the result has the operand's elements and, as far as known, its shape."""
    if element_type_of(operand) != element_type_of(result):
        raise VerifyException(f"expected a result of {element_type_of(operand)}, got {element_type_of(result)}")
    shapes.require_shape("the result", shape_of(result), shape_of(operand))


class UnaryOp(PureTosaOp, ABC, Generic[TensorT]):
    """An op on each element of one tensor; the result has the operand's type."""

    input1 = operand_def(TensorT)
    output = result_def(TensorT)

    def __init__(self, input1: Operand):
        super().__init__(operands=[input1], result_types=[tensor_type(input1)])

    def verify_(self) -> None:
        verify_same_type(self.input1, self.output)


@irdl_op_definition
class AbsOp(UnaryOp[TensorType]):
    """The absolute value; that of the least integer is the greatest."""

    name = "tosa.abs"


@irdl_op_definition
class BitwiseNotOp(UnaryOp[TensorType[IntegerType]]):
    """All bits inverted."""

    name = "tosa.bitwise_not"


@irdl_op_definition
class CeilOp(UnaryOp[TensorType[AnyFloat]]):
    """The least whole number that is not less."""

    name = "tosa.ceil"


@irdl_op_definition
class ClzOp(UnaryOp[TensorType[I32]]):
    """The number of leading zero bits."""

    name = "tosa.clz"


@irdl_op_definition
class ExpOp(UnaryOp[TensorType[AnyFloat]]):
    """The exponential."""

    name = "tosa.exp"


@irdl_op_definition
class FloorOp(UnaryOp[TensorType[AnyFloat]]):
    """The greatest whole number that is not greater."""

    name = "tosa.floor"


@irdl_op_definition
class LogOp(UnaryOp[TensorType[AnyFloat]]):
    """The natural logarithm."""

    name = "tosa.log"


@irdl_op_definition
class LogicalNotOp(UnaryOp[TensorType[I1]]):
    """True where the operand is false."""

    name = "tosa.logical_not"


@irdl_op_definition
class RsqrtOp(UnaryOp[TensorType[AnyFloat]]):
    """The reciprocal of the square root."""

    name = "tosa.rsqrt"


@irdl_op_definition
class NegateOp(PureTosaOp):
    """`output_zp - (input1 - input1_zp)`, saturated to the type of the result."""

    name = "tosa.negate"

    input1 = operand_def(TensorType)
    input1_zp = operand_def(TensorType)
    output_zp = operand_def(TensorType)
    output = result_def(TensorType)

    def __init__(self, input1: Operand, input1_zp: Operand, output_zp: Operand):
        super().__init__(operands=[input1, input1_zp, output_zp], result_types=[tensor_type(input1)])

    def verify_(self) -> None:
        verify_same_type(self.input1, self.output)
        require_one_element("input1_zp", self.input1_zp, element_type_of(self.input1))
        require_one_element("output_zp", self.output_zp, element_type_of(self.input1))


class BinaryOp(PureTosaOp, ABC, Generic[TensorT]):
    """An op on each pair of elements of two tensors of one element type, which the result has too."""

    input1 = operand_def(TensorT)
    input2 = operand_def(TensorT)
    output = result_def(TensorT)

    def __init__(self, input1: Operand, input2: Operand):
        super().__init__(operands=[input1, input2], result_types=[broadcast_type(input1, input2)])

    def verify_(self) -> None:
        element = element_type_of(self.input1)
        if element_type_of(self.input2) != element or element_type_of(self.output) != element:
            raise VerifyException(
                f"expected operands and result of one element type, got {element}, {element_type_of(self.input2)} "
                f"and {element_type_of(self.output)}"
            )
        broadcast = shapes.broadcast(shape_of(self.input1), shape_of(self.input2))
        shapes.require_shape("the result", shape_of(self.output), broadcast)


def broadcast_type(input1: Operand, input2: Operand) -> TensorType:
    """The type of what is computed from two tensors element by element, in the first one's element type."""
    return TensorType(element_type_of(input1), shapes.broadcast(shape_of(input1), shape_of(input2)))


class ExtremumOp(BinaryOp[TensorType], ABC):
    """The greater or lesser of two elements; `nan_mode` says whether a NaN wins or loses."""

    nan_mode = opt_prop_def(NanModeAttr, default_value=NanModeAttr(NanMode.PROPAGATE))

    traits = traits_def(Commutative())


@irdl_op_definition
class MaximumOp(ExtremumOp):
    """The greater of two elements."""

    name = "tosa.maximum"


@irdl_op_definition
class MinimumOp(ExtremumOp):
    """The lesser of two elements."""

    name = "tosa.minimum"


@irdl_op_definition
class PowOp(BinaryOp[TensorType[AnyFloat]]):
    """The first element to the power of the second."""

    name = "tosa.pow"


@irdl_op_definition
class IntDivOp(BinaryOp[TensorType[I32]]):
    """The quotient, rounded towards zero."""

    name = "tosa.intdiv"


@irdl_op_definition
class BitwiseAndOp(BinaryOp[TensorType[IntegerType]]):
    """The bits that are set in both elements."""

    name = "tosa.bitwise_and"

    traits = traits_def(Commutative())


@irdl_op_definition
class BitwiseOrOp(BinaryOp[TensorType[IntegerType]]):
    """The bits that are set in either element."""

    name = "tosa.bitwise_or"

    traits = traits_def(Commutative())


@irdl_op_definition
class BitwiseXorOp(BinaryOp[TensorType[IntegerType]]):
    """The bits that are set in one element but not in the other."""

    name = "tosa.bitwise_xor"

    traits = traits_def(Commutative())


@irdl_op_definition
class LogicalAndOp(BinaryOp[TensorType[I1]]):
    """True where both elements are."""

    name = "tosa.logical_and"

    traits = traits_def(Commutative())


@irdl_op_definition
class LogicalOrOp(BinaryOp[TensorType[I1]]):
    """True where either element is."""

    name = "tosa.logical_or"

    traits = traits_def(Commutative())


@irdl_op_definition
class LogicalXorOp(BinaryOp[TensorType[I1]]):
    """True where exactly one element is."""

    name = "tosa.logical_xor"

    traits = traits_def(Commutative())


@irdl_op_definition
class LogicalLeftShiftOp(BinaryOp[TensorType[IntegerType]]):
    """The first element shifted left by the second."""

    name = "tosa.logical_left_shift"


@irdl_op_definition
class LogicalRightShiftOp(BinaryOp[TensorType[IntegerType]]):
    """The first element shifted right by the second, zeros coming in."""

    name = "tosa.logical_right_shift"


@irdl_op_definition
class ArithmeticRightShiftOp(BinaryOp[TensorType[IntegerType]]):
    """The first element shifted right by the second, signs coming in; with `round`, to the nearest, halves upwards."""

    name = "tosa.arithmetic_right_shift"

    round = prop_def(BoolAttr)

    def __init__(self, input1: Operand, input2: Operand, *, round: bool = False):
        super(BinaryOp, self).__init__(
            operands=[input1, input2],
            properties={"round": BoolAttr.from_bool(round)},
            result_types=[broadcast_type(input1, input2)],
        )
