"""Running whole modules: variables, listeners, errors for people."""

import numpy as np
import pytest
from modules_in_text import SPLIT, STATE, in_main, parse
from xdsl.dialects.builtin import UnrealizedConversionCastOp
from xdsl.interpreter import OpCounter
from xdsl.rewriter import Rewriter

from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.interpreter.executor import Executor, run_and_observe, run_function


def test_variables_live_as_long_as_the_executor() -> None:
    executor = Executor(parse(STATE))
    one = np.ones(2, np.int32)
    assert [executor.run([one])[0].tolist() for _ in range(3)] == [[101, 101], [102, 102], [103, 103]]
    assert Executor(parse(STATE)).run([one])[0].tolist() == [101, 101]


def test_variables_of_tosa_start_at_their_declared_value() -> None:
    executor = Executor(
        parse("""module {
  tosa.variable @sum = dense<7> : tensor<2xi32>
  tosa.variable @last : tensor<2xi32>
  func.func @main(%x : tensor<2xi32>) -> (tensor<2xi32>, tensor<2xi32>) {
    %last = tosa.variable_read @last : tensor<2xi32>
    %old = tosa.variable_read @sum : tensor<2xi32>
    %new = tosa.add %old, %x : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi32>
    tosa.variable_write @sum, %new : tensor<2xi32>
    tosa.variable_write @last, %x : tensor<2xi32>
    return %new, %last : tensor<2xi32>, tensor<2xi32>
  }
}""")
    )
    one = np.ones(2, np.int32)
    results = [[output.tolist() for output in executor.run([one])] for _ in range(2)]
    assert results == [[[8, 8], [0, 0]], [[9, 9], [1, 1]]]


def test_a_variable_that_was_never_assigned_holds_its_zero_point() -> None:
    module = in_main(
        "",
        "tensor<2xi8>",
        """
    %h = tosa.custom {domain_name = "TFL", implementation_attrs = "", operator_name = "VAR_HANDLE",
      tinymo.operator = {options = {shared_name = "v"}}} : () -> tensor<i32>
    %v = tosa.custom %h {domain_name = "TFL", implementation_attrs = "", operator_name = "READ_VARIABLE",
      tinymo.tensor = {name = "v", scale = array<f32: 1.0>, zero_point = array<i64: -7>}}
      : (tensor<i32>) -> tensor<2xi8>
    return %v : tensor<2xi8>""",
    )
    assert run_function(module, [])[0].tolist() == [-7, -7]


@pytest.mark.parametrize(
    ("operator", "message"),
    [
        ("TINY_FFT", "TINY_FFT that yields 'spectrum': the interpreter does not know this operator"),
        ("READ_VARIABLE", "READ_VARIABLE that yields 'spectrum': input 0 is missing"),
    ],
)
def test_an_unknown_operator_is_named_without_the_text_of_the_module(operator: str, message: str) -> None:
    operands = "" if operator == "READ_VARIABLE" else "%x "
    module = in_main(
        "%x : tensor<2xi8>",
        "tensor<2xi8>",
        f"""%y = tosa.custom {operands}{{domain_name = "TFL", implementation_attrs = "", operator_name = "{operator}",
        tinymo.tensor = {{name = "spectrum"}}}} : ({"tensor<2xi8>" if operands else ""}) -> tensor<2xi8>
        return %y : tensor<2xi8>""",
    )
    with pytest.raises(BadModelError) as caught:
        run_function(module, [np.zeros(2, np.int8)])
    assert str(caught.value) == message
    assert not caught.value.__notes__


def test_an_op_of_another_dialect_is_named() -> None:
    module = in_main(
        "%x : tensor<2xi8>",
        "tensor<2xi8>",
        "%y = func.call @main(%x) : (tensor<2xi8>) -> tensor<2xi8>\nreturn %y : tensor<2xi8>",
    )
    call = next(iter(module.ops)).body.block.first_op
    foreign = UnrealizedConversionCastOp.get([call.operands[0]], [call.results[0].type])
    call.results[0].replace_all_uses_with(foreign.results[0])
    Rewriter.replace_op(call, foreign)
    with pytest.raises(BadModelError, match=r"'builtin\.unrealized_conversion_cast' that yields"):
        run_function(module, [np.zeros(2, np.int8)])


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([], "takes 1 inputs, not 0"),
        ([np.zeros((1, 4, 3), np.int8)], r"input 'x' is tensor<1x4x2xi8>, not int8 of shape \(1, 4, 3\)"),
        ([np.zeros((1, 4, 2), np.uint8)], "not uint8"),
    ],
)
def test_inputs_must_fit(inputs: list[np.ndarray], message: str) -> None:
    with pytest.raises(BadModelError, match=message):
        run_function(parse(SPLIT), inputs)


def test_a_missing_function_is_named() -> None:
    with pytest.raises(BadModelError, match="no function 'init'"):
        run_function(parse(SPLIT), [], "init")


def test_constants_and_other_functions_are_not_observed() -> None:
    module = parse("""module {
  func.func @main(%x : tensor<2xi8> {tinymo.tensor = {name = "x"}}) -> tensor<1x2xi8> {
    %c = "tosa.const"() <{values = dense<1> : tensor<2xi8>}> {tinymo.tensor = {name = "weights"}} : () -> tensor<2xi8>
    %s = tosa.const_shape {tinymo.tensor = {name = "shape"}, values = dense<[1, 2]> : tensor<2xindex>}
      : () -> !tosa.shape<2>
    %0 = func.call @other(%c) : (tensor<2xi8>) -> tensor<2xi8>
    %1 = tosa.maximum %0, %x {tinymo.tensor = {name = "largest"}} : (tensor<2xi8>, tensor<2xi8>) -> tensor<2xi8>
    %2 = tosa.reshape %1, %s : (tensor<2xi8>, !tosa.shape<2>) -> tensor<1x2xi8>
    return %2 : tensor<1x2xi8>
  }
  func.func @other(%x : tensor<2xi8>) -> tensor<2xi8> {
    %0 = tosa.bitwise_not %x {tinymo.tensor = {name = "elsewhere"}} : (tensor<2xi8>) -> tensor<2xi8>
    return %0 : tensor<2xi8>
  }
}""")
    outputs, tensors = run_and_observe(module, [np.array([-5, 5], np.int8)])
    assert outputs[0].tolist() == [[-2, 5]]
    assert {name: array.tolist() for name, array in tensors.items()} == {"x": [-5, 5], "largest": [-2, 5]}


def test_listeners_see_every_op() -> None:
    counter = OpCounter()
    run_function(parse(SPLIT), [np.zeros((1, 4, 2), np.int8)], listener=counter)
    assert counter.ops["tosa.maximum"] == 1
    assert counter.ops["tinymo.split"] == 2
