"""Variables: tensors that keep their value from one call of the model to the next."""

from collections.abc import Sequence
from typing import Self

import numpy as np
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    DenseIntOrFPElementsAttr,
    IndexType,
    StringAttr,
    SymbolNameConstraint,
    TensorType,
)
from xdsl.ir import Attribute, SSAValue, TypeAttribute
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect, SymbolOpInterface, SymbolTable
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.hints import isa

from tinymo_xdsl.dialects.tosa import shapes
from tinymo_xdsl.dialects.tosa.base import Operand, element_type_of, shape_of
from tinymo_xdsl.numerics import dense


def _shape_attribute(shape: Sequence[int]) -> DenseIntOrFPElementsAttr:
    """A shape as MLIR stores it: -1 is a size that is not known."""
    sizes = [-1 if size == DYNAMIC_INDEX else size for size in shape]
    return dense.from_numpy(np.array(sizes, np.int64), IndexType())


@irdl_op_definition
class VariableOp(IRDLOperation):
    """
    A variable, with the value that it has before the first call or without one.

    ```mlir
    tosa.variable @state = dense<0> : tensor<1x8xi8>
    tosa.variable @scratch : tensor<1x8xi8>
    ```
    """

    name = "tosa.variable"

    sym_name = prop_def(SymbolNameConstraint())
    var_shape = prop_def(DenseIntOrFPElementsAttr)
    type = prop_def(TypeAttribute)
    initial_value = opt_prop_def(DenseIntOrFPElementsAttr)

    traits = traits_def(SymbolOpInterface())

    def __init__(
        self, sym_name: str, type_: TensorType[Attribute], initial_value: DenseIntOrFPElementsAttr | None = None
    ):
        super().__init__(
            properties={
                "sym_name": StringAttr(sym_name),
                "var_shape": _shape_attribute(type_.get_shape()),
                "type": type_.get_element_type(),
                "initial_value": initial_value,
            }
        )

    def tensor_type(self) -> TensorType[Attribute]:
        """The type of the variable's value."""
        sizes = dense.to_numpy(self.var_shape)
        return TensorType(self.type, [DYNAMIC_INDEX if size == -1 else int(size) for size in sizes])

    def verify_(self) -> None:
        if self.initial_value is not None and self.initial_value.get_type() != self.tensor_type():
            raise VerifyException(
                f"expected an initial value of {self.tensor_type()}, got {self.initial_value.get_type()}"
            )

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_symbol_name(self.sym_name.data)
        printer.print_op_attributes(self.attributes)
        if self.initial_value is not None:
            printer.print_string(" = ")
            printer.print_attribute(self.initial_value)
        else:
            printer.print_string(" : ")
            printer.print_attribute(self.tensor_type())

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        sym_name = parser.parse_symbol_name().data
        attributes = parser.parse_optional_attr_dict()
        op = cls(sym_name, *_parse_type_and_value(parser))
        op.attributes.update(attributes)
        return op


def _parse_type_and_value(parser: Parser) -> tuple[TensorType[Attribute], DenseIntOrFPElementsAttr | None]:
    position = parser.pos
    if parser.parse_optional_punctuation("=") is None:
        parser.parse_punctuation(":")
        value, type_ = None, parser.parse_type()
    elif isinstance(value := parser.parse_attribute(), DenseIntOrFPElementsAttr):
        type_ = value.get_type()
    else:
        parser.raise_error("expected a dense initial value", position)
    if not isa(type_, TensorType[Attribute]):
        parser.raise_error("expected a variable of tensor type", position)
    return type_, value


def _verify_access(op: IRDLOperation, sym_name: StringAttr, value: SSAValue) -> None:
    """Check that the variable `sym_name` exists, and that `value` is of its type."""
    variable = SymbolTable.lookup_symbol(op, sym_name)
    if not isinstance(variable, VariableOp):
        raise VerifyException(f"no tosa.variable is named @{sym_name.data}")
    if element_type_of(value) != variable.type:
        raise VerifyException(f"expected a value of {variable.type}, got {element_type_of(value)}")
    shapes.require_shape("the value", shape_of(value), variable.tensor_type().get_shape())


@irdl_op_definition
class VariableReadOp(IRDLOperation):
    """The value that a variable has now."""

    name = "tosa.variable_read"

    var_name = prop_def(SymbolNameConstraint(), prop_name="name")
    output1 = result_def(TensorType)

    traits = traits_def(MemoryReadEffect())

    assembly_format = "$name attr-dict `:` type($output1)"

    def __init__(self, var_name: str, type_: TensorType[Attribute]):
        super().__init__(properties={"name": StringAttr(var_name)}, result_types=[type_])

    def verify_(self) -> None:
        _verify_access(self, self.var_name, self.output1)


@irdl_op_definition
class VariableWriteOp(IRDLOperation):
    """Gives a variable another value."""

    name = "tosa.variable_write"

    var_name = prop_def(SymbolNameConstraint(), prop_name="name")
    input1 = operand_def(TensorType)

    traits = traits_def(MemoryWriteEffect())

    assembly_format = "$name attr-dict `,` $input1 `:` type($input1)"

    def __init__(self, var_name: str, input1: Operand):
        super().__init__(operands=[input1], properties={"name": StringAttr(var_name)})

    def verify_(self) -> None:
        _verify_access(self, self.var_name, self.input1)
