"""Spilling: what it does to the peak, that it changes no value, what is written of it, and what it says."""

import logging
import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from flatbuffer_models import MODELS, NO_MODELS, model_files
from modules_in_text import in_main
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriteWalker

from tinymo_xdsl.analysis.kernels import functions, kernels_of
from tinymo_xdsl.analysis.liveness import function_live_bytes
from tinymo_xdsl.analysis.peak import main_function, peak_of
from tinymo_xdsl.analysis.skips import ColdRange, cold_ranges, plan_spills, spilled_bytes
from tinymo_xdsl.backend.tflite import export_model
from tinymo_xdsl.dialects import tinymo
from tinymo_xdsl.flatbuffer.model import Model
from tinymo_xdsl.flatbuffer.reader import read_file, read_model
from tinymo_xdsl.flatbuffer.writer import write_model
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.interpreter.semantics import check_same
from tinymo_xdsl.passes.form_kernels import FormKernelsPass
from tinymo_xdsl.passes.legalize_for_tflite import LegalizeForTflitePass
from tinymo_xdsl.passes.spill_long_skips import SpillColdRanges, SpillLongSkipsPass
from tinymo_xdsl.zoo.builder import ModelBuilder

HEARTKIT = MODELS / "heartkit_ecg_seg_unet512_int8.tflite"
PRISMANET = MODELS / "prismanet_portrait_seg_256_int8.tflite"


def needs(path: Path) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not path.is_file(), reason=NO_MODELS)


def hourglass() -> Model:
    """A skip of 8x8x8 bytes, used at both ends and in the middle of twice five convolutions to 16 channels."""
    build = ModelBuilder(seed=0)
    skip = build.conv2d("skip", build.image("image", (8, 8, 3)), 8, 3)
    layer = skip
    for half in ("left", "right"):
        for index in range(5):
            layer = build.conv2d(f"{half}/{index}", layer, 16, 3)
        layer = build.add(f"{half}/add", build.conv2d(f"{half}/narrow", layer, 8), skip)
    return build.model([layer], "an hourglass")


def after(module: ModuleOp, *passes: ModulePass) -> ModuleOp:
    changed = module.clone()
    for pass_ in passes:
        pass_.apply(Context(), changed)
    changed.verify()
    return changed


def peak(module: ModuleOp) -> int:
    return peak_of(main_function(module)).live_peak_copies


def copied(module: ModuleOp) -> int:
    return spilled_bytes(main_function(module))


def written(module: ModuleOp) -> list[tuple[str, str]]:
    """The operators of the file in their order, each with the name of its output."""
    graph = export_model(module).subgraphs[0]
    return [(operator.name, graph.tensors[operator.outputs[0]].name) for operator in graph.operators]


def test_the_peak_falls_and_no_value_changes_on_both_levels() -> None:
    module = import_model(hourglass())
    spilled = after(module, SpillLongSkipsPass())
    check_same(module, spilled, seeds=(0, 1))
    token = 4
    assert (peak(module), peak(spilled)) == (8 * 8 * (8 + 16 + 16), 8 * 8 * (16 + 16) + token)
    assert copied(spilled) == 3 * 8 * 8 * 8
    kernels = after(module, FormKernelsPass(), LegalizeForTflitePass())
    spilled_kernels = after(kernels, SpillLongSkipsPass())
    check_same(kernels, spilled_kernels)
    assert peak(spilled_kernels) == peak(spilled)
    spilled_before = after(spilled, FormKernelsPass(), LegalizeForTflitePass())
    assert written(spilled_before) == written(spilled_kernels)


