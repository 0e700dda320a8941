"""Every C kernel computes what the interpreter computes, bit for bit, over the shapes that choose between its forms."""

from pathlib import Path

import numpy as np
import pytest
from c_libraries import assert_same, executor, load, random_inputs, with_all_outputs
from one_operator import tensor
from operator_models import NONE, RELU, RELU6, SAME, VALID, channels, constant, ints, model_of, options

from tinymo_xdsl.flatbuffer.model import Model, Tensor
from tinymo_xdsl.zoo.random_model import random_recipe

NETWORKS = 16


def numbers(name: str, dtype: str, shape: tuple[int, ...], scale: float | None = 0.02, zero_point: int = 0) -> Tensor:
    """Random weights."""
    rng = np.random.default_rng(len(name) + sum(shape))
    if dtype == "FLOAT32":
        return tensor(name, dtype, shape, data=rng.uniform(-1, 1, shape).astype(np.float32))
    low, stored = (-127, np.int8) if dtype == "INT8" else (0, np.uint8)
    data = rng.integers(low, 128 if dtype == "INT8" else 256, shape).astype(stored)
    return tensor(name, dtype, shape, scale, zero_point, data=data)


def bias(dtype: str, count: int) -> Tensor:
    """A bias that moves sums."""
    values = np.arange(count) * 37 % 101 - 50
    kind = {"INT8": "INT32", "UINT8": "INT32", "INT16": "INT64", "FLOAT32": "FLOAT32"}[dtype]
    return constant("bias", kind, values / 50 if dtype == "FLOAT32" else values * 20)


def per_channel(weights: Tensor, dimension: int) -> Tensor:
    """Weights with a scale for each output channel, from small ones to one that makes a factor of more than 1."""
    assert weights.data is not None
    count = weights.shape[dimension]
    scales = [0.001 * (1 + index % 7) for index in range(count)]
    scales[-1] = 3.0
    values = np.frombuffer(weights.data, np.int8).reshape(weights.shape)
    return constant("weights", "INT8", values, channels(scales, dimension))


def activations(dtype: str, shape: tuple[int, ...], name: str, zero_point: int, scale: float = 0.5) -> Tensor:
    """A tensor in memory."""
    if dtype == "FLOAT32":
        return tensor(name, dtype, shape)
    return tensor(name, dtype, shape, scale, 0 if dtype == "INT16" else zero_point)


WINDOW = {"dilation_h_factor": 1, "dilation_w_factor": 1}


