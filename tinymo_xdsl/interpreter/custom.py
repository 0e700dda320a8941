"""`tosa.custom` ops that are TFLite operators, those with a state excepted (see `state`)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from xdsl.ir import SSAValue

from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.facts import OperatorFacts, OptionFact, TensorFacts, name_of, operator_facts, tensor_facts
from tinymo_xdsl.numerics.dense import Array

TFLITE_DOMAIN: Final = "TFL"


@dataclass(frozen=True, eq=False)
class Call:
    """One execution of a TFLite operator. Positions are those of the operator's inputs in the file."""

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

    def optional_array(self, position: int) -> Array | None:
        """The input at `position`, or `None` where it is absent."""
        return self.arrays[position] if position < len(self.arrays) else None

    def input_facts(self, position: int) -> TensorFacts:
        """The scale and zero point of the input at `position`."""
        operand = self.operands[position] if position < len(self.operands) else None
        return self._facts_of(operand, f"input {position}")

    @property
    def output_facts(self) -> TensorFacts:
        """The scale and zero point of the first result."""
        return self._facts_of(self.op.output_list[0], "the result")

    def option(self, name: str) -> OptionFact:
        """A field of the operator's options, which must be there."""
        if (value := self.facts.options.get(name)) is None:
            raise BadModelError(f"{self.what}: option '{name}' is missing from its 'tinymo.operator' facts")
        return value

    def _facts_of(self, value: SSAValue | None, which: str) -> TensorFacts:
        facts = None if value is None else tensor_facts(value)
        if facts is None:
            raise BadModelError(f"{self.what}: {which} has no 'tinymo.tensor' facts; scale and zero point are needed")
        return facts


CustomFunction: TypeAlias = Callable[[Call], tuple[Array, ...]]

CUSTOM_FUNCTIONS: Final[Mapping[str, CustomFunction]] = MappingProxyType({})
"""The operators without a state that can be executed, by the schema's name."""