def test_a_file_with_spills_holds_custom_operators_and_tokens_and_says_the_same() -> None:
    module = import_model(hourglass())
    model = read_model(write_model(export_model(after(module, SpillLongSkipsPass()))))
    graph = model.subgraphs[0]
    spills = [operator for operator in graph.operators if operator.name == "TINYMO_SPILL"]
    reloads = [operator for operator in graph.operators if operator.name == "TINYMO_RELOAD"]
    assert all(operator.custom for operator in spills + reloads)
    (spill,) = spills
    token = graph.tensors[spill.outputs[0]]
    assert (token.dtype, token.shape) == ("INT32", (1,))
    assert graph.tensors[spill.inputs[0]].name == "skip"
    assert [operator.inputs for operator in reloads] == [spill.outputs] * 2
    assert [graph.tensors[operator.outputs[0]].name for operator in reloads] == ["skip/reloaded", "skip/reloaded_2"]
    again = import_model(model)
    check_same(module, again)
    assert peak(again) == peak(after(module, SpillLongSkipsPass()))


@needs(HEARTKIT)
def test_heartkit() -> None:
    module = import_model(read_file(HEARTKIT))
    spilled = after(module, SpillLongSkipsPass())
    assert peak(module) == 30_720
    assert peak(spilled) <= 24_600
    assert copied(spilled) == 12_288
    check_same(module, spilled)
    check_same(module, import_model(export_model(spilled)))


@needs(PRISMANET)
def test_prismanet() -> None:
    module = import_model(read_file(PRISMANET))
    spilled = after(module, SpillLongSkipsPass())
    assert peak(module) == 2_097_152
    assert peak(spilled) <= 1_573_000
    assert copied(spilled) == 1_048_576


@pytest.mark.skipif(not model_files(), reason=NO_MODELS)
@pytest.mark.parametrize("path", model_files(), ids=lambda path: path.stem)
def test_no_model_gets_worse(path: Path) -> None:
    module = import_model(read_file(path))
    spilled = after(module, SpillLongSkipsPass())
    assert peak(spilled) < peak(module) or spilled.is_structurally_equivalent(module)


def random_module(seed: int) -> ModuleOp:
    """20 kernels on tensors of up to 8 rows of 16 bytes; many tensors rest long, and all that is unused is returned."""
    generator = random.Random(seed)
    rows = {"x": 2}
    unused = {"x"}
    lines: list[str] = []

    def emit(operator: str, operands: list[str], height: int, attributes: str = "") -> None:
        name = f"t{len(lines)}"
        types = ", ".join(f"tensor<{rows[operand]}x16xi8>" for operand in operands)
        values = ", ".join(f"%{operand}" for operand in operands)
        facts = f'{attributes}tinymo.tensor = {{name = "{name}"}}'
        lines.append(f"%{name} = tosa.{operator} {values} {{{facts}}} : ({types}) -> tensor<{height}x16xi8>")
        rows[name] = height
        unused.difference_update(operands)
        unused.add(name)

    for _ in range(20):
        first = list(rows)[-1]
        second = generator.choice(list(rows))
        if rows[first] == rows[second]:
            emit(generator.choice(("maximum", "minimum")), [first, second], rows[first])
        elif rows[first] + rows[second] <= 8:
            emit("concat", [first, second], rows[first] + rows[second], "axis = 0 : i32, ")
        elif rows[first] > 4:
            emit("reduce_max", [first], 1, "axis = 0 : i32, ")
        else:
            emit("bitwise_not", [first], rows[first])
    results = sorted(unused)
    types = ", ".join(f"tensor<{rows[name]}x16xi8>" for name in results)
    lines.append(f"return {', '.join(f'%{name}' for name in results)} : {types}")
    return in_main('%x : tensor<2x16xi8> {tinymo.tensor = {name = "x"}}', types, "\n".join(lines))


@pytest.mark.parametrize("seed", range(6))
def test_random_modules_keep_their_values_and_their_limits(seed: int) -> None:
    module = random_module(seed)
    before = peak(module)
    least = after(module, SpillLongSkipsPass(min_gap=1))
    check_same(module, least)
    assert peak(least) < before or least.is_structurally_equivalent(module)
    for limit in range(peak(least), before + 16, 16):
        limited = after(module, SpillLongSkipsPass(min_gap=1, ram=limit))
        check_same(module, limited)
        assert peak(limited) <= max(limit, peak(least))
        assert copied(limited) == 0 or peak(limited) < before


