"""Softmax of 8-bit elements: exponentials from a table, their sum, and a division by Newton's method, in integers."""

from dataclasses import dataclass
from typing import Final

from tinymo_xdsl.backend.c.arithmetic import CLAMP
from tinymo_xdsl.backend.c.layer import Helper, Structure
from tinymo_xdsl.backend.c.text import C_TYPES, fill

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
class SoftmaxRow:
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
    def element_in(self) -> str:
        return C_TYPES[self.dtype]

    @property
    def element_out(self) -> str:
        return C_TYPES[self.result]

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

    def definition(self, name: str) -> str:
        text = fill(
            _ROW,
            **{"in": self.element_in, "out": self.element_out},
            name=name,
            structure=self.structure.name,
            depth=self.depth,
            low=self.low,
            high=self.high,
            # The exponent of the sum is 12 - zeros, of which the bits that the result has not are taken.
            bits=12 + 31 - self.bits,
        )
        return text + "\n"
