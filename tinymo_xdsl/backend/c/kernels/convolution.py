"""
A row of a convolution.

Weights lie in flash as `[output channel][row][column][input channel]`. The zero point of the input is part of the
bias, so windows that leave the image read a row of zero points in flash. Pixels in the middle of a row are computed two
at a time for two output channels, so that each element that is loaded is used twice; a run of kernel columns is one
run of bytes there. At the ends each tap has its own pointer.
"""

from dataclasses import dataclass
from itertools import product
from textwrap import indent
from typing import Final

from tinymo_xdsl.backend.c.arithmetic import Sums
from tinymo_xdsl.backend.c.kernels.columns import Columns
from tinymo_xdsl.backend.c.kernels.typed import SumsRow
from tinymo_xdsl.backend.c.layer import Structure
from tinymo_xdsl.backend.c.text import C_TYPES, INDENT, fill, lines

_ELEMENTS_AT_ONCE: Final = 4
"""Loops that are written out so far spend less on counting; more takes flash and gains little."""

_ROW: Final = """
/* $title: a row of $pixels pixels. */
static void $name($out *out, const $in *const *rows, const $structure *p)
{
    int32_t x = 0;
    while (x < $pixels) {
        $pair
        ${name}_pixel(out, rows, $left, p);
        out += $channels;
        x += 1;
    }
}
"""

_PAIR: Final = """
if ($condition) {
    ${name}_pair(out, rows, $left, p);
    out += 2 * $channels;
    x += 2;
    continue;
}
"""

_PIXEL: Final = """
/* One pixel; `left` is the column under its first tap. */
static void ${name}_pixel($out *out, const $in *const *rows, int32_t left, const $structure *p)
{
    const $in *taps[$taps];
    $gather
    const $weight *w = p->weights;
    for (int32_t o = 0; o < $channels; o += $step) {
        $start
        for (int32_t tap = 0; tap < $taps; ++tap) {
            const $in *x = taps[tap];
            for (int32_t c = 0; c < $depth; $next) {
                $products
            }
            w += $depth;
        }
        $advance
        $store
    }
}
"""

_GATHER: Final = """
for (int32_t ky = 0; ky < $rows; ++ky) {
    for (int32_t kx = 0; kx < $columns; ++kx) {
        const int32_t column = $column;
        taps[ky * $columns + kx] = $pointer;
    }
}
"""

_PAIR_OF_PIXELS: Final = """
/* Two pixels next to each other whose windows lie in the image. */
static void ${name}_pair($out *out, const $in *const *rows, int32_t left, const $structure *p)
{
    const $weight *w = p->weights;
    for (int32_t o = 0; o < $channels; o += $step) {
        $start
        $runs
        $advance
        $store
    }
}
"""

_RUN: Final = """
for (int32_t ky = 0; ky < $rows; ++ky) {
    const $in *x = rows[ky] + left * $depth;
    for (int32_t c = 0; c < $run; $next) {
        $products
    }
    w += $run;
}
"""

_RUN_OF_TAP: Final = """
for (int32_t ky = 0; ky < $rows; ++ky) {
    for (int32_t kx = 0; kx < $columns; ++kx) {
        const $in *x = rows[ky] + ($column) * $depth;
        for (int32_t c = 0; c < $depth; $next) {
            $products
        }
        w += $depth;
    }
}
"""


