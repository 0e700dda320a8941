"""The whole way from a `.tflite` file to interpreted values, against engines: every tensor of whole models."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest
from flatbuffer_models import MODELS, NO_MODELS, PROJECT
from one_operator import Array, one_operator, run_in_tflm, tensor

from tinymo_xdsl.flatbuffer.model import OptionValue, Tensor
from tinymo_xdsl.flatbuffer.reader import read_model
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.interpreter import elementwise
from tinymo_xdsl.interpreter.executor import run_function

NO_ENGINE = "no engine is installed (extra `verify`)"
INT8_VALUES = np.arange(-128, 128, dtype=np.int8)
INT16_VALUES = np.arange(-32768, 32768, dtype=np.int16)
BETA_1, BETA_HALF = ("SoftmaxOptions", {"beta": 1.0}), ("SoftmaxOptions", {"beta": 0.5})
REALS = np.linspace(-12, 12, 4001, dtype=np.float32)


def interpreted(model: bytes, *inputs: Array) -> Array:
    return run_function(import_model(read_model(model)), inputs)[0]


@pytest.mark.parametrize(
    ("name", "x", "x_facts", "output", "options"),
    [
        ("LOGISTIC", INT8_VALUES, (0.05, 3), ("INT8", 1 / 256, -128), None),
        ("LOGISTIC", INT16_VALUES, (3e-4, 0), ("INT16", 1 / 32768, 0), None),
        ("TANH", INT8_VALUES, (0.03, -9), ("INT8", 1 / 128, 0), None),
        ("TANH", INT16_VALUES, (2e-4, 0), ("INT16", 1 / 32768, 0), None),
        ("HARD_SWISH", INT8_VALUES, (0.06, 10), ("INT8", 0.03, -110), None),
        ("LEAKY_RELU", INT8_VALUES, (0.06, 10), ("INT8", 0.05, -70), ("LeakyReluOptions", {"alpha": 0.25})),
        ("LEAKY_RELU", INT16_VALUES, (1e-3, 0), ("INT16", 9e-4, 0), ("LeakyReluOptions", {"alpha": -0.5})),
        ("RELU", INT8_VALUES, (0.06, 10), ("INT8", 0.04, -90), None),
        ("QUANTIZE", INT8_VALUES, (0.06, 10), ("INT8", 0.09, -20), None),
        ("QUANTIZE", INT8_VALUES, (0.06, 10), ("UINT8", 0.06, 138), None),
        ("QUANTIZE", INT16_VALUES, (1e-3, 0), ("INT8", 0.11, 7), None),
        ("QUANTIZE", INT8_VALUES, (0.06, 10), ("INT16", 2e-4, 0), None),
        ("QUANTIZE", REALS, None, ("INT8", 0.0625, -5), None),
        ("DEQUANTIZE", INT8_VALUES, (0.07, -3), ("FLOAT32", None, 0), None),
        ("DEQUANTIZE", INT16_VALUES, (7e-4, 0), ("FLOAT32", None, 0), None),
        ("SOFTMAX", INT8_VALUES.reshape(8, 32), (0.04, 1), ("INT8", 1 / 256, -128), BETA_1),
        (
            "SOFTMAX",
            INT8_VALUES.reshape(8, 32),
            (0.04, 1),
            ("INT16", 1 / 65536, -32768),
            ("SoftmaxOptions", {"beta": 0.5}),
        ),
        (
            "SOFTMAX",
            INT16_VALUES.reshape(256, -1),
            (1e-3, 0),
            ("INT16", 1 / 32768, 0),
            ("SoftmaxOptions", {"beta": 1.0}),
        ),
    ],
)
def test_an_operator_is_imported_and_interpreted_as_tflite_micro_runs_it(
    name: str,
    x: npt.NDArray[np.generic],
    x_facts: tuple[float, int] | None,
    output: tuple[str, float | None, int],
    options: tuple[str, dict[str, OptionValue]] | None,
) -> None:
    dtype, scale, zero_point = output
    model = one_operator(
        name,
        [tensor("x", x.dtype.name.upper(), x.shape, *(x_facts or ()))],
        tensor("y", dtype, x.shape, scale, zero_point),
        options,
    )
    np.testing.assert_array_equal(interpreted(model, x), run_in_tflm(model, x))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("LOGISTIC", None),
        ("TANH", None),
        ("SOFTMAX", ("SoftmaxOptions", {"beta": 0.7})),
        ("HARD_SWISH", None),
        ("LEAKY_RELU", ("LeakyReluOptions", {"alpha": 0.2})),
    ],
)
def test_functions_of_floats_are_close(name: str, options: tuple[str, dict[str, OptionValue]] | None) -> None:
    x = REALS[np.newaxis]
    model = one_operator(name, [tensor("x", "FLOAT32", x.shape)], tensor("y", "FLOAT32", x.shape), options)
    np.testing.assert_allclose(interpreted(model, x), run_in_tflm(model, x), rtol=2e-6, atol=1e-7)


def convolution_tensors(dtype: str, weights_shape: tuple[int, ...], channels_out: int) -> list[Tensor]:
    """Image, weights and bias."""
    generator = np.random.default_rng(7)
    bias_dtype = "INT64" if dtype == "INT16" else "INT32"
    weights = generator.integers(-127, 128, weights_shape).astype(np.int8)
    bias = generator.integers(-999, 999, channels_out).astype(bias_dtype.lower())
    return [
        tensor("x", dtype, (2, 7, 9, 4), 0.05, 0 if dtype == "INT16" else -11),
        tensor("w", "INT8", weights_shape, 0.02, data=weights),
        tensor("b", bias_dtype, (channels_out,), 0.001, data=bias),
    ]


@pytest.mark.parametrize("dtype", ["INT8", "INT16"])
@pytest.mark.parametrize("padding", [0, 1], ids=["same", "valid"])
@pytest.mark.parametrize(("stride", "dilation"), [((1, 1), (1, 1)), ((2, 3), (1, 1)), ((1, 1), (2, 3))])
@pytest.mark.parametrize("name", ["CONV_2D", "DEPTHWISE_CONV_2D"])
def test_convolutions(name: str, stride: tuple[int, int], dilation: tuple[int, int], padding: int, dtype: str) -> None:
    options: dict[str, OptionValue] = {
        "padding": padding,
        "stride_h": stride[0],
        "stride_w": stride[1],
        "dilation_h_factor": dilation[0],
        "dilation_w_factor": dilation[1],
        "fused_activation_function": 1,
    }
    channels_out = 5 if name == "CONV_2D" else 8
    if name == "CONV_2D":
        tensors, table = convolution_tensors(dtype, (5, 3, 2, 4), channels_out), "Conv2DOptions"
    else:
        tensors, table = convolution_tensors(dtype, (1, 3, 2, 8), channels_out), "DepthwiseConv2DOptions"
        options["depth_multiplier"] = 2
    kernel = [(3 - 1) * dilation[0] + 1, (2 - 1) * dilation[1] + 1]
    rows, columns = (
        -(-(size - (extent - 1 if padding else 0)) // step)
        for size, extent, step in zip((7, 9), kernel, stride, strict=True)
    )
    output = tensor("y", dtype, (2, rows, columns, channels_out), 0.2)
    model = one_operator(name, tensors, output, (table, options))
    x = np.random.default_rng(8).integers(-128, 128, (2, 7, 9, 4)).astype(dtype.lower())
    expected = run_in_tflm(model, x)
    assert len(np.unique(expected)) > 20
    np.testing.assert_array_equal(interpreted(model, x), expected)


@pytest.mark.parametrize("name", ["AVERAGE_POOL_2D", "MAX_POOL_2D"])
@pytest.mark.parametrize("padding", [0, 1], ids=["same", "valid"])
def test_poolings(name: str, padding: int) -> None:
    """Sums of both signs and windows of several sizes at the border; zero points do not matter."""
    options = {"padding": padding, "stride_h": 2, "stride_w": 1, "filter_height": 3, "filter_width": 2}
    shape = (1, 3, 6, 16) if padding else (1, 4, 7, 16)
    model = one_operator(
        name,
        [tensor("x", "INT8", (1, 7, 7, 16), 0.05, 13)],
        tensor("y", "INT8", shape, 0.05, 13),
        ("Pool2DOptions", options),
    )
    x = np.random.default_rng(9).integers(-128, 128, (1, 7, 7, 16)).astype(np.int8)
    np.testing.assert_array_equal(interpreted(model, x), run_in_tflm(model, x))


@pytest.mark.parametrize("name", ["ADD", "SUB", "MUL"])
def test_binary_operators_with_broadcasting(name: str) -> None:
    options = {"ADD": "AddOptions", "SUB": "SubOptions", "MUL": "MulOptions"}[name]
    model = one_operator(
        name,
        [tensor("a", "INT8", (1, 256, 1), 0.05, 13), tensor("b", "INT8", (1, 1, 256), 0.011, -40)],
        tensor("y", "INT8", (1, 256, 256), 0.07, -5),
        (options, {"fused_activation_function": 0}),
    )
    inputs = INT8_VALUES.reshape(1, 256, 1), INT8_VALUES.reshape(1, 1, 256)
    np.testing.assert_array_equal(interpreted(model, *inputs), run_in_tflm(model, *inputs))


def comparison_script() -> ModuleType:
    """The script in `tools`, which is no package."""
    path = PROJECT / "tools" / "compare_layers.py"
    spec = importlib.util.spec_from_file_location("compare_layers", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FAST_MODELS = (
    "ds_cnn_s_int16x8",
    "heartkit_ecg_seg_unet512_int8",
    "microwakeword_vad_stream_int8",
    "mlperf_ad_fcae_int8",
    "mlperf_kws_dscnn_int8",
    "nanou_tinyagri_seg_60x80_int8",
    "rnnoise_int8",
    "tflm_mnist_lstm_int8",
)
"""Together they hold convolutions of all kinds, resizing, windows, tables, int16, an LSTM and variables."""


@pytest.mark.parametrize("stem", FAST_MODELS)
def test_every_tensor_of_real_models_equals_tflite_micro(stem: str) -> None:
    path: Path = MODELS / f"{stem}.tflite"
    if not path.exists():
        pytest.skip(NO_MODELS)
    if importlib.util.find_spec("tflite_micro") is None:
        pytest.skip(NO_ENGINE)
    comparison = comparison_script().compare_model(path)
    assert comparison.engine == "tflite-micro"
    assert len(comparison.layers) > 5
    assert not comparison.missing
    assert not comparison.wrong


def test_the_comparison_of_layers_sees_a_single_wrong_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that cannot fail proves nothing: rounded once instead of twice, a few elements are off by one."""
    path = MODELS / "mlperf_kws_dscnn_int8.tflite"
    if not path.exists():
        pytest.skip(NO_MODELS)
    if importlib.util.find_spec("tflite_micro") is None:
        pytest.skip(NO_ENGINE)
    exact = elementwise.apply_scale_32
    monkeypatch.setattr(
        elementwise, "apply_scale_32", lambda value, multiplier, shift, _: exact(value, multiplier, shift)
    )
    wrong = comparison_script().compare_model(path).wrong
    assert wrong
    assert wrong[0].differing < wrong[0].elements / 100
    assert wrong[0].largest_difference == 1
