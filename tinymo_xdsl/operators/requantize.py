"""The end of every quantised kernel: accumulators back to the width of a tensor, and the fused activation."""

from collections.abc import Sequence

import numpy as np
from xdsl.dialects.builtin import BoolAttr, FloatAttr, IntegerAttr, IntegerType, TensorType, f32, i8, i16, i32
from xdsl.ir import Attribute, SSAValue

from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.dialects.tosa.base import element_type_of
from tinymo_xdsl.facts import tensor_facts
from tinymo_xdsl.flatbuffer.schema import ActivationFunctionType
from tinymo_xdsl.numerics import dense
from tinymo_xdsl.numerics.requantize import Multiplier, TosaScale, activation_range
from tinymo_xdsl.operators.base import Lift, Lowering, NotExactError, Operand, shape_of

_ACTIVATIONS_OF_FLOATS = {"RELU": (0.0, np.inf), "RELU6": (0.0, 6.0), "RELU_N1_TO_1": (-1.0, 1.0)}
_IDENTITY = TosaScale(1 << 30, 30)


def rescale(
    op: Lowering,
    value: SSAValue,
    to: TensorType,
    scales: Sequence[TosaScale],
    *,
    input_zero_point: SSAValue,
    output_zero_point: SSAValue,
    exact: bool = False,
    scale32: bool = True,
) -> SSAValue:
    """
    `tosa.rescale` of `value` by one of `scales`, or one for each channel.

    `exact` says that nothing is rounded off; otherwise 32-bit scales round twice, as the reference kernels do.
    """
    if not all(scale.in_range for scale in scales):
        raise NotExactError("a requantisation factor is beyond what tosa.rescale can express")
    rounding = tosa.RoundingMode.SINGLE_ROUND if exact or not scale32 else tosa.RoundingMode.DOUBLE_ROUND
    multiplier = op.literal([scale.multiplier for scale in scales], i32 if scale32 else i16)
    shift = op.literal([scale.shift for scale in scales], i8)
    rescaled = tosa.RescaleOp(
        operands=[value, multiplier, shift, input_zero_point, output_zero_point],
        result_types=[to],
        properties={
            "scale32": BoolAttr.from_bool(scale32),
            "rounding_mode": tosa.RoundingModeAttr(rounding),
            "per_channel": BoolAttr.from_bool(len(scales) > 1),
            "input_unsigned": BoolAttr.from_bool(_is_unsigned(value)),
            "output_unsigned": BoolAttr.from_bool(op.output.is_unsigned and to.element_type == op.output.element),
        },
    )
    return op.emit(rescaled).output


def _is_unsigned(value: SSAValue) -> bool:
    element = value.type.element_type if isinstance(value.type, TensorType) else None
    return isinstance(element, IntegerType) and element.signedness.data.name == "UNSIGNED"


def require_room(factor: Multiplier, bound: int) -> None:
    """
    Where a factor is large, the kernels first shift a number to the left, and its highest bits get lost.

    `bound` is the largest number that is multiplied.
    """
    if bound << max(factor.shift, 0) > np.iinfo(np.int32).max:
        raise NotExactError("the scale of the output is so fine that numbers overflow in the kernels")


def widen(op: Lowering, value: SSAValue, operand: Operand, left_shift: int = 0) -> SSAValue:
    """The numbers of `operand` without their zero point as i32, times `2**left_shift`."""
    type_ = TensorType(i32, shape_of(value))
    scale = TosaScale(_IDENTITY.multiplier, _IDENTITY.shift - left_shift)
    zero = op.literal([0], i32)
    return rescale(
        op, value, type_, [scale], input_zero_point=op.zero_point(operand), output_zero_point=zero, exact=True
    )


def narrow(op: Lowering, accumulator: SSAValue, multipliers: Sequence[Multiplier]) -> SSAValue:
    """Accumulators in units of the output: multiplied by one factor, or one for each channel, and clamped."""
    element = element_type_of(accumulator)
    scale32 = element == i32
    if any(multiplier.value < 0 for multiplier in multipliers):
        accumulator = _negate_channels(op, accumulator, multipliers)
    factors = [Multiplier(abs(multiplier.value), multiplier.shift) for multiplier in multipliers]
    scales = [factor.to_tosa_scale32() if scale32 else factor.to_tosa_scale16() for factor in factors]
    narrowed = rescale(
        op,
        accumulator,
        TensorType(op.output.element, shape_of(accumulator)),
        scales,
        input_zero_point=op.literal([0], element),
        output_zero_point=op.zero_point(op.output),
        scale32=scale32,
    )
    return clamp(op, narrowed)


