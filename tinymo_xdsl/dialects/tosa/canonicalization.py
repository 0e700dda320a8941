"""
Patterns that xDSL's `canonicalize` runs on TOSA ops: what does nothing goes, what moves elements twice does it once.

A value with TFLite facts is a tensor of the file (see `facts`), and an op between two of them is an operator. The
patterns take whole operators away and never a part of one, keep what a function returns, and let a tensor stand for
another one only where both mean the same numbers. A variable changes, so who reads a copy of it goes on doing so.
"""

from collections.abc import Mapping
from math import inf
from types import MappingProxyType
from typing import Final

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    DenseArrayBase,
    FloatAttr,
    IntegerAttr,
    IntegerType,
    Signedness,
    TensorType,
    i32,
)
from xdsl.dialects.func import FuncOp
from xdsl.dialects.tosa import ClampOp, NanMode
from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint
from xdsl.traits import IsTerminator

from tinymo_xdsl.dialects.tosa.custom import may_change
from tinymo_xdsl.dialects.tosa.data_layout import IdentityOp, PadOp, ReshapeOp, SliceOp, TransposeOp
from tinymo_xdsl.dialects.tosa.shape_ops import ConstShapeOp, constant_shape
from tinymo_xdsl.facts import has_tensor_facts, move_facts, tensor_facts


def drop(op: Operation, rewriter: PatternRewriter) -> None:
    """Puts the first operand of `op`, which does nothing, in the place of its result, if no tensor is lost by it."""
    source, result = op.operands[0], op.results[0]
    owner = source.owner
    if _is_needed(result) or may_change(source):
        return
    if not has_tensor_facts(result) or _mean_the_same(source, result):
        rewriter.replace(op, [], [source])
    elif isinstance(owner, Operation) and not has_tensor_facts(source) and _is_all_for(source, op):
        move_facts(op, owner)
        rewriter.replace(op, [], [source])


def _is_needed(value: SSAValue) -> bool:
    """Whether a function returns this very tensor, or an op with a region must hold what yields it."""
    enders = [use.operation for use in value.uses if use.operation.has_trait(IsTerminator)]
    return any(has_tensor_facts(value) or not isinstance(op.parent_op(), FuncOp) for op in enders)


def _mean_the_same(source: SSAValue, result: SSAValue) -> bool:
    """Whether two tensors of the file store their numbers in the same way."""
    ours, theirs = tensor_facts(source), tensor_facts(result)
    if ours is None or theirs is None:
        return False
    return (ours.scale, ours.zero_point, ours.dtype) == (theirs.scale, theirs.zero_point, theirs.dtype)


def _is_all_for(value: SSAValue, user: Operation) -> bool:
    """Whether `value` is the only result of its op, and nothing but `user` reads it."""
    owner = value.owner
    return isinstance(owner, Operation) and len(owner.results) == 1 and {use.operation for use in value.uses} == {user}


def may_merge(inner: Operation, outer: Operation) -> bool:
    """
    Whether `outer` may read what `inner`, an op before it, reads.

    Nothing else reads the tensor between them, and if that is one of the file, both are operators by themselves.
    """
    source, middle = inner.operands[0], inner.results[0]
    if not _is_all_for(middle, outer) or may_change(source):
        return False
    return not has_tensor_facts(middle) or (has_tensor_facts(source) and has_tensor_facts(outer.results[0]))


def _is_unchanged(op: Operation) -> bool:
    """Whether the result has the sizes of the first operand, all of them known."""
    type_ = op.operands[0].type
    return type_ == op.results[0].type and isinstance(type_, TensorType) and DYNAMIC_INDEX not in type_.get_shape()


class DropIdentity(RewritePattern):
    """Drops `tosa.identity`."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: IdentityOp, rewriter: PatternRewriter) -> None:
        drop(op, rewriter)


class DropReshape(RewritePattern):
    """Drops a reshape to the same shape."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReshapeOp, rewriter: PatternRewriter) -> None:
        if _is_unchanged(op):
            drop(op, rewriter)


class DropSlice(RewritePattern):
    """Drops a slice of everything."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: SliceOp, rewriter: PatternRewriter) -> None:
        if _is_unchanged(op):
            drop(op, rewriter)


class DropPad(RewritePattern):
    """Drops a pad whose sizes are all zero."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: PadOp, rewriter: PatternRewriter) -> None:
        if _is_unchanged(op):
            drop(op, rewriter)


class DropTranspose(RewritePattern):
    """Drops a transpose that leaves every dimension in its place."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: TransposeOp, rewriter: PatternRewriter) -> None:
        perms = op.perms.get_values()
        if perms == tuple(range(len(perms))):
            drop(op, rewriter)


class DropClamp(RewritePattern):
    """Drops a clamp to the bounds of its type. NaN passes a clamp of floats unless `nan_mode` says otherwise."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ClampOp, rewriter: PatternRewriter) -> None:
        low, high = op.min_val, op.max_val
        if isinstance(low, IntegerAttr) and isinstance(high, IntegerAttr) and isinstance(low.type, IntegerType):
            least, most = _bounds(low.type)
            does_nothing = low.value.data <= least and high.value.data >= most
        else:
            keeps_nan = op.nan_mode.data is NanMode.PROPAGATE
            does_nothing = keeps_nan and _number(low) == -inf and _number(high) == inf
        if does_nothing:
            drop(op, rewriter)


def _bounds(element: IntegerType) -> tuple[int, int]:
    if element.signedness.data is Signedness.UNSIGNED:
        return 0, (1 << element.width.data) - 1
    half = 1 << (element.width.data - 1)
    return -half, half - 1


def _number(bound: object) -> float | None:
    return bound.value.data if isinstance(bound, FloatAttr) else None


class MergeReshapes(RewritePattern):
    """A reshape of a reshape reads what the first one reads."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReshapeOp, rewriter: PatternRewriter) -> None:
        inner = op.input1.owner
        if isinstance(inner, ReshapeOp) and may_merge(inner, op):
            op.operands[0] = inner.input1
            rewriter.notify_op_modified(op)


class MergeTransposes(RewritePattern):
    """A transpose of a transpose becomes one."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: TransposeOp, rewriter: PatternRewriter) -> None:
        inner = op.input1.owner
        if isinstance(inner, TransposeOp) and may_merge(inner, op):
            first = inner.perms.get_values()
            op.perms = DenseArrayBase.from_list(i32, [first[dimension] for dimension in op.perms.get_values()])
            op.operands[0] = inner.input1
            rewriter.notify_op_modified(op)


class MergeSlices(RewritePattern):
    """A slice of a slice begins where both starts add up to."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: SliceOp, rewriter: PatternRewriter) -> None:
        inner = op.input1.owner
        if not isinstance(inner, SliceOp) or not may_merge(inner, op):
            return
        first, second = constant_shape(inner.start), constant_shape(op.start)
        if first is None or second is None:
            return
        start = ConstShapeOp([one + other for one, other in zip(first, second, strict=True)])
        rewriter.insert(start, InsertPoint.before(op))
        op.operands[0] = inner.input1
        op.operands[1] = start.output
        rewriter.notify_op_modified(op)


PATTERNS: Final[Mapping[type[Operation], tuple[RewritePattern, ...]]] = MappingProxyType(
    {
        ClampOp: (DropClamp(),),
        IdentityOp: (DropIdentity(),),
        PadOp: (DropPad(),),
        ReshapeOp: (DropReshape(), MergeReshapes()),
        SliceOp: (DropSlice(), MergeSlices()),
        TransposeOp: (DropTranspose(), MergeTransposes()),
    }
)
"""The patterns of each kind of op."""
