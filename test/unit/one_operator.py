"""Models of a single operator, run in TFLite Micro: the oracle of the numeric tests."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tinymo_xdsl.flatbuffer.model import Model, Operator, OptionValue, Quantization, Subgraph, Tensor
from tinymo_xdsl.flatbuffer.writer import write_model

Array = npt.NDArray[Any]

ARENA_BYTES = 1 << 20


def tensor(
    name: str,
    dtype: str,
    shape: Sequence[int],
    scale: float | None = None,
    zero_point: int = 0,
    *,
    data: Array | None = None,
    is_variable: bool = False,
) -> Tensor:
    """A tensor, quantised when it has a scale, constant when it has data."""
    quantization = None
    if scale is not None:
        quantization = Quantization(np.array([scale], np.float32), np.array([zero_point], np.int64))
    stored = None if data is None else data.tobytes()
    return Tensor(name, dtype, tuple(shape), stored, quantization, is_variable=is_variable)


def one_operator(
    name: str,
    tensors: Sequence[Tensor],
    output: Tensor,
    options: tuple[str, Mapping[str, OptionValue]] | None = None,
    intermediates: Sequence[Tensor] = (),
    absent: Sequence[int] = (),
) -> bytes:
    """
    The `.tflite` of one operator.

    Its operands are `tensors`, with absent optional operands at the positions `absent`; those tensors that are neither
    constants nor variables are the inputs of the model.
    """
    count = len(tensors)
    positions = iter(range(count))
    operands = [-1 if position in absent else next(positions) for position in range(count + len(absent))]
    operator = Operator(
        name,
        tuple(operands),
        (count,),
        options_type=options[0] if options else None,
        options=dict(options[1]) if options else {},
        intermediates=tuple(range(count + 1, count + 1 + len(intermediates))),
    )
    inputs = [index for index, operand in enumerate(tensors) if operand.data is None and not operand.is_variable]
    graph = Subgraph((*tensors, output, *intermediates), tuple(inputs), (count,), (operator,))
    return write_model(Model((graph,)))


def run_in_tflm(model: bytes, *inputs: Array) -> Array:
    """The first output of `model` in TFLite Micro; skips the test where that is not installed."""
    interpreter = tflm_interpreter(model)
    for index, array in enumerate(inputs):
        interpreter.set_input(array, index)
    interpreter.invoke()
    return interpreter.get_output(0)


def tflm_interpreter(model: bytes) -> Any:
    """An interpreter that keeps its state between calls; skips the test where TFLite Micro is not installed."""
    runtime = pytest.importorskip(
        "tflite_micro.python.tflite_micro.runtime", reason="tflite-micro is not installed (extra `verify`)"
    )
    return runtime.Interpreter.from_bytes(model, arena_size=ARENA_BYTES)
