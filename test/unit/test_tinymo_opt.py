"""The command line of tinymo-opt: what it accepts, and what it says when something is wrong."""

import argparse
import random
import subprocess
import sys
from io import StringIO
from pathlib import Path

import lit_in_process
import pytest
from lit_in_process import Outcome
from xdsl.dialects.builtin import BytesAttr, DenseIntOrFPElementsAttr, ModuleOp, TensorType, i8
from xdsl.ir import Attribute
from xdsl.printer import Printer
from xdsl.xdsl_opt_main import xDSLOptMain

from tinymo_xdsl.tools.command_line import ArgumentParser
from tinymo_xdsl.tools.tinymo_opt import TinymoOptMain

ADD = """func.func @f(%a: i32) -> i32 {
  %b = arith.addi %a, %a : i32
  return %b : i32
}
"""


def tinymo_opt(*arguments: str | Path, stdin: str = "") -> Outcome:
    return lit_in_process.run_command(["tinymo-opt", *map(str, arguments)], stdin.encode())


def hexadecimal(size: int) -> str:
    """A constant without two equal halves, so that it is not a splat."""
    return random.Random(size).randbytes(size).hex()


def test_every_option_of_xdsl_opt_is_accepted():
    class Probe(xDSLOptMain):
        def register_all_arguments(self, arg_parser: argparse.ArgumentParser) -> None:
            super().register_all_arguments(arg_parser)
            self.parser = arg_parser

    ours = ArgumentParser("tinymo-opt", add_help=False)
    TinymoOptMain([]).register_all_arguments(ours)
    theirs = Probe(args=[]).parser
    assert set(theirs._option_string_actions) <= set(ours._option_string_actions)


def test_prints_what_xdsl_prints():
    ours = tinymo_opt(stdin=ADD).stdout.decode()
    theirs = lit_in_process.run_command(["xdsl-opt"], ADD.encode()).stdout.decode()
    assert ours.strip() == theirs.strip()


def test_the_option_that_disables_verification_does_not_outlive_the_run():
    verify = Attribute.__post_init__
    assert tinymo_opt("--disable-verify", stdin=ADD).status == 0
    assert Attribute.__post_init__ is verify


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.mlir", None, "missing.mlir: No such file or directory"),
        ("folder.mlir", "folder", "folder.mlir: Is a directory"),
        ("binary.mlir", b"\x1c\x00\xff\xfe", "binary.mlir: error: byte 2 is not UTF-8 text; is this a .tflite file?"),
        ("model.onnx", b"", "the extension '.onnx' says no format; choose with -f: mlir, tflite"),
        ("empty.mlir", b"", "empty.mlir:1:1: error: Could not parse entire input!"),
        ("empty.tflite", b"", "empty.tflite"),
    ],
)
def test_unreadable_input_is_one_line(tmp_path: Path, name: str, content: bytes | str | None, message: str):
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        path.mkdir()
    outcome = tinymo_opt(path)
    assert outcome.status == 1
    assert outcome.stdout == b""
    first, *rest = outcome.stderr.decode().splitlines()
    assert message in first
    # A syntax error also shows its line and a caret.
    assert len(rest) in (0, 2)


def test_usage_errors_leave_with_the_status_of_bad_input():
    outcome = tinymo_opt("--frontend", "onnx", stdin=ADD)
    assert outcome.status == 1
    assert b"invalid choice" in outcome.stderr


def test_a_verify_error_never_shows_weights():
    weights = hexadecimal(2**20)
    text = f"""func.func @f(%a: tensor<2xi8>) -> tensor<2xi8> {{
  %w = "tosa.const"() <{{values = dense<"0x{weights}"> : tensor<{2**20}xi8>}}> : () -> tensor<{2**20}xi8>
  %s = "tosa.add"(%a, %w) : (tensor<2xi8>, tensor<{2**20}xi8>) -> tensor<2xi8>
  return %s : tensor<2xi8>
}}"""
    for options in ([], ["--debug"], ["--cse", "--print-ir-after-all", "--no-verify-each"]):
        outcome = tinymo_opt(*options, stdin=text)
        assert len(outcome.stderr) < 5000
        assert weights[:64].encode() not in outcome.stderr
    assert b"<stdin>:3:8: error: 'tosa.add' op" in tinymo_opt(stdin=text).stderr


