"""Separable convolutions: the runs of layers that `split-sepconv` looks at."""

from xdsl.dialects.builtin import TensorType

from tinymo_xdsl.analysis.kernels import Kernel
from tinymo_xdsl.analysis.rows import RowProblem, shape_of
from tinymo_xdsl.dialects import tosa


def is_depthwise(kernel: Kernel) -> bool:
    """Whether a kernel is a depthwise convolution."""
    return any(isinstance(op, tosa.DepthwiseConv2DOp) for op in kernel.ops)


def is_pointwise(kernel: Kernel) -> bool:
    """Whether a kernel is a 1x1 convolution with stride 1."""
    convolutions = [op for op in kernel.ops if isinstance(op, tosa.Conv2DOp)]
    return len(convolutions) == 1 and all(
        shape_of(op.weight)[1:3] == (1, 1) and tuple(op.stride.get_values()) == (1, 1) for op in convolutions
    )


def is_elementwise(kernel: Kernel, rows: RowProblem) -> bool:
    """Whether a kernel computes each element from the elements at its place: an activation, a residual add."""
    layer = rows.problem.layers[rows.kernels.index(kernel)]
    convolutions = (tosa.Conv2DOp, tosa.DepthwiseConv2DOp, tosa.TransposeConv2DOp)
    moved = any(isinstance(op, convolutions) for op in kernel.ops)
    return not moved and layer.can_split and all(isinstance(value.type, TensorType) for value in kernel.inputs)


def separable_chains(rows: RowProblem) -> frozenset[tuple[int, int]]:
    """
    The runs (first, last) of kernels that are a separable convolution.

    A run holds one depthwise convolution, a pointwise one behind it, and maybe one in front; activations may stand
    between them, and activations and residual adds behind.
    """
    spans: set[tuple[int, int]] = set()
    for middle, kernel in enumerate(rows.kernels):
        if not is_depthwise(kernel):
            continue
        firsts, lasts = [middle, *_before(rows, middle)], _behind(rows, middle)
        spans |= {(first, last) for first in firsts for last in lasts}
    return frozenset(spans)


def _before(rows: RowProblem, middle: int) -> list[int]:
    """The pointwise convolution in front, with activations between."""
    index = middle - 1
    while index >= 0 and is_elementwise(rows.kernels[index], rows):
        index -= 1
    return [index] if index >= 0 and is_pointwise(rows.kernels[index]) else []


def _behind(rows: RowProblem, middle: int) -> list[int]:
    """Where the run may end: at the pointwise convolution behind, and at each elementwise kernel that follows it."""
    index = middle + 1
    while index < len(rows.kernels) and is_elementwise(rows.kernels[index], rows):
        index += 1
    if index >= len(rows.kernels) or not is_pointwise(rows.kernels[index]):
        return []
    ends = [index]
    while index + 1 < len(rows.kernels) and is_elementwise(rows.kernels[index + 1], rows):
        index += 1
        ends.append(index)
    return ends
