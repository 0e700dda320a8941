"""Elementwise operations whose meaning is more than one numpy function."""

from typing import Any

import numpy as np

from tinymo_xdsl.numerics import fixed_point
from tinymo_xdsl.numerics.dense import Array
from tinymo_xdsl.numerics.fixed_point import Int32Array, IntegerArray
from tinymo_xdsl.numerics.requantize import apply_scale_16, apply_scale_32


def rescale(
    x: IntegerArray,
    multiplier: IntegerArray,
    shift: IntegerArray,
    input_zero_point: int,
    output_zero_point: int,
    output: np.dtype[Any],
    *,
    scale32: bool,
    double_round: bool,
) -> IntegerArray:
    """
    TOSA `RESCALE`: `(x - input_zero_point) * multiplier / 2**shift + output_zero_point`, limited to `output`.

    `multiplier` and `shift` hold one element, or one for each element of the last axis.
    """
    centred = x.astype(np.int64) - input_zero_point
    if scale32:
        scaled = apply_scale_32(centred, multiplier, shift, double_round)
    else:
        scaled = apply_scale_16(centred, multiplier, shift)
    limits = np.iinfo(output)
    return np.clip(scaled + np.int64(output_zero_point), limits.min, limits.max).astype(output)


def multiply(a: Array, b: Array, shift: int, output: np.dtype[Any]) -> Array:
    """TOSA `MUL`: the product in the dtype `output`, after a rounding right shift (halves up) of integers."""
    if np.issubdtype(output, np.floating):
        return (a * b).astype(output)
    product = a.astype(np.int64) * b.astype(np.int64)
    if shift:
        product = (product + (np.int64(1) << (shift - 1))) >> shift
    return product.astype(output)


def arithmetic_right_shift(a: IntegerArray, b: IntegerArray, *, rounding: bool) -> IntegerArray:
    """TOSA `ARITHMETIC_RIGHT_SHIFT`; `rounding` adds the last bit that was shifted out."""
    result = a >> b
    if rounding:
        lost = (a >> np.maximum(b - 1, 0)) & 1
        result = result + np.where(b > 0, lost, 0)
    return result.astype(a.dtype)


def lookup(x: IntegerArray, table: IntegerArray, output: np.dtype[Any]) -> IntegerArray:
    """
    TOSA `TABLE`: 256 entries from -128 on for int8 (0 for uint8); 513 entries 128 apart for int16.

    int16 is interpolated: the result has 7 more fraction bits than the entries.
    """
    if x.dtype != np.int16:
        return table[x.astype(np.int64) - np.iinfo(x.dtype).min].astype(output)
    wide = x.astype(np.int64)
    index, fraction = (wide >> 7) + 256, wide & 127
    entries = table.astype(np.int64)
    slope = np.clip(entries[index + 1] - entries[index], -(1 << 15), (1 << 15) - 1)
    return ((entries[index] << 7) + slope * fraction).astype(output)


def cast(x: Array, output: np.dtype[Any]) -> Array:
    """TOSA `CAST`: integers keep their low bits; floats round to the nearest even integer and saturate."""
    if output == np.bool_:
        return x != 0
    if np.issubdtype(x.dtype, np.floating) and np.issubdtype(output, np.integer):
        limits = np.iinfo(output)
        # A double holds both ends of every type up to 32 bits.
        return np.clip(np.rint(x.astype(np.float64)), limits.min, limits.max).astype(output)
    return x.astype(output)


def absolute(x: Array) -> Array:
    """TOSA `ABS`: the absolute value, that of the least integer limited to the greatest."""
    if np.issubdtype(x.dtype, np.floating):
        return np.abs(x)
    return np.minimum(np.abs(x.astype(np.int64)), np.iinfo(x.dtype).max).astype(x.dtype)


def negate(x: Array, input_zero_point: Array, output_zero_point: Array) -> Array:
    """TOSA `NEGATE`: `output_zero_point - (x - input_zero_point)`, limited to the type of `x`."""
    if np.issubdtype(x.dtype, np.floating):
        return -x
    limits = np.iinfo(x.dtype)
    result = output_zero_point.astype(np.int64) - (x.astype(np.int64) - input_zero_point)
    return np.clip(result, limits.min, limits.max).astype(x.dtype)


def count_leading_zeros(x: Int32Array) -> Int32Array:
    """TOSA `CLZ` of int32: zero bits before the first set bit, 32 for zero."""
    return np.where(x < 0, 0, fixed_point.count_leading_zeros(x)).astype(np.int32)


def logical_right_shift(a: IntegerArray, b: IntegerArray) -> IntegerArray:
    """TOSA `LOGICAL_RIGHT_SHIFT`: zeros come in from the left."""
    unsigned = f"u{a.dtype.itemsize}"
    return (a.view(unsigned) >> b.view(unsigned)).view(a.dtype)


def sigmoid(x: Array) -> Array:
    """`1 / (1 + exp(-x))` without overflow."""
    decay = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + decay), decay / (1 + decay)).astype(x.dtype)


def divide_towards_zero(a: IntegerArray, b: IntegerArray) -> IntegerArray:
    """TOSA `INTDIV`: the quotient without its fraction, as C divides."""
    wide_a, wide_b = a.astype(np.int64), b.astype(np.int64)
    magnitude = np.abs(wide_a) // np.abs(wide_b)
    return np.where((wide_a < 0) == (wide_b < 0), magnitude, -magnitude).astype(a.dtype)
