"""
Does to every `.tflite` file of a folder what this project can do, and writes down what becomes of it.

    python tools/sweep_models.py FOLDER [-o results.jsonl] [--jobs 1] [--all]

Each model goes through the reader and the writer, through the IR and its text, through each pass alone, and through
`optimize`. Files are compared in an independent engine, passes in the interpreter, which skips large models without
`--all`. Each model has a process of its own with a time limit, so that one cannot stop the rest, and takes one line of
JSON in the results. Models that are in there with the same content and version of this project are not done again.
The exit status is 4 when something differs, and 1 when something failed in another way.

Given one file in place of a folder, it prints a line of JSON for each check.
"""

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TypeAlias

from round_trip import NOTE_LENGTH, TRIPS
from xdsl.dialects.builtin import ModuleOp
from xdsl.universe import Universe

import tinymo_xdsl
from tinymo_xdsl.analysis.kernels import functions, kernels_of
from tinymo_xdsl.analysis.macs import total_macs
from tinymo_xdsl.errors import ExitStatus, OutputsDifferError, TinymoError
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.interpreter.executor import run_function
from tinymo_xdsl.interpreter.semantics import check_same, random_inputs
from tinymo_xdsl.report.optimized_file import optimize_file
from tinymo_xdsl.report.report import Absent
from tinymo_xdsl.search import OptimizeOptions
from tinymo_xdsl.text.diagnostics import verify_module
from tinymo_xdsl.tools.command_line import ArgumentParser
from tinymo_xdsl.tools.pass_options import make_pass, parse_pass_list
from tinymo_xdsl.universe import make_context
from tinymo_xdsl.verification import compare_models
from tinymo_xdsl.verification.engines import ModelFile

PASSES = (
    "fold-pad",
    "fold-constants",
    "canonicalize",
    "split-sepconv",
    "split-sepconv{chains=any}",
    "spill-long-skips",
    "schedule",
    "form-kernels",
    "form-kernels,legalize-for-tflite",
)
"""Each pass alone, with what it needs before it, in the grammar of `tinymo-opt -p`."""

INTERPRETED_MACS = 2_000_000_000
"""Models of more multiply-accumulates take the interpreter too long."""


class Outcome(StrEnum):
    """What became of a model in one check."""

    IDENTICAL = "identical"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    DIFFERENT = "different"
    FAILED = "failed"


@dataclass(frozen=True)
class Check:
    """One thing that was done to a model."""

    name: str
    outcome: Outcome
    details: str
    """One line."""
    seconds: float


@dataclass(frozen=True)
class Sweep:
    """Everything that was done to a model: a line of the results."""

    model: str
    sha256: str
    version: str
    checks: tuple[Check, ...]

    @staticmethod
    def parse(line: str) -> "Sweep":
        """Read what `to_json` wrote."""
        fields = json.loads(line)
        return Sweep(**fields | {"checks": tuple(parse_check(check) for check in fields["checks"])})

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))


def parse_check(fields: dict[str, str | float]) -> Check:
    """A check from its JSON."""
    return Check(str(fields["name"]), Outcome(fields["outcome"]), str(fields["details"]), float(fields["seconds"]))


Finding: TypeAlias = tuple[Outcome, str]
"""The outcome of a check, and the details."""


@dataclass(frozen=True)
class Checker:
    """The checks of one model."""

    path: Path
    runs: int
    macs_limit: int | None

    def checks(self) -> Iterator[Check]:
        """Each check when it is done."""
        for name, trip in TRIPS:
            yield self._check(f"round trip: {name}", partial(self._travel, trip))
        # What cannot be imported has failed on the trip through text.
        with suppress(TinymoError):
            module = import_model(self._read().model)
            refusal = self._why_not_interpreted(module)
            for spec in PASSES:
                yield self._check(spec, partial(self._apply, spec, module, refusal))
        yield self._check("optimize", self._optimize)

    def _check(self, name: str, body: Callable[[], Finding]) -> Check:
        started = time.perf_counter()
        # One bug must not hide what the other checks find.
        try:
            outcome, details = body()
        except OutputsDifferError as error:
            outcome, details = Outcome.DIFFERENT, str(error)
        except Exception as error:
            kind = "" if isinstance(error, TinymoError) else f"{type(error).__name__}: "
            outcome, details = Outcome.FAILED, f"{kind}{error}"
        return Check(name, outcome, " ".join(details.split())[:NOTE_LENGTH], round(time.perf_counter() - started, 2))

    def _read(self) -> ModelFile:
        return ModelFile.read(self.path.name, self.path.read_bytes())

    def _travel(self, trip: Callable[[bytes, str], bytes]) -> Finding:
        data = self.path.read_bytes()
        names = (self.path.name, f"{self.path.name} after the trip")
        verification = compare_models(data, trip(data, self.path.name), runs=self.runs, names=names)
        return (Outcome.IDENTICAL if verification.identical else Outcome.DIFFERENT), str(verification)

    def _why_not_interpreted(self, module: ModuleOp) -> str | None:
        main = next(functions(module))
        macs = total_macs(kernels_of(main))
        if self.macs_limit is not None and macs > self.macs_limit:
            return f"{macs / 1e6:.0f} M multiply-accumulates are too many for the interpreter; --all runs it"
        try:
            run_function(module, random_inputs(main), main.sym_name.data)
        except TinymoError as error:
            return str(error)
        return None

    def _apply(self, spec: str, module: ModuleOp, refusal: str | None) -> Finding:
        available = Universe.get_multiverse().all_passes
        changed = module.clone()
        for requested in parse_pass_list(spec):
            make_pass(available[requested.name](), requested).apply(make_context(), changed)
        verify_module(changed, self.path.name, f"after pass '{spec}': ")
        if changed.is_structurally_equivalent(module):
            return Outcome.UNCHANGED, ""
        if refusal is not None:
            return Outcome.SKIPPED, refusal
        check_same(module, changed, pass_name=f"pass '{spec}'")
        return Outcome.IDENTICAL, ""

    def _optimize(self) -> Finding:
        report = optimize_file(self._read(), "the optimized model", OptimizeOptions(), self.runs).report
        result = report.optimization
        assert result is not None
        if result.is_original:
            return Outcome.UNCHANGED, "nothing lowers the peak"
        peaks = f"peak {report.original.peak.live_peak_copies} -> {report.result.peak.live_peak_copies}"
        if isinstance(result.verification, Absent):
            return Outcome.SKIPPED, f"{peaks}; not compared: {result.verification.why}"
        return Outcome.IDENTICAL, f"{peaks}; {result.verification}"


