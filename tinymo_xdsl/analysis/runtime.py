"""
What TFLite Micro keeps for a kernel, beside its tensors: scratch while it runs, structures for good.

The figures are those of `tflm` for a computer with pointers of 64 bits, where an operator takes more than on a
microcontroller: what pays there pays here, too. Scratch is left out of what never runs in stripes, a reduction aside.
"""

from math import prod

from xdsl.dialects.builtin import IntegerType, TensorType
from xdsl.ir import SSAValue

from tinymo_xdsl.analysis.describe import operator_name
from tinymo_xdsl.analysis.kernels import Kernel
from tinymo_xdsl.analysis.rows import ROW_AXIS, shape_of
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.facts import tensor_facts
from tinymo_xdsl.flatbuffer.model import Operator, Subgraph, Tensor
from tinymo_xdsl.planner.arena.problem import round_up
from tinymo_xdsl.planner.stripes import Upkeep
from tinymo_xdsl.tflm.arena import BITS_64
from tinymo_xdsl.tflm.kernels import ALIGNMENT, kept_arrays, kernel_data, scratch

_Convolution = tosa.Conv2DOp | tosa.DepthwiseConv2DOp | tosa.TransposeConv2DOp


def kernel_upkeep(kernel: Kernel) -> int:
    """Bytes of the tail that one more operator like this kernel takes."""
    operator, graph = _as_operator(kernel)
    arrays = kept_arrays(operator, graph) if _convolution(kernel) is not None else ()
    return _structures(operator.name, len(kernel.outputs)) + sum(round_up(size, ALIGNMENT) for size in arrays)


def stripe_upkeep() -> Upkeep:
    """Bytes of the tail that slices, joins and pads take, the lists of numbers that they read included."""
    return Upkeep(
        slice=_structures("SLICE", tensors=3), join=_structures("CONCATENATION", 1), pad=_structures("PAD", tensors=2)
    )


def kernel_scratch(kernel: Kernel) -> tuple[int, int]:
    """Bytes of the head that a kernel has while it runs: so many at least, and so many for each row of its result."""
    convolution = _convolution(kernel)
    if convolution is None:
        return 0, 0
    size = sum(round_up(size, ALIGNMENT) for size in scratch(*_as_operator(kernel)))
    if isinstance(convolution, tosa.TransposeConv2DOp):
        return 0, size // shape_of(kernel.outputs[0])[ROW_AXIS]
    return size, 0


def _structures(name: str, tensors: int) -> int:
    data = kernel_data(Operator(name, (), ()))
    return BITS_64.node + BITS_64.eval_tensor * tensors + data.options + round_up(data.data64, ALIGNMENT)


def _convolution(kernel: Kernel) -> _Convolution | None:
    return next((op for op in kernel.ops if isinstance(op, _Convolution)), None)


def _as_operator(kernel: Kernel) -> tuple[Operator, Subgraph]:
    """The operator as far as `tflm` looks at it: of a convolution the image, the weights and the result."""
    convolution = _convolution(kernel)
    match convolution:
        case None:
            return Operator(operator_name(kernel), (), ()), Subgraph((), (), (), ())
        case tosa.Conv2DOp():
            name = "CONV_2D"
        case tosa.DepthwiseConv2DOp():
            name = "DEPTHWISE_CONV_2D"
        case tosa.TransposeConv2DOp():
            name = "TRANSPOSE_CONV"
    tensors = (
        Tensor("image", _dtype(convolution.input), shape_of(convolution.input)),
        Tensor("weights", _dtype(convolution.weight), _shape_in_file(convolution)),
        Tensor("result", _dtype(kernel.outputs[0]), shape_of(kernel.outputs[0])),
    )
    return Operator(name, (0, 1, 0), (2,)), Subgraph(tensors, (), (), ())


def _shape_in_file(convolution: _Convolution) -> tuple[int, ...]:
    """The shape of the weights: those of a depthwise convolution are turned around."""
    shape = shape_of(convolution.weight)
    return (1, *shape[:2], prod(shape[2:])) if isinstance(convolution, tosa.DepthwiseConv2DOp) else shape


def _dtype(value: SSAValue) -> str:
    facts = tensor_facts(value)
    if facts is not None and facts.dtype is not None:
        return facts.dtype
    element = value.type.element_type if isinstance(value.type, TensorType) else None
    return f"INT{element.width.data}" if isinstance(element, IntegerType) else "FLOAT32"
