"""Each op in text, run on arrays: it is wired to its kernel with all of its attributes."""

import numpy as np
import pytest
from modules_in_text import SPLIT, in_main, parse

from tinymo_xdsl.interpreter import convolution
from tinymo_xdsl.interpreter.executor import find_function, run_and_observe, run_function
from tinymo_xdsl.interpreter.semantics import random_inputs
from tinymo_xdsl.interpreter.sliding_window import SlidingWindow
from tinymo_xdsl.numerics.dense import from_numpy
from tinymo_xdsl.numerics.requantize import apply_scale_32

# What stands before the op: constants of one element, lists of sizes.
CONSTANTS = """
  %i8 = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %i8_3 = "tosa.const"() <{values = dense<3> : tensor<1xi8>}> : () -> tensor<1xi8>
  %i8_1 = "tosa.const"() <{values = dense<1> : tensor<1xi8>}> : () -> tensor<1xi8>
  %f32 = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %i32 = "tosa.const"() <{values = dense<0> : tensor<1xi32>}> : () -> tensor<1xi32>
  %s11 = tosa.const_shape {values = dense<1> : tensor<2xindex>} : () -> !tosa.shape<2>
  %s32 = tosa.const_shape {values = dense<[3, 2]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %s21 = tosa.const_shape {values = dense<[2, 1]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %s0120 = tosa.const_shape {values = dense<[0, 1, 2, 0]> : tensor<4xindex>} : () -> !tosa.shape<4>
"""

A = np.array([[1, -2, 3], [4, 5, -128]], np.int8)
B = np.array([[2, 2, -3], [1, 0, 1]], np.int32)
C = np.array([[1, 2, 3], [31, 4, 1]], np.int32)
F = np.array([[0.5, -1.0, 2.0], [0.25, 4.0, -3.5]], np.float32)
P = np.array([[True, False, True], [False, False, True]])
NAN = np.array([[np.nan, 1, -1], [2, np.nan, 0]], np.float32)
X4 = np.arange(-8, 8, dtype=np.int8).reshape(1, 4, 4, 1)

T8, T32, TF, T1 = (f"tensor<2x3x{element}>" for element in ("i8", "i32", "f32", "i1"))


