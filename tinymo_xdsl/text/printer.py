"""
IR to MLIR text, for modules with weights.

xDSL turns every constant into Python numbers to learn whether it is a splat. Here constants stay bytes, and can be
elided: a dump that a person reads must not bury ten ops under a megabyte of weights.
"""

import re
from dataclasses import dataclass
from io import StringIO
from typing import Final

from typing_extensions import override
from xdsl.dialects.builtin import (
    BytesAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    TensorType,
    i8,
)
from xdsl.ir import Attribute, Operation, Region
from xdsl.printer import Printer
from xdsl.syntax_printer import SyntaxPrinter

from tinymo_xdsl.text.parser import ELIDED_KEY

DUMP_ELEMENTS: Final = 16
"""Dumps and diagnostics elide constants of more elements than this, as `mlir-opt` does where it elides."""

_LIST_LENGTH: Final = 100
"""Constants of more elements than this are printed in hexadecimal, in MLIR and in xDSL."""

_MESSAGE_LENGTH: Final = 1000
"""An op in a message is cut after this many characters."""

_ESCAPED: Final = re.compile(rb'[\x00-\x1f"\\\x7f-\xff]')


@dataclass(eq=False, repr=False)
class TinymoPrinter(Printer):
    """A printer whose cost does not depend on the number of elements of constants, beyond copying their bytes."""

    elide_larger: int | None = None
    """Longer constants are printed as `dense_resource<__elided__>`, which no parser takes for data."""

    hide_regions: bool = False
    """Whether regions are printed as `{...}`."""

    @override
    def print_attribute(self, attribute: Attribute) -> None:
        match attribute:
            case DenseIntOrFPElementsAttr():
                self._print_dense(attribute)
            case DenseArrayBase() if self._is_elided(len(attribute)):
                self._print_elided(TensorType(attribute.elt_type, [len(attribute)]))
            case BytesAttr() if self._is_elided(len(attribute.data)):
                self._print_elided(TensorType(i8, [len(attribute.data)]))
            case _:
                super().print_attribute(attribute)

    @override
    def print_bytes_literal(self, bytestring: bytes) -> None:
        text = _ESCAPED.sub(lambda match: rb"\\" if match[0] == b"\\" else b"\\%02X" % match[0][0], bytestring)
        self.print_string(f'"{text.decode("ascii")}"')

    @override
    def print_op_with_default_format(self, op: Operation) -> None:
        super().print_op_with_default_format(op)
        if self.print_debuginfo:
            self.print_string(" ")
            self.print_attribute(op.location)

    @override
    def print_operation_type(self, op: Operation) -> None:
        # xDSL prints the location here too, which ops with a custom form then print a second time.
        self.print_function_type(op.operand_types, op.result_types)

    @override
    def print_region(
        self,
        region: Region,
        print_entry_block_args: bool = True,
        print_empty_block: bool = True,
        print_block_terminators: bool = True,
    ) -> None:
        if self.hide_regions:
            self.print_string("{...}")
        else:
            super().print_region(region, print_entry_block_args, print_empty_block, print_block_terminators)

    def _print_dense(self, attribute: DenseIntOrFPElementsAttr) -> None:
        raw = attribute.data.data
        size = attribute.get_element_type().compile_time_size
        count = len(raw) // size
        if count > 1 and raw == raw[:size] * count:
            element = TensorType(attribute.get_element_type(), [1])
            DenseIntOrFPElementsAttr(element, BytesAttr(raw[:size])).print_without_type(self)
        elif self._is_elided(count):
            self._print_elided(attribute.type)
            return
        elif count > _LIST_LENGTH or (count > 1 and attribute.is_splat()):
            # xDSL would write 0.0 and -0.0, which compare equal, as one value.
            self.print_string(f'dense<"0x{raw.hex().upper()}">')
        else:
            attribute.print_without_type(self)
        self.print_string(" : ")
        self.print_attribute(attribute.type)

    def _is_elided(self, count: int) -> bool:
        return self.elide_larger is not None and count > self.elide_larger

    def _print_elided(self, type_: Attribute) -> None:
        self.print_string(f"dense_resource<{ELIDED_KEY}> : ")
        self.print_attribute(type_)


class HighlightingPrinter(TinymoPrinter, SyntaxPrinter):
    """The same with colours, for a terminal."""


def op_summary(op: Operation) -> str:
    """`op` alone on one line, in generic form: no regions, no weights."""
    stream = StringIO()
    TinymoPrinter(stream, print_generic_format=True, elide_larger=DUMP_ELEMENTS, hide_regions=True).print_op(op)
    text = " ".join(stream.getvalue().split())
    return text if len(text) <= _MESSAGE_LENGTH else f"{text[:_MESSAGE_LENGTH]}..."
