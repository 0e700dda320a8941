"""AVERAGE_POOL_2D and MAX_POOL_2D."""

from collections.abc import Sequence

from xdsl.dialects.builtin import DenseArrayBase, i32
from xdsl.ir import Attribute, SSAValue

from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.dialects.tosa.base import ints, plain_ints
from tinymo_xdsl.fact_entries import OptionFact
from tinymo_xdsl.operators.base import Lift, Lifted, Lowering, NotExactError, OperatorFamily, shape_of
from tinymo_xdsl.operators.requantize import clamp, lift_activation
from tinymo_xdsl.operators.windows import cut_unread, grid_of, pads_attribute, whole_image

_DERIVED = frozenset({"padding", "stride_h", "stride_w", "filter_height", "filter_width"})


def _pool(op: Lowering, average: bool) -> Sequence[SSAValue]:
    image = op.image(0)
    if not image.same_quantization(op.output):
        raise NotExactError("a pool does not requantise")
    kernel = (op.option("filter_height"), op.option("filter_width"))
    stride = (op.option("stride_h"), op.option("stride_w"))
    grid = grid_of(image.shape, kernel, stride)
    source, pads = cut_unread(op.emitter, op.value(0), grid, grid.pads(op.padding))
    windows = {"kernel": ints(kernel), "stride": ints(stride), "pad": ints(pads)}
    result = op.result_type(op.output)
    if not average:
        pooled = tosa.MaxPool2DOp(operands=[source], result_types=[result], properties=windows)
        return [clamp(op, op.emit(pooled).output)]
    accumulator: Attribute = image.element if image.is_float else i32
    # The kernel averages stored numbers, so that halves round away from the stored zero.
    zero = op.literal([0], image.element)
    pooled = tosa.AvgPool2DOp(
        operands=[source, zero, zero], result_types=[result], properties={**windows, "acc_type": accumulator}
    )
    return [clamp(op, op.emit(pooled).output)]


def lower_average_pool(op: Lowering) -> Sequence[SSAValue]:
    """Pads do not count in the average, in TFLite as in TOSA."""
    return _pool(op, average=True)


def lower_max_pool(op: Lowering) -> Sequence[SSAValue]:
    """Pads never win."""
    return _pool(op, average=False)


def _lift_pool(lift: Lift, pool: tosa.AvgPool2DOp | tosa.MaxPool2DOp) -> Lifted:
    kernel, stride = _pair(pool.kernel), _pair(pool.stride)
    grid = grid_of(shape_of(pool.input), kernel, stride)
    padding = whole_image(lift, pool.input, pads_attribute(pool), grid, lift.hint("padding"))
    options: dict[str, OptionFact] = {
        "padding": padding.name,
        "stride_h": stride[0],
        "stride_w": stride[1],
        "filter_height": kernel[0],
        "filter_width": kernel[1],
        "fused_activation_function": lift_activation(lift),
    }
    return Lifted((lift.source(pool.input),), options)


def _pair(array: DenseArrayBase) -> tuple[int, int]:
    values = plain_ints(array)
    if len(values) != 2:
        raise NotExactError("windows of an image have two sizes")
    return (values[0], values[1])


def lift_average_pool(lift: Lift) -> Lifted:
    """Finds kernel, stride and padding in the `tosa.avg_pool2d`."""
    return _lift_pool(lift, lift.only(tosa.AvgPool2DOp))


def lift_max_pool(lift: Lift) -> Lifted:
    """Finds kernel, stride and padding in the `tosa.max_pool2d`."""
    return _lift_pool(lift, lift.only(tosa.MaxPool2DOp))


FAMILIES = (
    OperatorFamily("AVERAGE_POOL_2D", "Pool2DOptions", lower_average_pool, lift_average_pool, derived=_DERIVED),
    OperatorFamily("MAX_POOL_2D", "Pool2DOptions", lower_max_pool, lift_max_pool, derived=_DERIVED),
)
