"""
`split-sepconv`: runs separable convolutions in stripes of rows, so that their large inner tensors never exist whole.

```mlir
%e = tosa.conv2d %x ...            // 1x1, expands          %x0, %x1 = tinymo.split %x {axis = 1, windows = ...}
%d = tosa.depthwise_conv2d %e ...  // 3x3                   %e0 = tosa.conv2d %x0 ...
%p = tosa.conv2d %d ...            // 1x1, projects    =>   %d0 = tosa.depthwise_conv2d %e0 ...
                                                            %p0 = tosa.conv2d %d0 ...
                                                            ... the same for %x1 ...
                                                            %p = tinymo.join %p0, %p1 {axis = 1}
```

Windows of neighbouring stripes overlap where a kernel is taller than a row (halo), so some rows are computed twice.
`planner.stripes` chooses regions, windows and their number by the peak of the written file, copies counted, and stays
within a budget of extra multiply-accumulates. Rows of a stripe that a convolution pads as SAME although the tensor
goes on there are wrong, and are cut off later: that is cheaper than an explicit PAD of the expanded tensor.

Chains are expand, depthwise, project or depthwise, pointwise, each with a residual add behind it if there is one;
`chains=any` takes any layers whose rows depend on a few rows of their inputs. Columns and channels are not split.
"""

import logging
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, PatternRewriteWalker, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint
from xdsl.utils.exceptions import PassFailedException

from tinymo_xdsl.analysis.chains import separable_chains
from tinymo_xdsl.analysis.kernels import functions
from tinymo_xdsl.analysis.rows import RowProblem, row_problem
from tinymo_xdsl.dialects import tinymo
from tinymo_xdsl.operators.base import Emitter
from tinymo_xdsl.planner.stripe_search import SearchOptions, search_stripes
from tinymo_xdsl.planner.stripes import Cost, Region, Solution, evaluate
from tinymo_xdsl.row_stripes import write_region

logger = logging.getLogger(__name__)

Chains = Literal["sepconv", "any"]


@dataclass(frozen=True, eq=False)
class StripePlan:
    """What to split in one function, and what that is worth."""

    rows: RowProblem
    solution: Solution
    before: Cost
    after: Cost


def plan_stripes(function: FuncOp, chains: Chains, options: SearchOptions) -> StripePlan:
    """The stripes that lower the peak of `function` most, or that keep to a limit with the least work."""
    rows = row_problem(function)
    if chains == "sepconv":
        options = replace(options, spans=separable_chains(rows))
    before = evaluate(rows.problem, Solution())
    solution = search_stripes(rows.problem, options)
    return StripePlan(rows, solution, before, evaluate(rows.problem, solution))


@dataclass
class RunRegionsInStripes(RewritePattern):
    """Replaces the kernels of each planned region by their stripes."""

    function: FuncOp
    plan: StripePlan

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: FuncOp, rewriter: PatternRewriter) -> None:
        """The stripes stand where the last kernel of their region stood."""
        if op is not self.function:
            return
        # From the last to the first: what an earlier region yields is then replaced in the stripes of a later one too.
        for region in reversed(self.plan.solution.regions):
            self._replace(region, rewriter)

    def _replace(self, region: Region, rewriter: PatternRewriter) -> None:
        kernels = self.plan.rows.kernels[region.first : region.last + 1]
        root = kernels[-1].root
        emitter = Emitter(lambda op: rewriter.insert(op, InsertPoint.before(root)))
        joined = write_region(self.plan.rows, region, emitter)
        rewriter.replace_all_uses_with(kernels[-1].outputs[0], joined)
        for kernel in reversed(kernels):
            for op in reversed(kernel.ops):
                rewriter.erase(op)


@dataclass(frozen=True)
class SplitSepconvPass(ModulePass):
    """Run separable convolutions in stripes of rows, where that lowers the peak."""

    name: ClassVar[str] = "split-sepconv"

    chains: Chains = "sepconv"
    """Which layers may run in stripes: separable convolutions, or any row-local layers."""

    stripes: int | None = None
    """Run each region in this many stripes; without it, the number is chosen."""

    max_overhead: float = 10.0
    """Extra multiply-accumulates that are allowed, in percent of the model's."""

    ram: int | None = None
    """Split only as far as the peak needs to come down to this many bytes; without it, as far as it pays."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Splits the function that applications call; other subgraphs stay as they are."""
        if any(isinstance(inner, tinymo.KernelOp) for inner in op.walk()):
            raise PassFailedException("split-sepconv runs on level 1: put it before form-kernels")
        for function in list(functions(op))[:1]:
            split_function(op, function, self.chains, self.search_options)

    @property
    def search_options(self) -> SearchOptions:
        """What the planner is asked for."""
        return SearchOptions(
            peak_limit=self.ram, maximum_extra_macs=self.max_overhead / 100, stripes=self.stripes
        )


def split_function(module: ModuleOp, function: FuncOp, chains: Chains, options: SearchOptions) -> StripePlan:
    """Plans and applies; the plan says what came of it."""
    plan = plan_stripes(function, chains, options)
    if not plan.solution.regions:
        logger.info("split-sepconv leaves '%s' alone: no stripes lower its peak", function.sym_name.data)
        return plan
    pattern = RunRegionsInStripes(function, plan)
    PatternRewriteWalker(pattern, apply_recursively=False).rewrite_module(module)
    return plan
