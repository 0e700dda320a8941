"""What the command lines share: arguments with short errors, exit status, and output that is whole or absent."""

import argparse
import difflib
import logging
import os
import sys
import traceback
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from typing_extensions import override

import tinymo_xdsl
from tinymo_xdsl.errors import ExitStatus, TinymoError
from tinymo_xdsl.output import write_atomically

_INTERRUPTED = 130
_MESSAGE_LENGTH = 500


class UsageError(TinymoError):
    """A command line that means nothing."""


class ArgumentParser(argparse.ArgumentParser):
    """Arguments whose errors take one line, guess what was meant, and leave with the status of bad input."""

    def __init__(
        self,
        prog: str | None = None,
        *,
        description: str | None = None,
        epilog: str | None = None,
        add_help: bool = True,
    ) -> None:
        """Keep the line breaks of the texts; never take the beginning of an option for the option."""
        super().__init__(
            prog=prog,
            description=description,
            epilog=epilog,
            add_help=add_help,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parse all of `arguments`; an option that does not exist is an error that names its nearest neighbour."""
        namespace, unknown = self.parse_known_args(arguments)
        if unknown:
            option = unknown[0].partition("=")[0]
            kind = "option" if option.startswith("-") else "argument"
            self.error(f"unknown {kind} '{option}'{did_you_mean(option, self._option_string_actions)}")
        return namespace

    @override
    def error(self, message: str) -> NoReturn:
        self.exit(ExitStatus.BAD_INPUT, f"{self.prog}: error: {message}\n")


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """The end of an error message about `word`, which is none of `names`: the most similar one, if any is."""
    matches = difflib.get_close_matches(word, list(names), n=1)
    return f"; did you mean '{matches[0]}'?" if matches else ""


def run_tool(prog: str, body: Callable[[], int], *, debug: bool = False) -> int:
    """
    The exit status of `body`, whose errors become one line on standard error.

    With `debug`, errors keep their traceback.
    """
    try:
        status = body()
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has left, as `head` does. What is still buffered must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitStatus.BAD_INPUT
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Exception as error:
        if debug:
            _print_traceback(error)
        else:
            print(f"{prog}: error: {_describe(error)}", file=sys.stderr)
        return error.exit_status if isinstance(error, TinymoError) else ExitStatus.BAD_INPUT
    return status


@contextmanager
def log_to_stderr(source: str, level: int = logging.INFO) -> Generator[None]:
    """Show what the package logs at `level` and above as remarks and warnings about `source`."""
    package = logging.getLogger(tinymo_xdsl.__name__)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_RemarkFormatter(source))
    before = package.level
    package.addHandler(handler)
    package.setLevel(level)
    try:
        yield
    finally:
        package.setLevel(before)
        package.removeHandler(handler)


class _RemarkFormatter(logging.Formatter):
    """One line a message: `in.mlir: remark: ...`."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source: str = source

    @override
    def format(self, record: logging.LogRecord) -> str:
        kind = "warning" if record.levelno >= logging.WARNING else "remark"
        return f"{self.source}: {kind}: {record.getMessage()}"


def read_input(path: str | None) -> bytes:
    """The bytes of the file at `path`, or of standard input for `None` and `-`."""
    if path in (None, "-"):
        return sys.stdin.buffer.read()
    return Path(path).read_bytes()


def write_output(path: str | None, data: bytes | str) -> None:
    """Write `data` to the file at `path`, whole or not at all, or to standard output for `None` and `-`."""
    if path in (None, "-"):
        _write_to_stdout(data)
    else:
        write_atomically(path, data.encode() if isinstance(data, str) else data)


def _write_to_stdout(data: bytes | str) -> None:
    if isinstance(data, str):
        sys.stdout.write(data)
        return
    if sys.stdout.isatty():
        raise UsageError("binary output does not belong on a terminal; name a file with -o")
    sys.stdout.flush()
    sys.stdout.buffer.write(data)


def _describe(error: Exception) -> str:
    match error:
        case TinymoError():
            return str(error)
        case OSError(filename=str(name), strerror=str(reason)):
            return f"{name}: {reason}"
        case _:
            message = " ".join(str(error).split())[:_MESSAGE_LENGTH]
            notes = "".join(f"{note}; " for note in _short_notes(error))
            return f"internal error, please report it: {type(error).__name__}: {message} ({notes}--debug shows where)"


def _print_traceback(error: BaseException) -> None:
    error.__notes__ = _short_notes(error)
    traceback.print_exception(error)


def _short_notes(error: BaseException) -> list[str]:
    """The notes of `error` of one line, without the text of the whole module, weights included, which xDSL attaches."""
    return [note for note in getattr(error, "__notes__", ()) if "\n" not in note]
