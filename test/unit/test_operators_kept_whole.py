"""Operators, or types of them, that TOSA has no exact words for: kept whole, with the numbers of TFLite Micro."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pytest
from flatbuffer_models import quantized
from one_operator import Array, tensor
from operator_cases import WHOLE, Case, check_round_trip, check_same_numbers, run_in_both, typed
from operator_models import RELU, SAME, VALID, constant, ints, model_of, options

from tinymo_xdsl.flatbuffer.model import Model, OptionValue, Tensor

SHAPES = [(2, 3, 1, 5), (3, 1, 5)]


class Numbers(NamedTuple):
    """A model with inputs that are not any numbers, or with results that depend on the library of functions."""

    name: str
    model: Model
    given: Mapping[str, Array] | None = None
    tolerance: float = 0.0
    runs: int = 1


def whole(
    name: str,
    dtype: str,
    shape: Sequence[int] = (2, 6),
    lists: Sequence[Tensor] = (),
    to: Sequence[int] | None = None,
    *,
    table: tuple[str, Mapping[str, OptionValue]] | None = None,
    out: Tensor | None = None,
) -> Model:
    """An operator of one input and some lists of numbers."""
    result = typed("y", dtype, shape if to is None else to) if out is None else out
    return model_of(name, [typed("x", dtype, shape), *lists], [result], table)


def binary(name: str, dtype: str, table: str, to: str | None = None, **stated: OptionValue) -> Model:
    sources = [typed("a", dtype, SHAPES[0], 0.25, 3), typed("b", dtype, SHAPES[1], 0.01, -8)]
    result = typed("y", to or dtype, np.broadcast_shapes(*SHAPES), 0.9, 4)
    return model_of(name, sources, [result], options(table, **stated))


def resize(dtype: str, shape: tuple[int, int], to: tuple[int, int], **stated: bool) -> Model:
    return whole(
        "RESIZE_BILINEAR",
        dtype,
        (2, *shape, 3),
        [ints("size", *to)],
        (2, *to, 3),
        table=options("ResizeBilinearOptions", **stated),
    )


def nearest(dtype: str, shape: tuple[int, int], to: tuple[int, int], **stated: bool) -> Model:
    table = options("ResizeNearestNeighborOptions", **stated)
    return whole("RESIZE_NEAREST_NEIGHBOR", dtype, (2, *shape, 3), [ints("size", *to)], (2, *to, 3), table=table)


def cut(
    dtype: str, begin: Sequence[int], end: Sequence[int], steps: Sequence[int], to: Sequence[int], **masks: int
) -> Model:
    lists = [ints("begin", *begin), ints("end", *end), ints("steps", *steps)]
    return whole("STRIDED_SLICE", dtype, (4, 5, 6), lists, to, table=options("StridedSliceOptions", **masks))


def mirror_pad(dtype: str, mode: int) -> Model:
    pads = constant("pads", "INT32", [[0, 0], [1, 1], [2, 0], [0, 1]])
    return whole("MIRROR_PAD", dtype, (1, 3, 4, 2), [pads], (1, 5, 6, 3), table=options("MirrorPadOptions", mode=mode))


def l2_pool(padding: int, to: tuple[int, int]) -> Model:
    window = {"padding": padding, "stride_h": 2, "stride_w": 1, "filter_height": 3, "filter_width": 2}
    return whole(
        "L2_POOL_2D",
        "FLOAT32",
        (2, 6, 5, 3),
        [],
        (2, *to, 3),
        table=options("Pool2DOptions", fused_activation_function=RELU, **window),
    )


def running_sum(dtype: str, axis: int, **stated: bool) -> Model:
    out = typed("y", dtype, (2, 3, 5), 0.5, -9)
    return whole(
        "CUMSUM", dtype, (2, 3, 5), [constant("axis", "INT32", axis)], table=options("CumsumOptions", **stated), out=out
    )


def svdf(dtype: str, state: str = "INT8") -> Model:
    """Three units of two filters each, over the last four of inputs of five features."""
    kind = dtype if dtype == "FLOAT32" else state
    scale, time_scale = (0.9, 0.01) if state == "INT8" else (0.01, 1e-4)
    bias = None if dtype == "FLOAT32" else quantized(scale * time_scale)
    generator = np.random.default_rng(3)

    def weights(name: str, kind: str, shape: tuple[int, int], scale: float) -> Tensor:
        numbers = generator.normal(size=shape) if kind == "FLOAT32" else generator.integers(-127, 128, shape)
        return constant(name, kind, numbers, None if kind == "FLOAT32" else quantized(scale))

    inputs = [
        typed("x", dtype, (2, 5), 0.05, 3),
        weights("features", dtype, (6, 5), 0.02),
        weights("times", kind, (6, 4), time_scale),
        constant("bias", dtype if dtype == "FLOAT32" else "INT32", [0.5, 70, -300], bias),
    ]
    inputs.append(
        tensor(
            "state",
            kind,
            (2, 24),
            None if dtype == "FLOAT32" else scale,
            0 if state == "INT16" else -5,
            is_variable=True,
        )
    )
    result = typed("y", dtype, (2, 3), 0.7, -11)
    return model_of("SVDF", inputs, [result], options("SVDFOptions", rank=2, fused_activation_function=RELU))


def gather(dtype: str) -> Model:
    places = tensor("places", "INT32", (2,))
    return whole("GATHER", dtype, (2, 4, 3), [places], (2, 2, 3), table=options("GatherOptions", axis=1))


def gather_nd(dtype: str) -> Model:
    places = constant("places", "INT32", [[1, 2], [0, 3], [1, 0]])
    return whole("GATHER_ND", dtype, (2, 4, 3), [places], (3, 3), table=options("GatherNdOptions"))


def rsqrt(dtype: str) -> Model:
    return model_of("RSQRT", [typed("x", dtype, (300,), 0.02, -100)], [typed("y", dtype, (300,), 0.03, -40)])


POSITIVE = {"x": np.linspace(0.1, 40, 12, dtype=np.float32).reshape(2, 6)}
DIVISORS = (np.arange(15) * 7 % 15 - 7.5).reshape(SHAPES[1])

NUMBERS = [
    *(Numbers(f"elementwise {name}", whole(name, "FLOAT32")) for name in ("ROUND",)),
    Numbers("square root", whole("SQRT", "FLOAT32"), POSITIVE),
    Numbers("elu", whole("ELU", "FLOAT32"), tolerance=2e-6),
    Numbers("log softmax", whole("LOG_SOFTMAX", "FLOAT32", table=options("LogSoftmaxOptions")), tolerance=2e-6),
    *(
        Numbers(
            f"log softmax of int8 {scale}",
            model_of(
                "LOG_SOFTMAX",
                [tensor("x", "INT8", (20, 9), scale, -3)],
                [tensor("y", "INT8", (20, 9), 16 / 256, 127)],
                options("LogSoftmaxOptions"),
            ),
        )
        for scale in (2.0**-9, 0.01, 0.1, 0.7)
    ),
    *(
        Numbers(f"zeros {dtype}", whole("ZEROS_LIKE", dtype, table=options("ZerosLikeOptions")))
        for dtype in ("FLOAT32", "INT8", "INT32", "INT64")
    ),
    Numbers("divide floats", binary("DIV", "FLOAT32", "DivOptions", fused_activation_function=RELU)),
    Numbers("divide int8", binary("DIV", "INT8", "DivOptions"), {"b": (DIVISORS * 10).astype(np.int8)}),
    Numbers(
        "divide int32 with an activation",
        binary("DIV", "INT32", "DivOptions", fused_activation_function=RELU),
        {"b": np.sign(DIVISORS).astype(np.int32) * 3},
    ),
    Numbers(
        "floor of a quotient", binary("FLOOR_DIV", "FLOAT32", "FloorDivOptions"), {"b": DIVISORS.astype(np.float32)}
    ),
    Numbers(
        "rest of a quotient", binary("FLOOR_MOD", "FLOAT32", "FloorModOptions"), {"b": DIVISORS.astype(np.float32)}
    ),
    *(Numbers(f"{name} int64", binary(name, "INT64", "MaximumMinimumOptions")) for name in ("MAXIMUM", "MINIMUM")),
    *(
        Numbers(f"{name} {dtype}", binary(name, dtype, f"{table}Options", "BOOL"))
        for name, table, dtypes in (
            ("EQUAL", "Equal", ("INT64", "BOOL")),
            ("NOT_EQUAL", "NotEqual", ("INT64", "BOOL")),
            ("GREATER", "Greater", ("INT64",)),
            ("GREATER_EQUAL", "GreaterEqual", ("INT64",)),
            ("LESS", "Less", ("INT64",)),
            ("LESS_EQUAL", "LessEqual", ("INT64",)),
        )
        for dtype in dtypes
    ),
    *(
        Numbers(
            f"cast floats to {to}",
            model_of("CAST", [tensor("x", "FLOAT32", (40,))], [tensor("y", to, (40,))], options("CastOptions")),
        )
        for to in ("INT8", "INT16", "INT32", "BOOL")
    ),
    *(
        Numbers(
            f"reciprocal root {dtype}", rsqrt(dtype), {"x": np.resize(np.arange(first, 128), 300).astype(dtype.lower())}
        )
        for dtype, first in (("INT8", -100), ("INT16", 0))
    ),
    *(
        Numbers(
            f"l2 normalization {dtype}",
            whole(
                "L2_NORMALIZATION",
                dtype,
                (3, 4, 5),
                table=options("L2NormOptions"),
                out=typed("y", dtype, (3, 4, 5), 1 / 128, 0),
            ),
        )
        for dtype in ("FLOAT32", "INT8")
    ),
    *(
        Numbers(
            f"running sum {dtype} {axis} {reverse} {exclusive}",
            running_sum(dtype, axis, reverse=reverse, exclusive=exclusive),
        )
        for dtype in ("FLOAT32", "INT8")
        for axis in (0, 1, -1)
        for reverse in (False, True)
        for exclusive in (False, True)
    ),
    *(Numbers(f"mirror {dtype} {mode}", mirror_pad(dtype, mode)) for dtype in ("FLOAT32", "INT8") for mode in (0, 1)),
    Numbers("l2 pool", l2_pool(VALID, (2, 4))),
    Numbers("l2 pool, same", l2_pool(SAME, (3, 5))),
    *(
        Numbers(
            f"resize {dtype} {shape} to {to} {corners} {centres}",
            resize(dtype, shape, to, align_corners=corners, half_pixel_centers=centres),
        )
        for dtype in ("FLOAT32", "INT8")
        for shape, to in (((3, 4), (6, 8)), ((5, 7), (3, 9)), ((4, 1), (7, 3)))
        for corners, centres in ((False, False), (True, False), (False, True))
    ),
    *(
        Numbers(
            f"nearest {dtype} {shape} to {to} {corners} {centres}",
            nearest(dtype, shape, to, align_corners=corners, half_pixel_centers=centres),
        )
        for dtype in ("FLOAT32", "INT8", "INT16")
        for shape, to in (((3, 4), (5, 9)), ((5, 7), (3, 4)))
        for corners, centres in ((False, False), (True, False), (False, True))
    ),
    *(
        Numbers(f"slice with steps {dtype}", cut(dtype, (0, 1, 5), (4, 5, 0), (2, 3, -2), (2, 2, 3)))
        for dtype in ("FLOAT32", "INT8")
    ),
    Numbers("slice with masks", cut("INT8", (1, -4, 9), (3, 0, 4), (1, 2, -1), (3, 2, 1), begin_mask=1, end_mask=2)),
    Numbers("slice of one element", cut("INT8", (2, 0, 5), (3, 5, 6), (1, 2, 1), (3,), shrink_axis_mask=5)),
    *(
        Numbers(f"gather {dtype}", gather(dtype), {"places": np.array([3, 1], np.int32)})
        for dtype in ("FLOAT32", "INT8")
    ),
    *(Numbers(f"gather elements {dtype}", gather_nd(dtype)) for dtype in ("FLOAT32", "INT8")),
    Numbers("svdf of floats", svdf("FLOAT32"), runs=6, tolerance=1e-5),
    Numbers("svdf", svdf("INT8"), runs=6),
    Numbers("svdf, state of 16 bits", svdf("INT8", "INT16"), runs=6),
    Numbers("shape", whole("SHAPE", "INT8", table=options("ShapeOptions", out_type=2), out=tensor("y", "INT32", (2,)))),
    Numbers(
        "broadcast shapes",
        model_of("BROADCAST_ARGS", [ints("a", 3, 1), tensor("x", "INT32", (3,))], [tensor("y", "INT32", (3,))]),
        {"x": np.array([2, 1, 4], np.int32)},
    ),
]

CASES = [Case(numbers.name, WHOLE, numbers.model) for numbers in NUMBERS]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_operator_comes_back_as_it_was(case: Case) -> None:
    check_round_trip(case)


@pytest.mark.parametrize("numbers", NUMBERS, ids=lambda numbers: numbers.name)
def test_numbers_are_those_of_tflite_micro(numbers: Numbers) -> None:
    check_same_numbers(numbers.model, given=numbers.given, tolerance=numbers.tolerance, runs=numbers.runs)


@pytest.mark.parametrize("seed", range(8))
def test_quotients_that_are_not_nearly_zero(seed: int) -> None:
    """For the others C leaves open what the kernel does: it shifts by more bits than there are."""
    generator = np.random.default_rng(seed)
    scales = 2.0 ** generator.uniform(-8, -1, 2)
    scale = float(scales[0] / scales[1] * 2 ** generator.uniform(-5, 3))
    zeros = [int(zero) for zero in generator.integers(-127, 127, 3)]
    dividends, divisors = np.arange(-128, 128).astype(np.int8), np.arange(-128, 128, 5).astype(np.int8)
    divisors = divisors[divisors != zeros[1]]
    sources = [
        tensor("a", "INT8", (256, 1), float(scales[0]), zeros[0]),
        tensor("b", "INT8", divisors.shape, float(scales[1]), zeros[1]),
    ]
    result = tensor("y", "INT8", (256, len(divisors)), scale, zeros[2])
    model = model_of("DIV", sources, [result], options("DivOptions", fused_activation_function=seed % 4))
    ((ours, theirs),) = run_in_both(model, given={"a": dividends.reshape(256, 1), "b": divisors})
    centred = dividends.astype(int)[:, np.newaxis] - zeros[0], divisors.astype(int) - zeros[1]
    is_defined = np.abs(centred[0] / centred[1] * (scales[0] / scales[1] / scale)) >= 1
    assert is_defined.mean() > 0.1
    np.testing.assert_array_equal(ours[is_defined], theirs[is_defined])
