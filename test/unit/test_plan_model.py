"""Arena plans of files: small models in which every byte can be followed, and what TFLite Micro makes of the plans."""

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import pytest
from chain_models import VALID, ChainBuilder, Layer, outputs_in_tflm
from flatbuffer_models import MODELS, NO_MODELS
from one_operator import one_operator, tensor

from tinymo_xdsl import zoo
from tinymo_xdsl.analysis.aliases import KernelLibrary, Sharing, aliases_of
from tinymo_xdsl.analysis.peak import main_function
from tinymo_xdsl.backend.tflite.plan import ModelPlanner, PlannedModel
from tinymo_xdsl.facts import name_of
from tinymo_xdsl.flatbuffer.model import Metadata, Model, Operator
from tinymo_xdsl.flatbuffer.offline_plan import OFFLINE_PLAN, UNPLANNED, planned_offsets, with_plan
from tinymo_xdsl.flatbuffer.reader import read_model
from tinymo_xdsl.flatbuffer.writer import write_model
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.planner.sharing import Tensor, is_possible
from tinymo_xdsl.search import OptimizeOptions, as_written, optimize
from tinymo_xdsl.tflm.arena import BITS_64, arena_need
from tinymo_xdsl.verification import arena_use, compare_models, engines, smallest_arena

needs_engine = pytest.mark.skipif(
    not engines.is_installed(engines.TFLITE_MICRO),
    reason="tflite-micro is not installed: it exists for Linux on x86-64",
)

Net = Callable[[ChainBuilder], Layer]


def build(net: Net) -> Model:
    builder = ChainBuilder("INT8")
    return builder.model(net(builder))


def planned(model: Model, library: KernelLibrary = KernelLibrary.REFERENCE) -> PlannedModel:
    return ModelPlanner(as_written(import_model(model)), library).plan()


def places(model: Model) -> Mapping[str, int]:
    """The offsets of tensors by their names, of the main subgraph's planned ones."""
    offsets = planned_offsets(model)
    assert offsets is not None
    return {entry.name: at for entry, at in zip(model.subgraphs[0].tensors, offsets, strict=False) if at >= 0}


def shared(
    model: Model, sharing: Sharing = Sharing.ALL, library: KernelLibrary = KernelLibrary.REFERENCE
) -> list[dict[str, int]]:
    """Which tensors lie at which offsets of one group, by name."""
    aliases = aliases_of(main_function(as_written(import_model(model))), library)
    return [{name_of(value): offset for value, offset in group.members} for group in aliases.groups(sharing)]


def split_convolutions(build: ChainBuilder) -> Layer:
    """Two windows of eight rows of 128 bytes, with a halo of two, each through a convolution; joined again."""
    image = build.image("image", (14, 8, 16))
    top = build.conv("top", build.rows("upper", image, 0, 8), 16, (3, 1), padding=VALID)
    bottom = build.conv("bottom", build.rows("lower", image, 6, 14), 16, (3, 1), padding=VALID)
    return build.concatenate("whole", [replace_scale(top, build), replace_scale(bottom, build)], axis=1)


def replace_scale(layer: Layer, build: ChainBuilder) -> Layer:
    """Parts of one whole have one quantisation."""
    entry, quantization = build.tensors[layer.index], build.tensors[0].quantization
    assert quantization is not None
    build.tensors[layer.index] = replace(entry, quantization=quantization)
    return replace(layer, scale=0.05, zero_point=int(quantization.zero_point[0]))


def residual(build: ChainBuilder) -> Layer:
    image = build.image("image", (8, 8, 16))
    return build.add("sum", image, build.conv("inner", image, 16))


