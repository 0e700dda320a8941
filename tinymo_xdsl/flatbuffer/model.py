"""
A `.tflite` file as plain values.

This is the file format without its encoding: what the reader returns, what the writer takes. It knows nothing of
the IR. Tensors hold their constant bytes themselves; sharing of buffers is the writer's business.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

OptionValue: TypeAlias = int | float | bool | str | bytes | tuple[int, ...] | tuple[float, ...] | None
"""The value of one field of a builtin options table."""


_LONGEST_LABEL = 100


def label(kind: str, index: int, name: str) -> str:
    """What messages call a part of the model: `operator 3 ('CONV_2D')`. One line, however long the name is."""
    half = _LONGEST_LABEL // 2
    short = name if len(name) <= _LONGEST_LABEL else f"{name[:half]}...{name[-half:]}"
    return f"{kind} {index} ({short!r})"


@dataclass(frozen=True, eq=False)
class Quantization:
    """How the integers of a tensor map to real numbers: `real = scale * (stored - zero_point)`."""

    scale: npt.NDArray[np.float32]
    """One scale, or one for each channel; none if only `min` and `max` are known."""
    zero_point: npt.NDArray[np.int64]
    """As many as scales, or one, or none (meaning zero)."""
    dimension: int = 0
    """The axis that the channels lie on (`quantized_dimension`)."""
    min: npt.NDArray[np.float32] | None = None
    max: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True, eq=False)
class Tensor:
    """One tensor of a subgraph."""

    name: str
    dtype: str
    """The schema's name: `INT8`, `UINT8`, `INT16`, `INT32`, `FLOAT32`, `RESOURCE`, ..."""
    shape: tuple[int, ...]
    data: bytes | None = None
    """The little-endian bytes of a constant; `None` for a tensor that is computed at run time."""
    quantization: Quantization | None = None
    shape_signature: tuple[int, ...] | None = None
    is_variable: bool = False
    has_rank: bool = False


@dataclass(frozen=True, eq=False)
class Operator:
    """One operator. Tensor indices are into the tensors of its subgraph; -1 is an absent optional input."""

    name: str
    """The schema's name (`CONV_2D`), or the custom code of a custom operator."""
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    version: int = 1
    custom: bool = False
    options_type: str | None = None
    """The schema's name of the options table (`Conv2DOptions`), or `None` without one."""
    options: Mapping[str, OptionValue] = field(default_factory=dict[str, OptionValue])
    """Every field of the options table under its schema name (`stride_h`), defaults included."""
    custom_options: bytes = b""
    custom_options_format: int = 0
    intermediates: tuple[int, ...] = ()
    """Tensors that the kernel keeps for itself, as the scales inside an LSTM."""
    mutating_variable_inputs: tuple[bool, ...] = ()
    """For each input, whether the operator changes it; or empty."""
    debug_metadata_index: int = -1
    """The operator's entry in the metadata for debuggers, or -1."""


@dataclass(frozen=True, eq=False)
class Subgraph:
    """A function of the model. The order of `operators` is the order of execution."""

    tensors: tuple[Tensor, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    operators: tuple[Operator, ...]
    name: str | None = None
    debug_metadata_index: int = -1
    """The subgraph's entry in the metadata for debuggers, or -1."""


@dataclass(frozen=True)
class Signature:
    """A named entry point: argument names to tensor indices of one subgraph."""

    key: str
    subgraph: int
    inputs: tuple[tuple[str, int], ...]
    outputs: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Metadata:
    """A named blob that other tools read."""

    name: str
    data: bytes


@dataclass(frozen=True, eq=False)
class Model:
    """A whole `.tflite` file."""

    subgraphs: tuple[Subgraph, ...]
    description: str | None = None
    signatures: tuple[Signature, ...] = ()
    metadata: tuple[Metadata, ...] = ()
    unnamed_metadata: tuple[bytes, ...] = ()
    """The blobs of the deprecated field `metadata_buffer`."""
    trailing: bytes = b""
    """Bytes after the flatbuffer: an archive of label files, for instance."""
    version: int = 3
