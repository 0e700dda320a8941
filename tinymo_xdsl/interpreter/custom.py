"""One execution of a `tosa.custom` that is a TFLite operator: its operands, options and facts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar, cast

from xdsl.dialects.builtin import TensorType
from xdsl.ir import SSAValue

from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.facts import OperatorFacts, TensorFacts, name_of, operator_facts, tensor_facts
from tinymo_xdsl.numerics.dense import Array

TFLITE_DOMAIN: Final = "TFL"

OptionT = TypeVar("OptionT", int, float, bool, str)


@dataclass(frozen=True, eq=False)
class Call:
    """Positions are those of the operator's inputs in the file."""

    op: tosa.CustomOp
    facts: OperatorFacts
    operands: tuple[SSAValue | None, ...]
    arrays: tuple[Array | None, ...]

    @staticmethod
    def of(op: tosa.CustomOp, args: tuple[Array, ...]) -> "Call":
        """The call with the absent optional inputs put back in."""
        facts = operator_facts(op)
        operands: list[SSAValue | None] = list(op.input_list)
        arrays: list[Array | None] = list(args)
        for position in sorted(facts.absent):
            operands.insert(position, None)
            arrays.insert(position, None)
        return Call(op, facts, tuple(operands), tuple(arrays))

    @property
    def what(self) -> str:
        """What to call the operator in messages."""
        results = self.op.output_list
        return (
            f"{self.op.operator_name.data} that yields '{name_of(results[0])}'"
            if results
            else self.op.operator_name.data
        )

    def array(self, position: int) -> Array:
        """The input at `position`, which must be there."""
        array = self.arrays[position] if position < len(self.arrays) else None
        if array is None:
            raise BadModelError(f"{self.what}: input {position} is missing")
        return array

    def input_facts(self, position: int) -> TensorFacts:
        """The scale and zero point of the input at `position`."""
        operand = self.operands[position] if position < len(self.operands) else None
        return self._facts_of(operand, f"input {position}")

    @property
    def output_facts(self) -> TensorFacts:
        """The scale and zero point of the first result."""
        return self._facts_of(self.op.output_list[0], "the result")

    @property
    def output_shape(self) -> tuple[int, ...]:
        """The shape of the first result."""
        return cast(TensorType, self.op.output_list[0].type).get_shape()

    def option(self, name: str, default: OptionT) -> OptionT:
        """A field of the operator's options. Facts leave out what is at the schema's `default`."""
        value = self.facts.options.get(name, default)
        if not isinstance(value, type(default)):
            raise BadModelError(f"{self.what}: option '{name}' must be of type {type(default).__name__}, not {value!r}")
        return value

    def _facts_of(self, value: SSAValue | None, which: str) -> TensorFacts:
        facts = None if value is None else tensor_facts(value)
        if facts is None:
            raise BadModelError(f"{self.what}: {which} has no 'tinymo.tensor' facts; scale and zero point are needed")
        return facts


OperatorFunction: TypeAlias = Callable[[Call], Array]
"""The one result of an operator."""
