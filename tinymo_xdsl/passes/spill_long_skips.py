"""
`spill-long-skips`: tensors that rest across the peak wait in a secondary memory.

```mlir
%y = tosa.max_pool2d %skip ...         %y = tosa.max_pool2d %skip ...
                                       %h = tinymo.spill %skip {memory = "psram"}
...                               =>   ...
                                       %r = tinymo.reload %h
%z = tosa.concat %up, %skip            %z = tosa.concat %up, %r
```

A tensor is spilled once, right after its last early use, and reloaded right before each late use that follows a long
cold range. `analysis.skips` chooses the tensors by the peak, tokens counted. Left alone: a function whose peak spilling
cannot lower, tensors that the function returns, and state. Only whole tensors are spilled.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, PatternRewriteWalker, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from tinymo_xdsl.analysis.describe import describe_kernel
from tinymo_xdsl.analysis.kernels import Kernel, functions, kernels_of
from tinymo_xdsl.analysis.liveness import function_live_bytes, live_ranges
from tinymo_xdsl.analysis.skips import ColdRange, SpillPlan, plan_spills, spilled_bytes
from tinymo_xdsl.dialects import tinymo
from tinymo_xdsl.facts import name_of, set_tensor_facts, tensor_facts
from tinymo_xdsl.numerics.sizes import parse_size

logger = logging.getLogger(__name__)


@dataclass
class SpillColdRanges(RewritePattern):
    """Spills the tensors of the planned cold ranges of one function."""

    function: FuncOp
    plan: SpillPlan
    memory: str

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: FuncOp, rewriter: PatternRewriter) -> None:
        """Tensor by tensor."""
        if op is self.function:
            for value, ranges in groupby(self.plan.ranges, key=lambda entry: entry.value):
                self._spill(value, list(ranges), rewriter)

    def _spill(self, value: SSAValue, ranges: Sequence[ColdRange], rewriter: PatternRewriter) -> None:
        spill = tinymo.SpillOp(value, self.memory)
        rewriter.insert(spill, InsertPoint.after(ranges[0].spill_after))
        facts = tensor_facts(value)
        # From the last range to the first: each takes the uses that no later one has taken.
        for number, entry in reversed(list(enumerate(ranges, start=1))):
            reload = tinymo.ReloadOp(spill.handle)
            if facts is not None:
                suffix = "reloaded" if number == 1 else f"reloaded_{number}"
                set_tensor_facts(reload, facts.renamed(f"{facts.name}/{suffix}"))
            rewriter.insert(reload, InsertPoint.before(entry.reload_before))
            for user in entry.late_users:
                user.operands = [reload.result if operand is value else operand for operand in user.operands]
                rewriter.notify_op_modified(user)


@dataclass(frozen=True)
class SpillLongSkipsPass(ModulePass):
    """Let tensors that rest across the peak wait in a secondary memory."""

    name: ClassVar[str] = "spill-long-skips"

    min_gap: int = 4
    """Kernels that a tensor rests for, at least, before it is worth a copy."""

    memory: str = "psram"
    """The memory that tensors wait in."""

    ram: int | str | None = None
    """Spill only what brings the peak down to this many bytes (65536, 64K); without it, as far down as it goes."""

    def __post_init__(self) -> None:
        """Raises `ValueError` for a `ram` that is no size."""
        if self.ram is not None:
            parse_size(self.ram)

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Spills tensors of the function that applications call; other subgraphs stay as they are."""
        for function in list(functions(op))[:1]:
            if kernels := kernels_of(function):
                self._spill(op, function, kernels)

    def _spill(self, module: ModuleOp, function: FuncOp, kernels: Sequence[Kernel]) -> None:
        limit = None if self.ram is None else parse_size(self.ram)
        plan = plan_spills(function, kernels, self.min_gap, limit)
        if plan.ranges:
            spill(module, function, plan, self.memory)
            peak, copied = max(function_live_bytes(function)), spilled_bytes(function)
            outcome = f"the peak falls from {plan.peak:,} to {peak:,} bytes, and a run copies {copied:,} bytes"
        elif limit is not None and plan.peak <= limit:
            outcome = f"the peak of {plan.peak:,} bytes is within {limit:,} bytes already"
        else:
            outcome = f"the peak of {plan.peak:,} bytes stays: {why_not(function, kernels, plan.limit)}"
        logger.info("%s: @%s: %s", self.name, function.sym_name.data, outcome)


def spill(module: ModuleOp, function: FuncOp, plan: SpillPlan, memory: str) -> None:
    """Spill in a function of `module` what is planned for it."""
    PatternRewriteWalker(SpillColdRanges(function, plan, memory), apply_recursively=False).rewrite_module(module)


def why_not(function: FuncOp, kernels: Sequence[Kernel], step: int) -> str:
    """Why spilling does not lower what is alive at kernel `step`."""
    kernel = kernels[step]
    place, _ = describe_kernel(kernel)
    alive = [entry for entry in live_ranges(function, kernels) if entry.first <= step <= entry.last]
    resting = [entry for entry in alive if entry.value not in (*kernel.inputs, *kernel.outputs)]
    if not resting:
        return f"at '{place}' it is the kernel's own operands"
    largest = max(resting, key=lambda entry: entry.size)
    return f"at '{place}', '{name_of(largest.value)}' does not rest long enough, or may not leave"
