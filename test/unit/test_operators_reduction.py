"""Operators that reduce axes, on their way to TOSA and back, and their numbers against TFLite Micro."""

from collections.abc import Sequence
from itertools import cycle

import numpy as np
import pytest
from one_operator import tensor
from operator_cases import WHOLE, Case, check_round_trip, check_same_numbers, typed
from operator_models import constant, described, ints, model_of, options, through_text

from tinymo_xdsl.flatbuffer.model import Model

SHAPE = (2, 4, 5, 3)


def reduction(
    name: str, dtype: str, axes: Sequence[int], *, keeps: bool = True, scale: float = 0.25, zero_point: int = 3
) -> Model:
    """A reduction of `SHAPE`; the result has the scale of the input unless told otherwise."""
    reduced = {axis % 4 for axis in axes}
    sizes = [1 if axis in reduced else size for axis, size in enumerate(SHAPE) if keeps or axis not in reduced]
    inputs = [typed("x", dtype, SHAPE), ints("axes", *axes)]
    out = typed("y", dtype, sizes, scale, zero_point)
    return model_of(name, inputs, [out], options("ReducerOptions", keep_dims=keeps))


def arg(name: str, dtype: str, axis: int) -> Model:
    sizes = [size for at, size in enumerate(SHAPE) if at != axis % 4]
    table = options("ArgMaxOptions" if name == "ARG_MAX" else "ArgMinOptions", output_type=2)
    return model_of(
        name, [typed("x", dtype, SHAPE), constant("axis", "INT32", axis)], [tensor("y", "INT32", sizes)], table
    )


OPS = {
    "MEAN": "tosa.reduce_sum",
    "SUM": "tosa.reduce_sum",
    "REDUCE_MAX": "tosa.reduce_max",
    "REDUCE_MIN": "tosa.reduce_min",
}
AXES = [(1, 2), (0,), (3,), (2, 3), (0, 2), (1, 3), (0, 1, 2, 3)]

CASES = [
    *(
        Case(f"{name} {dtype} {axes} {keeps}", op, reduction(name, dtype, axes, keeps=keeps))
        for name, op in OPS.items()
        for dtype in ("INT8", "FLOAT32")
        for axes, keeps in zip(AXES, cycle((True, False)))
        if (name, dtype) != ("MEAN", "FLOAT32")
    ),
    *(
        Case(f"mean of floats {axes} {keeps}", "tosa.avg_pool2d", reduction("MEAN", "FLOAT32", axes, keeps=keeps))
        for axes in AXES
        for keeps in (True, False)
    ),
    *(
        Case(
            f"{name} {dtype} to another scale {axes}",
            OPS[name],
            reduction(name, dtype, axes, scale=0.2, zero_point=-40),
        )
        for name in ("MEAN", "SUM")
        for dtype in ("INT8", "INT16")
        for axes in AXES[:5]
    ),
    Case("mean INT16 of one scale", "tosa.reduce_sum", reduction("MEAN", "INT16", (1, 2))),
    *(
        Case(f"{name} {dtype} {axis}", "tosa.argmax", arg(name, dtype, axis))
        for name in ("ARG_MAX", "ARG_MIN")
        for dtype in ("INT8", "FLOAT32")
        for axis in range(4)
    ),
    Case("the greatest in another scale", WHOLE, reduction("REDUCE_MAX", "INT8", (1,), scale=1.0)),
    Case("an axis that is not there", WHOLE, reduction("SUM", "INT8", (1, 2, 7))),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_operator_comes_back_as_it_was(case: Case) -> None:
    check_round_trip(case)


@pytest.mark.parametrize("case", [case for case in CASES if case.op != WHOLE], ids=lambda case: case.name)
def test_numbers_are_those_of_tflite_micro(case: Case) -> None:
    check_same_numbers(case.model)


@pytest.mark.parametrize("axes", [(-1,), (-2, 1), (2, 1), (-3, -1, 0)])
@pytest.mark.parametrize("name", OPS)
def test_axes_in_any_order_are_written_from_the_first_to_the_last(name: str, axes: tuple[int, ...]) -> None:
    ascending = sorted(axis % 4 for axis in axes)
    assert described(through_text(reduction(name, "INT8", axes))) == described(reduction(name, "INT8", ascending))
    check_same_numbers(reduction(name, "INT8", axes))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("dtype", ["INT8", "INT16"])
@pytest.mark.parametrize("name", ["MEAN", "SUM"])
def test_scales_at_their_extremes(name: str, dtype: str, seed: int) -> None:
    generator = np.random.default_rng(seed)
    scale, zero_point = 0.25 * float(2 ** generator.uniform(-4, 12)), int(generator.integers(-128, 128))
    check_same_numbers(reduction(name, dtype, AXES[seed % len(AXES)], scale=scale, zero_point=zero_point), seed)
