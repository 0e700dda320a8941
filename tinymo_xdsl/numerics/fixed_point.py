"""
Fixed-point arithmetic of the TFLite reference kernels, on numpy arrays.

The operations are those of gemmlowp's `fixedpoint.h`, which the kernels are written in, bit for bit. A fixed-point
number with `integer_bits` integer bits is an int32 that counts units of `2**(integer_bits - 31)`: with 0 integer
bits it covers [-1, 1), and its largest value stands for 1.
"""

import math
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Int32Array: TypeAlias = npt.NDArray[np.int32]
IntegerArray: TypeAlias = npt.NDArray[np.integer[Any]]
Integers: TypeAlias = int | IntegerArray
"""One integer, or an array that broadcasts against the other operands (channels lie on the last axis)."""

INT32_MIN = -(1 << 31)
INT32_MAX = (1 << 31) - 1


def wrap_to_int32(x: IntegerArray) -> Int32Array:
    """The low 32 bits of every element, as two's complement hardware keeps them."""
    return x.astype(np.int32)


def saturating_rounding_doubling_high_mul(a: Integers, b: Integers) -> Int32Array:
    """`round(a * b / 2**31)` of int32 values, halves rounded up; -1 times -1 saturates."""
    product = np.asarray(a, np.int64) * np.asarray(b, np.int64)
    return np.minimum((product + (1 << 30)) >> 31, INT32_MAX).astype(np.int32)


def rounding_divide_by_power_of_two(x: Integers, exponent: Integers) -> Int32Array:
    """`round(x / 2**exponent)` of int32 values for exponents >= 0, halves rounded away from zero."""
    wide = np.asarray(x, np.int64)
    power = np.asarray(exponent, np.int64)
    mask = (np.int64(1) << power) - 1
    threshold = (mask >> 1) + (wide < 0)
    return ((wide >> power) + ((wide & mask) > threshold)).astype(np.int32)


def saturating_multiply_by_power_of_two(x: Integers, exponent: int) -> Int32Array:
    """`x * 2**exponent` of int32 values for exponents in 0..31, limited to int32."""
    return np.clip(np.asarray(x, np.int64) << exponent, INT32_MIN, INT32_MAX).astype(np.int32)


def exp_on_negative_values(a: Int32Array, integer_bits: int) -> Int32Array:
    """
    Compute e to the `a`, for `a` <= 0 with 2 to 5 integer bits; the result has none.

    The remainder of `a` below a quarter goes through a polynomial; each bit above it multiplies by a constant.
    """
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    remainder = (a & (quarter - 1)) - quarter
    result = _exp_from_minus_quarter_to_0(saturating_multiply_by_power_of_two(remainder, integer_bits))
    multiple_of_quarter = remainder - a
    for exponent in range(-2, integer_bits):
        factor = _constant(math.exp(-(2.0**exponent)), 0)
        has_bit = (multiple_of_quarter & (1 << (fraction_bits + exponent))) != 0
        result = np.where(has_bit, saturating_rounding_doubling_high_mul(result, factor), result)
    return np.where(a == 0, np.int32(INT32_MAX), result)


def one_over_one_plus_x(a: Int32Array) -> Int32Array:
    """`1 / (1 + a)` for `a` in [0, 1] without integer bits."""
    return saturating_multiply_by_power_of_two(_inverse_of_half_one_plus_x(a), 1)


def one_minus_x_over_one_plus_x(a: Int32Array) -> Int32Array:
    """`(1 - a) / (1 + a)` for `a` in [0, 1] without integer bits."""
    return saturating_multiply_by_power_of_two(_inverse_of_half_one_plus_x(a) - (1 << 29), 2)


def logistic(a: Int32Array, integer_bits: int) -> Int32Array:
    """`1 / (1 + exp(-a))` for `a` with `integer_bits` integer bits; the result has none."""
    of_magnitude = one_over_one_plus_x(exp_on_negative_values(-np.abs(a), integer_bits))
    signed = np.where(a > 0, of_magnitude, INT32_MAX - of_magnitude)
    return np.where(a == 0, np.int32(1 << 30), signed)


def tanh(a: Int32Array, integer_bits: int) -> Int32Array:
    """The hyperbolic tangent of `a` with `integer_bits` integer bits; the result has none."""
    # Read with one more integer bit, the same bits are twice the value.
    of_magnitude = one_minus_x_over_one_plus_x(exp_on_negative_values(-np.abs(a), integer_bits + 1))
    return np.sign(a) * of_magnitude


def count_leading_zeros(x: Int32Array) -> Int32Array:
    """How many of the 32 bits are zero above the highest one, for `x` > 0."""
    # A double holds 32-bit integers exactly, so its exponent is the bit length.
    return np.int32(32) - np.frexp(x.astype(np.float64))[1]


def _constant(real: float, integer_bits: int) -> int:
    return round(real * (1 << (31 - integer_bits)))


def _exp_from_minus_quarter_to_0(a: Int32Array) -> Int32Array:
    """Compute e to the `a` for `a` in [-1/4, 0): a Taylor expansion around -1/8."""
    x = a + np.int32(1 << 28)
    x2 = saturating_rounding_doubling_high_mul(x, x)
    x3 = saturating_rounding_doubling_high_mul(x2, x)
    x4 = saturating_rounding_doubling_high_mul(x2, x2)
    third = saturating_rounding_doubling_high_mul(rounding_divide_by_power_of_two(x4, 2) + x3, _constant(1.0 / 3.0, 0))
    higher_terms = rounding_divide_by_power_of_two(third + x2, 1)
    middle = _constant(math.exp(-1.0 / 8.0), 0)
    return middle + saturating_rounding_doubling_high_mul(x + higher_terms, middle)


def _inverse_of_half_one_plus_x(a: Int32Array) -> Int32Array:
    """`2 / (1 + a)` with 2 integer bits, by Newton-Raphson division."""
    half_denominator = (a.astype(np.int64) + INT32_MAX + 1) >> 1
    x = _constant(48.0 / 17.0, 2) + saturating_rounding_doubling_high_mul(half_denominator, _constant(-32.0 / 17.0, 2))
    one = 1 << 29
    for _ in range(3):
        error = one - saturating_rounding_doubling_high_mul(half_denominator, x)
        x = x + saturating_multiply_by_power_of_two(saturating_rounding_doubling_high_mul(x, error), 2)
    return x
