"""
Steps that improve a plan: windows of time are planned anew, so that nothing in them reaches above a lower goal.

A window holds a buffer that reaches above the goal. All buffers that are in use during the window are taken out and
placed again by the complete search, around those that are in use only before or after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tinymo_xdsl.planner.arena.first_fit import Placer
from tinymo_xdsl.planner.arena.problem import Buffer, Piece, Problem, arena_of, round_up
from tinymo_xdsl.planner.arena.random_numbers import RandomNumbers
from tinymo_xdsl.planner.arena.search import search
from tinymo_xdsl.planner.arena.sections import Sections
from tinymo_xdsl.planner.arena.strategy import Side, Strategy

_WINDOWS = 16
"""How many windows may fail before a goal is given up."""
_LARGEST = 256
"""The most buffers that a window takes out."""


@dataclass(frozen=True)
class Repaired:
    """The best plan found."""

    offsets: tuple[int, ...]
    arena: int
    """Bytes."""
    states: int
    """How many placements were looked at."""


def repair(placer: Placer, offsets: Sequence[int], bound: int, limit: int, seed: int) -> Repaired:
    """
    Improve the plan `offsets` until it takes no more than `bound` bytes or `limit` states have been looked at.

    The goal halves the way to the bound; each time it is missed, the next one is half as far away.
    """
    work = _Repair(placer, list(offsets), RandomNumbers(seed), limit)
    arena, low = work.arena, bound
    while arena > bound and work.states < limit:
        goal = round_up((low + arena) // 2, placer.problem.unit)
        if goal >= arena:
            if low == bound:
                break
            low = bound
        elif work.reach(goal):
            arena = work.arena
        else:
            low = goal + 1
    return Repaired(tuple(work.offsets), arena, work.states)


class _Repair:
    """A plan and what has been spent on it."""

    def __init__(self, placer: Placer, offsets: list[int], numbers: RandomNumbers, limit: int) -> None:
        self.buffers = placer.problem.buffers
        self.conflicts = placer.conflicts
        self.problem = placer.problem
        self.offsets = offsets
        self.numbers = numbers
        self.limit = limit
        self.states = 0

    @property
    def arena(self) -> int:
        return arena_of(self.problem, self.offsets)

    def reach(self, goal: int) -> bool:
        """Plan windows anew until the arena is at most `goal`, which it may never be. It does not grow meanwhile."""
        failures = 0
        while high := [i for i, b in enumerate(self.buffers) if self.offsets[i] + b.size > goal]:
            window = self._window(high[self.numbers.below(len(high))])
            if not self._plan(window, goal):
                failures += 1
            if failures == _WINDOWS or self.states >= self.limit:
                return False
        return True

    def _window(self, index: int) -> set[int]:
        """Buffer `index` and what is in use at the same time or shortly before or after, a random number of them."""
        wanted = self.numbers.below(_LARGEST) + 1
        start, end = self.buffers[index].start, self.buffers[index].end
        window = {index, *(conflict.other for conflict in self.conflicts[index])}
        while len(window) < len(self.buffers):
            more = (end - start) // 8 + 1
            earlier = self.numbers.below(2 * more + 1)
            start, end = start - earlier, end + 2 * more - earlier
            wider = {i for i, buffer in enumerate(self.buffers) if buffer.start < end and start < buffer.end}
            if len(wider) > wanted:
                break
            window = wider
        return {i for i in window if self.buffers[i].offset is None}

    def _plan(self, window: set[int], goal: int) -> bool:
        """Place the buffers of `window` anew, below `goal`."""
        around = {conflict.other for index in window for conflict in self.conflicts[index]} - window
        # Taking a buffer out costs about as much as a state.
        self.states += len(window) + len(around)
        if not window or any(self.offsets[i] + self.buffers[i].size > goal for i in around):
            return False
        start = min(self.buffers[index].start for index in window)
        end = max(self.buffers[index].end for index in window)
        chosen = sorted(window | around)
        problem = Problem(
            tuple(
                self.buffers[i] if i in window else _cut(self.buffers[i], self.offsets[i], start, end) for i in chosen
            )
        )
        sections = Sections(problem)
        strategy = self._strategy()
        limit = min(2 * len(window) + 200, self.limit - self.states)
        outcome = search(sections, goal // sections.unit, strategy, limit)
        self.states += outcome.states
        if outcome.offsets is None:
            return False
        for index, units in zip(chosen, outcome.offsets, strict=True):
            self.offsets[index] = units * sections.unit
        return True

    def _strategy(self) -> Strategy:
        below = self.numbers.below
        return Strategy(bool(below(2)), tuple(Side)[below(3)], below(2), 1 - below(2), below(3), below(1 << 32))


def _cut(buffer: Buffer, offset: int, start: int, end: int) -> Buffer:
    """What `buffer` at `offset` takes up during the steps [start, end)."""
    pieces = (
        Piece(piece.offset, piece.size, max(piece.start, start), min(piece.end, end))
        for piece in buffer.pieces
        if piece.start < end and start < piece.end
    )
    return replace(buffer, pieces=tuple(pieces), offset=offset)
