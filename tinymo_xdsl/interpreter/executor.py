"""Runs the functions of a module on numpy arrays."""

from collections.abc import Sequence
from typing import cast

import numpy as np
from xdsl.dialects.builtin import DYNAMIC_INDEX, MemRefType, ModuleOp, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.interpreter import Interpreter, PythonValues
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.utils.exceptions import InterpretationError

from tinymo_xdsl.analysis.buffers import inputs_of, reads_of
from tinymo_xdsl.analysis.kernels import is_bufferized
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.errors import BadModelError, TinymoError
from tinymo_xdsl.facts import name_of, tensor_facts
from tinymo_xdsl.interpreter.arena import Span
from tinymo_xdsl.interpreter.buffers import BufferFunctions
from tinymo_xdsl.interpreter.operands import element_dtype
from tinymo_xdsl.interpreter.state import CustomOperators, TosaVariables
from tinymo_xdsl.interpreter.tinymo_functions import TinymoFunctions
from tinymo_xdsl.interpreter.tosa_arithmetic import TosaArithmetic, TosaFunctionsOfElements
from tinymo_xdsl.interpreter.tosa_images import TosaImages
from tinymo_xdsl.interpreter.tosa_layout import TosaControlFlow, TosaLayout, TosaReductions
from tinymo_xdsl.numerics.dense import Array


class Executor:
    """
    The functions of one module. Variables keep their values from one run to the next.

    Integers are bit-exact to TFLite Micro's reference kernels. Floats are added in their order; functions such as the
    exponential may differ in the last bits.
    """

    def __init__(self, module: ModuleOp, listeners: Sequence[Interpreter.Listener] = ()):
        self._last_op = _LastOp()
        self._interpreter = Interpreter(module, listeners=(self._last_op, *listeners))
        for functions in (
            BufferFunctions(),
            TosaFunctionsOfElements(),
            TosaArithmetic(),
            TosaImages(),
            TosaLayout(),
            TosaReductions(),
            TosaControlFlow(),
            CustomOperators(),
            TosaVariables(),
            TinymoFunctions(),
        ):
            self._interpreter.register_implementations(functions)

    def run(self, inputs: Sequence[Array], function: str = "main") -> list[Array]:
        """
        The results of `function` on `inputs`.

        Raises `BadModelError` when there is no such function, the inputs do not fit, or an op cannot be executed.
        """
        entry = find_function(self._interpreter.module, function)
        _check_inputs(entry, inputs)
        try:
            with np.errstate(all="ignore"):
                return list(self._interpreter.call_op(entry, tuple(inputs)))
        except TinymoError as error:
            # xDSL adds the text of the module, with all weights.
            error.__notes__.clear()
            raise
        except InterpretationError as error:
            raise BadModelError(f"{_describe(self._last_op.op)}: the interpreter does not know this op") from error


class TensorRecorder(Interpreter.Listener):
    """
    Keeps every value of one function that is a named tensor, constants excepted, in the order of execution.

    Of a tensor in a buffer it keeps what is read there last.
    """

    def __init__(self, function: FuncOp):
        self.function = function
        self.tensors: dict[str, Array] = {}

    def will_interpret_op(self, op: Operation, args: PythonValues) -> None:
        """Keeps what the buffers hold that are about to be read."""
        if _function_of(op) is self.function:
            spans = {value: arg for value, arg in zip(op.operands, args, strict=True) if isinstance(arg, Span)}
            read = [value for value in reads_of(op) if value in spans]
            self.record(read, tuple(spans[value].peek() for value in read))

    def did_interpret_op(self, op: Operation, results: PythonValues) -> None:
        if not isinstance(op, tosa.ConstOp | tosa.ConstShapeOp) and _function_of(op) is self.function:
            self.record(tuple(op.results), results)

    def record(self, values: Sequence[SSAValue], arrays: PythonValues) -> None:
        """Keep those of `arrays` whose `values` have a name."""
        for value, array in zip(values, arrays, strict=True):
            if not isinstance(array, Span) and (facts := tensor_facts(value)) is not None:
                self.tensors[facts.name] = array


def run_function(
    module: ModuleOp,
    inputs: Sequence[Array],
    function: str = "main",
    listener: Interpreter.Listener | None = None,
) -> list[Array]:
    """The results of `function` on `inputs`, with all variables at their initial values. Errors as `Executor.run`."""
    return Executor(module, () if listener is None else (listener,)).run(inputs, function)


def run_and_observe(
    module: ModuleOp, inputs: Sequence[Array], function: str = "main"
) -> tuple[list[Array], dict[str, Array]]:
    """As `run_function`, and every named tensor of the function by its name, inputs included."""
    recorder = TensorRecorder(find_function(module, function))
    recorder.record(input_values(recorder.function), tuple(inputs))
    return run_function(module, inputs, function, recorder), recorder.tensors


def find_function(module: ModuleOp, name: str) -> FuncOp:
    """The function called `name`. Raises `BadModelError` when there is none."""
    for op in module.ops:
        if isinstance(op, FuncOp) and op.sym_name.data == name:
            return op
    raise BadModelError(f"the module has no function '{name}'")


def input_values(function: FuncOp) -> Sequence[SSAValue]:
    """The arguments of a function on tensors, the buffers that the application fills of one on buffers."""
    return inputs_of(function) if is_bufferized(function) else function.args


class _LastOp(Interpreter.Listener):
    """Remembers what is being executed, for messages."""

    op: Operation | None = None

    def will_interpret_op(self, op: Operation, args: PythonValues) -> None:
        self.op = op


def _function_of(op: Operation) -> FuncOp | None:
    parent = op.parent_op()
    return parent if parent is None or isinstance(parent, FuncOp) else _function_of(parent)


def _describe(op: Operation | None) -> str:
    if op is None:
        return "an op"
    return f"'{op.name}' that yields '{name_of(op.results[0])}'" if op.results else f"'{op.name}'"


def _check_inputs(function: FuncOp, inputs: Sequence[Array]) -> None:
    arguments = input_values(function)
    if len(inputs) != len(arguments):
        raise BadModelError(f"'{function.sym_name.data}' takes {len(arguments)} inputs, not {len(inputs)}")
    for argument, array in zip(arguments, inputs, strict=True):
        type_ = cast("TensorType[Attribute] | MemRefType[Attribute]", argument.type)
        dtype, shape = element_dtype(type_.element_type), type_.get_shape()
        fits = len(shape) == array.ndim and all(
            size in (DYNAMIC_INDEX, given) for size, given in zip(shape, array.shape, strict=True)
        )
        if not fits or array.dtype != dtype:
            raise BadModelError(f"input '{name_of(argument)}' is {type_}, not {array.dtype} of shape {array.shape}")
