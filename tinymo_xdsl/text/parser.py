"""
MLIR text to IR, for files with weights and for people who read the errors.

Against xDSL's parser: every op gets the place in the file where its name stands, a failing verifier is an error at that
place, the check of dense literals is built once (it is a third of the time of a model with many small constants), and
constants that were elided when they were printed are refused instead of being taken for data. Arrays of numbers are
read at once, infinite floats included.
"""

import re
import struct
from bisect import bisect_right
from collections.abc import Callable
from math import prod
from typing import Final

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialect_interfaces.op_asm import OpAsmDialectInterface
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    AnyDenseElement,
    AnyFloat,
    BytesAttr,
    ComplexType,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    FileLineColLoc,
    IndexType,
    IntAttr,
    IntegerType,
    RankedStructure,
    StringAttr,
    UnknownLoc,
    f32,
    i1,
)
from xdsl.ir import Operation
from xdsl.irdl import base
from xdsl.parser import Parser, ParserState
from xdsl.utils.exceptions import ParseError, VerifyException
from xdsl.utils.lexer import Input, Span
from xdsl.utils.mlir_lexer import MLIRLexer, MLIRTokenKind

ELIDED_KEY: Final = "__elided__"
"""The resource key that stands for a constant whose elements were not printed, in MLIR and here."""

MOST_ELEMENTS: Final = 1 << 28
"""Constants of more elements are refused: xDSL would make a Python number of each, if they are all the same."""

SLOW_LIST_LENGTH: Final = 10_000
"""Decimal lists longer than this are warned about: a million numbers take half a minute, in hexadecimal 20 ms."""

# Facts of tensors are arrays with a number for each channel: splitting them costs a tenth of lexing them.
_NUMBER_ARRAY: Final = re.compile(r"<\s*(f32|i8|i16|i32|i64)\s*:([-+.\da-fA-FxX,\s]*)>")

_TRUTH: Final = bytes([0, *[1] * 255])

_DENSE_TYPE: Final = base(RankedStructure[IntegerType | IndexType | AnyFloat | ComplexType])


class _Lexer(MLIRLexer):
    """
    xDSL's lexer, but an open string literal is an error at once.

    Its pattern without the possessive quantifiers takes time exponential in the length of the rest of the line.
    """

    _unescaped_characters_regex: re.Pattern[str] = re.compile(r'"(?:[^"\\\n\v\f]++|\\(?:["nt\\]|[0-9A-Fa-f]{2}))*+"')


