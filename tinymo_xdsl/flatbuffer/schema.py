"""
What the TFLite schema says, in one place: operators, data types, tables and their fields, enumerations.

The reader, the bounds check and the writer are driven by it. Operator names come from the `tflite` package itself;
fields are declared in `tables`, because generated accessors do not tell their names and defaults.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import tflite

from tinymo_xdsl.flatbuffer import tables

FILE_IDENTIFIER: Final = b"TFL3"
SCHEMA_VERSION: Final = 3
"""The value of `Model.version`."""

OFFSET_BYTES: Final = 4

SCALARS: Final[Mapping[str, np.dtype[Any]]] = MappingProxyType(
    {
        "bool": np.dtype("|b1"),
        "byte": np.dtype("|i1"),
        "ubyte": np.dtype("|u1"),
        "short": np.dtype("<i2"),
        "ushort": np.dtype("<u2"),
        "int": np.dtype("<i4"),
        "uint": np.dtype("<u4"),
        "long": np.dtype("<i8"),
        "ulong": np.dtype("<u8"),
        "float": np.dtype("<f4"),
        "double": np.dtype("<f8"),
    }
)
"""The scalar types of FlatBuffers, as they are stored."""


class Padding(IntEnum):
    """How a window operator treats the border of its input."""

    SAME = 0
    VALID = 1


class ActivationFunctionType(IntEnum):
    """The activation that a kernel applies to its own result."""

    NONE = 0
    RELU = 1
    RELU_N1_TO_1 = 2
    RELU6 = 3
    TANH = 4
    SIGN_BIT = 5


class MirrorPadMode(IntEnum):
    """Whether `MIRROR_PAD` repeats the border element itself (`SYMMETRIC`)."""

    REFLECT = 0
    SYMMETRIC = 1


class FullyConnectedOptionsWeightsFormat(IntEnum):
    """How the weights of `FULLY_CONNECTED` lie in memory."""

    DEFAULT = 0
    SHUFFLED4x16INT8 = 1


@dataclass(frozen=True)
class DataType:
    """The type of a tensor's elements."""

    name: str
    code: int
    bits: int | None
    """The bits of one element in a buffer, where elements lie densely; `None` if elements vary in size."""
    numpy: np.dtype[Any] | None = None
    """The numpy type with the same bytes, where there is one."""

    def size(self, elements: int) -> int | None:
        """The bytes that `elements` elements take in a buffer, or `None` if that cannot be told."""
        return None if self.bits is None else (elements * self.bits + 7) // 8


def _data_types() -> Iterator[DataType]:
    yield DataType("FLOAT32", 0, 32, np.dtype("<f4"))
    yield DataType("FLOAT16", 1, 16, np.dtype("<f2"))
    yield DataType("INT32", 2, 32, np.dtype("<i4"))
    yield DataType("UINT8", 3, 8, np.dtype("|u1"))
    yield DataType("INT64", 4, 64, np.dtype("<i8"))
    yield DataType("STRING", 5, None)
    yield DataType("BOOL", 6, 8, np.dtype("|b1"))
    yield DataType("INT16", 7, 16, np.dtype("<i2"))
    yield DataType("COMPLEX64", 8, 64, np.dtype("<c8"))
    yield DataType("INT8", 9, 8, np.dtype("|i1"))
    yield DataType("FLOAT64", 10, 64, np.dtype("<f8"))
    yield DataType("COMPLEX128", 11, 128, np.dtype("<c16"))
    yield DataType("UINT64", 12, 64, np.dtype("<u8"))
    # The handle of a variable: a resource identifier of 32 bits.
    yield DataType("RESOURCE", 13, 32, np.dtype("<i4"))
    yield DataType("VARIANT", 14, None)
    yield DataType("UINT32", 15, 32, np.dtype("<u4"))
    yield DataType("UINT16", 16, 16, np.dtype("<u2"))
    yield DataType("INT4", 17, 4)
    yield DataType("BFLOAT16", 18, 16)


DATA_TYPES: Final[Mapping[str, DataType]] = MappingProxyType({dtype.name: dtype for dtype in _data_types()})
"""The data types by the schema's name."""

