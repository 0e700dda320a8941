"""Kernels that compute each element from the elements at its place: sums, products, activations, conversions."""

from math import prod
from typing import Final

import numpy as np
from xdsl.ir import Operation, SSAValue

from tinymo_xdsl.analysis.kernels import is_constant
from tinymo_xdsl.analysis.rows import ELEMENTWISE
from tinymo_xdsl.backend.c.body import Body, dtype_of, four_axes, shape_of
from tinymo_xdsl.backend.c.evaluate import evaluate
from tinymo_xdsl.backend.c.kernels.elementwise import MapRow, Spread, TableRow
from tinymo_xdsl.backend.c.layer import Layer, Operand, Structure, Table, Value
from tinymo_xdsl.backend.c.lowering.programs import Program
from tinymo_xdsl.backend.c.rows import RowAccess, Same, Window
from tinymo_xdsl.backend.c.text import C_TYPES
from tinymo_xdsl.dialects import tosa

_TABLE_OPERATORS: Final = frozenset({"DEQUANTIZE", "HARD_SWISH", "LEAKY_RELU", "LOGISTIC", "QUANTIZE", "TANH"})
"""Operators of one tensor whose elements the interpreter computes one by one."""
_TABLE_RESULTS: Final = ("int8", "uint8", "int16", "float32")


def table(body: Body) -> list[Layer] | None:
    """Any function of one 8-bit tensor, element by element, as a table; `None` if the kernel is none."""
    kernel = body.kernel
    if len(kernel.inputs) != 1 or len(kernel.results) != 1:
        return None
    (source,), (result,) = kernel.inputs, kernel.results
    dtype = dtype_of(source)
    if dtype not in ("int8", "uint8") or dtype_of(result) not in _TABLE_RESULTS:
        return None
    is_reshape = all(isinstance(op, tosa.ReshapeOp) for op in kernel.ops)
    if is_reshape or prod(shape_of(source)) != prod(shape_of(result)) or not all(map(_is_elementwise, kernel.ops)):
        return None
    limits = np.iinfo(dtype)
    inputs = np.arange(limits.min, limits.max + 1).astype(dtype)
    (values,) = evaluate(kernel, [inputs])
    function = TableRow(dtype, dtype_of(result))
    images, rows, pixels, channels = four_axes(shape_of(result))
    count = pixels * channels
    operand = Operand(source, Window(rows), count, rows * count)
    return [Layer(function, (count, Table.of(values, function.result)), (operand,), result, images, rows, count)]


def _is_elementwise(op: Operation) -> bool:
    """Whether each element of the result follows from elements at its place, by the same function everywhere."""
    match op:
        case tosa.ReshapeOp():
            return True
        case tosa.CustomOp():
            return op.operator_name.data in _TABLE_OPERATORS
        case tosa.TableOp():
            return not is_constant(op.input1)
        case _ if isinstance(op, ELEMENTWISE):
            return all(prod(shape_of(operand)) == 1 for operand in op.operands if is_constant(operand))
        case _:
            return False


def program(body: Body) -> list[Layer]:
    """All ops of a kernel for one element after the other."""
    kernel = body.kernel
    if len(kernel.results) != 1:
        raise body.error("it has several results")
    steps = Program(body)
    element = steps.run()
    (result,) = kernel.results
    dtypes = {dtype_of(source) for source in steps.sources}
    if len(dtypes) != 1:
        raise body.error(f"its operands are of {' and '.join(sorted(dtypes)) or 'no type'}")
    (dtype,) = dtypes
    images, rows, pixels, channels = shape = four_axes(np.broadcast_shapes(*steps.sources.values()))
    if prod(shape) != prod(shape_of(result)):
        raise body.error("its result has other elements than what it is computed from")
    shapes = [_aligned(body, given, len(shape_of(result))) for given in steps.sources.values()]
    is_flat = all(given == shape for given in shapes)
    name = "_".join([*dict.fromkeys(steps.kinds or ["copy"]), dtype])
    function = MapRow(
        name,
        dtype,
        dtype_of(result),
        tuple(steps.lines),
        f"({C_TYPES[dtype_of(result)]}){element}",
        "float" if dtype == "float32" else "int32_t",
        Structure(f"of_{name}", tuple(steps.fields)) if steps.fields else None,
        tuple(_spread(given[2:], shape[2:]) for given in shapes),
        0 if is_flat else pixels,
        0 if is_flat else channels,
        tuple(steps.helpers),
    )
    count: tuple[Value, ...] = (pixels * channels,) if is_flat else ()
    operands = tuple(
        _operand(body.operand(source), given, rows) for source, given in zip(steps.sources, shapes, strict=True)
    )
    return [Layer(function, (*count, *steps.values), operands, result, images, rows, pixels * channels)]


def _aligned(body: Body, shape: tuple[int, ...], rank: int) -> tuple[int, int, int, int]:
    if rank > 4 and len(shape) > 4 and prod(shape[:-3]) not in (1, prod(shape)):
        raise body.error("operands of more than four axes")
    return four_axes(shape)


def _spread(given: tuple[int, int], whole: tuple[int, int]) -> Spread:
    if given == whole:
        return Spread.EACH
    if given == (1, 1):
        return Spread.ONE
    return Spread.CHANNELS if given[0] == 1 else Spread.PIXELS


def _operand(value: SSAValue | Table, shape: tuple[int, int, int, int], rows: int) -> Operand:
    images, height, width, depth = shape
    row = width * depth
    access: RowAccess = Window(height) if height == rows else Same()
    return Operand(value, access, row, height * row if images > 1 else 0)