def _negate_channels(op: Lowering, accumulator: SSAValue, multipliers: Sequence[Multiplier]) -> SSAValue:
    """
    The accumulators times the sign of their factor.

    Converters give dead channels a negative scale now and then, and TOSA wants multipliers that are not negative.
    """
    shape = (1,) * (len(shape_of(accumulator)) - 1) + (len(multipliers),)
    signs = np.array([-1 if multiplier.value < 0 else 1 for multiplier in multipliers]).reshape(shape)
    no_shift = op.literal([0], i8)
    operands = [accumulator, op.emitter.literal(signs, element_type_of(accumulator)), no_shift]
    return op.emit(tosa.MulOp(operands=operands, result_types=[accumulator.type])).output


def clamp(op: Lowering, value: SSAValue) -> SSAValue:
    """`value` after the fused activation of the operator; itself if that does nothing."""
    return clamp_to(op, value, op.activation.name)


def clamp_to(op: Lowering, value: SSAValue, activation: str) -> SSAValue:
    """`value` after `activation` in the scale of the output; itself if that does nothing."""
    if activation == "NONE":
        return value
    if activation not in _ACTIVATIONS_OF_FLOATS:
        raise NotExactError(f"the fused activation {activation} is no clamp")
    if op.output.is_float:
        low, high = _ACTIVATIONS_OF_FLOATS[activation]
        high = min(high, float(np.finfo(np.float32).max))
        return op.emit(_clamp(value, FloatAttr(low, f32), FloatAttr(high, f32))).output
    facts = op.output.facts
    low, high = activation_range(activation, facts.one_scale, facts.one_zero_point, op.output.dtype)
    return clamp_integers(op, value, low, high)


def clamp_integers(op: Lowering, value: SSAValue, low: int, high: int) -> SSAValue:
    """`value` between two stored numbers, both included; itself if they are the bounds of its type."""
    bounds = np.iinfo(op.output.dtype)
    if (low, high) == (bounds.min, bounds.max):
        return value
    element = op.output.element
    assert isinstance(element, IntegerType)
    return op.emit(_clamp(value, IntegerAttr(low, element), IntegerAttr(high, element))).output


def _clamp(value: SSAValue, low: Attribute, high: Attribute) -> tosa.ClampOp:
    return tosa.ClampOp(operands=[value], result_types=[value.type], properties={"min_val": low, "max_val": high})


def lift_activation(lift: Lift) -> str:
    """
    The name of the fused activation of a kernel: what the facts say, or what its clamp looks like.

    Lowering again decides whether the guess is right for the output's scale.
    """
    if (hint := lift.hint("fused_activation_function")) is not None:
        if hint not in ActivationFunctionType.__members__:
            raise NotExactError(f"'{hint}' is no fused activation function")
        return str(hint)
    clamps = [op for op in lift.kernel.ops if isinstance(op, tosa.ClampOp)]
    if not clamps:
        return ActivationFunctionType.NONE.name
    return _activation_of(lift, clamps[-1])


def _activation_of(lift: Lift, clamp_op: tosa.ClampOp) -> str:
    low, high = clamp_op.min_val, clamp_op.max_val
    if isinstance(low, FloatAttr) and isinstance(high, FloatAttr):
        bounds = (low.value.data, high.value.data)
        names = [name for name, wanted in _ACTIVATIONS_OF_FLOATS.items() if bounds == wanted]
        return names[0] if names else "RELU"
    facts = tensor_facts(lift.kernel.results[0])
    if facts is None or not isinstance(low, IntegerAttr) or not isinstance(high, IntegerAttr):
        raise NotExactError("the clamp is no activation")
    dtype = dense.numpy_dtype(low.type)
    for name in _ACTIVATIONS_OF_FLOATS:
        if activation_range(name, facts.one_scale, facts.one_zero_point, dtype) == (low.value.data, high.value.data):
            return name
    raise NotExactError(f"a clamp to [{low.value.data}, {high.value.data}] is no activation in the output's scale")
