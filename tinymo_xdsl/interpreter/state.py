"""
What a module remembers from one run to the next: variables.

TFLite has two kinds. Resource variables are named by handles and read and assigned whole. Variable tensors are
operands that an operator changes; here a `tosa.custom "VARIABLE"` yields the one array that lives on. TOSA's own
variables are read and written by name.
"""

from typing import Final, cast

import numpy as np
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.interpreter import Interpreter, InterpreterFunctions, PythonValues, impl, register_impls
from xdsl.ir import Attribute, Operation, OpResult
from xdsl.traits import SymbolTable

from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.facts import tensor_facts
from tinymo_xdsl.interpreter.control_flow import CONTROL_FLOW, subgraph
from tinymo_xdsl.interpreter.custom import TFLITE_DOMAIN, Call
from tinymo_xdsl.interpreter.operands import element_dtype
from tinymo_xdsl.interpreter.tflite_operators import OPERATORS
from tinymo_xdsl.numerics.dense import Array, to_numpy

STATEFUL_OPERATORS: Final = frozenset({"ASSIGN_VARIABLE", "CALL_ONCE", "READ_VARIABLE", "VAR_HANDLE", *CONTROL_FLOW})
"""The operators of the schema that `CustomOperators` runs itself: they need the module's state or its functions."""


@register_impls
class CustomOperators(InterpreterFunctions):
    """Runs `tosa.custom`, and holds the variables of the module."""

    def __init__(self) -> None:
        self._resources: dict[int, Array] = {}
        self._handles: dict[tuple[str, str], int] = {}
        self._variables: dict[Operation, Array] = {}
        self._called: set[Operation] = set()
        self._running: set[Operation] = set()

    @impl(tosa.CustomOp)
    def custom(self, interpreter: Interpreter, op: tosa.CustomOp, args: PythonValues) -> PythonValues:
        call = Call.of(op, args)
        name = op.operator_name.data if op.domain_name.data == TFLITE_DOMAIN else ""
        match name:
            case "VARIABLE":
                return (self._variables.setdefault(op, _initial(op.output_list[0])),)
            case "VAR_HANDLE":
                return (self._handle(call),)
            case "READ_VARIABLE":
                return (self._read(call),)
            case "ASSIGN_VARIABLE":
                self._resources[call.array(0).item()] = call.array(1)
                return ()
            case "CALL_ONCE":
                self._call_once(interpreter, call)
                return ()
            case _ if name in CONTROL_FLOW:
                return self._run_subgraphs(interpreter, call)
            case _ if name in OPERATORS:
                return (OPERATORS[name](call),)
            case _:
                raise BadModelError(f"{call.what}: the interpreter does not know this operator")

    def _handle(self, call: Call) -> Array:
        key = (call.option("container", ""), call.option("shared_name", ""))
        handle = self._handles.setdefault(key, len(self._handles))
        return np.full(_tensor_type(call.op.output_list[0]).get_shape(), handle, np.int32)

    def _read(self, call: Call) -> Array:
        # A variable that was never assigned holds the real number zero.
        value = self._resources.get(call.array(0).item())
        return _initial(call.op.output_list[0]) if value is None else value

    def _call_once(self, interpreter: Interpreter, call: Call) -> None:
        if call.op in self._called:
            return
        self._called.add(call.op)
        interpreter.call_op(subgraph(interpreter, call, "init_subgraph_index"))

    def _run_subgraphs(self, interpreter: Interpreter, call: Call) -> PythonValues:
        if call.op in self._running:
            raise BadModelError(f"{call.what}: the subgraph that it runs leads to it again")
        self._running.add(call.op)
        try:
            return CONTROL_FLOW[call.op.operator_name.data](interpreter, call)
        finally:
            self._running.remove(call.op)


def keeps_state(module: ModuleOp) -> bool:
    """Whether a run of `module` can depend on the runs before."""
    return any(
        isinstance(op, tosa.VariableWriteOp)
        or (isinstance(op, tosa.CustomOp) and op.operator_name.data in ("VARIABLE", "ASSIGN_VARIABLE"))
        for op in module.walk()
    )


@register_impls
class TosaVariables(InterpreterFunctions):
    """Holds the values of `tosa.variable`; one that was never written and has no initial value is all zeros."""

    def __init__(self) -> None:
        self._values: dict[str, Array] = {}

    @impl(tosa.VariableReadOp)
    def read(self, interpreter: Interpreter, op: tosa.VariableReadOp, args: PythonValues) -> PythonValues:
        value = self._values.get(op.var_name.data)
        return (_declared_value(op) if value is None else value,)

    @impl(tosa.VariableWriteOp)
    def write(self, interpreter: Interpreter, op: tosa.VariableWriteOp, args: PythonValues) -> PythonValues:
        self._values[op.var_name.data] = args[0]
        return ()


def _declared_value(op: tosa.VariableReadOp) -> Array:
    variable = SymbolTable.lookup_symbol(op, op.var_name)
    if isinstance(variable, tosa.VariableOp) and variable.initial_value is not None:
        return to_numpy(variable.initial_value)
    return _initial(op.output1)


def _initial(result: OpResult) -> Array:
    """The value of a variable before its first assignment: the zero point of int8, else 0."""
    type_ = _tensor_type(result)
    dtype = element_dtype(type_.element_type)
    facts = tensor_facts(result)
    zero = facts.one_zero_point if facts is not None and dtype == np.int8 else 0
    return np.full(type_.get_shape(), zero, dtype)


def _tensor_type(result: OpResult) -> TensorType[Attribute]:
    return cast(TensorType[Attribute], result.type)
