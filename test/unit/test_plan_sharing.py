"""Tensors that share bytes: by hand, and by running random programs on the shared bytes."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from tinymo_xdsl.planner.peak_sharing import share_at_peaks
from tinymo_xdsl.planner.sharing import Clusters, Copy, Group, Overwrite, Piece, Read, Tensor, Wish, share

Bytes = npt.NDArray[np.uint8]


def tensor(size: int, made: int, *reads: int | tuple[int, int, int]) -> Tensor:
    """Reads are steps, or a step and the bytes."""
    return Tensor(size, made, tuple(Read(r, 0, size) if isinstance(r, int) else Read(*r) for r in reads))


def groups_of(tensors: Sequence[Tensor], *wishes: Wish, alignment: int = 1) -> list[dict[int, int]]:
    return [dict(group.members) for group in share(tensors, wishes, alignment)]


class TestViews:
    SOURCE = tensor(80, 0, (1, 0, 48), (3, 32, 80))
    """Two windows of 48 bytes with a halo of 16 are cut at steps 1 and 3, and read one step later."""
    WINDOWS = (tensor(48, 1, 2), tensor(48, 3, 4))

    def test_windows_lie_in_their_source_which_dies_row_by_row(self) -> None:
        (group,) = share([self.SOURCE, *self.WINDOWS], [Copy(1, 0, 0), Copy(2, 0, 32)])
        assert dict(group.members) == {0: 0, 1: 0, 2: 32}
        assert group.pieces == (Piece(0, 32, 0, 2), Piece(32, 48, 0, 4), Piece(48, 80, 0, 4))

    def test_parts_lie_in_the_whole_which_is_born_row_by_row(self) -> None:
        parts = [tensor(16, 1, 5), tensor(32, 3, 5)]
        (group,) = share([*parts, tensor(48, 5, 9)], [Copy(0, 2, 0), Copy(1, 2, 16)])
        assert dict(group.members) == {0: 0, 1: 16, 2: 0}
        assert group.pieces == (Piece(0, 16, 1, 9), Piece(16, 48, 3, 9))

    def test_a_view_off_the_alignment_is_a_copy(self) -> None:
        wishes = (Copy(1, 0, 0), Copy(2, 0, 32))
        assert groups_of([self.SOURCE, *self.WINDOWS], *wishes, alignment=16) == [{0: 0, 1: 0, 2: 32}]
        assert groups_of([self.SOURCE, *self.WINDOWS], *wishes, alignment=64) == [{0: 0, 1: 0}, {2: 0}]

    def test_what_a_window_is_joined_with_does_not_go_where_the_rest_of_its_source_is_read(self) -> None:
        # The result begins with the source's first rows, but goes on with others, made while the source is needed.
        source, window, other = tensor(64, 0, (1, 0, 32), 3), tensor(32, 1, 4), tensor(32, 2, 4)
        result = tensor(64, 4, 5)
        wishes = (Copy(1, 0, 0), Copy(1, 3, 0), Copy(2, 3, 32))
        assert groups_of([source, window, other, result], *wishes) == [{0: 0, 1: 0, 3: 0}, {2: 0}]

    def test_it_does_where_the_rest_of_the_source_is_dead_by_then(self) -> None:
        source, window, other = tensor(64, 0, (1, 0, 32)), tensor(32, 1, 4), tensor(32, 2, 4)
        tensors = [source, window, other, tensor(64, 4, 5)]
        assert groups_of(tensors, Copy(1, 0, 0), Copy(1, 3, 0), Copy(2, 3, 32)) == [{0: 0, 1: 0, 2: 32, 3: 0}]

    def test_one_part_cannot_lie_at_two_places(self) -> None:
        tensors = [tensor(16, 0, 1), tensor(32, 1, 2)]
        assert groups_of(tensors, Copy(0, 1, 0), Copy(0, 1, 16)) == [{0: 0, 1: 0}]


class TestOverwrites:
    def test_a_result_takes_the_place_of_an_operand_that_dies(self) -> None:
        (group,) = share([tensor(16, 0, 1), tensor(16, 1, 2)], [Overwrite(1, 0)])
        assert group.pieces == (Piece(0, 16, 0, 1), Piece(0, 16, 1, 2))

    @pytest.mark.parametrize("late", [1, 2, 3])
    def test_not_of_one_that_is_read_again(self, late: int) -> None:
        shares = groups_of([tensor(16, 0, 1, late), tensor(16, 1, 3)], Overwrite(1, 0)) == [{0: 0, 1: 0}]
        assert shares == (late == 1)

    def test_the_second_operand_if_the_first_lives_on(self) -> None:
        tensors = [tensor(16, 0, 2, 3), tensor(16, 1, 2), tensor(16, 2, 3)]
        assert groups_of(tensors, Overwrite(2, 0), Overwrite(2, 1)) == [{0: 0}, {1: 0, 2: 0}]

    @pytest.mark.parametrize(("over", "shares"), [(1, True), (2, False)])
    def test_never_ahead_of_what_is_read(self, over: int, shares: bool) -> None:
        # Both operands are windows of one source, shifted by 16 bytes. Over the later one, the result would run ahead
        # of what is read of the other.
        source = tensor(48, 0, (1, 0, 32), (2, 16, 48))
        tensors = [source, tensor(32, 1, 3), tensor(32, 2, 3), tensor(32, 3, 4)]
        known = (Copy(1, 0, 0), Copy(2, 0, 16), Overwrite(3, over), Overwrite(3, 3 - over))
        clusters = Clusters(tensors, known, 1)
        for wish in known[:3]:
            clusters.grant(wish)
        assert (len(clusters.of[3]) == 4) == shares

    def test_a_lead_keeps_the_result_so_far_behind_what_is_read(self) -> None:
        tensors = [tensor(32, 0, 1), tensor(64, 1, 2)]
        (group,) = share(tensors, [Overwrite(1, 0, -40)], 16)
        # Rounded down to the alignment, the result begins 48 bytes before its operand, which ends 16 bytes behind it.
        assert dict(group.members) == {0: 48, 1: 0}
        assert group.pieces == (
            Piece(0, 48, 1, 2),
            Piece(48, 64, 0, 1),
            Piece(48, 64, 1, 2),
            Piece(64, 80, 0, 1),
        )

    def test_only_elementwise_operators_write_over_what_they_read(self) -> None:
        # The second half of the source goes where the result wants it, which would put what is computed from the first
        # half, at step 2, right over it.
        source, first, second = tensor(32, 0, (1, 0, 16), (3, 16, 32)), tensor(16, 1, 2), tensor(16, 3, 4)
        tensors = [source, first, tensor(16, 2, 4), second, tensor(32, 4, 5)]
        wishes = (Copy(1, 0, 0), Copy(3, 0, 16), Copy(3, 4, 16), Copy(2, 4, 0))
        assert groups_of(tensors, *wishes) == [{0: 0, 1: 0, 3: 16, 4: 0}, {2: 0}]
        assert groups_of(tensors, *wishes, Overwrite(2, 1)) == [{0: 0, 1: 0, 2: 0, 3: 16, 4: 0}]

    def test_two_results_of_one_operator_never_lie_on_each_other(self) -> None:
        tensors = [tensor(16, 0, 1), tensor(16, 1), tensor(16, 1, 2)]
        assert groups_of(tensors, Overwrite(1, 0), Overwrite(2, 0)) == [{0: 0, 1: 0}, {2: 0}]


@dataclass(frozen=True)
class Operator:
    """
    One operator of a random program.

    `kind` is copy, join, add, slide (each byte from its neighbours), grow (two bytes from each one) or opaque.
    """

    kind: str
    operands: tuple[int, ...]
    result: int
    offset: int = 0


@dataclass
class Program:
    """Operators in order, one a step from 1 on; tensor 0 is the input, the `kept` are read at the end."""

    sizes: list[int]
    operators: list[Operator]
    kept: set[int]

    def tensors(self) -> list[Tensor]:
        made = {0: 0} | {operator.result: step for step, operator in enumerate(self.operators, 1)}
        reads: dict[int, list[Read]] = {index: [] for index in made}
        for step, operator in enumerate(self.operators, 1):
            for operand in operator.operands:
                first = operator.offset
                stop = first + self.sizes[operator.result] if operator.kind == "copy" else self.sizes[operand]
                reads[operand].append(Read(step, first, stop))
        for index in self.kept:
            reads[index].append(Read(len(self.operators) + 1, 0, self.sizes[index]))
        return [Tensor(size, made[index], tuple(reads[index])) for index, size in enumerate(self.sizes)]

    def wishes(self, rng: random.Random) -> list[Wish]:
        wishes: list[Wish] = []
        for operator in self.operators:
            if operator.kind == "copy":
                wishes.append(Copy(operator.result, operator.operands[0], operator.offset))
            if operator.kind == "join":
                ends = np.cumsum([0, *(self.sizes[operand] for operand in operator.operands)]).tolist()
                wishes += [Copy(part, operator.result, at) for part, at in zip(operator.operands, ends, strict=False)]
            leads = {"add": 0, "slide": -1, "grow": -self.sizes[operator.operands[0]]}
            if operator.kind in leads:
                lead = leads[operator.kind]
                wishes += [Overwrite(operator.result, operand, lead) for operand in operator.operands]
        rng.shuffle(wishes)
        return wishes


def random_program(rng: random.Random) -> Program:
    program = Program([rng.choice([4, 6, 8])], [], set())
    for _ in range(rng.randint(3, 9)):
        kind = rng.choice(["copy", "copy", "join", "add", "add", "slide", "grow", "opaque"])
        result = len(program.sizes)
        operands = [rng.randrange(result)]
        size, offset = program.sizes[operands[0]], 0
        if kind == "copy":
            offset = rng.randrange(size)
            size = rng.randint(1, size - offset)
        elif kind == "join":
            operands += [rng.randrange(result) for _ in range(rng.randint(0, 2))]
            size = sum(program.sizes[operand] for operand in operands)
        elif kind == "grow":
            size *= 2
        elif kind == "add":
            operands += [index for index in range(result) if program.sizes[index] == size and rng.random() < 0.5][:1]
        program.sizes.append(size)
        program.operators.append(Operator(kind, tuple(operands), result, offset))
    program.kept = {rng.randrange(len(program.sizes)) for _ in range(2)} | {len(program.sizes) - 1}
    return program


def run_step(step: int, operator: Operator, memory: list[Bytes]) -> None:
    """Element by element, as kernels go; an opaque operator spoils its result first."""
    result, operands = memory[operator.result], [memory[operand] for operand in operator.operands]
    if operator.kind == "opaque":
        result[:] = 255
    for at in range(len(result)):
        result[at] = element(step, operator, operands, at) % 251


def element(step: int, operator: Operator, operands: list[Bytes], at: int) -> int:
    match operator.kind:
        case "copy":
            return int(operands[0][operator.offset + at])
        case "join":
            part = next(index for index in range(len(operands)) if at < sum(map(len, operands[: index + 1])))
            return int(operands[part][at - sum(map(len, operands[:part]))])
        case "add":
            return 3 * sum(int(operand[at]) for operand in operands) + step
        case "slide":
            return int(operands[0][max(at - 1, 0) : at + 2].sum()) + step
        case "grow":
            return 3 * int(operands[0][at // 2]) + at + step
        case _:
            return sum(int(operand.sum()) for operand in operands) + 7 * at + step


@dataclass(frozen=True)
class Shared:
    """The bytes of groups, and the tensors as windows on them."""

    groups: list[Group]
    bases: list[Bytes]
    tensors: list[Bytes]

    @staticmethod
    def of(program: Program, groups: list[Group]) -> "Shared":
        bases: list[Bytes] = []
        views: dict[int, Bytes] = {}
        for group in groups:
            base = np.zeros(max(offset + program.sizes[index] for index, offset in group.members), np.uint8)
            bases.append(base)
            views |= {index: base[offset : offset + program.sizes[index]] for index, offset in group.members}
        return Shared(groups, bases, [views[index] for index in range(len(program.sizes))])

    def fill_what_is_free_at(self, step: float, value: int) -> list[Bytes]:
        """Writes to bytes that no piece needs at `step`, and returns where they are."""
        free: list[Bytes] = []
        for group, base in zip(self.groups, self.bases, strict=True):
            needed = np.zeros(len(base), bool)
            for piece in group.pieces:
                if piece.first <= step <= piece.last:
                    needed[piece.start : piece.stop] = True
            base[~needed] = value
            free.append(~needed)
        return free


@pytest.mark.parametrize("seed", range(400))
def test_random_programs_compute_the_same_on_shared_bytes_that_others_use_as_soon_as_they_are_free(seed: int) -> None:
    rng = random.Random(seed)
    program = random_program(rng)
    shared = Shared.of(program, share(program.tensors(), program.wishes(rng)))
    apart = [np.zeros(size, np.uint8) for size in program.sizes]
    check(program, shared, apart)


@pytest.mark.parametrize("seed", range(200))
def test_the_same_holds_where_bytes_are_shared_at_peaks(seed: int) -> None:
    rng = random.Random(seed)
    program = random_program(rng)
    shared = Shared.of(program, share_at_peaks(program.tensors(), program.wishes(rng)))
    check(program, shared, [np.zeros(size, np.uint8) for size in program.sizes])


def check(program: Program, shared: "Shared", apart: list[Bytes]) -> None:
    """Runs the program on shared bytes and on bytes of its own."""
    apart[0][:] = shared.tensors[0][:] = np.arange(1, program.sizes[0] + 1) * 19
    for step, operator in enumerate(program.operators, 1):
        shared.fill_what_is_free_at(step - 0.5, 252)
        free = shared.fill_what_is_free_at(step, 253)
        run_step(step, operator, shared.tensors)
        run_step(step, operator, apart)
        for base, untouched in zip(shared.bases, free, strict=True):
            assert (base[untouched] == 253).all(), f"step {step} writes where it has nothing to write"
    shared.fill_what_is_free_at(len(program.operators) + 0.5, 252)
    for index in program.kept:
        assert shared.tensors[index].tobytes() == apart[index].tobytes()


def test_random_programs_do_share() -> None:
    granted = 0
    for seed in range(100):
        rng = random.Random(seed)
        program = random_program(rng)
        granted += len(program.sizes) - len(share(program.tensors(), program.wishes(rng)))
    assert granted > 100


def peak(groups: Sequence[Group]) -> int:
    """The most bytes in use at one step, found by drawing them."""
    steps = 1 + max(piece.last for group in groups for piece in group.pieces)
    loads = np.zeros(steps, int)
    for group in groups:
        drawn = np.zeros((steps, max(piece.stop for piece in group.pieces)), bool)
        for piece in group.pieces:
            drawn[piece.first : piece.last + 1, piece.start : piece.stop] = True
        loads += drawn.sum(axis=1)
    return int(loads.max())


class TestPeaks:
    def test_only_what_lowers_the_peak_shares(self) -> None:
        # Two elementwise operators; the first is where the peak is.
        tensors = [tensor(64, 0, 1), tensor(64, 1, 2), tensor(16, 2, 3), tensor(16, 3, 4)]
        groups = share_at_peaks(tensors, [Overwrite(1, 0), Overwrite(3, 2)])
        assert [dict(group.members) for group in groups] == [{0: 0, 1: 0}, {2: 0}, {3: 0}]

    def test_all_that_is_needed_for_it(self) -> None:
        # The whole of the parts is made where the peak is, one part alone does not take it away.
        tensors = [tensor(32, 1, 3), tensor(32, 2, 3), tensor(64, 3, 4)]
        groups = share_at_peaks(tensors, [Copy(0, 2, 0), Copy(1, 2, 32)])
        assert [dict(group.members) for group in groups] == [{0: 0, 1: 32, 2: 0}]

    @pytest.mark.parametrize("seed", range(60))
    def test_random_programs_peak_no_higher_than_apart_and_share_no_more_than_all(self, seed: int) -> None:
        rng = random.Random(seed)
        program = random_program(rng)
        tensors, wishes = program.tensors(), program.wishes(rng)
        apart, at_peaks = share(tensors, []), share_at_peaks(tensors, wishes)
        assert peak(at_peaks) <= peak(apart)
        assert len(at_peaks) <= len(apart)
