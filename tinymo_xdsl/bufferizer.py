"""
Rewrites a level-2 function into one on buffers: what the pass `bufferize` does, once `analysis.buffer_groups` has
decided which tensors share bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from xdsl.dialects import memref
from xdsl.dialects.builtin import FunctionType, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Operation, SSAValue

from tinymo_xdsl.analysis.buffer_groups import BufferGroups, part_starts, window_offset
from tinymo_xdsl.analysis.buffers import buffer_bytes
from tinymo_xdsl.analysis.kernels import is_constant
from tinymo_xdsl.analysis.liveness import is_variable
from tinymo_xdsl.analysis.rows import shape_of
from tinymo_xdsl.analysis.sizes import byte_size
from tinymo_xdsl.buffers import buffer_type, byte_buffer_type, place_in, window_at
from tinymo_xdsl.dialects import tinymo, tosa
from tinymo_xdsl.facts import TENSOR_KEY, tensor_facts

ON_TENSORS = (tinymo.KernelOp, tinymo.SplitOp, tinymo.JoinOp, tinymo.SpillOp, tinymo.ReloadOp)
"""The ops of level 2 that work on tensors in memory."""


@dataclass
class Copied:
    """What is copied at run time."""

    places: int = 0
    bytes: int = 0
    """Of tensors that could not be views."""
    spilled: int = 0
    """Bytes that go to another memory or come back."""

    def add(self, size: int) -> None:
        """One more copy."""
        self.places += bool(size)
        self.bytes += size

    def describe(self) -> str:
        """The copies in one line."""
        places = f"{self.places} places" if self.places > 1 else "one place"
        copies = f"{self.bytes:,} bytes are copied in {places}" if self.places else "nothing is copied"
        return f"{copies}; {self.spilled:,} bytes go between memories" if self.spilled else copies


class Bufferizer:
    """Rewrites one function from its first op to its last."""

    def __init__(self, function: FuncOp, groups: BufferGroups) -> None:
        self.function = function
        self.groups = groups
        self.copied = Copied()
        self._block = function.body.block
        self._bases: dict[int, SSAValue] = {}
        self._buffers: dict[SSAValue, SSAValue] = {}

    def run(self) -> None:
        """Buffers of the arguments first, then op by op."""
        ops = list(self._block.ops)
        arguments = list(self._block.args)
        for index, argument in enumerate(arguments):
            self._insert(ops[0], tinymo.InputOp(self._buffer(argument, ops[0]), index))
        for op in ops:
            self._rewrite(op)
        for op in reversed(ops):
            is_unused = any(map(is_constant, op.results)) and not any(result.uses for result in op.results)
            if isinstance(op, ON_TENSORS) or is_unused:
                op.detach()
                op.erase(safe_erase=False)
        for argument in arguments:
            self._block.erase_arg(argument, safe_erase=False)
        terminator = cast(ReturnOp, self._block.last_op)
        self.function.function_type = FunctionType.from_lists([], list(terminator.arguments.types))
        self.function.arg_attrs = None

    def _rewrite(self, op: Operation) -> None:
        match op:
            case tinymo.KernelOp():
                self._kernel(op)
            case tinymo.SplitOp():
                for part, (low, _) in zip(op.parts, op.ranges, strict=True):
                    self._window(op, part, low)
            case tinymo.JoinOp():
                for part, low in zip(op.parts, part_starts(op), strict=True):
                    self._part(op, part, low)
            case tinymo.SpillOp():
                self._spill(op)
            case tinymo.ReloadOp():
                self._insert(op, memref.CopyOp(self._buffers[op.handle], self._buffer(op.result, op)))
                self.copied.spilled += byte_size(op.result)
            case ReturnOp():
                op.operands = [self._value(value, op) for value in op.arguments]
            case _:
                pass

    def _insert(self, before: Operation, *ops: Operation) -> None:
        for op in ops:
            self._block.insert_op_before(op, before)

    def _buffer(self, value: SSAValue, before: Operation) -> SSAValue:
        """The buffer of a tensor, made before an op if it is not there yet."""
        if value not in self._buffers:
            type_ = cast(TensorType, value.type)
            home = self.groups.homes.get(value)
            members = () if home is None else self.groups.members[home.group]
            if home is None or len(members) == 1:
                self._define(value, [memref.AllocOp([], [], buffer_type(type_))], before)
            else:
                base = self._base(home.group, before)
                if value not in self._buffers:
                    self._define(value, place_in(base, home.offset, type_), before)
        return self._buffers[value]

    def _base(self, group: int, before: Operation) -> SSAValue:
        """What all members of a group lie in: the first that holds the others, if one does, else a buffer of bytes."""
        if group not in self._bases:
            members = self.groups.members[group]
            size = max(self.groups.homes[value].offset + byte_size(value) for value in members)
            whole = next((value for value in members if byte_size(value) == size), None)
            if whole is None:
                alloc = memref.AllocOp([], [], byte_buffer_type(size))
                self._insert(before, alloc)
                self._bases[group] = alloc.memref
            else:
                self._define(whole, [memref.AllocOp([], [], buffer_type(cast(TensorType, whole.type)))], before)
                self._bases[group] = self._buffers[whole]
        return self._bases[group]

    def _define(self, value: SSAValue, ops: Sequence[Operation], before: Operation) -> None:
        """Inserts ops of which the last yields the buffer of `value`, with its facts and its name in the text."""
        self._insert(before, *ops)
        if (facts := tensor_facts(value)) is not None:
            ops[-1].attributes[TENSOR_KEY] = facts.to_attribute()
        (buffer,) = ops[-1].results
        buffer.name_hint = value.name_hint
        self._buffers[value] = buffer

    def _kernel(self, op: tinymo.KernelOp) -> None:
        only = _only_op(op)
        cut = only if isinstance(only, tosa.SliceOp) and not is_outside(only.input1) else None
        start = None if cut is None else tosa.constant_shape(cut.start)
        if cut is not None and start is not None:
            self._slice(op, cut, start)
        elif only is None or not self._is_in_place(only, op.results[0]):
            self._form(op)
        else:
            for value in (*only.operands, *op.results):
                if value in self.groups.homes:
                    self._buffer(value, op)

    def _form(self, op: tinymo.KernelOp) -> None:
        """The kernel on buffers."""
        inner = list(op.body.block.ops)
        operands = dict.fromkeys(operand for entry in inner for operand in entry.operands)
        reads = [operand for operand in operands if operand.owner not in inner and not is_outside(operand)]
        buffers = [self._buffer(value, op) for value in reads]
        destinations = [self._buffer(value, op) for value in op.results]
        body = Block(arg_types=[value.type for value in reads])
        arguments: dict[SSAValue, SSAValue] = dict(zip(reads, body.args, strict=True))
        for value, argument in zip(reads, body.args, strict=True):
            argument.name_hint = value.name_hint
        for entry in inner:
            entry.detach()
            body.add_op(entry)
            entry.operands = [arguments.get(operand, operand) for operand in entry.operands]
        kernel = tinymo.KernelOp(body, (), buffers, destinations)
        kernel.attributes.update(op.attributes)
        self._insert(op, kernel)

    def _is_in_place(self, copy: tosa.ReshapeOp | tosa.SliceOp | tosa.ConcatOp, result: SSAValue) -> bool:
        """Whether a kernel would only copy bytes onto themselves. Counts what it copies if not."""
        if isinstance(copy, tosa.ConcatOp):
            moved = [part for part, at in _concatenated(copy, result) if not self._is_view(part, result, at)]
        else:
            moved = [] if self._is_view(result, copy.input1, 0) else [result]
        for value in moved:
            self.copied.add(byte_size(value))
        return not moved

    def _is_view(self, part: SSAValue, whole: SSAValue, offset: int | None) -> bool:
        return offset is not None and self.groups.is_view(part, whole, offset)

    def _slice(self, op: tinymo.KernelOp, cut: tosa.SliceOp, start: Sequence[int]) -> None:
        """A window that is no view is copied from where it lies: the other bytes of its source are not read."""
        result, source = op.results[0], cut.input1
        buffer = self._buffer(result, op)
        offsets = self.groups.copies.get((result, source), ())
        if not any(self._is_view(result, source, offset) for offset in offsets):
            self._copy(op, self._window_of(op, source, start, result), buffer)

    def _window(self, split: tinymo.SplitOp, part: SSAValue, low: int) -> None:
        source, axis = split.source, split.axis.value.data
        buffer = self._buffer(part, split)
        if not self._is_view(part, source, window_offset(part, source, axis, low)):
            self._copy(split, self._window_of(split, source, _start(source, axis, low), part), buffer)

    def _part(self, join: tinymo.JoinOp, part: SSAValue, low: int) -> None:
        result, axis = join.result, join.axis.value.data
        self._buffer(result, join)
        if not self._is_view(part, result, window_offset(part, result, axis, low)):
            source = self._value(part, join)
            self._copy(join, source, self._window_of(join, result, _start(result, axis, low), part))

    def _window_of(self, before: Operation, whole: SSAValue, start: Sequence[int], part: SSAValue) -> SSAValue:
        window = window_at(self._value(whole, before), start, cast(TensorType, part.type))
        self._insert(before, window)
        return window.results[0]

    def _copy(self, before: Operation, source: SSAValue, destination: SSAValue) -> None:
        self._insert(before, memref.CopyOp(source, destination))
        self.copied.add(buffer_bytes(destination.type))

    def _spill(self, op: tinymo.SpillOp) -> None:
        source = self._value(op.source, op)
        alloc = memref.AllocOp([], [], buffer_type(cast(TensorType, op.source.type), op.memory.data))
        self._define(op.handle, [alloc], op)
        self._insert(op, memref.CopyOp(source, alloc.memref))
        self.copied.spilled += byte_size(op.source)

    def _value(self, value: SSAValue, before: Operation) -> SSAValue:
        """A buffer that holds `value`, whether it lies in one or is taken from outside."""
        return self._constant(value, before) if is_outside(value) else self._buffer(value, before)

    def _constant(self, value: SSAValue, before: Operation) -> SSAValue:
        """A buffer that a kernel fills with a constant, or with what a variable holds."""
        alloc = memref.AllocOp([], [], buffer_type(cast(TensorType, value.type)))
        self._insert(before, alloc, tinymo.KernelOp(Block([tinymo.YieldOp([value])]), (), (), [alloc.memref]))
        self.copied.add(byte_size(value))
        return alloc.memref


def is_outside(value: SSAValue) -> bool:
    """Whether kernels take `value` from outside, not from a buffer."""
    return is_constant(value) or is_variable(value)


def _only_op(kernel: tinymo.KernelOp) -> tosa.ReshapeOp | tosa.SliceOp | tosa.ConcatOp | None:
    """The op of a kernel that does nothing but copy; `None` for other kernels."""
    first = kernel.body.block.first_op
    is_copy = isinstance(first, tosa.ReshapeOp | tosa.SliceOp | tosa.ConcatOp)
    return first if is_copy and first.next_op is kernel.terminator and len(kernel.results_) == 1 else None


def _start(whole: SSAValue, axis: int, low: int) -> list[int]:
    return [low if index == axis else 0 for index in range(len(shape_of(whole)))]


def _concatenated(op: tosa.ConcatOp, result: SSAValue) -> list[tuple[SSAValue, int | None]]:
    """The parts and where they begin in the bytes of `result`; `None` for one that is many runs there."""
    axis, at = op.axis.value.data, 0
    parts: list[tuple[SSAValue, int | None]] = []
    for part in op.tensors:
        parts.append((part, window_offset(part, result, axis, at)))
        at += shape_of(part)[axis]
    return parts