def test_enough_of_the_random_modules_have_something_to_spill() -> None:
    spilled = [after(random_module(seed), SpillLongSkipsPass(min_gap=1)) for seed in range(6)]
    assert sum(copied(module) > 0 for module in spilled) >= 3
    assert sum(isinstance(op, tinymo.ReloadOp) for module in spilled for op in module.walk()) >= 10


@pytest.mark.parametrize("seed", range(6))
def test_every_reload_is_needed(seed: int) -> None:
    def spilled_without(left_out: int | None) -> int:
        module = random_module(seed)
        function = main_function(module)
        plan = plan_spills(function, kernels_of(function), 1)
        ranges = tuple(entry for number, entry in enumerate(plan.ranges) if number != left_out)
        pattern = SpillColdRanges(function, replace(plan, ranges=ranges), "psram")
        PatternRewriteWalker(pattern, apply_recursively=False).rewrite_module(module)
        return peak(module)

    function = main_function(random_module(seed))
    for number in range(len(plan_spills(function, kernels_of(function), 1).ranges)):
        assert spilled_without(number) > spilled_without(None)


def cost(ranges: Sequence[ColdRange]) -> int:
    """Bytes that are copied: each tensor once to where it waits, and once back for each range."""
    waiting = {entry.value: entry.size for entry in ranges}
    return sum(waiting.values()) + sum(entry.size for entry in ranges)


def highest(live: Sequence[int], ranges: Sequence[ColdRange]) -> int:
    """The peak with `ranges` spilled, kernel by kernel."""
    spans: dict[SSAValue, list[int]] = {}
    for entry in ranges:
        spans.setdefault(entry.value, []).extend((entry.early, entry.late))
    return max(
        alive
        - sum(entry.size for entry in ranges if entry.early < step < entry.late)
        + sum(4 for span in spans.values() if min(span) <= step <= max(span))
        for step, alive in enumerate(live)
    )


def test_what_is_copied_is_close_to_the_least_that_does() -> None:
    chosen = least = 0
    for seed in range(20):
        function = main_function(random_module(seed))
        kernels = kernels_of(function)
        candidates = cold_ranges(function, kernels, 3)
        if len(candidates) > 8:
            continue
        live = function_live_bytes(function)
        subsets = [subset for size in range(9) for subset in combinations(candidates, size)]
        for limit in range(highest(live, candidates), max(live), 32):
            ranges = plan_spills(function, kernels, 3, limit).ranges
            assert highest(live, ranges) <= limit
            chosen += cost(ranges)
            least += min(cost(subset) for subset in subsets if highest(live, subset) <= limit)
    assert least > 5_000
    assert chosen <= 1.005 * least, chosen / least


LONG = """
    %skip = tosa.bitwise_not %x {tinymo.tensor = {name = "skip"}} : (tensor<1x64xi8>) -> tensor<1x64xi8>
    %wide = tosa.concat %skip, %skip {axis = 0 : i32, tinymo.tensor = {name = "wide"}}
      : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<2x64xi8>
    %a = tosa.bitwise_not %wide {tinymo.tensor = {name = "a"}} : (tensor<2x64xi8>) -> tensor<2x64xi8>
    %b = tosa.bitwise_not %a {tinymo.tensor = {name = "b"}} : (tensor<2x64xi8>) -> tensor<2x64xi8>
    %c = tosa.bitwise_not %b {tinymo.tensor = {name = "c"}} : (tensor<2x64xi8>) -> tensor<2x64xi8>
    %narrow = tosa.reduce_max %c {axis = 0 : i32, tinymo.tensor = {name = "narrow"}}
      : (tensor<2x64xi8>) -> tensor<1x64xi8>
    %y = tosa.maximum %narrow, %skip {tinymo.tensor = {name = "y"}}
      : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
    return %y : tensor<1x64xi8>
"""
"""A skip of 64 bytes that rests for four kernels, of which three have 320 bytes alive."""


