"""What solutions cost, against numbers counted by hand."""

import pytest
from stripe_problems import LayerSpec, chain, inverted_residual, same_window

from tinymo_xdsl.planner.rows import Rows, Window
from tinymo_xdsl.planner.stripe_build import Edges, build_region
from tinymo_xdsl.planner.stripe_cost import Cost, evaluate
from tinymo_xdsl.planner.stripe_order import slice_early
from tinymo_xdsl.planner.stripe_search import SearchOptions, search_stripes
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
    Value,
    Whole,
    live_bytes,
    write_program,
)

# Of a value of four rows, ten bytes each, the layers make four rows of sixty bytes, then four of sixty, then of ten.
BLOCK = inverted_residual(4)

TWO_STRIPES = Solution(
    (
        Region(
            0,
            2,
            2,
            (
                Slice(0, Rows(0, 3), Whole(0)),  # 0
                Compute(1, Rows(0, 3), 0, (Part(0),)),  # 1
                Compute(2, Rows(0, 3), 1, (Part(1),), 1, 1),  # 2: row 2 is wrong
                Slice(2, Rows(0, 2), Part(2)),  # 3
                Compute(3, Rows(0, 2), 2, (Part(3),)),  # 4
                Slice(0, Rows(1, 4), Whole(0)),  # 5
                Compute(1, Rows(1, 4), 0, (Part(5),)),  # 6
                Compute(2, Rows(1, 4), 1, (Part(6),), 1, 1),  # 7: row 1 is wrong
                Slice(2, Rows(2, 4), Part(7)),  # 8
                Compute(3, Rows(2, 4), 2, (Part(8),)),  # 9
                Join(3, Rows(0, 4), (Part(4), Part(9))),  # 10
            ),
        ),
    )
)


def test_live_bytes_of_unsplit_layers() -> None:
    """The input, 40 bytes, is alive until the residual add reads it, the sum is alive to the end."""
    expected = [
        40 + 240,  # expand
        40 + 240 + 240,  # depthwise
        40 + 240 + 40,  # project
        40 + 40 + 40,  # add
    ]
    assert live_bytes(write_program(BLOCK, Solution())) == expected
    assert evaluate(BLOCK, Solution()) == Cost(520, 1, 4 * 600 + 4 * 540 + 4 * 600, 4)


def test_live_bytes_of_stripes() -> None:
    """Every slice and every part of a value is a tensor; the input stays for the residual add."""
    expected = [
        40 + 30,
        40 + 30 + 180,
        40 + 180 + 180,
        40 + 180 + 120,
        40 + 120 + 20,
        40 + 20 + 30,
        40 + 20 + 30 + 180,
        40 + 20 + 180 + 180,
        40 + 20 + 180 + 120,
        40 + 20 + 120 + 20,
        40 + 20 + 20 + 40,
        40 + 40 + 40,  # the add
    ]
    assert live_bytes(write_program(BLOCK, TWO_STRIPES)) == expected
    # Six rows instead of four are expanded and convolved; as many as before are projected.
    assert evaluate(BLOCK, TWO_STRIPES) == Cost(420, 1, 6 * 600 + 6 * 540 + 4 * 600, 12)


def test_the_builder_makes_these_stripes() -> None:
    region = build_region(BLOCK, 0, 2, (0, 2, 4), Edges(crops=frozenset({2})))
    assert region == TWO_STRIPES.regions[0]


def test_padding_that_is_neither_same_nor_valid_is_a_copy() -> None:
    """Columns padded on the left only: the file has PAD in front of VALID, also without stripes."""
    window = Window(3, 2, 1, 0, same_columns=False, valid_columns=False, padded_row_bytes=11)
    problem = chain(6, 10, LayerSpec(window, 3, 20))
    # Six rows and one above them; the input dies when it has been copied.
    assert live_bytes(write_program(problem, Solution())) == [60 + 77, 77 + 60]
    region = build_region(problem, 0, 0, (0, 2, 3), Edges())
    assert region is not None
    # Rows 0 to 3 below one row of padding, then rows 3 to 5 with columns padded only.
    assert live_bytes(write_program(problem, Solution((region,)))) == [
        60 + 40,
        60 + 40 + 55,
        60 + 55 + 40,
        60 + 40 + 30,
        40 + 30 + 33,
        40 + 33 + 20,
        40 + 20 + 60,
    ]


