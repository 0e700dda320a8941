"""Operators on truth: comparisons, logic, and the choice between two tensors."""

from collections.abc import Sequence

from xdsl.dialects.builtin import Float32Type, i1, i8, i16, i32
from xdsl.ir import SSAValue

from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.numerics.requantize import quantize_multiplier
from tinymo_xdsl.operators.base import (
    Lift,
    Lifted,
    LiftFunction,
    LowerFunction,
    Lowering,
    NotExactError,
    Operand,
    OperatorFamily,
)
from tinymo_xdsl.operators.elementwise import operand_source, ranked, require_one_type, scaled

ComparisonOp = tosa.EqualOp | tosa.GreaterOp | tosa.GreaterEqualOp
LogicalOp = tosa.LogicalAndOp | tosa.LogicalOrOp

_LEFT_SHIFT = 8
"""Quantised numbers are compared with so many bits more, as the reference kernels do."""


def _compared(op: Lowering, position: int) -> SSAValue:
    operand, value = op.operand(position), ranked(op, position)
    if operand.element == i32 or isinstance(operand.element, Float32Type):
        return value
    # The kernel of GREATER takes int16 too, but knows no scales for it.
    if operand.element != i8:
        raise NotExactError("only int8, int32 and float32 have a meaning in TOSA here")
    return scaled(op, value, operand, _LEFT_SHIFT, quantize_multiplier(_scale_below_one(operand)))


def _scale_below_one(operand: Operand) -> float:
    """The kernels take no scale of one or more."""
    if operand.facts.one_scale >= 1:
        raise NotExactError(f"'{operand.facts.name}' has a scale that is not below one")
    return operand.facts.one_scale


def _lower_comparison(kind: type[ComparisonOp], swapped: bool = False, negated: bool = False) -> LowerFunction:
    def lower(op: Lowering) -> Sequence[SSAValue]:
        """TOSA has `>`, `>=` and `==`. Of int8, numbers are compared in 1/256 of a real unit."""
        if op.operand(0).element != op.operand(1).element or op.output.element != i1:
            raise NotExactError("operands of different types, or a result that is not bool")
        values = [_compared(op, 0), _compared(op, 1)]
        result = op.emit(kind(*reversed(values)) if swapped else kind(*values)).output
        return [op.emit(tosa.LogicalNotOp(result)).output if negated else result]

    return lower


def _lift_pair(kind: type[ComparisonOp | LogicalOp], swapped: bool = False) -> LiftFunction:
    def lift_pair(lift: Lift) -> Lifted:
        inputs = [operand_source(lift, value) for value in lift.only(kind).operands]
        return Lifted(tuple(reversed(inputs) if swapped else inputs), {})

    return lift_pair


def _lower_logical(kind: type[LogicalOp]) -> LowerFunction:
    def lower(op: Lowering) -> Sequence[SSAValue]:
        """The op of that name."""
        require_one_type(op)
        if op.output.element != i1:
            raise NotExactError("only bool has a meaning in TOSA here")
        return [op.emit(kind(ranked(op, 0), ranked(op, 1))).output]

    return lower


def lower_select(op: Lowering) -> Sequence[SSAValue]:
    """Elements as they are stored: both tensors and the result have one scale. Of int32 only LiteRT has a kernel."""
    condition, first, second = (op.operand(position) for position in range(3))
    if condition.element != i1 or not first.element == second.element == op.output.element:
        raise NotExactError("operands of different types")
    if op.output.element not in (i8, i16, i32) and not isinstance(op.output.element, Float32Type):
        raise NotExactError("only int8, int16, int32 and float32 have a meaning in TOSA here")
    return [op.emit(tosa.SelectOp(ranked(op, 0), ranked(op, 1), ranked(op, 2))).output]


def lift_select(lift: Lift) -> Lifted:
    """The condition, and what it chooses from."""
    return Lifted(tuple(operand_source(lift, value) for value in lift.only(tosa.SelectOp).operands), {})


def _comparison(
    name: str, options: str, kind: type[ComparisonOp], swapped: bool = False, negated: bool = False
) -> OperatorFamily:
    lower = _lower_comparison(kind, swapped, negated)
    return OperatorFamily(name, options, lower, _lift_pair(kind, swapped), (2, 2))


FAMILIES = (
    _comparison("EQUAL", "EqualOptions", tosa.EqualOp),
    _comparison("GREATER", "GreaterOptions", tosa.GreaterOp),
    _comparison("GREATER_EQUAL", "GreaterEqualOptions", tosa.GreaterEqualOp),
    _comparison("LESS", "LessOptions", tosa.GreaterOp, swapped=True),
    _comparison("LESS_EQUAL", "LessEqualOptions", tosa.GreaterEqualOp, swapped=True),
    _comparison("NOT_EQUAL", "NotEqualOptions", tosa.EqualOp, negated=True),
    OperatorFamily(
        "LOGICAL_AND", "LogicalAndOptions", _lower_logical(tosa.LogicalAndOp), _lift_pair(tosa.LogicalAndOp), (2, 2)
    ),
    OperatorFamily(
        "LOGICAL_OR", "LogicalOrOptions", _lower_logical(tosa.LogicalOrOp), _lift_pair(tosa.LogicalOrOp), (2, 2)
    ),
    OperatorFamily("SELECT_V2", "SelectV2Options", lower_select, lift_select, (3, 3)),
)
