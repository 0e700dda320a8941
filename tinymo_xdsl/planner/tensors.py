"""
Tensors as planners see them, and what those of them ask for that may share bytes.

Tensors are numbers: their places in a sequence. Steps order the operators: a tensor that is there from the start is
made at a step before the first operator, one that is kept to the end is read at a step behind the last.
"""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Read:
    """The bytes [start, stop) of a tensor are read at `step`."""

    step: int
    start: int
    stop: int


@dataclass(frozen=True)
class Tensor:
    """`size` bytes that are written at step `made`, once and for all."""

    size: int
    made: int
    reads: tuple[Read, ...]


@dataclass(frozen=True)
class Copy:
    """An operator that copies bytes makes `part` equal to the bytes of `whole` that begin at `offset`."""

    part: int
    whole: int
    offset: int


@dataclass(frozen=True)
class Overwrite:
    """
    The operator that makes `result` can write it over `operand`, which it reads meanwhile.

    That works as long as the result begins no further behind the operand's beginning than `lead` bytes: then each byte
    is read for the last time before it is written. For elementwise operators `lead` is 0; below 0 the result must begin
    so much earlier.
    """

    result: int
    operand: int
    lead: int = 0


Wish: TypeAlias = Copy | Overwrite
"""Two tensors that would like to share bytes."""
