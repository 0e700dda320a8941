"""
Kernels in another order compute the same, in less memory; what has effects stays where it is.

Modules are run by the interpreter before and after and compared bit for bit, files by TFLite Micro.
"""

import logging

import numpy as np
import pytest
from chain_models import ChainBuilder, DataType, Layer, outputs_in_tflm
from flatbuffer_models import MODELS, NO_MODELS
from modules_in_text import SPLIT, STATE, in_main, parse
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from tinymo_xdsl.analysis.kernels import functions, kernels_of
from tinymo_xdsl.analysis.liveness import function_live_bytes
from tinymo_xdsl.analysis.order import order_problem
from tinymo_xdsl.analysis.peak import main_function, peak_of
from tinymo_xdsl.backend.tflite import export_model
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.facts import name_of
from tinymo_xdsl.flatbuffer.reader import read_model
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.interpreter.semantics import check_same, random_inputs
from tinymo_xdsl.passes.schedule import SchedulePass
from tinymo_xdsl.planner.order import live_peak
from tinymo_xdsl.search import Optimized, OptimizeOptions, PassOutcome, as_written, optimize
from tinymo_xdsl.verification import compare_models


def scheduled(module: ModuleOp, effort: int = 20_000) -> ModuleOp:
    after = module.clone()
    SchedulePass(effort).apply(Context(), after)
    after.verify()
    return after


def order_of(module: ModuleOp) -> list[str]:
    return [name_of(kernel.outputs[0]) for kernel in kernels_of(main_function(module)) if kernel.outputs]


def peak(module: ModuleOp) -> int:
    return peak_of(main_function(module)).live_peak_copies


def assert_same_in_tflm(before: ModuleOp, after: ModuleOp) -> None:
    original, result = export_model(before), export_model(after)
    for seed in range(2):
        inputs = random_inputs(main_function(before), seed)
        for old, new in zip(outputs_in_tflm(original, inputs), outputs_in_tflm(result, inputs), strict=True):
            np.testing.assert_array_equal(old, new)


def irregular_cell(build: ChainBuilder, x: Layer) -> Layer:
    """Wide branches of which each begins before any ends, as converters write them; one needs what another leaves."""
    wide = [build.conv(f"wide_{number}", x, 8, 1 + number) for number in range(4)]
    ends = [build.conv(f"end_{number}", layer, 2) for number, layer in enumerate(wide)]
    again = build.conv("wide_again", build.add("crossed", ends[0], ends[2]), 8, 3)
    return build.add("y", build.add("sum", build.conv("end_again", again, 2), ends[1]), ends[3])


@pytest.mark.parametrize("dtype", ["FLOAT32", "INT8"])
def test_order_alone_makes_an_irregular_cell_smaller(dtype: DataType):
    build = ChainBuilder(dtype, seed=3)
    before = import_model(build.model(irregular_cell(build, build.image("x", (12, 12, 2)))))
    for module in (before, as_written(before)):
        after = scheduled(module)
        assert peak(after) <= 0.75 * peak(module)
        check_same(module, after, seeds=(0, 1), pass_name="schedule")
    assert_same_in_tflm(as_written(before), after)


def random_branches(build: ChainBuilder, depth: int) -> list[Layer]:
    """Layers that read any of the layers before; those that nothing reads are the outputs."""
    generator = build.generator
    layers, unread = [build.image("x", (6, 6, 3))], set[str]()
    while len(layers) <= depth:
        source = layers[int(generator.integers(len(layers)))]
        alike = [layer for layer in layers if layer.shape == source.shape and layer is not source]
        name = f"layer_{len(layers)}"
        match generator.choice(["conv", "conv", "depthwise", "pool", "add"]):
            case "depthwise":
                layers.append(build.depthwise(name, source))
            case "pool" if source.shape[1] > 2:
                layers.append(build.pool(name, source, 2, 2))
            case "add" if alike:
                other = alike[int(generator.integers(len(alike)))]
                layers.append(build.add(name, source, other))
                unread.discard(other.name)
            case _:
                layers.append(build.conv(name, source, int(generator.integers(1, 12))))
        unread.discard(source.name)
        unread.add(name)
    return [layer for layer in layers if layer.name in unread]


