"""
A complete search over the distances between buffers.

The offsets of two buffers in conflict must not be certain distances apart; most often one has to lie below the other.
The search decides for one range of forbidden distances after the other on which side of it a distance is. From all
decisions together follow the least and the largest distance of any two buffers, and often there is one side left, or
none. Ranges that have shown often that there was none are decided first, and the search begins anew with what it has
learnt.

It knows nothing of time and bytes, so buffers of several pieces, and those that may lie on each other, are searched
like any others: where the whole search space was seen, there is no plan. It is for up to a few hundred buffers.

The method is that of difference constraints in scheduling with disjunctive graphs; the order of decisions is that of
Boussemart, Hemery, Lecoutre and Sais, "Boosting Systematic Search by Weighting Constraints", ECAI 2004.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import gcd
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from tinymo_xdsl.planner.arena.first_fit import UNPLACED, Placer

_FIRST_TRIES = 30
"""Decisions before the search begins anew for the first time; half as many more each time."""
_DISTANCES_IN_A_STATE = 8192
"""What follows from a decision for more distances than these counts as several states, because it takes as long."""

Numbers: TypeAlias = npt.NDArray[np.int64]
Node: TypeAlias = tuple[Numbers, Numbers]
"""
What follows from the decisions so far, and the forbidden ranges, by index, that are still to be decided.

At [i, j] are the most bytes by which offset i may exceed offset j; the last one stands for the start of the arena.
"""


@dataclass(frozen=True)
class Distances:
    """What a search ended with."""

    offsets: tuple[int, ...] | None
    """Those of the chosen buffers in bytes, or `None`: no plan was found."""
    exhausted: bool
    """Whether the whole search space was seen, so that there is no such plan."""
    states: int
    """What it took."""


class DistanceSearch:
    """Searches for plans of some buffers of a problem, one after the other for several arenas."""

    def __init__(self, placer: Placer, indices: Sequence[int] | None = None) -> None:
        buffers = placer.problem.buffers
        chosen = range(len(buffers)) if indices is None else indices
        number = {index: place for place, index in enumerate(chosen)}
        self._sizes = [buffers[index].size for index in chosen]
        self._alignment = [buffers[index].alignment for index in chosen]
        self._fixed = [placer.fixed[index] for index in chosen]
        self._effort = 1 + len(self._sizes) ** 2 // _DISTANCES_IN_A_STATE
        rows: list[tuple[int, int, int, int, int]] = []
        for index in chosen:
            near = [entry for entry in placer.near[index] if entry[0] in number and index < entry[0]]
            for other, low, high in near:
                step = gcd(buffers[index].alignment, buffers[other].alignment)
                width = sum(end - start for third, start, end in near if third == other)
                rows.append((number[index], number[other], low // step * step, -(-high // step) * step, width))
        columns = np.array(rows, np.int64).reshape(-1, 5).T
        self._first, self._second, self._low, self._high, self._width = columns
        self._weights = np.ones_like(self._width)
        """How often each range has left no side, and one."""
        self._states = 0

    def within(self, arena: int, limit: int) -> Distances:
        """Look for a plan within `arena` bytes, in about `limit` states."""
        self._states = 0
        limits = self._limits(arena)
        root = None if limits is None else self._settle(limits, np.arange(len(self._low)))
        tries = _FIRST_TRIES
        while root is not None and self._states < limit:
            solution, exhausted = self._descend(root, tries, limit)
            if exhausted:
                root = None
            elif solution is not None:
                offsets = tuple((-solution[-1, :-1]).tolist())
                is_aligned = not any(at % step for at, step in zip(offsets, self._alignment, strict=True))
                return Distances(offsets if is_aligned else None, False, self._states)
            tries += tries // 2
        return Distances(None, root is None, self._states)

    def _limits(self, arena: int) -> Numbers | None:
        """What follows from the arena and from fixed offsets; `None` if that cannot be."""
        count = len(self._sizes)
        limits = np.zeros((count + 1, count + 1), np.int64)
        for index, fixed in enumerate(self._fixed):
            step = self._alignment[index]
            highest = (arena - self._sizes[index]) // step * step
            if highest < max(fixed, 0):
                return None
            limits[index, -1] = highest if fixed == UNPLACED else fixed
            limits[-1, index] = 0 if fixed == UNPLACED else -fixed
        limits[:-1, :-1] = limits[:-1, -1:] + limits[-1:, :-1]
        np.fill_diagonal(limits, 0)
        return limits

    def _descend(self, root: Node, tries: int, limit: int) -> tuple[Numbers | None, bool]:
        """Depth first, at most `tries` decisions: the limits of a plan, and whether the whole search space was seen."""
        stack = [iter((root,))]
        while stack and tries and self._states < limit:
            node = next(stack[-1], None)
            if node is None:
                stack.pop()
            elif node[1].size:
                tries -= 1
                stack.append(self._decide(*node))
            else:
                return node[0], False
        return None, not stack

    def _decide(self, limits: Numbers, is_open: Numbers) -> Iterator[Node]:
        """What follows from either side of the most urgent range, the one with more room first."""
        chosen = int(is_open[np.argmax(self._width[is_open] * self._weights[is_open])])
        first, second = int(self._first[chosen]), int(self._second[chosen])
        low, high = int(self._low[chosen]), int(self._high[chosen])
        below = (low + limits.item(second, first), first, second, low)
        above = (limits.item(first, second) - high, second, first, -high)
        for _, greater, smaller, most in (below, above) if below >= above else (above, below):
            copy = limits.copy()
            if self._bound(copy, greater, smaller, most) and (node := self._settle(copy, is_open)) is not None:
                yield node

    def _settle(self, limits: Numbers, ranges: Numbers) -> Node | None:
        """All that follows for `ranges`, which changes `limits`; `None` if one of them is left no side."""
        first, second, low, high = (c[ranges] for c in (self._first, self._second, self._low, self._high))
        while True:
            self._states += 1
            most, least = limits[first, second], -limits[second, first]
            can_be_below, can_be_above = least <= low, most >= high
            (dead,) = np.nonzero(~(can_be_below | can_be_above))
            if dead.size:
                self._weights[ranges[dead[0]]] += 1
                return None
            (below,) = np.nonzero(~can_be_above & (most > low))
            (above,) = np.nonzero(~can_be_below & (least < high))
            if not below.size and not above.size:
                return limits, ranges[(most > low) & (least < high)]
            forced = [(int(at), int(first[at]), int(second[at]), int(low[at])) for at in below]
            forced += [(int(at), int(second[at]), int(first[at]), -int(high[at])) for at in above]
            for at, greater, smaller, bound in forced:
                if not self._bound(limits, greater, smaller, bound):
                    self._weights[ranges[at]] += 1
                    return None

    def _bound(self, limits: Numbers, greater: int, smaller: int, most: int) -> bool:
        """Let one offset exceed another by `most` bytes at most, with all that follows. False if that cannot be."""
        if most + limits.item(smaller, greater) < 0:
            return False
        if most < limits.item(greater, smaller):
            self._states += self._effort
            np.minimum(limits, (limits[:, greater] + most)[:, None] + limits[smaller], out=limits)
        return True
