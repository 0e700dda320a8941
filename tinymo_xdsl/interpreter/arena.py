"""
Memory at run time: bytes that know whose they are.

Bytes that nothing was written to are poison, and so are bytes that hold what nobody needs any more. Reading one is an
error, whatever number it would give, and so is reading what was written to another buffer.
"""

from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import MemRefType

from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.interpreter.operands import element_dtype
from tinymo_xdsl.numerics.dense import Array

POISON = 0xA5
"""What bytes are that hold nothing."""
NOBODY = 0
"""Whose bytes are that hold nothing."""


class Memory:
    """`size` bytes, all poison."""

    def __init__(self, size: int) -> None:
        self.bytes: npt.NDArray[np.uint8] = np.full(size, POISON, np.uint8)
        self.owners: npt.NDArray[np.int32] = np.full(size, NOBODY, np.int32)
        """The number of the buffer that each byte was last written to."""

    def poison(self, start: int, stop: int) -> None:
        """Makes the bytes [start, stop) hold nothing."""
        self.bytes[start:stop] = POISON
        self.owners[start:stop] = NOBODY


@dataclass(frozen=True, eq=False)
class Span:
    """A memref at run time: some bytes of a memory, as elements in a shape."""

    memory: Memory
    start: int
    """Bytes from the start of the memory."""
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    """Bytes between neighbours along each axis."""
    dtype: np.dtype[Any]
    owner: int = NOBODY
    """The number of the buffer that it is a place in."""

    def owned_by(self, owner: int) -> "Span":
        """The same bytes as those of a buffer with a number."""
        return replace(self, owner=owner)

    @staticmethod
    def of(memory: Memory, start: int, type_: MemRefType, what: str) -> "Span":
        """The span of a memref from byte `start` on. `BadModelError`, naming `what`, if it is not in `memory`."""
        dtype = element_dtype(type_.element_type)
        strides = tuple((stride or 0) * dtype.itemsize for stride in type_.get_strides() or ())
        span = Span(memory, start, type_.get_shape(), strides, dtype)
        stop = start + span.extent
        if start < 0 or stop > memory.bytes.size:
            raise BadModelError(f"{what}: bytes {start} to {stop} are not in its memory of {memory.bytes.size} bytes")
        return span

    @property
    def extent(self) -> int:
        """Bytes from the first element to the end of the last."""
        if not prod(self.shape):
            return 0
        steps = zip(self.shape, self.strides, strict=True)
        return sum((extent - 1) * stride for extent, stride in steps) + self.dtype.itemsize

    def peek(self) -> Array:
        """What the bytes are, poison or not."""
        return self._elements.copy()

    def read(self, what: str) -> Array:
        """What the bytes hold. `BadModelError`, naming `what`, if one holds nothing, or what is another buffer's."""
        owners = self._owners
        if (owners != self.owner).any():
            missing = np.argwhere((owners != self.owner).any(axis=-1))
            held = "hold nothing" if NOBODY in owners[tuple(missing[0])] else "another buffer has written over"
            index = [int(position) for position in missing[0]]
            count = f"{len(missing)} of {prod(self.shape)} elements"
            raise BadModelError(f"{what} reads bytes that {held}: {count}, {index} the first")
        return self.peek()

    def write(self, array: Array) -> None:
        """Stores the elements of `array`."""
        self._elements[...] = array
        self._owners[...] = self.owner

    @property
    def _elements(self) -> Array:
        return np.ndarray(self.shape, self.dtype, self.memory.bytes.data, self.start, self.strides)

    @property
    def _owners(self) -> npt.NDArray[np.int32]:
        """Of each byte of each element."""
        size = self.memory.owners.itemsize
        strides = tuple(stride * size for stride in (*self.strides, 1))
        shape = (*self.shape, self.dtype.itemsize)
        return np.ndarray(shape, np.int32, self.memory.owners.data, self.start * size, strides)
