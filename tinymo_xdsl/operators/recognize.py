"""
From a kernel back to the operator that computes it.

What is recognised is lowered again and compared, op for op, with what the kernel holds: multipliers, shifts, clamps
and pads follow from the facts, and an operator whose ops say otherwise is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Operation, OpResult, SSAValue

from tinymo_xdsl.analysis.kernels import Kernel, is_constant
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.facts import (
    OPERATOR_KEY,
    OperatorFacts,
    TensorFacts,
    name_of,
    operator_facts,
    tensor_facts,
)
from tinymo_xdsl.flatbuffer.model import Operator, OptionValue
from tinymo_xdsl.numerics import dense
from tinymo_xdsl.operators.base import (
    Emitter,
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
    lower_exactly,
)
from tinymo_xdsl.operators.custom import custom_options, lift_custom
from tinymo_xdsl.operators.elements import element_of
from tinymo_xdsl.operators.options import file_options
from tinymo_xdsl.operators.registry import candidates


@dataclass(frozen=True, eq=False)
class Recognized:
    """An operator of a `.tflite` file, with values of the IR where the file has tensor indices."""

    operator: Operator
    """Without its inputs and outputs."""
    facts: OperatorFacts
    inputs: tuple[LiftedInput, ...]
    outputs: tuple[SSAValue, ...]


def facts_of_kernel(kernel: Kernel) -> OperatorFacts:
    """The operator facts that one of the ops states; the first, where results are numbered."""
    stating = next((op for op in kernel.ops if OPERATOR_KEY in op.attributes), None)
    return OperatorFacts() if stating is None else operator_facts(stating)


def recognize(kernel: Kernel) -> Recognized:
    """
    The operator that `kernel` computes.

    Raises `BadModelError`, naming the kernel's tensor, if no operator does exactly this.
    """
    facts = facts_of_kernel(kernel)
    lift = Lift(kernel, facts)
    if any(isinstance(op, tosa.CustomOp) for op in kernel.ops):
        return _recognize_custom(lift)
    reasons: list[str] = []
    for family in candidates(lift):
        own = lift if facts.name in (None, family.name) else Lift(kernel, OperatorFacts())
        try:
            return _recognize(own, family)
        except NotExactError as error:
            reasons.append(f"{family.name}: {error}")
    why = reasons[0] if reasons else f"no operator is made of {', '.join(op.name for op in kernel.ops)}"
    raise BadModelError(f"'{kernel_name(kernel)}' cannot be written as one operator of a .tflite file: {why}")


def kernel_name(kernel: Kernel) -> str:
    """What to call a kernel in messages."""
    return name_of(kernel.results[0]) if kernel.results else kernel.root.name


def _recognize(lift: Lift, family: OperatorFamily) -> Recognized:
    lifted = family.lift(lift)
    absent = [None for position in lift.facts.absent if position >= len(lifted.inputs)]
    lifted = replace(lifted, inputs=(*lifted.inputs, *absent))
    options_type = lift.facts.options_type or family.options_type
    operator = Operator(
        family.name,
        (),
        (),
        lift.facts.version,
        options_type=options_type,
        options=_options(lift, lifted, options_type),
        debug_metadata_index=lift.facts.debug_metadata_index,
    )
    outputs = lifted.outputs or lift.kernel.results
    _check(operator, family, lift, lifted, outputs)
    return Recognized(operator, lift.facts, lifted.inputs, outputs)


def _recognize_custom(lift: Lift) -> Recognized:
    try:
        lifted = lift_custom(lift)
    except NotExactError as error:
        raise BadModelError(f"'{kernel_name(lift.kernel)}': {error}") from error
    custom = lift.only(tosa.CustomOp)
    facts = lift.facts
    operator = Operator(
        custom.operator_name.data,
        (),
        (),
        facts.version,
        custom=facts.custom,
        options_type=facts.options_type,
        options=_options(lift, lifted, facts.options_type),
        custom_options=custom_options(custom),
        custom_options_format=facts.custom_options_format,
        debug_metadata_index=facts.debug_metadata_index,
    )
    return Recognized(operator, facts, lifted.inputs, tuple(custom.results))


def _options(lift: Lift, lifted: Lifted, options_type: str | None) -> Mapping[str, OptionValue]:
    return file_options(options_type, {**lift.facts.options, **lifted.options}, kernel_name(lift.kernel))


def _check(
    operator: Operator, family: OperatorFamily, lift: Lift, lifted: Lifted, outputs: tuple[SSAValue, ...]
) -> None:
    ops: list[Operation] = []
    lowering = Lowering(
        operator,
        tuple(_operand(entry) for entry in lifted.inputs),
        tuple(_result(value) for value in outputs),
        Emitter(ops.append),
    )
    try:
        expected = lower_exactly(family, lowering, ops)
        comparison = _Comparison({})
        for actual, wanted in zip(outputs, expected, strict=True):
            if (difference := comparison.difference(actual, wanted)) is not None:
                raise NotExactError(difference)
    finally:
        # They are no part of the module, so its values must not count them as users.
        for op in ops:
            op.drop_all_references()


def _operand(entry: LiftedInput) -> Operand | None:
    match entry:
        case None:
            return None
        case Weights():
            return _operand_of(entry.value, entry.shape)
        case Implied():
            element = element_of(entry.dtype)
            data = np.array(entry.numbers, dense.numpy_dtype(element)).tobytes()
            return Operand(TensorFacts(entry.suffix), element, entry.shape, None, data)
        case _:
            return _operand_of(entry, None)


def _operand_of(value: SSAValue, shape: tuple[int, ...] | None) -> Operand:
    if (facts := tensor_facts(value)) is None:
        facts = TensorFacts(name_of(value))
    if not isinstance(value.type, TensorType):
        raise NotExactError(f"'{facts.name}' is no tensor")
    attribute = constant_attribute(value)
    data = None if attribute is None else dense.to_bytes(attribute)
    return Operand(facts, value.type.element_type, value.type.get_shape() if shape is None else shape, value, data)


def _result(value: SSAValue) -> Operand:
    operand = _operand_of(value, None)
    return Operand(operand.facts, operand.element, operand.shape)


@dataclass(frozen=True)
class _Comparison:
    """Whether two values are computed by the same ops. Remembers the pairs that are."""

    same: dict[SSAValue, SSAValue]

    def difference(self, actual: SSAValue, wanted: SSAValue) -> str | None:
        """What differs first, in words; `None` if nothing does."""
        if actual is wanted or self.same.get(actual) is wanted:
            return None
        if is_constant(actual) and is_constant(wanted):
            return _constant_difference(actual, wanted)
        if not isinstance(actual, OpResult) or not isinstance(wanted, OpResult):
            return f"it reads '{name_of(actual)}' where the operator reads '{name_of(wanted)}'"
        if (found := self._op_difference(actual.op, wanted.op)) is None:
            self.same[actual] = wanted
        return found

    def _op_difference(self, actual: Operation, wanted: Operation) -> str | None:
        if actual.name != wanted.name or len(actual.operands) != len(wanted.operands):
            return f"a '{actual.name}' stands where the operator has a '{wanted.name}'"
        for name in actual.properties | wanted.properties:
            if actual.properties.get(name) != wanted.properties.get(name):
                has, needs = actual.properties.get(name), wanted.properties.get(name)
                return f"'{actual.name}' has {name} = {has} where the facts give {needs}"
        if tuple(actual.result_types) != tuple(wanted.result_types):
            return f"'{actual.name}' yields {actual.result_types[0]} where the operator yields {wanted.result_types[0]}"
        differences = map(self.difference, actual.operands, wanted.operands)
        found = next((difference for difference in differences if difference is not None), None)
        return found and (found if found.startswith("'") else f"'{actual.name}': {found}")


def _constant_difference(actual: SSAValue, wanted: SSAValue) -> str | None:
    first, second = constant_attribute(actual), constant_attribute(wanted)
    if first == second and actual.type == wanted.type:
        return None
    if actual.type != wanted.type:
        return f"a constant is {actual.type} where the facts give {wanted.type}"
    assert first is not None
    assert second is not None
    ours, theirs = dense.to_numpy(first).reshape(-1), dense.to_numpy(second).reshape(-1)
    # By their bytes: -0.0 is another number than 0.0.
    pairs = enumerate(zip(ours, theirs, strict=True))
    index = next(index for index, (has, needs) in pairs if has.tobytes() != needs.tobytes())
    return f"a constant holds {ours[index]} at {index} where the facts give {theirs[index]}"
