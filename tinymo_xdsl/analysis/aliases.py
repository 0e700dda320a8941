"""
Which tensors of a `.tflite` may share their bytes, and when each byte is needed.

A SLICE of whole rows can lie inside its source, the parts of a CONCATENATION inside its result, a RESHAPE on its input:
the kernel then copies bytes onto themselves. An elementwise kernel may write over an input that dies. What is legal
depends on the kernel library; anything that is not listed does not alias.

Tensors that share bytes form a group of fixed relative offsets. Its bytes are needed piece by piece: rows of a source
die with the last window that holds them, rows of a result are born with the part that yields them (a staircase).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise

from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from tinymo_xdsl.analysis.describe import operator_name
from tinymo_xdsl.analysis.kernels import Kernel, is_constant, kernels_of
from tinymo_xdsl.analysis.rows import shape_of
from tinymo_xdsl.analysis.sizes import byte_size
from tinymo_xdsl.dialects import tosa

TFLM_ALIGNMENT = 16
"""Bytes: tensors of TFLite Micro begin at multiples of this, so views do too."""


class KernelLibrary(Enum):
    """Whose kernels run the file."""

    REFERENCE = "reference"
    CMSIS_NN = "cmsis-nn"
    UNKNOWN = "unknown"


_OWN_ELEMENTS = frozenset({"RELU", "RELU6", "LOGISTIC", "TANH", "HARD_SWISH", "LEAKY_RELU", "QUANTIZE"})
_IN_PLACE = {
    KernelLibrary.REFERENCE: _OWN_ELEMENTS | {"ADD", "SUB", "MUL", "MAXIMUM"},
    KernelLibrary.CMSIS_NN: _OWN_ELEMENTS | {"SUB"},
    KernelLibrary.UNKNOWN: frozenset[str](),
}
"""Operators that read an element before they write the one at its place."""

_VIEWS = {KernelLibrary.REFERENCE, KernelLibrary.CMSIS_NN}
"""Libraries whose SLICE, CONCATENATION and RESHAPE copy bytes onto themselves without harm."""


@dataclass(frozen=True)
class Piece:
    """Bytes [start, stop) of a group, needed from kernel `first` to kernel `last`, both included."""

    start: int
    stop: int
    first: int
    last: int


@dataclass(frozen=True, eq=False)
class Group:
    """Tensors that share bytes. A tensor that shares none is a group of its own."""

    members: tuple[tuple[SSAValue, int], ...]
    """Each tensor with its offset in bytes."""
    pieces: tuple[Piece, ...]

    @property
    def size(self) -> int:
        """Bytes that the group spans."""
        return max(offset + byte_size(value) for value, offset in self.members)


@dataclass(frozen=True)
class _Access:
    """One kernel reads or writes some bytes of a tensor, counted from the tensor's start."""

    step: int
    start: int
    stop: int


@dataclass(eq=False)
class _Tensor:
    """A tensor, where it lies in its group, and what it holds."""

    value: SSAValue
    size: int
    born: int
    reads: list[_Access] = field(default_factory=list[_Access])
    is_view: bool = False
    """Whether its bytes are written by the tensors that it shares them with."""


@dataclass(eq=False)
class _Cluster:
    """A group in the making: tensors by offset, and which of them hold the same numbers."""

    offsets: dict[SSAValue, int]
    contents: dict[SSAValue, int]


def find_groups(function: FuncOp, library: KernelLibrary) -> list[Group]:
    """The groups of `function`, a level-2 function as the backend writes it, in order of appearance."""
    return _Aliases(function, library).groups()


