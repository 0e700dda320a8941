"""What `optimize` chooses, what it promises, and what it says."""

from collections.abc import Callable

import pytest
from chain_models import VALID, ChainBuilder, Layer
from flatbuffer_models import MODELS, NO_MODELS
from xdsl.dialects.builtin import ModuleOp

from tinymo_xdsl import zoo
from tinymo_xdsl.analysis.kernels import kernels_of
from tinymo_xdsl.analysis.macs import total_macs
from tinymo_xdsl.analysis.peak import main_function, peak_of
from tinymo_xdsl.backend.tflite import export_model
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.facts import name_of
from tinymo_xdsl.flatbuffer.model import Model
from tinymo_xdsl.flatbuffer.reader import read_model
from tinymo_xdsl.flatbuffer.writer import write_model
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.interpreter.semantics import check_same
from tinymo_xdsl.search import Optimized, OptimizeOptions, as_written, optimize
from tinymo_xdsl.tflm.arena import BITS_32, BITS_64, arena_need


def blocks(build: ChainBuilder) -> Layer:
    """A stem and two separable convolutions of float32; 16 x 8 x 32 floats, 16,384 bytes, are the largest tensors."""
    layer = build.conv("stem", build.image("image", (32, 16, 1)), 4, 3, stride=2)
    for number in (1, 2):
        filtered = build.depthwise(f"filtered_{number}", build.conv(f"expanded_{number}", layer, 32))
        layer = build.conv(f"projected_{number}", filtered, 4)
    return layer


def module_of(layers: Callable[[ChainBuilder], Layer]) -> ModuleOp:
    build = ChainBuilder()
    return import_model(build.model(layers(build)))


def peak_bytes(module: ModuleOp) -> int:
    return peak_of(main_function(module)).live_peak_copies


def checked(module: ModuleOp, options: OptimizeOptions | None = None) -> Optimized:
    """The optimized module, after all that must hold of any."""
    options = options or OptimizeOptions()
    text = str(module)
    optimized = optimize(module, options)
    assert str(module) == text
    check_same(module, optimized.module, pass_name="optimize")
    assert optimized.before == peak_of(main_function(module))
    assert optimized.after == peak_of(main_function(optimized.module))
    if options.plan:
        assert optimized.needed <= arena_need(export_model(as_written(module)), BITS_32).total
    else:
        assert optimized.needed == optimized.after.live_peak_copies <= optimized.before.live_peak_copies
    assert optimized.macs_before == total_macs(kernels_of(main_function(module)))
    assert optimized.macs_after == total_macs(kernels_of(main_function(optimized.module)))
    assert optimized.macs_after <= optimized.macs_before * (1 + options.max_overhead)
    return optimized


def outcome(optimized: Optimized, name: str) -> tuple[bool, str]:
    (found,) = (entry for entry in optimized.passes if entry.name == name)
    return found.applied, found.why


@pytest.mark.parametrize("max_overhead", [0.0, 0.03, 0.1, 0.5])
def test_the_lowest_peak_within_the_overhead(max_overhead: float):
    optimized = checked(module_of(blocks), OptimizeOptions(max_overhead=max_overhead, plan=False))
    assert optimized.is_smaller == (max_overhead > 0)


@pytest.mark.parametrize("plan", [False, True])
def test_more_overhead_never_takes_more(plan: bool):
    module = module_of(blocks)
    taken = [optimize(module, OptimizeOptions(max_overhead=share, plan=plan)).needed for share in (0, 0.1, 1)]
    assert taken[2] <= taken[1] <= taken[0]
    assert taken[1] < optimize(module, OptimizeOptions(ram=1 << 20, plan=plan)).needed


def test_models_of_the_zoo():
    for name, is_smaller in (("tiny-pyramid", True), ("ds-cnn", False), ("resnet8", True)):
        assert checked(import_model(zoo.build(name))).is_smaller == is_smaller, name


# With a budget


def test_a_budget_that_the_model_keeps_changes_nothing():
    module = module_of(blocks)
    budget = peak_bytes(module)
    optimized = checked(module, OptimizeOptions(ram=budget, plan=False))
    assert not optimized.is_smaller
    assert optimized.macs_after == optimized.macs_before
    assert len(optimized.after.kernels) == len(optimized.before.kernels)
    assert outcome(optimized, "split-sepconv") == (False, "the budget is kept without it")


