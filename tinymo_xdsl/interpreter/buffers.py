"""
Functions on buffers: levels 3 and 4.

Every buffer that is allocated is a memory of its own; an arena is one memory of exactly its size. Kernels read their
operands from the bytes where they lie, at every call. What a buffer holds that is not needed any more becomes poison,
and so do the bytes of a result before its kernel begins to read, but for those that it may write over.
"""

from collections.abc import Iterable
from itertools import count
from typing import cast

from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import MemRefType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.interpreter import (
    Interpreter,
    PythonValues,
    ReturnedValues,
    TerminatorValue,
    impl,
    impl_callable,
    impl_terminator,
    register_impls,
)
from xdsl.interpreters.func import FuncFunctions
from xdsl.ir import Attribute, Operation, SSAValue

from tinymo_xdsl.analysis.buffers import (
    Place,
    buffer_bytes,
    constant_offset,
    is_buffer,
    lifetimes,
    may_overlap,
    place_of,
    steps_of,
)
from tinymo_xdsl.analysis.kernels import is_bufferized
from tinymo_xdsl.dialects import tinymo
from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.facts import name_of
from tinymo_xdsl.interpreter.arena import NOBODY, Memory, Span
from tinymo_xdsl.numerics.dense import Array


@register_impls
class BufferFunctions(FuncFunctions):
    """Calls functions with arrays, whatever their level, and runs the ops on buffers."""

    def __init__(self) -> None:
        self._inputs: list[PythonValues] = []
        """Of the bufferized functions that run, the innermost last."""
        self._owners = count(NOBODY + 1)
        """A number for each buffer that is made."""
        self._deaths: dict[FuncOp, dict[Operation, list[Place]]] = {}

    @impl_callable(FuncOp)
    def call(self, interpreter: Interpreter, op: FuncOp, args: PythonValues) -> PythonValues:
        """Arrays in, arrays out."""
        if not is_bufferized(op):
            return interpreter.run_ssacfg_region(op.body, args, op.sym_name.data)
        if op not in self._deaths:
            self._deaths[op] = _deaths(op)
        self._inputs.append(args)
        try:
            arenas = tuple(_allocate(argument) for argument in op.body.block.args)
            return interpreter.run_ssacfg_region(op.body, arenas, op.sym_name.data)
        finally:
            self._inputs.pop()

    @impl_terminator(ReturnOp)
    def return_(
        self, interpreter: Interpreter, op: ReturnOp, args: PythonValues
    ) -> tuple[TerminatorValue, PythonValues]:
        returned = [
            value.read(f"output {number}") if isinstance(value, Span) else value for number, value in enumerate(args)
        ]
        return ReturnedValues(tuple(returned)), ()

    @impl(memref.AllocOp)
    def alloc(self, interpreter: Interpreter, op: memref.AllocOp, args: PythonValues) -> PythonValues:
        return (_allocate(op.memref).owned_by(next(self._owners)),)

    @impl(arith.ConstantOp)
    def constant(self, interpreter: Interpreter, op: arith.ConstantOp, args: PythonValues) -> PythonValues:
        return (constant_offset(op.result),)

    @impl(memref.ViewOp)
    def view(self, interpreter: Interpreter, op: memref.ViewOp, args: PythonValues) -> PythonValues:
        span = _place_in(args[0], op.result, args[1])
        return (span.owned_by(next(self._owners)) if is_buffer(op.result) else span,)

    @impl(memref.SubviewOp)
    def subview(self, interpreter: Interpreter, op: memref.SubviewOp, args: PythonValues) -> PythonValues:
        return (_place_in(args[0], op.result, place_of(op.result).start - place_of(op.source).start),)

    @impl(memref.ReinterpretCastOp)
    def cast(self, interpreter: Interpreter, op: memref.ReinterpretCastOp, args: PythonValues) -> PythonValues:
        return (_place_in(args[0], op.result, place_of(op.result).start - place_of(op.source).start),)

    @impl(memref.CopyOp)
    def copy(self, interpreter: Interpreter, op: memref.CopyOp, args: PythonValues) -> PythonValues:
        source, destination = cast(tuple[Span, Span], args)
        destination.write(source.read(f"the copy of '{name_of(op.source)}'"))
        self._poison_dead(interpreter, op)
        return ()

    @impl(tinymo.InputOp)
    def input(self, interpreter: Interpreter, op: tinymo.InputOp, args: PythonValues) -> PythonValues:
        index = op.index.value.data
        if not 0 <= index < len(self._inputs[-1]):
            raise BadModelError(f"'{name_of(op.buffer)}' is input {index}, but there are {len(self._inputs[-1])}")
        cast(Span, args[0]).write(cast(Array, self._inputs[-1][index]))
        self._poison_dead(interpreter, op)
        return ()

    @impl(tinymo.KernelOp)
    def kernel(self, interpreter: Interpreter, op: tinymo.KernelOp, args: PythonValues) -> PythonValues:
        spans = cast(tuple[Span, ...], args)
        inputs, outputs = spans[: len(op.inputs)], spans[len(op.inputs) :]
        _forget(op, outputs)
        arrays = tuple(span.read(_what(op, value)) for value, span in zip(op.inputs, inputs, strict=True))
        results = interpreter.run_ssacfg_region(op.body, arrays, op.name)
        if op.results_:
            return results
        for span, array in zip(outputs, results, strict=True):
            span.write(array)
        self._poison_dead(interpreter, op)
        return ()

    def _poison_dead(self, interpreter: Interpreter, op: Operation) -> None:
        function = op.parent_op()
        if isinstance(function, FuncOp) and function in self._deaths:
            for place in self._deaths[function].get(op, ()):
                (span,) = cast(tuple[Span], interpreter.get_values((place.buffer,)))
                span.memory.poison(span.start + place.start, span.start + place.stop)


