"""The consecutive layers of a model that may become a region of stripes, and what is alive around them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from math import lcm

from tinymo_xdsl.planner.rows import AllRows, LocalAccess, Window
from tinymo_xdsl.planner.stripes import Problem, Value


@dataclass(frozen=True)
class Span:
    """
    The layers `first` to `last`, both included.

    `resident`: bytes of the values that are there before and needed behind. `released`: the values that are there
    before and die in it.
    """

    first: int
    last: int
    resident: int
    released: tuple[int, ...]


def make_span(problem: Problem, first: int, last: int) -> Span:
    """The span of these layers."""
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
    return Span(first, last, resident, tuple(released))


def span_result(problem: Problem, span: Span) -> Value:
    """The value that the region of a span yields."""
    return problem.values[problem.layers[span.last].results[0]]


def released_size(problem: Problem, span: Span) -> int:
    """Bytes of the values that a span releases."""
    return sum(problem.values[value].size for value in span.released)


def row_unit(problem: Problem, span: Span) -> int:
    """The fewest rows of the result that come from whole rows of all values in the span: cuts in between waste work."""
    rows_per_result_row = {problem.layers[span.last].results[0]: Fraction(1)}
    for layer in reversed(problem.layers[span.first : span.last + 1]):
        scale = rows_per_result_row[layer.results[0]]
        for operand in layer.operands:
            if isinstance(operand.access, Window):
                rows_per_result_row[operand.value] = scale * operand.access.stride
            elif isinstance(operand.access, LocalAccess):
                rows_per_result_row[operand.value] = scale / operand.access.growth
    return lcm(*(scale.denominator for scale in rows_per_result_row.values()))


def closed_ends(problem: Problem, first: int) -> Iterator[int]:
    """
    The layers at which a region that begins with layer `first` can end: only the last result is used behind it.

    What a layer reads whole is made before the region: no stripe of the region holds it. No layer's result is unused.
    """
    reach = first
    for last in range(first, len(problem.layers)):
        layer = problem.layers[last]
        whole = [operand.value for operand in layer.operands if isinstance(operand.access, AllRows)]
        producers = [problem.producers[value] for value in whole]
        if not layer.can_split or any(producer is not None and producer >= first for producer in producers):
            return
        last_use = problem.last_use(layer.results[0])
        if last_use < 0:
            return
        if reach <= last:
            yield last
        reach = max(reach, last_use)


def alive_before(problem: Problem) -> list[int]:
    """For every layer, and behind the last one, the bytes of the values made before and needed from there on."""
    change = [0] * (len(problem.layers) + 2)
    for index, value in enumerate(problem.values):
        producer = problem.producers[index]
        change[0 if producer is None else producer + 1] += value.size
        change[problem.last_use(index) + 1] -= value.size
    return list(accumulate(change[:-1]))


def worthwhile_spans(problem: Problem) -> list[tuple[int, int]]:
    """
    The layers (first, last) that can become a region which may lower the peak: less is alive at its ends than inside.

    Where as much is alive along many layers, regions that begin or end in the middle of them gain nothing, either.
    """
    alive = alive_before(problem)

    def is_barrier(layer: int) -> bool:
        return not (0 <= layer < len(problem.layers) and problem.layers[layer].can_split)

    def is_flat(layer: int) -> bool:
        return alive[layer - 1] == alive[layer] == alive[layer + 1]

    def begins(layer: int) -> bool:
        return is_barrier(layer - 1) or (alive[layer] <= alive[layer + 1] and not is_flat(layer))

    def ends(layer: int) -> bool:
        return is_barrier(layer + 1) or (alive[layer] >= alive[layer + 1] and not is_flat(layer + 1))

    return [
        (first, last)
        for first in range(len(problem.layers))
        if begins(first)
        for last in closed_ends(problem, first)
        if ends(last)
    ]


def shortest(pairs: Sequence[tuple[int, int]], layers: int) -> list[tuple[int, int]]:
    """Those of the spans (first, last), in their order, that have no more layers in sum; longer ones are left out."""
    by_length = sorted(pairs, key=lambda pair: pair[1] - pair[0])
    sums = accumulate(last - first + 1 for first, last in by_length)
    kept = {pair for pair, total in zip(by_length, sums, strict=True) if total <= layers}
    return [pair for pair in pairs if pair in kept]
