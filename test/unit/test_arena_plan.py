"""The planner as a whole: plans, proofs, determinism."""

import itertools
import subprocess
import sys
from pathlib import Path

import pytest
from arena_problems import activations, draws_without_overlap, random_problem
from flatbuffer_models import NO_MODELS, model_files

from tinymo_xdsl.flatbuffer.reader import read_file
from tinymo_xdsl.planner.arena.first_fit import Placer, orders
from tinymo_xdsl.planner.arena.minimalloc_csv import write_solution
from tinymo_xdsl.planner.arena.portfolio import Effort, plan
from tinymo_xdsl.planner.arena.problem import Buffer, Piece, PlanError, Problem, arena_of
from tinymo_xdsl.planner.arena.random_numbers import RandomNumbers
from tinymo_xdsl.planner.arena.repair import repair
from tinymo_xdsl.planner.arena.search import search
from tinymo_xdsl.planner.arena.sections import Sections
from tinymo_xdsl.planner.arena.strategy import Strategy
from tinymo_xdsl.planner.arena.validate import validate


def buffers(*rows: tuple[int, int, int]) -> Problem:
    """A problem of buffers (size, start, end)."""
    return Problem(tuple(Buffer.whole(f"b{index}", *row) for index, row in enumerate(rows)))


def cut_arena(seed: int, count: int, height: int, steps: int) -> Problem:
    """`count` buffers that fill `height` bytes over `steps` steps without a gap: an arena, cut into rectangles."""
    numbers = RandomNumbers(seed)
    whole = [(0, height, 0, steps)]
    while len(whole) < count:
        low, high, start, end = whole.pop(max(range(len(whole)), key=lambda i: _area(whole[i])))
        if (numbers.below(2) and end - start > 1) or high - low == 1:
            middle = start + 1 + numbers.below(end - start - 1)
            whole += [(low, high, start, middle), (low, high, middle, end)]
        else:
            middle = low + 1 + numbers.below(high - low - 1)
            whole += [(low, middle, start, end), (middle, high, start, end)]
    order = sorted(range(count), key=lambda _: numbers.below(1 << 30))
    return buffers(*((whole[i][1] - whole[i][0], whole[i][2], whole[i][3]) for i in order))


def _area(rectangle: tuple[int, int, int, int]) -> int:
    low, high, start, end = rectangle
    return (high - low) * (end - start)


#   step   0   1   2   3   4   5
#   5..8  |   |    b1     |       |
#   4..5  |  b0   |   |  b3   |   |     and b4 from 4 to 7 at step 5
#   0..4  |  b0   |      b2       |
SMALL = buffers((5, 0, 2), (3, 1, 4), (4, 2, 6), (1, 3, 5), (3, 5, 6))


def test_a_small_plan_is_as_small_as_the_bound():
    solution = plan(SMALL)
    assert (solution.arena, solution.lower_bound, solution.optimal) == (8, 8, True)


@pytest.mark.parametrize("seed", range(80))
def test_small_problems_are_solved_and_proven_optimal(seed: int):
    """Some order makes first-fit optimal, so all orders together tell the smallest arena."""
    problem = random_problem(seed, 5, alignment=1 + seed % 2, steps=6)
    placer = Placer(problem)
    smallest = min(
        arena_of(problem, placer.place(order, Placer.first_fit)) for order in itertools.permutations(range(5))
    )
    solution = plan(problem, Effort.LOW)
    assert draws_without_overlap(problem, solution.offsets)
    assert (solution.arena, solution.optimal) == (smallest, True)


def test_a_plan_above_the_bound_is_proven_by_an_exhausted_search():
    # 14 bytes are in use, but between 0..5 and 8..13, where a and b must lie, there is no room for the 4 bytes of c.
    a, b = (Buffer.whole(name, 5, 0, 1, alignment=8) for name in "ab")
    problem = Problem((a, b, Buffer.whole("c", 4, 0, 1)))
    assert problem.lower_bound == 14
    solution = plan(problem)
    assert (solution.arena, solution.lower_bound, solution.optimal) == (17, 17, True)


@pytest.mark.parametrize("seed", range(24))
def test_problems_of_several_pieces_are_planned_validly_and_never_worse_than_greedily(seed: int):
    problem = random_problem(seed, 9, pieces=4, alignment=1 + seed % 4)
    solution = plan(problem, Effort.LOW)
    placer = Placer(problem)
    greedy = min(arena_of(problem, placer.place(o, Placer.first_fit)) for o in orders(problem).values())
    assert draws_without_overlap(problem, solution.offsets)
    assert problem.lower_bound <= solution.lower_bound <= solution.arena <= greedy


@pytest.mark.parametrize("seed", range(20))
def test_small_problems_of_several_pieces_are_as_small_as_in_the_best_order(seed: int):
    """Some of these plans the search never looks at, so an exhausted search must not be taken for a proof."""
    problem = random_problem(seed, 5, pieces=3, steps=5)
    placer = Placer(problem)
    smallest = min(
        arena_of(problem, placer.place(order, Placer.first_fit)) for order in itertools.permutations(range(5))
    )
    solution = plan(problem, Effort.LOW)
    assert draws_without_overlap(problem, solution.offsets)
    assert solution.lower_bound <= smallest
    assert solution.arena == smallest


