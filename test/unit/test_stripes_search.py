"""What the search finds: never worse than no stripes, right, within its budget, and always the same."""

import random
from dataclasses import replace

import pytest
from stripe_problems import LayerSpec, chain, inverted_residual, mobile_net, same_window

from tinymo_xdsl.planner.rows import Repeat, Window
from tinymo_xdsl.planner.stripe_build import Edges, build_region
from tinymo_xdsl.planner.stripe_candidates import SplitSpan, StripeCosts, edge_choices, equal_cuts
from tinymo_xdsl.planner.stripe_check import validate
from tinymo_xdsl.planner.stripe_cost import evaluate
from tinymo_xdsl.planner.stripe_cuts import largest, tallest_stripes
from tinymo_xdsl.planner.stripe_search import SearchOptions, search_stripes
from tinymo_xdsl.planner.stripe_spans import make_span
from tinymo_xdsl.planner.stripes import Problem, Solution

MOBILE_NET = mobile_net(48)
UNSPLIT = evaluate(MOBILE_NET, Solution())


def random_problem(seed: int) -> Problem:
    """A chain of random windows, elementwise layers, resizings and residual adds."""
    dice = random.Random(seed)
    rows = dice.choice((12, 17, 32))
    specs: list[LayerSpec] = []
    heights = [rows]
    widths = [dice.choice((40, 300))]
    for _ in range(dice.randint(4, 16)):
        height, width = heights[-1], widths[-1]
        same = [value for value in range(len(heights)) if (heights[value], widths[value]) == (height, width)]
        kind = dice.choice(("expand", "window", "window", "stride", "repeat", "add", "mix"))
        if kind == "add" and len(same) > 1:
            specs.append(LayerSpec(Window(), height, width, inputs=(same[0], same[-1])))
        elif kind == "repeat" and height < 24:
            specs.append(LayerSpec(Repeat(2), 2 * height, width))
        elif kind == "stride" and height > 6:
            window = same_window(height, width, 3, 2)
            specs.append(LayerSpec(window, -(-height // 2), width // 2 + 1, macs_per_row=9 * width))
        elif kind == "mix" and dice.random() < 0.2:
            specs.append(LayerSpec(None, height, width))
        elif kind == "window":
            specs.append(LayerSpec(same_window(height, width, dice.choice((3, 5))), height, width, 9 * width))
        else:
            specs.append(LayerSpec(Window(), height, dice.choice((30, 200, 900)), macs_per_row=20 * width))
        heights.append(specs[-1].rows)
        widths.append(specs[-1].row_bytes)
    return chain(rows, widths[0], *specs)


@pytest.mark.parametrize("seed", range(40))
def test_random_models_never_get_worse(seed: int) -> None:
    problem = random_problem(seed)
    before = evaluate(problem, Solution())
    for options in (
        SearchOptions(),
        SearchOptions(bytes_per_operator=0),
        SearchOptions(peak_limit=before.peak * 2 // 3),
    ):
        solution = search_stripes(problem, options)
        validate(problem, solution)
        after = evaluate(problem, solution)
        assert after.peak <= before.peak
        assert after.macs <= 1.1 * before.macs
        if options.peak_limit is None and options.bytes_per_operator is not None:
            added = after.operators - before.operators
            assert after.peak + options.bytes_per_operator * added <= before.peak


def test_the_random_models_are_worth_it() -> None:
    """Most of them can be lowered: the test above does not compare nothing with nothing."""
    solutions = [search_stripes(random_problem(seed), SearchOptions(bytes_per_operator=0)) for seed in range(40)]
    assert sum(bool(solution.regions) for solution in solutions) > 20
    assert sum(len(solution.regions) > 1 for solution in solutions) > 5


def test_the_peak_of_a_mobile_net_falls_below_its_widest_value() -> None:
    solution = search_stripes(MOBILE_NET, SearchOptions(bytes_per_operator=4))
    validate(MOBILE_NET, solution)
    cost = evaluate(MOBILE_NET, solution)
    assert cost.peak < 768 * 24 < UNSPLIT.peak
    assert cost.macs <= 1.1 * UNSPLIT.macs


def test_the_same_problem_gives_the_same_solution() -> None:
    assert search_stripes(MOBILE_NET) == search_stripes(mobile_net(48))


def test_more_work_buys_a_lower_peak() -> None:
    """The budget of multiply-accumulates is kept to, and used."""
    peaks: list[int] = []
    for share in (0.0, 0.03, 0.3):
        options = SearchOptions(maximum_extra_macs=share, bytes_per_operator=0)
        cost = evaluate(MOBILE_NET, search_stripes(MOBILE_NET, options))
        assert cost.macs <= (1 + share) * UNSPLIT.macs
        peaks.append(cost.peak)
    assert peaks[0] > peaks[1] > peaks[2]


def test_operators_must_be_worth_their_bytes() -> None:
    """Dearer operators make for fewer of them, and none at all in the end."""
    costs = [
        evaluate(MOBILE_NET, search_stripes(MOBILE_NET, SearchOptions(bytes_per_operator=price)))
        for price in (0, 200, 10_000)
    ]
    assert costs[0].operators > costs[1].operators > costs[2].operators == UNSPLIT.operators
    assert costs[0].peak < costs[1].peak < costs[2].peak == UNSPLIT.peak


def test_a_limit_is_kept_to_with_little_work() -> None:
    lowest = evaluate(MOBILE_NET, search_stripes(MOBILE_NET, SearchOptions(bytes_per_operator=0)))
    limit = (lowest.peak + UNSPLIT.peak) // 2
    solution = search_stripes(MOBILE_NET, SearchOptions(peak_limit=limit))
    validate(MOBILE_NET, solution)
    cost = evaluate(MOBILE_NET, solution)
    assert lowest.peak < cost.peak <= limit
    assert cost.operators < lowest.operators
    assert cost.macs < lowest.macs


@pytest.mark.parametrize("seed", range(0, 40, 4))
def test_limits_are_kept_to_wherever_the_lowest_peak_does(seed: int) -> None:
    problem = random_problem(seed)
    before = evaluate(problem, Solution()).peak
    lowest = evaluate(problem, search_stripes(problem, SearchOptions(bytes_per_operator=0))).peak
    for limit in range(lowest, before, max((before - lowest) // 4, 1)):
        assert evaluate(problem, search_stripes(problem, SearchOptions(peak_limit=limit))).peak <= limit


def test_a_limit_that_the_model_keeps_to_changes_nothing() -> None:
    assert search_stripes(MOBILE_NET, SearchOptions(peak_limit=UNSPLIT.peak)) == Solution()


def test_a_limit_that_cannot_be_kept_to_gives_the_lowest_peak() -> None:
    lowest = search_stripes(MOBILE_NET, SearchOptions(bytes_per_operator=0))
    assert search_stripes(MOBILE_NET, SearchOptions(peak_limit=1)) == lowest


def test_regions_and_stripes_can_be_prescribed() -> None:
    options = SearchOptions(spans=frozenset({(4, 5), (3, 5), (4, 99)}), stripes=3, bytes_per_operator=0)
    solution = search_stripes(MOBILE_NET, options)
    assert [(region.first, region.last, region.stripes) for region in solution.regions] == [(3, 5, 3)]
    assert search_stripes(MOBILE_NET, replace(options, stripes=13)) == Solution(), "the result has twelve rows"
    assert search_stripes(MOBILE_NET, replace(options, spans=frozenset())) == Solution()


def test_models_without_rows_are_left_alone() -> None:
    assert search_stripes(chain(1, 64, LayerSpec(None, 1, 64), LayerSpec(Window(), 1, 64))) == Solution()
    assert search_stripes(Problem((), ())) == Solution()


def test_estimates_of_equal_stripes_are_what_they_cost() -> None:
    """Where the middle stripes are alike, three of them tell what the region costs."""
    problem = inverted_residual(32)
    span = make_span(problem, 0, 2)
    costs = StripeCosts(problem)
    for stripes in (2, 4, 8, 16):
        for edges in edge_choices(problem, span):
            split = SplitSpan(span, equal_cuts(32, stripes, 1), edges)
            estimate = costs.estimate(split)
            region = build_region(problem, 0, 2, split.cuts, edges)
            assert estimate is not None
            assert region is not None
            exact = evaluate(problem, Solution((region,)))
            # The add behind the region is one more operator, without multiply-accumulates.
            assert (estimate.macs, estimate.operators + 1) == (exact.macs, exact.operators)
            assert estimate.peak == exact.peak


def test_uneven_stripes_keep_to_the_limit_and_are_as_tall_as_it_allows() -> None:
    convolution = LayerSpec(same_window(32, 60, 3), 32, 60)
    problem = chain(32, 10, LayerSpec(Window(), 32, 60), convolution, LayerSpec(Window(), 32, 10))
    span = make_span(problem, 0, 2)
    costs = StripeCosts(problem)
    edges = Edges(crops=frozenset({2}))
    equal = costs.estimate(SplitSpan(span, equal_cuts(32, 5, 1), edges))
    assert equal is not None

    def peak(cuts: tuple[int, ...]) -> int:
        region = build_region(problem, 0, 2, cuts, edges)
        assert region is not None
        return evaluate(problem, Solution((region,))).peak

    uneven = tallest_stripes(costs, span, edges, equal.peak, 24)
    assert uneven is not None
    cuts = uneven.cuts
    assert len(cuts) - 1 < 5
    assert peak(cuts) <= equal.peak
    for number in range(1, len(cuts) - 2):
        taller = (*cuts[:number], cuts[number] + 1, *cuts[number + 1 :])
        assert peak(taller) > equal.peak, f"stripe {number} could be taller"
    assert tallest_stripes(costs, span, edges, equal.peak, len(cuts) - 2) is None


def test_results_that_do_not_fit_twice_cannot_be_joined() -> None:
    """However low the stripes are, the parts and the whole are there together in the end."""
    problem = chain(32, 10, LayerSpec(Window(), 32, 60))
    costs = StripeCosts(problem)
    span = make_span(problem, 0, 0)
    assert tallest_stripes(costs, span, Edges(), 2 * 32 * 60 - 1, 24) is None
    assert tallest_stripes(costs, span, Edges(), 2 * 32 * 60, 24) is not None


@pytest.mark.parametrize("answer", range(30))
@pytest.mark.parametrize("guess", [1, 2, 7, 29])
def test_the_largest_that_fits(answer: int, guess: int) -> None:
    assert largest(lambda count: count <= answer, guess) == answer
