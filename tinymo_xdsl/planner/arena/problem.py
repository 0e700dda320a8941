"""
What an arena plan is asked and what it answers, as plain values.

Sizes, offsets and alignments are bytes. Time is counted in steps, whole numbers that say nothing but the order: a
buffer that is in use during the steps [start, end) shares bytes with one that begins at `end`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product
from math import gcd
from operator import attrgetter

from tinymo_xdsl.errors import TinymoError


class PlanError(TinymoError):
    """A planning problem that makes no sense, or a plan in which buffers that are in use at once share bytes."""


@dataclass(frozen=True)
class Piece:
    """The bytes [offset, offset + size) of a buffer, counted from its start, in use during the steps [start, end)."""

    offset: int
    size: int
    start: int
    end: int

    @property
    def top(self) -> int:
        """The first byte after the piece."""
        return self.offset + self.size


@dataclass(frozen=True)
class Buffer:
    """
    Bytes that move as one. Most buffers are one piece: `Buffer.whole`.

    Several pieces describe what aliases or changes size: the rows of an input that die one by one, the parts of a
    concatenation that are born one by one, an elementwise operator that writes over its operand. Pieces of one buffer
    may overlap; that is their sharing, and shared bytes count once.
    """

    name: str
    """What messages and files call it."""
    pieces: tuple[Piece, ...]
    alignment: int = 1
    """The buffer's offset is a multiple of this."""
    offset: int | None = None
    """Where the buffer must lie, or `None`: the plan decides."""
    memory: str | None = None
    """Where several memories are planned, the one that the buffer must lie in, or `None`: the plan decides."""
    accesses: int = 1
    """How often each byte is read or written: what slow memory costs. Only counts where several are planned."""

    @staticmethod
    def whole(name: str, size: int, start: int, end: int, *, alignment: int = 1, offset: int | None = None) -> "Buffer":
        """A buffer whose `size` bytes are all in use during the steps [start, end)."""
        return Buffer(name, (Piece(0, size, start, end),), alignment, offset)

    @cached_property
    def size(self) -> int:
        """Bytes from the start of the buffer to the end of its last piece."""
        return max(piece.top for piece in self.pieces)

    @cached_property
    def start(self) -> int:
        """The first step at which any of it is in use."""
        return min(piece.start for piece in self.pieces)

    @cached_property
    def end(self) -> int:
        """The first step after the last at which any of it is in use."""
        return max(piece.end for piece in self.pieces)

    @cached_property
    def area(self) -> int:
        """Bytes times steps in use."""
        return sum(piece.size * (piece.end - piece.start) for piece in self.rectangles)

    @cached_property
    def rectangles(self) -> tuple[Piece, ...]:
        """The same bytes at the same steps in pieces that do not overlap."""
        if len(self.pieces) == 1:
            return self.pieces
        bounds = sorted({bound for piece in self.pieces for bound in (piece.offset, piece.top)})
        rectangles: list[Piece] = []
        for low, high in pairwise(bounds):
            for start, end in _merged(p for p in self.pieces if p.offset <= low and high <= p.top):
                _append(rectangles, Piece(low, high - low, start, end))
        return tuple(rectangles)


@dataclass(frozen=True)
class Overlap:
    """
    What is written at one step may take the place of what is read then for the last time.

    The pieces of buffer `later` that begin at `step` may lie on the pieces of buffer `earlier` that end with this step,
    as long as `later` begins at most `lead` bytes above `earlier`. Both are indices.
    """

    later: int
    earlier: int
    step: int
    lead: int

    def allows(self, later: Piece, earlier: Piece) -> bool:
        """Whether it is about these pieces of the two buffers."""
        return later.start == self.step and earlier.end == self.step + 1


@dataclass(frozen=True)
class Tie:
    """Buffers `first` and `second`, indices, may lie on each other where `first` begins `distance` bytes above."""

    first: int
    second: int
    distance: int


