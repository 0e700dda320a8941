"""
Convolutions on NHWC arrays.

Integer sums are exact. Where the weights bound every partial sum below the mantissa of a float type, the sum is a
matrix product of that type, which is exact too and many times faster than integer products in numpy.
Float sums add one product at a time, in the order of TFLite Micro's reference kernels, so that they round alike.
"""

from typing import Any

import numpy as np

from tinymo_xdsl.interpreter.sliding_window import SlidingWindow
from tinymo_xdsl.numerics.dense import Array

_EXACT_IN_FLOAT32 = 1 << 24
_EXACT_IN_FLOAT64 = 1 << 53


def conv2d(
    x: Array,
    weight: Array,
    bias: Array,
    window: SlidingWindow,
    accumulator: np.dtype[Any],
    input_zero_point: int = 0,
    weight_zero_point: int = 0,
) -> Array:
    """
    TOSA `CONV2D`: `x` [N, H, W, C], `weight` [OC, KH, KW, C], `bias` [OC] or [1], result [N, OH, OW, OC].

    The border holds the input's zero point. The result has the dtype `accumulator`.
    """
    if np.issubdtype(accumulator, np.floating):
        return _conv2d_float(x, weight, bias, window, accumulator)
    filters = weight.reshape(len(weight), -1).T.astype(np.int64) - weight_zero_point
    columns = _columns(x, window, exact_dtype(x.dtype, input_zero_point, filters), input_zero_point)
    products = columns.reshape(-1, len(filters)) @ filters.astype(columns.dtype)
    return _as_integers(products, accumulator).reshape(*columns.shape[:3], -1) + bias.astype(accumulator)


def conv3d(
    x: Array,
    weight: Array,
    bias: Array,
    window: SlidingWindow,
    depth: SlidingWindow,
    accumulator: np.dtype[Any],
    input_zero_point: int = 0,
    weight_zero_point: int = 0,
) -> Array:
    """
    TOSA `CONV3D`: `x` [N, D, H, W, C], `weight` [OC, KD, KH, KW, C], `bias` [OC] or [1], result [N, OD, OH, OW, OC].

    `window` moves over rows and columns; the rows of `depth` say how the kernel moves over the planes.
    """
    planes: list[Array] = []
    front, step, apart = depth.pad[0], depth.stride[0], depth.dilation[0]
    shape = (len(x), *window.output_size(x.shape[2], x.shape[3]), len(weight))
    none = np.zeros(1, accumulator)
    for position in range(depth.output_size(x.shape[1], 1)[0]):
        total = np.zeros(shape, accumulator)
        for tap in range(weight.shape[1]):
            plane = position * step + tap * apart - front
            if 0 <= plane < x.shape[1]:
                kernel = weight[:, tap]
                total += conv2d(x[:, plane], kernel, none, window, accumulator, input_zero_point, weight_zero_point)
        planes.append(total + bias.astype(accumulator))
    return np.stack(planes, axis=1)


def depthwise_conv2d(
    x: Array,
    weight: Array,
    bias: Array,
    window: SlidingWindow,
    accumulator: np.dtype[Any],
    input_zero_point: int = 0,
    weight_zero_point: int = 0,
) -> Array:
    """
    TOSA `DEPTHWISE_CONV2D`: `x` [N, H, W, C], `weight` [KH, KW, C, M], `bias` [C*M] or [1], result [N, OH, OW, C*M].

    The border holds the input's zero point. The result has the dtype `accumulator`.
    """
    multiplier = weight.shape[3]
    zero_point, weight_offset = accumulator.type(input_zero_point), accumulator.type(weight_zero_point)
    filters = (weight.astype(accumulator) - weight_offset).reshape(-1, weight.shape[2] * multiplier)
    framed = window.padded(x.astype(accumulator) - zero_point, 0)
    rows, columns = window.output_size(x.shape[1], x.shape[2])
    total = np.zeros((x.shape[0], rows, columns, filters.shape[1]), accumulator)
    product = np.empty_like(total)
    for tap, taps_filter in zip(window.taps(framed), filters, strict=True):
        total += np.multiply(tap if multiplier == 1 else tap.repeat(multiplier, axis=3), taps_filter, out=product)
    return total + bias.astype(accumulator)


