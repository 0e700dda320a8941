"""The numpy kernels against plain loops over their definitions."""

import itertools

import numpy as np
import pytest

from tinymo_xdsl.interpreter import convolution, elementwise, pooling, resize
from tinymo_xdsl.interpreter.sliding_window import SlidingWindow
from tinymo_xdsl.numerics.dense import Array
from tinymo_xdsl.numerics.requantize import apply_scale_32

GEOMETRIES = [
    SlidingWindow((1, 1), (1, 1), (0, 0, 0, 0)),
    SlidingWindow((3, 3), (1, 1), (1, 1, 1, 1)),
    SlidingWindow((3, 2), (2, 1), (0, 1, 1, 0)),
    SlidingWindow((2, 3), (1, 2), (2, 0, 0, 3), (2, 1)),
    SlidingWindow((3, 3), (2, 3), (1, 2, 2, 1), (1, 2)),
]

INT8, INT32, INT64, FLOAT32 = (np.dtype(t) for t in (np.int8, np.int32, np.int64, np.float32))


def conv2d_by_loops(
    x: Array, weight: Array, bias: Array, window: SlidingWindow, x_zero: int, weight_zero: int
) -> Array:
    """The sum of the definition, element by element, in the dtype of `bias`."""
    (top, _, left, _), (stride_y, stride_x), (step_y, step_x) = window.pad, window.stride, window.dilation
    rows, columns = window.output_size(x.shape[1], x.shape[2])
    result = np.zeros((x.shape[0], rows, columns, len(weight)), bias.dtype)
    for n, oy, ox, oc in np.ndindex(*result.shape):
        total = bias.dtype.type(0)
        for ky, kx in np.ndindex(*window.kernel):
            iy, ix = oy * stride_y + ky * step_y - top, ox * stride_x + kx * step_x - left
            if 0 <= iy < x.shape[1] and 0 <= ix < x.shape[2]:
                for ic in range(x.shape[3]):
                    a = x[n, iy, ix, ic].astype(bias.dtype) - bias.dtype.type(x_zero)
                    b = weight[oc, ky, kx, ic].astype(bias.dtype) - bias.dtype.type(weight_zero)
                    total += a * b
        result[n, oy, ox, oc] = total + bias[oc]
    return result