@dataclass(frozen=True)
class Problem:
    """
    Buffers that share one arena.

    `PlanError` if a buffer has no bytes, lives for no step, has an offset off its alignment or a name twice.
    """

    buffers: tuple[Buffer, ...]
    overlaps: tuple[Overlap, ...] = ()
    """Which results may lie on operands; at most one for two buffers and a step."""
    ties: tuple[Tie, ...] = ()
    """Which buffers hold the same if they lie at a certain distance."""
    least: int = 0
    """Bytes that no plan can go below, from what is known besides the buffers."""

    def __post_init__(self) -> None:
        names: set[str] = set()
        for buffer in self.buffers:
            if buffer.name in names:
                raise PlanError(f"buffer {buffer.name!r} is there twice; names must differ")
            names.add(buffer.name)
            _check(buffer)

    @cached_property
    def unit(self) -> int:
        """The largest number that divides every alignment, fixed offset and start of a piece: plans move in it."""
        parts = [part for buffer in self.buffers for part in _multiples(buffer)]
        return gcd(*parts) or 1

    @cached_property
    def lower_bound(self) -> int:
        """
        The bytes that no plan can go below.

        At each step every rectangle but the topmost fills whole units, because another one begins on a unit above it.
        Where results may lie on operands, as many units as may be count once. With ties, only `least` is known.
        """
        unit = self.unit
        fixed = max((b.offset + b.size for b in self.buffers if b.offset is not None), default=0)
        changes: list[tuple[int, int, int]] = []
        for buffer in self.buffers:
            for piece in buffer.rectangles:
                whole = round_up(piece.size, unit)
                changes += ((piece.start, whole, whole - piece.size), (piece.end, -whole, whole - piece.size))
        bound = max((buffer.size for buffer in self.buffers), default=0)
        bound = max(bound, fixed, self.least)
        if self.ties:
            return bound
        return max(bound, _highest_load(sorted(changes, key=_by_step), self._saved_at_best()))

    def _saved_at_best(self) -> dict[int, int]:
        """The bytes, in whole units, that overlaps save at a step if each pair of pieces overlaps as far as it may."""
        shared: dict[tuple[int, int], int] = {}
        for overlap in self.overlaps:
            later, earlier = self.buffers[overlap.later], self.buffers[overlap.earlier]
            key = overlap.step, overlap.later
            lead = overlap.lead // self.unit * self.unit
            shared[key] = shared.get(key, 0) + sum(
                round_up(max(0, min(new.size, old.size, lead + new.top - old.offset)), self.unit)
                for new, old in product(later.rectangles, earlier.rectangles)
                if overlap.allows(new, old)
            )
        saved: dict[int, int] = {}
        for (step, index), bytes_ in shared.items():
            new = (piece for piece in self.buffers[index].rectangles if piece.start == step)
            written = sum(round_up(piece.size, self.unit) for piece in new)
            saved[step] = saved.get(step, 0) + min(bytes_, written)
        return saved


@dataclass(frozen=True)
class Solution:
    """A plan: where each buffer of a problem lies."""

    offsets: tuple[int, ...]
    """Bytes from the start of the arena, in the order of the problem's buffers."""
    arena: int
    """Bytes of the arena."""
    lower_bound: int
    """Bytes that no plan can go below."""
    optimal: bool
    """Whether no smaller arena exists: it is as small as the bound, or a complete search has found none."""
    method: str
    """What found the plan."""
    states: int = 0
    """How many placements of a buffer were tried."""


def round_up(size: int, unit: int) -> int:
    """The smallest multiple of `unit` that is not less than `size`."""
    return -(-size // unit) * unit


def arena_of(problem: Problem, offsets: Iterable[int]) -> int:
    """The bytes that buffers at these offsets take."""
    placed = zip(problem.buffers, offsets, strict=True)
    return max((offset + buffer.size for buffer, offset in placed), default=0)


def _check(buffer: Buffer) -> None:
    name = repr(buffer.name)
    if not buffer.pieces or any(piece.size <= 0 or piece.offset < 0 for piece in buffer.pieces):
        raise PlanError(f"buffer {name}: every piece needs at least one byte, from offset 0 on")
    if any(piece.start >= piece.end for piece in buffer.pieces):
        raise PlanError(f"buffer {name}: a piece ends before it begins; steps are [start, end)")
    if buffer.alignment < 1:
        raise PlanError(f"buffer {name}: alignment {buffer.alignment} must be at least 1")
    if buffer.offset is not None and (buffer.offset < 0 or buffer.offset % buffer.alignment):
        raise PlanError(f"buffer {name}: offset {buffer.offset} is no multiple of its alignment {buffer.alignment}")


def _multiples(buffer: Buffer) -> Iterable[int]:
    yield buffer.alignment if buffer.offset is None else buffer.offset
    yield from (piece.offset for piece in buffer.rectangles)


def _merged(pieces: Iterable[Piece]) -> list[tuple[int, int]]:
    """The steps at which any of `pieces` is in use, as ranges with gaps between them."""
    ranges: list[tuple[int, int]] = []
    for piece in sorted(pieces, key=attrgetter("start", "end")):
        if ranges and piece.start <= ranges[-1][1]:
            ranges[-1] = (ranges[-1][0], max(ranges[-1][1], piece.end))
        else:
            ranges.append((piece.start, piece.end))
    return ranges


def _append(rectangles: list[Piece], piece: Piece) -> None:
    """Add `piece`, as one with a rectangle right below it that is in use during the same steps."""
    for index, below in enumerate(rectangles):
        if below.top == piece.offset and (below.start, below.end) == (piece.start, piece.end):
            rectangles[index] = Piece(below.offset, below.size + piece.size, piece.start, piece.end)
            return
    rectangles.append(piece)


def _by_step(change: tuple[int, int, int]) -> tuple[int, bool]:
    step, bytes_, _ = change
    return step, bytes_ > 0


def _highest_load(changes: list[tuple[int, int, int]], saved: Mapping[int, int]) -> int:
    """
    The largest sum over the rectangles that are in use at once, whole units less the largest unused rest of one.

    Each change is a step, the bytes of the rectangle that begins (or, negative, ends) and its rest. `saved` are bytes
    that count once too often at some steps.
    """
    load = best = 0
    rests: dict[int, int] = {}
    for step, bytes_, rest in changes:
        load += bytes_
        rests[rest] = rests.get(rest, 0) + (1 if bytes_ > 0 else -1)
        once = load - saved.get(step, 0)
        if bytes_ > 0 and once - rest > best:
            best = max(best, once - max(rest for rest, count in rests.items() if count))
    return best
