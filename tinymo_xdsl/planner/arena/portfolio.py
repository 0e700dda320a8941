"""
The planner: several methods one after the other, the best plan wins.

1. First-fit and best-fit in several orders, and a little annealing.
2. Few buffers in use around the fullest steps show that some arenas are too small for all.
3. Where all buffers are one piece: the complete search over skylines, with several strategies and growing limits, for
   a plan of exactly the lower bound and, between two limits, for plans between the bound and the best one.
4. Where they are not: the complete search over distances, for the bound, then half way between; and the search over
   skylines where pieces can be put together.
5. Windows of the best plan are planned anew. More annealing.

All of it stops as soon as no smaller arena can exist. The effort is counted in states, never in seconds, so that the
same problem gives the same plan on every machine.
"""

from collections.abc import Iterator
from dataclasses import replace
from enum import IntEnum
from itertools import count
from math import gcd
from typing import NamedTuple

from tinymo_xdsl.planner.arena.annealing import Annealing
from tinymo_xdsl.planner.arena.distances import DistanceSearch
from tinymo_xdsl.planner.arena.first_fit import Placer, orders
from tinymo_xdsl.planner.arena.problem import Piece, Problem, Solution, arena_of, round_up
from tinymo_xdsl.planner.arena.repair import repair
from tinymo_xdsl.planner.arena.search import search
from tinymo_xdsl.planner.arena.sections import Sections
from tinymo_xdsl.planner.arena.strategy import Side, Strategy
from tinymo_xdsl.planner.arena.validate import validate
from tinymo_xdsl.planner.arena.windows import windows


class Effort(IntEnum):
    """How many states are looked at after the greedy methods; fewer if the plan is known to be optimal."""

    LOW = 4_000
    DEFAULT = 100_000
    HIGH = 2_000_000


_ANNEALINGS = 4
"""How often annealing begins anew at least."""
_LARGEST = 400
"""The most buffers that distances are searched for."""
_WINDOW = 24
"""The most buffers that are taken together for a proof."""
_GOALS = 3
"""Among how many arenas a search shares its effort, at least."""
_DECISIONS = 8
"""How many states of the search over distances take as long as one of the other search."""
_PLACEMENTS = 16
"""How many placements of annealing take as long as a state of the search."""
_EDGES = ((True, Side.BOTH), (False, Side.BOTH), (True, Side.RIGHT), (True, Side.LEFT))
"""Where strategies branch."""
_SHAPES = ((1, 0), (1, 1), (0, 1), (2, 1), (1, 2))
"""The exponents of size and lifetime that strategies rank by."""


