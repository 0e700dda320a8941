"""
Rows whose elements are computed each from the elements at its place, or from what is broadcast to it.

Where all operands have the result's shape, one function serves rows of every length.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from tinymo_xdsl.backend.c.kernels.typed import TypedRow
from tinymo_xdsl.backend.c.layer import Helper, Structure
from tinymo_xdsl.backend.c.text import fill, lines

_FLAT: Final = """
/* Element by element. */
static void $name($out *out, const $in *const *rows, const $structure *p)
{
    $pointers
    for (int32_t i = 0; i < p->count; ++i) {
        $loads
        $steps
        out[i] = $element;
    }
}
"""

_BROADCAST: Final = """
/* Element by element: a row of $pixels pixels of $channels elements. */
static void $name($out *out, const $in *const *rows$parameter)
{
    $pointers
    for (int32_t x = 0; x < $pixels; ++x) {
        for (int32_t c = 0; c < $channels; ++c) {
            $loads
            $steps
            *out++ = $element;
        }
    }
}
"""


class Spread(Enum):
    """How the elements of an operand's row are spread over a row of the result; the value is their index in C."""

    EACH = "x * $channels + c"
    CHANNELS = "c"
    PIXELS = "x"
    ONE = "0"


@dataclass(frozen=True)
class MapRow(TypedRow):
    """A function of elements of operands, which it calls a, b and so on."""

    stem: str
    dtype: str
    result: str
    steps: tuple[str, ...]
    """The lines of C in front of the element."""
    element: str
    operand: str
    """The C type that an element of an operand is read to."""
    parameters: Structure | None
    spread: tuple[Spread, ...]
    pixels: int
    channels: int
    helpers: tuple[Helper, ...] = ()

    @property
    def is_flat(self) -> bool:
        """Whether nothing is broadcast, so that the length of the row is a parameter."""
        return not self.pixels

    @property
    def structure(self) -> Structure | None:
        if not self.is_flat:
            return self.parameters
        name, fields = (
            ("row_length", ()) if self.parameters is None else (f"{self.parameters.stem}_row", self.parameters.fields)
        )
        return Structure(name, (("int32_t count", "elements of a row"), *fields))

    def definition(self, name: str, structure: str) -> str:
        letters = [chr(ord("a") + number) for number in range(len(self.spread))]
        indices = ["i" if self.is_flat else spread.value for spread in self.spread]
        reads = [f"const {self.operand} {a} = row_{a}[{at}];" for a, at in zip(letters, indices, strict=True)]
        text = fill(
            _FLAT if self.is_flat else _BROADCAST,
            **{"in": self.element_in, "out": self.element_out},
            name=name,
            structure=structure,
            parameter="" if self.structure is None else f", const {structure} *p",
            pixels=self.pixels,
            channels=self.channels,
            pointers=lines([f"const {self.element_in} *row_{a} = rows[{at}];" for at, a in enumerate(letters)]),
            loads=fill(lines(reads), channels=self.channels),
            steps=lines(self.steps),
            element=self.element,
        )
        return text + "\n"


@dataclass(frozen=True)
class TableRow(TypedRow):
    """Any function of 8 bits, looked up. One function serves rows of every length."""

    dtype: str
    result: str

    @property
    def stem(self) -> str:
        return f"table_{self.dtype}_{self.result}"

    @property
    def structure(self) -> Structure:
        fields = (
            ("int32_t count", "elements of a row"),
            (f"const {self.element_out} *values", "from the least element on"),
        )
        return Structure(f"table_{self.result}", fields)

    @property
    def helpers(self) -> tuple[Helper, ...]:
        return ()

    def definition(self, name: str, structure: str) -> str:
        text = fill(
            """
            /* Each element looked up. */
            static void $name($out *out, const $in *const *rows, const $structure *p)
            {
                const $in *row = rows[0];
                for (int32_t i = 0; i < p->count; ++i) {
                    out[i] = p->values[$index];
                }
            }
            """,
            **{"in": self.element_in, "out": self.element_out},
            name=name,
            structure=structure,
            index="row[i] + 128" if self.dtype == "int8" else "row[i]",
        )
        return text + "\n"
