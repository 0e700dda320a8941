"""
Operators on their way to TOSA and back: what an import makes of them, and that an export makes them again.

Each model of one operator goes through a file, the IR and its text, and must come back as it was.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from flatbuffer_models import plain, quantized
from one_operator import tensor
from operator_cases import WHOLE, Case, check_round_trip, check_same_numbers, image, result
from operator_models import (
    NONE,
    RELU,
    RELU6,
    RELU_N1_TO_1,
    SAME,
    TANH,
    VALID,
    channels,
    constant,
    described,
    ints,
    model_of,
    options,
    ramp,
    through_text,
)

from tinymo_xdsl.flatbuffer.model import Model, Quantization, Tensor
from tinymo_xdsl.flatbuffer.schema import DATA_TYPES
from tinymo_xdsl.frontend import import_model


def weights_of(shape: Sequence[int], dtype: str = "INT8", quantization: Quantization | None = None) -> Tensor:
    if dtype == "FLOAT32":
        return constant("weights", dtype, ramp(shape, "f4"))
    zero_point = 120 if dtype == "UINT8" else 0
    numbers = ramp(shape, "u1" if dtype == "UINT8" else "i1", start=zero_point - 7)
    return constant("weights", dtype, numbers, quantization or quantized(0.01, zero_point))


def bias_of(count: int, dtype: str = "INT32") -> Tensor:
    return constant("bias", dtype, ramp([count], "i8"), None if dtype == "FLOAT32" else quantized(0.005))


def window(padding: int = SAME, stride: int = 1, activation: int = NONE, dilation: int = 1) -> dict[str, int]:
    return {
        "padding": padding,
        "stride_h": stride,
        "stride_w": stride,
        "fused_activation_function": activation,
        "dilation_h_factor": dilation,
        "dilation_w_factor": dilation,
    }


def conv(
    rows: int = 6,
    kernel: int = 3,
    to: tuple[int, int] = (6, 5),
    quantization: Quantization | None = None,
    bias: bool = True,
    **stated: int,
) -> Model:
    """An int8 convolution of an image of `rows` x 5 x 2 to `to` x 3."""
    filters = weights_of((3, kernel, kernel, 2), quantization=quantization)
    inputs = [image(1, rows, 5, 2), filters, *([bias_of(3)] if bias else [])]
    return model_of("CONV_2D", inputs, [result(1, *to, 3)], options("Conv2DOptions", **window(**stated)))


def typed_conv(dtype: str, bias: str, zero_points: tuple[int, int] = (0, 0)) -> Model:
    scale = None if dtype == "FLOAT32" else 0.5
    filters = weights_of((3, 1, 1, 2), "INT8" if dtype == "INT16" else dtype)
    source = image(1, 4, 4, 2, dtype=dtype, scale=scale, zero_point=zero_points[0])
    out = result(1, 4, 4, 3, dtype=dtype, scale=scale, zero_point=zero_points[1])
    table = options("Conv2DOptions", **window(VALID, activation=RELU6))
    return model_of("CONV_2D", [source, filters, bias_of(3, bias)], [out], table, version=3)


def depthwise(multiplier: int, padding: int, to: tuple[int, int], stride: int = 1, dilation: int = 1) -> Model:
    count = 2 * multiplier
    filters = weights_of((1, 3, 3, count), quantization=channels([0.01 * (1 + c) for c in range(count)], 3))
    table = options("DepthwiseConv2DOptions", depth_multiplier=multiplier, **window(padding, stride, RELU, dilation))
    return model_of("DEPTHWISE_CONV_2D", [image(1, 7, 6, 2), filters, bias_of(count)], [result(1, *to, count)], table)


def transpose_conv(padding: int, kernel: int, to: int, bias: bool, activation: int = NONE) -> Model:
    stated = {"padding": padding, "stride_h": 2, "stride_w": 2, "fused_activation_function": activation}
    out = result(1, to, to, 3)
    inputs = [ints("sizes", *out.shape), weights_of((3, kernel, kernel, 2)), image(1, 4, 4, 2)]
    inputs += [bias_of(3)] if bias else []
    return model_of("TRANSPOSE_CONV", inputs, [out], options("TransposeConvOptions", **stated), version=3)


def dense(source: tuple[int, ...], to: tuple[int, ...], bias: Tensor | None = None, **stated: int) -> Model:
    table = options("FullyConnectedOptions", **stated)
    return model_of("FULLY_CONNECTED", [image(*source), weights_of((3, 8)), bias], [result(*to)], table)


def pool(
    name: str,
    dtype: str = "INT8",
    padding: int = VALID,
    to: tuple[int, int] = (3, 2),
    scale: float = 0.5,
    **stated: int,
) -> Model:
    scales = (None, None) if dtype == "FLOAT32" else (0.5, scale)
    table = options("Pool2DOptions", padding=padding, stride_h=2, stride_w=2, filter_height=2, filter_width=2, **stated)
    out = result(1, *to, 3, dtype=dtype, scale=scales[1], zero_point=4)
    return model_of(name, [image(1, 6, 5, 3, dtype=dtype, scale=scales[0], zero_point=4)], [out], table)


def reshape(sizes: Tensor | None, to: tuple[int, ...], new_shape: tuple[int, ...] | None = None) -> Model:
    inputs = [image(1, 4, 6)] if sizes is None else [image(1, 4, 6), sizes]
    return model_of("RESHAPE", inputs, [result(*to, scale=0.5)], options("ReshapeOptions", new_shape=new_shape))


def pad(name: str, dtype: str = "INT8", sizes: str = "INT32") -> Model:
    source = image(1, 2, 2, 3, dtype=dtype, scale=0.5, zero_point=2)
    out = result(1, 5, 5, 3, dtype=dtype, scale=0.5, zero_point=2)
    numbers = constant("paddings", sizes, [[0, 0], [1, 2], [0, 3], [0, 0]])
    filler = [] if name == "PAD" else [constant("filler", dtype, 9, quantized(0.5, 2))]
    table = options("PadOptions" if name == "PAD" else "PadV2Options")
    return model_of(name, [source, numbers, *filler], [out], table, version=2)


def concatenation(axis: int, scales: tuple[float, float] = (0.5, 0.5), activation: int = NONE) -> Model:
    parts = [tensor(f"x{i}", "INT8", (1, 2, 3 + i), scale, 4) for i, scale in enumerate(scales)]
    table = options("ConcatenationOptions", axis=axis, fused_activation_function=activation)
    return model_of("CONCATENATION", parts, [result(1, 2, 7, scale=0.5, zero_point=4)], table)


def slice_of(begin: Tensor, size: Tensor, to: tuple[int, ...]) -> Model:
    return model_of("SLICE", [image(2, 5, 6), begin, size], [result(*to, scale=0.5)], options("SliceOptions"))


def cut(begin: Sequence[int], end: Sequence[int], to: tuple[int, ...], step: int = 1, **masks: int) -> Model:
    steps = [1] * (len(begin) - 1) + [step]
    inputs = [image(2, 5, 6), ints("begin", *begin), ints("end", *end), ints("steps", *steps)]
    return model_of("STRIDED_SLICE", inputs, [result(*to, scale=0.5)], options("StridedSliceOptions", **masks))


def parts_of(*shapes: tuple[int, ...]) -> list[Tensor]:
    return [tensor(f"part{number}", "INT8", shape, 0.5, -3) for number, shape in enumerate(shapes)]


def split(*shapes: tuple[int, int]) -> Model:
    inputs = [constant("axis", "INT32", 1), image(2, 6)]
    return model_of("SPLIT", inputs, parts_of(*shapes), options("SplitOptions", num_splits=len(shapes)))


def split_unevenly(*sizes: int) -> Model:
    inputs = [image(2, 6), ints("sizes", *sizes), constant("axis", "INT32", 1)]
    table = options("SplitVOptions", num_splits=len(sizes))
    return model_of("SPLIT_V", inputs, parts_of(*((2, size) for size in sizes)), table)


def pack(axis: int, to: tuple[int, ...]) -> Model:
    table = options("PackOptions", values_count=2, axis=axis)
    return model_of("PACK", parts_of((2, 3), (2, 3)), [result(*to, scale=0.5, zero_point=-3)], table)


def unpack(source: tuple[int, ...], axis: int, count: int, part: tuple[int, ...]) -> Model:
    return model_of(
        "UNPACK", [image(*source)], parts_of(*[part] * count), options("UnpackOptions", num=count, axis=axis)
    )


def resize(to: tuple[int, int], **stated: bool) -> Model:
    table = options("ResizeNearestNeighborOptions", **stated)
    inputs = [image(1, 3, 4, 2), ints("size", *to)]
    return model_of("RESIZE_NEAREST_NEIGHBOR", inputs, [result(1, *to, 2, scale=0.5, zero_point=-3)], table)


CONVOLUTIONS = [
    Case("same", "tosa.conv2d", conv()),
    Case("valid", "tosa.conv2d", conv(padding=VALID, to=(4, 3))),
    Case("same looks like valid", "tosa.conv2d", conv(kernel=1)),
    Case("valid looks like same", "tosa.conv2d", conv(kernel=1, padding=VALID)),
    Case("same pads at the end only", "tosa.conv2d", conv(kernel=2, to=(3, 3), stride=2)),
    Case("rows that no window reads", "tosa.conv2d", conv(padding=VALID, stride=2, to=(2, 2))),
    Case("dilation", "tosa.conv2d", conv(dilation=2)),
    Case("scales by channel", "tosa.conv2d", conv(quantization=channels([0.01, 0.02, 1e-9]))),
    Case("a negative scale", "tosa.conv2d", conv(quantization=channels([0.01, -0.02, 0.5]))),
    Case("no bias", "tosa.conv2d", conv(bias=False)),
    Case("relu", "tosa.conv2d", conv(activation=RELU)),
    Case("relu6", "tosa.conv2d", conv(activation=RELU6)),
    Case("relu from -1 to 1", "tosa.conv2d", conv(activation=RELU_N1_TO_1)),
    Case("uint8", "tosa.conv2d", typed_conv("UINT8", "INT32", (128, 3))),
    Case("int16", "tosa.conv2d", typed_conv("INT16", "INT64")),
    Case("float32", "tosa.conv2d", typed_conv("FLOAT32", "FLOAT32")),
    Case("tanh is no clamp", WHOLE, conv(activation=TANH)),
    Case("a channel of zeros", "tosa.conv2d", conv(quantization=channels([0.01, 0.02, 0.0]))),
    Case("a zero point that does not fit", WHOLE, typed_conv("UINT8", "INT32", (300, 3))),
    Case("a shape that does not follow", WHOLE, conv(to=(5, 5))),
    Case("a stride of zero", WHOLE, conv(stride=0)),
    Case("padding of a newer schema", WHOLE, conv(padding=7)),
    Case("activation of a newer schema", WHOLE, conv(activation=9)),
    Case("depthwise", "tosa.depthwise_conv2d", depthwise(1, SAME, (7, 6))),
    Case("depthwise, two filters each", "tosa.depthwise_conv2d", depthwise(2, VALID, (3, 2), stride=2)),
    Case("depthwise with dilation", "tosa.depthwise_conv2d", depthwise(1, SAME, (7, 6), dilation=3)),
    Case("transposed, same", "tosa.transpose_conv2d", transpose_conv(SAME, 3, 8, bias=True)),
    Case("transposed, same that cuts at the end", "tosa.transpose_conv2d", transpose_conv(SAME, 2, 7, bias=False)),
    Case("transposed, same like valid", "tosa.transpose_conv2d", transpose_conv(SAME, 2, 8, bias=True)),
    Case("transposed, valid", "tosa.transpose_conv2d", transpose_conv(VALID, 3, 9, bias=False, activation=RELU)),
    Case("dense whose bias is absent", "tosa.conv2d", dense((2, 8), (2, 3))),
    Case("dense with bias", "tosa.conv2d", dense((9, 8), (9, 3), bias_of(3), fused_activation_function=RELU)),
    Case("dense over an image", "tosa.conv2d", dense((2, 2, 2, 2), (2, 3), bias_of(3))),
    Case("dense that keeps axes", "tosa.conv2d", dense((2, 5, 8), (2, 5, 3), keep_num_dims=True)),
    Case("dense that says it keeps axes", WHOLE, dense((2, 5, 8), (10, 3), keep_num_dims=True)),
    Case("dense with shuffled weights", WHOLE, dense((1, 8), (1, 3), weights_format=1)),
]

POOLS = [
    Case("average", "tosa.avg_pool2d", pool("AVERAGE_POOL_2D")),
    Case("average, same", "tosa.avg_pool2d", pool("AVERAGE_POOL_2D", padding=SAME, to=(3, 3))),
    Case("average of floats", "tosa.avg_pool2d", pool("AVERAGE_POOL_2D", "FLOAT32", fused_activation_function=RELU)),
    Case("largest", "tosa.max_pool2d", pool("MAX_POOL_2D", fused_activation_function=RELU6)),
    Case("largest of uint8", "tosa.max_pool2d", pool("MAX_POOL_2D", "UINT8", padding=SAME, to=(3, 3))),
    Case("largest in another shape", WHOLE, pool("MAX_POOL_2D", to=(2, 2))),
    Case("largest in another scale", WHOLE, pool("MAX_POOL_2D", scale=0.25)),
]

LAYOUT = [
    Case("reshape", "tosa.reshape", reshape(ints("sizes", 2, 12), (2, 12))),
    Case("reshape by an option", "tosa.reshape", reshape(None, (2, 12), (2, 12))),
    Case("reshape by both", "tosa.reshape", reshape(ints("sizes", 2, 12), (2, 12), (2, 12))),
    Case("reshape by 64 bits", "tosa.reshape", reshape(ints("sizes", 2, 12, dtype="INT64"), (2, 12))),
    Case("reshape to a computed shape", WHOLE, reshape(tensor("sizes", "INT32", [2]), (2, 12))),
    Case("reshape to other elements", WHOLE, reshape(ints("sizes", 2, 13), (2, 13))),
    Case("pad", "tosa.pad", pad("PAD")),
    Case("pad by 64 bits", "tosa.pad", pad("PAD", sizes="INT64")),
    Case("pad uint8", "tosa.pad", pad("PAD", "UINT8")),
    Case("concatenation", "tosa.concat", concatenation(2)),
    Case("concatenation along the last axis", "tosa.concat", concatenation(-1)),
    Case("concatenation that requantises", WHOLE, concatenation(2, (0.5, 0.25))),
    Case("concatenation with an activation", WHOLE, concatenation(2, activation=RELU)),
    Case("concatenation along an axis that is not there", WHOLE, concatenation(3)),
    Case("slice", "tosa.slice", slice_of(ints("begin", 1, 0, 2), ints("size", 1, 5, 3), (1, 5, 3))),
    Case("slice at a computed place", WHOLE, slice_of(tensor("begin", "INT32", [3]), ints("size", 1, 5, 3), (1, 5, 3))),
    Case("strided slice", "tosa.slice", cut((0, 1, 2), (2, 4, 6), (2, 3, 4))),
    Case("strided slice that drops an axis", "tosa.slice", cut((1, 1, 2), (2, 4, 6), (3, 4), shrink_axis_mask=1)),
    Case("strided slice that drops one of two", "tosa.slice", cut((1, 3, 2), (2, 4, 6), (1, 4), shrink_axis_mask=2)),
    Case("strided slice with steps", WHOLE, cut((0, 0, 0), (2, 5, 6), (2, 5, 3), step=2)),
    Case("strided slice that adds an axis", WHOLE, cut((0, 0, 0), (2, 5, 6), (1, 2, 5, 6), new_axis_mask=1)),
    Case("split", "tosa.slice", split((2, 3), (2, 3))),
    Case("split that leaves a rest", WHOLE, split((2, 3), (2, 2))),
    Case("split, uneven", "tosa.slice", split_unevenly(1, 3, 2)),
    Case("pack", "tosa.concat", pack(1, (2, 2, 3))),
    Case("pack at the end", "tosa.concat", pack(-1, (2, 3, 2))),
    Case("unpack", "tosa.slice", unpack((2, 3, 2), 1, 3, (2, 2))),
    Case("unpack one", "tosa.slice", unpack((1, 3, 1), -1, 1, (1, 3))),
    Case("unpack some", WHOLE, unpack((2, 3, 2), 1, 2, (2, 2))),
    Case("resize", "tosa.resize", resize((6, 12))),
    Case("resize between pixels", "tosa.resize", resize((6, 4), half_pixel_centers=True)),
    Case("resize to a part", WHOLE, resize((4, 4))),
    Case("resize with aligned corners", WHOLE, resize((6, 8), align_corners=True)),
]


CASES = [*CONVOLUTIONS, *POOLS, *LAYOUT]

NOT_IN_TFLM = {"uint8", "largest of uint8", "pad by 64 bits", "pad uint8"}
"""What TFLite Micro has no kernel for."""


def case_named(name: str) -> Case:
    return next(case for case in CASES if case.name == name)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_operator_comes_back_as_it_was(case: Case) -> None:
    check_round_trip(case)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.op != WHOLE and case.name not in NOT_IN_TFLM], ids=lambda case: case.name
)
def test_tosa_says_what_the_kernels_of_tflm_do(case: Case) -> None:
    assert all(len(np.unique(array)) > 1 for array in check_same_numbers(case.model))


def changed(model: Model, **fields: Any) -> Model:
    """`model` with other fields of its operator."""
    graph = model.subgraphs[0]
    return replace(model, subgraphs=(replace(graph, operators=(replace(graph.operators[0], **fields),)),))


def operands_of(model: Model) -> list[Tensor]:
    graph = model.subgraphs[0]
    return [graph.tensors[index] for index in graph.operators[0].inputs]


def numbers_of(entry: Tensor) -> list[int]:
    dtype = DATA_TYPES[entry.dtype].numpy
    assert dtype is not None
    assert entry.data is not None
    return np.frombuffer(entry.data, dtype).tolist()


# What a file may say in two ways comes back in one.


def test_an_open_size_is_written_out() -> None:
    back = through_text(reshape(ints("sizes", -1, 12), (2, 12), (-1, 12)))
    assert numbers_of(operands_of(back)[1]) == [2, 12]
    assert back.subgraphs[0].operators[0].options["new_shape"] == (2, 12)
    assert numbers_of(
        operands_of(through_text(slice_of(ints("begin", 1, 0, 2), ints("size", 1, -1, 3), (1, 5, 3))))[2]
    ) == [1, 5, 3]


def test_masks_and_negative_bounds_of_a_slice_are_written_out() -> None:
    back = through_text(cut((9, 1, -4), (0, 9, 6), (2, 4, 4), begin_mask=1, end_mask=1))
    assert [numbers_of(operand) for operand in operands_of(back)[1:]] == [[0, 1, 2], [2, 5, 6], [1, 1, 1]]
    assert back.subgraphs[0].operators[0].options["begin_mask"] == 0


def test_a_negative_axis_is_counted_from_the_front() -> None:
    graph = split((2, 3), (2, 3)).subgraphs[0]
    negative = replace(graph, tensors=(constant("axis", "INT32", -1), *graph.tensors[1:]))
    assert numbers_of(operands_of(through_text(Model((negative,))))[0]) == [1]


def test_a_constant_has_as_many_axes_as_the_result() -> None:
    quantization = quantized(0.75)
    inputs = [image(1, 3, 2), constant("row", "INT8", [4, -9], quantization)]
    model = model_of("ADD", inputs, [result(1, 3, 2)], options("AddOptions"))
    back = operands_of(through_text(model))[1]
    assert plain(back) == plain(constant("row", "INT8", [[[4, -9]]], quantization))


def test_filters_are_counted() -> None:
    model = depthwise(2, VALID, (3, 2), stride=2)
    wrong = changed(model, options={**model.subgraphs[0].operators[0].options, "depth_multiplier": 0})
    assert described(through_text(wrong)) == described(model)


def test_an_operator_without_its_options_gets_them() -> None:
    assert described(through_text(changed(pad("PAD"), options_type=None, options={}))) == described(pad("PAD"))


# What no op of TOSA can carry keeps an operator whole.


@pytest.mark.parametrize(
    "model",
    [
        changed(
            conv(), options_type="DepthwiseConv2DOptions", options=options("DepthwiseConv2DOptions", **window())[1]
        ),
        changed(conv(), options_type=None, options={}),
        changed(conv(), custom_options=b"\x80more"),
        changed(conv(), mutating_variable_inputs=(True, False, False)),
        changed(conv(), custom=True),
        model_of("RESHAPE", [Tensor("x", "INT4", (4, 2)), ints("sizes", 8)], [Tensor("y", "INT4", (8,))]),
    ],
    ids=["options of another operator", "no options", "custom options", "changes its input", "custom", "INT4"],
)
def test_what_tosa_cannot_say_stays_whole(model: Model) -> None:
    assert WHOLE in {op.name for op in import_model(model).walk()}
    assert described(through_text(model)) == described(model)


def test_constants_of_types_without_an_element_type_stay_bytes() -> None:
    packed = Tensor("weights", "INT4", (3, 3), bytes([0x21, 0x43, 0xF5, 0x87, 0x09]), quantized(0.5))
    inputs = [image(1, 3), packed]
    model = model_of("FULLY_CONNECTED", inputs, [result(1, 3)], options("FullyConnectedOptions"))
    assert WHOLE in {op.name for op in import_model(model).walk()}
    assert described(through_text(model)) == described(model)


def test_operands_keep_their_names() -> None:
    for name in ("scales by channel", "depthwise", "reshape", "pad", "slice", "strided slice"):
        names = [operand.name for operand in operands_of(through_text(case_named(name).model))]
        assert names[:3] == [operand.name for operand in operands_of(case_named(name).model)][:3]
