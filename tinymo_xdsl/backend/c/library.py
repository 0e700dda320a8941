"""
A planned module on its way to C: layers in order, and where each tensor lies.

Nothing is decided here: the level-4 module says which bytes of the arena each kernel reads and writes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from xdsl.dialects import memref
from xdsl.dialects.builtin import DictionaryAttr, IntegerAttr, MemRefType, ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Operation, SSAValue

from tinymo_xdsl.analysis.buffers import constant_offset, inputs_of, place_of
from tinymo_xdsl.analysis.describe import describe_kernel
from tinymo_xdsl.analysis.kernels import Kernel, functions, is_constant
from tinymo_xdsl.analysis.liveness import is_variable
from tinymo_xdsl.analysis.sizes import byte_size
from tinymo_xdsl.backend.c.body import NoKernelError, dtype_of, shape_of
from tinymo_xdsl.backend.c.layer import Layer, Operand
from tinymo_xdsl.backend.c.lowering.dispatch import layers_of
from tinymo_xdsl.backend.c.lowering.layouts import copy_buffer, copy_bytes
from tinymo_xdsl.backend.c.variables import Variable, Variables
from tinymo_xdsl.buffers import memory_of
from tinymo_xdsl.dialects import tinymo, tosa
from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.facts import name_of, tensor_facts
from tinymo_xdsl.passes.plan_memory import ARENA_KEY

_RESOURCE_OPERATORS: Final = frozenset({"ASSIGN_VARIABLE", "CALL_ONCE", "READ_VARIABLE", "VAR_HANDLE"})


@dataclass(frozen=True)
class Tensor:
    """An input or an output."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    scale: float | None
    """`None` where the numbers are not quantised."""
    zero_point: int
    bytes: int
    offset: int
    """From the start of the arena, in bytes."""


@dataclass(frozen=True, eq=False)
class Call:
    """A layer that is run whole."""

    title: str
    """The operator and the tensor."""
    layer: Layer
    places: Mapping[SSAValue, int]
    """Bytes from the start of the arena, of every tensor in memory that the layer names."""

    def place(self, operand: Operand) -> int | None:
        """Where an operand lies in the arena; `None` for a constant."""
        return self.places[operand.value] if isinstance(operand.value, SSAValue) else None


