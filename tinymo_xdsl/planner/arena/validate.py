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
    _check_overlaps(problem, solution)
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


def _check_overlaps(problem: Problem, solution: Solution) -> None:
    """Compare each piece, in order of their first steps, with the earlier ones that are still in use."""
    allowed = {(overlap.later, overlap.earlier, overlap.step): overlap.lead for overlap in problem.overlaps}
    ties = {(tie.first, tie.second, tie.distance) for tie in problem.ties}
    ties |= {(second, first, -distance) for first, second, distance in ties}
    offsets = solution.offsets
    pieces = [(piece, index) for index, buffer in enumerate(problem.buffers) for piece in buffer.pieces]
    in_use: list[tuple[Piece, int]] = []
    for piece, index in sorted(pieces, key=lambda entry: entry[0].start):
        in_use = [entry for entry in in_use if entry[0].end > piece.start]
        low, high = offsets[index] + piece.offset, offsets[index] + piece.top
        for other, owner in in_use:
            start, stop = offsets[owner] + other.offset, offsets[owner] + other.top
            distance = offsets[index] - offsets[owner]
            if owner == index or high <= start or stop <= low or (index, owner, distance) in ties:
                continue
            lead = allowed.get((index, owner, piece.start))
            if lead is None or other.end > piece.start + 1 or distance > lead:
                names = f"{problem.buffers[owner].name!r} and {problem.buffers[index].name!r}"
                raise PlanError(
                    f"buffers {names} are both in use at step {piece.start} "
                    f"and share bytes from offset {max(low, start)} on"
                )
        in_use.append((piece, index))
