"""A plug-in without packaging: one pass that writes its options on the module, and one that breaks it."""

from dataclasses import dataclass
from typing import Literal

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, PatternRewriteWalker, RewritePattern
from xdsl.universe import Universe
from xdsl.utils.exceptions import PassFailedException


@dataclass(frozen=True)
class StampPass(ModulePass):
    """
    Writes its options on the module.

    A pass for tests.
    """

    name = "stamp"

    min_gap: int = 1
    """The smallest gap, in operators."""
    ratio: float = 0.5
    sizes: tuple[int, ...] = ()
    memory: str | None = None
    order: Literal["size", "time"] = "size"
    verbose: bool = False

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        text = f"{self.min_gap} {self.ratio} {self.sizes} {self.memory} {self.order} {self.verbose}"
        op.attributes["stamp"] = StringAttr(text)


class CrashPattern(RewritePattern):
    """Has a mistake that nobody foresaw."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        raise KeyError("lost")


@dataclass(frozen=True)
class FailPass(ModulePass):
    """Fails, or leaves a module that does not verify."""

    name = "fail"

    how: Literal["refuse", "break", "crash"]

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.how == "refuse":
            raise PassFailedException("the module is not to its taste")
        if self.how == "crash":
            PatternRewriteWalker(CrashPattern()).rewrite_module(op)
        for nested in op.walk():
            nested.properties.pop("value", None)


UNIVERSE = Universe(all_passes={"stamp": lambda: StampPass, "fail": lambda: FailPass})
