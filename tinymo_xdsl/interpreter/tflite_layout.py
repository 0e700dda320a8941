"""TFLite operators that move elements, with places or sizes that are known only at run time."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.interpreter.custom import Call, OperatorFunction
from tinymo_xdsl.numerics.dense import Array


def _dynamic_update_slice(call: Call) -> Array:
    """The update is moved so far that it fits into the operand."""
    result, update = call.array(0).copy(), call.array(1)
    last = np.array(result.shape) - update.shape
    begin = np.clip(call.array(2), 0, last)
    result[_window(begin, update.shape)] = update
    return result


def _fill(call: Call) -> Array:
    return np.full(call.output_shape, call.array(1).item(), call.array(1).dtype)


def _slice(call: Call) -> Array:
    """A size of -1 is all that is left; a window that leaves the input is an error, which TFLite Micro does not see."""
    x, begin, size = call.array(0), call.array(1), call.array(2)
    size = np.where(size < 0, np.array(x.shape) - begin, size)
    if (begin < 0).any() or (begin + size > x.shape).any():
        window = f"from {begin.tolist()} the size {size.tolist()}"
        raise BadModelError(f"{call.what}: {window} is outside the input's shape {list(x.shape)}")
    return x[_window(begin, tuple(size))]


def _window(begin: Array, size: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(int(low), int(low) + int(count)) for low, count in zip(begin, size, strict=True))


OPERATORS: Final[Mapping[str, OperatorFunction]] = MappingProxyType(
    {
        "DYNAMIC_UPDATE_SLICE": _dynamic_update_slice,
        "FILL": _fill,
        "SLICE": _slice,
    }
)
"""By the schema's name."""
