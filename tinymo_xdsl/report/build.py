"""Reports from models: what is in a file, and what TFLite Micro needs to run it."""

import hashlib

from xdsl.dialects.builtin import ModuleOp

from tinymo_xdsl.analysis.aliases import KernelLibrary
from tinymo_xdsl.analysis.kernels import kernels_of
from tinymo_xdsl.analysis.macs import total_macs
from tinymo_xdsl.analysis.peak import Peak, main_function, peak_of
from tinymo_xdsl.backend.tflite.plan import ArenaPlan, ModelPlanner
from tinymo_xdsl.errors import MissingToolError
from tinymo_xdsl.flatbuffer.model import Model, Subgraph
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.report.report import Absent, MeasuredArena, ModelledArena, ModelSummary, Report, TensorSummary
from tinymo_xdsl.search import as_written
from tinymo_xdsl.tflm.arena import BITS_32, BITS_64, arena_need
from tinymo_xdsl.verify import EngineError, arena_use, smallest_arena
from tinymo_xdsl.verify.engines import ModelFile


def analyze_file(file: ModelFile, *, measure: bool = True) -> Report:
    """
    Where the memory of a model goes.

    With `measure`, the model is run in TFLite Micro for what that needs, which is absent where TFLite Micro is not
    installed or cannot run it. Raises `BadModelError` for what cannot be imported.
    """
    module = import_model(file.model)
    summary, peak = summarize(file, module)
    modelled = model_arena(file.model, ModelPlanner(as_written(module), KernelLibrary.REFERENCE).plan().plan)
    return Report(summary, peak, measure_arena(file) if measure else Absent("not asked for"), modelled)


def summarize(file: ModelFile, module: ModuleOp | None = None) -> tuple[ModelSummary, Peak]:
    """What a file is, and its memory; `module` is its level-1 module if that is at hand."""
    function = main_function(module or import_model(file.model))
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
    return summary, peak_of(function)


def _tensors(graph: Subgraph, indices: tuple[int, ...]) -> tuple[TensorSummary, ...]:
    tensors = (graph.tensors[index] for index in indices)
    return tuple(TensorSummary(tensor.name, tensor.dtype, tensor.shape) for tensor in tensors)


def model_arena(model: Model, plan: ArenaPlan | None) -> ModelledArena | Absent:
    """What TFLite Micro needs for `model`, which `plan` is the best one for."""
    if plan is None:
        return Absent("no plan was made")
    needs = (arena_need(model, BITS_32), arena_need(model, BITS_64))
    return ModelledArena(plan.head, plan.lower_bound, plan.optimal, *needs)


def measure_arena(file: ModelFile) -> MeasuredArena | Absent:
    """The arena that TFLite Micro's reference kernels need on this machine, measured by running the model."""
    try:
        return MeasuredArena(arena_use(file.data, file.name), smallest_arena(file.data, file.name))
    except (EngineError, MissingToolError) as error:
        return Absent(str(error))