class TestSharing:
    def test_windows_and_parts_are_views(self) -> None:
        assert shared(build(split_convolutions)) == [
            {"image": 0, "upper": 0, "lower": 6 * 128},
            {"top": 0, "bottom": 6 * 128, "whole": 0},
        ]

    def test_a_residual_is_added_in_place(self) -> None:
        assert shared(build(residual)) == [{"image": 0, "sum": 0}, {"inner": 0}]

    def test_nothing_is_shared_under_unknown_kernels(self) -> None:
        for net in (split_convolutions, residual):
            assert all(len(group) == 1 for group in shared(build(net), library=KernelLibrary.UNKNOWN))

    def test_an_addition_of_bytes_is_in_place_under_cmsis_nn_too(self) -> None:
        assert shared(build(residual), library=KernelLibrary.CMSIS_NN) == shared(build(residual))
        assert len(shared(build(split_convolutions), library=KernelLibrary.CMSIS_NN)) == 2

    @pytest.mark.parametrize(("dtype", "is_in_place"), [("INT8", True), ("INT16", False)])
    def test_one_of_int16_is_not(self, dtype: str, is_in_place: bool) -> None:
        a, b, y = (tensor(name, dtype, (1, 16), 0.5) for name in "aby")
        model = read_model(one_operator("ADD", [a, b], y, ("AddOptions", {})))
        assert {"a": 0, "y": 0} in shared(model)
        assert ({"a": 0, "y": 0} in shared(model, library=KernelLibrary.CMSIS_NN)) == is_in_place

    def test_a_broadcast_operand_is_never_written_over(self) -> None:
        def net(build: ChainBuilder) -> Layer:
            image = build.image("image", (4, 4, 16))
            return build.add("sum", build.image("row", (1, 4, 16)), build.conv("wide", image, 16))

        assert {"wide": 0, "sum": 0} in shared(build(net))
        assert {"row": 0} in shared(build(net))

    def test_what_is_returned_is_never_written_over(self) -> None:
        def net(build: ChainBuilder, both: bool) -> Model:
            wide = build.conv("wide", build.image("image", (4, 4, 16)), 16)
            total = build.add("sum", wide, wide)
            return build.model(wide, total) if both else build.model(total)

        assert {"wide": 0, "sum": 0} in shared(net(ChainBuilder("INT8"), both=False))
        assert {"wide": 0, "sum": 0} not in shared(net(ChainBuilder("INT8"), both=True))

    def test_rows_off_the_alignment_are_copied(self) -> None:
        def net(build: ChainBuilder) -> Layer:
            image = build.image("image", (8, 5, 3))
            return build.concatenate("both", [build.rows("a", image, 1, 4), build.rows("b", image, 4, 8)], axis=1)

        assert {"image": 0} in shared(build(net))

    def test_columns_are_copied_rows_of_one_image_are_not(self) -> None:
        def net(build: ChainBuilder, axis: int) -> Model:
            image = build.image("image", (4, 4, 16))
            parts = [build.conv("a", image, 16), build.conv("b", image, 16)]
            return build.model(build.concatenate("both", [replace_scale(part, build) for part in parts], axis=axis))

        assert [len(shared(net(ChainBuilder("INT8"), axis))) for axis in (1, 2, 3)] == [2, 4, 4]

    @pytest.mark.parametrize(("rows", "is_view"), [(1, True), (2, False)])
    def test_a_part_of_one_row_is_a_view_parts_of_several_are_not(self, rows: int, is_view: bool) -> None:
        def net(build: ChainBuilder) -> Layer:
            return build.conv("y", build.rows("window", build.image("image", (4, 4, 16)), 1, 1 + rows, columns=3), 16)

        assert ({"image": 0, "window": 64} in shared(build(net))) == is_view

    def test_a_reshape_moves_nothing(self) -> None:
        def net(build: ChainBuilder) -> Layer:
            return build.reshape("flat", build.conv("wide", build.image("image", (4, 4, 16)), 16), (1, 256))

        assert shared(build(net)) == [{"image": 0}, {"wide": 0, "flat": 0}]


