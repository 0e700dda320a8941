"""UNIDIRECTIONAL_SEQUENCE_LSTM: every step of random layers and of a trained one equals TFLite Micro."""

import zlib
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from flatbuffer_models import MODELS, NO_MODELS
from one_operator import Array, one_operator, tensor, tflm_interpreter

from tinymo_xdsl.flatbuffer.model import Subgraph, Tensor
from tinymo_xdsl.flatbuffer.reader import read_model
from tinymo_xdsl.numerics.lstm import Gate, Lstm, LstmOperand, LstmState, lstm, lstm_step

TRAINED_MODEL = "tflm_mnist_lstm_int8.tflite"
STATE, INPUT = 5, 7
GATES = ("INPUT", "FORGET", "CELL", "OUTPUT")


def random_layer(random: np.random.Generator) -> Lstm:
    def scale(low: float, high: float) -> float:
        return float(np.float32(10 ** random.uniform(low, high)))

    def weights(columns: int) -> npt.NDArray[np.int8]:
        return random.integers(-127, 128, (STATE, columns)).astype(np.int8)

    gates = [
        Gate(
            weights(INPUT),
            scale(-3, -1),
            weights(STATE),
            scale(-3, -1),
            random.integers(-5000, 5000, STATE).astype("i4"),
        )
        for _ in GATES
    ]
    return Lstm(
        *gates,
        input_scale=scale(-3, -0.5),
        input_zero_point=int(random.integers(-128, 128)),
        hidden_scale=float(np.float32(random.uniform(0.5, 1.5) / 128)),
        hidden_zero_point=int(random.integers(-128, 128)),
        cell_scale=2.0 ** -int(random.integers(9, 16)),
        cell_clip=float(random.choice([0.0, 0.37, 10.0])),
        time_major=bool(random.integers(0, 2)),
    )


def fresh_state(layer: Lstm, batch: int, width: int) -> LstmState:
    return LstmState(np.full((batch, width), layer.hidden_zero_point, np.int8), np.zeros((batch, width), np.int16))


def model_of(layer: Lstm, shape: tuple[int, int, int]) -> bytes:
    gates = (layer.input_gate, layer.forget_gate, layer.cell_gate, layer.output_gate)
    batch = shape[1] if layer.time_major else shape[0]
    hidden = tensor("hidden", "INT8", (batch, STATE), layer.hidden_scale, layer.hidden_zero_point, is_variable=True)
    operands: list[Tensor] = [tensor("x", "INT8", shape, layer.input_scale, layer.input_zero_point)]
    for name, gate in zip(GATES, gates, strict=True):
        constant = gate.input_weights
        operands.append(tensor(f"{name}_w", "INT8", constant.shape, gate.input_weights_scale, data=constant))
    for name, gate in zip(GATES, gates, strict=True):
        constant = gate.recurrent_weights
        operands.append(tensor(f"{name}_r", "INT8", constant.shape, gate.recurrent_weights_scale, data=constant))
    for name, gate in zip(GATES, gates, strict=True):
        operands.append(tensor(f"{name}_b", "INT32", gate.bias.shape, 1.0, data=gate.bias))
    operands += [hidden, tensor("cell", "INT16", (batch, STATE), layer.cell_scale, is_variable=True)]
    return one_operator(
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        operands,
        tensor("y", "INT8", (*shape[:2], STATE), layer.hidden_scale, layer.hidden_zero_point),
        (
            "UnidirectionalSequenceLSTMOptions",
            {"fused_activation_function": 4, "cell_clip": layer.cell_clip, "time_major": layer.time_major},
        ),
        intermediates=[tensor(f"i{index}", "INT8", (0,), layer.hidden_scale) for index in range(5)],
        absent=(9, 10, 11, 16, 17, 20, 21, 22, 23),
    )


