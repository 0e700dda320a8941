"""
`plan-memory`: from level 3 to level 4, buffers get their places in one arena a memory.

```mlir
func.func @main() -> memref<16xi8> {      func.func @main(%sram: memref<32xi8>) -> memref<16xi8> {
  %x = memref.alloc() : memref<16xi8>       %0 = arith.constant 0 : index
  ...                                  =>   %x = memref.view %sram[%0][] : memref<32xi8> to memref<16xi8>
                                            ...
```

`analysis.buffers` says when each byte is needed, `planner.arena` where buffers lie, and an independent check looks at
every plan. Subviews and casts of buffers stay what they are. `tinymo.arena` states the lower bound of the arena, the
alignment and whether no smaller arena exists. Each function has arenas of its own.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, cast

from xdsl.context import Context
from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    FunctionType,
    IntegerAttr,
    MemRefType,
    ModuleOp,
    NoneAttr,
    StringAttr,
    UnitAttr,
    i64,
)
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.dialects.memref import AllocOp
from xdsl.ir import Attribute, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter
from xdsl.utils.exceptions import PassFailedException

from tinymo_xdsl.analysis.aliases import TFLM_ALIGNMENT
from tinymo_xdsl.analysis.buffers import ViewLike, accesses_of, buffer_bytes, lifetimes
from tinymo_xdsl.analysis.kernels import functions, is_bufferized
from tinymo_xdsl.analysis.memory_table import in_bytes
from tinymo_xdsl.buffers import byte_buffer_type, byte_view, memory_of
from tinymo_xdsl.facts import name_of
from tinymo_xdsl.numerics.sizes import parse_size
from tinymo_xdsl.planner.arena.memories import Memory, MemoryPlan, Planner, plan_memories
from tinymo_xdsl.planner.arena.omnimalloc_adapter import plan_with_both
from tinymo_xdsl.planner.arena.portfolio import plan as plan_alone
from tinymo_xdsl.planner.arena.problem import Buffer, Piece, Problem, round_up

ARENA_KEY = "tinymo.arena"
DEFAULT_MEMORY = "sram"
"""What to call the memory of buffers that name none: the fastest."""
EFFORT = 20_000
"""States that the planner looks at by default: a second or two where it does not find a plan as low as the bound."""


@dataclass(frozen=True)
class Arena:
    """The planned arena of one memory."""

    memory: str
    size: int
    """Bytes."""
    lower_bound: int
    """Bytes that no plan of the same buffers can go below."""
    is_optimal: bool
    """Whether no smaller arena exists."""

    def describe(self) -> str:
        """The arena in one line."""
        proof = "optimal" if self.is_optimal else "not proven optimal"
        return f"{self.memory}: {in_bytes(self.size)}, lower bound {in_bytes(self.lower_bound)}, {proof}"

    def to_attribute(self, alignment: int) -> DictionaryAttr:
        """What stands at the argument that is the arena; its type states memory and size."""
        entries: dict[str, Attribute] = {
            "lower_bound": IntegerAttr(self.lower_bound, i64),
            "alignment": IntegerAttr(alignment, i64),
        }
        return DictionaryAttr(entries | ({"optimal": UnitAttr()} if self.is_optimal else {}))


def plan_function(
    function: FuncOp,
    memories: Sequence[Memory] = (),
    alignment: int = TFLM_ALIGNMENT,
    effort: int = EFFORT,
    planner: Planner = plan_alone,
) -> tuple[Arena, ...]:
    """
    Gives every buffer of a level-3 function its place, and says what that takes.

    `memories` are those with a capacity, from the fastest on; others take what they need. A buffer that names no memory
    lies in `DEFAULT_MEMORY`, and goes down if it does not fit there. `BudgetError` if there is nowhere to go.
    """
    needed = {buffer: pieces for buffer, pieces in lifetimes(function).items() if isinstance(buffer.owner, AllocOp)}
    accesses = Counter(access.place.buffer for access in accesses_of(function))
    planned: dict[str, SSAValue] = {}
    problem: list[Buffer] = []
    for number, (buffer, pieces) in enumerate(needed.items()):
        if pieces and buffer_bytes(buffer.type):
            name = f"{number}: {name_of(buffer)}"
            planned[name] = buffer
            blocks = tuple(_blocks(buffer, pieces, alignment))
            problem.append(Buffer(name, blocks, alignment, memory=memory_of(buffer.type), accesses=accesses[buffer]))
    plans = plan_memories(Problem(tuple(problem)), _all_memories(memories, needed), effort, planner)
    # What has no bytes, or is never touched, lies at the start.
    places = {buffer: _Place(memory_of(buffer.type) or DEFAULT_MEMORY, 0) for buffer in needed}
    for plan in plans:
        for entry, offset in zip(plan.problem.buffers, plan.solution.offsets, strict=True):
            places[planned[entry.name]] = _Place(plan.memory.name, offset)
    used = {place.memory for place in places.values()}
    arenas = tuple(_arena(plan) for plan in plans if plan.memory.name in used)
    _rewrite(function, arenas, places, alignment)
    return arenas


@dataclass(frozen=True)
class _Place:
    memory: str
    offset: int


def _blocks(buffer: SSAValue, pieces: Sequence[Piece], alignment: int) -> Iterator[Piece]:
    """The pieces in whole blocks; bytes that nothing touches belong to the buffer too."""
    for piece in pieces:
        start = piece.offset // alignment * alignment
        yield Piece(start, round_up(piece.top, alignment) - start, piece.start, piece.end)
    if max(piece.top for piece in pieces) < (size := buffer_bytes(buffer.type)):
        yield Piece(0, round_up(size, alignment), pieces[0].start, pieces[0].end)


def _all_memories(given: Sequence[Memory], buffers: Iterable[SSAValue]) -> list[Memory]:
    """From the fastest on: the one of buffers that name none, those that are given, those that buffers name."""
    memories = {DEFAULT_MEMORY: Memory(DEFAULT_MEMORY)} | {memory.name: memory for memory in given}
    for buffer in buffers:
        if (name := memory_of(buffer.type)) is not None:
            memories.setdefault(name, Memory(name))
    return list(memories.values())


def _arena(plan: MemoryPlan) -> Arena:
    solution = plan.solution
    return Arena(plan.memory.name, solution.arena, solution.lower_bound, solution.optimal)


def _rewrite(function: FuncOp, arenas: Sequence[Arena], places: Mapping[SSAValue, _Place], alignment: int) -> None:
    block = function.body.block
    arguments: dict[str, SSAValue] = {}
    for arena in arenas:
        type_ = byte_buffer_type(arena.size, _memory_space(arena.memory))
        arguments[arena.memory] = block.insert_arg(type_, len(block.args))
        arguments[arena.memory].name_hint = arena.memory
    for buffer, place in places.items():
        alloc = cast(AllocOp, buffer.owner)
        ops = byte_view(arguments[place.memory], place.offset, _in_memory(buffer.type, place.memory))
        block.insert_ops_before(ops, alloc)
        ops[-1].attributes.update(alloc.attributes)
        ops[-1].results[0].name_hint = buffer.name_hint
        buffer.replace_all_uses_with(ops[-1].results[0])
        alloc.detach()
        alloc.erase()
        _move_views(ops[-1].results[0], place.memory)
    terminator = cast(ReturnOp, block.last_op)
    function.function_type = FunctionType.from_lists(block.arg_types, list(terminator.arguments.types))
    function.arg_attrs = ArrayAttr([DictionaryAttr({ARENA_KEY: arena.to_attribute(alignment)}) for arena in arenas])


def _move_views(source: SSAValue, memory: str) -> None:
    """Subviews and casts lie in the memory of what they are views of."""
    for view in [use.operation for use in source.uses]:
        if isinstance(view, ViewLike) and (type_ := _in_memory(view.result.type, memory)) != view.result.type:
            _move_views(Rewriter.replace_value_with_new_type(view.result, type_), memory)


def _in_memory(type_: Attribute, memory: str) -> MemRefType:
    old = cast(MemRefType, type_)
    return MemRefType(old.element_type, old.get_shape(), old.layout, _memory_space(memory))


def _memory_space(memory: str) -> Attribute:
    return NoneAttr() if memory == DEFAULT_MEMORY else StringAttr(memory)


@dataclass(frozen=True)
class PlanMemoryPass(ModulePass):
    """Give every buffer its place in one arena a memory, and print what the arenas take to standard error."""

    name: ClassVar[str] = "plan-memory"

    capacities: tuple[str, ...] = ()
    """Memories and their sizes, from the fastest on: `sram:64K,psram:8M`. What names no memory goes to `sram`, and down
    if it does not fit. Memories that are not listed take what they need."""

    alignment: int = TFLM_ALIGNMENT
    """Buffers begin at multiples of this many bytes."""

    effort: int = EFFORT
    """How many states the planner looks at where its first plans are not as low as the bound."""

    planner: Literal["own", "omnimalloc"] = "own"
    """Who plans: our own planner, or omnimalloc beside it, which has to be installed; the better plan is taken."""

    def __post_init__(self) -> None:
        """Raises `ValueError` for an alignment or effort that makes no sense, and for what is no capacity."""
        if self.alignment < 1:
            raise ValueError(f"alignment is {self.alignment}, but must be at least 1")
        if self.effort < 0:
            raise ValueError(f"effort is {self.effort}, but must not be negative")
        for capacity in self.capacities:
            _memory(capacity)

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Plans every function by itself; what is planned already stays as it is."""
        memories = [_memory(capacity) for capacity in self.capacities]
        planner = plan_alone if self.planner == "own" else plan_with_both
        for function in functions(op):
            name = function.sym_name.data
            if not is_bufferized(function) and not _has_no_tensors(function):
                raise PassFailedException(f"@{name} works on tensors, which have no places: run bufferize first")
            if not any(isinstance(entry, AllocOp) for entry in function.body.block.ops):
                continue
            if function.args:
                raise PassFailedException(f"@{name} has arenas and buffers outside of them: plan all of them at once")
            for arena in plan_function(function, memories, self.alignment, self.effort, planner):
                print(f"arena of @{name} in {arena.describe()}", file=sys.stderr)


def _has_no_tensors(function: FuncOp) -> bool:
    terminator = function.body.block.last_op
    return not function.args and not (terminator is not None and terminator.operands)


def _memory(text: str) -> Memory:
    """A memory of `name:size`; raises `ValueError` for anything else."""
    name, colon, size = text.partition(":")
    if not name or not colon:
        raise ValueError(f"'{text}' is no capacity; write a memory and its size, sram:64K")
    return Memory(name, parse_size(size))
