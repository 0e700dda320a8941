"""MLIR text with weights, against xDSL's own printer and parser."""

import math
import random
from io import StringIO

import pytest
from xdsl.dialects.builtin import (
    BytesAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    FileLineColLoc,
    ModuleOp,
    StringAttr,
    TensorType,
    f16,
    f32,
    f64,
    i1,
    i8,
    i16,
    i32,
    i64,
)
from xdsl.ir import Attribute
from xdsl.parser import Parser
from xdsl.printer import Printer

from tinymo_xdsl.numerics.dense import ui8
from tinymo_xdsl.text.diagnostics import DiagnosedError
from tinymo_xdsl.text.module import module_text, parse_module
from tinymo_xdsl.text.printer import TinymoPrinter, op_summary
from tinymo_xdsl.universe import make_context

WIDTHS = [(i1, 1), (i8, 1), (ui8, 1), (i16, 2), (i32, 4), (i64, 8), (f16, 2), (f32, 4), (f64, 8)]


def text_of(printer_type: type[Printer], module: ModuleOp) -> str:
    stream = StringIO()
    printer_type(stream).print_op(module)
    return stream.getvalue()


@pytest.mark.parametrize(("element", "width"), WIDTHS, ids=lambda value: str(value))
@pytest.mark.parametrize("count", [0, 1, 2, 6, 100, 101, 3000])
@pytest.mark.parametrize("kind", ["random", "splat"])
def test_constants_are_printed_as_xdsl_does_and_read_back(element: Attribute, width: int, count: int, kind: str):
    generator = random.Random(count)
    if element == i1:
        data = bytes(generator.randrange(2) if kind == "random" else 1 for _ in range(count))
    elif kind == "random":
        # The upper byte of each element stays small, so that floats are neither infinite nor NaN.
        data = b"".join(generator.randbytes(width - 1) + bytes([generator.randrange(48)]) for _ in range(count))
    else:
        data = b"\x11" * (count * width)
    constant = DenseIntOrFPElementsAttr(TensorType(element, [count]), BytesAttr(data))
    module = ModuleOp([], {"w": constant})
    text = text_of(TinymoPrinter, module)
    assert text == text_of(Printer, module)
    assert parse_module(make_context(), text.encode(), "w.mlir").attributes["w"] == constant
    if element != i1:
        assert Parser(make_context(), text).parse_module().attributes["w"] == constant


@pytest.mark.parametrize(
    "array",
    [
        DenseArrayBase.from_list(f32, [0.1, -0.0, 1e-30, 123456792.0, math.inf, -math.inf, math.nan]),
        DenseArrayBase.from_list(f32, [2.5]),
        DenseArrayBase.from_list(i8, [-128, 127]),
        DenseArrayBase.from_list(i64, [-(2**63), 2**63 - 1]),
        DenseArrayBase.from_list(i64, []),
        DenseArrayBase.from_list(f64, [0.1, -1e300]),
    ],
    ids=str,
)
def test_arrays_are_read_back(array: DenseArrayBase):
    text = module_text(ModuleOp([], {"a": array}))
    assert parse_module(make_context(), text.encode(), "in.mlir").attributes["a"] == array


@pytest.mark.parametrize(
    "text",
    ["i8: 300", "i8: 1.5", "i32: 1,", "i32: 1 2", "i8: 0x100", "f32: -", "f32: 0x1", "f32: 0x00", "f32: 1e300"],
)
def test_arrays_that_are_wrong_are_refused(text: str):
    with pytest.raises(DiagnosedError, match=r"in\.mlir:1:"):
        parse_module(make_context(), f'"test.op"() {{a = array<{text}>}} : () -> ()'.encode(), "in.mlir")


def test_an_open_string_is_an_error_at_once():
    text = '"test.op"() {name = "' + "a b " * 1000 + "\n} : () -> ()\n"
    with pytest.raises(DiagnosedError, match=r"in\.mlir:1:21: error: End of file reached before closing string"):
        parse_module(make_context(), text.encode(), "in.mlir")


def test_strings_of_all_bytes_are_printed_as_xdsl_does():
    module = ModuleOp([], {"bytes": BytesAttr(bytes(range(256)) * 2), "text": StringAttr('Größe "\\"\n')})
    assert text_of(TinymoPrinter, module) == text_of(Printer, module)


def test_elided_text_is_refused():
    module = ModuleOp([], {"w": DenseIntOrFPElementsAttr(TensorType(i8, [4]), BytesAttr(b"\1\2\3\4"))})
    text = module_text(module, elide_larger=3)
    assert "dense_resource<__elided__> : tensor<4xi8>" in text
    with pytest.raises(DiagnosedError, match="were left out when the module was printed"):
        parse_module(make_context(), text.encode(), "w.mlir")
    assert module_text(module, elide_larger=4) == module_text(module)


def test_locations_count_the_lines_before_the_text():
    module = parse_module(make_context(), b'\n"builtin.module"() ({}) : () -> ()', "in.mlir", line_offset=10)
    location = module.location
    assert isinstance(location, FileLineColLoc)
    assert (location.filename.data, location.line.data, location.column.data) == ("in.mlir", 12, 1)


def test_a_summary_is_one_short_line():
    ops = b"\n".join(b'"test.op"() {very_long_attribute_%d = "%s"} : () -> ()' % (n, b"x" * 90) for n in range(90))
    module = parse_module(make_context(), ops, "in.mlir")
    assert op_summary(module) == '"builtin.module"() ({...}) : () -> ()'
    module.attributes["names"] = StringAttr("x" * 5000)
    assert len(op_summary(module)) < 1100
