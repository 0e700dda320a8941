"""What an import makes of whole models: functions, facts, state, signatures; and what it refuses."""

import logging
from dataclasses import replace

import numpy as np
import pytest
from flatbuffer_models import small_model
from one_operator import tensor
from operator_models import constant, described, from_text, model_of, options, through_text
from xdsl.dialects.builtin import ModuleOp

from tinymo_xdsl.analysis.kernels import functions
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.facts import operator_facts, tensor_facts
from tinymo_xdsl.flatbuffer.model import (
    Metadata,
    Model,
    Operator,
    OptionValue,
    Quantization,
    Signature,
    Subgraph,
    Tensor,
)
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.text.module import module_text

ADD = options("AddOptions", pot_scale_int16=False)


def addition(*, name: str | None = "main", first: Tensor | None = None, out: Tensor | None = None) -> Subgraph:
    """A subgraph that adds its input to itself."""
    tensors = (first or tensor("x", "FLOAT32", [2]), out or tensor("y", "FLOAT32", [2]))
    return Subgraph(tensors, (0,), (1,), (Operator("ADD", (0, 0), (1,), options_type=ADD[0], options=ADD[1]),), name)


def symbols(module: ModuleOp) -> list[str]:
    return [function.sym_name.data for function in functions(module)]


def custom_ops(module: ModuleOp) -> list[tosa.CustomOp]:
    return [op for op in module.walk() if isinstance(op, tosa.CustomOp)]


def test_a_model_comes_back_as_it_was() -> None:
    model = small_model()
    back = through_text(model)
    assert described(back) == described(model)
    assert (back.description, back.metadata, back.trailing) == (model.description, model.metadata, model.trailing)
    assert back.unnamed_metadata == model.unnamed_metadata
    assert [signature.key for signature in back.signatures] == ["serving_default"]


def test_text_of_a_model_is_a_fixed_point() -> None:
    text = module_text(import_model(small_model()))
    assert module_text(from_text(text)) == text


# Functions.


def test_each_subgraph_is_a_function() -> None:
    model = Model(tuple(addition(name=name) for name in ("main", "", "a b", "main", None, "subgraph")))
    module = import_model(model)
    assert symbols(module) == ["main", "subgraph", "subgraph_2", "main_3", "subgraph_4", "subgraph_5"]
    assert [graph.name for graph in through_text(model).subgraphs] == ["main", "", "a b", "main", None, "subgraph"]


def test_the_first_function_is_called_main_if_its_name_is_no_symbol() -> None:
    assert symbols(import_model(Model((addition(name="größe"), addition(name="main_1"), addition(name="main"))))) == [
        "main",
        "main_1",
        "main_2",
    ]


def test_facts_are_on_arguments_and_results() -> None:
    source = replace(tensor("x", "INT8", [2], 0.25, -3), shape_signature=(-1,), has_rank=True)
    limits = Quantization(np.array([0.5], "f4"), np.array([7]), 0, np.array([-1.5], "f4"), np.array([2.5], "f4"))
    graph = addition(first=source, out=Tensor("y", "INT8", (2,), quantization=limits))
    module = import_model(Model((graph,)))
    (function,) = functions(module)
    facts = tensor_facts(function.args[0])
    assert facts is not None
    assert (facts.name, facts.scale, facts.zero_point) == ("x", (0.25,), (-3,))
    assert (facts.shape_signature, facts.has_rank) == ((-1,), True)
    assert described(through_text(Model((graph,)))) == described(Model((graph,)))


@pytest.mark.parametrize("name", ["", "größe", "a\tb", 'say "x"', "back\\slash", "日本", "%x", "\x00"])
def test_names_of_any_letters_survive_text(name: str) -> None:
    graph = addition(name=name, first=tensor(name, "FLOAT32", [2]))
    signature = Signature(name, 0, ((name, 0),), ((f"{name}'", 1),))
    model = Model((graph,), name, (signature,), (Metadata(name, b"\xff"),))
    back = through_text(model)
    assert described(back) == described(model)
    assert (back.description, back.signatures, back.metadata) == (name, model.signatures, model.metadata)


# Scales are 32-bit floats, and stay what they are to the last bit.


@pytest.mark.parametrize("scale", [1e-45, 1.1754944e-38, 0.1, 0.003921568859368563, 1.0000001, 3.4028235e38])
def test_scales_survive_text(scale: float) -> None:
    model = model_of("CUSTOM_OP", [tensor("x", "INT8", [2], scale)], [tensor("y", "INT8", [2])], custom=True)
    assert described(through_text(model)) == described(model)


# State.


def test_a_variable_is_made_once_and_before_it_is_read() -> None:
    state = tensor("state", "INT8", [1, 4], 0.5, is_variable=True)
    inputs = [tensor("x", "INT8", [1, 4], 0.5), state]
    outputs = [tensor("y", "INT8", [1, 4], 0.5)]
    model = model_of("ACCUMULATE", inputs, outputs, custom=True, mutating_variable_inputs=(False, True))
    module = import_model(model)
    variable, accumulate = custom_ops(module)
    assert variable.operator_name.data == "VARIABLE"
    assert operator_facts(accumulate).mutating_variable_inputs == (1,)
    assert described(through_text(model)) == described(model)


