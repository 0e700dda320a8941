from struct import Struct
from typing import Any

import numpy.typing as npt

def Get(packer_type: Struct, buf: bytes | bytearray | memoryview, head: int) -> Any: ...
def GetVectorAsNumpy(
    numpy_type: npt.DTypeLike, buf: bytes | bytearray | memoryview, count: int, offset: int
) -> npt.NDArray[Any]: ...
def Write(packer_type: Struct, buf: bytearray, head: int, n: float) -> None: ...
