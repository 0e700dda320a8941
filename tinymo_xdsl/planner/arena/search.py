"""
A complete search for a plan that fits into a given arena.

Time is cut into sections between which nothing begins or ends. The skyline is the lowest offset that is still free in
each section. A valley is a run of sections at one level between higher walls: whatever comes next in its outermost
section either begins right there, at this level, or lies higher, at a level that is known. The search branches over
these possibilities at the edge of the most constrained valley.

- A section may waste only the bytes that its buffers, placed or not, leave free. A valley that nothing fits into is
  filled up to its lower wall, and if that wastes too much, the branch is dead.
- Plans in which a buffer could sink lie outside of the search: each one is supported by another or by the ground.
- As soon as no open buffer spans a boundary between two sections, both sides are searched one after the other, and a
  side without a plan is not searched again for another plan of the other side.

The search is complete where every buffer is one piece and none is fixed. Otherwise there are holes below placed
pieces, and buffers that rest on one of several pieces: such plans are searched, but not all of them.

The ideas of sections, supported plans and splitting are MiniMalloc's (Moffitt, ASPLOS 2023); valleys are those of the
best-fit heuristic for strip packing (Burke, Kendall and Whitwell, Operations Research 52(4), 2004).
"""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from tinymo_xdsl.planner.arena.sections import Sections
from tinymo_xdsl.planner.arena.skyline import WALL, Skyline, Snapshot
from tinymo_xdsl.planner.arena.strategy import Strategy
from tinymo_xdsl.planner.arena.valleys import Branch, Known, find_branch

_SECTIONS_IN_A_STATE = 256
"""A state of more sections counts as several, because it takes as long."""


@dataclass(frozen=True)
class Outcome:
    """What a search ended with."""

    offsets: tuple[int, ...] | None
    """Offsets in units, or `None`: no plan was found."""
    exhausted: bool
    """Whether the whole search space was seen, so that there is no such plan if all buffers are simple."""
    states: int
    """How many placements were looked at."""


class _Region(NamedTuple):
    """Sections that no open buffer leaves, to be searched; `frame` is the decision that made them a region."""

    first: int
    end: int
    frame: int
    known: Known
    rest: "_Region | None"
    """What is to be searched afterwards."""


@dataclass
class _Frame:
    """A decision: the edge at which it is taken, and how many of its choices have been tried."""

    region: _Region
    branch: Branch
    before: Snapshot
    tried: int = 0


@dataclass
class _Search:
    skyline: Skyline
    strategy: Strategy
    limit: int
    states: int = 0
    frames: list[_Frame] = field(default_factory=list["_Frame"])

    def run(self) -> Outcome:
        """Depth first."""
        skyline = self.skyline
        if not skyline.place_fixed():
            return Outcome(None, True, 0)
        region = self._split(0, skyline.sections.count, -1, {}, None)
        while region is not None:
            if self.states >= self.limit:
                return Outcome(None, False, self.states)
            self.states += 1 + (region.end - region.first) // _SECTIONS_IN_A_STATE
            branch = find_branch(skyline, region.first, region.end, region.known, self.strategy)
            frame = region.frame
            if branch is not None:
                frame = len(self.frames)
                before = skyline.snapshot(region.first, region.end)
                self.frames.append(_Frame(region, branch, before))
            if not self._advance(frame):
                return Outcome(None, True, self.states)
            top = self.frames[-1]
            region = self._split(
                top.region.first, top.region.end, len(self.frames) - 1, top.branch.known, top.region.rest
            )
        return Outcome(tuple(skyline.offsets), False, self.states)

    def _advance(self, index: int) -> bool:
        """Take the next choice of frame `index`, or of the nearest one below that has any left. False if none has."""
        while index >= 0:
            del self.frames[index + 1 :]
            frame = self.frames[index]
            if self._choose(frame):
                return True
            index = frame.region.frame
        return False

    def _choose(self, frame: _Frame) -> bool:
        edge = frame.branch.edge
        while frame.tried < len(edge.parts):
            frame.tried += 1
            self.skyline.restore(frame.before)
            if self.skyline.place_part(edge.parts[frame.tried - 1], edge.level):
                return True
        if frame.tried > len(edge.parts) or not edge.may_stay_empty:
            return False
        frame.tried += 1
        self.skyline.restore(frame.before)
        return self.skyline.raise_floor(edge.section, edge.lift)

    def _split(self, first: int, end: int, frame: int, known: Known, rest: _Region | None) -> _Region | None:
        """The regions of [first, end), the one with the least slack first, then `rest`."""
        floor, ceiling, spanning = self.skyline.floor, self.skyline.ceiling, self.skyline.spanning
        bounds = [first, *(section for section in range(first + 1, end) if not spanning[section]), end]
        regions: list[tuple[int, int, int]] = []
        for low, high in pairwise(bounds):
            if floor[low] != WALL or high - low > 1:
                slack = min(ceiling[section] - floor[section] for section in range(low, high))
                regions.append((slack, low, high))
        for _, low, high in sorted(regions, reverse=True):
            rest = _Region(low, high, frame, known, rest)
        return rest


def search(sections: Sections, height: int, strategy: Strategy, limit: int) -> Outcome:
    """Look for a plan within `height` units, in at most `limit` states."""
    if any(units > height for units in sections.live()):
        return Outcome(None, True, 0)
    return _Search(Skyline(sections, height, strategy.priority(sections)), strategy, limit).run()
