"""What a test of an operator is made of: a model of it, the way through the IR, and the numbers of TFLite Micro."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pytest
from one_operator import Array, tensor, tflm_interpreter
from operator_models import described, model_of, options, through_text

from tinymo_xdsl.flatbuffer.model import Model, OptionValue, Tensor
from tinymo_xdsl.flatbuffer.schema import DATA_TYPES
from tinymo_xdsl.flatbuffer.writer import write_model
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.interpreter.executor import Executor

WHOLE = "tosa.custom"


class Case(NamedTuple):
    """A model of one operator, and the op that an import must make of it."""

    name: str
    op: str
    model: Model


def image(*shape: int, dtype: str = "INT8", scale: float | None = 0.5, zero_point: int = -3) -> Tensor:
    return tensor("image", dtype, shape, scale, zero_point)


def result(*shape: int, dtype: str = "INT8", scale: float | None = 0.75, zero_point: int = 5) -> Tensor:
    return tensor("result", dtype, shape, scale, zero_point)


def floats(name: str, *shape: int) -> Tensor:
    return tensor(name, "FLOAT32", shape)


def unary(name: str, source: Tensor, out: Tensor, table: str | None = None, **stated: OptionValue) -> Model:
    return model_of(name, [source], [out], None if table is None else options(table, **stated))


def of_floats(name: str, table: str | None = None) -> Model:
    return unary(name, floats("x", 2, 6), floats("y", 2, 6), table)


def typed(name: str, dtype: str, shape: Sequence[int], scale: float = 0.25, zero_point: int = 3) -> Tensor:
    """A tensor that has a scale if its type is one of quantised numbers; 16 bits have no zero point."""
    if dtype not in ("INT8", "UINT8", "INT16"):
        return tensor(name, dtype, shape)
    return tensor(name, dtype, shape, scale, 0 if dtype == "INT16" else zero_point)


def random_array(entry: Tensor, generator: np.random.Generator) -> Array:
    """Numbers for an input: all that 8 and 16 bits can hold, small ones of other types."""
    dtype = DATA_TYPES[entry.dtype].numpy
    assert dtype is not None
    if dtype.kind == "b":
        return generator.integers(0, 2, entry.shape).astype(dtype)
    if dtype.kind == "f":
        return (generator.normal(size=entry.shape) * 4).astype(dtype)
    limits = np.iinfo(dtype) if dtype.itemsize <= 2 else np.iinfo(np.int8)
    return generator.integers(limits.min, limits.max, entry.shape, dtype, endpoint=True)


def run_in_both(
    model: Model, seed: int = 7, given: Mapping[str, Array] | None = None, runs: int = 1
) -> list[tuple[Array, Array]]:
    """
    Every output in the interpreter and in TFLite Micro, for random inputs and those `given` by name.

    Several `runs` show state that is kept from one to the next.
    """
    graph, generator = model.subgraphs[0], np.random.default_rng(seed)
    engine, executor = tflm_interpreter(write_model(model)), Executor(import_model(model))
    pairs: list[tuple[Array, Array]] = []
    for _ in range(runs):
        entries = [graph.tensors[index] for index in graph.inputs]
        arrays = [random_array(entry, generator) for entry in entries]
        arrays = [(given or {}).get(entry.name, array) for entry, array in zip(entries, arrays, strict=True)]
        for position, array in enumerate(arrays):
            engine.set_input(array, position)
        engine.invoke()
        outputs = executor.run(arrays)
        pairs += [(output, engine.get_output(position)) for position, output in enumerate(outputs)]
    return pairs


def run_in_litert_too(model: Model, seed: int = 7) -> list[tuple[Array, Array]]:
    """Every output in the interpreter and in LiteRT's reference kernels: where TFLite Micro has no numbers to go by."""
    litert = pytest.importorskip("ai_edge_litert.interpreter", reason="LiteRT is not installed (extra `verify`)")
    resolver = litert.OpResolverType.BUILTIN_REF
    engine = litert.Interpreter(model_content=write_model(model), experimental_op_resolver_type=resolver)
    engine.allocate_tensors()
    graph, generator = model.subgraphs[0], np.random.default_rng(seed)
    arrays = [random_array(graph.tensors[index], generator) for index in graph.inputs]
    for entry, array in zip(engine.get_input_details(), arrays, strict=True):
        engine.set_tensor(entry["index"], array)
    engine.invoke()
    outputs = Executor(import_model(model)).run(arrays)
    theirs = [engine.get_tensor(entry["index"]) for entry in engine.get_output_details()]
    return list(zip(outputs, theirs, strict=True))


def check_same_numbers(
    model: Model,
    seed: int = 7,
    given: Mapping[str, Array] | None = None,
    tolerance: float = 0.0,
    runs: int = 1,
) -> list[Array]:
    """Interpreter and TFLite Micro agree, up to `tolerance` of a float; the outputs."""
    pairs = run_in_both(model, seed, given, runs)
    for ours, theirs in pairs:
        assert ours.dtype == theirs.dtype
        if tolerance:
            np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)
        else:
            np.testing.assert_array_equal(ours, theirs)
    return [ours for ours, _ in pairs]


def check_round_trip(case: Case) -> None:
    """An import makes the expected op of the operator, and an export makes the operator of it again."""
    ops = {op.name for op in import_model(case.model).walk()}
    assert case.op in ops
    assert (WHOLE in ops) == (case.op == WHOLE)
    assert described(through_text(case.model)) == described(case.model)
