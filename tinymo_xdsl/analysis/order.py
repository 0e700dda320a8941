"""
Which kernels may run when.

A kernel runs behind those that write what it reads. Some are barriers besides, which nothing crosses: they may do or
read more than their inputs and outputs tell.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.traits import is_side_effect_free

from tinymo_xdsl.analysis.kernels import Kernel
from tinymo_xdsl.analysis.liveness import is_variable, live_ranges
from tinymo_xdsl.dialects import tinymo, tosa
from tinymo_xdsl.facts import operator_facts
from tinymo_xdsl.flatbuffer.schema import BUILTIN_OPERATORS
from tinymo_xdsl.operators.custom import DOMAIN
from tinymo_xdsl.planner.order import Problem, Tensor

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
