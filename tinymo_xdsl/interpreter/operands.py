"""What the implementations of ops read from attributes, types and constant operands."""

from typing import Any, cast

import numpy as np
from xdsl.dialects.builtin import DenseArrayBase, IntegerType, TensorType
from xdsl.ir import Attribute, Operation

from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.numerics.dense import Array, numpy_dtype


def result_dtype(op: Operation) -> np.dtype[Any]:
    """The numpy type of the elements of the first result."""
    return element_dtype(cast(TensorType[Attribute], op.results[0].type).element_type)


def element_dtype(element: Attribute) -> np.dtype[Any]:
    """The numpy type of `element`. Raises `BadModelError` for types that numpy has not."""
    try:
        return numpy_dtype(element)
    except (KeyError, TypeError) as error:
        raise BadModelError(f"elements of type {element} cannot be interpreted; use f16 or f32") from error


def integers(array: DenseArrayBase) -> tuple[int, ...]:
    """The elements of an integer array attribute."""
    return cast(DenseArrayBase[IntegerType], array).get_values()


def pair(array: DenseArrayBase) -> tuple[int, int]:
    """Rows and columns."""
    rows, columns = integers(array)
    return rows, columns


def four(array: DenseArrayBase) -> tuple[int, int, int, int]:
    """Top, bottom, left and right."""
    top, bottom, left, right = integers(array)
    return top, bottom, left, right


def integer(constant: Array) -> int:
    """The one element of a zero point or shift; those of float operations are 0."""
    return int(constant.reshape(-1)[0])
