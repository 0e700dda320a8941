"""Reports from models: what is in a file, and what TFLite Micro needs to run it."""

import hashlib

from tinymo_xdsl.analysis.kernels import kernels_of
from tinymo_xdsl.analysis.macs import total_macs
from tinymo_xdsl.analysis.peak import main_function, peak_of
from tinymo_xdsl.errors import MissingToolError
from tinymo_xdsl.flatbuffer.model import Subgraph
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.report.report import Absent, MeasuredArena, ModelSummary, Report, TensorSummary
from tinymo_xdsl.verify import EngineError, arena_use, smallest_arena
from tinymo_xdsl.verify.engines import ModelFile


def analyze_file(file: ModelFile, *, measure: bool = True) -> Report:
    """
    Where the memory of a model goes.

    With `measure`, the model is run in TFLite Micro for what that needs, which is absent where TFLite Micro is not
    installed or cannot run it. Raises `BadModelError` for what cannot be imported.
    """
    function = main_function(import_model(file.model))
    summary = summarize(file, total_macs(kernels_of(function)))
    return Report(summary, peak_of(function), measure_arena(file) if measure else Absent("not asked for"))


def summarize(file: ModelFile, macs: int) -> ModelSummary:
    """What a file is."""
    main = file.model.subgraphs[0]
    return ModelSummary(
        file=file.name,
        sha256=hashlib.sha256(file.data).hexdigest(),
        size=len(file.data),
        ops=len(main.operators),
        macs=macs,
        inputs=_tensors(main, main.inputs),
        outputs=_tensors(main, main.outputs),
    )


def _tensors(graph: Subgraph, indices: tuple[int, ...]) -> tuple[TensorSummary, ...]:
    tensors = (graph.tensors[index] for index in indices)
    return tuple(TensorSummary(tensor.name, tensor.dtype, tensor.shape) for tensor in tensors)


def measure_arena(file: ModelFile) -> MeasuredArena | Absent:
    """The arena that TFLite Micro's reference kernels need on this machine, measured by running the model."""
    try:
        return MeasuredArena(arena_use(file.data, file.name), smallest_arena(file.data, file.name))
    except (EngineError, MissingToolError) as error:
        return Absent(str(error))
