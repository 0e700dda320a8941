"""
Which rows of an operand a row function reads for one row of its result.

A row function takes a list of pointers to rows. Each operand fills some slots of the list, the same ones for every
row of the result; what changes is the row that a slot points to, or that it points outside of the image.
"""

from dataclasses import dataclass
from typing import Protocol


class RowAccess(Protocol):
    """One operand's slots, numbered from 0, in a function that computes row after row."""

    @property
    def slots(self) -> int:
        """How many rows are read at once."""
        ...

    @property
    def leaves_image(self) -> bool:
        """Whether a slot can point outside of the image."""
        ...

    def index(self, slot: str) -> str:
        """The row as a C expression of the row `y` of the result and of `slot`; may lie outside of the image."""
        ...

    def is_inside(self, row: str, slot: str) -> str:
        """Whether there is such a row, as a C expression."""
        ...


@dataclass(frozen=True)
class Window:
    """Rows under a kernel that moves over the image, or, with the defaults, the row at the result's place."""

    image_rows: int
    slots: int = 1
    stride: int = 1
    dilation: int = 1
    before: int = 0
    """Rows outside of the image that the first window covers."""
    result_rows: int = 0

    @property
    def leaves_image(self) -> bool:
        last = (self.result_rows - 1) * self.stride + (self.slots - 1) * self.dilation - self.before
        return self.before > 0 or last >= self.image_rows

    def index(self, slot: str) -> str:
        terms = [_times("y", self.stride)]
        if self.slots > 1:
            terms.append(_times(slot, self.dilation))
        text = " + ".join(terms)
        sign = "-" if self.before > 0 else "+"
        return f"{text} {sign} {abs(self.before)}" if self.before else text

    def is_inside(self, row: str, slot: str) -> str:
        return f"{row} >= 0 && {row} < {self.image_rows}"


@dataclass(frozen=True)
class Transposed:
    """The rows whose kernel covers the result's row: not every slot has one."""

    image_rows: int
    slots: int
    stride: int
    before: int
    """Rows of the full result that are cut off at the start."""

    @property
    def leaves_image(self) -> bool:
        return True

    def index(self, slot: str) -> str:
        return f"(y + {self.before} - {slot}) / {self.stride}"

    def is_inside(self, row: str, slot: str) -> str:
        place = f"y + {self.before} - {slot}"
        divides = f"({place}) % {self.stride} == 0 && " if self.stride > 1 else ""
        return f"{place} >= 0 && {divides}{row} < {self.image_rows}"


@dataclass(frozen=True)
class Repeat:
    """Each row again and again, `factor` times."""

    factor: int
    slots: int = 1
    leaves_image: bool = False

    def index(self, slot: str) -> str:
        return f"y / {self.factor}"

    def is_inside(self, row: str, slot: str) -> str:
        return "1"


@dataclass(frozen=True)
class Same:
    """The first row of the operand for every row of the result: it has no other."""

    slots: int = 1
    leaves_image: bool = False

    def index(self, slot: str) -> str:
        return "0"

    def is_inside(self, row: str, slot: str) -> str:
        return "1"


def _times(name: str, factor: int) -> str:
    return name if factor == 1 else f"{name} * {factor}"
