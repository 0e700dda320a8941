"""Operators that compute element by element, on their way to TOSA and back, and their numbers against TFLite Micro."""

from collections.abc import Sequence

import numpy as np
import pytest
from one_operator import tensor
from operator_cases import (
    WHOLE,
    Case,
    check_round_trip,
    check_same_numbers,
    floats,
    image,
    of_floats,
    result,
    typed,
    unary,
)
from operator_models import NONE, RELU, RELU6, RELU_N1_TO_1, constant, model_of, options, ramp

from tinymo_xdsl.flatbuffer.model import Model, Tensor

SHAPES = [(2, 3, 1, 5), (3, 1, 5)]
"""Two shapes of which each has an axis that is stretched."""

TABLES = {
    "DIV": "DivOptions",
    "MAXIMUM": "MaximumMinimumOptions",
    "MINIMUM": "MaximumMinimumOptions",
    "SQUARED_DIFFERENCE": "SquaredDifferenceOptions",
}


def binary(
    name: str,
    shapes: Sequence[tuple[int, ...]],
    dtype: str = "INT8",
    activation: int | None = None,
    scales: Sequence[float] = (0.25, 0.75, 0.75),
) -> Model:
    table = TABLES.get(name, f"{name.capitalize()}Options")
    stated: dict[str, int | bool] = {} if activation is None else {"fused_activation_function": activation}
    if name in ("ADD", "SUB"):
        stated["pot_scale_int16"] = False
    sources = [typed(f"x{i}", dtype, shape, scales[i], 3 - i) for i, shape in enumerate(shapes)]
    out = typed("result", dtype, np.broadcast_shapes(*shapes), scales[-1], 5)
    return model_of(name, sources, [out], options(table, **stated))


def alike(name: str, dtype: str) -> Model:
    """Operands and result of one scale, as converters make it where numbers are taken as they are stored."""
    sources = [typed(f"x{i}", dtype, shape) for i, shape in enumerate(SHAPES)]
    return model_of(name, sources, [typed("y", dtype, np.broadcast_shapes(*SHAPES))], options(TABLES[name]))


def add_n(count: int, dtype: str) -> Model:
    sources = [typed(f"x{i}", dtype, (2, 3)) for i in range(count)]
    return model_of("ADD_N", sources, [typed("y", dtype, (2, 3), 0.4, -7)], options("AddNOptions"))


def comparison(name: str, dtype: str, scale: float = 0.125) -> Model:
    table = "".join(word.capitalize() for word in name.split("_")) + "Options"
    sources = [typed("x0", dtype, SHAPES[0], 0.25, 3), typed("x1", dtype, SHAPES[1], scale, -8)]
    return model_of(name, sources, [tensor("y", "BOOL", np.broadcast_shapes(*SHAPES))], options(table))


def select(dtype: str, shapes: Sequence[tuple[int, ...]] = (*SHAPES, (2, 1, 1, 1))) -> Model:
    sources = [tensor("condition", "BOOL", shapes[0]), *(typed(f"x{i}", dtype, shapes[i]) for i in (1, 2))]
    out = typed("y", dtype, np.broadcast_shapes(*shapes))
    return model_of("SELECT_V2", sources, [out], options("SelectV2Options"))


def quantize(source: Tensor, out: Tensor) -> Model:
    return unary("QUANTIZE", source, out, "QuantizeOptions")


def prelu(slope: Tensor) -> Model:
    return model_of("PRELU", [floats("x", 1, 2, 3), slope], [floats("y", 1, 2, 3)])


def slopes(*shape: int) -> Tensor:
    return constant("slope", "FLOAT32", ramp(shape, "f4"))


def prelu_of_integers(slope: Tensor) -> Model:
    return model_of("PRELU", [image(2, 1, 2, 3), slope], [result(2, 1, 2, 3)])


def cast(source: str, to: str) -> Model:
    return unary("CAST", tensor("x", source, (2, 6)), tensor("y", to, (2, 6)), "CastOptions")


COMPARISONS = {
    "EQUAL": "tosa.equal",
    "GREATER": "tosa.greater",
    "GREATER_EQUAL": "tosa.greater_equal",
    "LESS": "tosa.greater",
    "LESS_EQUAL": "tosa.greater_equal",
    "NOT_EQUAL": "tosa.logical_not",
}

