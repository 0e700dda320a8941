"""How convolutions and poolings move over the rows and columns of an NHWC array."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tinymo_xdsl.numerics.dense import Array


@dataclass(frozen=True)
class SlidingWindow:
    """A kernel, its steps and the border around the input, in rows and columns."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    pad: tuple[int, int, int, int]
    """Top, bottom, left, right."""
    dilation: tuple[int, int] = (1, 1)

    def output_size(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of positions where the kernel lies inside the padded input."""
        top, bottom, left, right = self.pad
        return (
            _positions(height + top + bottom, self.kernel[0], self.stride[0], self.dilation[0]),
            _positions(width + left + right, self.kernel[1], self.stride[1], self.dilation[1]),
        )

    def padded(self, x: Array, fill: float) -> Array:
        """`x` with a border of `fill`."""
        if not any(self.pad):
            return x
        top, bottom, left, right = self.pad
        batch, height, width, channels = x.shape
        framed = np.full((batch, height + top + bottom, width + left + right, channels), fill, x.dtype)
        framed[:, top : top + height, left : left + width] = x
        return framed

    def taps(self, x: Array) -> Iterator[Array]:
        """
        What each element of the kernel reads, row by row of the kernel.

        `x` is already padded; the views have the shape [batch, output rows, output columns, channels].
        """
        unpadded = SlidingWindow(self.kernel, self.stride, (0, 0, 0, 0), self.dilation)
        rows, columns = unpadded.output_size(x.shape[1], x.shape[2])
        for ky in range(self.kernel[0]):
            for kx in range(self.kernel[1]):
                yield x[
                    :,
                    _positions_slice(ky * self.dilation[0], rows, self.stride[0]),
                    _positions_slice(kx * self.dilation[1], columns, self.stride[1]),
                ]


def _positions(size: int, kernel: int, stride: int, dilation: int) -> int:
    return (size - (kernel - 1) * dilation - 1) // stride + 1


def _positions_slice(start: int, count: int, stride: int) -> slice:
    return slice(start, start + (count - 1) * stride + 1, stride)
