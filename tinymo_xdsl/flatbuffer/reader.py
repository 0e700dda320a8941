"""A `.tflite` file as a `Model`."""

from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import tflite
from flatbuffers.number_types import Int32Flags
from flatbuffers.table import Table as TableAccess

from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.flatbuffer.bounds import Bounds, check_identifier
from tinymo_xdsl.flatbuffer.model import (
    Metadata,
    Model,
    Operator,
    OptionValue,
    Quantization,
    Signature,
    Subgraph,
    Tensor,
    label,
)
from tinymo_xdsl.flatbuffer.schema import (
    BUILTIN_OPERATOR_OF_CODE,
    CUSTOM_CODE,
    DATA_TYPE_OF_CODE,
    SCHEMA_VERSION,
    Field,
    Table,
    union_member,
)
from tinymo_xdsl.flatbuffer.validate import validate

# Builders pad a file to a multiple of this, so that much after the last byte in use says nothing.
_FILE_ALIGNMENT = 16

# Where generated accessors keep the table they read, and what FlatBuffers call the fourth field of a table.
_FIELDS = "_tab"
_BUILTIN_CODE_ENTRY = 4 + 2 * 3


def read_file(path: str | PathLike[str]) -> Model:
    """Read the `.tflite` file at `path`. Raises `BadModelError` if that cannot be done."""
    source = str(path)
    try:
        with Path(path).open("rb") as file:
            start = file.read(8)
            check_identifier(start, source)
            data = start + file.read()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise BadModelError(f"{path}: cannot read the file: {reason}") from error
    return read_model(data, source)


def read_model(data: bytes, source: str = "<bytes>") -> Model:
    """
    Read the bytes of a `.tflite` file; `source` names them in messages.

    Every field of the schema arrives in the model, or the file is refused. The result is valid in the sense of
    `validate`. Raises `BadModelError`.
    """
    bounds = Bounds(data, source)
    bounds.check_model()
    model = _Reader(bounds).read()
    validate(model, source)
    return model


def _text(value: bytes | None) -> str:
    return (value or b"").decode()


def _ints(values: npt.NDArray[Any] | int) -> tuple[int, ...]:
    # Accessors return the number 0 for a vector that is not there.
    return () if isinstance(values, int) else tuple(values.tolist())


def _floats(values: npt.NDArray[np.float32] | int) -> npt.NDArray[np.float32]:
    return np.array(() if isinstance(values, int) else values, np.float32)


def _builtin_code(code: tflite.OperatorCode) -> int:
    """
    The field as it is stored.

    Its accessor returns the deprecated field wherever that could hold the code, but runtimes take the larger of both.
    """
    fields: TableAccess = getattr(code, _FIELDS)
    return fields.GetSlot(_BUILTIN_CODE_ENTRY, 0, Int32Flags)


