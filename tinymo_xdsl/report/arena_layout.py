"""
Where everything lies in the arena's head while a `.tflite` runs in TFLite Micro, operator by operator.

It is computed from the file alone, with the plan that the file holds or else TFLite Micro's own. Steps are numbered
from 0; without control flow step n is operator n. Sizes and offsets are bytes, in TFLite Micro's blocks of 16.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from tinymo_xdsl.flatbuffer.model import Model, Operator, Subgraph
from tinymo_xdsl.planner.arena.tflm import greedy
from tinymo_xdsl.tflm.lifetimes import RuntimeProblem, Step, runtime_problem


class BufferKind(Enum):
    """What a buffer is to the model."""

    INPUT = "input"
    OUTPUT = "output"
    TENSOR = "tensor"
    SCRATCH = "scratch"
    """What a kernel needs for itself while it runs."""


@dataclass(frozen=True)
class PlacedBuffer:
    """A tensor or scratch at its place."""

    name: str
    kind: BufferKind
    offset: int
    """From the start of the head."""
    size: int
    first: int
    """The first step at which it is in use."""
    last: int
    """The last one, included."""

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.offset + self.size

    def is_alive(self, step: int) -> bool:
        """Whether it is in use at `step`."""
        return self.first <= step <= self.last

    def meets(self, other: "PlacedBuffer") -> bool:
        """Whether the two share bytes at some step."""
        is_together = self.first <= other.last and other.first <= self.last
        return is_together and self.offset < other.end and other.offset < self.end


@dataclass(frozen=True)
class OperatorStep:
    """One operator at work, and the bytes that are in use meanwhile."""

    number: str
    """The operator's place in the main subgraph; `2.5` is operator 5 of subgraph 2."""
    operator: str
    """The schema's name."""
    name: str
    """The first output, or the operator without one."""
    used: int
    """Bytes in use; those that buffers share count once."""


@dataclass(frozen=True)
class ArenaLayout:
    """The head of the arena over one inference."""

    steps: tuple[OperatorStep, ...]
    buffers: tuple[PlacedBuffer, ...]
    """Tensors in the order of the file, then scratch. Left out are inputs that no operator reads."""
    head: int
    """Bytes from the start of the arena to the end of the highest buffer."""

    @cached_property
    def peak_index(self) -> int:
        """The first step with the most bytes in use; 0 without steps."""
        return max(range(len(self.steps)), key=lambda step: self.steps[step].used, default=0)

    @property
    def peak(self) -> int:
        """The most bytes that are in use at one step."""
        return max((step.used for step in self.steps), default=0)

    @cached_property
    def at_peak(self) -> tuple[PlacedBuffer, ...]:
        """What is in use at the peak, the largest first."""
        alive = (buffer for buffer in self.buffers if buffer.is_alive(self.peak_index))
        return tuple(sorted(alive, key=lambda buffer: (-buffer.size, buffer.offset, buffer.name)))

    @property
    def scratch(self) -> int:
        """The most bytes of scratch at one step."""
        scratch = [buffer for buffer in self.buffers if buffer.kind is BufferKind.SCRATCH]
        totals = (sum(buffer.size for buffer in scratch if buffer.is_alive(step)) for step in range(len(self.steps)))
        return max(totals, default=0)

    def shares_bytes(self, buffer: PlacedBuffer) -> bool:
        """Whether `buffer` ever lies on bytes of another one: a view, or a result written in place."""
        return any(other is not buffer and buffer.meets(other) for other in self.buffers)


def arena_layout(model: Model) -> ArenaLayout:
    """The layout of a model that TFLite Micro's reference kernels can run."""
    runtime = runtime_problem(model)
    plan = greedy(runtime.problem)
    names = _names(model, runtime)
    placed = zip(names, runtime.problem.buffers, plan.offsets, strict=True)
    # Inputs are set at step 0 of the problem, before any operator runs. One that nothing reads is gone after that.
    buffers = tuple(
        PlacedBuffer(name, kind, offset, buffer.size, max(buffer.start - 1, 0), buffer.end - 2)
        for (name, kind), buffer, offset in placed
        if buffer.end > 1
    )
    steps = tuple(_step(model, step, _used(buffers, number)) for number, step in enumerate(runtime.steps))
    return ArenaLayout(steps, buffers, plan.arena)


def _names(model: Model, runtime: RuntimeProblem) -> list[tuple[str, BufferKind]]:
    """The name and kind of each buffer of the problem."""
    names = [
        (model.subgraphs[graph].tensors[index].name, _kind(model, graph, index)) for graph, index in runtime.tensors
    ]
    for buffer in runtime.problem.buffers[len(runtime.tensors) :]:
        graph, operator = _operator(model, runtime.steps[buffer.start - 1])
        names.append((f"scratch of {_describe(graph, operator)}", BufferKind.SCRATCH))
    return names


def _kind(model: Model, graph: int, index: int) -> BufferKind:
    if graph == 0 and index in model.subgraphs[0].inputs:
        return BufferKind.INPUT
    return BufferKind.OUTPUT if graph == 0 and index in model.subgraphs[0].outputs else BufferKind.TENSOR


def _used(buffers: Iterable[PlacedBuffer], step: int) -> int:
    used = end = 0
    for buffer in sorted((entry for entry in buffers if entry.is_alive(step)), key=lambda entry: entry.offset):
        used += max(buffer.end - max(buffer.offset, end), 0)
        end = max(end, buffer.end)
    return used


def _step(model: Model, step: Step, used: int) -> OperatorStep:
    graph, operator = _operator(model, step)
    number = f"{step.operator}" if step.graph == 0 else f"{step.graph}.{step.operator}"
    return OperatorStep(number, operator.name, _describe(graph, operator), used)


def _operator(model: Model, step: Step) -> tuple[Subgraph, Operator]:
    graph = model.subgraphs[step.graph]
    return graph, graph.operators[step.operator]


def _describe(graph: Subgraph, operator: Operator) -> str:
    """An operator of a `.tflite` has no name: its first output has."""
    outputs: Sequence[int] = operator.outputs
    return graph.tensors[outputs[0]].name if outputs else operator.name
