"""Loops of rows in files: what they compute, and where a plan puts the tensors of their subgraphs."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from chain_models import ChainBuilder, Layer, outputs_in_tflm
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from tinymo_xdsl.analysis.aliases import KernelLibrary
from tinymo_xdsl.analysis.kernels import kernels_of
from tinymo_xdsl.analysis.loops import Change, Loop, main_loops
from tinymo_xdsl.analysis.macs import total_macs
from tinymo_xdsl.analysis.peak import main_function, peak_of
from tinymo_xdsl.analysis.row_problem import row_problem
from tinymo_xdsl.backend.tflite.export import export
from tinymo_xdsl.backend.tflite.loop_plan import arena_tensors
from tinymo_xdsl.backend.tflite.plan import ModelPlanner, PlannedModel
from tinymo_xdsl.facts import name_of
from tinymo_xdsl.flatbuffer.model import Model, Operator
from tinymo_xdsl.flatbuffer.offline_plan import planned_offsets, with_plan
from tinymo_xdsl.flatbuffer.writer import write_model
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.interpreter.executor import run_function
from tinymo_xdsl.passes.loop_stripes import LoopStripesPass
from tinymo_xdsl.planner.sharing import Tensor, is_possible
from tinymo_xdsl.planner.stripe_cost import Accounting, evaluate
from tinymo_xdsl.planner.stripes import Solution
from tinymo_xdsl.search import OptimizeOptions, as_written, optimize
from tinymo_xdsl.tflm.arena import BITS_64, arena_need
from tinymo_xdsl.verification import arena_use, compare_models, engines, smallest_arena

needs_engine = pytest.mark.skipif(
    not engines.is_installed(engines.TFLITE_MICRO),
    reason="tflite-micro is not installed: it exists for Linux on x86-64",
)

IMAGE, RESULT, WIDE_ROW = 16 * 8 * 4, 16 * 8 * 8, 8 * 32
"""Bytes of the image and of the loop's result, each 16 rows, and of one row of the wide tensors."""

RESHAPED = {"new_shape": (1, 16, 8, 8)}

Net = Callable[[ChainBuilder], Layer]


def expanded(build: ChainBuilder) -> Layer:
    """An inverted residual block with wide tensors, and a dense layer that reads its result."""
    image = build.image("image", (16, 8, 4))
    wide = build.conv("wide", image, 32)
    narrow = build.conv("narrow", build.depthwise("filtered", wide, 3), 8)
    return build.conv("last", narrow, 4)


def two_blocks(build: ChainBuilder) -> Layer:
    """A block with a stride and one without, whose input is added to its result."""
    image = build.image("image", (24, 12, 4))
    narrow = build.conv("narrow", build.depthwise("filtered", build.conv("wide", image, 32), 3, stride=2), 8)
    again = build.conv("wide_2", narrow, 48)
    return build.add("sum", narrow, build.conv("narrow_2", build.depthwise("filtered_2", again, 3), 8))


def model_of(net: Net) -> Model:
    builder = ChainBuilder("INT8")
    return builder.model(net(builder))


def looped(model: Model, *regions: tuple[int, int], rounds: int = 4) -> ModuleOp:
    """The file's form of a model whose regions run as loops, the last one first: the others keep their numbers."""
    module = import_model(model)
    for region in regions:
        LoopStripesPass(region=region, stripes=rounds).apply(Context(), module)
    return as_written(module)


def loops_of(module: ModuleOp) -> list[Loop]:
    loops = main_loops(module)
    assert loops is not None
    return loops


def planned(module: ModuleOp, library: KernelLibrary = KernelLibrary.REFERENCE) -> PlannedModel:
    return ModelPlanner(module, library).plan()


def places(model: Model) -> list[dict[str, int]]:
    """The offset of each planned tensor by its name, subgraph by subgraph."""
    offsets = iter(planned_offsets(model) or ())
    graphs = [{tensor.name: next(offsets) for tensor in graph.tensors} for graph in model.subgraphs]
    return [{name: place for name, place in graph.items() if place >= 0} for graph in graphs]