@dataclass(frozen=True)
class ConvolutionRow(SumsRow):
    """`rows` kernel rows and `columns` over pixels of `depth` channels to pixels of `channels`; dense layers too."""

    rows: int
    columns: Columns
    depth: int
    channels: int
    sums: Sums

    @property
    def stem(self) -> str:
        window = f"{self.rows}x{self.columns.kernel}{self.columns.text}"
        return f"conv_{window}_{self.columns.image}x{self.depth}_{self.columns.result}x{self.channels}"

    @property
    def structure(self) -> Structure:
        return convolution_structure(self.sums)

    @property
    def step(self) -> int:
        """Output channels that are computed at once."""
        return 1 if self.channels % 2 else 2

    @property
    def products(self) -> int:
        """Products in a sum."""
        return self.rows * self.columns.kernel * self.depth

    def definition(self, name: str, structure: str) -> str:
        values = self._values(name, structure)
        first, last = self.columns.inside
        has_pairs = last - first >= 2
        pair = fill(_PAIR, condition=self._pair_condition(), **values) if has_pairs else ""
        parts = [
            fill(_PIXEL, gather=self._gather(), **self._block(1), **self._products(1, self.depth), **values),
            fill(_PAIR_OF_PIXELS, runs=self._runs(), **self._block(2), **values) if has_pairs else "",
            fill(_ROW, pair=pair, **values),
        ]
        return "\n\n".join(filter(None, parts)) + "\n"

    def _values(self, name: str, structure: str) -> dict[str, object]:
        kernel = f"{self.rows}x{self.columns.kernel}"
        return {
            "name": name,
            "title": f"Convolution {kernel}, {self.depth} to {self.channels} channels",
            "in": self.element_in,
            "out": self.element_out,
            "weight": C_TYPES[self.sums.weight],
            "structure": structure,
            "pixels": self.columns.result,
            "channels": self.channels,
            "depth": self.depth,
            "taps": self.rows * self.columns.kernel,
            "step": self.step,
            "left": self.columns.left("x"),
        }

    def _pair_condition(self) -> str:
        first, last = self.columns.inside
        after = f"x < {last - 1}"
        return f"x >= {first} && {after}" if first else after

    def _gather(self) -> str:
        if not self.columns.leaves_image and self.rows * self.columns.kernel == 1:
            return f"taps[0] = rows[0] + left * {self.depth};"
        pointer = f"rows[ky] + column * {self.depth}"
        if self.columns.leaves_image:
            pointer = f"column >= 0 && column < {self.columns.image} ? {pointer} : p->border"
        return fill(
            _GATHER,
            rows=self.rows,
            columns=self.columns.kernel,
            column=self.columns.tap("left", "kx"),
            pointer=pointer,
        )

    def _runs(self) -> str:
        by_row = self.columns.dilation == 1
        return fill(
            _RUN if by_row else _RUN_OF_TAP,
            **{"in": self.element_in},
            rows=self.rows,
            columns=self.columns.kernel,
            column=self.columns.tap("left", "kx"),
            depth=self.depth,
            run=self.columns.kernel * self.depth,
            **self._products(2, self.columns.kernel * self.depth if by_row else self.depth),
        )

    def _block(self, pixels: int) -> dict[str, object]:
        """The sums of some pixels and `step` channels at once: how they start and end."""
        sums = self.sums
        places = list(product(range(pixels), range(self.step)))
        accumulator = C_TYPES[sums.accumulator]
        start = [f"{accumulator} a{x}{o} = {sums.start(_plus('o', o))};" for x, o in places]
        store = [
            f"out[{_plus('o', x * self.channels + o)}] = {sums.element(f'a{x}{o}', _plus('o', o))};" for x, o in places
        ]
        return {
            "start": lines(start),
            "advance": f"w += {(self.step - 1) * self.products};" if self.step > 1 else "",
            "store": lines(store),
        }

    def _products(self, pixels: int, run: int) -> dict[str, object]:
        """How these sums grow along a run of elements, of which a few are taken in each round."""
        at_once = max(count for count in range(1, _ELEMENTS_AT_ONCE + 1) if run % count == 0)
        rounds = [self._product(pixels, element) for element in range(at_once)]
        if at_once > 1:
            rounds = [f"{{\n{indent(text, INDENT)}\n}}" for text in rounds]
        return {"products": lines(rounds), "next": "++c" if at_once == 1 else f"c += {at_once}"}

    def _product(self, pixels: int, element: int) -> str:
        sums, apart = self.sums, self.columns.stride * self.depth
        reads = [_plus("c", x * apart + element) for x in range(pixels)]
        loads = [f"const {sums.operand} x{x} = x[{at}];" for x, at in enumerate(reads)]
        weights = [_plus("c", o * self.products + element) for o in range(self.step)]
        loads += [f"const {sums.operand} w{o} = {sums.weight_of(f'w[{at}]')};" for o, at in enumerate(weights)]
        adds = [f"a{x}{o} += x{x} * w{o};" for x, o in product(range(pixels), range(self.step))]
        return lines([*loads, *adds])


def convolution_structure(sums: Sums) -> Structure:
    """The parameters of all kinds of convolutions."""
    fields = (
        (f"const {C_TYPES[sums.weight]} *weights", "in the order in which they are read"),
        (
            f"const {C_TYPES[sums.accumulator]} *bias",
            "of each channel" + ("" if sums.is_float else ", zero point included"),
        ),
        (f"const {C_TYPES[sums.data]} *border", "a row of zero points"),
        *sums.fields,
    )
    return Structure(f"convolution{sums.suffix}{_weight_suffix(sums)}", fields)


def _weight_suffix(sums: Sums) -> str:
    return "" if sums.weight in (sums.data, "int8") else f"_{sums.weight}"


def _plus(name: str, offset: int) -> str:
    return f"{name} + {offset}" if offset else name
