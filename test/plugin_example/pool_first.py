"""
`example-pool-first`: a clamp behind a pooling reads less than one in front of it.

The largest of clamped numbers is the largest number, clamped.
"""

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, PatternRewriteWalker, RewritePattern, op_type_rewrite_pattern
from xdsl.universe import Universe

from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.facts import has_tensor_facts


class PoolBeforeClamp(RewritePattern):
    """Swaps a clamp that is a tensor of its own and the pooling that alone reads it."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, pool: tosa.MaxPool2DOp, rewriter: PatternRewriter) -> None:
        clamp, result = pool.input.owner, pool.output.type
        if not isinstance(clamp, tosa.ClampOp) or clamp.nan_mode != pool.nan_mode or not pool.input.has_one_use():
            return
        if not has_tensor_facts(clamp.input) or not has_tensor_facts(pool.output):
            return
        pooled = tosa.MaxPool2DOp.create(operands=[clamp.input], result_types=[result], properties=pool.properties)
        clamped = tosa.ClampOp.create(
            operands=[pooled.output], result_types=[result], properties=clamp.properties, attributes=pool.attributes
        )
        rewriter.replace(pool, [pooled, clamped])
        rewriter.erase(clamp)


@dataclass(frozen=True)
class PoolFirstPass(ModulePass):
    """Clamp behind a pooling, where there is less to clamp."""

    name = "example-pool-first"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Looks at every pooling of the module once."""
        PatternRewriteWalker(PoolBeforeClamp(), apply_recursively=False).rewrite_module(op)


UNIVERSE = Universe(all_passes={PoolFirstPass.name: lambda: PoolFirstPass})
