"""
When each tensor in memory is alive: from the kernel that writes it to the last one that reads it.

Constants lie in flash and do not count. Arguments are alive from the start, results of the function to the end, and
variables all along: they keep their values for the next run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from tinymo_xdsl.analysis.kernels import Kernel, kernels_of
from tinymo_xdsl.analysis.sizes import byte_size
from tinymo_xdsl.dialects import tinymo, tosa
from tinymo_xdsl.operators.custom import VARIABLE


@dataclass(frozen=True)
class LiveRange:
    """The kernels, by number and both included, during which a value is in memory."""

    value: SSAValue
    first: int
    last: int

    @property
    def size(self) -> int:
        """Bytes of the value."""
        return byte_size(self.value)


def is_variable(value: SSAValue) -> bool:
    """Whether `value` is a variable tensor of the file, whose values last from run to run."""
    return isinstance(value.owner, tosa.CustomOp) and value.owner.operator_name.data == VARIABLE


def live_ranges(function: FuncOp, kernels: Sequence[Kernel]) -> list[LiveRange]:
    """The live range of each tensor in memory, in order of appearance."""
    first: dict[SSAValue, int] = dict.fromkeys(function.args, 0)
    last: dict[SSAValue, int] = dict.fromkeys(function.args, 0)
    for step, kernel in enumerate(kernels):
        last.update(dict.fromkeys((*kernel.inputs, *kernel.outputs), step))
        first.update((value, 0 if is_variable(value) else step) for value in kernel.outputs)
    terminator = function.body.block.last_op
    returned = () if terminator is None else terminator.operands
    lasting = (*returned, *(value for value in first if is_variable(value)))
    last.update(dict.fromkeys(lasting, max(len(kernels) - 1, 0)))
    return [LiveRange(value, first[value], last[value]) for value in first]


def merge_aliases(ranges: Sequence[LiveRange]) -> list[LiveRange]:
    """
    Ranges in which the windows of a `tinymo.split` lie in their source, and the parts of a `tinymo.join` in its result.

    Each group of values that share their bytes is one range, of the largest value, alive as long as any of them.
    """
    home: dict[SSAValue, SSAValue] = {}
    for entry in ranges:
        owner = entry.value.owner
        if isinstance(owner, tinymo.SplitOp):
            home.setdefault(entry.value, owner.source)
        if isinstance(owner, tinymo.JoinOp):
            for part in owner.parts:
                home.setdefault(part, entry.value)
    groups: dict[SSAValue, LiveRange] = {}
    for entry in ranges:
        root = _root(home, entry.value)
        known = groups.get(root, entry)
        largest = max(known.value, entry.value, key=byte_size)
        groups[root] = LiveRange(largest, min(known.first, entry.first), max(known.last, entry.last))
    return list(groups.values())


def _root(home: dict[SSAValue, SSAValue], value: SSAValue) -> SSAValue:
    while value in home:
        value = home[value]
    return value


def live_bytes(ranges: Sequence[LiveRange], steps: int) -> list[int]:
    """For every kernel the bytes of all tensors alive while it runs."""
    # Arguments have a range in a function without kernels too.
    change = [0] * (max(steps, 1) + 1)
    for entry in ranges:
        change[entry.first] += entry.size
        change[entry.last + 1] -= entry.size
    return list(accumulate(change[:steps]))


def function_live_bytes(function: FuncOp) -> list[int]:
    """For every kernel of `function` the bytes alive while it runs, every tensor with bytes of its own."""
    kernels = kernels_of(function)
    return live_bytes(live_ranges(function, kernels), len(kernels))
