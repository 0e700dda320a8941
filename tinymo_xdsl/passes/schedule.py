"""
`schedule`: runs kernels in the order that keeps the least in memory at once.

The order of the text is the order of execution. In a graph with branches there is a choice:

```mlir
%wide = tosa.concat %x, %x, %x, %x ...         %wide = tosa.concat %x, %x, %x, %x ...
%other = tosa.concat %x, %x, %x, %x ...   =>   %low = tosa.reduce_max %wide ...
%low = tosa.reduce_max %wide ...               %other = tosa.concat %x, %x, %x, %x ...
```

`planner.order` searches for it, and the remark says whether it is proven that no other order is lower. Every tensor
counts with bytes of its own, as in `live_peak_copies`. Kernels move whole, on level 2 as well as on level 1, and a
constant moves with the kernel that reads it first. An order that is as low as any stays as it is.

Some kernels are barriers that nothing crosses: variables and what touches them, control flow, and operators that nobody
knows. Spills and reloads keep their order among themselves.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Final

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.traits import is_side_effect_free

from tinymo_xdsl.analysis.kernels import Kernel, functions, kernels_of
from tinymo_xdsl.analysis.liveness import is_variable, live_ranges
from tinymo_xdsl.dialects import tinymo, tosa
from tinymo_xdsl.facts import operator_facts
from tinymo_xdsl.flatbuffer.schema import BUILTIN_OPERATORS
from tinymo_xdsl.operators.custom import DOMAIN
from tinymo_xdsl.planner.order import Order, Problem, Tensor, least_peak_order, live_peak

logger = logging.getLogger(__name__)

_MORE_THAN_VALUES: Final = (
    *("ASSIGN_VARIABLE", "CALL", "DELEGATE", "HASHTABLE", "IF", "MULTINOMIAL", "RANDOM", "READ_VARIABLE"),
    *("STABLEHLO", "VAR_HANDLE", "WHILE"),
)
"""How the names of those operators of TFLite's schema begin that do or read more than their inputs tell."""


def order_problem(function: FuncOp, kernels: Sequence[Kernel]) -> Problem:
    """What `function` keeps in memory, and what has to run in which order, as plain values."""
    writers = {value: step for step, kernel in enumerate(kernels) for value in kernel.outputs if not is_variable(value)}
    ranges = live_ranges(function, kernels)
    readers: dict[SSAValue, list[int]] = {entry.value: [] for entry in ranges}
    for step, kernel in enumerate(kernels):
        for value in kernel.inputs:
            readers[value].append(step)
    terminator = function.body.block.last_op
    returned = set(terminator.operands if terminator is not None else ())
    tensors = (
        Tensor(
            entry.size,
            writers.get(entry.value),
            tuple(readers[entry.value]),
            kept=entry.value in returned or is_variable(entry.value),
        )
        for entry in ranges
    )
    copies = (step for step, kernel in enumerate(kernels) if isinstance(kernel.root, tinymo.SpillOp | tinymo.ReloadOp))
    return Problem(len(kernels), tuple(tensors), (*_around_barriers(kernels), *pairwise(copies)))


def _around_barriers(kernels: Sequence[Kernel]) -> Iterator[tuple[int, int]]:
    """Pairs of which one is a barrier, and that stay in order."""
    barrier: int | None = None
    since: list[int] = []
    for step, kernel in enumerate(kernels):
        if is_barrier(kernel):
            yield from ((other, step) for other in since)
            barrier, since = step, []
        elif barrier is not None:
            yield barrier, step
        since.append(step)


def is_barrier(kernel: Kernel) -> bool:
    """Whether a kernel may do or read more than its inputs and outputs tell."""
    if isinstance(kernel.root, tinymo.SpillOp | tinymo.ReloadOp):
        return False
    return any(map(tosa.may_change, kernel.inputs)) or not all(map(_only_computes, kernel.ops))


def _only_computes(op: Operation) -> bool:
    if not isinstance(op, tosa.CustomOp):
        return is_side_effect_free(op)
    facts, name = operator_facts(op), op.operator_name.data
    is_known = op.domain_name.data == DOMAIN and name in BUILTIN_OPERATORS and not facts.custom
    return is_known and not name.startswith(_MORE_THAN_VALUES) and not facts.mutating_variable_inputs


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
class SchedulePass(ModulePass):
    """Run kernels in the order that keeps the least in memory at once."""

    name: ClassVar[str] = "schedule"

    effort: int = 20000
    """How many sets of done kernels to look at; what is not proven by then is searched once more, by a beam."""

    def __post_init__(self) -> None:
        """Raises `ValueError` for a negative effort."""
        if self.effort < 0:
            raise ValueError(f"effort is {self.effort}, but must not be negative")

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Reorders every function by itself."""
        for function in functions(op):
            if kernels := kernels_of(function):
                problem = order_problem(function, kernels)
                order = least_peak_order(problem, self.effort)
                reorder(function, kernels, order.steps)
                before = live_peak(problem, range(len(kernels)))
                logger.info("%s: @%s: %s", self.name, function.sym_name.data, describe(before, order))


def describe(before: int, order: Order) -> str:
    """What came of the search, in one line."""
    falls = f"the peak falls from {before:,} to {order.peak:,} bytes"
    outcome = falls if order.peak < before else f"the peak of {before:,} bytes stays"
    if order.is_optimal:
        return f"{outcome}, proven optimal"
    return f"{outcome}, the best of {order.states:,} states; no order goes below {order.lower_bound:,} bytes"
