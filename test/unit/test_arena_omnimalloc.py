"""Plans by omnimalloc, where it is installed, and what is said where it is not."""

import sys

import pytest
from arena_problems import draws_without_overlap, random_problem

from tinymo_xdsl.errors import MissingToolError
from tinymo_xdsl.planner.arena import omnimalloc_adapter, portfolio
from tinymo_xdsl.planner.arena.memories import Memory, plan_memories
from tinymo_xdsl.planner.arena.problem import Buffer, Piece, PlanError, Problem

needs_omnimalloc = pytest.mark.skipif(
    not omnimalloc_adapter.is_installed(), reason="omnimalloc is not installed: the extra `omnimalloc`"
)


@needs_omnimalloc
@pytest.mark.parametrize("seed", range(5))
def test_it_plans_validly_and_the_same_each_time(seed: int):
    problem = random_problem(seed, 12)
    solution = omnimalloc_adapter.plan(problem, 100)
    assert draws_without_overlap(problem, solution.offsets)
    assert solution.arena >= solution.lower_bound
    assert omnimalloc_adapter.plan(problem, 100) == solution


@needs_omnimalloc
def test_it_keeps_an_alignment_that_all_buffers_have():
    problem = Problem(tuple(Buffer.whole(name, 10, 0, 1, alignment=16) for name in "abc"))
    assert sorted(omnimalloc_adapter.plan(problem).offsets) == [0, 16, 32]


@pytest.mark.parametrize(
    "buffer",
    [
        Buffer.whole("a", 4, 0, 1, offset=8),
        Buffer("a", (Piece(0, 4, 0, 1), Piece(4, 4, 0, 2))),
        Buffer.whole("a", 4, 0, 1, alignment=4),
    ],
)
def test_what_it_cannot_express_is_refused(buffer: Buffer):
    with pytest.raises(PlanError, match="use the default planner"):
        omnimalloc_adapter.plan(Problem((buffer, Buffer.whole("b", 4, 0, 1))))


def test_without_it_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "omnimalloc", None)
    with pytest.raises(MissingToolError, match=r"tinymo-xdsl\[omnimalloc\]"):
        omnimalloc_adapter.plan(random_problem(0, 3))


@needs_omnimalloc
@pytest.mark.parametrize("seed", range(3))
def test_the_better_plan_is_taken(seed: int):
    problem = random_problem(seed, 12)
    both = omnimalloc_adapter.plan_with_both(problem, 0)
    assert both.arena <= min(portfolio.plan(problem, 0).arena, omnimalloc_adapter.plan(problem).arena)


def test_the_pass_needs_it_if_asked_for(monkeypatch: pytest.MonkeyPatch):
    """Whether the problem is easy or not: what is installed must not decide what the pass does."""
    monkeypatch.setitem(sys.modules, "omnimalloc", None)
    problem = Problem((Buffer.whole("a", 4, 0, 1),))
    with pytest.raises(MissingToolError, match="pip install"):
        omnimalloc_adapter.plan_with_both(problem, 0)
    with pytest.raises(MissingToolError, match="pip install"):
        plan_memories(problem, (Memory("sram"),), planner=omnimalloc_adapter.plan_with_both)
