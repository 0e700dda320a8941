"""`tinymo analyze`."""

import sys
from collections.abc import Sequence
from typing import Final

from tinymo_xdsl.errors import ExitStatus
from tinymo_xdsl.tools.command_line import ArgumentParser, write_output
from tinymo_xdsl.tools.tinymo_arguments import (
    add_json,
    add_model,
    check_overwrite,
    expand_json,
    parse,
    read_model_file,
)

_ALL_ROWS: Final = sys.maxsize


_DESCRIPTION: Final = """\
Shows where the RAM of a model goes: the operator at which most bytes are in
memory at once, the tensors that are there then, and the bytes at the other
operators. Where TFLite Micro is installed (extra `verify`), its arena is measured.
"""

_EPILOG: Final = """\
Only activations count: weights stay in flash. The live peak is computed from the
graph, in the order of the file. TFLite Micro adds scratch buffers and persistent
structures, and its planner may waste some.
"""


def analyze(words: Sequence[str]) -> int:
    """Show where the memory of a model goes."""
    parser = ArgumentParser("tinymo analyze", description=_DESCRIPTION, epilog=_EPILOG)
    add_model(parser)
    parser.add_argument("--all", action="store_true", help="all operators, however many there are")
    parser.add_argument("--no-measure", dest="measure", action="store_false", help="do not run the model")
    add_json(parser)
    options = parse(parser, expand_json(words))

    from tinymo_xdsl.report.build import analyze_file
    from tinymo_xdsl.report.json_report import to_json
    from tinymo_xdsl.report.text import analysis_text

    file = read_model_file(options.model)
    if options.json is not None:
        check_overwrite(options.json, options.model)
    report = analyze_file(file, measure=options.measure)
    if options.json is not None:
        write_output(options.json, to_json(report))
    if options.json != "-":
        sys.stdout.write(analysis_text(report, _ALL_ROWS if options.all else None))
    return ExitStatus.OK
