"""Results that run into their operands: how far they may, by brute force and in TFLite Micro's reference kernels."""

from itertools import product

import numpy as np
import pytest
from chain_models import SAME, VALID, ChainBuilder, Layer, outputs_in_tflm

from tinymo_xdsl.analysis.kernels import Kernel, kernels_of
from tinymo_xdsl.analysis.overlap import lead_bytes
from tinymo_xdsl.analysis.peak import main_function
from tinymo_xdsl.flatbuffer.model import Model
from tinymo_xdsl.flatbuffer.offline_plan import planned_offsets, with_plan, without_plan
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.search import OptimizeOptions, as_written, optimize

LAYERS = {
    "conv 1x1 wider": lambda b, x: b.conv("y", x, 32),
    "conv 1x1 narrower": lambda b, x: b.conv("y", x, 16),
    "conv 3x3": lambda b, x: b.conv("y", x, 16, 3),
    "conv 3x3 valid": lambda b, x: b.conv("y", x, 16, 3, padding=VALID),
    "conv 3x3 stride 2": lambda b, x: b.conv("y", x, 32, 3, stride=2),
    "conv 5x1": lambda b, x: b.conv("y", x, 16, (5, 1)),
    "conv 3x3 dilation 2": lambda b, x: b.conv("y", x, 16, 3, dilation=2),
    "depthwise 3x3": lambda b, x: b.depthwise("y", x, 3),
    "depthwise 5x5 stride 2": lambda b, x: b.depthwise("y", x, 5, stride=2, padding=SAME),
    "depthwise, two results a channel": lambda b, x: b.depthwise("y", x, 3, multiplier=2),
    "max pool 2x2": lambda b, x: b.pool("y", x, 2, 2),
    "average pool 3x3": lambda b, x: b.pool("y", x, 3, 1, SAME, average=True),
    "pad": lambda b, x: b.pad("y", x, (1, 2, 2, 1)),
    "pad rows": lambda b, x: b.pad("y", x, (2, 0, 0, 0)),
}


def one_layer(name: str) -> Model:
    """The layer over a random image of 7 x 6 x 16 bytes, which is computed so that it can be moved."""
    build = ChainBuilder("INT8", seed=3)
    image = build.conv("x", build.image("image", (7, 6, 16)), 16)
    return build.model(LAYERS[name](build, image))


def the_kernel(model: Model) -> Kernel:
    return kernels_of(main_function(as_written(import_model(model))))[-1]


def lowest_reads(model: Model) -> list[int]:
    """For each byte of the result, in order: the lowest byte of the operand that it needs."""
    graph = model.subgraphs[0]
    operator = graph.operators[-1]
    _, height, width, channels = graph.tensors[operator.inputs[0]].shape
    _, rows, columns, channels_out = graph.tensors[operator.outputs[0]].shape
    options, taps, stride, dilation = operator.options, (1, 1), 1, 1
    if operator.name == "PAD":
        pads = np.frombuffer(graph.tensors[operator.inputs[1]].data or b"", "<i4").reshape(4, 2)
        top, left = (int(pads[axis, 0]) for axis in (1, 2))
    else:
        weights = graph.tensors[operator.inputs[1]].shape if len(operator.inputs) > 1 else ()
        taps = weights[1:3] if weights else (int(options["filter_height"]), int(options["filter_width"]))
        stride, dilation = int(options["stride_h"]), int(options.get("dilation_h_factor", 1))
        spans = [(n - 1) * stride + (k - 1) * dilation + 1 for n, k in zip((rows, columns), taps, strict=True)]
        top, left = (max(span - size, 0) // 2 for span, size in zip(spans, (height, width), strict=True))
    lowest: list[int] = []
    for y, x in product(range(rows), range(columns)):
        corners = product(range(taps[0]), range(taps[1]))
        window = [(y * stride - top + i * dilation, x * stride - left + j * dilation) for i, j in corners]
        pixel = min((r * width + c for r, c in window if 0 <= r < height and 0 <= c < width), default=1 << 20)
        for channel in range(channels_out):
            own = 0 if operator.name == "CONV_2D" else channel * channels // channels_out
            lowest.append(pixel * channels + own)
    return lowest


@pytest.mark.parametrize("name", LAYERS)
def test_the_lead_is_the_largest_that_loses_nothing(name: str) -> None:
    model = one_layer(name)
    lowest = np.array(lowest_reads(model))
    needed_later = np.minimum.accumulate(lowest[::-1])[::-1][1:]
    largest = int((needed_later - np.arange(1, lowest.size)).min())
    lead = lead_bytes(the_kernel(model))
    assert lead is not None
    # Pixels are what is looked at, so a few bytes may be given away; and with dilation the first tap that is no padding
    # may be another than the first pixel.
    assert lead <= largest
    assert largest - lead < 16 or "dilation" in name


@pytest.mark.parametrize("name", LAYERS)
def test_reference_kernels_compute_the_same_up_to_the_lead_and_not_beyond(name: str) -> None:
    model = one_layer(name)
    graph = model.subgraphs[0]
    image, (operand, result) = graph.inputs[0], (graph.operators[-1].inputs[0], graph.outputs[0])
    values = [np.random.default_rng(1).integers(-128, 128, (1, 7, 6, 16), np.int8)]
    (expected,) = outputs_in_tflm(model, values)
    lead = lead_bytes(the_kernel(model))
    assert lead is not None
    # What begins behind its operand does not spoil the bytes before, so a little further may be well.
    beyond = [(lead + 16, False)] if lead < 0 else []
    for shift, is_same in [(lead, True), (lead - 32, True), *beyond]:
        offsets = [-1] * len(graph.tensors)
        offsets[image], offsets[operand], offsets[result] = 1 << 14, 1 << 13, (1 << 13) + shift
        (actual,) = outputs_in_tflm(with_plan(model, offsets), values)
        assert np.array_equal(expected, actual) == is_same or (not is_same and "dilation" in name), shift


def two_blocks(build: ChainBuilder) -> Layer:
    """Separable convolutions with a residual, of one size: without an overlap two tensors are in use at once."""
    x = build.conv("stem", build.image("image", (16, 16, 4)), 16)
    y = build.conv("b", build.depthwise("a", x), 16)
    return build.conv("d", build.depthwise("c", y), 16)


def test_a_chain_takes_little_more_than_one_tensor() -> None:
    build = ChainBuilder("INT8")
    model = build.model(two_blocks(build))
    module = import_model(model)
    heads = {}
    for overlap in (False, True):
        optimized = optimize(module, OptimizeOptions(overlap=overlap, max_overhead=0))
        assert optimized.plan_after is not None
        assert optimized.plan_after.plan is not None
        heads[overlap] = optimized.plan_after.plan.head
        values = [np.random.default_rng(2).integers(-128, 128, (1, 16, 16, 4), np.int8)]
        expected, actual = outputs_in_tflm(model, values), outputs_in_tflm(optimized.model, values)
        assert np.array_equal(expected[0], actual[0])
    # A tensor is 16 rows of 16 pixels of 16 bytes. A depthwise convolution is a row and a pixel behind.
    assert heads[False] == 2 * 4096
    assert heads[True] <= 4096 + 2 * (256 + 3 * 16)


def test_without_the_plan_nothing_overlaps() -> None:
    build = ChainBuilder("INT8")
    module = import_model(build.model(two_blocks(build)))
    optimized = optimize(module, OptimizeOptions(overlap=True, max_overhead=0))
    assert planned_offsets(optimized.model) is not None
    assert planned_offsets(without_plan(optimized.model)) is None
