"""Whether two modules compute the same values: what every pass must keep."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import DYNAMIC_INDEX, ModuleOp, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute

from tinymo_xdsl.errors import OutputsDifferError
from tinymo_xdsl.interpreter.executor import run_and_observe
from tinymo_xdsl.interpreter.operands import element_dtype
from tinymo_xdsl.numerics.dense import Array


def random_inputs(function: FuncOp, seed: int = 0) -> list[Array]:
    """
    Arguments for `function`, the same for the same `seed`. Unknown sizes become 1.

    Integers of 8 and 16 bits cover their whole range, floats -1 to 1. Wider integers are often indices, and are 0 or 1.
    """
    generator = np.random.default_rng(seed)
    return [_random_array(cast(TensorType[Attribute], argument.type), generator) for argument in function.args]


def check_same(before: ModuleOp, after: ModuleOp, seeds: Sequence[int] = (0,), pass_name: str = "the change") -> None:
    """
    Run every function of both modules on seeded inputs and compare, bit for bit, the outputs and each tensor whose name
    is in both.

    Raises `OutputsDifferError` that names `pass_name` and the first element that differs, in the order of execution;
    `BadModelError` when an op cannot be executed.
    """
    kept = {op.sym_name.data for op in after.ops if isinstance(op, FuncOp)}
    for function in before.ops:
        if isinstance(function, FuncOp) and function.body.blocks and function.sym_name.data in kept:
            for seed in seeds:
                _check_function(before, after, function, seed, pass_name)


def _check_function(before: ModuleOp, after: ModuleOp, function: FuncOp, seed: int, pass_name: str) -> None:
    inputs = random_inputs(function, seed)
    name = function.sym_name.data
    old_outputs, old_tensors = run_and_observe(before, inputs, name)
    new_outputs, new_tensors = run_and_observe(after, inputs, name)
    where = f"{pass_name} changes @{name}"
    for tensor, array in old_tensors.items():
        if tensor in new_tensors:
            _compare(f"{where}: tensor '{tensor}'", array, new_tensors[tensor], seed)
    if len(old_outputs) != len(new_outputs):
        raise OutputsDifferError(f"{where}: {len(old_outputs)} outputs before, {len(new_outputs)} after")
    for index, (old, new) in enumerate(zip(old_outputs, new_outputs, strict=True)):
        _compare(f"{where}: output {index}", old, new, seed)


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


def _random_array(type_: TensorType[Attribute], generator: np.random.Generator) -> Array:
    dtype = element_dtype(type_.element_type)
    shape = tuple(1 if size == DYNAMIC_INDEX else size for size in type_.get_shape())
    if np.issubdtype(dtype, np.floating):
        return generator.uniform(-1, 1, shape).astype(dtype)
    if dtype == np.bool_ or dtype.itemsize > 2:
        return generator.integers(0, 2, shape).astype(dtype)
    limits = np.iinfo(dtype)
    return generator.integers(limits.min, limits.max, shape, dtype, endpoint=True)
