"""
`legalize-for-tflite`: makes each kernel exactly one operator of a `.tflite` file.

Runs on level 2, after `form-kernels`. Three things have no operator of their own:

- `tinymo.split` becomes one SLICE for each window, at its place.
- `tinymo.join` becomes CONCATENATION. TFLite Micro takes 10 inputs at most, so more parts are joined in two steps.
- A convolution whose pads are neither SAME nor VALID for its input becomes PAD and a VALID convolution.

```mlir
%a, %b = tinymo.split %x             %a = tinymo.kernel { tosa.slice %x, ... }
  {axis = 1, windows = [...]}   =>   %b = tinymo.kernel { tosa.slice %x, ... }
```

The order of kernels, and so the schedule, stays. `tinymo.spill` and `tinymo.reload` stay too: they are custom operators
of the file. Whether a kernel is an operator at all is for the backend to say.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, TensorType, i32
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, PatternRewriteWalker, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint
from xdsl.utils.exceptions import PassFailedException

from tinymo_xdsl.analysis.kernels import functions, is_constant, kernels_of
from tinymo_xdsl.analysis.rows import WindowOp, shape_of, window_shape
from tinymo_xdsl.dialects import tinymo, tosa
from tinymo_xdsl.dialects.tosa.base import ints
from tinymo_xdsl.facts import OperatorFacts, TensorFacts, name_of, set_operator_facts, set_tensor_facts, tensor_facts
from tinymo_xdsl.numerics import dense
from tinymo_xdsl.operators.base import Emitter, NotExactError
from tinymo_xdsl.operators.windows import cut_unread, grid_of, pads_attribute, whole_image_padding
from tinymo_xdsl.passes.form_kernels import is_kernel_already

MAXIMUM_CONCATENATED = 10
"""Inputs that CONCATENATION of TFLite Micro takes (`kMaxInputNum`)."""


def facts_or_none(value: SSAValue, suffix: str) -> TensorFacts | None:
    """Facts for a new tensor that holds numbers of the same meaning as `value`, if that states any."""
    facts = tensor_facts(value)
    return None if facts is None else facts.renamed(f"{facts.name}/{suffix}")


def build_kernel(
    build: Callable[[Emitter], Operation], facts: TensorFacts | None, operator: OperatorFacts | None = None
) -> tuple[list[Operation], tinymo.KernelOp]:
    """A kernel around the op that `build` makes, and the constants that go in front of it."""
    emitted: list[Operation] = []
    op = build(Emitter(emitted.append))
    if facts is not None:
        set_tensor_facts(op, facts)
    if operator is not None:
        set_operator_facts(op, operator)
    constants = [entry for entry in emitted if any(map(is_constant, entry.results))]
    body = Block([entry for entry in emitted if entry not in constants])
    if op not in emitted:
        body.add_op(op)
    kernel = tinymo.KernelOp(body, op.result_types)
    body.add_op(tinymo.YieldOp(op.results))
    return constants, kernel


class SlicesForSplit(RewritePattern):
    """Replaces a split by a SLICE for each window."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tinymo.SplitOp, rewriter: PatternRewriter) -> None:
        """Window by window, in order, at the split's place."""
        axis, rank = op.axis.value.data, len(shape_of(op.source))
        kernels: list[tinymo.KernelOp] = []
        new_ops: list[Operation] = []
        for (low, high), part in zip(op.ranges, op.parts, strict=True):
            start = tuple(low if i == axis else 0 for i in range(rank))
            facts = tensor_facts(part) or facts_or_none(op.source, f"{low}_{high}")
            constants, kernel = build_kernel(_slice(op.source, start, shape_of(part)), facts, _quantized_v2(part))
            new_ops += [*constants, kernel]
            kernels.append(kernel)
        rewriter.replace(op, new_ops, [kernel.results[0] for kernel in kernels])


def _slice(source: SSAValue, start: Sequence[int], size: Sequence[int]) -> Callable[[Emitter], Operation]:
    return lambda emitter: emitter.emit(tosa.SliceOp(source, emitter.shape(start), emitter.shape(size)))


def _quantized_v2(value: SSAValue) -> OperatorFacts | None:
    """SLICE, PAD and CONCATENATION take 8-bit and 16-bit integers from version 2 on."""
    element = value.type.element_type if isinstance(value.type, TensorType) else None
    is_narrow = (
        element is not None and dense.numpy_dtype(element).kind in "iu" and dense.numpy_dtype(element).itemsize < 4
    )
    return OperatorFacts(version=2) if is_narrow else None


