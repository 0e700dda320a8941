"""Operators that TOSA has no words for."""

from math import prod
from typing import Final

import numpy as np
from xdsl.ir import SSAValue

from tinymo_xdsl.backend.c.body import Body, dtype_of, shape_of
from tinymo_xdsl.backend.c.kernels.softmax import SoftmaxRow, SoftmaxRowOf16Bits
from tinymo_xdsl.backend.c.layer import Layer, Operand, RowFunction, Table, Value
from tinymo_xdsl.backend.c.lowering.recurrent import lstm
from tinymo_xdsl.backend.c.rows import Window
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.facts import operator_facts, tensor_facts
from tinymo_xdsl.numerics.softmax import (
    difference_multiplier,
    exponential_table,
    exponentials_of_differences,
    reciprocal_table,
)

_DIFFERENCES: Final = 256


def custom(body: Body, op: tosa.CustomOp) -> list[Layer]:
    """Operators by their name."""
    match op.operator_name.data:
        case "SOFTMAX":
            return softmax(body, op)
        case "UNIDIRECTIONAL_SEQUENCE_LSTM":
            return lstm(body, op)
        case _:
            raise body.error("it is not among the operators that have one")


def softmax(body: Body, op: tosa.CustomOp) -> list[Layer]:
    """Exponentials are tables."""
    (source,), (result,) = op.input_list, op.output_list
    if (facts := tensor_facts(source)) is None:
        raise body.error("its input states no scale")
    beta = operator_facts(op).options.get("beta", 0.0)
    function, parameters = _softmax_function(body, source, result, facts.one_scale, float(str(beta)))
    *outer, depth = shape_of(source)
    count = outer[-1] if len(outer) > 1 else 1
    rows = prod(outer) // count
    row = count * depth
    operand = Operand(body.operand(source), Window(rows), row, rows * row)
    return [Layer(function, (count, *parameters), (operand,), result, 1, rows, row)]


def _softmax_function(
    body: Body, source: SSAValue, result: SSAValue, scale: float, beta: float
) -> tuple[RowFunction, tuple[Value, ...]]:
    dtype, to, depth = dtype_of(source), dtype_of(result), shape_of(source)[-1]
    if dtype == to == "int16":
        factor = difference_multiplier(scale, beta)
        tables = (Table.of(exponential_table(), "int16"), Table.of(reciprocal_table(), "int16"))
        return SoftmaxRowOf16Bits(depth), (factor.value, -factor.shift, *tables)
    if dtype not in ("int8", "uint8") or to not in ("int8", "uint8", "int16"):
        raise body.error(f"softmax of {dtype} to {to}")
    exponentials = exponentials_of_differences(_DIFFERENCES, scale, beta)
    terms = int(np.count_nonzero(exponentials))
    limits = np.iinfo(to)
    function = SoftmaxRow(depth, dtype, to, int(limits.min), int(limits.max), limits.bits)
    return function, (terms, Table.of(exponentials[:terms], "int32"))
