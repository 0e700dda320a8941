"""`optimize` with a second memory: when it spills, what that gives, and that a wrong plan is noticed."""

import importlib.util
from dataclasses import replace
from math import prod
from pathlib import Path

import pytest
from flatbuffer_models import MODELS, NO_MODELS
from test_spill_files import needs_compiler, nested_hourglasses
from xdsl.dialects.builtin import ModuleOp

from tinymo_xdsl.analysis.aliases import KernelLibrary
from tinymo_xdsl.analysis.kernels import kernels_of
from tinymo_xdsl.analysis.peak import main_function
from tinymo_xdsl.analysis.skips import SpillPlan, cold_ranges
from tinymo_xdsl.backend.tflite.plan import ModelPlanner, PlannedModel
from tinymo_xdsl.flatbuffer.model import Model
from tinymo_xdsl.flatbuffer.offline_plan import planned_offsets, with_plan
from tinymo_xdsl.flatbuffer.reader import read_file
from tinymo_xdsl.flatbuffer.spills import storage_bytes
from tinymo_xdsl.flatbuffer.writer import write_model
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.passes.spill_long_skips import spill
from tinymo_xdsl.search import Optimized, OptimizeOptions, PassOutcome, as_written, optimize
from tinymo_xdsl.verification import compare_models, smallest_arena
from tinymo_xdsl.zoo.builder import ModelBuilder

RESNET = MODELS / "mlperf_ic_resnet8_int8.tflite"
PLAIN = OptimizeOptions(max_overhead=0, loops=False)
SPILL = replace(PLAIN, spill="psram")

needs_micro = pytest.mark.skipif(importlib.util.find_spec("tflite_micro") is None, reason="no TFLite Micro")


def needs(path: Path) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not path.is_file(), reason=NO_MODELS)


def outcome(optimized: Optimized) -> PassOutcome | None:
    return next((entry for entry in optimized.passes if entry.name == "spill-long-skips"), None)


def test_spills_where_nothing_else_gets_as_low() -> None:
    module = import_model(nested_hourglasses())
    without, with_spills = optimize(module, PLAIN), optimize(module, SPILL)
    assert outcome(without) is None
    applied = outcome(with_spills)
    assert applied is not None
    assert applied.applied
    assert applied.why.endswith("to and from 'psram', which needs 1,024 bytes of storage")
    assert storage_bytes(with_spills.model) == {"psram": 1024}
    assert with_spills.needed < without.needed


def test_a_budget_is_kept_without_spills_if_it_can_be() -> None:
    module = import_model(nested_hourglasses())
    without, least = optimize(module, PLAIN).needed, optimize(module, SPILL).needed
    roomy = optimize(module, replace(SPILL, ram=without))
    assert outcome(roomy) == PassOutcome("spill-long-skips", False, "the budget is kept without it")
    tight = optimize(module, replace(SPILL, ram=least))
    assert outcome(tight) is not None
    assert tight.needed <= least
    assert storage_bytes(tight.model)
    # The skip that rests at the peak for fewer copied bytes is enough for a budget in between.
    between = optimize(module, replace(SPILL, ram=(without + least) // 2))
    assert between.needed <= (without + least) // 2
    assert sum(storage_bytes(between.model).values()) == 512


def test_without_a_plan_the_live_peak_counts() -> None:
    module = import_model(nested_hourglasses())
    spilled = optimize(module, replace(SPILL, plan=False))
    assert spilled.after.live_peak_copies < optimize(module, replace(PLAIN, plan=False)).after.live_peak_copies


def test_nothing_is_spilled_in_vain() -> None:
    build = ModelBuilder(seed=0)
    layer = build.image("image", (8, 8, 3))
    for index in range(4):
        layer = build.conv2d(f"conv_{index}", layer, 8, 3)
    optimized = optimize(import_model(build.model([layer], "a chain")), SPILL)
    refused = outcome(optimized)
    assert refused is not None
    assert not refused.applied
    assert "it is the kernel's own operands" in refused.why
    assert not storage_bytes(optimized.model)


# Where the plan puts what comes back.


def place(model: Model, name: str) -> tuple[int, int]:
    """The first byte of a tensor in the arena, and the byte behind its last."""
    graph, offsets = model.subgraphs[0], planned_offsets(model)
    assert offsets is not None
    (index,) = [index for index, tensor in enumerate(graph.tensors) if tensor.name == name]
    return offsets[index], offsets[index] + prod(graph.tensors[index].shape)


def joined_late(build: ModelBuilder) -> Model:
    """A skip of 512 bytes rests during two convolutions and is joined to the result of the second one."""
    skip = build.conv2d("skip", build.image("image", (1, 1, 8)), 512)
    layer = skip
    for index in range(3):
        layer = build.conv2d(f"conv_{index}", layer, 512)
    return build.model([build.conv2d("last", build.concatenate("join", [layer, skip]), 8)], "joined late")


@needs_micro
@needs_compiler
def test_a_tensor_comes_back_inside_of_what_it_is_joined_to() -> None:
    original = joined_late(ModelBuilder(seed=0))
    optimized = optimize(import_model(original), SPILL)
    join, end = place(optimized.model, "join")
    assert end == join + 1024
    assert place(optimized.model, "skip/reloaded") == (join + 512, end)
    assert optimized.plan_after is not None
    assert optimized.plan_after.plan is not None
    assert optimized.plan_after.plan.head < 1024 + 64 < 1536
    assert compare_models(original, optimized.model, runs=2).identical


# A real model: three residual blocks, whose additions write over an operand.


def spilled_skips(module: ModuleOp) -> PlannedModel:
    """All three skips of the network rest in the second memory while their block's second convolution runs."""
    written = as_written(module)
    function = main_function(written)
    kernels = kernels_of(function)
    ranges = [entry for entry in cold_ranges(function, kernels, 1) if entry.late - entry.early == 2]
    skips = [entry for entry in ranges if [kernel.name for kernel in kernels[entry.late].ops].count("tosa.add")]
    assert len(skips) == 3
    spill(written, function, SpillPlan(tuple(skips), 0, 0), "psram")
    return ModelPlanner(written, KernelLibrary.REFERENCE).plan()


def wrong(model: Model) -> Model:
    """A skip comes back onto what is to be added to it."""
    graph, offsets = model.subgraphs[0], planned_offsets(model)
    assert offsets is not None
    addition = next(operator for operator in graph.operators if operator.name == "ADD")
    moved = list(offsets)
    moved[addition.inputs[0]] = moved[addition.inputs[1]]
    assert moved != list(offsets)
    return with_plan(model, moved)


@needs(RESNET)
@needs_micro
@needs_compiler
def test_resnet_with_three_spilled_skips() -> None:
    original = read_file(RESNET)
    planned = spilled_skips(import_model(original))
    data = write_model(planned.model)
    assert smallest_arena(data) <= 40_300 < 55_900 <= smallest_arena(write_model(original))
    assert compare_models(original, data, runs=50).identical
    difference = compare_models(original, wrong(planned.model), runs=1).first_difference
    assert difference is not None
    assert difference.planned


@needs(RESNET)
@needs_micro
@needs_compiler
def test_resnet_needs_one_spill_only() -> None:
    original = read_file(RESNET)
    optimized = optimize(import_model(original), SPILL)
    assert storage_bytes(optimized.model) == {"psram": 16_384}
    assert smallest_arena(write_model(optimized.model)) <= 39_800
    assert compare_models(original, optimized.model, runs=3).identical
