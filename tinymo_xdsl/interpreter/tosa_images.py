"""TOSA ops on images: convolutions, poolings and resizing. Also the matrix product."""

from typing import cast

import numpy as np
from xdsl.interpreter import Interpreter, InterpreterFunctions, PythonValues, impl, register_impls

from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.interpreter import convolution, pooling, resize
from tinymo_xdsl.interpreter.operands import element_dtype, four, integer, integers, pair, result_dtype
from tinymo_xdsl.interpreter.sliding_window import SlidingWindow
from tinymo_xdsl.interpreter.tosa_arithmetic import maximum_function
from tinymo_xdsl.numerics.dense import Array


@register_impls
class TosaImages(InterpreterFunctions):
    """Ops on NHWC arrays."""

    @impl(tosa.Conv2DOp)
    def conv2d(self, interpreter: Interpreter, op: tosa.Conv2DOp, args: PythonValues) -> PythonValues:
        x, weight, bias, input_zero_point, weight_zero_point = args
        window = SlidingWindow(weight.shape[1:3], pair(op.stride), four(op.pad), pair(op.dilation))
        result = convolution.conv2d(
            x,
            weight,
            bias,
            window,
            element_dtype(op.acc_type),
            integer(input_zero_point),
            integer(weight_zero_point),
        )
        return (result.astype(result_dtype(op), copy=False),)

    @impl(tosa.Conv3DOp)
    def conv3d(self, interpreter: Interpreter, op: tosa.Conv3DOp, args: PythonValues) -> PythonValues:
        x, weight, bias, input_zero_point, weight_zero_point = args
        pads, strides, dilations = integers(op.pad), integers(op.stride), integers(op.dilation)
        front, back, top, bottom, left, right = pads
        stride, dilation = (strides[1], strides[2]), (dilations[1], dilations[2])
        window = SlidingWindow(weight.shape[2:4], stride, (top, bottom, left, right), dilation)
        depth = SlidingWindow((weight.shape[1], 1), (strides[0], 1), (front, back, 0, 0), (dilations[0], 1))
        result = convolution.conv3d(
            x,
            weight,
            bias,
            window,
            depth,
            element_dtype(op.acc_type),
            integer(input_zero_point),
            integer(weight_zero_point),
        )
        return (result.astype(result_dtype(op), copy=False),)

    @impl(tosa.DepthwiseConv2DOp)
    def depthwise_conv2d(
        self, interpreter: Interpreter, op: tosa.DepthwiseConv2DOp, args: PythonValues
    ) -> PythonValues:
        x, weight, bias, input_zero_point, weight_zero_point = args
        window = SlidingWindow(weight.shape[:2], pair(op.stride), four(op.pad), pair(op.dilation))
        result = convolution.depthwise_conv2d(
            x,
            weight,
            bias,
            window,
            element_dtype(op.acc_type),
            integer(input_zero_point),
            integer(weight_zero_point),
        )
        return (result.astype(result_dtype(op), copy=False),)

    @impl(tosa.TransposeConv2DOp)
    def transpose_conv2d(
        self, interpreter: Interpreter, op: tosa.TransposeConv2DOp, args: PythonValues
    ) -> PythonValues:
        x, weight, bias, input_zero_point, weight_zero_point = args
        result = convolution.transpose_conv2d(
            x,
            weight,
            bias,
            pair(op.stride),
            four(op.out_pad),
            element_dtype(op.acc_type),
            integer(input_zero_point),
            integer(weight_zero_point),
        )
        return (result.astype(result_dtype(op), copy=False),)

    @impl(tosa.AvgPool2DOp)
    def avg_pool2d(self, interpreter: Interpreter, op: tosa.AvgPool2DOp, args: PythonValues) -> PythonValues:
        x, input_zero_point, output_zero_point = args
        window = SlidingWindow(pair(op.kernel), pair(op.stride), four(op.pad))
        accumulator = element_dtype(op.acc_type)
        return (pooling.avg_pool2d(x, window, accumulator, integer(input_zero_point), integer(output_zero_point)),)

    @impl(tosa.MaxPool2DOp)
    def max_pool2d(self, interpreter: Interpreter, op: tosa.MaxPool2DOp, args: PythonValues) -> PythonValues:
        window = SlidingWindow(pair(op.kernel), pair(op.stride), four(op.pad))
        return (pooling.max_pool2d(args[0], window, maximum_function(op.nan_mode)),)

    @impl(tosa.ResizeOp)
    def resize(self, interpreter: Interpreter, op: tosa.ResizeOp, args: PythonValues) -> PythonValues:
        x, scale, offset, border = cast(tuple[Array, Array, Array, Array], args)
        rows, columns = (
            resize.Sampling(int(numerator), int(denominator), int(start), int(end))
            for (numerator, denominator), start, end in zip(scale.reshape(2, 2), offset, border, strict=True)
        )
        if op.mode.data == tosa.ResizeMode.NEAREST_NEIGHBOR:
            return (resize.resize_nearest(x, rows, columns),)
        return (resize.resize_bilinear(x, rows, columns, result_dtype(op)),)

    @impl(tosa.MatMulOp)
    def matmul(self, interpreter: Interpreter, op: tosa.MatMulOp, args: PythonValues) -> PythonValues:
        a, b, a_zero_point, b_zero_point = args
        dtype = result_dtype(op)
        wide = np.dtype(np.int64) if np.issubdtype(dtype, np.integer) else dtype
        left, right = a.astype(wide) - integer(a_zero_point), b.astype(wide) - integer(b_zero_point)
        return (np.matmul(left, right).astype(dtype),)
