"""
Every memory figure of the project: reports, passes and the search ask here.

All figures are bytes of activations: constants excluded, inputs and outputs of the model counted.
"""

from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from tinymo_xdsl.analysis.describe import describe_kernel
from tinymo_xdsl.analysis.kernels import functions, kernels_of
from tinymo_xdsl.analysis.liveness import LiveRange, function_live_bytes, live_bytes, live_ranges, merge_aliases
from tinymo_xdsl.analysis.loops import body_bytes, carried_once, loop_of
from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.facts import name_of


@dataclass(frozen=True)
class KernelMemory:
    """One kernel and what is in memory while it runs."""

    name: str
    """The kernel's first output."""
    operator: str
    """What it computes: the name of its most telling op."""
    live_bytes: int


@dataclass(frozen=True)
class Peak:
    """The memory of one function over its schedule."""

    live_peak: int
    """
    The largest sum of buffers alive at one kernel; bytes that split windows and joined parts share count once, and so
    do the tensors that a loop carries.
    """
    live_peak_copies: int
    """The same with bytes of its own for every tensor: what a `.tflite` of these kernels holds."""
    lower_bound: int
    """The best that any arena plan can do for this schedule."""
    kernels: tuple[KernelMemory, ...]
    """In order of execution; bytes as in `live_peak_copies`."""
    peak_index: int
    """The kernel at which `live_peak_copies` is reached."""
    alive: tuple[tuple[str, int], ...]
    """Names and bytes of the tensors that are alive there, the largest first."""

    @property
    def peak_kernel(self) -> KernelMemory | None:
        """The kernel at which `live_peak_copies` is reached; `None` for a function without kernels."""
        return self.kernels[self.peak_index] if self.kernels else None


def main_function(module: ModuleOp) -> FuncOp:
    """The function that an application calls: the first."""
    if (function := next(functions(module), None)) is None:
        raise BadModelError("the module has no function")
    return function


def peak_of(function: FuncOp) -> Peak:
    """The memory of `function` as its text orders it."""
    kernels = kernels_of(function)
    ranges = live_ranges(function, kernels)
    loops = {step: loop for step, kernel in enumerate(kernels) if (loop := loop_of(kernel)) is not None}
    copies = live_bytes(ranges, len(kernels)) or [sum(entry.size for entry in ranges)]
    merged = merge_aliases(carried_once(ranges, list(loops.values())))
    shared = live_bytes(merged, len(kernels)) or list(copies)
    for step, loop in loops.items():
        copies[step] += max(function_live_bytes(loop.body))
        shared[step] += body_bytes(loop)
    worst = max(range(len(copies)), key=copies.__getitem__)
    rows = tuple(
        KernelMemory(*describe_kernel(kernel), bytes_) for kernel, bytes_ in zip(kernels, copies, strict=False)
    )
    live_peak = min(max(shared), max(copies))
    return Peak(live_peak, max(copies), live_peak, rows, worst, _alive(ranges, worst))


def _alive(ranges: list[LiveRange], step: int) -> tuple[tuple[str, int], ...]:
    alive = [(name_of(entry.value), entry.size) for entry in ranges if entry.first <= step <= entry.last]
    return tuple(sorted(alive, key=lambda entry: (-entry[1], entry[0])))
