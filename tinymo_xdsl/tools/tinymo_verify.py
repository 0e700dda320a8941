"""`tinymo verify`."""

import sys
from collections.abc import Sequence
from typing import Final

from tinymo_xdsl.errors import ExitStatus
from tinymo_xdsl.tools.command_line import ArgumentParser
from tinymo_xdsl.tools.tinymo_arguments import add_model, count, parse

_DESCRIPTION: Final = """\
Runs two models on the same inputs and compares, bit for bit, every tensor that
has the same name in both, then the outputs of the files as they stand, memory
plans followed.
"""

_EPILOG: Final = """\
Inputs follow from the seed: noise, smooth values, and the ends of the range.
Equal outputs prove little if all of them are alike, so the distinct ones are
counted.

exit status: 0 identical, 1 cannot be compared, 2 no engine is installed,
4 different
"""


def verify(words: Sequence[str]) -> int:
    """Compare what two models compute."""
    parser = ArgumentParser("tinymo verify", description=_DESCRIPTION, epilog=_EPILOG)
    add_model(parser, "A")
    add_model(parser, "B", "another one, with the same inputs and outputs")
    parser.add_argument("--runs", type=count, default=5, metavar="N", help="inputs to compare on (default: 5)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="other inputs (default: 0)")
    parser.add_argument(
        "--engine",
        choices=("auto", "tflite-micro", "litert"),
        default="auto",
        help="what runs the models (default: TFLite Micro, or LiteRT for what that cannot run)",
    )
    options = parse(parser, words)

    from tinymo_xdsl import api
    from tinymo_xdsl.report.text import verification_text

    verification = api.verify(options.a, options.b, runs=options.runs, seed=options.seed, engine=options.engine)
    sys.stdout.write(verification_text(verification))
    return ExitStatus.OK if verification.identical else ExitStatus.OUTPUTS_DIFFER
