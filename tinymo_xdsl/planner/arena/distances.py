"""
A complete search over the distances between buffers.

The offsets of two buffers in conflict must not be certain distances apart; most often one has to lie below the other.
The search decides pair by pair which of the distances left between the forbidden ones it is. From all decisions
together follow the least and the largest distance of any two buffers, and often there is one choice left, or none.
Pairs that have shown often that there was none are decided first, and the search begins anew with what it has learnt.

It knows nothing of time and bytes, so buffers of several pieces, and those that may lie on each other, are searched
like any others: where the whole search space was seen, there is no plan. It is for up to a few hundred buffers.

The method is that of difference constraints in scheduling with disjunctive graphs; the order of decisions is that of
Boussemart, Hemery, Lecoutre and Sais, "Boosting Systematic Search by Weighting Constraints", ECAI 2004.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import gcd
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from tinymo_xdsl.planner.arena.first_fit import UNPLACED, Placer

_FAR = 1 << 48
"""Bytes: further apart than any two buffers."""
_FIRST_TRIES = 30
"""Decisions before the search begins anew for the first time; half as many more each time."""
_PAIRS_IN_A_STATE = 32
"""A state with more open pairs counts as several, because it takes as long."""
_DISTANCES_IN_A_STATE = 8192
"""The same for what follows from a decision for the distances of all buffers."""

Limits: TypeAlias = npt.NDArray[np.int64]
"""At [i, j] the most bytes by which offset i may exceed offset j; the last one stands for the start of the arena."""


class _Pair(NamedTuple):
    """Two buffers, and the ranges, ends included, in which the distance from the second to the first may lie."""

    number: int
    first: int
    second: int
    ranges: Sequence[tuple[int, int]]

    @property
    def width(self) -> int:
        """From the first forbidden distance to the last."""
        return self.ranges[-1][0] - self.ranges[0][1]


_Node: TypeAlias = tuple[Limits, list[_Pair]]
"""What follows from the decisions so far, and the pairs that are open."""


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
        forbidden: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for index in chosen:
            for other, low, high in placer.near[index]:
                if other in number and index < other:
                    forbidden.setdefault((number[index], number[other]), []).append((low, high))
        self._pairs = [
            _Pair(at, first, second, self._between(first, second, ranges))
            for at, ((first, second), ranges) in enumerate(forbidden.items())
        ]
        self._weights = [1] * len(self._pairs)
        """How often each pair has left no choice, and one."""
        self._effort = len(self._sizes) ** 2 // _DISTANCES_IN_A_STATE
        self._states = 0

    def _between(self, first: int, second: int, forbidden: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """What is left between forbidden ranges, whose ends are excluded."""
        step = gcd(self._alignment[first], self._alignment[second])
        ranges: list[tuple[int, int]] = []
        start = -_FAR
        for low, high in sorted(forbidden):
            if start <= low // step * step:
                ranges.append((start, low // step * step))
            start = max(start, -(-high // step) * step)
        return [*ranges, (start, _FAR)]

    def within(self, arena: int, limit: int) -> Distances:
        """Look for a plan within `arena` bytes, in about `limit` states."""
        self._states = 0
        limits = self._limits(arena)
        root = None if limits is None else self._settle(limits, self._pairs)
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

    def _limits(self, arena: int) -> Limits | None:
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

    def _descend(self, root: _Node, tries: int, limit: int) -> tuple[Limits | None, bool]:
        """Depth first, at most `tries` decisions: the limits of a plan, and whether the whole search space was seen."""
        stack = [iter((root,))]
        while stack and tries and self._states < limit:
            node = next(stack[-1], None)
            if node is None:
                stack.pop()
            elif node[1]:
                tries -= 1
                stack.append(self._decide(*node))
            else:
                return node[0], False
        return None, not stack

    def _decide(self, limits: Limits, pairs: list[_Pair]) -> Iterator[_Node]:
        """What follows from each choice for the most urgent pair, the one with the most room first."""
        weights = self._weights
        pair = max(pairs, key=lambda pair: pair.width * weights[pair.number])
        most, least = limits.item(pair.first, pair.second), -limits.item(pair.second, pair.first)
        for low, high in sorted(pair.ranges, key=lambda choice: max(choice[0], least) - min(choice[1], most)):
            copy = limits.copy()
            if _restrict(copy, pair, low, high) and (node := self._settle(copy, pairs)) is not None:
                yield node

    def _settle(self, limits: Limits, pairs: list[_Pair]) -> _Node | None:
        """All that follows for `pairs`, which changes `limits`; `None` if one of them is left no choice."""
        changed = True
        while changed:
            changed = False
            self._states += 1 + len(pairs) // _PAIRS_IN_A_STATE
            is_open: list[_Pair] = []
            for pair in pairs:
                most, least = limits.item(pair.first, pair.second), -limits.item(pair.second, pair.first)
                ranges = [choice for choice in pair.ranges if choice[0] <= most and choice[1] >= least]
                low, high = (ranges[0][0], ranges[-1][1]) if ranges else (_FAR, -_FAR)
                if low > least or high < most:
                    changed = True
                    self._states += self._effort
                    if not _restrict(limits, pair, low, high):
                        self._weights[pair.number] += 1
                        return None
                if len(ranges) > 1:
                    is_open.append(pair if len(ranges) == len(pair.ranges) else pair._replace(ranges=ranges))
            pairs = is_open
        return limits, pairs


def _restrict(limits: Limits, pair: _Pair, low: int, high: int) -> bool:
    """Keep the distance of a pair from `low` to `high`, with all that follows for others. False if that cannot be."""
    return _bound(limits, pair.first, pair.second, high) and _bound(limits, pair.second, pair.first, -low)


def _bound(limits: Limits, first: int, second: int, most: int) -> bool:
    if most + limits.item(second, first) < 0:
        return False
    if most < limits.item(first, second):
        np.minimum(limits, (limits[:, first] + most)[:, None] + limits[second], out=limits)
    return True