@pytest.mark.parametrize("seed", range(16))
def test_random_layers_equal_tflm(seed: int) -> None:
    """Three sequences one after the other, so that the state that is carried over counts."""
    random = np.random.default_rng(seed)
    layer = random_layer(random)
    batch, time = int(random.integers(1, 4)), 6
    shape = (time, batch, INPUT) if layer.time_major else (batch, time, INPUT)
    interpreter = tflm_interpreter(model_of(layer, shape))
    state = fresh_state(layer, batch, STATE)
    for _ in range(3):
        x = random.integers(-128, 128, shape).astype(np.int8)
        interpreter.set_input(x, 0)
        interpreter.invoke()
        ours, state = lstm(layer, x, state)
        np.testing.assert_array_equal(ours, interpreter.get_output(0))


def trained_layer(graph: Subgraph) -> Lstm:
    """The layer that the first operator of `graph` is."""
    operator = graph.operators[0]

    def operand(position: LstmOperand) -> Tensor:
        return graph.tensors[operator.inputs[position]]

    def constant(position: LstmOperand) -> tuple[Array, float]:
        found = operand(position)
        assert found.data is not None
        dtype = np.dtype({"INT8": np.int8, "INT32": np.int32}[found.dtype])
        return np.frombuffer(found.data, dtype).reshape(found.shape), scale(found)[0]

    def scale(of: Tensor) -> tuple[float, int]:
        assert of.quantization is not None
        return float(of.quantization.scale[0]), int(of.quantization.zero_point[0])

    def gate(name: str) -> Gate:
        return Gate(
            *constant(LstmOperand[f"INPUT_TO_{name}_WEIGHTS"]),
            *constant(LstmOperand[f"RECURRENT_TO_{name}_WEIGHTS"]),
            constant(LstmOperand[f"{name}_GATE_BIAS"])[0],
        )

    clip = operator.options["cell_clip"]
    assert isinstance(clip, float)
    return Lstm(
        *(gate(name) for name in GATES),
        *scale(operand(LstmOperand.INPUT)),
        *scale(operand(LstmOperand.HIDDEN_STATE)),
        scale(operand(LstmOperand.CELL_STATE))[0],
        clip,
        bool(operator.options["time_major"]),
    )


def ramp_layer() -> Lstm:
    """A layer without random numbers, whose cell state is clipped."""

    def gate(first: int) -> Gate:
        values = (np.arange(first, first + STATE * (INPUT + STATE)) * 37 % 255 - 127).astype(np.int8)
        weights, recurrent = values[: STATE * INPUT], values[STATE * INPUT :]
        bias = (np.arange(STATE, dtype=np.int32) - 2) * np.int32(900)
        return Gate(weights.reshape(STATE, INPUT), 0.011, recurrent.reshape(STATE, STATE), 0.007, bias)

    return Lstm(gate(3), gate(50), gate(111), gate(200), 0.021, -9, 0.0071, 4, 2.0**-12, cell_clip=0.9)


RAMP = (np.arange(2 * 6 * INPUT) * 53 % 256 - 128).astype(np.int8).reshape(2, 6, INPUT)


def test_digest_of_a_layer() -> None:
    """A checksum of outputs taken when they equalled TFLite Micro: this check needs no engine."""
    layer = ramp_layer()
    output, state = lstm(layer, RAMP, fresh_state(layer, 2, STATE))
    assert len(np.unique(output)) > 25
    assert np.abs(state.cell).max() == int(0.9 * 2**12)
    assert (zlib.crc32(output.tobytes()), zlib.crc32(state.cell.tobytes())) == (2202022881, 2264169441)


def test_layer_of_the_digest_equals_tflm() -> None:
    layer = ramp_layer()
    interpreter = tflm_interpreter(model_of(layer, (2, 6, INPUT)))
    interpreter.set_input(RAMP, 0)
    interpreter.invoke()
    np.testing.assert_array_equal(lstm(layer, RAMP, fresh_state(layer, 2, STATE))[0], interpreter.get_output(0))


