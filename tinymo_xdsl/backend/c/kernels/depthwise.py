"""
A row of a depthwise convolution, with any number of filters for each channel.

Weights lie in flash as `[channel][filter][row][column]`: they are read in one run. Pixels in the middle of a row read
their taps at fixed distances; at the ends each tap has its own pointer, into a row of zero points where it leaves the
image.
"""

from dataclasses import dataclass
from typing import Final

from tinymo_xdsl.backend.c.arithmetic import Sums
from tinymo_xdsl.backend.c.kernels.columns import Columns
from tinymo_xdsl.backend.c.kernels.convolution import convolution_structure
from tinymo_xdsl.backend.c.kernels.typed import SumsRow
from tinymo_xdsl.backend.c.layer import Structure
from tinymo_xdsl.backend.c.text import C_TYPES, fill, lines

_UNROLLED_TAPS: Final = 25
"""Kernels up to this size are written out tap by tap."""

_ROW: Final = """
/* $title: a row of $pixels pixels. */
static void $name($out *out, const $in *const *rows, const $structure *p)
{
    for (int32_t x = 0; x < $pixels; ++x) {
        $choice
        out += $channels;
    }
}
"""

_CHOICE: Final = """
if ($inside) {
    ${name}_inside(out, rows, $left, p);
} else {
    ${name}_edge(out, rows, $left, p);
}
"""

_INSIDE: Final = """
/* One pixel whose window lies in the image. */
static void ${name}_inside($out *out, const $in *const *rows, int32_t left, const $structure *p)
{
    $pointers
    const $weight *w = p->weights;
    $loop
}
"""

_EDGE: Final = """
/* One pixel whose window may leave the image. */
static void ${name}_edge($out *out, const $in *const *rows, int32_t left, const $structure *p)
{
    const $in *taps[$taps];
    for (int32_t ky = 0; ky < $rows; ++ky) {
        for (int32_t kx = 0; kx < $columns; ++kx) {
            const int32_t column = $column;
            taps[ky * $columns + kx] = column >= 0 && column < $image ? rows[ky] + column * $depth : p->border;
        }
    }
    const $weight *w = p->weights;
    $loop
}
"""

_LOOP: Final = """
for (int32_t c = 0; c < $depth; ++c) {
    $accumulator a = $start;
    $products
    w += $taps;
    out[c] = $element;
}
"""

_LOOP_OF_FILTERS: Final = """
for (int32_t c = 0; c < $depth; ++c) {
    for (int32_t o = c * $filters; o < (c + 1) * $filters; ++o) {
        $accumulator a = $start;
        $products
        w += $taps;
        out[o] = $element;
    }
}
"""


@dataclass(frozen=True)
class DepthwiseRow(SumsRow):
    """`rows` kernel rows and `columns` over pixels of `depth` channels, `filters` results for each of them."""

    rows: int
    columns: Columns
    depth: int
    filters: int
    sums: Sums

    @property
    def stem(self) -> str:
        window = f"{self.rows}x{self.columns.kernel}{self.columns.text}"
        return f"depthwise_{window}_{self.columns.image}x{self.depth}_{self.columns.result}x{self.channels}"

    @property
    def channels(self) -> int:
        """Of the result."""
        return self.depth * self.filters

    @property
    def taps(self) -> int:
        """Products in a sum."""
        return self.rows * self.columns.kernel

    @property
    def structure(self) -> Structure:
        return convolution_structure(self.sums)

    def definition(self, name: str, structure: str) -> str:
        first, last = self.columns.inside
        values = self._values(name, structure)
        parts: list[str] = []
        if first < last:
            parts.append(fill(_INSIDE, pointers=self._pointers(), loop=self._loop(self._taps_inside()), **values))
        if self.columns.leaves_image:
            parts.append(fill(_EDGE, loop=self._loop(self._taps_at_edge()), **values))
        return "\n\n".join([*parts, fill(_ROW, choice=self._choice(values), **values)]) + "\n"

    def _values(self, name: str, structure: str) -> dict[str, object]:
        title = f"Depthwise {self.rows}x{self.columns.kernel}, {self.depth} to {self.channels} channels"
        return {
            "name": name,
            "title": title,
            "in": self.element_in,
            "out": self.element_out,
            "weight": C_TYPES[self.sums.weight],
            "structure": structure,
            "pixels": self.columns.result,
            "image": self.columns.image,
            "channels": self.channels,
            "depth": self.depth,
            "taps": self.taps,
            "rows": self.rows,
            "columns": self.columns.kernel,
            "column": self.columns.tap("left", "kx"),
            "left": self.columns.left("x"),
        }

    def _choice(self, values: dict[str, object]) -> str:
        first, last = self.columns.inside
        if first == last:
            return fill("${name}_edge(out, rows, $left, p);", **values)
        if not self.columns.leaves_image:
            return fill("${name}_inside(out, rows, $left, p);", **values)
        bounds = [f"x >= {first}"] * (first > 0) + [f"x < {last}"] * (last < self.columns.result)
        return fill(_CHOICE, inside=" && ".join(bounds), **values)

    @property
    def _is_unrolled(self) -> bool:
        return self.taps <= _UNROLLED_TAPS

    def _pointers(self) -> str:
        if not self._is_unrolled:
            return ""
        return lines([f"const {self.element_in} *r{ky} = rows[{ky}] + left * {self.depth};" for ky in range(self.rows)])

    def _taps_inside(self) -> str:
        apart = self.columns.dilation * self.depth
        if self._is_unrolled:
            return lines(
                [
                    self._add(f"r{ky}[{f'c + {kx * apart}' if kx else 'c'}]", f"w[{ky * self.columns.kernel + kx}]")
                    for ky in range(self.rows)
                    for kx in range(self.columns.kernel)
                ]
            )
        return fill(
            """
            for (int32_t ky = 0; ky < $rows; ++ky) {
                const $in *x = rows[ky] + left * $depth + c;
                for (int32_t kx = 0; kx < $columns; ++kx) {
                    $add
                }
            }
            """,
            **{"in": self.element_in},
            rows=self.rows,
            depth=self.depth,
            columns=self.columns.kernel,
            add=self._add(f"x[kx * {apart}]", f"w[ky * {self.columns.kernel} + kx]"),
        )

    def _taps_at_edge(self) -> str:
        add = self._add("taps[tap][c]", "w[tap]")
        return f"for (int32_t tap = 0; tap < {self.taps}; ++tap) {{\n    {add}\n}}"

    def _add(self, element: str, weight: str) -> str:
        if not self.sums.weight_zero_point:
            return f"a += {element} * {weight};"
        return f"a += {element} * ({self.sums.weight_of(weight)});"

    def _loop(self, products: str) -> str:
        channel = "c" if self.filters == 1 else "o"
        return fill(
            _LOOP if self.filters == 1 else _LOOP_OF_FILTERS,
            depth=self.depth,
            filters=self.filters,
            accumulator=C_TYPES[self.sums.accumulator],
            start=self.sums.start(channel),
            products=products,
            taps=self.taps,
            element=self.sums.element("a", channel),
        )
