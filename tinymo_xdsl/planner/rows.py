"""
Which rows of its input an operator reads for given rows of its output, and the other way round.

Rows count along axis 1 (height) of an NHWC tensor. All arithmetic is on whole tensors' row numbers: a stripe of a
tensor is the half-open range of rows that it holds.
"""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


@dataclass(frozen=True, order=True)
class Rows:
    """The half-open range of rows [start, stop) of a tensor. Rows outside of the tensor are allowed: see `Window`."""

    start: int
    stop: int

    def __len__(self) -> int:
        return max(self.stop - self.start, 0)

    def contains(self, other: "Rows") -> bool:
        return self.start <= other.start and other.stop <= self.stop

    def intersection(self, other: "Rows") -> "Rows":
        """The common rows; an empty range if there are none."""
        start = self.start if self.start > other.start else other.start
        stop = self.stop if self.stop < other.stop else other.stop
        return Rows(start, stop if stop > start else start)

    def hull(self, other: "Rows") -> "Rows":
        """The smallest range that contains both."""
        return Rows(min(self.start, other.start), max(self.stop, other.stop))


class Padding(Enum):
    """How a `.tflite` file writes the padding of one window operator."""

    SAME = "SAME"
    VALID = "VALID"
    EXPLICIT = "PAD in front of VALID"


@dataclass(frozen=True)
class Window:
    """
    A convolution, depthwise convolution or pool: output row `o` reads the input rows from `o * stride - pad_top` on,
    `kernel` of them. An elementwise operator is the window of one row, which is the default.

    `kernel` is the effective one, (k - 1) * dilation + 1. The pads are those of the unsplit operator.
    `same_columns`: the columns are padded as SAME pads them. `valid_columns`: the columns need no padding (both hold
    for a kernel one column wide). `padded_row_bytes`: bytes of one input row with its columns padded, which is what
    a PAD operator in front would write; None where padding must not become an operator (pools).
    """

    kernel: int = 1
    stride: int = 1
    pad_top: int = 0
    pad_bottom: int = 0
    same_columns: bool = True
    valid_columns: bool = True
    padded_row_bytes: int | None = None

    @property
    def is_elementwise(self) -> bool:
        """Whether every output row reads the same input row and no other."""
        return self.kernel == 1 and self.stride == 1

    @property
    def reads_only_padding(self) -> bool:
        """Whether some output row may read padding and nothing else."""
        return max(self.pad_top, self.pad_bottom) >= self.kernel

    def result_rows(self, fed: int, pad_top: int, pad_bottom: int) -> int:
        """How many rows come out of `fed` rows with these pads."""
        return max((fed + pad_top + pad_bottom - self.kernel) // self.stride + 1, 0)

    def same_padding(self, fed: int) -> tuple[int, int]:
        """The pads (top, bottom) that SAME gives a tensor of `fed` rows (TensorFlow: the odd row is at the bottom)."""
        total = max((-(-fed // self.stride) - 1) * self.stride + self.kernel - fed, 0)
        return total // 2, total - total // 2

    def padding(self, fed: int, pad_top: int, pad_bottom: int) -> Padding | None:
        """How a file writes these pads around `fed` rows; None if it has no way to. Rows nobody reads do not count."""
        result = self.result_rows(fed, pad_top, pad_bottom)
        if self.valid_columns and pad_top == 0 and result == self.result_rows(fed, 0, 0):
            return Padding.VALID
        same = self.same_padding(fed)
        if self.same_columns and pad_top == same[0] and result == self.result_rows(fed, *same):
            return Padding.SAME
        return Padding.EXPLICIT if self.padded_row_bytes is not None else None

    def needed(self, result: Rows, operand_rows: int) -> Rows:
        """The rows of the operand, `operand_rows` high, that these output rows read; padding is not read."""
        start = result.start * self.stride - self.pad_top
        stop = (result.stop - 1) * self.stride - self.pad_top + self.kernel
        return Rows(start, stop).intersection(Rows(0, operand_rows))

    def computed(self, fed: Rows, pad_top: int, pad_bottom: int) -> Rows:
        """
        The output rows that come out when the window runs over `fed` with these pads: right or wrong ones, and wrong
        ones may lie outside of the output tensor. ValueError if they fall between the rows of the unsplit output.
        """
        start, phase = divmod(fed.start - pad_top + self.pad_top, self.stride)
        if phase:
            raise ValueError(f"rows {fed.start} on with {pad_top} rows of padding are out of step by {phase}")
        return Rows(start, start + self.result_rows(len(fed), pad_top, pad_bottom))


@dataclass(frozen=True)
class Repeat:
    """Nearest-neighbour resize by an integer factor: output row `o` reads input row `o // factor`."""

    factor: int

    @property
    def growth(self) -> int:
        """Output rows for each input row."""
        return self.factor

    def needed(self, result: Rows, operand_rows: int) -> Rows:
        return Rows(result.start // self.factor, -(-result.stop // self.factor)).intersection(Rows(0, operand_rows))

    def computed(self, fed: Rows, pad_top: int, pad_bottom: int) -> Rows:
        """The output rows that come out of `fed`."""
        return Rows(fed.start * self.factor, fed.stop * self.factor)


@dataclass(frozen=True)
class TransposedWindow:
    """
    A transposed convolution: input row `i` adds to the output rows from `i * stride - crop_top` on, `kernel` of them.

    `crop_top` and `crop_bottom` rows are cut off (TOSA's negative out_pad; SAME in TFLite), whole or in stripes.
    """

    kernel: int
    stride: int
    crop_top: int = 0
    crop_bottom: int = 0

    @property
    def growth(self) -> int:
        """Output rows for each input row."""
        return self.stride

    def needed(self, result: Rows, operand_rows: int) -> Rows:
        start = -(-(result.start + self.crop_top - self.kernel + 1) // self.stride)
        stop = (result.stop - 1 + self.crop_top) // self.stride + 1
        return Rows(start, stop).intersection(Rows(0, operand_rows))

    def computed(self, fed: Rows, pad_top: int, pad_bottom: int) -> Rows:
        start = fed.start * self.stride
        height = (len(fed) - 1) * self.stride + self.kernel - self.crop_top - self.crop_bottom
        return Rows(start, start + max(height, 0))


@dataclass(frozen=True)
class AllRows:
    """An operand that every stripe reads whole: one row or one number, broadcast."""


LocalAccess: TypeAlias = Window | Repeat | TransposedWindow
"""How some rows of the output come from some rows of an operand."""

RowAccess: TypeAlias = LocalAccess | AllRows
"""Which rows of one operand an operator reads."""
