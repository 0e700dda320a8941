"""
Where the values of tensors come from.

A copy makes no new values, so each byte of a tensor has an origin: the byte of an operator's result that it was at
first. Bytes with the same origin hold the same, wherever they lie.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations, product
from typing import NamedTuple

from tinymo_xdsl.planner.tensors import Copy, Tensor


class Range(NamedTuple):
    """The bytes [start, stop) of tensor `tensor`."""

    tensor: int
    start: int
    stop: int

    @property
    def size(self) -> int:
        """Bytes."""
        return self.stop - self.start


class Origins:
    """The origins of all bytes of `tensors`, as far as `copies` say."""

    def __init__(self, tensors: Sequence[Tensor], copies: Sequence[Copy]) -> None:
        self.tensors = tensors
        # What is made later is the copy: a window of what it is cut from, a whole of its parts.
        sources: list[list[Copy]] = [[] for _ in tensors]
        for copy in copies:
            sources[max(copy.part, copy.whole, key=lambda index: tensors[index].made)].append(copy)
        self._ranges: list[tuple[Range, ...]] = [() for _ in tensors]
        for index in sorted(range(len(tensors)), key=lambda index: tensors[index].made):
            self._ranges[index] = _united(self._trace(index, sources[index]))

    def of(self, values: Range) -> tuple[Range, ...]:
        """The ranges in which these values were made, in their order."""
        ranges = self._ranges[values.tensor]
        at, parts = 0, list[Range]()
        for origin in ranges:
            low, high = max(at, values.start), min(at + origin.size, values.stop)
            if low < high:
                parts.append(Range(origin.tensor, origin.start + low - at, origin.start + high - at))
            at += origin.size
        return tuple(parts)

    def ties(self) -> Iterator[tuple[int, int, int]]:
        """Pairs of tensors, and the bytes by which the first begins above the second where both hold the same."""
        copies: dict[int, list[int]] = {}
        for index, ranges in enumerate(self._ranges):
            for tensor in {origin.tensor for origin in ranges}:
                copies.setdefault(tensor, []).append(index)
        pairs = {pair for indices in copies.values() for pair in combinations(indices, 2)}
        for first, second in sorted(pairs):
            for distance in sorted(self._distances(first, second)):
                if self._agree(first, second, distance):
                    yield first, second, distance

    def _trace(self, index: int, copies: Sequence[Copy]) -> Iterator[Range]:
        """The origins of a tensor, if those of all that was made before it are known."""
        at, size = 0, self.tensors[index].size
        for copy in sorted(copies, key=lambda copy: copy.offset):
            if index == copy.part:
                yield from self.of(Range(copy.whole, copy.offset, copy.offset + size))
                return
            if copy.offset >= at:
                yield from [Range(index, at, copy.offset)] if at < copy.offset else []
                at = min(copy.offset + self.tensors[copy.part].size, size)
                yield from self.of(Range(copy.part, 0, at - copy.offset))
        yield from [Range(index, at, size)] if at < size else []

    def _placed(self, index: int) -> Iterator[tuple[int, Range]]:
        """The origins of a tensor with their places in it."""
        at = 0
        for origin in self._ranges[index]:
            yield at, origin
            at += origin.size

    def _distances(self, first: int, second: int) -> set[int]:
        """Where some of both has the same origin."""
        pairs = product(self._placed(first), self._placed(second))
        return {
            (there - other.start) - (here - own.start)
            for (here, own), (there, other) in pairs
            if own.tensor == other.tensor and own.start < other.stop and other.start < own.stop
        }

    def _agree(self, first: int, second: int, distance: int) -> bool:
        """Whether both hold the same wherever they share bytes."""
        start = max(distance, 0)
        stop = min(distance + self.tensors[first].size, self.tensors[second].size)
        own = self.of(Range(first, start - distance, stop - distance))
        return own == self.of(Range(second, start, stop))


def _united(ranges: Iterator[Range]) -> tuple[Range, ...]:
    """The same, neighbours that follow each other in one tensor as one."""
    united: list[Range] = []
    for part in ranges:
        last = united[-1] if united else None
        if last is not None and (last.tensor, last.stop) == (part.tensor, part.start):
            united[-1] = Range(last.tensor, last.start, part.stop)
        else:
            united.append(part)
    return tuple(united)
