"""
Sends every `.tflite` file of a folder through the reader and the writer, and through the IR and its text.

Run it by hand: `python tools/round_trip.py FOLDER [--runs N] [--seed S]`. What comes back must compute the same values.
It leaves with 4 when a model differs, and with 1 when one fails in another way.
"""

import sys
from collections import Counter
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from tinymo_xdsl.errors import ExitStatus, TinymoError
from tinymo_xdsl.flatbuffer.reader import read_model
from tinymo_xdsl.flatbuffer.writer import write_model
from tinymo_xdsl.tools.command_line import ArgumentParser
from tinymo_xdsl.tools.tinymo_translate import mlir_to_tflite, tflite_to_mlir
from tinymo_xdsl.verification import compare_models

NOTE_LENGTH = 200


class Outcome(Enum):
    """What became of a model on a trip."""

    IDENTICAL = "identical"
    DIFFERENT = "different"
    FAILED = "failed"


def through_file(data: bytes, name: str) -> bytes:
    """Read and write."""
    return write_model(read_model(data, name))


def through_text(data: bytes, name: str) -> bytes:
    """Import, print, parse and export."""
    return mlir_to_tflite(tflite_to_mlir(data, name).encode(), name)


TRIPS: tuple[tuple[str, Callable[[bytes, str], bytes]], ...] = (("file", through_file), ("text", through_text))


def travel(path: Path, trip: Callable[[bytes, str], bytes], runs: int, seed: int) -> tuple[Outcome, str]:
    """How a file comes back from a trip, and the details in one line."""
    try:
        data = path.read_bytes()
        names = (path.name, f"{path.name} after the trip")
        verification = compare_models(data, trip(data, path.name), runs=runs, seed=seed, names=names)
    # One bad model, or one bug, must not hide what becomes of the others.
    except Exception as error:
        kind = "" if isinstance(error, TinymoError) else f"{type(error).__name__}: "
        return Outcome.FAILED, kind + " ".join(str(error).split())[:NOTE_LENGTH]
    return (Outcome.IDENTICAL if verification.identical else Outcome.DIFFERENT), str(verification)


def main() -> int:
    """Print a line for each model and trip, then the counts."""
    parser = ArgumentParser(
        "round_trip.py", description="Round trips of .tflite files, compared in an independent engine."
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse(sys.argv[1:])
    counts: Counter[tuple[str, Outcome]] = Counter()
    paths = sorted(arguments.folder.glob("*.tflite"))
    if not paths:
        parser.error(f"{arguments.folder}: no .tflite file in this folder")
    for path in paths:
        for trip_name, trip in TRIPS:
            outcome, details = travel(path, trip, arguments.runs, arguments.seed)
            counts[trip_name, outcome] += 1
            print(f"{path.stem}: {trip_name}: {details if outcome is not Outcome.FAILED else f'failed: {details}'}")
            sys.stdout.flush()
    for trip_name, _ in TRIPS:
        print(f"{trip_name}:", ", ".join(f"{counts[trip_name, outcome]} {outcome.value}" for outcome in Outcome))
    outcomes = {outcome for _, outcome in counts}
    if Outcome.DIFFERENT in outcomes:
        return ExitStatus.OUTPUTS_DIFFER
    return ExitStatus.OK if outcomes == {Outcome.IDENTICAL} else ExitStatus.BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