@pytest.mark.parametrize("seed", range(40))
def test_random_branches_compute_the_same_in_less_memory(seed: int):
    build = ChainBuilder("INT8" if seed % 2 else "FLOAT32", seed)
    module = import_model(build.model(*random_branches(build, depth=9)))
    for before in (module, as_written(module)):
        problem = order_problem(main_function(before), kernels_of(main_function(before)))
        assert live_peak(problem, range(problem.steps)) == max(function_live_bytes(main_function(before)))
        after = scheduled(before)
        assert sorted(order_of(after)) == sorted(order_of(before))
        if order_of(after) == order_of(before):
            assert str(after) == str(before)
        else:
            assert peak(after) < peak(before)
        assert str(scheduled(after)) == str(after)
        check_same(before, after, pass_name="schedule")
    if seed < 6:
        assert_same_in_tflm(as_written(module), scheduled(as_written(module)))


CELL = """
  %a = tosa.concat %x, %x, %x, %x {axis = 0 : i32} : (TENSOR, TENSOR, TENSOR, TENSOR) -> tensor<4x64xi8>
  %b = tosa.concat %x, %x, %x, %x {axis = 0 : i32} : (TENSOR, TENSOR, TENSOR, TENSOR) -> tensor<4x64xi8>
  BETWEEN
  %low_b = tosa.reduce_max %b {axis = 0 : i32} : (tensor<4x64xi8>) -> TENSOR
  %low_a = tosa.reduce_max %a {axis = 0 : i32} : (tensor<4x64xi8>) -> TENSOR
  %y = tosa.maximum %low_a, %low_b : (TENSOR, TENSOR) -> TENSOR
  return %y : TENSOR
"""
"""Two branches that are better run one after the other, if nothing keeps them from it."""


def cell_around(between: str, before: str = "") -> ModuleOp:
    body = before + CELL.replace("BETWEEN", between)
    text = f"tosa.variable @state : TENSOR func.func @main(%x: TENSOR) -> TENSOR {{ {body} }}"
    return parse(text.replace("TENSOR", "tensor<1x64xi8>"))


def custom(name: str, more: str = "", domain: str = "TFL", operand: str = "%x") -> str:
    attributes = f'domain_name = "{domain}", implementation_attrs = "", operator_name = "{name}"{more}'
    return f"%c = tosa.custom {operand} {{{attributes}}} : ({'TENSOR' if operand else ''}) -> TENSOR"


BARRIERS = {
    **{name: custom(name) for name in ("CALL_ONCE", "IF", "WHILE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE")},
    "random numbers": custom("RANDOM_UNIFORM"),
    "unknown operator": custom("UNHEARD_OF"),
    "unknown operator with a known name": custom("SOFTMAX", ", tinymo.operator = {custom}"),
    "operator of another set": custom("SOFTMAX", domain="other"),
    "operator that changes an input": custom("SVDF", ", tinymo.operator = {mutating_variable_inputs = array<i64: 0>}"),
    "declared variable": "%c = tosa.variable_read @state : TENSOR",
}

MOVABLE = {
    "nothing": "",
    "operator that only computes": custom("SOFTMAX"),
    "recurrent operator without variables": custom("UNIDIRECTIONAL_SEQUENCE_LSTM"),
    "split": "%c0, %c1 = tinymo.split %x {axis = 1, windows = [[0, 9], [7, 64]]} : TENSOR -> (tensor<1x9xi8>,"
    " tensor<1x57xi8>)",
}


@pytest.mark.parametrize("between", BARRIERS.values(), ids=BARRIERS)
def test_nothing_crosses_a_barrier(between: str):
    module = cell_around(between)
    assert order_of(scheduled(module)) == order_of(module)
    written = as_written(module)
    assert order_of(scheduled(written)) == order_of(written)


@pytest.mark.parametrize("between", MOVABLE.values(), ids=MOVABLE)
def test_kernels_cross_what_only_computes(between: str):
    module = cell_around(between)
    for before in (module, as_written(module)):
        assert peak(scheduled(before)) < peak(before)


def test_what_reads_a_variable_is_a_barrier():
    variable = custom("VARIABLE", operand="").replace("%c", "%state")
    reader = "%c = tosa.maximum %x, %state : (TENSOR, TENSOR) -> TENSOR"
    module = cell_around(reader, before=variable)
    assert order_of(scheduled(module)) == order_of(module)
    assert peak(scheduled(cell_around("", before=variable))) < peak(module)


VARIABLE = custom("VARIABLE", operand="").replace("%c", "%state")
WIDE = "%a = tosa.concat %x, %x {axis = 0 : i32} : (TENSOR, TENSOR) -> tensor<2x64xi8>"


@pytest.mark.parametrize("lines", [(VARIABLE, WIDE), (WIDE, VARIABLE)], ids=["behind its last use", "before its first"])
def test_variables_are_in_memory_all_along(lines: tuple[str, str]):
    body = " ".join(lines).replace("TENSOR", "tensor<1x64xi8>")
    function = main_function(in_main("%x: tensor<1x64xi8>", "", f"{body} return"))
    problem = order_problem(function, kernels_of(function))
    assert live_peak(problem, (0, 1)) == max(function_live_bytes(function)) == 64 + 64 + 128


