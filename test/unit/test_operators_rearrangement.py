"""Operators that move and repeat elements, on their way to TOSA and back, and their numbers against TFLite Micro."""

from collections.abc import Sequence

import numpy as np
import pytest
from flatbuffer_models import quantized
from one_operator import tensor
from operator_cases import WHOLE, Case, check_round_trip, check_same_numbers, run_in_litert_too, typed
from operator_models import constant, described, ints, model_of, options, through_text

from tinymo_xdsl.flatbuffer.model import Model, Tensor

TYPES = ("FLOAT32", "INT8")


def moved(
    name: str, dtype: str, shape: Sequence[int], lists: Sequence[Tensor], to: Sequence[int], table: str, **stated: int
) -> Model:
    inputs = [typed("x", dtype, shape), *lists]
    return model_of(name, inputs, [typed("y", dtype, to)], options(table, **stated))


def transpose(dtype: str, *perms: int) -> Model:
    shape = (2, 3, 4, 5)[: len(perms)]
    return moved("TRANSPOSE", dtype, shape, [ints("perm", *perms)], [shape[axis] for axis in perms], "TransposeOptions")


def expand(dtype: str, axis: int, to: Sequence[int]) -> Model:
    return moved("EXPAND_DIMS", dtype, (2, 3), [constant("axis", "INT32", axis)], to, "ExpandDimsOptions")


def squeeze(dtype: str, to: Sequence[int], *axes: int) -> Model:
    table = options("SqueezeOptions", squeeze_dims=axes or None)
    return model_of("SQUEEZE", [typed("x", dtype, (1, 3, 1, 2, 1))], [typed("y", dtype, to)], table)


def pad(dtype: str, filler: float = 9) -> Model:
    paddings = constant("paddings", "INT32", [[0, 0], [1, 2], [0, 3], [0, 0]])
    scale = None if dtype in ("FLOAT32", "INT32") else quantized(0.25, 0 if dtype == "INT16" else 3)
    lists = [paddings, constant("filler", dtype, filler, scale)]
    return moved("PADV2", dtype, (1, 2, 2, 3), lists, (1, 5, 5, 3), "PadV2Options")


def depth_to_space(dtype: str, size: int) -> Model:
    to = (2, 3 * size, 2 * size, 3)
    return moved("DEPTH_TO_SPACE", dtype, (2, 3, 2, 3 * size**2), [], to, "DepthToSpaceOptions", block_size=size)


def space_to_depth(dtype: str, size: int) -> Model:
    shape = (2, 3 * size, 2 * size, 3)
    return moved("SPACE_TO_DEPTH", dtype, shape, [], (2, 3, 2, 3 * size**2), "SpaceToDepthOptions", block_size=size)


def space_to_batch(dtype: str, pads: Sequence[Sequence[int]], to: Sequence[int], *blocks: int) -> Model:
    lists = [ints("blocks", *blocks), constant("paddings", "INT32", pads)]
    shape = (2, 4, 6, 3) if len(blocks) == 2 else (2, 4, 3)
    return moved("SPACE_TO_BATCH_ND", dtype, shape, lists, to, "SpaceToBatchNDOptions")


def batch_to_space(dtype: str, crops: Sequence[Sequence[int]], to: Sequence[int], *blocks: int) -> Model:
    lists = [ints("blocks", *blocks), constant("crops", "INT32", crops)]
    shape = (12, 2, 3, 2) if len(blocks) == 2 else (12, 2, 3)
    return moved("BATCH_TO_SPACE_ND", dtype, shape, lists, to, "BatchToSpaceNDOptions")


def broadcast(dtype: str, shape: Sequence[int], to: Sequence[int]) -> Model:
    return moved("BROADCAST_TO", dtype, shape, [ints("shape", *to)], to, "BroadcastToOptions")


def fill(dtype: str, value: Tensor) -> Model:
    return model_of("FILL", [ints("shape", 2, 3), value], [typed("y", dtype, (2, 3))], options("FillOptions"))


def gather(dtype: str, shape: Sequence[int], indices: Tensor, to: Sequence[int], **stated: int) -> Model:
    return moved("GATHER", dtype, shape, [indices], to, "GatherOptions", **stated)


def indices(*shape: int) -> Tensor:
    return tensor("indices", "INT32", shape)


def picked(*shape: int) -> Tensor:
    return constant("indices", "INT32", (np.arange(np.prod(shape)) * 2 % 3).reshape(shape))


NO_PADS, PADS = [[0, 0], [0, 0]], [[1, 1], [0, 3]]


