"""Row arithmetic against loops that do what the operators do, row by row."""

from collections.abc import Iterator
from itertools import product

import pytest

from tinymo_xdsl.planner.rows import LocalAccess, Padding, Repeat, Rows, TransposedWindow, Window


def read_rows(access: LocalAccess, rows: int) -> list[set[int]]:
    """For each output row the rows, from 0 on, that it reads of an operand; rows of padding are below 0 or too high."""
    match access:
        case Window():
            count = (rows + access.pad_top + access.pad_bottom - access.kernel) // access.stride + 1
            starts = (row * access.stride - access.pad_top for row in range(count))
            return [set(range(start, start + access.kernel)) for start in starts]
        case Repeat():
            return [{row // access.factor} for row in range(rows * access.factor)]
        case TransposedWindow():
            full = [set[int]() for _ in range((rows - 1) * access.stride + access.kernel)]
            for row, tap in product(range(rows), range(access.kernel)):
                full[row * access.stride + tap].add(row)
            return full[access.crop_top : len(full) - access.crop_bottom]


def windows_and_others() -> Iterator[LocalAccess]:
    for kernel, stride, top, bottom in product((1, 2, 3, 5), (1, 2, 3), (0, 1, 2), (0, 1, 2)):
        if top < kernel and bottom < kernel:
            yield Window(kernel, stride, top, bottom)
    yield from (Repeat(factor) for factor in (1, 2, 3))
    for kernel, stride, top, bottom in product((1, 2, 3, 4), (1, 2, 3), (0, 1), (0, 1)):
        if top + bottom < kernel:
            yield TransposedWindow(kernel, stride, top, bottom)


ACCESSES = list(windows_and_others())
HEIGHT = 9


def ranges(stop: int) -> Iterator[Rows]:
    return (Rows(low, high) for low in range(stop) for high in range(low + 1, stop + 1))


@pytest.mark.parametrize("access", ACCESSES, ids=str)
def test_needed_is_what_the_rows_read(access: LocalAccess) -> None:
    reads = read_rows(access, HEIGHT)
    for result in ranges(len(reads)):
        real = [row for row in set[int]().union(*reads[result.start : result.stop]) if 0 <= row < HEIGHT]
        needed = access.needed(result, HEIGHT)
        if real:
            assert needed == Rows(min(real), max(real) + 1)
        else:
            assert len(needed) == 0


@pytest.mark.parametrize("access", ACCESSES, ids=str)
def test_computed_rows_are_numbered_like_those_of_the_whole(access: LocalAccess) -> None:
    """A stripe without padding: its rows read what the whole's rows with the same numbers read."""
    whole = read_rows(access, HEIGHT)
    local = Window(access.kernel, access.stride) if isinstance(access, Window) else access
    for fed in ranges(HEIGHT):
        if isinstance(access, Window) and (fed.start + access.pad_top) % access.stride:
            with pytest.raises(ValueError, match="out of step"):
                access.computed(fed, 0, 0)
            continue
        computed = access.computed(fed, 0, 0)
        shifted = [{row + fed.start for row in read} for read in read_rows(local, len(fed))]
        assert len(computed) == len(shifted)
        for row in range(max(computed.start, 0), min(computed.stop, len(whole))):
            assert shifted[row - computed.start] == {other for other in whole[row] if fed.start <= other < fed.stop}


@pytest.mark.parametrize(
    ("rows", "kernel", "stride", "pads"),
    [(5, 3, 1, (1, 1)), (6, 3, 2, (0, 1)), (5, 3, 2, (1, 1)), (7, 2, 1, (0, 1)), (8, 7, 2, (2, 3)), (5, 1, 2, (0, 0))],
)
def test_same_padding_is_that_of_tensorflow(rows: int, kernel: int, stride: int, pads: tuple[int, int]) -> None:
    assert Window(kernel, stride).same_padding(rows) == pads


def test_how_a_file_writes_padding() -> None:
    image = Window(3, 2, 0, 1, same_columns=True, valid_columns=False, padded_row_bytes=100)
    assert image.padding(6, 0, 1) is Padding.SAME
    assert image.padding(7, 0, 0) is Padding.EXPLICIT, "the columns need padding, which VALID has not"
    # SAME would give an odd number of rows a row of padding on top.
    assert image.padding(7, 0, 1) is Padding.EXPLICIT
    assert Window(3, 1, 1, 1, same_columns=False, padded_row_bytes=None).padding(8, 1, 0) is None
    assert Window(3, 1, 1, 1).padding(8, 0, 0) is Padding.VALID
    # No window reads a second row of padding below: it need not be written.
    assert Window(2, 2, same_columns=False, padded_row_bytes=1).padding(8, 0, 1) is Padding.VALID
