"""
`split-sepconv`: runs separable convolutions in stripes of rows, so that their large inner tensors never exist whole.

```mlir
%e = tosa.conv2d %x ...            // 1x1, expands          %x0 = tinymo.split %x {axis = 1, windows = [[0, 9]]}
%d = tosa.depthwise_conv2d %e ...  // 3x3                   %e0 = tosa.conv2d %x0 ...
%p = tosa.conv2d %d ...            // 1x1, projects    =>   %d0 = tosa.depthwise_conv2d %e0 ...
                                                            %p0 = tosa.conv2d %d0 ...
                                                            ... the same for rows 7 to 15 ...
                                                            %p = tinymo.join %p0, %p1 {axis = 1}
```

Windows of neighbouring stripes overlap where a kernel is taller than its stride (halo), so that some rows are computed
twice. `planner.stripe_search` chooses regions, windows and their number by the peak of the written file, and stays
within a budget of extra multiply-accumulates. The peak counts copies, or, with `accounting=planned`, what a file with
an arena plan takes: slices and joins share bytes, and scratch of kernels counts. Where the tensor goes on, a stripe's
convolution must not pad. It runs on exactly the rows that it needs, behind a PAD operator if need be, or is padded as
SAME all the same: the rows at the stripe's edge are wrong then, and are cut off later. The planner takes what lowers
the peak more.

Chains are expand, depthwise, project or depthwise, pointwise, with activations between and activations and a residual
add behind them; `chains=any` takes any layers whose rows depend on a few rows of their inputs. Columns and channels are
not split. Left alone: layers whose inner tensors are used elsewhere, and a function whose peak stripes do not lower by
more than they cost.
"""

import logging
from dataclasses import dataclass, replace
from math import inf
from typing import ClassVar, Literal

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, PatternRewriteWalker, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint
from xdsl.utils.exceptions import PassFailedException

from tinymo_xdsl.analysis.aliases import KernelLibrary
from tinymo_xdsl.analysis.chains import separable_chains
from tinymo_xdsl.analysis.kernels import functions
from tinymo_xdsl.analysis.row_problem import RowProblem, row_problem
from tinymo_xdsl.dialects import tinymo
from tinymo_xdsl.numerics.sizes import parse_size
from tinymo_xdsl.operators.base import Emitter
from tinymo_xdsl.planner.stripe_cost import Accounting, Cost, evaluate
from tinymo_xdsl.planner.stripe_search import SearchOptions, finalists, search_stripes
from tinymo_xdsl.planner.stripes import Region, Solution
from tinymo_xdsl.row_stripes import write_region

logger = logging.getLogger(__name__)

Chains = Literal["sepconv", "any"]
Counted = Literal["copies", "planned"]


@dataclass(frozen=True, eq=False)
class SplitPlan:
    """What to split in one function, and what that is worth."""

    rows: RowProblem
    options: SearchOptions
    solution: Solution
    before: Cost
    after: Cost

    def describe(self) -> str:
        """What is split, or why nothing is, in one line."""
        if regions := self.solution.regions:
            return "; ".join(map(self._describe_region, regions))
        if self.options.spans is not None and not self.options.spans:
            return "there is no separable convolution"
        limit = self.options.peak_limit
        if limit is not None and self.before.peak <= limit:
            return f"the peak of {self.before.peak:,} bytes is within {limit:,} bytes already"
        stripes = "no stripes lower" if self.options.stripes is None else f"{self.options.stripes} stripes do not lower"
        percent = f"{100 * self.options.maximum_extra_macs:g} %"
        return f"{stripes} the peak by more than they cost within {percent} more multiply-accumulates"

    def _describe_region(self, region: Region) -> str:
        first, last = (self.rows.problem.layers[layer].name for layer in (region.first, region.last))
        return f"{region.stripes} stripes from '{first}' to '{last}'"


def plan_stripes(
    function: FuncOp, chains: Chains, options: SearchOptions, library: KernelLibrary = KernelLibrary.REFERENCE
) -> SplitPlan:
    """
    The stripes that lower the peak of `function` most, or that keep to a limit with the least work.

    `library`: whose kernels an arena plan is for, where that is what counts.
    """
    rows = row_problem(function, library)
    options = _with_spans(rows, chains, options)
    return _split_plan(rows, options, search_stripes(rows.problem, options))


