"""The planner of orders against all orders, and at its limits."""

import random
from collections.abc import Callable
from itertools import permutations

import pytest

from tinymo_xdsl.planner.order import Order, Problem, Tensor, least_peak_order, live_peak

EFFORT = 20_000


def random_problem(seed: int, steps: int) -> Problem:
    """Tensors of any kind: never read, read twice by one step, kept, of no bytes; steps that write none or two."""
    generator = random.Random(seed)
    tensors = [random_tensor(generator, None, range(steps)) for _ in range(generator.randint(1, 2))]
    for step in range(steps):
        later = range(step + 1, steps)
        tensors += [random_tensor(generator, step, later) for _ in range(generator.choice([0, 1, 1, 1, 1, 2]))]
    pairs = [(first, second) for second in range(steps) for first in range(second) if generator.random() < 0.05]
    return Problem(steps, tuple(tensors), tuple(pairs))


def random_tensor(generator: random.Random, writer: int | None, later: range) -> Tensor:
    readers = generator.choices(later, k=generator.choice([0, 1, 1, 1, 2, 3])) if later else []
    return Tensor(generator.randint(0, 30), writer, tuple(readers), generator.random() < (0.1 if readers else 0.5))


def unchanged(problem: Problem) -> tuple[int, ...]:
    return tuple(range(problem.steps))


def all_orders(problem: Problem) -> list[tuple[int, ...]]:
    def is_legal(order: tuple[int, ...]) -> bool:
        return all(order.index(first) < order.index(second) for first, second in problem.dependencies)

    return [order for order in permutations(range(problem.steps)) if is_legal(order)]


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5, 6])
def test_no_order_of_all_is_lower(steps: int):
    improved = 0
    for seed in range(150):
        problem = random_problem(seed, steps)
        found = least_peak_order(problem, EFFORT)
        least = min(live_peak(problem, order) for order in all_orders(problem))
        assert (found.peak, found.lower_bound, found.is_optimal) == (least, least, True), seed
        assert live_peak(problem, found.steps) == found.peak
        improved += found.peak < live_peak(problem, unchanged(problem))
    assert improved or steps < 3


@pytest.mark.parametrize("effort", [0, 1, 10, 100])
def test_a_search_that_stops_early_is_honest(effort: int):
    unproven = 0
    for seed in range(60):
        problem = random_problem(seed, 6)
        found = least_peak_order(problem, effort)
        least = min(live_peak(problem, order) for order in all_orders(problem))
        assert found.lower_bound <= least <= found.peak <= live_peak(problem, unchanged(problem))
        assert live_peak(problem, found.steps) == found.peak
        unproven += not found.is_optimal
    assert unproven or effort == 100


def test_a_beam_goes_on_where_the_search_stops():
    problem = random_problem(2, 60)
    found = least_peak_order(problem, 1000)
    assert found.lower_bound < found.peak < live_peak(problem, unchanged(problem))
    assert live_peak(problem, found.steps) == found.peak
    assert 1000 < found.states <= 2000
    assert found == least_peak_order(problem, 1000)
    assert least_peak_order(problem, 10_000).is_optimal


def test_the_peak_of_an_order_by_hand():
    problem = Problem(
        3, (Tensor(8, None, (0, 2)), Tensor(100, None), Tensor(5, 0, (1,)), Tensor(20, 1), Tensor(3, 2, kept=True))
    )
    # The tensor that nobody reads is there at the first step, and what is written in vain while it is written.
    assert live_peak(problem, (0, 1, 2)) == 8 + 100 + 5
    assert live_peak(problem, (2, 0, 1)) == 8 + 100 + 3
    assert least_peak_order(problem, EFFORT) == Order((2, 0, 1), 111, 111, 3)


def test_an_order_that_is_as_low_as_any_stays():
    tensors = tuple(Tensor(10, step, (4,)) for step in range(4))
    assert least_peak_order(Problem(5, tensors), EFFORT).steps == (0, 1, 2, 3, 4)


def test_steps_that_need_not_move_stay_in_order():
    """The two large branches have to be closed first; of the small ones all may be open at once, as they are."""
    sizes = (100, 100, 10, 10, 10, 10)
    wide = [Tensor(size, step, (6 + step,)) for step, size in enumerate(sizes)]
    narrow = [Tensor(1, 6 + step, (12,)) for step in range(6)]
    order = least_peak_order(Problem(13, (*wide, *narrow)), EFFORT)
    assert order == Order((0, 6, 1, 7, 2, 3, 4, 5, 8, 9, 10, 11, 12), 102, 102, order.states)


def test_sources_run_when_they_are_needed():
    """Many sources in front, as weights that are expanded at run time: their subsets are not searched."""
    count = 40
    weights = tuple(Tensor(50, step, (count + step,)) for step in range(count))
    chain = tuple(Tensor(10, count + step, (count + step + 1,)) for step in range(count - 1))
    found = least_peak_order(Problem(2 * count, (*weights, *chain)), EFFORT)
    assert found.peak == 10 + 50 + 10
    assert found.is_optimal
    assert found.states <= 2 * count


def test_parallel_chains_are_not_multiplied():
    """Eight chains of six steps, each narrower at every second step: 7 to the power of 8 sets of done steps."""
    tensors = [Tensor(64, None, tuple(range(0, 48, 6)))]
    for step in range(48):
        reader = step + 1 if (step + 1) % 6 else 48
        tensors.append(Tensor((16, 4)[step % 2] - step % 6 // 2, step, (reader,)))
    found = least_peak_order(Problem(49, tuple(tensors)), EFFORT)
    assert found.is_optimal
    assert found.states < 5000


def test_nothing_to_order():
    assert least_peak_order(Problem(0, (Tensor(3, None), Tensor(4, None, kept=True))), EFFORT) == Order((), 7, 7, 0)


@pytest.mark.parametrize(
    "problem",
    [
        pytest.param(lambda: Problem(2, (Tensor(1, 1, (0,)),)), id="read before it is written"),
        pytest.param(lambda: Problem(2, (Tensor(1, 1, (1,)),)), id="read by its writer"),
        pytest.param(lambda: Problem(2, (), ((1, 0),)), id="pair against the numbering"),
        pytest.param(lambda: Problem(2, (Tensor(1, 0, (2,)),)), id="unknown step"),
        pytest.param(lambda: live_peak(Problem(2, (Tensor(1, 0, (1,)),)), (1, 0)), id="order against a dependency"),
        pytest.param(lambda: live_peak(Problem(2, ()), (0,)), id="order that lacks a step"),
    ],
)
def test_impossible_orders_are_refused(problem: Callable[[], object]):
    with pytest.raises(ValueError, match="step"):
        problem()
