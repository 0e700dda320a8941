"""Ops that move elements and compute nothing."""

from collections.abc import Sequence

from xdsl.dialects.builtin import DYNAMIC_INDEX, I32, DenseArrayBase, IntegerAttr, TensorType, i32
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import irdl_op_definition, operand_def, prop_def, result_def
from xdsl.utils.exceptions import VerifyException

from tinymo_xdsl.dialects.tosa import shapes
from tinymo_xdsl.dialects.tosa.attributes import ShapeType
from tinymo_xdsl.dialects.tosa.base import (
    Operand,
    PureTosaOp,
    element_type_of,
    require_one_element,
    shape_of,
    tensor_type,
)
from tinymo_xdsl.dialects.tosa.elementwise import verify_same_type
from tinymo_xdsl.dialects.tosa.shape_ops import known_sizes


def _moved(input1: Operand, shape: Sequence[int]) -> TensorType[Attribute]:
    """The type of a tensor of the elements of `input1`, in another shape."""
    return TensorType(element_type_of(input1), shape)


def _verify_moved(input1: SSAValue, output: SSAValue, shape: Sequence[int]) -> None:
    """Check that the result has the elements of the operand, and `shape`."""
    element, result = element_type_of(input1), element_type_of(output)
    if result != element:
        raise VerifyException(f"expected a result of {element}, got {result}")
    shapes.require_shape("the result", shape_of(output), shape)


@irdl_op_definition
class IdentityOp(PureTosaOp):
    """The operand itself."""

    name = "tosa.identity"

    input1 = operand_def(TensorType)
    output = result_def(TensorType)

    def __init__(self, input1: Operand):
        super().__init__(operands=[input1], result_types=[tensor_type(input1)])

    def verify_(self) -> None:
        _verify_moved(self.input1, self.output, shape_of(self.input1))


@irdl_op_definition
class ReshapeOp(PureTosaOp):
    """The same elements in the same order in the shape that the second operand gives, of which one may be -1."""

    name = "tosa.reshape"

    input1 = operand_def(TensorType)
    shape = operand_def(ShapeType)
    output = result_def(TensorType)

    def __init__(self, input1: Operand, shape: Operand):
        super().__init__(operands=[input1, shape], result_types=[_moved(input1, _reshaped(input1, shape))])

    def verify_(self) -> None:
        _verify_moved(self.input1, self.output, _reshaped(self.input1, self.shape))
        before, after = shape_of(self.input1), shape_of(self.output)
        if not shapes.sizes_agree(shapes.product(before), shapes.product(after)):
            raise VerifyException(f"cannot reshape {shapes.text(before)} to {shapes.text(after)}: other element count")


