"""
Layers in stripes compute what the whole layers compute, and take the memory that the planner says.

Every model is run by the interpreter before and after and compared bit for bit, outputs and each inner tensor that
keeps its name. What the file would hold is measured, and must agree with the planner's figures to the byte.
"""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from chain_models import SAME, VALID, ChainBuilder, DataType, Layer, outputs_in_tflm
from flatbuffer_models import MODELS, NO_MODELS
from modules_in_text import in_main
from split_models import (
    ROW_LOCAL,
    SEPARABLE,
    expand_filter_project,
    pools,
    residual_add,
    two_blocks_from_the_image_on,
)
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue
from xdsl.utils.exceptions import PassFailedException

from tinymo_xdsl.analysis.aliases import KernelLibrary, Sharing, aliases_of
from tinymo_xdsl.analysis.kernels import kernels_of
from tinymo_xdsl.analysis.macs import total_macs
from tinymo_xdsl.analysis.peak import main_function, peak_of
from tinymo_xdsl.analysis.row_problem import row_problem
from tinymo_xdsl.analysis.rows import shape_of
from tinymo_xdsl.backend.tflite import export_model
from tinymo_xdsl.dialects import tinymo
from tinymo_xdsl.errors import OutputsDifferError
from tinymo_xdsl.facts import tensor_facts
from tinymo_xdsl.flatbuffer.model import Model
from tinymo_xdsl.flatbuffer.reader import read_model
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.interpreter.semantics import check_same, random_inputs
from tinymo_xdsl.passes.fold_pad import FoldPadPass
from tinymo_xdsl.passes.form_kernels import FormKernelsPass
from tinymo_xdsl.passes.legalize_for_tflite import LegalizeForTflitePass
from tinymo_xdsl.passes.split_sepconv import (
    Chains,
    Counted,
    SplitPlan,
    SplitSepconvPass,
    apply_stripes,
    best_stripes,
    split_function,
)
from tinymo_xdsl.planner.arena.problem import Buffer, Piece, round_up
from tinymo_xdsl.planner.arena.problem import Problem as ArenaProblem
from tinymo_xdsl.planner.stripe_build import Edges, build_region
from tinymo_xdsl.planner.stripe_check import validate
from tinymo_xdsl.planner.stripe_cost import Accounting, evaluate
from tinymo_xdsl.planner.stripe_search import SearchOptions
from tinymo_xdsl.planner.stripe_spans import closed_ends
from tinymo_xdsl.planner.stripes import Problem, Region, Solution
from tinymo_xdsl.tflm.arena import BITS_64, arena_need
from tinymo_xdsl.tflm.kernels import ALIGNMENT
from tinymo_xdsl.tflm.kernels import scratch as scratch_of


def build_model(layers: Callable[[ChainBuilder], Layer], dtype: DataType) -> Model:
    build = ChainBuilder(dtype, seed=7)
    return build.model(layers(build))


def as_written(module: ModuleOp) -> ModuleOp:
    """The module as the file would hold it."""
    written = module.clone()
    for step in (FormKernelsPass(), LegalizeForTflitePass()):
        step.apply(Context(), written)
    written.verify()
    return written


def tensor_names(module: ModuleOp) -> list[str]:
    facts = [tensor_facts(value) for op in main_function(module).body.block.ops for value in op.results]
    return [entry.name for entry in facts if entry is not None]


def assert_same_and_as_planned(before: ModuleOp, after: ModuleOp, problem: Problem, solution: Solution) -> ModuleOp:
    """`after`, which runs `solution`, computes what `before` does, at the planned cost; the module of its file."""
    after.verify()
    check_same(before, after, seeds=(0, 1), pass_name="split-sepconv")
    names = Counter(tensor_names(after))
    assert {name for name in tensor_names(before) if names[name] > 1} == set()
    written = as_written(after)
    kernels = kernels_of(main_function(written))
    peak = peak_of(main_function(written))
    cost = evaluate(problem, solution)
    assert (peak.live_peak_copies, len(kernels)) == (cost.peak, cost.operators)
    assert total_macs(kernels) == cost.macs
    return written


