"""
Which regions of a model can run in stripes, and about what each costs.

The stripes between the first and the last one of a region are alike, so that three of them tell its cost. Where the
halo is so deep that a middle stripe meets the edge of a tensor this is an estimate, from above as a rule.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from math import lcm

from tinymo_xdsl.planner.rows import LocalAccess, Rows, Window
from tinymo_xdsl.planner.stripe_build import Edges, RegionBuilder
from tinymo_xdsl.planner.stripes import MAXIMUM_JOINED, Problem, Program, Region, live_bytes, steps_macs, write_steps


@dataclass(frozen=True)
class Span:
    """
    Consecutive layers, `first` to `last` included, that may become a region, and what is alive around them.

    `resident`: bytes of the values that are there before and needed behind. `released`: the values that are there
    before and die in it. `macs` and `operators` are those of the layers unsplit.
    """

    first: int
    last: int
    resident: int
    released: tuple[int, ...]
    macs: int
    operators: int


@dataclass(frozen=True)
class StripeCost:
    """
    What one stripe costs. `peak`: bytes of its own tensors; `last_peak`: the same and the values that the span
    releases, each until its last use, which is right for the last stripe.
    """

    peak: int
    last_peak: int
    macs: int
    operators: int


@dataclass(frozen=True)
class SplitSpan:
    """A span in stripes that end at the rows `cuts[1:]` of its result."""

    span: Span
    cuts: tuple[int, ...]
    edges: Edges


@dataclass(frozen=True)
class Candidate:
    """
    A split span and what it costs.

    `peak`: bytes alive at its worst operator, all around it included. `extra_macs` and `operators`: what it adds.
    """

    split: SplitSpan
    peak: int
    extra_macs: int
    operators: int


def make_span(problem: Problem, first: int, last: int, operators: int) -> Span:
    """The span of these layers, which take so many operators unsplit."""
    resident = 0
    released: list[int] = []
    for index, value in enumerate(problem.values):
        producer = problem.producers[index]
        if problem.last_use(index) < first or (producer is not None and producer >= first):
            continue
        if problem.last_use(index) > last:
            resident += value.size
        else:
            released.append(index)
    macs = sum(layer.macs for layer in problem.layers[first : last + 1])
    return Span(first, last, resident, tuple(released), macs, operators)


def closed_ends(problem: Problem, first: int) -> Iterator[int]:
    """The layers at which a region that begins with layer `first` can end: only the last result is used behind it."""
    reach = first
    for last in range(first, len(problem.layers)):
        if not problem.layers[last].can_split:
            return
        if reach <= last:
            yield last
        reach = max(reach, problem.last_use(problem.layers[last].results[0]))


def edge_choices(problem: Problem, first: int, last: int) -> list[Edges]:
    """The ways to get the edges of stripes right that are worth a try."""
    windows = [
        layer.results[0]
        for layer in problem.layers[first : last + 1]
        for operand in layer.operands
        if isinstance(operand.access, Window) and operand.access.kernel > operand.access.stride
    ]
    if not windows:
        return [Edges()]
    choices = [Edges(crops=frozenset(windows)), Edges(padded=True)]
    # Wrong rows of a single window are best cut off at once, those of several may be cheaper to drag along.
    return choices if len(windows) == 1 else [Edges(), *choices]


def row_unit(problem: Problem, first: int, last: int) -> int:
    """The fewest rows of the result that come from whole rows of all values in the span: cuts in between waste work."""
    rows_per_result_row = {problem.layers[last].results[0]: Fraction(1)}
    for layer in reversed(problem.layers[first : last + 1]):
        scale = rows_per_result_row[layer.results[0]]
        for operand in layer.operands:
            if isinstance(operand.access, Window):
                rows_per_result_row[operand.value] = scale * operand.access.stride
            elif isinstance(operand.access, LocalAccess):
                rows_per_result_row[operand.value] = scale / operand.access.growth
    return lcm(*(scale.denominator for scale in rows_per_result_row.values()))


def equal_cuts(rows: int, stripes: int, unit: int) -> tuple[int, ...]:
    """Rows 0 to `rows` in stripes of about equal height, cut at multiples of `unit`, of which there must be enough."""
    units = -(-rows // unit)
    return (*(units * index // stripes * unit for index in range(stripes)), rows)


def least_peak(problem: Problem, span: Span) -> int:
    """Bytes that the region of a span keeps alive however low its stripes are: its inputs whole, its result twice."""
    result = problem.values[problem.layers[span.last].results[0]]
    inputs = sum(problem.values[value].size for value in span.released)
    return span.resident + max(inputs, 2 * result.size)


def stripe_cost(problem: Problem, span: Span, rows: Rows, edges: Edges) -> StripeCost | None:
    """What the stripe that yields these rows of the span's result costs; None if no file can express it."""
    builder = RegionBuilder(problem, span.first, span.last, edges)
    if builder.add_stripe(rows) is None:
        return None
    program = write_steps(problem, Region(span.first, span.last, 1, tuple(builder.steps)))
    result = program.operators[-1].makes
    sizes = [0] * len(problem.values)
    own = Program((*sizes, *program.sizes[len(sizes) :]), program.operators, (), result)
    for value in span.released:
        sizes[value] = problem.values[value].size
    last = replace(own, sizes=(*sizes, *own.sizes[len(sizes) :]), at_start=span.released)
    macs = steps_macs(problem, builder.steps)
    return StripeCost(max(live_bytes(own)), max(live_bytes(last)), macs, len(program.operators))


def join_operators(parts: int) -> int:
    """How many joins put so many parts together."""
    return -(-(parts - 1) // (MAXIMUM_JOINED - 1))


def estimate(problem: Problem, split: SplitSpan) -> Candidate | None:
    """What a span costs in two or more stripes of about equal height; None if no file can express it."""
    span, cuts = (split.span, split.cuts)
    stripes = [Rows(start, stop) for start, stop in pairwise(cuts)]
    inner = stripes[1:-1]
    tallest = max(inner, key=lambda rows: (len(rows), -abs(rows.start + rows.stop - cuts[-1])), default=stripes[0])
    costs = [stripe_cost(problem, span, rows, split.edges) for rows in (stripes[0], tallest, stripes[-1])]
    head, middle, tail = costs
    if head is None or middle is None or tail is None:
        return None
    result = problem.values[problem.layers[span.last].results[0]]
    around = span.resident + sum(problem.values[value].size for value in span.released)
    peaks = [
        around + head.peak,
        span.resident + cuts[-2] * result.row_bytes + tail.last_peak,
        span.resident + 2 * result.size,
    ]
    macs = head.macs + tail.macs
    operators = head.operators + tail.operators + join_operators(len(stripes))
    if inner:
        peaks.append(around + (cuts[-2] - len(inner[-1])) * result.row_bytes + middle.peak)
        macs += middle.macs * (cuts[-2] - cuts[1]) // len(tallest)
        operators += middle.operators * len(inner)
    return Candidate(split, max(peaks), macs - span.macs, operators - span.operators)
