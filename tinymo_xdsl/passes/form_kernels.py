"""
`form-kernels`: from level 1 to level 2.

Groups the ops that one call at run time computes into `tinymo.kernel`, so that every value between kernels is a tensor
in memory. Which ops belong together is decided by `analysis.kernels`.

```mlir
%acc = tosa.conv2d %x, ...                         %y = tinymo.kernel -> tensor<1x8x8x4xi8> {
%y = tosa.rescale %acc, ... {tinymo.tensor = ...}    %acc = tosa.conv2d %x, ...
                                             =>      %0 = tosa.rescale %acc, ...
                                                     tinymo.yield %0
                                                   }
```

Constants stay outside, so that kernels share them. `tinymo.split`, `join`, `spill` and `reload`, and variables, are
calls by themselves and stay as they are.
"""

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation
from xdsl.passes import ModulePass

from tinymo_xdsl.analysis.kernels import Kernel, functions, kernels_of
from tinymo_xdsl.dialects import tinymo, tosa
from tinymo_xdsl.operators.custom import VARIABLE


def is_kernel_already(kernel: Kernel) -> bool:
    """Whether an op stands for itself at level 2."""
    root = kernel.root
    is_variable = isinstance(root, tosa.CustomOp) and root.operator_name.data == VARIABLE
    return is_variable or root.name.startswith("tinymo.")


def form_kernel(kernel: Kernel) -> tinymo.KernelOp:
    """Moves the ops of a level-1 kernel into a `tinymo.kernel` at the place of its root."""
    outside = [use for value in kernel.outputs for use in list(value.uses) if use.operation not in kernel.ops]
    op = tinymo.KernelOp(Block(), [value.type for value in kernel.outputs])
    block = kernel.root.parent_block()
    assert block is not None
    block.insert_op_before(op, kernel.root)
    _move_constants_before(op, kernel)
    for member in kernel.ops:
        member.detach()
        op.body.block.add_op(member)
    op.body.block.add_op(tinymo.YieldOp(kernel.outputs))
    for use in outside:
        number = kernel.outputs.index(use.operation.operands[use.index])
        use.operation.operands[use.index] = op.results[number]
    return op


def _move_constants_before(op: Operation, kernel: Kernel) -> None:
    """Several results are several ops: the constants of the later ones may stand behind the first."""
    if len(kernel.outputs) < 2:
        return
    block = op.parent_block()
    assert block is not None
    for constant in kernel.constants:
        assert isinstance(constant.owner, Operation)
        if op.is_before_in_block(constant.owner):
            constant.owner.detach()
            block.insert_op_before(constant.owner, op)


@dataclass(frozen=True)
class FormKernelsPass(ModulePass):
    """Group the ops of each call at run time into a tinymo.kernel."""

    name: ClassVar[str] = "form-kernels"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Forms the kernels of every function."""
        for function in functions(op):
            for kernel in kernels_of(function):
                if not is_kernel_already(kernel):
                    form_kernel(kernel)
