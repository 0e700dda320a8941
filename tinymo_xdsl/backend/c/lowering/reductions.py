"""SUM, MEAN of integers, REDUCE_MAX and REDUCE_MIN, and TRANSPOSE."""

from math import prod

from xdsl.ir import SSAValue

from tinymo_xdsl.backend.c.arithmetic import Requantized
from tinymo_xdsl.backend.c.body import Body, dtype_of, element_dtype, shape_of
from tinymo_xdsl.backend.c.kernels.layout import GatherRow
from tinymo_xdsl.backend.c.kernels.reduction import ReduceRow
from tinymo_xdsl.backend.c.layer import Layer, Operand, Value
from tinymo_xdsl.backend.c.rows import Window
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.dialects.tosa.base import plain_ints

ReduceOp = tosa.ReduceSumOp | tosa.ReduceMaxOp | tosa.ReduceMinOp

_KINDS = {tosa.ReduceSumOp: "sum", tosa.ReduceMaxOp: "greatest", tosa.ReduceMinOp: "least"}


def reduction(body: Body, op: ReduceOp) -> list[Layer]:
    """Along one axis; what lies in front of it are rows."""
    axis, shape = op.axis.value.data, shape_of(op.input)
    count, pitch, rows = shape[axis], prod(shape[axis + 1 :]), prod(shape[:axis])
    ending = body.ending(op.output)
    source, zero_point = _centred(body, op.input)
    output: Requantized | None = None
    parameters: tuple[Value, ...] = ()
    if (scaling := ending.scaling) is not None:
        limit = count << 8 * element_dtype(source).itemsize
        if limit >= 1 << 31 or scaling.channels != 1:
            raise body.error("its sums may leave 32 bits")
        output = Requantized(scaling.rounding(limit), per_channel=False)
        parameters = (zero_point, *output.values(scaling))
    elif zero_point:
        raise body.error("its sums are not rescaled")
    function = ReduceRow(_KINDS[type(op)], count, pitch, dtype_of(source), dtype_of(ending.result), output)
    row = count * pitch
    operand = Operand(body.operand(source), Window(rows), row, rows * row)
    return [Layer(function, parameters, (operand,), ending.result, 1, rows, pitch)]


def _centred(body: Body, value: SSAValue) -> tuple[SSAValue, int]:
    """The tensor behind the rescale that takes its zero point off, and the zero point."""
    zero_point = 0
    while value.owner in body.kernel.ops and isinstance(op := value.owner, tosa.ReshapeOp | tosa.RescaleOp):
        if isinstance(op, tosa.RescaleOp):
            scaling = body.scaling(op)
            if (scaling.channels, int(scaling.multiplier[0])) != (1, 1 << int(scaling.shift[0])):
                raise body.error("its elements are scaled before they are added")
            zero_point = body.number(op.input_zp)
        value = op.operands[0]
    return body.source(value), zero_point


def transpose(body: Body, op: tosa.TransposeOp) -> list[Layer]:
    """TRANSPOSE of up to four axes: rows of the result take their elements one by one."""
    shape, axes = shape_of(op.input1), plain_ints(op.perms)
    if len(shape) > 4:
        raise body.error("more than four axes change places")
    unit = element_dtype(op.output).itemsize
    strides = [prod(shape[axis + 1 :]) * unit for axis in axes]
    images, rows, pixels, channels = (1,) * (4 - len(shape)) + tuple(shape[axis] for axis in axes)
    image_pitch, row_pitch, pixel_pitch, pitch = [0] * (4 - len(shape)) + strides
    function = GatherRow(pixels, pixel_pitch, channels, pitch, unit)
    operand = Operand(body.operand(op.input1), Window(rows), row_pitch, image_pitch)
    result = body.ending(op.output).result
    return [Layer(function, (), (operand,), result, images, rows, pixels * channels * unit)]
