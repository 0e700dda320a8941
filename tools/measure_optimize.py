"""
Optimizes every `.tflite` file of a folder and compares the result with the original in an independent engine.

Run it by hand: `python tools/measure_optimize.py FOLDER [--runs N] [--ram SIZE]`. It prints one row of a Markdown table
for each model: the peak of activations before and after (every tensor of the file in its order, copies included),
the extra multiply-accumulates, the seconds that optimizing took, and what the comparison says. It leaves with 4 when a
model differs, and with 1 when one fails in another way; a crash in one never stops the rest.
"""

import sys
import time
from pathlib import Path

from tinymo_xdsl.backend.tflite import export_model
from tinymo_xdsl.errors import ExitStatus
from tinymo_xdsl.flatbuffer.reader import read_model
from tinymo_xdsl.flatbuffer.writer import write_model
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.search import optimize
from tinymo_xdsl.tools.command_line import ArgumentParser
from tinymo_xdsl.verify import compare_models

NOTE_LENGTH = 120


def measure(path: Path, runs: int) -> tuple[str, bool]:
    """The row of one model, and whether its outputs are identical."""
    data = path.read_bytes()
    started = time.perf_counter()
    optimized = optimize(import_model(read_model(data, path.name)))
    written = write_model(export_model(optimized.module))
    seconds = time.perf_counter() - started
    verification = compare_models(data, written, runs=runs, names=(path.name, f"{path.name}, optimized"))
    before, after = optimized.before.live_peak_copies, optimized.after.live_peak_copies
    extra = optimized.macs_after / max(optimized.macs_before, 1) - 1
    verdict = "identical" if verification.identical else f"DIFFERS: {verification.first_difference}"
    row = (
        f"| {path.stem} | {before:,} | {after:,} | {after / before:.3f} | {extra:.1%} | "
        f"{len(written) / len(data) - 1:+.1%} | {seconds:.1f} | {verdict}, {verification.tensors} tensors |"
    )
    return row, verification.identical


def main() -> int:
    """Print the table."""
    parser = ArgumentParser("measure_optimize.py", description="What `tinymo optimize` does to a folder of models.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse(sys.argv[1:])
    print("| model | peak before | peak after | ratio | extra MACs | file | seconds | outputs |")
    print("|---|--:|--:|--:|--:|--:|--:|---|")
    status = ExitStatus.OK
    for path in sorted(arguments.folder.glob("*.tflite")):
        # One bad model, or one bug, must not hide what becomes of the others.
        try:
            row, identical = measure(path, arguments.runs)
        except Exception as error:
            row, identical = f"| {path.stem} | failed: {' '.join(str(error).split())[:NOTE_LENGTH]} |", True
            status = max(status, ExitStatus.BAD_INPUT)
        if not identical:
            status = ExitStatus.OUTPUTS_DIFFER
        print(row)
        sys.stdout.flush()
    return status


if __name__ == "__main__":
    sys.exit(main())
