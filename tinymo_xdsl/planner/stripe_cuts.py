"""Where to cut a span into stripes, so that each is as tall as a limit of the peak allows."""

from collections.abc import Callable
from itertools import pairwise

from tinymo_xdsl.planner.rows import Rows
from tinymo_xdsl.planner.stripe_build import Edges
from tinymo_xdsl.planner.stripe_candidates import SplitSpan, StripeCosts
from tinymo_xdsl.planner.stripe_spans import Span, row_unit, span_result


def tallest_stripes(
    costs: StripeCosts, span: Span, edges: Edges, limit: int, maximum_stripes: int, upwards: bool = False
) -> SplitSpan | None:
    """
    The span in the fewest stripes that keep the region's peak to `limit`, cut greedily where the region begins.

    The parts of the result pile up while the region runs and its inputs die, so that later stripes may be lower or
    taller. None if more than `maximum_stripes` would be needed.
    """
    height = span_result(costs.problem, span).rows
    places = [*range(0, height, row_unit(costs.problem, span)), height]
    end = len(places) - 1
    if span.resident + costs.joined_size(span) > limit:
        return None

    def stripe(start: int, stop: int) -> Rows:
        return Rows(places[end - stop], places[end - start]) if upwards else Rows(places[start], places[stop])

    def fits(start: int, stop: int) -> bool:
        cost = costs.stripe(span, stripe(start, stop), edges, upwards)
        return cost is not None and span.resident + cost.peak <= limit

    stops = [0]
    units = 1
    while len(stops) == 1 or not fits(stops[-1], end):
        start = stops[-1]
        units = largest(lambda count, start=start: start + count < end and fits(start, start + count), max(units, 1))
        if units == 0 or len(stops) >= maximum_stripes:
            return None
        stops.append(start + units)
    cuts = sorted({stripe(start, stop).start for start, stop in pairwise([*stops, end])})
    return SplitSpan(span, (*cuts, height), edges, upwards)


def largest(fits: Callable[[int], bool], guess: int) -> int:
    """The largest count that fits, where all below one that fits do, or 0. Quick if it is near `guess` > 0."""
    low, high = 0, guess
    while fits(high):
        low, high = high, high + max(high - guess, 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