@pytest.mark.parametrize(
    ("op", "inputs", "expected"),
    [
        (f"tosa.abs %0 : ({T8}) -> {T8}", [A], np.array([[1, 2, 3], [4, 5, 127]], np.int8)),
        (f"tosa.negate %0, %i8, %i8_1 : ({T8}, tensor<1xi8>, tensor<1xi8>) -> {T8}", [A], [[0, 3, -2], [-3, -4, 127]]),
        (f"tosa.bitwise_not %0 : ({T8}) -> {T8}", [A], ~A),
        (f"tosa.clz %0 : ({T32}) -> {T32}", [B], [[30, 30, 0], [31, 32, 31]]),
        (f"tosa.add %0, %1 : ({T32}, {T32}) -> {T32}", [B, C], B + C),
        (f"tosa.sub %0, %1 : ({T32}, {T32}) -> {T32}", [B, C], B - C),
        (f"tosa.intdiv %0, %1 : ({T32}, {T32}) -> {T32}", [B, C], [[2, 1, -1], [0, 0, 1]]),
        (f"tosa.bitwise_and %0, %1 : ({T32}, {T32}) -> {T32}", [B, C], B & C),
        (f"tosa.bitwise_or %0, %1 : ({T32}, {T32}) -> {T32}", [B, C], B | C),
        (f"tosa.bitwise_xor %0, %1 : ({T32}, {T32}) -> {T32}", [B, C], B ^ C),
        (f"tosa.logical_left_shift %0, %1 : ({T32}, {T32}) -> {T32}", [B, C], [[4, 8, -24], [-(2**31), 0, 2]]),
        (f"tosa.logical_right_shift %0, %1 : ({T32}, {T32}) -> {T32}", [B, C], [[1, 0, 2**29 - 1], [0, 0, 0]]),
        (
            f"tosa.arithmetic_right_shift %0, %1 {{round = true}} : ({T32}, {T32}) -> {T32}",
            [B, C],
            [[1, 1, 0], [0, 0, 1]],
        ),
        (
            f"tosa.mul %0, %1, %i8_1 : ({T8}, {T8}, tensor<1xi8>) -> {T32}".replace(T8, T32),
            [B, B],
            [[2, 2, 5], [1, 0, 1]],
        ),
        (f"tosa.maximum %0, %1 : ({T32}, {T32}) -> {T32}", [B, C], np.maximum(B, C)),
        (f"tosa.minimum %0, %1 : ({T32}, {T32}) -> {T32}", [B, C], np.minimum(B, C)),
        (f"tosa.maximum %0, %1 : ({TF}, {TF}) -> {TF}", [NAN, F], np.maximum(NAN, F)),
        (f"tosa.minimum %0, %1 {{nan_mode = IGNORE}} : ({TF}, {TF}) -> {TF}", [NAN, F], np.fmin(NAN, F)),
        (f"tosa.clamp %0 {{max_val = 4 : i8, min_val = -1 : i8}} : ({T8}) -> {T8}", [A], [[1, -1, 3], [4, 4, -1]]),
        (f"tosa.equal %0, %1 : ({T32}, {T32}) -> {T1}", [B, C], B == C),
        (f"tosa.greater %0, %1 : ({T32}, {T32}) -> {T1}", [B, C], B > C),
        (f"tosa.greater_equal %0, %1 : ({T32}, {T32}) -> {T1}", [B, C], B >= C),
        (f"tosa.select %0, %1, %2 : ({T1}, {T32}, {T32}) -> {T32}", [P, B, C], np.where(P, B, C)),
        (f"tosa.logical_not %0 : ({T1}) -> {T1}", [P], ~P),
        (f"tosa.logical_and %0, %1 : ({T1}, {T1}) -> {T1}", [P, ~P], P & ~P),
        (f"tosa.logical_or %0, %1 : ({T1}, {T1}) -> {T1}", [P, ~P], P | ~P),
        (f"tosa.logical_xor %0, %1 : ({T1}, {T1}) -> {T1}", [P, P], P ^ P),
        (f"tosa.exp %0 : ({TF}) -> {TF}", [F], np.exp(F)),
        (f"tosa.log %0 : ({TF}) -> {TF}", [np.abs(F)], np.log(np.abs(F))),
        (f"tosa.sin %0 : ({TF}) -> {TF}", [F], np.sin(F)),
        (f"tosa.cos %0 : ({TF}) -> {TF}", [F], np.cos(F)),
        (f"tosa.ceil %0 : ({TF}) -> {TF}", [F], np.ceil(F)),
        (f"tosa.floor %0 : ({TF}) -> {TF}", [F], np.floor(F)),
        (f"tosa.reciprocal %0 : ({TF}) -> {TF}", [F], 1 / F),
        (f"tosa.rsqrt %0 : ({TF}) -> {TF}", [np.abs(F)], 1 / np.sqrt(np.abs(F))),
        (f"tosa.pow %0, %1 : ({TF}, {TF}) -> {TF}", [np.abs(F), F], np.abs(F) ** F),
        (f"tosa.tanh %0 : ({TF}) -> {TF}", [F], np.tanh(F)),
        (f"tosa.sigmoid %0 : ({TF}) -> {TF}", [F], 1 / (1 + np.exp(-F))),
        (f"tosa.erf %0 : ({TF}) -> {TF}", [F], [[0.5204999, -0.8427008, 0.9953223], [0.2763264, 1, -0.9999993]]),
        (f"tosa.cast %0 : ({TF}) -> {T8}", [F], [[0, -1, 2], [0, 4, -4]]),
        (f"tosa.identity %0 : ({T8}) -> {T8}", [A], A),
        (f"tosa.reshape %0, %s32 : ({T8}, !tosa.shape<2>) -> tensor<3x2xi8>", [A], A.reshape(3, 2)),
        (f"tosa.transpose %0 {{perms = array<i32: 1, 0>}} : ({T8}) -> tensor<3x2xi8>", [A], A.T),
        (
            f"tosa.pad %0, %s0120, %i8_3 : ({T8}, !tosa.shape<4>, tensor<1xi8>) -> tensor<3x5xi8>",
            [A],
            [[3, 3, 1, -2, 3], [3, 3, 4, 5, -128], [3, 3, 3, 3, 3]],
        ),
        (f"tosa.slice %0, %s11, %s11 : ({T8}, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x1xi8>", [A], [[5]]),
        (f"tosa.concat %0, %1 {{axis = 1 : i32}} : ({T8}, {T8}) -> tensor<2x6xi8>", [A, A], np.hstack([A, A])),
        (f"tosa.tile %0, %s21 : ({T8}, !tosa.shape<2>) -> tensor<4x3xi8>", [A], np.vstack([A, A])),
        (f"tosa.reverse %0 {{axis = 1 : i32}} : ({T8}) -> {T8}", [A], A[:, ::-1]),
        (
            "tosa.gather %0, %1 : (tensor<1x3x2xf32>, tensor<1x2xi32>) -> tensor<1x2x2xf32>",
            [F.reshape(1, 3, 2), np.array([[2, 0]], np.int32)],
            F.reshape(1, 3, 2)[:, [2, 0]],
        ),
        (
            "tosa.scatter %0, %1, %2 : (tensor<1x3x2xf32>, tensor<1x1xi32>, tensor<1x1x2xf32>) -> tensor<1x3x2xf32>",
            [F.reshape(1, 3, 2), np.array([[1]], np.int32), np.array([[[9, 8]]], np.float32)],
            [[[0.5, -1], [9, 8], [4, -3.5]]],
        ),
        (f"tosa.reduce_sum %0 {{axis = 1 : i32}} : ({T32}) -> tensor<2x1xi32>", [B], [[1], [2]]),
        (f"tosa.reduce_product %0 {{axis = 1 : i32}} : ({TF}) -> tensor<2x1xf32>", [F], [[-1], [-3.5]]),
        (f"tosa.reduce_max %0 {{axis = 0 : i32}} : ({T32}) -> tensor<1x3xi32>", [B], [[2, 2, 1]]),
        (f"tosa.reduce_min %0 {{axis = 0 : i32}} : ({T32}) -> tensor<1x3xi32>", [B], [[1, 0, -3]]),
        (f"tosa.reduce_any %0 {{axis = 0 : i32}} : ({T1}) -> tensor<1x3xi1>", [P], [[True, False, True]]),
        (f"tosa.reduce_all %0 {{axis = 0 : i32}} : ({T1}) -> tensor<1x3xi1>", [P], [[False, False, True]]),
        (f"tosa.argmax %0 {{axis = 1 : i32}} : ({T32}) -> tensor<2xi32>", [B], [0, 0]),
        (f"tosa.argmax %0 {{axis = 1 : i32, nan_mode = IGNORE}} : ({TF}) -> tensor<2xi32>", [NAN], [1, 0]),
        (
            "tosa.matmul %0, %1, %f32, %f32 : (tensor<1x2x3xf32>, tensor<1x3x2xf32>, tensor<1xf32>, tensor<1xf32>)"
            " -> tensor<1x2x2xf32>",
            [F.reshape(1, 2, 3), F.reshape(1, 3, 2)],
            F.reshape(1, 2, 3) @ F.reshape(1, 3, 2),
        ),
        (
            "tosa.max_pool2d %0 {kernel = array<i64: 2, 2>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>}"
            " : (tensor<1x4x4x1xi8>) -> tensor<1x2x2x1xi8>",
            [X4],
            [[[[-3], [-1]], [[5], [7]]]],
        ),
        (
            "tosa.max_pool2d %0 {kernel = array<i64: 1, 2>, nan_mode = #tosa.nan_mode<IGNORE>,"
            " pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x2x3x1xf32>) -> tensor<1x2x2x1xf32>",
            [NAN.reshape(1, 2, 3, 1)],
            [[[[1], [1]], [[2], [0]]]],
        ),
        (
            "tosa.avg_pool2d %0, %i8, %i8 {acc_type = i32, kernel = array<i64: 2, 2>, pad = array<i64: 0, 0, 0, 0>,"
            " stride = array<i64: 2, 2>} : (tensor<1x4x4x1xi8>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x2x2x1xi8>",
            [X4],
            # Sums of -22, -14, 10 and 18: halves go away from zero.
            [[[[-6], [-4]], [[3], [5]]]],
        ),
    ],
    ids=lambda value: value.split(" ")[0] if isinstance(value, str) else "",
)
def test_each_op_computes_its_definition(op: str, inputs: list[np.ndarray], expected: np.ndarray) -> None:
    arguments = ", ".join(f"%{index} : {from_numpy(array).get_type()}" for index, array in enumerate(inputs))
    result = op.rpartition(" -> ")[2]
    module = in_main(arguments, result, f"{CONSTANTS}  %r = {op}\n  return %r : {result}")
    (output,) = run_function(module, inputs)
    np.testing.assert_allclose(output, np.asarray(expected), rtol=1e-6)
    element = result.rstrip(">").rpartition("x")[2]
    assert output.dtype == {"i8": np.int8, "i32": np.int32, "f32": np.float32, "i1": np.bool_}[element]


