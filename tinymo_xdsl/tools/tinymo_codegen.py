"""`tinymo codegen`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tinymo_xdsl.errors import ExitStatus, TinymoError
from tinymo_xdsl.output import write_atomically
from tinymo_xdsl.tools.command_line import ArgumentParser
from tinymo_xdsl.tools.tinymo_arguments import add_model, count, parse, read_model_file

_DESCRIPTION: Final = """\
Writes a model as a C library: C99 without a heap, bit-identical to TFLite Micro's
reference kernels, with a header, a self-test, a CMake project and a README.
"""

_EPILOG: Final = """\
The arena's bytes stand as a plain number in <prefix>.h. What is written belongs to
you, without conditions.

examples:
  tinymo codegen model.tflite -o model
  tinymo run model --on host

exit status: 0 written, 1 bad input, usage, or an operator that there is no C for
"""


def codegen(words: Sequence[str]) -> int:
    """Write a C library."""
    parser = ArgumentParser("tinymo codegen", description=_DESCRIPTION, epilog=_EPILOG)
    add_model(parser)
    parser.add_argument(
        "-o", "--output", metavar="DIR", required=True, help="the folder to write; it is made if needed"
    )
    parser.add_argument("--prefix", metavar="NAME", help="what all names begin with (default: from the file's name)")
    parser.add_argument(
        "--vectors", type=count, default=4, metavar="N", help="inputs that the self-test runs (default: 4)"
    )
    options = parse(parser, words)
    file = read_model_file(options.model)

    from tinymo_xdsl.backend.c.codegen import generate
    from tinymo_xdsl.backend.c.text import identifier

    name = Path(options.model).name
    prefix = options.prefix or identifier(Path(options.model).stem)
    try:
        files = generate(file.model, file.data, name, prefix, options.vectors)
    except TinymoError as error:
        raise type(error)(f"{options.model}: {error}") from error
    folder = Path(options.output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TinymoError(f"{folder}: cannot make the folder: {error.strerror}") from error
    for path, text in files.items():
        write_atomically(folder / path, text.encode())
    return ExitStatus.OK