@dataclass(frozen=True, eq=False)
class Library:
    """All that the generated files say."""

    calls: tuple[Call, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    variables: tuple[Variable, ...]
    arena_bytes: int
    """Variables included."""
    alignment: int
    """Of the arena."""


def library_of(module: ModuleOp) -> Library:
    """
    The library of a level-4 module, whose first function is what is run.

    Raises `NoKernelError` for the first kernel that there is no C for.
    """
    function = next(functions(module), None)
    if function is None:
        raise BadModelError("the module has no function")
    terminator = function.body.block.last_op
    returned: Sequence[SSAValue] = terminator.arguments if isinstance(terminator, ReturnOp) else ()
    size, alignment = _arena(function)
    variables = Variables(size)
    calls = tuple(call for op in function.body.block.ops for call in _calls(op, module, variables))
    inputs, outputs = tuple(map(_tensor, inputs_of(function))), tuple(map(_tensor, returned))
    return Library(calls, inputs, outputs, variables.all, variables.end, alignment)


def _arena(function: FuncOp) -> tuple[int, int]:
    """Bytes and alignment of the one arena of a function."""
    arguments = list(function.args)
    if len(arguments) != 1 or memory_of(arguments[0].type) is not None:
        memories = ", ".join(str(memory_of(argument.type) or "the fast one") for argument in arguments) or "none"
        raise NoKernelError(f"C is written for one memory, and this plan has: {memories}")
    entry = None if function.arg_attrs is None else function.arg_attrs.data[0].data.get(ARENA_KEY)
    alignment = entry.data.get("alignment") if isinstance(entry, DictionaryAttr) else None
    if not isinstance(arguments[0].type, MemRefType) or not isinstance(alignment, IntegerAttr):
        raise BadModelError(f"@{function.sym_name.data} has no planned arena: run plan-memory first")
    return arguments[0].type.get_shape()[0], alignment.value.data


def _calls(op: Operation, module: ModuleOp, variables: Variables) -> Iterator[Call]:
    match op:
        case tinymo.KernelOp():
            custom = next((entry for entry in op.body.block.ops if isinstance(entry, tosa.CustomOp)), None)
            if custom is not None and custom.operator_name.data in _RESOURCE_OPERATORS:
                yield from _resource_calls(op, custom, module, variables)
            else:
                yield from _kernel_calls(op, variables)
        case memref.CopyOp():
            places = {value: _start(value) for value in (op.source, op.destination)}
            yield Call(f"copy to '{name_of(op.destination)}'", copy_buffer(op.source, op.destination), places)
        case _:
            pass


def _kernel_calls(op: tinymo.KernelOp, variables: Variables) -> Iterator[Call]:
    kernel = _kernel(op)
    values = [*zip(kernel.inputs, op.inputs, strict=True), *zip(kernel.results, op.outputs, strict=True)]
    name, operator = describe_kernel(kernel)
    places = {value: _dense_place(buffer, f"{operator} that yields '{name}'") for value, buffer in values}
    outside = [operand for entry in kernel.ops for operand in entry.operands if is_variable(operand)]
    outside += [result for result in kernel.results if is_variable(result)]
    for layer in layers_of(kernel):
        yield Call(f"{operator} '{name}'", layer, {v: variables.of_tensor(v).offset for v in outside} | places)


def _resource_calls(
    op: tinymo.KernelOp, custom: tosa.CustomOp, module: ModuleOp, variables: Variables
) -> Iterator[Call]:
    """Handles are known at compile time: reads and assignments are copies."""
    match custom.operator_name.data:
        case "VAR_HANDLE":
            variables.note_handle(custom, op.outputs[0])
        case "CALL_ONCE":
            variables.call_once(custom, module)
        case "READ_VARIABLE":
            handle, result = custom.input_list[0], custom.output_list[0]
            offset = variables.of_handle(op.inputs[0], result).offset
            places = {handle: offset, result: _dense_place(op.outputs[0], "READ_VARIABLE")}
            yield Call(f"READ_VARIABLE '{name_of(result)}'", copy_bytes(handle, result, byte_size(result)), places)
        case _:
            handle, value = custom.input_list
            variable = variables.of_handle(op.inputs[0], value)
            places = {handle: variable.offset}
            if not is_constant(value):
                places[value] = _dense_place(op.inputs[op.body.block.args.index(value)], "ASSIGN_VARIABLE")
            layer = copy_bytes(value, handle, variable.bytes)
            yield Call(f"ASSIGN_VARIABLE '{variable.name}'", layer, places)


def _kernel(op: tinymo.KernelOp) -> Kernel:
    """A kernel on buffers as one on tensors: it reads the arguments of its block."""
    inner = tuple(entry for entry in op.body.block.ops if not isinstance(entry, tinymo.YieldOp))
    results = tuple(op.terminator.values)
    read = dict.fromkeys(operand for entry in inner for operand in entry.operands if is_constant(operand))
    return Kernel(op, inner, tuple(op.body.block.args), tuple(read), results, results)


def _dense_place(buffer: SSAValue, what: str) -> int:
    place = place_of(buffer)
    if not place.is_whole:
        raise NoKernelError(f"{what} has no C kernel: '{name_of(buffer)}' is a window whose rows lie apart")
    return _start(buffer)


def _start(value: SSAValue) -> int:
    """Bytes from the start of the arena to a place in a buffer."""
    place = place_of(value)
    owner = place.buffer.owner
    if not isinstance(owner, memref.ViewOp):
        raise BadModelError(f"'{name_of(value)}' has no place in an arena: run plan-memory first")
    return constant_offset(owner.byte_shift) + place.start


def _tensor(buffer: SSAValue) -> Tensor:
    facts = tensor_facts(buffer)
    is_quantized = facts is not None and len(facts.scale) == 1
    place = place_of(buffer)
    return Tensor(
        name_of(buffer),
        dtype_of(buffer),
        shape_of(buffer),
        facts.scale[0] if facts is not None and is_quantized else None,
        facts.one_zero_point if facts is not None and is_quantized else 0,
        place.stop - place.start,
        _start(buffer),
    )
