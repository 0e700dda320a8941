"""
What happens to each operator, found out by importing models of it: the cases of `test/unit/test_operators*.py`.

Each case that becomes TOSA is tried on the other data types too, and with four axes, the shape that row stripes need.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Final

import numpy as np
from xdsl.dialects.func import FuncOp

from tinymo_xdsl.analysis.kernels import functions, kernels_of
from tinymo_xdsl.analysis.rows import row_access
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.flatbuffer.model import Model, Quantization, Tensor
from tinymo_xdsl.flatbuffer.schema import DATA_TYPES
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.planner.rows import Repeat, TransposedWindow, Window

TESTS: Final = Path(__file__).resolve().parent.parent / "test" / "unit"

BIAS: Final = {"INT8": "INT32", "UINT8": "INT32", "INT16": "INT64", "FLOAT32": "FLOAT32"}
"""The type of the accumulators' biases, by the type of the data."""

PARTIAL: Final = (Window, TransposedWindow, Repeat)
"""How a kernel reads an input of which a stripe needs some rows only."""


@dataclass(frozen=True)
class Probed:
    """What the models of one operator show."""

    dtypes: tuple[str, ...]
    """The types of data of the models that became TOSA."""
    ops: tuple[str, ...]
    """The TOSA ops that these became, constants and reshapes left out unless there is nothing else."""
    stripes: bool
    """Whether stripes of rows can be computed by themselves in one of them."""


def probe(name: str) -> Probed:
    """What the test cases of the operator `name` show, on all types of data that it takes."""
    dtypes: set[str] = set()
    ops: dict[str, None] = {}
    stripes = False
    for model in _models(name):
        function = _in_tosa(model)
        if function is None:
            continue
        dtypes.add(data_type(model))
        ops.update(dict.fromkeys(_op_names(function)))
        stripes = stripes or _runs_in_stripes(function)
    telling = [op for op in ops if op != "tosa.reshape"] or list(ops)
    return Probed(tuple(sorted(dtypes)), tuple(telling), stripes)


def data_type(model: Model) -> str:
    """The type of the first input that is not constant; that of the first output where all inputs are."""
    graph = model.subgraphs[0]
    return graph.tensors[(*graph.inputs, *graph.outputs)[0]].dtype


def _in_tosa(model: Model) -> FuncOp | None:
    """The function of a model whose operator has a meaning in TOSA; `None` for one that stays whole."""
    (function,) = functions(import_model(model))
    return None if any(isinstance(op, tosa.CustomOp) for op in function.walk()) else function


def _op_names(function: FuncOp) -> list[str]:
    return [op.name for kernel in kernels_of(function) for op in kernel.ops]


def _runs_in_stripes(function: FuncOp) -> bool:
    kernels = kernels_of(function)
    partial_reads = (isinstance(row_access(kernel, value), PARTIAL) for kernel in kernels for value in kernel.inputs)
    return len(kernels) == 1 and any(partial_reads)


def _models(name: str) -> Iterator[Model]:
    """The test cases of an operator, each followed by the same on other types and with four axes."""
    for model in _tested_models():
        if model.subgraphs[0].operators[0].name == name:
            yield model
            yield _changed(model, _with_four_axes)
            if data_type(model) == "INT8":
                for dtype in BIAS:
                    yield _changed(model, partial(_retyped, dtype=dtype))


@cache
def _tested_models() -> tuple[Model, ...]:
    sys.path.insert(0, str(TESTS))
    modules = [import_module(path.stem) for path in sorted(TESTS.glob("test_operators*.py"))]
    return tuple(case.model for module in modules for case in module.CASES)


def _changed(model: Model, change: Callable[[Tensor], Tensor]) -> Model:
    graph = model.subgraphs[0]
    return replace(model, subgraphs=(replace(graph, tensors=tuple(map(change, graph.tensors))),))


def _retyped(tensor: Tensor, dtype: str) -> Tensor:
    """A tensor of an int8 model as one of `dtype` has it. Lists of sizes and axes, which have no scale, stay."""
    scale = tensor.quantization
    if scale is None or tensor.dtype not in ("INT8", "INT32"):
        return tensor
    to = BIAS[dtype] if tensor.dtype == "INT32" else dtype
    if dtype == "INT16" and tensor.data is not None and tensor.dtype == "INT8":
        to = "INT8"
    data = None
    if tensor.data is not None:
        numbers = np.frombuffer(tensor.data, DATA_TYPES[tensor.dtype].numpy).astype(np.int64)
        data = (numbers + 128 * (to == "UINT8")).astype(DATA_TYPES[to].numpy).tobytes()
    return replace(tensor, dtype=to, data=data, quantization=_quantization(scale, to))


def _quantization(scale: Quantization, dtype: str) -> Quantization | None:
    match dtype:
        case "FLOAT32":
            return None
        case "UINT8":
            return replace(scale, zero_point=scale.zero_point + 128)
        case _:
            return replace(scale, zero_point=scale.zero_point * 0)


def _with_four_axes(tensor: Tensor) -> Tensor:
    is_data = tensor.quantization is not None or tensor.dtype.startswith("FLOAT")
    return replace(tensor, shape=(1,) * (4 - len(tensor.shape)) + tensor.shape) if is_data else tensor
