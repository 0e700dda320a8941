"""
Few buffers that need much: those in use around the steps with the most bytes in use.

No plan of all buffers is smaller than the smallest one of some.
"""

from collections.abc import Iterator

from tinymo_xdsl.planner.arena.problem import Problem

_CENTRES = 4
"""How many steps are looked at."""


def windows(problem: Problem, most: int) -> Iterator[list[int]]:
    """Sets of at most `most` buffers, by index: in use at one of the fullest steps, or up to some steps around it."""
    buffers = problem.buffers
    loads: dict[int, int] = {piece.start: 0 for buffer in buffers for piece in buffer.rectangles}
    for buffer in buffers:
        for piece in buffer.rectangles:
            for step in loads:
                if piece.start <= step < piece.end:
                    loads[step] += piece.size
    known: set[tuple[int, ...]] = set()
    for centre in sorted(loads, key=lambda step: (-loads[step], step))[:_CENTRES]:
        for radius in range(1, len(loads) + 1):
            start, end = centre - radius + 1, centre + radius
            window = [index for index, buffer in enumerate(buffers) if buffer.start < end and start < buffer.end]
            if len(window) > most:
                break
            if tuple(window) not in known:
                known.add(tuple(window))
                yield window
            if len(window) == len(buffers):
                return
