"""
`tinymo-opt`: the options of `xdsl-opt`, a flag for each pass, and errors for people.

Passes run in the order of the command line, flags and `-p` mixed. Dialects, passes and targets come from every
installed xDSL universe, so that a plug-in of `xdsl-opt` is a plug-in of this tool.
"""

import argparse
import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from io import BytesIO, StringIO
from itertools import accumulate
from pathlib import Path
from typing import IO

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass, PassPipeline
from xdsl.universe import XDSL_UNIVERSE, Universe
from xdsl.utils.exceptions import ShrinkException
from xdsl.xdsl_opt_main import xDSLOptMain

import tinymo_xdsl
from tinymo_xdsl.errors import ExitStatus
from tinymo_xdsl.text.diagnostics import DiagnosedError
from tinymo_xdsl.text.module import parse_module
from tinymo_xdsl.text.printer import DUMP_ELEMENTS, HighlightingPrinter, TinymoPrinter
from tinymo_xdsl.tools.command_line import (
    ArgumentParser,
    UsageError,
    did_you_mean,
    log_to_stderr,
    read_input,
    run_tool,
    write_output,
)
from tinymo_xdsl.tools.opt_arguments import (
    PLUGIN_OPTION,
    PassRequest,
    ShowText,
    add_debugging_arguments,
    add_input_arguments,
    add_output_arguments,
    add_pass_arguments,
    add_pass_flags,
    expand_pass_flags,
)
from tinymo_xdsl.tools.pass_options import describe_pass, make_pass, parse_flag_options, parse_pass_list
from tinymo_xdsl.tools.pass_pipeline import DumpSelection, PassRunner, Timing
from tinymo_xdsl.universe import TINYMO_UNIVERSE