def test_a_budget_is_kept_with_little_work():
    """Stripes for the lowest peak take more work than those that come down to two thirds."""
    module = module_of(blocks)
    budget = peak_bytes(module) * 2 // 3
    kept = checked(module, OptimizeOptions(ram=budget, max_overhead=1, plan=False))
    lowest = checked(module, OptimizeOptions(max_overhead=1, plan=False))
    assert lowest.after.live_peak_copies < kept.after.live_peak_copies <= budget
    assert kept.macs_after < lowest.macs_after
    assert len(kept.after.kernels) < len(lowest.after.kernels)


def test_a_budget_holds_for_the_arena_with_its_structures():
    """Of a microcontroller, where the file holds a plan: the peak alone would fit without any stripes."""
    module = module_of(blocks)
    untouched = optimize(module, OptimizeOptions(ram=1 << 20)).needed
    budget = (peak_bytes(module) + untouched) // 2
    kept = checked(module, OptimizeOptions(ram=budget, max_overhead=1, loops=False))
    assert kept.needed == arena_need(kept.model, BITS_32).total <= budget < untouched
    assert outcome(kept, "split-sepconv")[0]
    lowest = checked(module, OptimizeOptions(max_overhead=1, loops=False))
    assert lowest.needed < kept.needed
    assert len(kept.after.kernels) < len(lowest.after.kernels)


def test_a_budget_that_cannot_be_kept_gives_the_lowest_peak():
    module = module_of(blocks)
    optimized = checked(module, OptimizeOptions(ram=100))
    assert 100 < optimized.after.live_peak_copies <= checked(module).after.live_peak_copies
    assert outcome(optimized, "split-sepconv")[0]


def test_the_gentlest_way_to_keep_a_budget_is_taken():
    """Without its PAD the model is small enough, and then there is no need for stripes."""
    module = module_of(padded_as_same)
    without_pad = peak_bytes(module) - 1
    optimized = checked(module, OptimizeOptions(ram=without_pad, plan=False))
    assert outcome(optimized, "fold-pad") == (True, "1 of 1 PADs became padding of convolutions")
    assert outcome(optimized, "split-sepconv") == (False, "the budget is kept without it")
    optimized = checked(module, OptimizeOptions(ram=without_pad + 1, plan=False))
    assert outcome(optimized, "fold-pad") == (False, "the budget is kept without it")


# What PADs become


def padded_as_same(build: ChainBuilder) -> Layer:
    """The PAD is where the peak is; the 1x1 convolution before it keeps the input small."""
    wide = build.conv("wide", build.image("image", (8, 8, 2)), 16)
    return build.conv("narrow", build.pad("padded", wide, (1, 1, 1, 1)), 4, 3, padding=VALID)


def padded_by_more(build: ChainBuilder) -> Layer:
    wide = build.conv("wide", build.image("image", (8, 8, 2)), 16)
    return build.conv("narrow", build.pad("padded", wide, (2, 2, 2, 2)), 4, 3, padding=VALID)


def padded_pool(build: ChainBuilder) -> Layer:
    wide = build.conv("wide", build.image("image", (8, 8, 2)), 16)
    return build.pool("narrow", build.pad("padded", wide, (1, 1, 1, 1)), 3, 1)


def padded_twice(build: ChainBuilder) -> Layer:
    """One PAD becomes SAME, and the peak falls; the other is neither SAME nor VALID, and comes back."""
    first = padded_as_same(build)
    return build.conv("last", build.pad("padded again", first, (0, 2, 0, 2)), 2, 3, padding=VALID)


@pytest.mark.parametrize(
    ("layers", "applied", "why"),
    [
        (padded_as_same, True, "1 of 1 PADs became padding of convolutions"),
        (padded_by_more, False, "it would not lower the arena"),
        (padded_pool, False, "none of 1 PADs can become padding of a convolution"),
        (
            padded_twice,
            True,
            "2 of 2 PADs became padding of convolutions; PADs in the file, for what is neither SAME nor VALID: 1",
        ),
    ],
    ids=["SAME", "by more", "of a pool", "partly"],
)
def test_what_became_of_pads(layers: Callable[[ChainBuilder], Layer], applied: bool, why: str):
    module = module_of(layers)
    optimized = checked(module, OptimizeOptions(max_overhead=0))
    assert outcome(optimized, "fold-pad") == (applied, why)
    assert optimized.is_smaller == applied
    pads = sum(isinstance(op, tosa.PadOp) for op in optimized.module.walk())
    assert pads == {padded_as_same: 0, padded_by_more: 1, padded_pool: 1, padded_twice: 1}[layers]


def test_a_model_without_pads():
    assert outcome(checked(module_of(blocks)), "fold-pad") == (False, "there is no PAD")


# What is said of stripes


