"""
Which rows of its inputs a kernel reads.

Rows lie along axis 1 of `[N, H, W, C]` tensors. A kernel that mixes rows (a dense layer, a reshape, a custom operator)
or whose result nothing reads has no row access and is never split.
"""

from collections.abc import Sequence

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Operation, SSAValue

from tinymo_xdsl.analysis.kernels import Kernel, is_constant
from tinymo_xdsl.analysis.sizes import element_bytes
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.dialects.tosa.base import plain_ints
from tinymo_xdsl.planner.rows import AllRows, Repeat, RowAccess, TransposedWindow, Window

WindowOp = tosa.Conv2DOp | tosa.DepthwiseConv2DOp | tosa.MaxPool2DOp | tosa.AvgPool2DOp

ELEMENTWISE = (
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
"""Ops that compute each element from the elements at its place."""

ROW_AXIS = 1


def shape_of(value: SSAValue) -> tuple[int, ...]:
    """The shape of a tensor; empty for other values."""
    return value.type.get_shape() if isinstance(value.type, TensorType) else ()


def row_access(kernel: Kernel, value: SSAValue) -> RowAccess | None:
    """How `kernel` reads the rows of `value`; `None` if it mixes them."""
    if len(kernel.outputs) != 1 or len(shape_of(kernel.outputs[0])) != 4 or not kernel.outputs[0].uses:
        return None
    elementwise = [op for op in kernel.ops if isinstance(op, ELEMENTWISE)]
    constants = [operand for op in elementwise for operand in op.operands if is_constant(operand)]
    if any(_rows_from_the_end(constant) not in (1, None) for constant in constants):
        return None
    match [op for op in kernel.ops if not isinstance(op, ELEMENTWISE)]:
        case []:
            return _elementwise_access(kernel, value)
        case [anchor] if _reads_alone(anchor, kernel):
            return _anchor_access(kernel, anchor, value)
        case [tosa.SliceOp() as cut, anchor] if isinstance(anchor, WindowOp) and _reads_alone(cut, kernel):
            return _window_access(anchor, value) if _cuts_unread(cut, anchor) else None
        case _:
            return None


def _reads_alone(reader: Operation, kernel: Kernel) -> bool:
    """Whether the other ops of the kernel take nothing from memory, constants aside."""
    inside = set(kernel.ops)
    operands = [operand for op in kernel.ops if op is not reader for operand in op.operands]
    return all(operand.owner in inside or is_constant(operand) for operand in operands)


def _cuts_unread(cut: tosa.SliceOp, window: WindowOp) -> bool:
    """Whether a slice cuts off nothing but rows and columns at the end that no window would read."""
    start = tosa.constant_shape(cut.start)
    if cut.output is not window.input or start is None or any(start):
        return False
    _, bottom, _, right = plain_ints(window.pad)
    _, stride, _ = window_shape(window)
    lost = [whole - left for whole, left in zip(shape_of(cut.input1), shape_of(cut.output), strict=True)]
    # Where a pad follows, windows read that in the place of what is cut off.
    limits = (1, 1 if bottom else stride[0], 1 if right else stride[1], 1)
    return all(count < limit for count, limit in zip(lost, limits, strict=True))


def _anchor_access(kernel: Kernel, anchor: Operation, value: SSAValue) -> RowAccess | None:
    if isinstance(anchor, tosa.ConcatOp):
        mixes = anchor.axis.value.data == ROW_AXIS or any(map(is_constant, anchor.tensors))
        return None if mixes else _elementwise_access(kernel, value)
    if not isinstance(anchor, WindowOp | tosa.TransposeConv2DOp | tosa.ResizeOp):
        return None
    if value is not anchor.input:
        return AllRows()
    if list(anchor.operands).count(value) > 1:
        return None
    match anchor:
        case tosa.TransposeConv2DOp():
            return _transposed_access(anchor)
        case tosa.ResizeOp():
            return _repeat_access(anchor)
        case _:
            return _window_access(anchor, value)


def _elementwise_access(kernel: Kernel, value: SSAValue) -> RowAccess | None:
    rows = shape_of(kernel.outputs[0])[ROW_AXIS]
    mine = _rows_from_the_end(value)
    if len(shape_of(value)) == 4 and mine == rows:
        return Window()
    return AllRows() if mine in (1, None) else None


def _rows_from_the_end(value: SSAValue) -> int | None:
    """The rows of a tensor that is broadcast: axis 1 of four, counted from the last."""
    shape = shape_of(value)
    return shape[-3] if len(shape) >= 3 else None


def _window_access(op: WindowOp, image: SSAValue) -> Window:
    """How the windows of `op` step over an image, of which they need not read the last rows and columns."""
    kernel, stride, dilation = window_shape(op)
    top, bottom, left, right = plain_ints(op.pad)
    batch, _, width, channels = shape_of(image)
    spans = [(taps - 1) * apart + 1 for taps, apart in zip(kernel, dilation, strict=True)]
    columns = Window(spans[1], stride[1])
    same = columns.same_padding(width)
    result = columns.result_rows(width, left, right)
    is_pool = isinstance(op, tosa.MaxPool2DOp | tosa.AvgPool2DOp)
    return Window(
        spans[0],
        stride[0],
        top,
        bottom,
        same_columns=left == same[0] and result == columns.result_rows(width, *same),
        valid_columns=left == 0 and result == columns.result_rows(width, 0, 0),
        padded_row_bytes=None if is_pool else batch * (width + left + right) * channels * element_bytes(image),
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


def _transposed_access(op: tosa.TransposeConv2DOp) -> TransposedWindow | None:
    top, bottom = plain_ints(op.out_pad)[:2]
    rows, step = shape_of(op.weight)[1], plain_ints(op.stride)[0]
    return TransposedWindow(rows, step, -top, -bottom) if top <= 0 and bottom <= 0 else None


def _repeat_access(op: tosa.ResizeOp) -> Repeat | None:
    """Rows are repeated if TOSA's rounding comes down to a floor: see `operators.layout.lower_resize_nearest`."""
    scale, offset, border = (tosa.constant_shape(value) for value in (op.scale, op.offset, op.border))
    if scale is None or offset is None or border is None or op.mode.data is not tosa.ResizeMode.NEAREST_NEIGHBOR:
        return None
    factor = shape_of(op.output)[ROW_AXIS] // shape_of(op.input)[ROW_AXIS]
    repeats = (*scale[:2], offset[0], border[0]) == (2 * factor, 2, 1 - factor, factor - 1)
    return Repeat(factor) if repeats else None
