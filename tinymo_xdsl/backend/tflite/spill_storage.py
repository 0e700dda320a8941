"""
Where spilled tensors of a module wait: a place in the storage of their memory for each, planned before the model runs.

Tensors that wait at different times share bytes. Functions may run each other, so each has bytes of its own.
"""

from collections.abc import Iterator, Mapping, Sequence

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from tinymo_xdsl.analysis.kernels import functions, kernels_of
from tinymo_xdsl.analysis.sizes import byte_size
from tinymo_xdsl.dialects import tinymo
from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.facts import name_of
from tinymo_xdsl.flatbuffer.spills import LARGEST_STORAGE, LONGEST_NAME, STORAGE_ALIGNMENT, SpillPlace
from tinymo_xdsl.planner.arena.portfolio import Effort, plan
from tinymo_xdsl.planner.arena.problem import Buffer, Problem, round_up


def plan_storage(module: ModuleOp) -> Mapping[SSAValue, SpillPlace]:
    """
    The place of each spilled tensor of `module`, by the handle that its spill yields.

    `BadModelError` for a memory without a name, one with a name too long for the file, and a storage of 4 GiB.
    """
    spills = [op for op in module.walk() if isinstance(op, tinymo.SpillOp)]
    places: dict[SSAValue, SpillPlace] = {}
    for memory in sorted({op.memory.data for op in spills}):
        if not 1 <= len(memory.encode()) <= LONGEST_NAME:
            raise BadModelError(f"the name of the memory '{memory}' must have 1 to {LONGEST_NAME} bytes")
        places.update(_plan_memory(module, memory))
    return places


def _plan_memory(module: ModuleOp, memory: str) -> Iterator[tuple[SSAValue, SpillPlace]]:
    offsets: dict[SSAValue, int] = {}
    storage = 0
    for function in functions(module):
        handles, buffers = _waiting(function, memory)
        solution = plan(Problem(tuple(buffers)), Effort.LOW)
        offsets.update((handle, storage + offset) for handle, offset in zip(handles, solution.offsets, strict=True))
        storage += round_up(solution.arena, STORAGE_ALIGNMENT)
    if storage > LARGEST_STORAGE:
        raise BadModelError(f"the spilled tensors need {storage:,} bytes of '{memory}', more than a file can say")
    for handle, offset in offsets.items():
        yield handle, SpillPlace(memory, offset, _size(handle), storage)


def _waiting(function: FuncOp, memory: str) -> tuple[Sequence[SSAValue], Sequence[Buffer]]:
    """The handles of a function, and for each the bytes that wait from its spill to its last reload."""
    handles: dict[SSAValue, tuple[int, int]] = {}
    for step, kernel in enumerate(kernels_of(function)):
        if isinstance(kernel.root, tinymo.SpillOp) and kernel.root.memory.data == memory:
            handles[kernel.root.handle] = step, step
        elif isinstance(kernel.root, tinymo.ReloadOp) and kernel.root.handle in handles:
            handles[kernel.root.handle] = handles[kernel.root.handle][0], step
    buffers = [
        Buffer.whole(f"{number}: {name_of(handle)}", _size(handle), first, last + 1, alignment=STORAGE_ALIGNMENT)
        for number, (handle, (first, last)) in enumerate(handles.items())
    ]
    return tuple(handles), buffers


def _size(handle: SSAValue) -> int:
    assert isinstance(handle.owner, tinymo.SpillOp)
    return byte_size(handle.owner.source)