@pytest.mark.skipif(not MODELS.is_dir(), reason=NO_MODELS)
def test_trained_layer_equals_tflm() -> None:
    """All 28 steps of every image, and the hidden and cell state after it."""
    runtime: Any = pytest.importorskip(
        "tflite_micro.python.tflite_micro.runtime", reason="tflite-micro is not installed (extra `verify`)"
    )
    data = (MODELS / TRAINED_MODEL).read_bytes()
    graph = read_model(data).subgraphs[0]
    layer = trained_layer(graph)
    positions = graph.operators[0].inputs
    interpreter = runtime.Interpreter.from_bytes(data, intrepreter_config=runtime.InterpreterConfig.kPreserveAllTensors)
    random = np.random.default_rng(0)
    state = fresh_state(layer, 1, 20)
    for image in range(8):
        x = random.integers(-128, 128, (1, 28, 28)).astype(np.int8)
        if image % 2:  # mostly background, as real digits are
            x = np.where(random.random(x.shape) < 0.8, np.int8(-128), x)
        interpreter.set_input(x, 0)
        interpreter.invoke()
        ours, state = lstm(layer, x, state)

        def in_tflm(index: int) -> Array:
            return interpreter.GetTensor(index, 0)["tensor_data"]

        np.testing.assert_array_equal(ours, in_tflm(graph.operators[0].outputs[0]))
        np.testing.assert_array_equal(state.hidden, in_tflm(positions[LstmOperand.HIDDEN_STATE]))
        np.testing.assert_array_equal(state.cell, in_tflm(positions[LstmOperand.CELL_STATE]))


def test_layouts_agree() -> None:
    random = np.random.default_rng(5)
    layer = replace(random_layer(random), time_major=False)
    x = random.integers(-128, 128, (2, 4, INPUT)).astype(np.int8)
    state = fresh_state(layer, 2, STATE)
    batch_major, last = lstm(layer, x, state)
    time_major, same = lstm(replace(layer, time_major=True), x.swapaxes(0, 1), state)
    np.testing.assert_array_equal(batch_major, time_major.swapaxes(0, 1))
    np.testing.assert_array_equal(last.cell, same.cell)
    assert len(np.unique(batch_major)) > 10


def test_close_to_the_real_layer() -> None:
    """One step against the formula in floating point: this check needs no engine."""
    random = np.random.default_rng(11)
    layer = replace(random_layer(random), cell_scale=2.0**-13, cell_clip=0.0)
    state = LstmState(
        random.integers(-128, 128, (1, STATE)).astype(np.int8),
        random.integers(-8000, 8000, (1, STATE)).astype(np.int16),
    )
    x = random.integers(-128, 128, (1, INPUT)).astype(np.int8)
    real_x = (x.astype(float) - layer.input_zero_point) * layer.input_scale
    real_hidden = (state.hidden.astype(float) - layer.hidden_zero_point) * layer.hidden_scale

    def summed(gate: Gate) -> npt.NDArray[np.float64]:
        return (
            real_x @ (gate.input_weights.T * gate.input_weights_scale)
            + gate.bias * layer.input_scale * gate.input_weights_scale
            + real_hidden @ (gate.recurrent_weights.T * gate.recurrent_weights_scale)
        )

    def sigmoid(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return 1 / (1 + np.exp(-values))

    cell = sigmoid(summed(layer.forget_gate)) * state.cell * layer.cell_scale + sigmoid(
        summed(layer.input_gate)
    ) * np.tanh(summed(layer.cell_gate))
    hidden = sigmoid(summed(layer.output_gate)) * np.tanh(cell)
    after = lstm_step(layer, x, state)
    assert np.abs(after.cell * layer.cell_scale - cell).max() < 2e-3
    stored = np.clip(hidden / layer.hidden_scale + layer.hidden_zero_point, -128, 127)
    assert np.abs(after.hidden - stored).max() < 1.0