BINARY = [
    Case("add", "tosa.add", binary("ADD", [(1, 3, 2), (1, 3, 2)], activation=RELU)),
    Case("add floats", "tosa.add", binary("ADD", [(1, 3, 2), (1, 3, 2)], "FLOAT32", RELU_N1_TO_1)),
    Case("add, broadcast", "tosa.add", binary("ADD", [(1, 3, 2), (2,)])),
    Case("add, both broadcast", "tosa.add", binary("ADD", [(3, 1), (1, 2)])),
    Case("add int16", "tosa.add", binary("ADD", [(1, 3, 2), (2,)], "INT16", RELU)),
    Case("add int32", "tosa.add", binary("ADD", SHAPES, "INT32")),
    Case("add int32 with an activation", WHOLE, binary("ADD", SHAPES, "INT32", RELU)),
    Case("subtract", "tosa.sub", binary("SUB", [(1, 3, 2), (1, 3, 1)])),
    Case("subtract floats", "tosa.sub", binary("SUB", SHAPES, "FLOAT32", RELU)),
    Case("subtract int16", "tosa.sub", binary("SUB", SHAPES, "INT16")),
    Case("subtract int32", "tosa.sub", binary("SUB", SHAPES, "INT32")),
    Case("multiply", "tosa.mul", binary("MUL", [(1, 3, 2), ()], activation=RELU6)),
    Case("multiply floats", "tosa.mul", binary("MUL", SHAPES, "FLOAT32", RELU6)),
    Case("multiply int16", "tosa.mul", binary("MUL", SHAPES, "INT16", RELU, (1e-3, 1e-4, 3e-4))),
    Case("multiply int32", "tosa.mul", binary("MUL", SHAPES, "INT32")),
    Case("divide int32", "tosa.intdiv", binary("DIV", SHAPES, "INT32")),
    Case("squared difference", "tosa.mul", binary("SQUARED_DIFFERENCE", SHAPES)),
    Case("squared difference of floats", "tosa.sub", binary("SQUARED_DIFFERENCE", SHAPES, "FLOAT32")),
    Case("squared difference int16", "tosa.mul", binary("SQUARED_DIFFERENCE", SHAPES, "INT16", None, (1e-3, 3e-3, 1))),
    Case("squared difference int32", "tosa.sub", binary("SQUARED_DIFFERENCE", SHAPES, "INT32")),
    *(
        Case(f"{name.lower()} {dtype}", f"tosa.{name.lower()}", alike(name, dtype))
        for name in ("MAXIMUM", "MINIMUM")
        for dtype in ("FLOAT32", "INT8", "INT16", "INT32")
    ),
    Case("add many", "tosa.add", add_n(4, "INT8")),
    Case("add two of many", "tosa.add", add_n(2, "INT8")),
    Case("add many floats", "tosa.add", add_n(3, "FLOAT32")),
    *(
        Case(f"{name.lower()} {dtype}", op, comparison(name, dtype))
        for name, op in COMPARISONS.items()
        for dtype in ("FLOAT32", "INT8", "INT32")
    ),
    Case("logical and", "tosa.logical_and", comparison("LOGICAL_AND", "BOOL")),
    Case("logical or", "tosa.logical_or", comparison("LOGICAL_OR", "BOOL")),
    *(Case(f"select {dtype}", "tosa.select", select(dtype)) for dtype in ("FLOAT32", "INT8", "INT16")),
    Case("prelu", "tosa.select", prelu(slopes(2, 3))),
    Case("prelu with a computed slope", "tosa.select", prelu(floats("slope", 2, 3))),
    Case("prelu of a vector", "tosa.select", model_of("PRELU", [floats("x", 4), slopes(4)], [floats("y", 4)])),
    Case("prelu of integers", "tosa.select", prelu_of_integers(typed("slope", "INT8", (1, 1, 3), 0.01, 7))),
    Case(
        "prelu of integers with a constant slope",
        "tosa.select",
        prelu_of_integers(constant("slope", "INT8", ramp((1, 1, 3)), image(1, scale=0.02).quantization)),
    ),
]

