"""One element of many along an axis: a sum, the greatest, the least."""

from dataclasses import dataclass
from typing import Final

from tinymo_xdsl.backend.c.arithmetic import Requantized
from tinymo_xdsl.backend.c.kernels.typed import TypedRow
from tinymo_xdsl.backend.c.layer import Helper, Structure
from tinymo_xdsl.backend.c.text import fill

STEPS: Final = {
    "sum": "total += element;",
    "greatest": "total = element > total ? element : total;",
    "least": "total = element < total ? element : total;",
}
"""What each element does to the result so far."""

_ROW: Final = """
/* The $kind of $count elements, $pitch apart, for each of $pitch. */
static void $name($out *out, const $in *const *rows$parameter)
{
    for (int32_t c = 0; c < $pitch; ++c) {
        const $in *x = rows[0] + c;
        $operand total = $start;
        for (int32_t i = $first; i < $count; ++i) {
            const $operand element = x[i * $pitch]$centre;
            $step
        }
        out[c] = $element;
    }
}
"""


@dataclass(frozen=True)
class ReduceRow(TypedRow):
    """Of `count` times `pitch` elements, those that lie `pitch` apart become one."""

    kind: str
    """`sum`, `greatest` or `least`."""
    count: int
    pitch: int
    dtype: str
    result: str
    output: Requantized | None
    """How a sum of integers becomes an element; `None` for floats and extremes, which are elements already."""

    @property
    def stem(self) -> str:
        return f"{self.kind}_{self.dtype}_{self.count}x{self.pitch}"

    @property
    def structure(self) -> Structure | None:
        if self.output is None:
            return None
        return Structure("sum", (("int32_t input_zero_point", "of what is read"), *self.output.fields))

    @property
    def helpers(self) -> tuple[Helper, ...]:
        return () if self.output is None else self.output.helpers

    def definition(self, name: str, structure: str) -> str:
        is_sum = self.kind == "sum"
        is_float = self.dtype == "float32"
        element = (
            f"({self.element_out})total" if self.output is None else self.output.element("total", "0", self.element_out)
        )
        text = fill(
            _ROW,
            **{"in": self.element_in, "out": self.element_out},
            name=name,
            kind=self.kind,
            count=self.count,
            pitch=self.pitch,
            parameter=f", const {structure} *p" if structure else "",
            operand="float" if is_float else "int32_t",
            start=("0.0f" if is_float else "0") if is_sum else "x[0]",
            first=0 if is_sum else 1,
            centre="" if self.output is None else " - p->input_zero_point",
            step=STEPS[self.kind],
            element=element,
        )
        return text + "\n"
