"""
The bytes that no plan can do without, whatever shares bytes in it.

A copy makes no new values, so each byte of a tensor has an origin: the byte of an operator's result that it was at
first. From the step at which that is made to the last step at which it, or a copy of it, is read, at least one byte of
the arena holds it. Where a result may be written over operands, it takes the place of what is read for the last time
at best.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from tinymo_xdsl.planner.sharing import Copy, Overwrite, Tensor, Wish


@dataclass(frozen=True)
class _Range:
    """The bytes [start, stop) of tensor `origin`."""

    origin: int
    start: int
    stop: int

    @property
    def size(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True)
class _Life:
    """Bytes that are needed up to step `last`."""

    bytes: _Range
    last: int


def least_bytes(tensors: Sequence[Tensor], wishes: Sequence[Wish], alignment: int = 1) -> int:
    """The most bytes that any plan needs at one step. Tensors lie at multiples of `alignment` bytes."""
    origins = _Origins(tensors, [w for w in wishes if isinstance(w, Copy) and w.offset % alignment == 0])
    overwrites = [replace(w, lead=w.lead // alignment * alignment) for w in wishes if isinstance(w, Overwrite)]
    lives = [life for index in range(len(tensors)) for life in origins.lives(index)]
    change = [0] * (2 + max((life.last for life in lives), default=0))
    for life in lives:
        change[tensors[life.bytes.origin].made] += life.bytes.size
        change[life.last + 1] -= life.bytes.size
    loads = list(accumulate(change))
    for step, saved in _saved(tensors, overwrites, origins).items():
        loads[step] -= saved
    return max(loads)


class _Origins:
    """Where the values of tensors come from, and how long they are needed."""

    def __init__(self, tensors: Sequence[Tensor], copies: Sequence[Copy]) -> None:
        self.tensors = tensors
        self._copies: dict[int, list[Copy]] = {}
        for copy in copies:
            # What is made later is the copy: a window of what it is cut from, a whole of its parts.
            self._copies.setdefault(max(copy.part, copy.whole, key=lambda i: tensors[i].made), []).append(copy)
        self._reads: list[list[_Life]] = [[] for _ in tensors]
        for index, tensor in enumerate(tensors):
            for read in tensor.reads:
                for part in self.of(_Range(index, read.start, read.stop)):
                    self._reads[part.origin].append(_Life(part, read.step))

    def of(self, wanted: _Range) -> Iterator[_Range]:
        """The ranges in which the values in `wanted` were made."""
        at = wanted.start
        for copy in sorted(self._copies.get(wanted.origin, ()), key=lambda copy: copy.offset):
            source, first, shift = self._source(copy, wanted.origin)
            low, high = max(at, first), min(wanted.stop, first + self.tensors[copy.part].size)
            if low < high:
                yield from [_Range(wanted.origin, at, low)] if at < low else []
                yield from self.of(_Range(source, low + shift, high + shift))
                at = high
        if at < wanted.stop:
            yield _Range(wanted.origin, at, wanted.stop)

    def _source(self, copy: Copy, index: int) -> tuple[int, int, int]:
        """What tensor `index` is copied from, the byte from which on it is, and how much further that lies in it."""
        return (copy.whole, 0, copy.offset) if index == copy.part else (copy.part, copy.offset, -copy.offset)

    def lives(self, index: int) -> Iterator[_Life]:
        """The values that are made in tensor `index`."""
        for own in self.of(_Range(index, 0, self.tensors[index].size)):
            if own.origin == index:
                yield from self._lives_within(own)

    def _lives_within(self, own: _Range) -> Iterator[_Life]:
        reads = self._reads[own.origin]
        bounds = {own.start, own.stop, *(edge for r in reads for edge in (r.bytes.start, r.bytes.stop))}
        inner = sorted(bound for bound in bounds if own.start <= bound <= own.stop)
        for start, stop in pairwise(inner):
            steps = (r.last for r in reads if r.bytes.start <= start and stop <= r.bytes.stop)
            yield _Life(_Range(own.origin, start, stop), max(steps, default=self.tensors[own.origin].made))


def _saved(tensors: Sequence[Tensor], overwrites: Sequence[Overwrite], origins: _Origins) -> dict[int, int]:
    """The bytes that results save at their steps if they lie on their operands as far as they may."""
    shared: dict[int, int] = {}
    for wish in overwrites:
        result, operand = tensors[wish.result], tensors[wish.operand]
        reads = [read for read in operand.reads if read.step == result.made]
        parts = {part for read in reads for part in origins.of(_Range(wish.operand, read.start, read.stop))}
        dying = sum(_dying(origins, part, result.made) for part in parts)
        most = min(dying, max(0, result.size + min(0, wish.lead)))
        shared[wish.result] = shared.get(wish.result, 0) + most
    saved: dict[int, int] = {}
    for index, bytes_ in shared.items():
        step = tensors[index].made
        saved[step] = saved.get(step, 0) + min(bytes_, tensors[index].size)
    return saved


def _dying(origins: _Origins, part: _Range, step: int) -> int:
    """The bytes of `part` that are needed up to `step`."""
    lives = (life for life in origins.lives(part.origin) if life.last == step)
    return sum(max(0, min(life.bytes.stop, part.stop) - max(life.bytes.start, part.start)) for life in lives)
