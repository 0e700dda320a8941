"""C text: templates, numbers and names."""

import re
from collections.abc import Iterator, Sequence
from textwrap import dedent, indent, wrap
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

INDENT: Final = "    "
_LINE_LENGTH: Final = 110
_NO_LINE: Final = "\0"
_NAME: Final = re.compile(
    r"(?m)^(?P<indent>[ ]*)\$(?P<block>\w+)$|\$(?P<dollar>\$)|\$\{(?P<braced>\w+)\}|\$(?P<plain>\w+)"
)

C_TYPES: Final = MappingProxyType(
    {
        "int8": "int8_t",
        "uint8": "uint8_t",
        "int16": "int16_t",
        "uint16": "uint16_t",
        "int32": "int32_t",
        "int64": "int64_t",
        "float32": "float",
        "bool": "uint8_t",
    }
)
"""The C type that holds an element, by the name of the numpy type."""

_KEYWORDS: Final = """
    auto break case char const continue default do double else enum extern float for goto if inline int long register
    restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
"""
C_KEYWORDS: Final = frozenset(_KEYWORDS.split())


def fill(template: str, **values: object) -> str:
    """
    The text of `template` with `$name` replaced.

    A line that holds nothing but a `$name` takes a block of lines, each indented like the `$name`; it goes away where
    the block is empty.
    """

    def replaced(match: re.Match[str]) -> str:
        if match["dollar"]:
            return "$"
        if (name := match["block"]) is None:
            return str(values[match["braced"] or match["plain"]])
        block = str(values[name]).strip("\n")
        return indent(block, match["indent"]) if block else _NO_LINE

    return _NAME.sub(replaced, dedent(template).strip("\n")).replace(f"{_NO_LINE}\n", "").replace(f"\n{_NO_LINE}", "")


def lines(entries: Sequence[str]) -> str:
    """One entry a line."""
    return "\n".join(entries)


def integer(number: int) -> str:
    """An `int32_t` constant. The smallest has no literal of its own."""
    return "(-2147483647 - 1)" if number == -(1 << 31) else str(number)


def real(number: float) -> str:
    """A `float` constant that is read as exactly the float nearest to `number`, which must be finite."""
    return f"{np.float32(number)!s}f"


def array(ctype: str, name: str, values: npt.NDArray[Any], attribute: str = "") -> str:
    """The definition of a constant array. An empty array has one element, as C has no other."""
    flat = values.reshape(-1) if values.size else np.zeros(1, values.dtype)
    start = f"static const {ctype} {name}[{flat.size}]{attribute and ' ' + attribute} = {{\n"
    return start + "\n".join(_rows_of_numbers(flat)) + "\n};\n"


def _rows_of_numbers(flat: npt.NDArray[Any]) -> Iterator[str]:
    if flat.dtype.kind == "f":
        words = [real(number) for number in flat]
    elif flat.dtype == np.int32:
        words = [integer(number) for number in flat.tolist()]
    elif flat.dtype == np.int64:
        words = [f"INT64_C({number})" if number > np.iinfo(np.int64).min else "INT64_MIN" for number in flat.tolist()]
    else:
        words = [str(int(number)) for number in flat.tolist()]
    width = max(map(len, words)) + 2
    count = max((_LINE_LENGTH - len(INDENT)) // width, 1)
    for first in range(0, len(words), count):
        yield INDENT + ", ".join(words[first : first + count]) + ","


def comment(text: str) -> str:
    """A comment of as many lines as it needs. What would end it is taken out."""
    safe = text.replace("*/", "* /").replace("/*", "/ *")
    printable = "".join(
        letter if letter.isprintable() and letter.isascii() and letter != "\\" else "?" for letter in safe
    )
    wrapped = wrap(printable, _LINE_LENGTH - 6) or [""]
    return "/* " + "\n * ".join(wrapped) + " */"


def identifier(text: str) -> str:
    """`text` as the beginning of a C identifier: letters, digits and single underscores, no keyword, no digit first."""
    name = re.sub(r"_+", "_", re.sub(r"[^A-Za-z0-9]", "_", text)).strip("_").lower()
    if not name:
        return "model"
    return f"model_{name}" if name[0].isdigit() or name in C_KEYWORDS else name


def string(text: str) -> str:
    """A string literal of printable ASCII; anything else becomes a question mark."""
    kept = "".join(letter if letter.isprintable() and letter.isascii() else "?" for letter in text)
    return '"' + kept.replace("\\", "\\\\").replace('"', '\\"').replace("??", '?""?') + '"'
