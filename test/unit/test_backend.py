"""Modules written as `.tflite` files: what was changed in the text is changed in the file, and nothing else goes."""

import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from flatbuffer_models import small_model
from one_operator import tensor, tflm_interpreter
from operator_models import constant, described, from_text, model_of, options, ramp
from test_operators import CASES
from test_spill_files import nested_hourglasses
from xdsl.context import Context
from xdsl.transforms.common_subexpression_elimination import CommonSubexpressionElimination
from xdsl.transforms.dead_code_elimination import DeadCodeElimination

from tinymo_xdsl.backend.tflite import export_model
from tinymo_xdsl.errors import BadModelError, TinymoError
from tinymo_xdsl.flatbuffer.model import Model, Operator, Subgraph, Tensor
from tinymo_xdsl.flatbuffer.reader import read_model
from tinymo_xdsl.flatbuffer.writer import write_model
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.interpreter.executor import Executor
from tinymo_xdsl.passes.form_kernels import FormKernelsPass
from tinymo_xdsl.text.diagnostics import DiagnosedError
from tinymo_xdsl.text.module import module_text
from tinymo_xdsl.tools.tinymo_translate import mlir_to_tflite

TYPED_BY_HAND = """
func.func @main(
    %x: tensor<1x3x3x1xi8> {tinymo.tensor = {name = "x", scale = array<f32: 0.5>, zero_point = array<i64: 1>}}
) -> tensor<2x1xi8> {
  %w = "tosa.const"() <{values = dense<[[[[1], [2], [3]], [[4], [5], [6]], [[7], [8], [9]]],
                                        [[[9], [8], [7]], [[6], [5], [4]], [[3], [2], [1]]]]> : tensor<2x3x3x1xi8>}>
    {tinymo.tensor = {name = "w", scale = array<f32: 0.25>}} : () -> tensor<2x3x3x1xi8>
  %b = "tosa.const"() <{values = dense<[40, -50]> : tensor<2xi32>}> {tinymo.tensor = {name = "b"}} : () -> tensor<2xi32>
  %x_zero = "tosa.const"() <{values = dense<1> : tensor<1xi8>}> : () -> tensor<1xi8>
  %w_zero = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %sums = tosa.conv2d %x, %w, %b, %x_zero, %w_zero {acc_type = i32, dilation = array<i64: 1, 1>,
    pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>}
    : (tensor<1x3x3x1xi8>, tensor<2x3x3x1xi8>, tensor<2xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x1x1x2xi32>
  %multiplier = "tosa.const"() <{values = dense<1073741824> : tensor<1xi32>}> : () -> tensor<1xi32>
  %shift = "tosa.const"() <{values = dense<33> : tensor<1xi8>}> : () -> tensor<1xi8>
  %no_zero = "tosa.const"() <{values = dense<0> : tensor<1xi32>}> : () -> tensor<1xi32>
  %y_zero = "tosa.const"() <{values = dense<-2> : tensor<1xi8>}> : () -> tensor<1xi8>
  %y = tosa.rescale %sums, %multiplier, %shift, %no_zero, %y_zero {input_unsigned = false, output_unsigned = false,
    per_channel = false, rounding_mode = DOUBLE_ROUND, scale32 = true,
    tinymo.tensor = {name = "y", scale = array<f32: 1.0>, zero_point = array<i64: -2>}}
    : (tensor<1x1x1x2xi32>, tensor<1xi32>, tensor<1xi8>, tensor<1xi32>, tensor<1xi8>) -> tensor<1x1x1x2xi8>
  %sizes = tosa.const_shape {values = dense<[2, 1]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %z = tosa.reshape %y, %sizes {tinymo.tensor = {name = "z", scale = array<f32: 1.0>, zero_point = array<i64: -2>}}
    : (tensor<1x1x1x2xi8>, !tosa.shape<2>) -> tensor<2x1xi8>
  return %z : tensor<2x1xi8>
}
"""


def to_file(text: str) -> Model:
    """The model that a text becomes, read back from its bytes."""
    return read_model(mlir_to_tflite(text.encode(), "test.mlir"), "test.tflite")


