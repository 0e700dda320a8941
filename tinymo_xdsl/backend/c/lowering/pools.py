"""AVERAGE_POOL_2D and MAX_POOL_2D."""

import numpy as np

from tinymo_xdsl.backend.c.body import Body, dtype_of, shape_of
from tinymo_xdsl.backend.c.kernels.pooling import PoolRow
from tinymo_xdsl.backend.c.layer import Layer, Operand, Value
from tinymo_xdsl.backend.c.lowering.convolutions import columns_of, image_of, image_shape
from tinymo_xdsl.backend.c.rows import Window
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.dialects.tosa.base import plain_ints


def pool(body: Body, op: tosa.MaxPool2DOp | tosa.AvgPool2DOp) -> list[Layer]:
    """Pads are no elements: they neither count nor win."""
    images, image_rows, image, depth = image_shape(body, op.input)
    _, result_rows, pixels, _ = shape_of(op.output)
    (rows, kernel), (row_stride, stride) = plain_ints(op.kernel), plain_ints(op.stride)
    top, _, left, _ = plain_ints(op.pad)
    access = Window(image_rows, rows, row_stride, 1, top, result_rows)
    dtype = dtype_of(op.output)
    is_average = isinstance(op, tosa.AvgPool2DOp)
    columns = columns_of(image, pixels, kernel, stride, 1, left)
    function = PoolRow(is_average, rows, columns, depth, dtype, access.leaves_image)
    operand = Operand(body.operand(image_of(body, op.input)), access, image * depth, image_rows * image * depth)
    ending = body.ending(op.output)
    if ending.scaling is not None:
        raise body.error("a pool that changes the scale")
    parameters: tuple[Value, ...] = (ending.low, ending.high)
    if not function.is_float:
        limits = np.iinfo(dtype)
        low, high = max(int(limits.min), int(ending.low)), min(int(limits.max), int(ending.high))
        zero_points = (
            (body.number(op.input_zp), body.number(op.output_zp)) if isinstance(op, tosa.AvgPool2DOp) else (0, 0)
        )
        parameters = (*zero_points, low, high)
    return [Layer(function, parameters, (operand,), ending.result, images, result_rows, pixels * depth)]
