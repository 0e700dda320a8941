"""Multiply-accumulates: what a model costs in time, to a first approximation."""

from collections.abc import Iterable
from math import prod

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Operation, SSAValue

from tinymo_xdsl.analysis.kernels import Kernel, kernels_of
from tinymo_xdsl.analysis.loops import loop_of
from tinymo_xdsl.dialects import tosa


def _shape(value: SSAValue) -> tuple[int, ...]:
    return value.type.get_shape() if isinstance(value.type, TensorType) else ()


def op_macs(op: Operation) -> int:
    """The multiply-accumulates of one op; 0 for all but convolutions and matrix products."""
    match op:
        case tosa.Conv2DOp() | tosa.Conv3DOp():
            return prod(_shape(op.output)) * prod(_shape(op.weight)[1:])
        case tosa.DepthwiseConv2DOp():
            return prod(_shape(op.output)) * prod(_shape(op.weight)[:2])
        case tosa.TransposeConv2DOp():
            return prod(_shape(op.input)) * prod(_shape(op.weight)[:3])
        case tosa.MatMulOp():
            return prod(_shape(op.operands[0])) * _shape(op.operands[1])[-1]
        case _:
            return 0


def kernel_macs(kernel: Kernel) -> int:
    """The multiply-accumulates of one kernel; those of all rounds of a loop, as far as their number is known."""
    loop = loop_of(kernel)
    if loop is not None:
        return (loop.rounds or 1) * total_macs(kernels_of(loop.body))
    return sum(map(op_macs, kernel.ops))


def total_macs(kernels: Iterable[Kernel]) -> int:
    """The multiply-accumulates of a schedule."""
    return sum(map(kernel_macs, kernels))
