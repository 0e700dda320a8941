"""
Buffers: which bytes each op of a level-3 or level-4 function reads and writes, and when each byte is needed.

A buffer is what `memref.alloc` makes, or, once an arena is planned, a `memref.view` of the arena. Subviews, casts and
views of a buffer are places in it. Steps order the ops: all inputs are there at step 0, every op that touches memory
is a step, and the function returns at the last one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from itertools import pairwise
from math import prod
from typing import cast

from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import FixedBitwidthType, IntegerAttr, MemRefType, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, BlockArgument, Operation, SSAValue

from tinymo_xdsl.analysis.rows import ELEMENTWISE
from tinymo_xdsl.dialects import tinymo, tosa
from tinymo_xdsl.dialects.tosa.base import plain_ints
from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.facts import name_of
from tinymo_xdsl.planner.arena.problem import Piece

ViewLike = memref.SubviewOp | memref.ReinterpretCastOp | memref.ViewOp
BufferStep = tinymo.InputOp | tinymo.KernelOp | memref.CopyOp | ReturnOp
"""The ops that read or write buffers."""


@dataclass(frozen=True, eq=False)
class Place:
    """Bytes of a buffer."""

    buffer: SSAValue
    start: int
    """Bytes from the start of the buffer."""
    stop: int
    """The byte after the last."""
    is_whole: bool
    """Whether all bytes between belong to it; rows with a pitch leave bytes out."""


def buffer_bytes(type_: Attribute) -> int:
    """Bytes of the elements of a memref or tensor; elements narrower than a byte take one each."""
    shaped = cast("MemRefType | TensorType", type_)
    return prod(shaped.get_shape()) * element_size(shaped.element_type)


def element_size(element: Attribute) -> int:
    """Bytes of one element."""
    return -(-element.bitwidth // 8) if isinstance(element, FixedBitwidthType) else 1


def place_of(value: SSAValue) -> Place:
    """Where in which buffer `value` lies. `BadModelError` for a memref that no op here makes."""
    buffer, start = _buffer_and_offset(value)
    type_ = cast(MemRefType, value.type)
    size = element_size(type_.element_type)
    strides = [cast(int, stride) for stride in type_.get_strides() or ()]
    shape = type_.get_shape()
    count = prod(shape)
    last = sum((extent - 1) * stride for extent, stride in zip(shape, strides, strict=True)) if count else -1
    return Place(buffer, start, start + (last + 1) * size, last + 1 == count)


def _buffer_and_offset(value: SSAValue) -> tuple[SSAValue, int]:
    """The buffer that `value` lies in and where it begins there, in bytes."""
    offset = 0
    while not is_buffer(value):
        owner = value.owner
        if not isinstance(owner, ViewLike):
            raise BadModelError(f"'{name_of(value)}': only memref.alloc and memref.view of an argument make buffers")
        offset += _offset_in_source(owner)
        value = owner.source
    return value, offset


def is_buffer(value: SSAValue) -> bool:
    """Whether `value` is a buffer of its own: allocated, or cut from an arena."""
    owner = value.owner
    if isinstance(owner, memref.ViewOp):
        return isinstance(owner.source, BlockArgument)
    return isinstance(owner, memref.AllocOp)


def _offset_in_source(op: ViewLike) -> int:
    """Where a view begins in its source, in bytes."""
    if isinstance(op, memref.ViewOp):
        return constant_offset(op.byte_shift)
    source = cast(MemRefType, op.source.type)
    offsets = plain_ints(op.static_offsets)
    # A cast counts in elements from the start, a subview along each axis.
    steps = [1] if isinstance(op, memref.ReinterpretCastOp) else source.get_strides() or ()
    elements = sum(low * cast(int, step) for low, step in zip(offsets, steps, strict=True))
    return elements * element_size(source.element_type)


def constant_offset(value: SSAValue) -> int:
    """The number that an index is. `BadModelError` unless it is a constant."""
    owner = value.owner
    if isinstance(owner, arith.ConstantOp) and isinstance(owner.value, IntegerAttr):
        return owner.value.value.data
    raise BadModelError(f"'{name_of(value)}': the offset of a buffer must be an arith.constant")


class Kind(Enum):
    """What an access does to the bytes."""

    READ = "read"
    WRITE = "write"
    UPDATE = "update"
    """Some of the bytes are written, the others keep what they hold."""


@dataclass(frozen=True, eq=False)
class Access:
    """A read or a write of bytes at a step."""

    step: int
    place: Place
    kind: Kind


def reads_of(op: Operation) -> Sequence[SSAValue]:
    """The places that an op reads."""
    match op:
        case tinymo.KernelOp():
            return op.inputs
        case memref.CopyOp():
            return (op.source,)
        case ReturnOp():
            return op.arguments
        case _:
            return ()


def writes_of(op: Operation) -> Sequence[SSAValue]:
    """The places that an op writes."""
    match op:
        case tinymo.KernelOp():
            return op.outputs
        case memref.CopyOp():
            return (op.destination,)
        case tinymo.InputOp():
            return (op.buffer,)
        case _:
            return ()


def inputs_of(function: FuncOp) -> list[SSAValue]:
    """The buffers that the application fills, by the numbers of the inputs."""
    ops = [op for op in function.body.block.ops if isinstance(op, tinymo.InputOp)]
    return [op.buffer for op in sorted(ops, key=lambda op: op.index.value.data)]


def steps_of(function: FuncOp) -> list[tuple[Operation, int]]:
    """The ops that touch memory and their steps. All inputs are there at step 0."""
    steps: list[tuple[Operation, int]] = []
    step = 0
    for op in function.body.block.ops:
        if isinstance(op, BufferStep):
            step += not isinstance(op, tinymo.InputOp)
            steps.append((op, step))
    return steps


def accesses_of(function: FuncOp) -> list[Access]:
    """All accesses, step by step, reads before writes."""
    place = cache(place_of)
    accesses: list[Access] = []
    for op, step in steps_of(function):
        accesses += [Access(step, place(value), Kind.READ) for value in reads_of(op)]
        for where in map(place, writes_of(op)):
            accesses.append(Access(step, where, Kind.WRITE if where.is_whole else Kind.UPDATE))
    return accesses


def lifetimes(function: FuncOp) -> dict[SSAValue, tuple[Piece, ...]]:
    """
    For each buffer the pieces of it that are needed, and the steps [start, end) at which they are.

    Bytes are needed from the write of what they hold to its last read. A buffer that nothing touches has no pieces.
    """
    accesses: dict[SSAValue, list[Access]] = {
        result: [] for op in function.body.block.ops for result in op.results if is_buffer(result)
    }
    for access in accesses_of(function):
        accesses[access.place.buffer].append(access)
    return {buffer: tuple(_pieces(entries)) for buffer, entries in accesses.items()}


def _pieces(accesses: Sequence[Access]) -> Iterator[Piece]:
    bounds = sorted({bound for access in accesses for bound in (access.place.start, access.place.stop)})
    open_pieces: list[Piece] = []
    for low, high in pairwise(bounds):
        here = [access for access in accesses if access.place.start <= low and high <= access.place.stop]
        pieces = [Piece(low, high - low, first, last + 1) for first, last in _needed(here)]
        if [(piece.start, piece.end) for piece in pieces] == [(piece.start, piece.end) for piece in open_pieces]:
            pieces = [Piece(p.offset, high - p.offset, p.start, p.end) for p in open_pieces]
        else:
            yield from open_pieces
        open_pieces = pieces
    yield from open_pieces


def _needed(accesses: Iterable[Access]) -> list[tuple[int, int]]:
    """The first and last steps at which some bytes hold what is needed."""
    needed: list[tuple[int, int]] = []
    for access in accesses:
        # What is written over what is read at the same step leaves no gap.
        continues = access.kind is not Kind.WRITE or (needed and needed[-1][1] == access.step)
        if needed and continues:
            needed[-1] = needed[-1][0], access.step
        else:
            needed.append((access.step, access.step))
    return needed


def may_overlap(kernel: tinymo.KernelOp, result: Place, operand: Place) -> bool:
    """Whether a kernel can write `result` while it reads `operand`, places of one buffer."""
    ops = [op for op in kernel.body.block.ops if not isinstance(op, tinymo.YieldOp)]
    if (result.start, result.stop) == (operand.start, operand.stop):
        return all(isinstance(op, (*ELEMENTWISE, tosa.CustomOp)) for op in ops)
    return len(ops) == 1 and isinstance(ops[0], tosa.ConcatOp)
