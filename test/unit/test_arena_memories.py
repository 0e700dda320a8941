"""Plans over several memories."""

from dataclasses import replace

import pytest
from arena_problems import random_problem

from tinymo_xdsl.errors import BudgetError
from tinymo_xdsl.planner.arena.memories import Memory, MemoryPlan, plan_memories
from tinymo_xdsl.planner.arena.portfolio import Effort
from tinymo_xdsl.planner.arena.problem import Buffer, PlanError, Problem
from tinymo_xdsl.planner.arena.validate import validate


def buffer(name: str, size: int, accesses: int = 1, memory: str | None = None) -> Buffer:
    """A buffer that lives during the only step."""
    return replace(Buffer.whole(name, size, 0, 1), accesses=accesses, memory=memory)


def names(plans: tuple[MemoryPlan, ...]) -> list[list[str]]:
    return [[b.name for b in part.problem.buffers] for part in plans]


FAST_AND_SLOW = (Memory("sram", 100), Memory("psram"))


def test_what_fits_stays_in_the_fastest_memory():
    plans = plan_memories(Problem((buffer("a", 60), buffer("b", 40))), FAST_AND_SLOW)
    assert names(plans) == [["a", "b"], []]
    assert [part.solution.arena for part in plans] == [100, 0]


def test_the_cheapest_buffer_that_ends_the_excess_goes_down():
    # 30 bytes are too many: a would cost 60 * 1, b 40 * 3, and c is too small to help alone.
    problem = Problem((buffer("a", 60, 1), buffer("b", 40, 3), buffer("c", 20, 1), buffer("d", 10, 9)))
    assert names(plan_memories(problem, FAST_AND_SLOW)) == [["b", "c", "d"], ["a"]]
    # With five times the accesses a costs 300.
    problem = Problem((buffer("a", 60, 5), *problem.buffers[1:]))
    assert names(plan_memories(problem, FAST_AND_SLOW)) == [["a", "c", "d"], ["b"]]


def test_if_none_is_large_enough_the_least_used_go_down_one_by_one():
    problem = Problem((*(buffer(f"hot{i}", 40, 9) for i in range(2)), *(buffer(f"cold{i}", 35, 1) for i in range(3))))
    assert names(plan_memories(problem, FAST_AND_SLOW)) == [["hot0", "hot1"], ["cold0", "cold1", "cold2"]]


def test_a_buffer_that_names_a_memory_lies_there():
    problem = Problem((buffer("a", 60, memory="psram"), buffer("b", 40), buffer("c", 90, 9, memory="sram")))
    assert names(plan_memories(problem, FAST_AND_SLOW)) == [["c"], ["a", "b"]]


def test_only_steps_that_are_too_full_send_anything_down():
    late = replace(buffer("late", 100), pieces=Buffer.whole("late", 100, 1, 2).pieces)
    problem = Problem((late, buffer("a", 60, 2), buffer("b", 50, 1)))
    assert names(plan_memories(problem, FAST_AND_SLOW)) == [["late", "a"], ["b"]]


def test_a_plan_that_misses_the_bound_sends_down_what_reaches_above():
    # 14 bytes are in use, but a and b lie at 0..5 and 8..13, and 4 bytes do not fit between them.
    a, b = (replace(buffer(name, 5, 9), alignment=8) for name in "ab")
    plans = plan_memories(Problem((a, b, buffer("c", 4))), (Memory("sram", 14), Memory("psram")))
    assert sum(len(part.problem.buffers) for part in plans) == 3
    assert plans[0].solution.arena <= 14
    assert len(plans[0].problem.buffers) == 2


def test_three_memories_fill_up_in_their_order():
    memories = (Memory("dtcm", 10), Memory("sram", 20), Memory("psram", 40))
    problem = Problem(tuple(buffer(f"b{i}", 10, 5 - i) for i in range(5)))
    assert names(plan_memories(problem, memories)) == [["b0"], ["b1", "b2"], ["b3", "b4"]]


@pytest.mark.parametrize("seed", range(20))
def test_every_buffer_of_a_random_problem_lies_in_one_memory_within_its_capacity(seed: int):
    problem = random_problem(seed, 12, pieces=1 + seed % 2)
    memories = (Memory("a", 9), Memory("b", 15), Memory("c"))
    plans = plan_memories(problem, memories, Effort.LOW)
    assert sorted(name for part in names(plans) for name in part) == sorted(b.name for b in problem.buffers)
    for part in plans:
        validate(part.problem, part.solution)
        assert part.memory.capacity is None or part.solution.arena <= part.memory.capacity
    assert plan_memories(problem, memories, Effort.LOW) == plans


@pytest.mark.parametrize(
    ("buffers", "error", "message"),
    [
        ((buffer("a", 60), buffer("b", 200)), BudgetError, "1 buffers fit into no memory, 'b' among them"),
        ((buffer("a", 101, memory="sram"),), BudgetError, "'sram' of 100 bytes is too small .*'a'"),
        ((buffer("a", 1, memory="flash"),), PlanError, "'a' asks for memory 'flash'; known: sram"),
    ],
)
def test_what_cannot_be_placed_is_named(buffers: tuple[Buffer, ...], error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        plan_memories(Problem(buffers), (Memory("sram", 100),))
