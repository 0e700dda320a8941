"""
What all TOSA ops of this package share: their text, and how verifiers and constructors read types.

The text is that of MLIR 22, `name operands {attributes} : (operand types) -> result types`, where the values of
enumerations are bare words: `{nan_mode = IGNORE}`. Attributes of other dialects stand in the same braces.
"""

from abc import ABC
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Self, TypeAlias, TypeVar, cast

from typing_extensions import override
from xdsl.dialects.builtin import I64, DenseArrayBase, IntegerType, TensorType, UnitAttr, i64
from xdsl.dialects.tosa import NanMode, NanModeAttr, RoundingMode, RoundingModeAttr
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.irdl import IRDLOperation, OptPropertyDef, traits_def
from xdsl.parser import Parser
from xdsl.pattern_rewriter import RewritePattern
from xdsl.printer import Printer
from xdsl.traits import HasCanonicalizationPatternsTrait, Pure
from xdsl.utils.exceptions import VerifyException

from tinymo_xdsl.dialects.tosa import shapes
from tinymo_xdsl.dialects.tosa.attributes import ResizeMode, ResizeModeAttr

Operand: TypeAlias = SSAValue | Operation
"""What constructors take as an operand: a value, or the op with that single result."""

OpT = TypeVar("OpT", bound=IRDLOperation)

_BARE_WORDS: Mapping[str, Attribute] = {
    **{mode.value: NanModeAttr(mode) for mode in NanMode},
    **{mode.value: RoundingModeAttr(mode) for mode in RoundingMode},
    **{mode.value: ResizeModeAttr(mode) for mode in ResizeMode},
}


def print_tosa_op(op: IRDLOperation, printer: Printer) -> None:
    """Print `op` after its name. Optional properties that have their default value are left out, as MLIR does."""
    if op.operands:
        printer.print_string(" ")
        printer.print_list(op.operands, printer.print_ssa_value)
    optional = {
        name: definition.default_value
        for name, definition in op.get_irdl_definition().properties.items()
        if isinstance(definition, OptPropertyDef)
    }
    entries = dict(op.attributes)
    entries.update({name: value for name, value in op.properties.items() if value != optional.get(name)})
    if entries:
        printer.print_string(" ")
        with printer.in_braces():
            printer.print_list(sorted(entries.items(), key=itemgetter(0)), lambda entry: _print_entry(printer, *entry))
    printer.print_string(" : ")
    printer.print_operation_type(op)


def _print_entry(printer: Printer, name: str, value: Attribute) -> None:
    # MLIR's parser of TOSA text wants a value of every attribute: `unit` is spelt out.
    printer.print_identifier_or_string_literal(name)
    printer.print_string(" = ")
    if isinstance(value, NanModeAttr | RoundingModeAttr | ResizeModeAttr):
        printer.print_string(value.data)
    else:
        printer.print_attribute(value)


def parse_tosa_op(op_class: type[OpT], parser: Parser) -> OpT:
    """Parse an `op_class` after its name. What it does not declare as a property is a discardable attribute."""
    position = parser.pos
    operands = parser.parse_optional_undelimited_comma_separated_list(
        parser.parse_optional_unresolved_operand, parser.parse_unresolved_operand
    )
    entries = parser.parse_optional_comma_separated_list(parser.Delimiter.BRACES, lambda: _parse_entry(parser)) or []
    attributes = dict(entries)
    if len(attributes) != len(entries):
        parser.raise_error("an attribute is given twice", position)
    parser.parse_punctuation(":")
    signature = parser.parse_function_type()
    declared = op_class.get_irdl_definition().properties
    return op_class.create(
        operands=parser.resolve_operands(operands or [], signature.inputs.data, position),
        result_types=signature.outputs.data,
        properties={name: value for name, value in attributes.items() if name in declared},
        attributes={name: value for name, value in attributes.items() if name not in declared},
    )


def _parse_entry(parser: Parser) -> tuple[str, Attribute]:
    name = parser.parse_identifier_or_str_literal()
    if parser.parse_optional_punctuation("=") is None:
        return name, UnitAttr()
    word = parser.parse_optional_keyword_in(_BARE_WORDS)
    return name, parser.parse_attribute() if word is None else _BARE_WORDS[word]


class TosaOp(IRDLOperation, ABC):
    """An op in the text that all TOSA ops share."""

    def print(self, printer: Printer) -> None:
        print_tosa_op(self, printer)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        return parse_tosa_op(cls, parser)


class TosaCanonicalization(HasCanonicalizationPatternsTrait):
    """The patterns that `canonicalize` runs on an op, as `canonicalization` lists them."""

    @override
    def get_patterns(self, op: type[Operation]) -> tuple[RewritePattern, ...]:
        # The patterns are written in terms of the ops.
        from tinymo_xdsl.dialects.tosa.canonicalization import PATTERNS

        return PATTERNS.get(op, ())

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        """No op has these: the patterns depend on the op."""
        return ()


class PureTosaOp(TosaOp, ABC):
    """An op that only computes its results from its operands."""

    traits = traits_def(Pure(), TosaCanonicalization())


def tensor_type(operand: Operand) -> TensorType[Attribute]:
    """
    The type of a tensor.

    Raises:
        VerifyException: the operand is no ranked tensor.
    """
    type_ = SSAValue.get(operand).type
    if not isinstance(type_, TensorType):
        raise VerifyException(f"expected a ranked tensor, got {type_}")
    return type_


def shape_of(operand: Operand) -> tuple[int, ...]:
    """The sizes of a tensor, `DYNAMIC_INDEX` where unknown."""
    return tensor_type(operand).get_shape()


def element_type_of(operand: Operand) -> Attribute:
    """The type of the elements of a tensor."""
    return tensor_type(operand).get_element_type()


def require_one_element(what: str, value: SSAValue, element: Attribute) -> None:
    """Raise a `VerifyException` unless `value`, a zero point called `what`, say, is a tensor of one `element`."""
    shapes.require_shape(what, shape_of(value), (1,))
    if element_type_of(value) != element:
        raise VerifyException(f"expected {what} of {element}, got {element_type_of(value)}")


def ints(values: Sequence[int]) -> DenseArrayBase[I64]:
    """The attribute `array<i64: ...>`."""
    return DenseArrayBase.from_list(i64, values)


def plain_ints(array: DenseArrayBase) -> tuple[int, ...]:
    """The numbers of an attribute `array<i64: ...>`, whatever their width."""
    if not isinstance(array.elt_type, IntegerType):
        raise VerifyException(f"expected an array of integers, got {array}")
    return cast("DenseArrayBase[I64]", array).get_values()


i48 = IntegerType(48)
"""The accumulators of integer convolutions of 16 bits."""


def is_integer(element: Attribute, width: int | None = None) -> bool:
    """Whether `element` is an integer type, of `width` bits if given, signless or not."""
    return isinstance(element, IntegerType) and width in (None, element.width.data)
