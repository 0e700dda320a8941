"""
Softmax in integers.

Of 8-bit elements: exponentials from a table, their sum, and a division by Newton's method. Of 16-bit elements:
exponentials and the division from tables of 512 chords.
"""

from dataclasses import dataclass
from typing import Final

from tinymo_xdsl.backend.c.arithmetic import CLAMP, REQUANTIZE_ANY
from tinymo_xdsl.backend.c.kernels.typed import TypedRow
from tinymo_xdsl.backend.c.layer import Helper, Structure
from tinymo_xdsl.backend.c.text import fill

HIGH_MUL: Final = Helper(
    "high_mul",
    """
/* The product of two numbers in units of 2^-31, halves rounded up; -1 times -1 does not occur. */
static inline int32_t high_mul(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}
""",
)

SHIFT_RIGHT: Final = Helper(
    "shift_right",
    """
/* value / 2^shift, halves rounded away from zero, for shifts from 1 on. */
static inline int32_t shift_right(int32_t value, int32_t shift)
{
    return (int32_t)(((int64_t)value + ((int64_t)1 << (shift - 1)) - (value < 0)) >> shift);
}
""",
)

RECIPROCAL: Final = Helper(
    "reciprocal",
    """
/* 1 / (1 + a) in units of 2^-31, for a in [0, 1) in the same units: three steps of Newton's method, from 48/17 - 32/17
 * times half the denominator, in units of 2^-29. */
static int32_t reciprocal(int32_t a)
{
    const int32_t half = (int32_t)(((int64_t)a + 2147483648) >> 1);
    int32_t x = 1515870810 + high_mul(half, -1010580540);
    for (int32_t step = 0; step < 3; ++step) {
        const int32_t error = 536870912 - high_mul(half, x);
        x += high_mul(x, error) * 4;
    }
    return x > 1073741823 ? 2147483647 : x * 2;
}
""",
    (HIGH_MUL,),
)

_ROW: Final = """
/* Softmax of each of `count` vectors of $depth elements. */
static void $name($out *out, const $in *const *rows, const $structure *p)
{
    const $in *x = rows[0];
    for (int32_t i = 0; i < p->count; ++i) {
        int32_t largest = x[0];
        for (int32_t c = 1; c < $depth; ++c) {
            largest = x[c] > largest ? x[c] : largest;
        }
        int32_t sum = 0;
        for (int32_t c = 0; c < $depth; ++c) {
            const int32_t below = largest - x[c];
            sum += below < p->terms ? shift_right(p->exponentials[below], 12) : 0;
        }
        int32_t zeros = 0;
        while (((uint32_t)sum << zeros & 0x80000000u) == 0) {
            ++zeros;
        }
        const int32_t inverse = reciprocal((int32_t)(((uint32_t)sum << zeros) - 0x80000000u));
        for (int32_t c = 0; c < $depth; ++c) {
            const int32_t below = largest - x[c];
            const int32_t term = below < p->terms ? p->exponentials[below] : 0;
            out[c] = ($out)clamp(shift_right(high_mul(term, inverse), $bits - zeros) + $low, $low, $high);
        }
        x += $depth;
        out += $depth;
    }
}
"""


@dataclass(frozen=True)
class SoftmaxRow(TypedRow):
    """Vectors of `depth` elements of 8 bits to probabilities of 8 or 16."""

    depth: int
    dtype: str
    result: str
    low: int
    high: int
    bits: int

    @property
    def stem(self) -> str:
        return f"softmax_{self.depth}"

    @property
    def structure(self) -> Structure:
        fields = (
            ("int32_t count", "vectors of a row"),
            ("int32_t terms", "differences to the largest element whose exponential is not 0"),
            ("const int32_t *exponentials", "of each difference, in units of 2^-31"),
        )
        return Structure("softmax", fields)

    @property
    def helpers(self) -> tuple[Helper, ...]:
        return (CLAMP, SHIFT_RIGHT, HIGH_MUL, RECIPROCAL)

    def definition(self, name: str, structure: str) -> str:
        text = fill(
            _ROW,
            **{"in": self.element_in, "out": self.element_out},
            name=name,
            structure=structure,
            depth=self.depth,
            low=self.low,
            high=self.high,
            # The exponent of the sum is 12 - zeros, of which the bits that the result has not are taken.
            bits=12 + 31 - self.bits,
        )
        return text + "\n"


LOOK_UP: Final = Helper(
    "look_up",
    """
/* A function of 16 bits, interpolated between 513 values. */
static inline int32_t look_up(int32_t x, const int16_t *table)
{
    const int32_t value = clamp(x, -32768, 32767);
    const int32_t index = 256 + (value >> 7);
    const int32_t slope = table[index + 1] - table[index];
    return table[index] + ((slope * (value & 0x7F) + 64) >> 7);
}
""",
    (CLAMP,),
)

_ROW_OF_16_BITS: Final = """
/* Softmax of each of `count` vectors of $depth elements. */
static void $name(int16_t *out, const int16_t *const *rows, const $structure *p)
{
    const int16_t *x = rows[0];
    for (int32_t i = 0; i < p->count; ++i) {
        int32_t largest = x[0];
        for (int32_t c = 1; c < $depth; ++c) {
            largest = x[c] > largest ? x[c] : largest;
        }
        int32_t sum = 0;
        for (int32_t c = 0; c < $depth; ++c) {
            const int32_t below = requantize_any(x[c] - largest, p->multiplier, p->shift);
            out[c] = (int16_t)look_up(below + 32767, p->exponentials);
            sum += out[c];
        }
        int32_t zeros = 0;
        while (((uint32_t)sum << zeros & 0x80000000u) == 0) {
            ++zeros;
        }
        /* The sum as 1 + f, and f as the 16 bits that the table takes. */
        const int32_t sum_in_16_bits = (int32_t)((((uint32_t)sum << (zeros - 1)) + (1u << 13)) >> 14);
        const int32_t inverse = look_up(sum_in_16_bits - (1 << 15) - (1 << 16), p->reciprocals);
        const int32_t shift = 31 - zeros;
        for (int32_t c = 0; c < $depth; ++c) {
            const int64_t product = (int64_t)out[c] * inverse + ((int64_t)1 << (shift - 1));
            out[c] = (int16_t)clamp((int32_t)(product >> shift), 0, 32767);
        }
        x += $depth;
        out += $depth;
    }
}
"""


@dataclass(frozen=True)
class SoftmaxRowOf16Bits:
    """Vectors of `depth` elements of 16 bits to probabilities of 16."""

    depth: int
    element_in: str = "int16_t"
    element_out: str = "int16_t"

    @property
    def stem(self) -> str:
        return f"softmax_int16_{self.depth}"

    @property
    def structure(self) -> Structure:
        fields = (
            ("int32_t count", "vectors of a row"),
            ("int32_t multiplier", "of differences to the largest element, to 10/65535"),
            ("int32_t shift", "to the right after it"),
            ("const int16_t *exponentials", "from -10 to 0"),
            ("const int16_t *reciprocals", "of 1 to 2"),
        )
        return Structure("softmax_int16", fields)

    @property
    def helpers(self) -> tuple[Helper, ...]:
        return (CLAMP, REQUANTIZE_ANY, LOOK_UP)

    def definition(self, name: str, structure: str) -> str:
        return fill(_ROW_OF_16_BITS, name=name, structure=structure, depth=self.depth) + "\n"
