"""UNIDIRECTIONAL_SEQUENCE_LSTM of 8-bit integers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from xdsl.ir import SSAValue

from tinymo_xdsl.backend.c.body import Body, dtype_of, shape_of
from tinymo_xdsl.backend.c.kernels.lstm import LstmStep
from tinymo_xdsl.backend.c.layer import Layer, Operand, State, Table
from tinymo_xdsl.backend.c.rows import Window
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.facts import TensorFacts, operator_facts, tensor_facts
from tinymo_xdsl.numerics.activations import rounded_log2, tanh
from tinymo_xdsl.numerics.dense import Array
from tinymo_xdsl.numerics.lstm import LstmOperand
from tinymo_xdsl.numerics.requantize import effective_scale, quantize_multiplier

_GATES: Final = range(4)
_GATE_SCALE: Final = 2.0**-12
_ACTIVATION_SCALE: Final = 2.0**-15


@dataclass(frozen=True, eq=False)
class _Operands:
    """The operands of the operator by their position in the file."""

    body: Body
    values: tuple[SSAValue | None, ...]

    def value(self, position: int) -> SSAValue:
        """The operand at `position`, which must be there."""
        value = self.values[position] if position < len(self.values) else None
        if value is None:
            raise self.body.error(f"operand {position} is absent")
        return value

    def facts(self, position: int) -> TensorFacts:
        """Its scale and zero point."""
        if (facts := tensor_facts(self.value(position))) is None:
            raise self.body.error(f"operand {position} states no scale")
        return facts

    def stacked(self, first: int) -> Array:
        """The constants of the four gates, which lie one after the other."""
        return np.stack([self.body.constant(self.value(first + gate)) for gate in _GATES])


def lstm(body: Body, op: tosa.CustomOp) -> list[Layer]:
    """A layer whose rows are steps in time."""
    operands = _operands(body, op)
    source, hidden, cell = (
        operands.value(position) for position in (LstmOperand.INPUT, LstmOperand.HIDDEN_STATE, LstmOperand.CELL_STATE)
    )
    if (dtype_of(source), dtype_of(cell)) != ("int8", "int16"):
        raise body.error("only sequences of int8 with a cell state of int16")
    units = shape_of(hidden)[-1]
    inputs = shape_of(source)[-1]
    steps = int(np.prod(shape_of(source)[:-1], dtype=np.int64))
    if shape_of(hidden)[0] != 1:
        raise body.error("only one sequence at a time")
    operand = Operand(body.operand(source), Window(steps), inputs, steps * inputs)
    states = (State(hidden, "int8_t"), State(cell, "int16_t"))
    parameters = (*_weights(operands), *_factors(operands), *_cell(operands, op))
    return [Layer(LstmStep(inputs, units), parameters, (operand,), op.output_list[0], 1, steps, units, states=states)]


def _operands(body: Body, op: tosa.CustomOp) -> _Operands:
    values: list[SSAValue | None] = list(op.input_list)
    for position in sorted(operator_facts(op).absent):
        values.insert(position, None)
    return _Operands(body, tuple(values))


def _weights(operands: _Operands) -> tuple[Table, Table, Table, Table]:
    from_input = operands.stacked(LstmOperand.INPUT_TO_INPUT_WEIGHTS)
    from_hidden = operands.stacked(LstmOperand.RECURRENT_TO_INPUT_WEIGHTS)
    bias = operands.stacked(LstmOperand.INPUT_GATE_BIAS)
    input_zero = operands.facts(LstmOperand.INPUT).one_zero_point
    hidden_zero = operands.facts(LstmOperand.HIDDEN_STATE).one_zero_point
    return (
        Table.of(from_input, "int8"),
        Table.of(bias.astype(np.int64) - input_zero * from_input.sum(axis=-1, dtype=np.int64), "int32"),
        Table.of(from_hidden, "int8"),
        Table.of(-hidden_zero * from_hidden.sum(axis=-1, dtype=np.int64), "int32"),
    )


def _factors(operands: _Operands) -> tuple[Table, Table]:
    input_scale = operands.facts(LstmOperand.INPUT).one_scale
    hidden_scale = operands.facts(LstmOperand.HIDDEN_STATE).one_scale
    cell_scale = operands.facts(LstmOperand.CELL_STATE).one_scale

    def weight_scales(first: int) -> Sequence[float]:
        return [operands.facts(first + gate).one_scale for gate in _GATES]

    factors = [
        *(effective_scale(input_scale, w, _GATE_SCALE) for w in weight_scales(LstmOperand.INPUT_TO_INPUT_WEIGHTS)),
        *(effective_scale(hidden_scale, w, _GATE_SCALE) for w in weight_scales(LstmOperand.RECURRENT_TO_INPUT_WEIGHTS)),
        effective_scale(_ACTIVATION_SCALE, cell_scale, cell_scale),
        effective_scale(_ACTIVATION_SCALE, _ACTIVATION_SCALE, cell_scale),
        effective_scale(_ACTIVATION_SCALE, _ACTIVATION_SCALE, hidden_scale),
    ]
    multipliers = [quantize_multiplier(factor) for factor in factors]
    values, shifts = [entry.value for entry in multipliers], [-entry.shift for entry in multipliers]
    return Table.of(values, "int32"), Table.of(shifts, "int8")


def _cell(operands: _Operands, op: tosa.CustomOp) -> tuple[Table, int, int, int, int]:
    scale = operands.facts(LstmOperand.CELL_STATE).one_scale
    shift = 12 + rounded_log2(scale)
    if shift not in (0, 1) or 2.0 ** rounded_log2(scale) != scale:
        raise operands.body.error(f"its cell state has the scale {scale}, which is neither 2^-12 nor 2^-11")
    clip = float(str(operator_facts(op).options.get("cell_clip", 0.0)))
    limit = min(int(effective_scale(clip, 1.0, scale)), 32767)
    low, high = (-limit, limit) if clip > 0 else (-32768, 32767)
    zero_point = operands.facts(LstmOperand.HIDDEN_STATE).one_zero_point
    return Table.of(_sigmoid_samples(), "uint16"), 3 << shift, low, high, zero_point


def _sigmoid_samples() -> Array:
    """What tanh gives where its argument is a whole number of table steps, of 1/48 there, is the sample itself."""
    samples = tanh(np.arange(255).astype(np.int16), 1 / 48).astype(np.int64) + (1 << 15)
    return np.append(samples, 65535)
