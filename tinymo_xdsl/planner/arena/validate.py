"""
An independent check of arena plans.

It shares nothing with the planners: it looks at every pair of pieces that are in use at once, byte by byte as the
problem gives them.
"""

from tinymo_xdsl.planner.arena.problem import Buffer, Piece, PlanError, Problem, Solution


def validate(problem: Problem, solution: Solution) -> None:
    """`PlanError`, naming the buffers, unless `solution` is a plan of `problem` with the arena that it claims."""
    if len(solution.offsets) != len(problem.buffers):
        raise PlanError(f"{len(solution.offsets)} offsets for {len(problem.buffers)} buffers")
    placed = list(zip(problem.buffers, solution.offsets, strict=True))
    for buffer, offset in placed:
        _check_place(buffer, offset, solution.arena)
    _check_overlaps(placed)
    used = max((offset + buffer.size for buffer, offset in placed), default=0)
    if used != solution.arena:
        raise PlanError(f"the plan says {solution.arena} bytes, but its buffers take {used}")
    if solution.lower_bound > used:
        raise PlanError(f"the plan takes {used} bytes, less than its lower bound of {solution.lower_bound}")


def _check_place(buffer: Buffer, offset: int, arena: int) -> None:
    if offset < 0 or offset + buffer.size > arena:
        raise PlanError(f"buffer {buffer.name!r} at offset {offset} is not inside the arena of {arena} bytes")
    if offset % buffer.alignment:
        raise PlanError(f"buffer {buffer.name!r} at offset {offset} is not aligned to {buffer.alignment} bytes")
    if buffer.offset is not None and buffer.offset != offset:
        raise PlanError(f"buffer {buffer.name!r} must lie at offset {buffer.offset}, not at {offset}")


def _check_overlaps(placed: list[tuple[Buffer, int]]) -> None:
    """Compare each piece, in order of their first steps, with the earlier ones that are still in use."""
    pieces = [(piece, offset, buffer) for buffer, offset in placed for piece in buffer.pieces]
    in_use: list[tuple[Piece, int, Buffer]] = []
    for piece, offset, buffer in sorted(pieces, key=lambda entry: entry[0].start):
        in_use = [entry for entry in in_use if entry[0].end > piece.start]
        low, high = offset + piece.offset, offset + piece.top
        for other, base, owner in in_use:
            if owner is not buffer and low < base + other.top and base + other.offset < high:
                raise PlanError(
                    f"buffers {owner.name!r} and {buffer.name!r} are both in use at step {piece.start} "
                    f"and share bytes from offset {max(low, base + other.offset)} on"
                )
        in_use.append((piece, offset, buffer))
