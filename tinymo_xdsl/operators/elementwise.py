"""ADD, SUB, MUL, the activations that are operators of their own, and conversions of type."""

from collections.abc import Callable, Sequence

import numpy as np
from xdsl.dialects.builtin import Float16Type, Float32Type, IntegerType, TensorType, i8, i32
from xdsl.ir import Operation, SSAValue

from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.fact_entries import OptionFact
from tinymo_xdsl.numerics import activations
from tinymo_xdsl.numerics.requantize import Multiplier, addition_multipliers, effective_scale, quantize_multiplier
from tinymo_xdsl.operators.base import (
    Lift,
    Lifted,
    LiftedInput,
    Lowering,
    NotExactError,
    Operand,
    OperatorFamily,
    Weights,
    constant_attribute,
    shape_of,
)
from tinymo_xdsl.operators.requantize import clamp, clamp_integers, clamp_to, lift_activation, narrow, rescale, widen


def _ranked(op: Lowering, position: int) -> SSAValue:
    """An operand with as many axes as the result: TOSA broadcasts sizes, not ranks."""
    shape = op.operand(position).shape
    return op.value(position, (1,) * (len(op.output.shape) - len(shape)) + shape)


def _binary_types(op: Lowering) -> None:
    first, second = op.operand(0), op.operand(1)
    if first.element != second.element or first.element != op.output.element:
        raise NotExactError("operands of different types")
    if not (first.is_float or first.element == i8):
        raise NotExactError("only int8 and float32 have a meaning in TOSA here")


def _sum(op: Lowering, build: type[tosa.AddOp] | type[tosa.SubOp]) -> Sequence[SSAValue]:
    _binary_types(op)
    values = [_ranked(op, 0), _ranked(op, 1)]
    if op.output.is_float:
        return [clamp(op, op.emit(build(operands=values, result_types=[op.result_type(op.output)])).output)]
    first, second = op.operand(0), op.operand(1)
    scales = addition_multipliers(
        first.facts.one_scale, second.facts.one_scale, op.output.facts.one_scale, op.output.dtype
    )
    terms = [
        _term(op, values[0], first, scales.left_shift, scales.first),
        _term(op, values[1], second, scales.left_shift, scales.second),
    ]
    total = op.emit(build(operands=terms, result_types=[TensorType(i32, op.output.shape)])).output
    return [narrow(op, total, [scales.output])]


def _term(op: Lowering, value: SSAValue, operand: Operand, left_shift: int, factor: Multiplier) -> SSAValue:
    """An addend in the common scale, with bits to spare."""
    wide = widen(op, value, operand, left_shift)
    zero = op.literal([0], i32)
    scales = [factor.to_tosa_scale32()]
    return rescale(op, wide, TensorType(i32, shape_of(wide)), scales, input_zero_point=zero, output_zero_point=zero)


def lower_add(op: Lowering) -> Sequence[SSAValue]:
    """Widen both, add, requantise."""
    return _sum(op, tosa.AddOp)


def lower_sub(op: Lowering) -> Sequence[SSAValue]:
    """Widen both, subtract, requantise."""
    return _sum(op, tosa.SubOp)


def lower_mul(op: Lowering) -> Sequence[SSAValue]:
    """Take the zero points off, multiply, requantise."""
    _binary_types(op)
    values = [_ranked(op, 0), _ranked(op, 1)]
    if not op.output.is_float:
        values = [widen(op, value, op.operand(position)) for position, value in enumerate(values)]
    no_shift = op.literal([0], i8)
    product_type = op.result_type(op.output) if op.output.is_float else TensorType(i32, op.output.shape)
    product = op.emit(tosa.MulOp(operands=[*values, no_shift], result_types=[product_type])).output
    if op.output.is_float:
        return [clamp(op, product)]
    first, second = op.operand(0).facts, op.operand(1).facts
    factor = effective_scale(first.one_scale, second.one_scale, op.output.facts.one_scale)
    return [narrow(op, product, [quantize_multiplier(factor)])]


def _lift_binary(kind: type[tosa.AddOp] | type[tosa.SubOp] | type[tosa.MulOp]) -> Callable[[Lift], Lifted]:
    def lift_binary(lift: Lift) -> Lifted:
        op = lift.only(kind)
        inputs = tuple(_operand_source(lift, value) for value in op.operands[:2])
        options: dict[str, OptionFact] = {"fused_activation_function": lift_activation(lift)}
        return Lifted(inputs, options)

    return lift_binary


def _operand_source(lift: Lift, value: SSAValue) -> LiftedInput:
    """The tensor behind the rescales that widen it."""
    while value.owner in lift.kernel.ops and isinstance(value.owner, tosa.RescaleOp | tosa.ReshapeOp):
        value = value.owner.operands[0]
    return value


def lower_relu(op: Lowering) -> Sequence[SSAValue]:
    """Requantise, and clamp at zero."""
    source = op.operand(0)
    if source.element != op.output.element:
        raise NotExactError("input and output have different types")
    if source.is_float:
        return [clamp_to(op, op.value(0), "RELU")]
    if source.element != i8:
        raise NotExactError("only int8 and float32 have a meaning in TOSA here")
    return [clamp_integers(op, _requantize(op), max(-128, op.output.facts.one_zero_point), 127)]


