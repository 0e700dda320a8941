"""One step of an LSTM of 8-bit activations and a 16-bit cell state: the row that is read is the input of one time."""

from dataclasses import dataclass
from typing import Final

from tinymo_xdsl.backend.c.arithmetic import CLAMP, REQUANTIZE_ANY
from tinymo_xdsl.backend.c.layer import Helper, Structure
from tinymo_xdsl.backend.c.text import fill

SIGMOID_BETWEEN: Final = Helper(
    "sigmoid_between",
    """
/* The sigmoid of a magnitude that counts `bits` bits under a step of 1/24, in units of 2^-(16 + bits). */
static inline int32_t sigmoid_between(int32_t magnitude, int32_t bits, int32_t largest, const uint16_t *samples)
{
    const int32_t index = magnitude >> bits;
    if (index >= 255) {
        return largest;
    }
    const int32_t step = samples[index + 1] - samples[index];
    return samples[index] * (1 << bits) + (magnitude & ((1 << bits) - 1)) * step;
}
""",
)

LOGISTIC_16: Final = Helper(
    "logistic_16",
    """
/* The logistic function of a number in units of 1/12288, in units of 1/32768. */
static inline int32_t logistic_16(int32_t x, const uint16_t *samples)
{
    const int32_t value = sigmoid_between(x < 0 ? -x : x, 9, 0x7FFF << 10, samples);
    return (x >= 0 ? value + (1 << 9) : (1 << 25) - value + (1 << 9) - 1) >> 10;
}
""",
    (SIGMOID_BETWEEN,),
)

TANH_16: Final = Helper(
    "tanh_16",
    """
/* The hyperbolic tangent of a number in units of 1/12288, in units of 1/32768. */
static inline int32_t tanh_16(int32_t x, const uint16_t *samples)
{
    const int32_t value = sigmoid_between(x < 0 ? -x : x, 8, 0xFFFF << 8, samples) - (1 << 23);
    return (x >= 0 ? value + (1 << 7) : -value + (1 << 7) - 1) >> 8;
}
""",
    (SIGMOID_BETWEEN,),
)

SCALE_16: Final = Helper(
    "scale_16",
    """
/* A scaled number within 16 bits. */
static inline int32_t scale_16(int32_t value, int32_t multiplier, int32_t shift)
{
    return clamp(requantize_any(value, multiplier, shift), -32768, 32767);
}
""",
    (CLAMP, REQUANTIZE_ANY),
)

_STEP: Final = """
/* The sum of one gate for one unit: gates are input, forget, cell, output. */
static int32_t ${name}_gate(const int8_t *x, const int8_t *hidden, int32_t gate, int32_t unit, const $structure *p)
{
    const int32_t row = gate * $units + unit;
    const int8_t *w = p->input_weights + row * $inputs;
    int32_t from_input = p->input_bias[row];
    for (int32_t i = 0; i < $inputs; ++i) {
        from_input += x[i] * w[i];
    }
    w = p->recurrent_weights + row * $units;
    int32_t from_hidden = p->recurrent_bias[row];
    for (int32_t i = 0; i < $units; ++i) {
        from_hidden += hidden[i] * w[i];
    }
    from_input = scale_16(from_input, p->multipliers[gate], p->shifts[gate]);
    from_hidden = scale_16(from_hidden, p->multipliers[4 + gate], p->shifts[4 + gate]);
    return clamp(from_input + from_hidden, -32768, 32767);
}

/* One step of an LSTM of $units units; `hidden` and `cell` are what it remembers. */
static void $name(int8_t *out, const int8_t *const *rows, int8_t *hidden, int16_t *cell, const $structure *p)
{
    const uint16_t *samples = p->sigmoid;
    for (int32_t unit = 0; unit < $units; ++unit) {
        const int32_t forget = logistic_16(3 * ${name}_gate(rows[0], hidden, 1, unit, p), samples);
        const int32_t update = logistic_16(3 * ${name}_gate(rows[0], hidden, 0, unit, p), samples);
        const int32_t candidate = tanh_16(3 * ${name}_gate(rows[0], hidden, 2, unit, p), samples);
        const int32_t output = logistic_16(3 * ${name}_gate(rows[0], hidden, 3, unit, p), samples);
        const int32_t kept = scale_16(forget * cell[unit], p->multipliers[8], p->shifts[8]);
        const int32_t added = scale_16(update * candidate, p->multipliers[9], p->shifts[9]);
        cell[unit] = (int16_t)clamp(kept + added, p->cell_low, p->cell_high);
        const int32_t activated = tanh_16(cell[unit] * p->cell_factor, samples);
        const int32_t product = scale_16(activated * output, p->multipliers[10], p->shifts[10]);
        out[unit] = (int8_t)clamp(product + p->zero_point, -128, 127);
    }
    memcpy(hidden, out, ${units}u);
}
"""


@dataclass(frozen=True)
class LstmStep:
    """`inputs` elements to `units` of output, which are the hidden state too."""

    inputs: int
    units: int
    element_in: str = "int8_t"
    element_out: str = "int8_t"

    @property
    def stem(self) -> str:
        return f"lstm_{self.inputs}_{self.units}"

    @property
    def structure(self) -> Structure:
        fields = (
            ("const int8_t *input_weights", "[gate][unit][input]"),
            ("const int32_t *input_bias", "[gate][unit], zero point included"),
            ("const int8_t *recurrent_weights", "[gate][unit][unit]"),
            ("const int32_t *recurrent_bias", "[gate][unit], of the zero point"),
            ("const int32_t *multipliers", "inputs of 4 gates, hidden state of 4 gates, kept, added, output"),
            ("const int8_t *shifts", "to the right after them"),
            ("const uint16_t *sigmoid", "at multiples of 1/24, in units of 1/65536"),
            ("int32_t cell_factor", "takes the cell state to units of 1/12288"),
            ("int32_t cell_low", "the least cell state"),
            ("int32_t cell_high", "the largest"),
            ("int32_t zero_point", "of the output"),
        )
        return Structure("lstm", fields)

    @property
    def helpers(self) -> tuple[Helper, ...]:
        return (SCALE_16, LOGISTIC_16, TANH_16)

    def definition(self, name: str, structure: str) -> str:
        text = fill(_STEP, name=name, structure=structure, inputs=self.inputs, units=self.units)
        return text + "\n"
