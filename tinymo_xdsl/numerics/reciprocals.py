"""Quotients and roots of the TFLite Micro reference kernels: DIV, RSQRT and L2_NORMALIZATION of integers."""

import numpy as np

from tinymo_xdsl.numerics.fixed_point import (
    Int32Array,
    IntegerArray,
    count_leading_zeros,
    one_over_one_plus_x,
    rounding_divide_by_power_of_two,
    saturating_multiply_by_power_of_two,
    saturating_rounding_doubling_high_mul,
)
from tinymo_xdsl.numerics.requantize import multiply_by_quantized_multiplier, quantize_multiplier

_ROOT_INTEGER_BITS = 3
_HALF_ROOT_OF_TWO = 1518500250
_NEWTON_STEPS = 5
_RSQRT_SHIFT = 20


def divide(dividend: Int32Array, divisor: Int32Array, factor: float) -> Int32Array:
    """
    The quotient of integers without their zero points, times the real `factor`, in fixed point.

    The kernel shifts quotients that are nearly 0 by more bits than there are, which C leaves open; here they are 0.
    """
    sign = np.where(divisor < 0, -1, 1)
    dividend, divisor = (dividend * sign).astype(np.int32), np.abs(divisor).astype(np.int32)
    zeros = count_leading_zeros(divisor)
    fraction = (divisor.astype(np.int64) << zeros) - (1 << 31)
    reciprocal, bits_over_unit = one_over_one_plus_x(fraction.astype(np.int32)), 31 - zeros
    headroom = _redundant_sign_bits(dividend)
    quotient = saturating_rounding_doubling_high_mul(dividend.astype(np.int64) << headroom, reciprocal)
    multiplier = quantize_multiplier(factor)
    shift = multiplier.shift - bits_over_unit - headroom
    product = saturating_rounding_doubling_high_mul(quotient, multiplier.value)
    return rounding_divide_by_power_of_two(product, np.maximum(-shift, 0))


def _redundant_sign_bits(x: Int32Array) -> Int32Array:
    """How many bits below the sign are the same; the width of a positive number for zero."""
    magnitude = np.where(x < 0, ~x, x).astype(np.int32)
    return np.where(x == 0, 31, count_leading_zeros(magnitude) - 1).astype(np.int32)


def inverse_root(x: Int32Array) -> tuple[Int32Array, Int32Array]:
    """`1 / sqrt(x)` of integers >= 0 as a multiplier and a left shift; that of 0 is that of 1."""
    value, shift = x.astype(np.int64), np.full(x.shape, 11, np.int64)
    for _ in range(2):
        is_large = value >= 1 << 29
        value, shift = np.where(is_large, value // 4, value), shift + is_large
    pairs = (count_leading_zeros(np.maximum(value, 2).astype(np.int32)) - 1) // 2 - 1
    half = rounding_divide_by_power_of_two((value << (2 * pairs)) >> 1, 1)
    root = _newton(half.astype(np.int32))
    multiplier, shift = saturating_rounding_doubling_high_mul(root, _HALF_ROOT_OF_TWO), shift - pairs
    multiplier = multiplier.astype(np.int64) << np.maximum(-shift, 0)
    is_one = x <= 1
    largest = np.iinfo(np.int32).max
    return (
        np.where(is_one, largest, multiplier).astype(np.int32),
        np.where(is_one, 0, -np.maximum(shift, 0)).astype(np.int32),
    )


def _newton(half: Int32Array) -> Int32Array:
    """The inverse root of twice `half`, both with 3 integer bits."""
    one, half_three = 1 << (31 - _ROOT_INTEGER_BITS), (1 << 28) + (1 << 27)
    multiply = saturating_rounding_doubling_high_mul
    root = np.full(half.shape, one, np.int32)
    for _ in range(_NEWTON_STEPS):
        cube = saturating_multiply_by_power_of_two(multiply(multiply(root, root), root), 2 * _ROOT_INTEGER_BITS)
        step = multiply(half_three, root) - multiply(half, cube)
        root = saturating_multiply_by_power_of_two(step, _ROOT_INTEGER_BITS)
    return root


def reciprocal_root(
    x: IntegerArray, input_scale: float, input_zero_point: int, output_scale: float, output_zero_point: int
) -> IntegerArray:
    """`1 / sqrt(x)` of int8 or int16 that are not below the zero point; the greatest number where `x` is zero."""
    centred = x.astype(np.int32) - input_zero_point
    multiplier, shift = inverse_root(centred)
    root = multiply_by_quantized_multiplier(np.ones_like(centred), multiplier, shift + _RSQRT_SHIFT)
    scale, to_output = float(np.float32(input_scale)) ** 0.5, float(np.float32(output_scale))
    factor = quantize_multiplier(1.0 / (scale * to_output))
    result = multiply_by_quantized_multiplier(root, factor.value, factor.shift - _RSQRT_SHIFT) + output_zero_point
    limits = np.iinfo(x.dtype)
    return np.where(centred == 0, limits.max, np.clip(result, limits.min, limits.max)).astype(x.dtype)


def l2_normalize(x: IntegerArray, zero_point: int) -> IntegerArray:
    """Each row of int8 over the root of the sum of its squares; the output has scale 1/128 and zero point 0."""
    centred = x.astype(np.int32) - zero_point
    multiplier, shift = inverse_root((centred**2).sum(axis=-1, keepdims=True, dtype=np.int32))
    result = multiply_by_quantized_multiplier(centred, multiplier, shift + 7)
    return np.clip(result, -128, 127).astype(np.int8)