def edited(*changes: tuple[str, str]) -> str:
    """The text typed by hand with every `old` replaced by `new`."""
    text = TYPED_BY_HAND
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def named(model: Model, name: str) -> tuple[int, ...]:
    return next(entry.shape for entry in model.subgraphs[0].tensors if entry.name == name)


def scale_of(model: Model, name: str) -> list[float]:
    found = next(entry for entry in model.subgraphs[0].tensors if entry.name == name)
    assert found.quantization is not None
    return found.quantization.scale.tolist()


def operators(model: Model) -> list[str]:
    return [operator.name for graph in model.subgraphs for operator in graph.operators]


# Typed by hand: there was no file.


def test_a_module_typed_by_hand_becomes_a_file_that_runs() -> None:
    data = mlir_to_tflite(TYPED_BY_HAND.encode(), "test.mlir")
    assert operators(read_model(data, "test")) == ["CONV_2D", "RESHAPE"]
    image = ramp((1, 3, 3, 1), start=-9)
    engine = tflm_interpreter(data)
    engine.set_input(image, 0)
    engine.invoke()
    (expected,) = Executor(from_text(TYPED_BY_HAND)).run([image])
    np.testing.assert_array_equal(engine.get_output(0), expected)
    # Sums of products of -155 and -305, of which an eighth is rounded, with zero point -2.
    assert expected.ravel().tolist() == [-21, -40]


def test_a_stride_changed_in_the_text_is_changed_in_the_file() -> None:
    before = to_file(TYPED_BY_HAND).subgraphs[0].operators[0].options
    after = (
        to_file(edited(("stride = array<i64: 1, 1>", "stride = array<i64: 3, 1>"))).subgraphs[0].operators[0].options
    )
    assert (before["stride_h"], after["stride_h"]) == (1, 3)
    assert {**after, "stride_h": 1} == before


def test_a_shape_changed_in_the_text_is_changed_in_the_file() -> None:
    changed = to_file(edited(("[2, 1]", "[1, 2]"), ("tensor<2x1xi8>", "tensor<1x2xi8>")))
    assert named(to_file(TYPED_BY_HAND), "z") == (2, 1)
    assert named(changed, "z") == (1, 2)


def test_a_scale_changed_in_the_text_with_its_shift_is_changed_in_the_file() -> None:
    changed = to_file(edited(("array<f32: 1.0>", "array<f32: 2.0>"), ("dense<33>", "dense<34>")))
    assert scale_of(to_file(TYPED_BY_HAND), "y") == [1.0]
    assert scale_of(changed, "y") == [2.0]


# What the ops and the facts say must be the same thing.


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("array<f32: 1.0>", "array<f32: 2.0>", "'tosa.rescale': a constant holds 33 at 0 where the facts give 34"),
        ("dense<33>", "dense<35>", "'tosa.rescale': a constant holds 35 at 0 where the facts give 33"),
        ("array<i64: -2>", "array<i64: 3>", "'tosa.rescale': a constant holds -2 at 0 where the facts give 3"),
        ("dense<1> ", "dense<9> ", "'tosa.conv2d': a constant holds 9 at 0 where the facts give 1"),
        ("DOUBLE_ROUND", "SINGLE_ROUND", "'tosa.rescale' has rounding_mode = #tosa.rounding_mode<SINGLE_ROUND> where"),
        ('"w", scale = array<f32: 0.25>', '"w"', "the weights need scales and one zero point"),
        ('"x", scale = array<f32: 0.5>', '"x"', "tensor 'x' has 0 scales, exactly one is needed here"),
        ("array<f32: 0.5>", "array<f32: 0.0>", "tensor 'x' has the scale 0.0, which must be positive"),
    ],
)
def test_what_contradicts_itself_is_refused_by_name(old: str, new: str, message: str) -> None:
    refusal = f"'y' cannot be written as one operator of a .tflite file: CONV_2D: {message}"
    with pytest.raises(BadModelError, match=re.escape(refusal)):
        to_file(edited((old, new)))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("array<f32: 0.5>", "array<f64: 0.5>", "'scale' in 'tinymo.tensor' of 'x' must be an array<f32: ...>"),
        ("array<f32: 0.5>", "0.5 : f32", "'scale' in 'tinymo.tensor' of 'x' must be an array<f32: ...>"),
        ("array<f32: 0.5>", "array<f32: 0x7F800000>", "'scale' in 'tinymo.tensor' of 'x' must be an array of finite"),
        ("array<i64: 1>}", "array<f32: 1.0>}", "'zero_point' in 'tinymo.tensor' of 'x' must be an array of integers"),
        ('name = "w"', 'nome = "w"', "'name' in 'tinymo.tensor' must be given, a string"),
        ('name = "w"', 'name = "w", shap = array<i64: 1>', "'tinymo.tensor' of 'w' has no entry called 'shap'"),
        ('{name = "w"', '[{name = "w"', None),
        ('{name = "b"}', "3", "'tinymo.tensor' must be a dictionary, not 3"),
        ('{name = "b"}', '{name = "b", dtype = "INT33"}', "'INT33' is not a data type of the schema"),
        ('{name = "z"', '{name = "z", dtype = 8', "'dtype' in 'tinymo.tensor' of 'z' must be a string"),
    ],
)
def test_facts_that_say_nothing_are_refused(old: str, new: str, message: str | None) -> None:
    with pytest.raises(TinymoError, match=message and re.escape(message)):
        to_file(edited((old, new)))


