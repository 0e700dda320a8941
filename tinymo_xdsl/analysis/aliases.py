"""
Which tensors of a `.tflite` may share their bytes, and when each byte is needed.

A SLICE of whole rows can lie inside its source, the parts of a CONCATENATION inside its result, a RESHAPE on its input:
the kernel then copies bytes onto themselves. An elementwise kernel may write over an input that dies. What is legal
depends on the kernel library; anything that is not listed does not alias. `planner.sharing` decides what is possible.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from tinymo_xdsl.analysis.describe import operator_name
from tinymo_xdsl.analysis.kernels import Kernel, kernels_of
from tinymo_xdsl.analysis.liveness import is_variable
from tinymo_xdsl.analysis.overlap import lead_bytes
from tinymo_xdsl.analysis.rows import ELEMENTWISE, shape_of
from tinymo_xdsl.analysis.sizes import byte_size, element_bytes
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.planner import sharing as shared
from tinymo_xdsl.planner.arena.problem import Overlap, Tie
from tinymo_xdsl.planner.least_bytes import least_bytes
from tinymo_xdsl.planner.origins import Origins
from tinymo_xdsl.planner.overlaps import overlaps_of
from tinymo_xdsl.planner.peak_sharing import share_at_peaks
from tinymo_xdsl.planner.sharing import Copy, Overwrite, Piece, Read, Tensor, Wish, share

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
    KernelLibrary.CMSIS_NN: _OWN_ELEMENTS | {"ADD", "SUB", "MUL"},
    KernelLibrary.UNKNOWN: frozenset[str](),
}
"""
Operators that read an element before they write the one at its place, where all shapes are equal: with a broadcast
operand they do not.

Reference: `activations.cc`, `logistic.cc`, `tanh.cc`, `hard_swish.cc`, `leaky_relu.cc`, `quantize.cc`, `add.cc`,
`sub.cc`, `mul.cc` and `maximum_minimum.cc` of TFLite Micro. CMSIS-NN has kernels of its own for ADD and MUL:
`arm_elementwise_add_s8.c`, `arm_elementwise_mul_s8.c` and `arm_elementwise_mul_s16.c` read up to four elements of each
operand, then write as many. The rest is the reference's.
"""

_NOT_IN_PLACE = frozenset({(KernelLibrary.CMSIS_NN, "ADD", 16)})
"""Exceptions by the bits of an element: the order of `arm_elementwise_add_s16.c` has not been looked at."""

_OVERLAPPING = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D", "AVERAGE_POOL_2D", "PAD", tosa.PadOp.name})
"""Operators whose reference kernels write pixel by pixel: see `overlap`."""

_COPIES = frozenset({"RESHAPE", "SQUEEZE", "EXPAND_DIMS", "SLICE", "STRIDED_SLICE", "CONCATENATION"})
_UNNAMED_COPIES = frozenset({tosa.ReshapeOp.name, tosa.SliceOp.name, tosa.ConcatOp.name})
_VIEWS = {
    KernelLibrary.REFERENCE: _COPIES | _UNNAMED_COPIES,
    KernelLibrary.CMSIS_NN: _COPIES | _UNNAMED_COPIES,
    KernelLibrary.UNKNOWN: frozenset[str](),
}
"""
Operators that copy bytes onto themselves without harm. Those that passes make have no name yet.

