"""`tinymo analyze`."""

import sys
from collections.abc import Sequence
from typing import Final

from tinymo_xdsl.errors import ExitStatus
from tinymo_xdsl.tools.command_line import ArgumentParser, write_output
from tinymo_xdsl.tools.tinymo_arguments import (
    add_html,
    add_json,
    add_model,
    check_reports,
    expand_json,
    parse,
)

_DESCRIPTION: Final = """\
Shows where the RAM of a model goes: the arena of TFLite Micro part by part, the
operator at which most bytes are in use and the tensors that are there then, the
bytes at the other operators, what would help, and what an application registers.
Where TFLite Micro is installed (extra `verify`), its arena is measured.
"""

_EPILOG: Final = """\
Only activations count: weights stay in flash. The 32-bit target is a microcontroller
with TFLite Micro's reference kernels, modelled from the file as it is, with the
arena plan that it holds or else TFLite Micro's own.
"""


def analyze(words: Sequence[str]) -> int:
    """Show where the memory of a model goes."""
    parser = ArgumentParser("tinymo analyze", description=_DESCRIPTION, epilog=_EPILOG)
    add_model(parser)
    parser.add_argument("--all", action="store_true", help="all operators, however many there are")
    parser.add_argument("--no-measure", dest="measure", action="store_false", help="do not run the model")
    add_json(parser)
    add_html(parser)
    options = parse(parser, expand_json(words))

    from tinymo_xdsl import api
    from tinymo_xdsl.report.html import to_html
    from tinymo_xdsl.report.json_report import to_json
    from tinymo_xdsl.report.text import analysis_text

    check_reports(options)
    report = api.analyze(options.model, measure=options.measure)
    if options.json is not None:
        write_output(options.json, to_json(report))
    if options.html is not None:
        write_output(options.html, to_html(report))
    if options.json != "-":
        sys.stdout.write(analysis_text(report, everything=options.all))
    return ExitStatus.OK
