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
calls by themselves and stay as they are. Where kernels share ops between tensors, as `cse` leaves them, each gets its
own: what they yield is never in memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.traits import is_side_effect_free

from tinymo_xdsl.analysis.kernels import Kernel, functions, kernels_of, states_facts
from tinymo_xdsl.analysis.liveness import is_variable
from tinymo_xdsl.dialects import tinymo
from tinymo_xdsl.facts import has_tensor_facts


def is_kernel_already(kernel: Kernel) -> bool:
    """Whether an op stands for itself at level 2."""
    root = kernel.root
    return root.name.startswith("tinymo.") or any(map(is_variable, kernel.results))


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


def unshare(function: FuncOp) -> None:
    """Gives each kernel its own of the ops between tensors that several kernels read."""
    while (shared := _shared_ops(function)) is not None:
        ops, readers = shared
        for users in readers[1:]:
            _copy_for(ops, users)


def _shared_ops(function: FuncOp) -> tuple[Sequence[Operation], list[list[Operation]]] | None:
    """Ops that yield no tensor and that several kernels read, and who reads them in each of the kernels."""
    kernels = kernels_of(function) if states_facts(function) else []
    number_of = {op: number for number, kernel in enumerate(kernels) for op in kernel.ops}
    for kernel in reversed(kernels):
        users = dict.fromkeys(use.operation for value in kernel.outputs for use in value.uses)
        in_memory = is_kernel_already(kernel) or any(map(has_tensor_facts, kernel.outputs))
        if in_memory or not all(user in number_of for user in users) or not all(map(is_side_effect_free, kernel.ops)):
            continue
        groups = {number: [user for user in users if number_of[user] == number] for number in map(number_of.get, users)}
        if len(groups) > 1:
            return kernel.ops, list(groups.values())
    return None


def _copy_for(ops: Sequence[Operation], users: Sequence[Operation]) -> None:
    block = users[0].parent_block()
    assert block is not None
    first = next(op for op in block.ops if op in users)
    copies: dict[SSAValue, SSAValue] = {}
    for op in ops:
        block.insert_op_before(op.clone(copies), first)
    for user in users:
        user.operands = [copies.get(operand, operand) for operand in user.operands]


@dataclass(frozen=True)
class FormKernelsPass(ModulePass):
    """Group the ops of each call at run time into a tinymo.kernel."""

    name: ClassVar[str] = "form-kernels"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Forms the kernels of every function."""
        for function in functions(op):
            unshare(function)
            for kernel in kernels_of(function):
                if not is_kernel_already(kernel):
                    form_kernel(kernel)