def result_size(size: int, kernel: int, stride: int, dilation: int, padding: int) -> int:
    span = (kernel - 1) * dilation + 1
    return -(-size // stride) if padding == SAME else (size - span) // stride + 1


def conv(
    size: tuple[int, int, int],
    kernel: tuple[int, int],
    count: int,
    stride: tuple[int, int] = (1, 1),
    padding: int = SAME,
    dilation: tuple[int, int] = (1, 1),
    dtype: str = "INT8",
    activation: int = NONE,
    by_channel: bool = True,
    batch: int = 1,
) -> Model:
    """A CONV_2D."""
    height, width, depth = size
    weight_type = "INT8" if dtype == "INT16" else dtype
    weights = numbers("weights", weight_type, (count, *kernel, depth), zero_point=99 if dtype == "UINT8" else 0)
    if by_channel and weight_type == "INT8":
        weights = per_channel(weights, 0)
    shape = tuple(result_size(*entry, padding) for entry in zip((height, width), kernel, stride, dilation, strict=True))
    table = options(
        "Conv2DOptions",
        padding=padding,
        stride_h=stride[0],
        stride_w=stride[1],
        dilation_h_factor=dilation[0],
        dilation_w_factor=dilation[1],
        fused_activation_function=activation,
    )
    return model_of(
        "CONV_2D",
        [
            activations(dtype, (batch, *size), "image", 7 if dtype == "UINT8" else -5),
            weights,
            bias(dtype, count),
        ],
        [activations(dtype, (batch, *shape, count), "result", 100 if dtype == "UINT8" else -11, 4.0)],
        table,
    )


def depthwise(
    size: tuple[int, int, int],
    kernel: tuple[int, int],
    multiplier: int = 1,
    stride: tuple[int, int] = (1, 1),
    padding: int = SAME,
    dilation: tuple[int, int] = (1, 1),
    dtype: str = "INT8",
    activation: int = NONE,
) -> Model:
    """A DEPTHWISE_CONV_2D."""
    height, width, depth = size
    count = depth * multiplier
    weight_type = "INT8" if dtype == "INT16" else dtype
    weights = numbers("weights", weight_type, (1, *kernel, count), zero_point=99 if dtype == "UINT8" else 0)
    if weight_type == "INT8":
        weights = per_channel(weights, 3)
    shape = tuple(result_size(*entry, padding) for entry in zip((height, width), kernel, stride, dilation, strict=True))
    table = options(
        "DepthwiseConv2DOptions",
        padding=padding,
        stride_h=stride[0],
        stride_w=stride[1],
        depth_multiplier=multiplier,
        dilation_h_factor=dilation[0],
        dilation_w_factor=dilation[1],
        fused_activation_function=activation,
    )
    return model_of(
        "DEPTHWISE_CONV_2D",
        [activations(dtype, (1, *size), "image", 3), weights, bias(dtype, count)],
        [activations(dtype, (1, *shape, count), "result", 10, 4.0)],
        table,
    )


def transposed(stride: int, padding: int, dtype: str = "INT8") -> Model:
    """A TRANSPOSE_CONV that doubles or keeps a 4x3 image."""
    shape = (1, 4 * stride, 3 * stride, 5) if padding == SAME else (1, 3 * stride + 3, 2 * stride + 3, 5)
    weights = numbers("weights", dtype, (5, 3, 3, 4))
    table = options("TransposeConvOptions", padding=padding, stride_h=stride, stride_w=stride)
    image = activations(dtype, (1, 4, 3, 4), "image", -7)
    result = activations(dtype, shape, "result", 4, 4.0)
    return model_of("TRANSPOSE_CONV", [ints("shape", *shape), weights, image, bias(dtype, 5)], [result], table)


def pool(
    name: str, kernel: tuple[int, int], stride: int, padding: int, dtype: str = "INT8", activation: int = NONE
) -> Model:
    """A pool of a 7x6 image."""
    shape = tuple(result_size(size, taps, stride, 1, padding) for size, taps in zip((7, 6), kernel, strict=True))
    table = options(
        "Pool2DOptions",
        padding=padding,
        stride_h=stride,
        stride_w=stride,
        filter_height=kernel[0],
        filter_width=kernel[1],
        fused_activation_function=activation,
    )
    image = activations(dtype, (1, 7, 6, 3), "image", 9)
    return model_of(name, [image], [activations(dtype, (1, *shape, 3), "result", 9)], table)


def dense(rows: int, depth: int, count: int, dtype: str = "INT8") -> Model:
    """A FULLY_CONNECTED."""
    weights = numbers("weights", "INT8" if dtype == "INT16" else dtype, (count, depth))
    return model_of(
        "FULLY_CONNECTED",
        [activations(dtype, (rows, depth), "image", 3), weights, bias(dtype, count)],
        [activations(dtype, (rows, count), "result", 2, 4.0)],
        options("FullyConnectedOptions", fused_activation_function=RELU),
    )


def binary(
    name: str,
    first: tuple[int, ...],
    second: tuple[int, ...],
    dtype: str = "INT8",
    activation: int = NONE,
    fixed: bool = False,
) -> Model:
    """ADD, SUB or MUL, with a constant second operand where `fixed`."""
    table = options(f"{name.capitalize()}Options", fused_activation_function=activation)
    other = activations(dtype, second, "other", -20, 0.125)
    if fixed:
        other = numbers("other", dtype, second, 0.125, -20)
    shape = np.broadcast_shapes(first, second)
    inputs = [activations(dtype, first, "image", 13), other]
    return model_of(name, inputs, [activations(dtype, shape, "result", 2, 0.75)], table)


def pad(*pads: int, dtype: str = "INT8") -> Model:
    """A PAD of a 3x4x2 image."""
    before, after = pads[::2], pads[1::2]
    shape = tuple(low + size + high for low, size, high in zip(before, (1, 3, 4, 2), after, strict=True))
    paddings = constant("paddings", "INT32", np.array(pads).reshape(4, 2))
    image = activations(dtype, (1, 3, 4, 2), "image", -9)
    return model_of("PAD", [image, paddings], [activations(dtype, shape, "result", -9)], options("PadOptions"))


def concatenation(axis: int, *parts: tuple[int, ...], dtype: str = "INT8") -> Model:
    """A CONCATENATION."""
    shape = list(parts[0])
    shape[axis] = sum(part[axis] for part in parts)
    images = [activations(dtype, part, f"part{index}", 3) for index, part in enumerate(parts)]
    table = options("ConcatenationOptions", axis=axis, fused_activation_function=NONE)
    return model_of("CONCATENATION", images, [activations(dtype, tuple(shape), "result", 3)], table)


def cut(shape: tuple[int, ...], begin: tuple[int, ...], size: tuple[int, ...]) -> Model:
    """A SLICE."""
    image, result = (activations("INT8", sizes, name, 3) for name, sizes in (("image", shape), ("result", size)))
    return model_of("SLICE", [image, ints("begin", *begin), ints("size", *size)], [result], options("SliceOptions"))


def softmax(shape: tuple[int, ...], scale: float, dtype: str = "INT8") -> Model:
    """A SOFTMAX."""
    result = tensor("result", dtype, shape, 1 / 32768 if dtype == "INT16" else 1 / 256, -128 if dtype == "INT8" else 0)
    return model_of(
        "SOFTMAX",
        [tensor("image", dtype, shape, scale, 0 if dtype == "INT16" else 5)],
        [result],
        options("SoftmaxOptions", beta=1.0),
    )


def enlarge(factor: tuple[int, int]) -> Model:
    """A RESIZE_NEAREST_NEIGHBOR of a 3x4x5 image."""
    size = (3 * factor[0], 4 * factor[1])
    image, result = activations("INT8", (2, 3, 4, 5), "image", 3), activations("INT8", (2, *size, 5), "result", 3)
    return model_of(
        "RESIZE_NEAREST_NEIGHBOR", [image, ints("size", *size)], [result], options("ResizeNearestNeighborOptions")
    )


def prelu(slope: tuple[int, ...]) -> Model:
    """A PRELU of floats."""
    image, result = (activations("FLOAT32", (1, 3, 4, 5), name, 0) for name in ("image", "result"))
    return model_of("PRELU", [image, numbers("slope", "FLOAT32", slope)], [result])


CASES: dict[str, Model] = {
    "conv_pointwise_even": conv((5, 6, 8), (1, 1), 4),
    "conv_pointwise_odd": conv((5, 7, 3), (1, 1), 5),
    "conv_pointwise_one_pixel": conv((1, 1, 9), (1, 1), 6),
    "conv_3x3_same": conv((7, 6, 4), (3, 3), 6, activation=RELU6),
    "conv_3x3_valid": conv((7, 6, 4), (3, 3), 5, padding=VALID),
    "conv_3x3_stride_2": conv((9, 11, 3), (3, 3), 8, stride=(2, 2)),
    "conv_3x3_stride_2_even": conv((8, 8, 3), (3, 3), 8, stride=(2, 2)),
    "conv_5x2_stride_1_3": conv((9, 10, 2), (5, 2), 4, stride=(1, 3)),
    "conv_stride_beyond_kernel": conv((9, 10, 2), (1, 1), 4, stride=(3, 2), padding=VALID),
    "conv_dilated": conv((11, 12, 3), (3, 3), 4, dilation=(2, 3)),
    "conv_dilated_beyond_image": conv((5, 4, 3), (3, 3), 4, dilation=(3, 3)),
    "conv_row": conv((1, 20, 6), (1, 7), 4),
    "conv_column": conv((20, 1, 6), (7, 1), 4),
    "conv_kernel_as_image": conv((4, 5, 3), (4, 5), 7, padding=VALID),
    "conv_one_factor": conv((7, 6, 4), (3, 3), 6, by_channel=False),
    "conv_batch": conv((5, 4, 3), (3, 3), 4, batch=3),
    "conv_uint8": conv((7, 6, 4), (3, 3), 6, dtype="UINT8"),
    "conv_int16": conv((7, 6, 4), (3, 3), 5, dtype="INT16", activation=RELU),
    "conv_float": conv((7, 6, 4), (3, 3), 6, dtype="FLOAT32", activation=RELU6),
    "conv_float_pointwise": conv((5, 7, 3), (1, 1), 5, dtype="FLOAT32"),
    "depthwise_3x3": depthwise((7, 6, 5), (3, 3)),
    "depthwise_3x3_valid": depthwise((7, 6, 5), (3, 3), padding=VALID, activation=RELU),
    "depthwise_stride_2": depthwise((9, 10, 4), (3, 3), stride=(2, 2)),
    "depthwise_5x5": depthwise((7, 9, 3), (5, 5)),
    "depthwise_7x7": depthwise((9, 8, 3), (7, 7)),
    "depthwise_wider_than_image": depthwise((4, 3, 3), (7, 7)),
    "depthwise_dilated": depthwise((9, 11, 3), (3, 3), dilation=(2, 2)),
    "depthwise_filters": depthwise((10, 8, 1), (5, 4), multiplier=8, stride=(2, 2)),
    "depthwise_filters_3": depthwise((6, 5, 2), (3, 3), multiplier=3),
    "depthwise_uint8": depthwise((7, 6, 5), (3, 3), dtype="UINT8"),
    "depthwise_int16": depthwise((7, 6, 5), (3, 3), dtype="INT16"),
    "depthwise_float": depthwise((7, 6, 5), (3, 3), dtype="FLOAT32"),
    "dense": dense(1, 33, 10),
    "dense_odd": dense(3, 16, 7),
    "dense_int16": dense(1, 20, 6, "INT16"),
    "dense_float": dense(2, 20, 6, "FLOAT32"),
    "transposed_same": transposed(2, SAME),
    "transposed_valid": transposed(2, VALID),
    "transposed_stride_1": transposed(1, SAME),
    "transposed_float": transposed(2, SAME, "FLOAT32"),
    "maximum": pool("MAX_POOL_2D", (2, 2), 2, VALID),
    "maximum_same": pool("MAX_POOL_2D", (3, 3), 2, SAME, activation=RELU),
    "maximum_float": pool("MAX_POOL_2D", (3, 3), 1, SAME, "FLOAT32"),
    "maximum_uint8": pool("MAX_POOL_2D", (3, 2), 2, SAME, "UINT8"),
    "average": pool("AVERAGE_POOL_2D", (7, 6), 1, VALID),
    "average_same": pool("AVERAGE_POOL_2D", (3, 3), 1, SAME),
    "average_int16": pool("AVERAGE_POOL_2D", (3, 3), 2, SAME, "INT16"),
    "average_float": pool("AVERAGE_POOL_2D", (3, 2), 2, SAME, "FLOAT32"),
    "add": binary("ADD", (1, 3, 4, 5), (1, 3, 4, 5), activation=RELU),
    "add_constant": binary("ADD", (1, 3, 4, 5), (1, 3, 4, 5), fixed=True),
    "add_channels": binary("ADD", (1, 3, 4, 5), (5,), fixed=True),
    "add_one": binary("ADD", (2, 3, 4, 5), (), fixed=True),
    "add_pixels": binary("ADD", (1, 3, 4, 5), (1, 3, 4, 1)),
    "add_rows": binary("ADD", (2, 3, 4, 5), (1, 1, 4, 5)),
    "add_to_channels": binary("ADD", (1, 1, 1, 5), (1, 3, 4, 5)),
    "add_float": binary("ADD", (1, 3, 4, 5), (1, 3, 4, 5), "FLOAT32", RELU6),
    "subtract": binary("SUB", (1, 3, 4, 5), (1, 3, 4, 5)),
    "subtract_float": binary("SUB", (1, 3, 4, 5), (5,), "FLOAT32", fixed=True),
    "multiply": binary("MUL", (1, 3, 4, 5), (1, 3, 4, 5)),
    "multiply_channels": binary("MUL", (1, 3, 4, 5), (1, 1, 1, 5)),
    "multiply_float": binary("MUL", (7,), (7,), "FLOAT32"),
    "prelu": prelu((1, 1, 5)),
    "prelu_each": prelu((3, 4, 5)),
    "pad_columns": pad(0, 0, 1, 2, 3, 0, 0, 0),
    "pad_all": pad(0, 0, 0, 1, 1, 1, 2, 1),
    "pad_float": pad(0, 0, 1, 1, 1, 1, 0, 0, dtype="FLOAT32"),
    "concat_channels": concatenation(3, (1, 3, 4, 5), (1, 3, 4, 2)),
    "concat_columns": concatenation(2, (2, 3, 4, 5), (2, 3, 1, 5)),
    "concat_rows": concatenation(1, (1, 3, 4, 5), (1, 2, 4, 5)),
    "concat_vectors": concatenation(1, (2, 3), (2, 4), dtype="FLOAT32"),
    "slice_channels": cut((1, 3, 4, 6), (0, 0, 0, 2), (1, 3, 4, 3)),
    "slice_middle": cut((2, 5, 6, 3), (1, 1, 2, 0), (1, 3, 3, 3)),
    "slice_vector": cut((9,), (2,), (5,)),
    "softmax": softmax((1, 10), 0.1),
    "softmax_steep": softmax((3, 4), 4.0),
    "softmax_pixels": softmax((1, 4, 3, 5), 0.05),
    "softmax_uint8": softmax((2, 7), 0.2, "UINT8"),
    "softmax_int16": softmax((2, 7), 0.0005, "INT16"),
    "softmax_int16_steep": softmax((1, 3), 1.0, "INT16"),
    "enlarge": enlarge((2, 2)),
    "enlarge_more": enlarge((1, 3)),
    "logistic": model_of(
        "LOGISTIC", [activations("INT8", (3, 7), "x", 4, 0.05)], [tensor("y", "INT8", (3, 7), 1 / 256, -128)]
    ),
    "requantize": model_of(
        "QUANTIZE",
        [activations("INT8", (1, 3, 4, 5), "x", 4, 0.5)],
        [tensor("y", "UINT8", (1, 3, 4, 5), 0.3, 77)],
        options("QuantizeOptions"),
    ),
    "reshape": model_of(
        "RESHAPE",
        [activations("INT8", (2, 6), "x", 0), ints("shape", 3, 4)],
        [activations("INT8", (3, 4), "y", 0)],
        options("ReshapeOptions"),
    ),
}


def test_every_kernel_computes_what_the_interpreter_computes(tmp_path: Path) -> None:
    """All cases in one image: so many libraries do not disturb each other either."""
    libraries = load(CASES, tmp_path)
    differing: list[str] = []
    for name, loaded in libraries.items():
        expected = executor(CASES[name])
        distinct: set[bytes] = set()
        for seed in range(4):
            inputs = random_inputs(loaded.library, seed)
            found, wanted = loaded.run(inputs), expected.run(inputs)
            distinct.add(wanted[0].tobytes())
            try:
                assert_same(found, wanted, loaded.library)
            except AssertionError:
                differing.append(name)
        assert len(distinct) > 1, f"{name} gives the same result for all inputs"
    assert not differing


@pytest.mark.parametrize("first", range(0, NETWORKS, 8))
def test_random_networks(first: int, tmp_path: Path) -> None:
    """Every tensor, where each has bytes of its own; then the outputs, where tensors share the arena and are views."""
    recipes = {f"net_{seed}": random_recipe(seed).model() for seed in range(first, first + 8)}
    models = recipes | {f"all_{name}": with_all_outputs(model) for name, model in recipes.items()}
    for name, loaded in load(models, tmp_path).items():
        expected = executor(models[name])
        for seed in range(3):
            inputs = random_inputs(loaded.library, seed)
            assert_same(loaded.run(inputs), expected.run(inputs), loaded.library)
