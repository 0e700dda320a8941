"""Subgraphs that an operator runs, and the operators that loops over rows are made of, against TFLite Micro."""

from collections.abc import Sequence

import numpy as np
import pytest
from one_operator import Array, one_operator, run_in_tflm, tensor
from operator_models import constant, ints, options
from xdsl.context import Context

from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.flatbuffer.model import Model, Operator, Subgraph, Tensor
from tinymo_xdsl.flatbuffer.reader import read_model
from tinymo_xdsl.flatbuffer.writer import write_model
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.interpreter import control_flow
from tinymo_xdsl.interpreter.executor import run_function
from tinymo_xdsl.passes.bufferize import BufferizePass
from tinymo_xdsl.passes.form_kernels import FormKernelsPass
from tinymo_xdsl.passes.plan_memory import PlanMemoryPass

ROWS, COLUMNS = 6, 4
IMAGE = np.arange(-12, 12, dtype=np.int8).reshape(1, ROWS, COLUMNS, 1)


def interpreted(model: bytes, *inputs: Array) -> Array:
    return run_function(import_model(read_model(model)), inputs)[0]


def operator(name: str, inputs: Sequence[int], output: int, table: str | None = None, **stated: int) -> Operator:
    fields = {} if table is None else options(table, **stated)[1]
    return Operator(name, tuple(inputs), (output,), options_type=table, options=fields)


def loop_over_rows(step: int = 2) -> Model:
    """Stripes of two rows of an image are doubled and put into a new image, in a loop over the first row."""
    row, image, made = tensor("row", "INT32", (1,)), (1, ROWS, COLUMNS, 1), (1, 2, COLUMNS, 1)
    whole = tensor("image", "INT8", image, 0.5)
    start = [constant("zero", "INT32", [0]), ints("shape", *image), constant("filler", "INT8", 3)]
    main = Subgraph(
        (whole, *start, tensor("empty", "INT8", image, 0.5), row, whole, tensor("result", "INT8", image, 0.5)),
        (0,),
        (7,),
        (
            operator("FILL", (2, 3), 4, "FillOptions"),
            Operator(
                "WHILE",
                (1, 0, 4),
                (5, 6, 7),
                options_type="WhileOptions",
                options={"cond_subgraph_index": 1, "body_subgraph_index": 2},
            ),
        ),
    )
    condition = Subgraph(
        (row, whole, whole, constant("rows", "INT32", [ROWS]), tensor("goes_on", "BOOL", (1,))),
        (0, 1, 2),
        (4,),
        (operator("LESS", (0, 3), 4, "LessOptions"),),
    )
    body = Subgraph(
        (
            *(row, whole, whole),
            constant("zeros", "INT32", [0]),
            ints("size", *made),
            constant("step", "INT32", [step]),
            *(tensor("begin", "INT32", (4,)), tensor("stripe", "INT8", made, 0.5)),
            *(tensor("doubled", "INT8", made, 0.5), tensor("next", "INT8", image, 0.5), tensor("after", "INT32", (1,))),
        ),
        (0, 1, 2),
        (10, 1, 9),
        (
            operator("CONCATENATION", (3, 0, 3, 3), 6, "ConcatenationOptions", axis=0),
            operator("SLICE", (1, 6, 4), 7, "SliceOptions"),
            operator("ADD", (7, 7), 8, "AddOptions"),
            operator("DYNAMIC_UPDATE_SLICE", (2, 8, 6), 9, "DynamicUpdateSliceOptions"),
            operator("ADD", (0, 5), 10, "AddOptions"),
        ),
    )
    return Model((main, condition, body))


def test_a_loop_over_stripes_of_rows_equals_tflite_micro() -> None:
    model = write_model(loop_over_rows())
    result = interpreted(model, IMAGE)
    np.testing.assert_array_equal(result, run_in_tflm(model, IMAGE))
    np.testing.assert_array_equal(result, 2 * IMAGE)


def test_a_loop_runs_in_arenas() -> None:
    """Each subgraph has an arena of its own, in every round."""
    module = import_model(loop_over_rows())
    for pass_ in (FormKernelsPass(), BufferizePass(sharing="all"), PlanMemoryPass()):
        pass_.apply(Context(), module)
    module.verify()
    np.testing.assert_array_equal(run_function(module, (IMAGE,))[0], 2 * IMAGE)


def test_an_endless_loop_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_flow, "MOST_ROUNDS", 50)
    with pytest.raises(BadModelError, match="WHILE that yields 'row': the loop has not ended after 50 rounds"):
        interpreted(write_model(loop_over_rows(step=0)), IMAGE)


def test_a_subgraph_that_runs_itself_is_an_error() -> None:
    """The reader of files refuses such; a module in text may hold it."""
    again = operator("WHILE", (0,), 1, "WhileOptions", cond_subgraph_index=0, body_subgraph_index=0)
    module = import_model(
        Model((Subgraph((tensor("x", "BOOL", (1,)), tensor("y", "BOOL", (1,))), (0,), (1,), (again,)),))
    )
    with pytest.raises(BadModelError, match="WHILE that yields 'y': the subgraph that it runs leads to it again"):
        run_function(module, [np.array([True])])


