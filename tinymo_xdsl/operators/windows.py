"""Padding: TFLite's SAME and VALID as the explicit pads of TOSA, and back."""

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.ir import SSAValue

from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.dialects.tosa.base import plain_ints
from tinymo_xdsl.fact_entries import OptionFact
from tinymo_xdsl.flatbuffer.schema import Padding
from tinymo_xdsl.operators.base import Emitter, Lift, NotExactError, shape_of


@dataclass(frozen=True)
class Window:
    """How windows step along one axis of an image."""

    size: int
    """Elements of the input."""
    kernel: int
    """Elements that a window spans, dilation included."""
    stride: int

    def pads(self, padding: Padding) -> tuple[int, int]:
        """The elements added before and after under `padding` (TFLite `ComputePaddingWithOffset`)."""
        if padding is Padding.VALID:
            return (0, 0)
        steps = -(-self.size // self.stride)
        total = max((steps - 1) * self.stride + self.kernel - self.size, 0)
        return (total // 2, total - total // 2)

    def unread(self, pads: tuple[int, int]) -> int:
        """Elements at the end that no window reads. TOSA wants them cut off first."""
        span = self.size + sum(pads) - self.kernel
        return max(span % self.stride, 0) if span >= 0 else 0


@dataclass(frozen=True)
class WindowGrid:
    """The two axes of an image that windows step along."""

    rows: Window
    columns: Window

    def pads(self, padding: Padding) -> tuple[int, int, int, int]:
        """Pads (top, bottom, left, right) under `padding`."""
        return (*self.rows.pads(padding), *self.columns.pads(padding))


def grid_of(
    image: Sequence[int], kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int] = (1, 1)
) -> WindowGrid:
    """The windows over an image `[N, H, W, C]`."""
    rows, columns = (
        Window(size, (taps - 1) * apart + 1, step)
        for size, taps, step, apart in zip(image[1:3], kernel, stride, dilation, strict=True)
    )
    return WindowGrid(rows, columns)


def cut_unread(emitter: Emitter, image: SSAValue, grid: WindowGrid, pads: Sequence[int]) -> tuple[SSAValue, list[int]]:
    """The image without the rows and columns that no window reads, and the pads that remain."""
    shape, rest = read_part(shape_of(image), grid, pads)
    if shape == shape_of(image):
        return image, rest
    start, size = emitter.shape([0] * len(shape)), emitter.shape(shape)
    return emitter.emit(tosa.SliceOp(image, start, size)).output, rest


def read_part(image: Sequence[int], grid: WindowGrid, pads: Sequence[int]) -> tuple[tuple[int, ...], list[int]]:
    """
    The shape of what windows read of an image of this shape, and the pads that remain.

    A pad at the end that no window reads is dropped first.
    """
    rest, shape = list(pads), list(image)
    for axis, window, end in ((1, grid.rows, 1), (2, grid.columns, 3)):
        unread = window.unread((rest[end - 1], rest[end]))
        dropped = min(unread, rest[end])
        rest[end] -= dropped
        shape[axis] -= unread - dropped
    return tuple(shape), rest


def whole_image_padding(
    image: Sequence[int], pads: Sequence[int], grid: WindowGrid, hint: OptionFact | None = None
) -> Padding:
    """
    The padding of the file for windows over an image of this shape, of which only what they read may be left.

    Where both paddings give `pads`, it is the one that `hint` names, or VALID. Raises `NotExactError` if neither does.
    """
    whole = WindowGrid(
        Window(image[1], grid.rows.kernel, grid.rows.stride), Window(image[2], grid.columns.kernel, grid.columns.stride)
    )
    order = (Padding.SAME, Padding.VALID) if hint == Padding.SAME.name else (Padding.VALID, Padding.SAME)
    for padding in order:
        if _trimmed(whole, padding) == tuple(pads):
            return padding
    raise NotExactError(f"pads {list(pads)} are neither SAME nor VALID for this input")


def whole_image(lift: Lift, image: SSAValue, pads: Sequence[int], grid: WindowGrid, hint: OptionFact | None) -> Padding:
    """As `whole_image_padding`, for an image that the kernel may have cut."""
    return whole_image_padding(shape_of(lift.source(image)), pads, grid, hint)


def _trimmed(grid: WindowGrid, padding: Padding) -> tuple[int, ...]:
    pads = list(grid.pads(padding))
    for window, end in ((grid.rows, 1), (grid.columns, 3)):
        pads[end] -= min(window.unread((pads[end - 1], pads[end])), pads[end])
    return tuple(pads)


def pads_attribute(op: tosa.Conv2DOp | tosa.DepthwiseConv2DOp | tosa.MaxPool2DOp | tosa.AvgPool2DOp) -> tuple[int, ...]:
    """The pads of a window op as plain numbers."""
    return plain_ints(op.pad)
