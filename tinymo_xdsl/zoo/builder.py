"""
A builder of int8 models, layer by layer.

Weights come from a seed. Each layer is computed for a few calibration inputs as it is added, and its scales follow from
the results; see `calibration`. Weights have a scale for each output channel, those of fully connected layers one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from tinymo_xdsl.flatbuffer.model import Model, Operator, OptionValue, Quantization, Signature, Subgraph, Tensor
from tinymo_xdsl.flatbuffer.schema import ActivationFunctionType, Padding
from tinymo_xdsl.interpreter import convolution, pooling
from tinymo_xdsl.interpreter.sliding_window import SlidingWindow
from tinymo_xdsl.numerics.activations import logistic
from tinymo_xdsl.numerics.fixed_point import Int32Array, IntegerArray
from tinymo_xdsl.numerics.softmax import softmax
from tinymo_xdsl.operators.windows import grid_of
from tinymo_xdsl.zoo.calibration import (
    CENTRED,
    POSITIVE,
    Affine,
    Float64Array,
    Int8Array,
    Interval,
    RandomBytes,
    calibrate,
    fold_normalization,
)

Size: TypeAlias = int | tuple[int, int]
"""Rows and columns; one number is both."""

NONE, RELU, RELU6 = ActivationFunctionType.NONE, ActivationFunctionType.RELU, ActivationFunctionType.RELU6
SAME, VALID = Padding.SAME, Padding.VALID

_Options: TypeAlias = Mapping[str, OptionValue]

_INT32 = np.dtype(np.int32)
_PROBABILITY = Affine(1 / 256, -128)
"""The quantisation that SOFTMAX and LOGISTIC demand of their results."""


@dataclass(frozen=True, eq=False)
class Layer:
    """A tensor that a layer yields."""

    index: int
    """Of the tensor in the model."""
    name: str
    affine: Affine
    values: Int8Array
    """Its values for the calibration inputs, which lie along the first axis."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape for one input."""
        return (1, *self.values.shape[1:])

    @property
    def channels(self) -> int:
        """The size of the last axis."""
        return self.values.shape[-1]

    @property
    def real(self) -> Float64Array:
        """What the values stand for."""
        return self.affine.real(self.values)