@pytest.mark.parametrize("text", [SPLIT, STATE], ids=["split", "state"])
def test_modules_of_all_kinds_compute_the_same(text: str):
    module = parse(text)
    for before in (module, as_written(module)):
        check_same(before, scheduled(before), seeds=(0, 1), pass_name="schedule")


def test_every_function_is_ordered_and_reported(caplog: pytest.LogCaptureFixture):
    module = cell_around("")
    (function,) = functions(module)
    other = function.clone()
    other.properties["sym_name"] = tosa.CustomOp("other", "", "", [], []).operator_name
    module.body.block.add_op(other)
    with caplog.at_level(logging.INFO):
        after = scheduled(module)
    assert [record.message for record in caplog.records] == [
        f"schedule: @{name}: the peak falls from 576 to 384 bytes, proven optimal" for name in ("main", "other")
    ]
    assert [max(function_live_bytes(function)) for function in functions(after)] == [384, 384]


PEAKS = {
    "cfu_hps_presence_96ops_int8": 205_968,
    "heartkit_ecg_seg_unet512_int8": 30_720,
    "mediapipe_blazeface_short_f16w": 1_376_256,
    "mediapipe_hand_recrop_f32": 1_310_720,
    "microwakeword_vad_stream_int8": 1_456,
    "mlperf_ic_resnet8_int8": 49_152,
    "mltk_kws_tenet_alexa_int8": 18_880,
    "nxp_yolo_face_fpn_128x160_int8": 166_160,
    "rnnoise_int8": 1_032,
    "yolo_fastest_face_192_int8": 447_000,
}
"""The real models with branches: the least peak of any order, copies counted. Two files have another order."""


@pytest.mark.parametrize("name", PEAKS)
def test_real_models_are_proven(name: str, caplog: pytest.LogCaptureFixture):
    path = MODELS / f"{name}.tflite"
    if not path.exists():
        pytest.skip(NO_MODELS)
    before = as_written(import_model(read_model(path.read_bytes())))
    with caplog.at_level(logging.INFO):
        after = scheduled(before)
    assert caplog.records[-1].message.endswith("proven optimal") or len(list(functions(before))) > 1
    assert peak(after) == PEAKS[name]
    is_lower = name in ("mediapipe_hand_recrop_f32", "mltk_kws_tenet_alexa_int8")
    assert (peak(after) < peak(before)) == is_lower
    assert (order_of(after) != order_of(before)) == is_lower


@pytest.mark.parametrize("name", ["mltk_kws_tenet_alexa_int8", "mediapipe_hand_recrop_f32"])
def test_real_models_in_another_order_compute_the_same(name: str):
    path = MODELS / f"{name}.tflite"
    if not path.exists():
        pytest.skip(NO_MODELS)
    pytest.importorskip("tflite_micro", reason="tflite-micro is not installed (extra `verify`)")
    before = as_written(import_model(read_model(path.read_bytes())))
    after = scheduled(before)
    verification = compare_models(export_model(before), export_model(after), runs=2)
    assert verification.engine == "tflite-micro"
    assert verification.identical
    if name.endswith("int8"):
        check_same(before, after, pass_name="schedule")


def schedule_outcome(optimized: Optimized) -> PassOutcome:
    (outcome,) = (outcome for outcome in optimized.passes if outcome.name == "schedule")
    return outcome


def test_optimize_takes_a_better_order():
    build = ChainBuilder("INT8", seed=3)
    module = import_model(build.model(irregular_cell(build, build.image("x", (1, 144, 2)))))
    result = optimize(module)
    outcome = schedule_outcome(result)
    assert (outcome.applied, outcome.why) == (True, "the peak falls from 4,896 to 2,016 bytes, proven optimal")
    assert result.after.live_peak_copies == 2016
    check_same(module, result.module, pass_name="optimize")


def test_optimize_keeps_the_order_within_the_budget():
    build = ChainBuilder("INT8", seed=3)
    module = import_model(build.model(irregular_cell(build, build.image("x", (1, 144, 2)))))
    result = optimize(module, OptimizeOptions(ram=4896, plan=False))
    outcome = schedule_outcome(result)
    assert (outcome.applied, outcome.why) == (False, "the budget is kept without it")
    assert order_of(result.module) == order_of(as_written(module))
    assert schedule_outcome(optimize(module, OptimizeOptions(ram=4895, plan=False))).applied
