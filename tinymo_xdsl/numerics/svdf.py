"""
SVDF of the TFLite Micro reference kernels: a dense layer over time whose matrix is made of a few filters.

Each filter is a weight of the features of one input, and one of the results of the last inputs: the state.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from tinymo_xdsl.numerics.dense import Array
from tinymo_xdsl.numerics.fixed_point import IntegerArray
from tinymo_xdsl.numerics.requantize import multiply_by_quantized_multiplier, quantize_multiplier


class SvdfOperand(IntEnum):
    """Where the operands of SVDF are."""

    INPUT = 0
    FEATURE_WEIGHTS = 1
    TIME_WEIGHTS = 2
    BIAS = 3
    STATE = 4


@dataclass(frozen=True, eq=False)
class Svdf:
    """The weights `[filters, inputs]` and `[filters, memory]`; the bias `[units]`, or `None`."""

    feature_weights: Array
    time_weights: Array
    bias: Array | None
    rank: int
    """How many filters make one unit of the output."""


@dataclass(frozen=True)
class SvdfScales:
    """The scales and zero points of a quantised layer."""

    to_state: float
    to_output: float
    input_zero_point: int
    state_zero_point: int
    output_zero_point: int


def shifted(state: Array, newest: Array) -> Array:
    """`state` `[batch, filters, memory]` one step older, with the `newest` features `[batch, filters]` at the end."""
    return np.concatenate([state[:, :, 1:], newest[:, :, np.newaxis].astype(state.dtype)], axis=2)


def svdf(layer: Svdf, x: Array, state: Array) -> tuple[Array, Array]:
    """The output `[batch, units]` of floats before any activation, added in the order of the kernel; the new state."""
    features = _sum_in_order(x[:, np.newaxis] * layer.feature_weights)
    state = shifted(state, features)
    filters = _sum_in_order(state * layer.time_weights)
    terms = filters.reshape(len(x), -1, layer.rank)
    bias = np.zeros(terms.shape[1], np.float32) if layer.bias is None else layer.bias
    first = np.broadcast_to(bias[np.newaxis, :, np.newaxis], (*terms.shape[:2], 1))
    return _sum_in_order(np.concatenate([first, terms], axis=2)), state


def _sum_in_order(terms: Array) -> Array:
    return np.cumsum(terms, axis=-1, dtype=terms.dtype)[..., -1]


def quantized_svdf(layer: Svdf, scales: SvdfScales, x: IntegerArray, state: IntegerArray) -> tuple[Array, Array]:
    """The int8 output of an int8 input; the state and the weights of the time are int8 or int16."""
    centred = x.astype(np.int32) - scales.input_zero_point
    features = _requantized(centred @ layer.feature_weights.astype(np.int32).T, scales.to_state)
    limits = np.iinfo(state.dtype)
    state = shifted(state, np.clip(features + scales.state_zero_point, limits.min, limits.max))
    products = (state.astype(np.int32) - scales.state_zero_point) * layer.time_weights
    total = products.sum(axis=2, dtype=np.int32).reshape(len(x), -1, layer.rank).sum(axis=2, dtype=np.int32)
    if layer.bias is not None:
        total = total + layer.bias
    output = _requantized(total, scales.to_output) + scales.output_zero_point
    return np.clip(output, -128, 127).astype(np.int8), state


def _requantized(x: IntegerArray, factor: float) -> IntegerArray:
    multiplier = quantize_multiplier(factor)
    return multiply_by_quantized_multiplier(x, multiplier.value, multiplier.shift)
