"""Plans that fill the arena from both ends."""

from collections.abc import Sequence

from tinymo_xdsl.planner.arena.first_fit import Placer, orders
from tinymo_xdsl.planner.arena.problem import Buffer, Piece, Problem, Solution, arena_of
from tinymo_xdsl.planner.arena.two_ended import lower_from_both_ends
from tinymo_xdsl.planner.arena.validate import validate


def staircases(row_bytes: Sequence[int], rows: int, work: int) -> Problem:
    """
    A chain of tensors, each made of the one before in `rows` steps: at each, one row dies and one is born.

    Two steps hand on something of `work` bytes. Every other tensor is made from its last row on.
    """
    buffers: list[Buffer] = []
    stages = len(row_bytes) - 1
    for number, size in enumerate(row_bytes):
        pieces: list[Piece] = []
        for row in range(rows):
            born = (number - 1) * rows + _turn(number - 1, row, rows)
            dies = number * rows + _turn(number, row, rows) + 1
            pieces.append(Piece(size * row, size, max(born, 0), min(dies, stages * rows)))
        buffers.append(Buffer(f"tensor {number}", tuple(pieces), 16))
    for step in range(stages * rows - 1):
        buffers.append(Buffer.whole(f"work {step}", work, step, step + 2, alignment=16))
    return Problem(tuple(buffers))


def _turn(stage: int, row: int, rows: int) -> int:
    return row if stage % 2 == 0 else rows - 1 - row


def test_what_dies_and_what_is_born_lie_at_the_two_ends() -> None:
    """The bytes between them stay in one piece: none is lost, while first-fit loses some in every order."""
    problem = staircases((80, 64, 96, 80), 8, 64)
    placer = Placer(problem)
    arenas = [arena_of(problem, placer.place(order, Placer.first_fit)) for order in orders(problem).values()]
    assert min(arenas) > problem.lower_bound
    found = lower_from_both_ends(problem, min(arenas), 1000)
    assert found.offsets is not None
    arena = arena_of(problem, found.offsets)
    assert arena == problem.lower_bound
    validate(problem, Solution(found.offsets, arena, arena, True, "both ends"))


def test_nothing_is_found_where_nothing_is_lower() -> None:
    problem = staircases((16, 16, 16), 4, 32)
    assert lower_from_both_ends(problem, problem.lower_bound, 1000).offsets is None


def test_the_number_of_states_is_limited() -> None:
    """Every buffer must be placed once at least."""
    problem = staircases((32, 16, 48, 16), 4, 32)
    above = 2 * problem.lower_bound
    assert lower_from_both_ends(problem, above, len(problem.buffers) - 1).offsets is None
    found = lower_from_both_ends(problem, above, 10 * len(problem.buffers))
    assert found.offsets is not None
    assert found.states >= len(problem.buffers)


def test_fixed_buffers_stay_where_they_are() -> None:
    """The low end is taken by one, and nothing fits if another one lies above the end."""
    fixed = Buffer.whole("fixed", 32, 0, 4, offset=0)
    free = Buffer.whole("free", 48, 1, 3, alignment=16)
    found = lower_from_both_ends(Problem((fixed, free)), 96, 10)
    assert found.offsets == (0, 32)
    high = Buffer.whole("high", 32, 0, 1, offset=160)
    assert lower_from_both_ends(Problem((fixed, free, high)), 192, 10).offsets is None


def test_buffers_lie_at_multiples_of_their_alignment() -> None:
    """At the high end, too, and above a buffer that ends in between."""
    small = Buffer.whole("small", 5, 0, 2)
    aligned = Buffer.whole("aligned", 20, 0, 2, alignment=16)
    found = lower_from_both_ends(Problem((small, aligned)), 50, 10)
    assert found.offsets is not None
    assert found.offsets[1] % 16 == 0
    assert arena_of(Problem((small, aligned)), found.offsets) == 25
