"""Operators that TOSA has no words for: kept whole in a `tosa.custom`, field for field."""

from collections.abc import Sequence

from xdsl.dialects.builtin import BytesAttr, StringAttr, TensorType
from xdsl.ir import SSAValue

from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.operators.base import Lift, Lifted, LiftedInput, Lowering, NotExactError

DOMAIN = "TFL"
"""The `domain_name` of custom ops that are operators of a `.tflite` file."""

VARIABLE = "VARIABLE"
"""The `operator_name` of the custom op that stands for a variable tensor; it is no operator of the file."""


def lower_custom(op: Lowering) -> Sequence[SSAValue]:
    """Inputs that are there, in order; which are absent is a fact, and so are the options."""
    positions = [position for position, operand in enumerate(op.inputs) if operand is not None]
    custom = tosa.CustomOp(
        op.operator.name,
        DOMAIN,
        op.operator.custom_options,
        [op.value(position) for position in positions],
        [TensorType(output.element, output.shape) for output in op.outputs],
    )
    return op.emit(custom).results


def lift_custom(lift: Lift) -> Lifted:
    """Puts the absent inputs back into their places."""
    custom = lift.only(tosa.CustomOp)
    if custom.domain_name.data != DOMAIN:
        raise NotExactError(f"custom ops of domain '{custom.domain_name.data}' are no operators of a .tflite file")
    present = iter(custom.input_list)
    absent = set(lift.facts.absent)
    count = len(custom.input_list) + len(absent)
    if any(not 0 <= position < count for position in absent):
        raise NotExactError(f"the absent inputs {sorted(absent)} are not all among its {count} inputs")
    inputs: list[LiftedInput] = [None if position in absent else next(present) for position in range(count)]
    return Lifted(tuple(inputs), {})


def custom_options(custom: tosa.CustomOp) -> bytes:
    """The bytes of a custom operator's options."""
    match custom.implementation_attrs:
        case StringAttr():
            return custom.implementation_attrs.data.encode()
        case BytesAttr():
            return custom.implementation_attrs.data
