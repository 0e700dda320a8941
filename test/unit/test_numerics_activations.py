"""Activations: equal to TFLite Micro for every stored input, and close to the real functions."""

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from one_operator import one_operator, run_in_tflm, tensor

from tinymo_xdsl.numerics import fixed_point
from tinymo_xdsl.numerics.activations import INT8_VALUES, hard_swish, leaky_relu, logistic, tanh

INT16_VALUES = np.arange(-32768, 32768).astype(np.int16)
INT8_SCALES = (1 / 256, 7e-6, 1e-3, 0.0078125, 0.0472, 0.1, 0.1249, 0.5, 1.0, 3.3)
ZERO_POINTS = (-128, -7, 0, 1, 127)
INT16_SCALES = (2**-9, 2**-10, 2**-11, 2**-12, 2**-13, 2**-15, 2**-12 * 1.0005, 2**-12 * 1.002, 1e-6, 3e-4, 0.01, 1.0)


@pytest.mark.parametrize("scale", INT8_SCALES)
@pytest.mark.parametrize("name", ["LOGISTIC", "TANH"])
def test_int8_curves_equal_tflm(name: str, scale: float) -> None:
    function, output = {
        "LOGISTIC": (logistic, tensor("y", "INT8", (256,), 1 / 256, -128)),
        "TANH": (tanh, tensor("y", "INT8", (256,), 1 / 128)),
    }[name]
    for zero_point in ZERO_POINTS:
        model = one_operator(name, [tensor("x", "INT8", (256,), scale, zero_point)], output)
        np.testing.assert_array_equal(function(INT8_VALUES, scale, zero_point), run_in_tflm(model, INT8_VALUES))


@pytest.mark.parametrize("scale", INT16_SCALES)
@pytest.mark.parametrize("name", ["LOGISTIC", "TANH"])
def test_int16_curves_equal_tflm(name: str, scale: float) -> None:
    function = {"LOGISTIC": logistic, "TANH": tanh}[name]
    shape = INT16_VALUES.shape
    model = one_operator(name, [tensor("x", "INT16", shape, scale)], tensor("y", "INT16", shape, 1 / 32768))
    np.testing.assert_array_equal(function(INT16_VALUES, scale), run_in_tflm(model, INT16_VALUES))


@pytest.mark.parametrize("seed", range(12))
def test_hard_swish_equals_tflm(seed: int) -> None:
    random = np.random.default_rng(seed)
    scale = float(np.float32(10 ** random.uniform(-4, 1.5)))
    output_scale = float(np.float32(scale * 10 ** random.uniform(-1.5, 1.5)))
    zero_point, output_zero_point = (int(z) for z in random.integers(-128, 128, 2))
    model = one_operator(
        "HARD_SWISH",
        [tensor("x", "INT8", (256,), scale, zero_point)],
        tensor("y", "INT8", (256,), output_scale, output_zero_point),
    )
    ours = hard_swish(INT8_VALUES, scale, zero_point, output_scale, output_zero_point)
    np.testing.assert_array_equal(ours, run_in_tflm(model, INT8_VALUES))


@pytest.mark.parametrize("alpha", [0.3, 0.01, 0.0, -0.5, 1.7])
@pytest.mark.parametrize("values", [INT8_VALUES, INT16_VALUES], ids=["int8", "int16"])
def test_leaky_relu_equals_tflm(values: npt.NDArray[np.int8] | npt.NDArray[np.int16], alpha: float) -> None:
    random = np.random.default_rng(round(alpha * 100) + 1000)
    scale = float(np.float32(10 ** random.uniform(-4, 1)))
    output_scale = float(np.float32(scale * 10 ** random.uniform(-0.7, 0.7)))
    zero_point, output_zero_point = (int(z) for z in random.integers(-128, 128, 2))
    in_schema = values.dtype.name.upper()
    model = one_operator(
        "LEAKY_RELU",
        [tensor("x", in_schema, values.shape, scale, zero_point)],
        tensor("y", in_schema, values.shape, output_scale, output_zero_point),
        ("LeakyReluOptions", {"alpha": alpha}),
    )
    ours = leaky_relu(values, alpha, scale, zero_point, output_scale, output_zero_point)
    np.testing.assert_array_equal(ours, run_in_tflm(model, values))


def test_recorded_outputs_of_tflm() -> None:
    """Every 17th int8, measured once in TFLite Micro: this check needs no engine."""
    x = INT8_VALUES[::17]
    assert logistic(x, 0.0472, -7).tolist() == [
        -127, -126, -124, -119, -109, -88, -54, -6, 44, 82, 105, 117, 123, 126, 127, 127,
    ]  # fmt: skip
    assert tanh(x, 0.0151, -7).tolist() == [
        -122, -117, -111, -100, -85, -63, -36, -4, 29, 57, 81, 97, 109, 116, 121, 124,
    ]  # fmt: skip
    assert hard_swish(x, 0.0472, -7, 0.03, -100).tolist() == [
        -100, -100, -100, -100, -107, -112, -110, -102, -85, -62, -32, 4, 31, 57, 84, 111,
    ]  # fmt: skip
    assert leaky_relu(x, 0.3, 0.0472, -7, 0.03, 11).tolist() == [
        -46, -38, -30, -22, -14, -6, 2, 10, 35, 61, 88, 115, 127, 127, 127, 127,
    ]  # fmt: skip
    wide = INT16_VALUES[::4369]
    assert logistic(wide, 3e-4).tolist() == [
        2, 6, 24, 90, 330, 1192, 4024, 11198, 21567, 28743, 31576, 32438, 32678, 32744, 32762, 32766,
    ]  # fmt: skip
    assert tanh(wide, 2**-12).tolist() == [
        -32767, -32767, -32767, -32763, -32730, -32453, -30202, -15990,
        15984, 30200, 32453, 32730, 32763, 32767, 32767, 32767,
    ]  # fmt: skip


