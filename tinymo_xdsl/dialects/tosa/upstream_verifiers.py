"""The shape arithmetic that the TOSA ops of xDSL 0.74 do not check themselves (TOSA 1.0)."""

from xdsl.dialects.builtin import i8, i16, i32
from xdsl.dialects.tosa import AvgPool2DOp, ClampOp, ConcatOp, ConstOp, MaxPool2DOp, RescaleOp
from xdsl.utils.exceptions import VerifyException

from tinymo_xdsl.dialects.tosa import shapes
from tinymo_xdsl.dialects.tosa.base import element_type_of, plain_ints, require_one_element, shape_of
from tinymo_xdsl.dialects.tosa.convolution import require_exact_windows
from tinymo_xdsl.dialects.tosa.data_layout import require_axis


def verify_const(op: ConstOp) -> None:
    """The values have the type of the result."""
    if op.values.type != op.output.type:
        raise VerifyException(f"expected values of the type of the result, {op.output.type}, got {op.values.type}")


def verify_clamp(op: ClampOp) -> None:
    """The result has the shape of the operand."""
    shapes.require_shape("the result", shape_of(op.output), shape_of(op.input))


def verify_concat(op: ConcatOp) -> None:
    """The operands differ along the axis only, and add up to the result there."""
    if not op.tensors:
        raise VerifyException("expected at least one operand")
    first, axis = shape_of(op.tensors[0]), op.axis.value.data
    require_axis(axis, first)
    for tensor in op.tensors:
        extents = shape_of(tensor)
        wanted = (*first[:axis], extents[axis], *first[axis + 1 :]) if axis < len(extents) else first
        shapes.require_shape("each operand", extents, wanted)
        if element_type_of(tensor) != element_type_of(op.output):
            raise VerifyException(f"expected operands of {element_type_of(op.output)}, got {element_type_of(tensor)}")
    total = shapes.total(*(shape_of(tensor)[axis] for tensor in op.tensors))
    shapes.require_shape("the result", shape_of(op.output), (*first[:axis], total, *first[axis + 1 :]))


def verify_average_pool(op: AvgPool2DOp) -> None:
    """Zero points are of one element, and the windows give the shape of the result."""
    require_one_element("input_zp", op.input_zp, element_type_of(op.input))
    require_one_element("output_zp", op.output_zp, element_type_of(op.output))
    verify_pool(op)


def verify_pool(op: AvgPool2DOp | MaxPool2DOp) -> None:
    """The windows fit the padded image, end where it ends, and give the shape of the result."""
    shapes.require_rank("an input", shape_of(op.input), 4)
    batch, *sizes, channels = shape_of(op.input)
    kernel, stride, pad = plain_ints(op.kernel), plain_ints(op.stride), plain_ints(op.pad)
    if (len(kernel), len(stride), len(pad)) != (2, 2, 4):
        raise VerifyException("expected two sizes of the kernel, two strides and four pads")
    if min(kernel) < 1 or min(stride) < 1:
        raise VerifyException(f"expected kernels and strides >= 1, got {list(kernel)} and {list(stride)}")
    pads = ((pad[0], pad[1]), (pad[2], pad[3]))
    if any(not 0 <= size < taps for around, taps in zip(pads, kernel, strict=True) for size in around):
        raise VerifyException(f"expected pads of 0 up to less than the kernel, {list(kernel)}, got {list(pad)}")
    for size, taps, around, step in zip(sizes, kernel, pads, stride, strict=True):
        require_exact_windows(size, taps, around, step, 1)
    windows = [shapes.windowed(*window, 1) for window in zip(sizes, kernel, pads, stride, strict=True)]
    shapes.require_shape("the result", shape_of(op.output), (batch, *windows, channels))


def verify_rescale(op: RescaleOp) -> None:
    """Multipliers and shifts are one or one for each channel, and the result has the shape of the operand."""
    shapes.require_shape("the result", shape_of(op.output), shape_of(op.input))
    require_one_element("input_zp", op.input_zp, element_type_of(op.input))
    require_one_element("output_zp", op.output_zp, element_type_of(op.output))
    wide = i32 if op.scale32.value.data else i16
    if element_type_of(op.multiplier) != wide or element_type_of(op.shift) != i8:
        found = f"{element_type_of(op.multiplier)} and {element_type_of(op.shift)}"
        raise VerifyException(f"expected multipliers of {wide} and shifts of i8, got {found}")
    per_channel = bool(op.per_channel.value.data)
    if per_channel and not shape_of(op.input):
        raise VerifyException("expected channels: a scalar has none")
    wanted = (shape_of(op.input)[-1] if per_channel else 1,)
    shapes.require_shape("the multipliers", shape_of(op.multiplier), wanted)
    shapes.require_shape("the shifts", shape_of(op.shift), wanted)