OPERATOR_FACTS = [
    ('name = "CONV_2D", options = {stride = 1 : i64}', "'y': Conv2DOptions has no field 'stride'"),
    ('options = {fused_activation_function = "RELU7"}', "CONV_2D: 'RELU7' is no fused activation function"),
    ('options = {fused_activation_function = "RELU"}', "CONV_2D: a 'tosa.rescale' stands where the operator has a"),
    ('options_type = "Conv9DOptions"', "'y': the schema has no options table 'Conv9DOptions'"),
    ("version = 1.5 : f32", "'y': 'version' in 'tinymo.operator' must be an integer"),
    ("versoin = 2 : i64", "'y': 'tinymo.operator' has no entry called 'versoin'"),
    (
        "options = {padding = [1]}",
        "'y': the options of 'tinymo.operator' hold numbers, strings and arrays, not [1 : i64]",
    ),
    ("result = array<i64: 0>", "'y': 'result' in 'tinymo.operator' must be an array of two integers"),
    ("custom = true", "'y': 'custom' in 'tinymo.operator' must be a unit attribute"),
    ('name = "SOFTMAX"', None),
    ("result = array<i64: 0, 0>", None),
    ("result = array<i64: 5, 9>", None),
]


@pytest.mark.parametrize(("facts", "message"), OPERATOR_FACTS)
def test_facts_of_operators_are_checked(facts: str, message: str | None) -> None:
    text = edited(('tinymo.tensor = {name = "y"', f'tinymo.operator = {{{facts}}}, tinymo.tensor = {{name = "y"'))
    if message is None:
        assert operators(to_file(text))[0] == "CONV_2D"
        return
    with pytest.raises(BadModelError, match=re.escape(message)):
        to_file(text)


# What has no facts is in no file.


def test_a_module_without_facts_says_which_are_needed() -> None:
    text = "func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> { return %x : tensor<4xf32> }"
    with pytest.raises(BadModelError, match=r"^%x states no TFLite facts: .* name, scale and zero point"):
        to_file(text)


def test_an_op_that_is_no_operator_is_named() -> None:
    text = """
    func.func @main(%x: tensor<4xf32> {tinymo.tensor = {name = "x"}}) -> tensor<4xf32> {
      %y = tosa.erf %x {tinymo.tensor = {name = "y"}} : (tensor<4xf32>) -> tensor<4xf32>
      return %y : tensor<4xf32>
    }"""
    with pytest.raises(
        BadModelError, match=r"^'y' cannot be written as one operator .*: no operator is made of tosa.erf"
    ):
        to_file(text)


def test_a_custom_op_of_another_domain_is_refused() -> None:
    text = """
    func.func @main(%x: tensor<4xf32> {tinymo.tensor = {name = "x"}}) -> tensor<4xf32> {
      %y = tosa.custom %x {domain_name = "mine", implementation_attrs = "", operator_name = "FFT",
        tinymo.tensor = {name = "y"}} : (tensor<4xf32>) -> tensor<4xf32>
      return %y : tensor<4xf32>
    }"""
    with pytest.raises(BadModelError, match=r"^'y': custom ops of domain 'mine' are no operators of a .tflite file"):
        to_file(text)


