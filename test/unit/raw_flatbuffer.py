"""Files that the writer would not write: single fields of a sound model changed, added or left out."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import flatbuffers

Slot: TypeAlias = tuple[str, Any]
"""The builder's name of a kind of field, and the value; a part that the field refers to is a function that adds it."""
Slots: TypeAlias = Mapping[int, Slot]
Part: TypeAlias = Callable[[flatbuffers.Builder], int]


def text(value: bytes) -> Slot:
    return "UOffsetTRelative", lambda builder: builder.CreateByteVector(value)


def ints(*values: int) -> Slot:
    def add(builder: flatbuffers.Builder) -> int:
        builder.StartVector(4, len(values), 4)
        for value in reversed(values):
            builder.PrependInt32(value)
        return builder.EndVector()

    return "UOffsetTRelative", add


def tables(*parts: Part) -> Slot:
    def add(builder: flatbuffers.Builder) -> int:
        offsets = [part(builder) for part in parts]
        builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            builder.PrependUOffsetTRelative(offset)
        return builder.EndVector()

    return "UOffsetTRelative", add


def table(slots: Slots) -> Part:
    def add(builder: flatbuffers.Builder) -> int:
        values = {slot: value(builder) if callable(value) else value for slot, (_, value) in slots.items()}
        builder.StartObject(max(slots, default=-1) + 1)
        for slot, (kind, _) in slots.items():
            getattr(builder, f"Prepend{kind}Slot")(slot, values[slot], 0)
        return builder.EndObject()

    return add


def raw_file(changes: Mapping[str, Slots]) -> bytes:
    """
    A model that computes the `LOGISTIC` of tensor `x` as tensor `y`, both int8 [1, 4].

    `changes` are fields by table and slot, added to those of the model or in their place. `Tensor` is tensor `x`.
    """

    def changed(name: str, slots: Slots) -> Part:
        return table({**slots, **changes.get(name, {})})

    code = changed("OperatorCode", {0: ("Int8", 14), 2: ("Int32", 1), 3: ("Int32", 14)})
    tensor_x = changed("Tensor", {0: ints(1, 4), 1: ("Int8", 9), 3: text(b"x")})
    tensor_y = table({0: ints(1, 4), 1: ("Int8", 9), 3: text(b"y")})
    operator = changed("Operator", {1: ints(0), 2: ints(1)})
    graph = changed("SubGraph", {0: tables(tensor_x, tensor_y), 1: ints(0), 2: ints(1), 3: tables(operator)})
    buffers = tables(table({}), changed("Buffer", {}))
    model = changed("Model", {0: ("Uint32", 3), 1: tables(code), 2: tables(graph), 4: buffers})
    builder = flatbuffers.Builder(1024)
    builder.Finish(model(builder), b"TFL3")
    return bytes(builder.Output())
