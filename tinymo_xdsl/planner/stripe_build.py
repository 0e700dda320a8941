"""
The steps that run some consecutive layers of a model in row stripes.

A stripe is worked out backwards, from the rows of the result to the rows of every value that they need, and then
built forwards. Where the pads that a stripe needs cannot be written as SAME or VALID, the window is widened to one that
SAME fits: the rows at its edges come out wrong, run along, and are cut off later. This costs a few rows of work and
never a padded copy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tinymo_xdsl.planner.rows import LocalAccess, Padding, Rows, Window
from tinymo_xdsl.planner.stripes import (
    MAXIMUM_JOINED,
    Compute,
    Join,
    Layer,
    Part,
    Problem,
    Region,
    Slice,
    Source,
    Step,
    Whole,
)


@dataclass(frozen=True)
class Feed:
    """The rows of an operand that a layer runs on in one stripe, and the pads around them."""

    rows: Rows
    pad_top: int = 0
    pad_bottom: int = 0


@dataclass(frozen=True)
class Held:
    """What a stripe holds of a value: where it is, and its rows."""

    source: Source
    rows: Rows


def same_feed(access: Window, fed: Rows, result: Rows) -> Feed | None:
    """These rows, which hold all that `result` reads, padded as SAME pads; None if that does not yield `result`."""
    top, bottom = access.same_padding(len(fed))
    if not access.same_columns or (fed.start - top + access.pad_top) % access.stride:
        return None
    return Feed(fed, top, bottom) if access.computed(fed, top, bottom).contains(result) else None


@dataclass(frozen=True)
class Edges:
    """
    How the stripes of a region get their edges right.

    `padded`: every window is fed exactly the rows that it needs, behind a PAD operator where that takes one. Otherwise
    windows are fed more, so that SAME fits; the rows that come out wrong are cut off behind the layers that make a
    value in `crops`, and behind the last one; everywhere else they run along, and windows spread them.
    """

    crops: frozenset[int] = frozenset()
    padded: bool = False


def choose_feed(access: LocalAccess, result: Rows, operand_rows: int, padded: bool) -> Feed | None:
    """
    The fewest rows that a layer must be fed to yield `result`; None if no file can express them.

    Unless `padded`, more of them where that spares a PAD operator.
    """
    rows = access.needed(result, operand_rows)
    if not isinstance(access, Window) or access.is_elementwise:
        return Feed(rows)
    top = max(access.pad_top - result.start * access.stride, 0)
    bottom = max((result.stop - 1) * access.stride - access.pad_top + access.kernel - operand_rows, 0)
    padding = access.padding(len(rows), top, bottom)
    if padding in (Padding.SAME, Padding.VALID) or (padding is Padding.EXPLICIT and padded):
        return Feed(rows, top, bottom)
    for before, after in _widenings(access.stride):
        wider = Rows(max(rows.start - before, 0), min(rows.stop + after, operand_rows))
        feed = same_feed(access, wider, result)
        if feed is not None:
            return feed
    return None if padding is None else Feed(rows, top, bottom)


def _widenings(stride: int) -> list[tuple[int, int]]:
    """By how many rows a window may be widened (before, behind) to get in step with SAME, fewest rows first."""
    return sorted(((before, after) for before in range(stride + 1) for after in range(stride + 1)), key=sum)


@dataclass(frozen=True)
class StripePlan:
    """For one stripe: the rows of every value that must be right, and what every operand of every layer is fed."""

    needed: Mapping[int, Rows]
    feeds: Mapping[tuple[int, int], Feed]


def plan_stripe(problem: Problem, first: int, last: int, result: Rows, padded: bool) -> StripePlan | None:
    """What the layers `first` to `last` need to yield `result`; None if no file can express it."""
    needed = {problem.layers[last].results[0]: result}
    feeds: dict[tuple[int, int], Feed] = {}
    for index in range(last, first - 1, -1):
        layer = problem.layers[index]
        for position, operand in enumerate(layer.operands):
            if not isinstance(operand.access, LocalAccess):
                continue
            height = problem.values[operand.value].rows
            feed = choose_feed(operand.access, needed[layer.results[0]], height, padded)
            if feed is None:
                return None
            feeds[index, position] = feed
            known = needed.get(operand.value, feed.rows)
            needed[operand.value] = known.hull(feed.rows)
    return StripePlan(needed, feeds)


class RegionBuilder:
    """Builds the steps of one region, stripe by stripe."""

    def __init__(self, problem: Problem, first: int, last: int, edges: Edges) -> None:
        self.problem = problem
        self.first = first
        self.last = last
        self.edges = edges
        self.steps: list[Step] = []

    def emit(self, step: Step) -> Held:
        """Append a step."""
        self.steps.append(step)
        return Held(Part(len(self.steps) - 1), step.rows)

    def crop(self, value: int, held: Held, rows: Rows) -> Held:
        """Exactly these rows of what is held."""
        if held.rows == rows:
            return held
        return self.emit(Slice(value, rows, held.source))

    def add_stripe(self, result: Rows) -> Held | None:
        """Append the steps that yield `result`, rows of the last layer's result; None if no file can express them."""
        plan = plan_stripe(self.problem, self.first, self.last, result, self.edges.padded)
        return None if plan is None else self.add_planned(plan)

    def add_planned(self, plan: StripePlan) -> Held:
        """Append the steps of a stripe; what they yield."""
        held: dict[int, Held] = {}
        made = Held(Part(0), plan.needed[self.problem.layers[self.last].results[0]])
        for index in range(self.first, self.last + 1):
            value = self.problem.layers[index].results[0]
            made = self.run_layer(index, plan, held)
            wanted = made.rows.intersection(Rows(0, self.problem.values[value].rows))
            if value in self.edges.crops or index == self.last:
                wanted = plan.needed[value]
            held[value] = made = self.crop(value, made, wanted)
        return made

    def run_layer(self, index: int, plan: StripePlan, held: Mapping[int, Held]) -> Held:
        """Append one layer's work in one stripe, the slices that it needs in front included."""
        layer = self.problem.layers[index]
        operands = [held.get(operand.value) or self.whole(operand.value) for operand in layer.operands]
        feed = self.choose_common_feed(index, layer, plan, operands)
        computed = feed.rows
        for position, operand in enumerate(layer.operands):
            if isinstance(operand.access, LocalAccess):
                operands[position] = self.crop(operand.value, operands[position], feed.rows)
                computed = operand.access.computed(feed.rows, feed.pad_top, feed.pad_bottom)
        sources = tuple(operand.source for operand in operands)
        return self.emit(Compute(layer.results[0], computed, index, sources, feed.pad_top, feed.pad_bottom))

    def whole(self, value: int) -> Held:
        """A value that was made before the region."""
        return Held(Whole(value), Rows(0, self.problem.values[value].rows))

    def choose_common_feed(self, index: int, layer: Layer, plan: StripePlan, operands: Sequence[Held]) -> Feed:
        """The rows that all operands which are not read whole are fed: what the stripe holds of them if that serves."""
        positions = [position for position in range(len(operands)) if (index, position) in plan.feeds]
        planned = plan.feeds[index, positions[0]]
        parts = [operands[position] for position in positions if isinstance(operands[position].source, Part)]
        if not parts:
            return planned
        access = layer.operands[positions[0]].access
        if isinstance(access, Window) and not access.is_elementwise:
            if self.edges.padded:
                return planned
            return same_feed(access, parts[0].rows, plan.needed[layer.results[0]]) or planned
        rows = parts[0].rows
        for part in parts:
            rows = rows.intersection(part.rows)
        return Feed(rows)

    def join(self, parts: Sequence[Held]) -> Held:
        """Append the joins, nested if there are many, that put the parts of the region's result together."""
        value = self.problem.layers[self.last].results[0]
        while len(parts) > 1:
            # A join of n parts leaves len(parts) - n + 1: the first one takes as few as make all others full.
            spare = (len(parts) - 1) % (MAXIMUM_JOINED - 1)
            count = spare + 1 if spare and len(parts) > MAXIMUM_JOINED else min(len(parts), MAXIMUM_JOINED)
            rows = Rows(parts[0].rows.start, parts[count - 1].rows.stop)
            joined = self.emit(Join(value, rows, tuple(part.source for part in parts[:count])))
            parts = [joined, *parts[count:]]
        return parts[0]


def build_region(
    problem: Problem, first: int, last: int, cuts: Sequence[int], edges: Edges, upwards: bool = False
) -> Region | None:
    """
    The layers `first` to `last` in stripes that end at the rows `cuts[1:]` of the last result, from `cuts[0]` = 0 on.

    `upwards`: the last rows come first. None if no file can express them.
    """
    builder = RegionBuilder(problem, first, last, edges)
    stripes = [Rows(start, stop) for start, stop in pairwise(cuts)]
    parts: list[Held] = []
    for rows in reversed(stripes) if upwards else stripes:
        part = builder.add_stripe(rows)
        if part is None:
            return None
        parts.append(part)
    builder.join(sorted(parts, key=lambda part: part.rows))
    return Region(first, last, len(parts), tuple(builder.steps))
