"""
The custom operators that copy tensors to a secondary memory and back.

`TINYMO_SPILL` copies its input to a place in the memory and yields a token, an int32 tensor of one element;
`TINYMO_RELOAD` takes the token and yields the tensor again. Both say the same in their custom options: where that place
is. They are a record of little-endian numbers without padding, then the memory's name.

| bytes | type | what |
|---|---|---|
| 0 | uint8 | the version of this format, 1 |
| 1 | uint8 | the length of the name in bytes, at least 1 |
| 2 to 3 | uint16 | 0 |
| 4 to 7 | uint32 | where the place begins in the memory's storage, in bytes, a multiple of 16 |
| 8 to 11 | uint32 | the tensor's bytes |
| 12 to 15 | uint32 | the bytes of storage that the whole file needs in this memory |
| from 16 | UTF-8 | the memory's name |
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from tinymo_xdsl.flatbuffer.model import Model, Operator, Subgraph

SPILL_OPERATOR = "TINYMO_SPILL"
RELOAD_OPERATOR = "TINYMO_RELOAD"
STORAGE_ALIGNMENT = 16
"""Bytes: places begin at multiples of this."""
LONGEST_NAME = 255
"""Bytes that the name of a memory may have."""
LARGEST_STORAGE = (1 << 32) - 1
"""Bytes that the storage of a memory may have."""

_VERSION = 1
_RECORD = struct.Struct("<BBHIII")


@dataclass(frozen=True)
class SpillPlace:
    """Where a spilled tensor waits."""

    memory: str
    offset: int
    """Bytes from the start of the memory's storage."""
    size: int
    """Bytes of the tensor."""
    storage: int
    """Bytes of storage that the whole file needs in this memory."""

    def to_options(self) -> bytes:
        """The custom options of the spill and of its reloads."""
        name = self.memory.encode()
        return _RECORD.pack(_VERSION, len(name), 0, self.offset, self.size, self.storage) + name

    @staticmethod
    def from_options(options: bytes) -> "SpillPlace | None":
        """The place that custom options state, or `None` if they are not of this format."""
        if len(options) <= _RECORD.size:
            return None
        version, length, reserved, offset, size, storage = _RECORD.unpack_from(options)
        name = options[_RECORD.size :]
        if (version, length, reserved) != (_VERSION, len(name), 0) or offset + size > storage:
            return None
        try:
            return SpillPlace(name.decode(), offset, size, storage)
        except UnicodeDecodeError:
            return None


def spill_places(graph: Subgraph) -> Mapping[Operator, SpillPlace]:
    """
    The place of each spill and each reload of `graph` that is as described above.

    Left out are those that cannot be told apart from any other custom operator: with options of another format, or with
    a token that is used in any other way.
    """
    found: dict[Operator, SpillPlace] = {}
    for operator in graph.operators:
        readers = [other for other in graph.operators if set(other.inputs) & set(operator.outputs)]
        place = SpillPlace.from_options(operator.custom_options)
        if place is not None and _is_spill(graph, operator) and _all_reload(graph, operator, readers):
            found.update(dict.fromkeys((operator, *readers), place))
    return found


def _is_spill(graph: Subgraph, operator: Operator) -> bool:
    if not _is_plain(operator, SPILL_OPERATOR):
        return False
    source, token = graph.tensors[operator.inputs[0]], graph.tensors[operator.outputs[0]]
    is_inner = operator.outputs[0] not in graph.outputs
    return is_inner and source.data is None and (token.dtype, token.shape) == ("INT32", (1,))


def _all_reload(graph: Subgraph, spill: Operator, readers: list[Operator]) -> bool:
    source = graph.tensors[spill.inputs[0]]
    results = [graph.tensors[reader.outputs[0]] for reader in readers if _is_plain(reader, RELOAD_OPERATOR)]
    return (
        len(results) == len(readers)
        and all(reader.custom_options == spill.custom_options for reader in readers)
        and all((result.dtype, result.shape) == (source.dtype, source.shape) for result in results)
    )


def _is_plain(operator: Operator, name: str) -> bool:
    """Whether it has one input and one output, and nothing but its custom options says more."""
    bare = Operator(name, operator.inputs, operator.outputs, custom=True, custom_options=operator.custom_options)
    is_bare = {**vars(operator), "options": dict(operator.options)} == vars(bare)
    return is_bare and len(operator.inputs) == len(operator.outputs) == 1 and operator.inputs[0] >= 0


def storage_bytes(model: Model) -> Mapping[str, int]:
    """The bytes of storage that an application has to give `model` in each memory, by the memory's name."""
    places = (place for graph in model.subgraphs for place in spill_places(graph).values())
    return {place.memory: place.storage for place in places}


def copied_bytes(model: Model) -> int:
    """The bytes that a run of `model` copies to and from secondary memories."""
    return sum(place.size for graph in model.subgraphs for place in spill_places(graph).values())
