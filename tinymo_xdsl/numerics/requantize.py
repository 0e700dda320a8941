"""
Requantisation: from the scale of an accumulator to the scale of a tensor, in integers.

A real factor is held as a 31-bit mantissa and a power of two. The TFLite reference kernels and TOSA write the same
arithmetic in two forms; both are here, with the way from one to the other. Wherever the shifted value fits int32 the
two forms give the same bits: the double rounding of `apply_scale_32` is the two roundings of the kernels in one sum.

The order and the precision of products of scales decide the last bits of a mantissa, so they follow the kernels'
preparation step: double precision throughout, as TFLite Micro computes since it dropped single-precision products.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinymo_xdsl.numerics.fixed_point import (
    Int32Array,
    IntegerArray,
    Integers,
    rounding_divide_by_power_of_two,
    saturating_rounding_doubling_high_mul,
    wrap_to_int32,
)

_MANTISSA_BITS = 31
_REDUCED_MANTISSA_BITS = 15


@dataclass(frozen=True)
class Multiplier:
    """The real factor `value * 2**(shift - 31)` as TFLite kernels hold it: `value` is int32, `shift` >= -31."""

    value: int
    shift: int

    def to_tosa_scale32(self) -> "TosaScale":
        """This factor as the operands of `tosa.rescale` with `scale32 = true`."""
        return TosaScale(self.value, _MANTISSA_BITS - self.shift)

    def to_tosa_scale16(self) -> "TosaScale":
        """This factor with the mantissa reduced to 15 bits, as kernels apply it to 48-bit accumulators."""
        return TosaScale(int(reduce_multiplier(self.value)), _REDUCED_MANTISSA_BITS - self.shift)


@dataclass(frozen=True)
class TosaScale:
    """The real factor `multiplier * 2**-shift`; TOSA wants `multiplier` >= 0 and `shift` in 2..62."""

    multiplier: int
    shift: int

    @property
    def in_range(self) -> bool:
        """Whether TOSA can express this factor."""
        return self.multiplier >= 0 and 2 <= self.shift <= 62


def quantize_multiplier(real: float) -> Multiplier:
    """
    The `Multiplier` nearest to `real`; factors under about 2**-32 become zero (TFLite `QuantizeMultiplier`).

    The mantissa is rounded half away from zero.
    """
    if real == 0.0:
        return Multiplier(0, 0)
    fraction, shift = math.frexp(real)
    value = round_half_away(fraction * (1 << _MANTISSA_BITS))
    if value == 1 << _MANTISSA_BITS:
        value //= 2
        shift += 1
    # A shift below -31 moves every bit out of a 32-bit value.
    return Multiplier(value, shift) if shift >= -31 else Multiplier(0, 0)


def divided_multiplier(multiplier: Multiplier, count: int) -> Multiplier:
    """`multiplier` over `count`, the number of elements of a MEAN, rounded down (TFLite `QuantizedMeanOrSum`)."""
    shift = min(count.bit_length() - 1, 32, 31 + multiplier.shift)
    return Multiplier((multiplier.value << shift) // count, multiplier.shift - shift)


def round_half_away(real: float) -> int:
    """The integer nearest to `real`, halves away from zero, as C `round` does."""
    whole = math.trunc(real)
    return whole + int(math.copysign(abs(real - whole) >= 0.5, real))


def effective_scale(input_scale: float, weight_scale: float, output_scale: float) -> float:
    """
    Accumulator units in output units: `input_scale * weight_scale / output_scale`, all in double precision.

    The scales are rounded to float32, as they are stored, and multiplied in this order. `weight_scale` is the other
    input's scale in MUL, and 1 in operators without a second operand (QUANTIZE, RELU).
    """
    return _float32(input_scale) * _float32(weight_scale) / _float32(output_scale)


@dataclass(frozen=True)
class AdditionMultipliers:
    """How ADD and SUB bring centred inputs to a common scale, and their sum to the output's."""

    left_shift: int
    """Both inputs are first shifted left by this, for precision."""
    first: Multiplier
    second: Multiplier
    output: Multiplier


def addition_multipliers(
    first_scale: float, second_scale: float, output_scale: float, dtype: np.dtype[Any]
) -> AdditionMultipliers:
    """What the kernels of ADD and SUB of `dtype` (int8, uint8, int16) rescale by."""
    left_shift = 15 if dtype == np.int16 else 20
    common_scale = 2.0 * max(_float32(first_scale), _float32(second_scale))
    return AdditionMultipliers(
        left_shift,
        quantize_multiplier(_float32(first_scale) / common_scale),
        quantize_multiplier(_float32(second_scale) / common_scale),
        quantize_multiplier(common_scale / ((1 << left_shift) * _float32(output_scale))),
    )


