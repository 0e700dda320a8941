"""
The search for regions that run in stripes or as loops, whichever takes less of an arena.

Stripes need less room: their input dies and their result is born row by row. A loop has both whole, but takes the same
few bytes for good however many rounds it runs. It needs an arena plan, without which everything that it carries is
copied; so what counts is what a file with a plan takes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tinymo_xdsl.planner.loops import Loop, LoopCost, loop_cost, loop_source, plan_loop
from tinymo_xdsl.planner.stripe_build import Edges
from tinymo_xdsl.planner.stripe_candidates import Candidate, SplitSpan
from tinymo_xdsl.planner.stripe_cost import Accounting, Cost, evaluate
from tinymo_xdsl.planner.stripe_search import SearchOptions, StripeSearch
from tinymo_xdsl.planner.stripe_solutions import Found
from tinymo_xdsl.planner.stripe_spans import Span, make_span, row_unit, span_result
from tinymo_xdsl.planner.stripes import Compute, Layer, Operand, Problem, Region, Solution


@dataclass(frozen=True, kw_only=True)
class LoopRegion(Region):
    """A region that runs as a loop: its steps are those of `loop`, and `stripes` is the number of its rounds."""

    loop: Loop


@dataclass(frozen=True)
class _LoopEdges(Edges):
    """All windows of a loop are padded alike."""


@dataclass(frozen=True, kw_only=True)
class _LoopSpan(SplitSpan):
    """A span that runs as a loop; each round keeps the rows between two cuts, though the last one makes more."""

    loop: Loop
    cost: LoopCost

    @property
    def candidate(self) -> Candidate:
        return Candidate(self, self.cost.peak, self.cost.macs, self.cost.operators, self.cost.upkeep)


def loop_finalists(problem: Problem, options: SearchOptions, count: int, alone: bool = False) -> list[Solution]:
    """
    Up to `count` solutions with loops, the best first; their regions are `LoopRegion`s or, unless `alone`, others too.

    They differ in their regions first, in how many rounds and stripes these have second.
    """
    options = replace(options, accounting=Accounting.PLANNED, bytes_per_operator=None)
    return _LoopSearch(problem, options, alone).finalists(count)


def has_loops(solution: Solution) -> bool:
    """Whether a region of the solution is a loop."""
    return any(isinstance(region, LoopRegion) for region in solution.regions)


def evaluate_loops(problem: Problem, solution: Solution) -> Cost:
    """What the file of a solution costs that holds an arena plan."""
    return evaluate(*_without_loops(problem, solution), Accounting.PLANNED)


def loop_region(problem: Problem, span: Span, rounds: int) -> LoopRegion | None:
    """A span as a loop of about so many rounds; None if it cannot be one."""
    rows, unit = span_result(problem, span).rows, row_unit(problem, span)
    loop = plan_loop(problem, span, -(-rows // unit // rounds) * unit)
    return None if loop is None else _as_region(loop)


def _as_region(loop: Loop) -> LoopRegion:
    return LoopRegion(loop.first, loop.last, len(loop.rounds), (), loop=loop)


def _without_loops(problem: Problem, solution: Solution) -> tuple[Problem, Solution]:
    """The same problem and solution, each loop a layer that cannot be split and that has scratch."""
    loops = {region.first: region.loop for region in solution.regions if isinstance(region, LoopRegion)}
    layers: list[Layer] = []
    numbers: list[int] = []
    end = 0
    for index, layer in enumerate(problem.layers):
        if (loop := loops.get(index)) is not None:
            layers.append(_loop_layer(problem, loop))
            end = loop.last + 1
        elif index >= end:
            layers.append(layer)
        numbers.append(len(layers) - 1)
    others = [_renumbered(region, numbers) for region in solution.regions if not isinstance(region, LoopRegion)]
    return replace(problem, layers=tuple(layers)), Solution(tuple(others))


def _loop_layer(problem: Problem, loop: Loop) -> Layer:
    """A layer that costs what the loop does."""
    span = make_span(problem, loop.first, loop.last)
    cost = loop_cost(problem, span, loop)
    last = problem.layers[loop.last]
    return Layer(last.name, (Operand(loop.source, None),), last.results, cost.macs, cost.body, 0, cost.upkeep)


def _renumbered(region: Region, numbers: Sequence[int]) -> Region:
    steps = [replace(step, layer=numbers[step.layer]) if isinstance(step, Compute) else step for step in region.steps]
    return replace(region, first=numbers[region.first], last=numbers[region.last], steps=tuple(steps))


class _LoopSearch(StripeSearch):
    """One search on one problem, for loops and, unless they are to be `alone`, stripes."""

    def __init__(self, problem: Problem, options: SearchOptions, alone: bool) -> None:
        super().__init__(problem, options)
        self.alone = alone
        self._loops: dict[Span, list[_LoopSpan]] = {}

    def pool(self, floor: int) -> list[Candidate]:
        """As for stripes alone, and the loops that lower the peak of their span."""
        pool = [] if self.alone else super().pool(floor)
        for span in self.spans:
            unsplit = max(layer.peak for layer in self.layers[span.first : span.last + 1])
            if unsplit > floor:
                pool += [loop.candidate for loop in self.loops(span, unsplit) if loop.cost.peak < unsplit]
        return pool

    def loops(self, span: Span, below: int) -> list[_LoopSpan]:
        """The span as loops of more and more rounds, within the work that is allowed; none that cannot get `below`."""
        if span not in self._loops:
            self._loops[span] = self._find_loops(span, below)
        return self._loops[span]

    def best(self) -> list[Found]:
        """What is found with loops."""
        return [one for one in super().best() if has_loops(one.solution)]

    def _find_loops(self, span: Span, below: int) -> list[_LoopSpan]:
        source, result = loop_source(self.problem, span), span_result(self.problem, span)
        if source is None or span.resident + result.size >= below:
            return []
        spare = self.maximum_macs - self.unsplit.cost.macs
        allowed = spare + sum(layer.macs for layer in self.problem.layers[span.first : span.last + 1])
        found: list[_LoopSpan] = []
        for rounds in self.stripe_counts(-(-result.rows // row_unit(self.problem, span))):
            region = loop_region(self.problem, span, rounds)
            cost = None if region is None else loop_cost(self.problem, span, region.loop)
            if region is None or cost is None or cost.macs > allowed:
                break
            starts = tuple(part.kept.start for part in region.loop.rounds)
            found.append(_LoopSpan(span, (*starts, result.rows), _LoopEdges(), loop=region.loop, cost=cost))
        return found

    def total(self, split: SplitSpan) -> Candidate | None:
        """What a span in stripes, or as a loop, costs."""
        return split.candidate if isinstance(split, _LoopSpan) else super().total(split)

    def cut_lower(self, split: SplitSpan, limit: int) -> SplitSpan | None:
        """The same span in as few stripes or rounds as keep to the limit; None if it cannot."""
        return self._cut_loop(split, limit) if isinstance(split, _LoopSpan) else super().cut_lower(split, limit)

    def build_region(self, split: SplitSpan) -> Region | None:
        """The region of a span in stripes, or of a loop."""
        return _as_region(split.loop) if isinstance(split, _LoopSpan) else super().build_region(split)

    def written(self, solution: Solution) -> tuple[Problem, Solution]:
        """Loops are layers."""
        return _without_loops(self.problem, solution)

    def _cut_loop(self, split: _LoopSpan, limit: int) -> _LoopSpan | None:
        fitting = [loop for loop in self._loops[split.span] if loop.cost.peak <= limit]
        return min(fitting, key=lambda loop: loop.cost.macs, default=None)