class TestPlan:
    def test_a_split_convolution_takes_its_input_and_its_output(self) -> None:
        result = planned(build(split_convolutions))
        assert result.applied
        assert result.plan is not None
        at = places(result.model)
        assert at["upper"] == at["image"]
        assert at["lower"] == at["image"] + 6 * 128
        assert (at["top"], at["bottom"]) == (at["whole"], at["whole"] + 6 * 128)
        # While the last rows are computed, the first six of the input are dead.
        assert result.plan.head == result.plan.solution.lower_bound == 8 * 128 + 12 * 128

    def test_each_tensor_in_the_arena_is_planned_on_the_alignment(self) -> None:
        model = planned(build(split_convolutions)).model
        tensors = model.subgraphs[0].tensors
        for entry, offset in zip(tensors, planned_offsets(model) or (), strict=True):
            assert (offset == UNPLANNED) == (entry.data is not None)
            assert offset == UNPLANNED or offset % 16 == 0

    def test_the_plan_is_one_entry_behind_the_others(self) -> None:
        model = replace(build(split_convolutions), metadata=(Metadata("mine", b"1"), Metadata(OFFLINE_PLAN, b"2" * 16)))
        metadata = planned(model).model.metadata
        assert [entry.name for entry in metadata] == ["mine", OFFLINE_PLAN]
        header = np.frombuffer(metadata[1].data, "<i4")[:3].tolist()
        assert header == [0, 1, len(planned(model).model.subgraphs[0].tensors)]

    def test_a_plan_takes_the_place_of_another(self) -> None:
        model = with_plan(with_plan(build(residual), [0] * 5), [16] * 5)
        assert planned_offsets(model) == (16,) * 5
        assert len(model.metadata) == 1
        with pytest.raises(ValueError, match="4 offsets for 5 tensors"):
            with_plan(model, [0] * 4)

    def test_it_is_left_out_where_tflite_micro_plans_as_well(self) -> None:
        def net(build: ChainBuilder) -> Layer:
            return build.conv("b", build.conv("a", build.image("image", (4, 4, 16)), 16), 16)

        result = planned(build(net))
        assert not result.applied
        assert planned_offsets(result.model) is None
        assert result.plan is not None
        assert (result.plan.head, result.plan.optimal) == (512, True)

    def test_variables_are_left_to_the_runtime(self) -> None:
        graph = read_model(svdf()).subgraphs[0]
        aliases = aliases_of(main_function(as_written(import_model(Model((graph,))))), KernelLibrary.REFERENCE)
        assert {name_of(value) for value in aliases.values} == {"x", "y"}
        # The step of an operator is its place in the file, with variables or without.
        assert [tensor.made for tensor in aliases.tensors] == [0, 1]

    def test_room_for_scratch_is_planned(self) -> None:
        result = planned(read_model(svdf()))
        assert result.plan is not None
        # Input and output of 16 bytes each, and at the operator two buffers of int32: 16 filters and 8 units.
        assert (result.plan.head, result.plan.optimal) == (32 + 64 + 32, True)

    def test_control_flow_is_left_alone(self) -> None:
        main, called = ChainBuilder("INT8"), ChainBuilder("INT8")
        model = main.model(split_convolutions(main))
        once = Operator("CALL_ONCE", (), (), options_type="CallOnceOptions", options={"init_subgraph_index": 1})
        graph = replace(model.subgraphs[0], operators=(once, *model.subgraphs[0].operators))
        result = planned(replace(model, subgraphs=(graph, called.subgraph(name="init"))))
        assert (result.plan, planned_offsets(result.model)) == (None, None)
        assert result.why.startswith("CALL_ONCE runs another subgraph")

    def test_subgraphs_that_nothing_runs_are_left_to_the_runtime(self) -> None:
        main, other = ChainBuilder("INT8"), ChainBuilder("INT8")
        graphs = (main.subgraph(split_convolutions(main)), other.subgraph(residual(other), name="other"))
        result = planned(Model(graphs))
        offsets = planned_offsets(result.model)
        assert offsets is not None
        count = len(result.model.subgraphs[0].tensors)
        assert max(offsets[:count]) > 0
        assert set(offsets[count:]) == {UNPLANNED}

    def test_the_same_model_gives_the_same_plan(self) -> None:
        first, second = (write_model(planned(build(split_convolutions)).model) for _ in range(2))
        assert first == second