def test_a_crash_never_shows_weights():
    weights = hexadecimal(4096)
    plugin = f"{Path(__file__).parent.parent / 'lit' / 'Tools' / 'Inputs' / 'plugin.py'}:UNIVERSE"
    text = f'"test.op"() {{w = dense<"0x{weights}"> : tensor<4096xi8>}} : () -> ()'
    for options in ([], ["--debug"]):
        outcome = tinymo_opt("--load-plugin", plugin, "--fail=how=crash", *options, stdin=text)
        assert outcome.status == 1
        assert b"in pass 'fail'" in outcome.stderr
        assert (b"Traceback" in outcome.stderr) == bool(options)
        assert weights[:64].encode() not in outcome.stderr.lower()


def test_a_failing_run_leaves_the_output_file_as_it_was(tmp_path: Path):
    output = tmp_path / "out.mlir"
    output.write_text("before")
    assert tinymo_opt("-o", output, stdin="not a module").status == 1
    assert output.read_text() == "before"
    assert tinymo_opt("-o", output, stdin=ADD).status == 0
    assert "arith.addi" in output.read_text()
    assert list(tmp_path.iterdir()) == [output]


def test_an_output_that_cannot_be_written_is_one_line(tmp_path: Path):
    outcome = tinymo_opt("-o", tmp_path / "nowhere" / "out.mlir", stdin=ADD)
    assert outcome.status == 1
    assert len(outcome.stderr.decode().splitlines()) == 1
    assert b"out.mlir" in outcome.stderr


def test_parts_that_go_well_are_printed_although_others_fail():
    outcome = tinymo_opt("--split-input-file", stdin=f"{ADD}// -----\nbad\n// -----\n{ADD}")
    assert outcome.status == 1
    assert outcome.stdout.count(b"arith.addi") == 2
    assert b"<stdin>:6:" in outcome.stderr


def test_long_decimal_lists_are_warned_about():
    numbers = ", ".join(["1", "2"] * 5001)
    outcome = tinymo_opt(stdin=f'"test.op"() {{w = dense<[{numbers}]> : tensor<10002xi8>}} : () -> ()')
    assert outcome.status == 0
    assert b"<stdin>:1:23: warning: a list of 10002 decimal numbers is slow to read" in outcome.stderr
    outcome = tinymo_opt(stdin=f'"test.op"() {{w = dense<"0x{hexadecimal(10002)}"> : tensor<10002xi8>}} : () -> ()')
    assert outcome.stderr == b""


def test_a_reader_that_leaves_ends_the_run_in_silence(tmp_path: Path):
    path = tmp_path / "big.mlir"
    data = DenseIntOrFPElementsAttr(TensorType(i8, [2**18]), BytesAttr(random.Random(0).randbytes(2**18)))
    stream = StringIO()
    Printer(stream).print_op(ModuleOp([], {"w": data}))
    path.write_text(stream.getvalue())
    command = [sys.executable, "-c", "import sys; from tinymo_xdsl.tools.tinymo_opt import main; sys.exit(main())"]
    process = subprocess.Popen([*command, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 1
    assert errors == b""


def test_versions_are_shown_without_importing_numpy():
    code = (
        "import sys; from tinymo_xdsl.tools.tinymo_opt import main\n"
        "try: main(['--version'])\n"
        "except SystemExit: print(sorted({'numpy', 'flatbuffers', 'tflite'} & set(sys.modules)))"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.endswith("[]\n")
