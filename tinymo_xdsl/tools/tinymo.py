"""
`tinymo`: where the RAM of a model goes, how to need less of it, and the proof that nothing else changed.

Each command is a function in a module of its own, which imports what it needs when it runs.
"""

import logging
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

import tinymo_xdsl
from tinymo_xdsl.errors import ExitStatus
from tinymo_xdsl.tools.command_line import ArgumentParser, UsageError, did_you_mean, run_tool
from tinymo_xdsl.tools.tinymo_analyze import analyze
from tinymo_xdsl.tools.tinymo_arguments import DEBUG, QUIET, VERBOSE, parse
from tinymo_xdsl.tools.tinymo_codegen import codegen
from tinymo_xdsl.tools.tinymo_operators import ops, supported_ops
from tinymo_xdsl.tools.tinymo_optimize import optimize
from tinymo_xdsl.tools.tinymo_run import run
from tinymo_xdsl.tools.tinymo_verify import verify
from tinymo_xdsl.tools.tinymo_zoo import zoo


@dataclass(frozen=True)
class Command:
    """One word that may follow `tinymo`."""

    name: str
    summary: str
    run: Callable[[Sequence[str]], int]
    """Runs on the words after the command; the exit status."""


COMMANDS: Final = (
    Command("analyze", "show where the RAM of a model goes", analyze),
    Command("optimize", "write a model that computes the same in less RAM", optimize),
    Command("codegen", "write a model as a C library", codegen),
    Command("run", "build a C library, run its self-test and show what it takes", run),
    Command("verify", "run two models on the same inputs and compare all they compute", verify),
    Command("ops", "list the operators of a model", ops),
    Command("supported-ops", "list what TinyMo knows of each operator", supported_ops),
    Command("zoo", "write a well-known network as a .tflite file, to try things on", zoo),
)

_EPILOG = """
start with:
  tinymo zoo mobilenet-v2 -o demo.tflite    a model, if you have none at hand
  tinymo analyze demo.tflite                what takes the RAM
  tinymo optimize demo.tflite               writes demo.opt.tflite, compared with the original
  tinymo COMMAND --help                     all about one command

exit status: 0 done, 1 bad input or usage, 2 a tool is missing, 3 the budget is not met, 4 outputs differ
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool on `arguments`, the command line by default; the exit status."""
    words = sys.argv[1:] if arguments is None else list(arguments)

    def body() -> int:
        with _messages(words):
            return _run(words)

    return run_tool("tinymo", body, debug=DEBUG in words)


def _run(words: Sequence[str]) -> int:
    at = next((index for index, word in enumerate(words) if not word.startswith("-")), len(words))
    if at == len(words) or "--version" in words[:at]:
        return _run_alone(words[:at])
    name = words[at]
    command = next((command for command in COMMANDS if command.name == name), None)
    if command is None:
        raise UsageError(f"there is no command '{name}'{_hint(name)}")
    # Options before the command, which take no values, belong to it too.
    return command.run([*words[:at], *words[at + 1 :]])


def _run_alone(words: Sequence[str]) -> int:
    width = max(len(command.name) for command in COMMANDS)
    listing = "\n".join(f"  {command.name:<{width}}  {command.summary}" for command in COMMANDS)
    description = f"Lowers the RAM that a .tflite model needs on a microcontroller.\n\ncommands:\n{listing}"
    parser = ArgumentParser("tinymo", description=description, epilog=_EPILOG)
    parser.usage = "tinymo COMMAND ..."
    parser.add_argument(
        "--version", action="store_true", help="show the versions of the tool, xDSL and TFLite's schema"
    )
    if parse(parser, words).version:
        print(_versions())
        return ExitStatus.OK
    parser.print_help(sys.stderr)
    return ExitStatus.BAD_INPUT


def _hint(name: str) -> str:
    if name.endswith(".tflite"):
        return f"; did you mean 'tinymo analyze {name}'?"
    return did_you_mean(name, (command.name for command in COMMANDS)) or "; tinymo --help lists them"


def _versions() -> str:
    return (
        f"tinymo {tinymo_xdsl.__version__}\nxDSL {version('xdsl')}\n"
        f"TFLite schema 3 (package tflite {version('tflite')})"
    )


@contextmanager
def _messages(words: Sequence[str]) -> Generator[None]:
    """Show what the package logs on standard error, as far as the user wants it."""
    is_verbose, is_quiet = (any(word in options for word in words) for options in (VERBOSE, QUIET))
    package = logging.getLogger("tinymo_xdsl")
    level = logging.DEBUG if is_verbose else logging.ERROR if is_quiet else logging.INFO
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("tinymo: %(message)s"))
    handler.addFilter(lambda record: is_verbose or _is_for_all(record))
    package.addHandler(handler)
    before, package.level = package.level, level
    try:
        yield
    finally:
        package.setLevel(before)
        package.removeHandler(handler)


def _is_for_all(record: logging.LogRecord) -> bool:
    """What passes do is in the report, and progress is for those who sit and wait."""
    if record.name == "tinymo_xdsl.progress":
        return sys.stderr.isatty()
    return record.levelno > logging.INFO or not record.name.startswith("tinymo_xdsl.passes")


if __name__ == "__main__":
    sys.exit(main())