HASHES = """
import hashlib
from test_plan_model import build, planned, residual, split_convolutions
from tinymo_xdsl.flatbuffer.writer import write_model
for net in (split_convolutions, residual):
    print(hashlib.sha256(write_model(planned(build(net)).model)).hexdigest())
"""


def test_other_hash_seeds_give_the_same_files() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", HASHES],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


@needs_engine
def test_sixteen_bytes_too_low_are_caught_by_the_check_and_by_tflite_micro() -> None:
    model = build(split_convolutions)
    result = planned(model)
    values = image_values(model, 0)
    numbers = {entry.name: index for index, entry in enumerate(result.model.subgraphs[0].tensors)}
    aliases = aliases_of(main_function(as_written(import_model(result.model))), KernelLibrary.REFERENCE)
    offsets = list(planned_offsets(result.model) or ())
    for shift, is_right in ((0, True), (16, False)):
        # The second part goes over the end of the first one, which is still to be joined with it.
        moved = [*offsets]
        moved[numbers["bottom"]] -= shift
        places = [moved[numbers[name_of(value)]] for value in aliases.values]
        assert is_possible(aliases.tensors, aliases.wishes, places) == is_right
        (expected,), (actual,) = outputs_in_tflm(model, values), outputs_in_tflm(with_plan(result.model, moved), values)
        assert np.array_equal(expected, actual) == is_right


def svdf() -> bytes:
    """An operator with a variable and with scratch."""
    operands = [
        tensor("x", "INT8", (1, 8), 0.5),
        tensor("features", "INT8", (16, 8), 0.5, data=np.ones((16, 8), np.int8)),
        tensor("times", "INT8", (16, 4), 0.5, data=np.ones((16, 4), np.int8)),
        tensor("bias", "INT32", (8,), 0.25, data=np.zeros(8, np.int32)),
        tensor("state", "INT8", (1, 64), 0.5, is_variable=True),
    ]
    options = ("SVDFOptions", {"rank": 2, "fused_activation_function": 0})
    return one_operator("SVDF", operands, tensor("y", "INT8", (1, 8), 0.5), options)


def image_values(model: Model, seed: int) -> list[np.ndarray]:
    graph = model.subgraphs[0]
    generator = np.random.default_rng(seed)
    return [generator.integers(-128, 128, graph.tensors[index].shape, np.int8) for index in graph.inputs]


def test_tflite_micro_computes_the_same_under_the_plan() -> None:
    for net in (split_convolutions, residual):
        model = build(net)
        result = planned(model)
        assert result.applied
        for seed in range(3):
            values = image_values(model, seed)
            (expected,), (actual,) = outputs_in_tflm(model, values), outputs_in_tflm(result.model, values)
            assert len(np.unique(expected)) > 50
            assert np.array_equal(expected, actual)


@pytest.mark.parametrize("net", [split_convolutions, residual])
def test_any_tensor_moved_onto_what_is_needed_changes_the_output(net: Net) -> None:
    """A wrong plan shows: one offset is changed at random until some operator writes over what is read later."""
    model = build(net)
    result = planned(model)
    values = image_values(model, 0)
    (expected,) = outputs_in_tflm(model, values)
    for offsets in wrong_plans(result.model, random.Random(0), 25):
        (actual,) = outputs_in_tflm(with_plan(result.model, offsets), values)
        assert not np.array_equal(expected, actual), offsets


