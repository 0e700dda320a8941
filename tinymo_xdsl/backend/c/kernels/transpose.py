"""
A row of a transposed convolution: each pixel gathers what lands on it.

Slot `ky` of the rows holds the row whose kernel row `ky` lands on the result's row, or a null pointer. Taps are taken
from the last to the first, so that floats are added in the order in which the reference kernel scatters them.
"""

from dataclasses import dataclass
from typing import Final

from tinymo_xdsl.backend.c.arithmetic import Sums
from tinymo_xdsl.backend.c.kernels.typed import SumsRow
from tinymo_xdsl.backend.c.layer import Structure
from tinymo_xdsl.backend.c.text import C_TYPES, fill

_ROW: Final = """
/* Transposed convolution ${rows}x$columns, $depth to $channels channels: a row of $pixels pixels. */
static void $name($out *out, const $in *const *rows, const $structure *p)
{
    for (int32_t x = 0; x < $pixels; ++x) {
        for (int32_t o = 0; o < $channels; ++o) {
            $accumulator a = $start;
            for (int32_t ky = $rows - 1; ky >= 0; --ky) {
                if (rows[ky] == 0) {
                    continue;
                }
                for (int32_t kx = $columns - 1; kx >= 0; --kx) {
                    const int32_t place = x + $before - kx;
                    if ($outside) {
                        continue;
                    }
                    const $in *element = rows[ky] + place / $stride * $depth;
                    const $weight *w = p->weights + ((o * $rows + ky) * $columns + kx) * $depth;
                    for (int32_t c = 0; c < $depth; ++c) {
                        a += $product;
                    }
                }
            }
            *out++ = $element;
        }
    }
}
"""


@dataclass(frozen=True)
class TransposedRow(SumsRow):
    """A kernel of `rows` by `columns` that lands every `stride` pixels, `before` pixels further left."""

    rows: int
    columns: int
    stride: int
    before: int
    image: int
    """Pixels of the row that is read."""
    pixels: int
    """Pixels of the row that is written."""
    depth: int
    channels: int
    sums: Sums

    @property
    def stem(self) -> str:
        return (
            f"transposed_{self.rows}x{self.columns}s{self.stride}"
            f"_{self.image}x{self.depth}_{self.pixels}x{self.channels}"
        )

    @property
    def structure(self) -> Structure:
        sums = self.sums
        fields = (
            (f"const {C_TYPES[sums.weight]} *weights", "[output channel][row][column][input channel]"),
            (f"const {C_TYPES[sums.accumulator]} *bias", "of each channel"),
            *(() if sums.is_float else (("int32_t input_zero_point", "of what is read"),)),
            *sums.fields,
        )
        return Structure(f"transposed{sums.suffix}", fields)

    def definition(self, name: str, structure: str) -> str:
        divides = f" || place % {self.stride} != 0" if self.stride > 1 else ""
        weight = "w[c]"
        if self.sums.weight_zero_point:
            weight = f"({self.sums.weight_of(weight)})"
        element = "element[c]" if self.sums.is_float else "(element[c] - p->input_zero_point)"
        text = fill(
            _ROW,
            **{"in": self.element_in, "out": self.element_out},
            name=name,
            rows=self.rows,
            columns=self.columns,
            depth=self.depth,
            channels=self.channels,
            pixels=self.pixels,
            structure=structure,
            accumulator=C_TYPES[self.sums.accumulator],
            weight=C_TYPES[self.sums.weight],
            start=self.sums.start("o"),
            before=self.before,
            stride=self.stride,
            outside=f"place < 0 || place >= {self.image * self.stride}{divides}",
            product=f"{element} * {weight}",
            element=self.sums.element("a", "o"),
        )
        return text + "\n"
