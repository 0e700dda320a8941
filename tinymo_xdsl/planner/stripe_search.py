"""
The search for the regions and stripes that lower a model's peak the most, or that make it fit with the least work.

For a limit of the peak, `stripe_paths` finds the cheapest way to string regions and unsplit layers together, from what
`stripe_candidates` estimates. Without a limit, many limits are tried. The best few ways are then cut anew, so that
every stripe is as tall as the limit allows, built, and evaluated exactly. Under an arena plan they are tried in several
directions (`stripe_solutions.directions`), and finalists are ranked by the arena of a quick plan.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from tinymo_xdsl.planner.stripe_build import Edges, build_region
from tinymo_xdsl.planner.stripe_candidates import (
    Candidate,
    SplitSpan,
    StripeCosts,
    edge_choices,
    equal_cuts,
    steps_peak,
)
from tinymo_xdsl.planner.stripe_cost import Accounting, Cost, bytes_in_use, evaluate
from tinymo_xdsl.planner.stripe_cuts import tallest_stripes
from tinymo_xdsl.planner.stripe_order import slice_early
from tinymo_xdsl.planner.stripe_paths import LayerCost, Path, find_paths
from tinymo_xdsl.planner.stripe_placement import placed_bytes
from tinymo_xdsl.planner.stripe_solutions import Draft, Found, Splits, directions, regions_of
from tinymo_xdsl.planner.stripe_spans import (
    Span,
    closed_ends,
    make_span,
    row_unit,
    shortest,
    span_result,
    worthwhile_spans,
)
from tinymo_xdsl.planner.stripes import Problem, Region, Solution, Upkeep, write_program, write_steps

LIMITS_AT_ONCE = 16
"""How many limits of the peak are tried before the search looks closer around the best one."""

LAYERS_IN_SPANS = 6000
"""How many layers all spans that are looked at have in sum: the longest of a model of a hundred layers are left out."""

FINISHED_PATHS = 6
"""How many of the best estimated ways are cut anew and evaluated exactly."""

BUILT = 24
"""How many of the drafts that this gives are built and evaluated exactly."""

PLACED = 3
"""How many times more solutions are placed in an arena than are asked for."""

LOWERED_PERCENTS = range(104, 78, -2)
"""The limits, in percent of the peak with equal stripes, for which regions are cut anew."""

NEAR_PERCENT = 105
"""How near a region's peak must be to the least that it could be, in percent of that, to try no more stripes."""


@dataclass(frozen=True)
class SearchOptions:
    """
    What a search may spend, and how it weighs what it spends.

    `peak_limit`: bytes that the peak should keep to, with the least work; without it, the lowest peak is looked for.
    `maximum_extra_macs`: how many more multiply-accumulates are allowed, as a share of the model's.
    `accounting`: which bytes count. `bytes_per_operator`: by how much an added operator must lower the peak to be worth
    it; the default is about what an operator takes of a TFLite Micro arena for good; None stands for what the problem
    says of each one. `macs_per_operator`: its time, where the least work is wanted.
    `spans`: the only layers (first, last) that may become regions; without it, any may.
    `stripes`: the only number of stripes that regions may have; without it, any up to `maximum_stripes`.
    """

    peak_limit: int | None = None
    maximum_extra_macs: float = 0.1
    accounting: Accounting = Accounting.COPIES
    bytes_per_operator: int | None = 256
    macs_per_operator: int = 1000
    spans: frozenset[tuple[int, int]] | None = None
    stripes: int | None = None
    maximum_stripes: int = 24


@dataclass(frozen=True)
class Tried:
    """The path that was found for a limit of the peak, and its score as far as estimates tell."""

    score: int
    limit: int
    path: Path


def search_stripes(problem: Problem, options: SearchOptions | None = None) -> Solution:
    """
    The regions and stripes that lower the peak most, or that keep to a limit with the least work.

    Never worse than no regions: no higher peak, nor, without a limit, a peak that its operators do not pay for. A limit
    that cannot be met gives the lowest peak that was found: `evaluate` tells. The same problem gives the same solution.
    """
    return StripeSearch(problem, options or SearchOptions()).best()[0].solution


def finalists(problem: Problem, options: SearchOptions, count: int) -> list[Solution]:
    """
    Up to `count` solutions with regions, the best first, for a caller that can tell exactly which of them is the best.

    They differ in their regions and directions first, in how these are cut second. None is worse than no regions, as
    far as the search can tell. If there is a limit, all of them keep to it, or none can.
    """
    return StripeSearch(problem, options).finalists(count)


