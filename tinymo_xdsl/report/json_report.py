"""
A report as JSON of the schema `tinymo-report/1`.

Other programs rely on the keys: they may be added to, never renamed, removed or given another meaning. What a report
has not is absent.
"""

import json
from typing import Final, TypeAlias

from tinymo_xdsl.analysis.peak import Peak
from tinymo_xdsl.report.report import Absent, MeasuredArena, ModelledArena, Optimization, Report
from tinymo_xdsl.verify import Verification

SCHEMA: Final = "tinymo-report/1"

Json: TypeAlias = str | int | bool | dict[str, "Json"] | list["Json"]


def to_json(report: Report) -> str:
    """The JSON text, in lines, in the order of the schema."""
    model, optimization = report.model, report.optimization
    parts: dict[str, Json] = {
        "schema": SCHEMA,
        "model": {"file": model.file, "sha256": model.sha256, "ops": model.ops, "macs": model.macs},
        "before": _before(report.before, report.modelled),
    }
    arena = report.arena if optimization is None else optimization.arena
    if optimization is not None:
        parts["after"] = _after(optimization.after, optimization.modelled)
    if isinstance(arena, MeasuredArena):
        parts["tflm"] = _tflm(arena)
    if optimization is not None:
        parts |= _optimization(report, optimization)
    return f"{json.dumps(parts, indent=2, ensure_ascii=False)}\n"


def _before(peak: Peak, modelled: ModelledArena | Absent) -> dict[str, Json]:
    figures: dict[str, Json] = {"live_peak": peak.live_peak, "lower_bound": peak.lower_bound}
    if isinstance(modelled, ModelledArena):
        figures |= {"lower_bound": modelled.lower_bound, "arena": modelled.best}
    return figures | _peak_op(peak)


def _after(peak: Peak, modelled: ModelledArena | Absent) -> dict[str, Json]:
    figures: dict[str, Json] = {
        "live_peak": peak.live_peak,
        "live_peak_copies": peak.live_peak_copies,
        "lower_bound": peak.lower_bound,
    }
    if isinstance(modelled, ModelledArena):
        bound, arena, optimal = modelled.lower_bound, modelled.best, modelled.optimal
        figures |= {"lower_bound": bound, "arena": arena, "optimal": optimal}
    return figures | {"input": "resident"} | _peak_op(peak)


def _peak_op(peak: Peak) -> dict[str, Json]:
    """An operator of a `.tflite` has no name: its first output has."""
    return {} if peak.peak_kernel is None else {"peak_op": peak.peak_kernel.name}


def _tflm(arena: MeasuredArena) -> dict[str, Json]:
    return {
        "measured": True,
        "kernels": "reference",
        "head": arena.use.head,
        "tail": arena.use.tail,
        "min_arena": arena.smallest,
    }


def _optimization(report: Report, optimization: Optimization) -> dict[str, Json]:
    parts: dict[str, Json] = {
        "cost": {
            "extra_macs": optimization.model.macs - report.model.macs,
            "extra_flash": optimization.model.size - report.model.size,
        },
        "passes": [
            {"name": outcome.name, "applied": outcome.applied, "why": outcome.why} for outcome in optimization.passes
        ],
    }
    if isinstance(optimization.verification, Verification):
        parts["verify"] = _verify(optimization.verification)
    return parts


def _verify(verification: Verification) -> dict[str, Json]:
    return {
        "engine": verification.engine,
        "runs": verification.runs,
        "tensors": verification.tensors,
        "distinct_outputs": verification.distinct_outputs,
        "identical": verification.identical,
    }
