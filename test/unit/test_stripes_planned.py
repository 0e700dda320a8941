"""What stripes take in a file that holds an arena plan: by hand, and against the planner of whole files."""

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from stripe_problems import LayerSpec, chain, inverted_residual, mobile_net, same_window

from tinymo_xdsl.planner.rows import Rows, TransposedWindow, Window
from tinymo_xdsl.planner.sharing import Copy, Overwrite
from tinymo_xdsl.planner.stripe_build import Edges, build_region
from tinymo_xdsl.planner.stripe_candidates import SplitSpan, StripeCosts, edge_choices, equal_cuts
from tinymo_xdsl.planner.stripe_check import validate
from tinymo_xdsl.planner.stripe_cost import ALIGNMENT, Accounting, Cost, evaluate, planned_bytes
from tinymo_xdsl.planner.stripe_cuts import tallest_stripes
from tinymo_xdsl.planner.stripe_placement import placed_bytes
from tinymo_xdsl.planner.stripe_search import SearchOptions, StripeSearch, finalists, search_stripes
from tinymo_xdsl.planner.stripe_solutions import directions
from tinymo_xdsl.planner.stripe_spans import closed_ends, make_span
from tinymo_xdsl.planner.stripes import Layer, Operand, Problem, Region, Solution, Upkeep, Value, write_program

PLANNED = SearchOptions(accounting=Accounting.PLANNED, bytes_per_operator=None)

EXPANDED = chain(8, 16, LayerSpec(Window(), 8, 64), LayerSpec(Window(), 8, 16))
"""Eight rows of 16 bytes, each of which becomes 64 bytes, then 16 again."""


def region(problem: Problem, first: int, last: int, cuts: tuple[int, ...], edges: Edges, upwards: bool) -> Region:
    """A region that a file can express."""
    built = build_region(problem, first, last, cuts, edges, upwards)
    assert built is not None
    return built


@pytest.mark.parametrize("upwards", [False, True])
def test_an_input_dies_and_a_result_is_born_row_by_row(upwards: bool) -> None:
    """Two stripes; slices and the join take no bytes of their own."""
    solution = Solution((region(EXPANDED, 0, 1, (0, 4, 8), Edges(), upwards),))
    validate(EXPANDED, solution)
    wide, half = 4 * 64, 4 * 16
    assert planned_bytes(write_program(EXPANDED, solution)) == [
        half + half,  # the slice reads its half, the other one is needed later
        half + half + wide,
        half + wide + half,  # half of the result
        half + half,
        half + half + wide,
        wide + half + half,
        half + half,  # the join
    ]


def test_elementwise_layers_write_over_what_dies() -> None:
    """A residual add: it takes the place of the inner operand, and of the outer one where its rows die."""
    problem = inverted_residual(16)
    add = replace(problem.layers[3], wishes=(Overwrite(4, 0), Overwrite(4, 3)))
    in_place = replace(problem, layers=(*problem.layers[:3], add))
    assert planned_bytes(write_program(problem, Solution()))[-1] == 3 * 160
    assert planned_bytes(write_program(in_place, Solution()))[-1] == 2 * 160


def test_scratch_counts_while_a_kernel_runs() -> None:
    """Of a layer in stripes only that of the rows that it computes."""
    layer = LayerSpec(TransposedWindow(2, 2), 16, 16)
    problem = chain(8, 16, layer)
    scratch = replace(problem.layers[0], scratch=8, scratch_per_row=64)
    problem = replace(problem, layers=(scratch,))
    assert planned_bytes(write_program(problem, Solution())) == [128 + 256 + 1040]
    stripes = Solution((region(problem, 0, 0, (0, 8, 16), Edges(), False),))
    program = write_program(problem, stripes)
    assert planned_bytes(program)[1] == 128 + 128 + 528
    assert evaluate(problem, stripes, Accounting.COPIES).peak < evaluate(problem, stripes, Accounting.PLANNED).peak


def test_bytes_are_counted_in_blocks() -> None:
    """Views begin at blocks; a window between two of them is a copy, as it is where a batch has several images."""
    crooked = chain(8, 12, LayerSpec(Window(), 8, 48), LayerSpec(Window(), 8, 12))
    whole = planned_bytes(write_program(crooked, Solution()))
    assert whole == [96 + 384, 384 + 96]
    stripes = Solution((region(crooked, 0, 1, (0, 3, 8), Edges(), False),))
    in_use = planned_bytes(write_program(crooked, stripes))
    # The first slice lies inside the input; so would the second one, if it did not begin at byte 36.
    assert in_use[0] == 96
    assert in_use[3] == 64 + 64 + 48