def assert_planned_as_the_file_is(problem: Problem, solution: Solution, written: ModuleOp) -> None:
    """The bytes that the planner of stripes counts under an arena plan are those that the file's tensors share."""
    aliases = aliases_of(main_function(written), KernelLibrary.REFERENCE)
    model = export_model(written)
    scratch = {
        step: sum(round_up(size, ALIGNMENT) for size in scratch_of(operator, model.subgraphs[0]))
        for step, operator in enumerate(model.subgraphs[0].operators, 1)
    }
    buffers = [Buffer.whole(f"{step}", size, step, step + 1, alignment=16) for step, size in scratch.items() if size]
    for index, group in enumerate(aliases.groups(Sharing.ALL)):
        pieces = [Piece(one.start, one.stop - one.start, one.first, one.last + 1) for one in group.pieces]
        buffers.append(Buffer(f"group {index}", tuple(pieces), alignment=16))
    bound = ArenaProblem(tuple(buffers)).lower_bound
    assert evaluate(problem, solution, Accounting.PLANNED).peak == bound


def assert_same_in_tflm(before: ModuleOp, written: ModuleOp) -> None:
    original, result = export_model(as_written(before)), export_model(written)
    for seed in range(2):
        inputs = random_inputs(main_function(before), seed)
        for old, new in zip(outputs_in_tflm(original, inputs), outputs_in_tflm(result, inputs), strict=True):
            np.testing.assert_array_equal(old, new)


def split_at_any_price(before: ModuleOp, chains: Chains, stripes: int) -> tuple[SplitPlan, ModuleOp]:
    options = SearchOptions(maximum_extra_macs=10.0, bytes_per_operator=0, stripes=stripes)
    after = before.clone()
    return split_function(after, main_function(after), chains, options), after


