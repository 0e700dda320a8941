"""Models of the tests of the file format: one by hand, the real ones from a folder, and how to compare them."""

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import numpy as np

from tinymo_xdsl.flatbuffer.model import (
    Metadata,
    Model,
    Operator,
    Quantization,
    Signature,
    Subgraph,
    Tensor,
)

PROJECT = Path(__file__).parents[2]
MODELS = Path(os.environ.get("TINYMO_MODELS", PROJECT.parent / "shared" / "models"))
NO_MODELS = f"no models in {MODELS}: set TINYMO_MODELS to a folder of .tflite files"


def model_files() -> list[Path]:
    """The real models, if they are there."""
    return sorted(MODELS.glob("*.tflite"))


def plain(value: object) -> object:
    """`value` as nested tuples that compare by content, bit for bit."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if dataclasses.is_dataclass(value):
        fields = dataclasses.fields(value)
        return type(value).__name__, tuple((field.name, plain(getattr(value, field.name))) for field in fields)
    if isinstance(value, tuple):
        return tuple(map(plain, cast(tuple[object, ...], value)))
    if isinstance(value, Mapping):
        entries = cast(Mapping[str, object], value)
        return tuple((key, plain(entries[key])) for key in sorted(entries))
    return (type(value).__name__, repr(value)) if isinstance(value, float) else value


def quantized(scale: float, zero_point: int = 0) -> Quantization:
    """One scale for the whole tensor."""
    return Quantization(np.array([scale], np.float32), np.array([zero_point], np.int64))


def small_model() -> Model:
    """
    A model that runs in TFLite Micro and uses much of the format: int8 [1, 4, 4, 2] -> [1, 48].

    A per-channel convolution, a reshape, a variable that is read, equal constants, an operator code above 127, an
    absent operand, a signature, metadata and bytes behind the file.
    """
    channels = Quantization(np.array([0.02, 0.01, 0.5], np.float32), np.zeros(3, np.int64), dimension=0)
    biases = Quantization(np.array([0.01, 0.005, 0.25], np.float32), np.zeros(3, np.int64))
    filters = np.arange(-27, 27, dtype=np.int8).tobytes()
    tensors = (
        Tensor("image", "INT8", (1, 4, 4, 2), quantization=quantized(0.5, -3), shape_signature=(-1, 4, 4, 2)),
        Tensor("filters", "INT8", (3, 3, 3, 2), filters, channels),
        Tensor("biases", "INT32", (3,), np.array([7, -9, 1000], "<i4").tobytes(), biases),
        Tensor("features", "INT8", (1, 4, 4, 3), quantization=quantized(0.75, 5), has_rank=True),
        Tensor("shape", "INT32", (2,), np.array([1, 48], "<i4").tobytes()),
        Tensor("flat", "INT8", (1, 48), quantization=quantized(0.75, 5)),
        Tensor("same shape", "INT32", (2,), np.array([1, 48], "<i4").tobytes()),
        Tensor("resource", "RESOURCE", (1,)),
        Tensor("remembered", "INT8", (1, 48), quantization=quantized(0.75, 5)),
        Tensor("scores", "INT8", (1, 48), quantization=quantized(1.5, 4)),
    )
    convolution = {
        "padding": 0,
        "stride_w": 1,
        "stride_h": 1,
        "fused_activation_function": 1,
        "dilation_w_factor": 1,
        "dilation_h_factor": 1,
        "quantized_bias_type": 0,
    }
    variable = {"container": "state", "shared_name": "memory"}
    addition = {"fused_activation_function": 0, "pot_scale_int16": False}
    operators = (
        Operator("CONV_2D", (0, 1, 2), (3,), 3, options_type="Conv2DOptions", options=convolution),
        Operator("RESHAPE", (3, 4), (5,), options_type="ReshapeOptions", options={"new_shape": (1, 48)}),
        Operator("VAR_HANDLE", (), (7,), options_type="VarHandleOptions", options=variable),
        Operator("READ_VARIABLE", (7,), (8,), options_type="ReadVariableOptions"),
        Operator("ADD", (5, 8), (9,), 2, options_type="AddOptions", options=addition),
        Operator("ASSIGN_VARIABLE", (7, 9), (), options_type="AssignVariableOptions"),
    )
    return Model(
        subgraphs=(Subgraph(tensors, (0,), (9,), operators, "main"),),
        description="a small model",
        signatures=(Signature("serving_default", 0, (("x", 0),), (("y", 9),)),),
        metadata=(Metadata("min_runtime_version", b"2.11.0".ljust(16, b"\0")), Metadata("labels", b"a\nb\n")),
        unnamed_metadata=(b"old",),
        trailing=b"PK\5\6".ljust(22, b"\0"),
    )
