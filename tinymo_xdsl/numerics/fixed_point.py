"""
Fixed-point arithmetic of the TFLite reference kernels, on numpy arrays.

The operations are those of gemmlowp's `fixedpoint.h`, which the kernels are written in, bit for bit. A fixed-point
number with `integer_bits` integer bits is an int32 that counts units of `2 ** (integer_bits - 31)`: with 0 integer
bits it covers [-1, 1).
"""

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
    """`round(x / 2**exponent)` of int32 values for exponents in 0..31, halves rounded away from zero."""
    wide = np.asarray(x, np.int64)
    power = np.asarray(exponent, np.int64)
    mask = (np.int64(1) << power) - 1
    threshold = (mask >> 1) + (wide < 0)
    return ((wide >> power) + ((wide & mask) > threshold)).astype(np.int32)


def saturating_multiply_by_power_of_two(x: Integers, exponent: int) -> Int32Array:
    """`x * 2**exponent` of int32 values for exponents in 0..31, limited to int32."""
    return np.clip(np.asarray(x, np.int64) << exponent, INT32_MIN, INT32_MAX).astype(np.int32)