def moved_tensors(module: ModuleOp, count: int) -> Iterator[tuple[Model, bool, bool]]:
    """
    Plans in which one tensor of any subgraph has been moved at random; whether that is said to be possible, and whether
    it fails with any kernels: if every operator reads all of its operands before it writes.

    Lists of numbers keep their places and values: with wrong ones a loop may not end, and a slice may be anywhere.
    """
    generator = random.Random(0)
    tensors = arena_tensors(module, export(module), KernelLibrary.REFERENCE)
    result = planned(module).model
    offsets = planned_offsets(result)
    assert tensors is not None
    assert offsets is not None
    aliases = tensors.aliases
    numbers = tensors.offsets({value: number for number, value in enumerate(aliases.values)})
    planned_places = {number: place for number, place in zip(numbers, offsets, strict=True) if number >= 0}
    patient = [
        Tensor(t.size, 2 * t.made, tuple(replace(read, step=2 * read.step - 1) for read in t.reads))
        for t in aliases.tensors
    ]
    small = {number for number, entry in enumerate(aliases.tensors) if entry.size <= 16}
    while count:
        places = [planned_places[number] for number in range(len(aliases.values))]
        moved = generator.choice([number for number in range(len(places)) if number not in small])
        places[moved] = 16 * generator.randrange(320)
        end = places[moved] + aliases.tensors[moved].size
        if all(not places[moved] - 16 < places[number] < end for number in small):
            count -= 1
            changed = with_plan(result, tensors.offsets(dict(zip(aliases.values, places, strict=True))))
            fails = not is_possible(patient, aliases.wishes, places)
            yield changed, is_possible(aliases.tensors, aliases.wishes, places), fails


def image_for(model: Model, seed: int = 0) -> np.ndarray:
    shape = model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]].shape
    return np.random.default_rng(seed).integers(-128, 128, shape, dtype=np.int8)


class TestLoops:
    def test_what_goes_through_the_loop_is_known(self) -> None:
        (loop,) = loops_of(looped(model_of(expanded), (0, 2)))
        assert [entry.change for entry in loop.carried] == [Change.ANEW, Change.NONE, Change.IN_PLACE]
        assert loop.rounds == 4

    def test_work_counts_all_rounds(self) -> None:
        """Windows of 6 rows where 4 are kept: half as much work again in three layers."""
        model = model_of(expanded)
        inside = 16 * 8 * (4 * 32 + 9 * 32 + 32 * 8)
        behind = 16 * 8 * 8 * 4
        assert total_macs(kernels_of(main_function(import_model(model)))) == inside + behind
        assert total_macs(kernels_of(main_function(looped(model, (0, 2))))) == inside * 3 // 2 + behind

    def test_the_peak_holds_the_input_and_the_result_once_and_one_round(self) -> None:
        peak = peak_of(main_function(looped(model_of(expanded), (0, 2))))
        # At the depthwise convolution; the place in the tables takes 4 bytes, the first row of the next one 16.
        assert peak.live_peak == IMAGE + RESULT + 2 * 6 * WIDE_ROW + 4
        assert peak.live_peak_copies > peak.live_peak + IMAGE + RESULT

    def test_stripes_beside_a_loop_know_what_it_takes(self) -> None:
        """As a layer of the stripe planner's, the loop has its input and its result once, and a round beside them."""
        module = import_model(model_of(expanded))
        LoopStripesPass(region=(0, 2), stripes=4).apply(Context(), module)
        problem = row_problem(main_function(module)).problem
        assert not problem.layers[1].can_split
        place = 16
        peak = evaluate(problem, Solution(), Accounting.PLANNED).peak
        assert peak == IMAGE + RESULT + 2 * 6 * WIDE_ROW + place

    def test_the_interpreter_computes_the_same(self) -> None:
        model = model_of(two_blocks)
        image = image_for(model)
        (expected,) = run_function(import_model(model), [image])
        module = looped(model, (3, 5), (0, 2))
        assert len(loops_of(module)) == 2
        np.testing.assert_array_equal(run_function(module, [image])[0], expected)

    def test_a_written_loop_is_read_as_the_same_loop(self) -> None:
        model = ModelPlanner(looped(model_of(two_blocks), (3, 5), (0, 2)), KernelLibrary.REFERENCE).bare
        again = ModelPlanner(as_written(import_model(model)), KernelLibrary.REFERENCE)
        assert write_model(again.bare) == write_model(model)
        assert planned(as_written(import_model(model))).applied


