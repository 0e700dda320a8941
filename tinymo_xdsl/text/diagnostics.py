"""
Errors in a module, each at its place, in the form of `mlir-opt`.

    in.mlir:3:8: error: 'tosa.add' op operands must have the same rank
    in.mlir:3:8: note: see current operation: %0 = "tosa.add"(%a, %b) : (tensor<2xi8>, tensor<1x2xi8>) -> tensor<1x2xi8>

No message shows more than one op, and none shows weights.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from xdsl.dialects.builtin import ArrayAttr, CallSiteLoc, FileLineColLoc, FusedLoc, ModuleOp, NameLoc
from xdsl.ir import Attribute, Operation
from xdsl.utils.exceptions import MultipleSpansParseError, ParseError, VerifyException
from xdsl.utils.lexer import Span

from tinymo_xdsl.errors import TinymoError
from tinymo_xdsl.text.dominance import early_reads
from tinymo_xdsl.text.printer import op_summary

_EXCERPT_WIDTH: Final = 160
_LONG_HEXADECIMAL: Final = re.compile(r"0x[0-9A-Fa-f]{16,}")


@dataclass(frozen=True)
class Diagnostic:
    """One error, and what helps to understand it."""

    place: str
    """`file:line:column`, or the file alone."""
    message: str
    details: tuple[str, ...] = ()
    """Further lines: the text at the place, or notes."""

    def __str__(self) -> str:
        """The lines for the terminal."""
        message = " ".join(self.message.split())
        return "\n".join([f"{self.place}: error: {message}", *self.details])


class DiagnosedError(TinymoError):
    """A module that cannot be read, does not verify, or on which a pass failed. Its text is complete as it is."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        """All that is wrong, in the order of the text."""
        super().__init__("\n".join(map(str, diagnostics)))


def parse_error_diagnostic(error: ParseError, line_offset: int) -> Diagnostic:
    """The place and the text of a syntax error; the parser's input began after `line_offset` lines of the file."""
    details = [_excerpt(error.span)]
    if isinstance(error, MultipleSpansParseError):
        details += [
            f"{_span_place(span, line_offset)}: note: {note or error.ref_text or 'here'}" for span, note in error.refs
        ]
    return Diagnostic(_span_place(error.span, line_offset), error.msg, tuple(details))


def verify_module(module: ModuleOp, file: str, occasion: str = "") -> None:
    """
    Raise a `DiagnosedError` with every error in `module`.

    Ops without a place in the text are in `file`; `occasion` goes before each message.
    """
    try:
        module.verify()
    except (VerifyException, ValueError) as error:
        diagnostics = [op_diagnostic(op, reason, file, occasion) for op, reason in _verification_errors(module)]
        # The exception carries the whole module as a note, weights included: it must not be shown as a cause.
        raise DiagnosedError(diagnostics or [Diagnostic(file, f"{occasion}{error}")]) from None
    if early := [op_diagnostic(op, reason, file, occasion) for op, reason in early_reads(module)]:
        raise DiagnosedError(early)


def op_diagnostic(op: Operation, message: str, file: str, occasion: str = "") -> Diagnostic:
    """An error of one op, which is in `file` if its location does not say where."""
    place = _location_place(op.location) or file
    note = f"{place}: note: see current operation: {op_summary(op)}"
    return Diagnostic(place, f"{occasion}'{op.name}' op {message}", (note,))


def _verification_errors(module: ModuleOp) -> list[tuple[Operation, str]]:
    found: list[tuple[Operation, str]] = []
    for op in module.walk():
        try:
            op.verify_()
        except VerifyException as error:
            found.append((op, str(error)))
    if found:
        return found
    # What is left is in the structure, such as a missing terminator.
    for op in module.walk():
        try:
            op.verify(verify_nested_ops=False)
        except (VerifyException, ValueError) as error:
            found.append((op, str(error)))
    return found


def _location_place(location: Attribute) -> str | None:
    match location:
        case FileLineColLoc():
            return f"{location.filename.data}:{location.line.data}:{location.column.data}"
        case NameLoc():
            return _location_place(location.location)
        case CallSiteLoc():
            return _location_place(location.callee)
        case FusedLoc(locations=ArrayAttr() as locations):
            return next(filter(None, map(_location_place, locations)), None)
        case _:
            return None


def _span_place(span: Span[str] | Span[bytes], line_offset: int) -> str:
    place = span.get_location()
    return f"{place.file}:{place.line + line_offset}:{place.col}"


def _excerpt(span: Span[str] | Span[bytes]) -> str:
    """The line at `span` with a caret below, long constants and the far ends of long lines left out."""
    text = span.input.content
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    start = text.rfind("\n", 0, span.start) + 1
    end = text.find("\n", span.start)
    line_end = len(text) if end == -1 else end
    before = _LONG_HEXADECIMAL.sub("0x...", text[start : span.start]).replace("\t", " ")
    after = _LONG_HEXADECIMAL.sub("0x...", text[span.start : line_end])
    before = before[-_EXCERPT_WIDTH // 2 :]
    after = after[: _EXCERPT_WIDTH - len(before)]
    return f"{before}{after}\n{' ' * len(before)}^"
