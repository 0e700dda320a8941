"""A `Model` as a `.tflite` file."""

import reprlib
from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Any, TypeAlias, TypeGuard

import flatbuffers
import numpy as np
import numpy.typing as npt
import tflite
from flatbuffers.builder import BuilderSizeError

from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.flatbuffer.model import Model, Operator, OptionValue, Quantization, Signature, Subgraph, Tensor, label
from tinymo_xdsl.flatbuffer.schema import (
    BUILTIN_OPERATORS,
    CUSTOM_CODE,
    DATA_TYPES,
    FILE_IDENTIFIER,
    MOST_BYTE_CODE,
    OPTIONS,
    SCALARS,
    TABLES,
    Field,
    union_code,
)
from tinymo_xdsl.flatbuffer.validate import validate
from tinymo_xdsl.output import write_atomically

# Kernels read weights in place, so the schema asks for this alignment, in bytes from the start of the file. The Python
# builder does not know of that request.
_BUFFER_ALIGNMENT = 16


def write_file(model: Model, path: str | PathLike[str]) -> None:
    """Write `model` to `path`, whole or not at all. Raises `TinymoError` if that cannot be done."""
    write_atomically(path, write_model(model))


def write_model(model: Model) -> bytes:
    """
    The bytes of `model` as a `.tflite` file. The same model gives the same bytes.

    Constants with equal bytes share one buffer, variables and metadata keep their own. Raises `BadModelError` if the
    model is not valid in the sense of `validate` or a value does not fit its field.
    """
    validate(model)
    try:
        return _Writer(model).write()
    except BuilderSizeError as error:
        raise BadModelError("the model takes more than the 2 GiB that a .tflite file can hold") from error


def _fits(value: object, type_: str) -> TypeGuard[int | float]:
    """Whether a field of the scalar type `type_` can hold `value`."""
    dtype = SCALARS.get(type_)
    if dtype is None or not isinstance(value, (int, float)):
        return False
    if dtype.kind == "f":
        return not np.isfinite(value) or abs(value) <= np.finfo(dtype).max
    low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    return isinstance(value, int) and low <= value <= high


class _Buffers:
    """The list of distinct buffers. Buffer 0 is empty and stands for tensors without data."""

    def __init__(self) -> None:
        self.contents: list[bytes | None] = [None]
        self.shared: dict[bytes, int] = {}

    def own(self, data: bytes) -> int:
        """The index of a new buffer with `data`."""
        self.contents.append(data)
        return len(self.contents) - 1

    def constant(self, data: bytes) -> int:
        """The index of the buffer with `data` that all equal constants share."""
        if not data:
            return self.own(data)
        if data not in self.shared:
            self.shared[data] = self.own(data)
        return self.shared[data]

    def tensor(self, tensor: Tensor) -> int:
        if tensor.data is None:
            return 0
        return self.own(tensor.data) if tensor.is_variable else self.constant(tensor.data)


_OperatorKey: TypeAlias = tuple[str, bool, int]
"""What an operator code says: the name, whether it is custom, the version."""


def _operator_key(operator: Operator) -> _OperatorKey:
    return operator.name, operator.custom, operator.version