def in_a_process(path: Path, options: argparse.Namespace) -> Sweep:
    """All checks of a file, by a child of this process, which may crash or take too long."""
    command = [sys.executable, __file__, str(path), "--runs", str(options.runs), *(["--all"] if options.all else [])]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    started = time.perf_counter()
    try:
        output, errors = process.communicate(timeout=options.time_limit)
        died = "" if process.returncode == 0 else f"exit status {process.returncode}: {errors[-NOTE_LENGTH:]}"
    except subprocess.TimeoutExpired:
        # The child's own children, engines among them, are in its session.
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        died = f"stopped after {options.time_limit:g} s"
    checks = [parse_check(json.loads(line)) for line in output.splitlines()]
    if died:
        seconds = round(time.perf_counter() - started, 2)
        checks.append(Check("process", Outcome.FAILED, " ".join(died.split()), seconds))
    return Sweep(path.stem, digest(path), tinymo_xdsl.__version__, tuple(checks))


def digest(path: Path) -> str:
    """What tells one content from another."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def sweep_folder(options: argparse.Namespace, paths: list[Path]) -> list[Sweep]:
    """The sweeps of all files, those that were done before included."""
    lines = options.output.read_text().splitlines() if options.output.exists() else []
    known = {(sweep.sha256, sweep.version): sweep for sweep in map(Sweep.parse, lines)}
    keys = {path: (digest(path), tinymo_xdsl.__version__) for path in paths}
    missing = [path for path in paths if keys[path] not in known]
    if len(missing) < len(paths):
        print(f"{len(paths) - len(missing)} of {len(paths)} models are in {options.output} already", file=sys.stderr)
    with options.output.open("a") as results, ThreadPoolExecutor(options.jobs) as pool:
        for path, sweep in zip(missing, pool.map(partial(in_a_process, options=options), missing), strict=True):
            known[keys[path]] = sweep
            print(sweep.to_json(), file=results, flush=True)
            print_sweep(sweep)
    return [known[keys[path]] for path in paths]


def print_sweep(sweep: Sweep) -> None:
    """One line, and one more for each check that needs attention."""
    counts = Counter(check.outcome for check in sweep.checks)
    seconds = sum(check.seconds for check in sweep.checks)
    print(f"{sweep.model}: {in_words(counts)}; {seconds:.0f} s")
    print_details([sweep], (Outcome.DIFFERENT, Outcome.FAILED, Outcome.SKIPPED))
    sys.stdout.flush()


def print_details(sweeps: Iterable[Sweep], outcomes: tuple[Outcome, ...]) -> None:
    """The checks with one of `outcomes`, those with the same details on one line."""
    for sweep in sweeps:
        names: dict[tuple[Outcome, str], list[str]] = {}
        for check in sweep.checks:
            if check.outcome in outcomes:
                names.setdefault((check.outcome, check.details), []).append(check.name)
        for (outcome, details), checks in names.items():
            print(f"  {outcome}: {sweep.model}: {', '.join(checks)}: {details}")


def print_summary(sweeps: list[Sweep]) -> None:
    """The counts of each check, then everything that is wrong."""
    counts: dict[str, Counter[Outcome]] = {}
    for check in (check for sweep in sweeps for check in sweep.checks):
        counts.setdefault(check.name, Counter())[check.outcome] += 1
    print(f"{len(sweeps)} models")
    for name, outcomes in counts.items():
        print(f"  {name}: {in_words(outcomes)}")
    print_details(sweeps, (Outcome.DIFFERENT, Outcome.FAILED))


def in_words(counts: Counter[Outcome]) -> str:
    """`22 identical, 1 skipped`."""
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome])


def main() -> int:
    """Sweep a folder, or one file."""
    parser = ArgumentParser("sweep_models.py", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("results.jsonl"))
    parser.add_argument("--jobs", type=int, default=1, help="models at a time")
    parser.add_argument("--runs", type=int, default=3, help="inputs to compare files on")
    parser.add_argument("--time-limit", type=float, default=1200, help="seconds for one model")
    parser.add_argument("--all", action="store_true", help="interpret large models too")
    options = parser.parse(sys.argv[1:])
    if options.folder.is_file():
        for check in Checker(options.folder, options.runs, None if options.all else INTERPRETED_MACS).checks():
            print(json.dumps(asdict(check)), flush=True)
        return ExitStatus.OK
    paths = sorted(options.folder.glob("*.tflite"))
    if not paths:
        parser.error(f"{options.folder}: no .tflite file in this folder")
    sweeps = sweep_folder(options, paths)
    print_summary(sweeps)
    outcomes = {check.outcome for sweep in sweeps for check in sweep.checks}
    if Outcome.DIFFERENT in outcomes:
        return ExitStatus.OUTPUTS_DIFFER
    return ExitStatus.BAD_INPUT if Outcome.FAILED in outcomes else ExitStatus.OK


if __name__ == "__main__":
    sys.exit(main())