class TinymoOptMain(xDSLOptMain):
    """The driver: a context with all dialects, the arguments, and the passes that they ask for."""

    def __init__(self, arguments: Sequence[str]) -> None:
        """
        Read the command line; `UsageError` says what is wrong with it.

        xDSL's own constructor makes its own argument parser and, for some options, changes its classes for the whole
        process. This one takes the same steps without.
        """
        self.available_frontends = {}
        self.available_passes = {}
        self.available_targets = {}
        self.ctx = Context()
        self._flags: frozenset[str] = frozenset()
        self.register_all_dialects()
        self.register_all_frontends()
        self.register_all_passes()
        self.register_all_targets()
        for plugin in _requested_plugins(arguments):
            self._register_plugin(plugin)

        parser = ArgumentParser("tinymo-opt", add_help=False)
        self.register_all_arguments(parser)
        self.args = parser.parse(expand_pass_flags(arguments, self._flags))
        self.ctx.allow_unregistered = self.args.allow_unregistered_dialect
        self.timing: Timing = Timing()
        self.setup_pipeline()

    @override
    def register_all_frontends(self) -> None:
        self.available_frontends["mlir"] = self._parse_mlir
        self.available_frontends["tflite"] = self._import_tflite

    @override
    def register_all_arguments(self, arg_parser: argparse.ArgumentParser) -> None:
        arg_parser.usage = "tinymo-opt [OPTION ...] [--PASS[=OPTIONS] ...] [FILE]"
        arg_parser.description = "Reads a module, runs passes on it, and prints it."
        add_input_arguments(arg_parser, self.available_frontends)
        add_pass_arguments(arg_parser)
        add_output_arguments(arg_parser, self.available_targets)
        add_debugging_arguments(arg_parser)
        texts: dict[tuple[str, ...], tuple[Callable[[], str], str]] = {
            ("-h", "--help"): (lambda: self._help(arg_parser, TINYMO_UNIVERSE), "show this text"),
            ("--help-all",): (lambda: self._help(arg_parser, None), "show this text with the passes of all packages"),
            ("--list-passes",): (self._pass_list, "show the names of all passes"),
            ("--show-dialects",): (self._dialect_list, "show the names of all dialects"),
            ("-v", "--version"): (_versions, "show the versions of the tool, of xDSL and of the TFLite schema"),
        }
        group = arg_parser.add_argument_group("information")
        for options, (text, help_) in texts.items():
            group.add_argument(*options, action=ShowText, text=text, help=help_)
        self._flags = add_pass_flags(arg_parser, self.available_passes)

    @override
    def setup_pipeline(self) -> None:
        target = self.args.target.partition("{")[0]
        if target not in self.available_targets:
            raise UsageError(f"there is no target '{target}'{did_you_mean(target, self.available_targets)}")
        for name in (*self.args.print_ir_before, *self.args.print_ir_after):
            self._pass_type(name)
        passes = [pass_ for request in self.args.passes for pass_ in self._requested_passes(request)]
        self.pipeline = PassPipeline(tuple(passes))

    def execute(self) -> int:
        """Process the input part by part; the exit status."""
        with log_to_stderr(self.get_input_name()):
            return self._execute_for_shrinkray() if self.args.shrink else self._execute_parts()

    @override
    def run(self) -> None:
        if status := self.execute():
            raise SystemExit(status)

    @override
    def apply_passes(self, prog: ModuleOp) -> None:
        dumps = DumpSelection(
            before=frozenset(self.args.print_ir_before),
            after=frozenset(self.args.print_ir_after),
            before_all=self.args.print_ir_before_all,
            after_all=self.args.print_ir_after_all,
            after_change=self.args.print_ir_after_change,
        )
        limit = self.args.elide_constants_larger
        elide_larger = DUMP_ELEMENTS if limit is None else limit
        runner = PassRunner(
            self.ctx,
            self.get_input_name(),
            self.timing,
            dumps,
            elide_larger,
            self.args.verify_each,
            _check_semantics if self.args.verify_semantics else None,
        )
        runner.run(prog, self.pipeline.passes)

    @override
    def output_resulting_program(self, prog: ModuleOp) -> str:
        if self.args.target != "mlir":
            return super().output_resulting_program(prog)
        stream = StringIO()
        printer_type = HighlightingPrinter if self.args.syntax_highlight else TinymoPrinter
        printer = printer_type(
            stream,
            print_generic_format=self.args.print_op_generic,
            print_properties_as_attributes=self.args.print_no_properties,
            print_debuginfo=self.args.print_debuginfo,
            elide_larger=self.args.elide_constants_larger,
        )
        printer.print_op(prog)
        printer.print_metadata(self.ctx.loaded_dialects)
        return f"{stream.getvalue()}\n"

    @override
    def get_input_name(self) -> str:
        return "<stdin>" if self.args.input_file in (None, "-") else self.args.input_file

    def _execute_parts(self) -> int:
        outputs: list[str] = []
        status = 0
        for part, line_offset in self._input_parts():
            try:
                outputs.append(self._process(part, line_offset))
            except DiagnosedError as error:
                if self.args.verify_diagnostics:
                    outputs.append(f"{error}\n")
                else:
                    status = ExitStatus.BAD_INPUT
                    print(error, file=sys.stderr)
        # Parts that went well are shown even if others failed, but a file is complete or not written.
        if not status or self.args.output_file in (None, "-"):
            write_output(self.args.output_file, "// -----\n".join(outputs))
        if self.args.timing:
            print(self.timing.report(), file=sys.stderr)
        return status

    def _execute_for_shrinkray(self) -> int:
        try:
            for part, line_offset in self._input_parts():
                self._process(part, line_offset)
        except ShrinkException:
            print("Success, can shrink")
            return ExitStatus.OK
        print("Failure, can't shrink")
        return ExitStatus.BAD_INPUT

    def _process(self, part: bytes, line_offset: int) -> str:
        with self.timing.measure("read"):
            module = self.parse_chunk(BytesIO(part), self._input_format(), line_offset)
        self.apply_passes(module)
        with self.timing.measure("print"):
            return self.output_resulting_program(module)

    def _input_format(self) -> str:
        name = self.args.frontend or Path(self.get_input_name()).suffix.removeprefix(".") or "mlir"
        if name not in self.available_frontends:
            known = ", ".join(sorted(self.available_frontends))
            raise UsageError(
                f"{self.get_input_name()}: the extension '.{name}' says no format; choose with -f: {known}"
            )
        return name

    def _input_parts(self) -> list[tuple[bytes, int]]:
        """The parts of the input, each with the number of lines before it."""
        data = read_input(self.args.input_file)
        if not self.args.split_input_file or self._input_format() != "mlir":
            return [(data, 0)]
        parts = data.split(b"// -----")
        offsets = accumulate((part.count(b"\n") for part in parts), initial=0)
        return list(zip(parts, offsets, strict=False))

    @override
    def parse_chunk(self, chunk: IO[bytes], file_extension: str, start_offset: int = 0) -> ModuleOp:
        if file_extension == "mlir":
            return self._parse_mlir(chunk, start_offset)
        return self.available_frontends[file_extension](chunk)

    def _parse_mlir(self, stream: IO[bytes], line_offset: int = 0) -> ModuleOp:
        return parse_module(
            self.ctx,
            stream.read(),
            self.get_input_name(),
            line_offset=line_offset,
            implicit_module=not self.args.no_implicit_module,
            warn=_warn,
        )

    def _import_tflite(self, stream: IO[bytes]) -> ModuleOp:
        from tinymo_xdsl.flatbuffer.reader import read_model
        from tinymo_xdsl.frontend import import_model

        return import_model(read_model(stream.read(), self.get_input_name()))

    def _requested_passes(self, request: PassRequest) -> list[ModulePass]:
        if request.name:
            pass_type = self._pass_type(request.name)
            return [make_pass(pass_type, parse_flag_options(pass_type, request.text))]
        return [make_pass(self._pass_type(spec.name), spec) for spec in parse_pass_list(request.text)]

    def _pass_type(self, name: str) -> type[ModulePass]:
        if name not in self.available_passes:
            hint = did_you_mean(name, self.available_passes) or "; --list-passes shows all"
            raise UsageError(f"there is no pass '{name}'{hint}")
        return self.available_passes[name]()

    def _register_plugin(self, universe: Universe) -> None:
        for dialect, factory in universe.all_dialects.items():
            self.ctx.register_dialect(dialect, factory)
        for name, factory in universe.all_passes.items():
            if name in self.available_passes:
                raise UsageError(f"the plug-in defines the pass '{name}', which exists already")
            self.register_pass(name, factory)
        self.available_targets.update(universe.all_targets)

    def _help(self, parser: argparse.ArgumentParser, universe: Universe | None) -> str:
        """The help text with the passes of `universe`, or with all passes."""
        names = self.available_passes if universe is None else universe.all_passes
        passes = "\n".join(_describe(factory) for _, factory in sorted(names.items()))
        options = "options of a pass follow its flag, separated by commas or spaces: --fold-pad --form-kernels=a=1,b=2"
        return f"{parser.format_help()}\n{options}\n\n{passes}"

    def _pass_list(self) -> str:
        own, xdsl = TINYMO_UNIVERSE.all_passes, XDSL_UNIVERSE.all_passes
        plugins = self.available_passes.keys() - own.keys() - xdsl.keys()
        sections = [("TinyMo", own), ("plug-ins", plugins), ("xDSL", xdsl)]
        return "\n".join(f"passes of {title}:\n  " + "\n  ".join(sorted(names)) for title, names in sections if names)

    def _dialect_list(self) -> str:
        return f"Available Dialects: {', '.join(sorted(self.ctx.registered_dialect_names))}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool on `arguments`, the command line by default; the exit status."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    return run_tool("tinymo-opt", lambda: TinymoOptMain(words).execute(), debug="--debug" in words)


