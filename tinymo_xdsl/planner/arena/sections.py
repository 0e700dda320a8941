"""
A planning problem in the form that the search works on: sections of time and whole units of memory.

Between two neighbouring sections something begins or ends; within one nothing does. A part is one rectangle of a
buffer over a range of sections. Parts are numbered; what is known of part `p` is in lists at index `p`.
"""

from itertools import pairwise

from tinymo_xdsl.planner.arena.problem import Buffer, Problem


class Sections:
    """The parts of a problem. Sizes and offsets are in units of `unit` bytes, sizes rounded up."""

    def __init__(self, problem: Problem) -> None:
        buffers = problem.buffers
        steps = sorted({step for b in buffers for p in b.rectangles for step in (p.start, p.end)})
        section = {step: index for index, step in enumerate(steps)}
        parts = [(index, piece) for index, buffer in enumerate(buffers) for piece in buffer.rectangles]
        self.unit = problem.unit
        self.count = max(len(steps) - 1, 0)
        self.buffer = [index for index, _ in parts]
        self.first = [section[piece.start] for _, piece in parts]
        """The first section of each part."""
        self.end = [section[piece.end] for _, piece in parts]
        """The section after the last of each part."""
        self.size = [-(-piece.size // self.unit) for _, piece in parts]
        self.above = [piece.offset // self.unit for _, piece in parts]
        """Units from the start of the buffer to the part."""
        bounds = [0]
        for buffer in buffers:
            bounds.append(bounds[-1] + len(buffer.rectangles))
        self.parts = [range(low, high) for low, high in pairwise(bounds)]
        """The parts of each buffer."""
        self.span = [(section[buffer.start], section[buffer.end]) for buffer in buffers]
        """The sections from the first to the last of each buffer, end excluded."""
        self.alignment = [max(buffer.alignment // self.unit, 1) for buffer in buffers]
        self.fixed = [None if buffer.offset is None else buffer.offset // self.unit for buffer in buffers]
        self.is_simple = [self._simple(buffer) for buffer in buffers]
        """Whether a buffer is one part that may lie anywhere."""
        self.all_simple = all(self.is_simple)
        self.is_local = all(b.offset is not None or len(b.rectangles) == 1 for b in buffers)
        """Whether whatever the search decides about is one part, so that it has no effect elsewhere."""
        self.smallest = min(self.size, default=0)
        self.is_searched_completely = all(
            len(buffer.rectangles) == 1 and buffer.rectangles[0].offset == 0 and buffer.offset is None
            for buffer in buffers
        )
        """Whether the search looks at all plans that matter."""

    def _simple(self, buffer: Buffer) -> bool:
        whole = len(buffer.rectangles) == 1 and buffer.rectangles[0].offset == 0
        return whole and buffer.offset is None and buffer.alignment <= self.unit

    def live(self) -> list[int]:
        """The units in use in each section."""
        live = [0] * self.count
        for first, end, size in zip(self.first, self.end, self.size, strict=True):
            for section in range(first, end):
                live[section] += size
        return live
