"""
The plan that TFLite Micro makes by itself: the baseline of every figure.

Source: `tensorflow/lite/micro/memory_planner/greedy_memory_planner.cc`.
"""

from tinymo_xdsl.planner.arena.first_fit import Placer
from tinymo_xdsl.planner.arena.problem import Problem, Solution, arena_of

ALIGNMENT = 16
"""TFLite Micro rounds the size of every buffer up to a multiple of this many bytes."""


def greedy(problem: Problem) -> Solution:
    """
    The plan of `GreedyMemoryPlanner` for buffers in the order in which TFLite Micro adds them.

    Sizes must be rounded up to `ALIGNMENT` by the caller. Fixed buffers lie where they are told to; the others follow
    largest first, of equals the last added first, each in the lowest gap among what is in use at the same time.
    """
    sizes = [buffer.size for buffer in problem.buffers]
    order = sorted(range(len(sizes)), key=lambda index: (-sizes[index], -index))
    offsets = tuple(Placer(problem).place(order, Placer.first_fit))
    arena = arena_of(problem, offsets)
    bound = problem.lower_bound
    return Solution(offsets, arena, bound, arena == bound, "tflm-greedy", len(offsets))
