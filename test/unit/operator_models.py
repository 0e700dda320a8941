"""Models of one operator for the tests of the frontend, the operators and the backend; the way through the IR."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from flatbuffer_models import plain
from xdsl.dialects.builtin import ModuleOp

from tinymo_xdsl.backend.tflite import export_model
from tinymo_xdsl.flatbuffer import schema
from tinymo_xdsl.flatbuffer.model import Model, Operator, OptionValue, Quantization, Subgraph, Tensor
from tinymo_xdsl.flatbuffer.reader import read_model
from tinymo_xdsl.flatbuffer.writer import write_model
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.text.module import module_text, parse_module
from tinymo_xdsl.universe import make_context

Array = npt.NDArray[Any]

SAME, VALID = schema.Padding.SAME.value, schema.Padding.VALID.value
NONE, RELU, RELU_N1_TO_1, RELU6, TANH = (schema.ActivationFunctionType(code).value for code in range(5))


def options(table: str, **stated: OptionValue) -> tuple[str, dict[str, OptionValue]]:
    """Every field of an options table: those stated, the others at their default."""
    fields = schema.OPTIONS[table].fields
    assert set(stated) <= {field.name for field in fields}
    absent = {field.name: None if field.vector or field.type == "string" else field.default for field in fields}
    return table, absent | stated


def channels(scales: Sequence[float], dimension: int = 0) -> Quantization:
    """A scale for each channel, all zero points zero."""
    return Quantization(np.array(scales, np.float32), np.zeros(len(scales), np.int64), dimension)


def ramp(shape: Sequence[int], dtype: str = "int8", start: int = -7) -> Array:
    """An array of small numbers of which none is like its neighbour."""
    return (np.arange(int(np.prod(shape, dtype=int))) * 5 % 15 + start).astype(dtype).reshape(tuple(shape))


def constant(name: str, dtype: str, values: npt.ArrayLike, quantization: Quantization | None = None) -> Tensor:
    """A constant tensor of these numbers."""
    array = np.asarray(values).astype(schema.DATA_TYPES[dtype].numpy)
    return Tensor(name, dtype, array.shape, array.tobytes(), quantization)


def ints(name: str, *values: int, dtype: str = "INT32") -> Tensor:
    """A list of sizes or axes."""
    return constant(name, dtype, values)


def model_of(
    name: str,
    inputs: Sequence[Tensor | None],
    outputs: Sequence[Tensor],
    table: tuple[str, Mapping[str, OptionValue]] | None = None,
    **rest: Any,
) -> Model:
    """A model of one operator. Inputs without data are those of the model; `None` is an absent one."""
    present = [tensor for tensor in inputs if tensor is not None]
    positions = iter(range(len(present)))
    operator = Operator(
        name,
        tuple(-1 if tensor is None else next(positions) for tensor in inputs),
        tuple(range(len(present), len(present) + len(outputs))),
        options_type=None if table is None else table[0],
        options={} if table is None else dict(table[1]),
        **rest,
    )
    fed = tuple(index for index, tensor in enumerate(present) if tensor.data is None and not tensor.is_variable)
    return Model((Subgraph((*present, *outputs), fed, operator.outputs, (operator,), "main"),))


def from_text(text: str) -> ModuleOp:
    """The module that `text` describes, verified."""
    module = parse_module(make_context(), text.encode(), "test.mlir")
    module.verify()
    return module


def through_text(model: Model) -> Model:
    """`model` written, read, imported, printed, parsed, exported, written and read again."""
    module = import_model(read_model(write_model(model), "test"))
    module.verify()
    return read_model(write_model(export_model(from_text(module_text(module)))), "test")


def described(model: Model) -> object:
    """What a model says, wherever its tensors stand. Lists of sizes and axes, which have no scale, have no name."""

    def tensor(graph: Subgraph, index: int) -> object:
        found = graph.tensors[index] if index >= 0 else None
        is_list = found is not None and found.data is not None and found.quantization is None
        return plain(replace(found, name="") if is_list else found)

    return [
        (
            graph.name,
            [tensor(graph, index) for index in graph.inputs + graph.outputs],
            [
                (
                    {k: plain(v) for k, v in vars(operator).items() if k not in ("inputs", "outputs", "intermediates")},
                    [tensor(graph, index) for index in operator.inputs],
                    [tensor(graph, index) for index in operator.outputs],
                    [tensor(graph, index) for index in operator.intermediates],
                )
                for operator in graph.operators
            ],
        )
        for graph in model.subgraphs
    ]
