"""How many bytes values take in memory."""

from math import prod

from xdsl.dialects.builtin import FixedBitwidthType, TensorType
from xdsl.ir import SSAValue

from tinymo_xdsl.dialects import tinymo

TOKEN_BYTES = 4
"""What stays of a spilled tensor in fast memory: the int32 that its reload takes."""


def byte_size(value: SSAValue) -> int:
    """Bytes of a tensor; elements narrower than a byte take one each, as in TFLite Micro."""
    if isinstance(value.type, tinymo.SpilledType):
        return TOKEN_BYTES
    if not isinstance(value.type, TensorType):
        return 0
    return prod(value.type.get_shape()) * element_bytes(value)


def element_bytes(value: SSAValue) -> int:
    """Bytes of one element of a tensor."""
    element = value.type.element_type if isinstance(value.type, TensorType) else None
    return -(-element.bitwidth // 8) if isinstance(element, FixedBitwidthType) else 1
