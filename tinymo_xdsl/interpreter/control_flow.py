"""TFLite operators that run other subgraphs, each of which is a function of the module, in the order of the file."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from xdsl.dialects.func import FuncOp
from xdsl.interpreter import Interpreter, PythonValues

from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.interpreter.custom import Call

ControlFlowFunction: TypeAlias = Callable[[Interpreter, Call], PythonValues]

MOST_ROUNDS: Final = 1 << 16
"""After so many rounds a WHILE counts as endless."""


def subgraph(interpreter: Interpreter, call: Call, option: str) -> FuncOp:
    """The function of the subgraph whose number the `option` of the operator states."""
    functions = [op for op in interpreter.module.ops if isinstance(op, FuncOp)]
    index = call.option(option, 0)
    if not 0 <= index < len(functions):
        raise BadModelError(f"{call.what}: there is no subgraph {index}")
    return functions[index]


def _if(interpreter: Interpreter, call: Call) -> PythonValues:
    """The first input chooses; the others are those of the subgraph."""
    branch = "then_subgraph_index" if call.array(0).item() else "else_subgraph_index"
    return interpreter.call_op(subgraph(interpreter, call, branch), call.arrays[1:])


def _while(interpreter: Interpreter, call: Call) -> PythonValues:
    """Runs the body on the inputs, and then on its results, as long as the condition holds for them."""
    condition = subgraph(interpreter, call, "cond_subgraph_index")
    body = subgraph(interpreter, call, "body_subgraph_index")
    values: PythonValues = call.arrays
    for _ in range(MOST_ROUNDS):
        if not interpreter.call_op(condition, values)[0].item():
            return values
        values = interpreter.call_op(body, values)
    raise BadModelError(f"{call.what}: the loop has not ended after {MOST_ROUNDS} rounds")


CONTROL_FLOW: Final[Mapping[str, ControlFlowFunction]] = MappingProxyType({"IF": _if, "WHILE": _while})
"""By the schema's name."""
