"""
`bufferize`: from level 2 to level 3, tensors become buffers.

```mlir
func.func @main(%image: tensor<1x8x4xi8>)            func.func @main() -> memref<1x8x4xi8> {
    -> tensor<1x8x4xi8> {                              %image = memref.alloc() : memref<1x8x4xi8>
  %a, %b = tinymo.split %image                         tinymo.input %image {index = 0 : i64} : memref<1x8x4xi8>
    {axis = 1, windows = [[0, 4], [4, 8]]}             %a = memref.subview %image[0, 0, 0] [1, 4, 4] [1, 1, 1]
  %c = tinymo.kernel { ... tosa.abs %a ... }      =>   %y = memref.alloc() : memref<1x8x4xi8>
  %d = tinymo.kernel { ... tosa.abs %b ... }           %c = memref.subview %y[0, 0, 0] [1, 4, 4] [1, 1, 1]
  %y = tinymo.join %c, %d {axis = 1}                   tinymo.kernel ins(%a) outs(%c) { ^bb0(%0): ... }
  return %y                                            ...
}                                                      return %y : memref<1x8x4xi8>
                                                     }
```

A kernel reads its operands from buffers and stores its results in buffers. Windows, parts and reshaped tensors are
views where they are one run of bytes and `analysis.buffer_groups` finds that they can share them; operators that only
copied bytes onto themselves are gone then. An elementwise result may lie on an operand that dies. What cannot be a view
is copied, and the bytes are counted. What is spilled is copied to a buffer in its memory, and back.

Left as they are: constants and variables, which kernels take from outside. Each function of the module has buffers of
its own; kernels that run other functions pass tensors.
"""

import logging
from dataclasses import dataclass
from typing import ClassVar, Literal, cast

from xdsl.context import Context
from xdsl.dialects.builtin import DYNAMIC_INDEX, ModuleOp, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException

from tinymo_xdsl.analysis.aliases import TFLM_ALIGNMENT, KernelLibrary
from tinymo_xdsl.analysis.buffer_groups import SharingName, buffer_groups
from tinymo_xdsl.analysis.buffers import element_size
from tinymo_xdsl.analysis.kernels import functions, is_bufferized, is_constant
from tinymo_xdsl.bufferizer import ON_TENSORS, Bufferizer, Copied, is_outside
from tinymo_xdsl.dialects import tinymo
from tinymo_xdsl.facts import name_of
from tinymo_xdsl.numerics.dense import numpy_dtype

logger = logging.getLogger(__name__)


def bufferize_function(
    function: FuncOp, library: KernelLibrary, sharing: SharingName = "at-peaks", alignment: int = TFLM_ALIGNMENT
) -> Copied:
    """
    Makes the tensors of a level-2 function buffers.

    `PassFailedException`, naming the tensor, for what has no size or no bytes in memory; the function stays as it was.
    """
    _check(function)
    bufferizer = Bufferizer(function, buffer_groups(function, library, sharing, alignment))
    bufferizer.run()
    return bufferizer.copied


def _check(function: FuncOp) -> None:
    for value in function.body.block.args:
        _check_type(value)
    for op in function.body.block.ops:
        _check_op(op)
        for value in op.results:
            if not is_constant(value):
                _check_type(value)


def _check_op(op: Operation) -> None:
    if not isinstance(op, (*ON_TENSORS, ReturnOp)) and not any(map(is_outside, op.results)):
        raise PassFailedException(f"'{op.name}' stands outside of a tinymo.kernel: run form-kernels first")
    if isinstance(op, tinymo.KernelOp):
        nested = next((inner for inner in op.body.block.ops if inner.regions), None)
        if nested is not None:
            name = name_of(op.results[0]) if op.results else op.name
            raise PassFailedException(f"'{name}': '{nested.name}' in a kernel cannot read buffers")


def _check_type(value: SSAValue) -> None:
    type_ = value.type.tensor if isinstance(value.type, tinymo.SpilledType) else value.type
    if not isinstance(type_, TensorType):
        raise PassFailedException(f"'{name_of(value)}' is no tensor but {type_}: only tensors become buffers")
    if DYNAMIC_INDEX in type_.get_shape():
        raise PassFailedException(f"'{name_of(value)}' is {type_}: a buffer needs a static shape")
    element = cast(Attribute, type_.element_type)
    try:
        has_bytes = numpy_dtype(element).itemsize == element_size(element)
    except (KeyError, TypeError):
        has_bytes = False
    if not has_bytes:
        raise PassFailedException(f"'{name_of(value)}': elements of type {element} have no bytes in memory")


@dataclass(frozen=True)
class BufferizePass(ModulePass):
    """Make tensors buffers: views and in-place results where kernels allow it, copies where not."""

    name: ClassVar[str] = "bufferize"

    kernels: Literal["reference", "cmsis-nn", "unknown"] = "reference"
    """Whose kernels run: what may share bytes depends on them. Nothing shares for unknown ones."""

    sharing: Literal["none", "views", "at-peaks", "all"] = "at-peaks"
    """What shares bytes: nothing; what need not be copied then; whatever lowers the peak, and tensors that others only
    reshape, which leaves little that must move together; all that can, in-place results too."""

    alignment: int = TFLM_ALIGNMENT
    """Tensors that share a buffer begin at multiples of this many bytes in it."""

    def __post_init__(self) -> None:
        """Raises `ValueError` for an alignment that is not positive."""
        if self.alignment < 1:
            raise ValueError(f"alignment is {self.alignment}, but must be at least 1")

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Bufferizes every function by itself; what is bufferized already stays as it is."""
        for function in functions(op):
            if is_bufferized(function):
                continue
            copied = bufferize_function(function, KernelLibrary(self.kernels), self.sharing, self.alignment)
            logger.info("%s: @%s: %s", self.name, function.sym_name.data, copied.describe())
