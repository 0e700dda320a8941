"""
The TinyMo dialect: spilling, splitting and kernels on top of TOSA.

`spill`/`reload` move a tensor to a secondary memory and back, `split`/`join` cut it into windows and put disjoint
windows together, `kernel` groups the ops that one call at run time computes. Where tensors have become buffers, `input`
says which of them the application fills.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import ClassVar, TypeAlias, cast

from typing_extensions import override
from xdsl.dialects.builtin import ArrayAttr, DenseArrayBase, IntegerAttr, MemRefType, StringAttr, TensorType, i64
from xdsl.ir import Attribute, Block, Dialect, Operation, ParametrizedAttribute, Region, SSAValue, TypeAttribute
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    ParamAttrConstraint,
    ParsePropInAttrDict,
    VarConstraint,
    irdl_attr_definition,
    irdl_op_definition,
    lazy_traits_def,
    operand_def,
    param_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import (
    EffectInstance,
    HasParent,
    IsTerminator,
    MemoryAllocEffect,
    MemoryWriteEffect,
    Pure,
    RecursiveMemoryEffect,
)
from xdsl.utils.exceptions import VerifyException

from tinymo_xdsl.dialects.tosa.base import plain_ints

Window: TypeAlias = tuple[int, int]
"""Half-open range of indices along an axis."""


@irdl_attr_definition
class SpilledType(ParametrizedAttribute, TypeAttribute):
    """
    A tensor that rests in a secondary memory until it is reloaded.

    ```mlir
    !tinymo.spilled<tensor<1x8x8x16xi8>>
    ```
    """

    name = "tinymo.spilled"

    tensor: TensorType = param_def()


@irdl_op_definition
class SpillOp(IRDLOperation):
    """
    Copies a tensor to a secondary memory; its source may die.

    Has a write effect, so that no rewrite drops or doubles the copy.

    ```mlir
    %h = tinymo.spill %t {memory = "psram"} : tensor<1x8x8x16xi8> -> !tinymo.spilled<tensor<1x8x8x16xi8>>
    ```
    """

    name = "tinymo.spill"

    T: ClassVar = VarConstraint("T", TensorType.constr())

    memory = prop_def(StringAttr)
    source = operand_def(T)
    handle = result_def(ParamAttrConstraint(SpilledType, (T,)))

    traits = traits_def(MemoryWriteEffect())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$source attr-dict `:` type($source) `->` type($handle)"

    def __init__(self, source: SSAValue, memory: str):
        type_ = cast(TensorType, source.type)
        super().__init__(
            operands=[source], result_types=[SpilledType(type_)], properties={"memory": StringAttr(memory)}
        )


@irdl_op_definition
class ReloadOp(IRDLOperation):
    """
    Brings a spilled tensor back before its next use.

    Has an allocation effect: two reloads of one handle are two buffers, and `cse` must leave them alone.

    ```mlir
    %t = tinymo.reload %h : !tinymo.spilled<tensor<1x8x8x16xi8>> -> tensor<1x8x8x16xi8>
    ```
    """

    name = "tinymo.reload"

    T: ClassVar = VarConstraint("T", TensorType.constr())

    handle = operand_def(ParamAttrConstraint(SpilledType, (T,)))
    result = result_def(T)

    traits = traits_def(MemoryAllocEffect())
    assembly_format = "$handle attr-dict `:` type($handle) `->` type($result)"

    def __init__(self, handle: SSAValue):
        super().__init__(operands=[handle], result_types=[cast(SpilledType, handle.type).tensor])


def resized(type_: TensorType, axis: int, extent: int) -> TensorType:
    """`type_` with `extent` elements along `axis`."""
    shape = list(type_.get_shape())
    shape[axis] = extent
    return TensorType(type_.element_type, shape)


def _extent(type_: TensorType, axis: int) -> int:
    shape = type_.get_shape()
    if not 0 <= axis < len(shape):
        raise VerifyException(f"axis {axis} does not exist in {type_}")
    return shape[axis]


def _parse_window(parser: Parser) -> DenseArrayBase:
    bounds = parser.parse_comma_separated_list(Parser.Delimiter.SQUARE, parser.parse_integer)
    return DenseArrayBase.from_list(i64, bounds)


@irdl_op_definition
class SplitOp(IRDLOperation):
    """
    Windows of a tensor along one axis. They are half-open, may overlap (halo) and need not cover the tensor.

    ```mlir
    %a, %b = tinymo.split %t {axis = 1, windows = [[0, 5], [4, 9]]}
        : tensor<1x9x8xi8> -> (tensor<1x5x8xi8>, tensor<1x5x8xi8>)
    ```
    """

    name = "tinymo.split"

    axis = prop_def(IntegerAttr)
    windows = prop_def(ArrayAttr[DenseArrayBase])
    source = operand_def(TensorType)
    parts = var_result_def(TensorType)

    traits = traits_def(Pure())

    def __init__(self, source: SSAValue, axis: int, windows: Sequence[Window]):
        type_ = cast(TensorType, source.type)
        super().__init__(
            operands=[source],
            result_types=[[resized(type_, axis, high - low) for low, high in windows]],
            properties={
                "axis": IntegerAttr(axis, i64),
                "windows": ArrayAttr([DenseArrayBase.from_list(i64, window) for window in windows]),
            },
        )

    @property
    def ranges(self) -> tuple[Window, ...]:
        """The windows as plain numbers."""
        return tuple(cast(Window, plain_ints(window)) for window in self.windows)

    def verify_(self) -> None:
        """Each window lies in the source, and each result has the source's shape but for its window."""
        source = cast(TensorType, self.source.type)
        axis, extent = self.axis.value.data, _extent(source, self.axis.value.data)
        if len(self.windows) != len(self.parts):
            raise VerifyException(f"has {len(self.windows)} windows but {len(self.parts)} results")
        if any(len(window) != 2 for window in self.windows):
            raise VerifyException("each window is a pair [low, high]")
        for (low, high), part in zip(self.ranges, self.parts, strict=True):
            if not 0 <= low < high <= extent:
                raise VerifyException(f"window [{low}, {high}] does not lie in axis {axis} of extent {extent}")
            if part.type != (expected := resized(source, axis, high - low)):
                raise VerifyException(f"window [{low}, {high}] of {source} is {expected}, not {part.type}")

    def print(self, printer: Printer) -> None:
        """Prints the windows as nested lists, with the discardable attributes in the same braces."""
        printer.print_string(" ")
        printer.print_ssa_value(self.source)
        printer.print_string(f" {{axis = {self.axis.value.data}, windows = [")
        printer.print_string(", ".join(f"[{low}, {high}]" for low, high in self.ranges))
        printer.print_string("]")
        for name, attribute in self.attributes.items():
            printer.print_string(", ")
            printer.print_identifier_or_string_literal(name)
            printer.print_string(" = ")
            printer.print_attribute(attribute)
        printer.print_string("} : ")
        printer.print_attribute(self.source.type)
        printer.print_string(" -> (")
        printer.print_list(self.parts.types, printer.print_attribute)
        printer.print_string(")")

    @classmethod
    def parse(cls, parser: Parser) -> "SplitOp":
        """Parses what `print` prints; entries may come in any order."""
        source = parser.parse_unresolved_operand()
        properties: dict[str, Attribute] = {}
        attributes: dict[str, Attribute] = {}

        def parse_entry() -> None:
            name = parser.parse_identifier_or_str_literal()
            parser.parse_punctuation("=")
            if name == "axis":
                properties[name] = IntegerAttr(parser.parse_integer(), i64)
            elif name == "windows":
                windows = parser.parse_comma_separated_list(Parser.Delimiter.SQUARE, lambda: _parse_window(parser))
                properties[name] = ArrayAttr(windows)
            else:
                attributes[name] = parser.parse_attribute()

        parser.parse_comma_separated_list(Parser.Delimiter.BRACES, parse_entry)
        parser.parse_punctuation(":")
        source_type = parser.parse_type()
        parser.parse_punctuation("->")
        types = parser.parse_comma_separated_list(Parser.Delimiter.PAREN, parser.parse_type)
        return cls.create(
            operands=[parser.resolve_operand(source, source_type)],
            result_types=types,
            properties=properties,
            attributes=attributes,
        )


