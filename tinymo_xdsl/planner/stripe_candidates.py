"""
What spans of a model cost in stripes, about.

The stripes between the first and the last one of a region are alike, so that three of them tell its cost. Where the
halo is so deep that a middle stripe meets the edge of a tensor this is an estimate, from above as a rule.
"""

from dataclasses import dataclass
from itertools import pairwise

from tinymo_xdsl.planner.rows import Rows, Window
from tinymo_xdsl.planner.stripe_build import Edges, RegionBuilder, StripePlan, plan_stripe
from tinymo_xdsl.planner.stripe_cost import Accounting, steps_macs
from tinymo_xdsl.planner.stripe_in_place import StripeUse, stripe_use
from tinymo_xdsl.planner.stripe_spans import Span, released_size, span_result
from tinymo_xdsl.planner.stripes import (
    MAXIMUM_JOINED,
    Problem,
    Program,
    Region,
    Slice,
    Whole,
    live_bytes,
    write_steps,
)


@dataclass(frozen=True)
class StripeCost:
    """
    What one stripe costs.

    `peak`: bytes in use at its worst operator: by its own tensors, by the values that the span releases, and by what
    there is of the result. `copied`: bytes of what it yields that cannot lie in the whole result right away.
    `operators`: how many. `upkeep`: bytes that they take for good.
    """

    peak: int
    copied: int
    macs: int
    operators: int
    upkeep: int


@dataclass(frozen=True)
class SplitSpan:
    """
    A span in stripes that end at the rows `cuts[1:]` of its result; `upwards`, the last rows are computed first.

    What is there in whole before and behind a stripe lies at the two ends of an arena, so that the bytes between them
    are in one piece. That takes a region that goes downwards if its input lies at the high end, and one upwards if not.
    """

    span: Span
    cuts: tuple[int, ...]
    edges: Edges
    upwards: bool = False


@dataclass(frozen=True)
class Candidate:
    """
    A split span and what it costs.

    `peak`: bytes in use at its worst operator, all around it included. `macs`, `operators`, `upkeep`: those of its
    steps.
    """

    split: SplitSpan
    peak: int
    macs: int
    operators: int
    upkeep: int


def edge_choices(problem: Problem, span: Span) -> list[Edges]:
    """The ways to get the edges of stripes right that are worth a try."""
    windows = [
        layer.results[0]
        for layer in problem.layers[span.first : span.last + 1]
        for operand in layer.operands
        if isinstance(operand.access, Window) and operand.access.kernel > operand.access.stride
    ]
    if not windows:
        return [Edges()]
    choices = [Edges(crops=frozenset(windows)), Edges(padded=True)]
    # Wrong rows of a single window are best cut off at once, those of several may be cheaper to drag along.
    return choices if len(windows) == 1 else [Edges(), *choices]


