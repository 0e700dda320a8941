"""What the planner is asked and answers: problems, their lower bounds, the check of plans, files."""

import pytest
from arena_problems import draws_without_overlap, random_problem, solution_of

from tinymo_xdsl.planner.arena.minimalloc_csv import read_problem, write_problem, write_solution
from tinymo_xdsl.planner.arena.problem import Buffer, Piece, PlanError, Problem, Solution
from tinymo_xdsl.planner.arena.validate import validate

# README of MiniMalloc: five buffers of 4 bytes, never more than three at once, fit into 12.
#
#   step   0    3    9         21
#   8..12  | b1 | b2 |
#   4..8   |   b3    |   b4    |
#   0..4   |        b5         |
EXAMPLE = "id,lower,upper,size\nb1,0,3,4\nb2,3,9,4\nb3,0,9,4\nb4,9,21,4\nb5,0,21,4\n"
EXAMPLE_OFFSETS = (8, 8, 4, 4, 0)


def staircase() -> Buffer:
    """An input of three rows, 10 bytes each, that die one by one at steps 1, 2 and 3."""
    return Buffer("input", tuple(Piece(10 * row, 10, 0, row + 1) for row in range(3)))


def test_lower_bound_is_the_most_bytes_in_use_at_one_step():
    assert read_problem(EXAMPLE).lower_bound == 12


def test_a_buffer_that_ends_at_a_step_and_one_that_begins_there_are_never_in_use_at_once():
    problem = Problem((Buffer.whole("a", 8, 0, 2), Buffer.whole("b", 5, 2, 4)))
    assert problem.lower_bound == 8
    validate(problem, solution_of(problem, 0, 0))


def test_a_staircase_is_born_or_dies_row_by_row():
    # At step 0 all 30 bytes of the input live, at step 1 the result's first row takes the place of the first row.
    result = Buffer("result", tuple(Piece(10 * row, 10, row + 1, 4) for row in range(3)))
    problem = Problem((staircase(), result))
    assert problem.lower_bound == 30
    validate(problem, solution_of(problem, 0, 0))
    with pytest.raises(PlanError, match="'input' and 'result' are both in use at step 1"):
        validate(problem, solution_of(problem, 0, 10))


def test_shared_bytes_of_one_buffer_count_once():
    # A window of 6 bytes in the middle of 16, alive after its source is dead.
    buffer = Buffer("x", (Piece(0, 16, 0, 2), Piece(4, 6, 1, 5)))
    assert sorted(buffer.rectangles, key=lambda piece: piece.offset) == [
        Piece(0, 4, 0, 2),
        Piece(4, 6, 0, 5),
        Piece(10, 6, 0, 2),
    ]
    assert buffer.area == 4 * 2 + 6 * 5 + 6 * 2
    assert Problem((buffer, Buffer.whole("y", 4, 1, 5))).lower_bound == 20


def test_bytes_of_a_buffer_that_nobody_uses_for_a_while_are_free():
    buffer = Buffer("x", (Piece(0, 8, 0, 1), Piece(0, 8, 3, 4)))
    problem = Problem((buffer, Buffer.whole("y", 8, 1, 3)))
    assert problem.lower_bound == 8
    validate(problem, solution_of(problem, 0, 0))


def test_alignment_raises_the_bound_by_all_gaps_but_the_last():
    # 10 bytes, 6 of gap, 10 bytes: the second one begins at 16.
    problem = Problem(tuple(Buffer.whole(name, 10, 0, 1, alignment=16) for name in "ab"))
    assert problem.lower_bound == 26
    validate(problem, solution_of(problem, 0, 16, lower_bound=26))


def test_a_fixed_offset_raises_the_bound():
    assert Problem((Buffer.whole("a", 8, 0, 1, offset=100),)).lower_bound == 108


@pytest.mark.parametrize("seed", range(40))
def test_the_lower_bound_of_random_problems_is_the_fullest_step_of_the_drawing(seed: int):
    problem = random_problem(seed, 6, pieces=3)
    end = max(buffer.end for buffer in problem.buffers)
    fullest = max(sum(len(_bytes_at(buffer, step)) for buffer in problem.buffers) for step in range(end))
    assert problem.lower_bound == max(fullest, *(buffer.size for buffer in problem.buffers))


def _bytes_at(buffer: Buffer, step: int) -> set[int]:
    return {byte for p in buffer.pieces if p.start <= step < p.end for byte in range(p.offset, p.top)}