def best_stripes(
    function: FuncOp,
    chains: Chains,
    options: SearchOptions,
    count: int,
    library: KernelLibrary = KernelLibrary.REFERENCE,
) -> list[SplitPlan]:
    """
    Up to `count` different plans in stripes, the most promising first: only an arena plan tells which one is the best.

    If nothing is worth it, that is the one plan. As `plan_stripes` otherwise. `apply_stripes` carries one out.
    """
    rows = row_problem(function, library)
    options = _with_spans(rows, chains, options)
    solutions = finalists(rows.problem, options, count) or [Solution()]
    return [_split_plan(rows, options, solution) for solution in solutions]


def _with_spans(rows: RowProblem, chains: Chains, options: SearchOptions) -> SearchOptions:
    return replace(options, spans=separable_chains(rows)) if chains == "sepconv" else options


def _split_plan(rows: RowProblem, options: SearchOptions, solution: Solution) -> SplitPlan:
    before, after = (evaluate(rows.problem, which, options.accounting) for which in (Solution(), solution))
    return SplitPlan(rows, options, solution, before, after)


@dataclass
class RunRegionsInStripes(RewritePattern):
    """Replaces the kernels of each planned region by their stripes."""

    function: FuncOp
    rows: RowProblem
    solution: Solution

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: FuncOp, rewriter: PatternRewriter) -> None:
        """The stripes stand where the last kernel of their region stood."""
        if op is not self.function:
            return
        # From the last to the first: what an earlier region yields is then replaced in the stripes of a later one too.
        for region in reversed(self.solution.regions):
            self._replace(region, rewriter)

    def write(self, region: Region, emitter: Emitter) -> SSAValue:
        """The ops of the region, and the value that takes the place of its last kernel's result."""
        return write_region(self.rows, region, emitter)

    def _replace(self, region: Region, rewriter: PatternRewriter) -> None:
        kernels = self.rows.kernels[region.first : region.last + 1]
        root = kernels[-1].root
        joined = self.write(region, Emitter(lambda op: rewriter.insert(op, InsertPoint.before(root))))
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
    """Run each region in this many stripes, 2 or more; without it, the number is chosen."""

    max_overhead: float = 10.0
    """Extra multiply-accumulates that are allowed, in percent of the model's."""

    ram: int | str | None = None
    """Split only what brings the peak down to this many bytes (65536, 64K); without it, as far down as it pays."""

    accounting: Counted = "copies"
    """The peak of a file without an arena plan, every tensor a copy, or of one with a plan that shares what it can."""

    def __post_init__(self) -> None:
        """Raises `ValueError` for values that make no sense."""
        if self.stripes is not None and self.stripes < 2:
            raise ValueError(f"stripes is {self.stripes}, but must be 2 or more")
        if not 0 <= self.max_overhead < inf:
            raise ValueError(f"max-overhead is {self.max_overhead:g}, but must be 0 or more percent")
        if self.ram is not None:
            parse_size(self.ram)

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Splits the function that applications call; other subgraphs stay as they are."""
        if any(isinstance(inner, tinymo.KernelOp) for inner in op.walk()):
            raise PassFailedException("split-sepconv runs on level 1: put it before form-kernels")
        for function in list(functions(op))[:1]:
            plan = split_function(op, function, self.chains, self.search_options)
            logger.info("%s: @%s: %s", self.name, function.sym_name.data, _outcome(plan))

    @property
    def search_options(self) -> SearchOptions:
        """What the planner is asked for."""
        limit = None if self.ram is None else parse_size(self.ram)
        is_planned = self.accounting == "planned"
        return SearchOptions(
            peak_limit=limit,
            maximum_extra_macs=self.max_overhead / 100,
            accounting=Accounting.PLANNED if is_planned else Accounting.COPIES,
            bytes_per_operator=None if is_planned else SearchOptions.bytes_per_operator,
            stripes=self.stripes,
        )


def split_function(module: ModuleOp, function: FuncOp, chains: Chains, options: SearchOptions) -> SplitPlan:
    """Plans and applies; the plan says what came of it."""
    plan = plan_stripes(function, chains, options)
    if plan.solution.regions:
        _run_regions(module, function, plan.rows, plan.solution)
    return plan


def apply_stripes(module: ModuleOp, function: FuncOp, solution: Solution) -> None:
    """Carries out what was planned for `function`, a function of `module`, or for another one that is just like it."""
    _run_regions(module, function, row_problem(function), solution)


def _run_regions(module: ModuleOp, function: FuncOp, rows: RowProblem, solution: Solution) -> None:
    pattern = RunRegionsInStripes(function, rows, solution)
    PatternRewriteWalker(pattern, apply_recursively=False).rewrite_module(module)


def _outcome(plan: SplitPlan) -> str:
    if not plan.solution.regions:
        return f"left alone: {plan.describe()}"
    return f"{plan.describe()}; the peak falls from {plan.before.peak:,} to {plan.after.peak:,} bytes"