class ConcatenationsForJoin(RewritePattern):
    """Replaces a join by a CONCATENATION, or by several of at most ten inputs each and one of their results."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tinymo.JoinOp, rewriter: PatternRewriter) -> None:
        """Parts are joined from left to right."""
        axis, parts = op.axis.value.data, list(op.parts)
        new_ops: list[Operation] = []
        level = 0
        while len(parts) > MAXIMUM_CONCATENATED:
            joined: list[SSAValue] = []
            for number, first in enumerate(range(0, len(parts), MAXIMUM_CONCATENATED)):
                group = parts[first : first + MAXIMUM_CONCATENATED]
                if len(group) == 1:
                    joined += group
                    continue
                facts = facts_or_none(op.result, f"join_{level}_{number}")
                new_ops += (built := _concatenation(group, axis, facts))
                joined.append(built[-1].results[0])
            parts, level = joined, level + 1
        new_ops += _concatenation(parts, axis, tensor_facts(op.result) or facts_or_none(parts[0], "joined"))
        rewriter.replace(op, new_ops, [new_ops[-1].results[0]])


def _concatenation(parts: Sequence[SSAValue], axis: int, facts: TensorFacts | None) -> list[Operation]:
    extent = sum(shape_of(part)[axis] for part in parts)
    type_ = tinymo.resized(cast(TensorType, parts[0].type), axis, extent)
    concat = tosa.ConcatOp(parts, IntegerAttr(axis, i32), type_)
    constants, kernel = build_kernel(lambda emitter: emitter.emit(concat), facts, _quantized_v2(parts[0]))
    return [*constants, kernel]


class PadBeforeConvolution(RewritePattern):
    """Puts an explicit PAD in front of a convolution whose pads are neither SAME nor VALID."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tinymo.KernelOp, rewriter: PatternRewriter) -> None:
        """The pads hold the zero point of the input, as TOSA's own do."""
        window = next((inner for inner in op.body.block.ops if isinstance(inner, WindowOp)), None)
        if window is None or _is_expressible(window):
            return
        if not isinstance(window, tosa.Conv2DOp | tosa.DepthwiseConv2DOp):
            raise PassFailedException(
                f"'{name_of(op.results[0])}': pads {list(pads_attribute(window))} of a pool are neither SAME nor VALID"
            )
        image = _whole_image(window)
        facts = tensor_facts(image)
        padded = None if facts is None else facts.renamed(f"{name_of(op.results[0])}/padded")
        constants, pad = _pad_kernel(image, window.input_zp, pads_attribute(window), padded)
        rewriter.insert([*constants, pad], InsertPoint.before(op))
        _use_padded(window, pad.results[0], op, rewriter)
        rewriter.notify_op_modified(op)


def _is_expressible(window: WindowOp) -> bool:
    kernel, stride, dilation = window_shape(window)
    grid = grid_of(shape_of(window.input), kernel, stride, dilation)
    try:
        whole_image_padding(shape_of(_whole_image(window)), pads_attribute(window), grid)
    except NotExactError:
        return False
    return True


def _whole_image(window: WindowOp) -> SSAValue:
    """What the window op reads before rows that no window reads are cut off."""
    source = window.input
    inside = source.owner if isinstance(source.owner, tosa.SliceOp) else None
    return inside.input1 if inside is not None and inside.parent_op() is window.parent_op() else source


def _pad_kernel(
    image: SSAValue, zero_point: SSAValue, pads: Sequence[int], facts: TensorFacts | None
) -> tuple[list[Operation], tinymo.KernelOp]:
    top, bottom, left, right = pads
    flat = (0, 0, top, bottom, left, right, 0, 0)

    def build(emitter: Emitter) -> Operation:
        return emitter.emit(tosa.PadOp(image, emitter.shape(flat), zero_point))

    return build_kernel(build, facts, _quantized_v2(image))


def _use_padded(
    window: tosa.Conv2DOp | tosa.DepthwiseConv2DOp,
    padded: SSAValue,
    kernel: tinymo.KernelOp,
    rewriter: PatternRewriter,
) -> None:
    """Runs the window over the padded image, from which rows that no window reads are cut off once more."""
    emitted: list[Operation] = []
    shape, stride, dilation = window_shape(window)
    old_cut = window.input.owner
    source, pads = cut_unread(
        Emitter(emitted.append), padded, grid_of(shape_of(padded), shape, stride, dilation), (0, 0, 0, 0)
    )
    for op in emitted:
        target = window if isinstance(op, tosa.SliceOp) else kernel
        block = target.parent_block()
        assert block is not None
        block.insert_op_before(op, target)
    window.operands[0] = source
    window.pad = ints(pads)
    if isinstance(old_cut, tosa.SliceOp) and not old_cut.output.uses:
        rewriter.erase(old_cut)


@dataclass(frozen=True)
class LegalizeForTflitePass(ModulePass):
    """Make each kernel exactly one operator of a .tflite file."""

    name: ClassVar[str] = "legalize-for-tflite"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Legalises every function; each pattern makes the next one's business."""
        for function in functions(op):
            loose = next((kernel for kernel in kernels_of(function) if not is_kernel_already(kernel)), None)
            if loose is not None:
                raise PassFailedException(
                    f"'{loose.root.name}' stands outside of a tinymo.kernel: run form-kernels first"
                )
        for pattern in (SlicesForSplit(), ConcatenationsForJoin(), PadBeforeConvolution()):
            PatternRewriteWalker(pattern, apply_recursively=False).rewrite_module(op)