def _allocate(value: SSAValue) -> Span:
    """A memory for a memref alone."""
    return Span.of(Memory(buffer_bytes(value.type)), 0, _type(value), name_of(value))


def _place_in(source: Span, value: SSAValue, offset: int) -> Span:
    span = Span.of(source.memory, source.start + offset, _type(value), f"'{name_of(value)}'")
    return span.owned_by(source.owner)


def _type(value: SSAValue) -> MemRefType:
    return cast("MemRefType[Attribute]", value.type)


def _what(op: tinymo.KernelOp, value: SSAValue) -> str:
    """A kernel and the operand that it reads, for messages."""
    reader = f"the kernel of '{name_of(op.outputs[0])}'" if op.outputs else "a kernel without results"
    return f"'{name_of(value)}': {reader}"


def _forget(op: tinymo.KernelOp, outputs: Iterable[Span]) -> None:
    """A result may come to lie where it likes while the kernel reads, but over what it may write over."""
    for value, span in zip(op.outputs, outputs, strict=True):
        mine = place_of(value)
        owners = span.memory.owners[span.start : span.start + span.extent]
        kept = owners.copy()
        owners[:] = NOBODY
        for other in map(place_of, op.inputs):
            if other.buffer is mine.buffer and may_overlap(op, mine, other):
                low, high = max(other.start - mine.start, 0), max(other.stop - mine.start, 0)
                owners[low:high] = kept[low:high]


def _deaths(function: FuncOp) -> dict[Operation, list[Place]]:
    """What is not needed any more after each op."""
    last_of_step = {step: op for op, step in steps_of(function)}
    deaths: dict[Operation, list[Place]] = {}
    for buffer, pieces in lifetimes(function).items():
        for piece in pieces:
            place = Place(buffer, piece.offset, piece.top, True)
            deaths.setdefault(last_of_step[piece.end - 1], []).append(place)
    return deaths
