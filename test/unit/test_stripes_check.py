"""The checker proves stripes right, and finds what is wrong with others."""

from dataclasses import replace
from itertools import combinations_with_replacement

import pytest
from stripe_problems import LayerSpec, branches, chain, inverted_residual, mobile_net, same_window

from tinymo_xdsl.planner.rows import AllRows, Repeat, Rows, TransposedWindow, Window
from tinymo_xdsl.planner.stripe_build import Edges, build_region
from tinymo_xdsl.planner.stripe_check import InvalidSolutionError, validate
from tinymo_xdsl.planner.stripe_order import slice_early
from tinymo_xdsl.planner.stripes import (
    Compute,
    Join,
    Layer,
    Operand,
    Part,
    Problem,
    Region,
    Slice,
    Solution,
    Step,
    Value,
    Whole,
)

DECODER = chain(
    6,
    40,
    LayerSpec(Repeat(2), 12, 40),
    LayerSpec(same_window(12, 40, 3), 12, 60),
    LayerSpec(TransposedWindow(3, 2, 0, 1), 24, 30),
    LayerSpec(Window(2, 2), 12, 30),
    LayerSpec(TransposedWindow(2, 2), 24, 30),
    LayerSpec(same_window(24, 30, 7), 24, 10),
)

DILATED = chain(11, 8, LayerSpec(Window(5, 1, 2, 2, padded_row_bytes=10), 11, 8), LayerSpec(Window(3, 3), 3, 8))

ODD_PADS = chain(
    10,
    8,
    LayerSpec(Window(7, 2, 3, 2, same_columns=False, valid_columns=False, padded_row_bytes=13), 5, 8),
    LayerSpec(Window(3, 1, 2, 0, same_columns=False, valid_columns=False, padded_row_bytes=10), 5, 8),
)

ROWS_UNLIKE_COLUMNS = chain(
    8,
    8,
    LayerSpec(Window(3, 1, 2, 0, same_columns=True, valid_columns=False, padded_row_bytes=10), 8, 8),
    LayerSpec(Window(3, 2, 0, 2, same_columns=True, valid_columns=False, padded_row_bytes=10), 4, 8),
)

MODELS = {
    "rows padded unlike columns": ROWS_UNLIKE_COLUMNS,
    "inverted residual": inverted_residual(9),
    "branches": branches(11),
    "mobile net": mobile_net(24),
    "decoder": DECODER,
    "dilated, then pooled": DILATED,
    "odd pads": ODD_PADS,
}


def closed(problem: Problem, first: int, last: int) -> bool:
    layers = problem.layers[first : last + 1]
    inner = [layer.results[0] for layer in layers[:-1]]
    return all(layer.can_split for layer in layers) and all(problem.last_use(value) <= last for value in inner)