@pytest.mark.parametrize("seed", range(200))
def test_the_validator_agrees_with_a_drawing_of_every_byte(seed: int):
    problem = random_problem(seed, 4, pieces=1 + seed % 3)
    offsets = tuple((seed * (3 + 2 * index)) % 11 for index in range(4))
    solution = solution_of(problem, *offsets)
    if draws_without_overlap(problem, offsets):
        validate(problem, solution)
    else:
        with pytest.raises(PlanError, match="share bytes"):
            validate(problem, solution)


PAIR = Problem((Buffer.whole("a", 8, 0, 2, alignment=4), Buffer.whole("b", 8, 1, 3, offset=8)))


@pytest.mark.parametrize(
    ("offsets", "arena", "bound", "message"),
    [
        ((0,), 16, 0, "1 offsets for 2 buffers"),
        ((-4, 8), 16, 0, "'a' at offset -4 is not inside"),
        ((16, 8), 16, 0, "'a' at offset 16 is not inside the arena of 16 bytes"),
        ((18, 8), 26, 0, "'a' at offset 18 is not aligned to 4 bytes"),
        ((0, 12), 20, 0, "'b' must lie at offset 8, not at 12"),
        ((4, 8), 16, 0, "'a' and 'b' are both in use at step 1 and share bytes from offset 8 on"),
        ((0, 8), 20, 0, "says 20 bytes, but its buffers take 16"),
        ((0, 8), 16, 17, "less than its lower bound of 17"),
    ],
)
def test_wrong_solutions_are_refused(offsets: tuple[int, ...], arena: int, bound: int, message: str):
    validate(PAIR, Solution((0, 8), 16, 16, True, "right"))
    with pytest.raises(PlanError, match=message):
        validate(PAIR, Solution(offsets, arena, bound, False, "wrong"))


@pytest.mark.parametrize(
    ("buffers", "message"),
    [
        ((Buffer.whole("a", 0, 0, 1),), "'a': every piece needs at least one byte"),
        ((Buffer("a", ()),), "'a': every piece needs at least one byte"),
        ((Buffer.whole("a", 4, 3, 3),), "'a': a piece ends before it begins"),
        ((Buffer.whole("a", 4, 0, 1, alignment=0),), "'a': alignment 0"),
        ((Buffer.whole("a", 4, 0, 1, alignment=4, offset=6),), "'a': offset 6 is no multiple"),
        ((Buffer.whole("a", 4, 0, 1), Buffer.whole("a", 4, 0, 1)), "'a' is there twice"),
    ],
)
def test_senseless_problems_are_refused(buffers: tuple[Buffer, ...], message: str):
    with pytest.raises(PlanError, match=message):
        Problem(buffers)


def test_a_problem_in_minimalloc_form_is_read_and_written_back():
    problem = read_problem(EXAMPLE)
    assert write_problem(problem) == EXAMPLE
    solution = solution_of(problem, *EXAMPLE_OFFSETS)
    text = write_solution(problem, solution)
    assert text.splitlines()[:3] == ["id,lower,upper,size,offset", "b1,0,3,4,8", "b2,3,9,4,8"]
    assert read_problem(text) == problem


def test_the_form_carries_alignment_where_there_is_any():
    problem = Problem((Buffer.whole("a", 4, 0, 1, alignment=16), Buffer.whole("b", 4, 0, 1)))
    assert write_problem(problem) == "id,lower,upper,size,alignment\na,0,1,4,16\nb,0,1,4,1\n"
    assert read_problem(write_problem(problem)) == problem


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "p.csv: no column 'id'"),
        ("id,lower,size\n", "p.csv: no column 'upper'"),
        ("id,lower,upper,size\na,0,1,4\nb,0,x,4\n", "p.csv: line 3: steps and sizes must be whole numbers"),
        ("id,lower,upper,size\na,0,1\n", "p.csv: line 2"),
        ("id,lower,upper,size\na,1,1,4\n", "ends before it begins"),
    ],
)
def test_bad_files_are_refused_by_line(text: str, message: str):
    with pytest.raises(PlanError, match=message):
        read_problem(text, "p.csv")


@pytest.mark.parametrize("buffer", [staircase(), Buffer.whole("a", 4, 0, 1, offset=0)])
def test_what_the_form_cannot_say_is_refused(buffer: Buffer):
    with pytest.raises(PlanError, match="neither several pieces nor fixed offsets"):
        write_problem(Problem((buffer,)))
