"""
Which rows of its inputs each kernel reads, as the plain values that the stripe planner works on.

Rows lie along axis 1 of `[N, H, W, C]` tensors. A kernel that mixes rows (a dense layer, a reshape, a custom operator)
has no row access and is never split.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects.builtin import TensorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from tinymo_xdsl.analysis.describe import describe_kernel
from tinymo_xdsl.analysis.kernels import Kernel, is_constant, kernels_of
from tinymo_xdsl.analysis.macs import kernel_macs
from tinymo_xdsl.analysis.sizes import byte_size, element_bytes
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.dialects.tosa.base import plain_ints
from tinymo_xdsl.facts import name_of
from tinymo_xdsl.planner.rows import AllRows, Repeat, RowAccess, TransposedWindow, Window
from tinymo_xdsl.planner.stripes import Layer, Operand, Problem, Value

WindowOp = tosa.Conv2DOp | tosa.DepthwiseConv2DOp | tosa.MaxPool2DOp | tosa.AvgPool2DOp

_ELEMENTWISE = (
    tosa.AddOp,
    tosa.SubOp,
    tosa.MulOp,
    tosa.ClampOp,
    tosa.RescaleOp,
    tosa.TableOp,
    tosa.CastOp,
    tosa.SelectOp,
    tosa.GreaterOp,
    tosa.MaximumOp,
    tosa.MinimumOp,
    tosa.SigmoidOp,
    tosa.TanhOp,
    tosa.NegateOp,
    tosa.AbsOp,
    tosa.ExpOp,
)

ROW_AXIS = 1


@dataclass(frozen=True, eq=False)
class RowProblem:
    """A function as the stripe planner sees it; `kernels` and `values` are numbered as in `problem`."""

    problem: Problem
    kernels: tuple[Kernel, ...]
    values: tuple[SSAValue, ...]


def row_problem(function: FuncOp) -> RowProblem:
    """The values and layers of `function` with the rows that each layer reads."""
    kernels = kernels_of(function)
    values = [*function.args, *(value for kernel in kernels for value in kernel.outputs)]
    numbers = {value: index for index, value in enumerate(values)}
    terminator = function.body.block.last_op
    returned = set[SSAValue]() if terminator is None else set(terminator.operands)
    layers = tuple(
        Layer(
            describe_kernel(kernel)[0],
            tuple(Operand(numbers[value], row_access(kernel, value)) for value in kernel.inputs),
            tuple(numbers[value] for value in kernel.outputs),
            kernel_macs(kernel),
        )
        for kernel in kernels
    )
    problem = Problem(tuple(_value(value, function, value in returned) for value in values), layers)
    return RowProblem(problem, tuple(kernels), tuple(values))


def _value(value: SSAValue, function: FuncOp, is_output: bool) -> Value:
    shape = shape_of(value)
    rows = shape[ROW_AXIS] if len(shape) == 4 and shape[ROW_AXIS] else 1
    name = name_of(value)
    return Value(name, rows, byte_size(value) // rows, value in function.args, is_output)


def shape_of(value: SSAValue) -> tuple[int, ...]:
    """The shape of a tensor; empty for other values."""
    return value.type.get_shape() if isinstance(value.type, TensorType) else ()


def row_access(kernel: Kernel, value: SSAValue) -> RowAccess | None:
    """How `kernel` reads the rows of `value`; `None` if it mixes them."""
    if len(kernel.results) != 1 or len(shape_of(kernel.results[0])) != 4:
        return None
    others = [op for op in kernel.ops if not isinstance(op, _ELEMENTWISE)]
    if not others:
        return _elementwise_access(kernel, value)
    anchors = [op for op in others if not isinstance(op, tosa.SliceOp)]
    if len(anchors) != 1 or not _only_elementwise_after(anchors[0], kernel):
        return None
    anchor = anchors[0]
    if len(others) == 2 and not isinstance(anchor, WindowOp):
        return None
    return _anchor_access(kernel, anchor, value)


def _only_elementwise_after(anchor: Operation, kernel: Kernel) -> bool:
    """Whether what follows the anchor takes nothing else from memory."""
    later = [op for op in kernel.ops if op is not anchor and not isinstance(op, tosa.SliceOp)]
    inside = set(kernel.ops)
    return all(operand.owner in inside or is_constant(operand) for op in later for operand in op.operands)


def _anchor_access(kernel: Kernel, anchor: Operation, value: SSAValue) -> RowAccess | None:
    match anchor:
        case tosa.Conv2DOp() | tosa.DepthwiseConv2DOp() | tosa.MaxPool2DOp() | tosa.AvgPool2DOp():
            return _window_access(anchor, value)
        case tosa.TransposeConv2DOp():
            top, bottom = anchor.out_pad.get_values()[:2]
            rows, step = shape_of(anchor.weight)[1], anchor.stride.get_values()[0]
            return TransposedWindow(rows, step, -top, -bottom) if top <= 0 and bottom <= 0 else None
        case tosa.ResizeOp():
            return _repeat_access(anchor)
        case tosa.ConcatOp() if anchor.axis.value.data != ROW_AXIS:
            constant = any(is_constant(part) for part in anchor.tensors)
            return None if constant else _elementwise_access(kernel, value)
        case _:
            return None


def _elementwise_access(kernel: Kernel, value: SSAValue) -> RowAccess | None:
    rows = shape_of(kernel.results[0])[ROW_AXIS]
    if any(_rows_from_the_end(constant) not in (1, None) for constant in kernel.constants):
        return None
    mine = _rows_from_the_end(value)
    if len(shape_of(value)) == 4 and mine == rows:
        return Window()
    return AllRows() if mine in (1, None) else None


def _rows_from_the_end(value: SSAValue) -> int | None:
    """The rows of a tensor that is broadcast: axis 1 of four, counted from the last."""
    shape = shape_of(value)
    return shape[-3] if len(shape) >= 3 else None


def _window_access(op: WindowOp, value: SSAValue) -> Window | None:
    if len(shape_of(value)) != 4:
        return None
    kernel, stride, dilation = window_shape(op)
    top, bottom, left, right = plain_ints(op.pad)
    width, channels = shape_of(value)[2:]
    spans = [(taps - 1) * apart + 1 for taps, apart in zip(kernel, dilation, strict=True)]
    columns = Window(spans[1], stride[1])
    same = columns.same_padding(width)
    row_bytes = shape_of(value)[0] * (width + left + right) * channels * element_bytes(value)
    is_pool = isinstance(op, tosa.MaxPool2DOp | tosa.AvgPool2DOp)
    result = columns.result_rows(width, left, right)
    return Window(
        spans[0],
        stride[0],
        top,
        bottom,
        same_columns=left == same[0] and result == columns.result_rows(width, *same),
        valid_columns=left == 0 and result == columns.result_rows(width, 0, 0),
        padded_row_bytes=None if is_pool else row_bytes,
    )


def window_shape(op: WindowOp) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
    """Kernel, stride and dilation of a window op, each (rows, columns)."""
    stride = plain_ints(op.stride)
    match op:
        case tosa.Conv2DOp():
            return shape_of(op.weight)[1:3], stride, op.dilation.get_values()
        case tosa.DepthwiseConv2DOp():
            return shape_of(op.weight)[:2], stride, op.dilation.get_values()
        case _:
            return plain_ints(op.kernel), stride, (1, 1)


def _repeat_access(op: tosa.ResizeOp) -> Repeat | None:
    scale, offset = tosa.constant_shape(op.scale), tosa.constant_shape(op.offset)
    if scale is None or offset is None or op.mode.data is not tosa.ResizeMode.NEAREST_NEIGHBOR:
        return None
    factor = shape_of(op.output)[ROW_AXIS] // shape_of(op.input)[ROW_AXIS]
    return Repeat(factor) if (*scale[:2], offset[0]) == (2 * factor, 2, 1 - factor) else None