def long_skip(text: str = LONG) -> ModuleOp:
    return in_main('%x : tensor<1x64xi8> {tinymo.tensor = {name = "x"}}', "tensor<1x64xi8>", text)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (SpillLongSkipsPass(), "the peak falls from 320 to 260 bytes, and a run copies 128 bytes"),
        (SpillLongSkipsPass(ram=320), "the peak of 320 bytes is within 320 bytes already"),
        (SpillLongSkipsPass(ram="1K"), "the peak of 320 bytes is within 1,024 bytes already"),
        (
            SpillLongSkipsPass(min_gap=5),
            "the peak of 320 bytes stays: at 'a', 'skip' does not rest long enough, or may not leave",
        ),
    ],
)
def test_it_says_what_came_of_it(options: SpillLongSkipsPass, message: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        after(long_skip(), options)
    assert caplog.messages == [f"spill-long-skips: @main: {message}"]


def test_it_names_the_kernel_whose_operands_are_the_peak(caplog: pytest.LogCaptureFixture) -> None:
    module = long_skip(LONG.replace("%y = tosa.maximum %narrow, %skip", "%y = tosa.maximum %narrow, %narrow"))
    with caplog.at_level(logging.INFO):
        after(module, SpillLongSkipsPass())
    assert caplog.messages == [
        "spill-long-skips: @main: the peak of 256 bytes stays: at 'a' it is the kernel's own operands"
    ]


def test_a_function_without_kernels_is_left_alone() -> None:
    module = in_main("%x : tensor<1x64xi8>", "tensor<1x64xi8>", "return %x : tensor<1x64xi8>")
    assert after(module, SpillLongSkipsPass()).is_structurally_equivalent(module)


def test_only_the_function_that_applications_call_is_changed() -> None:
    module = long_skip()
    second = main_function(module).clone()
    second.properties["sym_name"] = StringAttr("second")
    module.body.block.add_op(second)
    after_both = after(module, SpillLongSkipsPass())
    assert [spilled_bytes(function) for function in functions(after_both)] == [128, 0]


@pytest.mark.parametrize("dtype", ["RESOURCE", "STRING", "INT4"])
def test_what_is_no_plain_array_stays(dtype: str) -> None:
    module = long_skip(LONG.replace('{name = "skip"}', f'{{name = "skip", dtype = "{dtype}"}}'))
    assert copied(after(module, SpillLongSkipsPass())) == 0


def test_a_tensor_as_small_as_its_token_stays() -> None:
    module = long_skip(LONG)
    function = main_function(module)
    assert [entry.size for entry in cold_ranges(function, kernels_of(function), 4)] == [64]
    tiny = in_main("%x : tensor<1x4xi8>", "tensor<1x4xi8>", LONG.replace("x64xi8", "x4xi8"))
    function = main_function(tiny)
    assert cold_ranges(function, kernels_of(function), 4) == []


def test_there_is_no_place_between_kernels_whose_ops_stand_interleaved() -> None:
    lines = LONG.splitlines(keepends=True)
    text = "".join(lines)
    late = "%late = tosa.cast %skip : (tensor<1x64xi8>) -> tensor<1x64xi32>\n    %a = tosa"
    text = text.replace("%a = tosa", late).replace(
        "%y = tosa.maximum %narrow, %skip",
        "%back = tosa.cast %late : (tensor<1x64xi32>) -> tensor<1x64xi8>\n    %y = tosa.maximum %narrow, %back",
    )
    module = long_skip(text)
    assert peak(module) == 320
    spilled = after(module, SpillLongSkipsPass())
    assert spilled.is_structurally_equivalent(module)


@pytest.mark.parametrize("text", [-1, 0, "", "K", "64Q", "0x"])
def test_what_is_no_size_is_refused(text: int | str) -> None:
    with pytest.raises(ValueError, match="is no size; write 65536, 64K"):
        SpillLongSkipsPass(ram=text)
