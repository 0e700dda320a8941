"""The models that the operators' tests are made of, as C: they compute what the interpreter computes."""

from pathlib import Path
from typing import cast

import pytest
import test_operators
import test_operators_elementwise
import test_operators_rearrangement
import test_operators_reduction
from c_libraries import assert_same, executor, library_or_none, load_libraries, random_inputs
from operator_cases import Case

from tinymo_xdsl.backend.c.library import Library

MODULES = (test_operators, test_operators_elementwise, test_operators_rearrangement, test_operators_reduction)
IN_C = {
    *("ABS", "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "EQUAL", "EXPAND_DIMS"),
    *("FULLY_CONNECTED", "GREATER", "GREATER_EQUAL", "HARD_SWISH", "LEAKY_RELU", "LESS", "LESS_EQUAL", "LOGISTIC"),
    *("MAXIMUM", "MAX_POOL_2D", "MEAN", "MINIMUM", "MUL", "NEG", "PACK", "PAD", "PRELU", "QUANTIZE", "REDUCE_MAX"),
    *("REDUCE_MIN", "RELU", "RELU6", "RESHAPE", "RESIZE_NEAREST_NEIGHBOR", "SLICE", "SPLIT", "SPLIT_V"),
    *("SQUARED_DIFFERENCE", "SQUEEZE", "STRIDED_SLICE", "SUB", "SUM", "TANH", "TRANSPOSE", "TRANSPOSE_CONV", "UNPACK"),
}
"""Operators of which at least one form has C."""


def cases() -> list[Case]:
    """All of them, each once."""
    lists = [
        cast("list[object]", value) for module in MODULES for value in vars(module).values() if type(value) is list
    ]
    return list({id(case): case for entries in lists for case in entries if isinstance(case, Case)}.values())


@pytest.fixture(scope="module")
def libraries() -> dict[str, tuple[Case, Library]]:
    """The cases that have C, by a prefix."""
    compiled = [(case, library_or_none(case.model)) for case in cases()]
    return {f"case_{n}": (case, library) for n, (case, library) in enumerate(compiled) if library is not None}


def test_operators_in_c_compute_what_the_interpreter_computes(
    libraries: dict[str, tuple[Case, Library]], tmp_path: Path
) -> None:
    """Whatever has no C says so in an error for people."""
    loaded = load_libraries({prefix: library for prefix, (_, library) in libraries.items()}, tmp_path)
    for prefix, (case, library) in libraries.items():
        expected = executor(case.model)
        for seed in range(4):
            inputs = random_inputs(library, seed)
            try:
                assert_same(loaded[prefix].run(inputs), expected.run(inputs), library)
            except AssertionError as error:
                pytest.fail(f"{case.name}: {error}")


def test_the_operators_that_are_said_to_have_c_have_it(libraries: dict[str, tuple[Case, Library]]) -> None:
    assert {case.model.subgraphs[0].operators[0].name for case, _ in libraries.values()} >= IN_C