@irdl_op_definition
class JoinOp(IRDLOperation):
    """
    Disjoint windows put together along one axis, in order.

    ```mlir
    %t = tinymo.join %a, %b {axis = 1 : i64} : (tensor<1x5x8xi8>, tensor<1x4x8xi8>) -> tensor<1x9x8xi8>
    ```
    """

    name = "tinymo.join"

    axis = prop_def(IntegerAttr)
    parts = var_operand_def(TensorType)
    result = result_def(TensorType)

    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$parts attr-dict `:` functional-type(operands, results)"

    def __init__(self, parts: Sequence[SSAValue], axis: int):
        types = [cast(TensorType, part.type) for part in parts]
        extent = sum(type_.get_shape()[axis] for type_ in types)
        super().__init__(
            operands=[parts],
            result_types=[resized(types[0], axis, extent)],
            properties={"axis": IntegerAttr(axis, i64)},
        )

    def verify_(self) -> None:
        """The parts differ along the axis only, and add up to the result there."""
        if not self.parts:
            raise VerifyException("joins at least one part")
        result, axis = self.result.type, self.axis.value.data
        extents = [_extent(cast(TensorType, part.type), axis) for part in self.parts]
        for part, extent in zip(self.parts, extents, strict=True):
            if part.type != (expected := resized(result, axis, extent)):
                raise VerifyException(f"a part of {result} along axis {axis} is {expected}, not {part.type}")
        if sum(extents) != _extent(result, axis):
            raise VerifyException(
                f"the parts hold {sum(extents)} along axis {axis}, the result {_extent(result, axis)}"
            )


