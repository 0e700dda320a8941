"""Weights as bytes: the one module that looks inside dense attributes."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import (
    BFloat16Type,
    BytesAttr,
    DenseIntOrFPElementsAttr,
    Float16Type,
    Float32Type,
    Float64Type,
    IndexType,
    IntegerType,
    Signedness,
    TensorType,
    f16,
    f32,
    f64,
    i1,
    i8,
    i16,
    i32,
    i64,
)
from xdsl.ir import Attribute

Array: TypeAlias = npt.NDArray[Any]

ui8 = IntegerType(8, Signedness.UNSIGNED)

_NUMPY_OF_FLOAT: dict[type[Attribute], str] = {Float16Type: "<f2", Float32Type: "<f4", Float64Type: "<f8"}
_ELEMENT_OF_NUMPY: dict[str, Attribute] = {
    "|b1": i1,
    "|i1": i8,
    "|u1": ui8,
    "<i2": i16,
    "<i4": i32,
    "<i8": i64,
    "<f2": f16,
    "<f4": f32,
    "<f8": f64,
}


def numpy_dtype(element: Attribute) -> np.dtype[Any]:
    """The numpy type that holds one `element`: the next wider standard integer for odd widths, as `i48`."""
    if isinstance(element, IndexType):
        return np.dtype("<i8")
    if isinstance(element, IntegerType):
        if element.width.data == 1:
            return np.dtype("|b1")
        size = next(size for size in (1, 2, 4, 8) if 8 * size >= element.width.data)
        kind = "u" if element.signedness.data is Signedness.UNSIGNED else "i"
        return np.dtype(f"<{kind}{size}")
    if isinstance(element, BFloat16Type):
        raise TypeError("bf16 has no numpy type")
    return np.dtype(_NUMPY_OF_FLOAT[type(element)])


def element_type(dtype: np.dtype[Any]) -> Attribute:
    """The builtin element type of arrays of `dtype`."""
    return _ELEMENT_OF_NUMPY[dtype.newbyteorder("<").str]


def from_numpy(array: Array, element: Attribute | None = None) -> DenseIntOrFPElementsAttr:
    """A dense attribute with the bytes of `array`; `element` overrides the element type that the dtype implies."""
    element = element or element_type(array.dtype)
    data = np.ascontiguousarray(array, numpy_dtype(element)).tobytes()
    return from_bytes(data, array.shape, element)


def from_bytes(data: bytes, shape: tuple[int, ...], element: Attribute) -> DenseIntOrFPElementsAttr:
    """A dense attribute of `shape` over little-endian `data`, which is not copied."""
    if not isinstance(element, IntegerType | IndexType | Float16Type | Float32Type | Float64Type):
        raise TypeError(f"{element} is no type of numbers")
    return DenseIntOrFPElementsAttr(TensorType(element, shape), BytesAttr(data))


def to_numpy(attribute: DenseIntOrFPElementsAttr) -> Array:
    """A read-only view of the elements, in their shape."""
    dtype = numpy_dtype(attribute.get_element_type())
    return np.frombuffer(attribute.data.data, dtype).reshape(attribute.get_shape())


def to_bytes(attribute: DenseIntOrFPElementsAttr) -> bytes:
    """The little-endian bytes of the elements, not copied."""
    return attribute.data.data
