"""What a kernel computes for given inputs, found out at compile time by the interpreter."""

from collections.abc import Sequence

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.interpreter import Interpreter

from tinymo_xdsl.analysis.kernels import Kernel
from tinymo_xdsl.backend.c.body import Body
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.interpreter.state import CustomOperators
from tinymo_xdsl.interpreter.tosa_arithmetic import TosaArithmetic, TosaFunctionsOfElements
from tinymo_xdsl.interpreter.tosa_layout import TosaLayout
from tinymo_xdsl.numerics.dense import Array


def evaluate(kernel: Kernel, inputs: Sequence[Array]) -> list[Array]:
    """
    The results of `kernel`, whose ops work on elements or move them.

    Reshapes are left out, so that a function of elements can be evaluated on any number of them.
    """
    interpreter = Interpreter(ModuleOp([]))
    for functions in (TosaFunctionsOfElements(), TosaArithmetic(), TosaLayout(), CustomOperators()):
        interpreter.register_implementations(functions)
    body = Body(kernel)
    values = dict(zip(kernel.inputs, inputs, strict=True))
    values.update((constant, body.constant(constant)) for constant in kernel.constants)
    with np.errstate(all="ignore"):
        for op in kernel.ops:
            arrays = tuple(values[operand] for operand in op.operands)
            results = arrays[:1] if isinstance(op, tosa.ReshapeOp) else interpreter.run_op(op, arrays)
            values.update(zip(op.results, results, strict=True))
    return [values[result] for result in kernel.results]
