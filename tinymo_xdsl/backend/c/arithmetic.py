"""How sums become elements: requantisation as the reference kernels do it, bit for bit, or the clamp of floats."""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

import numpy as np

from tinymo_xdsl.backend.c.layer import Helper, Table, Value
from tinymo_xdsl.backend.c.text import C_TYPES
from tinymo_xdsl.numerics.dense import Array

CLAMP: Final = Helper(
    "clamp",
    """
static inline int32_t clamp(int32_t value, int32_t low, int32_t high)
{
    return value < low ? low : value > high ? high : value;
}
""",
)

CLAMP_FLOAT: Final = Helper(
    "clamp_float",
    """
static inline float clamp_float(float value, float low, float high)
{
    value = value < low ? low : value;
    return value > high ? high : value;
}
""",
)

REQUANTIZE: Final = Helper(
    "requantize",
    """
/* value * multiplier / 2^(31 + shift): the product is rounded to 32 bits, halves up, then the shift rounds halves
 * away from zero. For |value| < 2^30 and shifts from 1 on. Right shifts of negative numbers keep the sign. */
static inline int32_t requantize(int32_t value, int32_t multiplier, int32_t shift)
{
    const int32_t high = (int32_t)(((int64_t)value * multiplier + (1 << 30)) >> 31);
    return (high + (1 << (shift - 1)) - (high < 0)) >> shift;
}
""",
)

REQUANTIZE_ANY: Final = Helper(
    "requantize_any",
    """
/* As requantize, for every value and shift; a negative shift is to the left, and comes first. */
static inline int32_t requantize_any(int32_t value, int32_t multiplier, int32_t shift)
{
    const int32_t left = shift < 0 ? -shift : 0;
    const int32_t right = shift > 0 ? shift : 0;
    const int32_t shifted = (int32_t)((uint32_t)value << left);
    const int64_t high = ((int64_t)shifted * multiplier + (1 << 30)) >> 31;
    const int64_t half = right > 0 ? ((int64_t)1 << (right - 1)) - (high < 0) : 0;
    return (int32_t)((high + half) >> right);
}
""",
)

REQUANTIZE_ONCE: Final = Helper(
    "requantize_once",
    """
/* value * multiplier / 2^shift, rounded once, halves up. */
static inline int32_t requantize_once(int32_t value, int32_t multiplier, int32_t shift)
{
    return (int32_t)(((int64_t)value * multiplier + ((int64_t)1 << (shift - 1))) >> shift);
}
""",
)

REQUANTIZE_WIDE: Final = Helper(
    "requantize_wide",
    """
/* value * multiplier / 2^shift for sums of up to 48 bits and multipliers of 15: rounded once, halves up. */
static inline int32_t requantize_wide(int64_t value, int32_t multiplier, int32_t shift)
{
    return (int32_t)((value * multiplier + ((int64_t)1 << (shift - 1))) >> shift);
}
""",
)


class Rounding(Enum):
    """The function that takes a sum to the units of the result."""

    SHORT = REQUANTIZE
    ANY = REQUANTIZE_ANY
    ONCE = REQUANTIZE_ONCE
    WIDE = REQUANTIZE_WIDE


_SHORT_FORM_LIMIT: Final = 1 << 30
_MANTISSA_BITS: Final = 31


@dataclass(frozen=True, eq=False)
class Scaling:
    """
    What a `tosa.rescale` and the clamps behind it do: one factor, or one for each channel.

    A factor is `multiplier * 2**-shift`, as TOSA has it.
    """

    multiplier: Array
    shift: Array
    zero_point: int
    low: int
    high: int
    double_round: bool
    scale32: bool

    @property
    def channels(self) -> int:
        """How many factors there are."""
        return len(self.multiplier)

    def clamped(self, low: int, high: int) -> "Scaling":
        """The same with another clamp behind it."""
        return replace(self, low=max(self.low, low), high=min(self.high, high))

    def rounding(self, largest: int) -> Rounding:
        """The shortest function that is exact for sums of at most this magnitude."""
        if not self.scale32:
            return Rounding.WIDE
        if not self.double_round:
            return Rounding.ONCE
        is_short = largest < _SHORT_FORM_LIMIT and int(self.shift.min()) > _MANTISSA_BITS
        return Rounding.SHORT if is_short else Rounding.ANY

    def stored_shift(self, rounding: Rounding) -> Array:
        """The shifts as that function takes them."""
        is_double = rounding in (Rounding.SHORT, Rounding.ANY)
        return self.shift.astype(np.int64) - (_MANTISSA_BITS if is_double else 0)


