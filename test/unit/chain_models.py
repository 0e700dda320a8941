"""Models that a builder makes layer by layer, of float32 or int8, for tests of what changes how layers run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
from one_operator import Array, tflm_interpreter

from tinymo_xdsl.flatbuffer.model import Model, Operator, OptionValue, Quantization, Subgraph, Tensor
from tinymo_xdsl.flatbuffer.schema import Padding
from tinymo_xdsl.flatbuffer.writer import write_model

DataType = Literal["FLOAT32", "INT8"]

SAME, VALID = Padding.SAME, Padding.VALID

_SPREAD = 74.0
"""The standard deviation of random bytes."""


@dataclass(frozen=True)
class Layer:
    """A tensor of a model that is being built."""

    index: int
    name: str
    shape: tuple[int, ...]
    scale: float
    zero_point: int


class ChainBuilder:
    """
    Collects the layers of one model. Weights come from the seed, and scales keep results from saturating.

    Kernels, strides and dilations are (rows, columns); one number is both.
    """

    def __init__(self, dtype: DataType = "FLOAT32", seed: int = 0) -> None:
        self.dtype: DataType = dtype
        self.generator = np.random.default_rng(seed)
        self.tensors: list[Tensor] = []
        self.operators: list[Operator] = []
        self.inputs: list[int] = []

    def image(self, name: str, shape: Sequence[int]) -> Layer:
        """An input `[H, W, C]`."""
        layer = self._layer(name, (1, *shape), 0.05)
        self.inputs.append(layer.index)
        return layer

    def conv(
        self,
        name: str,
        source: Layer,
        channels: int,
        kernel: int | tuple[int, int] = 1,
        stride: int = 1,
        padding: Padding = SAME,
        dilation: int = 1,
    ) -> Layer:
        """CONV_2D."""
        rows, columns = _pair(kernel)
        inputs = source.shape[3]
        shape = (channels, rows, columns, inputs)
        options = _window_options(padding, stride) | _dilation_options(dilation) | {"quantized_bias_type": 0}
        result = (1, *_steps(source, (rows, columns), stride, padding, dilation), channels)
        return self._weighted(
            name, "CONV_2D", "Conv2DOptions", source, shape, 0, rows * columns * inputs, result, options
        )

    def depthwise(
        self,
        name: str,
        source: Layer,
        kernel: int | tuple[int, int] = 3,
        stride: int = 1,
        padding: Padding = SAME,
        dilation: int = 1,
        multiplier: int = 1,
    ) -> Layer:
        """DEPTHWISE_CONV_2D."""
        rows, columns = _pair(kernel)
        channels = source.shape[3] * multiplier
        options = _window_options(padding, stride) | _dilation_options(dilation) | {"depth_multiplier": multiplier}
        result = (1, *_steps(source, (rows, columns), stride, padding, dilation), channels)
        shape, table = (1, rows, columns, channels), "DepthwiseConv2DOptions"
        return self._weighted(name, "DEPTHWISE_CONV_2D", table, source, shape, 3, rows * columns, result, options)

    def transpose_conv(
        self, name: str, source: Layer, channels: int, kernel: int, stride: int, padding: Padding
    ) -> Layer:
        """TRANSPOSE_CONV without a bias."""
        size = [stride * n + (max(kernel - stride, 0) if padding is VALID else 0) for n in source.shape[1:3]]
        result = self._layer(name, (1, *size, channels), self._sum_scale(source, kernel * kernel * source.shape[3]))
        weights = self._weights(f"{name}/weights", (channels, kernel, kernel, source.shape[3]), 0)
        inputs = (self._integers(f"{name}/shape", result.shape), weights, source.index)
        options = _window_options(padding, stride) | {"quantized_bias_type": 0}
        return self._append(result, "TRANSPOSE_CONV", inputs, "TransposeConvOptions", options)

    def pool(
        self, name: str, source: Layer, kernel: int, stride: int, padding: Padding = VALID, average: bool = False
    ) -> Layer:
        """MAX_POOL_2D or AVERAGE_POOL_2D."""
        steps = _steps(source, (kernel, kernel), stride, padding, 1)
        result = self._layer(name, (1, *steps, source.shape[3]), source.scale, source.zero_point)
        options = _window_options(padding, stride) | {"filter_height": kernel, "filter_width": kernel}
        operator = "AVERAGE_POOL_2D" if average else "MAX_POOL_2D"
        return self._append(result, operator, (source.index,), "Pool2DOptions", options)

    def add(self, name: str, a: Layer, b: Layer) -> Layer:
        """ADD."""
        result = self._layer(name, max(a.shape, b.shape), sqrt(a.scale**2 + b.scale**2))
        options: dict[str, OptionValue] = {"fused_activation_function": 0, "pot_scale_int16": False}
        return self._append(result, "ADD", (a.index, b.index), "AddOptions", options)

    def multiply(self, name: str, a: Layer, b: Layer) -> Layer:
        """MUL."""
        result = self._layer(name, max(a.shape, b.shape), a.scale * b.scale * _SPREAD)
        return self._append(result, "MUL", (a.index, b.index), "MulOptions", {"fused_activation_function": 0})

    def concatenate(self, name: str, parts: Sequence[Layer], axis: int = 3) -> Layer:
        """CONCATENATION; int8 parts need one quantisation."""
        size = sum(part.shape[axis] for part in parts)
        shape = (*parts[0].shape[:axis], size, *parts[0].shape[axis + 1 :])
        result = self._layer(name, shape, parts[0].scale, parts[0].zero_point)
        options: dict[str, OptionValue] = {"axis": axis, "fused_activation_function": 0}
        inputs = tuple(part.index for part in parts)
        return self._append(result, "CONCATENATION", inputs, "ConcatenationOptions", options)

    def pad(self, name: str, source: Layer, pads: Sequence[int]) -> Layer:
        """PAD by (top, bottom, left, right) with zeros."""
        top, bottom, left, right = pads
        _, height, width, channels = source.shape
        shape = (1, height + top + bottom, width + left + right, channels)
        sizes = self._integers(f"{name}/paddings", ((0, 0), (top, bottom), (left, right), (0, 0)))
        result = self._layer(name, shape, source.scale, source.zero_point)
        return self._append(result, "PAD", (source.index, sizes), "PadOptions", {})

    def rows(self, name: str, source: Layer, start: int, stop: int, columns: int | None = None) -> Layer:
        """SLICE of some rows, and of the first columns of them."""
        first = self._integers(f"{name}/begin", (0, start, 0, 0))
        shape = (1, stop - start, columns or source.shape[2], source.shape[3])
        result = self._layer(name, shape, source.scale, source.zero_point)
        inputs = (source.index, first, self._integers(f"{name}/size", shape))
        return self._append(result, "SLICE", inputs, "SliceOptions", {})

    def enlarge(self, name: str, source: Layer, factor: int) -> Layer:
        """RESIZE_NEAREST_NEIGHBOR."""
        _, height, width, channels = source.shape
        result = self._layer(name, (1, height * factor, width * factor, channels), source.scale, source.zero_point)
        inputs = (source.index, self._integers(f"{name}/size", result.shape[1:3]))
        options: dict[str, OptionValue] = {"align_corners": False, "half_pixel_centers": False}
        return self._append(result, "RESIZE_NEAREST_NEIGHBOR", inputs, "ResizeNearestNeighborOptions", options)

    def reshape(self, name: str, source: Layer, shape: Sequence[int]) -> Layer:
        """RESHAPE."""
        result = self._layer(name, shape, source.scale, source.zero_point)
        sizes = self._integers(f"{name}/shape", shape)
        return self._append(result, "RESHAPE", (source.index, sizes), "ReshapeOptions", {"new_shape": ()})

    def custom(self, name: str, source: Layer) -> Layer:
        """A custom operator that nobody knows."""
        result = self._layer(name, source.shape, source.scale, source.zero_point)
        self.operators.append(Operator("UNHEARD_OF", (source.index,), (result.index,), custom=True))
        return result

    def sum_of_runs(self, name: str, source: Layer) -> Layer:
        """The sum of what `source` was in all runs, in a resource variable; of float32."""
        handle = self._add(Tensor(f"{name}/handle", "RESOURCE", (1,)))
        before = self._layer(f"{name}/before", source.shape, source.scale)
        options = {"container": "", "shared_name": name}
        self.operators += [
            Operator("VAR_HANDLE", (), (handle,), options_type="VarHandleOptions", options=options),
            Operator("READ_VARIABLE", (handle,), (before.index,), options_type="ReadVariableOptions"),
        ]
        total = self.add(name, before, source)
        assign = Operator("ASSIGN_VARIABLE", (handle, total.index), (), options_type="AssignVariableOptions")
        self.operators.append(assign)
        return total

    def model(self, *outputs: Layer) -> Model:
        """The model of all layers so far."""
        graph = self.subgraph(*outputs)
        return Model((graph,))

    def subgraph(self, *outputs: Layer, name: str = "main") -> Subgraph:
        """The same as a subgraph of a model that has several."""
        results = tuple(layer.index for layer in outputs)
        return Subgraph(tuple(self.tensors), tuple(self.inputs), results, tuple(self.operators), name)

    def _weighted(
        self,
        name: str,
        operator: str,
        table: str,
        source: Layer,
        weights: Sequence[int],
        channel_axis: int,
        terms: int,
        shape: Sequence[int],
        options: Mapping[str, OptionValue],
    ) -> Layer:
        result = self._layer(name, shape, self._sum_scale(source, terms))
        inputs = (
            source.index,
            self._weights(f"{name}/weights", weights, channel_axis),
            self._bias(name, source, shape[3]),
        )
        return self._append(result, operator, inputs, table, options)

    def _sum_scale(self, source: Layer, terms: int) -> float:
        """The scale that keeps sums of so many products as spread as the source."""
        return source.scale * 0.01 * _SPREAD * sqrt(terms)

    def _weights(self, name: str, shape: Sequence[int], channel_axis: int) -> int:
        if self.dtype == "FLOAT32":
            return self._add(
                Tensor(name, "FLOAT32", tuple(shape), self.generator.normal(size=shape).astype("<f4").tobytes())
            )
        numbers = self.generator.integers(-127, 128, shape, np.int8)
        scales = np.full(shape[channel_axis], 0.01, np.float32)
        quantization = Quantization(scales, np.zeros(scales.shape, np.int64), channel_axis)
        return self._add(Tensor(name, "INT8", tuple(shape), numbers.tobytes(), quantization))

    def _bias(self, name: str, source: Layer, channels: int) -> int:
        if self.dtype == "FLOAT32":
            numbers = self.generator.normal(size=channels).astype("<f4")
            return self._add(Tensor(f"{name}/bias", "FLOAT32", (channels,), numbers.tobytes()))
        bias = self.generator.integers(-5000, 5000, channels, np.int32)
        scales = np.full(channels, np.float32(source.scale) * np.float32(0.01), np.float32)
        quantization = Quantization(scales, np.zeros(channels, np.int64))
        return self._add(Tensor(f"{name}/bias", "INT32", (channels,), bias.tobytes(), quantization))

    def _layer(self, name: str, shape: Sequence[int], scale: float, zero_point: int | None = None) -> Layer:
        if zero_point is None:
            zero_point = int(self.generator.integers(-20, 20))
        quantization = None
        if self.dtype == "INT8":
            quantization = Quantization(np.array([scale], np.float32), np.array([zero_point], np.int64))
        index = self._add(Tensor(name, self.dtype, tuple(shape), None, quantization))
        return Layer(index, name, tuple(shape), scale, zero_point)

    def _integers(self, name: str, numbers: Sequence[int] | Sequence[Sequence[int]]) -> int:
        array = np.array(numbers, "<i4")
        return self._add(Tensor(name, "INT32", array.shape, array.tobytes()))

    def _add(self, tensor: Tensor) -> int:
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def _append(
        self, result: Layer, name: str, inputs: tuple[int, ...], table: str, options: Mapping[str, OptionValue]
    ) -> Layer:
        version = 1 if self.dtype == "FLOAT32" else 2
        self.operators.append(Operator(name, inputs, (result.index,), version, options_type=table, options=options))
        return result


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    return size if isinstance(size, tuple) else (size, size)


def _window_options(padding: Padding, stride: int) -> dict[str, OptionValue]:
    return {"padding": padding.value, "stride_w": stride, "stride_h": stride, "fused_activation_function": 0}


def _dilation_options(dilation: int) -> dict[str, OptionValue]:
    return {"dilation_w_factor": dilation, "dilation_h_factor": dilation}


def _steps(source: Layer, kernel: tuple[int, int], stride: int, padding: Padding, dilation: int) -> tuple[int, ...]:
    spans = [(taps - 1) * dilation + 1 for taps in kernel]
    sizes = source.shape[1:3]
    if padding is SAME:
        return tuple(-(-size // stride) for size in sizes)
    return tuple((size - span) // stride + 1 for size, span in zip(sizes, spans, strict=True))


def outputs_in_tflm(model: Model, inputs: Sequence[Array]) -> list[Array]:
    """All outputs of `model` in TFLite Micro; skips the test where that is not installed."""
    interpreter = tflm_interpreter(write_model(model))
    for index, array in enumerate(inputs):
        interpreter.set_input(array, index)
    interpreter.invoke()
    return [interpreter.get_output(index) for index in range(len(model.subgraphs[0].outputs))]