def transpose_conv2d(
    x: Array,
    weight: Array,
    bias: Array,
    stride: tuple[int, int],
    out_pad: tuple[int, int, int, int],
    accumulator: np.dtype[Any],
    input_zero_point: int = 0,
    weight_zero_point: int = 0,
) -> Array:
    """
    TOSA `TRANSPOSE_CONV2D`: `x` [N, H, W, C], `weight` [OC, KH, KW, C], `bias` [OC] or [1], result [N, OH, OW, OC].

    `out_pad` (top, bottom, left, right) adds rows and columns to the result, or takes them away where negative.
    """
    channels_out, kernel_height, kernel_width, channels = weight.shape
    batch, height, width, _ = x.shape
    full = np.zeros(
        (batch, (height - 1) * stride[0] + kernel_height, (width - 1) * stride[1] + kernel_width, channels_out),
        accumulator,
    )
    pixels = x.reshape(-1, channels)
    # From the last tap to the first, an output receives its inputs in the order in which they lie in memory.
    for ky in reversed(range(kernel_height)):
        for kx in reversed(range(kernel_width)):
            rows = slice(ky, ky + (height - 1) * stride[0] + 1, stride[0])
            columns = slice(kx, kx + (width - 1) * stride[1] + 1, stride[1])
            filters = weight[:, ky, kx].T
            if np.issubdtype(accumulator, np.floating):
                _add_products_in_order(full[:, rows, columns], x, filters)
                continue
            wide = filters.astype(np.int64) - weight_zero_point
            dtype = exact_dtype(x.dtype, input_zero_point, wide)
            products = (pixels.astype(dtype) - dtype.type(input_zero_point)) @ wide.astype(dtype)
            full[:, rows, columns] += _as_integers(products, accumulator).reshape(batch, height, width, -1)
    return _grown(full, out_pad) + bias.astype(accumulator)


def _conv2d_float(x: Array, weight: Array, bias: Array, window: SlidingWindow, accumulator: np.dtype[Any]) -> Array:
    framed = window.padded(x.astype(accumulator), 0)
    filters = weight.astype(accumulator).reshape(len(weight), -1, weight.shape[3])
    rows, columns = window.output_size(x.shape[1], x.shape[2])
    total = np.zeros((x.shape[0], rows, columns, len(weight)), accumulator)
    for index, tap in enumerate(window.taps(framed)):
        _add_products_in_order(total, tap, filters[:, index].T)
    return total + bias.astype(accumulator)


def _add_products_in_order(total: Array, x: Array, filters: Array) -> None:
    """Add `x` [..., C] times `filters` [C, OC] to `total` [..., OC], channel after channel."""
    product = np.empty(total.shape, total.dtype)
    for channel, row in enumerate(filters):
        total += np.multiply(x[..., channel : channel + 1], row, out=product)


def _columns(x: Array, window: SlidingWindow, dtype: np.dtype[Any], zero_point: int) -> Array:
    """The inputs under the kernel at each position: [N, OH, OW, KH*KW*C], less the zero point."""
    framed = window.padded(x.astype(dtype) - dtype.type(zero_point), 0)
    rows, columns = window.output_size(x.shape[1], x.shape[2])
    taps = window.kernel[0] * window.kernel[1]
    gathered = np.empty((x.shape[0], rows, columns, taps, x.shape[3]), dtype)
    for index, tap in enumerate(window.taps(framed)):
        gathered[..., index, :] = tap
    return gathered.reshape(x.shape[0], rows, columns, -1)


def exact_dtype(inputs: np.dtype[Any], zero_point: int, filters: Array) -> np.dtype[Any]:
    """The fastest type in which no sum of products of `filters` [K, OC] with such inputs can be rounded."""
    limits = np.iinfo(inputs)
    largest_input = max(int(limits.max) - zero_point, zero_point - int(limits.min))
    largest_sum = largest_input * int(np.abs(filters).sum(axis=0).max(initial=0))
    if largest_sum < _EXACT_IN_FLOAT32:
        return np.dtype(np.float32)
    return np.dtype(np.float64 if largest_sum < _EXACT_IN_FLOAT64 else np.int64)


def _as_integers(products: Array, accumulator: np.dtype[Any]) -> Array:
    """Whole numbers in the dtype `accumulator`, wrapped to its width as integer additions would have been."""
    if products.dtype == np.float32:
        return products.astype(accumulator)
    return products.astype(np.int64).astype(accumulator)


def _grown(x: Array, out_pad: tuple[int, int, int, int]) -> Array:
    top, bottom, left, right = out_pad
    cropped = x[
        :,
        max(0, -top) : x.shape[1] - max(0, -bottom),
        max(0, -left) : x.shape[2] - max(0, -right),
    ]
    border = ((0, 0), (max(0, top), max(0, bottom)), (max(0, left), max(0, right)), (0, 0))
    return np.pad(cropped, border)