class TinymoParser(Parser):
    """A parser of one module."""

    def __init__(
        self,
        ctx: Context,
        text: str,
        name: str,
        *,
        line_offset: int = 0,
        warn: Callable[[str], None] | None = None,
    ) -> None:
        """
        Start at the beginning of `text`, which is `name` from line `line_offset + 1` on.

        `warn` receives one line for each piece of text that is needlessly slow to read.
        """
        self._line_starts: tuple[int, ...] = (0, *(match.end() for match in re.finditer("\n", text)))
        self._file_name: StringAttr = StringAttr(name)
        self._line_offset: int = line_offset
        self._warn: Callable[[str], None] | None = warn
        self._op_positions: list[int] = []
        super().__init__(ctx, "", name)
        self._parser_state: ParserState[MLIRTokenKind, str] = ParserState(_Lexer(Input(text, name)))

    @override
    def parse_operation(self) -> Operation:
        depth = len(self._op_positions)
        start = self.pos
        try:
            operation = super().parse_operation()
        # Numbers that do not fit their type are a `ValueError`, those of more than 64 bits are not implemented in xDSL.
        except (VerifyException, OverflowError, MemoryError, ValueError, NotImplementedError, struct.error) as error:
            self.raise_error(str(error), self._op_positions[depth] if len(self._op_positions) > depth else start)
        position = self._op_positions.pop()
        if isinstance(operation.location, UnknownLoc):
            line, column = self._line_and_column(position)
            operation.location = FileLineColLoc(self._file_name, IntAttr(line), IntAttr(column))
        return operation

    @override
    def _parse_op_result_list(self) -> list[tuple[Span, int]]:
        results = super()._parse_op_result_list()
        self._op_positions.append(self.pos)
        return results

    @override
    def _get_op_by_name(self, name: str) -> type[Operation]:
        try:
            return super()._get_op_by_name(name)
        except ParseError as error:
            # The token at hand is the one behind the name.
            self.raise_error(error.msg, self._op_positions[-1])

    def _line_and_column(self, position: int) -> tuple[int, int]:
        line = bisect_right(self._line_starts, position)
        return line + self._line_offset, position - self._line_starts[line - 1] + 1

    @override
    def _parse_dense_literal_type(self) -> RankedStructure[AnyDenseElement]:
        type_ = self.parse_type()
        if not _DENSE_TYPE.verifies(type_):
            self.raise_error("a dense constant needs a tensor, vector or memref type of integers, index or floats")
        if DYNAMIC_INDEX in type_.get_shape():
            self.raise_error("a dense constant needs a static shape")
        if prod(type_.get_shape()) > MOST_ELEMENTS:
            self.raise_error(f"a dense constant has at most {MOST_ELEMENTS} elements")
        return type_

    @override
    def _parse_builtin_densearray_attr(self) -> DenseArrayBase | None:
        match = _NUMBER_ARRAY.match(self.lexer.input.content, self.pos)
        array = _number_array(match[1], match[2]) if match else None
        if not match or array is None:
            return super()._parse_builtin_densearray_attr()
        self._resume_from(match.end())
        return array

    @override
    def parse_dense_int_or_fp_elements_attr(
        self, type: RankedStructure[AnyDenseElement] | None
    ) -> DenseIntOrFPElementsAttr:
        if self._warn:
            self._warn_of_slow_list(self._warn)
        constant = super().parse_dense_int_or_fp_elements_attr(type)
        if constant.get_element_type() != i1:
            return constant
        # xDSL reads `true` as the byte 255; everything else here, .tflite files included, has it as 1.
        return DenseIntOrFPElementsAttr(constant.type, BytesAttr(constant.data.data.translate(_TRUTH)))

    def _warn_of_slow_list(self, warn: Callable[[str], None]) -> None:
        text = self.lexer.input.content
        if not text.startswith("[", self.pos + 1):
            return
        length = text.count(",", self.pos, text.find(">", self.pos)) + 1
        if length > SLOW_LIST_LENGTH:
            line, column = self._line_and_column(self.pos)
            warn(
                f"{self._file_name.data}:{line}:{column}: warning: a list of {length} decimal numbers is slow to read; "
                "print the module again with mlir-opt, which writes long constants in hexadecimal"
            )

    @override
    def _parse_dialect_resource_handle(self, dialect_name: str, interface: OpAsmDialectInterface) -> str:
        if self._current_token.text == ELIDED_KEY:
            self.raise_error(
                "the elements of this constant were left out when the module was printed; "
                "print it again without eliding constants"
            )
        return super()._parse_dialect_resource_handle(dialect_name, interface)


def _number_array(element: str, numbers: str) -> DenseArrayBase | None:
    """The array of plain decimal `numbers`; `None` if a token at a time must find out what they are."""
    try:
        if element == "f32":
            return DenseArrayBase.from_list(f32, [_float32(number.strip()) for number in numbers.split(",")])
        return DenseArrayBase.from_list(IntegerType(int(element[1:])), [int(number) for number in numbers.split(",")])
    except (ValueError, OverflowError, struct.error, VerifyException):
        return None


def _float32(number: str) -> float:
    """A number as MLIR writes it: what decimals do not hold, infinity for one, is the hexadecimal of its bits."""
    (value,) = struct.unpack(">f", bytes.fromhex(number[2:])) if number.startswith("0x") else (float(number),)
    return value
