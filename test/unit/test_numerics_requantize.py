"""Requantisation: the kernels' form and TOSA's agree bit for bit, and scales have the precision of the kernels."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from one_operator import Array, one_operator, run_in_tflm, tensor

from tinymo_xdsl.numerics.requantize import (
    Multiplier,
    TosaScale,
    activation_range,
    addition_multipliers,
    apply_scale_16,
    apply_scale_32,
    effective_scale,
    multiply_by_quantized_multiplier,
    multiply_by_quantized_multiplier_int64,
    quantize_multiplier,
    reduce_multiplier,
    round_half_away,
)

INT8 = np.dtype(np.int8)
INT16 = np.dtype(np.int16)
INT32 = np.iinfo(np.int32)
MANTISSAS = (0, 1, 1 << 30, (1 << 30) + 1, 0x5A827999, 0x7FFEFFFF, 0x7FFF0000, (1 << 31) - 1)
ACTIVATION_CODES = {"NONE": 0, "RELU": 1, "RELU_N1_TO_1": 2, "RELU6": 3}


def float32(real: float) -> float:
    return float(np.float32(real))


def random_scale(random: np.random.Generator, low: float, high: float) -> float:
    return float32(10 ** random.uniform(low, high))


def values_for(shift: int) -> npt.NDArray[np.int32]:
    """Random and extreme int32 values, ties of every width included, that `shift` moves left inside int32."""
    room = max(shift, 0)
    random = np.random.default_rng(shift + 100).integers(INT32.min, INT32.max, 4000, endpoint=True)
    ties = [sign * ((1 << bit) + near) for bit in range(31) for near in (-1, 0, 1) for sign in (1, -1)]
    ends = [INT32.min, INT32.max, 0, -1, 1]
    return (np.concatenate([random, np.array(ties + ends)]) >> room).astype(np.int32)


@pytest.mark.parametrize("shift", range(-31, 30))
def test_double_rounding_of_tosa_equals_the_kernels(shift: int) -> None:
    x = values_for(shift)
    for mantissa in MANTISSAS:
        scale = Multiplier(mantissa, shift).to_tosa_scale32()
        assert scale.in_range
        kernel = multiply_by_quantized_multiplier(x, mantissa, shift)
        np.testing.assert_array_equal(apply_scale_32(x, scale.multiplier, scale.shift, double_round=True), kernel)


def test_single_rounding_is_another_arithmetic() -> None:
    """`5 * 0.3` is a little under 1.5; the first of two roundings makes it 1.5, the second 2."""
    x = np.array([5], np.int32)
    third = Multiplier(1288490188, -1)
    scale = third.to_tosa_scale32()
    assert apply_scale_32(x, scale.multiplier, scale.shift, double_round=False)[0] == 1
    assert apply_scale_32(x, scale.multiplier, scale.shift, double_round=True)[0] == 2
    assert multiply_by_quantized_multiplier(x, third.value, third.shift)[0] == 2


def test_kernel_form_rounds_twice() -> None:
    """The definition in exact rationals: halves up to an integer, then halves away from zero after the shift."""
    for x in (-7, -3, -1, 0, 1, 3, 7, 1 << 20, -(1 << 20) - 1):
        for mantissa in MANTISSAS[1:]:
            for shift in (-9, -2, -1, 0, 1, 3):
                first = math.floor(Fraction((x << max(shift, 0)) * mantissa, 1 << 31) + Fraction(1, 2))
                second = Fraction(first, 1 << max(-shift, 0))
                expected = math.floor(abs(second) + Fraction(1, 2)) * (1 if second >= 0 else -1)
                actual = multiply_by_quantized_multiplier(np.array([x], np.int32), mantissa, shift)[0]
                assert actual == expected, (x, mantissa, shift)


@pytest.mark.parametrize("shift", range(-31, 8))
def test_reduced_form_of_tosa_equals_the_kernels(shift: int) -> None:
    room = max(shift, 0)
    x = np.random.default_rng(shift + 50).integers(-(1 << 47), (1 << 47) - 1, 500, endpoint=True) >> room
    for mantissa in MANTISSAS:
        scale = Multiplier(mantissa, shift).to_tosa_scale16()
        assert scale.in_range
        assert scale.multiplier == min((mantissa + 0x8000) >> 16, 0x7FFF)
        half = 1 << (scale.shift - 1)
        low_bits = [((int(value) * scale.multiplier + half) >> scale.shift) & 0xFFFFFFFF for value in x]
        expected = np.array(low_bits, np.uint32).astype(np.int32)
        np.testing.assert_array_equal(multiply_by_quantized_multiplier_int64(x, mantissa, shift), expected)
        np.testing.assert_array_equal(apply_scale_16(x, scale.multiplier, scale.shift), expected)


def test_channels_lie_on_the_last_axis() -> None:
    x = np.random.default_rng(7).integers(-(1 << 24), 1 << 24, (2, 3, 4)).astype(np.int32)
    scales = [quantize_multiplier(real) for real in (1e-4, 0.3, 0.9999, 3.7)]
    values, shifts = np.array([s.value for s in scales]), np.array([s.shift for s in scales])
    together = multiply_by_quantized_multiplier(x, values, shifts)
    wide = multiply_by_quantized_multiplier_int64(x, values, shifts)
    in_tosa = apply_scale_32(x, values, 31 - shifts, double_round=True)
    np.testing.assert_array_equal(in_tosa, together)
    for channel, scale in enumerate(scales):
        alone = np.ascontiguousarray(x[..., channel])
        expected = multiply_by_quantized_multiplier(alone, scale.value, scale.shift)
        np.testing.assert_array_equal(together[..., channel], expected)
        expected = multiply_by_quantized_multiplier_int64(alone, scale.value, scale.shift)
        np.testing.assert_array_equal(wide[..., channel], expected)


def test_left_shift_wraps_like_int32() -> None:
    assert multiply_by_quantized_multiplier(np.array([1 << 30], np.int32), 1 << 30, 2)[0] == 0


@pytest.mark.parametrize(
    ("real", "expected"),
    [
        (0.0, Multiplier(0, 0)),
        (0.1, Multiplier(1717986918, -3)),
        (1.0, Multiplier(1 << 30, 1)),
        (-0.5, Multiplier(-(1 << 30), 0)),
        (1 - 2.0**-40, Multiplier(1 << 30, 1)),
        (2.0**-32, Multiplier(1 << 30, -31)),
        (2.0**-33, Multiplier(0, 0)),
        (2.0**-32 * (1 - 2.0**-40), Multiplier(1 << 30, -31)),
        (1234.5678, Multiplier(1294538165, 11)),
    ],
)
def test_quantize_multiplier(real: float, expected: Multiplier) -> None:
    assert quantize_multiplier(real) == expected


def test_quantized_multiplier_is_the_nearest() -> None:
    random = np.random.default_rng(3)
    for real in 2.0 ** random.uniform(-31, 20, 500):
        multiplier = quantize_multiplier(float(real))
        assert 1 << 30 <= multiplier.value < 1 << 31
        exact = Fraction(multiplier.value) * Fraction(2) ** (multiplier.shift - 31)
        assert abs(exact - Fraction(float(real))) <= Fraction(2) ** (multiplier.shift - 32)


@pytest.mark.parametrize(
    ("real", "expected"),
    [(0.5, 1), (-0.5, -1), (2.5, 3), (-2.5, -3), (0.49999999999999994, 0), (-0.2, 0), (7.0, 7), (1e300, int(1e300))],
)
def test_round_half_away(real: float, expected: int) -> None:
    assert round_half_away(real) == expected


def test_reduced_mantissa_saturates() -> None:
    reduced = reduce_multiplier(np.array([0x7FFEFFFF, 0x7FFF0000, 0x7FFF8000, INT32.max, 0x40008000, 0x40007FFF]))
    assert reduced.tolist() == [0x7FFF, 0x7FFF, 0x7FFF, 0x7FFF, 0x4001, 0x4000]


def test_range_of_tosa() -> None:
    assert [TosaScale(1 << 30, shift).in_range for shift in (1, 2, 62, 63)] == [False, True, True, False]
    assert not TosaScale(-1, 31).in_range


@pytest.mark.parametrize(
    ("activation", "scale", "zero_point", "dtype", "expected"),
    [
        ("NONE", 0.1, 3, np.int8, (-128, 127)),
        ("RELU", 0.1, 3, np.int8, (3, 127)),
        ("RELU6", 0.1, 3, np.int8, (3, 63)),
        ("RELU6", 0.01, -128, np.int8, (-128, 127)),
        ("RELU_N1_TO_1", 0.1, 3, np.int8, (-7, 13)),
        ("RELU6", 0.05, 10, np.uint8, (10, 130)),
        ("RELU", 0.05, 0, np.int16, (0, 32767)),
    ],
)
def test_activation_range(
    activation: str, scale: float, zero_point: int, dtype: type[np.integer[Any]], expected: tuple[int, int]
) -> None:
    assert activation_range(activation, scale, zero_point, np.dtype(dtype)) == expected


def test_scales_are_multiplied_in_double_precision() -> None:
    """A product that float32 cannot hold; the scales themselves are float32."""
    input_scale, weight_scale, output_scale = (float32(real) for real in (0.1, 0.003, 0.07))
    assert float32(input_scale * weight_scale) != input_scale * weight_scale
    assert effective_scale(0.1, 0.003, 0.07) == input_scale * weight_scale / output_scale


def test_addition_multipliers() -> None:
    narrow = addition_multipliers(0.1, 0.05, 0.2, INT8)
    assert narrow.left_shift == 20
    assert (narrow.first, narrow.second) == (Multiplier(1 << 30, 0), Multiplier(1 << 30, -1))
    assert narrow.output == quantize_multiplier(2.0**-20)
    wide = addition_multipliers(0.1, 0.05, 0.2, INT16)
    assert (wide.left_shift, wide.output) == (15, quantize_multiplier(2.0**-15))


def test_activation_range_divides_in_single_precision() -> None:
    """6 over this scale is 0.5 above a whole number in single precision, and a little less in double."""
    scale = float32(6.0 / 120.5)
    assert round_half_away(6.0 / scale) == 120
    assert activation_range("RELU6", scale, -128, INT8) == (-128, 121 - 128)


def fully_connected(bias: Array, input_scale: float, weight_scale: float, output_scale: float, code: int = 0) -> bytes:
    """A layer whose accumulators are its biases, since its weights are zero."""
    channels = bias.size
    return one_operator(
        "FULLY_CONNECTED",
        [
            tensor("x", "INT8", (1, 4), input_scale),
            tensor("weights", "INT8", (channels, 4), weight_scale, data=np.zeros((channels, 4), np.int8)),
            tensor("bias", "INT32", (channels,), float32(input_scale * weight_scale), data=bias),
        ],
        tensor("y", "INT8", (1, channels), output_scale),
        ("FullyConnectedOptions", {"fused_activation_function": code}),
    )


def convolution(bias: Array, input_scale: float, weight_scale: float, output_scale: float) -> bytes:
    channels = bias.size
    return one_operator(
        "CONV_2D",
        [
            tensor("x", "INT8", (1, 1, 1, 4), input_scale),
            tensor("weights", "INT8", (channels, 1, 1, 4), weight_scale, data=np.zeros((channels, 4), np.int8)),
            tensor("bias", "INT32", (channels,), float32(input_scale * weight_scale), data=bias),
        ],
        tensor("y", "INT8", (1, 1, 1, channels), output_scale),
        ("Conv2DOptions", {"stride_w": 1, "stride_h": 1, "dilation_w_factor": 1, "dilation_h_factor": 1}),
    )


def accumulators_at_rounding_edges(random: np.random.Generator, scale: float) -> npt.NDArray[np.int32]:
    """Where an output changes, so that a mantissa that is off by a few units in its last place shows."""
    edges = np.rint((random.integers(-127, 127, 40) + 0.5) / scale)
    return (edges[:, np.newaxis] + np.array([-64, -8, -1, 0, 1, 8, 64])).ravel().astype(np.int32)


def requantize(x: Array, scale: float, dtype: np.dtype[Any]) -> Array:
    multiplier = quantize_multiplier(scale)
    limits = np.iinfo(dtype)
    return np.clip(
        multiply_by_quantized_multiplier(x, multiplier.value, multiplier.shift), limits.min, limits.max
    ).astype(dtype)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("layer", [fully_connected, convolution])
def test_scales_of_layers_equal_tflm(layer: Any, seed: int) -> None:
    random = np.random.default_rng(seed)
    input_scale, weight_scale = random_scale(random, -3, 0), random_scale(random, -3, -1)
    output_scale = float32(input_scale * weight_scale * 2.0 ** random.uniform(22, 23.5))
    scale = effective_scale(input_scale, weight_scale, output_scale)
    bias = accumulators_at_rounding_edges(random, scale)
    zeros = np.zeros((1, 4) if layer is fully_connected else (1, 1, 1, 4), np.int8)
    in_tflm = run_in_tflm(layer(bias, input_scale, weight_scale, output_scale), zeros)
    np.testing.assert_array_equal(requantize(bias, scale, INT8), in_tflm.ravel())


@pytest.mark.parametrize("seed", range(4))
def test_scales_of_element_wise_operators_equal_tflm(seed: int) -> None:
    """int16 operators over enough values that single-precision scales would show."""
    random = np.random.default_rng(seed)
    scales = random_scale(random, -4, 0), random_scale(random, -4, 0)
    first, second = random.integers(-32768, 32768, (2, 1, 20000)).astype(np.int16)
    operands = [tensor("a", "INT16", first.shape, scales[0]), tensor("b", "INT16", first.shape, scales[1])]

    output_scale = float32(scales[0] * scales[1] * 2**14)
    output = tensor("y", "INT16", first.shape, output_scale)
    in_tflm = run_in_tflm(one_operator("MUL", operands, output, ("MulOptions", {})), first, second)
    product = first.astype(np.int32) * second
    np.testing.assert_array_equal(requantize(product, effective_scale(*scales, output_scale), INT16), in_tflm)

    output_scale = float32(max(scales) * 1.7)
    output = tensor("y", "INT16", first.shape, output_scale)
    rescaled = requantize(first, effective_scale(scales[0], 1.0, output_scale), INT16)
    np.testing.assert_array_equal(rescaled, run_in_tflm(one_operator("QUANTIZE", operands[:1], output), first))
    np.testing.assert_array_equal(
        np.maximum(rescaled, 0), run_in_tflm(one_operator("RELU", operands[:1], output), first)
    )


def addition(first: Array, second: Array, sign: int, scales: tuple[float, float, float], dtype: np.dtype[Any]) -> Array:
    """ADD or SUB by hand, of values with zero point 0."""
    multipliers = addition_multipliers(*scales, dtype)
    limits = np.iinfo(dtype)

    def rescaled(x: Array, multiplier: Multiplier) -> Array:
        return multiply_by_quantized_multiplier(x, multiplier.value, multiplier.shift)

    left = rescaled(first.astype(np.int32) << multipliers.left_shift, multipliers.first)
    right = rescaled(second.astype(np.int32) << multipliers.left_shift, multipliers.second)
    return np.clip(rescaled(left + sign * right, multipliers.output), limits.min, limits.max).astype(dtype)


@pytest.mark.parametrize("name", ["ADD", "SUB"])
@pytest.mark.parametrize("dtype", [INT8, INT16])
@pytest.mark.parametrize("seed", range(3))
def test_scales_of_addition_equal_tflm(name: str, dtype: np.dtype[Any], seed: int) -> None:
    random = np.random.default_rng(seed)
    scales = random_scale(random, -4, 0), random_scale(random, -4, 0), 0.0
    scales = (*scales[:2], float32(max(scales) * random.uniform(1, 3)))
    limits = np.iinfo(dtype)
    first, second = random.integers(limits.min, limits.max, (2, 1, 20000), endpoint=True).astype(dtype)
    in_schema = dtype.name.upper()
    operands = [tensor("a", in_schema, first.shape, scales[0]), tensor("b", in_schema, first.shape, scales[1])]
    output = tensor("y", in_schema, first.shape, scales[2])
    in_tflm = run_in_tflm(one_operator(name, operands, output, (f"{name.capitalize()}Options", {})), first, second)
    np.testing.assert_array_equal(addition(first, second, 1 if name == "ADD" else -1, scales, dtype), in_tflm)


@pytest.mark.parametrize(("activation", "limit"), [("RELU6", 6.0), ("RELU_N1_TO_1", 1.0)])
def test_activation_range_equals_tflm(activation: str, limit: float) -> None:
    """Scales for which single and double precision disagree about the limit."""
    scales = [float32(limit / (count + 0.5)) for count in range(1, 120)]
    telling = [s for s in scales if activation_range(activation, s, 0, INT8)[1] != round_half_away(limit / s)]
    assert len(telling) > 5
    for scale in telling[::5]:
        model = fully_connected(np.array([1000, -1000], np.int32), 1.0, 1.0, scale, ACTIVATION_CODES[activation])
        low, high = run_in_tflm(model, np.zeros((1, 4), np.int8))[0][::-1]
        assert (low, high) == activation_range(activation, scale, 0, INT8)
