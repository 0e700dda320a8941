"""Where to cut a region into stripes, so that each is as tall as a limit of the peak allows."""

from collections.abc import Callable

from tinymo_xdsl.planner.rows import Rows
from tinymo_xdsl.planner.stripe_build import Edges
from tinymo_xdsl.planner.stripe_candidates import Span, row_unit, stripe_cost
from tinymo_xdsl.planner.stripes import Problem


def tallest_stripes(
    problem: Problem, span: Span, edges: Edges, limit: int, maximum_stripes: int
) -> tuple[int, ...] | None:
    """
    The cuts of the fewest stripes that keep the region's peak to `limit`, from the top greedily.

    The parts of the result pile up while the region runs, so that later stripes are lower, but the last one, during
    which the region's inputs die, may be taller. None if more than `maximum_stripes` would be needed.
    """
    result = problem.values[problem.layers[span.last].results[0]]
    inputs = sum(problem.values[value].size for value in span.released)
    if span.resident + 2 * result.size > limit:
        return None
    unit = row_unit(problem, span.first, span.last)

    def is_last(start: int) -> bool:
        cost = stripe_cost(problem, span, Rows(start, result.rows), edges)
        return cost is not None and span.resident + start * result.row_bytes + cost.last_peak <= limit

    def fits(start: int, units: int) -> bool:
        stop = start + units * unit
        if stop >= result.rows:
            return False
        cost = stripe_cost(problem, span, Rows(start, stop), edges)
        return cost is not None and span.resident + inputs + start * result.row_bytes + cost.peak <= limit

    cuts = [0]
    units = 1
    while not is_last(cuts[-1]):
        start = cuts[-1]
        units = largest(lambda count, start=start: fits(start, count), units)
        if units == 0 or len(cuts) >= maximum_stripes:
            return None
        cuts.append(start + units * unit)
    return (*cuts, result.rows) if len(cuts) > 1 else None


def largest(fits: Callable[[int], bool], guess: int) -> int:
    """The largest count from 0 on that fits, if smaller ones fit too; few tries if it is near `guess` >= 1."""
    low, high = 0, guess
    while fits(high):
        low, high = high, high * 2 if high > guess else high + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
