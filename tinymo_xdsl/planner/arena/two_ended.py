"""
Plans that fill the arena from both of its ends, in the order in which buffers come into use.

What is in use for long then lies at the ends, and the bytes between them stay in one piece: the rows of an input that
die one by one at the one end, the rows of a result that are born one by one at the other. For a given arena the search
goes back and tries again where a buffer finds no place, or leaves none to another one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tinymo_xdsl.planner.arena.first_fit import UNPLACED, conflicts_of
from tinymo_xdsl.planner.arena.problem import Problem, arena_of, round_up

_GOALS = 12
"""How many arenas between the bound and the best plan are tried, at most."""


@dataclass(frozen=True)
class Found:
    """A plan, if there is one, and how many placements of a buffer were tried."""

    offsets: tuple[int, ...] | None
    states: int


def lower_from_both_ends(problem: Problem, arena: int, limit: int) -> Found:
    """A plan of fewer bytes than `arena`; each arena is searched for in at most `limit` states, the smallest first."""
    search = _Search(problem)
    goal, step = problem.lower_bound, max((arena - problem.lower_bound) // _GOALS, 1)
    states = 0
    while goal < arena:
        found = search.place(goal, limit)
        states += found.states
        if found.offsets is not None:
            return Found(found.offsets, states)
        goal += round_up(step, problem.unit)
    return Found(None, states)


class _Search:
    """The searches on one problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.conflicts = conflicts_of(problem)
        buffers = problem.buffers
        self.order = sorted(
            (index for index, buffer in enumerate(buffers) if buffer.offset is None),
            key=lambda index: (buffers[index].start, -buffers[index].size),
        )
        number = {index: place for place, index in enumerate(self.order)}
        self.waiting = [
            sorted({conflict.other for conflict in conflicts if number.get(conflict.other, -1) > number.get(index, -1)})
            for index, conflicts in enumerate(self.conflicts)
        ]
        """For each buffer those that are placed behind it and must not lie on it."""

    def place(self, arena: int, limit: int) -> Found:
        """A plan of at most `arena` bytes."""
        offsets = [UNPLACED if buffer.offset is None else buffer.offset for buffer in self.problem.buffers]
        if arena_of(self.problem, offsets) > arena or not self.order:
            return Found(None, 0)
        choices = [self._places(0, offsets, arena)]
        states = 0
        while choices and states < limit:
            index = self.order[len(choices) - 1]
            offsets[index] = UNPLACED
            place = next(choices[-1], None)
            if place is None:
                choices.pop()
                continue
            states += 1
            offsets[index] = place
            if all(self._free(other, offsets, arena) for other in self.waiting[index]):
                if len(choices) == len(self.order):
                    return Found(tuple(offsets), states)
                choices.append(self._places(len(choices), offsets, arena))
        return Found(None, states)

    def _places(self, number: int, offsets: Sequence[int], arena: int) -> Iterator[int]:
        """Where to try the buffer that is placed as this number: at the ends, then at the edges of what is free."""
        ranges = self._free(self.order[number], offsets, arena)
        edges = list(dict.fromkeys(edge for low_and_high in ranges for edge in low_and_high))
        yield from dict.fromkeys([edges[0], edges[-1], *edges] if edges else ())

    def _free(self, index: int, offsets: Sequence[int], arena: int) -> list[tuple[int, int]]:
        """The ranges, ends included, in which buffer `index` may begin."""
        alignment = self.problem.buffers[index].alignment
        highest = (arena - self.problem.buffers[index].size) // alignment * alignment
        blocked = [
            (offsets[conflict.other] + conflict.low, offsets[conflict.other] + conflict.high)
            for conflict in self.conflicts[index]
            if offsets[conflict.other] != UNPLACED
        ]
        free: list[tuple[int, int]] = []
        start = 0
        for low, high in sorted(blocked):
            stop = min(low // alignment * alignment, highest)
            if start <= stop:
                free.append((start, stop))
            start = max(start, round_up(high, alignment))
        if start <= highest:
            free.append((start, highest))
        return free
