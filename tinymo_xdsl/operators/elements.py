"""The element types that stand for the data types of a `.tflite` file."""

from types import MappingProxyType
from typing import Final

from xdsl.dialects.builtin import IntegerType, Signedness, f16, f32, f64, i1, i8, i16, i32, i64
from xdsl.ir import Attribute

from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.facts import TensorFacts


def _unsigned(width: int) -> IntegerType:
    return IntegerType(width, Signedness.UNSIGNED)


ELEMENT_TYPES: Final = MappingProxyType[str, Attribute](
    {
        "INT8": i8,
        "UINT8": _unsigned(8),
        "INT16": i16,
        "UINT16": _unsigned(16),
        "INT32": i32,
        "UINT32": _unsigned(32),
        "INT64": i64,
        "UINT64": _unsigned(64),
        "FLOAT16": f16,
        "FLOAT32": f32,
        "FLOAT64": f64,
        "BOOL": i1,
    }
)
"""Data types that an element type tells exactly."""

_DATA_TYPES: Final = {element: dtype for dtype, element in ELEMENT_TYPES.items()}
_HANDLES: Final = ("RESOURCE", "STRING", "VARIANT")


def element_of(dtype: str) -> Attribute:
    """The element type for `dtype`; a carrier of bytes, or i32 for a handle, where only the facts tell the type."""
    return ELEMENT_TYPES.get(dtype, i32 if dtype in _HANDLES else i8)


def dtype_of(element: Attribute, facts: TensorFacts) -> str:
    """The data type of a tensor in the file."""
    if facts.dtype is not None:
        return facts.dtype
    if (dtype := _DATA_TYPES.get(element)) is None:
        raise BadModelError(f"tensor '{facts.name}': a .tflite file has no data type for elements of {element}")
    return dtype