@dataclass(frozen=True)
class Requantized:
    """Integer results: `acc` is scaled, moved by the zero point and clamped. Part of a function's shape."""

    rounding: Rounding
    per_channel: bool

    @property
    def helpers(self) -> tuple[Helper, ...]:
        """What `element` calls."""
        return (CLAMP, self.rounding.value)

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """The parameters, as fields of a structure."""
        which = "of each channel" if self.per_channel else "of all channels"
        return (
            ("const int32_t *multiplier" if self.per_channel else "int32_t multiplier", f"of the sum, {which}"),
            ("const int8_t *shift" if self.per_channel else "int32_t shift", f"to the right after it, {which}"),
            ("int32_t zero_point", "of the result"),
            ("int32_t low", "the least value of the result"),
            ("int32_t high", "the largest"),
        )

    @property
    def suffix(self) -> str:
        """What tells structures with other fields apart."""
        return "_per_channel" if self.per_channel else ""

    def values(self, scaling: Scaling) -> tuple[Value, ...]:
        """The parameters of a layer, in the order of `fields`."""
        shift = scaling.stored_shift(self.rounding)
        factors: tuple[Value, Value] = (
            (Table.of(scaling.multiplier, "int32"), Table.of(shift, "int8"))
            if self.per_channel
            else (int(scaling.multiplier[0]), int(shift[0]))
        )
        return (*factors, scaling.zero_point, scaling.low, scaling.high)

    def element(self, total: str, channel: str, ctype: str) -> str:
        """The element that a sum becomes, as a C expression."""
        at = f"[{channel}]" if self.per_channel else ""
        scaled = f"{self.rounding.value.name}({total}, p->multiplier{at}, p->shift{at})"
        return f"({ctype})clamp({scaled} + p->zero_point, p->low, p->high)"


@dataclass(frozen=True)
class Sums:
    """What products are made of and summed in. Part of a function's shape."""

    data: str
    """The numpy names of the types of the elements read, of the weights, of the sum and of the result."""
    weight: str
    accumulator: str
    result: str
    weight_zero_point: int
    output: Requantized | None
    """`None` for floats, which are only clamped."""

    @property
    def is_float(self) -> bool:
        """Whether elements are real numbers."""
        return self.output is None

    @property
    def operand(self) -> str:
        """The C type that an element has in a product."""
        return "float" if self.is_float else "int32_t"

    def weight_of(self, element: str) -> str:
        """A stored weight without its zero point."""
        return f"{element} - {self.weight_zero_point}" if self.weight_zero_point else element

    def start(self, channel: str) -> str:
        """What a sum begins with. Floats are added in the order of the reference kernels: the bias comes last."""
        return "0.0f" if self.is_float else f"p->bias[{channel}]"

    def element(self, total: str, channel: str) -> str:
        """The element of the result that a sum becomes."""
        if self.output is None:
            return f"clamp_float({total} + p->bias[{channel}], p->low, p->high)"
        return self.output.element(total, channel, C_TYPES[self.result])

    @property
    def helpers(self) -> tuple[Helper, ...]:
        """What `element` calls."""
        return (CLAMP_FLOAT,) if self.output is None else self.output.helpers

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """The parameters of the result."""
        if self.output is not None:
            return self.output.fields
        return (("float low", "the least value of the result"), ("float high", "the largest"))

    @property
    def suffix(self) -> str:
        """What tells structures with other fields apart."""
        types = {"int8": "", "float32": "_float"}.get(self.data, f"_{self.data}")
        return types + ("" if self.output is None else self.output.suffix)
