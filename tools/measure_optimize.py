"""
Optimizes every `.tflite` file of a folder and compares the result with the original in an independent engine.

Run it by hand: `python tools/measure_optimize.py FOLDER [--runs N] [--no-plan] [--overlap] [--spill [MEMORY]]`. It
prints one row of a Markdown table for each model: the arena that TFLite Micro needs on this machine before and after
(measured: no smaller one works), how far the model of the arena is off, the same for a 32-bit microcontroller
(modelled), activations and the least that any plan could take for them, the extra multiply-accumulates, the growth of
the file, the seconds without checks, the bytes that a run copies to a second memory and back and the storage there, and
what the comparison says. Where TFLite Micro cannot run a model its arena is not given, and LiteRT compares.
It leaves with 4 when a model differs, and with 1 when one fails in another way or gets larger; a crash in one never
stops the rest.
"""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tinymo_xdsl.errors import ExitStatus, OutputsDifferError
from tinymo_xdsl.report.optimized_file import optimize_file
from tinymo_xdsl.report.report import Absent, BestPlan, FileReport, MeasuredArena, Report
from tinymo_xdsl.search import OptimizeOptions
from tinymo_xdsl.tools.command_line import ArgumentParser
from tinymo_xdsl.verification import Verification
from tinymo_xdsl.verification.engines import ModelFile

NOTE_LENGTH = 120
COLUMNS = (
    "model",
    "arena before",
    "after",
    "ratio",
    "model off by",
    "32-bit before",
    "after",
    "activations",
    "bound",
    "peak",
    "MACs",
    "file",
    "seconds",
    "spilled",
    "outputs",
)


@dataclass(frozen=True)
class Row:
    """What a model's row says, and how well that is."""

    cells: tuple[str, ...]
    status: ExitStatus = ExitStatus.OK

    def __str__(self) -> str:
        return f"| {' | '.join(self.cells)} |"


def measure(path: Path, options: OptimizeOptions, runs: int) -> Row:
    """The row of one model."""
    file = ModelFile.read(path.name, path.read_bytes())
    started = time.perf_counter()
    optimize_file(file, path.name, options, None)
    seconds = time.perf_counter() - started
    return row_of(optimize_file(file, f"{path.name}, optimized", options, runs).report, path.stem, seconds)


def spill_cell(file: FileReport) -> str:
    """Bytes that a run copies to a second memory and back, and the storage that takes."""
    return f"{file.spilled:,} in {sum(size for _, size in file.storage):,}" if file.storage else "-"


def row_of(report: Report, name: str, seconds: float) -> Row:
    """What a report says in one row."""
    assert report.optimization is not None
    old, new = report.original, report.result
    cells = (
        name,
        *arena_cells(old.measured, new.measured),
        ", ".join(map(error_of, (old, new))),
        f"{old.microcontroller.total:,}",
        f"{new.microcontroller.total:,}",
        *plan_cells(new.plan),
        f"{new.peak.live_peak_copies:,}",
        f"{(new.model.macs / max(old.model.macs, 1) - 1):+.1%}",
        f"{new.model.size / old.model.size - 1:+.1%}",
        f"{seconds:.1f}",
        spill_cell(new),
        verdict(report.optimization.verification),
    )
    return Row(cells, ExitStatus.BAD_INPUT if is_larger(old.measured, new.measured) else ExitStatus.OK)


def is_larger(before: MeasuredArena | Absent, after: MeasuredArena | Absent) -> bool:
    """Whether more is needed than before, as far as that is known."""
    return isinstance(before, MeasuredArena) and isinstance(after, MeasuredArena) and after.smallest > before.smallest


def arena_cells(before: MeasuredArena | Absent, after: MeasuredArena | Absent) -> tuple[str, ...]:
    """Arena before, after, and the ratio."""
    if isinstance(before, Absent) or isinstance(after, Absent):
        return ("-",) * 3
    return f"{before.smallest:,}", f"{after.smallest:,}", f"{after.smallest / before.smallest:.3f}"


def error_of(file: FileReport) -> str:
    """By how much the modelled arena is off."""
    measured = file.measured
    return f"{file.computer.total / measured.smallest - 1:+.1%}" if isinstance(measured, MeasuredArena) else "-"


def plan_cells(plan: BestPlan | Absent) -> tuple[str, ...]:
    """Activations with the best plan, and their bound."""
    if isinstance(plan, Absent):
        return ("-",) * 2
    return f"{plan.head:,}", f"{plan.lower_bound:,}{', optimal' if plan.optimal else ''}"


def verdict(verification: Verification | Absent) -> str:
    """What the comparison says."""
    if isinstance(verification, Absent):
        return verification.why
    return f"identical, {verification.tensors} tensors"


def main() -> int:
    """Print the table."""
    parser = ArgumentParser("measure_optimize.py", description="What `tinymo optimize` does to a folder of models.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--no-plan", dest="plan", action="store_false")
    parser.add_argument("--overlap", action="store_true")
    parser.add_argument("--spill", nargs="?", const="psram")
    arguments = parser.parse(sys.argv[1:])
    options = OptimizeOptions(plan=arguments.plan, overlap=arguments.overlap, spill=arguments.spill)
    print(Row(COLUMNS))
    print(f"|{'---|' * len(COLUMNS)}")
    status = ExitStatus.OK
    for path in sorted(arguments.folder.glob("*.tflite")):
        # One bad model, or one bug, must not hide what becomes of the others.
        try:
            row = measure(path, options, arguments.runs)
        except OutputsDifferError as error:
            row = Row((path.stem, "DIFFERS", str(error)[:NOTE_LENGTH]), ExitStatus.OUTPUTS_DIFFER)
        except Exception as error:
            row = Row((path.stem, "failed", " ".join(str(error).split())[:NOTE_LENGTH]), ExitStatus.BAD_INPUT)
        status = max(status, row.status)
        print(row, flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