@pytest.mark.parametrize("dtype", ["FLOAT32", "INT8"])
@pytest.mark.parametrize(
    ("chains", "layers"),
    [*(("sepconv", layers) for layers in SEPARABLE), *(("any", layers) for layers in ROW_LOCAL)],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_stripes_compute_the_same_at_the_planned_cost(
    chains: Chains, layers: Callable[[ChainBuilder], Layer], dtype: DataType
):
    before = import_model(build_model(layers, dtype))
    FoldPadPass().apply(Context(), before)
    for stripes in (2, 5):
        plan, after = split_at_any_price(before, chains, stripes)
        assert {region.stripes for region in plan.solution.regions} == {stripes}
        assert plan.after.peak < plan.before.peak
        written = assert_same_and_as_planned(before, after, plan.rows.problem, plan.solution)
        assert_planned_as_the_file_is(plan.rows.problem, plan.solution, written)
        assert_same_in_tflm(before, written)


def random_layers(build: ChainBuilder, depth: int) -> Layer:
    """Layers of any kind that some rows can be computed of, some of them with a branch around."""
    generator = build.generator
    shape = (int(generator.integers(8, 21)), int(generator.integers(5, 9)), int(generator.integers(1, 4)))
    layers = [build.image("image", shape)]
    while len(layers) <= depth:
        layer = random_layer(build, f"layer_{len(layers)}", layers)
        if layer is not None:
            layers.append(layer)
    return layers[-1]


def random_layer(build: ChainBuilder, name: str, layers: list[Layer]) -> Layer | None:
    """A layer behind the last one, in which a branch may end; `None` if its windows are taller than the image."""
    generator, source = build.generator, layers[-1]
    rows, columns = (int(size) for size in generator.integers(1, 6, 2))
    stride, dilation, factor = (int(number) for number in generator.integers(1, 3, 3))
    padding = SAME if generator.random() < 0.6 else VALID
    dilation = 1 if stride > 1 else dilation
    if padding is VALID and ((rows - 1) * dilation >= source.shape[1] or (columns - 1) * dilation >= source.shape[2]):
        return None
    alike = [layer for layer in layers[:-1] if layer.shape == source.shape]
    match generator.choice(["conv", "depthwise", "pointwise", "pool", "add", "pad", "enlarge", "transpose"]):
        case "conv":
            channels = int(generator.integers(1, 7))
            return build.conv(name, source, channels, (rows, columns), stride, padding, dilation)
        case "depthwise":
            return build.depthwise(name, source, (rows, columns), stride, padding, dilation, multiplier=factor)
        case "pool":
            kernel = min(rows, *source.shape[1:3])
            return build.pool(name, source, kernel, stride, padding, average=factor == 2)
        case "add" if alike:
            return build.add(name, alike[int(generator.integers(len(alike)))], source)
        case "pad":
            return build.pad(name, source, [int(pad) for pad in generator.integers(0, 3, 4)])
        case "enlarge" if source.shape[1] <= 12:
            return build.enlarge(name, source, factor)
        case "transpose" if source.shape[1] <= 12:
            return build.transpose_conv(name, source, 3, stride + dilation - 1, stride, padding)
        case _:
            return build.conv(name, source, int(generator.integers(1, 7)))


def random_region(problem: Problem, generator: np.random.Generator) -> Region | None:
    """Any layers, cut anywhere, with any edges; `None` where no file can express that."""
    first = int(generator.integers(len(problem.layers)))
    ends = list(closed_ends(problem, first))
    if not ends:
        return None
    last = ends[int(generator.integers(len(ends)))]
    rows = problem.values[problem.layers[last].results[0]].rows
    inner = sorted(set(generator.integers(1, rows, 3).tolist())) if rows > 1 else []
    values = [layer.results[0] for layer in problem.layers[first : last + 1]]
    crops = frozenset(value for value in values if generator.random() < 0.5)
    edges = Edges(padded=True) if generator.random() < 0.4 else Edges(crops=crops)
    return build_region(problem, first, last, [0, *inner, rows], edges) if inner else None


def random_case(seed: int) -> tuple[ModuleOp, Problem, Solution]:
    """A model, and one region of it that a file can express."""
    build = ChainBuilder("INT8" if seed % 2 else "FLOAT32", seed)
    while True:
        module = import_model(build.model(random_layers(build, depth=6)))
        FoldPadPass().apply(Context(), module)
        problem = row_problem(main_function(module)).problem
        for region in (random_region(problem, build.generator) for _ in range(10)):
            if region is not None:
                return module, problem, Solution((region,))
        build = ChainBuilder(build.dtype, seed + 1000)


@pytest.mark.parametrize("seed", range(24))
def test_random_regions_compute_the_same_at_the_planned_cost(seed: int):
    """Regions that the search would never choose, too: the planner's own proof holds of each of them."""
    before, problem, solution = random_case(seed)
    validate(problem, solution)
    after = before.clone()
    apply_stripes(after, main_function(after), solution)
    written = assert_same_and_as_planned(before, after, problem, solution)
    assert_planned_as_the_file_is(problem, solution, written)
    assert_same_in_tflm(before, written)


def test_every_window_matters():
    """A window that lies one row off shows in the outputs: the comparison sees what it is there for."""
    before = import_model(build_model(residual_add, "INT8"))
    _, after = split_at_any_price(before, "any", 3)
    splits = [op for op in after.walk() if isinstance(op, tinymo.SplitOp)]
    places = [(split, number) for split in splits for number in range(len(split.windows))]
    assert len(places) > 5
    for split, number in places:
        kept, height = split.windows, shape_of(split.source)[1]
        low, high = split.ranges[number]
        shift = 1 if high < height else -1
        moved = [*split.ranges[:number], (low + shift, high + shift), *split.ranges[number + 1 :]]
        split.windows = tinymo.SplitOp(split.source, 1, moved).windows
        after.verify()
        with pytest.raises(OutputsDifferError, match="split-sepconv changes @main: "):
            check_same(before, after, pass_name="split-sepconv")
        split.windows = kept
    check_same(before, after)


def test_parts_say_which_rows_they_hold_and_the_result_keeps_its_name():
    before = import_model(build_model(expand_filter_project, "INT8"))
    _, after = split_at_any_price(before, "sepconv", 2)
    facts = [tensor_facts(value) for op in main_function(after).body.block.ops for value in op.results]
    parts = [entry.name for entry in facts if entry is not None and "/rows" in entry.name]
    assert parts[:2] == ["x/rows_0_9", "x/rows_7_16"]
    assert [part for part in parts if part.startswith("projected")] == ["projected/rows_0_8", "projected/rows_8_16"]
    whole = tensor_facts(returned(before))
    assert whole is not None
    assert whole.scale
    assert tensor_facts(returned(after)) == whole
    assert whole.renamed("projected/rows_0_8") in facts


def returned(module: ModuleOp) -> SSAValue:
    terminator = main_function(module).body.block.last_op
    assert terminator is not None
    return terminator.operands[0]


def test_the_pass_does_what_its_options_say():
    before = import_model(build_model(expand_filter_project, "FLOAT32"))
    after = before.clone()
    SplitSepconvPass(stripes=4, max_overhead=100).apply(Context(), after)
    joins = [op for op in after.walk() if isinstance(op, tinymo.JoinOp)]
    assert [len(join.parts) for join in joins] == [4]
    macs = total_macs(kernels_of(main_function(before)))
    assert macs < total_macs(kernels_of(main_function(after))) <= 2 * macs

    limited = before.clone()
    SplitSepconvPass(ram="9K", max_overhead=100).apply(Context(), limited)
    peak = peak_of(main_function(as_written(limited))).live_peak_copies
    assert peak_of(main_function(before)).live_peak_copies > 9 << 10 >= peak


def left_alone(caplog: pytest.LogCaptureFixture, module: ModuleOp, options: SplitSepconvPass) -> str:
    """Why the pass leaves `module` alone, which it does."""
    text = str(module)
    with caplog.at_level(logging.INFO, logger="tinymo_xdsl.passes.split_sepconv"):
        options.apply(Context(), module)
    assert str(module) == text
    return caplog.messages[-1]


def test_what_is_left_alone_and_why(caplog: pytest.LogCaptureFixture):
    small = import_model(build_model(expand_filter_project, "INT8"))
    why = "the peak by more than they cost within 10 % more multiply-accumulates"
    assert left_alone(caplog, small, SplitSepconvPass()) == f"split-sepconv: @main: left alone: no stripes lower {why}"
    several = SplitSepconvPass(stripes=3)
    assert left_alone(caplog, small, several) == f"split-sepconv: @main: left alone: 3 stripes do not lower {why}"
    enough = "the peak of 3,072 bytes is within 4,096 bytes already"
    assert left_alone(caplog, small, SplitSepconvPass(ram="4K")) == f"split-sepconv: @main: left alone: {enough}"
    dense = import_model(build_model(pools, "FLOAT32"))
    none = "split-sepconv: @main: left alone: there is no separable convolution"
    assert left_alone(caplog, dense, SplitSepconvPass()) == none
    empty = in_main("%x : tensor<1x16x8x2xf32>", "tensor<1x16x8x2xf32>", "return %x : tensor<1x16x8x2xf32>")
    assert left_alone(caplog, empty, SplitSepconvPass()) == none


def test_the_outcome_is_told(caplog: pytest.LogCaptureFixture):
    """
    The whole `expanded` and `filtered` have 16 x 8 x 12 floats each, 6,144 bytes.

    Stripes of 9 rows have 3,456 bytes each, and those of `x` 9 x 8 x 2 floats, 576 bytes.
    """
    module = import_model(build_model(expand_filter_project, "FLOAT32"))
    with caplog.at_level(logging.INFO, logger="tinymo_xdsl.passes.split_sepconv"):
        SplitSepconvPass(stripes=2, max_overhead=20).apply(Context(), module)
    assert caplog.messages == [
        "split-sepconv: @main: 2 stripes from 'expanded' to 'projected'; the peak falls from 12,288 to 7,488 bytes"
    ]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"stripes": 1}, "stripes is 1, but must be 2 or more"),
        ({"stripes": -2}, "stripes is -2, but must be 2 or more"),
        ({"max_overhead": -0.5}, "max-overhead is -0.5, but must be 0 or more percent"),
        ({"max_overhead": float("nan")}, "max-overhead is nan, but must be 0 or more percent"),
        ({"max_overhead": float("inf")}, "max-overhead is inf, but must be 0 or more percent"),
        ({"ram": "much"}, "'much' is no size; write 65536, 64K, 64KiB, 1M or 0x10000"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], reason: str):
    with pytest.raises(ValueError, match=reason):
        SplitSepconvPass(**options)