def test_convolutions_and_rescale_are_wired() -> None:
    """Each of stride, pad, dilation, zero points, bias and rounding has a value that changes the result."""
    module = in_main(
        "%x : tensor<1x5x4x2xi8>, %w : tensor<3x2x2x2xi8>, %d : tensor<2x2x2x1xi8>, %b : tensor<3xi32>",
        "tensor<1x3x3x3xi8>, tensor<1x3x3x2xi32>, tensor<1x9x8x3xi32>",
        """
  %zp = "tosa.const"() <{values = dense<-3> : tensor<1xi8>}> : () -> tensor<1xi8>
  %zp2 = "tosa.const"() <{values = dense<2> : tensor<1xi8>}> : () -> tensor<1xi8>
  %zero = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %zero32 = "tosa.const"() <{values = dense<0> : tensor<1xi32>}> : () -> tensor<1xi32>
  %multiplier = "tosa.const"() <{values = dense<[1073741824, 1610612736, 2000000000]> : tensor<3xi32>}>
    : () -> tensor<3xi32>
  %shift = "tosa.const"() <{values = dense<[39, 40, 38]> : tensor<3xi8>}> : () -> tensor<3xi8>
  %acc = tosa.conv2d %x, %w, %b, %zp, %zero {acc_type = i32, dilation = array<i64: 2, 1>, pad = array<i64: 2, 0, 0, 2>,
    stride = array<i64: 2, 2>}
    : (tensor<1x5x4x2xi8>, tensor<3x2x2x2xi8>, tensor<3xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x3x3x3xi32>
  %out = tosa.rescale %acc, %multiplier, %shift, %zero32, %zp2 {input_unsigned = false, output_unsigned = false,
    per_channel = true, rounding_mode = DOUBLE_ROUND, scale32 = true}
    : (tensor<1x3x3x3xi32>, tensor<3xi32>, tensor<3xi8>, tensor<1xi32>, tensor<1xi8>) -> tensor<1x3x3x3xi8>
  %dw = tosa.depthwise_conv2d %x, %d, %zero32, %zp, %zp2 {acc_type = i32, dilation = array<i64: 2, 1>,
    pad = array<i64: 2, 0, 0, 2>, stride = array<i64: 2, 2>}
    : (tensor<1x5x4x2xi8>, tensor<2x2x2x1xi8>, tensor<1xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x3x3x2xi32>
  %t = tosa.transpose_conv2d %x, %w, %b, %zp, %zero {acc_type = i32, out_pad = array<i64: 0, -1, 1, -1>,
    stride = array<i64: 2, 2>}
    : (tensor<1x5x4x2xi8>, tensor<3x2x2x2xi8>, tensor<3xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x9x8x3xi32>
  return %out, %dw, %t : tensor<1x3x3x3xi8>, tensor<1x3x3x2xi32>, tensor<1x9x8x3xi32>""",
    )
    x, weight, depthwise, _ = inputs = random_inputs(find_function(module, "main"))
    bias = inputs[3] = np.array([1000, -2000, 30], np.int32)
    window = SlidingWindow((2, 2), (2, 2), (2, 0, 0, 2), (2, 1))
    int32 = np.dtype(np.int32)
    accumulators = convolution.conv2d(x, weight, bias, window, int32, -3)
    multiplier, shift = np.array([1 << 30, 3 << 29, 2000000000]), np.array([39, 40, 38])
    scaled = apply_scale_32(accumulators, multiplier, shift, double_round=True) + 2

    out, dw, transposed = run_function(module, inputs)
    np.testing.assert_array_equal(out, np.clip(scaled, -128, 127).astype(np.int8))
    assert len(np.unique(out)) > 10
    zero = np.zeros(1, np.int32)
    np.testing.assert_array_equal(dw, convolution.depthwise_conv2d(x, depthwise, zero, window, int32, -3, 2))
    expected = convolution.transpose_conv2d(x, weight, bias, (2, 2), (0, -1, 1, -1), int32, -3)
    np.testing.assert_array_equal(transposed, expected)


