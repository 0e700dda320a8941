"""Whether two modules compute the same values: what every pass must keep."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import DYNAMIC_INDEX, MemRefType, ModuleOp, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute

from tinymo_xdsl.errors import OutputsDifferError
from tinymo_xdsl.interpreter.executor import Executor, TensorRecorder, find_function, input_values
from tinymo_xdsl.interpreter.operands import element_dtype
from tinymo_xdsl.interpreter.state import keeps_state
from tinymo_xdsl.numerics.dense import Array

_Shaped: TypeAlias = "TensorType[Attribute] | MemRefType[Attribute]"


def random_inputs(function: FuncOp, seed: int = 0) -> list[Array]:
    """
    Arguments for `function`, the same for the same `seed`. Unknown sizes become 1.

    Integers of 8 and 16 bits cover their whole range, floats -1 to 1. Wider integers are often indices, and are 0 or 1.
    """
    generator = np.random.default_rng(seed)
    return [_random_array(cast(_Shaped, argument.type), generator) for argument in input_values(function)]


def check_same(before: ModuleOp, after: ModuleOp, seeds: Sequence[int] = (0,), pass_name: str = "the change") -> None:
    """
    Run every function of both modules on seeded inputs and compare, bit for bit, the outputs and each tensor whose name
    is in both. Modules with variables run twice from one state.

    Raises `OutputsDifferError` that names `pass_name` and the first element that differs, in the order of execution;
    `BadModelError` when an op cannot be executed.
    """
    runs = 2 if keeps_state(before) else 1
    kept = {op.sym_name.data for op in after.ops if isinstance(op, FuncOp)}
    for function in before.ops:
        if isinstance(function, FuncOp) and function.body.blocks and function.sym_name.data in kept:
            name = function.sym_name.data
            for seed in seeds:
                inputs = [random_inputs(function, 1000 * seed + run) for run in range(runs)]
                old, new = (_observe(module, name, inputs) for module in (before, after))
                for old_run, new_run in zip(old, new, strict=True):
                    _compare_runs(f"{pass_name} changes @{name}", old_run, new_run, seed)


@dataclass(frozen=True, eq=False)
class _Run:
    outputs: list[Array]
    tensors: dict[str, Array]


def _observe(module: ModuleOp, function: str, inputs: Sequence[Sequence[Array]]) -> list[_Run]:
    recorder = TensorRecorder(find_function(module, function))
    executor = Executor(module, (recorder,))
    return [_Run(executor.run(arrays, function), dict(recorder.tensors)) for arrays in inputs]


def _compare_runs(where: str, old: _Run, new: _Run, seed: int) -> None:
    for tensor, array in old.tensors.items():
        if tensor in new.tensors:
            _compare(f"{where}: tensor '{tensor}'", array, new.tensors[tensor], seed)
    if len(old.outputs) != len(new.outputs):
        raise OutputsDifferError(f"{where}: {len(old.outputs)} outputs before, {len(new.outputs)} after")
    for index, (before, after) in enumerate(zip(old.outputs, new.outputs, strict=True)):
        _compare(f"{where}: output {index}", before, after, seed)


def _compare(what: str, old: Array, new: Array, seed: int) -> None:
    if (old.dtype, old.shape) != (new.dtype, new.shape):
        raise OutputsDifferError(f"{what} is {old.dtype} {old.shape} before, {new.dtype} {new.shape} after")
    differing = np.argwhere(_bits(old) != _bits(new))
    if len(differing):
        index = tuple(int(position) for position in differing[0])
        raise OutputsDifferError(
            f"{what} at {list(index)} is {old[index]} before, {new[index]} after"
            f" ({len(differing)} of {old.size} elements differ, seed {seed})"
        )


def _bits(array: Array) -> npt.NDArray[np.unsignedinteger[Any]]:
    """The elements as integers, so that a NaN equals itself and -0.0 differs from 0.0."""
    return np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}").reshape(array.shape)


def _random_array(type_: _Shaped, generator: np.random.Generator) -> Array:
    dtype = element_dtype(type_.element_type)
    shape = tuple(1 if size == DYNAMIC_INDEX else size for size in type_.get_shape())
    if np.issubdtype(dtype, np.floating):
        return generator.uniform(-1, 1, shape).astype(dtype)
    if dtype == np.bool_ or dtype.itemsize > 2:
        return generator.integers(0, 2, shape).astype(dtype)
    limits = np.iinfo(dtype)
    return generator.integers(limits.min, limits.max, shape, dtype, endpoint=True)
