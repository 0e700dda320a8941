"""Operators that TOSA has no words for."""

from typing import Final

import numpy as np

from tinymo_xdsl.backend.c.body import Body, dtype_of, shape_of
from tinymo_xdsl.backend.c.kernels.softmax import SoftmaxRow
from tinymo_xdsl.backend.c.layer import Layer, Operand, Table
from tinymo_xdsl.backend.c.rows import Window
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.facts import operator_facts, tensor_facts
from tinymo_xdsl.numerics.softmax import exponentials_of_differences

_DIFFERENCES: Final = 256


def custom(body: Body, op: tosa.CustomOp) -> list[Layer]:
    """Operators by their name."""
    match op.operator_name.data:
        case "SOFTMAX":
            return softmax(body, op)
        case _:
            raise body.error("it is not among the operators that have one")


def softmax(body: Body, op: tosa.CustomOp) -> list[Layer]:
    """Exponentials of all differences to the largest element are a table."""
    (source,), (result,) = op.input_list, op.output_list
    dtype, to = dtype_of(source), dtype_of(result)
    if dtype not in ("int8", "uint8") or to not in ("int8", "uint8", "int16"):
        raise body.error(f"softmax of {dtype} to {to}")
    if (facts := tensor_facts(source)) is None:
        raise body.error("its input states no scale")
    beta = operator_facts(op).options.get("beta", 0.0)
    exponentials = exponentials_of_differences(_DIFFERENCES, facts.one_scale, float(str(beta)))
    terms = int(np.count_nonzero(exponentials))
    limits = np.iinfo(to)
    depth = shape_of(source)[-1]
    function = SoftmaxRow(depth, dtype, to, int(limits.min), int(limits.max), limits.bits)
    *outer, _ = shape_of(source)
    count = int(np.prod(outer[-1:], dtype=np.int64)) if len(outer) > 1 else 1
    rows = int(np.prod(outer, dtype=np.int64)) // count
    row = count * depth
    table = Table.of(exponentials[:terms], "int32")
    operand = Operand(body.operand(source), Window(rows), row, rows * row)
    return [Layer(function, (count, terms, table), (operand,), result, 1, rows, row)]
