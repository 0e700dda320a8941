"""What an arena plan makes of a program in stripes: the bytes in use tell only the least that it may take."""

from collections.abc import Iterator

from tinymo_xdsl.planner.arena.first_fit import Placer, orders
from tinymo_xdsl.planner.arena.problem import Buffer, Piece, Problem, arena_of
from tinymo_xdsl.planner.arena.two_ended import lower_from_both_ends
from tinymo_xdsl.planner.stripe_cost import ALIGNMENT, shared_groups, whole_blocks
from tinymo_xdsl.planner.stripes import Program

_STATES = 400
"""How long the search for a lower plan may take for each arena: some hundredths of a second in all."""


def placed_bytes(program: Program) -> int:
    """Bytes of the arena of a plan that is found quickly."""
    problem = Problem(tuple(_buffers(program)))
    placer = Placer(problem)
    arena = min(arena_of(problem, placer.place(order, Placer.first_fit)) for order in orders(problem).values())
    lower = lower_from_both_ends(problem, arena, _STATES).offsets
    return arena if lower is None else arena_of(problem, lower)


def _buffers(program: Program) -> Iterator[Buffer]:
    """Groups of tensors, and scratch."""
    for index, group in enumerate(shared_groups(program)):
        pieces = [Piece(one.start, one.stop - one.start, one.first, one.last + 1) for one in group.pieces]
        if pieces := [piece for piece in pieces if piece.size]:
            yield Buffer(f"group {index}", tuple(pieces), ALIGNMENT)
    for step, operator in enumerate(program.operators, 1):
        if operator.scratch:
            size = whole_blocks(operator.scratch)
            yield Buffer.whole(f"scratch {step}", size, step, step + 1, alignment=ALIGNMENT)