class _Aliases:
    def __init__(self, function: FuncOp, library: KernelLibrary):
        self.library = library
        self.kernels = kernels_of(function)
        self.tensors = _tensors(function, self.kernels)
        self.clusters = {value: _Cluster({value: 0}, {value: i}) for i, value in enumerate(self.tensors)}

    def groups(self) -> list[Group]:
        for step, kernel in enumerate(self.kernels):
            self._alias(step, kernel)
        seen: dict[int, _Cluster] = {id(cluster): cluster for cluster in self.clusters.values()}
        return [self._group(cluster) for cluster in seen.values()]

    def _group(self, cluster: _Cluster) -> Group:
        lowest = min(cluster.offsets.values())
        members = tuple((value, offset - lowest) for value, offset in cluster.offsets.items())
        pieces = self._pieces(cluster)
        assert pieces is not None
        return Group(members, tuple(Piece(p.start - lowest, p.stop - lowest, p.first, p.last) for p in pieces))

    def _alias(self, step: int, kernel: Kernel) -> None:
        if self.library in _VIEWS:
            for part, whole, offset in _views(kernel):
                self._try(part, whole, offset, same=True)
        if operator_name(kernel) in _IN_PLACE[self.library] and len(kernel.outputs) == 1:
            for operand in kernel.inputs:
                if self._can_overwrite(step, kernel, operand) and self._try(kernel.outputs[0], operand, 0, same=False):
                    return

    def _can_overwrite(self, step: int, kernel: Kernel, operand: SSAValue) -> bool:
        """Whether `operand` has the result's shape, and is read for the last time."""
        result = kernel.outputs[0]
        dies = max((read.step for read in self.tensors[operand].reads), default=-1) == step
        return dies and operand.type == result.type and len(set(kernel.inputs)) == len(kernel.inputs)

    def _try(self, value: SSAValue, other: SSAValue, offset: int, same: bool) -> bool:
        """Puts `value` at `offset` bytes into `other`, unless some byte would be needed for two things at once."""
        if value not in self.tensors or other not in self.tensors or offset % TFLM_ALIGNMENT:
            return False
        mine, theirs = self.clusters[value], self.clusters[other]
        if mine is theirs:
            return False
        shift = theirs.offsets[other] + offset - mine.offsets[value]
        contents = {**theirs.contents, **mine.contents}
        if same:
            old, new = contents[value], contents[other]
            contents = {key: new if content == old else content for key, content in contents.items()}
        merged = _Cluster({**theirs.offsets, **{key: at + shift for key, at in mine.offsets.items()}}, contents)
        if self._pieces(merged) is None:
            return False
        for key in merged.offsets:
            self.clusters[key] = merged
        return True

    def _pieces(self, cluster: _Cluster) -> list[Piece] | None:
        """When each byte is needed; `None` if tensors that hold different numbers need it at the same time."""
        bounds: set[int] = set()
        for value, offset in cluster.offsets.items():
            bounds |= {offset, offset + self.tensors[value].size}
            bounds |= {offset + edge for read in self.tensors[value].reads for edge in (read.start, read.stop)}
        pieces: list[Piece] = []
        for start, stop in pairwise(sorted(bounds)):
            spans = self._spans(cluster, start, stop)
            if spans is None:
                return None
            pieces += [Piece(start, stop, first, last) for first, last in spans]
        return pieces

    def _spans(self, cluster: _Cluster, start: int, stop: int) -> list[tuple[int, int]] | None:
        """The steps during which bytes [start, stop) are needed, for one content after the other."""
        uses: dict[int, list[int]] = {}
        for value, offset in cluster.offsets.items():
            tensor = self.tensors[value]
            if offset >= stop or offset + tensor.size <= start:
                continue
            steps = uses.setdefault(cluster.contents[value], [])
            steps.append(tensor.born)
            steps += [r.step for r in tensor.reads if offset + r.start < stop and offset + r.stop > start]
        spans = sorted((min(steps), max(steps)) for steps in uses.values())
        overlaps = any(later[0] < earlier[1] for earlier, later in pairwise(spans))
        return None if overlaps else spans


def _tensors(function: FuncOp, kernels: Sequence[Kernel]) -> dict[SSAValue, _Tensor]:
    tensors: dict[SSAValue, _Tensor] = {value: _Tensor(value, byte_size(value), 0) for value in function.args}
    for step, kernel in enumerate(kernels):
        for value in kernel.inputs:
            if value in tensors:
                tensors[value].reads.append(_read(step, kernel, value))
        for value in kernel.outputs:
            tensors[value] = _Tensor(value, byte_size(value), step)
    terminator = function.body.block.last_op
    for value in () if terminator is None else terminator.operands:
        if not is_constant(value):
            tensors[value].reads.append(_Access(max(len(kernels) - 1, 0), 0, byte_size(value)))
    return tensors


def _read(step: int, kernel: Kernel, value: SSAValue) -> _Access:
    """A slice of whole rows reads its window, anything else all bytes."""
    for part, whole, offset in _views(kernel):
        if whole is value and part in kernel.outputs:
            return _Access(step, offset, offset + byte_size(part))
    return _Access(step, 0, byte_size(value))


def _views(kernel: Kernel) -> Iterable[tuple[SSAValue, SSAValue, int]]:
    """Pairs (part, whole) of tensors of which one can lie in the other, and the offset in bytes."""
    if len(kernel.ops) != 1:
        return
    (op,) = kernel.ops
    match op:
        case tosa.ReshapeOp():
            yield kernel.outputs[0], op.input1, 0
        case tosa.SliceOp():
            start = tosa.constant_shape(op.start)
            if start is not None and (offset := _contiguous(start, shape_of(op.output), op.input1)) is not None:
                yield kernel.outputs[0], op.input1, offset
        case tosa.ConcatOp():
            yield from _parts(kernel, op)
        case _:
            return


def _parts(kernel: Kernel, op: tosa.ConcatOp) -> Iterable[tuple[SSAValue, SSAValue, int]]:
    axis, result, at = op.axis.value.data, kernel.outputs[0], 0
    for part in op.tensors:
        start = [0] * len(shape_of(part))
        start[axis] = at
        at += shape_of(part)[axis]
        offset = _contiguous(start, shape_of(part), result)
        if offset is not None and not is_constant(part):
            yield part, result, offset


def _contiguous(start: Sequence[int], size: Sequence[int], whole: SSAValue) -> int | None:
    """Where a window begins in the bytes of `whole`; `None` if it does not lie in one run there."""
    shape = shape_of(whole)
    cut = [axis for axis in range(len(shape)) if size[axis] != shape[axis]]
    first = cut[-1] if cut else 0
    if any(extent != 1 for extent in size[:first]):
        return None
    stride, offset = byte_size(whole), 0
    for low, extent in zip(start, shape, strict=True):
        stride //= extent
        offset += low * stride
    return offset