class _Reader:
    """The parts of one file, read through the accessors of the `tflite` package."""

    def __init__(self, bounds: Bounds):
        self.bounds = bounds
        self.file = tflite.Model.GetRootAs(bounds.data)
        self.buffers: tuple[bytes | None, ...] = ()

    def refuse(self, problem: str) -> NoReturn:
        raise BadModelError(f"{self.bounds.source}: {problem}")

    def read(self) -> Model:
        file = self.file
        if file.Version() != SCHEMA_VERSION:
            self.refuse(f"schema version {file.Version()} is not supported; convert the model to version 3")
        self.buffers = tuple(self.buffer(index) for index in range(file.BuffersLength()))
        codes = tuple(self.operator_code(index) for index in range(file.OperatorCodesLength()))
        subgraphs = tuple(self.subgraph(file.Subgraphs(index), codes) for index in range(file.SubgraphsLength()))
        description = file.Description()
        return Model(
            subgraphs=subgraphs,
            description=None if description is None else description.decode(),
            signatures=tuple(self.signature(file.SignatureDefs(i)) for i in range(file.SignatureDefsLength())),
            metadata=tuple(self.metadata(index) for index in range(file.MetadataLength())),
            unnamed_metadata=tuple(
                self.blob(index, "metadata_buffer") for index in _ints(file.MetadataBufferAsNumpy())
            ),
            trailing=self.trailing(),
            version=file.Version(),
        )

    def trailing(self) -> bytes:
        """The bytes behind the FlatBuffer and its padding."""
        data, start = self.bounds.data, self.bounds.end
        aligned = -(-start // _FILE_ALIGNMENT) * _FILE_ALIGNMENT
        return data[start:aligned].lstrip(b"\0") + data[aligned:]

    def outside(self, where: str, offset: int, size: int) -> bytes:
        """The `size` bytes at `offset` of the file, where large files store them."""
        self.bounds.claim(where, offset, size)
        return self.bounds.data[offset : offset + size]

    def buffer(self, index: int) -> bytes | None:
        buffer = self.file.Buffers(index)
        # Offsets 0 and 1 are no places: the schema reserves them.
        if buffer.Offset() > 1:
            return self.outside(f"buffers[{index}]", buffer.Offset(), buffer.Size())
        data = buffer.DataAsNumpy()
        return None if isinstance(data, int) else data.tobytes()

    def blob(self, index: int, where: str) -> bytes:
        return self.checked_buffer(index, where) or b""

    def checked_buffer(self, index: int, where: str) -> bytes | None:
        if not 0 <= index < len(self.buffers):
            self.refuse(f"{where} refers to buffer {index}, but there are {len(self.buffers)}; the file is damaged")
        return self.buffers[index]

    def operator_code(self, index: int) -> tuple[str, bool, int]:
        """The name, whether it is custom, and the version."""
        entry = self.file.OperatorCodes(index)
        code = max(_builtin_code(entry), entry.DeprecatedBuiltinCode())
        if code != CUSTOM_CODE:
            if code not in BUILTIN_OPERATOR_OF_CODE:
                self.refuse(f"operator code {code} is newer than the schema of this version, {tflite.__version__}")
            return BUILTIN_OPERATOR_OF_CODE[code], False, entry.Version()
        name = _text(entry.CustomCode())
        if name.startswith("ethos-u"):
            self.refuse("the model was compiled by Vela for an Ethos-U; give the model from before Vela")
        if not name:
            self.refuse(f"operator_codes[{index}] is a custom operator without a name; the file is damaged")
        return name, True, entry.Version()

    def subgraph(self, graph: tflite.SubGraph, codes: tuple[tuple[str, bool, int], ...]) -> Subgraph:
        name = graph.Name()
        subgraph = Subgraph(
            tensors=tuple(self.tensor(graph.Tensors(i), i) for i in range(graph.TensorsLength())),
            inputs=_ints(graph.InputsAsNumpy()),
            outputs=_ints(graph.OutputsAsNumpy()),
            operators=tuple(self.operator(graph.Operators(i), i, codes) for i in range(graph.OperatorsLength())),
            name=None if name is None else name.decode(),
            debug_metadata_index=graph.DebugMetadataIndex(),
        )
        return _with_empty_constants(subgraph)

    def tensor(self, tensor: tflite.Tensor, index: int) -> Tensor:
        name = _text(tensor.Name())
        where = label("tensor", index, name)
        dtype = DATA_TYPE_OF_CODE.get(tensor.Type())
        if dtype is None:
            self.refuse(f"{where}: data type {tensor.Type()} is newer than the schema of this version")
        if tensor.Sparsity() is not None:
            self.refuse(f"{where} is sparse, which is not supported; densify the model first")
        if tensor.VariantTensorsLength():
            self.refuse(f"{where} holds a variant of other tensors, which is not supported")
        signature = tensor.ShapeSignatureAsNumpy()
        # An empty buffer means a tensor that is computed.
        data = self.checked_buffer(tensor.Buffer(), where) or None
        return Tensor(
            name=name,
            dtype=dtype.name,
            shape=_ints(tensor.ShapeAsNumpy()),
            data=data,
            quantization=self.quantization(tensor.Quantization(), where),
            shape_signature=None if isinstance(signature, int) else _ints(signature),
            is_variable=tensor.IsVariable(),
            has_rank=tensor.HasRank(),
        )

    def quantization(self, parameters: tflite.QuantizationParameters | None, where: str) -> Quantization | None:
        if parameters is None:
            return None
        if parameters.DetailsType():
            self.refuse(f"{where} has custom quantization details, which are not supported; quantize it per channel")
        scale, zero_point = parameters.ScaleAsNumpy(), parameters.ZeroPointAsNumpy()
        low, high = parameters.MinAsNumpy(), parameters.MaxAsNumpy()
        if all(np.size(values) == 0 for values in (scale, zero_point, low, high) if not isinstance(values, int)):
            return None
        return Quantization(
            scale=_floats(scale),
            zero_point=np.array(_ints(zero_point), np.int64),
            dimension=parameters.QuantizedDimension(),
            min=None if isinstance(low, int) else _floats(low),
            max=None if isinstance(high, int) else _floats(high),
        )

    def operator(self, operator: tflite.Operator, index: int, codes: tuple[tuple[str, bool, int], ...]) -> Operator:
        opcode = operator.OpcodeIndex()
        if opcode >= len(codes):
            self.refuse(f"operator {index} refers to operator code {opcode}, but there are {len(codes)}")
        name, custom, version = codes[opcode]
        options_type, options = self.options(operator, label("operator", index, name))
        mutating = operator.MutatingVariableInputsAsNumpy()
        return Operator(
            name=name,
            inputs=_ints(operator.InputsAsNumpy()),
            outputs=_ints(operator.OutputsAsNumpy()),
            version=version,
            custom=custom,
            options_type=options_type,
            options=options,
            custom_options=self.custom_options(operator, index),
            custom_options_format=operator.CustomOptionsFormat(),
            intermediates=_ints(operator.IntermediatesAsNumpy()),
            mutating_variable_inputs=() if isinstance(mutating, int) else tuple(mutating.tolist()),
            debug_metadata_index=operator.DebugMetadataIndex(),
        )

    def custom_options(self, operator: tflite.Operator, index: int) -> bytes:
        if operator.LargeCustomOptionsOffset() > 1:
            where = f"operators[{index}].custom_options"
            return self.outside(where, operator.LargeCustomOptionsOffset(), operator.LargeCustomOptionsSize())
        options = operator.CustomOptionsAsNumpy()
        return b"" if isinstance(options, int) else options.tobytes()

    def options(self, operator: tflite.Operator, where: str) -> tuple[str | None, dict[str, OptionValue]]:
        """The name of the operator's options table and its fields."""
        first = union_member("BuiltinOptions", operator.BuiltinOptionsType())
        second = union_member("BuiltinOptions2", operator.BuiltinOptions2Type())
        if first and second:
            self.refuse(f"{where} has two tables of options, {first.name} and {second.name}; the file is damaged")
        table = first or second
        content = operator.BuiltinOptions() if first else operator.BuiltinOptions2()
        if table is None or content is None:
            return None, {}
        accessors: Any = getattr(tflite, table.name)()
        accessors.Init(content.Bytes, content.Pos)
        return table.name, _option_values(table, accessors)

    def metadata(self, index: int) -> Metadata:
        metadata = self.file.Metadata(index)
        name = _text(metadata.Name())
        return Metadata(name, self.blob(metadata.Buffer(), label("metadata", index, name)))

    def signature(self, signature: tflite.SignatureDef) -> Signature:
        inputs = [signature.Inputs(index) for index in range(signature.InputsLength())]
        outputs = [signature.Outputs(index) for index in range(signature.OutputsLength())]
        return Signature(
            key=_text(signature.SignatureKey()),
            subgraph=signature.SubgraphIndex(),
            inputs=tuple((_text(entry.Name()), entry.TensorIndex()) for entry in inputs),
            outputs=tuple((_text(entry.Name()), entry.TensorIndex()) for entry in outputs),
        )


def _with_empty_constants(graph: Subgraph) -> Subgraph:
    """
    Give tensors without elements that are used but that nothing writes their data: no bytes.

    In the file they look like tensors that are computed. A `RESHAPE` to a scalar reads one.
    """
    used = {index for operator in graph.operators for index in operator.inputs}.union(graph.outputs)
    written = {index for operator in graph.operators for index in operator.outputs}.union(graph.inputs)
    constants = used - written

    def is_empty_constant(index: int, tensor: Tensor) -> bool:
        return 0 in tensor.shape and index in constants and tensor.data is None and not tensor.is_variable

    tensors = enumerate(graph.tensors)
    return replace(graph, tensors=tuple(replace(t, data=b"") if is_empty_constant(i, t) else t for i, t in tensors))


def _option_values(table: Table, accessors: Any) -> dict[str, OptionValue]:
    return {field.name: _option_value(field, accessors) for field in table.fields}


def _option_value(field: Field, accessors: Any) -> OptionValue:
    if field.vector:
        values: npt.NDArray[Any] | int = getattr(accessors, f"{field.accessor}AsNumpy")()
        if isinstance(values, int):
            return None
        return values.tobytes() if field.type == "ubyte" else tuple(values.tolist())
    value: OptionValue = getattr(accessors, field.accessor)()
    return value.decode() if isinstance(value, bytes) else value