class ModelBuilder:
    """
    Collects the layers of one model.

    Methods add a layer called `name` and return it. Images are `[1, H, W, C]`. `activation` is fused into the layer.
    `like` gives the result the quantisation of another layer, which is never negative.
    """

    def __init__(self, seed: int):
        self._random = RandomBytes(seed)
        self._tensors: list[Tensor] = []
        self._operators: list[Operator] = []
        self._inputs: list[Layer] = []

    def image(self, name: str, shape: tuple[int, int, int]) -> Layer:
        """An input image `[H, W, C]` of real values from -1 to 1."""
        layer = self._layer(name, Affine.covering(-1.0, 1.0), self._random.images(shape))
        self._inputs.append(layer)
        return layer

    def conv2d(
        self,
        name: str,
        source: Layer,
        channels: int,
        kernel: Size = 1,
        stride: Size = 1,
        *,
        activation: ActivationFunctionType = NONE,
        padding: Padding = SAME,
        target: Interval | None = None,
        like: Layer | None = None,
    ) -> Layer:
        """CONV_2D to `channels`. `target` is where most results should lie; by default it suits `activation`."""
        weights = self._random.weights((channels, *_pair(kernel), source.channels))
        window = _window(source, kernel, stride, padding)

        def sums(image: Int8Array) -> Int32Array:
            return convolution.conv2d(image, weights, _no_bias(channels), window, _INT32, source.affine.zero_point)

        target = target or _usual_target(activation if like is None else RELU)
        fitted = self._fit(name, source, weights, 0, _each(sums, source), target)
        result = self._calibrated(name, fitted.real, activation, target, like)
        options = _convolution_options(stride, padding, activation) | {"quantized_bias_type": 0}
        inputs = (source.index, fitted.weights, fitted.bias)
        return self._append(result, "CONV_2D", 3, inputs, "Conv2DOptions", options)

    def depthwise_conv2d(
        self,
        name: str,
        source: Layer,
        kernel: Size = 3,
        stride: Size = 1,
        *,
        activation: ActivationFunctionType = NONE,
        padding: Padding = SAME,
    ) -> Layer:
        """DEPTHWISE_CONV_2D with one filter for each channel."""
        weights = self._random.weights((*_pair(kernel), source.channels, 1))
        window = _window(source, kernel, stride, padding)

        def sums(image: Int8Array) -> Int32Array:
            bias = _no_bias(source.channels)
            return convolution.depthwise_conv2d(image, weights, bias, window, _INT32, source.affine.zero_point)

        target = _usual_target(activation)
        stored = weights.reshape(1, *_pair(kernel), source.channels)
        fitted = self._fit(name, source, stored, 3, _each(sums, source), target)
        result = self._calibrated(name, fitted.real, activation, target)
        options = _convolution_options(stride, padding, activation) | {"depth_multiplier": 1}
        inputs = (source.index, fitted.weights, fitted.bias)
        return self._append(result, "DEPTHWISE_CONV_2D", 3, inputs, "DepthwiseConv2DOptions", options)

    def transpose_conv(self, name: str, source: Layer, channels: int, factor: int, like: Layer) -> Layer:
        """TRANSPOSE_CONV that enlarges by `factor`: kernel and stride are `factor`, so that windows do not overlap."""
        weights = self._random.weights((channels, factor, factor, source.channels))
        stride, no_pads = (factor, factor), (0, 0, 0, 0)

        def sums(image: Int8Array) -> Int32Array:
            bias, zero_point = _no_bias(channels), source.affine.zero_point
            return convolution.transpose_conv2d(image, weights, bias, stride, no_pads, _INT32, zero_point)

        fitted = self._fit(name, source, weights, 0, _each(sums, source), POSITIVE)
        result = self._layer(name, like.affine, like.affine.stored(fitted.real))
        shape = self._integers(f"{name}/output_shape", result.shape)
        options = _window_options(factor, VALID, NONE) | {"quantized_bias_type": 0}
        inputs = (shape, fitted.weights, source.index, fitted.bias)
        return self._append(result, "TRANSPOSE_CONV", 3, inputs, "TransposeConvOptions", options)

    def fully_connected(
        self,
        name: str,
        source: Layer,
        channels: int,
        *,
        activation: ActivationFunctionType = NONE,
        target: Interval | None = None,
    ) -> Layer:
        """FULLY_CONNECTED of a vector `[1, C]`."""
        weights = self._random.weights((channels, source.channels))
        pixels, filters = source.values[:, None, None], weights[:, None, None]
        window, zero_point = SlidingWindow((1, 1), (1, 1), (0, 0, 0, 0)), source.affine.zero_point
        sums = convolution.conv2d(pixels, filters, _no_bias(channels), window, _INT32, zero_point)[:, 0, 0]
        target = target or _usual_target(activation)
        fitted = self._fit(name, source, weights, None, sums, target)
        result = self._calibrated(name, fitted.real, activation, target)
        options: _Options = {
            "fused_activation_function": activation.value,
            "weights_format": 0,
            "keep_num_dims": False,
            "asymmetric_quantize_inputs": False,
            "quantized_bias_type": 0,
        }
        inputs = (source.index, fitted.weights, fitted.bias)
        return self._append(result, "FULLY_CONNECTED", 4, inputs, "FullyConnectedOptions", options)

    def add(self, name: str, a: Layer, b: Layer, activation: ActivationFunctionType = NONE) -> Layer:
        """ADD of two layers of one shape, each with its own scale."""
        result = self._calibrated(name, a.real + b.real, activation)
        options: _Options = {"fused_activation_function": activation.value, "pot_scale_int16": True}
        return self._append(result, "ADD", 2, (a.index, b.index), "AddOptions", options)

    def concatenate(self, name: str, parts: Sequence[Layer]) -> Layer:
        """CONCATENATION along the channels. The parts have one quantisation, as the operator does not requantise."""
        affine = parts[0].affine
        if any(part.affine != affine for part in parts):
            raise ValueError(f"'{name}': concatenated layers need one quantisation")
        result = self._layer(name, affine, np.concatenate([part.values for part in parts], axis=3))
        options: _Options = {"axis": 3, "fused_activation_function": NONE.value}
        inputs = tuple(part.index for part in parts)
        return self._append(result, "CONCATENATION", 2, inputs, "ConcatenationOptions", options)

    def max_pool(self, name: str, source: Layer, kernel: Size = 2) -> Layer:
        """MAX_POOL_2D over windows side by side; the rows and columns left over are dropped."""
        values = pooling.max_pool2d(source.values, _window(source, kernel, kernel, VALID))
        return self._pool("MAX_POOL_2D", name, source, kernel, values)

    def average_pool(self, name: str, source: Layer, kernel: Size) -> Layer:
        """AVERAGE_POOL_2D over windows side by side; the rows and columns left over are dropped."""
        values = pooling.avg_pool2d(source.values, _window(source, kernel, kernel, VALID), _INT32)
        return self._pool("AVERAGE_POOL_2D", name, source, kernel, values)

    def global_average(self, name: str, source: Layer) -> Layer:
        """The mean of each channel of an image as a vector `[1, C]`: AVERAGE_POOL_2D and RESHAPE."""
        _, height, width, channels = source.shape
        pooled = self.average_pool(f"{name}/pool", source, (height, width))
        return self.reshape(name, pooled, (1, channels))

    def reshape(self, name: str, source: Layer, shape: tuple[int, ...]) -> Layer:
        """RESHAPE. The first axis, the batch, is 1 before and after."""
        result = self._layer(name, source.affine, source.values.reshape(len(source.values), *shape[1:]))
        sizes = self._integers(f"{name}/shape", shape)
        return self._append(result, "RESHAPE", 1, (source.index, sizes), "ReshapeOptions", {"new_shape": shape})

    def pad(self, name: str, source: Layer, rows: tuple[int, int], columns: tuple[int, int]) -> Layer:
        """PAD with zeros: rows above and below, columns to the left and right."""
        pads = ((0, 0), rows, columns, (0, 0))
        values = np.pad(source.values, pads, constant_values=np.int8(source.affine.zero_point))
        paddings = self._integers(f"{name}/paddings", pads)
        result = self._layer(name, source.affine, values)
        return self._append(result, "PAD", 2, (source.index, paddings), "PadOptions", {})

    def enlarge(self, name: str, source: Layer, factor: int = 2) -> Layer:
        """RESIZE_NEAREST_NEIGHBOR that repeats each pixel `factor` times along both axes."""
        result = self._layer(name, source.affine, source.values.repeat(factor, axis=1).repeat(factor, axis=2))
        size = self._integers(f"{name}/size", result.shape[1:3])
        options: _Options = {"align_corners": False, "half_pixel_centers": True}
        inputs = (source.index, size)
        return self._append(result, "RESIZE_NEAREST_NEIGHBOR", 3, inputs, "ResizeNearestNeighborOptions", options)

    def softmax(self, name: str, source: Layer) -> Layer:
        """SOFTMAX over the last axis."""
        values = softmax(source.values, source.affine.scale, 1.0, np.dtype(np.int8)).astype(np.int8)
        result = self._layer(name, _PROBABILITY, values)
        return self._append(result, "SOFTMAX", 2, (source.index,), "SoftmaxOptions", {"beta": 1.0})

    def logistic(self, name: str, source: Layer) -> Layer:
        """LOGISTIC of each value."""
        values = logistic(source.values, source.affine.scale, source.affine.zero_point).astype(np.int8)
        result = self._layer(name, _PROBABILITY, values)
        return self._append(result, "LOGISTIC", 2, (source.index,), None, {})

    def model(self, outputs: Sequence[Layer], description: str) -> Model:
        """The model of all layers so far."""
        inputs = tuple(layer.index for layer in self._inputs)
        results = tuple(layer.index for layer in outputs)
        graph = Subgraph(tuple(self._tensors), inputs, results, tuple(self._operators), "main")
        named = (tuple((layer.name, layer.index) for layer in layers) for layers in (self._inputs, outputs))
        signature = Signature("serving_default", 0, *named)
        return Model((graph,), description=description, signatures=(signature,))

    def _add(self, tensor: Tensor) -> int:
        if any(tensor.name == other.name for other in self._tensors):
            raise ValueError(f"there are two tensors called '{tensor.name}'")
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def _layer(self, name: str, affine: Affine, values: Int8Array) -> Layer:
        tensor = Tensor(name, "INT8", (1, *values.shape[1:]), None, _quantization([affine.scale], affine.zero_point))
        return Layer(self._add(tensor), name, affine, values)

    def _calibrated(
        self,
        name: str,
        real: Float64Array,
        activation: ActivationFunctionType,
        target: Interval | None = None,
        like: Layer | None = None,
    ) -> Layer:
        affine = calibrate(real, activation, target) if like is None else like.affine
        return self._layer(name, affine, affine.stored(real))

    def _integers(self, name: str, numbers: npt.ArrayLike) -> int:
        array = np.array(numbers, "<i4")
        return self._add(Tensor(name, "INT32", array.shape, array.tobytes()))

    def _append(
        self, result: Layer, name: str, version: int, inputs: tuple[int, ...], table: str | None, options: _Options
    ) -> Layer:
        operator = Operator(name, inputs, (result.index,), version, options_type=table, options=options)
        self._operators.append(operator)
        return result

    def _pool(self, operator: str, name: str, source: Layer, kernel: Size, values: IntegerArray) -> Layer:
        height, width = _pair(kernel)
        options = _window_options(kernel, VALID, NONE) | {"filter_height": height, "filter_width": width}
        result = self._layer(name, source.affine, values.astype(np.int8))
        return self._append(result, operator, 2, (source.index,), "Pool2DOptions", options)

    def _fit(
        self,
        name: str,
        source: Layer,
        weights: Int8Array,
        channel_axis: int | None,
        sums: Int32Array,
        target: Interval,
    ) -> "_Fitted":
        """Add `weights`, and scales and a bias that bring their `sums` of products into `target`."""
        folded = fold_normalization(sums, source.affine.scale, target, channel_axis is not None)
        unit = folded.weight_scale * source.affine.scale
        filters = _quantization(folded.weight_scale, 0, channel_axis or 0)
        bias = Tensor(f"{name}/bias", "INT32", folded.bias.shape, folded.bias.tobytes(), _quantization(unit, 0))
        return _Fitted(
            self._add(Tensor(f"{name}/weights", "INT8", weights.shape, weights.tobytes(), filters)),
            self._add(bias),
            (sums + folded.bias) * unit,
        )