UNARY = [
    Case("relu", "tosa.clamp", unary("RELU", image(2, 3), result(2, 3))),
    Case("relu int16", "tosa.clamp", unary("RELU", typed("x", "INT16", (2, 3)), typed("y", "INT16", (2, 3), 0.3))),
    Case("relu of floats", "tosa.clamp", of_floats("RELU")),
    Case("relu6 of floats", "tosa.clamp", of_floats("RELU6")),
    Case("relu6", "tosa.clamp", unary("RELU6", image(40, scale=0.03), result(40, scale=0.03))),
    Case(
        "relu6 int16", "tosa.clamp", unary("RELU6", typed("x", "INT16", (40,), 1e-3), typed("y", "INT16", (40,), 1e-3))
    ),
    Case("relu from -1 to 1 of floats", "tosa.clamp", of_floats("RELU_N1_TO_1")),
    Case("logistic", "tosa.table", unary("LOGISTIC", image(4), result(4, scale=1 / 256, zero_point=-128))),
    Case("tanh", "tosa.table", unary("TANH", image(4), result(4, scale=1 / 128, zero_point=0))),
    Case("elu", "tosa.table", unary("ELU", image(4), result(4))),
    Case("hard swish", "tosa.table", unary("HARD_SWISH", image(4), result(4), "HardSwishOptions")),
    Case("leaky relu", "tosa.table", unary("LEAKY_RELU", image(4), result(4), "LeakyReluOptions", alpha=0.25)),
    Case("absolute", "tosa.abs", unary("ABS", image(2, 6), result(2, 6), "AbsOptions")),
    Case("absolute of one scale", "tosa.abs", unary("ABS", image(2, 6), result(2, 6, scale=0.5), "AbsOptions")),
    Case("absolute of floats", "tosa.abs", of_floats("ABS", "AbsOptions")),
    Case(
        "absolute int16",
        "tosa.abs",
        unary("ABS", typed("x", "INT16", (2, 6)), typed("y", "INT16", (2, 6), 0.2), "AbsOptions"),
    ),
    Case("negate", "tosa.negate", of_floats("NEG", "NegOptions")),
    Case("square", "tosa.mul", of_floats("SQUARE", "SquareOptions")),
    Case("ceil", "tosa.ceil", of_floats("CEIL")),
    Case("floor", "tosa.floor", of_floats("FLOOR")),
    Case(
        "not",
        "tosa.logical_not",
        unary("LOGICAL_NOT", tensor("x", "BOOL", (40,)), tensor("y", "BOOL", (40,)), "LogicalNotOptions"),
    ),
    Case("quantize", "tosa.rescale", quantize(image(4), result(4))),
    Case("quantize to uint8", "tosa.rescale", quantize(image(4), result(4, dtype="UINT8"))),
    Case("quantize from uint8", "tosa.rescale", quantize(image(4, dtype="UINT8", zero_point=9), result(4))),
    Case("quantize from int16", "tosa.rescale", quantize(typed("x", "INT16", (40,), 1e-3), result(40, scale=0.1))),
    Case("quantize to int16", "tosa.rescale", quantize(image(40), typed("y", "INT16", (40,), 1e-3))),
    Case("quantize int16", "tosa.rescale", quantize(typed("x", "INT16", (40,)), typed("y", "INT16", (40,), 0.3))),
    Case("dequantize", "tosa.cast", unary("DEQUANTIZE", image(4), floats("y", 4), "DequantizeOptions")),
    Case(
        "dequantize uint8",
        "tosa.cast",
        unary("DEQUANTIZE", image(4, dtype="UINT8", zero_point=200), floats("y", 4), "DequantizeOptions"),
    ),
    Case(
        "dequantize int16",
        "tosa.cast",
        unary("DEQUANTIZE", typed("x", "INT16", (2, 40), 0.3), floats("y", 2, 40), "DequantizeOptions"),
    ),
    *(
        Case(f"cast {source} to {to}", "tosa.cast", cast(source, to))
        for source in ("INT8", "INT16", "INT32")
        for to in ("INT8", "INT16", "INT32", "FLOAT32")
        if source != to
    ),
    *(Case(f"cast BOOL to {to}", "tosa.cast", cast("BOOL", to)) for to in ("INT8", "INT16", "INT32")),
]

