"""Where to cut a span into stripes, so that each is as tall as a limit of the peak allows."""

from collections.abc import Callable

from tinymo_xdsl.planner.rows import Rows
from tinymo_xdsl.planner.stripe_build import Edges
from tinymo_xdsl.planner.stripe_candidates import SplitSpan, StripeCosts
from tinymo_xdsl.planner.stripe_spans import Span, row_unit, span_result


def tallest_stripes(costs: StripeCosts, span: Span, edges: Edges, limit: int, maximum_stripes: int) -> SplitSpan | None:
    """
    The span in the fewest stripes that keep the region's peak to `limit`, cut greedily from the top.

    The parts of the result pile up while the region runs and its inputs die, so that later stripes may be lower or
    taller. None if more than `maximum_stripes` would be needed.
    """
    result = span_result(costs.problem, span)
    unit = row_unit(costs.problem, span)
    if span.resident + costs.joined_size(span) > limit:
        return None

    def keeps_to_limit(start: int, stop: int) -> bool:
        cost = costs.stripe(span, Rows(start, stop), edges)
        return cost is not None and span.resident + cost.peak <= limit

    def fits(start: int, units: int) -> bool:
        stop = start + units * unit
        return stop < result.rows and keeps_to_limit(start, stop)

    cuts = [0]
    units = 1
    while len(cuts) == 1 or not keeps_to_limit(cuts[-1], result.rows):
        start = cuts[-1]
        units = largest(lambda count, start=start: fits(start, count), max(units, 1))
        if units == 0 or len(cuts) >= maximum_stripes:
            return None
        cuts.append(start + units * unit)
    return SplitSpan(span, (*cuts, result.rows), edges)


def largest(fits: Callable[[int], bool], guess: int) -> int:
    """The largest count that fits, where all below one that fits do, or 0. Quick if it is near `guess` > 0."""
    low, high = 0, guess
    while fits(high):
        low, high = high, high + max(high - guess, 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
