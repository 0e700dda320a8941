"""
The loops of a module: each a WHILE of the main function, with the functions that it runs.

A loop is known if every tensor that it carries is passed on as it is, updated in place, or computed anew in each round.
Then the carried tensors of the loop and of its functions can lie on the same bytes, and TFLite Micro copies nothing
between rounds. It does not matter which pass or which tool has made the loop.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import OpResult, SSAValue

from tinymo_xdsl.analysis.describe import operator_name
from tinymo_xdsl.analysis.kernels import Kernel, functions, is_constant, kernels_of
from tinymo_xdsl.analysis.liveness import LiveRange, is_variable, live_bytes, live_ranges
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.facts import operator_facts
from tinymo_xdsl.numerics import dense
from tinymo_xdsl.tflm.lifetimes import CONTROL_FLOW

_UPDATE = "DYNAMIC_UPDATE_SLICE"


class Change(Enum):
    """What a round does to a tensor that a loop carries."""

    NONE = "passed on"
    IN_PLACE = "updated in place"
    ANEW = "computed anew"


@dataclass(frozen=True, eq=False)
class Carried:
    """A tensor that a loop carries, by the values that it is in turn."""

    change: Change
    start: SSAValue
    """What the loop is given, maybe a constant."""
    condition: SSAValue
    """The argument of the condition."""
    body: SSAValue
    """The argument of the body."""
    following: SSAValue
    """What the body yields for the next round: its argument where that is passed on."""
    end: SSAValue
    """What the loop yields."""


@dataclass(frozen=True, eq=False)
class Loop:
    """One WHILE."""

    kernel: Kernel
    condition: FuncOp
    body: FuncOp
    carried: tuple[Carried, ...]

    @property
    def rounds(self) -> int | None:
        """How often the body runs, if that can be told: a number counts up to a limit, in steps, from a start."""
        test = _counting(self.condition, _returned(self.condition)[0], "LESS")
        place = next((entry for entry in self.carried if test is not None and entry.condition is test[0]), None)
        if test is None or place is None or (start := _number(place.start)) is None:
            return None
        count = _counting(self.body, place.following, "ADD")
        if count is None or count[0] is not place.body or count[1] <= 0:
            return None
        return max(-(-(test[1] - start) // count[1]), 0)


def _counting(function: FuncOp, result: SSAValue, name: str) -> tuple[SSAValue, int] | None:
    """The tensor and the number behind it that the operator `name` computes `result` of, if it does."""
    kernel = _maker(function, result)
    if kernel is None or operator_name(kernel) != name or len(kernel.inputs) != 1 or len(kernel.ops) != 1:
        return None
    (op,) = kernel.ops
    operands = list(op.operands)
    if isinstance(op, tosa.GreaterOp):
        operands.reverse()
    number = _number(operands[1])
    return None if operands[0] is not kernel.inputs[0] or number is None else (operands[0], number)


def main_loops(module: ModuleOp) -> list[Loop] | None:
    """The loops of the main function; `None` where the module runs functions in any other way than by known loops."""
    called = list(functions(module))
    loops: list[Loop] = []
    for kernel in kernels_of(called[0]):
        if operator_name(kernel) in CONTROL_FLOW:
            loop = _loop(kernel, called)
            if loop is None:
                return None
            loops.append(loop)
    run = [function for loop in loops for function in (loop.condition, loop.body)]
    nested = [kernel for function in run for kernel in kernels_of(function)]
    runs_more = any(operator_name(kernel) in CONTROL_FLOW for kernel in nested)
    return None if runs_more or called[0] in run or len(set(run)) < len(run) else loops


def _loop(kernel: Kernel, called: Sequence[FuncOp]) -> Loop | None:
    """The loop that a kernel is, if it is known."""
    (op,) = kernel.ops
    if operator_name(kernel) != "WHILE" or not isinstance(op, tosa.CustomOp):
        return None
    options = operator_facts(op).options
    indices = [options.get(name, 0) for name in ("cond_subgraph_index", "body_subgraph_index")]
    found = [called[index] for index in indices if isinstance(index, int) and 0 <= index < len(called)]
    if len(found) != 2 or len(_returned(found[0])) != 1:
        return None
    condition, body = found
    columns = (op.input_list, condition.args, body.args, _returned(body), kernel.outputs)
    if len({len(column) for column in columns}) != 1 or len(set(_returned(body))) != len(op.input_list):
        return None
    carried = [_carried(body, *values) for values in zip(*columns, strict=True)]
    known = tuple(entry for entry in carried if entry is not None)
    return Loop(kernel, condition, body, known) if len(known) == len(carried) else None


def _carried(
    body: FuncOp, start: SSAValue, condition: SSAValue, argument: SSAValue, following: SSAValue, end: SSAValue
) -> Carried | None:
    if following is argument:
        change = Change.NONE
    elif following in body.args or is_constant(following):
        return None
    else:
        change = Change.IN_PLACE if _updates(body, argument, following, start) else Change.ANEW
    return Carried(change, start, condition, argument, following, end)


def _updates(body: FuncOp, argument: SSAValue, following: SSAValue, start: SSAValue) -> bool:
    """Whether what the loop is given, and the argument after it, are read once: to be written over."""
    update = _maker(body, following)
    if update is None or operator_name(update) != _UPDATE or _operands(update)[0] is not argument:
        return False
    is_made_here = isinstance(start, OpResult) and not is_constant(start) and not is_variable(start)
    return is_made_here and _read_once(start) and _read_once(argument)


def _read_once(value: SSAValue) -> bool:
    return len(list(value.uses)) == 1


def _operands(kernel: Kernel) -> Sequence[SSAValue]:
    return kernel.ops[0].operands


def _returned(function: FuncOp) -> tuple[SSAValue, ...]:
    terminator = function.body.block.last_op
    return () if terminator is None else tuple(terminator.operands)


def _maker(function: FuncOp, value: SSAValue) -> Kernel | None:
    return next((kernel for kernel in kernels_of(function) if value in kernel.outputs), None)


def _number(value: SSAValue) -> int | None:
    """The number that a constant of one element is."""
    if not isinstance(value.owner, tosa.ConstOp):
        return None
    array = dense.to_numpy(value.owner.values)
    return int(array.item()) if array.size == 1 and array.dtype == np.int32 else None


def body_bytes(loop: Loop) -> int:
    """The bytes that are alive at once in a round, at most, without what the loop carries."""
    kernels = kernels_of(loop.body)
    carried = {value for entry in loop.carried for value in (entry.body, entry.end)}
    carried |= {entry.following for entry in loop.carried if entry.change is Change.IN_PLACE}
    ranges = [entry for entry in live_ranges(loop.body, kernels) if entry.value not in carried]
    return max(live_bytes(ranges, len(kernels)))


def carried_once(ranges: Sequence[LiveRange], loops: Sequence[Loop]) -> list[LiveRange]:
    """The live ranges of the main function where what a loop carries is one tensor, unless it is computed anew."""
    known = {entry.value: entry for entry in ranges}
    homes: dict[SSAValue, SSAValue] = {}
    for entry in (entry for loop in loops for entry in loop.carried if entry.change is not Change.ANEW):
        home = homes.get(entry.start, entry.start)
        if home in known:
            homes[entry.end] = home
            known[home] = replace(known[home], last=max(known[home].last, known.pop(entry.end).last))
    return list(known.values())


def loop_of(kernel: Kernel) -> Loop | None:
    """The loop that a kernel of a module's main function is, if it is a known one."""
    module = kernel.root
    while (parent := module.parent_op()) is not None:
        module = parent
    if operator_name(kernel) != "WHILE" or not isinstance(module, ModuleOp):
        return None
    return next((loop for loop in main_loops(module) or () if loop.kernel.root is kernel.root), None)
