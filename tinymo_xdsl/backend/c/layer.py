"""
A kernel of the IR as plain values: what the generated C computes, row after row.

A row function computes one row of a result: `static void f(T *out, const T *const *rows, const parameters *p)`. Sizes
are constants of its text, so layers of the same shape share a function; what differs between them, weights and
multipliers, are parameters in flash. A layer run whole calls its function in a loop over the rows of its result.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
from xdsl.ir import SSAValue

from tinymo_xdsl.backend.c.rows import RowAccess
from tinymo_xdsl.backend.c.text import C_TYPES, fill


@dataclass(frozen=True)
class Table:
    """Numbers in flash."""

    dtype: str
    data: bytes = field(repr=False)

    @staticmethod
    def of(values: npt.ArrayLike, dtype: str) -> "Table":
        """The table of `values`, which must fit `dtype`."""
        given = np.asarray(values)
        stored = np.ascontiguousarray(given, np.dtype(dtype).newbyteorder("<"))
        assert np.array_equal(stored, given, equal_nan=stored.dtype.kind == "f"), f"numbers beyond {dtype}"
        return Table(dtype, stored.tobytes())

    @property
    def array(self) -> npt.NDArray[Any]:
        """The numbers."""
        return np.frombuffer(self.data, np.dtype(self.dtype).newbyteorder("<"))

    @property
    def ctype(self) -> str:
        """The C type of an element."""
        return C_TYPES[self.dtype]


@dataclass(frozen=True)
class Border:
    """`count` elements of one value in flash: what rows and columns outside of an image hold."""

    dtype: str
    value: int
    count: int

    @property
    def bytes(self) -> int:
        """Its size in flash."""
        return self.count * np.dtype(self.dtype).itemsize


Value: TypeAlias = int | float | Table | Border


@dataclass(frozen=True)
class Structure:
    """The type of a function's parameters."""

    stem: str
    """What its name begins with."""
    fields: tuple[tuple[str, str], ...]
    """Each declaration with what it says."""

    def definition(self, name: str) -> str:
        """The `typedef`, under this name."""
        declarations = "\n".join(f"{declaration}; /* {meaning} */" for declaration, meaning in self.fields)
        return fill(
            """
            typedef struct {
                $declarations
            } $name;
            """,
            declarations=declarations,
            name=name,
        )


@dataclass(frozen=True)
class Helper:
    """A small function of the generated file that row functions call."""

    name: str
    text: str
    needs: tuple["Helper", ...] = ()


class RowFunction(Protocol):
    """One C function. Functions that are equal have the same text."""

    @property
    def stem(self) -> str:
        """What its name begins with."""
        ...

    @property
    def element_in(self) -> str:
        """The C type of an element of the rows that are read."""
        ...

    @property
    def element_out(self) -> str:
        """The C type of an element of the row that is written."""
        ...

    @property
    def structure(self) -> Structure | None:
        """The type of its parameters, if it takes any."""
        ...

    @property
    def helpers(self) -> tuple[Helper, ...]:
        """What it calls."""
        ...

    def definition(self, name: str, structure: str) -> str:
        """Its text, under this name; `structure` is what the type of its parameters is called."""
        ...


@dataclass(frozen=True, eq=False)
class Operand:
    """The rows of one tensor that a layer reads. Sizes and offsets are in elements of the function's rows."""

    value: SSAValue | Table
    """A tensor in memory, or a constant in flash."""
    access: RowAccess
    row_elements: int
    image_elements: int
    """From one image of a batch to the next; 0 where all read the same."""
    offset: int = 0
    """Where the first row begins."""
    outside: Border | None = None
    """What stands for rows outside of the image; without, such slots hold a null pointer."""


@dataclass(frozen=True, eq=False)
class State:
    """What a function reads and changes: an argument of its own, behind the rows."""

    value: SSAValue
    ctype: str
    """Of an element."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One call of `run whole`: all rows of one result."""

    function: RowFunction
    parameters: tuple[Value, ...]
    operands: tuple[Operand, ...]
    result: SSAValue
    images: int
    rows: int
    row_elements: int
    """Of the result, in elements of the function's row."""
    row_pitch: int | None = None
    """From one row of the result to the next, if that is not `row_elements`."""
    image_pitch: int | None = None
    """From one image of the result to the next, if that is not all its rows."""

    states: tuple[State, ...] = ()

    @property
    def pitch(self) -> int:
        """From one row of the result to the next."""
        return self.row_elements if self.row_pitch is None else self.row_pitch

    @property
    def image_gap(self) -> int:
        """From the end of one image to the start of the next."""
        return 0 if self.image_pitch is None else self.image_pitch - self.rows * self.pitch


def flattened(helpers: Sequence[Helper]) -> list[Helper]:
    """`helpers` and all that they need, each once, what is needed first."""
    found: dict[Helper, None] = {}
    for helper in helpers:
        found.update(dict.fromkeys(flattened(helper.needs)))
        found[helper] = None
    return list(found)
