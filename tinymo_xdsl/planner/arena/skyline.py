"""
The state of the search: what is placed, and the lowest free offset in every section.

Whatever is placed later lies above the floor of its sections, apart from what fills holes below the hanging parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tinymo_xdsl.planner.arena.problem import round_up
from tinymo_xdsl.planner.arena.sections import Sections

WALL = 1 << 62
"""The floor of a section in which everything is placed."""

NOWHERE = -1
"""The offset of a buffer that is not placed."""


@dataclass(frozen=True)
class Snapshot:
    """The state of the sections [first, end), and how many buffers were placed."""

    first: int
    end: int
    floor: list[int]
    ceiling: list[int]
    top: list[int]
    spanning: list[int]
    hanging: list[tuple[tuple[int, int], ...]]
    placed: int


class Skyline:
    """
    A partial plan within an arena of `height` units.

    Parts that begin or end in a section are listed by `priority`, the smallest first, then by number.
    """

    def __init__(self, sections: Sections, height: int, priority: Sequence[int]) -> None:
        self.sections = sections
        self.height = height
        live = sections.live()
        self.floor = [0 if units else WALL for units in live]
        self.ceiling = [height - units for units in live]
        """The highest floor that leaves room for all that is not placed."""
        self.top = [0] * sections.count
        """The end of the last part under the floor: less than the floor where bytes are wasted."""
        self.spanning = [0] * (sections.count + 1)
        """How many open buffers span the boundary below each section."""
        self.hanging: list[tuple[tuple[int, int], ...]] = [()] * sections.count
        """The placed parts above the floor, as (start, end), the lowest first."""
        self.offsets = [NOWHERE] * len(sections.parts)
        self.placed: list[int] = []
        """The placed buffers in order."""
        self.is_open = [True] * len(sections.size)
        """Whether each part still has to be placed."""
        self.failures = [0] * sections.count
        """How often each section has shown that no plan can follow. Never undone."""
        self.starting: list[list[int]] = [[] for _ in range(sections.count + 1)]
        self.ending: list[list[int]] = [[] for _ in range(sections.count + 1)]
        for part in sorted(range(len(sections.size)), key=lambda part: (priority[part], part)):
            self.starting[sections.first[part]].append(part)
            self.ending[sections.end[part]].append(part)
        for first, end in sections.span:
            for section in range(first + 1, end):
                self.spanning[section] += 1

    def place_fixed(self) -> bool:
        """Place the buffers that must lie somewhere. False if that cannot be."""
        fixed = enumerate(self.sections.fixed)
        return all(offset is None or self.place_buffer(buffer, offset) for buffer, offset in fixed)

    def place_part(self, part: int, level: int) -> bool:
        """Place the buffer of `part` so that the part begins at `level`. False if no plan can follow from that."""
        sections = self.sections
        buffer = sections.buffer[part]
        if not sections.is_simple[buffer]:
            return self.place_buffer(buffer, level - sections.above[part])
        first, end, size = sections.first[part], sections.end[part], sections.size[part]
        if level not in self.top[first:end]:
            # Nothing supports it: the same plan with the buffer further down is found elsewhere.
            return False
        self._close(buffer, level)
        floor, ceiling, above = self.floor, self.ceiling, level + size
        floor[first:end] = self.top[first:end] = [above] * (end - first)
        for section in range(first, end):
            ceiling[section] += size
            if ceiling[section] == self.height:
                floor[section] = WALL
        if sections.all_simple:
            return True
        return all(self.raise_floor(section, above) for section in range(first, end) if self.hanging[section])

    def place_buffer(self, buffer: int, offset: int) -> bool:
        """Place all parts of `buffer`, some of them perhaps above the floor. False if no plan can follow from that."""
        sections = self.sections
        self._close(buffer, offset)
        for part in sections.parts[buffer]:
            start = offset + sections.above[part]
            if start + sections.size[part] > self.height or self._clear(part, start) > start:
                return False
            for section in range(sections.first[part], sections.end[part]):
                if self.floor[section] > start:
                    return False
                self.hanging[section] = tuple(sorted((*self.hanging[section], (start, start + sections.size[part]))))
                if self.floor[section] == start and not self.raise_floor(section, start):
                    return False
        return True

    def lowest_offset(self, buffer: int, offset: int) -> int:
        """The lowest aligned offset from `offset` on at which `buffer` is free of all hanging parts."""
        sections = self.sections
        alignment = sections.alignment[buffer]
        while True:
            offset = round_up(offset, alignment)
            lowest = max(self._clear(p, offset + sections.above[p]) - sections.above[p] for p in sections.parts[buffer])
            if lowest == offset:
                return offset
            offset = lowest

    def _clear(self, part: int, start: int) -> int:
        """`start`, or the end of the highest hanging part that `part` would overlap if it began there."""
        sections = self.sections
        end = start + sections.size[part]
        hanging = self.hanging[sections.first[part] : sections.end[part]]
        return max((high for parts in hanging for low, high in parts if low < end and start < high), default=start)

    def raise_floor(self, section: int, level: int) -> bool:
        """Let nothing begin in `section` below `level`. False if that leaves too little room."""
        hanging = self.hanging[section]
        while hanging and hanging[0][0] <= level:
            low, high = hanging[0]
            hanging = hanging[1:]
            self.ceiling[section] += high - low
            self.top[section] = high
            level = max(level, high)
        self.hanging[section] = hanging
        finished = self.ceiling[section] == self.height
        self.floor[section] = WALL if finished else level
        return finished or level <= self.ceiling[section]

    def snapshot(self, first: int, end: int) -> Snapshot:
        """What `restore` needs to undo later placements in the sections [first, end)."""
        return Snapshot(
            first,
            end,
            self.floor[first:end],
            self.ceiling[first:end],
            self.top[first:end],
            self.spanning[first:end],
            self.hanging[first:end],
            len(self.placed),
        )

    def restore(self, before: Snapshot) -> None:
        """Undo all placements since `before`. All of them were within its sections."""
        within = slice(before.first, before.end)
        self.floor[within] = before.floor
        self.ceiling[within] = before.ceiling
        self.top[within] = before.top
        self.spanning[within] = before.spanning
        self.hanging[within] = before.hanging
        while len(self.placed) > before.placed:
            buffer = self.placed.pop()
            self.offsets[buffer] = NOWHERE
            for part in self.sections.parts[buffer]:
                self.is_open[part] = True

    def _close(self, buffer: int, offset: int) -> None:
        self.offsets[buffer] = offset
        self.placed.append(buffer)
        for part in self.sections.parts[buffer]:
            self.is_open[part] = False
        first, end = self.sections.span[buffer]
        for section in range(first + 1, end):
            self.spanning[section] -= 1