def test_level_2_is_refused():
    module = import_model(build_model(expand_filter_project, "INT8"))
    FormKernelsPass().apply(Context(), module)
    with pytest.raises(PassFailedException, match="split-sepconv runs on level 1: put it before form-kernels"):
        SplitSepconvPass().apply(Context(), module)


def test_only_the_function_that_applications_call_is_split():
    module = import_model(build_model(expand_filter_project, "FLOAT32"))
    main = main_function(module)
    other = main.clone()
    other.sym_name = StringAttr("other")
    module.body.block.add_op(other)
    declared = FuncOp.external("declared", [], [])
    module.body.block.insert_op_before(declared, main)
    SplitSepconvPass(stripes=2, max_overhead=20).apply(Context(), module)
    assert any(isinstance(op, tinymo.SplitOp) for op in main.walk())
    assert not any(isinstance(op, tinymo.SplitOp) for op in other.walk())


DYNAMIC_WEIGHTS = """
    %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
    %b12 = "tosa.const"() <{values = dense<0.1> : tensor<12xf32>}> : () -> tensor<12xf32>
    %b2 = "tosa.const"() <{values = dense<0.1> : tensor<2xf32>}> : () -> tensor<2xf32>
    %w2 = "tosa.const"() <{values = dense<0.5> : tensor<2x1x1x12xf32>}> : () -> tensor<2x1x1x12xf32>
    %e = tosa.conv2d %x, %w, %b12, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>,
        pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>}
      : (tensor<1x16x8x2xf32>, tensor<12x1x1x2xf32>, tensor<12xf32>, tensor<1xf32>, tensor<1xf32>)
      -> tensor<1x16x8x12xf32>
    %p = tosa.conv2d %e, %w2, %b2, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>,
        pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>}
      : (tensor<1x16x8x12xf32>, tensor<2x1x1x12xf32>, tensor<2xf32>, tensor<1xf32>, tensor<1xf32>)
      -> tensor<1x16x8x2xf32>
    return %p : tensor<1x16x8x2xf32>
"""