@pytest.mark.parametrize("chosen", [True, False])
def test_a_condition_chooses_the_subgraph(chosen: bool) -> None:
    x, y = tensor("x", "FLOAT32", (3,)), tensor("y", "FLOAT32", (3,))
    main = Subgraph(
        (tensor("chosen", "BOOL", (1,)), x, y),
        (0, 1),
        (2,),
        (operator("IF", (0, 1), 2, "IfOptions", then_subgraph_index=1, else_subgraph_index=2),),
    )
    branches = [Subgraph((x, y), (0,), (1,), (operator(name, (0,), 1),)) for name in ("RELU", "RELU6")]
    model = write_model(Model((main, *branches)))
    inputs = np.array([chosen]), np.array([-3, 3, 9], np.float32)
    np.testing.assert_array_equal(interpreted(model, *inputs), run_in_tflm(model, *inputs))
    assert interpreted(model, *inputs)[2] == (9 if chosen else 6)


def slice_of(dtype: str, begin: Tensor, size: Sequence[int], to: Sequence[int]) -> bytes:
    inputs = [tensor("x", dtype, (2, 5, 3)), begin, ints("size", *size, dtype=begin.dtype)]
    return one_operator("SLICE", inputs, tensor("y", dtype, to), options("SliceOptions"))


@pytest.mark.parametrize("dtype", ["INT8", "INT16", "FLOAT32", "INT32", "BOOL"])
@pytest.mark.parametrize("index", ["INT32", "INT64"])
def test_a_slice_at_a_place_known_at_run_time(dtype: str, index: str) -> None:
    x = np.arange(30).reshape(2, 5, 3).astype({"BOOL": "bool"}.get(dtype, dtype.lower()))
    begin = np.array([1, 2, 0], index.lower())
    model = slice_of(dtype, tensor("begin", index, (3,)), (1, -1, 2), (1, 3, 2))
    np.testing.assert_array_equal(interpreted(model, x, begin), run_in_tflm(model, x, begin))


def test_a_slice_that_leaves_its_input_is_an_error() -> None:
    model = slice_of("INT8", tensor("begin", "INT32", (3,)), (1, 3, 2), (1, 3, 2))
    with pytest.raises(BadModelError, match=r"SLICE that yields 'y': from \[0, 3, 0\] the size \[1, 3, 2\] is outside"):
        interpreted(model, np.zeros((2, 5, 3), np.int8), np.array([0, 3, 0], np.int32))


@pytest.mark.parametrize("dtype", ["INT8", "FLOAT32", "INT32"])
@pytest.mark.parametrize("begin", [(0, 1, 2), (9, -4, 1)])
def test_an_update_is_moved_until_it_fits(dtype: str, begin: tuple[int, ...]) -> None:
    tensors = [tensor("x", dtype, (2, 5, 3)), tensor("update", dtype, (1, 2, 2)), tensor("begin", "INT32", (3,))]
    model = one_operator("DYNAMIC_UPDATE_SLICE", tensors, tensor("y", dtype, (2, 5, 3)))
    x = np.arange(30).reshape(2, 5, 3).astype(dtype.lower())
    inputs = x, np.array([[[50, 51], [52, 53]]], x.dtype), np.array(begin, np.int32)
    np.testing.assert_array_equal(interpreted(model, *inputs), run_in_tflm(model, *inputs))


@pytest.mark.parametrize("dtype", ["INT8", "FLOAT32", "INT32"])
def test_a_shape_is_filled(dtype: str) -> None:
    tensors = [ints("shape", 2, 3), tensor("value", dtype, ())]
    model = one_operator("FILL", tensors, tensor("y", dtype, (2, 3)), options("FillOptions"))
    value = np.array(7, dtype.lower())
    np.testing.assert_array_equal(interpreted(model, value), run_in_tflm(model, value))


@pytest.mark.parametrize("name", ["ADD", "MUL", "SUB"])
@pytest.mark.parametrize("activation", range(4))
def test_sums_and_products_of_plain_integers_wrap(name: str, activation: int) -> None:
    tensors = [tensor("a", "INT32", (2, 3)), tensor("b", "INT32", (3,))]
    table = options(f"{name.capitalize()}Options", fused_activation_function=activation)
    model = one_operator(name, tensors, tensor("y", "INT32", (2, 3)), table)
    inputs = np.array([[-9, 0, 2], [3, 2**31 - 1, 50]], np.int32), np.array([5, 4, -1], np.int32)
    np.testing.assert_array_equal(interpreted(model, *inputs), run_in_tflm(model, *inputs))


@pytest.mark.parametrize("dtype", ["FLOAT32", "INT32", "INT64"])
def test_less(dtype: str) -> None:
    tensors = [tensor("a", dtype, (2, 3)), tensor("b", dtype, (3,))]
    model = one_operator("LESS", tensors, tensor("y", "BOOL", (2, 3)), options("LessOptions"))
    inputs = np.array([[-9, 0, 2], [3, 7, 50]], dtype.lower()), np.array([5, 0, 1], dtype.lower())
    np.testing.assert_array_equal(interpreted(model, *inputs), run_in_tflm(model, *inputs))
