"""Which lowering is for which kernel."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from xdsl.ir import Operation

from tinymo_xdsl.analysis.kernels import Kernel, is_constant
from tinymo_xdsl.analysis.sizes import byte_size
from tinymo_xdsl.backend.c.body import Body, NoKernelError
from tinymo_xdsl.backend.c.layer import Layer
from tinymo_xdsl.backend.c.lowering import convolutions, customs, elements, layouts, pools, reductions
from tinymo_xdsl.backend.c.lowering.programs import is_program
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.facts import name_of

OpT = TypeVar("OpT", bound=Operation)


@dataclass(frozen=True)
class _Lowering(Generic[OpT]):
    """Kernels in which an op of one kind says what they are."""

    kind: type[OpT]
    lower: Callable[[Body, OpT], list[Layer]]

    def layers(self, body: Body) -> list[Layer] | None:
        """Their layers; `None` for a kernel without such an op."""
        return self.lower(body, body.only(self.kind)) if body.all(self.kind) else None


_LOWERINGS = (
    _Lowering(tosa.Conv2DOp, convolutions.convolution),
    _Lowering(tosa.DepthwiseConv2DOp, convolutions.depthwise),
    _Lowering(tosa.TransposeConv2DOp, convolutions.transposed),
    _Lowering(tosa.MaxPool2DOp, pools.pool),
    _Lowering(tosa.AvgPool2DOp, pools.pool),
    _Lowering(tosa.ConcatOp, layouts.concat),
    _Lowering(tosa.PadOp, layouts.pad),
    _Lowering(tosa.ResizeOp, layouts.resize),
    _Lowering(tosa.ReduceSumOp, reductions.reduction),
    _Lowering(tosa.ReduceMaxOp, reductions.reduction),
    _Lowering(tosa.ReduceMinOp, reductions.reduction),
    _Lowering(tosa.TransposeOp, reductions.transpose),
    _Lowering(tosa.CustomOp, customs.custom),
)
"""The most telling op first: a convolution has clamps and products of its own."""


def layers_of(kernel: Kernel) -> list[Layer]:
    """
    The layers that compute `kernel`, in order.

    Raises `NoKernelError`, which names the operator and its tensor, where there is no C for it.
    """
    body = Body(kernel)
    if not kernel.ops:
        if not all(map(is_constant, kernel.results)):
            raise NoKernelError(f"'{name_of(kernel.results[0])}' has no C kernel: a variable is returned as it is")
        return [layouts.copy_bytes(value, value, byte_size(value)) for value in kernel.results]
    if (layers := elements.table(body)) is not None:
        return layers
    for lowering in _LOWERINGS:
        if (layers := lowering.layers(body)) is not None:
            return layers
    if cuts := body.all(tosa.SliceOp):
        return [layer for op in cuts for layer in layouts.cut(body, op)]
    if all(isinstance(op, tosa.ReshapeOp) for op in kernel.ops):
        return layouts.reshape(body, body.all(tosa.ReshapeOp)[0])
    if is_program(body):
        return elements.program(body)
    raise body.error(f"there is none for {', '.join(dict.fromkeys(op.name for op in kernel.ops))}")
