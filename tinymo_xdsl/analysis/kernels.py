"""
Which ops one call at run time computes.

A TFLite operator is several TOSA ops: a convolution, its rescale, its clamp. They form a kernel: only what the kernel
returns is ever in memory. A level-2 module says so with `tinymo.kernel`; in a level-1 module the kernels are found by
one rule: **a value without tensor facts belongs to the kernel of its user**, if that is one kernel. In a function that
states no facts at all, accumulators (integers wider than 16 bits) and values that only clamps read belong to it, the
rest is in memory.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xdsl.dialects import memref
from xdsl.dialects.builtin import IntegerType, ModuleOp, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.traits import IsTerminator

from tinymo_xdsl.dialects import tinymo, tosa
from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.facts import OPERATOR_KEY, TENSOR_KEY, has_tensor_facts, operator_facts


@dataclass(frozen=True, eq=False)
class Kernel:
    """One call at run time."""

    root: Operation
    """The op of the function's block that stands for the kernel; its place in the text is the schedule."""
    ops: tuple[Operation, ...]
    """What is computed, constants aside, in order."""
    inputs: tuple[SSAValue, ...]
    """The tensors in memory that are read, each once, in order of first use."""
    constants: tuple[SSAValue, ...]
    """The constants that are read, each once, in order of first use."""
    outputs: tuple[SSAValue, ...]
    """The tensors in memory that are written, as the function sees them."""
    results: tuple[SSAValue, ...]
    """The same values as the ops inside yield them; equal to `outputs` at level 1."""


def is_constant(value: SSAValue) -> bool:
    """Whether `value` is known at compile time, and so lies in flash."""
    return isinstance(value.owner, tosa.ConstOp | tosa.ConstShapeOp)


def functions(module: ModuleOp) -> Iterator[FuncOp]:
    """The functions of a module that have a body, in order: one for each subgraph."""
    return (op for op in module.ops if isinstance(op, FuncOp) and op.body.blocks)


def is_bufferized(function: FuncOp) -> bool:
    """Whether the tensors of `function` have become buffers."""
    ops = function.body.block.ops if function.body.blocks else ()
    return any(isinstance(op, memref.AllocOp | memref.ViewOp) for op in ops)


def kernels_of(function: FuncOp) -> list[Kernel]:
    """The kernels of `function` in the order of their execution. `BadModelError` if it works on buffers."""
    if is_bufferized(function):
        raise BadModelError(f"@{function.sym_name.data} works on buffers: this is possible before bufferize only")
    ops = [op for op in function.body.block.ops if not isinstance(op, tosa.ConstOp | tosa.ConstShapeOp)]
    if ops and ops[-1].has_trait(IsTerminator):
        ops.pop()
    roots = _roots(ops, states_facts(function))
    members: dict[Operation, list[Operation]] = {}
    for op in ops:
        members.setdefault(roots[op], []).append(op)
    groups = [(root, members[root]) for root in ops if root in members]
    return [_kernel(root, group) for root, group in _merge_results(groups)]


def states_facts(function: FuncOp) -> bool:
    """Whether any value of `function` states tensor facts."""
    if any(has_tensor_facts(argument) for argument in function.args):
        return True
    return any(TENSOR_KEY in op.attributes for op in function.walk())


def _roots(ops: Sequence[Operation], with_facts: bool) -> dict[Operation, Operation]:
    roots: dict[Operation, Operation] = {}
    for op in reversed(ops):
        users = {use.operation for result in op.results for use in result.uses}
        owners = {roots.get(user) for user in users}
        owner = owners.pop() if len(owners) == 1 else None
        if owner is None or _stands_alone(owner) or not _is_internal(op, users, with_facts):
            owner = op
        roots[op] = owner
    return roots


def _stands_alone(op: Operation) -> bool:
    return isinstance(op, tosa.CustomOp) or op.name.startswith("tinymo.")


def _is_internal(op: Operation, users: set[Operation], with_facts: bool) -> bool:
    if _stands_alone(op) or not op.results:
        return False
    if with_facts:
        return not any(has_tensor_facts(result) for result in op.results)
    is_clamped = all(isinstance(user, tosa.ClampOp) for user in users)
    return is_clamped or all(_is_accumulator(result) for result in op.results)


def _is_accumulator(value: SSAValue) -> bool:
    element = value.type.element_type if isinstance(value.type, TensorType) else None
    return isinstance(element, IntegerType) and element.width.data > 16


def _merge_results(groups: Sequence[tuple[Operation, list[Operation]]]) -> list[tuple[Operation, list[Operation]]]:
    """
    Puts together the results of an operator that has several: their facts number them, and they read the same.

    Where some of its results are gone, those that are left are kernels by themselves.
    """
    merged: list[tuple[Operation, list[Operation]]] = []
    at = 0
    while at < len(groups):
        run = groups[at : at + max(_result_number(groups[at][0])[1], 1)]
        if not _are_all_results(run):
            run = run[:1]
        merged.append((run[0][0], [op for _, ops in run for op in ops]))
        at += len(run)
    return merged


def _are_all_results(run: Sequence[tuple[Operation, list[Operation]]]) -> bool:
    count = _result_number(run[0][0])[1]
    numbers = [_result_number(root) for root, _ in run]
    return numbers == [(number, count) for number in range(count)] and len({_reads(ops)[0] for _, ops in run}) == 1


def _result_number(op: Operation) -> tuple[int, int]:
    """Which of how many results of an operator this op yields."""
    return (operator_facts(op).result if OPERATOR_KEY in op.attributes else None) or (0, 1)


def _kernel(root: Operation, ops: Sequence[Operation]) -> Kernel:
    if isinstance(root, tinymo.KernelOp):
        inner = tuple(op for op in root.body.block.ops if not isinstance(op, tinymo.YieldOp))
        inputs, constants = _reads(inner)
        return Kernel(root, inner, inputs, constants, tuple(root.results), tuple(root.terminator.operands))
    inside = set(ops)
    outputs = tuple(
        result
        for op in ops
        for result in op.results
        if has_tensor_facts(result) or not result.uses or any(use.operation not in inside for use in result.uses)
    )
    inputs, constants = _reads(ops)
    return Kernel(root, tuple(ops), inputs, constants, outputs, outputs)


def _reads(ops: Sequence[Operation]) -> tuple[tuple[SSAValue, ...], tuple[SSAValue, ...]]:
    inside = set(ops)
    operands = dict.fromkeys(operand for op in ops for operand in op.operands if operand.owner not in inside)
    inputs = tuple(operand for operand in operands if not is_constant(operand))
    return inputs, tuple(operand for operand in operands if is_constant(operand))