def test_reduce_sum_adds_floats_one_after_another() -> None:
    """Each 1 is lost in 1e8; added in pairs first, as numpy would, they would not be."""
    op = "tosa.reduce_sum %x {axis = 0 : i32} : (tensor<256xf32>) -> tensor<1xf32>"
    module = in_main("%x : tensor<256xf32>", "tensor<1xf32>", f"%r = {op}\nreturn %r : tensor<1xf32>")
    x = np.ones(256, np.float32)
    x[0] = 1e8
    assert run_function(module, [x])[0].tolist() == [1e8]


def test_conv3d_sums_planes() -> None:
    """Dilated over planes, with a border behind the last plane and left of the first column."""
    module = in_main(
        "%x : tensor<1x5x3x4x2xi8>, %w : tensor<3x2x2x2x2xi8>, %b : tensor<3xi32>",
        "tensor<1x4x2x4x3xi32>",
        """
  %zp = "tosa.const"() <{values = dense<-3> : tensor<1xi8>}> : () -> tensor<1xi8>
  %zero = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %r = tosa.conv3d %x, %w, %b, %zp, %zero {acc_type = i32, dilation = array<i64: 2, 1, 1>,
    pad = array<i64: 0, 1, 0, 0, 1, 0>, stride = array<i64: 1, 1, 1>}
    : (tensor<1x5x3x4x2xi8>, tensor<3x2x2x2x2xi8>, tensor<3xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x4x2x4x3xi32>
  return %r : tensor<1x4x2x4x3xi32>""",
    )
    x, weight, _ = inputs = random_inputs(find_function(module, "main"))
    bias = inputs[2] = np.array([1000, -2000, 30], np.int32)
    centred = np.pad(x.astype(np.int32) + 3, ((0, 0), (0, 1), (0, 0), (1, 0), (0, 0)))
    expected = np.zeros((1, 4, 2, 4, 3), np.int32) + bias
    for n, d, y, c, oc in np.ndindex(*expected.shape):
        read = centred[n, d : d + 3 : 2, y : y + 2, c : c + 2]
        expected[n, d, y, c, oc] += (read * weight[oc]).sum()
    (result,) = run_function(module, inputs)
    np.testing.assert_array_equal(result, expected)