@pytest.mark.parametrize("edges", ["dragged", "cropped", "padded"])
@pytest.mark.parametrize("model", MODELS)
def test_every_region_in_every_number_of_stripes_is_right(model: str, edges: str) -> None:
    problem = MODELS[model]
    layers = range(len(problem.layers))
    everything = frozenset(range(len(problem.values)))
    how = {"dragged": Edges(), "cropped": Edges(crops=everything), "padded": Edges(padded=True)}[edges]
    built = 0
    for first, last in combinations_with_replacement(layers, 2):
        if not closed(problem, first, last):
            continue
        rows = problem.values[problem.layers[last].results[0]].rows
        for stripes in range(2, rows + 1):
            cuts = tuple(rows * index // stripes for index in range(stripes + 1))
            region = build_region(problem, first, last, cuts, how)
            assert region is not None
            validate(problem, Solution((region,)))
            validate(problem, Solution((slice_early(problem, region),)))
            built += 1
    assert built > 0


def test_operands_that_every_row_reads_stay_whole() -> None:
    values = (Value("x", 4, 8, is_input=True), Value("scale", 1, 8, is_input=True), Value("y", 4, 8, is_output=True))
    layer = Layer("multiply", (Operand(0, Window()), Operand(1, AllRows())), (2,))
    problem = Problem(values, (layer,))
    region = build_region(problem, 0, 0, (0, 1, 4), Edges())
    assert region is not None
    validate(problem, Solution((region,)))
    assert [step.sources[1] for step in region.steps if isinstance(step, Compute)] == [Whole(1), Whole(1)]


def test_pools_whose_padding_no_file_can_express_are_refused() -> None:
    """Padding an average pool explicitly would count the padding as values."""
    pool = Window(3, 1, 2, 0, same_columns=False, valid_columns=False, padded_row_bytes=None)
    assert build_region(chain(6, 4, LayerSpec(pool, 6, 4)), 0, 0, (0, 3, 6), Edges()) is None


BLOCK = inverted_residual(6)
GOOD = build_region(BLOCK, 0, 3, (0, 3, 6), Edges(crops=frozenset({2})))


def changed(number: int, step: Step) -> Region:
    assert GOOD is not None
    return replace(GOOD, steps=(*GOOD.steps[:number], step, *GOOD.steps[number + 1 :]))


def numbers_of(kind: type[Step]) -> list[int]:
    assert GOOD is not None
    return [number for number, step in enumerate(GOOD.steps) if isinstance(step, kind)]


def assert_refused(region: Region, why: str) -> None:
    with pytest.raises(InvalidSolutionError, match=why):
        validate(BLOCK, Solution((region,)))


def test_every_slice_that_is_off_by_a_row_is_found() -> None:
    assert GOOD is not None
    validate(BLOCK, Solution((GOOD,)))
    slices = numbers_of(Slice)
    assert len(slices) > 4
    for number in slices:
        step = GOOD.steps[number]
        for start, stop in ((-1, 0), (1, 0), (0, -1), (0, 1), (1, 1), (-1, -1)):
            rows = Rows(step.rows.start + start, step.rows.stop + stop)
            if len(rows):
                assert_refused(changed(number, replace(step, rows=rows)), "rows|right|heights")


def test_every_pad_that_is_off_by_a_row_is_found() -> None:
    assert GOOD is not None
    depthwise = [number for number in numbers_of(Compute) if getattr(GOOD.steps[number], "layer", None) == 1]
    assert len(depthwise) == 2
    for number in depthwise:
        step = GOOD.steps[number]
        assert isinstance(step, Compute)
        assert (step.pad_top, step.pad_bottom) == (1, 1)
        for top, bottom in ((0, 1), (2, 1), (1, 0), (1, 2)):
            # What comes out moves or grows with the pads: the step says so, and still yields other rows than needed.
            rows = Rows(step.rows.start + 1 - top, step.rows.stop - 1 + bottom)
            assert_refused(changed(number, replace(step, pad_top=top, pad_bottom=bottom)), "yields rows")
            shifted = replace(step, pad_top=top, pad_bottom=bottom, rows=rows)
            if top != 1:
                assert_refused(changed(number, replace(shifted, rows=step.rows)), "yields rows")


def test_wrong_rows_must_not_leave_the_region() -> None:
    """Without the slice that cuts them off, the depthwise layer's wrong rows would be added up."""
    steps: tuple[Step, ...] = (
        Slice(0, Rows(0, 4), Whole(0)),
        Compute(1, Rows(0, 4), 0, (Part(0),)),
        Compute(2, Rows(0, 4), 1, (Part(1),), 1, 1),
        Slice(0, Rows(3, 6), Whole(0)),
        Compute(1, Rows(3, 6), 0, (Part(3),)),
        Compute(2, Rows(3, 6), 1, (Part(4),), 1, 1),
        Slice(2, Rows(4, 6), Part(5)),
        Join(2, Rows(0, 6), (Part(2), Part(6))),
    )
    assert_refused(Region(0, 1, 2, steps), "whole and right")


def test_malformed_regions_are_refused() -> None:
    assert GOOD is not None
    last = len(GOOD.steps) - 1
    join = GOOD.steps[last]
    assert isinstance(join, Join)
    assert_refused(changed(last, replace(join, sources=join.sources[::-1])), "not adjacent")
    assert_refused(changed(last, replace(join, sources=(join.sources[0], Part(last)))), "before it is made")
    assert_refused(changed(last, replace(join, sources=(join.sources[0],))), "1 tensors are joined")
    assert_refused(changed(last, replace(join, sources=(Whole(4),))), "not there before the region")
    assert_refused(changed(last, replace(join, value=3)), "different values")
    assert_refused(replace(GOOD, steps=GOOD.steps[:last]), "whole and right")
    assert_refused(replace(GOOD, last=2), "cannot run in this region")
    assert_refused(replace(GOOD, first=1), "cannot run in this region")
    compute = numbers_of(Compute)[0]
    step = GOOD.steps[compute]
    assert isinstance(step, Compute)
    assert_refused(changed(compute, replace(step, value=2)), "other values than its own")
    with pytest.raises(InvalidSolutionError, match="overlap"):
        validate(BLOCK, Solution((GOOD, GOOD)))


def test_values_used_behind_a_region_must_be_its_result() -> None:
    problem = chain(
        4,
        8,
        LayerSpec(Window(), 4, 8),
        LayerSpec(Window(), 4, 8),
        LayerSpec(Window(), 4, 8, inputs=(1, 2)),
    )
    region = build_region(problem, 0, 1, (0, 2, 4), Edges())
    assert region is not None
    with pytest.raises(InvalidSolutionError, match="value 1 is used behind the region"):
        validate(problem, Solution((region,)))
