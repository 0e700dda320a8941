"""
Element-wise activations of the TFLite Micro reference kernels.

A function takes stored int8 or int16 values and returns stored values of the same type. Over `INT8_VALUES` it gives
the 256 entries of a `tosa.table`.
"""

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tinymo_xdsl.numerics import fixed_point
from tinymo_xdsl.numerics.fixed_point import Int32Array, IntegerArray
from tinymo_xdsl.numerics.requantize import (
    Multiplier,
    effective_scale,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    reduce_multiplier,
    round_half_away,
)

Int8Array: TypeAlias = npt.NDArray[np.int8]
Int16Array: TypeAlias = npt.NDArray[np.int16]

INT8_VALUES: Int8Array = np.arange(-128, 128).astype(np.int8)
"""Every int8, in the order of the entries of a `tosa.table`."""
INT8_VALUES.flags.writeable = False

_INT8_INPUT_INTEGER_BITS = 4
"""Logistic and tanh take int8 inputs into fixed-point numbers in [-16, 16)."""


def logistic(x: IntegerArray, input_scale: float, input_zero_point: int = 0) -> IntegerArray:
    """
    The logistic function.

    The scale and zero point of the output are given by the kernel: 1/256 and -128 for int8, 1/32768 and 0 for int16,
    whose input zero point is 0 too.
    """
    if x.dtype == np.int16:
        return _logistic_int16(x, input_scale)
    return _through_fixed_point(x, input_scale, input_zero_point, fixed_point.logistic, 8, zero_point=-128)


def tanh(x: IntegerArray, input_scale: float, input_zero_point: int = 0) -> IntegerArray:
    """
    The hyperbolic tangent.

    The scale and zero point of the output are given by the kernel: 1/128 and 0 for int8, 1/32768 and 0 for int16,
    whose input zero point is 0 too.
    """
    if x.dtype == np.int16:
        return _tanh_int16(x, input_scale)
    return _through_fixed_point(x, input_scale, input_zero_point, fixed_point.tanh, 7, zero_point=0)


def hard_swish(
    x: IntegerArray, input_scale: float, input_zero_point: int, output_scale: float, output_zero_point: int
) -> IntegerArray:
    """`x * relu6(x + 3) / 6` of int8. The kernel takes no `input_scale` over 128 times the `output_scale`."""
    fine_scale = input_scale / 128
    to_output = quantize_multiplier(effective_scale(fine_scale, 1.0, output_scale))
    to_gate = quantize_multiplier(effective_scale(fine_scale, 1.0, 3.0 / 32768.0))
    fine = (x.astype(np.int32) - input_zero_point) << 7
    product = _hard_swish_gate(fine, to_gate) * _rounding_high_mul_int16(fine, to_output)
    # The kernel truncates towards zero here, to cancel the bias of the roundings before.
    truncated = np.sign(product) * (np.abs(product) >> 15)
    shifted = fixed_point.rounding_divide_by_power_of_two(truncated, -to_output.shift)
    return _clip_to(shifted + output_zero_point, x.dtype)


def leaky_relu(
    x: IntegerArray,
    alpha: float,
    input_scale: float,
    input_zero_point: int,
    output_scale: float,
    output_zero_point: int,
) -> IntegerArray:
    """`x` where it is positive, else `alpha * x`, of int8 or int16."""
    identity = quantize_multiplier(effective_scale(input_scale, 1.0, output_scale))
    slope = quantize_multiplier(effective_scale(input_scale, alpha, output_scale))
    centred = x.astype(np.int32) - input_zero_point
    positive = multiply_by_quantized_multiplier(centred, identity.value, identity.shift)
    negative = multiply_by_quantized_multiplier(centred, slope.value, slope.shift)
    return _clip_to(np.where(centred >= 0, positive, negative) + output_zero_point, x.dtype)


def elu(
    x: IntegerArray, input_scale: float, input_zero_point: int, output_scale: float, output_zero_point: int
) -> IntegerArray:
    """`x` where it is positive, else `exp(x) - 1`, of int8; computed in single precision."""
    real = np.float32(input_scale) * (x.astype(np.int32) - input_zero_point).astype(np.float32)
    value = np.where(real < 0, np.expm1(real), real)
    scaled = value * (np.float32(1) / np.float32(output_scale))
    rounded = np.trunc(scaled + np.copysign(np.float32(0.5), scaled)).astype(np.int32)
    return _clip_to(rounded + output_zero_point, x.dtype)


def _through_fixed_point(
    x: IntegerArray,
    input_scale: float,
    input_zero_point: int,
    function: Callable[[Int32Array, int], Int32Array],
    output_fraction_bits: int,
    zero_point: int,
) -> IntegerArray:
    """`function` of int8 inputs, its result rounded to `output_fraction_bits`; outside [-15, 15] it saturates."""
    multiplier = quantize_multiplier(float(np.float32(input_scale)) * (1 << (31 - _INT8_INPUT_INTEGER_BITS)))
    radius = input_radius(_INT8_INPUT_INTEGER_BITS, multiplier.shift)
    centred = x.astype(np.int32) - input_zero_point
    inside = np.abs(centred) < radius
    argument = multiply_by_quantized_multiplier(np.where(inside, centred, 0), multiplier.value, multiplier.shift)
    value = fixed_point.rounding_divide_by_power_of_two(
        function(argument, _INT8_INPUT_INTEGER_BITS), 31 - output_fraction_bits
    )
    limits = np.iinfo(x.dtype)
    saturated = np.where(centred < 0, limits.min, limits.max)
    return _clip_to(np.where(inside, value + zero_point, saturated), x.dtype)


