"""What the ops of one kernel say, as plain values. Everything that C kernels read from the IR is read here."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TypeVar, cast

import numpy as np
from xdsl.dialects.builtin import FloatAttr, IntegerAttr, TensorType
from xdsl.ir import Attribute, Operation, SSAValue

from tinymo_xdsl.analysis.describe import describe_kernel
from tinymo_xdsl.analysis.kernels import Kernel
from tinymo_xdsl.backend.c.arithmetic import Scaling
from tinymo_xdsl.backend.c.layer import Table
from tinymo_xdsl.backend.c.text import C_TYPES
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.errors import TinymoError
from tinymo_xdsl.facts import name_of
from tinymo_xdsl.numerics import dense
from tinymo_xdsl.numerics.dense import Array
from tinymo_xdsl.operators.base import constant_attribute

OpT = TypeVar("OpT", bound=Operation)


class NoKernelError(TinymoError):
    """A kernel that there is no C for. The message names the operator, the tensor and what is missing."""


@dataclass(frozen=True, eq=False)
class Ending:
    """What happens to a value between the op that computes it and memory."""

    result: SSAValue
    scaling: Scaling | None
    low: float
    high: float
    """The clamp of floats; the largest finite numbers where there is none."""


@dataclass(frozen=True, eq=False)
class Body:
    """One kernel."""

    kernel: Kernel

    def error(self, why: str) -> NoKernelError:
        """That there is no C for this kernel."""
        name, operator = describe_kernel(self.kernel)
        return NoKernelError(f"{operator} that yields '{name}' has no C kernel: {why}")

    def all(self, kind: type[OpT]) -> list[OpT]:
        """The ops of a kind."""
        return [op for op in self.kernel.ops if isinstance(op, kind)]

    def only(self, kind: type[OpT]) -> OpT:
        """The one op of a kind."""
        found = self.all(kind)
        if len(found) != 1:
            raise self.error(f"it holds {len(found)} ops of kind '{kind.name}'")
        return found[0]

    def constant(self, value: SSAValue) -> Array:
        """The numbers of a constant."""
        if (attribute := constant_attribute(value)) is None:
            raise self.error("an operand is computed at run time where a constant is needed")
        return dense.to_numpy(attribute)

    def number(self, value: SSAValue) -> int:
        """The one number of a constant: a zero point."""
        return int(self.constant(value).reshape(-1)[0])

    def sizes(self, value: SSAValue) -> tuple[int, ...]:
        """The numbers of a `tosa.const_shape`."""
        return tuple(int(size) for size in self.constant(value).reshape(-1))

    def source(self, value: SSAValue) -> SSAValue:
        """The tensor outside of the kernel that `value` is a reshaped form of."""
        while value.owner in self.kernel.ops and isinstance(value.owner, tosa.ReshapeOp):
            value = value.owner.input1
        if value.owner in self.kernel.ops:
            raise self.error(f"it reads the result of '{cast(Operation, value.owner).name}'")
        return value

    def operand(self, value: SSAValue) -> SSAValue | Table:
        """As `source`, and the numbers of a constant."""
        source = self.source(value)
        attribute = constant_attribute(source)
        return source if attribute is None else Table.of(dense.to_numpy(attribute), dtype_of(source))

    def ending(self, value: SSAValue) -> Ending:
        """Follows `value` through a rescale, clamps and reshapes to a result of the kernel."""
        scaling: Scaling | None = None
        signs = np.ones(1, np.int64)
        limits = np.finfo(np.float32)
        low, high = float(limits.min), float(limits.max)
        while value not in self.kernel.results:
            match op := self._user(value):
                case tosa.MulOp() if scaling is None:
                    signs = self._signs(op, value)
                case tosa.RescaleOp() if scaling is None:
                    scaling = self.scaling(op, signs)
                case tosa.ClampOp():
                    minimum, maximum = self.bounds(op)
                    low, high = max(low, minimum), min(high, maximum)
                    scaling = scaling and scaling.clamped(int(minimum), int(maximum))
                case tosa.ReshapeOp():
                    pass
                case _:
                    raise self.error(f"'{op.name}' takes the result of '{self._name_of_owner(value)}'")
            value = op.results[0]
        return Ending(value, scaling, low, high)

    def bounds(self, clamp: tosa.ClampOp) -> tuple[float, float]:
        """What a clamp leaves."""
        low, high = clamp.min_val, clamp.max_val
        if isinstance(low, FloatAttr) and isinstance(high, FloatAttr):
            return low.value.data, high.value.data
        if isinstance(low, IntegerAttr) and isinstance(high, IntegerAttr):
            return low.value.data, high.value.data
        raise self.error("its clamp has no bounds")

    def scaling(self, op: tosa.RescaleOp, signs: Array | None = None) -> Scaling:
        """What a rescale multiplies by. Negative multipliers stand for sums whose sign a product changes first."""
        if signs is None:
            signs = np.ones(1, np.int64)
        elif self.number(op.input_zp):
            raise self.error("its sums have a zero point")
        multiplier = self.constant(op.multiplier).astype(np.int64) * signs
        shift = np.broadcast_to(self.constant(op.shift).astype(np.int64), multiplier.shape)
        limits = np.iinfo(dtype_of(op.output))
        mode = op.rounding_mode.data
        if mode is tosa.RoundingMode.INEXACT_ROUND:
            raise self.error("a rescale with inexact rounding")
        return Scaling(
            multiplier,
            shift,
            self.number(op.output_zp),
            int(limits.min),
            int(limits.max),
            double_round=mode is tosa.RoundingMode.DOUBLE_ROUND,
            scale32=bool(op.scale32.value.data),
        )

    def _user(self, value: SSAValue) -> Operation:
        users = [use.operation for use in value.uses if use.operation in self.kernel.ops]
        if len(users) != 1:
            raise self.error(f"{len(users)} of its ops take the result of '{self._name_of_owner(value)}'")
        return users[0]

    def _name_of_owner(self, value: SSAValue) -> str:
        return value.owner.name if isinstance(value.owner, Operation) else "the function"

    def _signs(self, op: tosa.MulOp, value: SSAValue) -> Array:
        other = op.input2 if op.input1 is value else op.input1
        signs = self.constant(other).reshape(-1).astype(np.int64)
        if not np.isin(signs, (-1, 1)).all():
            raise self.error("its sums are multiplied by other numbers than 1 and -1")
        return signs


def shape_of(value: SSAValue) -> tuple[int, ...]:
    """The shape of a tensor."""
    return cast(TensorType[Attribute], value.type).get_shape()


def four_axes(shape: Sequence[int]) -> tuple[int, int, int, int]:
    """`[N, H, W, C]`: axes of one element in front of fewer, the first ones together of more."""
    *first, height, width, channels = (1,) * (4 - len(shape)) + tuple(shape)
    return prod(first), height, width, channels


def element_dtype(value: SSAValue) -> np.dtype[np.generic]:
    """How numpy holds an element of a tensor."""
    return dense.numpy_dtype(cast(TensorType[Attribute], value.type).element_type)


def dtype_of(value: SSAValue) -> str:
    """The name of the numpy type of an element, which C must have too."""
    name = element_dtype(value).name
    if name not in C_TYPES:
        raise NoKernelError(f"'{name_of(value)}' has no C kernel: its elements are {name}, which C has no type for")
    return name
