"""
The arena plan that a `.tflite` file may carry for TFLite Micro: where each tensor lies.

It is a metadata entry of little-endian int32: a version, the number of subgraphs, the number of tensors of all of them
together, and for each tensor, subgraph after subgraph, its offset in bytes from the start of the arena's head, or -1 if
TFLite Micro is to find a place (always so for constants, and for variables, which lie in the tail). TFLite Micro checks
the number of tensors, nothing else: not alignment, not overlap. Other runtimes do not look at it.

Source: `tensorflow/lite/micro/docs/memory_management.md` and `micro_allocation_info.cc`.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tinymo_xdsl.flatbuffer.model import Metadata, Model

OFFLINE_PLAN = "OfflineMemoryAllocation"
"""The name of the metadata entry."""
UNPLANNED = -1
"""The offset of a tensor that the plan leaves to TFLite Micro."""
_INTEGER = np.dtype("<i4")
_VERSION = 0


def with_plan(model: Model, offsets: Sequence[int]) -> Model:
    """
    `model` with this plan in the place of any other. `offsets` has an entry for each tensor, subgraph after subgraph.

    A plan is for the tensors of one file in their order: nothing may add or reorder tensors afterwards.
    """
    tensors = sum(len(subgraph.tensors) for subgraph in model.subgraphs)
    if len(offsets) != tensors:
        raise ValueError(f"{len(offsets)} offsets for {tensors} tensors")
    numbers = [_VERSION, len(model.subgraphs), tensors, *offsets]
    entry = Metadata(OFFLINE_PLAN, np.array(numbers, _INTEGER).tobytes())
    return replace(model, metadata=(*without_plan(model).metadata, entry))


def without_plan(model: Model) -> Model:
    """`model` without a plan: TFLite Micro makes one when it loads the file."""
    return replace(model, metadata=tuple(entry for entry in model.metadata if entry.name != OFFLINE_PLAN))


def planned_offsets(model: Model) -> tuple[int, ...] | None:
    """The offset of each tensor, subgraph after subgraph; `None` without a plan. Of several plans the last holds."""
    entries = [entry for entry in model.metadata if entry.name == OFFLINE_PLAN]
    if not entries:
        return None
    numbers: list[int] = np.frombuffer(entries[-1].data, _INTEGER).tolist()
    return tuple(numbers[3:])
