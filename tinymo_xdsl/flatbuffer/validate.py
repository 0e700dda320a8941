"""What must hold in a `Model` so that the rest of the program may rely on it."""

import math
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from typing import NoReturn

import numpy as np

from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.flatbuffer.model import Model, Operator, Quantization, Signature, Subgraph, Tensor, label
from tinymo_xdsl.flatbuffer.schema import BUILTIN_OPERATORS, DATA_TYPES, OPTIONS

_MOST_DIMENSIONS = 32
_MOST_BYTES = 2**31 - 1


def validate(model: Model, source: str = "<model>") -> None:
    """
    Check indices, shapes, sizes of constants and the order of execution; `source` names the model in messages.

    After it, all indices are in range, a tensor has at most one origin (an input, a constant, a variable or one
    operator), an operator reads only what earlier ones wrote, and subgraphs do not call each other in a circle.
    A leading dimension of -1, a batch of any size, is left to the caller. Raises `BadModelError`.
    """
    check = _Check(model, source)
    if not model.subgraphs or not model.subgraphs[0].operators:
        check.refuse("the model has no operators; there is nothing to do")
    for index, graph in enumerate(model.subgraphs):
        check.subgraph(graph, "" if len(model.subgraphs) == 1 else f"subgraph {index}: ")
    check.calls()
    for index, signature in enumerate(model.signatures):
        check.signature(signature, label("signature", index, signature.key))


def _tensor_label(graph: Subgraph, index: int) -> str:
    return label("tensor", index, graph.tensors[index].name)


def _operator_label(operator: Operator, index: int) -> str:
    return label("operator", index, operator.name)


def called_subgraphs(operator: Operator) -> Iterator[int]:
    """The subgraphs that `operator` runs, as its options name them."""
    if operator.options_type is None:
        return
    for field in OPTIONS[operator.options_type].fields:
        value = operator.options.get(field.name)
        if field.refers_to_subgraph and isinstance(value, int):
            yield value
        elif field.refers_to_subgraph and isinstance(value, tuple):
            yield from (int(index) for index in value)


