"""Reports from models: what is in a file, and what TFLite Micro needs to run it."""

import hashlib

from xdsl.dialects.builtin import ModuleOp

from tinymo_xdsl.analysis.aliases import KernelLibrary
from tinymo_xdsl.analysis.kernels import kernels_of
from tinymo_xdsl.analysis.macs import total_macs
from tinymo_xdsl.analysis.peak import main_function, peak_of
from tinymo_xdsl.backend.tflite.plan import ModelPlanner, PlannedModel
from tinymo_xdsl.errors import MissingToolError
from tinymo_xdsl.flatbuffer.model import Subgraph
from tinymo_xdsl.flatbuffer.offline_plan import without_plan
from tinymo_xdsl.flatbuffer.spills import copied_bytes, storage_bytes
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.report.arena_layout import arena_layout
from tinymo_xdsl.report.hints import hints_for
from tinymo_xdsl.report.operators import operator_uses
from tinymo_xdsl.report.report import (
    Absent,
    BestPlan,
    FileReport,
    MeasuredArena,
    ModelSummary,
    Report,
    TensorSummary,
)
from tinymo_xdsl.search import as_written
from tinymo_xdsl.tflm.arena import BITS_32, BITS_64, arena_need
from tinymo_xdsl.verification import EngineError, arena_use, smallest_arena
from tinymo_xdsl.verification.engines import ModelFile


def analyze_file(file: ModelFile, *, measure: bool = True) -> Report:
    """
    Where the memory of a model goes.

    With `measure`, the model is run in TFLite Micro for what that needs, which is absent where TFLite Micro is not
    installed or cannot run it. Raises `BadModelError` for what cannot be imported.
    """
    module = import_unplanned(file)
    planned = ModelPlanner(as_written(module), KernelLibrary.REFERENCE).plan()
    measured = measure_arena(file) if measure else Absent("not asked for")
    original = file_report(file, module, measured, planned)
    return Report(original, hints_for(module, original.layout.head, planned))


def import_unplanned(file: ModelFile) -> ModuleOp:
    """The level-1 module of a file to look at: that it leaves the plan in the file aside is not worth a remark."""
    return import_model(without_plan(file.model))


def file_report(
    file: ModelFile, module: ModuleOp, measured: MeasuredArena | Absent, planned: PlannedModel | None
) -> FileReport:
    """The report on a file, whose level-1 module is `module` and whose best plan, if one was asked for, `planned`."""
    function = main_function(module)
    main = file.model.subgraphs[0]
    summary = ModelSummary(
        file=file.name,
        sha256=hashlib.sha256(file.data).hexdigest(),
        size=len(file.data),
        ops=len(main.operators),
        macs=total_macs(kernels_of(function)),
        inputs=_tensors(main, main.inputs),
        outputs=_tensors(main, main.outputs),
    )
    return FileReport(
        model=summary,
        peak=peak_of(function),
        layout=arena_layout(file.model),
        microcontroller=arena_need(file.model, BITS_32),
        computer=arena_need(file.model, BITS_64),
        measured=measured,
        plan=_best_plan(planned),
        operators=operator_uses(file.model),
        storage=tuple(sorted(storage_bytes(file.model).items())),
        spilled=copied_bytes(file.model),
    )


def _tensors(graph: Subgraph, indices: tuple[int, ...]) -> tuple[TensorSummary, ...]:
    tensors = (graph.tensors[index] for index in indices)
    return tuple(TensorSummary(tensor.name, tensor.dtype, tensor.shape) for tensor in tensors)


def _best_plan(planned: PlannedModel | None) -> BestPlan | Absent:
    if planned is None:
        return Absent("no plan is asked for")
    if planned.plan is None:
        return Absent(planned.why)
    return BestPlan(planned.plan.head, planned.plan.lower_bound, planned.plan.optimal)


def measure_arena(file: ModelFile) -> MeasuredArena | Absent:
    """The arena that TFLite Micro's reference kernels need on this machine, measured by running the model."""
    try:
        return MeasuredArena(arena_use(file.data, file.name), smallest_arena(file.data, file.name))
    except (EngineError, MissingToolError) as error:
        return Absent(str(error))
