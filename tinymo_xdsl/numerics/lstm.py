"""UNIDIRECTIONAL_SEQUENCE_LSTM of TFLite Micro: int8 activations and weights, an int16 cell state."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from tinymo_xdsl.numerics.activations import Int8Array, Int16Array, logistic, rounded_log2, tanh
from tinymo_xdsl.numerics.fixed_point import Int32Array, IntegerArray
from tinymo_xdsl.numerics.requantize import effective_scale, multiply_by_quantized_multiplier, quantize_multiplier

_GATE_SCALE = 2.0**-12
"""Scale of the int16 sums that go into the activations of the gates."""
_ACTIVATION_SCALE = 2.0**-15
"""Scale of the int16 results of those activations."""


class LstmOperand(IntEnum):
    """Positions of the operands of the TFLite operator; the kernel takes no others."""

    INPUT = 0
    INPUT_TO_INPUT_WEIGHTS = 1
    INPUT_TO_FORGET_WEIGHTS = 2
    INPUT_TO_CELL_WEIGHTS = 3
    INPUT_TO_OUTPUT_WEIGHTS = 4
    RECURRENT_TO_INPUT_WEIGHTS = 5
    RECURRENT_TO_FORGET_WEIGHTS = 6
    RECURRENT_TO_CELL_WEIGHTS = 7
    RECURRENT_TO_OUTPUT_WEIGHTS = 8
    INPUT_GATE_BIAS = 12
    FORGET_GATE_BIAS = 13
    CELL_GATE_BIAS = 14
    OUTPUT_GATE_BIAS = 15
    HIDDEN_STATE = 18
    CELL_STATE = 19


@dataclass(frozen=True, eq=False)
class Gate:
    """The constants of one gate; weights have zero point 0 and one scale."""

    input_weights: Int8Array
    """[state, input]"""
    input_weights_scale: float
    recurrent_weights: Int8Array
    """[state, state]"""
    recurrent_weights_scale: float
    bias: Int32Array
    """[state], in units of the input's scale times `input_weights_scale`."""


@dataclass(frozen=True, eq=False)
class Lstm:
    """An LSTM layer: its gates, and how its tensors are quantised."""

    input_gate: Gate
    forget_gate: Gate
    cell_gate: Gate
    output_gate: Gate
    input_scale: float
    input_zero_point: int
    hidden_scale: float
    """Also the scale of the output."""
    hidden_zero_point: int
    cell_scale: float
    """A power of two; its zero point is 0."""
    cell_clip: float = 0.0
    """The cell state is limited to this magnitude, if it is not 0."""
    time_major: bool = False
    """Whether sequences are [time, batch, input] instead of [batch, time, input]."""


@dataclass(frozen=True, eq=False)
class LstmState:
    """What an LSTM remembers: [batch, state] each. A fresh state holds the zero points."""

    hidden: Int8Array
    cell: Int16Array


def lstm(layer: Lstm, x: Int8Array, state: LstmState) -> tuple[Int8Array, LstmState]:
    """
    Run a sequence of three axes through `layer` from `state`.

    Returns the hidden states after every step, in the layout of `x`, and the last state.
    """
    sequence = x if layer.time_major else x.swapaxes(0, 1)
    outputs: list[Int8Array] = []
    for step in sequence:
        state = lstm_step(layer, step, state)
        outputs.append(state.hidden)
    output = np.stack(outputs)
    return output if layer.time_major else np.ascontiguousarray(output.swapaxes(0, 1)), state


def lstm_step(layer: Lstm, x: Int8Array, state: LstmState) -> LstmState:
    """The state after one step with the input `x`, [batch, input]."""
    forget = logistic(_gate_sum(layer, layer.forget_gate, x, state), _GATE_SCALE)
    update = logistic(_gate_sum(layer, layer.input_gate, x, state), _GATE_SCALE)
    candidate = tanh(_gate_sum(layer, layer.cell_gate, x, state), _GATE_SCALE)
    output = logistic(_gate_sum(layer, layer.output_gate, x, state), _GATE_SCALE)

    kept = _multiply(forget, state.cell, effective_scale(_ACTIVATION_SCALE, layer.cell_scale, layer.cell_scale))
    added = _multiply(update, candidate, effective_scale(_ACTIVATION_SCALE, _ACTIVATION_SCALE, layer.cell_scale))
    cell = _add(kept, added)
    if layer.cell_clip > 0:
        limit = min(int(effective_scale(layer.cell_clip, 1.0, layer.cell_scale)), 32767)
        cell = np.clip(cell, -limit, limit).astype(np.int16)

    activated = tanh(cell, 2.0 ** rounded_log2(layer.cell_scale))
    product = _multiply(activated, output, effective_scale(_ACTIVATION_SCALE, _ACTIVATION_SCALE, layer.hidden_scale))
    hidden = np.clip(product.astype(np.int32) + layer.hidden_zero_point, -128, 127).astype(np.int8)
    return LstmState(hidden, cell)


def _gate_sum(layer: Lstm, gate: Gate, x: Int8Array, state: LstmState) -> Int16Array:
    """The argument of a gate's activation. Both products are rounded to int16 before they are added."""
    from_input = _project(x, layer.input_zero_point, gate.input_weights) + gate.bias
    from_state = _project(state.hidden, layer.hidden_zero_point, gate.recurrent_weights)
    input_scale = effective_scale(layer.input_scale, gate.input_weights_scale, _GATE_SCALE)
    recurrent_scale = effective_scale(layer.hidden_scale, gate.recurrent_weights_scale, _GATE_SCALE)
    return _add(_rescale(from_input, input_scale), _rescale(from_state, recurrent_scale))


def _project(x: Int8Array, zero_point: int, weights: Int8Array) -> Int32Array:
    return (x.astype(np.int32) - zero_point) @ weights.T.astype(np.int32)


def _multiply(a: IntegerArray, b: IntegerArray, scale: float) -> Int16Array:
    return _rescale(a.astype(np.int32) * b, scale)


def _rescale(x: Int32Array, scale: float) -> Int16Array:
    multiplier = quantize_multiplier(scale)
    return _saturate_int16(multiply_by_quantized_multiplier(x, multiplier.value, multiplier.shift))


def _add(a: Int16Array, b: Int16Array) -> Int16Array:
    return _saturate_int16(a.astype(np.int32) + b)


def _saturate_int16(x: Int32Array) -> Int16Array:
    return np.clip(x, -32768, 32767).astype(np.int16)