def wrong_plans(model: Model, rng: random.Random, count: int) -> Iterator[list[int]]:
    aliases = aliases_of(main_function(as_written(import_model(model))), KernelLibrary.REFERENCE)
    # As if every operator read all of its operands before it writes: whatever fails then, fails in any kernel.
    patient = [
        Tensor(t.size, 2 * t.made, tuple(replace(read, step=2 * read.step - 1) for read in t.reads))
        for t in aliases.tensors
    ]
    numbers = {entry.name: index for index, entry in enumerate(model.subgraphs[0].tensors)}
    offsets = planned_offsets(model)
    assert offsets is not None
    while count:
        moved = [*offsets]
        moved[numbers[name_of(rng.choice(aliases.values))]] = 16 * rng.randrange(200)
        if not is_possible(patient, aliases.wishes, [moved[numbers[name_of(value)]] for value in aliases.values]):
            count -= 1
            yield moved


class TestOptimize:
    def test_the_written_model_holds_the_plan_unless_none_is_wanted(self) -> None:
        module = import_model(build(split_convolutions))
        assert planned_offsets(optimize(module).model) is not None
        assert planned_offsets(optimize(module, OptimizeOptions(plan=False)).model) is None

    def test_a_plan_alone_makes_a_model_smaller(self) -> None:
        module = import_model(build(residual))
        with_one, without = optimize(module), optimize(module, OptimizeOptions(plan=False))
        assert (with_one.is_smaller, without.is_smaller) == (True, False)
        (outcome,) = (entry for entry in with_one.passes if entry.name == "plan-memory")
        assert outcome.applied
        assert outcome.why.startswith("2,048 bytes for activations, proven to be the least; 3,072 without a plan")

    def test_what_costs_more_than_it_saves_is_not_done(self) -> None:
        """Stripes lower the peak of this model, but their operators take more of the tail than that."""

        def net(build: ChainBuilder) -> Layer:
            wide = build.conv("wide", build.image("image", (4, 2, 4)), 256)
            return build.conv("narrow", build.depthwise("filtered", wide, 1), 4)

        module = import_model(build(net))
        striped, kept = (optimize(module, OptimizeOptions(plan=plan, loops=False)) for plan in (False, True))
        assert striped.after.live_peak_copies < kept.after.live_peak_copies
        needs = [arena_need(optimized.model, BITS_64).total for optimized in (striped, kept)]
        assert needs[1] < needs[0]


@needs_engine
class TestRealModels:
    def test_planning_alone_makes_mobilenet_v1_smaller(self) -> None:
        path = MODELS / "mlperf_vww_mobilenetv1_025_96_int8.tflite"
        if not path.exists():
            pytest.skip(NO_MODELS)
        data = path.read_bytes()
        result = planned(read_model(data))
        assert result.plan is not None
        assert (result.plan.head, result.plan.optimal) == (55_296, True)
        written = write_model(result.model)
        assert arena_use(written).head == 55_296
        assert smallest_arena(written) < 0.83 * smallest_arena(data)
        verification = compare_models(data, written, runs=2)
        assert verification.identical, str(verification)
        assert verification.tensors > 25

    def test_a_wrong_plan_of_a_real_model_is_caught(self) -> None:
        path = MODELS / "mlperf_vww_mobilenetv1_025_96_int8.tflite"
        if not path.exists():
            pytest.skip(NO_MODELS)
        data = path.read_bytes()
        model = planned(read_model(data)).model
        everything_at_zero = [min(offset, 0) for offset in planned_offsets(model) or ()]
        verification = compare_models(data, write_model(with_plan(model, everything_at_zero)), runs=1)
        assert verification.first_difference is not None
        assert verification.first_difference.planned


def test_scratch_that_tflite_micro_places_itself_gets_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transposed convolution in stripes: what rows free of a tensor that is still read, scratch cannot use."""
    module = optimize(import_model(zoo.build("tiny-unet", resolution=32)), OptimizeOptions(max_overhead=0)).module
    with_room = ModelPlanner(module, KernelLibrary.REFERENCE).plan()
    monkeypatch.setattr(ModelPlanner, "roomy_layouts", [])
    without = ModelPlanner(module, KernelLibrary.REFERENCE).plan()
    assert with_room.plan is not None
    assert without.plan is not None
    assert with_room.plan.head < without.plan.head
    assert with_room.plan.head == arena_need(with_room.model, BITS_64).head
