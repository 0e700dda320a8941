"""`tinymo optimize`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tinymo_xdsl.errors import ExitStatus
from tinymo_xdsl.output import write_atomically
from tinymo_xdsl.tools.command_line import ArgumentParser, UsageError, write_output
from tinymo_xdsl.tools.tinymo_arguments import (
    add_html,
    add_json,
    add_model,
    check_folder,
    check_overwrite,
    check_reports,
    count,
    expand_json,
    expand_option,
    parse,
    percent,
    size,
)

_DESCRIPTION: Final = """\
Writes a model that computes the same, bit for bit, in less RAM: it changes the
graph and the order of its operators, never the values of weights. Where engines
are installed (extra `verify`), original and result are compared before the result
is written. A model that cannot be improved is written as it is.
"""

_SPILL: Final = "--spill"
_MEMORY: Final = "psram"
"""What a secondary memory is called where nobody says otherwise."""

_EPILOG: Final = """\
SIZE is in bytes: 65536, 64K, 64KiB, 1M, 0x10000. It is compared with the arena that
TFLite Micro needs on a 32-bit microcontroller, its persistent structures included
(modelled); with --no-plan, with the live peak, the bytes of activations alone.

examples:
  tinymo optimize model.tflite
  tinymo optimize model.tflite --ram 64K --max-overhead 20 -o small.tflite
  tinymo optimize model.tflite --spill psram

exit status: 0 written, 1 bad input or usage, 3 the budget is not met, 4 outputs
differ; on all but 0 no model is written
"""


def optimize(words: Sequence[str]) -> int:
    """Write a smaller model, after it has been compared with the original."""
    options = _parse(words)
    output = options.output or f"{Path(options.model).stem}.opt.tflite"
    _check_paths(options, output)
    if options.overlap and (options.tflm_kernels != "reference" or not options.plan):
        raise UsageError("--overlap is for a plan that reference kernels run: leave out --no-plan and --tflm-kernels")

    from tinymo_xdsl import api
    from tinymo_xdsl.report.html import to_html
    from tinymo_xdsl.report.json_report import to_json
    from tinymo_xdsl.report.text import optimization_text

    optimized = api.optimize(
        options.model,
        ram=options.ram,
        max_overhead=options.max_overhead,
        plan=options.plan,
        kernels=options.tflm_kernels,
        overlap=options.overlap,
        spill=options.spill,
        loops=options.loops,
        runs=options.runs if options.verify else None,
        name=output,
    )
    write_atomically(output, optimized.data)
    if options.json is not None:
        write_output(options.json, to_json(optimized.report))
    if options.html is not None:
        write_output(options.html, to_html(optimized.report))
    if options.json != "-" and not options.quiet:
        sys.stdout.write(optimization_text(optimized.report))
    return ExitStatus.OK


def _parse(words: Sequence[str]) -> argparse.Namespace:
    parser = ArgumentParser("tinymo optimize", description=_DESCRIPTION, epilog=_EPILOG)
    add_model(parser)
    parser.add_argument("-o", "--output", metavar="OUT", help="the file to write; <stem>.opt.tflite here without")
    parser.add_argument("--force", action="store_true", help="allow OUT to be the model itself")
    group = parser.add_argument_group("what is wanted")
    group.add_argument(
        "--ram",
        type=size,
        metavar="SIZE",
        help="bring the arena down to SIZE with little extra work, or fail; without: as low as it pays",
    )
    group.add_argument(
        "--max-overhead",
        type=percent,
        default=0.10,
        metavar="PERCENT",
        help="extra multiply-accumulates that are allowed (default: 10)",
    )
    group.add_argument(
        _SPILL,
        nargs="?",
        const=_MEMORY,
        metavar="MEMORY",
        help="let tensors wait in a second memory while nothing needs them: the application has to provide it, and two"
        f" custom operators, see docs/spilling.md (default: {_MEMORY})",
    )
    group = parser.add_argument_group("the arena plan in the file, which TFLite Micro follows and others ignore")
    group.add_argument(
        "--tflm-kernels",
        choices=("reference", "cmsis-nn", "unknown"),
        default="reference",
        help="whose kernels run the file: tensors share bytes only where these allow it (default: reference)",
    )
    group.add_argument(
        "--overlap",
        action="store_true",
        help="let convolutions, pools and PADs write over what they have read: only TFLite Micro's reference kernels"
        " compute the same then, not CMSIS-NN, ESP-NN or others",
    )
    group.add_argument(
        "--no-plan", dest="plan", action="store_false", help="write no plan: the live peak is what is made small"
    )
    group.add_argument(
        "--no-loops",
        dest="loops",
        action="store_false",
        help="add no loops, which need WHILE, LESS, FILL, SLICE, ADD and DYNAMIC_UPDATE_SLICE in the application",
    )
    group = parser.add_argument_group("checks")
    group.add_argument(
        "--no-verify",
        dest="verify",
        action="store_false",
        help="run nothing: neither compare the models nor measure what they need",
    )
    group.add_argument("--runs", type=count, default=5, metavar="N", help="inputs to compare on (default: 5)")
    add_json(parser)
    add_html(parser)
    return parse(parser, expand_option(expand_json(words), _SPILL, _MEMORY))


def _check_paths(options: argparse.Namespace, output: str) -> None:
    """Refuse what would fail after all the work, or destroy something."""
    if output == "-":
        raise UsageError("a model is binary and standard output has the report: name a file with -o")
    if not options.force:
        check_overwrite(output, options.model, " with -o, or add --force")
    check_folder(output)
    check_reports(options, output)
