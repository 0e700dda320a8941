"""
When TFLite Micro takes each tensor to be alive, and where its planner then puts them.

Source: `tensorflow/lite/micro/micro_allocation_info.cc`.
"""

from dataclasses import dataclass
from itertools import chain, repeat

from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.flatbuffer.model import Model, Operator
from tinymo_xdsl.flatbuffer.offline_plan import UNPLANNED, planned_offsets
from tinymo_xdsl.planner.arena.problem import Buffer, Problem, round_up
from tinymo_xdsl.planner.arena.tflm import greedy
from tinymo_xdsl.tflm.kernels import ALIGNMENT, scratch, tensor_bytes

_SUBGRAPH_OPTIONS = (
    "then_subgraph_index",
    "else_subgraph_index",
    "init_subgraph_index",
    "cond_subgraph_index",
    "body_subgraph_index",
)
CONTROL_FLOW = frozenset({"IF", "WHILE", "CALL_ONCE"})
"""Operators that run other subgraphs."""


@dataclass
class _Life:
    """Steps at which a tensor is first and last needed; -1 for one that no subgraph that runs has."""

    first: int = -1
    last: int = -1

    def begin(self, step: int) -> None:
        self.first = self.last = step


@dataclass(frozen=True)
class Step:
    """One operator at work, or one call of a subgraph by it."""

    graph: int
    """The operator's subgraph."""
    operator: int
    """Its place there."""


@dataclass(frozen=True)
class _Scratch:
    size: int
    first: int
    last: int


class _Lifetimes:
    """Goes through the operators as they run. Every operator is a step, every call of a subgraph another one."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.tensors = [[_Life() for _ in graph.tensors] for graph in model.subgraphs]
        self.scratch: list[_Scratch] = []
        self.steps: list[Step] = []
        self._enter(0, ())

    @property
    def step(self) -> int:
        """The step that runs; at step 0 the inputs are set."""
        return len(self.steps)

    def _enter(self, index: int, callers: tuple[int, ...]) -> None:
        if index in callers:
            raise BadModelError(f"subgraph {index} runs itself, which no memory is enough for")
        graph, lives = self.model.subgraphs[index], self.tensors[index]
        for tensor in (*graph.inputs, *graph.outputs):
            lives[tensor].begin(self.step)
        for place, operator in enumerate(graph.operators):
            self.steps.append(Step(index, place))
            for tensor in operator.outputs:
                lives[tensor].begin(self.step)
            start = self.step
            for called in _called(operator):
                self.steps.append(Step(index, place))
                self._enter(called, (*callers, index))
            for tensor in (*operator.inputs, *operator.outputs):
                if tensor >= 0:
                    lives[tensor].last = self.step
            self.scratch += [_Scratch(size, start, self.step) for size in scratch(operator, graph)]
        for tensor in graph.outputs:
            lives[tensor].last = self.step


def _called(operator: Operator) -> list[int]:
    """The subgraphs that an operator runs."""
    if operator.name not in CONTROL_FLOW:
        return []
    indices = [operator.options.get(name) for name in _SUBGRAPH_OPTIONS]
    return [index for index in indices if isinstance(index, int)]


@dataclass(frozen=True)
class RuntimeProblem:
    """What TFLite Micro's planner is given."""

    problem: Problem
    """Tensors, subgraph after subgraph, then scratch. Those that the file's plan places are fixed; they may overlap."""
    tensors: tuple[tuple[int, int], ...]
    """The subgraph and the index of each buffer that is a tensor."""
    scratch: int
    """How many of the buffers are scratch."""
    steps: tuple[Step, ...]
    """What runs at the steps of the problem, from step 1 on. At step 0 the inputs are set."""

    @property
    def head(self) -> int:
        """Bytes of the head that the planner makes of it: what is fixed as it is, the rest around it."""
        return greedy(self.problem).arena


def runtime_problem(model: Model) -> RuntimeProblem:
    """
    The problem that TFLite Micro's planner is given for a model that runs on its reference kernels.

    Raises `BadModelError` for a subgraph that runs itself.
    """
    lifetimes = _Lifetimes(model)
    # A plan that is too short says nothing of the rest; TFLite Micro would not load it.
    offsets = chain(planned_offsets(model) or (), repeat(UNPLANNED))
    buffers: list[Buffer] = []
    tensors: list[tuple[int, int]] = []
    for number, (graph, lives) in enumerate(zip(model.subgraphs, lifetimes.tensors, strict=True)):
        for index, (tensor, life) in enumerate(zip(graph.tensors, lives, strict=True)):
            offset, size = next(offsets), round_up(tensor_bytes(tensor), ALIGNMENT)
            if tensor.data is None and not tensor.is_variable and size:
                place = None if offset == UNPLANNED else offset
                buffers.append(Buffer.whole(f"{number}/{index}", size, life.first, life.last + 1, offset=place))
                tensors.append((number, index))
    for index, entry in enumerate(lifetimes.scratch):
        size = round_up(entry.size, ALIGNMENT)
        buffers.append(Buffer.whole(f"scratch {index}", size, entry.first, entry.last + 1))
    return RuntimeProblem(Problem(tuple(buffers)), tuple(tensors), len(lifetimes.scratch), tuple(lifetimes.steps))
