"""
Long skips: which tensors rest in memory for many kernels, and for which of them a copy elsewhere is worth it.

A spill ends the life of a tensor after an early use, a reload brings it back before a late one; in between only a token
stays. Spills are chosen so that no kernel has more than a target alive, for few copied bytes. That is a covering
problem: each kernel above the target demands bytes, each cold range supplies its tensor's. It is solved greedily: take
what supplies most for its copies (Wolsey, Combinatorica 2, 1982), and drop in the end what is not needed any more.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import TensorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from tinymo_xdsl.analysis.kernels import Kernel
from tinymo_xdsl.analysis.liveness import live_bytes, live_ranges
from tinymo_xdsl.analysis.sizes import TOKEN_BYTES, byte_size
from tinymo_xdsl.dialects import tinymo, tosa
from tinymo_xdsl.facts import tensor_facts

ALIGNMENT = 16
"""TFLite Micro places tensors at multiples of this many bytes: a peak that falls by less has not fallen."""


@dataclass(frozen=True, eq=False)
class ColdRange:
    """The kernels between two uses of a tensor; the first use is the kernel that writes it."""

    value: SSAValue
    size: int
    """Bytes of the tensor."""
    early: int
    """The kernel of the use before."""
    late: int
    """The kernel of the use after."""
    spill_after: Operation
    """Where the early kernel ends."""
    reload_before: Operation
    """Where the late kernel begins."""
    late_users: tuple[Operation, ...]
    """The ops that read the tensor from the late kernel on."""


@dataclass(frozen=True, eq=False)
class SpillPlan:
    """What to spill in a function."""

    ranges: tuple[ColdRange, ...]
    """By tensor, in order of execution; empty where nothing is worth it."""
    peak: int
    """Bytes without a spill."""
    limit: int
    """The kernel at which the peak is, with every cold range spilled."""


def cold_ranges(function: FuncOp, kernels: Sequence[Kernel], minimum_gap: int) -> list[ColdRange]:
    """
    The ranges of at least `minimum_gap` kernels, by tensor.

    Some tensors have to stay: what the function returns, which keeps its name, state and handles. And where the ops of
    two kernels stand interleaved in the text, there is no place for a copy between them.
    """
    ops = list(function.body.block.ops)
    spans = _text_spans(ops, kernels)
    steps = {op: step for step, kernel in enumerate(kernels) for op in kernel.ops}
    found: list[ColdRange] = []
    for entry in live_ranges(function, kernels):
        users = tuple(use.operation for use in entry.value.uses)
        if not _may_leave(entry.value) or any(user not in steps for user in users):
            continue
        for early, late in pairwise(sorted({entry.first, *(steps[user] for user in users)})):
            is_parted = all(spans[step][1] < spans[step + 1][0] for step in (early, late - 1))
            if late - early > minimum_gap and is_parted:
                late_users = tuple(user for user in users if steps[user] >= late)
                places = ops[spans[early][1]], ops[spans[late][0]]
                found.append(ColdRange(entry.value, entry.size, early, late, *places, late_users))
    return found


def _text_spans(ops: Sequence[Operation], kernels: Sequence[Kernel]) -> list[tuple[int, int]]:
    """The places of the first and the last op of each kernel."""
    places = {op: place for place, op in enumerate(ops)}
    members = ((kernel.root,) if isinstance(kernel.root, tinymo.KernelOp) else kernel.ops for kernel in kernels)
    spans = ([places[op] for op in group] for group in members)
    return [(min(span), max(span)) for span in spans]


def _may_leave(value: SSAValue) -> bool:
    # A custom operator without inputs yields state, a variable or a handle. A data type in the facts says that the
    # bytes are not what the type of the value tells.
    is_state = isinstance(value.owner, tosa.CustomOp) and not value.owner.input_list
    facts = tensor_facts(value)
    is_plain = isinstance(value.type, TensorType) and (facts is None or facts.dtype is None)
    return is_plain and not is_state and byte_size(value) > TOKEN_BYTES


def plan_spills(
    function: FuncOp,
    kernels: Sequence[Kernel],
    minimum_gap: int,
    peak_limit: int | None = None,
    needed: Sequence[int] | None = None,
) -> SpillPlan:
    """
    The spills that bring the peak of `function`, which has kernels, down to `peak_limit` bytes for few copied bytes.

    Without a limit, or if it cannot be kept, they bring the peak as far down as spilling can, to the alignment.
    `needed` are the bytes in use at each kernel; without it, all tensors that are alive, each with bytes of its own.
    """
    live = np.array(live_bytes(live_ranges(function, kernels), len(kernels)) if needed is None else needed, np.int64)
    candidates = cold_ranges(function, kernels, minimum_gap)
    emptiest = _live_with(live, candidates)
    before, least, limit = int(live.max()), int(emptiest.max()), int(emptiest.argmax())
    target = min(least + ALIGNMENT, before - ALIGNMENT)
    if peak_limit is not None and peak_limit >= least:
        target = peak_limit
    ranges = _cover(live, candidates, target) if least <= target < before else []
    return SpillPlan(tuple(ranges), before, limit)


def _live_with(live: npt.NDArray[np.int64], ranges: Iterable[ColdRange]) -> npt.NDArray[np.int64]:
    """
    For every kernel the bytes alive at most, with `ranges` spilled.

    A token counts from the early to the late kernel, both included: then a spill and a reload, which come in between,
    have no more alive than the kernel beside them.
    """
    live = live.copy()
    tokens: dict[SSAValue, tuple[int, int]] = {}
    for entry in ranges:
        live[entry.early + 1 : entry.late] -= entry.size
        first, last = tokens.get(entry.value, (entry.early, entry.late))
        tokens[entry.value] = min(first, entry.early), max(last, entry.late)
    for first, last in tokens.values():
        live[first : last + 1] += TOKEN_BYTES
    return live


def _cover(live: npt.NDArray[np.int64], candidates: Sequence[ColdRange], target: int) -> list[ColdRange]:
    """A few of `candidates` with which no kernel has more than `target` bytes alive; in their order."""
    chosen: list[ColdRange] = []
    rest = list(candidates)
    while (excess := (_live_with(live, chosen) - target).clip(min=0)).any():
        spilled = {entry.value for entry in chosen}
        best = max(rest, key=lambda entry: _supply(entry, excess) / _copied(entry, spilled))
        rest.remove(best)
        chosen.append(best)
    for entry in reversed(chosen):
        fewer = [other for other in chosen if other is not entry]
        if _live_with(live, fewer).max() <= target:
            chosen = fewer
    return [entry for entry in candidates if entry in chosen]


def _supply(entry: ColdRange, excess: npt.NDArray[np.int64]) -> int:
    return int(np.minimum(excess[entry.early + 1 : entry.late], entry.size).sum())


def _copied(entry: ColdRange, spilled: set[SSAValue]) -> int:
    """Bytes out and back; what is spilled already is only reloaded once more."""
    return entry.size * (1 if entry.value in spilled else 2)


def spilled_bytes(function: FuncOp) -> int:
    """Bytes that one run of `function` copies to and from secondary memories."""
    copies = (op for op in function.walk() if isinstance(op, tinymo.SpillOp | tinymo.ReloadOp))
    return sum(byte_size(op.source if isinstance(op, tinymo.SpillOp) else op.result) for op in copies)