class TestPlans:
    def test_what_goes_through_the_loop_has_one_place(self) -> None:
        main, condition, body = places(planned(looped(model_of(expanded), (0, 2))).model)
        inputs = {
            main["image"],
            main["loop_1/source"],
            condition["loop_1_condition/source"],
            body["loop_1_body/source"],
        }
        results = {main["loop_1/empty"], main["narrow"], condition["loop_1_condition/result"]}
        results |= {body["loop_1_body/result"], body["loop_1_body/updated"]}
        counters = {main["loop_1/place"], condition["loop_1_condition/place"], body["loop_1_body/place"]}
        assert [len(places) for places in (inputs, results, counters)] == [1, 1, 1]
        assert body["loop_1_body/next_place"] not in counters

    def test_the_head_is_proven_to_be_the_least(self) -> None:
        made = planned(looped(model_of(expanded), (0, 2)))
        assert made.plan is not None
        # Beside the image, the result and the wide tensors of a round there is the place in the tables.
        assert made.plan.head == IMAGE + RESULT + 2 * 6 * WIDE_ROW + 16
        assert made.plan.optimal

    def test_loops_are_planned_for_kernels_that_are_known_only(self) -> None:
        module = looped(model_of(expanded), (0, 2))
        plan = planned(module).plan
        assert plan is not None
        assert plan.safe_with == (KernelLibrary.REFERENCE, KernelLibrary.CMSIS_NN)
        unknown = planned(module, KernelLibrary.UNKNOWN)
        assert unknown.plan is None
        assert unknown.why == "WHILE runs another subgraph: only TFLite Micro can place what that needs"

    def test_other_loops_are_left_to_the_runtime(self) -> None:
        """This one swaps what it carries: places of their own are what keeps the two apart."""
        model = planned(looped(model_of(expanded), (0, 2))).model
        main, condition, body = model.subgraphs
        swapped = replace(body, outputs=(body.outputs[0], body.outputs[1], body.inputs[1]))
        other = replace(model, subgraphs=(main, condition, swapped))
        module = as_written(import_model(other))
        assert main_loops(module) is None
        assert planned(module).plan is None

    def test_a_counter_keeps_its_place_until_a_round_has_been_copied(self) -> None:
        """What a round has counted is copied onto it when the round is over: nothing else lies there by then."""
        module = looped(model_of(expanded), (0, 2))
        tensors = arena_tensors(module, export(module), KernelLibrary.REFERENCE)
        assert tensors is not None
        aliases = tensors.aliases
        last = {
            name_of(value): max(read.step for read in entry.reads)
            for value, entry in zip(aliases.values, aliases.tensors, strict=True)
            if entry.reads
        }
        assert last["loop_1/place"] == last["loop_1_body/next_place"] > last["loop_1_body/kept"]

    def test_what_a_loop_updates_lies_on_nothing_that_is_needed_later(self) -> None:
        """The result begins as a tensor in another shape, which the model also returns: a view of it would be lost."""
        model = planned(looped(model_of(expanded), (0, 2))).model
        main, *inner = model.subgraphs
        fill = next(operator for operator in main.operators if operator.name == "FILL")
        (start,) = fill.outputs
        before = len(main.tensors)
        reshape = Operator("RESHAPE", (before,), fill.outputs, options_type="ReshapeOptions", options=dict(RESHAPED))
        changed = replace(
            main,
            tensors=(*main.tensors, replace(main.tensors[start], name="before", shape=(1, 16, 4, 16))),
            inputs=(*main.inputs, before),
            outputs=(*main.outputs, before),
            operators=tuple(reshape if operator is fill else operator for operator in main.operators),
        )
        module = as_written(import_model(replace(model, subgraphs=(changed, *inner))))
        assert [entry.change for entry in loops_of(module)[0].carried][2] is Change.IN_PLACE
        main_places = places(planned(module).model)[0]
        assert abs(main_places["before"] - main_places["loop_1/empty"]) >= RESULT

    def test_a_result_that_is_read_while_it_is_updated_is_copied(self) -> None:
        """What a round reads of the result as it was before must not be written over: no place is shared then."""
        model = planned(looped(model_of(expanded), (0, 2))).model
        main, condition, body = model.subgraphs
        late = next(operator for operator in body.operators if operator.name == "DYNAMIC_UPDATE_SLICE")
        tensors = (*body.tensors, replace(body.tensors[late.outputs[0]], name="kept"))
        operators = (*body.operators, Operator("RELU", (body.inputs[2],), (len(body.tensors),)))
        reading = replace(body, tensors=tensors, operators=operators)
        (loop,) = loops_of(as_written(import_model(replace(model, subgraphs=(main, condition, reading)))))
        assert loop.carried[2].change is Change.ANEW