`reshape_common.cc` skips a copy between equal pointers; `slice.cc`, `strided_slice.cc` and `concatenation.cc` copy runs
with `memcpy`, whose source and target are the same bytes for a view. CMSIS-NN has no kernels of its own for them.
"""


class Sharing(Enum):
    """How much of what is possible is shared: what moves together is harder to place."""

    NONE = "none"
    VIEWS = "views"
    AT_PEAKS = "at peaks"
    ALL = "all"


@dataclass(frozen=True, eq=False)
class Group:
    """Tensors that share bytes. A tensor that shares none is a group of its own."""

    members: tuple[tuple[SSAValue, int], ...]
    """Each tensor with its offset in bytes."""
    pieces: tuple[Piece, ...]
    """Steps are numbered as in `aliases_of`."""


@dataclass(frozen=True, eq=False)
class Aliases:
    """The tensors of a function that lie in the arena, and which of them may share bytes."""

    values: tuple[SSAValue, ...]
    tensors: tuple[Tensor, ...]
    """Numbered as `values`, in whole blocks of `TFLM_ALIGNMENT` bytes."""
    wishes: tuple[Wish, ...]
    """Copies that need not be made and operands that may be written over, in the order of execution."""

    def groups(self, sharing: Sharing, scratch: Sequence[Tensor] = ()) -> list[Group]:
        """The groups in order of appearance; `scratch` is what else takes part in peaks."""
        match sharing:
            case Sharing.NONE:
                groups = share(self.tensors, (), TFLM_ALIGNMENT)
            case Sharing.VIEWS:
                groups = share(self.tensors, [wish for wish in self.wishes if isinstance(wish, Copy)], TFLM_ALIGNMENT)
            case Sharing.AT_PEAKS:
                groups = share_at_peaks((*self.tensors, *scratch), self.wishes, TFLM_ALIGNMENT)[: -len(scratch) or None]
            case Sharing.ALL:
                # Whatever overlaps in a long chain drifts apart, and takes more than one after the other.
                wishes = [wish for wish in self.wishes if isinstance(wish, Copy) or not wish.lead]
                groups = share(self.tensors, wishes, TFLM_ALIGNMENT)
        return [Group(tuple((self.values[index], at) for index, at in g.members), g.pieces) for g in groups]

    def overlaps(self, groups: Sequence[Group]) -> list[Overlap]:
        """Which of all `groups`, by index, may lie on each other besides."""
        numbers = {value: number for number, value in enumerate(self.values)}
        numbered = [shared.Group(tuple((numbers[value], at) for value, at in g.members), g.pieces) for g in groups]
        return overlaps_of(self.tensors, self.wishes, numbered)

    def ties(self) -> list[Tie]:
        """Which tensors, by number, hold the same at which distance."""
        copies = [wish for wish in self.wishes if isinstance(wish, Copy) and wish.offset % TFLM_ALIGNMENT == 0]
        ties = (Tie(*tie) for tie in Origins(self.tensors, copies).ties())
        return [tie for tie in ties if tie.distance % TFLM_ALIGNMENT == 0]

    def least_bytes(self, scratch: Sequence[Tensor] = ()) -> int:
        """The bytes that no plan can do without, whatever it shares."""
        return least_bytes((*self.tensors, *scratch), self.wishes, TFLM_ALIGNMENT)


def aliases_of(function: FuncOp, library: KernelLibrary, overlap: bool = False) -> Aliases:
    """
    What may share bytes in `function`, a level-2 function as the backend writes it.

    With `overlap`, results of reference kernels may run into their operands too.

    Kernels are numbered from 1, as the file's operators are; at step 0 the arguments are there, and results of the
    function are kept to the step behind the last kernel. Left out are constants, variables, and what has no bytes.
    """
    kernels = [kernel for kernel in kernels_of(function) if not any(map(is_variable, kernel.outputs))]
    made = [*function.args, *(value for kernel in kernels for value in kernel.outputs)]
    values = tuple(value for value in made if byte_size(value))
    numbers = {value: number for number, value in enumerate(values)}
    wishes: list[Wish] = []
    for kernel in kernels:
        wishes += _copies(kernel, numbers, library)
        wishes += _overwrites(kernel, numbers, library)
        if overlap and library is KernelLibrary.REFERENCE:
            wishes += _overlaps(kernel, numbers)
    return Aliases(values, tuple(_tensors(function, kernels, numbers)), tuple(wishes))


def _tensors(function: FuncOp, kernels: Sequence[Kernel], numbers: Mapping[SSAValue, int]) -> list[Tensor]:
    made: dict[SSAValue, int] = dict.fromkeys(function.args, 0)
    reads: dict[SSAValue, list[Read]] = {value: [] for value in numbers}
    for step, kernel in enumerate(kernels, 1):
        made.update(dict.fromkeys(kernel.outputs, step))
        for value in kernel.inputs:
            if value in numbers:
                reads[value].append(_read(step, kernel, value))
    terminator = function.body.block.last_op
    for value in () if terminator is None else terminator.operands:
        if value in numbers:
            reads[value].append(_read_in_blocks(len(kernels) + 1, 0, byte_size(value)))
    return [Tensor(_blocks(byte_size(value)), made[value], tuple(reads[value])) for value in numbers]


def _read(step: int, kernel: Kernel, value: SSAValue) -> Read:
    """A slice of whole rows reads its window, anything else all bytes."""
    for part, whole, offset in _views(kernel):
        if whole is value:
            return _read_in_blocks(step, offset, offset + byte_size(part))
    return _read_in_blocks(step, 0, byte_size(value))


def _read_in_blocks(step: int, start: int, stop: int) -> Read:
    return Read(step, start // TFLM_ALIGNMENT * TFLM_ALIGNMENT, _blocks(stop))


def _blocks(size: int) -> int:
    return -(-size // TFLM_ALIGNMENT) * TFLM_ALIGNMENT


def _copies(kernel: Kernel, numbers: Mapping[SSAValue, int], library: KernelLibrary) -> Iterator[Copy]:
    if operator_name(kernel) in _VIEWS[library]:
        for part, whole, offset in _views(kernel):
            if part in numbers and whole in numbers:
                yield Copy(numbers[part], numbers[whole], offset)


def _overwrites(kernel: Kernel, numbers: Mapping[SSAValue, int], library: KernelLibrary) -> Iterator[Overwrite]:
    name = operator_name(kernel)
    if name not in _IN_PLACE[library] or len(kernel.outputs) != 1:
        return
    if (library, name, 8 * element_bytes(kernel.outputs[0])) in _NOT_IN_PLACE:
        return
    # The name is what the facts state, the ops what is computed.
    if all(isinstance(op, (*ELEMENTWISE, tosa.CustomOp)) for op in kernel.ops):
        result = kernel.outputs[0]
        for operand in kernel.inputs:
            if operand in numbers and operand.type == result.type:
                yield Overwrite(numbers[result], numbers[operand])


def _overlaps(kernel: Kernel, numbers: Mapping[SSAValue, int]) -> Iterator[Overwrite]:
    if operator_name(kernel) in _OVERLAPPING and (lead := lead_bytes(kernel)) is not None:
        (result,), (operand,) = kernel.outputs, kernel.inputs
        if operand in numbers:
            yield Overwrite(numbers[result], numbers[operand], lead)


def _views(kernel: Kernel) -> Iterator[tuple[SSAValue, SSAValue, int]]:
    """Triples of a tensor that can lie in another one, that one, and the offset in bytes."""
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


def _parts(kernel: Kernel, op: tosa.ConcatOp) -> Iterator[tuple[SSAValue, SSAValue, int]]:
    axis, result, at = op.axis.value.data, kernel.outputs[0], 0
    for part in op.tensors:
        start = [0] * len(shape_of(part))
        start[axis] = at
        at += shape_of(part)[axis]
        offset = _contiguous(start, shape_of(part), result)
        if offset is not None:
            yield part, result, offset


def _contiguous(start: Sequence[int], size: Sequence[int], whole: SSAValue) -> int | None:
    """Where a window begins in the bytes of `whole`; `None` if it does not lie in one run there."""
    shape = shape_of(whole)
    cut = [axis for axis in range(len(shape)) if size[axis] != shape[axis]]
    last = cut[-1] if cut else 0
    if any(extent != 1 for extent in size[:last]) or not byte_size(whole):
        return None
    stride, offset = byte_size(whole), 0
    for low, extent in zip(start, shape, strict=True):
        stride //= extent
        offset += low * stride
    return offset
