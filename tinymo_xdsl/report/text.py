"""A report as text for one screen. Figures are labelled modelled (computed from the graph) or measured (run)."""

import re
from collections.abc import Sequence

from tinymo_xdsl.analysis.memory_table import in_bytes, peak_lines, shorten, table_lines
from tinymo_xdsl.flatbuffer.model import Model
from tinymo_xdsl.report.operators import OperatorUse, new_registrations
from tinymo_xdsl.report.report import Absent, MeasuredArena, ModelledArena, Optimization, Report, TensorSummary
from tinymo_xdsl.search import PassOutcome
from tinymo_xdsl.verify import Verification

_INDENT = "  "
_QUOTED_NAME = re.compile(r"'([^']*)'")


def analysis_text(report: Report, rows: int | None = None) -> str:
    """What `tinymo analyze` shows; `rows` limits the table of operators, which by default fits a screen."""
    model, peak = report.model, report.before
    lines = [
        f"{model.file}: {model.ops} operators, {model.macs:,} MACs, file of {in_bytes(model.size)}",
        *_tensors("input", model.inputs),
        *_tensors("output", model.outputs),
        "",
        "memory of activations in file order (modelled)",
        f"  live peak    {in_bytes(peak.live_peak)}",
        *_plan(report),
        *_indented(peak_lines(peak)),
        "",
        *_arena(report.arena),
        "",
        "operators and the bytes that are alive while they run",
        *table_lines(peak, rows),
    ]
    return _joined(lines)


def _plan(report: Report) -> list[str]:
    modelled = report.modelled
    if isinstance(modelled, Absent):
        bound = in_bytes(report.before.lower_bound)
        return [f"  lower bound  {bound}: no arena plan for this order of operators takes less"]
    proof = ", and no plan takes less" if modelled.optimal else ""
    return [
        f"  lower bound  {in_bytes(modelled.lower_bound)}: no arena plan for this order of operators takes less",
        f"  arena        {in_bytes(modelled.best)} with the best plan{proof}",
    ]


def _tensors(kind: str, tensors: Sequence[TensorSummary]) -> list[str]:
    return [f"  {kind:<6}  {entry.dtype} {_shape(entry.shape)}  {shorten(entry.name)}" for entry in tensors]


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "scalar"


def _arena(arena: MeasuredArena | Absent) -> list[str]:
    title = "arena of TFLite Micro, reference kernels on this machine (measured)"
    if isinstance(arena, Absent):
        return [f"{title}: absent, {arena.why}"]
    use = arena.use
    return [
        title,
        f"  head         {in_bytes(use.head)}: activations and scratch",
        f"  tail         {in_bytes(use.tail)}: persistent structures, less where pointers have 32 bits",
        f"  smallest     {in_bytes(arena.smallest)}: the smallest arena that the model runs in",
    ]


def optimization_text(report: Report, original: Model) -> str:
    """What `tinymo optimize` shows; `original` is the model as it came."""
    optimization = report.optimization
    if optimization is None:
        raise ValueError("the report is of no optimization")
    lines = [
        f"{report.model.file} -> {optimization.model.file}",
        *_verdict(report, optimization),
        "",
        *_comparison(report, optimization),
        "",
        *_peak_after(optimization),
        *_added(original, optimization.added),
        "passes",
        *(f"  {outcome.name}: {_outcome(outcome)}" for outcome in optimization.passes),
        *_verification(optimization.verification),
    ]
    return _joined(lines)


def _verdict(report: Report, optimization: Optimization) -> list[str]:
    if optimization.is_original:
        return ["nothing was changed: the file is the original, byte for byte; the passes below say why"]
    before, after = report.arena, optimization.arena
    if isinstance(before, MeasuredArena) and isinstance(after, MeasuredArena) and after.smallest >= before.smallest:
        return [
            "warning: the peak is lower, but the arena of TFLite Micro is not, on this machine: the operators that were"
            " added take more of the tail, or the planner wastes more, than was gained"
        ]
    return []


