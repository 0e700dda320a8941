"""Building buffers: the memrefs that stand for tensors, and places in them."""

from collections.abc import Sequence
from itertools import accumulate
from typing import cast

from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import (
    IndexType,
    IntegerAttr,
    MemRefType,
    NoneAttr,
    StridedLayoutAttr,
    StringAttr,
    TensorType,
    i8,
)
from xdsl.ir import Attribute, Operation, SSAValue

from tinymo_xdsl.analysis.buffers import element_size


def buffer_type(type_: TensorType, memory: str | None = None) -> MemRefType:
    """The memref of a tensor, in the memory called `memory`, or in the one that has no name."""
    space = NoneAttr() if memory is None else StringAttr(memory)
    return MemRefType(type_.element_type, type_.get_shape(), NoneAttr(), space)


def byte_buffer_type(size: int, memory_space: Attribute | None = None) -> MemRefType:
    """A memref of bytes."""
    return MemRefType(i8, [size], NoneAttr(), memory_space or NoneAttr())


def memory_of(type_: Attribute) -> str | None:
    """The name of the memory that a memref lies in."""
    space = cast(MemRefType, type_).memory_space
    return space.data if isinstance(space, StringAttr) else None


def strides_of(shape: Sequence[int]) -> tuple[int, ...]:
    """The elements between neighbours along each axis of a dense tensor."""
    return tuple(accumulate(shape[:0:-1], lambda size, extent: size * extent, initial=1))[::-1] if shape else ()


def place_in(base: SSAValue, offset: int, type_: TensorType) -> list[Operation]:
    """
    The ops that make the bytes of `base` from `offset` on a buffer of `type_`; the last one yields it.

    A window along one axis of `base` is a subview, anything else of its elements a cast, of other elements a view.
    """
    whole = cast(MemRefType, base.type)
    if whole.element_type != type_.element_type or offset % element_size(type_.element_type):
        result = MemRefType(type_.element_type, type_.get_shape(), NoneAttr(), whole.memory_space)
        return byte_view(base, offset, result)
    start = offset // element_size(type_.element_type)
    window = _window(whole.get_shape(), start, type_.get_shape())
    if window is not None:
        return [window_at(base, window, type_)]
    strides = strides_of(type_.get_shape())
    layout = StridedLayoutAttr(strides, start) if start else NoneAttr()
    result = MemRefType(type_.element_type, type_.get_shape(), layout, whole.memory_space)
    return [memref.ReinterpretCastOp.from_dynamic(base, [start], type_.get_shape(), strides, result)]


def byte_view(base: SSAValue, offset: int, type_: MemRefType) -> list[Operation]:
    """The ops that make a buffer of `type_` from the bytes of `base`, which is a memref of bytes."""
    shift = arith.ConstantOp(IntegerAttr(offset, IndexType()))
    return [shift, memref.ViewOp(base, shift.result, [], type_)]


def _window(shape: Sequence[int], start: int, size: Sequence[int]) -> Sequence[int] | None:
    """The indices at which a smaller tensor of one run of elements begins; `None` if it is no window of rows."""
    if len(size) != len(shape) or [*size] == [*shape]:
        return None
    indices: list[int] = []
    for stride in strides_of(shape):
        indices.append(start // stride)
        start %= stride
    fits = all(low + extent <= whole for low, extent, whole in zip(indices, size, shape, strict=True))
    cut = [axis for axis, (extent, whole) in enumerate(zip(size, shape, strict=True)) if extent != whole]
    is_one_run = all(extent == 1 for extent in size[: cut[-1]]) if cut else True
    return indices if fits and is_one_run else None


def window_at(base: SSAValue, start: Sequence[int], type_: TensorType) -> Operation:
    """The window of `base` that begins at the indices `start`, in as many runs of bytes as it takes."""
    whole = cast(MemRefType, base.type)
    return memref.SubviewOp.from_static_parameters(base, whole, start, type_.get_shape(), [1] * len(start))