class _Check:
    def __init__(self, model: Model, source: str):
        self.model = model
        self.source = source

    def refuse(self, problem: str) -> NoReturn:
        raise BadModelError(f"{self.source}: {problem}")

    def indices(self, where: str, indices: Iterable[int], count: int, lowest: int = 0) -> None:
        for index in indices:
            if not lowest <= index < count:
                self.refuse(f"{where} refers to tensor {index}, but there are {count}; the file is damaged")

    def subgraph(self, graph: Subgraph, prefix: str) -> None:
        count = len(graph.tensors)
        for index, tensor in enumerate(graph.tensors):
            self.tensor(tensor, f"{prefix}{_tensor_label(graph, index)}")
        self.indices(f"{prefix}the list of inputs", graph.inputs, count)
        self.indices(f"{prefix}the list of outputs", graph.outputs, count)
        for index, operator in enumerate(graph.operators):
            self.operator(operator, count, f"{prefix}{_operator_label(operator, index)}")
        self.order(graph, prefix)

    def tensor(self, tensor: Tensor, where: str) -> None:
        if tensor.dtype not in DATA_TYPES:
            self.refuse(f"{where}: {tensor.dtype!r} is not a data type of the schema")
        dtype = DATA_TYPES[tensor.dtype]
        sizes = tensor.shape[1:] if tensor.shape[:1] == (-1,) else tensor.shape
        shape = "x".join(map(str, tensor.shape[:_MOST_DIMENSIONS]))
        if any(size < 0 for size in sizes):
            self.refuse(f"{where} has a negative dimension in its shape {shape}; only a batch may be left open, as -1")
        most = 8 * _MOST_BYTES // (dtype.bits or 8)
        if len(sizes) > _MOST_DIMENSIONS or max(sizes, default=0) > most or math.prod(sizes) > most:
            self.refuse(f"{where} has an absurd shape, {shape}; a tensor takes at most 2 GiB")
        if any(not -1 <= size <= _MOST_BYTES for size in tensor.shape_signature or ()):
            self.refuse(f"{where} has a dimension in its shape signature that is neither a size nor -1, for any size")
        size = dtype.size(math.prod(sizes))
        if tensor.data is not None and size is not None and (len(tensor.data) != size or sizes != tensor.shape):
            problem = f"{len(tensor.data)} bytes of data, but its shape {shape} of {tensor.dtype} takes {size}"
            self.refuse(f"{where} has {problem}; the file is damaged")
        if tensor.quantization is not None:
            self.quantization(tensor.quantization, tensor.shape, where)

    def quantization(self, quantization: Quantization, shape: tuple[int, ...], where: str) -> None:
        scales, zero_points = quantization.scale.size, quantization.zero_point.size
        if zero_points not in (0, 1, scales):
            self.refuse(f"{where} has {scales} scales but {zero_points} zero points; the file is damaged")
        if not np.isfinite(quantization.scale).all():
            self.refuse(f"{where} has a scale that is not a finite number; the file is damaged")
        # Biases exist whose `dimension` is that of the weights, so any dimension that fits will do.
        if scales > 1 and scales not in shape:
            self.refuse(f"{where} has {scales} scales, but no dimension of that size; the file is damaged")

    def operator(self, operator: Operator, tensors: int, where: str) -> None:
        self.indices(where, operator.inputs, tensors, lowest=-1)
        self.indices(where, operator.outputs, tensors)
        self.indices(where, operator.intermediates, tensors, lowest=-1)
        if not operator.name or not (operator.custom or operator.name in BUILTIN_OPERATORS):
            self.refuse(f"{where} is not an operator of the schema; mark it as custom")
        if len(operator.mutating_variable_inputs) not in (0, len(operator.inputs)):
            self.refuse(f"{where}: the list of inputs that change is not as long as the inputs; the file is damaged")
        if operator.options_type is not None and operator.options_type not in OPTIONS:
            self.refuse(f"{where}: {operator.options_type!r} is not an options table of the schema")
        for index in called_subgraphs(operator):
            if not 0 <= index < len(self.model.subgraphs):
                count = len(self.model.subgraphs)
                self.refuse(f"{where} calls subgraph {index}, but there are {count}; the file is damaged")

    def order(self, graph: Subgraph, prefix: str) -> None:
        """Each tensor has one origin, which comes before all uses."""
        ready = self.origins(graph, prefix)
        writer: dict[int, str] = {}
        for position, operator in enumerate(graph.operators):
            for index in operator.outputs:
                where = _operator_label(operator, position)
                if index in writer or index in ready:
                    origin = writer.get(index, "it is an input, a constant or a variable")
                    self.refuse(f"{prefix}{where} writes {_tensor_label(graph, index)} a second time; {origin}")
                writer[index] = f"{where} writes it"
        for position, operator in enumerate(graph.operators):
            for index in operator.inputs:
                if index not in ready and index != -1:
                    where = f"{prefix}{_operator_label(operator, position)} reads {_tensor_label(graph, index)}"
                    if index in writer:
                        self.refuse(f"{where} before {writer[index]}; the graph is cyclic or out of order")
                    self.refuse(f"{where}, which nothing writes; the file is damaged")
            ready.update(operator.outputs)
        for index in graph.outputs:
            if index not in ready:
                self.refuse(f"{prefix}nothing writes the output {_tensor_label(graph, index)}; the file is damaged")

    def origins(self, graph: Subgraph, prefix: str) -> set[int]:
        """The tensors that have a value before the first operator runs."""
        inputs: set[int] = set()
        for index in graph.inputs:
            where = f"{prefix}input {_tensor_label(graph, index)}"
            if index in inputs:
                self.refuse(f"{where} is listed twice; the file is damaged")
            if graph.tensors[index].data is not None:
                self.refuse(f"{where} is also a constant; the file is damaged")
            inputs.add(index)
        tensors = enumerate(graph.tensors)
        return inputs | {index for index, tensor in tensors if tensor.data is not None or tensor.is_variable}

    def calls(self) -> None:
        """No subgraph calls itself, not even by way of others."""
        callees = {
            caller: [callee for operator in graph.operators for callee in called_subgraphs(operator)]
            for caller, graph in enumerate(self.model.subgraphs)
        }
        try:
            TopologicalSorter(callees).prepare()
        except CycleError as error:
            circle = " -> ".join(map(str, error.args[1][:10]))
            self.refuse(f"subgraphs call each other in a circle: {circle}; the file is damaged")

    def signature(self, signature: Signature, where: str) -> None:
        if not 0 <= signature.subgraph < len(self.model.subgraphs):
            count = len(self.model.subgraphs)
            self.refuse(f"{where} refers to subgraph {signature.subgraph}, but there are {count}; the file is damaged")
        count = len(self.model.subgraphs[signature.subgraph].tensors)
        self.indices(where, (index for _, index in signature.inputs + signature.outputs), count)
