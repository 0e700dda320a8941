"""`tinymo-translate`: between `.tflite` files and modules in text."""

import sys
from collections.abc import Sequence

from tinymo_xdsl.text.diagnostics import verify_module
from tinymo_xdsl.text.module import module_text, parse_module
from tinymo_xdsl.tools.command_line import ArgumentParser, log_to_stderr, read_input, run_tool, write_output
from tinymo_xdsl.universe import make_context


def tflite_to_mlir(data: bytes, name: str) -> str:
    """The graph of the TFLite model `data` as text; `name` names the model in errors."""
    from tinymo_xdsl.flatbuffer.reader import read_model
    from tinymo_xdsl.frontend import import_model

    return module_text(import_model(read_model(data, name)))


def mlir_to_tflite(data: bytes, name: str) -> bytes:
    """The TFLite model of the module in the text `data`; `name` names the text in errors."""
    from tinymo_xdsl.backend.tflite import export_model
    from tinymo_xdsl.flatbuffer.writer import write_model

    module = parse_module(make_context(), data, name)
    verify_module(module, name)
    return write_model(export_model(module))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool on `arguments`, the command line by default; the exit status."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    return run_tool("tinymo-translate", lambda: _translate(words), debug="--debug" in words)


def _translate(arguments: Sequence[str]) -> int:
    parser = ArgumentParser("tinymo-translate", description="Translates between TFLite models and MLIR text.")
    parser.add_argument("input_file", nargs="?", metavar="FILE", help="standard input without")
    parser.add_argument("-o", "--output-file", metavar="FILE", help="standard output without")
    parser.add_argument("--debug", action="store_true", help="show where an error was raised")
    direction = parser.add_mutually_exclusive_group(required=True)
    direction.add_argument("--tflite-to-mlir", action="store_true", help="a .tflite file to a module of TOSA ops")
    direction.add_argument("--mlir-to-tflite", action="store_true", help="a module to a .tflite file")
    options = parser.parse(arguments)
    name = "<stdin>" if options.input_file in (None, "-") else options.input_file
    translate = tflite_to_mlir if options.tflite_to_mlir else mlir_to_tflite
    with log_to_stderr(name):
        write_output(options.output_file, translate(read_input(options.input_file), name))
    return 0
