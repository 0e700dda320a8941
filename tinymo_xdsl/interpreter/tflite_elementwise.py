"""TFLite operators on elements at the same place, of the types that TOSA has no exact words for."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.interpreter.custom import Call, OperatorFunction
from tinymo_xdsl.numerics.dense import Array

_BOUNDS_OF_INTEGERS: Final = MappingProxyType(
    {"NONE": (None, None), "RELU": (0, None), "RELU6": (0, 6), "RELU_N1_TO_1": (-1, 1)}
)
"""What the fused activations of integers without a scale leave."""


def _integers(call: Call) -> tuple[Array, Array]:
    first, second = call.array(0), call.array(1)
    if first.dtype != np.int32:
        raise BadModelError(f"{call.what}: {first.dtype} cannot be interpreted here; use int32")
    return first, second


def _add(call: Call) -> Array:
    """The sum wraps; TFLite Micro applies no activation to it."""
    return np.add(*_integers(call))


def _subtract(call: Call) -> Array:
    """The difference wraps, and then an activation is applied."""
    low, high = _BOUNDS_OF_INTEGERS[call.option("fused_activation_function", "NONE")]
    difference = np.subtract(*_integers(call))
    return difference if low is None else np.clip(difference, low, high)


def _comparison(function: np.ufunc) -> OperatorFunction:
    def run(call: Call) -> Array:
        return function(call.array(0), call.array(1))

    return run


OPERATORS: Final[Mapping[str, OperatorFunction]] = MappingProxyType(
    {
        "ADD": _add,
        "LESS": _comparison(np.less),
        "SUB": _subtract,
    }
)
"""By the schema's name."""
