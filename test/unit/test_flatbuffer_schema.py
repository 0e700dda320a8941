"""The table of the schema against the `tflite` package, which was generated from the schema itself."""

from enum import IntEnum
from typing import Any

import pytest
import tflite

from tinymo_xdsl.flatbuffer import schema

# How generated code adds a scalar of each type to a table.
PREPEND_SLOT = {
    "bool": "PrependBoolSlot",
    "byte": "PrependInt8Slot",
    "ubyte": "PrependUint8Slot",
    "int": "PrependInt32Slot",
    "uint": "PrependUint32Slot",
    "long": "PrependInt64Slot",
    "ulong": "PrependUint64Slot",
    "float": "PrependFloat32Slot",
}


class RecordingBuilder:
    """Stands in for FlatBuffers' builder and notes what generated code asks of it."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def __getattr__(self, method: str) -> Any:
        return lambda *arguments: self.calls.append((method, *arguments))


def recorded(function: str, *arguments: object) -> tuple[Any, ...]:
    builder = RecordingBuilder()
    getattr(tflite, function)(builder, *arguments)
    return builder.calls[0]


def constants(enumeration: type) -> dict[str, int]:
    return {name: code for name, code in vars(enumeration).items() if name[0] != "_" and isinstance(code, int)}


@pytest.mark.parametrize("table", schema.TABLES.values(), ids=lambda table: table.name)
def test_slots_types_and_defaults_are_those_of_the_package(table: schema.Table) -> None:
    assert recorded(f"{table.name}Start") == ("StartObject", len(table.slots))
    # Generated code has no function for a deprecated field, so that one that is left out here would be noticed.
    added = [name for name in dir(tflite) if name.startswith(f"{table.name}Add")]
    assert sorted(added) == sorted(f"{table.name}Add{field.accessor}" for field in table.fields)
    for slot, field in enumerate(table.slots):
        if field.deprecated:
            continue
        method, found_slot, _, default = recorded(f"{table.name}Add{field.accessor}", 1)
        is_scalar = field.type in schema.SCALARS and not field.vector
        assert method == (PREPEND_SLOT[field.type] if is_scalar else "PrependUOffsetTRelativeSlot"), field.name
        assert (found_slot, default) == (slot, field.default), field.name
        if field.vector:
            size = schema.SCALARS[field.type].itemsize if field.type in schema.SCALARS else schema.OFFSET_BYTES
            assert recorded(f"{table.name}Start{field.accessor}Vector", 3) == ("StartVector", size, 3, size)


@pytest.mark.parametrize("union", ["BuiltinOptions", "BuiltinOptions2"])
def test_union_codes_are_those_of_the_package(union: str) -> None:
    codes = constants(getattr(tflite, union))
    assert codes.pop("NONE") == 0
    assert {table.name: schema.union_code(union, table.name) for table in schema.UNIONS[union]} == codes
    assert all(schema.union_member(union, code) is schema.OPTIONS[name] for name, code in codes.items())
    assert schema.union_member(union, 0) is None
    assert schema.union_member(union, max(codes.values()) + 1) is None


def test_data_types_are_those_of_the_package() -> None:
    assert {dtype.name: dtype.code for dtype in schema.DATA_TYPES.values()} == constants(tflite.TensorType)
    for dtype in schema.DATA_TYPES.values():
        assert dtype.numpy is None or dtype.numpy.itemsize * 8 == dtype.bits
    assert schema.DATA_TYPES["INT4"].size(5) == 3


@pytest.mark.parametrize(
    "enumeration",
    [
        schema.Padding,
        schema.ActivationFunctionType,
        schema.MirrorPadMode,
        schema.FullyConnectedOptionsWeightsFormat,
    ],
)
def test_enumerations_are_those_of_the_package(enumeration: type[IntEnum]) -> None:
    assert {member.name: member.value for member in enumeration} == constants(getattr(tflite, enumeration.__name__))


def test_operators_leave_out_the_codes_that_stand_for_others() -> None:
    missing = set(constants(tflite.BuiltinOperator)) - set(schema.BUILTIN_OPERATORS)
    assert missing == {"CUSTOM", "PLACEHOLDER_FOR_GREATER_OP_CODES"}
    assert schema.BUILTIN_OPERATOR_OF_CODE[schema.BUILTIN_OPERATORS["CONV_2D"]] == "CONV_2D"


def test_fields_that_name_subgraphs_are_known() -> None:
    named = {
        f"{table.name}.{field.name}"
        for table in schema.OPTIONS.values()
        for field in table.fields
        if field.refers_to_subgraph
    }
    assert named == {
        "CallOptions.subgraph",
        "CallOnceOptions.init_subgraph_index",
        "IfOptions.then_subgraph_index",
        "IfOptions.else_subgraph_index",
        "WhileOptions.cond_subgraph_index",
        "WhileOptions.body_subgraph_index",
        "StablehloCustomCallOptions.called_computations",
        "StablehloReduceOptions.body_subgraph_index",
        "StablehloReduceWindowOptions.body_subgraph_index",
        "StablehloScatterOptions.update_computation_subgraph_index",
        "StablehloSortOptions.comparator_subgraph_index",
        "StablehloWhileOptions.cond_subgraph_index",
        "StablehloWhileOptions.body_subgraph_index",
        "StableHLOCompositeOptions.decomposition_subgraph_index",
    }