def test_weights_that_are_computed_are_read_whole_by_every_stripe():
    """As of models with weights of 16-bit floats, which an operator turns into those that are used."""
    arguments = "%x : tensor<1x16x8x2xf32>, %w : tensor<12x1x1x2xf32>"
    before = in_main(arguments, "tensor<1x16x8x2xf32>", DYNAMIC_WEIGHTS)
    plan, after = split_at_any_price(before, "any", 4)
    assert plan.solution.regions
    assert_same_and_as_planned(before, after, plan.rows.problem, plan.solution)


@pytest.mark.parametrize("accounting", ["copies", "planned"])
@pytest.mark.parametrize(
    "name", ["mlperf_vww_mobilenetv1_025_96_int8", "fomo_mnv2_035_96_int8", "nanou_tinyagri_seg_60x80_int8"]
)
def test_real_models_at_the_planned_cost(name: str, accounting: Counted):
    path = MODELS / f"{name}.tflite"
    if not path.is_file():
        pytest.skip(NO_MODELS)
    before = import_model(read_model(path.read_bytes(), path.name))
    FoldPadPass().apply(Context(), before)
    after = before.clone()
    plan = split_function(after, main_function(after), "any", SplitSepconvPass(accounting=accounting).search_options)
    assert plan.after.peak < plan.before.peak
    written = assert_same_and_as_planned(before, after, plan.rows.problem, plan.solution)
    assert_planned_as_the_file_is(plan.rows.problem, plan.solution, written)


def test_the_best_stripes_are_carried_out_on_a_copy():
    """What is planned for a function holds of its clones; each choice is another one."""
    before = import_model(build_model(two_blocks_from_the_image_on, "INT8"))
    options = replace(SplitSepconvPass(accounting="planned", max_overhead=100).search_options, bytes_per_operator=0)
    plans = best_stripes(main_function(before), "any", options, 3)
    assert len({plan.solution for plan in plans}) == len(plans) > 1
    for plan in plans:
        assert plan.after.peak < plan.before.peak
        after = before.clone()
        apply_stripes(after, main_function(after), plan.solution)
        written = assert_same_and_as_planned(before, after, plan.rows.problem, plan.solution)
        assert_planned_as_the_file_is(plan.rows.problem, plan.solution, written)


def test_what_operators_keep_is_about_what_they_take():
    """The tail of a file in stripes is as much larger as the planner says, but for lists that several slices share."""
    before = import_model(build_model(two_blocks_from_the_image_on, "INT8"))
    plan, after = split_at_any_price(before, "any", 4)
    tails = [arena_need(export_model(as_written(module)), BITS_64).tail for module in (before, after)]
    rows = plan.rows.problem
    stated = evaluate(rows, plan.solution).upkeep - evaluate(rows, Solution()).upkeep
    assert 0.9 * stated < tails[1] - tails[0] <= stated
