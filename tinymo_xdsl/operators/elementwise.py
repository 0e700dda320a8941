"""Operators that compute each element from elements of several tensors: sums, products, extremes."""

from collections.abc import Sequence

import numpy as np
from xdsl.dialects.builtin import Float32Type, TensorType, i8, i16, i32
from xdsl.ir import SSAValue

from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.fact_entries import OptionFact
from tinymo_xdsl.flatbuffer.schema import ActivationFunctionType
from tinymo_xdsl.numerics.requantize import (
    Multiplier,
    addition_multipliers,
    effective_scale,
    quantize_multiplier,
    squared_difference_multipliers,
)
from tinymo_xdsl.operators.base import (
    Lift,
    Lifted,
    LiftFunction,
    Lowering,
    NotExactError,
    Operand,
    OperatorFamily,
    Weights,
    constant_attribute,
    shape_of,
)
from tinymo_xdsl.operators.requantize import clamp, lift_activation, narrow, require_room, rescale, widen

BinaryOp = tosa.AddOp | tosa.SubOp | tosa.MulOp | tosa.IntDivOp | tosa.MaximumOp | tosa.MinimumOp


def ranked(op: Lowering, position: int) -> SSAValue:
    """An operand with as many axes as the result: TOSA broadcasts sizes, not ranks."""
    shape = op.operand(position).shape
    return op.value(position, (1,) * (len(op.output.shape) - len(shape)) + shape)


def require_one_type(op: Lowering) -> None:
    """All operands and the result have elements of one type."""
    if any(op.operand(position).element != op.output.element for position in range(len(op.inputs))):
        raise NotExactError("operands of different types")


def _arithmetic_types(op: Lowering) -> None:
    require_one_type(op)
    if op.output.element not in (i8, i16, i32) and not isinstance(op.output.element, Float32Type):
        raise NotExactError("only int8, int16, int32 and float32 have a meaning in TOSA here")
    # The kernels differ in whether they apply one.
    if op.output.element == i32 and op.activation is not ActivationFunctionType.NONE:
        raise NotExactError("an activation of integers without a scale")


def _is_plain(op: Lowering) -> bool:
    """Whether numbers are what is stored: floats, and integers of 32 bits."""
    return op.output.is_float or op.output.element == i32


def _sum(op: Lowering, build: type[tosa.AddOp] | type[tosa.SubOp]) -> Sequence[SSAValue]:
    _arithmetic_types(op)
    values = [ranked(op, 0), ranked(op, 1)]
    if _is_plain(op):
        return [clamp(op, op.emit(build(operands=values, result_types=[op.result_type(op.output)])).output)]
    first, second = op.operand(0), op.operand(1)
    scales = addition_multipliers(
        first.facts.one_scale, second.facts.one_scale, op.output.facts.one_scale, op.output.dtype
    )
    terms = [
        scaled(op, values[0], first, scales.left_shift, scales.first),
        scaled(op, values[1], second, scales.left_shift, scales.second),
    ]
    total = op.emit(build(operands=terms, result_types=[TensorType(i32, op.output.shape)])).output
    return [narrow(op, total, [scales.output])]


def scaled(op: Lowering, value: SSAValue, operand: Operand, left_shift: int, factor: Multiplier) -> SSAValue:
    """The numbers of `operand` without their zero point times `2**left_shift` and `factor`, as i32."""
    return multiplied(op, widen(op, value, operand, left_shift), factor)


def multiplied(op: Lowering, value: SSAValue, factor: Multiplier) -> SSAValue:
    """The i32 `value` times `factor`, as i32."""
    zero = op.literal([0], i32)
    scales = [factor.to_tosa_scale32()]
    return rescale(op, value, TensorType(i32, shape_of(value)), scales, input_zero_point=zero, output_zero_point=zero)


def lower_add(op: Lowering) -> Sequence[SSAValue]:
    """Widen both, add, requantise. int32 is added as it is."""
    return _sum(op, tosa.AddOp)


def lower_sub(op: Lowering) -> Sequence[SSAValue]:
    """Widen both, subtract, requantise. int32 is subtracted as it is."""
    return _sum(op, tosa.SubOp)


def lower_add_n(op: Lowering) -> Sequence[SSAValue]:
    """Widen all, add one after another, requantise. The sum begins with 0, of int8 with what is stored as 0."""
    require_one_type(op)
    operands = [op.operand(position) for position in range(len(op.inputs))]
    values = [op.value(position) for position in range(len(operands))]
    start = (1,) * len(op.output.shape)
    if isinstance(op.output.element, Float32Type):
        return [_total(op, [op.emitter.literal(np.zeros(start, np.float32)), *values])]
    if op.output.element != i8 or not all(operand.same_quantization(operands[0]) for operand in operands):
        raise NotExactError("only int8 of one scale and float32 have a meaning in TOSA here")
    scale, zero = operands[0].facts.one_scale, operands[0].facts.one_zero_point
    scales = addition_multipliers(scale, scale, op.output.facts.one_scale, op.output.dtype)
    stored_zero = op.emitter.literal(np.full(start, -zero << (scales.left_shift - 1), np.int32))
    terms = [scaled(op, value, operands[0], scales.left_shift, scales.first) for value in values]
    return [narrow_plainly(op, _total(op, [stored_zero, *terms]), scales.output)]


