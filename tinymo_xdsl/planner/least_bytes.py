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

from tinymo_xdsl.planner.origins import Origins, Range
from tinymo_xdsl.planner.tensors import Copy, Overwrite, Tensor, Wish


@dataclass(frozen=True)
class _Life:
    """Bytes that are needed up to step `last`."""

    bytes: Range
    last: int


def least_bytes(tensors: Sequence[Tensor], wishes: Sequence[Wish], alignment: int = 1) -> int:
    """The most bytes that any plan needs at one step. Tensors lie at multiples of `alignment` bytes."""
    origins = Origins(tensors, [w for w in wishes if isinstance(w, Copy) and w.offset % alignment == 0])
    overwrites = [replace(w, lead=w.lead // alignment * alignment) for w in wishes if isinstance(w, Overwrite)]
    values = _Values(tensors, origins)
    lives = [life for entries in values.lives for life in entries]
    change = [0] * (2 + max((life.last for life in lives), default=0))
    for life in lives:
        change[tensors[life.bytes.tensor].made] += life.bytes.size
        change[life.last + 1] -= life.bytes.size
    loads = list(accumulate(change))
    for step, saved in _saved(tensors, overwrites, values).items():
        loads[step] -= saved
    return max(loads)


class _Values:
    """How long the values that operators make are needed."""

    def __init__(self, tensors: Sequence[Tensor], origins: Origins) -> None:
        self.origins = origins
        reads: list[list[_Life]] = [[] for _ in tensors]
        for index, tensor in enumerate(tensors):
            for read in tensor.reads:
                for part in origins.of(Range(index, read.start, read.stop)):
                    reads[part.tensor].append(_Life(part, read.step))
        self.lives = [list(self._lives(index, tensor, reads[index])) for index, tensor in enumerate(tensors)]
        """The values that are made in each tensor."""

    def _lives(self, index: int, tensor: Tensor, reads: Sequence[_Life]) -> Iterator[_Life]:
        own = [part for part in self.origins.of(Range(index, 0, tensor.size)) if part.tensor == index]
        edges = {edge for part in (*own, *(read.bytes for read in reads)) for edge in (part.start, part.stop)}
        for start, stop in pairwise(sorted(edges)):
            if any(part.start <= start and stop <= part.stop for part in own):
                steps = (read.last for read in reads if read.bytes.start <= start and stop <= read.bytes.stop)
                yield _Life(Range(index, start, stop), max(steps, default=tensor.made))

    def dying(self, part: Range, step: int) -> int:
        """The bytes of `part` that are needed up to `step`."""
        lives = (life.bytes for life in self.lives[part.tensor] if life.last == step)
        return sum(max(0, min(bytes_.stop, part.stop) - max(bytes_.start, part.start)) for bytes_ in lives)


def _saved(tensors: Sequence[Tensor], overwrites: Sequence[Overwrite], values: _Values) -> dict[int, int]:
    """The bytes that results save at their steps if they lie on their operands as far as they may."""
    shared: dict[int, int] = {}
    for wish in overwrites:
        result, operand = tensors[wish.result], tensors[wish.operand]
        reads = [read for read in operand.reads if read.step == result.made]
        parts = {part for read in reads for part in values.origins.of(Range(wish.operand, read.start, read.stop))}
        dying = sum(values.dying(part, result.made) for part in parts)
        most = min(dying, max(0, result.size + min(0, wish.lead)))
        shared[wish.result] = shared.get(wish.result, 0) + most
    saved: dict[int, int] = {}
    for index, bytes_ in shared.items():
        step = tensors[index].made
        saved[step] = saved.get(step, 0) + min(bytes_, tensors[index].size)
    return saved
