"""TinyMo ops on tensors: windows, spilled tensors and what kernels yield. `buffers` runs the kernels."""

import numpy as np
from xdsl.interpreter import (
    Interpreter,
    InterpreterFunctions,
    PythonValues,
    ReturnedValues,
    TerminatorValue,
    impl,
    impl_terminator,
    register_impls,
)

from tinymo_xdsl.dialects import tinymo


@register_impls
class TinymoFunctions(InterpreterFunctions):
    """A handle to a spilled tensor is the array itself, for arrays do not change once they are made."""

    @impl(tinymo.SpillOp)
    def spill(self, interpreter: Interpreter, op: tinymo.SpillOp, args: PythonValues) -> PythonValues:
        return args

    @impl(tinymo.ReloadOp)
    def reload(self, interpreter: Interpreter, op: tinymo.ReloadOp, args: PythonValues) -> PythonValues:
        return args

    @impl(tinymo.SplitOp)
    def split(self, interpreter: Interpreter, op: tinymo.SplitOp, args: PythonValues) -> PythonValues:
        before = (slice(None),) * op.axis.value.data
        return tuple(args[0][(*before, slice(low, high))] for low, high in op.ranges)

    @impl(tinymo.JoinOp)
    def join(self, interpreter: Interpreter, op: tinymo.JoinOp, args: PythonValues) -> PythonValues:
        return (np.concatenate(args, op.axis.value.data),)

    @impl_terminator(tinymo.YieldOp)
    def yield_(
        self, interpreter: Interpreter, op: tinymo.YieldOp, args: PythonValues
    ) -> tuple[TerminatorValue, PythonValues]:
        return ReturnedValues(args), ()
