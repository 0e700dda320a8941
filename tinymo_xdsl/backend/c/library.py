"""
A model on its way to C: layers in order, and where each tensor lies.

Nothing is decided here: buffers and their offsets come from the arena plan.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from tinymo_xdsl.analysis.describe import describe_kernel
from tinymo_xdsl.analysis.kernels import functions, is_constant, kernels_of
from tinymo_xdsl.analysis.liveness import live_ranges
from tinymo_xdsl.analysis.sizes import byte_size, element_bytes
from tinymo_xdsl.backend.c.body import NoKernelError, dtype_of, shape_of
from tinymo_xdsl.backend.c.layer import Layer, Operand
from tinymo_xdsl.backend.c.lowering.dispatch import layers_of
from tinymo_xdsl.facts import name_of, tensor_facts
from tinymo_xdsl.planner.arena.portfolio import plan
from tinymo_xdsl.planner.arena.problem import Buffer, Problem


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


@dataclass(frozen=True, eq=False)
class Library:
    """All that the generated files say."""

    calls: tuple[Call, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    arena_bytes: int
    alignment: int
    """Of the arena; offsets of tensors are multiples of their elements' size."""


def library_of(module: ModuleOp) -> Library:
    """
    The library of a level-2 module of one function.

    Raises `NoKernelError` for the first kernel that there is no C for.
    """
    subgraphs = list(functions(module))
    if len(subgraphs) != 1:
        raise NoKernelError(f"the model has {len(subgraphs)} subgraphs, and C is written for one")
    (function,) = subgraphs
    kernels = kernels_of(function)
    ranges = live_ranges(function, kernels)
    buffers = [
        Buffer.whole(f"{index}", live.size, live.first, live.last + 1, alignment=element_bytes(live.value))
        for index, live in enumerate(ranges)
    ]
    solution = plan(Problem(tuple(buffers)))
    places = {live.value: offset for live, offset in zip(ranges, solution.offsets, strict=True)}
    calls: list[Call] = []
    for kernel in kernels:
        name, operator = describe_kernel(kernel)
        inner = places | {inside: places[seen] for inside, seen in zip(kernel.results, kernel.outputs, strict=True)}
        calls += [Call(f"{operator} '{name}'", layer, inner) for layer in layers_of(kernel)]
    terminator = function.body.block.last_op
    returned: Sequence[SSAValue] = () if terminator is None else terminator.operands
    if any(map(is_constant, returned)):
        raise NoKernelError("an output of the model is a constant: there is nothing to compute")
    return Library(
        tuple(calls),
        tuple(_tensor(value, places) for value in function.args),
        tuple(_tensor(value, places) for value in returned),
        solution.arena,
        max((buffer.alignment for buffer in buffers), default=1),
    )


def _tensor(value: SSAValue, places: Mapping[SSAValue, int]) -> Tensor:
    facts = tensor_facts(value)
    is_quantized = facts is not None and len(facts.scale) == 1
    return Tensor(
        name_of(value),
        dtype_of(value),
        shape_of(value),
        facts.scale[0] if facts is not None and is_quantized else None,
        facts.one_zero_point if facts is not None and is_quantized else 0,
        byte_size(value),
        places[value],
    )


def place(call: Call, operand: Operand) -> int | None:
    """Where an operand lies in the arena; `None` for a constant."""
    return call.places[operand.value] if isinstance(operand.value, SSAValue) else None
