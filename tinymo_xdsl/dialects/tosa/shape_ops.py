"""`tosa.const_shape`, and how to read the sizes that it holds."""

from collections.abc import Sequence

import numpy as np
from xdsl.dialects.builtin import DYNAMIC_INDEX, DenseIntOrFPElementsAttr, IndexType
from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition, prop_def, result_def, traits_def
from xdsl.traits import ConstantLike
from xdsl.utils.exceptions import VerifyException

from tinymo_xdsl.dialects.tosa import shapes
from tinymo_xdsl.dialects.tosa.attributes import ShapeType
from tinymo_xdsl.dialects.tosa.base import Operand, PureTosaOp
from tinymo_xdsl.numerics import dense


@irdl_op_definition
class ConstShapeOp(PureTosaOp):
    """
    A list of sizes that another op takes as an operand.

    ```mlir
    %shape = tosa.const_shape {values = dense<[1, 64]> : tensor<2xindex>} : () -> !tosa.shape<2>
    ```
    """

    name = "tosa.const_shape"

    values = prop_def(DenseIntOrFPElementsAttr)
    output = result_def(ShapeType)

    traits = traits_def(ConstantLike())

    def __init__(self, values: Sequence[int]):
        array = np.array(values, np.int64)
        super().__init__(
            properties={"values": dense.from_numpy(array, IndexType())}, result_types=[ShapeType(len(values))]
        )

    def sizes(self) -> tuple[int, ...]:
        """The sizes, as numbers."""
        return tuple(int(size) for size in dense.to_numpy(self.values))

    def verify_(self) -> None:
        if not isinstance(self.values.get_element_type(), IndexType):
            raise VerifyException(f"expected values of type index, got {self.values.get_element_type()}")
        if self.values.get_shape() != (self.output.type.rank.data,):
            raise VerifyException(f"expected as many values as {self.output.type} holds, got {len(self.values)}")


def constant_shape(value: SSAValue) -> shapes.Shape | None:
    """The sizes that a `!tosa.shape` operand holds, if it comes from a `tosa.const_shape`."""
    return value.owner.sizes() if isinstance(value.owner, ConstShapeOp) else None


def known_sizes(operand: Operand) -> shapes.Shape:
    """
    The sizes that a `!tosa.shape` operand holds, as far as they are known.

    In it -1 stands for a size that is not; without a `tosa.const_shape` no size is.
    """
    value = SSAValue.get(operand)
    if not isinstance(value.type, ShapeType):
        raise VerifyException(f"expected a !tosa.shape, got {value.type}")
    sizes = constant_shape(value)
    if sizes is None:
        return (DYNAMIC_INDEX,) * value.type.rank.data
    return tuple(DYNAMIC_INDEX if size == -1 else size for size in sizes)
