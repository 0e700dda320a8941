"""
Which tensors can lie on the same bytes, and when each of these bytes is needed.

A copy whose two ends lie on the same bytes does nothing, so a window of a tensor can lie inside of it, and the parts of
a whole inside of that. An elementwise operator can write over an operand that nobody reads any more. Tensors that share
bytes move together, at fixed offsets. Their bytes are needed piece by piece: the rows of a source die with the last
window that holds them, the rows of a result are born with the part that yields them (a staircase).

Tensors are numbers here. Steps order the operators: a tensor that is there from the start is made at a step before the
first operator, one that is kept to the end is read at a step behind the last.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import TypeAlias

from tinymo_xdsl.planner.origins import Origins, Range
from tinymo_xdsl.planner.tensors import Copy, Overwrite, Read, Tensor, Wish


@dataclass(frozen=True)
class Piece:
    """Bytes [start, stop) of a group, needed from step `first` to step `last`, both included."""

    start: int
    stop: int
    first: int
    last: int


@dataclass(frozen=True)
class Group:
    """Tensors that share bytes. One that shares none is a group of its own."""

    members: tuple[tuple[int, int], ...]
    """Each tensor with its offset in bytes, the lowest of which is 0."""
    pieces: tuple[Piece, ...]


def ends_of(wish: Wish) -> tuple[int, int]:
    """The two tensors of a wish."""
    return (wish.part, wish.whole) if isinstance(wish, Copy) else (wish.result, wish.operand)


def share(tensors: Sequence[Tensor], wishes: Sequence[Wish], alignment: int = 1) -> list[Group]:
    """
    Groups of `tensors` in which each of `wishes`, in this order, is granted if no byte is then needed for two things.

    Members lie at multiples of `alignment` bytes. What computes and what copies is the same with and without sharing,
    so a wish that is not granted costs memory and nothing else.
    """
    clusters = Clusters(tensors, wishes, alignment)
    for wish in wishes:
        clusters.grant(wish)
    return clusters.groups()


def is_possible(tensors: Sequence[Tensor], wishes: Iterable[Wish], offsets: Sequence[int]) -> bool:
    """Whether each byte holds what is read from it if `tensors` lie at `offsets`; `wishes` says what may overlap."""
    return Clusters(tensors, wishes, 1).pieces(dict(enumerate(offsets))) is not None


Cluster: TypeAlias = dict[int, int]
"""A group in the making: the offset of each tensor, from an arbitrary origin."""


@dataclass(frozen=True)
class _Content:
    """What some bytes hold, from the step at which it is written to that at which it is needed for the last time."""

    first: int
    last: int
    members: frozenset[int]
    """The tensors that hold it."""
    last_readers: frozenset[int]
    """Those that are read at step `last`."""

    def joined(self, other: "_Content") -> "_Content":
        """The same that other tensors hold, at overlapping steps."""
        last = max(self.last, other.last)
        ends = (content.last_readers for content in (self, other) if content.last == last)
        return _Content(min(self.first, other.first), last, self.members | other.members, frozenset[int]().union(*ends))


class Clusters:
    """Groups in the making, and what is possible with them."""

    def __init__(self, tensors: Sequence[Tensor], wishes: Iterable[Wish], alignment: int) -> None:
        self.tensors = tensors
        self.alignment = alignment
        self.of: list[Cluster] = [{index: 0} for index in range(len(tensors))]
        """The cluster of each tensor."""
        known = tuple(wishes)
        copies = [wish for wish in known if isinstance(wish, Copy) and wish.offset % alignment == 0]
        self._origins = Origins(tensors, copies)
        self._leads = {(wish.result, wish.operand): wish.lead for wish in known if isinstance(wish, Overwrite)}

    def groups(self) -> list[Group]:
        """The groups as they are now, by their first tensors."""
        groups: list[Group] = []
        for index, cluster in enumerate(self.of):
            if min(cluster) == index:
                lowest = min(cluster.values())
                moved = {member: offset - lowest for member, offset in sorted(cluster.items())}
                pieces = self.pieces(moved)
                assert pieces is not None
                groups.append(Group(tuple(moved.items()), tuple(pieces)))
        return groups

    def grant(self, wish: Wish) -> None:
        """Puts the two clusters of a wish together, if that is possible."""
        merged = self.merged(wish)
        if merged is not None and self.pieces(merged) is not None:
            self.put(merged)

    def put(self, merged: Cluster) -> None:
        """Makes `merged` the cluster of its tensors."""
        for index in merged:
            self.of[index] = merged

    def merged(self, wish: Wish) -> Cluster | None:
        """The clusters of a wish put together, possible or not; `None` if they are one, or would be off alignment."""
        match wish:
            case Copy(member, other, offset):
                pass
            case Overwrite(member, other, lead):
                offset = lead // self.alignment * self.alignment
        mine, theirs = self.of[member], self.of[other]
        shift = theirs[other] + offset - mine[member]
        if mine is theirs or shift % self.alignment:
            return None
        return theirs | {index: at + shift for index, at in mine.items()}

    def pieces(self, cluster: Mapping[int, int]) -> list[Piece] | None:
        """When each byte is needed; `None` if tensors that hold different numbers need it at the same time."""
        bounds: set[int] = set()
        for index, offset in cluster.items():
            bounds |= {offset, offset + self.tensors[index].size}
            bounds |= {offset + edge for read in self.tensors[index].reads for edge in (read.start, read.stop)}
        pieces: list[Piece] = []
        waiting = sorted(cluster, key=lambda index: (cluster[index], index), reverse=True)
        here: list[int] = []
        for start, stop in pairwise(sorted(bounds)):
            here = [index for index in here if stop <= cluster[index] + self.tensors[index].size]
            while waiting and cluster[waiting[-1]] <= start:
                here.append(waiting.pop())
            contents = self._contents(cluster, here, start, stop)
            if any(not self._follows(cluster, earlier, later) for earlier, later in pairwise(contents)):
                return None
            pieces += [Piece(start, stop, content.first, content.last) for content in contents]
        return pieces

    def _contents(self, cluster: Mapping[int, int], here: Sequence[int], start: int, stop: int) -> list[_Content]:
        """What the bytes [start, stop) of the tensors `here` hold: the same where it has the same origin."""
        groups: dict[tuple[Range, ...], list[_Content]] = {}
        for index in sorted(here, key=lambda index: self.tensors[index].made):
            values = Range(index, start - cluster[index], stop - cluster[index])
            same = groups.setdefault(self._origins.of(values), [])
            content = self._content(cluster, index, start, stop)
            # What was gone meanwhile is written anew.
            if same and content.first <= same[-1].last:
                content = same.pop().joined(content)
            same.append(content)
        contents = (content for same in groups.values() for content in same)
        return sorted(contents, key=lambda content: (content.first, content.last))

    def _content(self, cluster: Mapping[int, int], index: int, start: int, stop: int) -> _Content:
        made = self.tensors[index].made
        last = max((read.step for read in self._reads(cluster, index, start, stop)), default=made)
        return _Content(made, last, frozenset((index,)), frozenset((index,) if last > made else ()))

    def _reads(self, cluster: Mapping[int, int], index: int, start: int, stop: int) -> Iterable[Read]:
        offset = cluster[index]
        return (r for r in self.tensors[index].reads if offset + r.start < stop and start < offset + r.stop)

    def _follows(self, cluster: Mapping[int, int], earlier: _Content, later: _Content) -> bool:
        """Whether bytes can hold `later` after `earlier`, in one operator only where it writes over what it reads."""
        if earlier.last != later.first:
            return earlier.last < later.first
        if any(self.tensors[index].made == earlier.last for index in earlier.members):
            return False
        writers = [index for index in later.members if self.tensors[index].made == later.first]
        return all(
            cluster[writer] - cluster[reader] <= self._leads.get((writer, reader), -inf)
            for writer in writers
            for reader in earlier.last_readers
        )
