"""TFLite operators that compute whole rows or images together: norms, running sums, poolings, resizing."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.interpreter.custom import Call, OperatorFunction
from tinymo_xdsl.interpreter.sliding_window import SlidingWindow
from tinymo_xdsl.interpreter.tflite_elementwise import with_activation
from tinymo_xdsl.numerics.dense import Array
from tinymo_xdsl.numerics.log_softmax import log_softmax
from tinymo_xdsl.numerics.reciprocals import l2_normalize
from tinymo_xdsl.numerics.requantize import addition_multipliers, multiply_by_quantized_multiplier
from tinymo_xdsl.numerics.resizing import interpolate, interpolate_integers, nearest

_LEAST_NORM: Final = np.float32(1e-6)


def _l2_normalization(call: Call) -> Array:
    """The squares of a row of floats are added one after another."""
    x = call.array(0)
    if x.dtype == np.int8:
        return l2_normalize(x, call.input_facts(0).one_zero_point)
    _require_float(call, x)
    norms = np.sqrt(np.cumsum(x * x, axis=-1, dtype=x.dtype)[..., -1:])
    return x / np.maximum(norms, _LEAST_NORM)


def _log_softmax(call: Call) -> Array:
    x = call.array(0)
    if x.dtype == np.int8:
        return log_softmax(x, call.input_facts(0).one_scale)
    _require_float(call, x)
    centred = x - x.max(axis=-1, keepdims=True)
    return centred - np.log(np.cumsum(np.exp(centred), axis=-1, dtype=x.dtype)[..., -1:])


def _require_float(call: Call, x: Array) -> None:
    if x.dtype != np.float32:
        raise BadModelError(f"{call.what}: {x.dtype.name} cannot be interpreted; use float32")


def _running_sum(call: Call) -> Array:
    x, axis = call.array(0), int(call.array(1).item())
    reverse, exclusive = call.option("reverse", False), call.option("exclusive", False)
    if x.dtype == np.int8:
        return _running_sum_of_integers(call, x, axis, reverse=reverse, exclusive=exclusive)
    return _added(x, np.zeros((), x.dtype), axis, reverse=reverse, exclusive=exclusive)


def _added(x: Array, start: Array, axis: int, *, reverse: bool, exclusive: bool) -> Array:
    ordered = np.flip(x, axis) if reverse else x
    first = np.broadcast_to(start, tuple(1 if at == axis % x.ndim else size for at, size in enumerate(x.shape)))
    sums = np.cumsum(np.concatenate([first, ordered], axis), axis, dtype=x.dtype)
    kept = np.delete(sums, -1 if exclusive else 0, axis)
    return np.flip(kept, axis) if reverse else kept


def _running_sum_of_integers(call: Call, x: Array, axis: int, *, reverse: bool, exclusive: bool) -> Array:
    """As the kernel has it, the sum begins with what is stored as 0."""
    source, result = call.input_facts(0), call.output_facts
    scales = addition_multipliers(source.one_scale, source.one_scale, result.one_scale, x.dtype)
    centred = (x.astype(np.int32) - source.one_zero_point) << scales.left_shift
    terms = multiply_by_quantized_multiplier(centred, scales.first.value, scales.first.shift)
    start = np.array(-source.one_zero_point << (scales.left_shift - 1), np.int32)
    sums = _added(terms, start, axis, reverse=reverse, exclusive=exclusive)
    scaled = multiply_by_quantized_multiplier(sums, scales.output.value, scales.output.shift)
    return np.clip(scaled + result.one_zero_point, -128, 127).astype(np.int8)


def _l2_pool(call: Call) -> Array:
    """The root of the mean of the squares under each window; what lies outside does not count."""
    x = call.array(0)
    _require_float(call, x)
    kernel = call.option("filter_height", 0), call.option("filter_width", 0)
    stride = call.option("stride_h", 0), call.option("stride_w", 0)
    pads: list[int] = []
    for size, taps, step, to in zip(x.shape[1:3], kernel, stride, call.output_shape[1:3], strict=True):
        missing = max((to - 1) * step + taps - size, 0) if call.option("padding", "SAME") == "SAME" else 0
        pads += [missing // 2, missing - missing // 2]
    window = SlidingWindow(kernel, stride, (pads[0], pads[1], pads[2], pads[3]))
    squares = sum(window.taps(window.padded(x * x, 0)), np.zeros((), x.dtype))
    counts = sum(window.taps(window.padded(np.ones((1, *x.shape[1:3], 1), x.dtype), 0)), np.zeros((), x.dtype))
    return with_activation(call, np.sqrt(squares / counts))


def _resize_bilinear(call: Call) -> Array:
    x, (height, width) = call.array(0), call.output_shape[1:3]
    corners, centres = call.option("align_corners", False), call.option("half_pixel_centers", False)
    resize = interpolate_integers if x.dtype == np.int8 else interpolate
    if x.dtype != np.int8:
        _require_float(call, x)
    return resize(x, height, width, align_corners=corners, half_pixel_centers=centres)


def _resize_nearest(call: Call) -> Array:
    x, (height, width) = call.array(0), call.output_shape[1:3]
    corners, centres = call.option("align_corners", False), call.option("half_pixel_centers", False)
    rows, columns = (
        nearest(size, to, align_corners=corners, half_pixel_centers=centres)
        for size, to in ((x.shape[1], height), (x.shape[2], width))
    )
    return x[:, rows][:, :, columns]


OPERATORS: Final[Mapping[str, OperatorFunction]] = MappingProxyType(
    {
        "CUMSUM": _running_sum,
        "L2_NORMALIZATION": _l2_normalization,
        "L2_POOL_2D": _l2_pool,
        "LOG_SOFTMAX": _log_softmax,
        "RESIZE_BILINEAR": _resize_bilinear,
        "RESIZE_NEAREST_NEIGHBOR": _resize_nearest,
    }
)
"""By the schema's name."""