def integers(generator: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Array:
    limits = np.iinfo(dtype)
    return generator.integers(limits.min, limits.max, shape, dtype, endpoint=True)


@pytest.mark.parametrize("window", GEOMETRIES)
@pytest.mark.parametrize(
    ("x_dtype", "weight_dtype", "accumulator", "x_zero", "weight_zero"),
    [("int8", "int8", INT32, -7, 0), ("uint8", "uint8", INT32, 128, 131), ("int16", "int8", INT64, 0, 0)],
)
def test_integer_convolutions_are_exact(
    window: SlidingWindow, x_dtype: str, weight_dtype: str, accumulator: np.dtype, x_zero: int, weight_zero: int
) -> None:
    generator = np.random.default_rng(1)
    x = integers(generator, (2, 7, 8, 3), x_dtype)
    weight = integers(generator, (5, *window.kernel, 3), weight_dtype)
    bias = generator.integers(-1000, 1000, 5).astype(accumulator)
    expected = conv2d_by_loops(x, weight, bias, window, x_zero, weight_zero)

    result = convolution.conv2d(x, weight, bias, window, accumulator, x_zero, weight_zero)
    assert result.dtype == accumulator
    np.testing.assert_array_equal(result, expected)

    # A depthwise convolution is a convolution with zeros between the channels.
    multiplier = 2
    depthwise = integers(generator, (*window.kernel, 3, multiplier), weight_dtype)
    spread = np.full((3 * multiplier, *window.kernel, 3), weight_zero, weight_dtype)
    for c, m in np.ndindex(3, multiplier):
        spread[c * multiplier + m, :, :, c] = depthwise[:, :, c, m]
    bias = generator.integers(-1000, 1000, 6).astype(accumulator)
    np.testing.assert_array_equal(
        convolution.depthwise_conv2d(x, depthwise, bias, window, accumulator, x_zero, weight_zero),
        convolution.conv2d(x, spread, bias, window, accumulator, x_zero, weight_zero),
    )


@pytest.mark.parametrize("window", GEOMETRIES)
def test_float_convolution_adds_in_the_order_of_the_loops(window: SlidingWindow) -> None:
    generator = np.random.default_rng(2)
    x = generator.standard_normal((1, 7, 8, 4)).astype(np.float32)
    weight = generator.standard_normal((3, *window.kernel, 4)).astype(np.float32)
    bias = generator.standard_normal(3).astype(np.float32)
    expected = conv2d_by_loops(x, weight, bias, window, 0, 0)
    np.testing.assert_array_equal(convolution.conv2d(x, weight, bias, window, FLOAT32), expected)


@pytest.mark.parametrize(("taps", "dtype"), [(100, "float32"), (700, "float64")])
def test_sums_beyond_the_mantissa_of_float32_stay_exact(taps: int, dtype: str) -> None:
    """With the zero point at one end an input counts 255: 700 products need 25 bits, and odd sums no less."""
    x = np.full((1, 1, 1, taps), 127, np.int8)
    weight = np.full((1, 1, 1, taps), 127, np.int8)
    weight[..., 0] = 126
    filters = weight.reshape(1, -1).T.astype(np.int64)
    assert convolution.exact_dtype(x.dtype, -128, filters) == np.dtype(dtype)
    window = SlidingWindow((1, 1), (1, 1), (0, 0, 0, 0))
    bias = np.zeros(1, np.int32)
    expected = 255 * 127 * (taps - 1) + 255 * 126
    assert convolution.conv2d(x, weight, bias, window, INT32, -128).item() == expected
    assert convolution.transpose_conv2d(x, weight, bias, (1, 1), (0, 0, 0, 0), INT32, -128).item() == expected


@pytest.mark.parametrize("out_pad", [(0, 0, 0, 0), (-1, -2, 0, -1), (2, 0, 0, 1)])
@pytest.mark.parametrize("stride", [(1, 1), (2, 2), (2, 3)])
@pytest.mark.parametrize("accumulator", [INT32, FLOAT32])
def test_transpose_conv2d_scatters_its_input(
    out_pad: tuple[int, int, int, int], stride: tuple[int, int], accumulator: np.dtype
) -> None:
    generator = np.random.default_rng(3)
    x = integers(generator, (2, 3, 4, 3), "int8").astype(np.int8 if accumulator == INT32 else np.float32)
    weight = integers(generator, (2, 3, 2, 3), "int8").astype(x.dtype)
    if accumulator == FLOAT32:
        x /= np.float32(3)
    zero = 5 if accumulator == INT32 else 0
    rows = 2 * stride[0] + 3 + out_pad[0] + out_pad[1]
    columns = 3 * stride[1] + 2 + out_pad[2] + out_pad[3]
    bias = np.array([10, -20], accumulator)
    expected = np.zeros((2, rows, columns, 2), accumulator)
    for n, iy, ix, ic, ky, kx, oc in np.ndindex(2, 3, 4, 3, 3, 2, 2):
        oy, ox = iy * stride[0] + ky + out_pad[0], ix * stride[1] + kx + out_pad[2]
        if 0 <= oy < rows and 0 <= ox < columns:
            term = (x[n, iy, ix, ic].astype(accumulator) - accumulator.type(zero)) * weight[oc, ky, kx, ic]
            expected[n, oy, ox, oc] += term.astype(accumulator)
    result = convolution.transpose_conv2d(x, weight, bias, stride, out_pad, accumulator, zero)
    np.testing.assert_array_equal(result, expected + bias)


def test_average_rounds_as_tflite_micro_does_for_every_sum() -> None:
    """AVERAGE_POOL_2D adds half of the count with the sign of the sum and divides towards zero."""
    for count in [*range(1, 50), 64, 125, 256, 1023]:
        sums = np.arange(-128 * count, 127 * count + 1, max(1, count // 40), dtype=np.int32)
        multiplier, shift = pooling.reciprocal_scale(np.array([count]))
        kernel = np.sign(sums) * ((np.abs(sums) + count // 2) // count)
        np.testing.assert_array_equal(apply_scale_32(sums, multiplier, shift), kernel, str(count))


@pytest.mark.parametrize("window", [w for w in GEOMETRIES if w.dilation == (1, 1)])
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16"])
def test_poolings_leave_out_the_border(window: SlidingWindow, dtype: str) -> None:
    x = integers(np.random.default_rng(4), (2, 7, 8, 3), dtype)
    rows, columns = window.output_size(7, 8)
    largest = np.zeros((2, rows, columns, 3), dtype)
    average = np.zeros((2, rows, columns, 3), dtype)
    for oy, ox in np.ndindex(rows, columns):
        y, left = oy * window.stride[0] - window.pad[0], ox * window.stride[1] - window.pad[2]
        inside = x[:, max(0, y) : y + window.kernel[0], max(0, left) : left + window.kernel[1]].astype(np.int64)
        count = inside.shape[1] * inside.shape[2]
        largest[:, oy, ox] = inside.max(axis=(1, 2))
        total = inside.sum(axis=(1, 2))
        average[:, oy, ox] = np.sign(total) * ((np.abs(total) + count // 2) // count)
    np.testing.assert_array_equal(pooling.max_pool2d(x, window), largest)
    np.testing.assert_array_equal(pooling.avg_pool2d(x, window, INT32), average)


def test_table_interpolates_between_the_entries_of_int16() -> None:
    table = np.arange(-256, 257, dtype=np.int16) * 100
    x = np.array([-32768, -1, 0, 64, 32767], np.int16)
    # Entry i stands for the input 128 * (i - 256); the result has seven more fraction bits.
    expected = x.astype(np.int32) * 100
    np.testing.assert_array_equal(elementwise.lookup(x, table, INT32), expected)
    steep = np.where(np.arange(513) % 2 == 0, -32768, 32767).astype(np.int16)
    # The slope saturates to 16 bits: 65535 becomes 32767.
    assert elementwise.lookup(np.array([1], np.int16), steep, INT32).item() == (-32768 << 7) + 32767
    negation = np.arange(127, -129, -1, dtype=np.int8)
    every = np.arange(-128, 128, dtype=np.int8)
    np.testing.assert_array_equal(elementwise.lookup(every, negation, INT8), -1 - every)


def test_cast_of_floats_saturates_and_rounds_to_even() -> None:
    x = np.array([0.5, 1.5, -0.5, -1.5, 126.5, 1e9, -1e9], np.float32)
    np.testing.assert_array_equal(elementwise.cast(x, INT8), np.array([0, 2, 0, -2, 126, 127, -128], np.int8))
    np.testing.assert_array_equal(elementwise.cast(np.array([300], np.int32), INT8), np.array([44], np.int8))


def test_small_integer_operations() -> None:
    values = np.array([0, 1, 2, 3, 255, 256, 2**31 - 1, -1, -(2**31)], np.int32)
    leading = [32, 31, 30, 30, 24, 23, 1, 0, 0]
    np.testing.assert_array_equal(elementwise.count_leading_zeros(values), leading)
    shifted = elementwise.arithmetic_right_shift(
        np.array([5, 6, 7, -5, -6, 9]), np.array([1, 2, 2, 1, 2, 0]), rounding=True
    )
    np.testing.assert_array_equal(shifted, [3, 2, 2, -2, -1, 9])
    quotients = elementwise.divide_towards_zero(np.array([7, -7, 7, -7]), np.array([2, 2, -2, -2]))
    np.testing.assert_array_equal(quotients, [3, -3, -3, 3])
    halves = elementwise.multiply(np.array([3, -3], np.int32), np.array([1, 1], np.int32), 1, INT32)
    np.testing.assert_array_equal(halves, [2, -1])


def test_resize_nearest_repeats_elements() -> None:
    x = np.arange(6, dtype=np.int8).reshape(1, 2, 3, 1)
    # Scale 2 with the phase of half-pixel centres: 4 / 2 steps from offset -1.
    rows, columns = resize.Sampling(4, 2, -1, 1), resize.Sampling(4, 2, -1, 1)
    doubled = x.repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_array_equal(resize.resize_nearest(x, rows, columns), doubled)
    # In the middle of two elements the later one is nearest.
    middle, first = resize.Sampling(2, 1, 1, -1), resize.Sampling(1, 1, 0, 0)
    np.testing.assert_array_equal(resize.resize_nearest(x, middle, first), x[:, 1:])


@pytest.mark.parametrize("dtype", ["int8", "float32"])
def test_resize_bilinear_weights_the_four_neighbours(dtype: str) -> None:
    x = integers(np.random.default_rng(5), (1, 3, 4, 2), "int8").astype(dtype)
    rows, columns = resize.Sampling(4, 2, -1, 1), resize.Sampling(6, 2, -2, 2)
    output = np.dtype(np.int32 if dtype == "int8" else np.float32)
    result = resize.resize_bilinear(x, rows, columns, output)
    assert result.shape == (1, 6, 12, 2)
    unit = 24 if dtype == "int8" else 1
    x = x.astype(np.float64)
    for oy, ox in itertools.product(range(6), range(12)):
        y, left = max(0, min(2, oy / 2 - 0.25)), max(0, min(3, ox / 3 - 1 / 3))
        y0, x0 = min(1, int(y)), min(2, int(left))
        dy, dx = y - y0, left - x0
        blend = (
            x[0, y0, x0] * (1 - dy) * (1 - dx)
            + x[0, y0, x0 + 1] * (1 - dy) * dx
            + x[0, y0 + 1, x0] * dy * (1 - dx)
            + x[0, y0 + 1, x0 + 1] * dy * dx
        )
        np.testing.assert_allclose(result[0, oy, ox], blend * unit, rtol=1e-5, atol=1e-4)
