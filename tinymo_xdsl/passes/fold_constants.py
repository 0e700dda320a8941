"""
`fold-constants`: what moves the elements of a constant is done now, not at run time.

Reshapes, transposes, slices and pads of constants become constants, and so do casts that lose nothing, from half to
single precision, on request: weights then take twice the flash, but no RAM any more.

```mlir
%w = tosa.const 4x9                                    %k = tosa.const 2x2x9
%k = tosa.reshape %w, 2x2x9  {tinymo.tensor = ...} =>        {tinymo.tensor = ...}
```

The new constant has the facts of the result. Left alone: what a function returns, what is packed in bytes, such as
INT4, and ops that are part of an operator of the file. A reshape inside of one is done all the same, since the file
has weights in its own shape: if nothing else reads the constant, its facts stay with it.

Runs on level 1.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import DYNAMIC_INDEX, BFloat16Type, Float16Type, Float32Type, ModuleOp, TensorType
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, PatternRewriteWalker, RewritePattern
from xdsl.traits import IsTerminator

from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.dialects.tosa.base import element_type_of, shape_of
from tinymo_xdsl.facts import TENSOR_KEY, has_tensor_facts, tensor_facts
from tinymo_xdsl.numerics import dense
from tinymo_xdsl.numerics.dense import Array
from tinymo_xdsl.operators.base import constant_attribute


@dataclass(frozen=True)
class FoldConstant(RewritePattern):
    """Puts a constant in the place of an op that moves the elements of one."""

    casts: bool

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        """Constants that nothing reads any more go with the op."""
        if not op.operands or len(op.results) != 1 or not _is_free(op):
            return
        source, result = op.operands[0], op.results[0]
        array = _numbers(source)
        folded = None if array is None else self._folded(op, array)
        if folded is None:
            return
        constant = tosa.ConstOp(dense.from_numpy(folded, element_type_of(result)))
        facts = _facts(source) if _facts(result) is None else _facts(result)
        if facts is not None:
            constant.attributes[TENSOR_KEY] = facts
        read = list(op.operands)
        rewriter.replace(op, [constant], [constant.output])
        for owner in dict.fromkeys(value.owner for value in read):
            if isinstance(owner, tosa.ConstOp | tosa.ConstShapeOp) and not owner.output.uses:
                rewriter.erase(owner)

    def _folded(self, op: Operation, array: Array) -> Array | None:
        """The numbers that `op` makes of `array`; `None` for ops that are not for this pass."""
        match op:
            case tosa.ReshapeOp():
                return array.reshape(shape_of(op.output))
            case tosa.TransposeOp():
                return array.transpose(op.perms.get_values())
            case tosa.SliceOp():
                return _slice(op, array)
            case tosa.PadOp():
                return _pad(op, array)
            case tosa.CastOp() if self.casts and _loses_nothing(op):
                return array.astype(np.float32)
            case _:
                return None


def _numbers(value: SSAValue) -> Array | None:
    """The numbers of a constant; `None` where they are packed in bytes, or numpy has no type for them."""
    attribute, facts = constant_attribute(value), tensor_facts(value)
    if attribute is None or (facts is not None and facts.dtype is not None):
        return None
    return None if isinstance(attribute.get_element_type(), BFloat16Type) else dense.to_numpy(attribute)


def _facts(value: SSAValue) -> Attribute | None:
    return value.owner.attributes.get(TENSOR_KEY) if isinstance(value.owner, Operation) else None


def _is_free(op: Operation) -> bool:
    """Whether `op` is no part of an operator, nor yields what must be computed."""
    source, result = op.operands[0], op.results[0]
    if not isinstance(result.type, TensorType) or DYNAMIC_INDEX in result.type.get_shape():
        return False
    if any(use.operation.has_trait(IsTerminator) for use in result.uses):
        return False
    if has_tensor_facts(result) or not has_tensor_facts(source):
        return True
    return isinstance(op, tosa.ReshapeOp) and source.has_one_use()


def _slice(op: tosa.SliceOp, array: Array) -> Array | None:
    start, size = tosa.constant_shape(op.start), tosa.constant_shape(op.size)
    if start is None or size is None:
        return None
    return array[tuple(slice(low, low + extent) for low, extent in zip(start, size, strict=True))]


def _pad(op: tosa.PadOp, array: Array) -> Array | None:
    pads, filler = tosa.constant_shape(op.padding), _numbers(op.pad_const)
    if pads is None or filler is None:
        return None
    return np.pad(array, list(zip(pads[::2], pads[1::2], strict=True)), constant_values=filler.item())


def _loses_nothing(op: tosa.CastOp) -> bool:
    return isinstance(element_type_of(op.input), Float16Type) and isinstance(element_type_of(op.output), Float32Type)


@dataclass(frozen=True)
class FoldConstantsPass(ModulePass):
    """Do at compile time what moves the elements of constants."""

    name: ClassVar[str] = "fold-constants"

    casts: bool = False
    """Write weights of half precision in single precision: no RAM for them any more, but twice the flash."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Folds chains of ops from their constant on."""
        PatternRewriteWalker(FoldConstant(self.casts)).rewrite_module(op)
