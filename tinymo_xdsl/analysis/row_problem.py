"""A function as the plain values that the stripe planner works on: layers, and the rows that each of them reads."""

from collections.abc import Iterator
from dataclasses import dataclass

from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from tinymo_xdsl.analysis.aliases import KernelLibrary, aliases_of
from tinymo_xdsl.analysis.describe import describe_kernel
from tinymo_xdsl.analysis.kernels import Kernel, kernels_of
from tinymo_xdsl.analysis.liveness import is_variable
from tinymo_xdsl.analysis.loops import Change, Loop, body_bytes, loop_of
from tinymo_xdsl.analysis.macs import kernel_macs
from tinymo_xdsl.analysis.rows import ROW_AXIS, row_access, shape_of
from tinymo_xdsl.analysis.runtime import kernel_scratch, kernel_upkeep, stripe_upkeep
from tinymo_xdsl.analysis.sizes import byte_size
from tinymo_xdsl.facts import name_of
from tinymo_xdsl.planner.sharing import Copy, Overwrite, Wish, ends_of
from tinymo_xdsl.planner.stripes import Layer, Operand, Problem, Value


@dataclass(frozen=True, eq=False)
class RowProblem:
    """A function as the stripe planner sees it; `kernels` and `values` are numbered as in `problem`."""

    problem: Problem
    kernels: tuple[Kernel, ...]
    values: tuple[SSAValue, ...]


def row_problem(function: FuncOp, library: KernelLibrary = KernelLibrary.REFERENCE) -> RowProblem:
    """The values and layers of `function`, the rows that each layer reads, and what kernels of `library` may share."""
    kernels = kernels_of(function)
    values = [*function.args, *(value for kernel in kernels for value in kernel.outputs)]
    numbers = {value: index for index, value in enumerate(values)}
    terminator = function.body.block.last_op
    returned = set[SSAValue]() if terminator is None else set(terminator.operands)
    wishes = _wishes(function, library, numbers)
    layers = tuple(_layer(kernel, numbers, wishes) for kernel in kernels)
    problem = Problem(tuple(_value(value, function, value in returned) for value in values), layers, stripe_upkeep())
    return RowProblem(problem, tuple(kernels), tuple(values))


def _value(value: SSAValue, function: FuncOp, is_returned: bool) -> Value:
    shape = shape_of(value)
    rows = shape[ROW_AXIS] if len(shape) == 4 and shape[ROW_AXIS] else 1
    lasts = is_variable(value)
    return Value(
        name_of(value),
        rows,
        byte_size(value) // rows,
        is_input=value in function.args or lasts,
        is_output=is_returned or lasts,
        is_variable=lasts,
        is_contiguous=rows == 1 or shape[0] == 1,
    )


def _layer(kernel: Kernel, numbers: dict[SSAValue, int], wishes: dict[int, list[Wish]]) -> Layer:
    results = tuple(numbers[value] for value in kernel.outputs)
    scratch, scratch_per_row = kernel_scratch(kernel)
    own = [wish for result in results for wish in wishes.get(result, ())]
    if (loop := loop_of(kernel)) is not None:
        scratch = body_bytes(loop)
        own += _loop_wishes(loop, numbers)
    return Layer(
        describe_kernel(kernel)[0],
        tuple(Operand(numbers[value], row_access(kernel, value)) for value in kernel.inputs),
        results,
        kernel_macs(kernel),
        scratch,
        scratch_per_row,
        kernel_upkeep(kernel),
        tuple(own),
    )


def _loop_wishes(loop: Loop, numbers: dict[SSAValue, int]) -> Iterator[Wish]:
    """What goes through a loop lies where it lay before."""
    for entry in loop.carried:
        if entry.start in numbers and entry.change is Change.NONE:
            yield Copy(numbers[entry.end], numbers[entry.start], 0)
        if entry.start in numbers and entry.change is Change.IN_PLACE:
            yield Overwrite(numbers[entry.end], numbers[entry.start])


def _wishes(function: FuncOp, library: KernelLibrary, numbers: dict[SSAValue, int]) -> dict[int, list[Wish]]:
    """What may share bytes, by the later of the two values: it is made by the operator that wishes it."""
    aliases = aliases_of(function, library)
    found: dict[int, list[Wish]] = {}
    for wish in aliases.wishes:
        one, other = (numbers[aliases.values[end]] for end in ends_of(wish))
        match wish:
            case Copy():
                renumbered: Wish = Copy(one, other, wish.offset)
            case Overwrite():
                renumbered = Overwrite(one, other, wish.lead)
        found.setdefault(max(one, other), []).append(renumbered)
    return found
