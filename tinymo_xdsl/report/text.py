"""A report as text for one screen. Figures are labelled modelled (computed from the file) or measured (run)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from textwrap import wrap

from tinymo_xdsl.analysis.memory_table import (
    WIDTH,
    Row,
    in_bytes,
    shorten,
    sized_names,
    table_of_lines,
)
from tinymo_xdsl.report.arena_layout import ArenaLayout, BufferKind
from tinymo_xdsl.report.figures import ARENA_LINES, change, machines
from tinymo_xdsl.report.operators import OperatorUse, statements
from tinymo_xdsl.report.report import Absent, FileReport, Optimization, Report, TensorSummary
from tinymo_xdsl.verification import Verification

SCREEN = 40
"""Lines of a screen."""

_LEAST_ROWS = 4
"""Lines that a table of operators gets in any case."""
_MOST_TENSORS = 3
"""Lines for inputs, and for outputs."""
_MOST_REASON = 3
"""Lines for why a pass was applied; JSON and the page have all of it."""
_MOST_ALIVE = 5
"""Lines for what is in use at the peak."""
_LABEL = 38
_COLUMN = 10
"""Characters of a figure."""
_PERCENT = 9
_BETWEEN = 2
"""Spaces between the figures of two machines."""
_QUOTED_NAME = re.compile(r"'([^']*)'")


def analysis_text(report: Report, *, everything: bool = False) -> str:
    """What `tinymo analyze` shows. The table of operators has what fits the screen, or with `everything` all."""
    file = report.original
    model = file.model
    above = [
        *_wrapped("", f"{model.file}: {model.ops} operators, {model.macs:,} MACs, {in_bytes(model.size)}", indent=2),
        *_tensors("input", model.inputs),
        *_tensors("output", model.outputs),
        "",
        *_figures(report),
        "",
        *_peak(file.layout),
        "",
    ]
    below = ["", *_hints(report), *_resolver(file.operators)]
    return _screen(above, file.layout, below, everything=everything)


def optimization_text(report: Report) -> str:
    """What `tinymo optimize` shows: the screen of `tinymo analyze` with before and after beside each other."""
    optimization = report.optimization
    if optimization is None:
        raise ValueError("the report is of no optimization")
    result = optimization.result
    above = [
        *_wrapped("", f"{report.original.model.file} -> {result.model.file}", indent=2),
        *_changes(report, optimization),
        *_verification(optimization.verification),
        "",
        *_figures(report),
        "",
        *_peaks(report, optimization),
        "",
    ]
    below = ["", *_passes(optimization), *_added(optimization)]
    return _screen(above, result.layout, below)


def _screen(above: Sequence[str], layout: ArenaLayout, below: Sequence[str], *, everything: bool = False) -> str:
    rows = [Row(step.number, step.operator, step.used, step.name) for step in layout.steps]
    room = max(SCREEN - len(above) - len(below) - 1, _LEAST_ROWS)
    table = table_of_lines(rows, len(rows) if everything else room)
    return _joined([*above, "bytes in use while each operator runs (> the peak)", *table, *below])


def _tensors(kind: str, tensors: Sequence[TensorSummary]) -> list[str]:
    shown = tensors if len(tensors) <= _MOST_TENSORS else tensors[: _MOST_TENSORS - 1]
    lines = [f"  {kind:<6}  {entry.dtype} {_shape(entry.shape)}  {shorten(entry.name)}" for entry in shown]
    return lines + ([f"  and {rest} more {kind}s"] if (rest := len(tensors) - len(shown)) else [])


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "scalar"


def _figures(report: Report) -> Iterator[str]:
    columns = machines(report)
    titles = [f"{machine.name}, {machine.how}" for machine in columns]
    is_pair = report.optimization is not None
    widths = [max(len(title), 2 * _COLUMN + _PERCENT if is_pair else 0) + _BETWEEN for title in titles]
    title = "arena of TFLite Micro, bytes"
    yield _cells(f"{title:<{_LABEL}}", titles, widths)
    if is_pair:
        heads = f"{'before':>{_COLUMN}}{'after':>{_COLUMN}}{'':>{_PERCENT}}"
        yield _cells(" " * _LABEL, [heads] * len(columns), widths)
    for name, what, figure in ARENA_LINES:
        values = [[figure(figures) for figures in machine.files] for machine in columns]
        if name == "scratch" and not any(map(any, values)):
            continue
        cells = map(_machine_cells, values)
        yield _cells(f"{f'  {name}: {what}':<{_LABEL}}", cells, widths)
    yield from _storage(report.result)
    if isinstance(absent := report.result.measured, Absent) and absent.why != "not asked for":
        yield from wrap(f"not measured: {absent.why}", WIDTH - 2, initial_indent="  ", subsequent_indent="    ")


def _storage(file: FileReport) -> Iterator[str]:
    """What spilled tensors need besides."""
    for memory, size in file.storage:
        yield f"  storage in '{shorten(memory)}': {in_bytes(size)}; a run copies {in_bytes(file.spilled)}"


def _cells(label: str, cells: Iterable[str], widths: Sequence[int]) -> str:
    return label + "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))


def _machine_cells(values: Sequence[int | None]) -> str:
    cells = "".join(f"{'-' if value is None else f'{value:,}':>{_COLUMN}}" for value in values)
    match values:
        case [int(before), int(after)]:
            return f"{cells}{change(before, after):>{_PERCENT}}"
        case [_, _]:
            return f"{cells}{'':>{_PERCENT}}"
        case _:
            return cells


def _peak(layout: ArenaLayout) -> list[str]:
    """Where the peak is, and what is in use there."""
    return [f"peak: {layout.peak:,} bytes at {_where(layout)}", *_indented(_alive(layout, WIDTH - 2))]


def _where(layout: ArenaLayout) -> str:
    step = layout.steps[layout.peak_index]
    return f"operator {step.number}, {step.operator}"


def _alive(layout: ArenaLayout, width: int) -> list[str]:
    entries: list[tuple[str, int]] = []
    scratch = 0
    for place, buffer in enumerate(layout.at_peak):
        if buffer.kind is BufferKind.SCRATCH:
            scratch += buffer.size
        else:
            is_shared = any(map(buffer.meets, layout.at_peak[:place]))
            entries.append((f"shared: {buffer.name}" if is_shared else buffer.name, buffer.size))
    return sized_names([*entries, *([("scratch of the kernel", scratch)] if scratch else [])], width, _MOST_ALIVE)


def _peaks(report: Report, optimization: Optimization) -> list[str]:
    """Both peaks beside each other."""
    before, after = report.original.layout, optimization.result.layout
    if optimization.is_original:
        return _peak(after)
    half = WIDTH // 2 - 1
    columns = [
        [f"peak {when}: {layout.peak:,} bytes", f"  at {_where(layout)}", *_indented(_alive(layout, half - 2))]
        for when, layout in (("before", before), ("after", after))
    ]
    return [f"{shorten(one, half):<{half}}  {two}" for one, two in zip_longest(*columns, fillvalue="")]


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _hints(report: Report) -> Iterator[str]:
    if report.hints:
        yield "what would help (+ tinymo optimize may do it; spill-long-skips only with --spill)"
        width = max(len(hint.name) for hint in report.hints)
        for hint in report.hints:
            start = f"  {'+' if hint.helps else '-'} {hint.name:<{width}}  "
            yield from _wrapped(start, hint.why)


def _resolver(operators: Sequence[OperatorUse]) -> Iterator[str]:
    if operators:
        calls = " ".join(statements(operators))
        yield f"tflite::MicroMutableOpResolver<{len(operators)}> resolver;"
        yield from wrap(calls, WIDTH - 2, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)


def _changes(report: Report, optimization: Optimization) -> Iterator[str]:
    """What the file costs beside its memory."""
    if optimization.is_original:
        yield "nothing was changed: the file is the original, byte for byte; the passes below say why"
        return
    old, new = report.original.model, optimization.result.model
    yield (
        f"{old.ops} -> {new.ops} operators, {_from_to(old.macs, new.macs)} MACs,"
        f" file {_from_to(old.size, new.size)} bytes"
    )
    here = machines(report)[1]
    if here.measured and here.files[1].arena >= here.files[0].arena:
        yield from wrap(
            "warning: TFLite Micro's arena is no smaller on this machine: the operators that were added take more of"
            " the tail, or the planner wastes more, than was gained",
            WIDTH,
        )


def _from_to(before: int, after: int) -> str:
    return f"{before:,} -> {after:,}" + (f" ({percent})" if (percent := change(before, after)) else "")


def _passes(optimization: Optimization) -> Iterator[str]:
    yield "passes (+ applied, - not)"
    width = max((len(outcome.name) for outcome in optimization.passes), default=0)
    for outcome in optimization.passes:
        lines = _wrapped(f"  {'+' if outcome.applied else '-'} {outcome.name:<{width}}  ", outcome.why)
        yield from lines if len(lines) <= _MOST_REASON else [*lines[: _MOST_REASON - 1], f"{'':<{width + 6}}..."]


def _added(optimization: Optimization) -> Iterator[str]:
    if optimization.added:
        counts = ", ".join(f"{use.name} x{use.count}" for use in optimization.added)
        yield from _wrapped("operators added: ", counts)
    if optimization.unknown:
        calls = " ".join(statements(optimization.unknown))
        yield from _wrapped("a MicroMutableOpResolver needs them: ", calls)


def _wrapped(start: str, text: str, indent: int | None = None) -> list[str]:
    """`text` behind `start`, its lines one below the other unless `indent` is given; quoted names are shortened."""
    short = _QUOTED_NAME.sub(lambda name: f"'{shorten(name[1], 40)}'", text)
    below = " " * (len(start) if indent is None else indent)
    return wrap(short, WIDTH, initial_indent=start, subsequent_indent=below, break_on_hyphens=False)


def _verification(verification: Verification | Absent) -> list[str]:
    if isinstance(verification, Absent):
        return _wrapped("", f"outputs not compared: {verification.why}", indent=2)
    return [line for text in _comparison_lines(verification) for line in _wrapped("", text, indent=4)]


def verification_text(verification: Verification) -> str:
    """What `tinymo verify` shows: what a comparison of two files found, and how much that proves."""
    return _joined(_comparison_lines(verification))


def _comparison_lines(verification: Verification) -> list[str]:
    notes = [f"  note: {note}" for note in verification.notes]
    if verification.not_comparable:
        notes.append(f"  note: {verification.not_comparable} tensors of equal names differ in shape or type")
    scope = comparison_scope(verification)
    if verification.first_difference is None:
        return [f"outputs identical, bit for bit: {scope}", *notes]
    return [f"outputs differ: {verification.first_difference}", f"  compared: {scope}", *notes]


def comparison_scope(verification: Verification) -> str:
    """What was compared, and by what."""
    return (
        f"{verification.tensors} tensors, {verification.runs} runs, {verification.distinct_outputs} distinct outputs"
        f" ({verification.engine} {verification.version})"
    )


def _joined(lines: Sequence[str]) -> str:
    return "".join(f"{line.rstrip()}\n" for line in lines)
