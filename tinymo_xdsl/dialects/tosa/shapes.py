"""
The shape arithmetic of TOSA on plain numbers.

A size that is not known is `DYNAMIC_INDEX`; what is computed from it is not known either, and what is checked against
it passes.
"""

from collections.abc import Sequence
from math import prod
from typing import TypeAlias

from xdsl.dialects.builtin import DYNAMIC_INDEX
from xdsl.utils.exceptions import VerifyException

Shape: TypeAlias = tuple[int, ...]


def is_static(*sizes: int) -> bool:
    """Whether all sizes are known."""
    return DYNAMIC_INDEX not in sizes


def sizes_agree(first: int, second: int) -> bool:
    """Whether two sizes are the same, as far as they are known."""
    return first == second or not is_static(first, second)


def shapes_agree(first: Sequence[int], second: Sequence[int]) -> bool:
    """Whether two shapes are the same, as far as they are known."""
    return len(first) == len(second) and all(map(sizes_agree, first, second))


def text(shape: Sequence[int]) -> str:
    """A shape as people write it: `1x?x8`; a scalar's is `[]`."""
    return "x".join("?" if size == DYNAMIC_INDEX else str(size) for size in shape) or "[]"


def require_shape(what: str, actual: Sequence[int], expected: Sequence[int]) -> None:
    """Raise a `VerifyException` unless `actual`, the shape of `what`, is the expected one."""
    if not shapes_agree(actual, expected):
        raise VerifyException(f"expected shape {text(expected)} of {what}, got {text(actual)}")


def require_rank(what: str, shape: Sequence[int], rank: int) -> None:
    """Raise a `VerifyException` unless `shape`, that of `what`, has `rank` dimensions."""
    if len(shape) != rank:
        raise VerifyException(f"expected {what} of rank {rank}, got shape {text(shape)}")


def broadcast(*shapes: Sequence[int]) -> Shape:
    """
    The shape of an elementwise result: sizes are the same, or 1.

    Raises:
        VerifyException: ranks differ, or two sizes do that are not 1.
    """
    if len({len(shape) for shape in shapes}) != 1:
        raise VerifyException(f"expected operands of one rank, got shapes {', '.join(map(text, shapes))}")
    result: list[int] = []
    for sizes in zip(*shapes, strict=True):
        wide = {size for size in sizes if size != 1}
        known = wide - {DYNAMIC_INDEX}
        if len(known) > 1:
            raise VerifyException(f"cannot broadcast shapes {', '.join(map(text, shapes))}")
        result.append(known.pop() if known else wide.pop() if wide else 1)
    return tuple(result)


def windowed(size: int, kernel: int, pad: tuple[int, int], stride: int, dilation: int) -> int:
    """
    How many windows of `kernel` taps, `dilation` apart, lie in `size` elements and their padding, a window each
    `stride` elements (TOSA 1.0, CONV2D). Whether windows use the input up to its end is for verifiers to ask.
    """
    if not is_static(size, kernel):
        return DYNAMIC_INDEX
    return (size - 1 + sum(pad) - (kernel - 1) * dilation) // stride + 1


def transposed_windowed(size: int, kernel: int, out_pad: tuple[int, int], stride: int) -> int:
    """The size of a transposed convolution's result (TOSA 1.0, TRANSPOSE_CONV2D)."""
    if not is_static(size, kernel):
        return DYNAMIC_INDEX
    return (size - 1) * stride + sum(out_pad) + kernel


def resized(size: int, numerator: int, denominator: int, offset: int, border: int) -> int:
    """The size of a side of a resized image (TOSA 1.0, RESIZE)."""
    if not is_static(size):
        return DYNAMIC_INDEX
    return ((size - 1) * numerator - offset + border) // denominator + 1


def product(sizes: Sequence[int]) -> int:
    """The number of elements."""
    return prod(sizes) if is_static(*sizes) else DYNAMIC_INDEX


def total(*sizes: int) -> int:
    """The sum of sizes."""
    return sum(sizes) if is_static(*sizes) else DYNAMIC_INDEX
