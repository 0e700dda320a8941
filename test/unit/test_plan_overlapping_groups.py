"""Groups that may lie on each other: by hand, and by running random programs in the arena of a plan."""

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from test_plan_sharing import Program, random_program, run_step, tensor

from tinymo_xdsl.planner.arena.annealing import Annealing
from tinymo_xdsl.planner.arena.distances import Distances, DistanceSearch
from tinymo_xdsl.planner.arena.first_fit import Placer
from tinymo_xdsl.planner.arena.portfolio import plan
from tinymo_xdsl.planner.arena.problem import Buffer, Overlap, Piece, PlanError, Problem, Solution, Tie, arena_of
from tinymo_xdsl.planner.arena.validate import validate
from tinymo_xdsl.planner.least_bytes import least_bytes
from tinymo_xdsl.planner.origins import Origins, Range
from tinymo_xdsl.planner.overlaps import overlaps_of
from tinymo_xdsl.planner.sharing import Clusters, Copy, Group, Overwrite, Tensor, Wish, is_possible, share


def problem_of(tensors: Sequence[Tensor], wishes: Sequence[Wish], groups: Sequence[Group]) -> Problem:
    buffers = tuple(
        Buffer(str(i), tuple(Piece(p.start, p.stop - p.start, p.first, p.last + 1) for p in group.pieces))
        for i, group in enumerate(groups)
    )
    return Problem(buffers, tuple(overlaps_of(tensors, wishes, groups)))


def is_valid(problem: Problem, *offsets: int) -> bool:
    try:
        validate(problem, Solution(offsets, arena_of(problem, offsets), 0, False, "by hand"))
    except PlanError:
        return False
    return True


CHAIN = Problem(
    tuple(Buffer.whole(name, 10, step, step + 2) for step, name in enumerate("abcd")),
    tuple(Overlap(step, step - 1, step, -2) for step in (1, 2, 3)),
)
"""Each buffer is written while the one before it is read, two bytes behind what is read at the least."""


class TestProblem:
    def test_the_bound_counts_shared_bytes_once(self) -> None:
        assert CHAIN.lower_bound == 12
        assert Problem(CHAIN.buffers).lower_bound == 20

    @pytest.mark.parametrize(
        ("distance", "is_free"), [(-12, True), (-3, True), (-2, True), (-1, False), (0, False), (9, False), (10, True)]
    )
    def test_a_result_begins_far_enough_before_its_operand_or_behind_its_end(
        self, distance: int, is_free: bool
    ) -> None:
        pair = Problem(CHAIN.buffers[:2], CHAIN.overlaps[:1])
        assert is_valid(pair, 20, 20 + distance) == is_free

    def test_only_at_the_step_where_the_one_ends_and_the_other_begins(self) -> None:
        longer = Problem((Buffer.whole("a", 10, 0, 3), CHAIN.buffers[1]), CHAIN.overlaps[:1])
        assert not is_valid(longer, 2, 0)
        assert longer.lower_bound == 20

    def test_a_chain_drifts_down_through_the_arena(self) -> None:
        solution = plan(CHAIN)
        assert is_valid(CHAIN, *solution.offsets)
        assert (solution.offsets, solution.arena) == ((6, 4, 2, 0), 16)

    @pytest.mark.parametrize("seed", range(40))
    def test_planners_and_the_check_agree_on_what_may_overlap(self, seed: int) -> None:
        rng = random.Random(seed)
        problem = random_overlaps(rng)
        near = Placer(problem).near
        kinds = set[bool]()
        for _ in range(50):
            offsets = [rng.randrange(14) for _ in problem.buffers]
            clashes = any(
                low < offsets[index] - offsets[other] < high
                for index, conflicts in enumerate(near)
                for other, low, high in conflicts
            )
            assert is_valid(problem, *offsets) != clashes
            kinds.add(clashes)
        assert kinds == {False, True}

    @pytest.mark.parametrize("seed", range(20))
    def test_annealing_places_like_first_fit(self, seed: int) -> None:
        problem = random_overlaps(random.Random(seed))
        placer = Placer(problem)
        offsets = placer.place(range(len(problem.buffers)), Placer.first_fit)
        annealing = Annealing(placer, offsets, problem.lower_bound, seed)
        assert arena_of(problem, annealing.offsets) <= arena_of(problem, offsets)
        annealing.run(200)
        assert is_valid(problem, *annealing.offsets)
        tops = [offset + buffer.size for offset, buffer in zip(annealing.offsets, problem.buffers, strict=True)]
        assert annealing.excess == sum(max(0, top - annealing.goal) for top in tops)


