"""
What every operator family shares: its operands, how it is lowered to TOSA, and how it is found again.

An operator has one meaning, written once: `lower` turns it into TOSA ops. `lift` reads from such ops which operator
they are. The backend lowers what it has lifted once more and compares, so that a `.tflite` file never says anything
else than the IR.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, TypeAlias, TypeVar, cast

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    Float16Type,
    Float32Type,
    IntegerType,
    Signedness,
    TensorType,
    i64,
)
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.utils.exceptions import VerifyException

from tinymo_xdsl.analysis.kernels import Kernel, is_constant
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.fact_entries import OptionFact
from tinymo_xdsl.facts import OperatorFacts, TensorFacts, name_of, set_tensor_facts
from tinymo_xdsl.flatbuffer.model import Operator
from tinymo_xdsl.flatbuffer.schema import ActivationFunctionType, Padding
from tinymo_xdsl.numerics import dense

Array: TypeAlias = npt.NDArray[Any]
OpT = TypeVar("OpT", bound=Operation)
EnumT = TypeVar("EnumT", bound=IntEnum)


class NotExactError(Exception):
    """
    TOSA cannot express this operator exactly, or these ops are no such operator.

    On import the operator is then kept whole as a `tosa.custom`; on export the message becomes part of the error.
    """


@dataclass(frozen=True, eq=False)
class Operand:
    """One tensor that an operator reads or writes."""

    facts: TensorFacts
    element: Attribute
    shape: tuple[int, ...]
    """The file's shape."""
    value: SSAValue | None = None
    """The value in the IR, as far as there is one yet."""
    data: bytes | None = None
    """The bytes of a constant."""

    @property
    def is_float(self) -> bool:
        """Whether the tensor holds floating-point numbers."""
        return isinstance(self.element, Float16Type | Float32Type)

    @property
    def width(self) -> int:
        """The bits of an integer element; 0 for floats."""
        return self.element.width.data if isinstance(self.element, IntegerType) else 0

    @property
    def is_unsigned(self) -> bool:
        """Whether elements are stored unsigned, as `ui8`."""
        return isinstance(self.element, IntegerType) and self.element.signedness.data is Signedness.UNSIGNED

    @property
    def dtype(self) -> np.dtype[Any]:
        """How numpy holds an element."""
        return dense.numpy_dtype(self.element)

    @property
    def array(self) -> Array:
        """The numbers of a constant, in the file's shape."""
        if self.data is None:
            raise NotExactError(f"'{self.facts.name}' is not a constant")
        return np.frombuffer(self.data, self.dtype).reshape(self.shape)

    @property
    def integers(self) -> tuple[int, ...]:
        """The numbers of an integer constant, flat."""
        return tuple(int(number) for number in self.array.reshape(-1))

    def same_quantization(self, other: "Operand") -> bool:
        """Whether the stored numbers of both tensors mean the same."""
        mine, theirs = self.facts, other.facts
        return (mine.scale, mine.zero_point or (0,)) == (theirs.scale, theirs.zero_point or (0,))


@dataclass(eq=False)
class Emitter:
    """Collects ops in order, and makes each constant once."""

    append: Callable[[Operation], object]
    _literals: dict[tuple[str, Attribute], SSAValue] = field(default_factory=dict[tuple[str, Attribute], SSAValue])
    _tensors: dict[tuple[int, tuple[int, ...], bool], SSAValue] = field(
        default_factory=dict[tuple[int, tuple[int, ...], bool], SSAValue]
    )

    def emit(self, op: OpT) -> OpT:
        """Appends `op`."""
        self.append(op)
        return op

    def forget(self, ops: Sequence[Operation]) -> None:
        """Takes back that `ops` were emitted: their constants will be made again when they are needed."""
        self._literals = {key: value for key, value in self._literals.items() if value.owner not in ops}
        self._tensors = {key: value for key, value in self._tensors.items() if value.owner not in ops}

    def literal(self, array: Array, element: Attribute | None = None) -> SSAValue:
        """A constant that the operator implies: a multiplier, a zero point."""
        attribute = dense.from_numpy(array, element)
        if (value := self._literals.get(("tensor", attribute))) is None:
            value = self._literals[("tensor", attribute)] = self.emit(tosa.ConstOp(attribute)).output
        return value

    def shape(self, sizes: Sequence[int]) -> SSAValue:
        """A `!tosa.shape` constant that the operator implies."""
        op = tosa.ConstShapeOp(sizes)
        if (value := self._literals.get(("shape", op.values))) is None:
            value = self._literals[("shape", op.values)] = self.emit(op).output
        return value

    def tensor(self, operand: Operand, shape: tuple[int, ...]) -> SSAValue:
        """The constant tensor `operand` of the file as a `tosa.const` of `shape`."""
        key = (id(operand), shape, False)
        if (value := self._tensors.get(key)) is None:
            assert operand.data is not None
            op = tosa.ConstOp(dense.from_bytes(operand.data, shape, operand.element))
            set_tensor_facts(op, operand.facts)
            value = self._tensors[key] = self.emit(op).output
        return value

    def shape_tensor(self, operand: Operand, sizes: Sequence[int]) -> SSAValue:
        """The constant tensor `operand` of the file as a `!tosa.shape`."""
        key = (id(operand), tuple(sizes), True)
        if (value := self._tensors.get(key)) is None:
            op = tosa.ConstShapeOp(sizes)
            set_tensor_facts(op, replace(operand.facts, dtype=_dtype_of_sizes(operand)))
            value = self._tensors[key] = self.emit(op).output
        return value


