"""`tosa.argmax`: the reduction that xDSL lacks."""

from xdsl.dialects.builtin import I32, IntegerAttr, IntegerType, TensorType, i32
from xdsl.dialects.tosa import NanMode, NanModeAttr
from xdsl.irdl import irdl_op_definition, operand_def, opt_prop_def, prop_def, result_def

from tinymo_xdsl.dialects.tosa import shapes
from tinymo_xdsl.dialects.tosa.base import Operand, PureTosaOp, shape_of
from tinymo_xdsl.dialects.tosa.data_layout import require_axis


@irdl_op_definition
class ArgMaxOp(PureTosaOp):
    """The index of the greatest element along `axis`, the first of several; that dimension is gone from the result."""

    name = "tosa.argmax"

    input = operand_def(TensorType)
    axis = prop_def(IntegerAttr[I32])
    nan_mode = opt_prop_def(NanModeAttr, default_value=NanModeAttr(NanMode.PROPAGATE))
    output = result_def(TensorType[IntegerType])

    def __init__(self, input: Operand, axis: int):
        super().__init__(
            operands=[input],
            properties={"axis": IntegerAttr(axis, i32)},
            result_types=[TensorType(i32, _reduced(shape_of(input), axis))],
        )

    def verify_(self) -> None:
        shape, axis = shape_of(self.input), self.axis.value.data
        require_axis(axis, shape)
        shapes.require_shape("the result", shape_of(self.output), _reduced(shape, axis))


def _reduced(shape: shapes.Shape, axis: int) -> shapes.Shape:
    return shape[:axis] + shape[axis + 1 :]