def test_rescale_of_unsigned_and_of_48_bits() -> None:
    """Signless bytes read as unsigned, a `ui8` tensor, and an accumulator of int16 that is scaled by 15 bits."""
    module = in_main(
        "%a : tensor<3xi8>, %u : tensor<3xui8>, %w : tensor<2xi48>",
        "tensor<3xi8>, tensor<3xi8>, tensor<2xi16>, tensor<3xi8>",
        """
  %m = "tosa.const"() <{values = dense<1073741824> : tensor<1xi32>}> : () -> tensor<1xi32>
  %s = "tosa.const"() <{values = dense<30> : tensor<1xi8>}> : () -> tensor<1xi8>
  %m16 = "tosa.const"() <{values = dense<16384> : tensor<1xi16>}> : () -> tensor<1xi16>
  %s16 = "tosa.const"() <{values = dense<34> : tensor<1xi8>}> : () -> tensor<1xi8>
  %z = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %z16 = "tosa.const"() <{values = dense<0> : tensor<1xi16>}> : () -> tensor<1xi16>
  %z48 = "tosa.const"() <{values = dense<0> : tensor<1xi48>}> : () -> tensor<1xi48>
  %minus = "tosa.const"() <{values = dense<-128> : tensor<1xi8>}> : () -> tensor<1xi8>
  %u128 = "tosa.const"() <{values = dense<128> : tensor<1xui8>}> : () -> tensor<1xui8>
  %0 = tosa.rescale %a, %m, %s, %minus, %z {input_unsigned = true, output_unsigned = false, per_channel = false,
    rounding_mode = SINGLE_ROUND, scale32 = true}
    : (tensor<3xi8>, tensor<1xi32>, tensor<1xi8>, tensor<1xi8>, tensor<1xi8>) -> tensor<3xi8>
  %1 = tosa.rescale %u, %m, %s, %u128, %z {input_unsigned = false, output_unsigned = false, per_channel = false,
    rounding_mode = SINGLE_ROUND, scale32 = true}
    : (tensor<3xui8>, tensor<1xi32>, tensor<1xi8>, tensor<1xui8>, tensor<1xi8>) -> tensor<3xi8>
  %2 = tosa.rescale %w, %m16, %s16, %z48, %z16 {input_unsigned = false, output_unsigned = false, per_channel = false,
    rounding_mode = SINGLE_ROUND, scale32 = false}
    : (tensor<2xi48>, tensor<1xi16>, tensor<1xi8>, tensor<1xi48>, tensor<1xi16>) -> tensor<2xi16>
  %3 = tosa.rescale %0, %m, %s, %z, %minus {input_unsigned = false, output_unsigned = true, per_channel = false,
    rounding_mode = SINGLE_ROUND, scale32 = true}
    : (tensor<3xi8>, tensor<1xi32>, tensor<1xi8>, tensor<1xi8>, tensor<1xi8>) -> tensor<3xi8>
  return %0, %1, %2, %3 : tensor<3xi8>, tensor<3xi8>, tensor<2xi16>, tensor<3xi8>""",
    )
    stored = np.array([0, 128, 255], np.uint8)
    signless, unsigned, wide, back = run_function(
        module, [stored.view(np.int8), stored, np.array([1 << 33, -(1 << 40)])]
    )
    np.testing.assert_array_equal(signless, [-128, 0, 127])
    np.testing.assert_array_equal(unsigned, [-128, 0, 127])
    np.testing.assert_array_equal(wide, [1 << 13, -(1 << 15)])
    np.testing.assert_array_equal(back.view(np.uint8), stored)


