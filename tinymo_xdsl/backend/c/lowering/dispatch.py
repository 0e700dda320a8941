"""Which lowering is for which kernel."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from xdsl.ir import Operation

from tinymo_xdsl.analysis.kernels import Kernel
from tinymo_xdsl.backend.c.body import Body
from tinymo_xdsl.backend.c.layer import Layer
from tinymo_xdsl.backend.c.lowering import convolutions, customs, elements, layouts, pools
from tinymo_xdsl.dialects import tosa

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
    _Lowering(tosa.SelectOp, elements.prelu),
    _Lowering(tosa.AddOp, elements.binary),
    _Lowering(tosa.SubOp, elements.binary),
    _Lowering(tosa.MulOp, elements.binary),
    _Lowering(tosa.ConcatOp, layouts.concat),
    _Lowering(tosa.PadOp, layouts.pad),
    _Lowering(tosa.ResizeOp, layouts.resize),
    _Lowering(tosa.CustomOp, customs.custom),
    _Lowering(tosa.ClampOp, elements.clamp),
)
"""The most telling op first: a convolution has clamps and products of its own."""


def layers_of(kernel: Kernel) -> list[Layer]:
    """
    The layers that compute `kernel`, in order.

    Raises `NoKernelError`, which names the operator and its tensor, where there is no C for it.
    """
    body = Body(kernel)
    if (layers := elements.table(body)) is not None:
        return layers
    for lowering in _LOWERINGS:
        if (layers := lowering.layers(body)) is not None:
            return layers
    if cuts := body.all(tosa.SliceOp):
        return [layer for op in cuts for layer in layouts.cut(body, op)]
    if reshapes := body.all(tosa.ReshapeOp):
        return layouts.reshape(body, reshapes[0])
    kinds = ", ".join(dict.fromkeys(op.name for op in kernel.ops))
    raise body.error(f"there is none for {kinds or 'no op'}")
