"""TFLite operators that move elements, with places or sizes that are known only at run time."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.interpreter.custom import Call, OperatorFunction
from tinymo_xdsl.interpreter.operands import result_dtype
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


def _strided_slice(call: Call) -> Array:
    """Masks leave bounds open, and take axes away of which one element is picked."""
    x, (begin, end, steps) = call.array(0), (call.array(position).tolist() for position in (1, 2, 3))
    masks = ("begin_mask", "end_mask", "shrink_axis_mask", "ellipsis_mask", "new_axis_mask")
    first, last, single, *others = (call.option(mask, 0) for mask in masks)
    if any(others):
        raise BadModelError(f"{call.what}: a slice that adds axes cannot be interpreted")
    if call.option("offset", False):
        end = [low + high for low, high in zip(begin, end, strict=True)]
    picked: list[int | slice] = []
    for axis, (low, high, step) in enumerate(zip(begin, end, steps, strict=True)):
        bounds = slice(None if first >> axis & 1 else low, None if last >> axis & 1 else high, step)
        picked.append(low if single >> axis & 1 else bounds)
    return x[tuple(picked)]


def _reshape(call: Call) -> Array:
    return call.array(0).reshape(call.output_shape)


def _window(begin: Array, size: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(int(low), int(low) + int(count)) for low, count in zip(begin, size, strict=True))


def _mirror_pad(call: Call) -> Array:
    """The frame repeats the elements next to the border, with `mode` 1 those at the border too."""
    mode = "symmetric" if call.option("mode", 0) else "reflect"
    return np.pad(call.array(0), call.array(1).tolist(), mode=mode)


def _gather(call: Call) -> Array:
    x, places = call.array(0), call.array(1)
    axis = call.option("axis", 0) + x.ndim * (call.option("axis", 0) < 0)
    batch = call.option("batch_dims", 0) + places.ndim * (call.option("batch_dims", 0) < 0)
    _require_inside(call, places, x.shape[axis])
    rows = x.reshape(-1, *x.shape[batch:])
    picked = [
        np.take(row, place, axis - batch)
        for row, place in zip(rows, places.reshape(-1, *places.shape[batch:]), strict=True)
    ]
    return np.stack(picked).reshape(call.output_shape)


def _gather_nd(call: Call) -> Array:
    x, places = call.array(0), call.array(1)
    for axis in range(places.shape[-1]):
        _require_inside(call, places[..., axis], x.shape[axis])
    return x[tuple(np.moveaxis(places, -1, 0))]


def _require_inside(call: Call, places: Array, size: int) -> None:
    if places.size and (places.min() < 0 or places.max() >= size):
        raise BadModelError(f"{call.what}: it picks an element that is not among the {size} of its axis")


def _broadcast_to(call: Call) -> Array:
    return np.broadcast_to(call.array(0), call.output_shape).copy()


def _broadcast_args(call: Call) -> Array:
    """The shape that both shapes stretch to."""
    first, second = (tuple(int(size) for size in call.array(position)) for position in (0, 1))
    return np.array(np.broadcast_shapes(first, second), call.array(0).dtype)


def _shape(call: Call) -> Array:
    return np.array(call.array(0).shape, result_dtype(call.op))


def _transpose(call: Call) -> Array:
    return call.array(0).transpose(call.array(1).tolist())


OPERATORS: Final[Mapping[str, OperatorFunction]] = MappingProxyType(
    {
        "BROADCAST_ARGS": _broadcast_args,
        "BROADCAST_TO": _broadcast_to,
        "DYNAMIC_UPDATE_SLICE": _dynamic_update_slice,
        "FILL": _fill,
        "GATHER": _gather,
        "GATHER_ND": _gather_nd,
        "MIRROR_PAD": _mirror_pad,
        "RESHAPE": _reshape,
        "SHAPE": _shape,
        "SLICE": _slice,
        "STRIDED_SLICE": _strided_slice,
        "TRANSPOSE": _transpose,
    }
)
"""By the schema's name."""
