"""
What the reference kernels of TFLite Micro keep, by operator: structures in the tail, scratch in the head.

Sizes of structures are those of the runtime as it is compiled, told by what its recording allocator counts for one more
operator: x86-64 for pointers of 8 bytes, wasm32 for those of 4.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from tinymo_xdsl.flatbuffer.model import Model, Operator, Subgraph, Tensor
from tinymo_xdsl.flatbuffer.schema import DATA_TYPES

ALIGNMENT = 16
"""Bytes that tensors, scratch and what kernels keep are aligned to (`MicroArenaBufferAlignment`)."""


@dataclass(frozen=True)
class KernelData:
    """Bytes of the structures of one operator."""

    options: int
    """The options as the runtime parses them (`TfLite...Params`)."""
    data32: int
    """What the kernel makes of them (`OpData`), with pointers of 4 bytes."""
    data64: int
    """The same with pointers of 8 bytes."""


def _plain(options: int, data: int) -> KernelData:
    """Structures without pointers."""
    return KernelData(options, data, data)


_DATA = {
    "ABS": _plain(0, 28),
    "ADD": _plain(8, 60),
    "ADD_N": _plain(0, 40),
    "ARG_MAX": _plain(4, 0),
    "ARG_MIN": _plain(4, 0),
    "AVERAGE_POOL_2D": _plain(40, 32),
    "BATCH_MATMUL": KernelData(3, 60, 76),
    "CALL_ONCE": _plain(4, 8),
    "CAST": _plain(8, 0),
    "CONCATENATION": KernelData(8, 24, 80),
    "CONV_2D": KernelData(28, 56, 80),
    "CUMSUM": _plain(2, 36),
    "DEPTHWISE_CONV_2D": KernelData(28, 56, 80),
    "DEPTH_TO_SPACE": _plain(4, 20),
    "DEQUANTIZE": _plain(0, 32),
    "DIV": _plain(4, 28),
    "ELU": _plain(0, 256),
    "EQUAL": _plain(0, 32),
    "FULLY_CONNECTED": KernelData(32, 48, 72),
    "GATHER": _plain(8, 20),
    "GREATER": _plain(0, 32),
    "GREATER_EQUAL": _plain(0, 32),
    "HARD_SWISH": _plain(0, 20),
    "IF": _plain(8, 8),
    "L2_NORMALIZATION": _plain(4, 4),
    "LEAKY_RELU": _plain(4, 24),
    "LESS": _plain(0, 32),
    "LESS_EQUAL": _plain(0, 32),
    "LOGISTIC": _plain(0, 16),
    "LOG_SOFTMAX": KernelData(0, 28, 40),
    "MAX_POOL_2D": _plain(40, 32),
    "MEAN": _plain(1, 44),
    "MIRROR_PAD": _plain(20, 20),
    "MUL": _plain(4, 36),
    "NOT_EQUAL": _plain(0, 32),
    "PACK": _plain(8, 0),
    "PAD": _plain(0, 56),
    "PADV2": _plain(0, 56),
    "PRELU": _plain(0, 28),
    "QUANTIZE": _plain(0, 32),
    "REDUCE_MAX": _plain(1, 44),
    "RELU": _plain(0, 28),
    "RELU6": _plain(0, 8),
    "RESHAPE": _plain(36, 0),
    "RESIZE_BILINEAR": _plain(2, 0),
    "RESIZE_NEAREST_NEIGHBOR": _plain(2, 0),
    "RSQRT": _plain(0, 28),
    "SELECT_V2": _plain(0, 1),
    "SOFTMAX": KernelData(4, 56, 80),
    "SPACE_TO_BATCH_ND": _plain(0, 4),
    "SPACE_TO_DEPTH": _plain(4, 20),
    "SPLIT": _plain(4, 0),
    "SPLIT_V": _plain(4, 0),
    "SQUARED_DIFFERENCE": _plain(0, 112),
    "SQUEEZE": _plain(36, 0),
    "STRIDED_SLICE": _plain(24, 84),
    "SUB": _plain(8, 52),
    "SUM": _plain(1, 44),
    "SVDF": _plain(12, 36),
    "TANH": _plain(0, 16),
    "TRANSPOSE_CONV": KernelData(20, 72, 88),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _plain(16, 688),
    "UNPACK": _plain(8, 0),
    "VAR_HANDLE": KernelData(16, 4, 48),
    "WHILE": _plain(8, 8),
}
"""What is not here keeps nothing: SLICE, TRANSPOSE, MAXIMUM and the like, or is not known."""

_CHANNEL_AXIS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "TRANSPOSE_CONV": 0, "FULLY_CONNECTED": 0}
"""The axis of the weights that has a multiplier and a shift each; for FULLY_CONNECTED only if it has several scales."""
_WEIGHTS = 1
_SOFTMAX_TABLE = 513
"""Entries of the two tables of a 16-bit SOFTMAX."""


def kernel_data(operator: Operator) -> KernelData:
    """The structures of an operator, as far as they are known."""
    return _DATA.get(operator.name, _plain(0, 0))


def kept_arrays(operator: Operator, graph: Subgraph) -> Iterator[int]:
    """Bytes of each array that the kernel keeps beside its structures."""
    if (axis := _CHANNEL_AXIS.get(operator.name)) is not None:
        weights = graph.tensors[operator.inputs[_WEIGHTS]]
        if operator.name != "FULLY_CONNECTED" or _is_per_channel(weights):
            yield from (4 * weights.shape[axis], 4 * weights.shape[axis])
    if operator.name == "SOFTMAX" and graph.tensors[operator.inputs[0]].dtype == "INT16":
        yield from (2 * _SOFTMAX_TABLE, 2 * _SOFTMAX_TABLE)


def resource_variables(model: Model) -> Iterator[int]:
    """Bytes of each resource variable, which lies in the tail: as many as the tensor that is assigned to it has."""
    sizes: dict[tuple[object, object], int] = {}
    for graph in model.subgraphs:
        handles = {operator.outputs[0]: operator for operator in graph.operators if operator.name == "VAR_HANDLE"}
        for operator in graph.operators:
            if operator.name == "ASSIGN_VARIABLE" and (handle := handles.get(operator.inputs[0])) is not None:
                name = (handle.options.get("container"), handle.options.get("shared_name"))
                sizes[name] = tensor_bytes(graph.tensors[operator.inputs[1]])
    yield from sizes.values()


def _is_per_channel(weights: Tensor) -> bool:
    return weights.quantization is not None and len(weights.quantization.scale) > 1


def scratch(operator: Operator, graph: Subgraph) -> tuple[int, ...]:
    """Bytes of each scratch buffer that the kernel has while it runs."""
    inputs = [graph.tensors[index] for index in operator.inputs if index >= 0]
    outputs = [graph.tensors[index] for index in operator.outputs]
    match operator.name:
        case "TRANSPOSE_CONV":
            accumulator = {"INT8": 4, "INT16": 8}.get(inputs[2].dtype, 0)
            return (accumulator * prod(outputs[0].shape),) if accumulator else ()
        case "CONV_2D" | "DEPTHWISE_CONV_2D" | "FULLY_CONNECTED" if inputs[_WEIGHTS].dtype == "INT4":
            return (prod(inputs[_WEIGHTS].shape),)
        case "UNIDIRECTIONAL_SEQUENCE_LSTM":
            return _lstm_scratch(operator, graph)
        case "SVDF":
            filters, units = inputs[1].shape[0], outputs[0].shape[1]
            batch = inputs[0].shape[0]
            return (4 * batch * filters, 4 * batch * units) if inputs[0].dtype == "INT8" else (4 * batch * filters,)
        case "MEAN" | "SUM":
            return (*_axis_scratch(inputs), 4 * prod(outputs[0].shape))
        case "REDUCE_MAX":
            return _axis_scratch(inputs)
        case "ADD_N":
            return (8 * len(inputs),)
        case _:
            return ()


def _axis_scratch(inputs: list[Tensor]) -> tuple[int, int]:
    return 4 * len(inputs[0].shape), 4 * prod(inputs[1].shape)


_LSTM_CELL_STATE = 19
_LSTM_GATES = 4


def _lstm_scratch(operator: Operator, graph: Subgraph) -> tuple[int, ...]:
    """One buffer of the size of the cell's state for each gate."""
    state = graph.tensors[operator.inputs[_LSTM_CELL_STATE]]
    return (tensor_bytes(state),) * _LSTM_GATES


def tensor_bytes(tensor: Tensor) -> int:
    """What a tensor takes in the arena. Elements narrower than a byte take one each."""
    bits = DATA_TYPES[tensor.dtype].bits or 32
    return prod(tensor.shape) * max(1, bits // 8)
