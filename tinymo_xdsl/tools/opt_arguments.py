"""The arguments of `tinymo-opt`: those of `xdsl-opt`, one flag a pass, and what a person at work needs besides."""

import argparse
import contextlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from tinymo_xdsl.text.printer import DUMP_ELEMENTS

PLUGIN_OPTION: Final = "--load-plugin"


@dataclass(frozen=True)
class PassRequest:
    """One word of the command line that asks for passes."""

    name: str | None
    """The pass of a flag; `None` for `-p`."""
    text: str
    """The options of the flag, or the list of passes."""


class AppendPasses(argparse.Action):
    """Adds to the passes to run: flags and lists count in order of appearance."""

    @override
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        name = None if option_string in ("-p", "--passes") else (option_string or "").removeprefix("--")
        namespace.passes = [*namespace.passes, PassRequest(name, str(values))]


class ShowText(argparse.Action):
    """Prints a text that is made when it is asked for, and leaves."""

    def __init__(self, option_strings: Sequence[str], dest: str, text: Callable[[], str], help: str) -> None:
        """`text` makes what `--help` and its like show."""
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, help=help)
        self.text: Callable[[], str] = text

    @override
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        print(self.text())
        parser.exit()


def expand_pass_flags(arguments: Sequence[str], names: Collection[str]) -> list[str]:
    """End each bare flag of a pass with `=`, so that `--cse in.mlir` does not take `in.mlir` for options."""
    return [f"{word}=" if word.startswith("--") and word[2:] in names else word for word in arguments]


def add_pass_arguments(parser: argparse.ArgumentParser) -> None:
    """Lists of passes."""
    group = parser.add_argument_group("passes, run in order of appearance")
    group.add_argument(
        "-p",
        "--passes",
        action=AppendPasses,
        default=[],
        metavar="LIST",
        help="passes in xDSL's form: canonicalize,spill-long-skips{min-gap=4 memory=psram}",
    )


def add_pass_flags(parser: argparse.ArgumentParser, names: Collection[str]) -> frozenset[str]:
    """One flag a pass; the names that got one. A pass named like an option of the tool is left to `-p`."""
    flags: set[str] = set()
    for name in names:
        with contextlib.suppress(argparse.ArgumentError):
            parser.add_argument(f"--{name}", action=AppendPasses, dest="passes", help=argparse.SUPPRESS)
            flags.add(name)
    return frozenset(flags)


def add_input_arguments(parser: argparse.ArgumentParser, frontends: Collection[str]) -> None:
    """What is read, and how."""
    group = parser.add_argument_group("input")
    group.add_argument("input_file", nargs="?", metavar="FILE", help="a .mlir or .tflite file; standard input without")
    group.add_argument(
        "-f", "--frontend", choices=sorted(frontends), help="the format of the input; by default its extension says"
    )
    group.add_argument(
        "--allow-unregistered-dialect", action="store_true", help="accept ops that no dialect defines, in generic form"
    )
    group.add_argument(
        "--no-implicit-module", action="store_true", help="do not put a module around ops at the top of the file"
    )
    group.add_argument(
        "--split-input-file", action="store_true", help="take the parts between lines '// -----' one by one"
    )
    group.add_argument(
        PLUGIN_OPTION,
        action="append",
        default=[],
        metavar="FILE.py:NAME",
        help="add the dialects, passes and targets of the xDSL Universe NAME in a Python file",
    )


def add_output_arguments(parser: argparse.ArgumentParser, targets: Collection[str]) -> None:
    """What is written, and how."""
    group = parser.add_argument_group("output")
    group.add_argument("-o", "--output-file", metavar="FILE", help="standard output without")
    group.add_argument(
        "-t", "--target", default="mlir", help=f"the format of the output: {', '.join(sorted(targets))} (default: mlir)"
    )
    group.add_argument("--print-op-generic", action="store_true", help="print all ops in generic form")
    group.add_argument("--print-no-properties", action="store_true", help="print properties among the attributes")
    group.add_argument("--print-debuginfo", action="store_true", help="print the location of each op")
    group.add_argument("--syntax-highlight", action="store_true", help="print with colours")
    group.add_argument(
        "--elide-constants-larger",
        "--mlir-elide-elementsattrs-if-larger",
        type=int,
        metavar="N",
        help="leave constants of more than N elements out of the text, which then cannot be read again; "
        f"dumps do so by default, for more than {DUMP_ELEMENTS}",
    )


def add_debugging_arguments(parser: argparse.ArgumentParser) -> None:
    """What shows a pipeline at work, on standard error."""
    group = parser.add_argument_group("checks and dumps, on standard error")
    group.add_argument(
        "--verify-each",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="verify the module before the first pass and after each (default)",
    )
    group.add_argument(
        "--disable-verify", dest="verify_each", action="store_false", help="the same as --no-verify-each"
    )
    group.add_argument(
        "--verify-semantics",
        action="store_true",
        help="run the module before and after each pass on equal inputs; fail if a named tensor or an output differs",
    )
    group.add_argument("--print-ir-before", action="append", default=[], metavar="PASS", help="dump before PASS")
    group.add_argument("--print-ir-after", action="append", default=[], metavar="PASS", help="dump after PASS")
    group.add_argument("--print-ir-before-all", action="store_true", help="dump before each pass")
    group.add_argument(
        "--print-ir-after-all", "--print-between-passes", action="store_true", help="dump after each pass"
    )
    group.add_argument(
        "--print-ir-after-change", action="store_true", help="dump after each pass that changed the module"
    )
    group.add_argument("--timing", "--time-passes", action="store_true", help="show the time of each step")
    group.add_argument(
        "--verify-diagnostics",
        "--parsing-diagnostics",
        action="store_true",
        help="print errors in the module to standard output and do not fail on them",
    )
    group.add_argument(
        "--shrink", action="store_true", help="succeed if a pass raises ShrinkException, for the shrinkray reducer"
    )
    group.add_argument("--debug", action="store_true", help="show where an error was raised")
