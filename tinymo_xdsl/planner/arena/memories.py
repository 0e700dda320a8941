"""
Plans over several memories: what does not fit the fast one goes down to the next.

Keeping a buffer in a slower memory costs its bytes times its accesses. As long as the buffers in use at some step are
more than a memory holds, one of those at the fullest step goes down:
the one that costs least of those large enough to end the excess by itself, else the one with the fewest accesses.
If the buffers would fit but their plan does not, the cheapest one that reaches above the capacity goes down.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tinymo_xdsl.errors import BudgetError
from tinymo_xdsl.planner.arena.portfolio import Effort, plan
from tinymo_xdsl.planner.arena.problem import Buffer, PlanError, Problem, Solution

Planner: TypeAlias = Callable[[Problem, int], Solution]
"""Plans one memory, with an effort."""


@dataclass(frozen=True)
class Memory:
    """A memory of the target."""

    name: str
    capacity: int | None = None
    """Bytes that buffers may take, or `None`: as many as they need."""


@dataclass(frozen=True)
class MemoryPlan:
    """The part of a plan that lies in one memory."""

    memory: Memory
    problem: Problem
    """The buffers that lie there, in the order of the whole problem."""
    solution: Solution


def plan_memories(
    problem: Problem, memories: Sequence[Memory], effort: int = Effort.DEFAULT, planner: Planner = plan
) -> tuple[MemoryPlan, ...]:
    """
    A plan for each of `memories`, which are given from the fastest to the slowest, by `planner`.

    A buffer that names a memory lies there; one with a fixed offset and no name lies in the fastest. `BudgetError` if
    the slowest memory is too small for what is left, or one for what must lie there; `PlanError` for an unknown name.
    """
    known = {memory.name for memory in memories}
    for buffer in problem.buffers:
        if buffer.memory is not None and buffer.memory not in known:
            raise PlanError(
                f"buffer {buffer.name!r} asks for memory {buffer.memory!r}; known: {', '.join(sorted(known))}"
            )
    waiting = {buffer.name for buffer in problem.buffers if buffer.memory is None}
    plans: list[MemoryPlan] = []
    for memory in memories:
        here = tuple(b for b in problem.buffers if b.name in waiting or b.memory == memory.name)
        fitted = _fit(here, memory, effort, planner)
        plans.append(fitted)
        waiting -= {buffer.name for buffer in fitted.problem.buffers}
    if waiting:
        raise BudgetError(f"{len(waiting)} buffers fit into no memory, {min(waiting)!r} among them; add a larger one")
    return tuple(plans)


def _fit(buffers: tuple[Buffer, ...], memory: Memory, effort: int, planner: Planner) -> MemoryPlan:
    """As many of `buffers` as fit into `memory`."""
    while True:
        problem = Problem(buffers)
        if memory.capacity is None:
            return MemoryPlan(memory, problem, planner(problem, effort))
        crowd, excess = _fullest(buffers, memory.capacity)
        if excess <= 0:
            solution = planner(problem, effort)
            if solution.arena <= memory.capacity:
                return MemoryPlan(memory, problem, solution)
            placed = zip(buffers, solution.offsets, strict=True)
            crowd = [buffer for buffer, offset in placed if offset + buffer.size > memory.capacity]
            excess = 1
        loser = _cheapest([b for b in crowd if b.memory is None and b.offset is None], excess)
        if loser is None:
            raise BudgetError(
                f"memory {memory.name!r} of {memory.capacity} bytes is too small for the buffers that must lie there, "
                f"{crowd[0].name!r} among them"
            )
        buffers = tuple(buffer for buffer in buffers if buffer is not loser)


def _fullest(buffers: Sequence[Buffer], capacity: int) -> tuple[list[Buffer], int]:
    """The buffers in use at the fullest step, and by how many bytes they are too many."""
    crowd: list[Buffer] = []
    most = 0
    for step in sorted({piece.start for buffer in buffers for piece in buffer.rectangles}):
        alive = [buffer for buffer in buffers if _bytes_at(buffer, step)]
        load = sum(_bytes_at(buffer, step) for buffer in alive)
        if load > most:
            crowd, most = alive, load
    return crowd, most - capacity


def _bytes_at(buffer: Buffer, step: int) -> int:
    return sum(piece.size for piece in buffer.rectangles if piece.start <= step < piece.end)


def _cheapest(buffers: Sequence[Buffer], excess: int) -> Buffer | None:
    """Which of `buffers` goes down; of equals the first."""
    enough = [buffer for buffer in buffers if buffer.size >= excess]
    if enough:
        return min(enough, key=lambda buffer: buffer.size * buffer.accesses)
    return min(buffers, key=lambda buffer: (buffer.accesses, -buffer.size), default=None)