def test_stripes_are_told_with_their_layers():
    """Of twice 2 x 16,384 bytes stripes of 9 of 16 rows remain, and one of 9 x 8 x 4 floats that they read."""
    optimized = checked(module_of(blocks), OptimizeOptions(plan=False))
    regions = "2 stripes from 'expanded_1' to 'projected_1'; 2 stripes from 'expanded_2' to 'projected_2'"
    assert outcome(optimized, "split-sepconv") == (True, regions)
    assert optimized.before.live_peak_copies == 2 * 16_384
    assert optimized.after.live_peak_copies == 2 * 9_216 + 1_152


def test_why_there_are_no_stripes():
    optimized = checked(module_of(blocks), OptimizeOptions(max_overhead=0, plan=False))
    why = "no stripes lower the peak by more than they cost within 0 % more multiply-accumulates"
    assert outcome(optimized, "split-sepconv") == (False, why)


# What nothing moves across


def with_custom_operator(build: ChainBuilder) -> Layer:
    """Two pairs of convolutions with a custom operator, which the interpreter cannot run, between them."""
    layer = build.conv("a", build.conv("a/wide", build.image("image", (16, 8, 2)), 32, 3), 2)
    layer = build.custom("custom", layer)
    return build.conv("b", build.conv("b/wide", layer, 32, 3), 2)


def test_a_custom_operator_is_a_barrier():
    module = module_of(with_custom_operator)
    optimized = optimize(module)
    assert optimized.is_smaller
    names = [name_of(kernel.results[0]) for kernel in kernels_of(main_function(optimized.module))]
    place = names.index("custom")
    assert names[place - 1] == "a"
    assert all(name.startswith(("a", "image")) for name in names[:place])
    assert all(name.startswith(("b", "custom")) for name in names[place:])
    assert "b" in names[place:]


def with_variable(build: ChainBuilder) -> Layer:
    """What the variable holds is added in the middle, and changed before the second pair of convolutions."""
    layer = build.conv("a", build.conv("a/wide", build.image("image", (16, 8, 2)), 32, 3), 2)
    layer = build.sum_of_runs("sum", layer)
    return build.conv("b", build.conv("b/wide", layer, 32, 3), 2)


def test_variables_keep_their_place():
    optimized = checked(module_of(with_variable))
    assert optimized.is_smaller
    operators = [op.operator_name.data for op in optimized.module.walk() if isinstance(op, tosa.CustomOp)]
    assert operators == ["VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE"]


def test_other_subgraphs_stay_as_they_are():
    main, other = ChainBuilder(), ChainBuilder()
    subgraphs = (main.subgraph(blocks(main)), other.subgraph(blocks(other), name="other"))
    optimized = checked(import_model(Model(subgraphs)), OptimizeOptions(ram=20_000, plan=False))
    assert optimized.after.live_peak_copies <= 20_000
    before = [len(subgraph.operators) for subgraph in subgraphs]
    after = [len(subgraph.operators) for subgraph in export_model(optimized.module).subgraphs]
    assert after[0] > before[0]
    assert after[1] == before[1]


# The file


def test_equal_inputs_give_equal_bytes():
    files = {write_model(export_model(optimize(module_of(blocks)).module)) for _ in range(2)}
    assert len(files) == 1


def real_model(name: str) -> ModuleOp:
    path = MODELS / f"{name}.tflite"
    if not path.is_file():
        pytest.skip(NO_MODELS)
    return import_model(read_model(path.read_bytes(), path.name))


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("fomo_mnv2_035_96_int8", 92_000),
        ("nanou_tinyagri_seg_60x80_int8", 55_000),
        ("mlperf_vww_mobilenetv1_025_96_int8", 48_000),
    ],
)
def test_peaks_of_real_models(name: str, most: int):
    optimized = optimize(real_model(name), OptimizeOptions(plan=False))
    assert optimized.after.live_peak_copies <= most
    assert optimized.macs_after <= 1.1 * optimized.macs_before
    written = import_model(export_model(optimized.module))
    assert peak_bytes(written) == optimized.after.live_peak_copies


@pytest.mark.parametrize(
    ("name", "before", "most"),
    [
        ("fomo_mnv2_035_96_int8", 244_020, 0.36),
        ("nanou_tinyagri_seg_60x80_int8", 87_778, 0.60),
        ("mlperf_vww_mobilenetv1_025_96_int8", 103_676, 0.72),
    ],
)
def test_arenas_of_real_models(name: str, before: int, most: float):
    """On a computer, where an operator's structures are larger than on a microcontroller; modelled."""
    module = real_model(name)
    assert arena_need(export_model(as_written(module)), BITS_64).total == before
    optimized = optimize(module)
    assert arena_need(optimized.model, BITS_64).total <= most * before
    assert optimized.macs_after <= 1.1 * optimized.macs_before