class StripeSearch:
    """One search on one problem."""

    def __init__(self, problem: Problem, options: SearchOptions) -> None:
        price = options.bytes_per_operator
        self.problem = problem = problem if price is None else at_price(problem, price)
        self.options = options
        self.costs = StripeCosts(problem, options.accounting)
        self.layers = layer_costs(problem, options.accounting)
        self.unsplit = Found((), Solution(), evaluate(problem, Solution(), options.accounting))
        self.maximum_macs = int((1 + options.maximum_extra_macs) * self.unsplit.cost.macs)
        self.best_score = self.score(self.unsplit.cost)
        if options.spans is None:
            pairs = shortest(worthwhile_spans(problem), LAYERS_IN_SPANS)
        else:
            pairs = closed_spans(problem, options.spans)
        self.spans = [make_span(problem, first, last) for first, last in pairs]

    @property
    def is_planned(self) -> bool:
        """Whether the file is to hold an arena plan."""
        return self.options.accounting is Accounting.PLANNED

    # What solutions are worth

    def score(self, cost: Cost) -> int:
        """Less is better: bytes of peak, and those that operators take for good."""
        return cost.peak + cost.upkeep

    def work(self, cost: Cost | Path) -> int:
        """Less is better: multiply-accumulates, and what operators are worth."""
        return cost.macs + self.options.macs_per_operator * cost.operators

    def is_within_work(self, cost: Cost) -> bool:
        """Whether it takes no more work than is allowed, which estimates may miss."""
        return cost.macs <= self.maximum_macs

    def rank(self, found: Found | Draft) -> tuple[int, int, int]:
        """Less is better; of equals, that with less work, and no regions before others."""
        return self.score(found.cost), found.cost.macs, len(found.splits)

    # Which regions there are

    def pool(self, floor: int) -> list[Candidate]:
        """The candidates of all spans with a layer whose peak, unsplit, is above `floor`."""
        pool: list[Candidate] = []
        for _, spans in groupby(self.spans, key=lambda span: span.first):
            for span in spans:
                unsplit = max(layer.peak for layer in self.layers[span.first : span.last + 1])
                if unsplit <= floor or self.costs.least_peak(span) >= unsplit:
                    continue
                found = [self.candidates(span, edges, floor) for edges in edge_choices(self.problem, span)]
                if all(candidates is None for candidates in found):
                    break
                pool += [one for candidates in found for one in candidates or () if one.peak < unsplit]
        return pool

    def candidates(self, span: Span, edges: Edges, floor: int) -> list[Candidate] | None:
        """
        The span in more and more stripes, as long as that may be worth its cost.

        None if even the fewest take too much work; longer spans with the same beginning then do so too.
        """
        layers = self.layers[span.first : span.last + 1]
        maximum_macs = self.maximum_macs - self.unsplit.cost.macs + sum(layer.macs for layer in layers)
        unsplit_upkeep = sum(layer.upkeep for layer in layers)
        enough = max(floor, self.costs.least_peak(span) * NEAR_PERCENT // 100)
        rows = span_result(self.problem, span).rows
        unit = row_unit(self.problem, span)
        found: list[Candidate] = []
        for count in self.stripe_counts(-(-rows // unit)):
            candidate = self.costs.estimate(SplitSpan(span, equal_cuts(rows, count, unit), edges))
            if candidate is None:
                break
            if candidate.macs > maximum_macs:
                return found or None
            found.append(candidate)
            if candidate.peak <= enough or not self.can_pay(candidate.upkeep - unsplit_upkeep, floor):
                break
        return found

    def stripe_counts(self, units: int) -> Iterator[int]:
        """The numbers of stripes to try for so many units of rows: the height falls by a quarter or more each time."""
        if self.options.stripes is not None:
            yield from [self.options.stripes] if self.options.stripes <= units else []
            return
        height = -(-units // 2) if units > 1 else 0
        while height > 0 and -(-units // height) <= self.options.maximum_stripes:
            yield -(-units // height)
            height = min(height - 1, height * 3 // 4)

    def can_pay(self, upkeep: int, floor: int) -> bool:
        """Whether operators that take so much would beat the best solution so far if the peak came down to `floor`."""
        more = self.unsplit.cost.upkeep + upkeep
        return self.options.peak_limit is not None or floor + more < self.best_score

    # Which of them to take

    def cheapest_path(self, pool: Sequence[Candidate], limit: int) -> Path | None:
        """The way to keep to the limit with the least upkeep, or, if the options have one, with the least work."""
        paths = find_paths(self.layers, pool, limit, self.maximum_macs)
        if self.options.peak_limit is not None:
            return min(paths, key=self.work, default=None)
        return min(paths, key=lambda path: (path.upkeep, path.macs), default=None)

    def try_limits(self, pool: Sequence[Candidate], floor: int) -> list[Tried]:
        """Paths for limits of the peak from `floor` on; the limits are coarse at first, then finer around the best."""
        peaks = {candidate.peak for candidate in pool}.union(layer.peak for layer in self.layers)
        limits = sorted({floor}.union(peak for peak in peaks if peak > floor))
        tried: dict[int, Tried | None] = {}
        indices = range(0, len(limits), max(len(limits) // LIMITS_AT_ONCE, 1))
        while True:
            for index in indices:
                if index not in tried:
                    tried[index] = self.try_limit(pool, limits[index])
            scores = {index: attempt.score for index, attempt in tried.items() if attempt is not None}
            if not scores or indices.step == 1:
                return [attempt for attempt in tried.values() if attempt is not None]
            best = min(scores, key=lambda index: (scores[index], index))
            low, high = (max(best - indices.step, 0), min(best + indices.step, len(limits) - 1))
            indices = range(low, high + 1, max((high - low) // LIMITS_AT_ONCE, 1))

    def try_limit(self, pool: Sequence[Candidate], limit: int) -> Tried | None:
        """The cheapest path for one limit."""
        path = self.cheapest_path(pool, limit)
        return None if path is None else Tried(limit + path.upkeep, limit, path)

    # What becomes of split spans

    def total(self, split: SplitSpan) -> Candidate | None:
        """What a split span costs; None if no file can express it."""
        return self.costs.total(split)

    def cut_lower(self, split: SplitSpan, limit: int) -> SplitSpan | None:
        """The same span in as few stripes as keep to the limit; None if it cannot."""
        most = self.options.maximum_stripes
        return tallest_stripes(self.costs, split.span, split.edges, limit, most, split.upwards)

    def build_region(self, split: SplitSpan) -> Region | None:
        """The region of a split span; where slices are copies they are taken late or early, whichever peaks less."""
        span = split.span
        late = build_region(self.problem, span.first, span.last, split.cuts, split.edges, split.upwards)
        if late is None or self.is_planned:
            return late
        orders = (late, slice_early(self.problem, late))
        return min(
            orders, key=lambda region: steps_peak(self.problem, write_steps(self.problem, region), span.released)
        )

    def written(self, solution: Solution) -> tuple[Problem, Solution]:
        """What `write_program` makes the file of."""
        return self.problem, solution

    def draft(self, splits: Splits) -> Draft | None:
        """What these spans and the layers around them cost; None if no file can express them."""
        totals = [self.total(split) for split in splits]
        parts: list[LayerCost | Candidate] = [total for total in totals if total is not None]
        if len(parts) < len(totals):
            return None
        inside = {layer for split in splits for layer in range(split.span.first, split.span.last + 1)}
        parts += [cost for layer, cost in enumerate(self.layers) if layer not in inside]
        peak = max((part.peak for part in parts), default=0)
        macs, operators = sum(part.macs for part in parts), sum(part.operators for part in parts)
        return Draft(splits, Cost(peak, 0, macs, operators, sum(part.upkeep for part in parts)))

    def build(self, splits: Splits) -> Found:
        """The solution of these regions, which a file can express."""
        solution = Solution(tuple(region for split in splits if (region := self.build_region(split)) is not None))
        return Found(splits, solution, evaluate(*self.written(solution), self.options.accounting))

    def drafts(self, splits: Splits) -> Iterator[Draft]:
        """These regions as they are, and cut anew for lower and lower limits, in all directions worth a try."""
        for directed in directions(splits) if self.is_planned else [splits]:
            draft = self.draft(directed)
            if draft is None:
                continue
            yield draft
            # Slices that are copies may be taken early, which a draft does not know.
            peak = draft.cost.peak if self.is_planned else self.build(directed).cost.peak
            for percent in LOWERED_PERCENTS:
                lowered = self.cut_anew(directed, peak * percent // 100)
                if lowered is None:
                    break
                yield lowered

    def cut_anew(self, splits: Splits, limit: int) -> Draft | None:
        """The same regions in as few stripes as keep to the limit; None if they cannot."""
        if self.options.stripes is not None:
            return None
        anew = [self.cut_lower(split, limit) for split in splits]
        found = tuple(split for split in anew if split is not None)
        return self.draft(found) if len(found) == len(anew) else None

    # The search

    def best(self) -> list[Found]:
        """What is found, the best first; no regions where nothing better is found."""
        limit = self.options.peak_limit
        return self.lowest_peaks() if limit is None else self.least_work(limit)

    def finalists(self, count: int) -> list[Solution]:
        """Up to `count` solutions with regions, the best first; they differ in their regions first."""
        found = [one for one in self.best() if one.splits]
        firsts = {one.regions: one for one in reversed(found)}
        ranked = sorted(found, key=lambda one: one is not firsts[one.regions])
        if self.is_planned and self.options.peak_limit is None:
            # An arena may be larger than the bytes that are in use at once: a quick plan tells about by how much.
            ranked = sorted(ranked[: PLACED * count], key=self.placed_size)
        return [one.solution for one in ranked[:count]]

    def placed_size(self, found: Found) -> int:
        """Bytes of an arena that is planned quickly, and of what operators take for good."""
        return placed_bytes(write_program(*self.written(found.solution))) + found.cost.upkeep

    def lowest_peaks(self) -> list[Found]:
        """
        The solutions with the best scores, down to that of no regions.

        Only spans that hold a layer above some floor are looked at. The floor sinks until nothing keeps to it.
        """
        tried: list[Tried] = []
        floor = self.unsplit.cost.peak
        bound = self.lower_bound()
        while floor > bound:
            floor = max(floor * 3 // 4, bound)
            pool = self.pool(floor)
            tried += self.try_limits(pool, floor)
            if tried:
                found = self.build(min(tried, key=lambda attempt: attempt.score).path.splits)
                if self.is_within_work(found.cost):
                    self.best_score = min(self.best_score, self.score(found.cost))
            if self.cheapest_path(pool, floor) is None:
                break
        return self.finish(tried)

    def lower_bound(self) -> int:
        """Bytes that no solution has a lower peak than: for every layer, unsplit or in the best of its spans."""
        bounds = [layer.peak for layer in self.layers]
        for span in self.spans:
            least = self.costs.least_peak(span)
            for layer in range(span.first, span.last + 1):
                bounds[layer] = min(bounds[layer], least)
        return max(bounds, default=0)

    def finish(self, tried: Sequence[Tried]) -> list[Found]:
        """The best first of what is on the best few paths, cut anew for lower and lower limits, down to no regions."""
        ranked = {regions_of(attempt.path.splits): attempt for attempt in sorted(tried, key=lambda one: -one.score)}
        best = [attempt.path.splits for attempt in reversed(ranked.values())][:FINISHED_PATHS]
        drafts = [draft for splits in best for draft in self.drafts(splits)]
        firsts = {regions_of(draft.splits): draft for draft in sorted(drafts, key=self.rank, reverse=True)}
        drafts.sort(key=lambda draft: (draft is not firsts[regions_of(draft.splits)], self.rank(draft)))
        found = [
            self.unsplit,
            *map(self.build, dict.fromkeys(draft.splits for draft in drafts[: BUILT if self.is_planned else None])),
        ]
        better = [one for one in found if self.rank(one) <= self.rank(self.unsplit) and self.is_within_work(one.cost)]
        return sorted({one.solution: one for one in reversed(better)}.values(), key=self.rank)

    def least_work(self, limit: int) -> list[Found]:
        """The solutions that keep to the limit, with the least work first; those with the lowest peak if none does."""
        if self.unsplit.cost.peak <= limit:
            return [self.unsplit]
        paths = find_paths(self.layers, self.pool(limit), limit, self.maximum_macs)
        paths = sorted(paths, key=self.work)[:FINISHED_PATHS]
        if fitting := self.fitting([path.splits for path in paths], limit):
            return fitting
        lowest = StripeSearch(self.problem, replace(self.options, peak_limit=None, bytes_per_operator=0)).best()
        return self.fitting([lowest[0].splits], limit) or lowest

    def fitting(self, choices: Iterable[Splits], limit: int) -> list[Found]:
        """Those of the choices of regions, as they are and cut anew, that keep to the limit; the least work first."""
        drafts = (draft for splits in choices for draft in (self.draft(splits), self.cut_anew(splits, limit)))
        found = [self.build(draft.splits) for draft in drafts if draft is not None]
        fitting = [one for one in found if self.is_within_work(one.cost) and one.cost.peak <= limit]
        return sorted(fitting, key=lambda one: self.work(one.cost))


def layer_costs(problem: Problem, accounting: Accounting) -> list[LayerCost]:
    """What each layer costs unsplit."""
    program = write_program(problem, Solution())
    costs = [LayerCost(0, layer.macs, 0, 0) for layer in problem.layers]
    for operator, in_use in zip(program.operators, bytes_in_use(program, accounting), strict=True):
        cost = costs[operator.layer]
        costs[operator.layer] = LayerCost(
            max(cost.peak, in_use), cost.macs, cost.operators + 1, cost.upkeep + operator.upkeep
        )
    return costs


def at_price(problem: Problem, price: int) -> Problem:
    """The same problem where every operator takes `price` bytes for good."""
    layers = tuple(replace(layer, upkeep=price) for layer in problem.layers)
    return replace(problem, layers=layers, upkeep=Upkeep(price, price, price))


def closed_spans(problem: Problem, allowed: frozenset[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those of the allowed spans that can become a region."""
    return [(first, last) for first, last in sorted(allowed) if last in closed_ends(problem, first)]
