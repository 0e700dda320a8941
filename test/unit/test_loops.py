"""Loops of rows: each row that is kept is computed from the very rows that the unsplit layers read for it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from stripe_problems import LayerSpec, branches, chain, inverted_residual, mobile_net, same_window

from tinymo_xdsl.planner.loops import Loop, loop_cost, plan_loop
from tinymo_xdsl.planner.rows import LocalAccess, Padding, Repeat, Rows, TransposedWindow, Window
from tinymo_xdsl.planner.stripe_check import read_operand, read_unsplit
from tinymo_xdsl.planner.stripe_spans import closed_ends, make_span
from tinymo_xdsl.planner.stripes import Problem

WRONG = -1


def simulated(problem: Problem, loop: Loop, start: int) -> list[int]:
    """
    The symbols of the rows that come out of the window from row `start` on.

    A row's symbol is its number where it is computed from the rows that the unsplit layer reads for it, else `WRONG`.
    """
    held = {loop.source: (start, list(range(start, start + len(loop.rounds[0].window))))}
    rows: list[int] = []
    for layer, run in zip(problem.layers[loop.first : loop.last + 1], loop.layers, strict=True):
        seen: list[Sequence[object]] = []
        right: list[Sequence[object]] = []
        begins: set[int] = set()
        for operand in layer.operands:
            assert isinstance(operand.access, LocalAccess)
            first, symbols = held[operand.value]
            check_pads(operand.access, len(symbols), (run.pad_top, run.pad_bottom))
            seen.append(read_operand(operand.access, symbols, run.pad_top, run.pad_bottom))
            right.append(read_unsplit(operand.access, problem.values[operand.value].rows))
            begins.add(first_row(operand.access, first, run.pad_top))
        (begin,) = begins
        expected = dict(enumerate(zip(*right, strict=True)))
        rows = [
            row if expected.get(row) == reading else WRONG for row, reading in enumerate(zip(*seen, strict=True), begin)
        ]
        assert len(rows) == run.rows
        held[layer.results[0]] = begin, rows
    return rows


def check_pads(access: LocalAccess, rows: int, pads: tuple[int, int]) -> None:
    """What the file says gives these pads: SAME, VALID or a PAD operator."""
    if isinstance(access, Window) and not access.is_elementwise:
        padding = access.padding(rows, *pads)
        assert padding is not None
        if padding is Padding.SAME:
            assert access.result_rows(rows, *pads) == -(-rows // access.stride)


def first_row(access: LocalAccess, start: int, pad_top: int) -> int:
    match access:
        case Window():
            row, phase = divmod(start - pad_top + access.pad_top, access.stride)
            assert phase == 0
            return row
        case Repeat(factor):
            return start * factor
        case TransposedWindow():
            return start * access.stride


def check(problem: Problem, loop: Loop) -> None:
    result = problem.layers[loop.last].results[0]
    covered: set[int] = set()
    for part in loop.rounds:
        assert Rows(0, problem.values[loop.source].rows).contains(part.window)
        rows = simulated(problem, loop, part.window.start)
        assert len(rows) == len(part.made)
        begin = part.kept.start - part.made.start
        assert rows[begin : begin + len(part.kept)] == list(range(part.kept.start, part.kept.stop))
        covered.update(range(part.kept.start, part.kept.stop))
    assert covered == set(range(problem.values[result].rows))
    assert len({(len(part.window), len(part.made), len(part.kept)) for part in loop.rounds}) == 1


def all_loops(problem: Problem) -> list[Loop]:
    found: list[Loop] = []
    for first in range(len(problem.layers)):
        for last in closed_ends(problem, first):
            height = problem.values[problem.layers[last].results[0]].rows
            loops_of_span = [plan_loop(problem, make_span(problem, first, last), rows) for rows in range(1, height)]
            found += [loop for loop in loops_of_span if loop is not None]
    return found


def valid_chain(rows: int) -> Problem:
    """Two convolutions that do not pad, the second one with a stride."""
    return chain(
        rows,
        8,
        LayerSpec(Window(3, 1, valid_columns=True), rows - 2, 8, macs_per_row=10),
        LayerSpec(Window(3, 2, valid_columns=True), (rows - 3) // 2, 8, macs_per_row=10),
    )


def uneven_padding(rows: int) -> Problem:
    """A stride of 2 that pads at the top only, for which a file needs a PAD operator, and a 3x3 behind it."""
    window = Window(3, 2, 1, 0, same_columns=False, valid_columns=False, padded_row_bytes=10)
    half = rows // 2
    return chain(rows, 8, LayerSpec(window, half, 8, 10), LayerSpec(same_window(half, 8, 3), half, 8, 10))


def up_and_down(rows: int) -> Problem:
    """Rows doubled by a resize, then a 3x3, then a transposed convolution."""
    transposed = TransposedWindow(3, 2, crop_top=0, crop_bottom=1)
    return chain(
        rows,
        4,
        LayerSpec(Repeat(2), 2 * rows, 4),
        LayerSpec(same_window(2 * rows, 4, 3), 2 * rows, 4, 7),
        LayerSpec(transposed, 4 * rows, 4, 7),
    )


def there_and_back(rows: int) -> Problem:
    """A stride of 2, the rows doubled again, and the sum with what it began with: windows must be of even height."""
    return chain(
        rows,
        8,
        LayerSpec(Window(), rows, 8),
        LayerSpec(same_window(rows, 8, 3, 2), rows // 2, 8, 7),
        LayerSpec(Repeat(2), rows, 8),
        LayerSpec(Window(), rows, 8, inputs=(1, 3)),
    )


@pytest.mark.parametrize(
    ("problem", "least"),
    [
        (inverted_residual(12), 40),
        (inverted_residual(7), 15),
        (mobile_net(32), 200),
        (branches(10), 20),
        (valid_chain(21), 20),
        (uneven_padding(16), 10),
        (up_and_down(6), 30),
        (there_and_back(12), 10),
    ],
)
def test_each_row_that_is_kept_is_computed_from_the_right_rows(problem: Problem, least: int) -> None:
    found = all_loops(problem)
    assert len(found) >= least
    for loop in found:
        check(problem, loop)


def test_the_check_finds_a_window_that_is_out_of_place() -> None:
    problem = inverted_residual(12)
    loop = plan_loop(problem, make_span(problem, 0, 2), 4)
    assert loop is not None
    middle = loop.rounds[1]
    moved = replace(middle, window=Rows(middle.window.start + 1, middle.window.stop + 1))
    with pytest.raises(AssertionError):
        check(problem, replace(loop, rounds=(loop.rounds[0], moved, loop.rounds[2])))


def test_windows_are_moved_inwards_at_the_edges() -> None:
    problem = inverted_residual(12)
    loop = plan_loop(problem, make_span(problem, 0, 2), 4)
    assert loop is not None
    assert [part.window for part in loop.rounds] == [Rows(0, 6), Rows(3, 9), Rows(6, 12)]
    assert [part.kept.start - part.made.start for part in loop.rounds] == [0, 1, 2]


def test_the_last_round_computes_rows_anew_where_heights_do_not_divide() -> None:
    problem = inverted_residual(10)
    loop = plan_loop(problem, make_span(problem, 0, 2), 4)
    assert loop is not None
    assert [part.kept for part in loop.rounds] == [Rows(0, 4), Rows(4, 8), Rows(6, 10)]


def test_several_inputs_from_outside_give_no_loop() -> None:
    problem = inverted_residual(12)
    assert plan_loop(problem, make_span(problem, 1, 3), 4) is None


def test_the_cost_counts_the_input_and_the_result_whole_and_one_round_beside_them() -> None:
    problem = inverted_residual(12)
    span = make_span(problem, 0, 2)
    loop = plan_loop(problem, span, 4)
    assert loop is not None
    cost = loop_cost(problem, span, loop)
    # The input is needed behind the span. In a round, 6 rows of 60 bytes, in whole blocks of 16, go in and come out of
    # the depthwise convolution.
    assert cost.peak == 120 + 120 + 2 * 368
    assert cost.macs == 3 * 6 * (600 + 540 + 600)
