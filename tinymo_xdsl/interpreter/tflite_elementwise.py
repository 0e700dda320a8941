"""TFLite operators on elements at the same place, of the types that TOSA has no exact words for."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.interpreter.custom import Call, OperatorFunction
from tinymo_xdsl.interpreter.operands import result_dtype
from tinymo_xdsl.numerics.dense import Array
from tinymo_xdsl.numerics.reciprocals import divide, reciprocal_root
from tinymo_xdsl.numerics.requantize import activation_range

_BOUNDS: Final = MappingProxyType({"NONE": (None, None), "RELU": (0, None), "RELU6": (0, 6), "RELU_N1_TO_1": (-1, 1)})
"""What the fused activations of numbers without a scale leave."""


def with_activation(call: Call, x: Array) -> Array:
    """`x`, whose numbers are what they mean, after the fused activation."""
    name = call.option("fused_activation_function", "NONE")
    if name not in _BOUNDS:
        raise BadModelError(f"{call.what}: the interpreter does not know the activation {name}")
    low, high = _BOUNDS[name]
    return x if low is None else np.clip(x, low, high).astype(x.dtype)


def _require(call: Call, x: Array, *dtypes: str) -> None:
    if x.dtype.name not in dtypes:
        raise BadModelError(f"{call.what}: {x.dtype.name} cannot be interpreted; use {' or '.join(dtypes)}")


def _integers(call: Call) -> tuple[Array, Array]:
    first, second = call.array(0), call.array(1)
    _require(call, first, "int32")
    return first, second


def _add(call: Call) -> Array:
    """The sum wraps; TFLite Micro applies no activation to it."""
    return np.add(*_integers(call))


def _subtract(call: Call) -> Array:
    """The difference wraps, and then an activation is applied."""
    return with_activation(call, np.subtract(*_integers(call)))


def _multiply(call: Call) -> Array:
    """The product wraps, and then an activation is applied."""
    return with_activation(call, np.multiply(*_integers(call)))


def _divide(call: Call) -> Array:
    first, second = call.array(0), call.array(1)
    _require(call, first, "float32", "int8", "int32")
    if first.dtype == np.float32:
        return with_activation(call, first / second)
    if first.dtype == np.int32:
        wide = np.abs(first.astype(np.int64)) // np.abs(second.astype(np.int64))
        return with_activation(call, np.where((first < 0) == (second < 0), wide, -wide).astype(np.int32))
    facts = [call.input_facts(0), call.input_facts(1), call.output_facts]
    # The kernel computes this factor in single precision.
    scales = [np.float32(entry.one_scale) for entry in facts]
    dividend, divisor = (
        array.astype(np.int32) - entry.one_zero_point for array, entry in zip((first, second), facts, strict=False)
    )
    dividend, divisor = np.broadcast_arrays(dividend, divisor)
    quotient = divide(dividend, divisor, float(scales[0] / (scales[1] * scales[2])))
    result = facts[2]
    name = call.option("fused_activation_function", "NONE")
    low, high = activation_range(name, result.one_scale, result.one_zero_point, first.dtype)
    return np.clip(quotient + result.one_zero_point, low, high).astype(np.int8)


def _comparison(function: np.ufunc) -> OperatorFunction:
    def run(call: Call) -> Array:
        _require(call, call.array(0), "bool", "int32", "int64", "float32")
        return function(call.array(0), call.array(1))

    return run


def _of_one_type(function: Callable[..., Array], *dtypes: str) -> OperatorFunction:
    """An operator that is `function` of its inputs, all of one of the types."""

    def run(call: Call) -> Array:
        _require(call, call.array(0), *dtypes)
        return function(*call.arrays)

    return run


def _floor_divide(x: Array, y: Array) -> Array:
    return np.floor(x / y)


def _elu(x: Array) -> Array:
    return np.where(x < 0, np.expm1(x), x)


def _reciprocal_root(call: Call) -> Array:
    x, source, result = call.array(0), call.input_facts(0), call.output_facts
    _require(call, x, "int8", "int16")
    if (x < source.one_zero_point).any():
        raise BadModelError(f"{call.what}: the input has negative numbers, which have no root")
    scales = source.one_scale, source.one_zero_point, result.one_scale, result.one_zero_point
    return reciprocal_root(x, *scales)


def _cast(call: Call) -> Array:
    """Floats are cut, not rounded, and saturate where C leaves open what happens."""
    x, to = call.array(0), result_dtype(call.op)
    if np.issubdtype(x.dtype, np.floating) and np.issubdtype(to, np.integer):
        limits = np.iinfo(to)
        return np.clip(np.trunc(x.astype(np.float64)), limits.min, limits.max).astype(to)
    return x.astype(to)


def _extreme(function: np.ufunc) -> OperatorFunction:
    return _of_one_type(function, "int64", "uint8")


OPERATORS: Final[Mapping[str, OperatorFunction]] = MappingProxyType(
    {
        "ADD": _add,
        "CAST": _cast,
        "DIV": _divide,
        "ELU": _of_one_type(_elu, "float32"),
        "EQUAL": _comparison(np.equal),
        "FLOOR_DIV": _of_one_type(_floor_divide, "float32"),
        "FLOOR_MOD": _of_one_type(np.mod, "float32"),
        "GREATER": _comparison(np.greater),
        "GREATER_EQUAL": _comparison(np.greater_equal),
        "LESS": _comparison(np.less),
        "LESS_EQUAL": _comparison(np.less_equal),
        "MAXIMUM": _extreme(np.maximum),
        "MINIMUM": _extreme(np.minimum),
        "MUL": _multiply,
        "NOT_EQUAL": _comparison(np.not_equal),
        "ROUND": _of_one_type(np.rint, "float32"),
        "RSQRT": _reciprocal_root,
        "SQRT": _of_one_type(np.sqrt, "float32"),
        "SUB": _subtract,
        "ZEROS_LIKE": _of_one_type(np.zeros_like, "float32", "int8", "int32", "int64"),
    }
)
"""By the schema's name."""
