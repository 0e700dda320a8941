"""
`report-memory`: changes nothing; prints to standard error what each function keeps in memory, kernel by kernel.

Reads level 1 and level 2. Put it between other passes to see what they are worth:

    tinymo-opt --report-memory --split-sepconv --form-kernels --legalize-for-tflite --report-memory in.tflite -o out

Level 2 after `legalize-for-tflite` is what a `.tflite` will hold.
"""

import sys
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException

from tinymo_xdsl.analysis.kernels import functions
from tinymo_xdsl.analysis.memory_table import in_bytes, kernel_rows, peak_lines, rows_to_show, table_lines
from tinymo_xdsl.analysis.peak import Peak, peak_of


@dataclass(frozen=True)
class ReportMemoryPass(ModulePass):
    """Print the memory of each function to standard error; the module stays as it is."""

    name: ClassVar[str] = "report-memory"

    rows: int | None = None
    """Show at most this many kernels, those with the most bytes; without it, as many as fit a screen."""

    function: str | None = None
    """Show only the function of this name; without it, all functions."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Prints one table a function."""
        if self.rows is not None and self.rows < 0:
            raise PassFailedException(f"report-memory: rows is {self.rows}, but must not be negative")
        names = {function.sym_name.data: function for function in functions(op)}
        if self.function is not None and self.function not in names:
            raise PassFailedException(f"report-memory: there is no function @{self.function}")
        shown = names if self.function is None else {self.function: names[self.function]}
        for name, function in shown.items():
            print("\n".join(_lines(name, peak_of(function), self.rows)), file=sys.stderr)


def _lines(name: str, peak: Peak, rows: int | None) -> list[str]:
    return [
        f"memory of @{name}: live peak {in_bytes(peak.live_peak)}, lower bound {in_bytes(peak.lower_bound)}",
        f"  with copies of split and joined parts {in_bytes(peak.live_peak_copies)}",
        *(f"  {line}" for line in peak_lines(peak)),
        *table_lines(kernel_rows(peak), rows_to_show(len(peak.kernels)) if rows is None else rows),
    ]
