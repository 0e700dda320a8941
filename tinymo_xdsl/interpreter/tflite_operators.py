"""TFLite operators that TOSA has no exact words for, as TFLite Micro's reference kernels compute them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.facts import TensorFacts
from tinymo_xdsl.interpreter import elementwise, tflite_elementwise, tflite_layout, tflite_rows
from tinymo_xdsl.interpreter.custom import Call, OperatorFunction
from tinymo_xdsl.interpreter.operands import result_dtype
from tinymo_xdsl.numerics import activations
from tinymo_xdsl.numerics.dense import Array
from tinymo_xdsl.numerics.fixed_point import IntegerArray
from tinymo_xdsl.numerics.lstm import Gate, Lstm, LstmOperand, LstmState, lstm
from tinymo_xdsl.numerics.requantize import effective_scale, multiply_by_quantized_multiplier, quantize_multiplier
from tinymo_xdsl.numerics.softmax import softmax
from tinymo_xdsl.numerics.svdf import Svdf, SvdfOperand, SvdfScales, quantized_svdf, svdf


def _softmax(call: Call) -> Array:
    x, beta = call.array(0), float(call.option("beta", 0.0))
    if not _is_float(x):
        return softmax(x, call.input_facts(0).one_scale, beta, result_dtype(call.op))
    exponentials = np.exp((x - x.max(axis=-1, keepdims=True)) * np.float32(beta))
    # The kernel adds one element after another.
    return exponentials / np.cumsum(exponentials, axis=-1, dtype=x.dtype)[..., -1:]


def _logistic(call: Call) -> Array:
    x = call.array(0)
    if _is_float(x):
        return elementwise.sigmoid(x)
    return activations.logistic(x, *_quantization(call.input_facts(0)))


def _tanh(call: Call) -> Array:
    x = call.array(0)
    if _is_float(x):
        return np.tanh(x)
    return activations.tanh(x, *_quantization(call.input_facts(0)))


def _hard_swish(call: Call) -> Array:
    x = call.array(0)
    if _is_float(x):
        return x * np.clip(x + np.float32(3), 0, 6).astype(x.dtype) / np.float32(6)
    return activations.hard_swish(x, *_quantization(call.input_facts(0)), *_quantization(call.output_facts))


def _leaky_relu(call: Call) -> Array:
    x, alpha = call.array(0), float(call.option("alpha", 0.0))
    if _is_float(x):
        return np.where(x > 0, x, x * np.float32(alpha))
    return activations.leaky_relu(x, alpha, *_quantization(call.input_facts(0)), *_quantization(call.output_facts))


def _quantize(call: Call) -> Array:
    x, output = call.array(0), result_dtype(call.op)
    scale, zero_point = _quantization(call.output_facts)
    if _is_float(x):
        real = x / np.float32(scale)
        # Halves are rounded away from zero.
        scaled = np.trunc(real + np.copysign(np.float32(0.5), real)).astype(np.int64)
    else:
        input_scale, input_zero_point = _quantization(call.input_facts(0))
        factor = quantize_multiplier(effective_scale(input_scale, 1.0, scale))
        scaled = multiply_by_quantized_multiplier(_centred(x, input_zero_point), factor.value, factor.shift)
    limits = np.iinfo(output)
    return np.clip(scaled.astype(np.int64) + zero_point, limits.min, limits.max).astype(output)


def _dequantize(call: Call) -> Array:
    scale, zero_point = _quantization(call.input_facts(0))
    return (_centred(call.array(0), zero_point) * np.float64(scale)).astype(result_dtype(call.op))


def _lstm(call: Call) -> Array:
    """Leaves the last state in the variables, which are operands."""
    hidden, cell = call.array(LstmOperand.HIDDEN_STATE), call.array(LstmOperand.CELL_STATE)
    x = call.array(LstmOperand.INPUT)
    if _is_float(x):
        raise BadModelError(f"{call.what}: only int8 sequences can be executed; quantise the model")
    input_scale, input_zero_point = _quantization(call.input_facts(LstmOperand.INPUT))
    hidden_scale, hidden_zero_point = _quantization(call.input_facts(LstmOperand.HIDDEN_STATE))
    layer = Lstm(
        input_gate=_gate(call, LstmOperand.INPUT_TO_INPUT_WEIGHTS),
        forget_gate=_gate(call, LstmOperand.INPUT_TO_FORGET_WEIGHTS),
        cell_gate=_gate(call, LstmOperand.INPUT_TO_CELL_WEIGHTS),
        output_gate=_gate(call, LstmOperand.INPUT_TO_OUTPUT_WEIGHTS),
        input_scale=input_scale,
        input_zero_point=input_zero_point,
        hidden_scale=hidden_scale,
        hidden_zero_point=hidden_zero_point,
        cell_scale=call.input_facts(LstmOperand.CELL_STATE).one_scale,
        cell_clip=float(call.option("cell_clip", 0.0)),
        time_major=bool(call.option("time_major", False)),
    )
    output, last = lstm(layer, x, LstmState(hidden, cell))
    hidden[...], cell[...] = last.hidden, last.cell
    return output


def _gate(call: Call, input_weights: LstmOperand) -> Gate:
    """The constants of a gate lie at the same distance from each other for all four gates."""
    index = input_weights - LstmOperand.INPUT_TO_INPUT_WEIGHTS
    recurrent_weights = LstmOperand.RECURRENT_TO_INPUT_WEIGHTS + index
    return Gate(
        call.array(input_weights),
        call.input_facts(input_weights).one_scale,
        call.array(recurrent_weights),
        call.input_facts(recurrent_weights).one_scale,
        call.array(LstmOperand.INPUT_GATE_BIAS + index),
    )


def _svdf(call: Call) -> Array:
    """Leaves the new state in the variable, which is an operand."""
    x, state = call.array(SvdfOperand.INPUT), call.array(SvdfOperand.STATE)
    feature_weights, time_weights = call.array(SvdfOperand.FEATURE_WEIGHTS), call.array(SvdfOperand.TIME_WEIGHTS)
    bias = None if SvdfOperand.BIAS in call.facts.absent else call.array(SvdfOperand.BIAS)
    layer = Svdf(feature_weights, time_weights, bias, call.option("rank", 0))
    memory = state.reshape(len(x), len(feature_weights), -1)
    if _is_float(x):
        output, after = svdf(layer, x, memory)
        output = tflite_elementwise.with_activation(call, output)
    else:
        output, after = quantized_svdf(layer, _svdf_scales(call), x, memory)
    state[...] = after.reshape(state.shape)
    return output


def _svdf_scales(call: Call) -> SvdfScales:
    source, state = call.input_facts(SvdfOperand.INPUT), call.input_facts(SvdfOperand.STATE)
    features, times = call.input_facts(SvdfOperand.FEATURE_WEIGHTS), call.input_facts(SvdfOperand.TIME_WEIGHTS)
    result = call.output_facts
    return SvdfScales(
        effective_scale(source.one_scale, features.one_scale, state.one_scale),
        effective_scale(state.one_scale, times.one_scale, result.one_scale),
        source.one_zero_point,
        state.one_zero_point,
        result.one_zero_point,
    )


def _is_float(x: Array) -> bool:
    return np.issubdtype(x.dtype, np.floating)


def _quantization(facts: TensorFacts) -> tuple[float, int]:
    return facts.one_scale, facts.one_zero_point


def _centred(x: IntegerArray, zero_point: int) -> IntegerArray:
    return x.astype(np.int32) - np.int32(zero_point)


OPERATORS: Final[Mapping[str, OperatorFunction]] = MappingProxyType(
    {
        **tflite_elementwise.OPERATORS,
        **tflite_layout.OPERATORS,
        **tflite_rows.OPERATORS,
        "DEQUANTIZE": _dequantize,
        "HARD_SWISH": _hard_swish,
        "LEAKY_RELU": _leaky_relu,
        "LOGISTIC": _logistic,
        "QUANTIZE": _quantize,
        "SOFTMAX": _softmax,
        "SVDF": _svdf,
        "TANH": _tanh,
        "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
    }
)
"""By the schema's name. Operators with a state of the module's own are in `state`."""