def test_a_type_that_no_file_has_is_refused_by_name() -> None:
    text = """
    func.func @main(%x: tensor<4xi48> {tinymo.tensor = {name = "x"}}) -> tensor<4xi48> {
      %y = tosa.custom %x {domain_name = "TFL", implementation_attrs = "", operator_name = "NEG",
        tinymo.tensor = {name = "y"}} : (tensor<4xi48>) -> tensor<4xi48>
      return %y : tensor<4xi48>
    }"""
    with pytest.raises(BadModelError, match=r"^tensor 'x': a .tflite file has no data type for elements of i48"):
        to_file(text)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ("metadata = [3]", "an entry of 'tinymo.model' must be a dictionary, not 3"),
        ('metadata = [{name = "a"}]', "'data' in 'tinymo.model' must be a dense tensor of bytes"),
        ('description = "edited"', None),
        ('versoin = "x"', "'tinymo.model' has no entry called 'versoin'"),
        ('signatures = [{key = "k", subgraph = 3 : i64}]', "signature 'k' names subgraph 3, which does not exist"),
        (
            'signatures = [{key = "k", inputs = [{name = "a", position = 1 : i64}]}]',
            "signature 'k': 'a' has no position of 0 to 0",
        ),
        ('signatures = [{key = "k", inputs = [{name = "a"}]}]', "signature 'k': 'a' has no position of 0 to 0"),
    ],
)
def test_facts_of_the_model_are_checked(facts: str, message: str | None) -> None:
    text = f"module attributes {{tinymo.model = {{{facts}}}}} {{{TYPED_BY_HAND}}}"
    if message is None:
        assert to_file(text).description == "edited"
        return
    with pytest.raises(BadModelError, match=re.escape(message)):
        to_file(text)


# Operators that passes have taken apart.


def two_results(name: str, shape: tuple[int, ...], first: Tensor | None, table: tuple[str, Any]) -> Model:
    """SPLIT or UNPACK of x into three parts, of which only the first two are returned."""
    inputs = [*([] if first is None else [first]), tensor("x", "INT8", (2, 3), 0.5)]
    model = model_of(name, inputs, [tensor(f"part{index}", "INT8", shape, 0.5) for index in range(3)], table)
    graph = model.subgraphs[0]
    return replace(model, subgraphs=(replace(graph, outputs=graph.outputs[:2]),))


SPLIT = two_results("SPLIT", (2, 1), constant("axis", "INT32", 1), options("SplitOptions", num_splits=3))
UNPACK = two_results("UNPACK", (2,), None, options("UnpackOptions", num=3, axis=1))


@pytest.mark.parametrize(("model", "names"), [(SPLIT, ["SLICE"] * 2), (UNPACK, ["STRIDED_SLICE"] * 2)])
def test_the_parts_that_are_left_become_slices(model: Model, names: list[str]) -> None:
    module = import_model(model)
    assert operators(export_model(module)) == [model.subgraphs[0].operators[0].name]
    DeadCodeElimination().apply(Context(), module)
    left = write_model(export_model(module))
    assert operators(read_model(left, "test")) == names
    data = ramp((2, 3))
    engine = tflm_interpreter(left)
    engine.set_input(data, 0)
    engine.invoke()
    for position in range(2):
        np.testing.assert_array_equal(engine.get_output(position).ravel(), data[:, position])


def test_kernels_that_share_ops_become_operators_of_their_own() -> None:
    """Both additions widen the same tensor to the same scale: `cse` does that once."""
    parts = [tensor(name, "INT8", [4], scale) for name, scale in (("a", 0.5), ("b", 0.25), ("y", 1.0), ("z", 1.0))]
    add = options("AddOptions", pot_scale_int16=False)
    both = tuple(Operator("ADD", inputs, (2 + at,), 1, False, *add) for at, inputs in enumerate([(0, 1), (1, 0)]))
    model = Model((Subgraph(tuple(parts), (0, 1), (2, 3), both, "main"),))
    module = import_model(model)
    CommonSubexpressionElimination().apply(Context(), module)
    with pytest.raises(BadModelError, match="cannot be written as one operator"):
        export_model(module)
    FormKernelsPass().apply(Context(), module)
    module.verify()
    assert described(export_model(module)) == described(model)