def _total(op: Lowering, terms: Sequence[SSAValue]) -> SSAValue:
    total = terms[0]
    for term in terms[1:]:
        total = op.emit(tosa.AddOp(operands=[total, term], result_types=[term.type])).output
    return total


def lift_add_n(lift: Lift) -> Lifted:
    """The terms of a chain of sums, but for the number that it begins with."""
    terms = [op.input2 for op in lift.kernel.ops if isinstance(op, tosa.AddOp)]
    return Lifted(tuple(operand_source(lift, term) for term in terms), {})


def lower_mul(op: Lowering) -> Sequence[SSAValue]:
    """Take the zero points off, multiply, requantise. int32 is multiplied as it is."""
    _arithmetic_types(op)
    values = [ranked(op, 0), ranked(op, 1)]
    if not _is_plain(op):
        values = [widen(op, value, op.operand(position)) for position, value in enumerate(values)]
    product = product_of(op, *values)
    if _is_plain(op):
        return [clamp(op, product)]
    first, second = op.operand(0).facts, op.operand(1).facts
    factor = quantize_multiplier(effective_scale(first.one_scale, second.one_scale, op.output.facts.one_scale))
    require_room(factor, _largest(op) ** 2)
    return [narrow(op, product, [factor])]


def _largest(op: Lowering) -> int:
    """How far from its zero point an element of the output's type can be."""
    bounds = np.iinfo(op.output.dtype)
    # 16 bits have no zero point.
    return int(bounds.max) - int(bounds.min) if op.output.width == 8 else -int(bounds.min)


def product_of(op: Lowering, first: SSAValue, second: SSAValue) -> SSAValue:
    """A product in the shape of the result: of floats, or of i32."""
    element = op.output.element if op.output.is_float else i32
    result_type = TensorType(element, op.output.shape)
    return op.emit(tosa.MulOp(operands=[first, second, op.literal([0], i8)], result_types=[result_type])).output


def lower_div(op: Lowering) -> Sequence[SSAValue]:
    """int32 only, rounded towards zero; other types have no exact division in TOSA."""
    require_one_type(op)
    if op.output.element != i32 or op.activation is not ActivationFunctionType.NONE:
        raise NotExactError("only int32 without an activation has a meaning in TOSA here")
    return [op.emit(tosa.IntDivOp(ranked(op, 0), ranked(op, 1))).output]


def lower_squared_difference(op: Lowering) -> Sequence[SSAValue]:
    """Widen both, subtract, multiply with itself, requantise. int32 is taken as it is."""
    require_one_type(op)
    if op.output.element not in (i8, i16, i32) and not isinstance(op.output.element, Float32Type):
        raise NotExactError("only int8, int16, int32 and float32 have a meaning in TOSA here")
    values = [ranked(op, 0), ranked(op, 1)]
    if _is_plain(op):
        return [_squared_difference(op, values)]
    first, second = op.operand(0), op.operand(1)
    scales = squared_difference_multipliers(
        first.facts.one_scale, second.facts.one_scale, op.output.facts.one_scale, op.output.dtype
    )
    terms = [
        scaled(op, values[0], first, scales.left_shift, scales.first),
        scaled(op, values[1], second, scales.left_shift, scales.second),
    ]
    require_room(scales.output, (_largest(op) << scales.left_shift) ** 2)
    return [narrow_plainly(op, _squared_difference(op, terms), scales.output)]


def _squared_difference(op: Lowering, terms: Sequence[SSAValue]) -> SSAValue:
    element = op.output.element if op.output.is_float else i32
    difference = tosa.SubOp(operands=terms, result_types=[TensorType(element, op.output.shape)])
    value = op.emit(difference).output
    return product_of(op, value, value)


def narrow_plainly(op: Lowering, accumulator: SSAValue, factor: Multiplier) -> SSAValue:
    """i32 in units of the output: multiplied by `factor`; for operators that have no activation."""
    return rescale(
        op,
        accumulator,
        TensorType(op.output.element, shape_of(accumulator)),
        [factor.to_tosa_scale32()],
        input_zero_point=op.literal([0], i32),
        output_zero_point=op.zero_point(op.output),
    )


def lift_squared_difference(lift: Lift) -> Lifted:
    """The terms of the difference."""
    terms = lift.only(tosa.SubOp).operands[:2]
    return Lifted(tuple(operand_source(lift, value) for value in terms), {})


