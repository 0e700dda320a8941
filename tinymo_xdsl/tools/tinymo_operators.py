"""`tinymo ops` and `tinymo supported-ops`."""

import sys
from collections.abc import Sequence
from typing import Final

from tinymo_xdsl.errors import ExitStatus
from tinymo_xdsl.tools.command_line import ArgumentParser
from tinymo_xdsl.tools.tinymo_arguments import add_model, parse, read_model_file

_OPS: Final = """\
Lists the operators of a model: how many there are, which versions, on what types
of data, and the calls that make them known to a MicroMutableOpResolver of TFLite
Micro.
"""

_SUPPORTED_OPS: Final = """\
Lists what TinyMo knows of each operator. An operator that it does not understand,
custom ones included, passes through unchanged, and nothing is moved across it.
"""


def ops(words: Sequence[str]) -> int:
    """List the operators of a model."""
    parser = ArgumentParser("tinymo ops", description=_OPS)
    add_model(parser)
    options = parse(parser, words)

    from tinymo_xdsl.report.operators import operator_uses
    from tinymo_xdsl.report.operators_text import uses_text

    sys.stdout.write(uses_text(operator_uses(read_model_file(options.model).model)))
    return ExitStatus.OK


def supported_ops(words: Sequence[str]) -> int:
    """List what this package does with each operator."""
    parser = ArgumentParser("tinymo supported-ops", description=_SUPPORTED_OPS)
    parser.add_argument("--all", action="store_true", help="also those that only pass through")
    options = parse(parser, words)

    from tinymo_xdsl.report.operators import supported_operators
    from tinymo_xdsl.report.operators_text import support_text

    sys.stdout.write(support_text(supported_operators(), everything=options.all))
    return ExitStatus.OK