def random_overlaps(rng: random.Random) -> Problem:
    """Operators in a row; results may lie on operands that nobody reads any more, as far as a random lead allows."""
    count = 6
    buffers = [Buffer.whole(str(step), rng.randint(1, 6), step, step + rng.randint(1, 3)) for step in range(count)]
    overlaps = [
        Overlap(step, earlier, step, rng.randint(-4, 4))
        for step in range(count)
        for earlier in range(step)
        if buffers[earlier].end == step + 1 and rng.random() < 0.8
    ]
    return Problem(tuple(buffers), tuple(overlaps))


class TestGroups:
    def test_a_view_is_written_over_where_its_whole_is(self) -> None:
        # The window lies at 32 in its source; the result may begin 8 bytes before the window, so 24 above the source.
        tensors = [tensor(64, 0, (1, 32, 64)), tensor(32, 1, 2), tensor(32, 2, 3)]
        wishes = (Copy(1, 0, 32), Overwrite(2, 1, -8))
        groups = share(tensors, wishes[:1])
        assert overlaps_of(tensors, wishes, groups) == [Overlap(1, 0, 2, 24)]

    def test_not_where_something_else_of_the_group_is_read_as_well(self) -> None:
        tensors = [tensor(64, 0, (1, 32, 64), 2), tensor(32, 1, 2), tensor(32, 2, 3)]
        wishes = (Copy(1, 0, 32), Overwrite(2, 1))
        assert overlaps_of(tensors, wishes, share(tensors, wishes[:1])) == []

    def test_not_where_the_group_moves_as_one(self) -> None:
        tensors = [tensor(32, 0, 1), tensor(32, 1, 2)]
        assert overlaps_of(tensors, [Overwrite(1, 0)], share(tensors, [Overwrite(1, 0)])) == []


@pytest.mark.parametrize("seed", range(300))
def test_random_programs_compute_the_same_in_the_arena_of_a_plan(seed: int) -> None:
    rng = random.Random(seed)
    program = random_program(rng)
    tensors, wishes = program.tensors(), program.wishes(rng)
    granted = [wish for wish in wishes if rng.random() < 0.5]
    clusters = Clusters(tensors, wishes, 1)
    for wish in granted:
        clusters.grant(wish)
    groups = clusters.groups()
    problem = problem_of(tensors, wishes, groups)
    solution = plan(problem, 200)
    assert least_bytes(tensors, wishes) <= solution.arena
    places = [0] * len(tensors)
    for group, base in zip(groups, solution.offsets, strict=True):
        for index, offset in group.members:
            places[index] = base + offset
    assert is_possible(tensors, wishes, places)
    assert run(program, places) == run(program, [sum(program.sizes[:index]) for index in range(len(tensors))])


@pytest.mark.parametrize("seed", range(300))
def test_so_do_they_where_nothing_moves_together_and_what_is_proven_then_holds_for_all(seed: int) -> None:
    rng = random.Random(seed)
    program = random_program(rng)
    tensors, wishes = program.tensors(), program.wishes(rng)
    copies = [wish for wish in wishes if isinstance(wish, Copy)]
    least, ties = least_bytes(tensors, wishes), tuple(Tie(*tie) for tie in Origins(tensors, copies).ties())
    apart = replace(problem_of(tensors, wishes, share(tensors, ())), ties=ties, least=least)
    solution = plan(apart, 1000)
    assert is_possible(tensors, wishes, solution.offsets)
    assert run(program, solution.offsets) == run(program, [sum(program.sizes[:i]) for i in range(len(tensors))])
    for granted in (copies, wishes):
        together = plan(problem_of(tensors, wishes, share(tensors, granted)), 100)
        assert solution.lower_bound <= together.arena


