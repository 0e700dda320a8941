"""`tinymo run`."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from tinymo_xdsl.errors import ExitStatus
from tinymo_xdsl.tools.command_line import ArgumentParser, UsageError, did_you_mean, write_output
from tinymo_xdsl.tools.tinymo_arguments import add_json, parse

if TYPE_CHECKING:
    from tinymo_xdsl.backend.c.run import Board

_DESCRIPTION: Final = """\
Builds a C library that `tinymo codegen` has written, runs its self-test and shows
what it takes.
"""

_EPILOG: Final = """\
exit status: 0 the self-test passed, 1 bad input or usage, 2 a tool is missing,
4 the self-test failed
"""


def run(words: Sequence[str]) -> int:
    """Run a generated library."""
    boards = _boards()
    parser = ArgumentParser("tinymo run", description=_DESCRIPTION, epilog=_EPILOG)
    parser.add_argument("dir", metavar="DIR", help="the folder of the library")
    parser.add_argument("--on", metavar="BOARD", default="host", help=f"where: {', '.join(boards)} (default: host)")
    add_json(parser)
    options = parse(parser, words)
    if (board := boards.get(options.on)) is None:
        raise UsageError(f"there is no board '{options.on}'{did_you_mean(options.on, boards) or '; see --help'}")

    from tinymo_xdsl.backend.c.run import LibraryFolder

    measured = board.run(LibraryFolder.read(options.dir))
    if options.json is not None:
        write_output(options.json, measured.to_json())
    if options.json != "-" and not options.quiet:
        sys.stdout.write(measured.to_text())
    return ExitStatus.OK if measured.passed else ExitStatus.OUTPUTS_DIFFER


def _boards() -> "dict[str, Board]":
    from tinymo_xdsl.backend.c.host import Host

    return {board.name: board for board in (Host(),)}
