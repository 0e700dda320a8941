"""Resizing of images, by the rational steps of TOSA `RESIZE`."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinymo_xdsl.numerics.dense import Array
from tinymo_xdsl.numerics.fixed_point import IntegerArray


@dataclass(frozen=True)
class Sampling:
    """Where the output positions of one axis lie in the input, in steps of `1 / numerator` of an element."""

    numerator: int
    denominator: int
    offset: int
    border: int

    def output_size(self, size: int) -> int:
        """The number of output positions over `size` elements."""
        return ((size - 1) * self.numerator - self.offset + self.border) // self.denominator + 1

    def neighbours(self, size: int) -> tuple[IntegerArray, IntegerArray, IntegerArray]:
        """For each output position the element before it, the one after it, and the steps past the first."""
        position = np.arange(self.output_size(size)) * self.denominator + self.offset
        before = position // self.numerator
        return np.clip(before, 0, size - 1), np.clip(before + 1, 0, size - 1), position - before * self.numerator


def resize_nearest(x: Array, rows: Sampling, columns: Sampling) -> Array:
    """`x` [N, H, W, C]; each output is the nearest element, the later one in the middle of two."""
    return x[:, _nearest(rows, x.shape[1])][:, :, _nearest(columns, x.shape[2])]


def resize_bilinear(x: Array, rows: Sampling, columns: Sampling, output: np.dtype[Any]) -> Array:
    """
    `x` [N, H, W, C], result of dtype `output`.

    Integer results are not divided: they are larger than the input by both numerators.
    """
    top, bottom, down = rows.neighbours(x.shape[1])
    left, right, across = columns.neighbours(x.shape[2])
    unit_down, unit_across = output.type(rows.numerator), output.type(columns.numerator)
    down, across = down.astype(output)[:, None, None], across.astype(output)[:, None]
    if np.issubdtype(output, np.floating):
        down, across = down / unit_down, across / unit_across
        unit_down = unit_across = output.type(1)
    wide = x.astype(output)
    upper, lower = wide[:, top], wide[:, bottom]
    return (
        upper[:, :, left] * (unit_down - down) * (unit_across - across)
        + upper[:, :, right] * (unit_down - down) * across
        + lower[:, :, left] * down * (unit_across - across)
        + lower[:, :, right] * down * across
    )


def _nearest(sampling: Sampling, size: int) -> IntegerArray:
    before, after, past = sampling.neighbours(size)
    return np.where(2 * past >= sampling.numerator, after, before)
