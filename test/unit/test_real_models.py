"""Real models through the IR: what comes back, and what the clean-up passes leave of them, computes the same."""

from pathlib import Path

import pytest
from flatbuffer_models import NO_MODELS, model_files
from operator_models import described
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.transforms.canonicalize import CanonicalizePass
from xdsl.transforms.common_subexpression_elimination import CommonSubexpressionElimination

from tinymo_xdsl.backend.tflite import export_model
from tinymo_xdsl.flatbuffer.model import Model, Tensor
from tinymo_xdsl.flatbuffer.reader import read_file
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.passes.fold_constants import FoldConstantsPass
from tinymo_xdsl.passes.fold_pad import FoldPadPass
from tinymo_xdsl.passes.form_kernels import FormKernelsPass
from tinymo_xdsl.passes.legalize_for_tflite import LegalizeForTflitePass
from tinymo_xdsl.verification import compare_models

CLEAN_UP: tuple[ModulePass, ...] = (CanonicalizePass(), FoldConstantsPass(casts=True), FoldPadPass())
TO_FILE: tuple[ModulePass, ...] = (FormKernelsPass(), LegalizeForTflitePass())

KINDS = ("mlperf_kws", "microwakeword", "rnnoise", "mnist_lstm", "int16x8")
"""Models that an engine runs in no time: of convolutions, state, dense layers, an LSTM, 16 bits."""

SMALL = [path for path in model_files() if any(name in path.stem for name in KINDS)]

pytestmark = pytest.mark.skipif(not model_files(), reason=NO_MODELS)


def rewritten(path: Path, passes: tuple[ModulePass, ...]) -> tuple[Model, Model]:
    """A model, and what it is after `passes`."""
    model = read_file(path)
    module: ModuleOp = import_model(model)
    for step in passes:
        step.apply(Context(), module)
        module.verify()
    return model, export_model(module)


def interface(model: Model) -> list[tuple[str, tuple[int, ...]]]:
    graph = model.subgraphs[0]
    tensors: list[Tensor] = [graph.tensors[index] for index in (*graph.inputs, *graph.outputs)]
    return [(tensor.name, tensor.shape) for tensor in tensors]


@pytest.mark.parametrize("path", model_files(), ids=lambda path: path.stem)
def test_cleaned_up_models_are_written_with_their_names(path: Path) -> None:
    before, after = rewritten(path, (*CLEAN_UP, *TO_FILE))
    assert interface(after) == interface(before)
    assert len(after.subgraphs[0].operators) <= len(before.subgraphs[0].operators)


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.stem)
def test_kernels_alone_change_nothing(path: Path) -> None:
    assert described(rewritten(path, TO_FILE)[1]) == described(rewritten(path, ())[1])


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.stem)
def test_cleaned_up_models_compute_the_same(path: Path) -> None:
    pytest.importorskip("tflite_micro", reason="tflite-micro is not installed (extra `verify`)")
    before, after = rewritten(path, (CommonSubexpressionElimination(), *CLEAN_UP, *TO_FILE))
    assert compare_models(before, after, runs=1).identical