def _dtype_of_sizes(operand: Operand) -> str | None:
    """A `!tosa.shape` does not tell the type that the numbers have in the file; 32 bits are usual."""
    return "INT64" if operand.element == i64 else operand.facts.dtype


@dataclass(frozen=True, eq=False)
class Lowering:
    """An operator on its way to TOSA."""

    operator: Operator
    inputs: tuple[Operand | None, ...]
    outputs: tuple[Operand, ...]
    emitter: Emitter

    def option(self, name: str) -> int:
        """An integer or boolean field of the options."""
        value = self.operator.options.get(name)
        if not isinstance(value, int):
            raise NotExactError(f"the options state no '{name}'")
        return int(value)

    def number(self, name: str) -> float:
        """A floating-point field of the options."""
        value = self.operator.options.get(name)
        if not isinstance(value, float):
            raise NotExactError(f"the options state no '{name}'")
        return value

    @property
    def padding(self) -> Padding:
        """The padding of the options."""
        return self._member("padding", Padding)

    @property
    def activation(self) -> ActivationFunctionType:
        """The fused activation of the options."""
        return self._member("fused_activation_function", ActivationFunctionType)

    def _member(self, name: str, enumeration: type[EnumT]) -> EnumT:
        value = self.option(name)
        if value not in enumeration.__members__.values():
            raise NotExactError(f"{value} is no '{name}' of the schema")
        return enumeration(value)

    def emit(self, op: OpT) -> OpT:
        """Appends `op`."""
        return self.emitter.emit(op)

    @property
    def output(self) -> Operand:
        """The first output."""
        return self.outputs[0]

    def operand(self, position: int) -> Operand:
        """The input at `position`, which must be there."""
        operand = self.inputs[position] if position < len(self.inputs) else None
        if operand is None:
            raise NotExactError(f"input {position} is absent")
        return operand

    def image(self, position: int) -> Operand:
        """The input at `position`, which must be `[N, H, W, C]`, or weights laid out like that."""
        operand = self.operand(position)
        if len(operand.shape) != 4:
            raise NotExactError(f"'{operand.facts.name}' has not four axes")
        return operand

    def has(self, position: int) -> bool:
        """Whether the optional input at `position` is there."""
        return position < len(self.inputs) and self.inputs[position] is not None

    def value(self, position: int, shape: tuple[int, ...] | None = None) -> SSAValue:
        """The input at `position`, in the file's shape or reshaped to `shape`."""
        operand = self.operand(position)
        shape = operand.shape if shape is None else shape
        if operand.value is None or is_constant(operand.value):
            return self._constant(operand, shape)
        return self.reshape(operand.value, shape)

    def _constant(self, operand: Operand, shape: tuple[int, ...]) -> SSAValue:
        if operand.value is not None:
            return operand.value
        return self.emitter.tensor(operand, shape)

    def sizes(self, position: int, sizes: Sequence[int]) -> SSAValue:
        """The constant input at `position` as the `!tosa.shape` with `sizes`; an implied one if it is absent."""
        if not self.has(position):
            return self.emitter.shape(sizes)
        operand = self.operand(position)
        if operand.value is not None:
            return operand.value
        if operand.data is None:
            raise NotExactError(f"'{operand.facts.name}' is computed at run time")
        return self.emitter.shape_tensor(operand, sizes)

    def reshape(self, value: SSAValue, shape: Sequence[int]) -> SSAValue:
        """`value` in another shape; itself if it has it already."""
        if cast(TensorType, value.type).get_shape() == tuple(shape):
            return value
        return self.emit(tosa.ReshapeOp(value, self.emitter.shape(shape))).output

    def literal(self, numbers: Sequence[int] | Sequence[float], element: Attribute) -> SSAValue:
        """A constant vector that the operator implies."""
        return self.emitter.literal(np.array(numbers, dense.numpy_dtype(element)), element)

    def zero_point(self, operand: Operand) -> SSAValue:
        """The zero point of `operand` as TOSA wants it: one element of the operand's type."""
        return self.literal([0 if operand.is_float else operand.facts.one_zero_point], operand.element)

    def result_type(self, operand: Operand) -> TensorType:
        """The type of an output in the IR."""
        return TensorType(operand.element, operand.shape)


