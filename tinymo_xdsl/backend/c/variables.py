"""
What a model remembers from one run to the next, and where it lies: behind the planned arena.

Resource variables are named by handles, which C has no use for: each read and each assignment is a copy. Variable
tensors are operands that an operator changes. What a subgraph that is called once assigns is the initial value.
"""

from dataclasses import dataclass, field

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from tinymo_xdsl.analysis.kernels import functions, is_constant
from tinymo_xdsl.analysis.sizes import byte_size, element_bytes
from tinymo_xdsl.backend.c.body import NoKernelError, dtype_of
from tinymo_xdsl.backend.c.layer import Table
from tinymo_xdsl.dialects import tinymo, tosa
from tinymo_xdsl.facts import name_of, operator_facts, tensor_facts
from tinymo_xdsl.numerics import dense
from tinymo_xdsl.operators.base import constant_attribute
from tinymo_xdsl.planner.arena.problem import round_up


@dataclass(frozen=True)
class Variable:
    """Bytes that last."""

    name: str
    offset: int
    """From the start of the arena."""
    bytes: int
    fill: int
    """The byte that all of it begins with, if there is no other initial value."""
    initial: Table | None


@dataclass(frozen=True)
class _Key:
    """What names a resource variable."""

    container: str
    shared_name: str


@dataclass
class Variables:
    """The variables of a module, found op by op."""

    end: int
    """The first byte behind the arena and all variables so far."""
    _found: dict[_Key | SSAValue, Variable] = field(default_factory=dict["_Key | SSAValue", Variable])
    _handles: dict[SSAValue, _Key] = field(default_factory=dict[SSAValue, _Key])
    _initial: dict[_Key, Table] = field(default_factory=dict[_Key, Table])

    @property
    def all(self) -> tuple[Variable, ...]:
        """In the order in which they were found."""
        return tuple(self._found.values())

    def note_handle(self, op: tosa.CustomOp, buffer: SSAValue) -> None:
        """`buffer` holds the handle that a VAR_HANDLE makes."""
        options = operator_facts(op).options
        self._handles[buffer] = _Key(str(options.get("container", "")), str(options.get("shared_name", "")))

    def call_once(self, op: tosa.CustomOp, module: ModuleOp) -> None:
        """Takes over what a subgraph assigns, all of it constants. `NoKernelError` if it does anything else."""
        index = operator_facts(op).options.get("init_subgraph_index", 0)
        called = list(functions(module))
        if not isinstance(index, int) or not 0 <= index < len(called):
            raise NoKernelError("CALL_ONCE has no C kernel: it calls a subgraph that is not there")
        if self._found:
            raise NoKernelError("CALL_ONCE has no C kernel: variables are used before it")
        for kernel in _kernels(called[index]):
            inner = [entry for entry in kernel.body.block.ops if isinstance(entry, tosa.CustomOp)]
            names = [entry.operator_name.data for entry in inner]
            match inner:
                case [custom] if names == ["VAR_HANDLE"]:
                    self.note_handle(custom, kernel.outputs[0])
                case [custom] if names == ["ASSIGN_VARIABLE"] and is_constant(custom.input_list[1]):
                    self._initial[self._handles[kernel.inputs[0]]] = _table(custom.input_list[1])
                case _:
                    raise NoKernelError(
                        f"CALL_ONCE has no C kernel: @{called[index].sym_name.data} does more than assign constants"
                    )

    def of_handle(self, buffer: SSAValue, value: SSAValue) -> Variable:
        """The variable whose handle lies in `buffer`; `value` is what is read from it or assigned to it."""
        if (key := self._handles.get(buffer)) is None:
            raise NoKernelError(f"'{name_of(value)}' has no C kernel: its variable is chosen at run time")
        return self._variable(key, key.shared_name or name_of(value), value, self._initial.get(key))

    def of_tensor(self, value: SSAValue) -> Variable:
        """A variable tensor."""
        return self._variable(value, name_of(value), value, None)

    def _variable(self, key: "_Key | SSAValue", name: str, value: SSAValue, initial: Table | None) -> Variable:
        if key not in self._found:
            facts = tensor_facts(value)
            is_int8 = dtype_of(value) == "int8"
            fill = facts.one_zero_point % 256 if facts is not None and is_int8 else 0
            offset = round_up(self.end, element_bytes(value))
            self._found[key] = Variable(name, offset, byte_size(value), fill, initial)
            self.end = offset + byte_size(value)
        return self._found[key]


def _kernels(function: FuncOp) -> list[tinymo.KernelOp]:
    return [op for op in function.body.block.ops if isinstance(op, tinymo.KernelOp)]


def _table(value: SSAValue) -> Table:
    attribute = constant_attribute(value)
    assert attribute is not None
    return Table.of(dense.to_numpy(attribute), dtype_of(value))