def _requantize(op: Lowering) -> SSAValue:
    factor = effective_scale(op.operand(0).facts.one_scale, 1.0, op.output.facts.one_scale)
    return rescale(
        op,
        op.value(0),
        TensorType(op.output.element, op.operand(0).shape),
        [quantize_multiplier(factor).to_tosa_scale32()],
        input_zero_point=op.zero_point(op.operand(0)),
        output_zero_point=op.zero_point(op.output),
    )


def _lift_unary(lift: Lift) -> Lifted:
    """What the chain of ops begins with, a tensor in memory or a constant."""
    (value,) = lift.kernel.results
    while isinstance(value.owner, Operation) and value.owner in lift.kernel.ops:
        value = value.owner.operands[0]
    return Lifted((value,), {})


def lower_float_clamp(activation: str) -> Callable[[Lowering], Sequence[SSAValue]]:
    """RELU6 and RELU_N1_TO_1 of floats."""

    def lower(op: Lowering) -> Sequence[SSAValue]:
        """Clamp at both bounds; float only."""
        if not op.operand(0).is_float:
            raise NotExactError("only float32 has a meaning in TOSA here")
        return [clamp_to(op, op.value(0), activation)]

    return lower


def lower_prelu(op: Lowering) -> Sequence[SSAValue]:
    """`x` where it is positive, else `x * slope`; float only."""
    if not op.output.is_float:
        raise NotExactError("only float32 has a meaning in TOSA here")
    data, slope = op.value(0), _ranked(op, 1)
    zero = op.emitter.literal(np.zeros((1,) * len(op.output.shape), np.float32))
    positive = op.emit(tosa.GreaterOp(data, zero)).output
    product = tosa.MulOp(operands=[data, slope, op.literal([0], i8)], result_types=[op.result_type(op.output)])
    return [op.emit(tosa.SelectOp(positive, data, op.emit(product).output)).output]


def lift_prelu(lift: Lift) -> Lifted:
    """The data and the slope are the operands of the product. A constant slope has no batch in the file."""
    product = lift.only(tosa.MulOp)
    data, slope = product.operands[0], lift.source(product.operands[1])
    shape = shape_of(slope)
    has_batch = len(shape) > 1 and shape[0] == 1
    if constant_attribute(slope) is not None and has_batch:
        return Lifted((data, Weights(slope, shape[1:])), {})
    return Lifted((data, slope), {})


def _table(function: Callable[[np.ndarray, float, int], np.ndarray]) -> Callable[[Lowering], Sequence[SSAValue]]:
    def lower(op: Lowering) -> Sequence[SSAValue]:
        """All 256 stored inputs, looked up."""
        source = op.operand(0)
        if source.element != i8 or op.output.element != i8:
            raise NotExactError("only int8 is a table")
        inputs = np.arange(-128, 128).astype(np.int8)
        table = function(inputs, source.facts.one_scale, source.facts.one_zero_point)
        return [op.emit(tosa.TableOp(op.value(0), op.emitter.literal(table.astype(np.int8)))).output]

    return lower


def lower_quantize(op: Lowering) -> Sequence[SSAValue]:
    """From integers to integers of another scale."""
    source = op.operand(0)
    if not isinstance(source.element, IntegerType) or source.width != 8 or op.output.width != 8:
        raise NotExactError("only 8-bit integers have a meaning in TOSA here")
    return [_requantize(op)]


def lower_dequantize(op: Lowering) -> Sequence[SSAValue]:
    """From half to single precision; nothing is rounded."""
    if not isinstance(op.operand(0).element, Float16Type) or not isinstance(op.output.element, Float32Type):
        raise NotExactError("only float16 has a meaning in TOSA here")
    return [op.emit(tosa.CastOp(op.value(0), op.output.element)).output]


def lift_dequantize(lift: Lift) -> Lifted:
    """The source may be a constant: weights stored in half precision."""
    return Lifted((lift.only(tosa.CastOp).input,), {})


FAMILIES = (
    OperatorFamily("ADD", "AddOptions", lower_add, _lift_binary(tosa.AddOp), (2, 2)),
    OperatorFamily("SUB", "SubOptions", lower_sub, _lift_binary(tosa.SubOp), (2, 2)),
    OperatorFamily("MUL", "MulOptions", lower_mul, _lift_binary(tosa.MulOp), (2, 2)),
    OperatorFamily("RELU", None, lower_relu, _lift_unary),
    OperatorFamily("RELU6", None, lower_float_clamp("RELU6"), _lift_unary),
    OperatorFamily("RELU_N1_TO_1", None, lower_float_clamp("RELU_N1_TO_1"), _lift_unary),
    OperatorFamily("PRELU", None, lower_prelu, lift_prelu, (2, 2)),
    OperatorFamily("LOGISTIC", None, _table(activations.logistic), _lift_unary),
    OperatorFamily("TANH", None, _table(activations.tanh), _lift_unary),
    OperatorFamily("QUANTIZE", "QuantizeOptions", lower_quantize, _lift_unary),
    OperatorFamily("DEQUANTIZE", "DequantizeOptions", lower_dequantize, lift_dequantize),
)