def _extreme(op: Lowering, kind: type[tosa.MaximumOp] | type[tosa.MinimumOp]) -> Sequence[SSAValue]:
    require_one_type(op)
    values = [ranked(op, 0), ranked(op, 1)]
    if _is_plain(op):
        return [op.emit(kind(*values)).output]
    if op.output.element not in (i8, i16):
        raise NotExactError("only int8, int16, int32 and float32 have a meaning in TOSA here")
    wide = [op.emit(tosa.CastOp(value, i32)).output for value in values]
    return [op.emit(tosa.CastOp(op.emit(kind(*wide)).output, op.output.element)).output]


def lower_maximum(op: Lowering) -> Sequence[SSAValue]:
    """Of the numbers as they are stored: operands and result have one scale."""
    return _extreme(op, tosa.MaximumOp)


def lower_minimum(op: Lowering) -> Sequence[SSAValue]:
    """Of the numbers as they are stored: operands and result have one scale."""
    return _extreme(op, tosa.MinimumOp)


def _lift_binary(kind: type[BinaryOp], has_activation: bool = True) -> LiftFunction:
    def lift_binary(lift: Lift) -> Lifted:
        op = lift.only(kind)
        inputs = tuple(operand_source(lift, value) for value in op.operands[:2])
        options: dict[str, OptionFact] = {}
        if has_activation:
            options["fused_activation_function"] = lift_activation(lift)
        return Lifted(inputs, options)

    return lift_binary


def operand_source(lift: Lift, value: SSAValue) -> SSAValue:
    """The tensor behind the conversions that widen it."""
    while value.owner in lift.kernel.ops and isinstance(value.owner, tosa.RescaleOp | tosa.ReshapeOp | tosa.CastOp):
        value = value.owner.operands[0]
    return value


def lower_prelu(op: Lowering) -> Sequence[SSAValue]:
    """`x` where it is positive, else `x * slope`; of int8 both are requantised before one is chosen."""
    if op.output.is_float:
        return [_prelu_of_floats(op)]
    require_one_type(op)
    if op.output.element != i8:
        raise NotExactError("only int8 and float32 have a meaning in TOSA here")
    data, slope = (widen(op, ranked(op, position), op.operand(position)) for position in range(2))
    source, result = op.operand(0).facts.one_scale, op.output.facts.one_scale
    identity = quantize_multiplier(effective_scale(source, 1.0, result))
    factor = quantize_multiplier(effective_scale(source, op.operand(1).facts.one_scale, result))
    require_room(identity, _largest(op))
    require_room(factor, _largest(op) ** 2)
    positive = multiplied(op, data, identity)
    negative = multiplied(op, product_of(op, data, slope), factor)
    zero = op.emitter.literal(np.zeros((1,) * len(op.output.shape), np.int32))
    is_positive = op.emit(tosa.GreaterEqualOp(data, zero)).output
    chosen = op.emit(tosa.SelectOp(is_positive, positive, negative)).output
    return [narrow_plainly(op, chosen, quantize_multiplier(1.0))]


def _prelu_of_floats(op: Lowering) -> SSAValue:
    data, slope = op.value(0), ranked(op, 1)
    zero = op.emitter.literal(np.zeros((1,) * len(op.output.shape), np.float32))
    positive = op.emit(tosa.GreaterOp(data, zero)).output
    return op.emit(tosa.SelectOp(positive, data, product_of(op, data, slope))).output


def lift_prelu(lift: Lift) -> Lifted:
    """The data and the slope are the operands of the product. A constant slope has no batch in the file."""
    product = lift.only(tosa.MulOp)
    data, slope = (operand_source(lift, value) for value in product.operands[:2])
    shape = shape_of(slope)
    has_batch = len(shape) > 1 and shape[0] == 1
    if constant_attribute(slope) is not None and has_batch:
        return Lifted((data, Weights(slope, shape[1:])), {})
    return Lifted((data, slope), {})


_MANY = 1 << 30

FAMILIES = (
    OperatorFamily("ADD", "AddOptions", lower_add, _lift_binary(tosa.AddOp), (2, 2)),
    OperatorFamily("ADD_N", "AddNOptions", lower_add_n, lift_add_n, (2, _MANY)),
    OperatorFamily("DIV", "DivOptions", lower_div, _lift_binary(tosa.IntDivOp), (2, 2)),
    OperatorFamily("MAXIMUM", "MaximumMinimumOptions", lower_maximum, _lift_binary(tosa.MaximumOp, False), (2, 2)),
    OperatorFamily("MINIMUM", "MaximumMinimumOptions", lower_minimum, _lift_binary(tosa.MinimumOp, False), (2, 2)),
    OperatorFamily("MUL", "MulOptions", lower_mul, _lift_binary(tosa.MulOp), (2, 2)),
    OperatorFamily("PRELU", None, lower_prelu, lift_prelu, (2, 2)),
    OperatorFamily(
        "SQUARED_DIFFERENCE", "SquaredDifferenceOptions", lower_squared_difference, lift_squared_difference, (2, 2)
    ),
    OperatorFamily("SUB", "SubOptions", lower_sub, _lift_binary(tosa.SubOp), (2, 2)),
)
