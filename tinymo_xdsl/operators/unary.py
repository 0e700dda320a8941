"""Operators that compute each element from the one element at its place: activations, functions, conversions."""

from collections.abc import Callable, Sequence

import numpy as np
from xdsl.dialects.builtin import Float16Type, Float32Type, TensorType, i1, i8, i16, i32
from xdsl.ir import Operation, SSAValue

from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.dialects.tosa.base import element_type_of
from tinymo_xdsl.numerics import activations
from tinymo_xdsl.numerics.dense import Array
from tinymo_xdsl.numerics.requantize import activation_range, effective_scale, quantize_multiplier
from tinymo_xdsl.operators.base import Lift, Lifted, LowerFunction, Lowering, NotExactError, OperatorFamily
from tinymo_xdsl.operators.requantize import clamp_integers, clamp_to, require_room, rescale, widen

_STORED = np.arange(-128, 128).astype(np.int8)
"""What an int8 tensor may hold, in the order of the entries of a table."""

UnaryOp = tosa.AbsOp | tosa.CeilOp | tosa.CosOp | tosa.ExpOp | tosa.FloorOp | tosa.LogOp | tosa.RsqrtOp | tosa.SinOp


def lift_unary(lift: Lift) -> Lifted:
    """What the chain of ops begins with, a tensor in memory or a constant."""
    (value,) = lift.kernel.results
    while isinstance(value.owner, Operation) and value.owner in lift.kernel.ops:
        value = value.owner.operands[0]
    return Lifted((value,), {})


def _require_one_type(op: Lowering) -> None:
    if op.operand(0).element != op.output.element:
        raise NotExactError("input and output have different types")


def _require_float(op: Lowering) -> None:
    _require_one_type(op)
    if not isinstance(op.output.element, Float32Type):
        raise NotExactError("only float32 has a meaning in TOSA here")


def _require_integers(op: Lowering) -> None:
    _require_one_type(op)
    if op.output.element not in (i8, i16):
        raise NotExactError("only int8, int16 and float32 have a meaning in TOSA here")


def lower_relu(op: Lowering) -> Sequence[SSAValue]:
    """Requantise, and clamp at zero."""
    if op.operand(0).is_float:
        _require_float(op)
        return [clamp_to(op, op.value(0), "RELU")]
    _require_integers(op)
    bounds = np.iinfo(op.output.dtype)
    low = max(int(bounds.min), op.output.facts.one_zero_point)
    return [clamp_integers(op, requantize(op, op.value(0)), low, int(bounds.max))]


def lower_relu6(op: Lowering) -> Sequence[SSAValue]:
    """Clamp at both bounds; those of integers are in the scale of the input."""
    source = op.operand(0)
    if source.is_float:
        _require_float(op)
        return [clamp_to(op, op.value(0), "RELU6")]
    _require_integers(op)
    facts = source.facts
    return [
        clamp_integers(op, op.value(0), *activation_range("RELU6", facts.one_scale, facts.one_zero_point, source.dtype))
    ]


def lower_relu_n1_to_1(op: Lowering) -> Sequence[SSAValue]:
    """Clamp at both bounds; float only."""
    _require_float(op)
    return [clamp_to(op, op.value(0), "RELU_N1_TO_1")]


def requantize(op: Lowering, value: SSAValue) -> SSAValue:
    """`value`, as stored by the first input or without its zero point as i32, in the scale of the output."""
    factor = quantize_multiplier(effective_scale(op.operand(0).facts.one_scale, 1.0, op.output.facts.one_scale))
    require_room(factor, 1 << op.operand(0).width)
    is_stored = element_type_of(value) == op.operand(0).element
    return rescale(
        op,
        value,
        TensorType(op.output.element, op.operand(0).shape),
        [factor.to_tosa_scale32()],
        input_zero_point=op.zero_point(op.operand(0)) if is_stored else op.literal([0], i32),
        output_zero_point=op.zero_point(op.output),
    )


def _table(op: Lowering, function: Callable[[Array], Array]) -> Sequence[SSAValue]:
    if op.operand(0).element != i8 or op.output.element != i8:
        raise NotExactError("only int8 is a table")
    table = function(_STORED).astype(np.int8)
    return [op.emit(tosa.TableOp(op.value(0), op.emitter.literal(table))).output]


def lower_logistic(op: Lowering) -> Sequence[SSAValue]:
    """All 256 stored inputs of int8, looked up."""
    if op.operand(0).is_float:
        _require_float(op)
        return [op.emit(tosa.SigmoidOp(op.value(0))).output]
    facts = op.operand(0).facts
    return _table(op, lambda x: activations.logistic(x, facts.one_scale, facts.one_zero_point))


def lower_tanh(op: Lowering) -> Sequence[SSAValue]:
    """All 256 stored inputs of int8, looked up."""
    if op.operand(0).is_float:
        _require_float(op)
        return [op.emit(tosa.TanhOp(op.value(0))).output]
    facts = op.operand(0).facts
    return _table(op, lambda x: activations.tanh(x, facts.one_scale, facts.one_zero_point))


def _scales(op: Lowering) -> tuple[float, int, float, int]:
    source, result = op.operand(0).facts, op.output.facts
    return source.one_scale, source.one_zero_point, result.one_scale, result.one_zero_point


def lower_hard_swish(op: Lowering) -> Sequence[SSAValue]:
    """All 256 stored inputs of int8, looked up."""
    return _table(op, lambda x: activations.hard_swish(x, *_scales(op)))


def lower_leaky_relu(op: Lowering) -> Sequence[SSAValue]:
    """All 256 stored inputs of int8, looked up. The slope is kept as a fact."""
    return _table(op, lambda x: activations.leaky_relu(x, op.number("alpha"), *_scales(op)))


