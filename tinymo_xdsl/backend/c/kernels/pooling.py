"""A row of a maximum or an average. Rows outside of the image are null pointers: they neither win nor count."""

from dataclasses import dataclass
from typing import Final

from tinymo_xdsl.backend.c.arithmetic import CLAMP, CLAMP_FLOAT
from tinymo_xdsl.backend.c.kernels.columns import Columns
from tinymo_xdsl.backend.c.layer import Helper, Structure
from tinymo_xdsl.backend.c.text import C_TYPES, fill, real

_LOWEST_FLOAT: Final = real(-3.4028234663852886e38)

_ROW: Final = """
/* $title ${rows}x$columns of $depth channels: a row of $pixels pixels. */
static void $name($ctype *out, const $ctype *const *rows, const $structure *p)
{
    for (int32_t x = 0; x < $pixels; ++x) {
        const int32_t left = $left;
        const int32_t first = $first;
        const int32_t end = $end;
        for (int32_t c = 0; c < $depth; ++c) {
            $start
            for (int32_t ky = 0; ky < $rows; ++ky) {
                $skip
                for (int32_t column = first; column < end; ++column) {
                    $add
                }
            }
            *out++ = $element;
        }
    }
}
"""

_SKIP: Final = """
if (rows[ky] == 0) {
    continue;
}
"""

AVERAGE: Final = Helper(
    "average",
    """
/* The mean, halves rounded away from zero. */
static inline int32_t average(int32_t sum, int32_t count)
{
    return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}
""",
)


@dataclass(frozen=True)
class PoolRow:
    """Windows of `rows` rows and `columns`; the average of numbers less the zero point, or the maximum."""

    is_average: bool
    rows: int
    columns: Columns
    depth: int
    dtype: str
    leaves_image: bool
    """Whether rows may be missing."""

    @property
    def stem(self) -> str:
        kind = "average" if self.is_average else "maximum"
        window = f"{self.rows}x{self.columns.kernel}{self.columns.text}"
        return f"{kind}_{window}_{self.columns.image}x{self.depth}_{self.columns.result}"

    @property
    def is_float(self) -> bool:
        """Whether elements are real numbers."""
        return self.dtype == "float32"

    @property
    def element_in(self) -> str:
        return C_TYPES[self.dtype]

    @property
    def element_out(self) -> str:
        return C_TYPES[self.dtype]

    @property
    def helpers(self) -> tuple[Helper, ...]:
        clamp = CLAMP_FLOAT if self.is_float else CLAMP
        return (clamp, AVERAGE) if self.is_average and not self.is_float else (clamp,)

    @property
    def structure(self) -> Structure:
        if self.is_float:
            return Structure(
                "pool_float", (("float low", "the least value of the result"), ("float high", "the largest"))
            )
        return Structure(
            "pool",
            (
                ("int32_t input_zero_point", "taken off before the average"),
                ("int32_t zero_point", "of the result"),
                ("int32_t low", "the least value of the result"),
                ("int32_t high", "the largest"),
            ),
        )

    def definition(self, name: str, structure: str) -> str:
        first, last = self.columns.inside
        span = self.columns.span
        cuts_left = self.columns.before > 0 and first > 0
        cuts_right = last < self.columns.result
        text = fill(
            _ROW,
            name=name,
            title="Average" if self.is_average else "Maximum",
            ctype=self.element_in,
            structure=structure,
            rows=self.rows,
            columns=self.columns.kernel,
            pixels=self.columns.result,
            depth=self.depth,
            left=self.columns.left("x"),
            first="left < 0 ? 0 : left" if cuts_left else "left",
            end=f"left + {span} > {self.columns.image} ? {self.columns.image} : left + {span}"
            if cuts_right
            else f"left + {span}",
            skip=_SKIP if self.leaves_image else "",
            **(self._average() if self.is_average else self._maximum()),
        )
        return text + "\n"

    def _maximum(self) -> dict[str, str]:
        operand, lowest = ("float", _LOWEST_FLOAT) if self.is_float else ("int32_t", "-32768")
        clamp = "clamp_float" if self.is_float else "clamp"
        return {
            "start": f"{operand} best = {lowest};",
            "add": f"const {operand} element = rows[ky][column * {self.depth} + c];\n"
            "best = element > best ? element : best;",
            "element": f"({self.element_out}){clamp}(best, p->low, p->high)",
        }

    def _average(self) -> dict[str, str]:
        operand = "float" if self.is_float else "int32_t"
        zero = "0.0f" if self.is_float else "0"
        return {
            "start": f"{operand} sum = {zero};\nint32_t count = 0;",
            "add": f"sum += rows[ky][column * {self.depth} + c];\n++count;",
            "element": "clamp_float(sum / (float)count, p->low, p->high)" if self.is_float else self._integer_average(),
        }

    def _integer_average(self) -> str:
        mean = "average(sum - count * p->input_zero_point, count)"
        return f"({self.element_out})clamp({mean} + p->zero_point, p->low, p->high)"