def cases_of(dtype: str) -> list[Case]:
    return [
        Case(f"transpose {dtype}", "tosa.transpose", transpose(dtype, 0, 2, 1)),
        Case(f"transpose of four axes {dtype}", "tosa.transpose", transpose(dtype, 3, 1, 0, 2)),
        Case(f"expand {dtype}", "tosa.reshape", expand(dtype, 1, (2, 1, 3))),
        Case(f"expand in front {dtype}", "tosa.reshape", expand(dtype, 0, (1, 2, 3))),
        Case(f"expand at the end {dtype}", "tosa.reshape", expand(dtype, 2, (2, 3, 1))),
        Case(f"squeeze {dtype}", "tosa.reshape", squeeze(dtype, (3, 2))),
        Case(f"squeeze some {dtype}", "tosa.reshape", squeeze(dtype, (3, 1, 2), 0, 4)),
        Case(f"pad {dtype}", "tosa.pad", pad(dtype)),
        Case(f"depth to space {dtype}", "tosa.transpose", depth_to_space(dtype, 2)),
        Case(f"depth to larger space {dtype}", "tosa.transpose", depth_to_space(dtype, 3)),
        Case(f"space to depth {dtype}", "tosa.transpose", space_to_depth(dtype, 2)),
        Case(f"space to more depth {dtype}", "tosa.transpose", space_to_depth(dtype, 3)),
        Case(f"space to batch {dtype}", "tosa.transpose", space_to_batch(dtype, NO_PADS, (12, 2, 2, 3), 2, 3)),
        Case(f"padded space to batch {dtype}", "tosa.pad", space_to_batch(dtype, PADS, (12, 3, 3, 3), 2, 3)),
        Case(f"one axis to batch {dtype}", "tosa.pad", space_to_batch(dtype, [[2, 0]], (6, 2, 3), 3)),
        Case(f"batch to space {dtype}", "tosa.transpose", batch_to_space(dtype, NO_PADS, (2, 4, 9, 2), 2, 3)),
        Case(f"batch to cropped space {dtype}", "tosa.slice", batch_to_space(dtype, PADS, (2, 2, 6, 2), 2, 3)),
        Case(f"batch to one axis {dtype}", "tosa.slice", batch_to_space(dtype, [[1, 2]], (4, 3, 3), 3)),
        Case(f"broadcast {dtype}", "tosa.tile", broadcast(dtype, (3, 1), (2, 3, 4))),
        Case(f"broadcast to itself {dtype}", "tosa.tile", broadcast(dtype, (3, 2), (3, 2))),
        Case(f"fill {dtype}", "tosa.tile", fill(dtype, typed("value", dtype, ()))),
        Case(f"fill with a constant {dtype}", "tosa.tile", fill(dtype, constant("value", dtype, 5))),
        Case(f"gather {dtype}", "tosa.gather", gather(dtype, (3, 4), picked(5), (5, 4))),
        Case(f"gather in a shape {dtype}", "tosa.gather", gather(dtype, (3, 4, 2), picked(5, 2), (5, 2, 4, 2))),
        Case(f"gather along the last {dtype}", "tosa.gather", gather(dtype, (1, 1, 3), picked(5), (1, 1, 5), axis=2)),
        Case(
            f"gather in batches {dtype}",
            "tosa.gather",
            gather(dtype, (2, 3, 4), picked(2, 5), (2, 5, 4), axis=1, batch_dims=1),
        ),
        Case(f"gather computed places {dtype}", "tosa.gather", gather(dtype, (3, 4), indices(5), (5, 4))),
        Case(
            f"gather from a constant {dtype}",
            "tosa.gather",
            model_of(
                "GATHER",
                [
                    constant("x", dtype, np.arange(24).reshape(3, 4, 2), typed("x", dtype, ()).quantization),
                    indices(5, 2),
                ],
                [typed("y", dtype, (5, 2, 4, 2))],
                options("GatherOptions"),
            ),
        ),
    ]


CASES = [
    *(case for dtype in TYPES for case in cases_of(dtype)),
    Case("transpose INT16", "tosa.transpose", transpose("INT16", 1, 0)),
    Case("expand INT16", "tosa.reshape", expand("INT16", 1, (2, 1, 3))),
    Case("squeeze INT32", "tosa.reshape", squeeze("INT32", (3, 2))),
    Case("pad INT16", "tosa.pad", pad("INT16")),
    Case("broadcast INT32", "tosa.tile", broadcast("INT32", (1, 3), (2, 3))),
    Case("fill INT32", "tosa.tile", fill("INT32", tensor("value", "INT32", ()))),
    Case(
        "transpose by computed axes",
        WHOLE,
        moved("TRANSPOSE", "INT8", (2, 3), [indices(2)], (3, 2), "TransposeOptions"),
    ),
    Case("expand to another shape", WHOLE, expand("INT8", 1, (2, 3, 1))),
    Case("blocks that do not fit", WHOLE, space_to_batch("INT8", NO_PADS, (12, 2, 2, 3), 2, 5)),
    Case(
        "fill a computed shape",
        WHOLE,
        model_of("FILL", [indices(2), typed("v", "INT8", ())], [typed("y", "INT8", (2, 3))]),
    ),
]
PADDED_TO_BATCH = [
    case for case in CASES if case.model.subgraphs[0].operators[0].name == "SPACE_TO_BATCH_ND" and case.op == "tosa.pad"
]
"""TFLite Micro pads these with what it happens to find in memory."""

IN_TFLM = [case for case in CASES if case.op != WHOLE and case not in PADDED_TO_BATCH]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_operator_comes_back_as_it_was(case: Case) -> None:
    check_round_trip(case)


@pytest.mark.parametrize("case", IN_TFLM, ids=lambda case: case.name)
def test_numbers_are_those_of_tflite_micro(case: Case) -> None:
    graph = case.model.subgraphs[0]
    places = next((graph.tensors[index] for index in graph.inputs if graph.tensors[index].name == "indices"), None)
    given = None if places is None else {"indices": np.resize([2, 0, 1, 1, 2], places.shape).astype(np.int32)}
    outputs = check_same_numbers(case.model, given=given)
    assert all(len(np.unique(array)) > 1 for array in outputs) or case.name.startswith("fill")


def test_negative_axes_are_counted_from_the_front() -> None:
    assert described(through_text(expand("INT8", -1, (2, 3, 1)))) == described(expand("INT8", 2, (2, 3, 1)))


@pytest.mark.parametrize("case", PADDED_TO_BATCH, ids=lambda case: case.name)
def test_pads_of_blocks_are_the_zero_point_in_litert(case: Case) -> None:
    (pair,) = run_in_litert_too(case.model)
    np.testing.assert_array_equal(*pair)
