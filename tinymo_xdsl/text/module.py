"""Whole modules from bytes and to text."""

from collections.abc import Callable
from io import StringIO

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.exceptions import ParseError

from tinymo_xdsl.text.diagnostics import DiagnosedError, Diagnostic, parse_error_diagnostic
from tinymo_xdsl.text.parser import TinymoParser
from tinymo_xdsl.text.printer import TinymoPrinter


def parse_module(
    context: Context,
    data: bytes,
    name: str,
    *,
    line_offset: int = 0,
    implicit_module: bool = True,
    warn: Callable[[str], None] | None = None,
) -> ModuleOp:
    """
    The module in the MLIR text `data`, which is the file `name` from line `line_offset + 1` on.

    With `implicit_module`, ops at the top are put into a module. `warn` receives text that is slow to read.
    Raises `DiagnosedError` at the first syntax error.
    """
    try:
        parser = TinymoParser(context, data.decode(), name, line_offset=line_offset, warn=warn)
        return parser.parse_module(implicit_module)
    except ParseError as error:
        raise DiagnosedError([parse_error_diagnostic(error, line_offset)]) from None
    except UnicodeDecodeError as error:
        message = f"byte {error.start} is not UTF-8 text; is this a .tflite file?"
        raise DiagnosedError([Diagnostic(name, message)]) from None


def module_text(module: ModuleOp, elide_larger: int | None = None) -> str:
    """The MLIR text of `module`; constants of more than `elide_larger` elements are left out of it."""
    stream = StringIO()
    TinymoPrinter(stream, elide_larger=elide_larger).print_op(module)
    return f"{stream.getvalue()}\n"
