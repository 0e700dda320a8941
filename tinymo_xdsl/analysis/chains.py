"""Separable convolutions: the runs of layers that `split-sepconv` looks at."""

from collections.abc import Sequence

from tinymo_xdsl.analysis.kernels import Kernel
from tinymo_xdsl.analysis.row_problem import RowProblem
from tinymo_xdsl.analysis.rows import ELEMENTWISE, shape_of
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.dialects.tosa.base import plain_ints


def is_depthwise(kernel: Kernel) -> bool:
    """Whether a kernel is a depthwise convolution."""
    return any(isinstance(op, tosa.DepthwiseConv2DOp) for op in kernel.ops)


def is_pointwise(kernel: Kernel) -> bool:
    """Whether a kernel is a 1x1 convolution with stride 1."""
    convolutions = [op for op in kernel.ops if isinstance(op, tosa.Conv2DOp)]
    return len(convolutions) == 1 and all(
        shape_of(op.weight)[1:3] == (1, 1) and plain_ints(op.stride) == (1, 1) for op in convolutions
    )


def is_elementwise(kernel: Kernel) -> bool:
    """Whether a kernel computes each element from the elements at its place: an activation, a residual add."""
    return all(isinstance(op, ELEMENTWISE) for op in kernel.ops)


def separable_chains(rows: RowProblem) -> frozenset[tuple[int, int]]:
    """
    The runs (first, last) of kernels that are a separable convolution.

    A run holds one depthwise convolution, a pointwise one behind it, and maybe one in front; activations may stand
    between them, and activations and residual adds behind.
    """
    spans: set[tuple[int, int]] = set()
    for middle, kernel in enumerate(rows.kernels):
        if is_depthwise(kernel):
            firsts, lasts = [middle, *_before(rows.kernels, middle)], _behind(rows.kernels, middle)
            spans |= {(first, last) for first in firsts for last in lasts}
    return frozenset(spans)


def _before(kernels: Sequence[Kernel], middle: int) -> list[int]:
    """The pointwise convolution in front, with activations between."""
    index = middle - 1
    while index >= 0 and is_elementwise(kernels[index]):
        index -= 1
    return [index] if index >= 0 and is_pointwise(kernels[index]) else []


def _behind(kernels: Sequence[Kernel], middle: int) -> list[int]:
    """Where the run may end: at the pointwise convolution behind, and at each elementwise kernel that follows it."""
    index = middle + 1
    while index < len(kernels) and is_elementwise(kernels[index]):
        index += 1
    if index == len(kernels) or not is_pointwise(kernels[index]):
        return []
    ends = [index]
    while index + 1 < len(kernels) and is_elementwise(kernels[index + 1]):
        index += 1
        ends.append(index)
    return ends
