"""
`loop-stripes`: runs consecutive layers as one loop, each round of which computes a stripe of rows.

```mlir
%e = tosa.conv2d %x ...          %y0 = tosa.custom ... {operator_name = "FILL"}
%d = tosa.depthwise_conv2d  =>   %place, %x1, %p = tosa.custom %start, %x, %y0 {operator_name = "WHILE"}
%p = tosa.conv2d %d ...          // its body: SLICE the window of this round out of x, run the three convolutions on
                                 // it, SLICE the good rows out of that, DYNAMIC_UPDATE_SLICE them into y
```

Stripes that are written out take a few hundred bytes of a TFLite Micro arena for each operator, in each stripe. A loop
takes about 1,500 bytes in all, however many rounds it runs. All rounds run the same operators: a window has the height
that the hungriest round needs, is moved inwards at the edges of the tensor, and is padded alike everywhere. Rows that
come out wrong where the tensor goes on are not kept. The price is rows that are computed in vain, and that the input
and the result of the loop are there in whole.

The input, the result and the counter go through the loop. TFLite Micro copies them between rounds unless a plan puts
them on the same bytes, so this pays only for files that are written with a plan: costs are those of such files. The
layers need TFLite facts, one input from outside, of which they read rows, and this and the result of int8 or float.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriteWalker
from xdsl.utils.exceptions import PassFailedException

from tinymo_xdsl.analysis.aliases import KernelLibrary
from tinymo_xdsl.analysis.kernels import functions, states_facts
from tinymo_xdsl.analysis.loops import main_loops
from tinymo_xdsl.analysis.row_problem import RowProblem, row_problem
from tinymo_xdsl.dialects import tinymo
from tinymo_xdsl.operators.base import Emitter
from tinymo_xdsl.passes.split_sepconv import RunRegionsInStripes
from tinymo_xdsl.planner.loop_search import LoopRegion, evaluate_loops, loop_finalists, loop_region
from tinymo_xdsl.planner.stripe_cost import Cost
from tinymo_xdsl.planner.stripe_search import SearchOptions
from tinymo_xdsl.planner.stripe_spans import closed_ends, make_span
from tinymo_xdsl.planner.stripes import Region, Solution
from tinymo_xdsl.row_loops import CARRIED_ELEMENTS, write_loop

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class LoopPlan:
    """What runs as loops in one function, what in stripes, and what that is worth in a file with an arena plan."""

    rows: RowProblem
    solution: Solution
    before: Cost
    after: Cost

    def describe(self, loops: bool = True) -> str:
        """The loops, or the regions in stripes beside them, in one line."""
        regions = [region for region in self.solution.regions if isinstance(region, LoopRegion) is loops]
        return "; ".join(self._describe_region(region) for region in regions)

    def _describe_region(self, region: Region) -> str:
        first, last = (self.rows.problem.layers[layer].name for layer in (region.first, region.last))
        how = "a loop of" if isinstance(region, LoopRegion) else "stripes:"
        return f"{how} {region.stripes} from '{first}' to '{last}'"


def best_loops(
    function: FuncOp,
    options: SearchOptions,
    count: int,
    alone: bool = False,
    library: KernelLibrary = KernelLibrary.REFERENCE,
) -> Iterator[LoopPlan]:
    """
    Up to `count` different plans with loops, the most promising first: only an arena plan tells which one is the best.

    Other regions run in stripes, unless loops are to be `alone`. None where `why_not` tells why. `apply_loops` carries
    a plan out.
    """
    if why_not(function) is not None:
        return
    rows = row_problem(function, library)
    for solution in loop_finalists(rows.problem, options, count, alone):
        if all(_can_carry(rows, region) for region in solution.regions):
            yield _loop_plan(rows, solution)


def why_not(function: FuncOp) -> str | None:
    """Why no layers of `function` can run as a loop, if that is so for all of them."""
    module = function.parent_op()
    if not states_facts(function):
        return "there are no TFLite facts, and a loop is an operator of a .tflite file"
    if not isinstance(module, ModuleOp) or main_loops(module) is None:
        return "the model runs other subgraphs, so that only TFLite Micro can place its tensors"
    return None


def apply_loops(module: ModuleOp, function: FuncOp, solution: Solution) -> None:
    """Carries out what was planned for `function`, a function of `module`, or for another one that is just like it."""
    pattern = _RunRegions(function, row_problem(function), solution, module)
    PatternRewriteWalker(pattern, apply_recursively=False).rewrite_module(module)


@dataclass
class _RunRegions(RunRegionsInStripes):
    """Replaces the kernels of each planned region by their stripes, or by a loop."""

    module: ModuleOp

    def write(self, region: Region, emitter: Emitter) -> SSAValue:
        """The ops of the region."""
        if isinstance(region, LoopRegion):
            return write_loop(self.rows, region.loop, self.module, emitter)
        return super().write(region, emitter)


def _can_carry(rows: RowProblem, region: Region) -> bool:
    """Whether the operators that a loop adds take its input and its result."""
    if not isinstance(region, LoopRegion):
        return True
    carried = rows.values[region.loop.source], rows.kernels[region.last].outputs[0]
    return all(isinstance(it.type, TensorType) and it.type.element_type in CARRIED_ELEMENTS for it in carried)


def _loop_plan(rows: RowProblem, solution: Solution) -> LoopPlan:
    return LoopPlan(rows, solution, evaluate_loops(rows.problem, Solution()), evaluate_loops(rows.problem, solution))


@dataclass(frozen=True)
class LoopStripesPass(ModulePass):
    """Run consecutive layers as one loop over stripes of rows, for files with an arena plan."""

    name: ClassVar[str] = "loop-stripes"

    region: tuple[int, ...] | None = None
    """The first and the last kernel of the one region that may run as a loop, counted from 0; without it, any may."""

    stripes: int | None = None
    """Run each loop in about this many rounds, 2 or more; with a region, even if that does not pay."""

    max_overhead: float = 10.0
    """Extra multiply-accumulates that are allowed, in percent of the model's."""

    def __post_init__(self) -> None:
        """Raises `ValueError` for values that make no sense."""
        if self.region is not None and (len(self.region) != 2 or not 0 <= self.region[0] <= self.region[1]):
            raise ValueError(f"region is {','.join(map(str, self.region))}, but must be a first and a last kernel")
        if self.stripes is not None and self.stripes < 2:
            raise ValueError(f"stripes is {self.stripes}, but must be 2 or more")
        if not 0 <= self.max_overhead < inf:
            raise ValueError(f"max-overhead is {self.max_overhead:g}, but must be 0 or more percent")

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Runs layers of the function that applications call as loops; other subgraphs stay as they are."""
        if any(isinstance(inner, tinymo.KernelOp) for inner in op.walk()):
            raise PassFailedException("loop-stripes runs on level 1: put it before form-kernels")
        for function in list(functions(op))[:1]:
            plan = self._plan(function)
            if plan is not None:
                apply_loops(op, function, plan.solution)
            logger.info("%s: @%s: %s", self.name, function.sym_name.data, _outcome(plan, why_not(function)))

    def _plan(self, function: FuncOp) -> LoopPlan | None:
        options = SearchOptions(maximum_extra_macs=self.max_overhead / 100, stripes=self.stripes)
        if self.region is None:
            return next(best_loops(function, options, 1, alone=True), None)
        first, last = self.region
        if self.stripes is None:
            options = replace(options, spans=frozenset({(first, last)}))
            return next(best_loops(function, options, 1, alone=True), None)
        rows = row_problem(function)
        if last >= len(rows.kernels) or last not in closed_ends(rows.problem, first):
            return None
        region = loop_region(rows.problem, make_span(rows.problem, first, last), self.stripes)
        if region is None or why_not(function) is not None or not _can_carry(rows, region):
            return None
        return _loop_plan(rows, Solution((region,)))


def _outcome(plan: LoopPlan | None, why: str | None) -> str:
    if plan is None:
        return f"left alone: {why or 'no loop lowers the arena by more than it costs'}"
    before, after = (cost.peak + cost.upkeep for cost in (plan.before, plan.after))
    return f"{plan.describe()}; activations and operators take {after:,} bytes, not {before:,}"