def test_a_window_of_a_batch_is_a_copy() -> None:
    batched = replace(EXPANDED, values=tuple(replace(value, is_contiguous=False) for value in EXPANDED.values))
    solution = Solution((region(EXPANDED, 0, 1, (0, 4, 8), Edges(), False),))
    assert planned_bytes(write_program(batched, solution))[0] == 128 + 64


def test_variables_and_unused_inputs() -> None:
    """No plan places a variable; an input that nothing reads is there at the start only."""
    values = (
        Value("image", 2, 16, is_input=True),
        Value("unused", 1, 160, is_input=True),
        Value("state", 1, 64, is_input=True, is_output=True, is_variable=True),
        Value("inner", 2, 32),
        Value("result", 2, 16, is_output=True),
    )
    layers = (
        Layer("first", (Operand(0, Window()), Operand(2, None)), (3,)),
        Layer("second", (Operand(3, Window()),), (4,)),
    )
    assert planned_bytes(write_program(Problem(values, layers), Solution())) == [32 + 160, 64 + 32]


def test_views_that_the_model_has() -> None:
    """A layer that copies bytes takes none, and reads only what it copies."""
    values = (Value("image", 4, 16, is_input=True), Value("part", 2, 16), Value("result", 2, 32, is_output=True))
    layers = (
        Layer("slice", (Operand(0, None),), (1,), wishes=(Copy(1, 0, 32),)),
        Layer("last", (Operand(1, Window()),), (2,)),
    )
    assert planned_bytes(write_program(Problem(values, layers), Solution())) == [64, 32 + 64]


def all_splits(problem: Problem, upwards: bool) -> Iterator[SplitSpan]:
    """Regions of all lengths in few and many stripes, with all kinds of edges."""
    for first in range(len(problem.layers)):
        for last in closed_ends(problem, first):
            span = make_span(problem, first, last)
            rows = problem.values[problem.layers[last].results[0]].rows
            for edges in edge_choices(problem, span):
                for stripes in (2, 5, 12):
                    if stripes <= rows:
                        yield SplitSpan(span, equal_cuts(rows, stripes, 1), edges, upwards)