DATA_TYPE_OF_CODE: Final[Mapping[int, DataType]] = MappingProxyType({dtype.code: dtype for dtype in _data_types()})

CUSTOM_CODE: Final = int(tflite.BuiltinOperator.CUSTOM)
"""The operator code of all custom operators."""

MOST_BYTE_CODE: Final = int(tflite.BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES)
"""What `deprecated_builtin_code` says of operators whose code does not fit it."""

BUILTIN_OPERATORS: Final[Mapping[str, int]] = MappingProxyType(
    {
        name: code
        for name, code in vars(tflite.BuiltinOperator).items()
        if isinstance(code, int) and code not in (CUSTOM_CODE, MOST_BYTE_CODE)
    }
)
"""The operator codes by the schema's name."""

BUILTIN_OPERATOR_OF_CODE: Final[Mapping[int, str]] = MappingProxyType(
    {code: name for name, code in BUILTIN_OPERATORS.items()}
)


@dataclass(frozen=True)
class Field:
    """One field of a table."""

    name: str
    type: str
    """A key of `SCALARS` or `TABLES`, `string`, a union's name, or `unread`."""
    vector: bool = False
    default: int | float | bool = 0
    deprecated: bool = False

    @property
    def accessor(self) -> str:
        """The name that generated code gives to the field: `stride_w` becomes `StrideW`."""
        return "".join(word[:1].upper() + word[1:] for word in self.name.split("_"))

    @property
    def inline_bytes(self) -> int:
        """The bytes that the field takes in its table: those of a scalar, or of an offset to the value."""
        return SCALARS[self.type].itemsize if self.type in SCALARS and not self.vector else OFFSET_BYTES

    @property
    def refers_to_subgraph(self) -> bool:
        """Whether the value is the index of a subgraph that the operator calls, or a vector of them."""
        return self.name in ("subgraph", "called_computations") or self.name.endswith("subgraph_index")


@dataclass(frozen=True)
class Table:
    """A table of the schema. The position of a field is its slot."""

    name: str
    slots: tuple[Field, ...]

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields that files may use."""
        return tuple(field for field in self.slots if not field.deprecated)


def _parse_default(type_: str, text: str | None) -> int | float | bool:
    if type_ == "bool":
        return text == "true"
    return float(text or 0) if type_ in ("float", "double") else int(text or 0)


def _parse_field(text: str) -> Field:
    match = re.fullmatch(r"(\w+): (\[?)(\w+)\]?( deprecated)?(?: = (\S+))?", text)
    assert match, f"not a field: {text}"
    name, vector, type_, deprecated, default = match.groups()
    return Field(name, type_, vector == "[", _parse_default(type_, default), deprecated is not None)


def _parse_tables(text: str) -> tuple[Table, ...]:
    found = re.findall(r"(\w+)\(([^)]*)\)", text)
    return tuple(
        Table(name, tuple(_parse_field(field) for field in re.split(r",\s+", body) if field)) for name, body in found
    )


UNIONS: Final[Mapping[str, tuple[Table, ...]]] = MappingProxyType(
    {
        "BuiltinOptions": _parse_tables(tables.BUILTIN_OPTIONS),
        "BuiltinOptions2": _parse_tables(tables.BUILTIN_OPTIONS2),
    }
)
"""The members of each union in the order of their codes. Code 0 means none, so the first member has code 1."""

OPTIONS: Final[Mapping[str, Table]] = MappingProxyType(
    {table.name: table for members in UNIONS.values() for table in members}
)
"""The options tables of builtin operators by name."""

TABLES: Final[Mapping[str, Table]] = MappingProxyType(
    {table.name: table for table in _parse_tables(tables.STRUCTURE)} | dict(OPTIONS)
)
"""Every table by name."""


def union_member(union: str, code: int) -> Table | None:
    """The table that `code` selects in `union`, or `None` if the schema has no such member. Code 0 is for callers."""
    members = UNIONS[union]
    return members[code - 1] if 1 <= code <= len(members) else None


def union_code(union: str, table: str) -> int:
    """The code that selects `table` in `union`; 0, which means none, if it is not a member."""
    names = [member.name for member in UNIONS[union]]
    return names.index(table) + 1 if table in names else 0
