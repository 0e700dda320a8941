"""All operator families by the schema's name, and the guess which one a kernel without facts is."""

from types import MappingProxyType
from typing import Final

from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.operators import comparison, convolution, elementwise, layout, pooling, rearrangement, reduction, unary
from tinymo_xdsl.operators.base import Lift, OperatorFamily

_MODULES: Final = (convolution, pooling, elementwise, unary, comparison, reduction, layout, rearrangement)

FAMILIES: Final = MappingProxyType({family.name: family for module in _MODULES for family in module.FAMILIES})
"""The operators with an exact meaning in TOSA."""

_NAME_OF_ANCHOR: Final = (
    (tosa.DepthwiseConv2DOp, "DEPTHWISE_CONV_2D"),
    (tosa.TransposeConv2DOp, "TRANSPOSE_CONV"),
    (tosa.Conv2DOp, "CONV_2D"),
    (tosa.AvgPool2DOp, "AVERAGE_POOL_2D"),
    (tosa.MaxPool2DOp, "MAX_POOL_2D"),
    (tosa.ReduceMaxOp, "REDUCE_MAX"),
    (tosa.ReduceMinOp, "REDUCE_MIN"),
    (tosa.ReduceSumOp, "SUM"),
    (tosa.ArgMaxOp, "ARG_MAX"),
    (tosa.SelectOp, "PRELU"),
    (tosa.AddOp, "ADD"),
    (tosa.SubOp, "SUB"),
    (tosa.MulOp, "MUL"),
    (tosa.ConcatOp, "CONCATENATION"),
    (tosa.PadOp, "PAD"),
    (tosa.SliceOp, "SLICE"),
    (tosa.TransposeOp, "TRANSPOSE"),
    (tosa.GatherOp, "GATHER"),
    (tosa.TileOp, "BROADCAST_TO"),
    (tosa.ResizeOp, "RESIZE_NEAREST_NEIGHBOR"),
    (tosa.CastOp, "DEQUANTIZE"),
    (tosa.ReshapeOp, "RESHAPE"),
    (tosa.ClampOp, "RELU"),
    (tosa.RescaleOp, "QUANTIZE"),
)
"""The first kind of op that a kernel holds decides; the order is from the most to the least telling."""


def candidates(lift: Lift) -> list[OperatorFamily]:
    """The operators that a kernel may be, the likeliest first."""
    names = [lift.facts.name] if lift.facts.name is not None else []
    kinds = {type(op) for op in lift.kernel.ops}
    guess = next((name for kind, name in _NAME_OF_ANCHOR if kind in kinds), None)
    if guess == "CONV_2D" and convolution.is_fully_connected(lift):
        guess = "FULLY_CONNECTED"
    if guess == "SLICE" and tosa.ReshapeOp in kinds:
        guess = "STRIDED_SLICE"
    if guess is not None and guess not in names:
        names.append(guess)
    return [FAMILIES[name] for name in names if name in FAMILIES]