def test_state_may_be_an_input() -> None:
    state = tensor("state", "INT8", [1, 4], 0.5, is_variable=True)
    model = model_of("ACCUMULATE", [state], [tensor("y", "INT8", [1, 4], 0.5)], custom=True)
    model = replace(model, subgraphs=(replace(model.subgraphs[0], inputs=(0,)),))
    assert described(through_text(model)) == described(model)


def test_state_with_initial_values_is_refused() -> None:
    state = replace(constant("state", "INT8", [1, 2]), is_variable=True)
    with pytest.raises(BadModelError, match="the variable 'state' has initial values"):
        import_model(model_of("ACCUMULATE", [state], [tensor("y", "INT8", [2])], custom=True))


def test_intermediates_are_kept_with_absent_ones_in_their_places() -> None:
    tensors = (
        tensor("x", "INT8", [1, 2], 0.5),
        tensor("y", "INT8", [1, 2], 0.5),
        tensor("gate", "INT16", [], 0.25),
        tensor("cell", "INT8", [0], 0.125, 4),
    )
    operator = Operator("LSTM_LIKE", (-1, 0, -1), (1,), custom=True, intermediates=(2, -1, 3))
    model = Model((Subgraph(tensors, (0,), (1,), (operator,), "main"),))
    (custom,) = custom_ops(import_model(model))
    assert operator_facts(custom).absent == (0, 2)
    back = through_text(model)
    assert described(back) == described(model)
    assert back.subgraphs[0].operators[0].intermediates[1] == -1


def test_an_intermediate_that_is_a_constant_is_refused() -> None:
    tensors = (tensor("x", "INT8", [1]), tensor("y", "INT8", [1]), constant("gate", "INT8", [1]))
    operator = Operator("LSTM_LIKE", (0,), (1,), custom=True, intermediates=(2,))
    with pytest.raises(BadModelError, match="the intermediate tensor 'gate' is a constant"):
        import_model(Model((Subgraph(tensors, (0,), (1,), (operator,)),)))


# What a function returns need not be what an operator yields.


def test_an_output_may_be_an_input_or_a_constant_or_returned_twice() -> None:
    tensors = (tensor("x", "FLOAT32", [2]), constant("c", "FLOAT32", [1, 2]), tensor("y", "FLOAT32", [2]))
    add = Operator("ADD", (0, 0), (2,), options_type=ADD[0], options=ADD[1])
    model = Model((Subgraph(tensors, (0,), (0, 1, 2, 2), (add,), "main"),))
    assert described(through_text(model)) == described(model)


def test_an_operator_may_have_many_results() -> None:
    outputs = [tensor(f"y{index}", "INT8", [2], 0.5) for index in range(3)]
    model = model_of("THREE", [tensor("x", "INT8", [2], 0.5)], outputs, custom=True)
    assert described(through_text(model)) == described(model)


def test_an_operator_may_have_no_result() -> None:
    tensors = (tensor("x", "FLOAT32", [2]), tensor("y", "FLOAT32", [2]), tensor("r", "RESOURCE", [1]))
    handle = options("VarHandleOptions", container="", shared_name="größe")
    operators = (
        Operator("VAR_HANDLE", (), (2,), options_type=handle[0], options=handle[1]),
        Operator("ASSIGN_VARIABLE", (2, 0), (), options_type="AssignVariableOptions"),
        Operator("ADD", (0, 0), (1,), options_type=ADD[0], options=ADD[1]),
    )
    model = Model((Subgraph(tensors, (0,), (1,), operators, "main"),))
    assert described(through_text(model)) == described(model)


def test_subgraphs_call_each_other() -> None:
    call = options("CallOnceOptions", init_subgraph_index=1)
    graph = addition()
    once = Operator("CALL_ONCE", (), (), options_type=call[0], options=call[1])
    model = Model((replace(graph, operators=(once, *graph.operators)), addition(name="init")))
    assert described(through_text(model)) == described(model)


# Options, field for field and byte for byte.


@pytest.mark.parametrize("data", [b"", b"plain", b"\x80\xff\x00", "größe".encode(), bytes(range(256)), b"\xff" * 3])
def test_custom_options_are_kept_byte_for_byte(data: bytes) -> None:
    inputs, outputs = [tensor("x", "INT8", [2])], [tensor("y", "INT8", [2])]
    model = model_of("MINE", inputs, outputs, custom=True, custom_options=data, custom_options_format=0, version=3)
    assert described(through_text(model)) == described(model)


