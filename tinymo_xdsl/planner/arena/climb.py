"""
Steps that improve a plan: hill climbing over the order in which first-fit places the buffers.

Each step places one buffer earlier, before one that was in its way. It is kept if the buffers reach no further above
the bound in sum. First-fit places buffers of several pieces as freely as others, unlike the search.
"""

from collections.abc import Sequence

from tinymo_xdsl.planner.arena.first_fit import UNPLACED, Placer
from tinymo_xdsl.planner.arena.problem import arena_of
from tinymo_xdsl.planner.arena.random_numbers import RandomNumbers


class Climb:
    """An order of the buffers, the plan that first-fit makes of it, and the best plan so far."""

    def __init__(self, placer: Placer, offsets: Sequence[int], bound: int, seed: int) -> None:
        self.placer = placer
        self.bound = bound
        self.states = 0
        """How many placements were tried."""
        self._numbers = RandomNumbers(seed)
        self._sizes = [buffer.size for buffer in placer.problem.buffers]
        movable = [index for index, fixed in enumerate(placer.fixed) if fixed == UNPLACED]
        self._order = sorted(movable, key=lambda index: (offsets[index], index))
        self._offsets = placer.place(self._order, Placer.first_fit)
        self._excess = self._excess_of(self._offsets)
        self.best = tuple(min(offsets, self._offsets, key=lambda plan: arena_of(placer.problem, plan)))

    @property
    def arena(self) -> int:
        """Bytes of the best plan."""
        return arena_of(self.placer.problem, self.best)

    def run(self, limit: int) -> None:
        """Climb until the arena is as small as the bound or `limit` placements have been tried."""
        arena = self.arena
        while arena > self.bound and self.states < limit and len(self._order) > 1:
            self._step()
            reached = arena_of(self.placer.problem, self._offsets)
            if reached < arena:
                arena, self.best = reached, tuple(self._offsets)

    def _step(self) -> None:
        """Try one change of the order."""
        place = 1 + self._numbers.below(len(self._order) - 1)
        if self._numbers.below(4):
            high = [at for at, index in enumerate(self._order) if at and self._top(index) > self.bound]
            place = high[self._numbers.below(len(high))] if high else place
        moved = self._order[place]
        others = {conflict.other for conflict in self.placer.conflicts[moved]}
        earlier = [at for at, index in enumerate(self._order[:place]) if index in others]
        target = earlier[self._numbers.below(len(earlier))] if earlier else self._numbers.below(place)
        order = [*self._order]
        order.insert(target, order.pop(place))
        self._try(order, target)

    def _try(self, order: list[int], changed: int) -> None:
        """Keep `order`, which is as before up to `changed`, if its plan is not worse."""
        offsets = [*self._offsets]
        for index in order[changed:]:
            offsets[index] = UNPLACED
        for index in order[changed:]:
            offsets[index] = self.placer.first_fit(index, offsets)
        self.states += len(order) - changed
        excess = self._excess_of(offsets)
        if excess <= self._excess:
            self._order, self._offsets, self._excess = order, offsets, excess

    def _top(self, index: int) -> int:
        return self._offsets[index] + self._sizes[index]

    def _excess_of(self, offsets: Sequence[int]) -> int:
        tops = (offset + size for offset, size in zip(offsets, self._sizes, strict=True))
        return sum(top - self.bound for top in tops if top > self.bound)
