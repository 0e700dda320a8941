"""
`schedule`: runs kernels in the order that keeps the least in memory at once.

The order of the text is the order of execution. In a graph with branches there is a choice:

```mlir
%wide = tosa.concat %x, %x, %x, %x ...         %wide = tosa.concat %x, %x, %x, %x ...
%other = tosa.concat %x, %x, %x, %x ...   =>   %low = tosa.reduce_max %wide ...
%low = tosa.reduce_max %wide ...               %other = tosa.concat %x, %x, %x, %x ...
```

`analysis.order` says which kernels may run when, `planner.order` searches, and the remark says whether it is proven
that no other order is lower. Every tensor counts with bytes of its own, as in `live_peak_copies`. Kernels move whole,
on level 2 as well as on level 1, and a constant moves with the kernel that reads it first. An order that is as low as
any stays.

Nothing crosses variables and what touches them, control flow, and operators that nobody knows. Spills and reloads keep
their order among themselves.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from tinymo_xdsl.analysis.kernels import Kernel, functions, kernels_of
from tinymo_xdsl.analysis.order import order_problem
from tinymo_xdsl.dialects import tinymo
from tinymo_xdsl.planner.order import Order, least_peak_order, live_peak

logger = logging.getLogger(__name__)

EFFORT: Final = 20_000
"""Enough to prove the order of most models, and no more than a few seconds of work for the others."""


def reorder(function: FuncOp, kernels: Sequence[Kernel], order: Sequence[int]) -> None:
    """Puts the kernels of `function` in another order; those before the first that differs are not touched."""
    block = function.body.block
    end = block.last_op
    assert end is not None
    start = next((place for place, step in enumerate(order) if place != step), len(order))
    in_place = {constant for kernel in kernels[:start] for constant in kernel.constants}
    for kernel in (kernels[step] for step in order[start:]):
        constants = [constant for constant in kernel.constants if constant not in in_place]
        in_place.update(constants)
        ops = (kernel.root,) if isinstance(kernel.root, tinymo.KernelOp) else kernel.ops
        for op in (*(constant.owner for constant in constants), *ops):
            assert isinstance(op, Operation)
            op.detach()
            block.insert_op_before(op, end)


@dataclass(frozen=True)
class Schedule:
    """What came of the search for an order."""

    before: int
    """The peak in bytes as the kernels stood."""
    order: Order

    @property
    def is_lower(self) -> bool:
        """Whether kernels have moved."""
        return self.order.peak < self.before

    def describe(self) -> str:
        """The outcome in one line."""
        order = self.order
        falls = f"the peak falls from {self.before:,} to {order.peak:,} bytes"
        outcome = falls if self.is_lower else f"the peak of {self.before:,} bytes stays"
        if order.is_optimal:
            return f"{outcome}, proven optimal"
        return f"{outcome}, the best of {order.states:,} states; no order goes below {order.lower_bound:,} bytes"


def schedule_function(function: FuncOp, effort: int = EFFORT) -> Schedule:
    """Puts the kernels of `function` in the best order that is found by looking at `effort` sets of done kernels."""
    kernels = kernels_of(function)
    problem = order_problem(function, kernels)
    schedule = Schedule(live_peak(problem, range(len(kernels))), least_peak_order(problem, effort))
    reorder(function, kernels, schedule.order.steps)
    return schedule


@dataclass(frozen=True)
class SchedulePass(ModulePass):
    """Run kernels in the order that keeps the least in memory at once."""

    name: ClassVar[str] = "schedule"

    effort: int = EFFORT
    """How many sets of done kernels to look at; what is not proven by then is searched once more, by a beam."""

    def __post_init__(self) -> None:
        """Raises `ValueError` for a negative effort."""
        if self.effort < 0:
            raise ValueError(f"effort is {self.effort}, but must not be negative")

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Reorders every function by itself."""
        for function in functions(op):
            schedule = schedule_function(function, self.effort)
            logger.info("%s: @%s: %s", self.name, function.sym_name.data, schedule.describe())