@pytest.mark.parametrize("seed", range(8))
def test_an_arena_cut_into_pieces_is_put_together_again(seed: int):
    """Not a byte is free at any step."""
    problem = cut_arena(seed, 40, 1000, 30)
    solution = plan(problem)
    assert (solution.arena, solution.optimal) == (1000, True)


def test_the_search_solves_what_no_greedy_order_does():
    problem = cut_arena(3, 40, 1000, 30)
    placer = Placer(problem)
    assert min(arena_of(problem, placer.place(o, Placer.first_fit)) for o in orders(problem).values()) > 1000
    assert plan(problem).method == "search"


@pytest.mark.parametrize("seed", range(20))
def test_fixed_buffers_stay_and_the_others_fill_the_holes_around_them(seed: int):
    whole = cut_arena(seed, 12, 100, 10)
    solved = plan(whole)
    assert solved.arena == 100
    pinned = Problem(
        tuple(
            Buffer(b.name, b.pieces, offset=offset if index % 4 == 0 else None)
            for index, (b, offset) in enumerate(zip(whole.buffers, solved.offsets, strict=True))
        )
    )
    solution = plan(pinned)
    assert solution.arena == 100
    assert all(solution.offsets[index] == solved.offsets[index] for index in range(0, 12, 4))


def test_the_rows_of_a_result_take_the_place_of_the_rows_of_its_input():
    """
    Six input rows of 8 bytes die one by one; six result rows of 8 bytes are born one step after each death.

    A scratch buffer of 8 bytes lives throughout. Whole buffers would take 8 + 48 + 48 bytes.
    """
    source = Buffer("source", tuple(Piece(8 * row, 8, 0, row + 1) for row in range(6)), alignment=8)
    result = Buffer("result", tuple(Piece(8 * row, 8, row + 1, 8) for row in range(6)), alignment=8)
    scratch = Buffer.whole("scratch", 8, 0, 7, alignment=8)
    solution = plan(Problem((scratch, source, result)))
    assert (solution.arena, solution.optimal) == (56, True)
    assert solution.offsets[1] == solution.offsets[2]


def test_fixed_buffers_that_share_bytes_are_refused():
    clash = Problem((Buffer.whole("a", 8, 0, 2, offset=0), Buffer.whole("b", 8, 1, 2, offset=4)))
    with pytest.raises(PlanError, match="'a' and 'b' are both in use at step 1"):
        plan(clash)


def test_nothing_takes_nothing():
    assert plan(Problem(())).arena == 0


def test_windows_planned_anew_repair_a_bad_plan():
    problem = cut_arena(3, 60, 1000, 60)
    placer = Placer(problem)
    bad = placer.place(sorted(range(60), key=lambda i: problem.buffers[i].size), Placer.first_fit)
    before = arena_of(problem, bad)
    repaired = repair(placer, bad, problem.lower_bound, 20_000, seed=0)
    assert draws_without_overlap(problem, repaired.offsets)
    assert repaired.arena == arena_of(problem, repaired.offsets) < before


def test_the_search_stops_at_its_limit():
    problem = cut_arena(0, 60, 1000, 60)
    outcome = search(Sections(problem), 1000, Strategy(), 10)
    assert (outcome.offsets, outcome.exhausted, outcome.states) == (None, False, 10)


def test_more_effort_never_gives_a_larger_arena():
    problem = random_problem(5, 60, steps=30)
    arenas = [plan(problem, effort).arena for effort in (0, 500, 4_000, 16_000)]
    assert arenas == sorted(arenas, reverse=True)


DETERMINISTIC = """
from test_arena_plan import cut_arena
from tinymo_xdsl.planner.arena.minimalloc_csv import write_solution
from tinymo_xdsl.planner.arena.portfolio import plan
problem = cut_arena(1, 80, 1 << 20, 50)
print(write_solution(problem, plan(problem, 12_000)), end="")
"""


def test_other_processes_with_other_hash_seeds_give_the_same_bytes():
    problem = cut_arena(1, 80, 1 << 20, 50)
    expected = write_solution(problem, plan(problem, 12_000))
    for seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", DETERMINISTIC],
            env={"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert run.stdout == expected


def test_random_numbers_never_change():
    """Plans of earlier versions stay what they are."""
    numbers = RandomNumbers(0)
    assert [numbers.below(1000) for _ in range(5)] == [101, 605, 401, 383, 560]


@pytest.mark.skipif(not model_files(), reason=NO_MODELS)
@pytest.mark.parametrize("path", model_files(), ids=lambda path: path.stem)
def test_activation_plans_of_real_models_are_as_small_as_the_bound(path: Path):
    problem = activations(read_file(path))
    problem = Problem(tuple(Buffer(b.name, b.pieces, b.alignment) for b in problem.buffers))
    solution = plan(problem)
    validate(problem, solution)
    assert solution.optimal
    assert solution.arena == problem.lower_bound
