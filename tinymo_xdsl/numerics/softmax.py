"""Softmax over the last axis, as the TFLite reference kernels compute it in integers."""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from tinymo_xdsl.numerics import fixed_point
from tinymo_xdsl.numerics.activations import input_radius
from tinymo_xdsl.numerics.fixed_point import Int32Array, IntegerArray
from tinymo_xdsl.numerics.requantize import (
    Multiplier,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    round_half_away,
)

_DIFFERENCE_INTEGER_BITS = 5
"""Differences to the largest input are taken into fixed-point numbers in (-32, 0]."""
_SUM_INTEGER_BITS = 12
"""The sum of exponentials leaves room for 4096 terms of 1."""
_INT32_BITS = 31


def softmax(x: IntegerArray, input_scale: float, beta: float, output_dtype: np.dtype[Any]) -> IntegerArray:
    """
    `exp(beta * x) / sum(exp(beta * x))` over the last axis.

    int8 and uint8 inputs go to `output_dtype` int8, uint8 or int16, whose smallest value stands for 0 and whose scale
    is one over its number of values (1/256 or 1/65536). int16 inputs go to int16 with scale 1/32768 and zero point 0.
    The kernels abort on 8-bit outputs where the sum, relative to its largest term, reaches 512; this function goes on.
    """
    if x.dtype == np.int16:
        return _softmax_int16(x, input_scale, beta)
    exponentials = _exponentials(x, _product(input_scale, beta))
    # The terms are added without saturation; 4096 of them would wrap.
    total = fixed_point.rounding_divide_by_power_of_two(exponentials, _SUM_INTEGER_BITS).sum(
        axis=-1, keepdims=True, dtype=np.int32
    )
    reciprocal, exponent = _reciprocal(total)
    limits = np.iinfo(output_dtype)
    scaled = fixed_point.rounding_divide_by_power_of_two(
        fixed_point.saturating_rounding_doubling_high_mul(exponentials, reciprocal),
        exponent + _INT32_BITS - limits.bits,
    )
    return np.clip(scaled.astype(np.int64) + limits.min, limits.min, limits.max).astype(output_dtype)


def exponentials_of_differences(count: int, input_scale: float, beta: float) -> Int32Array:
    """What 8-bit inputs of `input_scale` add to the sum that are 0, 1, ... `count - 1` below the largest, in 2**-31."""
    return _exponentials(-np.arange(count, dtype=np.int32), _product(input_scale, beta))


def _product(input_scale: float, beta: float) -> float:
    return float(np.float32(input_scale)) * float(np.float32(beta))


def _exponentials(x: IntegerArray, scale: float) -> Int32Array:
    """`exp(scale * (x - max(x)))` without integer bits; 0 where the argument is out of fixed-point range."""
    # The kernel caps this factor at 2**31, where all but the largest inputs are out of range already.
    multiplier = quantize_multiplier(scale * (1 << (_INT32_BITS - _DIFFERENCE_INTEGER_BITS)))
    difference = x.astype(np.int32) - x.max(axis=-1, keepdims=True).astype(np.int32)
    inside = difference >= -input_radius(_DIFFERENCE_INTEGER_BITS, multiplier.shift)
    argument = multiply_by_quantized_multiplier(np.where(inside, difference, 0), multiplier.value, multiplier.shift)
    exponentials = fixed_point.exp_on_negative_values(argument, _DIFFERENCE_INTEGER_BITS)
    return np.where(inside, exponentials, np.int32(0))


def _reciprocal(total: Int32Array) -> tuple[Int32Array, Int32Array]:
    """`2**exponent / total` without integer bits, and the exponent that brings it into [1/2, 1]."""
    zeros = fixed_point.count_leading_zeros(total)
    fraction = (total.astype(np.int64) << zeros) - (1 << 31)
    return fixed_point.one_over_one_plus_x(fraction.astype(np.int32)), _SUM_INTEGER_BITS - zeros


def difference_multiplier(input_scale: float, beta: float) -> Multiplier:
    """What takes differences of 16-bit inputs to [-65535, 0], which stands for [-10, 0]."""
    return quantize_multiplier(_product(input_scale, beta) / (10.0 / 65535.0))


def _softmax_int16(x: IntegerArray, input_scale: float, beta: float) -> IntegerArray:
    multiplier = difference_multiplier(input_scale, beta)
    difference = x.astype(np.int32) - x.max(axis=-1, keepdims=True).astype(np.int32)
    scaled = multiply_by_quantized_multiplier(difference, multiplier.value, multiplier.shift)
    exponentials = _look_up(scaled.astype(np.int64) + 32767, exponential_table())
    total = exponentials.sum(axis=-1, keepdims=True, dtype=np.int32)
    zeros = fixed_point.count_leading_zeros(total)
    # The sum as 1 + f, with f as the symmetric int16 that the table takes.
    normalised = ((total.astype(np.int64) << (zeros - 1)) + (1 << 13)) >> 14
    reciprocal = _look_up(normalised - (1 << 15) - (1 << 16), reciprocal_table())
    right_shift = _INT32_BITS - zeros
    product = exponentials * reciprocal + (np.int64(1) << (right_shift - 1))
    return np.clip(product >> right_shift, 0, 32767).astype(np.int16)


def _look_up(x: IntegerArray, table: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Interpolate int16 (saturated) `x` in a table of 513 entries over the int16 range."""
    value = np.clip(x, -32768, 32767)
    index = 256 + (value >> 7)
    slope = table[index + 1] - table[index]
    return table[index] + ((slope * (value & 0x7F) + 64) >> 7)


@functools.cache
def exponential_table() -> npt.NDArray[np.int64]:
    """`exp(v)` in units of 1/32768 for `v` in [-10, 0]."""
    return _interpolation_table(math.exp, np.float32(10), zero_point=32767)


@functools.cache
def reciprocal_table() -> npt.NDArray[np.int64]:
    """`1 / (1 + v)` in units of 1/32768 for `v` in [0, 1]."""
    return _interpolation_table(lambda v: 1.0 / (1.0 + v), np.float32(1), zero_point=-32768)


def _interpolation_table(
    function: Callable[[float], float], width: np.float32, zero_point: int
) -> npt.NDArray[np.int64]:
    """
    513 entries of `function`, each moved by half the error of the chord that begins there (TFLite `LUTPopulate`).

    The kernel builds it in single precision; so every step here is rounded to float32.
    """
    input_scale = width / np.float32(65535)
    low, high = input_scale * np.float32(-32768 - zero_point), input_scale * np.float32(32767 - zero_point)
    step = (high - low) / np.float32(512)
    output_scale = np.float32(2) / np.float32(65535)
    units = np.float32(65536) / (output_scale * np.float32(32767) - output_scale * np.float32(-32768))

    def sample(position: np.float32) -> np.float32:
        return np.float32(function(float(position))) * units

    def entry(index: int) -> int:
        start = low + np.float32(index) * step
        here, there = sample(start), sample(low + np.float32(index + 1) * step)
        on_curve = round_half_away(float(sample(start + step / np.float32(2))))
        on_chord = round_half_away(float((there + np.float32(round_half_away(float(here)))) / np.float32(2)))
        return round_half_away(float(here)) - round_half_away((on_chord - on_curve) / 2)

    entries = [entry(index) for index in range(512)] + [round_half_away(float(sample(high)))]
    return np.clip(np.array(entries, np.int64), -32768, 32767)