@needs_engine
class TestInTheRuntime:
    @pytest.mark.parametrize("rounds", [2, 3, 4, 8])
    def test_outputs_are_identical(self, rounds: int) -> None:
        model = model_of(two_blocks)
        made = planned(looped(model, (3, 5), (0, 2), rounds=rounds))
        assert made.applied
        result = compare_models(write_model(model), write_model(made.model), runs=2)
        assert result.identical
        assert result.distinct_outputs == 2

    def test_floats_are_identical(self) -> None:
        builder = ChainBuilder("FLOAT32")
        model = builder.model(two_blocks(builder))
        made = planned(looped(model, (3, 5), (0, 2)))
        assert made.applied
        assert compare_models(write_model(model), write_model(made.model), runs=2).identical

    def test_the_arena_is_as_modelled(self) -> None:
        data = write_model(planned(looped(model_of(two_blocks), (3, 5), (0, 2))).model)
        made = planned(looped(model_of(two_blocks), (3, 5), (0, 2))).model
        need, use = arena_need(made, BITS_64), arena_use(data)
        assert need.head == use.head
        assert abs(need.tail - use.tail) <= 32
        assert need.total == pytest.approx(smallest_arena(data), rel=0.02)

    def test_a_plan_spares_the_copies_of_the_runtime(self) -> None:
        module = looped(model_of(expanded), (0, 2))
        made = planned(module)
        assert made.plan is not None
        assert (
            made.plan.head + 2 * (IMAGE + RESULT)
            <= arena_need(ModelPlanner(module, KernelLibrary.REFERENCE).bare, BITS_64).head
        )

    def test_what_a_plan_may_do_changes_nothing_and_anything_else_does(self) -> None:
        """Any tensor of any subgraph, moved onto what is needed, changes the output; moved elsewhere, it does not."""
        module = looped(model_of(expanded), (0, 2))
        inputs = [image_for(planned(module).model)]
        (expected,) = outputs_in_tflm(planned(module).model, inputs)
        seen: list[bool] = []
        for model, is_possible_, fails in moved_tensors(module, 60):
            identical = np.array_equal(outputs_in_tflm(model, inputs)[0], expected)
            if is_possible_ or fails:
                assert identical == is_possible_
                seen.append(identical)
        assert seen.count(True) > 20
        assert seen.count(False) > 20


def test_optimize_takes_loops_where_their_constant_cost_pays() -> None:
    def net(build: ChainBuilder) -> Layer:
        """Wide tensors between narrow ones: many stripes would pay, but for their operators."""
        narrow = build.conv("narrow", build.image("image", (32, 16, 4)), 4, 3)
        filtered = build.depthwise("filtered", build.conv("wide", narrow, 48), 3)
        return build.conv("thin", build.conv("mixed", filtered, 4), 4)

    module = import_model(model_of(net))
    stripes, loops = (optimize(module, OptimizeOptions(max_overhead=1, loops=loops)) for loops in (False, True))
    outcomes = {outcome.name: outcome for outcome in loops.passes}
    assert outcomes["loop-stripes"].applied
    assert "loop-stripes" not in {outcome.name for outcome in stripes.passes}
    assert arena_need(loops.model, BITS_64).total < arena_need(stripes.model, BITS_64).total
    for without in (OptimizeOptions(plan=False), OptimizeOptions(kernels=KernelLibrary.UNKNOWN)):
        assert optimize(module, without).model.subgraphs[1:] == ()
