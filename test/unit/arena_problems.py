"""Planning problems for tests: random ones, those of real models, and the check of a plan by drawing it."""

import random

import numpy as np

from tinymo_xdsl.flatbuffer.model import Model, Subgraph, Tensor
from tinymo_xdsl.planner.arena.problem import Buffer, Piece, Problem, Solution, arena_of, round_up

_BYTES = {"INT8": 1, "UINT8": 1, "BOOL": 1, "INT16": 2, "FLOAT16": 2, "INT32": 4, "FLOAT32": 4, "RESOURCE": 4}


def solution_of(problem: Problem, *offsets: int, lower_bound: int = 0) -> Solution:
    """These offsets as a solution that is honest about its arena."""
    return Solution(offsets, arena_of(problem, offsets), lower_bound, False, "by hand")


def draws_without_overlap(problem: Problem, offsets: tuple[int, ...]) -> bool:
    """Whether no byte of the arena has two owners at any step, found by drawing every byte of every step."""
    steps = max(buffer.end for buffer in problem.buffers)
    owner = np.full((steps, arena_of(problem, offsets)), -1)
    for index, (buffer, offset) in enumerate(zip(problem.buffers, offsets, strict=True)):
        for piece in buffer.pieces:
            drawn = owner[piece.start : piece.end, offset + piece.offset : offset + piece.top]
            if ((drawn != -1) & (drawn != index)).any():
                return False
            drawn[:] = index
    return True


def random_problem(seed: int, count: int, *, pieces: int = 1, alignment: int = 1, steps: int = 8) -> Problem:
    """Small buffers at random; `pieces` is the most pieces of one buffer."""
    rng = random.Random(seed)

    def piece(index: int) -> Piece:
        start = rng.randrange(steps - 1)
        return Piece(0 if index == 0 else rng.randrange(6), rng.randint(1, 6), start, rng.randint(start + 1, steps))

    def buffer(index: int) -> Buffer:
        parts = tuple(piece(at) for at in range(rng.randint(1, pieces)))
        return Buffer(f"b{index}", parts, rng.choice((1, alignment)))

    return Problem(tuple(buffer(index) for index in range(count)))


def tensor_bytes(tensor: Tensor) -> int:
    return int(np.prod(tensor.shape, initial=1)) * _BYTES[tensor.dtype]


def activations(model: Model, alignment: int = 16) -> Problem:
    """
    The activations of a model without control flow, in the order of the file: what TFLite Micro plans but scratch.

    A tensor lives from the operator that writes it to the last one that reads it; inputs from the first operator on,
    outputs to the last. Sizes are rounded up to `alignment`. Variables lie elsewhere. Offsets that the file asks for
    are fixed.
    """
    graph = model.subgraphs[0]
    first = dict.fromkeys(graph.inputs, 0)
    last = dict.fromkeys(graph.inputs, 0)
    for step, operator in enumerate(graph.operators, start=1):
        for index in operator.outputs:
            first.setdefault(index, step)
            last[index] = step
        for index in operator.inputs:
            last[index] = step
    for index in graph.outputs:
        last[index] = len(graph.operators)
    fixed = offline_offsets(model)

    def buffer(index: int) -> Buffer:
        tensor = graph.tensors[index]
        size = round_up(max(tensor_bytes(tensor), 1), alignment)
        name, offset = f"{index}: {tensor.name}", fixed.get(index)
        return Buffer.whole(name, size, first[index], last[index] + 1, alignment=alignment, offset=offset)

    return Problem(tuple(buffer(index) for index in sorted(first) if _is_planned(graph, index)))


def offline_offsets(model: Model) -> dict[int, int]:
    """The offsets that the metadata `OfflineMemoryAllocation` asks for: three numbers, then one for each tensor."""
    for entry in model.metadata:
        if entry.name == "OfflineMemoryAllocation":
            offsets = np.frombuffer(entry.data, "<i4")[3:].tolist()
            return {index: offset for index, offset in enumerate(offsets) if offset >= 0}
    return {}


def _is_planned(graph: Subgraph, index: int) -> bool:
    return index >= 0 and graph.tensors[index].data is None and not graph.tensors[index].is_variable