def test_table_and_resize_are_wired() -> None:
    module = in_main(
        "%x : tensor<1x2x2x1xi8>, %t : tensor<256xi8>",
        "tensor<1x2x2x1xi8>, tensor<1x4x2x1xi8>, tensor<1x3x2x1xi32>",
        """
  %scale = tosa.const_shape {values = dense<[4, 2, 2, 2]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %offset = tosa.const_shape {values = dense<[-1, 0]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %border = tosa.const_shape {values = dense<[1, 0]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %scale2 = tosa.const_shape {values = dense<[2, 1, 1, 1]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %zero = tosa.const_shape {values = dense<0> : tensor<2xindex>} : () -> !tosa.shape<2>
  %0 = tosa.table %x, %t : (tensor<1x2x2x1xi8>, tensor<256xi8>) -> tensor<1x2x2x1xi8>
  %1 = tosa.resize %x, %scale, %offset, %border {mode = NEAREST_NEIGHBOR}
    : (tensor<1x2x2x1xi8>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x4x2x1xi8>
  %2 = tosa.resize %x, %scale2, %zero, %zero {mode = BILINEAR}
    : (tensor<1x2x2x1xi8>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x3x2x1xi32>
  return %0, %1, %2 : tensor<1x2x2x1xi8>, tensor<1x4x2x1xi8>, tensor<1x3x2x1xi32>""",
    )
    x = np.array([[1, 2], [5, -128]], np.int8).reshape(1, 2, 2, 1)
    negation = np.arange(127, -129, -1, dtype=np.int8)
    table, nearest, bilinear = run_function(module, [x, negation])
    np.testing.assert_array_equal(table, -1 - x)
    np.testing.assert_array_equal(nearest, x.repeat(2, axis=1))
    np.testing.assert_array_equal(bilinear.reshape(3, 2), [[2, 4], [6, -126], [10, -256]])


def test_cond_if_runs_one_side() -> None:
    module = in_main(
        "%c : tensor<i1>, %x : tensor<2xi8>",
        "tensor<2xi8>",
        """%r = tosa.cond_if %c : tensor<i1> -> tensor<2xi8> {
        tosa.yield %x : tensor<2xi8>
      } else {
        %n = tosa.bitwise_not %x : (tensor<2xi8>) -> tensor<2xi8>
        tosa.yield %n : tensor<2xi8>
      }
      return %r : tensor<2xi8>""",
    )
    x = np.array([1, 2], np.int8)
    assert run_function(module, [np.array(True), x])[0].tolist() == [1, 2]
    assert run_function(module, [np.array(False), x])[0].tolist() == [-2, -3]


def test_windows_kernels_and_spilled_tensors() -> None:
    x = np.array([[1, -2], [3, 4], [-5, 6], [7, 8]], np.int8).reshape(1, 4, 2)
    outputs, tensors = run_and_observe(parse(SPLIT), [x])
    expected = [[1, -2], [3, 4], [3, 6], [7, 8]]
    np.testing.assert_array_equal(outputs[0][0], expected)
    assert list(tensors) == ["x", "largest", "y"]
    np.testing.assert_array_equal(tensors["largest"][0], expected[1:])
