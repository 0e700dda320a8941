"""
The arena that TFLite Micro needs for a `.tflite` file, modelled: head, tail, and what planning needs in between.

Source: `tensorflow/lite/micro/micro_allocator.cc`. Sizes of structures as in `kernels`.
"""

from dataclasses import dataclass

from tinymo_xdsl.flatbuffer.model import Model, Subgraph, Tensor
from tinymo_xdsl.planner.arena.problem import round_up
from tinymo_xdsl.tflm.kernels import ALIGNMENT, kept_arrays, kernel_data, resource_variables, tensor_bytes
from tinymo_xdsl.tflm.lifetimes import runtime_problem


@dataclass(frozen=True)
class Machine:
    """How large the runtime's structures are, in bytes."""

    name: str
    pointer: int
    eval_tensor: int
    """`TfLiteEvalTensor`: one for each tensor, constants included."""
    node: int
    """`NodeAndRegistration`: one for each operator."""
    tensor: int
    """`TfLiteTensor`: one for each input and output of the model."""
    quantization: int
    """`TfLiteAffineQuantization`: one for each of these that is quantised."""
    allocation: int
    """`AllocationInfo`: one for each tensor and scratch buffer while the plan is made."""
    runtime: int
    """The allocator, the planner and the interpreter's other objects."""


BITS_32 = Machine("32-bit", 4, 12, 32, 40, 12, 24, 104)
"""A microcontroller."""
BITS_64 = Machine("64-bit", 8, 24, 64, 64, 24, 32, 480)
"""A computer of today, which the Python package of TFLite Micro runs on."""

_PLANNER_ENTRY = 40
"""`GreedyMemoryPlanner::per_buffer_size()`."""
_SCRATCH_REQUEST = 12
_SPARE_SCRATCH_REQUESTS = 12
"""`kMaxScratchBuffersPerOp`: the list of requests always has room for one more operator."""


@dataclass(frozen=True)
class ArenaNeed:
    """Bytes of TFLite Micro's arena, with the plan that the file has, or else the runtime's own."""

    head: int
    """Activations and scratch."""
    tail: int
    """Structures that last."""
    temporary: int
    """What planning needs between the end of the tail and the start of the arena, for a moment."""
    planning_tail: int
    """The tail at that moment."""

    @property
    def total(self) -> int:
        """The smallest arena that the model loads in."""
        return max(self.head + self.tail, self.temporary + self.planning_tail)


def arena_need(model: Model, machine: Machine) -> ArenaNeed:
    """The need of a model that TFLite Micro's reference kernels can run."""
    runtime = runtime_problem(model)
    tensors = sum(len(graph.tensors) for graph in model.subgraphs)
    requests = _SCRATCH_REQUEST * (runtime.scratch + _SPARE_SCRATCH_REQUESTS)
    allocations = machine.allocation * (tensors + runtime.scratch) + machine.pointer * len(model.subgraphs)
    temporary = requests + allocations + _PLANNER_ENTRY * len(runtime.problem.buffers)
    main = model.subgraphs[0]
    planning_tail = machine.runtime + machine.pointer * runtime.scratch
    planning_tail += sum(_aligned(machine.pointer * len(indices)) for indices in (main.inputs, main.outputs))
    planning_tail += sum(_structures(graph, machine) for graph in model.subgraphs)
    planning_tail += sum(map(_aligned, resource_variables(model)))
    # What describes the inputs and outputs of the model is added once the plan is made.
    tail = planning_tail + sum(_described(main.tensors[index], machine) for index in (*main.inputs, *main.outputs))
    return ArenaNeed(runtime.head, tail, temporary, planning_tail)


def _structures(graph: Subgraph, machine: Machine) -> int:
    """What the tail holds of one subgraph."""
    size = 2 * machine.pointer + machine.eval_tensor * len(graph.tensors) + machine.node * len(graph.operators)
    for operator in graph.operators:
        data = kernel_data(operator)
        size += data.options + _aligned(data.data32 if machine.pointer == 4 else data.data64)
        size += sum(map(_aligned, kept_arrays(operator, graph)))
    return size + sum(_aligned(tensor_bytes(tensor)) for tensor in graph.tensors if tensor.is_variable)


def _described(tensor: Tensor, machine: Machine) -> int:
    scales = 0 if tensor.quantization is None else len(tensor.quantization.scale)
    return machine.tensor + (machine.quantization + 4 + 4 * scales if scales else 0)


def _aligned(size: int) -> int:
    return round_up(size, ALIGNMENT)