def _reshaped(input1: Operand, shape: Operand) -> shapes.Shape:
    sizes = known_sizes(shape)
    known = [size for size in sizes if size != DYNAMIC_INDEX]
    count, rest = shapes.product(shape_of(input1)), shapes.product(known)
    if len(known) != len(sizes) - 1 or not shapes.is_static(count) or not rest or count % rest:
        return sizes
    return tuple(count // rest if size == DYNAMIC_INDEX else size for size in sizes)


@irdl_op_definition
class TransposeOp(PureTosaOp):
    """Dimensions in another order: dimension i of the result is dimension `perms[i]` of the operand."""

    name = "tosa.transpose"

    input1 = operand_def(TensorType)
    perms = prop_def(DenseArrayBase[I32])
    output = result_def(TensorType)

    def __init__(self, input1: Operand, perms: Sequence[int]):
        shape = shape_of(input1)
        super().__init__(
            operands=[input1],
            properties={"perms": DenseArrayBase.from_list(i32, perms)},
            result_types=[_moved(input1, [shape[dimension] for dimension in perms])],
        )

    def verify_(self) -> None:
        perms, shape = self.perms.get_values(), shape_of(self.input1)
        if sorted(perms) != list(range(len(shape))):
            raise VerifyException(f"expected perms to be a permutation of {len(shape)} dimensions, got {list(perms)}")
        _verify_moved(self.input1, self.output, [shape[dimension] for dimension in perms])


@irdl_op_definition
class PadOp(PureTosaOp):
    """
    The operand in a frame of `pad_const`, a tensor of one element.

    `padding` holds, dimension by dimension, the sizes of the frame before and after.
    """

    name = "tosa.pad"

    input1 = operand_def(TensorType)
    padding = operand_def(ShapeType)
    pad_const = operand_def(TensorType)
    output = result_def(TensorType)

    def __init__(self, input1: Operand, padding: Operand, pad_const: Operand):
        super().__init__(operands=[input1, padding, pad_const], result_types=[_moved(input1, _padded(input1, padding))])

    def verify_(self) -> None:
        padding, rank = known_sizes(self.padding), len(shape_of(self.input1))
        if len(padding) != 2 * rank:
            raise VerifyException(
                f"expected {2 * rank} values of padding for a tensor of rank {rank}, got {len(padding)}"
            )
        if any(shapes.is_static(size) and size < 0 for size in padding):
            raise VerifyException(f"expected padding >= 0, got {list(padding)}")
        require_one_element("pad_const", self.pad_const, element_type_of(self.input1))
        _verify_moved(self.input1, self.output, _padded(self.input1, self.padding))


def _padded(input1: Operand, padding: Operand) -> shapes.Shape:
    sizes = known_sizes(padding)
    return tuple(map(shapes.total, shape_of(input1), sizes[::2], sizes[1::2]))


@irdl_op_definition
class SliceOp(PureTosaOp):
    """The block of `size` elements a dimension that begins at `start`."""

    name = "tosa.slice"

    input1 = operand_def(TensorType)
    start = operand_def(ShapeType)
    size = operand_def(ShapeType)
    output = result_def(TensorType)

    def __init__(self, input1: Operand, start: Operand, size: Operand):
        super().__init__(operands=[input1, start, size], result_types=[_moved(input1, known_sizes(size))])

    def verify_(self) -> None:
        input1, start, size = shape_of(self.input1), known_sizes(self.start), known_sizes(self.size)
        if not len(input1) == len(start) == len(size):
            raise VerifyException(f"expected a start and a size for each of {len(input1)} dimensions")
        for dimension, (extent, first, count) in enumerate(zip(input1, start, size, strict=True)):
            _require_window(dimension, extent, first, count)
        _verify_moved(self.input1, self.output, size)


def _require_window(dimension: int, extent: int, start: int, size: int) -> None:
    if (shapes.is_static(start) and start < 0) or (shapes.is_static(size) and size < 1):
        raise VerifyException(f"expected start >= 0 and size >= 1 in dimension {dimension}, got {start} and {size}")
    if shapes.is_static(extent, start, size) and start + size > extent:
        raise VerifyException(
            f"expected start + size <= {extent} in dimension {dimension}, got {start} + {size} = {start + size}"
        )


@irdl_op_definition
class TileOp(PureTosaOp):
    """The operand repeated `multiples` times a dimension."""

    name = "tosa.tile"

    input1 = operand_def(TensorType)
    multiples = operand_def(ShapeType)
    output = result_def(TensorType)

    def __init__(self, input1: Operand, multiples: Operand):
        super().__init__(operands=[input1, multiples], result_types=[_moved(input1, _tiled(input1, multiples))])

    def verify_(self) -> None:
        multiples, rank = known_sizes(self.multiples), len(shape_of(self.input1))
        if len(multiples) != rank:
            raise VerifyException(f"expected {rank} multiples, got {len(multiples)}")
        if any(shapes.is_static(count) and count < 1 for count in multiples):
            raise VerifyException(f"expected multiples >= 1, got {list(multiples)}")
        _verify_moved(self.input1, self.output, _tiled(self.input1, self.multiples))


def _tiled(input1: Operand, multiples: Operand) -> shapes.Shape:
    return tuple(shapes.product(pair) for pair in zip(shape_of(input1), known_sizes(multiples), strict=False))


@irdl_op_definition
class ReverseOp(PureTosaOp):
    """The elements in reverse order along `axis`."""

    name = "tosa.reverse"

    input1 = operand_def(TensorType)
    axis = prop_def(IntegerAttr[I32])
    output = result_def(TensorType)

    def __init__(self, input1: Operand, axis: int):
        super().__init__(
            operands=[input1], properties={"axis": IntegerAttr(axis, i32)}, result_types=[tensor_type(input1)]
        )

    def verify_(self) -> None:
        require_axis(self.axis.value.data, shape_of(self.input1))
        _verify_moved(self.input1, self.output, shape_of(self.input1))


def require_axis(axis: int, shape: Sequence[int]) -> None:
    """Raise a `VerifyException` unless `axis` counts a dimension of `shape`."""
    if not 0 <= axis < len(shape):
        raise VerifyException(f"expected an axis of 0 to {len(shape) - 1}, got {axis}")


@irdl_op_definition
class GatherOp(PureTosaOp):
    """Vectors picked by their index: values `[N, K, C]`, indices `[N, W]`, result `[N, W, C]`."""

    name = "tosa.gather"

    values = operand_def(TensorType)
    indices = operand_def(TensorType[I32])
    output = result_def(TensorType)

    def __init__(self, values: Operand, indices: Operand):
        super().__init__(operands=[values, indices], result_types=[_moved(values, _gathered(values, indices))])

    def verify_(self) -> None:
        values, indices = shape_of(self.values), shape_of(self.indices)
        shapes.require_rank("values", values, 3)
        shapes.require_rank("indices", indices, 2)
        shapes.require_shape("indices", indices, (values[0], indices[1]))
        _verify_moved(self.values, self.output, _gathered(self.values, self.indices))


def _gathered(values: Operand, indices: Operand) -> shapes.Shape:
    return (*shape_of(indices), shape_of(values)[-1])


@irdl_op_definition
class ScatterOp(PureTosaOp):
    """`values_in` `[N, K, C]` with the vectors at `indices` `[N, W]` replaced by those of `input` `[N, W, C]`."""

    name = "tosa.scatter"

    values_in = operand_def(TensorType)
    indices = operand_def(TensorType[I32])
    input = operand_def(TensorType)
    values_out = result_def(TensorType)

    def __init__(self, values_in: Operand, indices: Operand, input: Operand):
        super().__init__(operands=[values_in, indices, input], result_types=[tensor_type(values_in)])

    def verify_(self) -> None:
        values, indices = shape_of(self.values_in), shape_of(self.indices)
        shapes.require_rank("values_in", values, 3)
        shapes.require_rank("indices", indices, 2)
        shapes.require_shape("indices", indices, (values[0], indices[1]))
        shapes.require_shape("input", shape_of(self.input), (values[0], indices[1], values[2]))
        if element_type_of(self.input) != element_type_of(self.values_in):
            raise VerifyException(
                f"expected input of {element_type_of(self.values_in)}, got {element_type_of(self.input)}"
            )
        verify_same_type(self.values_in, self.values_out)