def input_radius(integer_bits: int, left_shift: int) -> int:
    """
    The magnitude from which a centred input, shifted left, leaves fixed point with `integer_bits` integer bits.

    TFLite `CalculateInputRadius`, for 31 bits.
    """
    return math.floor(((1 << integer_bits) - 1) * 2.0 ** (31 - integer_bits - left_shift))


def _hard_swish_gate(fine: Int32Array, multiplier: Multiplier) -> Int32Array:
    """`relu6(x + 3) / 6` as an int16 value of scale 1/32768: a rescaling of [-3, 3] that saturates at its ends."""
    if multiplier.shift > 0:
        # All but the last bit of the left shift come before the product, where saturation cannot yet matter.
        rescaled = _rounding_high_mul_int16(_shift_left_int16(fine, multiplier.shift - 1), multiplier)
        rescaled = _shift_left_int16(rescaled, 1)
    else:
        rescaled = _rounding_high_mul_int16(fine, multiplier)
        rescaled = fixed_point.rounding_divide_by_power_of_two(rescaled, -multiplier.shift)
    return (rescaled + (1 << 15)) >> 1


def _shift_left_int16(x: Int32Array, amount: int) -> Int32Array:
    """`x * 2**amount` of int16 values, limited to int16."""
    return np.clip(x.astype(np.int64) << amount, -(1 << 15), (1 << 15) - 1).astype(np.int32)


def _rounding_high_mul_int16(x: Int32Array, multiplier: Multiplier) -> Int32Array:
    """`round(x * m / 2**15)` of int16 `x` with the 15-bit mantissa `m` of `multiplier`."""
    return (x * reduce_multiplier(multiplier.value).astype(np.int32) + (1 << 14)) >> 15


def _logistic_int16(x: IntegerArray, input_scale: float) -> IntegerArray:
    argument = _table_argument(x, input_scale, exact_left_shifts=(0,))
    magnitude = _interpolated_sigmoid(np.abs(argument), fraction_bits=9, saturated=0x7FFF << 10)
    rounding = 1 << 9
    signed = np.where(argument >= 0, magnitude + rounding, (1 << 25) - magnitude + rounding - 1)
    return (signed >> 10).astype(np.int16)


def _tanh_int16(x: IntegerArray, input_scale: float) -> IntegerArray:
    # tanh(x) = 2 * sigmoid(2 * x) - 1, so the same samples are read at twice the argument.
    argument = _table_argument(x, input_scale, exact_left_shifts=(0, 1))
    above_half = _interpolated_sigmoid(np.abs(argument), fraction_bits=8, saturated=0xFFFF << 8) - (1 << 23)
    rounding = 1 << 7
    signed = np.where(argument >= 0, above_half + rounding, -above_half + rounding - 1)
    return (signed >> 8).astype(np.int16)


def _table_argument(x: IntegerArray, input_scale: float, exact_left_shifts: tuple[int, ...]) -> IntegerArray:
    """
    int16 `x` in units of 1/12288, in which a step of the table is 512 units.

    A scale that is a power of two and near the kernel's own 1/4096 takes an exact left shift; others are rescaled with
    15 bits, truncated.
    """
    shift = 12 + rounded_log2(input_scale)
    if shift in exact_left_shifts and _is_power_of_two(input_scale):
        return x.astype(np.int64) * (3 << shift)
    multiplier, right_shift = float(np.float32(input_scale)) * 4096.0 * 3.0, 0
    while multiplier <= 32767.0 / 2.0 and right_shift <= 30:
        multiplier, right_shift = multiplier * 2.0, right_shift + 1
    rounding = (1 << right_shift) >> 1
    return (x.astype(np.int64) * int(multiplier) + rounding) >> right_shift


def _log2(scale: float) -> np.float32:
    """The base-2 logarithm in the kernels' single precision."""
    return np.float32(math.log(np.float32(scale))) * (np.float32(1) / np.float32(math.log(2)))


def rounded_log2(scale: float) -> int:
    """The exponent of the power of two that the kernels take `scale` for."""
    return round_half_away(float(_log2(scale)))


def _is_power_of_two(scale: float) -> bool:
    return abs(float(_log2(scale)) - rounded_log2(scale)) < 1e-3


def _interpolated_sigmoid(magnitude: IntegerArray, fraction_bits: int, saturated: int) -> IntegerArray:
    """
    The sigmoid in units of `2**-(16 + fraction_bits)`, and `saturated` past the table.

    `magnitude` has `fraction_bits` bits under a step of the table.
    """
    samples = _sigmoid_samples()
    index = magnitude >> fraction_bits
    low, high = samples[np.minimum(index, 254)], samples[np.minimum(index, 254) + 1]
    between = (low << fraction_bits) + (magnitude & ((1 << fraction_bits) - 1)) * (high - low)
    return np.where(index >= 255, saturated, between)


def _sigmoid_samples() -> IntegerArray:
    """
    The sigmoid at multiples of 1/24, in units of 1/65536.

    Lines between samples of a bent curve lie on its inner side, so every sample is moved out by half of that error,
    which is `step**2 / 16` times the second derivative. The last sample is the largest value.
    """
    x = np.arange(255) / 24
    sigmoid = 1.0 / (1.0 + np.exp(-x))
    bend = sigmoid * (1.0 - sigmoid) * (1.0 - 2.0 * sigmoid)
    samples = np.rint(65536 * (sigmoid - bend / (16 * 24**2)))
    return np.append(samples, 65535).astype(np.int64)


def _clip_to(x: IntegerArray, dtype: np.dtype[Any]) -> IntegerArray:
    limits = np.iinfo(dtype)
    return np.clip(x, limits.min, limits.max).astype(dtype)
