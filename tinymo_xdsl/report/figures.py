"""The figures of a report, side by side: what text and HTML show in a table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tinymo_xdsl.report.report import BestPlan, FileReport, MeasuredArena, Report


@dataclass(frozen=True)
class ArenaFigures:
    """The arena that TFLite Micro needs for a file on one kind of machine, in bytes; `None` is not known."""

    head: int
    lower_bound: int | None
    scratch: int | None
    tail: int
    temporary: int | None
    arena: int


@dataclass(frozen=True)
class Machine:
    """One kind of machine, and what each file of the report needs there, the original first."""

    name: str
    measured: bool
    """Whether the figures are measured there, or modelled."""
    files: tuple[ArenaFigures, ...]

    @property
    def how(self) -> str:
        """The label of its figures."""
        return "measured" if self.measured else "modelled"


Line: TypeAlias = tuple[str, str, Callable[[ArenaFigures], int | None]]

ARENA_LINES: Sequence[Line] = (
    ("head", "activations and scratch", lambda figures: figures.head),
    ("lower bound", "for the head, any plan", lambda figures: figures.lower_bound),
    ("scratch", "of kernels, in the head", lambda figures: figures.scratch),
    ("tail", "structures that last", lambda figures: figures.tail),
    ("temporary", "while it plans", lambda figures: figures.temporary),
    ("arena", "the smallest that works", lambda figures: figures.arena),
)
"""The lines of a table: a name, what it means, and the figure."""


def report_files(report: Report) -> tuple[FileReport, ...]:
    """The original and, if it was optimized, the result."""
    return (report.original,) if report.optimization is None else (report.original, report.optimization.result)


def machines(report: Report) -> tuple[Machine, ...]:
    """A microcontroller, which is modelled, and this machine, which is measured if all files were."""
    files = report_files(report)
    small = Machine("32-bit target", False, tuple(map(_on_microcontroller, files)))
    measured = [(file, file.measured) for file in files if isinstance(file.measured, MeasuredArena)]
    if len(measured) == len(files):
        here = tuple(_measured(file, arena) for file, arena in measured)
    else:
        here = tuple(map(_on_computer, files))
    return small, Machine("this machine", len(measured) == len(files), here)


def _on_microcontroller(file: FileReport) -> ArenaFigures:
    need = file.microcontroller
    return ArenaFigures(need.head, _bound(file), file.layout.scratch, need.tail, need.temporary, need.total)


def _on_computer(file: FileReport) -> ArenaFigures:
    need = file.computer
    return ArenaFigures(need.head, _bound(file), file.layout.scratch, need.tail, need.temporary, need.total)


def _measured(file: FileReport, arena: MeasuredArena) -> ArenaFigures:
    # TFLite Micro counts scratch with the head, and nowhere what it frees again.
    return ArenaFigures(arena.use.head, None, None, arena.use.tail, None, arena.smallest)


def _bound(file: FileReport) -> int | None:
    return file.plan.lower_bound if isinstance(file.plan, BestPlan) else None


def change(before: int, after: int) -> str:
    """`-12.3 %`, or nothing where nothing has changed."""
    return f"{100 * (after - before) / before:+.1f} %" if before and after != before else ""