def test_digests_of_the_sweeps() -> None:
    """Checksums of the outputs of the sweeps above, taken when they equalled TFLite Micro."""

    def digest(*outputs: npt.NDArray[np.integer[Any]]) -> int:
        return zlib.crc32(np.concatenate(outputs).tobytes())

    curves = [f(INT8_VALUES, scale, z) for f in (logistic, tanh) for scale in INT8_SCALES for z in ZERO_POINTS]
    assert digest(*curves) == 3010858040
    assert digest(*(f(INT16_VALUES, scale) for f in (logistic, tanh) for scale in INT16_SCALES)) == 439828201
    assert (
        digest(*(hard_swish(INT8_VALUES, s, z, 0.03, 5) for s in INT8_SCALES[2:-1] for z in ZERO_POINTS)) == 3159584317
    )
    assert (
        digest(*(leaky_relu(INT16_VALUES, a, 0.0472, 3, 0.03, -9) for a in (0.3, 0.01, 0.0, -0.5, 1.7))) == 2559689404
    )


def test_int8_values_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        INT8_VALUES[0] = 0


def test_curves_are_close_to_the_real_ones() -> None:
    x = INT8_VALUES * 0.0472
    assert np.abs((logistic(INT8_VALUES, 0.0472) + 128.0) / 256 - 1 / (1 + np.exp(-x))).max() < 0.6 / 256
    assert np.abs(tanh(INT8_VALUES, 0.0472) / 128 - np.tanh(x)).max() < 1.1 / 128
    wide = INT16_VALUES * 3e-4
    assert np.abs(logistic(INT16_VALUES, 3e-4) / 32768 - 1 / (1 + np.exp(-wide))).max() < 2 / 32768
    assert np.abs(tanh(INT16_VALUES, 3e-4) / 32768 - np.tanh(wide)).max() < 3 / 32768


@pytest.mark.parametrize("integer_bits", [2, 4, 5])
def test_fixed_point_exponential_is_close_to_the_real_one(integer_bits: int) -> None:
    a = -np.random.default_rng(integer_bits).integers(0, 1 << 31, 1000).astype(np.int32)
    a[:3] = 0, -1, np.iinfo(np.int32).min + 1
    real = np.exp(a / 2.0 ** (31 - integer_bits))
    ours = fixed_point.exp_on_negative_values(a, integer_bits) / 2.0**31
    assert np.abs(ours - real).max() < 5e-7


def test_fixed_point_curves_are_close_to_the_real_ones() -> None:
    a = np.random.default_rng(9).integers(-(1 << 31), 1 << 31, 1000).astype(np.int32)
    a[:4] = 0, 1, -1, np.iinfo(np.int32).max
    real = a / 2.0**27
    assert np.abs(fixed_point.logistic(a, 4) / 2.0**31 - 1 / (1 + np.exp(-real))).max() < 5e-7
    assert np.abs(fixed_point.tanh(a, 4) / 2.0**31 - np.tanh(real)).max() < 2e-6


def test_fixed_point_curves_are_exact_at_zero() -> None:
    zero = np.zeros(1, np.int32)
    assert fixed_point.exp_on_negative_values(zero, 5).tolist() == [fixed_point.INT32_MAX]
    assert fixed_point.logistic(zero, 4).tolist() == [1 << 30]
    assert fixed_point.tanh(zero, 4).tolist() == [0]


def test_division_by_powers_of_two_rounds_halves_away_from_zero() -> None:
    x = np.array([-6, -5, -3, -2, -1, 0, 1, 2, 3, 5, 6], np.int32)
    halved = fixed_point.rounding_divide_by_power_of_two(x, 1)
    assert halved.tolist() == [-3, -3, -2, -1, -1, 0, 1, 1, 2, 3, 3]
    assert fixed_point.rounding_divide_by_power_of_two(x, 2).tolist() == [-2, -1, -1, -1, 0, 0, 0, 1, 1, 1, 2]


def test_doubling_product_rounds_halves_up_and_saturates() -> None:
    lowest = np.array([fixed_point.INT32_MIN], np.int32)
    assert fixed_point.saturating_rounding_doubling_high_mul(lowest, lowest).tolist() == [fixed_point.INT32_MAX]
    halves = np.array([-3, -1, 1, 3], np.int32)
    assert fixed_point.saturating_rounding_doubling_high_mul(halves, 1 << 30).tolist() == [-1, 0, 1, 2]


def test_product_with_a_power_of_two_saturates() -> None:
    x = np.array([-(1 << 30), -1, 0, 1, (1 << 30) - 1], np.int32)
    shifted = fixed_point.saturating_multiply_by_power_of_two(x, 2)
    assert shifted.tolist() == [fixed_point.INT32_MIN, -4, 0, 4, fixed_point.INT32_MAX]


def test_leading_zeros() -> None:
    x = np.array([1, 2, 3, 255, 256, (1 << 31) - 1], np.int32)
    assert fixed_point.count_leading_zeros(x).tolist() == [31, 30, 30, 24, 23, 1]
