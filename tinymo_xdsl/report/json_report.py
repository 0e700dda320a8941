"""
A report as JSON of the schema `tinymo-report/1`, which `docs/report.md` describes.

Other programs rely on the keys: they may be added to, never renamed, removed or given another meaning. What a report
has not is absent.
"""

import json
from collections.abc import Sequence
from typing import Final, TypeAlias

from tinymo_xdsl.report.arena_layout import ArenaLayout, OperatorStep, PlacedBuffer
from tinymo_xdsl.report.operators import OperatorUse
from tinymo_xdsl.report.report import BestPlan, FileReport, MeasuredArena, Optimization, Report
from tinymo_xdsl.tflm.arena import ArenaNeed
from tinymo_xdsl.verification import Verification

SCHEMA: Final = "tinymo-report/1"

Json: TypeAlias = str | int | bool | dict[str, "Json"] | list["Json"]


def to_json(report: Report) -> str:
    """The JSON text, in lines, in the order of the schema."""
    model, optimization = report.original.model, report.optimization
    parts: dict[str, Json] = {
        "schema": SCHEMA,
        "model": {"file": model.file, "sha256": model.sha256, "ops": model.ops, "macs": model.macs, "size": model.size},
        "before": _file(report.original),
    }
    if optimization is not None:
        parts["after"] = _after(optimization.result)
    parts |= _tflm(report.result)
    if report.hints:
        parts["hints"] = [{"name": hint.name, "helps": hint.helps, "why": hint.why} for hint in report.hints]
    if optimization is not None:
        parts |= _optimization(report, optimization)
    return f"{json.dumps(parts, indent=2, ensure_ascii=False)}\n"


def _file(file: FileReport) -> dict[str, Json]:
    figures: dict[str, Json] = {"live_peak": file.peak.live_peak, "lower_bound": file.peak.lower_bound}
    return figures | _plan(file) | _memory(file) | _tflm(file)


def _after(file: FileReport) -> dict[str, Json]:
    figures: dict[str, Json] = {
        "live_peak": file.peak.live_peak,
        "live_peak_copies": file.peak.live_peak_copies,
        "lower_bound": file.peak.lower_bound,
    }
    return figures | _plan(file) | {"input": "resident"} | _memory(file)


def _plan(file: FileReport) -> dict[str, Json]:
    plan = file.plan
    if not isinstance(plan, BestPlan):
        return {}
    return {"lower_bound": plan.lower_bound, "arena": plan.head, "optimal": plan.optimal}


def _memory(file: FileReport) -> dict[str, Json]:
    layout = file.layout
    parts: dict[str, Json] = {
        "peak_op": layout.steps[layout.peak_index].name,
        "peak_step": layout.peak_index,
        "resolver": [use.registration for use in file.operators],
        "steps": [_step(step) for step in layout.steps],
        "buffers": [_buffer(buffer) for buffer in layout.buffers],
    }
    if file.storage:
        parts["storage"] = dict(file.storage)
    return parts


def _step(step: OperatorStep) -> Json:
    return {"operator": step.operator, "number": step.number, "name": step.name, "used": step.used}


def _buffer(buffer: PlacedBuffer) -> Json:
    return {
        "name": buffer.name,
        "kind": buffer.kind.value,
        "offset": buffer.offset,
        "size": buffer.size,
        "first": buffer.first,
        "last": buffer.last,
    }


def _tflm(file: FileReport) -> dict[str, Json]:
    """What TFLite Micro needs on this machine, and on a 32-bit target."""
    arena = file.measured
    if isinstance(arena, MeasuredArena):
        here: dict[str, Json] = {
            "measured": True,
            "kernels": "reference",
            "head": arena.use.head,
            "tail": arena.use.tail,
            "min_arena": arena.smallest,
        }
    else:
        here = _modelled(file.computer, file.layout)
    return {"tflm": here, "tflm32": _modelled(file.microcontroller, file.layout)}


def _modelled(need: ArenaNeed, layout: ArenaLayout) -> dict[str, Json]:
    return {
        "measured": False,
        "kernels": "reference",
        "head": need.head,
        "scratch": layout.scratch,
        "tail": need.tail,
        "temporary": need.temporary,
        "min_arena": need.total,
    }


def _optimization(report: Report, optimization: Optimization) -> dict[str, Json]:
    before, after = report.original.model, optimization.result.model
    cost: dict[str, Json] = {"extra_macs": after.macs - before.macs, "extra_flash": after.size - before.size}
    if spilled := optimization.result.spilled:
        cost["spill_bytes"] = spilled
    parts: dict[str, Json] = {
        "cost": cost,
        "added": _added(optimization.added),
        "registrations": [use.registration for use in optimization.unknown],
        "passes": [
            {"name": outcome.name, "applied": outcome.applied, "why": outcome.why} for outcome in optimization.passes
        ],
    }
    if isinstance(optimization.verification, Verification):
        parts["verify"] = _verify(optimization.verification)
    return parts


def _added(uses: Sequence[OperatorUse]) -> list[Json]:
    return [{"operator": use.name, "count": use.count} for use in uses]


def _verify(verification: Verification) -> dict[str, Json]:
    return {
        "engine": verification.engine,
        "runs": verification.runs,
        "tensors": verification.tensors,
        "distinct_outputs": verification.distinct_outputs,
        "identical": verification.identical,
    }
