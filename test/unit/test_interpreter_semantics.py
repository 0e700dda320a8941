"""The check that a pass changes no value."""

import numpy as np
import pytest
from modules_in_text import SPLIT, STATE, in_main, parse

from tinymo_xdsl.dialects.tosa import CustomOp
from tinymo_xdsl.errors import OutputsDifferError
from tinymo_xdsl.interpreter.executor import find_function
from tinymo_xdsl.interpreter.semantics import check_same, random_inputs


def test_equal_modules_pass_and_a_changed_one_is_named() -> None:
    before = parse(SPLIT)
    check_same(before, before.clone(), seeds=(0, 1), pass_name="split-sepconv")
    broken = parse(SPLIT.replace("tosa.maximum", "tosa.minimum"))
    with pytest.raises(
        OutputsDifferError, match=r"split-sepconv changes @main: tensor 'largest' at \[0, 0, 0\] is"
    ) as caught:
        check_same(before, broken, pass_name="split-sepconv")
    assert "\n" not in str(caught.value)


def test_a_tensor_that_only_one_module_has_is_not_compared() -> None:
    renamed = parse(SPLIT.replace("tosa.maximum", "tosa.minimum").replace('"largest"', '"least"'))
    with pytest.raises(OutputsDifferError, match="tensor 'y'"):
        check_same(parse(SPLIT), renamed)


def test_floats_are_compared_bit_by_bit() -> None:
    text = """func.func @main(%x : tensor<4xf32>) -> tensor<4xf32> {{
        %y = tosa.{op} %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
        return %y : tensor<4xf32>
    }}"""
    with pytest.raises(OutputsDifferError, match="output 0"):
        check_same(parse(text.format(op="add")), parse(text.format(op="maximum")))
    check_same(parse(text.format(op="minimum")), parse(text.format(op="maximum")))


def test_the_sign_of_zero_counts_and_nan_equals_itself() -> None:
    """ceil of what lies between -1 and 0 is -0.0, whose absolute value is 0.0; the logarithm of it is no number."""
    text = """func.func @main(%x : tensor<64xf32>) -> tensor<64xf32> {{
        %c = tosa.ceil %x : (tensor<64xf32>) -> tensor<64xf32>
        %y = tosa.{op} %c : (tensor<64xf32>) -> tensor<64xf32>
        return %y : tensor<64xf32>
    }}"""
    with pytest.raises(OutputsDifferError, match=r"is -0\.0 before, 0\.0 after"):
        check_same(parse(text.format(op="floor")), parse(text.format(op="abs")))
    not_a_number = parse(text.format(op="log").replace("tosa.ceil", "tosa.floor"))
    check_same(not_a_number, not_a_number.clone())


def test_a_lost_assignment_shows_in_the_second_run() -> None:
    before, after = parse(STATE), parse(STATE)
    main = find_function(after, "main")
    assign = next(op for op in main.body.ops if isinstance(op, CustomOp) and op.operator_name.data == "ASSIGN_VARIABLE")
    assign.detach()
    check_same(before, parse(STATE))
    with pytest.raises(OutputsDifferError, match="output 0"):
        check_same(before, after)


def test_random_inputs_cover_the_range_and_repeat() -> None:
    module = in_main("%a : tensor<4096xi8>, %b : tensor<?x4096xf32>, %c : tensor<64xi32>", "", "return")
    first, again, other = (random_inputs(find_function(module, "main"), seed) for seed in (0, 0, 1))
    assert (first[0].min(), first[0].max()) == (-128, 127)
    assert first[1].shape == (1, 4096)
    assert -1 <= first[1].min() < -0.9 < 0.9 < first[1].max() <= 1
    assert set(first[2].tolist()) == {0, 1}
    np.testing.assert_array_equal(first[0], again[0])
    assert (first[0] != other[0]).any()
