"""
A check that every byte a FlatBuffer refers to lies in the file, and that the schema knows every field in it.

Generated accessors trust their input; after this check they may.
"""

import struct
from typing import NoReturn

from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.flatbuffer.schema import (
    FILE_IDENTIFIER,
    OFFSET_BYTES,
    SCALARS,
    TABLES,
    UNIONS,
    Field,
    Table,
    union_member,
)

_VTABLE_HEADER_BYTES = 4
# Builders share vtables and equal strings, so the bytes that are reached, counted each time, exceed the file's size a
# little. Far more of them is a small file that unfolds into a huge model.
_MOST_SHARING = 16


def check_identifier(start: bytes, source: str) -> None:
    """Refuse a file that is no `.tflite`, by its first 8 bytes; `source` names it. Raises `BadModelError`."""
    if start[4:8] != FILE_IDENTIFIER:
        problem = "is not a TFLite model (it has no file identifier TFL3)" if start else "is empty"
        raise BadModelError(f"{source}: the file {problem}; give a .tflite file")


class Bounds:
    """The extent of the parts of a file that were found to lie in it."""

    def __init__(self, data: bytes, source: str):
        self.data = data
        self.source = source
        """Names the file in messages."""
        self.end = 0
        """The offset behind the last byte that something refers to."""
        self.visited = 0

    def check_model(self) -> None:
        """
        Check all tables and what they refer to inside the FlatBuffer.

        Raises `BadModelError` for anything that lies outside of the file, and for a field or a union member that the
        schema does not know.
        """
        check_identifier(self.data[:8], self.source)
        self.table("model", self.target("model", 0), TABLES["Model"])

    def refuse(self, problem: str) -> NoReturn:
        raise BadModelError(f"{self.source}: {problem}")

    def claim(self, where: str, start: int, size: int) -> None:
        """Note that `where` takes `size` bytes at `start`."""
        end = start + size
        if start < 0 or end > len(self.data):
            self.refuse(f"{where} lies outside of the file; the file is truncated or damaged")
        self.visited += size
        if self.visited > _MOST_SHARING * len(self.data):
            self.refuse(f"{where} and others share the same bytes; the file is damaged")
        self.end = max(self.end, end)

    def target(self, where: str, position: int) -> int:
        """Where the offset at `position` leads."""
        self.claim(where, position, OFFSET_BYTES)
        (offset,) = struct.unpack_from("<I", self.data, position)
        return position + offset

    def vector(self, where: str, position: int, item_size: int) -> range:
        """The positions of the items of the vector that the offset at `position` leads to."""
        start = self.target(where, position)
        self.claim(where, start, OFFSET_BYTES)
        (length,) = struct.unpack_from("<I", self.data, start)
        start += OFFSET_BYTES
        self.claim(where, start, length * item_size)
        return range(start, start + length * item_size, item_size)

    def string(self, where: str, position: int) -> None:
        items = self.vector(where, position, 1)
        try:
            self.data[items.start : items.stop].decode()
        except UnicodeDecodeError:
            self.refuse(f"{where} is not UTF-8 text; the file is damaged")

    def table(self, where: str, position: int, table: Table) -> None:
        """Check the `table` at `position` and all that it refers to."""
        self.claim(where, position, OFFSET_BYTES)
        (back,) = struct.unpack_from("<i", self.data, position)
        vtable = position - back
        self.claim(where, vtable, _VTABLE_HEADER_BYTES)
        vtable_size, table_size = struct.unpack_from("<HH", self.data, vtable)
        self.claim(where, vtable, vtable_size)
        self.claim(where, position, table_size)
        if vtable_size < _VTABLE_HEADER_BYTES or vtable_size % 2 or table_size < OFFSET_BYTES:
            self.refuse(f"{where} has no valid layout; the file is damaged")
        count = (vtable_size - _VTABLE_HEADER_BYTES) // 2
        offsets: tuple[int, ...] = struct.unpack_from(f"<{count}H", self.data, vtable + _VTABLE_HEADER_BYTES)
        for slot in range(len(table.slots), count):
            if offsets[slot]:
                self.refuse(f"{where}: field {slot} of {table.name} is newer than the schema of this version")
        for slot, (field, offset) in enumerate(zip(table.slots, offsets, strict=False)):
            if not offset:
                continue
            if offset + field.inline_bytes > table_size:
                self.refuse(f"{where}.{field.name} lies outside of its table; the file is damaged")
            # The type of a union lies in the slot before its value.
            type_offset = offsets[slot - 1] if field.type in UNIONS else 0
            selector = self.data[position + type_offset] if type_offset else 0
            self.field(f"{where}.{field.name}", position + offset, field, selector)

    def field(self, where: str, position: int, field: Field, selector: int) -> None:
        """Check what the `field` at `position` refers to; `selector` is the member's code if it is a union."""
        if field.vector:
            self.vector_field(where, position, field)
        elif field.type == "string":
            self.string(where, position)
        elif field.type in TABLES:
            self.table(where, self.target(where, position), TABLES[field.type])
        elif field.type in UNIONS and selector:
            member = union_member(field.type, selector)
            if member is None:
                self.refuse(f"{where}: member {selector} of {field.type} is newer than the schema of this version")
            self.table(f"{where} ({member.name})", self.target(where, position), member)

    def vector_field(self, where: str, position: int, field: Field) -> None:
        if field.type in SCALARS:
            self.vector(where, position, SCALARS[field.type].itemsize)
            return
        for index, item in enumerate(self.vector(where, position, OFFSET_BYTES)):
            place = f"{where}[{index}]"
            self.table(place, self.target(place, item), TABLES[field.type])