@pytest.mark.parametrize(
    ("operator", "table", "stated"),
    [
        ("SQUEEZE", "SqueezeOptions", {"squeeze_dims": ()}),
        ("SQUEEZE", "SqueezeOptions", {"squeeze_dims": (0, -1)}),
        ("SQUEEZE", "SqueezeOptions", {"squeeze_dims": None}),
        ("BUCKETIZE", "BucketizeOptions", {"boundaries": (0.5, 2.0)}),
        ("LEAKY_RELU", "LeakyReluOptions", {"alpha": float(np.float32(0.1))}),
        ("MIRROR_PAD", "MirrorPadOptions", {"mode": 1}),
        ("L2_POOL_2D", "Pool2DOptions", {"padding": 1, "fused_activation_function": 3, "stride_w": 2}),
        ("L2_POOL_2D", "Pool2DOptions", {"padding": 9, "fused_activation_function": 99}),
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", "UnidirectionalSequenceLSTMOptions", {"time_major": True, "cell_clip": 10.0}),
        ("STABLEHLO_CONVOLUTION", "StablehloConvolutionOptions", {"window_reversal": (True, False), "padding": (1, 2)}),
        (
            "STABLEHLO_CUSTOM_CALL",
            "StablehloCustomCallOptions",
            {"custom_attributes": b"\x00\xff", "call_target_name": "é"},
        ),
        ("STABLEHLO_CUSTOM_CALL", "StablehloCustomCallOptions", {"custom_attributes": b"", "call_target_name": ""}),
    ],
)
def test_options_are_kept_field_for_field(operator: str, table: str, stated: dict[str, OptionValue]) -> None:
    x, y = tensor("x", "FLOAT32", [2]), tensor("y", "FLOAT32", [2])
    model = model_of(operator, [x], [y], options(table, **stated), version=2)
    assert described(through_text(model)) == described(model)


def test_indices_of_debug_metadata_are_kept() -> None:
    graph = addition()
    operator = replace(graph.operators[0], debug_metadata_index=4)
    custom = Operator("MINE", (1,), (2,), custom=True, debug_metadata_index=0)
    tensors = (*graph.tensors, tensor("z", "FLOAT32", [2]))
    model = Model(
        (replace(graph, tensors=tensors, operators=(operator, custom), outputs=(2,), debug_metadata_index=7),)
    )
    back = through_text(model).subgraphs[0]
    assert [entry.debug_metadata_index for entry in back.operators] == [4, 0]
    assert back.debug_metadata_index == 7


# Signatures.


def test_signatures_keep_their_order_and_inner_tensors() -> None:
    graph = addition()
    tensors = (*graph.tensors, tensor("z", "FLOAT32", [2]), tensor("w", "FLOAT32", [2]))
    second = replace(graph.operators[0], inputs=(1, 2), outputs=(3,))
    graph = replace(graph, tensors=tensors, inputs=(2, 0), outputs=(3,), operators=(*graph.operators, second))
    signature = Signature("run", 0, (("b", 0), ("a", 2)), (("out", 3), ("inner", 1)))
    back = through_text(Model((graph,), signatures=(signature,)))
    names = [tensor.name for tensor in back.subgraphs[0].tensors]
    (found,) = back.signatures
    assert [(name, names[index]) for name, index in found.inputs] == [("b", "x"), ("a", "z")]
    assert [(name, names[index]) for name, index in found.outputs] == [("out", "w"), ("inner", "y")]


def test_an_entry_for_a_tensor_that_nothing_uses_is_left_out_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    graph = addition()
    graph = replace(graph, tensors=(*graph.tensors, tensor("left behind", "FLOAT32", [2])))
    signature = Signature("run", 0, (("x", 0),), (("y", 1), ("z", 2)))
    back = through_text(Model((graph,), signatures=(signature,)))
    assert [name for name, _ in back.signatures[0].outputs] == ["y"]
    assert "signature 'run': 'z' is left out: the tensor 'left behind' is not there any more" in caplog.text


def test_a_plan_of_the_arena_is_dropped_with_a_note(caplog: pytest.LogCaptureFixture) -> None:
    metadata = (Metadata("OfflineMemoryAllocation", b"plan"), Metadata("labels", b"a"))
    with caplog.at_level(logging.INFO):
        back = through_text(Model((addition(),), metadata=metadata))
    assert [entry.name for entry in back.metadata] == ["labels"]
    assert "the arena plan in the file is dropped" in caplog.text


# Shapes that are known at run time only.


def test_an_open_batch_becomes_one_with_a_note(caplog: pytest.LogCaptureFixture) -> None:
    graph = addition(first=tensor("x", "FLOAT32", [-1, 3]), out=tensor("y", "FLOAT32", [-1, 3]))
    with caplog.at_level(logging.INFO):
        back = through_text(Model((graph,)))
    assert [tensor.shape for tensor in back.subgraphs[0].tensors] == [(1, 3), (1, 3)]
    assert "tensor 'x': the open batch becomes 1" in caplog.text


def test_other_open_sizes_are_refused_by_name() -> None:
    graph = addition(first=tensor("x", "FLOAT32", [1, -1]), out=tensor("y", "FLOAT32", [1, 3]))
    with pytest.raises(BadModelError, match=r"tensor 'x' has the dynamic shape \[1, -1\]: convert the model again"):
        import_model(Model((graph,)))


def test_an_input_that_no_operator_writes_is_refused_by_name() -> None:
    with pytest.raises(BadModelError, match="tensor 'x' is read but no operator writes it"):
        import_model(Model((replace(addition(), inputs=()),)))
