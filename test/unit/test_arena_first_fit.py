"""Plans that place one buffer after the other, TFLite Micro's own among them."""

import pytest
from arena_problems import activations, draws_without_overlap, random_problem
from flatbuffer_models import MODELS, NO_MODELS

from tinymo_xdsl.flatbuffer.reader import read_file
from tinymo_xdsl.planner.arena import tflm
from tinymo_xdsl.planner.arena.first_fit import Fit, Placer, orders
from tinymo_xdsl.planner.arena.problem import Buffer, Piece, Problem
from tinymo_xdsl.verification.arena import arena_use
from tinymo_xdsl.verification.engines import TFLITE_MICRO, is_installed

# a and c are in use together with everything; the gaps beside them are 12 bytes high (0..12) and 6 bytes (20..26).
GAPS = Problem(
    (
        Buffer.whole("a", 8, 0, 2, offset=12),
        Buffer.whole("c", 4, 0, 2, offset=26),
        Buffer.whole("wanted", 5, 1, 3),
    )
)


def test_first_fit_takes_the_lowest_gap_and_best_fit_the_tightest():
    placer = Placer(GAPS)
    assert placer.place([2], Placer.first_fit) == [12, 26, 0]
    assert placer.place([2], Placer.best_fit) == [12, 26, 20]


def test_the_place_above_everything_is_the_last_resort_of_best_fit():
    problem = Problem((*GAPS.buffers, Buffer.whole("large", 13, 0, 3)))
    assert Placer(problem).place([3, 2], Placer.best_fit) == [12, 26, 20, 30]


def test_alignment_makes_a_gap_smaller():
    # From 20 on the next multiple of 8 is 24, which leaves 2 bytes below c; from 30 on it is 32.
    problem = Problem((*GAPS.buffers[:2], Buffer.whole("low", 12, 1, 2), Buffer.whole("x", 5, 1, 2, alignment=8)))
    assert Placer(problem).place([2, 3], Placer.first_fit) == [12, 26, 0, 32]


def test_pieces_of_a_buffer_fit_between_those_of_another():
    # The rows of the input die at steps 1, 2, 3; the rows of the result are born then: it is written over the input.
    source = Buffer("source", tuple(Piece(10 * row, 10, 0, row + 1) for row in range(3)))
    result = Buffer("result", tuple(Piece(10 * row, 10, row + 1, 4) for row in range(3)))
    assert Placer(Problem((source, result))).place([0, 1], Placer.first_fit) == [0, 0]
    # A first row of 11 bytes is one too many for the place of the source's first row: it goes above the rows left.
    wider = Buffer("wider", tuple(Piece(11 * row, 11, row + 1, 4) for row in range(3)))
    assert Placer(Problem((source, wider))).place([0, 1], Placer.first_fit) == [0, 30]


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("fit", [Placer.first_fit, Placer.best_fit])
def test_every_order_gives_a_plan(seed: int, fit: Fit):
    problem = random_problem(seed, 8, pieces=1 + seed % 3, alignment=4)
    for order in orders(problem).values():
        assert sorted(order) == list(range(8))
        offsets = Placer(problem).place(order, fit)
        assert draws_without_overlap(problem, tuple(offsets))
        assert all(offset % b.alignment == 0 for b, offset in zip(problem.buffers, offsets, strict=True))


@pytest.mark.parametrize("seed", range(30))
def test_first_fit_finds_the_lowest_offset_of_all(seed: int):
    problem = random_problem(seed, 5, pieces=1 + seed % 3, alignment=2)
    offsets = Placer(problem).place([0, 1, 2, 3, 4], Placer.first_fit)
    for lower in range(offsets[4]):
        if lower % problem.buffers[4].alignment == 0:
            assert not draws_without_overlap(problem, (*offsets[:4], lower))


def test_tflm_places_the_largest_first_and_of_equals_the_last():
    problem = Problem((Buffer.whole("a", 16, 0, 2), Buffer.whole("b", 16, 0, 2), Buffer.whole("c", 32, 1, 2)))
    assert tflm.greedy(problem).offsets == (48, 32, 0)


# Kernels that ask for scratch memory, which no file tells of, and control flow.
NOT_PLANNED_FROM_THE_FILE = {"TRANSPOSE_CONV", "UNIDIRECTIONAL_SEQUENCE_LSTM", "CALL_ONCE"}


@pytest.mark.skipif(not is_installed(TFLITE_MICRO), reason="needs TFLite Micro")
@pytest.mark.skipif(not MODELS.is_dir(), reason=NO_MODELS)
def test_tflm_plan_takes_what_tflm_takes():
    """The head of TFLite Micro's arena, measured, on every model whose buffers are all in the file."""
    compared = 0
    for path in sorted(MODELS.glob("*_int*.tflite")):
        model = read_file(path)
        if NOT_PLANNED_FROM_THE_FILE & {operator.name for operator in model.subgraphs[0].operators}:
            continue
        problem = activations(model)
        plan = tflm.greedy(problem)
        assert plan.arena == arena_use(path.read_bytes()).head, path.name
        compared += 1
    assert compared >= 16