# Functions of floats, whose last bits depend on the library.
FUNCTIONS = [
    Case("cosine", "tosa.cos", of_floats("COS", "CosOptions")),
    Case("exponential", "tosa.exp", of_floats("EXP", "ExpOptions")),
    Case("logistic of floats", "tosa.sigmoid", of_floats("LOGISTIC")),
    Case("sine", "tosa.sin", of_floats("SIN")),
    Case("tanh of floats", "tosa.tanh", of_floats("TANH")),
    Case("logarithm", "tosa.log", of_floats("LOG")),
    Case("reciprocal root", "tosa.rsqrt", of_floats("RSQRT")),
]

UNKNOWN_TO_TFLM = [
    Case("greater INT16", WHOLE, comparison("GREATER", "INT16")),
    Case("select INT32", "tosa.select", select("INT32")),
    Case("relu from -1 to 1 of integers", WHOLE, unary("RELU_N1_TO_1", image(4), result(4))),
    Case("relu in another shape", WHOLE, unary("RELU", image(2, 3), result(3, 2))),
    Case("relu from -1 to 1 alone", "tosa.clamp", of_floats("RELU_N1_TO_1")),
    Case(
        "to single precision",
        "tosa.cast",
        unary("DEQUANTIZE", tensor("x", "FLOAT16", [4]), floats("y", 4), "DequantizeOptions"),
    ),
    Case("a scale of zero", WHOLE, unary("LOGISTIC", image(4, scale=0.0), result(4))),
    Case("no scale", WHOLE, unary("LOGISTIC", image(4, scale=None), result(4))),
    Case("compared at a scale of one", WHOLE, comparison("EQUAL", "INT8", scale=1.0)),
    Case("added in two scales", WHOLE, model_of("ADD_N", [image(4), result(4)], [result(4)], options("AddNOptions"))),
    Case("the greater of two types", WHOLE, model_of("MAXIMUM", [image(4), floats("x", 4)], [result(4)])),
]

KEPT_WHOLE = [
    Case("quantize floats", WHOLE, quantize(floats("x", 2, 6), result(2, 6))),
    Case(
        "softmax",
        WHOLE,
        unary("SOFTMAX", image(1, 4), result(1, 4, scale=1 / 256, zero_point=-128), "SoftmaxOptions", beta=1.0),
    ),
]

EXACT = [case for case in (*BINARY, *UNARY, *KEPT_WHOLE) if case.name != "relu from -1 to 1 of floats"]
CASES = [*BINARY, *UNARY, *FUNCTIONS, *UNKNOWN_TO_TFLM, *KEPT_WHOLE]