@dataclass(frozen=True)
class Implied:
    """A constant input of the file that the IR expresses in another way: an axis, a list of sizes."""

    suffix: str
    """What the tensor is called: the output's name, and this."""
    dtype: str
    numbers: tuple[int, ...]
    shape: tuple[int, ...]
    facts: TensorFacts | None = None
    """The facts of the tensor, where the IR has kept them."""


@dataclass(frozen=True)
class Weights:
    """A constant of the IR in the file's shape."""

    value: SSAValue
    shape: tuple[int, ...]


LiftedInput: TypeAlias = SSAValue | Weights | Implied | None


@dataclass(frozen=True)
class Lifted:
    """An operator found in a kernel."""

    inputs: tuple[LiftedInput, ...]
    options: Mapping[str, OptionFact]
    """The fields that the ops express; the rest comes from the facts, or is at its default."""
    outputs: tuple[SSAValue, ...] | None = None
    """In the operator's order; `None` for the kernel's results as they come."""


@dataclass(frozen=True, eq=False)
class Lift:
    """A kernel in which an operator is looked for."""

    kernel: Kernel
    facts: OperatorFacts

    def only(self, kind: type[OpT]) -> OpT:
        """The one op of `kind` in the kernel."""
        found = [op for op in self.kernel.ops if isinstance(op, kind)]
        if len(found) != 1:
            raise NotExactError(f"the kernel has {len(found)} ops of kind '{kind.name}', not one")
        return found[0]

    def source(self, value: SSAValue) -> SSAValue:
        """The tensor that `value` is a reshaped or cut form of, inside the kernel."""
        while value.owner in self.kernel.ops and isinstance(value.owner, tosa.ReshapeOp | tosa.SliceOp):
            value = value.owner.operands[0]
        return value

    def hint(self, name: str) -> OptionFact | None:
        """What the facts say of an option that the ops leave open."""
        return self.facts.options.get(name)


LowerFunction: TypeAlias = Callable[[Lowering], Sequence[SSAValue]]
LiftFunction: TypeAlias = Callable[[Lift], Lifted]


@dataclass(frozen=True)
class OperatorFamily:
    """How one operator of the schema is written in TOSA."""

    name: str
    options_type: str | None
    lower: LowerFunction
    lift: LiftFunction
    arity: tuple[int, int] = (1, 1)
    """The fewest and the most inputs."""
    derived: frozenset[str] = frozenset()
    """Options that `lift` reads from the ops, and that the facts need not hold."""


def lower_exactly(family: OperatorFamily, lowering: Lowering, emitted: Sequence[Operation]) -> tuple[SSAValue, ...]:
    """
    The results of an operator in TOSA; `emitted` is where the ops go.

    Raises `NotExactError` where TOSA cannot say exactly this, as for a file whose shapes do not fit each other.
    """
    fewest, most = family.arity
    if not fewest <= len(lowering.inputs) <= most:
        raise NotExactError(f"{family.name} has {len(lowering.inputs)} inputs")
    try:
        results = tuple(family.lower(lowering))
        for op in emitted:
            op.verify()
    # Arithmetic fails where scales give no factor, or a zero point does not fit its type.
    except (VerifyException, BadModelError, ArithmeticError) as error:
        raise NotExactError(str(error)) from error
    wanted = [lowering.result_type(output) for output in lowering.outputs]
    if [result.type for result in results] != wanted:
        raise NotExactError(f"{family.name} does not yield the shape and type that the file states")
    return results


def constant_attribute(value: SSAValue) -> DenseIntOrFPElementsAttr | None:
    """The numbers of a `tosa.const` or `tosa.const_shape`."""
    return value.owner.values if isinstance(value.owner, tosa.ConstOp | tosa.ConstShapeOp) else None


def constant_sizes(value: SSAValue) -> tuple[int, ...]:
    """The numbers of a `tosa.const_shape`."""
    if (sizes := tosa.constant_shape(value)) is None:
        raise BadModelError(f"'{name_of(value)}' must be a tosa.const_shape")
    return sizes


def shape_of(value: SSAValue) -> tuple[int, ...]:
    """The shape of a tensor value."""
    return cast(TensorType, value.type).get_shape()