def equal_cuts(rows: int, stripes: int, unit: int) -> tuple[int, ...]:
    """Rows 0 to `rows` in stripes of about equal height, cut at multiples of `unit`, of which there must be enough."""
    units = -(-rows // unit)
    return (*(units * index // stripes * unit for index in range(stripes)), rows)


def join_operators(parts: int) -> int:
    """How many joins put so many parts together."""
    return -(-(parts - 1) // (MAXIMUM_JOINED - 1))


def steps_peak(problem: Problem, program: Program, released: tuple[int, ...]) -> int:
    """Bytes alive at the worst operator of some steps: what they make, and the released values until their last use."""
    made = {tensor for operator in program.operators for tensor in operator.makes}
    counted = made.union(released)
    values = range(len(problem.values))
    sizes = [program.sizes[value] if value in counted else 0 for value in values]
    sizes += program.sizes[len(values) :]
    return max(live_bytes(Program(tuple(sizes), program.operators, released, program.operators[-1].makes)))


def _is_cut_off_what_is_done(stripe: Region, upwards: bool) -> bool:
    """
    Whether the result of a stripe is cut off from wrong rows that would lie on rows of stripes before it.

    In the whole result there is no place for them then.
    """
    cut = stripe.steps[-1]
    if not isinstance(cut, Slice) or isinstance(cut.source, Whole):
        return False
    made = stripe.steps[cut.source.step].rows
    return made.stop > cut.rows.stop if upwards else made.start < cut.rows.start


class StripeCosts:
    """What single stripes and whole split spans of one problem cost; everything is worked out once."""

    def __init__(self, problem: Problem, accounting: Accounting = Accounting.COPIES) -> None:
        self.problem = problem
        self.accounting = accounting
        self._stripes: dict[tuple[int, int, Rows, Edges, bool], StripeCost | None] = {}
        self._plans: dict[tuple[int, int, Rows, bool], StripePlan | None] = {}
        self._candidates: dict[SplitSpan, Candidate | None] = {}

    def joined_size(self, span: Span) -> int:
        """Bytes that the result of a span takes at least when its parts are joined: twice its size as copies."""
        return span_result(self.problem, span).size * (2 if self.accounting is Accounting.COPIES else 1)

    def least_peak(self, span: Span) -> int:
        """Bytes that the region of a span has in use however low its stripes are: its inputs, its joined result."""
        return span.resident + max(released_size(self.problem, span), self.joined_size(span))

    def stripe(self, span: Span, rows: Rows, edges: Edges, upwards: bool = False) -> StripeCost | None:
        """What the stripe that yields these rows of the span's result costs; None if no file can express it."""
        key = (span.first, span.last, rows, edges, upwards)
        if key not in self._stripes:
            self._stripes[key] = self._build_stripe(span, rows, edges, upwards)
        return self._stripes[key]

    def _build_stripe(self, span: Span, rows: Rows, edges: Edges, upwards: bool) -> StripeCost | None:
        plan = self._plan(span, rows, edges)
        if plan is None:
            return None
        builder = RegionBuilder(self.problem, span.first, span.last, edges)
        builder.add_planned(plan)
        stripe = Region(span.first, span.last, 1, tuple(builder.steps))
        result = span_result(self.problem, span)
        left = Rows(0, rows.start) if upwards else Rows(rows.stop, result.rows)
        use = self._use(span, stripe, left, edges)
        peak = use.peak + (result.rows - len(rows) - len(left)) * result.row_bytes
        is_copied = self.accounting is Accounting.COPIES or _is_cut_off_what_is_done(stripe, upwards)
        copied = len(rows) * result.row_bytes if is_copied else 0
        return StripeCost(peak, copied, steps_macs(self.problem, builder.steps), use.operators, use.upkeep)

    def _plan(self, span: Span, rows: Rows, edges: Edges) -> StripePlan | None:
        """What the stripe that yields these rows reads, the same for all edges without PADs."""
        key = (span.first, span.last, rows, edges.padded)
        if key not in self._plans:
            self._plans[key] = plan_stripe(self.problem, *key)
        return self._plans[key]

    def _use(self, span: Span, stripe: Region, left: Rows, edges: Edges) -> StripeUse:
        """What the operators of a stripe use; `left`: the rows of the result that are computed behind it."""
        if self.accounting is Accounting.PLANNED:
            following = self._plan(span, left, edges) if len(left) else None
            return stripe_use(self.problem, span, stripe, following)
        program = write_steps(self.problem, stripe)
        peak = steps_peak(self.problem, program, () if len(left) else span.released)
        peak += released_size(self.problem, span) if len(left) else 0
        return StripeUse(peak, len(program.operators), sum(operator.upkeep for operator in program.operators))

    def total(self, split: SplitSpan) -> Candidate | None:
        """What a split span costs, stripe by stripe; None if no file can express it."""
        rows = (Rows(start, stop) for start, stop in pairwise(split.cuts))
        stripes = [self.stripe(split.span, part, split.edges, split.upwards) for part in rows]
        costs = [cost for cost in stripes if cost is not None]
        if len(costs) < len(stripes):
            return None
        joins = join_operators(len(stripes))
        joined = span_result(self.problem, split.span).size + sum(cost.copied for cost in costs)
        return Candidate(
            split,
            split.span.resident + max(joined, *(cost.peak for cost in costs)),
            sum(cost.macs for cost in costs),
            sum(cost.operators for cost in costs) + joins,
            sum(cost.upkeep for cost in costs) + joins * self.problem.upkeep.join,
        )

    def estimate(self, split: SplitSpan) -> Candidate | None:
        """What a span costs in two or more stripes of about equal height; None if no file can express it."""
        if split not in self._candidates:
            self._candidates[split] = self._estimate(split)
        return self._candidates[split]

    def _estimate(self, split: SplitSpan) -> Candidate | None:
        span, cuts = (split.span, split.cuts)
        stripes = [Rows(start, stop) for start, stop in pairwise(cuts)]
        inner = stripes[1:-1]
        tallest = max(inner, key=lambda rows: (len(rows), -abs(rows.start + rows.stop - cuts[-1])), default=stripes[0])
        head, middle, tail = (
            self.stripe(span, rows, split.edges, split.upwards) for rows in (stripes[0], tallest, stripes[-1])
        )
        if head is None or middle is None or tail is None:
            return None
        copied = head.copied + tail.copied + middle.copied * len(inner)
        peaks = [head.peak, tail.peak, span_result(self.problem, span).size + copied]
        joins = join_operators(len(stripes))
        macs = head.macs + tail.macs
        operators = head.operators + tail.operators + joins
        upkeep = head.upkeep + tail.upkeep + joins * self.problem.upkeep.join
        if inner:
            growth = -self.growth(span) if split.upwards else self.growth(span)
            peaks += [int(middle.peak + growth * (rows.start - tallest.start)) for rows in (inner[0], inner[-1])]
            macs += middle.macs * (cuts[-2] - cuts[1]) // len(tallest)
            operators += middle.operators * len(inner)
            upkeep += middle.upkeep * len(inner)
        return Candidate(split, span.resident + max(peaks), macs, operators, upkeep)

    def growth(self, span: Span) -> float:
        """Bytes by which what is there in whole grows with each row of the result that is done."""
        result = span_result(self.problem, span)
        if self.accounting is Accounting.COPIES:
            return result.row_bytes
        return result.row_bytes - released_size(self.problem, span) / result.rows
