"""Poolings on NHWC arrays."""

from typing import Any

import numpy as np

from tinymo_xdsl.interpreter.sliding_window import SlidingWindow
from tinymo_xdsl.numerics.dense import Array
from tinymo_xdsl.numerics.fixed_point import IntegerArray
from tinymo_xdsl.numerics.requantize import apply_scale_32


def max_pool2d(x: Array, window: SlidingWindow, maximum: np.ufunc = np.maximum) -> Array:
    """TOSA `MAX_POOL2D`: `x` [N, H, W, C]; the border never wins. `maximum` says what becomes of a NaN."""
    lowest = -np.inf if np.issubdtype(x.dtype, np.floating) else np.iinfo(x.dtype).min
    taps = window.taps(window.padded(x, lowest))
    result = next(taps).copy()
    for tap in taps:
        maximum(result, tap, out=result)
    return result


def avg_pool2d(
    x: Array, window: SlidingWindow, accumulator: np.dtype[Any], input_zero_point: int = 0, output_zero_point: int = 0
) -> Array:
    """
    TOSA `AVG_POOL2D`: `x` [N, H, W, C]; the border does not count.

    Integers are divided by a rounded reciprocal. With both zero points 0 this rounds halves away from zero, as TFLite
    Micro's AVERAGE_POOL_2D does.
    """
    framed = window.padded(x.astype(accumulator) - accumulator.type(input_zero_point), 0)
    total = sum(window.taps(framed), np.zeros((), accumulator))
    counts = _elements_under(window, x.shape[1], x.shape[2])
    if np.issubdtype(accumulator, np.floating):
        return (total / counts.astype(accumulator)).astype(x.dtype)
    multiplier, shift = reciprocal_scale(counts)
    limits = np.iinfo(x.dtype)
    average = apply_scale_32(total, multiplier, shift) + np.int64(output_zero_point)
    return np.clip(average, limits.min, limits.max).astype(x.dtype)


def reciprocal_scale(divisor: IntegerArray) -> tuple[IntegerArray, IntegerArray]:
    """Multiplier and shift with which `apply_scale_32` divides by the positive `divisor` (TOSA `reciprocal_scale`)."""
    wide = divisor.astype(np.int64)
    # The number of bits of divisor - 1, which a float64 holds exactly.
    bits = np.frexp((wide - 1).astype(np.float64))[1].astype(np.int64)
    return (((np.int64(1) << 30) + 1) << bits) // wide, 30 + bits


def _elements_under(window: SlidingWindow, height: int, width: int) -> IntegerArray:
    """How many elements of the input lie under the kernel at each position: [1, OH, OW, 1]."""
    inside = window.padded(np.ones((1, height, width, 1), np.int32), 0)
    return sum(window.taps(inside), np.zeros((), np.int32))
