"""
Problems and plans in MiniMalloc's text form: lines of `id,lower,upper,size`, for plans with `offset` at the end.

`lower` and `upper` are the steps [start, end). A column `alignment` is read, and written where a buffer needs it.
Source of the format: Moffitt, "MiniMalloc: A Lightweight Memory Allocator for Hardware-Accelerated Machine Learning",
ASPLOS 2023.
"""

import csv
from collections.abc import Mapping
from io import StringIO

from tinymo_xdsl.planner.arena.problem import Buffer, PlanError, Problem, Solution

_COLUMNS = ("id", "lower", "upper", "size")


def read_problem(text: str, source: str = "<text>") -> Problem:
    """
    The problem that `text` describes. `PlanError`, naming `source` and the line, if it does not.

    An `offset` column is ignored: it is a plan's answer, not part of the question.
    """
    reader = csv.DictReader(StringIO(text))
    missing = [column for column in _COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise PlanError(f"{source}: no column {missing[0]!r}; the first line must be {','.join(_COLUMNS)}")
    buffers: list[Buffer] = []
    for row in reader:
        try:
            buffers.append(_buffer(row))
        except (TypeError, ValueError) as error:
            raise PlanError(f"{source}: line {reader.line_num}: steps and sizes must be whole numbers") from error
    return Problem(tuple(buffers))


def write_problem(problem: Problem) -> str:
    """The lines of `problem`. `PlanError` for what the form cannot say: several pieces or a fixed offset."""
    return _write(problem, ())


def write_solution(problem: Problem, solution: Solution) -> str:
    """The lines of `problem` with the offsets of `solution`. `PlanError` as `write_problem`."""
    return _write(problem, solution.offsets)


def _buffer(row: Mapping[str, str]) -> Buffer:
    lower, upper, size = (int(row[column]) for column in _COLUMNS[1:])
    return Buffer.whole(row["id"], size, lower, upper, alignment=int(row.get("alignment") or 1))


def _write(problem: Problem, offsets: tuple[int, ...]) -> str:
    aligned = any(buffer.alignment != 1 for buffer in problem.buffers)
    header = [*_COLUMNS, *(["alignment"] if aligned else []), *(["offset"] if offsets else [])]
    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    for index, buffer in enumerate(problem.buffers):
        if len(buffer.pieces) != 1 or buffer.offset is not None:
            raise PlanError(f"buffer {buffer.name!r}: MiniMalloc's CSV knows neither several pieces nor fixed offsets")
        row: list[str | int] = [buffer.name, buffer.start, buffer.end, buffer.size]
        row += [buffer.alignment] if aligned else []
        row += [offsets[index]] if offsets else []
        writer.writerow(row)
    return stream.getvalue()