@irdl_op_definition
class YieldOp(IRDLOperation):
    """The values that a region's op returns."""

    name = "tinymo.yield"

    values = var_operand_def()

    traits = lazy_traits_def(lambda: (IsTerminator(), HasParent(KernelOp), Pure()))
    assembly_format = "($values^ `:` type($values))? attr-dict"

    def __init__(self, values: Sequence[SSAValue]):
        super().__init__(operands=[values])


class KernelEffects(RecursiveMemoryEffect):
    """What a kernel's ops do, and that it writes to memory if it has buffers for its results."""

    @classmethod
    @override
    def get_effects(cls, op: Operation) -> AbstractSet[EffectInstance] | None:
        """The effects of the ops inside and those on buffers; `None` if the ops inside do not tell."""
        effects = super().get_effects(op)
        if effects is None or not cast(KernelOp, op).outputs:
            return effects
        return effects | MemoryWriteEffect.get_effects(op)


@irdl_op_definition
class KernelOp(IRDLOperation):
    """
    One call at run time. Only what it yields is in memory; values inside never are.

    Constants stay outside, so that kernels share them.

    ```mlir
    %y = tinymo.kernel -> tensor<1x8x8x4xi8> {
      %acc = tosa.conv2d %x, %w, %b, %xzp, %wzp {...} : (...) -> tensor<1x8x8x4xi32>
      %out = tosa.rescale %acc, ... : (...) -> tensor<1x8x8x4xi8>
      tinymo.yield %out : tensor<1x8x8x4xi8>
    }
    ```

    On buffers a kernel reads the tensors that it works on, the arguments of its block, from `ins`, and stores what it
    yields in `outs`. A buffer in both is written over while it is read.

    ```mlir
    tinymo.kernel ins(%image : memref<1x8x8x3xi8>) outs(%y : memref<1x8x8x4xi8>) {
    ^bb0(%x: tensor<1x8x8x3xi8>):
      ...
      tinymo.yield %out : tensor<1x8x8x4xi8>
    }
    ```
    """

    name = "tinymo.kernel"

    inputs = var_operand_def(MemRefType)
    outputs = var_operand_def(MemRefType)
    results_ = var_result_def(TensorType)
    body = region_def("single_block")

    traits = traits_def(KernelEffects())
    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    assembly_format = (
        "(`ins` `(` $inputs^ `:` type($inputs) `)`)? (`outs` `(` $outputs^ `:` type($outputs) `)`)?"
        " (`->` type($results_)^)? $body attr-dict"
    )

    def __init__(
        self,
        body: Block,
        result_types: Sequence[Attribute] = (),
        inputs: Sequence[SSAValue] = (),
        outputs: Sequence[SSAValue] = (),
    ):
        super().__init__(operands=[inputs, outputs], result_types=[result_types], regions=[Region(body)])

    @property
    def terminator(self) -> YieldOp:
        """The yield that ends the body."""
        return cast(YieldOp, self.body.block.last_op)

    def verify_(self) -> None:
        """The body ends with a yield of what is returned or stored, and takes what is read from buffers."""
        if not isinstance(self.body.block.last_op, YieldOp):
            raise VerifyException("does not end with a tinymo.yield")
        if self.outputs and self.results_:
            raise VerifyException("stores what it yields in buffers or returns it, not both")
        stored = [_as_tensor(type_) for type_ in self.outputs.types] or list(self.results_.types)
        if list(self.terminator.values.types) != stored:
            raise VerifyException(f"yields other types than {'its outs are' if self.outputs else 'it returns'}")
        if [argument.type for argument in self.body.block.args] != [_as_tensor(type_) for type_ in self.inputs.types]:
            raise VerifyException("takes other types in its block than its ins are")


def _as_tensor(buffer: Attribute) -> TensorType:
    type_ = cast(MemRefType, buffer)
    return TensorType(type_.element_type, type_.get_shape())


@irdl_op_definition
class InputOp(IRDLOperation):
    """
    A buffer that holds an input of the function: the application has filled it when the function begins.

    Inputs are numbered as in the model. Outputs are what the function returns.

    ```mlir
    tinymo.input %image {index = 0 : i64} : memref<1x96x96x3xi8>
    ```
    """

    name = "tinymo.input"

    index = prop_def(IntegerAttr)
    buffer = operand_def(MemRefType)

    traits = traits_def(MemoryWriteEffect())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$buffer attr-dict `:` type($buffer)"

    def __init__(self, buffer: SSAValue, index: int):
        super().__init__(operands=[buffer], properties={"index": IntegerAttr(index, i64)})


TINYMO = Dialect("tinymo", [SpillOp, ReloadOp, SplitOp, JoinOp, KernelOp, YieldOp, InputOp], [SpilledType])
