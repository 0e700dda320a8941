"""Stringing regions and layers together, on made-up costs; which layers may be regions."""

import pytest
from stripe_problems import LayerSpec, branches, chain, mobile_net

from tinymo_xdsl.planner.rows import AllRows, Repeat, Window
from tinymo_xdsl.planner.stripe_build import Edges
from tinymo_xdsl.planner.stripe_candidates import Candidate, SplitSpan, StripeCosts
from tinymo_xdsl.planner.stripe_cost import Accounting
from tinymo_xdsl.planner.stripe_paths import LayerCost, Path, find_paths, not_dominated
from tinymo_xdsl.planner.stripe_spans import (
    Span,
    alive_before,
    closed_ends,
    make_span,
    row_unit,
    shortest,
    worthwhile_spans,
)
from tinymo_xdsl.planner.stripes import Layer, Operand, Problem, Value

LAYERS = [LayerCost(peak, 10, 1, 7) for peak in (100, 300, 200, 50)]


def candidate(first: int, last: int, peak: int, macs: int, operators: int) -> Candidate:
    return Candidate(SplitSpan(Span(first, last, 0, ()), (0, 1, 2), Edges()), peak, macs, operators, 7 * operators)


LONG = candidate(0, 2, 120, 45, 9)
SHORT = candidate(1, 1, 150, 12, 4)
TWO = candidate(1, 2, 140, 22, 12)
LATE = candidate(2, 2, 140, 15, 5)
POOL = [LONG, SHORT, TWO, LATE]


def found(limit: int, maximum_macs: int) -> list[tuple[int, int, list[Candidate]]]:
    paths = find_paths(LAYERS, POOL, limit, maximum_macs)
    return [(path.macs, path.operators, [one for one in POOL if one.split in path.splits]) for path in paths]


def test_layers_below_the_limit_need_no_regions() -> None:
    assert found(300, 40) == [(40, 4, [])]


def test_all_ways_that_are_not_dominated_are_found() -> None:
    assert found(200, 99) == [(42, 7, [SHORT])]
    assert found(150, 99) == [(42, 14, [TWO]), (47, 11, [SHORT, LATE]), (55, 10, [LONG])]


def test_no_edge_is_above_the_limit() -> None:
    assert found(149, 99) == [(42, 14, [TWO]), (55, 10, [LONG])]
    assert found(139, 99) == [(55, 10, [LONG])]
    assert found(119, 99) == []


def test_no_path_takes_more_work_than_allowed() -> None:
    assert found(150, 54) == [(42, 14, [TWO]), (47, 11, [SHORT, LATE])]
    assert found(150, 41) == []


def test_dominated_ways_are_dropped() -> None:
    """By multiply-accumulates and by bytes; the number of operators does not matter."""
    ways = [(macs, upkeep, Path(0, 9 - upkeep), LAYERS[0]) for macs, upkeep in ((3, 3), (1, 5), (2, 5), (3, 4), (9, 1))]
    assert not_dominated(ways) == [(path, edge) for _, _, path, edge in (ways[1], ways[0], ways[4])]


def test_what_operators_keep_is_added_up() -> None:
    (path,) = find_paths(LAYERS, POOL, 200, 99)
    assert path.upkeep == 7 * path.operators


def test_regions_end_where_only_their_result_is_used_behind() -> None:
    problem = mobile_net(16)
    assert list(closed_ends(problem, 0)) == [0, 1, 2, 3, 4, 5, 9], "value 6 is added behind layer 8"
    assert list(closed_ends(problem, 6)) == [6, 7, 8, 9]
    assert list(closed_ends(problem, 10)) == [], "the dense layer"


def test_values_that_are_read_whole_are_made_before_the_region() -> None:
    values = tuple(Value(f"value {index}", 4, 8, is_input=index == 0, is_output=index == 3) for index in range(4))
    layers = (
        Layer("first", (Operand(0, Window()),), (1,)),
        Layer("second", (Operand(1, Window()),), (2,)),
        Layer("third", (Operand(2, Window()), Operand(1, AllRows())), (3,)),
    )
    problem = Problem(values, layers)
    assert list(closed_ends(problem, 0)) == [0]
    assert list(closed_ends(problem, 1)) == [1, 2]


def test_layers_without_use_end_regions() -> None:
    problem = chain(4, 8, LayerSpec(Window(), 4, 8), LayerSpec(Window(), 4, 8, inputs=(0,)))
    assert list(closed_ends(problem, 0)) == []
    assert list(closed_ends(problem, 1)) == [1]


def test_what_is_alive_around_a_region() -> None:
    problem = branches(4)
    size = 4 * 40
    # Value 1 is read by the last layer, value 0 only by the first one.
    assert make_span(problem, 1, 3) == Span(1, 3, size, ())
    assert make_span(problem, 0, 6) == Span(0, 6, 0, (0,))
    # The parts and the whole that they are copied to, or the whole alone where a plan lets the parts lie in it.
    assert StripeCosts(problem).least_peak(make_span(problem, 1, 3)) == size + 2 * size
    assert StripeCosts(problem, Accounting.PLANNED).least_peak(make_span(problem, 1, 3)) == size + size
    assert alive_before(problem) == [120, size, 2 * size, 3 * size, 2 * size, 3 * size, 3 * size, size]


def test_regions_begin_and_end_where_little_is_alive() -> None:
    problem = chain(
        8,
        10,
        LayerSpec(Window(), 8, 60),
        LayerSpec(Window(), 8, 60),
        LayerSpec(Window(), 8, 60),
        LayerSpec(Window(), 8, 10),
        LayerSpec(Window(), 8, 5),
        LayerSpec(None, 8, 5),
    )
    assert alive_before(problem) == [80, 480, 480, 480, 80, 40, 40]
    # Not from layer 2, where it is wide on both sides, nor from layers 3 and 4, before which it is wider than behind.
    assert worthwhile_spans(problem) == [(first, last) for first in (0, 1) for last in (2, 3, 4)]


def test_long_spans_are_left_out_first() -> None:
    """In the order that they came in; of equal ones the first stay."""
    pairs = [(0, 2), (0, 0), (1, 1), (1, 2), (2, 3)]
    assert shortest(pairs, 2) == [(0, 0), (1, 1)]
    assert shortest(pairs, 5) == [(0, 0), (1, 1), (1, 2)]
    assert shortest(pairs, 8) == [(0, 0), (1, 1), (1, 2), (2, 3)]
    assert shortest(pairs, 9) == pairs


@pytest.mark.parametrize(
    ("specs", "unit"),
    [
        ([LayerSpec(Repeat(2), 24, 1), LayerSpec(Repeat(3), 72, 1)], 6),
        ([LayerSpec(Repeat(4), 48, 1), LayerSpec(Window(2, 2), 24, 1)], 2),
        (
            [
                LayerSpec(Window(2, 2), 6, 1),
                LayerSpec(Repeat(2), 12, 1),
                LayerSpec(Window(3, 3), 4, 1, inputs=(0,)),
                LayerSpec(Repeat(3), 12, 1),
                LayerSpec(Window(), 12, 1, inputs=(2, 4)),
            ],
            6,
        ),
    ],
)
def test_cuts_lie_where_all_values_have_whole_rows(specs: list[LayerSpec], unit: int) -> None:
    problem = chain(12, 1, *specs)
    assert row_unit(problem, make_span(problem, 0, len(specs) - 1)) == unit
