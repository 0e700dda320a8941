"""The layout of the arena over one inference: where each tensor lies, when, and how much is in use at each operator."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from flatbuffer_models import NO_MODELS, model_files, small_model

from tinymo_xdsl import zoo
from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.flatbuffer.model import Model, Operator, OptionValue, Subgraph, Tensor
from tinymo_xdsl.flatbuffer.offline_plan import UNPLANNED, with_plan
from tinymo_xdsl.flatbuffer.reader import read_file
from tinymo_xdsl.report.arena_layout import ArenaLayout, BufferKind, PlacedBuffer, arena_layout
from tinymo_xdsl.tflm.arena import BITS_32, arena_need


def tensor(name: str, size: int) -> Tensor:
    return Tensor(name, "INT8", (1, size))


def operator(name: str, inputs: tuple[int, ...], outputs: tuple[int, ...], **options: OptionValue) -> Operator:
    values: Mapping[str, OptionValue] = options
    return Operator(name, inputs, outputs, options=values)


def skip_model() -> Model:
    """The input is read twice: x (100) -> a (40) -> b (40), x + b -> y (100)."""
    tensors = (tensor("x", 100), tensor("a", 40), tensor("b", 40), tensor("y", 100), tensor("unread", 16))
    operators = (operator("RELU", (0,), (1,)), operator("RELU", (1,), (2,)), operator("ADD", (0, 2), (3,)))
    return Model((Subgraph(tensors, (0, 4), (3,), operators),))


def places(layout: ArenaLayout) -> dict[str, tuple[int, int, int, int]]:
    return {entry.name: (entry.offset, entry.size, entry.first, entry.last) for entry in layout.buffers}


def test_tensors_live_from_the_operator_that_makes_them_to_the_last_that_reads_them() -> None:
    layout = arena_layout(skip_model())
    lives = {name: (size, first, last) for name, (_, size, first, last) in places(layout).items()}
    # In blocks of 16 bytes. What nothing reads is there before the first operator alone.
    assert lives == {"x": (112, 0, 2), "a": (48, 0, 1), "b": (48, 1, 2), "y": (112, 2, 2)}
    kinds = {entry.name: entry.kind for entry in layout.buffers}
    assert kinds["x"] is BufferKind.INPUT
    assert (kinds["a"], kinds["y"]) == (BufferKind.TENSOR, BufferKind.OUTPUT)


def test_operators_have_their_number_their_first_output_and_the_bytes_in_use() -> None:
    layout = arena_layout(skip_model())
    assert [(step.number, step.operator, step.name) for step in layout.steps] == [
        ("0", "RELU", "a"),
        ("1", "RELU", "b"),
        ("2", "ADD", "y"),
    ]
    assert [step.used for step in layout.steps] == [112 + 48, 112 + 48 + 48, 112 + 48 + 112]
    assert (layout.peak_index, layout.peak) == (2, 272)
    assert [entry.name for entry in layout.at_peak] == ["y", "x", "b"]


def test_the_plan_in_the_file_is_followed_and_shared_bytes_count_once() -> None:
    # The sum is written over x, and b lies in the second half of a.
    layout = arena_layout(with_plan(skip_model(), (0, 112, 128, 0, UNPLANNED)))
    found = places(layout)
    assert (found["x"][0], found["a"][0], found["b"][0], found["y"][0]) == (0, 112, 128, 0)
    assert [step.used for step in layout.steps] == [112 + 48, 112 + 64, 112 + 48]
    shared = {entry.name for entry in layout.buffers if layout.shares_bytes(entry)}
    assert shared == {"x", "y", "a", "b"}
    assert layout.head == 176


def test_buffers_meet_only_if_both_bytes_and_steps_do() -> None:
    one = PlacedBuffer("one", BufferKind.TENSOR, 0, 32, 1, 2)
    assert one.meets(replace(one, offset=16, first=2, last=3))
    assert not one.meets(replace(one, offset=32))
    assert not one.meets(replace(one, first=3, last=3))


def test_a_plan_for_too_few_tensors_leaves_the_rest_to_the_runtime() -> None:
    model = skip_model()
    (entry,) = with_plan(model, (64, 0, UNPLANNED, UNPLANNED, UNPLANNED)).metadata
    cut = replace(model, metadata=(replace(entry, data=entry.data[:16]),))
    assert places(arena_layout(cut))["x"][0] == 64


def test_scratch_lives_while_its_kernel_runs() -> None:
    axes = Tensor("axes", "INT32", (2,), bytes(8))
    tensors = (Tensor("image", "INT8", (1, 4, 4, 8)), axes, tensor("means", 8))
    layout = arena_layout(Model((Subgraph(tensors, (0,), (2,), (operator("MEAN", (0, 1), (2,)),)),)))
    scratch = [entry for entry in layout.buffers if entry.kind is BufferKind.SCRATCH]
    assert {entry.name for entry in scratch} == {"scratch of means"}
    assert layout.scratch == sum(entry.size for entry in scratch) == 16 + 16 + 32
    assert layout.steps[0].used == 128 + 16 + layout.scratch


def test_operators_of_other_subgraphs_are_steps_too() -> None:
    body = Subgraph((tensor("in", 16), tensor("out", 16)), (0,), (1,), (operator("RELU", (0,), (1,)),))
    call = operator("WHILE", (0,), (1,), cond_subgraph_index=1, body_subgraph_index=2)
    main = Subgraph((tensor("x", 16), tensor("y", 16)), (0,), (1,), (call,))
    layout = arena_layout(Model((main, body, body)))
    # A call is a step of the operator that calls.
    assert [(step.number, step.operator) for step in layout.steps] == [
        ("0", "WHILE"),
        ("0", "WHILE"),
        ("1.0", "RELU"),
        ("0", "WHILE"),
        ("2.0", "RELU"),
    ]
    assert all(entry.kind is BufferKind.TENSOR for entry in layout.buffers[2:])


def test_a_subgraph_that_runs_itself_is_an_error() -> None:
    call = operator("WHILE", (0,), (1,), cond_subgraph_index=0, body_subgraph_index=0)
    main = Subgraph((tensor("x", 16), tensor("y", 16)), (0,), (1,), (call,))
    with pytest.raises(BadModelError, match="subgraph 0 runs itself, which no memory is enough for"):
        arena_layout(Model((main,)))


def test_a_model_without_operators_has_no_steps() -> None:
    layout = arena_layout(Model((Subgraph((tensor("x", 16),), (0,), (0,), ()),)))
    assert (layout.steps, layout.peak, layout.peak_index, layout.buffers, layout.head) == ((), 0, 0, (), 16)


@pytest.mark.parametrize("model", [small_model(), zoo.build("mobilenet-v2")], ids=["small", "mobilenet-v2"])
def test_the_head_is_that_of_the_model_of_the_arena(model: Model) -> None:
    check_head(model)


@pytest.mark.skipif(not model_files(), reason=NO_MODELS)
def test_the_heads_of_real_models_are_those_of_the_model_of_the_arena() -> None:
    for path in model_files():
        check_head(read_file(path))


def check_head(model: Model) -> None:
    layout = arena_layout(model)
    assert layout.head == arena_need(model, BITS_32).head == max(entry.end for entry in layout.buffers)
    assert layout.peak <= layout.head
    # Without a plan in the file nothing shares bytes.
    for step, entry in enumerate(layout.steps):
        alive = sum(buffer.size for buffer in layout.buffers if buffer.is_alive(step))
        assert entry.used == alive or model.metadata
