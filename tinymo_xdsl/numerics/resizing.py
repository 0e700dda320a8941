"""Resizing of the TFLite Micro reference kernels, of images `[N, H, W, C]`."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinymo_xdsl.numerics.dense import Array
from tinymo_xdsl.numerics.fixed_point import IntegerArray

_FRACTION_BITS = 10
_UNIT = 1 << _FRACTION_BITS


@dataclass(frozen=True, eq=False)
class Neighbours:
    """For each place along an axis of the output: the elements around it, and how far it is past the first."""

    before: IntegerArray
    after: IntegerArray
    past: Array


def interpolate(x: Array, height: int, width: int, *, align_corners: bool, half_pixel_centers: bool) -> Array:
    """An image of floats, in single precision."""
    rows = _neighbours(x.shape[1], height, align_corners, half_pixel_centers)
    columns = _neighbours(x.shape[2], width, align_corners, half_pixel_centers)
    return _weighted(x, rows, columns, np.float32(1))


def _neighbours(size: int, to: int, align_corners: bool, half_pixel_centers: bool) -> Neighbours:
    scale = _scale(size, to, align_corners)
    place = np.arange(to, dtype=np.float32)
    place = (place + np.float32(0.5)) * scale - np.float32(0.5) if half_pixel_centers else place * scale
    before = np.maximum(np.floor(place).astype(np.int32), 0)
    after = np.minimum(np.ceil(place).astype(np.int32), size - 1)
    return Neighbours(before, after, place - before.astype(np.float32))


def _scale(size: int, to: int, align_corners: bool) -> np.float32:
    if align_corners and to > 1:
        return np.float32(size - 1) / np.float32(to - 1)
    return np.float32(size) / np.float32(to)


def nearest(size: int, to: int, *, align_corners: bool, half_pixel_centers: bool) -> IntegerArray:
    """Which of `size` elements is at each of `to` places: the one before it, or the nearest of aligned corners."""
    offset = np.float32(0.5 if half_pixel_centers else 0)
    place = (np.arange(to, dtype=np.float32) + offset) * _scale(size, to, align_corners)
    chosen = np.floor(place + np.float32(0.5)) if align_corners else np.floor(place)
    return np.clip(chosen.astype(np.int32), 0, size - 1)


def interpolate_integers(x: Array, height: int, width: int, *, align_corners: bool, half_pixel_centers: bool) -> Array:
    """An image of int8, with fractions of 10 bits; halves are rounded away from zero."""
    rows = _integer_neighbours(x.shape[1], height, align_corners, half_pixel_centers)
    columns = _integer_neighbours(x.shape[2], width, align_corners, half_pixel_centers)
    total = _weighted(x.astype(np.int64), rows, columns, np.int64(_UNIT))
    half = 1 << (2 * _FRACTION_BITS - 1)
    return _truncated(total + np.where(total > 0, half, -half), 1 << (2 * _FRACTION_BITS)).astype(x.dtype)


def _integer_neighbours(size: int, to: int, align_corners: bool, half_pixel_centers: bool) -> Neighbours:
    scale = (_UNIT * size + to // 2) // to
    if align_corners and to > 1:
        scale = (_UNIT * (size - 1) + (to - 1) // 2) // (to - 1)
    place = np.arange(to, dtype=np.int64) * scale
    if half_pixel_centers:
        place = place + scale // 2 - _UNIT // 2
    before = np.maximum(_truncated(place, _UNIT), 0)
    after = np.minimum(_truncated(place + _UNIT - 1, _UNIT), size - 1)
    return Neighbours(before, after, place - _UNIT * before)


def _truncated(x: IntegerArray, divisor: int) -> IntegerArray:
    """The quotient without its fraction, as C divides."""
    return np.sign(x) * (np.abs(x) // divisor)


def _weighted(x: Array, rows: Neighbours, columns: Neighbours, unit: npt.NDArray[np.generic] | np.generic) -> Array:
    """The four neighbours of each place, weighted and added in the order of the kernel."""
    down, across = rows.past[:, np.newaxis, np.newaxis], columns.past[:, np.newaxis]
    upper, lower = x[:, rows.before], x[:, rows.after]
    return (
        upper[:, :, columns.before] * (unit - down) * (unit - across)
        + lower[:, :, columns.before] * down * (unit - across)
        + upper[:, :, columns.after] * (unit - down) * across
        + lower[:, :, columns.after] * down * across
    )
