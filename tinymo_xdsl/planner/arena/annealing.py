"""
Steps towards a plan within a given arena: simulated annealing over orders and sides.

Buffers are placed one after the other, each as low as it can be or, if that is its side, as high as it can be within
the goal. A step takes a buffer that reaches above the goal and places it before one that was in its way, on its side or
on the other one. Only what this moves is placed anew, so a step costs little. A step that makes things worse is taken
now and then: the further buffers reach above the goal in sum, the less often.

Unlike the complete search, this places buffers of several pieces, and those that may lie on each other, as freely as
others. The two sides let a chain of results that each run into their operands drift down through the arena.
"""

from collections.abc import Sequence
from math import exp

from tinymo_xdsl.planner.arena.first_fit import UNPLACED, Placer
from tinymo_xdsl.planner.arena.random_numbers import RandomNumbers

_TEMPERATURE = 0.2
"""A step that makes things worse by this share of the goal has a chance of 1/e."""
_ANYWHERE = 16
"""One step in so many changes the order at a random place."""
_FINE = 1 << 20
"""How finely chances are told apart."""


class Annealing:
    """An order of the buffers, a side for each, and the plan that they make."""

    def __init__(self, placer: Placer, offsets: Sequence[int], goal: int, seed: int) -> None:
        self.goal = goal
        self.states = 0
        """How many placements were tried."""
        self._near = placer.near
        self._alignment = placer.alignment
        self._sizes = [buffer.size for buffer in placer.problem.buffers]
        self._numbers = RandomNumbers(seed)
        movable = [index for index, fixed in enumerate(placer.fixed) if fixed == UNPLACED]
        self._order = sorted(movable, key=lambda index: (offsets[index], index))
        self._rank = [UNPLACED] * len(offsets)
        """The place of each buffer in the order; what is fixed comes before all others."""
        for rank, index in enumerate(self._order):
            self._rank[index] = rank
        self._is_high = [False] * len(offsets)
        self.offsets = [max(fixed, 0) for fixed in placer.fixed]
        for index in self._order:
            self.offsets[index] = self._fit(index)
        tops = (self.offsets[index] + self._sizes[index] for index in self._order)
        self.excess = sum(top - goal for top in tops if top > goal)
        """The bytes by which buffers reach above the goal, in sum."""

    def run(self, limit: int) -> bool:
        """Take steps until all buffers lie within the goal: whether they do before `limit` placements are tried."""
        while self.excess and self.states < limit:
            self._step()
        return not self.excess

    def _step(self) -> None:
        moved, target, flips = self._choose()
        place = self._rank[moved]
        self._move(place, target)
        self._is_high[moved] ^= flips
        excess = self.excess
        before = self._settle(moved, min(place, target), max(place, target))
        worse = self.excess - excess
        if worse > 0 and self._numbers.below(_FINE) >= _FINE * exp(-worse / (_TEMPERATURE * self.goal)):
            self._move(target, place)
            self._is_high[moved] ^= flips
            self.excess = excess
            for index, offset in before:
                self.offsets[index] = offset

    def _choose(self) -> tuple[int, int, bool]:
        """A buffer that reaches above the goal, the place in the order where it goes, and whether it changes sides."""
        below, rank, offsets, sizes, goal = self._numbers.below, self._rank, self.offsets, self._sizes, self.goal
        high = [index for index in self._order if offsets[index] + sizes[index] > goal]
        moved = high[below(len(high))]
        flips = below(2) == 1
        if not below(_ANYWHERE):
            return moved, below(len(self._order)), flips
        earlier = [rank[other] for other, _, _ in self._near[moved] if 0 <= rank[other] < rank[moved]]
        # What is in no one's way can only change sides.
        return (moved, earlier[below(len(earlier))], flips) if earlier else (moved, rank[moved], True)

    def _move(self, place: int, target: int) -> None:
        order, rank = self._order, self._rank
        order.insert(target, order.pop(place))
        for at in range(min(place, target), max(place, target) + 1):
            rank[order[at]] = at

    def _settle(self, moved: int, first: int, last: int) -> list[tuple[int, int]]:
        """
        Place anew what may lie elsewhere after `moved` went between the places `first` and `last` of the order.

        Gives where what lies elsewhere now was before.
        """
        order, rank, near, offsets = self._order, self._rank, self._near, self.offsets
        waiting = {moved, *(other for other, _, _ in near[moved] if first <= rank[other] <= last)}
        before: list[tuple[int, int]] = []
        place = first
        while waiting:
            index = order[place]
            place += 1
            if index not in waiting:
                continue
            waiting.remove(index)
            self.states += 1
            offset = self._fit(index)
            if offset != offsets[index]:
                before.append((index, offsets[index]))
                self.excess += self._above(index, offset) - self._above(index, offsets[index])
                offsets[index] = offset
                waiting.update(other for other, _, _ in near[index] if rank[other] >= place)
        return before

    def _above(self, index: int, offset: int) -> int:
        return max(0, offset + self._sizes[index] - self.goal)

    def _fit(self, index: int) -> int:
        """Where buffer `index` lies beside those before it in the order."""
        offsets, rank, own, alignment = self.offsets, self._rank, self._rank[index], self._alignment[index]
        blocked = [(offsets[o] + low, offsets[o] + high) for o, low, high in self._near[index] if rank[o] < own]
        blocked.sort()
        if self._is_high[index]:
            offset = (self.goal - self._sizes[index]) // alignment * alignment
            for low, high in sorted(blocked, key=_upper_end, reverse=True):
                if high <= offset:
                    break
                if low < offset:
                    offset = low // alignment * alignment
            if offset >= 0:
                return offset
        offset = 0
        for low, high in blocked:
            if low >= offset:
                break
            if high > offset:
                offset = -(-high // alignment) * alignment
        return offset


def _upper_end(range_: tuple[int, int]) -> int:
    return range_[1]