POSITIVE = {"x": np.linspace(0.1, 40, 12, dtype=np.float32).reshape(2, 6)}
SMALL, SMALLER = (np.arange(30) % 7 - 3).reshape(SHAPES[0]), (np.arange(15) % 7 - 3).reshape(SHAPES[1])
EQUAL_IN_PART = {
    "FLOAT32": {"x0": SMALL.astype(np.float32), "x1": SMALLER.astype(np.float32)},
    # Both stand for real numbers of -1.5 to 0, in their scales.
    "INT8": {"x0": SMALL.astype(np.int8), "x1": (2 * SMALLER - 14).astype(np.int8)},
    "INT32": {"x0": SMALL.astype(np.int32), "x1": SMALLER.astype(np.int32)},
}
NOT_ZERO = {"x1": np.array([-3, 1, 7, -9, 2, 5, -4, 8, 3, -1, 6, -2, 11, 4, -5], np.int32).reshape(3, 1, 5)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_operator_comes_back_as_it_was(case: Case) -> None:
    check_round_trip(case)


@pytest.mark.parametrize("case", EXACT, ids=lambda case: case.name)
def test_numbers_are_those_of_tflite_micro(case: Case) -> None:
    (name,) = (operator.name for operator in case.model.subgraphs[0].operators)
    given = NOT_ZERO if name == "DIV" else EQUAL_IN_PART[case.name.split()[1]] if name in COMPARISONS else None
    assert all(len(np.unique(array)) > 1 for array in check_same_numbers(case.model, given=given))


@pytest.mark.parametrize("case", FUNCTIONS, ids=lambda case: case.name)
def test_functions_of_floats_are_close(case: Case) -> None:
    check_same_numbers(
        case.model, given=POSITIVE if case.name in ("logarithm", "reciprocal root") else None, tolerance=2e-6
    )


SCALES = np.exp2(np.linspace(-18, 4, 23))
"""From such that all numbers become one, to such that they saturate."""


FINEST = {"ADD": -8, "SUB": -8, "MUL": {"INT8": -14, "INT16": 1}, "SQUARED_DIFFERENCE": {"INT8": -11, "INT16": 3}}
"""The exponents of the finest scales of outputs, in terms of the inputs', that the kernels do not overflow with."""


def random_scales(name: str, dtype: str, seed: int) -> list[float]:
    generator = np.random.default_rng(seed)
    first, second = (float(scale * generator.uniform(0.5, 1)) for scale in generator.choice(SCALES, 2))
    unit = {"MUL": first * second, "SQUARED_DIFFERENCE": max(first, second) ** 2}.get(name, max(first, second))
    finest = FINEST[name]
    return [
        first,
        second,
        unit * float(2 ** generator.uniform(finest if isinstance(finest, int) else finest[dtype], 8)),
    ]


@pytest.mark.parametrize("dtype", ["INT8", "INT16"])
@pytest.mark.parametrize("name", ["ADD", "SUB", "MUL", "SQUARED_DIFFERENCE"])
@pytest.mark.parametrize("seed", range(12))
def test_scales_at_their_extremes(name: str, dtype: str, seed: int) -> None:
    scales = random_scales(name, dtype, seed)
    # The bounds of an activation must be stored numbers of 32 bits.
    activation = None if name == "SQUARED_DIFFERENCE" else seed % 4 if scales[2] > 1e-6 else NONE
    model = binary(name, [(40, 1), (30,)], dtype, activation, scales)
    check_same_numbers(model, seed)


@pytest.mark.parametrize("name", ["MUL", "SQUARED_DIFFERENCE"])
@pytest.mark.parametrize("dtype", ["INT8", "INT16"])
def test_an_output_so_fine_that_kernels_overflow_keeps_an_operator_whole(name: str, dtype: str) -> None:
    check_round_trip(Case("fine", WHOLE, binary(name, [(4,), (4,)], dtype, None, (1.0, 1.0, 2.0**-17))))


@pytest.mark.parametrize("dtype", ["INT8", "INT16"])
@pytest.mark.parametrize("name", ["ABS", "RELU", "RELU6", "QUANTIZE"])
@pytest.mark.parametrize("seed", range(8))
def test_scales_of_one_operand_at_their_extremes(name: str, dtype: str, seed: int) -> None:
    generator = np.random.default_rng(seed)
    scale, zero_point, zero = float(generator.choice(SCALES)), *map(int, generator.integers(-128, 128, 2))
    source = typed("x", dtype, (500,), scale, zero_point)
    out = typed("y", dtype, (500,), scale * float(2 ** generator.uniform(-6, 8)), zero)
    table = {"ABS": "AbsOptions", "QUANTIZE": "QuantizeOptions"}.get(name)
    check_same_numbers(unary(name, source, out, table), seed)


@pytest.mark.parametrize("name", ["ELU", "HARD_SWISH", "LEAKY_RELU"])
@pytest.mark.parametrize("seed", range(8))
def test_every_entry_of_a_table(name: str, seed: int) -> None:
    generator = np.random.default_rng(seed)
    scale, zero_point, zero = float(2 ** generator.uniform(-8, -2)), *map(int, generator.integers(-128, 128, 2))
    source = tensor("x", "INT8", (256,), scale, zero_point)
    out = tensor("y", "INT8", (256,), scale * float(2 ** generator.uniform(-4, 4)), zero)
    table = {"HARD_SWISH": "HardSwishOptions", "LEAKY_RELU": "LeakyReluOptions"}.get(name)
    stated = {"alpha": float(np.float32(generator.uniform(-0.5, 1)))} if name == "LEAKY_RELU" else {}
    check_same_numbers(unary(name, source, out, table, **stated), given={"x": np.arange(-128, 128).astype(np.int8)})