@pytest.mark.parametrize("upwards", [False, True])
@pytest.mark.parametrize("problem", [inverted_residual(32), mobile_net(48)], ids=["residual", "mobile net"])
def test_what_stripes_are_said_to_cost_is_what_they_cost(problem: Problem, upwards: bool) -> None:
    """The sum of stripes is the whole. Where parts cannot lie in the result, a plan may find something better."""
    values = tuple(replace(value, row_bytes=-(-value.row_bytes // 16) * 16) for value in problem.values)
    priced = tuple(replace(layer, upkeep=100 + number) for number, layer in enumerate(problem.layers))
    search = StripeSearch(replace(problem, values=values, layers=priced, upkeep=Upkeep(7, 11, 13)), PLANNED)
    compared = 0
    for split in all_splits(search.problem, upwards):
        draft, found = search.draft((split,)), search.build((split,))
        assert draft is not None
        assert replace(draft.cost, peak=0) == replace(found.cost, peak=0, peak_layer=0)
        stripes = [search.costs.stripe(split.span, Rows(*rows), split.edges, upwards) for rows in pairwise(split.cuts)]
        if any(stripe is not None and stripe.copied for stripe in stripes):
            assert found.cost.peak <= draft.cost.peak
        else:
            compared += 1
            # Padded copies are no whole blocks; the halo of an input that is read twice may die before the rest.
            assert abs(draft.cost.peak - found.cost.peak) <= ALIGNMENT
    assert compared > 20


@pytest.mark.parametrize("upwards", [False, True])
def test_uneven_stripes_keep_to_the_limit(upwards: bool) -> None:
    problem = chain(
        32, 16, LayerSpec(Window(), 32, 64), LayerSpec(same_window(32, 64, 3), 32, 64), LayerSpec(Window(), 32, 16)
    )
    costs = StripeCosts(problem, Accounting.PLANNED)
    limit = evaluate(problem, Solution(), Accounting.PLANNED).peak // 2
    split = tallest_stripes(costs, make_span(problem, 0, 2), Edges(crops=frozenset({2})), limit, 24, upwards)
    assert split is not None
    solution = Solution((region(problem, 0, 2, split.cuts, split.edges, upwards),))
    validate(problem, solution)
    assert limit * 3 // 4 < evaluate(problem, solution, Accounting.PLANNED).peak <= limit
    heights = [stop - start for start, stop in zip(split.cuts, split.cuts[1:], strict=False)]
    # What is left for the last stripe is the lowest.
    assert heights.index(min(heights)) == (0 if upwards else len(heights) - 1)


def spans(*layers: tuple[int, int, bool]) -> tuple[tuple[int, int, bool], ...]:
    """Regions (first, last, upwards) in the first of the directions that are tried."""
    problem = mobile_net(16)
    splits = tuple(SplitSpan(make_span(problem, first, last), (0, 1, 2), Edges()) for first, last, _ in layers)
    return tuple((split.span.first, split.span.last, split.upwards) for split in next(directions(splits)))


def test_directions_follow_the_ends_of_the_arena_that_tensors_lie_at() -> None:
    """Every region, and every layer between two, takes what it yields to the other end."""
    for layers in (
        ((0, 1, False), (2, 3, True), (4, 5, False)),
        ((0, 1, False), (3, 4, False), (6, 7, False)),
        ((0, 1, False), (4, 5, True), (6, 7, False)),
    ):
        assert spans(*layers) == layers


def test_the_other_directions_are_the_reverse_and_all_downwards() -> None:
    problem = mobile_net(16)
    splits = tuple(SplitSpan(make_span(problem, first, first), (0, 1, 2), Edges()) for first in (0, 1))
    found = [tuple(split.upwards for split in turned) for turned in directions(splits)]
    assert found == [(False, True), (True, False), (False, False)]
    assert [len(turned) for turned in directions(splits[:1])] == [1, 1]


def random_problem(seed: int) -> Problem:
    """A chain of windows and elementwise layers, with what operators take."""
    dice = random.Random(seed)
    rows = dice.choice((16, 31))
    specs: list[LayerSpec] = []
    width = 64
    for _ in range(dice.randint(3, 9)):
        access = same_window(rows, width, 3) if dice.random() < 0.4 else Window()
        width = dice.choice((16, 48, 320, 960))
        specs.append(LayerSpec(access, rows, width, macs_per_row=width))
    problem = chain(rows, 64, *specs)
    layers = tuple(replace(layer, upkeep=dice.choice((100, 200))) for layer in problem.layers)
    return replace(problem, layers=layers, upkeep=Upkeep(slice=130, join=180, pad=170))


@pytest.mark.parametrize("seed", range(20))
def test_finalists_are_right_different_and_worth_it(seed: int) -> None:
    problem = random_problem(seed)
    before = evaluate(problem, Solution(), Accounting.PLANNED)
    found = finalists(problem, PLANNED, 4)
    assert len(set(found)) == len(found) <= 4
    for solution in found:
        validate(problem, solution)
        after = evaluate(problem, solution, Accounting.PLANNED)
        assert after.peak + after.upkeep <= before.peak + before.upkeep
        assert after.macs <= 1.1 * before.macs
        assert after.peak <= placed_bytes(write_program(problem, solution))
    assert found == finalists(problem, PLANNED, 4)
    assert bool(found) == bool(search_stripes(problem, PLANNED).regions)


def test_the_random_models_have_finalists() -> None:
    """The test above does not look at nothing."""
    counts = [len(finalists(random_problem(seed), PLANNED, 4)) for seed in range(20)]
    assert sum(count > 1 for count in counts) > 10


def test_finalists_begin_with_the_smallest_arena() -> None:
    problem = replace(mobile_net(48), upkeep=Upkeep(8, 8, 8))
    found = finalists(problem, PLANNED, 6)
    sizes = [
        placed_bytes(write_program(problem, solution)) + evaluate(problem, solution, Accounting.PLANNED).upkeep
        for solution in found
    ]
    assert sizes == sorted(sizes)
    assert len({tuple((one.first, one.last) for one in solution.regions) for solution in found}) > 1


def test_finalists_keep_to_a_limit() -> None:
    problem = mobile_net(48)
    limit = evaluate(problem, Solution(), Accounting.PLANNED).peak * 2 // 3
    found = finalists(problem, replace(PLANNED, peak_limit=limit), 3)
    assert found
    assert all(evaluate(problem, solution, Accounting.PLANNED).peak <= limit for solution in found)


def test_dear_operators_are_left_out() -> None:
    """What an operator takes is what the problem says, layer by layer."""
    problem = replace(mobile_net(48), upkeep=Upkeep(4, 4, 4))
    dear = replace(problem, layers=tuple(replace(layer, upkeep=100_000) for layer in problem.layers))
    assert finalists(problem, PLANNED, 1)
    assert finalists(dear, PLANNED, 1) == []
    assert evaluate(dear, Solution()).upkeep == 100_000 * len(dear.layers)


def test_costs_without_layers() -> None:
    assert evaluate(Problem((), ()), Solution(), Accounting.PLANNED) == Cost(0, 0, 0, 0)
