"""
What would help a model, from analyses that take no time: nothing here searches as `optimize` does.

A hint that says that a pass helps is no promise: what the pass makes of it may cost more than it saves.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from tinymo_xdsl.analysis.describe import operator_name
from tinymo_xdsl.analysis.kernels import Kernel, kernels_of
from tinymo_xdsl.analysis.liveness import function_live_bytes
from tinymo_xdsl.analysis.peak import main_function
from tinymo_xdsl.analysis.rows import row_access
from tinymo_xdsl.analysis.skips import plan_spills, spilled_bytes
from tinymo_xdsl.backend.tflite.plan import PlannedModel
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.facts import name_of
from tinymo_xdsl.passes.fold_pad import FoldPadPass
from tinymo_xdsl.passes.schedule import SchedulePass, schedule_function
from tinymo_xdsl.passes.spill_long_skips import SpillLongSkipsPass
from tinymo_xdsl.passes.split_sepconv import SplitSepconvPass

_PLAN = "plan-memory"
_ORDER_EFFORT = 2_000
"""States that are looked at for a better order: a moment."""


@dataclass(frozen=True)
class Hint:
    """What one pass may do for a model."""

    name: str
    """The pass."""
    helps: bool
    why: str


def hints_for(module: ModuleOp, own_head: int, planned: PlannedModel) -> tuple[Hint, ...]:
    """
    The hints for a level-1 `module`, in the order in which `optimize` would try the passes.

    `own_head` is what the file takes as it is in bytes of the arena's head, and `planned` holds the best plan for it.
    Tensors of a file with a plan may share bytes, so that its head is less than the live peak: what lowers that alone
    does not help.
    """
    if not kernels_of(main_function(module)):
        return ()
    folded = module.clone()
    FoldPadPass().apply(Context(), folded)
    hints = (
        _fold_pads(module, folded, own_head),
        _split(main_function(folded)),
        _schedule(module, own_head),
        _spill(module, own_head),
    )
    return (*(hint for hint in hints if hint is not None), _plan(own_head, planned))


def _peak(module: ModuleOp) -> int:
    return max(function_live_bytes(main_function(module)))


def _fold_pads(module: ModuleOp, folded: ModuleOp, own_head: int) -> Hint | None:
    pads = _pad_count(module)
    if not pads:
        return None
    before, after = _peak(module), _peak(folded)
    what = f"{pads - _pad_count(folded)} of {pads} PADs can be padding of convolutions"
    if after < min(before, own_head):
        return Hint(FoldPadPass.name, True, f"{what}: the live peak falls from {before:,} to {after:,} bytes")
    return Hint(FoldPadPass.name, False, f"{what}; the peak is elsewhere")


def _pad_count(module: ModuleOp) -> int:
    return sum(isinstance(op, tosa.PadOp) for op in module.walk())


def _split(function: FuncOp) -> Hint:
    kernels, live = kernels_of(function), function_live_bytes(function)
    kernel = kernels[live.index(max(live))]
    operator = operator_name(kernel)
    if not _keeps_rows(kernel):
        return Hint(SplitSepconvPass.name, False, f"{operator}, the peak, cannot run in stripes of rows")
    if not any(_are_neighbours(kernel, other) and _keeps_rows(other) for other in kernels):
        return Hint(SplitSepconvPass.name, False, f"nothing beside {operator}, the peak, can run in stripes with it")
    why = f"the peak is the tensors around {operator}, which stripes of rows need not hold whole"
    return Hint(SplitSepconvPass.name, True, why)


def _keeps_rows(kernel: Kernel) -> bool:
    """Whether each row of the result comes from a few rows of the inputs."""
    accesses = [row_access(kernel, value) for value in kernel.inputs]
    return bool(accesses) and None not in accesses


def _are_neighbours(kernel: Kernel, other: Kernel) -> bool:
    return _reads(kernel, other.outputs) or _reads(other, kernel.outputs)


def _reads(kernel: Kernel, values: Sequence[SSAValue]) -> bool:
    return any(value in values for value in kernel.inputs)


def _schedule(module: ModuleOp, own_head: int) -> Hint | None:
    schedule = schedule_function(main_function(module.clone()), _ORDER_EFFORT)
    why = f"in another order of operators {schedule.describe()}"
    return Hint(SchedulePass.name, True, why) if schedule.is_lower and schedule.order.peak < own_head else None


def _spill(module: ModuleOp, own_head: int) -> Hint | None:
    function = main_function(module)
    kernels = kernels_of(function)
    ranges = plan_spills(function, kernels, SpillLongSkipsPass().min_gap).ranges
    if not ranges:
        return None
    spilled = module.clone()
    SpillLongSkipsPass().apply(Context(), spilled)
    if _peak(spilled) >= own_head:
        return None
    largest = max(ranges, key=lambda entry: entry.size)
    where = f"'{name_of(largest.value)}' rests across the peak, operators {largest.early} to {largest.late}"
    falls = f"the live peak falls from {_peak(module):,} to {_peak(spilled):,} bytes"
    copies = f"{spilled_bytes(main_function(spilled)):,} bytes copied in a run"
    return Hint(SpillLongSkipsPass.name, True, f"{where}: in a second memory {falls}, {copies}")


def _plan(own_head: int, planned: PlannedModel) -> Hint:
    best = planned.plan
    if best is None:
        return Hint(_PLAN, False, planned.why)
    bound = f"no plan goes below {best.lower_bound:,}"
    if best.head < own_head:
        proof = "proven to be the least" if best.optimal else bound
        return Hint(_PLAN, True, f"a plan makes the head {best.head:,} bytes instead of {own_head:,}, {proof}")
    proof = "no plan makes it smaller" if best.optimal else f"no better plan was found; {bound}"
    return Hint(_PLAN, False, f"the head is {own_head:,} bytes as it is: {proof}")
