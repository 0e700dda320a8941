"""
LOG_SOFTMAX of the TFLite Micro reference kernels, of int8.

Exponentials are added with 12 integer bits, and the logarithm of the sum has 5; the output has scale 1/16 and zero
point 127.
"""

import math

import numpy as np

from tinymo_xdsl.numerics.activations import input_radius
from tinymo_xdsl.numerics.fixed_point import (
    INT32_MIN,
    Int32Array,
    IntegerArray,
    count_leading_zeros,
    exp_on_negative_values,
    one_over_one_plus_x,
    rounding_divide_by_power_of_two,
    saturating_multiply_by_power_of_two,
    saturating_rounding_doubling_high_mul,
)
from tinymo_xdsl.numerics.requantize import multiply_by_quantized_multiplier, quantize_multiplier

_INPUT_BITS = 5
_SUM_BITS = 12
_OUTPUT_BITS = 4
_HEADROOM_BITS = _INPUT_BITS + 1


def log_softmax(x: IntegerArray, input_scale: float) -> IntegerArray:
    """`x - log(sum(exp(x)))` over the last axis, of stored int8 values."""
    multiplier = quantize_multiplier(float(np.float32(input_scale)) * (1 << (31 - _INPUT_BITS)))
    least = -input_radius(_INPUT_BITS, multiplier.shift)
    difference = x.astype(np.int32) - x.max(axis=-1, keepdims=True).astype(np.int32)
    scaled = multiply_by_quantized_multiplier(np.maximum(difference, least), multiplier.value, multiplier.shift)
    exponentials = rounding_divide_by_power_of_two(exp_on_negative_values(scaled, _INPUT_BITS), _SUM_BITS)
    total = np.where(difference >= least, exponentials, 0).sum(axis=-1, keepdims=True, dtype=np.int32)
    logarithm = logarithm_of_sum(total)
    inverse = quantize_multiplier(2.0 ** (31 - multiplier.shift) / multiplier.value)
    limit = multiply_by_quantized_multiplier(logarithm + np.int32(INT32_MIN), inverse.value, inverse.shift)
    result = rounding_divide_by_power_of_two(scaled - logarithm, 31 - _INPUT_BITS - _OUTPUT_BITS) + 127
    is_inside = difference > np.maximum(limit, least - 1)
    return np.where(is_inside, np.clip(result, -128, 127), -128).astype(np.int8)


def logarithm_of_sum(x: Int32Array) -> Int32Array:
    """The natural logarithm of numbers >= 1 with 12 integer bits; the result has 5."""
    multiply, root = saturating_rounding_doubling_high_mul, _constant(math.sqrt(0.5))
    quarter = 1 << (31 - _HEADROOM_BITS - 2)
    zeros = count_leading_zeros(x)
    first = saturating_multiply_by_power_of_two(multiply(x.astype(np.int64) << (zeros - 1), root), 1)
    first_power = ((_SUM_BITS - zeros) << (31 - _HEADROOM_BITS)) + quarter
    headroom = count_leading_zeros(multiply(x, root)) - 1
    second = np.minimum(x.astype(np.int64) << headroom, np.iinfo(np.int32).max).astype(np.int32)
    second_power = ((_SUM_BITS - headroom) << (31 - _HEADROOM_BITS)) - quarter
    remainder, power = np.minimum(first, second), np.maximum(first_power, second_power)
    numerator, denominator = _quotient(remainder)
    product = multiply(rounding_divide_by_power_of_two(numerator, _HEADROOM_BITS), denominator)
    return saturating_multiply_by_power_of_two(multiply(power, _constant(math.log(2.0))) + product, 1)


def _quotient(r: Int32Array) -> tuple[Int32Array, Int32Array]:
    """A rational approximation around the fourth root of 1/2: the numerator, and one over the denominator."""
    multiply, fourth_root = saturating_rounding_doubling_high_mul, math.sqrt(math.sqrt(2.0))
    centre = _constant(1 / fourth_root)
    total = r.astype(np.int64) + centre
    middle = ((total + np.where(total >= 0, 1, -1)) // 2).astype(np.int32)
    q = 2 * (r - centre)
    square = multiply(q, q)
    numerator = multiply(q, r) + multiply(multiply(q, square), _constant(11.0 / 240.0 * fourth_root))
    inner = _constant(2.0 / fourth_root - fourth_root) + q + multiply(_constant(fourth_root / 20.0), square)
    denominator = multiply(middle, inner) + multiply(_constant(fourth_root / 4.0), q)
    return numerator, one_over_one_plus_x(denominator)


def _constant(real: float) -> int:
    return round(real * (1 << 31))