class TestDistances:
    @pytest.mark.parametrize("seed", range(60))
    def test_the_search_finds_a_plan_of_the_smallest_arena_and_proves_that_none_is_smaller(self, seed: int) -> None:
        problem = random_overlaps(random.Random(seed))
        near = Placer(problem).near
        search = DistanceSearch(Placer(problem))
        smallest = next(arena for arena in range(1, 40) if search.within(arena, 1000).offsets is not None)
        found = search.within(smallest, 1000)
        assert found.offsets is not None
        assert is_valid(problem, *found.offsets)
        assert arena_of(problem, found.offsets) <= smallest
        assert search.within(smallest - 1, 1000).exhausted
        assert not any_plan(problem, near, smallest - 1)
        assert (plan(problem).arena, plan(problem).optimal) == (smallest, True)

    def test_fixed_and_aligned_buffers(self) -> None:
        problem = Problem(
            (
                Buffer.whole("fixed", 5, 0, 2, offset=3),
                Buffer.whole("aligned", 4, 1, 3, alignment=4),
                Buffer.whole("any", 3, 0, 3),
            )
        )
        search = DistanceSearch(Placer(problem))
        assert search.within(12, 100).offsets == (3, 8, 0)
        assert search.within(11, 100) == Distances(None, True, search.within(11, 100).states)

    def test_it_stops_at_its_limit(self) -> None:
        problem = Problem(tuple(Buffer.whole(str(size), size, 0, 1) for size in range(20, 40)))
        outcome = DistanceSearch(Placer(problem)).within(problem.lower_bound - 1, 50)
        assert (outcome.offsets, outcome.exhausted) == (None, False)
        assert 50 <= outcome.states < 200


def any_plan(problem: Problem, near: Sequence[Sequence[tuple[int, int, int]]], arena: int) -> bool:
    """Whether any offsets at all are a plan within `arena` bytes, found by trying them."""

    def rest(offsets: tuple[int, ...]) -> bool:
        index = len(offsets)
        if index == len(problem.buffers):
            return True
        before = [entry for entry in near[index] if entry[0] < index]
        return any(
            all(not low < at - offsets[other] < high for other, low, high in before) and rest((*offsets, at))
            for at in range(arena - problem.buffers[index].size + 1)
        )

    return rest(())


class TestOrigins:
    def test_what_is_cut_from_a_whole_comes_from_its_parts(self) -> None:
        # Two parts of 16 bytes, their whole, and a window of it that holds some of both.
        tensors = [tensor(16, 0, 2), tensor(16, 1, 2), tensor(32, 2, 3), tensor(16, 3, 4)]
        origins = Origins(tensors, [Copy(0, 2, 0), Copy(1, 2, 16), Copy(3, 2, 8)])
        assert origins.of(Range(3, 4, 16)) == (Range(0, 12, 16), Range(1, 0, 8))
        assert set(origins.ties()) == {(0, 2, 0), (1, 2, 16), (2, 3, -8), (0, 3, -8), (1, 3, 8)}

    def test_windows_of_one_source_hold_the_same_even_where_that_is_gone(self) -> None:
        tensors = [tensor(32, 0, 1, 2), tensor(16, 1, 4), tensor(16, 2, 4), tensor(64, 3, 4)]
        wishes = (Copy(1, 0, 0), Copy(2, 0, 8))
        assert set(Origins(tensors, wishes).ties()) == {(0, 1, 0), (0, 2, -8), (1, 2, -8)}
        assert is_possible(tensors, wishes, [200, 0, 8, 100])
        assert not is_possible(tensors, wishes, [200, 0, 4, 100])

    def test_the_least_bytes_count_copies_once_and_results_over_operands(self) -> None:
        tensors = [tensor(32, 0, 1, 2), tensor(16, 1, 3), tensor(16, 2, 3), tensor(16, 3, 4)]
        wishes = (Copy(1, 0, 0), Copy(2, 0, 8), Overwrite(3, 1))
        assert least_bytes(tensors, ()) == 64
        assert least_bytes(tensors, wishes[:2]) == 40
        assert least_bytes(tensors, wishes) == 32


def run(program: Program, places: Sequence[int]) -> list[bytes]:
    arena = np.zeros(sum(program.sizes), np.uint8)
    memory = [arena[at : at + size] for at, size in zip(places, program.sizes, strict=True)]
    memory[0][:] = np.arange(1, program.sizes[0] + 1) * 19
    for step, operator in enumerate(program.operators, 1):
        run_step(step, operator, memory)
    return [memory[index].tobytes() for index in sorted(program.kept)]