# Any change of the text gives a file or one line, never a crash.


def mutations(text: str, generator: random.Random) -> Iterator[str]:
    """Texts in which one token stands where another one of its kind stood."""
    tokens = list(re.finditer(r'"[^"]*"|array<[^>]*>|%\w+|-?\d+|true|false|i8|i32', text))
    for _ in range(40):
        old = generator.choice(tokens)
        alike = [token[0] for token in tokens if token[0][:3] == old[0][:3] or token[0][0] == old[0][0] == "%"]
        new = generator.choice([*alike, *(["0", "7", "-1", "999999999999"] if old[0].lstrip("-").isdigit() else [])])
        yield text[: old.start()] + new + text[old.end() :]


def outcome(text: str) -> str | None:
    """What becomes of a text: `file`, the refusal, or `None` where it does not even parse or verify."""
    try:
        mlir_to_tflite(text.encode(), "test.mlir")
    except DiagnosedError:
        return None
    except TinymoError as error:
        return str(error)
    return "file"


@pytest.mark.parametrize("seed", range(12))
def test_a_mutated_text_gives_a_file_or_one_line(seed: int) -> None:
    generator = random.Random(seed)
    model = small_model() if seed == 0 else generator.choice(CASES).model
    outcomes = Counter(map(outcome, mutations(module_text(import_model(model)), generator)))
    assert outcomes["file"]
    assert not any(line is not None and "\n" in line for line in outcomes)


# The ops of the TinyMo dialect.

SPILLED = """
func.func @main(%x: tensor<1x4xi8> {tinymo.tensor = {name = "x"}}) -> tensor<1x4xi8> {
  %handle = tinymo.spill %x {memory = "psram"} : tensor<1x4xi8> -> !tinymo.spilled<tensor<1x4xi8>>
  %y = tinymo.reload %handle {tinymo.tensor = {name = "y"}} : !tinymo.spilled<tensor<1x4xi8>> -> tensor<1x4xi8>
  return %y : tensor<1x4xi8>
}
"""


def test_spilling_is_a_custom_operator_with_a_token() -> None:
    model = to_file(SPILLED)
    graph = model.subgraphs[0]
    assert operators(model) == ["TINYMO_SPILL", "TINYMO_RELOAD"]
    assert all(operator.custom for operator in graph.operators)
    token = graph.tensors[graph.operators[0].outputs[0]]
    assert (token.name, token.dtype, token.shape) == ("x/spilled", "INT32", (1,))
    assert graph.operators[1].inputs == graph.operators[0].outputs
    assert described(to_file(module_text(import_model(model)))) == described(model)


def test_writing_leaves_the_users_of_values_alone() -> None:
    """Operators are recognized by making them again from the values of the module."""
    module = import_model(nested_hourglasses())
    values = [value for op in module.walk() for value in op.results]
    before = [len(list(value.uses)) for value in values]
    export_model(module)
    assert [len(list(value.uses)) for value in values] == before


def test_a_split_is_refused_with_the_passes_that_help() -> None:
    text = """
    func.func @main(%x: tensor<1x4xi8> {tinymo.tensor = {name = "x"}}) -> tensor<1x2xi8> {
      %y = tinymo.split %x {axis = 1, windows = [[0, 2]], tinymo.tensor = {name = "y"}}
        : tensor<1x4xi8> -> (tensor<1x2xi8>)
      return %y : tensor<1x2xi8>
    }"""
    with pytest.raises(BadModelError, match=r"^'y': a .tflite file has no 'tinymo.split'; run form-kernels,legalize"):
        to_file(text)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ("3", "'tinymo.subgraph' must be a dictionary, not 3"),
        ("{name = 3}", "'name' in 'tinymo.subgraph' must be a string"),
        ('{nome = "a"}', "'tinymo.subgraph' has no entry called 'nome'"),
    ],
)
def test_facts_of_the_subgraph_are_checked(facts: str, message: str) -> None:
    text = edited((") -> tensor<2x1xi8> {", f") -> tensor<2x1xi8> attributes {{tinymo.subgraph = {facts}}} {{"))
    with pytest.raises(BadModelError, match=re.escape(message)):
        to_file(text)
