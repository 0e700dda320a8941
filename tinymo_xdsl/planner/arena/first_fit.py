"""
Plans that place one buffer after the other: first-fit and best-fit, in a given order.

What is fixed comes first. Every other buffer goes into the lowest gap that holds it, or the tightest one.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TypeAlias

from tinymo_xdsl.planner.arena.problem import Piece, Problem, round_up

UNPLACED = -1
"""Stands for an offset in the working lists of planners."""


@dataclass(frozen=True)
class Conflict:
    """
    Two buffers, by index, that are in use at once.

    Their offsets o_i and o_j must not have low < o_i - o_j < high.
    """

    other: int
    low: int
    high: int


class Placer:
    """Places buffers of one problem among those that are placed already."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.conflicts = conflicts_of(problem)
        self.near = [[(c.other, c.low, c.high) for c in conflicts] for conflicts in self.conflicts]
        """The conflicts as plain tuples, which are faster to go through."""
        self.alignment = [buffer.alignment for buffer in problem.buffers]
        self.fixed = [UNPLACED if buffer.offset is None else buffer.offset for buffer in problem.buffers]

    def first_fit(self, index: int, offsets: Sequence[int]) -> int:
        """The lowest offset for buffer `index` beside those of `offsets` that are not `UNPLACED`."""
        alignment = self.alignment[index]
        offset = 0
        for low, high in self._blocked(index, offsets):
            if low >= offset:
                break
            if high > offset:
                offset = round_up(high, alignment)
        return offset

    def best_fit(self, index: int, offsets: Sequence[int]) -> int:
        """The offset in the gap that buffer `index` fills best, of equal ones the lowest."""
        alignment = self.alignment[index]
        offset, best, best_rest = 0, UNPLACED, -1
        for low, high in self._blocked(index, offsets):
            if low >= offset and (best == UNPLACED or low - offset < best_rest):
                best, best_rest = offset, low - offset
            if high > offset:
                offset = round_up(high, alignment)
        return offset if best == UNPLACED else best

    def place(self, order: Iterable[int], fit: "Fit") -> list[int]:
        """Offsets for all buffers, placed in `order` after the fixed ones."""
        offsets = list(self.fixed)
        for index in order:
            if offsets[index] == UNPLACED:
                offsets[index] = fit(self, index, offsets)
        return offsets

    def _blocked(self, index: int, offsets: Sequence[int]) -> list[tuple[int, int]]:
        """The ranges, ends excluded, in which the buffer must not begin, by their lower ends."""
        blocked = [
            (offsets[other] + low, offsets[other] + high)
            for other, low, high in self.near[index]
            if offsets[other] != UNPLACED
        ]
        blocked.sort()
        return blocked


Fit: TypeAlias = Callable[[Placer, int, Sequence[int]], int]
"""Chooses the offset of one buffer: `Placer.first_fit` or `Placer.best_fit`."""


def conflicts_of(problem: Problem) -> list[list[Conflict]]:
    """For every buffer its conflicts with all others."""
    ranges: dict[tuple[int, int], list[tuple[int, int]]] = {}
    in_use: list[tuple[int, Piece]] = []
    pieces = [(index, piece) for index, buffer in enumerate(problem.buffers) for piece in buffer.rectangles]
    overlaps = {(overlap.later, overlap.earlier, overlap.step): overlap for overlap in problem.overlaps}
    for index, piece in sorted(pieces, key=lambda entry: entry[1].start):
        in_use = [entry for entry in in_use if entry[1].end > piece.start]
        for other, held in in_use:
            if other != index:
                low, high = held.offset - piece.top, held.top - piece.offset
                overlap = overlaps.get((index, other, piece.start))
                if overlap is not None and overlap.allows(piece, held):
                    low = max(low, overlap.lead)
                if low < high:
                    ranges.setdefault((index, other), []).append((low, high))
        in_use.append((index, piece))
    conflicts: list[list[Conflict]] = [[] for _ in problem.buffers]
    ties = _ties(problem)
    for (index, other), forbidden in ranges.items():
        between = [part for low, high in forbidden for part in _cut(low, high, ties.get((index, other), ()))]
        conflicts[index] += [Conflict(other, low, high) for low, high in between]
        conflicts[other] += [Conflict(index, -high, -low) for low, high in between]
    return [_united(entries) for entries in conflicts]


def _ties(problem: Problem) -> dict[tuple[int, int], list[int]]:
    """The distances at which buffers hold the same, for both orders of each pair."""
    distances: dict[tuple[int, int], list[int]] = {}
    for tie in problem.ties:
        distances.setdefault((tie.first, tie.second), []).append(tie.distance)
        distances.setdefault((tie.second, tie.first), []).append(-tie.distance)
    return distances


def _cut(low: int, high: int, points: Iterable[int]) -> Iterable[tuple[int, int]]:
    """The range from `low` to `high`, ends excluded, without `points`."""
    return pairwise([low, *sorted(point for point in points if low < point < high), high])


def _united(conflicts: list[Conflict]) -> list[Conflict]:
    """The same conflicts, those with one buffer united where their ranges overlap."""
    united: list[Conflict] = []
    for conflict in sorted(conflicts, key=lambda c: (c.other, c.low, c.high)):
        last = united[-1] if united else None
        if last is not None and last.other == conflict.other and conflict.low < last.high:
            united[-1] = Conflict(last.other, last.low, max(last.high, conflict.high))
        else:
            united.append(conflict)
    return united


def orders(problem: Problem) -> dict[str, list[int]]:
    """Orders to place buffers in, by name. Of equals the first in the problem comes first."""
    contention = _contention(problem)
    buffers = problem.buffers
    return {
        "size": _ranked(problem, lambda i: (-buffers[i].size, buffers[i].start)),
        "area": _ranked(problem, lambda i: (-buffers[i].area, buffers[i].start)),
        "lifetime": _ranked(problem, lambda i: (buffers[i].start - buffers[i].end, -buffers[i].size)),
        "start": _ranked(problem, lambda i: (buffers[i].start, -buffers[i].size)),
        "end": _ranked(problem, lambda i: (-buffers[i].end, -buffers[i].size)),
        "contention": _ranked(problem, lambda i: (-contention[i], -buffers[i].size)),
        "contention-area": _ranked(problem, lambda i: (-contention[i], -buffers[i].area)),
    }


def _ranked(problem: Problem, key: Callable[[int], tuple[int, int]]) -> list[int]:
    return sorted(range(len(problem.buffers)), key=key)


def _contention(problem: Problem) -> list[int]:
    """For every buffer the most bytes that are in use at one of its steps, its own included."""
    changes: dict[int, int] = {}
    for buffer in problem.buffers:
        for piece in buffer.rectangles:
            changes[piece.start] = changes.get(piece.start, 0) + piece.size
            changes[piece.end] = changes.get(piece.end, 0) - piece.size
    steps = sorted(changes)
    loads = list(accumulate(changes[step] for step in steps))
    return [max(loads[bisect_left(steps, b.start) : bisect_left(steps, b.end)]) for b in problem.buffers]