def _comparison(report: Report, optimization: Optimization) -> list[str]:
    before, after = report.before, optimization.after
    lines = [
        f"  {'':<32} {'before':>13} {'after':>13}",
        _change("live peak, bytes (modelled)", before.live_peak_copies, after.live_peak_copies),
        *_modelled(report, optimization),
    ]
    match report.arena, optimization.arena:
        case MeasuredArena() as old, MeasuredArena() as new:
            lines += [
                _change("TFLM head, bytes (measured)", old.use.head, new.use.head),
                _change("TFLM tail, bytes (measured)", old.use.tail, new.use.tail),
                _change("TFLM arena, bytes (measured)", old.smallest, new.smallest),
            ]
        case (Absent(why), _) | (_, Absent(why)):
            lines.append(f"  TFLM arena: not measured, {why}")
    return [
        *lines,
        _change("operators", report.model.ops, optimization.model.ops),
        _change("multiply-accumulates", report.model.macs, optimization.model.macs),
        _change("file, bytes", report.model.size, optimization.model.size),
    ]


def _modelled(report: Report, optimization: Optimization) -> list[str]:
    match report.modelled, optimization.modelled:
        case ModelledArena() as old, ModelledArena() as new:
            return [
                _change("lower bound, bytes (modelled)", old.lower_bound, new.lower_bound),
                _change("best plan, bytes (modelled)", old.best, new.best),
                _change("TFLM arena, 32-bit (modelled)", old.microcontroller.total, new.microcontroller.total),
            ]
        case _:
            before, after = report.before, optimization.after
            return [_change("lower bound, bytes (modelled)", before.lower_bound, after.lower_bound)]


def _change(what: str, before: int, after: int) -> str:
    percent = f"{100 * (after - before) / before:+.1f} %" if before and after != before else ""
    return f"  {what:<32} {before:>13,} {after:>13,} {percent:>9}".rstrip()


def _peak_after(optimization: Optimization) -> list[str]:
    return [] if optimization.is_original else peak_lines(optimization.after)


def _added(original: Model, added: Sequence[OperatorUse]) -> list[str]:
    if not added:
        return []
    calls = new_registrations(original, added)
    counts = ", ".join(f"{use.name} x{use.count}" for use in added)
    register = [f"  a MicroMutableOpResolver needs them: {' '.join(f'{call};' for call in calls)}"] if calls else []
    return [f"operators added: {counts}", *register]


def _outcome(outcome: PassOutcome) -> str:
    why = _QUOTED_NAME.sub(lambda name: f"'{shorten(name[1])}'", outcome.why)
    return f"{'applied' if outcome.applied else 'not applied'}, {why}"


def _verification(verification: Verification | Absent) -> list[str]:
    if isinstance(verification, Absent):
        return [f"outputs not compared: {verification.why}"]
    return _comparison_lines(verification)


def verification_text(verification: Verification) -> str:
    """What `tinymo verify` shows: what a comparison of two files found, and how much that proves."""
    return _joined(_comparison_lines(verification))


def _comparison_lines(verification: Verification) -> list[str]:
    notes = [f"  note: {note}" for note in verification.notes]
    if verification.not_comparable:
        notes.append(f"  note: {verification.not_comparable} tensors of equal names differ in shape or type")
    scope = (
        f"{verification.tensors} tensors, {verification.runs} runs, {verification.distinct_outputs} distinct outputs"
        f" ({verification.engine} {verification.version})"
    )
    if verification.first_difference is None:
        return [f"outputs identical, bit for bit: {scope}", *notes]
    return [f"outputs differ: {verification.first_difference}", f"  compared: {scope}", *notes]


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"{_INDENT}{line}" for line in lines]


def _joined(lines: Sequence[str]) -> str:
    return "".join(f"{line.rstrip()}\n" for line in lines)
