"""
`fold-pad`: an explicit PAD in front of a convolution becomes the convolution's own pads.

A padded copy of a tensor nearly doubles the memory around a convolution. TOSA's pads cost nothing, and neither does
SAME padding in a `.tflite`; where the folded pads are not SAME there, `legalize-for-tflite` puts the PAD back.

```mlir
%p = tosa.pad %x, ... rows 1 and 1, columns 1 and 1
%y = tosa.conv2d %p, ... {pad = 0, 0, 0, 0}           =>   %y = tosa.conv2d %x, ... {pad = 1, 1, 1, 1}
```

A PAD of nothing is dropped. Left alone: pads that hold anything but the convolution's input zero point, pads of other
axes, pads that anything but convolutions reads, pads that change the scale, a padded tensor that the function returns,
and pads of a variable, which may have changed when the convolution runs.

Runs on level 1: a kernel reads whole tensors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, PatternRewriteWalker, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from tinymo_xdsl.analysis.rows import shape_of, window_shape
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.dialects.tosa.base import ints
from tinymo_xdsl.dialects.tosa.canonicalization import DropPad
from tinymo_xdsl.facts import has_tensor_facts, tensor_facts
from tinymo_xdsl.numerics import dense
from tinymo_xdsl.operators.base import Emitter, constant_attribute
from tinymo_xdsl.operators.windows import cut_unread, grid_of, pads_attribute, read_part

Convolution = tosa.Conv2DOp | tosa.DepthwiseConv2DOp


def image_pads(pad: tosa.PadOp) -> tuple[int, int, int, int] | None:
    """Pads (top, bottom, left, right) of an op that pads the rows and columns of an image and nothing else."""
    pads = tosa.constant_shape(pad.padding)
    if pads is None or len(pads) != 8 or any(pads[:2]) or any(pads[6:]):
        return None
    return (pads[2], pads[3], pads[4], pads[5])


def same_number(first: SSAValue, second: SSAValue) -> bool:
    """Whether two constants of one element are equal."""
    mine, theirs = constant_attribute(first), constant_attribute(second)
    return mine is not None and theirs is not None and np.array_equal(dense.to_numpy(mine), dense.to_numpy(theirs))


def convolutions_of(pad: tosa.PadOp) -> list[Convolution] | None:
    """The convolutions that read a padded image, directly or cut to what they read; `None` if anything else does."""
    found: list[Convolution] = []
    cuts = [use.operation for use in pad.output.uses if isinstance(use.operation, tosa.SliceOp)]
    for image in (pad.output, *(cut.output for cut in cuts)):
        for reader in (use.operation for use in image.uses if use.operation not in cuts):
            if not isinstance(reader, Convolution) or reader.input is not image:
                return None
            if not same_number(reader.input_zp, pad.pad_const) or not reads_all(image, reader):
                return None
            found.append(reader)
    return found


def reads_all(image: SSAValue, reader: Convolution) -> bool:
    """Whether a slice that yields `image`, no tensor by itself, takes off just what no window reads."""
    cut = image.owner
    if not isinstance(cut, tosa.SliceOp):
        return True
    start = tosa.constant_shape(cut.start)
    if start is None or any(start) or has_tensor_facts(cut.output):
        return False
    whole, pads = shape_of(cut.input1), pads_attribute(reader)
    return read_part(whole, grid_of(whole, *window_shape(reader)), pads) == (shape_of(cut.output), list(pads))


def keeps_meaning(pad: tosa.PadOp) -> bool:
    """Whether a convolution may read the unpadded image later on: its numbers mean the same, and stay."""
    before, after = tensor_facts(pad.input1), tensor_facts(pad.output)
    if tosa.may_change(pad.input1):
        return False
    return before is None or after is None or (before.scale, before.zero_point) == (after.scale, after.zero_point)


class FoldPadIntoConvolution(RewritePattern):
    """Makes an explicit pad the pads of the convolutions that read it."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tosa.PadOp, rewriter: PatternRewriter) -> None:
        """Pads that no window reads are dropped on the way, as TOSA wants it."""
        pads, readers = image_pads(op), convolutions_of(op)
        if pads is None or not readers or not keeps_meaning(op):
            return
        for reader in readers:
            fold(op, pads, reader, rewriter)
        if not op.output.uses:
            rewriter.erase(op)


def fold(pad: tosa.PadOp, pads: Sequence[int], reader: Convolution, rewriter: PatternRewriter) -> None:
    """Lets `reader` run over the unpadded image."""
    old_cut = reader.input.owner
    total = [outer + inner for outer, inner in zip(pads, pads_attribute(reader), strict=True)]
    emitter = Emitter(lambda op: rewriter.insert(op, InsertPoint.before(reader)))
    grid = grid_of(shape_of(pad.input1), *window_shape(reader))
    source, rest = cut_unread(emitter, pad.input1, grid, total)
    reader.operands[0] = source
    reader.pad = ints(rest)
    rewriter.notify_op_modified(reader)
    if isinstance(old_cut, tosa.SliceOp) and not old_cut.output.uses:
        rewriter.erase(old_cut)


@dataclass(frozen=True)
class FoldPadPass(ModulePass):
    """Fold explicit PADs into the convolutions that read them."""

    name: ClassVar[str] = "fold-pad"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Drops PADs of nothing first, for what stands behind them."""
        for pattern in (DropPad(), FoldPadIntoConvolution()):
            PatternRewriteWalker(pattern, apply_recursively=False).rewrite_module(op)
