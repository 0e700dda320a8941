"""
The search for the regions and stripes that lower a model's peak the most, or that make it fit for the least work.

For a given limit of the peak, regions and unsplit layers that keep to it are strung together, like edges of a path from
the first layer to the last; the cheapest path is found by dynamic programming. Without a limit, the search tries many.
Then the regions on the path are cut anew, so that every stripe is as tall as the limit allows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, chain

from tinymo_xdsl.planner.stripe_build import Edges, build_region
from tinymo_xdsl.planner.stripe_candidates import (
    Candidate,
    Span,
    SplitSpan,
    closed_ends,
    edge_choices,
    equal_cuts,
    estimate,
    least_peak,
    make_span,
    row_unit,
)
from tinymo_xdsl.planner.stripe_cuts import tallest_stripes
from tinymo_xdsl.planner.stripes import Cost, Problem, Solution, evaluate, live_bytes, write_program

LIMITS_AT_ONCE = 16
"""How many limits of the peak are tried before the search looks closer around the best one."""

NEAR = 105
"""Percent of the least peak that a region could ever have, below which no more stripes are tried."""

LOWERED_PERCENT = 20
"""How far below the peak of equal stripes uneven ones are tried."""


@dataclass(frozen=True)
class SearchOptions:
    """
    What a search may spend, and how it weighs what it spends.

    `peak_limit`: bytes that the peak should keep to, with the least work; without it, the lowest peak is looked for.
    `maximum_extra_macs`: how many more multiply-accumulates are allowed, as a share of the model's.
    `bytes_per_operator`: by how much an added operator must lower the peak to be worth it; the default is about what
    an operator takes of a TFLite Micro arena for good. `macs_per_operator`: its time, where the least work is wanted.
    `spans`: the only layers (first, last) that may become regions; without it, any may.
    `stripes`: the only number of stripes that regions may have; without it, any up to `maximum_stripes`.
    """

    peak_limit: int | None = None
    maximum_extra_macs: float = 0.1
    bytes_per_operator: int = 256
    macs_per_operator: int = 1000
    spans: frozenset[tuple[int, int]] | None = None
    stripes: int | None = None
    maximum_stripes: int = 24


@dataclass(frozen=True)
class Path:
    """Regions from the first layer to some other, and what they add."""

    extra_macs: int = 0
    operators: int = 0
    splits: tuple[SplitSpan, ...] = ()

    def append(self, region: Candidate) -> "Path":
        """The path and one more region."""
        extra_macs = self.extra_macs + region.extra_macs
        return Path(extra_macs, self.operators + region.operators, (*self.splits, region.split))


@dataclass(frozen=True)
class Found:
    """A solution, what it was built from, and what it costs exactly."""

    splits: tuple[SplitSpan, ...]
    solution: Solution
    cost: Cost


def not_dominated(paths: Iterable[Path]) -> list[Path]:
    """The paths than which no other has both fewer extra MACs and fewer operators."""
    front: list[Path] = []
    for path in sorted(paths, key=lambda path: (path.extra_macs, path.operators)):
        if not front or path.operators < front[-1].operators:
            front.append(path)
    return front


def alive_before(problem: Problem) -> list[int]:
    """For every layer, and behind the last one, the bytes of the values made before and needed from there on."""
    change = [0] * (len(problem.layers) + 2)
    for index, value in enumerate(problem.values):
        producer = problem.producers[index]
        change[0 if producer is None else producer + 1] += value.size
        change[problem.last_use(index) + 1] -= value.size
    return list(accumulate(change[:-1]))


class StripeSearch:
    """One search on one problem."""

    def __init__(self, problem: Problem, options: SearchOptions) -> None:
        self.problem = problem
        self.options = options
        self.unsplit = evaluate(problem, Solution())
        self.maximum_extra_macs = int(options.maximum_extra_macs * self.unsplit.macs)
        self.best_score = self.unsplit.peak
        self.alive_before = alive_before(problem)
        self.layer_peaks = [0] * len(problem.layers)
        self.layer_operators = [0] * len(problem.layers)
        program = write_program(problem, Solution())
        for operator, live in zip(program.operators, live_bytes(program), strict=True):
            self.layer_peaks[operator.layer] = max(self.layer_peaks[operator.layer], live)
            self.layer_operators[operator.layer] += 1
        self.spans = self.list_spans()
        self.estimates: dict[SplitSpan, Candidate | None] = {}

    # What a solution is worth

    def score(self, cost: Cost) -> tuple[int, int]:
        """Less is better: bytes if the lowest peak is looked for, work if there is a limit; then the peak."""
        operators = cost.operators - self.unsplit.operators
        if self.options.peak_limit is None:
            return (cost.peak + self.options.bytes_per_operator * operators, cost.macs)
        excess = max(cost.peak - self.options.peak_limit, 0)
        work = cost.macs - self.unsplit.macs + self.options.macs_per_operator * operators
        return (excess, work)

    def realize(self, splits: tuple[SplitSpan, ...]) -> Found | None:
        """Build the regions; None if they break the budget of MACs, which their estimates may have missed."""
        regions = [
            build_region(self.problem, split.span.first, split.span.last, split.cuts, split.edges) for split in splits
        ]
        solution = Solution(tuple(region for region in regions if region is not None))
        cost = evaluate(self.problem, solution)
        if cost.macs - self.unsplit.macs > self.maximum_extra_macs:
            return None
        return Found(splits, solution, cost)

    # Which regions there are

    def estimate(self, split: SplitSpan) -> Candidate | None:
        """The estimate of a split span, made once."""
        if split not in self.estimates:
            self.estimates[split] = estimate(self.problem, split)
        return self.estimates[split]

    def list_spans(self) -> list[list[Span]]:
        """For every layer the spans that begin with it, shortest first."""
        return [
            [
                make_span(self.problem, first, last, sum(self.layer_operators[first : last + 1]))
                for last in closed_ends(self.problem, first)
                if self.is_worth_a_look(first, last)
            ]
            for first in range(len(self.problem.layers))
        ]

    def is_worth_a_look(self, first: int, last: int) -> bool:
        """Whether these layers may become a region: by the options, or as less is alive at its ends than inside."""
        if self.options.spans is not None:
            return (first, last) in self.options.spans
        alive = self.alive_before
        starts = self.is_barrier(first - 1) or (alive[first] <= alive[first + 1] and not self.is_flat(first))
        ends = self.is_barrier(last + 1) or (alive[last] >= alive[last + 1] and not self.is_flat(last + 1))
        return starts and ends

    def is_barrier(self, layer: int) -> bool:
        """Whether no region can hold this layer, which may also lie before the first or behind the last one."""
        return not (0 <= layer < len(self.problem.layers) and self.problem.layers[layer].can_split)

    def is_flat(self, layer: int) -> bool:
        """Whether as much is alive before the layers next to this one as before it."""
        return 0 < layer < len(self.problem.layers) and len(set(self.alive_before[layer - 1 : layer + 2])) == 1

    def lower_bound(self) -> int:
        """Bytes that no solution has a lower peak than: for every layer, unsplit or in the best of its spans."""
        bounds = list(self.layer_peaks)
        for span in chain.from_iterable(self.spans):
            least = least_peak(self.problem, span)
            for layer in range(span.first, span.last + 1):
                bounds[layer] = min(bounds[layer], least)
        return max(bounds)

    def pool(self, floor: int) -> list[Candidate]:
        """The candidates of all spans with a layer whose peak, unsplit, is above `floor`."""
        pool: list[Candidate] = []
        for spans in self.spans:
            for span in spans:
                if max(self.layer_peaks[span.first : span.last + 1]) <= floor:
                    continue
                found = self.candidates(span, floor)
                if found is None:
                    break
                pool += found
        return pool

    def stripe_counts(self, units: int) -> list[int]:
        """The numbers of stripes to try for so many units of rows: the height falls by a sixth or more."""
        if self.options.stripes is not None:
            return [self.options.stripes] if self.options.stripes <= units else []
        counts: list[int] = []
        height = units - 1
        while height > 0:
            height = min(height, -(-units // 2))
            count = -(-units // height)
            if count > self.options.maximum_stripes:
                break
            counts.append(count)
            height = min(height - 1, height * 5 // 6)
        return counts

    def candidates(self, span: Span, floor: int) -> list[Candidate] | None:
        """
        The ways to run a span in stripes that lower its peak; None if even the fewest stripes take too much work.

        Longer spans with the same beginning then do so too.
        """
        unsplit = max(self.layer_peaks[span.first : span.last + 1])
        if least_peak(self.problem, span) >= unsplit:
            return []
        found = [
            self.candidates_with(span, edges, unsplit, floor)
            for edges in edge_choices(self.problem, span.first, span.last)
        ]
        if all(candidates is None for candidates in found):
            return None
        return [candidate for candidates in found for candidate in candidates or ()]

    def candidates_with(self, span: Span, edges: Edges, unsplit: int, floor: int) -> list[Candidate] | None:
        """The same for one choice of edges: more and more stripes, as long as that may be worth its cost."""
        rows = self.problem.values[self.problem.layers[span.last].results[0]].rows
        unit = row_unit(self.problem, span.first, span.last)
        found: list[Candidate] = []
        for count in self.stripe_counts(-(-rows // unit)):
            candidate = self.estimate(SplitSpan(span, equal_cuts(rows, count, unit), edges))
            if candidate is None:
                break
            if candidate.extra_macs > self.maximum_extra_macs:
                return found or None
            found.append(candidate)
            enough = max(floor, least_peak(self.problem, span) * NEAR // 100)
            if candidate.peak <= enough or not self.can_pay(candidate.operators, floor):
                break
        return [candidate for candidate in found if candidate.peak < unsplit]

    def can_pay(self, operators: int, floor: int) -> bool:
        """Whether a peak as low as `floor` would make so many operators worth more than the best solution so far."""
        if self.options.peak_limit is not None:
            return True
        return floor + self.options.bytes_per_operator * operators < self.best_score

    # Which of them to take

    def cheapest_paths(self, pool: Sequence[Candidate], limit: int) -> list[Path]:
        """The ways through the whole model with no peak above `limit`, as regions of the pool and unsplit layers."""
        ending: list[list[Candidate]] = [[] for _ in self.problem.layers]
        for candidate in pool:
            if candidate.peak <= limit:
                ending[candidate.split.span.last].append(candidate)
        paths: list[list[Path]] = [[Path()]]
        for layer, regions in enumerate(ending):
            reached = list(paths[layer]) if self.layer_peaks[layer] <= limit else []
            for region in regions:
                reached += [path.append(region) for path in paths[region.split.span.first]]
            paths.append(not_dominated(path for path in reached if path.extra_macs <= self.maximum_extra_macs))
        return paths[-1]

    def cheapest_path(self, pool: Sequence[Candidate], limit: int) -> Path | None:
        """The one of these ways with the fewest operators, or the least work if there is a limit."""
        paths = self.cheapest_paths(pool, limit)
        if self.options.peak_limit is None:
            return min(paths, key=lambda path: (path.operators, path.extra_macs), default=None)
        return min(
            paths, key=lambda path: path.extra_macs + self.options.macs_per_operator * path.operators, default=None
        )

    def best_path(self, pool: Sequence[Candidate], floor: int) -> Path | None:
        """The path with the best score, of those for limits from `floor` on: first coarsely, then finely."""
        peaks = {candidate.peak for candidate in pool}.union(self.layer_peaks)
        limits = sorted({floor}.union(peak for peak in peaks if peak > floor))
        stride = max(len(limits) // LIMITS_AT_ONCE, 1)
        indices = range(0, len(limits), stride)
        while True:
            tried = [(self.cheapest_path(pool, limits[index]), index) for index in indices]
            scored = [
                (limits[index] + self.options.bytes_per_operator * path.operators, index, path)
                for path, index in tried
                if path is not None
            ]
            if not scored:
                return None
            _, best, path = min(scored, key=lambda entry: entry[:2])
            if stride == 1:
                return path
            low, high = (max(best - stride, 0), min(best + stride, len(limits) - 1))
            stride = max((high - low) // LIMITS_AT_ONCE, 1)
            indices = range(low, high + 1, stride)

    # The search

    def better(self, one: Found, other: Found | None) -> Found:
        """The one that is worth more."""
        return one if other is None or self.score(one.cost) <= self.score(other.cost) else other

    def lowest_peak(self) -> Found:
        """
        The solution with the best score.

        Only spans that hold a layer above some floor are looked at. The floor sinks until nothing keeps to it.
        """
        unsplit = Found((), Solution(), self.unsplit)
        finds = [unsplit]
        floor = self.unsplit.peak
        bound = self.lower_bound()
        while floor > bound:
            floor = max(floor * 3 // 4, bound)
            pool = self.pool(floor)
            path = self.best_path(pool, floor)
            found = self.realize(path.splits) if path is not None else None
            if found is not None and found not in finds:
                finds.append(found)
                self.best_score = min(self.best_score, self.score(found.cost)[0])
            if self.cheapest_path(pool, floor) is None:
                break
        best = unsplit
        for found in finds:
            best = self.better(best, self.lower_evenly(found))
        return best

    def least_work(self, limit: int) -> Found:
        """The solution that keeps to the limit with the least work; the lowest peak if none is found."""
        unsplit = Found((), Solution(), self.unsplit)
        if self.unsplit.peak <= limit:
            return unsplit
        pool = self.pool(limit)
        path = self.cheapest_path(pool, limit)
        found = self.realize(path.splits) if path is not None else None
        if found is None or found.cost.peak > limit:
            options = replace(self.options, peak_limit=None, bytes_per_operator=0)
            found = self.better(StripeSearch(self.problem, options).lowest_peak(), found)
        return self.better(self.cut_anew(found, limit) or found, found)

    # Uneven cuts

    def lower_evenly(self, found: Found) -> Found:
        """Cut the regions anew for lower and lower limits; the best of all."""
        best = found
        for percent in range(100, 100 - LOWERED_PERCENT, -1):
            lowered = self.cut_anew(found, found.cost.peak * percent // 100)
            if lowered is None:
                break
            best = self.better(lowered, best)
        return best

    def cut_anew(self, found: Found, limit: int) -> Found | None:
        """The same regions in as few stripes as keep to the limit; None if they cannot."""
        if self.options.stripes is not None:
            return None
        splits: list[SplitSpan] = []
        for split in found.splits:
            cuts = tallest_stripes(self.problem, split.span, split.edges, limit, self.options.maximum_stripes)
            if cuts is None:
                return None
            splits.append(replace(split, cuts=cuts))
        return self.realize(tuple(splits))


def search_stripes(problem: Problem, options: SearchOptions | None = None) -> Solution:
    """
    The regions and stripes that lower the peak most, or keep to a limit with the least work.

    Never worse than no split: without a limit no solution scores worse, with one none has a higher peak than the
    unsplit model. A limit that cannot be met gives the lowest peak that was found: `evaluate` tells. Deterministic.
    """
    options = options or SearchOptions()
    search = StripeSearch(problem, options)
    found = search.lowest_peak() if options.peak_limit is None else search.least_work(options.peak_limit)
    return found.solution