def lower_elu(op: Lowering) -> Sequence[SSAValue]:
    """All 256 stored inputs of int8, looked up."""
    return _table(op, lambda x: activations.elu(x, *_scales(op)))


def lower_abs(op: Lowering) -> Sequence[SSAValue]:
    """Of integers without their zero point; then requantise."""
    if op.operand(0).is_float:
        _require_float(op)
        return [op.emit(tosa.AbsOp(op.value(0))).output]
    _require_integers(op)
    magnitude = op.emit(tosa.AbsOp(widen(op, op.value(0), op.operand(0)))).output
    return [requantize(op, magnitude)]


def lower_neg(op: Lowering) -> Sequence[SSAValue]:
    """Float only."""
    _require_float(op)
    zero = op.zero_point(op.output)
    return [op.emit(tosa.NegateOp(op.value(0), zero, zero)).output]


def lower_square(op: Lowering) -> Sequence[SSAValue]:
    """A product with itself; float only."""
    _require_float(op)
    value = op.value(0)
    product = tosa.MulOp(operands=[value, value, op.literal([0], i8)], result_types=[op.result_type(op.output)])
    return [op.emit(product).output]


def _lower_to(kind: type[UnaryOp]) -> LowerFunction:
    def lower(op: Lowering) -> Sequence[SSAValue]:
        """The op of that name; float only."""
        _require_float(op)
        built = op.emit(kind.build(operands=[op.value(0)], result_types=[op.result_type(op.output)]))
        return [built.results[0]]

    return lower


def lower_logical_not(op: Lowering) -> Sequence[SSAValue]:
    """The op of that name."""
    _require_one_type(op)
    if op.output.element != i1:
        raise NotExactError("only bool has a meaning in TOSA here")
    return [op.emit(tosa.LogicalNotOp(op.value(0))).output]


def lower_quantize(op: Lowering) -> Sequence[SSAValue]:
    """From integers to integers of another scale."""
    source = op.operand(0)
    widths = {source.width, op.output.width}
    if not widths <= {8, 16} or (16 in widths and (source.is_unsigned or op.output.is_unsigned)):
        raise NotExactError("only integers of 8 and 16 bits have a meaning in TOSA here")
    return [requantize(op, op.value(0))]


def lower_dequantize(op: Lowering) -> Sequence[SSAValue]:
    """From half to single precision, or integers without their zero point times the scale; nothing is rounded off."""
    source = op.operand(0)
    if not isinstance(op.output.element, Float32Type):
        raise NotExactError("only float32 has a meaning in TOSA here")
    if isinstance(source.element, Float16Type):
        return [op.emit(tosa.CastOp(op.value(0), op.output.element)).output]
    # 24 bits of a scale and 17 of an integer: the product is rounded once, whichever precision it is made in.
    if source.width != 8 and source.element != i16:
        raise NotExactError("only int8, uint8, int16 and float16 have a meaning in TOSA here")
    real = op.emit(tosa.CastOp(widen(op, op.value(0), source), op.output.element)).output
    scale = op.emitter.literal(np.full((1,) * len(source.shape), source.facts.one_scale, np.float32))
    product = tosa.MulOp(operands=[real, scale, op.literal([0], i8)], result_types=[op.result_type(op.output)])
    return [op.emit(product).output]


def lower_cast(op: Lowering) -> Sequence[SSAValue]:
    """Integers keep their low bits; to floats they are rounded. TOSA rounds floats to integers where TFLite cuts."""
    source, result = op.operand(0).element, op.output.element
    to_integer = result in (i8, i16, i32)
    if source not in (i1, i8, i16, i32) or source == result:
        raise NotExactError("only casts of bool, int8, int16 and int32 have a meaning in TOSA here")
    if not to_integer and not (isinstance(result, Float32Type) and source != i1):
        raise NotExactError("only casts to int8, int16, int32 and float32 have a meaning in TOSA here")
    return [op.emit(tosa.CastOp(op.value(0), result)).output]


def _family(name: str, lower: LowerFunction, options_type: str | None = None) -> OperatorFamily:
    return OperatorFamily(name, options_type, lower, lift_unary)


FAMILIES = (
    _family("ABS", lower_abs, "AbsOptions"),
    _family("CAST", lower_cast, "CastOptions"),
    _family("CEIL", _lower_to(tosa.CeilOp)),
    _family("COS", _lower_to(tosa.CosOp), "CosOptions"),
    _family("DEQUANTIZE", lower_dequantize, "DequantizeOptions"),
    _family("ELU", lower_elu),
    _family("EXP", _lower_to(tosa.ExpOp), "ExpOptions"),
    _family("FLOOR", _lower_to(tosa.FloorOp)),
    _family("HARD_SWISH", lower_hard_swish, "HardSwishOptions"),
    _family("LEAKY_RELU", lower_leaky_relu, "LeakyReluOptions"),
    _family("LOG", _lower_to(tosa.LogOp)),
    _family("LOGICAL_NOT", lower_logical_not, "LogicalNotOptions"),
    _family("LOGISTIC", lower_logistic),
    _family("NEG", lower_neg, "NegOptions"),
    _family("QUANTIZE", lower_quantize, "QuantizeOptions"),
    _family("RELU", lower_relu),
    _family("RELU6", lower_relu6),
    _family("RELU_N1_TO_1", lower_relu_n1_to_1),
    _family("RSQRT", _lower_to(tosa.RsqrtOp)),
    _family("SIN", _lower_to(tosa.SinOp)),
    _family("SQUARE", lower_square, "SquareOptions"),
    _family("TANH", lower_tanh),
)