class _Writer:
    """
    The builder of one file, and what of it is referred to by index.

    A method that adds a part returns the offset that its owner refers to it by. FlatBuffers are written from the end to
    the start, children first.
    """

    def __init__(self, model: Model):
        self.model = model
        self.buffers = _Buffers()
        self.tensor_buffers = [[self.buffers.tensor(tensor) for tensor in graph.tensors] for graph in model.subgraphs]
        self.metadata_buffers = [self.buffers.own(entry.data) for entry in model.metadata]
        self.unnamed_buffers = [self.buffers.own(data) for data in model.unnamed_metadata]
        operators = (operator for graph in model.subgraphs for operator in graph.operators)
        self.operator_codes = {key: index for index, key in enumerate(dict.fromkeys(map(_operator_key, operators)))}
        self.builder = flatbuffers.Builder(sum(len(data or b"") for data in self.buffers.contents) + 4096)

    def write(self) -> bytes:
        model = self.model
        # The size of the file becomes a multiple of the alignment, so that offsets from its end are aligned too.
        self.builder.Prep(_BUFFER_ALIGNMENT, 0)
        buffers = self.offsets([self.buffer(data) for data in self.buffers.contents])
        names = [self.string(entry.name) for entry in model.metadata]
        metadata = [
            self.table("Metadata", name=name, buffer=index)
            for name, index in zip(names, self.metadata_buffers, strict=True)
        ]
        subgraphs = [
            self.subgraph(graph, indices) for graph, indices in zip(model.subgraphs, self.tensor_buffers, strict=True)
        ]
        root = self.table(
            "Model",
            version=model.version,
            operator_codes=self.offsets([self.operator_code(*key) for key in self.operator_codes]),
            subgraphs=self.offsets(subgraphs),
            description=self.string(model.description),
            buffers=buffers,
            metadata_buffer=self.ints(self.unnamed_buffers) if self.unnamed_buffers else None,
            metadata=self.offsets(metadata) if metadata else None,
            signature_defs=self.offsets([self.signature(s) for s in model.signatures]) if model.signatures else None,
        )
        self.builder.Finish(root, FILE_IDENTIFIER)
        return bytes(self.builder.Output()) + model.trailing

    def table(self, name: str, where: str = "", /, **values: float | None) -> int:
        """
        Add a table; `where` names it in messages.

        A value is a scalar or the offset of a part; `None` leaves the field out. Defaults are not stored.
        """
        getattr(tflite, f"{name}Start")(self.builder)
        for field in TABLES[name].fields:
            value = values.get(field.name)
            if value is None:
                continue
            if not field.vector and field.type in SCALARS and not _fits(value, field.type):
                kind = f"a value of type {field.type}"
                raise BadModelError(f"{where or name}: {field.name} takes {kind}, not {reprlib.repr(value)}")
            getattr(tflite, f"{name}Add{field.accessor}")(self.builder, value)
        return getattr(tflite, f"{name}End")(self.builder)

    def string(self, text: str | None) -> int | None:
        return None if text is None else self.builder.CreateString(text)

    def offsets(self, offsets: Sequence[int]) -> int:
        self.builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self.builder.PrependUOffsetTRelative(offset)
        return self.builder.EndVector()

    def ints(self, values: Iterable[int]) -> int:
        return self.builder.CreateNumpyVector(np.array(tuple(values), np.int32))

    def buffer(self, data: bytes | None) -> int:
        if data is None:
            return self.table("Buffer")
        self.builder.Prep(_BUFFER_ALIGNMENT, len(data))
        return self.table("Buffer", data=self.builder.CreateByteVector(data))

    def operator_code(self, name: str, custom: bool, version: int) -> int:
        code = CUSTOM_CODE if custom else BUILTIN_OPERATORS[name]
        return self.table(
            "OperatorCode",
            deprecated_builtin_code=min(code, MOST_BYTE_CODE),
            custom_code=self.string(name) if custom else None,
            version=version,
            builtin_code=code,
        )

    def subgraph(self, graph: Subgraph, buffers: Sequence[int]) -> int:
        tensors = [self.tensor(tensor, index) for tensor, index in zip(graph.tensors, buffers, strict=True)]
        operators = [self.operator(operator, position) for position, operator in enumerate(graph.operators)]
        return self.table(
            "SubGraph",
            tensors=self.offsets(tensors),
            inputs=self.ints(graph.inputs),
            outputs=self.ints(graph.outputs),
            operators=self.offsets(operators),
            name=self.string(graph.name),
            debug_metadata_index=graph.debug_metadata_index,
        )

    def tensor(self, tensor: Tensor, buffer: int) -> int:
        return self.table(
            "Tensor",
            shape=self.ints(tensor.shape),
            type=DATA_TYPES[tensor.dtype].code,
            buffer=buffer,
            name=self.string(tensor.name),
            quantization=self.quantization(tensor.quantization),
            is_variable=tensor.is_variable,
            shape_signature=None if tensor.shape_signature is None else self.ints(tensor.shape_signature),
            has_rank=tensor.has_rank,
        )

    def quantization(self, quantization: Quantization | None) -> int | None:
        if quantization is None:
            return None

        def vector(values: npt.NDArray[Any] | None, dtype: str) -> int | None:
            if values is None or values.size == 0:
                return None
            return self.builder.CreateNumpyVector(values.astype(dtype))

        return self.table(
            "QuantizationParameters",
            min=vector(quantization.min, "<f4"),
            max=vector(quantization.max, "<f4"),
            scale=vector(quantization.scale, "<f4"),
            zero_point=vector(quantization.zero_point, "<i8"),
            quantized_dimension=quantization.dimension,
        )

    def operator(self, operator: Operator, position: int) -> int:
        first = second = 0
        options = None
        if operator.options_type is not None:
            options = self.options(operator, label("operator", position, operator.name))
            first = union_code("BuiltinOptions", operator.options_type)
            second = union_code("BuiltinOptions2", operator.options_type)
        mutating, intermediates = operator.mutating_variable_inputs, operator.intermediates
        return self.table(
            "Operator",
            opcode_index=self.operator_codes[_operator_key(operator)],
            inputs=self.ints(operator.inputs),
            outputs=self.ints(operator.outputs),
            builtin_options_type=first,
            builtin_options=options if first else None,
            custom_options=self.builder.CreateByteVector(operator.custom_options) if operator.custom_options else None,
            custom_options_format=operator.custom_options_format,
            mutating_variable_inputs=self.builder.CreateNumpyVector(np.array(mutating, np.bool_)) if mutating else None,
            intermediates=self.ints(intermediates) if intermediates else None,
            builtin_options2_type=second,
            builtin_options2=options if second else None,
            debug_metadata_index=operator.debug_metadata_index,
        )

    def options(self, operator: Operator, where: str) -> int:
        table = OPTIONS[str(operator.options_type)]
        unknown = sorted(set(operator.options) - {field.name for field in table.fields})
        if unknown:
            raise BadModelError(f"{where}: {table.name} has no field {unknown[0]!r}")
        values = {
            field.name: self.option(operator.options[field.name], field, where)
            for field in table.fields
            if field.name in operator.options
        }
        return self.table(table.name, where, **values)

    def option(self, value: OptionValue, field: Field, where: str) -> float | None:
        """What the table takes for `value`: a scalar itself, the offset of a string or a vector."""
        if isinstance(value, str) and field.type == "string":
            return self.builder.CreateString(value)
        if isinstance(value, bytes) and field.vector and field.type == "ubyte":
            return self.builder.CreateByteVector(value)
        if isinstance(value, tuple) and field.vector and all(_fits(item, field.type) for item in value):
            return self.builder.CreateNumpyVector(np.array(value, SCALARS[field.type]))
        if value is None or (not field.vector and _fits(value, field.type)):
            return value
        kind = f"a vector of {field.type}" if field.vector else f"a value of type {field.type}"
        raise BadModelError(f"{where}: {field.name} takes {kind}, not {reprlib.repr(value)}")

    def signature(self, signature: Signature) -> int:
        def entries(arguments: Iterable[tuple[str, int]]) -> int:
            return self.offsets([self.table("TensorMap", name=self.string(n), tensor_index=i) for n, i in arguments])

        return self.table(
            "SignatureDef",
            inputs=entries(signature.inputs),
            outputs=entries(signature.outputs),
            signature_key=self.string(signature.key),
            subgraph_index=signature.subgraph,
        )
