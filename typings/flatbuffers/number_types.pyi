from struct import Struct

class BoolFlags:
    bytewidth: int
    name: str
    packer_type: Struct
    py_type: type[bool]
    min_val: bool
    max_val: bool

class Uint8Flags:
    bytewidth: int
    name: str
    packer_type: Struct
    py_type: type[int]
    min_val: int
    max_val: int

class Uint16Flags:
    bytewidth: int
    name: str
    packer_type: Struct
    py_type: type[int]
    min_val: int
    max_val: int

class Uint32Flags:
    bytewidth: int
    name: str
    packer_type: Struct
    py_type: type[int]
    min_val: int
    max_val: int

class Uint64Flags:
    bytewidth: int
    name: str
    packer_type: Struct
    py_type: type[int]
    min_val: int
    max_val: int

class Int8Flags:
    bytewidth: int
    name: str
    packer_type: Struct
    py_type: type[int]
    min_val: int
    max_val: int

class Int16Flags:
    bytewidth: int
    name: str
    packer_type: Struct
    py_type: type[int]
    min_val: int
    max_val: int

class Int32Flags:
    bytewidth: int
    name: str
    packer_type: Struct
    py_type: type[int]
    min_val: int
    max_val: int

class Int64Flags:
    bytewidth: int
    name: str
    packer_type: Struct
    py_type: type[int]
    min_val: int
    max_val: int

class Float32Flags:
    bytewidth: int
    name: str
    packer_type: Struct
    py_type: type[float]
    min_val: float | None
    max_val: float | None

class Float64Flags:
    bytewidth: int
    name: str
    packer_type: Struct
    py_type: type[float]
    min_val: float | None
    max_val: float | None

class SOffsetTFlags(Int32Flags): ...
class UOffsetTFlags(Uint32Flags): ...
class VOffsetTFlags(Uint16Flags): ...