def plan(problem: Problem, effort: int = Effort.DEFAULT) -> Solution:
    """
    Offsets for all buffers of `problem`.

    `effort` is a number of states, an `Effort` for instance. `PlanError` if fixed buffers share bytes.
    """
    if not problem.buffers:
        return Solution((), 0, 0, True, "empty")
    work = _Portfolio(problem)
    work.anneal(effort // 64)
    work.prove(effort // 8)
    if work.plain is problem:
        work.search(effort * 3 // 4)
    else:
        work.decide(effort // 2)
        work.search(effort // 4)
    work.repair(effort // 16)
    work.anneal(effort // 8)
    solution = Solution(*work.best, work.bound, work.is_optimal, work.method, work.states)
    validate(problem, solution)
    return solution


class _Plan(NamedTuple):
    offsets: tuple[int, ...]
    arena: int


class _Portfolio:
    """The best plan so far, at first that of a greedy method, and what is known about its problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.placer = Placer(problem)
        self.bound = problem.lower_bound
        """No plan is smaller: the problem's bound, or more if a search was exhausted."""
        self.plain = _in_one_piece(problem)
        """The same problem, or a harder one with the same bound that has fewer pieces."""
        self.grain = _grain(problem)
        """What the arena of a plan is a multiple of."""
        self.states = 0
        self.best, self.method = self._place_greedily()

    @property
    def is_optimal(self) -> bool:
        """Whether no plan is smaller than the best."""
        return self.best.arena <= self.bound

    def anneal(self, limit: int) -> None:
        """Anneal in at most `limit` states: for a plan as small as the bound, then half way between, and so on."""
        end = self.states + limit
        low = goal = self.bound
        for seed in count(self.states):
            tries = min(limit // _ANNEALINGS, end - self.states)
            if self.is_optimal or tries <= 0:
                return
            annealing = Annealing(self.placer, self.best.offsets, goal, seed)
            if annealing.run(tries * _PLACEMENTS):
                self._offer(tuple(annealing.offsets), "annealing")
            else:
                low = goal
            self.states += 1 + annealing.states // _PLACEMENTS
            goal = round_up((low + self.best.arena) // 2, self.problem.unit)
            if goal >= self.best.arena:
                low = goal = self.bound

    def decide(self, limit: int) -> None:
        """Search over distances in at most `limit` states: for the bound, then half way between, and so on."""
        if len(self.problem.buffers) > _LARGEST:
            return
        search = DistanceSearch(self.placer)
        end = self.states + limit
        low = goal = self.bound
        while not self.is_optimal and self.states < end and goal < self.best.arena:
            found = search.within(goal, (1 + (end - self.states) // 2) * _DECISIONS)
            self.states += 1 + found.states // _DECISIONS
            if found.offsets is not None:
                self._offer(found.offsets, "distances")
            elif found.exhausted:
                self._exclude(goal)
            low = max(self.bound, low if found.offsets is not None else goal + 1)
            goal = round_up((low + self.best.arena) // 2, self.grain)

    def prove(self, limit: int) -> None:
        """Raise the bound in about `limit` states: to what some buffers that are in use around one step need."""
        end = self.states + limit
        for window in windows(self.problem, _WINDOW):
            search = DistanceSearch(self.placer, window)
            high = self.best.arena - self.grain
            while self.bound <= high and self.states < end:
                goal = high if high == self.best.arena - self.grain else (self.bound + high) // 2
                goal = goal // self.grain * self.grain
                found = search.within(max(goal, self.bound), limit // _GOALS * _DECISIONS)
                self.states += 1 + found.states // _DECISIONS
                if found.exhausted:
                    self._exclude(max(goal, self.bound))
                else:
                    high = goal - self.grain

    def _exclude(self, arena: int) -> None:
        """There is no plan of `arena` bytes."""
        self.bound = max(self.bound, round_up(arena + 1, self.grain))

    def search(self, limit: int) -> None:
        """Search for plans in at most `limit` states, where buffers are one piece or can be taken to be."""
        sections = Sections(self.plain)
        if not sections.is_local or self.plain.lower_bound >= self.best.arena:
            return
        end = self.states + limit
        bound = max(self.bound, self.plain.lower_bound)
        for round_, tries in enumerate(_limits(len(self.problem.buffers))):
            for strategy in _strategies(round_):
                if self.best.arena <= bound or self.is_optimal or self.states >= end:
                    return
                self._search_below(sections, bound, strategy, min(tries, end - self.states))
            self._halve(sections, bound, _strategies(round_)[:2], tries, end)

    def repair(self, limit: int) -> None:
        """Plan windows of the best plan anew, in at most `limit` states, where all buffers are one piece."""
        if self.is_optimal or self.plain is not self.problem:
            return
        repaired = repair(self.placer, self.best.offsets, self.bound, limit, seed=0)
        self.states += repaired.states
        self._offer(repaired.offsets, "windows")

    def _place_greedily(self) -> tuple[_Plan, str]:
        """The best of first-fit in all orders, then best-fit; the first that is as small as the bound."""
        plans: list[tuple[_Plan, str]] = []
        for fit, fit_name in ((Placer.first_fit, "first-fit"), (Placer.best_fit, "best-fit")):
            for name, order in orders(self.problem).items():
                offsets = tuple(self.placer.place(order, fit))
                self.states += len(order)
                plans.append((_Plan(offsets, arena_of(self.problem, offsets)), f"{fit_name} by {name}"))
                if plans[-1][0].arena <= self.bound:
                    return plans[-1]
        return min(plans, key=lambda entry: entry[0].arena)

    def _halve(self, sections: Sections, low: int, strategies: tuple[Strategy, ...], tries: int, end: int) -> None:
        """Search between `low` and the best plan, half way each time, while the next goal is worth it."""
        while self.best.arena - low > self.bound // 256 and self.states < end:
            goal = (low + self.best.arena) // 2
            for strategy in strategies:
                self._search_below(sections, goal, strategy, min(tries, end - self.states))
            if self.best.arena > goal:
                low = goal

    def _search_below(self, sections: Sections, goal: int, strategy: Strategy, limit: int) -> None:
        """Search for a plan of `goal` bytes, rounded up to whole units, unless the best is that small."""
        height = -(-goal // sections.unit)
        if self.best.arena <= goal or limit <= 0:
            return
        outcome = search(sections, height, strategy, limit)
        self.states += outcome.states
        if outcome.offsets is not None:
            self._offer(tuple(units * sections.unit for units in outcome.offsets), "search")
        if outcome.exhausted and sections.is_searched_completely and self.plain is self.problem:
            self._exclude(height * sections.unit)

    def _offer(self, offsets: tuple[int, ...], method: str) -> None:
        arena = arena_of(self.problem, offsets)
        if arena < self.best.arena:
            self.best, self.method = _Plan(offsets, arena), method


def _in_one_piece(problem: Problem) -> Problem:
    """
    A plan of the result is one of `problem`: its buffers do not lie on each other and, where that leaves the bound as
    it is, are in use as a whole.
    """
    if not problem.overlaps and all(len(buffer.rectangles) == 1 for buffer in problem.buffers):
        return problem
    buffers = list(problem.buffers)
    bound = Problem(problem.buffers).lower_bound
    for index, buffer in enumerate(problem.buffers):
        if len(buffer.pieces) > 1 and buffer.offset is None:
            whole = Piece(0, buffer.size, buffer.start, buffer.end)
            buffers[index] = replace(buffer, pieces=(whole,))
            if Problem(tuple(buffers)).lower_bound > bound:
                buffers[index] = buffer
    return Problem(tuple(buffers))


def _limits(buffers: int) -> Iterator[int]:
    """How many states each search of a round may look at."""
    limit = 2 * buffers + 400
    while True:
        yield limit
        limit *= 2


def _strategies(round_: int) -> tuple[Strategy, ...]:
    """The strategies of a round; from the second one on with noise, other noise in each."""
    noise = min(round_, 3)
    return tuple(
        Strategy(fewest, side, size, lifetime, noise, round_) for size, lifetime in _SHAPES for fewest, side in _EDGES
    )


def _grain(problem: Problem) -> int:
    """What the arena of a plan is a multiple of, if it is no larger than it must be."""
    sizes = [buffer.size for buffer in problem.buffers]
    alignments = [buffer.alignment for buffer in problem.buffers]
    if problem.overlaps or problem.ties or any(len(buffer.rectangles) > 1 for buffer in problem.buffers):
        return gcd(*sizes, *alignments)
    # Buffers of one piece sink until each rests on another one or on the ground.
    return gcd(*sizes, *(alignment for alignment in alignments if alignment > 1))
