"""Softmax in integers: equal to TFLite Micro, and for uint8 to the reference kernels of LiteRT."""

import zlib

import numpy as np
import numpy.typing as npt
import pytest
from one_operator import Array, one_operator, run_in_tflm, tensor

from tinymo_xdsl.flatbuffer.model import Tensor
from tinymo_xdsl.numerics.softmax import softmax

INT8_SCALES = (1 / 256, 1e-3, 0.0472, 0.1, 0.1249, 0.5, 1.0, 3.3, 40.0)
DEPTHS = (1, 2, 3, 10, 100, 400)

INT8_OUTPUT = ("INT8", 1 / 256, -128)
INT16_OUTPUT_OF_INT8 = ("INT16", 1 / 65536, -32768)


def softmax_model(x: Tensor, output: tuple[str, float, int], beta: float) -> bytes:
    dtype, scale, zero_point = output
    return one_operator(
        "SOFTMAX", [x], tensor("y", dtype, x.shape, scale, zero_point), ("SoftmaxOptions", {"beta": beta})
    )


def logits(depth: int, dtype: type[np.int8] | type[np.uint8] | type[np.int16]) -> Array:
    """Rows that spread over the whole range, and rows that stay close together."""
    limits = np.iinfo(dtype)
    rows = np.random.default_rng(depth).integers(limits.min, limits.max, (60, depth), endpoint=True).astype(dtype)
    rows[::2] >>= 4
    return rows


@pytest.mark.parametrize("output", [INT8_OUTPUT, INT16_OUTPUT_OF_INT8], ids=["to_int8", "to_int16"])
@pytest.mark.parametrize("scale", INT8_SCALES)
def test_int8_equals_tflm(scale: float, output: tuple[str, float, int]) -> None:
    for depth in DEPTHS:
        x = logits(depth, np.int8)
        for beta in (1.0, 0.37):
            in_tflm = run_in_tflm(softmax_model(tensor("x", "INT8", x.shape, scale, 5), output, beta), x)
            np.testing.assert_array_equal(softmax(x, scale, beta, np.dtype(output[0].lower())), in_tflm)


@pytest.mark.parametrize("scale", [0.01, 0.0472, 0.3])
def test_every_int8_difference_equals_tflm(scale: float) -> None:
    x = np.stack([np.full(256, 127), np.arange(-128, 128)], axis=1).astype(np.int8)
    in_tflm = run_in_tflm(softmax_model(tensor("x", "INT8", x.shape, scale), INT16_OUTPUT_OF_INT8, 1.0), x)
    np.testing.assert_array_equal(softmax(x, scale, 1.0, np.dtype(np.int16)), in_tflm)


@pytest.mark.parametrize("scale", [10 / 65535, 3e-5, 7e-4])
def test_every_int16_difference_equals_tflm(scale: float) -> None:
    x = np.stack([np.full(65536, 32767), np.arange(-32768, 32768)], axis=1).astype(np.int16)
    in_tflm = run_in_tflm(softmax_model(tensor("x", "INT16", x.shape, scale), ("INT16", 1 / 32768, 0), 1.0), x)
    np.testing.assert_array_equal(softmax(x, scale, 1.0, np.dtype(np.int16)), in_tflm)


@pytest.mark.parametrize("scale", [4e-6, 1e-4, 2e-3, 0.01])
def test_int16_equals_tflm(scale: float) -> None:
    for depth in DEPTHS:
        x = logits(depth, np.int16)
        for beta in (1.0, 2.7):
            model = softmax_model(tensor("x", "INT16", x.shape, scale), ("INT16", 1 / 32768, 0), beta)
            np.testing.assert_array_equal(softmax(x, scale, beta, np.dtype(np.int16)), run_in_tflm(model, x))


@pytest.mark.parametrize("scale", [1 / 256, 0.1, 3.3])
def test_uint8_equals_litert(scale: float) -> None:
    litert = pytest.importorskip(
        "ai_edge_litert.interpreter", reason="ai-edge-litert is not installed (extra `verify`)"
    )
    for depth in (2, 10, 100):
        x = logits(depth, np.uint8)
        model = softmax_model(tensor("x", "UINT8", x.shape, scale, 3), ("UINT8", 1 / 256, 0), 1.0)
        interpreter = litert.Interpreter(
            model_content=model, experimental_op_resolver_type=litert.OpResolverType.BUILTIN_REF
        )
        interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
        interpreter.invoke()
        in_litert = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        np.testing.assert_array_equal(softmax(x, scale, 1.0, np.dtype(np.uint8)), in_litert)


def test_recorded_outputs_of_tflm() -> None:
    """Measured once in TFLite Micro: this check needs no engine."""
    x = np.array([-128, -60, -3, 0, 7, 7, 30, 41, 52, 60], np.int8)
    assert softmax(x, 0.05, 0.7, np.dtype(np.int8)).tolist() == [
        -128, -127, -119, -118, -115, -115, -100, -87, -67, -48,
    ]  # fmt: skip
    assert softmax(x, 0.05, 0.7, np.dtype(np.int16)).tolist() == [
        -32739, -32459, -30497, -30246, -29546, -29546, -25561, -22176, -17202, -12172,
    ]  # fmt: skip
    wide = x.astype(np.int16) * np.int16(200)
    assert softmax(wide, 2e-4, 1.0, np.dtype(np.int16)).tolist() == [
        6, 92, 904, 1020, 1349, 1349, 3386, 5257, 8163, 11241,
    ]  # fmt: skip


def test_digests_of_sweeps() -> None:
    """Checksums of outputs taken when they equalled TFLite Micro: every difference to the largest input."""

    def digest(*outputs: Array) -> int:
        return zlib.crc32(np.concatenate(outputs).tobytes())

    int16 = np.dtype(np.int16)
    narrow = np.stack([np.full(256, 127), np.arange(-128, 128)], axis=1).astype(np.int8)
    assert digest(*(softmax(narrow, scale, 1.0, int16) for scale in INT8_SCALES)) == 2777123336
    wide = np.stack([np.full(65536, 32767), np.arange(-32768, 32768)], axis=1).astype(np.int16)
    assert digest(*(softmax(wide, scale, 1.0, int16) for scale in (10 / 65535, 3e-5, 7e-4))) == 2837014868
    counts = [np.zeros((1, depth), np.int16) for depth in range(1, 300)]
    assert digest(*(softmax(zeros, 1e-4, 1.0, int16)[0] for zeros in counts)) == 3835637988


def real_softmax(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    exponentials = np.exp(x)
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def test_int8_is_close_to_the_real_function() -> None:
    x = logits(10, np.int8)
    ours = (softmax(x, 0.05, 0.7, np.dtype(np.int16)) + 32768.0) / 65536
    assert np.abs(ours - real_softmax(x * (0.05 * 0.7))).max() < 1 / 65536


def test_int16_is_close_to_the_real_function() -> None:
    x = logits(10, np.int16)
    ours = softmax(x, 2e-4, 1.0, np.dtype(np.int16)) / 32768
    assert np.abs(ours - real_softmax(x * 2e-4)).max() < 10 / 32768


def test_last_axis_of_any_shape() -> None:
    x = logits(10, np.int8).reshape(2, 3, 10, 10)
    flat = softmax(x.reshape(-1, 10), 0.05, 1.0, np.dtype(np.int8))
    np.testing.assert_array_equal(softmax(x, 0.05, 1.0, np.dtype(np.int8)), flat.reshape(x.shape))