def squared_difference_multipliers(
    first_scale: float, second_scale: float, output_scale: float, dtype: np.dtype[Any]
) -> AdditionMultipliers:
    """What the kernel of SQUARED_DIFFERENCE of `dtype` (int8, int16) rescales by; `output` is for the square."""
    left_shift = 0 if dtype == np.int16 else 7
    common_scale = 2.0 * max(_float32(first_scale), _float32(second_scale))
    return AdditionMultipliers(
        left_shift,
        quantize_multiplier(_float32(first_scale) / common_scale),
        quantize_multiplier(_float32(second_scale) / common_scale),
        quantize_multiplier(common_scale**2 / ((1 << 2 * left_shift) * _float32(output_scale))),
    )


def activation_range(activation: str, scale: float, zero_point: int, dtype: np.dtype[Any]) -> tuple[int, int]:
    """
    The stored values that an output of `dtype` (uint8, int8, int16) is clamped to, both included.

    `activation` is the schema's name of the fused activation; all but `RELU`, `RELU6` and `RELU_N1_TO_1` leave the
    range of `dtype` (TFLite `CalculateActivationRangeQuantized`, whose division is in single precision).
    """
    info = np.iinfo(dtype)
    low, high = int(info.min), int(info.max)

    def stored(real: float) -> int:
        return zero_point + round_half_away(float(np.float32(real) / np.float32(scale)))

    if activation == "RELU":
        return max(low, stored(0.0)), high
    if activation == "RELU6":
        return max(low, stored(0.0)), min(high, stored(6.0))
    if activation == "RELU_N1_TO_1":
        return max(low, stored(-1.0)), min(high, stored(1.0))
    return low, high


def multiply_by_quantized_multiplier(x: IntegerArray, multiplier: Integers, shift: Integers) -> Int32Array:
    """
    int32 `x` times `multiplier * 2**(shift - 31)`, rounded twice, as the reference kernels do.

    First the product is rounded to int32 (halves up), then the right shift rounds halves away from zero. A left shift
    happens before the product and wraps. `multiplier` and `shift` are single integers or lie along the last axis.
    """
    power = np.asarray(shift, np.int64)
    shifted = wrap_to_int32(x.astype(np.int64) << np.maximum(power, 0))
    product = saturating_rounding_doubling_high_mul(shifted, multiplier)
    return rounding_divide_by_power_of_two(product, np.maximum(-power, 0))


def multiply_by_quantized_multiplier_int64(x: IntegerArray, multiplier: Integers, shift: Integers) -> Int32Array:
    """
    int64 `x` of at most 48 bits times a factor whose mantissa is reduced to 15 bits, rounded once (halves up).

    This is what int16 kernels with 64-bit accumulators do. `shift` is at most 7.
    """
    return apply_scale_16(x, reduce_multiplier(multiplier), _REDUCED_MANTISSA_BITS - np.asarray(shift, np.int64))


def apply_scale_32(
    value: IntegerArray, multiplier: Integers, shift: Integers, double_round: bool = False
) -> Int32Array:
    """
    TOSA 1.0 `apply_scale_32`: `value * multiplier / 2**shift`, halves up; shifts in 2..62, multipliers >= 0.

    With `double_round` a negative value's half, and what the first of two roundings makes a half, goes away from zero.
    TOSA leaves results outside int32 undefined; here they wrap.
    """
    wide = value.astype(np.int64)
    power = np.asarray(shift, np.int64)
    rounding = np.int64(1) << (power - 1)
    if double_round:
        nudge = np.where(power > 31, np.int64(1 << 30), np.int64(0))
        rounding = rounding + np.where(wide >= 0, nudge, -nudge)
    return wrap_to_int32((wide * np.asarray(multiplier, np.int64) + rounding) >> power)


def apply_scale_16(value: IntegerArray, multiplier: Integers, shift: Integers) -> Int32Array:
    """TOSA 1.0 `apply_scale_16`: a 48-bit `value` times a 15-bit `multiplier` over `2**shift`, halves up."""
    power = np.asarray(shift, np.int64)
    product = value.astype(np.int64) * np.asarray(multiplier, np.int64)
    return wrap_to_int32((product + (np.int64(1) << (power - 1))) >> power)


def reduce_multiplier(multiplier: Integers) -> IntegerArray:
    """A 31-bit mantissa rounded to 15 bits, where the largest ones saturate instead of becoming 2**15."""
    wide = np.asarray(multiplier, np.int64)
    return np.where(wide < 0x7FFF0000, (wide + (1 << 15)) >> 16, 0x7FFF)


def _float32(scale: float) -> float:
    return float(np.float32(scale))
