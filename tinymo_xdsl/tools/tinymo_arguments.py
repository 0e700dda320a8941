"""What the commands of `tinymo` share: arguments, sizes, and the model that is read."""

import argparse
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tinymo_xdsl.errors import TinymoError
from tinymo_xdsl.numerics.sizes import parse_size
from tinymo_xdsl.tools.command_line import ArgumentParser, UsageError

if TYPE_CHECKING:
    from tinymo_xdsl.verification.engines import ModelFile

VERBOSE: Final = ("-v", "--verbose")
QUIET: Final = ("-q", "--quiet")
DEBUG: Final = "--debug"
_JSON: Final = "--json"
_MODEL_SUFFIX: Final = ".tflite"


def parse(parser: ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    """Parse the words of a command, whose `parser` gets the options that every command has."""
    group = parser.add_argument_group("messages, on standard error")
    group.add_argument(*VERBOSE, action="store_true", help="say more of what is being done")
    group.add_argument(*QUIET, action="store_true", help="only errors, and what was asked for")
    group.add_argument(DEBUG, action="store_true", help="show where an error was raised")
    return parser.parse(words)


def add_model(parser: argparse.ArgumentParser, name: str = "MODEL", help_: str = "a .tflite file") -> None:
    """The argument that names a model."""
    parser.add_argument(name.lower(), metavar=name, help=help_)


def add_json(parser: argparse.ArgumentParser) -> None:
    """`--json`, whose value is where to write: a path, or `-` for standard output."""
    parser.add_argument(
        _JSON,
        nargs="?",
        const="-",
        metavar="FILE",
        help="write the report as JSON to FILE and the text as usual; without FILE, print the JSON and nothing else",
    )


def add_html(parser: argparse.ArgumentParser) -> None:
    """`--html`, whose value is the path of the page."""
    parser.add_argument(
        "--html", metavar="FILE", help="write the report as one HTML page, with a picture of the memory over time"
    )


def check_reports(options: argparse.Namespace, output: str | None = None) -> None:
    """Refuse reports that would go into the model, into the model that is written, into each other, or nowhere."""
    if options.html == "-":
        raise UsageError("the page needs a file: name one behind --html")
    taken = {"the input": options.model, "the model that is written": output}
    for path in (options.json, options.html):
        if path is None or path == "-":
            continue
        for what, other in taken.items():
            if other is not None and _is_same_file(path, other):
                raise UsageError(f"{path}: this would overwrite {what}; name another file")
        check_folder(path)
        taken["the other report"] = path


def check_folder(path: str) -> None:
    """Refuse a file to write, before all the work, where there is no folder for it."""
    if not Path(path).parent.is_dir():
        raise TinymoError(f"{path}: cannot write the file: there is no folder '{Path(path).parent}'")


def expand_json(words: Sequence[str]) -> list[str]:
    """In `--json model.tflite` the model is no place for the report: it stands for itself."""
    return expand_option(words, _JSON, "-")


def expand_option(words: Sequence[str], option: str, value: str) -> list[str]:
    """`words` with `option=value` for an `option` that may stand alone, where a model follows it."""
    return [
        f"{option}={value}" if word == option and after.endswith(_MODEL_SUFFIX) else word
        for word, after in zip_longest(words, words[1:], fillvalue="")
    ]


def size(text: str) -> int:
    """A number of bytes, as `parse_size` reads it."""
    try:
        return parse_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def percent(text: str) -> float:
    """A share: `10` and `10%` are 0.1."""
    try:
        value = float(text.strip().removesuffix("%"))
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is no percentage; write 0, 10 or 12.5")
    return value / 100


def count(text: str) -> int:
    """A positive number."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no number from 1 on")
    return int(text)


def read_model_file(path: str) -> "ModelFile":
    """The `.tflite` file at `path`. Raises `BadModelError` for anything else, with what to do about it."""
    from tinymo_xdsl.verification.engines import ModelFile

    return ModelFile.open(path)


def check_overwrite(output: str, model: str, hint: str = "") -> None:
    """Raise `UsageError` if writing `output` would overwrite the file `model`; `hint` says what else can be done."""
    if _is_same_file(output, model):
        raise UsageError(f"{output}: this would overwrite the input; name another file{hint}")


def _is_same_file(one: str, other: str) -> bool:
    """Whether two paths lead to one file, which need not exist yet."""
    first, second = Path(one), Path(other)
    return first.resolve() == second.resolve() or (first.exists() and second.exists() and first.samefile(second))