@dataclass(frozen=True, eq=False)
class _Fitted:
    """The constants of a layer, by the indices of their tensors, and the real values of the sums with the bias."""

    weights: int
    bias: int
    real: Float64Array


def _usual_target(activation: ActivationFunctionType) -> Interval:
    return CENTRED if activation is NONE else POSITIVE


def _pair(size: Size) -> tuple[int, int]:
    return size if isinstance(size, tuple) else (size, size)


def _window(source: Layer, kernel: Size, stride: Size, padding: Padding) -> SlidingWindow:
    grid = grid_of(source.shape, _pair(kernel), _pair(stride))
    return SlidingWindow(_pair(kernel), _pair(stride), grid.pads(padding))


def _window_options(stride: Size, padding: Padding, activation: ActivationFunctionType) -> dict[str, OptionValue]:
    rows, columns = _pair(stride)
    return {
        "padding": padding.value,
        "stride_w": columns,
        "stride_h": rows,
        "fused_activation_function": activation.value,
    }


def _convolution_options(stride: Size, padding: Padding, activation: ActivationFunctionType) -> dict[str, OptionValue]:
    dilation: dict[str, OptionValue] = {"dilation_w_factor": 1, "dilation_h_factor": 1}
    return _window_options(stride, padding, activation) | dilation


def _no_bias(channels: int) -> Int32Array:
    return np.zeros(channels, np.int32)


def _each(function: Callable[[Int8Array], Int32Array], source: Layer) -> Int32Array:
    """The results for all calibration inputs, one at a time, to limit the memory that a layer takes."""
    return np.concatenate([function(image) for image in np.split(source.values, len(source.values))])


def _quantization(scale: Sequence[float] | Float64Array, zero_point: int, dimension: int = 0) -> Quantization:
    scales = np.array(scale, np.float32)
    return Quantization(scales, np.full(scales.shape, zero_point, np.int64), dimension)
