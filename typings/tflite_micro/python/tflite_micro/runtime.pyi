import enum
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

class InterpreterConfig(enum.Enum):
    kAllocationRecording = 0
    kPreserveAllTensors = 1

class QuantizationParameters(TypedDict):
    scales: npt.NDArray[np.float32]
    zero_points: npt.NDArray[np.int32]
    quantized_dimension: int

class TensorDetails(TypedDict):
    shape: npt.NDArray[np.int32]
    dtype: type[np.generic]
    quantization_parameters: QuantizationParameters

class TensorContent(TypedDict):
    shape: npt.NDArray[np.int32]
    dtype: type[np.generic]
    tensor_data: npt.NDArray[Any]

class Interpreter:
    def __init__(
        self,
        model_data: bytes | bytearray,
        custom_op_registerers: list[str],
        arena_size: int | None,
        intrepreter_config: InterpreterConfig = ...,
        alt_decompression_memory_size: int = ...,
    ) -> None: ...
    @classmethod
    def from_file(
        cls,
        model_path: str | Path,
        custom_op_registerers: list[str] | None = ...,
        arena_size: int | None = ...,
        intrepreter_config: InterpreterConfig = ...,
        alt_decompression_memory_size: int = ...,
    ) -> Interpreter: ...
    @classmethod
    def from_bytes(
        cls,
        model_data: bytes | bytearray,
        custom_op_registerers: list[str] | None = ...,
        arena_size: int | None = ...,
        intrepreter_config: InterpreterConfig = ...,
        alt_decompression_memory_size: int = ...,
    ) -> Interpreter: ...
    def print_allocations(self) -> None: ...
    def invoke(self) -> int: ...
    def reset(self) -> int: ...
    def set_input(self, input_data: npt.NDArray[Any], index: int) -> None: ...
    def get_output(self, index: int) -> npt.NDArray[Any]: ...
    def GetTensor(self, tensor_index: int, subgraph_index: int) -> TensorContent: ...
    def get_input_details(self, index: int) -> TensorDetails: ...
    def get_output_details(self, index: int) -> TensorDetails: ...
