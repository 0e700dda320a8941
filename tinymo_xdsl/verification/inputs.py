"""Input values for comparisons, from a seed alone."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.flatbuffer.model import Tensor
from tinymo_xdsl.verification.engines import value_dtype

Array: TypeAlias = npt.NDArray[Any]
Unit: TypeAlias = npt.NDArray[np.float64]
"""Values from -1 to 1."""

_KINDS = ("noise", "smooth", "noise", "smooth", "lowest", "noise", "smooth", "highest")
"""Noise saturates classifiers; smooth values of low contrast are closer to pictures and sound."""


def sample(tensor: Tensor, seed: int, run: int, step: int, position: int) -> Array:
    """
    The values of input number `position` at the `step`-th inference of a `run`; they depend on no weights.

    Integers of 8 and 16 bits use their whole range, other numbers -1 to 1. Wider integers are often indices, and
    are 0 or 1. `BadModelError` for a tensor type without numbers.
    """
    dtype = value_dtype(tensor.dtype)
    if dtype is None:
        raise BadModelError(f"input '{tensor.name}' is a {tensor.dtype}: there are no values to try it with")
    rng = np.random.default_rng((seed, run, step, position))
    kind = _KINDS[(run + step) % len(_KINDS)]
    return _quantize(_unit_values(kind, rng, tensor.shape), dtype)


def _unit_values(kind: str, rng: np.random.Generator, shape: tuple[int, ...]) -> Unit:
    match kind:
        case "lowest":
            return np.full(shape, -1.0)
        case "highest":
            return np.full(shape, 1.0)
        case "smooth":
            return _smooth(rng, shape)
        case _:
            return rng.uniform(-1.0, 1.0, shape)


def _smooth(rng: np.random.Generator, shape: tuple[int, ...]) -> Unit:
    """A few random values, interpolated along every axis, at a random contrast and brightness."""
    values: Unit = rng.uniform(-1.0, 1.0, tuple(min(size, 4) for size in shape))
    for axis, size in enumerate(shape):
        values = _stretch(values, axis, size)
    contrast = rng.uniform(0.05, 0.6)
    return contrast * values + rng.uniform(contrast - 1.0, 1.0 - contrast)


def _stretch(values: Unit, axis: int, size: int) -> Unit:
    """`values` interpolated to `size` elements along `axis`."""
    places = np.arange(size) * ((values.shape[axis] - 1) / max(size - 1, 1))
    left = np.floor(places).astype(np.int64)
    right = np.minimum(left + 1, values.shape[axis] - 1)
    weight = (places - left).reshape([-1 if at == axis else 1 for at in range(values.ndim)])
    return np.take(values, left, axis) * (1.0 - weight) + np.take(values, right, axis) * weight


def _quantize(values: Unit, dtype: np.dtype[Any]) -> Array:
    """-1 to 1 onto the range of `dtype`."""
    if dtype.kind == "f":
        return values.astype(dtype)
    low, high = (np.iinfo(dtype).min, np.iinfo(dtype).max) if dtype.itemsize <= 2 and dtype.kind != "b" else (0, 1)
    return np.rint(low + (values + 1.0) * 0.5 * (high - low)).astype(dtype)
