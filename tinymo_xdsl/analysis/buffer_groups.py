"""
Which tensors of a level-2 function become one buffer: what `bufferize` decides before it rewrites.

Like `analysis.aliases`, but for bytes at any alignment, and for `tinymo.split` and `tinymo.join` as they stand: the
windows of a split lie inside its source, the parts of a join inside its result, where they are one run of bytes there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal, TypeAlias

from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from tinymo_xdsl.analysis.aliases import Aliases, KernelLibrary, aliases_of
from tinymo_xdsl.analysis.kernels import kernels_of
from tinymo_xdsl.analysis.rows import shape_of
from tinymo_xdsl.analysis.sizes import byte_size, element_bytes
from tinymo_xdsl.dialects import tinymo
from tinymo_xdsl.planner.arena.problem import round_up
from tinymo_xdsl.planner.peak_sharing import share_at_peaks
from tinymo_xdsl.planner.sharing import Clusters, Copy, Group, Overwrite, Read, Tensor, Wish, share

SharingName: TypeAlias = Literal["none", "views", "at-peaks", "all"]
"""What shares bytes: nothing; what need not be copied then; whatever lowers the peak, and reshaped tensors; all that
can."""


@dataclass(frozen=True)
class Home:
    """Where a tensor lies."""

    group: int
    offset: int
    """Bytes from the start of the group."""


@dataclass(frozen=True, eq=False)
class BufferGroups:
    """Tensors of a function in groups that share bytes. A tensor that shares none is a group of its own."""

    members: tuple[tuple[SSAValue, ...], ...]
    """Of each group, in order of appearance."""
    homes: Mapping[SSAValue, Home]
    copies: Mapping[tuple[SSAValue, SSAValue], tuple[int, ...]]
    """For a part and a whole the offsets, in bytes, at which the part could lie in the whole."""

    def is_view(self, part: SSAValue, whole: SSAValue, offset: int) -> bool:
        """Whether `part` lies on the bytes of `whole` that begin at `offset`, so that nothing need be copied there."""
        if offset not in self.copies.get((part, whole), ()):
            return False
        mine, theirs = self.homes[part], self.homes[whole]
        return mine == Home(theirs.group, theirs.offset + offset)


def buffer_groups(function: FuncOp, library: KernelLibrary, sharing: SharingName, alignment: int) -> BufferGroups:
    """
    The groups of `function`, a level-2 function.

    Tensors begin at multiples of `alignment` bytes in their groups. Left out are constants, variables, and what has no
    bytes.
    """
    aliases = aliases_of(function, library)
    numbers = {value: number for number, value in enumerate(aliases.values)}
    wishes = _in_order([*aliases.wishes, *_window_wishes(function, numbers)], aliases)
    copies: dict[tuple[SSAValue, SSAValue], tuple[int, ...]] = {}
    for wish in wishes:
        if isinstance(wish, Copy):
            key = aliases.values[wish.part], aliases.values[wish.whole]
            copies[key] = (*copies.get(key, ()), wish.offset)
    groups = _share(_tensors(aliases, wishes, alignment), wishes, sharing, alignment)
    homes = {
        aliases.values[index]: Home(number, offset)
        for number, group in enumerate(groups)
        for index, offset in group.members
    }
    members = tuple(tuple(aliases.values[index] for index, _ in group.members) for group in groups)
    return BufferGroups(members, homes, copies)


def window_offset(part: SSAValue, whole: SSAValue, axis: int, low: int) -> int | None:
    """Where `part`, the window of `whole` from `low` on along `axis`, begins in bytes; `None` if it is many runs."""
    shape = shape_of(whole)
    if prod(shape[:axis]) != 1 and shape_of(part) != shape:
        return None
    return low * prod(shape[axis + 1 :]) * element_bytes(whole)


def _window_wishes(function: FuncOp, numbers: Mapping[SSAValue, int]) -> Iterator[Copy]:
    for op in (kernel.root for kernel in kernels_of(function)):
        axis = op.axis.value.data if isinstance(op, tinymo.SplitOp | tinymo.JoinOp) else 0
        match op:
            case tinymo.SplitOp():
                pairs = [(part, op.source, low) for part, (low, _) in zip(op.parts, op.ranges, strict=True)]
            case tinymo.JoinOp():
                pairs = [(part, op.result, low) for part, low in zip(op.parts, part_starts(op), strict=True)]
            case _:
                continue
        for part, whole, low in pairs:
            offset = window_offset(part, whole, axis, low)
            if offset is not None and part in numbers and whole in numbers:
                yield Copy(numbers[part], numbers[whole], offset)


def part_starts(join: tinymo.JoinOp) -> Sequence[int]:
    """Where each part of a join begins along its axis."""
    extents = [shape_of(part)[join.axis.value.data] for part in join.parts]
    return [sum(extents[:number]) for number in range(len(extents))]


def _in_order(wishes: Sequence[Wish], aliases: Aliases) -> list[Wish]:
    """By the steps at which they are due: what reads or writes both ends makes the later one."""

    def step(wish: Wish) -> int:
        ends = (wish.part, wish.whole) if isinstance(wish, Copy) else (wish.result, wish.operand)
        return max(aliases.tensors[end].made for end in ends)

    return sorted(wishes, key=step)


def _tensors(aliases: Aliases, wishes: Sequence[Wish], alignment: int) -> list[Tensor]:
    """The tensors in whole blocks of `alignment`; of a source of windows, only these are read where they are taken."""
    windows: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for wish in wishes:
        if isinstance(wish, Copy):
            size, made = byte_size(aliases.values[wish.part]), aliases.tensors[wish.part].made
            windows.setdefault((wish.whole, made), []).append((wish.offset, wish.offset + size))

    def reads(number: int, size: int) -> Iterator[Read]:
        for step in dict.fromkeys(read.step for read in aliases.tensors[number].reads):
            for start, stop in windows.get((number, step), [(0, size)]):
                yield Read(step, start // alignment * alignment, round_up(stop, alignment))

    tensors: list[Tensor] = []
    for number, (value, tensor) in enumerate(zip(aliases.values, aliases.tensors, strict=True)):
        # What is spilled lies elsewhere.
        size = 0 if isinstance(value.type, tinymo.SpilledType) else byte_size(value)
        tensors.append(Tensor(round_up(size, alignment), tensor.made, tuple(reads(number, size))))
    return tensors


def _share(tensors: Sequence[Tensor], wishes: Sequence[Wish], sharing: SharingName, alignment: int) -> list[Group]:
    match sharing:
        case "none":
            return share(tensors, (), alignment)
        case "views":
            return share(tensors, [wish for wish in wishes if isinstance(wish, Copy)], alignment)
        case "at-peaks":
            in_place = [wish for wish in wishes if _is_in_place(wish)]
            groups = share_at_peaks(tensors, in_place, alignment)
            return _with_whole_views(tensors, in_place, groups, alignment)
        case "all":
            return share(tensors, [wish for wish in wishes if _is_in_place(wish)], alignment)


def _with_whole_views(
    tensors: Sequence[Tensor], wishes: Sequence[Wish], groups: Sequence[Group], alignment: int
) -> list[Group]:
    """The groups and, on top, views of all of another tensor: these are no harder to place, and save a copy."""
    clusters = Clusters(tensors, wishes, alignment)
    for group in groups:
        clusters.put(dict(group.members))
    for wish in wishes:
        if isinstance(wish, Copy) and tensors[wish.part].size == tensors[wish.whole].size:
            clusters.grant(wish)
    return clusters.groups()


def _is_in_place(wish: Wish) -> bool:
    """Whether the two ends begin together or one lies in the other."""
    return not isinstance(wish, Overwrite) or not wish.lead
