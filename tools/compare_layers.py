"""
Compare the interpreter with an engine, tensor by tensor, on whole models.

    python tools/compare_layers.py model.tflite ... [--runs 3] [--seed 0]

Each model is imported, interpreted, and run by TFLite Micro, or by LiteRT where TFLite Micro cannot load it. Models
with variables run several inferences from one state. Integer tensors must be equal; for floats the largest
difference is given. Exit status 1 if an integer differs.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from xdsl.dialects.func import FuncOp

from tinymo_xdsl.flatbuffer.model import Subgraph
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.interpreter.executor import Executor, TensorRecorder
from tinymo_xdsl.numerics.dense import Array
from tinymo_xdsl.verification.engines import Engine, ModelFile, Session, installed_engines, value_dtype
from tinymo_xdsl.verification.inputs import sample
from tinymo_xdsl.verification.isolation import EngineError

INFERENCES = 3
"""In each run, so that variables show what they keep."""


@dataclass(frozen=True)
class Layer:
    """One tensor in all inferences of a comparison."""

    tensor: str
    is_float: bool
    elements: int
    differing: int
    largest_difference: float


@dataclass(frozen=True)
class Comparison:
    """One model."""

    engine: str
    layers: tuple[Layer, ...]
    missing: tuple[str, ...]
    """Tensors that only the engine computes."""
    seconds: float
    """What an interpreted inference takes."""

    @property
    def wrong(self) -> tuple[Layer, ...]:
        """Tensors in which at least one element differs."""
        return tuple(layer for layer in self.layers if layer.differing)


def compare_model(path: Path, runs: int = 1, seed: int = 0) -> Comparison:
    """Every tensor that both sides compute, in seeded runs."""
    file = ModelFile.read(path.name, path.read_bytes())
    module = import_model(file.model)
    entry = next(op for op in module.ops if isinstance(op, FuncOp))
    graph = file.model.subgraphs[0]
    indices = dict(_compared_tensors(graph))
    seconds = 0.0
    layers: dict[str, Layer] = {}
    for run in range(runs):
        engine, session = _load(file)
        recorder = TensorRecorder(entry)
        executor = Executor(module, (recorder,))
        for step in range(INFERENCES):
            inputs = [sample(graph.tensors[i], seed, run, step, at) for at, i in enumerate(graph.inputs)]
            session.invoke(inputs)
            start = time.perf_counter()
            executor.run(inputs, entry.sym_name.data)
            seconds += time.perf_counter() - start
            for name in recorder.tensors.keys() & indices.keys():
                layers[name] = _add(layers.get(name), name, recorder.tensors[name], session.tensor(indices[name]))
    ordered = tuple(layers[name] for name in indices if name in layers)
    missing = tuple(indices.keys() - layers.keys())
    return Comparison(engine.name, ordered, missing, seconds / runs / INFERENCES)


def _load(file: ModelFile) -> tuple[Engine, Session]:
    refusals: list[str] = []
    for engine in installed_engines():
        try:
            session = engine.load(file, keep_tensors=True)
        except EngineError as error:
            refusals.append(f"{engine.name} {error}")
        else:
            return engine, session
    raise EngineError("; ".join(refusals))


def _compared_tensors(graph: Subgraph) -> Iterator[tuple[str, int]]:
    """Tensors that operators yield or change, if they have readable values and a name of their own."""
    counts = Counter(tensor.name for tensor in graph.tensors)
    computed = {index for operator in graph.operators for index in operator.outputs}
    for index, tensor in enumerate(graph.tensors):
        is_wanted = index in computed or tensor.is_variable
        if is_wanted and counts[tensor.name] == 1 and value_dtype(tensor.dtype) is not None:
            yield tensor.name, index


def _add(layer: Layer | None, name: str, ours: Array, theirs: Array) -> Layer:
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        raise ValueError(
            f"'{name}': {ours.dtype} {ours.shape} interpreted, {theirs.dtype} {theirs.shape} in the engine"
        )
    distance = np.abs(ours.astype(np.float64) - theirs.astype(np.float64))
    before = layer or Layer(name, np.issubdtype(ours.dtype, np.floating), 0, 0, 0.0)
    return Layer(
        name,
        before.is_float,
        before.elements + ours.size,
        before.differing + int(np.count_nonzero(distance)),
        max(before.largest_difference, float(distance.max(initial=0))),
    )


def _print(name: str, comparison: Comparison) -> bool:
    verdict = "equal" if not comparison.wrong else f"{len(comparison.wrong)} tensors differ"
    elements = sum(layer.elements for layer in comparison.layers)
    scope = f"{len(comparison.layers)} tensors, {elements} elements"
    print(f"{name}: {verdict}; {scope}; {comparison.engine}; {comparison.seconds:.2f} s an inference")
    for layer in comparison.wrong[:5]:
        print(f"  {layer.tensor}: {layer.differing} of {layer.elements}, by {layer.largest_difference:g}")
    if comparison.missing:
        print(f"  not interpreted: {', '.join(comparison.missing[:5])}")
    return any(not layer.is_float for layer in comparison.wrong)


def main() -> int:
    """Compare the models on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=Path)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    wrong = [_print(path.name, compare_model(path, arguments.runs, arguments.seed)) for path in arguments.models]
    return int(any(wrong))


if __name__ == "__main__":
    sys.exit(main())
