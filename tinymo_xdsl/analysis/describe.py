"""What to call kernels in reports and messages."""

from tinymo_xdsl.analysis.kernels import Kernel
from tinymo_xdsl.dialects import tinymo, tosa
from tinymo_xdsl.facts import OPERATOR_KEY, name_of, operator_facts
from tinymo_xdsl.flatbuffer.spills import RELOAD_OPERATOR, SPILL_OPERATOR


def describe_kernel(kernel: Kernel) -> tuple[str, str]:
    """The name of a kernel's first output, or of the operator without one, and the operator as `operator_name`."""
    operator = operator_name(kernel)
    return name_of(kernel.results[0]) if kernel.results else operator, operator


def operator_name(kernel: Kernel) -> str:
    """The TFLite name that the facts give, else the name of the kernel's first op that does more than move data."""
    if isinstance(kernel.root, tinymo.SpillOp | tinymo.ReloadOp):
        return SPILL_OPERATOR if isinstance(kernel.root, tinymo.SpillOp) else RELOAD_OPERATOR
    for op in kernel.ops:
        if isinstance(op, tosa.CustomOp):
            return op.operator_name.data
        if OPERATOR_KEY in op.attributes and (name := operator_facts(op).name) is not None:
            return name
    plain = (tosa.ReshapeOp, tosa.SliceOp, tosa.RescaleOp, tosa.ClampOp)
    telling = [op for op in kernel.ops if not isinstance(op, plain)] or list(kernel.ops)
    return telling[0].name if telling else kernel.root.name