def _requested_plugins(arguments: Sequence[str]) -> list[Universe]:
    """The plug-ins of the command line, which must be known before the flags of their passes."""
    parser = ArgumentParser("tinymo-opt", add_help=False)
    parser.add_argument(PLUGIN_OPTION, action="append", default=[])
    return [_load_plugin(spec) for spec in parser.parse_known_args(arguments)[0].load_plugin]


def _load_plugin(spec: str) -> Universe:
    path, _, name = spec.rpartition(":")
    module_spec = importlib.util.spec_from_file_location(f"tinymo_plugin_{Path(path).stem}", path)
    if not path or module_spec is None or module_spec.loader is None:
        raise UsageError(f"the plug-in '{spec}' is not of the form FILE.py:NAME")
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[module_spec.name] = module
    module_spec.loader.exec_module(module)
    universe = getattr(module, name, None)
    if not isinstance(universe, Universe):
        raise UsageError(f"the plug-in '{spec}': {path} has no xDSL Universe named {name}")
    return universe


def _describe(factory: Callable[[], type[ModulePass]]) -> str:
    try:
        return describe_pass(factory())
    except ModuleNotFoundError as error:
        return f"  (a pass needs the package {error.name})"


def _versions() -> str:
    return (
        f"tinymo-opt {tinymo_xdsl.__version__}\nxDSL {version('xdsl')}\n"
        f"TFLite schema 3 (package tflite {version('tflite')})"
    )


def _check_semantics(name: str, before: ModuleOp, after: ModuleOp) -> None:
    from tinymo_xdsl.interpreter.semantics import check_same

    check_same(before, after, pass_name=f"pass '{name}'")


def _warn(message: str) -> None:
    print(message, file=sys.stderr)
