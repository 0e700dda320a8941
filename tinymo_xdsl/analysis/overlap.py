"""
How far the result of a kernel may lie over its operand.

TFLite Micro's reference kernels of convolutions, pools and PAD write their results pixel by pixel, in order, and read
what a pixel needs right before. A result may lie over pixels of the operand that no later pixel needs, so it must begin
early enough: by how much follows from strides, padding and channels.

Sources: Blacker, Bridges and Hadfield, "Diagonal Memory Optimisation for Machine Learning on Micro-controllers",
arXiv:2010.01668; the loops of `conv.h`, `depthwise_conv.h`, `pooling.h` and `pad.h` of TFLite's reference kernels.
"""

import numpy as np

from tinymo_xdsl.analysis.kernels import Kernel
from tinymo_xdsl.analysis.rows import WindowOp, shape_of, window_shape
from tinymo_xdsl.analysis.sizes import element_bytes
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.dialects.tosa.base import plain_ints


def lead_bytes(kernel: Kernel) -> int | None:
    """
    The most bytes by which the result may begin behind its operand; negative if it must begin before.

    `None` if the kernel is no convolution, pool or PAD of one image.
    """
    if len(kernel.inputs) != 1 or len(kernel.outputs) != 1:
        return None
    shapes = [shape_of(value) for value in (kernel.inputs[0], kernel.outputs[0])]
    if any(len(shape) != 4 or shape[0] != 1 for shape in shapes):
        return None
    match [op for op in kernel.ops if isinstance(op, WindowOp | tosa.PadOp)]:
        case [tosa.PadOp() as pad] if len(kernel.ops) == 1:
            return _pad_lead(kernel, pad)
        case [window] if not isinstance(window, tosa.PadOp):
            return _window_lead(kernel, window)
        case _:
            return None


def _window_lead(kernel: Kernel, window: WindowOp) -> int:
    """When a pixel is complete, nothing is overwritten that its last channel has needed, or that a later one needs."""
    _, _, columns, channels = shape_of(kernel.inputs[0])
    _, rows_out, columns_out, channels_out = shape_of(kernel.outputs[0])
    _, stride, _ = window_shape(window)
    top, _, left, _ = plain_ints(window.pad)
    rows = np.maximum(np.arange(rows_out) * stride[0] - top, 0)
    places = np.maximum(np.arange(columns_out) * stride[1] - left, 0)
    first_read = (rows[:, None] * columns + places).ravel()
    # Convolutions read all channels for each one of the result, the others one for one.
    own = first_read if isinstance(window, tosa.Conv2DOp) else first_read + 1
    # The window may jump back when a row begins.
    later = np.append(np.minimum.accumulate(first_read[::-1])[::-1][1:], own[-1])
    needed = np.minimum(own, later) * channels * element_bytes(kernel.inputs[0])
    written = np.arange(1, needed.size + 1) * channels_out * element_bytes(kernel.outputs[0])
    return int((needed - written).min())


def _pad_lead(kernel: Kernel, pad: tosa.PadOp) -> int | None:
    """Until a pixel is copied, everything before its new place is written."""
    pads = tosa.constant_shape(pad.padding)
    if pads is None or any((*pads[:2], *pads[6:])):
        return None
    _, rows, columns, channels = shape_of(kernel.inputs[0])
    width = shape_of(kernel.outputs[0])[2]
    last_new, last_old = (rows - 1 + pads[2]) * width + columns - 1 + pads[4], rows * columns - 1
    return (last_old - last_new) * channels * element_bytes(kernel.inputs[0])
