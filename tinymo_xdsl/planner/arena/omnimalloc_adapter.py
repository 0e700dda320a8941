"""
Plans by the package `omnimalloc`, for those who ask for it: the extra `omnimalloc`.

Its tabu search, seeded and bounded by its steps, runs without a clock and in one thread, so that the plan does not
depend on the machine. Problems that it cannot express are refused.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from tinymo_xdsl.errors import MissingToolError
from tinymo_xdsl.planner.arena import portfolio
from tinymo_xdsl.planner.arena.problem import Buffer, PlanError, Problem, Solution, arena_of, round_up
from tinymo_xdsl.planner.arena.validate import validate

_SEED = 42


def plan(problem: Problem, iterations: int = 1000) -> Solution:
    """
    The plan of omnimalloc's tabu search after at most `iterations` steps.

    `MissingToolError` if omnimalloc is not installed, `PlanError` for a problem that it cannot express.
    """
    unit = problem.unit
    if not all(_is_plain(buffer, unit) for buffer in problem.buffers):
        raise PlanError(
            "omnimalloc knows neither fixed offsets nor several pieces nor mixed alignment; use the default planner"
        )
    library, allocators = _import("omnimalloc"), _import("omnimalloc.allocators")
    allocations = tuple(
        library.Allocation(id=index, size=round_up(buffer.size, unit), start=buffer.start, end=buffer.end)
        for index, buffer in enumerate(problem.buffers)
    )
    allocator = allocators.TabuSearchAllocator(seed=_SEED, max_iterations=iterations, timeout=None)
    threads: int = library.max_threads()
    library.set_max_threads(1)
    try:
        placed: tuple[Any, ...] = library.allocate(allocations, allocator=allocator)
    finally:
        library.set_max_threads(threads)
    where: dict[int, int] = {allocation.id: allocation.offset for allocation in placed}
    offsets = tuple(where[index] for index in range(len(allocations)))
    arena, bound = arena_of(problem, offsets), problem.lower_bound
    solution = Solution(offsets, arena, bound, arena == bound, "omnimalloc", iterations)
    validate(problem, solution)
    return solution


def plan_with_both(problem: Problem, effort: int) -> Solution:
    """
    The better one of our own plan and omnimalloc's; ours where they are equal, or the problem is none for omnimalloc.

    `MissingToolError` if omnimalloc is not installed.
    """
    _import("omnimalloc")
    own = portfolio.plan(problem, effort)
    if own.optimal or not all(_is_plain(buffer, problem.unit) for buffer in problem.buffers):
        return own
    other = plan(problem)
    return other if other.arena < own.arena else own


def is_installed() -> bool:
    """Whether `plan` has what it needs."""
    return find_spec("omnimalloc") is not None


def _is_plain(buffer: Buffer, unit: int) -> bool:
    return len(buffer.pieces) == 1 and buffer.offset is None and buffer.alignment == unit


def _import(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingToolError("omnimalloc is not installed: pip install 'tinymo-xdsl[omnimalloc]'") from error