@pytest.mark.parametrize(("parts", "joins"), [(2, 1), (10, 1), (11, 2), (19, 2), (20, 3), (28, 3), (29, 4)])
def test_joins_take_ten_inputs_at_most(parts: int, joins: int) -> None:
    problem = chain(parts, 10, LayerSpec(Window(), parts, 10))
    region = build_region(problem, 0, 0, tuple(range(parts + 1)), Edges())
    assert region is not None
    found = [step for step in region.steps if isinstance(step, Join)]
    assert len(found) == joins
    assert max(len(join.sources) for join in found) <= 10


def test_slices_taken_early_free_what_they_are_cut_from() -> None:
    """The last slice of the input goes right behind the one before it."""
    problem = chain(8, 10, LayerSpec(Window(), 8, 30), LayerSpec(Window(), 8, 10))
    late = build_region(problem, 0, 1, (0, 4, 8), Edges())
    assert late is not None
    early = slice_early(problem, late)
    assert [type(step) for step in early.steps] == [Slice, Slice, Compute, Compute, Compute, Compute, Join]
    assert [step.sources for step in early.steps[2:] if not isinstance(step, Slice)] == [
        (Part(0),),
        (Part(2),),
        (Part(1),),
        (Part(4),),
        (Part(3), Part(5)),
    ]
    assert evaluate(problem, Solution((late,))).peak == 80 + 40 + 120
    # The input is gone before the first stripe is worked on; later there is the first part.
    assert evaluate(problem, Solution((early,))).peak == 40 + 40 + 120
    assert search_stripes(problem, SearchOptions(bytes_per_operator=0, maximum_stripes=2)).regions == (early,)


def test_slices_of_what_is_needed_behind_the_region_stay_where_they_are() -> None:
    late = TWO_STRIPES.regions[0]
    assert slice_early(BLOCK, late) == late


def test_wrong_rows_that_run_along_spare_slices() -> None:
    """Of two convolutions in a row, the first one's wrong rows may go through the second: one slice in, one out."""
    convolution = LayerSpec(same_window(24, 10, 3), 24, 10, macs_per_row=90)
    problem = chain(24, 10, convolution, convolution)
    slices: list[int] = []
    macs: list[int] = []
    for edges in (Edges(), Edges(crops=frozenset({1}))):
        region = build_region(problem, 0, 1, (0, 8, 16, 24), edges)
        assert region is not None
        slices.append(sum(isinstance(step, Slice) for step in region.steps))
        macs.append(evaluate(problem, Solution((region,))).macs)
    assert slices == [6, 9]
    # The stripes at the edges are fed 8 + 2 rows, the middle one 8 + 2 + 2: dragged along, in both layers.
    assert macs == [90 * 2 * (10 + 12 + 10), 90 * (10 + 12 + 10 + 9 + 10 + 9)]


def test_unused_inputs_and_dead_results_are_counted_where_they_are_alive() -> None:
    values = (
        Value("image", 2, 10, is_input=True),
        Value("unused", 1, 7, is_input=True),
        Value("dead", 1, 100),
        Value("mask", 2, 1, is_output=True),
        Value("sum", 2, 10, is_output=True),
    )
    layers = (
        Layer("two results", (Operand(0, None),), (2, 3)),
        Layer("last", (Operand(0, Window()),), (4,)),
    )
    live = live_bytes(write_program(Problem(values, layers), Solution()))
    assert live == [20 + 7 + 100 + 2, 20 + 2 + 20]


def test_layers_that_mix_rows_cannot_be_split() -> None:
    beside_the_rows = Layer("a row of padding", (Operand(0, Window(2, 1, 2, 0)),), (1,))
    mixed = Layer("mixed", (Operand(0, None),), (1,))
    two_windows = Layer("two windows", (Operand(0, same_window(4, 4, 3)), Operand(1, Window())), (2,))
    two_results = Layer("two results", (Operand(0, Window()),), (1, 2))
    assert not mixed.can_split
    assert not beside_the_rows.can_split
    assert not two_windows.can_split
    assert not two_results.can_split
    assert BLOCK.layers[3].can_split
