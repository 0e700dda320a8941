"""
What plans in row stripes cost: bytes alive, multiply-accumulates, operators.

The bytes are those of the file with or without an arena plan (`Accounting`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from itertools import accumulate

from tinymo_xdsl.planner.sharing import Copy, Group, Read, Tensor, share
from tinymo_xdsl.planner.stripes import Compute, Problem, Program, Region, Solution, Step, live_bytes, write_program

ALIGNMENT = 16
"""Bytes: an arena plan for TFLite Micro places tensors at multiples of this."""


class Accounting(Enum):
    """Which bytes count."""

    COPIES = "copies"
    """Every tensor has bytes of its own: the file without an arena plan."""
    PLANNED = "planned"
    """
    The file with an arena plan: slices lie inside what they are cut from, parts inside what they are joined to,
    elementwise operators write over operands that die. So an input dies, and a result is born, row by row. Scratch of
    kernels counts.
    """


@dataclass(frozen=True)
class Cost:
    """
    What a solution costs.

    `peak`: bytes in use at the worst operator. `peak_layer`: the layer that this operator is, or belongs to; 0 in a
    model without layers. `macs`: multiply-accumulates. `operators`: how many the written file has. `upkeep`: bytes that
    they take for good.
    """

    peak: int
    peak_layer: int
    macs: int
    operators: int
    upkeep: int = 0


def evaluate(problem: Problem, solution: Solution, accounting: Accounting = Accounting.COPIES) -> Cost:
    """What the `.tflite` of this solution costs."""
    program = write_program(problem, solution)
    macs = sum(layer.macs for layer in problem.layers)
    macs += sum(region_extra_macs(problem, region) for region in solution.regions)
    upkeep = sum(operator.upkeep for operator in program.operators)
    if not program.operators:
        return Cost(sum(value.size for value in problem.values), 0, macs, 0)
    live = bytes_in_use(program, accounting)
    worst = max(range(len(live)), key=live.__getitem__)
    return Cost(live[worst], program.operators[worst].layer, macs, len(program.operators), upkeep)


def bytes_in_use(program: Program, accounting: Accounting) -> list[int]:
    """For every operator the bytes in use while it runs."""
    return live_bytes(program) if accounting is Accounting.COPIES else planned_bytes(program)


def planned_bytes(program: Program) -> list[int]:
    """
    For every operator the bytes that an arena plan cannot do without while it runs.

    These are whole blocks of `ALIGNMENT` bytes of tensors that share all that they can, and of scratch.
    """
    change = [0] * (len(program.operators) + 3)
    for group in shared_groups(program):
        _add_pieces(group, change)
    before, *total = accumulate(change)
    in_use = [size + whole_blocks(operator.scratch) for size, operator in zip(total, program.operators, strict=False)]
    # Inputs that nothing reads are gone when the first operator runs.
    return [max(before, in_use[0]), *in_use[1:]]


def shared_groups(program: Program) -> list[Group]:
    """The tensors that an arena plan places, in groups that share all bytes that they can; operators count from 1."""
    wishes = [wish for operator in program.operators for wish in operator.wishes]
    return share(_tensors(program), wishes, ALIGNMENT)


def _tensors(program: Program) -> list[Tensor]:
    """The tensors of a program, operators numbered from 1; those that nothing uses have no bytes."""
    reads: list[list[Read]] = [[] for _ in program.sizes]
    made = dict.fromkeys(program.at_start, 0)
    for step, operator in enumerate(program.operators, 1):
        made.update(dict.fromkeys(operator.makes, step))
        windows = {
            wish.whole: wish
            for wish in operator.wishes
            if isinstance(wish, Copy) and wish.whole in operator.reads and wish.part in operator.makes
        }
        for tensor in operator.reads:
            window = windows.get(tensor)
            start, size = (0, program.sizes[tensor]) if window is None else (window.offset, program.sizes[window.part])
            reads[tensor].append(Read(step, start // ALIGNMENT * ALIGNMENT, whole_blocks(start + size)))
    for tensor in program.at_end:
        reads[tensor].append(Read(len(program.operators) + 1, 0, whole_blocks(program.sizes[tensor])))
    placed = set(made).difference(program.variables)
    return [
        Tensor(whole_blocks(size), made[index], tuple(reads[index])) if index in placed else Tensor(0, 0, ())
        for index, size in enumerate(program.sizes)
    ]


def whole_blocks(size: int) -> int:
    """The bytes of as many blocks of `ALIGNMENT` bytes as hold `size`."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def _add_pieces(group: Group, change: list[int]) -> None:
    """Adds the bytes in use, as changes from step to step. What is overwritten within one step counts once."""
    before = None
    for piece in group.pieces:
        continues = before is not None and (before.start, before.last) == (piece.start, piece.first)
        change[piece.first + continues] += piece.stop - piece.start
        change[piece.last + 1] -= piece.stop - piece.start
        before = piece


def steps_macs(problem: Problem, steps: Iterable[Step]) -> int:
    """Multiply-accumulates of some steps."""
    return sum(
        problem.layers[step.layer].macs * len(step.rows) // problem.values[step.value].rows
        for step in steps
        if isinstance(step, Compute)
    )


def region_extra_macs(problem: Problem, region: Region) -> int:
    """Multiply-accumulates of the rows that the region computes more than once, or in vain."""
    return steps_macs(problem, region.steps) - sum(
        layer.macs for layer in problem.layers[region.first : region.last + 1]
    )
