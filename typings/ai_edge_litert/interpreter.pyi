import enum
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

class OpResolverType(enum.Enum):
    AUTO = 0
    BUILTIN = 1
    BUILTIN_REF = 2
    BUILTIN_WITHOUT_DEFAULT_DELEGATES = 3

class QuantizationParameters(TypedDict):
    scales: npt.NDArray[np.float32]
    zero_points: npt.NDArray[np.int32]
    quantized_dimension: int

class TensorDetails(TypedDict):
    name: str
    index: int
    shape: npt.NDArray[np.int32]
    shape_signature: npt.NDArray[np.int32]
    dtype: type[np.generic]
    quantization: tuple[float, int]
    quantization_parameters: QuantizationParameters

class SignatureRunner:
    def __call__(self, **kwargs: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]: ...
    def get_input_details(self) -> dict[str, TensorDetails]: ...
    def get_output_details(self) -> dict[str, TensorDetails]: ...

class Delegate: ...

def load_delegate(library: str, options: dict[str, str] | None = ...) -> Delegate: ...

class Interpreter:
    def __init__(
        self,
        model_path: str | Path | None = ...,
        model_content: bytes | None = ...,
        experimental_delegates: Sequence[Delegate] | None = ...,
        num_threads: int | None = ...,
        experimental_op_resolver_type: OpResolverType = ...,
        experimental_preserve_all_tensors: bool = ...,
        experimental_disable_delegate_clustering: bool = ...,
        experimental_default_delegate_latest_features: bool = ...,
    ) -> None: ...
    def allocate_tensors(self) -> None: ...
    def num_subgraphs(self) -> int: ...
    def get_tensor_details(self, subgraph_index: int = ...) -> list[TensorDetails]: ...
    def get_input_details(self) -> list[TensorDetails]: ...
    def get_output_details(self) -> list[TensorDetails]: ...
    def set_tensor(self, tensor_index: int, value: npt.NDArray[Any]) -> None: ...
    def resize_tensor_input(self, input_index: int, tensor_size: Sequence[int], strict: bool = ...) -> None: ...
    def get_signature_list(self) -> dict[str, dict[str, list[str]]]: ...
    def get_signature_runner(self, signature_key: str | None = ...) -> SignatureRunner: ...
    def get_tensor(self, tensor_index: int, subgraph_index: int = ...) -> npt.NDArray[Any]: ...
    def invoke(self) -> None: ...
    def reset_all_variables(self) -> None: ...

class InterpreterWithCustomOps(Interpreter):
    def __init__(
        self, custom_op_registerers: Sequence[str | Callable[[int], None]] | None = ..., **kwargs: Any
    ) -> None: ...
