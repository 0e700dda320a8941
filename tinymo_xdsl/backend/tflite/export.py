"""
Modules to models: one operator for each kernel, one tensor for each value in memory.

Works on level 2, and on level 1 as far as each kernel is one operator of the file; `legalize-for-tflite` makes it so.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, DictionaryAttr, ModuleOp, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, SSAValue

from tinymo_xdsl.analysis.kernels import Kernel, functions, kernels_of
from tinymo_xdsl.analysis.liveness import is_variable
from tinymo_xdsl.backend.tflite.spill_storage import plan_storage
from tinymo_xdsl.dialects import tinymo
from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.fact_entries import FactReader
from tinymo_xdsl.facts import MODEL_KEY, TENSOR_KEY, TensorFacts, name_of, subgraph_facts, tensor_facts
from tinymo_xdsl.flatbuffer import schema
from tinymo_xdsl.flatbuffer.model import (
    Metadata,
    Model,
    Operator,
    Quantization,
    Signature,
    Subgraph,
    Tensor,
)
from tinymo_xdsl.flatbuffer.spills import RELOAD_OPERATOR, SPILL_OPERATOR, SpillPlace
from tinymo_xdsl.numerics import dense
from tinymo_xdsl.operators.base import Implied, LiftedInput, Weights, constant_attribute
from tinymo_xdsl.operators.elements import dtype_of, element_of
from tinymo_xdsl.operators.recognize import kernel_name, recognize

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Exported:
    """A model, and where the values of the module are in it."""

    model: Model
    tensors: tuple[Mapping[SSAValue, int], ...]
    """For each subgraph the tensor of each value that is in memory, as the function or a kernel sees it."""


def export_model(module: ModuleOp) -> Model:
    """
    The model that `module` says.

    Raises `BadModelError`, naming the tensor, for what a `.tflite` file cannot hold.
    """
    return export(module).model


def export(module: ModuleOp) -> Exported:
    """The model that `module` says, and its tensors by value. Raises as `export_model`."""
    places = plan_storage(module)
    exporters = [_Exporter(function, places) for function in functions(module)]
    model = _model(module, [exporter.subgraph() for exporter in exporters])
    return Exported(model, tuple(exporter.indices for exporter in exporters))


def _model(module: ModuleOp, exported: Sequence[Subgraph]) -> Model:
    if not exported:
        raise BadModelError("the module has no function to write")
    attribute = module.attributes.get(MODEL_KEY, DictionaryAttr({}))
    if not isinstance(attribute, DictionaryAttr):
        raise BadModelError(f"'{MODEL_KEY}' must be a dictionary")
    reader = FactReader(f"'{MODEL_KEY}'", attribute)
    model = Model(
        subgraphs=tuple(exported),
        version=reader.integer("version", schema.SCHEMA_VERSION),
        description=reader.text_or_none("description"),
        metadata=tuple(_metadata(entry) for entry in reader.array("metadata")),
        unnamed_metadata=tuple(_bytes("unnamed_metadata", entry) for entry in reader.array("unnamed_metadata")),
        signatures=tuple(_signatures(reader.array("signatures"), exported)),
        trailing=b"" if (blob := reader.attribute("trailing")) is None else _bytes("trailing", blob),
    )
    reader.finish()
    return model


def _bytes(name: str, attribute: Attribute | None) -> bytes:
    if not isinstance(attribute, DenseIntOrFPElementsAttr):
        raise BadModelError(f"'{name}' in '{MODEL_KEY}' must be a dense tensor of bytes")
    return dense.to_bytes(attribute)


def _metadata(entry: Attribute) -> Metadata:
    reader = FactReader("an entry of 'metadata'", _dictionary(entry))
    metadata = Metadata(reader.text("name"), _bytes("data", reader.attribute("data")))
    reader.finish()
    return metadata


def _dictionary(entry: Attribute) -> DictionaryAttr:
    if not isinstance(entry, DictionaryAttr):
        raise BadModelError(f"an entry of '{MODEL_KEY}' must be a dictionary, not {entry}")
    return entry


class _GoneError(Exception):
    """A signature names an inner tensor that a pass has removed."""


def _signatures(entries: Sequence[Attribute], graphs: Sequence[Subgraph]) -> Iterator[Signature]:
    """A signature of anything but inputs and outputs was never callable; it goes when its tensor does."""
    for entry in entries:
        try:
            yield _signature(entry, graphs)
        except _GoneError as gone:
            logger.warning("%s; the signature is dropped", gone)


def _signature(entry: Attribute, graphs: Sequence[Subgraph]) -> Signature:
    reader = FactReader("an entry of 'signatures'", _dictionary(entry))
    key, index = reader.text("key"), reader.integer("subgraph", 0)
    what = f"signature '{key}'"
    if not 0 <= index < len(graphs):
        raise BadModelError(f"{what} names subgraph {index}, which does not exist")
    graph = graphs[index]
    signature = Signature(
        key,
        index,
        tuple(_signature_entries(what, reader.array("inputs"), graph, graph.inputs)),
        tuple(_signature_entries(what, reader.array("outputs"), graph, graph.outputs)),
    )
    reader.finish()
    return signature


def _signature_entries(
    what: str, entries: Sequence[Attribute], graph: Subgraph, tensors: tuple[int, ...]
) -> Iterator[tuple[str, int]]:
    """Names of arguments and the tensors they stand for. An entry whose tensor no pass has kept is left out."""
    for entry in entries:
        reader = FactReader(what, _dictionary(entry))
        name, position, tensor = reader.text("name"), reader.integer("position", -1), reader.text_or_none("tensor")
        reader.finish()
        if tensor is None and not 0 <= position < len(tensors):
            raise BadModelError(f"{what}: '{name}' has no position of 0 to {len(tensors) - 1}")
        index = tensors[position] if tensor is None else _index_of(graph, tensor)
        if index is None:
            logger.warning("%s: '%s' is left out: the tensor '%s' is not there any more", what, name, tensor)
        else:
            yield name, index


def _index_of(graph: Subgraph, name: str) -> int | None:
    return next((index for index, tensor in enumerate(graph.tensors) if tensor.name == name), None)


class _Exporter:
    """Writes one function. Tensors are numbered in the order in which they are first seen."""

    def __init__(self, function: FuncOp, places: Mapping[SSAValue, SpillPlace]):
        self.function = function
        self.places = places
        self.tensors: list[Tensor] = []
        self.indices: dict[SSAValue, int] = {}
        self.weights: dict[tuple[SSAValue, tuple[int, ...]], int] = {}
        self.implied: dict[tuple[str, tuple[int, ...], tuple[int, ...]], int] = {}

    def subgraph(self) -> Subgraph:
        """The subgraph, complete."""
        inputs = tuple(self._index(argument) for argument in self.function.args)
        operators = tuple(operator for kernel in kernels_of(self.function) for operator in self._operator(kernel))
        terminator = self.function.body.block.last_op
        returned = () if terminator is None else terminator.operands
        outputs = tuple(self._index(value) for value in returned)
        facts = subgraph_facts(self.function)
        return Subgraph(tuple(self.tensors), inputs, outputs, operators, facts.name, facts.debug_metadata_index)

    def _add(self, tensor: Tensor) -> int:
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def _index(self, value: SSAValue) -> int:
        if (index := self.indices.get(value)) is None:
            index = self.indices[value] = self._add(_tensor(value))
        return index

    def _input(self, entry: LiftedInput, operator: str) -> int:
        match entry:
            case None:
                return -1
            case Weights():
                key = (entry.value, entry.shape)
                if (index := self.weights.get(key)) is None:
                    index = self.weights[key] = self._add(replace(_tensor(entry.value), shape=entry.shape))
                return index
            case Implied():
                return self._implied(entry, operator)
            case _:
                return self._index(entry)

    def _implied(self, entry: Implied, operator: str) -> int:
        """Equal lists of numbers are one tensor, unless the facts name them."""
        name = f"{operator}/{entry.suffix}" if entry.facts is None else entry.facts.name
        shared_name = "" if entry.facts is None else name
        key = (f"{entry.dtype}:{shared_name}", entry.numbers, entry.shape)
        if (index := self.implied.get(key)) is None:
            data = np.array(entry.numbers, dense.numpy_dtype(element_of(entry.dtype))).tobytes()
            facts = entry.facts or TensorFacts(name)
            tensor = _with_facts(Tensor(name, entry.dtype, entry.shape, data), facts)
            index = self.implied[key] = self._add(tensor)
        return index

    def _operator(self, kernel: Kernel) -> Iterator[Operator]:
        root = kernel.ops[0] if kernel.ops else kernel.root
        if any(map(is_variable, kernel.results)):
            return
        if isinstance(root, tinymo.SpillOp | tinymo.ReloadOp):
            yield self._spill(root)
            return
        if root.name.startswith("tinymo."):
            raise BadModelError(
                f"'{kernel_name(kernel)}': a .tflite file has no '{root.name}'; run form-kernels,legalize-for-tflite"
            )
        recognized = recognize(kernel)
        for inner, outer in zip(kernel.results, kernel.outputs, strict=True):
            self.indices[outer] = self._index(inner)
        facts = recognized.facts
        name = kernel_name(kernel)
        inputs = tuple(self._input(entry, name) for entry in recognized.inputs)
        mutating = tuple(position in facts.mutating_variable_inputs for position in range(len(inputs)))
        yield replace(
            recognized.operator,
            inputs=inputs,
            outputs=tuple(self._index(value) for value in recognized.outputs),
            intermediates=tuple(self._intermediate(entry) for entry in facts.intermediates),
            mutating_variable_inputs=mutating if facts.mutating_variable_inputs else (),
        )

    def _spill(self, op: tinymo.SpillOp | tinymo.ReloadOp) -> Operator:
        if (place := self.places.get(op.handle)) is None:
            raise BadModelError(f"'{name_of(op.results[0])}' is reloaded, but not spilled in the same function")
        name = SPILL_OPERATOR if isinstance(op, tinymo.SpillOp) else RELOAD_OPERATOR
        inputs, outputs = (self._index(op.operands[0]),), (self._index(op.results[0]),)
        return Operator(name, inputs, outputs, custom=True, custom_options=place.to_options())

    def _intermediate(self, facts: TensorFacts | None) -> int:
        if facts is None:
            return -1
        if facts.dtype is None or facts.shape is None:
            raise BadModelError(f"the intermediate tensor '{facts.name}' needs a dtype and a shape")
        return self._add(_with_facts(Tensor(facts.name, facts.dtype, facts.shape), facts))


def _tensor(value: SSAValue) -> Tensor:
    if isinstance(value.type, tinymo.SpilledType):
        spilled = cast(tinymo.SpillOp, value.owner)
        return Tensor(f"{name_of(spilled.source)}/spilled", "INT32", (1,))
    facts = tensor_facts(value)
    if facts is None:
        raise BadModelError(
            f"{name_of(value)} states no TFLite facts: a .tflite file needs its name, scale and zero point, "
            f"as '{TENSOR_KEY}'"
        )
    if not isinstance(value.type, TensorType):
        raise BadModelError(f"'{facts.name}' is no tensor but {value.type}")
    attribute = constant_attribute(value)
    tensor = Tensor(
        name=facts.name,
        dtype=dtype_of(value.type.element_type, facts),
        shape=facts.shape if facts.shape is not None else value.type.get_shape(),
        data=None if attribute is None else dense.to_bytes(attribute),
        is_variable=facts.is_variable or is_variable(value),
    )
    return _with_facts(tensor, facts)


def _with_facts(tensor: Tensor, facts: TensorFacts) -> Tensor:
    return replace(
        tensor, quantization=_quantization(facts), shape_signature=facts.shape_signature, has_rank=facts.has_rank
    )


def _quantization(facts: TensorFacts) -> Quantization | None:
    """TFLite Micro takes a tensor whose zero points are left out for one without scales: they are written out."""
    if not (facts.scale or facts.zero_point or facts.minimum or facts.maximum or facts.dimension):
        return None
    return Quantization(
        np.array(facts.scale, np.float32),
        np.array(facts.zero_point or (0,) * len(facts.scale), np.int64),
        facts.dimension,
        np.array(facts.minimum, np.float32) if facts.minimum else None,
        np.array(facts.maximum, np.float32) if facts.maximum else None,
    )
